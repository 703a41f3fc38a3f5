"""The whole log in numbers: what the page of statistics shows."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import psycopg2
from twisted.internet import defer, threads

from ingest.exposures import QUALITY_FLAGS
from web.sessions import BusyError

#: Age at which the numbers are counted again, in s, and how long that may take.
_FRESH = 600.0
_COUNTING_SECONDS = 300
#: Size of a cell of the map of the sky, in deg.
_CELL = 3

#: The numbers of the log. Times are MJD (UTC), seconds of exposure, seeing in steps of 0.1 arcsec,
#: coherence time in steps of 1 ms, months counted from January of the year 0.
_NUMBERS = """
  SELECT json_build_object(
    'headers', (SELECT COUNT(*) FROM obsportal.stored_header),
    'last_header', (SELECT MAX(last_mod_date) FROM obsportal.stored_header),
    'in_step', (SELECT MAX(mark) FROM obsportal.sync),
    'targets', (SELECT COUNT(*) FROM obsportal.target WHERE merged_into IS NULL),
    'observations', (SELECT COUNT(*) FROM obsportal.stored_observation),
    'last_update', (SELECT MAX(updated) FROM obsportal.exposure))::text"""

#: All counts in one pass over the exposures; what a row counts by is not NULL, or its bit in
#: `level` is 0.
_COUNTS = """
  SELECT facility_name, instrument_name, instrument_mode, month, hour, seeing, tau0, category,
    target_id,
    GROUPING(instrument_mode, month, hour, seeing, tau0, category, target_id) AS level,
    COUNT(*), SUM(validation_level), MIN(t_min), MAX(t_max), SUM(t_exptime)
  FROM (
    SELECT facility_name, instrument_name, instrument_mode, dataproduct_category AS category,
      (12 * EXTRACT(YEAR FROM night) + EXTRACT(MONTH FROM night) - 1)::integer AS month,
      FLOOR(24 * (t_min - FLOOR(t_min)))::integer AS hour,
      CASE WHEN seeing IS NOT NULL THEN FLOOR(LEAST(seeing, 5) * 10)::integer END AS seeing,
      CASE WHEN tau0 IS NOT NULL THEN FLOOR(LEAST(tau0, 0.05) * 1000)::integer END AS tau0,
      target_id, validation_level, t_min, t_max, t_exptime
    FROM obsportal.exposure) AS x
  GROUP BY GROUPING SETS (
    (facility_name, instrument_name), (facility_name, instrument_name, instrument_mode),
    (facility_name, instrument_name, month), (facility_name, hour), (facility_name, seeing),
    (facility_name, tau0), (facility_name, instrument_name, category),
    (facility_name, instrument_name, target_id))"""

_SKY = """
  SELECT AVG(s_ra), AVG(s_dec), COUNT(*), SUM(n_exposures) FROM (
    SELECT s_ra, s_dec, n_exposures, ROUND(s_dec / %(cell)s) AS row,
      ROUND(s_ra * COS(RADIANS(%(cell)s * ROUND(s_dec / %(cell)s))) / %(cell)s) AS place
    FROM obsportal.target WHERE merged_into IS NULL AND n_exposures > 0) AS t
  GROUP BY row, place"""

_FLAGS = """
  SELECT flag, COUNT(*) FROM (
    SELECT UNNEST(STRING_TO_ARRAY(quality_flags, ' ')) AS flag
    FROM obsportal.exposure WHERE quality_flags <> '') AS f
  GROUP BY flag ORDER BY 2 DESC"""

#: GROUPING's seven bits: which of mode … target_id a row does not count by.
_LEVELS = {
    0b1111111: "instruments",
    0b0111111: "modes",
    0b1011111: "months",
    0b1101111: "hours",
    0b1110111: "seeing",
    0b1111011: "tau0",
    0b1111101: "categories",
    0b1111110: "targets",
}


class Numbers:
    """The numbers of the log, as JSON, kept between two counts.

    They are counted in a thread, and again when somebody asks and they are older than _FRESH;
    meanwhile the old ones are shown.
    """

    def __init__(self) -> None:
        self._text: str | None = None
        self._counted = -math.inf  # of no clock, which may begin when the machine starts
        self._counting: list[defer.Deferred[str]] | None = None

    def get(self) -> defer.Deferred[str]:
        """The numbers: at once, except when there are none yet."""
        if self._counting is None and time.monotonic() - self._counted > _FRESH:
            self._counting = []
            threads.deferToThread(count).addBoth(self._take)
        if self._text is not None:
            return defer.succeed(self._text)
        waiting: defer.Deferred[str] = defer.Deferred()
        # The thread cannot be done before this is: its result comes through the event loop.
        assert self._counting is not None
        self._counting.append(waiting)
        return waiting

    def _take(self, result: Any) -> None:
        waiting, self._counting = self._counting or [], None
        if isinstance(result, str):
            self._text = result
            self._counted = time.monotonic()
        for one in waiting:
            one.callback(result) if isinstance(result, str) else one.errback(result)


numbers = Numbers()


def count() -> str:
    """Counts everything that the page of statistics shows; JSON. BusyError without a database."""
    from gavo.base import config

    started = time.time()
    try:
        connection = psycopg2.connect(
            **config.getDBProfile("trustedquery").getArgs(),
            options=f"-c statement_timeout={1000 * _COUNTING_SECONDS}"
            " -c default_transaction_read_only=on",
        )
    except psycopg2.OperationalError:
        raise BusyError("The log cannot be counted now; try again later.") from None
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NUMBERS)
            found: dict[str, Any] = json.loads(cursor.fetchone()[0])
            cursor.execute(_COUNTS)
            found.update(_sorted_out(cursor.fetchall()))
            cursor.execute(_SKY, {"cell": _CELL})
            found["sky"] = [
                [round(ra, 2), round(dec, 2), targets, exposures]
                for ra, dec, targets, exposures in cursor.fetchall()
            ]
            cursor.execute(_FLAGS)
            found["flags"] = [
                [flag, number, QUALITY_FLAGS.get(flag)] for flag, number in cursor.fetchall()
            ]
    finally:
        connection.close()
    found["cell"] = _CELL
    found["counted"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(started))
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _sorted_out(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The rows of _COUNTS by what they count."""
    found: dict[str, Any] = {name: [] for name in _LEVELS.values()}
    targets: dict[tuple[str, str], int] = {}
    for row in rows:
        facility, instrument, mode, month, hour, seeing, tau0, category, target_id = row[:9]
        level, number, valid, first, last, seconds = row[9:]
        name = _LEVELS[level]
        if name == "targets":
            if target_id is not None:
                key = (facility, instrument)
                targets[key] = targets.get(key, 0) + 1
        elif name == "instruments":
            found[name].append(
                {
                    "facility": facility, "instrument": instrument, "exposures": number,
                    "valid": int(valid), "first": first, "last": last, "seconds": seconds,
                }
            )  # fmt: skip
        elif name in ("hours", "seeing", "tau0"):
            value = {"hours": hour, "seeing": seeing, "tau0": tau0}[name]
            if value is not None:
                found[name].append([facility, value, number])
        else:
            value = {"modes": mode, "months": month, "categories": category}[name]
            found[name].append([facility, instrument, value, number])
    for row in found["instruments"]:
        row["targets"] = targets.get((row["facility"], row["instrument"]), 0)
    del found["targets"]  # of the instruments; those of the whole log are counted elsewhere
    instruments = found["instruments"]
    instruments.sort(key=lambda row: (row["facility"] or "", -row["exposures"]))
    for name in ("exposures", "valid"):
        found[name] = sum(row[name] for row in instruments)
    found["first"] = min((row["first"] for row in instruments if row["first"]), default=None)
    found["last"] = max((row["last"] for row in instruments if row["last"]), default=None)
    return found
