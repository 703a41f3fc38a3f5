"""AMBER (2004 to 2018): three telescopes, H and K.

INS MODE is the number of telescopes, the setting's family and ASPRO2's mode name, such as
3Tstd_Medium_K_1_2.1; EXPTIME of raw files is one DIT.
"""

from __future__ import annotations

import re

from ingest.exposures import Exposure
from ingest.headers import Header
from ingest.instruments import iss
from ingest.vocabulary import Vocabulary

_MODE = re.compile(r"(?:(\d)T)?.*?(Low|Medium|High)_([JHK]+)(?:_\d_([\d.]+))?", re.IGNORECASE)
#: The central wavelengths of ASPRO2's modes are rounded; the spacing of the high ones is 0.038 um.
_NEAR = 0.021  # um


def exposures(header: Header, header_id: str, vocabulary: Vocabulary) -> list[Exposure]:
    """The exposure of a header of AMBER."""
    said = header.text("INS MODE") or header.text("INSMODE") or ""
    settings = iss.Settings(
        "AMBER",
        _mode(said, header.number("INS GRAT1 WLEN"), vocabulary),
        dit=header.number("DET DIT"),
        ndit=iss.positive(header, "DET NDIT"),
    )
    return [iss.exposure(header, header_id, vocabulary, "AMBER", settings)]


def _mode(said: str, grating: float | None, vocabulary: Vocabulary) -> str | None:
    """ASPRO2's mode; of a central wavelength that it does not list (um; or the grating's, nm) the
    nearest that it does."""
    found = _MODE.search(said)
    if not found:
        return None
    resolution, band = found[2].capitalize(), found[3].upper()
    if resolution == "Low":
        return "Low_JHK"  # Low_HK, Low_K and the like are the same prism
    beginning = f"{resolution}_{band}_1_"
    centre = iss.number(found[4]) or (grating / 1000 if grating and grating > 0 else None)
    if centre is None:
        return None
    names = [
        mode.name
        for instrument in vocabulary.instruments
        if instrument.name == "AMBER"
        for mode in instrument.modes
        if mode.name.startswith(beginning)
    ]
    distances = {name: abs(float(name.removeprefix(beginning)) - centre) for name in names}
    nearest = min(distances, key=distances.__getitem__, default=None)
    return nearest if nearest is not None and distances[nearest] <= _NEAR else None
