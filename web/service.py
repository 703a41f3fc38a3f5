"""Resources that answer with a document made of pieces, and take what clients send carelessly.

They stand beside DaCHS' renderers in the same server, for what is asked often and is small.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from twisted.internet import defer, interfaces, reactor
from twisted.python import log
from twisted.web import resource, server
from zope.interface import implementer

from web import parameters
from web.parameters import RefusedError
from web.sessions import BusyError

#: Seconds a client may leave a page of its answer waiting.
_PATIENCE = 120.0


@implementer(interfaces.IPushProducer)
class _Flow:
    """Whether the client takes what it is sent, as Twisted tells a producer."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._paused: defer.Deferred[None] | None = None
        self._alarm: Any = None
        self.gone = False
        request.notifyFinish().addErrback(self._lost)

    async def ready(self) -> bool:
        """Waits until the client has taken what it was sent; False when it never will."""
        while self._paused is not None and not self.gone:
            await self._paused
        return not self.gone

    def pauseProducing(self) -> None:
        if self._paused is None:
            self._paused = defer.Deferred()
            self._alarm = reactor.callLater(_PATIENCE, self.abort)

    def resumeProducing(self) -> None:
        """Goes on; with the end of an answer too, which its client may take its time for."""
        paused, self._paused = self._paused, None
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        if paused is not None:
            paused.callback(None)

    def stopProducing(self) -> None:
        self.gone = True
        self.resumeProducing()

    def abort(self) -> None:
        """Ends the connection: the client sees that the answer is not whole."""
        if not self.gone:
            self._request.channel.forceAbortClient()

    def _lost(self, _reason: Any) -> None:
        self.stopProducing()


class Service(resource.Resource):  # type: ignore[misc]
    """Something that answers GET and POST with a document made of pieces."""

    isLeaf = True

    def media_type(self, asked: Any) -> str:
        """Media type of the answer."""
        raise NotImplementedError

    def read(self, query: bytes, body: bytes, content_type: str) -> Any:
        """What a request asks for; raises RefusedError, which becomes a 400."""
        raise NotImplementedError

    def pieces(self, asked: Any) -> AsyncIterator[bytes]:
        """The answer; raises RefusedError too, and BusyError, which becomes a 503."""
        raise NotImplementedError

    def render(self, request: Any) -> Any:
        if request.method not in {b"GET", b"HEAD", b"POST"}:
            request.setHeader("allow", "GET, HEAD, POST")
            _say(request, 405, "Only GET, HEAD and POST are answered here.")
        else:
            defer.Deferred.fromCoroutine(self._answer(request)).addErrback(log.err)
        return server.NOT_DONE_YET

    async def _answer(self, request: Any) -> None:
        flow = _Flow(request)
        try:
            asked = self._read(request)
            request.setHeader("content-type", self.media_type(asked))
            if request.method == b"HEAD":
                request.finish()
            else:
                await self._send(request, flow, self.pieces(asked))
        except RefusedError as error:
            _fail(request, flow, 400, str(error))
        except BusyError as error:
            request.setHeader("retry-after", "10")
            _fail(request, flow, 503, str(error))
        except Exception:
            log.err(None, f"{request.path!r} failed")
            _fail(request, flow, 500, "The answer could not be made; this has been recorded.")

    def _read(self, request: Any) -> Any:
        query = request.uri.partition(b"?")[2]
        content_type = (request.getHeader("content-type") or "").partition(";")[0].strip().lower()
        body = b""
        if request.method == b"POST":
            request.content.seek(0)
            body = request.content.read(self.max_body + 1)
            if len(body) > self.max_body:
                raise RefusedError(f"The request is longer than {self.max_body} bytes.")
        return self.read(query, body, content_type)

    #: Bytes that may be posted.
    max_body = parameters.MAX_BODY

    async def _send(self, request: Any, flow: _Flow, pieces: AsyncIterator[bytes]) -> None:
        """Sends the pieces; the next one is made while the client takes one."""
        piece = await anext(pieces)
        following = _next(pieces)
        if following.called and following.result is None:
            if not flow.gone:
                request.setHeader("content-length", str(len(piece)))
                request.write(piece)
                request.finish()
            return
        if not flow.gone:
            request.registerProducer(flow, True)
        while await flow.ready():
            request.write(piece)
            found = await following
            if found is None:
                break
            piece, following = found, _next(pieces)
        if flow.gone:
            following.addErrback(lambda _failure: None)  # whatever happens, nobody will know
        else:
            flow.resumeProducing()
            request.unregisterProducer()
            request.finish()


def _next(pieces: AsyncIterator[bytes]) -> defer.Deferred[bytes | None]:
    """The next piece; None when there is none any more."""

    async def get() -> bytes | None:
        return await anext(pieces, None)

    return defer.Deferred.fromCoroutine(get())


def _say(request: Any, status: int, sentence: str) -> None:
    body = f"{sentence}\n".encode()
    request.setResponseCode(status)
    request.setHeader("content-type", "text/plain; charset=utf-8")
    request.setHeader("content-length", str(len(body)))
    request.write(body)
    request.finish()


def _fail(request: Any, flow: _Flow, status: int, sentence: str) -> None:
    if flow.gone:
        return
    if request.startedWriting:
        flow.abort()
    else:
        _say(request, status, sentence)


def form_fields(query: bytes, body: bytes, content_type: str) -> list[tuple[str, str]]:
    """Parameters of an address and of a form that was posted."""
    if body and content_type not in {"", "application/x-www-form-urlencoded"}:
        raise RefusedError("Parameters are posted as application/x-www-form-urlencoded.")
    return parameters.fields(query, body)


#: Paths, or their first parts, whose resources read for themselves what is posted to them.
_leaves: set[bytes] = set()
#: Resources below the folder of a data set, by its name.
_folders: dict[str, _Folder] = {}


def add(resources: Mapping[str, Any]) -> None:
    """Adds resources, by the first parts of their path, to DaCHS' server before it starts.

    A path of one part is all theirs. "jmdc/star" is a resource below the folder of a data set,
    "jmdc/" its page; what else is asked for there is DaCHS', such as the services of its RD.

    What is posted to them is left to them: DaCHS reads forms byte by byte in Python; megabytes of
    them stop the server for many seconds.
    """
    from gavo.web import root

    for name, page in resources.items():
        folder, slash, rest = name.partition("/")
        if slash:
            if folder not in _folders:
                _folders[folder] = _Folder(folder)
                root.ArchiveService.addStatic(folder, _folders[folder])
            _folders[folder].putChild(rest.encode(), page)
        else:
            root.ArchiveService.addStatic(name, page)
        _leaves.add(name.encode())
    root.site.requestFactory = _request_class()


class _Folder(resource.Resource):  # type: ignore[misc]
    """Our resources below the name of a data set, and DaCHS' own beside them."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def render_GET(self, request: Any) -> bytes:
        """Leads from the name to the page, whose relative links need the slash."""
        query = request.uri.partition(b"?")[1:]
        request.redirect(b"/%s/%s" % (self._name.encode(), b"".join(query)))
        return b""

    def getChild(self, name: bytes, request: Any) -> Any:
        """The service of an RD, as DaCHS finds it."""
        from gavo.web import common, root

        segments = [self._name, *request.popSegments(name)]
        service, rest = root.root._locateResourceBasedChild(request, segments)
        request.pushBackSegments(rest)
        return common.compwrap(service)


def _is_leaf(path: bytes) -> bool:
    """Whether a path is one of ours, or below one."""
    parts = path.lstrip(b"/").split(b"/")
    return bool(_leaves & {parts[0], b"/".join(parts[:2])})


@cache
def _request_class() -> Any:
    """DaCHS' class of requests, but that it reads nothing that is for `_leaves`."""
    from gavo.web import common

    class Request(common.Request):  # type: ignore[misc]
        def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
            if not _is_leaf(path.partition(b"?")[0]):
                super().requestReceived(command, path, version)
                return
            self.method, self.uri, self.clientproto = command, path, version
            self.path, self.args = path.partition(b"?")[0], dict[bytes, Any]()
            # The last part of a long answer must not wait for the client's word on the first.
            with suppress(AttributeError):
                self.channel.transport.setTcpNoDelay(True)
            self.process()

    return Request
