"""The operator's commands on bad calibrators: how they are asked for, how their outcome is told.

What is done is in `badcal/res/`, imported only when needed, as DaCHS takes seconds to load.
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

if TYPE_CHECKING:
    from badcal.res import candidates

INGEST_HELP = """Registers bad calibrators of a facility's own archive: CSV or VOTable with ra, dec
and, as far as they are known, name, reason_class, obs_date, interferometer, instrument, baseline,
wavelength, comment, evidence_url, record (the facility's identifier of the row) and badcal_id (the
number that the star had in BadCal before). They are accepted at once; stars that are known get a
report more. A second call changes nothing. The exit code is 1 when a row cannot be taken: then none
is."""


CANDIDATES_HELP = """Looks for bad calibrators that nobody has reported: calibrators whose public
squared visibilities in OiDB contradict the diameter that JMDC or JSDC has for them. Files them as
candidates, which editors judge; what was rejected is not filed again without new data."""


def add_ingest_kind(kinds: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Declares `ingest badcal`."""
    added = kinds.add_parser(
        "badcal", help="Bad calibrators of a facility", description=INGEST_HELP
    )
    added.add_argument("path", type=Path, metavar="FILE", help="the table")
    added.add_argument("--facility", required=True, metavar="NAME", help="who stands for it")
    added.add_argument("--report", type=Path, metavar="FILE.json", help="write the outcome there")
    added.set_defaults(run=run)


def add_actions(actions: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Declares `badcal candidates`."""
    words = "look for what nobody has reported"
    added = actions.add_parser("candidates", help=words, description=CANDIDATES_HELP)
    added.add_argument("--report", type=Path, metavar="FILE.json", help="write the outcome there")
    added.set_defaults(run=run)


def find_candidates(instance: Instance, options: argparse.Namespace) -> int:
    """Does what `badcal candidates` asks for."""
    with cluster.running(instance):
        report = _search(instance)
        stars.follow(instance, "badcal")
    print(
        f"{report.judged} calibrators judged ({report.without_diameter} without an expected"
        f" diameter); candidates: {report.binary} binary, {report.resolved} resolved;"
        f" doubtful and known before: {report.known}"
    )
    if options.report:
        options.report.write_text(json.dumps(report.as_dict(), indent=1) + "\n")
    return 0


def _search(instance: Instance) -> "candidates.Report":
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from gavo import base

        from badcal.res import candidates

        with base.getWritableAdminConn() as connection:
            return candidates.search(connection, _progress)


def _progress(done: int, total: int) -> None:
    """Draws how far the search is, if somebody looks at it."""
    if sys.stderr.isatty() and (done % 10 == 0 or done == total):
        end = "\n" if done == total else ""
        print(f"\rcalibrators {done}/{total} ", end=end, file=sys.stderr, flush=True)


def ingest(instance: Instance, options: argparse.Namespace) -> int:
    """Registers the table that the options name; the exit code is 1 when it was refused."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from gavo import base

        from badcal.res import registration, store
        from ingest.fits import UnreadableFile

        problems: list[str] = []
        outcome = registration.Outcome()
        with base.getWritableAdminConn() as connection:
            try:
                outcome = registration.register(
                    connection,
                    options.path,
                    options.facility,
                    store.Actor("facility"),
                    numbers=True,
                )
            except UnreadableFile as error:
                connection.rollback()
                raise CentreError(str(error)) from None
            except registration.RefusedError as error:
                connection.rollback()
                problems = [str(problem) for problem in error.problems] or [str(error)]
        if not problems:
            stars.follow(instance, "badcal")
    for problem in problems:
        print(f"refused    {problem}")
    print(
        f"{outcome.registered} registered ({outcome.merged} of stars known before,"
        f" {outcome.replaced} in place of former ones), {outcome.unchanged} unchanged,"
        f" {len(problems)} refused"
    )
    if options.report:
        told = {**outcome.as_dict(), "refused": problems}
        options.report.write_text(json.dumps(told, indent=1) + "\n")
    return 1 if problems else 0


def load_demonstration(instance: Instance) -> None:
    """Stores the demonstration's reports, and looks for candidates among its calibrators."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from gavo import base

        from badcal.res import demonstration

        with base.getWritableAdminConn() as connection:
            demonstration.load(connection)
    _search(instance)
