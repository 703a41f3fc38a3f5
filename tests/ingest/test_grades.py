"""Grades of observation blocks: what a facility's CSV may look like."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import grades
from ingest.fits import UnreadableFile
from ingest.grades import Grade


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "grades.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_grades(tmp_path: Path) -> None:
    found = grades.read(
        written(
            tmp_path,
            "OB id,Grade,Date,Comment,Source\n"
            '2345678,A,2024-03-01,"seeing 0.6"", stable",service mode\n'
            "2345679,D,,,\n",
        )
    )
    assert found.problems == []
    assert found.grades == [
        Grade(2345678, "A", date(2024, 3, 1), 'seeing 0.6", stable', "service mode"),
        Grade(2345679, "D", None, None, None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "OB_ID;OB Grade;QC-date;Remarks;graded by\r\n12;B;2024-03-01;x;y\r\n",
        "obid\tgrade\tnight\tnote\torigin\n12\tB\t20240301\tx\ty",
        "# Grade , ob id ,date,COMMENTS,Source\nB,12,2024/03/01T07:00:00,x,y\n\n",
        "\ufeffob,qc,graded,comment,source\n12,B,01.03.2024,x,y\n12,B,2024-03-01,x,y\n",
        "# made by a program\n# Grades\nob_id,grade,date,comment,source\n12.0,B,2024-03-01,x,y,,\n",
    ],
)
def test_spellings(tmp_path: Path, text: str) -> None:
    found = grades.read(written(tmp_path, text))
    assert found.problems == []
    assert found.grades == [Grade(12, "B", date(2024, 3, 1), "x", "y")]


def test_comments_may_have_lines(tmp_path: Path) -> None:
    found = grades.read(written(tmp_path, 'ob_id,grade,comment\n1,A,"two\nlines"\nx,B,\n2,C,\n'))
    assert [grade.comment for grade in found.grades] == ["two\nlines", None]
    assert [str(problem) for problem in found.problems] == [
        "grades.csv, line 4: ob_id is no number of an observation block: 'x'"
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",A,2024-03-01", "no observation block"),
        ("12,,2024-03-01", "no grade"),
        ("-1,A,", "ob_id is no number of an observation block: '-1'"),
        ("0,A,", "ob_id is no number of an observation block: '0'"),
        ("9999999999999999999,A,", "ob_id is no number of an observation block"),
        ("٣,A,", "ob_id is no number of an observation block"),
        ("12,A,2024-02-30", "date is no date (such as 2024-03-01): '2024-02-30'"),
        ("12,A,yesterday", "date is no date"),
        (f"12,{'A' * 65},", "grade is longer than 64 characters"),
        ("12,A,,more", "4 cells under 3 columns"),
        ('12,"A,', "a quote is not closed"),
    ],
)
def test_what_is_refused(tmp_path: Path, row: str, reason: str) -> None:
    found = grades.read(written(tmp_path, f"ob_id,grade,date\n11,A,\n{row}\n"))
    assert [grade.ob_id for grade in found.grades] == [11]
    (problem,) = found.problems
    assert (problem.file, problem.line) == ("grades.csv", 3)
    assert problem.reason.startswith(reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it has no line with names of columns"),
        (b"\n\n", "it has no line with names of columns"),
        (b"ob_id,date\n1,2024-03-01\n", "it has no column grade, but obid, date"),
        (b"grade\nA\n", "it has no column ob_id, but grade"),
        (b"ob_id,grade\n1,\0\n", "no text file: it holds NUL bytes"),
        (b"<html><body>502</body></html>", "no VOTable: it has no FIELD"),
        (b"<VOTABLE><RESOURCE>", "line 1: no well-formed XML"),
    ],
)
def test_files_that_are_no_grades(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        grades.read(written(tmp_path, content))
    assert str(caught.value).startswith(f"grades.csv: {reason}")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"missing\.csv"):
        grades.read(tmp_path / "missing.csv")


@given(st.text("12,;\"'\n\r\t#-/AZ é٣\u2028", max_size=90))
def test_any_text_is_refused_with_reasons(tmp_path: Path, rows: str) -> None:
    """What a line may be, it is a grade or has a reason, and lines before it are not lost."""
    path = written(tmp_path, "\n".join(["ob_id,grade,date", "1,A,2024-03-01", rows]))
    found = grades.read(path)
    assert found.grades[0] == Grade(1, "A", date(2024, 3, 1), None, None)
    for problem in found.problems:
        assert problem.line >= 3
        assert problem.reason
    for grade in found.grades:
        assert grade.ob_id > 0
        assert grade.grade


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    with contextlib.suppress(UnreadableFile):
        assert isinstance(grades.read(written(tmp_path, data)), grades.Grades)
