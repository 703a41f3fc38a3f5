"""The operator's commands on JSDC: how they are asked for, how their outcome is told.

What is done is in `jsdc/res/`, imported only when needed, as DaCHS takes seconds to load.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from centre import CentreError, cluster
from centre.instance import Instance

INGEST_HELP = """Puts a file of the JMMC Stellar Diameters Catalogue in the place of the one that is
there: FITS, VOTable or TSV, as the CDS hands out II/346, plain or gzip."""


def add_ingest_kind(kinds: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Declares `ingest jsdc`."""
    added = kinds.add_parser(
        "jsdc", help="The catalogue of stellar diameters", description=INGEST_HELP
    )
    added.add_argument("path", type=Path, metavar="FILE", help="the catalogue")
    added.set_defaults(run=run)


def ingest(instance: Instance, options: argparse.Namespace) -> int:
    """Loads the file that the options name."""
    from ingest import fits, jsdc

    try:
        catalogue = jsdc.read(options.path)
    except fits.UnreadableFile as error:
        raise CentreError(str(error)) from None
    _load(instance, catalogue)
    doubtful = int((catalogue.columns["quality_flags"] != b"").sum())
    print(
        f"{len(catalogue)} stars of JSDC {catalogue.version} are in; {doubtful} have quality flags."
    )
    return 0


def ingest_demonstration(instance: Instance) -> None:
    """Simulates the demonstration's catalogue and loads it."""
    from centre.oifits import DEMONSTRATION
    from ingest import jsdc, simulate_jsdc

    path = instance.root / DEMONSTRATION / "jsdc.fits"
    path.parent.mkdir(parents=True, exist_ok=True)
    simulate_jsdc.write_fits(simulate_jsdc.demonstration(), path)
    _load(instance, jsdc.read(path))


def _load(instance: Instance, catalogue: Any) -> None:
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from jmmc.res import stars
        from jsdc.res import store

        with store.alone():
            store.load(catalogue, lambda connection: stars.follow(connection, ["jsdc"]))
