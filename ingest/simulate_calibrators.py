"""Simulates what OiDB has of calibrators: good ones, binaries, and stars larger than thought.

    for case in population(200, seed=1):
        verdict = calibrators.judge(case.points, case.expected)

Each star is observed in one to three nights with one of a few instruments and arrays, as
calibrators are: a snapshot or three. Noise is normal; beside it each night has a factor that its
points share, and each pair of stations in it one of its own. The catalogue's diameter is the true
one with its error, but for resolved stars, where it is that of a smaller star. The same seed gives
the same stars.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

import numpy as np

from ingest import calibrators
from ingest.calibrators import Expected, Points
from ingest.simulate import Binary, Disk, Model, Target, station_xyz, transit, uv_coordinates
from ingest.vocabulary import Facility, load

#: Facility, stations, edges of the band (m), relative error of a point.
_SETUPS = (
    ("VLTI", ("A0", "G1", "J2", "J3"), 1.50e-6, 1.78e-6, 0.02),
    ("VLTI", ("D0", "G2", "J3", "K0"), 1.50e-6, 1.78e-6, 0.03),
    ("VLTI", ("U1", "U2", "U3", "U4"), 2.00e-6, 2.45e-6, 0.02),
    ("CHARA", ("S1", "S2", "E1", "E2", "W1", "W2"), 1.50e-6, 1.72e-6, 0.04),
)
#: Channels that a point is the mean over.
_CHANNELS = 6
_FLOOR = 0.003
#: Integration time.
_SECONDS = 60.0
_FIRST_NIGHT = date(2018, 1, 1)


@dataclass(frozen=True)
class Case:
    """A simulated calibrator."""

    #: good, binary or resolved.
    kind: str
    model: Model
    expected: Expected
    points: Points


def population(
    count: int,
    seed: int,
    *,
    shared: float = calibrators.SHARED,
    of_pair: float = calibrators.OF_PAIR,
    kinds: Sequence[str] = ("good", "good", "good", "binary", "resolved"),
) -> Iterator[Case]:
    """So many calibrators, the kinds in turn; with these relative errors of calibration."""
    rng = np.random.default_rng(seed)
    vocabulary = load()
    for number in range(count):
        kind = kinds[number % len(kinds)]
        name, stations, low, high, error = _SETUPS[int(rng.integers(len(_SETUPS)))]
        facility = vocabulary.facility(name)
        assert facility is not None
        # Bright calibrators are large ones; CHARA's baselines want smaller ones.
        diameter = float(
            np.exp(rng.uniform(*np.log((0.15, 0.7) if name == "CHARA" else (0.3, 1.2))))
        )
        model, expected_diameter = _star(rng, kind, diameter)
        relative = float(rng.uniform(0.02, 0.06))
        if kind != "resolved":
            expected_diameter *= 1 + relative * float(rng.standard_normal())
        target = Target(
            f"SIM {number}", float(rng.uniform(0, 360)),
            float(rng.uniform(-60, 10) if name == "VLTI" else rng.uniform(0, 60)), model, "CAL",
        )  # fmt: skip
        points = observe(
            target, facility, stations, (low, high), error, rng, shared=shared, of_pair=of_pair
        )
        expected = Expected(np.full(len(points), expected_diameter), relative)
        yield Case(kind, model, expected, points)


def _star(rng: np.random.Generator, kind: str, diameter: float) -> tuple[Model, float]:
    """A star of a kind, and the diameter that a catalogue without errors would have for it."""
    if kind == "good":
        return Disk(diameter), diameter
    if kind == "resolved":
        return Disk(diameter * float(rng.uniform(1.2, 2.5))), diameter
    ratio = float(np.exp(rng.uniform(*np.log((0.02, 1.0)))))
    separation = float(np.exp(rng.uniform(*np.log((1.0, 30.0)))))
    angle = float(rng.uniform(0, 2 * np.pi))
    companion = Disk(diameter * ratio**0.5)
    east, north = separation * np.sin(angle), separation * np.cos(angle)
    return Binary(Disk(diameter), companion, ratio, float(east), float(north)), diameter


def observe(
    target: Target,
    facility: Facility,
    stations: Sequence[str],
    band: tuple[float, float],
    error: float,
    rng: np.random.Generator,
    *,
    shared: float,
    of_pair: float,
) -> Points:
    """One to three nights with one to three snapshots each, as mean squared visibilities.

    Each night is a file.
    """
    position = {name: station_xyz(facility, name) for name in stations}
    pairs = list(combinations(stations, 2))
    waves = band[0] + (band[1] - band[0]) * (np.arange(_CHANNELS) + 0.5) / _CHANNELS
    rows: list[tuple[float, ...]] = []
    for night in range(int(rng.integers(1, 4))):
        day = _FIRST_NIGHT + timedelta(days=int(rng.integers(2500)))
        middle = transit(target, facility, day)
        common = shared * rng.standard_normal()
        own = of_pair * rng.standard_normal(len(pairs))
        for _ in range(int(rng.integers(1, 4))):
            mjd = middle + float(rng.uniform(-3, 3)) / 24
            for number, (one, other) in enumerate(pairs):
                u, v = uv_coordinates(position[other] - position[one], target.ra, target.dec, mjd)
                visibility = target.model.visibility(u / waves, v / waves)
                truth = float(np.square(np.abs(visibility)).mean())
                noise = error * truth + _FLOOR
                value = truth * (1 + common + own[number]) + noise * rng.standard_normal()
                rows.append((u, v, *band, value, noise, night, number, mjd, _SECONDS))
    u, v, low, high, value, noise, night_of, pair, mjd_of, seconds = np.array(rows).T
    number_of = night_of.astype(np.int64)
    return Points(
        u, v, low, high, value, noise, number_of, pair.astype(np.int64), number_of, mjd_of, seconds
    )
