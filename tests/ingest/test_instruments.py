"""What headers of VLTI become: real headers, answers of today's ObsPortal, accidents."""

from __future__ import annotations

import ast
import csv
import math
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import headers, instruments, oifits
from ingest.exposures import QUALITY_FLAGS, RULES, Exposure
from ingest.headers import UnreadableFile
from ingest.vocabulary import Vocabulary, load

Cards = dict[str, object]


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load()


def text(cards: Cards) -> str:
    """A text dump; None leaves a card out."""
    lines = ["SIMPLE  =                    T"]
    for key, value in cards.items():
        if value is not None:
            shown = f"'{value}'" if isinstance(value, str) else str(value)
            lines.append(f"{f'HIERARCH ESO {key}' if ' ' in key else key} = {shown} / comment")
    return "\n".join([*lines, "END", ""])


def read(cards: Cards, header_id: str = "X.2020-01-01T00:00:00.000") -> list[Exposure]:
    return instruments.exposures(headers.read(text(cards).encode(), "x"), header_id, load())


def baselines(count: int = 4) -> Cards:
    cards: Cards = {"ISS CONF NTEL": count}
    for i, name in zip(range(1, count + 1), ("U1", "U2", "U3", "U4"), strict=False):
        cards[f"ISS CONF STATION{i}"] = name
        for j in range(i + 1, count + 1):
            for when in ("START", "END"):
                cards[f"ISS PBL{i}{j} {when}"] = 50.0 + i + j
                cards[f"ISS PBLA{i}{j} {when}"] = 10.0 * i + j
    return cards


GOOD: Cards = {
    "INSTRUME": "PIONIER", "RA": 97.0726, "DEC": -13.0531, "MJD-OBS": 58850.1, "EXPTIME": 30.0,
    "DATE-OBS": "2020-01-02T02:24:00.000", "OBJECT": "HD_45677", "OBS TARG NAME": "HD45677",
    "DPR CATG": "SCIENCE", "DPR TYPE": "FRINGE,OBJECT", "DPR TECH": "INTERFEROMETRY",
    "INS OPTI2 NAME": "GRISM", "INS OPTI3 NAME": "REF", "INS FILT1 NAME": "H",
    "ISS REF RA": 62817.42, "ISS REF DEC": -130311.13, "OBS PROG ID": "0104.C-0001(A)",
    "OBS ID": 1234, "OBS CONTAINER ID": -999, "TPL START": "2020-01-02T02:20:00",
    "ISS AMBI FWHM START": 0.8, "ISS AMBI FWHM END": 0.9, "ISS AMBI TAU0 START": 0.004,
    "ISS AMBI TAU0 END": 0.005, "ISS AMBI TEMP": 12.5, **baselines(),
}  # fmt: skip


def good(**changes: object) -> Exposure:
    """The one exposure of the good header with changes; blanks of keywords are underscores."""
    (exposure,) = read(
        GOOD | {key.replace("__", "-").replace("_", " "): v for key, v in changes.items()}
    )
    return exposure


# --- real headers ---------------------------------------------------------------------------------


@cache
def _real(path: Path) -> tuple[Exposure, ...]:
    header = headers.read(path.read_bytes(), path.name)
    found = instruments.exposures(header, instruments.header_id_of(header, path.name), load())
    return tuple(found)


@pytest.fixture(scope="session")
def logs(shared: Path) -> dict[str, tuple[Exposure, ...]]:
    """Exposures of all real headers by file name."""
    return {path.name: _real(path) for path in sorted((shared / "eso_headers").glob("*/*.hdr"))}


@pytest.fixture
def named(logs: dict[str, tuple[Exposure, ...]]) -> Callable[[str], tuple[Exposure, ...]]:
    """Exposures of the header whose file name begins so."""
    return lambda begin: next(found for name, found in logs.items() if name.startswith(begin))


def test_real_headers_have_modes_of_aspro(logs: dict[str, tuple[Exposure, ...]]) -> None:
    assert len(logs) >= 166
    modes = Counter(
        (e.instrument_name, e.instrument_mode) for found in logs.values() for e in found
    )
    assert modes == {
        ("AMBER", "Low_JHK"): 1, ("AMBER", "Medium_K_1_2.1"): 3,
        ("GRAVITY", "HIGH-COMBINED"): 19, ("GRAVITY", "MEDIUM-COMBINED"): 12,
        ("GRAVITY", "LOW"): 2, ("MATISSE", "HIGH_SENS_N_LOW"): 11,
        ("MATISSE", "SI_PHOT_LM_LOW"): 25, ("MATISSE", "SI_PHOT_L_HIGH"): 1,
        ("MATISSE", "SI_PHOT_L_LOW"): 5, ("PIONIER", "BROAD-H"): 1, ("PIONIER", "GRISM-H"): 39,
        ("PIONIER", "LARGE-H"): 4, ("PIONIER", "SMALL-H"): 45,
    }  # fmt: skip
    for found in logs.values():
        for e in found:
            assert e.em_min is not None
            assert e.em_max is not None
            assert e.em_res_power is not None


def test_real_headers_are_valid_but_those_of_the_laboratory(
    logs: dict[str, tuple[Exposure, ...]],
) -> None:
    for name, found in logs.items():
        for e in found:
            assert (e.validation_level == 1) == e.on_sky, (name, e.validation_log)
            assert set(e.quality_flags) <= set(QUALITY_FLAGS)
    laboratory = {name for name, found in logs.items() if not found[0].on_sky}
    assert len(laboratory) == 6
    for name in laboratory:
        assert any(line.startswith("No light from the sky: ") for line in _log(logs[name]))
        assert logs[name][0].log_ra is None
        assert logs[name][0].baselines == ()


def _log(found: tuple[Exposure, ...]) -> tuple[str, ...]:
    return found[0].validation_log


#: Products whose (u, v) somebody changed, or that the pipeline of 2016 got wrong: projected
#: baselines computed from stations, target and time agree with the headers (below).
NOT_OF_THE_HEADER = {
    "GRAVITY.2016-01-09T05_31_42", "GRAVITY.2016-06-23T03_10_23", "GRAVITY.2021-01-09T01_35_28",
    "MATISSE.2019-06-02T03_23_24",
}  # fmt: skip
#: Sums of five exposures have MJD-OBS of one, PBL of another.
SUMS = {"PIONIER.2016-05-31T04_39_54"}


def test_baselines_are_those_of_the_products(
    shared: Path, logs: dict[str, tuple[Exposure, ...]]
) -> None:
    """(u, v) of the OIFITS file that the header is of: 0.3 m, 0.5 degrees, by station names."""
    with (shared / "SOURCES.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    files = {row["source"]: row["path"] for row in rows if row["path"].startswith("oifits/vlti-")}
    compared: Counter[str] = Counter()
    for row in rows:
        name = row["path"].rpartition("/")[2]
        begin = name[:27]
        if name not in logs or row["source"] not in files or begin in NOT_OF_THE_HEADER | SUMS:
            continue
        exposure = logs[name][0]
        file = oifits.read(shared / files[row["source"]])
        for table in file.data:
            array = file.array(table.header.text("ARRNAME"))
            if table.extname != "OI_VIS2" or array is None or table.sta_index is None:
                continue
            assert table.mjd is not None
            u, v = table.uv()[0]
            for pair, one_u, one_v, mjd in zip(table.sta_index, u, v, table.mjd, strict=True):
                first, second = (array.stations.get(int(i), "") for i in pair)
                if _agrees(exposure, first, second, one_u, one_v, mjd):
                    compared[exposure.instrument_name] += 1
    assert min(compared[name] for name in ("GRAVITY", "MATISSE", "PIONIER")) >= 60


def _agrees(e: Exposure, first: str, second: str, u: float, v: float, mjd: float) -> bool:
    """Asserts that a point lies on its baseline's track; False when it is of another time."""
    assert e.t_min is not None
    assert e.t_max is not None
    middle, half = (e.t_min + e.t_max) / 2, (e.t_max - e.t_min) / 2
    if abs(mjd - middle) > half + 15 / 86400 or not np.isfinite(u):
        return False
    for b in e.baselines:
        if {b.station1, b.station2} == {first.replace("UT", "U"), second.replace("UT", "U")}:
            sign = 1 if b.station1 == first.replace("UT", "U") else -1
            assert b.length_start is not None
            assert b.length_end is not None
            assert b.angle_start is not None
            assert b.angle_end is not None
            passed = (mjd - e.t_min) / (e.t_max - e.t_min)
            turn = math.remainder(b.angle_end - b.angle_start, 360)
            length = b.length_start + passed * (b.length_end - b.length_start)
            angle = b.angle_start + passed * turn
            off = math.remainder(math.degrees(math.atan2(sign * u, sign * v)) - angle, 360)
            # Where the end was written at the begin, half of an exposure's turn is missing.
            still = 2.0 if "baselines_still" in e.quality_flags else 1.0
            assert abs(math.hypot(u, v) - length) < 0.3 * still, (e.exposure_id, b)
            assert abs(off) < 0.5 * still, (e.exposure_id, b)
            return True
    return False


def test_baselines_are_those_of_the_sky(
    vocabulary: Vocabulary, logs: dict[str, tuple[Exposure, ...]]
) -> None:
    """At the begin, from the stations' places: angles count from north, AMBER's of 2010 too."""
    from ingest import geometry

    vlti = vocabulary.facility("VLTI")
    assert vlti is not None
    assert vlti.longitude is not None
    assert vlti.latitude is not None
    seen: Counter[str] = Counter()
    for name, found in logs.items():
        e = found[0]
        if not e.baselines or (e.instrument_name == "PIONIER" and name > "PIONIER.2015"):
            continue  # sums of exposures
        assert e.log_ra is not None
        assert e.log_dec is not None
        assert e.t_min is not None
        places = [vlti.stations[s] for s in e.stations]
        view = geometry.view(
            [(p.east, p.north, p.up) for p in places],
            vlti.longitude, vlti.latitude, e.log_ra, e.log_dec, e.t_min,
        )  # fmt: skip
        for b in e.baselines:
            assert b.length_start is not None
            assert b.angle_start is not None
            length, angle = view.baseline(
                e.stations.index(b.station1), e.stations.index(b.station2)
            )
            assert b.length_start == pytest.approx(length, abs=0.05), name
            assert abs(math.remainder(b.angle_start - angle, 360)) < 0.3, name
        seen[e.instrument_name] += 1
        seen.update(flag for flag in e.quality_flags if flag == "angles_from_east")
    assert seen["AMBER"] == 4
    assert seen["angles_from_east"] == 2
    assert min(seen.values()) > 1


def test_one_star_has_one_position(logs: dict[str, tuple[Exposure, ...]]) -> None:
    """Telescopes point up to 12 arcsec beside a star; the position is the one that users gave."""
    achernar = {
        (e.log_ra, e.log_dec)
        for found in logs.values()
        for e in found
        if e.target_name and e.target_name.upper() in ("ALP_ERI", "ACHERNAR")
    }
    assert len(achernar) == 1
    (position,) = achernar
    assert position == pytest.approx((24.4285, -57.23675), abs=1e-4)


def test_dual_field_is_two_exposures(named: Callable[[str], tuple[Exposure, ...]]) -> None:
    science, tracker = named("GRAVITY.2016-09-12T09_02_11")
    assert (science.target_name, tracker.target_name) == ("CO_Ori_B", "CO_Ori_A")
    assert (science.instrument_submode, tracker.instrument_submode) == ("DUAL", "DUAL-FT")
    assert (science.instrument_mode, tracker.instrument_mode) == ("MEDIUM-COMBINED", "LOW")
    assert tracker.exposure_id == "GRAVI.2016-09-12T09:01:59.535_2"
    assert science.log_ra is not None
    assert science.log_dec is not None
    assert tracker.log_ra is not None
    assert tracker.log_dec is not None
    east = (science.log_ra - tracker.log_ra) * math.cos(math.radians(tracker.log_dec)) * 3.6e6
    assert east == pytest.approx(-2051, abs=1)
    assert (science.log_dec - tracker.log_dec) * 3.6e6 == pytest.approx(169, abs=1)
    assert tracker.pm_ra == pytest.approx(7.65)
    assert science.pm_ra is None


@pytest.mark.parametrize(
    ("begin", "exptime", "lasted", "flag"),
    [
        ("AMBER.2007-03-31", 50.0, 50.0, "exptime_from_dit"),
        ("PIONIER.2010-12-07", 76.5, 76.5, "exptime_from_dit"),  # DIT is a scan
        ("PIONIER.2014-01-12", 26.5728, 61.44, None),  # the clock runs read-out cycles
        ("GRAVITY.2023-01-27", 80.0, 80.0, "exptime_from_dit"),
        ("MATISSE.2025-05-19T00_43_54", 51.6, 61.7, "exptime_from_dit"),
    ],
)
def test_real_durations(
    named: Callable[[str], tuple[Exposure, ...]],
    begin: str, exptime: float, lasted: float, flag: str | None,
) -> None:  # fmt: skip
    e = named(begin)[0]
    assert e.t_exptime == pytest.approx(exptime, abs=0.1)
    assert e.t_min is not None
    assert e.t_max is not None
    assert (e.t_max - e.t_min) * 86400 == pytest.approx(lasted, abs=0.2)
    assert ("exptime_from_dit" in e.quality_flags) == (flag is not None)


# --- answers of today's ObsPortal -----------------------------------------------------------------


def _rows(path: Path) -> list[dict[str, str]]:
    root = ElementTree.parse(path).getroot()
    fields = [e.get("name", "") for e in root.iter() if e.tag.endswith("FIELD")]
    return [
        dict(zip(fields, ((td.text or "") for td in tr), strict=True))
        for tr in root.iter()
        if tr.tag.endswith("TR")
    ]


@pytest.mark.parametrize("file", ["search.votable.xml", "obsportal-output-10.votable.xml"])
def test_headers_of_rows_give_the_rows(shared: Path, file: str) -> None:
    rows = _rows(shared / "eso_tap" / "obsportal" / file)
    assert rows
    for row in rows:
        start, end = float(row["exp_mjd_start"]), float(row["exp_mjd_end"])
        stations = row["interferometer_stations"].split()
        resolution, polarisation = row["instrument_mode"].split("-")
        cards: Cards = {
            "INSTRUME": row["instrument_name"], "MJD-OBS": start,
            "EXPTIME": round((end - start) * 86400, 3), "OBJECT": row["target_name"],
            "RA": float(row["target_ra"]), "DEC": float(row["target_dec"]),
            "ARCFILE": row["exp_header"] + ".fits", "DPR CATG": row["obs_type"].upper(),
            "DPR TYPE": "OBJECT," + row["instrument_submode"], "INS SPEC RES": resolution,
            "INS POLA MODE": polarisation, "OBS PROG ID": row["obs_program"],
            "ISS CONF NTEL": len(stations),
        }  # fmt: skip
        for number, station in enumerate(stations, 1):
            cards[f"ISS CONF STATION{number}"] = station
        lengths = ast.literal_eval(row["exp_projected_baselines"])
        for pair, values in lengths.items():
            i, j = (stations.index(name) + 1 for name in pair.split("-"))
            for when in ("start", "end"):
                cards[f"ISS PBL{i}{j} {when.upper()}"] = float(values["length"][when])
                cards[f"ISS PBLA{i}{j} {when.upper()}"] = float(values["angle"][when])
        for column, key in (("exp_tau0", "TAU0"), ("exp_seeing", "FWHM")):
            if row.get(column):
                for when, factor in (("START", 1.1), ("END", 0.9)):
                    cards[f"ISS AMBI {key} {when}"] = float(row[column]) * factor
        if row.get("exp_temperature"):
            cards["ISS AMBI TEMP"] = float(row["exp_temperature"])
        header = headers.read(text(cards).encode(), "x")
        header_id = instruments.header_id_of(header, "x")
        (e,) = instruments.exposures(header, header_id, load())
        assert e.exposure_id == row["exp_id"]
        assert " ".join(e.stations) == row["interferometer_stations"]
        assert (e.instrument_name, e.instrument_mode, e.instrument_submode) == (
            row["instrument_name"], row["instrument_mode"], row["instrument_submode"],
        )  # fmt: skip
        assert e.t_min == start
        assert e.t_max == pytest.approx(end, abs=1e-9)
        assert e.target_name == row["target_name"]
        assert (e.log_ra, e.log_dec) == (float(row["target_ra"]), float(row["target_dec"]))
        assert (e.dataproduct_category or "").lower() == row["obs_type"]
        assert e.progid == row["obs_program"]
        assert e.validation_level == 1
        assert {
            f"{b.station1}-{b.station2}": [
                b.length_start, b.length_end, b.angle_start, b.angle_end
            ]
            for b in e.baselines
        } == {
            pair: [float(v[of][when]) for of in ("length", "angle") for when in ("start", "end")]
            for pair, v in lengths.items()
        }  # fmt: skip
        if row.get("exp_tau0"):
            assert e.tau0_start is not None
            assert e.tau0_end is not None
            assert (e.tau0_start + e.tau0_end) / 2 == pytest.approx(float(row["exp_tau0"]))


# --- rules ----------------------------------------------------------------------------------------


def test_the_good_header_breaks_no_rule() -> None:
    e = good()
    assert e.validation_level == 1
    assert e.validation_log == e.quality_flags == ()
    assert (e.instrument_mode, e.target_names) == ("GRISM-H", ("HD45677", "HD_45677"))
    assert (e.ob_id, e.ob_container_id, e.template_start) == (1234, None, "2020-01-02T02:20:00")
    assert (e.em_min, e.em_max, e.em_res_power) == (1.5091e-6, 1.7959e-6, 35)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("no_stations", {"ISS_CONF_STATION1": None}),
        ("no_exptime", {"EXPTIME": None}),
        ("no_tau0_start", {"ISS_AMBI_TAU0_START": -1.0}),
        ("no_tau0_end", {"ISS_AMBI_TAU0_END": 0.0}),
        ("no_temperature", {"ISS_AMBI_TEMP": None}),
        ("no_seeing_start", {"ISS_AMBI_FWHM_START": 0.0}),
        ("no_seeing_end", {"ISS_AMBI_FWHM_END": "high"}),
        ("too_short", {"EXPTIME": 0.5}),
        ("no_position", {"RA": None, "ISS_REF_RA": None}),
        ("no_target_name", {"OBJECT": "OBJECT", "OBS_TARG_NAME": None}),
        ("no_category", {"DPR_CATG": "TEST"}),
        ("no_mode", {"INS_OPTI2_NAME": "SMALL"}),
        ("no_baselines", {f"ISS_PBL{p}_END": 0 for p in (12, 13, 14, 23, 24, 34)}),
        ("baselines_incomplete", {"ISS_PBL34_START": 0.0}),
        ("baselines_turn", {"ISS_PBLA34_END": 90.0}),
        ("baselines_still", {"EXPTIME": 300.0}),
        ("empty_sky", {"DPR_TYPE": "SKY"}),
        ("no_fringes", {"DPR_TYPE": "KAPPA,OBJECT"}),
        ("laboratory", {"DPR_TYPE": "FRINGE,LAMP"}),
    ],
)
def test_every_rule(rule: str, changes: dict[str, object]) -> None:
    e = good(**changes)
    entry = next(entry for entry in RULES if entry.name == rule)
    assert rule in e.quality_flags
    assert any(line.startswith(entry.message) for line in e.validation_log)
    if entry.needed:
        assert e.validation_level == 0


def test_without_any_time() -> None:
    bare = {key: v for key, v in GOOD.items() if key not in ("MJD-OBS", "DATE-OBS")}
    (named,) = read(bare, "PIONI.2020-01-02T02:24:00.000")
    assert named.t_min == pytest.approx(58850.1)
    assert "time_from_name" in named.quality_flags
    (none,) = read(bare, "x")
    assert none.t_min is none.t_max is None
    assert {"no_time", "too_short"} <= set(none.quality_flags)


def test_messages_and_their_order_are_those_of_today() -> None:
    bare: Cards = {"INSTRUME": "GRAVITY", "RA": 5.0, "DEC": 5.0, "MJD-OBS": 58850.1}
    (e,) = read(bare)
    assert e.validation_log[:7] == (
        "Missing 'HIERARCH ISS CONF NTEL'", "Missing 'EXPTIME'",
        "Missing 'HIERARCH ISS AMBI TAU0 START'", "Missing 'HIERARCH ISS AMBI TAU0 END'",
        "Missing 'HIERARCH ISS AMBI TEMP'", "Missing 'HIERARCH ISS AMBI FWHM START'",
        "Missing 'HIERARCH ISS AMBI FWHM END'",
    )  # fmt: skip


# --- settings of instruments ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cards", "mode", "submode"),
    [
        ({"INSTRUME": "MIDI", "INS OPT1 NAME": "HIGH_SENS", "INS GRIS NAME": "PRISM",
          "INS MODE": "STARINTF"}, "HIGH_SENS+PRISM", None),
        ({"INSTRUME": "MIDI", "INS OPT1 NAME": "SCI_PHOT", "INS GRIS ID": "GRISM"},
         "SCI_PHOT+GRISM", None),
        ({"INSTRUME": "MIDI", "INS OPT1 NAME": "OPEN", "INS GRIS NAME": "PRISM"}, None, None),
        ({"INSTRUME": "VINCI", "INS MODE": "OBSERV"}, None, None),
        ({"INSTRUME": "AMBER", "INS MODE": "2Tstd_High_K_1_2.172"}, "High_K_1_2.172", None),
        ({"INSTRUME": "AMBER", "INS MODE": "3Tstd_Low_HK"}, "Low_JHK", None),
        ({"INSTRUME": "AMBER", "INS MODE": "3Tstd_Medium_H", "INS GRAT1 WLEN": 1652.0},
         "Medium_H_1_1.65", None),
        ({"INSTRUME": "AMBER", "INS MODE": "3Tstd_High_K_1_2.6"}, None, None),
        ({"INSTRUME": "GRAVITY", "INS SPEC RES": "LOW", "INS POLA MODE": "SPLIT",
          "DPR TYPE": "STD,SINGLE"}, "LOW-SPLIT", "SINGLE"),
        ({"INSTRUME": "GRAVITY", "INSMODE": "SINGLE,HIGH,COMBINED,COMBINED"}, "HIGH-COMBINED",
         "SINGLE"),
        ({"INSTRUME": "GRAVITY", "INS FILT2 NAME": "MED", "INS POLA MODE": "SPLIT",
          "TPL ID": "GRAVITY_single_onaxis_obs_exp"}, "MEDIUM-SPLIT", "SINGLE"),
        ({"INSTRUME": "MATISSE", "DET NAME": "MATISSE-LM", "INS DIL NAME": "HIGH+",
          "INS FIL NAME": "M"}, "SI_PHOT_M_VERY_HIGH", None),
        ({"INSTRUME": "MATISSE", "DET CHIP TYPE": "IR-LM", "INS DIL NAME": "HIGH+",
          "INS FIL NAME": "LM", "SEQ DIL WL0": 4.7}, "SI_PHOT_M_VERY_HIGH", None),
        ({"INSTRUME": "MATISSE", "DET CHIP TYPE": "IR-LM", "INS DIL NAME": "MED",
          "INS FIL NAME": "L"}, "SI_PHOT_LM_MEDIUM", None),
        ({"INSTRUME": "MATISSE", "DET CHIP TYPE": "IR-N", "INS DIN NAME": "HIGH",
          "INS DIL NAME": "LOW", "INS MODE": "HYBRID"}, "HIGH_SENS_N_HIGH", "HYBRID"),
        ({"INSTRUME": "MATISSE", "INS DIL NAME": "LOW"}, None, None),
        ({"INSTRUME": "PIONIER", "INS OPTI2 NAME": "H", "INS OPTI3 NAME": "LARGE",
          "INS FILT1 NAME": "K"}, "LARGE-K", None),
        ({"INSTRUME": "PIONIER", "INS OPTI2 NAME": "FREE", "INS MODE": "OBSERV-H"}, "FREE-H", None),
        ({"INSTRUME": "PIONIER", "INSMODE": "GRISM_H"}, "GRISM-H", None),
    ],
)  # fmt: skip
def test_modes(cards: Cards, mode: str | None, submode: str | None) -> None:
    (e,) = read(cards)
    assert (e.instrument_name, e.instrument_mode) == (cards["INSTRUME"], mode)
    assert e.instrument_submode == submode


def test_midi_has_one_baseline() -> None:
    cards = {k: v for k, v in GOOD.items() if not k.startswith("ISS PBL")} | baselines(2)
    cards |= {"INSTRUME": "MIDI", "INS OPT1 NAME": "HIGH_SENS", "INS GRIS NAME": "PRISM",
              "DPR TYPE": "TRACK,OBJECT,DISPERSED", "EXPTIME": 0.018, "DET DIT": 0.018,
              "DET NDIT": 8000}  # fmt: skip
    (e,) = read(cards)
    assert e.validation_level == 1, e.validation_log
    assert e.on_sky
    assert e.t_exptime == pytest.approx(144)
    assert [(b.station1, b.station2) for b in e.baselines] == [("U1", "U2")]


def test_proper_motion_and_swapped_beams() -> None:
    cards = GOOD | {
        "INSTRUME": "GRAVITY", "INS SPEC RES": "HIGH", "INS POLA MODE": "SPLIT",
        "DPR TYPE": "OBJECT,DUAL", "FT ROBJ NAME": "A", "FT ROBJ ALPHA": "062817.420",
        "FT ROBJ DELTA": "-130311.130", "FT ROBJ PMA": "-0.1432", "FT ROBJ PMD": "-0.0372",
        "INS SOBJ NAME": "B", "INS SOBJ X": 1000.0, "INS SOBJ Y": 0.0,
    }  # fmt: skip
    science, tracker = read(cards)
    assert (tracker.pm_ra, tracker.pm_dec, tracker.pos_epoch) == (-143.2, -37.2, 2000.0)
    swapped, other = read(cards | {"INS SOBJ SWAP": "YES"})
    assert (swapped.target_name, other.target_name) == ("A", "B")
    assert (swapped.log_ra, other.log_ra) == (tracker.log_ra, science.log_ra)
    (same,) = read(cards | {"INS SOBJ NAME": "a", "INS SOBJ X": 0.0})
    assert same.instrument_submode == "DUAL"


def test_where_telescopes_pointed_elsewhere() -> None:
    e = good(RA=98.2, DEC=-12.0)
    assert (e.log_ra, e.log_dec) == (98.2, -12.0)
    assert {"position_disagrees", "position_of_telescope"} <= set(e.quality_flags)
    assert e.pos_epoch == pytest.approx(2020.0, abs=0.01)


def test_names_of_files() -> None:
    def header_id(**cards: object) -> str:
        made = text({key.replace("_", "-"): value for key, value in cards.items()})
        return instruments.header_id_of(headers.read(made.encode(), "x"), "night.fits.gz")

    assert (
        header_id(ARCFILE="GRAVI.2020-01-09T03:34:07.546.fits") == "GRAVI.2020-01-09T03:34:07.546"
    )
    assert header_id(INSTRUME="PIONIER", DATE_OBS="2020-01-09T03:34:07.5461") == (
        "PIONI.2020-01-09T03:34:07.546"
    )
    assert header_id(INSTRUME="MATISSE", MJD_OBS=58850.1) == "MATIS.2020-01-02T02:24:00.000"
    assert header_id(INSTRUME="MIDI") == "night"


def test_other_instruments_are_refused() -> None:
    for cards in ({"INSTRUME": "FORS2"}, {"OBJECT": "x"}):
        with pytest.raises(UnreadableFile, match="not a header of VLTI"):
            read(dict(cards))


# --- accidents ------------------------------------------------------------------------------------

LINES = text(GOOD).encode().split(b"\n")
VALUES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"", b"'", b"nan", b"-1", b"0", b"1e308", b"9" * 400, b"T", b"'2020-13-45T'"]),
)


@settings(max_examples=300)
@given(st.data())
def test_no_mutation_trips_us(data: st.DataObject) -> None:
    """Cards dropped, cut off, swapped, of any bytes and values: exposures or a clear refusal."""
    lines = list(LINES)
    lines[1] = b"INSTRUME= '%b'" % data.draw(
        st.sampled_from([b"GRAVITY", b"MATISSE", b"AMBER", b"PIONIER", b"MIDI", b"VINCI"])
    )
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(1, len(lines) - 3))
        kind = data.draw(st.sampled_from(["drop", "cut", "swap", "bytes", "value"]))
        if kind == "drop" and len(lines) > 10:
            del lines[at]
        elif kind == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, 60))]
        elif kind == "swap":
            other = data.draw(st.integers(1, len(lines) - 3))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "bytes":
            lines[at] = data.draw(st.binary(max_size=80))
        else:
            lines[at] = lines[at].partition(b"=")[0] + b"= " + data.draw(VALUES)
    try:
        header = headers.read(b"\n".join(lines), "x")
        found = instruments.exposures(header, instruments.header_id_of(header, "x"), load())
    except UnreadableFile:
        return
    for e in found:
        numbers = [
            getattr(e, name) for name in ("t_min", "t_max", "log_ra", "log_dec", "t_exptime")
        ]
        assert all(number is None or math.isfinite(number) for number in numbers)
        assert e.validation_level == 0 or not set(e.quality_flags) & {
            rule.name for rule in RULES if rule.needed
        }
