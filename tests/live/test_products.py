"""Files as HTTP clients get them."""

import base64
import hashlib
from email.utils import parsedate_to_datetime

import pytest

from tests.live.client import ask, query
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows(centre: Centre) -> list[Row]:
    """Public files of the demonstration."""
    return query(
        centre.url,
        "SELECT * FROM oidb.file WHERE obs_collection IN ('sim_vlti', 'sim_chara')"
        " ORDER BY file_name",
    )


def test_names_are_unique_and_have_suffixes_clients_know(centre: Centre) -> None:
    names = [
        row["access_url"].rpartition("/")[2]
        for row in query(centre.url, "SELECT access_url FROM oidb.file")
    ]
    assert len(set(names)) == len(names)
    assert all(name.endswith((".fits", ".oifits", ".fits.gz", ".oifits.gz")) for name in names)


def test_download(rows: list[Row]) -> None:
    for row in rows:
        answer = ask(row["access_url"])
        name = row["access_url"].rpartition("/")[2]
        assert answer.status == 200
        assert answer.headers["content-type"] == row["media_type"]
        assert "content-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.body) == int(row["file_size"])
        assert f'filename="{name}"' in answer.headers["content-disposition"]
        assert hashlib.md5(answer.body).hexdigest() == row["md5"]
        digest = hashlib.sha256(answer.body).digest()
        assert digest.hex() == row["sha256"]
        expected = f"sha-256=:{base64.b64encode(digest).decode()}:"
        assert answer.headers["repr-digest"] == expected
        assert row["media_type"] == (
            "application/gzip" if name.endswith(".gz") else "application/fits"
        )


def test_head_is_get_without_the_body(rows: list[Row]) -> None:
    for row in rows[:3]:
        got, head = ask(row["access_url"]), ask(row["access_url"], method="HEAD", timeout=10)
        assert head.status == 200
        assert head.body == b""
        for name in ("content-length", "content-type", "etag", "last-modified", "repr-digest",
                     "accept-ranges", "content-disposition"):  # fmt: skip
            assert head.headers.get(name) == got.headers.get(name), name


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=2880-", 2880, None), ("bytes=-80", -80, None)],
)
def test_range(rows: list[Row], asked: str, start: int, end: int | None) -> None:
    address = rows[0]["access_url"]
    whole = ask(address).body
    part = ask(address, headers={"Range": asked})
    assert part.status == 206
    assert part.body == whole[start:end]
    assert part.headers["content-range"].endswith(f"/{len(whole)}")


def test_range_beyond_the_end(rows: list[Row]) -> None:
    answer = ask(rows[0]["access_url"], headers={"Range": "bytes=999999999-"})
    assert answer.status == 416


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditional_requests(rows: list[Row], method: str) -> None:
    address = rows[0]["access_url"]
    first = ask(address)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert etag == f'"{rows[0]["sha256"]}"'
    assert parsedate_to_datetime(modified).year >= 2024
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
        answer = ask(address, method=method, headers=headers, timeout=10)
        assert answer.status == 304, headers
        assert answer.body == b""
    answer = ask(address, headers={"If-None-Match": '"another"'})
    assert (answer.status, answer.body) == (200, first.body)


def test_what_is_not_there_is_404(centre: Centre) -> None:
    for path in ("oidb/nothing.fits", "oidb/", "", "oidb/../oidb", "nothing", "%F0%9F%92%A5"):
        for method in ("GET", "HEAD"):
            answer = ask(f"{centre.url}/getproduct/{path}", method=method, timeout=10)
            assert answer.status in (400, 404), path


def test_methods_that_change_are_refused(rows: list[Row]) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        answer = ask(rows[0]["access_url"], method=method, timeout=10)
        assert answer.status >= 400
    assert hashlib.md5(ask(rows[0]["access_url"]).body).hexdigest() == rows[0]["md5"]


def test_head_ends_everywhere(centre: Centre) -> None:
    """DaCHS left some HEAD requests open for ever."""
    for path in ("/", "/tap/capabilities", "/tap/availability", "/tap/tables", "/tap/examples",
                 "/oidb/q/cone/form", "/oidb/q/cone/info", "/oai.xml?verb=Identify",
                 "/static/help.shtml", "/oidb/q/cutout/custom"):  # fmt: skip
        answer = ask(centre.url + path, method="HEAD", timeout=10)
        assert answer.status < 500, path
        assert answer.body == b""
