"""The vocabulary says of real strings what a person who knows the arrays would say."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ingest.vocabulary import Facility, Mode, Vocabulary, load

SOURCES = Path(__file__).parents[3] / "shared" / "data" / "SOURCES.tsv"
ASPRO = SOURCES.parent / "catalogues" / "aspro_conf"


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load()


def place(vocabulary: Vocabulary, name: str) -> Facility:
    facility = vocabulary.facility(name)
    assert facility is not None
    return facility


@pytest.mark.parametrize(
    ("arrname", "telescop", "insname", "expected"),
    [
        ("CHARA_v3", None, None, "CHARA"),
        ("CHARA_v1_v5", None, None, "CHARA"),
        ("Chara", None, None, "CHARA"),
        ("CHARA_2004Jan", None, None, "CHARA"),
        ("VLTI", None, None, "VLTI"),
        ("VLTI Period 89", None, None, "VLTI"),
        ("VLTI_1", None, None, "VLTI"),
        ("  VLTI  ", None, None, "VLTI"),
        ("NPOI_2004-01-07", None, None, "NPOI"),
        ("IOTA_AB", None, None, "IOTA"),
        ("IOTA_2002Dec17", None, None, "IOTA"),
        ("g7s6", None, None, "JWST"),
        ("g7", "JWST", "NIRISS", "JWST"),
        (None, "ESO-VLTI-A1234", None, "VLTI"),
        (None, "ESO-VLTI-", "GRAVITY_FT", "VLTI"),
        (None, "ESO-VLT-U3", None, "VLT"),
        ("Keck", None, None, "Keck"),
        ("KI", None, None, "KI"),
        (None, None, "PIONIER_Pnat(1.5884629/1.7604805)", "VLTI"),
        ("", None, "IONIC3_1.52", "IOTA"),
        (None, None, "PAVO_3T", None),  # at CHARA or SUSI
        ("my array", None, "my instrument", None),
        (None, None, None, None),
    ],
)
def test_facility(
    vocabulary: Vocabulary,
    arrname: str | None,
    telescop: str | None,
    insname: str | None,
    expected: str | None,
) -> None:
    facility = vocabulary.identify_facility(arrname, telescop, insname)
    assert (facility.name if facility else None) == expected


@pytest.mark.parametrize(
    ("xyz", "expected"),
    [
        # ARRAYX, ARRAYY, ARRAYZ as ASPRO2 and OIFITSlib's example data write them
        ((1946404.34103884, -5467644.29079852, -2642728.20144425), "VLTI"),
        ((-2483801.164, -4660154.225, 3568032.552), "CHARA"),
        ((3920635.0, 2889.0, 5013987.0), "COAST"),
        ((0.0, 0.0, 0.0), None),
        ((6378137.0, 0.0, 0.0), None),
        ((math.nan, math.nan, math.nan), None),
    ],
)
def test_facility_by_place(
    vocabulary: Vocabulary, xyz: tuple[float, float, float], expected: str | None
) -> None:
    facility = vocabulary.identify_facility("somewhere", array_xyz=xyz, frame="GEOCENTRIC")
    assert (facility.name if facility else None) == expected


def test_geodetic_latitude_on_a_sphere_is_the_same_place(vocabulary: Vocabulary) -> None:
    """Files that write XYZ of a spherical Earth are 16 km off and yet mean Paranal."""
    longitude, latitude = math.radians(-70.405), math.radians(-24.627)
    xyz = (
        6.374e6 * math.cos(latitude) * math.cos(longitude),
        6.374e6 * math.cos(latitude) * math.sin(longitude),
        6.374e6 * math.sin(latitude),
    )
    assert vocabulary.identify_facility(array_xyz=xyz) is vocabulary.facility("VLTI")
    assert vocabulary.identify_facility(array_xyz=xyz, frame="SKY") is None


MICRON = 1e-6


@pytest.mark.parametrize(
    ("insname", "facility", "band", "power", "channels", "keywords", "expected"),
    [
        ("PIONIER_Pnat(1.5884629/1.7604805)", "VLTI", (1.55, 1.8), 18.4, 3, {}, "PIONIER SMALL-H"),
        ("PIONIER_Pnat(1.5180295/1.7625230)", "VLTI", (1.49, 1.79), 34.0, 6, {}, "PIONIER GRISM-H"),
        ("PIONIER_Pnat(1.5392268/1.7928497)", "VLTI", (1.52, 1.81), 41.0, 7, {}, "PIONIER LARGE-H"),
        (
            "PIONIER_Pnat(1.6810800/1.6810800)_2", "VLTI", (1.56, 1.80), 7.0, 1,
            {"ESO INS OPTI2 NAME": "H", "ESO INS OPTI3 NAME": "FREE", "ESO INS FILT1 NAME": "H"},
            "PIONIER BROAD-H",
        ),
        ("PIONIER_Pnat(1.6810800/1.6810800)_2", "VLTI", (1.56, 1.80), 7.0, 1, {}, "PIONIER -"),
        ("GRAVITY_SC", "VLTI", (1.97, 2.48), 506.0, 233, {}, "GRAVITY MEDIUM-COMBINED"),
        ("GRAVITY_SC_P1", "VLTI", (1.97, 2.48), 506.0, 233, {}, "GRAVITY MEDIUM-SPLIT"),
        (
            "GRAVITY_SC", "VLTI", (1.97, 2.4), 4134.0, 1628,
            {"ESO INS SPEC RES": "HIGH", "ESO INS POLA MODE": "COMBINED"},
            "GRAVITY HIGH-COMBINED",
        ),
        ("SPECTRO_SC", "VLTI", (1.97, 2.5), 997.0, 235, {}, "GRAVITY MEDIUM-COMBINED"),
        ("GRAVITY_1.951-2.449-250ch", "VLTI", (1.95, 2.45), 1100.0, 250, {}, "GRAVITY -"),
        ("GRAVITY_FT", "VLTI", (1.96, 2.44), 26.0, 6, {}, "GRAVITY_FT LOW"),
        ("GRAVITY_FT_P2", "VLTI", (1.96, 2.44), 26.0, 6, {}, "GRAVITY_FT LOW"),
        ("MATISSE", "VLTI", (2.83, 4.23), 165.0, 64, {}, "MATISSE_LM SI_PHOT_L_LOW"),
        (
            "MATISSE", "VLTI", (2.69, 4.99), 193.0, 110, {"ESO INS DIL NAME": "LOW"},
            "MATISSE_LM SI_PHOT_LM_LOW",
        ),
        ("MATISSE", "VLTI", (7.95, 13.03), 257.0, 120, {}, "MATISSE_N HIGH_SENS_N_LOW"),
        ("MATISSE", "VLTI", None, None, None, {}, "- -"),
        (
            "AMBER", "VLTI", (1.94, 2.27), 3084.0, 482, {"ESO INS MODE": "3Tstd_Medium_K_1_2.1"},
            "AMBER Medium_K_1_2.1",
        ),
        ("AMBER", "VLTI", (2.146, 2.194), 22931.0, 506, {}, "AMBER High_K_1_2.172"),
        ("AMBER(1.6789563/2.4283954)", "VLTI", (1.67, 2.44), 60.0, 20, {}, "AMBER Low_JHK"),
        ("MIDI/PRISM", "VLTI", (8.0, 13.0), 30.0, 60, {}, "MIDI -"),
        ("H_PRISM", "CHARA", (1.48, 1.75), 46.0, 8, {}, "MIRC Low_H"),
        ("H_PRISM_v1_v2", "CHARA", (1.48, 1.75), 46.0, 8, {}, "MIRC Low_H"),
        ("MIRCX", "CHARA", (1.49, 1.74), 54.0, 8, {"INSMODE": "H_PRISM50"}, "MIRCX Low_H"),
        ("MIRCX", "CHARA", (1.5, 1.74), 227.0, 34, {}, "MIRCX Medium_H"),
        ("MIRCX", "CHARA", (1.97, 2.4), 290.0, 59, {}, "MYSTIC Med_K"),
        ("MIRCX", "CHARA", (2.19, 2.21), None, 1, {}, "MYSTIC -"),
        ("MIRCX", "CHARA", (1.5, 1.7), 160.0, 5, {}, "MIRCX -"),  # binned: 160 is not of the data
        ("MYSTIC", "CHARA", (1.96, 2.41), 52.0, 10, {}, "MYSTIC Low_K"),
        ("SPICA_0.60249-0.89749-60ch", "CHARA", (0.6, 0.9), 150.0, 60, {}, "SPICA LR"),
        ("CLASSIC_K", "CHARA", (1.96, 2.31), 6.1, 1, {}, "CLASSIC K-Prime"),
        ("CLASSIC_4T", "NPOI", (0.56, 0.85), 51.0, 21, {}, "CLASSIC R"),
        ("6way_OB01", "NPOI", (0.56, 0.86), 38.0, 16, {}, "CLASSIC R"),
        ("NPOI_2004-01-07", "NPOI", (0.54, 0.56), 27.0, 1, {}, "CLASSIC -"),
        ("NIRISS", "JWST", (4.66, 4.97), 16.0, 1, {}, "NIRISS -"),
        ("COAST_NICMOS", "COAST", (1.5, 1.8), 7.0, 1, {"INSMODE": "Low_JHK"}, "COAST -"),
        ("AMBER", "CHARA", (1.5, 1.8), 35.0, 10, {}, "- -"),  # AMBER was never there
        ("SPHERE-IFS_40", "VLT", (0.95, 1.35), 50.0, 39, {}, "SPHERE -"),
        ("foo", None, (1.5, 1.8), 35.0, 10, {}, "- -"),
        (None, None, None, None, None, {}, "- -"),
    ],
)  # fmt: skip
def test_instrument_and_mode(
    vocabulary: Vocabulary,
    insname: str | None,
    facility: str | None,
    band: tuple[float, float] | None,
    power: float | None,
    channels: int | None,
    keywords: dict[str, str],
    expected: str,
) -> None:
    low, high = (band[0] * MICRON, band[1] * MICRON) if band else (None, None)
    match = vocabulary.identify_instrument(
        insname,
        None,
        place(vocabulary, facility) if facility else None,
        wave_min=low,
        wave_max=high,
        resolving_power=power,
        n_channels=channels,
        keywords=keywords,
    )
    instrument = match.instrument.name if match.instrument else "-"
    assert f"{instrument} {match.mode.name if match.mode else '-'}" == expected


def test_instrume_only_where_insname_is_mute(vocabulary: Vocabulary) -> None:
    def name(insname: str, instrume: str, wave: float) -> str | None:
        match = vocabulary.identify_instrument(insname, instrume, wave_min=wave, wave_max=wave)
        return match.instrument.name if match.instrument else None

    assert name("setup 3", "PIONIER", 1.6e-6) == "PIONIER"
    assert name("GRAVITY_FT", "PIONIER", 2.2e-6) == "GRAVITY_FT"
    assert name("setup 3", "VEGA", 1.6e-6) is None  # VEGA saw no such light


def test_stations_and_diameters(vocabulary: Vocabulary) -> None:
    vlti, chara = place(vocabulary, "VLTI"), place(vocabulary, "CHARA")
    assert vlti.station_name("UT1 ") == "U1"
    assert vlti.station_name("k0") == "K0"
    assert vlti.station_name("  ") is None
    assert vlti.diameter("UT4") == vlti.diameter("U4") == 8.2
    assert vlti.diameter("J6") == 1.8
    assert vlti.diameter("foo") is None
    assert chara.diameter("W2") == 1.0
    assert place(vocabulary, "JWST").longitude is None


def test_published_baselines(vocabulary: Vocabulary) -> None:
    """Lengths (m) that the observatories publish: ESO's VLTI baselines, ten Brummelaar 2005."""
    published = {
        "VLTI": {("U1", "U2"): 56.6, ("U1", "U4"): 130.2, ("U2", "U3"): 46.6, ("U3", "U4"): 62.5,
                 ("A0", "G1"): 90.5, ("A0", "K0"): 128.0, ("B2", "C1"): 11.3},
        "CHARA": {("S1", "E1"): 330.7, ("S1", "S2"): 34.1, ("W1", "E1"): 313.6,
                  ("W2", "E2"): 156.3},
    }  # fmt: skip
    for name, baselines in published.items():
        stations = place(vocabulary, name).stations
        for (first, second), length in baselines.items():
            a, b = stations[first], stations[second]
            assert math.dist((a.east, a.north, a.up), (b.east, b.north, b.up)) == pytest.approx(
                length, abs=0.15
            )


def test_entries_are_sound(vocabulary: Vocabulary) -> None:
    """Modes lie in their instrument's range, stations have a telescope, names are unique."""
    for facility in vocabulary.facilities:
        for station in facility.stations:
            assert facility.diameter(station) is not None, (facility.name, station)
            assert facility.station_name(station) == station
    names = [(i.facility.name, i.name) for i in vocabulary.instruments]
    assert len(set(names)) == len(names)
    for instrument in vocabulary.instruments:
        modes = [mode.name for mode in instrument.modes]
        assert len(set(modes)) == len(modes)
        for mode in instrument.modes:
            assert (
                instrument.wavelength[0] <= mode.band[0] < mode.band[1] <= instrument.wavelength[1]
            )


def test_lookups_are_quick(vocabulary: Vocabulary) -> None:
    """A lookup that was asked before takes microseconds (bound: 10 us in a quiet process)."""
    vlti = place(vocabulary, "VLTI")
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(1000):
            vocabulary.identify_facility("VLTI Period 89", None, "AMBER")
            vocabulary.identify_instrument("GRAVITY_SC", None, vlti, wave_min=2e-6, wave_max=2.4e-6)
        best = min(best, time.perf_counter() - start)
    assert best / 2000 < 10e-6


# The folders of ../shared/data/oifits were sorted by hand, so they say what a person would.
FOLDERS = {
    "chara-mirc": ({"CHARA"}, {"MIRC"}),
    "chara-mircx-mystic": ({"CHARA", "VLTI"}, {"MIRCX", "MYSTIC", "PIONIER"}),
    "coast": ({"COAST"}, {"COAST"}),
    "iota": ({"IOTA"}, {"IONIC"}),
    "jwst-niriss": ({"JWST"}, {"NIRISS"}),
    "npoi": ({"NPOI"}, {"CLASSIC"}),
    "vlti-amber": ({"VLTI"}, {"AMBER"}),
    "vlti-gravity": ({"VLTI"}, {"GRAVITY", "GRAVITY_FT"}),
    "vlti-matisse": ({"VLTI"}, {"MATISSE_LM", "MATISSE_N"}),
    "vlti-midi": ({"VLTI"}, {"MIDI"}),
    "vlti-pionier": ({"VLTI"}, {"PIONIER"}),
}


def real_files() -> Iterator[tuple[str, dict[str, str]]]:
    with SOURCES.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            folder = row["path"].split("/")[1]
            if folder in FOLDERS and row["kind"] in {"real", "real/test"}:
                yield folder, row


@pytest.mark.skipif(not SOURCES.exists(), reason="real data (../shared/data) are not here")
def test_real_files(vocabulary: Vocabulary) -> None:
    seen: set[str] = set()
    for folder, row in real_files():
        facilities, instruments = FOLDERS[folder]
        insnames = [name for name in row["insname"].split(",") if name]
        for arrname in filter(None, row["arrname"].split(",")):
            facility = vocabulary.identify_facility(arrname)
            assert (facility.name if facility else None) in facilities, (row["path"], arrname)
        for insname in insnames:
            match = vocabulary.identify_instrument(
                insname, wave_min=float(row["em_min"]), wave_max=float(row["em_max"])
            )
            assert match.instrument is not None, (row["path"], insname)
            assert match.instrument.name in instruments, (row["path"], insname)
            assert match.instrument.facility.name in facilities
            seen.add(match.instrument.name)
    assert seen == set().union(*(instruments for _, instruments in FOLDERS.values()))


@pytest.mark.skipif(
    not ASPRO.exists(), reason="ASPRO2's list of modes (../shared/data) is not here"
)
@pytest.mark.parametrize("array", ["VLTI", "CHARA"])
def test_every_mode_of_aspro_is_known(vocabulary: Vocabulary, array: str) -> None:
    """All names of ASPRO2's list, with its wavelengths; PIONIER_2 is PIONIER here."""
    modes: dict[tuple[str, str], Mode] = {
        (instrument.name, mode.name): mode
        for instrument in vocabulary.instruments
        if instrument.facility.name == array
        for mode in instrument.modes
    }
    for element in ElementTree.parse(ASPRO / f"aspro-conf-{array}.xml").iter("instrument"):
        name = (element.findtext("name") or "").removesuffix("_2")
        for entry in element.iter("mode"):
            title = entry.findtext("name") or ""
            if title == "KALMAN":  # of the fringe tracker, in no file
                continue
            low = float(entry.findtext("wave_min") or 0) * MICRON
            high = float(entry.findtext("wave_max") or 0) * MICRON
            band = modes[name, title].band
            assert band[0] == pytest.approx(low, abs=0.01 * MICRON), (name, title)
            assert band[1] == pytest.approx(high, abs=0.01 * MICRON), (name, title)
