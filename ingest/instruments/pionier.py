"""PIONIER (since 2010): four telescopes, H (and K at first).

Until 2014 the dispersive element is in OPTI3 (FREE, SMALL, LARGE) behind a Wollaston prism in
OPTI2; since then OPTI2 has FREE or GRISM. Until mid-2013 DPR TECH is IMAGE and DET DIT a whole
scan, so that NDIT x DIT holds throughout. The clock runs NDIT read-out cycles.
"""

from __future__ import annotations

from ingest.exposures import Exposure
from ingest.headers import Header
from ingest.instruments import iss
from ingest.vocabulary import Vocabulary

_OPTI3 = {"FREE": "BROAD", "SMALL": "SMALL", "LARGE": "LARGE"}
_OPTI2 = {"FREE", "GRISM"}


def exposures(header: Header, header_id: str, vocabulary: Vocabulary) -> list[Exposure]:
    """The exposure of a header of PIONIER."""
    ndit = iss.positive(header, "DET NDIT")
    cycle = header.number("DET READOUT CYCLETIME")
    settings = iss.Settings(
        "PIONIER",
        _mode(header),
        dit=header.number("DET DIT"),
        ndit=ndit,
        elapsed=ndit * cycle if ndit and cycle else None,
    )
    return [iss.exposure(header, header_id, vocabulary, "PIONIER", settings)]


def _mode(header: Header) -> str | None:
    opti2, opti3 = iss.upper(header, "INS OPTI2 NAME"), iss.upper(header, "INS OPTI3 NAME")
    element, _, band = iss.upper(header, "INSMODE").partition("_")  # GRISM_H, in products
    if opti2 in _OPTI2:
        element = opti2
    elif opti3 in _OPTI3:
        element = _OPTI3[opti3]
    for said in (
        iss.upper(header, "INS FILT1 NAME"),
        iss.upper(header, "INS MODE").rpartition("-")[2],
        iss.upper(header, "INS OBC TYPE").rpartition("-")[2],
    ):
        if said in ("H", "K"):
            band = said
            break
    return f"{element}-{band}" if element and band else None
