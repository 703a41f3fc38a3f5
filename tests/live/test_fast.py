"""The acceleration (fast/) answers as DaCHS does, and opens nothing that DaCHS keeps closed."""

import gzip
import io
import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centre.instance import Instance
from tests.live import client, second
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

FORMATS = ("votable", "votable/b2", "votable/td", "csv", "tsv", "json", "fits", "txt", "text/csv")


@pytest.fixture(scope="module")
def instance(centre: Centre) -> Instance:
    return Instance(centre.root, centre.port, "127.0.0.1", centre.url)


@pytest.fixture(scope="module")
def fast(centre: Centre) -> str:
    """Address of the server whose queries are answered by workers."""
    second.await_workers(centre.url)
    return centre.url


@pytest.fixture(scope="module")
def stock(instance: Instance) -> Iterator[str]:
    """Address of a server of the same instance, without the acceleration."""
    with second.server(instance, {"JMMC_FAST": "0"}) as server:
        yield server.url


def _ask(url: str, query: str, form: str = "votable/td", **others: str) -> client.Answer:
    fields = {"LANG": "ADQL", "QUERY": query, "FORMAT": form, **others}
    return client.ask(f"{url}/tap/sync", data=fields, timeout=120)


_INFO = re.compile(rb"<INFO [^>]*>[^<]*</INFO>")


def _document(answer: client.Answer) -> bytes:
    """An answer without what is different each time.

    That is dates, made-up IDs, where base64 is broken, and the order of what is said about tables.
    """
    text = re.sub(rb'(<INFO name="request_date" [^>]*value=")[^"]*', rb"\1", answer.body)
    text = re.sub(rb"(DATE    = ')[^']*", rb"\1", text)
    text = re.sub(rb'"nd[a-z]{8,14}"', b'"made up"', text)
    infos = iter(sorted(_INFO.findall(text)))
    text = _INFO.sub(lambda _match: next(infos), text)
    return re.sub(
        rb'(<STREAM encoding="base64">)([^<]*)',
        lambda match: match[1] + re.sub(rb"\s", b"", match[2]),
        text,
    )


def _same(fast: str, stock: str, query: str, form: str, **others: str) -> None:
    ours, theirs = _ask(fast, query, form, **others), _ask(stock, query, form, **others)
    assert (ours.status == 200) == (theirs.status == 200), (query, ours.text, theirs.text)
    if ours.status == 200:
        assert ours.headers["content-type"] == theirs.headers["content-type"]
        assert _document(ours) == _document(theirs), (query, form)
    else:
        assert _reason(ours) == _reason(theirs), query


def _reason(answer: client.Answer) -> str:
    """What an error document says, without PostgreSQL's drawing of the place."""
    found = re.search(r'value="ERROR">([^<]*)', answer.text)
    assert found, answer.text
    return found[1].partition("\nLINE ")[0].strip()


QUERIES = (
    "SELECT TOP 5 * FROM oidb.granule ORDER BY granule_id",
    "SELECT * FROM ivoa.obscore ORDER BY obs_publisher_did",
    "SELECT * FROM tap_schema.columns ORDER BY table_name, column_name",
    "SELECT TOP 50 * FROM obsportal.exposure ORDER BY exposure_id",
    "SELECT * FROM jmdc.measurement ORDER BY 1",
    "SELECT * FROM oidb.granule WHERE 1=0",
    "SELECT COUNT(*) AS n, AVG(nb_vis2) AS mean, MAX(t_min) AS latest FROM oidb.granule",
    "SELECT instrument_name, COUNT(*) AS n FROM oidb.granule GROUP BY instrument_name"
    " ORDER BY instrument_name",
    "SELECT TOP 3 s_region, POINT(s_ra, s_dec) AS p, CIRCLE(s_ra, s_dec, 1) AS c"
    " FROM oidb.granule ORDER BY granule_id",
    "SELECT target_name FROM oidb.granule"
    " WHERE 1=CONTAINS(POINT(s_ra, s_dec), CIRCLE(110.5, -25.2, 5.5)) ORDER BY granule_id",
    "SELECT target_name FROM oidb.granule"
    " WHERE 0=CONTAINS(POINT(s_ra, s_dec), CIRCLE(110.5, -25.2, 5.5)) ORDER BY granule_id",
    "SELECT target_name, DISTANCE(POINT(s_ra, s_dec), POINT(110.5, -25.2)) AS d"
    " FROM oidb.granule WHERE DISTANCE(s_ra, s_dec, 110.5, -25.2) < 7.25 ORDER BY granule_id",
    "WITH found AS (SELECT TOP 10 * FROM oidb.granule ORDER BY granule_id)"
    " SELECT target_name, nb_vis2*2 AS doubled FROM found ORDER BY granule_id",
    "SELECT g.target_name, b.station1 FROM oidb.granule AS g JOIN oidb.baseline AS b"
    " USING (granule_id) WHERE b.length > 20 ORDER BY b.length, granule_id",
    "SELECT CASE WHEN s_dec > 0 THEN 'north' ELSE 'south' END AS side, NULL AS nothing, 1 AS one,"
    " 100000 AS many, 10000000000 AS lots, 1.5 AS half, 1e3 AS thousand, 'it''s' AS text"
    " FROM oidb.granule ORDER BY granule_id",
    "SELECT UPPER(target_name) AS u, ROUND(s_ra, 2) AS r, COALESCE(stations, 'none') AS s"
    " FROM oidb.granule WHERE target_name LIKE 'SIM %' AND instrument_name IN ('PIONIER', 'x')"
    " ORDER BY granule_id",
    "SELECT TOP 4 night, obs_release_date FROM oidb.granule ORDER BY granule_id",
    "SELECT granule_id FROM oidb.granule ORDER BY granule_id OFFSET 3",
    "SELECT TOP 1 x FROM oidb.granule",
    "SELECT foo",
    "SELECT TOP 1 1/0 AS bad FROM oidb.granule",
    "SELECT TOP 1 POWER(s_ra, 'a') AS bad FROM oidb.granule",
)


@pytest.mark.parametrize("form", FORMATS)
def test_documents_are_those_of_dachs(fast: str, stock: str, form: str) -> None:
    for query in QUERIES:
        _same(fast, stock, query, form)


@pytest.mark.parametrize("limit", ["0", "1", "3", "100000"])
@pytest.mark.parametrize("form", ["votable", "votable/b2", "votable/td", "csv"])
def test_limits_are_those_of_dachs(fast: str, stock: str, form: str, limit: str) -> None:
    for top in ("", "TOP 2", "TOP 3", "TOP 4"):
        query = f"SELECT {top} granule_id, target_name FROM oidb.granule ORDER BY granule_id"
        _same(fast, stock, query, form, MAXREC=limit)


@pytest.fixture(scope="module")
def columns(centre: Centre) -> dict[str, list[tuple[str, str]]]:
    """Names and types of the columns of all tables of TAP."""
    found: dict[str, list[tuple[str, str]]] = {}
    with centre.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name, datatype FROM tap_schema.columns")
        for table, column, kind in cursor:
            found.setdefault(table, []).append((column, kind))
    return found


@settings(max_examples=50)
@given(data=st.data())
def test_made_up_queries_are_answered_as_by_dachs(
    fast: str, stock: str, columns: dict[str, list[tuple[str, str]]], data: st.DataObject
) -> None:
    draw = data.draw
    table = draw(st.sampled_from(sorted(name for name in columns if len(columns[name]) > 2)))
    found = draw(st.lists(st.sampled_from(columns[table]), min_size=1, max_size=7, unique=True))
    fields = [name for name, _ in found]
    numbers = [name for name, kind in columns[table] if kind in {"double", "float", "int", "long"}]
    if numbers:
        number = draw(st.sampled_from(numbers))
        made_up = (
            f"{number}*2 AS doubled", f"{number}+0.5 AS more", f"ABS({number}) AS unsigned",
            f"{number}/3 AS part", f"CASE WHEN {number} > 1 THEN 'x' ELSE NULL END AS which",
        )  # fmt: skip
        fields += draw(st.lists(st.sampled_from(made_up), max_size=2, unique=True))
        where = draw(st.sampled_from(["", f" WHERE {number} > {draw(NUMBERS)}"]))
    else:
        where = ""
    top = draw(st.sampled_from(["", "TOP 1 ", "TOP 40 ", "DISTINCT "]))
    # The order is by all columns, for equal rows may come in any.
    order = ", ".join(str(number + 1) for number in range(len(fields)))
    query = f"SELECT {top}{', '.join(fields)} FROM {table}{where} ORDER BY {order}"
    others = draw(st.sampled_from([{}, {"MAXREC": "5"}]))
    _same(fast, stock, query, draw(st.sampled_from(FORMATS)), **others)


def test_an_answer_that_is_not_whole_says_so(fast: str) -> None:
    text = _ask(fast, "SELECT granule_id FROM oidb.granule", MAXREC="2").text
    assert text.count("<TR>") == 2
    assert 'name="QUERY_STATUS" value="OVERFLOW"' in text
    text = _ask(fast, "SELECT TOP 2 granule_id FROM oidb.granule", MAXREC="2").text
    assert "OVERFLOW" not in text


# ---------------------------------------------------------------- queries of one shape

TEXTS = st.text(st.sampled_from("aZ %_'\\\"-;/*\n\té0<&\u00a0\U0001d11e"), max_size=12)
NUMBERS = st.one_of(
    st.integers(0, 2**62).map(str),
    st.decimals(0, 10**6, places=4, allow_nan=False, allow_infinity=False).map(lambda x: f"{x:f}"),
    st.floats(0, 1e30, allow_nan=False).map(lambda x: f"{x:e}"),
)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@settings(max_examples=60)
@given(text=TEXTS, number=NUMBERS, other=st.integers(0, 40000))
def test_literals_come_back(fast: str, text: str, number: str, other: int) -> None:
    """What an earlier query of the same shape had in its place never comes back."""
    text = text.replace("\u00a0", " ")  # which DaCHS takes for a blank
    query = (
        f"SELECT TOP 1 {_quoted(text)} AS t, {number} AS n, {other} AS i"
        f" FROM oidb.granule WHERE target_name != {_quoted(text + 'x')} AND s_ra < {other + 361}"
    )
    answer = _ask(fast, query, "json")
    assert answer.status == 200, answer.text
    found = json.loads(answer.body)["data"]
    assert found == [[text, pytest.approx(float(number), rel=1e-15), other]]


@pytest.mark.parametrize("form", ["votabletd1.1", "txt", "csv"])
def test_each_query_is_told_as_itself(fast: str, form: str) -> None:
    """In the documents that DaCHS writes, too: also when a translation serves another query."""
    for text in ("a%b", "c%%d", "e%f", "g%%h", "i"):
        query = f"SELECT TOP 1 '{text}' AS x FROM oidb.granule"
        told = _ask(fast, query, form).text
        if form == "votabletd1.1":
            assert f"<TD>{text}</TD>" in told
            assert f'name="query" value="{query}"' in told
        else:
            assert told.splitlines()[-1].strip() == text


#: Queries that look alike; each is asked twice, in between with others' translations at hand.
ALIKE = (
    'SELECT TOP 1 target_name AS "a" FROM oidb.granule ORDER BY granule_id',
    'SELECT TOP 1 target_name AS "A" FROM oidb.granule ORDER BY granule_id',
    "SELECT TOP 1 target_name AS a FROM oidb.granule ORDER BY granule_id",
    "SELECT TOP 1 'a' AS \"1\" FROM oidb.granule",
    "SELECT TOP 1 'b' AS \"1\" FROM oidb.granule",
    "SELECT TOP 1 'b' AS \"2\" FROM oidb.granule",
    "SELECT TOP 1 1 AS x --'\nFROM oidb.granule",
    "SELECT TOP 1 2 AS x --'\nFROM oidb.granule",
    "SELECT TOP 1 '--' AS x FROM oidb.granule",
    "SELECT TOP 1 '--''' AS x FROM oidb.granule",
    "SELECT TOP 1 'x' AS x FROM oidb.granule -- 'y'",
    "SELECT TOP 1 'x' AS x FROM oidb.granule -- 'z'",
    "SELECT TOP 1 ' FROM oidb.granule; DROP TABLE oidb.granule; --' AS x FROM oidb.granule",
    "SELECT TOP 1 'ICRS' AS x FROM oidb.granule",
    "SELECT TOP 1 COORDSYS(POINT('ICRS', 1, 2)) AS x FROM oidb.granule",
    "SELECT TOP 1 COORDSYS(POINT('GALACTIC', 1, 2)) AS x FROM oidb.granule",
    "SELECT TOP 2 granule_id FROM oidb.granule ORDER BY granule_id",
    "SELECT TOP 3 granule_id FROM oidb.granule ORDER BY granule_id",
    "SELECT COUNT(*) AS n FROM oidb.granule WHERE 1=CONTAINS(POINT(s_ra,s_dec),CIRCLE(9,9,90))",
    "SELECT COUNT(*) AS n FROM oidb.granule WHERE 0=CONTAINS(POINT(s_ra,s_dec),CIRCLE(9,9,90))",
    "SELECT COUNT(*) AS n FROM oidb.granule WHERE 1=ivo_nocasematch(target_name, 'sim ud 1')",
    "SELECT COUNT(*) AS n FROM oidb.granule WHERE 1=ivo_nocasematch(target_name, 'SIM UD 1')",
    "SELECT COUNT(*) AS n FROM oidb.granule WHERE 0=ivo_nocasematch(target_name, 'SIM UD 1')",
    "SELECT TOP 1 IN_UNIT(s_ra, 'rad') AS x FROM oidb.granule ORDER BY granule_id",
    "SELECT TOP 1 IN_UNIT(s_ra, 'arcsec') AS x FROM oidb.granule ORDER BY granule_id",
    "SELECT TOP 1 0x10 AS x FROM oidb.granule",
    "SELECT TOP 1 0x11 AS x FROM oidb.granule",
    "SELECT TOP 1 32766 AS x FROM oidb.granule",
    "SELECT TOP 1 32767 AS x FROM oidb.granule",
    "SELECT TOP 1 2147483647 AS x FROM oidb.granule",
    "SELECT TOP 1 2147483648 AS x FROM oidb.granule",
    "SELECT TOP 1 'a' 'b' AS x FROM oidb.granule",
    "SELECT TOP 1 'a' 'c' AS x FROM oidb.granule",
    "SELECT TOP 1 CAST('2020-01-01' AS TIMESTAMP) AS x FROM oidb.granule",
    "SELECT TOP 1 CAST('2021-01-01' AS TIMESTAMP) AS x FROM oidb.granule",
    "SELECT TOP 1 CAST('12' AS INTEGER) AS x FROM oidb.granule",
)


def test_queries_that_look_alike_are_told_apart(fast: str, stock: str) -> None:
    expected = [_document(_ask(stock, query, "votable/td")) for query in ALIKE]
    for _ in range(2):
        for query, document in zip(ALIKE, expected, strict=True):
            found = _ask(fast, query, "votable/td")
            if found.status == 200:
                assert _document(found) == document, query
            else:
                assert b'value="ERROR"' in document, (query, found.text)


# ---------------------------------------------------------------- cone searches


@pytest.mark.parametrize("path", ["oidb/q/cone", "obsportal/q/cone", "jmdc/q/cone", "jmdc/q/stars"])
def test_cone_searches_are_those_of_dachs(fast: str, stock: str, path: str) -> None:
    for query in (
        "RA=110.5&DEC=-25.2&SR=0.1",
        "RA=110.1&DEC=-25.0&SR=5",
        "RA=0&DEC=0&SR=180",
        "RA=0&DEC=0&SR=90&VERB=3",
        "RA=0&DEC=90&SR=90&VERB=1&MAXREC=3",
        "RA=1e1&DEC=-1.5&SR=0&RESPONSEFORMAT=votable/td",
        "RA=0&DEC=0&SR=90&RESPONSEFORMAT=votable/b2",
        "RA=0&DEC=0&SR=90&RESPONSEFORMAT=csv",
        "RA=x&DEC=0&SR=180",
        "RA=0&DEC=0",
    ):
        address = f"/{path}/scs.xml?{query}"
        ours = client.ask(f"{fast}{address}", timeout=120)
        theirs = client.ask(f"{stock}{address}", timeout=120)
        assert ours.status == theirs.status
        for header in ("content-type", "content-disposition"):
            assert ours.headers.get(header) == theirs.headers.get(header)
        assert _document(ours) == _document(theirs), address


# ---------------------------------------------------------------- uploads


def _upload(url: str, query: str, form: str, table: str, wanted: str = "mine,param:t") -> Any:
    """The answer to a query with a table, sent as pyvo and STILTS send them."""
    fields = {"LANG": "ADQL", "REQUEST": "doQuery", "FORMAT": form, "QUERY": query}
    parts = [
        f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**fields, "UPLOAD": wanted}.items()
    ]
    parts.append(
        '--xyz\r\nContent-Disposition: form-data; name="t"; filename="t.vot"\r\n'
        f"Content-Type: application/x-votable+xml\r\n\r\n{table}\r\n--xyz--\r\n"
    )
    return client.ask(
        f"{url}/tap/sync",
        data="".join(parts),
        headers={"Content-Type": "multipart/form-data; boundary=xyz"},
    )


TABLE = (
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
    '<FIELD name="ra" datatype="double" unit="deg"/><FIELD name="name" datatype="char"'
    ' arraysize="*"/><FIELD name="v" datatype="float" arraysize="2"/><DATA><TABLEDATA>'
    "<TR><TD>110.5</TD><TD>one &amp; two</TD><TD>1.5 2.5</TD></TR>"
    "<TR><TD>1.25</TD><TD/><TD/></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
)


@pytest.mark.parametrize("form", ["votable", "votable/b2", "votable/td", "csv", "json", "fits"])
def test_answers_about_uploads_are_those_of_dachs(fast: str, stock: str, form: str) -> None:
    for query in (
        "SELECT * FROM TAP_UPLOAD.mine ORDER BY ra",
        "SELECT m.name, g.target_name FROM TAP_UPLOAD.mine AS m JOIN oidb.granule AS g"
        " ON ABS(m.ra - g.s_ra) < 1 ORDER BY g.granule_id",
        "SELECT nothing FROM TAP_UPLOAD.mine",
        "SELECT * FROM TAP_UPLOAD.yours",
    ):
        ours, theirs = (_upload(url, query, form, TABLE) for url in (fast, stock))
        assert (ours.status == 200) == (theirs.status == 200), (query, ours.text, theirs.text)
        if ours.status == 200:
            assert _document(ours) == _document(theirs), query
        else:
            assert _reason(ours) == _reason(theirs)


def test_uploads_that_are_wrong_are_refused(fast: str) -> None:
    query = "SELECT * FROM TAP_UPLOAD.mine"
    for table, wanted in (
        ("<VOTABLE>", "mine,param:t"),
        (TABLE, "mine,param:other"),
        (TABLE, "mine"),
        (TABLE, "my table,param:t"),
        (TABLE, "mine,file:///etc/passwd"),
    ):
        answer = _upload(fast, query, "csv", table, wanted)
        assert answer.status >= 400, (wanted, answer.text)
        assert 'value="ERROR"' in answer.text
    assert _upload(fast, query, "csv", TABLE).status == 200


def test_nothing_of_an_upload_stays(fast: str) -> None:
    assert _upload(fast, "SELECT * FROM TAP_UPLOAD.mine", "csv", TABLE).status == 200
    for _ in range(4):
        assert _ask(fast, "SELECT * FROM TAP_UPLOAD.mine").status == 400


# ---------------------------------------------------------------- what can go wrong


#: A query that takes a minute: pairs of pairs of columns.
SLOW = (
    "SELECT COUNT(*) AS n FROM tap_schema.columns AS a, tap_schema.columns AS b,"
    " tap_schema.columns AS c WHERE a.description != b.description || c.description"
)


def _running(database: Any) -> int:
    database.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'untrusted' AND state = 'active'"
        " AND query LIKE 'COPY%'"
    )
    return int(database.fetchone()[0])


def _ask_and_wait(url: str, query: str) -> socket.socket:
    """A connection on which a query has been asked."""
    body = urlencode({"LANG": "ADQL", "QUERY": query}).encode()
    connection = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    connection.sendall(
        b"POST /tap/sync HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    return connection


def _until(condition: Callable[[], bool], seconds: float = 30.0) -> float:
    """Waits for something; returns how long it has taken, seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds
        time.sleep(0.02)
    return time.monotonic() - began


def test_queries_end_when_nobody_waits_for_them(fast: str, database: Any) -> None:
    """And meanwhile others are answered."""
    waiting = [_ask_and_wait(fast, SLOW) for _ in range(3)]
    _until(lambda: _running(database) == 3)
    assert _ask(fast, "SELECT TOP 1 granule_id FROM oidb.granule").status == 200
    assert _running(database) == 3
    for connection in waiting:
        connection.close()
    assert _until(lambda: _running(database) == 0) < 10, "far more than the second it should be"
    assert _ask(fast, "SELECT TOP 1 granule_id FROM oidb.granule").status == 200


def test_sessions_that_the_database_has_ended_are_not_missed(fast: str, database: Any) -> None:
    query = "SELECT TOP 1 granule_id FROM oidb.granule"
    for _ in range(3):
        assert _ask(fast, query).status == 200
        database.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE usename = 'untrusted'"
        )
        assert _ask(fast, query).status == 200
        assert client.ask(f"{fast}/oidb/q/cone/scs.xml?RA=0&DEC=0&SR=90").status == 200


def test_errors_have_a_status_of_their_own(fast: str) -> None:
    assert _ask(fast, "SELECT foo").status == 400
    assert _ask(fast, "SELECT TOP 1 1/0 AS x FROM oidb.granule").status == 400
    assert _ask(fast, "SELECT TOP 1 granule_id FROM oidb.granule", "nonsense").status == 400


def test_nobody_reads_or_writes_what_is_not_open(fast: str, instance: Instance) -> None:
    for table in ("dc.users", "oidb.stored_granule", "pg_catalog.pg_authid", "tap_schema.tapjobs"):
        assert _ask(fast, f"SELECT TOP 1 * FROM {table}").status == 400


def test_without_workers_dachs_answers(centre: Centre, instance: Instance) -> None:
    """The nursery of workers is killed: queries are answered, and soon by workers again.

    So they are without the replica that there should be.
    """
    with second.server(instance, {"JMMC_REPLICA": "host=127.0.0.1 port=1"}) as server:
        for number in server.family()[1:]:
            os.kill(number, signal.SIGKILL)
        answer = _ask(server.url, "SELECT TOP 1 granule_id FROM oidb.granule ORDER BY granule_id")
        assert answer.status == 200
        second.await_workers(server.url)


def test_compressed_answers_are_the_same(fast: str) -> None:
    fields = {"LANG": "ADQL", "FORMAT": "csv", "QUERY": QUERIES[2]}
    plain = client.ask(f"{fast}/tap/sync", data=fields)
    packed = client.ask(f"{fast}/tap/sync", data=fields, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.GzipFile(fileobj=io.BytesIO(packed.body)).read() == plain.body
