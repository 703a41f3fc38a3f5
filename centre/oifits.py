"""The operator's commands on OIFITS files: how they are asked for and how their outcome is told.

What is done to a file is in `oidb/res/` and `ingest/`, imported only when needed: `check` must
answer at once, and DaCHS takes seconds to load.
"""

import argparse
import glob
import json
import os
import shutil
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from centre import CentreError, cluster, stars
from centre.instance import CHECKOUT, Instance

if TYPE_CHECKING:
    from oidb.res import ingestion

INGEST_HELP = """Takes OIFITS files into OiDB: new ones are accepted, ones that are there already
are left unchanged, ones that cannot be read are rejected with the reason. A second call changes
nothing; one that was cut off can be repeated. The exit code is 1 when a file was rejected."""

CHECK_HELP = """Validates OIFITS files against the OIFITS 1 and 2 standards. The exit code is 1
when a file cannot be read or breaks a rule of severity error."""

DEMONSTRATION = "demonstration"
# The demonstration's private collection shows what a stranger cannot see, for good.
_PRIVATE = "sim_private"
_NEVER = date(2099, 1, 1)


def add_ingest_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `ingest oifits`."""
    _add_paths(parser)
    parser.add_argument("--collection", metavar="ID", help="collection the files belong to")
    parser.add_argument(
        "--level",
        type=int,
        choices=range(4),
        metavar="N",
        help="calib_level of ObsCore, 0 to 3 (default: what the collection says, or 2)",
    )
    parser.add_argument("--owner", metavar="NAME", help="group that may see private files")
    parser.add_argument(
        "--release-date", type=day, metavar="DATE", help="first public day, as YYYY-MM-DD"
    )
    parser.add_argument("--pi", metavar="NAME", help="principal investigator, if files do not tell")
    parser.add_argument(
        "--remote", metavar="URL", help="files stay there: refer to URL/NAME, keep no copy"
    )
    parser.add_argument("--no-plots", action="store_true", help="draw no plots now")
    parser.add_argument(
        "--again",
        action="store_true",
        help="read again what is in already, after a change of the vocabulary or of a rule",
    )
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the outcome there")


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `check oifits`."""
    _add_paths(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the report")


def ingest(instance: Instance, options: argparse.Namespace) -> int:
    """Ingests what the options name; the exit code is 1 when a file was rejected."""
    paths = expand(options.paths)
    with cluster.running(instance):
        _enter(instance)
        from oidb.res import ingestion

        report = _ingest(
            paths,
            ingestion.Settings(
                collection=options.collection,
                calib_level=options.level,
                owner=options.owner,
                release_date=options.release_date,
                datapi=options.pi,
                remote=options.remote,
                plots=not options.no_plots,
                again=options.again,
            ),
        )
        stars.follow(instance, "oidb")
    for path, reason in report.rejected.items():
        print(f"rejected   {path}: {reason}")
    for path, reason in report.unplotted.items():
        print(f"not drawn  {path}: {reason}")
    print(
        f"{len(report.accepted)} accepted ({report.granules} granules), "
        f"{len(report.unchanged)} unchanged, {len(report.rejected)} rejected"
    )
    if options.report:
        options.report.write_text(json.dumps(report.as_dict(), indent=1) + "\n")
    return 1 if report.rejected else 0


def ingest_demonstration(instance: Instance) -> None:
    """Simulates the demonstration files and ingests them, a collection a folder."""
    folder = instance.root / DEMONSTRATION
    with cluster.running(instance):
        _enter(instance)
        from ingest import simulate
        from oidb.res import ingestion

        files = simulate.demonstration(folder)
        collections = sorted({file.collection for file in files})
        for collection in collections:
            shutil.copyfile(
                CHECKOUT / "oidb" / "res" / "demonstration" / f"{collection}.toml",
                folder / collection / ingestion.COLLECTION_FILE,
            )
        public = [folder / collection for collection in collections if collection != _PRIVATE]
        private = ingestion.Settings(owner=DEMONSTRATION, release_date=_NEVER)
        for paths, settings in (
            (public, ingestion.Settings()),
            ([folder / _PRIVATE], private),
        ):
            for path, reason in _ingest(paths, settings).rejected.items():
                raise CentreError(f"{path} was rejected: {reason}")


def check(options: argparse.Namespace) -> int:
    """Validates what the options name; the exit code is 1 when a file is not as it must be."""
    from ingest import checks, discover

    valid = True
    reports = []
    for report in checks.check_files(discover.files(expand(options.paths))):
        valid = valid and report.error is None and not checks.summary(report.findings)["error"]
        if options.format == "json":
            reports.append(checks.as_dict(report))
        else:
            print(checks.report_text(report), end="")
    if options.format == "json":
        print(json.dumps(reports, indent=1))
    return 0 if valid else 1


def expand(paths: Iterable[str]) -> list[Path]:
    """The files and folders that paths and glob patterns name.

    Raises CentreError for one that names nothing.
    """
    found: list[Path] = []
    for given in paths:
        names = [given] if os.path.lexists(given) else sorted(glob.glob(given, recursive=True))
        if not names:
            raise CentreError(f"{given}: no such file or folder.")
        found.extend(Path(name) for name in names)
    return found


def _enter(instance: Instance) -> None:
    """Gives this process the instance's environment, which DaCHS reads when it is imported."""
    os.environ.update(instance.environment())


def _ingest(paths: list[Path], settings: "ingestion.Settings") -> "ingestion.Report":
    from oidb.res import ingestion

    try:
        return ingestion.ingest(paths, settings, _progress)
    except ingestion.IngestionError as error:
        raise CentreError(str(error)) from None
    finally:
        if sys.stderr.isatty():
            print(f"\r{'':60}\r", end="", file=sys.stderr, flush=True)


def _progress(phase: str, done: int, total: int) -> None:
    """Draws the progress bar, if somebody looks at it."""
    if sys.stderr.isatty():
        filled = 30 * done // max(total, 1)
        bar = "#" * filled + "." * (30 - filled)
        print(f"\r{phase:6} [{bar}] {done}/{total} ", end="", file=sys.stderr, flush=True)


def _add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or glob pattern")


def day(text: str) -> date:
    """The date an argument names."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no date of the form YYYY-MM-DD") from None
