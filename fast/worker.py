"""A process that answers one query after the other over a socket: translates, runs, serialises.

It has its own session with the database, as role `untrusted`, in which nothing can be written. The
answer leaves while the query runs. What the client does not take at once waits in a file, as long
as it fits, so that the time limit is one for the query and not for the client.

The server closes the socket (wire.py) when nobody wants the answer any more; then the query is
cancelled and the process ends.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors, sql

from fast import blocks, cone, formats, resources, sessions, translation, uploads
from fast.questions import NotForUsError
from fast.wire import (
    BROKEN,
    HEADER,
    PASSED,
    REFUSED,
    SHARED,
    WORKING,
    Answer,
    GoneError,
    Outlet,
    wait,
)

Parameters = Mapping[str, Any] | None


#: Bytes of rows, and seconds, after which they are serialised and sent.
_BLOCK, _PAUSE = 1_000_000, 0.05
#: Seconds after which the first ones are.
_SOON = 0.01
#: Rows that are serialised at a time when all are there already.
_ROWS = 5000
#: A process that has grown beyond this ends after its answer, in kB.
_GROWN = 400_000


class Rows:
    """Where psycopg2 writes the rows of a COPY, one message each: blocks of them are serialised."""

    def __init__(self, writer: formats.Writer, head: bytes, answer: Answer) -> None:
        self._writer, self._head, self._answer = writer, head, answer
        self._messages: list[bytes] = []
        self._size = 0
        self._due = time.monotonic() + _SOON

    def write(self, message: bytes) -> None:
        self._messages.append(message)
        self._size += len(message)
        if self._size > _BLOCK or time.monotonic() > self._due:
            self.serialise()
            self._answer.push()

    def serialise(self) -> None:
        """Makes bytes of the rows that are there."""
        if self._head:
            self._answer.write(self._head)
            self._head = b""
        if self._messages:
            self._answer.write(self._writer.rows(self._messages))
        self._messages, self._size = [], 0
        self._due = time.monotonic() + _PAUSE


class Database:
    """The session of a worker: role `untrusted`, read-only, each statement with a time limit."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._connection: Any = None
        #: Whether the session may not be any more what it was when it began.
        self._used = False

    @property
    def connection(self) -> Any:
        """The session (a GAVOConnection in autocommit mode), made when it is needed."""
        if self._connection is None or self._connection.closed:
            self._connection = sessions.open_untrusted(self._seconds)
            self._used = False
        if self._used:
            self.reset()
        return self._connection

    def reset(self) -> None:
        """Puts everything in the session back to what it was when it began."""
        with self._connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
        self._used = False

    def close(self) -> None:
        """Ends the session; the next one is another."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
        self._connection = None

    def tidy(self) -> None:
        """Prepares the session for the next query; ends it when it is lost."""
        if self._used and self._connection is not None:
            try:
                self.reset()
            except psycopg2.Error:
                self.close()

    @property
    def lost(self) -> bool:
        """Whether the database has ended the session."""
        return self._connection is not None and bool(self._connection.closed)

    @contextmanager
    def with_tables_of_its_own(self) -> Iterator[Any]:
        """The session, for the while one of the database itself in which tables can be made."""
        self.close()
        self._connection = sessions.open_for_uploads(self._seconds)
        self._used = False
        try:
            yield self._connection
        finally:
            self.close()

    def cancel(self) -> None:
        """Cancels what runs; may be called from another thread."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.cancel()

    def describe(self, statement: str, parameters: Parameters = None) -> list[int]:
        """Types (OIDs) of the columns of a query."""
        with self.connection.cursor() as cursor:
            described = sql.SQL("SELECT * FROM ({}) AS q LIMIT 0").format(sql.SQL(statement))
            cursor.execute(described, parameters)
            return [column.type_code for column in cursor.description]

    def copy(
        self, statement: str, as_text: Sequence[bool], rows: Any, parameters: Parameters = None
    ) -> int:
        """Runs a query and writes its rows in PostgreSQL's binary form; returns their number.

        `rows` is a file, to which each row is written with one call. Columns for which `as_text`
        is true come as PostgreSQL writes them in text.
        """
        before, after = _around(tuple(as_text))
        connection = self.connection
        self._used = True
        with connection.cursor() as cursor:
            command = cursor.mogrify(before + statement + after, parameters)
            cursor.copy_expert(command, rows)
            return int(cursor.rowcount)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """The session in a transaction, for those who want a cursor in the database."""
        connection = self.connection
        self._used = True
        if not connection.autocommit:  # it is in one
            yield connection
            return
        connection.autocommit = False
        try:
            yield connection
        finally:
            with suppress(psycopg2.Error):
                connection.rollback()
                connection.autocommit = True


@cache
def _around(as_text: tuple[bool, ...]) -> tuple[str, str]:
    """What comes before and after a query for its rows to be copied, some columns as text."""
    if not any(as_text):
        return "COPY (", ") TO STDOUT (FORMAT binary)"
    names = [f"c{number}" for number in range(len(as_text))]
    columns = [f"{name}::text" if text else name for name, text in zip(names, as_text, strict=True)]
    return (
        f"COPY (SELECT {', '.join(columns)} FROM (",
        f") AS q ({', '.join(names)})) TO STDOUT (FORMAT binary)",
    )


class Worker:
    """Answers the questions that come over a socket."""

    def __init__(
        self, channel: socket.socket, translator: translation.Translator, cones: cone.Cones
    ) -> None:
        from gavo import base

        self._channel = channel
        self._outlet = Outlet(channel, Path(base.getConfig("tempDir")))
        self._database = Database(base.getConfig("async", "defaultExecTimeSync"))
        owner = translation.Owner(self._database.describe, self._tell, self._share)
        self._translator, self._cones = translator, cones
        translator.owner = cones.owner = owner
        self._resources = resources.Watch()

    def serve(self) -> None:
        """Answers until the server closes the socket."""
        threading.Thread(target=self._watch, daemon=True).start()
        questions = self._channel.makefile("rb")
        with suppress(GoneError):
            self._database.tidy()
            for line in questions:
                if self._resources.changed():
                    self._translator.forget()
                    self._cones.forget()
                question = json.loads(line)
                question["body"] = questions.read(question.get("length", 0))
                self._answer(question)
                self._outlet.flush()
                if _resident() > _GROWN:
                    return
                self._database.tidy()

    def _tell(self) -> None:
        """Says that the answer will take its time."""
        self._outlet.send(HEADER.pack(WORKING, 0))

    def _share(self, question: dict[str, Any]) -> None:
        """Says what other workers should know."""
        content = json.dumps(question).encode()
        self._outlet.send(HEADER.pack(SHARED, len(content)) + content)

    def _watch(self) -> None:
        """Ends the process, and what runs in the database, when the server closes the socket."""
        wait(self._channel, select.POLLRDHUP | select.POLLHUP)
        self._database.cancel()
        os._exit(0)

    def _answer(self, question: dict[str, Any]) -> None:
        for attempt in (1, 2):
            answer = Answer(self._outlet, compressed=question["compressed"])
            try:
                if "service" in question:
                    self._cone(question, answer)
                elif "content_type" in question:
                    self._tap_with_uploads(question, answer)
                else:
                    self._tap(question, answer)
                return
            except GoneError:
                raise
            except NotForUsError:
                answer.fail(PASSED, b"")
                return
            except Exception as error:
                if self._database.lost and attempt == 1 and not answer.begun:
                    continue  # the database was restarted since the last query
                if "service" in question and not isinstance(error, errors.QueryCanceled):
                    answer.fail(PASSED, b"")  # for cone searches, errors have a form of their own
                else:
                    self._fail(question, answer, error)
                return

    def _fail(self, question: dict[str, Any], answer: Answer, error: Exception) -> None:
        from gavo import base

        if answer.begun:
            answer.fail(BROKEN, str(error).encode())
            self._database.close()
            return
        answer.fail(REFUSED, json.dumps(_refusal(error)).encode())
        if not isinstance(error, (base.Error, psycopg2.Error)):
            shown = {name: value for name, value in question.items() if name != "body"}
            print(f"Query failed: {shown}", file=sys.stderr)
            traceback.print_exception(error)

    def _tap(self, question: dict[str, Any], answer: Answer) -> None:
        """Answers a query of TAP, as DaCHS does (gavo/protocols/taprunner.py)."""
        query, form, limit = _understand(question["parameters"], answer)
        with _errors_of_dachs():
            statement = self._translator.statement(query, form, limit)
        self._write(statement, form, answer)

    def _tap_with_uploads(self, question: dict[str, Any], answer: Answer) -> None:
        """Answers a query of TAP of tables that come with it."""
        from gavo.protocols import taprunner

        parameters, files = uploads.read(question["body"], question["content_type"])
        query, form, limit = _understand(parameters, answer)
        with self._database.with_tables_of_its_own() as connection:
            with _errors_of_dachs():
                tables = taprunner._ingestUploads(files, parameters["upload"], connection)
                statement = self._translator.once(query, form, limit, tables)
            self._write(statement, form, answer)

    def _write(self, statement: translation.Statement, form: str, answer: Answer) -> None:
        """Runs a query and writes its answer."""
        if statement.writer is None:
            with self._database.transaction() as connection:
                statement.write_with_dachs(form, connection, answer)
            answer.end()
            return
        writer = statement.writer.anew()
        rows = Rows(writer, statement.head, answer)
        try:
            number = self._database.copy(statement.sql, writer.as_text, rows)
            rows.serialise()
        except Exception as error:
            if answer.begun and (tail := writer.error_tail(_message(error))) is not None:
                answer.write(tail)
                answer.end()
                self._database.close()
                return
            raise
        overflow = number >= statement.data.overflowLimit
        answer.write(writer.end())
        answer.write(writer.overflow_tail if overflow else writer.tail)
        answer.end()

    def _cone(self, question: dict[str, Any], answer: Answer) -> None:
        """Answers a cone search when all rows are there: its head says whether these are all."""
        search = self._cones.search(question["service"], question["fields"], question["address"])
        answer.headers = search.headers
        writer = search.writer.anew()
        messages = _Messages()
        self._database.copy(search.statement, writer.as_text, messages, search.parameters)
        rows = messages.rows()
        overflow = len(rows) > search.limit
        answer.write(search.head(not overflow))
        for first in range(0, min(len(rows), search.limit), _ROWS):
            answer.write(writer.rows(rows[first : min(first + _ROWS, search.limit)]))
        answer.write(writer.end() + writer.tail)
        answer.end()


def _understand(parameters: dict[str, Any], answer: Answer) -> tuple[str, str, int | None]:
    """Query, format and limit of a question of TAP; tells the answer its media type."""
    from gavo import formats as dachs_formats
    from gavo.protocols import taprunner

    query, limit = taprunner._parseTAPParameters("sync", parameters)
    form = dachs_formats.getKeyFor(parameters["format"])
    media_type = dachs_formats.getMIMEFor(form, parameters["format"])
    answer.headers = {"content-type": str(media_type)}
    return query, form, limit


@contextmanager
def _errors_of_dachs() -> Iterator[None]:
    """Raises what DaCHS tells its users in place of what its parser raises."""
    from gavo.protocols import adqlglue

    try:
        yield
    except psycopg2.Error:
        raise
    except Exception:
        adqlglue.mapADQLErrors(*sys.exc_info())
        raise


class _Messages(list[bytes]):
    """What psycopg2 writes of a COPY."""

    write = list.append

    def rows(self) -> Sequence[bytes]:
        """The messages that are rows."""
        return blocks.without_frame(self)


def _message(error: Exception) -> str:
    """What DaCHS says of an error that the database has raised."""
    from gavo import svcs

    try:
        svcs.mapDBErrors(type(error), error, error.__traceback__)
    except Exception as mapped:
        return str(mapped)
    return str(error)


def _refusal(error: Exception) -> dict[str, Any]:
    """What the client gets to know of an error, and the HTTP status for it.

    The words are DaCHS'. It answers everything with the status 500; here what is wrong with a query
    is a 400, as HTTP has it (RFC 9110, section 15.5).
    """
    from gavo import base

    lost = isinstance(error, psycopg2.OperationalError) and error.pgcode is None
    if lost or isinstance(error, errors.AdminShutdown):
        return {"msg": "The database is not available now; try again later.", "httpCode": 503}
    code = 400 if isinstance(error, (base.Error, psycopg2.Error)) else 500
    return {"msg": _message(error), "hint": getattr(error, "hint", None), "httpCode": code}


def _resident() -> int:
    """Memory of this process, kB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * (resource.getpagesize() // 1024)
