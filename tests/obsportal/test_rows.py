"""Values of the tables of observation logs, from exposures with known truth."""

from __future__ import annotations

import ast
import math
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import vocabulary
from ingest.exposures import Baseline, Exposure
from obsportal.res import rows

VLTI = vocabulary.load().facility("VLTI")


def _exposure(**known: Any) -> Exposure:
    values: dict[str, Any] = {
        "header_id": "GRAVI.2027-01-01T03:00:00.000",
        "facility_name": "VLTI",
        "instrument_name": "GRAVITY",
        **known,
    }
    return Exposure(**values)


def _pair(**known: float | None) -> Baseline:
    values = {"length_start": 30.0, "length_end": 40.0, "angle_start": 90.0, "angle_end": 180.0}
    return Baseline("U1", "U2", **{**values, **known})


def test_baselines_have_the_form_of_the_former_service() -> None:
    text = rows.baselines_text([_pair(length_start=55.904, angle_start=3.3)])
    assert text == (
        "{'U1-U2': {'length': {'start': '55.9040', 'end': '40.0000'},"
        " 'angle': {'start': '3.3000', 'end': '180.0000'}}}"
    )


@pytest.mark.parametrize("missing", ["length_start", "length_end", "angle_start", "angle_end"])
def test_a_pair_without_all_its_numbers_is_left_out(missing: str) -> None:
    assert rows.baselines_text([_pair(**{missing: None})]) is None
    text = rows.baselines_text([_pair(**{missing: None}), _pair()])
    assert text is not None
    assert text.count("length") == 1


@given(st.floats(0.01, 1000), st.floats(-180, 360), st.floats(0.01, 1000), st.floats(-180, 360))
def test_baselines_can_be_read_back(ls: float, as_: float, le: float, ae: float) -> None:
    text = rows.baselines_text(
        [_pair(length_start=ls, angle_start=as_, length_end=le, angle_end=ae)]
    )
    assert text is not None
    read = ast.literal_eval(text)["U1-U2"]
    assert float(read["length"]["start"]) == pytest.approx(ls, abs=5e-5)
    assert float(read["angle"]["end"]) == pytest.approx(ae, abs=5e-5)


def test_u_is_east_and_v_north() -> None:
    (row,) = rows.of_baselines(_exposure(baselines=(_pair(),)))
    assert (row["u_start"], row["v_start"]) == (pytest.approx(30), pytest.approx(0, abs=1e-9))
    assert (row["u_end"], row["v_end"]) == (pytest.approx(0, abs=1e-9), pytest.approx(-40))


def test_what_is_not_known_of_a_baseline_stays_unknown() -> None:
    (row,) = rows.of_baselines(_exposure(baselines=(_pair(angle_end=None),)))
    assert row["u_end"] is None
    assert row["v_end"] is None
    assert row["length_end"] == 40


def test_nights_are_local() -> None:
    # 03:00 UTC of 2 January is the night of 1 January at Paranal; MJD 61407 is 2027-01-02.
    assert rows.night(61407.125, VLTI) == date(2027, 1, 1)
    assert rows.night(None, VLTI) is None
    assert rows.night(61407.125, None) is None


def test_resolution_and_field() -> None:
    row = rows.of_exposure(
        _exposure(stations=("A0", "G1"), baselines=(_pair(),), em_min=2e-6, em_max=2.4e-6),
        "example.org",
        (10.0, -30.0),
        VLTI,
    )
    assert row["s_resolution"] == pytest.approx(math.degrees(2e-6 / 80) * 3600)
    assert row["s_fov"] == pytest.approx(math.degrees(2.4e-6 / 1.8))
    assert (row["uv_distance_min"], row["uv_distance_max"]) == (30, 40)
    assert row["s_region"].count("d") == 12
    assert row["obs_publisher_did"].startswith("ivo://example.org/~?obsportal/GRAVI.2027")


def test_an_exposure_of_which_nothing_is_known() -> None:
    row = rows.of_exposure(_exposure(), "example.org", None, VLTI)
    known = {name for name, value in row.items() if value is not None}
    assert known == {
        "exposure_id",
        "exposure_number",
        "facility_name",
        "header_id",
        "instrument_name",
        "obs_publisher_did",
        "on_sky",
        "quality_flags",
        "validation_level",
        "validation_log",
    }


@pytest.mark.parametrize(
    ("start", "end", "mean"),
    [(0.5, 0.7, 0.6), (None, 0.7, 0.7), (0.5, None, 0.5), (None, None, None)],
)
def test_weather_is_the_mean_of_what_is_known(
    start: float | None, end: float | None, mean: float | None
) -> None:
    row = rows.of_exposure(_exposure(seeing_start=start, seeing_end=end), "a", None, VLTI)
    assert row["seeing"] == (mean if mean is None else pytest.approx(mean))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2027-01-01T03:04:05", datetime(2027, 1, 1, 3, 4, 5)),
        ("2027-01-01T03:04:05.250Z", datetime(2027, 1, 1, 3, 4, 5, 250000)),
        ("2027-01-01T03:04:05+01:00", datetime(2027, 1, 1, 2, 4, 5)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times_of_templates(text: str | None, found: datetime | None) -> None:
    assert rows.timestamp(text) == found
