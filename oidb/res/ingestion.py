"""Ingestion of OIFITS files into OiDB: each file in a transaction of its own.

A file is known by its content and collection. One that is already there under the same settings
is left alone; the same path with other content replaces what was ingested from it. A run that is
cut off at any point is completed by the next: rows appear with the transaction of their file, and
plots are drawn, after all rows are in, for those of the files that have none.
"""

from __future__ import annotations

import concurrent.futures
import os
import signal
import tomllib
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2.extensions
from gavo import api, base, rsc
from psycopg2 import sql
from psycopg2.extras import execute_batch

from ingest import checks, discover, granules, oifits, vocabulary
from oidb.res import logs, rows, store

#: Says how far a phase is: its name, files done, files in all.
Progress = Callable[[str, int, int], None]

#: Describes the collection that the files of its folder belong to.
COLLECTION_FILE = "collection.toml"


_PICTURES = {
    "uv": "Coverage of the uv plane",
    "visibility": "Squared visibility and closure phase against spatial frequency",
    "spectrum": "Squared visibility against wavelength",
}


_WORDS = {int: "whole number", str: "text"}


class IngestionError(Exception):
    """An ingestion that cannot begin; the message says why."""


@dataclass(frozen=True)
class Settings:
    """What the operator says about the files."""

    collection: str | None = None
    calib_level: int | None = None
    owner: str | None = None
    release_date: date | None = None
    datapi: str | None = None
    #: The files stay in the remote archive at this address; None when they are hosted here.
    remote: str | None = None
    #: Draw the plots too.
    plots: bool = True
    #: Read files again that are in already: after a change of the vocabulary or of a rule.
    again: bool = False


@dataclass
class Report:
    """What became of the files: names, and for the refused ones the reason."""

    accepted: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    granules: int = 0
    plotted: int = 0
    #: Files without plots because drawing failed, with the reason; their rows are in.
    unplotted: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return asdict(self)


def ingest(
    paths: Iterable[Path], settings: Settings, progress: Progress = lambda *_: None
) -> Report:
    """Ingests the OIFITS files among ``paths`` (files and folders).

    Raises IngestionError when nothing can be ingested at all: no files, a collection description
    that cannot be read; AtWorkError while another run is at work. A file that cannot be read
    is refused with a reason, and the others go on.
    """
    report = Report()
    with store.alone(), base.getWritableAdminConn() as connection:
        found = list(discover.files(paths))
        if not found:
            raise IngestionError("There is no file to ingest in what was named.")
        journal = _Journal(connection)
        collections = _Collections(connection, settings)
        known = vocabulary.load()
        importer = _Importer(connection)
        named = []
        for done, path in enumerate(found):
            progress("files", done, len(found))
            try:
                file_id, number = _ingest_file(path, settings, collections, known, importer)
            except (oifits.UnreadableFile, OSError) as error:
                connection.rollback()
                report.rejected[str(path)] = str(error)
                continue
            except IngestionError:
                raise
            except Exception as error:  # a file that trips us must not stop the others
                connection.rollback()
                report.rejected[str(path)] = (
                    f"{path.name}: not stored because of a fault of this software"
                    f" ({type(error).__name__}: {error}); {_note_fault(path)} has more"
                )
                continue
            named.append(file_id)
            if number is None:
                report.unchanged.append(str(path))
            else:
                report.accepted.append(str(path))
                report.granules += number
        progress("files", len(found), len(found))
        if settings.plots:
            _draw_missing(connection, named, importer, report, progress)
        importer.analyse()
        journal.close(report)
    return report


def _ingest_file(
    path: Path,
    settings: Settings,
    collections: _Collections,
    known: vocabulary.Vocabulary,
    importer: _Importer,
) -> tuple[int, int | None]:
    """Stores one file; its identifier, and its number of granules or None if it was there."""
    path = path.absolute()
    # First, for nobody needs the checksum of two gigabytes that are no OIFITS.
    file = oifits.read(path)
    content = store.fingerprint(path)
    collection, level = collections.of(path)
    name = store.download_name(path.name, content)
    file_id = rows.number(collection.obs_collection, content.sha256)
    # What was once said of a file holds until something else is said: an embargo never ends
    # because somebody left out an option.
    before = importer.before(file_id, path, collection.obs_collection)
    said = before or {}
    source = rows.Source(
        path=path,
        content=content,
        file_id=file_id,
        name=name,
        stored=None if settings.remote else store.folder(content) / name,
        url=None
        if settings.remote is None
        else f"{settings.remote.rstrip('/')}/{quote(path.name)}",
        collection=collection,
        calib_level=said.get("calib_level", 2) if level is None else level,
        owner=settings.owner or said.get("owner"),
        release_date=settings.release_date or said.get("release_date"),
        raw_release_date=said.get("raw_release_date"),
        datapi=settings.datapi or said.get("datapi"),
        authority=base.getConfig("ivoa", "authority"),
        now=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
    )
    if before and not settings.again and _same(source, before):
        return file_id, None
    extraction = granules.extract(file, known)
    findings = checks.check(file)
    products = list(_products(source, file, findings))
    importer.replace(source, rows.of_file(source, file.version, extraction, findings, products))
    return file_id, len(extraction.granules)


def _note_fault(path: Path) -> Path:
    """Adds the traceback of the exception at hand to a log file; the file's path."""
    log = Path(os.environ["JMMC_ROOT"]) / "logs" / "ingestion.log"
    with log.open("a") as stream:
        stream.write(f"{datetime.now(UTC).isoformat()} {path}\n{traceback.format_exc()}\n")
    return log


def _same(source: rows.Source, before: dict[str, Any]) -> bool:
    """True when a file was ingested before as it would be now."""
    return all(
        getattr(source, name) == before[name]
        for name in ("file_id", "calib_level", "group", "release_date", "datapi", "url")
    )


def _products(
    source: rows.Source, file: oifits.OIFits, findings: list[checks.Finding]
) -> Iterator[rows.Product]:
    """The OIFITS file and the report of its validation, put into the store."""
    if source.stored is not None:
        store.keep_copy(source.path, source.stored, source.content)
    yield rows.Product(
        accref=source.accref,
        path=source.url or str(source.stored),
        size=source.content.size,
        media_type=source.media_type,
        semantics="#this",
        description="The OIFITS file",
    )
    report = checks.report_text(checks.FileReport(file.path, file.version, None, findings)).encode()
    target = store.folder(source.content) / f"{source.name}.validation.txt"
    store.write(target, report)
    yield rows.Product(
        accref=f"{source.accref}.validation.txt",
        path=str(target),
        size=len(report),
        media_type="text/plain",
        semantics="#documentation",
        description="What the validation against the OIFITS standard found",
    )


class _Collections:
    """The collections that files belong to, by folder and by what the operator says."""

    def __init__(self, connection: Any, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._by_folder: dict[Path, tuple[rows.Collection, int | None]] = {}
        self._table = rsc.TableForDef(_table("collection"), connection=connection)

    def of(self, path: Path) -> tuple[rows.Collection, int | None]:
        """Collection of a file, made when it is new, and its calibration level where it is said."""
        folder = path.resolve().parent
        if folder not in self._by_folder:
            self._by_folder[folder] = self._read(folder)
        return self._by_folder[folder]

    def _read(self, folder: Path) -> tuple[rows.Collection, int | None]:
        said: dict[str, Any] = {}
        description = folder / COLLECTION_FILE
        if description.exists():
            try:
                said = tomllib.loads(description.read_text())
                level = said.pop("calib_level", None)
                said.setdefault("obs_collection", folder.name)
                if self._settings.collection is not None:
                    said["obs_collection"] = self._settings.collection
                collection = rows.Collection(**said)
                for name, value in {**said, "calib_level": level}.items():
                    kind = int if name in ("embargo_days", "calib_level") else str
                    if not isinstance(value, kind | None):
                        raise TypeError(f"{name} is {value!r}, no {_WORDS[kind]}")
            except (tomllib.TOMLDecodeError, TypeError, UnicodeDecodeError) as error:
                raise IngestionError(f"{description}: {error}") from None
        else:
            level = None
            collection = rows.Collection(self._settings.collection or "unsorted")
        self._store(collection, described=bool(said))
        if self._settings.calib_level is not None:
            level = self._settings.calib_level
        return collection, level

    def _store(self, collection: rows.Collection, described: bool) -> None:
        row = asdict(collection)
        row["created"] = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        there = list(
            self._connection.query(
                "SELECT created FROM oidb.collection WHERE obs_collection=%(obs_collection)s", row
            )
        )
        if not there:
            self._table.addRow(row)
        elif described:
            self._connection.execute(
                "UPDATE oidb.collection SET title=%(title)s, description=%(description)s,"
                " collection_type=%(collection_type)s, bib_reference=%(bib_reference)s,"
                " embargo_days=%(embargo_days)s WHERE obs_collection=%(obs_collection)s",
                row,
            )
        self._connection.commit()


class _BatchCursor(psycopg2.extensions.cursor):  # type: ignore[misc]
    """Sends rows to the database by the hundred, where psycopg2 sends a statement a row."""

    def executemany(self, query: Any, rows: Any) -> None:
        """As in psycopg2."""
        execute_batch(self, query, rows, page_size=200)


class _Importer:
    """The way of rows into the database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        connection.cursor_factory = _BatchCursor
        rd = api.getRD("oidb/q")
        # Made once: DaCHS looks for each table in the database when it makes them.
        self._files = rsc.Data.create(rd.getById("import"), connection=connection)
        self._plots = rsc.Data.create(rd.getById("import_plots"), connection=connection)
        self.changed = False

    def before(self, file_id: int, path: Path, collection: str) -> dict[str, Any] | None:
        """What was said of a file, or of another content of its path, and what logs said of it."""
        found = list(
            self._connection.queryToDicts(
                'SELECT file_id, calib_level, owner AS "group", owner, release_date, datapi, url,'
                " raw_release_date"
                " FROM oidb.stored_file WHERE file_id=%(file_id)s"
                " OR (source=%(source)s AND obs_collection=%(collection)s)"
                " ORDER BY file_id=%(file_id)s DESC LIMIT 1",
                {"file_id": file_id, "source": str(path), "collection": collection},
            )
        )
        return found[0] if found else None

    def replace(self, source: rows.Source, new: Iterable[tuple[str, rows.Row]]) -> None:
        """Stores the rows of a file in place of older ones of the file or of its path."""
        old = {
            "file_id": source.file_id,
            "source": str(source.path),
            "collection": source.collection.obs_collection,
        }
        for (file_id,) in list(
            self._connection.query(
                "SELECT file_id FROM oidb.stored_file WHERE file_id=%(file_id)s"
                " OR (source=%(source)s AND obs_collection=%(collection)s)",
                old,
            )
        ):
            # Products first: their rule that cleans DaCHS' own table does not see cascades.
            for statement in (
                "DELETE FROM oidb.stored_product WHERE file_id=%(file_id)s",
                "DELETE FROM oidb.stored_file WHERE file_id=%(file_id)s",
            ):
                self._connection.execute(statement, {"file_id": file_id})
        # In the same transaction, so that nothing is public before its raw files are.
        self._feed(self._files, new, follow=[source.file_id])

    def add_plots(self, file_id: int, products: Iterable[rows.Row]) -> None:
        """Stores the plots of a file and notes that it has them."""
        self._connection.execute(
            "UPDATE oidb.stored_file SET plotted=%(now)s WHERE file_id=%(file_id)s",
            {"now": datetime.now(UTC).replace(tzinfo=None, microsecond=0), "file_id": file_id},
        )
        self._feed(self._plots, [("product", row) for row in products])

    def _feed(
        self, data: Any, new: Iterable[tuple[str, rows.Row]], follow: Sequence[int] = ()
    ) -> None:
        try:
            rsc.makeData(
                data.dd,
                data=data,
                forceSource=list(new),
                connection=self._connection,
                runCommit=False,
            )
            if follow:
                logs.follow_files(self._connection, follow)
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()
        self.changed = True

    def analyse(self) -> None:
        """Tells PostgreSQL's planner what the tables look like now."""
        if self.changed:
            for make in self._files.dd.makes:
                self._connection.execute(
                    sql.SQL("ANALYZE {}").format(sql.Identifier(*make.table.getQName().split(".")))
                )
            self._connection.commit()


class _Journal:
    """The row of the ingestion table about this run."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        now = datetime.now(UTC).replace(tzinfo=None)
        self._id = f"{now.isoformat(timespec='milliseconds')}-{os.getpid()}"
        rsc.TableForDef(_table("ingestion"), connection=connection).addRow(
            {
                "ingestion_id": self._id,
                "started": now,
                "finished": None,
                "accepted": 0,
                "unchanged": 0,
                "rejected": 0,
            }
        )
        connection.commit()

    def close(self, report: Report) -> None:
        """Notes the end of the run and its counts."""
        self._connection.execute(
            "UPDATE oidb.ingestion SET finished=%(now)s, accepted=%(accepted)s,"
            " unchanged=%(unchanged)s, rejected=%(rejected)s WHERE ingestion_id=%(id)s",
            {
                "now": datetime.now(UTC).replace(tzinfo=None),
                "accepted": len(report.accepted),
                "unchanged": len(report.unchanged),
                "rejected": len(report.rejected),
                "id": self._id,
            },
        )
        self._connection.commit()


def _draw_missing(
    connection: Any,
    named: list[int],
    importer: _Importer,
    report: Report,
    progress: Progress,
) -> None:
    """Draws the plots of those of the named files that have none, several files at a time."""
    waiting = list(
        connection.queryToDicts(
            "SELECT f.file_id, f.file_name, f.owner, f.obs_release_date, f.sha256, f.access_url,"
            " COALESCE(p.accref, f.access_url) AS accref, d.accesspath, f.source, f.url,"
            " (SELECT array_agg(granule_id ORDER BY granule_number) FROM oidb.granule AS g"
            "   WHERE g.file_id=f.file_id) AS granule_ids"
            " FROM oidb.stored_file AS f"
            " JOIN oidb.stored_product AS p ON p.file_id=f.file_id AND p.semantics='#this'"
            " JOIN dc.products AS d ON d.accref=p.accref"
            " WHERE f.plotted IS NULL AND f.file_id = ANY(%(named)s)"
            " ORDER BY f.ingested, f.file_id",
            {"named": named},
        )
    )
    connection.commit()
    from ingest import plots  # takes a second that only drawing needs

    pool = concurrent.futures.ProcessPoolExecutor(initializer=_leave_to_parent)
    try:
        drawing = {}
        for row in waiting:
            path = Path(row["source"] if row["url"] else row["accesspath"])
            numbers = list(range(len(row["granule_ids"] or [])))
            drawing[pool.submit(plots.draw_file, path, numbers)] = row
        for done, future in enumerate(concurrent.futures.as_completed(drawing)):
            progress("plots", done, len(drawing))
            row = drawing[future]
            try:
                drawn = future.result()
            except Exception as error:  # a plot is not worth an ingestion; said in the report
                report.unplotted[row["file_name"]] = f"{type(error).__name__}: {error}"
                continue
            importer.add_plots(row["file_id"], list(_plot_rows(row, drawn)))
            report.plotted += 1
        progress("plots", len(drawing), len(drawing))
    finally:
        # Whoever interrupts does not want to wait for what has not begun.
        pool.shutdown(cancel_futures=True)


def _leave_to_parent() -> None:
    """Lets a drawing process end with the command, not by the signals meant for that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _plot_rows(row: dict[str, Any], drawn: dict[int, dict[str, bytes]]) -> Iterator[rows.Row]:
    target = store.folder(store.Content(0, row["sha256"], "", False))
    stem = row["accref"].rsplit("/", 1)[-1]
    for number, pictures in sorted(drawn.items()):
        for kind, png in pictures.items():
            name = f"{stem}.{number}.{kind}.png"
            store.write(target / name, png)
            yield rows.of_product(
                row["file_id"],
                row["owner"],
                row["obs_release_date"],
                rows.Product(
                    accref=f"{row['accref']}.{number}.{kind}.png",
                    path=str(target / name),
                    size=len(png),
                    media_type="image/png",
                    semantics="#preview",
                    description=_PICTURES[kind],
                    granule_id=row["granule_ids"][number],
                ),
            )


def _table(name: str) -> Any:
    return api.getRD("oidb/q").getById(name)
