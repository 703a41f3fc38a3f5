"""Which star a measurement of JMDC is of, by the names it gives and where these are on the sky."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ingest import names
from ingest.names import Name

#: Letters at the end of a name: of one component, of several (AB; Aa,Ab).
_COMPONENT = re.compile(r"(?<=[\d ])[A-H][a-h]?\d?$")
_SYSTEM = re.compile(
    r"(?<=[\d ])(?:[A-H]{2,}|[A-H][a-h]?\d?(?:,[A-H]?[a-h]?\d?)+|[A-H][a-h]\d,\d)$"
)


def key(name: str) -> str:
    """What spellings of a name have in common."""
    return names.key(name) or " ".join(name.casefold().split())


def search_keys(identifiers: Iterable[str], others: Iterable[str]) -> list[str]:
    """Keys by which other catalogues may know a star: those of its identifiers (ID1), then those of
    the names in publications (ID2) that only one star has.
    """
    found = dict.fromkeys(map(key, identifiers))
    for other in others:
        name = names.parse(other)
        if name is not None and name.universal:
            found[name.key] = None
    return list(found)


def may_be_one(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether stars at one place can be one: no two of their identifiers tell them apart."""
    first, second = _parsed(some), _parsed(others)
    return not any(names.differ(one, other) for one in first for other in second)


def name_flags(identifiers: Iterable[str]) -> set[str]:
    """What the identifiers of a star tell of its multiplicity: component, system."""
    found = set()
    for identifier in identifiers:
        if _SYSTEM.search(identifier.strip()):
            found.add("system")
        elif _COMPONENT.search(identifier.strip()):
            found.add("component")
    return found


def _parsed(texts: Iterable[str]) -> list[Name]:
    return [name for name in map(names.parse, texts) if name is not None]
