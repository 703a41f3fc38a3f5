"""The operator's commands on JMDC: how they are asked for, how their outcome is told.

What is done is in `jmdc/res/`, imported only when needed, as DaCHS takes seconds to load.
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from centre import CentreError, cluster
from centre.instance import Instance
from centre.oifits import DEMONSTRATION, expand

INGEST_HELP = """Takes releases of JMDC in: CSV of its web site, spreadsheets, the table of CDS
(with its ReadMe beside it), VOTable, FITS. The day of a release is that in the name of its file. A
release that is in already is replaced; files come in together or not at all."""

CHECK_HELP = """Judges the rows of a file of JMDC by all rules. The exit code is 1 when a row is
wrong or cannot be read."""

RELEASE_HELP = """Makes JMDC as it stands a release, and writes its files: jmdc.csv (the columns of
the web site), jmdc.dat and ReadMe (the table of CDS), jmdc.vot, changes.csv. For a release that
there is already, its files are written again."""

RESOLVE_HELP = """Looks for positions of stars that have none: in files of JMDC with coordinates, in
the other data sets, and with the name resolver of JMMC_RESOLVER."""

#: Severities in the order in which they are told.
_SEVERITIES = ("error", "warning", "note")

Run = Callable[[argparse.Namespace], int]


def add_ingest_kind(kinds: Any, run: Run) -> None:
    """Declares `ingest jmdc`."""
    added = kinds.add_parser("jmdc", help="releases of JMDC", description=INGEST_HELP)
    added.add_argument("paths", nargs="+", metavar="FILE", help="file or glob pattern")
    added.add_argument("--release", metavar="NAME", help="name of the release (default: its day)")
    _add_date(added)
    added.set_defaults(run=run)


def add_check_kind(kinds: Any) -> None:
    """Declares `check jmdc`."""
    added = kinds.add_parser("jmdc", help="files of JMDC", description=CHECK_HELP)
    added.add_argument("paths", nargs="+", metavar="FILE", help="file or glob pattern")
    added.add_argument("--notes", action="store_true", help="tell what is merely incomplete, too")
    added.set_defaults(run=check)


def add_actions(actions: Any, run: Callable[..., int]) -> None:
    """Declares `jmdc release` and `jmdc resolve`."""
    added = actions.add_parser("release", help="make a release", description=RELEASE_HELP)
    added.add_argument("release", metavar="NAME", help="name of the release")
    added.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="for its files")
    _add_date(added)
    added.set_defaults(run=run, action=release)
    added = actions.add_parser("resolve", help="find positions", description=RESOLVE_HELP)
    added.add_argument("paths", nargs="*", metavar="FILE", help="file with coordinates")
    added.set_defaults(run=run, action=resolve, to=None)


def ingest(instance: Instance, options: argparse.Namespace) -> int:
    """Takes files in; CentreError when one is refused."""
    from ingest import jmdc

    paths = expand(options.paths)
    if len(paths) > 1 and (options.release or options.date):
        raise CentreError("Name and day of a release can be told for a single file only.")
    with _readable():
        files = [jmdc.read_release(path, options.release, options.date) for path in paths]
    with _at_work(instance):
        from jmdc.res import releases

        report = releases.ingest(files, _follow)
        print(*report.lines, sep="\n")
        _tell_stars(report)
    return 0


def check(options: argparse.Namespace) -> int:
    """Prints what the rules find in files; the exit code is 1 when a row is wrong."""
    from ingest import jmdc, jmdc_rules, jmdc_stars

    wrong = 0
    for path in expand(options.paths):
        with _readable():
            contents = jmdc.read(path)
        for problem in contents.problems:
            print(f"error    {problem}")
        by_star: dict[str, list[jmdc.Measurement]] = {}
        for row in contents.measurements:
            by_star.setdefault(jmdc_stars.key(row.id1), []).append(row)
        number: Counter[str] = Counter(error=len(contents.problems))
        for row in contents.measurements:
            others = list(by_star[jmdc_stars.key(row.id1)])
            others.remove(row)
            judgement = jmdc_rules.judge(row, others)
            for finding in judgement.findings:
                number[finding.rule.severity] += 1
                if finding.rule.severity != jmdc_rules.Severity.NOTE or options.notes:
                    place = f"{row.id1}, {row.bibcode or 'no bibcode'}"
                    print(f"{finding.rule.severity:8} {place}: {finding.words}")
            if judgement.correction is not None:
                print(f"         {judgement.correction.reason}")
        told = ", ".join(f"{number[severity]} {severity}s" for severity in _SEVERITIES)
        print(f"{path.name}: {len(contents.measurements)} rows, {told}")
        wrong += number["error"]
    return 1 if wrong else 0


def release(instance: Instance, options: argparse.Namespace) -> int:
    """Makes a release and writes its files."""
    with _at_work(instance):
        from jmdc.res import releases

        for path in releases.release(options.release, options.to, options.date, _follow):
            print(path)
    return 0


def resolve(instance: Instance, options: argparse.Namespace) -> int:
    """Looks for positions of stars."""
    from ingest import jmdc

    places = {}
    for path in expand(options.paths):
        with _readable():
            found = jmdc.read_whole(path).places
        if not found:
            raise CentreError(f"{path.name} has no coordinates (RAJ2000, DEJ2000).")
        places.update(found)
    with _at_work(instance):
        from jmdc.res import releases

        _tell_stars(releases.resolve(places, _follow))
    return 0


def ingest_demonstration(instance: Instance) -> None:
    """Simulates two releases and ingests them."""
    with _at_work(instance):
        from ingest import jmdc, simulate_jmdc
        from jmdc.res import releases

        folder = instance.root / DEMONSTRATION / "jmdc"
        folder.mkdir(parents=True, exist_ok=True)
        files = [jmdc.read_release(path) for path in simulate_jmdc.write(folder)]
        releases.ingest(files, _follow)


@contextmanager
def _at_work(instance: Instance) -> Iterator[None]:
    """The database is there, and what can go wrong is told in a sentence."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from jmdc.res import catalogue

        try:
            yield
        except catalogue.CatalogueError as error:
            raise CentreError(str(error)) from None


def _follow(connection: Any) -> None:
    """Brings the stars of all data sets in step."""
    from jmmc.res import stars

    stars.follow(connection, ["jmdc"])


@contextmanager
def _readable() -> Iterator[None]:
    """A file that cannot be read is told in a sentence."""
    from ingest.fits import UnreadableFile

    try:
        yield
    except UnreadableFile as error:
        raise CentreError(str(error)) from None


def _tell_stars(report: Any) -> None:
    print(f"{report.resolved} stars have got a position, {report.unresolved} have none")


def _add_date(parser: argparse.ArgumentParser) -> None:
    words = "day of the release (YYYY-MM-DD)"
    parser.add_argument("--date", type=date.fromisoformat, metavar="DAY", help=words)
