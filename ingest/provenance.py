"""Where the data of a file come from, by its primary header.

Keywords of ESO's products (Data Interface Control Document, ESO-044156), of CHARA's pipelines, and
those that the JMMC's submission tools write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.fits import Header

#: ESO's archive name of a raw file, at the beginning of a file name.
_ARCHIVE_NAME = re.compile(r"[A-Z0-9_]+\.\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")


@dataclass(slots=True)
class Provenance:
    """Where the file comes from, by its primary header."""

    #: Observing programme.
    obs_prog_id: str | None
    #: Observation block.
    obs_id: str | None
    #: Archive name of the (first) raw file, as written.
    arcfile: str | None
    #: The raw files it was made of, with their category, in the order of the header.
    raw_files: list[tuple[str, str | None]]
    #: Name and version of the software.
    pipeline: str | None
    pro_catg: str | None
    dpr_catg: str | None
    instrume: str | None
    telescop: str | None
    insmode: str | None
    date_obs: str | None
    #: When the file was written.
    date: str | None
    content: str | None
    origin: str | None
    author: str | None
    #: Principal investigator or observer as named; None where the archive hides the name.
    datapi: str | None
    observer: str | None
    #: Row of the SPICA catalogue.
    proposal_subid: str | None
    #: JMMC's scale, 0 to 5.
    quality_level: int | None


def provenance(header: Header) -> Provenance:
    """What a primary header tells of the data's origin; conventions of ESO, CHARA and the JMMC."""

    def first(*keys: str) -> str | None:
        for key in keys:
            value = header.text(key)
            if value and value.upper() not in ("UNKNOWN", "UNDEFINED", "-1"):
                return value
        return None

    level = header.integer("QUALITY LEVEL")
    arcfile = first("ARCFILE")
    return Provenance(
        obs_prog_id=first("ESO OBS PROG ID", "OBS PROG ID", "PROG_ID", "PROGRAM"),
        obs_id=first("ESO OBS ID", "OBS ID"),
        arcfile=arcfile,
        raw_files=_raw_files(header, arcfile),
        pipeline=first("PROCSOFT", "ESO PRO REC1 PIPE ID") or _recipe(header),
        pro_catg=first("ESO PRO CATG"),
        dpr_catg=first("ESO DPR CATG"),
        instrume=first("INSTRUME"),
        telescop=first("TELESCOP"),
        insmode=first("INSMODE"),
        date_obs=first("DATE-OBS"),
        date=first("DATE"),
        content=first("CONTENT"),
        origin=first("ORIGIN"),
        author=first("AUTHOR"),
        datapi=first("DATAPI", "ESO OBS PI-COI NAME", "PI-COI"),
        observer=first("OBSERVER", "ESO OBS OBSERVER"),
        proposal_subid=first("SPICADB-ID"),
        quality_level=level if level is not None and 1 <= level <= 5 else None,
    )


def _recipe(header: Header) -> str | None:
    """Recipe and version, where no pipeline is named."""
    said = [header.text(f"ESO PRO REC1 {key}") for key in ("ID", "VERSION")]
    return " ".join(part for part in said if part) or None


def _raw_files(header: Header, arcfile: str | None) -> list[tuple[str, str | None]]:
    """Archive names of the raw files behind the data, each once, with the category given there.

    From ESO PRO RECn RAWm NAME and CATG of all recipes; a product of an earlier recipe counts when
    its name begins with that of the raw file. The file's own ARCFILE comes last.
    """
    found: dict[str, str | None] = {}
    recipe = 1
    while header.text(f"ESO PRO REC{recipe} RAW1 NAME"):
        raw = 1
        while name := header.text(f"ESO PRO REC{recipe} RAW{raw} NAME"):
            if match := _ARCHIVE_NAME.match(name):
                found.setdefault(match[0], header.text(f"ESO PRO REC{recipe} RAW{raw} CATG"))
            raw += 1
        recipe += 1
    if arcfile and (match := _ARCHIVE_NAME.match(arcfile)):
        found.setdefault(match[0], header.text("ESO DPR CATG"))
    return list(found.items())
