"""Blocks of rows as PostgreSQL sends them in binary COPY, taken apart and put together anew.

A row of PostgreSQL's binary COPY is an int16 with the number of fields and, for each field, an
int32 with the size of its value in bytes (-1: NULL) and the value as the type's send function
writes it, all big-endian. A row of VOTable's BINARY and BINARY2 (VOTable 1.5, section 5) is the
values without those sizes, with a count before what has no fixed length. Numbers are the same bytes
in both; so whole columns are moved, without a Python object for any value:

* `Block` finds where each value of each field is: the place of field k + 1 is the place of field k
  plus 4 plus its size, for all rows at once.
* The encoders (`numbers`, `booleans`, `texts`, `arrays`) make of a `Field` the pieces of bytes it
  contributes to each row: `Fixed` when each row has as many, `Ragged` else. They answer None when
  the values of this block are not for them (text that is not ASCII, a number that does not fit, a
  NULL for which there is no value); the caller then goes value by value.
* `join` lays the pieces of all columns side by side into rows.

The trick in all of it: numpy reads and writes items of any size at any byte when an array of that
item has a stride of 1 byte. A variable number of bytes is moved as two items of the largest power
of two that fits, one at its begin and one at its end, which overlap.

`VALUES` and `FIELDS` have what gives Python values, for what goes value by value and for formats
made of text. `split` is there for a few rows, for which arrays do not pay.

Nothing here knows DaCHS. Errors: ValueError when bytes are not what the types say.
"""

from __future__ import annotations

import datetime
import functools
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]
Values: TypeAlias = list[Any]

# Object identifiers of PostgreSQL's types (pg_type.dat); they never change.
BOOL, BYTEA, INT8, INT2, INT4, FLOAT4, FLOAT8 = 16, 17, 20, 21, 23, 700, 701
CHAR, NAME, TEXT, UNKNOWN, BPCHAR, VARCHAR = 18, 19, 25, 705, 1042, 1043
DATE, TIMESTAMP, NUMERIC = 1082, 1114, 1700
INT2_ARRAY, INT4_ARRAY, INT8_ARRAY, FLOAT4_ARRAY, FLOAT8_ARRAY = 1005, 1007, 1016, 1021, 1022
TEXT_ARRAY, BPCHAR_ARRAY, VARCHAR_ARRAY, NAME_ARRAY = 1009, 1014, 1015, 1003

#: How numbers are sent.
NUMBERS = {
    oid: np.dtype(code)
    for oid, code in {INT2: ">i2", INT4: ">i4", INT8: ">i8", FLOAT4: ">f4", FLOAT8: ">f8"}.items()
}
#: Types that are sent as the bytes of their text.
TEXTS = frozenset({CHAR, NAME, TEXT, UNKNOWN, BPCHAR, VARCHAR})
#: Arrays that are understood, with the type of their elements.
ARRAYS = {
    INT2_ARRAY: INT2, INT4_ARRAY: INT4, INT8_ARRAY: INT8, FLOAT4_ARRAY: FLOAT4,
    FLOAT8_ARRAY: FLOAT8, TEXT_ARRAY: TEXT, BPCHAR_ARRAY: BPCHAR, VARCHAR_ARRAY: VARCHAR,
    NAME_ARRAY: NAME,
}  # fmt: skip

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_TRAILER = b"\xff\xff"
_INT32 = np.dtype(">i4")
# Places of numbers may be read where a NULL at the end of a block has none.
_SLACK = bytes(16)
#: Below so many rows, loops are quicker than what it takes to set up operations on arrays.
FEW = 24
# Bytes before the elements of an array of one dimension, and of one that has none.
_ARRAY_HEAD = 20
_EMPTY_ARRAY = 12
_NOTHING = np.empty(0, np.uint8)
# PostgreSQL's zero, and how long it is after that of numpy.
_MILLENNIUM = datetime.datetime(2000, 1, 1)
_EPOCH = {"D": 10_957, "us": 10_957 * 86_400_000_000}


# Taking apart


class Block:
    """Rows of a COPY. Header and trailer of the stream may be among the messages.

    `fields` has what was sent for each column, `rows` is the number of rows. ValueError when they
    are not rows of `width` fields.
    """

    def __init__(self, messages: Sequence[bytes], width: int) -> None:
        rows = without_frame(messages)
        self.rows = len(rows)
        raw = b"".join([*rows, _SLACK])
        data = np.frombuffer(raw, np.uint8)
        ends = np.cumsum(np.fromiter(map(len, rows), np.int64, self.rows))
        place = np.zeros(self.rows, np.int64)
        place[1:] = ends[:-1]
        if (_items(data, np.dtype(">i2"))[place] != width).any():
            raise ValueError(f"rows that do not have {width} fields")
        place += 2
        heads = _items(data, _INT32)
        self.fields = []
        for _ in range(width):
            try:
                sizes = heads[place].astype(np.int64)
            except IndexError:
                raise ValueError(f"rows that end before their {width} fields do") from None
            place = place + 4
            self.fields.append(Field(raw, data, place, sizes))
            place = place + np.maximum(sizes, 0)
        if not np.array_equal(place, ends):
            raise ValueError(f"rows that do not have {width} fields")


@dataclass(frozen=True)
class Field:
    """One field of all rows of a block.

    The value of row i is data[starts[i] : starts[i] + sizes[i]]; sizes[i] is -1 where it is NULL.
    raw is the same bytes as data.
    """

    raw: bytes
    data: Bytes
    starts: Places
    sizes: Places

    @functools.cached_property
    def nulls(self) -> NDArray[np.bool_] | None:
        """Which values are NULL; None when none is."""
        nulls = self.sizes < 0
        return nulls if nulls.any() else None

    def numbers(self, kind: np.dtype[Any]) -> NDArray[Any]:
        """The values, which are all of this kind; 0 where they are NULL."""
        values: NDArray[Any] = _items(self.data, kind)[self.starts]
        wrong = self.sizes != kind.itemsize
        if wrong.any():
            if self.nulls is None or (wrong != self.nulls).any():
                raise ValueError(f"values that do not have {kind.itemsize} bytes")
            values[wrong] = 0
        return values

    def packed(self, gap: int = 0) -> tuple[Bytes, Places, Places]:
        """The values one after the other, with gaps of zeros between them: bytes, starts, sizes."""
        sizes = np.maximum(self.sizes, 0)
        steps = sizes + gap if gap else sizes
        ends = np.cumsum(steps)
        starts = ends - steps
        packed = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
        _copy(packed, starts, self.data, self.starts, sizes)
        return packed, starts, sizes

    def each(self) -> Iterator[bytes | None]:
        """The bytes of each value."""
        for start, size in zip(self.starts.tolist(), self.sizes.tolist(), strict=True):
            yield None if size < 0 else self.raw[start : start + size]


def without_frame(messages: Sequence[bytes]) -> Sequence[bytes]:
    """Messages without the header and the trailer of the stream, if they are there."""
    rows = messages
    if rows and rows[0].startswith(_SIGNATURE):
        start = len(_SIGNATURE) + 8
        start += int.from_bytes(rows[0][start - 4 : start], "big")
        first = rows[0][start:]
        rows = [first, *rows[1:]] if first else rows[1:]
    return rows[:-1] if rows and rows[-1] == _TRAILER else rows


def _items(data: Bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    """An array whose element i is the item of this kind that begins at byte i."""
    return np.ndarray((max(0, data.size - kind.itemsize + 1),), kind, data, strides=(1,))


def _item(size: int) -> np.dtype[Any]:
    """Items of any size; numpy moves those that are numbers twice as fast."""
    return _WORDS[size] if size in _WORDS else np.dtype((np.void, size))


_WORDS = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}


def _copy(target: Bytes, to: Places, data: Bytes, starts: Places, sizes: Places) -> None:
    """Copies sizes[i] bytes of data from starts[i] to to[i] of target."""
    if len(sizes) < FEW:
        moves = zip(to.tolist(), starts.tolist(), sizes.tolist(), strict=True)
        for place, start, size in moves:
            target[place : place + size] = data[start : start + size]
        return
    least, most = int(sizes.min()), int(sizes.max())
    power = 1 << max(0, least.bit_length() - 1)
    while power <= most:
        item = _item(power)
        source, sink = _items(data, item), _items(target, item)
        if power <= least and most < 2 * power:
            places, begins, rest = to, starts, sizes - power
        else:
            rows = np.flatnonzero((sizes >= power) & (sizes < 2 * power))
            places, begins, rest = to[rows], starts[rows], sizes[rows] - power
        if len(rest):
            sink[places] = source[begins]
            if rest.any():
                sink[places + rest] = source[begins + rest]
        power *= 2


# Putting together


@dataclass(frozen=True)
class Fixed:
    """A piece of each row that has as many bytes in all of them: an array of one item a row."""

    values: NDArray[Any]

    @property
    def sizes(self) -> int:
        """Bytes in a row."""
        return int(self.values.itemsize)

    def write(self, target: Bytes, places: Places) -> None:
        """Puts the pieces to these places."""
        _items(target, self.values.dtype)[places] = self.values


@dataclass(frozen=True)
class Ragged:
    """A piece of each row that is data[starts : starts + sizes]."""

    data: Bytes
    starts: Places
    sizes: Places

    def write(self, target: Bytes, places: Places) -> None:
        """Puts the pieces to these places."""
        _copy(target, places, self.data, self.starts, self.sizes)


Piece: TypeAlias = Fixed | Ragged


def join(pieces: Sequence[Piece], rows: int) -> bytes:
    """The bytes of all rows, each of which is its pieces one after the other."""
    if not rows:
        return b""
    fixed = sum(piece.sizes for piece in pieces if isinstance(piece, Fixed))
    sizes = np.full(rows, fixed, np.int64)
    for piece in pieces:
        if isinstance(piece, Ragged):
            sizes += piece.sizes
    ends = np.cumsum(sizes)
    target = np.empty(int(ends[-1]), np.uint8)
    places = ends - sizes
    for piece in pieces:
        piece.write(target, places)
        places += piece.sizes
    return target.tobytes()


def null_flags(nulls: Sequence[NDArray[np.bool_] | None], rows: int) -> Fixed:
    """BINARY2's bits for NULL, the first column in the highest bit of the first byte."""
    flags = np.zeros((rows, len(nulls)), np.bool_)
    for column, found in enumerate(nulls):
        if found is not None:
            flags[:, column] = found
    return Fixed(_rows_as_items(np.packbits(flags, axis=1)))


def _rows_as_items(matrix: NDArray[Any]) -> NDArray[Any]:
    """An array with each row of a matrix as one item."""
    contiguous = np.ascontiguousarray(matrix)
    size = contiguous.itemsize * contiguous.shape[1]
    return np.ndarray((len(contiguous),), _item(size), contiguous)


# Encoders: a field in, pieces of rows out


def numbers(
    field: Field, source: np.dtype[Any], target: np.dtype[Any], null: bytes | None
) -> list[Piece] | None:
    """Numbers of PostgreSQL's kind `source` as numbers of VOTable's kind `target`.

    `null` is what stands for NULL. None when a NULL has no such bytes, or a value does not fit.
    """
    values = field.numbers(source)
    if source != target:
        converted = _converted(values, target)
        if converted is None:
            return None
        values = converted
    if target.kind == "f":
        _make_nans_equal(values)
    if field.nulls is not None:
        if null is None:
            return None
        values[field.nulls] = np.frombuffer(null, target)[0]
    return [Fixed(values)]


def _converted(values: NDArray[Any], target: np.dtype[Any]) -> NDArray[Any] | None:
    """Values as another kind of number, as struct.pack does it; None when it would refuse."""
    if target.kind == "i":
        if values.dtype.kind != "i":
            return None
        limits = np.iinfo(target)
        if len(values) and (values.min() < limits.min or values.max() > limits.max):
            return None
        return values.astype(target)
    doubles = values.astype(">f8")
    with np.errstate(over="ignore"):
        converted = doubles.astype(target)
    if (np.isinf(converted) & ~np.isinf(doubles)).any():
        return None
    return converted


def _make_nans_equal(values: NDArray[Any]) -> None:
    """Gives all NaNs the bits that Python gives them; PostgreSQL keeps those it was sent."""
    found = np.isnan(values)
    if found.any():
        values[found] = np.nan


def booleans(field: Field, null: bytes | None) -> list[Piece] | None:
    """Truth values as the characters 1 and 0."""
    values = field.numbers(np.dtype(np.uint8)) + np.uint8(ord("0"))
    if field.nulls is not None:
        if null is None:
            return None
        values[field.nulls] = null[0]
    return [Fixed(values)]


def texts(field: Field, length: int | None, pad: bytes, null: bytes | None) -> list[Piece] | None:
    """ASCII text: a count and characters when length is None, else so many characters.

    Longer text is cut, shorter is filled with pad. None when there is other text than ASCII.
    """
    if field.nulls is not None and (null is None or (length is None and null != bytes(4))):
        return None
    packed, starts, sizes = field.packed()
    if not _is_ascii(packed):
        return None
    if length is None:
        return [Fixed(sizes.astype(_INT32)), Ragged(packed, starts, sizes)]
    rows = len(sizes)
    matrix = np.full((rows, length), pad[0], np.uint8)
    _copy(matrix.reshape(-1), np.arange(rows) * length, packed, starts, np.minimum(sizes, length))
    if field.nulls is not None and null is not None:
        matrix[field.nulls] = np.frombuffer(null, np.uint8)
    return [Fixed(_rows_as_items(matrix))]


def _is_ascii(data: Bytes) -> bool:
    return not data.size or int(data.max()) < 128


def arrays(
    field: Field,
    kind: np.dtype[Any],
    length: int | None,
    null: bytes,
    encode_other: Callable[[bytes], bytes],
) -> list[Piece]:
    """Arrays of one dimension, of numbers of one kind: a count and elements, or `length` elements.

    Arrays of any other shape (with NULLs among the elements, more dimensions, another length than
    there must be) are left to encode_other, which gets and gives the bytes of one value.
    """
    parts: list[tuple[Places, Bytes]] = []
    left = np.ones(len(field.sizes), np.bool_)
    for size in np.unique(field.sizes).tolist():
        rows, elements = _regular(field, np.flatnonzero(field.sizes == size), size, kind)
        count = elements.shape[1]
        if not len(rows) or length not in (None, count):
            continue
        if kind.kind == "f":
            _make_nans_equal(elements)
        matrix: Bytes = elements.view(np.uint8).reshape(len(rows), count * kind.itemsize)
        if length is None:
            head = np.frombuffer(count.to_bytes(4, "big"), np.uint8)
            matrix = np.hstack([np.broadcast_to(head, (len(rows), 4)), matrix])
        parts.append((rows, matrix))
        left[rows] = False
    if len(parts) == 1 and not left.any():
        return [Fixed(_rows_as_items(parts[0][1]))]
    if field.nulls is not None:
        rows = np.flatnonzero(field.nulls)
        parts.append((rows, np.tile(np.frombuffer(null, np.uint8), (len(rows), 1))))
        left[rows] = False
    for row in np.flatnonzero(left).tolist():
        start, size = int(field.starts[row]), int(field.sizes[row])
        other = encode_other(field.raw[start : start + size])
        parts.append((np.array([row]), np.frombuffer(other, np.uint8)[None, :]))
    return [_scattered(parts, len(field.sizes))]


def _regular(
    field: Field, rows: Places, size: int, kind: np.dtype[Any]
) -> tuple[Places, NDArray[Any]]:
    """Those of the rows, which have `size` bytes, that are of one dimension without NULLs.

    With the elements, a line for each of them.
    """
    if size == _EMPTY_ARRAY:
        return rows, np.empty((len(rows), 0), kind)
    element = np.dtype([("size", _INT32), ("value", kind)])
    count, rest = divmod(size - _ARRAY_HEAD, element.itemsize)
    if count < 1 or rest:
        return rows[:0], np.empty((0, 0), kind)
    # An array begins with: one dimension, no NULLs, type of elements, their number, first index.
    starts = field.starts[rows]
    one = _items(field.data, np.dtype(">i8"))[starts] == 1 << 32
    one &= _items(field.data, _INT32)[starts + 12] == count
    if not one.all():
        rows, starts = rows[one], starts[one]
    body = _items(field.data, _item(size - _ARRAY_HEAD))[starts + _ARRAY_HEAD]
    return rows, np.ascontiguousarray(body.view(element)["value"]).reshape(len(rows), count)


def _scattered(parts: Sequence[tuple[Places, Bytes]], rows: int) -> Ragged:
    """Pieces of rows from lines of several matrices, each of which has the bytes of some rows."""
    starts, sizes = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    begin = 0
    for places, matrix in parts:
        width = matrix.shape[1]
        starts[places] = begin + np.arange(len(places)) * width
        sizes[places] = width
        begin += matrix.size
    data = np.concatenate([matrix.reshape(-1) for _, matrix in parts]) if parts else _NOTHING
    return Ragged(data, starts, sizes)


def values(encoded: Sequence[bytes]) -> list[Piece]:
    """Pieces that were made value by value."""
    sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
    ends = np.cumsum(sizes)
    return [Ragged(np.frombuffer(b"".join(encoded), np.uint8), ends - sizes, sizes)]


def characters(strings: Sequence[str | None], encoding: str) -> list[Piece] | None:
    """A count and characters in ascii (? for others) or utf-16be; nothing for None.

    None when a character of utf-16be takes more than 2 bytes, of which VOTable knows nothing.
    """
    whole = [string or "" for string in strings]
    counts = np.fromiter(map(len, whole), np.int64, len(whole))
    data = "".join(whole).encode(encoding, "replace")
    width = 2 if encoding == "utf-16be" else 1
    sizes = counts * width
    ends = np.cumsum(sizes)
    if len(ends) and len(data) != ends[-1]:
        return None
    return [
        Fixed(counts.astype(_INT32)), Ragged(np.frombuffer(data, np.uint8), ends - sizes, sizes)
    ]  # fmt: skip


# Python values: those that psycopg2 gives, but for real numbers


def split(messages: Sequence[bytes], width: int) -> list[Sequence[bytes | None]]:
    """The bytes of each value, by field: what a Block has, for a few rows.

    ValueError when these are not rows of `width` fields.
    """
    rows = []
    for message in without_frame(messages):
        row: list[bytes | None] = []
        place = 2
        while place < len(message):
            start = place + 4
            size = int.from_bytes(message[place:start], "big", signed=True)
            place = start + size if size > 0 else start
            row.append(message[start:place] if size >= 0 else None)
        told = int.from_bytes(message[:2], "big")
        if told != width or len(row) != width or place != len(message):
            raise ValueError(f"a row that does not have {width} fields")
        rows.append(row)
    return list(zip(*rows, strict=True)) if rows else [()] * width


def decode_timestamp(value: bytes) -> datetime.datetime:
    """The first and the last datetime there is stand for -infinity and infinity.

    Raises ValueError for a year that Python does not have.
    """
    microseconds = int.from_bytes(value, "big", signed=True)
    try:
        return _MILLENNIUM + datetime.timedelta(microseconds=microseconds)
    except OverflowError:
        return cast(datetime.datetime, _times(np.frombuffer(value, ">i8"), "us")[0])


def decode_date(value: bytes) -> datetime.date:
    """As decode_timestamp."""
    days = int.from_bytes(value, "big", signed=True)
    try:
        return _MILLENNIUM.date() + datetime.timedelta(days=days)
    except OverflowError:
        return cast(datetime.date, _times(np.frombuffer(value, ">i4"), "D")[0])


def decode_array(value: bytes, decode: Callable[[bytes], Any]) -> Values:
    """A list of elements, and of lists for more dimensions, with None for NULL."""
    dimensions = int.from_bytes(value[:4], "big")
    if not dimensions:
        return []
    lengths = [head[0] for head in struct.iter_unpack(">ii", value[12 : 12 + 8 * dimensions])]
    elements: Values = []
    place = 12 + 8 * dimensions
    while place < len(value):
        size = int.from_bytes(value[place : place + 4], "big", signed=True)
        place += 4
        elements.append(None if size < 0 else decode(value[place : place + size]))
        place += max(0, size)
    for length in reversed(lengths[1:]):
        elements = [elements[i : i + length] for i in range(0, len(elements), length)]
    return elements


def _number_decoder(kind: np.dtype[Any]) -> Callable[[bytes], Any]:
    codes = {"i2": "h", "i4": "i", "i8": "q", "f4": "f", "f8": "d"}
    unpack = struct.Struct(">" + codes[kind.str[1:]]).unpack
    return lambda value: unpack(value)[0]


#: What makes an object of the bytes of a value, by type. A real becomes the double with the same
#: value; psycopg2 gives the double nearest to the decimal number that PostgreSQL writes for it.
VALUES: dict[int, Callable[[bytes], Any]] = {
    BOOL: lambda value: value != b"\0",
    BYTEA: memoryview,
    DATE: decode_date,
    TIMESTAMP: decode_timestamp,
    **{oid: _number_decoder(kind) for oid, kind in NUMBERS.items()},
    **dict.fromkeys(TEXTS, bytes.decode),
}
VALUES |= {
    oid: functools.partial(decode_array, decode=VALUES[element]) for oid, element in ARRAYS.items()
}


def decode_numbers(field: Field, kind: np.dtype[Any]) -> Values:
    """All numbers of a field."""
    return _with_nulls(field, field.numbers(kind).tolist())


def decode_booleans(field: Field) -> Values:
    """All truth values of a field."""
    return _with_nulls(field, (field.numbers(np.dtype(np.uint8)) != 0).tolist())


def decode_texts(field: Field) -> Values:
    """All texts of a field, from UTF-8."""
    if not len(field.sizes):
        return []
    # Text in PostgreSQL has no zero bytes.
    packed, _, _ = field.packed(gap=1)
    return _with_nulls(field, packed[:-1].tobytes().decode().split("\0"))


def decode_timestamps(field: Field) -> Values:
    """All timestamps of a field; see decode_timestamp."""
    return _with_nulls(field, _times(field.numbers(np.dtype(">i8")), "us"))


def decode_dates(field: Field) -> Values:
    """All dates of a field; see decode_timestamp."""
    return _with_nulls(field, _times(field.numbers(np.dtype(">i4")), "D"))


#: The same for whole fields, where that is quicker.
FIELDS: dict[int, Callable[[Field], Values]] = {
    BOOL: decode_booleans,
    DATE: decode_dates,
    TIMESTAMP: decode_timestamps,
    **{oid: functools.partial(decode_numbers, kind=kind) for oid, kind in NUMBERS.items()},
    **dict.fromkeys(TEXTS, decode_texts),
}


def _times(sent: NDArray[Any], unit: str) -> Values:
    """Python's dates (unit D) or datetimes (us) for what PostgreSQL sends."""
    limits = np.iinfo(sent.dtype)
    first, last = sent == limits.min, sent == limits.max
    infinite = first | last
    counts = sent.astype(np.int64)
    counts[infinite] = 0
    times = (counts + _EPOCH[unit]).view(f"datetime64[{unit}]")
    outside = (times < np.datetime64("0001-01-01")) | (times >= np.datetime64("10000-01-01"))
    if outside.any():
        year = int(times[outside][0].astype("datetime64[Y]").astype(np.int64)) + 1970
        raise ValueError(f"year {year if year > 0 else year - 1} is out of range")
    decoded: Values = times.tolist()
    kind = datetime.date if unit == "D" else datetime.datetime
    for rows, limit in ((first, kind.min), (last, kind.max)):
        for row in np.flatnonzero(rows).tolist():
            decoded[row] = limit
    return decoded


def _with_nulls(field: Field, decoded: Values) -> Values:
    """The values with None where the field is NULL."""
    if field.nulls is not None:
        for row in np.flatnonzero(field.nulls).tolist():
            decoded[row] = None
    return decoded
