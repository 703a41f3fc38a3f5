"""Ingestion of logs that lie in files: headers, logs of CHARA, answers of the former ObsPortal.

Batches of files are stored in a transaction each. A file that cannot be read is refused with a
reason and the others go on; to ingest one again changes nothing.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from gavo import base

from ingest import chara, grades, headers, instruments, legacy_log, names, vocabulary
from ingest.exposures import Exposure
from ingest.fits import UnreadableFile
from obsportal.res import store
from obsportal.res.rows import Row, timestamp

#: Says how far a run is: its phase, what is done, what there is in all.
Progress = Callable[[str, int, int], None]

#: What a file with a header may be called.
_HEADER_FILES = (".hdr", ".txt", ".html", ".htm", ".fits", ".fits.gz", ".fits.Z")

#: Assumed (s), and flagged, where a log of CHARA tells no end: what the former ObsPortal did.
_DURATION = 10.0


@dataclass
class Report:
    """What became of the files."""

    #: Files whose exposures are in.
    accepted: int = 0
    exposures: int = 0
    #: What was refused, a file or a row of one, with the reason.
    rejected: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return asdict(self)


def ingest_headers(paths: Iterable[Path], progress: Progress = lambda *_: None) -> Report:
    """Ingests headers of VLTI: text dumps, pages of ESO's header service, FITS files."""
    found = list(_files(paths))
    known = vocabulary.load()

    def read(report: Report) -> Iterator[store.LogFile]:
        for done, path in enumerate(found):
            progress("headers", done, len(found))
            try:
                data = path.read_bytes()
                header = headers.read(data, path.name)
                header_id = instruments.header_id_of(header, path.name)
                exposures = instruments.exposures(header, header_id, known)
            except (UnreadableFile, OSError) as error:
                report.rejected[str(path)] = str(error)
                continue
            yield store.LogFile(_eso_row(header_id, header.as_text(), exposures), exposures)
        progress("headers", len(found), len(found))

    return _run("headers", read)


def ingest_chara(paths: Iterable[Path], progress: Progress = lambda *_: None) -> Report:
    """Ingests observing logs of CHARA: CSV, and SPICA's VOTable."""

    def read_log(path: Path, known: vocabulary.Vocabulary) -> legacy_log.Log:
        return chara.read_log(path, known, _position_of_name, _DURATION)

    return _ingest_tables("CHARA", list(paths), read_log)


def ingest_former(paths: Iterable[Path], progress: Progress = lambda *_: None) -> Report:
    """Ingests exposures from answers of the former ObsPortal (search.votable)."""
    return _ingest_tables("ObsPortal", list(paths), lambda path, _: legacy_log.read(path))


def ingest_grades(path: Path, facility: str) -> Report:
    """Ingests a facility's grades of observation blocks; a later one of the same date wins."""
    report = Report()
    found = grades.read(path)
    with store.alone(), base.getWritableAdminConn() as connection:
        for problem in found.problems:
            report.rejected[f"{path}, line {problem.line}"] = problem.reason
        for grade in found.grades:
            row = {"facility_name": facility, **asdict(grade)}
            connection.execute(
                "DELETE FROM obsportal.quality WHERE facility_name=%(facility_name)s"
                " AND ob_id=%(ob_id)s AND graded IS NOT DISTINCT FROM %(graded)s"
                " AND source IS NOT DISTINCT FROM %(source)s",
                row,
            )
            store.copy(connection, "quality", [row])
            report.accepted += 1
        connection.execute(
            "UPDATE obsportal.exposure AS e SET ob_grade=q.grade, updated=%(now)s"
            " FROM (SELECT DISTINCT ON (ob_id) ob_id, grade FROM obsportal.quality"
            "   WHERE facility_name=%(facility)s ORDER BY ob_id, graded DESC NULLS LAST) AS q"
            " WHERE e.facility_name=%(facility)s AND e.ob_id=q.ob_id"
            " AND e.ob_grade IS DISTINCT FROM q.grade",
            {"facility": facility, "now": _now()},
        )
        connection.commit()
    return report


def ingest_demonstration(folder: Path) -> Report:
    """Simulates the demonstration's log and ingests it; CHARA's part is written to ``folder``."""
    from ingest import simulate_log

    log = simulate_log.demonstration()
    known = vocabulary.load()

    def read(_: Report) -> Iterator[store.LogFile]:
        for name, group in groupby(
            sorted((one for one in log if one.facility_name == "VLTI"), key=_order), _header_id
        ):
            entry = next(group)
            text = simulate_log.eso_header(entry)
            archive = simulate_log.archive_row(entry)
            exposures = instruments.exposures(headers.read(text.encode(), name), name, known)
            row = _eso_row(name, text, exposures)
            row["datapi"], row["prog_title"] = archive["pi_coi"], archive["prog_title"]
            row["obs_release_date"] = archive["release_date"]
            row["last_mod_date"] = archive["last_mod_date"]
            yield store.LogFile(row, exposures)

    report = _run("demonstration", read)
    chara_log = folder / "chara.csv"
    chara_log.parent.mkdir(parents=True, exist_ok=True)
    rows = simulate_log.chara_log(one for one in log if one.facility_name == "CHARA")
    chara_log.write_text(rows, "utf-8")
    other = ingest_chara([chara_log])
    report.accepted += other.accepted
    report.exposures += other.exposures
    report.rejected.update(other.rejected)
    return report


def read_again(progress: Progress = lambda *_: None) -> Report:
    """Makes the exposures of all kept headers anew: after a change of the rules."""
    known = vocabulary.load()

    def read(report: Report) -> Iterator[store.LogFile]:
        with base.getTableConn() as connection:
            total = next(
                iter(
                    connection.query(
                        "SELECT COUNT(*) FROM obsportal.stored_header WHERE header IS NOT NULL"
                    )
                )
            )[0]
        last, done = "", 0
        while True:
            with base.getTableConn() as connection:
                rows = list(
                    connection.queryToDicts(
                        "SELECT * FROM obsportal.stored_header WHERE header IS NOT NULL"
                        " AND archive='ESO' AND header_id > %(last)s ORDER BY header_id LIMIT 1000",
                        {"last": last},
                    )
                )
            if not rows:
                break
            for row in rows:
                last = row["header_id"]
                done += 1
                progress("headers", done, total)
                text = zlib.decompress(bytes(row["header"]))
                try:
                    header = headers.read(text, last)
                    exposures = instruments.exposures(header, last, known)
                except UnreadableFile as error:
                    report.rejected[last] = str(error)
                    continue
                if row["state"] == "failed" and row["fetched_for"] == row["last_mod_date"]:
                    row.update(state="read", problem=None)  # it is the header that is wanted
                yield store.LogFile({**row, "header": text}, exposures)

    return _run("kept headers", read)


def _ingest_tables(
    archive: str, paths: list[Path], read_log: Callable[[Path, vocabulary.Vocabulary], Any]
) -> Report:
    known = vocabulary.load()

    def read(report: Report) -> Iterator[store.LogFile]:
        for path in paths:
            try:
                log = read_log(path, known)
            except (UnreadableFile, OSError) as error:
                report.rejected[str(path)] = str(error)
                continue
            for problem in log.problems:
                report.rejected[f"{path}, line {problem.line}"] = problem.reason
            for header_id, exposures in groupby(sorted(log.exposures, key=_order), _header_id):
                group = list(exposures)
                row = _log_row(header_id, archive, group)
                row["obs_release_date"] = timestamp(log.released.get(header_id))
                yield store.LogFile(row, group)

    return _run(archive, read)


def _run(what: str, read: Callable[[Report], Iterator[store.LogFile]]) -> Report:
    """Stores what ``read`` yields, with a row in the journal."""
    report = Report()
    with (
        store.alone(),
        base.getWritableAdminConn() as connection,
        journal(connection, what) as note,
    ):
        target = store.Store(connection)
        for number in store.feed(target, _counted(read(report), report)):
            report.exposures += number
        target.analyse()
        note.update(
            listed=report.accepted + len(report.rejected),
            fetched=report.accepted,
            exposures=report.exposures,
            failed=len(report.rejected),
        )
    return report


def _counted(files: Iterator[store.LogFile], report: Report) -> Iterator[store.LogFile]:
    for file in files:
        report.accepted += 1
        yield file


@contextmanager
def journal(connection: Any, what: str) -> Iterator[dict[str, Any]]:
    """A row of the sync table about a run; what is put into the dictionary is noted at its end."""
    now = datetime.now(UTC).replace(tzinfo=None)
    row: dict[str, Any] = {
        "sync_id": f"{now.isoformat(timespec='milliseconds')}-{os.getpid()}",
        "archive": what,
        "started": now,
        "finished": None,
        "mark": None,
        "listed": 0,
        "fetched": 0,
        "exposures": 0,
        "failed": 0,
        "withdrawn": 0,
        "message": None,
    }
    store.copy(connection, "sync", [row])
    connection.commit()
    try:
        yield row
    except Exception as error:
        connection.rollback()
        row["message"] = str(error)
        raise
    finally:
        row["finished"] = datetime.now(UTC).replace(tzinfo=None)
        connection.execute(
            "UPDATE obsportal.sync SET finished=%(finished)s, mark=%(mark)s, listed=%(listed)s,"
            " fetched=%(fetched)s, exposures=%(exposures)s, failed=%(failed)s,"
            " withdrawn=%(withdrawn)s, message=%(message)s WHERE sync_id=%(sync_id)s",
            row,
        )
        connection.commit()


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files with headers among files and folders, each once, in order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                found
                for found in path.rglob("*")
                if found.is_file() and found.name.endswith(_HEADER_FILES)
            )
        else:
            yield path


def _eso_row(header_id: str, text: str, exposures: list[Exposure]) -> Row:
    """What a header alone tells of its file in ESO's archive."""
    first = exposures[0] if exposures else None
    return store.header_row(
        header_id,
        "ESO",
        instrument=first and first.instrument_name,
        dp_cat=first and first.dpr_catg,
        dp_type=first and first.dpr_type,
        dp_tech=first and first.dpr_tech,
        progid=first and first.progid,
        mjd_obs=first and first.t_min,
        access_url=f"https://archive.eso.org/dataset/{header_id}",
        fetched=_now(),
        header=text,
    )


def _position_of_name(name: str) -> tuple[float, float] | None:
    """Position (degrees, ICRS) of the one target of that name; None for no or several."""
    with base.getTableConn() as connection:
        found = list(
            connection.query(
                "SELECT DISTINCT s_ra, s_dec FROM obsportal.target_alias AS a"
                " JOIN obsportal.target AS t USING (target_id)"
                " WHERE a.alias_key=%(key)s AND t.merged_into IS NULL LIMIT 2",
                {"key": names.key(name)},
            )
        )
    return found[0] if len(found) == 1 else None


def _order(exposure: Exposure) -> tuple[str, int]:
    return exposure.header_id, exposure.exposure_number


def _header_id(exposure: Exposure) -> str:
    return exposure.header_id


def _log_row(header_id: str, archive: str, exposures: list[Exposure]) -> Row:
    first = exposures[0]
    return store.header_row(
        header_id,
        archive,
        instrument=first.instrument_name,
        progid=first.progid,
        prog_title=first.prog_title,
        datapi=first.datapi,
        mjd_obs=first.t_min,
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
