"""Sessions with the database for queries of anybody."""

from __future__ import annotations

import os
import time
from typing import Any

import psycopg2
from psycopg2 import extensions

#: Seconds for which a replica that could not be reached is left alone, and that it gets to answer.
_AWAY, _PATIENCE = 10.0, 2


class _Replica:
    """The replica of the database that the instance may have (JMMC_REPLICA)."""

    def __init__(self) -> None:
        self._place = os.environ.get("JMMC_REPLICA", "")
        self._away_until = 0.0

    def connect(self, arguments: dict[str, Any]) -> Any:
        """A session with it, otherwise as with the database; None when there can be none now."""
        if not self._place or time.monotonic() < self._away_until:
            return None
        place = extensions.parse_dsn(self._place)
        try:
            return psycopg2.connect(**{**arguments, "connect_timeout": _PATIENCE, **place})
        except psycopg2.OperationalError:
            self._away_until = time.monotonic() + _AWAY
            return None


_replica = _Replica()


def open_untrusted(seconds: float) -> Any:
    """A new session (gavo's connection) as role `untrusted`, in autocommit mode.

    It can write nothing, and its queries end after some seconds; that is how it begins, so that
    DISCARD ALL leads back to it. It is with the replica, when there is one and it can be reached,
    else with the database itself.
    """
    arguments = _arguments(seconds, default_transaction_read_only="on")
    connection = _replica.connect(arguments) or psycopg2.connect(**arguments)
    connection.autocommit = True
    return connection


def open_for_uploads(seconds: float) -> Any:
    """A new session (gavo's connection) as role `untrusted`, which may have tables of its own."""
    return psycopg2.connect(**_arguments(seconds))


def _arguments(seconds: float, **settings: str) -> dict[str, Any]:
    from gavo.base import config, sqlsupport

    settings = {
        **settings,
        "statement_timeout": str(int(1000 * seconds)),
        "cursor_tuple_fraction": "1",  # queries are planned for all of their rows
    }
    return {
        **config.getDBProfile("untrustedquery").getArgs(),
        "connection_factory": sqlsupport.GAVOConnection,
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }


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
