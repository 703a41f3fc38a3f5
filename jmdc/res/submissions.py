"""What users hand in for JMDC: judged at once, it waits for an editor, and becomes a measurement.

A submission is all its versions, a row each, to which rows are only added. One change is made at a
time; each names the version that it is about, so that of two at once the second is told so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2 import sql

from centre.alone import AtWorkError
from ingest import jmdc_stars, jmdc_submission
from ingest.jmdc import COLUMNS, Measurement
from ingest.jmdc_rules import Severity
from ingest.jmdc_submission import Problem
from jmdc.res import judging, store
from jmdc.res.catalogue import Catalogue, CatalogueError, Follow
from web.api import ConflictError, ProblemsError
from web.pages import MissingError
from web.parameters import RefusedError
from web.users import ForbiddenError, User

EDITORS = "jmdc-editors"
#: States in which something can still be done.
OPEN = ("submitted", "asked")
STATES = (*OPEN, "accepted", "rejected", "withdrawn")
#: What editors do but accept, and must say why: the state it leads to.
DECISIONS = {"ask": "asked", "reject": "rejected"}
#: What has become of a submission that is not any more as somebody has seen it.
_MEANWHILE = {
    "submitted": "been handed in", "changed": "been changed", "answered": "been answered",
    "asked": "gone back to the submitter with a question", "accepted": "been accepted",
    "rejected": "been rejected", "withdrawn": "been withdrawn",
}  # fmt: skip
#: Submissions of a page of a list.
PAGE = 50

#: Submissions as they stand, with when they were handed in, and whether by the user: a name may
#: have been given to somebody else since.
_LATEST = sql.SQL(
    "SELECT s.*, f.created AS submitted, s.submitter = %(user)s AND NOT EXISTS ("
    "SELECT 1 FROM users.profile AS p WHERE p.username = s.submitter AND p.created > f.created)"
    " AS own FROM jmdc.submission AS s"
    " JOIN jmdc.submission AS f ON f.submission_id = s.submission_id AND f.version = 1"
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
_NAMES = "SELECT username, full_name, affiliation, shown, created FROM users.profile"


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
        replaced = None if standing is None else _measurement(standing)
        number = None if standing is None else int(standing["measurement_id"])
        star, judged = _judge(connection, measurement, replaced, number)
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
    connection: Any, measurement: Measurement, replaced: Measurement | None, number: int | None
) -> tuple[Mapping[str, Any] | None, list[Problem]]:
    """The star of a measurement, and what the rules find in it; `number` is what it corrects."""
    asked = {"key": jmdc_stars.key(measurement.id1)}
    star = next(iter(connection.queryToDicts(_STAR, asked)), None)
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
        sql.SQL(
            "SELECT * FROM ({}) AS latest WHERE own AND state = ANY(%(open)s) AND id1 = %(id1)s"
            " AND bibcode IS NOT DISTINCT FROM %(bibcode)s"
        ).format(_LATEST),
        {
            "user": user.name,
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


def accept(
    connection: Any,
    user: User,
    submission_id: int,
    document: Mapping[str, Any],
    follow: Follow,
) -> dict[str, Any]:
    """Makes a measurement of a submission, as an ingested row is one; `follow` as for write."""
    row = _decided(connection, user, submission_id, "accepted", document, needed=False)
    try:
        with store.alone():
            book = Catalogue(connection)
            if row["corrects"] is not None:
                _check_corrected(book, row)
            _check_judgement(connection, row)
            accepted = book.accept(
                _measurement(row),
                row["corrects"],
                username=row["submitter"],
                submitted=row["submitted"],
                submission_id=row["submission_id"],
            )
            row["measurement_id"] = accepted.measurement_id
            _add(connection, user, row)
            book.write(follow, only=[accepted.measurement])
    except (AtWorkError, CatalogueError) as error:
        raise ConflictError(str(error)) from None
    return show(connection, user, submission_id)


def decide(
    connection: Any, user: User, submission_id: int, decision: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    """Rejects a submission, or asks the submitter something."""
    row = _decided(connection, user, submission_id, DECISIONS[decision], document, needed=True)
    _add(connection, user, row)
    return show(connection, user, submission_id)


def _decided(
    connection: Any,
    user: User,
    submission_id: int,
    state: str,
    document: Mapping[str, Any],
    *,
    needed: bool,
) -> dict[str, Any]:
    """The row of a decision; whether words are needed with it."""
    user.require(EDITORS, "decide on submissions")
    words = _said(document, needed=needed)
    _lock(connection)
    row = _check_version(_row(connection, user, submission_id), document.get("version"))
    return {**row, "deed": state, "state": state, "words": words}


def _check_corrected(book: Catalogue, row: Mapping[str, Any]) -> None:
    """Raises ConflictError when a measurement is not any more what its correction was made of.

    Its values tell: numbers of versions change when a release is put between others.
    """
    standing = next((v for v in book.current() if v.measurement_id == row["corrects"]), None)
    if standing is None or standing.measurement.as_row() != _replaced(row):
        raise ConflictError(
            f"Measurement {row['corrects']} has changed since this was handed in; ask the"
            " submitter to look at it again."
        )


def _check_judgement(connection: Any, row: Mapping[str, Any]) -> None:
    """Raises ConflictError for what breaks a rule as JMDC stands now."""
    seen = _replaced(row)
    replaced = None if seen is None else _measurement(seen)
    _, problems = _judge(connection, _measurement(row), replaced, row["corrects"])
    errors = [problem for problem in problems if problem.severity == Severity.ERROR]
    if errors:
        raise ConflictError(f"It cannot be accepted as JMDC stands now: {errors[0].words}")


def _replaced(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the submitter has seen of the measurement that is to be corrected."""
    text = row["corrects_values"]
    return None if text is None else dict(json.loads(text))


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
        "corrects_values": new.standing and json.dumps(_measurement(new.standing).as_row()),
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
    row = _row(connection, user, submission_id)
    if not row["own"]:
        raise ForbiddenError("Only who has handed it in may do this.")
    return _check_version(row, version)


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
    values = {**row, "username": user.name, "created": store.now()}
    store.add(connection, "jmdc/submission", "submission", values)


# ---------------------------------------------------------------- what is shown


def show(connection: Any, user: User, submission_id: int) -> dict[str, Any]:
    """A submission with its history, for who has handed it in, and for editors."""
    row = _row(connection, user, submission_id)
    if not row["own"] and EDITORS not in user.groups:
        raise ForbiddenError("Only who has handed it in and editors may see it.")
    return _shown(connection, user, [row])[0]


def own(connection: Any, user: User, page: int) -> dict[str, Any]:
    """What a user has handed in, the newest first."""
    return _page(connection, user, sql.SQL("own"), {}, page, newest_first=True)


def queue(connection: Any, user: User, state: str, page: int) -> dict[str, Any]:
    """Submissions in a state, for editors; the oldest first where something is to be done."""
    user.require(EDITORS, "see what others have handed in")
    if state not in STATES:
        raise RefusedError(f"state must be one of {', '.join(STATES)}.")
    condition = sql.SQL("state = %(state)s")
    found = _page(connection, user, condition, {"state": state}, page, state not in OPEN)
    counts = connection.query(
        sql.SQL("SELECT state, COUNT(*) FROM ({}) AS latest GROUP BY state").format(_LATEST),
        {"user": user.name},
    )
    return {**found, "states": {**dict.fromkeys(STATES, 0), **dict(counts)}}


def _page(
    connection: Any, user: User, condition: sql.SQL, values: dict[str, Any], page: int,
    newest_first: bool,
) -> dict[str, Any]:  # fmt: skip
    statement = sql.SQL(
        "SELECT * FROM ({}) AS latest WHERE {} ORDER BY submission_id {}"
        " LIMIT %(size)s OFFSET %(start)s"
    )
    rows = list(
        connection.queryToDicts(
            statement.format(_LATEST, condition, sql.SQL("DESC" if newest_first else "ASC")),
            {**values, "user": user.name, "size": PAGE + 1, "start": PAGE * (page - 1)},
        )
    )
    return {
        "submissions": _shown(connection, user, rows[:PAGE]),
        "page": page,
        "more": len(rows) > PAGE,
    }


def _row(connection: Any, user: User, submission_id: int) -> dict[str, Any]:
    rows = connection.queryToDicts(
        _LATEST + sql.SQL(" AND s.submission_id = %(number)s"),
        {"number": submission_id, "user": user.name},
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
    return [
        {
            "submission_id": row["submission_id"],
            "version": row["version"],
            "state": row["state"],
            "submitter": _named(user, row["submitter"], row["submitted"], profiles),
            "own": row["own"],
            "corrects": row["corrects"],
            "replaced": _replaced(row),
            "measurement_id": row["measurement_id"],
            "measurement": _measurement(row).as_row(),
            "problems": json.loads(row["findings"]),
            "history": [
                {
                    "version": version["version"],
                    "time": version["created"].isoformat(),
                    "deed": version["deed"],
                    "by": _named(user, version["username"], version["created"], profiles),
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


def _named(user: User, username: str, when: datetime, profiles: Mapping[str, Any]) -> str:
    """What a user may be told of who has done something at a time: editors know all names.

    The profile of an account that was made later is somebody else's.
    """
    profile = profiles.get(username)
    if profile is not None and profile["created"] > when:
        profile = None
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
