"""Where users log in and are told who they are.

/login: asks for name and password, then leads on to the page that `next` names.
/user.json: the profile of who has logged in; null for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet import threads
from twisted.python import log
from twisted.web import http, resource, server

from web import api, parameters, service
from web.api import Api, Call, Route
from web.users import LoginError


class Login(resource.Resource):  # type: ignore[misc]
    """Asks for a login until there is one; then redirects to a page of this centre."""

    isLeaf = True

    def render_GET(self, request: Any) -> Any:
        """Answers 401, or 303."""
        answer = threads.deferToThread(self._answer, request)
        answer.addErrback(api.failure, request).addCallback(_lead_on, request)
        answer.addErrback(log.err)
        return server.NOT_DONE_YET

    def _answer(self, request: Any) -> Any:
        given = parameters.single(request.uri.partition(b"?")[2])
        target = given.get("next", "/")
        # A second slash, or what browsers take for one, would lead to another site.
        if not target.startswith("/") or target[1:2] in {"/", "\\"}:
            raise parameters.RefusedError("Only pages of this centre can be next.")
        if api.user_of(request) is None:
            raise LoginError("Log in with the name and the password of your account.")
        return target


def _lead_on(answer: Any, request: Any) -> None:
    if isinstance(answer, str):
        request.setResponseCode(http.SEE_OTHER)
        request.setHeader("location", answer.encode("ascii", "xmlcharrefreplace"))
        request.setHeader("cache-control", "no-store")
        request.finish()
    else:
        api.send(answer, request)


def install(groups: Sequence[str]) -> None:
    """Adds them to DaCHS' server, before it starts; `groups` are those of which a user is told."""

    def who(call: Call, _connection: Any) -> Any:
        return None if call.user is None else call.user.as_dict(groups)

    service.add({"login": Login(), "user.json": Api([Route("GET", "", who)])})
