"""The demonstration of BadCal: invented stars in each state, none of them on the sky."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from badcal.res import registration, store
from badcal.res.store import Actor
from ingest import badcal

#: What facilities have registered, in tables named like them.
TABLES = Path(__file__).with_name("demonstration")
#: What nobody has judged, and what an editor has rejected with these words.
SUBMITTED = {
    "name": "SIM BAD 4", "ra": 47.1, "dec": 12.3, "reason_class": "companion",
    "obs_date": "2022-09-25", "interferometer": "CHARA", "instrument": "MIRC-X",
    "baseline": "S1 S2", "wavelength": "1.65", "comment": "Simulated: a visibility that beats.",
}  # fmt: skip
REJECTED = {
    "name": "SIM BAD 5", "ra": 188.9, "dec": -44.4, "reason_class": "resolved",
    "obs_date": "2010-01-20", "interferometer": "VLTI", "instrument": "AMBER",
    "comment": "Simulated: the visibility is too low.",
}  # fmt: skip
WHY_REJECTED = "The fringe tracker had lost the fringes in this simulation."


def load(connection: Any) -> None:
    """Stores it; what is there already stays as it is. The caller ends the transaction."""
    for path in sorted(TABLES.glob("*.csv")):
        registration.register(connection, path, path.stem, Actor("facility"))
    today = datetime.now(UTC).date()
    for values, rejected in ((SUBMITTED, False), (REJECTED, True)):
        report = badcal.report(values, today)
        if store.same(connection, report, None) is not None:
            continue
        stored = store.add(connection, report, Actor("submitter"), "submitted")
        if rejected:
            store.change(connection, stored.report_id, "reject", Actor("editor"), WHY_REJECTED)
