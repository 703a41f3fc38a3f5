"""What the rules say of a row that has been sent in, before anything is stored."""

from __future__ import annotations

from typing import Any

from ingest import jmdc_rules, jmdc_stars
from ingest.jmdc import COLUMNS, Measurement
from ingest.jmdc_rules import Expected, Judgement

_OTHERS = """
SELECT m.* FROM jmdc.stored_measurement AS m
WHERE m.is_current=1 AND m.measurement_id IS DISTINCT FROM %(measurement_id)s
  AND m.star_id IN (
    SELECT star_id FROM jmdc.star_alias WHERE is_identifier=1 AND alias_key=%(key)s)
ORDER BY m.measurement_id
"""
_EXPECTED = """
SELECT j.ldd, j.e_ldd
FROM jmdc.star_alias AS a
  JOIN jmdc.star AS s USING (star_id)
  JOIN jsdc.star AS j
    ON spoint(RADIANS(j.ra), RADIANS(j.dec))
      <@ scircle(spoint(RADIANS(s.s_ra), RADIANS(s.s_dec)), RADIANS(2.0/3600))
WHERE a.is_identifier=1 AND a.alias_key=%(key)s AND j.ldd > 0
ORDER BY spoint(RADIANS(j.ra), RADIANS(j.dec)) <-> spoint(RADIANS(s.s_ra), RADIANS(s.s_dec))
LIMIT 1
"""


def judge(
    connection: Any, measurement: Measurement, measurement_id: int | None = None
) -> Judgement:
    """Applies all rules to a measurement, or to the correction of the one of that number.

    It is compared with the current measurements of the star that has its ID1, and with JSDC.
    """
    asked = {"key": jmdc_stars.key(measurement.id1), "measurement_id": measurement_id}
    others = [
        Measurement(**{column: row[column] for column in COLUMNS})
        for row in connection.queryToDicts(_OTHERS, asked)
    ]
    expected = next((Expected(*row) for row in connection.query(_EXPECTED, asked)), None)
    return jmdc_rules.judge(measurement, others, expected)
