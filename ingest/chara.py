"""Observing logs of CHARA: a row of a table, CSV or VOTable, becomes an exposure.

The columns are those of CHARA's own log: UT-DATE, STAR, PI, PROGRAM, COMBINER, TYPE, MJD, FILTER,
SCOPES, B1, B2, B3, T0_OBS, T0_500nm, and where a log has them position, proper motion, Pipes of
Pan, beams, the end or the duration, weather. ``_COLUMNS`` has the spellings that are understood.
Such logs name no files, so an exposure is named by what does not change when its log is written
again: combiner, UTC to the second, star (``_header_id``).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import combinations
from pathlib import Path

from ingest import geometry, legacy_log, tables
from ingest.exposures import Baseline, Exposure, validated
from ingest.fits import UnreadableFile
from ingest.legacy_log import Log
from ingest.tables import BadRow, Problem, Row
from ingest.vocabulary import Facility, Instrument, Mode, Vocabulary

#: Position (right ascension, declination, degrees, ICRS) of a star's name; None if not known.
Resolver = Callable[[str], tuple[float, float] | None]

#: What a quality flag means that an exposure has from here, beside those of the rules.
FLAGS = {
    "jd_for_mjd": "The log has a Julian date where it says MJD; it was taken for one.",
    "ut_date_differs": "The UT date of the log is not that of its MJD, or cannot be read.",
    "duration_assumed": "The log tells no end; the exposure was taken to last as long as usual.",
    "position_by_name": "The log has no position; it was found by the name of the star.",
    "below_horizon": "The star was below the horizon: its position or the time is wrong.",
    "baselines_differ": "The log's lengths of baselines are not those of the stations.",
    "unknown_station": "A station is not known; there are no baselines with it.",
    "unknown_mode": "The filter tells no mode that is known.",
    "unknown_type": "The type of the star is not one that is known.",
    "pops_unclear": "The Pipes of Pan are not one for each station, 1 to 5.",
}

#: What logs of CHARA lack as a rule is no flaw of one.
_USUAL = ("no_tau0_start", "no_tau0_end", "no_temperature", "no_seeing_start", "no_seeing_end")

_COLUMNS = {
    "combiner": ("combiner", "beamcombiner", "instrument", "instrumentname", "ins"),
    "star": ("star", "starname", "target", "targetname", "object", "name", "source", "starhd"),
    "mjd": ("mjd", "mjdobs", "mjdstart", "mjdutc", "mjdbegin"),
    "jd": ("jd", "julianday", "juliandate"),
    "ut_date": ("utdate", "date", "dateobs", "utcdate", "dateut"),
    "ut_time": ("ut", "uttime", "utc", "time", "timeobs", "utstart", "starttime", "utcstart"),
    "end": ("end", "mjdend", "utend", "endtime", "utcend", "timeend", "endut", "dateend"),
    "duration": ("exptime", "duration", "exposuretime", "inttime", "texptime"),
    "type": ("type", "startype", "objecttype", "category"),
    "filter": ("filter", "mode", "instrumentmode", "insmode", "grism", "dispersion"),
    "scopes": ("scopes", "stations", "telescopes", "tels", "config"),
    "pops": ("pops", "pop", "pipesofpan"),
    "beams": ("beams", "channels"),
    "ra": ("ra", "raj2000", "ra2000", "raicrs", "targetra", "sra", "radeg", "rah", "rahms"),
    "dec": ("dec", "de", "decj2000", "dej2000", "dec2000", "decicrs", "targetdec", "sdec", "decdeg",
            "decdms"),
    "pm_ra": ("pmra", "pma"),
    "pm_dec": ("pmdec", "pmde", "pmd"),
    "epoch": ("epoch", "posepoch"),
    "pi": ("pi", "datapi", "observer"),
    "program": ("program", "programme", "progid", "programid", "prog"),
    "title": ("title", "programtitle", "progtitle"),
    "tau0": ("t0500nm", "tau0", "tau0500nm"),
    "seeing": ("seeing", "fwhm"),
    "temperature": ("temperature", "temp"),
    "humidity": ("humidity", "rh"),
    "pressure": ("pressure",),
    "wind_speed": ("windspeed", "wind"),
    "wind_direction": ("winddirection", "winddir"),
    "airmass": ("airmass",),
}  # fmt: skip

_TYPES: tuple[tuple[re.Pattern[str], str | None], ...] = (
    (re.compile(r"OBJ(ECT)?|SCI(ENCE)?|TARGET", re.IGNORECASE), "SCIENCE"),
    (re.compile(r"CAL(IB(RATOR)?)?\s?\d?", re.IGNORECASE), "CALIB"),
    (re.compile(r"CHE?C?K|UNKNO(WN)?", re.IGNORECASE), None),
)
_JD = 2400000.5
#: CHARA took its first fringes in 1999; what is far from its life is no time.
_MJD = (51000.0, 88000.0)
_LONGEST = 0.5  # d, of an exposure
_FASTEST = 20000.0  # mas/yr; Barnard's star has half of it
_SHORTEST = 1.0 / 86400
#: Coherence times without a unit are ms, unless so short that they can only be seconds.
_SHORTEST_MS = 0.1
_SAME_LENGTH = 3.0  # m, that the lengths of the log may differ from ours

_SCOPE = re.compile(r"([A-OQ-Z]\d)(?:[-:/]?P(\d))?(?:[-:/]?B(\d))?")
_SEPARATOR = re.compile(r"[\s,;:/+_.-]*")
_OF_STATION = re.compile(r"([A-OQ-Z]\d)\s*[-:/=]?\s*[PB]?(\d)")
_SEXAGESIMAL = re.compile(
    r"([+-]?)(\d{1,3})[\s:hd°]\s*(\d{1,2})[\s:m']\s*(\d{1,2}(?:\.\d*)?)\s*(?:s|\"|'')?"
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d*)?))?")
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y%b%d", "%Y-%b-%d", "%Y_%m_%d")


@dataclass(frozen=True, slots=True)
class Projection:
    """Projected baselines of an exposure, and the star's least altitude in degrees."""

    baselines: tuple[Baseline, ...]
    altitude: float


def read_log(
    path: Path,
    vocabulary: Vocabulary,
    resolve: Resolver | None = None,
    duration: float | None = None,
) -> Log:
    """The exposures of a log.

    ``resolve`` finds the positions that the log does not have; ``duration`` (s) is assumed for
    exposures whose end the log does not tell, which have no end otherwise. Answers of the former
    ObsPortal (SPICA's log came by it) are understood as well.

    Raises UnreadableFile where the file is no table, or lacks a column without which there is no
    exposure. A row that cannot be understood is a problem and the others go on; a row that is there
    twice is taken once.
    """
    table = tables.read(path)
    if legacy_log.is_answer(table):
        return legacy_log.from_table(table)
    reader = _Reader(vocabulary, resolve, duration)
    reader.check(table, path)
    log = Log(problems=table.problems)
    seen = set()
    numbers: Counter[str] = Counter()
    for row in table.rows:
        content = tuple(row.cells.items())
        if content in seen or not any(row.cells.values()):
            continue
        seen.add(content)
        try:
            log.exposures.append(reader.exposure(row, numbers))
        except BadRow as error:
            log.problems.append(Problem(table.file, row.line, str(error)))
    log.problems.sort(key=lambda problem: problem.line)
    return log


def project(
    facility: Facility,
    stations: Sequence[str],
    ra: float,
    dec: float,
    t_min: float,
    t_max: float | None,
    motion: tuple[float, float, float] | None = None,
) -> Projection | None:
    """The baselines of all pairs of stations that are known, in the order of ``stations``.

    Position in degrees (ICRS), times in MJD (UTC); without an end only the start is told.
    ``motion``: proper motion (mas/yr; in right ascension times cos dec) and epoch of the position.
    None for a facility without a place. See ``geometry.view`` for method and error.
    """
    if facility.longitude is None or facility.latitude is None:
        return None
    known = [facility.stations[name] for name in stations if name in facility.stations]
    places = [(station.east, station.north, station.up) for station in known]
    if motion is not None:
        ra, dec = geometry.moved(ra, dec, *motion, t_min)
    start = geometry.view(places, facility.longitude, facility.latitude, ra, dec, t_min)
    end = start
    if t_max is not None:
        end = geometry.view(places, facility.longitude, facility.latitude, ra, dec, t_max)
    baselines = []
    for i, j in combinations(range(len(known)), 2):
        length_start, angle_start = start.baseline(i, j)
        length_end, angle_end = end.baseline(i, j) if t_max is not None else (None, None)
        baselines.append(
            Baseline(known[i].name, known[j].name, length_start, length_end, angle_start, angle_end)
        )
    return Projection(tuple(baselines), min(start.altitude, end.altitude))


class _Reader:
    """What the rows of a log are read with."""

    def __init__(
        self, vocabulary: Vocabulary, resolve: Resolver | None, duration: float | None
    ) -> None:
        facility = vocabulary.facility("CHARA")
        assert facility is not None
        self.facility = facility
        self.instruments = [i for i in vocabulary.instruments if i.facility is facility]
        self.resolve = lru_cache(maxsize=None)(resolve) if resolve else None
        self.duration = duration
        #: Of a log that is of one combiner only and has no column for it.
        self.only: Instrument | None = None

    def check(self, table: tables.Table, path: Path) -> None:
        """Raises UnreadableFile where a log has not what an exposure needs."""
        columns = set(table.columns)
        if not columns & set(_COLUMNS["combiner"]):
            self.only = self.instrument(path.stem)
        has_time = columns & {*_COLUMNS["mjd"], *_COLUMNS["jd"], *_COLUMNS["ut_date"]}
        missing = [
            name
            for name, there in (
                ("COMBINER", self.only or columns & set(_COLUMNS["combiner"])),
                ("MJD", has_time),
                ("SCOPES", columns & set(_COLUMNS["scopes"])),
            )
            if not there
        ]
        if missing:
            has = tables.shown(", ".join(table.columns))
            raise UnreadableFile(
                table.file, "", f"no log of CHARA: it has no {', '.join(missing)}, but {has}"
            )

    def exposure(self, row: Row, numbers: Counter[str]) -> Exposure:
        """The exposure of a row. Raises BadRow where that cannot be told."""
        flags: list[str] = []
        log: list[str] = []
        instrument = self.only or self._combiner(row)
        mode = self._mode(instrument, row, flags, log)
        category, kind = _category(row, flags, log)
        t_min = _begin(row, flags, log)
        t_max = self._end(row, t_min, flags, log)
        stations, pops, beams = self._stations(row, flags, log)
        star = _star(row)
        position = self._position(row, star, flags, log)
        motion = _motion(row) if position else None
        projection = None
        if position is not None:
            projection = project(self.facility, stations, *position, t_min, t_max, motion)
        if projection is not None:
            if projection.altitude < 0.0:
                flags.append("below_horizon")
            self._compare(row, stations, projection, flags)
        if len(stations) < 2:
            log.append("Missing 'SCOPES'")
        header_id = _header_id(instrument.name, t_min, star)
        numbers[header_id] += 1
        lasting = None if t_max is None else round((t_max - t_min) * 86400, 3)
        if "duration_assumed" in flags:
            lasting = None
        exposure = Exposure(
            header_id=header_id,
            exposure_number=numbers[header_id],
            facility_name=self.facility.name,
            instrument_name=instrument.name,
            instrument_mode=mode.name if mode else None,
            em_min=mode.band[0] if mode else None,
            em_max=mode.band[1] if mode else None,
            em_res_power=mode.resolution if mode else None,
            dataproduct_category=category,
            dpr_type=kind,
            target_name=star,
            target_names=(star,) if star else (),
            log_ra=position[0] if position else None,
            log_dec=position[1] if position else None,
            pm_ra=motion[0] if motion else None,
            pm_dec=motion[1] if motion else None,
            pos_epoch=motion[2] if motion else None,
            t_min=t_min,
            t_max=t_max,
            t_exptime=lasting,
            stations=stations,
            pops=pops,
            channels=beams,
            baselines=projection.baselines if projection else (),
            progid=row.text(*_COLUMNS["program"]),
            prog_title=row.text(*_COLUMNS["title"]),
            datapi=row.text(*_COLUMNS["pi"]),
            seeing_start=_positive(row, "seeing"),
            tau0_start=_coherence_time(row),
            temperature=row.number(*_COLUMNS["temperature"]),
            humidity=row.number(*_COLUMNS["humidity"]),
            pressure=_positive(row, "pressure"),
            wind_speed=row.number(*_COLUMNS["wind_speed"]),
            wind_direction=row.number(*_COLUMNS["wind_direction"]),
            airmass_start=_positive(row, "airmass"),
            quality_flags=tuple(flags),
        )
        # The rules' own messages speak of the keywords of ESO's headers.
        judged = validated(exposure)
        kept = tuple(flag for flag in judged.quality_flags if flag not in _USUAL)
        return replace(judged, quality_flags=kept, validation_log=tuple(log))

    # ------------------------------------------------------------ set-up

    def _combiner(self, row: Row) -> Instrument:
        text = row.text(*_COLUMNS["combiner"])
        if text is None:
            raise BadRow("no combiner")
        instrument = self.instrument(text)
        if instrument is None:
            raise BadRow(f"COMBINER is none of CHARA's: {tables.shown(text)}")
        return instrument

    def instrument(self, text: str) -> Instrument | None:
        """The combiner of a name, by letters and digits, else by the vocabulary's patterns."""
        wanted = tables.key(text)
        for one in self.instruments:
            if tables.key(one.name) == wanted:
                return one
        found = [i for i in self.instruments if any(p.search(text) for p in i.patterns)]
        return found[0] if len(found) == 1 else None

    @staticmethod
    def _mode(instrument: Instrument, row: Row, flags: list[str], log: list[str]) -> Mode | None:
        """The mode that the filter is, or names as the vocabulary says; or the only one."""
        text = row.text(*_COLUMNS["filter"])
        if text is None:
            if len(instrument.modes) == 1:
                return instrument.modes[0]
            log.append("Missing 'FILTER'")
            return None
        wanted = tables.key(text)
        for mode in instrument.modes:
            if wanted and tables.key(mode.name) == wanted:
                return mode
        said = f"INSNAME={instrument.name}; INSMODE={text}"
        found = [mode for mode in instrument.modes if mode.setting and mode.setting.search(said)]
        if len(found) == 1:
            return found[0]
        flags.append("unknown_mode")
        log.append(f"FILTER {tables.shown(text)} is no mode of {instrument.name}")
        return None

    def _stations(
        self, row: Row, flags: list[str], log: list[str]
    ) -> tuple[tuple[str, ...], str | None, str | None]:
        """Stations in the order of the log, with one digit each for Pipes of Pan and beams.

        Raises BadRow where SCOPES is not a list of stations, or has one twice.
        """
        text = row.text(*_COLUMNS["scopes"])
        if text is None:
            return (), None, None
        stations, pops, beams = _scopes(text)
        unknown = [name for name in stations if not self._known(name)]
        if unknown:
            flags.append("unknown_station")
            log.append(f"No station {', '.join(unknown)} is known")
        of_pops = _digits(stations, pops, row.text(*_COLUMNS["pops"]), "12345")
        if of_pops is None and (any(pops) or row.text(*_COLUMNS["pops"])):
            flags.append("pops_unclear")
        of_beams = _digits(stations, beams, row.text(*_COLUMNS["beams"]), "123456")
        return stations, of_pops, " ".join(of_beams) if of_beams else None

    def _known(self, station: str) -> bool:
        return station in self.facility.stations

    # ------------------------------------------------------------ time and place

    def _end(self, row: Row, t_min: float, flags: list[str], log: list[str]) -> float | None:
        text = row.text(*_COLUMNS["end"])
        lasting = _positive(row, "duration")
        t_max = None
        if text is not None:
            t_max = _instant(row, text, "END", math.floor(t_min))
            if _CLOCK.fullmatch(text) and t_max < t_min:
                t_max += 1.0
        elif lasting is not None:
            per_day = {"min": 1440.0, "h": 24.0, "d": 1.0}
            unit = (row.unit(*_COLUMNS["duration"]) or "s").lower()
            t_max = t_min + lasting / per_day.get(unit, 86400.0)
        elif self.duration is not None:
            flags.append("duration_assumed")
            t_max = t_min + self.duration / 86400
        else:
            log.append("Missing 'END'")
            return None
        if not _SHORTEST <= t_max - t_min <= _LONGEST:
            raise BadRow(f"it does not last 1 s to 12 h, but from MJD {t_min:.6f} to {t_max:.6f}")
        return t_max

    def _position(
        self, row: Row, star: str | None, flags: list[str], log: list[str]
    ) -> tuple[float, float] | None:
        ra = _angle(row, "ra", ("h", "hour", "hours", "h:m:s", "hms", "hourangle"))
        dec = _angle(row, "dec", ())
        if (ra is None) != (dec is None):
            raise BadRow("a position needs both RA and DEC")
        if ra is not None and dec is not None and (ra, dec) != (0.0, 0.0):
            if not 0.0 <= ra <= 360.0 or not -90.0 <= dec <= 90.0:
                raise BadRow(f"RA {ra:g}, DEC {dec:g} is no position in degrees")
            return ra % 360.0, dec
        found = self.resolve(star) if self.resolve and star else None
        if found is None:
            log.append("Missing 'RA' and 'DEC'")
            return None
        flags.append("position_by_name")
        return found

    def _compare(
        self, row: Row, stations: Sequence[str], projection: Projection, flags: list[str]
    ) -> None:
        """Whether B1 to B3 agree with the projected lengths, or with those on the ground."""
        told = [row.number(name) for name in ("b1", "b2", "b3")]
        lengths = [length for length in told if length]
        places = [self.facility.stations[name] for name in stations if self._known(name)]
        if len(lengths) != len(projection.baselines) or len(places) != len(stations):
            return  # of more than three stations the log has not all
        ground = [
            math.dist((a.east, a.north, a.up), (b.east, b.north, b.up))
            for a, b in combinations(places, 2)
        ]
        seen = [line.length_start or 0.0 for line in projection.baselines]
        for ours in (seen, ground):
            pairs = zip(sorted(lengths), sorted(ours), strict=True)
            if all(abs(a - b) <= _SAME_LENGTH for a, b in pairs):
                return
        flags.append("baselines_differ")


@lru_cache(maxsize=1024)
def _scopes(text: str) -> tuple[tuple[str, ...], list[str | None], list[str | None]]:
    """Stations of SCOPES, and the Pipe of Pan and beam that may follow each ("S1P1B2-E1P2B1")."""
    stations, pops, beams, at = [], [], [], 0
    upper = text.upper()
    while at < len(upper):
        match = _SCOPE.match(upper, at)
        if match is None:
            raise BadRow(f"SCOPES is no list of stations: {tables.shown(text)}")
        stations.append(match[1])
        pops.append(match[2])
        beams.append(match[3])
        separator = _SEPARATOR.match(upper, match.end())
        at = separator.end() if separator else match.end()
    if len(set(stations)) < len(stations):
        raise BadRow(f"SCOPES has a station twice: {tables.shown(text)}")
    return tuple(stations), pops, beams


def _star(row: Row) -> str | None:
    text = row.text(*_COLUMNS["star"])
    if text is None:
        return None
    if text.isascii() and text.isdigit() and "starhd" in row.cells:
        return f"HD {text}"
    return " ".join(text.split())


def _category(row: Row, flags: list[str], log: list[str]) -> tuple[str | None, str | None]:
    """Category, and the log's own word for it."""
    text = row.text(*_COLUMNS["type"])
    if text is None:
        log.append("Missing 'TYPE'")
        return None, None
    for pattern, category in _TYPES:
        if pattern.fullmatch(text):
            if category is None:
                log.append(f"TYPE {text} is neither science nor calibrator")
            return category, text
    flags.append("unknown_type")
    log.append(f"TYPE {tables.shown(text)} is not known")
    return None, text


def _positive(row: Row, name: str) -> float | None:
    """A number that cannot be 0 or less, so that such a one stands for none."""
    number = row.number(*_COLUMNS[name])
    return number if number is not None and number > 0.0 else None


def _coherence_time(row: Row) -> float | None:
    """Seconds at 500 nm. CHARA's logs say milliseconds, and mostly without saying so."""
    value = _positive(row, "tau0")
    if value is None:
        return None
    unit = (row.unit(*_COLUMNS["tau0"]) or "").lower()
    if unit == "ms" or (unit != "s" and value >= _SHORTEST_MS):
        value *= 1e-3
    return value


def _digits(
    stations: Sequence[str], found: Sequence[str | None], text: str | None, allowed: str
) -> str | None:
    """One digit for each station in their order, None where there is not one for each.

    From SCOPES itself ("S1P1E1P2"), or of a column that names the stations ("E1P2 S1P1", in any
    order) or has only digits in their order ("12", "P1-P2").
    """
    digits = [digit for digit in found if digit]
    if text is not None:
        upper = text.upper()
        named = dict(_OF_STATION.findall(upper))
        if named:
            digits = [named[name] for name in stations if name in named]
        elif re.fullmatch(r"[\d\sPB,;:/+_.-]*", upper):
            digits = re.findall(r"[0-9]", upper)
        else:
            return None
    if len(digits) != len(stations) or not digits or not set(digits) <= set(allowed):
        return None
    return "".join(digits)


def _angle(row: Row, name: str, in_hours: tuple[str, ...]) -> float | None:
    """Right ascension or declination in degrees.

    Sexagesimal right ascension is in hours, a plain number in degrees unless the unit says hours.
    """
    text = row.text(*_COLUMNS[name])
    if text is None:
        return None
    hours = (row.unit(*_COLUMNS[name]) or "").lower() in in_hours or "rah" in row.cells
    match = _SEXAGESIMAL.fullmatch(text)
    if match is None:
        value = row.number(*_COLUMNS[name])
        return value * 15.0 if value is not None and hours and in_hours else value
    sign, whole, minutes, seconds = match.groups()
    if int(minutes) >= 60 or float(seconds) >= 60.0:
        raise BadRow(f"{name.upper()} is no angle: {tables.shown(text)}")
    value = int(whole) + int(minutes) / 60 + float(seconds) / 3600
    value = -value if sign == "-" else value
    return value * 15.0 if in_hours else value


def _motion(row: Row) -> tuple[float, float, float] | None:
    pm_ra, pm_dec = (row.number(*_COLUMNS[name]) for name in ("pm_ra", "pm_dec"))
    if pm_ra is None or pm_dec is None:
        return None
    if max(abs(pm_ra), abs(pm_dec)) > _FASTEST:
        raise BadRow(f"PMRA {pm_ra:g}, PMDEC {pm_dec:g} is no proper motion in mas/yr")
    epoch = row.number(*_COLUMNS["epoch"])
    if epoch is None or not 1900.0 <= epoch <= 2100.0:
        epoch = 2000.0
    return pm_ra, pm_dec, epoch


def _begin(row: Row, flags: list[str], log: list[str]) -> float:
    """Begin of the exposure (MJD, UTC): MJD, else JD, else UT date and time."""
    day_text = row.text(*_COLUMNS["ut_date"])
    day = _day(day_text) if day_text else None
    mjd = row.number(*_COLUMNS["mjd"])
    if mjd is not None and mjd > _JD:
        log.append(f"MJD {row.text(*_COLUMNS['mjd'])} is a Julian date")
        flags.append("jd_for_mjd")
        mjd -= _JD
    elif mjd is None:
        jd = row.number(*_COLUMNS["jd"])
        if jd is not None:
            mjd = jd - _JD
    if mjd is None:
        mjd = _clock(row, day_text, day)
    elif day_text is not None and (day is None or math.floor(mjd) != day):
        flags.append("ut_date_differs")
    if not _MJD[0] <= mjd <= _MJD[1]:
        raise BadRow(f"MJD {mjd:g} is not of the time of CHARA")
    return mjd


def _clock(row: Row, day_text: str | None, day: int | None) -> float:
    """MJD of a UT date and time in one column or two."""
    if day_text is None:
        raise BadRow("no time")
    if day is None:
        raise BadRow(f"UT-DATE is no date: {tables.shown(day_text)}")
    _, _, time = re.sub(r"[T\s]+", " ", day_text).partition(" ")
    text = time or row.text(*_COLUMNS["ut_time"])
    if text is None:
        raise BadRow("no time, but only a date")
    return _instant(row, text.removesuffix("Z"), "UT", day)


def _instant(row: Row, text: str, name: str, day: int) -> float:
    """MJD of a time of the given day, of a date and time, of an MJD or JD."""
    parts = re.sub(r"[T\s]+", " ", text.removesuffix("Z")).split(" ")
    clock = _CLOCK.fullmatch(parts[-1])
    if clock is not None and len(parts) <= 2:
        if len(parts) == 2:
            found = _day(parts[0])
            if found is None:
                raise BadRow(f"{name} is no time: {tables.shown(text)}")
            day = found
        hours, minutes, seconds = int(clock[1]), int(clock[2]), float(clock[3] or 0)
        if hours < 24 and minutes < 60 and seconds < 61.0:
            return day + (hours * 3600 + minutes * 60 + seconds) / 86400
    value = tables.decimal(text, row.decimal_comma)
    if value is not None and value > _JD:
        value -= _JD
    if value is None or not _MJD[0] <= value <= _MJD[1] + _LONGEST:
        raise BadRow(f"{name} is no time: {tables.shown(text)}")
    return value


@lru_cache(maxsize=1024)
def _day(text: str) -> int | None:
    """MJD day of a date, whatever time follows it."""
    first = re.split(r"[T\s]", text.strip(), maxsplit=1)[0]
    if not first.isascii():
        return None
    if first.isdigit() and len(first) != 8:
        return None
    for form in _DAYS:
        try:
            day = datetime.strptime(first, form).date()
        except ValueError:
            continue
        return geometry.mjd_of_date(day.isoformat())
    return None


def _header_id(instrument: str, mjd: float, star: str | None) -> str:
    """Combiner, UTC to the nearest second and star, as "MIRCX.2023-10-14T07:12:33.HD_1234".

    Of the star's name letters and digits of ASCII and "+-." stay, all between them is "_".
    """
    seconds = timedelta(seconds=round(mjd * 86400))
    moment = datetime.combine(date(1858, 11, 17), datetime.min.time()) + seconds
    plain = unicodedata.normalize("NFKD", star or "").encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9+.-]+", "_", plain).strip("_")[:64]
    return f"{instrument}.{moment.isoformat()}.{name or 'unnamed'}"
