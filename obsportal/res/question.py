"""What the parameters of a search mean: the rows wanted of the view search_answer (legacy.rd)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg2 import sql

from web.parameters import RefusedError, circle, flag, moment, values, whole

#: Radius when none is given, as ASPRO2 asks for it, in arcsec.
DEFAULT_RADIUS = 30.0
#: Up to this radius (arcsec) the targets in the circle are looked up, beyond it the log is read in
#: the order of time and each exposure's distance computed.
WIDE = 2 * 3600.0

USAGE = (
    "Say what you look for: ra and dec (deg, ICRS) with radius (arcsec), target_id, name,"
    " instrument, instrument_mode, interferometer, program_id, date_updated_from and"
    " date_updated_to, date_from and date_to (UTC); with all_fields=false only the main columns,"
    " with limit at most that many exposures."
)


@dataclass(frozen=True)
class Condition:
    """A condition on rows of search_answer; its SQL has the names of its values in braces."""

    name: str
    text: sql.SQL
    values: dict[str, Any]

    @property
    def of_targets(self) -> bool:
        """Whether it leaves the rows of a few targets, found by their number."""
        return self.name in _OF_TARGETS


CONE = sql.SQL(
    "target_id = ANY (ARRAY(SELECT t.target_id FROM obsportal.target AS t"
    " WHERE spoint(radians(t.s_ra), radians(t.s_dec))"
    " <@ scircle(spoint(radians({ra}), radians({dec})), radians({radius} / 3600.0))))"
)
_WIDE_CONE = sql.SQL(
    "(spoint(radians(target_ra), radians(target_dec))"
    " <-> spoint(radians({ra}), radians({dec}))) <= radians({radius} / 3600.0)"
)
_TARGET = sql.SQL(
    "target_id = ANY (ARRAY(SELECT COALESCE(t.merged_into, t.target_id)"
    " FROM obsportal.target AS t WHERE t.target_id = {target_id}))"
)
_NAME = sql.SQL(
    "target_id = ANY (ARRAY(SELECT a.target_id FROM obsportal.target_alias AS a"
    " WHERE a.alias_key = {alias_key}))"
)
#: Conditions that leave the rows of a few targets, whatever else is asked for: on target_id alone.
_OF_TARGETS = frozenset({"cone", "target_id", "name"})
#: Parameters that are the value of a column; instruments and arrays have capitals there.
_EQUAL = {
    "instrument": sql.SQL("instrument_name = {instrument}"),
    "instrument_mode": sql.SQL("instrument_mode = {instrument_mode}"),
    "interferometer": sql.SQL("interferometer_name = {interferometer}"),
    "program_id": sql.SQL("obs_program = {program_id}"),
}
_CAPITALS = {"instrument", "interferometer"}
_TIMES = {
    "date_updated_from": sql.SQL("exp_date_updated >= {date_updated_from}"),
    "date_updated_to": sql.SQL("exp_date_updated <= {date_updated_to}"),
    "date_from": sql.SQL("exp_mjd_start >= {date_from}"),
    "date_to": sql.SQL("exp_mjd_start <= {date_to}"),
}
#: Parameters that are not about the target.
OTHERS = {*_EQUAL, *_TIMES}
_KNOWN = {"ra", "dec", "radius", "target_id", "name", "all_fields", "limit", *OTHERS}


@dataclass(frozen=True)
class Question:
    """Which exposures are wanted, and how many columns of them."""

    conditions: Sequence[Condition] = ()
    all_fields: bool = True
    limit: int | None = None
    #: The parameters as they came, those that are known.
    given: dict[str, str] = field(default_factory=dict)

    @property
    def of_targets(self) -> bool:
        """Whether the rows are those of a few targets, found by their number."""
        return any(condition.of_targets for condition in self.conditions)

    @property
    def kind(self) -> str | None:
        """Name of a question that is asked often, for which a plan is worth keeping."""
        if len(self.conditions) == 1 and self.of_targets:
            return self.conditions[0].name
        return None


def question(found: Sequence[tuple[str, str]]) -> Question:
    """What a request asks for; raises RefusedError."""
    given = values(found, _KNOWN)
    conditions = [*_position(given), *_identity(given), *others(given)]
    if not conditions:
        raise RefusedError(USAGE)
    return Question(
        conditions,
        flag(given, "all_fields", True),
        whole(given, "limit", 1) if "limit" in given else None,
        given,
    )


def alias_key(name: str) -> str | None:
    """The name without what spellings differ in, as target_alias has it; None for no name."""
    from ingest import names

    return names.key(name)


def _position(given: dict[str, str]) -> list[Condition]:
    cone = circle(given, DEFAULT_RADIUS)
    if cone is None:
        return []
    if cone["radius"] > WIDE:
        return [Condition("wide", _WIDE_CONE, cone)]
    return [Condition("cone", CONE, cone)]


def _identity(given: dict[str, str]) -> list[Condition]:
    found = []
    if "target_id" in given:
        values = {"target_id": whole(given, "target_id", 0)}
        found.append(Condition("target_id", _TARGET, values))
    if "name" in given:
        found.append(Condition("name", _NAME, {"alias_key": alias_key(given["name"])}))
    return found


def others(given: dict[str, str]) -> list[Condition]:
    """Conditions that are not about the target."""
    found = []
    for name, text in _EQUAL.items():
        if name in given:
            value = given[name].upper() if name in _CAPITALS else given[name]
            found.append(Condition(name, text, {name: value}))
    for name, text in _TIMES.items():
        if name in given:
            time = moment(given, name)
            begin = name in {"date_from", "date_to"}
            found.append(Condition(name, text, {name: mjd(time) if begin else time}))
    return found


def mjd(time: datetime) -> float:
    """Modified Julian Date of a time (UTC)."""
    return (time - datetime(1858, 11, 17)).total_seconds() / 86400
