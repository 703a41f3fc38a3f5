"""Reports of bad calibrators: what one must say, in JSON and in tables of facilities."""

from __future__ import annotations

import csv
import io
import string
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from astropy.coordinates import Angle
from hypothesis import given
from hypothesis import strategies as st

from ingest import badcal
from ingest.fits import UnreadableFile

TODAY = date(2026, 11, 26)
LEAST: dict[str, Any] = {"ra": 98.7, "dec": -30.1, "reason_class": "binary", "comment": "seen"}


def refused(**values: Any) -> list[tuple[str, str]]:
    """What is wrong with a report."""
    with pytest.raises(badcal.BadReport) as caught:
        badcal.report({**LEAST, **values}, TODAY)
    return caught.value.problems


def test_the_least_that_a_report_says() -> None:
    report = badcal.report(LEAST, TODAY)
    assert (report.ra, report.dec, report.reason_class) == (98.7, -30.1, "binary")
    assert report.name is None
    for field in LEAST:
        [(named, sentence)] = refused(**{field: "  "})
        assert named == field
        assert sentence.endswith(".")


def test_all_fields_at_once_are_judged() -> None:
    wrong = {"ra": "x", "dec": None, "obs_date": 3, "evidence_url": "ftp://x", "colour": "red"}
    assert {field for field, _ in refused(**wrong)} == set(wrong)


@given(st.floats(0, 359.9999, exclude_max=True), st.floats(-90, 90), st.sampled_from([" ", ":"]))
def test_sexagesimal_positions_are_astropys(ra: float, dec: float, separator: str) -> None:
    texts = (
        Angle(ra, "deg").to_string(unit="hourangle", sep=separator, precision=3, pad=True),
        Angle(dec, "deg").to_string(unit="deg", sep=separator, precision=2, pad=True),
    )
    if texts[0].startswith("24") or "60" in texts[0].split(separator) + texts[1].split(separator):
        return  # astropy's rounding
    report = badcal.report({**LEAST, "ra": texts[0], "dec": texts[1]}, TODAY)
    assert report.ra == pytest.approx(Angle(texts[0], "hourangle").deg, abs=1e-9)
    assert report.dec == pytest.approx(Angle(texts[1], "deg").deg, abs=1e-9)
    assert report.dec == pytest.approx(dec, abs=0.006 / 3600)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("HD 12345", True), ("* alf Ori", True), ("V* R Lep", True), ("[KW97] 12-3", True),
        ("BD+30  3639", True), ("Barnard's star", True), ("2MASS J1234+0102", True),
        ("α Ori", True), ("*", False), ("a,b", False), ('a"b', False), ("<b>", False),
        ("=1", False), ("+HD", False), ("-HD", False), ("@x", False), ("a\nb", True),
    ],
)  # fmt: skip
def test_names_are_names_of_stars(name: str, good: bool) -> None:
    if good:
        found = badcal.report({**LEAST, "name": name}, TODAY).name
        assert found == " ".join(name.split())
    else:
        assert [field for field, _ in refused(name=name)] == ["name"]


@pytest.mark.parametrize(
    ("day", "good"),
    [
        ("2024-05-31", True), ("2024-05-31T23:59:59", True), ("20240531", True),
        ("2026-11-27", True), ("2026-11-28", False), ("1973-12-31", False), ("2024-02-30", False),
        ("31/05/2024", False), (20240531, False),
    ],
)  # fmt: skip
def test_days(day: Any, good: bool) -> None:
    if good:
        assert badcal.report({**LEAST, "obs_date": day}, TODAY).obs_date is not None
    else:
        assert [field for field, _ in refused(obs_date=day)] == ["obs_date"]


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_likely = st.sampled_from(
    ["98.7", "06 34 48", "-30 06 00", "binary", "2024-05-31", "https://a.example/b", "=1+1", "<b>"]
)


@given(
    st.dictionaries(
        st.sampled_from(badcal.FIELDS) | st.text(max_size=8), _anything | _likely, max_size=12
    )
)
def test_whatever_is_sent_is_taken_or_refused_with_reasons(values: dict[str, Any]) -> None:
    problems: list[tuple[str, str]] = []
    try:
        _check(badcal.report(values, TODAY))
    except badcal.BadReport as error:
        problems = error.problems
    assert all(sentence.endswith((".", "*")) for _, sentence in problems)


def _check(report: badcal.Report) -> None:
    assert 0 <= report.ra < 360
    assert -90 <= report.dec <= 90
    assert report.reason_class in badcal.REASONS
    for field in badcal.FIELDS:
        value = getattr(report, field)
        if isinstance(value, str):
            assert value.isprintable()
            assert not value.startswith(("=", "+", "-", "@"))
    # SearchCal's script makes tabs of commas and knows no quotes.
    assert report.name is None or not set(report.name) & set(',"\t\n')


def test_every_state_can_be_left_and_reached() -> None:
    reached = {"submitted", "candidate"} | {event.state for event in badcal.EVENTS.values()}
    left = set().union(*(event.states for event in badcal.EVENTS.values()))
    assert reached - {None} == set(badcal.STATES) == left


# ---------------------------------------------------------------- tables


def read(
    folder: Path, text: str, name: str = "table.csv"
) -> tuple[list[badcal.Entry], list[tuple[int, str]]]:
    (folder / name).write_text(text)
    entries, problems = badcal.read(folder / name, TODAY)
    return entries, [(problem.line, problem.reason) for problem in problems]


def test_a_table_is_read_in_its_dialects(tmp_path: Path) -> None:
    for text in (
        "name,RA,Dec,reason,MJD,record\nHD 1,1.5,2.5,binary,58517.9,a1\n",
        "# ours\nName;RAJ2000 [deg];DEJ2000;class;date;id\nHD 1;1.5;2.5;Binary;2019-02-03;a1\n",
        "target\tra\tdec\treason\tdate\trecno\nHD 1\t00 06 00\t+02 30 00\tbinary\t2019-02-03\ta1\n",
    ):
        [entry], problems = read(tmp_path, text)
        assert problems == []
        assert entry.record == "a1"
        report = entry.report
        assert (report.name, report.reason_class) == ("HD 1", "binary")
        assert report.ra == pytest.approx(1.5)
        assert report.dec == pytest.approx(2.5)
        assert report.obs_date == date(2019, 2, 3)


def test_what_is_wrong_is_told_with_line_and_reason(tmp_path: Path) -> None:
    entries, problems = read(
        tmp_path,
        "name,ra,dec,reason,record\n"
        "HD 1,1,2,binary,a\n"
        "HD 2,361,2,binary,b\n"
        "HD 3,1,2,ugly,c\n"
        "HD 4,1,2,binary,a\n"
        "=HD 5,1,,binary,d\n",
    )
    assert [entry.line for entry in entries] == [2]
    assert [line for line, _ in problems] == [3, 4, 5, 6]
    for (_, reason), words in zip(
        problems, ("ra must be", "reason_class", "line 2", "name begins"), strict=True
    ):
        assert words in reason
    assert "declination of the star is missing" in problems[3][1]


def test_a_row_without_a_reason_is_of_the_class_other(tmp_path: Path) -> None:
    [entry], _ = read(tmp_path, "ra,dec\n1,2\n")
    assert entry.report.reason_class == "other"
    assert entry.key == entry.report.digest


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "name,comment\nHD 1,x\n", "ra\n1\n", "<VOTABLE/>", "\0"]
)
def test_what_is_no_table_of_reports(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFile):
        read(tmp_path, text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of many examples."""
    return tmp_path_factory.mktemp("tables")


_cell = (
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r\n"), max_size=12)
    | _likely
)


@given(st.lists(st.lists(_cell, min_size=6, max_size=6), max_size=5), st.sampled_from(",;\t"))
def test_whatever_is_in_a_table_each_row_is_taken_or_refused(
    folder: Path, rows: list[list[str]], delimiter: str
) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["name", "ra", "dec", "reason_class", "comment", "record"])
    writer.writerows(rows)
    entries, problems = read(folder, stream.getvalue())
    lines = [entry.line for entry in entries] + [line for line, _ in problems]
    assert len(lines) == len(set(lines))
    for entry in entries:
        _check(entry.report)
    for _, reason in problems:
        assert reason


@given(st.text(string.printable + "é<>&\u202e", max_size=300))
def test_whatever_a_file_holds_it_is_read_or_refused(folder: Path, text: str) -> None:
    with suppress(UnreadableFile):
        for entry in read(folder, text)[0]:
            _check(entry.report)
