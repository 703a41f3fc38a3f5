"""Publications of optical interferometry with their tags: the CSV export of Olbin's database.

The first column is BIBCODE, then there is one column for each category of tags, in which the tags
are separated by commas. Each export is the whole list, so a file with a mistake in it is refused as
a whole: half a list would take the other half away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ingest import tables
from ingest.fits import UnreadableFile
from ingest.tables import BadRow, Problem, Row

#: Categories of tags by the key of their column; Olbin hides that of JMMC's own tags.
CATEGORIES = {
    "hidden": "JMMC",
    "jmmc": "JMMC",
    "maincategory": "Main category",
    "facility": "Facility",
    "instrument": "Instrument",
    "astrophysicaltopic": "Astrophysical topic",
    "wavelength": "Wavelength",
    "spectralresolution": "Spectral resolution",
    "technique": "Technique",
}
#: Columns that Olbin's export lacks, for those who add them from ADS.
_OPTIONAL = ("pubdate", "title")
#: Bibcodes as Schmitz et al. 1995 define them: year, journal, volume, page, author; 19 characters.
_BIBCODE = re.compile(r"([12][0-9]{3})([A-Za-z][!-~]{4})[!-~]{10}")
#: ADS writes 00 for a month or day that is not known.
_PUBDATE = re.compile(r"([12][0-9]{3})(-(0[0-9]|1[0-2])(-([0-2][0-9]|3[01]))?)?")


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication; fields have the names of the columns of olbin.publication."""

    bibcode: str
    pub_year: int
    journal: str
    #: ISO 8601, as far as it is known; None where the export does not say.
    pubdate: str | None
    title: str | None
    #: Pairs of category and tag, each once.
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Export:
    """What a file holds."""

    publications: list[Publication]
    #: Which of pubdate and title the file has a column for.
    columns: tuple[str, ...]


def read(path: Path) -> Export:
    """All publications of an export.

    Raises UnreadableFile with file, line and reason for a file that is no such export, has no
    publication, or has any row that cannot be understood.
    """
    table = tables.read(path)
    if table.columns[0] != "bibcode":
        raise UnreadableFile(table.file, "", "the first column is not BIBCODE")
    for column in table.columns[1:]:
        if column not in CATEGORIES and column not in _OPTIONAL:
            known = ", ".join(sorted((*CATEGORIES, *_OPTIONAL)))
            reason = f"the column {tables.shown(column)} is unknown; known are {known}"
            raise UnreadableFile(table.file, "", reason)
    problems = []
    found: dict[str, Publication] = {}
    for row in table.rows:
        try:
            publication = _publication(row, len(set(table.columns)))
            if publication.bibcode in found:
                raise BadRow(f"{publication.bibcode} is there twice")
            found[publication.bibcode] = publication
        except BadRow as error:
            problems.append(Problem(table.file, row.line, str(error)))
    problems = sorted((*table.problems, *problems), key=lambda problem: problem.line)
    if problems:
        others = f" ({len(problems)} rows are wrong)" if problems[1:] else ""
        first = problems[0]
        raise UnreadableFile(table.file, f"line {first.line}", f"{first.reason}{others}")
    if not found:
        raise UnreadableFile(table.file, "", "it has no publication")
    columns = tuple(name for name in _OPTIONAL if name in table.columns)
    return Export(list(found.values()), columns)


def _publication(row: Row, width: int) -> Publication:
    if len(row.cells) != width:
        raise BadRow(f"{len(row.cells)} cells under {width} columns")
    text = row.cells["bibcode"]
    bibcode = _BIBCODE.fullmatch(text)
    if not bibcode:
        raise BadRow(f"{tables.shown(text)} is no bibcode")
    tags = {
        (CATEGORIES[column], tag.strip()): None
        for column, cell in row.cells.items()
        if column in CATEGORIES
        for tag in cell.split(",")
        if tag.strip()
    }
    return Publication(
        bibcode=text,
        pub_year=int(bibcode[1]),
        journal=bibcode[2].rstrip("."),
        pubdate=_pubdate(row.cells.get("pubdate", "")),
        title=row.cells.get("title") or None,
        tags=tuple(tags),
    )


def _pubdate(text: str) -> str | None:
    """A date as far as it is known: without a month or day of 00."""
    if not text:
        return None
    if not _PUBDATE.fullmatch(text):
        raise BadRow(f"{tables.shown(text)} is no date of the form YYYY-MM-DD, YYYY-MM or YYYY")
    return text.partition("-00")[0]
