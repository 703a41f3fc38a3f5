"""Which target an exposure is of: by its names, its position and its proper motion.

A target is one object on the sky with one fixed position (ICRS, epoch J2000): that of its first
sighting, brought back to J2000 where the log tells proper motion and epoch, or the one that
``ingest.resolve`` knows. What is learnt later adds names and, once, a proper motion; it never moves
or renumbers a target. Only an operator
merges and splits targets.

Logs do not say where a star is to better than some arcseconds: telescopes of VLTI point up to
12 arcsec beside the star, by 2, 4 or 8 arcsec in right ascension most often, the epoch is rarely
told, and the fastest star moves by 10.4 arcsec a year. So

- a name decides within a wide circle (``_SAME_NAME``, ``_SAME_UNIVERSAL_NAME``);
- a name with the letter A is that of the whole, too, within ``_NEIGHBOUR``;
- where no name is known, the nearest target does, within a narrow circle (``_SAME_PLACE``), unless
  the names tell the two apart (``names.differ``);
- a sighting without a name, or a target without one, takes the nearest within ``_NAMELESS``;
- targets nearer to each other than ``_NEIGHBOUR`` are neighbours.

Within reach a name belongs to one target. Nothing here depends on how sightings are divided into
batches, and a catalogue made from its own targets goes on as the first would have.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

from ingest import geometry
from ingest.names import PRIMARY, Name, differ, parse
from ingest.resolve import FastStars, Place, Resolver

# All in arcsec.
#: Names such as "star 1" are one target's as far as telescopes and coordinates are wrong.
_SAME_NAME = 60.0
#: Names that only one star has: 30 years of the fastest proper motion besides.
_SAME_UNIVERSAL_NAME = 360.0
_SAME_PLACE = 2.0
_NO_DIFFERENCE = 0.5
_NAMELESS = 12.0
_NEIGHBOUR = 10.0

#: Proper motions above are mistakes (mas/yr); Barnard's star has 10,393.
_FASTEST = 11_000.0
#: Years when stars with known proper motion are looked for.
_FIRST_YEAR, _LAST_YEAR = 1990.0, 2050.0
#: Where stars stand closer than telescopes point, only names tell (ra, dec in deg, radius in
#: arcsec): the Galactic Centre.
_CROWDED = ((266.41684, -29.00781, 60.0),)

_ARCSEC = math.radians(1 / 3600)
#: Side of the cells that targets are sorted into: what is nearer than that is in the next cell.
_CELL = 12.0 * _ARCSEC
_J2000 = 51544.5

Vector = tuple[float, float, float]


class Sighting(Protocol):
    """What is needed of an exposure; ``ingest.exposures.Exposure`` says what the fields are."""

    @property
    def target_name(self) -> str | None: ...
    @property
    def target_names(self) -> tuple[str, ...]: ...
    @property
    def log_ra(self) -> float | None: ...
    @property
    def log_dec(self) -> float | None: ...
    @property
    def pm_ra(self) -> float | None: ...
    @property
    def pm_dec(self) -> float | None: ...
    @property
    def pos_epoch(self) -> float | None: ...
    @property
    def t_min(self) -> float | None: ...
    @property
    def on_sky(self) -> bool: ...


@dataclass(slots=True)
class Target:
    """One object on the sky."""

    target_id: int
    #: Degrees, ICRS, epoch J2000; never changed.
    ra: float
    dec: float
    #: mas/yr, in right ascension times cos dec; both or none are known.
    pm_ra: float | None = None
    pm_dec: float | None = None
    n_exposures: int = 0
    #: Names as logs have them, with the number of exposures that show them. Names that a log gives
    #: besides the one shown have 0.
    aliases: dict[str, int] = field(default_factory=dict)
    merged_into: int | None = None

    @property
    def name(self) -> str:
        """The name used most often; 'target' and the number when there is none."""
        if not self.aliases:
            return f"target {self.target_id}"
        return min(self.aliases, key=lambda alias: (-self.aliases[alias], alias))


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch of sightings, or an operator, has done to the catalogue."""

    #: New ones, and those with another name, proper motion, number of exposures or alias.
    targets: tuple[Target, ...]
    #: Numbers of those whose neighbours are to be written anew.
    relinked: tuple[int, ...]
    #: Their neighbours in both directions: target, neighbour, separation in arcsec.
    neighbours: tuple[tuple[int, int, float], ...]


class Catalogue:
    """The known targets."""

    def __init__(self, targets: Iterable[Target] = (), resolver: Resolver | None = None) -> None:
        """``resolver`` is asked for the positions of new targets that do not move fast."""
        self._fast = FastStars()
        self._resolvers: tuple[Resolver, ...] = (self._fast, *([resolver] if resolver else []))
        self._targets: dict[int, Target] = {}
        self._vectors: dict[int, Vector] = {}
        #: Targets that have a name, by its key, and what the names of a target say.
        self._owners: dict[str, list[int]] = {}
        self._names: dict[int, dict[str, Name]] = {}
        #: Targets that were merged into a target, and itself.
        self._members: dict[int, list[int]] = {}
        self._cells: dict[tuple[int, int, int], list[int]] = {}
        self._changed: set[int] = set()
        self._relinked: set[int] = set()
        self._last = 0
        for target in sorted(targets, key=lambda target: target.target_id):
            self._enter(target)
        for target in self._targets.values():
            if target.merged_into is not None:
                self._members[target.merged_into].append(target.target_id)

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, target_id: int) -> Target:
        """The target of a number; KeyError when there is none."""
        return self._targets[target_id]

    def __iter__(self) -> Iterator[Target]:
        return iter(self._targets.values())

    def position(self, target_id: int) -> tuple[float, float]:
        """Right ascension and declination (deg, ICRS, epoch J2000)."""
        target = self._targets[target_id]
        return target.ra, target.dec

    def identify(self, sighting: Sighting) -> int | None:
        """Number of the target that was seen, which may be a new one; counts the exposure.

        None for frames that saw no sky, or whose position is not known.
        """
        place = _place(sighting)
        if place is None:
            return None
        shown = sighting.target_name
        names = _names(sighting)
        crowded = _is_crowded(place)
        if crowded:
            names = dict(list(names.items())[:1])
        seen = _Seen.of(sighting, place)
        owners = {text: self._owner(name, seen) for text, name in names.items()}
        found = next((owner for owner in owners.values() if owner is not None), None)
        if found is None and not (crowded and names):
            found = self._nearest(list(names.values()), seen)
        target = self._new(names, seen) if found is None else self._targets[found]
        if target.pm_ra is None and place.pm_ra is not None:
            target.pm_ra, target.pm_dec = place.pm_ra, place.pm_dec
            self._sort_in(target)
        target.n_exposures += 1
        for text, name in names.items():
            if owners[text] in (None, target.target_id):
                self._add_name(target, text, name)
                target.aliases[text] += text == shown
        self._changed.add(target.target_id)
        return target.target_id

    def forget(self, target_id: int, alias: str | None, number: int = 1) -> None:
        """Takes back exposures of a target under a name, as they are to be identified anew."""
        target = self._targets[target_id]
        target.n_exposures = max(0, target.n_exposures - number)
        if alias is not None and alias in target.aliases:
            target.aliases[alias] = max(0, target.aliases[alias] - number)
        self._changed.add(target_id)

    def merge(self, target_id: int, other_id: int) -> None:
        """Makes ``other_id`` the same as ``target_id``, with names and exposures; ValueError.

        The row of the other stays and says so; its position goes on to be one of the target's
        when sightings are identified.
        """
        target, other = self._living(target_id), self._living(other_id)
        if target is other:
            raise ValueError(f"Target {target_id} cannot be merged into itself.")
        for alias, number in other.aliases.items():
            target.aliases[alias] = target.aliases.get(alias, 0) + number
        target.n_exposures += other.n_exposures
        other.aliases, other.n_exposures = {}, 0
        for member in self._members.pop(other_id):
            self._targets[member].merged_into = target_id
            self._members[target_id].append(member)
            self._changed.add(member)
        self._members[target_id].sort()
        self._rename(other)
        self._rename(target)
        if target.pm_ra is None and other.pm_ra is not None:
            target.pm_ra, target.pm_dec = other.pm_ra, other.pm_dec
            self._sort_in(target)
        self._relinked |= {target_id, other_id}
        self._changed.add(target_id)

    def split(self, target_id: int, aliases: Sequence[str], place: Place | None = None) -> int:
        """Takes names out of a target into a new one, whose number it returns; ValueError.

        Spellings of one name stay together. ``place`` is where the new target is, by default where
        the old one is.
        """
        target = self._living(target_id)
        keys = {alias: _key(alias) for alias in target.aliases}
        wanted = {_key(alias) for alias in aliases}
        for alias in aliases:
            if _key(alias) not in keys.values():
                raise ValueError(f"Target {target_id} is not called {alias}.")
        moved = {a: number for a, number in target.aliases.items() if keys[a] in wanted}
        if len(moved) == len(target.aliases):
            raise ValueError(f"Target {target_id} has no other name that would stay.")
        place = place or Place(target.ra, target.dec, target.pm_ra, target.pm_dec)
        new = Target(
            self._last + 1,
            place.ra,
            place.dec,
            place.pm_ra,
            place.pm_dec,
            sum(moved.values()),
            moved,
        )
        target.n_exposures -= new.n_exposures
        target.aliases = {a: n for a, n in target.aliases.items() if keys[a] not in wanted}
        self._rename(target)
        self._enter(new)
        self._changed |= {target_id, new.target_id}
        self._relinked |= {target_id, new.target_id}
        return new.target_id

    def neighbours(self, target_id: int) -> list[tuple[int, float]]:
        """Other targets within 10 arcsec with their separation (arcsec), by number."""
        target = self._targets[target_id]
        if target.merged_into is not None:
            return []
        vector = self._vectors[target_id]
        return [
            (other, separation)
            for other in sorted(self._around(vector))
            if other != target_id
            and self._targets[other].merged_into is None
            and (separation := _distance(vector, self._vectors[other])) <= _NEIGHBOUR
        ]

    def take_changes(self) -> Changes:
        """What has changed since this was last called."""
        relinked = tuple(sorted(self._relinked))
        links = {
            pair: separation
            for target_id in relinked
            for other, separation in self.neighbours(target_id)
            for pair in ((target_id, other), (other, target_id))
        }
        changes = Changes(
            tuple(self._targets[number] for number in sorted(self._changed)),
            relinked,
            tuple((one, other, separation) for (one, other), separation in sorted(links.items())),
        )
        self._changed, self._relinked = set(), set()
        return changes

    # ------------------------------------------------------------------ finding

    def _owner(self, name: Name, seen: _Seen) -> int | None:
        """The target within reach that has a name; the nearest when there are several."""
        reach = _SAME_UNIVERSAL_NAME if name.universal else _SAME_NAME
        found = self._owner_of(name.key, reach, seen)
        if found is None and name.part in PRIMARY:
            whole = name.key.removesuffix(f" {name.part}")
            for part in sorted(PRIMARY - {name.part}):
                found = found or self._owner_of(f"{whole} {part}".strip(), _NEIGHBOUR, seen)
        return found

    def _owner_of(self, key: str, reach: float, seen: _Seen) -> int | None:
        near = [
            (distance, target_id)
            for target_id in self._owners.get(key, ())
            if (distance := self._separation(target_id, seen)) <= reach
        ]
        return min(near)[1] if near else None

    def _nearest(self, names: list[Name], seen: _Seen) -> int | None:
        """The target that a sighting is of when none of its names is known; None for a new one."""
        candidates = {
            self._living_of(number) for point in seen.points for number in self._around(point)
        }
        near = [(self._separation(number, seen), number) for number in candidates]
        # Of targets that are as near as positions can tell, the one that was known first.
        near.sort(key=lambda found: (found[0] // _NO_DIFFERENCE, found[1]))
        for distance, number in near:
            if distance > _NAMELESS:
                continue
            known = self._names[number]
            if not names or not known:
                return number
            if distance <= _SAME_PLACE and not any(
                differ(name, other) for name in names for other in known.values()
            ):
                return number
        return None

    def _separation(self, target_id: int, seen: _Seen) -> float:
        """Smallest distance (arcsec) of a sighting from a target, whatever epoch may be meant."""
        target = self._targets[target_id]
        motion = target if target.pm_ra is not None else seen.place
        return min(
            distance
            for member in self._members[target_id]
            for distance in _way(self._vectors[member], motion, seen)
        )

    def _around(self, vector: Vector) -> set[int]:
        """Targets in the cell of a vector and those about it, merged ones too."""
        x, y, z = _cell(vector)
        cells = self._cells
        return {
            number
            for i in (x - 1, x, x + 1)
            for j in (y - 1, y, y + 1)
            for k in (z - 1, z, z + 1)
            if (here := cells.get((i, j, k))) is not None
            for number in here
        }

    def _living_of(self, number: int) -> int:
        into = self._targets[number].merged_into
        return number if into is None else into

    def _living(self, target_id: int) -> Target:
        target = self._targets.get(target_id)
        if target is None:
            raise ValueError(f"There is no target {target_id}.")
        if target.merged_into is not None:
            raise ValueError(f"Target {target_id} was merged into {target.merged_into}.")
        return target

    # ------------------------------------------------------------------ keeping

    def _new(self, names: dict[str, Name], seen: _Seen) -> Target:
        place = self._resolved(names, seen) or seen.at_j2000
        target = Target(self._last + 1, place.ra, place.dec, place.pm_ra, place.pm_dec)
        self._enter(target)
        self._relinked.add(target.target_id)
        return target

    def _resolved(self, names: Collection[str], seen: _Seen) -> Place | None:
        """Where a star is whose name is known, when it may be where the log has it.

        A log without names has to have a fast star where that was at the time.
        """
        for resolver in self._resolvers:
            for name in names:
                place = resolver.resolve(name)
                if place is not None:
                    vector = _vector(place.ra, place.dec)
                    if _distance(vector, seen.points[0]) <= _SAME_UNIVERSAL_NAME:
                        return place
        if names:
            return None
        near = [
            (distance, place)
            for place in self._fast
            if (distance := min(_way(_vector(place.ra, place.dec), place, seen))) <= _NAMELESS
        ]
        return min(near, key=itemgetter(0))[1] if near else None

    def _enter(self, target: Target) -> None:
        number = target.target_id
        self._targets[number] = target
        self._vectors[number] = _vector(target.ra, target.dec)
        self._names[number] = {}
        if target.merged_into is None:
            self._members[number] = [number]
        for alias in target.aliases:
            name = parse(alias)
            if name is not None:
                self._add_name(target, alias, name)
        self._sort_in(target)
        self._last = max(self._last, number)

    def _add_name(self, target: Target, alias: str, name: Name) -> None:
        target.aliases.setdefault(alias, 0)
        if name.key not in self._names[target.target_id]:
            self._names[target.target_id][name.key] = name
            self._owners.setdefault(name.key, []).append(target.target_id)

    def _rename(self, target: Target) -> None:
        """Brings what is known of names in line with the aliases of a target."""
        for known in self._names[target.target_id]:
            self._owners[known].remove(target.target_id)
        self._names[target.target_id] = {}
        for alias in target.aliases:
            name = parse(alias)
            if name is not None:
                self._add_name(target, alias, name)

    def _sort_in(self, target: Target) -> None:
        """Into the cells where sightings may find it: along its way when it has a known one."""
        vector = self._vectors[target.target_id]
        cells = {_cell(vector)}
        if target.pm_ra is not None and target.pm_dec is not None:
            way = math.hypot(target.pm_ra, target.pm_dec) / 1000 * _ARCSEC
            steps = math.ceil(way * (_LAST_YEAR - _FIRST_YEAR) / (_CELL / 4))
            for step in range(steps + 1):
                years = _FIRST_YEAR - 2000 + (_LAST_YEAR - _FIRST_YEAR) * step / max(1, steps)
                cells.add(_cell(_moved(vector, target.pm_ra, target.pm_dec, years)))
        for cell in cells:
            here = self._cells.setdefault(cell, [])
            if target.target_id not in here:
                here.append(target.target_id)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where and when something was seen."""

    place: Place
    #: The position as it is told first, then where it may be at J2000.
    points: tuple[Vector, ...]
    #: Years after J2000 that the position may be of.
    years: tuple[float, ...]
    at_j2000: Place

    @classmethod
    def of(cls, sighting: Sighting, place: Place) -> _Seen:
        if sighting.pos_epoch is not None:
            years: tuple[float, ...] = (sighting.pos_epoch - 2000,)
        elif sighting.t_min is not None:
            years = (0.0, (sighting.t_min - _J2000) / 365.25)
        else:
            years = (0.0,)
        vector = _vector(place.ra, place.dec)
        if place.pm_ra is None or place.pm_dec is None:
            return cls(place, (vector,), years, place)
        back = (_moved(vector, place.pm_ra, place.pm_dec, -past) for past in years if past)
        at_j2000 = place
        if sighting.pos_epoch is not None and sighting.pos_epoch != 2000:
            moved = geometry.moved(
                place.ra, place.dec, place.pm_ra, place.pm_dec, sighting.pos_epoch, _J2000
            )
            at_j2000 = Place(*moved, place.pm_ra, place.pm_dec)
        return cls(place, (vector, *back), years, at_j2000)


def _place(sighting: Sighting) -> Place | None:
    """Position and proper motion as the log tells them; None when it does not, or cannot mean it.

    (0, 0) is what is written where nothing is known, of motions as of positions.
    """
    ra, dec = sighting.log_ra, sighting.log_dec
    if not sighting.on_sky or ra is None or dec is None:
        return None
    if not (math.isfinite(ra) and abs(dec) <= 90) or (ra, dec) == (0, 0):
        return None
    pm_ra, pm_dec = sighting.pm_ra, sighting.pm_dec
    if pm_ra is None or pm_dec is None or not 0 < math.hypot(pm_ra, pm_dec) <= _FASTEST:
        pm_ra = pm_dec = None
    return Place(ra if 0 <= ra < 360 else ra % 360, dec, pm_ra, pm_dec)


def _names(sighting: Sighting) -> dict[str, Name]:
    """What is said by the names of a sighting that can be of one object, the one shown first."""
    found: dict[str, Name] = {}
    for text in (sighting.target_name, *sighting.target_names):
        name = None if text is None else parse(text)
        if text and name and not any(differ(name, other) for other in found.values()):
            found[text] = name
    return found


def _way(at: Vector, motion: Place | Target, seen: _Seen) -> Iterator[float]:
    """Distances (arcsec) of a sighting from a place at J2000, where that was then and at J2000."""
    yield _distance(seen.points[0], at)
    if motion.pm_ra is not None and motion.pm_dec is not None:
        for years in seen.years:
            yield _distance(seen.points[0], _moved(at, motion.pm_ra, motion.pm_dec, years))


def _key(alias: str) -> str:
    name = parse(alias)
    return alias if name is None else name.key


def _is_crowded(place: Place) -> bool:
    return any(
        abs(place.dec - dec) * 3600 <= radius
        and _distance(_vector(place.ra, place.dec), _vector(ra, dec)) <= radius
        for ra, dec, radius in _CROWDED
    )


def _vector(ra: float, dec: float) -> Vector:
    phi, theta = math.radians(ra), math.radians(dec)
    flat = math.cos(theta)
    return flat * math.cos(phi), flat * math.sin(phi), math.sin(theta)


def _moved(vector: Vector, pm_ra: float, pm_dec: float, years: float) -> Vector:
    """The vector after some years of proper motion (mas/yr), on a straight line."""
    x, y, z = vector
    flat = math.hypot(x, y) or 1e-300
    east = pm_ra / 1000 * _ARCSEC * years / flat
    north = pm_dec / 1000 * _ARCSEC * years
    return (
        x - y * east - x * z / flat * north,
        y + x * east - y * z / flat * north,
        z + flat * north,
    )


def _distance(one: Vector, other: Vector) -> float:
    """Distance in arcsec."""
    return 2 * math.asin(min(1.0, math.dist(one, other) / 2)) / _ARCSEC


def _cell(vector: Vector) -> tuple[int, int, int]:
    x, y, z = vector
    return math.floor(x / _CELL), math.floor(y / _CELL), math.floor(z / _CELL)
