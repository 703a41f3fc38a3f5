"""Blocks of rows, against encoders of PostgreSQL's and VOTable's forms that go value by value.

The forms are written down here once more: rows of a binary COPY as PostgreSQL's documentation of
COPY and the send functions of its types have them, rows of BINARY2 as VOTable 1.5, section 5 does.
"""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast import blocks
from fast.blocks import Block, Field, Piece

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
CODES = {
    blocks.INT2: "h", blocks.INT4: "i", blocks.INT8: "q", blocks.FLOAT4: "f", blocks.FLOAT8: "d"
}  # fmt: skip
MILLENNIUM = datetime.datetime(2000, 1, 1)


def row(values: Sequence[bytes | None]) -> bytes:
    """A row of a binary COPY."""
    sent = struct.pack(">h", len(values))
    for value in values:
        sent += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    return sent


def number(oid: int, value: Any) -> bytes:
    """What the send function of a number gives."""
    return struct.pack(f">{CODES[oid]}", value)


def array(oid: int, values: Any) -> bytes:
    """What array_send gives, for lists of numbers or texts, or of lists of them."""
    lengths = []
    level = values
    while isinstance(level, list) and level:
        lengths.append(len(level))
        level = level[0]
    elements = values
    for _ in lengths[1:]:
        elements = [element for part in elements for element in part]
    sent = struct.pack(">iii", len(lengths), int(None in elements), oid)
    for length in lengths:
        sent += struct.pack(">ii", length, 1)
    for element in elements:
        if element is None:
            sent += struct.pack(">i", -1)
        else:
            value = element.encode() if oid == blocks.TEXT else number(oid, element)
            sent += struct.pack(">i", len(value)) + value
    return sent


@dataclass(frozen=True)
class Kind:
    """A type of PostgreSQL in a type of VOTable: its values, how they are sent, what is written.

    `written` is None for values (of which there may be some among the others) that are not for the
    encoder: then it must refuse the whole column.
    """

    oid: int
    values: st.SearchStrategy[Any]
    sent: Callable[[Any], bytes]
    written: Callable[[Any], bytes | None]
    null: bytes
    encode: Callable[[Field], list[Piece] | None]


def _numbers(oid: int, target: str, null: bytes, values: st.SearchStrategy[Any]) -> Kind:
    def written(value: Any) -> bytes | None:
        try:
            return struct.pack(f">{target}", value)
        except (struct.error, OverflowError):
            return None

    letters = {"h": "i2", "i": "i4", "q": "i8", "f": "f4", "d": "f8"}
    source, kind = blocks.NUMBERS[oid], np.dtype(f">{letters[target]}")
    encode = partial(blocks.numbers, source=source, target=kind, null=null)
    return Kind(oid, values, partial(number, oid), written, null, encode)


def _texts(length: int | None, values: st.SearchStrategy[str]) -> Kind:
    def written(value: str) -> bytes | None:
        if not value.isascii():
            return None
        if length is None:
            return struct.pack(">i", len(value)) + value.encode("ascii")
        return value[:length].ljust(length, "*").encode("ascii")

    null = bytes(4) if length is None else b"#" * length
    encode = partial(blocks.texts, length=length, pad=b"*", null=null)
    return Kind(blocks.TEXT, values, str.encode, written, null, encode)


def _arrays(
    oid: int, element: int, length: int | None, null: bytes, values: st.SearchStrategy[Any]
) -> Kind:
    def regular(value: Any) -> bool:
        return (length is None or len(value) == length) and all(
            isinstance(element, (int, float)) for element in value
        )

    def written(value: Any) -> bytes:
        if not regular(value):
            return b"<" + repr(value).encode() + b">"
        count = struct.pack(">i", len(value)) if length is None else b""
        return count + b"".join(number(element, each) for each in value)

    def encode_other(value: bytes) -> bytes:
        decoded = blocks.VALUES[oid](value)
        assert not regular(decoded)
        return written(decoded)

    encode = partial(
        blocks.arrays, kind=blocks.NUMBERS[element], length=length, null=null,
        encode_other=encode_other,
    )  # fmt: skip
    return Kind(oid, values, partial(array, element), written, null, encode)


# A double of every value, with all NaNs the one Python makes.
_doubles = st.floats().map(lambda value: math.nan if math.isnan(value) else value)
_reals = st.floats(width=32).map(lambda value: math.nan if math.isnan(value) else value)
_integers = partial(st.integers)
_short, _int = _integers(-(2**15), 2**15 - 1), _integers(-(2**31), 2**31 - 1)
_long = _integers(-(2**63), 2**63 - 1)
_ascii = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=70)
_any_text = st.text(st.characters(min_codepoint=1, blacklist_categories=["Cs"]), max_size=20)
_long_text = st.integers(0, 3000).map(lambda size: "0123456789" * (size // 10))


def _with_others(elements: st.SearchStrategy[Any], length: int) -> st.SearchStrategy[Any]:
    """Arrays of a length or near it, some of them with NULLs or with two dimensions."""
    flat = st.lists(elements, min_size=length, max_size=length)
    return st.one_of(
        flat, flat, st.lists(elements, max_size=7),
        st.lists(st.none() | elements, max_size=length),
        st.lists(flat, min_size=1, max_size=3),
    )  # fmt: skip


NAN = struct.pack(">f", math.nan)
KINDS = [
    _numbers(blocks.INT2, "h", number(blocks.INT2, -9), _short),
    _numbers(blocks.INT4, "i", bytes(4), _int),
    _numbers(blocks.INT8, "q", number(blocks.INT8, -(2**63)), _long),
    _numbers(blocks.INT2, "q", bytes(8), _short),
    _numbers(blocks.INT8, "i", bytes(4), _int),
    _numbers(blocks.INT8, "i", bytes(4), _int | _long),
    _numbers(blocks.INT8, "d", struct.pack(">d", math.nan), _long),
    _numbers(blocks.INT8, "f", NAN, _long),
    _numbers(blocks.FLOAT4, "f", NAN, _reals),
    _numbers(blocks.FLOAT8, "d", struct.pack(">d", math.nan), _doubles),
    _numbers(blocks.FLOAT8, "f", NAN, _doubles),
    _numbers(blocks.FLOAT8, "f", NAN, _reals),
    Kind(
        blocks.BOOL, st.booleans(), lambda value: bytes([value]), lambda value: b"01"[value:][:1],
        b"?", partial(blocks.booleans, null=b"?"),
    ),
    _texts(None, _ascii),
    _texts(None, _ascii | _any_text),
    _texts(None, _ascii | _long_text),
    _texts(5, _ascii),
    _texts(5, _any_text),
    _arrays(blocks.FLOAT4_ARRAY, blocks.FLOAT4, None, bytes(4), st.lists(_reals, max_size=9)),
    _arrays(blocks.FLOAT4_ARRAY, blocks.FLOAT4, 6, NAN * 6, _with_others(_reals, 6)),
    _arrays(
        blocks.FLOAT8_ARRAY, blocks.FLOAT8, 2, bytes(16),
        st.lists(_doubles, min_size=2, max_size=2),
    ),
    _arrays(blocks.INT8_ARRAY, blocks.INT8, None, bytes(4), _with_others(_long, 2)),
    _arrays(blocks.INT2_ARRAY, blocks.INT2, None, bytes(4), _with_others(_short, 3)),
]  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Kind], list[tuple[Any, ...]]]:
    """Columns and rows of them, some without NULLs, some of the same few values."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=11))
    columns = []
    rows = draw(st.integers(0, 4) | st.integers(blocks.FEW, 40))
    for kind in kinds:
        few = draw(st.lists(kind.values, min_size=1, max_size=6))
        values = st.sampled_from(few)
        values = values | st.none() if draw(st.booleans()) else values
        columns.append(draw(st.lists(values, min_size=rows, max_size=rows)))
    return kinds, list(zip(*columns, strict=True))


@given(table=tables(), framed=st.booleans(), apart=st.booleans())
def test_rows_are_what_each_value_gives(
    table: tuple[list[Kind], list[tuple[Any, ...]]], framed: bool, apart: bool
) -> None:
    """Columns become rows of BINARY2, whatever is beside each other and wherever NULLs are."""
    kinds, rows = table
    sent = [
        [
            None if value is None else kind.sent(value)
            for kind, value in zip(kinds, values, strict=True)
        ]
        for values in rows
    ]
    messages = [row(values) for values in sent]
    if framed:
        first = [HEADER] if apart else [HEADER + messages[0]] if messages else [HEADER]
        messages = [*first, *messages[0 if apart or not messages else 1 :], TRAILER]
    block = Block(messages, len(kinds))
    assert block.rows == len(rows)
    assert blocks.split(messages, len(kinds)) == (
        list(zip(*sent, strict=True)) if sent else [()] * len(kinds)
    )
    pieces: list[Piece] = []
    written = []
    for number, (kind, field) in enumerate(zip(kinds, block.fields, strict=True)):
        values = [values[number] for values in rows]
        expected = [kind.null if value is None else kind.written(value) for value in values]
        encoded = kind.encode(field)
        if None in expected:
            assert encoded is None
            continue
        assert encoded is not None
        pieces += encoded
        written.append(expected)
        nulls = np.zeros(len(rows), np.bool_) if field.nulls is None else field.nulls
        assert nulls.tolist() == [value is None for value in values]
    flags = blocks.null_flags([field.nulls for field in block.fields], block.rows)
    expected_rows = []
    for number, own in enumerate(rows):
        bits = "".join("1" if value is None else "0" for value in own)
        size = (len(bits) + 7) // 8
        mask = int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")
        expected_rows.append(mask + b"".join(column[number] or b"" for column in written))
    assert blocks.join([flags, *pieces], block.rows) == b"".join(expected_rows)


def _same(one: Any, other: Any) -> bool:
    """Whether values are equal and of one type, NaN to NaN and 0.0 not to -0.0."""
    return repr(one) == repr(other) and type(one) is type(other)


_times = st.datetimes().map(lambda time: time.replace(fold=0))
DECODED: list[tuple[int, st.SearchStrategy[Any], Callable[[Any], bytes]]] = [
    *((kind.oid, kind.values, kind.sent) for kind in KINDS),
    (blocks.TEXT_ARRAY, _with_others(_any_text, 2), partial(array, blocks.TEXT)),
    (
        blocks.TIMESTAMP, _times,
        lambda value: struct.pack(
            ">q", (value - MILLENNIUM) // datetime.timedelta(microseconds=1)
        ),
    ),
    (blocks.DATE, st.dates(), lambda value: struct.pack(">i", (value - MILLENNIUM.date()).days)),
    (blocks.TIMESTAMP, st.just(datetime.datetime.max), lambda _: struct.pack(">q", 2**63 - 1)),
    (blocks.TIMESTAMP, st.just(datetime.datetime.min), lambda _: struct.pack(">q", -(2**63))),
    (blocks.DATE, st.just(datetime.date.max), lambda _: struct.pack(">i", 2**31 - 1)),
    (blocks.DATE, st.just(datetime.date.min), lambda _: struct.pack(">i", -(2**31))),
]  # fmt: skip


@given(data=st.data(), kind=st.sampled_from(DECODED))
def test_values_come_back(
    data: st.DataObject, kind: tuple[int, st.SearchStrategy[Any], Callable[[Any], bytes]]
) -> None:
    """Python objects are those that were sent, one by one and by column."""
    oid, strategy, send = kind
    values = data.draw(st.lists(st.none() | strategy, max_size=60))
    sent = [None if value is None else send(value) for value in values]
    decoded = [None if value is None else blocks.VALUES[oid](value) for value in sent]
    assert _same(decoded, values)
    if oid in blocks.FIELDS:
        (field,) = Block([row([value]) for value in sent], 1).fields
        assert _same(blocks.FIELDS[oid](field), values)


def test_bytes_are_handed_out_as_psycopg2_does() -> None:
    """A bytea is a memoryview."""
    decoded = blocks.VALUES[blocks.BYTEA](b"\x00\xff")
    assert isinstance(decoded, memoryview)
    assert bytes(decoded) == b"\x00\xff"


@pytest.mark.parametrize(
    ("oid", "sent", "year"),
    [
        (blocks.DATE, struct.pack(">i", -732000), -6),  # PostgreSQL calls it 6 BC
        (blocks.DATE, struct.pack(">i", -730120), -1),  # 31 December 1 BC
        (blocks.DATE, struct.pack(">i", 2921940), 10000),
        (blocks.TIMESTAMP, struct.pack(">q", -730120 * 86_400_000_000), -1),
        (blocks.TIMESTAMP, struct.pack(">q", 2921940 * 86_400_000_000), 10000),
    ],
)
@pytest.mark.parametrize("rows", [1, 40])
def test_years_that_python_does_not_have(oid: int, sent: bytes, year: int, rows: int) -> None:
    """They are refused in psycopg2's words, with PostgreSQL's year."""
    with pytest.raises(ValueError, match=f"^year {year} is out of range$"):
        blocks.VALUES[oid](sent)
    (field,) = Block([row([sent])] * rows, 1).fields
    with pytest.raises(ValueError, match=f"^year {year} is out of range$"):
        blocks.FIELDS[oid](field)


@given(
    counts=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    width=st.integers(1, 4),
    cut=st.integers(0, 12),
)
def test_rows_of_another_width_are_refused(counts: list[int], width: int, cut: int) -> None:
    """Rows with too many or too few fields, or cut off, are no block."""
    messages = [row([b"12345678"] * count) for count in counts]
    messages[-1] = messages[-1][: len(messages[-1]) - cut]
    right = cut == 0 and all(count == width for count in counts)
    for take_apart in (Block, blocks.split):
        if right:
            take_apart(messages, width)
        else:
            with pytest.raises(ValueError, match="field"):
                take_apart(messages, width)


def test_values_of_another_size_are_refused() -> None:
    """A number must have its bytes."""
    (field,) = Block([row([bytes(8)]), row([None]), row([bytes(4)])], 1).fields
    with pytest.raises(ValueError, match="8 bytes"):
        field.numbers(np.dtype(">f8"))


@given(st.lists(st.none() | _any_text, max_size=40), st.sampled_from(["ascii", "utf-16be"]))
def test_characters(strings: list[str | None], encoding: str) -> None:
    """Text that is there as strings: counts and characters, with ? for what ASCII does not have."""
    pieces = blocks.characters(strings, encoding)
    if encoding == "utf-16be" and any(ord(c) > 0xFFFF for string in strings for c in string or ""):
        assert pieces is None
        return
    assert pieces is not None
    assert blocks.join(pieces, len(strings)) == b"".join(
        struct.pack(">i", len(string or "")) + (string or "").encode(encoding, "replace")
        for string in strings
    )


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_values_made_one_by_one(encoded: list[bytes]) -> None:
    """They are laid between the others."""
    marks = np.arange(len(encoded), dtype=">i2")
    pieces = [*blocks.values(encoded), blocks.Fixed(marks)]
    assert blocks.join(pieces, len(encoded)) == b"".join(
        value + struct.pack(">h", mark) for mark, value in enumerate(encoded)
    )
