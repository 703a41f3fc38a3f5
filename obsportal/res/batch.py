"""Lists of targets that clients post: VOTable, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from obsportal.res.question import WIDE, alias_key
from web.parameters import RefusedError, circle, quoted, values

#: Targets of a list, and bytes of it.
MAX_TARGETS = 10_000
MAX_BYTES = 10 * 1024 * 1024

#: What the columns of a list may be called, in small letters.
_NAMES = {
    "name": ("name", "target_name", "target", "object", "main_id", "id"),
    "ra": ("ra", "s_ra", "target_ra", "raj2000", "ra_icrs", "_ra"),
    "dec": ("dec", "de", "s_dec", "target_dec", "dej2000", "de_icrs", "_de"),
    "radius": ("radius",),
}
_UCDS = {
    "meta.id;meta.main": "name",
    "pos.eq.ra;meta.main": "ra",
    "pos.eq.dec;meta.main": "dec",
    "pos.eq.ra": "ra",
    "pos.eq.dec": "dec",
    "meta.id;src": "name",
    "meta.id": "name",
}


@dataclass(frozen=True)
class Wanted:
    """A target somebody asks for: a position, or else a name."""

    #: Its place in the list, from 1.
    number: int
    name: str
    ra: float | None = None
    dec: float | None = None
    #: In arcsec.
    radius: float | None = None
    alias_key: str | None = None


def read(data: bytes, content_type: str, radius: float) -> list[Wanted]:
    """The targets of a list; `radius` (arcsec) is for those that have none of their own."""
    rows = _READERS.get(content_type)
    if rows is None:
        raise RefusedError(
            f"Content-Type must say what the list is, one of {', '.join(sorted(_READERS))},"
            f" not {quoted(content_type)}."
        )
    found = [
        _wanted(number, row, radius)
        for number, row in enumerate(islice(rows(data), MAX_TARGETS + 1), 1)
    ]
    if not found:
        raise RefusedError("The list has no targets.")
    if len(found) > MAX_TARGETS:
        raise RefusedError(f"The list has more than {MAX_TARGETS} targets.")
    return found


def _wanted(number: int, row: Mapping[str, Any], radius: float) -> Wanted:
    texts = {key: "" if value is None else str(value) for key, value in row.items()}
    pairs = [(key, "" if text == "nan" else text) for key, text in texts.items() if key in _NAMES]
    try:
        given = values(pairs, set(_NAMES))
        name = given.get("name", "")
        if not given.keys() & {"ra", "dec"}:
            if not name:
                raise RefusedError("it has neither name nor position.")
            return Wanted(number, name, alias_key=alias_key(name))
        cone = circle(given, radius)
        assert cone is not None
        if cone["radius"] > WIDE:
            raise RefusedError(f"radius must not be above {WIDE:g} arcsec in a list.")
        return Wanted(number, name, cone["ra"], cone["dec"], cone["radius"])
    except RefusedError as error:
        raise RefusedError(f"Target {number} of the list: {error}") from None


def _keys(names: Iterable[str]) -> dict[str, str]:
    """What each column of a list is, by its name: the best of several."""
    small = {name.strip().lower(): name for name in names}
    found = {}
    for key, possible in _NAMES.items():
        for name in possible:
            if name in small:
                found[small[name]] = key
                break
    return found


def _csv(data: bytes) -> Iterator[dict[str, Any]]:
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        names = next(rows, [])
        keys = _keys(names)
        places = [(place, keys[name]) for place, name in enumerate(names) if name in keys]
        for row in rows:
            if row:
                yield {key: row[place] for place, key in places if place < len(row)}
    except UnicodeDecodeError:
        raise RefusedError("The list is not UTF-8.") from None
    except csv.Error as error:
        raise RefusedError(f"The list is no CSV: {error}.") from None


def _json(data: bytes) -> Iterator[dict[str, Any]]:
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError):
        raise RefusedError("The list is no JSON.") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusedError("The list must be a JSON list of objects with name, ra, dec, radius.")
    for row in rows:
        yield {key: row[name] for name, key in _keys(row).items()}


def _votable(data: bytes) -> Iterator[dict[str, Any]]:
    from gavo import votable

    try:
        rows, metadata = votable.loads(data)
        columns = list(metadata)
    except Exception as error:
        raise RefusedError(f"The list cannot be read as a VOTable: {quoted(str(error))}") from None
    names = [str(column.name) for column in columns]
    keys = {place: key for name, key in _keys(names).items() for place in [names.index(name)]}
    # UCDs say more than names.
    for ucd, key in reversed(_UCDS.items()):
        for place, column in enumerate(columns):
            if (column.ucd or "").lower() == ucd:
                keys = {at: other for at, other in keys.items() if other != key} | {place: key}
                break
    for row in rows:
        yield {key: row[place] for place, key in keys.items()}


_READERS: dict[str, Callable[[bytes], Iterator[dict[str, Any]]]] = {
    "text/csv": _csv,
    "application/json": _json,
    "application/x-votable+xml": _votable,
    "application/xml": _votable,
    "text/xml": _votable,
}
