"""Pages for people: files of resources/static with what they show in them as JSON.

One request is all a page takes; the same JSON is at its address with .json behind it.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from gavo.web import weberrors
from twisted.internet import defer
from twisted.web import http, resource, server

from web import sessions
from web.parameters import RefusedError

STATIC = Path(__file__).resolve().parents[1] / "resources" / "static"
#: Where a page has its data; see fill.
_PLACE = '<script type="application/json" id="data">'
#: Where the page of what is not there says what that is.
_WORDS = ">…<"
JSON = "application/json;charset=utf-8"
HTML = "text/html;charset=utf-8"
TEXT = "text/plain;charset=utf-8"


class MissingError(Exception):
    """What an address names is not there; the message says so in a sentence."""


class Page(resource.Resource):  # type: ignore[misc]
    """An answer that a generator makes; knows what to do when that fails."""

    isLeaf = True

    def render_GET(self, request: Any) -> Any:
        """Answers GET and HEAD; the work is done without a thread."""
        # A path is bytes in Twisted, but text in DaCHS' requests.
        parts = [part if isinstance(part, str) else part.decode() for part in request.postpath]
        answer = defer.ensureDeferred(self.answer("/".join(parts), request))
        answer.addCallback(_deliver, request).addErrback(_fail, request)
        answer.addErrback(weberrors.renderDCErrorPage, request)
        return server.NOT_DONE_YET

    async def answer(self, path: str, request: Any) -> tuple[str, bytes]:
        """Media type and body for the rest of a path."""
        raise NotImplementedError


def fill(name: str, data: str) -> bytes:
    """A file of resources/static with data in it, which nothing in a script element can leave."""
    text = (STATIC / name).read_text("utf-8")
    before, place, after = text.partition(_PLACE)
    safe = data.replace("<", "\\u003c")
    return f"{before}{place}{safe}{after}".encode()


def _deliver(answer: tuple[str, bytes], request: Any) -> None:
    media_type, body = answer
    request.setHeader("content-type", media_type)
    request.setHeader("content-length", str(len(body)))
    request.setHeader("x-content-type-options", "nosniff")
    if media_type == JSON:
        request.setHeader("access-control-allow-origin", "*")
    request.write(body)
    request.finish()


def _fail(failure: Any, request: Any) -> Any:
    """Says in a sentence what is not there, or that the database has no time; else it is DaCHS'."""
    if failure.check(sessions.BusyError):
        request.setResponseCode(http.SERVICE_UNAVAILABLE)
        request.setHeader("retry-after", "10")
        _deliver((TEXT, f"{failure.getErrorMessage()}\n".encode()), request)
        return None
    if failure.check(RefusedError):
        request.setResponseCode(http.BAD_REQUEST)
        _deliver((TEXT, f"{failure.getErrorMessage()}\n".encode()), request)
        return None
    if failure.check(MissingError):
        request.setResponseCode(http.NOT_FOUND)
        words = failure.getErrorMessage()
        if request.path.endswith(b".json"):
            answer = TEXT, f"{words}\n"
        else:
            text = (STATIC / "missing.html").read_text("utf-8")
            answer = HTML, text.replace(_WORDS, f">{html.escape(words)}<", 1)
        _deliver((answer[0], answer[1].encode()), request)
        return None
    return failure
