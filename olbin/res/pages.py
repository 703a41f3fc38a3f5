"""The pages of publications: the list by tag and year, and one publication with its data.

As in obsportal/res/pages.py, a page is a file of resources/static with its JSON in it, which
PostgreSQL makes; the same JSON is at its address with .json behind it.
"""

from __future__ import annotations

from typing import Any

from psycopg2 import sql

from web import parameters, service, sessions
from web.pages import HTML, JSON, MissingError, Page, fill

#: How long a statement may take, in s, and how many run at once.
_SECONDS = 10.0
_SESSIONS = 2
#: Publications of one page of the list.
_PAGE = 50
_KNOWN = {"text", "tag", "from", "to", "data", "page"}
_DATA_SETS = ("oidb", "jmdc")
_YEARS = (1000, 9999)

#: Publications that have all tags, in a span of years, with a text in title, bibcode or journal.
_LIST = sql.SQL("""
  WITH found AS (
    SELECT p.bibcode, p.title, p.journal, p.pub_year, p.pubdate FROM olbin.publication AS p
    WHERE (%(from)s::integer IS NULL OR p.pub_year >= %(from)s)
      AND (%(to)s::integer IS NULL OR p.pub_year <= %(to)s)
      AND (%(text)s::text IS NULL
        OR strpos(lower(concat_ws(' ', p.title, p.bibcode, p.journal)), lower(%(text)s)) > 0)
      AND (%(data)s::text IS NULL OR EXISTS (
        SELECT 1 FROM jmmc.publication_link AS l
        WHERE l.bibcode = p.bibcode AND l.data_set = %(data)s))
      AND (%(tags)s::text[] IS NULL OR (
        SELECT COUNT(DISTINCT t.tag) FROM olbin.tag AS t
        WHERE t.bibcode = p.bibcode AND t.tag = ANY(%(tags)s)) = cardinality(%(tags)s::text[]))),
  page AS (
    SELECT * FROM found ORDER BY pub_year DESC, COALESCE(pubdate, '') DESC, bibcode
    OFFSET %(offset)s LIMIT %(number)s)
  SELECT json_build_object(
    'all', (SELECT COUNT(*) FROM olbin.publication),
    'total', (SELECT COUNT(*) FROM found),
    'years', (SELECT json_agg(json_build_array(y.pub_year, y.n) ORDER BY y.pub_year)
      FROM (SELECT pub_year, COUNT(*) AS n FROM found GROUP BY pub_year) AS y),
    'tags', (SELECT json_agg(json_build_array(g.category, g.tag, g.n)
        ORDER BY g.category, g.n DESC, g.tag)
      FROM (SELECT t.category, t.tag, COUNT(*) AS n
        FROM found AS f JOIN olbin.tag AS t ON t.bibcode = f.bibcode
        GROUP BY t.category, t.tag) AS g),
    'rows', (SELECT json_agg(json_build_object('bibcode', o.bibcode, 'title', o.title,
        'journal', o.journal, 'pub_year', o.pub_year,
        'tags', (SELECT json_agg(json_build_array(t.category, t.tag) ORDER BY t.category, t.tag)
          FROM olbin.tag AS t WHERE t.bibcode = o.bibcode),
        'links', (SELECT json_agg(json_build_array(l.data_set, l.number_of_links)
            ORDER BY l.data_set)
          FROM jmmc.publication_link AS l WHERE l.bibcode = o.bibcode))
        ORDER BY o.pub_year DESC, COALESCE(o.pubdate, '') DESC, o.bibcode)
      FROM page AS o))::text""")

#: One publication. It need not be in Olbin's list: data name others, too.
_ONE = sql.SQL("""
  SELECT json_build_object(
    'bibcode', %(bibcode)s::text,
    'publication', (SELECT to_json(p) FROM olbin.publication AS p WHERE p.bibcode = %(bibcode)s),
    'tags', (SELECT json_agg(json_build_array(t.category, t.tag) ORDER BY t.category, t.tag)
      FROM olbin.tag AS t WHERE t.bibcode = %(bibcode)s),
    'links', (SELECT json_agg(to_json(l) ORDER BY l.data_set, l.entry)
      FROM jmmc.publication_link AS l WHERE l.bibcode = %(bibcode)s))::text,
    EXISTS (SELECT 1 FROM olbin.publication AS p WHERE p.bibcode = %(bibcode)s)
      OR EXISTS (SELECT 1 FROM jmmc.publication_link AS l WHERE l.bibcode = %(bibcode)s)""")


class PublicationsPage(Page):
    """/publications and /publications/BIBCODE, each with .json, too."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._sessions = sessions.Sessions(_SESSIONS, _SECONDS)

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The list, or the publication that the path names."""
        bibcode = path.removesuffix(".json")
        if not path:
            found = await self._list(request.uri.partition(b"?")[2])
            page, as_json = "publications.html", self._as_json
        else:
            found = await self._one(bibcode)
            page, as_json = "publication.html", bibcode != path
        return (JSON, found.encode()) if as_json else (HTML, fill(page, found))

    async def _list(self, query: bytes) -> str:
        asked = _read(query)
        rows = await self._sessions.run(_LIST, asked)
        return str(rows[0][0])

    async def _one(self, bibcode: str) -> str:
        rows = [] if "\0" in bibcode else await self._sessions.run(_ONE, {"bibcode": bibcode})
        if not rows or not rows[0][1]:
            raise MissingError(f"There is no publication {bibcode} here.")
        return str(rows[0][0])


def _read(query: bytes) -> dict[str, Any]:
    """The values of _LIST that a query string asks for; raises RefusedError."""
    given = parameters.values(parameters.fields(query), _KNOWN)
    data = given.get("data")
    if data is not None and data not in _DATA_SETS:
        words = " or ".join(_DATA_SETS)
        raise parameters.RefusedError(f"data must be {words}, not {parameters.quoted(data)}.")
    tags = sorted({tag.strip() for tag in given.get("tag", "").split(",") if tag.strip()})
    number = parameters.whole(given, "page", 1) if "page" in given else 1
    limits = {
        name: int(parameters.number(given, name, *_YEARS)) if name in given else None
        for name in ("from", "to")
    }
    return {
        **limits,
        "text": given.get("text"),
        "data": data,
        "tags": tags or None,
        "offset": (number - 1) * _PAGE,
        "number": _PAGE,
    }


def install() -> None:
    """Puts the pages into DaCHS' server, before it starts."""
    service.add(
        {"publications": PublicationsPage(False), "publications.json": PublicationsPage(True)}
    )
