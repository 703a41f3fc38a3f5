"""Parameters of searches, the documents made of rows, and lists of targets."""

from __future__ import annotations

import io
import json
import math
import xml.etree.ElementTree as ET
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from astropy.io import votable
from hypothesis import given
from hypothesis import strategies as st

from obsportal.res import answer, batch, coverage, question
from obsportal.res.answer import Column
from obsportal.res.question import Question
from web import parameters
from web.parameters import RefusedError

COLUMNS = (
    Column("exp_id", "text", ucd="meta.id"),
    Column("exp_mjd_start", "double precision", "d", "time.start;obs.exposure"),
    Column("obs_id", "integer", ucd="meta.id"),
    Column("exp_date_updated", "timestamp"),
    Column("target_name", "text"),
)


def ask(text: str) -> Question:
    return question.question(parameters.fields(text.encode()))


def refusal(text: str) -> str:
    with pytest.raises(RefusedError) as caught:
        ask(text)
    return str(caught.value)


def values_of(asked: Question) -> dict[str, Any]:
    return {name: value for one in asked.conditions for name, value in one.values.items()}


# ---------------------------------------------------------------- parameters


def test_aspro2_asks_like_this() -> None:
    asked = ask("ra=279.23473479&dec=1.234E-5&radius=30.0&all_fields=false")
    assert values_of(asked) == {"ra": 279.23473479, "dec": 1.234e-5, "radius": 30.0}
    assert asked.kind == "cone"
    assert not asked.all_fields


def test_oidb_asks_like_this() -> None:
    asked = ask(
        "interferometer=VLTI&date_updated_from=2020-01-01T02:00:00%2B02:00"
        "&date_updated_to=2021-01-01T00:00:00"
    )
    assert values_of(asked) == {
        "interferometer": "VLTI",
        "date_updated_from": datetime(2020, 1, 1),
        "date_updated_to": datetime(2021, 1, 1),
    }
    assert asked.all_fields
    assert asked.kind is None


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T02:00:00+02:00",
        "2020-01-01 00:00:00+00:00",
        "2020-01-01T00:00:00Z",
        "2020-01-01",
    ],
)
@pytest.mark.parametrize("encoded", [True, False])
def test_times_come_with_and_without_zone(text: str, encoded: bool) -> None:
    query = urlencode({"date_updated_from": text}) if encoded else f"date_updated_from={text}"
    assert values_of(ask(query))["date_updated_from"] == datetime(2020, 1, 1)


def test_what_is_not_known_is_ignored() -> None:
    assert values_of(ask("target_id=7&zig=zag&zig=zag&page=x%00")) == {"target_id": 7}


def test_begins_are_mjd() -> None:
    assert values_of(ask("date_from=2026-11-24T12:00:00")) == {"date_from": 61368.5}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Say what you look for"),
        ("all_fields=false&limit=3", "Say what you look for"),
        ("ra=abc&dec=1", "ra must be a number from -180 to 360, not 'abc'"),
        ("ra=NaN&dec=1", "ra must be"),
        ("ra=inf&dec=1", "ra must be"),
        ("ra=1_0&dec=1", "ra must be"),
        ("ra=%D9%A1&dec=1", "ra must be"),
        ("ra=400&dec=1", "ra must be"),
        ("ra=1e400&dec=1", "ra must be"),
        ("ra=1&dec=91", "dec must be a number from -90 to 90"),
        ("ra=1", "dec is missing"),
        ("ra=1&dec=", "dec is missing"),
        ("radius=30", "ra is missing"),
        ("ra=1&dec=2&radius=-1", "radius must be"),
        ("ra=1&dec=2&radius=1e9", "radius must be"),
        ("ra=1&ra=1&dec=2", "ra is given more than once"),
        ("ra=1%00&dec=2", "ra has a control character"),
        ("instrument=GRA%0AVITY", "instrument has a control character"),
        ("instrument=" + "G" * 300, "instrument has more than 256 characters"),
        ("target_id=1;DROP TABLE x", "target_id must be a whole number"),
        ("target_id=99999999999", "target_id must be a whole number"),
        ("target_id=1&limit=0", "limit must be a whole number from 1"),
        ("target_id=1&all_fields=perhaps", "all_fields must be true or false"),
        ("date_updated_from=yesterday", "date_updated_from must be a time"),
        ("date_updated_from=0001-01-01T00:00:00%2B12:00", "date_updated_from must be a time"),
        ("&".join(f"a{n}=1" for n in range(10_000)), "more than 100 parameters"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(query: str, words: str) -> None:
    said = refusal(query)
    assert words in said
    assert "\n" not in said


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_python_reads_them(value: float) -> None:
    given_ = {"x": repr(value)}
    assert parameters.number(given_, "x", -math.inf, math.inf) == value


@given(st.text(max_size=40))
def test_text_is_a_value_or_refused(text: str) -> None:
    query = urlencode({"program_id": text, "target_id": "1"}, errors="replace")
    try:
        found = values_of(ask(query))
    except RefusedError:
        return
    assert found.get("program_id", "") == text.encode(errors="replace").decode().strip()


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_answered_or_refused(query: bytes, body: bytes) -> None:
    with suppress(RefusedError):
        assert question.question(parameters.fields(query, body)).conditions


# ---------------------------------------------------------------- documents


def row(*cells: str) -> str:
    return "\x1f".join(cells)


def test_a_votable_is_that_of_the_former_service() -> None:
    form = answer.VOTABLE
    rows = [
        row("A_1", "59593.44481", "30", "2022-01-14 10:40:32+00:00", "a <&> b"),
        row("B_1", "NaN", "", "", ""),
    ]
    text = form.head(COLUMNS, "2022-01-14 10:40:32+00:00") + form.body(rows, True) + form.tail()
    assert text.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.4"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:noNamespaceSchemaLocation="http://www.ivoa.net/xml/VOTable/v1.4">\n'
        ' <RESOURCE type="results">\n'
        '  <PARAM ID="status" arraysize="*" datatype="unicodeChar" name="status" value="OK"/>\n'
        '  <PARAM ID="last_mod_date" arraysize="*" datatype="unicodeChar" name="last_mod_date"'
        ' value="2022-01-14 10:40:32+00:00"/>\n'
        "  <TABLE>\n"
        '   <FIELD ID="exp_id" arraysize="*" datatype="unicodeChar" name="exp_id"'
        ' ucd="meta.id"/>\n'
        '   <FIELD ID="exp_mjd_start" datatype="double" name="exp_mjd_start"'
        ' ucd="time.start;obs.exposure" unit="d"/>\n'
        '   <FIELD ID="obs_id" datatype="int" name="obs_id" ucd="meta.id"/>\n'
        '   <FIELD ID="exp_date_updated" arraysize="*" datatype="unicodeChar"'
        ' name="exp_date_updated"/>\n'
        '   <FIELD ID="target_name" arraysize="*" datatype="unicodeChar" name="target_name"/>\n'
        "   <DATA>\n"
        "    <TABLEDATA>\n"
        "<TR>\n<TD>A_1</TD>\n<TD>59593.44481</TD>\n<TD>30</TD>\n"
        "<TD>2022-01-14 10:40:32+00:00</TD>\n<TD>a &lt;&amp;&gt; b</TD>\n</TR>\n"
        "<TR>\n<TD>B_1</TD>\n<TD>NaN</TD>\n<TD/>\n<TD/>\n<TD/>\n</TR>\n"
        "    </TABLEDATA>\n   </DATA>\n  </TABLE>\n </RESOURCE>\n</VOTABLE>"
    )


_CELLS = st.text(
    st.characters(max_codepoint=0x2FF, blacklist_characters="\x1e\x1f")
    | st.sampled_from("\ufffd\ufffe\uffff\U0001f52d"),
    max_size=9,
)


@given(st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=4))
def test_any_text_gives_xml_with_its_rows(cells: list[tuple[str, str]]) -> None:
    body = answer.VOTABLE.body([row("A", *pair) for pair in cells], True)
    root = ET.fromstring(b"<r>" + body + b"</r>")
    legal = str.maketrans("", "", "".join(map(chr, {*range(32), 0xFFFE, 0xFFFF} - {9, 10, 13})))
    found = [[cell.text or "" for cell in line] for line in root]
    expected = [["A", *(text.translate(legal) for text in pair)] for pair in cells]
    ends = [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in line] for line in expected]
    assert found == ends


def test_json_of_pages_is_one_list() -> None:
    form = answer.JSON
    text = form.head(COLUMNS, "x") + form.body(['{"a": 1}'], True) + form.body(['{"a": 2}'], False)
    assert json.loads(text + form.tail()) == {
        "last_mod_date": "x",
        "exposures": [{"a": 1}, {"a": 2}],
    }
    assert json.loads(form.head(COLUMNS, "") + form.body([], True) + form.tail())["exposures"] == []


def test_csv_quotes_what_must_be() -> None:
    text = answer.CSV.body([row("a,b", 'say "x"', "", "1")], True)
    assert text == b'"a,b","say ""x""",,1\n'


# ---------------------------------------------------------------- lists of targets


def read(data: str | bytes, content_type: str) -> list[batch.Wanted]:
    raw = data.encode() if isinstance(data, str) else data
    return batch.read(raw, content_type, 30.0)


def test_lists_say_the_same_in_all_forms() -> None:
    expected = [batch.Wanted(1, "Vega", 279.25, 38.75, 30.0), batch.Wanted(2, "", -10.5, 2.0, 5.0)]
    as_csv = "Target_Name,RA,DEC,radius,other\nVega,279.25,38.75,,x\n,-10.5,2,5\n"
    as_json = json.dumps(
        [
            {"name": "Vega", "ra": 279.25, "dec": 38.75},
            {"ra": -10.5, "dec": 2, "radius": 5, "name": None},
        ]
    )
    assert read(as_csv, "text/csv") == expected
    assert read(as_json, "application/json") == expected


def test_names_without_positions_are_looked_for() -> None:
    found = read("name\nHD 45677\n", "text/csv")
    assert found == [batch.Wanted(1, "HD 45677", alias_key=question.alias_key("hd-45677"))]


@pytest.mark.parametrize("version", ["tabledata", "binary", "binary2"])
def test_votables_of_each_serialisation_are_read(version: str) -> None:
    fields = (
        '<FIELD name="MAIN_ID" datatype="char" arraysize="*" ucd="meta.id;meta.main"/>'
        '<FIELD name="alpha" datatype="double" ucd="pos.eq.ra;meta.main" unit="deg"/>'
        '<FIELD name="delta" datatype="double" ucd="pos.eq.dec;meta.main" unit="deg"/>'
    )
    text = (
        '<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        f"{fields}<DATA><TABLEDATA><TR><TD>Vega</TD><TD>279.25</TD><TD>38.75</TD></TR>"
        "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    stream = io.BytesIO()
    votable.parse(io.BytesIO(text.encode())).to_xml(stream, tabledata_format=version)
    found = read(stream.getvalue(), "application/x-votable+xml")
    assert found == [batch.Wanted(1, "Vega", 279.25, 38.75, 30.0)]


@pytest.mark.parametrize(
    ("data", "content_type", "words"),
    [
        ("ra,dec\n", "text/csv", "no targets"),
        ("", "text/csv", "no targets"),
        ("x", "image/png", "Content-Type must say"),
        ("ra,dec\n1,2\n1,95\n", "text/csv", "Target 2 of the list: dec must be"),
        ("ra,dec\n1,2\n,3\n", "text/csv", "Target 2 of the list: ra is missing"),
        ("a,b\n1,2\n", "text/csv", "Target 1 of the list: it has neither name nor position"),
        ("ra,dec,radius\n1,2,1e6\n", "text/csv", "Target 1 of the list: radius must"),
        (b"name\n\xff\n", "text/csv", "not UTF-8"),
        ("{}", "application/json", "must be a JSON list"),
        ("[1]", "application/json", "must be a JSON list"),
        ("[" * 100_000, "application/json", "no JSON"),
        ("<VOTABLE", "text/xml", "cannot be read as a VOTable"),
        ("name\n" + "x\n" * 10_001, "text/csv", "more than 10000 targets"),
    ],
)
def test_bad_lists_are_refused_with_a_reason(
    data: str | bytes, content_type: str, words: str
) -> None:
    with pytest.raises(RefusedError, match=words.replace("(", r"\(")):
        read(data, content_type)


# ---------------------------------------------------------------- pictures


def exposure(instrument: str, *ends: float | None) -> dict[str, Any]:
    names = ("u_start", "v_start", "u_end", "v_end")
    return {"instrument_name": instrument, "baselines": [dict(zip(names, ends, strict=True))]}


def test_tracks_are_drawn_with_their_conjugates() -> None:
    picture = coverage.draw(
        [exposure("GRAVITY", 50.0, 100.0, 60.0, 90.0), exposure("SPICA", None, 1.0, 2.0, 3.0)],
        "a <b> & c",
    )
    root = ET.fromstring(picture)
    paths = [path.get("d", "") for path in root.iter("{http://www.w3.org/2000/svg}path")]
    tracks = [path for path in paths if path.count("L") == 2]
    # The longest, 100 m north, is drawn at the upper edge; east is to the left.
    assert tracks == ["M188.0 56.0L161.6 82.4M452.0 584.0L478.4 557.6"]
    assert "a <b> & c" in "".join(root.itertext())
    assert "GRAVITY: 1" in "".join(root.itertext())
    assert "SPICA" not in "".join(root.itertext())


@given(st.lists(st.floats(-1e4, 1e4), min_size=4, max_size=4))
def test_tracks_stay_in_the_frame(ends: list[float]) -> None:
    root = ET.fromstring(coverage.draw([exposure("GRAVITY", *ends)], "x"))
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        if path.get("stroke") is not None:
            numbers = path.get("d", "").replace("M", " ").replace("L", " ").split()
            assert all(55.9 <= float(number) <= 584.1 for number in numbers)
