"""Whether a star is as good a calibrator as it is taken for: its visibilities against its diameter.

The squared visibilities of a calibrator must be those of a disk with the diameter that a catalogue
has for it. ``judge`` compares them with three models, each averaged over the channels of a point:

- the disk that is expected, with the error of its diameter;
- the disk that fits best;
- a binary of the first disk (of several where none is expected) and a point beside it:
  V = (1-g) V1 + g exp(-2 pi i (u x + v y)), where g is the companion's part of the light.

Models of disks and binaries, and their sources, are those of ``simulate``. Errors are not
independent: what calibrates an observation is wrong by a factor that all its points share, and each
pair of stations has one of its own. So differences are weighed by the inverse of their covariance
(generalised least squares), which has these two factors beside the errors of the points; chi2 is
what that gives. How far it is from what chance makes, ``excess`` says in standard deviations
(Wilson & Hilferty 1931, PNAS 17, 684).

Raw data count once: of points that several files have of one pair of stations, time and band, only
those of the first file are used.

A star is called *binary* when no disk fits, but a binary does, and so much better that chance
cannot be the reason, although it has been looked for at thousands of positions; *resolved* when a
disk fits that is certainly larger than the expected one, and certainly fits better. All else is no
reason to doubt the star: neither visibilities that are too high, nor ones that no model fits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.simulate import MAS, Disk

Floats = NDArray[np.float64]

#: Relative errors of a calibration: what the points of an observation share, and what those of a
#: pair of stations in it share beside that.
SHARED, OF_PAIR = 0.02, 0.04
#: Error that every point has at least, whatever its file says.
LEAST_ERROR = 0.003
#: Standard deviations that are no chance.
CERTAIN = 5.0
#: By so much a binary must improve chi2.
IMPROVEMENT = 40.0
#: A disk is larger than the expected one only if it is by this part of it, too.
LARGER = 0.1
#: Points that are needed for a judgement, and for a binary.
FEW, ENOUGH = 4, 12
#: More points than this are thinned out.
MOST = 600
#: Integration time (s) that a point has at least: reductions write times that differ by seconds.
_LEAST_TIME = 10.0
#: Wavelengths that a band is averaged over.
_WAVES = 7
#: Largest separation of a binary (mas), and number of steps of the search along an axis.
_WIDEST, _STEPS = 40.0, 36
_PARTS = np.concatenate([np.linspace(0.002, 0.05, 25), np.linspace(0.055, 0.5, 90)])


@dataclass(frozen=True)
class Points:
    """Squared visibilities of a star; arrays of one shape, (n,)."""

    #: Projected baseline, m: u to the east, v to the north.
    u: Floats
    v: Floats
    #: Edges of the band that they are the mean over, m.
    em_min: Floats
    em_max: Floats
    vis2: Floats
    error: Floats
    #: Which observation they are of, and which pair of stations: any numbers.
    observation: NDArray[np.int64]
    pair: NDArray[np.int64]
    #: Number of the file that they are in; of raw data in several files, those in the file with the
    #: lowest number are used.
    file: NDArray[np.int64]
    #: Middle (MJD) and length (s) of the integration; NaN where they are not known.
    mjd: Floats
    int_time: Floats

    def take(self, which: Any) -> Points:
        """Only those that ``which`` indexes."""
        return Points(*(getattr(self, field.name)[which] for field in fields(self)))

    def __len__(self) -> int:
        return len(self.vis2)

    @property
    def waves(self) -> Floats:
        """Wavelengths in m over which a model is averaged, shape (n, _WAVES)."""
        part = (np.arange(_WAVES) + 0.5) / _WAVES
        waves: Floats = self.em_min[:, None] + (self.em_max - self.em_min)[:, None] * part
        return waves

    @property
    def frequency(self) -> Floats:
        """Spatial frequency in the middle of the band, in wavelengths."""
        frequency: Floats = np.hypot(self.u, self.v) / self.waves.mean(axis=1)
        return frequency


@dataclass(frozen=True)
class Expected:
    """Diameters of the uniform disk in mas: of each point, shape (n,), and a relative error."""

    diameter: Floats
    relative_error: float


@dataclass(frozen=True)
class Companion:
    """A point beside a star: its light over that of the star, and where it is (mas, deg)."""

    flux_ratio: float
    separation: float
    #: North through east; 180 degrees more fit as well.
    position_angle: float


@dataclass(frozen=True)
class Verdict:
    """What was found."""

    #: binary, resolved, or None for no doubt in the star.
    reason: str | None
    n_points: int
    #: chi2 of the expected disk; None without one.
    chi2_expected: float | None
    #: Best disk, mas, and its chi2; the mean over the points where diameters depend on the band.
    diameter: float
    #: None where the points do not limit it.
    diameter_error: float | None
    chi2_disk: float
    #: Best binary and its chi2; None where it was not looked for.
    companion: Companion | None
    chi2_binary: float | None
    #: Which points were used, in order, these points, and what the three models say of them.
    used: NDArray[np.int64]
    points: Points
    expected_vis2: Floats | None
    disk_vis2: Floats
    binary_vis2: Floats | None


def judge(points: Points, expected: Expected | None) -> Verdict | None:
    """Compares points with the three models; None when there are too few of them."""
    good = (
        np.isfinite(points.vis2) & np.isfinite(points.error) & (points.error > 0)
        & np.isfinite(points.u) & np.isfinite(points.v) & (np.hypot(points.u, points.v) > 0)
        & (points.em_min > 0) & (points.em_max >= points.em_min)
    )  # fmt: skip
    chosen = _once(points, np.flatnonzero(good))
    if chosen.size > MOST:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, MOST, replace=False))
    points = points.take(chosen)
    if len(points) < FEW:
        return None
    scale: Floats = np.ones(len(points))
    model: Floats | None = None
    if expected is not None:
        mean = float(np.mean(expected.diameter[chosen]))
        scale = expected.diameter[chosen] / mean
        model = disk(points, expected.diameter[chosen])
    # The factor of a calibration multiplies what is true, not what was measured with it.
    first = model if model is not None else disk(points, _best_diameter(points, scale, None))
    white = _whitening(points, first)
    diameter = _best_diameter(points, scale, white)
    fitted = disk(points, diameter * scale)
    chi2_disk = _chi2(white, points.vis2 - fitted)
    error = _diameter_error(points, scale, white, diameter)

    chi2_expected, resolved = None, False
    if expected is not None and model is not None:
        slope = _slope(points, scale, mean) * mean * expected.relative_error
        chi2_expected = _chi2(white, points.vis2 - model, slope)
        allowed = math.inf if error is None else math.hypot(error, mean * expected.relative_error)
        # The error is that near the best disk; chi2 says how far off the expected one is, too.
        resolved = (
            diameter - mean > max(CERTAIN * allowed, LARGER * mean)
            and chi2_expected - chi2_disk > CERTAIN**2
        )
    companion, chi2_binary, binary_vis2 = None, None, None
    fits = excess(chi2_disk, len(points) - 1) < CERTAIN
    if not fits and len(points) >= ENOUGH:
        if model is not None:
            stars = [model]
        else:  # the disk that fits best hides what a companion takes away
            stars = [disk(points, part * diameter * scale) for part in (0.0, 0.5, 0.8)]
        companion, chi2_binary, binary_vis2 = min(
            (_best_companion(points, white, star) for star in stars), key=lambda found: found[1]
        )
    reason = None
    if fits and resolved:
        reason = "resolved"
    elif (
        chi2_binary is not None
        and chi2_disk - chi2_binary > IMPROVEMENT
        and excess(chi2_binary, len(points) - 3) < CERTAIN  # flux ratio, and two of the place
    ):
        reason = "binary"
    return Verdict(
        reason, len(points), chi2_expected, diameter, error, chi2_disk, companion, chi2_binary,
        chosen, points, model, fitted, binary_vis2,
    )  # fmt: skip


def _once(points: Points, usable: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some points that do not repeat the raw data of a file before, in order.

    What cannot be told apart in time is the same.
    """
    half = np.fmax(points.int_time, _LEAST_TIME) / 2 / 86400
    kept: dict[tuple[int, int], list[int]] = {}
    for one in usable[np.argsort(points.file[usable], kind="stable")]:
        before = kept.setdefault((int(points.observation[one]), int(points.pair[one])), [])
        others = np.array(before, dtype=np.int64)
        apart = (
            (points.file[others] == points.file[one])
            | (np.abs(points.mjd[others] - points.mjd[one]) >= half[others] + half[one])
            | (points.em_min[others] >= points.em_max[one])
            | (points.em_max[others] <= points.em_min[one])
        )
        if apart.all():
            before.append(int(one))
    return np.sort(np.array([one for some in kept.values() for one in some], dtype=np.int64))


def excess(chi2: float, freedom: int) -> float:
    """By how many standard deviations chi2 is greater than chance would have it."""
    part = 2 / (9 * max(freedom, 1))
    return (math.cbrt(chi2 / max(freedom, 1)) - (1 - part)) / math.sqrt(part)


def disk(points: Points, diameter: Floats | float) -> Floats:
    """Squared visibility of uniform disks (mas; one, or one a point), shape (n,)."""
    # A disk of another diameter is the same disk at another spatial frequency.
    factor = np.broadcast_to(diameter, (len(points),))[:, None] / points.waves
    value: Floats = np.square(
        Disk(1.0).visibility(points.u[:, None] * factor, points.v[:, None] * factor).real
    ).mean(axis=1)
    return value


# ---------------------------------------------------------------- covariance


def _whitening(points: Points, model: Floats) -> Floats:
    """The matrix that makes differences independent with variance 1, shape (n, n).

    The inverse of the Cholesky factor of the covariance.
    """
    covariance = np.diag(np.maximum(points.error, LEAST_ERROR) ** 2)
    same = points.observation[:, None] == points.observation
    product = model[:, None] * model
    covariance += np.where(same, SHARED**2, 0.0) * product
    covariance += np.where(same & (points.pair[:, None] == points.pair), OF_PAIR**2, 0.0) * product
    white: Floats = np.linalg.inv(np.linalg.cholesky(covariance))
    return white


def _chi2(white: Floats, difference: Floats, common: Floats | None = None) -> float:
    """Sum of squares in their errors; ``common`` is what one standard deviation of an error that
    all points share changes in them (Sherman & Morrison 1950)."""
    parts = white @ difference
    total = float(parts @ parts)
    if common is not None:
        shared = white @ common
        total -= float(shared @ parts) ** 2 / (1 + float(shared @ shared))
    return total


# ---------------------------------------------------------------- fits


def _best_diameter(points: Points, scale: Floats, white: Floats | None) -> float:
    """Diameter (mas) of the disk that fits best: that of a grid, then by golden section around it.

    Without ``white`` the points are taken as independent.
    """
    if white is None:
        white = np.diag(1 / np.hypot(points.error, OF_PAIR * np.abs(points.vis2) + LEAST_ERROR))
    # Beyond the first zero on the shortest baselines nothing can be told.
    widest = 1.22 / float(points.frequency.min()) / MAS
    resolution = 1 / float(points.frequency.max()) / MAS

    def chi2(diameter: float) -> float:
        return _chi2(white, points.vis2 - disk(points, diameter * scale))

    grid = np.concatenate(
        [np.linspace(0, 2 * resolution, 80), np.linspace(2.1, 20, 60) * resolution]
    )
    grid = grid[grid <= max(widest, resolution)]
    values = [chi2(float(diameter)) for diameter in grid]
    place = int(np.argmin(values))
    low, high = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, grid.size - 1)])
    for _ in range(30):  # golden section
        width = 0.381966 * (high - low)
        if chi2(low + width) < chi2(high - width):
            high -= width
        else:
            low += width
    return (low + high) / 2


def _slope(points: Points, scale: Floats, diameter: float) -> Floats:
    """Change of the squared visibilities with the diameter, per mas."""
    step = max(1e-3 * diameter, 1e-4)
    low = max(diameter - step, 0.0)
    slope: Floats = (disk(points, (diameter + step) * scale) - disk(points, low * scale)) / (
        diameter + step - low
    )
    return slope


def _diameter_error(points: Points, scale: Floats, white: Floats, diameter: float) -> float | None:
    """Standard deviation (mas) of the diameter that fits best: where chi2 is greater by 1.

    None where no larger disk makes it so.
    """
    # Near 0 the visibility is flat in the diameter, but not in its square.
    least = _chi2(white, points.vis2 - disk(points, diameter * scale))
    step = 1e-3 * max(diameter, 1e-2)
    while step < 1e3:
        if _chi2(white, points.vis2 - disk(points, (diameter + step) * scale)) - least >= 1:
            return step
        step *= 1.1
    return None


def _best_companion(points: Points, white: Floats, star: Floats) -> tuple[Companion, float, Floats]:
    """The binary that fits best: on a grid of positions, then around the best of them.

    ``star`` is the squared visibility of the star alone. For each position chi2 is a polynomial in
    the companion's part of the light, which is tried in steps.
    """
    amplitude = np.sqrt(star)
    step = min(0.25 / float(points.frequency.max()) / MAS, _WIDEST / _STEPS)
    axis = np.arange(-_STEPS, _STEPS + 1) * step
    x, y = (a.ravel() for a in np.meshgrid(axis, axis[_STEPS:]))
    inside = (np.hypot(x, y) > 0.5 * step) & (np.hypot(x, y) <= _STEPS * step)
    x, y = x[inside], y[inside]
    best = (math.inf, 0.0, 0.0, 0.0)
    for turn in range(4):
        found = _search(points, white, star, amplitude, x, y)
        best = min(best, found)
        step /= 1 if turn == 0 else 4
        fine = np.linspace(-step, step, 9)
        x, y = (a.ravel() for a in np.meshgrid(best[1] + fine, best[2] + fine))
    chi2, east, north, part = best
    companion = Companion(
        part / (1 - part), math.hypot(east, north), math.degrees(math.atan2(east, north)) % 360
    )
    beat = _beat(points, np.array([east]), np.array([north]))[0]
    model = (1 - part) ** 2 * star + part**2 + 2 * part * (1 - part) * amplitude * beat
    return companion, chi2, model


def _search(
    points: Points, white: Floats, star: Floats, amplitude: Floats, x: Floats, y: Floats
) -> tuple[float, float, float, float]:
    """Least chi2 among positions (mas), with the position and the companion's part of the light."""
    parts = _PARTS
    # Differences without the beat, one row for each part: (parts, n).
    rest = (points.vis2 - (1 - parts[:, None]) ** 2 * star - parts[:, None] ** 2) @ white.T
    factor = 2 * parts * (1 - parts)
    square = (rest**2).sum(axis=1)
    best = (math.inf, 0.0, 0.0, 0.0)
    for begin in range(0, x.size, 500):
        some = slice(begin, begin + 500)
        beat = (amplitude * _beat(points, x[some], y[some])) @ white.T
        chi2 = (
            square - 2 * factor * (beat @ rest.T)
            + factor**2 * (beat**2).sum(axis=1)[:, None]
        )  # fmt: skip
        where, which = np.unravel_index(int(np.argmin(chi2)), chi2.shape)
        candidate = (
            float(chi2[where, which]), float(x[some][where]), float(y[some][where]),
            float(parts[which]),
        )  # fmt: skip
        best = min(best, candidate)
    return best


def _beat(points: Points, x: Floats, y: Floats) -> Floats:
    """Cosine of the phase between star and companions at positions (mas), shape (positions, n)."""
    path = (np.outer(x, points.u) + np.outer(y, points.v)) * (2 * math.pi * MAS)
    beat: Floats = np.cos(path[:, :, None] / points.waves).mean(axis=2)
    return beat
