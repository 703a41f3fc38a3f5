"""Rows into the tables of q.rd, whose columns are read from there; one writer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from gavo import api
from psycopg2 import sql
from psycopg2.extras import execute_values

from centre.alone import alone as one_at_a_time

Row = dict[str, Any]


def alone() -> AbstractContextManager[None]:
    """Keeps two runs from writing at once; raises BusyError."""
    return one_at_a_time("jmdc", "Another run works on JMDC; try again when it is done.")


def replace(connection: Any, table: str, rows: Sequence[Row], key: str | None = None) -> None:
    """Makes `rows` all that a table holds; their keys are its columns. The caller commits.

    With `key`, the name of the column that others refer to, rows are only added and updated.
    """
    columns = list(_columns(table))
    name = sql.Identifier("jmdc", table)
    if key is None:
        connection.execute(sql.SQL("DELETE FROM {}").format(name))
    if not rows:
        return
    statement = sql.SQL("INSERT INTO {} ({}) VALUES %s").format(
        name, sql.SQL(", ").join(map(sql.Identifier, columns))
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


def read(connection: Any, table: str) -> list[Row]:
    """All rows of a table."""
    return list(
        connection.queryToDicts(sql.SQL("SELECT * FROM {}").format(sql.Identifier("jmdc", table)))
    )


def now() -> datetime:
    """The time (UTC), as tables hold it."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


@cache
def _columns(table: str) -> tuple[str, ...]:
    """Columns of a table of q.rd; DaCHS looks at the RD's file each time it is asked."""
    return tuple(column.name for column in api.getRD("jmdc/q").getById(table).columns)
