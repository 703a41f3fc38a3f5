"""Releases of JMDC: those that are read from files, and those that are made here."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from gavo import api, base

from ingest import jmdc_export
from ingest.jmdc import COLUMNS, ReleaseFile
from ingest.resolve import Place
from jmdc.res import catalogue, store
from jmdc.res.catalogue import Catalogue, CatalogueError, Follow, Release, Version

_CHANGES = ("kind", "measurement_id", "id1", "bibcode", "column", "old", "new")


@dataclass
class Report:
    """What became of files."""

    #: What was done, a line for each file.
    lines: list[str] = field(default_factory=list)
    #: Stars that got a position, and that have none.
    resolved: int = 0
    unresolved: int = 0


def ingest(files: Sequence[ReleaseFile], follow: Follow) -> Report:
    """Takes releases in; all of them, or none. Raises CatalogueError or AtWorkError.

    `follow`, here and below, is done with it: see Catalogue.write.
    """
    report = Report()
    places: dict[str, Place] = {}
    with catalogue.opened() as book:
        for file in sorted(files, key=lambda file: file.release_date):
            made = Release(file.release, file.release_date, file.file_name, file.checksum)
            changed = book.put_release(made, file.measurements)
            places.update(file.places)
            what = "is in" if changed else "was in already"
            number = len(file.measurements)
            report.lines.append(f"{file.file_name}: {file.release} {what}, {number} rows")
        _finish(book, report, places, follow)
    return report


def resolve(places: Mapping[str, Place], follow: Follow) -> Report:
    """Looks for positions of the stars that have none, in ``places`` and elsewhere."""
    report = Report()
    with catalogue.opened() as book:
        _finish(book, report, places, follow)
    return report


def release(name: str, folder: Path, day: date | None, follow: Follow) -> list[Path]:
    """Makes what stands today a release, if there is none of that name yet, and writes its files.

    Returns the files: the CSV file of the web site, the table of CDS with its ReadMe, a VOTable,
    and the list of changes.
    """
    with catalogue.opened() as book:
        if book.release(name) is None:
            book.freeze(Release(name, day or store.now().date()))
            book.write(follow, only=[])
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


def _finish(book: Catalogue, report: Report, places: Mapping[str, Place], follow: Follow) -> None:
    report.resolved = book.write(follow, places, ask=True)
    report.unresolved = book.stars.unresolved


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
