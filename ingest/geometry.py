"""Geometry of interferometric observations: baselines, uv coverage, resolution, nights.

Conventions: u grows to the east and v to the north, both in metres (OIFITS: Pauls et al. 2005,
PASP 117, 1255, section 5.1), so a projected baseline of length B and position angle PA, counted
from north through east, has u = B sin PA and v = B cos PA. Longitudes are in degrees, positive
towards the east.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ARCSEC = math.degrees(1) * 3600
"""Seconds of arc in a radian."""

FILL_CELLS = 32
"""Cells along an axis of the grid of ``uv_distribution``.

The radio extension of ObsCore speaks of 1000, for observations with millions of samples. Optical
ones have ten to ten thousand: with 32, which puts 804 cells on the ellipse, a four-telescope
snapshot fills 1.5 per cent and a well-observed object half of it.
"""

_MJD_EPOCH = date(1858, 11, 17).toordinal()
_J2000 = 51544.5  # MJD

Vector = tuple[float, float, float]


def length(u: Floats, v: Floats) -> Floats:
    """Projected baseline length in m from u and v in m, any shape."""
    return np.hypot(u, v)


def position_angle(u: Floats, v: Floats) -> Floats:
    """Position angle in degrees, 0 <= PA < 360, north through east, from u and v, any shape."""
    angle: Floats = np.degrees(np.arctan2(u, v)) % 360.0
    angle[angle >= 360.0] = 0.0  # to which a tiny negative angle rounds
    return angle


def resolution(wavelength: float, baseline: float) -> float:
    """Angular resolution in arcsec, wavelength / (2 baseline), both in m."""
    return wavelength / (2 * baseline) * ARCSEC


def largest_scale(wavelength: float, baseline: float) -> float:
    """Largest angular scale in arcsec that the shortest baseline sees: wavelength / baseline."""
    return wavelength / baseline * ARCSEC


def field_of_view(wavelength: float, diameter: float) -> float:
    """Diameter of the field in degrees of a telescope: wavelength / diameter, both in m."""
    return math.degrees(wavelength / diameter)


def uv_distribution(
    u: Floats, v: Floats, group: NDArray[np.int64], groups: int
) -> tuple[Floats, Floats]:
    """Eccentricity and filling factor of uv coverages (ObsCore extension for visibility data).

    ``u``, ``v`` (m) and ``group`` (0 to groups - 1) have shape (n,); the results, shape (groups,),
    belong to the points of each group together with their conjugates -u, -v.

    Eccentricity (``uv_distribution_ecc``): sqrt(1 - b^2/a^2) from the standard deviations a and b
    along the principal axes: 0 for a round coverage, 1 for a single direction; NaN without points.

    Filling factor (``uv_distribution_fill``), 0 to 1: of the smallest ellipse with these axes that
    holds all points, the part of the cells with a point; a grid of FILL_CELLS x FILL_CELLS cells
    lies along its axes. NaN when all points lie on one line, so that there is no ellipse.
    """
    count = np.bincount(group, minlength=groups)
    uu, vv, uv = (np.bincount(group, weights, groups) for weights in (u * u, v * v, u * v))
    middle, half = (uu + vv) / 2, np.hypot((uu - vv) / 2, uv)
    major, minor = middle + half, np.maximum(middle - half, 0.0)
    turn = np.arctan2(2 * uv, uu - vv) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        eccentricity = np.sqrt(1 - minor / major)
        # In units of the two standard deviations the ellipse is a circle.
        (cu, su), (cv, sv) = (
            ((np.cos(turn) / np.sqrt(axis))[group], (np.sin(turn) / np.sqrt(axis))[group])
            for axis in (major, minor)
        )
        x, y = u * cu + v * su, v * cv - u * sv
        order = group.argsort(kind="stable")
        full = count > 0
        starts = (count.cumsum() - count)[full]
        radius = np.zeros(groups)
        radius[full] = np.sqrt(np.maximum.reduceat((x * x + y * y)[order], starts))
        x, y = x / radius[group], y / radius[group]
    flat = minor <= 1e-12 * major
    inside = ~flat[group]
    if not inside.all():
        x, y, group = x[inside], y[inside], group[inside]
    # Cells of the points and, on the other side of the centre, of their conjugates.
    half_cells = FILL_CELLS / 2
    column, row = (
        np.minimum(half_cells + half_cells * np.concatenate([axis, -axis]), FILL_CELLS - 1)
        for axis in (x, y)
    )
    cell = column.astype(np.int64) * FILL_CELLS + row.astype(np.int64)
    sampled = set((np.concatenate([group, group]) * FILL_CELLS**2 + cell).tolist())
    cells = np.bincount([number // FILL_CELLS**2 for number in sampled] or [0], minlength=groups)
    fill = np.minimum(cells / (math.pi / 4 * FILL_CELLS**2), 1.0)
    return eccentricity, np.where(flat, np.nan, fill)


def night(mjd: Floats, longitude: Floats | float) -> Floats:
    """The night of each instant as the MJD day of the civil date of its evening, shape as ``mjd``.

    A night changes at local mean noon, from the array's longitude in degrees east (one for all or
    one each); with longitude 0 that is 12 h UT. NaN stays NaN.
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

    The geodetic longitude equals the geocentric one. None when the position is not near the surface
    of the Earth (radius 6300 to 6450 km: MATISSE's are 26 km too high), as with the zeros that
    many files have.
    """
    if not 6.3e6 <= math.sqrt(x * x + y * y + z * z) <= 6.45e6:
        return None
    return math.degrees(math.atan2(y, x))


def separation(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """Angle in arcsec between two positions in degrees, by the formula of haversines."""
    phi1, phi2 = math.radians(dec1), math.radians(dec2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(ra2 - ra1) / 2) ** 2
    return 2 * math.asin(min(1.0, math.sqrt(half))) * ARCSEC


def circle(ra: float, dec: float, radius: float, corners: int = 8) -> list[tuple[float, float]]:
    """Corners (right ascension, declination) of a polygon inscribed in a small circle on the sky.

    All in degrees, ICRS; north first, then through east. Solves the spherical triangle of pole,
    centre and corner (e.g. Smart 1977, Textbook on Spherical Astronomy, section 1.5).
    """
    result = []
    dec0, r = math.radians(dec), math.radians(radius)
    for corner in range(corners):
        angle = 2 * math.pi * corner / corners
        sine = math.sin(dec0) * math.cos(r) + math.cos(dec0) * math.sin(r) * math.cos(angle)
        away = math.atan2(
            math.sin(angle) * math.sin(r) * math.cos(dec0),
            math.cos(r) - math.sin(dec0) * sine,
        )
        result.append(((ra + math.degrees(away)) % 360, math.degrees(math.asin(sine))))
    return result


class View(NamedTuple):
    """An array as seen from a star: the star's altitude in degrees, and (u, v) of each station."""

    altitude: float
    stations: list[tuple[float, float]]

    def baseline(self, first: int, second: int) -> tuple[float, float]:
        """Length (m) and position angle (degrees, 0 to 360) from one station to another."""
        u = self.stations[second][0] - self.stations[first][0]
        v = self.stations[second][1] - self.stations[first][1]
        angle = math.degrees(math.atan2(u, v)) % 360.0
        return math.hypot(u, v), angle if angle < 360.0 else 0.0


def view(
    stations: Iterable[Vector], longitude: float, latitude: float, ra: float, dec: float, mjd: float
) -> View:
    """Stations as seen from a star, so that differences are projected baselines.

    ``stations``: east, north and up (m) from the array's centre at ``longitude`` (east) and
    geodetic ``latitude`` in degrees; the star at ``ra``, ``dec`` (degrees, ICRS, of the date in
    proper motion); ``mjd`` in UTC. u and v are the components along east and north at the star in
    ICRS, as OIFITS has them.

    Thompson, Moran & Swenson 2017 (Interferometry and Synthesis in Radio Astronomy), section 4.1,
    with the star's axes turned to the Earth of date, not hour angle and declination: by precession
    and nutation of IAU 2006/2000A (that of the day's noon, 0.1 arcsec) and the Earth rotation angle
    (IERS Conventions 2010, equation 5.15). UT1 is taken for UTC (14 arcsec), aberration (20
    arcsec), polar motion and refraction are left out: together below 0.05 m on 330 m. The altitude
    is without refraction.
    """
    to_date = _celestial_to_intermediate(math.floor(mjd))
    sin_ra, cos_ra = math.sin(math.radians(ra)), math.cos(math.radians(ra))
    sin_dec, cos_dec = math.sin(math.radians(dec)), math.cos(math.radians(dec))
    # Rotated by the Earth's angle and the longitude in one, x towards the local meridian.
    turn = math.radians(longitude) + math.tau * (
        (mjd % 1.0 + 0.7790572732640 - 0.5 + 0.00273781191135448 * (mjd - _J2000)) % 1.0
    )
    sin_turn, cos_turn = math.sin(turn), math.cos(turn)
    sin_lat, cos_lat = math.sin(math.radians(latitude)), math.cos(math.radians(latitude))

    def local(x: float, y: float, z: float) -> Vector:
        """East, north and up components of a vector in ICRS."""
        xi, yi, zi = (row[0] * x + row[1] * y + row[2] * z for row in to_date)
        south = xi * cos_turn + yi * sin_turn
        return (
            yi * cos_turn - xi * sin_turn,
            zi * cos_lat - south * sin_lat,
            zi * sin_lat + south * cos_lat,
        )

    east = local(-sin_ra, cos_ra, 0.0)
    north = local(-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec)
    height = local(cos_dec * cos_ra, cos_dec * sin_ra, sin_dec)[2]
    return View(
        math.degrees(math.asin(max(-1.0, min(1.0, height)))),
        [
            (
                x * east[0] + y * east[1] + z * east[2],
                x * north[0] + y * north[1] + z * north[2],
            )
            for x, y, z in stations
        ],
    )


@lru_cache(maxsize=4096)
def _celestial_to_intermediate(day: int) -> tuple[Vector, Vector, Vector]:
    import erfa

    first, second, third = erfa.c2i06a(2400000.5, day + 0.5).tolist()
    return tuple(first), tuple(second), tuple(third)


def moved(
    ra: float, dec: float, pm_ra: float, pm_dec: float, epoch: float, mjd: float
) -> tuple[float, float]:
    """Where a star is at a time: right ascension and declination in degrees, ICRS.

    ``pm_ra`` (times cos dec) and ``pm_dec`` in mas/yr, ``epoch`` of ``ra``, ``dec`` as a Julian
    year, ``mjd`` the time. Along a great circle; parallax and radial motion are left out.
    """
    years = 2000.0 + (mjd - _J2000) / 365.25 - epoch
    east, north = (math.radians(pm / 3.6e6) * years for pm in (pm_ra, pm_dec))
    sin_ra, cos_ra = math.sin(math.radians(ra)), math.cos(math.radians(ra))
    sin_dec, cos_dec = math.sin(math.radians(dec)), math.cos(math.radians(dec))
    x = cos_dec * cos_ra - sin_ra * east - sin_dec * cos_ra * north
    y = cos_dec * sin_ra + cos_ra * east - sin_dec * sin_ra * north
    z = sin_dec + cos_dec * north
    return math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.atan2(z, math.hypot(x, y)))
