"""Which star an entry of a catalogue or log is of: by position and proper motion, and by names.

An entry is of the star that has a name in common with it, however that is spelled, within
``SAME_NAME``; else of the nearest one within ``SAME_PLACE``, unless a name of the entry tells it
apart from the star: another number of one catalogue, another component (``names.differ``).

Positions of entries may be of their epoch or of J2000, which many files do not say: for a star that
is known to move, the nearer one of both counts.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ingest import geometry
from ingest.names import Name, differ, parse

#: Distances in arcsec.
SAME_PLACE = 5.0
#: For names that only one star has. Positions in the headers of logs are up to 12 arcsec off, those
#: of fast stars a minute.
SAME_NAME = 60.0
#: Farther than this no star is looked for: what the fastest one does in 30 years, and a little.
REACH = 360.0

BY_NAME, BY_POSITION = "name", "position"


@dataclass(frozen=True)
class Entry:
    """Something that a data set has: degrees (ICRS), names, epoch in years (None: J2000)."""

    number: int
    ra: float
    dec: float
    names: tuple[str, ...]
    pm_ra: float | None = None
    pm_dec: float | None = None
    epoch: float | None = None

    @cached_property
    def parsed(self) -> tuple[Name, ...]:
        """What the names say, without those that name nothing."""
        return tuple(name for name in map(parse, self.names) if name is not None)


@dataclass
class Star:
    """A star: degrees (ICRS, epoch J2000), proper motion in mas/yr, in RA times cos(dec)."""

    number: int
    ra: float
    dec: float
    names: list[str] = field(default_factory=list)
    pm_ra: float | None = None
    pm_dec: float | None = None

    def learn(self, entry: Entry) -> None:
        """Takes over names that are new, and the proper motion where it was not known."""
        self.names.extend(name for name in entry.names if name not in self.names)
        if self.pm_ra is None or self.pm_dec is None:
            self.pm_ra, self.pm_dec = entry.pm_ra, entry.pm_dec


@dataclass(frozen=True)
class Match:
    """The star that an entry is of, how far away (arcsec), and what has decided."""

    star: Star
    separation: float
    by: str


def choose(entry: Entry, stars: Iterable[Star]) -> Match | None:
    """The one of some stars that an entry is of; None when it is of none of them."""
    near = [(separation(entry, star), star.number, star) for star in stars]
    near.sort(key=lambda found: found[:2])
    keys = {name.key: name.universal for name in entry.parsed}
    for distance, _, star in near:
        if distance <= SAME_NAME:
            shared = [keys[name.key] for name in _parsed(star) if name.key in keys]
            if shared and (any(shared) or distance <= SAME_PLACE):
                return Match(star, distance, BY_NAME)
    for distance, _, star in near:
        if distance <= SAME_PLACE and not any(
            differ(one, other) for one in entry.parsed for other in _parsed(star)
        ):
            return Match(star, distance, BY_POSITION)
    return None


def separation(entry: Entry, star: Star) -> float:
    """Distance in arcsec: from the star at J2000, or from where it was at the entry's epoch."""
    found = geometry.separation(entry.ra, entry.dec, star.ra, star.dec)
    pm_ra, pm_dec = star.pm_ra, star.pm_dec
    if entry.epoch is not None and pm_ra is not None and pm_dec is not None:
        years = entry.epoch - 2000
        dec = star.dec + pm_dec * years / 3.6e6
        cosine = max(math.cos(math.radians(star.dec)), 1e-9)
        ra = star.ra + pm_ra * years / 3.6e6 / cosine
        if abs(dec) <= 90:
            found = min(found, geometry.separation(entry.ra, entry.dec, ra, dec))
    return found


class NewStars:
    """Stars that entries have turned out to be which no catalogue had, found by position."""

    def __init__(self) -> None:
        self._stars: list[tuple[float, int, Star]] = []

    def __iter__(self) -> Iterator[Star]:
        return (star for _, _, star in self._stars)

    def __len__(self) -> int:
        return len(self._stars)

    def add(self, star: Star) -> None:
        """Adds one."""
        bisect.insort(self._stars, (star.dec, star.number, star), key=lambda item: item[:2])

    def around(self, entry: Entry) -> Sequence[Star]:
        """Those within REACH."""
        reach = REACH / 3600
        low = bisect.bisect_left(self._stars, entry.dec - reach, key=lambda item: item[0])
        high = bisect.bisect_right(self._stars, entry.dec + reach, key=lambda item: item[0])
        return [
            star
            for _, _, star in self._stars[low:high]
            if geometry.separation(entry.ra, entry.dec, star.ra, star.dec) <= REACH
        ]


def _parsed(star: Star) -> Iterator[Name]:
    return (name for name in map(parse, star.names) if name is not None)
