"""Rows of JMDC in all forms they go round in: the CSV file of its web site, the working
spreadsheets of before, the table of CDS (fixed width, by its ReadMe), VOTable and FITS.

Nothing is repaired. A cell without a value (blank, ``-1``, dots, ``---``) is None, and text loses
the blanks around it. Numbers are the decimal number nearest to what the file holds, so that 0.927
in single precision is 0.927.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ingest import fits, tables
from ingest.fits import UnreadableFile
from ingest.resolve import Place
from ingest.tables import BadRow, Problem, Row

#: Width of a bibcode.
BIBCODE = 19

#: Keys of columns (tables.key) by what they hold: the names of the web site and VizieR, those of
#: the spreadsheets. Where limb-darkened diameters were computed anew, LDD_ORIG is as published.
_COLUMNS = {
    "id1": ("id1",),
    "id2": ("id2",),
    "ud_diam": ("uddiam", "udmeas"),
    "ld_diam": ("lddiam", "lddorig", "ldmeas"),
    "e_ld_diam": ("elddiam", "eldmeas"),
    "band": ("band",),
    "mu_lambda": ("mulambda",),
    "method": ("method",),
    "bandcode": ("bandcode",),
    "notes": ("notes",),
    "bibcode": ("bibcode",),
    "sinpe": ("sinpe",),
}
#: In the spreadsheets: a bibcode and what there is to say of a publication without one.
_REFERENCE = "reference"
#: All that is read of a table.
_USED = {"raj2000", "dej2000", "pmra", "pmdec", _REFERENCE}.union(*_COLUMNS.values())
#: What stands for no number.
_NO_NUMBERS = frozenset((-1.0, -(2.0**15), -(2.0**31), -(2.0**63)))
#: A day in the name of a file.
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_TRUE = frozenset(("true", "t", "1", "1.0", "yes"))
_FALSE = frozenset(("false", "f", "0", "0.0", "no"))
_HEXAGESIMAL = re.compile(r"([+-]?)(\d{1,3})[ :](\d{1,2})[ :](\d{1,2}(?:\.\d*)?)")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of JMDC as it is published; fields have the names of the columns of jmdc/q.rd."""

    id1: str
    id2: str | None = None
    #: Diameters and their error, mas.
    ud_diam: float | None = None
    ld_diam: float | None = None
    e_ld_diam: float | None = None
    band: str | None = None
    mu_lambda: float | None = None
    method: int | None = None
    bandcode: int | None = None
    notes: str | None = None
    bibcode: str | None = None
    sinpe: int = 0

    def as_row(self) -> dict[str, Any]:
        """The values by the names of their columns."""
        return {column: getattr(self, column) for column in COLUMNS}


#: Names of the columns of a measurement, in their order.
COLUMNS = tuple(column.name for column in fields(Measurement))


@dataclass(slots=True)
class Contents:
    """What a file holds."""

    measurements: list[Measurement] = field(default_factory=list)
    #: Rows that cannot be understood; a file with some is not to be ingested.
    problems: list[Problem] = field(default_factory=list)
    #: Positions of stars by id1, from a file that was matched with other catalogues.
    places: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """A file that is a release."""

    #: Name and day of the release, name of the file, SHA-256 checksum of it.
    release: str
    release_date: date
    file_name: str
    checksum: str
    measurements: list[Measurement]
    places: dict[str, Place]


def read_release(path: Path, name: str | None = None, day: date | None = None) -> ReleaseFile:
    """The release that a file holds; UnreadableFile when one of its rows cannot be understood.

    Its day is ``day``, or the one in the name of the file (JMDC_20210910.csv); its name is
    ``name``, or the day.
    """
    day = day or _day_of(path)
    contents = read_whole(path)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    return ReleaseFile(
        name or day.isoformat(), day, path.name, checksum, contents.measurements, contents.places
    )


def read_whole(path: Path) -> Contents:
    """What a file holds, when all rows can be understood; else UnreadableFile."""
    contents = read(path)
    if contents.problems:
        first, more = contents.problems[0], len(contents.problems) - 1
        also = f" ({more} other rows are bad, too)" if more else ""
        raise UnreadableFile(path.name, f"line {first.line}", first.reason + also)
    return contents


def _day_of(path: Path) -> date:
    for match in _DAY.finditer(path.name):
        with contextlib.suppress(ValueError):
            return date.fromisoformat("-".join(match.groups()))
    raise UnreadableFile(
        path.name, "", "its name does not tell the day of the release; tell it with --date"
    )


def read(path: Path) -> Contents:
    """What a file in any of the forms holds; UnreadableFile for one in none of them."""
    try:
        with path.open("rb") as stream:
            start = stream.read(4096)
    except OSError as error:
        raise UnreadableFile(path.name, "", error.strerror or "cannot be read") from error
    table = _reader(start)(path)
    for wanted in ("id1", "ud_diam", "ld_diam"):
        if not set(_COLUMNS[wanted]) & set(table.columns):
            raise UnreadableFile(
                path.name, "", f"it has no column {wanted}, but {', '.join(table.columns)}"
            )
    contents = Contents(problems=table.problems)
    for row in table.rows:
        try:
            measurement = _measurement(row)
            if (place := _place(row)) is not None:
                contents.places[measurement.id1] = place
            contents.measurements.append(measurement)
        except BadRow as error:
            contents.problems.append(Problem(path.name, row.line, str(error)))
    if not contents.measurements and not contents.problems:
        raise UnreadableFile(path.name, "", "it has no rows")
    contents.problems.sort(key=lambda problem: problem.line)
    return contents


def measurement(values: dict[str, Any]) -> Measurement:
    """A measurement of texts or numbers by the names of its columns, as in a row of a file.

    Raises BadRow with the reason when that is no row of JMDC.
    """
    cells = {
        _COLUMNS[name][0]: _shortest(value)
        for name, value in values.items()
        if value is not None and name in _COLUMNS
    }
    return _measurement(Row(0, cells, {}))


def _measurement(row: Row) -> Measurement:
    bibcode, rest = _text(row, "bibcode"), None
    if bibcode is None and (reference := row.cells.get(_REFERENCE)):
        bibcode, _, rest = reference.partition(" ")
    id1 = _text(row, "id1")
    if id1 is None:
        raise BadRow("no name of a star (ID1)")
    notes = " ".join(filter(None, (rest and rest.strip(), _text(row, "notes"))))
    return Measurement(
        id1=id1,
        id2=_text(row, "id2"),
        ud_diam=_number(row, "ud_diam"),
        ld_diam=_number(row, "ld_diam"),
        e_ld_diam=_number(row, "e_ld_diam"),
        band=_text(row, "band"),
        mu_lambda=_number(row, "mu_lambda"),
        method=_integer(row, "method"),
        bandcode=_integer(row, "bandcode"),
        notes=notes or None,
        bibcode=bibcode,
        sinpe=_truth(row, "sinpe"),
    )


def _text(row: Row, name: str) -> str | None:
    """A text without what no form of JMDC can hold: line breaks, other control characters."""
    for key in _COLUMNS[name]:
        if value := row.cells.get(key):
            value = "".join(letter if letter.isprintable() else " " for letter in value).strip()
            # A bibcode may be all dots: the publication is known, and has none.
            if value.strip("-"):
                return value
    return None


def _number(row: Row, name: str) -> float | None:
    # Of two columns the first, whether or not it has a value: the other is something else.
    column = next((key for key in _COLUMNS[name] if key in row.cells), _COLUMNS[name][0])
    value = row.text(column)
    if value is None or not value.strip("."):
        return None
    number = row.number(column)
    return None if number in _NO_NUMBERS else number


def _integer(row: Row, name: str) -> int | None:
    number = _number(row, name)
    if number is None:
        return None
    if not number.is_integer() or not 0 <= number <= 999:
        raise BadRow(f"{name.upper()} is no code: {number:g}")
    return int(number)


def _truth(row: Row, name: str) -> int:
    value = (row.text(*_COLUMNS[name]) or "false").lower()
    if value not in _TRUE | _FALSE:
        raise BadRow(f"{name.upper()} is neither True nor blank: {tables.shown(value)}")
    return int(value in _TRUE)


def _place(row: Row) -> Place | None:
    """Where the star is, in the table that was matched with other catalogues."""
    ra, dec = _degrees(row.text("raj2000"), 15.0), _degrees(row.text("dej2000"), 1.0)
    if ra is None or dec is None:
        return None
    pm_ra, pm_dec = row.number("pmra"), row.number("pmdec")
    known = pm_ra is not None and pm_dec is not None
    return Place(ra, dec, *((pm_ra, pm_dec) if known else (None, None)))


def _degrees(text: str | None, factor: float) -> float | None:
    match = text and _HEXAGESIMAL.fullmatch(text)
    if not match:
        return None
    sign, degrees, minutes, seconds = match.groups()
    value = (int(degrees) + int(minutes) / 60 + float(seconds) / 3600) * factor
    return round(-value if sign == "-" else value, 9)


# ---------------------------------------------------------------- forms of files


def _reader(start: bytes) -> Callable[[Path], tables.Table]:
    """What reads a file that starts so."""
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return _spreadsheet
    if start.startswith(b"SIMPLE  ="):
        return _fits
    first = start.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if first.startswith(b"<") or re.match(rb"[^\n]*\bid1\b", first):
        return lambda path: tables.read(path, multiline=True)
    return _cds


def _spreadsheet(path: Path) -> tables.Table:
    try:
        import xlrd
    except ImportError:
        raise UnreadableFile(path.name, "", "spreadsheets need Debian's python3-xlrd") from None
    try:
        sheet = xlrd.open_workbook(path).sheet_by_index(0)
        cells = [sheet.row(number) for number in range(sheet.nrows)]
    except Exception as error:  # xlrd has many ways to dislike a file
        raise UnreadableFile(path.name, "", f"no spreadsheet: {error}") from error
    if not cells:
        raise UnreadableFile(path.name, "", "its first sheet is empty")
    names = [str(cell.value) for cell in cells[0]]
    problems: list[Problem] = []

    def rows() -> Iterator[list[Any]]:
        for number, row in enumerate(cells[1:], 1):
            found = [
                f"{xlrd.cellname(number, place)} {reason}"
                for place, (name, cell) in enumerate(zip(names, row, strict=True))
                if (reason := _no_value(tables.key(name), cell))
            ]
            if found:
                problems.append(Problem(path.name, number + 1, ", ".join(found)))
            yield [""] * len(row) if found else [cell.value for cell in row]

    table = _table(path, names, rows(), first=2)
    table.problems = problems
    return table


def _no_value(key: str, cell: Any) -> str | None:
    """Why a cell of a spreadsheet is no value; xlrd has numbers for errors and truth values."""
    import xlrd

    if key in _USED and cell.ctype == xlrd.XL_CELL_ERROR:
        return f"is the error {xlrd.error_text_from_code.get(cell.value, cell.value)}"
    if key in _USED - {"sinpe"} and cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return f"is {'TRUE' if cell.value else 'FALSE'}, which is neither a number nor a text"
    return None


def _fits(path: Path) -> tables.Table:
    hdu = next((hdu for hdu in fits.read(path) if hdu.is_table), None)
    if hdu is None:
        raise UnreadableFile(path.name, "", "it has no binary table")
    table = fits.read_table(hdu, path.name)
    names, columns = [], []
    for number, name in enumerate(table.columns, 1):
        cells = table.array(name) if tables.key(name) in _USED else None
        if cells is not None:
            null = hdu.header.integer(f"TNULL{number}")
            names.append(name)
            columns.append(["" if null is not None and cell == null else cell for cell in cells])
    return _table(path, names, map(list, zip(*columns, strict=True)), first=1)


def _cds(path: Path) -> tables.Table:
    from astropy.io import ascii

    readme = next(
        (path.parent / n for n in ("ReadMe", "README") if (path.parent / n).exists()), None
    )
    if readme is None:
        raise UnreadableFile(
            path.name, "", "it has no line with names of columns, and no ReadMe beside it"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units
            table = ascii.read(str(path), format="cds", readme=str(readme))
    except Exception as error:  # astropy has many ways to dislike a file
        raise UnreadableFile(path.name, "", f"it is not what its ReadMe says: {error}") from error
    rows = (["" if value is np.ma.masked else value for value in row] for row in table.iterrows())
    return _table(path, table.colnames, rows, first=1)


def _table(path: Path, names: list[str], rows: Iterator[list[Any]], first: int) -> tables.Table:
    """A table of values that are not all texts yet."""
    keys = [tables.key(name) for name in names]

    def texts() -> Iterator[Row]:
        for line, values in enumerate(rows, first):
            cells = dict(zip(keys, map(_shortest, values), strict=True))
            if any(cells.values()):
                yield Row(line, cells, {})

    return tables.Table(path.name, keys, texts())


def _shortest(value: Any) -> str:
    """A value as the text that it was made of."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(())[()]
    if isinstance(value, bytes):
        value = value.split(b"\0")[0].decode("latin-1")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, np.float32):
        return "" if math.isnan(value) else str(value)
    if isinstance(value, float | np.floating):
        if math.isnan(value):
            return ""
        # Spreadsheets compute: 0.6000000000000001 was typed 0.6. So do programs that keep single
        # precision in double: 2.39000010490417 is the single-precision number next to 2.39.
        with np.errstate(over="ignore"):
            single = np.float32(value)
        text = f"{float(value):.15g}"
        return str(single) if float(single) == value and len(text) > 12 else text
    return str(value)
