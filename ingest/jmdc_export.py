"""JMDC in the forms others take it in: the CSV file of its web site, and the table of CDS.

What is written reads back to the same values; ``LAYOUT`` is what both the table of CDS and the
description of its bytes are made of. The form of the description: Standards for Astronomical
Catalogues, version 2.0 (Ochsenbein 2000, CDS), section 3.
"""

from __future__ import annotations

import csv
import io
import math
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ingest.jmdc import COLUMNS, Measurement

#: Characters of a line of a ReadMe.
_LINE = 80
_RULE = "-" * _LINE
_NULL = "---"


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the table of CDS."""

    column: str
    label: str
    #: A (text), F (decimal number) or I (integer).
    kind: str
    #: Least width in characters; what does not fit makes it wider.
    width: int
    decimals: int = 0
    words: str = ""
    unit: str = "---"

    @property
    def form(self) -> str:
        """The FORTRAN format."""
        return f"F{self.width}.{self.decimals}" if self.kind == "F" else f"{self.kind}{self.width}"


#: Columns in the order, with the labels and the least widths, of VizieR II/345.
LAYOUT = (
    Field("id1", "ID1", "A", 28, 0, "Name of the star, preferably its HD number"),
    Field("id2", "ID2", "A", 28, 0, "Name of the star in the publication (1)"),
    Field("ud_diam", "UDdiam", "F", 9, 5, "?=- Diameter of the uniform disk", "mas"),
    Field("ld_diam", "LDdiam", "F", 7, 4, "?=- Diameter of the limb-darkened disk", "mas"),
    Field("e_ld_diam", "e_LDdiam", "F", 8, 4, "?=- Error of UDdiam and LDdiam (2)", "mas"),
    Field("band", "Band", "A", 10, 0, "Band or wavelength of the measurement (3)"),
    Field(
        "mu_lambda", "mu-lambda", "F", 7, 5,
        "?=- Number by which the authors made LDdiam of UDdiam: the ratio of the two, or a"
        " coefficient of limb darkening",
    ),
    Field("method", "Method", "I", 1, 0, "[1/3]?=- How the star was measured (4)"),
    Field("bandcode", "BandCode", "I", 2, 0, "[1/12]?=- Number of the band (5)"),
    Field("notes", "Notes", "A", 204, 0, "Notes on the star and the measurement"),
    Field("bibcode", "BibCode", "A", 19, 0, "Bibcode of the publication"),
    Field("sinpe", "SINPE", "I", 1, 0, "? 1: ID1 does not tell which star is meant (6)"),
)  # fmt: skip

_NOTES = (
    "The name that the authors use, where the name resolver of CDS knows it.",
    "Published for the one or the other diameter, and good for both. There is none when the authors"
    " give none, or when the measurement has come into doubt; the notes then say why.",
    "A letter (UBVRIJHKLMNQ) or a wavelength: in micrometres, unless nm or A (angstrom) follows.",
    "1 = optical interferometry, 2 = lunar occultation, 3 = intensity interferometry.",
    "Number of the band, from 1: U, B, V, R, I, J, H, K, L, M, N, Q.",
    "The identifier in SIMBAD is not precise enough for the object, which usually is a component"
    " of a close double star.",
)


def as_csv(measurements: Iterable[Measurement]) -> str:
    """The file of the web site: its names of columns in its order, quotes where they are needed."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.upper() for column in COLUMNS])
    for measurement in measurements:
        row = measurement.as_row()
        row["sinpe"] = "True" if row["sinpe"] else None
        writer.writerow(["" if value is None else value for value in row.values()])
    return stream.getvalue()


def fitted(measurements: Sequence[Measurement]) -> tuple[Field, ...]:
    """The layout in which all of these measurements have room."""
    fields = []
    for field in LAYOUT:
        texts = [_text(getattr(row, field.column), field) for row in measurements]
        if field.kind != "F":
            fields.append(replace(field, width=max([field.width, *map(len, texts)])))
            continue
        parts = [text.partition(".") for text in texts if text]
        decimals = max([field.decimals, *(len(part[2]) for part in parts)])
        whole = max([field.width - field.decimals - 1, *(len(part[0]) for part in parts)])
        fields.append(replace(field, width=whole + 1 + decimals, decimals=decimals))
    return tuple(fields)


def as_cds(measurements: Sequence[Measurement], layout: Sequence[Field]) -> str:
    """The table of CDS, all lines of one length, ASCII; `layout` is what ``fitted`` gives."""
    lines = []
    for measurement in measurements:
        cells = [_cell(getattr(measurement, field.column), field) for field in layout]
        lines.append(" ".join(cells) + "\n")
    return "".join(lines)


def length(layout: Sequence[Field]) -> int:
    """Characters of a line of the table, without its end."""
    return sum(field.width for field in layout) + len(layout) - 1


def readme(
    layout: Sequence[Field],
    records: int,
    label: str,
    history: Sequence[tuple[str, str, int]],
) -> str:
    """The ReadMe of the table; ``history`` are day, name and number of rows of all releases."""
    title = "II/345    JMMC Measured Stellar Diameters Catalogue (JMDC)"
    parts = [
        title,
        "=" * _LINE,
        "JMDC: diameters of stars that were measured directly",
        f"    Release {label}",
        "=" * _LINE,
        "ADC_Keywords: Stars, diameters ; Interferometry",
        "",
        "Description:",
        *_filled(
            "Angular diameters of stars from publications, measured by optical interferometry,"
            " intensity interferometry or a lunar occultation. For each measurement there is the"
            " diameter of a uniform disk, that of a limb-darkened disk, or both, with the error,"
            " the band, and the number by which the authors made the one diameter of the other."
            " Values are as in the catalogue, its known errors included; the VOTable of this"
            " release says what is wrong with them, and which are to be used.",
        ),
        "",
        "File Summary:",
        _RULE,
        " FileName      Lrecl  Records   Explanations",
        _RULE,
        f"ReadMe            {_LINE}        .   This file",
        f"jmdc.dat      {length(layout):6d} {records:8d}   The measurements",
        _RULE,
        "",
        "Byte-by-byte Description of file: jmdc.dat",
        _RULE,
        "   Bytes Format Units   Label     Explanations",
        _RULE,
        *_byte_by_byte(layout),
        _RULE,
        *(
            line
            for number, note in enumerate(_NOTES, 1)
            for line in textwrap.wrap(f"Note ({number}): {note}", _LINE, subsequent_indent="  ")
        ),
        _RULE,
        "",
        "History:",
        *(
            f"  * {day}: {name}, {number} measurements"
            if name != day
            else f"  * {day}: {number} measurements"
            for day, name, number in history
        ),
        "",
        "=" * _LINE,
        "(End)",
    ]
    return "".join(f"{_ascii(line)}\n" for line in parts)


def _byte_by_byte(layout: Sequence[Field]) -> Iterable[str]:
    start = 1
    for field in layout:
        end = start + field.width - 1
        span = f"{start:4d}-{end:4d}" if end > start else f"{end:9d}"
        head = f"{span} {field.form:6s} {field.unit:7s} {field.label:9s} "
        first, *rest = textwrap.wrap(field.words, _LINE - len(head))
        yield head + first
        for line in textwrap.wrap(" ".join(rest), _LINE - len(head) - 1):
            yield " " * (len(head) + 1) + line
        start = end + 2


def _filled(words: str) -> list[str]:
    return textwrap.wrap(words, _LINE, initial_indent="    ", subsequent_indent="    ")


def _text(value: Any, field: Field) -> str:
    """A value as its cell has it, without blanks around it; "" for none."""
    if value is None or (field.column == "sinpe" and not value):
        return ""
    if field.kind == "A":
        return _ascii(value)
    if field.kind == "I":
        return str(value)
    return np.format_float_positional(value, trim="0") if math.isfinite(value) else ""


def _cell(value: Any, field: Field) -> str:
    text = _text(value, field)
    if not text and "?=" in field.words:
        text = _NULL[: field.width]
    if field.kind != "F" or text.startswith("-"):
        return text.ljust(field.width) if field.kind == "A" else text.rjust(field.width)
    whole, _, decimals = text.partition(".")
    return f"{whole.rjust(field.width - field.decimals - 1)}.{decimals.ljust(field.decimals)}"


def _ascii(text: str) -> str:
    """A text in ASCII, which is all that the tables of CDS can hold."""
    if text.isascii():
        return text
    return "".join(map(_letter, unicodedata.normalize("NFKD", text)))


def _letter(letter: str) -> str:
    if letter.isascii():
        return letter
    if unicodedata.combining(letter):
        return ""
    if "GREEK" in (name := unicodedata.name(letter, "")):
        return name.rpartition(" ")[2].lower()
    category = unicodedata.category(letter)
    return {"Pd": "-", "Pi": '"', "Pf": '"'}.get(category, "?")
