"""MATISSE (since 2018): four telescopes; L and M on one detector, N on another, a file each.

ASPRO2's modes combine the way of recording (SI_PHOT in L and M, HIGH_SENS in N, which together are
ESO's HYBRID), the band (filter FIL of the L and M arm) and the dispersive element (DIL, DIN). It
has no other combinations, so the few files taken otherwise (SI_PHOT in N) get the mode of the same
band and dispersion; the sub-mode keeps INS MODE. EXPTIME of raw files is one DIT, DET SEQ1 EXPTIME
what the clock ran.
"""

from __future__ import annotations

from ingest.exposures import Exposure
from ingest.headers import Header
from ingest.instruments import iss
from ingest.vocabulary import Vocabulary

_DISPERSION = {
    "LOW": "LOW", "MED": "MEDIUM", "MEDIUM": "MEDIUM", "HIGH": "HIGH",
    "HIGH+": "VERY_HIGH", "HIGH_PLUS": "VERY_HIGH", "VERY_HIGH": "VERY_HIGH",
}  # fmt: skip
#: Between the L and M bands (um), where the atmosphere is opaque.
_BETWEEN = 4.35


def exposures(header: Header, header_id: str, vocabulary: Vocabulary) -> list[Exposure]:
    """The exposure of a header of MATISSE."""
    dit = header.number("DET SEQ1 DIT") or header.number("DET DIT")
    instrument_mode = iss.upper(header, "INS MODE")
    owner, mode = _mode(header, vocabulary)
    settings = iss.Settings(
        owner,
        mode,
        instrument_mode or None,
        dit=dit,
        ndit=iss.positive(header, "DET NDIT"),
        elapsed=header.number("DET SEQ1 EXPTIME"),
        laboratory="INS MODE is 'AUTOTEST'" if instrument_mode == "AUTOTEST" else None,
    )
    return [iss.exposure(header, header_id, vocabulary, "MATISSE", settings)]


def _mode(header: Header, vocabulary: Vocabulary) -> tuple[str, str | None]:
    detector = " ".join(
        iss.upper(header, key) for key in ("DET NAME", "DET CHIP TYPE", "DET CHIP NAME")
    )
    if "AQUARIUS" in detector or "IR-N" in detector or "MATISSE-N" in detector:
        dispersion = _DISPERSION.get(iss.upper(header, "INS DIN NAME"))
        return "MATISSE_N", f"HIGH_SENS_N_{dispersion}" if dispersion else None
    if not any(word in detector for word in ("HAWAII", "IR-LM", "MATISSE-L")):
        return "MATISSE_LM", None
    dispersion = _DISPERSION.get(iss.upper(header, "INS DIL NAME"))
    if dispersion is None:
        return "MATISSE_LM", None
    band = iss.upper(header, "INS FIL NAME")
    if band not in ("L", "M"):
        band = "LM"
    centre = header.number("SEQ DIL WL0")
    # Long spectra do not fit on the detector: the part that was read is one band.
    part = "M" if centre is not None and centre > _BETWEEN else "L"
    for choice in (band, "LM", part if band == "LM" else band):
        name = f"SI_PHOT_{choice}_{dispersion}"
        if iss.has_mode(vocabulary, "MATISSE_LM", name):
            return "MATISSE_LM", name
    return "MATISSE_LM", None
