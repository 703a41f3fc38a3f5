"""Tables of facilities, CSV or VOTable, into BadCal: what a facility knows of bad calibrators.

What a facility stands for is accepted at once. A star that is known already, within
badcal.SAME_STAR, gets a report more. A row that was registered before is left as it is, whatever
editors have made of it; one that says something else than before under the same record takes the
place of the former one.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from badcal.res import store
from badcal.res.store import Actor
from ingest import badcal
from ingest.tables import Problem

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


class RefusedError(Exception):
    """Nothing of a table was taken; the message says why, ``problems`` where."""

    def __init__(self, sentence: str, problems: list[Problem]) -> None:
        super().__init__(sentence)
        self.problems = problems


@dataclass
class Outcome:
    """What became of the rows of a table."""

    #: Rows that were not there.
    registered: int = 0
    #: Those of them that are of a star that was known.
    merged: int = 0
    #: Those of them that took the place of a former one.
    replaced: int = 0
    #: Rows that were there.
    unchanged: int = 0

    def as_dict(self) -> dict[str, int]:
        """For a report in JSON."""
        return asdict(self)


def register(
    connection: Any, path: Path, facility: str, actor: Actor, *, numbers: bool = False
) -> Outcome:
    """Takes a table of a facility, all of it or, with RefusedError, nothing.

    With ``numbers`` stars that are new get the numbers that the table has for them. The caller ends
    the transaction. Raises UnreadableFile for what is no table of reports.
    """
    if not _NAME.fullmatch(facility):
        raise RefusedError("A facility's name has at most 40 letters, digits, blanks and . _ -", [])
    entries, problems = badcal.read(path, datetime.now(UTC).date())
    if problems:
        rows = "row" if len(problems) == 1 else "rows"
        raise RefusedError(
            f"Nothing was registered: {len(problems)} {rows} cannot be taken.", problems
        )
    store.alone(connection)
    known = {
        row["record"]: row
        for row in connection.queryToDicts(
            "SELECT DISTINCT ON (record) record, digest, report_id, state"
            " FROM badcal.stored_report WHERE facility = %(facility)s"
            " ORDER BY record, report_id DESC",
            {"facility": facility},
        )
    }
    outcome = Outcome()
    for entry in entries:
        former = known.get(entry.key)
        if former is not None and former["digest"] == entry.report.digest:
            outcome.unchanged += 1
            continue
        # What an editor has taken out is not in again because some word of it has changed.
        state = "accepted" if former is None or former["state"] == "accepted" else "submitted"
        try:
            stored = store.add(
                connection, entry.report, actor, state, facility=facility, record=entry.key,
                badcal_id=entry.badcal_id, numbers=numbers,
            )  # fmt: skip
        except store.ConflictError as error:
            raise RefusedError(
                "Nothing was registered: 1 row cannot be taken.",
                [Problem(path.name, entry.line, str(error))],
            ) from None
        if former is not None:
            why = f"{facility} has sent it again, with changes: report {stored.report_id}."
            store.replace(connection, former["report_id"], actor, why)
            outcome.replaced += 1
        known[entry.key] = {
            "digest": entry.report.digest, "report_id": stored.report_id, "state": state,
        }  # fmt: skip
        outcome.registered += 1
        outcome.merged += not stored.new_star
    return outcome
