"""Measurements by the criteria of the page /jmdc/, one page at a time or all of them as CSV.

The criteria mean what jmdc.mjs says in ADQL.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from ingest import jmdc_bands, jmdc_export, jmdc_stars
from ingest.jmdc import COLUMNS, Measurement
from ingest.jmdc_rules import RULES
from web import parameters
from web.parameters import RefusedError
from web.sessions import Sessions

#: Rows of a page.
PAGE = 50
#: Radius (arcsec) around a position when none is given, and the largest.
_RADIUS, _WIDEST = 30.0, 180 * 3600.0

_ORDERS = {
    "star": ("id1", "bibcode"),
    "diameter": ("COALESCE(corrected_ld_diam, corrected_ud_diam)", "id1"),
    "wavelength": ("wavelength_min", "id1"),
    "publication": ("bibcode", "id1"),
}
_CONE = sql.SQL(
    "spoint(radians(s_ra), radians(s_dec))"
    " <@ scircle(spoint(radians({ra}), radians({dec})), radians({radius} / 3600.0))"
)
_NAMED = sql.SQL(
    "star_id = ANY (ARRAY(SELECT a.star_id FROM jmdc.star_alias AS a WHERE a.alias_key = {star}))"
)
_LIKE = sql.SQL(
    "star_id = ANY (ARRAY(SELECT a.star_id FROM jmdc.star_alias AS a"
    " WHERE LOWER(a.alias) LIKE {star}))"
)
_FLAGS = {
    "any": sql.SQL("quality_flags <> ''"),
    "none": sql.SQL("quality_flags = ''"),
    "corrected": sql.SQL("correction IS NOT NULL"),
}
_FLAG = sql.SQL("{flags} = ANY (STRING_TO_ARRAY(quality_flags, ' '))")
_KNOWN = {
    "measurement_id", "star", "ra", "dec", "radius", "band", "method", "from", "to", "bibcode",
    "flags", "release", "order", "page",
}  # fmt: skip

_FROM = sql.SQL("FROM jmdc.measurement WHERE {where}")
_FROM_RELEASE = sql.SQL("FROM jmdc.released WHERE release = {release} AND {where}")
_ROWS = sql.SQL("""
  WITH found AS MATERIALIZED (SELECT *, SUBSTRING(bibcode FROM '^[0-9]{{4}}') AS pub_year
    {source}),
  page AS (SELECT measurement_id, version, star_id, star_name, id1, id2, ud_diam, ld_diam,
      e_ld_diam, band, mu_lambda, method, bandcode, notes, bibcode, sinpe,
      wavelength_min, wavelength_max,
      corrected_ud_diam, corrected_ld_diam, corrected_e_ld_diam, correction, quality_flags
    FROM found ORDER BY {order} LIMIT {size} OFFSET {start})
  SELECT json_build_object(
    'rows', (SELECT COALESCE(json_agg(to_json(page)), '[]') FROM page),
    'total', (SELECT COUNT(*) FROM found),
    'stars', (SELECT COUNT(DISTINCT star_id) FROM found),
    'star_ids', (SELECT json_agg(DISTINCT star_id) FROM found WHERE {named}),
    'years', (SELECT COALESCE(json_agg(json_build_array(pub_year::integer, method, n)), '[]')
      FROM (SELECT pub_year, method, COUNT(*) AS n FROM found WHERE pub_year IS NOT NULL
        GROUP BY pub_year, method) AS y))::text""")
_CSV = sql.SQL("SELECT {columns} {source} ORDER BY id1, bibcode, measurement_id")
_SUMMARY = sql.SQL("""
  SELECT json_build_object(
    'measurements', (SELECT COUNT(*) FROM jmdc.measurement),
    'stars', (SELECT COUNT(DISTINCT star_id) FROM jmdc.measurement),
    'publications', (SELECT COUNT(*) FROM jmdc.publication WHERE n_measurements > 0),
    'unreleased', (SELECT COUNT(*) FROM jmdc.measurement WHERE release_first IS NULL),
    'releases', (SELECT COALESCE(json_agg(json_build_array(
        release, release_date, n_measurements, n_stars) ORDER BY release_date DESC), '[]')
      FROM jmdc.release),
    'flags', (SELECT COALESCE(json_agg(json_build_array(flag, n) ORDER BY n DESC, flag), '[]')
      FROM (SELECT flag, COUNT(*) AS n FROM (
        SELECT UNNEST(STRING_TO_ARRAY(quality_flags, ' ')) AS flag
        FROM jmdc.measurement WHERE quality_flags <> '') AS f GROUP BY flag) AS g))::text""")


@dataclass(frozen=True)
class Search:
    """What is looked for, and which page of it."""

    conditions: Sequence[sql.Composable]
    values: dict[str, Any]
    release: str | None
    order: sql.Composable
    page: int

    @property
    def source(self) -> sql.Composable:
        """FROM and WHERE."""
        where = sql.SQL(" AND ").join([*self.conditions, sql.SQL("TRUE")])
        if self.release is None:
            return _FROM.format(where=where)
        return _FROM_RELEASE.format(where=where, release=sql.Placeholder("release"))


def read(query: bytes) -> Search:
    """What the parameters of an address say; raises RefusedError."""
    given = parameters.values(parameters.fields(query), _KNOWN)
    conditions: list[sql.Composable] = []
    values: dict[str, Any] = {"release": given.get("release")}

    def add(text: sql.SQL, **found: Any) -> None:
        conditions.append(text.format(**{name: sql.Placeholder(name) for name in found}))
        values.update(found)

    cone = parameters.circle({k: v for k, v in given.items() if k != "radius"}, _RADIUS)
    if cone is not None:
        if "radius" in given:
            cone["radius"] = parameters.number(given, "radius", 0, _WIDEST)
        add(_CONE, **cone)
    if "star" in given:
        if "*" in given["star"]:
            add(_LIKE, star=_like(given["star"].lower(), "star"))
        else:
            add(_NAMED, star=jmdc_stars.key(given["star"]))
    if "measurement_id" in given:
        number = parameters.whole(given, "measurement_id", 0)
        add(sql.SQL("measurement_id = {measurement_id}"), measurement_id=number)
    if "band" in given:
        if given["band"] not in jmdc_bands.LETTERS or len(given["band"]) != 1:
            raise RefusedError(f"band must be one of {' '.join(jmdc_bands.LETTERS)}.")
        add(sql.SQL("{band} = ANY (STRING_TO_ARRAY(band_letters, ' '))"), band=given["band"])
    if "method" in given:
        add(sql.SQL("method = {method}"), method=parameters.whole(given, "method", 0))
    years = {"from": sql.SQL("SUBSTRING(bibcode FROM 1 FOR 4) >= {from}"),
             "to": sql.SQL("SUBSTRING(bibcode FROM 1 FOR 4) <= {to}")}  # fmt: skip
    for name, text in years.items():
        if name in given:
            add(text, **{name: f"{parameters.whole(given, name, 1000):04d}"[:4]})
    if "bibcode" in given:
        add(sql.SQL("bibcode LIKE {bibcode}"), bibcode=_like(given["bibcode"], "bibcode"))
    if "flags" in given:
        if given["flags"] in _FLAGS:
            conditions.append(_FLAGS[given["flags"]])
        else:
            add(_FLAG, flags=given["flags"])
    page = parameters.whole(given, "page", 1) if "page" in given else 1
    return Search(conditions, values, given.get("release"), _order(given), min(page, 1_000_000))


def _like(text: str, name: str) -> str:
    if "\\" in text:
        raise RefusedError(f"Backslashes cannot be searched for in {name}.")
    return text.replace("%", "\\%").replace("_", "\\_").replace("*", "%")


def _order(given: dict[str, str]) -> sql.Composable:
    text = given.get("order", "star")
    keys = _ORDERS.get(text.removeprefix("-"))
    if keys is None:
        raise RefusedError(f"Measurements cannot be sorted by {parameters.quoted(text)}.")
    way = sql.SQL(" DESC NULLS LAST" if text.startswith("-") else " NULLS LAST")
    return sql.SQL(", ").join([*(sql.SQL(key) + way for key in keys), sql.SQL("measurement_id")])


async def rows(sessions: Sessions, asked: Search) -> str:
    """The rows of a page, and all of them in numbers; JSON."""
    statement = _ROWS.format(
        source=asked.source, order=asked.order, named=sql.Literal("star" in asked.values),
        size=sql.Literal(PAGE), start=sql.Placeholder("start"),
    )  # fmt: skip
    found = await sessions.run(statement, {**asked.values, "start": PAGE * (asked.page - 1)})
    return str(found[0][0])


async def as_csv(sessions: Sessions, asked: Search) -> str:
    """All rows in the columns of JMDC's own CSV file."""
    columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    found = await sessions.run(_CSV.format(columns=columns, source=asked.source), asked.values)
    return jmdc_export.as_csv(Measurement(*row) for row in found)


async def summary(sessions: Sessions) -> str:
    """JMDC in numbers, its releases, and what its flags mean; JSON."""
    found = await sessions.run(_SUMMARY, {})
    numbers = json.loads(found[0][0])
    words = {name: rule.explanation for name, rule in RULES.items()}
    numbers["flags"] = [[flag, n, words.get(flag)] for flag, n in numbers["flags"]]
    return json.dumps(numbers)
