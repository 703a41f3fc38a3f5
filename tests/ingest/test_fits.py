"""The FITS reader against astropy, and on files that are broken in every way we could think of."""

from __future__ import annotations

import gzip
import io
import random
import re
import struct
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits as astropy_fits
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import fits
from ingest.fits import BLOCK, CARD, Header, UnreadableFile

Save = Callable[..., Path]

#: A few files of each instrument, with all that real headers do.
SAMPLE = (
    "vlti-gravity/GRAVI.2018-04-18T08-08-19.739_singlescivis_singlesciviscalibrated.fits",
    "vlti-pionier/PIONI.2016-05-31T00_55_19.075_oidataCalibrated.fits",
    "vlti-matisse/CALIB_RAW_INT_0001_N.fits",
    "vlti-amber/AMBER_070409.fits",
    "vlti-midi/NGC5128_2005.oifits",
    "chara-mirc/iota_peg4t.oifits",
    "chara-mircx-mystic/SU_Lyn.oifits",
    "jwst-niriss/ABDor_NIRISS_F480M.oifits",
    "npoi/HD140573.oifits",
    "iota/arcturus.1.52mu.fits",
    "coast/testdata.fits",
    "conformance/v2_bigtest2.fits",
    "conformance/test.fits",
    "contest/Mystery-Low_HK.oifits.gz",
)


def table_file() -> bytes:
    """A primary header and one small table."""
    columns = [
        astropy_fits.Column("A", "1J", array=[1, 2, 3]),
        astropy_fits.Column("B", "2D", array=np.arange(6.0).reshape(3, 2)),
        astropy_fits.Column("C", "4A", array=["x", "yy", "zzzz"]),
    ]
    table = astropy_fits.BinTableHDU.from_columns(columns, name="T")
    buffer = io.BytesIO()
    astropy_fits.HDUList([astropy_fits.PrimaryHDU(), table]).writeto(buffer)
    return buffer.getvalue()


def with_card(content: bytes, key: str, value: str) -> bytes:
    """The file with another value in the first card of that keyword, cards kept in place."""
    start = content.index(key.ljust(8).encode() + b"= ")
    return content[:start] + f"{key:8}= {value:>20}".ljust(CARD).encode() + content[start + CARD :]


def read(folder: Path, content: bytes) -> list[fits.HDU]:
    path = folder / "file.fits"
    path.write_bytes(content)
    return fits.read(path)


def refusal(folder: Path, content: bytes) -> str:
    """What the reader says against a file, or against its tables."""
    message = refusal_or_nothing(folder, content)
    assert message is not None
    return message


def refusal_or_nothing(folder: Path, content: bytes) -> str | None:
    try:
        for hdu in read(folder, content):
            if hdu.is_table:
                table = fits.read_table(hdu, "file.fits")
                for column in table.columns:
                    table.array(column)
    except UnreadableFile as error:
        return assert_sentence(error)
    return None


def assert_sentence(error: UnreadableFile) -> str:
    """One line that begins with the file's name."""
    text = str(error)
    assert text.startswith(f"{error.name}: ")
    assert "\n" not in text
    assert "Traceback" not in text
    assert len(text) < 300
    return text


# ---------------------------------------------------------------- against astropy


@pytest.mark.parametrize("path", SAMPLE)
def test_real_files_against_astropy(shared: Path, path: str) -> None:
    """Every keyword and every cell."""
    place = shared / "oifits" / path
    with warnings.catch_warnings(), astropy_fits.open(place) as theirs:
        warnings.simplefilter("ignore")
        ours = fits.read(place)
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.name == other.header.get("EXTNAME", "").strip()
            compare_headers(mine.header, other.header)
            assert mine.is_table == isinstance(other, astropy_fits.BinTableHDU)
            if mine.is_table:
                compare_tables(fits.read_table(mine, place.name), other)


def compare_headers(ours: Header, theirs: astropy_fits.Header) -> None:
    for card in theirs.cards:
        try:
            key, value = card.keyword, theirs[card.keyword]
        except (KeyError, astropy_fits.VerifyError):
            continue  # astropy itself cannot read it
        if key in ("", "COMMENT", "HISTORY", "CONTINUE") or theirs.count(key) > 1:
            continue
        mine = ours.get(key)
        if isinstance(value, astropy_fits.card.Undefined):
            assert mine is None
        elif isinstance(value, str):
            assert mine == value.strip()
        else:
            assert mine == value
            assert type(mine) is type(value)


def compare_tables(ours: fits.Table, theirs: astropy_fits.BinTableHDU) -> None:
    assert ours.rows == len(theirs.data)
    assert list(ours.columns) == list(dict.fromkeys(n.upper() for n in theirs.columns.names))
    for number, name in enumerate(theirs.columns.names):
        mine = ours.array(name.upper())
        expected = theirs.data.field(number)
        assert mine is not None
        if mine.dtype.kind == "S":
            cells = [fits.text(cell) for cell in mine.tolist()]
            assert cells == [str(cell).strip() for cell in np.atleast_1d(expected)]
        else:
            np.testing.assert_array_equal(mine.ravel(), np.asarray(expected).ravel())


text_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=150)
values = st.one_of(
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    text_values,
)
keywords = st.one_of(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,7}", fullmatch=True),
    st.from_regex(r"ESO( [A-Z0-9]{1,6}){2,4}", fullmatch=True),
)
RESERVED = {
    "SIMPLE",
    "BITPIX",
    "NAXIS",
    "EXTEND",
    "END",
    "COMMENT",
    "HISTORY",
    "CONTINUE",
    "XTENSION",
}


@given(st.dictionaries(keywords, values, max_size=8))
def test_headers_as_astropy_writes_them(cards: dict[str, bool | int | float | str]) -> None:
    """Quotes, long strings with CONTINUE, HIERARCH, numbers of any form."""
    header = astropy_fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for key, value in cards.items():
            if key in RESERVED or key.startswith("NAXIS"):
                continue
            try:
                card = astropy_fits.Card(key if " " not in key else f"HIERARCH {key}", value)
                str(card)
            except ValueError:
                continue  # too long for a HIERARCH card
            header.append(card, end=True)
        ours = Header(header.tostring().encode("ascii"))
        theirs = astropy_fits.Header.fromstring(header.tostring())
        for key in theirs:
            expected = theirs[key]
            if isinstance(expected, str):
                # Long strings end in "&" where they go on: one that ends so is ambiguous.
                # A quote before a slash ends the string for astropy, doubled or not.
                ambiguous = expected.rstrip().endswith("&")
                if not ambiguous and not re.search(r"' */", str(header[key])):
                    assert ours.get(key) == expected.strip()
            else:
                assert ours.get(key) == expected


@given(
    st.integers(0, 5),
    st.lists(
        st.sampled_from(["L", "B", "I", "J", "K", "E", "D", "C", "M", "3E", "2I", "7A", "5L"]),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_tables_as_astropy_writes_them(rows: int, forms: list[str], rng: random.Random) -> None:
    generator = np.random.default_rng(rng.randrange(2**32))
    columns = []
    for number, form in enumerate(forms):
        repeat, kind = int(form[:-1] or 1), form[-1]
        shape = (rows, repeat) if form[:-1] and kind != "A" else (rows,)
        if kind == "A":
            array = np.array(["ab", "", "seven c"])[generator.integers(0, 3, rows)]
        elif kind == "L":
            array = generator.integers(0, 2, shape).astype(bool)
        elif kind in "BIJK":
            array = generator.integers(0, 100, shape)
        else:
            array = generator.normal(size=shape)
        columns.append(astropy_fits.Column(f"c{number}", form, array=array))
    buffer = io.BytesIO()
    hdu = astropy_fits.BinTableHDU.from_columns(columns, nrows=rows)
    astropy_fits.HDUList([astropy_fits.PrimaryHDU(), hdu]).writeto(buffer)
    content = buffer.getvalue()
    with astropy_fits.open(io.BytesIO(content)) as theirs:
        header = theirs[1].header.tostring().encode()
        start = len(theirs[0].header.tostring()) + len(header)
        ours = fits.Table(fits.HDU(1, Header(header), content, start, 0), "file.fits")
        compare_tables(ours, theirs[1])


def test_scaled_and_unsigned_columns(tmp_path: Path) -> None:
    """TSCAL and TZERO; integers stay integers when only shifted by an integer."""
    columns = [
        astropy_fits.Column("U", "1I", array=[-32768, 7232, 32767]),
        astropy_fits.Column("S", "1I", array=[2, 5, 20]),
    ]
    hdu = astropy_fits.BinTableHDU.from_columns(columns)
    hdu.header["XZERO1"] = 32768
    hdu.header["XSCAL2"], hdu.header["XZERO2"] = 0.5, 10.0
    buffer = io.BytesIO()
    astropy_fits.HDUList([astropy_fits.PrimaryHDU(), hdu]).writeto(buffer)
    content = buffer.getvalue().replace(b"XZERO", b"TZERO").replace(b"XSCAL", b"TSCAL")
    table = fits.read_table(read(tmp_path, content)[1], "file.fits")
    unsigned, scaled = table.array("U"), table.array("S")
    assert unsigned is not None
    assert scaled is not None
    assert unsigned.ravel().tolist() == [0, 40000, 65535]
    assert unsigned.dtype.kind == "i"
    assert scaled.ravel().tolist() == [11.0, 12.5, 20.0]


def test_text_of_all_sorts() -> None:
    assert fits.text(b"  HD 1  ") == "HD 1"
    assert fits.text(b"HD 1\0garbage") == "HD 1"
    assert fits.text("Bételgeuse".encode()) == "Bételgeuse"
    assert fits.text("Bételgeuse".encode("latin-1")) == "Bételgeuse"
    assert fits.text(b"\0") == ""


def card(text: str) -> bytes:
    return text.ljust(CARD).encode("latin-1")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("KEY     = 'it''s'", "it's"),
        ("KEY     = 'no end", "no end"),
        ("KEY     = 'a / b' / comment", "a / b"),
        ("KEY     =                    T", True),
        ("KEY     =               1.5D+3", 1500.0),
        ("KEY     =                 .5e1", 5.0),
        ("KEY     = +7 / seven", 7),
        ("KEY     =                  NaN", "NaN"),
        ("KEY     =", None),
        ("KEY     = / only a comment", None),
        ("KEY     = 1 2", "1 2"),
        ("KEY     =5", 5),
        ("KEY     = ''", ""),
    ],
)
def test_odd_cards(text: str, value: object) -> None:
    header = Header(card(text) + card("END"))
    assert header.get("KEY") == value
    assert type(header.get("KEY")) is type(value)


def test_keywords_with_and_without_value() -> None:
    header = Header(
        card("FIRST   = 1")
        + card("FIRST   = 2")
        + card("COMMENT = 3")
        + card("HIERARCH ESO OBS PROG ID   = '60.A'")
        + card("HIERARCH no value here")
        + card("KEY      a comment without sign")
        + card("END")
    )
    assert header.get("FIRST") == 1
    assert header["FIRST"] == 1
    assert header.get("ESO OBS PROG ID") == "60.A"
    assert "KEY" not in header
    assert header.get("MISSING") is None
    with pytest.raises(KeyError):
        header["MISSING"]
    assert {"FIRST", "ESO OBS PROG ID"} <= set(header)


def test_typed_access() -> None:
    header = Header(
        card("A       = 5.0")
        + card("B       = '12.5'")
        + card("C       = T")
        + card("D       = 'x'")
    )
    assert header.integer("A") == 5
    assert header.number("B") == 12.5
    assert header.integer("B") is None
    assert header.number("C") is None
    assert header.integer("C") is None
    assert header.number("D") is None
    assert header.text("A") == "5.0"


# ---------------------------------------------------------------- what cannot be read


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as error:
        fits.read(tmp_path / "nothing.fits")
    assert "No such file" in assert_sentence(error.value)


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "folder.fits").mkdir()
    with pytest.raises(UnreadableFile) as error:
        fits.read(tmp_path / "folder.fits")
    assert "directory" in assert_sentence(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"S", "not a FITS file"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 5000, "not a FITS file"),
        (b"<html><body>404</body></html>", "not a FITS file"),
        (b"SIMPLE LIES" * 1000, "not a FITS file"),
        (b"SIMPLE  =", "no END"),
        (b"SIMPLE  =                    T".ljust(10 * BLOCK), "no END"),
        (card("SIMPLE  =                    T") + card("END"), "no END"),
        ((card("SIMPLE  =                    T") + card("END")).ljust(BLOCK), "BITPIX or NAXIS"),
        (gzip.compress(b""), "compressed file is empty"),
        (gzip.compress(b"not FITS"), "not a FITS file"),
        (b"\x1f\x8b", "damaged or cut off"),
        (b"\x1f\x8b" + b"\xff" * 100, "damaged"),
        (gzip.compress(table_file())[:-20], "damaged or cut off"),
    ],
)
def test_what_is_no_fits_file(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("NAXIS2", "4000", "announces"),
        ("NAXIS2", "999999999999999999999", "announces"),
        ("NAXIS2", "-3", "negative"),
        ("NAXIS2", "'three'", "no integer"),
        ("NAXIS2", "1.5", "no integer"),
        ("NAXIS1", "25", "the columns need 24 bytes a row, NAXIS1 says 25"),
        ("NAXIS1", "0", "HDU 1 is wrong about the size of its data"),
        ("TFIELDS", "2", "the columns need 20 bytes a row"),
        ("TFIELDS", "4", "column 4 has no valid TFORM"),
        ("TFIELDS", "999999", "column 4 has no valid TFORM"),
        ("TFORM1", "'1Z'", "column 1 has no valid TFORM ('1Z')"),
        ("TFORM1", "''", "column 1 has no valid TFORM"),
        ("TFORM1", "5", "column 1 has no valid TFORM"),
        ("TFORM1", "'2J'", "the columns need 28 bytes"),
        ("TFORM2", "'99999999999D'", "the columns need"),
        ("TFORM1", "'32X'", "column A has the unsupported type 32X"),
        ("GCOUNT", "-1", "announces"),
        ("PCOUNT", "100000", "announces"),
        ("BITPIX", "'x'", "BITPIX or NAXIS"),
        ("NAXIS", "1000", "BITPIX or NAXIS"),
    ],
)
def test_headers_that_lie(tmp_path: Path, key: str, value: str, reason: str) -> None:
    """One wrong card in the table's header; the last HDU is named in the message."""
    content = table_file()
    table = content.index(b"XTENSION")
    broken = content[:table] + with_card(content[table:], key, value)
    message = refusal(tmp_path, broken)
    assert reason in message
    assert "HDU 1" in message


def test_table_that_says_it_is_shorter(tmp_path: Path) -> None:
    """What follows its data is then no extension."""
    columns = [astropy_fits.Column("A", "1D", array=np.arange(2000.0))]
    buffer = io.BytesIO()
    astropy_fits.HDUList(
        [astropy_fits.PrimaryHDU(), astropy_fits.BinTableHDU.from_columns(columns)]
    ).writeto(buffer)
    message = refusal(tmp_path, with_card(buffer.getvalue(), "NAXIS2", "5"))
    assert "HDU 1 is wrong about the size of its data" in message


@pytest.mark.parametrize("extra", [b"\0", b" " * 2880, b"\0" * 5760, b"\x1a", b"\r\n"])
def test_stray_bytes_at_the_end_do_no_harm(tmp_path: Path, extra: bytes) -> None:
    assert len(read(tmp_path, table_file() + extra)) == 2


def test_cut_off_anywhere(tmp_path: Path) -> None:
    """A file cut at any place is refused, unless only padding is missing."""
    content = table_file()
    needed = 3 * BLOCK + 3 * 24 if len(content) == 4 * BLOCK else 2 * BLOCK + 3 * 24
    for length in range(0, len(content), 97):
        if length == BLOCK or length >= needed:
            continue  # a primary header alone is a file
        if BLOCK < length < 2 * BLOCK and not content[BLOCK:length].strip(b"\0 "):
            continue
        message = refusal_or_nothing(tmp_path, content[:length])
        assert message is not None or BLOCK <= length < 2 * BLOCK


@given(st.data())
@settings(max_examples=300)
def test_damaged_bytes(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever bytes change, the reader reads or refuses; nothing else happens."""
    content = bytearray(table_file())
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    refusal_or_nothing(tmp_path, bytes(content))


@given(st.binary(max_size=4000))
def test_arbitrary_header(tmp_path: Path, noise: bytes) -> None:
    content = card("SIMPLE  =                    T") + noise
    refusal_or_nothing(tmp_path, content + card("END").ljust(2 * BLOCK))


def test_gzip_bomb(tmp_path: Path) -> None:
    """A small file that would unpack to 200 MB is refused without unpacking it."""
    start = (
        card("SIMPLE  =                    T")
        + card("BITPIX  =                    8")
        + card("NAXIS   =                    1")
        + card("NAXIS1  =            200000000")
        + card("END")
    ).ljust(BLOCK)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9) as stream:
        stream.write(start)
        for _ in range(200):
            stream.write(bytes(1_000_000))
    path = tmp_path / "bomb.fits.gz"
    path.write_bytes(buffer.getvalue())
    assert path.stat().st_size < 250_000
    tracemalloc.start()
    with pytest.raises(UnreadableFile) as error:
        fits.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "grows more than" in assert_sentence(error.value)
    assert peak < 120e6


def test_lying_size_in_the_gzip_trailer(tmp_path: Path) -> None:
    """The trailer's size and checksum are checked like all else."""
    packed = bytearray(gzip.compress(table_file()))
    packed[-4:] = struct.pack("<I", 17)
    assert "damaged" in refusal(tmp_path, bytes(packed))


def test_gzip_is_read_like_the_plain_file(tmp_path: Path) -> None:
    plain = read(tmp_path, table_file())
    packed = read(tmp_path, gzip.compress(table_file()))
    for one, other in zip(plain, packed, strict=True):
        assert one.header.raw == other.header.raw
    array = fits.read_table(packed[1], "file.fits").array("B")
    assert array is not None
    assert array.tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("start", "words"),
    [(b"", "not a FITS file"), (table_file(), "no extension begins here")],
    ids=["alone", "after a table"],
)
def test_two_gigabytes_of_nothing(tmp_path: Path, start: bytes, words: str) -> None:
    """A sparse file costs neither time nor memory; it is refused."""
    path = tmp_path / "sparse.fits"
    with path.open("wb") as stream:
        stream.write(start)
        stream.truncate(2 << 30)
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match=words):
        fits.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6


def test_header_without_end_in_a_large_file(tmp_path: Path) -> None:
    """The search for END stops."""
    path = tmp_path / "endless.fits"
    with path.open("wb") as stream:
        stream.write(card("SIMPLE  =                    T"))
        stream.truncate(300 << 20)
    with pytest.raises(UnreadableFile) as error:
        fits.read(path)
    assert "no END" in assert_sentence(error.value)
