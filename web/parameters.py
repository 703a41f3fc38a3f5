"""What parameters of a request say: numbers, times, positions; a sentence where they make no sense.

Clients write numbers as Java does, and times with or without a zone. Parameters that nobody here
knows are ignored, as they always were; a value that makes no sense is refused with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

#: What a request may have; clients send four parameters.
MAX_PARAMETERS = 100
MAX_BODY = 1 << 16  # bytes
_MAX_LENGTH = 256  # characters of a value
MAX_RADIUS = 180 * 3600.0

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
#: A plus sign that was not written as %2B arrives as a blank.
_ZONE_BLANK = re.compile(r"(?<=[0-9]) (?=[0-9]{2}:?[0-9]{2}$)")


class RefusedError(Exception):
    """A request that cannot be answered; the message says why in a sentence."""


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


def single(query: bytes) -> dict[str, str]:
    """All parameters of an address, each of which must be there only once."""
    found = fields(query)
    return values(found, {name for name, _ in found})


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


def circle(given: dict[str, str], default: float) -> dict[str, float] | None:
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


_DECIMAL_PLACE = re.compile(r"([+-]?\d+(?:\.\d*)?)(?:\s*,\s*|\s+)([+-]?\d+(?:\.\d*)?)", re.ASCII)
_THREE = r"(\d{1,3})[\s:hd°]\s*(\d{1,2})[\s:m'′]\s*(\d{1,2}(?:\.\d*)?)\s*[s\"″]?"
_SEXAGESIMAL_PLACE = re.compile(rf"{_THREE}[\s,]*([+-]?){_THREE}", re.ASCII)


def position(text: str, radius: float) -> dict[str, float] | None:
    """ra, dec (deg) and the radius (arcsec) of a position as people write it.

    Decimal degrees, or hours and degrees with minutes and seconds, as the searches of pages take
    them (resources/static/search.mjs). None for what does not look like one; raises RefusedError
    for one that is not on the sky.
    """
    tidy = text.strip().replace("−", "-")
    if found := _DECIMAL_PLACE.fullmatch(tidy):
        ra, dec = float(found[1]), float(found[2])
    elif found := _SEXAGESIMAL_PLACE.fullmatch(tidy):
        h, m, s, d, arcmin, arcsec = (float(found[n]) for n in (1, 2, 3, 5, 6, 7))
        if h >= 24 or max(m, s, arcmin, arcsec) >= 60:
            raise RefusedError(
                f"{quoted(text)} is no position: hours, minutes or seconds are too large."
            )
        ra = 15 * (h + m / 60 + s / 3600)
        dec = (-1 if found[4] == "-" else 1) * (d + arcmin / 60 + arcsec / 3600)
    else:
        return None
    if not 0 <= ra <= 360 or abs(dec) > 90:
        raise RefusedError(
            f"{quoted(text)} is no position: right ascension is from 0 to 360 degrees, declination"
            " from -90 to 90."
        )
    return {"ra": ra, "dec": dec, "radius": radius}
