"""What headers of VLTI's raw files say of exposures: one small module an instrument.

``iss`` has what all share; each instrument's module says which of ASPRO2's modes its keywords mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ingest.exposures import Exposure
from ingest.headers import Header, UnreadableFile
from ingest.instruments import amber, gravity, iss, matisse, midi, pionier, vinci
from ingest.vocabulary import Vocabulary

__all__ = ["exposures", "header_id_of"]

#: By INSTRUME: how a header becomes exposures, and the beginning of its files' names at ESO.
_INSTRUMENTS: dict[str, tuple[Callable[[Header, str, Vocabulary], list[Exposure]], str]] = {
    "AMBER": (amber.exposures, "AMBER"),
    "GRAVITY": (gravity.exposures, "GRAVI"),
    "MATISSE": (matisse.exposures, "MATIS"),
    "MIDI": (midi.exposures, "MIDI"),
    "PIONIER": (pionier.exposures, "PIONI"),
    "VINCI": (vinci.exposures, "VINCI"),
}
_EXTENSION = re.compile(r"(\.fits|\.fit|\.hdr|\.txt|\.html?|\.gz|\.Z|\.fz)+$", re.IGNORECASE)
_ID = re.compile(r"[A-Z][A-Za-z0-9_]*\.[0-9TZ:_.-]+")


def exposures(header: Header, header_id: str, vocabulary: Vocabulary) -> list[Exposure]:
    """The exposures of a raw file (or of what was made from it): one, or several.

    ``header_id`` is the file's name in ESO's archive (dp_id). Raises UnreadableFile for a header of
    an instrument that is not one of VLTI.
    """
    name = _instrume(header)
    if name not in _INSTRUMENTS:
        said = f"INSTRUME is '{name}'" if name else "it has no INSTRUME"
        known = ", ".join(_INSTRUMENTS)
        raise UnreadableFile(header_id, "", f"not a header of VLTI: {said}, not one of {known}")
    return _INSTRUMENTS[name][0](header, header_id, vocabulary)


def header_id_of(header: Header, fallback: str) -> str:
    """The file's name in ESO's archive (dp_id): ARCFILE, else prefix and time as ESO makes it.

    ``fallback``, such as the name of the file that was read, is used (without its extension) where
    neither the header nor its own form tells.
    """
    arcfile = _EXTENSION.sub("", header.text("ARCFILE") or "")
    if _ID.fullmatch(arcfile):
        return arcfile
    known = _INSTRUMENTS.get(_instrume(header))
    # The time of the name is that of MJD-OBS; DATE-OBS of products may be another camera's.
    mjd = iss.mjd_of(header.text("DATE-OBS"))
    start = header.number("MJD-OBS")
    if (
        start is not None
        and 51900 < start < 88000
        and (mjd is None or abs(mjd - start) > 0.1 / 86400)
    ):
        mjd = start
    if known is not None and mjd is not None:
        moment = datetime(1858, 11, 17, tzinfo=UTC) + timedelta(milliseconds=round(mjd * 86400000))
        return f"{known[1]}.{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"
    return _EXTENSION.sub("", fallback)


def _instrume(header: Header) -> str:
    return (header.text("INSTRUME") or "").upper()
