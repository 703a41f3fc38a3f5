"""Geometry of interferometric observations: baselines, uv coverage, resolution, nights.

Conventions: u grows to the east and v to the north, both in metres (OIFITS: Pauls et al. 2005,
PASP 117, 1255, section 5.1), so a projected baseline of length B and position angle PA, counted
from north through east, has u = B sin PA and v = B cos PA. Longitudes are in degrees, east positive.
"""

from __future__ import annotations

import math
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ARCSEC = math.degrees(1) * 3600
"""Seconds of arc in a radian."""

FILL_CELLS = 32
"""Cells along an axis of the grid of ``uv_fill``.

The radio extension of ObsCore speaks of 1000, for observations with millions of samples. Optical
ones have ten to ten thousand: with 32, which puts 804 cells on the ellipse, a four-telescope
snapshot fills 1.5 per cent and a well-observed object half of it.
"""

_MJD_EPOCH = date(1858, 11, 17).toordinal()


def length(u: Floats, v: Floats) -> Floats:
    """Projected baseline length in m from u and v in m, any shape."""
    return np.hypot(u, v)


def position_angle(u: Floats, v: Floats) -> Floats:
    """Position angle in degrees, 0 <= PA < 360, north through east, from u and v, any shape."""
    angle = np.degrees(np.arctan2(u, v)) % 360.0
    return np.where(angle >= 360.0, 0.0, angle)  # a tiny negative angle rounds up to 360


def resolution(wavelength: float, baseline: float) -> float:
    """Angular resolution in arcsec, wavelength / (2 baseline), both in m."""
    return wavelength / (2 * baseline) * ARCSEC


def largest_scale(wavelength: float, baseline: float) -> float:
    """Largest angular scale in arcsec that the shortest baseline sees: wavelength / baseline."""
    return wavelength / baseline * ARCSEC


def field_of_view(wavelength: float, diameter: float) -> float:
    """Diameter of the field in degrees of a telescope: wavelength / diameter, both in m."""
    return math.degrees(wavelength / diameter)


def _second_moments(u: Floats, v: Floats) -> tuple[float, float, float]:
    """Second moments of the points (u, v) and (-u, -v): variances along both axes of the
    distribution, greater first, and the angle of the greater one from the u axis in radians."""
    n = u.size
    uu, vv, uv = float(u @ u) / n, float(v @ v) / n, float(u @ v) / n
    mean, half = (uu + vv) / 2, math.hypot((uu - vv) / 2, uv)
    return mean + half, max(0.0, mean - half), 0.5 * math.atan2(2 * uv, uu - vv)


def uv_eccentricity(u: Floats, v: Floats) -> float | None:
    """Eccentricity sqrt(1 - b^2/a^2) of the uv coverage; None without points.

    a and b are the standard deviations along the principal axes of the points u, v (shape (n,), m)
    and their conjugates -u, -v (ObsCore extension for visibility data, ``uv_distribution_ecc``):
    0 for a round coverage, 1 for a single direction.
    """
    if u.size == 0:
        return None
    major, minor, _ = _second_moments(u, v)
    return math.sqrt(1 - minor / major) if major > 0 else None


def uv_fill(u: Floats, v: Floats) -> float | None:
    """Filling factor of the uv coverage, 0 to 1: the part of the ellipse's cells with a sample.

    The ellipse has the principal axes of the points u, v (shape (n,), m) and their conjugates and
    is the smallest of its shape that holds them all; a grid of FILL_CELLS x FILL_CELLS cells lies
    along its axes (ObsCore extension for visibility data, ``uv_distribution_fill``). None
    when the points lie on one line, so that there is no ellipse.
    """
    if u.size == 0:
        return None
    major, minor, angle = _second_moments(u, v)
    if minor <= 1e-12 * major:
        return None
    # In units of the two standard deviations the ellipse is a circle.
    x = (u * math.cos(angle) + v * math.sin(angle)) / math.sqrt(major)
    y = (v * math.cos(angle) - u * math.sin(angle)) / math.sqrt(minor)
    radius = math.sqrt(float((x * x + y * y).max()))
    cells = set()
    for sign in (0.5, -0.5):
        column = ((sign * x / radius + 0.5) * FILL_CELLS).astype(np.int64)
        row = ((sign * y / radius + 0.5) * FILL_CELLS).astype(np.int64)
        cells.update((column.clip(0, FILL_CELLS - 1) * FILL_CELLS + row.clip(0, FILL_CELLS - 1)).tolist())
    return min(1.0, len(cells) / (math.pi / 4 * FILL_CELLS**2))


def night(mjd: Floats, longitude: float) -> Floats:
    """The night of each instant as the MJD day of the civil date of its evening, shape as ``mjd``.

    A night changes at local mean noon, from the array's longitude in degrees east; with longitude
    0 that is 12 h UT. NaN stays NaN.
    """
    return np.floor(mjd + longitude / 360.0 - 0.5)


def civil_date(day: int) -> str:
    """The Gregorian date ``YYYY-MM-DD`` of an MJD day."""
    return date.fromordinal(_MJD_EPOCH + day).isoformat()


def mjd_of_date(text: str) -> int | None:
    """The MJD day of a FITS date (``YYYY-MM-DD``, anything may follow); None if it is none."""
    try:
        return date.fromisoformat(text.strip()[:10]).toordinal() - _MJD_EPOCH
    except ValueError:
        return None


def longitude(x: float, y: float, z: float) -> float | None:
    """Longitude in degrees east, -180 to 180, of a geocentric position in m.

    The geodetic longitude equals the geocentric one. None when the position is not on the surface
    of the Earth (radius 6340 to 6395 km), as with the zeros many files have.
    """
    if not 6.34e6 <= math.sqrt(x * x + y * y + z * z) <= 6.395e6:
        return None
    return math.degrees(math.atan2(y, x))
