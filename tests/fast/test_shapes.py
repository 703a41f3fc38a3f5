"""Queries are cut so that nothing of them is lost, and only literals may vary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast import shapes

PIECES = st.sampled_from(
    ["SELECT ", "TOP ", "OFFSET ", "'", "''", '"', "--", "\n", "\t", " ", "(", ")", ",", ".", "=",
     "1", "23", "4.5", ".5", "6.", "7e8", "9E-1", "0x1F", "a", "b1", "_c", "é", "²", "٣", "\\", "%",
     "'text'", "'it''s'", '"Name"', '"2"', "\x00", "\u00a0", "𝄞", "/*", "*/", "$1", "%(x)s"]
)  # fmt: skip
QUERIES = st.lists(PIECES, max_size=30).map("".join)


@given(QUERIES)
def test_pieces_and_literals_are_the_query(query: str) -> None:
    shape, texts = shapes.cut(query)
    assert shape.fill(texts) == query
    assert len(shape.pieces) == len(texts) + 1 == len(shape.kinds) + 1


@given(QUERIES, st.data())
def test_other_literals_of_the_same_kinds_are_of_the_same_shape(
    query: str, data: st.DataObject
) -> None:
    shape, texts = shapes.cut(query)
    examples = {
        "text": ["''", "'x'", "'it''s --'", "'\"'", "'\n'"],
        "integer0": ["2", "007", "32766"],
        "integer1": ["32767", "2147483647"],
        "integer2": ["2147483648", "999999999999999999"],
        "decimal": ["0.5", ".5", "5."],
        "exponent": ["1e5", "1.E+5", ".1e-5"],
    }
    others = tuple(data.draw(st.sampled_from(examples[kind])) for kind in shape.kinds)
    filled = shape.fill(others)
    # A text beside a text is one text for SQL: the cut of that is another one.
    if not any(piece == "" for piece in shape.pieces[1:-1]):
        assert shapes.cut(filled) == (shape, others)
    assert len(texts) == len(others)


@pytest.mark.parametrize(
    ("query", "kinds", "texts"),
    [
        ("SELECT TOP 5 ra FROM t WHERE a=5", ["integer0"], ["5"]),
        ("SELECT ra FROM t OFFSET 7", [], []),
        ("SELECT ra FROM t TABLESAMPLE (7.5)", [], []),
        ("SELECT ra FROM t TABLESAMPLE ( 7 ) WHERE b > 7", ["integer0"], ["7"]),
        ("a = 'it''s' -- 5 'x'\n AND b=.5", ["text", "decimal"], ["'it''s'", ".5"]),
        ('"5" = 5e3', ["exponent"], ["5e3"]),
        ("t1.x2 = 0x1F", [], []),
        ("5a", [], []),
        ("5.t", [], []),
        ("3 2 1 0", ["integer0", "integer0"], ["3", "2"]),
        ("E'5' = '5'", ["text"], ["'5'"]),
        ("'unfinished 5", [], []),
        ('5 = 5 "unfinished', [], []),
        ("99999999999999999999", [], []),
        ("40000 3000000000", ["integer1", "integer2"], ["40000", "3000000000"]),
    ],
)
def test_what_a_literal_is(query: str, kinds: list[str], texts: list[str]) -> None:
    shape, found = shapes.cut(query)
    assert list(shape.kinds) == kinds
    assert list(found) == texts


def test_long_queries_are_left_alone() -> None:
    query = "SELECT 5 " * 5000
    assert shapes.cut(query) == (shapes.Shape((query,), ()), ())
    many = ",".join(["5"] * 1000)
    shape, texts = shapes.cut(many)
    assert len(texts) == shapes.MAX_LITERALS
    assert shape.fill(texts) == many


@given(st.sampled_from(["text", "integer0", "integer1", "integer2", "decimal", "exponent"]))
def test_stand_ins_are_of_their_kind_and_unlike_each_other(kind: str) -> None:
    found = [shapes.stand_in(kind, number) for number in range(shapes.MAX_LITERALS)]
    for text in found:
        shape, texts = shapes.cut(f"x = {text} AND")
        assert (shape.kinds, texts) == ((kind,), (text,))
        assert sum(bool(shapes.find(f"x = {text} AND", other)) for other in found) == 1
