"""Publications and their tags into the tables of q.rd, an export in one transaction."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from gavo import base
from psycopg2 import extras

from ingest.olbin import Export


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an export: numbers of publications."""

    new: int
    changed: int
    unchanged: int
    removed: int


def replace(export: Export) -> Report:
    """Makes the tables hold what the export does, no more and no less.

    A title or date is kept where the export has no column for it. Publications that are as they
    were keep the date of their last change.
    """
    with closing(base.getDBConnection("admin")) as connection, connection.cursor() as cursor:
        # One export at a time: a second one waits here.
        cursor.execute("LOCK TABLE olbin.publication IN SHARE ROW EXCLUSIVE MODE")
        _load(cursor, export)
        cursor.execute(_CHANGES, {name: name in export.columns for name in ("title", "pubdate")})
        new, changed, unchanged, removed = cursor.fetchone()
        for statement in _STATEMENTS:
            cursor.execute(statement)
        connection.commit()
        return Report(new, changed, unchanged, removed)


def _load(cursor: Any, export: Export) -> None:
    cursor.execute(
        "CREATE TEMPORARY TABLE given ON COMMIT DROP AS"
        " SELECT bibcode, pub_year, journal, pubdate, title, '[]'::jsonb AS tags"
        " FROM olbin.publication WITH NO DATA"
    )
    extras.execute_values(
        cursor,
        "INSERT INTO given (bibcode, pub_year, journal, pubdate, title, tags) VALUES %s",
        [
            (
                one.bibcode,
                one.pub_year,
                one.journal,
                one.pubdate,
                one.title,
                extras.Json(sorted(one.tags)),
            )
            for one in export.publications
        ],
        page_size=1000,
    )


#: What is new, changed, as it was, and no longer there; tags are pairs of category and tag.
_CHANGES = """
  CREATE TEMPORARY TABLE change ON COMMIT DROP AS
  WITH old AS (
    SELECT bibcode, jsonb_agg(jsonb_build_array(category, tag) ORDER BY category, tag) AS tags
    FROM olbin.tag GROUP BY bibcode)
  SELECT COALESCE(g.bibcode, p.bibcode) AS bibcode, g.pub_year, g.journal,
    CASE WHEN %(pubdate)s THEN g.pubdate ELSE p.pubdate END AS pubdate,
    CASE WHEN %(title)s THEN g.title ELSE p.title END AS title, g.tags,
    CASE
      WHEN p.bibcode IS NULL THEN 'new'
      WHEN g.bibcode IS NULL THEN 'removed'
      WHEN %(pubdate)s AND g.pubdate IS DISTINCT FROM p.pubdate
        OR %(title)s AND g.title IS DISTINCT FROM p.title
        OR g.tags <> COALESCE(old.tags, '[]') THEN 'changed'
      ELSE 'unchanged'
    END AS kind
  FROM given AS g FULL JOIN olbin.publication AS p ON p.bibcode = g.bibcode
    LEFT JOIN old ON old.bibcode = p.bibcode;
  SELECT COUNT(*) FILTER (WHERE kind = 'new'), COUNT(*) FILTER (WHERE kind = 'changed'),
    COUNT(*) FILTER (WHERE kind = 'unchanged'), COUNT(*) FILTER (WHERE kind = 'removed')
  FROM change"""

_STATEMENTS = (
    "DELETE FROM olbin.tag AS t USING change AS c"
    " WHERE t.bibcode = c.bibcode AND c.kind <> 'unchanged'",
    "DELETE FROM olbin.publication AS p USING change AS c"
    " WHERE p.bibcode = c.bibcode AND c.kind <> 'unchanged'",
    "INSERT INTO olbin.publication (bibcode, title, journal, pub_year, pubdate, updated)"
    " SELECT bibcode, title, journal, pub_year, pubdate,"
    " date_trunc('second', now() AT TIME ZONE 'UTC')"
    " FROM change WHERE kind IN ('new', 'changed')",
    "INSERT INTO olbin.tag (bibcode, category, tag)"
    " SELECT bibcode, pair->>0, pair->>1"
    " FROM change, jsonb_array_elements(tags) AS pair WHERE kind IN ('new', 'changed')",
    "ANALYZE olbin.publication",
    "ANALYZE olbin.tag",
)
