"""What somebody hands in for JMDC, on its way from the fields of a form to a row."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import jmdc_rules, jmdc_submission
from ingest.jmdc import COLUMNS, Measurement
from ingest.jmdc_submission import Problem

ROW = Measurement(
    "HD 1", ud_diam=1.0, ld_diam=1.02, e_ld_diam=0.01, band="K", method=1, bandcode=8,
    bibcode="2019A&A...632A..36M",
)  # fmt: skip
FIELDS: dict[str, Any] = {
    "id1": " HD  1 ", "ud_diam": "1.0", "ld_diam": 1.02, "e_ld_diam": ".01", "band": "K",
    "method": "1", "bibcode": "2019A&A...632A..36M", "id2": "", "notes": None, "sinpe": False,
}  # fmt: skip


def problems(row: Measurement, replaced: Measurement | None = None) -> list[Problem]:
    return jmdc_submission.problems_of(row, jmdc_rules.judge(row), replaced)


def errors(found: list[Problem]) -> list[tuple[str, ...]]:
    return [problem.fields for problem in found if problem.severity == "error"]


def test_texts_and_numbers_become_a_row() -> None:
    assert jmdc_submission.read(FIELDS) == (ROW, [])
    assert problems(ROW) == []


@pytest.mark.parametrize(
    ("band", "told", "code"),
    [("K", None, 8), ("550nm", None, 3), ("H,K", None, 8), ("?", None, None), ("K", 7, 7)],
)
def test_the_number_of_the_band_is_that_of_the_text(
    band: str, told: int | None, code: int | None
) -> None:
    row, _ = jmdc_submission.read(FIELDS | {"band": band, "bandcode": told})
    assert row is not None
    assert row.bandcode == code


@pytest.mark.parametrize("value", [1, True, "true", "1", "True"])
def test_sinpe_can_be_said_in_many_ways(value: Any) -> None:
    row, _ = jmdc_submission.read(FIELDS | {"sinpe": value})
    assert row == replace(ROW, sinpe=1)


@pytest.mark.parametrize(
    "value",
    [math.inf, -math.inf, math.nan, 10**400, -(10**400), 1000, "inf", "nan", "1e3", "0x1", "１",
     "1" * 400, True, [], {}, 1.0000001],
)  # fmt: skip
def test_what_is_no_diameter_is_said(value: Any) -> None:
    row, [problem] = jmdc_submission.read(FIELDS | {"ud_diam": value})
    assert row is None
    assert problem.fields == ("ud_diam",)
    assert problem.words.startswith("UD_DIAM ")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("a;=b", False), ("a; @b", False), ("a; b = c", True), ("a = -1; b", True),
        ("it's 5% <b>", True), ("naïve", False), ("\u202egnp", False), ("a\u00a0b\nc", True),
        ("x" * 204, True), ("x" * 205, False), (1, False),
    ],
)  # fmt: skip
def test_notes_are_what_tables_can_hold(value: Any, taken: bool) -> None:
    row, found = jmdc_submission.read(FIELDS | {"notes": value})
    assert (row is not None) == taken
    if row is not None:
        assert row.notes == " ".join(value.split())
    else:
        assert [problem.fields for problem in found] == [("notes",)]


@pytest.mark.parametrize("name", ["bibcode", "band", "method"])
def test_what_is_new_must_be_complete_and_a_correction_as_complete_as_before(name: str) -> None:
    nothing: dict[str, Any] = {name: None}
    lacking = replace(ROW, **nothing)
    assert errors(problems(lacking)) == [(name,)]
    assert errors(problems(lacking, replaced=replace(lacking, ud_diam=1.01))) == []
    assert errors(problems(lacking, replaced=ROW)) == [(name,)]


def test_a_correction_corrects_something() -> None:
    [problem] = problems(ROW, replaced=ROW)
    assert "Nothing differs" in problem.words


def test_names_in_no_form_of_a_catalogue_are_doubted_unless_they_were_there() -> None:
    odd = replace(ROW, id1="my star !")
    [problem] = problems(odd)
    assert (problem.fields, problem.severity) == (("id1",), "warning")
    assert jmdc_submission.needs_word([problem])
    assert problems(odd, replaced=replace(odd, ud_diam=1.01)) == []


def test_what_is_said_keeps_its_lines() -> None:
    assert jmdc_submission.words("x", "  a  b\r\n<b>é</b>\n") == "a b\n<b>é</b>"
    assert jmdc_submission.words("x", " ") is None
    for wrong in (1, "a\x00", "\ud800", "x" * 2001, "\u202e"):
        with pytest.raises(ValueError, match=r"^x .*\.$"):
            jmdc_submission.words("x", wrong)


@given(
    st.dictionaries(
        st.sampled_from(COLUMNS),
        st.one_of(
            st.text(max_size=30), st.floats(), st.integers(), st.booleans(), st.none(),
            st.lists(st.none()), st.floats(0.1, 9).map(str),
        ),
    )
)  # fmt: skip
def test_whatever_is_handed_in_is_a_row_or_has_problems(fields: dict[str, Any]) -> None:
    row, found = jmdc_submission.read(fields)
    assert (row is None) == bool(found)
    assert all(problem.words.endswith(".") and problem.words.isprintable() for problem in found)
    if row is not None:
        assert all(problem.words for problem in problems(row))
