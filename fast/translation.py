"""Translations of ADQL into SQL, and into the frame of the answer, by DaCHS; kept by shape.

DaCHS needs 10 to 30 ms to parse a query and to make the metadata of its answer. What it makes of a
query is kept as a template for all queries of the same shape (shapes.py). Where the literals go is
found out, not assumed: when another query of a shape comes, it is translated once more with
stand-ins in their places. A literal may vary when its stand-in is in the SQL, unchanged, wherever
the literal itself is in the SQL of the query, and when nothing else is different, in the SQL or in
the metadata. Any other literal stays part of the question that the template answers.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from fast import formats, sessions, shapes
from fast.questions import NotForUsError

#: What is kept: translations, of the shapes asked for last; and seconds for which each is.
_KEPT, _SECONDS = 500, 600.0
#: Single literals are tried one by one in queries with no more literals than this.
_TRIED = 12

#: Words in the place of what differs between the answers to queries of one shape.
_SQL, _QUERY, DATE = "qzSQLqz", "qzQUERYqz", "qzDATEqz"
_REQUEST_DATE = re.compile(rb'(<INFO[^>]*name="request_date"[^>]*value=")[^"]*(")')


class Template:
    """Text with places for texts, each named by a key."""

    def __init__(self, parts: Sequence[str], keys: Sequence[Hashable]) -> None:
        self._parts, self._keys = parts, keys

    @classmethod
    def of(cls, text: str, places: dict[str, Hashable]) -> Template:
        """The template of a text in which words stand for what is to be filled in."""
        found = sorted(
            (start, start + len(word), key)
            for word, key in places.items()
            for start in shapes.find(text, word)
        )
        parts, keys, end = [], [], 0
        for start, stop, key in found:
            if start < end:
                raise ValueError("Places of a template lie in one another.")
            parts.append(text[end:start])
            keys.append(key)
            end = stop
        return cls([*parts, text[end:]], keys)

    @property
    def keys(self) -> frozenset[Hashable]:
        """What is filled in."""
        return frozenset(self._keys)

    def fill(self, texts: Callable[[Any], str]) -> str:
        """The text with texts(key) in the places."""
        parts = [self._parts[0]]
        for key, part in zip(self._keys, self._parts[1:], strict=True):
            parts += texts(key), part
        return "".join(parts)


@dataclass(frozen=True)
class Raw:
    """What DaCHS makes of one query."""

    sql: str
    #: gavo.rsc.Data with an empty table of the answer, as TAP has it.
    data: Any

    def frame(self) -> bytes:
        """All of the metadata, with words for what differs between queries anyway."""
        from gavo.formats import votablewrite

        return dated(votablewrite.getAsVOTable(self.data, tablecoding="td", acquireSamples=False))


@dataclass(frozen=True)
class Translation:
    """What answers queries of a shape whose fixed literals are the same."""

    sql: Template
    data: Any
    #: Head of the answer when there is a block form of it (formats.py).
    head: Template | None
    writer: formats.Writer | None
    #: When it was made (time.monotonic).
    made: float


@dataclass(frozen=True)
class Statement:
    """A query that is ready to be run."""

    query: str
    sql: str
    #: The first bytes of the answer, where `writer` is the form of the rest.
    head: bytes
    writer: formats.Writer | None
    #: For DaCHS' own writers, and for its limit of rows.
    data: Any

    def write_with_dachs(self, form: str, connection: Any, file: Any) -> None:
        """Runs the query and writes its answer as DaCHS does, value by value."""
        from gavo import rsc
        from gavo.protocols import taprunner

        empty = self.data.getPrimaryTable()
        doubled = self.sql.replace("%", "%%")  # as DaCHS has it, see centre/site.py
        table = rsc.QueryTable(empty.tableDef, doubled, connection)
        table.meta_ = empty.meta_
        words = {_SQL: doubled, _QUERY: self.query}
        told = [info for info in table.iterMeta("info") if info.infoValue in words]
        kept = [info.infoValue for info in told]
        try:
            for info in told:
                info.infoValue = words[info.infoValue]
            taprunner.writeResultTo(form, taprunner._makeDataFor(table), file)
        finally:  # the next query with this translation is another one
            for info, word in zip(told, kept, strict=True):
                info.infoValue = word


@dataclass(frozen=True)
class Owner:
    """What a process does for its translator."""

    #: Tells the PostgreSQL types (OIDs) of the columns of an SQL query with parameters.
    describe: Callable[..., list[int]]
    #: Is called before something has to be translated, which takes its time.
    tell: Callable[[], None] = lambda: None
    #: Is given what others should know, too: a question that is of a shape that comes again.
    share: Callable[[dict[str, Any]], None] = lambda _question: None


class Translator:
    """Translates queries for one process, and keeps what it has made of them."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self._kept: OrderedDict[Hashable, Translation] = OrderedDict()
        #: Literals of a shape that may not vary, by their numbers; None when that is not known yet.
        self._fixed: OrderedDict[Hashable, frozenset[int] | None] = OrderedDict()

    def forget(self) -> None:
        """Forgets everything: the tables are not what they were."""
        self._kept.clear()
        self._fixed.clear()

    def statement(self, query: str, form: str, limit: int | None) -> Statement:
        """SQL and answer of a query in ADQL, in a format of DaCHS, with at most `limit` rows.

        Raises what DaCHS raises for a query that it cannot translate.
        """
        query = query.replace("\xa0", " ")  # as DaCHS does
        shape, texts = shapes.cut(query)
        kind = (shape, form, limit)
        found = self._find(kind, texts)
        if found is None:
            self.owner.tell()
            found = self._translate(query, kind, shape, texts)
            sessions.close_pools()
            self._keep(kind, texts, found)
            if self._fixed[kind] is not None:
                self.owner.share({"query": query, "form": form, "limit": limit})
        sql = found.sql.fill(lambda number: texts[number])
        return Statement(query, sql, _head(found.head, sql, query), found.writer, found.data)

    def learn(self, query: str, form: str, limit: int | None) -> None:
        """Translates a query of a shape that comes again, to know it when it does."""
        shape, texts = shapes.cut(query)
        kind = (shape, form, limit)
        self._fixed.setdefault(kind, None)
        self._keep(kind, texts, self._translate(query, kind, shape, texts))

    def once(self, query: str, form: str, limit: int | None, tables: Sequence[Any]) -> Statement:
        """The same for a query of tables that are there once only; nothing of it is kept."""
        raw = translate_raw(query, limit, tables)
        head, writer = _frame(raw, form, self.owner.describe)
        return Statement(query, raw.sql, _head(head, raw.sql, query), writer, raw.data)

    def _find(self, kind: Hashable, texts: tuple[str, ...]) -> Translation | None:
        if kind not in self._fixed:
            return None
        self._fixed.move_to_end(kind)
        for fixed in {self._fixed[kind], None}:
            key = _key(kind, fixed, texts)
            found = self._kept.get(key)
            if found is not None and time.monotonic() - found.made < _SECONDS:
                self._kept.move_to_end(key)
                return found
        return None

    def _keep(self, kind: Hashable, texts: tuple[str, ...], found: Translation) -> None:
        """Keeps a translation for all queries that differ in literals that have always varied."""
        if kind in self._fixed:
            fixed = frozenset(range(len(texts))) - found.sql.keys
            fixed |= self._fixed[kind] or frozenset()
            self._fixed[kind] = fixed
            self._kept[_key(kind, fixed, texts)] = found
        else:  # the first query of its shape
            self._fixed[kind] = None
            self._kept[_key(kind, None, texts)] = found
        for kept in (self._kept, self._fixed):
            while len(kept) > _KEPT:
                kept.popitem(last=False)

    def _translate(
        self,
        query: str,
        kind: tuple[shapes.Shape, str, int | None],
        shape: shapes.Shape,
        texts: tuple[str, ...],
    ) -> Translation:
        _, form, limit = kind
        raw = translate_raw(query, limit)
        template = None
        if kind in self._fixed:
            template = self._find_out(raw, shape, texts, limit)
        head, writer = _frame(raw, form, self.owner.describe)
        return Translation(
            template or Template([raw.sql], []), raw.data, head, writer, time.monotonic()
        )

    def _find_out(
        self, raw: Raw, shape: shapes.Shape, texts: tuple[str, ...], limit: int | None
    ) -> Template | None:
        """The SQL with places for the literals that may vary."""
        everything = frozenset(range(len(texts)))
        found = self._vary(raw, shape, texts, everything, limit)
        if found is not None or not 1 < len(texts) <= _TRIED:
            return found
        single = {
            number
            for number in everything
            if self._vary(raw, shape, texts, frozenset({number}), limit) is not None
        }
        return self._vary(raw, shape, texts, frozenset(single), limit)

    def _vary(
        self,
        raw: Raw,
        shape: shapes.Shape,
        texts: tuple[str, ...],
        numbers: frozenset[int],
        limit: int | None,
    ) -> Template | None:
        """The SQL with places for some literals; None when they cannot all vary."""
        if not numbers:
            return Template([raw.sql], [])
        stand_ins = {number: shapes.stand_in(shape.kinds[number], number) for number in numbers}
        tried = tuple(stand_ins.get(number, text) for number, text in enumerate(texts))
        if any(stand_in in raw.sql for stand_in in stand_ins.values()):
            return None
        try:
            other = translate_raw(shape.fill(tried), limit)
            template = Template.of(
                other.sql, {stand_in: number for number, stand_in in stand_ins.items()}
            )
        except Exception:  # whatever DaCHS says to it: these literals are not for us to change
            return None
        same = template.fill(lambda number: texts[number]) == raw.sql
        if same and template.keys == numbers and other.frame() == raw.frame():
            return template
        return None


def dated(document: bytes) -> bytes:
    """A document with the word DATE for the time at which it was asked for."""
    return _REQUEST_DATE.sub(rb"\1%s\2" % DATE.encode(), document)


def today() -> str:
    """The time, as documents have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _key(kind: Hashable, fixed: frozenset[int] | None, texts: tuple[str, ...]) -> Hashable:
    numbers = range(len(texts)) if fixed is None else sorted(fixed)
    return kind, fixed, tuple(texts[number] for number in numbers)


def _head(template: Template | None, sql: str, query: str) -> bytes:
    from gavo.utils import stanxml

    if template is None:
        return b""
    filled = {
        _SQL: stanxml.escapeAttrVal(sql.replace("%", "%%"))[1:-1],
        _QUERY: stanxml.escapeAttrVal(query)[1:-1],
        DATE: today(),
    }
    return template.fill(lambda key: filled[key]).encode()


def _frame(
    raw: Raw, form: str, describe: Callable[[str], list[int]]
) -> tuple[Template | None, formats.Writer | None]:
    """Head and writer of an answer in blocks; None when there is no such form."""
    writer = formats.prepare(form, raw.data, describe(raw.sql))
    if writer is None:
        return None, None
    text = dated(writer.head).decode()
    return Template.of(text, {_SQL: _SQL, _QUERY: _QUERY, DATE: DATE}), writer


def translate_raw(query: str, limit: int | None, tables: Sequence[Any] = ()) -> Raw:
    """What DaCHS makes of a query, perhaps of uploaded tables; needs 10 to 30 ms."""
    from gavo.protocols import adqlglue, taprunner

    translated, table = adqlglue.morphADQL(query, tdsForUploads=tables, maxrec=limit)
    if translated.startswith("CREATE TABLE"):  # one that a user wants to keep
        raise NotForUsError
    for info in table.iterMeta("info"):
        if info.infoName == "sql_query":
            info.infoValue = _SQL
        elif info.infoName == "query":
            info.infoValue = _QUERY
    return Raw(translated.replace("%%", "%"), taprunner._makeDataFor(table))
