#!/usr/bin/python3
"""Writes results as DaCHS does and as fast/formats.py does, and tells where they differ.

Reads JSON from standard input: {"seed": n, "results": n} for tables of random values of all types;
{"tables": n} for n rows of each table that TAP has. Writes JSON: how many documents there were, how
many of them could not be written by either (with the same exception), and those that differ.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from psycopg2 import sql

from centre import account, cluster
from centre.instance import Instance

FORMATS = ("votable", "votableb2", "votabletd", "csv", "csv_bare", "tsv", "json")
# The time of the request is in the document.
DATE = re.compile(rb'(<INFO name="request_date" ucd="time.creation" value=")[^"]*')
# Addresses of objects, where one is written that has no other spelling.
ADDRESS = re.compile(rb"0x[0-9a-f]+")

Document = bytes | tuple[str, str]


@dataclass(frozen=True)
class Column:
    """A column: its type in SQL, the one DaCHS is told, and how a value is written in SQL."""

    name: str
    in_sql: str
    in_rd: str
    make: Callable[[random.Random], str]
    null: str | None = None
    xtype: str | None = None
    hint: str | None = None


def _integer(bits: int) -> Callable[[random.Random], str]:
    limit = 2 ** (bits - 1)
    return lambda dice: str(
        dice.choice([0, 1, -1, limit - 1, -limit, dice.randrange(-limit, limit)])
    )


def _real(dice: random.Random) -> str:
    special = ["NaN", "Infinity", "-Infinity", "0", "-0", "1e-45", "3.4028235e38", "1e10", "0.1"]
    (value,) = struct.unpack("f", dice.randbytes(4))
    return dice.choice(
        [*special, repr(value), f"{dice.uniform(-9, 9):.4f}", str(dice.randrange(99))]
    )


def _double(dice: random.Random) -> str:
    special = [
        "NaN",
        "Infinity",
        "-Infinity",
        "0",
        "-0",
        "5e-324",
        "1.7976931348623157e308",
        "1e23",
    ]
    (value,) = struct.unpack("d", dice.randbytes(8))
    return dice.choice([*special, repr(value), repr(dice.uniform(0, 360)), str(dice.randrange(99))])


def _text(letters: str, most: int = 14) -> Callable[[random.Random], str]:
    return lambda dice: "".join(dice.choices(letters, k=dice.randrange(most + 1)))


ASCII = "abcXYZ 019_-"
TRAPS = ASCII + "<>&\"',;\\\t\n\r\x01\x7f"
WORLD = TRAPS + "äß€\u00a0\u2028\ufeffΩ𝄞"


def _list(
    make: Callable[[random.Random], str], least: int = 0, most: int = 7, gaps: float = 0.1
) -> Callable[[random.Random], str]:
    def make_list(dice: random.Random) -> str:
        elements = [
            "NULL" if dice.random() < gaps else json.dumps(make(dice), ensure_ascii=False)
            for _ in range(dice.randint(least, most))
        ]
        return "{" + ",".join(elements) + "}"

    return make_list


def _nested(dice: random.Random) -> str:
    return "{" + ",".join(_list(_real, 2, 2)(dice) for _ in range(dice.randrange(4))) + "}"


def _pick(*values: str) -> Callable[[random.Random], str]:
    return lambda dice: dice.choice(values)


def _stamp(dice: random.Random) -> str:
    date = f"{dice.randint(1, 9999):04}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    whole = f"{date} {dice.randint(0, 23):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}"
    return dice.choice([whole, f"{whole}.{dice.randrange(10**6):06}", "infinity", "-infinity"])


#: What can always be written.
GOOD = [
    Column("short", "smallint", "smallint", _integer(16), "-9"),
    Column("int", "integer", "integer", _integer(32), "-99"),
    Column("long", "bigint", "bigint", _integer(64), "-9223372036854775808"),
    Column("counted", "bigint", "integer", _integer(32), "-1"),
    Column("widened", "smallint", "bigint", _integer(16), "-1"),
    Column("whole", "bigint", "double precision", _integer(64)),
    Column("real", "real", "real", _real),
    Column("double", "double precision", "double precision", _double),
    Column("average", "numeric", "double precision", _pick("NaN", "1.5", "0.1", "12345678901.25")),
    Column("exact", "real", "double precision", _real),
    Column("narrowed", "double precision", "real", _pick("1.1", "NaN", "-Infinity", "1e-50")),
    Column("truth", "boolean", "boolean", _pick("t", "f")),
    Column("text", "text", "text", _text(ASCII)),
    Column("traps", "text", "text", _text(TRAPS)),
    Column("world", "text", "text", _text(WORLD)),
    Column("much", "text", "text", _text(ASCII, 3000)),
    Column("unicode", "text", "unicode", _text(WORLD.replace("𝄞", ""))),
    Column("astral", "text", "unicode", _text(WORLD)),
    Column("variable", "varchar(20)", "varchar(20)", _text(ASCII)),
    Column("padded", "char(6)", "char(6)", _text(WORLD, 6)),
    Column("cut", "text", "char(3)", _text(ASCII)),
    Column("name", "name", "text", _text(WORLD)),
    Column("stamp", "timestamp", "timestamp", _stamp, xtype="timestamp"),
    Column("plain_stamp", "timestamp", "timestamp", _stamp),
    Column("t_mjd", "timestamp", "timestamp", _pick("2020-01-02 03:04:05.5", "1858-11-17 00:00")),
    Column("day", "date", "date", _pick("2000-01-01", "1999-12-31", "0001-01-01", "infinity")),
    Column("time", "time", "time", _pick("00:00:00", "23:59:59.5")),
    Column("reals", "real[]", "real[]", _list(_real)),
    Column("whole_reals", "real[]", "real[]", _list(_real, gaps=0)),
    Column("six", "real[]", "real[6]", _list(_real, 5, 7, 0.03)),
    Column("doubles", "double precision[]", "double precision[]", _list(_double)),
    Column("exact_reals", "real[]", "double precision[]", _list(_real)),
    Column("ints", "integer[]", "integer[]", _list(_integer(32)), "-1"),
    Column("longs", "bigint[]", "bigint[2]", _list(_integer(64), 2, 2, 0), "-1"),
    Column("nested", "real[]", "real[2][*]", _nested),
    Column("texts", "text[]", "text[]", _list(_text(ASCII), gaps=0)),
    Column("truths", "boolean[]", "boolean[]", _list(_pick("t", "f"))),
    Column("point", "spoint", "spoint", _pick("(0,0)", "(1.5,-0.5)")),
    Column("circle", "scircle", "scircle", _pick("<(1,0.5),0.1>")),
    Column("polygon", "spoly", "spoly", _pick("{(0,0),(1,0),(1,1)}")),
    Column("range", "int4range", "int4range", _pick("[1,5)", "(2,9]"), xtype="interval"),
    Column("json", "json", "json", _pick('{"a": [1, null, "ü"]}', "[]", '"text"')),
    Column("product", "text", "text", _pick("http://a.b/c", "data/x.fits"), hint="product"),
    Column("scrubbed", "text", "text", _pick("<b>x</b>", "plain"), hint="keephtml"),
    Column("byte", "bytea", "bytea", _pick("\\x00", "\\xff"), "255"),
]  # fmt: skip
#: What some formats refuse for some values.
BAD = [
    Column("no_null", "integer", "integer", _integer(32)),
    Column("too_long", "bigint", "integer", _integer(64), "-1"),
    Column("no_number", "text", "integer", _text(ASCII), "-1"),
    Column("no_integer", "double precision", "integer", _double, "-1"),
    Column("too_large", "double precision", "real", _double),
    Column("ancient", "date", "date", _pick("2000-01-01", "0044-03-15 BC"), xtype="timestamp"),
    Column("far", "timestamp", "timestamp", _pick("2000-01-01 00:00:00", "12020-01-01 00:00:00")),
    Column("bytes", "bytea", "bytea", _pick("\\x0001", "\\x", "\\x41"), "255"),
    Column("table", "integer[]", "integer[]", _pick("{{1,2},{3,4}}", "{1,2}", "{}"), "-1"),
    Column("number", "integer", "text", _integer(32)),
    Column("no_truth", "boolean", "integer", _pick("t", "f"), "-1"),
]  # fmt: skip


def main() -> None:
    """Does it in the instance of the environment."""
    instance = Instance.from_environment()
    account.leave_root(instance.root)
    given = json.load(sys.stdin)
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from gavo import base

        from centre import site

        site.read_literals_as_sql()
        site.use_position_indexes()
        told: dict[str, Any] = {"documents": 0, "refused": 0, "different": []}
        with base.getWritableAdminConn() as connection:
            if "tables" in given:
                results = _published(connection, given["tables"])
            else:
                results = _random(connection, random.Random(given["seed"]), given["results"])
            for what, table_of, query in results:
                for form in FORMATS:
                    _compare(connection, what, form, table_of, query, told)
            connection.rollback()
    print(json.dumps(told))


def _random(
    connection: Any, dice: random.Random, count: int
) -> Iterator[tuple[str, Callable[[], Any], str]]:
    """Results of random columns with random values: a name, what makes its table, its SQL."""
    from gavo import base, rsc, rscdef

    rd = base.resolveCrossId("//tap#run").rd
    for number in range(count):
        columns = dice.sample(GOOD, dice.randint(1, 11))
        if dice.random() < 0.3:
            columns.append(dice.choice(BAD))
        size = dice.choice([0, 1, 5, 23, 24, 25, 70])
        name = f"written_{number}"
        _fill(connection, dice, name, columns, size)
        limit = dice.choice([size, size + 1, 1000])
        warn = dice.random() < 0.2

        def make(columns: list[Column] = columns, limit: int = limit, warn: bool = warn) -> Any:
            definition = base.makeStruct(
                rscdef.TableDef,
                id="written",
                columns=[_make_column(column) for column in columns],
                parent_=rd,
            )
            definition.overflowLimit = limit
            table = rsc.TableForDef(definition)
            if warn:
                table.addMeta("_warning", 'Beware of "data": []')
            return table

        types = ", ".join(f"{column.in_sql} as {column.in_rd}" for column in columns)
        yield f"{size} rows of {types}", make, f"SELECT * FROM {name}"


def _fill(
    connection: Any, dice: random.Random, name: str, columns: list[Column], size: int
) -> None:
    fields = [
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.in_sql))
        for column in columns
    ]
    connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(
            sql.Identifier(name), sql.SQL(", ").join(fields)
        ).as_string(connection)
    )  # fmt: skip
    gaps = [dice.choice([0, 0, 0.3, 1]) for _ in columns]
    cursor = connection.cursor()
    values = sql.SQL(", ").join(
        sql.SQL("%s::text::{}").format(sql.SQL(column.in_sql)) for column in columns
    )
    insert = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(name), values)
    for _ in range(size):
        row = [
            None if dice.random() < gap else column.make(dice)
            for column, gap in zip(columns, gaps, strict=True)
        ]
        cursor.execute(insert, row)


def _make_column(column: Column) -> Any:
    from gavo import base, rscdef

    parts: dict[str, Any] = {
        "name": column.name,
        "type": column.in_rd,
        "description": f'<{column.name}> & "more"',
    }
    if column.null:
        parts["values"] = base.makeStruct(rscdef.Values, nullLiteral=column.null)
    if column.xtype:
        parts["xtype"] = column.xtype
    if column.hint:
        parts["displayHint"] = {"type": column.hint}
    return base.makeStruct(rscdef.Column, **parts)


#: Types of which rows can be put in order.
_SORTABLE = {
    "text", "unicode", "smallint", "integer", "bigint", "real", "double precision", "date",
    "timestamp",
}  # fmt: skip


def _published(connection: Any, rows: int) -> Iterator[tuple[str, Callable[[], Any], str]]:
    """All columns of each table that TAP has, as ADQL gets them."""
    from gavo import base, rsc
    from gavo.protocols import adqlglue

    names = [name for (name,) in connection.query("SELECT table_name FROM tap_schema.tables")]
    for name in sorted(names):
        # Rows that are not in order may come in another one the next time.
        columns = base.caches.getMTH(None).getTableDefForTable(name).columns
        sortable = [n + 1 for n, column in enumerate(columns) if column.type in _SORTABLE]
        order = ", ".join(map(str, sortable))
        query, table = adqlglue.morphADQL(f"SELECT TOP {rows} * FROM {name} ORDER BY {order}")

        def make(table: Any = table) -> Any:
            copied = rsc.TableForDef(table.tableDef)
            copied.meta_ = table.meta_.copy()
            return copied

        yield name, make, query


def _compare(
    connection: Any,
    what: str,
    form: str,
    table_of: Callable[[], Any],
    query: str,
    told: dict[str, Any],
) -> None:
    """Writes a result in both ways, and notes where they differ."""
    connection.execute("SAVEPOINT before")
    stock = _outcome(lambda: _by_dachs(connection, form, table_of(), query))
    connection.execute("ROLLBACK TO SAVEPOINT before")
    told["documents"] += 1
    told["refused"] += isinstance(stock, tuple)
    for size in (1000, 7):
        written = _outcome(partial(_by_blocks, connection, form, table_of(), query, size))
        if written != stock:
            place, here, there = _difference(stock, written)
            told["different"].append(
                f"{form}, {what}, in blocks of {size}, at {place}: {there} for {here}"
            )
            return


def _outcome(write: Callable[[], bytes]) -> Document:
    """A document without what differs between any two of them, or the exception for it."""
    try:
        return ADDRESS.sub(b"0x", DATE.sub(rb"\1", write()))
    except Exception as error:
        return type(error).__name__, ADDRESS.sub(b"0x", str(error).encode()).decode()


def _difference(stock: Document, written: Document) -> tuple[int, Any, Any]:
    if not isinstance(stock, bytes) or not isinstance(written, bytes):
        return 0, stock[:200], written[:200]
    pairs = enumerate(zip(stock, written, strict=False))
    place = next((at for at, (here, there) in pairs if here != there), 0)
    part = slice(max(0, place - 40), place + 40)
    return place, stock[part], written[part]


def _by_dachs(connection: Any, form: str, empty: Any, query: str) -> bytes:
    from gavo import rsc
    from gavo.protocols import taprunner

    table = rsc.QueryTable(empty.tableDef, query, connection)
    table.meta_ = empty.meta_
    written = io.BytesIO()
    taprunner.writeResultTo(form, taprunner._makeDataFor(table), written)
    return written.getvalue()


class _Messages(list[bytes]):
    write = list.append


def _by_blocks(connection: Any, form: str, empty: Any, query: str, size: int) -> bytes:
    from gavo.protocols import taprunner

    from fast import blocks, formats

    cursor = connection.cursor()
    cursor.execute(f"SELECT * FROM ({query}) AS q LIMIT 0")
    oids = [column.type_code for column in cursor.description]
    writer = formats.prepare(form, taprunner._makeDataFor(empty), oids)
    assert writer is not None, f"no {form} of types {oids}"
    names = [sql.Identifier(f"c{number}") for number in range(len(oids))]
    fields = [
        sql.SQL("{}::text").format(name) if as_text else name
        for name, as_text in zip(names, writer.as_text, strict=True)
    ]
    copy = sql.SQL("COPY (SELECT {} FROM ({}) AS q ({})) TO STDOUT (FORMAT binary)").format(
        sql.SQL(", ").join(fields), sql.SQL(query), sql.SQL(", ").join(names)
    )
    messages = _Messages()
    cursor.copy_expert(copy, messages)
    writer = writer.anew()
    rows = [writer.rows(messages[first : first + size]) for first in range(0, len(messages), size)]
    reached = len(blocks.without_frame(messages)) >= empty.tableDef.overflowLimit
    tail = writer.overflow_tail if reached else writer.tail
    return writer.head + b"".join(rows) + writer.end() + tail


if __name__ == "__main__":
    main()
