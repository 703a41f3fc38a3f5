"""What the server answers for BadCal besides DaCHS' services.

/badcal-dsa/SubmitCone: the accepted stars, as SearchCal asks for them (cone.py);
/badcal/, /badcal/show.jsp, /badcal/star/N, /badcal/plot/N.png: pages (pages.py);
/badcal/api/…: what users hand in, and what editors decide on it:

    POST report              a report, as JSON: the fields of ingest.badcal.Report
    GET  report/N            it, with its history; more for editors and who has handed it in
    POST report/N/EVENT      {"version": the one that was seen, "words": why}; badcal.EVENTS
    GET  mine                the user's own reports, the newest first; ?page=
    GET  queue               what waits for the editors; ?state= for others; ?page=
    POST facility            a table, CSV or VOTable; ?facility= unless it is the account's name
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql
from twisted.web import resource

from badcal.res import pages, registration, store
from badcal.res.cone import SubmitCone
from badcal.res.store import Actor
from ingest import badcal
from ingest.fits import UnreadableFile
from web import parameters, service
from web.api import Api, Call, ConflictError, ProblemsError, Route
from web.pages import MissingError
from web.parameters import RefusedError
from web.users import ForbiddenError, User

EDITORS, FACILITIES = "badcal-editors", "badcal-facilities"
#: Bytes of a facility's table.
MAX_TABLE = 10 << 20
#: Characters of what somebody says with a decision.
_MAX_WORDS = 2000
#: Reports of a page of a list.
PAGE = 50
#: Media types of tables, with what their files are called.
_TABLES = {
    "text/csv": "table.csv",
    "text/tab-separated-values": "table.tsv",
    "application/x-votable+xml": "table.vot",
    "application/xml": "table.vot",
    "text/xml": "table.vot",
}
#: Reports with star, numbers and history, as JSON.
_REPORTS = sql.SQL(
    "SELECT json_build_object('report', to_jsonb(r) - 'digest' - 'record', 'own', {own},"
    " 'star', (SELECT to_jsonb(s) FROM badcal.star AS s WHERE s.badcal_id = r.badcal_id),"
    " 'candidate', (SELECT to_jsonb(c) FROM badcal.candidate AS c"
    "  WHERE c.report_id = r.report_id),"
    " 'history', (SELECT json_agg(json_build_object('time', h.changed, 'deed', h.event,"
    "  'by', {who}, 'words', h.why, 'from', h.from_state, 'to', h.to_state) ORDER BY h.version)"
    "  FROM {history} AS h WHERE h.report_id = r.report_id))"
    " FROM {reports} AS r WHERE {condition}"
)
_THIS = sql.SQL("r.report_id = %(id)s")
#: Who has made an entry h of the history: all that is known of that, for editors; for who has
#: handed the report in, the name of an editor as everybody sees it.
_KNOWN = sql.SQL("COALESCE(h.person, h.username, h.role)")
_AGREED = sql.SQL(
    "CASE WHEN h.username = %(user)s THEN {known} ELSE (SELECT COALESCE(p.person, p.role)"
    " FROM badcal.history AS p WHERE p.report_id = h.report_id AND p.version = h.version) END"
).format(known=_KNOWN)


def _full(condition: sql.Composable, user: User) -> sql.Composable:
    """Reports with all that the user may see, an editor or who has handed them in."""
    return _REPORTS.format(
        own=store.OWN,
        who=_KNOWN if EDITORS in user.groups else _AGREED,
        history=sql.Identifier("badcal", "stored_history"),
        reports=sql.Identifier("badcal", "stored_report"),
        condition=condition,
    )


_PUBLIC = _REPORTS.format(
    own=sql.SQL("FALSE"),
    who=sql.SQL("COALESCE(h.person, h.role)"),
    history=sql.Identifier("badcal", "history"),
    reports=sql.Identifier("badcal", "report"),
    condition=_THIS,
)


def _submit(call: Call, connection: Any) -> Any:
    user = call.login
    try:
        report = badcal.report(call.json(), datetime.now(UTC).date())
    except badcal.BadReport as error:
        raise ProblemsError("The report cannot be taken.", _problems(error.problems)) from None
    store.alone(connection)
    same = store.same(connection, report, user.name)
    if same is not None:
        raise ConflictError(f"You have handed in this report already; it is number {same}.")
    stored = store.add(connection, report, _actor(user, "submitter"), "submitted")
    return {
        "report_id": stored.report_id,
        "badcal_id": stored.badcal_id,
        "new_star": stored.new_star,
        "state": "submitted",
    }


def _change(call: Call, connection: Any) -> Any:
    user, event = call.login, call.found["event"]
    rule = badcal.EVENTS[event]
    document = call.json()
    unknown = document.keys() - {"version", "words"}
    version = document.get("version")
    if unknown or not isinstance(version, int) or isinstance(version, bool):
        raise RefusedError("Send version, the number of the version you have seen, and words.")
    words = document.get("words")
    if words is not None or rule.needs_reason:
        try:
            words = badcal.text("words", "" if words is None else words, _MAX_WORDS)
        except ValueError as error:
            raise ProblemsError("Say why.", _problems([("words", str(error))])) from None
    role = _role(connection, user, int(call.found["id"]), rule)
    try:
        return store.change(
            connection, int(call.found["id"]), event, _actor(user, role), words, version
        )
    except store.ConflictError as error:
        raise ConflictError(str(error)) from None


def _role(connection: Any, user: User, report_id: int, rule: badcal.Event) -> str:
    """What the user is to a report, of those who may do something to it."""
    found = list(
        connection.query(
            sql.SQL("SELECT origin, {} FROM badcal.stored_report AS r WHERE {}").format(
                store.OWN, _THIS
            ),
            {"user": user.name, "id": report_id},
        )
    )
    if not found:
        raise MissingError(f"There is no report {report_id}.")
    [(origin, own)] = found
    roles = []
    if own:
        roles.append("facility" if origin == "facility" else "submitter")
    if EDITORS in user.groups:
        roles.append("editor")
    for role in roles:
        if role in rule.roles:
            return role
    who = "Editors" if rule.roles == {"editor"} else "Editors and who has handed it in"
    if "editor" not in rule.roles:
        who = "Only who has handed it in"
    raise ForbiddenError(f"{who} can do this to a report.")


def _show(call: Call, connection: Any) -> Any:
    values = {"id": int(call.found["id"]), "user": call.user and call.user.name}
    if call.user is not None:
        own = sql.SQL("{} AND {}").format(_THIS, store.OWN)
        seen = _THIS if EDITORS in call.user.groups else own
        for (found,) in connection.query(_full(seen, call.user), values):
            return found
    for (found,) in connection.query(_PUBLIC, values):
        return found
    raise MissingError(f"There is no report {call.found['id']}.")


def _mine(call: Call, connection: Any) -> Any:
    return _page(call, connection, sql.SQL("{} ORDER BY r.report_id DESC").format(store.OWN), {})


def _queue(call: Call, connection: Any) -> Any:
    call.login.require(EDITORS, "see the queue")
    state = call.given.get("state")
    if state is not None and state not in badcal.STATES:
        raise RefusedError(f"state must be one of {', '.join(badcal.STATES)}.")
    wanted = sql.SQL(
        "r.state = ANY(%(states)s) ORDER BY r.state DESC, r.is_question_open, r.updated DESC,"
        " r.report_id"
    )
    states = ["submitted", "candidate"] if state is None else [state]
    return _page(call, connection, wanted, {"states": states})


def _page(
    call: Call, connection: Any, condition: sql.Composable, values: dict[str, Any]
) -> dict[str, Any]:
    """The page of a list that a call asks for, and whether there are more."""
    page = parameters.whole(dict(call.given), "page", 1) if "page" in call.given else 1
    rows = list(
        connection.query(
            sql.SQL("{} LIMIT %(size)s OFFSET %(start)s").format(_full(condition, call.login)),
            {**values, "user": call.login.name, "size": PAGE + 1, "start": PAGE * (page - 1)},
        )
    )
    return {
        "reports": [found for (found,) in rows[:PAGE]],
        "page": page,
        "more": len(rows) > PAGE,
    }


def _register(call: Call, connection: Any) -> Any:
    user = call.login
    user.require(FACILITIES, "register the bad calibrators of a facility")
    facility = call.given.get("facility", user.name)
    if facility in (EDITORS, FACILITIES):
        raise RefusedError(f"{facility} is no facility, but a group of accounts with duties.")
    if facility not in user.groups:
        raise ForbiddenError(f"Your account is not in the group {facility}.")
    if call.content_type not in _TABLES:
        raise RefusedError(f"Send a table, as one of {', '.join(_TABLES)}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _TABLES[call.content_type]
        path.write_bytes(call.body)
        try:
            outcome = registration.register(connection, path, facility, _actor(user, "facility"))
        except registration.RefusedError as error:
            problems = [
                {"fields": [], "line": one.line, "words": one.reason, "severity": "error"}
                for one in error.problems
            ]
            raise ProblemsError(str(error), problems) from None
        except UnreadableFile as error:
            raise RefusedError(f"The table cannot be read: {error}.") from None
    return outcome.as_dict()


def _actor(user: User, role: str) -> Actor:
    return Actor(role, user.name, user.full_name, user.affiliation)


def _problems(found: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"fields": [field], "words": sentence, "severity": "error"} for field, sentence in found
    ]


def install(follow: Callable[[Any], None]) -> None:
    """Adds all of it to DaCHS' server, before it starts.

    `follow` is done, on a connection, once what is handed in has changed a star.
    """
    number, event = "report/(?P<id>[0-9]{1,9})", f"(?P<event>{'|'.join(badcal.EVENTS)})"
    api = Api(
        [
            Route("GET", "mine", _mine),
            Route("GET", "queue", _queue),
            Route("GET", number, _show),
            Route("POST", "report", _submit, then=follow),
            Route("POST", f"{number}/{event}", _change, then=follow),
            Route("POST", "facility", _register, MAX_TABLE, follow),
        ]
    )
    former = resource.Resource()
    former.putChild(b"SubmitCone", SubmitCone())
    service.add({"badcal-dsa": former, "badcal/api": api, **pages.resources()})
