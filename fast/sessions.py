"""Sessions with the database for queries of anybody."""

from __future__ import annotations

import os
import time
from typing import Any

import psycopg2
from psycopg2 import extensions

#: Seconds for which a replica that could not be reached is left alone.
_AWAY = 10.0


class _Replica:
    """The replica of the database that the instance may have (JMMC_REPLICA)."""

    def __init__(self) -> None:
        self._place = os.environ.get("JMMC_REPLICA", "")
        self._away_until = 0.0

    def connect(self) -> Any:
        """A session (gavo's connection) as role `untrusted`; None when there can be none now."""
        from gavo.base import config, sqlsupport

        if not self._place or time.monotonic() < self._away_until:
            return None
        ours = config.getDBProfile("untrustedquery").getArgs()
        place = extensions.parse_dsn(self._place)
        try:
            return psycopg2.connect(
                **{"connect_timeout": 2, **ours, **place},
                connection_factory=sqlsupport.GAVOConnection,
            )
        except psycopg2.OperationalError:
            self._away_until = time.monotonic() + _AWAY
            return None


_replica = _Replica()


def open_untrusted() -> Any:
    """A new session (gavo's connection) as role `untrusted`, read-only, in autocommit mode.

    With the replica, when there is one and it can be reached, else with the database itself.
    """
    from gavo import base

    connection = _replica.connect() or base.getDBConnection("untrustedquery")
    connection.set_session(readonly=True, autocommit=True)
    return connection


def close_pools() -> None:
    """Closes DaCHS' own sessions, which are for metadata and are made again when they are needed.

    Processes cannot share them, and each of many would keep some open for nothing.
    """
    from gavo.base import sqlsupport

    for kind in ("Untrusted", "Table", "Admin"):
        for name in (f"get{kind}Conn", f"getWritable{kind}Conn"):
            pools = getattr(sqlsupport, name).pool
            while pools:
                pools.pop().closeall()
