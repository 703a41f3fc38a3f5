"""Exposures in the instance under test, with known truth, and how an answer is taken apart."""

from __future__ import annotations

import ast
import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest import simulate_log
from ingest.exposures import Exposure
from tests.live.client import Answer
from tests.live.conftest import Centre

NUMBER = 1500
_NAMESPACE = "{http://www.ivoa.net/xml/VOTable/v1.4}"


def forget(centre: Centre, condition: str) -> None:
    """Takes exposures out of the centre, by a condition on obsportal.stored_header."""
    connection = centre.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT header_id FROM obsportal.stored_header WHERE {condition}")
        cursor.execute(
            "DELETE FROM obsportal.baseline WHERE exposure_id IN"
            " (SELECT exposure_id FROM obsportal.exposure WHERE header_id = ANY(%(names)s));"
            "DELETE FROM obsportal.exposure WHERE header_id = ANY(%(names)s);"
            "DELETE FROM obsportal.stored_header WHERE header_id = ANY(%(names)s);"
            "DELETE FROM obsportal.stored_observation AS o WHERE NOT EXISTS"
            " (SELECT 1 FROM obsportal.exposure AS e WHERE e.observation_id=o.observation_id);"
            "CREATE TEMPORARY TABLE idle ON COMMIT DROP AS SELECT target_id FROM obsportal.target"
            " EXCEPT SELECT target_id FROM obsportal.exposure;"
            "DELETE FROM obsportal.target_neighbour WHERE target_id IN (TABLE idle)"
            " OR neighbour_id IN (TABLE idle);"
            "DELETE FROM obsportal.target_alias WHERE target_id IN (TABLE idle);"
            "DELETE FROM obsportal.target WHERE target_id IN (TABLE idle);"
            "UPDATE obsportal.target AS t SET n_exposures ="
            " (SELECT COUNT(*) FROM obsportal.exposure AS e WHERE e.target_id=t.target_id);"
            "UPDATE obsportal.target_alias AS a SET n_exposures ="
            " (SELECT COUNT(*) FROM obsportal.exposure AS e WHERE e.target_id=a.target_id"
            " AND e.target_name=a.alias)",
            {"names": [name for (name,) in cursor.fetchall()]},
        )
    connection.close()


@cache
def ingest(centre: Centre) -> list[Exposure]:
    """Exposures of VLTI, as the simulation has them, whose headers the centre has read."""
    log = simulate_log.Log(NUMBER, 40, seed=31)
    found = [one for one in log.exposures() if one.facility_name == "VLTI"]
    with TemporaryDirectory() as folder:
        for one in found:
            Path(folder, f"{one.header_id}.hdr").write_text(simulate_log.eso_header(one))
        centre.succeed("ingest", "headers", folder)
    return found


@dataclass(frozen=True)
class Document:
    """A VOTable of /search.votable, read as strictly as its clients read it."""

    text: str

    @cached_property
    def root(self) -> ET.Element:
        """The document element."""
        return ET.fromstring(self.text)

    @cached_property
    def fields(self) -> list[dict[str, str]]:
        """Attributes of the FIELDs."""
        assert len(self.root.findall(f"{_NAMESPACE}RESOURCE")) == 1
        (table,) = self.root.findall(f"{_NAMESPACE}RESOURCE/{_NAMESPACE}TABLE")
        return [dict(field.attrib) for field in table.findall(f"{_NAMESPACE}FIELD")]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [field["name"] for field in self.fields]

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """Rows with their cells as text; an empty cell is an empty text."""
        found = []
        for line in self.root.iter(f"{_NAMESPACE}TR"):
            cells = [cell.text or "" for cell in line]
            found.append(dict(zip(self.names, cells, strict=True)))
        return found


def document(answer: Answer) -> Document:
    """The document of an answer that must be one."""
    assert answer.status == 200, answer.text[:400]
    assert answer.headers["content-type"] == "application/x-votable+xml"
    return Document(answer.body.decode("utf-8"))


# ---------------------------------------------------------------- what ASPRO2 thinks of a row

META, TIMES, UV = 1, 2, 4
#: Modes by instrument (ASPRO2's configuration); the start of an instrument's name is enough.
MODES = {
    "PIONIER": "BROAD-H SMALL-H LARGE-H BROAD-K LARGE-K GRISM-H FREE-H",
    "GRAVITY": "LOW-COMBINED LOW-SPLIT MEDIUM-COMBINED MEDIUM-SPLIT HIGH-COMBINED HIGH-SPLIT",
    "MATISSE_LM": "SI_PHOT_L_LOW SI_PHOT_LM_LOW SI_PHOT_M_LOW SI_PHOT_LM_MEDIUM SI_PHOT_L_HIGH"
    " SI_PHOT_L_VERY_HIGH SI_PHOT_M_VERY_HIGH",
    "MATISSE_N": "HIGH_SENS_N_LOW HIGH_SENS_N_HIGH",
    "MIDI": "HIGH_SENS+PRISM HIGH_SENS+GRISM SCI_PHOT+PRISM SCI_PHOT+GRISM",
    "AMBER": "Low_JHK Medium_H_1_1.65 Medium_K_1_2.1 Medium_K_1_2.3 High_K_1_1.979 High_K_1_2.018"
    " High_K_1_2.056 High_K_1_2.095 High_K_1_2.133 High_K_1_2.172 High_K_1_2.211 High_K_1_2.249"
    " High_K_1_2.288 High_K_1_2.326 High_K_1_2.365 High_K_1_2.403 High_K_1_2.442 High_K_1_2.481",
    "SPICA": "LR MR640 MR685 MR720 MR800 MR850 MR855 HR",
}


def validity(row: dict[str, str]) -> int:
    """The sum that ASPRO2 shows as "Valid" for a row: 0 is good (RawObservation.validate)."""
    found = 0
    if row["obs_type"] not in {"science", "calibrator"} or not row["interferometer_stations"]:
        found |= META
    start, end = (float(row[name] or "nan") for name in ("exp_mjd_start", "exp_mjd_end"))
    if not (start > 0 and end > start and (end - start) * 86400 > 1):
        found |= META | TIMES
    if not usable_baselines(row["exp_projected_baselines"]):
        found |= META | UV
    if row["interferometer_name"] not in {"VLTI", "CHARA"}:
        found |= META | TIMES | UV
    if not any(
        name.startswith(row["instrument_name"]) and row["instrument_mode"] in modes.split()
        for name, modes in MODES.items()
    ):
        found |= META | UV
    return found


def usable_baselines(text: str) -> bool:
    """Whether there are any, and none turns by more than 10 degrees."""
    number = 0
    for ends in ast.literal_eval(text or "{}").values():
        length, angle = ends["length"], ends["angle"]
        if None in (*length.values(), *angle.values()) or float(length["start"]) <= 0:
            continue
        turned = float(angle["end"]) - float(angle["start"])
        if abs(math.remainder(turned, 360)) > 10:
            return False
        number += 1
    return number > 0
