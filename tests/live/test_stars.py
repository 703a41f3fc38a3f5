"""JSDC, and what all data sets have on a star: tables, cones, the question across them, pages."""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import pyvo
from astropy.coordinates import SkyCoord
from astropy.table import Table

from ingest import simulate, simulate_jsdc
from tests.live.browser import Browser
from tests.live.client import ask, query
from tests.live.conftest import CHECKOUT, Centre
from tests.live.test_pages import PHONE, check_clean

pytestmark = pytest.mark.live

STAR = "!document.querySelector('#star').hidden"
FOUND = "!document.querySelector('#found').hidden"
PROBE = "<img src=x onerror=document.title=`probed`>"
CONES = ("jsdc/q/cone", "jmmc/q/cone")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def published(centre: Centre) -> Any:
    """The demonstration's file of JSDC as astropy reads it, with positions in degrees."""
    table = Table.read(centre.root / "demonstration" / "jsdc.fits")
    places = SkyCoord(
        [text.strip() for text in table["RAJ2000"]],
        [text.strip() for text in table["DEJ2000"]],
        unit=("hourangle", "deg"),
    )
    table["ra"], table["dec"] = places.ra.deg, places.dec.deg
    return table


# ---------------------------------------------------------------- JSDC


def test_the_table_holds_what_the_file_does(centre: Centre, published: Any) -> None:
    rows = query(centre.url, "SELECT j.* FROM jsdc.star AS j ORDER BY star_id", MAXREC="100000")
    assert [row["name"] for row in rows] == [str(name).strip() for name in published["Name"]]
    for column, label, digits in (
        ("ra", "ra", 9), ("dec", "dec", 9), ("ldd", "LDD", 5), ("e_ldd", "e_LDD", 5),
        ("udd_b", "UDDB", 5), ("udd_n", "UDDN", 5), ("ldd_chi2", "LDDCHI", 4),
        ("kmag", "Kmag", 3), ("e_lmag", "e_Lmag", 3), ("nmag", "Nmag", 4),
        ("cal_flag", "CalFlag", 9),
    ):  # fmt: skip
        found = np.array([float(row[column] or "nan") for row in rows])
        expected = np.ma.filled(np.ma.asarray(published[label]).astype(float), np.nan)  # type: ignore[no-untyped-call]
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=10.0**-digits, err_msg=column)
    assert sum(row["nmag"] == "" for row in rows) > 10
    assert {row["version"] for row in rows} == {"2"}
    assert all(row["gaia_dr3_id"] == row["ir_flag"] == row["pm_ra"] == "" for row in rows)


@pytest.mark.parametrize("path", CONES)
def test_cones_by_pyvo_and_stilts(
    centre: Centre, stilts: Path, tmp_path: Path, published: Any, path: str
) -> None:
    place = SkyCoord(112.3, -23.4, unit="deg")
    distance = SkyCoord(published["ra"], published["dec"], unit="deg").separation(place).deg
    expected = {str(name).strip() for name in published["Name"][distance < 0.7]}
    assert "SIM CAL 1" in expected
    assert len(expected) > 8
    name = "name" if path.startswith("jsdc") else "star_name"
    found = pyvo.dal.SCSService(f"{centre.url}/{path}/scs.xml").search((112.3, -23.4), 0.7)
    assert {str(row[name]) for row in found} == expected
    result = tmp_path / "cone.csv"
    subprocess.run(
        [
            stilts, "cone", f"serviceurl={centre.url}/{path}/scs.xml", "lon=112.3", "lat=-23.4",
            "radius=0.7", f"out={result}", "ofmt=csv",
        ],
        check=True,
    )  # fmt: skip
    with result.open() as file:
        assert {row[name] for row in csv.DictReader(file)} == expected


def test_a_new_catalogue_takes_the_place_of_the_old_one_at_once(
    centre: Centre, tmp_path: Path
) -> None:
    path = centre.root / "demonstration" / "jsdc.fits"
    stars = "SELECT star_id, star_name, jsdc_id, n_granules FROM jmmc.star ORDER BY star_id"
    before, seen, done = query(centre.url, stars), set(), threading.Event()

    def watch() -> None:
        while not done.is_set():
            [row] = query(centre.url, "SELECT COUNT(*) AS n, COUNT(ldd) AS m FROM jsdc.star")
            seen.add((row["n"], row["m"]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert "JSDC 2 are in; 0 have" in centre.succeed("ingest", "jsdc", str(path))
    finally:
        done.set()
        watcher.join()
    number = str(len(Table.read(path)))
    assert seen == {(number, number)}
    assert query(centre.url, stars) == before
    wrong = tmp_path / "wrong.tsv"
    simulate_jsdc.write_tsv(simulate_jsdc.simulate(50), wrong)
    wrong.write_text(re.sub(r"\tG0V\t", "\tG0V\tmore\t", wrong.read_text(), count=1))
    tmp_path.chmod(0o755)
    refused = centre.jmmc("ingest", "jsdc", str(wrong))
    assert refused.returncode == 1
    assert re.match(r"jmmc: wrong.tsv: row \d+: 2\d cells|jmmc: wrong.tsv: row", refused.stderr)
    [row] = query(centre.url, "SELECT COUNT(*) AS n FROM jsdc.star")
    assert row["n"] == number


# ---------------------------------------------------------------- across data sets


def test_the_question_across_data_sets(centre: Centre) -> None:
    """Who is a good calibrator near SIM UD 1: by the truth that was simulated, SIM CAL 1 alone."""
    text = ask(f"{centre.url}/tap/examples").text
    assert "Good calibrators near a target" in text
    [target] = [star for star in simulate.STARS if star.name == "SIM UD 1"]
    here = SkyCoord(target.ra, target.dec, unit="deg")
    expected = {}
    for star in simulate.STARS:
        near = SkyCoord(star.ra, star.dec, unit="deg").separation(here).deg < 2.5
        if near and isinstance(star.model, simulate.Disk) and star.model.diameter < 0.5:
            expected[star.name] = star.model.diameter
    assert expected == {"SIM CAL 1": 0.4}
    question = """
      SELECT s.star_name, j.ldd, s.n_vlti_exposures, s.n_granules, s.n_measurements, s.target_id
      FROM jmmc.star AS s JOIN jsdc.star AS j ON s.jsdc_id=j.star_id
      WHERE 1=CONTAINS(POINT('ICRS', s.s_ra, s.s_dec), CIRCLE('ICRS', 110.5, -25.2, {radius}))
        AND j.ldd < 0.5 AND j.cal_flag=0 AND s.badcal_id IS NULL AND s.n_vlti_exposures > 0"""
    [row] = query(centre.url, question.format(radius=2.5))
    assert row["star_name"] == "SIM CAL 1"
    assert float(row["ldd"]) == pytest.approx(0.4)
    for column, counted in (
        ("n_vlti_exposures", "obsportal.exposure WHERE facility_name='VLTI' AND"),
        ("n_granules", "oidb.granule WHERE"),
    ):
        [count] = query(centre.url, f"SELECT COUNT(*) AS n FROM {counted} target_name='SIM CAL 1'")
        assert row[column] == count["n"]
    [count] = query(
        centre.url, "SELECT COUNT(*) AS n FROM jmdc.measurement WHERE star_name='SIM CAL 1'"
    )
    assert row["n_measurements"] == count["n"]
    # It is 2.43 degrees away.
    assert query(centre.url, question.format(radius=2.4)) == []


ARCSEC = 1 / 3600


def _jsdc(number: int, ra: float, dec: float, ldd: float = 0.3, flag: int = 0) -> dict[str, Any]:
    return {
        "star_id": 900_000 + number, "name": f"HD 90000{number}", "name_key": f"hd 90000{number}",
        "ra": ra, "dec": dec, "ldd": ldd, "e_ldd": 0.01, "cal_flag": flag, "kmag": float(number),
        "version": 2, "quality_flags": "",
    }  # fmt: skip


def _target(number: int, name: str, ra: float, dec: float, exposures: int) -> dict[str, Any]:
    return {
        "target_id": 900_000 + number, "target_name": name, "s_ra": ra, "s_dec": dec,
        "n_exposures": exposures, "created": "2026-01-01",
    }  # fmt: skip


def _exposures(target: dict[str, Any], facility: str) -> list[dict[str, Any]]:
    return [
        {
            "exposure_id": f"CROSS.{target['target_id']}_{n}", "header_id": "CROSS",
            "exposure_number": n, "obs_publisher_did": f"ivo://x/{target['target_id']}_{n}",
            "target_id": target["target_id"], "target_name": target["target_name"],
            "s_ra": target["s_ra"], "s_dec": target["s_dec"], "t_min": 59000.0 + n,
            "instrument_name": "PIONIER", "facility_name": facility, "validation_level": 1,
            "validation_log": "[]", "quality_flags": "", "on_sky": 1, "updated": "2026-01-01",
        }
        for n in range(target["n_exposures"])
    ]  # fmt: skip


def _bad(number: int, ra: float, dec: float, state: str) -> dict[str, Any]:
    return {
        "badcal_id": 900_000 + number, "name": None, "s_ra": ra, "s_dec": dec, "state": state,
        "reason_classes": "binary", "n_reports": 1, "n_accepted": int(state == "accepted"),
        "created": "2026-01-01", "updated": "2026-01-01",
    }  # fmt: skip


def _crossed(centre: Centre, *steps: dict[str, Any]) -> list[list[list[Any]]]:
    result = subprocess.run(
        ["/usr/bin/python3", str(CHECKOUT / "tests" / "live" / "crossed.py")],
        env=centre.environment, input=json.dumps(steps), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    told: list[list[list[Any]]] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_the_question_with_every_trap(centre: Centre) -> None:
    """Stars around 200 -70, where nothing is: who answers the question, and why others do not."""
    year_20 = 51544.5 + 20 * 365.25
    east = 1 / math.cos(math.radians(70))
    jsdc = [
        _jsdc(1, 200.0, -70.0),
        _jsdc(2, 200.0, -70.0 + 4 * ARCSEC),  # its neighbour
        _jsdc(3, 200.5, -70.0),  # accepted as bad
        _jsdc(4, 201.0, -70.0),  # reported as bad, which was rejected
        _jsdc(5, 200.0, -70.5, ldd=2.0),  # too large
        _jsdc(6, 200.0, -70.6, flag=2),  # a double star
        {**_jsdc(7, 200.2, -70.2), "pm_ra": 0.0, "pm_dec": 1000.0, "version": 3},
        _jsdc(8, 200.0, -73.0),  # too far away
        _jsdc(9, 200.0, -69.5),  # what was observed there has another number
    ]
    targets = [
        _target(1, "hd_900001", 200.0, -70.0, 2),
        _target(2, "HD-900002", 200.0, -70.0 + 1 * ARCSEC, 5),  # nearer to HD 900001
        _target(3, "NONAME 3", 200.5 + 1 * ARCSEC * east, -70.0, 3),
        _target(4, "NONAME 4", 201.0, -70.0 - 4.9 * ARCSEC, 4),
        _target(5, "HD 900005", 200.0, -70.5, 5),
        _target(6, "HD 900006", 200.0, -70.6, 6),
        _target(7, "HD 900007", 200.2, -70.2, 7),
        _target(8, "HD 900008", 200.0, -73.0, 8),
        _target(9, "HD 900099", 200.0, -69.5 + 1 * ARCSEC, 9),
        _target(10, "NONAME 10", 200.0, -69.5, 1),
    ]
    question = """
      SELECT s.star_name, s.n_vlti_exposures, s.n_granules, s.n_measurements
      FROM jmmc.star AS s JOIN jsdc.star AS j ON s.jsdc_id=j.star_id
      WHERE 1=CONTAINS(POINT('ICRS', s.s_ra, s.s_dec), CIRCLE('ICRS', 200, -70, 2))
        AND j.ldd < 0.5 AND j.cal_flag=0 AND s.badcal_id IS NULL AND s.n_vlti_exposures > 0
      ORDER BY s.star_name"""
    links = """
      SELECT l.data_set, l.entry_id-900000, s.star_name, l.matched_by FROM jmmc.link AS l
      JOIN jmmc.star AS s ON s.star_id=l.star_id
      WHERE l.entry_id BETWEEN 900000 AND 900100 ORDER BY l.data_set, l.entry_id"""
    header = {"header_id": "CROSS", "archive": "ESO", "state": "read", "listed": "2026-01-01"}
    others = (
        {"table": "obsportal.stored_header", "rows": [header]},
        {"table": "obsportal.target", "rows": targets},
        {
            "table": "obsportal.exposure",
            "rows": [
                row
                for target in targets
                for row in _exposures(target, "CHARA" if target["n_exposures"] == 1 else "VLTI")
            ],
        },
        {
            "table": "jmdc.star",
            "rows": [
                {
                    "star_id": 900_001, "star_name": "HD 900001", "s_ra": 200.0,
                    "s_dec": -70.0 + 2.5 * ARCSEC, "identity_flags": "", "n_measurements": 3,
                }
            ],
        },
        {
            "table": "badcal.star",
            "rows": [_bad(3, 200.5, -70.0, "accepted"), _bad(4, 201.0, -70.0, "rejected")],
        },
        # The fast star, where it was in 2020, under a name of no catalogue.
        {
            "sql": "INSERT INTO oidb.granule SELECT (jsonb_populate_record(g, jsonb_build_object("
            "'granule_id', 900007, 'obs_publisher_did', 'ivo://x/900007', 'target_name', 'FOO',"
            f"'s_ra', 200.2, 's_dec', {-70.2 + 20 * ARCSEC}, 't_min', {year_20}))).*"
            " FROM oidb.granule AS g LIMIT 1"
        },
    )  # fmt: skip
    ours = {"table": "jsdc.star", "rows": jsdc}
    expected = [
        ["HD 900001", 2, 0, 3], ["HD 900002", 5, 0, 0], ["HD 900004", 4, 0, 0],
        ["HD 900007", 7, 1, 0],
    ]  # fmt: skip
    matched = [
        ["badcal", 3, "HD 900003", "position"], ["badcal", 4, "HD 900004", "position"],
        ["jmdc", 1, "HD 900001", "name"],
        ["obsportal", 1, "HD 900001", "name"], ["obsportal", 2, "HD 900002", "name"],
        ["obsportal", 3, "HD 900003", "position"], ["obsportal", 4, "HD 900004", "position"],
        ["obsportal", 5, "HD 900005", "name"], ["obsportal", 6, "HD 900006", "name"],
        ["obsportal", 7, "HD 900007", "name"], ["obsportal", 8, "HD 900008", "name"],
        ["obsportal", 9, "HD 900099", "new"], ["obsportal", 10, "HD 900009", "position"],
        ["oidb", 7, "HD 900007", "position"],
    ]  # fmt: skip
    everything: dict[str, Any] = {"follow": []}
    ask_both = ({"adql": question}, {"adql": links})
    # All at once; what was loaded first does not matter; nothing more to do afterwards.
    first = _crossed(centre, ours, *others, everything, *ask_both, everything)
    assert first[1] == expected
    assert sorted(first[2]) == sorted(matched)
    assert first[3] == [[0, 0]]
    found = [row[:3] for row in matched]
    second = _crossed(
        centre, *others, everything, ours, {"follow": ["jsdc"]}, *ask_both,
        {"sql": "DELETE FROM badcal.star WHERE badcal_id=900003;"
                "UPDATE jsdc.star SET star_id=star_id+50 WHERE star_id>900000;"
                "DELETE FROM obsportal.exposure WHERE target_id=900001;"
                "DELETE FROM obsportal.target WHERE target_id=900001"},
        everything, *ask_both,
        {"sql": "DELETE FROM jsdc.star WHERE star_id>900000"}, everything, *ask_both,
    )  # fmt: skip
    assert second[2] == expected
    assert sorted(row[:3] for row in second[3]) == sorted(found)
    # No more bad, no more observed, other numbers in JSDC.
    assert second[5] == [
        ["HD 900002", 5, 0, 0], ["HD 900003", 3, 0, 0], ["HD 900004", 4, 0, 0],
        ["HD 900007", 7, 1, 0],
    ]  # fmt: skip
    gone = {("badcal", 3), ("obsportal", 1)}
    kept = [row for row in found if (row[0], row[1]) not in gone]
    assert sorted(row[:3] for row in second[6]) == sorted(kept)
    # Without JSDC the stars of the others stay.
    assert second[8] == []
    assert {(row[0], row[1]) for row in second[9]} == {(row[0], row[1]) for row in kept}


def test_names_that_jmdc_learns_are_told(centre: Centre) -> None:
    star = {
        "star_id": 900_001, "star_name": "HD 900001", "s_ra": 200.0, "s_dec": -70.0,
        "identity_flags": "", "n_measurements": 3,
    }  # fmt: skip
    alias = {
        "star_id": 900_001, "alias": "CROSS 1", "alias_key": "cross1", "is_identifier": 0,
    }  # fmt: skip
    named = "SELECT COUNT(*) FROM jmmc.star_alias WHERE alias='CROSS 1'"
    follow = {"follow": ["jmdc"]}
    told = _crossed(
        centre, {"table": "jmdc.star", "rows": [star]}, follow, {"adql": named},
        {"table": "jmdc.star_alias", "rows": [alias]}, follow, {"adql": named}, follow,
    )  # fmt: skip
    assert told == [[[1, 1]], [[0]], [[1, 0]], [[1]], [[0, 0]]]


def test_motions_that_jsdc_learns_are_taken(centre: Centre) -> None:
    """Those that another data set has told stay where JSDC tells none."""
    motion = "SELECT pm_ra, pm_dec FROM jmmc.star WHERE jsdc_id=900001"
    change = "UPDATE jsdc.star SET pm_ra={}, pm_dec={} WHERE star_id=900001"
    moving = {**_target(1, "HD 900001", 200.0, -70.0, 1), "pm_ra": 7.0, "pm_dec": 8.0}
    follow: dict[str, Any] = {"follow": []}
    told = _crossed(
        centre, {"table": "jsdc.star", "rows": [_jsdc(1, 200.0, -70.0)]}, follow, {"adql": motion},
        {"sql": change.format(1.5, -2.5)}, follow, {"adql": motion}, follow,
        {"sql": change.format(3.5, -2.5)}, follow, {"adql": motion}, follow,
    )  # fmt: skip
    assert [told[n] for n in (1, 3, 6)] == [[[None, None]], [[1.5, -2.5]], [[3.5, -2.5]]]
    assert told[4] == told[7] == [[0, 0]]
    told = _crossed(
        centre, {"table": "jsdc.star", "rows": [_jsdc(1, 200.0, -70.0)]},
        {"table": "obsportal.target", "rows": [moving]}, follow, {"adql": motion}, follow,
    )  # fmt: skip
    assert told[1:] == [[[7.0, 8.0]], [[0, 0]]]


def test_commands_keep_the_stars_in_step(centre: Centre) -> None:
    """After all that was ingested so far by whatever command, there is nothing left to do."""
    assert centre.succeed("sync", "stars").startswith("0 new or changed entries")


# ---------------------------------------------------------------- pages


def _json(centre: Centre, **given: str) -> Any:
    answer = ask(f"{centre.url}/star.json?{urlencode(given)}")
    assert answer.status == 200, answer.text
    return json.loads(answer.text)


@pytest.mark.parametrize(
    "name",
    ["SIM UD 1", "sim_ud_1", "  Sim-UD  1 ", "110.5 -25.2", "110.5003,-25.1997",
     "7 22 00 -25 12 00", "07:22:00.0 -25:12:00", "7h22m00s −25°12′00″"],
)  # fmt: skip
def test_a_star_is_found_however_it_is_called(centre: Centre, name: str) -> None:
    found = _json(centre, name=name)
    assert found["star"]["star_name"] == "SIM UD 1"
    assert found["jsdc"]["ldd"] == pytest.approx(1.8)
    assert ask(f"{centre.url}/star/{found['star']['star_id']}.json").status == 200


def test_each_part_of_a_star_is_the_answer_of_its_query(centre: Centre) -> None:
    found = _json(centre, name="SIM CAL 1")
    rows = {name: query(centre.url, adql) for name, adql in found["queries"].items()}
    assert set(rows) == {"jsdc", "jmdc", "badcal", "obsportal", "oidb"}
    [row] = rows["jsdc"]
    assert float(row["ldd"]) == pytest.approx(found["jsdc"]["ldd"])
    assert len(rows["jmdc"]) == len(found["jmdc"]) == found["star"]["n_measurements"] > 0
    assert rows["badcal"] == []
    assert found["badcal"] is None
    for part, column in (("obsportal", "n_vlti_exposures"), ("oidb", "n_granules")):
        told = found[part]["instruments"] if part == "obsportal" else found[part]
        assert sum(group["n"] for group in told) == len(rows[part]) == found["star"][column]
        assert {group["instrument"] for group in told} == {
            row["instrument_name"] for row in rows[part]
        }
    cited = {row["bibcode"]: "diameter" for row in rows["jmdc"]}
    cited |= {row["bib_reference"]: "data" for row in rows["oidb"] if row["bib_reference"]}
    told = {bibcode: kind for bibcode, [kind], _ in found["publications"]}
    assert told == {bibcode: cited[bibcode] for bibcode in cited if bibcode[:1] in ("1", "2")}
    bad = _json(centre, name="SIM BAD 1")
    assert [entry["state"] for entry in bad["badcal"]] == ["accepted"]


def test_what_was_not_on_the_sky_is_not_observed(centre: Centre, database: Any) -> None:
    def both() -> tuple[int, int]:
        found = _json(centre, name="SIM CAL 1")
        shown = sum(group["n"] for group in found["obsportal"]["instruments"])
        return shown, len(query(centre.url, found["queries"]["obsportal"]))

    before, same = both()
    assert before == same
    one = (
        "UPDATE obsportal.exposure SET on_sky = {} WHERE exposure_id = (SELECT MIN(e.exposure_id)"
        " FROM obsportal.exposure AS e JOIN obsportal.target_alias AS a USING (target_id)"
        " WHERE a.alias = 'SIM CAL 1')"
    )
    database.execute(one.format(0))
    try:
        assert both() == (before - 1, before - 1)
    finally:
        database.execute(one.format(1))


def test_what_is_not_one_star_is_told_in_words(centre: Centre) -> None:
    several = _json(centre, name="SIM U")
    assert several["words"] == "No star is called 'SIM U'; the names of these begin so."
    assert "SIM UD 1" in {star["star_name"] for star in several["stars"]}
    near = _json(centre, name="110.5 -25.195")
    assert near["words"].startswith("No star is within 5 arcsec")
    assert near["stars"][0]["separation"] == pytest.approx(18, abs=0.1)
    for given, status, words in (
        ({"name": "nobody at all"}, 404, "No data set here has a star called 'nobody at all'"),
        ({"name": "STD"}, 404, "is no name of a star"),
        ({"name": "200 -70.123"}, 404, "within 60 arcsec of"),
        ({"name": "400 1"}, 400, "is no position"),
        ({"ra": "10"}, 400, "dec is missing"),
        ({"ra": "x", "dec": "1"}, 400, "ra must be a number"),
        ({"name": "x" * 300}, 400, "more than 256 characters"),
        ({"name": "a\x00b"}, 400, "control character"),
        ({"name": "'; DROP TABLE jmmc.star; --"}, 404, "No data set here"),
    ):
        answer = ask(f"{centre.url}/star.json?{urlencode(given)}")
        assert (answer.status, words in answer.text) == (status, True), answer.text
    for path in ("star/999999999", "star/x", "star/1/2", "star/9999999999"):
        assert ask(f"{centre.url}/{path}").status == 404


def test_the_front_page_leads_to_the_star(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/", "document.querySelector('#stars').innerText.includes('in all')")
    counts = json.loads(ask(f"{centre.url}/star/counts.json").text)
    for table, name in (("jsdc.star", "jsdc_stars"), ("jmmc.star", "stars")):
        [row] = query(centre.url, f"SELECT COUNT(*) AS n FROM {table}")
        assert abs(int(row["n"]) - counts[name]) < 50  # counted some minutes ago at most
        assert f"{counts[name]:,}" in browser.text("#stars")
    check_clean(browser, centre)
    browser.evaluate("document.querySelector('input[name=name]').value = 'sim cal 1'")
    browser.click("form.search button")
    browser.wait(f"location.pathname === '/star' && {STAR}")
    assert browser.text("#title") == "SIM CAL 1"
    assert "Nothing in JSDC speaks against it." in browser.text("#calibrator")
    assert "Nobody has reported it" in browser.text("#calibrator")
    assert re.search(r"JSDC, computed\s+–\s+0.4 \(K\)\s+0.4 ± 0.0\d+", browser.text("#diameters"))
    assert "PIONIER" in browser.text("#logs")
    assert "AMBER" in browser.text("#granules")
    check_clean(browser, centre)
    addresses = browser.evaluate(
        "Array.from(document.querySelectorAll('article a'), (link) => link.href)"
    )
    ours = {address for address in addresses if address.startswith(centre.url)}
    assert len(ours) > 8
    for address in sorted(ours):
        assert ask(address).status == 200, address


def test_a_list_of_stars_leads_to_each(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/star?name=SIM+UD", FOUND)
    assert "begin so" in browser.text("#words")
    browser.click("#found tbody a")
    browser.wait(STAR)
    assert browser.text("#title").startswith("SIM UD")
    browser.open(f"{centre.url}/star?name=SIM+BIN+1", STAR)
    assert "double star" in browser.text("#calibrator")
    browser.open(f"{centre.url}/star?name=SIM+BAD+1", STAR)
    assert "accepted as such (binary companion)" in browser.text("#calibrator")


def test_the_star_fits_a_phone(browser: Browser, centre: Centre) -> None:
    browser.resize(*PHONE)
    try:
        browser.open(f"{centre.url}/star?name=SIM+CAL+1", STAR)
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.resize(1200, 900)


def test_what_is_searched_is_never_markup(browser: Browser, centre: Centre) -> None:
    for text in (PROBE, f"</script>{PROBE}", f"SIM CAL 1{PROBE}", "${document.title=1}"):
        browser.open(
            f"{centre.url}/star?{urlencode({'name': text})}",
            "document.querySelector('#words').innerText",
        )
        assert browser.evaluate("document.querySelector('input[name=name]').value") == text
        assert browser.evaluate("document.images.length") == 1  # the logo
        assert "probed" not in browser.evaluate("document.title")


def test_positions_are_read_alike_here_and_in_pages(browser: Browser, centre: Centre) -> None:
    """The server reads what people write as the searches of pages do."""
    from web import parameters

    texts = [
        "110.5 -25.2", "110.5,-25.2", "110.5 , +25", "1. 2.", "7 22 00 -25 12 00",
        "7:22:0 25:1:2.5", "7h22m00.5s -25d12m00s", "0 0 0 -0 30 0", "359.999 -90",
        "24 0 0 0 0 0", "1 60 0 0 0 0", "361 0", "0 91", "-1 5", "HD 1", "HD 1 2", "110.5", "",
        "1e2 3", "12 34 56 7 8 9 10", "٣ ٤",
    ]  # fmt: skip
    browser.open(f"{centre.url}/star", "document.querySelector('site-header nav')")
    browser.evaluate(
        "import('/static/search.mjs').then(({ position }) => { window.told ="
        f" {json.dumps(texts)}.map((text) => {{ try {{ const found = position(text);"
        " return found && [found.ra, found.dec] } catch { return 'refused' } }) }); 1"
    )
    browser.wait("window.told")
    for text, there in zip(texts, browser.evaluate("window.told"), strict=True):
        try:
            found = parameters.position(text, 1.0)
            here: Any = found and pytest.approx([found["ra"], found["dec"]])
        except parameters.RefusedError:
            here = "refused"
        assert here == there, text
