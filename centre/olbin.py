"""The operator's command on publications: how it is asked for, how its outcome is told."""

import argparse
import os
from pathlib import Path
from typing import Any

from centre import CentreError, cluster
from centre.instance import CHECKOUT, Instance

INGEST_HELP = """Takes the publications of an export of Olbin's database (CSV: BIBCODE, and a column
for each category of tags; PUBDATE and TITLE may be added). An export is the whole list: what it has
no more is removed. A file with a mistake is refused as a whole, and the exit code is 1."""

_DEMONSTRATION = CHECKOUT / "olbin" / "res" / "demonstration.csv"


def add_ingest_kind(kinds: Any, run: Any) -> None:
    """Declares `ingest olbin`."""
    added = kinds.add_parser("olbin", help="Publications and their tags", description=INGEST_HELP)
    added.add_argument("path", type=Path, metavar="FILE", help="the export")
    added.set_defaults(run=run)


def ingest(instance: Instance, options: argparse.Namespace) -> int:
    """Ingests the export that the options name; raises CentreError when it is refused."""
    print(_ingest(instance, options.path))
    return 0


def ingest_demonstration(instance: Instance) -> None:
    """Ingests the publications of the demonstration, which nobody has written."""
    _ingest(instance, _DEMONSTRATION)


def _ingest(instance: Instance, path: Path) -> str:
    """Ingests an export; its outcome in a sentence."""
    from ingest import olbin
    from ingest.fits import UnreadableFile

    try:
        export = olbin.read(path)
    except UnreadableFile as error:
        raise CentreError(str(error)) from None
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from olbin.res import store

        report = store.replace(export)
    return (
        f"{len(export.publications)} publications: {report.new} new, {report.changed} changed, "
        f"{report.unchanged} unchanged, {report.removed} removed"
    )
