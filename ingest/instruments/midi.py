"""MIDI (2002 to 2015): two telescopes, N.

No header was at hand to check this module with; keywords are those that public reduction software
for MIDI reads: INS OPT1 NAME is the beam combiner (HIGH_SENS, SCI_PHOT, or OPEN in acquisitions),
INS GRIS NAME or ID the dispersive element (PRISM, GRISM), INS MODE only the template's family
(STARINTF). Photometry, with one shutter closed, is DPR TYPE PHOTOMETRY.
"""

from __future__ import annotations

from ingest.exposures import Exposure
from ingest.headers import Header
from ingest.instruments import iss
from ingest.vocabulary import Vocabulary

_COMBINERS = ("HIGH_SENS", "SCI_PHOT")
_ELEMENTS = ("PRISM", "GRISM")


def exposures(header: Header, header_id: str, vocabulary: Vocabulary) -> list[Exposure]:
    """The exposure of a header of MIDI."""
    combiner = _first(header, ("INS OPT1 NAME", "INS MODE", "INSMODE"), _COMBINERS)
    element = _first(header, ("INS GRIS NAME", "INS GRIS ID", "INSMODE"), _ELEMENTS)
    settings = iss.Settings(
        "MIDI",
        f"{combiner}+{element}" if combiner and element else None,
        dit=header.number("DET DIT"),
        ndit=iss.positive(header, "DET NDIT"),
    )
    return [iss.exposure(header, header_id, vocabulary, "MIDI", settings)]


def _first(header: Header, keys: tuple[str, ...], words: tuple[str, ...]) -> str | None:
    """The first of some words that one of the keywords has."""
    for key in keys:
        said = iss.upper(header, key)
        for word in words:
            if word in said:
                return word
    return None
