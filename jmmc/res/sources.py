"""The data sets whose entries are of stars: what is asked of each.

This is the only place that knows their tables. A data set that has none in this instance is left
out; the others go on without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg2 import sql


@dataclass(frozen=True)
class Source:
    """A data set, by SQL.

    ``entries`` gives entry_id, name, s_ra, s_dec, pm_ra, pm_dec, epoch (years; NULL for J2000) and
    a fingerprint that changes when something of that, or of what stars tell of it, does; ``names``
    all names of an entry (entry_id, alias). ``summary`` brings up to date what the stars in the
    temporary table ``touched`` tell of it.
    """

    name: str
    table: str
    entries: sql.SQL
    names: sql.SQL
    summary: sql.SQL


_OBSPORTAL = Source(
    "obsportal",
    "obsportal.target",
    sql.SQL("""
      SELECT t.target_id::bigint AS entry_id, t.target_name AS name, t.s_ra, t.s_dec, t.pm_ra,
        t.pm_dec, NULL::double precision AS epoch,
        hashtext(ROW(t.target_name, t.s_ra, t.s_dec, t.pm_ra, t.pm_dec, t.n_exposures)::text)
          AS fingerprint
      FROM obsportal.target AS t WHERE t.merged_into IS NULL AND t.n_exposures > 0"""),
    sql.SQL("SELECT target_id::bigint AS entry_id, alias FROM obsportal.target_alias"),
    sql.SQL("""
      UPDATE jmmc.star AS s SET target_id = f.target_id, n_vlti_exposures = f.vlti,
        n_chara_exposures = f.chara
      FROM (
        SELECT u.star_id, COALESCE(SUM(e.vlti), 0) AS vlti, COALESCE(SUM(e.chara), 0) AS chara,
          (ARRAY_AGG(t.target_id ORDER BY t.n_exposures DESC NULLS LAST, t.target_id))[1]
            AS target_id
        FROM touched AS u
        LEFT JOIN jmmc.link AS l ON l.star_id = u.star_id AND l.data_set = 'obsportal'
        LEFT JOIN obsportal.target AS t ON t.target_id = l.entry_id
        LEFT JOIN LATERAL (
          SELECT COUNT(*) FILTER (WHERE x.facility_name = 'VLTI') AS vlti,
            COUNT(*) FILTER (WHERE x.facility_name = 'CHARA') AS chara
          FROM obsportal.exposure AS x
          WHERE x.target_id = t.target_id AND x.on_sky = 1) AS e ON TRUE
        GROUP BY u.star_id) AS f
      WHERE s.star_id = f.star_id"""),
)

_JMDC = Source(
    "jmdc",
    "jmdc.star",
    sql.SQL("""
      SELECT j.star_id::bigint AS entry_id, j.star_name AS name, j.s_ra, j.s_dec, j.pm_ra,
        j.pm_dec, NULL::double precision AS epoch,
        hashtext(ROW(j.star_name, j.s_ra, j.s_dec, j.pm_ra, j.pm_dec, j.n_measurements,
          (SELECT array_agg(a.alias ORDER BY a.alias) FROM jmdc.star_alias AS a
            WHERE a.star_id = j.star_id))::text) AS fingerprint
      FROM jmdc.star AS j
      WHERE j.merged_into IS NULL AND j.s_ra IS NOT NULL AND j.s_dec IS NOT NULL"""),
    sql.SQL("SELECT star_id::bigint AS entry_id, alias FROM jmdc.star_alias"),
    sql.SQL("""
      UPDATE jmmc.star AS s SET jmdc_id = f.jmdc_id, n_measurements = f.n_measurements
      FROM (
        SELECT u.star_id, COALESCE(SUM(j.n_measurements), 0) AS n_measurements,
          (ARRAY_AGG(j.star_id ORDER BY j.n_measurements DESC NULLS LAST, j.star_id))[1] AS jmdc_id
        FROM touched AS u
        LEFT JOIN jmmc.link AS l ON l.star_id = u.star_id AND l.data_set = 'jmdc'
        LEFT JOIN jmdc.star AS j ON j.star_id = l.entry_id
        GROUP BY u.star_id) AS f
      WHERE s.star_id = f.star_id"""),
)

#: All that was ever reported is of a star; only what was accepted makes it a bad calibrator.
_BADCAL = Source(
    "badcal",
    "badcal.star",
    sql.SQL("""
      SELECT b.badcal_id::bigint AS entry_id, b.name, b.s_ra, b.s_dec, NULL::real AS pm_ra,
        NULL::real AS pm_dec, NULL::double precision AS epoch,
        hashtext(ROW(b.name, b.s_ra, b.s_dec, b.state)::text) AS fingerprint
      FROM badcal.star AS b WHERE b.s_ra IS NOT NULL AND b.s_dec IS NOT NULL"""),
    sql.SQL("""
      SELECT badcal_id::bigint AS entry_id, name AS alias FROM badcal.star
      WHERE name IS NOT NULL"""),
    sql.SQL("""
      UPDATE jmmc.star AS s SET badcal_id = f.badcal_id
      FROM (
        SELECT u.star_id, MIN(b.badcal_id) AS badcal_id FROM touched AS u
        LEFT JOIN jmmc.link AS l ON l.star_id = u.star_id AND l.data_set = 'badcal'
        LEFT JOIN badcal.star AS b ON b.badcal_id = l.entry_id AND b.state = 'accepted'
        GROUP BY u.star_id) AS f
      WHERE s.star_id = f.star_id"""),
)

#: (0, 0) is what files have where nothing is known.
_OIDB = Source(
    "oidb",
    "oidb.granule",
    sql.SQL("""
      SELECT g.granule_id AS entry_id, g.target_name AS name, g.s_ra, g.s_dec, NULL::real AS pm_ra,
        NULL::real AS pm_dec, 2000 + (g.t_min - 51544.5) / 365.25 AS epoch,
        hashtext(ROW(g.target_name, g.s_ra, g.s_dec, g.t_min)::text) AS fingerprint
      FROM oidb.granule AS g
      WHERE g.s_ra IS NOT NULL AND g.s_dec IS NOT NULL AND (g.s_ra <> 0 OR g.s_dec <> 0)"""),
    sql.SQL("""
      SELECT granule_id AS entry_id, target_name AS alias FROM oidb.granule
      WHERE target_name IS NOT NULL
      UNION ALL SELECT granule_id, alias FROM oidb.target_alias"""),
    sql.SQL("""
      UPDATE jmmc.star AS s SET n_granules = f.n_granules
      FROM (
        SELECT u.star_id, COUNT(l.entry_id) AS n_granules FROM touched AS u
        LEFT JOIN jmmc.link AS l ON l.star_id = u.star_id AND l.data_set = 'oidb'
        GROUP BY u.star_id) AS f
      WHERE s.star_id = f.star_id"""),
)

#: In the order in which they are followed: proper motions first.
ALL = (_OBSPORTAL, _JMDC, _BADCAL, _OIDB)


def present(connection: Any) -> list[Source]:
    """The data sets that this instance has."""
    return [source for source in ALL if exists(connection, source.table)]


def exists(connection: Any, table: str) -> bool:
    """Whether there is a table of that name."""
    [[found]] = connection.query("SELECT to_regclass(%(table)s) IS NOT NULL", {"table": table})
    return bool(found)
