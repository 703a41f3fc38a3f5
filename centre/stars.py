"""The operator's command on the stars of all data sets, and how other commands keep them in step.

What is done is in `jmmc/res/`, imported only when needed, as DaCHS takes seconds to load.
"""

import argparse
import os
from typing import TYPE_CHECKING, Any

from centre import cluster
from centre.instance import Instance

if TYPE_CHECKING:
    from jmmc.res import stars

SYNC_HELP = """Brings the stars of all data sets (jmmc.star) in step with them. Commands that ingest
something do so for what they change."""


def add_sync_kind(kinds: Any) -> Any:
    """Declares `sync stars`; returns its parser."""
    return kinds.add_parser("stars", help="the stars of all data sets", description=SYNC_HELP)


def sync(instance: Instance, options: argparse.Namespace) -> int:
    """Follows all data sets."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        print(_follow())
    return 0


def follow(instance: Instance, *data_sets: str) -> None:
    """Follows what a command has changed."""
    with cluster.running(instance):
        os.environ.update(instance.environment())
        _follow(*data_sets)


def _follow(*data_sets: str) -> "stars.Report":
    from gavo import base

    from jmmc.res import stars

    with base.getWritableAdminConn() as connection:
        report = stars.follow(connection, data_sets or stars.DATA_SETS)
        connection.commit()
    return report
