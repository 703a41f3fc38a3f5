"""Headers of raw files as ESO's archive gives them out.

Three forms: text with one card a line, the page of ESO's header service (the same text inside
``<pre>``) and the primary HDU of a FITS file. A header has up to a few thousand cards of which an
exposure needs a hundred: those are picked out in one pass and decoded when they are asked for.

Cards are those of the FITS standard 4.0 (section 4) and of ESO's Data Interface Control Document
(HIERARCH); broken cards, repeated ones (the first counts) and bytes beyond ASCII are tolerated.
"""

from __future__ import annotations

import html
import re
from math import isfinite

from ingest.fits import BLOCK, CARD, MAX_HEADER, UnreadableFile, Value, decode_value, text

__all__ = ["Header", "UnreadableFile", "read"]

#: Keywords that exposures are made of: those of FITS, and beginnings of those of ESO's hierarchy.
_PLAIN = "ARCFILE|DATE-OBS|DEC|EQUINOX|EXPTIME|INSMODE|INSTRUME|MJD-OBS|OBJECT|PROG_ID|RA"
_HIERARCH = (
    r"DE(?:L FT (?:SENSOR|STATUS)|T (?:CHIP (?:NAME|TYPE)|DIT|NAME|NDIT|READOUT CYCLETIME"
    r"|SEQ1 (?:DIT|EXPTIME))|T2 (?:NDIT|SEQ1 DIT))",
    r"DPR (?:CATG|TECH|TYPE)|FT ROBJ|PRO CATG|SEQ DIL WL0|TEL TARG|TPL (?:EXPNO|ID|NEXP|START)",
    r"IN(?:S (?:DI[LN] NAME|FIL(?:T[12])? NAME|GR(?:AT1 WLEN|IS (?:ID|NAME))|MODE"
    r"|O(?:BC TYPE|PT(?:1|I[123]) NAME)|POLA MODE|S(?:OBJ (?:NAME|SWAP|X|Y)|PEC RES)))",
    r"ISS (?:A(?:IRM|MBI (?:FWHM|IWV (?:START|END)|PRES|RHUM|TAU0|TEMP\b|WIND)"
    r")|CONF (?:NTEL|STATION|INPUT|T.NAME)|EPOCH|P(?:BL|M[AD])|REF)",
    r"OBS (?:CONTAINER ID|ID|NAME|P(?:I-COI NAME|ROG ID)|TARG)",
)
# One pass over the text: that is most of what reading a header costs.
_CARDS = re.compile(
    rb"\n(?:HIERARCH ESO ((?:%b)[^=\n]*)|((?:%b) *))=([^\n]*(?:\nCONTINUE[^\n]*)*)"
    % ("|".join(_HIERARCH).encode(), _PLAIN.encode())
)
_PAGE = re.compile(rb"<pre\b[^>]*>(.*?)</pre\s*>", re.IGNORECASE | re.DOTALL)
_CONTINUE = re.compile(rb"\nCONTINUE +")


class Header:
    """The cards of one header; keywords are given as ``header.text("ISS CONF NTEL")``.

    Names have neither HIERARCH nor ESO. Only keywords that exposures are made of are there.
    """

    def __init__(self, cards: bytes) -> None:
        """``cards``: one card a line, without END."""
        self._raw = b"\n" + cards
        # Backwards, so that of a repeated keyword the first counts.
        self._cards = {
            (long or short).rstrip(): raw
            for long, short, raw in reversed(_CARDS.findall(self._raw))
        }
        self._values: dict[str, Value] = {}

    def as_text(self) -> str:
        """All cards, one a line, END at the end: what ``read`` understands."""
        raw = self._raw[1:]
        try:
            cards = raw.decode("utf-8")
        except UnicodeDecodeError:
            cards = raw.decode("latin-1")
        return cards.replace("\0", " ") + "\nEND\n"

    def get(self, key: str) -> Value:
        """The value of a keyword, None when its card is missing or has no value."""
        try:
            return self._values[key]
        except KeyError:
            pass
        raw = self._cards.get(key.encode())
        value = None
        if raw is not None:
            value = _continued(raw) if b"\n" in raw else decode_value(raw)
        self._values[key] = value
        return value

    def text(self, key: str) -> str | None:
        """The value as printable text, None when missing or blank."""
        value = self.get(key)
        if value is None or value == "":
            return None
        words = value if isinstance(value, str) else str(value)
        if not words.isprintable():
            words = "".join(c if c.isprintable() else " " for c in words).strip()
        return words or None

    def number(self, key: str) -> float | None:
        """The value as a finite number, else None; text that is a number counts."""
        raw = self._cards.get(key.encode())
        if raw is None:
            return None
        try:
            number = float(raw.partition(b"/")[0])
            return number if isfinite(number) else None
        except ValueError:
            pass  # text, or no number at all
        value = self.get(key)
        if value is None or isinstance(value, bool):
            return None
        try:
            number = float(value)
        except (OverflowError, ValueError):
            return None
        return number if isfinite(number) else None

    def integer(self, key: str) -> int | None:
        """The value as a whole number, else None."""
        number = self.number(key)
        return int(number) if number is not None and number.is_integer() else None


def _continued(raw: bytes) -> Value:
    """A long string with its CONTINUE cards (section 4.2.1.2)."""
    first, *more = _CONTINUE.split(raw)
    value = decode_value(first)
    for part in more:
        if not isinstance(value, str) or not value.endswith("&"):
            break
        following = decode_value(part)
        body = part.lstrip()[1:]
        blanks = " " * (len(body) - len(body.lstrip(b" ")))  # which count in the middle
        value = value[:-1] + (blanks + following if isinstance(following, str) else "")
    return value


def read(data: bytes, name: str) -> Header:
    """The primary header in a text dump, in a page of ESO's header service or in a FITS file.

    ``name`` is for messages. Raises UnreadableFile (file, place, reason) for what is no header:
    nothing, a page without one, a header that is cut off before END (a page that is complete needs
    no END).
    """
    start = data[:BLOCK].lstrip()
    if not start:
        raise UnreadableFile(name, "", "there is no header: the file is empty or blank")
    cards = data
    complete = False
    if start[:1] == b"<":
        cards = _of_page(data, name)
        complete = True
    cards = cards.lstrip()
    if cards[:6] != b"SIMPLE" or b"=" not in cards[6:CARD]:
        shown = text(cards[:40].split(b"\n")[0])
        raise UnreadableFile(
            name, "", f"not an ESO header: it begins with '{shown}', not with SIMPLE"
        )
    if b"\n" not in cards[: CARD + 2] and b"\r" not in cards[: CARD + 2]:
        return Header(_of_fits(cards, name))
    if b"\r" in cards:
        cards = cards.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = _end(cards)
    if end is None and not complete:
        lines = cards.count(b"\n")
        raise UnreadableFile(name, f"line {lines + 1}", "the header is cut off: it has no END")
    return Header(cards[:end])


def _end(cards: bytes) -> int | None:
    """Where the line END begins."""
    at = -1
    while (at := cards.find(b"\nEND", at + 1)) >= 0:
        if not cards[at + 4 : at + 5].strip(b" \t\n"):
            return at
    return None


def _of_page(page: bytes, name: str) -> bytes:
    found = _PAGE.search(page)
    if found is None:
        cut = re.search(rb"<pre\b", page, re.IGNORECASE)
        reason = "the page is cut off" if cut else "an HTML page without a header (no <pre>)"
        raise UnreadableFile(name, "", reason)
    cards = found[1]
    if b"&" not in cards:
        return cards
    # Latin-1 keeps all bytes; what only an entity can write beyond it becomes a question mark.
    return html.unescape(cards.decode("latin-1")).encode("latin-1", "replace")


def _of_fits(data: bytes, name: str) -> bytes:
    """The cards of the primary HDU, one a line."""
    end = -CARD
    while (end := data.find(b"END     ", end + CARD, MAX_HEADER)) >= 0:
        if end % CARD == 0:
            break
        end += 1 - CARD
    if end < 0:
        raise UnreadableFile(name, "HDU 0", "the header has no END: the file is cut off")
    return b"\n".join([data[at : at + CARD] for at in range(0, end, CARD)])
