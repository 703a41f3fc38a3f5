"""From an OIFITS file to granules: one target, one INSNAME, one local night.

A granule is a row of the OiDB and of ObsCore; its values follow the definitions of ObsCore 1.1
(Louys et al. 2017) and of its extension for visibility data, in MJD (UTC), degrees (ICRS) and
metres. What the file does not tell is None. What it tells wrongly is detected and named in
``quality_flags``; the value is then None, and the file itself, which is kept, holds the original.
Nothing is repaired: rows that refer to a target or set-up that the file does not define make no
granule, but a note.

P05 is OIFITS 1 (Pauls et al. 2005, PASP 117, 1255), D17 is OIFITS 2 (Duvert et al. 2017,
A&A 597, A8).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest import geometry
from ingest.oifits import ArrayTable, DataTable, OIFits, WavelengthTable
from ingest.provenance import Provenance, provenance
from ingest.targets import Targets
from ingest.vocabulary import Facility, Instrument, InstrumentMatch, Mode, Vocabulary

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
_Number = TypeVar("_Number", bound=np.generic)
#: Numbers of rows of a table, or all of them.
RowSelection = Integers | slice

#: Every flag that a granule, or a note on a file, can carry, and what it says.
QUALITY_FLAGS: dict[str, str] = {
    "all_flagged": (
        "Every value of the granule is flagged or not finite; band and uv coverage are those of "
        "all."
    ),
    "array_unknown": (
        "ARRNAME is missing or names no OI_ARRAY of the file: stations are unknown unless the "
        "file has exactly one OI_ARRAY."
    ),
    "bandwidth_doubtful": (
        "EFF_BAND is missing, not positive or wider than the wavelength itself in some channel; "
        "such channels have no width here."
    ),
    "category_conflict": (
        "OI_TARGET calls the target science and the primary header calibrator, or the reverse; "
        "the category is unknown."
    ),
    "channel_mismatch": (
        "A data column has another number of channels than the OI_WAVELENGTH table it refers "
        "to; its flags do not narrow the band."
    ),
    "equinox_not_2000": "EQUINOX is given and is not 2000: the position is not ICRS.",
    "facility_unknown": (
        "The vocabulary knows no facility for this ARRNAME, TELESCOP, INSNAME or place."
    ),
    "flagged_channels": "Channels without any unflagged finite value are left out of the band.",
    "insname_repeated": (
        "Another INSNAME of the file has the same wavelengths: probably one set-up under "
        "several names."
    ),
    "instrument_unknown": "The vocabulary knows no instrument for this INSNAME.",
    "int_time_implausible": (
        "INT_TIME is longer than 20000 s and cannot be seconds; t_exptime is unknown."
    ),
    "int_time_milliseconds": (
        "INT_TIME is evidently not in seconds (PIONIER before July 2013 wrote milliseconds, and "
        "of more than the exposure); t_exptime is unknown."
    ),
    "int_time_missing": (
        "INT_TIME is zero, negative, infinite or not a number in some rows, or in all; these "
        "rows are left out of t_exptime."
    ),
    "mjd_is_jd": "MJD holds Julian Dates; 2400000.5 was subtracted.",
    "no_position": (
        "RAEP0 and DECEP0 are missing, zero or outside their range; the position is unknown."
    ),
    "no_time": "No row of the granule has a plausible time (1980 to 2100).",
    "res_power_doubtful": (
        "The channels are more than three times wider or narrower than their spacing, or finer "
        "than the instrument resolves: em_res_power from EFF_BAND may not be the resolving power."
    ),
    "rows_without_time": "Flagged rows without a plausible MJD (1980 to 2100) are left out.",
    "same_target_twice": "Several OI_TARGET rows of the file lie within 5 arcsec of this target.",
    "several_arrays": "The rows name more than one ARRNAME of one facility.",
    "several_facilities": (
        "The rows name arrays of different facilities; the one with most rows is given."
    ),
    "station_unknown": "STA_INDEX refers to a station that OI_ARRAY does not list.",
    "target_id_repeated": "OI_TARGET lists this TARGET_ID more than once; the first row counts.",
    "target_name_suffix": (
        "The target name ends with a number in brackets, as software adds to a name it meets again."
    ),
    "target_unnamed": "The target has no name.",
    "telescope_positions_doubtful": (
        "Projected baselines are longer than the stations are apart, or stations share a place; "
        "tel_min_dist and tel_max_dist are unknown."
    ),
    "time_from_time_column": (
        "MJD is a whole day; the hour comes from TIME (and the day from DATE-OBS where MJD is "
        "not plausible)."
    ),
    "time_of_day_unknown": (
        "MJD is a whole day in all rows and nothing tells the hour; the night may be wrong by one."
    ),
    "unknown_insname": "Rows whose INSNAME names no OI_WAVELENGTH table make no granule.",
    "unknown_target": "Rows whose TARGET_ID is not in OI_TARGET make no granule.",
    "uv_missing": (
        "u and v are missing, not finite, both zero or beyond 100 km in some rows; these have no "
        "baseline."
    ),
    "wavelength_implausible": "Some EFF_WAVE lie outside 0.1 to 1000 micrometres and are left out.",
}

#: MJD of 1980 January 1 and 2100 January 1; times outside are not observations.
_FIRST_MJD, _LAST_MJD = 44239.0, 88069.0
#: Julian Dates of 1968 to 2132.
_FIRST_JD, _LAST_JD = 2440000.0, 2500000.0
_DAY = 86400.0
#: Seconds that hold a night with its longest exposures, and more.
_FAR = 1e6
#: No exposure lasts longer than this, s.
_LONGEST_EXPOSURE = 20000.0
#: PIONIER's pipeline wrote INT_TIME in milliseconds until July 2013.
_PIONIER_SECONDS_SINCE = 56500.0
_LONGEST_PIONIER_EXPOSURE = 3600.0
#: What an instrument resolves at most, where its files may give the width of a pixel in EFF_BAND:
#: AMBER's gratings resolve 12000 (Petrov et al. 2007, A&A 464, 1).
_HIGHEST_POWER = {"AMBER": 15000.0}
_SHORTEST_WAVE, _LONGEST_WAVE = 1e-7, 1e-3
#: No optical array is that large, m.
_LONGEST_BASELINE = 1e5
#: Stands for the night of rows that have no time; later than any MJD.
_NO_NIGHT = 99999

#: The data tables. Where several have one station pair at one time, the first tells the baseline.
_KINDS = ("OI_VIS2", "OI_VIS", "OI_T3", "OI_FLUX")
#: The columns that hold a table's values; a point is there when one of them is finite.
_OBSERVABLES = {
    "OI_VIS": ("VISAMP", "VISPHI"),
    "OI_VIS2": ("VIS2DATA",),
    "OI_T3": ("T3AMP", "T3PHI"),
    "OI_FLUX": ("FLUXDATA", "FLUX"),
}
#: Stations of the pairs whose (u, v) ``DataTable.uv`` gives.
_PAIRS = {"OI_VIS": ((0, 1),), "OI_VIS2": ((0, 1),), "OI_T3": ((0, 1), (1, 2), (0, 2))}


class Baseline(NamedTuple):
    """A station pair at one time as seen from the target."""

    #: Names; None when the file does not tell.
    station1: str | None
    station2: str | None
    #: Mid-exposure, MJD UTC.
    mjd: float | None
    #: From station 1 to station 2 as the file has it, m.
    u: float
    v: float
    #: Projected, m and degrees (north through east).
    length: float
    position_angle: float
    #: s; None when missing or implausible.
    int_time: float | None
    #: Mean of the unflagged finite squared visibilities over the channels.
    vis2: float | None
    #: Mean error of the same channels: errors of one baseline are mostly calibration, hence common.
    vis2_err: float | None
    #: Number of unflagged finite channels.
    nb_channels: int


@dataclass(slots=True)
class Granule:
    """One target, one INSNAME, one night; names are those of the table ``oidb.granule``."""

    #: Number in the file, from 0: targets in file order, then INSNAME, then night.
    number: int
    target_name: str | None
    #: degrees, as the file gives them.
    s_ra: float | None
    s_dec: float | None
    #: SCIENCE, CALIB or None.
    category: str | None
    #: As the file has it.
    insname: str
    #: Canonical names of the vocabulary; None when it knows none.
    facility_name: str | None
    instrument_name: str | None
    instrument_mode: str | None
    #: As the file has them.
    arrnames: list[str]
    #: Civil date of the evening at the array.
    night: str | None
    #: Begin and end, MJD UTC.
    t_min: float | None
    t_max: float | None
    #: Time on target, s: each instant once over all station pairs and tables.
    t_exptime: float | None
    #: Median INT_TIME, s.
    t_resolution: float | None
    #: Number of integrations.
    t_xel: int | None
    #: INT_TIME as written, whatever its unit.
    int_time_min: float | None
    int_time_max: float | None
    #: Edges of the band, m.
    em_min: float | None
    em_max: float | None
    em_res_power: float | None
    em_xel: int
    #: arcsec, for the shortest and the longest wavelength.
    s_resolution: float | None
    s_resolution_max: float | None
    #: Diameter, degrees: longest wavelength over the diameter of the largest telescope.
    s_fov: float | None
    #: arcsec: middle of the band over the shortest baseline.
    s_largest_angular_scale: float | None
    o_ucd: str | None
    pol_states: str | None
    pol_xel: int | None
    #: Rows.
    nb_vis: int
    nb_vis2: int
    nb_t3: int
    nb_flux: int
    #: Unflagged finite values.
    nb_vis_points: int
    nb_vis2_points: int
    nb_t3_points: int
    nb_flux_points: int
    nb_channels: int
    #: Sorted.
    stations: list[str]
    #: m.
    uv_distance_min: float | None
    uv_distance_max: float | None
    uv_distribution_ecc: float | None
    uv_distribution_fill: float | None
    tel_number: int | None
    #: Distances between the stations on the ground and diameter of the largest telescope, m.
    tel_min_dist: float | None
    tel_max_dist: float | None
    tel_diameter: float | None
    #: Sorted; keys of QUALITY_FLAGS.
    quality_flags: list[str]
    baselines: list[Baseline]


@dataclass(slots=True)
class Extraction:
    """What ``extract`` finds in a file."""

    granules: list[Granule]
    provenance: Provenance
    #: Names of one position, each group in file order; components of a pair are not a group.
    aliases: list[tuple[str, ...]]
    #: On the file as a whole: a key of QUALITY_FLAGS and a sentence.
    notes: list[tuple[str, str]]
    #: The rows of each granule, in the order of ``granules``: row numbers (or all rows) by the HDU
    #: number of their table.
    rows: list[dict[int, RowSelection]]


class _Stations:
    """The stations of a file under one numbering: arrays of one facility share their stations."""

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self.diameters: list[float | None] = []
        #: Place on the ground in m; comparable between stations of the same array only.
        self.places: list[tuple[float, float, float] | None] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._distances: dict[tuple[int, ...], tuple[float, float] | None] = {}

    def number(
        self,
        key: tuple[object, ...],
        name: str | None,
        diameter: float | None,
        place: tuple[float, float, float] | None,
    ) -> int:
        """The number of a station, a new one the first time its key is met."""
        if key not in self._numbers:
            self._numbers[key] = len(self.names)
            self.names.append(name)
            self.diameters.append(diameter)
            self.places.append(place)
        return self._numbers[key]

    def distances(self, stations: tuple[int, ...]) -> tuple[float, float] | None:
        """Least and greatest distance between stations in m; None unless all places are known."""
        if stations not in self._distances:
            places = [self.places[station] for station in stations]
            pairs = [
                math.dist(one, other)
                for n, one in enumerate(places)
                for other in places[:n]
                if one is not None and other is not None
            ]
            complete = len(pairs) == len(places) * (len(places) - 1) // 2
            self._distances[stations] = (min(pairs), max(pairs)) if pairs and complete else None
        return self._distances[stations]


class _Array:
    """What the file and the vocabulary tell of one ARRNAME."""

    def __init__(
        self, oifits: OIFits, table: DataTable, vocabulary: Vocabulary, stations: _Stations
    ) -> None:
        self.arrname = table.arrname
        array = oifits.array(table.arrname)
        self.unknown = array is None
        if self.arrname is None and len(oifits.arrays) == 1:
            array = oifits.arrays[0]
        self._array = array
        self._stations = stations
        self._numbers: dict[int, int] = {}
        centre = array.centre if array else None
        frame = array.frame if array else None
        self.facility: Facility | None = vocabulary.identify_facility(
            self.arrname or (array.arrname if array else None),
            oifits.primary.text("TELESCOP"),
            table.insname,
            centre,
            frame,
        )
        # The known site first: half of the OI_ARRAY tables have no place or a wrong one.
        self.longitude = 0.0
        if self.facility is not None and self.facility.longitude is not None:
            self.longitude = self.facility.longitude
        elif centre is not None and (frame or "").upper() != "SKY":
            self.longitude = geometry.longitude(*centre) or 0.0

    def station_numbers(self, sta_index: Integers) -> Integers:
        """The file's numbers of the stations with these STA_INDEX, same shape."""
        indices = sta_index.ravel().tolist()
        for index in set(indices) - self._numbers.keys():
            self._numbers[index] = self._number(index)
        return np.array([self._numbers[i] for i in indices], np.int64).reshape(sta_index.shape)

    @cached_property
    def _places(self) -> dict[int, tuple[float, float, float]]:
        return _places(self._array)

    def _number(self, index: int) -> int:
        facility = self.facility
        name = (self._array.stations.get(index) if self._array else None) or None
        diameter = self._array.diameters.get(index) if self._array else None
        if diameter is not None:
            diameter = round(diameter, 3)  # single precision in the file
        where, place = self.arrname, None
        if name is not None and facility is not None:
            where = facility.name
            name, place, usual = _known_station(facility, name)
            diameter = diameter or usual
        place = place or self._places.get(index)
        return self._stations.number((where, name or index), name, diameter, place)


@lru_cache(maxsize=4096)
def _known_station(
    facility: Facility, name: str
) -> tuple[str, tuple[float, float, float] | None, float | None]:
    """Usual spelling of a station's name, its place and the diameter of its telescope in m."""
    name = facility.station_name(name) or name
    site = facility.stations.get(name)
    place = None if site is None else (site.east, site.north, site.up)
    return name, place, facility.diameter(name)


def _places(table: ArrayTable | None) -> dict[int, tuple[float, float, float]]:
    """STAXYZ by STA_INDEX, unless all are zero or missing, as many writers leave them."""
    if table is None:
        return {}
    index, xyz = table.integers("STA_INDEX"), table.values("STAXYZ")
    if index is None or xyz is None or xyz.shape[1] != 3 or not xyz.any():
        return {}
    return {
        number: (x, y, z)
        for number, (x, y, z) in zip(index.tolist(), xyz.tolist(), strict=True)
        if math.hypot(x, y, z) < 1e7  # m; from the array's centre, or that of the Earth
    }


@dataclass(frozen=True, slots=True)
class _Band:
    """The spectral values of some channels: edges in m, resolving power."""

    em_min: float | None
    em_max: float | None
    power: float | None
    power_is_doubtful: bool


class _Setup:
    """What the file tells of one INSNAME."""

    def __init__(self, table: WavelengthTable, insname: str) -> None:
        self.insname = insname
        wave = table.wavelength
        self.wave: Floats = np.full(table.rows, np.nan) if wave is None else wave
        self.channels = self.wave.size
        band = table.bandwidth
        self._width: Floats = np.full(self.channels, np.nan) if band is None else band
        self.flags: set[str] = set()
        self._usable: Booleans = (self.wave >= _SHORTEST_WAVE) & (self.wave <= _LONGEST_WAVE)
        if not self._usable.all():
            self.flags.add("wavelength_implausible")
        self._wide: Booleans = self._usable & (self._width > 0) & (self._width <= self.wave)
        if not self._wide[self._usable].all():
            self.flags.add("bandwidth_doubtful")
        self.whole = self.band(np.ones(self.channels, np.bool_))

    def band(self, channels: Booleans) -> _Band:
        """The spectral values of these channels; those of implausible wavelength do not count."""
        usable = channels & self._usable
        if not usable.any():
            return _Band(None, None, None, False)
        wave, wide = self.wave[usable], self._wide[usable]
        width = np.where(wide, self._width[usable], 0.0)
        em_min, em_max = float((wave - width / 2).min()), float((wave + width / 2).max())
        if not wide.all():
            wave, width = wave[wide], width[wide]
        if not width.size:
            return _Band(em_min, em_max, None, False)
        doubtful = False
        if width.size > 1:
            wave_sorted = np.sort(wave)
            step = _median(wave_sorted[1:] - wave_sorted[:-1])
            doubtful = not step / 3 <= _median(width) <= 3 * step
        return _Band(em_min, em_max, _median(wave / width), doubtful)

    def ends(self) -> tuple[float, float] | None:
        """Least and greatest plausible EFF_WAVE."""
        wave = self.wave[self._usable]
        return (float(wave.min()), float(wave.max())) if wave.size else None


def _median(values: Floats) -> float:
    """Median of at least one value; numpy's own takes twenty times as long for a few values."""
    ordered = np.sort(values)
    return float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2


class _Table:
    """A data table with the meaning of its rows settled; arrays have one value a row."""

    def __init__(self, data: DataTable, target_id: Integers, setup: _Setup, array: _Array) -> None:
        self.data = data
        self.target_id = target_id
        self.setup = setup
        self.array = array
        self.kind = data.extname
        self.flags: set[str] = set()
        rows, channels = data.rows, setup.channels
        shape = (rows, channels)
        unflagged: Booleans = np.ones(shape, np.bool_)
        if data.flag is not None:
            if data.flag.shape == shape:
                unflagged = ~data.flag
            else:
                self.flags.add("channel_mismatch")
        there: Booleans = np.zeros(shape, np.bool_)
        for name in _OBSERVABLES[self.kind]:
            values = self._column(name, shape)
            if values is not None:
                there |= np.isfinite(values)
            if there.all():
                break
        #: Unflagged finite values, shape (rows, channels).
        self.usable: Booleans = np.logical_and(unflagged, there)
        self.good: Booleans = np.logical_or.reduce(unflagged, axis=1)
        self.points: Integers = np.add.reduce(self.usable, axis=1, dtype=np.int64)
        sta_index = data.sta_index
        #: The file's numbers of the stations, shape (rows, 1, 2 or 3); None when not told.
        self.stations = None if sta_index is None else array.station_numbers(sta_index)
        nothing: Floats = np.full(rows, np.nan)
        self.mjd = nothing if data.mjd is None else data.mjd
        self.int_time = nothing if data.int_time is None else data.int_time
        self.vis2, self.vis2_err = nothing, nothing
        if self.kind == "OI_VIS2":
            self.vis2 = self._mean(self._column("VIS2DATA", shape))
            self.vis2_err = self._mean(self._column("VIS2ERR", shape))
        elif self.kind == "OI_VIS" and data.header.text("AMPTYP") == "absolute":
            # A visibility only then (D17 table 7).
            amplitude, error = self._column("VISAMP", shape), self._column("VISAMPERR", shape)
            if amplitude is not None:
                self.vis2 = self._mean(amplitude * amplitude)
                if error is not None:
                    self.vis2_err = self._mean(2 * np.abs(amplitude) * error)

    def _column(self, name: str, shape: tuple[int, ...]) -> Floats | None:
        values = self.data.values(name)
        if values is not None and values.shape != shape:
            self.flags.add("channel_mismatch")
            return None
        return values

    def _mean(self, values: Floats | None) -> Floats:
        """Mean of the usable finite values of each row; NaN where there is none."""
        if values is None:
            return np.full(self.data.rows, np.nan)
        usable = self.usable & np.isfinite(values)
        total = np.add.reduce(np.where(usable, values, 0.0), axis=1)
        mean: Floats = total / np.add.reduce(usable, axis=1, dtype=np.int64)
        return mean


def _stack(columns: list[NDArray[_Number]]) -> NDArray[_Number]:
    """A column of all tables of a file, one below the other."""
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _plausible(mjd: Floats) -> Booleans:
    return (mjd >= _FIRST_MJD) & (mjd < _LAST_MJD)


def _times(table: DataTable, mjd: Floats) -> tuple[Floats, set[str]]:
    """Mid-exposure of each row, MJD UTC, NaN where nothing tells; and the flags this raises."""
    flags: set[str] = set()
    known = _plausible(mjd)
    if not known.all():
        julian = (mjd > _FIRST_JD) & (mjd < _LAST_JD)
        if julian.any():
            flags.add("mjd_is_jd")
            mjd = np.where(julian, mjd - 2400000.5, mjd)
            known = _plausible(mjd)
        mjd = np.where(known, mjd, np.nan)
    time = table.time
    if time is None or not time.any():
        return mjd, flags
    # TIME counts the seconds since midnight of DATE-OBS (P05 section 6.4).
    usable = np.isfinite(time) & (time != 0) & (np.abs(time) < 2 * _DAY)
    if (usable & known).any() and (mjd == np.floor(mjd))[known].all():
        flags.add("time_from_time_column")
        mjd = np.where(usable & known, mjd + time / _DAY, mjd)
    day = geometry.mjd_of_date(table.header.text("DATE-OBS") or "")
    dated = usable & ~known
    if day is not None and _FIRST_MJD <= day < _LAST_MJD and dated.any():
        flags.add("time_from_time_column")
        mjd = np.where(dated, day + time / _DAY, mjd)
    return mjd, flags


def extract(oifits: OIFits, vocabulary: Vocabulary) -> Extraction:
    """The granules of a file, its provenance, the names its targets share, and notes on the file.

    Never raises on what the tables say; only UnreadableFile where a column cannot be read.
    """
    # Any number may stand in a file: what comes of it is looked at where it matters.
    with np.errstate(all="ignore"):
        return _Extractor(oifits, vocabulary).extraction()


@dataclass(slots=True)
class _Rows:
    """The rows of all data tables of a file, one value each."""

    #: Number of the granule.
    granule: Integers
    #: Number of the kind of table in _KINDS.
    kind: Integers
    mjd: Floats
    int_time: Floats
    #: Some channel is not flagged.
    good: Booleans
    points: Integers
    vis2: Floats
    vis2_err: Floats

    def take(self, rows: Booleans) -> _Rows:
        return _Rows(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(slots=True)
class _Part:
    """Some rows of a table, all of one granule."""

    table: _Table
    rows: RowSelection
    count: int

    def used(self) -> Booleans:
        """Channels with a usable value, shape (channels,)."""
        channels: Booleans = np.logical_or.reduce(self.table.usable[self.rows], axis=0)
        return channels


@dataclass(slots=True)
class _Draft:
    """What is known of a granule so far."""

    target_id: int
    setup: _Setup
    night: int
    parts: list[_Part] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    facility: Facility | None = None
    instrument: Instrument | None = None
    mode: Mode | None = None


class _Extractor:
    """One run over a file.

    Files hold many short tables and many granules. So what concerns rows is computed once for all
    rows of the file, with the number of the granule beside each.
    """

    def __init__(self, oifits: OIFits, vocabulary: Vocabulary) -> None:
        self.oifits = oifits
        self.vocabulary = vocabulary
        self.stations = _Stations()
        self.notes: list[tuple[str, str]] = []
        self.targets = Targets(oifits)
        first = {table.insname: table for table in reversed(oifits.wavelengths) if table.insname}
        #: By INSNAME, in its order.
        self.setups = {name: _Setup(first[name], name) for name in sorted(first)}
        self._mark_repeated_setups()
        self._arrays: dict[tuple[str | None, str | None], _Array] = {}
        self._instruments: dict[tuple[str, Facility | None], InstrumentMatch] = {}
        self._polarisations: dict[str, str | None] = {}
        #: TARGET_ID and INSNAME some of whose rows are left out.
        self._incomplete: set[tuple[int, str]] = set()
        self.tables = [table for data in oifits.data if (table := self._table(data))]

    def _mark_repeated_setups(self) -> None:
        grids: dict[bytes, _Setup] = {}
        for setup in self.setups.values():
            other = grids.setdefault(setup.wave.tobytes(), setup)
            if other is not setup and setup.channels:
                setup.flags.add("insname_repeated")
                other.flags.add("insname_repeated")

    def _table(self, data: DataTable) -> _Table | None:
        """The table, or a note when its rows cannot be in a granule."""
        if data.rows == 0:
            return None
        setup = self.setups.get(data.insname or "")
        if setup is None:
            self._note(
                "unknown_insname",
                f"{data.place}: INSNAME '{data.insname or ''}' names no OI_WAVELENGTH table; "
                f"the {data.rows} rows make no granule.",
            )
            return None
        if data.target_id is None:
            self._note(
                "unknown_target",
                f"{data.place}: there is no column TARGET_ID; the {data.rows} rows make no "
                "granule.",
            )
            return None
        key = (data.arrname, None if data.arrname else data.insname)
        if key not in self._arrays:
            self._arrays[key] = _Array(self.oifits, data, self.vocabulary, self.stations)
        return _Table(data, data.target_id, setup, self._arrays[key])

    def _note(self, flag: str, sentence: str) -> None:
        self.notes.append((flag, sentence))

    def extraction(self) -> Extraction:
        """The result; call it once."""
        granules: list[Granule] = []
        drafts: list[_Draft] = []
        if self.tables:
            drafts, numbers = self._number_granules()
            granules = self._granules(drafts, numbers)
        return Extraction(
            granules,
            provenance(self.oifits.primary),
            self.targets.aliases(),
            self.notes,
            [{part.table.data.hdu: part.rows for part in draft.parts} for draft in drafts],
        )

    def _settle_times(self) -> None:
        """Give every table its times as MJD, or NaN."""
        mjd = _stack([table.mjd for table in self.tables])
        if _plausible(mjd).all() and (mjd != np.floor(mjd)).all():
            return
        for table in self.tables:
            table.mjd, flags = _times(table.data, table.mjd)
            table.flags |= flags

    def _number_granules(self) -> tuple[list[_Draft], Integers]:
        """The granules, and for each row of the file the number of its granule, -1 for none."""
        tables = self.tables
        self._settle_times()
        sizes = [table.data.rows for table in tables]
        longitudes = [table.array.longitude for table in tables]
        mjd = _stack([table.mjd for table in tables])
        evening = geometry.night(
            mjd, longitudes[0] if len(set(longitudes)) == 1 else np.repeat(longitudes, sizes)
        )
        night = np.where(np.isnan(evening), _NO_NIGHT, evening).astype(np.int64)

        target_ids = _stack([table.target_id for table in tables])
        order = {target_id: n for n, target_id in enumerate(self.targets.rows)}
        target = np.array([order.get(number, -1) for number in target_ids.tolist()])
        known = target >= 0
        if not known.all():
            self._note_strangers(target_ids, known, sizes)
        rank = {name: n for n, name in enumerate(self.setups)}
        setup = np.repeat([rank[table.setup.insname] for table in tables], sizes)
        pair = target * len(rank) + setup
        if (night == _NO_NIGHT).any():
            known &= ~self._ghosts(pair, night, target_ids)

        span = _NO_NIGHT + 1
        of_row = np.where(known, pair * span + night, -1).tolist()
        keys = sorted(set(of_row) - {-1})
        number = {key: n for n, key in enumerate(keys)}
        numbers: Integers = np.array([number.get(key, -1) for key in of_row])
        targets, setups = list(self.targets.rows), list(self.setups.values())
        drafts = [
            _Draft(targets[key // span // len(rank)], setups[key // span % len(rank)], key % span)
            for key in keys
        ]
        self._share_out(drafts, numbers)
        return drafts, numbers

    def _note_strangers(self, target_ids: Integers, known: Booleans, sizes: list[int]) -> None:
        """A note for each table with rows of a target that OI_TARGET does not list."""
        ends = np.cumsum(sizes).tolist()
        for table, start, end in zip(self.tables, [0, *ends], ends, strict=False):
            strangers = np.unique(target_ids[start:end][~known[start:end]]).tolist()
            if strangers:
                self._note(
                    "unknown_target",
                    f"{table.data.place}: OI_TARGET does not list TARGET_ID "
                    f"{', '.join(map(str, strangers))}; the rows make no granule.",
                )

    def _ghosts(self, pair: Integers, night: Integers, target_ids: Integers) -> Booleans:
        """Rows that have no time and are flagged, where other rows of the pair have a time."""
        good = _stack([table.good for table in self.tables])
        ghosts: Booleans = np.zeros(pair.size, np.bool_)
        for number in np.unique(pair[night == _NO_NIGHT]).tolist():
            timeless = (pair == number) & (night == _NO_NIGHT)
            timed = (pair == number) & (night != _NO_NIGHT)
            if number < 0 or not timed.any() or good[timeless].any():
                continue
            ghosts |= timeless
            target_id = int(target_ids[timeless][0])
            insname = list(self.setups)[number % len(self.setups)]
            self._incomplete.add((target_id, insname))
            self._note(
                "rows_without_time",
                f"{np.count_nonzero(timeless)} rows of TARGET_ID {target_id}, INSNAME "
                f"'{insname}' have no plausible MJD and are flagged; they are left out.",
            )
        return ghosts

    def _share_out(self, drafts: list[_Draft], numbers: Integers) -> None:
        """Give each granule its rows of each table."""
        start = 0
        for table in self.tables:
            mine = numbers[start : start + table.data.rows]
            start += mine.size
            first = int(mine[0])
            if (mine == first).all():
                if first >= 0:
                    drafts[first].parts.append(_Part(table, slice(None), mine.size))
                continue
            for number in np.unique(mine).tolist():
                if number >= 0:
                    rows = np.flatnonzero(mine == number)
                    drafts[number].parts.append(_Part(table, rows, rows.size))

    def _rows(self, numbers: Integers) -> _Rows:
        sizes = [table.data.rows for table in self.tables]
        return _Rows(
            numbers,
            np.repeat([_KINDS.index(table.kind) for table in self.tables], sizes),
            _stack([table.mjd for table in self.tables]),
            _stack([table.int_time for table in self.tables]),
            _stack([table.good for table in self.tables]),
            _stack([table.points for table in self.tables]),
            _stack([table.vis2 for table in self.tables]),
            _stack([table.vis2_err for table in self.tables]),
        )

    def _instrument(self, setup: _Setup, facility: Facility | None) -> InstrumentMatch:
        key = (setup.insname, facility)
        if key not in self._instruments:
            ends = setup.ends() or (None, None)
            self._instruments[key] = self.vocabulary.identify_instrument(
                setup.insname,
                self.oifits.primary.text("INSTRUME"),
                facility,
                wave_min=ends[0],
                wave_max=ends[1],
                resolving_power=setup.whole.power,
                n_channels=setup.channels,
                keywords=self.oifits.primary,
            )
        return self._instruments[key]

    def _polarisation(self, insname: str) -> str | None:
        if insname not in self._polarisations:
            self._polarisations[insname] = _polarisation(self.oifits, insname)
        return self._polarisations[insname]

    def _granules(self, drafts: list[_Draft], numbers: Integers) -> list[Granule]:
        rows, legs = self._rows(numbers), _legs(self.tables)
        belongs = numbers >= 0
        if not belongs.all():
            rows, legs = rows.take(belongs), legs.of_rows(belongs)
        for draft in drafts:
            self._identify(draft)
        exposures = _exposures(rows, drafts)
        coverages = _coverages(rows, legs, drafts, exposures, self.stations)
        contents = zip(drafts, exposures, coverages, _counts(rows, len(drafts)), strict=True)
        return [self._granule(number, *content) for number, content in enumerate(contents)]

    def _identify(self, draft: _Draft) -> None:
        """Facility, instrument and mode, and the flags of all that the granule is made of."""
        draft.flags |= self.targets.rows[draft.target_id].flags | draft.setup.flags
        for part in draft.parts:
            draft.flags |= part.table.flags
        if (draft.target_id, draft.setup.insname) in self._incomplete:
            draft.flags.add("rows_without_time")
        draft.facility = _facility(draft.parts, draft.flags)
        match = self._instrument(draft.setup, draft.facility)
        draft.instrument, draft.mode = match.instrument, match.mode
        if draft.instrument is None:
            draft.flags.add("instrument_unknown")
        elif draft.facility is None:
            draft.facility = draft.instrument.facility
        if draft.facility is None:
            draft.flags.add("facility_unknown")

    def _granule(
        self,
        number: int,
        draft: _Draft,
        exposure: _Exposure,
        coverage: _Coverage,
        contents: dict[str, tuple[int, int]],
    ) -> Granule:
        setup, parts, flags = draft.setup, draft.parts, draft.flags
        target = self.targets.rows[draft.target_id]
        used = parts[0].used()
        for part in parts[1:]:
            if used.all():
                break
            used |= part.used()
        band = setup.whole
        if not used.any():
            flags.add("all_flagged")
        elif not used.all():
            flags.add("flagged_channels")
            band = setup.band(used)
        name = draft.instrument.name if draft.instrument else ""
        if band.power_is_doubtful or (band.power or 0.0) > _HIGHEST_POWER.get(name, math.inf):
            flags.add("res_power_doubtful")
        em_min, em_max = band.em_min, band.em_max

        for part in parts:
            if part.table.kind == "OI_FLUX" and part.table.stations is not None:
                coverage.stations.update(part.table.stations[part.rows].ravel().tolist())
        stations = tuple(sorted(coverage.stations))
        names = [self.stations.names[station] for station in stations]
        if None in names:
            flags.add("station_unknown")
        # Without names nothing tells whether two arrays have a station in common.
        arrnames = {part.table.array.arrname for part in parts if part.table.array.arrname}
        countable = None not in names or len(arrnames) < 2
        number_of_telescopes = len(stations) or None if countable else None
        known = [self.stations.diameters[station] for station in stations]
        diameter = max((d for d in known if d is not None), default=None)
        shortest, longest = coverage.shortest, coverage.longest
        ground = self.stations.distances(stations)
        # A projection is never longer than the line; 2 per cent for positions of poor precision.
        if ground and (ground[0] == 0 or (longest is not None and longest > 1.02 * ground[1])):
            flags.add("telescope_positions_doubtful")
            ground = None
        pol_states = self._polarisation(setup.insname)
        return Granule(
            number=number,
            target_name=target.name,
            s_ra=target.ra,
            s_dec=target.dec,
            category=self.targets.category(target, flags),
            insname=setup.insname,
            facility_name=draft.facility.name if draft.facility else None,
            instrument_name=name or None,
            instrument_mode=draft.mode.name if draft.mode else None,
            arrnames=sorted(arrnames),
            night=None if draft.night == _NO_NIGHT else geometry.civil_date(draft.night),
            t_min=exposure.t_min,
            t_max=exposure.t_max,
            t_exptime=exposure.total,
            t_resolution=exposure.typical,
            t_xel=exposure.integrations,
            int_time_min=exposure.int_time_min,
            int_time_max=exposure.int_time_max,
            em_min=em_min,
            em_max=em_max,
            em_res_power=band.power,
            em_xel=setup.channels,
            s_resolution=geometry.resolution(em_min, longest) if em_min and longest else None,
            s_resolution_max=geometry.resolution(em_max, longest) if em_max and longest else None,
            s_fov=geometry.field_of_view(em_max, diameter) if em_max and diameter else None,
            s_largest_angular_scale=(
                geometry.largest_scale((em_min + em_max) / 2, shortest)
                if em_min and em_max and shortest
                else None
            ),
            o_ucd=_o_ucd(contents),
            pol_states=pol_states,
            pol_xel=pol_states.count("/") - 1 if pol_states else None,
            nb_vis=contents["OI_VIS"][0],
            nb_vis2=contents["OI_VIS2"][0],
            nb_t3=contents["OI_T3"][0],
            nb_flux=contents["OI_FLUX"][0],
            nb_vis_points=contents["OI_VIS"][1],
            nb_vis2_points=contents["OI_VIS2"][1],
            nb_t3_points=contents["OI_T3"][1],
            nb_flux_points=contents["OI_FLUX"][1],
            nb_channels=setup.channels,
            stations=sorted(name for name in names if name is not None),
            uv_distance_min=shortest,
            uv_distance_max=longest,
            uv_distribution_ecc=coverage.eccentricity,
            uv_distribution_fill=coverage.fill,
            tel_number=number_of_telescopes,
            tel_min_dist=ground[0] if ground else None,
            tel_max_dist=ground[1] if ground else None,
            tel_diameter=diameter,
            quality_flags=sorted(flags),
            baselines=coverage.baselines,
        )


def _facility(parts: list[_Part], flags: set[str]) -> Facility | None:
    """The facility of most rows; flags when arrays or facilities are several or unknown."""
    count: dict[Facility, int] = {}
    for part in parts:
        array = part.table.array
        if array.facility is not None:
            count[array.facility] = count.get(array.facility, 0) + part.count
        if array.unknown:
            flags.add("array_unknown")
    if len(count) > 1:
        flags.add("several_facilities")
    elif len({part.table.array.arrname for part in parts}) > 1:
        flags.add("several_arrays")
    return max(count, key=lambda facility: count[facility]) if count else None


def _counts(rows: _Rows, granules: int) -> list[dict[str, tuple[int, int]]]:
    """Rows and usable points of each granule by kind of table."""
    cell = rows.granule * len(_KINDS) + rows.kind
    cells = granules * len(_KINDS)
    count, points = (
        np.bincount(cell, weights, cells).astype(np.int64).reshape(granules, len(_KINDS)).tolist()
        for weights in (None, rows.points)
    )
    return [
        dict(zip(_KINDS, zip(*both, strict=True), strict=True))
        for both in zip(count, points, strict=True)
    ]


def _is_early_pionier(draft: _Draft) -> bool:
    """True when INT_TIME was still written in milliseconds."""
    instrument = draft.instrument
    return (
        instrument is not None
        and instrument.name == "PIONIER"
        and draft.night < _PIONIER_SECONDS_SINCE
    )


@dataclass(slots=True)
class _Exposure:
    """When and how long; times in s but for t_min and t_max (MJD)."""

    t_min: float | None
    t_max: float | None
    total: float | None
    typical: float | None
    integrations: int | None
    int_time_min: float | None
    int_time_max: float | None
    #: INT_TIME is not in seconds, so that no row has a known one.
    wrong_unit: bool
    #: Rows of one station pair closer in time than this are of the same integration.
    tolerance: float


def _exposures(rows: _Rows, drafts: list[_Draft]) -> list[_Exposure]:
    """Times of each granule.

    ``total`` counts each integration once, whatever the number of station pairs and tables: it is
    the sum of the longest INT_TIME of each group of rows closer in time than half of it, but
    never more than the time that the rows' intervals cover together.

    INT_TIME of PIONIER before July 2013 is in milliseconds, but not those of the exposure: where
    the headers have EXPTIME, it is 5 to 10 times that, and 22 minutes between exposures 11 minutes
    apart occur. So it is not converted: ``total`` is None, and t_min, t_max are those of
    mid-exposure.
    """
    granules = len(drafts)
    granule, int_time = rows.granule, rows.int_time
    counts: Booleans = (int_time > 0) & (int_time < np.inf)
    finite = np.isfinite(int_time)
    all_finite, all_count = bool(finite.all()), bool(counts.all())
    if not all_count:
        for number in set(granule[~counts].tolist()):
            drafts[number].flags.add("int_time_missing")

    typical, wrong_unit = _typical(granule[counts], int_time[counts], drafts)
    if wrong_unit.any():
        counts = counts & ~wrong_unit[granule]
        all_count = False
    tolerance = np.where(typical > 2.0, typical / 2, 1.0)

    timed = ~np.isnan(rows.mjd)
    mjd = rows.mjd if timed.all() else np.where(timed, rows.mjd, 0.0)
    order = np.lexsort((mjd, granule))
    group, mjd = granule[order], mjd[order]
    starts = group.searchsorted(np.arange(granules))
    seconds = (int_time if all_count else np.where(counts, int_time, 0.0))[order]
    half = seconds / (2 * _DAY)
    begin, end = mjd - half, mjd + half
    t_min, t_max = np.minimum.reduceat(begin, starts), np.maximum.reduceat(end, starts)
    written = int_time[order]
    least, greatest = (
        (np.minimum.reduceat(written, starts), np.maximum.reduceat(written, starts))
        if all_finite
        else (
            np.minimum.reduceat(np.where(finite[order], written, np.inf), starts),
            np.maximum.reduceat(np.where(finite[order], written, -np.inf), starts),
        )
    )

    # Seconds since the first begin, with granules so far apart that none touches the next.
    shift = group * _FAR - t_min[group] * _DAY
    middle, begin, end = (mjd * _DAY + shift, begin * _DAY + shift, end * _DAY + shift)
    new = np.ones(group.size, np.bool_)
    new[1:] = middle[1:] - middle[:-1] > tolerance[group[1:]]
    first = new.nonzero()[0]
    integrations = np.bincount(group[first], minlength=granules)
    each_once = np.bincount(group[first], np.maximum.reduceat(seconds, first), granules)
    by_begin = begin.argsort(kind="stable")
    begin, end = begin[by_begin], end[by_begin]
    until = np.maximum.accumulate(end)
    begin[1:] = np.maximum(begin[1:], until[:-1])
    covered = np.bincount(group, np.maximum(end - begin, 0.0), granules)
    total = np.minimum(each_once, covered)

    whole = mjd == np.floor(mjd)
    whole_days = np.bincount(group, whole, granules) == np.bincount(group, minlength=granules)
    result = []
    columns = (t_min, t_max, total, typical, integrations, least, greatest)
    for number, (begins, ends, spent, usual, count, shortest, longest) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        has_time = ends >= _FIRST_MJD
        if not has_time:
            drafts[number].flags.add("no_time")
        elif whole_days[number]:
            drafts[number].flags.add("time_of_day_unknown")
        has_length = usual > 0
        result.append(
            _Exposure(
                t_min=begins if has_time else None,
                t_max=ends if has_time else None,
                total=spent if has_time and has_length else None,
                typical=usual if has_length else None,
                integrations=count if has_time else None,
                int_time_min=_finite(shortest),
                int_time_max=_finite(longest),
                wrong_unit=bool(wrong_unit[number]),
                tolerance=float(tolerance[number]),
            )
        )
    return result


def _typical(granule: Integers, int_time: Floats, drafts: list[_Draft]) -> tuple[Floats, Booleans]:
    """Median of the positive INT_TIME of each granule in s, NaN where unknown; and whether they are
    evidently not seconds."""
    granules = len(drafts)
    typical = np.full(granules, np.nan)
    wrong_unit: Booleans = np.zeros(granules, np.bool_)
    if not int_time.size:
        return typical, wrong_unit
    ordered = int_time[np.lexsort((int_time, granule))]
    count = np.bincount(granule, minlength=granules)
    there = count > 0
    start, count = (np.cumsum(count) - count)[there], count[there]
    typical[there] = (ordered[start + (count - 1) // 2] + ordered[start + count // 2]) / 2
    longest = np.zeros(granules)
    longest[there] = ordered[start + count - 1]
    early_pionier = np.array([_is_early_pionier(draft) for draft in drafts])
    milliseconds = early_pionier & (typical > _LONGEST_PIONIER_EXPOSURE)
    wrong_unit = milliseconds | (longest > _LONGEST_EXPOSURE)
    for number in np.flatnonzero(wrong_unit).tolist():
        drafts[number].flags.add(
            "int_time_milliseconds" if milliseconds[number] else "int_time_implausible"
        )
    typical[wrong_unit] = np.nan
    return typical, wrong_unit


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclass(slots=True)
class _Legs:
    """The station pairs of rows, one value each; a row of OI_T3 has three."""

    #: Number of the row among all rows of the file.
    row: Integers
    #: The file's numbers of the stations, -1 when not told.
    first: Integers
    second: Integers
    u: Floats
    v: Floats

    def take(self, index: Integers | Booleans) -> _Legs:
        return _Legs(*(getattr(self, name)[index] for name in self.__slots__))

    def of_rows(self, wanted: Booleans) -> _Legs:
        """The legs of these rows, with the rows numbered anew."""
        legs = self.take(wanted[self.row])
        legs.row = (np.cumsum(wanted) - 1)[legs.row]
        return legs


def _legs(tables: list[_Table]) -> _Legs:
    """The station pairs of all rows of a file."""
    parts = []
    start = 0
    for table in tables:
        row = np.arange(start, start + table.data.rows)
        start += row.size
        if table.kind == "OI_FLUX":
            continue
        stations = table.stations
        for (i, j), (u, v) in zip(_PAIRS[table.kind], table.data.uv(), strict=False):
            if stations is None:
                nobody: Integers = np.full(row.size, -1, np.int64)
                parts.append((row, nobody, nobody, u, v))
            else:
                parts.append((row, stations[:, i], stations[:, j], u, v))
    if not parts:
        none, nowhere = np.zeros(0, np.int64), np.zeros(0)
        return _Legs(none, none, none, nowhere, nowhere)
    return _Legs(*map(np.concatenate, zip(*parts, strict=True)))


@dataclass(slots=True)
class _Coverage:
    """Station pairs and times of a granule."""

    baselines: list[Baseline]
    #: Numbers of the stations of all rows, flagged or not.
    stations: set[int]
    #: Of the unflagged baselines, or of all when there is none, m.
    shortest: float | None
    longest: float | None
    eccentricity: float | None
    fill: float | None


def _coverages(
    rows: _Rows,
    legs: _Legs,
    drafts: list[_Draft],
    exposures: list[_Exposure],
    stations: _Stations,
) -> list[_Coverage]:
    """The baselines of each granule, each station pair and time once, by time."""
    granules = len(exposures)
    result = [_Coverage([], set(), None, None, None, None) for _ in exposures]
    granule = rows.granule[legs.row]
    numbers = granule.tolist()
    for index in (legs.first, legs.second):
        for number, station in set(zip(numbers, index.tolist(), strict=True)):
            if station >= 0:
                result[number].stations.add(station)

    length = geometry.length(legs.u, legs.v)
    there = (length > 0) & (length < _LONGEST_BASELINE)
    if not there.all():
        for number in set(granule[~there].tolist()):
            drafts[number].flags.add("uv_missing")
        legs, length = legs.take(there), length[there]
    kept = _once(rows, legs, length, exposures, len(stations.names))
    if not kept.size:
        return result

    legs, length = legs.take(kept), length[kept]
    granule, good = rows.granule[legs.row], rows.good[legs.row]
    _add_baselines(result, granule, rows, legs, length, exposures, stations)
    if not good.all():
        good |= (np.bincount(granule, good, granules) == 0)[granule]
        granule, legs, length = granule[good], legs.take(good), length[good]
    there = np.bincount(granule, minlength=granules) > 0
    starts = granule.searchsorted(np.flatnonzero(there))
    shortest = np.minimum.reduceat(length, starts).tolist()
    longest = np.maximum.reduceat(length, starts).tolist()
    eccentricity, fill = geometry.uv_distribution(legs.u, legs.v, granule, granules)
    for n, number in enumerate(np.flatnonzero(there).tolist()):
        coverage = result[number]
        coverage.shortest, coverage.longest = shortest[n], longest[n]
        coverage.eccentricity = _finite(eccentricity[number])
        coverage.fill = _finite(fill[number])
    return result


def _once(
    rows: _Rows, legs: _Legs, length: Floats, exposures: list[_Exposure], stations: int
) -> Integers:
    """Which legs to keep so that each station pair is there once at each time, by granule and time.

    The same pair in several tables within an integration is taken from the first of _KINDS; legs
    of one kind are the same when time and (u, v) agree to 1 mm, in either direction.
    """
    granule, kind = rows.granule[legs.row], rows.kind[legs.row]
    tolerance = np.array([exposure.tolerance for exposure in exposures])
    start = np.array([exposure.t_min or 0.0 for exposure in exposures])
    low, high = np.minimum(legs.first, legs.second), np.maximum(legs.first, legs.second)
    pair = (granule * stations + low) * stations + high  # a number for each
    unknown = low < 0
    if unknown.any():  # no two of these can be called the same
        pair = np.where(unknown, pair.max() + 1 + np.arange(pair.size), pair)
    time = (rows.mjd[legs.row] - start[granule]) * _DAY
    time[np.isnan(time)] = 0.0
    turned = np.where(legs.first > legs.second, -legs.u, legs.u)
    order: Integers = np.lexsort((length, kind, time, pair))
    if order.size < 2:
        return order

    by = [column[order] for column in (pair, time, kind, turned, length)]
    gap_pair, gap_time, gap_kind, gap_u, gap_length = (c[1:] - c[:-1] for c in by)
    same_pair = gap_pair == 0
    twin = same_pair & (gap_time == 0) & (gap_kind == 0)
    twin &= (np.abs(gap_u) < 1e-3) & (np.abs(gap_length) < 1e-3)
    keep = np.ones(order.size, np.bool_)
    keep[1:] = ~twin
    # The best kind of each run of legs of one pair that follow each other within the tolerance.
    run_begins = np.ones(order.size, np.bool_)
    run_begins[1:] = ~(same_pair & (gap_time <= tolerance[granule[order[1:]]]))
    best = np.minimum.reduceat(by[2], run_begins.nonzero()[0])
    keep &= by[2] == best[run_begins.cumsum() - 1]
    kept = order[keep]
    kept.sort()
    by_time: Integers = np.lexsort((time[kept], granule[kept]))
    return kept[by_time]


def _add_baselines(
    coverages: list[_Coverage],
    granule: Integers,
    rows: _Rows,
    legs: _Legs,
    length: Floats,
    exposures: list[_Exposure],
    stations: _Stations,
) -> None:
    """Give each coverage its baselines."""
    row = legs.row
    int_time = rows.int_time[row]
    believed = np.array([not exposure.wrong_unit for exposure in exposures])[granule]
    int_time = np.where(believed & (int_time > 0) & (int_time < np.inf), int_time, np.nan)
    names = [*stations.names, None]  # the last one for -1
    columns = (
        [names[station] for station in legs.first.tolist()],
        [names[station] for station in legs.second.tolist()],
        _known(rows.mjd[row]),
        legs.u.tolist(),
        legs.v.tolist(),
        length.tolist(),
        geometry.position_angle(legs.u, legs.v).tolist(),
        _known(int_time),
        _known(rows.vis2[row]),
        _known(rows.vis2_err[row]),
        rows.points[row].tolist(),
    )
    baselines = list(map(Baseline._make, zip(*columns, strict=True)))
    ends = granule.searchsorted(np.arange(len(coverages)), side="right").tolist()
    for coverage, start, end in zip(coverages, [0, *ends], ends, strict=False):
        coverage.baselines = baselines[start:end]


def _known(values: Floats) -> list[float | None]:
    """The values, None for those that are not finite."""
    known: list[float | None] = values.tolist()
    for index in (~np.isfinite(values)).nonzero()[0].tolist():
        known[index] = None
    return known


def _o_ucd(contents: dict[str, tuple[int, int]]) -> str | None:
    """UCD of the observable (UCD1+ list 1.6), as ObsCore's visibility extension wants it."""
    if any(contents[kind][0] for kind in ("OI_VIS", "OI_VIS2", "OI_T3")):
        return "stat.fourier"
    return "phot.flux.density" if contents["OI_FLUX"][0] else None


def _polarisation(oifits: OIFits, insname: str) -> str | None:
    """ObsCore's /XX/, /YY/ or /XX/YY/ where OI_INSPOL (D17 table 11) says what a set-up lets pass.

    A polarisation counts when its row of the Jones matrix is not all zero.
    """
    states = set()
    for table in oifits.polarisations:
        names = table.texts("INSNAME")
        if names is None or insname not in names:
            continue
        mine = np.array([name == insname for name in names])
        for state, columns in (("XX", ("JXX", "JXY")), ("YY", ("JYY", "JYX"))):
            matrices = [table.table.array(column) for column in columns]
            if any(m is not None and m[mine].any() for m in matrices):
                states.add(state)
    return f"/{'/'.join(sorted(states))}/" if states else None
