"""What the pages for people show: one exposure, one target, the whole log in numbers.

A page is a file of resources/static with what it shows in it as JSON, which PostgreSQL makes, so
that one statement and no further request is all it takes. The same JSON is at the page's address
with .json behind it.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from psycopg2 import sql
from twisted.internet import reactor

from ingest import names
from ingest.exposures import QUALITY_FLAGS
from obsportal.res import listing
from obsportal.res.statistics import numbers
from web import sessions
from web.pages import HTML, JSON, STATIC, TEXT, MissingError, Page, fill

#: How long a statement of a page may take, in s, and how many run at once.
_SECONDS = 10.0
_SESSIONS = 2
#: Exposures of a target whose projected baselines are drawn; of more, evenly many are left out.
_DRAWN = 300
#: Names that are suggested for the begin of one.
_SUGGESTED = 20

#: The projected baselines of a target by instrument: u and v at the begin and the end of (at most
#: `drawn`) exposures.
_COVERAGE = sql.SQL("""
  SELECT json_object_agg(d.instrument_name, d.tracks)::text FROM (
    SELECT e.instrument_name, json_agg(array[b.u_start::numeric(9, 1), b.v_start::numeric(9, 1),
      b.u_end::numeric(9, 1), b.v_end::numeric(9, 1)]) AS tracks
    FROM (
      SELECT x.exposure_id, x.instrument_name,
        ROW_NUMBER() OVER (ORDER BY x.t_min) AS place, COUNT(*) OVER () AS number
      FROM obsportal.exposure AS x
      WHERE x.target_id = %(target_id)s AND x.on_sky = 1 AND x.uv_distance_max IS NOT NULL) AS e
    JOIN obsportal.baseline AS b ON b.exposure_id = e.exposure_id
    WHERE (e.place * %(drawn)s) / e.number <> ((e.place - 1) * %(drawn)s) / e.number
      AND b.u_start IS NOT NULL AND b.v_start IS NOT NULL
    GROUP BY e.instrument_name) AS d""")

_EXPOSURE = sql.SQL("""
  SELECT json_build_object(
    'exposure', to_jsonb(e) - 's_region',
    'baselines', (SELECT json_agg(to_jsonb(b) - 'exposure_id' ORDER BY b.length_start)
      FROM obsportal.baseline AS b WHERE b.exposure_id = e.exposure_id),
    'target', (SELECT to_json(t) FROM obsportal.target AS t WHERE t.target_id = e.target_id),
    'header', (SELECT json_build_object('archive', h.archive, 'state', h.state,
        'withdrawn', h.withdrawn, 'last_mod_date', h.last_mod_date, 'access_url', h.access_url,
        'kept', h.header IS NOT NULL)
      FROM obsportal.stored_header AS h WHERE h.header_id = e.header_id),
    'observation', (SELECT json_agg(json_build_array(s.exposure_id, s.t_min, s.validation_level)
        ORDER BY s.t_min, s.exposure_id)
      FROM (SELECT exposure_id, t_min, validation_level FROM obsportal.exposure
        WHERE observation_id = e.observation_id ORDER BY t_min LIMIT 200) AS s),
    'grades', (SELECT json_agg(json_build_array(q.grade, q.graded, q.comment, q.source))
      FROM obsportal.quality AS q
      WHERE q.ob_id = e.ob_id AND q.facility_name = e.facility_name))::text,
    e.target_id, e.quality_flags
  FROM obsportal.exposure AS e WHERE e.exposure_id = %(exposure_id)s""")

_TARGET = sql.SQL("""
  SELECT json_build_object(
    'target', to_json(t),
    'aliases', (SELECT json_agg(json_build_array(a.alias, a.n_exposures)
        ORDER BY a.n_exposures DESC, a.alias)
      FROM obsportal.target_alias AS a WHERE a.target_id = t.target_id),
    'neighbours', (SELECT json_agg(json_build_array(
        n.neighbour_id, o.target_name, n.separation, o.n_exposures) ORDER BY n.separation)
      FROM obsportal.target_neighbour AS n JOIN obsportal.target AS o
        ON o.target_id = n.neighbour_id
      WHERE n.target_id = t.target_id AND o.merged_into IS NULL),
    'changes', (SELECT json_agg(to_json(c) ORDER BY c.changed) FROM obsportal.target_change AS c
      WHERE c.target_id = t.target_id OR c.other_id = t.target_id),
    'nights', (SELECT json_agg(to_json(g) ORDER BY g.first DESC) FROM (
      SELECT night, facility_name, instrument_name, instrument_mode, stations, progid,
        COUNT(*) AS n, SUM(validation_level) AS valid, MIN(t_min) AS first,
        MIN(exposure_id) AS exposure_id,
        AVG(seeing)::numeric(6, 2) AS seeing, SUM(t_exptime)::numeric(12, 0) AS seconds
      FROM obsportal.exposure AS x WHERE x.target_id = t.target_id
      GROUP BY night, facility_name, instrument_name, instrument_mode, stations, progid) AS g)
    )::text, t.target_id
  FROM obsportal.target AS t
  WHERE t.target_id = (SELECT COALESCE(m.merged_into, m.target_id) FROM obsportal.target AS m
    WHERE m.target_id = %(target_id)s)""")

_HEADER = sql.SQL("SELECT header FROM obsportal.stored_header WHERE header_id = %(header_id)s")

#: Targets that have a name, however it is spelled, and targets with a name that begins like it.
_NAMES = sql.SQL("""
  SELECT COALESCE(json_agg(to_json(f) ORDER BY f.same DESC, f.n_exposures DESC), '[]')::text
  FROM (
    SELECT * FROM (
      SELECT DISTINCT ON (t.target_id) a.alias, COALESCE(a.alias_key = %(key)s, FALSE) AS same,
        t.target_id, t.target_name, t.s_ra, t.s_dec, t.n_exposures
      FROM obsportal.target_alias AS a JOIN obsportal.target AS t ON t.target_id = a.target_id
      WHERE (a.alias_key = %(key)s
          OR a.alias >= %(as_is)s AND a.alias < %(as_is_end)s
          OR a.alias >= %(upper)s AND a.alias < %(upper_end)s
          OR a.alias >= %(lower)s AND a.alias < %(lower_end)s
          OR a.alias >= %(title)s AND a.alias < %(title_end)s)
        AND t.merged_into IS NULL
      ORDER BY t.target_id, same DESC, a.n_exposures DESC) AS d
    ORDER BY d.same DESC, d.n_exposures DESC, d.target_id LIMIT %(number)s) AS f""")


class SearchPage(Page):
    """/search: the form and its results; below it rows.json and overview.json, see listing.py."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page, whose parameters are its own business, or results."""
        if path in ("rows.json", "overview.json"):
            asked = listing.read(request.uri.partition(b"?")[2])
            found = listing.rows if path == "rows.json" else listing.overview
            return JSON, (await found(asked)).encode()
        if path:
            raise MissingError(f"There is no page search/{path}.")
        return HTML, (STATIC / "exposures.html").read_bytes()


class DetailPage(Page):
    """/detail/…: pages and JSON of exposures and targets, headers as text, names as JSON.

    Identifiers are taken as they are: ASPRO2 does not encode what it writes into an address.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sessions = sessions.Sessions(_SESSIONS, _SECONDS)

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """What the kind and the identifier in the path say."""
        kind, _, name = path.partition("/")
        if kind == "header":
            return TEXT, (await self._header(name))
        if path == "names.json":
            begin = request.args.get(b"begin", [b""])[0].decode("utf-8", "replace").strip()
            return JSON, (await self._names(begin)) if begin else b"[]"
        bare = name.removesuffix(".json")
        if kind == "exposure":
            found = await self._exposure(bare)
        elif kind == "target":
            found = await self._target(bare)
        else:
            raise MissingError(f"There is no page detail/{path}.")
        if bare != name:
            return JSON, found.encode()
        return HTML, fill(f"{kind}.html", found)

    async def _exposure(self, exposure_id: str) -> str:
        rows = await self._run(_EXPOSURE, exposure_id=exposure_id)
        if not rows:
            raise MissingError(f"There is no exposure {exposure_id} in the observation logs.")
        log, target_id, flags = rows[0]
        known = json.dumps([[flag, QUALITY_FLAGS.get(flag)] for flag in flags.split()])
        coverage = await self._coverage(target_id)
        return f'{{"log":{log},"coverage":{coverage},"flags":{known}}}'

    async def _target(self, text: str) -> str:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        rows = await self._run(_TARGET, target_id=number)
        if not rows:
            raise MissingError(f"There is no target {text} in the observation logs.")
        log, target_id = rows[0]
        return f'{{"log":{log},"coverage":{await self._coverage(target_id)},"drawn":{_DRAWN}}}'

    async def _coverage(self, target_id: int | None) -> str:
        """What has been observed of a target in the uv plane, as JSON."""
        if target_id is None:
            return "{}"
        rows = await self._run(_COVERAGE, target_id=target_id, drawn=_DRAWN)
        return rows[0][0] or "{}"

    async def _header(self, header_id: str) -> bytes:
        rows = await self._run(_HEADER, header_id=header_id)
        if not rows or rows[0][0] is None:
            raise MissingError(f"There is no header {header_id} in the observation logs.")
        data = zlib.decompress(bytes(rows[0][0]))
        try:
            return data.decode("utf-8").encode()
        except UnicodeDecodeError:
            return data.decode("latin-1").encode()

    async def _names(self, begin: str) -> bytes:
        spellings = {
            "as_is": begin, "upper": begin.upper(), "lower": begin.lower(),
            "title": begin.capitalize(),
        }  # fmt: skip
        ends = {f"{name}_end": f"{text}\U0010ffff" for name, text in spellings.items()}
        key = names.key(begin)
        rows = await self._run(_NAMES, key=key, number=_SUGGESTED, **spellings, **ends)
        return rows[0][0].encode() if rows else b"[]"

    async def _run(self, statement: sql.SQL, **values: Any) -> list[sessions.Row]:
        if any("\0" in value for value in values.values() if isinstance(value, str)):
            return []  # PostgreSQL has no such text
        rows: list[sessions.Row] = await self._sessions.run(statement, values)
        return rows


class StatisticsPage(Page):
    """/statistics: the log in numbers and plots; with .json the numbers."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page or the numbers."""
        if path:
            raise MissingError(f"There is no page statistics/{path}.")
        found = await numbers.get()
        return (
            (JSON, found.encode()) if self._as_json
            else (HTML, fill("statistics.html", found))
        )  # fmt: skip


def install() -> None:
    """Adds the pages to DaCHS' server, before it starts, which then begins to count."""
    from gavo.web import root

    for name, page in {
        "search": SearchPage(),
        "detail": DetailPage(),
        "statistics": StatisticsPage(as_json=False),
        "statistics.json": StatisticsPage(as_json=True),
    }.items():
        root.ArchiveService.addStatic(name, page)
    reactor.callWhenRunning(numbers.get)
