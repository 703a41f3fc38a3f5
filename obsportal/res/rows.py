"""From what ``ingest`` finds in a log to values of the columns of q.rd.

Nothing here knows the database; ``store`` puts the rows together and brings them there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from ingest import geometry, vocabulary
from ingest.exposures import Baseline, Exposure

Row = dict[str, Any]

#: Columns of exposure that a record of ingest/ has under the same name.
_PLAIN = tuple(
    field.name
    for field in fields(Exposure)
    if field.name
    not in (
        "target_names",
        "pm_ra",
        "pm_dec",
        "pos_epoch",
        "stations",
        "baselines",
        "validation_log",
        "quality_flags",
        "on_sky",
        "template_start",
    )
)
#: Corners of the polygon that stands for a round field of view.
_CORNERS = 6


def of_exposure(
    exposure: Exposure,
    authority: str,
    position: tuple[float, float] | None,
    facility: vocabulary.Facility | None,
) -> Row:
    """What the exposure table has of an exposure; all but its numbers and what the archive says.

    ``authority`` is that of the identifiers we give, ``position`` the target's (degrees, ICRS,
    epoch J2000), None for frames that saw no sky.
    """
    row: Row = {name: getattr(exposure, name) for name in _PLAIN}
    row["s_ra"], row["s_dec"] = position or (None, None)
    row.update(
        exposure_id=exposure.exposure_id,
        obs_publisher_did=f"ivo://{authority}/~?obsportal/{exposure.exposure_id}",
        night=night(exposure.t_min, facility),
        stations=" ".join(exposure.stations) or None,
        tel_number=len(exposure.stations) or None,
        projected_baselines=baselines_text(exposure.baselines),
        template_start=timestamp(exposure.template_start),
        seeing=_mean(exposure.seeing_start, exposure.seeing_end),
        tau0=_mean(exposure.tau0_start, exposure.tau0_end),
        validation_log=json.dumps(list(exposure.validation_log), ensure_ascii=False),
        quality_flags=" ".join(exposure.quality_flags),
        on_sky=int(exposure.on_sky),
        **_optics(exposure, facility),
    )
    row["s_region"] = _region(row["s_ra"], row["s_dec"], row["s_fov"])
    return row


def night(t_min: float | None, facility: vocabulary.Facility | None) -> date | None:
    """Local night of an exposure by the date of its evening; None when time or place is unknown."""
    if t_min is None or facility is None or facility.longitude is None:
        return None
    day = geometry.night(np.asarray(t_min), facility.longitude)
    return date.fromisoformat(geometry.civil_date(int(day)))


def timestamp(text: str | None) -> datetime | None:
    """The time (UTC) that a log writes in ISO 8601; None for what is none."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def baselines_text(baselines: Sequence[Baseline]) -> str | None:
    """Projected baselines in the form that the former ObsPortal wrote and ASPRO2 reads.

    A pair whose numbers are not all known is left out: ASPRO2 would skip it too.
    """
    known = [
        f"'{line.station1}-{line.station2}': {{'length': {{'start': '{line.length_start:.4f}',"
        f" 'end': '{line.length_end:.4f}'}}, 'angle': {{'start': '{line.angle_start:.4f}',"
        f" 'end': '{line.angle_end:.4f}'}}}}"
        for line in baselines
        if None not in (line.length_start, line.length_end, line.angle_start, line.angle_end)
    ]
    return f"{{{', '.join(known)}}}" if known else None


def of_baselines(exposure: Exposure) -> Iterator[Row]:
    """Rows of the baseline table: u to the east, v to the north."""
    for line in exposure.baselines:
        u_start, v_start = _components(line.length_start, line.angle_start)
        u_end, v_end = _components(line.length_end, line.angle_end)
        yield {
            "exposure_id": exposure.exposure_id,
            "station1": line.station1,
            "station2": line.station2,
            "length_start": line.length_start,
            "length_end": line.length_end,
            "angle_start": line.angle_start,
            "angle_end": line.angle_end,
            "u_start": u_start,
            "u_end": u_end,
            "v_start": v_start,
            "v_end": v_end,
        }


def _components(
    length: float | None, angle: float | None
) -> tuple[float, float] | tuple[None, None]:
    """u and v of a projected baseline; None where it is not known."""
    if length is None or angle is None:
        return None, None
    turned = math.radians(angle)
    return length * math.sin(turned), length * math.cos(turned)


def _optics(exposure: Exposure, facility: vocabulary.Facility | None) -> Row:
    """Projected baselines, resolution and field of view; None where not known."""
    lengths = [
        length
        for line in exposure.baselines
        for length in (line.length_start, line.length_end)
        if length
    ]
    longest = max(lengths, default=None)
    diameters = [
        diameter
        for station in exposure.stations
        if facility is not None and (diameter := facility.diameter(station)) is not None
    ]
    return {
        "uv_distance_min": min(lengths, default=None),
        "uv_distance_max": longest,
        "s_resolution": geometry.resolution(exposure.em_min, longest)
        if exposure.em_min and longest
        else None,
        "s_fov": geometry.field_of_view(exposure.em_max, max(diameters))
        if exposure.em_max and diameters
        else None,
    }


def _region(ra: float | None, dec: float | None, diameter: float | None) -> str | None:
    """A field of view in pg_sphere's words (degrees); None where it is not known."""
    if ra is None or dec is None or diameter is None:
        return None
    corners = geometry.circle(ra, dec, diameter / 2, _CORNERS)
    return f"{{{','.join(f'({x!r}d,{y!r}d)' for x, y in corners)}}}"


def _mean(start: float | None, end: float | None) -> float | None:
    known = [value for value in (start, end) if value is not None]
    return sum(known) / len(known) if known else None
