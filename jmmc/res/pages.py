"""/star: what all data sets have on a star that is asked for by name, position or number.

Names are those of the data sets themselves, however they are spelled; nobody else is asked. Each
data set's part of a page comes with the ADQL query that gives the same.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql
from twisted.web import http

from ingest import names
from web import parameters, service, sessions
from web.pages import HTML, JSON, MissingError, Page, fill
from web.parameters import RefusedError, quoted

#: How long a statement may take, in s, and how many run at once.
_SECONDS = 10.0
_SESSIONS = 3
#: Distances in arcsec: within which a position means a star, and within which stars are shown.
_SAME, _NEAR = 5.0, 60.0
#: Stars that a name is suggested for, and that a list has.
_LISTED = 20
#: Age at which counts are made again, in s.
_FRESH = 300.0

_COLUMNS = """s.star_id, s.star_name, s.s_ra, s.s_dec, s.jsdc_id, s.jmdc_id, s.badcal_id,
  s.target_id, s.n_measurements, s.n_vlti_exposures, s.n_chara_exposures, s.n_granules"""

_BY_NAME = sql.SQL(f"""
  SELECT to_json(f)::text FROM (
    SELECT {_COLUMNS} FROM jmmc.star AS s WHERE s.star_id IN (
      SELECT star_id FROM jmmc.star WHERE name_key = %(key)s
      UNION SELECT star_id FROM jmmc.star_alias WHERE alias_key = %(key)s)
    ORDER BY s.n_vlti_exposures + s.n_chara_exposures + s.n_granules DESC, s.star_id
    LIMIT %(number)s) AS f""")
#: Stars with a name that begins so.
_BEGINNING = sql.SQL(f"""
  SELECT to_json(f)::text FROM (
    SELECT {_COLUMNS} FROM jmmc.star AS s WHERE s.star_id IN (
      (SELECT star_id FROM jmmc.star WHERE name_key >= %(key)s AND name_key < %(end)s
        ORDER BY name_key LIMIT %(number)s)
      UNION (SELECT star_id FROM jmmc.star_alias WHERE alias_key >= %(key)s AND alias_key < %(end)s
        ORDER BY alias_key LIMIT %(number)s))
    ORDER BY s.n_vlti_exposures + s.n_chara_exposures + s.n_granules DESC, s.name_key
    LIMIT %(number)s) AS f""")
_BY_PLACE = sql.SQL(f"""
  SELECT to_json(f)::text FROM (
    SELECT {_COLUMNS}, 3600 * degrees(spoint(radians(s.s_ra), radians(s.s_dec))
      <-> spoint(radians(%(ra)s), radians(%(dec)s))) AS separation
    FROM jmmc.star AS s
    WHERE spoint(radians(s.s_ra), radians(s.s_dec))
      <@ scircle(spoint(radians(%(ra)s), radians(%(dec)s)), radians(%(radius)s / 3600.0))
    ORDER BY separation LIMIT %(number)s) AS f""")

_STAR = sql.SQL("""
  SELECT json_build_object(
    'star', to_jsonb(s) - 'name_key',
    'names', (SELECT json_agg(a.alias ORDER BY a.alias) FROM jmmc.star_alias AS a
      WHERE a.star_id = s.star_id),
    'links', (SELECT json_agg(json_build_array(l.data_set, l.entry_id, l.separation, l.matched_by)
        ORDER BY l.data_set, l.entry_id)
      FROM jmmc.link AS l WHERE l.star_id = s.star_id AND l.data_set <> 'oidb'),
    'neighbours', (SELECT json_agg(json_build_array(n.star_id, n.star_name, n.separation)
        ORDER BY n.separation)
      FROM (SELECT o.star_id, o.star_name, 3600 * degrees(
            spoint(radians(o.s_ra), radians(o.s_dec))
            <-> spoint(radians(s.s_ra), radians(s.s_dec))) AS separation
          FROM jmmc.star AS o
          WHERE spoint(radians(o.s_ra), radians(o.s_dec))
            <@ scircle(spoint(radians(s.s_ra), radians(s.s_dec)), radians(%(near)s / 3600.0))
            AND o.star_id <> s.star_id
          ORDER BY separation LIMIT 20) AS n))::text
  FROM jmmc.star AS s WHERE s.star_id = %(star_id)s""")


@dataclass(frozen=True)
class Part:
    """What a data set has on a star: a statement that gives JSON, and the ADQL for the same."""

    name: str
    table: str
    statement: sql.SQL
    adql: str


_PARTS = (
    Part(
        "jsdc",
        "jsdc.star",
        sql.SQL("""
          SELECT (to_jsonb(j) - 'name_key')::text FROM jmmc.star AS s
          JOIN jsdc.star AS j ON j.star_id = s.jsdc_id WHERE s.star_id = %(star_id)s"""),
        "SELECT j.* FROM jsdc.star AS j JOIN jmmc.star AS s ON s.jsdc_id=j.star_id"
        " WHERE s.star_id={}",
    ),
    Part(
        "jmdc",
        "jmdc.measurement",
        sql.SQL("""
          SELECT json_agg(json_build_object('star_id', m.star_id,
              'measurement_id', m.measurement_id, 'ud', m.corrected_ud_diam,
              'ld', m.corrected_ld_diam, 'e', m.corrected_e_ld_diam, 'band', m.band,
              'wavelength_min', m.wavelength_min, 'wavelength_max', m.wavelength_max,
              'method', m.method, 'bibcode', m.bibcode, 'quality_flags', m.quality_flags)
            ORDER BY m.wavelength_min, m.bibcode)::text
          FROM jmmc.link AS l JOIN jmdc.measurement AS m ON m.star_id = l.entry_id
          WHERE l.data_set = 'jmdc' AND l.star_id = %(star_id)s"""),
        "SELECT m.* FROM jmdc.measurement AS m JOIN jmmc.link AS l"
        " ON l.entry_id=m.star_id AND l.data_set='jmdc' WHERE l.star_id={}",
    ),
    Part(
        "badcal",
        "badcal.star",
        sql.SQL("""
          SELECT json_agg(json_build_object('badcal_id', b.badcal_id, 'name', b.name,
              'state', b.state, 'reason_classes', b.reason_classes, 'n_reports', b.n_reports)
            ORDER BY b.state, b.badcal_id)::text
          FROM jmmc.link AS l JOIN badcal.star AS b ON b.badcal_id = l.entry_id
          WHERE l.data_set = 'badcal' AND l.star_id = %(star_id)s"""),
        "SELECT b.* FROM badcal.star AS b JOIN jmmc.link AS l"
        " ON l.entry_id=b.badcal_id AND l.data_set='badcal' WHERE l.star_id={}",
    ),
    Part(
        "obsportal",
        "obsportal.exposure",
        sql.SQL("""
          SELECT json_build_object(
            'targets', (SELECT json_agg(json_build_array(t.target_id, t.target_name, t.n_exposures)
                ORDER BY t.n_exposures DESC)
              FROM jmmc.link AS l JOIN obsportal.target AS t ON t.target_id = l.entry_id
              WHERE l.data_set = 'obsportal' AND l.star_id = %(star_id)s),
            'instruments', (SELECT json_agg(to_json(g) ORDER BY g.facility, g.n DESC) FROM (
              SELECT e.facility_name AS facility, e.instrument_name AS instrument, COUNT(*) AS n,
                COUNT(DISTINCT e.night) AS nights, MIN(e.night) AS first, MAX(e.night) AS last
              FROM jmmc.link AS l JOIN obsportal.exposure AS e ON e.target_id = l.entry_id
              WHERE l.data_set = 'obsportal' AND l.star_id = %(star_id)s AND e.on_sky = 1
              GROUP BY e.facility_name, e.instrument_name) AS g))::text"""),
        "SELECT e.* FROM obsportal.exposure AS e JOIN jmmc.link AS l"
        " ON l.entry_id=e.target_id AND l.data_set='obsportal'"
        " WHERE l.star_id={} AND e.on_sky=1 ORDER BY e.t_min",
    ),
    Part(
        "oidb",
        "oidb.granule",
        sql.SQL("""
          SELECT json_agg(to_json(g) ORDER BY g.facility, g.n DESC)::text FROM (
            SELECT g.facility_name AS facility, g.instrument_name AS instrument, COUNT(*) AS n,
              COUNT(DISTINCT g.night) AS nights, MIN(g.night) AS first, MAX(g.night) AS last,
              MAX(g.uv_distance_max) AS longest
            FROM jmmc.link AS l JOIN oidb.granule AS g ON g.granule_id = l.entry_id
            WHERE l.data_set = 'oidb' AND l.star_id = %(star_id)s
            GROUP BY g.facility_name, g.instrument_name) AS g"""),
        "SELECT g.* FROM oidb.granule AS g JOIN jmmc.link AS l"
        " ON l.entry_id=g.granule_id AND l.data_set='oidb' WHERE l.star_id={} ORDER BY g.t_min",
    ),
)

#: Publications by what they are cited for; JMDC has bibcodes made of dots, which are none.
_PUBLICATIONS = {
    "jmdc.measurement": sql.SQL("""
      SELECT m.bibcode, 'diameter' AS kind FROM jmmc.link AS l
      JOIN jmdc.measurement AS m ON m.star_id = l.entry_id
      WHERE l.data_set = 'jmdc' AND l.star_id = %(star_id)s
        AND m.bibcode ~ '^[12][0-9]{3}[A-Za-z][!-~]{14}$'"""),
    "oidb.granule": sql.SQL("""
      SELECT g.bib_reference AS bibcode, 'data' AS kind FROM jmmc.link AS l
      JOIN oidb.granule AS g ON g.granule_id = l.entry_id
      WHERE l.data_set = 'oidb' AND l.star_id = %(star_id)s
        AND g.bib_reference ~ '^[12][0-9]{3}[A-Za-z][!-~]{14}$'"""),
}
_LIST = sql.SQL("""
  SELECT json_agg(json_build_array(q.bibcode, q.kinds, {title}) ORDER BY q.bibcode DESC)::text
  FROM (
    SELECT bibcode, json_agg(DISTINCT kind) AS kinds FROM ({union}) AS p GROUP BY bibcode) AS q""")
#: Olbin knows what they are called.
_OLBIN = "olbin.publication"
_TITLE = sql.SQL("(SELECT o.title FROM olbin.publication AS o WHERE o.bibcode = q.bibcode)")

#: What there is in all, by data set: the name of each number, and how it is counted.
_COUNTS = {
    "jmmc.star": {"stars": "SELECT COUNT(*) FROM jmmc.star"},
    "jsdc.star": {
        "jsdc_stars": "SELECT COUNT(*) FROM jsdc.star",
        "jsdc_version": "SELECT MAX(version) FROM jsdc.star",
    },
    "jmdc.measurement": {
        "measurements": "SELECT COUNT(*) FROM jmdc.measurement",
        "measured_stars": "SELECT COUNT(*) FROM jmdc.star WHERE n_measurements > 0",
    },
    "badcal.star": {
        "bad_calibrators": "SELECT COUNT(*) FROM badcal.star WHERE state = 'accepted'",
        "bad_candidates": "SELECT COUNT(*) FROM badcal.star WHERE state = 'candidate'",
    },
}


class StarPage(Page):
    """/star?name=… and /star/NUMBER, with .json behind star or the number; /star/counts.json."""

    def __init__(self, as_json: bool = False) -> None:
        super().__init__()
        self._as_json = as_json
        self._sessions = sessions.Sessions(_SESSIONS, _SECONDS)
        self._present: set[str] = set()
        self._counts: tuple[float, str] = (0.0, "")

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """The page or the JSON."""
        if path == "counts.json":
            return JSON, (await self._counted()).encode()
        number = path.removesuffix(".json")
        as_json = self._as_json or number != path
        if path:
            if not (number.isascii() and number.isdigit() and len(number) < 10):
                raise MissingError(f"There is no page star/{path}.")
            found = await self._star(int(number), {})
            if found is None:
                raise MissingError(f"There is no star with the number {number}.")
        else:
            found, status = await self._search(request.uri.partition(b"?")[2])
            request.setResponseCode(status)
        return (JSON, found.encode()) if as_json else (HTML, fill("star.html", found))

    async def _search(self, query: bytes) -> tuple[str, int]:
        """What there is for the parameters of an address, and the status of the answer."""
        given = parameters.values(parameters.fields(query), {"name", "ra", "dec"})
        text = given.get("name", "")
        place = parameters.circle(given, _NEAR)
        if place is None and not text:
            return json.dumps({"asked": ""}), http.OK
        try:
            place = place or parameters.position(text, _NEAR)
        except RefusedError as error:
            return json.dumps({"asked": text, "words": str(error)}), http.BAD_REQUEST
        asked = text if text or place is None else f"{place['ra']:.7g} {place['dec']:.7g}"
        found, words = await (self._at(place) if place else self._called(text))
        if not found:
            return json.dumps({"asked": asked, "words": words}), http.NOT_FOUND
        if words is None:
            star = await self._star(json.loads(found[0])["star_id"], {"asked": asked})
            if star is not None:
                return star, http.OK
        told = json.dumps({"asked": asked, "words": words})
        return f'{told[:-1]},"stars":[{",".join(found)}]}}', http.OK

    async def _called(self, text: str) -> tuple[list[str], str | None]:
        """Stars of a name, and words when it is not one that it means."""
        key = names.key(text)
        if key is None:
            return [], f"{quoted(text)} is no name of a star."
        values = {"key": key, "end": f"{key}\U0010ffff", "number": _LISTED}
        found = [row[0] for row in await self._sessions.run(_BY_NAME, values)]
        if len(found) == 1:
            return found, None
        if found:
            return found, f"{quoted(text)} is the name of {len(found)} stars."
        found = [row[0] for row in await self._sessions.run(_BEGINNING, values)]
        if found:
            return found, f"No star is called {quoted(text)}; the names of these begin so."
        return [], (
            f"No data set here has a star called {quoted(text)}. Try another of its names, or its"
            " position."
        )

    async def _at(self, place: dict[str, float]) -> tuple[list[str], str | None]:
        """Stars at a position, the nearest first, and words when it is not one that is meant."""
        found = [
            row[0] for row in await self._sessions.run(_BY_PLACE, {**place, "number": _LISTED})
        ]
        distances = [json.loads(star)["separation"] for star in found]
        here = sum(distance <= _SAME for distance in distances)
        if here == 1:
            return found[:1], None
        where = f"{place['ra']:.7g} {place['dec']:.7g}"
        if here:
            return found[:here], f"{here} stars are within {_SAME:g} arcsec of {where}."
        if found:
            return (
                found,
                f"No star is within {_SAME:g} arcsec of {where}; these are within a minute.",
            )
        return [], f"No data set here has a star within {_NEAR:g} arcsec of {where}."

    async def _star(self, star_id: int, more: dict[str, str]) -> str | None:
        """All there is on a star; None when there is none."""
        values = {"star_id": star_id, "near": _NEAR}
        rows = await self._sessions.run(_STAR, values)
        if not rows:
            return None
        await self._look()
        parts = [rows[0][0].strip().removeprefix("{").removesuffix("}")]
        queries = {}
        for part in _PARTS:
            if part.table not in self._present:
                continue
            found = await self._sessions.run(part.statement, values)
            parts.append(f'"{part.name}":{found[0][0] or "null" if found else "null"}')
            queries[part.name] = part.adql.format(star_id)
        cited = [text for table, text in _PUBLICATIONS.items() if table in self._present]
        if cited:
            union = sql.SQL(" UNION ALL ").join(cited)
            title = _TITLE if _OLBIN in self._present else sql.SQL("NULL")
            found = await self._sessions.run(_LIST.format(union=union, title=title), values)
            parts.append(f'"publications":{found[0][0] or "[]"}')
        parts += [f'"queries":{json.dumps(queries)}', *(
            f"{json.dumps(name)}:{json.dumps(value)}" for name, value in more.items()
        )]  # fmt: skip
        return "{" + ",".join(parts) + "}"

    async def _look(self) -> None:
        """Finds out which data sets there are; new ones come with a new start of the server."""
        if not self._present:
            tables = {part.table for part in _PARTS} | _COUNTS.keys() | {_OLBIN}
            rows = await self._sessions.run(
                sql.SQL("SELECT t FROM unnest(%(tables)s) AS t WHERE to_regclass(t) IS NOT NULL"),
                {"tables": sorted(tables)},
            )
            self._present = {row[0] for row in rows}

    async def _counted(self) -> str:
        made, text = self._counts
        if not text or time.monotonic() - made > _FRESH:
            await self._look()
            pairs = [
                sql.SQL("{}, ({})").format(sql.Literal(name), sql.SQL(count))
                for table, counts in _COUNTS.items()
                if table in self._present
                for name, count in counts.items()
            ]
            statement = sql.SQL("SELECT json_build_object({})::text").format(
                sql.SQL(", ").join(pairs)
            )
            text = (await self._sessions.run(statement, {}))[0][0]
            self._counts = time.monotonic(), text
        return text


def install() -> None:
    """Adds the pages to DaCHS' server, before it starts."""
    service.add({"star": StarPage(), "star.json": StarPage(as_json=True)})
