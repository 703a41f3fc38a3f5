"""Asks CDS' name resolver Sesame where a star is; it is the socket of ``ingest.resolve``.

What it answers: https://cds.unistra.fr/cgi-bin/Sesame, format x (XML).
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from http.client import HTTPException
from xml.etree import ElementTree

from ingest.resolve import Place

#: Sesame's address, up to the name: XML from SIMBAD.
CDS = "https://cds.unistra.fr/cgi-bin/nph-sesame/-ox/S?"
_MOST = 1_000_000


def ask(name: str, address: str = CDS, timeout: float = 10.0) -> Place | None:
    """Position and proper motion of a star; None when the resolver does not know the name.

    OSError when nobody answers within ``timeout`` seconds, or the answer is none.
    """
    url = address + urllib.parse.quote(name)
    if not url.startswith(("http://", "https://")):
        raise OSError(f"{address} is not the address of a resolver")
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return place_of(answer.read(_MOST))
    except HTTPException as error:
        raise OSError(f"The resolver's answer broke off: {error!r}") from None


def place_of(document: bytes) -> Place | None:
    """What an answer of Sesame says; OSError when it is not one."""
    try:
        if b"<!ENTITY" in document:
            raise ValueError("it defines entities")
        root = ElementTree.fromstring(document)
        if root.tag != "Sesame":
            raise ValueError(f"its root is {root.tag}")
        for resolver in root.iter("Resolver"):
            ra, dec = _number(resolver, "jradeg"), _number(resolver, "jdedeg")
            if ra is not None and dec is not None:
                pm_ra, pm_dec = _number(resolver, "pm/pmRA"), _number(resolver, "pm/pmDE")
                known = pm_ra is not None and pm_dec is not None
                return Place(ra, dec, *((pm_ra, pm_dec) if known else (None, None)))
    except (ElementTree.ParseError, ValueError) as error:
        raise OSError(f"The resolver's answer cannot be read: {error}") from None
    return None


def _number(element: ElementTree.Element, path: str) -> float | None:
    text = element.findtext(path)
    return None if text is None or not text.strip() else float(text)
