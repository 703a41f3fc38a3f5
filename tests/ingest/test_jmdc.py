"""Files of JMDC in all their forms, against other readers of the same files."""

from __future__ import annotations

import csv
import math
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlrd
from astropy.coordinates import Angle
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import jmdc, tables
from ingest.fits import UnreadableFile
from ingest.jmdc import Measurement

HEAD = "ID1,ID2,UD_DIAM,LD_DIAM,E_LD_DIAM,BAND,MU_LAMBDA,METHOD,BANDCODE,NOTES,BIBCODE,SINPE\n"
FULL = Measurement(
    "HD1234", "ALF SIM", 1.234, 1.301, 0.02, "K'", 0.25, 1, 8, 'a "note", with commas',
    "2020SIM....20....1S", 1,
)  # fmt: skip
EMPTY = Measurement("HD1235", ud_diam=2.0)


def written(folder: Path, data: str | bytes, name: str = "JMDC.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def rows(path: Path) -> list[Measurement]:
    contents = jmdc.read(path)
    assert contents.problems == []
    return contents.measurements


# ---------------------------------------------------------------------- CSV


@pytest.mark.parametrize(
    "text",
    [
        'HD1234,ALF SIM,1.234,1.301,0.02,K\',0.25,1,8,"a ""note"", with commas",'
        "2020SIM....20....1S,True\nHD1235,,2.0,,,,,,,,,\n",
        '"HD1234 "," ALF SIM","1.2340","1.301","0.02","K\'","0.25","1","8.0",'
        '"a ""note"", with commas","2020SIM....20....1S","1"\r\n'
        '"HD1235","","2","-1.0","-1","","-1.0","---",".","","","False"\r\n',
    ],
)
def test_quoted_and_unquoted_csv(tmp_path: Path, text: str) -> None:
    assert rows(written(tmp_path, HEAD + text)) == [FULL, EMPTY]


def test_columns_in_other_order_and_by_vizier_s_names(tmp_path: Path) -> None:
    text = "BibCode\tLDdiam\te_LDdiam\tmu-lambda\tUDdiam\tID1\nx\t1.5\t0.1\t1.02\t\tHD 7\n"
    assert rows(written(tmp_path, text)) == [
        Measurement("HD 7", ld_diam=1.5, e_ld_diam=0.1, mu_lambda=1.02, bibcode="x")
    ]


def test_dots_are_kept_where_the_publication_has_no_bibcode(tmp_path: Path) -> None:
    text = HEAD + "HD7,,1.0,,,,,1,,,...................,\n"
    assert rows(written(tmp_path, text))[0].bibcode == "." * 19


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("HD1,,x,,,,,,,,,", "UDDIAM is no number: 'x'"),
        ("HD1,,1.0,nan1,,,,,,,,", "LDDIAM is no number"),
        (",,1.0,,,,,,,,,", "no name of a star"),
        ("HD1,,1.0,,,,,1.5,,,,", "METHOD is no code: 1.5"),
        ("HD1,,1.0,,,,,-3,,,,", "METHOD is no code: -3"),
        ("HD1,,1.0,,,,,,1e300,,,", "BANDCODE is no code"),
        ("HD1,,1.0,,,,,,,,,perhaps", "SINPE is neither True nor blank"),
        ('HD1,,1.0,,,,,,,"open,,', "a quote is not closed"),
        ("HD1,,1.0,,,,,,,,,,more", "13 cells under 12 columns"),
    ],
)
def test_bad_rows_are_told_with_their_line(tmp_path: Path, cells: str, words: str) -> None:
    contents = jmdc.read(written(tmp_path, f"{HEAD}HD9,,1.0,,,,,,,,,\n{cells}\n"))
    [problem] = contents.problems
    assert words in str(problem)
    assert (problem.file, problem.line) == ("JMDC.csv", 3)
    assert [row.id1 for row in contents.measurements] == ["HD9"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "no ReadMe"),
        ("ID1,UD_DIAM\n", "no column ld_diam"),
        (HEAD, "it has no rows"),
        (b"\xd0\xcf\x11\xe0 and no more", "no spreadsheet"),
        (b"SIMPLE  =", "JMDC.csv"),
        ("<VOTABLE/>", "no FIELD"),
        ("1,2,3\n", "no ReadMe"),
        (HEAD.encode() + b"HD1,\0,1\n", "NUL"),
    ],
)
def test_files_that_are_none_are_told_in_a_sentence(
    tmp_path: Path, data: str | bytes, words: str
) -> None:
    with pytest.raises(UnreadableFile, match=words):
        jmdc.read(written(tmp_path, data))


def biff(*rows: list[Any]) -> bytes:
    """A sheet in the oldest form of Excel's files (BIFF2), which is nothing but its cells; errors
    are sets of their code."""
    data = struct.pack("<HHHH", 0x09, 4, 2, 0x10)
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            place = struct.pack("<HH3x", line, column)
            if isinstance(value, bool | set):
                code, is_error = (value.copy().pop(), 1) if isinstance(value, set) else (value, 0)
                kind, cell = 0x05, struct.pack("<BB", code, is_error)
            elif isinstance(value, str):
                kind, cell = 0x04, struct.pack("<B", len(value)) + value.encode("ascii")
            else:
                kind, cell = 0x03, struct.pack("<d", value)
            data += struct.pack("<HH", kind, len(place + cell)) + place + cell
    return data + struct.pack("<HH", 0x0A, 0)


def test_errors_and_truth_values_of_spreadsheets_are_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = biff(
        ["ID1", "UD_MEAS", "LD_MEAS", "METHOD", "SINPE", "SUM"],
        ["HD 1", 1.5, 1.6, 1.0, True, {0x2A}],  # what is not read may be anything
        ["HD 2", {0x2A}, 1.6, 1.0, False, 1.0],
        ["HD 3", 1.5, {0x07}, True, "", 1.0],
        [{0x17}, 1.5, 1.6, 1.0, {0x2A}, 1.0],
    )
    read = xlrd.open_workbook
    monkeypatch.setattr(xlrd, "open_workbook", lambda _: read(file_contents=sheet))
    contents = jmdc.read(written(tmp_path, b"\xd0\xcf\x11\xe0", "JMDC.xls"))
    assert contents.measurements == [
        Measurement("HD 1", ud_diam=1.5, ld_diam=1.6, method=1, sinpe=1)
    ]
    assert [str(problem) for problem in contents.problems] == [
        "JMDC.xls, line 3: B3 is the error #N/A",
        "JMDC.xls, line 4: C4 is the error #DIV/0!, D4 is TRUE, which is neither a number nor a"
        " text",
        "JMDC.xls, line 5: A5 is the error #REF!, E5 is the error #N/A",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"nothing\.csv: No such file"):
        jmdc.read(tmp_path / "nothing.csv")


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(jmdc.COLUMNS), st.text(max_size=30) | st.floats()))
def test_any_row_is_a_measurement_or_has_a_reason(values: dict[str, Any]) -> None:
    try:
        found = jmdc.measurement(values)
    except tables.BadRow:
        return
    assert found.id1 == found.id1.strip() != ""
    for value in found.as_row().values():
        if isinstance(value, str):
            assert value.isprintable()
        elif value is not None:
            assert math.isfinite(value)


# ------------------------------------------------------------- other forms


def by_names(names: dict[str, str], integers: str | None = None) -> Table:
    """FULL and EMPTY as astropy's table, with the names of columns of some form.

    Binary VOTables of astropy have no integers without a value.
    """
    values = [FULL.as_row(), EMPTY.as_row()]
    table = Table()
    for column, name in names.items():
        cells = [row[column] for row in values]
        kind = str if isinstance(cells[0], str) else type(cells[0])
        table[name] = MaskedColumn(
            [kind() if cell is None else cell for cell in cells],
            mask=[cell is None for cell in cells],
            dtype="f4" if kind is float else integers if kind is int else None,
        )
    return table


VIZIER = dict(
    zip(
        jmdc.COLUMNS,
        ["ID1", "ID2", "UDdiam", "LDdiam", "e_LDdiam", "Band", "mu-lambda", "Method", "BandCode",
         "Notes", "BibCode", "SINPE"],
        strict=True,
    )
)  # fmt: skip
SITE = {column: column.upper() for column in jmdc.COLUMNS}


@pytest.mark.parametrize("names", [VIZIER, SITE], ids=["VizieR", "web site"])
@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2", "fits"])
def test_votable_and_fits(tmp_path: Path, names: dict[str, str], form: str) -> None:
    """In single precision, as VizieR sends them: the values are the decimal ones, all the same."""
    path = tmp_path / "jmdc.any"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "fits":
            by_names(names).write(path, format="fits")
        else:
            table = by_names(names, "f4" if form.startswith("binary") else None)
            table.write(path, format="votable", tabledata_format=form)
    assert rows(path) == [FULL, EMPTY]


README = """
Byte-by-byte Description of file: jmdc.dat
--------------------------------------------------------------------------------
   Bytes Format Units   Label     Explanations
--------------------------------------------------------------------------------
   1- 10  A10   ---     ID1       Name
  12- 20  A9    ---     ID2       Other name
  22- 27  F6.4  mas     UDdiam    ?=- Uniform disk
  29- 34  F6.4  mas     LDdiam    ?=- Limb-darkened disk
  36- 40  F5.3  mas     e_LDdiam  ?=- Error
  42- 45  A4    ---     Band      Band
  47- 50  F4.2  ---     mu-lambda ?=- Factor
      52  I1    ---     Method    [1/3]?=- Method
  54- 55  I2    ---     BandCode  ?=- Band
  57- 77  A21   ---     Notes     Notes
  79- 97  A19   ---     BibCode   Bibcode
      99  I1    ---     SINPE     ? Flag
--------------------------------------------------------------------------------
"""
FIXED = (
    "HD1234     ALF SIM   1.2340 1.3010 0.020 K'   0.25 1  8 "
    'a "note", with commas 2020SIM....20....1S 1\n'
    "HD1235               2.0000    ---   ---       --- -  -                        "
    "                   \n"
)


def test_the_table_of_cds(tmp_path: Path) -> None:
    written(tmp_path, README, "ReadMe")
    assert rows(written(tmp_path, FIXED, "jmdc.dat")) == [FULL, EMPTY]


def test_a_table_of_cds_that_is_not_what_its_readme_says(tmp_path: Path) -> None:
    written(tmp_path, README, "ReadMe")
    with pytest.raises(UnreadableFile, match=r"jmdc\.dat: it is not what its ReadMe says"):
        jmdc.read(written(tmp_path, FIXED.replace("1.2340", "1.2x40"), "jmdc.dat"))
    with pytest.raises(UnreadableFile, match=r"other\.dat: it is not what its ReadMe says"):
        jmdc.read(written(tmp_path, FIXED, "other.dat"))


# --------------------------------------------------------------- real files


def number(text: Any) -> float | None:
    """As a program of old reads it: -1 and blanks are nothing."""
    value = None if str(text).strip() in ("", "-1", "-1.0") else float(text)
    return None if value is None or math.isnan(value) else value


def from_csv(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield {
                column: row[column.upper()]
                if column in ("id1", "id2", "band", "notes", "bibcode")
                else row[column.upper()] == "True"
                if column == "sinpe"
                else number(row[column.upper()])
                for column in jmdc.COLUMNS
            }


def from_spreadsheet(path: Path) -> Iterator[dict[str, Any]]:
    sheet = xlrd.open_workbook(path).sheet_by_name("JMDC")
    for row in (sheet.row_values(line) for line in range(1, sheet.nrows)):
        band = row[5] if isinstance(row[5], str) else f"{row[5]:g}"
        reference = row[10].strip()
        yield dict(
            zip(
                jmdc.COLUMNS,
                [row[0], row[1], *map(number, row[2:5]), band, *map(number, row[6:9]),
                 f"{reference[19:]} {row[9]}", reference[:19], False],
                strict=True,
            )
        )  # fmt: skip


def from_fits(path: Path) -> Iterator[dict[str, Any]]:
    for row in fits.getdata(path, 1):
        reference = row["REFERENCE"].strip()
        yield dict(
            zip(
                jmdc.COLUMNS,
                [row["ID1"], row["ID2"], number(row["UD_MEAS"]), number(row["LDD_ORIG"]),
                 number(row["E_LD_MEAS"]), row["BAND"], number(row["MU_LAMBDA"]), row["METHOD"],
                 None if row["BANDCODE"] < 0 else row["BANDCODE"],
                 f"{reference[19:]} {row['NOTES']}", reference[:19], False],
                strict=True,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "oracle", "number"),
    [
        ("JMDC_20161201.xls", from_spreadsheet, 1239),
        ("JMDC_20190712.xls", from_spreadsheet, 1554),
        ("JMDC_full_20200730.csv", from_csv, 1766),
        ("JMDC_20210910.csv", from_csv, 2021),
        ("JMDC_final_lddUpdated.fits", from_fits, 1239),
    ],
)
def test_real_files(shared: Path, name: str, oracle: Any, number: int) -> None:
    path = shared / "catalogues" / "jmdc" / name
    found = rows(path)
    expected = list(oracle(path))
    assert len(found) == len(expected) == number
    for measurement, row in zip(found, expected, strict=True):
        for column, value in measurement.as_row().items():
            if isinstance(row[column], str):
                # One name has a control character before it.
                assert (value or "") == row[column].strip().lstrip("\x0f"), (measurement, column)
            elif value is None:
                assert row[column] is None, (measurement, column)
            else:
                assert value == pytest.approx(float(row[column]), rel=1e-7), (measurement, column)


def test_positions_of_the_table_that_was_matched(shared: Path) -> None:
    path = shared / "catalogues" / "jmdc" / "JMDC_final_lddUpdated.fits"
    contents = jmdc.read(path)
    for row in fits.getdata(path, 1)[::20]:
        if row["RAJ2000"].strip():
            place = contents.places[row["ID1"].strip()]
            assert place.ra == pytest.approx(Angle(row["RAJ2000"] + " hours").deg, abs=1e-8)
            assert place.dec == pytest.approx(Angle(row["DEJ2000"] + " degrees").deg, abs=1e-8)
            assert place.pm_ra == row["PMRA"]
    assert len(contents.places) > 500
