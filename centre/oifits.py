"""The operator's commands on OIFITS files: how they are asked for and how their outcome is told.

What is done to a file is in `oidb/res/` and `ingest/`, which are imported only when they are needed:
`check` must answer at once and DaCHS takes seconds to load.
"""

import argparse
import glob
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from centre import CentreError, cluster
from centre.instance import Instance

INGEST_HELP = """Takes OIFITS files into OiDB: new ones are accepted, ones that are there already
are left unchanged, ones that cannot be read are rejected with the reason. A second call changes
nothing; one that was interrupted can be repeated."""

CHECK_HELP = """Validates OIFITS files against the OIFITS 1 and 2 standards. The exit code is 1 when a
file cannot be read or breaks a rule of severity error."""

_SUFFIXES = (".fits", ".fit", ".oifits", ".fits.gz", ".fit.gz", ".oifits.gz")


def add_ingest_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `ingest oifits`."""
    _add_paths(parser)
    parser.add_argument("--collection", metavar="ID", help="collection the files belong to")
    parser.add_argument(
        "--level",
        type=int,
        choices=range(4),
        metavar="N",
        help="ObsCore calib_level, 0 to 3, when the files do not tell (default: 2)",
    )
    parser.add_argument("--owner", metavar="NAME", help="group that may see the files before")
    parser.add_argument(
        "--release-date", type=_date, metavar="DATE", help="the day they become public (YYYY-MM-DD)"
    )
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the outcome there")


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `check oifits`."""
    _add_paths(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the report")


def _add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or glob pattern")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no date of the form YYYY-MM-DD") from None


def find_files(paths: Iterable[str]) -> Iterator[Path]:
    """The files that paths, folders and glob patterns name, each once, in a stable order.

    A folder stands for the OIFITS files in and below it, by their suffix; a file that is named
    is taken whatever its suffix. Links to folders are followed once.

    Raises CentreError for a path or pattern that names nothing.
    """
    seen = set()
    for given in paths:
        names = [given] if os.path.lexists(given) else sorted(glob.glob(given, recursive=True))
        if not names:
            raise CentreError(f"{given}: no such file or folder.")
        for name in names:
            for path in _below(Path(name)) if os.path.isdir(name) else [Path(name)]:
                real = os.path.realpath(path)
                if real not in seen:
                    seen.add(real)
                    yield path


def _below(folder: Path) -> Iterator[Path]:
    visited = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(_SUFFIXES):
                yield Path(here) / name


def ingest(instance: Instance, options: argparse.Namespace) -> int:
    """Ingests what the options name; the exit code is 1 when a file was rejected."""
    files = list(find_files(options.paths))
    outcomes = []
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from oidb.res import ingestion  # needs DaCHS and the environment of the instance

        for number, outcome in enumerate(
            ingestion.ingest(
                files,
                collection=options.collection,
                level=options.level,
                owner=options.owner,
                release_date=options.release_date,
            ),
            start=1,
        ):
            outcomes.append(outcome)
            _progress(number, len(files), str(outcome.path))
    _progress_done()
    counts = Counter(outcome.status for outcome in outcomes)
    for outcome in outcomes:
        if outcome.status == "rejected":
            print(f"rejected  {outcome.path}: {outcome.reason}")
    print(", ".join(f"{counts[status]} {status}" for status in _STATUSES))
    if options.report:
        _write_report(options.report, outcomes, counts)
    return 1 if counts["rejected"] else 0


_STATUSES = ("accepted", "unchanged", "rejected")


def ingest_demonstration(instance: Instance) -> None:
    """Simulates the demonstration files and ingests them."""
    os.environ.update(instance.environment())
    from ingest import simulate
    from oidb.res import ingestion

    folder = instance.root / "demonstration"
    folder.mkdir(exist_ok=True)
    files = simulate.write_demonstration(folder)
    outcomes = ingestion.ingest(files, collection="demonstration")
    for number, outcome in enumerate(outcomes, start=1):
        if outcome.status == "rejected":
            raise CentreError(f"{outcome.path} was rejected: {outcome.reason}")
        _progress(number, len(files), str(outcome.path))
    _progress_done()


def check(options: argparse.Namespace) -> int:
    """Validates what the options name; the exit code is 1 when a file is not as it must be."""
    from ingest import checks

    reports = [checks.check_file(path) for path in find_files(options.paths)]
    if options.format == "json":
        json.dump([report.as_dict() for report in reports], sys.stdout, indent=1)
        print()
    else:
        for report in reports:
            print(report.as_text())
    return 0 if all(report.is_valid for report in reports) else 1


def _write_report(target: Path, outcomes: list[Any], counts: Counter[str]) -> None:
    files = [
        {"path": str(outcome.path), "status": outcome.status, "reason": outcome.reason}
        for outcome in outcomes
    ]
    summary = {status: counts[status] for status in _STATUSES}
    target.write_text(json.dumps({"summary": summary, "files": files}, indent=1) + "\n")


def _progress(done: int, total: int, label: str) -> None:
    """Draws the progress bar, if somebody looks at it."""
    if sys.stderr.isatty():
        filled = 30 * done // max(total, 1)
        bar = "#" * filled + "." * (30 - filled)
        print(f"\r[{bar}] {done}/{total} {label[-40:]:40}", end="", file=sys.stderr, flush=True)


def _progress_done() -> None:
    if sys.stderr.isatty():
        print(f"\r{'':90}\r", end="", file=sys.stderr, flush=True)
