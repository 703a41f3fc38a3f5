"""What the pages of JMDC show: /jmdc/, stars, changes from release to release, and submissions.

A page is a file of resources/static with what it shows in it as JSON, which PostgreSQL makes. What
users have handed in is not in it: those pages ask the calls of api.py, which know who asks.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from psycopg2 import sql

from ingest import jmdc_stars
from ingest.jmdc import COLUMNS
from ingest.jmdc_rules import RULES
from jmdc.res import api, listing
from jmdc.res.catalogue import Follow
from web import parameters, service
from web.pages import HTML, JSON, STATIC, MissingError, Page, fill
from web.sessions import Sessions

#: How long a statement of a page may take, in s, and how many run at once.
_SECONDS = 10.0
_SESSIONS = 2
_CSV = "text/csv;charset=utf-8"
#: What is compared with releases, too: JMDC as it stands.
_TODAY = "today"

_BY_NAME = sql.SQL(
    "SELECT a.star_id FROM jmdc.star_alias AS a JOIN jmdc.star AS s ON s.star_id = a.star_id"
    " WHERE a.alias_key = %(key)s ORDER BY a.is_identifier DESC, s.n_measurements DESC LIMIT 1"
)
_STAR = sql.SQL("""
  SELECT json_build_object(
    'star', to_jsonb(s),
    'aliases', (SELECT json_agg(json_build_array(a.alias, a.is_identifier)
        ORDER BY a.is_identifier DESC, a.alias)
      FROM jmdc.star_alias AS a WHERE a.star_id = s.star_id),
    'measurements', (SELECT COALESCE(json_agg(to_jsonb(m)
        - ARRAY['star_name', 's_ra', 's_dec', 'star_id'] ORDER BY m.bibcode, m.measurement_id,
        m.version), '[]')
      FROM jmdc.history AS m WHERE m.star_id = s.star_id))::text
  FROM jmdc.star AS s
  WHERE s.star_id = (SELECT COALESCE(t.merged_into, t.star_id) FROM jmdc.star AS t
    WHERE t.star_id = %(star_id)s)""")
_RELEASES = sql.SQL("SELECT release FROM jmdc.release ORDER BY release_date")
_RELEASE = sql.SQL(
    "SELECT measurement_id, {row} AS published FROM jmdc.released WHERE release = {}"
)
_CURRENT = sql.SQL("SELECT measurement_id, {row} AS published FROM jmdc.measurement")
_CHANGES = sql.SQL("""
  WITH old AS ({old}), new AS ({new})
  SELECT COALESCE(json_agg(json_build_array(measurement_id, old.published, new.published)
    ORDER BY COALESCE(new.published, old.published) ->> 'id1', measurement_id), '[]')::text
  FROM old FULL JOIN new USING (measurement_id)
  WHERE old.published IS DISTINCT FROM new.published""")


@cache
def _sessions() -> Sessions:
    return Sessions(_SESSIONS, _SECONDS)


class ListPage(Page):
    """/jmdc/: the criteria, with JMDC in numbers; the results are at rows.json."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page; what its parameters ask for is asked for by itself."""
        return HTML, fill("jmdc.html", await listing.summary(_sessions()))


class Rows(Page):
    """/jmdc/rows.json: what a page of the list shows."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """JSON."""
        return JSON, (await listing.rows(_sessions(), _asked(path, request))).encode()


class Table(Page):
    """/jmdc/measurements.csv: all that a list is of, in the columns of JMDC's own CSV file."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """CSV."""
        text = await listing.as_csv(_sessions(), _asked(path, request))
        request.setHeader("content-disposition", 'attachment; filename="jmdc.csv"')
        return _CSV, text.encode()


class StarPage(Page):
    """/jmdc/star/…: all that JMDC has of a star, which is named by its number or one of its names;
    with .json behind it as JSON."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page or its data."""
        bare = path.removesuffix(".json")
        number = await _find(bare)
        found = await _sessions().run(_STAR, {"star_id": number}) if number is not None else []
        if not found:
            raise MissingError(f"JMDC has no star {bare}.")
        words = json.dumps({name: rule.explanation for name, rule in RULES.items()})
        data = f'{{"jmdc":{found[0][0]},"rules":{words}}}'
        return (JSON, data.encode()) if bare != path else (HTML, fill("jmdc_star.html", data))


async def _find(name: str) -> int | None:
    """Number of a star that goes by a name or a number."""
    if "\0" in name:
        return None  # PostgreSQL has no such text
    if name.isascii() and name.isdigit():
        return int(name) if len(name) < 10 else None
    found = await _sessions().run(_BY_NAME, {"key": jmdc_stars.key(name)})
    return int(found[0][0]) if found else None


class ChangesPage(Page):
    """/jmdc/changes?from=…&to=…: what differs between two releases; the last two if none is told.

    The last release is also compared with `today`. With .json behind it as JSON.
    """

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page or its data."""
        if path:
            raise MissingError(f"There is no page jmdc/changes/{path}.")
        given = parameters.single(request.uri.partition(b"?")[2])
        known = [row[0] for row in await _sessions().run(_RELEASES, {})] + [_TODAY]
        new = given.get("to", known[-2] if len(known) > 2 else _TODAY)
        before = known.index(new) - 1 if new in known else -1
        old = given.get("from", known[max(before, 0)])
        for name in (old, new):
            if name not in known:
                raise MissingError(f"There is no release {name} of JMDC.")
        statement = _CHANGES.format(old=_published(old), new=_published(new))
        found = await _sessions().run(statement, {})
        told = json.dumps({"from": old, "to": new, "releases": known})
        data = f'{told[:-1]},"changes":{found[0][0]}}}'
        return (
            (JSON, data.encode()) if self._as_json else (HTML, fill("jmdc_changes.html", data))
        )  # fmt: skip


def _published(release: str) -> sql.Composable:
    """The published values of a release, or of today, by the numbers of measurements."""
    pairs = (
        part for name in COLUMNS for part in (sql.Literal(name), sql.Identifier(name))
    )  # fmt: skip
    row = sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))
    if release == _TODAY:
        return _CURRENT.format(row=row)
    return _RELEASE.format(sql.Literal(release), row=row)


class File(Page):
    """A page that asks for its data by itself."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The file."""
        if path:
            raise MissingError("There is no such page.")
        return HTML, (STATIC / self._name).read_bytes()


def _asked(path: str, request: Any) -> listing.Search:
    if path:
        raise MissingError("There is no such page.")
    return listing.read(request.uri.partition(b"?")[2])


def install(follow: Follow) -> None:
    """Adds the pages and the calls to DaCHS' server, before it starts.

    `follow` is done, on a connection, with each change of JMDC.
    """
    service.add(
        {
            "jmdc/": ListPage(),
            "jmdc/rows.json": Rows(),
            "jmdc/measurements.csv": Table(),
            "jmdc/star": StarPage(),
            "jmdc/changes": ChangesPage(as_json=False),
            "jmdc/changes.json": ChangesPage(as_json=True),
            "jmdc/submit": File("jmdc_submit.html"),
            "jmdc/submissions": File("jmdc_submissions.html"),
            "jmdc/queue": File("jmdc_queue.html"),
            "jmdc/api": api.calls(follow),
        }
    )
