"""Answers of /search.votable and its relatives: rows of search_answer (legacy.rd) as documents.

PostgreSQL makes one text of each row, so that next to nothing is left to do here; an answer of
many rows goes out page by page, each page as soon as the client has taken the one before, while
PostgreSQL makes the next one. A page begins after the last row of the one before it, so next to
nothing is kept between them, and no session, and a client that goes away or falls asleep leaves
nothing behind.
"""

from __future__ import annotations

import csv
import io
import math
import struct
import time
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol
from xml.sax.saxutils import quoteattr

from psycopg2 import sql
from twisted.internet import defer

from obsportal.res import question as questions
from obsportal.res.question import Question
from web.service import Service, form_fields
from web.sessions import Row, Sessions

#: Rows of a page of an answer.
_PAGE = 1000
#: Seconds for which the time of the last change of the log is known.
_FRESH = 5.0
#: Between the cells of a row, and between rows, on the way from PostgreSQL.
_CELL, _ROW = "\x1f", "\x1e"
#: Characters that no XML may have, but those two.
_ILLEGAL = bytes(set(range(32)) - {9, 10, 13, 0x1E, 0x1F})
#: What stands for characters that are markup in XML; the ampersand first.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


# ---------------------------------------------------------------- columns


@dataclass(frozen=True)
class Column:
    """A column of an answer."""

    name: str
    #: As in the RD: text, timestamp, integer or double precision; or json, which is only BASELINES.
    type: str
    unit: str | None = None
    ucd: str | None = None
    #: In the answer even when not all fields are wanted.
    main: bool = True


@cache
def columns() -> tuple[Column, ...]:
    """The columns of search_answer, with the units and UCDs that clients have always got."""
    from gavo import api

    table = api.resolveCrossId("obsportal/legacy#search_answer")
    return tuple(
        Column(
            column.name,
            column.type,
            column.getProperty("formerUnit", column.unit) or None,
            column.getProperty("formerUcd", column.ucd) or None,
            column.verbLevel == 1,
        )
        for column in table.columns
    )


@cache
def wanted(all_fields: bool) -> tuple[Column, ...]:
    """All columns, or the main ones."""
    return tuple(column for column in columns() if all_fields or column.main)


#: Projected baselines as numbers (m; u to the east, v to the north), in JSON only.
BASELINES = Column("baselines", "json")
_BASELINES = sql.SQL(
    "(SELECT COALESCE(json_agg(json_build_object('station1', b.station1, 'station2', b.station2,"
    " 'u_start', b.u_start, 'v_start', b.v_start, 'u_end', b.u_end, 'v_end', b.v_end)), '[]')"
    " FROM obsportal.baseline AS b WHERE b.exposure_id = answer.exp_id)"
)


def _value(column: Column) -> sql.Composable:
    """A column as it is written: times with the zone that they have."""
    if column == BASELINES:
        return _BASELINES
    text = "to_char({}, 'YYYY-MM-DD HH24:MI:SS\"+00:00\"')" if column.type == "timestamp" else "{}"
    return sql.SQL(text).format(sql.Identifier(column.name))


def _cells(found: Sequence[Column], no_number: str) -> sql.Composable:
    """A row as one text."""
    cells = [
        sql.SQL("COALESCE({}::text, {})").format(
            _value(column), sql.Literal(no_number if column.type == "double precision" else "")
        )
        for column in found
    ]
    return sql.SQL("concat_ws({}, {})").format(sql.Literal(_CELL), sql.SQL(", ").join(cells))


# ---------------------------------------------------------------- forms


class Form(Hashable, Protocol):
    """A form of document: what PostgreSQL makes of a row, and what goes around the rows."""

    name: str
    media_type: str

    def row(self, found: Sequence[Column]) -> sql.Composable:
        """The text of a row, as SQL."""

    def head(self, found: Sequence[Column], changed: str) -> bytes:
        """What comes before the rows; `changed` is when the log was last changed."""

    def body(self, rows: Sequence[str], first: bool) -> bytes:
        """Some rows, which are the first ones or not."""

    def tail(self) -> bytes:
        """What comes after the rows."""


class VOTable:
    """The document that the former ObsPortal answered with, to the letter.

    The OiDB of that time finds elements by their namespace only, hence version 1.4's.
    """

    name = "votable"
    media_type = "application/x-votable+xml"
    _types: ClassVar = {"double precision": 'datatype="double"', "integer": 'datatype="int"'}
    _text = 'arraysize="*" datatype="unicodeChar"'

    def row(self, found: Sequence[Column]) -> sql.Composable:
        return _cells(found, "NaN")

    def head(self, found: Sequence[Column], changed: str) -> bytes:
        namespace = "http://www.ivoa.net/xml/VOTable/v1.4"
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<VOTABLE version="1.4" xmlns="{namespace}"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            f' xsi:noNamespaceSchemaLocation="{namespace}">',
            ' <RESOURCE type="results">',
            f'  <PARAM ID="status" {self._text} name="status" value="OK"/>',
            f'  <PARAM ID="last_mod_date" {self._text} name="last_mod_date" value="{changed}"/>',
            "  <TABLE>",
            *map(self._field, found),
            "   <DATA>",
            "    <TABLEDATA>\n",
        ]
        return "\n".join(lines).encode()

    def _field(self, column: Column) -> str:
        kind = self._types.get(column.type, self._text)
        ucd = f" ucd={quoteattr(column.ucd)}" if column.ucd else ""
        unit = f" unit={quoteattr(column.unit)}" if column.unit else ""
        return f'   <FIELD ID="{column.name}" {kind} name="{column.name}"{ucd}{unit}/>'

    def body(self, rows: Sequence[str], first: bool) -> bytes:
        if not rows:
            return b""
        joined = _ROW.join(rows)
        for special, entity in _ENTITIES.items():
            if special in joined:  # looks much faster than replace does
                joined = joined.replace(special, entity)
        text = joined.encode("utf-8").translate(None, _ILLEGAL)
        if not joined.isascii():
            for never in (b"\xef\xbf\xbe", b"\xef\xbf\xbf"):  # U+FFFE, U+FFFF
                text = text.replace(never, b"")
        text = text.replace(_CELL.encode(), b"</TD>\n<TD>")
        text = text.replace(_ROW.encode(), b"</TD>\n</TR>\n<TR>\n<TD>")
        return (b"<TR>\n<TD>" + text + b"</TD>\n</TR>\n").replace(b"<TD></TD>", b"<TD/>")

    def tail(self) -> bytes:
        return b"    </TABLEDATA>\n   </DATA>\n  </TABLE>\n </RESOURCE>\n</VOTABLE>"


class Json:
    """An object with the time of the last change, and the rows as objects; null is unknown."""

    name = "json"
    media_type = "application/json"

    def row(self, found: Sequence[Column]) -> sql.Composable:
        pairs = [sql.SQL("{}, {}").format(sql.Literal(one.name), _value(one)) for one in found]
        return sql.SQL("json_build_object({})::text").format(sql.SQL(", ").join(pairs))

    def head(self, found: Sequence[Column], changed: str) -> bytes:
        return f'{{"last_mod_date": "{changed}", "exposures": ['.encode()

    def body(self, rows: Sequence[str], first: bool) -> bytes:
        return (("\n" if first else ",\n") + ",\n".join(rows)).encode() if rows else b""

    def tail(self) -> bytes:
        return b"\n]}\n"


class Csv:
    """Comma-separated values with a line of names; nothing is unknown."""

    name = "csv"
    media_type = "text/csv; charset=utf-8; header=present"

    def row(self, found: Sequence[Column]) -> sql.Composable:
        return _cells(found, "")

    def head(self, found: Sequence[Column], changed: str) -> bytes:
        return (",".join(column.name for column in found) + "\n").encode()

    def body(self, rows: Sequence[str], first: bool) -> bytes:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(row.split(_CELL) for row in rows)
        return stream.getvalue().encode()

    def tail(self) -> bytes:
        return b""


VOTABLE, JSON, CSV = VOTable(), Json(), Csv()
FORMS: dict[str, Form] = {form.name: form for form in (VOTABLE, JSON, CSV)}


# ---------------------------------------------------------------- rows


@cache
def quick() -> Sessions:
    """Sessions for what is found by an index and small."""
    return Sessions(4, 20)


@cache
def slow() -> Sessions:
    """Sessions for what reads much of the log, so that it never keeps small questions waiting."""
    return Sessions(2, 60)


_ORDER = ("after_mjd", "after_id", "size")


def _statement(
    text: sql.Composable, asked: Question, value: Callable[[str], sql.Composable]
) -> sql.Composable:
    """The SQL of one page of rows; `value` says how the value of a name is written in it.

    Targets come first, of each of them its rows in their order: the planner must not read the log
    in the order of time in the hope to meet a target soon.
    """

    def where(of_targets: bool) -> sql.Composable:
        texts = [
            condition.text.format(**{name: value(name) for name in condition.values})
            for condition in asked.conditions
            if condition.of_targets == of_targets
        ]
        return sql.SQL(" AND ").join(texts or [sql.SQL("TRUE")])

    targets, target = sql.SQL(""), sql.SQL("")
    if asked.of_targets:
        target = sql.SQL("target_id = found.number AND ")
        targets = sql.SQL(
            "(SELECT target_id AS number FROM obsportal.target WHERE {}) AS found"
            " CROSS JOIN LATERAL "
        ).format(where(True))
    return sql.SQL(
        "SELECT line, encode(float8send(mjd), 'hex'), id FROM {targets}("
        "SELECT {row} AS line, exp_mjd_start AS mjd, exp_id AS id"
        " FROM obsportal.search_answer AS answer WHERE {target}{others}"
        " AND (exp_mjd_start, exp_id) > ({after_mjd}, {after_id})"
        " ORDER BY exp_mjd_start, exp_id LIMIT {size}) AS page"
        " ORDER BY mjd, id LIMIT {size}"
    ).format(
        targets=targets,
        row=text,
        target=target,
        others=where(False),
        **{name: value(name) for name in _ORDER},
    )


@dataclass(frozen=True)
class Page:
    """Some rows of an answer, as texts."""

    rows: list[str]
    first: bool
    last: bool


async def pages(asked: Question, name: str, text: sql.Composable) -> AsyncIterator[Page]:
    """The rows asked for in the order of begin.

    `name` stands for `text` among the statements that a session has prepared.
    """
    given = {key: value for one in asked.conditions for key, value in one.values.items()}
    names = [*given, *_ORDER]
    sessions = quick() if asked.of_targets else slow()
    prepare: tuple[str, sql.Composable] | None = None
    if asked.kind is None:
        statement = _statement(text, asked, sql.Placeholder)
    else:
        plan = f"{name}_{asked.kind}"
        number = {key: sql.SQL(f"${place}") for place, key in enumerate(names, 1)}
        body = _statement(text, asked, number.__getitem__)
        prepare = (plan, sql.SQL("PREPARE {} AS {}").format(sql.Identifier(plan), body))
        statement = sql.SQL("EXECUTE {} ({})").format(
            sql.Identifier(plan), sql.SQL(", ").join(map(sql.Placeholder, names))
        )

    def ask(after_mjd: float, after_id: str, size: int) -> defer.Deferred[list[Row]]:
        values = {**given, "after_mjd": after_mjd, "after_id": after_id, "size": size}
        asking: defer.Deferred[list[Row]] = sessions.run(statement, values, prepare)
        return asking

    left = asked.limit or math.inf
    size = int(min(left, _PAGE))
    asking, first, last = ask(-math.inf, "", size), True, False
    try:
        while not last:
            rows = await asking
            left -= len(rows)
            last = len(rows) < size or not left
            if not last:
                size = int(min(left, _PAGE))
                # Fifteen digits are not the number itself, which the next page begins after.
                [mjd] = struct.unpack(">d", bytes.fromhex(rows[-1][1]))
                asking = ask(mjd, rows[-1][2], size)
            yield Page([found[0] for found in rows], first, last)
            first = False
    finally:
        asking.addErrback(lambda _failure: None)  # nobody waits for it any more


class _LastChange:
    """When the log was last changed, asked for every few seconds."""

    def __init__(self) -> None:
        self._text = ""
        self._until = 0.0

    async def get(self) -> str:
        if time.monotonic() > self._until:
            self._until = time.monotonic() + _FRESH
            try:
                found = await quick().run(
                    sql.SQL(
                        "SELECT to_char(MAX(updated), 'YYYY-MM-DD HH24:MI:SS\"+00:00\"')"
                        " FROM obsportal.exposure"
                    ),
                    {},
                )
            except BaseException:
                self._until = 0.0
                raise
            self._text = found[0][0] or ""
        return self._text


last_change = _LastChange()


async def document(
    asked: Question, form: Form, found: tuple[Column, ...], name: str
) -> AsyncIterator[bytes]:
    """The document that answers a question with some columns, in pieces.

    `name` stands for form and columns among the statements that a session has prepared.
    """
    piece = form.head(found, await last_change.get())
    async for page in pages(asked, name, row(form, found)):
        piece += form.body(page.rows, page.first)
        if not page.last:
            yield piece
            piece = b""
    yield piece + form.tail()


@cache
def row(form: Form, found: tuple[Column, ...]) -> sql.Composable:
    """The text of a row, as SQL."""
    return form.row(found)


# ---------------------------------------------------------------- requests


class Search(Service):
    """/search.votable, .json and .csv: exposures by the parameters of question.py."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self._form = form

    def media_type(self, asked: Any) -> str:
        return self._form.media_type

    def read(self, query: bytes, body: bytes, content_type: str) -> Question:
        return questions.question(form_fields(query, body, content_type))

    def pieces(self, asked: Question) -> AsyncIterator[bytes]:
        name = f"{self._form.name}_{'all' if asked.all_fields else 'main'}"
        return document(asked, self._form, wanted(asked.all_fields), name)
