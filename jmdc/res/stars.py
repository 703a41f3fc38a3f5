"""The stars of JMDC: their numbers, names and positions.

A star is given its number when one of its identifiers (ID1) is first met, and keeps it. Where it is
comes from what is at hand: a file of JMDC with coordinates, the list of fast stars, the tables of
JSDC, ObsPortal and OiDB in this data centre, and a name resolver when its address is in
JMMC_RESOLVER, such as ``ingest.sesame.CDS``; its answers are kept in the instance. Stars that turn
out to be at one place are one, unless their names tell them apart.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ingest import geometry, jmdc_stars, names, sesame
from ingest.jmdc import Measurement
from ingest.jmdc_rules import Expected
from ingest.resolve import FastStars, Place, Remembered
from jmdc.res import store

#: Stars nearer than this to each other (arcsec) are one; nearer than that one is told of.
_SAME_PLACE = 2.0
_CLOSE = 5.0

#: How other data sets are asked for stars by the keys of their names.
_TABLES = {
    "jsdc": (
        "SELECT DISTINCT ON (name_key) name_key, ra, dec, pm_ra, pm_dec FROM jsdc.star"
        " WHERE name_key = ANY(%(keys)s) ORDER BY name_key, star_id"
    ),
    "obsportal": (
        "SELECT DISTINCT ON (a.alias_key) a.alias_key, t.s_ra, t.s_dec, t.pm_ra, t.pm_dec"
        " FROM obsportal.target_alias AS a JOIN obsportal.target AS t USING (target_id)"
        " WHERE a.alias_key = ANY(%(keys)s) AND t.merged_into IS NULL"
        " ORDER BY a.alias_key, a.n_exposures DESC, t.target_id"
    ),
}
_OIDB = (
    "SELECT target_name, AVG(s_ra), AVG(s_dec) FROM oidb.granule WHERE s_ra IS NOT NULL"
    " GROUP BY target_name HAVING MAX(s_dec) - MIN(s_dec) < 0.003 AND MAX(s_ra) - MIN(s_ra) < 0.003"
)


@dataclass
class Star:
    """A star; fields as in the table."""

    star_id: int
    place: Place | None = None
    position_source: str | None = None
    merged_into: int | None = None
    #: Its identifiers (ID1), with how many versions go by them, and its names in publications.
    identifiers: Counter[str] = field(default_factory=Counter)
    others: set[str] = field(default_factory=set)
    #: What other catalogues may know it by, the surest first.
    keys: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The identifier that is used most."""
        return min(self.identifiers, key=lambda name: (-self.identifiers[name], name))


class Stars:
    """All stars, in memory."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._stars: dict[int, Star] = {}
        self._by_key: dict[str, int] = {}
        for row in store.read(connection, "star"):
            place = None
            if row["s_ra"] is not None:
                place = Place(row["s_ra"], row["s_dec"], row["pm_ra"], row["pm_dec"])
            star = Star(row["star_id"], place, row["position_source"], row["merged_into"])
            self._stars[star.star_id] = star
        for row in store.read(connection, "star_alias"):
            star = self._stars[row["star_id"]]
            if row["is_identifier"]:
                star.identifiers[row["alias"]] = 0
                self._by_key[jmdc_stars.key(row["alias"])] = star.star_id
            else:
                star.others.add(row["alias"])

    def identify(self, measurements: Iterable[Measurement], current: Sequence[Measurement]) -> None:
        """Knows the names of measurements; new identifiers are new stars.

        Of the names in publications those of ``current`` measurements count: some were wrong.
        """
        for star in self._stars.values():
            star.identifiers = Counter(dict.fromkeys(star.identifiers, 0))
            star.others = set()
        for measurement in measurements:
            key = jmdc_stars.key(measurement.id1)
            if key not in self._by_key:
                number = max(self._stars, default=0) + 1
                self._stars[number] = Star(number)
                self._by_key[key] = number
            star = self._stars[self._by_key[key]]
            star.identifiers[measurement.id1] += 1
        for measurement in current:
            if measurement.id2 is not None:
                self._stars[self.star_id(measurement)].others.add(measurement.id2)

    def star_id(self, measurement: Measurement) -> int:
        """Number of the star that a measurement is of, which ``identify`` has seen."""
        return self._by_key[jmdc_stars.key(measurement.id1)]

    def find(self, name: str) -> int | None:
        """Number of the star that goes by a name, if there is one."""
        return self._by_key.get(jmdc_stars.key(name))

    # ------------------------------------------------------------ positions

    def resolve(
        self, places: Mapping[str, Place], *, ask: bool, only: Collection[int] | None = None
    ) -> int:
        """Looks for positions of stars that have none; how many were found.

        ``places`` are positions by identifier from a file; ``ask`` allows to ask the resolver;
        ``only`` are the numbers of the stars that are looked for, if not all are.
        """
        sought = [s for s in self._unresolved() if only is None or s.star_id in only]
        self._find_keys(sought)
        self._take(sought, "file", {jmdc_stars.key(name): p for name, p in places.items()})
        fast = FastStars()
        self._take(sought, "fast", {key: fast.resolve(key) for key in _keys(sought)})
        for source, query in _TABLES.items():
            self._take(sought, source, self._ask_table(query, _keys(sought)))
        if _placeless(sought):
            self._take(sought, "oidb", self._ask_oidb())
        if ask and (resolver := _resolver()) is not None:
            for star in _placeless(sought):
                for name in (*star.identifiers, *star.others):
                    if jmdc_stars.key(name) not in star.keys:
                        continue
                    if (place := resolver.resolve(name)) is not None:
                        star.place, star.position_source = place, "resolver"
                        break
        self._merge()
        return len(sought) - len(_placeless(sought))

    @property
    def unresolved(self) -> int:
        """How many stars have no position."""
        return len(self._unresolved())

    def _unresolved(self) -> list[Star]:
        return [s for s in self._stars.values() if s.place is None and s.merged_into is None]

    def _find_keys(self, stars: list[Star]) -> None:
        """What other catalogues may know stars by: no name that two stars of JMDC go by."""
        known = {
            star.star_id: jmdc_stars.search_keys(star.identifiers, star.others)
            for star in self._stars.values()
        }
        used = Counter(key for keys in known.values() for key in keys)
        for star in stars:
            own = {jmdc_stars.key(name) for name in star.identifiers}
            star.keys = [key for key in known[star.star_id] if key in own or used[key] == 1]

    def _take(self, stars: Sequence[Star], source: str, known: Mapping[str, Place | None]) -> None:
        for star in _placeless(stars):
            place = next((found for k in star.keys if (found := known.get(k)) is not None), None)
            if place is not None:
                star.place, star.position_source = place, source

    def _ask_table(self, query: str, keys: Sequence[str]) -> dict[str, Place | None]:
        return {
            key: Place(ra, dec, pm_ra, pm_dec)
            for key, ra, dec, pm_ra, pm_dec in self._connection.query(query, {"keys": keys})
        }

    def _ask_oidb(self) -> dict[str, Place | None]:
        found = self._connection.query(_OIDB)
        return {k: Place(ra, dec) for name, ra, dec in found if (k := names.key(name or ""))}

    def _pairs(self, within: float) -> list[tuple[Star, Star, float]]:
        """Stars within some arcseconds of each other, the one with the lower number first."""
        placed = [s for s in self._stars.values() if s.place is not None and s.merged_into is None]
        placed.sort(key=lambda star: star.place.dec if star.place else 0)
        found = []
        for number, one in enumerate(placed):
            assert one.place is not None
            for other in placed[number + 1 :]:
                assert other.place is not None
                if (other.place.dec - one.place.dec) * 3600 > within:
                    break
                distance = geometry.separation(
                    one.place.ra, one.place.dec, other.place.ra, other.place.dec
                )
                if distance <= within:
                    first, second = sorted((one, other), key=lambda star: star.star_id)
                    found.append((first, second, distance))
        return sorted(found, key=lambda pair: (pair[2], pair[0].star_id, pair[1].star_id))

    def _merge(self) -> None:
        for one, other, _ in self._pairs(_SAME_PLACE):
            if one.merged_into is not None or other.merged_into is not None:
                continue
            if not jmdc_stars.may_be_one(one.identifiers, other.identifiers):
                continue
            for name, number in other.identifiers.items():
                one.identifiers[name] = number
                self._by_key[jmdc_stars.key(name)] = one.star_id
            one.others |= other.others
            other.merged_into = one.star_id
            for star in self._stars.values():
                if star.merged_into == other.star_id:
                    star.merged_into = one.star_id

    # -------------------------------------------------------------- tables

    def write(self, current: Iterable[Measurement]) -> None:
        """Stores all stars; `current` are the measurements that stand today. The caller commits."""
        number: Counter[int] = Counter()
        imprecise = set()
        for measurement in current:
            star_id = self.star_id(measurement)
            number[star_id] += 1
            if measurement.sinpe:
                imprecise.add(star_id)
        close = {star.star_id for pair in self._pairs(_CLOSE) for star in pair[:2]}
        rows, aliases = [], []
        for star in self._stars.values():
            main = self._stars[star.merged_into or star.star_id]
            flags = {"unresolved"} if main.place is None else set()
            flags |= jmdc_stars.name_flags(star.identifiers)
            flags |= {"sinpe"} if star.star_id in imprecise else set()
            flags |= {"close"} if star.star_id in close else set()
            place = main.place
            rows.append(
                {
                    "star_id": star.star_id,
                    # What was found to be another star bears its name.
                    "star_name": main.name,
                    "s_ra": place and place.ra,
                    "s_dec": place and place.dec,
                    "pm_ra": place and place.pm_ra,
                    "pm_dec": place and place.pm_dec,
                    "position_source": main.position_source,
                    "identity_flags": " ".join(sorted(flags)),
                    "n_measurements": number[star.star_id],
                    "merged_into": star.merged_into,
                }
            )
            if star.merged_into is None:
                for kind, spellings in ((1, star.identifiers), (0, star.others)):
                    aliases += [
                        {
                            "star_id": star.star_id,
                            "alias": alias,
                            "alias_key": jmdc_stars.key(alias),
                            "is_identifier": kind,
                        }
                        for alias in spellings
                    ]
        store.replace(self._connection, "star", rows, key="star_id")
        store.replace(self._connection, "star_alias", aliases)

    def expected(self) -> dict[int, Expected]:
        """What JSDC predicts of stars, by their numbers; to be called after ``write``."""
        return {
            star_id: Expected(ldd, error)
            for star_id, ldd, error in self._connection.query(
                "SELECT DISTINCT ON (s.star_id) s.star_id, j.ldd, j.e_ldd"
                " FROM jmdc.star AS s JOIN jsdc.star AS j"
                " ON spoint(RADIANS(j.ra), RADIANS(j.dec))"
                "  <@ scircle(spoint(RADIANS(s.s_ra), RADIANS(s.s_dec)), RADIANS(2.0/3600))"
                " WHERE s.s_ra IS NOT NULL AND j.ldd > 0"
                " ORDER BY s.star_id, spoint(RADIANS(j.ra), RADIANS(j.dec))"
                "  <-> spoint(RADIANS(s.s_ra), RADIANS(s.s_dec))"
            )
        }


def _placeless(stars: Iterable[Star]) -> list[Star]:
    return [star for star in stars if star.place is None]


def _keys(stars: Iterable[Star]) -> list[str]:
    """What other catalogues may know stars by that have no position."""
    return [key for star in _placeless(stars) for key in star.keys]


def _resolver() -> Remembered | None:
    address = os.environ.get("JMMC_RESOLVER")
    if not address:
        return None
    path = Path(os.environ["JMMC_ROOT"]) / "cache" / "names.json"
    path.parent.mkdir(exist_ok=True)
    return Remembered(path, partial(sesame.ask, address=address))
