"""How many bad calibrators are found among simulated ones, and how many good ones are blamed."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ingest import calibrators, simulate_calibrators

#: Stars of each run.
NUMBER = 200
#: What a run is of: seed, how much worse calibrations are than is thought, kinds of stars.
RUNS = (
    (346, 1, ("good", "good", "good", "binary", "resolved")),
    (347, 1, ("good",)),
    (348, 2, ("good",)),
    (349, 6, ("good",)),
)


def main() -> None:
    """Prints a line for each kind of star of each run."""
    print("seed  calibration  kind      stars  binary  resolved  none  s/star")
    for seed, worse, kinds in RUNS:
        begin = time.monotonic()
        counts: Counter[tuple[str, str]] = Counter()
        stars: Counter[str] = Counter()
        for case in simulate_calibrators.population(
            NUMBER,
            seed,
            shared=worse * calibrators.SHARED,
            of_pair=worse * calibrators.OF_PAIR,
            kinds=kinds,
        ):
            verdict = calibrators.judge(case.points, case.expected)
            stars[case.kind] += 1
            counts[case.kind, (verdict and verdict.reason) or "none"] += 1
        each = (time.monotonic() - begin) / NUMBER
        for kind, number in stars.items():
            found = "  ".join(
                f"{counts[kind, reason]:{width}}"
                for reason, width in (("binary", 6), ("resolved", 8), ("none", 4))
            )
            print(f"{seed:4}  {worse:10}x  {kind:8}  {number:5}  {found}  {each:6.2f}")


if __name__ == "__main__":
    main()
