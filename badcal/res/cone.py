"""/badcal-dsa/SubmitCone: the accepted stars around a position, as SearchCal asks for them.

The former service was an AstroGrid data set access. SearchCal skips five lines of its CSV, makes
tabs of all commas, and takes the columns by their places; JSDC's script reads the VOTable.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from psycopg2 import sql

from web import parameters
from web.parameters import RefusedError
from web.service import Service, form_fields
from web.sessions import Sessions

#: The name of the table, as clients have it.
TABLE = "badcal.valid_stars"
_FORMATS = {"votable": "application/x-votable+xml", "comma-separated": "text/csv; charset=utf-8"}
_SECONDS = 20.0
_TYPES = {"integer": 'datatype="int"', "double precision": 'datatype="double"'}
_TEXT = 'datatype="unicodeChar" arraysize="*"'

_SELECT = sql.SQL(
    "SELECT * FROM badcal.valid_stars WHERE spoint(radians(ra), radians(dec))"
    " <@ scircle(spoint(radians(%(ra)s), radians(%(dec)s)), radians(%(sr)s)) ORDER BY id"
)
#: A circle of pg_sphere has a radius of at most 90 degrees.
_SELECT_WIDE = sql.SQL(
    "SELECT * FROM badcal.valid_stars WHERE spoint(radians(ra), radians(dec))"
    " <-> spoint(radians(%(ra)s), radians(%(dec)s)) <= radians(%(sr)s) + 1e-9 ORDER BY id"
)


@dataclass(frozen=True)
class Cone:
    """What is asked for: a circle on the sky, in degrees, and the form of the answer."""

    ra: float
    dec: float
    radius: float
    form: str


def read(given: Mapping[str, str]) -> Cone:
    """The question that parameters ask, whatever the case of their names; raises RefusedError."""
    table = given.get("DSACATTAB", TABLE)
    if table.lower() != TABLE:
        raise RefusedError(f"DSACATTAB must be {TABLE}, not {parameters.quoted(table)}.")
    form = given.get("FORMAT", "votable")
    if form.lower() not in _FORMATS:
        raise RefusedError(
            f"Format must be Comma-Separated or VOTable, not {parameters.quoted(form)}."
        )
    for name in ("RA", "DEC", "SR"):
        if name not in given:
            raise RefusedError(f"{name} is missing: RA, DEC and SR are a cone, in degrees.")
    numbers = dict(given)
    return Cone(
        parameters.number(numbers, "RA", -360, 360),
        parameters.number(numbers, "DEC", -90, 90),
        parameters.number(numbers, "SR", 0, 360),
        form.lower(),
    )


@cache
def _columns() -> list[Any]:
    """The columns of valid_stars."""
    from gavo import api

    return list(api.resolveCrossId("badcal/legacy#valid_stars").columns)


class SubmitCone(Service):
    """The accepted stars in a cone; all of them, however many there are."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions = Sessions(2, _SECONDS)

    def media_type(self, asked: Cone) -> str:
        return _FORMATS[asked.form]

    def read(self, query: bytes, body: bytes, content_type: str) -> Cone:
        known = {"DSACATTAB", "RA", "DEC", "SR", "FORMAT"}
        fields = [(name.upper(), text) for name, text in form_fields(query, body, content_type)]
        return read(parameters.values(fields, known))

    async def pieces(self, asked: Cone) -> AsyncIterator[bytes]:
        statement = _SELECT if asked.radius <= 90 else _SELECT_WIDE
        circle = {"ra": asked.ra, "dec": asked.dec, "sr": asked.radius}
        rows = await self._sessions.run(statement, circle)
        yield (as_csv if asked.form == "comma-separated" else as_votable)(asked, rows).encode()


def as_csv(asked: Cone, rows: list[tuple[Any, ...]]) -> str:
    """Five lines, the last with the names of the columns, and a line for each star."""
    lines = [
        "# BadCal: bad calibrators",
        f"# Table: {TABLE}",
        f"# Cone: RA {asked.ra:g} DEC {asked.dec:g} SR {asked.radius:g} (degrees)",
        f"# Rows: {len(rows)}",
        ",".join(column.name for column in _columns()),
        *(",".join(map(str, row)) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def as_votable(asked: Cone, rows: list[tuple[Any, ...]]) -> str:
    """A VOTable, in TABLEDATA, with the UCDs of the cone search standard of that time."""
    fields = [
        f'<FIELD ID="{column.name}" name="{column.name}" {_TYPES.get(column.type, _TEXT)}'
        f' ucd="{column.getProperty("formerUcd")}"'
        + (f' unit="{column.unit}"' if column.unit else "")
        + f"><DESCRIPTION>{escape(column.description)}</DESCRIPTION></FIELD>"
        for column in _columns()
    ]
    cells = [
        "<TR>" + "".join(f"<TD>{escape(str(value))}</TD>" for value in row) + "</TR>"
        for row in rows
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">',
            '<RESOURCE type="results">',
            "<DESCRIPTION>BadCal: bad calibrators</DESCRIPTION>",
            '<INFO name="QUERY_STATUS" value="OK"/>',
            f'<INFO name="SR" value={quoteattr(f"{asked.radius:g}")}/>',
            f'<TABLE name="{TABLE}">',
            *fields,
            "<DATA><TABLEDATA>",
            *cells,
            "</TABLEDATA></DATA>",
            "</TABLE>",
            "</RESOURCE>",
            "</VOTABLE>",
            "",
        ]
    )
