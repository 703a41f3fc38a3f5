"""JSDC, the JMMC Stellar Diameters Catalogue: its files, as columns.

The catalogue is II/346 of the CDS (Bourges et al. 2017), whose ReadMe says what the columns are.
It is handed out as FITS, VOTable or TSV, by VizieR with columns of its own besides, with positions
in degrees or in hours and degrees; version 3, in preparation, has proper motions, IRFlag and
identifiers of Gaia. What a file is, is told by its content.

-1, blanks and dashes stand for unknown values. All else is taken as it is; what is wrong or
doubtful is named in ``quality_flags``.
"""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from ingest import fits, tables
from ingest.fits import UnreadableFile

Floats = NDArray[np.float64]
#: A column as its file has it: numbers, or text as bytes.
Raw = NDArray[Any]

BANDS = "bvrijhklmn"

QUALITY_FLAGS = {
    "no_name": "the star has no name",
    "duplicate_name": "another row has the same name",
    "no_position": "the position is missing",
    "no_diameter": "there is no limb-darkened diameter",
    "no_error": "the diameter has no error, or one of 0",
    "diameter_not_positive": "the diameter is 0 or negative",
    "error_exceeds_diameter": "the error of the diameter is greater than the diameter",
    "ud_exceeds_ld": "a uniform-disk diameter is more than 1 % greater than the limb-darkened one",
    "unknown_cal_flag": "the calibrator flag has bits that nobody has explained",
}

#: Columns by what files call them (see ``tables.key``). SearchCal, which makes the catalogue, has
#: names of its own for some.
_LABELS: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "sp_type": ("sptype", "sptypesimbad"),
    **{f"{band}mag": (f"{band}mag", band) for band in BANDS},
    **{f"e_{band}mag": (f"e{band}mag", f"e{band}") for band in BANDS if band not in "ri"},
    "ldd": ("ldd",),
    "e_ldd": ("eldd",),
    "ldd_chi2": ("lddchi", "lddchi2", "diamchi2"),
    "cal_flag": ("calflag",),
    **{f"udd_{band}": (f"udd{band}", f"ud{band}") for band in BANDS},
    "pm_ra": ("pmra",),
    "pm_dec": ("pmdec", "pmde"),
    "ir_flag": ("irflag",),
    "gaia_dr3_id": ("gaiadr3", "gaia", "gaiaid", "sourceid"),
}
_TEXTS = ("name", "sp_type")
_BITS = ("cal_flag", "ir_flag")
_IDENTIFIER = "gaia_dr3_id"
#: In these -1 says that there is none: in diameters by the ReadMe ("?=-1"), in the others because
#: they are never negative.
_NONE_AT_MINUS_ONE = ("ldd", "e_ldd", "ldd_chi2", *(f"udd_{band}" for band in BANDS), *_BITS)
#: The greatest numbers that columns of flags, identifiers and values have room for.
_MAX_FLAG = (1 << 15) - 1
_MAX_IDENTIFIER = (1 << 63) - 1
_MAX_VALUE = float(np.finfo(np.float32).max)
_REQUIRED = ("name", "e_ldd")
#: Columns that tell a position, in the order of trust: _RAJ2000 is what VizieR has computed.
_PLACES = (
    ("RAJ2000", "DEJ2000"),
    ("RAH", "RAM", "RAS", "DE-", "DED", "DEM", "DES"),
    ("_RAJ2000", "_DEJ2000"),
    ("RA_ICRS", "DE_ICRS"),
    ("RA", "DEC"),
)
_KNOWN_BITS = 15
#: Rows of a text that are taken apart at once.
_PORTION = 20_000
_NOTHING = np.array([b"", b"-", b"--", b"---", b"nan", b"NaN", b"null", b"NULL"])
_NO_IDENTIFIER = {*_NOTHING.tolist(), b"-1"}
_SEXAGESIMAL = re.compile(rb"[+-]? ?\d{1,3}[ :]+\d{1,2}[ :]+\d{1,2}(?:\.\d*)?")
#: Gaia EDR3 and DR3 have the same sources.
_GAIA = re.compile(rb"(?:gaia +e?dr3 +)?(\d+)", re.IGNORECASE)
#: The last line of a TSV table begins with this.
_TSV_END = b"#END#"
_XML_ENCODING = re.compile(rb"""\s*<\?xml[^>]*\bencoding\s*=\s*["']([\w.-]+)["'][^>]*\?>""")
#: What a service says after a table that it has cut off (DALI).
_OVERFLOW = re.compile(rb"<(?:[\w.-]+:)?INFO\b(?=[^>]*\bQUERY_STATUS\b)(?=[^>]*\bOVERFLOW\b)")
_TABLEDATA = re.compile(rb"<(?:[\w.-]+:)?TABLEDATA\s*>")
_TABLEDATA_END = re.compile(rb"</(?:[\w.-]+:)?TABLEDATA\s*>")
_ROW = re.compile(rb"<(?:[\w.-]+:)?TR\b[^>]*>(.*?)</(?:[\w.-]+:)?TR\s*>", re.DOTALL)
_CELL = re.compile(rb"<(?:[\w.-]+:)?TD\b[^>]*?(?:/>|>([^<]*)</)")


@dataclass(frozen=True)
class Catalogue:
    """A file of the catalogue: columns of equal length by the names that the table has.

    Numbers are float64, NaN where unknown; texts, and ``gaia_dr3_id``, which float64 does not hold,
    are UTF-8 in arrays of bytes, empty where unknown. ``ra`` and ``dec`` are degrees (ICRS, J2000).
    """

    file: str
    #: 2 as published, 3 when the file has the columns that are new in it.
    version: int
    columns: Mapping[str, Raw]

    def __len__(self) -> int:
        return len(self.columns["name"])


def read(path: Path) -> Catalogue:
    """The catalogue of a FITS file, VOTable or TSV table, plain or gzip.

    Of several tables it is the first that has names, positions and diameters. Raises
    UnreadableFile for a file without one, for one that is not whole, and for a value that cannot be
    one of its column.
    """
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with (gzip.open if packed else open)(path, "rb") as stream:
            start = stream.read(4096)
            if start.startswith(b"SIMPLE"):
                raw = _from_fits(path)
            else:
                stream.seek(0)
                data = stream.read()
                xml = start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
                raw = _from_votable(path, data) if xml else _from_tsv(path.name, data)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or f"it cannot be read: {error}"
        raise UnreadableFile(path.name, "", reason) from error
    return _catalogue(path.name, raw)


# ---------------------------------------------------------------- files


def _wanted(names: Sequence[str]) -> dict[str, int] | None:
    """Places of the columns that are needed of a table: by our names, and those of the position.

    None when the table is not the catalogue.
    """
    keys = [tables.key(name) for name in names]
    found: dict[str, int] = {}
    for name, labels in _LABELS.items():
        label = next((label for label in labels if label in keys), None)
        if label is not None:
            found[name] = keys.index(label)
    if any(name not in found for name in _REQUIRED):
        return None
    upper = [name.upper() for name in names]
    for place in _PLACES:
        if set(place) <= set(upper):
            found.update((name, upper.index(name)) for name in place)
            return found
    return None


def _from_fits(path: Path) -> dict[str, Raw]:
    for hdu in fits.read(path):
        if not hdu.is_table:
            continue
        table = fits.read_table(hdu, path.name)
        names = list(table.columns)
        wanted = _wanted(names)
        if wanted is None:
            continue
        return {
            name: _fits_column(table, names[number], path.name) for name, number in wanted.items()
        }
    raise _without_table(path.name)


def _fits_column(table: fits.Table, label: str, file: str) -> Raw:
    """A column of single values; whole numbers as text, for floats do not hold all."""
    found = table.array(label)
    if found is None or found.size != table.rows:
        raise UnreadableFile(file, table.hdu.place, f"column {label} has no single values")
    array: Raw = found.reshape(table.rows)
    if array.dtype.kind == "S":
        for row in np.flatnonzero(np.char.find(array, b"\0") >= 0).tolist():
            array[row] = array[row].partition(b"\0")[0]  # ends the text (FITS 4.0, section 7.3.3.1)
        return array
    column = table.columns[label]
    written = _null(table, label) if column.kind in "BIJK" else None
    null: float | None = None
    if written is not None:
        whole = column.scale == 1.0  # then it must stay one, for a float does not hold all
        null = written + int(column.zero) if whole else written * column.scale + column.zero
    if array.dtype.kind not in "iu":
        return array if null is None else np.where(array == null, np.nan, array)
    text: Raw = array.astype(np.bytes_)
    return text if null is None else np.where(array == null, b"", text)


def _null(table: fits.Table, label: str) -> int | None:
    """The number that says in a column's bytes that there is none; of two labels the first's."""
    for number in range(1, (table.header.integer("TFIELDS") or 0) + 1):
        if (table.header.text(f"TTYPE{number}") or "").upper() == label:
            return table.header.integer(f"TNULL{number}")
    return None


def _from_tsv(file: str, data: bytes) -> dict[str, Raw]:
    """VizieR's form: comments, then names, units, dashes and rows of a table, maybe of more."""
    every = data.splitlines()
    lines = iter(every)
    head: list[bytes] = []
    for line in lines:
        if line.startswith(b"#") or not line.strip():
            head = []
        elif head and _is_rule(line):
            names = [name.decode("latin-1").strip() for name in head[0].split(b"\t")]
            wanted = _wanted(names)
            if wanted is not None:
                last = next(line for line in reversed(every) if line.strip())
                if not last.startswith(_TSV_END):
                    raise UnreadableFile(file, "", "no #END# in its last line: the file is cut off")
                return _columns(file, wanted, len(names), _tsv_rows(file, lines))
        else:
            head.append(line)
    raise _without_table(file)


def _is_rule(line: bytes) -> bool:
    """Whether a line is the one of dashes between the names of columns and the rows."""
    return not line.strip(b"-\t ")


def _tsv_rows(file: str, lines: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    """Cells of the rows up to where another table is announced."""
    lines = iter(lines)
    for number, line in enumerate(lines, 1):
        if line.startswith(b"#"):
            rest = [line for line in lines if line.strip() and not line.startswith(b"#")]
            if rest and not any(map(_is_rule, rest[:3])):
                raise UnreadableFile(file, f"row {number}", "a comment stands between the rows")
            return
        if line.strip():
            yield line.split(b"\t")


def _from_votable(path: Path, data: bytes) -> dict[str, Raw]:
    data = _in_utf8(path.name, data)
    if b"OVERFLOW" in data and _OVERFLOW.search(data):
        reason = "it says itself that it has not all rows (QUERY_STATUS is OVERFLOW)"
        raise UnreadableFile(path.name, "", reason)
    names: list[str] = []
    nulls: dict[int, bytes] = {}  # by the place of the column
    before = 0  # tables with TABLEDATA
    try:
        for event, element in etree.iterparse(
            io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True,
            huge_tree=True,
        ):  # fmt: skip
            tag = etree.QName(element).localname if isinstance(element.tag, str) else ""
            if event == "start" and tag == "TABLE":
                names, nulls = [], {}
            elif event == "start" and tag == "VALUES":
                field = element.getparent()
                if field is not None and etree.QName(field).localname == "FIELD":
                    nulls[len(names)] = element.get("null", "").strip().encode()
            elif event == "end" and tag == "FIELD":
                names.append(element.get("name") or element.get("ID") or "")
            elif event == "start" and tag in ("TABLEDATA", "BINARY", "BINARY2", "FITS"):
                if wanted := _wanted(names):
                    rows = _votable_rows(path, data, tag, before, names)
                    return _columns(path.name, wanted, len(names), rows, nulls)
                before += tag == "TABLEDATA"
            elif event == "end" and tag != "FIELD":
                element.clear()
    except etree.XMLSyntaxError as error:
        place = f"line {error.lineno}" if error.lineno else ""
        raise UnreadableFile(path.name, place, f"no well-formed XML: {error.msg}") from error
    raise _without_table(path.name)


def _in_utf8(file: str, data: bytes) -> bytes:
    """XML in UTF-8, if it says at its begin that it is in something else."""
    declared = _XML_ENCODING.match(data)
    if declared is None or declared[1].upper() in (b"UTF-8", b"US-ASCII"):
        return data
    encoding = declared[1].decode("ascii")
    try:
        return data[declared.end() :].decode(encoding).encode()
    except (LookupError, UnicodeDecodeError) as error:
        raise UnreadableFile(file, "", f"it is not in {encoding}, as it says: {error}") from None


def _votable_rows(
    path: Path, data: bytes, form: str, before: int, names: Sequence[str]
) -> Iterator[Sequence[bytes]]:
    """Cells of the rows of a table, which ``before`` others with TABLEDATA precede.

    A parser of XML takes minutes for millions of cells; where there is nothing but cells, they are
    cut out. ``data`` is all of the file, unpacked.
    """
    start = next(islice(_TABLEDATA.finditer(data), before, None), None)
    if form == "TABLEDATA" and start is not None:
        found = _TABLEDATA_END.search(data, start.end())
        if found is None or data.find(b"VOTABLE", found.end()) < 0:
            raise UnreadableFile(path.name, "", "the table has no end: the file is cut off")
        end = found.start()
        if data.find(b"<!", start.end(), end) < 0:  # neither comments nor CDATA
            done = start.end()
            for row in _ROW.finditer(data, start.end(), end):
                cells = _CELL.findall(row[1])
                if b"&" in row[1]:
                    # What is no UTF-8 is found where its column is known.
                    cells = [
                        unescape(cell.decode(errors="surrogateescape")).encode(
                            errors="surrogateescape"
                        )
                        for cell in cells
                    ]
                yield cells
                done = row.end()
            if data[done:end].strip():
                raise UnreadableFile(path.name, "", "the last row of the table has no end")
            return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.name
        plain.write_bytes(data)  # for it may be packed
        table = tables.read(plain)
        keys = [tables.key(name) for name in names]
        if table.columns != keys:
            raise UnreadableFile(path.name, "", "the catalogue is not the first table in it")
        for read in table.rows:
            yield [read.cells[key].encode() for key in keys]
    if table.problems:
        raise UnreadableFile(path.name, f"line {table.problems[0].line}", table.problems[0].reason)


def _columns(
    file: str,
    wanted: Mapping[str, int],
    width: int,
    rows: Iterator[Sequence[bytes]],
    nulls: Mapping[int, bytes] | None = None,
) -> dict[str, Raw]:
    """Columns of rows of cells; numbers as such, as far as it is known which are.

    ``nulls`` says, by the place of a column, what stands there for nothing.
    """
    portions: dict[str, list[Raw]] = {name: [] for name in wanted}
    done = 0
    while portion := list(islice(rows, _PORTION)):
        for number, row in enumerate(portion, done + 1):
            if len(row) != width:
                raise UnreadableFile(
                    file, f"row {number}", f"{len(row)} cells under {width} columns"
                )
        cells = list(zip(*portion, strict=True))
        for name, place in wanted.items():
            raw = np.array(cells[place], dtype=np.bytes_)
            if nulls and place in nulls:
                raw = np.where(np.char.strip(raw) == nulls[place], b"", raw)
            plain = name in _LABELS and name not in (*_TEXTS, _IDENTIFIER)
            portions[name].append(_numbers(file, name, raw, done) if plain else raw)
        done += len(portion)
    return {
        name: np.concatenate(arrays) if arrays else np.array([], np.bytes_)
        for name, arrays in portions.items()
    }


def _without_table(file: str) -> UnreadableFile:
    reason = (
        "there is no table with Name, RAJ2000, DEJ2000 and e_LDD in it, in FITS, VOTable or TSV"
        " (with a line of dashes under the names)"
    )
    return UnreadableFile(file, "", reason)


# ---------------------------------------------------------------- values


def _catalogue(file: str, raw: dict[str, Raw]) -> Catalogue:
    size = len(raw["name"])
    if not size:
        raise UnreadableFile(file, "", "the table has no rows")
    columns: dict[str, Raw] = {}
    for name in _LABELS:
        known = name in raw
        if name in _TEXTS:
            columns[name] = _words(file, name, raw[name]) if known else np.zeros(size, "S1")
        elif name == _IDENTIFIER:
            columns[name] = _identifiers(file, name, raw[name]) if known else np.zeros(size, "S1")
        else:
            columns[name] = _numbers(file, name, raw[name]) if known else np.full(size, np.nan)
    for name in _NONE_AT_MINUS_ONE:
        columns[name] = np.where(columns[name] == -1, np.nan, columns[name])
    for name in _BITS:
        bits = columns[name]
        for wrong, reason in (
            (bits % 1 > 0, "is no whole number"),
            ((bits < 0) | (bits > _MAX_FLAG), f"is not from 0 to {_MAX_FLAG}"),
        ):
            for row in np.flatnonzero(wrong)[:1].tolist():
                raise _bad_value(file, row, name, f"{bits[row]:.10g}".encode(), reason)
    columns["ra"], columns["dec"] = _position(file, raw)
    columns["quality_flags"] = _flags(columns)
    return Catalogue(file, 3 if "ir_flag" in raw else 2, columns)


def _text(raw: Raw) -> Raw:
    if raw.dtype.kind != "S":
        raw = raw.astype(np.bytes_)
    text = np.char.strip(raw)
    return np.where(np.isin(text, (b"-", b"--", b"---")), b"", text)


def _words(file: str, name: str, raw: Raw) -> Raw:
    """Text that can be stored: UTF-8, without NUL."""
    text = _text(raw)
    try:
        if b"\0" not in b"\n".join(text.tolist()):
            b"\n".join(text.tolist()).decode()
            return text
    except UnicodeDecodeError:
        pass
    for place, value in enumerate(text.tolist()):
        if b"\0" in value:
            raise _bad_value(file, place, name, value, "has a NUL in it")
        try:
            value.decode()
        except UnicodeDecodeError:
            raise _bad_value(file, place, name, value, "is no UTF-8") from None
    raise AssertionError("all of them are UTF-8")


def _numbers(file: str, name: str, raw: Raw, before: int = 0) -> Floats:
    """Numbers, NaN where there is none; ``before`` rows precede."""
    if raw.dtype.kind in "fiu":
        numbers: Floats = raw.astype(np.float64)
    else:
        text = _text(raw)
        numbers = np.full(len(text), np.nan)
        known = ~np.isin(text, _NOTHING)
        try:
            numbers[known] = text[known].astype(np.float64)
        except ValueError:
            place = _offender(text, known)
            value = bytes(text[place])
            raise _bad_value(file, before + place, name, value, "is no number") from None
    numbers[~np.isfinite(numbers)] = np.nan
    for row in np.flatnonzero(np.abs(numbers) > _MAX_VALUE)[:1].tolist():
        value = f"{numbers[row]:g}".encode()
        raise _bad_value(file, before + row, name, value, "is too great for a number")
    return numbers


def _identifiers(file: str, name: str, raw: Raw) -> Raw:
    """Numbers of Gaia DR3 as text, empty where there is none; they may have its name before."""
    found = []
    for place, text in enumerate(_text(raw).tolist()):
        match = _GAIA.fullmatch(text)
        if match and int(match[1]) <= _MAX_IDENTIFIER:
            found.append(match[1])
        elif text in _NO_IDENTIFIER:
            found.append(b"")
        else:
            raise _bad_value(file, place, name, text, "is no identifier of Gaia DR3")
    return np.array(found, np.bytes_)


def _offender(text: Raw, known: Raw) -> int:
    """Where the first of the known values is that is no number."""
    for place in np.flatnonzero(known).tolist():
        try:
            float(text[place])
        except ValueError:
            return int(place)
    raise AssertionError("all of them are numbers")


def _bad_value(file: str, place: int, name: str, value: bytes, reason: str) -> UnreadableFile:
    shown = tables.shown(value.decode("utf-8", "replace"))
    return UnreadableFile(file, f"row {place + 1}", f"{name} {reason}: {shown}")


def _position(file: str, raw: dict[str, Raw]) -> tuple[Floats, Floats]:
    """Right ascension and declination in degrees, NaN where unknown."""
    place = next(place for place in _PLACES if set(place) <= set(raw))
    if len(place) > 2:
        h, m, s, d, arcmin, arcsec = (
            _numbers(file, name, raw[name]) for name in place if name != "DE-"
        )
        for name, part, limit in zip(
            (name for name in place if name != "DE-"),
            (h, m, s, d, arcmin, arcsec),
            (25, 60, 60, 91, 60, 60),
            strict=True,
        ):
            for row in np.flatnonzero((part < 0) | (part >= limit))[:1].tolist():
                shown = f"{part[row]:g}".encode()
                raise _bad_value(file, row, name, shown, f"is not from 0 to below {limit}")
        sign = _signs(file, raw["DE-"])
        ra, dec = 15 * (h + m / 60 + s / 3600), sign * (d + arcmin / 60 + arcsec / 3600)
    else:
        ra = _angle(file, place[0], raw[place[0]], hours=True)
        dec = _angle(file, place[1], raw[place[1]], hours=False)
    for name, value, low, high in (("ra", ra, 0.0, 360.0), ("dec", dec, -90.0, 90.0)):
        wrong = np.flatnonzero((value < low) | (value > high))
        if wrong.size:
            shown = f"{value[wrong[0]]:g}".encode()
            raise _bad_value(file, int(wrong[0]), name, shown, f"is not from {low:g} to {high:g}")
    unknown = np.isnan(ra) | np.isnan(dec)
    ra = np.where(ra == 360.0, 0.0, ra)
    return np.where(unknown, np.nan, ra), np.where(unknown, np.nan, dec)


def _signs(file: str, raw: Raw) -> Floats:
    """-1 where a declination is negative, else 1."""
    text = np.char.strip(raw if raw.dtype.kind == "S" else raw.astype(np.bytes_))
    for row in np.flatnonzero(~np.isin(text, (b"-", b"+", b"")))[:1].tolist():
        raise _bad_value(file, row, "DE-", bytes(text[row]), "is no sign")
    return np.where(text == b"-", -1.0, 1.0)


def _angle(file: str, name: str, raw: Raw, *, hours: bool) -> Floats:
    """Degrees from degrees, or from three numbers of which the first is hours or degrees."""
    if raw.dtype.kind != "S":
        return _numbers(file, name, raw)
    text = _text(raw)
    known = ~np.isin(text, _NOTHING)
    written = text[known].tolist()
    if not written or not _SEXAGESIMAL.fullmatch(written[0]):
        return _numbers(file, name, raw)
    for number, value in zip(np.flatnonzero(known).tolist(), written, strict=True):
        if not _SEXAGESIMAL.fullmatch(value):
            kind = "hours" if hours else "degrees"
            raise _bad_value(file, number, name, value, f"is not {kind}, minutes and seconds")
    parts = np.array(
        b" ".join(written).replace(b":", b" ").replace(b"- ", b"-").replace(b"+", b"").split(),
        np.bytes_,
    ).astype(np.float64).reshape(-1, 3)  # fmt: skip
    for place in np.flatnonzero((parts[:, 1:] >= 60).any(axis=1))[:1].tolist():
        row = int(np.flatnonzero(known)[place])
        raise _bad_value(file, row, name, written[place], "has 60 minutes or seconds, or more")
    seconds = np.abs(parts[:, 0]) * 3600 + parts[:, 1] * 60 + parts[:, 2]
    value = seconds * 15 / 3600 if hours else seconds / 3600
    value[np.char.startswith(text[known], b"-")] *= -1
    result = np.full(len(text), np.nan)
    result[known] = value
    return result


def _flags(columns: Mapping[str, Raw]) -> Raw:
    """Words of QUALITY_FLAGS for each row, separated by blanks."""
    name, ldd, e_ldd = columns["name"], columns["ldd"], columns["e_ldd"]
    _, same, numbers = np.unique(name, return_inverse=True, return_counts=True)
    discs = np.array([columns[f"udd_{band}"] for band in BANDS])
    with np.errstate(invalid="ignore"):
        broken = {
            "no_name": name == b"",
            "duplicate_name": (numbers[same] > 1) & (name != b""),
            "no_position": np.isnan(columns["ra"]),
            "no_diameter": np.isnan(ldd),
            "no_error": ~np.isnan(ldd) & ~(e_ldd > 0),
            "diameter_not_positive": ldd <= 0,
            "error_exceeds_diameter": (e_ldd > ldd) & (ldd > 0),
            "ud_exceeds_ld": ((discs > 1.01 * ldd) & (ldd > 0)).any(axis=0),
            "unknown_cal_flag": columns["cal_flag"] > _KNOWN_BITS,
        }
    words = [""] * len(name)
    for flag, rows in broken.items():
        for row in np.flatnonzero(rows).tolist():
            words[row] = f"{words[row]} {flag}".lstrip()
    return np.array(words, np.bytes_) if words else np.array([], "S1")
