"""Keeps the observation log in step with ESO's archive.

A run lists what has changed in the archive since the last one, fetches the headers of what is new
or changed, and stores files with their exposures, some at a time, each time in one transaction.
The archive is asked for stretches of time one after the other, and the mark, up to which everything
is in, moves when a stretch is done: a run that is cut off at any point is completed by the next,
which downloads nothing again. What could not be had is noted with the file and tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
from gavo import base

from ingest import eso, headers, instruments, vocabulary
from ingest.fits import UnreadableFile
from obsportal.res import logs, store
from obsportal.res.rows import Row

#: Says how far a run is: its phase, what is done, what there is in all.
Progress = Callable[[str, int, int], None]

#: Listed again at the begin of each run: changes appear in the archive with some delay.
_OVERLAP = timedelta(hours=2)
#: Changed files up to so many are listed in one go; of more, a stretch of time after the other.
_MANY, _STRETCH = 20_000, timedelta(days=30)
#: Times come rounded to milliseconds.
_ROUNDING = timedelta(seconds=1)
#: Headers fetched before they are stored; what a crash costs.
_BATCH = 100
#: Missing files are believed up to so many, or up to this part of all: more are a fault.
_FEW, _PART = 100, 0.01

#: Columns of stored_header, and what the archive calls them.
_COLUMNS = {
    "header_id": "dp_id",
    "instrument": "instrument",
    "dp_cat": "dp_cat",
    "dp_type": "dp_type",
    "dp_tech": "dp_tech",
    "progid": "prog_id",
    "prog_title": "prog_title",
    "datapi": "pi_coi",
    "mjd_obs": "mjd_obs",
    "obs_release_date": "release_date",
    "access_url": "access_url",
    "last_mod_date": "last_mod_date",
}


class SyncError(Exception):
    """A run that cannot go on; the message says why. What it has stored stays."""


@dataclass(frozen=True)
class Settings:
    """What the operator asks for."""

    archive: str = eso.ADDRESS
    instruments: tuple[str, ...] = eso.INSTRUMENTS
    #: Lists changes from here (UTC) in place of the mark.
    since: datetime | None = None
    #: Lists everything, too, to find what the archive has no more or changed without a word.
    full: bool = False
    #: Says what there is to do, and does nothing.
    dry_run: bool = False
    manners: eso.Manners = field(default_factory=eso.Manners)


@dataclass
class Report:
    """What a run found and did."""

    #: Files the archive listed, as changed since the last run or, with `full`, as what it has.
    listed: int = 0
    new: int = 0
    changed: int = 0
    #: Same header, but another release date, title or investigator.
    renewed: int = 0
    #: Headers obtained.
    fetched: int = 0
    exposures: int = 0
    #: Why there is no header, or no exposure of it, by file.
    failed: dict[str, str] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)
    #: Everything that was changed in the archive up to then (UTC) is in.
    mark: datetime | None = None
    #: Why the run ended early.
    message: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return {**asdict(self), "mark": self.mark and self.mark.isoformat()}


def synchronise(settings: Settings, progress: Progress = lambda *_: None) -> Report:
    """Brings the observation log into step with the archive.

    Raises AtWorkError when another run is at work. Whatever else keeps it from going on is
    the message in the report.
    """
    report = Report()
    archive = eso.Archive(settings.archive, settings.instruments, settings.manners)
    try:
        if settings.dry_run:
            with base.getTableConn() as connection:
                _Run(connection, archive, settings, report, progress).all()
            return report
        with (
            store.alone(),
            base.getWritableAdminConn() as connection,
            logs.journal(connection, archive.address) as note,
        ):
            run = _Writing(connection, archive, settings, report, progress, note)
            try:
                run.all()
            except KeyboardInterrupt:
                note["message"] = "interrupted"
                raise
            finally:
                run.note()
    except (eso.ArchiveError, SyncError) as error:
        report.message = str(error)
    except psycopg2.Error as error:
        first: BaseException = error
        while isinstance(first.__context__, psycopg2.Error):
            first = first.__context__  # others come of it
        # libpq goes on with guesses at what it means.
        report.message = f"The database: {str(first).strip().partition(chr(10))[0]}"
    return report


class _Run:
    """Looks what is to be done, and only counts it."""

    def __init__(
        self,
        connection: Any,
        archive: eso.Archive,
        settings: Settings,
        report: Report,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._archive = archive
        self._settings = settings
        self._report = report
        self._progress = progress
        report.mark = self._mark()

    def all(self) -> None:
        """The run, from begin to end."""
        self._follow_changes()
        if self._settings.full:
            self._compare_all()
        self._retry()

    # ------------------------------------------------------- what there is to do

    def _mark(self) -> datetime | None:
        found: datetime | None = next(
            iter(
                self._connection.query(
                    "SELECT MAX(mark) FROM obsportal.sync WHERE archive=%(archive)s",
                    {"archive": self._archive.address},
                )
            )
        )[0]
        return found

    def _follow_changes(self) -> None:
        mark, since = self._report.mark, self._settings.since
        start = since or (mark and mark - _OVERLAP)
        # What was not asked for is not in, and the mark must not pass it.
        seamless = since is None or (mark is not None and since <= mark)
        moves = seamless and set(self._settings.instruments) == set(eso.INSTRUMENTS)
        extent = self._archive.extent(start)
        if extent.first is None or extent.last is None:
            return
        begin, end = extent.first - _ROUNDING, extent.last + _ROUNDING
        stretch = _STRETCH if extent.files > _MANY else end - begin
        while begin < end:
            until = min(begin + stretch, end)
            for page in self._archive.changed(begin, until):
                self._take(page)
                self._progress("files", min(self._report.listed, extent.files), extent.files)
            begin = until
            if moves:
                self._move_mark(min(until, extent.last))
        self._progress("files", extent.files, extent.files)

    def _take(self, page: Sequence[eso.File]) -> None:
        """Takes in what is new or changed of a page of the archive's list."""
        self._report.listed += len(page)
        known = self._known([file.dp_id for file in page])
        fetch: list[eso.File] = []
        renew: list[eso.File] = []
        for file in page:
            before = known.get(file.dp_id)
            if before is None:
                self._report.new += 1
                fetch.append(file)
            elif before["has_header"] and before["fetched_for"] == file.last_mod_date:
                if before["state"] == "withdrawn" or _differs(before, file):
                    self._report.renewed += 1
                    renew.append(file)
            elif before["state"] == "failed" and not _differs(before, file):
                pass  # `_retry` has its turn when everything new is in
            else:
                self._report.changed += 1
                fetch.append(file)
        self._renew(renew)
        self._fetch(fetch, patient=True)

    def _known(self, names: list[str]) -> dict[str, Mapping[str, Any]]:
        rows = self._connection.queryToDicts(
            "SELECT header_id, instrument, dp_cat, dp_type, dp_tech, progid, prog_title, datapi,"
            " mjd_obs, obs_release_date, access_url, last_mod_date, state, fetched_for,"
            " header IS NOT NULL AS has_header"
            " FROM obsportal.stored_header WHERE header_id = ANY(%(names)s)",
            {"names": names},
        )
        return {row["header_id"]: row for row in rows}

    def _retry(self) -> None:
        """Tries again what failed before, each file once, so that bad ones cost little."""
        # In any order, for a run may give up before the last of them.
        rows = self._connection.queryToDicts(
            "SELECT header_id, instrument, dp_cat, dp_type, dp_tech, progid, prog_title, datapi,"
            " mjd_obs, obs_release_date, access_url, last_mod_date"
            " FROM obsportal.stored_header WHERE archive='ESO' AND state='failed'"
            " AND (header IS NULL OR fetched_for IS DISTINCT FROM last_mod_date)"
            " AND instrument = ANY(%(instruments)s) ORDER BY random()",
            {"instruments": list(self._settings.instruments)},
        )
        files = [
            eso.File(**{theirs: row[ours] for ours, theirs in _COLUMNS.items()})
            for row in rows
            if row["header_id"] not in self._report.failed
        ]
        self._fetch(files, patient=False)

    # ------------------------------------------------------------ withdrawn files

    def _compare_all(self) -> None:
        """Lists all files: takes in what differs, and finds those that the archive has no more."""
        total = self._archive.extent().files
        there: set[str] = set()
        for page in self._archive.files():
            self._take(page)
            there.update(file.dp_id for file in page)
            self._progress("all files", min(len(there), total), total)
        ours = [
            name
            for (name,) in self._connection.query(
                "SELECT header_id FROM obsportal.stored_header WHERE archive='ESO'"
                " AND state <> 'withdrawn' AND instrument = ANY(%(instruments)s)"
                " ORDER BY header_id",
                {"instruments": list(self._settings.instruments)},
            )
        ]
        missing = [name for name in ours if name not in there]
        if len(missing) > max(_FEW, _PART * len(ours)):
            raise SyncError(
                f"{self._archive.address} has {len(missing)} of our {len(ours)} files no more;"
                " that is taken for a fault of the archive, and none is marked as withdrawn."
            )
        self._withdraw(missing)

    # ------------------------------------------------------------- what is done

    def _move_mark(self, mark: datetime) -> None:
        """Notes that everything up to a time is in."""

    def _fetch(self, files: Sequence[eso.File], *, patient: bool) -> None:
        """Fetches the headers of files and stores them."""
        self._report.fetched += len(files)

    def _renew(self, files: Sequence[eso.File]) -> None:
        """Stores what the archive says of files whose headers are the same."""

    def _withdraw(self, names: Sequence[str]) -> None:
        """Notes that the archive has files no more."""
        self._report.withdrawn.extend(names)


class _Writing(_Run):
    """Does it, too."""

    def __init__(
        self,
        connection: Any,
        archive: eso.Archive,
        settings: Settings,
        report: Report,
        progress: Progress,
        note: dict[str, Any],
    ) -> None:
        super().__init__(connection, archive, settings, report, progress)
        self._note = note
        self._store = store.Store(connection)
        self._vocabulary = vocabulary.load()

    def all(self) -> None:
        """The run, from begin to end."""
        super().all()
        self._store.analyse()

    def note(self) -> None:
        """What the journal is to have of the run."""
        self._note.update(
            listed=self._report.new + self._report.changed + self._report.renewed,
            fetched=self._report.fetched,
            exposures=self._report.exposures,
            failed=len(self._report.failed),
            withdrawn=len(self._report.withdrawn),
            mark=self._report.mark,
        )

    def _move_mark(self, mark: datetime) -> None:
        self._report.mark = max(mark, self._report.mark or mark)
        self._connection.execute(
            "UPDATE obsportal.sync SET mark=%(mark)s WHERE sync_id=%(sync_id)s",
            {"mark": self._report.mark, "sync_id": self._note["sync_id"]},
        )
        self._connection.commit()

    def _fetch(self, files: Sequence[eso.File], *, patient: bool) -> None:
        for batch in _batches(files):
            by_name = {file.dp_id: file for file in batch}
            kept = self._kept(list(by_name))
            made: list[store.LogFile] = []
            try:
                for name, answer in self._archive.headers(list(by_name), patient=patient):
                    if isinstance(answer, eso.ArchiveError):
                        made.append(self._failed(by_name[name], str(answer), kept.get(name)))
                    else:
                        self._report.fetched += 1
                        made.append(
                            self._log_file(
                                by_name[name],
                                {
                                    "header": answer,
                                    "fetched": _now(),
                                    "fetched_for": by_name[name].last_mod_date,
                                },
                            )
                        )
            except eso.NoAnswer:
                if patient:
                    raise
                return  # so many bad files in a row need not mean that there is no archive
            finally:
                # Targets and observations are numbered in the order of time, not of answers.
                self._put(sorted(made, key=lambda file: str(file.header["header_id"])))

    def _renew(self, files: Sequence[eso.File]) -> None:
        for batch in _batches(files):
            kept = self._kept([file.dp_id for file in batch])
            self._put([self._log_file(file, kept[file.dp_id]) for file in batch])

    def _withdraw(self, names: Sequence[str]) -> None:
        super()._withdraw(names)
        for batch in _batches(names):
            kept = self._kept(list(batch))
            made = []
            for name in batch:
                row = dict(kept[name])
                row.update(state="withdrawn", withdrawn=_now())
                made.append(store.LogFile(row, self._exposures(row)[0]))
            self._put(made)

    def _kept(self, names: list[str]) -> dict[str, Row]:
        """Rows of stored_header as they are, with the header as text."""
        rows = self._connection.queryToDicts(
            "SELECT * FROM obsportal.stored_header WHERE header_id = ANY(%(names)s)",
            {"names": names},
        )
        return {row["header_id"]: {**row, "header": store.compressed(row)} for row in rows}

    def _log_file(self, file: eso.File, kept: Mapping[str, Any]) -> store.LogFile:
        """A file with what the archive says of it and the header that is kept of it."""
        row = _row(file, kept)
        exposures, problem = self._exposures(row)
        if problem is not None:
            row.update(state="failed", problem=problem)
            self._report.failed[file.dp_id] = problem
        else:
            self._report.failed.pop(file.dp_id, None)
        return store.LogFile(row, exposures)

    def _failed(
        self, file: eso.File, problem: str, kept: Mapping[str, Any] | None
    ) -> store.LogFile:
        """A file whose header could not be had; an older one stays."""
        self._report.failed[file.dp_id] = problem
        row = _row(file, kept or {})
        row.update(state="failed", problem=problem)
        return store.LogFile(row, self._exposures(row)[0])

    def _exposures(self, row: Row) -> tuple[list[Any], str | None]:
        """The exposures of a header, or none and the reason."""
        name = row["header_id"]
        if row["header"] is None:
            return [], None
        try:
            header = headers.read(row["header"], name)
            return list(instruments.exposures(header, name, self._vocabulary)), None
        except UnreadableFile as error:
            return [], str(error)
        except Exception as error:  # a header that trips us must not stop the others
            return [], (
                f"{name}: not understood because of a fault of this software"
                f" ({type(error).__name__}: {error})"
            )

    def _put(self, files: list[store.LogFile]) -> None:
        """Stores files; one that the database does not take is stored without its exposures."""
        if not files:
            return
        try:
            self._report.exposures += self._store.store(files)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            raise
        except Exception as error:
            if len(files) > 1:
                for file in files:
                    self._put([file])
                return
            if not files[0].exposures:
                raise
            problem = (
                f"not stored because of a fault of this software: {str(error).splitlines()[0]}"
            )
            self._report.failed[files[0].header["header_id"]] = problem
            row = {**files[0].header, "state": "failed", "problem": problem}
            self._store.store([store.LogFile(row, [])])


def _row(file: eso.File, kept: Mapping[str, Any]) -> Row:
    """The row of stored_header of a file that the archive lists."""
    said = {ours: getattr(file, theirs) for ours, theirs in _COLUMNS.items()}
    row = store.header_row(said.pop("header_id"), "ESO", **said)
    row.update({name: kept.get(name) for name in ("header", "fetched", "fetched_for")})
    return row


def _differs(before: Mapping[str, Any], file: eso.File) -> bool:
    """Whether the archive says something else of a file than it did before."""
    return any(before[ours] != getattr(file, theirs) for ours, theirs in _COLUMNS.items())


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
