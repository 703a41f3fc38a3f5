"""A measurement that somebody hands in for JMDC: from the fields of a form to a row, or to what is
wrong with them in words.

JMDC goes round as a table of fixed width in ASCII (CDS) and as a CSV file that people open with
spreadsheets; what the table cannot hold, or a spreadsheet would compute as a formula, is not taken.
The rules that each row is judged by (``ingest.jmdc_rules``) are applied as well: what breaks a rule
for errors is refused, what breaks one for warnings needs a word of the submitter why it is right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ingest import jmdc_bands, names, tables
from ingest.jmdc import BIBCODE, COLUMNS, Measurement
from ingest.jmdc_rules import Judgement, Severity

#: Characters for which JMDC has room, in VizieR II/345.
_ROOM = {"id1": 28, "id2": 28, "band": 10, "notes": 204, "bibcode": BIBCODE}
_CODES = ("method", "bandcode")
_NUMBERS = ("ud_diam", "ld_diam", "e_ld_diam", "mu_lambda")
#: What a new measurement must have, by the question that it answers.
_REQUIRED = {
    "bibcode": "the publication (BIBCODE)",
    "band": "the band or wavelength (BAND)",
    "method": "the method (METHOD)",
}
#: Numbers are below that, and have no more decimals than these; what has more was computed.
_LIMIT, _DECIMALS = 1000, 6
#: Characters of what is said to editors and by them.
MAX_WORDS = 2000

_NUMBER = re.compile(r"[+-]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})")
#: How a formula begins within a cell where spreadsheets divide lines at semicolons; that cells do
#: not begin with one is a rule for all rows.
_FORMULA = re.compile(r"; ?([=+@-])")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, or worth a look, with some fields."""

    fields: tuple[str, ...]
    #: A sentence for whoever has filled them in.
    words: str
    severity: str = Severity.ERROR.value
    #: Name of the rule of jmdc_rules; None for what is about the fields alone.
    rule: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The problem as JSON has it."""
        return asdict(self)


def read(fields: Mapping[str, Any]) -> tuple[Measurement | None, list[Problem]]:
    """The row that fields make, by the names of the columns of jmdc/q.rd; None when they make none.

    Values are texts, numbers, truth values or None; those of other fields are not looked at. Where
    no BANDCODE is told it is that of BAND.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name in COLUMNS:
        try:
            values[name] = _value(name, fields.get(name))
        except ValueError as error:
            problems.append(Problem((name,), str(error)))
    if problems:
        return None, problems
    if not values["id1"]:
        return None, [Problem(("id1",), "Say which star was measured (ID1).")]
    measurement = Measurement(**values)
    if measurement.bandcode is None and measurement.band is not None:
        band = jmdc_bands.read(measurement.band)
        code = None if band is None else jmdc_bands.code(band.letters)
        measurement = replace(measurement, bandcode=code)
    return measurement, []


def problems_of(
    measurement: Measurement, judgement: Judgement, replaced: Measurement | None
) -> list[Problem]:
    """What is wrong with a row that the rules have judged, or worth a look.

    What ``replaced``, the measurement that it corrects, lacks, the row may lack as well.
    """
    problems = [
        Problem((name,), f"Say what {words} is.")
        for name, words in _REQUIRED.items()
        if getattr(measurement, name) is None
        and (replaced is None or getattr(replaced, name) is not None)
    ]
    if replaced == measurement:
        problems.append(Problem((), "Nothing differs from the measurement that this corrects."))
    missing = {field for problem in problems for field in problem.fields}
    for finding in judgement.findings:
        if not missing.issuperset(finding.columns):
            severity = finding.rule.severity.value
            problems.append(Problem(finding.columns, finding.words, severity, finding.rule.name))
    name = names.parse(measurement.id1)
    known = replaced is not None and replaced.id1 == measurement.id1
    if not known and (name is None or name.catalogue is None):
        words = (
            f"ID1 {measurement.id1!r} is in no form that catalogues use; take the HD number where"
            " there is one."
        )
        problems.append(Problem(("id1",), words, Severity.WARNING.value))
    return problems


def needs_word(problems: Sequence[Problem]) -> bool:
    """Whether the submitter must say why it is right all the same."""
    return any(problem.severity == Severity.WARNING for problem in problems)


def words(name: str, value: Any) -> str | None:
    """What somebody says in his own words; raises ValueError with a sentence."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text.")
    lines = [" ".join(line.split()) for line in value.strip().splitlines()]
    if not all(line.isprintable() for line in lines):
        raise ValueError(f"{name} has a character that cannot be shown.")
    text = "\n".join(lines)
    if len(text) > MAX_WORDS:
        raise ValueError(f"{name} has {len(text)} characters; {MAX_WORDS} are the most.")
    return text or None


def _value(name: str, value: Any) -> Any:
    """A value as its column holds it; raises ValueError with a sentence."""
    if name == "sinpe":
        return _truth(value)
    if value is None:
        return None
    if name in _ROOM:
        return _text(name, value)
    number = _number(name, value)
    if number is None or name not in _CODES:
        return number
    if not number.is_integer():
        raise ValueError(f"{name.upper()} must be a whole number, not {tables.shown(str(value))}.")
    return int(number)


def _text(name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        raise ValueError(f"{name.upper()} must be a text.")
    text = " ".join(value.split())
    if not text.isascii() or not text.isprintable():
        odd = next(letter for letter in text if not (letter.isascii() and letter.isprintable()))
        shown = repr(odd) if odd.isprintable() else f"U+{ord(odd):04X}"
        raise ValueError(
            f"{name.upper()} has the character {shown}, which JMDC cannot hold; write it in ASCII"
            " (um for micrometres)."
        )
    if len(text) > _ROOM[name]:
        raise ValueError(
            f"{name.upper()} has {len(text)} characters; JMDC has room for {_ROOM[name]}."
        )
    if match := _FORMULA.search(text):
        raise ValueError(
            f"{name.upper()} has {match[1]} after a semicolon, where some spreadsheets begin a"
            " formula; put something else there."
        )
    return text or None


def _number(name: str, value: Any) -> float | None:
    if isinstance(value, str):
        if not value.strip():
            return None
        if not _NUMBER.fullmatch(value.strip()):
            raise ValueError(f"{name.upper()} must be a number, not {tables.shown(str(value))}.")
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name.upper()} must be a number.")
    if not abs(value) < _LIMIT:  # which is so of NaN, too
        raise ValueError(f"{name.upper()} must be below {_LIMIT}.")
    if round(value, _DECIMALS) != value:
        raise ValueError(f"{name.upper()} has more than {_DECIMALS} decimals.")
    return float(value)


def _truth(value: Any) -> int:
    if value is None or value == "":
        return 0
    if value is True or value is False or (isinstance(value, int | float) and value in (0, 1)):
        return int(value)
    if isinstance(value, str) and value.strip().lower() in {"true", "false", "1", "0"}:
        return int(value.strip().lower() in {"true", "1"})
    raise ValueError("SINPE must be true or false.")
