"""The operator's command that follows ESO's archive: how it is asked for, how it is answered.

What is done is in `obsportal/res/sync.py`, imported only when needed, as DaCHS takes seconds to
load.
"""

import argparse
import json
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from centre import CentreError, cluster, stars
from centre.instance import Instance
from ingest import eso

if TYPE_CHECKING:
    from obsportal.res import sync

ESO_HELP = """Brings the observation log into step with ESO's archive: lists the raw files of VLTI's
instruments that are new or changed since the last run, fetches their headers, and stores their
exposures. A run that was cut off is completed by the next one; a header that could not be had is
tried again next time. The exit code is 1 when the run ended early, for instance because the
archive does not answer; what was done until then is kept."""

#: PostgreSQL ends when this is not left for its log, bytes: it takes 16 MB at a time.
_LITTLE = 1 << 25
#: Shown of files that failed or were withdrawn.
_SHOWN = 20


def add_eso_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `sync eso`."""
    manners = eso.Manners()
    parser.add_argument(
        "--archive",
        default=eso.ADDRESS,
        metavar="URL",
        help="where /tap_obs and /hdr are (default: %(default)s)",
    )
    parser.add_argument(
        "--since",
        type=_time,
        metavar="TIME",
        help="list changes since then (YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, UTC), not since the"
        " last run",
    )
    parser.add_argument(
        "--instrument",
        action="append",
        choices=eso.INSTRUMENTS,
        metavar="NAME",
        help=f"only this one, may be repeated (of {', '.join(eso.INSTRUMENTS)}); as with a later"
        " --since, the next run lists from the same time again",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="also list all files, to find those that the archive has withdrawn",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what there is to do, only")
    parser.add_argument(
        "--parallel",
        type=_positive,
        default=manners.parallel,
        metavar="N",
        help="headers asked for at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=_positive,
        default=int(manners.rate),
        metavar="N",
        help="requests in a second, at most (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=_positive,
        default=int(manners.timeout),
        metavar="S",
        help="seconds an answer may take (default: %(default)s)",
    )
    parser.add_argument(
        "--patience",
        type=_positive,
        default=int(manners.patience),
        metavar="S",
        help="seconds to repeat a request that gets no answer (default: %(default)s)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the outcome there")


def follow_eso(instance: Instance, options: argparse.Namespace) -> int:
    """Brings the log into step with the archive; the exit code is 1 when the run ended early."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        try:
            from obsportal.res import sync
        except psycopg2.Error as error:  # DaCHS asks the database when it is imported
            words = str(error).strip().partition("\n")[0]
            raise CentreError(f"The database: {words}{_room(instance)}") from None

        settings = sync.Settings(
            archive=options.archive,
            instruments=tuple(dict.fromkeys(options.instrument or eso.INSTRUMENTS)),
            since=options.since,
            full=options.full,
            dry_run=options.dry_run,
            manners=eso.Manners(
                parallel=options.parallel,
                rate=options.rate,
                timeout=options.timeout,
                patience=options.patience,
            ),
        )
        try:
            report = sync.synchronise(settings, _Progress())
        except ValueError as error:
            raise CentreError(str(error)) from None
        if not report.message and not options.dry_run:
            stars.follow(instance, "obsportal")
    if report.message:
        report.message += _room(instance)
    _tell(report, settings)
    if options.report:
        options.report.write_text(json.dumps(report.as_dict(), indent=1) + "\n")
    if report.message:
        print(f"jmmc: the synchronisation ended early: {report.message}", file=sys.stderr)
        return 1
    return 0


def _room(instance: Instance) -> str:
    """A word on the disk when it is full: PostgreSQL's clients only see that it is gone."""
    if instance.database:
        return ""  # its disk is another machine's
    free = shutil.disk_usage(instance.cluster).free
    return f" (the disk of {instance.root} is full)" if free < _LITTLE else ""


def _tell(report: "sync.Report", settings: "sync.Settings") -> None:
    for name, problem in list(report.failed.items())[:_SHOWN]:
        print(f"no exposure of {name}: {problem}")
    for name in report.withdrawn[:_SHOWN]:
        print(f"withdrawn {name}")
    for files in (report.failed, report.withdrawn):
        if len(files) > _SHOWN:
            print(f"... and {len(files) - _SHOWN} more (all are in --report)")
    print(
        f"{report.listed} files listed: {report.new} new, {report.changed} changed,"
        f" {report.renewed} with other dates or names"
    )
    if settings.dry_run:
        print(f"{report.fetched} headers to fetch, {len(report.withdrawn)} files withdrawn")
        return
    print(
        f"{report.fetched} headers fetched, {report.exposures} exposures stored,"
        f" {len(report.failed)} failed, {len(report.withdrawn)} withdrawn"
    )
    if report.mark is not None:
        print(f"In step up to {report.mark.isoformat(timespec='seconds')} (UTC)")


class _Progress:
    """Says how far a run is: at a terminal all the time, in a log now and then."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._next = time.monotonic() + 60

    def __call__(self, phase: str, done: int, total: int) -> None:
        if self._live:
            end = "\n" if done == total else ""
            print(f"\r{phase} {done}/{total} ", end=end, file=sys.stderr, flush=True)
        elif time.monotonic() > self._next:
            self._next = time.monotonic() + 60
            print(f"{phase} {done}/{total}", flush=True)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no time of the form YYYY-MM-DD or YYYY-MM-DDThh:mm:ss"
        ) from None
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1")
    return int(text)
