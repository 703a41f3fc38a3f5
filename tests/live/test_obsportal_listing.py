"""What the page /search shows, against TAP: the same exposures, in order, the unknown last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.client import ask, query
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

ORDERS = {
    "time": "t_min",
    "target": "target_name",
    "baseline": "uv_distance_max",
    "seeing": "seeing",
}
#: Criteria, and the condition in ADQL that means the same.
CRITERIA = {
    "": "1=1",
    "instrument=GRAVITY": "instrument_name='GRAVITY'",
    "interferometer=CHARA": "facility_name='CHARA'",
    "category=calibrator": "dataproduct_category='CALIB'",
    "valid=yes": "validation_level=1",
    "from=2019-01-01&to=2020-12-31": "night BETWEEN '2019-01-01' AND '2020-12-31'",
    "to=2019-01-01": "night<='2019-01-01'",
    "ra=110.5&dec=-25.2&radius=30": "target_name='SIM UD 1'",
    "ra=110.5&dec=-25.2&radius=72000": (
        "1=CONTAINS(POINT('ICRS', s_ra, s_dec), CIRCLE('ICRS', 110.5, -25.2, 20))"
    ),
    "program_id=999.S-0001(A)": "progid='999.S-0001(A)'",
    "program_id=999.S-0001": "progid LIKE '999.S-0001(%'",
    "pattern=sim cal *": "target_name LIKE 'SIM CAL %'",
}


def _pages(centre: Centre, criteria: str, order: str) -> Iterator[dict[str, Any]]:
    page, more = 1, True
    while more:
        path = f"/search/rows.json?{criteria.replace(' ', '%20')}&order={order}&page={page}"
        answer = ask(centre.url + path)
        assert answer.status == 200, answer.text
        found = json.loads(answer.body)
        yield from found["rows"]
        page, more = page + 1, found["more"]


@pytest.mark.parametrize("criteria", CRITERIA)
def test_rows_are_those_of_tap(centre: Centre, criteria: str) -> None:
    adql = f"SELECT exposure_id FROM obsportal.exposure WHERE {CRITERIA[criteria]}"
    expected = {row["exposure_id"] for row in query(centre.url, adql)}
    assert expected
    found = [row["exposure_id"] for row in _pages(centre, criteria, "time")]
    assert len(found) == len(set(found))
    assert set(found) == expected
    path = f"/search/overview.json?{criteria.replace(' ', '%20')}"
    years = json.loads(ask(centre.url + path).body)["years"]
    assert sum(number for _, _, number in years) == len(expected)


@pytest.mark.parametrize("order", [*ORDERS, *(f"-{name}" for name in ORDERS)])
def test_each_order_has_what_is_unknown_last(centre: Centre, order: str) -> None:
    values = [row[ORDERS[order.lstrip("-")]] for row in _pages(centre, "", order)]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=order.startswith("-"))
    assert values == known + [None] * (len(values) - len(known))


def test_rows_come_with_their_tracks(centre: Centre) -> None:
    row = next(_pages(centre, "instrument=GRAVITY", "time"))
    assert len(row["tracks"]) == 6
    expected = query(
        centre.url,
        "SELECT u_start, v_start, u_end, v_end FROM obsportal.baseline"
        f" WHERE exposure_id='{row['exposure_id']}'",
    )
    tracks = sorted([float(value) for value in track.values()] for track in expected)
    assert sorted(row["tracks"]) == [pytest.approx(track, abs=1e-9) for track in tracks]


@pytest.mark.parametrize(
    "wrong",
    [
        "order=x", "page=0", "page=401", "from=x", "category=constructor", "target_ids=1,x",
        "ra=1", "ra=1&dec=91", "ra=abc&dec=1", "program_id=%5C", "pattern=a%5C", "instrument=%00",
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(centre: Centre, wrong: str) -> None:
    for path in ("rows", "overview"):
        answer = ask(f"{centre.url}/search/{path}.json?{wrong}")
        assert answer.status == 400
        assert 10 < len(answer.text.strip()) < 300
        assert answer.headers["content-type"].startswith("text/plain")
