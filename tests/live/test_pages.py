"""The pages, as people meet them in a browser."""

from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import urlopen

import pytest

from tests.live.browser import Browser
from tests.live.client import User, ask, query
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

#: Has arrived when the search has ended, and all of it is drawn or a message is there.
SEARCHED = "document.querySelector('#results').ariaBusy === 'false'"
SHOWN = (
    "!document.querySelector('#granule').hidden && document.querySelector('#validation').innerText"
)
PHONE = (390, 844)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


def search(browser: Browser, centre: Centre, **criteria: str) -> list[str]:
    """Names of the files in the rows that a search shows."""
    browser.open(f"{centre.url}/static/oidb.html?{urlencode(criteria)}", SEARCHED)
    return list(
        browser.evaluate(
            "Array.from(document.querySelectorAll('#rows tbody tr'),"
            " (row) => row.lastElementChild.firstElementChild.innerText)"
        )
    )


def granule_page(centre: Centre, condition: str) -> str:
    """Address of the page of the first granule that fulfils a condition."""
    rows = query(
        centre.url,
        "SELECT obs_publisher_did FROM oidb.granule AS g JOIN oidb.file AS f"
        f" ON g.file_id=f.file_id WHERE {condition} ORDER BY granule_id",
    )
    return f"{centre.url}/static/granule.html?id={quote(rows[0]['obs_publisher_did'], safe='')}"


#: Two granules of the demonstration.
GRAVITY = (
    "g.obs_collection='sim_vlti' AND file_name='gravity_bin1.fits' AND instrument_name='GRAVITY'"
)
PRIVATE = "g.obs_collection='sim_private' AND g.instrument_name='PIONIER'"


def pictures(browser: Browser) -> list[list[object]]:
    """Caption and width in pixels of each plot that has been loaded."""
    return list(
        browser.evaluate(
            "Array.from(document.querySelectorAll('#plots figure:has(img)'), (figure) =>"
            " [figure.innerText.trim(), figure.querySelector('img').naturalWidth])"
        )
    )


def check_clean(browser: Browser, centre: Centre) -> None:
    """Nothing in the console, and nothing asked of any other server."""
    assert browser.problems == []
    assert {f"http://{urlsplit(url).netloc}" for url in browser.requests} == {centre.url}


def test_home_counts_what_the_tables_hold(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/", "document.querySelector('#instruments tbody')")
    [totals] = query(
        centre.url,
        "SELECT COUNT(*) AS granules, COUNT(DISTINCT target_name) AS targets FROM oidb.granule",
    )
    assert browser.text("#totals").startswith(
        f"{totals['granules']} granules of {totals['targets']} targets"
    )
    [pionier] = query(
        centre.url, "SELECT COUNT(*) AS n FROM oidb.granule WHERE instrument_name='PIONIER'"
    )
    rows = browser.evaluate(
        "Array.from(document.querySelectorAll('#instruments tbody tr'), (row) =>"
        " [row.cells[1].innerText, row.cells[2].innerText])"
    )
    assert ["PIONIER", str(pionier["n"])] in rows
    assert f"{centre.url}/tap" in browser.text("main")
    assert browser.evaluate("document.querySelector('dl.services dt')") is not None
    check_clean(browser, centre)


def test_home_leads_to_the_search(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/", "document.querySelector('#instruments tbody')")
    browser.evaluate("document.querySelector('input[name=name]').value = 'SIM UD 1'")
    browser.click("form.search button")
    browser.wait("location.pathname === '/star' && !document.querySelector('#star').hidden")
    browser.click("#granules .actions a")
    browser.wait(f"location.pathname === '/static/oidb.html' && ({SEARCHED})")
    assert "SIM UD 1" in browser.text("#rows")


def test_links_of_the_header_lead_somewhere(browser: Browser, centre: Centre) -> None:
    browser.open(f"{centre.url}/", "document.querySelector('site-header nav a')")
    links = browser.evaluate(
        "Array.from(document.querySelectorAll('site-header a, main a'), (link) => link.href)"
    )
    ours = {link.partition("#")[0] for link in links if link.startswith(centre.url)}
    assert len(ours) > 5
    for link in sorted(ours):
        with urlopen(link, timeout=30) as answer:  # raises an error unless it is found
            assert answer.headers["content-type"].startswith("text/html"), link


@pytest.mark.parametrize(
    "criteria",
    [
        {"target": "SIM UD 1"},
        {"target": "sim_ud 1", "radius": "0.5"},
        {"target": "110.5 -25.2"},
        {"target": "07 22 00 -25 12 00"},
        {"target": "7h22m00.0s −25d12m00s"},
        {"target": "07:22:02 -25:12:00", "radius": "1"},
    ],
)
def test_a_target_is_found_by_name_and_place(
    browser: Browser, centre: Centre, criteria: dict[str, str]
) -> None:
    expected = query(
        centre.url,
        "SELECT file_name FROM oidb.granule AS g JOIN oidb.file AS f ON g.file_id=f.file_id"
        " WHERE target_name='SIM UD 1'",
    )
    found = search(browser, centre, **criteria)
    assert sorted(found) == sorted(row["file_name"] for row in expected)
    assert browser.evaluate("document.querySelectorAll('#uv .point').length") > 50
    assert browser.evaluate("document.querySelectorAll('#sky .point').length") == 1
    check_clean(browser, centre)


@pytest.mark.parametrize(
    ("criteria", "condition"),
    [
        ({"instrument": "GRAVITY"}, "instrument_name='GRAVITY'"),
        ({"facility": "CHARA", "band": "H"},
         "facility_name='CHARA' AND em_min<1.8e-6 AND em_max>1.5e-6"),
        ({"mode": "GRISM-H", "category": "CALIB"},
         "instrument_mode='GRISM-H' AND dataproduct_category='CALIB'"),
        ({"from": "2019-02-04", "to": "2020-12-31"}, "night BETWEEN '2019-02-04' AND '2020-12-31'"),
        ({"public": "no"}, "data_rights='proprietary'"),
        ({"collection": "sim_chara", "public": "yes"}, "g.obs_collection='sim_chara'"),
        ({"progid": "999.S-0002(B)"}, "progid='999.S-0002(B)'"),
        ({"category": "unknown"}, "dataproduct_category IS NULL"),
        ({"target": "SIM CAL*", "instrument": "AMBER"},
         "target_name LIKE 'SIM CAL%' AND instrument_name='AMBER'"),
        ({"target": "200 0"}, "1=0"),
        ({"target": "Nobody's star"}, "1=0"),
    ],
)  # fmt: skip
def test_criteria_select_what_they_say(
    browser: Browser, centre: Centre, criteria: dict[str, str], condition: str
) -> None:
    expected = query(
        centre.url,
        "SELECT file_name FROM oidb.granule AS g JOIN oidb.file AS f ON g.file_id=f.file_id"
        f" WHERE {condition}",
    )
    assert sorted(search(browser, centre, **criteria)) == sorted(
        row["file_name"] for row in expected
    )
    check_clean(browser, centre)


def test_the_form_writes_an_address_that_can_be_shared(browser: Browser, centre: Centre) -> None:
    search(browser, centre)
    browser.wait("document.querySelector('select[name=instrument] optgroup[label=CHARA]')")
    browser.evaluate("document.querySelector('select[name=instrument]').value = 'MYSTIC'")
    browser.click("#criteria button[type=submit]")
    [mystic] = query(
        centre.url, "SELECT COUNT(*) AS n FROM oidb.granule WHERE instrument_name='MYSTIC'"
    )
    found = f"{mystic['n']} granules"
    browser.wait(SEARCHED)
    assert browser.text("#count").startswith(found)
    address = browser.evaluate("location.href")
    assert parse_qs(urlsplit(address).query) == {"instrument": ["MYSTIC"]}
    browser.open(address, SEARCHED)
    assert browser.evaluate("document.querySelector('select[name=instrument]').value") == "MYSTIC"
    assert browser.text("#count").startswith(found)


def test_results_are_sorted_and_paged(browser: Browser, centre: Centre) -> None:
    search(browser, centre)
    first = browser.evaluate(
        "Array.from(document.querySelectorAll('#rows tbody input'), (box) => box.value)"
    )
    assert len(first) == 25
    browser.evaluate("Array.from(document.querySelectorAll('#pages a')).at(-1).click()")
    browser.wait(SEARCHED)
    assert "Page 2" in browser.text("#pages")
    second = browser.evaluate(
        "Array.from(document.querySelectorAll('#rows tbody input'), (box) => box.value)"
    )
    assert second
    assert not set(first) & set(second)
    search(browser, centre, order="baseline", facility="VLTI", collection="sim_vlti")
    longest = browser.evaluate(
        "Array.from(document.querySelectorAll('#rows tbody tr'), (row) =>"
        " Number(/–([\\d.]+) m/.exec(row.cells[5].innerText)[1]))"
    )
    assert longest == sorted(longest)
    assert browser.evaluate("document.querySelector('[aria-sort=ascending]').innerText").startswith(
        "Baselines"
    )


def test_selected_rows_choose_the_points_of_the_uv_plane(browser: Browser, centre: Centre) -> None:
    search(browser, centre, target="SIM UD 1")
    everything = browser.evaluate("document.querySelectorAll('#uv .point').length")
    browser.click("#rows tbody input")
    browser.wait("document.querySelector('#uv-caption').innerText.includes('selected')")
    did = browser.evaluate("document.querySelector('#rows tbody input').value")
    [expected] = query(
        centre.url,
        "SELECT COUNT(*) AS n FROM oidb.baseline AS b JOIN oidb.granule AS g"
        f" ON b.granule_id=g.granule_id WHERE obs_publisher_did='{did}'",
    )
    # Each point of the uv plane is drawn with its conjugate.
    shown = browser.evaluate("document.querySelectorAll('#uv .point').length")
    assert shown == 2 * int(expected["n"]) < everything


def test_exports_hold_all_results(browser: Browser, centre: Centre) -> None:
    search(browser, centre)
    [total] = query(centre.url, "SELECT COUNT(*) AS n FROM oidb.granule")
    votable, csv = browser.evaluate(
        "Array.from(document.querySelectorAll('#exports a'), (link) => link.href)"
    )
    assert len(ask(csv).text.splitlines()) == int(total["n"]) + 1
    text = ask(votable).text
    assert text.count("<TR>") == int(total["n"])
    # ASPRO2 takes the name of a target from the first field with this utype.
    assert 'utype="obscore:Target.Name"' in text


@pytest.mark.parametrize(
    ("criteria", "sentence"),
    [
        ({"target": "110.5 -95"}, "is no position"),
        ({"target": "25:00:00 -10:00:00"}, "is no position"),
        ({"target": "SIM UD 1", "radius": "large"}, "The radius is a number of arcminutes"),
        ({"from": "yesterday"}, "is no date"),
        ({"order": "g.target_name; DROP TABLE x"}, "cannot be sorted by"),
        ({"band": "constructor"}, "There is no band"),
        ({"target": "\\' OR 1=1 --"}, "Backslashes"),
        ({"collection": "\\"}, "Backslashes"),
    ],
)
def test_what_cannot_be_searched_for_is_said(
    browser: Browser, centre: Centre, criteria: dict[str, str], sentence: str
) -> None:
    assert search(browser, centre, **criteria) == []
    assert sentence in browser.text("#trouble")
    assert browser.evaluate("document.querySelector('#results').hidden")
    check_clean(browser, centre)


@pytest.mark.parametrize(
    "probe",
    [
        "<img src=x onerror=\"document.title='probed'\">",
        "\"><script>document.title='probed'</script>",
        "x' OR '1'='1",
        "') OR 1=1 --",
        "javascript:document.title='probed'",
    ],
)
@pytest.mark.parametrize("name", ["target", "instrument", "category"])
def test_probes_in_the_address_are_inert(
    browser: Browser, centre: Centre, name: str, probe: str
) -> None:
    assert search(browser, centre, **{name: probe}) == []
    assert browser.text("#count") == "Nothing found"
    assert "probed" not in browser.evaluate("document.title")
    assert browser.evaluate("document.querySelector('img[src=x], body script')") is None
    assert browser.problems == []


@pytest.mark.parametrize("probe", ["<img src=x onerror=alert(1)>", "x' OR '1'='1", ""])
def test_a_granule_that_is_none_gets_a_sentence(
    browser: Browser, centre: Centre, probe: str
) -> None:
    browser.open(
        f"{centre.url}/static/granule.html?id={quote(probe)}",
        "document.querySelector('#trouble .problem')",
    )
    assert (probe or "Which granule?") in browser.text("#trouble")
    assert browser.evaluate("document.querySelector('#trouble img')") is None
    assert browser.evaluate("document.querySelector('#granule').hidden")
    check_clean(browser, centre)


def test_errors_of_the_service_are_told(browser: Browser, centre: Centre) -> None:
    """A page that is open when the server's answer is an error."""
    search(browser, centre, target="SIM UD 1")
    refusal = browser.evaluate(
        "import('/static/tap.mjs').then(({ query }) => query('SELECT nonsense FROM oidb.granule'))"
        ".then(() => 'no error', (error) => { document.title = error.message; })"
    )
    assert refusal is None or refusal == {}
    browser.wait("document.title.includes('nonsense')")
    assert "VOTABLE" not in browser.evaluate("document.title")


def test_a_granule_shows_plots_values_and_links(browser: Browser, centre: Centre) -> None:
    browser.open(granule_page(centre, GRAVITY), SHOWN)
    browser.wait(
        "Array.from(document.querySelectorAll('#plots img')).every((img) => img.naturalWidth)"
    )
    captions = [caption for caption, _ in pictures(browser)]
    assert "Coverage of the uv plane" in captions
    assert len(captions) == 3
    assert browser.text("h1") == "SIM BIN 1 · GRAVITY · 2021-06-12"
    assert "gravity_bin1.fits (320 kB)" in browser.text("#downloads")
    values = browser.evaluate(
        "Object.fromEntries(Array.from(document.querySelectorAll('#values tbody tr'), (row) =>"
        " [row.cells[0].innerText, [row.cells[1].innerText, row.cells[2].innerText]]))"
    )
    columns = query(
        centre.url,
        "SELECT column_name, description FROM tap_schema.columns WHERE table_name='oidb.granule'",
    )
    described = {row["column_name"]: row["description"] for row in columns}
    assert all(described[name] == text for name, (_, text) in values.items())
    unknown = browser.text("#values tfoot")
    assert all(name in values or name in unknown for name in described)
    [row] = query(
        centre.url,
        "SELECT granule_id, em_max FROM oidb.granule WHERE obs_publisher_did="
        f"'{values['obs_publisher_did'][0]}'",
    )
    assert values["granule_id"][0] == str(row["granule_id"])
    assert values["em_max"][0] == f"{float(row['em_max']) * 1e6:.6g} µm"
    assert values["t_min"][0].startswith("59378.")
    assert "(2021-06-13 02:33:36 UTC)" in values["t_min"][0]
    assert browser.evaluate("document.querySelector('#progenitors a').href").startswith(
        "https://archive.eso.org/dataset/SIMUL."
    )
    report = browser.evaluate("document.querySelector('#validation a').href")
    assert ask(report).status == 200
    check_clean(browser, centre)
    browser.click("#siblings a")
    browser.wait(f"document.title.includes('GRAVITY_FT') && ({SHOWN})")


def test_flags_are_explained(browser: Browser, centre: Centre) -> None:
    browser.open(granule_page(centre, "quality_flags LIKE '%flagged_channels%'"), SHOWN)
    browser.wait("document.querySelector('#flags dd')")
    explained = browser.text("#flags")
    assert "flagged_channels" in explained
    assert "left out of the band" in explained
    check_clean(browser, centre)


def test_a_band_is_cut_out(browser: Browser, centre: Centre) -> None:
    browser.open(granule_page(centre, GRAVITY), SHOWN)
    browser.evaluate(
        "document.querySelector('#low').value = '2.1';"
        "document.querySelector('#high').value = '2.2';"
        "const form = document.querySelector('#cutout-form');"
        "form.addEventListener('submit', (event) => event.preventDefault());"
        "form.requestSubmit();"
    )
    address = browser.evaluate("form.action + '?' + new URLSearchParams(new FormData(form))")
    assert parse_qs(urlsplit(address).query)["BAND"] == ["0.0000021 0.0000022"]
    assert ask(address).body.startswith(b"SIMPLE  =")
    browser.evaluate("document.querySelector('#low').value = '3'; form.requestSubmit();")
    assert "the shorter one first" in browser.text("#cutout-trouble")


def test_private_plots_need_a_login(browser: Browser, centre: Centre) -> None:
    centre.administer(
        ["adduser", "page_reader", "of the reader"],
        ["addtogroup", "page_reader", "demonstration"],
    )
    address = granule_page(centre, PRIVATE)
    browser.open(address, SHOWN)
    assert "private until 2099-01-01" in browser.text("#summary")
    assert pictures(browser) == []
    assert not any("/getproduct/" in url for url in browser.requests)
    check_clean(browser, centre)
    # Who dismisses the browser's prompt, or is a stranger, sees none either.
    browser.click("#plots button")
    browser.wait("document.querySelectorAll('#plots figure .message').length > 1")
    assert pictures(browser) == []
    assert "Private until 2099-01-01" in browser.text("#plots")
    browser.user = User("page_reader", "of the reader")
    browser.open(address, SHOWN)
    browser.click("#plots button")
    browser.wait(
        "document.querySelectorAll('#plots img').length > 1 && Array.from("
        "document.querySelectorAll('#plots img')).every((img) => img.naturalWidth)"
    )


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/", "document.querySelector('#instruments tbody')"),
        ("/static/oidb.html", SEARCHED),
        ("/static/oidb.html?instrument=MATISSE_LM", SEARCHED),
        ("granule", SHOWN),
        ("/oidb/q/cone/form", "document.querySelector('site-footer a')"),
        ("/oidb/q/cone/info", "document.querySelector('site-footer a')"),
        ("/oidb/q/cone/form?hscs_pos=110.5%2C-25.2&hscs_sr=60&__nevow_form__=genForm",
         "document.querySelector('table.results')"),
        ("/tableinfo/oidb.granule", "document.querySelector('site-footer a')"),
        ("/tap", "document.querySelector('site-footer a')"),
        ("/tap/examples", "document.querySelector('site-footer a')"),
        ("/__system__/adql/query/form", "document.querySelector('site-footer a')"),
        ("/browse/oidb/q", "document.querySelector('site-footer a')"),
    ],
)  # fmt: skip
def test_pages_fit_a_phone(browser: Browser, centre: Centre, path: str, ready: str) -> None:
    """Nothing is wider than the screen: what must be wide scrolls within itself."""
    address = granule_page(centre, "g.instrument_name='MATISSE_LM'")
    browser.resize(*PHONE)
    try:
        browser.open(address if path == "granule" else f"{centre.url}{path}", ready)
        wide = browser.evaluate(
            "Array.from(document.querySelectorAll('body *'), (node) =>"
            " [node.tagName, node.id, node.className, node.getBoundingClientRect().right])"
            f".filter((row) => row[3] > {PHONE[0]}).slice(0, 5)"
        )
        assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE[0], wide
    finally:
        browser.resize(1200, 900)


@pytest.mark.parametrize(
    "path", ["/oidb/q/cone/info", "/tap", "/tap/examples", "/tableinfo/oidb.granule"]
)
def test_pages_of_dachs_wear_the_same_style(browser: Browser, centre: Centre, path: str) -> None:
    browser.open(f"{centre.url}{path}", "document.querySelector('site-header nav')")
    font, header = browser.evaluate(
        "[getComputedStyle(document.body).fontFamily,"
        " document.querySelector('site-header').innerText]"
    )
    assert font.startswith("system-ui")
    assert "JMMC data centre" in header
    assert "Runs on DaCHS" in browser.text("site-footer")
    assert browser.evaluate("document.querySelector('img.sidebarlogo')") is None
    check_clean(browser, centre)
