"""The documents DaCHS makes of query results, made of blocks of rows.

`prepare` gives the `Writer` of a result: what comes before and after the rows is written by DaCHS,
the rows are what DaCHS would write for the same values, byte for byte. Formats and results that it
does not know (see `prepare`) are for DaCHS' own writers.

A value passes three stages in DaCHS: psycopg2 makes a Python object of what PostgreSQL sends, a
mapper of the column's meaning changes it (a datetime to text, say), an encoder of the format writes
it. Where these only turn bytes around, `blocks` does it for whole columns; where they do more, each
value goes through all three, with DaCHS' mapper and encoder. So does a whole block in which a value
cannot be written, for the exception to be the one that DaCHS raises.

Columns of other types than those of `blocks` are sent as text (`Writer.as_text`): psycopg2 reads
nothing else. So are real numbers for everything but VOTable's `float`: psycopg2 gives the double
nearest to the decimal number PostgreSQL writes, which is not the double with the value of the real.
"""

from __future__ import annotations

import base64
import binascii
import csv
import dataclasses
import functools
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any, ClassVar, TypeAlias

import numpy as np
from gavo import base, utils, votable
from gavo.base import valuemappers
from gavo.formats import common, csvtable, texttable, votablewrite
from gavo.utils import algotricks, stanxml
from gavo.votable import V, coding, enc_binary, enc_binary2, enc_tabledata
from gavo.votable import common as votable_common
from psycopg2 import extensions

from fast import blocks
from fast.blocks import Block, Field, Piece, Values

Encoder: TypeAlias = Callable[[Field], list[Piece] | None]

# VOTable's numbers, as they are in BINARY.
_KINDS: dict[str, np.dtype[Any]] = {
    "short": np.dtype(">i2"), "int": np.dtype(">i4"), "long": np.dtype(">i8"),
    "float": np.dtype(">f4"), "double": np.dtype(">f8"),
}  # fmt: skip
# Types whose readers in psycopg2 need no connection, beside those of pg_sphere's types, which DaCHS
# registers under this name. Of ranges, PostgreSQL's int4range, int8range and numrange are known.
_TIME, _INTERVAL, _OID, _JSON, _JSONB = 1083, 1186, 26, 114, 3802
_RANGES = {3904, 3926, 3906}
_READ = {
    _TIME, _INTERVAL, _OID, _JSON, _JSONB, blocks.NUMERIC, *_RANGES,
    1000, 1021, 1115, 1182, 1183, 1187, 1231,  # arrays
}  # fmt: skip
_SPHERE = "spoint"
_INTEGERS = {blocks.INT2, blocks.INT4, blocks.INT8}
_REALS = {blocks.FLOAT4, blocks.FLOAT8, blocks.NUMERIC}
_INTEGER_ARRAYS = {blocks.INT2_ARRAY, blocks.INT4_ARRAY, blocks.INT8_ARRAY}
_REAL_ARRAYS = {blocks.FLOAT4_ARRAY, blocks.FLOAT8_ARRAY}
# What changes no value; DaCHS has two of it.
_IDENTITIES = (utils.identity, algotricks.identity)
# Types of which psycopg2 makes other values than `blocks`.
_INEXACT = {blocks.FLOAT4, blocks.FLOAT4_ARRAY}
# Types whose cast to text is not what PostgreSQL sends as text: inet and cidr.
_CAST_OTHERWISE = {869, 650}


class Writer(ABC):
    """Writes one document: head, rows(...) for each block, end(), and tail or overflow_tail.

    head, tail and overflow_tail are all that is before and after the rows; overflow_tail is for as
    many rows as the limit of the result (data.overflowLimit). as_text says which columns must be
    cast to text in SQL; the messages given to rows have them so.
    """

    def __init__(
        self, columns: Sequence[Column], head: bytes, tail: bytes, overflow_tail: bytes
    ) -> None:
        self.columns = columns
        self.head, self.tail, self.overflow_tail = head, tail, overflow_tail

    @property
    def as_text(self) -> tuple[bool, ...]:
        """Which columns must be cast to text in SQL."""
        return tuple(column.as_text for column in self.columns)

    def anew(self) -> Writer:
        """A writer of another document of the same columns, of which no row is written yet."""
        return type(self)(self.columns, self.head, self.tail, self.overflow_tail)

    @abstractmethod
    def rows(self, messages: Sequence[bytes]) -> bytes:
        """The next part of the document, for messages of a COPY of the result.

        Raises what DaCHS raises for a value that cannot be written.
        """

    def end(self) -> bytes:
        """What is left to write of the rows."""
        return b""

    def error_tail(self, _message: str) -> bytes | None:
        """In place of end() and tail after an error; None when the format has no place for it."""
        return None


def prepare(format_key: str, data: Any, oids: Sequence[int]) -> Writer | None:
    """A writer of a result, or None when DaCHS must write it.

    `data` is what taprunner._makeDataFor makes of the (empty) table that adqlglue.morphADQL gives
    with its SQL; `oids` are the types that PostgreSQL says the columns of that SQL have. A database
    connection of DaCHS must have been made before, for that makes psycopg2 know pg_sphere's types.
    """
    write = _WRITERS.get(format_key)
    if write is None:
        return None
    if format_key.startswith("csv") and csv.get_dialect(_DIALECT).quoting == csv.QUOTE_NONNUMERIC:
        return None  # which is about types of Python, and we may have text for numbers
    table = data.getPrimaryTable()
    names = table.tableDef.dictKeys
    if table.tableDef.fixupFunction or len(set(names)) != len(oids) or len(names) != len(oids):
        return None
    try:
        return write(data, oids)
    except _UnknownTypeError:
        return None


class _UnknownTypeError(Exception):
    """A column has a type whose text cannot be read as psycopg2 does."""


# From PostgreSQL to Python


@dataclass(frozen=True)
class Column:
    """A column of the result: how its values are read, and its mapper, if it has one."""

    oid: int
    mapper: Callable[[Any], Any] | None
    as_text: bool
    # What makes an object of the bytes of a value, and of all values where that is quicker.
    decode: Callable[[bytes], Any]
    decode_field: Callable[[Field], Values] | None

    @property
    def parts(
        self,
    ) -> tuple[
        int,
        Callable[[Any], Any] | None,
        bool,
        Callable[[bytes], Any],
        Callable[[Field], Values] | None,
    ]:
        """What it is made of."""
        return self.oid, self.mapper, self.as_text, self.decode, self.decode_field

    def values(self, field: Field) -> Values:
        """Its values as DaCHS gives them to the encoders of formats."""
        if self.decode_field is None:
            return self.few(field.each())
        return self._mapped(self.decode_field(field))

    def few(self, sent: Iterable[bytes | None]) -> Values:
        """The same, of the bytes of each value."""
        decode = self.decode
        return self._mapped([None if value is None else decode(value) for value in sent])

    def _mapped(self, values: Values) -> Values:
        return values if self.mapper is None else list(map(self.mapper, values))


def _columns(table: Any, oids: Sequence[int]) -> list[Column]:
    manager = valuemappers.SerManager(table)
    mappers = (None if mapper in _IDENTITIES else mapper for mapper in manager.mappers)
    return [Column(oid, mapper, *_decoders(oid)) for oid, mapper in zip(oids, mappers, strict=True)]


def _decoders(
    oid: int,
) -> tuple[bool, Callable[[bytes], Any], Callable[[Field], Values] | None]:
    """Whether a type must be sent as text, and what gives the objects psycopg2 makes of it."""
    if oid in blocks.VALUES and oid not in _INEXACT:
        return False, blocks.VALUES[oid], blocks.FIELDS.get(oid)
    read: Callable[[str], Any]
    if oid in _REALS:
        read = float
    elif oid in _CAST_OTHERWISE:
        raise _UnknownTypeError
    else:
        reader = extensions.string_types.get(oid)
        if reader is None:
            return True, bytes.decode, blocks.decode_texts
        if oid not in _READ and reader.name != _SPHERE:
            raise _UnknownTypeError

        def read(text: str) -> Any:
            return reader(text, _CURSOR)

    def read_field(field: Field) -> Values:
        return [None if text is None else read(text) for text in blocks.decode_texts(field)]

    return True, lambda sent: read(sent.decode()), read_field


class _Cursor(extensions.cursor):  # type: ignore[misc]
    """A cursor without a connection, for psycopg2's readers.

    They all write to the cursor they are given, for which nothing else will do; those of _READ use
    nothing that needs a connection, but for ranges, which ask the cursor for their limits.
    """

    def cast(self, oid: int, text: str | None) -> Any:
        """An object made of text."""
        return extensions.string_types[oid](text, self)


_CURSOR = _Cursor.__new__(_Cursor)


def _values(columns: Sequence[Column], messages: Sequence[bytes]) -> list[Values]:
    """The values of each column."""
    if len(messages) < blocks.FEW:
        sent = blocks.split(messages, len(columns))
        return [column.few(values) for column, values in zip(columns, sent, strict=True)]
    block = Block(messages, len(columns))
    return [column.values(field) for column, field in zip(columns, block.fields, strict=True)]


# VOTable


@dataclass(frozen=True)
class _FieldType:
    """What DaCHS' encoders look at in a FIELD."""

    datatype: str
    arraysize: str | None
    xtype: str | None
    null: str | None
    name: str | None
    id: str | None

    @classmethod
    def of(cls, field: Any) -> _FieldType:
        """That of a FIELD element."""
        null = [values.null for values in field.iterChildrenOfType(V.VALUES)]
        literal = next((value for value in reversed(null) if value is not None), None)
        return cls(
            field.datatype, field.arraysize, field.xtype, literal, field.name, field.ID
        )  # fmt: skip

    def element(self) -> Any:
        """A FIELD that has it."""
        field = V.FIELD(
            datatype=self.datatype, arraysize=self.arraysize, xtype=self.xtype,
            name=self.name, ID=self.id,
        )  # fmt: skip
        return field[V.VALUES(null=self.null)] if self.null is not None else field


@functools.lru_cache(maxsize=4096)
def _codec(kind: _FieldType, module: Any) -> Callable[[Sequence[Any]], Any]:
    """DaCHS' encoder of rows of nothing but one such column."""
    encode: Callable[[Sequence[Any]], Any] = coding.buildEncoder(V.TABLE()[kind.element()], module)
    return encode


@dataclass(frozen=True)
class _BinaryColumn(Column):
    """A column in BINARY or BINARY2."""

    encode: Encoder | None
    codec: Callable[[Any], bytes]
    # Text with a count before it, which can be encoded as a whole.
    encoding: str | None

    def pieces(self, field: Field) -> tuple[list[Piece], Any]:
        """What it contributes to each row, and where it is NULL."""
        encoded = self.encode(field) if self.encode else None
        if encoded is not None:
            return encoded, field.nulls
        values = self.values(field)
        nulls = np.array([value is None for value in values], np.bool_)
        if self.encoding and all(value is None or isinstance(value, str) for value in values):
            encoded = blocks.characters(values, self.encoding)
        return encoded or blocks.values(list(map(self.codec, values))), nulls


def _binary_column(column: Column, kind: _FieldType, module: Any) -> _BinaryColumn:
    """How a column is written, by its FIELD and DaCHS' module for the encoding."""
    field = kind.element()
    encode_row = _codec(kind, module)
    # BINARY2 has the bits for NULL before the row.
    skip = 1 if module is enc_binary2 else 0

    def codec(value: Any) -> bytes:
        encoded: bytes = encode_row((value,))
        return encoded[skip:]

    try:
        null = codec(None)
    except votable.VOTableError:
        null = None
    pad = b"\0" if module is enc_binary2 else b" "
    encode = None
    if column.mapper is None:
        encode = _encoder(column.oid, kind, field, null, pad, codec)
    if encode and column.oid in _INEXACT:
        column = Column(
            column.oid, None, False, blocks.VALUES[column.oid], blocks.FIELDS.get(column.oid)
        )
    encoding = None
    if kind.arraysize == "*" and kind.xtype != "json" and null == bytes(4):
        encoding = {"char": "ascii", "unicodeChar": "utf-16be"}.get(kind.datatype)
    return _BinaryColumn(*column.parts, encode, codec, encoding)


def _encoder(
    oid: int,
    kind: _FieldType,
    field: Any,
    null: bytes | None,
    pad: bytes,
    codec: Callable[[Any], bytes],
) -> Encoder | None:
    """What writes whole columns of a type of PostgreSQL as this FIELD, if anything does."""
    target = _KINDS.get(kind.datatype)
    if field.isScalar():
        if kind.datatype == "boolean" and oid == blocks.BOOL:
            return functools.partial(blocks.booleans, null=null)
        if target is None or oid not in blocks.NUMBERS:
            return None
        if oid == blocks.FLOAT4 and kind.datatype != "float":
            return None
        source = blocks.NUMBERS[oid]
        return functools.partial(blocks.numbers, source=source, target=target, null=null)
    if kind.datatype == "char" and oid in blocks.TEXTS:
        if field.isMultiDim() or kind.xtype == "json":
            return None
        length = None if field.hasVarLength() else field.getLength()
        return functools.partial(blocks.texts, length=length, pad=pad, null=null)
    element, decode = blocks.ARRAYS.get(oid, 0), blocks.VALUES.get(oid)
    if target is None or null is None or blocks.NUMBERS.get(element) != target or not decode:
        return None
    length = None if field.hasVarLength() else field.getLength()

    def encode_other(value: bytes) -> bytes:
        return codec(decode(value))

    return functools.partial(
        blocks.arrays, kind=target, length=length, null=null, encode_other=encode_other
    )


class _VOTableWriter(Writer):
    """What the three serialisations have in common."""

    element: ClassVar[str]

    def error_tail(self, message: str) -> bytes:
        """Ends the table, says what DaCHS says and ends the document (DALI 1.1, section 4.4)."""
        info = io.BytesIO()
        V.RESOURCE().writeErrorElement(info, message)
        return self.end() + self._closing() + info.getvalue() + b"</RESOURCE></VOTABLE>"

    def _closing(self) -> bytes:
        return f"</{self.element}></DATA></TABLE>".encode("ascii")


class BinaryWriter(_VOTableWriter):
    """BINARY: rows in base64, which takes three bytes at a time."""

    columns: Sequence[_BinaryColumn]
    element = "BINARY"

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._rest = b""

    def rows(self, messages: Sequence[bytes]) -> bytes:
        """The rows of a block, but for up to two bytes."""
        encoded = self._rest + self._encoded(messages)
        whole = len(encoded) - len(encoded) % 3
        self._rest = encoded[whole:]
        return binascii.b2a_base64(memoryview(encoded)[:whole], newline=False)

    def end(self) -> bytes:
        """Bytes that are left."""
        rest, self._rest = self._rest, b""
        return base64.b64encode(rest)

    def _closing(self) -> bytes:
        return b"</STREAM>" + super()._closing()

    def _encoded(self, messages: Sequence[bytes]) -> bytes:
        if len(messages) < blocks.FEW:
            return self._by_value(_values(self.columns, messages))
        block = Block(messages, len(self.columns))
        try:
            return self._by_column(block)
        except votable.VOTableError:
            # Another one may come first by row.
            return self._by_value(_values(self.columns, messages))

    def _by_column(self, block: Block) -> bytes:
        pieces: list[Piece] = []
        for column, field in zip(self.columns, block.fields, strict=True):
            pieces += column.pieces(field)[0]
        return blocks.join(pieces, block.rows)

    def _by_value(self, values: Sequence[Values]) -> bytes:
        codecs = [column.codec for column in self.columns]
        return b"".join(
            codec(value)
            for row in zip(*values, strict=True)
            for codec, value in zip(codecs, row, strict=True)
        )


class Binary2Writer(BinaryWriter):
    """BINARY2: rows begin with bits that say which values are NULL."""

    element = "BINARY2"

    def _by_column(self, block: Block) -> bytes:
        pieces: list[Piece] = []
        nulls = []
        for column, field in zip(self.columns, block.fields, strict=True):
            found, null = column.pieces(field)
            pieces += found
            nulls.append(null)
        return blocks.join([blocks.null_flags(nulls, block.rows), *pieces], block.rows)

    def _by_value(self, values: Sequence[Values]) -> bytes:
        codecs = [column.codec for column in self.columns]
        flags = votable_common.NULLFlags(len(codecs))
        return b"".join(
            flags.serializeFromRow(row)
            + b"".join([codec(value) for codec, value in zip(codecs, row, strict=True)])
            for row in zip(*values, strict=True)
        )


class _OverflowMark(votable.OverflowElement):  # type: ignore[misc]
    """Marks the place for what says that there may be more rows."""

    mark = b"<?overflow?>"  # DaCHS writes no processing instructions

    def write(self, output: Any) -> None:
        """Writes the mark."""
        output.write(self.mark)


def _votable_parts(
    data: Any, coding_name: str, begin: bytes, end: bytes
) -> tuple[list[_FieldType], bytes, bytes, bytes]:
    """Types of the FIELDs and head, tail and overflow_tail of the document DaCHS makes of data."""
    info = V.INFO(name="QUERY_STATUS", value="OVERFLOW")
    context = votablewrite.VOTableContext(
        tablecoding=coding_name, acquireSamples=False, overflowElement=_OverflowMark(0, info)
    )
    tree = votablewrite.makeVOTable(data, context)
    document = io.BytesIO()
    votable.write(tree, document)
    head, empty, tail = document.getvalue().partition(begin + end)
    if not empty or tail.count(_OverflowMark.mark) != 1:
        raise ValueError(f"DaCHS has written another document than expected: {tail[:200]!r}")
    overflow = votable.OverflowElement(0, info)
    overflow.setRowsDelivered(0)
    told = io.BytesIO()
    overflow.write(told)
    tables = (table for resource in tree.iterChildrenOfType(V.RESOURCE)
              for table in resource.iterChildrenOfType(V.TABLE))  # fmt: skip
    kinds = [_FieldType.of(field) for field in next(tables).getFields()]
    mark = _OverflowMark.mark
    return (
        kinds,
        head + begin,
        end + tail.replace(mark, b""),
        end + tail.replace(mark, told.getvalue()),
    )


def _prepare_binary(
    coding_name: str, module: Any, writer: type[BinaryWriter], data: Any, oids: Sequence[int]
) -> Writer:
    begin = f'<{writer.element}><STREAM encoding="base64">'.encode("ascii")
    end = f"</STREAM></{writer.element}>".encode("ascii")
    kinds, *parts = _votable_parts(data, coding_name, begin, end)
    columns = [
        _binary_column(column, kind, module)
        for column, kind in zip(_columns(data.getPrimaryTable(), oids), kinds, strict=True)
    ]
    return writer(columns, *parts)


# Text


@dataclass(frozen=True)
class _Spelling:
    """How a format has real numbers that PostgreSQL has sent as text: as repr has them in Python.

    PostgreSQL writes them like that, too, when there is a decimal point and no exponent. Formats
    have their own words for what is no number, and their own marks around elements of arrays.
    """

    left: str
    between: str
    right: str
    words: Mapping[str, str]

    def number(self, text: str) -> str:
        """One number, or NULL as an element of an array."""
        if "." in text and "e" not in text:
            return text
        return self.words.get(text) or repr(float(text))

    def numbers(self, texts: Values, null: Any) -> Values:
        """Those of a column, with its own word for NULL."""
        number = self.number
        return [null if text is None else number(text) for text in texts]

    def arrays(
        self, texts: Values, null: Any, other: Callable[[str], Any], length: int | None = None
    ) -> Values:
        """Arrays; those of another length than there must be or with more dimensions by `other`."""
        return [null if text is None else self._array(text, other, length) for text in texts]

    def _array(self, text: str, other: Callable[[str], Any], length: int | None) -> Any:
        inner = text[1:-1]
        count = inner.count(",") + 1 if inner else 0
        if "{" in inner or text[0] != "{" or length not in (None, count):
            return other(text)
        if inner.count(".") == count and "e" not in inner:
            inner = inner.replace(",", self.between)
        else:
            inner = self.between.join(map(self.number, inner.split(",")))
        return f"{self.left}{inner}{self.right}"


_TD_SPELLING = _Spelling("", " ", "", {"NULL": "NaN", "NaN": "NaN"})
_TAB_SPELLING = _Spelling("[", " ", "]", {"NULL": "None"})
_CSV_SPELLING = _Spelling("[", ", ", "]", {"NULL": "None"})
_JSON_SPELLING = _Spelling(
    "[", ", ", "]",
    {"NULL": "null", "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity"},
)  # fmt: skip


def _spelt(column: Column) -> Column:
    """The column with the text that PostgreSQL sends for its values."""
    return dataclasses.replace(
        column, as_text=True, decode=bytes.decode, decode_field=blocks.decode_texts
    )


def _read_reals(text: str) -> Any:
    """The list that psycopg2 makes of an array of real numbers."""
    return extensions.string_types[blocks.FLOAT4_ARRAY](text, _CURSOR)


class TabledataWriter(_VOTableWriter):
    """TABLEDATA: rows in XML."""

    columns: Sequence[_TabledataColumn]
    element = "TABLEDATA"

    def rows(self, messages: Sequence[bytes]) -> bytes:
        """The rows of a block."""
        values = _values(self.columns, messages)
        if not values[0]:
            return b""
        try:
            cells = [column.cells(own) for column, own in zip(self.columns, values, strict=True)]
        except votable.VOTableError:
            for row in zip(*values, strict=True):  # another one may come first by row
                for column, value in zip(self.columns, row, strict=True):
                    column.codec(value)
            raise
        rows = "</TD></TR><TR><TD>".join(map("</TD><TD>".join, zip(*cells, strict=True)))
        return f"<TR><TD>{rows}</TD></TR>".encode()


@dataclass(frozen=True)
class _TabledataColumn(Column):
    """A column in TABLEDATA."""

    # What there is to know of all its values: cells for values, None when they are not like that.
    write: Callable[[Values], list[str] | None]
    codec: Callable[[Any], str]

    def cells(self, values: Values) -> list[str]:
        """What is between <TD> and </TD>."""
        cells = self.write(values)
        return list(map(self.codec, values)) if cells is None else cells


def _tabledata_column(column: Column, kind: _FieldType) -> _TabledataColumn:
    encode_row = _codec(kind, enc_tabledata)
    before, after = len("<TR><TD>"), -len("</TD></TR>")

    def codec(value: Any) -> str:
        row: str = encode_row((value,))
        return row[before:after]

    if column.mapper is None and kind.datatype in {"float", "double"} and not kind.xtype:
        field = kind.element()
        if column.oid == blocks.FLOAT4 and field.isScalar():
            return _TabledataColumn(
                *_spelt(column).parts,
                lambda texts: _TD_SPELLING.numbers(texts, codec(None)),
                lambda text: codec(None if text is None else float(text)),
            )
        if column.oid == blocks.FLOAT4_ARRAY and not field.isScalar():
            length = None if field.hasVarLength() else field.getLength()

            def other(text: str | None) -> str:
                return codec(None if text is None else _read_reals(text))

            return _TabledataColumn(
                *_spelt(column).parts,
                lambda texts: _TD_SPELLING.arrays(texts, other(None), other, length),
                other,
            )
    return _TabledataColumn(*column.parts, _cell_writer(column, kind, codec), codec)


def _cell_writer(
    column: Column, kind: _FieldType, codec: Callable[[Any], str]
) -> Callable[[Values], list[str] | None]:
    """What writes cells of TABLEDATA for a whole column, by its type and its FIELD."""
    scalar = kind.arraysize in (None, "1")
    if kind.datatype in {"char", "unicodeChar"} and kind.arraysize == "*" and kind.xtype != "json":
        return functools.partial(_text_cells, only_ascii=kind.datatype == "char", codec=codec)
    if column.mapper is None and kind.datatype in _KINDS:
        real = kind.datatype in {"float", "double"}
        if scalar and column.oid in (_REALS if real else _INTEGERS):
            return functools.partial(_number_cells, codec=codec)
        if not scalar and column.oid in (_REAL_ARRAYS if real else _INTEGER_ARRAYS):
            spell = float.__repr__ if real else int.__repr__
            length = V.FIELD(datatype=kind.datatype, arraysize=kind.arraysize).getLength()
            return functools.partial(_array_cells, spell=spell, length=length, codec=codec)
    return lambda _values: None


def _number_cells(values: Values, codec: Callable[[Any], str]) -> list[str]:
    """Numbers as Python spells them, but for NULL and NaN."""
    cells = list(map(repr, values))
    for special in ("None", "nan"):
        if special in cells:
            cell = codec(None)
            cells = [cell if spelt == special else spelt for spelt in cells]
    return cells


def _text_cells(values: Values, only_ascii: bool, codec: Callable[[Any], str]) -> list[str] | None:
    """Text with & < > escaped and, if there may be only ASCII, ? for all else."""
    if not all(value is None or isinstance(value, str) for value in values):
        return None
    # Neither PostgreSQL nor XML has the character zero, and DaCHS has an escape for it.
    text = "\0".join([value or "" for value in values])
    if only_ascii and not text.isascii():
        text = text.encode("ascii", "replace").decode("ascii")
    cells: list[str] = stanxml.escapePCDATA(text).split(stanxml.escapePCDATA("\0"))
    null = codec(None)
    if null:
        cells = [null if value is None else cell for value, cell in zip(values, cells, strict=True)]
    return cells


def _array_cells(
    values: Values, spell: Callable[[Any], str], length: int | None, codec: Callable[[Any], str]
) -> list[str]:
    """Numbers with blanks between them."""
    cells = []
    for value in values:
        cell = None
        if value is not None and length in (None, len(value)):
            try:
                cell = " ".join(map(spell, value))
            except TypeError:  # there is a NULL in it, or it has more dimensions
                cell = None
        cells.append(codec(value) if cell is None or "nan" in cell else cell)
    return cells


def _prepare_tabledata(data: Any, oids: Sequence[int]) -> Writer:
    kinds, *parts = _votable_parts(data, "td", b"<TABLEDATA>", b"</TABLEDATA>")
    columns = [
        _tabledata_column(column, kind)
        for column, kind in zip(_columns(data.getPrimaryTable(), oids), kinds, strict=True)
    ]
    return TabledataWriter(columns, *parts)


class CSVWriter(Writer):
    """Comma-separated values, in the dialect that the configuration names."""

    def rows(self, messages: Sequence[bytes]) -> bytes:
        """The rows of a block."""
        written = io.StringIO(newline="")
        columns = [
            _comma_values(column, values)
            for column, values in zip(self.columns, _values(self.columns, messages), strict=True)
        ]
        csv.writer(written, _DIALECT).writerows(zip(*columns, strict=True))
        return written.getvalue().encode()


# DaCHS, too, asks for it once.
_DIALECT = base.getConfig("async", "csvDialect")


def _comma_values(column: Column, values: Values) -> Values:
    """What csv.writer gets."""
    if column.oid == blocks.FLOAT4 and column.mapper is None:
        return _CSV_SPELLING.numbers(values, None)
    if column.oid == blocks.FLOAT4_ARRAY and column.mapper is None:
        return _CSV_SPELLING.arrays(values, None, _read_reals)
    return _defused(values)


class TSVWriter(Writer):
    """Values with tabs between them."""

    def rows(self, messages: Sequence[bytes]) -> bytes:
        """The rows of a block."""
        cells = [
            _tab_cells(column, values)
            for column, values in zip(self.columns, _values(self.columns, messages), strict=True)
        ]
        lines = [*map("\t".join, zip(*cells, strict=True)), ""]
        return "\n".join(lines).encode()


def _tab_cells(column: Column, values: Values) -> list[str]:
    """What is between tabs."""
    make_string: Callable[[Any], str] = texttable._makeString
    if column.oid == blocks.FLOAT4 and column.mapper is None:
        return _TAB_SPELLING.numbers(values, make_string(None))
    if column.oid == blocks.FLOAT4_ARRAY and column.mapper is None:

        def other(text: str) -> str:
            return make_string(_read_reals(text))

        return _TAB_SPELLING.arrays(values, make_string(None), other)
    if column.oid in _REALS | _INTEGERS and None not in values:
        return list(map(str, values))
    if column.oid in blocks.TEXTS and None not in values:
        return _defused(values)
    return list(map(make_string, values))


def _defused(values: Values) -> Values:
    """Values with what cannot be printed in text spelt in ASCII, as repr does it."""
    texts = [value for value in values if isinstance(value, str)]
    together = "".join(texts)
    if together.isprintable() and "\\" not in together and "'" not in together:
        return values
    return list(map(csvtable._defuseString, values))


class JSONWriter(Writer):
    """DaCHS' JSON: an object with the rows in it."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._begun = False

    def rows(self, messages: Sequence[bytes]) -> bytes:
        """The rows of a block."""
        values = _values(self.columns, messages)
        if not values[0]:
            return b""
        cells = [_json_cells(*pair) for pair in zip(self.columns, values, strict=True)]
        rows = "], [".join(map(", ".join, zip(*cells, strict=True)))
        comma, self._begun = ", " if self._begun else "", True
        return f"{comma}[{rows}]".encode("ascii")


def _json_cells(column: Column, values: Values) -> list[str]:
    """Each value in JSON."""
    if column.oid == blocks.FLOAT4 and column.mapper is None:
        return _JSON_SPELLING.numbers(values, "null")
    if column.oid == blocks.FLOAT4_ARRAY and column.mapper is None:
        return _JSON_SPELLING.arrays(values, "null", lambda text: json.dumps(_read_reals(text)))
    if column.oid in _REALS | _INTEGERS and column.mapper is None:
        return json.dumps(values)[1:-1].split(", ")
    if all(isinstance(value, str) for value in values):
        return list(map(encode_basestring_ascii, values))
    return list(map(json.dumps, values))


def _prepare_lines(form: str, writer: type[Writer], data: Any, oids: Sequence[int]) -> Writer:
    return writer(_text_columns(data, oids), _empty(form, data), b"", b"")


def _text_columns(data: Any, oids: Sequence[int]) -> list[Column]:
    """The columns, with text for real numbers and arrays of them."""
    return [
        _spelt(column) if column.oid in _INEXACT and column.mapper is None else column
        for column in _columns(data.getPrimaryTable(), oids)
    ]


def _prepare_json(data: Any, oids: Sequence[int]) -> Writer:
    begin, end = b'"data": [', b"]"
    document = _empty("json", data)
    # A quote within a string is written with a backslash, so this is no part of one.
    head, empty, tail = document.partition(begin + end)
    if not empty:
        raise ValueError(f"DaCHS has written another document than expected: {document[-200:]!r}")
    overflow = end + tail[:-1] + b', "queryStatus": "OVERFLOW"}'
    return JSONWriter(_text_columns(data, oids), head + begin, end + tail, overflow)


def _empty(form: str, data: Any) -> bytes:
    """What DaCHS writes of a result without rows."""
    document = io.BytesIO()
    common.formatData(form, data, document, acquireSamples=False)
    return document.getvalue()


_WRITERS: dict[str, Callable[[Any, Sequence[int]], Writer]] = {
    "votable": functools.partial(_prepare_binary, "binary", enc_binary, BinaryWriter),
    "votableb2": functools.partial(_prepare_binary, "binary2", enc_binary2, Binary2Writer),
    "votabletd": _prepare_tabledata,
    "csv": functools.partial(_prepare_lines, "csv", CSVWriter),
    "csv_bare": functools.partial(_prepare_lines, "csv_bare", CSVWriter),
    "tsv": functools.partial(_prepare_lines, "tsv", TSVWriter),
    "json": _prepare_json,
}
