"""GRAVITY (since 2015): four telescopes, K; one star, or two with the fringe tracker on the other.

The mode is that of the science combiner, the sub-mode SINGLE or DUAL. In dual field one file holds
two exposures where the fringe tracker is on another object: number 1 is the science combiner's,
number 2 that of the fringe tracker, with ASPRO2's mode LOW of GRAVITY_FT and the sub-mode DUAL-FT.
INS SOBJ X and Y are the way from the fringe tracker's object to the other one on the sky (mas);
INS SOBJ SWAP means that the two combiners changed places.
"""

from __future__ import annotations

import math

from ingest import geometry
from ingest.exposures import Exposure
from ingest.headers import Header
from ingest.instruments import iss
from ingest.vocabulary import Vocabulary

_RESOLUTION = {"LOW": "LOW", "MED": "MEDIUM", "MEDIUM": "MEDIUM", "HIGH": "HIGH"}
_POLARISATION = {"COMBINED", "SPLIT"}
#: Closer than that (mas) both combiners look at the same object.
_SAME = 1.0


def exposures(header: Header, header_id: str, vocabulary: Vocabulary) -> list[Exposure]:
    """The exposure of a header of GRAVITY, or the two of a dual field."""
    words = iss.upper(header, "INSMODE").split(",")
    field = _field(header, words)
    resolution = iss.upper(header, "INS SPEC RES") or iss.upper(header, "INS FILT2 NAME")
    polarisation = iss.upper(header, "INS POLA MODE")
    if len(words) >= 3:  # in products: SINGLE,HIGH,COMBINED,COMBINED
        resolution, polarisation = resolution or words[1], polarisation or words[2]
    lamp = iss.upper(header, "INS OPTI1 NAME") == "CALIB"
    science = iss.Settings(
        "GRAVITY",
        f"{_RESOLUTION[resolution]}-{polarisation}"
        if resolution in _RESOLUTION and polarisation in _POLARISATION
        else None,
        field,
        dit=header.number("DET2 SEQ1 DIT"),
        ndit=iss.positive(header, "DET2 NDIT"),
        laboratory="INS OPTI1 NAME is 'CALIB': light of the calibration unit" if lamp else None,
    )
    mjd = header.number("MJD-OBS")
    if field != "DUAL":
        both = (header.text("FT ROBJ NAME"), header.text("INS SOBJ NAME"))
        target = _given(header, iss.target_of(header, mjd, *both))
        return [iss.exposure(header, header_id, vocabulary, "GRAVITY", science, target)]

    observed, tracked = _objects(header, mjd)
    result = [iss.exposure(header, header_id, vocabulary, "GRAVITY", science, observed)]
    if tracked is not None:
        tracker = iss.Settings(
            "GRAVITY_FT",
            "LOW",
            "DUAL-FT",
            dit=science.dit,
            ndit=science.ndit,
            laboratory=science.laboratory,
        )
        result.append(iss.exposure(header, header_id, vocabulary, "GRAVITY", tracker, tracked, 2))
    return result


def _field(header: Header, words: list[str]) -> str | None:
    """SINGLE or DUAL by DPR TYPE, INSMODE, the product's category or the template."""
    for said in (
        iss.upper(header, "DPR TYPE").split(","),
        words,
        iss.upper(header, "PRO CATG").split("_"),
        iss.upper(header, "TPL ID").split("_"),
    ):
        for field in ("SINGLE", "DUAL"):
            if field in said:
                return field
    return None


def _given(header: Header, target: iss.Object) -> iss.Object:
    """The target with the position and proper motion of the fringe tracker's object.

    It has more digits than ISS REF, which in dual field is halfway between the two.
    """
    position = iss.packed(header, "FT ROBJ ALPHA", "FT ROBJ DELTA")
    pointed = iss.pointing(header)
    if position is None or (pointed and geometry.separation(*position, *pointed) > iss.SAME_FIELD):
        return target
    pm_ra, pm_dec = iss.motion(header, "FT ROBJ")
    flags = tuple(flag for flag in target.flags if not flag.startswith("position"))
    return iss.Object(target.names, *position, 2000.0, pm_ra, pm_dec, flags)


def _objects(header: Header, mjd: float | None) -> tuple[iss.Object, iss.Object | None]:
    """What the science combiner and the fringe tracker looked at; None for the same object."""
    names = iss.names_of(header, header.text("INS SOBJ NAME"))
    tracker_names = iss.names_of(header, header.text("FT ROBJ NAME"))
    x, y = (header.number(f"INS SOBJ {axis}") for axis in "XY")
    offset = None if x is None or y is None else (x, y)
    target = _given(header, iss.target_of(header, mjd))
    other = _name(names) != _name(tracker_names) or (offset and math.hypot(*offset) > _SAME)
    if not tracker_names or not names or not other:
        if offset and math.hypot(*offset) > _SAME:
            target = _moved(target, offset)
        return target._replace(names=tuple(dict.fromkeys((*names, *target.names)))), None

    # The OB's target is one of the two: its names go to the one that shares one.
    first, second = list(names), list(tracker_names)
    for name in target.names:
        if _name((name,)) == _name(names):
            first.append(name)
        elif _name((name,)) == _name(tracker_names):
            second.append(name)
    tracked = target._replace(names=tuple(dict.fromkeys(second)))
    observed = target._replace(names=tuple(dict.fromkeys(first)), pm_ra=None, pm_dec=None)
    if offset is None:
        observed = observed._replace(flags=(*observed.flags, "position_of_fringe_tracker"))
    else:
        observed = _moved(observed, offset)
    if iss.upper(header, "INS SOBJ SWAP") in ("YES", "T", "TRUE"):
        observed, tracked = tracked, observed
    return observed, tracked


def _moved(target: iss.Object, offset: tuple[float, float]) -> iss.Object:
    """An object beside another by so many mas to the east and north."""
    if target.ra is None or target.dec is None:
        return target
    east, north = (value / 3.6e6 for value in offset)
    dec = max(-90.0, min(90.0, target.dec + north))
    narrow = max(math.cos(math.radians(target.dec)), 1e-6)
    return target._replace(ra=(target.ra + east / narrow) % 360.0, dec=dec)


def _name(names: tuple[str, ...]) -> str:
    """The first name without what people write differently."""
    return "".join(c for c in names[0] if c.isalnum()).casefold() if names else ""
