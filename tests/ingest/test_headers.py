"""Reading headers: three forms, broken cards, what is no header."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import headers
from ingest.headers import UnreadableFile

CARDS = [
    "SIMPLE  =                    T / Standard FITS",
    "INSTRUME= 'GRAVITY '           / Instrument",
    "OBJECT  = 'O''Neill & <Sons>'  / it's quoted",
    "EXPTIME =        1.5D1",
    "HIERARCH ESO OBS ID          =    246060 / aligned",
    "HIERARCH ESO ISS CONF NTEL = 4 / Number of telescopes",
    "HIERARCH ESO ISS CONF NTEL = 3 / again",
    "HIERARCH ESO ISS AMBI TEMP= -1.5",
    "HIERARCH ESO OBS NAME = 'a very long name &'",
    "CONTINUE  'of an OB&'",
    "CONTINUE  ' in three'",
    "HIERARCH ESO FT ROBJ ALPHA = '052738.339' / text that is a number",
    "HIERARCH ESO TPL ID = / no value",
    "HIERARCH ESO INS MODE 'no equals sign'",
    "HIERARCH ESO DPR TYPE = 'never closed",
    "COMMENT RA      = 5",
]
TEXT = "\n".join([*CARDS, "END", ""])


def page(text: str) -> str:
    return f"<html><body>\n<PRE class='x'>\n{html.escape(text)}</PRE></body></html>"


def fits(cards: list[str]) -> bytes:
    raw = b"".join(card.encode("latin-1").ljust(80) for card in [*cards, "END"])
    return raw.ljust(-(-len(raw) // 2880) * 2880) + b"\n= data =\n" * 288


FORMS = {
    "text": TEXT.encode(),
    "padded text": "\n".join(c.ljust(80) for c in [*CARDS, "END"]).encode(),
    "text of Windows": TEXT.replace("\n", "\r\n").encode(),
    "page": page(TEXT).encode(),
    "page without END": page("\n".join(CARDS)).encode(),
    "FITS": fits(CARDS),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_say_the_same(form: str) -> None:
    header = headers.read(FORMS[form], "x")
    for again in (header, headers.read(header.as_text().encode(), "x")):
        assert again.text("OBJECT") == "O'Neill & <Sons>"
        assert again.number("EXPTIME") == 15.0
        assert again.integer("OBS ID") == 246060
        assert again.integer("ISS CONF NTEL") == 4  # the first counts
        assert again.number("ISS AMBI TEMP") == -1.5
        assert again.text("OBS NAME") == "a very long name of an OB in three"
        assert again.number("FT ROBJ ALPHA") == 52738.339
        assert again.text("TPL ID") is again.text("INS MODE") is None
        assert again.number("RA") is None
        assert again.text("DPR TYPE") == "never closed"


def test_only_the_primary_header_counts() -> None:
    extension = "XTENSION= 'BINTABLE'\nRA      = 7.0\nEND\n"
    assert headers.read((TEXT + extension).encode(), "x").number("RA") is None


def test_bytes_beyond_ascii() -> None:
    for encoding in ("utf-8", "latin-1"):
        text = TEXT.replace("O''Neill & <Sons>", "étoile\0").encode(encoding)
        header = headers.read(text, "x")
        assert header.text("OBJECT") == "étoile"
        assert headers.read(header.as_text().encode(), "x").text("OBJECT") == "étoile"
    assert headers.read(TEXT.replace("Neill", "\x01").encode(), "x").text("OBJECT") is not None
    shown = headers.read(TEXT.replace("Neill", "\x01").encode(), "x").text("OBJECT") or ""
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\n ", "empty"),
        (b"<html><body>Internal Server Error</body></html>", "without a header"),
        (page(TEXT)[:300].encode(), "cut off"),
        (page("No info found for X").encode(), "not with SIMPLE"),
        (TEXT[:300].encode(), "no END"),
        (fits(CARDS)[:800], "no END"),
        (b"\x89PNG\r\n", "not an ESO header"),
        (b"SIMPLE", "not an ESO header"),
    ],
)
def test_what_is_no_header(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason) as caught:
        headers.read(data, "night.hdr")
    assert str(caught.value).startswith("night.hdr: ")


@given(st.binary(max_size=500))
def test_any_bytes(data: bytes) -> None:
    for some in (data, b"SIMPLE  = T\n" + data + b"\nEND\n", b"<pre>SIMPLE = T\n" + data):
        try:
            header = headers.read(some, "x")
        except UnreadableFile:
            continue
        headers.read(header.as_text().encode(), "x")


def test_numbers_that_are_none() -> None:
    for value in ("nan", "'inf'", "1e999", "T", "''", "'x'", "9" * 400):
        header = headers.read(f"SIMPLE  = T\nEXPTIME = {value}\nEND".encode(), "x")
        assert header.number("EXPTIME") is None, value
        assert header.integer("EXPTIME") is None


def test_real_headers_as_pages_and_fits(shared: Path) -> None:
    """All real headers, and the same as page and as FITS: the same values."""
    keys = ("OBJECT", "MJD-OBS", "ISS PBL12 START", "OBS NAME", "INS MODE", "DET NDIT", "TPL ID")
    paths = sorted((shared / "eso_headers").glob("*/*.hdr"))
    assert len(paths) >= 166
    for path in paths:
        text = path.read_bytes().decode("latin-1")
        cards = text[: text.index("\nEND")].split("\n")
        expected = headers.read(path.read_bytes(), path.name)
        for form in (page(text).encode("latin-1"), fits(cards)):
            header = headers.read(form, path.name)
            assert [header.get(key) for key in keys] == [expected.get(key) for key in keys]
