"""Exposures from answers of the former ObsPortal: its VOTables of 17, 21 or 29 columns.

With this the content of the former service can be taken over as it is: identifiers, times, text of
projected baselines, what its validation said. What an answer does not have is None; its numbers of
targets and observations are not kept, ours are given anew.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest import tables
from ingest.exposures import Baseline, Exposure
from ingest.fits import UnreadableFile
from ingest.tables import BadRow, Problem, Row

#: Longest text of projected baselines, characters: 100 pairs of stations have 10,000.
MAX_BASELINES = 100_000

_REQUIRED = (
    "exp_id", "exp_mjd_start", "exp_mjd_end", "interferometer_name", "instrument_name",
)  # fmt: skip
_EXPOSURE_ID = re.compile(r"(.+)_([1-9]\d{0,5})")
_CATEGORIES = {"science": "SCIENCE", "calibrator": "CALIB"}


@dataclass(slots=True)
class Log:
    """What a log holds: its exposures, and the rows that were refused."""

    exposures: list[Exposure] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: When a file becomes public, by header_id, in the words of the log; where it says.
    released: dict[str, str] = field(default_factory=dict)


def read(path: Path) -> Log:
    """All exposures of an answer.

    Raises UnreadableFile for what is no such answer; a row that contradicts itself is a problem
    and the others go on. A row that is there twice is taken once.
    """
    return from_table(tables.read(path))


def is_answer(table: tables.Table) -> bool:
    """Whether a table has the columns of an answer."""
    return "expid" in table.columns


def from_table(table: tables.Table) -> Log:
    """As ``read``, of a table that is open already."""
    missing = [name for name in _REQUIRED if tables.key(name) not in table.columns]
    if missing:
        raise UnreadableFile(table.file, "", f"it has no columns {', '.join(missing)}")
    log = Log(problems=table.problems)
    seen: dict[str, Exposure] = {}
    for row in table.rows:
        try:
            exposure = _exposure(row)
            known = seen.setdefault(exposure.exposure_id, exposure)
            if known is not exposure:
                if known != exposure:
                    raise BadRow(f"exp_id {exposure.exposure_id} is there with other values")
                continue
        except BadRow as error:
            log.problems.append(Problem(table.file, row.line, str(error)))
            continue
        log.exposures.append(exposure)
        released = row.text("expdaterelease")
        if released is not None:
            log.released[exposure.header_id] = released
    log.problems.sort(key=lambda problem: problem.line)
    return log


def _exposure(row: Row) -> Exposure:
    exposure_id = row.text("expid")
    match = _EXPOSURE_ID.fullmatch(exposure_id or "")
    if match is None:
        raise BadRow(f"exp_id is not a name with a number: {tables.shown(exposure_id or '')}")
    header_id = row.text("expheaderid", "expheader")
    if header_id not in (None, match[1]):
        raise BadRow(f"exp_id {exposure_id} is not of header {header_id}")
    instrument, facility = row.text("instrumentname"), row.text("interferometername")
    if instrument is None or facility is None:
        raise BadRow(f"{exposure_id} has no instrument or no interferometer")
    t_min, t_max = (_time(row, name) for name in ("expmjdstart", "expmjdend"))
    stations = tuple((row.text("interferometerstations") or "").split())
    baselines = parse_baselines(row.cells.get("expprojectedbaselines", ""))
    target = row.text("targetname")
    ra, dec = row.number("targetra"), row.number("targetdec")
    if not (ra is None or 0.0 <= ra <= 360.0) or not (dec is None or -90.0 <= dec <= 90.0):
        raise BadRow(f"target_ra, target_dec is no position: {ra}, {dec}")
    category = _CATEGORIES.get(row.text("obstype") or "")
    level = row.number("expvalidationlevel")
    if level is None:
        complete = t_min is not None and t_max is not None and t_max > t_min
        level = complete and category is not None and bool(stations) and bool(baselines)
    return Exposure(
        header_id=match[1],
        exposure_number=int(match[2]),
        facility_name=facility,
        instrument_name=instrument,
        instrument_mode=row.text("instrumentmode"),
        instrument_submode=row.text("instrumentsubmode"),
        em_min=row.number("instrumentemmin"),
        em_max=row.number("instrumentemmax"),
        em_res_power=row.number("instrumentemrespower"),
        dataproduct_category=category,
        target_name=target,
        target_names=(target,) if target else (),
        log_ra=ra,
        log_dec=dec,
        t_min=t_min,
        t_max=t_max,
        t_exptime=None if t_min is None or t_max is None else round((t_max - t_min) * 86400, 3),
        stations=stations,
        pops=row.text("interferometerpops"),
        channels=row.text("interferometerchannels"),
        baselines=baselines,
        progid=row.text("obsprogram"),
        prog_title=row.text("obsprogramtitle"),
        datapi=row.text("obsprogrampicoi"),
        seeing_start=row.number("expseeing"),
        tau0_start=row.number("exptau0"),
        temperature=row.number("exptemperature"),
        validation_level=int(bool(level)),
        validation_log=_sentences(row.text("expvalidationlog")),
    )


def _time(row: Row, name: str) -> float | None:
    mjd = row.number(name)
    return mjd or None  # 0 was its way to say that there is none


def _sentences(text: str | None) -> tuple[str, ...]:
    """A list of messages: JSON, or whatever was written instead as one message."""
    if text is None:
        return ()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return (text,)
    return tuple(map(str, found)) if isinstance(found, list) else (text,)


def parse_baselines(text: str) -> tuple[Baseline, ...]:
    """The projected baselines of their text.

    {'U1-U2': {'length': {'start': '55.9', 'end': '55.8'}, 'angle': {…}}, …}, as Python or JSON, the
    numbers quoted or not, None or null where there is none. Raises BadRow for what is not so.
    """
    text = text.strip()
    if not text or text in ("{}", "None", "null"):
        return ()
    if len(text) > MAX_BASELINES:
        raise BadRow(f"text of projected baselines longer than {MAX_BASELINES} characters")
    try:
        found = json.loads(text) if '"' in text else ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise BadRow(f"projected baselines are no list of pairs: {tables.shown(text)}") from error
    if not isinstance(found, dict):
        raise BadRow(f"projected baselines are no list of pairs: {tables.shown(text)}")
    return tuple(_baselines(found))


def _baselines(found: dict[object, object]) -> Iterator[Baseline]:
    for pair, values in found.items():
        stations = str(pair).split("-")
        if len(stations) != 2 or not all(stations) or not isinstance(values, dict):
            raise BadRow(f"projected baseline {tables.shown(str(pair))} is none of two stations")
        length_start, length_end = _ends(values.get("length"))
        angle_start, angle_end = _ends(values.get("angle"))
        yield Baseline(stations[0], stations[1], length_start, length_end, angle_start, angle_end)


def _ends(values: object) -> tuple[float | None, float | None]:
    """Start and end; a single number, as the oldest form had it, is taken for the start."""
    if isinstance(values, dict):
        return _value(values.get("start")), _value(values.get("end"))
    return _value(values), None


def _value(value: object) -> float | None:
    if value is None or isinstance(value, bool) or value in ("", "None", "null"):
        return None
    if not isinstance(value, int | float | str):
        raise BadRow("a projected baseline has something else than numbers")
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        text = tables.shown(str(value))
        raise BadRow(f"a projected baseline has no number: {text}") from error
    return number if math.isfinite(number) else None
