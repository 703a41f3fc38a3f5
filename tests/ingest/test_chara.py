"""CHARA's observing logs, made here as CHARA and people write them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from astropy.io.votable import from_table, writeto
from astropy.table import Table
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import chara
from ingest.chara import FLAGS
from ingest.exposures import QUALITY_FLAGS, Exposure
from ingest.fits import UnreadableFile
from ingest.legacy_log import Log
from ingest.vocabulary import load

COLUMNS = (
    "UT-DATE", "STAR", "PI", "PROGRAM", "COMBINER", "TYPE", "MJD", "FILTER", "SCOPES", "B1", "B2",
    "B3", "T0_OBS", "T0_500nm",
)  # fmt: skip
# Deneb, which passes near the zenith of Mount Wilson, one evening.
ROW = {
    "UT-DATE": "2012-09-18", "STAR": "HD 197345", "PI": "A. Observer", "PROGRAM": "2012B-X1",
    "COMBINER": "CLIMB", "TYPE": "OBJ", "MJD": "56188.20000", "FILTER": "K", "SCOPES": "S1-E1-W2",
    "T0_OBS": "9.1", "T0_500nm": "5.2", "RA": "310.357980", "DEC": "45.280339",
    "MJD-END": "56188.20347",
}  # fmt: skip

Reader = Callable[..., Log]


@pytest.fixture
def log(tmp_path: Path) -> Reader:
    """Reads a log of rows that differ from ROW as told."""

    def read(*changes: dict[str, str], **options: Any) -> Log:
        rows = [{**ROW, **change} for change in changes]
        columns = list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))
        lines = [",".join(columns)]
        lines += [",".join(row.get(name, "") for name in columns) for row in rows]
        path = tmp_path / "log.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return chara.read_log(path, load(), **options)

    return read


def only(found: Log) -> Exposure:
    assert [str(problem) for problem in found.problems] == []
    (exposure,) = found.exposures
    assert set(exposure.quality_flags) <= {*FLAGS, *QUALITY_FLAGS}
    return exposure


def flagged(exposure: Exposure) -> tuple[str, ...]:
    """Flags that come from CHARA's logs, not from the rules that hold for all."""
    return tuple(flag for flag in exposure.quality_flags if flag in FLAGS)


# ---------------------------------------------------------------- a row


def test_a_row(log: Reader) -> None:
    exposure = only(log({}))
    assert exposure.exposure_id == "CLIMB.2012-09-18T04:48:00.HD_197345_1"
    assert (exposure.facility_name, exposure.instrument_name) == ("CHARA", "CLIMB")
    assert exposure.instrument_mode == "K-Prime"
    assert (exposure.em_min, exposure.em_max, exposure.em_res_power) == (1.96e-6, 2.31e-6, 7)
    assert exposure.dataproduct_category == "SCIENCE"
    assert exposure.dpr_type == "OBJ"
    assert exposure.target_names == ("HD 197345",)
    assert (exposure.log_ra, exposure.log_dec) == (310.35798, 45.280339)
    assert (exposure.t_min, exposure.t_max) == (56188.2, 56188.20347)
    assert exposure.t_exptime == pytest.approx(299.808, abs=1e-3)
    assert exposure.stations == ("S1", "E1", "W2")
    assert exposure.datapi == "A. Observer"
    assert exposure.progid == "2012B-X1"
    assert exposure.tau0_start == pytest.approx(5.2e-3)
    assert flagged(exposure) == ()
    assert exposure.validation_level == 1
    assert exposure.validation_log == ()
    pairs = [(line.station1, line.station2) for line in exposure.baselines]
    assert pairs == [("S1", "E1"), ("S1", "W2"), ("E1", "W2")]
    # Near the zenith a baseline is as long as on the ground.
    assert [line.length_start for line in exposure.baselines] == pytest.approx(
        [330.7, 210.9, 221.8], rel=0.02
    )
    for line in exposure.baselines:
        assert line.angle_start is not None
        assert line.angle_end is not None
        turned = abs((line.angle_end - line.angle_start + 180) % 360 - 180)
        assert 0.0 < turned < 3.0  # ASPRO2 draws nothing that turns by more than 10 degrees


def test_without_position_or_end(log: Reader) -> None:
    """The log's own columns are not enough for a track; what is known is there."""
    exposure = only(log({"RA": "", "DEC": "", "MJD-END": ""}))
    assert (exposure.log_ra, exposure.t_max, exposure.baselines) == (None, None, ())
    assert flagged(exposure) == ()
    assert {"no_position", "too_short", "no_baselines"} <= set(exposure.quality_flags)
    assert exposure.validation_level == 0
    assert exposure.validation_log == ("Missing 'END'", "Missing 'RA' and 'DEC'")
    asked = []

    def resolve(name: str) -> tuple[float, float] | None:
        asked.append(name)
        return (310.35798, 45.280339) if name == "HD 197345" else None

    row = {"RA": "", "DEC": "", "MJD-END": ""}
    found = log(row, {**row, "TYPE": "CAL1"}, {**row, "STAR": "X"}, resolve=resolve, duration=300.0)
    first, second, third = found.exposures
    assert asked == ["HD 197345", "X"]
    assert flagged(first) == ("duration_assumed", "position_by_name")
    assert first.t_exptime is None
    assert first.t_min is not None
    assert first.t_max == pytest.approx(first.t_min + 300.0 / 86400, abs=1e-8)
    assert first.validation_level == 1
    whole = only(log({}))
    assert first.baselines[0].length_start == whole.baselines[0].length_start
    assert second.exposure_id.endswith("HD_197345_2")
    assert flagged(third) == ("duration_assumed",)


def test_start_is_known_without_an_end(log: Reader) -> None:
    exposure = only(log({"MJD-END": ""}))
    assert exposure.validation_level == 0
    for line, whole in zip(exposure.baselines, only(log({})).baselines, strict=True):
        assert (line.length_start, line.angle_start) == (whole.length_start, whole.angle_start)
        assert (line.length_end, line.angle_end) == (None, None)


# ---------------------------------------------------------------- combiners and modes


@pytest.mark.parametrize(
    ("combiner", "filter_", "expected"),
    [
        ("CLASSIC", "K'", "CLASSIC K-Prime"),
        ("Classic", "H", "CLASSIC H"),
        ("CLIMB", "J", "CLIMB J"),
        ("CLIMB", "Kcont", "CLIMB K-Cont"),
        ("CLIMB", "BrGamma", "CLIMB B-gamma"),
        ("JouFLU", "K", "JOUFLU K-Prime"),
        ("MIRC", "H_PRISM", "MIRC Low_H"),
        ("MIRC", "H", "MIRC -"),
        ("MIRC-X", "H_PRISM50", "MIRCX Low_H"),
        ("mirc_x", "H_GRISM190", "MIRCX Medium_H"),
        ("MIRCX", "low h", "MIRCX Low_H"),
        ("MYSTIC", "PRISM49", "MYSTIC Low_K"),
        ("PAVO", "", "PAVO R"),
        ("PAVO", "R", "PAVO R"),
        ("VEGA", "MR 656", "VEGA R2656"),
        ("VEGA", "R1770", "VEGA R1770"),
        ("SPICA", "LR", "SPICA LR"),
        ("SPICA-VIS", "MR850", "SPICA MR850"),
        ("FRIEND", "HR650", "FRIEND HR-650"),
        ("Silmaril", "K", "SILMARIL -"),
    ],
)
def test_combiners_and_modes(log: Reader, combiner: str, filter_: str, expected: str) -> None:
    exposure = only(log({"COMBINER": combiner, "FILTER": filter_}))
    assert f"{exposure.instrument_name} {exposure.instrument_mode or '-'}" == expected
    if exposure.instrument_mode is None:
        assert flagged(exposure) == ("unknown_mode",)
        assert (exposure.em_min, exposure.em_res_power) == (None, None)


def test_modes_by_the_names_of_aspro2(log: Reader, shared: Path) -> None:
    """Every combiner and mode of ASPRO2's list is understood, with its resolution."""
    conf = ElementTree.parse(shared / "catalogues" / "aspro_conf" / "aspro-conf-CHARA.xml")
    count = 0
    for instrument in conf.iter("instrument"):
        for mode in instrument.iter("mode"):
            names = {"COMBINER": instrument.findtext("name"), "FILTER": mode.findtext("name")}
            exposure = only(log(names))
            assert exposure.instrument_name == names["COMBINER"]
            assert exposure.instrument_mode == names["FILTER"]
            assert exposure.em_res_power == float(mode.findtext("spec_res") or "nan")
            count += 1
    assert count == 45


@pytest.mark.parametrize(
    ("word", "category", "flags"),
    [
        ("OBJ", "SCIENCE", ()), ("CAL1", "CALIB", ()), ("cal2", "CALIB", ()), ("CAL", "CALIB", ()),
        ("CHK", None, ()), ("UNKNO", None, ()), ("", None, ()), ("MOON", None, ("unknown_type",)),
    ],
)  # fmt: skip
def test_types(log: Reader, word: str, category: str | None, flags: tuple[str, ...]) -> None:
    exposure = only(log({"TYPE": word}))
    assert exposure.dataproduct_category == category
    assert flagged(exposure) == flags
    assert exposure.validation_level == (category is not None)


# ---------------------------------------------------------------- stations


@pytest.mark.parametrize(
    ("change", "stations", "pops", "channels"),
    [
        ({"SCOPES": "S1E1W2"}, "S1 E1 W2", None, None),
        ({"SCOPES": "s1-e1-w2"}, "S1 E1 W2", None, None),
        ({"SCOPES": "W2 E1 S1"}, "W2 E1 S1", None, None),
        ({"SCOPES": "E1/W2"}, "E1 W2", None, None),
        ({"SCOPES": "S1S2E1E2W1W2", "PoPs": "1-2-5-1-3-4"}, "S1 S2 E1 E2 W1 W2", "125134", None),
        ({"SCOPES": "S1E1", "PoPs": "E1P2 S1P4"}, "S1 E1", "42", None),
        ({"SCOPES": "S1P1B2-E1P5B1"}, "S1 E1", "15", "2 1"),
        ({"SCOPES": "S1E1", "PoPs": "P1P2", "Beams": "56"}, "S1 E1", "12", "5 6"),
        ({"SCOPES": ""}, "", None, None),
    ],
)
def test_stations(
    log: Reader, change: dict[str, str], stations: str, pops: str | None, channels: str | None
) -> None:
    exposure = only(log(change))
    assert " ".join(exposure.stations) == stations
    assert (exposure.pops, exposure.channels) == (pops, channels)
    n = len(exposure.stations)
    assert len(exposure.baselines) == n * (n - 1) // 2
    assert flagged(exposure) == ()


@pytest.mark.parametrize("pops", ["1", "16", "123", "left", "E1P2", "E1P2 W1P3"])
def test_pops_that_are_not_one_a_station(log: Reader, pops: str) -> None:
    exposure = only(log({"SCOPES": "S1E1", "POPS": pops}))
    assert (exposure.pops, flagged(exposure)) == (None, ("pops_unclear",))


def test_a_station_to_come(log: Reader) -> None:
    exposure = only(log({"SCOPES": "S1-S3-E1", "B1": "331", "B2": "20", "B3": "320"}))
    assert exposure.stations == ("S1", "S3", "E1")
    assert [(line.station1, line.station2) for line in exposure.baselines] == [("S1", "E1")]
    assert flagged(exposure) == ("unknown_station",)


def test_lengths_of_the_log(log: Reader) -> None:
    lengths = [line.length_start for line in only(log({})).baselines]
    told = [f"{length:.1f}" for length in lengths if length]
    names = ("B3", "B1", "B2")
    assert flagged(only(log(dict(zip(names, told, strict=True))))) == ()
    on_the_ground = {"SCOPES": "S1E1", "B1": "330.66", "MJD": "56188.3", "MJD-END": "56188.301"}
    assert flagged(only(log(on_the_ground))) == ()
    assert flagged(only(log({**on_the_ground, "B1": "250"}))) == ("baselines_differ",)
    assert flagged(only(log({"B1": "250"}))) == ()  # it has not all three


# ---------------------------------------------------------------- time and place


@pytest.mark.parametrize(
    "change",
    [
        {"MJD": "", "JD": "2456188.70000"},
        {"MJD": "", "UT-DATE": "2012-09-18 04:48:00"},
        {"MJD": "", "UT-DATE": "2012-09-18T04:48:00Z"},
        {"MJD": "", "UT-DATE": "2012Sep18", "UT": "4:48"},
        {"MJD": "", "UT-DATE": "20120918", "UT TIME": "04:48:00.0"},
        {"UT-DATE": ""},
    ],
)
def test_times(log: Reader, change: dict[str, str]) -> None:
    exposure = only(log(change))
    assert exposure.t_min == pytest.approx(56188.2, abs=1e-8)
    assert exposure.header_id == "CLIMB.2012-09-18T04:48:00.HD_197345"
    assert flagged(exposure) == ()


def test_a_julian_date_for_mjd(log: Reader) -> None:
    exposure = only(log({"MJD": "2456188.70000", "MJD-END": "2456188.70347"}))
    assert exposure.t_min == pytest.approx(56188.2, abs=1e-8)
    assert exposure.t_max == pytest.approx(56188.20347, abs=1e-8)
    assert exposure.header_id == only(log({})).header_id
    assert flagged(exposure) == ("jd_for_mjd",)
    assert exposure.validation_log == ("MJD 2456188.70000 is a Julian date",)
    assert exposure.validation_level == 1


@pytest.mark.parametrize("day", ["2012-09-17", "18/09/12", "2012918", "soon"])
def test_date_and_mjd_differ(log: Reader, day: str) -> None:
    assert flagged(only(log({"UT-DATE": day}))) == ("ut_date_differs",)


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"MJD-END": "", "UT-END": "04:53:00"}, 300),
        ({"MJD-END": "", "UT-END": "2012-09-18T04:53:00"}, 300),
        ({"MJD-END": "", "EXPTIME [s]": "300"}, 300),
        ({"MJD-END": "", "duration (min)": "5"}, 300),
        ({"MJD": "56188.999", "MJD-END": "", "END": "00:05:00", "RA": "0.001"}, 386.4),
    ],
)
def test_ends(log: Reader, change: dict[str, str], seconds: float) -> None:
    exposure = log(change).exposures[0]
    assert exposure.t_exptime == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize(
    ("ra", "dec", "names"),
    [
        ("20:41:25.9152", "+45:16:49.220", ("RA", "DEC")),
        ("20 41 25.9152", "45 16 49.220", ("RAJ2000", "DEJ2000")),
        ("20h41m25.9152s", "+45d16m49.220s", ("ra", "dec")),
        ("20.690532", "45.280339", ("RA [h]", "Dec [deg]")),
        ("310.35798", "45.280339", ("RA_deg", "DEC_deg")),
    ],
)
def test_positions(log: Reader, ra: str, dec: str, names: tuple[str, str]) -> None:
    exposure = only(log({"RA": "", "DEC": "", **dict(zip(names, (ra, dec), strict=True))}))
    assert exposure.log_ra == pytest.approx(310.35798, abs=1e-5)
    assert exposure.log_dec == pytest.approx(45.280339, abs=1e-5)


def test_small_southern_declination(log: Reader) -> None:
    assert only(log({"RA": "20:00:00", "DEC": "-00:30:00"})).log_dec == -0.5


def test_a_star_that_had_set(log: Reader) -> None:
    exposure = only(log({"RA": "130.0", "DEC": "-30.0"}))
    assert flagged(exposure) == ("below_horizon",)


def test_proper_motion(log: Reader) -> None:
    """61 Cygni moves by a minute of arc in twelve years."""
    star = {"RA": "316.72474", "DEC": "38.74941"}
    moving = only(log({**star, "PMRA": "4164.2", "PMDEC": "3250.0"}))
    assert (moving.log_ra, moving.log_dec) == (316.72474, 38.74941)
    assert (moving.pm_ra, moving.pm_dec, moving.pos_epoch) == (4164.2, 3250.0, 2000.0)
    fixed, there = only(log(star)), only(log({"RA": "316.74361", "DEC": "38.76088"}))
    for line, ours, theirs in zip(moving.baselines, fixed.baselines, there.baselines, strict=True):
        assert line.length_start == pytest.approx(theirs.length_start, abs=0.01)
        assert line.length_start != ours.length_start


@pytest.mark.parametrize(
    ("column", "value", "seconds"),
    [
        ("T0_500nm", "5.2", 5.2e-3), ("T0_500nm", "0.0052", 5.2e-3), ("T0_500nm", "0", None),
        ("t0 500 nm [ms]", "0.05", 5e-5), ("T0_500nm (s)", "0.3", 0.3), ("T0_500nm", "-", None),
    ],
)  # fmt: skip
def test_coherence_times(log: Reader, column: str, value: str, seconds: float | None) -> None:
    exposure = only(log({"T0_500nm": "", column: value}))
    assert exposure.tau0_start == (None if seconds is None else pytest.approx(seconds))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"COMBINER": "AMBER"}, "COMBINER is none of CHARA's: 'AMBER'"),
        ({"COMBINER": ""}, "no combiner"),
        ({"MJD": "5618x"}, "MJD is no number: '5618x'"),
        ({"MJD": "12.5"}, "MJD 12.5 is not of the time of CHARA"),
        ({"MJD": "", "UT-DATE": ""}, "no time"),
        ({"MJD": ""}, "no time, but only a date"),
        ({"MJD": "", "UT-DATE": "soon"}, "UT-DATE is no date: 'soon'"),
        ({"MJD-END": "56188.1"}, "it does not last 1 s to 12 h, but from MJD 56188.2"),
        ({"MJD-END": "56190"}, "it does not last 1 s to 12 h"),
        ({"MJD-END": "25:00"}, "END is no time: '25:00'"),
        ({"SCOPES": "S1E1S1"}, "SCOPES has a station twice: 'S1E1S1'"),
        ({"SCOPES": "both"}, "SCOPES is no list of stations: 'both'"),
        ({"RA": ""}, "a position needs both RA and DEC"),
        ({"RA": "361"}, "RA 361, DEC 45.2803 is no position in degrees"),
        ({"DEC": "45:61:00"}, "DEC is no angle: '45:61:00'"),
        ({"RA": "left"}, "RA is no number: 'left'"),
        ({"PI": 'A "Nick'}, None),
        ({"PI": '"A'}, "a quote is not closed"),
        ({"T0_500nm": "fast"}, "T0500NM is no number: 'fast'"),
        ({"PMRA": "1e9", "PMDEC": "0"}, "PMRA 1e+09, PMDEC 0 is no proper motion in mas/yr"),
    ],
)
def test_what_is_refused(log: Reader, change: dict[str, str], reason: str | None) -> None:
    """A row that cannot be understood has a reason; the others go on."""
    found = log({}, change, {"TYPE": "CAL1", "STAR": "HD 1"})
    stars = [exposure.target_name for exposure in found.exposures]
    assert stars == ["HD 197345", "HD 1"] if reason else ["HD 197345", "HD 197345", "HD 1"]
    for problem in found.problems:
        assert (problem.file, problem.line) == ("log.csv", 3)
        assert reason is not None
        assert problem.reason.startswith(reason)
    assert len(found.problems) == (reason is not None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no line with names of columns"),
        ("STAR,MJD\nx,1\n", "no log of CHARA: it has no COMBINER, SCOPES, but 'star, mjd'"),
        ("COMBINER,SCOPES\nx,1\n", "no log of CHARA: it has no MJD"),
        ("<html><p>", "line 1: no well-formed XML"),
    ],
)
def test_files_that_are_no_logs(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile) as caught:
        chara.read_log(path, load())
    assert str(caught.value).startswith(f"log.csv: {reason}")


# ---------------------------------------------------------------- forms of a log


@pytest.mark.parametrize(
    "text",
    [
        "ut date;Star;Combiner;Type;MJD;Filter;Scopes;RA;Dec;mjd_end\n"
        "2012/09/18; HD 197345 ;CLIMB;OBJ;56188,20000;K;S1E1W2;310,357980;45,280339;56188,20347\n",
        "#UT_DATE\tSTAR\tCOMBINER\tTYPE\tMJD\tFILTER\tSCOPES\tRA\tDEC\tMJD END\r\n"
        "\r\n# a remark\r\n"
        "2012-09-18\tHD 197345\tCLIMB\tOBJ\t56188.2\tK\tS1E1W2\t310.35798\t45.280339\t56188.20347",
        '\ufeff"UT-DATE", "STAR", "COMBINER", "TYPE", "MJD [d]", "FILTER", "SCOPES", "RA (deg)", '
        '"DEC (deg)", "MJD_END"\n'
        '2012-09-18, "HD  197345", CLIMB, OBJ, 56188.20000, K, "S1,E1,W2", 310.357980, 45.280339, '
        "56188.20347,,,\n",
    ],
)
def test_dialects(tmp_path: Path, log: Reader, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(text.encode())
    ours, usual = only(chara.read_log(path, load())), only(log({}))
    assert ours.exposure_id == usual.exposure_id
    assert ours.baselines == usual.baselines
    assert (ours.t_min, ours.t_max, ours.stations) == (usual.t_min, usual.t_max, usual.stations)


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
@pytest.mark.parametrize("named", [True, False])
def test_a_votable(tmp_path: Path, log: Reader, form: str, named: bool) -> None:
    """SPICA's log, with a column for the combiner or named after it."""
    row = {**ROW, "COMBINER": "SPICA", "FILTER": "LR", "SCOPES": "S1S2E1E2W1W2"}
    columns: dict[str, list[str] | list[float]] = {
        name.replace("-", "_"): [float(value)] if name in ("MJD", "RA", "DEC") else [value]
        for name, value in row.items()
        if named or name != "COMBINER"
    }
    path = tmp_path / "spica_2012.vot"
    writeto(from_table(Table(columns)), str(path), tabledata_format=form)
    found = chara.read_log(path, load())
    assert only(found) == only(log(row))


def test_a_former_answer(shared: Path) -> None:
    path = shared / "eso_tap" / "obsportal" / "obsportal-dev-spica.votable.xml"
    found = chara.read_log(path, load())
    assert found.exposures[0].exposure_id == "SPICA.SCIDET:20220114:104042_target_1"


def test_names_of_exposures(log: Reader) -> None:
    """The same row is the same exposure, once; what differs has its own name."""
    rows = [{}, {}, {"STAR": "HD 2"}, {"MJD": "56188.20001"}, {"COMBINER": "CLASSIC"}, {"PI": "B"}]
    found = log(*rows)
    names = [exposure.exposure_id for exposure in found.exposures]
    assert names == [
        "CLIMB.2012-09-18T04:48:00.HD_197345_1",
        "CLIMB.2012-09-18T04:48:00.HD_2_1",
        "CLIMB.2012-09-18T04:48:01.HD_197345_1",
        "CLASSIC.2012-09-18T04:48:00.HD_197345_1",
        "CLIMB.2012-09-18T04:48:00.HD_197345_2",
    ]
    assert log(*rows).exposures == found.exposures


@pytest.mark.parametrize(
    ("star", "name"),
    [
        ("alf  Ori", "alf_Ori"), ("BD+30 3639", "BD+30_3639"), ("* ups And/b?", "ups_And_b"),
        ("é Cyg", "e_Cyg"), ("α", "unnamed"), ("", "unnamed"), ("x" * 99, "x" * 64),
    ],
)  # fmt: skip
def test_names_of_stars(log: Reader, star: str, name: str) -> None:
    assert only(log({"STAR": star})).header_id.split(".", 2)[2] == name


# ---------------------------------------------------------------- anything


cells = st.sampled_from([*ROW]) | st.sampled_from(["PoPs", "UT-END", "EXPTIME", "PMRA", "B1"])
values = st.text("0123456789.:-+eETSW12PBdhms°'\" ;/#é٣\t", max_size=24) | st.floats().map(str)


@settings(max_examples=300)
@given(st.dictionaries(cells, values, max_size=4))
@example({"MJD": "1e308"})
@example({"MJD": "-1e308", "UT-DATE": "0001-01-01"})
@example({"MJD": "", "UT-DATE": "9999-12-31T23:59:60"})
@example({"EXPTIME": "1e-300", "MJD-END": ""})
@example({"DEC": "90", "PMRA": "20000", "PMDEC": "-20000"})
def test_any_cell_is_understood_or_refused(log: Reader, change: dict[str, str]) -> None:
    found = log({}, change, duration=60.0)
    assert found.exposures[0].target_name == "HD 197345"
    same = all(ROW.get(name, "") == value.strip() for name, value in change.items())
    remark = change.get("UT-DATE", "").lstrip().startswith("#")
    assert len(found.exposures) + len(found.problems) == 2 or same or remark
    for exposure in found.exposures:
        assert set(exposure.quality_flags) <= {*FLAGS, *QUALITY_FLAGS}
        assert exposure.t_min is not None
        assert math.isfinite(exposure.t_min)
        for line in exposure.baselines:
            assert line.length_start is not None
            assert 0.0 <= line.length_start < 340.0


@given(st.text(max_size=80))
def test_any_line_spoils_no_other(tmp_path: Path, text: str) -> None:
    header = ",".join(ROW)
    good = ",".join(ROW.values())
    line = "".join(text.replace("\0", "").splitlines())
    path = tmp_path / "log.csv"
    path.write_text("\n".join([header, line, good]), encoding="utf-8", errors="replace")
    found = chara.read_log(path, load())
    assert [exposure.target_name for exposure in found.exposures] == ["HD 197345"]
    assert all(problem.line == 2 for problem in found.problems)


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match=r"^log\.csv: "):
        chara.read_log(path, load())


def test_a_long_log_is_read_fast(tmp_path: Path) -> None:
    """Rows of six telescopes, 500 a second: a tenth of what there is on an idle machine."""
    draw = random.Random(1)
    rows = [",".join(ROW)]
    for number in range(2000):
        mjd = 56188.2 + number * 1e-3
        row = {
            **ROW,
            "STAR": f"HD {draw.randrange(10**6)}",
            "MJD": f"{mjd:.6f}",
            "SCOPES": "S1S2E1E2W1W2",
            "MJD-END": f"{mjd + 1e-3:.6f}",
        }
        rows.append(",".join(row.values()))
    path = tmp_path / "log.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    start = time.process_time()
    found = chara.read_log(path, load())
    assert time.process_time() - start < 4.0
    assert len(found.exposures) == 2000
    assert all(len(exposure.baselines) == 15 for exposure in found.exposures)
