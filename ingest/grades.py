"""Grades of observation blocks, as a facility hands them out: a CSV file.

One row a judgement: observation block, grade, and where known date, comment and source. Names of
columns are understood in several spellings (``_COLUMNS``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from ingest import tables
from ingest.fits import UnreadableFile
from ingest.tables import BadRow, Problem, Row

_COLUMNS = {
    "ob_id": ("obid", "obsid", "ob", "obnumber", "obsobsid", "observationblock", "tplobid"),
    "grade": ("grade", "obgrade", "qcgrade", "qc", "qualitygrade", "quality", "flag"),
    "date": ("date", "graded", "gradedate", "dategraded", "qcdate", "obsdate", "night"),
    "comment": ("comment", "comments", "remark", "remarks", "note", "notes", "gradecomment"),
    "source": ("source", "origin", "author", "gradedby", "by", "facility"),
}
_LARGEST = 2**63 - 1  # of a bigint
_LONGEST_GRADE = 64
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y")
_DATE = re.compile(r"[\d/.-]+")


@dataclass(frozen=True, slots=True)
class Grade:
    """What was said of an observation block; fields have the names of the columns of quality."""

    ob_id: int
    grade: str
    graded: date | None
    comment: str | None
    source: str | None


@dataclass(slots=True)
class Grades:
    """What a file holds: its grades in order, and the rows that were refused."""

    grades: list[Grade] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(path: Path) -> Grades:
    """The grades of a file.

    Raises UnreadableFile where the file is no table or has no columns for block and grade; a row
    that cannot be understood is a problem and the others go on. A row that is there twice is taken
    once.
    """
    table = tables.read(path, multiline=True)
    for wanted in ("ob_id", "grade"):
        if not set(_COLUMNS[wanted]) & set(table.columns):
            raise UnreadableFile(
                table.file, "", f"it has no column {wanted}, but {', '.join(table.columns)}"
            )
    result = Grades(problems=table.problems)
    found: dict[Grade, None] = {}
    for row in table.rows:
        try:
            found[_grade(row)] = None
        except BadRow as error:
            result.problems.append(Problem(table.file, row.line, str(error)))
    result.grades = list(found)
    result.problems.sort(key=lambda problem: problem.line)
    return result


def _grade(row: Row) -> Grade:
    ob_id, grade = row.text(*_COLUMNS["ob_id"]), row.text(*_COLUMNS["grade"])
    if ob_id is None or grade is None:
        raise BadRow("no observation block" if ob_id is None else "no grade")
    if not re.fullmatch(r"[0-9]{1,19}(\.0*)?", ob_id):
        raise BadRow(f"ob_id is no number of an observation block: {tables.shown(ob_id)}")
    number = int(ob_id.partition(".")[0])
    if not 0 < number <= _LARGEST:
        raise BadRow(f"ob_id is no number of an observation block: {tables.shown(ob_id)}")
    if len(grade) > _LONGEST_GRADE:
        raise BadRow(f"grade is longer than {_LONGEST_GRADE} characters: {tables.shown(grade)}")
    return Grade(
        number,
        grade,
        _date(row.text(*_COLUMNS["date"])),
        row.text(*_COLUMNS["comment"]),
        row.text(*_COLUMNS["source"]),
    )


def _date(text: str | None) -> date | None:
    """A day, whatever time of the day follows: 2024-03-01, 2024/03/01, 20240301 or 01.03.2024."""
    if text is None:
        return None
    match = _DATE.match(text)
    if match and match[0].isascii():
        for form in _DATES:
            try:
                return datetime.strptime(match[0], form).date()
            except ValueError:
                continue
    raise BadRow(f"date is no date (such as 2024-03-01): {tables.shown(text)}")
