"""What requests ask for, when they are as usual; all others are left to DaCHS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

#: Where queries of TAP come in: DaCHS' path, its short one, and that of the former service.
PATHS = frozenset({b"/tap/sync", b"/__system__/tap/run/sync", b"/vollt/tap/sync"})
#: What may be asked of TAP, but uploads.
PARAMETERS = frozenset({"REQUEST", "LANG", "QUERY", "FORMAT", "RESPONSEFORMAT", "MAXREC"})

#: How the address of a cone search ends.
_CONE = b"/scs.xml"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
#: What else may be asked of one.
_OPTIONS = {"VERB": "[123]", "MAXREC": "[1-9][0-9]{0,7}", "RESPONSEFORMAT": "[!-~]{1,80}"}


class NotForUsError(Exception):
    """Something that only DaCHS itself can answer."""


def parameters(pairs: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    """Parameters of a query of TAP, as DaCHS' taprunner wants them; None for unusual ones."""
    found = {name.upper(): value for name, value in pairs}
    if len(found) < len(pairs) or not found.keys() <= PARAMETERS or "" in found.values():
        return None
    if "QUERY" not in found or "LANG" not in found:
        return None
    limit = found.get("MAXREC")
    if limit is not None and not re.fullmatch("[0-9]{1,9}", limit, re.ASCII):
        return None
    if "tap_user" in found["QUERY"].lower():  # tables that users have stored
        return None
    return {
        "request": found.get("REQUEST", "doQuery"),
        "lang": found["LANG"],
        "query": found["QUERY"],
        "maxrec": None if limit is None else int(limit),
        "format": found.get("RESPONSEFORMAT") or found.get("FORMAT") or "votable",
    }


def tap(method: bytes, query: bytes, body: bytes, content_type: str) -> dict[str, Any] | None:
    """What a query of TAP asks for, as worker.py takes it; None for what is left to DaCHS."""
    form = content_type.partition(";")[0].strip().lower()
    if method == b"POST" and form == "multipart/form-data" and not query:
        return {"content_type": content_type, "length": len(body)}
    if method == b"POST" and body and form != "application/x-www-form-urlencoded":
        return None
    if method not in {b"GET", b"POST"} or (method == b"GET" and body):
        return None
    pairs = _pairs(b"&".join(part for part in (query, body) if part))
    found = None if pairs is None else parameters(pairs)
    return None if found is None else {"parameters": found}


def cone(method: bytes, address: bytes) -> dict[str, Any] | None:
    """What a cone search asks for, as worker.py takes it; None for what is left to DaCHS."""
    path, _, query = address.partition(b"?")
    pairs = _pairs(query) if method == b"GET" and path.endswith(_CONE) else None
    if pairs is None:
        return None
    parts = path.decode("ascii", "replace").strip("/").split("/")
    if len(parts) < 4 or not re.fullmatch(r"[\w/-]+", "/".join(parts[:-1]), re.ASCII):
        return None
    fields = dict(pairs)
    if len(fields) < len(pairs) or not {"RA", "DEC", "SR"} <= fields.keys():
        return None
    for name, value in fields.items():
        if name in {"RA", "DEC", "SR"}:
            if not _NUMBER.fullmatch(value):
                return None
        elif name not in _OPTIONS or not re.fullmatch(_OPTIONS[name], value):
            return None
    return {
        "service": ["/".join(parts[:-2]), parts[-2]],
        "fields": fields,
        "address": address.decode("ascii"),
    }


def _pairs(encoded: bytes) -> list[tuple[str, str]] | None:
    """Names and values of a form; None when DaCHS' server might read it in another way."""
    if b";" in encoded:
        return None
    try:
        return parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        return None
