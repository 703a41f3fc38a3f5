"""From an OIFITS file to granules: one target, one INSNAME, one local night.

A granule is a row of the OiDB and of ObsCore; its values follow the definitions of ObsCore 1.1 (Louys
et al. 2017) and of its extension for visibility data, in MJD (UTC), degrees (ICRS) and metres. What
the file does not tell is None. What it tells wrongly is detected and named in ``quality_flags``;
the value is then None, and the file itself, which is kept, holds the original. Nothing is repaired:
rows that refer to a target or set-up that the file does not define make no granule, but a note.

P05 is OIFITS 1 (Pauls et al. 2005, PASP 117, 1255), D17 is OIFITS 2 (Duvert et al. 2017,
A&A 597, A8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest import geometry
from ingest.fits import Header
from ingest.oifits import ArrayTable, DataTable, OIFits, TargetTable, WavelengthTable
from ingest.vocabulary import Facility, InstrumentMatch, Vocabulary

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

#: Every flag that a granule, or a note on a file, can carry, and what it says.
QUALITY_FLAGS: dict[str, str] = {
    "all_flagged": "Every value of the granule is flagged as bad; band and uv coverage are those of the flagged values.",
    "array_unknown": "ARRNAME is missing or names no OI_ARRAY of the file: stations are unknown unless the file has exactly one OI_ARRAY.",
    "bandwidth_doubtful": "EFF_BAND is missing, not positive or wider than the wavelength itself in some channel; such channels have no width here.",
    "category_conflict": "OI_TARGET calls the target science and the primary header calibrator, or the reverse; the category is unknown.",
    "channel_mismatch": "A data column has another number of channels than the OI_WAVELENGTH table it refers to; its flags do not narrow the band.",
    "equinox_not_2000": "EQUINOX is neither 2000 nor blank: the position is not ICRS.",
    "facility_unknown": "The vocabulary knows no facility for this ARRNAME.",
    "flagged_channels": "Channels flagged in all rows are left out of the band.",
    "insname_repeated": "Another INSNAME of the file has the same wavelengths: probably one set-up under several names.",
    "instrument_unknown": "The vocabulary knows no instrument for this INSNAME.",
    "int_time_implausible": "INT_TIME is longer than 20000 s and cannot be seconds; t_exptime is unknown.",
    "int_time_milliseconds": "INT_TIME is evidently not in seconds (PIONIER before July 2013 wrote milliseconds, and times that exceed the interval between exposures); t_exptime is unknown.",
    "int_time_missing": "INT_TIME is zero, negative, infinite or not a number in some rows, or in all; these rows are left out of t_exptime.",
    "mjd_is_jd": "MJD holds Julian Dates; 2400000.5 was subtracted.",
    "no_position": "RAEP0 and DECEP0 are missing, zero or outside their range; the position is unknown.",
    "no_time": "No row of the granule has a plausible time (1980 to 2100).",
    "res_power_doubtful": "The channels are more than three times wider or narrower than their spacing: em_res_power from EFF_BAND may not be the resolving power.",
    "rows_without_time": "Flagged rows without a plausible MJD (1980 to 2100) are left out.",
    "same_target_twice": "Several OI_TARGET rows of the file lie within 5 arcsec of this target.",
    "several_arrays": "The rows name more than one ARRNAME of one facility.",
    "several_facilities": "The rows name arrays of different facilities; the one with most rows is given.",
    "station_unknown": "STA_INDEX refers to a station that OI_ARRAY does not list.",
    "target_id_repeated": "OI_TARGET lists this TARGET_ID more than once; the first row counts.",
    "target_name_suffix": "The target name ends with a number in brackets, as software adds to a name it meets again.",
    "target_unnamed": "The target has no name.",
    "telescope_positions_doubtful": "Projected baselines are longer than the distance of the stations in OI_ARRAY; the distances are unknown.",
    "time_from_time_column": "MJD is a whole day; the hour comes from TIME (and the day from DATE-OBS where MJD is not plausible).",
    "time_of_day_unknown": "MJD is a whole day in all rows and nothing tells the hour; the night may be wrong by one.",
    "unknown_insname": "Rows whose INSNAME names no OI_WAVELENGTH table make no granule.",
    "unknown_target": "Rows whose TARGET_ID is not in OI_TARGET make no granule.",
    "uv_missing": "u and v are missing, not finite or both zero in some rows; these have no baseline.",
    "wavelength_implausible": "Some EFF_WAVE lie outside 0.1 to 1000 micrometres and are left out.",
}  # fmt: skip

#: MJD of 1980 January 1 and 2100 January 1; times outside are not observations.
_FIRST_MJD, _LAST_MJD = 44239.0, 88069.0
#: Julian Dates of 1968 to 2132.
_FIRST_JD, _LAST_JD = 2440000.0, 2500000.0
_DAY = 86400.0
#: No exposure lasts longer than this, s.
_LONGEST_EXPOSURE = 20000.0
#: PIONIER's pipeline wrote INT_TIME in milliseconds until July 2013.
_PIONIER_SECONDS_SINCE = 56500.0
_LONGEST_PIONIER_EXPOSURE = 3600.0
_SHORTEST_WAVE, _LONGEST_WAVE = 1e-7, 1e-3
_SAME_STAR = 5.0  # arcsec
#: Night of rows that have no time.
_NO_NIGHT = -1

_COUNTED = ("OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX")
#: The columns that hold a table's values; a point is there when one of them is finite.
_OBSERVABLES = {
    "OI_VIS": ("VISAMP", "VISPHI"),
    "OI_VIS2": ("VIS2DATA",),
    "OI_T3": ("T3AMP", "T3PHI"),
    "OI_FLUX": ("FLUXDATA", "FLUX"),
}
#: Stations of the pairs whose (u, v) ``DataTable.uv`` gives.
_PAIRS = {"OI_VIS": ((0, 1),), "OI_VIS2": ((0, 1),), "OI_T3": ((0, 1), (1, 2), (0, 2))}


@dataclass(slots=True)
class Baseline:
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
class Provenance:
    """Where the file comes from, by its primary header."""

    #: Observing programme.
    obs_prog_id: str | None
    #: Observation block.
    obs_id: str | None
    #: Archive name of the (first) raw file, as written.
    arcfile: str | None
    #: The raw files it was made of, with their category, in the order of the header.
    raw_files: list[tuple[str, str | None]]
    #: Name and version of the software.
    pipeline: str | None
    pro_catg: str | None
    dpr_catg: str | None
    instrume: str | None
    telescop: str | None
    insmode: str | None
    date_obs: str | None
    #: When the file was written.
    date: str | None
    content: str | None
    origin: str | None
    author: str | None
    #: Principal investigator or observer as named; None where the archive hides the name.
    datapi: str | None
    observer: str | None
    #: Row of the SPICA catalogue.
    proposal_subid: str | None
    #: JMMC's scale, 0 to 5.
    quality_level: int | None


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
    rows: list[dict[int, Integers | slice]]


class _Stations:
    """The stations of a file under one numbering: arrays of one facility share their stations."""

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self.diameters: list[float | None] = []
        #: Place on the ground in m; comparable between stations of the same array only.
        self.places: list[tuple[float, float, float] | None] = []
        self._numbers: dict[tuple[object, ...], int] = {}

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


class _Array:
    """What the file and the vocabulary tell of one ARRNAME."""

    def __init__(
        self,
        oifits: OIFits,
        arrname: str | None,
        insname: str | None,
        vocabulary: Vocabulary,
        stations: _Stations,
    ) -> None:
        self.arrname = arrname
        table = oifits.array(arrname)
        #: The rows of the array are not all that the standard wants.
        self.unknown = table is None
        if table is None and arrname is None and len(oifits.arrays) == 1:
            table = oifits.arrays[0]
        self._table = table
        self._stations = stations
        centre = table.centre if table else None
        self.facility: Facility | None = vocabulary.identify_facility(
            arrname or (table.arrname if table else None),
            oifits.primary.text("TELESCOP"),
            insname,
            centre,
            table.frame if table else None,
        )
        self.longitude = self._longitude(centre, table.frame if table else None)
        self._numbers: dict[int, int] = {}
        self._places = _places(table)

    def _longitude(self, centre: tuple[float, float, float] | None, frame: str | None) -> float:
        """Known site first, since half of the OI_ARRAY tables have none or a wrong one; 0 last."""
        if self.facility is not None and self.facility.longitude is not None:
            return self.facility.longitude
        if centre is not None and (frame or "").upper() != "SKY":
            return geometry.longitude(*centre) or 0.0
        return 0.0

    def station_numbers(self, sta_index: Integers) -> Integers:
        """The file's numbers of the stations with these STA_INDEX, same shape."""
        known = self._numbers
        indices = sta_index.ravel().tolist()
        for index in set(indices) - known.keys():
            known[index] = self._number(index)
        return np.array([known[index] for index in indices], np.int64).reshape(sta_index.shape)

    def _number(self, index: int) -> int:
        facility, table = self.facility, self._table
        name = (table.stations.get(index) if table else None) or None
        diameter = table.diameters.get(index) if table else None
        place = self._places.get(index)
        if name is None:
            return self._stations.number((self.arrname, index), None, diameter, place)
        if facility is None:
            return self._stations.number((self.arrname, name), name, diameter, place)
        name = facility.station_name(name)
        if name in facility.stations:
            site = facility.stations[name]
            place = (site.east, site.north, site.up)
        diameter = diameter or facility.diameter(name)
        return self._stations.number((facility.name, name), name, diameter, place)


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
        if np.isfinite((x, y, z)).all()
    }


class _Setup:
    """What the file and the vocabulary tell of one INSNAME."""

    def __init__(self, table: WavelengthTable, insname: str) -> None:
        self.insname = insname
        wave = table.wavelength
        self.wave: Floats = np.zeros(0) if wave is None else wave
        band = table.bandwidth
        self.band: Floats = np.full(self.wave.shape, np.nan) if band is None else band
        self.flags: set[str] = set()
        self.usable: Booleans = (self.wave >= _SHORTEST_WAVE) & (self.wave <= _LONGEST_WAVE)
        if not self.usable.all():
            self.flags.add("wavelength_implausible")
        self.wide: Booleans = self.usable & (self.band > 0) & (self.band <= self.wave)
        if not self.wide[self.usable].all():
            self.flags.add("bandwidth_doubtful")

    def band_edges(self, channels: Booleans) -> tuple[float | None, float | None]:
        """Least EFF_WAVE - EFF_BAND/2 and greatest EFF_WAVE + EFF_BAND/2 of the channels, m."""
        channels = channels & self.usable
        if not channels.any():
            return None, None
        wave = self.wave[channels]
        half = np.where(self.wide, self.band, 0.0)[channels] / 2
        return float((wave - half).min()), float((wave + half).max())

    def resolving_power(self, channels: Booleans) -> float | None:
        """Median EFF_WAVE / EFF_BAND of the channels."""
        channels = channels & self.wide
        return float(np.median(self.wave[channels] / self.band[channels])) if channels.any() else None

    def power_is_doubtful(self, channels: Booleans) -> bool:
        """True when the channels' width is more than three times off their spacing."""
        channels = channels & self.wide
        if np.count_nonzero(channels) < 2:
            return False
        step = float(np.median(np.diff(np.sort(self.wave[channels]))))
        band = float(np.median(self.band[channels]))
        return not step / 3 <= band <= 3 * step


class _Rows:
    """The rows of a data table with their meaning settled; arrays have one value a row."""

    def __init__(self, table: DataTable, setup: _Setup, array: _Array) -> None:
        self.table = table
        self.setup = setup
        self.array = array
        self.kind = table.extname
        self.mjd, self.flags = _times(table)
        n = table.rows
        self.int_time: Floats = np.full(n, np.nan) if table.int_time is None else table.int_time

        channels = setup.wave.size
        flag = table.flag
        if flag is None or flag.shape[1] != channels:
            if flag is not None:
                self.flags.add("channel_mismatch")
            flag = np.zeros((n, channels), np.bool_)
        self.unflagged: Booleans = ~flag
        self.good: Booleans = self.unflagged.any(axis=1)
        self.usable = self._usable()
        self.points: Integers = self.usable.sum(axis=1)
        self.vis2, self.vis2_err = self._squared_visibility()
        self.legs = self._legs()

    def _column(self, name: str) -> Floats | None:
        values = self.table.values(name)
        if values is not None and values.shape != self.unflagged.shape:
            self.flags.add("channel_mismatch")
            return None
        return values

    def _usable(self) -> Booleans:
        """Unflagged finite values, shape (rows, channels)."""
        finite: Booleans = np.zeros(self.unflagged.shape, np.bool_)
        for name in _OBSERVABLES[self.kind]:
            values = self._column(name)
            if values is not None:
                finite |= np.isfinite(values)
        return finite & self.unflagged

    def _squared_visibility(self) -> tuple[Floats, Floats]:
        """Mean |V|^2 and mean error over the usable channels; NaN where there is none.

        From VIS2DATA, or from VISAMP where AMPTYP says that it is a visibility (D17 table 6).
        """
        mean = np.full(self.table.rows, np.nan)
        if self.kind == "OI_VIS2":
            values, errors = self._column("VIS2DATA"), self._column("VIS2ERR")
        elif self.kind == "OI_VIS" and self.table.header.text("AMPTYP") == "absolute":
            values, errors = self._column("VISAMP"), self._column("VISAMPERR")
            if values is not None:
                errors = None if errors is None else 2 * np.abs(values) * errors
                values = values * values
        else:
            return mean, mean
        return _row_means(values, self.usable), _row_means(errors, self.usable)

    def _legs(self) -> list[tuple[Integers, Integers, Floats, Floats]]:
        """First station, second station, u, v of each station pair of a row."""
        uv = self.table.uv()
        sta_index = self.table.sta_index
        if sta_index is None:
            nobody: Integers = np.full(self.table.rows, -1, np.int64)
            return [(nobody, nobody, u, v) for u, v in uv]
        numbers = self.array.station_numbers(sta_index)
        if self.kind == "OI_FLUX":
            return []
        pairs = _PAIRS[self.kind]
        return [
            (numbers[:, i], numbers[:, j], u, v)
            for (i, j), (u, v) in zip(pairs, uv, strict=False)
        ]


def _row_means(values: Floats | None, usable: Booleans) -> Floats:
    """Mean of the usable finite values of each row; NaN where there is none."""
    if values is None:
        return np.full(usable.shape[0], np.nan)
    usable = usable & np.isfinite(values)
    count = usable.sum(axis=1)
    total = np.where(usable, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _plausible(mjd: Floats) -> Booleans:
    return (mjd >= _FIRST_MJD) & (mjd < _LAST_MJD)


def _times(table: DataTable) -> tuple[Floats, set[str]]:
    """Mid-exposure of each row, MJD UTC, NaN where nothing tells; and the flags this raises."""
    flags: set[str] = set()
    if table.mjd is None:
        return np.full(table.rows, np.nan), flags
    mjd = table.mjd
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
    if known.any() and (mjd == np.floor(mjd))[known].all():
        if (usable & known).any():
            flags.add("time_from_time_column")
            mjd = np.where(usable & known, mjd + time / _DAY, mjd)
    day = geometry.mjd_of_date(table.header.text("DATE-OBS") or "")
    dated = usable & ~known
    if day is not None and _FIRST_MJD <= day < _LAST_MJD and dated.any():
        flags.add("time_from_time_column")
        mjd = np.where(dated, day + time / _DAY, mjd)
    return mjd, flags


@dataclass(slots=True)
class _Part:
    """Some rows of a table, all of one granule."""

    rows: _Rows
    index: Integers | slice


def _split(rows: _Rows) -> Iterator[tuple[int, int, _Part]]:
    """The rows of a table by TARGET_ID and night (_NO_NIGHT where there is no time)."""
    target_id = rows.table.target_id
    if target_id is None or rows.table.rows == 0:
        return
    night = geometry.night(rows.mjd, rows.array.longitude)
    night = np.where(np.isnan(night), _NO_NIGHT, night).astype(np.int64)
    first_target, first_night = int(target_id[0]), int(night[0])
    if (target_id == first_target).all() and (night == first_night).all():
        yield first_target, first_night, _Part(rows, slice(None))
        return
    for target in np.unique(target_id).tolist():
        mine = target_id == target
        for day in np.unique(night[mine]).tolist():
            yield target, day, _Part(rows, np.flatnonzero(mine & (night == day)))


def extract(oifits: OIFits, vocabulary: Vocabulary) -> Extraction:
    """The granules of a file, its provenance, the names its targets share, and notes on the file.

    Never raises on what the tables say; only UnreadableFile where a column cannot be read.
    """
    return _Extractor(oifits, vocabulary).extraction()


class _Extractor:
    """One run over a file."""

    def __init__(self, oifits: OIFits, vocabulary: Vocabulary) -> None:
        self.oifits = oifits
        self.vocabulary = vocabulary
        self.stations = _Stations()
        self.notes: list[tuple[str, str]] = []
        #: TARGET_ID and INSNAME some of whose rows are left out.
        self.incomplete: set[tuple[int, str]] = set()
        self.targets = _Targets(oifits)
        self.setups = {
            table.insname: _Setup(table, table.insname)
            for table in reversed(oifits.wavelengths)
            if table.insname is not None
        }
        self._mark_repeated_setups()
        self._arrays: dict[tuple[str | None, str | None], _Array] = {}
        #: Rows by TARGET_ID, INSNAME and night.
        self.parts: dict[tuple[int, str, int], list[_Part]] = {}

    def _mark_repeated_setups(self) -> None:
        grids: dict[bytes, _Setup] = {}
        for setup in self.setups.values():
            other = grids.setdefault(setup.wave.tobytes(), setup)
            if other is not setup and setup.wave.size:
                setup.flags.add("insname_repeated")
                other.flags.add("insname_repeated")

    def _array(self, table: DataTable) -> _Array:
        key = (table.arrname, None if table.arrname else table.insname)
        if key not in self._arrays:
            self._arrays[key] = _Array(
                self.oifits, table.arrname, table.insname, self.vocabulary, self.stations
            )
        return self._arrays[key]

    def extraction(self) -> Extraction:
        for table in self.oifits.data:
            self._collect(table)
        self._drop_ghosts()
        order = {target_id: n for n, target_id in enumerate(self.targets.rows)}
        keys = sorted(
            self.parts, key=lambda key: (order[key[0]], key[1], key[2] == _NO_NIGHT, key[2])
        )
        return Extraction(
            [self._granule(number, key) for number, key in enumerate(keys)],
            provenance(self.oifits.primary),
            self.targets.aliases(),
            self.notes,
            [{part.rows.table.hdu: part.index for part in self.parts[key]} for key in keys],
        )

    def _collect(self, table: DataTable) -> None:
        """Sort the rows of a table into granules; a note for those that cannot be in any."""
        setup = self.setups.get(table.insname or "")
        if setup is None:
            self._note(
                "unknown_insname",
                f"{table.place}: INSNAME '{table.insname or ''}' names no OI_WAVELENGTH table; "
                f"its {table.rows} rows make no granule.",
            )
            return
        if table.target_id is None:
            self._note("unknown_target", f"{table.place}: there is no column TARGET_ID.")
            return
        strangers: set[int] = set()
        rows = _Rows(table, setup, self._array(table))
        for target_id, night, part in _split(rows):
            if target_id in self.targets.rows:
                self.parts.setdefault((target_id, setup.insname, night), []).append(part)
            else:
                strangers.add(target_id)
        if strangers:
            names = ", ".join(str(number) for number in sorted(strangers))
            self._note(
                "unknown_target",
                f"{table.place}: OI_TARGET does not list TARGET_ID {names}; the rows make no "
                "granule.",
            )

    def _drop_ghosts(self) -> None:
        """Leave out rows that have no time and are flagged, where other rows have a time."""
        timed = {(target_id, insname) for target_id, insname, n in self.parts if n != _NO_NIGHT}
        for target_id, insname in timed:
            parts = self.parts.get((target_id, insname, _NO_NIGHT), [])
            if parts and not any(part.rows.good[part.index].any() for part in parts):
                del self.parts[target_id, insname, _NO_NIGHT]
                count = sum(part.rows.good[part.index].size for part in parts)
                self.incomplete.add((target_id, insname))
                self._note(
                    "rows_without_time",
                    f"{count} rows of TARGET_ID {target_id}, INSNAME '{insname}' have no "
                    "plausible MJD and are flagged; they are left out.",
                )

    def _note(self, flag: str, sentence: str) -> None:
        self.notes.append((flag, sentence))

    def _instrument(self, setup: _Setup, facility: Facility | None) -> InstrumentMatch:
        wave = setup.wave[setup.usable]
        return self.vocabulary.identify_instrument(
            setup.insname,
            self.oifits.primary.text("INSTRUME"),
            facility,
            wave_min=float(wave.min()) if wave.size else None,
            wave_max=float(wave.max()) if wave.size else None,
            resolving_power=setup.resolving_power(setup.usable),
            n_channels=wave.size,
            keywords=self.oifits.primary,
        )

    def _granule(self, number: int, key: tuple[int, str, int]) -> Granule:
        target_id, insname, night = key
        target, setup, parts = self.targets.rows[target_id], self.setups[insname], self.parts[key]
        flags = target.flags | setup.flags
        for part in parts:
            flags |= part.rows.flags
        if (target_id, insname) in self.incomplete:
            flags.add("rows_without_time")

        facility = _facility(parts, flags)
        instrument = self._instrument(setup, facility)
        if instrument.instrument is None:
            flags.add("instrument_unknown")
        elif facility is None:
            facility = instrument.instrument.facility
        if facility is None:
            flags.add("facility_unknown")

        exposure = _exposure(parts, instrument, flags)
        used = np.zeros(setup.wave.size, np.bool_)
        for part in parts:
            used |= part.rows.usable[part.index].any(axis=0)
        if not used.any():
            flags.add("all_flagged")
            used[:] = True
        elif not used.all():
            flags.add("flagged_channels")
        em_min, em_max = setup.band_edges(used)
        if setup.power_is_doubtful(used):
            flags.add("res_power_doubtful")

        coverage = _coverage(parts, self.stations, exposure, flags)
        stations = sorted(coverage.stations)
        names = [self.stations.names[station] for station in stations]
        if stations and None in names:
            flags.add("station_unknown")
        diameters = [d for d in (self.stations.diameters[s] for s in stations) if d is not None]
        diameter = max(diameters, default=None)
        ground = self._ground_distances(stations, coverage.longest, flags)
        rows = dict.fromkeys(_COUNTED, 0)
        points = dict.fromkeys(_COUNTED, 0)
        for part in parts:
            counted = part.rows.points[part.index]
            rows[part.rows.kind] += counted.size
            points[part.rows.kind] += int(counted.sum())
        pol_states = _polarisation(self.oifits, insname)
        shortest, longest = coverage.shortest, coverage.longest
        return Granule(
            number=number,
            target_name=target.name,
            s_ra=target.ra,
            s_dec=target.dec,
            category=self._category(target, flags),
            insname=insname,
            facility_name=facility.name if facility else None,
            instrument_name=instrument.instrument.name if instrument.instrument else None,
            instrument_mode=instrument.mode.name if instrument.mode else None,
            arrnames=sorted({p.rows.array.arrname for p in parts if p.rows.array.arrname}),
            night=None if night == _NO_NIGHT else geometry.civil_date(night),
            t_min=exposure.t_min,
            t_max=exposure.t_max,
            t_exptime=exposure.total,
            t_resolution=exposure.typical,
            t_xel=exposure.integrations,
            int_time_min=exposure.int_time_min,
            int_time_max=exposure.int_time_max,
            em_min=em_min,
            em_max=em_max,
            em_res_power=setup.resolving_power(used),
            em_xel=setup.wave.size,
            s_resolution=geometry.resolution(em_min, longest) if em_min and longest else None,
            s_resolution_max=geometry.resolution(em_max, longest) if em_max and longest else None,
            s_fov=geometry.field_of_view(em_max, diameter) if em_max and diameter else None,
            s_largest_angular_scale=(
                geometry.largest_scale((em_min + em_max) / 2, shortest)
                if em_min and em_max and shortest
                else None
            ),
            o_ucd=_o_ucd(rows),
            pol_states=pol_states,
            pol_xel=pol_states.count("/") - 1 if pol_states else None,
            nb_vis=rows["OI_VIS"],
            nb_vis2=rows["OI_VIS2"],
            nb_t3=rows["OI_T3"],
            nb_flux=rows["OI_FLUX"],
            nb_vis_points=points["OI_VIS"],
            nb_vis2_points=points["OI_VIS2"],
            nb_t3_points=points["OI_T3"],
            nb_flux_points=points["OI_FLUX"],
            nb_channels=setup.wave.size,
            stations=sorted(name for name in names if name is not None),
            uv_distance_min=shortest,
            uv_distance_max=longest,
            uv_distribution_ecc=geometry.uv_eccentricity(coverage.u, coverage.v),
            uv_distribution_fill=geometry.uv_fill(coverage.u, coverage.v),
            tel_number=len(stations) or None,
            tel_min_dist=ground[0] if ground else None,
            tel_max_dist=ground[1] if ground else None,
            tel_diameter=diameter,
            quality_flags=sorted(flags),
            baselines=coverage.baselines,
        )

    def _category(self, target: _Target, flags: set[str]) -> str | None:
        """SCIENCE or CALIB by OI_TARGET.CATEGORY and the header; None unless they agree."""
        said = {c for c in (target.category, self.targets.header_category) if c is not None}
        if len(said) == 2:
            flags.add("category_conflict")
        return said.pop() if len(said) == 1 else None

    def _ground_distances(
        self, stations: list[int], longest: float | None, flags: set[str]
    ) -> tuple[float, float] | None:
        """Least and greatest distance between stations in m, None unless all places are known."""
        known = [self.stations.places[station] for station in stations]
        places = np.array([place for place in known if place is not None])
        if len(stations) < 2 or len(places) < len(stations):
            return None
        first, second = np.triu_indices(len(places), 1)
        distances = np.sqrt(((places[first] - places[second]) ** 2).sum(axis=1))
        least, greatest = float(distances.min()), float(distances.max())
        # A projection is never longer than the line; 2 per cent for positions of poor precision.
        if least == 0 or (longest is not None and longest > 1.02 * greatest):
            flags.add("telescope_positions_doubtful")
            return None
        return least, greatest


@dataclass(slots=True)
class _Target:
    """One row of OI_TARGET."""

    name: str | None
    ra: float | None
    dec: float | None
    category: str | None
    flags: set[str]


class _Targets:
    """The first OI_TARGET table of a file (there must be only one)."""

    def __init__(self, oifits: OIFits) -> None:
        #: By TARGET_ID, in file order.
        self.rows: dict[int, _Target] = {}
        self.header_category = _header_category(oifits.primary)
        self._all: list[_Target] = []
        if oifits.targets:
            self._read(oifits.targets[0])
        self._groups = self._same_stars()
        for group in self._groups:
            for target in group:
                target.flags.add("same_target_twice")

    def _read(self, table: TargetTable) -> None:
        target_id = table.target_id
        if target_id is None:
            return
        n = table.rows
        names = table.target or [""] * n
        categories = table.texts("CATEGORY") or [""] * n
        missing = [float("nan")] * n
        ra, dec, equinox = (
            missing if column is None else column.tolist()
            for column in map(table.numbers, ("RAEP0", "DECEP0", "EQUINOX"))
        )
        for row, number in enumerate(target_id.tolist()):
            target = _target(names[row], ra[row], dec[row], equinox[row], categories[row])
            self._all.append(target)
            if number in self.rows:
                self.rows[number].flags.add("target_id_repeated")
            self.rows.setdefault(number, target)

    def _same_stars(self) -> list[list[_Target]]:
        """Rows within 5 arcsec of the first of their group, unless components of a pair."""
        groups: list[list[_Target]] = []
        for target in self._all:
            for group in groups:
                if _near(group[0], target) and not any(_is_pair(t, target) for t in group):
                    group.append(target)
                    break
            else:
                groups.append([target])
        return [group for group in groups if len(group) > 1]

    def aliases(self) -> list[tuple[str, ...]]:
        """The different names of one star, for each star that has several."""
        names = [tuple(dict.fromkeys(t.name for t in group if t.name)) for group in self._groups]
        return [group for group in names if len(group) > 1]


def _target(name: str, ra: float, dec: float, equinox: float, category: str) -> _Target:
    flags: set[str] = set()
    if not name:
        flags.add("target_unnamed")
    elif _SUFFIX.search(name):
        flags.add("target_name_suffix")
    known = abs(ra) <= 360 and abs(dec) <= 90 and (ra, dec) != (0, 0)
    if not known:
        flags.add("no_position")
    if np.isfinite(equinox) and equinox not in (0, 2000):
        flags.add("equinox_not_2000")
    return _Target(
        name=name or None,
        ra=ra % 360 if known else None,
        dec=dec if known else None,
        category={"SCI": "SCIENCE", "CAL": "CALIB"}.get(category.upper()),
        flags=flags,
    )


#: A number in brackets at the end of a name: "SPICA(1)".
_SUFFIX = re.compile(r"\s*\(\d+\)$")
_FILLER = re.compile(r"[\s_\-*]+")
#: The component of a multiple star or the letter of a planet at the end of a name.
_COMPONENT = re.compile(r"^(.*?[a-z0-9])[\s_\-]*([A-Ha-h])$")


def _near(one: _Target, other: _Target) -> bool:
    if one.ra is None or one.dec is None or other.ra is None or other.dec is None:
        return False
    east = (one.ra - other.ra + 180) % 360 - 180
    east *= np.cos(np.radians(one.dec))
    return bool(np.hypot(east, one.dec - other.dec) * 3600 < _SAME_STAR)


def _is_pair(one: _Target, other: _Target) -> bool:
    """True for names that differ in nothing but the letter of a component (CO_Ori_A, CO_Ori_B)."""
    stems, letters = [], []
    for name in (one.name or "", other.name or ""):
        name = _SUFFIX.sub("", name)
        match = _COMPONENT.match(name)
        stems.append(_FILLER.sub("", match[1] if match else name).casefold())
        letters.append(match[2] if match else "")
    return stems[0] == stems[1] and letters[0] != letters[1]


def _header_category(header: Header) -> str | None:
    """SCIENCE or CALIB by ESO's DPR CATG, else PRO CATG; PRO SCIENCE is not trusted.

    A product category names what was observed (SINGLE_SCI_VIS_CALIBRATED, TARGET_CAL_INT,
    CALIB_RAW_INT): a target however calibrated is science.
    """
    category = header.text("ESO DPR CATG")
    if category in ("SCIENCE", "CALIB"):
        return category
    words = set((header.text("ESO PRO CATG") or "").split("_"))
    if words & {"SCI", "SCIENCE", "TARGET"}:
        return "SCIENCE"
    return "CALIB" if words & {"CAL", "CALIB"} else None


def _facility(parts: list[_Part], flags: set[str]) -> Facility | None:
    """The facility of most rows; flags when arrays or facilities are several or unknown."""
    count: dict[Facility | None, int] = {}
    for part in parts:
        array = part.rows.array
        count[array.facility] = count.get(array.facility, 0) + part.rows.good[part.index].size
        if array.unknown:
            flags.add("array_unknown")
    known = {facility: n for facility, n in count.items() if facility is not None}
    if len(known) > 1:
        flags.add("several_facilities")
    elif len({part.rows.array.arrname for part in parts}) > 1:
        flags.add("several_arrays")
    return max(known, key=lambda facility: known[facility]) if known else None


@dataclass(slots=True)
class _Exposure:
    """When and how long."""

    t_min: float | None = None
    t_max: float | None = None
    #: s.
    total: float | None = None
    typical: float | None = None
    integrations: int | None = None
    int_time_min: float | None = None
    int_time_max: float | None = None
    #: INT_TIME is not in seconds, so that no row has a known one.
    wrong_unit: bool = False
    #: Rows of one station pair closer in time than this, s, are of the same integration.
    tolerance: float = 1.0


def _exposure(parts: list[_Part], instrument: InstrumentMatch, flags: set[str]) -> _Exposure:
    """Times of a granule.

    ``total`` counts each integration once, whatever the number of station pairs and tables: it is
    the sum of the longest INT_TIME of each group of rows closer in time than half of it, but
    never more than the time that the rows' intervals cover together.

    INT_TIME of PIONIER before July 2013 is in milliseconds, but of more than the exposure: where the
    headers have EXPTIME, it is 5 to 10 times that, and 22 minutes between exposures 10 minutes apart
    occur. So it is not converted: ``total`` is None, and t_min, t_max are those of mid-exposure.
    """
    mjd = np.concatenate([part.rows.mjd[part.index] for part in parts])
    int_time = np.concatenate([part.rows.int_time[part.index] for part in parts])
    exposure = _Exposure()
    finite = int_time[np.isfinite(int_time)]
    if finite.size:
        exposure.int_time_min, exposure.int_time_max = float(finite.min()), float(finite.max())
    counts: Booleans = np.isfinite(int_time) & (int_time > 0)
    if not counts.all():
        flags.add("int_time_missing")

    timed = np.isfinite(mjd)
    if not timed.any():
        flags.add("no_time")
    if counts.any():
        early = instrument.instrument is not None and instrument.instrument.name == "PIONIER"
        early = early and bool(timed.any()) and float(np.nanmin(mjd)) < _PIONIER_SECONDS_SINCE
        if early and float(np.median(int_time[counts])) > _LONGEST_PIONIER_EXPOSURE:
            flags.add("int_time_milliseconds")
            exposure.wrong_unit = True
        elif (int_time[counts] > _LONGEST_EXPOSURE).any():
            flags.add("int_time_implausible")
            exposure.wrong_unit = True
    if exposure.wrong_unit:
        counts = np.zeros_like(counts)
    if counts.any():
        exposure.typical = float(np.median(int_time[counts]))
        exposure.tolerance = max(1.0, exposure.typical / 2)
    if not timed.any():
        return exposure
    if (mjd == np.floor(mjd))[timed].all():
        flags.add("time_of_day_unknown")

    order = np.argsort(mjd[timed], kind="stable")
    seconds = np.where(counts, int_time, 0.0)[timed][order]
    middle = mjd[timed][order]
    begin, end = middle - seconds / (2 * _DAY), middle + seconds / (2 * _DAY)
    exposure.t_min, exposure.t_max = float(begin.min()), float(end.max())
    first = np.flatnonzero(np.diff(middle, prepend=-np.inf) * _DAY > exposure.tolerance)
    exposure.integrations = first.size
    if counts[timed].any():
        each_once = float(np.maximum.reduceat(seconds, first).sum())
        exposure.total = min(each_once, _covered(begin, end) * _DAY)
    return exposure


def _covered(begin: Floats, end: Floats) -> float:
    """Length of the union of intervals."""
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], end[order]
    until = np.maximum.accumulate(end)
    new = begin.copy()
    new[1:] = np.maximum(begin[1:], until[:-1])
    return float(np.maximum(end - new, 0.0).sum())


@dataclass(slots=True)
class _Coverage:
    """Station pairs and times of a granule."""

    baselines: list[Baseline]
    #: Numbers of the stations of all rows, flagged or not.
    stations: set[int]
    #: Unflagged points, or all when there is none, m.
    u: Floats
    v: Floats
    shortest: float | None
    longest: float | None


#: Squared visibilities first: each station pair and time is taken from the first that has it.
_PRIORITY = ("OI_VIS2", "OI_VIS", "OI_T3")


def _coverage(
    parts: list[_Part], stations: _Stations, exposure: _Exposure, flags: set[str]
) -> _Coverage:
    """The baselines of a granule, each station pair and time once, in the order of the file."""
    kept: list[_Legs] = []
    numbers: set[int] = set()
    for kind in _PRIORITY:
        legs = [_legs(part, leg) for part in parts if part.rows.kind == kind for leg in part.rows.legs]
        if not legs:
            continue
        new = _Legs(*map(np.concatenate, zip(*(leg.columns() for leg in legs), strict=True)))
        numbers.update(new.first.tolist(), new.second.tolist())
        there = np.isfinite(new.u) & np.isfinite(new.v) & ((new.u != 0) | (new.v != 0))
        if not there.all():
            flags.add("uv_missing")
            new = new.take(np.flatnonzero(there))
        new = new.take(_distinct(new))
        for old in kept:
            new = new.take(_elsewhere(new, old, exposure.tolerance))
        kept.append(new)
    for part in parts:
        if part.rows.kind == "OI_FLUX" and part.rows.table.sta_index is not None:
            sta_index = part.rows.table.sta_index[part.index]
            numbers.update(part.rows.array.station_numbers(sta_index).ravel().tolist())
    numbers.discard(-1)
    if not kept:
        return _Coverage([], numbers, np.zeros(0), np.zeros(0), None, None)

    legs_ = _Legs(*map(np.concatenate, zip(*(leg.columns() for leg in kept), strict=True)))
    length = geometry.length(legs_.u, legs_.v)
    good = legs_.good if legs_.good.any() else np.ones_like(legs_.good)
    known = legs_.int_time > 0 if not exposure.wrong_unit else np.zeros_like(legs_.good)
    known &= np.isfinite(legs_.int_time)
    names = stations.names
    baselines = [
        Baseline(
            names[first] if first >= 0 else None,
            names[second] if second >= 0 else None,
            mjd if mjd == mjd else None,
            u,
            v,
            b,
            angle,
            seconds if has_time else None,
            vis2 if vis2 == vis2 else None,
            error if error == error else None,
            points,
        )
        for first, second, mjd, u, v, b, angle, seconds, has_time, vis2, error, points in zip(
            legs_.first.tolist(),
            legs_.second.tolist(),
            legs_.mjd.tolist(),
            legs_.u.tolist(),
            legs_.v.tolist(),
            length.tolist(),
            geometry.position_angle(legs_.u, legs_.v).tolist(),
            legs_.int_time.tolist(),
            known.tolist(),
            legs_.vis2.tolist(),
            legs_.vis2_err.tolist(),
            legs_.points.tolist(),
            strict=True,
        )
    ]
    shortest = float(length[good].min()) if length.size else None
    longest = float(length[good].max()) if length.size else None
    return _Coverage(baselines, numbers, legs_.u[good], legs_.v[good], shortest, longest)


@dataclass(slots=True)
class _Legs:
    """Station pairs of rows, one value each; a row of OI_T3 has three."""

    first: Integers
    second: Integers
    u: Floats
    v: Floats
    mjd: Floats
    int_time: Floats
    good: Booleans
    vis2: Floats
    vis2_err: Floats
    points: Integers

    def columns(self) -> tuple[NDArray[np.generic], ...]:
        return (
            self.first, self.second, self.u, self.v, self.mjd, self.int_time, self.good,
            self.vis2, self.vis2_err, self.points,
        )  # fmt: skip

    def take(self, index: Integers) -> _Legs:
        return _Legs(*(column[index] for column in self.columns()))

    def pair(self) -> Integers:
        """A number for each station pair, whatever its order; its own for a pair unknown."""
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        pair = (low << 20) + high
        return np.where(low < 0, -1 - np.arange(low.size), pair)


def _legs(part: _Part, leg: tuple[Integers, Integers, Floats, Floats]) -> _Legs:
    rows, index = part.rows, part.index
    return _Legs(
        *(column[index] for column in leg),
        rows.mjd[index],
        rows.int_time[index],
        rows.good[index],
        rows.vis2[index],
        rows.vis2_err[index],
        rows.points[index],
    )


def _distinct(legs: _Legs) -> Integers:
    """The first of each station pair, time and (u, v) (to 1 mm, either direction)."""
    turned = np.where(legs.first > legs.second, -1.0, 1.0)
    u, v = np.round(legs.u * turned, 3), np.round(legs.v * turned, 3)
    mjd = np.nan_to_num(legs.mjd, nan=0.0)
    pair = legs.pair()
    order = np.lexsort((v, u, mjd, pair))
    new = np.ones(order.size, np.bool_)
    new[1:] = False
    for column in (pair, mjd, u, v):
        new[1:] |= np.diff(column[order]) != 0
    return np.sort(order[new])


def _elsewhere(legs: _Legs, others: _Legs, tolerance: float) -> Integers:
    """Those of ``legs`` whose station pair is not in ``others`` within ``tolerance`` seconds."""
    if not legs.first.size or not others.first.size:
        return np.arange(legs.first.size)
    start = np.nanmin(np.concatenate([legs.mjd, others.mjd, [_LAST_MJD]]))

    def place(some: _Legs) -> Floats:
        # A night has 86400 s, so that pairs stay apart.
        return some.pair() * 1e6 + np.nan_to_num(some.mjd - start, nan=0.0) * _DAY

    mine, taken = place(legs), np.sort(place(others))
    after = np.searchsorted(taken, mine)
    distance = np.minimum(
        np.abs(mine - taken[np.minimum(after, taken.size - 1)]),
        np.abs(mine - taken[np.maximum(after - 1, 0)]),
    )
    return np.flatnonzero(distance > tolerance)


def _o_ucd(rows: dict[str, int]) -> str | None:
    """UCD of the observable (UCD1+ list 1.6), as ObsCore's visibility extension wants it."""
    if rows["OI_VIS"] or rows["OI_VIS2"] or rows["OI_T3"]:
        return "stat.fourier"
    return "phot.flux.density" if rows["OI_FLUX"] else None


def _polarisation(oifits: OIFits, insname: str) -> str | None:
    """ObsCore's /XX/, /YY/ or /XX/YY/ where OI_INSPOL (D17 table 10) says what the set-up lets pass.

    A polarisation counts when a column of the Jones matrix that ends in it is not all zero.
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


#: ESO's archive name of a raw file, at the beginning of a file name.
_ARCHIVE_NAME = re.compile(r"[A-Z0-9_]+\.\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")


def provenance(header: Header) -> Provenance:
    """What a primary header tells of the data's origin; conventions of ESO, CHARA and the JMMC."""

    def first(*keys: str) -> str | None:
        for key in keys:
            value = header.text(key)
            if value and value.upper() not in ("UNKNOWN", "UNDEFINED", "-1"):
                return value
        return None

    level = header.integer("QUALITY LEVEL")
    arcfile = first("ARCFILE")
    return Provenance(
        obs_prog_id=first("ESO OBS PROG ID", "OBS PROG ID", "PROG_ID", "PROGRAM"),
        obs_id=first("ESO OBS ID", "OBS ID"),
        arcfile=arcfile,
        raw_files=_raw_files(header, arcfile),
        pipeline=first("PROCSOFT", "ESO PRO REC1 PIPE ID") or _recipe(header),
        pro_catg=first("ESO PRO CATG"),
        dpr_catg=first("ESO DPR CATG"),
        instrume=first("INSTRUME"),
        telescop=first("TELESCOP"),
        insmode=first("INSMODE"),
        date_obs=first("DATE-OBS"),
        date=first("DATE"),
        content=first("CONTENT"),
        origin=first("ORIGIN"),
        author=first("AUTHOR"),
        datapi=first("DATAPI", "ESO OBS PI-COI NAME", "PI-COI"),
        observer=first("OBSERVER", "ESO OBS OBSERVER"),
        proposal_subid=first("SPICADB-ID"),
        quality_level=level if level is not None and 1 <= level <= 5 else None,
    )


def _recipe(header: Header) -> str | None:
    """Recipe and version, where no pipeline is named."""
    said = [header.text(f"ESO PRO REC1 {key}") for key in ("ID", "VERSION")]
    return " ".join(part for part in said if part) or None


def _raw_files(header: Header, arcfile: str | None) -> list[tuple[str, str | None]]:
    """Archive names of the raw files behind the data, each once, with the category given there.

    From ESO PRO RECn RAWm NAME and CATG of all recipes; a product of an earlier recipe counts when
    its name begins with that of the raw file. The file's own ARCFILE comes last.
    """
    found: dict[str, str | None] = {}
    recipe = 1
    while header.text(f"ESO PRO REC{recipe} RAW1 NAME"):
        raw = 1
        while name := header.text(f"ESO PRO REC{recipe} RAW{raw} NAME"):
            if match := _ARCHIVE_NAME.match(name):
                found.setdefault(match[0], header.text(f"ESO PRO REC{recipe} RAW{raw} CATG"))
            raw += 1
        recipe += 1
    if arcfile and (match := _ARCHIVE_NAME.match(arcfile)):
        found.setdefault(match[0], header.text("ESO DPR CATG"))
    return list(found.items())
