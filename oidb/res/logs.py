"""What the observation logs know of OiDB's granules: investigators, titles, release dates.

A granule's exposures are those of the raw files that its file was made of, by their names; where
the file names none that a log has, the exposures of the same programme (and observation block,
where both are known) at the same facility that overlap the granule in time.

What the operator said with the ingestion wins over the log, the log over the file's header, which
ESO's archive anonymises. A file is public when everything that holds it back has ended, the
release of its raw files included: dates follow the archive to later and to earlier days.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from gavo import base

from oidb.res import rows, store

_KNOWN = """
WITH named AS (
  SELECT p.file_id, g.granule_id, g.progid AS own_progid,
    h.progid, h.prog_title, h.datapi, h.obs_release_date
  FROM oidb.progenitor AS p
  JOIN obsportal.stored_header AS h ON h.header_id=p.dp_id
  LEFT JOIN oidb.granule AS g ON g.file_id=p.file_id
  WHERE %(files)s::bigint[] IS NULL OR p.file_id = ANY(%(files)s::bigint[])
), matched AS (
  SELECT * FROM named
  UNION ALL
  SELECT g.file_id, g.granule_id, g.progid, e.progid, COALESCE(h.prog_title, e.prog_title),
    COALESCE(h.datapi, e.datapi), COALESCE(h.obs_release_date, e.obs_release_date)
  FROM oidb.granule AS g
  JOIN obsportal.exposure AS e ON e.progid=g.progid AND e.facility_name=g.facility_name
    AND e.t_min <= g.t_max AND COALESCE(e.t_max, e.t_min) >= g.t_min
    AND (e.ob_id IS NULL OR COALESCE(g.proposal_subid, '') !~ '^[1-9][0-9]*$'
      OR e.ob_id::text=g.proposal_subid)
  JOIN obsportal.stored_header AS h ON h.header_id=e.header_id
  WHERE NOT EXISTS (SELECT 1 FROM named AS n WHERE n.file_id=g.file_id)
    AND (%(files)s::bigint[] IS NULL OR g.file_id = ANY(%(files)s::bigint[]))
), known AS (
  -- Raw files of other programmes, such as calibrations, hold a file back but do not name it.
  SELECT file_id, granule_id, MAX(obs_release_date) AS raw_release_date,
    COUNT(DISTINCT progid) AS n_programmes,
    MODE() WITHIN GROUP (ORDER BY datapi)
      FILTER (WHERE COALESCE(own_progid, progid)=progid) AS datapi,
    MODE() WITHIN GROUP (ORDER BY prog_title)
      FILTER (WHERE COALESCE(own_progid, progid)=progid) AS prog_title
  FROM matched GROUP BY file_id, granule_id
)
SELECT f.file_id, f.own_release_date, f.raw_release_date, f.obs_release_date,
  k.raw_release_date AS log_release_date, g.granule_id, g.datapi, g.prog_title,
  COALESCE(f.datapi, CASE WHEN named THEN k.datapi END, g.datapi) AS new_datapi,
  COALESCE(CASE WHEN named THEN k.prog_title END, g.prog_title) AS new_prog_title
FROM known AS k
JOIN oidb.stored_file AS f ON f.file_id=k.file_id
LEFT JOIN oidb.granule AS g ON g.granule_id=k.granule_id
CROSS JOIN LATERAL (SELECT g.progid IS NOT NULL OR k.n_programmes=1 AS named) AS sure
ORDER BY f.file_id
"""


@dataclass
class Report:
    """What following the logs has changed."""

    #: Files that a log knows.
    known: int = 0
    #: Files that become public later, and earlier, than before.
    later: int = 0
    earlier: int = 0
    #: Granules with another investigator or title.
    granules: int = 0

    def __str__(self) -> str:
        return (
            f"{self.known} files known to the observation logs;"
            f" release dates: {self.later} later, {self.earlier} earlier;"
            f" investigator or title: {self.granules} granules"
        )


@dataclass(frozen=True)
class _Change:
    """What is to be changed of a file that a log knows; nothing in most cases."""

    file_id: int
    raw_release_date: datetime | None
    before: datetime | None
    released: datetime | None
    dated: bool
    #: Rows with granule_id, new_datapi, new_prog_title.
    granules: list[dict[str, Any]]


def follow() -> Report:
    """Brings all files up to date with the logs, each in a transaction of its own.

    Raises AtWorkError while an ingestion is at work.
    """
    report = Report()
    with store.alone(), base.getWritableAdminConn() as connection:
        for change in list(_changes(connection, None)):
            _apply(connection, change)
            connection.commit()
            report.known += 1
            report.granules += len(change.granules)
            if change.released != change.before:
                # Without a date is public from the start.
                if (change.released or datetime.min) > (change.before or datetime.min):
                    report.later += 1
                else:
                    report.earlier += 1
    return report


def follow_files(connection: Any, files: Sequence[int]) -> None:
    """Brings some files up to date with the logs, within the caller's transaction."""
    for change in list(_changes(connection, list(files))):
        _apply(connection, change)


def _changes(connection: Any, files: list[int] | None) -> Iterator[_Change]:
    found = connection.queryToDicts(_KNOWN, {"files": files})
    for file_id, group in itertools.groupby(found, itemgetter("file_id")):
        granules = list(group)
        file = granules[0]
        # What was once known holds: a log that has lost an exposure does not publish a file.
        raw = max(
            (row["log_release_date"] for row in granules if row["log_release_date"]),
            default=file["raw_release_date"],
        )
        released = rows.latest(file["own_release_date"], raw)
        yield _Change(
            file_id=file_id,
            raw_release_date=raw,
            before=file["obs_release_date"],
            released=released,
            dated=(raw, released) != (file["raw_release_date"], file["obs_release_date"]),
            granules=[
                row
                for row in granules
                if row["granule_id"] is not None
                and (row["new_datapi"], row["new_prog_title"]) != (row["datapi"], row["prog_title"])
            ],
        )


def _apply(connection: Any, change: _Change) -> None:
    if change.dated:
        values = {
            "file_id": change.file_id,
            "raw": change.raw_release_date,
            "released": change.released,
            "embargo": rows.embargo(change.released),
        }
        for statement in (
            "UPDATE oidb.stored_file SET raw_release_date=%(raw)s, obs_release_date=%(released)s"
            " WHERE file_id=%(file_id)s",
            "UPDATE oidb.granule SET obs_release_date=%(released)s WHERE file_id=%(file_id)s",
            "UPDATE oidb.stored_product SET embargo=%(embargo)s WHERE file_id=%(file_id)s",
            # DaCHS' own table, which is what guards the products.
            "UPDATE dc.products AS d SET embargo=%(embargo)s FROM oidb.stored_product AS p"
            " WHERE d.accref=p.accref AND p.file_id=%(file_id)s",
        ):
            connection.execute(statement, values)
    for row in change.granules:
        connection.execute(
            "UPDATE oidb.granule SET datapi=%(new_datapi)s, prog_title=%(new_prog_title)s"
            " WHERE granule_id=%(granule_id)s",
            row,
        )
