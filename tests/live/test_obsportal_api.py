"""Searches as JSON and CSV, UV coverage, and lists of targets."""

from __future__ import annotations

import csv
import io
import json
import math
import time
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import urlencode

import pytest
from astropy.io import votable

from ingest.exposures import Exposure
from tests.live import observed
from tests.live.client import Answer, ask, query
from tests.live.conftest import Centre

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def log(centre: Centre) -> list[Exposure]:
    """What the sky has been observed for."""
    return observed.ingest(centre)


@pytest.fixture(scope="module")
def targets(centre: Centre, log: list[Exposure]) -> list[dict[str, str]]:
    """Some targets, with the number of their exposures."""
    return query(
        centre.url,
        "SELECT TOP 12 t.target_id, t.s_ra, t.s_dec, t.target_name, COUNT(*) AS n"
        " FROM obsportal.target AS t JOIN obsportal.exposure AS e ON e.target_id=t.target_id"
        " WHERE e.on_sky=1 AND e.facility_name='VLTI'"
        " GROUP BY t.target_id, t.s_ra, t.s_dec, t.target_name ORDER BY n DESC",
    )


def get(centre: Centre, path: str, **parameters: str) -> Answer:
    answer = ask(f"{centre.url}/{path}?{urlencode(parameters)}")
    assert answer.status == 200, answer.text[:400]
    return answer


def post(centre: Centre, data: str, content_type: str = "text/csv", **parameters: str) -> Answer:
    return ask(
        f"{centre.url}/batch?{urlencode(parameters)}",
        data=data,
        headers={"Content-Type": content_type},
    )


def exposures(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.body)["exposures"]
    return found


def test_all_forms_of_a_search_say_the_same(centre: Centre, targets: list[dict[str, str]]) -> None:
    asked = {"target_id": targets[0]["target_id"], "interferometer": "VLTI"}
    table = observed.document(get(centre, "search.votable", **asked)).rows
    as_json = exposures(get(centre, "search.json", **asked))
    as_csv = list(csv.DictReader(io.StringIO(get(centre, "search.csv", **asked).text)))
    assert len(table) == len(as_json) == len(as_csv) == int(targets[0]["n"])
    for one, other, third in zip(table, as_json, as_csv, strict=True):
        assert list(one) == list(other) == list(third)
        for name, text in one.items():
            assert third[name] == ("" if text == "NaN" else text)
            value = other[name]
            if value is None:
                assert text in {"", "NaN"}
            elif isinstance(value, float | int):
                assert float(text) == value
            else:
                assert text == value


def test_coverage_is_that_of_the_log(
    centre: Centre, log: list[Exposure], targets: list[dict[str, str]]
) -> None:
    known = {one.exposure_id: one for one in log}
    pairs = 0
    for target in targets[:3]:
        for row in exposures(get(centre, "coverage.json", target_id=target["target_id"])):
            one = known.get(row["exp_id"])
            if one is None:
                continue
            lines = {(line["station1"], line["station2"]): line for line in row["baselines"]}
            for line in one.baselines:
                found = lines[line.station1, line.station2]
                for end in ("start", "end"):
                    length = getattr(line, f"length_{end}")
                    angle = math.radians(getattr(line, f"angle_{end}"))
                    u, v = length * math.sin(angle), length * math.cos(angle)
                    assert math.hypot(found[f"u_{end}"] - u, found[f"v_{end}"] - v) < 0.2
                    pairs += 1
    assert pairs > 300


def test_coverage_can_be_seen(centre: Centre, targets: list[dict[str, str]]) -> None:
    asked = {"ra": targets[0]["s_ra"], "dec": targets[0]["s_dec"], "radius": "1"}
    rows = exposures(get(centre, "coverage.json", **asked))
    answer = get(centre, "coverage.svg", **asked)
    assert answer.headers["content-type"] == "image/svg+xml"
    root = ET.fromstring(answer.text)
    tracks = sum(
        path.get("d", "").count("L")
        for path in root.iter("{http://www.w3.org/2000/svg}path")
        if path.get("stroke")
    )
    expected = sum(None not in line.values() for row in rows for line in row["baselines"])
    assert tracks == 2 * expected > 0
    none = ET.fromstring(get(centre, "coverage.svg", ra="1", dec="-89", radius="1").text)
    assert "No baselines known" in "".join(none.itertext())


def test_coverage_is_that_of_a_target(centre: Centre) -> None:
    for asked in ("instrument=GRAVITY", "ra=1&dec=2&radius=100000"):
        answer = ask(f"{centre.url}/coverage.json?{asked}")
        assert answer.status == 400
        assert "target" in answer.text


def test_names_are_found_however_they_are_spelled(
    centre: Centre, targets: list[dict[str, str]]
) -> None:
    aliases = query(
        centre.url,
        "SELECT TOP 20 a.target_id, a.alias FROM obsportal.target_alias AS a"
        " WHERE a.n_exposures>0 ORDER BY a.n_exposures DESC",
    )
    assert aliases
    for row in aliases:
        found = exposures(get(centre, "search.json", name=row["alias"].swapcase()))
        assert int(row["target_id"]) in {one["target_id"] for one in found}


# ---------------------------------------------------------------- lists


def test_lists_are_answered_in_their_order(centre: Centre, targets: list[dict[str, str]]) -> None:
    lines = ["name,ra,dec,radius"]
    for target in targets:
        lines.append(f"my {target['target_id']},{target['s_ra']},{target['s_dec']},0.5")
        lines.append(f"nothing,{target['s_ra']},{-89.9},10")
    rows = exposures(post(centre, "\n".join(lines), interferometer="VLTI"))
    numbers = [row["request_number"] for row in rows]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 2 * len(targets), 2))
    for place, target in enumerate(targets):
        mine = [row for row in rows if row["request_number"] == 2 * place + 1]
        assert len(mine) == int(target["n"])
        assert {row["request_name"] for row in mine} == {f"my {target['target_id']}"}
        assert {row["target_id"] for row in mine} == {int(target["target_id"])}
        begins = [row["exp_mjd_start"] for row in mine]
        assert begins == sorted(begins)
    assert any(row["baselines"] for row in rows)


def test_lists_and_answers_have_all_forms(centre: Centre, targets: list[dict[str, str]]) -> None:
    names = [target["target_name"] for target in targets[:4]]
    as_json = post(
        centre, json.dumps([{"name": name} for name in names]), "application/json", format="csv"
    )
    assert as_json.status == 200, as_json.text[:400]
    rows = list(csv.DictReader(io.StringIO(as_json.text)))
    assert {row["request_name"] for row in rows} == set(names)
    table = post(
        centre, "name\n" + "\n".join(f'"{name}"' for name in names), format="votable",
        all_fields="false",
    )  # fmt: skip
    found = votable.parse_single_table(io.BytesIO(table.body)).to_table()
    assert [str(name) for name in found["exp_id"]] == [row["exp_id"] for row in rows]
    assert len(found.columns) == 2 + 17
    # An answer is a list itself.
    again = post(
        centre, table.text, "application/x-votable+xml", format="csv", radius="1", instrument="none"
    )
    assert again.status == 200, again.text[:400]
    assert len(again.text.splitlines()) == 1


def test_long_lists_are_answered_in_a_moment(centre: Centre, targets: list[dict[str, str]]) -> None:
    lines = [f"{number % 360},{number % 90},5" for number in range(9_990)]
    lines += [f"{target['s_ra']},{target['s_dec']},1" for target in targets[:10]]
    begin = time.monotonic()
    rows = exposures(post(centre, "ra,dec,radius\n" + "\n".join(lines)))
    assert time.monotonic() - begin < 20
    assert {row["request_number"] for row in rows} >= set(range(9_991, 10_001))


@pytest.mark.parametrize(
    ("data", "content_type", "words"),
    [
        ("", "text/csv", "Post a list"),
        ("ra,dec\n1,91", "text/csv", "Target 1 of the list: dec must be"),
        ("ra,dec\n" + "1,2\n" * 10_001, "text/csv", "more than 10000 targets"),
        ("x" * 11_000_000, "text/csv", "longer than"),
        ("[[[", "application/json", "no JSON"),
        ("<x", "text/xml", "VOTable"),
        ("x", "multipart/form-data; boundary=y", "Content-Type must say"),
    ],
    ids=["nothing", "dec", "targets", "bytes", "json", "xml", "form"],
)
def test_bad_lists_are_refused_with_a_sentence(
    centre: Centre, data: str, content_type: str, words: str
) -> None:
    begin = time.monotonic()
    answer = post(centre, data, content_type)
    assert answer.status == 400
    assert words in answer.text
    assert len(answer.text.splitlines()) == 1
    assert time.monotonic() - begin < 5


def test_bad_parameters_of_lists_are_refused(centre: Centre) -> None:
    for parameters in ({"format": "fits"}, {"radius": "1e9"}, {"all_fields": "x"}):
        assert post(centre, "ra,dec\n1,2\n", **parameters).status == 400
