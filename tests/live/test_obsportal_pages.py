"""The pages of the observation logs, as people meet them in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from ingest import simulate_log
from tests.live import observed
from tests.live.browser import Browser
from tests.live.client import ask, query
from tests.live.conftest import Centre
from tests.live.test_pages import PHONE, SEARCHED, check_clean

pytestmark = pytest.mark.live

EXPOSURE = "!document.querySelector('#exposure').hidden"
TARGET = "!document.querySelector('#target').hidden"
STATISTICS = "!document.querySelector('#plots').hidden"
#: What does harm where a text is taken for markup, even inside a script element.
PROBE = "</script><img src=x onerror=document.title=`probed`>"
PROBED = "GRAVI.2031-01-02T03:04:05.678"
LACKING = "GRAVI.2031-01-02T03:14:05.678"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


def one(centre: Centre, condition: str) -> dict[str, str]:
    """The first exposure that fulfils a condition."""
    rows = query(
        centre.url,
        f"SELECT TOP 1 e.* FROM obsportal.exposure AS e WHERE {condition} ORDER BY exposure_id",
    )
    assert rows, condition
    return rows[0]


@pytest.fixture(scope="module")
def odd(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two exposures more: one with markup in its texts, one without projected baselines."""
    entry = next(
        found
        for found in simulate_log.demonstration()
        if found.instrument_name == "GRAVITY" and found.on_sky and found.baselines
    )
    folder = tmp_path_factory.mktemp("headers")
    lines = simulate_log.eso_header(replace(entry, header_id=PROBED)).splitlines()
    assert sum("ESO OBS NAME" in line for line in lines) == 1
    assert sum(" PBL" in line for line in lines) > 6
    (folder / f"{PROBED}.hdr").write_text(
        "\n".join(
            f"HIERARCH ESO OBS NAME = '{PROBE}'" if "ESO OBS NAME" in line else line
            for line in lines
        )
    )
    (folder / f"{LACKING}.hdr").write_text(
        "\n".join(line.replace(PROBED, LACKING) for line in lines if " PBL" not in line)
    )
    centre.succeed("ingest", "headers", str(folder))
    yield
    observed.forget(centre, f"header_id IN ('{PROBED}', '{LACKING}')")


def search(browser: Browser, centre: Centre, **criteria: str) -> list[str]:
    """Exposures in the rows that a search shows."""
    browser.open(f"{centre.url}/search?{urlencode(criteria)}", SEARCHED)
    return [
        link.rpartition("/")[2]
        for link in browser.evaluate(
            "Array.from(document.querySelectorAll('#rows tbody tr'),"
            " (row) => decodeURIComponent(row.cells[6].querySelector('a').href))"
        )
    ]


# ---------------------------------------------------------------- one exposure


@pytest.mark.parametrize("instrument", ["GRAVITY", "PIONIER", "MATISSE"])
def test_an_exposure_shows_what_the_tables_have(
    browser: Browser, centre: Centre, instrument: str
) -> None:
    row = one(centre, f"instrument_name='{instrument}' AND validation_level=1 AND tel_number=4")
    # As ASPRO2 writes the address: nothing is encoded.
    browser.open(f"{centre.url}/detail/exposure/{row['exposure_id']}", EXPOSURE)
    assert browser.text("h1") == f"{row['target_name']} · {instrument} · {row['night']}"
    facts = browser.text("#facts")
    assert row["stations"] in facts
    assert f"MJD {float(row['t_min']):.6f}" in facts
    assert row["instrument_mode"] in facts
    assert "LST" in facts
    lines = query(
        centre.url, f"SELECT * FROM obsportal.baseline WHERE exposure_id='{row['exposure_id']}'"
    )
    shown = browser.evaluate(
        "Array.from(document.querySelectorAll('#baselines tbody tr'), (row) =>"
        " Array.from(row.cells, (cell) => cell.innerText))"
    )
    expected = sorted(
        (f"{line['station1']}–{line['station2']}", f"{float(line['u_start']):.2f}")
        for line in lines
    )
    assert sorted((name, u.split(" ")[0]) for name, _, _, u, _ in shown) == expected
    # Each baseline is drawn with its conjugate.
    strong = browser.evaluate("document.querySelector('#uv .track.strong').getAttribute('d')")
    assert strong.count("M") == 2 * len(lines)
    links = browser.evaluate(
        "Array.from(document.querySelectorAll('#links a, #facts a'), (link) => link.href)"
    )
    assert f"https://archive.eso.org/dataset/{quote(row['header_id'], safe='')}" in links
    assert any(link.startswith("https://simbad.cds.unistra.fr/simbad/sim-id?Id") for link in links)
    assert any("sched_rep_arc/query?progid=" in link for link in links)
    check_clean(browser, centre)


def test_the_faint_part_is_the_rest_of_the_target(browser: Browser, centre: Centre) -> None:
    row = one(
        centre,
        "validation_level=1 AND e.target_id IN (SELECT t.target_id FROM obsportal.target AS t"
        " WHERE t.n_exposures BETWEEN 3 AND 50)",
    )
    browser.open(f"{centre.url}/detail/exposure/{quote(row['exposure_id'])}", EXPOSURE)
    [lines] = query(
        centre.url,
        "SELECT COUNT(*) AS n FROM obsportal.baseline AS b JOIN obsportal.exposure AS e"
        f" ON b.exposure_id=e.exposure_id WHERE e.target_id={row['target_id']} AND e.on_sky=1"
        " AND u_start IS NOT NULL",
    )
    faint = browser.evaluate("document.querySelector('#uv .track.faint').getAttribute('d')")
    assert faint.count("M") == 2 * int(lines["n"])


def test_what_a_log_lacks_is_said(browser: Browser, centre: Centre, odd: None) -> None:
    row = one(centre, f"header_id='{LACKING}'")
    assert row["quality_flags"]
    browser.open(f"{centre.url}/detail/exposure/{quote(row['exposure_id'])}", EXPOSURE)
    assert "not valid" in browser.text("#summary")
    assert "not usable" in browser.text("#validity")
    lacks = browser.evaluate(
        "Array.from(document.querySelectorAll('#lacks li'), (item) => item.textContent)"
    )
    # DaCHS' CSV has a backslash before each apostrophe.
    assert lacks == json.loads(row["validation_log"].replace("\\'", "'"))
    assert lacks
    flags = browser.evaluate(
        "Array.from(document.querySelectorAll('#flags dt'), (item) =>"
        " [item.textContent, item.nextElementSibling.textContent])"
    )
    assert [flag for flag, _ in flags] == row["quality_flags"].split()
    assert all(len(words) > 10 for _, words in flags)


def test_the_header_is_there_as_text(centre: Centre) -> None:
    row = one(
        centre,
        "instrument_name='GRAVITY' AND header_id IN"
        " (SELECT h.header_id FROM obsportal.header AS h WHERE h.header_url IS NOT NULL)",
    )
    answer = ask(f"{centre.url}/detail/header/{row['header_id']}")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "ESO OBS PROG ID" in answer.text
    assert ask(f"{centre.url}/detail/header/GRAVI.none").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "exposure/none", "exposure/", "exposure", "exposure/none.json", "target/0", "target/-1",
        "target/1e3", "target/99999999999999", "target/x", "header/none", "nothing", "",
        "exposure/%00", "exposure/%ff", "exposure/a%2Fb/c", "exposure/x'%20OR%20'1'='1",
        "exposure/%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(centre: Centre, path: str) -> None:
    answer = ask(f"{centre.url}/detail/{path}")
    assert answer.status == 404
    assert "<script>alert" not in answer.text


def test_a_head_request_ends_without_a_body(centre: Centre) -> None:
    row = one(centre, "on_sky=1")
    address = f"{centre.url}/detail/exposure/{quote(row['exposure_id'])}"
    answer = ask(address, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(ask(address).body)


def test_texts_of_headers_stay_texts(browser: Browser, centre: Centre, odd: None) -> None:
    row = one(centre, f"header_id='{PROBED}'")
    assert row["ob_name"] == PROBE
    browser.open(f"{centre.url}/detail/exposure/{row['exposure_id']}", EXPOSURE)
    assert PROBE in browser.text("#facts")
    browser.open(f"{centre.url}/detail/target/{row['target_id']}", TARGET)
    assert "probed" not in browser.evaluate("document.title")
    assert browser.evaluate("document.querySelector('main img')") is None
    check_clean(browser, centre)


def test_all_values_are_described(browser: Browser, centre: Centre) -> None:
    row = one(centre, "instrument_name='GRAVITY' AND validation_level=1")
    browser.open(f"{centre.url}/detail/exposure/{row['exposure_id']}", EXPOSURE)
    browser.click("#all summary")
    browser.wait("document.querySelector('#values tbody tr')")
    values = dict(
        browser.evaluate(
            "Array.from(document.querySelectorAll('#values tbody tr'), (row) =>"
            " [row.cells[0].innerText, row.cells[1].innerText])"
        )
    )
    assert values["exposure_id"] == row["exposure_id"]
    assert values["progid"] == row["progid"]
    check_clean(browser, centre)


# ---------------------------------------------------------------- one target


def test_a_target_shows_all_there_is_of_it(browser: Browser, centre: Centre) -> None:
    [target] = query(
        centre.url,
        "SELECT TOP 1 * FROM obsportal.target WHERE merged_into IS NULL ORDER BY n_exposures DESC",
    )
    number = target["target_id"]
    browser.open(f"{centre.url}/detail/target/{number}", TARGET)
    assert browser.text("h1") == target["target_name"]
    aliases = query(
        centre.url, f"SELECT alias FROM obsportal.target_alias WHERE target_id={number}"
    )
    names = browser.evaluate(
        "Array.from(document.querySelectorAll('#names span'), (name) => name.firstChild.data)"
    )
    assert sorted(names) == sorted(row["alias"] for row in aliases)
    counts = query(
        centre.url,
        "SELECT instrument_name, COUNT(*) AS n FROM obsportal.exposure"
        f" WHERE target_id={number} GROUP BY instrument_name",
    )
    shown = browser.evaluate(
        "Array.from(document.querySelectorAll('#instruments tbody tr'), (row) =>"
        " [row.cells[0].innerText, row.cells[1].innerText.replace(',', '')])"
    )
    assert sorted(shown) == sorted([row["instrument_name"], row["n"]] for row in counts)
    assert browser.evaluate("document.querySelectorAll('#uv .track').length") >= 1
    check_clean(browser, centre)
    for link in browser.evaluate(
        "Array.from(document.querySelectorAll('#links a'), (a) => a.href)"
    ):
        if link.startswith(centre.url):
            assert ask(link).status == 200, link


# ---------------------------------------------------------------- the search


@pytest.mark.parametrize(
    ("criteria", "condition"),
    [
        ({"instrument": "gravity"}, "instrument_name='GRAVITY'"),
        ({"interferometer": "CHARA"}, "facility_name='CHARA'"),
        ({"category": "calibrator"}, "dataproduct_category='CALIB'"),
        ({"category": "unknown"}, "dataproduct_category IS NULL"),
        ({"valid": "no", "interferometer": "VLTI"}, "validation_level=0 AND facility_name='VLTI'"),
        ({"from": "2019-01-01", "to": "2020-12-31"}, "night BETWEEN '2019-01-01' AND '2020-12-31'"),
        ({"target": "200.123 1.234"}, "1=0"),
        ({"target": "Nobody's star"}, "1=0"),
    ],
)
def test_criteria_select_what_they_say(
    browser: Browser, centre: Centre, criteria: dict[str, str], condition: str
) -> None:
    [expected] = query(
        centre.url, f"SELECT COUNT(*) AS n FROM obsportal.exposure WHERE {condition}"
    )
    number = int(expected["n"])
    found = search(browser, centre, **criteria)
    assert len(found) == min(number, 25)
    words = f"{number:,} exposure{'' if number == 1 else 's'}" if number else "Nothing found"
    assert browser.text("#count") == words
    check_clean(browser, centre)


@pytest.fixture(scope="module")
def known(centre: Centre) -> dict[str, str]:
    """A target with a programme, and few exposures."""
    return one(
        centre,
        "progid IS NOT NULL AND e.target_name LIKE '% %' AND e.target_id IN"
        " (SELECT t.target_id FROM obsportal.target AS t WHERE t.n_exposures BETWEEN 1 AND 20)",
    )


def test_a_target_is_found_by_place_name_number_and_programme(
    browser: Browser, centre: Centre, known: dict[str, str]
) -> None:
    rows = query(
        centre.url,
        f"SELECT exposure_id FROM obsportal.exposure WHERE target_id={known['target_id']}",
    )
    expected = {row["exposure_id"] for row in rows}
    for criteria in (
        {"ra": known["s_ra"], "dec": known["s_dec"], "radius": "1"},
        {"target": f"{known['s_ra']} {known['s_dec']}", "radius": "1"},
        {"target_id": known["target_id"]},
    ):
        assert set(search(browser, centre, **criteria)) == expected, criteria
    assert expected <= set(search(browser, centre, target=known["target_name"]))
    assert expected <= set(search(browser, centre, name=known["target_name"].replace(" ", "_")))
    found = search(browser, centre, program_id=known["progid"], order="target")
    programmes = query(
        centre.url,
        f"SELECT exposure_id FROM obsportal.exposure WHERE progid='{known['progid']}'",
    )
    assert set(found) <= {row["exposure_id"] for row in programmes}
    assert len(found) == min(len(programmes), 25)


def test_the_form_writes_an_address_that_can_be_shared(browser: Browser, centre: Centre) -> None:
    search(browser, centre)
    browser.wait("document.querySelector('select[name=instrument] optgroup[label=VLTI]')")
    browser.evaluate("document.querySelector('select[name=instrument]').value = 'PIONIER'")
    browser.click("#criteria button[type=submit]")
    browser.wait(SEARCHED)
    assert set(
        browser.evaluate(
            "Array.from(document.querySelectorAll('#rows tbody tr'),"
            " (row) => row.cells[2].innerText.split(/\\s/)[0])"
        )
    ) == {"PIONIER"}
    address = browser.evaluate("location.href")
    assert parse_qs(urlsplit(address).query) == {"instrument": ["PIONIER"]}
    adql = browser.evaluate("document.querySelector('#adql').textContent")
    [row] = query(centre.url, adql.replace("SELECT e.*", "SELECT TOP 1 e.instrument_name"))
    assert row["instrument_name"] == "PIONIER"
    exports = browser.evaluate(
        "Array.from(document.querySelectorAll('#exports a'), (link) => link.href)"
    )
    assert [parse_qs(urlsplit(link).query)["FORMAT"] for link in exports] == [
        ["votable/td"], ["csv"], ["json"],
    ]  # fmt: skip
    assert all(ask(link).status == 200 for link in exports)


@pytest.mark.parametrize(
    ("criteria", "sentence"),
    [
        ({"target": "110.5 -95"}, "is no position"),
        ({"target": "110.5 -25", "radius": "large"}, "The radius is a number of arcseconds"),
        ({"from": "yesterday"}, "is no date"),
        ({"order": "e.t_min; DROP TABLE x"}, "cannot be sorted by"),
        ({"category": "constructor"}, "There is no category"),
        ({"target_id": "1 OR 1=1"}, "is no number"),
        ({"target": "\\' OR 1=1 --"}, "Backslashes"),
        ({"program_id": "\\"}, "Backslashes"),
    ],
)
def test_what_cannot_be_searched_for_is_said(
    browser: Browser, centre: Centre, criteria: dict[str, str], sentence: str
) -> None:
    assert search(browser, centre, **criteria) == []
    assert sentence in browser.text("#trouble")
    check_clean(browser, centre)


@pytest.mark.parametrize("name", ["target", "instrument", "program_id", "name"])
@pytest.mark.parametrize("probe", ["<img src=x onerror=document.title='probed'>", "x' OR '1'='1"])
def test_probes_in_the_address_are_inert(
    browser: Browser, centre: Centre, name: str, probe: str
) -> None:
    assert search(browser, centre, **{name: probe}) == []
    assert browser.text("#count") == "Nothing found"
    assert "probed" not in browser.evaluate("document.title")
    assert browser.problems == []


def test_names_are_suggested_as_they_are_typed(centre: Centre, known: dict[str, str]) -> None:
    def suggested(begin: str) -> list[dict[str, Any]]:
        answer = ask(f"{centre.url}/detail/names.json?{urlencode({'begin': begin})}")
        assert answer.status == 200
        found: list[dict[str, Any]] = json.loads(answer.text)
        return found

    name = known["target_name"]
    number = int(known["target_id"])
    same = {row["target_id"] for row in suggested(name.replace(" ", "_").lower()) if row["same"]}
    assert number in same
    assert suggested(name[:3])
    assert all(row["alias"].upper().startswith(name[:3].upper()) for row in suggested(name[:3]))
    assert suggested("\0") == suggested("") == suggested("   ") == []


# ---------------------------------------------------------------- the numbers


def test_the_numbers_agree_with_each_other(browser: Browser, centre: Centre) -> None:
    numbers = json.loads(ask(f"{centre.url}/statistics.json").text)
    instruments = numbers["instruments"]
    assert numbers["exposures"] == sum(row["exposures"] for row in instruments) > 0
    assert numbers["exposures"] == sum(row[3] for row in numbers["modes"])
    assert numbers["exposures"] == sum(row[3] for row in numbers["months"])
    assert numbers["exposures"] == sum(row[3] for row in numbers["categories"])
    assert numbers["targets"] >= sum(row[2] for row in numbers["sky"]) > 0
    assert 0 < numbers["valid"] <= numbers["exposures"]
    assert all(0 < row["targets"] <= numbers["targets"] for row in instruments if row["last"])
    browser.open(f"{centre.url}/statistics", STATISTICS)
    text = browser.text("#numbers")
    assert f"{numbers['exposures']:,}" in text
    assert f"{100 * numbers['valid'] / numbers['exposures']:.2f} %" in text
    assert {row["instrument"] for row in instruments} == set(
        browser.evaluate(
            "Array.from(document.querySelectorAll('#instruments tbody tr'),"
            " (row) => row.cells[1].innerText)"
        )
    )
    bars = "document.querySelectorAll('#time .hover').length"
    years = browser.evaluate(bars)
    browser.click("#spans button[value='1']")
    assert browser.evaluate(bars) > 6 * years
    check_clean(browser, centre)


def test_home_tells_of_the_logs(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/", "document.querySelector('#logs a')")
    numbers = json.loads(ask(f"{centre.url}/statistics.json").text)
    assert f"{numbers['exposures']:,} exposures" in browser.text("#logs")


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/search", SEARCHED),
        ("/search?instrument=GRAVITY&interferometer=VLTI", SEARCHED),
        ("exposure", EXPOSURE),
        ("target", TARGET),
        ("/statistics", STATISTICS),
        ("/detail/exposure/none", "document.querySelector('site-footer a')"),
    ],
)
def test_pages_fit_a_phone(browser: Browser, centre: Centre, path: str, ready: str) -> None:
    row = one(centre, "instrument_name='GRAVITY' AND validation_level=1")
    address = {
        "exposure": f"/detail/exposure/{row['exposure_id']}",
        "target": f"/detail/target/{row['target_id']}",
    }.get(path, path)
    browser.resize(*PHONE)
    try:
        browser.open(f"{centre.url}{address}", ready)
        assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    finally:
        browser.resize(1200, 900)
