"""Calls by which measurements are handed in for JMDC, and editors decide on them: /jmdc/api/…

check: judges without keeping anything, for everybody;
submissions: POST hands in, GET tells one's own; submissions/NUMBER: GET tells, PUT changes it (and
answers a question); submissions/NUMBER/withdraw, …/accept, …/ask, …/reject;
queue: submissions in a state, for editors.
"""

from __future__ import annotations

from typing import Any

from jmdc.res import submissions
from jmdc.res.catalogue import Follow
from web import parameters
from web.api import Api, Call, Deed, Route
from web.pages import MissingError

#: Bytes that a submission needs at most, by far.
_MAX_BODY = 1 << 16
_ONE = r"submissions/(?P<number>\d{1,9})"


def _check(call: Call, connection: Any) -> Any:
    return submissions.draft(connection, call.json()).as_dict()


def _submit(call: Call, connection: Any) -> Any:
    return submissions.submit(connection, call.login, call.json())


def _own(call: Call, connection: Any) -> Any:
    return submissions.own(connection, call.login, _page(call))


def _show(call: Call, connection: Any) -> Any:
    return submissions.show(connection, call.login, int(call.found["number"]))


def _change(call: Call, connection: Any) -> Any:
    return submissions.change(connection, call.login, int(call.found["number"]), call.json())


def _withdraw(call: Call, connection: Any) -> Any:
    return submissions.withdraw(connection, call.login, int(call.found["number"]), call.json())


def _decide(call: Call, connection: Any) -> Any:
    number, decision = int(call.found["number"]), call.found["decision"]
    return submissions.decide(connection, call.login, number, decision, call.json())


def _accepting(follow: Follow) -> Deed:
    def accept(call: Call, connection: Any) -> Any:
        number = int(call.found["number"])
        return submissions.accept(connection, call.login, number, call.json(), follow)

    return accept


def _queue(call: Call, connection: Any) -> Any:
    state = call.given.get("state", "submitted")
    return submissions.queue(connection, call.login, state, _page(call))


def _page(call: Call) -> int:
    page = parameters.whole(dict(call.given), "page", 1) if "page" in call.given else 1
    if page > 100_000:
        raise MissingError("There are not so many pages.")
    return page


def calls(follow: Follow) -> Api:
    """All of them; `follow` is done, on a connection, with each change of JMDC."""
    return Api(
        [
            Route("POST", "check", _check, _MAX_BODY),
            Route("POST", "submissions", _submit, _MAX_BODY),
            Route("GET", "submissions", _own),
            Route("GET", _ONE, _show),
            Route("PUT", _ONE, _change, _MAX_BODY),
            Route("POST", f"{_ONE}/withdraw", _withdraw, _MAX_BODY),
            Route("POST", f"{_ONE}/accept", _accepting(follow), _MAX_BODY),
            Route("POST", rf"{_ONE}/(?P<decision>ask|reject)", _decide, _MAX_BODY),
            Route("GET", "queue", _queue),
        ]
    )
