"""The operator's commands on observation logs: how they are asked for, how their outcome is told.

What is done is in `obsportal/res/` and `oidb/res/`, imported only when needed, as DaCHS takes
seconds to load.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centre import CentreError, cluster, stars
from centre.instance import Instance
from centre.oifits import DEMONSTRATION, expand

if TYPE_CHECKING:
    from obsportal.res import logs

HEADERS_HELP = """Takes headers of VLTI into the observation log: text dumps, pages of ESO's header
service, FITS files. Exposures of a file replace what was there of it. With --again, the kept
headers are read again, after a change of the rules. The exit code is 1 when one was refused."""

CHARA_HELP = """Takes observing logs of CHARA into the observation log: CSV, or VOTable (SPICA).
The exit code is 1 when a row was refused; the others are in."""

FORMER_HELP = """Takes over exposures from answers of the former ObsPortal (search.votable)."""

GRADES_HELP = """Takes a facility's grades of observation blocks: CSV with the columns OB id, grade,
date, comment, source."""

MERGE_HELP = """Declares two targets to be one: exposures and names go to the first; links to the
other stay alive. Recorded in obsportal.target_change."""

SPLIT_HELP = """Takes names, with their exposures, out of a target and makes them one of their own.
Recorded in obsportal.target_change."""

_KINDS = {
    "headers": ("Headers of VLTI", HEADERS_HELP),
    "chara": ("Observing logs of CHARA", CHARA_HELP),
    "obsportal": ("Answers of the former ObsPortal", FORMER_HELP),
}


def add_ingest_kinds(kinds: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Declares `ingest headers`, `ingest chara`, `ingest obsportal` and `ingest grades`."""
    for kind, (summary, words) in _KINDS.items():
        added = kinds.add_parser(kind, help=summary, description=words)
        many = "*" if kind == "headers" else "+"
        added.add_argument("paths", nargs=many, metavar="PATH", help="file, folder or glob pattern")
        if kind == "headers":
            added.add_argument("--again", action="store_true", help="read the kept headers again")
        _finish(added, kind, run)
    added = kinds.add_parser("grades", help="Grades of observation blocks", description=GRADES_HELP)
    added.add_argument("paths", nargs=1, metavar="FILE.csv", help="the grades")
    added.add_argument("--facility", default="VLTI", metavar="NAME", help="who gave them")
    _finish(added, "grades", run)


def add_target_actions(actions: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Declares `target merge` and `target split`."""
    merge = actions.add_parser("merge", help="two targets are one", description=MERGE_HELP)
    merge.add_argument("target", type=int, metavar="TARGET", help="number of the one that stays")
    merge.add_argument("other", type=int, metavar="OTHER", help="number of the one that goes")
    split = actions.add_parser("split", help="a target is two", description=SPLIT_HELP)
    split.add_argument("target", type=int, metavar="TARGET", help="number of the target")
    split.add_argument("names", nargs="+", metavar="NAME", help="names that mean another one")
    for parser, action in ((merge, _merge), (split, _split)):
        parser.add_argument("--reason", metavar="TEXT", help="why, for the record")
        parser.set_defaults(run=run, action=action)


def ingest(instance: Instance, options: argparse.Namespace) -> int:
    """Ingests what the options name; the exit code is 1 when something was refused."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        report = _ingest_logs(options)
        stars.follow(instance, "obsportal")
    for name, reason in report.rejected.items():
        print(f"rejected   {name}: {reason}")
    refused = len(report.rejected)
    print(f"{report.accepted} accepted ({report.exposures} exposures), {refused} rejected")
    if options.report:
        options.report.write_text(json.dumps(report.as_dict(), indent=1) + "\n")
    return 1 if report.rejected else 0


def ingest_demonstration(instance: Instance) -> None:
    """Simulates the demonstration's log, ingests it, and tells OiDB's granules of it."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from obsportal.res import logs
        from oidb.res import logs as oidb_logs

        report = logs.ingest_demonstration(instance.root / DEMONSTRATION)
        for name, reason in report.rejected.items():
            raise CentreError(f"{name} was rejected: {reason}")
        oidb_logs.follow()


def change_target(instance: Instance, options: argparse.Namespace) -> int:
    """Does what `target merge` or `target split` asks for."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from obsportal.res import store, targets

        try:
            with store.alone():
                print(options.action(targets, options))
        except targets.TargetError as error:
            raise CentreError(str(error)) from None
        stars.follow(instance, "obsportal")
    return 0


def follow_logs(instance: Instance, options: argparse.Namespace) -> int:
    """Brings what the observation logs know into OiDB: `sync oidb`."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from oidb.res import logs as oidb_logs

        report = oidb_logs.follow()
    print(report)
    return 0


def _finish(
    parser: argparse.ArgumentParser, kind: str, run: Callable[[argparse.Namespace], int]
) -> None:
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the outcome there")
    parser.set_defaults(run=run, kind=kind)


def _ingest_logs(options: argparse.Namespace) -> "logs.Report":
    from obsportal.res import logs

    if options.kind == "grades":
        return logs.ingest_grades(expand(options.paths)[0], options.facility)
    if options.kind == "headers" and options.again:
        return logs.read_again(_progress)
    if not options.paths:
        raise CentreError("Nothing was named: give files or folders with headers, or --again.")
    paths = expand(options.paths)
    kinds = {
        "headers": logs.ingest_headers,
        "chara": logs.ingest_chara,
        "obsportal": logs.ingest_former,
    }
    return kinds[options.kind](paths, _progress)


def _merge(targets: Any, options: argparse.Namespace) -> str:
    moved = targets.merge(options.target, options.other, options.reason)
    return f"Target {options.other} is target {options.target} now; {moved} exposures moved."


def _split(targets: Any, options: argparse.Namespace) -> str:
    new, moved = targets.split(options.target, options.names, options.reason)
    return f"Target {new} was taken out of target {options.target}; {moved} exposures moved."


def _progress(phase: str, done: int, total: int) -> None:
    """Draws how far a run is, if somebody looks at it; not at every step."""
    if sys.stderr.isatty() and (done % 100 == 0 or done == total):
        end = "\n" if done == total else ""
        print(f"\r{phase} {done}/{total} ", end=end, file=sys.stderr, flush=True)
