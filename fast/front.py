"""The part of the server that hands queries to workers and passes their answers on.

A usual request for a query of TAP never reaches DaCHS' own code in the server: its parameters are
read, a worker (worker.py) gets them, and what the worker says is sent as it comes. Everything else
goes the way it always did.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

from twisted.internet import interfaces, protocol, reactor
from twisted.logger import Logger
from twisted.web import http
from zope.interface import implementer

from fast import collector, nursery, questions, shapes
from fast.wire import BEGIN, BROKEN, DATA, END, HEADER, PASSED, REFUSED, SHARED, WORKING

#: Processes that may answer at the same time, and requests that may wait for one.
WORKERS, _QUEUE = 24, 1000
#: As many are made at once; then another one is made when requests wait and no worker has become
#: free for so many seconds, or for longer when translations keep all cores busy.
_CORES = os.cpu_count() or 1
_AT_ONCE, _WAIT, _LONGER = 2 * _CORES, 0.02, 1.0
#: Workers that are kept when there is nothing to do, and after how many seconds others go.
_KEPT, _IDLE = _AT_ONCE, 60.0
#: Seconds a client may leave a piece of its answer waiting.
_PATIENCE = 120.0
#: Seconds after which a worker that has not begun to answer is given up, beyond DaCHS' limit.
_OVERDUE = 30.0
#: Seconds to the next attempt when the nursery has died.
_PAUSE = 5.0
#: How many things the nursery is told, for how many seconds it is not told them again, and seconds
#: between its learning something and the new workers.
_TOLD, _KNOWN, _SETTLE = 300, 300.0, 1.0
#: Workers that may die over a question, and seconds until the next one gets it.
_LOSSES, _BREATH = 2, 0.1

_log = Logger()


# ---------------------------------------------------------------- answers


@implementer(interfaces.IPushProducer)
class _Exchange:
    """One request and the worker that answers it."""

    def __init__(self, request: Any, question: dict[str, Any], leave: Callable[[], None]) -> None:
        self.request, self.question = request, question
        #: What comes after the question.
        self.body: bytes = getattr(request, "posted", b"")
        #: Leaves the request to DaCHS.
        self._leave = leave
        self.gone = False
        self._pieces: list[bytes] = []
        self._begun = self._streaming = self._paused = False
        self._losses = 0
        self._worker: _Worker | None = None
        self._alarm: Any = None
        request.notifyFinish().addErrback(self._lost)

    def begin(self, worker: _Worker) -> None:
        """The worker has the question."""
        self._worker = worker

    def take(self, kind: bytes, content: bytes) -> None:
        """Takes a frame of the worker's."""
        if kind == BEGIN:
            self._begun = True
            for name, value in json.loads(content).items():
                self.request.setHeader(name, value)
        elif kind == DATA:
            self._pieces.append(content)
        elif kind == END:
            self._end()
        elif kind == REFUSED:
            self.refuse(json.loads(content))
        elif kind == BROKEN:
            self.cut()
        elif kind == PASSED:
            self.leave()

    def pass_on(self) -> None:
        """Sends what has come so far of an answer that goes on."""
        if not self._begun or self.gone:
            return
        if not self._streaming:
            self._streaming = True
            self.request.registerProducer(self, True)
        pieces, self._pieces = self._pieces, []
        for piece in pieces:
            self.request.write(piece)

    def refuse(self, error: dict[str, Any]) -> None:
        """Says why there is no answer, in the document that DALI has for it."""
        from gavo.protocols import dali

        if not self.gone:
            self.request.responseHeaders.removeHeader("content-encoding")
            dali.serveDALIError(self.request, error)
        self._finished()

    def lose(self, pool: Pool) -> None:
        """The worker has died: another one tries, if nothing has been sent yet."""
        self._losses += 1
        if self._begun or self._losses > _LOSSES:
            self.cut()
        else:
            reactor.callLater(_BREATH, pool.ask, self)

    def leave(self) -> None:
        """Leaves the request to DaCHS."""
        if not self.gone:
            self._finished()
            self._leave()

    def cut(self) -> None:
        """Ends the connection: the client sees that the answer is not whole."""
        if self.gone:
            return
        if self._begun and (self._streaming or self._pieces):
            self.request.channel.forceAbortClient()
        else:
            self.refuse({"msg": "The query could not be answered.", "httpCode": 500})

    def _end(self) -> None:
        if not self.gone:
            body = b"".join(self._pieces)
            if self._streaming:
                self.request.unregisterProducer()
            else:
                self.request.setHeader("content-length", str(len(body)))
            if body:
                self.request.write(body)
            self.request.finish()
        self._finished()

    def _finished(self) -> None:
        self.gone = True
        self.resumeProducing()

    def _lost(self, _reason: Any) -> None:
        if not self.gone:
            self.gone = True
            self._calm()
            if self._worker is not None:
                self._worker.leave()

    # What the client's connection asks of a producer.

    def pauseProducing(self) -> None:
        if self._worker is not None:
            self._worker.transport.pauseProducing()
            self._paused = True
        if self._alarm is None:
            self._alarm = reactor.callLater(_PATIENCE, self.cut)

    def resumeProducing(self) -> None:
        self._calm()
        if self._worker is not None and self._paused:
            self._worker.transport.resumeProducing()
        self._paused = False

    def stopProducing(self) -> None:
        self._lost(None)

    def _calm(self) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None


class _Worker(protocol.Protocol):  # type: ignore[misc]
    """The server's end of a worker."""

    def __init__(self, pool: Pool, generation: int) -> None:
        self._pool = pool
        self.generation = generation
        self._buffer = bytearray()
        self._exchange: _Exchange | None = None
        self._alarm: Any = None
        #: Whether it is busy with a translation.
        self.translates = False

    def ask(self, exchange: _Exchange) -> None:
        """Gives the worker a question."""
        self._exchange = exchange
        exchange.begin(self)
        self._stop_alarm()
        self._alarm = reactor.callLater(self._pool.seconds + _OVERDUE, self._overdue)
        self.transport.write(json.dumps(exchange.question).encode() + b"\n" + exchange.body)

    def rest(self) -> None:
        """Ends the worker if it is not needed for some time."""
        self._alarm = reactor.callLater(_IDLE, self._pool.dismiss, self)

    def leave(self) -> None:
        """Ends the worker, and what it is doing."""
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        position, buffer = 0, self._buffer
        while len(buffer) >= position + HEADER.size:
            kind, length = HEADER.unpack_from(buffer, position)
            end = position + HEADER.size + length
            if len(buffer) < end:
                break
            self._take(kind, bytes(memoryview(buffer)[position + HEADER.size : end]))
            position = end
        self._buffer = buffer[position:]
        if self._exchange is not None:
            self._exchange.pass_on()

    def _take(self, kind: bytes, content: bytes) -> None:
        if kind == SHARED:
            self._pool.learn(content)
            return
        exchange = self._exchange
        if exchange is None:
            return
        if kind in {END, REFUSED, BROKEN, PASSED}:
            self._exchange = None
            self.translates = False
            self._stop_alarm()
            exchange.take(kind, content)
            self._pool.free(self)
            return
        if kind == BEGIN:
            self._stop_alarm()
        self.translates = kind == WORKING
        exchange.take(kind, content)

    def connectionLost(self, reason: Any) -> None:
        exchange, self._exchange = self._exchange, None
        self._stop_alarm()
        self._pool.lost(self)
        if exchange is not None:
            exchange.lose(self._pool)

    def _overdue(self) -> None:
        exchange, self._exchange = self._exchange, None
        self.leave()
        if exchange is not None:
            exchange.refuse({"msg": "The query took too long.", "httpCode": 503})

    def _stop_alarm(self) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None


class Pool:
    """The workers of a server, and the nursery that makes them."""

    def __init__(self, seconds: float) -> None:
        #: DaCHS' limit for a query.
        self.seconds = seconds
        self.ready = False
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._queue: deque[_Exchange] = deque()
        self._control: Any = None
        self._growing = False
        #: How often a worker has become free.
        self._freed = 0
        #: How often workers have become out of date.
        self._generation = 0
        #: What the nursery was told, and until when it is not told again.
        self._told: OrderedDict[Hashable, float] = OrderedDict()
        self._replacing = False

    def start(self) -> None:
        """Starts the nursery; when it is ready, queries go to workers."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        subprocess.Popen(
            [sys.executable, "-m", "centre.site", "nursery", str(its.fileno())],
            pass_fds=(its.fileno(),),
            stdin=subprocess.DEVNULL,
        )
        its.close()
        self._control = ours
        factory = protocol.Factory.forProtocol(lambda: _Nursery(self))
        reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)

    def opened(self) -> None:
        """The nursery is ready."""
        self.ready = True
        with suppress(OSError):
            for _ in range(_KEPT):
                self.free(self._new())

    def closed(self) -> None:
        """The nursery has died."""
        self.ready = False
        self._control.close()
        while self._queue:
            self._queue.popleft().leave()
        if reactor.running:
            _log.error("The nursery of workers has ended; DaCHS answers for the time being.")
            reactor.callLater(_PAUSE, self.start)

    def renew(self) -> None:
        """What DaCHS has read from its files and tables is not true any more."""
        self._generation += 1
        self._told.clear()
        for worker in self._idle:
            worker.leave()
        self._idle = []
        if self.ready:
            with suppress(OSError):
                self._control.send(nursery.AGAIN)

    def learn(self, content: bytes) -> None:
        """Lets the nursery know what a worker has found out, unless it was told of late."""
        question = json.loads(content)
        key: Hashable = content
        if "query" in question:
            key = shapes.cut(question["query"])[0], question["form"], question["limit"]
        elif "service" in question:
            others = {k: v for k, v in question["fields"].items() if k not in {"RA", "DEC", "SR"}}
            key = (*question["service"], *sorted(others.items()))
        now = time.monotonic()
        if self.ready and now > self._told.get(key, 0.0):
            self._told[key] = now + _KNOWN
            while len(self._told) > _TOLD:
                self._told.popitem(last=False)
            with suppress(OSError):
                self._control.send(nursery.LEARN + content)

    def learned(self) -> None:
        """The nursery knows more than the workers do: they are replaced, some at a time."""
        if not self._replacing:
            self._replacing = True
            reactor.callLater(_SETTLE, self._replace)

    def _replace(self) -> None:
        self._replacing = False
        self._generation += 1
        idle, self._idle = self._idle, []
        for worker in idle:
            worker.leave()
            with suppress(OSError):
                self.free(self._new())

    def ask(self, exchange: _Exchange) -> None:
        """Has a question answered."""
        if exchange.gone:
            return
        if not self.ready:
            exchange.leave()
            return
        if self._idle:
            self._idle.pop().ask(exchange)
        elif len(self._workers) < _AT_ONCE:
            try:
                self._new().ask(exchange)
            except OSError:  # the nursery is dead, but has not been missed yet
                exchange.leave()
        elif len(self._queue) < _QUEUE:
            self._queue.append(exchange)
            self._grow_later()
        else:
            exchange.request.setHeader("retry-after", "10")
            exchange.refuse({"msg": "Too many queries at once; try later.", "httpCode": 503})

    def _grow_later(self) -> None:
        if not self._growing and len(self._workers) < WORKERS:
            self._growing = True
            busy = sum(worker.translates for worker in self._workers)
            reactor.callLater(_WAIT if busy < _CORES else _LONGER, self._grow, self._freed)

    def _grow(self, freed: int) -> None:
        """Makes another worker when those that are there do not come to what waits."""
        self._growing = False
        if self._queue and self.ready and len(self._workers) < WORKERS:
            if freed == self._freed:
                with suppress(OSError):
                    self.free(self._new())
            self._grow_later()

    def free(self, worker: _Worker) -> None:
        """A worker has nothing to do."""
        self._freed += 1
        if worker.generation != self._generation:
            worker.leave()
            return
        while self._queue:
            exchange = self._queue.popleft()
            if not exchange.gone:
                worker.ask(exchange)
                return
        self._idle.append(worker)
        worker.rest()

    def dismiss(self, worker: _Worker) -> None:
        """Ends an idle worker, if enough are left."""
        if worker not in self._idle:
            return
        if len(self._idle) > _KEPT:
            self._idle.remove(worker)
            worker.leave()
        else:
            worker.rest()

    def lost(self, worker: _Worker) -> None:
        """A worker has ended."""
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if self._queue and self.ready:
            with suppress(OSError):
                self.free(self._new())

    def _new(self) -> _Worker:
        """A new worker; raises OSError when the nursery is not there."""
        ours, its = socket.socketpair()
        with ours, its:
            socket.send_fds(self._control, [nursery.NEW], [its.fileno()])
            return self._adopt(ours)

    def _adopt(self, ours: socket.socket) -> _Worker:
        worker = _Worker(self, self._generation)
        factory = protocol.Factory.forProtocol(lambda: worker)
        reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        self._workers.add(worker)
        return worker


class _Nursery(protocol.Protocol):  # type: ignore[misc]
    """The server's end of the nursery's socket, for what it says and for its end."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def dataReceived(self, data: bytes) -> None:
        if nursery.READY in data:
            self._pool.opened()
        if nursery.LEARNED in data:
            self._pool.learned()

    def connectionLost(self, reason: Any) -> None:
        self._pool.closed()


# ---------------------------------------------------------------- the server


def install() -> None:
    """Puts the workers in front of DaCHS' own way to answer queries, in a server that starts."""
    from gavo import base
    from gavo.web import root

    collector.install()
    pool = Pool(float(base.getConfig("async", "defaultExecTimeSync")))
    for name in ("clearCaches", "clearForName"):
        setattr(base.caches, name, _and_renew(getattr(base.caches, name), pool))
    root.site.requestFactory = _request_class(root.site.requestFactory, pool)
    reactor.callWhenRunning(pool.start)


def _and_renew(clear: Callable[..., None], pool: Pool) -> Callable[..., None]:
    """What clears DaCHS' caches, and then those of the workers."""

    def clear_all(*arguments: Any) -> None:
        clear(*arguments)
        reactor.callFromThread(pool.renew)

    return clear_all


def _request_class(kind: Any, pool: Pool) -> Any:
    """A class of requests that have their queries answered by workers."""
    from gavo import base
    from gavo.web import root

    maintenance = root.root.maintFile
    limit = base.getConfig("web", "maxSyncUploadSize")

    class Request(kind):  # type: ignore[misc]
        def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
            # The last part of an answer must not wait for the client's word on the first.
            with suppress(AttributeError):
                self.channel.transport.setTcpNoDelay(True)
            question = None
            blocked = self.channel.getPeer().host in root.BLOCKED_HOSTS
            if pool.ready and not blocked and not maintenance.exists():
                question = self._question(command, path)
            if question is None:
                super().requestReceived(command, path, version)
                return
            self.method, self.uri, self.clientproto = command, path, version
            self.path, self.site = path.partition(b"?")[0], self.channel.site
            self.args = dict[bytes, list[bytes]]()
            self.client, self.host = self.channel.getPeer(), self.channel.getHost()
            self.setHeader("server", base.SERVER_SOFTWARE)
            self.setHeader("date", http.datetimeToString())
            if self.getHeader("origin"):
                root._authorizeCORS(self)
            accepted = self.getHeader("accept-encoding") or ""
            question["compressed"] = "gzip" in accepted and "gzip;q=0" not in accepted
            if question["compressed"]:
                self.setHeader("content-encoding", "gzip")
                self.setHeader("vary", "accept-encoding")

            def leave() -> None:
                for name in ("content-encoding", "vary", "content-type"):
                    self.responseHeaders.removeHeader(name)
                super(Request, self).requestReceived(command, path, version)

            pool.ask(_Exchange(self, question, leave))

        def _question(self, command: bytes, path: bytes) -> dict[str, Any] | None:
            place, _, query = path.partition(b"?")
            if place in questions.PATHS:
                self.content.seek(0)
                body = self.content.read()
                if len(body) > limit:
                    return None
                found = questions.tap(command, query, body, self.getHeader("content-type") or "")
                if found is not None and "content_type" in found:
                    self.posted = body
                return found
            return questions.cone(command, path)

    return Request
