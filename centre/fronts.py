"""What the processes of the server do to be one server: on a machine, or on several.

Each is a DaCHS of its own, over the same database and the same directory. On a machine they listen
on the same port, and the kernel gives each new connection to one of them. What one must tell the
others, and which of them does what must be done once, goes through the database, which all have:
DaCHS' commands announce what they have changed by NOTIFY, and the process that holds a lock in the
database, whichever that is, runs the scheduled jobs.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg2
from psycopg2 import sql
from twisted.internet import defer, interfaces, reactor, tcp, threads
from twisted.python import log
from zope.interface import implementer

_CHANNEL = "jmmc_changed"
#: After so many seconds a session that has ended is begun again, or a job asks again who runs it.
_AGAIN = 2.0

#: A machine that has gone from the network keeps its locks no longer than a minute.
KEEPALIVE = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"


def tell_servers() -> None:
    """Makes DaCHS' commands tell every process of the server what it must read again.

    DaCHS itself tells the one that happens to answer at the server's address.
    """
    from gavo import base

    base.tryRemoteReload = _tell


def _tell(rd_id: str) -> None:
    from gavo import base

    with base.getWritableAdminConn() as connection:
        connection.execute("SELECT pg_notify(%(channel)s, %(rd_id)s)",
            {"channel": _CHANNEL, "rd_id": rd_id})  # fmt: skip


def install() -> None:
    """Makes this server one of several."""
    from gavo.base import cron
    from gavo.protocols import products

    number = int(os.environ.get("JMMC_PROCESS", "1"))
    if number > 1:
        _separate_logs(number)
    if int(os.environ.get("JMMC_PROCESSES", "1")) > 1:
        share_port()
    session = _Session()
    schedule_once(session, cron.AbstractJob)
    _reload_everywhere()
    products.PreviewCacheManager.saveToCache = staticmethod(save_whole)
    reactor.callWhenRunning(session.begin)


def _separate_logs(number: int) -> None:
    """Gives DaCHS a folder for logs of its own, for it moves them away when they are large."""
    from gavo.base import config

    folder = config.get("logDir") / str(number)
    folder.mkdir(exist_ok=True)
    config.set("logDir", folder)


def share_port() -> None:
    """Lets several processes of this account listen on one port."""

    def listen(port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        listening = _SharedPort(port, factory, backlog, interface, reactor)
        listening.startListening()
        return listening

    reactor.listenTCP = listen


class _SharedPort(tcp.Port):  # type: ignore[misc]
    def createInternetSocket(self) -> socket.socket:
        made: socket.socket = super().createInternetSocket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return made


class Turn(Protocol):
    """Knows which process runs scheduled jobs."""

    def first(self) -> bool | None:
        """Whether it is this one; None when that is not known."""


def schedule_once(turn: Turn, kind: Any) -> None:
    """Runs jobs of DaCHS' class of scheduled jobs only in the process whose turn it is.

    Which one that is may change between two runs of a job, when processes end.
    """
    run_job = kind.run

    def run(job: Any) -> None:
        first = turn.first()
        if first is None:
            reactor.callLater(_AGAIN, run, job)
        elif first:
            run_job(job)

    kind.run = run


def _reload_everywhere() -> None:
    """Makes the administrator's button *Reload RD* do so in all processes."""
    from gavo.web import adminrender

    def reload(self: Any, _request: Any, _form: Any, _data: Any) -> None:
        _tell(self.clientRD.sourceId)

    adminrender.AdminRenderer.reloadRD = reload


def save_whole(data: bytes, name: str) -> bytes:
    """Writes a preview to a file, which no process ever finds half-written; returns the preview."""
    scratch = f"{name}.{os.getpid()}"
    with suppress(OSError):  # then it is made again
        Path(scratch).write_bytes(data)
        os.replace(scratch, name)
    return data


@implementer(interfaces.IReadDescriptor)
class _Session:
    """A database session as long as the process: it hears what has changed, and holds the lock."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._fileno = -1
        self._first = False

    @defer.inlineCallbacks  # type: ignore[untyped-decorator]
    def begin(self) -> Any:
        """Connects, again and again until it can."""
        try:
            self._connection = yield threads.deferToThread(_connect)
        except psycopg2.Error:
            reactor.callLater(_AGAIN, self.begin)
            return
        self._fileno = self._connection.fileno()
        reactor.addReader(self)

    def first(self) -> bool | None:
        """Whether this is the process that does what is to be done once; None when not known."""
        if self._connection is None:
            return None
        if not self._first:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("SELECT pg_try_advisory_lock(hashtext('jmmc scheduled jobs'))")
                    self._first = bool(cursor.fetchone()[0])
            except psycopg2.Error:
                reactor.removeReader(self)
                self._end()
                return None
            self._read()
        return self._first

    def _read(self) -> None:
        from gavo import base

        while self._connection.notifies:
            rd_id = self._connection.notifies.pop(0).payload
            base.caches.clearForName(rd_id)
            log.msg(f"{rd_id} will be read again")

    def _end(self) -> None:
        """Forgets a session that has ended; what was told meanwhile is not known, so all is old."""
        from gavo import base

        self._connection.close()
        self._connection, self._first = None, False
        for rd_id in _TOLD:
            base.caches.clearForName(rd_id)
        reactor.callLater(_AGAIN, self.begin)

    # What Twisted's reactor asks of something it watches.

    def fileno(self) -> int:
        return self._fileno

    def doRead(self) -> None:
        reactor.removeReader(self)  # before the library may close the socket
        try:
            self._connection.poll()
        except psycopg2.Error:
            self._end()
        else:
            reactor.addReader(self)
            self._read()

    def connectionLost(self, reason: Any) -> None:
        """The process ends."""

    def logPrefix(self) -> str:
        return "fronts"


#: The RDs that DaCHS' commands tell the server to read again.
_TOLD = ("__system__/dc_tables", "__system__/services")


def _connect() -> Any:
    from gavo.base import config

    arguments = config.getDBProfile("trustedquery").getArgs()
    connection = psycopg2.connect(
        **arguments, options=KEEPALIVE, connect_timeout=5, application_name="jmmc front"
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("LISTEN {}").format(sql.Identifier(_CHANNEL)))
    return connection
