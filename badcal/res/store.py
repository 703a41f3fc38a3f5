"""Reports, stars and history in the tables of q.rd.

Everything here is done on a connection whose transaction the caller ends. Writers wait for each
other (``alone``), so that numbers are given once and two reports of one star find each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from gavo import api
from psycopg2 import sql
from psycopg2.extras import execute_values

from ingest import badcal, jmdc_bands
from ingest.badcal import Report

Row = Mapping[str, Any]

#: Whether a report r is of the user: a name may have been given to somebody else since.
OWN = sql.SQL(
    "COALESCE(r.submitter = %(user)s AND NOT EXISTS (SELECT 1 FROM users.profile AS p"
    " WHERE p.username = r.submitter AND p.created > r.submitted), FALSE)"
)


class MissingError(LookupError):
    """There is no such report; the message says so in a sentence."""


class ConflictError(Exception):
    """A report is not any more, or not yet, what this can be done to; the message says so."""


class ForbiddenError(Exception):
    """Somebody else may do this; the message says so."""


@dataclass(frozen=True)
class Actor:
    """Who does something."""

    #: submitter, editor, facility, operator or program.
    role: str
    #: Account; None for the operator and for a program.
    username: str | None = None
    full_name: str | None = None
    affiliation: str | None = None


@dataclass(frozen=True)
class Stored:
    """A report that has been stored."""

    report_id: int
    badcal_id: int
    #: Whether nobody has reported the star before.
    new_star: bool


def alone(connection: Any) -> None:
    """Waits until nobody else writes to BadCal; holds until the end of the transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('badcal'))")


def add(
    connection: Any,
    report: Report,
    actor: Actor,
    state: str,
    *,
    facility: str | None = None,
    record: str | None = None,
    badcal_id: int | None = None,
    numbers: bool = False,
    why: str | None = None,
) -> Stored:
    """Stores a report of a star that is there, or of a new one; call ``alone`` before.

    ``badcal_id`` is the number that the star must have. With ``numbers`` a star that was not there
    gets it, else it must be there. Raises ConflictError.
    """
    now = _now()
    star_id = star_at(connection, report.ra, report.dec)
    new_star = star_id is None
    if badcal_id is not None and star_id not in {None, badcal_id}:
        raise ConflictError(f"BadCal has this star already, with the number {star_id}.")
    if badcal_id is not None and star_id is None and not numbers:
        raise ConflictError(f"There is no star {badcal_id} in BadCal at this position.")
    if star_id is None:
        star_id = _new_star(connection, report, badcal_id, now)
    report_id = _next(connection, "stored_report", "report_id")
    person = actor.role == "submitter"
    row = {
        **{name: value for name, value in asdict(report).items() if name not in ("ra", "dec")},
        "report_id": report_id,
        "badcal_id": star_id,
        "s_ra": report.ra,
        "s_dec": report.dec,
        "state": state,
        **_waves(report.wavelength),
        "origin": {"submitter": "person", "program": "program"}.get(actor.role, "facility"),
        "facility": facility,
        "user_name": actor.full_name if person else None,
        "user_affiliation": actor.affiliation if person else None,
        "submitted": now,
        "updated": now,
        "submitter": actor.username,
        "record": record,
        "digest": report.digest,
        "version": 1,
        "is_question_open": False,
    }
    insert(connection, "stored_report", [row])
    event = "find" if actor.role == "program" else "submit"
    _note(connection, report_id, 1, event, None, state, actor, why, now)
    _refresh(connection, star_id, now)
    return Stored(report_id, star_id, new_star)


def change(
    connection: Any,
    report_id: int,
    event: str,
    actor: Actor,
    why: str | None,
    version: int | None = None,
) -> dict[str, Any]:
    """Does one of badcal.EVENTS to a report; its number, star, state and version after it.

    ``version`` is the one that the actor has seen. Raises MissingError, ForbiddenError and
    ConflictError.
    """
    alone(connection)
    found = list(
        connection.queryToDicts(
            "SELECT report_id, badcal_id, state, version, submitter, origin"
            " FROM badcal.stored_report WHERE report_id = %(id)s FOR UPDATE",
            {"id": report_id},
        )
    )
    if not found:
        raise MissingError(f"There is no report {report_id}.")
    report = found[0]
    rule = badcal.EVENTS[event]
    if actor.role not in rule.roles:
        who = "an editor" if "editor" in rule.roles else "who has handed it in"
        raise ForbiddenError(f"Only {who} can {event} a report.")
    if version is not None and version != report["version"]:
        raise ConflictError(
            f"Report {report_id} has been changed meanwhile: it is {report['state']} now."
        )
    if report["state"] not in rule.states:
        raise ConflictError(
            f"Report {report_id} is {report['state']}; it must be"
            f" {' or '.join(sorted(rule.states))} for that."
        )
    return _set_state(connection, report, event, rule.state or report["state"], actor, why)


def replace(connection: Any, report_id: int, actor: Actor, why: str) -> None:
    """Withdraws a report that another one takes the place of."""
    for report in list(
        connection.queryToDicts(
            "SELECT report_id, badcal_id, state, version FROM badcal.stored_report"
            " WHERE report_id = %(id)s AND state <> 'withdrawn' FOR UPDATE",
            {"id": report_id},
        )
    ):
        _set_state(connection, report, "replace", "withdrawn", actor, why)


def _set_state(
    connection: Any, report: Row, event: str, state: str, actor: Actor, why: str | None
) -> dict[str, Any]:
    now = _now()
    after = {
        "report_id": report["report_id"],
        "badcal_id": report["badcal_id"],
        "state": state,
        "version": report["version"] + 1,
    }
    connection.execute(
        "UPDATE badcal.stored_report SET state = %(state)s, version = %(version)s,"
        " updated = %(now)s, is_question_open = %(asked)s WHERE report_id = %(report_id)s",
        {**after, "now": now, "asked": event == "ask"},
    )
    _note(
        connection, after["report_id"], after["version"], event, report["state"], state, actor,
        why, now,
    )  # fmt: skip
    _refresh(connection, after["badcal_id"], now)
    return after


def same(connection: Any, report: Report, username: str | None) -> int | None:
    """Number of a person's report that says the same and is the user's own, or nobody's account's
    without a user; None without one."""
    whose = sql.SQL("r.submitter IS NULL") if username is None else OWN
    for (number,) in connection.query(
        sql.SQL(
            "SELECT report_id FROM badcal.stored_report AS r WHERE digest = %(digest)s"
            " AND facility IS NULL AND {} ORDER BY report_id LIMIT 1"
        ).format(whose),
        {"digest": report.digest, "user": username},
    ):
        return int(number)
    return None


def star_at(connection: Any, ra: float, dec: float) -> int | None:
    """Number of the star nearest to a position (deg), within badcal.SAME_STAR; None without one."""
    for (number,) in connection.query(
        "SELECT badcal_id FROM badcal.star WHERE spoint(radians(s_ra), radians(s_dec))"
        " <@ scircle(spoint(radians(%(ra)s), radians(%(dec)s)), radians(%(radius)s))"
        " ORDER BY spoint(radians(s_ra), radians(s_dec))"
        " <-> spoint(radians(%(ra)s), radians(%(dec)s)), badcal_id LIMIT 1",
        {"ra": ra, "dec": dec, "radius": badcal.SAME_STAR / 3600},
    ):
        return int(number)
    return None


def _new_star(connection: Any, report: Report, wanted: int | None, now: datetime) -> int:
    taken = list(
        connection.query("SELECT 1 FROM badcal.star WHERE badcal_id = %(id)s", {"id": wanted})
    )
    if wanted is not None and taken:
        raise ConflictError(f"The number {wanted} is that of another star in BadCal.")
    number = wanted if wanted is not None else _next(connection, "star", "badcal_id")
    insert(
        connection,
        "star",
        [
            {
                "badcal_id": number,
                "s_ra": report.ra,
                "s_dec": report.dec,
                "name": report.name,
                "state": "submitted",
                "reason_classes": "",
                "n_reports": 0,
                "n_accepted": 0,
                "created": now,
                "updated": now,
            }
        ],
    )
    return number


def _refresh(connection: Any, badcal_id: int, now: datetime) -> None:
    """Brings a star in line with its reports."""
    connection.execute(
        "WITH r AS (SELECT *, array_position(%(states)s::text[], state) AS rank,"
        "   row_number() OVER (ORDER BY state <> 'accepted', report_id) AS place"
        "  FROM badcal.stored_report WHERE badcal_id = %(id)s)"
        " UPDATE badcal.star AS s SET s_ra = f.s_ra, s_dec = f.s_dec, updated = %(now)s,"
        # What nobody has judged names no accepted star.
        "  name = (SELECT name FROM r WHERE name IS NOT NULL"
        "   AND (f.state <> 'accepted' OR state = 'accepted') ORDER BY place LIMIT 1),"
        "  state = (SELECT state FROM r ORDER BY rank LIMIT 1),"
        "  reason_classes = (SELECT string_agg(DISTINCT reason_class, ' ' ORDER BY reason_class)"
        "   FROM r WHERE rank = (SELECT MIN(rank) FROM r)),"
        "  n_reports = (SELECT COUNT(*) FROM r),"
        "  n_accepted = (SELECT COUNT(*) FROM r WHERE state = 'accepted')"
        " FROM r AS f WHERE f.place = 1 AND s.badcal_id = %(id)s",
        {"states": list(badcal.STATES), "id": badcal_id, "now": now},
    )


def _note(
    connection: Any,
    report_id: int,
    version: int,
    event: str,
    before: str | None,
    after: str,
    actor: Actor,
    why: str | None,
    now: datetime,
) -> None:
    insert(
        connection,
        "stored_history",
        [
            {
                "report_id": report_id,
                "changed": now,
                "event": event,
                "from_state": before,
                "to_state": after,
                "role": actor.role,
                "person": actor.full_name,
                "why": why,
                "username": actor.username,
                "version": version,
            }
        ],
    )


def _waves(words: str | None) -> dict[str, float | None]:
    """Shortest and longest wavelength (m) that words tell; None where they cannot be read."""
    band = jmdc_bands.read(words) if words else None
    if band is None:
        return {"em_min": None, "em_max": None}
    return {"em_min": band.shortest, "em_max": band.longest}


def _next(connection: Any, table: str, column: str) -> int:
    """The number after the last one; nothing is ever deleted, so none is given twice."""
    ((last,),) = connection.query(
        sql.SQL("SELECT COALESCE(MAX({}), 0) FROM {}").format(
            sql.Identifier(column), sql.Identifier("badcal", table)
        )
    )
    return int(last) + 1


def insert(connection: Any, table: str, rows: Sequence[Row]) -> None:
    """Adds rows with the columns of a table of q.rd."""
    columns = _columns(table)
    statement = sql.SQL("INSERT INTO {} ({}) VALUES %s").format(
        sql.Identifier("badcal", table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        execute_values(cursor, statement, [[row[name] for name in columns] for row in rows])


@cache
def _columns(table: str) -> tuple[str, ...]:
    """Columns of a table of q.rd; DaCHS looks at the RD's file each time it is asked."""
    return tuple(column.name for column in api.getRD("badcal/q").getById(table).columns)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
