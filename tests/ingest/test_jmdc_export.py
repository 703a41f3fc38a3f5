"""The files of a release read back to the same values, and are what they say they are."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from astropy.io import ascii
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import jmdc, jmdc_export
from ingest.jmdc import Measurement

HEADER = "ID1,ID2,UD_DIAM,LD_DIAM,E_LD_DIAM,BAND,MU_LAMBDA,METHOD,BANDCODE,NOTES,BIBCODE,SINPE"
ROW = Measurement(
    "HD1234", "ALF SIM", 1.234, 11.3, 0.02, "K'", 0.25, 1, 8, 'a "note", with commas',
    "2020SIM....20....1S", 1,
)  # fmt: skip
HISTORY = [("2024-01-15", "2024-01-15", 1), ("2025-02-20", "second", 2)]


def write(folder: Path, rows: list[Measurement]) -> tuple[str, str]:
    """Table and ReadMe of CDS as text, and as files."""
    layout = jmdc_export.fitted(rows)
    table = jmdc_export.as_cds(rows, layout)
    readme = jmdc_export.readme(layout, len(rows), "second", HISTORY)
    (folder / "jmdc.dat").write_text(table, "ascii")
    (folder / "ReadMe").write_text(readme, "ascii")
    return table, readme


def test_csv_of_the_web_site(tmp_path: Path) -> None:
    text = jmdc_export.as_csv([ROW, Measurement("HD1", ld_diam=2.0)])
    assert text.splitlines() == [
        HEADER,
        "HD1234,ALF SIM,1.234,11.3,0.02,K',0.25,1,8,"
        '"a ""note"", with commas",2020SIM....20....1S,True',
        "HD1,,,2.0,,,,,,,,",
    ]


def test_the_layout_is_that_of_ii_345(shared: Path, tmp_path: Path) -> None:
    """Bytes, formats, units, labels, as in the ReadMe that CDS has."""
    line = re.compile(r" *(\d+-)? *(\d+) +([AFI][\d.]+) +(\S+) +(\S+) ", re.MULTILINE)

    def columns(readme: str) -> list[tuple[str, ...]]:
        return [
            tuple(match.groups())
            for match in map(line.match, readme.splitlines())
            if match is not None
        ]

    _, readme = write(tmp_path, [ROW])
    official = shared / "catalogues" / "readme" / "ReadMe-JMDC-II_345.txt"
    expected = columns(official.read_text("latin-1"))
    assert len(expected) == 12
    assert columns(readme) == expected


def test_the_table_is_what_its_readme_says_byte_by_byte(tmp_path: Path) -> None:
    rows = [
        ROW,
        Measurement("HD1", ud_diam=123456.123456789, notes="x" * 300),
        Measurement("W" * 40, id2="κ “Simuli” é", method=2, bandcode=11, ud_diam=1e-5),
    ]
    table, readme = write(tmp_path, rows)
    assert all(len(line) <= 80 for line in readme.splitlines())
    lines = table.splitlines()
    told = re.search(r"jmdc\.dat +(\d+) +3 ", readme)
    assert told is not None
    length = int(told[1])
    assert {len(line) for line in lines} == {length}
    end = 0
    for match in re.finditer(r"^ *(?:(\d+)- *)?(\d+) +([AFI])([\d.]+) ", readme, re.MULTILINE):
        first, last = int(match[1] or match[2]), int(match[2])
        assert first == end + (2 if end else 1)
        assert last - first + 1 == int(match[4].partition(".")[0])
        for line in lines:
            cell = line[first - 1 : last]
            if match[3] == "F" and cell.strip("- "):
                assert re.fullmatch(r" *\d+\.\d* *", cell)
                decimals = int(match[4].partition(".")[2])
                assert len(cell) - cell.index(".") - 1 == decimals
            if match[3] == "I":
                assert re.fullmatch(r" *(\d+|-+)?", cell)
            if first > 1:
                assert line[first - 2] == " "
        end = last
    assert end == length


def test_astropy_reads_the_table_of_cds(tmp_path: Path) -> None:
    write(tmp_path, [ROW, Measurement("HD1", ld_diam=2.0)])
    table = ascii.read(str(tmp_path / "jmdc.dat"), format="cds", readme=str(tmp_path / "ReadMe"))
    assert [table[name][0] for name in table.colnames] == list(ROW.as_row().values())
    assert [name for name in table.colnames if table[name][1] is not table.mask] != []
    assert float(table["LDdiam"][1]) == 2.0
    assert str(table["UDdiam"].unit) == "mas"
    assert all(table[name].mask[1] for name in ("UDdiam", "e_LDdiam", "mu-lambda", "Method"))


def test_what_cannot_be_ascii_is_transliterated(tmp_path: Path) -> None:
    table, _ = write(tmp_path, [Measurement("HD1", id2="κ CrB", notes="“Étoile” – µ ☉")])
    assert "kappa CrB" in table
    assert '"Etoile" - mu ?' in table


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
TEXTS = st.none() | NAMES.filter(lambda text: text.strip("-.") != "")
NUMBERS = st.none() | st.floats(1e-6, 1e6).map(lambda value: float(f"{value:.7g}"))
ROWS = st.builds(
    Measurement,
    id1=NAMES.filter(lambda text: text.strip("-.").lower() not in ("", "nan", "none", "#")),
    id2=TEXTS,
    ud_diam=NUMBERS,
    ld_diam=NUMBERS,
    e_ld_diam=NUMBERS,
    band=TEXTS,
    mu_lambda=NUMBERS,
    method=st.none() | st.integers(1, 3),
    bandcode=st.none() | st.integers(1, 12),
    notes=TEXTS,
    bibcode=TEXTS,
    sinpe=st.integers(0, 1),
)


@settings(max_examples=40)
@given(st.lists(ROWS, min_size=1, max_size=5))
def test_csv_reads_back(rows: list[Measurement]) -> None:
    """With the csv module, which knows nothing of us."""
    found = list(csv.DictReader(io.StringIO(jmdc_export.as_csv(rows))))
    assert len(found) == len(rows)
    for row, cells in zip(rows, found, strict=True):
        for column, value in row.as_row().items():
            cell = cells[column.upper()]
            if column == "sinpe":
                assert cell == ("True" if value else "")
            elif isinstance(value, float):
                assert float(cell) == value
            else:
                assert cell == ("" if value is None else str(value))


@settings(max_examples=40)
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_cds_reads_back(rows: list[Measurement]) -> None:
    """By the bytes that the layout says."""
    layout = jmdc_export.fitted(rows)
    for row, line in zip(rows, jmdc_export.as_cds(rows, layout).splitlines(), strict=True):
        start = 0
        for field in layout:
            cell = line[start : start + field.width].strip()
            start += field.width + 1
            value = getattr(row, field.column)
            if field.kind == "F":
                assert (None if cell == "---" else float(cell)) == value
            elif value and field.kind == "A":
                assert cell == value
            elif value:
                assert int(cell) == value


@pytest.mark.parametrize(
    "name",
    ["JMDC_20161201.xls", "JMDC_20190712.xls", "JMDC_full_20200730.csv", "JMDC_20210910.csv"],
)
def test_real_releases_go_round(shared: Path, tmp_path: Path, name: str) -> None:
    rows = jmdc.read(shared / "catalogues" / "jmdc" / name).measurements
    table, _ = write(tmp_path, rows)
    (tmp_path / "jmdc.csv").write_text(jmdc_export.as_csv(rows), "utf-8")
    assert jmdc.read(tmp_path / "jmdc.csv").measurements == rows
    if name.startswith(("JMDC_full", "JMDC_2021")):
        assert {len(line) for line in table.splitlines()} == {335}
    found = jmdc.read(tmp_path / "jmdc.dat").measurements
    different = [row for row, read in zip(rows, found, strict=True) if row != read]
    assert all(not str(row).isascii() for row in different)
    assert len(different) <= 3
