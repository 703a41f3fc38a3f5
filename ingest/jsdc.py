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
#: In these -1 says that there is none (ReadMe: "?=-1"), and in flags, which have no sign.
_DIAMETERS = ("ldd", "e_ldd", *(f"udd_{band}" for band in BANDS))
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
_SEXAGESIMAL = re.compile(rb"[+-]?\s*\d{1,3}[ :]+\d{1,2}[ :]+\d{1,2}(?:\.\d*)?")
_TABLEDATA = re.compile(rb"<(?:[\w.-]+:)?TABLEDATA\s*>")
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
    UnreadableFile for a file without one, and for a value that cannot be one of its column.
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
    except (OSError, EOFError) as error:
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
        raw: dict[str, Raw] = {}
        for name, number in wanted.items():
            array = table.array(names[number])
            if array is None or array.size != table.rows:
                raise UnreadableFile(
                    path.name, hdu.place, f"column {names[number]} has no single values"
                )
            null = hdu.header.integer(f"TNULL{number + 1}")
            raw[name] = _without(array.reshape(table.rows), null)
        return raw
    raise _without_table(path.name)


def _without(array: Raw, null: int | None) -> Raw:
    """Whole numbers without the one that means none: as text, for floats do not hold all."""
    if array.dtype.kind not in "iu":
        return array
    text: Raw = array.astype(np.bytes_)
    return text if null is None else np.where(array == null, b"", text)


def _from_tsv(file: str, data: bytes) -> dict[str, Raw]:
    """VizieR's form: comments, then names, units, dashes and rows of a table, maybe of more."""
    lines = iter(data.splitlines())
    head: list[bytes] = []
    for line in lines:
        if line.startswith(b"#") or not line.strip():
            head = []
        elif head and not line.strip(b"-\t "):
            names = [name.decode("latin-1").strip() for name in head[0].split(b"\t")]
            wanted = _wanted(names)
            if wanted is not None:
                return _columns(file, wanted, len(names), _tsv_rows(lines))
        else:
            head.append(line)
    raise _without_table(file)


def _tsv_rows(lines: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    """Cells of the rows up to where another table is announced."""
    for line in lines:
        if line.startswith(b"#"):
            return
        if line.strip():
            yield line.split(b"\t")


def _from_votable(path: Path, data: bytes) -> dict[str, Raw]:
    names: list[str] = []
    before = 0  # tables with TABLEDATA
    try:
        for event, element in etree.iterparse(
            io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True,
            huge_tree=True,
        ):  # fmt: skip
            tag = etree.QName(element).localname if isinstance(element.tag, str) else ""
            if event == "start" and tag == "TABLE":
                names = []
            elif event == "end" and tag == "FIELD":
                names.append(element.get("name") or element.get("ID") or "")
            elif event == "start" and tag in ("TABLEDATA", "BINARY", "BINARY2", "FITS"):
                if wanted := _wanted(names):
                    rows = _votable_rows(path, data, tag, before, names)
                    return _columns(path.name, wanted, len(names), rows)
                before += tag == "TABLEDATA"
            elif event == "end" and tag != "FIELD":
                element.clear()
    except etree.XMLSyntaxError as error:
        place = f"line {error.lineno}" if error.lineno else ""
        raise UnreadableFile(path.name, place, f"no well-formed XML: {error.msg}") from error
    raise _without_table(path.name)


def _votable_rows(
    path: Path, data: bytes, form: str, before: int, names: Sequence[str]
) -> Iterator[Sequence[bytes]]:
    """Cells of the rows of a table, which ``before`` others with TABLEDATA precede.

    A parser of XML takes minutes for millions of cells; where there is nothing but cells, they are
    cut out.
    """
    start = next(islice(_TABLEDATA.finditer(data), before, None), None)
    if form == "TABLEDATA" and start is not None:
        end = data.find(b"TABLEDATA", start.end())
        if end < 0:
            raise UnreadableFile(path.name, "", "the table has no end: the file is cut off")
        if data.find(b"<!", start.end(), end) < 0:  # neither comments nor CDATA
            for row in _ROW.finditer(data, start.end(), end):
                cells = _CELL.findall(row[1])
                if b"&" in row[1]:
                    cells = [unescape(cell.decode()).encode() for cell in cells]
                yield cells
            return
    table = tables.read(path)
    keys = [tables.key(name) for name in names]
    if table.columns != keys:
        raise UnreadableFile(path.name, "", "the catalogue is not the first table in it")
    for read in table.rows:
        yield [read.cells[key].encode() for key in keys]
    if table.problems:
        raise UnreadableFile(path.name, f"line {table.problems[0].line}", table.problems[0].reason)


def _columns(
    file: str, wanted: Mapping[str, int], width: int, rows: Iterator[Sequence[bytes]]
) -> dict[str, Raw]:
    """Columns of rows of cells; numbers as such, as far as it is known which are."""
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
    columns: dict[str, Raw] = {}
    for name in _LABELS:
        known = name in raw
        if name in _TEXTS:
            columns[name] = _text(raw[name]) if known else np.zeros(size, "S1")
        elif name == _IDENTIFIER:
            columns[name] = _identifiers(file, name, raw[name]) if known else np.zeros(size, "S1")
        else:
            columns[name] = _numbers(file, name, raw[name]) if known else np.full(size, np.nan)
    for name in _BITS:
        wrong = np.flatnonzero(columns[name] % 1 > 0)
        if wrong.size:
            value = f"{columns[name][wrong[0]]:g}".encode()
            raise _bad_value(file, int(wrong[0]), name, value, "is no whole number")
    for name in (*_DIAMETERS, *_BITS):
        columns[name] = np.where(columns[name] == -1, np.nan, columns[name])
    columns["ra"], columns["dec"] = _position(file, raw)
    columns["quality_flags"] = _flags(columns)
    return Catalogue(file, 3 if "ir_flag" in raw else 2, columns)


def _text(raw: Raw) -> Raw:
    if raw.dtype.kind != "S":
        raw = raw.astype(np.bytes_)
    text = np.char.strip(raw)
    return np.where(np.isin(text, (b"-", b"--", b"---")), b"", text)


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
    return numbers


def _identifiers(file: str, name: str, raw: Raw) -> Raw:
    """Whole numbers as text, empty where there is none; words before them are left out."""
    words = [text.rpartition(b" ")[2] for text in _text(raw).tolist()]
    text = np.array(words, np.bytes_) if words else np.array([], "S1")
    text = np.where(np.isin(text, _NOTHING) | np.char.startswith(text, b"-"), b"", text)
    for place in np.flatnonzero(text != b"").tolist():
        if not text[place].isdigit():
            raise _bad_value(file, place, name, bytes(text[place]), "is no whole number")
    return text


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
        sign = np.where(np.char.strip(raw["DE-"]) == b"-", -1.0, 1.0)
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
