"""The client of ESO's archive, against a server that has a bad day."""

from __future__ import annotations

import gzip
import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import eso
from tests.twin.faults import FAULTS, Answer, Front, first, serving

START = datetime(2012, 3, 3, 1, 2, 3, 663000)
#: Even a busy machine answers within the time.
QUICK = eso.Manners(parallel=4, rate=1000, timeout=10, patience=30)


def _file(number: int, **known: Any) -> eso.File:
    return replace(
        eso.File(
            dp_id=f"PIONI.2012-03-02T00:00:{number / 100:06.3f}",
            instrument="PIONIER",
            last_mod_date=START + timedelta(seconds=number % 7),
            dp_cat="SCIENCE",
            dp_tech="IMAGE",
            prog_title="A title with < and & and é",
            pi_coi="O'NEIL/ MÜLLER",
            mjd_obs=55988.25,
            release_date=datetime(2013, 3, 2, 12),
        ),
        **known,
    )


FILES = [
    *(_file(number) for number in range(40)),
    _file(0, dp_id="GRAVI.2020-01-09T03:34:07.546", instrument="GRAVITY"),
    _file(0, dp_id="MATIS.2020-01-09T03:34:07.546", instrument="MATISSE", release_date=None),
    _file(0, dp_id="AMBER.2010-01-09T03:34:07.546", instrument="AMBER", mjd_obs=None),
    _file(0, dp_id="MIDI.2010-01-09T03:34:07.546", instrument="MIDI"),
    _file(0, dp_id="VINCI.2001-01-09T03:34:07.546", instrument="VINCI", dp_tech=None),
]
NAME = FILES[0].dp_id
HEADER = "SIMPLE  =  T / a < b & c\nOBJECT  = 'é'\nEND"


class Stand:
    """An archive in memory: its ADQL is understood by SQLite, but for TOP."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute("ATTACH ':memory:' AS dbo")
        names = list(eso.File.__dataclass_fields__)
        self._database.execute(f"CREATE TABLE dbo.raw ({', '.join(names)})")
        for file in [*FILES, _file(0, dp_id="FORS2.2012-01-01T00:00:00.000", instrument="FORS2")]:
            values = [getattr(file, name) for name in names]
            self._database.execute(
                f"INSERT INTO dbo.raw VALUES ({','.join('?' * len(names))})",
                [
                    f"{value.isoformat(timespec='milliseconds')}Z"
                    if isinstance(value, datetime)
                    else value
                    for value in values
                ],
            )

    def __call__(self, path: str, body: bytes | None) -> Answer:
        if path.startswith("/hdr?"):
            name = unquote(urlsplit(path).query.removeprefix("DpId="))
            known = name in {file.dp_id for file in FILES}
            text = HEADER if known else f"No info found for {name}"
            page = f"<html><body><pre>\n{escape(text, quote=False)}\n</pre></body></html>"
            return Answer(200, "text/html", gzip.compress(page.encode()), "gzip")
        form = parse_qs((body or b"").decode())
        query, limit = form["QUERY"][0], int(form["MAXREC"][0])
        if top := re.search(r" TOP ([0-9]+)", query):
            query = query.replace(top[0], "") + f" LIMIT {top[1]}"
        cursor = self._database.execute(query)
        rows = cursor.fetchmany(limit)
        status = "OVERFLOW" if cursor.fetchone() else "OK"
        fields = "".join(
            f'<FIELD name="{column[0]}" datatype="{kind}"/>'
            for column, kind in zip(cursor.description, _kinds(rows), strict=True)
        )
        cells = "".join(
            "<TR>"
            + "".join(f"<TD>{'' if cell is None else escape(str(cell))}</TD>" for cell in row)
            + "</TR>"
            for row in rows
        )
        text = (
            '<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
            f'<RESOURCE type="results"><INFO name="QUERY_STATUS" value="OK"/><TABLE>{fields}'
            f"<DATA><TABLEDATA>{cells}</TABLEDATA></DATA></TABLE>"
            f'<INFO name="QUERY_STATUS" value="{status}"/></RESOURCE></VOTABLE>'
        )
        return Answer(200, "application/x-votable+xml", text.encode())


def _kinds(rows: list[tuple[object, ...]]) -> list[str]:
    if not rows:
        return ["char"] * len(eso.File.__dataclass_fields__)
    return [
        'unicodeChar" arraysize="*'
        if any(isinstance(value, str) for value in column) or not any(column)
        else "double"
        for column in zip(*rows, strict=True)
    ]


@pytest.fixture(scope="module")
def _front() -> Iterator[Front]:
    with serving(Stand()) as front:
        yield front


@pytest.fixture
def front(_front: Front, monkeypatch: pytest.MonkeyPatch) -> Front:
    """The archive, as it ever was."""
    monkeypatch.setattr(eso, "_PAUSE", 0.05)
    _front.as_ever()
    return _front


def manners(fault: str) -> eso.Manners:
    """Those of a client that waits no longer than it must."""
    return replace(QUICK, timeout=0.4) if fault == "silence" else QUICK


def archive(front: Front, manners: eso.Manners = QUICK) -> eso.Archive:
    """A client of it."""
    return eso.Archive(front.url, manners=manners)


def listed(front: Front, manners: eso.Manners = QUICK) -> list[eso.File]:
    """Everything it lists."""
    pages = archive(front, manners).changed(START, START + timedelta(hours=1))
    return [file for page in pages for file in page]


# ------------------------------------------------------------------------ lists


@pytest.mark.parametrize("limit", [None, 1, 7, 45, 44, 46])
def test_all_files_are_listed_once_whatever_an_answer_may_hold(
    front: Front, limit: int | None
) -> None:
    front.limit = limit
    assert listed(front) == sorted(FILES, key=lambda file: file.dp_id)


def test_files_are_listed_from_the_begin_to_before_the_end(front: Front) -> None:
    pages = archive(front).changed(START + timedelta(seconds=2), START + timedelta(seconds=4))
    names = {file.dp_id for page in pages for file in page}
    assert names == {_file(number).dp_id for number in range(40) if number % 7 in (2, 3)}


def test_only_instruments_that_are_wanted_are_listed(front: Front) -> None:
    some = eso.Archive(front.url, ["AMBER", "MIDI"], QUICK)
    assert some.extent() == eso.Extent(2, START, START)
    assert [file.instrument for page in some.files() for file in page] == [
        "AMBER", "MIDI",
    ]  # fmt: skip


def test_extent_of_changes(front: Front) -> None:
    last = START + timedelta(seconds=6)
    assert archive(front).extent() == eso.Extent(45, START, last)
    assert archive(front).extent(last) == eso.Extent(5, last, last)
    assert archive(front).extent(last + timedelta(seconds=1)) == eso.Extent(0, None, None)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_list_survives_a_fault(front: Front, fault: str) -> None:
    front.limit = 20
    front.fault = first(2, fault)
    assert listed(front, manners(fault)) == sorted(FILES, key=lambda file: file.dp_id)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_told(front: Front, fault: str) -> None:
    front.fault = lambda _: fault
    with pytest.raises(eso.NoAnswer, match=r"archive|127\.0\.0\.1"):
        listed(front, replace(manners(fault), patience=1.5))
    assert len(front.requests) >= 2


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ((NAME,), "lists a file as"),
        ((None, *[None] * 11), "lists a file as"),
        (("PIONI\x07", "PIONIER", *[None] * 10), "lists a file as"),
        ((NAME, "PIONIER", 55988.0, *[None] * 9), "'55988.0' for a time"),
        ((NAME, "PIONIER", "now", *[None] * 9), "'now' for a time"),
    ],
)
def test_a_list_of_something_else_is_told(
    front: Front, monkeypatch: pytest.MonkeyPatch, cells: tuple[object, ...], words: str
) -> None:
    monkeypatch.setattr(eso, "_rows", lambda _: [cells])
    with pytest.raises(eso.ArchiveError, match=words):
        listed(front)


@pytest.mark.parametrize("cells", [("many", None, None), (5,), (5, 55988.0, "now")])
def test_an_extent_of_something_else_is_told(
    front: Front, monkeypatch: pytest.MonkeyPatch, cells: tuple[object, ...]
) -> None:
    monkeypatch.setattr(eso, "_rows", lambda _: [cells])
    with pytest.raises(eso.ArchiveError, match=r"counts files as|for a time"):
        archive(front).extent()


def test_an_archive_that_is_not_there_is_told() -> None:
    with pytest.raises(eso.NoAnswer, match="refused"):
        eso.Archive("http://127.0.0.1:9", manners=replace(QUICK, patience=0)).extent()


@pytest.mark.parametrize("address", ["archive.eso.org", "ftp://x", "http://", "http://x/?a=b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        eso.Archive(address)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_texts_are_never_taken_for_adql(text: str) -> None:
    database = sqlite3.connect(":memory:")
    assert database.execute(f"SELECT {eso._literal(text)}").fetchone() == (text,)
    database.close()


# ---------------------------------------------------------------------- headers

NAMES = [file.dp_id for file in FILES]


def test_headers_are_the_text_in_the_page(front: Front) -> None:
    found = dict(archive(front).headers(NAMES))
    assert found == dict.fromkeys(NAMES, HEADER.encode())
    # The service does not understand an escaped colon.
    assert sorted(front.asked("/hdr?")) == sorted(f"/hdr?DpId={name}" for name in NAMES)


@pytest.mark.parametrize("fault", FAULTS)
def test_headers_survive_a_fault(front: Front, fault: str) -> None:
    front.fault = first(6, fault)
    found = dict(archive(front, manners(fault)).headers(NAMES))
    assert found == dict.fromkeys(NAMES, HEADER.encode())
    if fault != "silence":  # who does not wait long asks once more when the machine is busy
        assert len(front.requests) == len(NAMES) + 6


def test_a_file_that_is_unknown_is_asked_for_once(front: Front) -> None:
    other = "PIONI.2011-01-01T00:00:00.000"
    found = dict(archive(front).headers([NAMES[0], other, "x' OR 1=1"]))
    assert found[NAMES[0]] == HEADER.encode()
    assert isinstance(found[other], eso.Refusal)
    assert "No info found" in str(found[other])
    assert isinstance(found["x' OR 1=1"], eso.Refusal)
    assert len(front.requests) == 2


@pytest.mark.parametrize("fault", ["error", "page", "half", "half unnoticed", "nothing"])
def test_one_bad_file_does_not_stop_the_others(front: Front, fault: str) -> None:
    front.fault = lambda path: fault if path.endswith(NAMES[3]) else None
    found = dict(archive(front, replace(QUICK, patience=0.6)).headers(NAMES))
    assert isinstance(found.pop(NAMES[3]), eso.NoAnswer)
    assert found == dict.fromkeys(set(NAMES) - {NAMES[3]}, HEADER.encode())


def test_an_archive_that_goes_away_is_given_up(front: Front) -> None:
    front.fault = lambda _: "error" if len(front.requests) > 20 else None
    found: dict[str, bytes | eso.ArchiveError] = {}
    with pytest.raises(eso.NoAnswer, match="in a row"):
        found.update(archive(front, replace(QUICK, patience=0)).headers(NAMES))
    assert sum(isinstance(answer, bytes) for answer in found.values()) == 20
    assert len(front.requests) < len(NAMES)


def test_manners() -> None:
    polite = eso.Manners(parallel=3, rate=40, timeout=10, patience=0)
    with serving(Stand()) as front:  # its own, where no other test's requests end
        front.delay = 0.05
        began = time.monotonic()
        assert len(dict(archive(front, polite).headers(NAMES[:20]))) == 20
    assert front.most <= 3
    assert max(begin for _, _, begin in front.requests) - began >= 19 / 40


def test_whoever_stops_listening_does_not_wait_for_the_rest(front: Front) -> None:
    front.fault = lambda _: "silence" if len(front.requests) > 1 else None
    began = time.monotonic()
    answers = archive(front, replace(QUICK, timeout=20)).headers(NAMES)
    next(answers)
    answers.close()
    assert time.monotonic() - began < 5
    assert len(front.requests) < len(NAMES)


def test_all_hdus_of_a_header_are_kept() -> None:
    text = "SIMPLE  =  T\nEND\nXTENSION= 'BINTABLE'\nEND"
    page = f"<html><pre class='x'>{text}\n</pre></html>"
    assert eso.header_text(page.encode(), "x") == text.encode()


def test_a_header_without_a_page_must_have_its_end() -> None:
    assert eso.header_text(b"SIMPLE  =  T\nEND\n", "x") == b"SIMPLE  =  T\nEND"
    with pytest.raises(eso.NoAnswer, match="cut off"):
        eso.header_text(b"SIMPLE  =  T\nOBJECT  = 'x", "x")


def test_a_page_in_latin_1() -> None:
    page = "<pre>SIMPLE  =  T / 5°\nEND</pre>".encode("latin-1")
    assert eso.header_text(page, "x").decode() == "SIMPLE  =  T / 5°\nEND"


def test_real_headers_come_through_the_page_as_they_are(shared: Path) -> None:
    for path in sorted((shared / "eso_headers").rglob("*.hdr")):
        text = path.read_bytes().decode("utf-8", "replace").strip("\r\n")
        page = f"<html><body><pre>{escape(text, quote=False)}\n</pre></body></html>"
        assert eso.header_text(page.encode(), path.name).decode() == text
