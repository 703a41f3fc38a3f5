"""A narrow FITS reader: headers and binary tables, straight from the bytes.

Only what observatory products need: the cards of a header, decoded when they are asked for, and the
columns of binary tables as numpy views on the file. Reading an OIFITS file this way costs a tenth
of what a general FITS library needs, because nothing is touched that nobody asks for.

Rules are those of the FITS standard 4.0 (Pence et al. 2010, A&A 524, A42, and its 2018 update);
section numbers below refer to it.
"""

from __future__ import annotations

import gzip
import mmap
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 2880
CARD = 80

#: A compressed file may expand by at most this factor (plus one megabyte): real FITS files gain
#: a factor of 2 to 20, a gzip bomb 1000.
MAX_EXPANSION = 100

#: Most columns of a binary table (section 7.3.1).
MAX_COLUMNS = 999

#: Files up to this size, bytes, are read; larger ones are mapped.
MAX_READ = 1 << 27

#: Blank bytes accepted after the last HDU.
MAX_BLANK = 1 << 20

#: Longest header accepted, bytes; the longest of ESO's are below 1 MB.
MAX_HEADER = 1 << 26

Value = str | bool | int | float | None
Buffer = bytes | bytearray | mmap.mmap

#: Bytes a value of each binary table type occupies (section 7.3.1, table 18) and its numpy type.
_TYPES: dict[str, str] = {
    "L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8",
    "C": ">c8", "M": ">c16", "P": ">i4", "Q": ">i8",
}  # fmt: skip
_DTYPES = {kind: np.dtype(form) for kind, form in _TYPES.items()}
_NATIVE = {kind: dtype.newbyteorder("=") for kind, dtype in _DTYPES.items()}
_TFORM = re.compile(r"\s*(\d*)\s*([LXBIJKAEDCMPQ])")
_SIZES = {kind: np.dtype(name).itemsize for kind, name in _TYPES.items()}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([EDed][+-]?\d+)?")


class UnreadableFile(ValueError):
    """A file that cannot be read; the message names the file, the place and the reason."""

    def __init__(self, name: str, place: str, reason: str) -> None:
        self.name = name
        self.place = place
        self.reason = reason
        super().__init__(f"{name}: {place}: {reason}" if place else f"{name}: {reason}")


def text(raw: bytes) -> str:
    """Text of a header value or table cell, without padding.

    FITS wants ASCII, real files carry UTF-8 and Latin-1 and end strings with NUL: everything
    after a NUL is dropped (section 7.3.3.1), blanks on both sides go.
    """
    if b"\0" in raw:
        raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode("ascii").strip()
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def _string(raw: bytes) -> bytes:
    """The content of a quoted string that starts at the first quote of ``raw`` (section 4.2.1)."""
    position = raw.index(b"'") + 1
    end = raw.find(b"'", position)
    if end >= 0 and raw[end + 1 : end + 2] != b"'":
        return raw[position:end]
    out = bytearray()
    while True:
        end = raw.find(b"'", position)
        if end < 0:  # no closing quote: take what there is
            return bytes(out + raw[position:])
        out += raw[position:end]
        if raw[end + 1 : end + 2] != b"'":
            return bytes(out)
        out += b"'"
        position = end + 2


def decode_value(raw: bytes) -> Value:
    """The value of a card from the bytes after its value indicator (section 4.2).

    A number that is no number is returned as its text: callers that need a number check.
    """
    stripped = raw.lstrip()
    if stripped[:1] == b"'":
        return text(_string(stripped))
    field = text(stripped.split(b"/", 1)[0])
    if not field:
        return None
    if field in ("T", "F"):
        return field == "T"
    try:
        return int(field)
    except ValueError:
        pass
    if _NUMBER.fullmatch(field):
        return float(field.replace("D", "E").replace("d", "e"))
    return field


@lru_cache(maxsize=4096)
def _name(key: str) -> tuple[bytes, bool]:
    """A keyword as it stands in its card, and whether that is a HIERARCH card."""
    name = key.encode("ascii", "replace")
    is_long = len(name) > 8 or b" " in name
    return (b"HIERARCH " + name if is_long else name.ljust(8)), is_long


@lru_cache(maxsize=1000)
def _column_names(count: int) -> tuple[bytes, ...]:
    """The keywords that define so many columns of a binary table, as their cards have them."""
    words = (b"TTYPE", b"TFORM", b"TUNIT", b"TDIM", b"TSCAL", b"TZERO")
    return tuple((b"%b%d" % (word, n)).ljust(8) for n in range(1, count + 1) for word in words)


class Header:
    """The cards of one header, decoded when asked for.

    Keywords are given without ``HIERARCH``: ``header["ESO OBS PROG ID"]``. A keyword that occurs
    twice has its first value, as in other readers.
    """

    def __init__(self, raw: bytes) -> None:
        #: The header's bytes, a multiple of 80.
        self.raw = raw
        self._values: dict[str, Value] = {}
        offsets = range(0, len(raw), CARD)
        keys = [raw[offset : offset + 8] for offset in offsets]
        #: Offset of the first card of each eight-character keyword: backwards, so that it stays.
        self._cards = dict(zip(reversed(keys), reversed(offsets), strict=True))

    @cached_property
    def _hierarch(self) -> dict[bytes, int]:
        """Offset of the first card of each HIERARCH keyword; other cards may be there too."""
        raw = self.raw
        if b"HIERARCH" not in self._cards:
            return {}
        # Backwards, as above. ESO's headers have thousands of these cards.
        offsets = range(len(raw) - CARD, self._cards[b"HIERARCH"] - 1, -CARD)
        keys = [raw[offset : offset + CARD].partition(b"=")[0].rstrip() for offset in offsets]
        return dict(zip(keys, offsets, strict=True))

    def _offset(self, key: str) -> int | None:
        """Offset of the card that holds the value of ``key``."""
        name, is_long = _name(key)
        offset = self._hierarch.get(name) if is_long else self._cards.get(name)
        if offset is None:
            return None
        end = offset + (CARD if is_long else 9)
        return offset if b"=" in self.raw[offset + 8 : end] else None

    def __contains__(self, key: str) -> bool:
        return self._offset(key) is not None

    def __getitem__(self, key: str) -> Value:
        """As ``get``, but a missing card is a KeyError."""
        if key not in self:
            raise KeyError(key)
        return self.get(key)

    def __iter__(self) -> Iterator[str]:
        """The keywords that have a value, HIERARCH ones (without that word) last."""
        for name, offset in self._cards.items():
            if self.raw[offset + 8] == ord("="):
                yield text(name)
        for name, offset in self._hierarch.items():
            if name.startswith(b"HIERARCH ") and b"=" in self.raw[offset : offset + CARD]:
                yield text(name[9:])

    def get(self, key: str) -> Value:
        """The value of ``key``; None when the card is not there or has no value."""
        try:
            return self._values[key]
        except KeyError:
            pass
        offset = self._offset(key)
        value: Value = None
        if offset is not None:
            value = decode_value(self.raw[offset : offset + CARD].partition(b"=")[2])
            if isinstance(value, str) and value.endswith("&"):
                value = self._continued(value, offset)
        self._values[key] = value
        return value

    def _continued(self, value: str, offset: int) -> str:
        """A long string with its CONTINUE cards (section 4.2.1.2)."""
        while value.endswith("&"):
            offset += CARD
            card = self.raw[offset : offset + CARD]
            if card[:8] != b"CONTINUE" or b"'" not in card:
                break
            value = value[:-1] + text(_string(card[8:]))
        return value

    def column_cards(self, count: int) -> bytes:
        """The cards that define so many columns of a binary table, in a settled order."""
        cards, raw = self._cards, self.raw
        offsets = [cards[name] for name in _column_names(count) if name in cards]
        return b"".join([raw[offset : offset + CARD] for offset in offsets])

    def text(self, key: str) -> str | None:
        """The value of ``key`` as text; None when it is missing or blank."""
        value = self.get(key)
        if value is None or value == "":
            return None
        return value if isinstance(value, str) else str(value)

    def integer(self, key: str) -> int | None:
        """The value of ``key`` if it is an integer (a whole float counts), else None."""
        value = self.get(key)
        if isinstance(value, bool):
            return None
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value if isinstance(value, int) else None

    def number(self, key: str) -> float | None:
        """The value of ``key`` as a finite number, else None; text that is a number counts."""
        value = self.get(key)
        if isinstance(value, bool) or value is None:
            return None
        try:
            number = float(value)
        except ValueError:
            return None
        return number if np.isfinite(number) else None


class Column(NamedTuple):
    """One column of a binary table as its header declares it (sections 7.3.1 and 7.3.2)."""

    name: str
    #: Letter of the type: L X B I J K A E D C M P Q.
    kind: str
    #: Values in a cell (characters for ``A``).
    repeat: int
    unit: str | None
    #: Bytes from the start of a row.
    offset: int
    width: int
    #: The declared TFORM and TDIM.
    form: str
    dim: str | None
    scale: float
    zero: float


@lru_cache(maxsize=512)
def _columns(cards: bytes, count: int) -> tuple[dict[str, Column], int]:
    """Columns by upper-case name, from their cards, and the bytes of a row.

    Of two columns with one name the first counts. Raises ValueError for a TFORM that is none.
    Most tables of a kind are alike: most calls are answered from memory.
    """
    header = Header(cards)
    columns: dict[str, Column] = {}
    offset = 0
    for n in range(1, count + 1):
        form = header.text(f"TFORM{n}") or ""
        match = _TFORM.match(form)
        if not match:
            raise ValueError(f"column {n} has no valid TFORM ('{form}')")
        repeat = int(match[1]) if match[1] else 1
        kind = match[2]
        if kind == "A":
            width = repeat
        elif kind == "X":
            width = (repeat + 7) // 8
        else:
            # Array descriptors P and Q are pairs (section 7.3.5).
            width = repeat * _SIZES[kind] * (2 if kind in "PQ" else 1)
        column = Column(
            name=(header.text(f"TTYPE{n}") or f"COL{n}").upper(),
            kind=kind,
            repeat=repeat,
            unit=header.text(f"TUNIT{n}"),
            offset=offset,
            width=width,
            form=form,
            dim=header.text(f"TDIM{n}"),
            scale=_or(header.number(f"TSCAL{n}"), 1.0),
            zero=_or(header.number(f"TZERO{n}"), 0.0),
        )
        columns.setdefault(column.name, column)
        offset += width
    return columns, offset


class Table:
    """A binary table: columns as numpy views on the file's bytes, made when asked for."""

    def __init__(self, hdu: HDU, name: str) -> None:
        header = hdu.header
        self.hdu = hdu
        self.header = header
        self.rows = header.integer("NAXIS2") or 0
        self.row_bytes = header.integer("NAXIS1") or 0
        self._file = name
        self._read: dict[str, NDArray[np.generic]] = {}
        count = header.integer("TFIELDS") or 0
        try:
            columns, size = _columns(header.column_cards(min(count, MAX_COLUMNS)), count)
        except ValueError as error:
            raise UnreadableFile(name, hdu.place, str(error)) from None
        #: The columns by upper-case name, in file order; of two with one name the first counts.
        self.columns: Mapping[str, Column] = columns
        if size != self.row_bytes:
            raise UnreadableFile(
                name,
                hdu.place,
                f"the columns need {size} bytes a row, NAXIS1 says {self.row_bytes}",
            )

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def array(self, name: str) -> NDArray[np.generic] | None:
        """The column's cells, shape (rows, repeat); None when there is no such column.

        Text comes as bytes of shape (rows,), logical values as bool (anything but ``T`` is
        False), numbers in native byte order with TSCAL and TZERO applied.
        """
        if name in self._read:
            return self._read[name]
        column = self.columns.get(name)
        if column is None:
            return None
        if column.kind in "XPQ":
            raise UnreadableFile(
                self._file, self.hdu.place, f"column {name} has the unsupported type {column.form}"
            )
        start = self.hdu.start + column.offset
        array: NDArray[np.generic]
        if column.width == 0 or self.rows == 0:
            kind = "S1" if column.kind == "A" else _TYPES[column.kind].lstrip(">")
            shape = (self.rows,) if column.kind == "A" else (self.rows, column.repeat)
            array = np.zeros(shape, kind if column.kind != "L" else np.bool_)
        elif column.kind == "A":
            array = np.ndarray(
                (self.rows,), f"S{column.width}", self.hdu.buffer, start, (self.row_bytes,)
            ).copy()
        else:
            dtype = _DTYPES[column.kind]
            raw: NDArray[np.generic] = np.ndarray(
                (self.rows, column.repeat),
                dtype,
                self.hdu.buffer,
                start,
                (self.row_bytes, dtype.itemsize),
            )
            if column.kind == "L":
                array = raw == ord("T")
            elif column.scale != 1.0 or column.zero != 0.0:
                array = raw.astype(np.float64) * column.scale + column.zero
                if column.kind in "BIJK" and column.scale == 1.0 and column.zero.is_integer():
                    array = array.astype(np.int64)
            else:
                array = raw.astype(_NATIVE[column.kind])
        self._read[name] = array
        return array


@dataclass
class HDU:
    """One header and data unit of a file."""

    #: 0 for the primary one.
    number: int
    header: Header
    buffer: Buffer
    #: Byte offset and length of the data.
    start: int
    length: int

    @property
    def name(self) -> str:
        """EXTNAME, blank when there is none."""
        return self.header.text("EXTNAME") or ""

    @property
    def place(self) -> str:
        """How messages name this HDU."""
        return f"HDU {self.number} ({self.name or 'primary' if self.number == 0 else self.name})"

    @property
    def is_table(self) -> bool:
        """True for a binary table extension."""
        return self.header.get("XTENSION") in ("BINTABLE", "A3DTABLE")


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _open(path: Path) -> Buffer:
    """The bytes of a FITS file, mapped, or unpacked when gzip; checks that it is FITS at all."""
    if path.exists() and not path.is_file():  # opening a pipe waits for ever
        raise UnreadableFile(path.name, "", "a directory, pipe or device, not a regular file")
    try:
        with path.open("rb") as stream:
            start = stream.read(BLOCK)
            if not start:
                raise UnreadableFile(path.name, "", "the file is empty")
            if start[:2] == b"\x1f\x8b":
                return _unpack(path)
            _require_fits(start, path.name)
            if path.stat().st_size <= MAX_READ:
                # A mapped file that somebody shortens meanwhile would kill the process.
                stream.seek(0)
                return stream.read()
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except UnreadableFile:
        raise
    except OSError as error:
        raise UnreadableFile(path.name, "", error.strerror or str(error)) from None


def _require_fits(start: bytes, name: str) -> None:
    if start[:6] != b"SIMPLE" or start[8:9] != b"=":
        raise UnreadableFile(name, "byte 0", "not a FITS file (it does not begin with SIMPLE)")


def _unpack(path: Path) -> bytes:
    limit = MAX_EXPANSION * path.stat().st_size + (1 << 20)
    try:
        with gzip.open(path) as stream:
            data = stream.read(BLOCK)
            if not data:
                raise UnreadableFile(path.name, "", "the compressed file is empty")
            _require_fits(data, path.name)
            data += stream.read(limit - len(data) + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFile(
            path.name, "", f"the compressed file is damaged or cut off ({error})"
        ) from None
    if len(data) > limit:
        raise UnreadableFile(
            path.name, "", f"the compressed file grows more than {MAX_EXPANSION} times; refused"
        )
    return data


def _header_end(buffer: Buffer, start: int, name: str, number: int) -> int:
    """Offset after the header that begins at ``start``: the block after its END card."""
    limit = min(len(buffer), start + MAX_HEADER)
    position = start
    while (position := buffer.find(b"END     ", position, limit)) >= 0:
        if (position - start) % CARD == 0:
            end = start + ((position - start) // BLOCK + 1) * BLOCK
            if end <= len(buffer):
                return end
            break
        position += 1
    raise UnreadableFile(name, f"HDU {number}", "the header has no END: the file is cut off")


def _data_length(header: Header, name: str, number: int) -> int:
    """Bytes of data after a header, without padding (section 4.4.1.1, equation 2)."""
    axes = []
    count = header.integer("NAXIS")
    bitpix = header.integer("BITPIX")
    if count is None or bitpix is None or not 0 <= count <= 999:
        raise UnreadableFile(name, f"HDU {number}", "BITPIX or NAXIS is missing or no integer")
    for axis in range(1, count + 1):
        length = header.integer(f"NAXIS{axis}")
        if length is None or length < 0:
            raise UnreadableFile(
                name, f"HDU {number}", f"NAXIS{axis} is missing, negative or no integer"
            )
        axes.append(length)
    if not axes:
        return 0
    if axes[0] == 0 and header.get("GROUPS") is True:
        axes = axes[1:]
    size = 1
    for length in axes:
        size *= length
    groups = header.integer("GCOUNT")
    heap = header.integer("PCOUNT") or 0
    return abs(bitpix) // 8 * (1 if groups is None else groups) * (heap + size)


def read(path: Path) -> list[HDU]:
    """The HDUs of a FITS file (plain or gzip), with their data mapped, not read.

    Raises UnreadableFile when the file is missing, empty, not FITS, cut off, or when a header
    announces data that are not there.
    """
    buffer = _open(path)
    hdus: list[HDU] = []
    position = 0
    size = len(buffer)
    while position < size:
        number = len(hdus)
        rest = size - position
        if number:
            start = bytes(buffer[position : position + CARD])
            if rest < BLOCK or start[:8] != b"XTENSION":
                # Some writers leave a few stray or blank bytes at the end; anything longer
                # means that a header lied about the length of its data.
                blank = not bytes(buffer[position : position + 4 * BLOCK]).strip(b"\0 ")
                if rest < BLOCK or (blank and rest <= MAX_BLANK):
                    break
                raise UnreadableFile(
                    path.name,
                    f"byte {position}",
                    f"no extension begins here: the header of HDU {number - 1} is wrong "
                    "about the size of its data",
                )
        data = _header_end(buffer, position, path.name, number)
        header = Header(bytes(buffer[position:data]))
        length = _data_length(header, path.name, number)
        hdu = HDU(number, header, buffer, data, length)
        if length < 0 or data + length > size:
            raise UnreadableFile(
                path.name,
                hdu.place,
                f"the header announces {length} bytes of data, the file has {max(0, size - data)} "
                "left: cut off, or the header is wrong",
            )
        hdus.append(hdu)
        position = data + (length + BLOCK - 1) // BLOCK * BLOCK
    return hdus


def read_table(hdu: HDU, name: str) -> Table:
    """The binary table of an HDU; ``name`` is the file's, for messages."""
    return Table(hdu, name)
