"""Rows of exposures into the tables of q.rd, by COPY, a batch of files in one transaction.

What a batch holds of a file replaces what was there of it. Observations and targets are given their
numbers at first sight and keep them; what is known of both is in memory for the length of a run,
and there is only one run at a time (``alone``).
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from operator import itemgetter
from typing import Any

from gavo import api, base
from psycopg2 import sql

from centre.alone import alone as one_at_a_time
from ingest import vocabulary
from ingest.exposures import Exposure
from obsportal.res import rows, targets
from obsportal.res.rows import Row

#: What an observation is told from others by, in the order of its key.
_OBSERVATION = (
    "target_id",
    "facility_name",
    "instrument_name",
    "instrument_mode",
    "instrument_submode",
    "dataproduct_category",
    "progid",
    "ob_id",
    "night",
)
#: What is once known of a file and stays so until something else is said.
_KNOWN = (
    "instrument",
    "dp_cat",
    "dp_type",
    "dp_tech",
    "progid",
    "prog_title",
    "datapi",
    "mjd_obs",
    "obs_release_date",
    "access_url",
    "last_mod_date",
    "fetched",
    "fetched_for",
    "header",
    "listed",
)
#: What the archive says of a file and all its exposures.
_OF_FILE = ("progid", "prog_title", "datapi", "obs_release_date")


@dataclass(frozen=True)
class LogFile:
    """A file of a log with its exposures, on the way into the tables."""

    #: Row of stored_header; ``header`` is the text, which is compressed here.
    header: Row
    exposures: Sequence[Exposure]


def alone() -> AbstractContextManager[None]:
    """Keeps two runs from writing at once; raises AtWorkError."""
    return one_at_a_time(
        "obsportal", "Another run works on the observation logs; try again when it is done."
    )


class Store:
    """The way into the tables of ObsPortal, for the length of a run; call it within ``alone``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._authority = base.getConfig("ivoa", "authority")
        self._vocabulary = vocabulary.load()
        self._catalogue = targets.load(connection)
        self._observations = self._load_observations()
        self._last_observation = max(self._observations.values(), default=0)
        self._grades = self._load_grades()
        self.changed = False

    def store(self, files: Sequence[LogFile]) -> int:
        """Stores files with their exposures and commits; the number of exposures.

        Nothing of the batch is stored when one of them cannot be; the exception says why.
        """
        try:
            number = self._store(files)
        except BaseException:
            self._connection.rollback()
            # What was given to targets and observations of this batch is not in the database.
            self._catalogue = targets.load(self._connection)
            self._observations = self._load_observations()
            self._last_observation = max(self._observations.values(), default=0)
            raise
        self._connection.commit()
        self.changed = True
        return number

    def _store(self, files: Sequence[LogFile]) -> int:
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        # Of a file that comes twice the last is taken.
        latest = {file.header["header_id"]: file for file in files}
        known = self._remove(list(latest))
        new_observations: list[Row] = []
        headers: list[Row] = []
        exposures: list[Row] = []
        baselines: list[Row] = []
        for header_id, file in latest.items():
            header = _header(file.header, known.get(header_id, {}), now)
            headers.append(header)
            for exposure in file.exposures:
                exposures.append(self._exposure(exposure, header, now, new_observations))
                baselines.extend(rows.of_baselines(exposure))
        targets.write(self._connection, self._catalogue.take_changes())
        self._copy("stored_header", headers)
        self._copy("stored_observation", new_observations)
        self._copy("exposure", exposures)
        self._copy("baseline", baselines)
        return len(exposures)

    def _remove(self, names: list[str]) -> dict[str, Row]:
        """Takes out all that is there of files; what was known of them, by their names."""
        known = {"names": names}
        found = {
            row["header_id"]: row
            for row in self._connection.queryToDicts(
                "SELECT * FROM obsportal.stored_header WHERE header_id = ANY(%(names)s)", known
            )
        }
        if not found:
            return found
        for target_id, alias, number in list(
            self._connection.query(
                "SELECT target_id, target_name, COUNT(*) FROM obsportal.exposure"
                " WHERE header_id = ANY(%(names)s) AND target_id IS NOT NULL"
                " GROUP BY target_id, target_name",
                known,
            )
        ):
            self._catalogue.forget(target_id, alias, number)
        self._connection.execute(
            "DELETE FROM obsportal.baseline WHERE exposure_id IN"
            " (SELECT exposure_id FROM obsportal.exposure WHERE header_id = ANY(%(names)s))",
            known,
        )
        self._connection.execute(
            "DELETE FROM obsportal.exposure WHERE header_id = ANY(%(names)s)", known
        )
        self._connection.execute(
            "DELETE FROM obsportal.stored_header WHERE header_id = ANY(%(names)s)", known
        )
        return found

    def _exposure(
        self, exposure: Exposure, header: Row, now: datetime, new_observations: list[Row]
    ) -> Row:
        target_id = self._catalogue.identify(exposure)
        position = None if target_id is None else self._catalogue.position(target_id)
        facility = self._vocabulary.facility(exposure.facility_name)
        row = rows.of_exposure(exposure, self._authority, position, facility)
        for name in _OF_FILE:
            row[name] = row.get(name) if header[name] is None else header[name]
        if header["state"] == "withdrawn":
            row["quality_flags"] = f"{row['quality_flags']} withdrawn".lstrip()
        row["target_id"] = target_id
        row["ob_grade"] = self._grades.get((exposure.facility_name, exposure.ob_id))
        row["updated"] = now
        row["observation_id"] = (
            self._observation(row, new_observations) if exposure.on_sky else None
        )
        return row

    def _observation(self, row: Row, new: list[Row]) -> int:
        """Number of the observation that an exposure belongs to; adds it to `new` when it is."""
        found = {name: row[name] for name in _OBSERVATION}
        if row["ob_id"] is not None:
            found["night"] = None  # an observation block may be done in several
        key = tuple(found.values())
        if key not in self._observations:
            self._last_observation += 1
            self._observations[key] = self._last_observation
            new.append(
                {
                    "observation_id": self._last_observation,
                    "ob_name": row["ob_name"],
                    "ob_container_id": row["ob_container_id"],
                    **found,
                }
            )
        return self._observations[key]

    def _load_observations(self) -> dict[tuple[Any, ...], int]:
        known: dict[tuple[Any, ...], int] = {}
        for row in self._connection.query(
            "SELECT target_id, facility_name, instrument_name, instrument_mode,"
            " instrument_submode, dataproduct_category, progid, ob_id, night, observation_id"
            " FROM obsportal.stored_observation ORDER BY observation_id"
        ):
            known.setdefault(tuple(row[:-1]), row[-1])
        return known

    def _load_grades(self) -> dict[tuple[str, int | None], str]:
        return {
            (facility, ob_id): grade
            for facility, ob_id, grade in self._connection.query(
                "SELECT facility_name, ob_id, grade FROM obsportal.quality"
                " ORDER BY graded NULLS FIRST"
            )
        }

    def _copy(self, table: str, new: Sequence[Row]) -> None:
        copy(self._connection, table, new)

    def analyse(self) -> None:
        """Tells PostgreSQL's planner what the tables look like now."""
        if self.changed:
            for table in ("stored_header", "exposure", "baseline", "target", "target_alias"):
                self._connection.execute(
                    sql.SQL("ANALYZE {}").format(sql.Identifier("obsportal", table))
                )
            self._connection.commit()


def copy(connection: Any, table: str, new: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows to a table of q.rd; their keys are the columns it has there, no more, no less."""
    if not new:
        return
    columns = _columns(table)
    if set(new[0]) != set(columns):
        wrong = sorted(set(new[0]) ^ set(columns))
        raise base.ReportableError(f"obsportal.{table} and its rows differ in {', '.join(wrong)}")
    stream = io.StringIO()
    # csv quotes no backslash, so that \N is NULL, and nothing else is: no text of a log is that.
    writer = csv.writer(stream, lineterminator="\n")
    values = itemgetter(*columns)
    writer.writerows([_literal(value) for value in values(row)] for row in new)
    stream.seek(0)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL '\\N')")
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor() as cursor:
        cursor.copy_expert(
            statement.format(sql.Identifier("obsportal", table), names).as_string(cursor),
            stream,
        )


@cache
def _columns(table: str) -> tuple[str, ...]:
    """Columns of a table of q.rd; DaCHS looks at the RD's file each time it is asked."""
    return tuple(column.name for column in api.getRD("obsportal/q").getById(table).columns)


def _header(new: Row, old: Row, now: datetime) -> Row:
    """The row of stored_header for a file of which ``new`` is said, and ``old`` was known."""
    row = dict(new)
    text = row.get("header")
    if text is not None:
        row["header"] = zlib.compress(text.encode() if isinstance(text, str) else text, 6)
    for name in _KNOWN:
        if row.get(name) is None:
            row[name] = old.get(name)
    row["listed"] = row["listed"] or now
    return row


def _literal(value: Any) -> Any:
    """A value as COPY's CSV form wants it."""
    kind = value.__class__
    if value is None or (kind is float and not isfinite(value)):
        return "\\N"
    if kind is str:
        return value.replace("\0", "") if "\0" in value else value  # PostgreSQL cannot keep it
    if kind is bytes or kind is memoryview:
        return "\\x" + value.hex()
    return value


def compressed(row: Row) -> bytes | None:
    """The header that a row of stored_header keeps."""
    return None if row["header"] is None else zlib.decompress(bytes(row["header"]))


def header_row(header_id: str, archive: str, **known: Any) -> Row:
    """A row of stored_header where everything not said is NULL."""
    row: Row = dict.fromkeys(_columns("stored_header"))
    row.update(header_id=header_id, archive=archive, state="read", **known)
    return row


def feed(store: Store, files: Iterable[LogFile], size: int = 500) -> Iterator[int]:
    """Stores files in batches; yields the number of exposures of each batch."""
    batch: list[LogFile] = []
    for file in files:
        batch.append(file)
        if len(batch) == size:
            yield store.store(batch)
            batch = []
    if batch:
        yield store.store(batch)
