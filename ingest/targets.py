"""The targets of a file: OI_TARGET, their category and the names that one star has.

OI_TARGET: Pauls et al. 2005, PASP 117, 1255, section 6.2, and Duvert et al. 2017, A&A 597, A8,
table 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ingest.fits import Header
from ingest.names import SUFFIX, pair
from ingest.oifits import OIFits, TargetTable

_SAME_STAR = 5.0  # arcsec


@dataclass(slots=True)
class Target:
    """One row of OI_TARGET."""

    name: str | None
    ra: float | None
    dec: float | None
    category: str | None
    flags: set[str]


class Targets:
    """The first OI_TARGET table of a file (there must be only one)."""

    def __init__(self, oifits: OIFits) -> None:
        #: By TARGET_ID, in file order.
        self.rows: dict[int, Target] = {}
        self._header_category = _header_category(oifits.primary)
        self._all: list[Target] = []
        if oifits.targets:
            self._read(oifits.targets[0])
        self._groups = self._same_stars()
        for group in self._groups:
            for target in group:
                target.flags.add("same_target_twice")

    def _read(self, table: TargetTable) -> None:
        target_id = table.target_id
        if target_id is None:
            return
        n = table.rows
        names = table.target or [""] * n
        categories = table.texts("CATEGORY") or [""] * n
        missing = [float("nan")] * n
        ra, dec, equinox = (
            missing if column is None else column.tolist()
            for column in map(table.numbers, ("RAEP0", "DECEP0", "EQUINOX"))
        )
        for row, number in enumerate(target_id.tolist()):
            target = _target(names[row], ra[row], dec[row], equinox[row], categories[row])
            self._all.append(target)
            if number in self.rows:
                self.rows[number].flags.add("target_id_repeated")
            self.rows.setdefault(number, target)

    def _same_stars(self) -> list[list[Target]]:
        """Rows within 5 arcsec of the first of their group, unless components of a pair."""
        groups: list[list[Target]] = []
        for target in self._all:
            for group in groups:
                if _near(group[0], target) and not any(_is_pair(t, target) for t in group):
                    group.append(target)
                    break
            else:
                groups.append([target])
        return [group for group in groups if len(group) > 1]

    def category(self, target: Target, flags: set[str]) -> str | None:
        """SCIENCE or CALIB by OI_TARGET.CATEGORY and the header; None unless they agree."""
        said = {c for c in (target.category, self._header_category) if c is not None}
        if len(said) == 2:
            flags.add("category_conflict")
        return said.pop() if len(said) == 1 else None

    def aliases(self) -> list[tuple[str, ...]]:
        """The different names of one star, for each star that has several."""
        names = [tuple(dict.fromkeys(t.name for t in group if t.name)) for group in self._groups]
        return [group for group in names if len(group) > 1]


def _target(name: str, ra: float, dec: float, equinox: float, category: str) -> Target:
    flags: set[str] = set()
    if not name:
        flags.add("target_unnamed")
    elif SUFFIX.search(name):
        flags.add("target_name_suffix")
    known = abs(ra) <= 360 and abs(dec) <= 90 and (ra, dec) != (0, 0)
    if not known:
        flags.add("no_position")
    if math.isfinite(equinox) and equinox not in (0, 2000):
        flags.add("equinox_not_2000")
    return Target(
        name=name or None,
        ra=ra % 360 if known else None,
        dec=dec if known else None,
        category={"SCI": "SCIENCE", "CAL": "CALIB"}.get(category.upper()),
        flags=flags,
    )


def _near(one: Target, other: Target) -> bool:
    if one.ra is None or one.dec is None or other.ra is None or other.dec is None:
        return False
    east = (one.ra - other.ra + 180) % 360 - 180
    east *= math.cos(math.radians(one.dec))
    return math.hypot(east, one.dec - other.dec) * 3600 < _SAME_STAR


def _is_pair(one: Target, other: Target) -> bool:
    return pair(one.name or "", other.name or "")


def _header_category(header: Header) -> str | None:
    """SCIENCE or CALIB by ESO's DPR CATG, else PRO CATG; PRO SCIENCE is not trusted.

    A product category names what was observed (SINGLE_SCI_VIS_CALIBRATED, TARGET_CAL_INT,
    CALIB_RAW_INT): a target however calibrated is science.
    """
    category = header.text("ESO DPR CATG")
    if category in ("SCIENCE", "CALIB"):
        return category
    words = set((header.text("ESO PRO CATG") or "").split("_"))
    if words & {"SCI", "SCIENCE", "TARGET"}:
        return "SCIENCE"
    return "CALIB" if words & {"CAL", "CALIB", "CALIBRATOR"} else None
