"""Headers per second: reading ESO's headers and making exposures of them, on one core.

Called as `python3 -m tests.bench.headers FILE…`; prints what it took as JSON.
"""

import json
import sys
import time
from pathlib import Path

from ingest import headers, instruments, vocabulary

ROUNDS = 5


def measure(paths: list[Path]) -> dict[str, float]:
    """Headers, cards per header, headers per second of processor time (the best of some rounds)."""
    known = vocabulary.load()
    texts = [(path.name, path.read_bytes()) for path in paths]
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for name, data in texts:
            header = headers.read(data, name)
            instruments.exposures(header, instruments.header_id_of(header, name), known)
        best = min(best, time.process_time() - began)
    cards = sum(data.count(b"\n") for _, data in texts)
    return {"headers": len(texts), "cards": cards / len(texts), "per_second": len(texts) / best}


if __name__ == "__main__":
    print(json.dumps(measure([Path(name) for name in sys.argv[1:]])))
