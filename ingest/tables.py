"""Tables that people and programs write by hand: CSV in its dialects, and VOTable.

Names of columns are compared by their letters and digits only, so that "UT-DATE", "ut date" and
"UT_DATE" are one. A unit in brackets after the name, "EXPTIME [s]", is understood. What is wrong
with a row is a ``Problem`` and the other rows go on; what is wrong with the file is
``UnreadableFile``.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from lxml import etree

from ingest.fits import UnreadableFile

#: Largest CSV file that is read, bytes.
MAX_SIZE = 1 << 28

_UNIT = re.compile(r"\s*[\[(]\s*([^\])]*?)\s*[\])]\s*$")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_NOTHING = {"", "-", "--", "---", "none", "null", "nan", "n/a", "na"}
_XML = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<")


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was refused: where it is, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


class BadRow(ValueError):
    """What is wrong with a row; the message is the reason."""


@dataclass(slots=True)
class Row:
    """A row of a table: cells by the key of their column, without padding."""

    line: int
    cells: dict[str, str]
    units: Mapping[str, str]
    decimal_comma: bool = False

    def text(self, *keys: str) -> str | None:
        """What the first of these columns says; None where the table has none, or nothing there."""
        for key in keys:
            value = self.cells.get(key)
            if value is not None and value.lower() not in _NOTHING:
                return value
        return None

    def number(self, *keys: str) -> float | None:
        """A finite number. Raises BadRow for a text that is none."""
        value = self.text(*keys)
        if value is None:
            return None
        result = decimal(value, self.decimal_comma)
        if result is None:
            raise BadRow(f"{keys[0].upper()} is no number: {shown(value)}")
        return result

    def unit(self, *keys: str) -> str | None:
        """The unit that the first of these columns has in the head of the table."""
        return next((self.units[key] for key in keys if key in self.units), None)


@dataclass(slots=True)
class Table:
    """A table: the keys of its columns, and rows to go through once."""

    file: str
    columns: list[str]
    rows: Iterator[Row]
    #: Rows that could not even be taken apart; complete after ``rows``.
    problems: list[Problem] = field(default_factory=list)


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """What a column is known by: its letters and digits, in small letters."""
    return "".join(re.findall(r"[a-z0-9]", name.lower()))


def decimal(text: str, comma: bool = False) -> float | None:
    """The number that a text is, None if it is none; ``comma`` allows "1,5" for "1.5"."""
    if comma and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    result = float(text) if text.isascii() and _DECIMAL.fullmatch(text) else math.nan
    return result if math.isfinite(result) else None


def shown(text: str) -> str:
    """A text of a file as it is quoted in a message."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def read(path: Path, *, multiline: bool = False) -> Table:
    """The table of a CSV file (separated by comma, semicolon or tab) or VOTable.

    Cells of a CSV file may have line breaks in quotes only if ``multiline``; else a forgotten
    quote spoils no more than its own row.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(256)
    except OSError as error:
        raise UnreadableFile(path.name, "", error.strerror or "cannot be read") from error
    return _votable(path) if _XML.match(start) else _csv(path, multiline)


# ---------------------------------------------------------------- CSV


def _csv(path: Path, multiline: bool) -> Table:
    if path.stat().st_size > MAX_SIZE:
        raise UnreadableFile(path.name, "", f"larger than {MAX_SIZE >> 20} MB")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\0" in text:
        raise UnreadableFile(path.name, "", "no text file: it holds NUL bytes")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if _is_head(line)), None)
    if first is None:
        raise UnreadableFile(path.name, "", "it has no line with names of columns")
    head = lines[first].lstrip("# ")
    delimiter = max(",;\t", key=head.count)
    table = Table(path.name, [], iter(()))
    try:
        names = next(csv.reader([head], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise UnreadableFile(path.name, f"line {first + 1}", str(error)) from error
    table.columns, units = _columns(names)
    if multiline:
        records = _long_records(table, lines, first + 1, delimiter)
    else:
        records = _records(table, lines, first + 1, delimiter)
    table.rows = _csv_rows(table, records, units, delimiter != ",")
    return table


def _is_head(line: str) -> bool:
    """Whether a line names columns: the first that is not blank, nor a comment in words."""
    text = line.lstrip()
    return bool(text.strip("#,;\t ")) and not (
        text.startswith("#") and max(map(text.count, ",;\t")) < 2
    )


def _columns(names: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    columns: list[str] = []
    units: dict[str, str] = {}
    for name in names:
        unit = _UNIT.search(name)
        column = key(name[: unit.start()] if unit else name)
        columns.append(column)
        if unit and unit[1]:
            units.setdefault(column, unit[1])
    return columns, units


def _records(
    table: Table, lines: list[str], first: int, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield from (
                (number, cells)
                for cells in csv.reader(
                    [line], delimiter=delimiter, skipinitialspace=True, strict=True
                )
            )
        except csv.Error as error:
            table.problems.append(Problem(table.file, number, _csv_reason(error)))


def _long_records(
    table: Table, lines: list[str], first: int, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        [line + "\n" for line in lines[first:]],
        delimiter=delimiter,
        skipinitialspace=True,
        strict=True,
    )
    while True:
        number = first + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            table.problems.append(Problem(table.file, number, _csv_reason(error)))
            continue
        if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            yield number, cells


def _csv_reason(error: csv.Error) -> str:
    return "a quote is not closed" if "unexpected end" in str(error) else str(error)


def _csv_rows(
    table: Table,
    records: Iterator[tuple[int, list[str]]],
    units: Mapping[str, str],
    decimal_comma: bool,
) -> Iterator[Row]:
    width = len(table.columns)
    for line, cells in records:
        if any(cell.strip() for cell in cells[width:]):
            reason = f"{len(cells)} cells under {width} columns"
            table.problems.append(Problem(table.file, line, reason))
            continue
        values: dict[str, str] = {}
        for column, cell in zip(table.columns, cells, strict=False):
            values[column] = values.get(column) or cell.strip()
        yield Row(line, values, units, decimal_comma)


# ---------------------------------------------------------------- VOTable


def _votable(path: Path) -> Table:
    """The first table of a VOTable, streamed; lines are those of the file."""
    table = Table(path.name, [], iter(()))
    units: dict[str, str] = {}
    events = _events(path.name, str(path))
    for name, element in events:
        if name == "FIELD":
            columns, found = _columns([element.get("name") or element.get("ID") or ""])
            table.columns += columns
            units.update(found)
            if element.get("unit"):
                units.setdefault(columns[0], element.get("unit"))
        elif name in ("BINARY", "BINARY2", "FITS"):
            events = _events(path.name, _as_tabledata(path))
            break
        elif name == "TABLEDATA":
            break
        elif name == "TABLE" and table.columns:
            events = iter(())
            break
    if not table.columns:
        raise UnreadableFile(path.name, "", "no VOTable: it has no FIELD")
    table.rows = _votable_rows(table, events, units)
    return table


def _events(file: str, source: io.BytesIO | str) -> Iterator[tuple[str, etree._Element]]:
    """FIELDs and rows when they are complete, data as soon as they begin."""
    try:
        for event, element in etree.iterparse(
            source, events=("start", "end"), resolve_entities=False, no_network=True
        ):
            if not isinstance(element.tag, str):
                continue
            name = element.tag.rpartition("}")[2]
            if (event == "end") == (name in ("FIELD", "TR", "TABLE")):
                yield name, element
    except etree.XMLSyntaxError as error:
        place = f"line {error.lineno}" if error.lineno else ""
        raise UnreadableFile(file, place, f"no well-formed XML: {error.msg}") from error


def _as_tabledata(path: Path) -> io.BytesIO:
    import warnings

    from astropy.io import votable

    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            votable.parse(str(path)).to_xml(buffer, tabledata_format="tabledata")
    except Exception as error:  # astropy has many ways to dislike a file
        raise UnreadableFile(path.name, "", f"its binary data cannot be read: {error}") from error
    buffer.seek(0)
    return buffer


def _votable_rows(
    table: Table, events: Iterator[tuple[str, etree._Element]], units: Mapping[str, str]
) -> Iterator[Row]:
    width = len(table.columns)
    for name, element in events:
        if name == "TABLE":
            return  # others are of something else
        if name != "TR":
            continue
        cells = [
            "".join(cell.itertext()).strip()
            for cell in element
            if isinstance(cell.tag, str) and cell.tag.endswith("TD")
        ]
        line = element.sourceline or 0
        parent = element.getparent()
        element.clear()
        if parent is not None:
            for before in list(element.itersiblings(preceding=True)):
                parent.remove(before)
        if len(cells) != width:
            reason = f"{len(cells)} cells under {width} columns"
            table.problems.append(Problem(table.file, line, reason))
            continue
        values: dict[str, str] = {}
        for column, cell in zip(table.columns, cells, strict=True):
            values[column] = values.get(column) or cell
        yield Row(line, values, units)
