"""Addresses under which programs and pages hand in data: JSON in, JSON out, one transaction each.

A call is one function, which gets what was asked and a database connection. What it returns is
the answer, and then all it has written is there; what it raises becomes an answer that says why in
a sentence, and then nothing of it is.

Browsers send a user's password along with whatever any site makes them ask for. So a call that
changes something is taken only with a body in a type that no form of another site can send, and
only when the browser says, if it says it, that a page of this centre has asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from twisted.internet import threads
from twisted.python import log
from twisted.web import http, resource, server

from web import parameters
from web.pages import JSON, MissingError
from web.parameters import RefusedError
from web.users import ForbiddenError, LoginError, User, authenticate

#: Bytes of a JSON document that is handed in.
MAX_BODY = 1 << 20
_CHANGING = {"POST", "PUT", "DELETE"}
#: What a form of another site can send without asking first (Fetch standard, section 2.2.2).
_SIMPLE = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain", ""}


class ProblemsError(RefusedError):
    """What was handed in cannot be taken; has a sentence for each field that is wrong."""

    def __init__(self, sentence: str, problems: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(sentence)
        self.problems = problems


class ConflictError(Exception):
    """Somebody else was faster; the message says so in a sentence. Becomes a 409."""


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    #: What the route's pattern has found in the path.
    found: Mapping[str, str]
    #: The parameters in the address, each once.
    given: Mapping[str, str]
    #: Media type of the body, in small letters and without parameters.
    content_type: str
    body: bytes
    #: None when nobody has logged in.
    user: User | None

    @property
    def login(self) -> User:
        """The user, who must have logged in."""
        if self.user is None:
            raise LoginError("Log in with the name and the password of your account.")
        return self.user

    def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object; raises RefusedError."""
        if self.content_type != "application/json":
            raise RefusedError("Send a JSON object, as application/json.")
        try:
            document = json.loads(self.body.decode("utf-8"), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise RefusedError(f"The JSON cannot be read: {error}.") from None
        if not isinstance(document, dict):
            raise RefusedError("The JSON must be one object.")
        return document


#: What does a call: from the request and a connection that may write, to what is sent as JSON, or
#: to a document with its media type.
Deed = Callable[[Call, Any], Any]


@dataclass(frozen=True)
class Document:
    """An answer that is no JSON."""

    media_type: str
    body: bytes
    #: Name under which it is to be saved; None to show it.
    file_name: str | None = None


@dataclass(frozen=True)
class Route:
    """A method and a path below the address of an Api with what is done there."""

    method: str
    #: Regular expression of the whole rest of the path; its named groups are Call.found.
    path: str
    deed: Deed
    #: Bytes that may be handed in.
    max_body: int = MAX_BODY
    #: What is to be done after it, in the same transaction.
    then: Callable[[Any], None] | None = None


class Api(resource.Resource):  # type: ignore[misc]
    """The calls below one address; add it with web.service.add."""

    isLeaf = True

    def __init__(self, routes: Sequence[Route]) -> None:
        super().__init__()
        self._routes = [(route, re.compile(route.path)) for route in routes]

    def render(self, request: Any) -> Any:
        """Does in a thread what the route says."""
        answer = threads.deferToThread(self._answer, request)
        answer.addErrback(failure, request).addCallback(send, request).addErrback(log.err)
        return server.NOT_DONE_YET

    def _answer(self, request: Any) -> Any:
        from gavo import base

        method = request.method.decode("ascii")
        path = "/".join(
            part if isinstance(part, str) else part.decode("utf-8", "replace")
            for part in request.postpath
        )
        route, found = self._route("GET" if method == "HEAD" else method, path, request)
        call = Call(
            route.method,
            found,
            parameters.single(request.uri.partition(b"?")[2]),
            (request.getHeader("content-type") or "").partition(";")[0].strip().lower(),
            _body(request, route.max_body),
            user_of(request),
        )
        if route.method in _CHANGING:
            _check_origin(request, call.content_type)
        with base.getWritableAdminConn() as connection:
            try:
                answer = route.deed(call, connection)
                if route.then is not None:
                    route.then(connection)
                return answer
            except tuple(_STATUS) as error:
                connection.rollback()
                refusal = error
        raise refusal  # out here, for DaCHS throws away connections in whose use something failed

    def _route(self, method: str, path: str, request: Any) -> tuple[Route, dict[str, str]]:
        allowed = set()
        for route, pattern in self._routes:
            match = pattern.fullmatch(path)
            if match and route.method == method:
                return route, match.groupdict()
            if match:
                allowed.add(route.method)
        if not allowed:
            raise MissingError("There is nothing at this address.")
        request.setHeader("allow", ", ".join(sorted(allowed)))
        raise _MethodError(f"This address takes {', '.join(sorted(allowed))}.")


class _MethodError(Exception):
    """A method that an address does not take."""


_STATUS = {
    LoginError: http.UNAUTHORIZED,
    ForbiddenError: http.FORBIDDEN,
    MissingError: http.NOT_FOUND,
    ConflictError: http.CONFLICT,
    RefusedError: http.BAD_REQUEST,
    _MethodError: http.NOT_ALLOWED,
}


def user_of(request: Any) -> User | None:
    """Who asks; None when a request names nobody, LoginError when it does so wrongly.

    Asks the database, so it belongs into a thread.
    """
    if not request.getHeader("authorization"):
        return None
    name, password = (
        part.decode("utf-8", "replace") if isinstance(part, bytes) else part or ""
        for part in (request.getUser(), request.getPassword())
    )
    return authenticate(name, password)


def ask_for_login(request: Any) -> None:
    """Makes an answer one that a browser asks for name and password upon."""
    from gavo import base

    realm = base.getConfig("web", "realm")
    request.setResponseCode(http.UNAUTHORIZED)
    request.setHeader("www-authenticate", f'Basic realm="{realm}", charset="UTF-8"')


def _body(request: Any, limit: int) -> bytes:
    request.content.seek(0)
    body = request.content.read(limit + 1)
    if len(body) > limit:
        raise RefusedError(f"More than {limit} bytes were sent.")
    return bytes(body)


def _check_origin(request: Any, content_type: str) -> None:
    """Raises ForbiddenError for what a page of another site may have made a browser send."""
    site = request.getHeader("sec-fetch-site") or "same-origin"
    origin = request.getHeader("origin")
    host = request.getHeader("host")
    if site not in {"same-origin", "none"} or (origin and urlsplit(origin).netloc != host):
        raise ForbiddenError("Only pages of this centre may ask a browser for this.")
    if content_type in _SIMPLE:
        raise RefusedError("Send a JSON object, as application/json.")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def failure(reason: Any, request: Any) -> Any:
    """What went wrong, as an answer."""
    if reason.check(psycopg2.OperationalError, psycopg2.InterfaceError):
        request.setResponseCode(http.SERVICE_UNAVAILABLE)
        request.setHeader("retry-after", "10")
        return {"error": "The database is not available now; try again later."}
    kind = reason.check(*_STATUS)
    if kind is None:
        log.err(reason, f"{request.path!r} failed")
        request.setResponseCode(http.INTERNAL_SERVER_ERROR)
        return {"error": "The answer could not be made; this has been recorded."}
    status = _STATUS[kind]
    if status == http.UNAUTHORIZED:
        ask_for_login(request)
    request.setResponseCode(status)
    answer: dict[str, Any] = {"error": str(reason.value)}
    if reason.check(ProblemsError):
        answer["problems"] = list(reason.value.problems)
    return answer


def send(answer: Any, request: Any) -> None:
    """Sends a Document, or anything else as JSON."""
    if isinstance(answer, Document):
        media_type, body = answer.media_type, answer.body
        if answer.file_name is not None:
            request.setHeader("content-disposition", f'attachment; filename="{answer.file_name}"')
    else:
        media_type = JSON
        body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    request.setHeader("content-type", media_type)
    request.setHeader("content-length", str(len(body)))
    request.setHeader("x-content-type-options", "nosniff")
    request.setHeader("cache-control", "no-store")
    if request.method != b"HEAD":
        request.write(body)
    request.finish()
