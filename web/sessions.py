"""Database sessions that the server's event loop waits for without a thread.

A thread for each query costs more than the query, because Python runs one thread at a time. The
sessions stay open and keep what they have prepared. They are read-only, and each statement is a
transaction of its own, so nothing is held in the database between two statements of an answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping
from typing import Any

import psycopg2
from psycopg2 import errors, extensions, sql
from twisted.internet import defer, interfaces, reactor
from zope.interface import implementer

Row = tuple[Any, ...]

#: Statements that wait for a session before more are refused.
_QUEUE = 500


class BusyError(Exception):
    """The database is not there, or takes too long; the message says so in a sentence."""


@implementer(interfaces.IReadWriteDescriptor)
class _Session:
    """One asynchronous connection; runs one statement at a time."""

    def __init__(self, seconds: float) -> None:
        from gavo.base import config

        options = {
            "statement_timeout": int(1000 * seconds),
            "default_transaction_read_only": "on",
            "extra_float_digits": 0,  # numbers as text have 15 digits, as they always had
            "plan_cache_mode": "force_generic_plan",
            "client_connection_check_interval": 1000,
        }
        self._connection = psycopg2.connect(
            **config.getDBProfile("trustedquery").getArgs(),
            options=" ".join(f"-c {name}={value}" for name, value in options.items()),
            client_encoding="UTF8",
            connect_timeout=5,
            async_=True,
        )
        self._fileno = self._connection.fileno()
        self._waiting: defer.Deferred[None] | None = None
        self.prepared: set[str] = set()

    def run(
        self, statement: sql.Composable, parameters: Mapping[str, Any]
    ) -> Generator[Any, Any, list[Row]]:
        """Rows of one statement, for `yield from` in an inlineCallbacks generator."""
        cursor = self._connection.cursor()
        cursor.execute(statement, parameters)
        yield self.ready()
        return cursor.fetchall() if cursor.description else []

    def ready(self) -> defer.Deferred[None]:
        """Fires when the connection, or its statement, is done."""
        self._waiting = waiting = defer.Deferred()
        self._poll()
        return waiting

    @property
    def alive(self) -> bool:
        """Whether the connection can be used again."""
        return not self._connection.closed

    def close(self) -> None:
        """Ends the session."""
        self._unwatch()
        self._connection.close()

    def _poll(self) -> None:
        self._unwatch()  # before the library may take another socket for the connection
        waiting = self._waiting
        if waiting is None:
            return
        try:
            state = self._connection.poll()
        except psycopg2.Error as error:
            self._waiting = None
            waiting.errback(error)
            return
        if state == extensions.POLL_OK:
            self._waiting = None
            waiting.callback(None)
            return
        self._fileno = self._connection.fileno()
        if state == extensions.POLL_READ:
            reactor.addReader(self)
        else:
            reactor.addWriter(self)

    def _unwatch(self) -> None:
        reactor.removeReader(self)
        reactor.removeWriter(self)

    # What Twisted's reactor asks of something it watches.

    def fileno(self) -> int:
        return int(self._fileno)

    def doRead(self) -> None:
        self._poll()

    def doWrite(self) -> None:
        self._poll()

    def connectionLost(self, reason: Any) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(psycopg2.OperationalError("The database has closed the connection."))

    def logPrefix(self) -> str:
        return "database"


def _is_of_connection(error: psycopg2.Error) -> bool:
    """Whether an error is of the connection, not of the statement.

    An asynchronous connection that the server has closed is told as DatabaseError itself, which
    all errors of statements are subclasses of.
    """
    kinds = (psycopg2.OperationalError, psycopg2.InterfaceError)
    return isinstance(error, kinds) or type(error) is psycopg2.DatabaseError


class Sessions:
    """A few sessions for the statements of many requests."""

    def __init__(self, number: int, seconds: float) -> None:
        #: How long a statement may take, in seconds.
        self._seconds = seconds
        self._free = number
        self._idle: list[_Session] = []
        self._queue: deque[defer.Deferred[None]] = deque()

    @defer.inlineCallbacks  # type: ignore[untyped-decorator]
    def run(
        self,
        statement: sql.Composable,
        parameters: Mapping[str, Any],
        prepare: tuple[str, sql.Composable] | None = None,
    ) -> Generator[Any, Any, list[Row]]:
        """Rows of a statement; BusyError when there are none in time.

        `prepare` has the name and the text of what is to be prepared in the session before.
        """
        yield self._acquire()
        try:
            return (yield from self._run(statement, parameters, prepare))
        except errors.QueryCanceled:
            raise BusyError("The query took too long; ask for less at a time.") from None
        except psycopg2.Error as error:
            if not _is_of_connection(error):
                raise
            raise BusyError("The database is not available now; try again later.") from None
        finally:
            self._release()

    def _run(
        self,
        statement: sql.Composable,
        parameters: Mapping[str, Any],
        prepare: tuple[str, sql.Composable] | None,
    ) -> Generator[Any, Any, list[Row]]:
        while True:
            fresh = not self._idle
            session = _Session(self._seconds) if fresh else self._idle.pop()
            usable = False
            try:
                if fresh:
                    yield session.ready()
                if prepare is not None and prepare[0] not in session.prepared:
                    yield from session.run(prepare[1], {})
                    session.prepared.add(prepare[0])
                rows = yield from session.run(statement, parameters)
                usable = True
                return rows
            except psycopg2.Error as error:
                if fresh or isinstance(error, errors.QueryCanceled) or not _is_of_connection(error):
                    raise
                # The database was restarted since: none of the idle sessions is good any more.
                while self._idle:
                    self._idle.pop().close()
            finally:
                if usable and session.alive:
                    self._idle.append(session)
                else:
                    session.close()

    def _acquire(self) -> defer.Deferred[None]:
        if self._free > 0:
            self._free -= 1
            return defer.succeed(None)
        if len(self._queue) >= _QUEUE:
            raise BusyError("Too many queries at once; try again later.")
        turn: defer.Deferred[None] = defer.Deferred()
        self._queue.append(turn)
        return turn

    def _release(self) -> None:
        if self._queue:
            self._queue.popleft().callback(None)
        else:
            self._free += 1
