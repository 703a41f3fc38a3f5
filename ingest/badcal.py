"""Reports of bad calibrators: what one must say, and what can become of it.

A report comes from a form, from a program that sends JSON, or as a row of a facility's table (CSV
or VOTable). What is wrong with it is said for each field in a sentence.

Texts are kept as they are, but for their blanks. None of them can become a formula of a spreadsheet
that reads a table of them, for none begins as formulas do (OWASP, "CSV Injection").
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest import tables
from ingest.fits import UnreadableFile

#: Why a star is no good calibrator.
REASONS = ("binary", "variable", "resolved", "companion", "coordinates", "other")
#: The states of a report. A star has the first of these that one of its reports has.
STATES = ("accepted", "submitted", "candidate", "withdrawn", "rejected")
#: Reports within this distance, in arcsec, are of one star: that of SearchCal.
SAME_STAR = 5.0
#: Rows of a facility's table.
MAX_ROWS = 5_000

#: Characters of a text by its field.
_LENGTHS = {
    "name": 64,
    "interferometer": 40,
    "instrument": 40,
    "baseline": 80,
    "wavelength": 80,
    "comment": 2000,
    "evidence_url": 300,
}
#: Names of stars have no commas and quotes, which SearchCal could not read, and look like names.
_NAME = re.compile(r"[^\W_][\w .+'()\[\]/:#*-]*|[*\[][\w .+'()\[\]/:#*-]+")
_FORMULA = tuple("=+-@＝＋－＠")
_SEXAGESIMAL = re.compile(r"([+-]?)(\d{1,3})[ :](\d{1,2})[ :](\d{1,2}(?:\.\d*)?)", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s\"'<>\\^`{|}]+")
#: Nothing was observed with an interferometer of telescopes before.
_FIRST_DAY = date(1974, 1, 1)
_MJD_EPOCH = date(1858, 11, 17)


class BadReport(ValueError):
    """What is wrong with a report: pairs of a field and a sentence."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(sentence for _, sentence in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says of a star."""

    #: Degrees (ICRS, epoch J2000).
    ra: float
    dec: float
    reason_class: str
    name: str | None = None
    obs_date: date | None = None
    interferometer: str | None = None
    instrument: str | None = None
    baseline: str | None = None
    wavelength: str | None = None
    comment: str | None = None
    evidence_url: str | None = None

    @property
    def digest(self) -> str:
        """A checksum of all that it says."""
        return hashlib.sha256("\0".join(map(repr, astuple(self))).encode()).hexdigest()


FIELDS = tuple(Report.__dataclass_fields__)


# ---------------------------------------------------------------- states


@dataclass(frozen=True, slots=True)
class Event:
    """What can be done to a report."""

    #: States that it can be done in.
    states: frozenset[str]
    #: The state after it; None for the one before.
    state: str | None
    #: Who may do it: editor; submitter and facility, with what they have handed in.
    roles: frozenset[str]
    needs_reason: bool = True


#: What can be done to a report by whom, by name.
EVENTS = {
    "ask": Event(frozenset({"submitted"}), None, frozenset({"editor"})),
    "answer": Event(frozenset({"submitted"}), None, frozenset({"submitter", "facility"})),
    "accept": Event(
        frozenset({"submitted", "candidate"}), "accepted", frozenset({"editor"}), needs_reason=False
    ),
    "reject": Event(frozenset({"submitted", "candidate"}), "rejected", frozenset({"editor"})),
    "withdraw": Event(
        frozenset(STATES) - {"withdrawn"},
        "withdrawn",
        frozenset({"editor", "submitter", "facility"}),
    ),
    "reopen": Event(frozenset({"rejected", "withdrawn"}), "submitted", frozenset({"editor"})),
}


# ---------------------------------------------------------------- one report


def report(values: Mapping[str, Any], today: date, *, commented: bool = True) -> Report:
    """The report that texts and numbers by field make; raises BadReport.

    Fields that are missing, None or blank say nothing. With ``commented`` there must be a comment.
    Angles are numbers or texts, in degrees or sexagesimal (right ascension in hours). Days are ISO
    8601; none is after ``today``.
    """
    problems = [(key, f"There is no field {tables.shown(key)}.") for key in values.keys() - FIELDS]
    said: dict[str, Any] = dict.fromkeys(FIELDS)
    readers = {
        "ra": lambda value: _angle("ra", value, 0.0, 360.0),
        "dec": lambda value: _angle("dec", value, -90.0, 90.0),
        "reason_class": _reason,
        "name": name,
        "obs_date": lambda value: _day(value, today),
        "evidence_url": _address,
    }
    for field in FIELDS:
        value = values.get(field)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            reader = readers.get(field)
            said[field] = reader(value) if reader else text(field, value)
        except ValueError as error:
            problems.append((field, str(error)))
    wrong = {field for field, _ in problems}
    wanted = {
        "ra": "The right ascension of the star is missing.",
        "dec": "The declination of the star is missing.",
        "reason_class": f"reason_class must be one of {', '.join(REASONS)}.",
    }
    if commented:
        wanted["comment"] = "Say in the comment what was seen."
    problems += [
        (field, sentence)
        for field, sentence in wanted.items()
        if said[field] is None and field not in wrong
    ]
    if problems:
        raise BadReport(problems)
    if said["ra"] == 360.0:
        said["ra"] = 0.0
    return Report(**said)


def text(field: str, value: Any, most: int | None = None) -> str:
    """A text without superfluous blanks; raises ValueError."""
    most = most or _LENGTHS[field]
    if not isinstance(value, str):
        raise ValueError(f"{field} must be a text.")
    found = " ".join(value.split())
    if not found:
        raise ValueError(f"{field} is empty.")
    if len(found) > most:
        raise ValueError(f"{field} has more than {most} characters.")
    if not found.isprintable():
        raise ValueError(f"{field} has characters that cannot be printed.")
    if found.startswith(_FORMULA):
        raise ValueError(f"{field} begins with {found[0]}, as formulas do; begin with a word.")
    return found


def name(value: Any) -> str:
    """The name of a star; raises ValueError for what cannot be one."""
    found = text("name", value)
    if not _NAME.fullmatch(found):
        raise ValueError(
            "name must be a name of a star: letters, digits, blanks and . + - ' ( ) [ ] / : # *"
        )
    return found


def _reason(value: Any) -> str:
    if not isinstance(value, str) or value.strip().lower() not in REASONS:
        raise ValueError(f"reason_class must be one of {', '.join(REASONS)}.")
    return value.strip().lower()


def _angle(field: str, value: Any, low: float, high: float) -> float:
    found = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = _float(value)
    elif isinstance(value, str):
        plain = value.strip()
        parts = _SEXAGESIMAL.fullmatch(plain)
        if parts is None:
            found = tables.decimal(plain)
        elif float(parts[3]) < 60 and float(parts[4]) < 60:
            found = int(parts[2]) + float(parts[3]) / 60 + float(parts[4]) / 3600
            found = math.copysign(
                found * (15 if field == "ra" else 1), -1 if parts[1] == "-" else 1
            )
    if found is None or not low <= found <= high:
        form = "hh mm ss.s" if field == "ra" else "±dd mm ss"
        raise ValueError(f"{field} must be degrees from {low:g} to {high:g}, or {form}.")
    return found


def _float(value: float) -> float | None:
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _day(value: Any, today: date) -> date:
    found = None
    if isinstance(value, str):
        try:
            found = date.fromisoformat(value.strip().partition("T")[0].partition(" ")[0])
        except ValueError:
            found = None
    # Somewhere it is tomorrow already.
    if found is None or not _FIRST_DAY <= found <= today + timedelta(days=1):
        raise ValueError("obs_date must be a day such as 2024-05-31, since 1974 and not to come.")
    return found


def _address(value: Any) -> str:
    found = text("evidence_url", value)
    try:
        host = urlsplit(found).hostname if _ADDRESS.fullmatch(found) else None
    except ValueError:
        host = None
    if not host:
        raise ValueError("evidence_url must be an address that begins with https:// or http://.")
    return found


# ---------------------------------------------------------------- tables of facilities

#: What columns may be called, as ``tables.key`` has them.
_COLUMNS = {
    "name": ("name", "star", "starname", "target", "targetname", "object"),
    "ra": ("ra", "sra", "raj2000", "raicrs", "radeg", "rasexa"),
    "dec": ("dec", "de", "sdec", "dej2000", "deicrs", "decdeg", "dedeg", "decsexa"),
    "reason_class": ("reasonclass", "reason", "class"),
    "obs_date": ("obsdate", "dateobs", "date", "night"),
    "interferometer": ("interferometer", "facility", "facilityname", "telescop"),
    "instrument": ("instrument", "instrumentname", "insname"),
    "baseline": ("baseline", "stations"),
    "wavelength": ("wavelength", "wave", "band"),
    "comment": ("comment", "usercomment", "notes", "remark"),
    "evidence_url": ("evidenceurl", "evidence", "url", "link"),
}
_RECORD = ("record", "id", "recno")
_NUMBER = ("badcalid", "badcal")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a facility's table."""

    line: int
    report: Report
    #: What the facility calls the row; None when it has no name for it.
    record: str | None
    #: The number that the star has in BadCal already, as the table says.
    badcal_id: int | None

    @property
    def key(self) -> str:
        """What the row is known by: the facility's name for it, else the digest of the report."""
        return self.record or self.report.digest


def read(path: Path, today: date) -> tuple[list[Entry], list[tables.Problem]]:
    """The reports in a table of a facility, and what is wrong with the other rows.

    Raises UnreadableFile when there is no table, or none with positions. A row without a reason is
    of the class other.
    """
    table = tables.read(path, multiline=True)
    for field in ("ra", "dec"):
        if not set(_COLUMNS[field]) & set(table.columns):
            raise UnreadableFile(path.name, "", f"it has no column {field}")
    entries: list[Entry] = []
    problems: list[tables.Problem] = []
    records: dict[str, int] = {}
    for number, row in enumerate(table.rows, 1):
        if number > MAX_ROWS:
            raise UnreadableFile(path.name, "", f"it has more than {MAX_ROWS} rows")
        try:
            entry = _entry(row, today)
            if entry.record is not None and entry.record in records:
                raise tables.BadRow(
                    f"{tables.shown(entry.record)} is the record of line {records[entry.record]},"
                    " too"
                )
        except ValueError as error:
            problems.append(tables.Problem(path.name, row.line, str(error)))
            continue
        if entry.record is not None:
            records[entry.record] = row.line
        entries.append(entry)
    return entries, sorted(problems + table.problems, key=lambda problem: problem.line)


def _entry(row: tables.Row, today: date) -> Entry:
    values: dict[str, Any] = {field: row.text(*keys) for field, keys in _COLUMNS.items()}
    for field in ("ra", "dec"):
        unit = row.unit(*_COLUMNS[field])
        if unit not in {None, "deg", "degree", "degrees"} and not _is_sexagesimal(values[field]):
            raise tables.BadRow(f"{field} is in {tables.shown(str(unit))}; degrees, please")
    values["reason_class"] = values["reason_class"] or "other"
    if values["obs_date"] is None and (mjd := row.number("mjd", "obsmjd", "tmin")) is not None:
        values["obs_date"] = _day_of(mjd)
    record = row.text(*_RECORD)
    number = row.text(*_NUMBER)
    if number is not None and not re.fullmatch("[0-9]{1,9}", number):
        raise tables.BadRow(f"badcal_id is no number of a star: {tables.shown(number)}")
    return Entry(
        row.line,
        report(values, today, commented=False),
        None if record is None else text("record", record, 100),
        None if number is None else int(number),
    )


def _is_sexagesimal(value: Any) -> bool:
    return isinstance(value, str) and _SEXAGESIMAL.fullmatch(value) is not None


def _day_of(mjd: float) -> str:
    if not 0 <= mjd < 1e6:
        raise tables.BadRow(f"MJD is no Modified Julian Date: {mjd:g}")
    return (_MJD_EPOCH + timedelta(days=math.floor(mjd))).isoformat()
