"""Searches by the criteria of the page /search: rows of the log in an order, and all in numbers.

The criteria mean what logs.mjs says in ADQL. These are answers to people, who wait for them: the
rows of few targets, of a programme or of some nights are found by an index.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any

from psycopg2 import sql

from obsportal.res import answer
from obsportal.res import question as questions
from obsportal.res.question import Condition
from web import parameters
from web.parameters import RefusedError
from web.sessions import Sessions

#: Rows of a page, and those that can be turned to page by page.
PAGE, REACH = 25, 10_000
#: Targets that one name may stand for.
_NAMED = 50
#: Nights of which all rows are read rather than those of the first page looked for.
_FEW_NIGHTS = 400
#: Positions that are drawn.
_PLACES = 3000

_ORDERS = {
    "time": "t_min",
    "target": "target_name",
    "baseline": "uv_distance_max",
    "seeing": "seeing",
}
_EQUAL = {
    "interferometer": sql.SQL("facility_name = {interferometer}"),
    "instrument": sql.SQL("instrument_name = {instrument}"),
    "instrument_mode": sql.SQL("instrument_mode = {instrument_mode}"),
}
_TARGETS = {
    "target_id": sql.SQL("target_id = ANY ({target_id}::integer[])"),
    "target_ids": sql.SQL("target_id = ANY ({target_ids}::integer[])"),
}
_CATEGORIES = {
    "science": sql.SQL("dataproduct_category = 'SCIENCE'"),
    "calibrator": sql.SQL("dataproduct_category = 'CALIB'"),
    "unknown": sql.SQL("dataproduct_category IS NULL"),
}
_VALID = {"yes": sql.SQL("validation_level = 1"), "no": sql.SQL("validation_level = 0")}
_KNOWN = {
    "ra", "dec", "radius", "pattern", "program_id", "category", "valid",
    "from", "to", "order", "page", *_EQUAL, *_TARGETS,
}  # fmt: skip

_WIDE_CONE = sql.SQL(
    "(spoint(radians(s_ra), radians(s_dec))"
    " <-> spoint(radians({ra}), radians({dec}))) <= radians({radius} / 3600.0)"
)
_PATTERN = sql.SQL(
    "target_id = ANY (ARRAY(SELECT a.target_id FROM obsportal.target_alias AS a"
    " WHERE LOWER(a.alias) LIKE {pattern}))"
)
#: A programme with all its runs (A), (B) …, which are next to each other in the index.
_RUNS = sql.SQL(
    "(progid = {progid} OR progid >= {progid} || '(' AND progid < {progid} || ')'"
    " AND progid LIKE {runs})"
)
#: Conditions that leave so few rows that all of them are read, and sorted, first. Otherwise the
#: log is read in the order wanted until the page is full.
_FEW = frozenset({"cone", "targets", "pattern", "programme", "runs", "nights"})

_COLUMNS = (
    "exposure_id, target_id, target_name, s_ra, s_dec, t_min, night, facility_name,"
    " instrument_name, instrument_mode, instrument_submode, stations, uv_distance_min,"
    " uv_distance_max, dataproduct_category, progid, seeing, tau0, validation_level"
)
# What is unknown comes last in each order, which an index read backwards would put first.
_ROWS = sql.SQL(
    "WITH e AS {how} (SELECT {columns} FROM obsportal.exposure WHERE {where}),"
    " page AS (SELECT * FROM ("
    "(SELECT 0 AS unknown, e.* FROM e WHERE {key} IS NOT NULL"
    " ORDER BY {key} {way}, exposure_id {way} LIMIT {end}) UNION ALL"
    " (SELECT 1 AS unknown, e.* FROM e WHERE {key} IS NULL"
    " ORDER BY {key} {way}, exposure_id {way} LIMIT {end})) AS both_parts"
    " ORDER BY unknown, {key} {way}, exposure_id {way} LIMIT {size} OFFSET {start})"
    " SELECT (to_jsonb(page) - 'unknown' || jsonb_build_object('tracks', (SELECT"
    " jsonb_agg(jsonb_build_array(b.u_start, b.v_start, b.u_end, b.v_end))"
    " FROM obsportal.baseline AS b WHERE b.exposure_id = page.exposure_id"
    " AND b.u_start IS NOT NULL AND b.v_start IS NOT NULL)))::text FROM page"
    " ORDER BY unknown, {key} {way}, exposure_id {way}"
)
_OVERVIEW = sql.SQL(
    "WITH e AS MATERIALIZED (SELECT instrument_name, t_min, s_ra, s_dec"
    " FROM obsportal.exposure WHERE {where})"
    " SELECT json_build_object("
    "'years', (SELECT json_agg(json_build_array(instrument_name, year, n)) FROM ("
    "SELECT instrument_name, FLOOR(2000 + (t_min - 51544) / 365.25) AS year, COUNT(*) AS n"
    " FROM e GROUP BY 1, 2) AS y),"
    " 'places', (SELECT json_agg(json_build_array(s_ra, s_dec)) FROM ("
    "SELECT DISTINCT s_ra, s_dec FROM e WHERE s_ra IS NOT NULL LIMIT {places}) AS p))::text"
)


@dataclass(frozen=True)
class Search:
    """What is looked for, and which page of it."""

    conditions: Sequence[Condition]
    order: str
    backwards: bool
    page: int

    @property
    def few(self) -> bool:
        """Whether the conditions leave few rows."""
        return any(condition.name in _FEW for condition in self.conditions)


@cache
def _sessions() -> Sessions:
    return Sessions(3, 20)


def read(query: bytes) -> Search:
    """What the parameters of an address say; raises RefusedError."""
    given = parameters.values(parameters.fields(query), _KNOWN)
    order = given.get("order", "-time")
    if order.removeprefix("-") not in _ORDERS:
        raise RefusedError(f"Results cannot be sorted by {parameters.quoted(order)}.")
    page = parameters.whole(given, "page", 1) if "page" in given else 1
    if page > REACH // PAGE:
        raise RefusedError(
            f"Only the first {REACH} results are shown; ask for less, or download them all."
        )
    conditions = [*_target(given), *_others(given), *_nights(given)]
    return Search(conditions, _ORDERS[order.removeprefix("-")], order.startswith("-"), page)


async def rows(asked: Search) -> str:
    """The rows of a page, with their tracks in the uv plane, and whether there are more; JSON."""
    where, values = _where(asked)
    start = PAGE * (asked.page - 1)
    statement = _ROWS.format(
        # The planner must not read the log in an order in the hope to meet a target soon.
        how=sql.SQL("MATERIALIZED" if asked.few else "NOT MATERIALIZED"),
        columns=sql.SQL(_COLUMNS),
        where=where,
        key=sql.Identifier(asked.order),
        way=sql.SQL("DESC" if asked.backwards else "ASC"),
        **{name: sql.Placeholder(name) for name in ("start", "size", "end")},
    )
    values |= {"start": start, "size": PAGE + 1, "end": start + PAGE + 1}
    found = [row[0] for row in await _sessions().run(statement, values)]
    more = json.dumps(len(found) > PAGE)
    return f'{{"rows":[{",".join(found[:PAGE])}],"more":{more}}}'


async def overview(asked: Search) -> str:
    """Numbers of all rows by instrument and year, and where on the sky they are; JSON."""
    where, values = _where(asked)
    statement = _OVERVIEW.format(where=where, places=sql.Placeholder("places"))
    sessions = _sessions() if asked.few else answer.slow()
    found = await sessions.run(statement, {**values, "places": _PLACES})
    return str(found[0][0])


def _where(asked: Search) -> tuple[sql.Composable, dict[str, Any]]:
    texts = [
        condition.text.format(**{name: sql.Placeholder(name) for name in condition.values})
        for condition in asked.conditions
    ]
    values = {name: value for one in asked.conditions for name, value in one.values.items()}
    return sql.SQL(" AND ").join(texts or [sql.SQL("TRUE")]), values


def _target(given: dict[str, str]) -> list[Condition]:
    found = []
    cone = parameters.circle(given, questions.DEFAULT_RADIUS)
    if cone is not None:
        wide = cone["radius"] > questions.WIDE
        found.append(
            Condition("wide", _WIDE_CONE, cone) if wide
            else Condition("cone", questions.CONE, cone)
        )  # fmt: skip
    for name, text in _TARGETS.items():
        if name not in given:
            continue
        texts = given[name].split(",")
        if len(texts) > _NAMED:
            raise RefusedError(f"{name} has more than {_NAMED} numbers.")
        numbers = [parameters.whole({name: number}, name, 0) for number in texts]
        found.append(Condition("targets", text, {name: numbers}))
    if "pattern" in given:
        pattern = re.sub(r"\s+", "_", given["pattern"].lower())
        values = {"pattern": _like(pattern, "pattern")}
        found.append(Condition("pattern", _PATTERN, values))
    return found


def _others(given: dict[str, str]) -> list[Condition]:
    found = [
        Condition(name, text, {name: given[name]}) for name, text in _EQUAL.items() if name in given
    ]
    if "program_id" in given:
        found.append(_programme(given["program_id"]))
    for name, choices in (("category", _CATEGORIES), ("valid", _VALID)):
        if name in given:
            if given[name] not in choices:
                raise RefusedError(f"There is no {name} {parameters.quoted(given[name])}.")
            found.append(Condition(name, choices[given[name]], {}))
    return found


def _programme(text: str) -> Condition:
    if "*" in text:
        return Condition(
            "programmes", sql.SQL("progid LIKE {progid}"), {"progid": _like(text, "program_id")}
        )
    if re.search(r"\([^()]*\)$", text):
        return Condition("programme", sql.SQL("progid = {progid}"), {"progid": text})
    return Condition("runs", _RUNS, {"progid": text, "runs": _like(f"{text}(*", "program_id")})


def _like(text: str, name: str) -> str:
    if "\\" in text:
        raise RefusedError(f"Backslashes cannot be searched for in {name}.")
    return text.replace("*", "%")


def _nights(given: dict[str, str]) -> list[Condition]:
    """Nights, and times as they may have: there is an index of times with each order by time."""
    nights: dict[str, date] = {}
    for name in ("from", "to"):
        if name in given:
            try:
                nights[name] = date.fromisoformat(given[name])
            except ValueError:
                raise RefusedError(
                    f"{name} must be a date such as 2026-11-24,"
                    f" not {parameters.quoted(given[name])}."
                ) from None
    if not nights:
        return []
    times = {name: questions.mjd(datetime.combine(night, time())) for name, night in nights.items()}
    few = len(times) == 2 and times["to"] - times["from"] < _FEW_NIGHTS
    text = (
        "night BETWEEN {from_night} AND {to_night}"
        # A night begins at noon of its place, which is within a day of midnight UTC.
        " AND t_min >= {from_time} AND t_min < {to_time}"
    )
    values = {
        "from_night": nights.get("from", date.min),
        "to_night": nights.get("to", date.max),
        "from_time": times.get("from", -math.inf),
        "to_time": times.get("to", math.inf) + 2,
    }
    return [Condition("nights" if few else "long", sql.SQL(text), values)]
