"""Releases of JMDC from known diameters, with a few rows that are wrong in the ways real ones were.

The stars are those of ``ingest.simulate``; the diameter of a uniform disk follows from the true one
by ``jmdc_rules.ld_over_ud``. The same seed gives the same rows.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest import jmdc_export, simulate
from ingest.jmdc import Measurement
from ingest.jmdc_rules import ld_over_ud

#: Band, BANDCODE, METHOD, coefficient of limb darkening, relative error.
_BANDS = (
    ("V", 3, 1, 0.65, 0.010),
    ("600..900nm", 5, 1, 0.55, 0.008),
    ("H", 7, 1, 0.30, 0.012),
    ("K'", 8, 1, 0.25, 0.010),
    ("2.2mu", 8, 2, 0.25, 0.050),
    ("4430A", 2, 3, 0.70, 0.040),
)
#: True limb-darkened diameter (mas) by the name of a star that the other demonstrations have, too.
TRUTH = {
    target.name: target.model.diameter
    for target in (
        simulate.SOUTH_DISK,
        simulate.SOUTH_GIANT,
        simulate.NORTH_DISK,
        simulate.NORTH_GIANT,
        simulate.SOUTH_CALIBRATOR,
    )
    if isinstance(target.model, simulate.Disk)
}
DAYS = ("20240115", "20250220")
#: What is wrong with rows of the second release, by the rule that finds it.
WRONG = (
    "ld_is_factor",
    "ld_is_error",
    "shifted_columns",
    "ld_below_ud",
    "band_unit",
    "bandcode_mismatch",
    "bibcode_form",
    "outlier",
)


def write(folder: Path) -> list[Path]:
    """Writes the releases as files of the web site; their paths in the order of their days."""
    paths = []
    for day, rows in zip(DAYS, releases(), strict=True):
        path = folder / f"JMDC_{day}.csv"
        path.write_text(jmdc_export.as_csv(rows), "utf-8")
        paths.append(path)
    return paths


def releases(seed: int = 1) -> tuple[list[Measurement], list[Measurement]]:
    """The rows of two releases.

    From the first to the second, one row is corrected, one is gone, and the wrong ones are new.
    """
    good = list(_good(random.Random(seed)))
    corrected = replace(good[0], notes="Error from the second publication.", e_ld_diam=0.03)
    second = [corrected, *good[2:], *_unusual(), *_wrong(good)]
    return good, second


def _good(chance: random.Random) -> list[Measurement]:
    rows = []
    for star, (name, true) in enumerate(TRUTH.items()):
        for number, (band, code, method, coefficient, relative) in enumerate(_BANDS):
            if method == 3 and true > 5:
                continue  # too large for an intensity interferometer
            ld = true * chance.gauss(1, relative / 2)
            rows.append(
                Measurement(
                    id1=name,
                    id2=None if number % 2 else name.title(),
                    ud_diam=_rounded(ld / ld_over_ud(coefficient)),
                    ld_diam=_rounded(ld),
                    e_ld_diam=_rounded(true * relative),
                    band=band,
                    mu_lambda=coefficient if number % 2 else _ratio(coefficient),
                    method=method,
                    bandcode=code,
                    notes="Simulated.",
                    bibcode=bibcode(2010 + number, star + 1),
                )
            )
    return rows


def _unusual() -> list[Measurement]:
    """Rows that are right, and yet not like others."""
    system = simulate.SOUTH_BINARY.name
    component = Measurement(
        id1=system,
        ud_diam=0.9,
        e_ld_diam=0.02,
        band="H",
        method=1,
        bandcode=7,
        notes="Simulated.",
        bibcode=bibcode(2022, 1),
        sinpe=1,
    )
    return [
        replace(component, id2=f"{system} A"),
        replace(component, id2=f"{system} B", ud_diam=0.5),
        Measurement(
            "SIM NOWHERE 1", ud_diam=1.2, method=2, notes="A star that nothing else knows."
        ),
    ]


def _wrong(good: list[Measurement]) -> list[Measurement]:
    """A row for each of WRONG, in that order."""
    rows = []
    for number, kind in enumerate(WRONG, 1):
        right = next(row for row in good[6 * (number % 3) :] if row.band == "K'")
        ud, ld, error = right.ud_diam, right.ld_diam, right.e_ld_diam
        if ud is None or ld is None or error is None:
            raise AssertionError("what is made wrong was complete")
        changes: dict[str, dict[str, Any]] = {
            "ld_is_factor": {"ld_diam": _ratio(0.25), "mu_lambda": _ratio(0.25)},
            "ld_is_error": {"ld_diam": error, "e_ld_diam": None, "mu_lambda": None},
            "shifted_columns": {
                "ud_diam": 0.25, "ld_diam": ud, "e_ld_diam": ld, "mu_lambda": 0.25,
            },
            "ld_below_ud": {"ld_diam": _rounded(0.93 * ud), "mu_lambda": None},
            "band_unit": {"band": "710 mu", "bandcode": 4},
            "bandcode_mismatch": {"bandcode": 3},
            "bibcode_form": {"bibcode": "2023SIM....9...1S"},
            "outlier": {"ud_diam": _rounded(2 * ud), "ld_diam": _rounded(2 * ld)},
        }  # fmt: skip
        row = replace(right, bibcode=bibcode(2023, number), notes=f"Simulated: {kind}.")
        rows.append(replace(row, **changes[kind]))
    return rows


def bibcode(year: int, page: int) -> str:
    """The bibcode of a publication that does not exist."""
    return f"{year}SIM...{year - 2000:.>3}.{page:.>4}S"


def _ratio(coefficient: float) -> float:
    return round(ld_over_ud(coefficient), 3)


def _rounded(diameter: float) -> float:
    return round(diameter, 3)
