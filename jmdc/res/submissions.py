"""What users hand in for JMDC: judged at once, it waits for an editor, and becomes a measurement.

A submission is all its versions, a row each, to which rows are only added. One change is made at a
time; each names the version that it is about, so that of two at once the second is told so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gavo import api
from psycopg2 import sql

from centre.alone import BusyError
from ingest import jmdc_stars, jmdc_submission
from ingest.jmdc import COLUMNS, Measurement
from ingest.jmdc_rules import Severity
from ingest.jmdc_submission import Problem
from jmdc.res import judging, store
from jmdc.res.catalogue import Catalogue, CatalogueError, Version
from web.api import ConflictError, ProblemsError
from web.pages import MissingError
from web.parameters import RefusedError
from web.users import ForbiddenError, User

EDITORS = "jmdc-editors"
#: States in which something can still be done.
OPEN = ("submitted", "asked")
STATES = (*OPEN, "accepted", "rejected", "withdrawn")
#: What editors do: the state it leads to, and whether something must be said with it.
DECISIONS = {"accept": ("accepted", False), "ask": ("asked", True), "reject": ("rejected", True)}
#: What has become of a submission that is not any more as somebody has seen it.
_MEANWHILE = {
    "submitted": "been handed in", "changed": "been changed", "answered": "been answered",
    "asked": "gone back to the submitter with a question", "accepted": "been accepted",
    "rejected": "been rejected", "withdrawn": "been withdrawn",
}  # fmt: skip
#: Submissions of a page of a list.
PAGE = 50

_LATEST = sql.SQL(
    "SELECT s.* FROM jmdc.submission AS s"
    " WHERE NOT EXISTS (SELECT 1 FROM jmdc.submission AS n"
    " WHERE n.submission_id = s.submission_id AND n.version > s.version)"
)
_STAR = (
    "SELECT s.star_id, s.star_name, s.s_ra, s.s_dec, s.identity_flags, s.n_measurements,"
    " a.is_identifier"
    " FROM jmdc.star_alias AS a JOIN jmdc.star AS s ON s.star_id = a.star_id"
    " WHERE a.alias_key = %(key)s ORDER BY a.is_identifier DESC, s.n_measurements DESC LIMIT 1"
)
_STANDING = "SELECT * FROM jmdc.measurement WHERE measurement_id = %(number)s"
_NAMES = "SELECT username, full_name, affiliation, shown FROM users.profile"


@dataclass(frozen=True)
class Draft:
    """What somebody wants to hand in, understood and judged."""

    measurement: Measurement | None
    problems: Sequence[Problem]
    #: The measurement that it corrects, a row of jmdc.measurement.
    standing: Mapping[str, Any] | None
    #: The star it is of, with the columns of _STAR; None for one that JMDC does not have.
    star: Mapping[str, Any] | None
    words: str | None

    @property
    def errors(self) -> list[Problem]:
        """Why it cannot be taken."""
        return [problem for problem in self.problems if problem.severity == Severity.ERROR]

    def as_dict(self) -> dict[str, Any]:
        """What is told of it."""
        return {
            "acceptable": not self.errors,
            "problems": [problem.as_dict() for problem in self.problems],
            "measurement": self.measurement and self.measurement.as_row(),
            "star": self.star and dict(self.star),
        }


# ---------------------------------------------------------------- what is handed in


def draft(connection: Any, fields: Mapping[str, Any]) -> Draft:
    """Understands and judges the fields of a form; raises RefusedError for what is no such form."""
    for name in fields:
        if name not in (*COLUMNS, "corrects", "words", "version"):
            raise RefusedError(f"There is no field {name[:40]!r}.")
    standing = _corrected(connection, fields.get("corrects"))
    measurement, problems = jmdc_submission.read(fields)
    said = None
    try:
        said = jmdc_submission.words("The remark", fields.get("words"))
    except ValueError as error:
        problems.append(Problem(("words",), str(error)))
    star = None
    if measurement is not None:
        star, judged = _judge(connection, measurement, standing)
        problems += judged
        if said is None and (standing is not None or jmdc_submission.needs_word(problems)):
            why = "what is corrected, and why" if standing else "why it is right all the same"
            problems.append(Problem(("words",), f"Say {why}."))
    return Draft(measurement, problems, standing, star, said)


def _corrected(connection: Any, number: Any) -> Mapping[str, Any] | None:
    """The row that is to be corrected."""
    if number is None or number == "":
        return None
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 10:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**31:
        raise RefusedError("What is corrected must be the number of a measurement.")
    rows = list(connection.queryToDicts(_STANDING, {"number": number}))
    if not rows:
        raise RefusedError(f"There is no measurement {number} today that could be corrected.")
    row: Mapping[str, Any] = rows[0]
    return row


def _judge(
    connection: Any, measurement: Measurement, standing: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any] | None, list[Problem]]:
    asked = {"key": jmdc_stars.key(measurement.id1)}
    star = next(iter(connection.queryToDicts(_STAR, asked)), None)
    replaced = None if standing is None else _measurement(standing)
    number = None if standing is None else standing["measurement_id"]
    judgement = judging.judge(connection, measurement, number)
    problems = jmdc_submission.problems_of(measurement, judgement, replaced)
    if star is not None and not star["is_identifier"]:
        words = f"JMDC knows a star of that name as {star['star_name']}; take that for ID1."
        problems.append(Problem(("id1",), words, Severity.WARNING.value))
    return star, problems


def _measurement(row: Mapping[str, Any]) -> Measurement:
    return Measurement(**{name: row[name] for name in COLUMNS})


# ---------------------------------------------------------------- changes


def submit(connection: Any, user: User, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Takes a submission; raises ProblemsError when it cannot be taken."""
    new = _checked(connection, fields)
    _lock(connection)
    assert new.measurement is not None
    same = connection.queryToDicts(
        _LATEST
        + sql.SQL(
            " AND s.submitter = %(name)s AND s.state = ANY(%(open)s) AND s.id1 = %(id1)s"
            " AND s.bibcode IS NOT DISTINCT FROM %(bibcode)s"
        ),
        {
            "name": user.name,
            "open": list(OPEN),
            "id1": new.measurement.id1,
            "bibcode": new.measurement.bibcode,
        },
    )
    for row in same:
        if _measurement(row) == new.measurement and row["corrects"] == _number(new):
            raise ConflictError(
                f"You have handed in the same already, as submission {row['submission_id']}."
            )
    ((last,),) = connection.query("SELECT COALESCE(MAX(submission_id), 0) FROM jmdc.submission")
    row = {
        "submission_id": last + 1, "version": 1, "deed": "submitted", "state": "submitted",
        "submitter": user.name, "measurement_id": None, **_contents(new),
    }  # fmt: skip
    _add(connection, user, row)
    return show(connection, user, last + 1)


def change(
    connection: Any, user: User, submission_id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Takes other values for one's own submission, with the answer if there was a question."""
    _lock(connection)
    row = _own(connection, user, submission_id, fields.get("version"))
    new = _checked(connection, fields)
    answers = row["state"] == "asked"
    if answers and new.words is None:
        problem = Problem(("words",), "Answer the question of the editor.")
        raise ProblemsError(problem.words, [problem.as_dict()])
    row |= _contents(new)
    row |= {"deed": "answered" if answers else "changed", "state": "submitted"}
    _add(connection, user, row)
    return show(connection, user, submission_id)


def withdraw(
    connection: Any, user: User, submission_id: int, document: Mapping[str, Any]
) -> dict[str, Any]:
    """Takes one's own submission back, which stays in the table."""
    _lock(connection)
    row = _own(connection, user, submission_id, document.get("version"))
    words = _said(document, needed=False)
    row |= {"deed": "withdrawn", "state": "withdrawn", "words": words}
    _add(connection, user, row)
    return show(connection, user, submission_id)


def decide(
    connection: Any, user: User, submission_id: int, decision: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    """Accepts or rejects a submission, or asks the submitter something."""
    user.require(EDITORS, "decide on submissions")
    state, needed = DECISIONS[decision]
    words = _said(document, needed=needed)
    _lock(connection)
    row = _standing_row(connection, submission_id, document.get("version"))
    row |= {"deed": state, "state": state, "words": words}
    if decision == "accept":
        _accept(connection, user, row)
    else:
        _add(connection, user, row)
    return show(connection, user, submission_id)


def _accept(connection: Any, user: User, row: dict[str, Any]) -> None:
    """Makes a measurement of a submission, as an ingested row is one, and commits."""
    if row["corrects"] is not None:
        standing = next(iter(connection.queryToDicts(_STANDING, {"number": row["corrects"]})), None)
        if standing is None or standing["version"] != row["corrects_version"]:
            raise ConflictError(
                f"Measurement {row['corrects']} has changed since this was handed in; ask the"
                " submitter to look at it again."
            )
    _, problems = _judge(connection, _measurement(row), standing if row["corrects"] else None)
    errors = [problem for problem in problems if problem.severity == Severity.ERROR]
    if errors:
        raise ConflictError(f"It cannot be accepted as JMDC stands now: {errors[0].words}")
    try:
        with store.alone():
            book = Catalogue(connection)
            accepted: Version = book.accept(
                _measurement(row), _public_name(connection, row["submitter"]),
                row["submission_id"], row["corrects"],
            )  # fmt: skip
            row["measurement_id"] = accepted.measurement_id
            _add(connection, user, row)
            book.write()
    except (BusyError, CatalogueError) as error:
        raise ConflictError(str(error)) from None


def _public_name(connection: Any, username: str) -> str | None:
    """The name that may be shown with what a user has handed in."""
    profile = _profiles(connection, [username]).get(username)
    return profile["full_name"] if profile and profile["shown"] else None


def _checked(connection: Any, fields: Mapping[str, Any]) -> Draft:
    new = draft(connection, fields)
    if new.errors:
        raise ProblemsError(
            " ".join(problem.words for problem in new.errors),
            [problem.as_dict() for problem in new.problems],
        )
    return new


def _contents(new: Draft) -> dict[str, Any]:
    """The columns that the submitter fills."""
    assert new.measurement is not None
    return {
        **new.measurement.as_row(),
        "words": new.words,
        "corrects": _number(new),
        "corrects_version": new.standing and new.standing["version"],
        "findings": json.dumps([problem.as_dict() for problem in new.problems]),
    }


def _number(new: Draft) -> int | None:
    return None if new.standing is None else int(new.standing["measurement_id"])


def _said(document: Mapping[str, Any], *, needed: bool) -> str | None:
    try:
        words = jmdc_submission.words("What you say", document.get("words"))
    except ValueError as error:
        raise RefusedError(str(error)) from None
    if words is None and needed:
        raise RefusedError("Say something with it: a question, or the reason.")
    return words


def _lock(connection: Any) -> None:
    """Lets the changes of all users happen one after the other; reading goes on."""
    connection.execute("SET LOCAL lock_timeout = '30s'")
    connection.execute("LOCK TABLE jmdc.submission IN SHARE ROW EXCLUSIVE MODE")


def _own(connection: Any, user: User, submission_id: int, version: Any) -> dict[str, Any]:
    row = _row(connection, submission_id)
    if row["submitter"] != user.name:
        raise ForbiddenError("Only who has handed it in may do this.")
    return _check_version(row, version)


def _standing_row(connection: Any, submission_id: int, version: Any) -> dict[str, Any]:
    return _check_version(_row(connection, submission_id), version)


def _check_version(row: dict[str, Any], version: Any) -> dict[str, Any]:
    """The row with the number of the version that follows it."""
    if isinstance(version, bool) or not isinstance(version, int):
        raise RefusedError("Name the version of the submission that you have seen, as a number.")
    if version != row["version"] or row["state"] not in OPEN:
        raise ConflictError(
            f"Submission {row['submission_id']} has {_MEANWHILE[row['deed']]} meanwhile."
            if version != row["version"]
            else f"Submission {row['submission_id']} is {row['state']}; that is its end."
        )
    row["version"] += 1
    return row


def _add(connection: Any, user: User, row: Mapping[str, Any]) -> None:
    """Adds a version to the table."""
    columns = _columns()
    values = {**row, "username": user.name, "created": store.now()}
    connection.execute(
        sql.SQL("INSERT INTO jmdc.submission ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
        ),
        {name: values[name] for name in columns},
    )


@cache
def _columns() -> tuple[str, ...]:
    """Columns of the table; DaCHS looks at the RD's file each time it is asked."""
    table = api.getRD("jmdc/submission").getById("submission")
    return tuple(column.name for column in table.columns)


# ---------------------------------------------------------------- what is shown


def show(connection: Any, user: User, submission_id: int) -> dict[str, Any]:
    """A submission with its history, for who has handed it in, and for editors."""
    row = _row(connection, submission_id)
    if row["submitter"] != user.name and EDITORS not in user.groups:
        raise ForbiddenError("Only who has handed it in and editors may see it.")
    return _shown(connection, user, [row])[0]


def own(connection: Any, user: User, page: int) -> dict[str, Any]:
    """What a user has handed in, the newest first."""
    condition = sql.SQL("s.submitter = %(name)s")
    return _page(connection, user, condition, {"name": user.name}, page, newest_first=True)


def queue(connection: Any, user: User, state: str, page: int) -> dict[str, Any]:
    """Submissions in a state, for editors; the oldest first where something is to be done."""
    user.require(EDITORS, "see what others have handed in")
    if state not in STATES:
        raise RefusedError(f"state must be one of {', '.join(STATES)}.")
    condition = sql.SQL("s.state = %(state)s")
    found = _page(connection, user, condition, {"state": state}, page, state not in OPEN)
    counts = connection.query(
        sql.SQL("SELECT state, COUNT(*) FROM ({}) AS latest GROUP BY state").format(_LATEST)
    )
    return {**found, "states": {**dict.fromkeys(STATES, 0), **dict(counts)}}


def _page(
    connection: Any, user: User, condition: sql.SQL, values: dict[str, Any], page: int,
    newest_first: bool,
) -> dict[str, Any]:  # fmt: skip
    statement = sql.SQL("{} AND {} ORDER BY s.submission_id {} LIMIT %(size)s OFFSET %(start)s")
    rows = list(
        connection.queryToDicts(
            statement.format(_LATEST, condition, sql.SQL("DESC" if newest_first else "ASC")),
            {**values, "size": PAGE + 1, "start": PAGE * (page - 1)},
        )
    )
    return {
        "submissions": _shown(connection, user, rows[:PAGE]),
        "page": page,
        "more": len(rows) > PAGE,
    }


def _row(connection: Any, submission_id: int) -> dict[str, Any]:
    rows = connection.queryToDicts(
        _LATEST + sql.SQL(" AND s.submission_id = %(number)s"), {"number": submission_id}
    )
    row: dict[str, Any] | None = next(iter(rows), None)
    if row is None:
        raise MissingError(f"There is no submission {submission_id}.")
    return row


def _shown(connection: Any, user: User, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Submissions as they are told, with what happened so far and what they would replace."""
    numbers = {"numbers": [row["submission_id"] for row in rows]}
    versions: dict[int, list[Mapping[str, Any]]] = {}
    for row in connection.queryToDicts(
        "SELECT * FROM jmdc.submission WHERE submission_id = ANY(%(numbers)s) ORDER BY version",
        numbers,
    ):
        versions.setdefault(row["submission_id"], []).append(row)
    profiles = _profiles(
        connection, {row["username"] for found in versions.values() for row in found}
    )
    corrected = {
        (row["measurement_id"], row["version"]): _measurement(row).as_row()
        for row in connection.queryToDicts(
            "SELECT * FROM jmdc.history WHERE measurement_id = ANY(%(numbers)s)",
            {"numbers": [row["corrects"] for row in rows if row["corrects"] is not None]},
        )
    }
    return [
        {
            "submission_id": row["submission_id"],
            "version": row["version"],
            "state": row["state"],
            "submitter": _named(user, row["submitter"], profiles),
            "own": row["submitter"] == user.name,
            "corrects": row["corrects"],
            "replaced": corrected.get((row["corrects"], row["corrects_version"])),
            "measurement_id": row["measurement_id"],
            "measurement": _measurement(row).as_row(),
            "problems": json.loads(row["findings"]),
            "history": [
                {
                    "version": version["version"],
                    "time": version["created"].isoformat(),
                    "deed": version["deed"],
                    "by": _named(user, version["username"], profiles),
                    "words": version["words"],
                    "measurement": _measurement(version).as_row(),
                }
                for version in versions[row["submission_id"]]
            ],
        }
        for row in rows
    ]


def _profiles(connection: Any, names: Any) -> dict[str, Any]:
    found = connection.queryToDicts(
        f"{_NAMES} WHERE username = ANY(%(names)s)", {"names": list(names)}
    )
    return {row["username"]: row for row in found}


def _named(user: User, username: str, profiles: Mapping[str, Any]) -> str:
    """What a user may be told of who has done something: editors know all names."""
    profile = profiles.get(username)
    if username == user.name or EDITORS in user.groups:
        if profile is None:
            return username
        told = filter(None, (profile["full_name"], profile["affiliation"]))
        return f"{', '.join(told)} ({username})".lstrip()
    return (
        profile["full_name"]
        if profile and profile["shown"] and profile["full_name"]
        else "an editor"
    )
