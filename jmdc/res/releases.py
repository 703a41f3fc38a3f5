"""Releases of JMDC: those that are read from files, and those that are made here."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gavo import api, base

from ingest import jmdc, jmdc_export
from ingest.fits import UnreadableFile
from ingest.jmdc import COLUMNS, Contents
from jmdc.res import catalogue, store
from jmdc.res.catalogue import Catalogue, CatalogueError, Release, Version

#: A day in the name of a file: JMDC_20210910.csv, jmdc-2021-09-10.csv.
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_CHANGES = ("kind", "measurement_id", "id1", "bibcode", "column", "old", "new")


@dataclass
class Report:
    """What became of files."""

    #: What was done, a line for each file.
    lines: list[str] = field(default_factory=list)
    #: Stars that got a position, and that have none.
    resolved: int = 0
    unresolved: int = 0


def ingest(paths: Sequence[Path], name: str | None = None, day: date | None = None) -> Report:
    """Takes files in, each a release of its own; all of them, or none.

    ``name`` and ``day`` of the release are told for a single file; else the day is that in the name
    of the file, and the release is named by it. Raises UnreadableFile, CatalogueError or
    store.BusyError.
    """
    if len(paths) > 1 and (name or day):
        raise CatalogueError("Name and day of a release can be told for a single file only.")
    found = []
    for path in paths:
        release_date = day or _day_of(path)
        contents = _read(path)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        label = name or release_date.isoformat()
        found.append((Release(label, release_date, path.name, checksum), contents))
    report = Report()
    places = {}
    with catalogue.opened() as book:
        for release, contents in sorted(found, key=lambda pair: pair[0].release_date):
            changed = book.put_release(release, contents.measurements)
            places.update(contents.places)
            what = "is in" if changed else "was in already"
            number = len(contents.measurements)
            report.lines.append(f"{release.source}: {release.release} {what}, {number} rows")
        _finish(book, report, places)
    return report


def resolve(paths: Sequence[Path] = ()) -> Report:
    """Looks for positions of the stars that have none, in files with coordinates and elsewhere."""
    report = Report()
    places = {}
    for path in paths:
        contents = _read(path)
        if not contents.places:
            raise CatalogueError(f"{path.name} has no coordinates (RAJ2000, DEJ2000).")
        places.update(contents.places)
    with catalogue.opened() as book:
        _finish(book, report, places)
    return report


def release(name: str, folder: Path, day: date | None = None) -> list[Path]:
    """Makes what stands today a release, if there is none of that name yet, and writes its files.

    Returns the files: the CSV file of the web site, the table of CDS with its ReadMe, a VOTable,
    and the list of changes.
    """
    with catalogue.opened() as book:
        if book.release(name) is None:
            book.freeze(Release(name, day or store.now().date()))
            book.write()
        elif day is not None and day != _known(book, name).release_date:
            raise CatalogueError(f"Release {name} is of {_known(book, name).release_date}.")
        contents = _files(book, name)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file_name, data in contents.items():
        path = folder / file_name
        scratch = folder / f".{file_name}.part"
        scratch.write_bytes(data)
        os.replace(scratch, path)
        paths.append(path)
    return paths


def _finish(book: Catalogue, report: Report, places: dict[str, Any]) -> None:
    report.resolved = book.write(places, ask=True)
    report.unresolved = book.stars.unresolved


def _read(path: Path) -> Contents:
    contents = jmdc.read(path)
    if contents.problems:
        first, more = contents.problems[0], len(contents.problems) - 1
        also = f"; so are {more} other rows" if more else ""
        raise UnreadableFile(path.name, f"line {first.line}", first.reason + also)
    return contents


def _day_of(path: Path) -> date:
    for match in _DAY.finditer(path.name):
        try:
            return datetime.strptime("-".join(match.groups()), "%Y-%m-%d").date()
        except ValueError:
            continue
    raise CatalogueError(f"{path.name} does not tell the day of the release; tell it with --date.")


def _known(book: Catalogue, name: str) -> Release:
    found = book.release(name)
    assert found is not None
    return found


# ---------------------------------------------------------------- files of a release


def _files(book: Catalogue, name: str) -> dict[str, bytes]:
    """The files of a release by their names."""
    held = book.in_release(name)
    measurements = [version.measurement for version in held]
    layout = jmdc_export.fitted(measurements)
    history = [
        (known.release_date.isoformat(), known.release, len(book.in_release(known.release)))
        for known in book.releases
        if known.release_date <= _known(book, name).release_date
    ]
    earlier = [known.release for known in book.releases]
    before = earlier.index(name) - 1
    return {
        "jmdc.csv": jmdc_export.as_csv(measurements).encode(),
        "jmdc.dat": jmdc_export.as_cds(measurements, layout).encode("ascii"),
        "ReadMe": jmdc_export.readme(layout, len(held), name, history).encode("ascii"),
        "jmdc.vot": _votable(name),
        "changes.csv": _changes(book.in_release(earlier[before]) if before >= 0 else [], held),
    }


def _votable(name: str) -> bytes:
    """A release with all that is known of it, as jmdc.released has it."""
    with base.getTableConn() as connection:
        rows = list(
            connection.queryToDicts(
                "SELECT * FROM jmdc.released WHERE release = %(release)s ORDER BY measurement_id",
                {"release": name},
            )
        )
    definition = api.getRD("jmdc/q").getById("released").change(onDisk=False)
    table = api.TableForDef(definition, rows=rows)
    stream = io.BytesIO()
    api.formatData("votabletd", table, stream)
    return stream.getvalue()


def _changes(before: Sequence[Version], after: Sequence[Version]) -> bytes:
    """What differs between two releases, a row for each value that has changed."""
    old = {version.measurement_id: version.measurement for version in before}
    new = {version.measurement_id: version.measurement for version in after}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_CHANGES)
    for number in sorted(old | new):
        row = new.get(number) or old[number]
        if number not in old or number not in new:
            kind = "added" if number in new else "removed"
            writer.writerow([kind, number, row.id1, row.bibcode, "", "", ""])
            continue
        for column in COLUMNS:
            values = getattr(old[number], column), getattr(new[number], column)
            if values[0] != values[1]:
                writer.writerow(["changed", number, row.id1, row.bibcode, column, *values])
    return stream.getvalue().encode()
