"""The pages of JMDC, as people meet them in a browser: list, star, changes, form, queue."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.live import handed_in
from tests.live.browser import Browser
from tests.live.client import User, ask, query
from tests.live.conftest import Centre
from tests.live.handed_in import EDITOR, SUBMITTER, Jmdc, fields
from tests.live.test_pages import PHONE, SEARCHED, check_clean

pytestmark = pytest.mark.live

STAR = "document.querySelector('#elsewhere').ariaBusy === 'false'"
CHANGES = "!document.querySelector('#changes').hidden"
FORM = "document.querySelector('#entry').dataset.ready"
LIST = "document.querySelector('#list').dataset.ready"
#: What does harm where a text is taken for markup, even inside a script element.
PROBE = "</script><img src=x onerror=document.title=`probed`>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless browser of somebody without an account, closed at the end."""
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def jmdc(centre: Centre) -> Iterator[Jmdc]:
    """JMDC with its users; as before afterwards."""
    with handed_in.users(centre) as made:
        yield made


@pytest.fixture
def of_user(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Any]:
    """Makes browsers in which a user has logged in."""
    made: list[Browser] = []

    def make(jmdc: Jmdc, user: User) -> Browser:
        browser = Browser(tmp_path_factory.mktemp("chromium"))
        made.append(browser)
        browser.user = user
        browser.open(f"{jmdc.centre.url}/login?next=/user.json", "document.body.innerText")
        assert user.name in browser.text("body")
        return browser

    yield make
    for browser in made:
        browser.close()


def fill_in(browser: Browser, values: dict[str, Any]) -> None:
    """Types values into the form."""
    browser.evaluate(
        f"Object.entries({json.dumps(values)}).forEach(([name, value]) => {{"
        " const field = document.querySelector('#entry').elements[name];"
        " field.value = value;"
        " field.dispatchEvent(new Event('input', {bubbles: true})); })"
    )


def said_at(browser: Browser, name: str) -> str:
    """What the form says of a field."""
    return str(
        browser.evaluate(
            f"document.querySelector('#entry').elements['{name}'].closest('label')"
            ".querySelector('.problems')?.innerText ?? ''"
        )
    )


# ---------------------------------------------------------------- list


@pytest.mark.parametrize(
    ("criteria", "condition"),
    [
        ({}, ""),
        ({"star": "sim ud_1"}, "WHERE star_name='SIM UD 1'"),
        ({"star": "Sim LD*"}, "WHERE star_name LIKE 'SIM LD%'"),
        ({"star": "110.5 -25.2", "radius": "5"}, "WHERE star_name='SIM UD 1'"),
        ({"band": "K"}, "WHERE bandcode=8 OR band='K''' OR band='2.2mu'"),
        ({"method": "2"}, "WHERE method=2"),
        ({"from": "2012", "to": "2013"}, "WHERE bibcode LIKE '2012%' OR bibcode LIKE '2013%'"),
        ({"bibcode": "2014SIM*"}, "WHERE bibcode LIKE '2014SIM%'"),
        ({"flags": "any"}, "WHERE quality_flags<>''"),
        ({"flags": "corrected"}, "WHERE correction IS NOT NULL"),
        ({"flags": "ld_is_factor"}, "WHERE quality_flags='ld_is_factor'"),
        ({"release": "2024-01-15"}, None),
    ],
)
def test_the_list_finds_what_the_tables_have(
    browser: Browser, centre: Centre, criteria: dict[str, str], condition: str | None
) -> None:
    adql = (
        f"SELECT measurement_id FROM jmdc.measurement {condition}" if condition is not None
        else "SELECT measurement_id FROM jmdc.released WHERE release='2024-01-15'"
    )  # fmt: skip
    expected = sorted(row["measurement_id"] for row in query(centre.url, adql))
    assert expected
    browser.open(f"{centre.url}/jmdc/?{urlencode(criteria)}", SEARCHED)
    assert browser.text("#count").startswith(f"{len(expected)} measurement")
    assert browser.evaluate("document.querySelectorAll('#rows tbody tr').length") == len(expected)
    # What the page says in ADQL gives the same, and so does the file.
    found = query(centre.url, browser.text("#adql") or browser.evaluate(
        "document.querySelector('#adql').textContent"))  # fmt: skip
    assert sorted(row["measurement_id"] for row in found) == expected
    link = browser.evaluate("document.querySelector('#exports a').href")
    rows = list(csv.DictReader(io.StringIO(ask(link).text)))
    shown = [(row["id1"], row["bibcode"], row["ud_diam"]) for row in found]
    assert sorted((row["ID1"], row["BIBCODE"], row["UD_DIAM"]) for row in rows) == sorted(shown)
    check_clean(browser, centre)


def test_the_list_is_sorted_and_turned_by_its_links(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/jmdc/?flags=none", SEARCHED)
    browser.click("#rows thead th:nth-child(2) a")
    browser.wait("location.search.includes('order=diameter') && " + SEARCHED)
    column = (
        "Array.from(document.querySelectorAll('#rows tbody tr'), (row) => row.cells[%d].innerText)"
    )
    ld, ud = browser.evaluate(column % 1), browser.evaluate(column % 2)
    values = [float(one if one != "–" else other) for one, other in zip(ld, ud, strict=True)]
    assert values == sorted(values)
    browser.click("#rows thead th:nth-child(2) a")
    browser.wait("location.search.includes('order=-diameter') && " + SEARCHED)
    sorted_by = browser.evaluate(
        "Array.from(document.querySelectorAll('#rows th[aria-sort]'),"
        " (head) => [head.ariaSort, head.innerText])"
    )
    assert sorted_by == [["descending", "Limb-darkened ↓"]]
    assert float(browser.evaluate(column % 1)[0]) == max(values)
    check_clean(browser, centre)


@pytest.mark.parametrize(
    "query_string",
    [
        "band=X", "band=KH", "method=x", "from=soon", "order=nothing", "page=0", "ra=1",
        "ra=x&dec=1", "radius=-1&ra=1&dec=1", "star=%00", "bibcode=%5C", "star=a&star=b",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(centre: Centre, query_string: str) -> None:
    for page in ("rows.json", "measurements.csv"):
        answer = ask(f"{centre.url}/jmdc/{page}?{query_string}")
        assert answer.status == 400
        assert answer.text.endswith(".\n")


@pytest.mark.parametrize(
    "path",
    [
        "star/", "star", "star/nobody", "star/0", "star/99999999999", "star/%00", "star/%ff",
        "star/x'%20OR%20'1'='1", "star/nobody.json", "changes?from=x", "changes?to=x", "changes/x",
        "rows.json/x", "queue/x", "nothing",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(centre: Centre, path: str) -> None:
    assert ask(f"{centre.url}/jmdc/{path}").status == 404


def test_the_folder_leads_on(centre: Centre) -> None:
    answer = ask(f"{centre.url}/jmdc?band=K")
    assert answer.status in (301, 302, 303, 307)
    assert answer.headers["location"].endswith("/jmdc/?band=K")
    # The services of the RD are still there, and read what is posted to them.
    assert ask(f"{centre.url}/jmdc/q/cone/form").status == 200
    cone = ask(
        f"{centre.url}/jmdc/q/cone/scs.xml",
        data={"RA": "110.5", "DEC": "-25.2", "SR": "0.1", "RESPONSEFORMAT": "votabletd"},
    )
    assert "<TD>SIM UD 1</TD>" in cone.text


# ---------------------------------------------------------------- star, changes


@pytest.mark.parametrize("name", ["SIM UD 1", "sim_ud1", "SIM LD 1", "SIM BIN 1", "SIM NOWHERE 1"])
def test_a_star_shows_all_its_measurements(browser: Browser, centre: Centre, name: str) -> None:
    browser.open(f"{centre.url}/jmdc/star/{quote(name)}", STAR)
    title = browser.text("h1")
    assert title.replace(" ", "").lower() == name.replace(" ", "").replace("_", "").lower()
    rows = query(centre.url, f"SELECT * FROM jmdc.measurement WHERE star_name='{title}'")
    assert rows
    assert browser.evaluate("document.querySelectorAll('#rows tbody tr').length") == len(rows)
    points = sum(
        bool(row["wavelength_min"])
        * (
            (row[f"{kind}_diam"] != "")
            + (row[f"corrected_{kind}_diam"] not in ("", row[f"{kind}_diam"]))
        )
        for row in rows
        for kind in ("ud", "ld")
    )
    assert browser.evaluate("document.querySelectorAll('#diameters svg .mark').length") == points
    flagged = browser.evaluate("document.querySelectorAll('#diameters svg .wrong').length")
    assert bool(flagged) == any(row["quality_flags"] for row in rows if row["wavelength_min"])
    for row in rows:
        line = browser.text(f"#m{row['measurement_id']}")
        for value in (row["ud_diam"], row["ld_diam"], row["bibcode"], row["quality_flags"]):
            assert value in line
    check_clean(browser, centre)


def test_a_star_tells_what_the_other_data_sets_have(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/jmdc/star/SIM%20UD%201", STAR)
    words = browser.evaluate(
        "Array.from(document.querySelectorAll('#elsewhere dd'), (place) => place.innerText)"
    )
    [target] = query(centre.url, "SELECT * FROM obsportal.target WHERE target_name='SIM UD 1'")
    [granules] = query(
        centre.url, "SELECT COUNT(*) AS n FROM oidb.granule WHERE target_name='SIM UD 1'"
    )
    [computed] = query(centre.url, "SELECT * FROM jsdc.star WHERE name='SIM UD 1'")
    assert words[0] == f"SIM UD 1, {target['n_exposures']} exposures"
    assert words[1] == f"{granules['n']} granules"
    assert f"limb-darkened {float(computed['ldd']):.4g} " in words[2]
    links = browser.evaluate(
        "Array.from(document.querySelectorAll('#elsewhere a'), (link) => link.href)"
    )
    assert all(ask(link).status == 200 for link in links)
    assert f"/detail/target/{target['target_id']}" in urlsplit(links[0]).path


def test_changes_are_those_of_the_table(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/jmdc/changes?from=2024-01-15&to=2025-02-20", CHANGES)
    rows = query(centre.url, "SELECT * FROM jmdc.change WHERE release='2025-02-20'")
    shown = browser.evaluate(
        "Array.from(document.querySelectorAll('#rows tbody tr'), (row) =>"
        " [row.cells[0].innerText, row.cells[1].innerText])"
    )
    assert sorted(map(tuple, shown)) == sorted((row["kind"], row["id1"]) for row in rows)
    assert "1 changed, 1 removed" in browser.text("#summary")
    assert "E_LD_DIAM 0.018 0.03" in browser.text("#rows")
    # The other way round what was added is removed.
    back = json.loads(ask(f"{centre.url}/jmdc/changes.json?from=2025-02-20&to=2024-01-15").body)[
        "changes"
    ]
    assert len(back) == len(rows)
    assert sum(new is None for _, _, new in back) == sum(row["kind"] == "added" for row in rows)
    same = ask(f"{centre.url}/jmdc/changes.json?from=2024-01-15&to=2024-01-15")
    assert json.loads(same.body)["changes"] == []
    check_clean(browser, centre)


@pytest.mark.parametrize("page", ["", "star/SIM%20LD%201", "changes", "submit", "submissions"])
def test_pages_fit_on_a_phone(browser: Browser, centre: Centre, page: str) -> None:
    browser.resize(*PHONE)
    try:
        ready = {"": SEARCHED, "changes": CHANGES, "submit": FORM, "submissions": LIST}
        browser.open(f"{centre.url}/jmdc/{page}", ready.get(page, STAR))
        assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    finally:
        browser.resize(1200, 900)


# ---------------------------------------------------------------- handing in, deciding


def test_without_an_account_the_form_checks_and_says_how_to_log_in(
    browser: Browser, centre: Centre, jmdc: Jmdc
) -> None:
    browser.open(f"{centre.url}/jmdc/submit?id1=SIM%20UD%201", FORM)
    link = browser.evaluate("document.querySelector('#who a').href")
    assert parse_qs(urlsplit(link).query)["next"] == ["/jmdc/submit?id1=SIM%20UD%201"]
    assert "7 measurements of SIM UD 1" in browser.text("#star")
    # Nothing is said of what nobody has come to yet.
    assert browser.evaluate("document.querySelectorAll('#entry .problems').length") == 0
    fill_in(browser, {"ud_diam": "1.76", "ld_diam": "1.21"})
    browser.wait("document.querySelector('#entry .problems')")
    assert "limb darkening makes it larger" in said_at(browser, "ud_diam")
    assert browser.evaluate("document.querySelector('#entry button').hidden")
    for page in ("submissions", "queue"):
        browser.open(f"{centre.url}/jmdc/{page}", LIST)
        assert "An account is needed" in browser.text("#who")
        assert browser.text("#list") == ""
    check_clean(browser, centre)


def test_from_the_form_through_the_queue_to_the_star(
    browser: Browser, jmdc: Jmdc, of_user: Any
) -> None:
    url = jmdc.centre.url
    mine = of_user(jmdc, SUBMITTER)
    mine.open(f"{url}/jmdc/submit", FORM)
    values = fields(id1="SIM UD 2", id2=PROBE[9:37], notes=PROBE, ud_diam=0.68, ld_diam=7)
    fill_in(mine, values)
    mine.wait("document.querySelector('#entry .problems')")
    mine.click("#entry button[type=submit]")
    mine.wait("document.querySelector('#state').innerText.includes('put right')")
    assert "why it is right" in said_at(mine, "words")
    fill_in(mine, {"ld_diam": "0.69", "words": PROBE})
    mine.wait("document.querySelector('#state').innerText === 'This can be handed in.'")
    mine.click("#entry button[type=submit]")
    mine.wait(f"location.pathname === '/jmdc/submissions' && {LIST}")
    assert "waits for an editor" in mine.text("#list")
    assert PROBE in mine.text("#list blockquote")
    number = int(mine.evaluate("document.querySelector('.submission').id.slice(1)"))

    editor, other = of_user(jmdc, EDITOR), of_user(jmdc, handed_in.OTHER_EDITOR)
    place = f"#s{number}"
    for one in (editor, other):
        one.open(f"{url}/jmdc/queue", f"{LIST} && document.querySelector('{place}')")
    assert PROBE in editor.text(place)
    editor.click(f"{place} button[data-deed=ask]")
    assert "Say something" in editor.text(f"{place} .message")
    editor.evaluate(f"document.querySelector('{place} textarea').value = 'Is it?'")
    editor.click(f"{place} button[data-deed=ask]")
    editor.wait(f"document.querySelector('{place} .badge').innerText === 'asked'")
    # The other one still sees what was there before, and is told.
    other.click(f"{place} button[data-deed=accept]")
    other.wait(f"document.querySelector('{place} .message')?.innerText.includes('meanwhile')")
    other.click(f"{place} .message button")
    other.wait(f"document.querySelector('{place} .badge').innerText === 'asked'")
    assert "Is it?" in other.text(place)

    mine.open(f"{url}/jmdc/submissions", LIST)
    assert "waits for your answer" in mine.text(place)
    mine.click(f"{place} .actions a")
    mine.wait(FORM)
    assert "Is it?" in mine.text("#standing")
    assert mine.evaluate("document.querySelector('#entry').elements.notes.value") == PROBE
    fill_in(mine, {"words": "It is."})
    mine.click("#entry button[type=submit]")
    mine.wait(f"location.pathname === '/jmdc/submissions' && {LIST}")
    other.open(f"{url}/jmdc/queue", f"{LIST} && document.querySelector('{place}')")
    other.click(f"{place} button[data-deed=accept]")
    other.wait(f"document.querySelector('{place} .badge').innerText === 'accepted'")

    browser.open(f"{url}/jmdc/star/SIM%20UD%202", STAR)
    assert PROBE in browser.text("#rows")
    browser.open(f"{url}/jmdc/?star=SIM%20UD%202", SEARCHED)
    assert PROBE in browser.text("#rows")
    browser.open(f"{url}/jmdc/changes?from=2025-02-20&to=today", CHANGES)
    assert "1 added" in browser.text("#summary")
    for one in (browser, mine, editor, other):
        assert one.evaluate("document.querySelector('main img')") is None
        assert "probed" not in one.evaluate("document.title")
    for one in (browser, mine, editor):
        assert one.problems == []


def test_a_correction_begins_with_what_stands(jmdc: Jmdc, of_user: Any) -> None:
    url = jmdc.centre.url
    [row] = query(url, "SELECT * FROM jmdc.measurement WHERE quality_flags='ld_below_ud'")
    mine = of_user(jmdc, SUBMITTER)
    mine.open(f"{url}/jmdc/submit?corrects={row['measurement_id']}", FORM)
    entry = "document.querySelector('#entry').elements"
    for name in ("id1", "bibcode", "ud_diam", "ld_diam", "band", "bandcode", "notes"):
        assert mine.evaluate(f"{entry}.{name}.value") == row[name]
    fill_in(mine, {"ld_diam": "12.01", "words": "A misprint."})
    mine.wait("document.querySelector('#state').innerText === 'This can be handed in.'")
    mine.click("#entry button[type=submit]")
    mine.wait(f"location.pathname === '/jmdc/submissions' && {LIST}")
    mine.click(".submission details summary")
    changed = mine.evaluate(
        "Array.from(document.querySelector('.submission').querySelectorAll('.changed'),"
        " (line) => Array.from(line.cells, (cell) => cell.innerText))"
    )
    assert changed == [["Limb-darkened (mas)", row["ld_diam"], "12.01"]]
    mine.click(".submission > details:last-child summary")
    mine.click(".submission button[data-deed=withdraw]")
    mine.wait("document.querySelector('.submission .badge').innerText === 'withdrawn'")
    assert mine.problems == []
