"""Users who hand something in for JMDC and decide on it; JMDC is afterwards as it was before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.live.client import Answer, User, ask
from tests.live.conftest import Centre

PASSWORD = "a pass: word"
SUBMITTER, SHOWN, STRANGER, EDITOR, OTHER_EDITOR, EXPIRED = (
    User(f"jmdc.{name}", PASSWORD)
    for name in ("submitter", "shown", "stranger", "editor", "other-editor", "expired")
)
_EDITORS = {EDITOR.name, OTHER_EDITOR.name}
_PAGES = count(1)
_SHOWN_NAME = "Shown Tester"
#: Tables that submissions change, what others refer to first.
_TABLES = ("star", "star_alias", "publication", "release", "stored_measurement", "submission")


@dataclass(frozen=True)
class Jmdc:
    """The calls and the pages of JMDC."""

    centre: Centre

    def call(
        self,
        method: str,
        path: str,
        user: User | None = None,
        document: Any = None,
        **headers: str,
    ) -> Answer:
        """The answer to a call; a document that is no text is sent as JSON."""
        text = document if isinstance(document, str) or document is None else json.dumps(document)
        return ask(
            f"{self.centre.url}/jmdc/api/{path}",
            method=method,
            user=user,
            data=text,
            headers={
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def done(self, method: str, path: str, user: User, document: Any = None) -> dict[str, Any]:
        """What a call answers that must succeed."""
        answer = self.call(method, path, user, document)
        assert answer.status == 200, answer.text
        return dict(json.loads(answer.body))

    def submit(self, user: User = SUBMITTER, **fields: Any) -> int:
        """Number of a submission that must be taken."""
        return int(self.done("POST", "submissions", user, fields)["submission_id"])

    def decide(
        self, user: User, number: int, decision: str, version: int, words: str = ""
    ) -> Answer:
        """What comes of a decision."""
        return self.call(
            "POST", f"submissions/{number}/{decision}", user, {"version": version, "words": words}
        )


@contextmanager
def users(centre: Centre) -> Iterator[Jmdc]:
    """The users, and JMDC for them to work on."""
    connection = centre.connect()
    cursor = connection.cursor()
    made = [SUBMITTER, SHOWN, STRANGER, EDITOR, OTHER_EDITOR, EXPIRED]
    first = centre.jmmc(
        "user", "add", SUBMITTER.name, "--password-stdin", "--full-name", "Hidden Tester",
        given=f"{PASSWORD}\n",
    )  # fmt: skip
    assert first.returncode == 0, first.stderr
    # All have one password, so the others need not be made by a command each.
    for user in made[1:]:
        cursor.execute(
            "INSERT INTO dc.users (username, password, remarks)"
            " SELECT %(name)s, password, '' FROM dc.users WHERE username = %(first)s;"
            "INSERT INTO users.profile (username, full_name, shown, expires, created)"
            " VALUES (%(name)s, %(full_name)s, %(shown)s, %(expires)s, '2026-01-01');"
            "INSERT INTO dc.groups (username, groupname) VALUES (%(name)s, %(group)s)",
            {
                "name": user.name,
                "first": SUBMITTER.name,
                "full_name": _SHOWN_NAME if user is SHOWN else f"Hidden {user.name}",
                "shown": user is SHOWN,
                "expires": "2026-01-02" if user is EXPIRED else None,
                "group": "jmdc-editors" if user.name in _EDITORS else user.name,
            },
        )
    for table in _TABLES:
        cursor.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE jmdc.{table}")
    try:
        yield Jmdc(centre)
    finally:
        statements = [f"DELETE FROM jmdc.{table}" for table in reversed(_TABLES)]
        statements += [f"INSERT INTO jmdc.{table} TABLE kept_{table}" for table in _TABLES]
        names = [user.name for user in made]
        for table in ("dc.groups", "users.profile", "dc.users"):
            statements.append(f"DELETE FROM {table} WHERE username = ANY(%(names)s)")
        cursor.execute(";".join(statements), {"names": names})
        connection.close()


def fields(**changes: Any) -> dict[str, Any]:
    """A measurement that can be handed in, of a star that JMDC has, with some fields changed.

    No two are of the same publication.
    """
    return {
        "id1": "SIM UD 1", "bibcode": f"2024SIM...600.{next(_PAGES):.>4}X", "band": "K",
        "method": 1, "ud_diam": 1.76, "ld_diam": 1.80, "e_ld_diam": 0.02,
    } | changes  # fmt: skip
