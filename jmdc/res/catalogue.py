"""JMDC as the tables of q.rd hold it: every version of every measurement, and the releases.

The releases are the truth: which measurements there are, and which versions of them, is traced
through all of them anew (``ingest.jmdc_history``) whenever one is added, in whatever order they
come. What was accepted since the last release stands beside them, as versions in no release.
Everything that is judged or derived is done again for all rows at each change, so that all are
judged by the rules of today.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from gavo import base

from ingest import jmdc_history, jmdc_rules
from ingest.jmdc import BIBCODE, COLUMNS, Measurement
from ingest.jmdc_rules import Judgement
from ingest.resolve import Place
from jmdc.res import store
from jmdc.res.stars import Stars

#: What is done, on a connection, with a change of JMDC.
Follow = Callable[[Any], object]


class CatalogueError(Exception):
    """JMDC cannot be changed as asked for; the message says why."""


@dataclass
class Release:
    """A release; fields as in the table."""

    release: str
    release_date: date
    file_name: str | None = None
    checksum: str | None = None
    created: datetime = field(default_factory=store.now)


@dataclass
class Version:
    """A version of a measurement; fields as in the table."""

    measurement_id: int
    version: int
    measurement: Measurement
    release_first: str | None = None
    release_last: str | None = None
    is_current: int = 1
    username: str | None = None
    submitted: datetime | None = None
    submission_id: int | None = None
    created: datetime = field(default_factory=store.now)


class Catalogue:
    """All of JMDC, in memory; call it within ``opened``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.stars = Stars(connection)
        self._releases = [
            Release(**{name: row[name] for name in Release.__dataclass_fields__})
            for row in store.read(connection, "release")
        ]
        self.versions = [
            Version(
                measurement=Measurement(**{name: row[name] for name in COLUMNS}),
                **{n: row[n] for n in Version.__dataclass_fields__ if n != "measurement"},
            )
            for row in store.read(connection, "stored_measurement")
        ]
        last = max((version.measurement_id for version in self.versions), default=0)
        self._new_numbers = store.new_numbers(connection, "measurement_number", last)

    @property
    def releases(self) -> list[Release]:
        """All releases by their dates."""
        return sorted(self._releases, key=lambda release: release.release_date)

    def release(self, name: str) -> Release | None:
        """The release of that name, if there is one."""
        return next((found for found in self._releases if found.release == name), None)

    def current(self) -> list[Version]:
        """What stands today, in the order of numbers."""
        found = [version for version in self.versions if version.is_current]
        return sorted(found, key=lambda version: version.measurement_id)

    def in_release(self, name: str) -> list[Version]:
        """What a release holds, in the order of numbers."""
        dates = {release.release: release.release_date for release in self._releases}
        found = [
            version
            for version in self.versions
            if version.release_first is not None
            and version.release_last is not None
            and dates[version.release_first] <= dates[name] <= dates[version.release_last]
        ]
        return sorted(found, key=lambda version: version.measurement_id)

    # -------------------------------------------------------------- changes

    def put_release(self, release: Release, rows: Sequence[Measurement]) -> bool:
        """Adds a release, or replaces the one of its name; whether that changes anything."""
        for other in self._releases:
            if other.release != release.release and other.release_date == release.release_date:
                raise CatalogueError(
                    f"Release {other.release} is of {release.release_date}, too;"
                    " no two releases are of one day."
                )
        old = self.release(release.release)
        if old is not None:
            held = Counter(version.measurement for version in self.in_release(old.release))
            if old.release_date == release.release_date and held == Counter(rows):
                return False
        contents = {
            name.release: [version.measurement for version in self.in_release(name.release)]
            for name in self._releases
        }
        latest = self.releases[-1].release if self._releases else None
        if old is not None:
            self._releases.remove(old)
        self._releases.append(release)
        contents[release.release] = list(rows)
        self._trace([contents[known.release] for known in self.releases], latest)
        return True

    def accept(
        self,
        measurement: Measurement,
        measurement_id: int | None = None,
        *,
        username: str | None = None,
        submitted: datetime | None = None,
        submission_id: int | None = None,
    ) -> Version:
        """Adds a measurement, or corrects the one of that number; raises CatalogueError.

        ``username`` has handed it in at the time ``submitted``.
        """
        if measurement_id is None:
            measurement_id, number = next(self._new_numbers), 1
        else:
            standing = self.standing(measurement_id)
            if standing.measurement == measurement:
                raise CatalogueError(f"Measurement {measurement_id} says that already.")
            standing.is_current = 0
            number = max(v.version for v in self._of(measurement_id)) + 1
        version = Version(
            measurement_id,
            number,
            measurement,
            username=username,
            submitted=submitted,
            submission_id=submission_id,
        )
        self.versions.append(version)
        return version

    def withdraw(self, measurement_id: int) -> None:
        """Takes a measurement out of what stands today; raises CatalogueError."""
        self.standing(measurement_id).is_current = 0

    def freeze(self, release: Release) -> None:
        """Makes what stands today a release; raises CatalogueError."""
        if not self.current():
            raise CatalogueError("JMDC is empty; there is nothing to release.")
        if self._releases and release.release_date <= self.releases[-1].release_date:
            last = self.releases[-1]
            raise CatalogueError(
                f"The last release, {last.release}, is of {last.release_date}; a new one must be"
                " of a later day."
            )
        self._releases.append(release)
        for version in self.current():
            version.release_first = version.release_first or release.release
            version.release_last = release.release

    def _of(self, measurement_id: int) -> list[Version]:
        return [v for v in self.versions if v.measurement_id == measurement_id]

    def standing(self, measurement_id: int) -> Version:
        """What a measurement says today; raises CatalogueError."""
        found = [version for version in self._of(measurement_id) if version.is_current]
        if not found:
            raise CatalogueError(f"There is no current measurement {measurement_id}.")
        return found[0]

    def _trace(self, releases: list[list[Measurement]], former_latest: str | None) -> None:
        """Makes the versions anew from the releases; numbers and what is in none are kept."""
        names = [release.release for release in self.releases]
        old = self.versions
        pending = [version for version in old if version.release_first is None]
        changed = {version.measurement_id for version in pending if version.is_current}
        withdrawn = {
            version.measurement_id
            for version in old
            if version.release_last == former_latest
            and not version.is_current
            and version.measurement_id not in changed
            and names[-1] == former_latest
        }
        # What was accepted may say what a release has said before: that row takes the released one.
        origin: dict[tuple[int, Measurement], list[Version]] = defaultdict(list)
        for version in sorted(old, key=lambda v: (v.release_first is None, v.version)):
            origin[version.measurement_id, version.measurement].append(version)
        numbers = _Numbers(old, self._new_numbers)
        self.versions = []
        for entry in jmdc_history.trace(releases):
            number = numbers.take(version.measurement for version in entry.versions)
            for count, traced in enumerate(entry.versions, 1):
                same = origin[number, traced.measurement]
                known = same.pop(0) if same else Version(number, count, traced.measurement)
                standing = traced.last == len(releases) - 1 and number not in withdrawn
                self.versions.append(
                    replace(
                        known,
                        version=count,
                        release_first=names[traced.first],
                        release_last=names[traced.last],
                        is_current=int(standing),
                    )
                )
        left = [version for same in origin.values() for version in same]
        self._add_pending([version for version in left if version.release_first is None])

    def _add_pending(self, pending: list[Version]) -> None:
        """Puts versions that are in no release after those that are."""
        by_number: dict[int, list[Version]] = defaultdict(list)
        for version in self.versions:
            by_number[version.measurement_id].append(version)
        for version in sorted(pending, key=lambda v: (v.measurement_id, v.version)):
            former = by_number[version.measurement_id]
            version.version = len(former) + 1
            if version.is_current:
                for other in former:
                    other.is_current = 0
            former.append(version)
            self.versions.append(version)

    # -------------------------------------------------------------- tables

    def write(
        self,
        follow: Follow,
        places: Mapping[str, Place] | None = None,
        *,
        ask: bool = False,
        only: Iterable[Measurement] | None = None,
    ) -> int:
        """Stores everything, judged and with its stars; the number of stars that got a position.

        ``follow`` gets the connection before that is committed: what refers to stars of JMDC
        changes with them. ``places`` are positions of stars by their identifiers, ``ask`` allows to
        ask a name resolver, ``only`` are the measurements whose stars are looked for, if not all
        are.
        """
        current = [version.measurement for version in self.current()]
        self.stars.identify((version.measurement for version in self.versions), current)
        wanted = None if only is None else {self.stars.star_id(row) for row in only}
        resolved = self.stars.resolve(places or {}, ask=ask, only=wanted)
        self._connection.execute("DELETE FROM jmdc.stored_measurement")
        self.stars.write(current)
        rows = list(self._rows())
        store.replace(self._connection, "stored_measurement", rows)
        store.replace(self._connection, "publication", list(self._publications()))
        store.replace(self._connection, "release", list(self._release_rows()))
        follow(self._connection)
        self._connection.commit()
        return resolved

    def _judged(self, versions: Iterable[Version]) -> Iterator[Judgement]:
        """Former versions are compared with what there was in the last release that has them."""
        expected = self.stars.expected()
        peers: dict[tuple[str | None, int], list[Version]] = defaultdict(list)
        for release in self._releases:
            for version in self.in_release(release.release):
                star_id = self.stars.star_id(version.measurement)
                peers[release.release, star_id].append(version)
        for version in self.current():
            peers[None, self.stars.star_id(version.measurement)].append(version)
        for version in versions:
            star_id = self.stars.star_id(version.measurement)
            time = None if version.is_current else version.release_last
            others = [
                other.measurement
                for other in peers[time, star_id]
                if other.measurement_id != version.measurement_id
            ]
            yield jmdc_rules.judge(version.measurement, others, expected.get(star_id))

    def _rows(self) -> Iterator[store.Row]:
        for version, judgement in zip(self.versions, self._judged(self.versions), strict=True):
            yield {
                **{n: getattr(version, n) for n in version.__dataclass_fields__},
                **version.measurement.as_row(),
                "star_id": self.stars.star_id(version.measurement),
                **derived(version.measurement, judgement),
            }

    def _publications(self) -> Iterator[store.Row]:
        found: dict[str, list[Measurement]] = defaultdict(list)
        for version in self.versions:
            code = version.measurement.bibcode
            if code is not None and code[4:].strip("."):
                found[code]
                if version.is_current:
                    found[code].append(version.measurement)
        for code, measurements in sorted(found.items()):
            year = code[:4]
            journal = code[4:9].strip(".") if len(code) == BIBCODE else ""
            yield {
                "bibcode": code,
                "pub_year": int(year) if year.isdecimal() else None,
                "journal": journal or None,
                "n_measurements": len(measurements),
                "n_stars": len({self.stars.star_id(m) for m in measurements}),
            }

    def _release_rows(self) -> Iterator[store.Row]:
        for release in self.releases:
            held = self.in_release(release.release)
            yield {
                **vars(release),
                "n_measurements": len(held),
                "n_stars": len({self.stars.star_id(version.measurement) for version in held}),
            }


class _Numbers:
    """The numbers that measurements have, for what is traced anew."""

    def __init__(self, versions: Sequence[Version], new: Iterator[int]) -> None:
        self._new = new
        self._known: dict[Measurement, list[int]] = defaultdict(list)
        for version in sorted(versions, key=lambda v: (v.measurement_id, v.version)):
            self._known[version.measurement].append(version.measurement_id)
        self._taken: set[int] = set()

    def take(self, measurements: Iterable[Measurement]) -> int:
        """The number of the measurement with these versions; a new one when none of them has."""
        for measurement in measurements:
            for number in self._known.get(measurement, ()):
                if number not in self._taken:
                    self._taken.add(number)
                    return number
        return next(self._new)


def derived(measurement: Measurement, judgement: Judgement) -> store.Row:
    """What is known of a measurement beyond what is published, by the names of its columns."""
    corrected = jmdc_rules.apply(measurement, judgement.correction)
    band = judgement.band
    return {
        "wavelength_min": band and band.shortest,
        "wavelength_max": band and band.longest,
        "band_letters": band and " ".join(band.letters),
        "mu_kind": judgement.mu_kind,
        "corrected_ud_diam": corrected.ud_diam,
        "corrected_ld_diam": corrected.ld_diam,
        "corrected_e_ld_diam": corrected.e_ld_diam,
        "correction": judgement.correction and judgement.correction.reason,
        "quality_flags": judgement.flags,
        "validation_log": json.dumps([finding.words for finding in judgement.findings]),
    }


@contextmanager
def opened() -> Iterator[Catalogue]:
    """JMDC, for one change, by one at a time; raises AtWorkError when another is at work.

    What is not written by ``Catalogue.write`` is forgotten.
    """
    with store.alone(), base.getWritableAdminConn() as connection:
        try:
            yield Catalogue(connection)
        except BaseException:
            connection.rollback()
            raise
