"""Publications: the loader, the pages, and the links from publications to data."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.live.browser import Browser
from tests.live.client import ask, query
from tests.live.conftest import CHECKOUT, Centre
from tests.live.test_pages import PHONE, check_clean

pytestmark = pytest.mark.live

DEMONSTRATION = CHECKOUT / "olbin" / "res" / "demonstration.csv"
HEAD, *ROWS = list(csv.reader(io.StringIO(DEMONSTRATION.read_text())))
COLLECTION, ARTICLE = "sim_vlti", "2021SIM.....1....1V"
#: Of measurements that are not of the demonstration.
MEASURED = "2001A&A...999..999Z"
#: What does harm where a text is taken for markup, even inside a script element.
PROBE = "</script><img src=x onerror=document.title='probed'> & <b>"


def _answer(centre: Centre, **criteria: str) -> dict[str, Any]:
    answer = ask(f"{centre.url}/publications.json?{urlencode(criteria)}")
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return dict(json.loads(answer.body))


def _tags(row: list[str]) -> set[str]:
    """The tags of a row of the demonstration."""
    return {tag for cell in row[1:-2] for tag in cell.split(",") if tag}


@pytest.fixture
def measurements(centre: Centre) -> Iterator[None]:
    """Three measurements of two stars in JMDC, of one publication; one is no longer current."""
    star = (
        "INSERT INTO jmdc.star (star_id, star_name, identity_flags, n_measurements)"
        " VALUES ({0}, 'SIM LINK {0}', '', 1);"
    )
    row = (
        "INSERT INTO jmdc.stored_measurement (measurement_id, version, id1, bibcode, sinpe,"
        " star_id, quality_flags, validation_log, is_current, created, ud_diam)"
        " VALUES ({0}, 1, 'SIM LINK', '{1}', 0, {2}, '', '[]', {3}, now(), 1.25);"
    )
    statements = [
        star.format(990001), star.format(990002), row.format(990001, MEASURED, 990001, 1),
        row.format(990002, MEASURED, 990002, 1), row.format(990003, MEASURED, 990002, 0),
        row.format(990004, "." * 19, 990002, 1),
    ]  # fmt: skip
    centre.succeed("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", "".join(statements))
    yield
    clear = "DELETE FROM jmdc.{} WHERE star_id >= 990001;"
    centre.succeed("psql", "-XAtqc", clear.format("stored_measurement") + clear.format("star"))


# ---------------------------------------------------------------- the loader


def test_the_tables_hold_the_file(centre: Centre) -> None:
    stored = query(centre.url, "SELECT * FROM olbin.publication")
    assert {row["bibcode"]: row["title"] for row in stored} == {
        row[0]: row[HEAD.index("TITLE")] for row in ROWS
    }
    assert all(row["bibcode"].startswith(row["pub_year"]) for row in stored)
    tags = query(centre.url, "SELECT bibcode, category, tag FROM olbin.tag")
    names = {"JMMC" if name == "HIDDEN" else name.replace("_", " ").capitalize() for name in HEAD}
    assert {row["category"] for row in tags} < names
    found: dict[str, set[str]] = {row[0]: set() for row in ROWS}
    for row in tags:
        found[row["bibcode"]].add(row["tag"])
    assert found == {row[0]: _tags(row) for row in ROWS}


def test_an_export_replaces_the_list_and_a_second_one_nothing(
    centre: Centre, tmp_path: Path
) -> None:
    def state() -> list[dict[str, str]]:
        return query(centre.url, "SELECT * FROM olbin.publication ORDER BY bibcode")

    before = state()
    path = tmp_path / "olbin.csv"
    try:
        # Without titles, one publication gone, one new, another facility for one.
        path.write_text(
            "BIBCODE,FACILITY\n"
            + "".join(f'{row[0]},"{row[3]}"\n' for row in ROWS[2:])
            + f'{ROWS[1][0]},"NPOI"\n2026SIM.....9....9X,"VLTI"\n'
        )
        said = centre.succeed("ingest", "olbin", str(path))
        # All others have lost their other tags, but for those that had none.
        lost = sum(_tags(row) != set(row[3].split(",")) - {""} for row in ROWS[2:])
        assert said.startswith(f"{len(ROWS)} publications: 1 new, {lost + 1} changed,")
        assert said.endswith(" 1 removed\n")
        after = {row["bibcode"]: row for row in state()}
        assert ROWS[0][0] not in after
        assert after[ROWS[1][0]]["title"] == ROWS[1][-1]
        assert after["2026SIM.....9....9X"]["title"] == ""
        again = centre.succeed("ingest", "olbin", str(path))
        assert again.startswith(f"{len(ROWS)} publications: 0 new, 0 changed, {len(ROWS)} unch")
    finally:
        centre.succeed("ingest", "olbin", str(DEMONSTRATION))
    assert [
        {name: value for name, value in row.items() if name != "updated"} for row in state()
    ] == [{name: value for name, value in row.items() if name != "updated"} for row in before]


def test_a_file_with_a_mistake_changes_nothing(centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "olbin.csv"
    path.write_text('BIBCODE,FACILITY\n2026SIM.....9....9X,"VLTI"\n2026SIM,"VLTI"\n')
    result = centre.jmmc("ingest", "olbin", str(path))
    assert result.returncode == 1
    assert result.stderr == "jmmc: olbin.csv: line 3: '2026SIM' is no bibcode\n"
    assert _answer(centre)["total"] == len(ROWS)
    assert not _answer(centre, text="2026SIM.....9")["total"]


# ---------------------------------------------------------------- the list


@pytest.mark.parametrize(
    "criteria",
    [
        {},
        {"tag": "VLTI"},
        {"tag": "VLTI,K"},
        {"tag": "VLTI, Binaries ,K"},
        {"tag": "no such tag"},
        {"from": "2020"},
        {"from": "2012", "to": "2014", "tag": "VLTI"},
        {"text": "disk"},
        {"text": "DISK", "tag": "MATISSE"},
        {"text": "sim.....1"},
        {"text": "'; DROP TABLE olbin.tag; --"},
    ],
)
def test_the_list_finds_what_the_file_says(centre: Centre, criteria: dict[str, str]) -> None:
    wanted = {tag.strip() for tag in criteria.get("tag", "").split(",")} - {""}
    expected = [
        row for row in ROWS
        if wanted <= _tags(row)
        and int(criteria.get("from", 0)) <= int(row[0][:4]) <= int(criteria.get("to", 9999))
        and criteria.get("text", "").lower() in f"{row[-1]} {row[0]} SIM".lower()
    ]  # fmt: skip
    found = _answer(centre, **criteria)
    rows = found["rows"] or []
    assert found["total"] == len(expected) == len(rows)
    assert {row["bibcode"] for row in rows} == {row[0] for row in expected}
    assert [row["pub_year"] for row in rows] == sorted(
        (row["pub_year"] for row in rows), reverse=True
    )
    assert dict(found["years"] or []) == Counter(int(row[0][:4]) for row in expected)
    counted = Counter(tag for row in expected for tag in _tags(row))
    assert {tag: number for _, tag, number in found["tags"] or []} == counted


@pytest.mark.parametrize(
    ("criteria", "words"),
    [
        ("from=x", "from must be a number"),
        ("page=0", "page must be a whole number"),
        ("data=badcal", "data must be oidb or jmdc"),
        ("tag=VLTI&tag=K", "tag is given more than once"),
        ("text=%00", "control character"),
    ],
)
def test_the_list_says_what_is_wrong(centre: Centre, criteria: str, words: str) -> None:
    answer = ask(f"{centre.url}/publications.json?{criteria}")
    assert answer.status == 400
    assert words in answer.text


def test_a_page_beyond_the_last_one_is_empty(centre: Centre) -> None:
    found = _answer(centre, page="2147483647")
    assert (found["rows"], found["total"]) == (None, len(ROWS))


# ---------------------------------------------------------------- links to data


def _links(centre: Centre) -> list[dict[str, Any]]:
    answer = ask(f"{centre.url}/jmmc/publications/links/biblinks.json")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    return list(json.loads(answer.body))


@pytest.mark.usefixtures("measurements")
def test_bibliographic_services_get_the_links(centre: Centre) -> None:
    """The keys are those of the IVOA note Bibliographic Interfaces in the VO, section 3.1."""
    links = _links(centre)
    for link in links:
        assert {"bib-ref", "relationship", "dataset-ref"} <= set(link)
        assert set(link) <= {"bib-ref", "relationship", "dataset-ref", "cardinality"}
        assert len(link["bib-ref"]) == 19
        assert link["relationship"] == "IsSupplementedBy"
    [files] = query(
        centre.url, f"SELECT COUNT(*) AS n FROM oidb.file WHERE obs_collection='{COLLECTION}'"
    )
    by_article = {link["bib-ref"]: link for link in links}
    assert len(by_article) == len(links)
    assert by_article[ARTICLE]["cardinality"] == int(files["n"]) > 0
    assert by_article[MEASURED]["cardinality"] == 2
    assert "." * 19 not in by_article
    for article in (ARTICLE, MEASURED):
        assert ask(by_article[article]["dataset-ref"]).status == 200
    assert COLLECTION in by_article[ARTICLE]["dataset-ref"]


def test_a_collection_that_gets_an_article_is_linked_at_once(centre: Centre) -> None:
    change = "UPDATE oidb.collection SET bib_reference={} WHERE obs_collection='sim_private'"
    centre.succeed("psql", "-XAtqc", change.format("'2027SIM.....1....1P'"))
    try:
        assert "2027SIM.....1....1P" in {link["bib-ref"] for link in _links(centre)}
    finally:
        centre.succeed("psql", "-XAtqc", change.format("NULL"))
    assert "2027SIM.....1....1P" not in {link["bib-ref"] for link in _links(centre)}


@pytest.mark.parametrize("other", ["10.1051/0004-6361/202", "2027SIM", "2027SIM.....1....1PX"])
def test_what_is_no_bibcode_is_linked_to_nothing(centre: Centre, database: Any, other: str) -> None:
    change = "UPDATE oidb.collection SET bib_reference=%s WHERE obs_collection='sim_private'"
    database.execute(change, (other,))
    try:
        assert other not in {link["bib-ref"] for link in _links(centre)}
        database.execute("SELECT COUNT(*) FROM jmmc.publication_link WHERE entry = 'sim_private'")
        assert database.fetchone() == (0,)
    finally:
        database.execute(change, (None,))


@pytest.mark.usefixtures("measurements")
def test_links_are_in_adql_and_on_the_pages(centre: Centre) -> None:
    rows = query(
        centre.url,
        "SELECT l.data_set, l.number_of_links FROM olbin.publication AS p"
        " JOIN jmmc.publication_link AS l USING (bibcode)"
        f" WHERE p.bibcode='{ARTICLE}' AND l.entry='{COLLECTION}'",
    )
    [listed] = _answer(centre, text=ARTICLE)["rows"]
    assert listed["links"] == [["oidb", int(rows[0]["number_of_links"])]]
    assert {row["bibcode"] for row in _answer(centre, data="oidb")["rows"]} >= {ARTICLE}
    # A publication that Olbin does not have has a page as well.
    page = ask(f"{centre.url}/publications/{quote(MEASURED)}.json")
    found = json.loads(page.body)
    assert (found["publication"], found["links"][0]["number_of_links"]) == (None, 2)
    assert ask(f"{centre.url}/publications/2001A%26A...999..999Y").status == 404
    assert ask(f"{centre.url}/publications/%00").status == 404


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


LIST = "!document.querySelector('#results').hidden"
ONE = "!document.querySelector('#publication').hidden"
TITLES = (
    "Array.from(document.querySelectorAll('#rows tbody tr'),"
    " (row) => row.cells[1].querySelector('a').innerText)"
)


def test_the_list_in_a_browser(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/publications?tag=VLTI,Imaging", LIST)
    expected = {row[-1] for row in ROWS if {"VLTI", "Imaging"} <= _tags(row)}
    assert set(browser.evaluate(TITLES)) == expected
    assert browser.text("#count") == f"{len(expected)} publications of {len(ROWS)}"
    check_clean(browser, centre)
    # Another choice in the form; the years and the other tags stay.
    browser.evaluate(
        "(() => { const select = document.querySelector('#tags select[aria-label=Instrument]');"
        " select.value = 'MATISSE'; select.dispatchEvent(new Event('change')); })()"
    )
    browser.wait("location.search.includes('MATISSE') && " + LIST)
    assert set(browser.evaluate(TITLES)) == {
        row[-1] for row in ROWS if {"VLTI", "Imaging", "MATISSE"} <= _tags(row)
    }


def test_a_publication_in_a_browser(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/publications/{ARTICLE}", ONE)
    assert browser.text("h1") == ROWS[0][-1]
    assert "VLTI" in browser.text("#tags")
    links = browser.evaluate("Array.from(document.querySelectorAll('main a'), (link) => link.href)")
    assert f"https://ui.adsabs.harvard.edu/abs/{ARTICLE}" in links
    assert f"{centre.url}/static/oidb.html?collection={COLLECTION}" in links
    check_clean(browser, centre)


@pytest.mark.usefixtures("measurements")
def test_diameters_of_a_publication_in_a_browser(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/publications/{quote(MEASURED)}", ONE)
    browser.wait("document.querySelectorAll('#jmdc tbody tr').length === 2")
    assert "SIM LINK 990001" in browser.text("#jmdc")
    assert "1.25" in browser.text("#jmdc")


def test_titles_are_text(browser: Browser, centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "olbin.csv"
    path.write_text(f'BIBCODE,TECHNIQUE,TITLE\n{ARTICLE},"{PROBE}","{PROBE}"\n')
    try:
        centre.succeed("ingest", "olbin", str(path))
        browser.open(f"{centre.url}/publications", LIST)
        assert browser.evaluate(TITLES) == [PROBE]
        assert PROBE in browser.text("#rows .names")
        browser.open(f"{centre.url}/publications/{ARTICLE}", ONE)
        assert browser.text("h1") == PROBE
        assert "probed" not in browser.evaluate("document.title").replace(PROBE, "")
    finally:
        centre.succeed("ingest", "olbin", str(DEMONSTRATION))


def test_the_list_on_a_phone(browser: Browser, centre: Centre) -> None:
    browser.resize(*PHONE)
    browser.open(f"{centre.url}/publications", LIST)
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
