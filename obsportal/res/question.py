"""What the parameters of a search mean: the rows wanted of the view search_answer (legacy.rd).

Clients write numbers as Java does, and times with or without a zone. Parameters that nobody here
knows are ignored, as they always were; a value that makes no sense is refused with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from psycopg2 import sql

#: What a request may have; clients send four parameters.
MAX_PARAMETERS = 100
MAX_BODY = 1 << 16  # bytes
_MAX_LENGTH = 256  # characters of a value
#: Radius when none is given, as ASPRO2 asks for it, in arcsec.
DEFAULT_RADIUS = 30.0
MAX_RADIUS = 180 * 3600.0
#: Up to this radius (arcsec) the targets in the circle are looked up, beyond it the log is read in
#: the order of time and each exposure's distance computed.
WIDE = 2 * 3600.0

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
#: A plus sign that was not written as %2B arrives as a blank.
_ZONE_BLANK = re.compile(r"(?<=[0-9]) (?=[0-9]{2}:?[0-9]{2}$)")

USAGE = (
    "Say what you look for: ra and dec (deg, ICRS) with radius (arcsec), target_id, name,"
    " instrument, instrument_mode, interferometer, program_id, date_updated_from and"
    " date_updated_to, date_from and date_to (UTC); with all_fields=false only the main columns,"
    " with limit at most that many exposures."
)


class RefusedError(Exception):
    """A request that cannot be answered; the message says why in a sentence."""


@dataclass(frozen=True)
class Condition:
    """A condition on rows of search_answer; its SQL has the names of its values in braces."""

    name: str
    text: sql.SQL
    values: dict[str, Any]


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
#: Conditions that leave the rows of a few targets, whatever else is asked for.
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
        return any(condition.name in _OF_TARGETS for condition in self.conditions)

    @property
    def kind(self) -> str | None:
        """Name of a question that is asked often, for which a plan is worth keeping."""
        if len(self.conditions) == 1 and self.of_targets:
            return self.conditions[0].name
        return None


def fields(query: bytes, body: bytes = b"") -> list[tuple[str, str]]:
    """Names and values of form-encoded parameters, those of the address before those posted."""
    if len(body) > MAX_BODY:
        raise RefusedError(f"The request is longer than {MAX_BODY} bytes.")
    found: list[tuple[str, str]] = []
    for part in (query, body.strip()):
        try:
            found += parse_qsl(
                part.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS
            )
        except UnicodeDecodeError:
            raise RefusedError("The parameters are not UTF-8.") from None
        except ValueError:
            raise RefusedError(f"There are more than {MAX_PARAMETERS} parameters.") from None
    return found


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


def values(found: Sequence[tuple[str, str]], known: set[str]) -> dict[str, str]:
    """The known ones of parameters; an empty value says the same as none."""
    given: dict[str, str] = {}
    for name, text in found:
        if name not in known:
            continue
        if len(text) > _MAX_LENGTH:
            raise RefusedError(f"{name} has more than {_MAX_LENGTH} characters.")
        if _CONTROL.search(text):
            raise RefusedError(f"{name} has a control character.")
        if name in given:
            raise RefusedError(f"{name} is given more than once.")
        given[name] = text.strip()
    return {name: text for name, text in given.items() if text}


def number(given: dict[str, str], name: str, low: float, high: float) -> float:
    """A number within limits."""
    text = given[name]
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None or not low <= value <= high:
        raise RefusedError(f"{name} must be a number from {low:g} to {high:g}, not {quoted(text)}.")
    return value


def whole(given: dict[str, str], name: str, low: int) -> int:
    """A whole number, not above 2147483647."""
    text = given[name]
    value = int(text) if re.fullmatch("[0-9]{1,10}", text) else -1
    if not low <= value <= 2147483647:
        raise RefusedError(f"{name} must be a whole number from {low}, not {quoted(text)}.")
    return value


def flag(given: dict[str, str], name: str, default: bool) -> bool:
    """True or false."""
    text = given.get(name, str(default)).lower()
    if text not in {"true", "false", "1", "0"}:
        raise RefusedError(f"{name} must be true or false, not {quoted(text)}.")
    return text in {"true", "1"}


def moment(given: dict[str, str], name: str) -> datetime:
    """A time in ISO 8601, UTC without a zone; what has no zone is UTC."""
    text = given[name]
    try:
        found = datetime.fromisoformat(_ZONE_BLANK.sub("+", text).replace("Z", "+00:00"))
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise RefusedError(
            f"{name} must be a time such as 2026-11-24T12:00:00, not {quoted(text)}."
        ) from None


def quoted(text: str) -> str:
    """Text of a client as a message repeats it: short, and without what would not print."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:40])
    return f"'{shown}…'" if len(text) > 40 else f"'{shown}'"


def circle(given: dict[str, str], default: float = DEFAULT_RADIUS) -> dict[str, float] | None:
    """ra, dec (deg) and radius (arcsec); None when there is no position.

    Right ascensions below zero count from 360 deg; beyond that they are mistakes.
    """
    if not given.keys() & {"ra", "dec", "radius"}:
        return None
    for name in ("ra", "dec"):
        if name not in given:
            raise RefusedError(f"{name} is missing: a position has ra and dec, in degrees.")
    return {
        "ra": number(given, "ra", -180, 360),
        "dec": number(given, "dec", -90, 90),
        "radius": number(given, "radius", 0, MAX_RADIUS) if "radius" in given else default,
    }


def alias_key(name: str) -> str | None:
    """The name without what spellings differ in, as target_alias has it; None for no name."""
    from ingest import names

    return names.key(name)


def _position(given: dict[str, str]) -> list[Condition]:
    cone = circle(given)
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
