"""Shapes of ADQL queries: a query without its literals, and the literals.

Programs ask the same question again and again with other numbers and names in it. What is the same
in all of them, the shape, needs to be translated once. A query is cut into pieces and literals so
that they give the query again, letter by letter, when they are put together: two queries of one
shape differ in nothing but the texts of their literals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

# What a query consists of, in the order in which it is tried. Comments and quoted identifiers are
# read first, for nothing in them is a literal; words, for digits in them are no numbers; numbers in
# hexadecimal, for DaCHS translates them. ADQL 2.1, section 2.1; gavo/adql/grammar.py.
_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')
      | (?P<skip>--[^\n\r]*|"[^"]*"|[^\W\d]\w*|0[xX][0-9A-Fa-f]+)
      | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
#: Words after which DaCHS looks at the value of a number.
_LOOKED_AT = frozenset({"TOP", "OFFSET", "TABLESAMPLE"})
#: What functions are compared with, as in 1=CONTAINS(...): DaCHS looks at that, too.
_TRUTHS = frozenset({"0", "1"})
#: Kinds of numbers by their size: DaCHS and PostgreSQL give them types by it.
_SIZES = (32767, 2**31)

#: Queries longer than this are not looked at, nor are those with more literals.
MAX_LENGTH, MAX_LITERALS = 20_000, 200


class Literal(NamedTuple):
    """A literal of a query: its kind, and its text as it stands there."""

    kind: str
    text: str


@dataclass(frozen=True)
class Shape:
    """What queries have in common that differ in their literals only."""

    #: One more than there are literals.
    pieces: tuple[str, ...]
    kinds: tuple[str, ...]

    def fill(self, texts: tuple[str, ...]) -> str:
        """The query with these literals."""
        parts = [self.pieces[0]]
        for text, piece in zip(texts, self.pieces[1:], strict=True):
            parts += text, piece
        return "".join(parts)


def cut(query: str) -> tuple[Shape, tuple[str, ...]]:
    """Shape of a query and the texts of its literals.

    A query that is too long has none, nor has one with a quote that does not end. Numbers that
    touch a word, a dot or another number stay in the shape, and so does what DaCHS looks at: 0 and
    1, and numbers after TOP, OFFSET and TABLESAMPLE.
    """
    if len(query) > MAX_LENGTH:
        return Shape((query,), ()), ()
    pieces: list[str] = []
    kinds: list[str] = []
    texts: list[str] = []
    piece: list[str] = []
    word = ""
    for match in _TOKEN.finditer(query):
        token = match.group()
        if token in {"'", '"'}:  # one that does not end
            return Shape((query,), ()), ()
        kind = _kind(match, word)
        if kind is None or len(texts) == MAX_LITERALS:
            piece.append(token)
        else:
            pieces.append("".join(piece))
            piece = []
            kinds.append(kind)
            texts.append(token)
        if match.lastgroup != "other" or not (token.isspace() or token == "("):
            word = token.upper()
    pieces.append("".join(piece))
    return Shape(tuple(pieces), tuple(kinds)), tuple(texts)


def _kind(match: re.Match[str], word: str) -> str | None:
    """Kind of the literal at a match, after a word; None when it is none that may vary."""
    query, token = match.string, match.group()
    start, end = match.span()
    before, after = query[max(0, start - 1) : start], query[end : end + 1]
    if match.lastgroup == "text":  # E'...' and the like are others' literals
        return None if _touches(before) else "text"
    if match.lastgroup != "number" or word in _LOOKED_AT or token in _TRUTHS:
        return None
    if _touches(before) or _touches(after):
        return None
    if "e" in token.lower():
        return "exponent"
    if "." in token:
        return "decimal"
    if len(token) > 18:
        return None
    value = int(token)
    return f"integer{sum(value >= size for size in _SIZES)}"


def _touches(character: str) -> bool:
    return bool(character) and (character.isalnum() or character in "._$\"'")


def stand_in(kind: str, number: int) -> str:
    """A literal that no translation changes without our seeing it; `number` makes it unique.

    Text has capital and small letters, blanks at its ends, quotes and what else is special to
    somebody, so that whatever is done to it can be seen.
    """
    if kind == "text":
        return f"' Qz{number}''Zq%\\\\é\" '"
    if kind == "exponent":
        return f"7.30{number:04d}71E3"
    if kind == "decimal":
        return f"730{number:04d}1.2907"
    size = int(kind.removeprefix("integer"))
    base = (21_000, 1_730_000_000, 7_300_000_000_000)[size]
    return str(base + number)


def find(text: str, literal: str) -> list[int]:
    """Where a literal stands in a translation, and is no part of a longer word or number."""
    if literal.startswith("'"):
        pattern = re.escape(literal)
    else:
        pattern = rf"(?<![\w.]){re.escape(literal)}(?![\w.])"
    return [match.start() for match in re.finditer(pattern, text)]
