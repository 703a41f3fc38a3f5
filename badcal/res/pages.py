"""Pages of BadCal: the list of stars, one star, plots of candidates.

SearchCal and GetStar link to a star by the address that it had in the former service,
/badcal/show.jsp?type=detail&id=N. What users hand in, and editors decide on, goes through api.py.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from psycopg2 import sql

from web import parameters
from web.pages import HTML, JSON, STATIC, MissingError, Page, fill
from web.sessions import Sessions

_SECONDS, _SESSIONS = 10.0, 2

#: All stars, with what their reports say of the observations.
_STARS = sql.SQL("""
  SELECT COALESCE(json_agg(to_jsonb(s) || to_jsonb(o) ORDER BY s.badcal_id), '[]')::text
  FROM badcal.star AS s CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT interferometer, ', ') AS interferometers,
      string_agg(DISTINCT instrument, ', ') AS instruments, MAX(obs_date) AS last_date
    FROM badcal.report AS r WHERE r.badcal_id = s.badcal_id) AS o""")

_STAR = sql.SQL("""
  SELECT json_build_object(
    'star', to_jsonb(s),
    'reports', (SELECT json_agg(to_jsonb(r) || jsonb_build_object(
        'candidate', (SELECT to_jsonb(c) FROM badcal.candidate AS c
          WHERE c.report_id = r.report_id),
        'history', (SELECT json_agg(json_build_object('time', h.changed, 'deed', h.event,
            'by', COALESCE(h.person, h.role), 'words', h.why) ORDER BY h.version)
          FROM badcal.history AS h WHERE h.report_id = r.report_id)) ORDER BY r.report_id)
      FROM badcal.report AS r WHERE r.badcal_id = s.badcal_id))::text
  FROM badcal.star AS s WHERE s.badcal_id = %(badcal_id)s""")

#: A plot, where the numbers are shown, too.
_PLOT = sql.SQL("""
  SELECT p.png FROM badcal.stored_plot AS p JOIN badcal.candidate AS c USING (report_id)
  WHERE p.report_id = %(report_id)s""")


@cache
def _sessions() -> Sessions:
    return Sessions(_SESSIONS, _SECONDS)


class ListPage(Page):
    """/badcal/ and, with the same as JSON, /badcal/stars.json."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page or its data."""
        if path:
            raise MissingError(f"There is no page {path} here.")
        [(found,)] = await _sessions().run(_STARS, {})
        return (JSON, found.encode()) if self._as_json else (HTML, fill("badcal.html", found))


class FilePage(Page):
    """A page that asks for what it shows."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The file."""
        if path:
            raise MissingError(f"There is no page {path} here.")
        return HTML, (STATIC / self._name).read_bytes()


class StarPage(Page):
    """/badcal/star/N, with .json behind it the same as JSON."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page or its data."""
        bare = path.removesuffix(".json")
        found = await _star(bare)
        return (JSON, found.encode()) if bare != path else (HTML, fill("badcal_star.html", found))


class FormerPage(Page):
    """/badcal/show.jsp?type=detail&id=N."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page of the star."""
        given = parameters.single(request.uri.partition(b"?")[2])
        if path or given.get("type", "detail") != "detail":
            raise MissingError("Only details of stars are here: type=detail.")
        if "id" not in given:
            raise parameters.RefusedError("id is missing: the number of a star.")
        return HTML, fill("badcal_star.html", await _star(str(parameters.whole(given, "id", 1))))


class PlotPage(Page):
    """/badcal/plot/N.png: the plot of a candidate, by the number of its report."""

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The picture."""
        rows = await _sessions().run(_PLOT, {"report_id": _number(path.removesuffix(".png"))})
        if not rows or not path.endswith(".png"):
            raise MissingError("There is no plot of this report.")
        return "image/png", bytes(rows[0][0])


async def _star(text: str) -> str:
    rows = await _sessions().run(_STAR, {"badcal_id": _number(text)})
    if not rows:
        raise MissingError(f"There is no star {text} in BadCal.")
    return str(rows[0][0])


def _number(text: str) -> int:
    """A number of a star or a report; -1, which none has, for another text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def resources() -> dict[str, Any]:
    """Resources by their path."""
    return {
        "badcal/": ListPage(as_json=False),
        "badcal/stars.json": ListPage(as_json=True),
        "badcal/star": StarPage(),
        "badcal/show.jsp": FormerPage(),
        "badcal/plot": PlotPage(),
        "badcal/submit": FilePage("badcal_submit.html"),
        "badcal/submissions": FilePage("badcal_submissions.html"),
        "badcal/queue": FilePage("badcal_queue.html"),
    }
