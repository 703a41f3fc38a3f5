"""Simulates observation logs: exposures of VLTI and CHARA from physics, with the truth beside them.

    log = Log(count=1_000_000, targets=35_000)
    for exposure, star in log.entries(): ...      # star: index into log.stars

Stars with proper motions, several spellings of their names and near neighbours are observed in
blocks of a few exposures, in the dark and above 30 degrees, with the instruments, modes and
stations of the time; projected baselines follow from the stations' positions and the rotation of
the Earth. The same arguments give the same log, in the order of time. Whatever the log tells of a
target can be compared with the star that was put in.

`eso_header`, `archive_row`, `header_page` and `chara_log` write exposures as the archives would:
read back, they give the same exposures. All stars, programmes and files are invented: positions
belong to no star of that name, and file names begin with SIMUL, so that they are nobody's in the
archive.
"""

from __future__ import annotations

import csv
import html
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest import simulate
from ingest.exposures import Baseline, Exposure, validated
from ingest.vocabulary import Facility, load

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Value = str | int | float | bool

DAY = 86_400_000  # ms
_J2000 = 51544.5  # MJD
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_SIDEREAL = 1.00273790935  # sidereal hours in an hour

#: Minimum altitude, and with a margin for precession (degrees).
LOWEST, _LOWEST_PLANNED = 30.0, 32.0
#: Hours of sidereal time in a cell of the plan, which holds one observation block.
_CELL = 0.25
_CELLS = round(24 / _CELL)
#: Most exposures of a block, and the time between two of them (s): they must fit into a cell.
_MOST = 8


# ---------------------------------------------------------------- instruments


@dataclass(frozen=True, eq=False)
class Band:
    """What one detector of an instrument records: mode by its ASPRO2 name, DIT (s) and NDIT."""

    mode: str | None
    dit: float
    ndit: int
    keywords: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Setup:
    """A way of observing: when it was offered, and how often compared with others.

    ``cadence`` is the time (s) between exposures; the bands are exposed together.
    ``exptime`` tells what EXPTIME of the header is: the whole exposure, one frame, or missing.
    """

    instrument: str
    bands: tuple[Band, ...]
    first: date
    last: date
    weight: float
    cadence: float
    template: str
    submode: str | None = None
    exptime: str = "total"
    types: tuple[str, str] = ("OBJECT", "OBJECT")  # DPR TYPE of science and calibrator
    technique: str = "INTERFEROMETRY"
    ft_sensor: str = "NONE"


@dataclass(frozen=True, eq=False)
class Array:
    """Stations that were offered together."""

    stations: tuple[str, ...]
    first: date
    last: date
    instruments: frozenset[str]


_EARLIEST, _LATEST = date(2003, 6, 14), date(2026, 9, 30)


def _arrays(names: str, first: date, last: date, *instruments: str) -> list[Array]:
    return [
        Array(tuple(name.split("-")), first, last, frozenset(instruments)) for name in names.split()
    ]


_PIONIER_SWITCH = date(2014, 12, 1)
_PIONIER_TECHNIQUE = date(2013, 1, 1)

_ARRAYS = (
    *_arrays("U1-U3 E0-G0 B3-D1 B3-M0", _EARLIEST, date(2004, 12, 31), "VINCI"),
    *_arrays("U1-U3 U2-U4 U2-U3 U3-U4 E0-G0 G0-H0 D0-G0", _EARLIEST, date(2015, 3, 31), "MIDI"),
    *_arrays(
        "U1-U2-U4 U1-U3-U4 D0-H0-G1 E0-G0-H0 A0-K0-G1 D0-A1-B2",
        _EARLIEST, date(2018, 9, 30), "AMBER",
    ),
    *_arrays(
        "A1-G1-K0-I1 D0-G1-H0-I1 D0-A1-C1-B2 K0-A1-G1-J3",
        _EARLIEST, _PIONIER_SWITCH, "PIONIER",
    ),
    *_arrays(
        "A0-G1-J2-K0 A0-G1-J2-J3 A0-B2-D0-C1 K0-G2-D0-J3 U1-U2-U3-U4",
        _PIONIER_SWITCH, _LATEST, "PIONIER", "GRAVITY", "MATISSE",
    ),
    *_arrays("S1-E1 S2-W2 E1-W1", _EARLIEST, _LATEST, "CLASSIC", "PAVO", "VEGA"),
    *_arrays("S1-E1-W1 S2-E2-W2", _EARLIEST, _LATEST, "CLIMB"),
    *_arrays("S1-E1-W1-W2 S1-E2-W1-W2", _EARLIEST, _LATEST, "MIRC"),
    *_arrays("S1-S2-E1-E2-W1-W2", date(2017, 1, 1), _LATEST, "MIRCX", "MYSTIC", "SPICA"),
)  # fmt: skip


def _gravity(resolution: str, dit: float, ndit: int, pola: str, submode: str) -> Setup:
    keywords: dict[str, Value] = {
        "INS SPEC RES": resolution,
        "INS POLA MODE": pola,
        "FT POLA MODE": pola,
    }
    return Setup(
        "GRAVITY", (Band(f"{resolution}-{pola}", dit, ndit, keywords),), date(2016, 6, 1), _LATEST,
        {"HIGH": 1.0, "MEDIUM": 1.5, "LOW": 0.3}[resolution], 100.0,
        f"GRAVITY_{submode.lower()}_obs_exp", submode, "missing",
        (f"OBJECT,{submode}", f"STD,{submode}"), ft_sensor="GRAVITY",
    )  # fmt: skip


def _matisse(dil: str, din: str, lm: str, n: str, weight: float) -> Setup:
    both: dict[str, Value] = {
        "INS MODE": "HYBRID", "INS DIL NAME": dil, "INS DIN NAME": din, "INS FIL NAME": "LM",
        "INS FIN NAME": "OPEN", "INS PIL NAME": "PHOTO", "INS PIN NAME": "INTER",
        "INS BCD1 NAME": "OUT", "INS BCD2 NAME": "OUT", "DET CHOP ST": False, "SEQ DIL WL0": 4.1,
    }  # fmt: skip
    return Setup(
        "MATISSE",
        (
            Band(lm, 0.111, 385, {**both, "DET NAME": "MATISSE-LM", "DET CHIP TYPE": "IR-LM"}),
            Band(n, 0.02, 2308, {**both, "DET NAME": "MATISSE-N", "DET CHIP TYPE": "IR-N"}),
        ),
        date(2019, 4, 1), _LATEST, weight, 105.0, "MATISSE_hyb_obs", "HYBRID", "frame",
        ("OBJECT", "STD"), ft_sensor="MATISSE",
    )  # fmt: skip


def _pionier(mode: str, first: date, last: date, weight: float, optics: Mapping[str, str]) -> Setup:
    old = last < _PIONIER_TECHNIQUE
    keywords = {"INS MODE": "OBSERV-H", "INS FILT1 NAME": "H", "INS OBC TYPE": "4T-ABCD-H",
                **optics}  # fmt: skip
    band = Band(mode, 0.77, 100, keywords) if old else Band(mode, 0.00075, 51200, keywords)
    return Setup(
        "PIONIER", (band,), first, last, weight, 95.0 if old else 60.0,
        "PIONIER_obs_calibrator" if old else "PIONIER_obs_fringe", None,
        "missing" if old else "total", ("FRINGE,OBJECT", "FRINGE,OBJECT"),
        "IMAGE" if old else "INTERFEROMETRY",
    )  # fmt: skip


def _chara(
    instrument: str, mode: str, first: int, last: int, weight: float = 1.0, seconds: float = 60.0
) -> Setup:
    return Setup(
        instrument, (Band(mode, seconds, 1),), date(first, 1, 1), date(last, 9, 30), weight, 100.0,
        "", types=("OBJ", "CAL1"),
    )  # fmt: skip


_VLTI_SETUPS = (
    Setup(
        "VINCI", (Band(None, 0.002, 25000),), _EARLIEST, date(2004, 12, 31), 0.7, 90.0,
        "VINCI_obs_fringe",
    ),
    *(
        Setup(
            "MIDI", (Band(f"{beam}+{disperser}", 0.018, 4000, {
                "INS MODE": "STARINTF", "INS OPT1 NAME": beam, "INS GRIS NAME": disperser,
            }),),
            date(2003, 9, 1), date(2015, 3, 31), weight, 100.0, "MIDI_starintf_obs_fringe",
            types=("TRACK,OBJECT,DISPERSED", "TRACK,OBJECT,DISPERSED"),
        )
        for beam, disperser, weight in (
            ("HIGH_SENS", "PRISM", 1.0), ("HIGH_SENS", "GRISM", 0.2),
            ("SCI_PHOT", "PRISM", 0.4), ("SCI_PHOT", "GRISM", 0.2),
        )
    ),
    *(
        Setup(
            "AMBER", (Band(mode, 0.05, 1000, {"INS MODE": f"3Tstd_{mode}"}),),
            date(2005, 3, 1), date(2018, 9, 30), weight, 75.0, "AMBER_3Tstd_obs_1row",
            exptime="frame", ft_sensor=sensor,
        )
        for mode, weight, sensor in (
            ("Low_JHK", 1.0, "NONE"), ("Medium_H_1_1.65", 0.1, "FINITO"),
            ("Medium_K_1_2.1", 0.4, "NONE"), ("Medium_K_1_2.3", 0.3, "FINITO"),
            ("High_K_1_2.172", 0.3, "FINITO"),
        )
    ),
    _pionier("SMALL-H", date(2010, 10, 26), date(2012, 12, 31), 1.5,
             {"INS OPTI2 NAME": "H", "INS OPTI3 NAME": "SMALL"}),
    _pionier("LARGE-H", date(2010, 10, 26), date(2012, 12, 31), 0.5,
             {"INS OPTI2 NAME": "H", "INS OPTI3 NAME": "LARGE"}),
    _pionier("SMALL-H", date(2013, 1, 2), _PIONIER_SWITCH, 2.0,
             {"INS OPTI2 NAME": "H", "INS OPTI3 NAME": "SMALL"}),
    _pionier("GRISM-H", _PIONIER_SWITCH, _LATEST, 3.0, {"INS OPTI2 NAME": "GRISM"}),
    _pionier("FREE-H", _PIONIER_SWITCH, _LATEST, 0.6, {"INS OPTI2 NAME": "FREE"}),
    *(
        _gravity(resolution, dit, ndit, pola, submode)
        for resolution, dit, ndit in (("LOW", 0.3, 250), ("MEDIUM", 3.0, 25), ("HIGH", 10.0, 8))
        for pola in ("COMBINED", "SPLIT")
        for submode in ("SINGLE", "DUAL")
    ),
    _matisse("LOW", "LOW", "SI_PHOT_LM_LOW", "HIGH_SENS_N_LOW", 3.0),
    _matisse("MED", "LOW", "SI_PHOT_LM_MEDIUM", "HIGH_SENS_N_LOW", 1.0),
)  # fmt: skip

_CHARA_SETUPS = (
    _chara("CLASSIC", "K-Prime", 2005, 2018),
    _chara("CLIMB", "K-Prime", 2010, 2022),
    _chara("MIRC", "Low_H", 2006, 2016),
    _chara("PAVO", "R", 2009, 2020),
    _chara("VEGA", "R2720", 2009, 2020),
    _chara("MIRCX", "Low_H", 2017, 2026, 2.0),
    _chara("MYSTIC", "Low_K", 2021, 2026),
    _chara("SPICA", "LR", 2022, 2026),
)


# ---------------------------------------------------------------- stars


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_GREEK = _words(
    "alf bet gam del eps zet eta tet iot kap lam mu nu ksi omi pi rho sig tau ups phi chi psi ome"
)
_LONG_GREEK = _words(
    "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma"
    " Tau Upsilon Phi Chi Psi Omega"
)
_CONSTELLATIONS = _words(
    "And Aps Aqr Aql Ara Ari Cae Cnc CMa Cap Car Cen Cet Cha Cir Col CrA Crt Cru Crv Dor Eri For"
    " Gem Gru Her Hor Hya Hyi Ind Leo Lep Lib Lup Men Mic Mon Mus Nor Oct Oph Ori Pav Phe Pic PsA"
    " Psc Pup Pyx Ret Scl Sco Sct Ser Sex Sgr Tau Tel TrA Tri Tuc Vel Vir Vol"
)


@dataclass(frozen=True, eq=False)
class Stars:
    """The truth about the stars, one element each.

    Positions in degrees (ICRS, epoch J2000), proper motions in mas/yr (in right ascension times cos
    dec; 0 for most). ``partner`` is the index of the star 4 arcsec away, -1 for none.
    """

    ra: Floats
    dec: Floats
    pm_ra: Floats
    pm_dec: Floats
    partner: Integers
    calibrator: NDArray[np.bool_]
    #: In [0, 1): a star's share of VLTI's time, the rest is CHARA's.
    vlti: Floats

    def names(self, star: int) -> tuple[str, ...]:
        """The spellings under which logs have a star: the usual one first."""
        return _names(star, float(self.ra[star]), float(self.dec[star]), int(self.partner[star]))


#: Stars with many exposures: their share, and name.
_GIANTS = ((0.020, "SIM GC"), (0.005, "SIM BUSY"))


def _names(star: int, ra: float, dec: float, partner: int) -> tuple[str, ...]:
    if star < len(_GIANTS):
        name = _GIANTS[star][1]
        return name, name.replace(" ", "_"), name.replace(" ", ""), name.lower(), name.title()
    letter = ""
    if partner >= 0 and min(star, partner) % 4 == 0:
        # The two components of a binary; other neighbours have nothing in common.
        letter = "AB"[star > partner]
        star = min(star, partner)
    kind = star % 10
    if kind == 9 and star // 10 < len(_GREEK) * len(_CONSTELLATIONS):
        which, where = divmod(star // 10, len(_CONSTELLATIONS))
        constellation = _CONSTELLATIONS[where]
        short, long = _GREEK[which], _LONG_GREEK[which]
        names = (
            f"{short} {constellation}", f"{short.upper()}_{constellation.upper()}",
            f"{long}_{constellation}", f"{short}_{constellation}", f"* {short} {constellation}",
        )  # fmt: skip
    elif kind == 8:
        # IRAS names are made of B1950 positions; these of others, which no reader must rely on.
        hours, minutes = divmod(ra * 4 % 1440, 60)
        degrees, arcmin = divmod(abs(dec) * 60, 60)
        sign = "-" if dec < 0 else "+"
        core = f"{int(hours):02d}{int(minutes * 10):03d}{sign}{int(degrees):02d}{int(arcmin):02d}"
        names = (f"IRAS {core}", f"IRAS{core}", f"IRAS_{core}", f"iras {core}", f"IRAS-{core}")
    else:
        # Beyond the last number of either catalogue.
        prefix, number = ("HIP", 200_000 + star) if kind in (6, 7) else ("HD", 400_000 + star)
        names = (
            f"{prefix} {number}", f"{prefix}{number}", f"{prefix.lower()}_{number}",
            f"{prefix}_{number}", f"{prefix.title()}-{number}",
        )  # fmt: skip
    if not letter:
        return names
    return tuple(f"{name}{'_' if '_' in name else ' '}{letter}" for name in names)


#: Declinations (degrees) at which a star is above 30 degrees for two hours or more, by array.
_RANGES = {"VLTI": (-80.0, 28.0), "CHARA": (-15.0, 75.0)}


def _stars(rng: np.random.Generator, number: int) -> Stars:
    chara = rng.random(number) < 0.08
    chara[: len(_GIANTS)] = False
    low, high = (
        np.sin(np.radians(np.where(chara, _RANGES["CHARA"][end], _RANGES["VLTI"][end])))
        for end in (0, 1)
    )
    ra = rng.random(number) * 360
    dec = np.degrees(np.arcsin(low + (high - low) * rng.random(number)))
    vlti = np.where(chara, 0.0, 1.0)
    vlti[~chara & (dec > _RANGES["CHARA"][0]) & (rng.random(number) < 0.2)] = 0.5
    ra[:1], dec[:1], vlti[: len(_GIANTS)] = 266.4168, -29.0078, 1.0

    moving = rng.random(number) < 0.2
    speed = rng.exponential(60.0, number) * np.where(rng.random(number) < 0.05, 10.0, 1.0)
    speed, towards = np.where(moving, np.minimum(speed, 2000.0), 0.0), rng.random(number) * math.tau
    pm_ra, pm_dec = np.round(speed * np.sin(towards), 2), np.round(speed * np.cos(towards), 2)
    pm_ra[:1] = pm_dec[:1] = 0.0

    partner = np.full(number, -1, np.int64)
    pairs = np.arange(len(_GIANTS), number - 1, 2)
    first = pairs[rng.random(pairs.size) < 0.015]
    partner[first], partner[first + 1] = first + 1, first
    angle = rng.random(first.size) * math.tau
    dec[first + 1] = dec[first] + 4 / 3600 * np.cos(angle)
    ra[first + 1] = (ra[first] + 4 / 3600 * np.sin(angle) / np.cos(np.radians(dec[first]))) % 360
    for column in (pm_ra, pm_dec):
        column[first] = column[first + 1] = 0.0
    vlti[first + 1] = vlti[first]
    calibrator = rng.random(number) < 0.45
    calibrator[: len(_GIANTS)] = False
    return Stars(ra, dec, pm_ra, pm_dec, partner, calibrator, vlti)


def _shares(rng: np.random.Generator, count: int, targets: int) -> Integers:
    """Numbers of exposures of the stars: log-normal with a median of 10 or less, and giants."""
    numbers = np.zeros(targets, np.int64)
    giants = min(len(_GIANTS), targets - 1)
    for star in range(giants):
        spare = count - targets - int(numbers[:star].sum()) + star
        numbers[star] = max(1, min(round(_GIANTS[star][0] * count), spare))
    left, others = count - int(numbers.sum()), targets - giants
    mean = left / others
    sigma = math.sqrt(2 * math.log(max(mean / 10.0, 1.6)))
    weights = np.exp(sigma * rng.standard_normal(others))
    # Everybody has one, as far as they go.
    least = min(1, left // others)
    wanted = weights / weights.sum() * (left - least * others)
    whole = np.floor(wanted).astype(np.int64)
    missing = left - least * others - int(whole.sum())
    whole[np.argsort(whole - wanted, kind="stable")[:missing]] += 1
    numbers[giants:] = whole + least
    return numbers


# ---------------------------------------------------------------- geometry


def _facility(name: str) -> Facility:
    found = load().facility(name)
    if found is None or found.longitude is None or found.latitude is None:
        raise ValueError(f"the vocabulary has no place of {name}")
    return found


@dataclass(frozen=True)
class _Site:
    """An array's place in radians and its stations' east, north, up in m."""

    longitude: float
    latitude: float
    stations: Mapping[str, tuple[float, float, float]]


@lru_cache
def _site(name: str) -> _Site:
    found = _facility(name)
    assert found.longitude is not None
    assert found.latitude is not None
    return _Site(
        math.radians(found.longitude),
        math.radians(found.latitude),
        {s.name: (s.east, s.north, s.up) for s in found.stations.values()},
    )


def view(site: str, stations: Floats, ra: Floats, dec: Floats, mjd: Floats) -> tuple[Floats, ...]:
    """Altitude (degrees) of stars and u, v (m) of stations as seen from them, element by element.

    What `geometry.view` computes for one exposure, for n at once: ``stations`` (n, k, 3) are east,
    north, up in m, the others (n,); u and v are (n, k), their differences projected baselines.
    """
    import erfa

    place = _site(site)
    days, which = np.unique(np.floor(mjd), return_inverse=True)
    to_date = erfa.c2i06a(2400000.5, days + 0.5)[which]
    turn = place.longitude + math.tau * (
        (mjd % 1.0 + 0.7790572732640 - 0.5 + 0.00273781191135448 * (mjd - _J2000)) % 1.0
    )
    sin_turn, cos_turn = np.sin(turn), np.cos(turn)
    sin_lat, cos_lat = math.sin(place.latitude), math.cos(place.latitude)
    alpha, delta = np.radians(ra), np.radians(dec)
    sin_ra, cos_ra, sin_dec, cos_dec = np.sin(alpha), np.cos(alpha), np.sin(delta), np.cos(delta)

    def local(*vector: Floats) -> Floats:
        xi, yi, zi = (
            to_date[:, i, 0] * vector[0] + to_date[:, i, 1] * vector[1]
            + to_date[:, i, 2] * vector[2]
            for i in range(3)
        )  # fmt: skip
        south = xi * cos_turn + yi * sin_turn
        return np.stack(
            [
                yi * cos_turn - xi * sin_turn,
                zi * cos_lat - south * sin_lat,
                zi * sin_lat + south * cos_lat,
            ],
            axis=-1,
        )

    east = local(-sin_ra, cos_ra, np.zeros_like(sin_ra))
    north = local(-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec)
    height = local(cos_dec * cos_ra, cos_dec * sin_ra, sin_dec)[:, 2]
    return (
        np.degrees(np.arcsin(np.clip(height, -1, 1))),
        np.einsum("nki,ni->nk", stations, east),
        np.einsum("nki,ni->nk", stations, north),
    )


# ---------------------------------------------------------------- the plan


@dataclass(frozen=True, eq=False)
class _Nights:
    """The nights of an array: MJD of the begin of darkness, sidereal time then (h), its length (h).

    Instruments change at most twice a night; there are two runs to a night: one in each half.
    """

    first: int  # MJD of the evening of the first night, in local time
    dusk: Floats
    sidereal: Floats
    hours: Floats
    setups: Integers
    arrays: Integers
    programmes: tuple[str, ...]
    #: Of each night: seeing (arcsec), temperature, humidity, pressure, wind, water.
    weather: Floats


def _mjd(day: date) -> int:
    return (day - _MJD_EPOCH.date()).days


def _nights(
    site: str, rng: np.random.Generator, setups: tuple[Setup, ...], first: date, last: date
) -> _Nights:
    place = _site(site)
    evenings = np.arange(_mjd(first), _mjd(last) + 1)
    # Local mean midnight, and where the Sun is then (Astronomical Almanac, low precision).
    midnight = evenings + 1.0 - place.longitude / math.tau
    days = midnight - _J2000
    mean = np.radians(357.528 + 0.9856003 * days)
    ecliptic = np.radians(
        280.460 + 0.9856474 * days + 1.915 * np.sin(mean) + 0.020 * np.sin(2 * mean)
    )
    tilt = math.radians(23.44)
    sun_ra = np.degrees(np.arctan2(math.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))) / 15
    sun_dec = np.arcsin(math.sin(tilt) * np.sin(ecliptic))
    # Hour angle at which it is 12 degrees below the horizon.
    cosine = (math.sin(math.radians(-12)) - math.sin(place.latitude) * np.sin(sun_dec)) / (
        math.cos(place.latitude) * np.cos(sun_dec)
    )
    dusk = np.degrees(np.arccos(np.clip(cosine, -1, 1))) / 15
    sidereal = (280.46061837 + 360.98564736629 * days) / 15 + math.degrees(place.longitude) / 15
    since = (sidereal - sun_ra - dusk) % 24  # sidereal hours from dusk to midnight
    number = 2 * evenings.size
    chosen, arrays, programmes = np.zeros(number, np.int64), np.zeros(number, np.int64), []
    draws = rng.random((number, 2))
    for run in range(number):
        day = first + timedelta(days=run // 2)
        chosen[run], arrays[run] = _choice(setups, day, draws[run])
        programmes.append(_programme(site, day, run, setups[chosen[run]].instrument))
    weather = rng.standard_normal((evenings.size, 6))
    season = np.cos((midnight % 365.25 - 15) / 365.25 * math.tau)
    weather = np.stack(
        [
            0.8 * np.exp(0.3 * weather[:, 0]),
            12 + 3 * season + 2.5 * weather[:, 1],
            np.clip(18 + 12 * weather[:, 2], 2, 75),
            743.5 + 1.5 * weather[:, 3],
            np.clip(6 + 3 * weather[:, 4], 0.3, 17),
            np.clip(3 + 1.5 * weather[:, 5], 0.4, 14),
        ],
        axis=-1,
    )
    return _Nights(
        int(evenings[0]), midnight - since / _SIDEREAL / 24, (sidereal - since) % 24,
        24 - 2 * dusk, chosen, arrays, tuple(programmes), weather,
    )  # fmt: skip


@cache
def _offered(setups: tuple[Setup, ...], month: date) -> tuple[Integers, Floats, list[Integers]]:
    """Set-ups offered in a month, their cumulated weights, and the arrays for each."""
    fitting = []
    for number, setup in enumerate(setups):
        arrays = [
            a for a, array in enumerate(_ARRAYS)
            if array.first <= month <= array.last and setup.instrument in array.instruments
        ]  # fmt: skip
        if setup.first <= month <= setup.last and arrays:
            fitting.append((number, setup.weight, np.array(arrays)))
    weights = np.array([weight for _, weight, _ in fitting]).cumsum()
    numbers = np.array([number for number, _, _ in fitting])
    return numbers, weights / weights[-1], [arrays for _, _, arrays in fitting]


def _choice(setups: tuple[Setup, ...], day: date, draw: Floats) -> tuple[int, int]:
    numbers, weights, arrays = _offered(setups, day.replace(day=28))
    found = int(np.searchsorted(weights, draw[0], side="right"))
    return int(numbers[found]), int(arrays[found][int(draw[1] * arrays[found].size)])


def _programme(site: str, day: date, run: int, instrument: str) -> str:
    """A programme of the time: ESO's form until period 104, its later form, CHARA's form."""
    number = (run // 6 * 7 + run % 2) % 89 + len(instrument)
    if site != "VLTI":
        return f"{day.year}{'AB'[day.month > 7]}-M{number}"
    # Periods begin in April and October; period 91 in April 2013.
    months = (day.year - 2013) * 12 + day.month - 4
    period = 91 + months // 6
    if period < 105:
        return f"{period:03d}.{'ABCD'[number % 4]}-{number:04d}({'AB'[run % 2]})"
    return f"{period:03d}.{20 + number % 10}S{chr(65 + number % 26)}.{1 + run % 2:03d}"


@dataclass(frozen=True, eq=False)
class _Plan:
    """Observation blocks in the order of time, one element each."""

    site: NDArray[np.bool_]  # True: VLTI
    star: Integers
    size: Integers
    begin: Floats  # MJD
    night: Integers
    run: Integers


def _hour_angle(site: str, dec: Floats) -> Floats:
    """Hours before and after the meridian in which a star is high enough, at most 5."""
    latitude = _site(site).latitude
    delta = np.radians(dec)
    cosine = (math.sin(math.radians(_LOWEST_PLANNED)) - math.sin(latitude) * np.sin(delta)) / (
        math.cos(latitude) * np.cos(delta)
    )
    reach: Floats = np.minimum(np.degrees(np.arccos(np.clip(cosine, -1, 1))) / 15, 5.0)
    return reach


def _assign(
    nights: _Nights, site: str, stars: Stars, star: Integers, rng: np.random.Generator
) -> tuple[Floats, Integers]:
    """Begin (MJD) and night of each block of an array; a cell has one block while there are cells.

    A cell is a quarter of an hour of sidereal time in a night; a block gets one in which it is dark
    and its star is high.
    """
    hour = stars.ra[star] / 15
    reach = _hour_angle(site, stars.dec[star])
    low = np.ceil((hour - reach) / _CELL)
    high = np.floor((hour + reach) / _CELL) - 1
    cell = (low + np.floor(rng.random(star.size) * (high - low + 1))).astype(np.int64) % _CELLS
    begin, night = np.zeros(star.size), np.zeros(star.size, np.int64)
    recent = _mjd(date(2016, 6, 1)) - nights.first
    for number in range(_CELLS):
        blocks = np.flatnonzero(cell == number)
        if not blocks.size:
            continue
        wait = (number * _CELL - nights.sidereal) % 24
        dark = rng.permutation(np.flatnonzero(wait / _SIDEREAL + _CELL <= nights.hours))
        # The first star is observed with today's instruments, whatever night is left with others.
        giant = blocks[star[blocks] == 0]
        late = dark[dark >= recent][: giant.size]
        dark = np.concatenate([late, dark[~np.isin(dark, late)]])
        blocks = np.concatenate([giant, blocks[star[blocks] != 0]])
        night[blocks] = np.resize(dark, blocks.size)
        begin[blocks] = nights.dusk[night[blocks]] + wait[night[blocks]] / _SIDEREAL / 24
    return begin, night


# ---------------------------------------------------------------- the log

_SEED = 2003


class Log:
    """A simulated log: ``count`` exposures of ``targets`` stars.

    Plan and stars are held in memory (some ten bytes an exposure), exposures are made as they are
    asked for.
    """

    def __init__(self, count: int, targets: int, seed: int = _SEED) -> None:
        if not 1 <= targets <= count:
            raise ValueError(f"{count} exposures of {targets} targets: there must be one of each")
        rng = np.random.default_rng([seed, 0])
        self._seed = seed
        self.count = count
        self.stars = _stars(rng, targets)
        #: Exposures of each star.
        self.shares = _shares(rng, count, targets)
        self._nights = {
            "VLTI": _nights("VLTI", rng, _VLTI_SETUPS, _EARLIEST, _LATEST),
            "CHARA": _nights("CHARA", rng, _CHARA_SETUPS, date(2005, 3, 1), _LATEST),
        }
        self._plan = self._made(rng)

    def _made(self, rng: np.random.Generator) -> _Plan:
        sizes = rng.integers(3, _MOST + 1, self.shares.size)
        sizes[: len(_GIANTS)] = _MOST
        blocks = -(-self.shares // sizes)
        star = np.repeat(np.arange(self.shares.size), blocks)
        order = np.arange(star.size) - np.repeat(blocks.cumsum() - blocks, blocks)
        size = (self.shares // np.maximum(blocks, 1))[star]
        size += order < (self.shares % np.maximum(blocks, 1))[star]
        vlti = rng.random(star.size) < self.stars.vlti[star]
        begin, night = np.zeros(star.size), np.zeros(star.size, np.int64)
        for site, here in (("VLTI", vlti), ("CHARA", ~vlti)):
            begin[here], night[here] = _assign(
                self._nights[site], site, self.stars, star[here], rng
            )
        second = np.zeros(star.size, np.int64)
        for site, here in (("VLTI", vlti), ("CHARA", ~vlti)):
            nights = self._nights[site]
            middle = nights.dusk + nights.hours / 48
            second[here] = begin[here] > middle[night[here]]
        by_time = np.argsort(begin, kind="stable")
        return _Plan(
            vlti[by_time], star[by_time], size[by_time], begin[by_time], night[by_time],
            (2 * night + second)[by_time],
        )  # fmt: skip

    def exposures(self) -> Iterator[Exposure]:
        """The exposures, in the order of their begin."""
        return (exposure for exposure, _ in self.entries())

    def entries(self) -> Iterator[tuple[Exposure, int]]:
        """The exposures and the star that each is of, in the order of their begin."""
        plan = self._plan
        last = 0  # ms of the latest exposure: no two begin together
        # At 18 h UT the Sun shines on both arrays, so that no block goes on beyond.
        day = np.floor(plan.begin - 0.75)
        start = 0
        number = 0
        while start < day.size:
            end = min(start + 1500, day.size - 1)
            end = int(np.searchsorted(day, day[end], side="right"))
            rng = np.random.default_rng([self._seed, 1, number])
            part = self._part(start, end, rng)
            milliseconds = np.concatenate([p.milliseconds for p in part])
            order = np.argsort(milliseconds, kind="stable")
            steps = np.arange(order.size)
            # Milliseconds later where two would begin together.
            fixed = np.maximum.accumulate(np.maximum(milliseconds[order], last + 1) - steps) + steps
            last = int(fixed[-1])
            milliseconds[order] = fixed
            split = 0
            made: list[tuple[Exposure, int]] = []
            for p in part:
                p.milliseconds = milliseconds[split : split + p.milliseconds.size]
                split += p.milliseconds.size
                made += p.made()
            for place in order.tolist():
                yield made[place]
            start, number = end, number + 1

    def _part(self, start: int, end: int, rng: np.random.Generator) -> list[_Part]:
        plan = self._plan
        result = []
        for site, setups in (("VLTI", _VLTI_SETUPS), ("CHARA", _CHARA_SETUPS)):
            blocks = start + np.flatnonzero(plan.site[start:end] == (site == "VLTI"))
            if blocks.size:
                part = _Part(site, setups, self._nights[site], self.stars, plan, blocks, rng)
                result.append(part)
        return result


@dataclass(frozen=True, eq=False)
class _Positions:
    """Of exposures, in degrees: the log's position, its epoch, whether the log tells proper motion;
    where the telescopes pointed."""

    ra: Floats
    dec: Floats
    epoch: Floats
    told: NDArray[np.bool_]
    true_ra: Floats
    true_dec: Floats


class _Part:
    """Exposures of some blocks of an array."""

    def __init__(
        self,
        site: str,
        setups: tuple[Setup, ...],
        nights: _Nights,
        stars: Stars,
        plan: _Plan,
        blocks: Integers,
        rng: np.random.Generator,
    ) -> None:
        self.site, self.setups, self.nights, self.stars, self.plan = (
            site, setups, nights, stars, plan,
        )  # fmt: skip
        size = plan.size[blocks]
        self.blocks = blocks
        #: Of each exposure: its block here, its number in it, its set-up and the band of that.
        self.block = np.repeat(np.arange(blocks.size), size)
        self.order = np.arange(self.block.size) - np.repeat(size.cumsum() - size, size)
        self.setup = nights.setups[plan.run[blocks]][self.block]
        bands = np.array([len(s.bands) for s in setups])[self.setup]
        self.band = self.order % bands
        cadence = np.array([s.cadence for s in setups])[self.setup]
        begin = plan.begin[blocks] * DAY + rng.integers(0, 20_000, blocks.size)
        self.begin = np.rint(begin).astype(np.int64)
        self.milliseconds = (
            self.begin[self.block]
            + np.rint(self.order // bands * cadence * 1000).astype(np.int64)
            + 40 * self.band
        )
        self._draw(rng)

    def _draw(self, rng: np.random.Generator) -> None:
        n = self.block.size
        self.spelling = rng.choice(5, self.blocks.size, p=[0.5, 0.2, 0.1, 0.15, 0.05])
        # What was typed in for a block is off by an arcsec, telescopes point beside it.
        star = self.plan.star[self.blocks]
        typed = np.where(self.stars.partner[star] >= 0, 0.5, 1.0)[:, None] / 3600
        self.offset = (np.clip(rng.standard_normal((self.blocks.size, 2)), -3, 3) * typed)[
            self.block
        ]
        self.jitter = rng.standard_normal((n, 2)) * (0.5 / 3600)
        self.spoken = rng.random(self.blocks.size)
        self.noise = rng.standard_normal((n, 8))
        self.pops = rng.integers(1, 6, (self.blocks.size, 6))

    def made(self) -> list[tuple[Exposure, int]]:
        """The exposures with their stars, in the order of the blocks."""
        star = self.plan.star[self.blocks][self.block]
        t_min = np.round(self.milliseconds / DAY, 8)
        dit, ndit = (
            np.array([[getattr(b, name) for b in (*s.bands, s.bands[0])[:2]] for s in self.setups])[
                self.setup, self.band
            ]
            for name in ("dit", "ndit")
        )
        duration = dit * ndit
        t_max = t_min + duration / 86400
        position = self._positions(star, t_min)
        pairs, altitudes = self._baselines(position, t_min, t_max)
        ra, dec, epoch = position.ra.tolist(), position.dec.tolist(), position.epoch.tolist()
        told = position.told.tolist()
        airmass = [np.round(1 / np.sin(np.radians(a)), 3).tolist() for a in altitudes]
        weather = self._weather(t_min)
        stamps = np.datetime_as_string(
            (self.milliseconds - 40587 * DAY).astype("datetime64[ms]")
        ).tolist()
        starts = np.datetime_as_string((self.begin // 1000 - 40587 * 86400).astype("datetime64[s]"))
        starts = starts.tolist()
        run = self.plan.run[self.blocks]
        catalogue = _catalogue(self.setups)
        names = [
            self.stars.names(s)[k]
            for s, k in zip(
                self.plan.star[self.blocks].tolist(), self.spelling.tolist(), strict=True
            )
        ]
        size = self.plan.size[self.blocks].tolist()
        arrays = self.nights.arrays[run].tolist()
        programmes = [self.nights.programmes[r] for r in run.tolist()]
        block_ids = self.blocks.tolist()
        calibrator = self.stars.calibrator[star].tolist()
        pm_ra, pm_dec = self.stars.pm_ra[star].tolist(), self.stars.pm_dec[star].tolist()
        vlti = self.site == "VLTI"
        begins = t_min.tolist()
        pointed = self._pointed(t_min).tolist()
        wet = (t_min > _mjd(date(2015, 1, 1))).tolist()
        result = []
        for i, (block, setup, band, order, s) in enumerate(
            zip(*(a.tolist() for a in (self.block, self.setup, self.band, self.order, star)),
                strict=True)
        ):  # fmt: skip
            kind = catalogue[setup, band]
            calib = calibrator[i]
            name = names[block]
            stations = _ARRAYS[arrays[block]].stations
            seeing0, seeing1, tau0, tau1, temp, humid, press, wind, towards, pwv0, pwv1 = weather[i]
            exposure = Exposure(
                header_id=f"SIMUL.{stamps[i]}"
                if vlti
                else _chara_id(kind.instrument, begins[i], name),
                facility_name=self.site,
                instrument_name=kind.instrument,
                instrument_mode=kind.mode,
                instrument_submode=kind.submode,
                em_min=kind.em_min,
                em_max=kind.em_max,
                em_res_power=kind.em_res_power,
                dataproduct_category="CALIB" if calib else "SCIENCE",
                dpr_catg=("CALIB" if calib else "SCIENCE") if vlti else None,
                dpr_type=kind.types[calib],
                dpr_tech=kind.technique if vlti else None,
                target_name=name,
                target_names=(name,),
                log_ra=ra[i],
                log_dec=dec[i],
                pm_ra=pm_ra[i] if told[i] else None,
                pm_dec=pm_dec[i] if told[i] else None,
                pos_epoch=epoch[i] if vlti or told[i] else None,
                t_min=begins[i],
                t_max=float(t_max[i]),
                t_exptime=float(duration[i]),
                dit=kind.dit if vlti else None,
                ndit=kind.ndit if vlti else None,
                stations=stations,
                pops=None if vlti else "".join(map(str, self.pops[block, : len(stations)])),
                channels="1 3 5 7"[: 2 * len(stations) - 1] if vlti else None,
                baselines=tuple(
                    Baseline(one, two, *values)
                    for (one, two), values in zip(combinations(stations, 2), pairs[i], strict=False)
                ),
                progid=programmes[block],
                ob_id=_FIRST_BLOCK + block_ids[block] if vlti else None,
                ob_name=f"{'CAL' if calib else 'SCI'}_{name.replace(' ', '_')}" if vlti else None,
                template_id=kind.template if vlti else None,
                template_start=starts[block] if vlti else None,
                template_number=order + 1 if vlti else None,
                template_total=size[block] if vlti else None,
                seeing_start=seeing0 if vlti else None,
                seeing_end=seeing1 if vlti else None,
                tau0_start=tau0,
                tau0_end=tau1 if vlti else None,
                temperature=temp if vlti else None,
                humidity=humid if vlti else None,
                pressure=press if vlti else None,
                wind_speed=wind if vlti else None,
                wind_direction=towards if vlti else None,
                pwv_start=pwv0 if vlti and wet[i] else None,
                pwv_end=pwv1 if vlti and wet[i] else None,
                airmass_start=airmass[0][i] if vlti else None,
                airmass_end=airmass[1][i] if vlti else None,
                ft_sensor=kind.ft_sensor if vlti else None,
                ft_status=("OFF" if kind.ft_sensor == "NONE" else "ON") if vlti else None,
                **(_judged(kind, pointed[i]) if vlti else _COMPLETE),
            )
            result.append((exposure, s))
        return result

    def _positions(self, star: Integers, mjd: Floats) -> _Positions:
        """What the log has, and where the star was.

        ESO's headers have the position that was typed in, of epoch 2000, perhaps with the proper
        motion. The first years' have only where the telescopes pointed: where the star was then.
        """
        stars = self.stars
        years = (mjd - _J2000) / 365.25
        pointed = self._pointed(mjd)
        epoch = np.where(pointed, 2000.0 + years, 2000.0)
        moving = (stars.pm_ra[star] != 0) | (stars.pm_dec[star] != 0)
        told = moving & ~pointed
        if self.site == "VLTI":
            told &= self.spoken[self.block] < 0.6
        off = self.offset + np.where(pointed[:, None], self.jitter, 0.0)

        def place(since: Floats, off: Floats) -> tuple[Floats, Floats]:
            east = stars.pm_ra[star] * since / 3.6e6 + off[:, 0]
            ra = stars.ra[star] + east / np.cos(np.radians(stars.dec[star]))
            return ra % 360, stars.dec[star] + stars.pm_dec[star] * since / 3.6e6 + off[:, 1]

        ra, dec = place(epoch - 2000.0, off)
        return _Positions(
            # As many digits as hhmmss.sss and ddmmss.ss have.
            np.round(np.round(ra * 240, 3) / 240, 9) % 360,
            np.round(np.round(dec * 3600, 2) / 3600, 9),
            epoch,
            told,
            *place(years, off),
        )

    def _pointed(self, mjd: Floats) -> NDArray[np.bool_]:
        return (mjd < _mjd(_FIRST_TYPED)) & (self.site == "VLTI")

    def _baselines(
        self, position: _Positions, t_min: Floats, t_max: Floats
    ) -> tuple[list[list[list[float]]], list[Floats]]:
        """Of each exposure and pair of stations length and angle at start and end; altitudes."""
        known = _site(self.site).stations
        most = 6 if self.site == "CHARA" else 4
        table = np.zeros((len(_ARRAYS), most, 3))
        for number, array in enumerate(_ARRAYS):
            if array.stations[0] in known:
                table[number, : len(array.stations)] = [known[s] for s in array.stations]
        which = self.nights.arrays[self.plan.run[self.blocks]][self.block]
        first, second = np.array(list(combinations(range(most), 2))).T
        values = []
        altitudes = []
        for mjd in (t_min, t_max):
            altitude, u, v = view(self.site, table[which], position.true_ra, position.true_dec, mjd)
            altitudes.append(altitude)
            u, v = u[:, second] - u[:, first], v[:, second] - v[:, first]
            values.append(np.round(np.hypot(u, v), 3))
            values.append(np.round(np.degrees(np.arctan2(u, v)) % 360, 3) % 360)
        # combinations of fewer stations come in another order than the first of many
        stacked = np.stack([values[0], values[2], values[1], values[3]], axis=-1)
        order = np.array([_pair_order(min(len(a.stations), most), most) for a in _ARRAYS])
        rows = np.arange(which.size)[:, None]
        return stacked[rows, order[which]].tolist(), altitudes

    def _weather(self, mjd: Floats) -> list[list[float]]:
        base = self.nights.weather[self.plan.night[self.blocks]][self.block]
        noise = self.noise
        start = np.clip(base[:, 0] * np.exp(0.15 * noise[:, 0]), 0.25, 3.0)
        end = np.clip(start * np.exp(0.05 * noise[:, 1]), 0.25, 3.0)
        # The coherence time shrinks with seeing and wind.
        tau = 0.0035 / start * np.exp(0.3 * noise[:, 2]) * (8 / (base[:, 4] + 2)) ** 0.5
        pwv = np.clip(base[:, 5] + 0.1 * noise[:, 3], 0.3, 15)
        columns = (
            (start, 2), (end, 2), (tau, 6), (tau * start / end, 6),
            (base[:, 1] + 0.3 * noise[:, 4], 2), (np.clip(base[:, 2] + noise[:, 5], 1, 80), 0),
            (base[:, 3] + 0.1 * noise[:, 6], 2), (np.clip(base[:, 4] + noise[:, 7], 0.2, 18), 2),
            ((mjd * 360 * 3.7 + 20 * noise[:, 7]) % 360 // 1, 0), (pwv, 2),
            (np.clip(pwv + 0.03 * noise[:, 2], 0.3, 15), 2),
        )  # fmt: skip
        rounded = [np.round(c, digits) for c, digits in columns]
        rows: list[list[float]] = np.stack(rounded, axis=-1).tolist()
        return rows


_FIRST_BLOCK = 5_000_000
#: Earlier headers have no position but that of the telescopes.
_FIRST_TYPED = date(2006, 1, 1)


@lru_cache
def _pair_order(stations: int, most: int) -> tuple[int, ...]:
    """Places of the pairs of some stations among the pairs of the most, filled up."""
    pairs = list(combinations(range(most), 2))
    wanted = [pairs.index(pair) for pair in combinations(range(stations), 2)]
    return tuple(wanted + [0] * (len(pairs) - len(wanted)))


_COMPLETE: dict[str, Any] = {"validation_level": 1}


@cache
def _judged(kind: _Kind, pointed: bool) -> dict[str, Any]:
    """What a reader of a header has to remark, which is the same for all of a kind."""
    flags = ["exptime_from_dit"] if kind.exptime != "total" else []
    flags += ["position_of_telescope"] if pointed else []
    pair = Baseline("A0", "B0", 8.0, 7.9, 0.0, 0.3)
    judged = validated(
        Exposure(
            header_id="", facility_name="VLTI", instrument_name=kind.instrument,
            instrument_mode=kind.mode, dataproduct_category="SCIENCE", target_name="star",
            log_ra=1.0, log_dec=1.0, t_min=5e4, t_max=5e4 + 0.001, t_exptime=86.4,
            stations=("A0", "B0"), baselines=(pair,), seeing_start=1.0, seeing_end=1.0,
            tau0_start=1.0, tau0_end=1.0, temperature=1.0, quality_flags=tuple(flags),
        )
    )  # fmt: skip
    return {
        name: getattr(judged, name)
        for name in ("validation_level", "validation_log", "quality_flags")
    }


def _chara_id(instrument: str, mjd: float, star: str) -> str:
    """Name of an exposure of CHARA, whose logs give none: as `ingest.chara` makes it."""
    moment = _MJD_EPOCH + timedelta(seconds=round(mjd * 86400))
    return f"{instrument}.{moment:%Y-%m-%dT%H:%M:%S}.{_plain(star)}"


@lru_cache(maxsize=100_000)
def _plain(star: str) -> str:
    return re.sub(r"[^A-Za-z0-9+.-]+", "_", star).strip("_")


@dataclass(frozen=True, eq=False)
class _Kind:
    """What all exposures of a band of a set-up share."""

    instrument: str
    mode: str | None
    submode: str | None
    em_min: float | None
    em_max: float | None
    em_res_power: float | None
    dit: float
    ndit: int
    types: tuple[str, str]
    technique: str
    template: str
    ft_sensor: str
    exptime: str


@cache
def _catalogue(setups: tuple[Setup, ...]) -> dict[tuple[int, int], _Kind]:
    return {
        (number, place): _Kind(
            setup.instrument, band.mode, setup.submode, *_edges(setup.instrument, band.mode),
            band.dit, band.ndit, setup.types, setup.technique, setup.template, setup.ft_sensor,
            setup.exptime,
        )
        for number, setup in enumerate(setups)
        for place, band in enumerate(setup.bands)
    }  # fmt: skip


@lru_cache
def _edges(instrument: str, mode: str | None) -> tuple[float | None, float | None, float | None]:
    """Band (m) and resolution of a mode."""
    for known in load().instruments:
        if known.name.startswith(instrument):
            for entry in known.modes:
                if entry.name == mode:
                    return (*entry.band, entry.resolution)
    return None, None, None


def exposures(count: int, targets: int, seed: int = _SEED) -> Iterator[Exposure]:
    """Simulated exposures, in the order of their begin (see `Log` for the truth about them)."""
    return Log(count, targets, seed).exposures()


# ---------------------------------------------------------------- as the archives write it


def _card(key: str, value: Value, comment: str) -> str:
    """A card of a header (FITS standard 4.0, section 4; ESO's HIERARCH convention)."""
    if isinstance(value, bool):
        text = "T" if value else "F"
    elif isinstance(value, str):
        text = "'{:<8}'".format(value.replace("'", "''"))
    else:
        text = repr(value).upper()
    width = "<20" if isinstance(value, str) else ">20"
    left = f"HIERARCH {key} = {text}" if " " in key else f"{key:<8}= {text:{width}}"
    return f"{left} / {comment}"[: max(80, len(left))] if len(left) < 76 else left


@lru_cache
def _filler(instrument: str) -> str:
    """Cards that nobody needs, so that headers have the size that they have."""
    draws = np.random.default_rng(len(instrument)).random(230)
    cards = []
    for number, draw in enumerate(draws.tolist(), start=1):
        group, place = divmod(number, 10)
        if place < 4:
            cards.append(
                _card(f"ESO INS SENSOR{number} VAL", round(draw * 300, 3), "Sensor value.")
            )
        elif place < 8:
            cards.append(_card(f"ESO INS MOT{number} ENC", int(draw * 5e4), "[Enc] Position."))
        else:
            cards.append(_card(f"ESO COU XY{number} NAME", f"pos {group}", "Name of position."))
    return "\n".join(cards)


@lru_cache
def _settings() -> dict[tuple[str, str | None, str | None, str | None], tuple[Setup, Band]]:
    """Set-up and band by instrument, mode, submode and technique."""
    return {
        (setup.instrument, band.mode, setup.submode, setup.technique): (setup, band)
        for setup in _VLTI_SETUPS
        for band in setup.bands
    }


def _setting(exposure: Exposure) -> tuple[Setup, Band]:
    key = (
        exposure.instrument_name, exposure.instrument_mode, exposure.instrument_submode,
        exposure.dpr_tech,
    )  # fmt: skip
    try:
        return _settings()[key]
    except KeyError:
        raise ValueError(f"{exposure.exposure_id}: VLTI has no set-up {key}") from None


def _packed(degrees: float) -> float:
    """An angle as ddmmss.sss, or hours as hhmmss.sss."""
    seconds = round(abs(degrees) * 3600, 3)
    packed = seconds // 3600 * 10000 + seconds % 3600 // 60 * 100 + seconds % 60
    return round(math.copysign(packed, degrees), 3)


def _told(**values: Value | None) -> Iterator[tuple[str, Value]]:
    for name, value in values.items():
        if value is not None:
            yield name.replace("_", " "), value


def _pointing(e: Exposure) -> tuple[float, float]:
    """Where the telescopes pointed (degrees): near the target, which has moved."""
    if e.log_ra is None or e.log_dec is None or e.t_min is None:
        raise ValueError(f"{e.exposure_id}: without position and time")
    if e.pos_epoch != 2000.0:
        return e.log_ra, e.log_dec
    years = (e.t_min - _J2000) / 365.25
    # Up to 4 arcsec beside it, in a way that the time decides.
    beside = [(round(e.t_min * DAY) * prime % 997 / 997 - 0.5) * 8 / 3600 for prime in (7, 31)]
    dec = e.log_dec + (e.pm_dec or 0.0) * years / 3.6e6 + beside[0]
    east = (e.pm_ra or 0.0) * years / 3.6e6 + beside[1]
    return round((e.log_ra + east / math.cos(math.radians(e.log_dec))) % 360, 6), round(dec, 6)


def eso_header(exposure: Exposure) -> str:
    """The primary header of an exposure of VLTI as ESO's archive has it: a card a line."""
    setup, band = _setting(exposure)
    e = exposure
    if e.t_min is None or e.log_ra is None or e.log_dec is None or e.t_exptime is None:
        raise ValueError(f"{e.exposure_id}: a header needs time and position")
    place = _site("VLTI")
    ra, dec = _pointing(e)
    stamp = e.header_id.partition(".")[2]
    kind = "U" if e.stations[0].startswith("U") else "A"
    telescopes = [s[1] if kind == "U" else str(n) for n, s in enumerate(e.stations, start=1)]
    cards: list[tuple[str, Value]] = [
        ("SIMPLE", True), ("BITPIX", 16), ("NAXIS", 0), ("EXTEND", True),
        ("ORIGIN", "ESO-PARANAL"), ("DATE", stamp[:19]),
        ("TELESCOP", f"ESO-VLTI-{kind}{''.join(sorted(telescopes))}"),
        ("INSTRUME", e.instrument_name), ("OBJECT", e.target_name or ""),
        ("RA", ra), ("DEC", dec), ("EQUINOX", 2000.0), ("RADECSYS", "FK5"),
    ]  # fmt: skip
    if setup.exptime != "missing":
        frame = setup.exptime == "frame" and e.dit is not None
        cards.append(("EXPTIME", e.dit if frame and e.dit is not None else e.t_exptime))
    cards += [
        ("MJD-OBS", e.t_min), ("DATE-OBS", f"{stamp}0"),
        ("UTC", round(e.t_min % 1 * 86400, 3)),
        ("PI-COI", "UNKNOWN"), ("OBSERVER", "UNKNOWN"), ("ARCFILE", f"{e.header_id}.fits"),
    ]  # fmt: skip
    detector = {"GRAVITY": "DET2 SEQ1 DIT|DET2 NDIT", "MATISSE": "DET SEQ1 DIT|DET NDIT"}
    dit, ndit = detector.get(e.instrument_name, "DET DIT|DET NDIT").split("|")
    eso: list[tuple[str, Value]] = [
        *_told(
            OBS_DID="ESO-VLT-DIC.OBS-1.12", OBS_ID=e.ob_id, OBS_NAME=e.ob_name, OBS_GRP="0",
            OBS_PROG_ID=e.progid, OBS_TARG_NAME=e.target_name, OBS_CONTAINER_ID=e.ob_container_id,
            OBS_START=e.template_start, OBS_OBSERVER="UNKNOWN", TPL_ID=e.template_id,
            TPL_START=e.template_start, TPL_EXPNO=e.template_number, TPL_NEXP=e.template_total,
            DPR_CATG=e.dpr_catg, DPR_TYPE=e.dpr_type, DPR_TECH=e.dpr_tech,
            DEL_FT_SENSOR=e.ft_sensor, DEL_FT_STATUS=e.ft_status,
        ),
        ("OBS PI-COI ID", 0), ("OBS PI-COI NAME", "UNKNOWN"),
        *_told(**{dit.replace(" ", "_"): e.dit, ndit.replace(" ", "_"): e.ndit}),
        *band.keywords.items(),
    ]  # fmt: skip
    if e.pos_epoch == 2000.0:
        eso += [("ISS REF RA", _packed(e.log_ra / 15)), ("ISS REF DEC", _packed(e.log_dec))]
    motion = []
    if e.pm_ra is not None and e.pm_dec is not None:
        motion = [("PMA", round(e.pm_ra / 1000, 8)), ("PMD", round(e.pm_dec / 1000, 8))]
        eso += [(f"ISS {key}", value) for key, value in motion]
    if e.instrument_name == "GRAVITY":
        eso += [("INS SOBJ NAME", e.target_name or ""), ("FT ROBJ NAME", e.target_name or "")]
        eso += [(f"FT ROBJ {key}", f"{value:.5f}") for key, value in motion]
        if e.pos_epoch == 2000.0:
            eso += [
                ("FT ROBJ ALPHA", f"{_packed(e.log_ra / 15):010.3f}"),
                ("FT ROBJ DELTA", f"{_packed(e.log_dec):010.3f}"),
            ]
    for number, station in enumerate(e.stations, start=1):
        east, north, up = place.stations[station]
        eso += [
            (f"ISS CONF STATION{number}", station),
            (f"ISS CONF T{number}NAME", f"{kind}T{telescopes[number - 1]}"),
            (f"ISS CONF T{number}X", -east), (f"ISS CONF T{number}Y", -north),
            (f"ISS CONF T{number}Z", up), (f"ISS CONF DL{number}", f"DL{number}"),
            (f"ISS CONF A{number}L", round(abs(east) + abs(north), 3)),
        ]  # fmt: skip
    for number, channel in enumerate((e.channels or "").split(), start=1):
        eso.append((f"ISS CONF INPUT{number}", int(channel)))
    for baseline in e.baselines:
        pair = "".join(str(e.stations.index(s) + 1) for s in (baseline.station1, baseline.station2))
        eso += _told(**{
            f"ISS_PBL{pair}_START": baseline.length_start,
            f"ISS_PBL{pair}_END": baseline.length_end,
            f"ISS_PBLA{pair}_START": baseline.angle_start,
            f"ISS_PBLA{pair}_END": baseline.angle_end,
        })  # fmt: skip
    eso += [
        ("ISS CONF NTEL", len(e.stations)),
        ("ISS FEED MODE", e.instrument_submode or "SINGLE"),
        ("ISS GEOLAT", round(math.degrees(place.latitude), 8)),
        ("ISS GEOLON", round(math.degrees(place.longitude), 8)),
        *_told(
            ISS_AIRM_START=e.airmass_start, ISS_AIRM_END=e.airmass_end,
            ISS_AMBI_FWHM_START=e.seeing_start, ISS_AMBI_FWHM_END=e.seeing_end,
            ISS_AMBI_TAU0_START=e.tau0_start, ISS_AMBI_TAU0_END=e.tau0_end,
            ISS_AMBI_TEMP=e.temperature, ISS_AMBI_RHUM=e.humidity, ISS_AMBI_PRES=e.pressure,
            ISS_AMBI_WINDSP=e.wind_speed, ISS_AMBI_WINDDIR=e.wind_direction,
            ISS_AMBI_IWV_START=e.pwv_start, ISS_AMBI_IWV_END=e.pwv_end,
        ),
    ]  # fmt: skip
    lines = [_card(key, value, "Simulated") for key, value in cards]
    lines += [_card(f"ESO {key}", value, "Simulated") for key, value in eso]
    return "\n".join([*lines, _filler(e.instrument_name), "END"]) + "\n"


def header_page(text: str) -> str:
    """A header as the page of ESO's header service."""
    title = re.search(r"^ARCFILE = '(.*?)(?:\.fits)? *'", text, re.MULTILINE)
    name = html.escape(title[1] if title else "header")
    return (
        f"<html><head><title>{name}</title></head>\n<body>\n<pre>\n"
        f"{html.escape(text, quote=False)}</pre>\n</body></html>\n"
    )


#: Rotation from ICRS to galactic (ESA 1997, The Hipparcos Catalogue, vol. 1, section 1.5.3) and,
#: with an obliquity of 84381.406 arcsec, to ecliptic coordinates.
_GALACTIC = (
    (-0.0548755604, -0.8734370902, -0.4838350155),
    (0.4941094279, -0.4448296300, 0.7469822445),
    (-0.8676661490, -0.1980763734, 0.4559837762),
)
_TILT = math.radians(84381.406 / 3600)
_ECLIPTIC = (
    (1.0, 0.0, 0.0),
    (0.0, math.cos(_TILT), math.sin(_TILT)),
    (0.0, -math.sin(_TILT), math.cos(_TILT)),
)


def _turned(matrix: tuple[tuple[float, ...], ...], ra: float, dec: float) -> tuple[float, float]:
    """Longitude and latitude (degrees, six digits) of a place in other coordinates."""
    alpha, delta = math.radians(ra), math.radians(dec)
    vector = (math.cos(delta) * math.cos(alpha), math.cos(delta) * math.sin(alpha), math.sin(delta))
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return (
        round(math.degrees(math.atan2(y, x)) % 360, 6),
        round(math.degrees(math.asin(max(-1.0, min(1.0, z)))), 6),
    )


def archive_row(exposure: Exposure) -> dict[str, Any]:
    """The row of dbo.raw in ESO's archive for an exposure of VLTI: all its columns.

    Times (exp_start, last_mod_date, release_date) are naive UTC; None is null. Files become public
    a year after they were taken, and are listed three hours after.
    """
    e = exposure
    _, band = _setting(e)
    if e.t_min is None or e.log_ra is None or e.log_dec is None:
        raise ValueError(f"{e.exposure_id}: the archive needs time and position")
    start = datetime.fromisoformat(e.header_id.partition(".")[2])
    ra, dec = _pointing(e)
    gal_lon, gal_lat = _turned(_GALACTIC, ra, dec)
    ecl_lon, ecl_lat = _turned(_ECLIPTIC, ra, dec)
    setup = _setting(e)[0]
    altitude = None if e.airmass_start is None else math.degrees(math.asin(1 / e.airmass_start))
    kind = "U" if e.stations[0].startswith("U") else "A"
    period = re.match(r"\d{3}", e.progid or "")
    frame = e.dit if setup.exptime == "frame" else e.t_exptime
    row: dict[str, Any] = dict.fromkeys(ARCHIVE_COLUMNS)
    row.update(
        access_estsize=18000,
        access_url=f"https://dataportal.eso.org/dataPortal/file/{e.header_id}",
        datalink_url=f"https://archive.eso.org/datalink/links?ID=ivo://eso.org/ID?{e.header_id}",
        date_obs=f"{e.header_id.partition('.')[2]}0",
        dec=dec, dec_pnt=dec, ra=ra, ra_pnt=ra,
        det_dit=e.dit, det_ndit=e.ndit, det_expid=(e.ob_id or 0) % 100_000,
        dp_cat=e.dpr_catg, dp_id=e.header_id, dp_tech=e.dpr_tech, dp_type=e.dpr_type,
        ecl_lat=ecl_lat, ecl_lon=ecl_lon, gal_lat=gal_lat, gal_lon=gal_lon,
        exp_start=start, exposure=None if setup.exptime == "missing" else frame,
        ins_mode=band.keywords.get("INS MODE"), instrument=e.instrument_name,
        last_mod_date=start + timedelta(hours=3), release_date=start + timedelta(days=365, hours=3),
        mjd_obs=e.t_min, ob_id=e.ob_id, ob_name=e.ob_name, object=e.target_name,
        target=e.target_name, obs_mode="s", origfile=f"{e.instrument_name}_{e.ob_id}.fits",
        period=int(period[0]) if period else None, prog_type=1,
        pi_coi=f"PI OF {e.progid}", prog_id=e.progid, prog_title=f"SIMULATION {e.progid}",
        s_region=f"POSITION J2000 {e.log_ra:.6f} {e.log_dec:.5f}",
        tel_airm_start=e.airmass_start, tel_airm_end=e.airmass_end,
        tel_alt=None if altitude is None else round(altitude, 3),
        tel_ambi_fwhm_start=e.seeing_start, tel_ambi_fwhm_end=e.seeing_end,
        tel_ambi_pres_start=e.pressure, tel_ambi_pres_end=e.pressure, tel_ambi_rhum=e.humidity,
        telescope=f"ESO-VLTI-{kind}{'1234'[: len(e.stations)]}",
        tpl_expno=e.template_number, tpl_id=e.template_id, tpl_name="Simulated exposures",
        tpl_nexp=e.template_total, tpl_seqno=1, tpl_start=e.template_start,
    )  # fmt: skip
    return row


_CHARA_COLUMNS = _words(
    "UT-DATE STAR PROGRAM COMBINER TYPE MJD FILTER SCOPES POPS T0_500nm RA DEC PMRA PMDEC EXPTIME"
)


def chara_log(exposures: Iterable[Exposure]) -> str:
    """The log of CHARA of some exposures: CSV with the columns of CHARA's own, and a position."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_CHARA_COLUMNS)
    for e in exposures:
        if e.facility_name != "CHARA" or e.t_min is None:
            raise ValueError(f"{e.exposure_id}: not of CHARA, or without a time")
        table.writerow(
            [
                e.header_id.split(".")[1][:10], e.target_name, e.progid, e.instrument_name,
                e.dpr_type, f"{e.t_min:.8f}", e.instrument_mode, "-".join(e.stations), e.pops,
                None if e.tau0_start is None else f"{e.tau0_start * 1000:.3f}",
                e.log_ra, e.log_dec, e.pm_ra, e.pm_dec, e.t_exptime,
            ]
        )  # fmt: skip
    return text.getvalue()


#: Columns of dbo.raw, in its order.
ARCHIVE_COLUMNS = _words(
    "access_estsize access_url datalink_url date_obs dec dec_pnt det_chip1id det_chop_ncycles"
    " det_dit det_expid det_ndit dp_cat dp_id dp_tech dp_type ecl_lat ecl_lon exp_start exposure"
    " filter_path gal_lat gal_lon grat_path gris_path ins_mode instrument lambda_max lambda_min"
    " last_mod_date mjd_obs ob_id ob_name object obs_mode origfile period pi_coi prog_id prog_title"
    " prog_type ra ra_pnt release_date s_region slit_path target tel_airm_end tel_airm_start"
    " tel_alt tel_ambi_fwhm_end tel_ambi_fwhm_start tel_ambi_pres_end tel_ambi_pres_start"
    " tel_ambi_rhum tel_az telescope tpl_expno tpl_id tpl_name tpl_nexp tpl_seqno tpl_start"
)


# ---------------------------------------------------------------- the demonstration


def demonstration() -> list[Exposure]:
    """The log that goes with the OIFITS files of `simulate.demonstration`, in the order of time.

    It has the exposures that these files were made of, under the names of raw files that their
    headers give, and some hundred more of the same stars that nobody has reduced.
    """
    made: dict[str, Exposure] = {}
    for instrument, mode, exposure, programme in (*_reduced(), *_unreduced()):
        entry = _demonstrated(instrument, mode, exposure, programme)
        made.setdefault(entry.header_id, entry)
    return sorted(made.values(), key=lambda e: (e.t_min or 0.0, e.header_id))


#: Instrument and mode, what was observed, programme.
_Demonstrated = tuple[str, str | None, simulate.Exposure, str]
_PUBLIC = "999.S-0001(A)"


def _reduced() -> list[_Demonstrated]:
    """What the files were made of."""
    found: list[_Demonstrated] = []

    class Record(simulate._Demonstration):
        """Takes the files down instead of writing them."""

        def add(
            self,
            collection: str,
            name: str,
            facility: Facility,
            setups: Sequence[simulate.Setup],
            exposures: Sequence[simulate.Exposure],
            *,
            header: Mapping[str, str | float | int] | None = None,
            **_: object,
        ) -> None:
            programme = str((header or {}).get("PROG_ID", _PUBLIC))
            found.extend(
                (setup.instrument, setup.mode, exposure, programme)
                for setup in setups
                if setup.instrument != "GRAVITY_FT"  # in the same raw file
                for exposure in exposures
            )

    record = Record(Path())
    for part in (simulate._vlti, simulate._chara, simulate._private):
        part(record)
    return found


def _unreduced() -> list[_Demonstrated]:
    """The same stars in the same season of other years."""
    vlti, chara = _facility("VLTI"), _facility("CHARA")
    arrays = [a.stations for a in _ARRAYS if "GRAVITY" in a.instruments]
    south: list[tuple[simulate.Target, int]] = [
        (simulate.SOUTH_DISK, 2), (simulate.SOUTH_CALIBRATOR, 2), (simulate.SOUTH_BINARY, 6),
        (simulate.SOUTH_GIANT, 6), (simulate.SOUTH_CALIBRATOR_2, 6),
    ]  # fmt: skip
    found: list[_Demonstrated] = []
    for year in range(2016, 2026):
        modes = [("PIONIER", "GRISM-H"), ("GRAVITY", "MEDIUM-COMBINED")]
        modes += [("MATISSE_LM", "SI_PHOT_LM_LOW")] if year > 2019 else []
        instrument, mode = modes[year % len(modes)]
        stations = arrays[year % len(arrays)]
        for target, month in south:
            night = date(year, month, 8 + year % 5)
            for exposure in simulate.around_transit(
                vlti, target, night, (-1.3, -0.4, 0.6, 1.4), stations
            ):
                found.append((instrument, mode, exposure, _PUBLIC))
                if instrument == "MATISSE_LM":
                    found.append(("MATISSE_N", "HIGH_SENS_N_LOW", exposure, _PUBLIC))
    six = ("S1", "S2", "E1", "E2", "W1", "W2")
    for year in range(2018, 2024):
        for target, month in (
            (simulate.NORTH_DISK, 8), (simulate.NORTH_CALIBRATOR, 8), (simulate.NORTH_GIANT, 8),
            (simulate.NORTH_BINARY, 10),
        ):  # fmt: skip
            night = date(year, month, 3)
            found.extend(
                ("MIRCX", "Low_H", exposure, _PUBLIC)
                for exposure in simulate.around_transit(chara, target, night, (-1.0, 0.8), six)
            )
    return found


def _demonstrated(
    instrument: str, mode: str | None, exposure: simulate.Exposure, programme: str
) -> Exposure:
    target = exposure.target
    chara = exposure.stations[0] in _site("CHARA").stations
    site = "CHARA" if chara else "VLTI"
    begin = exposure.mjd - exposure.int_time / 2 / 86400
    late = 40 if instrument == "MATISSE_N" else 0  # ms after the other detector of MATISSE
    moment = _MJD_EPOCH + timedelta(days=begin, milliseconds=late)
    t_min = round(begin + late / DAY, 8)
    t_max = t_min + exposure.int_time / 86400
    instrument = instrument.partition("_")[0]
    em_min, em_max, power = _edges(instrument, mode)
    stations = np.array([_site(site).stations[s] for s in exposure.stations])
    altitudes, lengths, angles = [], [], []
    for mjd in (t_min, t_max):
        altitude, u, v = (
            x[0]
            for x in view(
                site, stations[None], *(np.array([x]) for x in (target.ra, target.dec, mjd))
            )
        )
        first, second = np.array(list(combinations(range(len(stations)), 2))).T
        u, v = u[second] - u[first], v[second] - v[first]
        altitudes.append(float(altitude))
        lengths.append(np.round(np.hypot(u, v), 3).tolist())
        angles.append((np.round(np.degrees(np.arctan2(u, v)) % 360, 3) % 360).tolist())
    science = target.category == "SCI"
    common = Exposure(
        header_id=f"SIMUL.{moment.isoformat(timespec='milliseconds')[:23]}",
        facility_name=site,
        instrument_name=instrument,
        instrument_mode=mode,
        em_min=em_min,
        em_max=em_max,
        em_res_power=power,
        dataproduct_category="SCIENCE" if science else "CALIB",
        target_name=target.name,
        target_names=(target.name,),
        log_ra=target.ra,
        log_dec=target.dec,
        pos_epoch=2000.0,
        t_min=t_min,
        t_max=t_max,
        t_exptime=exposure.int_time,
        stations=exposure.stations,
        baselines=tuple(
            Baseline(*pair, *values)
            for pair, *values in zip(
                combinations(exposure.stations, 2), *lengths, *angles, strict=True
            )
        ),
        progid=programme,
        validation_level=1,
    )
    if chara:
        return replace(
            common,
            header_id=_chara_id(instrument, t_min, target.name),
            dpr_type="OBJ" if science else "CAL1",
            pos_epoch=None,
            progid=f"{moment.year}S-M1",
            pops="1" * len(stations),
        )
    submode = {"GRAVITY": "SINGLE", "MATISSE": "HYBRID"}.get(instrument)
    old = instrument == "PIONIER" and t_min < _mjd(_PIONIER_TECHNIQUE)
    setup, band = _settings()[instrument, mode, submode, "IMAGE" if old else "INTERFEROMETRY"]
    kind = next(
        k for k in _catalogue(_VLTI_SETUPS).values()
        if (k.instrument, k.mode, k.submode, k.technique)
        == (instrument, mode, submode, setup.technique)
    )  # fmt: skip
    # As many frames as fill the exposure, of about the usual length.
    dit = float(f"{band.dit:.1g}")
    rng = np.random.default_rng(round(t_min * DAY))
    noise = rng.standard_normal(4).tolist()
    seeing = round(0.8 * math.exp(0.3 * noise[0]), 2)
    return replace(
        common,
        instrument_submode=submode,
        dpr_catg="SCIENCE" if science else "CALIB",
        dpr_type=setup.types[not science],
        dpr_tech=setup.technique,
        dit=dit,
        ndit=round(exposure.int_time / dit),
        channels="1 3 5 7"[: 2 * len(stations) - 1],
        ob_id=990000 + round(target.ra * 10),
        ob_name=("SCI_" if science else "CAL_") + target.name.replace(" ", "_"),
        template_id=setup.template,
        template_start=f"{moment:%Y-%m-%dT%H:%M:%S}",
        template_number=1,
        template_total=1,
        seeing_start=seeing,
        seeing_end=seeing,
        tau0_start=round(0.0035 / seeing, 6),
        tau0_end=round(0.0035 / seeing, 6),
        temperature=round(12 + 3 * noise[1], 2),
        humidity=round(min(max(18 + 10 * noise[2], 2), 75), 0),
        pressure=round(743.5 + noise[3], 2),
        wind_speed=round(abs(6 + 3 * noise[1]), 2),
        wind_direction=float(round(180 + 60 * noise[2])) % 360,
        airmass_start=round(1 / math.sin(math.radians(altitudes[0])), 3),
        airmass_end=round(1 / math.sin(math.radians(altitudes[1])), 3),
        ft_sensor=setup.ft_sensor,
        ft_status="OFF" if setup.ft_sensor == "NONE" else "ON",
        **_judged(kind, False),
    )
