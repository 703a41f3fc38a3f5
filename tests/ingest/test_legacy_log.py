"""Answers of the former ObsPortal come through as they were."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import votable
from hypothesis import given
from hypothesis import strategies as st

from ingest import legacy_log
from ingest.exposures import Baseline
from ingest.fits import UnreadableFile
from ingest.tables import BadRow

ROW = {
    "exp_id": "GRAVI.2020-01-09T03:34:07.546_2",
    "exp_header_id": "GRAVI.2020-01-09T03:34:07.546",
    "exp_mjd_start": "58857.14869845",
    "exp_mjd_end": "58857.1514762278",
    "exp_projected_baselines": (
        "{'U1-U2': {'length': {'start': '55.9040', 'end': None},"
        " 'angle': {'start': '3.3000', 'end': '-4.0000'}}}"
    ),
    "exp_validation_level": "1",
    "exp_validation_log": "",
    "exp_tau0": "NaN",
    "obs_type": "calibrator",
    "obs_program": "0104.C-0425(A)",
    "interferometer_name": "VLTI",
    "interferometer_stations": "U1 U2",
    "instrument_name": "GRAVITY",
    "instrument_mode": "HIGH-COMBINED",
    "target_name": "a < b",
    "target_ra": "134.872365",
    "target_dec": "-43.76717",
    "exp_date_release": "2021-01-09 00:00:00+00:00",
}


def answer(folder: Path, *rows: dict[str, str]) -> Path:
    """An answer with these rows over that of ROW."""
    lines = ['<VOTABLE version="1.4"><RESOURCE><PARAM name="status" value="OK"/><TABLE>']
    lines += [f'<FIELD name="{name}" datatype="char" arraysize="*"/>' for name in ROW]
    lines += ["<DATA><TABLEDATA>"]
    for row in rows:
        cells = ({**ROW, **row}[name].replace("<", "&lt;") for name in ROW)
        lines.append("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in cells) + "</TR>")
    lines.append("</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>")
    path = folder / "answer.xml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_an_exposure(tmp_path: Path) -> None:
    log = legacy_log.read(answer(tmp_path, {}))
    assert log.problems == []
    (exposure,) = log.exposures
    assert exposure.exposure_id == ROW["exp_id"]
    assert (exposure.header_id, exposure.exposure_number) == (ROW["exp_header_id"], 2)
    assert (exposure.t_min, exposure.t_max, exposure.t_exptime) == (
        58857.14869845,
        58857.1514762278,
        240.0,
    )
    assert exposure.baselines == (Baseline("U1", "U2", 55.904, None, 3.3, -4.0),)
    assert exposure.dataproduct_category == "CALIB"
    assert exposure.tau0_start is None
    assert exposure.target_name == "a < b"
    assert exposure.validation_level == 1
    assert exposure.validation_log == ()
    assert log.released == {ROW["exp_header_id"]: "2021-01-09 00:00:00+00:00"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"exp_id": "GRAVI"}, "exp_id is not a name with a number: 'GRAVI'"),
        ({"exp_id": "GRAVI.2021_1"}, "exp_id GRAVI.2021_1 is not of header GRAVI.2020"),
        ({"exp_mjd_start": "soon"}, "EXPMJDSTART is no number: 'soon'"),
        ({"instrument_name": ""}, "GRAVI.2020-01-09T03:34:07.546_2 has no instrument"),
        ({"target_dec": "91"}, "target_ra, target_dec is no position"),
        ({"exp_projected_baselines": "{"}, "projected baselines are no list of pairs: '{'"),
        ({"target_name": "other"}, "exp_id GRAVI.2020-01-09T03:34:07.546_2 is there with other"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    log = legacy_log.read(answer(tmp_path, {}, {}, change))
    assert len(log.exposures) == 1
    (problem,) = log.problems
    assert (problem.file, problem.line) == ("answer.xml", len(ROW) + 5)
    assert problem.reason.startswith(reason)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("{'A0-B1': {'length': {'start': '1.5', 'end': '2'}, 'angle': {'start': 3}}}", 1.5),
        ('{"A0-B1": {"length": {"start": 1.5}, "angle": {"start": "3", "end": null}}}', 1.5),
        ("{'A0-B1': {'length': 1.5, 'angle': 3}}", 1.5),
        ("{'A0-B1': {'length': {'start': None, 'end': 'nan'}}}", None),
        ("{'A0-B1': {}}", None),
    ],
)  # fmt: skip
def test_baselines(text: str, start: float | None) -> None:
    (line,) = legacy_log.parse_baselines(text)
    assert (line.station1, line.station2) == ("A0", "B1")
    assert line.length_start == start


@pytest.mark.parametrize("text", ["", " ", "{}", "None"])
def test_no_baselines(text: str) -> None:
    assert legacy_log.parse_baselines(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "__import__('os').getpid()",
        "{'A0': {}}",
        "{'A0-B1-C2': {}}",
        "{'A0-B1': 5}",
        "{'A0-B1': {'length': {'start': []}}}",
        "{'A0-B1': {'length': {'start': 'long'}}}",
        "(" * 5000,
        "{'a':" * 2000,
        "[" * 99_999 + '"',
        " " * 10 + "'" * 100_001,
        "{'A0-B1': {'length': {'start': " + "9" * 5000 + "}}}",
    ],
)
def test_what_is_no_text_of_baselines(text: str) -> None:
    with pytest.raises(BadRow):
        legacy_log.parse_baselines(text)


@given(st.text(max_size=60) | st.text("{}':\"-0123456789.AB,length startend", max_size=60))
def test_any_text_of_baselines_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(legacy_log.parse_baselines(text), tuple)
    except BadRow:
        assert text.strip()


@given(st.sampled_from([*ROW]), st.text(st.characters(min_codepoint=32, max_codepoint=999)))
def test_any_cell_is_read_or_refused(tmp_path: Path, name: str, cell: str) -> None:
    text = cell.replace("&", "+").replace("\x7f", "")
    log = legacy_log.read(answer(tmp_path, {name: text}))
    assert len(log.exposures) + len(log.problems) == 1


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("search.votable.xml", 8, 21),
        ("obsportal-output-10.votable.xml", 31, 17),
        ("obsportal-dev-spica.votable.xml", 3, 29),
    ],
)
def test_real_answers(shared: Path, name: str, rows: int, columns: int) -> None:
    """All that an answer says is said again, by another reader of VOTables."""
    path = shared / "eso_tap" / "obsportal" / name
    log = legacy_log.read(path)
    assert log.problems == []
    assert len(log.exposures) == rows
    table = votable.parse_single_table(str(path), verify="ignore").to_table()
    assert len(table.colnames) == columns
    texts = {
        "instrument_name": "instrument_name",
        "instrument_mode": "instrument_mode",
        "instrument_submode": "instrument_submode",
        "interferometer_name": "facility_name",
        "obs_program": "progid",
        "target_name": "target_name",
        "obs_program_title": "prog_title",
        "obs_program_pi_coi": "datapi",
    }
    numbers = {
        "exp_mjd_start": "t_min",
        "exp_mjd_end": "t_max",
        "exp_tau0": "tau0_start",
        "exp_seeing": "seeing_start",
        "exp_temperature": "temperature",
        "instrument_em_min": "em_min",
        "instrument_em_max": "em_max",
        "instrument_em_res_power": "em_res_power",
        "target_ra": "log_ra",
        "target_dec": "log_dec",
    }
    for row, exposure in zip(table, log.exposures, strict=True):
        assert exposure.exposure_id == row["exp_id"]
        header = {"exp_header", "exp_header_id"} & set(table.colnames)
        assert all(exposure.header_id == row[column] for column in header)
        assert " ".join(exposure.stations) == row["interferometer_stations"]
        kind = {"SCIENCE": "science", "CALIB": "calibrator", None: ""}
        assert kind[exposure.dataproduct_category] == row["obs_type"]
        for column, field in texts.items():
            if column in table.colnames:
                assert (getattr(exposure, field) or "") == row[column]
        for column, field in numbers.items():
            if column in table.colnames:
                theirs = math.nan if row[column] is np.ma.masked else float(row[column])
                assert getattr(exposure, field) == (None if math.isnan(theirs) else theirs)
        if "exp_validation_level" in table.colnames:
            assert exposure.validation_level == row["exp_validation_level"]
        if "exp_validation_log" in table.colnames:
            assert list(exposure.validation_log) == json.loads(row["exp_validation_log"])
        text = row["exp_projected_baselines"]
        again = {
            f"{line.station1}-{line.station2}": {
                "length": {"start": line.length_start, "end": line.length_end},
                "angle": {"start": line.angle_start, "end": line.angle_end},
            }
            for line in exposure.baselines
        }
        formatted = json.loads(json.dumps(again), parse_float=lambda number: f"{float(number):.4f}")
        assert (str(formatted) if again else "") == text


@pytest.mark.parametrize("form", ["binary", "binary2"])
def test_binary_forms(tmp_path: Path, form: str) -> None:
    plain = legacy_log.read(answer(tmp_path, {}))
    document = votable.parse(str(tmp_path / "answer.xml"))
    document.to_xml(str(tmp_path / "binary.xml"), tabledata_format=form)
    assert legacy_log.read(tmp_path / "binary.xml").exposures == plain.exposures


def test_half_an_answer_is_none(tmp_path: Path) -> None:
    path = answer(
        tmp_path, *[{"exp_id": f"GRAVI.2020-01-09T03:34:07.546_{n}"} for n in range(1, 9)]
    )
    whole = path.read_bytes()
    for size in range(100, len(whole) - 5, 311):
        path.write_bytes(whole[:size])
        with pytest.raises(UnreadableFile):
            legacy_log.read(path)


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    path = answer(tmp_path, {"target_name": "ENTITY"})
    secret = tmp_path / "secret"
    secret.write_text("secret")
    text = path.read_text().replace("ENTITY", "&file;")
    path.write_text(f'<!DOCTYPE VOTABLE [<!ENTITY file SYSTEM "{secret.as_uri()}">]>\n{text}')
    assert "secret" not in str(legacy_log.read(path).exposures)
