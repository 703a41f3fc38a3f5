"""Simulates optical interferometry: OIFITS files from physics, with the truth beside them.

A model of a star has an analytic complex visibility; stations with surveyed positions and the
rotation of the Earth give uv coordinates; an instrument's set-up gives channels and errors. The
files serve the demonstration and the tests: whatever a reader says of them can be compared with
what was put in. All stars are invented.

    vlti = load().facility("VLTI")
    star = Target("SIM UD 1", 110.5, -25.2, Disk(1.8))
    mjd = transit(star, vlti, date(2019, 2, 3))
    hdus = simulate(vlti, [PIONIER_GRISM], [Exposure(star, ("A0", "G1", "J2", "J3"), mjd)])
    write(Path("star.fits"), hdus)

``simulate`` returns astropy's HDUList, so a test that needs a faulty file edits it before writing.

Conventions (OIFITS 1: Pauls et al. 2005, PASP 117, 1255, "P05"; OIFITS 2: Duvert, Young & Hummel
2017, A&A 597, A8, "D17"): u grows to the east and v to the north, of the vector from the first to
the second station (which is what the pipelines of PIONIER, GRAVITY, MATISSE, AMBER and MIRC write;
MIRC-X's counts the other way); a brightness distribution I(x, y), x to the east and y to the north
in radians, has the complex visibility integral I exp(-2 pi i (u x + v y)) / integral I.

Left out: bandwidth and time smearing, calibration errors, UT1 - UTC (below 0.9 s, 2 cm on 300 m),
polar motion and aberration.
"""

from __future__ import annotations

import gzip
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ingest.vocabulary import Facility, load

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

MAS = math.radians(1.0) / 3.6e6
ARCSEC = math.radians(1.0) / 3600.0
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_DATE = "2026-01-01"  # of all files, so that the same call writes the same bytes


# ---------------------------------------------------------------- models of stars


@dataclass(frozen=True)
class Disk:
    """A star: diameter in mas and the coefficient of linear limb darkening (0: uniform)."""

    diameter: float
    limb_darkening: float = 0.0

    def visibility(self, u: Floats, v: Floats) -> Complexes:
        """Complex visibility at spatial frequencies u, v (cycles per radian, any shape).

        Hanbury Brown et al. 1974, MNRAS 167, 475, equation 4; uniform disk: 2 J1(x)/x.
        """
        x = math.pi * self.diameter * MAS * np.hypot(u, v)
        small = x < 1e-3
        safe = np.where(small, 1.0, x)
        uniform = np.where(small, 0.5 - x**2 / 16, _bessel_j1(safe) / safe)
        darkened = np.where(
            small, 1 / 3 - x**2 / 30, (np.sin(safe) - safe * np.cos(safe)) / safe**3
        )
        a = self.limb_darkening
        visibility = ((1 - a) * uniform + a * darkened) / ((1 - a) / 2 + a / 3)
        return visibility.astype(np.complex128)


@dataclass(frozen=True)
class Binary:
    """Two stars; positions count from the primary.

    The secondary has ``flux_ratio`` times its light and lies ``east`` and ``north`` of it (mas).
    """

    primary: Disk
    secondary: Disk
    flux_ratio: float
    east: float
    north: float

    def visibility(self, u: Floats, v: Floats) -> Complexes:
        """Complex visibility at spatial frequencies u, v (cycles per radian, any shape)."""
        shift = np.exp(-2j * math.pi * MAS * (u * self.east + v * self.north))
        second = self.flux_ratio * shift * self.secondary.visibility(u, v)
        result: Complexes = (self.primary.visibility(u, v) + second) / (1 + self.flux_ratio)
        return result


Model = Disk | Binary


def _bessel_j1(x: Floats) -> Floats:
    """Bessel function J1 by its integral over a period.

    Abramowitz & Stegun 9.1.21 with the midpoint rule, which is exact to rounding for periodic
    integrands once there are more nodes than oscillations.
    """
    nodes = 24 + math.ceil(0.6 * float(np.max(x, initial=0.0)))
    total = np.zeros_like(x)
    for angle in (np.arange(nodes) + 0.5) * math.pi / nodes:
        total += np.cos(angle - x * math.sin(angle))
    return total / nodes


# ---------------------------------------------------------------- what is observed and how


@dataclass(frozen=True)
class Target:
    """A star: ICRS position in degrees, model, and OI_TARGET.CATEGORY."""

    name: str
    ra: float
    dec: float
    model: Model
    category: Literal["SCI", "CAL"] = "SCI"


@dataclass(frozen=True)
class Setup:
    """An instrument's set-up: one OI_WAVELENGTH table and the data that go with it.

    ``insname`` is what the file says, ``instrument`` and ``mode`` what it means (None: cannot
    be told from the file). Wavelengths and bandwidths in metres. ``flux`` is CALSTAT of OI_FLUX,
    None for no such table. Errors: of |V| squared relative plus ``vis2_floor``, of phases in
    degrees. ``flagged`` channels are flagged in all tables and hold NaN.
    """

    insname: str
    instrument: str
    mode: str | None
    wavelengths: tuple[float, ...]
    bandwidths: tuple[float, ...]
    vis: bool = False
    vis2: bool = True
    t3: bool = True
    flux: Literal["C", "U"] | None = None
    vis2_error: float = 0.02
    vis2_floor: float = 0.002
    phase_error: float = 0.5
    flagged: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.wavelengths) != len(self.bandwidths):
            raise ValueError(f"{self.insname}: as many wavelengths as bandwidths, please")

    @property
    def band(self) -> tuple[float, float]:
        """Edges (m) of the channels that are not flagged, as the float32 of the file has them."""
        wave, width = (
            np.delete(np.array(x, dtype=np.float32).astype(float), list(self.flagged))
            for x in (self.wavelengths, self.bandwidths)
        )
        return float((wave - width / 2).min()), float((wave + width / 2).max())


@dataclass(frozen=True)
class Exposure:
    """One integration on a target: stations by name, middle (MJD, UTC), length in seconds."""

    target: Target
    stations: tuple[str, ...]
    mjd: float
    int_time: float = 60.0


def channels(first: float, last: float, number: int) -> tuple[float, ...]:
    """Evenly spaced wavelengths (m) from micrometres."""
    return tuple(float(x) for x in np.linspace(first, last, number) * 1e-6)


def setup(
    insname: str,
    instrument: str,
    mode: str | None,
    wavelengths: tuple[float, ...],
    resolving_power: float,
) -> Setup:
    """A set-up whose bandwidths are wavelength / resolving power; refine it with ``replace``."""
    bandwidths = tuple(wave / resolving_power for wave in wavelengths)
    return Setup(insname, instrument, mode, wavelengths, bandwidths)


# INSNAMEs, channels and resolving powers as these instruments' own files have them.
PIONIER_GRISM = setup(
    "PIONIER_Pnat(1.5180295/1.7625230)", "PIONIER", "GRISM-H", channels(1.518, 1.7625, 6), 34
)
PIONIER_SMALL = setup(
    "PIONIER_Pnat(1.5884629/1.7604805)", "PIONIER", "SMALL-H", channels(1.5885, 1.7605, 3), 18
)
GRAVITY_MEDIUM = replace(
    setup("GRAVITY_SC", "GRAVITY", "MEDIUM-COMBINED", channels(1.97, 2.48, 233), 506),
    vis=True,
    flux="U",
)
GRAVITY_SPLIT = tuple(
    replace(
        setup(f"GRAVITY_SC_{p}", "GRAVITY", "LOW-SPLIT", channels(2.0, 2.481, 14), 19), vis=True
    )
    for p in ("P1", "P2")
)
GRAVITY_FT = replace(
    setup("GRAVITY_FT", "GRAVITY_FT", "LOW", channels(2.001, 2.385, 6), 26), vis=True
)
MATISSE_LM = replace(
    setup("MATISSE", "MATISSE_LM", "SI_PHOT_LM_LOW", channels(2.877, 5.212, 118), 210),
    vis=True,
    flux="C",
    vis2_error=0.04,
    phase_error=1.5,
    flagged=(0, 1, *range(64, 82), 117),  # edges, and the sky between L and M
)
MATISSE_N = replace(
    setup("MATISSE", "MATISSE_N", "HIGH_SENS_N_LOW", channels(7.905, 13.031, 121), 256),
    vis2_error=0.06,
    phase_error=3.0,
)
AMBER_LOW = replace(
    setup("AMBER", "AMBER", "Low_JHK", channels(2.008, 2.502, 16), 68), vis2_error=0.05
)
MIRC_LOW = setup("H_PRISM", "MIRC", "Low_H", channels(1.489, 1.736, 8), 46)
MIRCX_LOW = setup("MIRCX", "MIRCX", "Low_H", channels(1.507, 1.72, 8), 54)
MYSTIC_LOW = setup("MYSTIC", "MYSTIC", "Low_K", channels(1.98, 2.38, 10), 49)
MYSTIC_MEDIUM = setup("MIRCX", "MYSTIC", "Med_K", channels(1.97, 2.4, 59), 290)
SPICA_LOW = setup("SPICA_0.60249-0.89749-60ch", "SPICA", "LR", channels(0.60249, 0.89749, 60), 150)
CLASSIC_K = replace(
    setup("CLASSIC", "CLASSIC", "K-Prime", channels(2.135, 2.135, 1), 6.1), t3=False
)


# ---------------------------------------------------------------- stations and the rotating Earth


def array_centre(facility: Facility) -> Floats:
    """Geocentric position (m, WGS 84) of an array's reference point, shape (3,)."""
    longitude, latitude, altitude = _site(facility)
    flattening = 1 / 298.257223563
    e2 = flattening * (2 - flattening)
    normal = 6378137.0 / math.sqrt(1 - e2 * math.sin(latitude) ** 2)
    return np.array(
        [
            (normal + altitude) * math.cos(latitude) * math.cos(longitude),
            (normal + altitude) * math.cos(latitude) * math.sin(longitude),
            (normal * (1 - e2) + altitude) * math.sin(latitude),
        ]
    )


def station_xyz(facility: Facility, station: str) -> Floats:
    """Position (m) of a station from the array's centre along the geocentric axes, shape (3,).

    That is STAXYZ of an OI_ARRAY whose FRAME is GEOCENTRIC (P05 6.1). From east, north, up:
    Thompson, Moran & Swenson, Interferometry and Synthesis in Radio Astronomy, section 4.1,
    turned from the local meridian to that of Greenwich.
    """
    longitude, latitude, _ = _site(facility)
    place = facility.stations[station]
    to_meridian = place.up * math.cos(latitude) - place.north * math.sin(latitude)
    to_pole = place.up * math.sin(latitude) + place.north * math.cos(latitude)
    return np.array(
        [
            to_meridian * math.cos(longitude) - place.east * math.sin(longitude),
            to_meridian * math.sin(longitude) + place.east * math.cos(longitude),
            to_pole,
        ]
    )


def uv_coordinates(baseline: Floats, ra: float, dec: float, mjd: float) -> tuple[float, float]:
    """Coordinates u, v (m) of a geocentric baseline (m, shape (3,)) for an ICRS place (degrees).

    The baseline is turned by the Earth rotation angle, then from the celestial intermediate pole to
    the ICRS (IERS Conventions 2010, equations 5.14 and 5.10), then projected (Thompson, Moran &
    Swenson, equation 4.1, with the hour angle replaced by the right ascension of the turned frame).
    The pole is good to 0.2 arcsec, 0.3 mm on 300 m, between 1980 and 2050.
    """
    days = mjd - 51544.5
    turned = 2 * math.pi * (0.7790572732640 + 1.00273781191135448 * days)
    x, y, z = baseline
    x, y = (
        x * math.cos(turned) - y * math.sin(turned),
        x * math.sin(turned) + y * math.cos(turned),
    )
    pole_x, pole_y = _celestial_pole(days / 36525)
    a = 0.5  # 1 / (1 + cos d) for the small angle d of the pole
    x, y, z = (
        (1 - a * pole_x**2) * x - a * pole_x * pole_y * y + pole_x * z,
        -a * pole_x * pole_y * x + (1 - a * pole_y**2) * y + pole_y * z,
        -pole_x * x - pole_y * y + (1 - a * (pole_x**2 + pole_y**2)) * z,
    )
    alpha, delta = math.radians(ra), math.radians(dec)
    u = -math.sin(alpha) * x + math.cos(alpha) * y
    towards = math.cos(alpha) * x + math.sin(alpha) * y
    return float(u), float(math.cos(delta) * z - math.sin(delta) * towards)


def _celestial_pole(t: float) -> tuple[float, float]:
    """X and Y (radians) of the celestial intermediate pole, t centuries after J2000.

    Precession and bias of IAU 2006 with the two greatest terms of nutation: Capitaine & Wallace
    2008, A&A 478, 277.
    """
    node = math.radians(125.04455501 - 1934.136261 * t)
    twice_sun = 2 * math.radians(280.46646 + 36000.76983 * t)
    x = -0.016617 + 2004.191898 * t - 0.429783 * t**2 - 0.198618 * t**3
    y = -0.006951 - 0.025896 * t - 22.407275 * t**2
    x += -6.844318 * math.sin(node) - 0.523908 * math.sin(twice_sun)
    y += 9.205236 * math.cos(node) + 0.573033 * math.cos(twice_sun)
    return x * ARCSEC, y * ARCSEC


def transit(target: Target, facility: Facility, night: date) -> float:
    """MJD at which a target is highest in a night (named by its evening), to a few minutes."""
    longitude, _, _ = _site(facility)
    evening = (night - _MJD_EPOCH.date()).days - longitude / (2 * math.pi) + 0.5  # mean noon
    sidereal = 280.46061837 + 360.98564736629 * (evening - 51544.5) + math.degrees(longitude)
    return evening + ((target.ra - sidereal) % 360.0) / 360.98564736629


def around_transit(
    facility: Facility,
    target: Target,
    night: date,
    hours: Sequence[float],
    stations: tuple[str, ...],
    int_time: float = 60.0,
) -> list[Exposure]:
    """Exposures at some hours from the transit of a target."""
    middle = transit(target, facility, night)
    return [Exposure(target, stations, middle + hour / 24, int_time) for hour in hours]


def night_of(mjd: float, facility: Facility) -> date:
    """The night of an instant: it changes at local mean noon, its name is that of its evening."""
    longitude, _, _ = _site(facility)
    day = math.floor(mjd + longitude / (2 * math.pi) - 0.5)
    return _MJD_EPOCH.date() + timedelta(days=day)


def _site(facility: Facility) -> tuple[float, float, float]:
    """Longitude and latitude (radians) and altitude (m)."""
    if facility.longitude is None or facility.latitude is None or facility.altitude is None:
        raise ValueError(f"{facility.name} has no place on Earth")
    return math.radians(facility.longitude), math.radians(facility.latitude), facility.altitude


# ---------------------------------------------------------------- files


def simulate(
    facility: Facility,
    setups: Sequence[Setup],
    exposures: Sequence[Exposure],
    *,
    version: Literal[1, 2] = 2,
    seed: int = 0,
    header: Mapping[str, str | float | int] | None = None,
    correlation: float = 0.0,
    polarisation: bool = False,
) -> fits.HDUList:
    """An OIFITS file of version 1 or 2: every exposure with every set-up.

    Noise is normal and follows from ``seed``. ``header`` adds to the primary header or
    replaces in it ("ESO ..." become HIERARCH cards). With ``correlation`` (0 to 0.5) the noise of
    neighbouring channels of |V| squared is correlated so much and OI_CORR says so; with
    ``polarisation`` there is an OI_INSPOL of Jones matrices. Both are of OIFITS 2 only.
    """
    if version == 1 and (correlation or polarisation or any(s.flux for s in setups)):
        raise ValueError("OIFITS 1 has no OI_CORR, OI_INSPOL and OI_FLUX")
    return _Writer(facility, setups, exposures, version, seed, correlation).hdus(
        header or {}, polarisation
    )


def write(path: Path, hdus: fits.HDUList) -> None:
    """Writes a file, with gzip if its name ends so; the same HDUs give the same bytes."""
    buffer = io.BytesIO()
    hdus.writeto(buffer, output_verify="exception")
    content = buffer.getvalue()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    path.write_bytes(content)


class _Writer:
    """Makes the tables of one file."""

    def __init__(
        self,
        facility: Facility,
        setups: Sequence[Setup],
        exposures: Sequence[Exposure],
        version: int,
        seed: int,
        correlation: float,
    ) -> None:
        self.facility = facility
        self.setups = setups
        self.exposures = sorted(exposures, key=lambda exposure: exposure.mjd)
        self.version = version
        self.rng = np.random.default_rng(seed)
        self.correlation = correlation
        self.correlated = 0  # data that OI_CORR speaks of so far
        self.targets = list(dict.fromkeys(e.target for e in self.exposures))
        names = sorted({station for e in self.exposures for station in e.stations})
        self.station_index = {name: number for number, name in enumerate(names, start=1)}
        self.position = {name: station_xyz(facility, name) for name in names}
        self.start = _MJD_EPOCH + timedelta(days=self.exposures[0].mjd)

    def hdus(self, header: Mapping[str, str | float | int], polarisation: bool) -> fits.HDUList:
        tables = [self._target(), self._array()]
        tables += [self._wavelength(setup) for setup in self.setups]
        data: list[fits.BinTableHDU] = []
        for instrument_setup in self.setups:
            if instrument_setup.vis:
                data.append(self._vis(instrument_setup))
            if instrument_setup.vis2:
                data.append(self._vis2(instrument_setup))
            if instrument_setup.t3 and any(len(e.stations) > 2 for e in self.exposures):
                data.append(self._t3(instrument_setup))
            if instrument_setup.flux:
                data.append(self._flux(instrument_setup))
        if self.correlation:
            tables.append(self._corr())
        if polarisation:
            tables += [self._inspol(setup) for setup in self.setups]
        seen: dict[str, int] = {}
        for table in (*tables, *data):
            seen[table.name] = seen.get(table.name, 0) + 1
            table.header["EXTVER"] = seen[table.name]
        return fits.HDUList([self._primary(header), *tables, *data])

    def _primary(self, extra: Mapping[str, str | float | int]) -> fits.PrimaryHDU:
        primary = fits.PrimaryHDU()
        cards: dict[str, str | float | int] = {}
        if self.version == 2:
            # D17 table 2
            cards = {
                "ORIGIN": "simulation",
                "DATE": _DATE,
                "DATE-OBS": self.start.strftime("%Y-%m-%d"),
                "CONTENT": "OIFITS2",
                "TELESCOP": self.facility.name,
                "INSTRUME": _one([setup.instrument for setup in self.setups]),
                "OBSERVER": "simulator",
                "OBJECT": _one([target.name for target in self.targets]),
                "INSMODE": _one([setup.mode or "unknown" for setup in self.setups]),
            }
        for key, value in (cards | dict(extra)).items():
            primary.header[f"HIERARCH {key}" if " " in key else key] = value
        return primary

    def _target(self) -> fits.BinTableHDU:
        n = len(self.targets)
        zeros = np.zeros(n)
        # 16 characters satisfy every reading of the standards; longer names want OIFITS 2 as
        # maintained (arXiv:1510.04556v5)
        width = 16 if all(len(t.name) <= 16 for t in self.targets) else 32
        if width > 16 and self.version == 1:
            raise ValueError("target names of OIFITS 1 have at most 16 characters")
        columns = [
            fits.Column("TARGET_ID", "I", array=np.arange(1, n + 1)),
            fits.Column("TARGET", f"{width}A", array=[t.name for t in self.targets]),
            fits.Column("RAEP0", "D", "deg", array=[t.ra for t in self.targets]),
            fits.Column("DECEP0", "D", "deg", array=[t.dec for t in self.targets]),
            fits.Column("EQUINOX", "E", "yr", array=zeros + 2000),
            fits.Column("RA_ERR", "D", "deg", array=zeros),
            fits.Column("DEC_ERR", "D", "deg", array=zeros),
            fits.Column("SYSVEL", "D", "m/s", array=zeros),
            fits.Column("VELTYP", "8A", array=["HELIOCEN"] * n),
            fits.Column("VELDEF", "8A", array=["OPTICAL"] * n),
            fits.Column("PMRA", "D", "deg/yr", array=zeros),
            fits.Column("PMDEC", "D", "deg/yr", array=zeros),
            fits.Column("PMRA_ERR", "D", "deg/yr", array=zeros),
            fits.Column("PMDEC_ERR", "D", "deg/yr", array=zeros),
            fits.Column("PARALLAX", "E", "deg", array=zeros),
            fits.Column("PARA_ERR", "E", "deg", array=zeros),
            fits.Column("SPECTYP", f"{width}A", array=["UNKNOWN"] * n),
        ]
        if self.version == 2:
            columns.append(fits.Column("CATEGORY", "3A", array=[t.category for t in self.targets]))
        return self._table("OI_TARGET", columns, {})

    def _array(self) -> fits.BinTableHDU:
        names = list(self.station_index)
        diameters = [self.facility.diameter(name) for name in names]
        columns = [
            fits.Column("TEL_NAME", "16A", array=names),
            fits.Column("STA_NAME", "16A", array=names),
            fits.Column("STA_INDEX", "I", array=list(self.station_index.values())),
            fits.Column("DIAMETER", "E", "m", array=diameters),
            fits.Column("STAXYZ", "3D", "m", array=np.array(list(self.position.values()))),
        ]
        if self.version == 2:
            longest = max(wave for setup in self.setups for wave in setup.wavelengths)
            fov = [longest / diameter / ARCSEC for diameter in diameters if diameter]
            columns += [
                fits.Column("FOV", "D", "arcsec", array=fov),
                fits.Column("FOVTYPE", "6A", array=["FWHM"] * len(names)),
            ]
        centre = array_centre(self.facility)
        keywords = dict(zip(("ARRAYX", "ARRAYY", "ARRAYZ"), map(float, centre), strict=True))
        return self._table(
            "OI_ARRAY", columns, {"ARRNAME": self.facility.name, "FRAME": "GEOCENTRIC", **keywords}
        )

    def _wavelength(self, setup: Setup) -> fits.BinTableHDU:
        columns = [
            fits.Column("EFF_WAVE", "E", "m", array=np.array(setup.wavelengths)),
            fits.Column("EFF_BAND", "E", "m", array=np.array(setup.bandwidths)),
        ]
        return self._table("OI_WAVELENGTH", columns, {"INSNAME": setup.insname})

    def _vis(self, setup: Setup) -> fits.BinTableHDU:
        rows = [(e, pair) for e in self.exposures for pair in combinations(e.stations, 2)]
        uv = np.array([self._uv(e, *pair) for e, pair in rows])
        truth = self._visibility(setup, [e for e, _ in rows], uv)
        amplitude_error = 0.5 * setup.vis2_error * np.abs(truth) + setup.vis2_floor
        phase_error = np.full(truth.shape, setup.phase_error)
        columns = [
            *self._times([e for e, _ in rows]),
            *self._values(setup, "VISAMP", np.abs(truth), amplitude_error),
            *self._values(setup, "VISPHI", np.degrees(np.angle(truth)), phase_error, "deg"),
            fits.Column("UCOORD", "D", "m", array=uv[:, 0]),
            fits.Column("VCOORD", "D", "m", array=uv[:, 1]),
            *self._ends(setup, [pair for _, pair in rows]),
        ]
        kinds = {"AMPTYP": "absolute", "PHITYP": "absolute"} if self.version == 2 else {}
        return self._table("OI_VIS", columns, self._data_keywords(setup) | kinds)

    def _vis2(self, setup: Setup) -> fits.BinTableHDU:
        rows = [(e, pair) for e in self.exposures for pair in combinations(e.stations, 2)]
        uv = np.array([self._uv(e, *pair) for e, pair in rows])
        truth: Floats = np.square(np.abs(self._visibility(setup, [e for e, _ in rows], uv)))
        error = setup.vis2_error * truth + setup.vis2_floor
        columns = [
            *self._times([e for e, _ in rows]),
            *self._values(setup, "VIS2DATA", truth, error, correlation=self.correlation),
            fits.Column("UCOORD", "D", "m", array=uv[:, 0]),
            fits.Column("VCOORD", "D", "m", array=uv[:, 1]),
            *self._ends(setup, [pair for _, pair in rows]),
        ]
        keywords = self._data_keywords(setup)
        if self.correlation:
            first = self.correlated + 1 + np.arange(len(rows)) * truth.shape[1]
            columns.append(fits.Column("CORRINDX_VIS2DATA", "J", array=first))
            keywords["CORRNAME"] = _CORRNAME
            self.correlated += truth.size
        return self._table("OI_VIS2", columns, keywords)

    def _t3(self, setup: Setup) -> fits.BinTableHDU:
        rows = [(e, triple) for e in self.exposures for triple in combinations(e.stations, 3)]
        exposures = [e for e, _ in rows]
        uv1 = np.array([self._uv(e, a, b) for e, (a, b, _) in rows])
        uv2 = np.array([self._uv(e, b, c) for e, (_, b, c) in rows])
        # the third side closes the triangle, P05 6.6
        sides = [self._visibility(setup, exposures, uv) for uv in (uv1, uv2, -(uv1 + uv2))]
        truth = sides[0] * sides[1] * sides[2]
        amplitude_error = 1.5 * setup.vis2_error * np.abs(truth) + setup.vis2_floor
        phase_error = np.full(truth.shape, setup.phase_error)
        columns = [
            *self._times(exposures),
            *self._values(setup, "T3AMP", np.abs(truth), amplitude_error),
            *self._values(setup, "T3PHI", np.degrees(np.angle(truth)), phase_error, "deg"),
            fits.Column("U1COORD", "D", "m", array=uv1[:, 0]),
            fits.Column("V1COORD", "D", "m", array=uv1[:, 1]),
            fits.Column("U2COORD", "D", "m", array=uv2[:, 0]),
            fits.Column("V2COORD", "D", "m", array=uv2[:, 1]),
            *self._ends(setup, [triple for _, triple in rows]),
        ]
        return self._table("OI_T3", columns, self._data_keywords(setup))

    def _flux(self, setup: Setup) -> fits.BinTableHDU:
        """Spectra: of each telescope in counts, or calibrated ones of the target (D17 table 9)."""
        calibrated = setup.flux == "C"
        rows = [
            (e, (station,))
            for e in self.exposures
            for station in (e.stations[:1] if calibrated else e.stations)
        ]
        wave: Floats = np.array(setup.wavelengths)
        # a black body's tail for a star; a blaze for an instrument
        shape = (wave[0] / wave) ** 3 if calibrated else np.hanning(len(wave) + 2)[1:-1]
        level = 30.0 if calibrated else 5e4
        truth: Floats = np.tile(level * shape, (len(rows), 1))
        columns = [
            *(c for c in self._times([e for e, _ in rows]) if c.name != "TIME"),
            *self._values(setup, "FLUXDATA", truth, 0.01 * truth, "Jy" if calibrated else "adu"),
            *self._ends(setup, [station for _, station in rows]),
        ]
        keywords = self._data_keywords(setup) | {"CALSTAT": setup.flux or ""}
        if calibrated:
            columns = [column for column in columns if column.name != "STA_INDEX"]
            del keywords["ARRNAME"]
        return self._table("OI_FLUX", columns, keywords)

    def _corr(self) -> fits.BinTableHDU:
        """Correlation of each |V| squared with the next channel of its spectrum (D17 table 10)."""
        first = []
        start = 1
        for instrument_setup in self.setups:
            pairs = sum(math.comb(len(e.stations), 2) for e in self.exposures)
            n = len(instrument_setup.wavelengths)
            index = start + np.arange(pairs * n).reshape(pairs, n)
            first.append(index[:, :-1].ravel())
            start += pairs * n
        i = np.concatenate(first)
        columns = [
            fits.Column("IINDX", "J", array=i),
            fits.Column("JINDX", "J", array=i + 1),
            fits.Column("CORR", "D", array=np.full(i.size, self.correlation)),
        ]
        return self._table("OI_CORR", columns, {"CORRNAME": _CORRNAME, "NDATA": self.correlated})

    def _inspol(self, setup: Setup) -> fits.BinTableHDU:
        """Jones matrices of each station for each target: nearly the unit matrix (D17 table 11)."""
        rows = [
            (target, name)
            for target in self.targets
            for name in sorted(
                {s for e in self.exposures if e.target == target for s in e.stations}
            )
        ]
        n, n_wave = len(rows), len(setup.wavelengths)
        shape = (n, n_wave) if n_wave > 1 else (n,)
        times = [[e for e in self.exposures if e.target == target] for target, _ in rows]
        matrix = {
            "JXX": np.full(shape, 0.98 + 0.02j),
            "JYY": np.full(shape, 0.97 - 0.03j),
            "JXY": np.full(shape, 0.01j),
            "JYX": np.full(shape, -0.01j),
        }
        columns = [
            fits.Column("TARGET_ID", "I", array=[self.targets.index(t) + 1 for t, _ in rows]),
            fits.Column("INSNAME", "70A", array=[setup.insname] * n),
            fits.Column("MJD_OBS", "D", "day", array=[_start(e[0]) for e in times]),
            fits.Column("MJD_END", "D", "day", array=[_end(e[-1]) for e in times]),
            *(fits.Column(k, f"{n_wave}C", array=v) for k, v in matrix.items()),
            fits.Column("STA_INDEX", "I", array=[self.station_index[name] for _, name in rows]),
        ]
        keywords: dict[str, str | int | float] = {
            "ARRNAME": self.facility.name,
            "NPOL": 1,
            "ORIENT": "LABORATORY",
            "MODEL": "constant",
        }
        return self._table("OI_INSPOL", columns, keywords)

    def _uv(self, exposure: Exposure, first: str, second: str) -> tuple[float, float]:
        baseline = self.position[second] - self.position[first]
        return uv_coordinates(baseline, exposure.target.ra, exposure.target.dec, exposure.mjd)

    def _visibility(self, setup: Setup, exposures: Sequence[Exposure], uv: Floats) -> Complexes:
        """Rows by channels; wavelengths as the file's float32 has them."""
        wave = np.array(setup.wavelengths, dtype=np.float32).astype(float)
        frequency = uv[:, :, np.newaxis] / wave
        result = np.empty((len(exposures), wave.size), dtype=complex)
        for target in self.targets:
            rows = [i for i, e in enumerate(exposures) if e.target == target]
            result[rows] = target.model.visibility(frequency[rows, 0], frequency[rows, 1])
        return result

    def _values(
        self,
        setup: Setup,
        name: str,
        truth: Floats,
        error: Floats,
        unit: str | None = None,
        correlation: float = 0.0,
    ) -> list[fits.Column]:
        """A measured quantity and its error: rows by channels, NaN where flagged."""
        rows, n_wave = truth.shape
        noise = self.rng.standard_normal((rows, n_wave + 1))
        # Moving average of white noise: variance 1, correlation of neighbours as asked.
        angle = 0.5 * math.asin(2 * correlation)
        noise = math.cos(angle) * noise[:, :-1] + math.sin(angle) * noise[:, 1:]
        value = truth + error * noise
        if unit == "deg":
            value = (value + 180.0) % 360.0 - 180.0
        error = error.copy()
        for array in (value, error):
            array[:, list(setup.flagged)] = np.nan
        names = (name, name.replace("DATA", "") + "ERR")
        return [
            fits.Column(column, f"{n_wave}D", unit, array=array if n_wave > 1 else array[:, 0])
            for column, array in zip(names, (value, error), strict=True)
        ]

    def _times(self, exposures: Sequence[Exposure]) -> list[fits.Column]:
        mjd = np.array([e.mjd for e in exposures])
        # OIFITS 2 wants zeros (D17 table 6), OIFITS 1 seconds since 0 h of DATE-OBS
        midnight = math.floor(self.exposures[0].mjd)
        seconds = (mjd - midnight) * 86400 if self.version == 1 else np.zeros(mjd.size)
        return [
            fits.Column(
                "TARGET_ID", "I", array=[self.targets.index(e.target) + 1 for e in exposures]
            ),
            fits.Column("TIME", "D", "s", array=seconds),
            fits.Column("MJD", "D", "day", array=mjd),
            fits.Column("INT_TIME", "D", "s", array=[e.int_time for e in exposures]),
        ]

    def _ends(self, setup: Setup, stations: Sequence[tuple[str, ...]]) -> list[fits.Column]:
        """The last columns of all data tables: STA_INDEX and FLAG."""
        n_wave, each = len(setup.wavelengths), len(stations[0])
        index = np.array([[self.station_index[name] for name in names] for names in stations])
        flag = np.zeros((len(stations), n_wave), dtype=bool)
        flag[:, list(setup.flagged)] = True
        return [
            fits.Column("STA_INDEX", f"{each}I", array=index if each > 1 else index[:, 0]),
            fits.Column("FLAG", f"{n_wave}L", array=flag if n_wave > 1 else flag[:, 0]),
        ]

    def _data_keywords(self, setup: Setup) -> dict[str, str | int | float]:
        return {
            "DATE-OBS": self.start.strftime("%Y-%m-%d"),
            "ARRNAME": self.facility.name,
            "INSNAME": setup.insname,
        }

    def _table(
        self,
        name: str,
        columns: Sequence[fits.Column],
        keywords: Mapping[str, str | int | float],
    ) -> fits.BinTableHDU:
        table = fits.BinTableHDU.from_columns(columns, name=name)
        new = name in ("OI_FLUX", "OI_CORR", "OI_INSPOL")
        table.header["OI_REVN"] = 1 if new else self.version
        for key, value in keywords.items():
            table.header[key] = value
        return table


_CORRNAME = "neighbours"


def _one(names: Sequence[str]) -> str:
    """The only one of some names; MULTI if they differ (D17 section 4)."""
    return names[0] if len(set(names)) == 1 else "MULTI"


def _start(exposure: Exposure) -> float:
    return exposure.mjd - exposure.int_time / 2 / 86400


def _end(exposure: Exposure) -> float:
    return exposure.mjd + exposure.int_time / 2 / 86400


# ---------------------------------------------------------------- the truth about a file


@dataclass(frozen=True)
class SimulatedGranule:
    """What is true of one target, INSNAME and night of a simulated file.

    Row counts per table; ``t_min`` and ``t_max`` (MJD) include the half exposures; ``exptime`` is
    the time on target in s; ``em_min`` and ``em_max`` (m) are the edges of the unflagged band.
    """

    target: Target
    facility: str
    insname: str
    instrument: str
    mode: str | None
    night: date
    stations: tuple[str, ...]
    n_vis: int
    n_vis2: int
    n_t3: int
    n_flux: int
    n_channels: int
    t_min: float
    t_max: float
    exptime: float
    em_min: float
    em_max: float


@dataclass(frozen=True)
class SimulatedFile:
    """A file that was written, with its collection (the folder it lies in) and its granules."""

    path: Path
    collection: str
    version: int
    granules: tuple[SimulatedGranule, ...] = field(repr=False)


def truth(
    facility: Facility, setups: Sequence[Setup], exposures: Sequence[Exposure]
) -> tuple[SimulatedGranule, ...]:
    """The granules of a file that ``simulate`` makes of the same arguments."""
    granules = []
    for target in dict.fromkeys(e.target for e in exposures):
        for night in sorted({night_of(e.mjd, facility) for e in exposures if e.target == target}):
            here = [
                e for e in exposures if e.target == target and night_of(e.mjd, facility) == night
            ]
            pairs = sum(math.comb(len(e.stations), 2) for e in here)
            triples = sum(math.comb(len(e.stations), 3) for e in here)
            telescopes = sum(len(e.stations) for e in here)
            for instrument_setup in setups:
                spectra = {None: 0, "C": len(here), "U": telescopes}[instrument_setup.flux]
                granules.append(
                    SimulatedGranule(
                        target=target,
                        facility=facility.name,
                        insname=instrument_setup.insname,
                        instrument=instrument_setup.instrument,
                        mode=instrument_setup.mode,
                        night=night,
                        stations=tuple(sorted({s for e in here for s in e.stations})),
                        n_vis=pairs if instrument_setup.vis else 0,
                        n_vis2=pairs if instrument_setup.vis2 else 0,
                        n_t3=triples if instrument_setup.t3 else 0,
                        n_flux=spectra,
                        n_channels=len(instrument_setup.wavelengths),
                        t_min=min(map(_start, here)),
                        t_max=max(map(_end, here)),
                        exptime=sum(e.int_time for e in here),
                        em_min=instrument_setup.band[0],
                        em_max=instrument_setup.band[1],
                    )
                )
    return tuple(granules)


# ---------------------------------------------------------------- the demonstration

_SMALL, _LARGE = ("A0", "B2", "D0", "C1"), ("A0", "G1", "J2", "J3")
_UNITS = ("U1", "U2", "U3", "U4")
_SIX = ("S1", "S2", "E1", "E2", "W1", "W2")

# A uniform disk, a binary and a resolved disk for each hemisphere, and their calibrators.
SOUTH_DISK = Target("SIM UD 1", 110.50, -25.20, Disk(1.8))
SOUTH_BINARY = Target("SIM BIN 1", 245.30, -22.70, Binary(Disk(0.9), Disk(0.5), 0.3, 6.0, -4.0))
SOUTH_GIANT = Target("SIM LD 1", 247.90, -26.10, Disk(12.0, 0.45))
SOUTH_CALIBRATOR = Target("SIM CAL 1", 112.30, -23.40, Disk(0.4), "CAL")
SOUTH_CALIBRATOR_2 = Target("SIM CAL 2", 246.80, -20.90, Disk(0.3), "CAL")
NORTH_DISK = Target("SIM UD 2", 310.20, 38.40, Disk(0.7))
NORTH_BINARY = Target("SIM BIN 2", 25.40, 41.90, Binary(Disk(0.6), Disk(0.4), 0.5, -2.5, 1.5))
NORTH_GIANT = Target("SIM LD 2", 312.60, 45.10, Disk(3.2, 0.35))
NORTH_CALIBRATOR = Target("SIM CAL 3", 308.90, 40.10, Disk(0.25), "CAL")
#: A calibrator that is none.
BAD_CALIBRATOR = Target(
    "SIM CAL 4", 131.40, -42.60, Binary(Disk(0.5), Disk(0.2), 0.25, 3.0, 4.0), "CAL"
)
#: All stars of the demonstration.
STARS = (
    SOUTH_DISK, SOUTH_BINARY, SOUTH_GIANT, SOUTH_CALIBRATOR, SOUTH_CALIBRATOR_2,
    NORTH_DISK, NORTH_BINARY, NORTH_GIANT, NORTH_CALIBRATOR, BAD_CALIBRATOR,
)  # fmt: skip


class _Demonstration:
    """Writes the files of the demonstration one after the other."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files: list[SimulatedFile] = []
        self.vlti = _known("VLTI")
        self.chara = _known("CHARA")

    def add(
        self,
        collection: str,
        name: str,
        facility: Facility,
        setups: Sequence[Setup],
        exposures: Sequence[Exposure],
        *,
        version: Literal[1, 2] = 2,
        header: Mapping[str, str | float | int] | None = None,
        correlation: float = 0.0,
        polarisation: bool = False,
    ) -> None:
        path = self.directory / collection / name
        path.parent.mkdir(parents=True, exist_ok=True)
        hdus = simulate(
            facility,
            setups,
            exposures,
            version=version,
            seed=len(self.files),
            header=header,
            correlation=correlation,
            polarisation=polarisation,
        )
        write(path, hdus)
        self.files.append(
            SimulatedFile(path, collection, version, truth(facility, setups, exposures))
        )


def _known(name: str) -> Facility:
    facility = load().facility(name)
    if facility is None:
        raise ValueError(f"the vocabulary has no {name}")
    return facility


def eso_header(
    instrument: str, exposures: Sequence[Exposure], program: str, **settings: str
) -> dict[str, str | float | int]:
    """Keywords as ESO's pipelines write them: programme, OB, raw files, pipeline, settings.

    ``settings`` are of the group ESO INS, with _ for a blank: ``SPEC_RES="MEDIUM"``. File names
    begin with SIMUL, so that they are nobody's in the archive.
    """
    first = min(exposures, key=lambda exposure: exposure.mjd)
    science = first.target.category == "SCI"
    stamps = [
        (_MJD_EPOCH + timedelta(days=_start(e))).isoformat(timespec="milliseconds")[:23]
        for e in exposures
    ]
    header: dict[str, str | float | int] = {
        "INSTRUME": instrument,
        "MJD-OBS": round(_start(first), 8),
        "PROG_ID": program,
        "ARCFILE": f"SIMUL.{stamps[0]}.fits",
        "ESO OBS PROG ID": program,
        "ESO OBS ID": 990000 + round(first.target.ra * 10),
        "ESO OBS NAME": ("SCI_" if science else "CAL_") + first.target.name.replace(" ", "_"),
        "ESO OBS TARG NAME": first.target.name,
        "ESO PRO CATG": "TARGET_CALIBRATED" if science else "CALIBRATOR_CALIBRATED",
        "ESO PRO SCIENCE": science,
        "ESO PRO REC1 ID": "simulate",
        "ESO PRO REC1 PIPE ID": "simulator/1.0",
    }
    for number, stamp in enumerate(stamps, start=1):
        header[f"ESO PRO REC1 RAW{number} NAME"] = f"SIMUL.{stamp}.fits"
        header[f"ESO PRO REC1 RAW{number} CATG"] = "OBJECT"
    for key, value in settings.items():
        header[f"ESO INS {key.replace('_', ' ')}"] = value
    return header


def demonstration(directory: Path) -> list[SimulatedFile]:
    """Writes the demonstration: 26 files of 10 instruments in three collections (folders).

    ``sim_vlti`` and ``sim_chara`` are public, ``sim_private`` is meant to be ingested with a
    release date in the future. The same bytes each time.
    """
    demo = _Demonstration(directory)
    _vlti(demo)
    _chara(demo)
    _private(demo)
    _calibrator(demo)
    return demo.files


def _vlti(demo: _Demonstration) -> None:
    vlti, collection = demo.vlti, "sim_vlti"
    program = "999.S-0001(A)"
    winter, next_night, summer = date(2019, 2, 3), date(2019, 2, 4), date(2021, 6, 12)

    def pionier(name: str, exposures: list[Exposure], version: Literal[1, 2] = 2) -> None:
        header = eso_header("PIONIER", exposures, program, OPTI2_NAME="GRISM", FILT1_NAME="H")
        demo.add(collection, name, vlti, [PIONIER_GRISM], exposures, version=version, header=header)

    hours = (-2.0, -1.0, 0.0, 1.0, 2.0)
    pionier("pionier_ud1_large.fits", around_transit(vlti, SOUTH_DISK, winter, hours, _LARGE))
    pionier(
        "pionier_cal1_large.fits",
        around_transit(vlti, SOUTH_CALIBRATOR, winter, (-1.5, -0.5, 0.5), _LARGE),
    )
    pionier(
        "pionier_ud1_small.fits", around_transit(vlti, SOUTH_DISK, next_night, hours, _SMALL), 1
    )
    pionier("pionier_bin1_large.fits.gz", around_transit(vlti, SOUTH_BINARY, summer, hours, _LARGE))
    old = around_transit(vlti, SOUTH_BINARY, date(2012, 6, 9), hours[1:4], _SMALL)
    demo.add(
        collection, "pionier_bin1_2012.fits", vlti, [PIONIER_SMALL], old, version=1,
        header=eso_header(
            "PIONIER", old, program, OPTI2_NAME="H", OPTI3_NAME="SMALL", FILT1_NAME="H"
        ),
    )  # fmt: skip
    many = [
        exposure
        for night in (winter, next_night)
        for target in (SOUTH_DISK, SOUTH_CALIBRATOR)
        for exposure in around_transit(vlti, target, night, (-0.8, 0.7), _LARGE)
    ]
    demo.add(collection, "pionier_two_nights.oifits", vlti, [PIONIER_GRISM], many, correlation=0.3)

    exposures = around_transit(vlti, SOUTH_BINARY, summer, (-1.0, 0.5), _UNITS, 300.0)
    demo.add(
        collection, "gravity_bin1.fits", vlti, [GRAVITY_MEDIUM, GRAVITY_FT], exposures,
        header=eso_header(
            "GRAVITY", exposures, program, SPEC_RES="MEDIUM", POLA_MODE="COMBINED"
        ),
    )  # fmt: skip
    exposures = around_transit(vlti, SOUTH_CALIBRATOR_2, summer, (-0.7, 0.8), _UNITS, 120.0)
    demo.add(
        collection, "gravity_cal2_split.fits", vlti, GRAVITY_SPLIT, exposures, polarisation=True,
        header=eso_header("GRAVITY", exposures, program, SPEC_RES="LOW", POLA_MODE="SPLIT"),
    )  # fmt: skip
    exposures = around_transit(vlti, SOUTH_GIANT, summer, (-1.0, 0.0, 1.0), _SMALL, 180.0)
    header = eso_header("MATISSE", exposures, program, DIL_NAME="LOW", DIN_NAME="LOW")
    demo.add(collection, "matisse_ld1_lm.fits", vlti, [MATISSE_LM], exposures, header=header)
    demo.add(collection, "matisse_ld1_n.fits", vlti, [MATISSE_N], exposures, header=header)
    exposures = around_transit(vlti, SOUTH_CALIBRATOR_2, summer, (-0.5, 0.5), _SMALL, 180.0)
    header = eso_header("MATISSE", exposures, program, DIL_NAME="LOW", DIN_NAME="LOW")
    demo.add(collection, "matisse_cal2_lm.fits", vlti, [MATISSE_LM], exposures, header=header)
    for target in (SOUTH_DISK, SOUTH_CALIBRATOR):
        exposures = around_transit(vlti, target, date(2010, 1, 20), (-0.5, 0.5), ("U1", "U3", "U4"))
        demo.add(
            collection, f"amber_{target.name.split(' ', 1)[1].replace(' ', '').lower()}.fits",
            vlti, [AMBER_LOW], exposures, version=1,
            header=eso_header("AMBER", exposures, program, MODE="3Tstd_Low_JHK"),
        )  # fmt: skip


def _chara(demo: _Demonstration) -> None:
    chara, collection = demo.chara, "sim_chara"
    august, september = date(2020, 8, 14), date(2022, 9, 25)

    # Each of these nights goes on after 12 h UT.
    late = around_transit(chara, NORTH_BINARY, september, (0.5, 1.5, 2.5, 3.5), _SIX, 150.0)
    demo.add(
        collection, "mircx_bin2.fits", chara, [MIRCX_LOW], late, header={"INSMODE": "H_PRISM50"}
    )
    demo.add(collection, "mystic_bin2.fits", chara, [MYSTIC_MEDIUM], late)
    both = [
        exposure
        for target in (NORTH_DISK, NORTH_CALIBRATOR)
        for exposure in around_transit(chara, target, august, (-1.0, 1.0), _SIX, 150.0)
    ]
    demo.add(collection, "mircx_ud2_cal3.fits", chara, [MIRCX_LOW], both)
    demo.add(collection, "mystic_ud2_cal3.fits", chara, [MYSTIC_LOW], both)
    for target in (NORTH_DISK, NORTH_CALIBRATOR):
        exposures = around_transit(chara, target, august, (0.0,), _SIX, 600.0)
        name = f"spica_{target.name.split(' ', 1)[1].replace(' ', '').lower()}.fits"
        demo.add(collection, name, chara, [SPICA_LOW], exposures)
    four = ("S1", "E1", "W1", "W2")
    demo.add(
        collection, "mirc_ld2.oifits", chara, [MIRC_LOW],
        around_transit(chara, NORTH_GIANT, date(2011, 7, 30), (-2.0, -1.0, 0.0, 1.0, 2.0), four),
        version=1,
    )  # fmt: skip
    demo.add(
        collection, "classic_ld2.oifits", chara, [CLASSIC_K],
        around_transit(chara, NORTH_GIANT, date(2008, 8, 2), (-2.0, -1.0, 0.0, 1.0, 2.0), four[:2]),
        version=1,
    )  # fmt: skip


def _private(demo: _Demonstration) -> None:
    vlti, chara, collection = demo.vlti, demo.chara, "sim_private"
    program, night = "999.S-0002(B)", date(2025, 6, 20)
    for target in (SOUTH_BINARY, SOUTH_CALIBRATOR_2):
        exposures = around_transit(vlti, target, night, (-1.0, 0.0, 1.0), _LARGE)
        demo.add(
            collection,
            f"pionier_{target.name.split(' ', 1)[1].replace(' ', '').lower()}.fits",
            vlti, [PIONIER_GRISM], exposures,
            header=eso_header("PIONIER", exposures, program, OPTI2_NAME="GRISM", FILT1_NAME="H"),
        )  # fmt: skip
    exposures = around_transit(vlti, SOUTH_GIANT, night, (0.0,), _SMALL, 120.0)
    demo.add(
        collection, "gravity_ld1.fits", vlti, [GRAVITY_MEDIUM, GRAVITY_FT], exposures,
        header=eso_header("GRAVITY", exposures, program, SPEC_RES="MEDIUM", POLA_MODE="COMBINED"),
    )  # fmt: skip
    demo.add(
        collection, "spica_bin2.fits", chara, [SPICA_LOW],
        around_transit(chara, NORTH_BINARY, date(2025, 9, 28), (0.0, 1.0), _SIX, 600.0),
    )  # fmt: skip


def _calibrator(demo: _Demonstration) -> None:
    exposures = [
        exposure
        for night in (date(2019, 2, 3), date(2019, 2, 5))
        for exposure in around_transit(demo.vlti, BAD_CALIBRATOR, night, (-1.5, 0.0, 1.5), _LARGE)
    ]
    header = eso_header("PIONIER", exposures, "999.S-0001(A)", OPTI2_NAME="GRISM", FILT1_NAME="H")
    demo.add("sim_vlti", "pionier_cal4.fits", demo.vlti, [PIONIER_GRISM], exposures, header=header)
