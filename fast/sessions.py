"""Sessions with the database for queries of anybody."""

from __future__ import annotations

import os
import time
from typing import Any

import psycopg2

#: Seconds for which a replica that could not be reached is left alone.
_AWAY = 10.0

_away_until = 0.0


def open_untrusted() -> Any:
    """A new session (gavo's connection) as role `untrusted`, read-only, in autocommit mode.

    With the replica, when the instance has one (JMMC_REPLICA) and it can be reached, else with the
    database itself.
    """
    from gavo import base
    from gavo.base import config, sqlsupport

    global _away_until
    replica = os.environ.get("JMMC_REPLICA")
    connection = None
    if replica and time.monotonic() > _away_until:
        arguments = config.getDBProfile("untrustedquery").getArgs()
        arguments = {**arguments, **psycopg2.extensions.parse_dsn(replica)}
        try:
            connection = psycopg2.connect(
                **{"connect_timeout": 2, **arguments},
                connection_factory=sqlsupport.GAVOConnection,
            )
        except psycopg2.OperationalError:
            _away_until = time.monotonic() + _AWAY
    if connection is None:
        connection = base.getDBConnection("untrustedquery")
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
