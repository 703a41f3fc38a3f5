"""VINCI (2001 to 2006): two telescopes or siderostats, K, the instrument of VLTI's first fringes.

No header was at hand to check this module with. ASPRO2 does not know VINCI: there is no mode.
"""

from __future__ import annotations

from ingest.exposures import Exposure
from ingest.headers import Header
from ingest.instruments import iss
from ingest.vocabulary import Vocabulary


def exposures(header: Header, header_id: str, vocabulary: Vocabulary) -> list[Exposure]:
    """The exposure of a header of VINCI."""
    settings = iss.Settings(
        "VINCI", None, dit=header.number("DET DIT"), ndit=iss.positive(header, "DET NDIT")
    )
    return [iss.exposure(header, header_id, vocabulary, "VINCI", settings)]
