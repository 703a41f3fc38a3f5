"""Keeps the stars in step with the data sets: in one transaction, and only what has changed.

Stars of JSDC come first, by SQL, for they are half a million. Entries of the other data sets find
their star one by one (``ingest.crossmatch``), and become one where there is none; all of them do so
anew when JSDC has changed, so that it does not matter what was loaded first. Stars keep their
numbers, through another version of JSDC too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql
from psycopg2.extras import execute_values

from ingest import names
from ingest.crossmatch import BY_NAME, REACH, Entry, Match, NewStars, Star, choose
from jmmc.res import sources
from jmmc.res.sources import Source

JSDC = "jsdc"
#: What can be followed.
DATA_SETS = (JSDC, *(source.name for source in sources.ALL))

#: From so many changes on, PostgreSQL's planner is told what the tables look like.
_MANY = 1000
#: Number of the advisory lock that keeps two runs from working at once.
_LOCK = 0x6A6D6D63

#: Rows of JSDC that no star is as yet, or not as they say. A star may have its proper motion from
#: another data set, where JSDC tells none.
_INCOMING = """
  CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
  SELECT j.jsdc_id, j.name, j.name_key, j.ra, j.dec, j.pm_ra, j.pm_dec, NULL::integer AS star_id
  FROM (
    SELECT star_id AS jsdc_id, COALESCE(name, 'JSDC ' || star_id) AS name,
      COALESCE(name_key, 'jsdc ' || star_id) AS name_key, ra, dec, pm_ra, pm_dec
    FROM jsdc.star WHERE ra IS NOT NULL AND dec IS NOT NULL) AS j
  LEFT JOIN jmmc.star AS s ON s.jsdc_id = j.jsdc_id
  WHERE s.star_id IS NULL OR s.star_name <> j.name OR s.s_ra <> j.ra OR s.s_dec <> j.dec
    OR j.pm_ra IS NOT NULL AND s.pm_ra IS DISTINCT FROM j.pm_ra
    OR j.pm_dec IS NOT NULL AND s.pm_dec IS DISTINCT FROM j.pm_dec"""
_RELEASE = """
  UPDATE jmmc.star AS s SET jsdc_id = NULL
  WHERE s.jsdc_id IS NOT NULL AND (EXISTS (SELECT 1 FROM incoming AS i WHERE i.jsdc_id = s.jsdc_id)
    OR NOT EXISTS (SELECT 1 FROM jsdc.star AS j WHERE j.star_id = s.jsdc_id))"""
#: Stars that are there by the same name, within a minute.
_CLAIM = """
  UPDATE incoming AS i SET star_id = f.star_id
  FROM (
    SELECT DISTINCT ON (star_id) star_id, jsdc_id FROM (
      SELECT DISTINCT ON (n.jsdc_id) n.jsdc_id, s.star_id
      FROM incoming AS n JOIN jmmc.star AS s ON s.name_key = n.name_key AND s.jsdc_id IS NULL
      WHERE (spoint(radians(s.s_ra), radians(s.s_dec)) <-> spoint(radians(n.ra), radians(n.dec)))
        < radians(60 / 3600.0)
      ORDER BY n.jsdc_id,
        spoint(radians(s.s_ra), radians(s.s_dec)) <-> spoint(radians(n.ra), radians(n.dec))) AS d
    ORDER BY star_id, jsdc_id) AS f
  WHERE i.jsdc_id = f.jsdc_id"""
_UNCLAIMED = """
  SELECT i.jsdc_id, i.name, i.ra, i.dec, i.pm_ra, i.pm_dec, s.star_id
  FROM jmmc.star AS s JOIN incoming AS i
    ON spoint(radians(i.ra), radians(i.dec))
      <@ scircle(spoint(radians(s.s_ra), radians(s.s_dec)), radians(%(reach)s / 3600.0))
  WHERE s.jsdc_id IS NULL AND i.star_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM incoming AS o WHERE o.star_id = s.star_id)"""
_TAKE = """
  UPDATE jmmc.star AS s SET jsdc_id = i.jsdc_id, star_name = i.name, name_key = i.name_key,
    s_ra = i.ra, s_dec = i.dec, pm_ra = COALESCE(i.pm_ra, s.pm_ra),
    pm_dec = COALESCE(i.pm_dec, s.pm_dec)
  FROM incoming AS i WHERE i.star_id = s.star_id"""
_ADD = """
  INSERT INTO jmmc.star (star_id, star_name, name_key, s_ra, s_dec, pm_ra, pm_dec, jsdc_id,
    n_measurements, n_vlti_exposures, n_chara_exposures, n_granules)
  SELECT nextval('jmmc.star_number'), name, name_key, ra, dec, pm_ra, pm_dec, jsdc_id, 0, 0, 0, 0
  FROM incoming WHERE star_id IS NULL"""

_ENTRIES = sql.SQL("""
  CREATE TEMPORARY TABLE entry ON COMMIT DROP AS
  SELECT * FROM ({entries}) AS e
  WHERE e.s_ra BETWEEN -360 AND 360 AND e.s_dec BETWEEN -90 AND 90""")
_VANISHED = """
  WITH gone AS (
    DELETE FROM jmmc.link AS l WHERE l.data_set = %(name)s
      AND NOT EXISTS (SELECT 1 FROM entry AS e WHERE e.entry_id = l.entry_id)
    RETURNING l.star_id)
  INSERT INTO met SELECT star_id FROM gone"""
_CHANGED = """
  CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
  SELECT e.* FROM entry AS e
  LEFT JOIN jmmc.link AS l ON l.data_set = %(name)s AND l.entry_id = e.entry_id
  WHERE l.fingerprint IS DISTINCT FROM e.fingerprint"""
_NAMES = sql.SQL("""
  SELECT c.entry_id, n.alias FROM changed AS c JOIN ({names}) AS n ON n.entry_id = c.entry_id""")
_NEAR = """
  SELECT c.entry_id, s.star_id FROM changed AS c JOIN jmmc.star AS s
    ON spoint(radians(s.s_ra), radians(s.s_dec))
      <@ scircle(spoint(radians(c.s_ra), radians(c.s_dec)), radians(%(reach)s / 3600.0))"""
_STARS = """
  SELECT s.star_id, s.s_ra, s.s_dec, s.star_name, s.pm_ra, s.pm_dec, s.jsdc_id IS NOT NULL
  FROM unnest(%(numbers)s::integer[]) AS n (star_id) JOIN jmmc.star AS s USING (star_id)"""
_ALIASES = """
  SELECT a.star_id, a.alias
  FROM unnest(%(numbers)s::integer[]) AS n (star_id) JOIN jmmc.star_alias AS a USING (star_id)
  ORDER BY a.star_id, a.alias"""
_FORGET = """
  WITH old AS (
    DELETE FROM jmmc.link AS l USING changed AS c
    WHERE l.data_set = %(name)s AND l.entry_id = c.entry_id
    RETURNING l.star_id)
  INSERT INTO met SELECT star_id FROM old"""
_ALL_NAMES = sql.SQL("""
  SELECT DISTINCT l.star_id, n.alias
  FROM touched AS t
  JOIN jmmc.link AS l ON l.star_id = t.star_id AND l.data_set = %(name)s
  JOIN ({names}) AS n ON n.entry_id = l.entry_id
  WHERE n.alias <> ''
  ORDER BY l.star_id, n.alias""")
#: What has no entry any more is no star.
_ORPHANS = """
  DELETE FROM jmmc.star AS s USING touched AS t
  WHERE s.star_id = t.star_id AND s.jsdc_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM jmmc.link AS l WHERE l.star_id = s.star_id)"""


@dataclass
class Report:
    """What following the data sets has changed."""

    #: Entries that were new or had changed, rows of JSDC among them.
    entries: int = 0
    #: Entries that no star was known for before.
    new: int = 0
    stars: int = 0

    def __str__(self) -> str:
        return (
            f"{self.entries} new or changed entries, {self.new} of them of new stars;"
            f" {self.stars} stars in all"
        )


def follow(connection: Any, data_sets: Collection[str] = DATA_SETS) -> Report:
    """Brings the stars in step with data sets; the caller commits.

    Waits while another run is at work. What an instance has no tables of is left out.
    """
    report = Report()
    connection.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": _LOCK})
    connection.execute("CREATE SEQUENCE IF NOT EXISTS jmmc.star_number AS integer")
    connection.execute("CREATE TEMPORARY TABLE met (star_id integer) ON COMMIT DROP")
    present = sources.present(connection)
    followed = [source for source in present if source.name in data_sets]
    if JSDC in data_sets and sources.exists(connection, "jsdc.star"):
        report.entries = _follow_jsdc(connection)
        if report.entries:
            followed = present
    follower = _Follower(connection, report, anew=report.entries > 0)
    for source in followed:
        follower.follow(source)
    connection.execute(
        "CREATE TEMPORARY TABLE touched ON COMMIT DROP AS SELECT DISTINCT star_id FROM met"
    )
    _name(connection, present)
    for source in followed:
        connection.execute(source.summary)
    connection.execute(_ORPHANS)
    connection.execute("DROP TABLE touched, met")
    if report.entries > _MANY:
        for table in ("star", "star_alias", "link"):
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("jmmc", table)))
    [[report.stars]] = connection.query("SELECT COUNT(*) FROM jmmc.star")
    return report


def _follow_jsdc(connection: Any) -> int:
    """Makes the rows of JSDC stars; the number of those that were new or had changed."""
    with connection.cursor() as cursor:
        cursor.execute(_INCOMING)
        incoming = int(cursor.rowcount)
        cursor.execute(_RELEASE)
        released = int(cursor.rowcount)
        if incoming or released:
            # Entries are to find their stars anew; what has none any more will go.
            cursor.execute("UPDATE jmmc.link SET fingerprint = 0")
            cursor.execute("INSERT INTO met SELECT star_id FROM jmmc.star WHERE jsdc_id IS NULL")
            cursor.execute("ANALYZE incoming")
            cursor.execute(_CLAIM)
            _claim_by_place(connection)
            cursor.execute(_TAKE)
            cursor.execute(_ADD)
        cursor.execute("DROP TABLE incoming")
    return max(incoming, released)


def _claim_by_place(connection: Any) -> None:
    """Gives rows of JSDC the stars that other data sets have made of them, each one only once."""
    near = list(connection.query(_UNCLAIMED, {"reach": REACH}))
    stars, _ = _load(connection, {row[-1] for row in near})
    entries: dict[int, tuple[Entry, list[Star]]] = {}
    for number, name, ra, dec, pm_ra, pm_dec, star_id in near:
        entry = Entry(number, ra, dec, (name,), pm_ra, pm_dec)
        entries.setdefault(number, (entry, []))[1].append(stars[star_id])
    found = [(number, match) for number, (entry, candidates) in entries.items()
             if (match := choose(entry, candidates)) is not None]  # fmt: skip
    found.sort(key=lambda item: (item[1].by != BY_NAME, item[1].separation, item[0]))
    taken: dict[int, int] = {}
    for number, match in found:
        taken.setdefault(match.star.number, number)
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "UPDATE incoming AS i SET star_id = v.star_id FROM (VALUES %s) AS v (star_id, jsdc_id)"
            " WHERE i.jsdc_id = v.jsdc_id",
            list(taken.items()),
        )


def _load(connection: Any, numbers: Collection[int]) -> tuple[dict[int, Star], set[int]]:
    """Stars with all their names, that of the table first; and which of them JSDC has."""
    wanted = {"numbers": list(numbers)}
    stars, in_jsdc = {}, set()
    for star_id, ra, dec, name, pm_ra, pm_dec, known in connection.query(_STARS, wanted):
        stars[star_id] = Star(star_id, ra, dec, [name], pm_ra, pm_dec)
        if known:
            in_jsdc.add(star_id)
    for star_id, alias in connection.query(_ALIASES, wanted):
        if alias not in stars[star_id].names:
            stars[star_id].names.append(alias)
    return stars, in_jsdc


class _Follower:
    """Finds the stars of entries that are new or have changed, or of all of them anew.

    Then no star has a name but that of JSDC until an entry tells it; and stars that JSDC does not
    have are only taken, under all their names, for what is of none of the others, so that they
    keep their numbers.
    """

    def __init__(self, connection: Any, report: Report, *, anew: bool) -> None:
        self._connection = connection
        self._report = report
        self._anew = anew
        #: Stars met so far, with what entries have told of them.
        self._stars: dict[int, Star] = {}
        #: Those of them that nothing was found to be of as yet.
        self._former: set[int] = set()
        self._new = NewStars()

    def follow(self, source: Source) -> None:
        """Links the entries of a data set."""
        connection, name = self._connection, {"name": source.name}
        connection.execute(_ENTRIES.format(entries=source.entries))
        connection.execute("ANALYZE entry")
        connection.execute(_VANISHED, name)
        connection.execute(_CHANGED, name)
        connection.execute("ANALYZE changed")
        self._link(source)
        connection.execute("DROP TABLE entry, changed")

    def _link(self, source: Source) -> None:
        connection = self._connection
        rows = list(
            connection.query(
                "SELECT entry_id, name, s_ra, s_dec, pm_ra, pm_dec, epoch, fingerprint FROM changed"
                " ORDER BY entry_id"
            )
        )
        if not rows:
            return
        known: dict[int, list[str]] = {row[0]: [row[1]] if row[1] else [] for row in rows}
        for number, alias in connection.query(_NAMES.format(names=source.names)):
            if alias and alias not in known[number]:
                known[number].append(alias)
        near = self._near()
        links, new = [], []
        for number, _, ra, dec, pm_ra, pm_dec, epoch, fingerprint in rows:
            entry = Entry(number, ra, dec, tuple(known[number]), pm_ra, pm_dec, epoch)
            match = self._choose(entry, near.get(number, []))
            if match is None:
                star = self._found(entry, f"{source.name} {number}")
                new.append(star)
                link = (source.name, number, star.number, 0.0, "new", fingerprint)
            else:
                match.star.learn(entry)
                link = (
                    source.name, number, match.star.number, match.separation, match.by,
                    fingerprint,
                )  # fmt: skip
            links.append(link)
        connection.execute(_FORGET, {"name": source.name})
        with connection.cursor() as cursor:
            execute_values(
                cursor,
                "INSERT INTO jmmc.star (star_id, star_name, name_key, s_ra, s_dec, pm_ra, pm_dec,"
                " n_measurements, n_vlti_exposures, n_chara_exposures, n_granules) VALUES %s",
                [
                    (
                        star.number, star.names[0], _key(star.names[0]), star.ra, star.dec,
                        star.pm_ra, star.pm_dec, 0, 0, 0, 0,
                    )
                    for star in new
                ],
            )  # fmt: skip
            execute_values(
                cursor,
                "INSERT INTO jmmc.link (data_set, entry_id, star_id, separation, matched_by,"
                " fingerprint) VALUES %s",
                links,
            )
            execute_values(cursor, "INSERT INTO met VALUES %s", [(link[2],) for link in links])
            moving = [
                (star.number, star.pm_ra, star.pm_dec)
                for star in {link[2]: self._stars[link[2]] for link in links}.values()
                if star.pm_ra is not None and star.pm_dec is not None
            ]
            execute_values(
                cursor,
                "UPDATE jmmc.star AS s SET pm_ra = v.pm_ra, pm_dec = v.pm_dec"
                " FROM (VALUES %s) AS v (star_id, pm_ra, pm_dec)"
                " WHERE s.star_id = v.star_id AND s.pm_ra IS NULL",
                moving,
            )
        self._report.entries += len(rows)
        self._report.new += len(new)

    def _near(self) -> dict[int, list[Star]]:
        """Stars around each entry that has changed, but for those that this run has made."""
        rows = list(self._connection.query(_NEAR, {"reach": REACH}))
        stars, in_jsdc = _load(self._connection, {row[1] for row in rows} - self._stars.keys())
        self._stars.update(stars)
        if self._anew:
            for star_id in in_jsdc:
                del stars[star_id].names[1:]
            self._former |= stars.keys() - in_jsdc
        made = {star.number for star in self._new}
        found: dict[int, list[Star]] = {}
        for number, star_id in rows:
            if star_id not in made:
                found.setdefault(number, []).append(self._stars[star_id])
        return found

    def _choose(self, entry: Entry, near: Sequence[Star]) -> Match | None:
        living = [star for star in near if star.number not in self._former]
        match = choose(entry, [*living, *self._new.around(entry)])
        if match is None and self._former:
            match = choose(entry, [star for star in near if star.number in self._former])
            if match is not None:
                self._former.remove(match.star.number)
        return match

    def _found(self, entry: Entry, nameless: str) -> Star:
        """A star that no data set had before."""
        [[number]] = self._connection.query("SELECT nextval('jmmc.star_number')")
        called = list(entry.names) or [nameless]
        star = Star(number, entry.ra % 360, entry.dec, called, entry.pm_ra, entry.pm_dec)
        self._new.add(star)
        self._stars[number] = star
        return star


def _name(connection: Any, present: Iterable[Source]) -> None:
    """Writes the names of the stars that were touched anew.

    A star that JSDC does not have is called by a name of an entry that it still has.
    """
    found: dict[tuple[int, str], str] = {}
    for source in present:
        statement = _ALL_NAMES.format(names=source.names)
        for star_id, alias in connection.query(statement, {"name": source.name}):
            found.setdefault((star_id, alias), _key(alias))
    connection.execute("DELETE FROM jmmc.star_alias WHERE star_id IN (SELECT star_id FROM touched)")
    first: dict[int, tuple[str, str]] = {}
    keys: dict[int, set[str]] = {}
    for (star_id, alias), key in found.items():
        first.setdefault(star_id, (alias, key))
        keys.setdefault(star_id, set()).add(key)
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO jmmc.star_alias (star_id, alias, alias_key) VALUES %s",
            [(star_id, alias, key) for (star_id, alias), key in found.items()],
        )
        renamed = [
            (star_id, *first[star_id])
            for star_id, key in connection.query(
                "SELECT s.star_id, s.name_key FROM touched AS t"
                " JOIN jmmc.star AS s USING (star_id) WHERE s.jsdc_id IS NULL"
            )
            if star_id in first and key not in keys[star_id]
        ]
        execute_values(
            cursor,
            "UPDATE jmmc.star AS s SET star_name = v.name, name_key = v.key"
            " FROM (VALUES %s) AS v (star_id, name, key) WHERE s.star_id = v.star_id",
            renamed,
        )


def _key(name: str) -> str:
    return names.key(name) or name
