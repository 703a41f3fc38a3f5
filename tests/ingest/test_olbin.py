"""Publications: what an export of Olbin's database may look like, and what is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import olbin
from ingest.fits import UnreadableFile

HEAD = "BIBCODE,HIDDEN,MAIN_CATEGORY,FACILITY"
ROW = '2024SIM.....1....1V,"JMMC,oidb","Methods","VLTI"'


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "olbin.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def exported(categories: list[str], records: list[tuple[str, list[list[str]]]]) -> str:
    """A file as Olbin's e_xml.csv.xql writes it: no escapes, a line feed at the end."""
    head = ",".join(["BIBCODE", *categories]).upper().replace(" ", "_")
    lines = [
        ",".join([bibcode, *('"' + ",".join(tags) + '"' for tags in cells)])
        for bibcode, cells in records
    ]
    return "\n".join([head, *lines, ""])


def test_an_export(tmp_path: Path) -> None:
    export = olbin.read(
        written(tmp_path, f'{HEAD}\n{ROW}\n1996A&A...306L..13V,"","Instrumentation",""\n')
    )
    first, second = export.publications
    assert export.columns == ()
    assert (first.bibcode, first.pub_year, first.journal) == ("2024SIM.....1....1V", 2024, "SIM")
    assert first.tags == (
        ("JMMC", "JMMC"), ("JMMC", "oidb"), ("Main category", "Methods"), ("Facility", "VLTI"),
    )  # fmt: skip
    assert (second.journal, second.pub_year) == ("A&A", 1996)
    assert second.tags == (("Main category", "Instrumentation"),)
    assert first.title is None
    assert first.pubdate is None


def test_columns_that_are_added(tmp_path: Path) -> None:
    head, row = f"{HEAD},PUBDATE,TITLE", f'{ROW},"{{}}","Rings, and a ""gap"""'
    for text, date in (("2024-03-00", "2024-03"), ("2024-00-00", "2024"), ("2024-03-02",) * 2):
        export = olbin.read(written(tmp_path, f"{head}\n{row.format(text)}\n"))
        assert export.columns == ("pubdate", "title")
        assert export.publications[0].pubdate == date
        assert export.publications[0].title == 'Rings, and a "gap"'
    with pytest.raises(UnreadableFile, match=r"olbin.csv: line 2: '2024-13' is no date"):
        olbin.read(written(tmp_path, f"{head}\n{row.format('2024-13')}\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it has no line with names of columns"),
        ("<html><body>503</body></html>", "no VOTable"),
        ("FACILITY,BIBCODE\nVLTI,2024SIM.....1....1V\n", "the first column is not BIBCODE"),
        (f"{HEAD},COLOUR\n{ROW},red\n", "the column 'colour' is unknown; known are"),
        (f"{HEAD}\n", "it has no publication"),
        (f"{HEAD}\n{ROW}\n{ROW}\n", "line 3: 2024SIM.....1....1V is there twice"),
        (f"{HEAD}\n{ROW}\n2025SIM.....1....1", "line 3: 1 cells under 4 columns"),
        (f'{HEAD}\n{ROW}\n2025SIM....1....1V,"","",""\n', "line 3: '2025SIM....1....1V' is no bib"),
        (f'{HEAD}\n{ROW}\nGL 411,"","",""\nx,"","",""\n', "'GL 411' is no bibcode (2 rows"),
        (f'{HEAD}\n{ROW}\n2025SIM.....1....1V,"a "b" c","",""\n', "line 3: "),
        (f'{HEAD}\n{ROW}\n2025SIM.....1....1V,"a","b","c\n', "line 3: a quote is not closed"),
        (f'{HEAD}\n{ROW}\n2025SIM.....1....1V,"","","","",x\n', "line 3: 6 cells under 4 columns"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UnreadableFile) as refusal:
        olbin.read(written(tmp_path, text))
    assert str(refusal.value).startswith("olbin.csv: ")
    assert words in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"none.csv: No such file"):
        olbin.read(tmp_path / "none.csv")


TAGS = st.text("abcXYZ09-+ é", min_size=1, max_size=12).map(str.strip).filter(bool)
BIBCODES = st.builds(
    lambda year, middle: f"{year}A&A..{middle}",
    st.integers(1900, 2099),
    st.text("0123456789.ABCZ", min_size=10, max_size=10),
)
CATEGORIES = ["HIDDEN", "Main category", "Spectral resolution", "Technique"]


@settings(max_examples=40)
@given(
    records=st.dictionaries(
        BIBCODES,
        st.lists(st.lists(TAGS, unique=True, max_size=4), min_size=4, max_size=4),
        min_size=1,
    )
)
def test_what_olbin_writes_is_read(tmp_path: Path, records: dict[str, list[list[str]]]) -> None:
    text = exported(CATEGORIES, list(records.items()))
    names = ["JMMC", *CATEGORIES[1:]]
    assert {
        one.bibcode: list(one.tags) for one in olbin.read(written(tmp_path, text)).publications
    } == {
        bibcode: [(name, tag) for name, tags in zip(names, cells, strict=True) for tag in tags]
        for bibcode, cells in records.items()
    }


@settings(max_examples=40)
@given(content=st.binary(max_size=200))
def test_nothing_else_is_an_accident(tmp_path: Path, content: bytes) -> None:
    with contextlib.suppress(UnreadableFile):
        olbin.read(written(tmp_path, b"BIBCODE,FACILITY\n" + content))
