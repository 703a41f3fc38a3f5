"""Bad calibrators are found among simulated ones, and good ones are left alone."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ingest import calibrators, plots, simulate_calibrators
from ingest.calibrators import Expected, Points, Verdict
from ingest.simulate import MAS, Binary, Disk, Model, Target
from ingest.simulate_calibrators import Case, observe
from ingest.vocabulary import load


def points(model: Model, *, shared: float = 0.0, of_pair: float = 0.0, seed: int = 5) -> Points:
    """What PIONIER would see of a star, without errors of calibration unless they are asked for."""
    facility = load().facility("VLTI")
    assert facility is not None
    rng = np.random.default_rng(seed)
    target = Target("SIM", 120.0, -30.0, model, "CAL")
    return observe(
        target, facility, ("A0", "G1", "J2", "J3"), (1.5e-6, 1.78e-6), 0.02, rng,
        shared=shared, of_pair=of_pair,
    )  # fmt: skip


def judge(
    model: Model, expected: float | None, *, shared: float = 0.0, of_pair: float = 0.0
) -> Verdict:
    found = points(model, shared=shared, of_pair=of_pair)
    known = None if expected is None else Expected(np.full(len(found), expected), 0.03)
    verdict = calibrators.judge(found, known)
    assert verdict is not None
    return verdict


def test_the_visibility_of_a_disk_is_that_of_its_image() -> None:
    """By adding up the light of a disk, cell by cell and wavelength by wavelength."""
    some = points(Disk(1.0)).take(slice(0, 6))
    diameter = 2.5
    side = (np.arange(400) + 0.5) / 400 - 0.5
    x, y = np.meshgrid(side, side)
    disk = np.hypot(x, y) <= 0.5
    x, y = x[disk] * diameter * MAS, y[disk] * diameter * MAS
    for number, value in enumerate(calibrators.disk(some, diameter)):
        low, high = some.em_min[number], some.em_max[number]
        waves = np.linspace(low, high, 15)[1::2]
        seen = [
            abs(np.exp(-2j * math.pi * (some.u[number] * x + some.v[number] * y) / wave).mean())
            for wave in waves
        ]
        assert value == pytest.approx(float(np.mean(np.square(seen))), abs=2e-3)


@pytest.mark.parametrize(
    ("chi2", "freedom", "deviations"),
    [(23.209, 10, 2.326), (9.342, 10, 0.0), (2.558, 10, -2.326), (149.449, 100, 3.090),
     (31.264, 11, 3.090)],
)  # fmt: skip
def test_excess_is_that_of_the_tables_of_chi2(chi2: float, freedom: int, deviations: float) -> None:
    assert calibrators.excess(chi2, freedom) == pytest.approx(deviations, abs=0.03)


def test_a_good_calibrator_is_left_alone() -> None:
    for expected in (0.6, None):
        verdict = judge(Disk(0.6), expected)
        assert verdict.reason is None
        assert verdict.diameter_error is not None
        assert abs(verdict.diameter - 0.6) < 4 * verdict.diameter_error
    assert judge(Disk(0.6), 0.6).chi2_expected is not None
    assert judge(Disk(0.6), None).chi2_expected is None


def test_a_binary_is_recognised_with_its_companion() -> None:
    for expected in (0.5, None):
        model = Binary(Disk(0.5), Disk(0.1), 0.2, 4.0, -3.0)
        verdict = judge(model, expected, shared=0.01, of_pair=0.02)
        assert verdict.reason == "binary"
        assert verdict.companion is not None
        assert verdict.companion.separation == pytest.approx(5.0, abs=0.15)
        assert verdict.companion.flux_ratio == pytest.approx(0.2, abs=0.04)
        # atan2(4, -3) is 126.87 degrees; squared visibilities do not know it from the opposite one.
        assert verdict.companion.position_angle % 180 == pytest.approx(126.87, abs=2)
        assert verdict.chi2_binary is not None
        assert verdict.chi2_binary < 3 * verdict.n_points < verdict.chi2_disk


def test_a_larger_star_is_resolved_and_measured() -> None:
    verdict = judge(Disk(1.6), 0.8, shared=0.01, of_pair=0.02)
    assert verdict.reason == "resolved"
    assert verdict.diameter_error is not None
    assert abs(verdict.diameter - 1.6) < 4 * verdict.diameter_error < 0.3
    assert judge(Disk(1.6), None).reason is None  # who knows how large it should be


def test_a_smaller_star_is_no_bad_calibrator() -> None:
    assert judge(Disk(0.4), 0.9).reason is None


def test_what_nothing_fits_is_no_binary() -> None:
    """Visibilities that scatter much more than is thought: a binary fits them better, not well."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        found = points(Disk(0.5), seed=seed)
        scattered = replace(found, vis2=found.vis2 * (1 + 0.3 * rng.standard_normal(len(found))))
        verdict = calibrators.judge(scattered, Expected(np.full(len(found), 0.5), 0.03))
        assert verdict is not None
        assert verdict.chi2_binary is not None
        assert verdict.chi2_disk - verdict.chi2_binary > calibrators.IMPROVEMENT
        assert verdict.reason is None


def test_a_larger_disk_fits_certainly_better_than_the_expected_one() -> None:
    """Its diameter may be 5 of its errors away from the expected one, where chi2 says 4."""
    better = []
    for case in simulate_calibrators.population(24, seed=346, kinds=("resolved",)):
        verdict = calibrators.judge(case.points, case.expected)
        assert verdict is not None
        if verdict.reason == "resolved":
            assert verdict.chi2_expected is not None
            better.append(verdict.chi2_expected - verdict.chi2_disk)
    assert len(better) >= 12
    assert min(better) > calibrators.CERTAIN**2


def test_errors_of_diameters_are_as_large_as_the_scatter() -> None:
    pulls = []
    for seed in range(24):
        found = points(Disk(1.0), shared=calibrators.SHARED, of_pair=calibrators.OF_PAIR, seed=seed)
        verdict = calibrators.judge(found, Expected(np.full(len(found), 1.0), 0.02))
        assert verdict is not None
        assert verdict.diameter_error is not None
        pulls.append((verdict.diameter - 1.0) / verdict.diameter_error)
    assert 0.6 < float(np.std(pulls)) < 1.5
    assert abs(float(np.mean(pulls))) < 0.75


def test_what_cannot_be_used_is_left_out() -> None:
    found = points(Disk(0.5))
    broken = replace(
        found,
        vis2=np.where(np.arange(len(found)) == 0, np.nan, found.vis2),
        error=np.where(np.arange(len(found)) == 1, 0.0, found.error),
        em_min=np.where(np.arange(len(found)) == 2, np.nan, found.em_min),
        u=np.where(np.arange(len(found)) == 3, 0.0, found.u),
        v=np.where(np.arange(len(found)) == 3, 0.0, found.v),
    )
    expected = Expected(np.full(len(found), 0.5), 0.03)
    verdict = calibrators.judge(broken, expected)
    assert verdict is not None
    assert verdict.n_points == len(found) - 4
    assert verdict.used.tolist() == list(range(4, len(found)))
    # Without a baseline nothing is known of a star.
    nothing = replace(found, u=np.zeros(len(found)), v=np.zeros(len(found)))
    assert calibrators.judge(nothing, expected) is None
    assert calibrators.judge(found.take(slice(0, 3)), None) is None
    many = found.take(np.tile(np.arange(len(found)), 60))
    verdict = calibrators.judge(many, None)
    assert verdict is not None
    assert verdict.n_points == min(len(many), calibrators.MOST)


def two_files(found: Points, **changes: Any) -> Points:
    """Points, and the same ones in another file, with something changed."""
    both = found.take(np.tile(np.arange(len(found)), 2))
    second = np.arange(len(both)) >= len(found)
    for name, change in {"file": lambda file: file + 100, **changes}.items():
        values = getattr(both, name)
        both = replace(both, **{name: np.where(second, change(values), values)})
    return both


def test_raw_data_in_two_files_count_once() -> None:
    found = points(Disk(0.5))
    expected = Expected(np.full(2 * len(found), 0.5), 0.03)
    for changes, times in (
        ({}, 1),
        ({"mjd": lambda mjd: mjd + 5 / 86400}, 1),  # a reduction that takes another middle
        ({"mjd": lambda mjd: mjd * np.nan}, 1),  # nobody knows that they are others
        ({"em_max": lambda wave: wave + 1e-7}, 1),
        ({"mjd": lambda mjd: mjd + 61 / 86400}, 2),
        ({"em_min": lambda wave: wave + 5e-7, "em_max": lambda wave: wave + 5e-7}, 2),
        ({"pair": lambda pair: pair + 100}, 2),
        ({"file": lambda file: file}, 2),  # two polarisations
    ):
        both = two_files(found, **changes)
        verdict = calibrators.judge(both, expected)
        assert verdict is not None
        assert verdict.n_points == times * len(found), changes
    # It is the file with the lowest number that is used, wherever it stands.
    verdict = calibrators.judge(two_files(found, file=lambda file: file - 100), expected)
    assert verdict is not None
    assert verdict.used.tolist() == list(range(len(found), 2 * len(found)))


def test_a_diameter_that_nothing_limits_has_no_error() -> None:
    found = points(Disk(0.5))
    blurred = replace(found, error=np.full(len(found), 100.0))
    verdict = calibrators.judge(blurred, Expected(np.full(len(found), 0.5), 0.03))
    assert verdict is not None
    assert verdict.diameter_error is None
    assert verdict.reason is None


@pytest.fixture(scope="module")
def judged() -> list[tuple[Case, Verdict]]:
    found = []
    for case in simulate_calibrators.population(40, seed=7):
        verdict = calibrators.judge(case.points, case.expected)
        assert verdict is not None
        found.append((case, verdict))
    return found


def test_most_bad_calibrators_are_found_and_no_good_one(
    judged: list[tuple[Case, Verdict]],
) -> None:
    counts = Counter((case.kind, verdict.reason is not None) for case, verdict in judged)
    assert counts["good", True] == 0
    assert counts["good", False] == 24
    assert counts["binary", True] >= 5
    assert counts["resolved", True] >= 3


def test_companions_that_give_much_light_are_not_overlooked(
    judged: list[tuple[Case, Verdict]],
) -> None:
    bright = [
        (case, verdict)
        for case, verdict in judged
        if isinstance(case.model, Binary) and case.model.flux_ratio > 0.1
        and len(case.points) >= calibrators.ENOUGH
    ]  # fmt: skip
    assert len(bright) >= 2
    assert all(verdict.reason is not None for _, verdict in bright)


def test_a_picture_is_drawn_of_what_was_compared() -> None:
    for model, expected in ((Binary(Disk(0.5), Disk(0.1), 0.2, 4.0, -3.0), None), (Disk(1.6), 0.8)):
        verdict = judge(model, expected)
        png = plots.draw_calibrator(verdict, "SIM $x^2$", "PIONIER", "36 points")
        assert png.startswith(b"\x89PNG")
        assert len(png) < 100_000
