"""Which facility, instrument and mode an OIFITS file speaks of.

Files spell the same array in dozens of ways ("CHARA_v3", "VLTI Period 89", "g7s6" for JWST) and
put wavelengths, numbers or prisms into INSNAME. ``resources/vocabulary.toml`` is the one place
that says what such strings mean; this module reads it and answers questions. What the vocabulary
does not tell is None, never a guess; callers keep the original string beside our name.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

__all__ = [
    "Facility", "Instrument", "InstrumentMatch", "Keywords", "Mode", "Station", "TelescopeGroup",
    "Vocabulary", "load",
]  # fmt: skip

_FILE = Path(__file__).resolve().parent.parent / "resources" / "vocabulary.toml"

_EARTH_RADIUS = 6.371e6  # m, mean
_WGS84_E2 = 6.69437999014e-3  # square of the first eccentricity
_SAME_PLACE = 10e3  # m
_ON_EARTH = (6.3e6, 6.4e6)  # m, distance of an array from the geocentre

# Of two modes or instruments that both fit, one is chosen if it fits that much better.
_CLEARLY_BETTER = 1.25
# EFF_WAVE/EFF_BAND says nothing of the mode where channels are spaced that much wider than EFF_BAND
# (binned or picked out by somebody after the pipeline).
_SPARSE_CHANNELS = 2.5

_Pattern = re.Pattern[str]
_T = TypeVar("_T")


class Keywords(Protocol):
    """A FITS header as far as this module cares."""

    def __contains__(self, key: str, /) -> bool: ...

    def __getitem__(self, key: str, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Station:
    """A place for a telescope: offsets (m) to the east, north and up from the array's centre."""

    name: str
    east: float
    north: float
    up: float


@dataclass(frozen=True, slots=True)
class TelescopeGroup:
    """Telescopes of one kind: their diameter (m) and the pattern of the stations they use."""

    name: str
    diameter: float
    stations: _Pattern


@dataclass(frozen=True, eq=False)
class Facility:
    """An array, or a telescope used with an aperture mask.

    Longitude (east) and geodetic latitude are in degrees, the altitude in metres; all three are
    None for a facility in space.
    """

    name: str
    patterns: tuple[_Pattern, ...]
    longitude: float | None
    latitude: float | None
    altitude: float | None
    telescopes: tuple[TelescopeGroup, ...]
    stations: Mapping[str, Station]
    station_aliases: tuple[tuple[_Pattern, str], ...]

    def station_name(self, name: str | None) -> str | None:
        """The usual spelling of a STA_NAME or TEL_NAME ("UT1" is "U1"); None for a blank one."""
        text = (name or "").strip()
        for pattern, usual in self.station_aliases:
            text = pattern.sub(usual, text)
        known = text.upper()
        return (known if known in self.stations else text) or None

    def telescope_group(self, station: str | None) -> TelescopeGroup | None:
        """Which telescopes stand on a station; None when its name tells nothing."""
        name = self.station_name(station)
        if name is None:
            return None
        return next((group for group in self.telescopes if group.stations.search(name)), None)

    def diameter(self, station: str | None) -> float | None:
        """Diameter (m) of the telescope on a station, None when unknown."""
        group = self.telescope_group(station)
        return group.diameter if group else None


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode by its ASPRO2 name.

    ``band``: shortest and longest wavelength (m); ``resolving_power``: least and greatest
    EFF_WAVE/EFF_BAND of data in this mode; ``setting``: pattern of the joined keywords that name
    the mode; ``insname``: pattern that INSNAME must match where only the resolving power tells;
    ``resolution``: the nominal spectral resolution, as ASPRO2 has it.
    """

    name: str
    band: tuple[float, float]
    resolving_power: tuple[float, float] | None
    setting: _Pattern | None
    insname: _Pattern | None
    resolution: float | None = None


@dataclass(frozen=True, eq=False)
class Instrument:
    """A beam combiner (or masked camera) with its modes; ``wavelength`` in metres."""

    name: str
    facility: Facility
    patterns: tuple[_Pattern, ...]
    wavelength: tuple[float, float]
    keywords: tuple[str, ...]
    modes: tuple[Mode, ...]


@dataclass(frozen=True, slots=True)
class InstrumentMatch:
    """What is known of an INSNAME; None where the vocabulary cannot tell."""

    instrument: Instrument | None
    mode: Mode | None


class Vocabulary:
    """Facilities and instruments, in the order of the file."""

    def __init__(self, facilities: Iterable[Facility], instruments: Iterable[Instrument]) -> None:
        self.facilities = tuple(facilities)
        self.instruments = tuple(instruments)
        self._by_name = {facility.name: facility for facility in self.facilities}
        # all keywords that tell a mode somewhere, so that headers are looked at once
        self._keywords = tuple(dict.fromkeys(k for i in self.instruments for k in i.keywords))

    def facility(self, name: str) -> Facility | None:
        """The facility of exactly that name."""
        return self._by_name.get(name)

    def identify_facility(
        self,
        arrname: str | None = None,
        telescop: str | None = None,
        insname: str | None = None,
        array_xyz: tuple[float, float, float] | None = None,
        frame: str | None = None,
    ) -> Facility | None:
        """The facility that took data, None when nothing tells.

        In this order: ``arrname`` (ARRNAME), ``telescop`` (TELESCOP), the place ``array_xyz``
        (ARRAYX, ARRAYY, ARRAYZ: geocentric, m) unless ``frame`` (FRAME) is SKY, ``insname``
        (INSNAME) if all instruments it can mean are at one facility. Names come first because
        half of the arrays in real files have no place or a wrong one.
        """
        return _facility(self, arrname, telescop, insname, array_xyz, frame)

    def identify_instrument(
        self,
        insname: str | None,
        instrume: str | None = None,
        facility: Facility | None = None,
        *,
        wave_min: float | None = None,
        wave_max: float | None = None,
        resolving_power: float | None = None,
        n_channels: int | None = None,
        keywords: Keywords | None = None,
    ) -> InstrumentMatch:
        """The instrument that an INSNAME means, and its mode.

        ``instrume`` (INSTRUME) is asked only when INSNAME tells nothing, and believed only if the
        wavelengths allow it. ``facility`` excludes
        instruments of other facilities, None excludes none. ``wave_min`` and ``wave_max`` (m) are
        the ends of the recorded band and choose between instruments that share an INSNAME
        (MYSTIC's data that call themselves MIRCX). ``keywords`` is the primary header
        (names without HIERARCH, as "ESO INS MODE").

        The mode is the one whose ``setting`` the header or INSNAME names; of several, the one whose
        band fits clearly best. Where none is named, the modes whose range has ``resolving_power``
        (median EFF_WAVE/EFF_BAND) compete the same way.
        """
        said: tuple[tuple[str, str], ...] = ()
        if keywords is not None:
            said = tuple((k, str(keywords[k])) for k in self._keywords if k in keywords)
        band = _band(wave_min, wave_max)
        return _match(self, insname, instrume, facility, band, resolving_power, n_channels, said)


@lru_cache(maxsize=1)
def load() -> Vocabulary:
    """The vocabulary of ``resources/vocabulary.toml``, read once.

    Raises ValueError with the entry's name where the file is not as its own header says.
    """
    with _FILE.open("rb") as stream:
        content = tomllib.load(stream)
    facilities = {entry["name"]: _facility_entry(entry) for entry in content["facility"]}
    return Vocabulary(
        facilities.values(),
        [_instrument_entry(entry, facilities) for entry in content["instrument"]],
    )


def _facility_entry(entry: Mapping[str, Any]) -> Facility:
    try:
        return Facility(
            name=entry["name"],
            patterns=_patterns(entry["patterns"]),
            longitude=entry.get("longitude"),
            latitude=entry.get("latitude"),
            altitude=entry.get("altitude"),
            telescopes=tuple(
                TelescopeGroup(name, group["diameter"], _pattern(group["stations"]))
                for name, group in entry.get("telescopes", {}).items()
            ),
            stations=MappingProxyType(
                {name: Station(name, *enu) for name, enu in entry.get("stations", {}).items()}
            ),
            station_aliases=tuple(
                (_pattern(pattern), usual)
                for pattern, usual in entry.get("station_aliases", {}).items()
            ),
        )
    except (KeyError, TypeError, re.error) as error:
        raise ValueError(f"{_FILE.name}: facility {entry.get('name')}: {error!r}") from error


def _instrument_entry(entry: Mapping[str, Any], facilities: Mapping[str, Facility]) -> Instrument:
    try:
        return Instrument(
            name=entry["name"],
            facility=facilities[entry["facility"]],
            patterns=_patterns(entry["patterns"]),
            wavelength=_range(entry["wavelength"]),
            keywords=tuple(entry.get("keywords", ())),
            modes=tuple(
                Mode(
                    name=mode["name"],
                    band=_range(mode["band"]),
                    resolving_power=(
                        _range(mode["resolving_power"]) if "resolving_power" in mode else None
                    ),
                    setting=_pattern(mode["setting"]) if "setting" in mode else None,
                    insname=_pattern(mode["insname"]) if "insname" in mode else None,
                    resolution=mode.get("resolution"),
                )
                for mode in entry.get("modes", ())
            ),
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise ValueError(f"{_FILE.name}: instrument {entry.get('name')}: {error!r}") from error


def _pattern(text: str) -> _Pattern:
    return re.compile(text, re.IGNORECASE)


def _patterns(texts: Iterable[str]) -> tuple[_Pattern, ...]:
    return tuple(_pattern(text) for text in texts)


def _range(values: Iterable[float]) -> tuple[float, float]:
    low, high = values
    if not low < high:
        raise ValueError(f"[{low}, {high}] is no range")
    return low, high


def _band(wave_min: float | None, wave_max: float | None) -> tuple[float, float] | None:
    if wave_min is None or wave_max is None or not 0.0 < wave_min <= wave_max < math.inf:
        return None
    return wave_min, wave_max


def _names(patterns: Iterable[_Pattern], text: str | None) -> bool:
    value = (text or "").strip()
    return bool(value) and any(pattern.search(value) for pattern in patterns)


@lru_cache(maxsize=4096)
def _facility(
    vocabulary: Vocabulary,
    arrname: str | None,
    telescop: str | None,
    insname: str | None,
    array_xyz: tuple[float, float, float] | None,
    frame: str | None,
) -> Facility | None:
    for text in (arrname, telescop):
        for facility in vocabulary.facilities:
            if _names(facility.patterns, text):
                return facility
    if array_xyz is not None and (frame or "").strip().upper() != "SKY":
        for facility in vocabulary.facilities:
            if _is_at(facility, array_xyz):
                return facility
    instruments = [i for i in vocabulary.instruments if _names(i.patterns, insname)]
    places = {instrument.facility for instrument in instruments}
    return places.pop() if len(places) == 1 else None


def _is_at(facility: Facility, xyz: tuple[float, float, float]) -> bool:
    """Whether a geocentric position (m) is that of a facility, to 10 km.

    Many writers turned geodetic coordinates into XYZ on a sphere, which shifts the place by up to
    20 km in latitude: both readings of the latitude count.
    """
    if facility.longitude is None or facility.latitude is None:
        return False
    x, y, z = xyz
    equatorial = math.hypot(x, y)
    if not _ON_EARTH[0] < math.hypot(equatorial, z) < _ON_EARTH[1]:
        return False
    longitude = math.degrees(math.atan2(y, x))
    east = (longitude - facility.longitude + 180.0) % 360.0 - 180.0
    east *= math.cos(math.radians(facility.latitude))
    return any(
        math.radians(math.hypot(east, math.degrees(latitude) - facility.latitude)) * _EARTH_RADIUS
        < _SAME_PLACE
        for latitude in (
            math.atan2(z, equatorial),
            math.atan2(z, equatorial * (1.0 - _WGS84_E2)),
        )
    )


@lru_cache(maxsize=4096)
def _match(
    vocabulary: Vocabulary,
    insname: str | None,
    instrume: str | None,
    facility: Facility | None,
    band: tuple[float, float] | None,
    resolving_power: float | None,
    n_channels: int | None,
    said: tuple[tuple[str, str], ...],
) -> InstrumentMatch:
    here = [i for i in vocabulary.instruments if facility in (None, i.facility)]
    named = [i for i in here if _names(i.patterns, insname)]
    if not named:
        named = [
            i
            for i in here
            if _names(i.patterns, instrume) and (band is None or _overlap(i.wavelength, band) > 0.0)
        ]
    fits = [_overlap(instrument.wavelength, band) for instrument in named]
    instrument = named[0] if len(named) == 1 else _best(named, fits)
    if instrument is None:
        return InstrumentMatch(None, None)

    header = dict(said)
    settings = {"INSNAME": insname or ""}
    settings.update((key, header[key]) for key in instrument.keywords if key in header)
    text = "; ".join(f"{key}={value}" for key, value in settings.items())
    modes = [mode for mode in instrument.modes if mode.setting and mode.setting.search(text)]
    if len(modes) == 1:
        return InstrumentMatch(instrument, modes[0])
    if not modes and _tells_mode(resolving_power, n_channels, band):
        modes = [mode for mode in instrument.modes if _agrees(mode, insname, resolving_power)]
    fits = [_overlap(mode.band, band) for mode in modes]
    return InstrumentMatch(instrument, _best(modes, fits))


def _tells_mode(
    resolving_power: float | None, n_channels: int | None, band: tuple[float, float] | None
) -> bool:
    if resolving_power is None or band is None:
        return False
    if n_channels is None or n_channels < 3 or band[0] == band[1]:
        return True
    sampled = 0.5 * (band[0] + band[1]) * n_channels / (band[1] - band[0])
    return resolving_power < _SPARSE_CHANNELS * sampled


def _agrees(mode: Mode, insname: str | None, resolving_power: float | None) -> bool:
    if mode.resolving_power is None or resolving_power is None:
        return False
    low, high = mode.resolving_power
    if not low <= resolving_power <= high:
        return False
    return mode.insname is None or bool(mode.insname.search((insname or "").strip()))


def _overlap(allowed: tuple[float, float], band: tuple[float, float] | None) -> float:
    """Common part of two wavelength ranges over what they cover together: 0 apart, 1 the same.

    A single wavelength counts as a hundredth of itself wide.
    """
    if band is None:
        return 0.0
    low, high = band
    if high - low < 0.01 * low:
        middle = 0.5 * (low + high)
        low, high = 0.995 * middle, 1.005 * middle
    common = min(high, allowed[1]) - max(low, allowed[0])
    return max(common, 0.0) / (max(high, allowed[1]) - min(low, allowed[0]))


def _best(candidates: Sequence[_T], fits: Sequence[float]) -> _T | None:
    """The candidate that fits clearly best, None when there is none."""
    ranked = sorted(range(len(fits)), key=fits.__getitem__, reverse=True)
    if not ranked or fits[ranked[0]] <= 0.0:
        return None
    if len(ranked) > 1 and fits[ranked[0]] < _CLEARLY_BETTER * fits[ranked[1]]:
        return None
    return candidates[ranked[0]]
