"""What the server answers for ObsPortal besides DaCHS' services, by the first part of the path.

search.votable, observation/search.votable, search.json, search.csv: exposures;
coverage.json, coverage.svg: UV coverage that the archive has of a target;
batch: exposures of all targets of a list.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from psycopg2 import sql
from twisted.internet import threads
from twisted.web import resource

from obsportal.res import answer, batch, coverage
from obsportal.res import question as questions
from obsportal.res.answer import Column, Form
from obsportal.res.question import Condition, Question
from web import parameters, service
from web.parameters import RefusedError
from web.service import Service, form_fields

#: Exposures that are drawn.
_DRAWN = 20_000
#: Targets of a list that are looked up at once, and exposures that are asked for at once.
_LOOKED_UP, _AT_ONCE = 500, 3000


# ---------------------------------------------------------------- coverage

_COVERAGE = (
    "exp_id",
    "exp_mjd_start",
    "exp_mjd_end",
    "target_id",
    "target_name",
    "target_ra",
    "target_dec",
    "interferometer_name",
    "interferometer_stations",
    "instrument_name",
    "instrument_mode",
    "instrument_em_min",
    "instrument_em_max",
    "obs_type",
    "obs_program",
)


@cache
def _coverage_columns() -> tuple[Column, ...]:
    known = {column.name: column for column in answer.columns()}
    return (*(known[name] for name in _COVERAGE), answer.BASELINES)


class Coverage(Service):
    """/coverage.json: exposures of a target with their baselines as numbers."""

    def media_type(self, asked: Any) -> str:
        return answer.JSON.media_type

    def read(self, query: bytes, body: bytes, content_type: str) -> Question:
        asked = questions.question(form_fields(query, body, content_type))
        if not asked.of_targets:
            raise RefusedError(
                "Say which target: ra and dec (deg) with radius (up to"
                f" {questions.WIDE:g} arcsec), target_id, or name."
            )
        return asked

    def pieces(self, asked: Question) -> AsyncIterator[bytes]:
        return answer.document(asked, answer.JSON, _coverage_columns(), "coverage")


class CoveragePicture(Coverage):
    """/coverage.svg: the same, drawn."""

    def media_type(self, asked: Any) -> str:
        return "image/svg+xml"

    async def pieces(self, asked: Question) -> AsyncIterator[bytes]:
        drawn = min(asked.limit or _DRAWN, _DRAWN)
        found: list[dict[str, Any]] = []
        text = answer.row(answer.JSON, _coverage_columns())
        async for page in answer.pages(replace(asked, limit=drawn), "coverage", text):
            found.extend(map(json.loads, page.rows))
        names = sorted({row["target_name"] for row in found if row["target_name"]})
        title = asked.given.get("name") or (names[0] if names else "No exposures")
        if len(found) == drawn:
            title += f" (first {drawn} exposures)"
        picture = await threads.deferToThread(coverage.draw, found, title)
        yield picture.encode()


# ---------------------------------------------------------------- lists

_REQUEST = (Column("request_number", "integer"), Column("request_name", "text"))
_PLACES = sql.SQL(
    "SELECT w.number, t.target_id, t.n_exposures"
    " FROM unnest(%(numbers)s::integer[], %(ra)s::double precision[],"
    " %(dec)s::double precision[], %(radius)s::double precision[]) AS w (number, ra, dec, radius)"
    " JOIN obsportal.target AS t ON spoint(radians(t.s_ra), radians(t.s_dec))"
    " <@ scircle(spoint(radians(w.ra), radians(w.dec)), radians(w.radius / 3600.0))"
)
_ALIASES = sql.SQL(
    "SELECT DISTINCT w.number, t.target_id, t.n_exposures"
    " FROM unnest(%(numbers)s::integer[], %(keys)s::text[]) AS w (number, alias_key)"
    " JOIN obsportal.target_alias AS a ON a.alias_key = w.alias_key"
    " JOIN obsportal.target AS t ON t.target_id = a.target_id"
)
_OF_LIST = sql.SQL(
    "SELECT {row}"
    " FROM unnest({numbers}::integer[], {names}::text[], {targets}::integer[])"
    " AS w (request_number, request_name, wanted_id)"
    " JOIN obsportal.search_answer AS answer ON answer.target_id = w.wanted_id"
    " WHERE {where} ORDER BY request_number, exp_mjd_start, exp_id"
)


@dataclass(frozen=True)
class Listed:
    """A list of targets with what is wanted of them."""

    data: bytes
    content_type: str
    radius: float
    form: Form
    all_fields: bool
    conditions: Sequence[Condition]


@dataclass(frozen=True)
class Match:
    """A target in the log that is one of the list."""

    number: int
    target_id: int
    n_exposures: int


class Batch(Service):
    """/batch: a list of targets posted, their exposures returned.

    The parameters stand in the address: format (json, csv or votable), radius (arcsec) for
    positions that have none, all_fields, and those of a search that are not about the target.
    """

    max_body = batch.MAX_BYTES

    def media_type(self, asked: Listed) -> str:
        return asked.form.media_type

    def read(self, query: bytes, body: bytes, content_type: str) -> Listed:
        known = {"format", "radius", "all_fields", *questions.OTHERS}
        given = parameters.values(parameters.fields(query), known)
        form = answer.FORMS.get(given.get("format", "json").lower())
        if form is None:
            raise RefusedError(
                f"format must be one of {', '.join(answer.FORMS)},"
                f" not {parameters.quoted(given['format'])}."
            )
        if not body:
            raise RefusedError("Post a list of targets with name, or ra and dec (deg), here.")
        radius = questions.DEFAULT_RADIUS
        if "radius" in given:
            radius = parameters.number(given, "radius", 0, questions.WIDE)
        all_fields = parameters.flag(given, "all_fields", True)
        return Listed(body, content_type, radius, form, all_fields, questions.others(given))

    async def pieces(self, asked: Listed) -> AsyncIterator[bytes]:
        wanted = await threads.deferToThread(
            batch.read, asked.data, asked.content_type, asked.radius
        )
        found = (*_REQUEST, *answer.wanted(asked.all_fields))
        if asked.form is answer.JSON:
            found += (answer.BASELINES,)
        names = {one.number: one.name for one in wanted}
        piece = asked.form.head(found, await answer.last_change.get())
        first = True
        for matches in _portions(await _look_up(wanted)):
            rows = await _exposures(matches, names, found, asked)
            piece += asked.form.body(rows, first)
            first = first and not rows
            yield piece
            piece = b""
        yield piece + asked.form.tail()


async def _look_up(wanted: Sequence[batch.Wanted]) -> list[Match]:
    """The targets of the log that a list means, in the order of the list."""
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(wanted), _LOOKED_UP):
        part = wanted[start : start + _LOOKED_UP]
        if places := [one for one in part if one.ra is not None]:
            values = {
                "numbers": [one.number for one in places],
                "ra": [one.ra for one in places],
                "dec": [one.dec for one in places],
                "radius": [one.radius for one in places],
            }
            found += await answer.slow().run(_PLACES, values)
        if named := [one for one in part if one.alias_key is not None]:
            values = {
                "numbers": [one.number for one in named],
                "keys": [one.alias_key for one in named],
            }
            found += await answer.slow().run(_ALIASES, values)
    return [Match(*row) for row in sorted(found)]


def _portions(matches: Sequence[Match]) -> Iterator[list[Match]]:
    """Matches in portions of not too many exposures."""
    portion: list[Match] = []
    size = 0
    for match in matches:
        if portion and size + match.n_exposures > _AT_ONCE:
            yield portion
            portion, size = [], 0
        portion.append(match)
        size += match.n_exposures
    if portion:
        yield portion


async def _exposures(
    matches: Sequence[Match], names: dict[int, str], found: tuple[Column, ...], asked: Listed
) -> list[str]:
    values: dict[str, Any] = {
        "numbers": [match.number for match in matches],
        "names": [names[match.number] for match in matches],
        "targets": [match.target_id for match in matches],
    }
    where = [sql.SQL("TRUE")]
    for condition in asked.conditions:
        marks = {name: sql.Placeholder(name) for name in condition.values}
        where.append(condition.text.format(**marks))
        values.update(condition.values)
    statement = _OF_LIST.format(
        row=answer.row(asked.form, found),
        where=sql.SQL(" AND ").join(where),
        **{name: sql.Placeholder(name) for name in ("numbers", "names", "targets")},
    )
    return [row[0] for row in await answer.slow().run(statement, values)]


# ---------------------------------------------------------------- all of them


def resources() -> dict[str, Any]:
    """Resources by the first part of their path."""
    former = resource.Resource()
    former.putChild(b"search.votable", answer.Search(answer.VOTABLE))
    return {
        "search.votable": answer.Search(answer.VOTABLE),
        "observation": former,
        "search.json": answer.Search(answer.JSON),
        "search.csv": answer.Search(answer.CSV),
        "coverage.json": Coverage(),
        "coverage.svg": CoveragePicture(),
        "batch": Batch(),
    }


def install() -> None:
    """Adds all of it to DaCHS' server, before it starts."""
    service.add(resources())
