"""What became of each row of JMDC from release to release.

Rows of JMDC have no number. That a row of one release is that of the release before, with other
values perhaps, is told by what both say: all of it, or star and publication, or either of them with
the same diameters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from ingest import names
from ingest.jmdc import COLUMNS, Measurement


@dataclass(slots=True)
class Version:
    """What releases say of a measurement, from the first to the last of them, by their numbers."""

    measurement: Measurement
    first: int
    last: int


@dataclass(slots=True)
class Entry:
    """A measurement, in all its versions."""

    versions: list[Version] = field(default_factory=list)


def trace(releases: Sequence[Sequence[Measurement]]) -> list[Entry]:
    """The measurements of releases (in the order of their dates), in the order they came up.

    Each row of a release is one version of one entry; an entry has at most one version in a
    release. A row that was left out in between is a new entry.
    """
    entries: list[Entry] = []
    before: list[Entry] = []
    for number, rows in enumerate(releases):
        last = [entry.versions[-1].measurement for entry in before]
        now: list[Entry] = []
        for row, origin in zip(rows, link(last, rows), strict=True):
            if origin is None:
                entry = Entry()
                entries.append(entry)
            else:
                entry = before[origin]
            if origin is not None and entry.versions[-1].measurement == row:
                entry.versions[-1].last = number
            else:
                entry.versions.append(Version(row, number, number))
            now.append(entry)
        before = now
    return entries


def link(before: Sequence[Measurement], after: Sequence[Measurement]) -> list[int | None]:
    """For each row of a release the number of the row before that it continues, None for a new one.

    No two rows continue the same one.
    """
    found: list[int | None] = [None] * len(after)
    free = set(range(len(before)))
    for kind in _KINDS:
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for number in sorted(free):
            if (same := kind(before[number])) is not None:
                groups[same].append(number)
        open_rows: dict[Hashable, list[int]] = defaultdict(list)
        for number, row in enumerate(after):
            if found[number] is None and (same := kind(row)) in groups:
                open_rows[same].append(number)
        for same, rows in open_rows.items():
            for row_number, origin in _pair(before, after, groups[same], rows):
                found[row_number] = origin
                free.discard(origin)
    return found


def _pair(
    before: Sequence[Measurement],
    after: Sequence[Measurement],
    origins: list[int],
    rows: list[int],
) -> list[tuple[int, int]]:
    """Pairs rows with what they continue, those most alike first."""
    likeness = sorted(
        (-_alike(before[origin], after[row]), row, origin) for row in rows for origin in origins
    )
    lonely = len(origins) == len(rows) == 1
    pairs: list[tuple[int, int]] = []
    used_rows: set[int] = set()
    used_origins: set[int] = set()
    for _, row, origin in likeness:
        if row in used_rows or origin in used_origins:
            continue
        one, other = before[origin], after[row]
        if lonely or one == other or _share_diameter(one, other):
            pairs.append((row, origin))
            used_rows.add(row)
            used_origins.add(origin)
    return pairs


def _alike(one: Measurement, other: Measurement) -> int:
    return sum(getattr(one, column) == getattr(other, column) for column in COLUMNS)


def _share_diameter(one: Measurement, other: Measurement) -> bool:
    return (one.ud_diam is not None and one.ud_diam == other.ud_diam) or (
        one.ld_diam is not None and one.ld_diam == other.ld_diam
    )


def _star(row: Measurement) -> str:
    return names.key(row.id1) or row.id1


def _diameters(row: Measurement) -> Hashable:
    return row.ud_diam, row.ld_diam, row.e_ld_diam


#: What rows that are the same have in common, the surest first.
_KINDS: tuple[Callable[[Measurement], Hashable | None], ...] = (
    lambda row: row,
    lambda row: (_star(row), row.bibcode, row.band, _diameters(row)),
    lambda row: (_star(row), row.bibcode),
    lambda row: (row.bibcode, _diameters(row)),
    lambda row: (_star(row), _diameters(row)),
)
