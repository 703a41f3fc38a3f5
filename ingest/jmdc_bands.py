"""Bands and wavelengths as JMDC writes them, in metres and letters.

``K``, ``K'``, ``H,K``, ``B?``, ``2.2``, ``2.2mu``, ``4430A``, ``550nm``, ``550..850nm``,
``550 to 850``, ``8-13``, ``y``, ``Halpha``. Numbers without a unit are micrometres; where they
cannot be, they are nanometres or angstroms (ReadMe of VizieR II/345, note 3, and what authors made
of it).

Widths of bands at half maximum: Bessell's system by Binney & Merrifield 1998 (Galactic Astronomy,
table 2.1); N and Q: the windows of the atmosphere; K': Wainscoat & Cowie 1992, AJ 103, 332; H':
ten Brummelaar et al. 2005, ApJ 628, 453; Strömgren's: Bessell 2005, ARA&A 43, 293.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

#: Letters by BANDCODE, from 1.
LETTERS = "UBVRIJHKLMNQ"

_UM = 1e-6
#: Centre and width (µm) of a band by its name.
_BANDS = {
    "U": (0.365, 0.066), "B": (0.445, 0.094), "V": (0.551, 0.088), "R": (0.658, 0.138),
    "I": (0.806, 0.149), "J": (1.220, 0.213), "H": (1.630, 0.307), "K": (2.190, 0.390),
    "L": (3.450, 0.472), "M": (4.750, 0.460), "N": (10.5, 5.0), "Q": (20.5, 7.0),
    "K'": (2.12, 0.35), "Ks": (2.15, 0.32), "H'": (1.673, 0.285), "L'": (3.80, 0.70),
    "u": (0.349, 0.030), "v": (0.411, 0.019), "b": (0.467, 0.018), "y": (0.547, 0.023),
    "Halpha": (0.65628, 0.0),
}  # fmt: skip
#: The photometric band that a band of another system is in.
_LETTER_OF = {"u": "U", "v": "B", "b": "B", "y": "V", "Halpha": "R"}
#: Where one band ends and the next begins (µm), so that every wavelength is in one; as JMDC has
#: always divided them: 500 nm is B, 502 nm V, 712 nm R, 725 nm I.
_DIVIDED = (0.398, 0.501, 0.62, 0.72, 1.0, 1.4, 1.9, 2.6, 4.2, 6.0, 15.0)
#: Least and greatest wavelength (µm) that an interferometer or an occultation sees.
_LEAST, _GREATEST = 0.3, 30.0

_NUMBER = r"(\d+\.?\d*|\.\d+)"
_UNIT = r"(mu|µm|μm|µ|μ|um|micron|microns|nm|a|å|ang|angstrom)?"
_WAVELENGTH = re.compile(
    rf"(?:[a-z]+ ?= ?)?{_NUMBER} ?{_UNIT}(?: ?(?:-|–|\.\.+|to) ?{_NUMBER} ?{_UNIT})?", re.IGNORECASE
)
#: What says nothing: "V (eye)", "L Band".
_REMARK = re.compile(r"\(.*\)$| band$", re.IGNORECASE)
_SEPARATOR = re.compile(r" ?[,+/&] ?| or ")
_IN_UM = {"nm": 1e-3, "a": 1e-4, "å": 1e-4, "ang": 1e-4, "angstrom": 1e-4}


@dataclass(frozen=True, slots=True)
class Band:
    """What a text says of the wavelengths that a measurement was made at."""

    #: Shortest and longest wavelength, m; equal for a single one.
    shortest: float
    longest: float
    #: Photometric bands, in the order of LETTERS.
    letters: str
    #: True when the text names bands, False when it tells a wavelength.
    named: bool
    #: What is doubtful about the text, in words; None when nothing is.
    doubt: str | None = None


@lru_cache(maxsize=1024)
def read(text: str) -> Band | None:
    """The band that a text names; None for a text that names none ("various", "")."""
    text = " ".join(_REMARK.sub("", text).split())
    if text.endswith("?"):
        band = read(text[:-1])
        return band and replace(band, doubt="JMDC is not sure of it")
    return _named(text) or _wavelengths(text)


def code(letters: str) -> int | None:
    """BANDCODE of bands: that of the reddest of them; None when there is none."""
    return max((LETTERS.index(letter) + 1 for letter in letters), default=None)


def fits(bandcode: int, band: Band) -> bool:
    """Whether a BANDCODE (1 to 12) can be that of a band.

    That of bands by name must be one of them. Where photometric systems divide the wavelengths
    between two bands is not the same in all of them: 10 % either way are let pass.
    """
    if band.named or LETTERS[bandcode - 1] in band.letters:
        return LETTERS[bandcode - 1] in band.letters
    edges = (_LEAST, *_DIVIDED, _GREATEST)
    shortest, longest = edges[bandcode - 1] * _UM, edges[bandcode] * _UM
    return band.longest * 1.1 >= shortest and band.shortest * 0.9 <= longest


def _named(text: str) -> Band | None:
    """A band, or several of them, by letters."""
    names = _SEPARATOR.split(text)
    if len(names) == 1 and len(text) > 1 and set(text) <= set(LETTERS):
        names = list(text)
    if not all(name in _BANDS for name in names):
        return None
    edges = [_edges(name) for name in names]
    found = {_LETTER_OF.get(name, name[0]) for name in names}
    return Band(
        min(edge[0] for edge in edges),
        max(edge[1] for edge in edges),
        "".join(letter for letter in LETTERS if letter in found),
        named=True,
    )


def _edges(name: str) -> tuple[float, float]:
    centre, width = _BANDS[name]
    return _metres(centre - width / 2), _metres(centre + width / 2)


def _wavelengths(text: str) -> Band | None:
    """A wavelength, or the first and last of several."""
    match = _WAVELENGTH.fullmatch(text)
    if match is None:
        return None
    first, unit, last, last_unit = match.groups()
    unit = unit or last_unit
    numbers = [float(number) for number in (first, last) if number is not None]
    scale, doubt = _scale(numbers, unit)
    shortest, longest = min(numbers) * scale, max(numbers) * scale
    if shortest < _LEAST or longest > _GREATEST:
        return None
    letters = "".join(
        letter
        for letter in LETTERS
        if _BANDS[letter][0] - _BANDS[letter][1] / 2 < longest
        and shortest < _BANDS[letter][0] + _BANDS[letter][1] / 2
    )
    if shortest == longest or not letters:
        middle = (shortest + longest) / 2
        letters = LETTERS[sum(middle >= edge for edge in _DIVIDED)]
    return Band(_metres(shortest), _metres(longest), letters, False, doubt)


def _scale(numbers: list[float], unit: str | None) -> tuple[float, str | None]:
    """What makes micrometres of numbers, and what is doubtful about that."""
    scale = 1.0 if unit is None else _IN_UM.get(unit.lower(), 1.0)
    if max(numbers) * scale <= _GREATEST:
        return scale, None
    likely = 1e-3 if max(numbers) < 3000 else 1e-4
    name = "nanometres" if likely == 1e-3 else "angstroms"
    return likely, None if unit is None else f"{numbers[0]:g} {unit} must be {name}"


def _metres(micrometres: float) -> float:
    """Metres without what comes of computing in binary."""
    return float(f"{micrometres * _UM:.6g}")
