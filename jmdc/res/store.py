"""Rows into the tables of q.rd, whose columns are read from there; one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from gavo import api
from psycopg2 import sql
from psycopg2.extras import execute_values

from centre.alone import alone as one_at_a_time

Row = Mapping[str, Any]


def alone() -> AbstractContextManager[None]:
    """Keeps two runs from writing at once; raises AtWorkError."""
    return one_at_a_time("jmdc", "Another run works on JMDC; try again when it is done.")


def replace(connection: Any, table: str, rows: Sequence[Row], key: str | None = None) -> None:
    """Makes `rows` all that a table holds; their keys are its columns. The caller commits.

    With `key`, the name of the column that others refer to, rows are only added and updated.
    """
    if key is None:
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("jmdc", table)))
    _insert(connection, table, _columns("jmdc/q", table), rows, key)


def add(connection: Any, rd: str, table: str, row: Row) -> None:
    """Adds a row to a table, with the columns that its RD names. The caller commits."""
    _insert(connection, table, _columns(rd, table), [row])


def read(connection: Any, table: str) -> list[Row]:
    """All rows of a table."""
    return list(
        connection.queryToDicts(sql.SQL("SELECT * FROM {}").format(sql.Identifier("jmdc", table)))
    )


def new_numbers(connection: Any, sequence: str, last: int) -> Iterator[int]:
    """Numbers above `last` that nobody had before, whatever has become of it meanwhile."""
    name = sql.Identifier("jmdc", sequence)
    connection.execute(sql.SQL("CREATE SEQUENCE IF NOT EXISTS {} AS integer").format(name))
    statement = sql.SQL("SELECT nextval({})").format(sql.Literal(f"jmdc.{sequence}"))
    while True:
        ((number,),) = connection.query(statement)
        if number > last:
            yield int(number)


def now() -> datetime:
    """The time (UTC), as tables hold it."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _insert(
    connection: Any, table: str, columns: Sequence[str], rows: Sequence[Row], key: str | None = None
) -> None:
    """Adds rows; with `key`, those whose key is there already take the place of what was."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES %s").format(
        sql.Identifier("jmdc", table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    if key is not None:
        statement += sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(
            sql.Identifier(key),
            sql.SQL(", ").join(
                sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column))
                for column in columns
                if column != key
            ),
        )
    with connection.cursor() as cursor:
        execute_values(
            cursor, statement, [[row[column] for column in columns] for row in rows], page_size=1000
        )


@cache
def _columns(rd: str, table: str) -> tuple[str, ...]:
    """Columns of a table of an RD; DaCHS looks at the RD's file each time it is asked."""
    return tuple(column.name for column in api.getRD(rd).getById(table).columns)
