"""A file of JSDC into the table of q.rd: by PostgreSQL's binary COPY, the whole table at once.

Readers see the old catalogue until the new one is complete. Columns become the fields of the binary
form as arrays: a value of every row at a time, not of every row a value.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from gavo import api, base
from numpy.typing import NDArray
from psycopg2 import sql

from centre.alone import alone as one_at_a_time
from ingest import jsdc, names

#: PostgreSQL's documentation, COPY, "Binary Format".
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
#: Numbers in network byte order by the type of their column in q.rd.
_NUMBERS = {
    "real": ">f4",
    "double precision": ">f8",
    "smallint": ">i2",
    "integer": ">i4",
    "bigint": ">i8",
}
#: Rows that are encoded at once.
_PORTION = 20_000

Column = NDArray[Any]


def alone() -> AbstractContextManager[None]:
    """Keeps two runs from writing at once; raises AtWorkError."""
    return one_at_a_time("jsdc", "JSDC is being loaded already; try again when it is done.")


def load(catalogue: jsdc.Catalogue, follow: Callable[[Any], object]) -> None:
    """Puts a catalogue in the place of the one that is there, in one transaction.

    ``follow`` gets the connection before that is committed: what refers to rows of the catalogue
    changes with them.
    """
    size = len(catalogue)
    columns = {
        **catalogue.columns,
        "star_id": np.arange(1, size + 1),
        "version": np.full(size, catalogue.version),
        "name_key": _keys(catalogue.columns["name"]),
    }
    table = api.getRD("jsdc/q").getById("star")
    types = {column.name: column.type for column in table.columns}
    required = {column.name for column in table.columns if column.required}
    name = sql.Identifier("jsdc", "star")
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        name, sql.SQL(", ").join(map(sql.Identifier, types))
    )
    with base.getWritableAdminConn() as connection:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DELETE FROM {}").format(name))
            cursor.copy_expert(
                statement.as_string(cursor),
                Stream(encoded(columns, types, required, size)),
                size=1 << 16,
            )
            cursor.execute(sql.SQL("ANALYZE {}").format(name))
        follow(connection)
        connection.commit()
        # The rows of before take as much room as the new ones until it is given back.
        connection.set_session(autocommit=True)
        try:
            connection.execute("VACUUM jsdc.star")
        finally:
            connection.set_session(autocommit=False)  # others will have the connection


def encoded(
    columns: Mapping[str, Column], types: Mapping[str, str], required: set[str], size: int
) -> Iterator[bytes]:
    """The rows in the binary form of COPY.

    NaN and empty texts are NULL, but for an empty text in a column that must have a value.
    """
    yield _HEADER
    for start in range(0, size, _PORTION):
        rows = slice(start, min(start + _PORTION, size))
        yield _portion(
            [_field(columns[name][rows], type_, name in required) for name, type_ in types.items()]
        )
    yield _TRAILER


def _portion(fields: Sequence[tuple[NDArray[np.uint8], NDArray[np.bool_]]]) -> bytes:
    """Rows of fields; of each its bytes, and which of them are there."""
    count = np.frombuffer(np.array(len(fields), ">i2").tobytes(), np.uint8)
    size = len(fields[0][0])
    data = np.concatenate([np.tile(count, (size, 1)), *(field for field, _ in fields)], axis=1)
    there = np.concatenate([np.ones((size, 2), bool), *(used for _, used in fields)], axis=1)
    return bytes(data[there].tobytes())


def _field(
    values: Column, type_: str, required: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Length and bytes of a column's values, shape (rows, 4 + width), and which bytes there are."""
    if type_ in _NUMBERS:
        if values.dtype.kind == "S":
            known = values != b""
            values = np.where(known, values, b"0").astype(np.int64)
        else:
            known = ~np.isnan(values)
            values = np.where(known, values, 0)
        data = np.ascontiguousarray(values.astype(_NUMBERS[type_]))
        length = np.where(known, data.dtype.itemsize, -1)
        used = np.broadcast_to(known[:, None], (len(data), data.dtype.itemsize))
    elif type_ == "text":
        data = np.ascontiguousarray(values)
        size = np.char.str_len(data)
        length = size if required else np.where(size > 0, size, -1)
        used = np.arange(data.dtype.itemsize) < size[:, None]
    else:
        raise base.ReportableError(f"No column of the type {type_} can be loaded")
    width = data.dtype.itemsize
    head = np.ascontiguousarray(length.astype(">i4")).view(np.uint8).reshape(-1, 4)
    body = data.view(np.uint8).reshape(-1, width)
    return np.hstack([head, body]), np.hstack([np.ones(head.shape, bool), used])


class Stream(io.RawIOBase):
    """What an iterator of bytes gives, as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """True: it is there to be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Some of it, as COPY asks for; empty at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        found, self._rest = self._rest[:size], self._rest[size:]
        return bytes(found)


def _keys(column: Column) -> Column:
    keys = [(names.key(name) or name).encode() for name in (n.decode() for n in column.tolist())]
    return np.array(keys, np.bytes_) if keys else np.array([], "S1")
