"""Granules against the reference extractor, against simulated truth, and on files with faults.

The reference extractor's rows (OITools, the program behind today's OiDB) are the oracle for what
is a plain fact of a file. Where it is wrong or poor, a test on a real file says what is right.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils import iers
from hypothesis import given
from hypothesis import strategies as st

from ingest import geometry, granules, oifits, provenance, simulate, targets, vocabulary
from ingest.fits import Header
from ingest.granules import QUALITY_FLAGS, Baseline, Extraction, Granule, extract

Real = Callable[[str], Extraction]
Save = Callable[..., Path]
Edit = Callable[[fits.HDUList], object]

SHARED = Path(__file__).parents[3] / "shared" / "data"


@cache
def oracle() -> dict[str, list[dict[str, str]]]:
    """The reference extractor's rows by path below ../shared/data/oifits."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    path = SHARED / "oifits_oracle" / "oitools_granules.csv"
    if path.exists():
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                rows[row["path"].removeprefix("oifits/")].append(row)
    return rows


def readable_files() -> list[Path]:
    """All OIFITS files of ../shared, the reference's own copies aside."""
    folder = SHARED / "oifits"
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.parts[len(folder.parts)] not in ("_reference", "not-oifits")
        and path.name != "testdata_opt_TRUNC.fits"
    ]


def only(extraction: Extraction) -> Granule:
    assert len(extraction.granules) == 1
    return extraction.granules[0]


def raw(file: oifits.OIFits, rows: dict[int, Any], column: str) -> np.ndarray[Any, Any]:
    """A scalar column of a granule's rows, as the file has it."""
    tables = {table.hdu: table for table in file.data}
    values = [(tables[hdu].numbers(column), index) for hdu, index in rows.items()]
    return np.concatenate([column[index] for column, index in values if column is not None])


# ---------------------------------------------------------------- plain facts

#: Files whose nights the reference cuts at 12 h UT, in the middle of the local night; and those
#: with Julian Dates in MJD, where it cuts at midnight.
CUT_NIGHTS = {
    "chara-mircx-mystic/SU_Lyn.oifits",
    "chara-mircx-mystic/polaris.oifits",
    "npoi/HD140573.oifits",
    "contest/A-CLUSTER__2T3T__1-PHASEREF__SIMPLE_nsr0.05__20160812_193521_1.image-oi.oifits",
    "contest/A-CLUSTER__2T3T__1-PHASEREF__SIMPLE_nsr0.05__20160812_193521_1.oifits",
}
#: Rows of the reference that the file does not support: a night of flagged rows with MJD 0, and
#: data whose TARGET_ID the reference changed to that of the only target.
UNSUPPORTED = {
    "chara-mircx-mystic/MWC480.oifits": 1,
    "conformance/v1_bad_missing_target.fits": 9,
    "conformance/v2_bad_missing_target.fits": 9,
}


@pytest.mark.parametrize("path", sorted(oracle()) or ["(none)"])
def test_plain_facts_equal_the_reference(shared: Path, real: Real, path: str) -> None:
    """Target, position, INSNAME, rows, channels, wavelengths and extremes of MJD."""
    file = oifits.read(shared / "oifits" / path)
    extraction = real(path)
    left = list(oracle()[path])
    for granule, rows in zip(extraction.granules, extraction.rows, strict=True):
        mjd = raw(file, rows, "MJD")
        same = [
            row
            for row in left
            if (row["target_name"], row["instrument_name"])
            == (granule.target_name or "", granule.insname)
            and mjd.min() <= float(row["t_min"]) <= float(row["t_max"]) <= mjd.max()
        ]
        assert len(same) == 1 or (len(same) == 2 and path in CUT_NIGHTS)
        left = [row for row in left if row not in same]

        assert min(float(row["t_min"]) for row in same) == mjd.min()
        assert max(float(row["t_max"]) for row in same) == mjd.max()
        for name in ("nb_vis", "nb_vis2", "nb_t3"):
            assert sum(int(row[name]) for row in same) == getattr(granule, name)
        for row in same:
            assert int(row["nb_channels"]) == granule.nb_channels == granule.em_xel
            position = float(row["s_ra"]), float(row["s_dec"])
            if position == (0, 0):  # zero stands for unknown
                assert (granule.s_ra, granule.s_dec) == (None, None)
                assert "no_position" in granule.quality_flags
            else:
                assert (granule.s_ra, granule.s_dec) == position
            table = file.wavelength(granule.insname)
            assert table is not None
            assert table.wavelength is not None
            assert float(row["em_min"]) == table.wavelength.min()
            assert float(row["em_max"]) == table.wavelength.max()
    assert len(left) == UNSUPPORTED.get(path, 0)


def test_every_file_of_the_reference_has_granules_here(shared: Path, real: Real) -> None:
    """And files without granules say why, in a note."""
    with_granules = set()
    for path in readable_files():
        name = str(path.relative_to(shared / "oifits"))
        extraction = real(name)
        if extraction.granules:
            with_granules.add(name)
        else:
            assert extraction.notes or not oifits.read(path).data
    assert with_granules == set(oracle()) - {
        "conformance/v1_bad_missing_target.fits",
        "conformance/v2_bad_missing_target.fits",
    }


# ---------------------------------------------------------------- where the reference is wrong


def intervals(file: oifits.OIFits, rows: dict[int, Any]) -> list[tuple[float, float]]:
    """Begin and end of each row's integration in s since MJD 0."""
    return [
        (mjd * 86400 - seconds / 2, mjd * 86400 + seconds / 2)
        for mjd, seconds in zip(
            raw(file, rows, "MJD").tolist(), raw(file, rows, "INT_TIME").tolist(), strict=True
        )
        if seconds > 0
    ]


def covered(spans: list[tuple[float, float]]) -> float:
    """Seconds that the intervals cover together, found boundary by boundary."""
    total, until = 0.0, -math.inf
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


@pytest.mark.parametrize(
    ("path", "factor"),
    [
        ("chara-mircx-mystic/polaris.oifits", 20),
        ("chara-mircx-mystic/SU_Lyn.oifits", 10),
        ("vlti-pionier/AlphaCenA.oifits", 5),
        ("vlti-pionier/pigru.oifits", 50),
        ("chara-mirc/betlyr6t.oifits", 20),
        ("vlti-gravity/example_GRAVITY_real.fits", 1),
    ],
)
def test_exposure_is_the_time_on_target(shared: Path, real: Real, path: str, factor: float) -> None:
    """Section 5, items 1 and 1a: not the smallest INT_TIME. Each instant once, so that the total is
    at least the longest INT_TIME and at most what the intervals of all rows cover."""
    smallest = min(float(row["t_exptime"]) for row in oracle()[path])
    file, extraction = oifits.read(shared / "oifits" / path), real(path)
    longest = 0.0
    for granule, rows in zip(extraction.granules, extraction.rows, strict=True):
        spans = intervals(file, rows)
        assert granule.t_exptime is not None
        assert granule.int_time_max is not None
        assert granule.int_time_max <= granule.t_exptime + 1e-3
        assert granule.t_exptime <= covered(spans) + 1e-3
        assert granule.t_min == pytest.approx(min(begin for begin, _ in spans) / 86400)
        assert granule.t_max == pytest.approx(max(end for _, end in spans) / 86400)
        longest = max(longest, granule.t_exptime)
    assert longest >= factor * smallest


def test_exposure_of_separate_integrations_is_their_sum(real: Real) -> None:
    """Six exposures of PIONIER of 128 s or more, each with six baselines and four triangles."""
    granule = real("vlti-pionier/20160523_AlphaCenA_2.fits").granules[0]
    assert granule.t_xel == 8
    assert granule.t_exptime == pytest.approx(1126.4, abs=0.01)
    assert granule.t_resolution == pytest.approx(128.0, abs=0.01)


@pytest.mark.parametrize(
    "path",
    [
        "vlti-pionier/2012-03-24_ALL_oiDataCalib.fits",
        "vlti-pionier/AXCir.oifits",
        "vlti-pionier/convert-v2.fits",
        "vlti-pionier/PIONIER.2013-07-04T04_49_49_oidataCalibrated.fits",
    ],
)
def test_milliseconds_of_early_pionier(shared: Path, real: Real, path: str) -> None:
    """Item 1b: INT_TIME in milliseconds gives no exposure time; what was written is kept.

    The last file says why no conversion is tried: its header has EXPTIME 131.78 s, its INT_TIME
    is 1349427.
    """
    extraction = real(path)
    file = oifits.read(shared / "oifits" / path)
    for granule, rows in zip(extraction.granules, extraction.rows, strict=True):
        assert "int_time_milliseconds" in granule.quality_flags
        assert granule.t_exptime is None
        assert granule.t_resolution is None
        assert granule.int_time_min == raw(file, rows, "INT_TIME").min() > 10000
        assert granule.t_min == raw(file, rows, "MJD").min()
        assert all(line.int_time is None for line in granule.baselines)


def test_pionier_since_2013_is_in_seconds(real: Real) -> None:
    granule = only(real("vlti-pionier/PIONI.2014-09-21T09_19_32.752_oidataCalibrated.fits"))
    assert granule.t_exptime == pytest.approx(132.864, abs=1e-3)
    assert granule.t_max is not None
    assert granule.t_min is not None
    assert (granule.t_max - granule.t_min) * 86400 == pytest.approx(132.864, abs=1e-2)


def test_zero_among_the_integration_times(real: Real) -> None:
    """Item 1c: zeros do not make the exposure zero when other rows have a time."""
    path = "vlti-gravity/GRAVI.2016-06-23T03_10_17.458_singlesciviscalibrated.fits"
    assert {row["t_exptime"] for row in oracle()[path]} >= {"0.0"}
    for granule in real(path).granules:
        assert granule.t_exptime is not None
        assert granule.t_exptime > 30
    flagged = [g for g in real(path).granules if "int_time_missing" in g.quality_flags]
    assert [granule.int_time_min for granule in flagged] == [0.0] * len(flagged)
    assert flagged


@pytest.mark.parametrize(
    "path",
    [
        "chara-mircx-mystic/MWC480.oifits",  # item 1d: the reference has Infinity
        "iota/arcturus.1.52mu.fits",  # zero throughout
        "contest/Bin_Ary--MIRC_H_with_img.fits",
    ],
)
def test_exposure_that_nothing_tells(real: Real, path: str) -> None:
    for granule in real(path).granules:
        assert granule.t_exptime is None
        assert granule.t_resolution is None
        assert "int_time_missing" in granule.quality_flags
        assert granule.t_min is not None


@pytest.mark.parametrize(
    ("path", "granule_count", "night"),
    [
        ("chara-mircx-mystic/SU_Lyn.oifits", 1, "2021-09-21"),
        ("npoi/HD140573.oifits", 27, "2013-04-26"),
    ],
)
def test_nights_are_not_cut(real: Real, path: str, granule_count: int, night: str) -> None:
    """Item 2: nights change at local noon, not at 12 h UT."""
    assert len(oracle()[path]) > granule_count
    assert [granule.night for granule in real(path).granules] == [night] * granule_count


def test_no_granule_has_a_gap_across_local_noon(shared: Path, real: Real) -> None:
    """Granules of one target and set-up lie in different nights, none is longer than a night."""
    for path in readable_files():
        seen = set()
        extraction = real(str(path.relative_to(shared / "oifits")))
        for granule, rows in zip(extraction.granules, extraction.rows, strict=True):
            # Targets are told apart by TARGET_ID: names may repeat.
            file = oifits.read(path)
            ids = set(raw(file, rows, "TARGET_ID").tolist())
            key = (*ids, granule.insname, granule.night)
            assert len(ids) == 1
            assert key not in seen
            seen.add(key)
            if granule.t_min is not None and granule.t_max is not None:
                assert granule.t_max - granule.t_min < 1.1


def test_no_ghost_of_rows_without_time(real: Real) -> None:
    """Item 3: 47 flagged rows with MJD 0 make no granule, but are not passed over in silence."""
    extraction = real("chara-mircx-mystic/MWC480.oifits")
    assert {granule.night for granule in extraction.granules} == {"2018-10-27", "2018-10-28"}
    for granule in extraction.granules:
        assert "rows_without_time" in granule.quality_flags
    [(flag, sentence)] = extraction.notes
    assert flag == "rows_without_time"
    assert sentence.startswith("47 rows of TARGET_ID 1, INSNAME 'MIRCX'")


def test_julian_dates(real: Real) -> None:
    """Item 3a."""
    granule = only(real(next(path for path in CUT_NIGHTS if path.endswith("_1.oifits"))))
    assert "mjd_is_jd" in granule.quality_flags
    assert granule.t_min == pytest.approx(2457608.3125 - 2400000.5, abs=0.01)
    assert granule.night == "2016-08-07"


def test_begin_and_end_include_the_half_exposures(real: Real) -> None:
    """Item 3b."""
    path = "vlti-pionier/alfPic_PIONIER.fits"
    assert oracle()[path][0]["t_min"] == oracle()[path][0]["t_max"]
    granule = only(real(path))
    assert granule.t_min is not None
    assert granule.t_max is not None
    assert (granule.t_max - granule.t_min) * 86400 == pytest.approx(192.0, abs=0.01)


def test_hour_in_the_time_column(real: Real) -> None:
    """Item 3c: whole MJD, the seconds of the day in TIME: 06:38 to 09:38 UT and later."""
    granule = only(real("contest/2004-BSC1948I.fits"))
    assert "time_from_time_column" in granule.quality_flags
    assert granule.t_min == pytest.approx(53000 + 23917.2 / 86400, abs=1e-6)
    assert granule.night == "2003-12-26"
    assert granule.t_xel == 7


def test_hour_that_nothing_tells(real: Real) -> None:
    granule = only(real("jwst-niriss/ABDor_NIRISS_F480M.oifits"))
    assert "time_of_day_unknown" in granule.quality_flags


@pytest.mark.parametrize(
    ("path", "reference", "facility"),
    [
        ("coast/testdata_opt.fits", "", "COAST"),  # item 4: no ARRNAME
        ("iota/arcturus.1.52mu.fits", "IOTA", "IOTA"),  # 4a, 4b: several ARRNAMEs, no OI_ARRAY
        ("chara-mirc/2011Sep02.lam_And_prepped.oifits", "CHARA_v", "CHARA"),  # 4c
        ("simulated/Aspro2_HD_1234_AMBER_A1-G1-I1_2011-10-16.fits", "VLTI Period 89", "VLTI"),
        ("contest/2004-FKV1137.fits", "NPOI_2004-01-07", "NPOI"),
        ("jwst-niriss/NuHor_F480M.oifits", "g7", "JWST"),
        ("conformance/TEST_CreateOIFileV2.fits", "Chara", "CHARA"),
    ],
)
def test_facilities(real: Real, path: str, reference: str, facility: str) -> None:
    assert any(row["facility_name"].startswith(reference) for row in oracle()[path])
    assert {granule.facility_name for granule in real(path).granules} == {facility}


def test_several_arrays_of_one_facility(real: Real) -> None:
    """Item 4a: all ARRNAMEs are kept."""
    granule = only(real("iota/arcturus.1.52mu.fits"))
    assert granule.arrnames == ["IOTA_AB", "IOTA_ABC", "IOTA_AC", "IOTA_BC"]
    assert {"several_arrays", "array_unknown", "station_unknown"} <= set(granule.quality_flags)
    assert granule.stations == []
    assert granule.tel_number is None


def test_array_that_the_file_does_not_define(real: Real) -> None:
    """Item 4b."""
    for granule in real("conformance/v2_bad_missing_array.fits").granules:
        assert {"array_unknown", "station_unknown"} <= set(granule.quality_flags)
        assert granule.arrnames == ["VLTI"]
        assert granule.facility_name == "VLTI"
        assert granule.stations == []


@pytest.mark.parametrize(
    ("path", "insname", "instrument", "mode"),
    [
        ("chara-mircx-mystic/rho_Cas_example.oifits", "MIRCX", "MYSTIC", "Med_K"),  # item 4d
        (
            "vlti-pionier/PIONIER.2012-12-20T03_04_23_oidataCalibrated.fits",
            "PIONIER_Pnat(1.5889798/1.7600835)",
            "PIONIER",
            "SMALL-H",
        ),
        ("chara-mirc/betlyr6t.oifits", "H_PRISM", "MIRC", "Low_H"),
        ("vlti-midi/NGC5128_2005.oifits", "MIDI/PRISM", "MIDI", None),
    ],
)
def test_instruments(
    real: Real, path: str, insname: str, instrument: str, mode: str | None
) -> None:
    for granule in real(path).granules:
        assert granule.insname == insname
        assert (granule.instrument_name, granule.instrument_mode) == (instrument, mode)


def test_band_edges(shared: Path, real: Real) -> None:
    """Item 5: a single channel has a width, and no band is that of the centres alone."""
    path = "vlti-pionier/PIONIER.2013-05-13T04_45_48_oidataCalibrated.fits"
    [row] = oracle()[path]
    assert row["em_min"] == row["em_max"]
    granule = only(real(path))
    assert granule.em_min == pytest.approx(1.5585e-6, rel=1e-3)
    assert granule.em_max == pytest.approx(1.8036e-6, rel=1e-3)
    for name in oracle():
        for granule in real(name).granules:
            if granule.em_min is not None and "bandwidth_doubtful" not in granule.quality_flags:
                assert granule.em_max is not None
                assert granule.em_min < granule.em_max


@pytest.mark.parametrize(
    ("path", "reference", "edges"),
    [
        # MIDI: 5.2 to 13.8 um are recorded, 8.1 to 13.0 um are not flagged
        ("vlti-midi/NGC5128_2005.oifits", (5.2e-6, 13.8e-6), (8.10e-6, 13.02e-6)),
    ],
)
def test_flagged_channels_do_not_widen_the_band(
    real: Real, path: str, reference: tuple[float, float], edges: tuple[float, float]
) -> None:
    """Item 5a."""
    for row in oracle()[path]:
        assert (float(row["em_min"]), float(row["em_max"])) == pytest.approx(reference, rel=0.01)
    for granule in real(path).granules:
        assert "flagged_channels" in granule.quality_flags
        assert (granule.em_min, granule.em_max) == pytest.approx(edges, rel=0.002)
        assert granule.nb_channels == 171


def test_band_is_that_of_usable_channels(shared: Path, real: Real) -> None:
    """Item 5a over all files, from the tables themselves."""
    for path in readable_files():
        file = oifits.read(path)
        extraction = real(str(path.relative_to(shared / "oifits")))
        for granule, rows in zip(extraction.granules, extraction.rows, strict=True):
            usable = usable_channels(file, rows, granule.nb_channels)
            narrowed = not usable.all() and bool(usable.any())
            assert ("flagged_channels" in granule.quality_flags) == narrowed
            assert ("all_flagged" in granule.quality_flags) == (not usable.any())
            table = file.wavelength(granule.insname)
            assert table is not None
            wave, width = table.wavelength, table.bandwidth
            assert wave is not None
            assert width is not None
            if usable.any() and "bandwidth_doubtful" not in granule.quality_flags:
                assert granule.em_min == pytest.approx((wave - width / 2)[usable].min())
                assert granule.em_max == pytest.approx((wave + width / 2)[usable].max())


def usable_channels(
    file: oifits.OIFits, rows: dict[int, Any], channels: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Channels in which some row has a finite value without flag, cell by cell."""
    usable = np.zeros(channels, np.bool_)
    names = {"OI_VIS": "VISAMP VISPHI", "OI_VIS2": "VIS2DATA", "OI_T3": "T3AMP T3PHI"}
    for table in file.data:
        if table.hdu not in rows:
            continue
        flag = table.flag
        for name in names.get(table.extname, "FLUXDATA FLUX").split():
            values = table.values(name)
            if values is None:
                continue
            bad = np.zeros(values.shape, np.bool_) if flag is None else flag
            if values.shape[1] == bad.shape[1] == channels:
                usable |= (np.isfinite(values) & ~bad)[rows[table.hdu]].any(axis=0)
    return usable


def test_resolving_power_that_nothing_tells(real: Real) -> None:
    """Item 5b: None, not NaN."""
    path = "simulated/merged.fits"
    lost = {row["instrument_name"] for row in oracle()[path] if row["em_res_power"] == "NaN"}
    for granule in real(path).granules:
        assert (granule.em_res_power is None) == (granule.insname in lost)
        assert ("bandwidth_doubtful" in granule.quality_flags) == (granule.insname in lost)


@pytest.mark.parametrize(
    "path",
    [
        "chara-mircx-mystic/2019_v1295Aql.WL_SMOOTH.A.oifits",  # 5c: 160, the channels say 32
        "vlti-amber/ALPHACOL_2010-01-09T00_58.fits",  # 5d: 22930, the grating resolves 12000
    ],
)
def test_doubtful_resolving_power(real: Real, path: str) -> None:
    doubtful = [g for g in real(path).granules if "res_power_doubtful" in g.quality_flags]
    assert doubtful
    for granule in doubtful:
        [row] = [
            row
            for row in oracle()[path]
            if row["instrument_name"] == granule.insname
            and granule.t_min is not None
            and granule.t_max is not None
            and granule.t_min <= float(row["t_min"]) <= granule.t_max
        ]
        assert granule.em_res_power == pytest.approx(float(row["em_res_power"]), rel=0.2)


def test_ordinary_resolving_power(real: Real) -> None:
    granule = only(real("vlti-pionier/alfPic_PIONIER.fits"))
    assert "res_power_doubtful" not in granule.quality_flags
    assert granule.em_res_power == pytest.approx(34.2, abs=0.1)


def test_flagged_and_empty_rows_are_rows_but_no_points(shared: Path, real: Real) -> None:
    """Items 6, 6a: rows count all rows, points only unflagged finite values; by astropy."""
    path = "chara-mircx-mystic/SU_Lyn.oifits"
    granule = only(real(path))
    with fits.open(shared / "oifits" / path) as hdus:
        for name, column, rows, points in (
            ("OI_VIS2", "VIS2DATA", granule.nb_vis2, granule.nb_vis2_points),
            ("OI_T3", "T3PHI", granule.nb_t3, granule.nb_t3_points),
        ):
            tables = [hdu.data for hdu in hdus if hdu.name == name]
            assert rows == sum(len(table) for table in tables)
            assert points == sum(
                int((np.isfinite(table[column]) & ~table["FLAG"]).sum()) for table in tables
            )
            assert 0 < points < rows * granule.nb_channels


def test_granules_with_every_row_flagged(real: Real) -> None:
    """Item 6: they stay, and say so."""
    flagged = [
        granule
        for granule in real("npoi/HD140573.oifits").granules
        if "all_flagged" in granule.quality_flags
    ]
    assert flagged
    for granule in flagged:
        assert granule.nb_vis2 + granule.nb_t3 > 0
        assert granule.nb_vis2_points == granule.nb_t3_points == granule.nb_vis_points == 0


def test_spectra_count(real: Real) -> None:
    """Item 6b: COAST's test data have a granule of nothing but spectra."""
    path = "coast/testdata.fits"
    assert any(row["nb_vis"] == row["nb_vis2"] == row["nb_t3"] == "0" for row in oracle()[path])
    spectrum = real(path).granules[0]
    assert (spectrum.nb_flux, spectrum.nb_flux_points) == (1, 1)
    assert spectrum.o_ucd == "phot.flux.density"
    assert spectrum.baselines == []
    assert spectrum.uv_distance_max is None
    assert spectrum.stations == ["C"]


def test_one_set_up_under_several_names(real: Real) -> None:
    """Item 7."""
    for path in (
        "chara-mirc/2011Sep02.lam_And_prepped.oifits",
        "vlti-pionier/PIONIER.2013-06-15_SCI_HD142527_oiDataCalib_1_.fits",
    ):
        for granule in real(path).granules:
            assert "insname_repeated" in granule.quality_flags
            assert granule.instrument_mode is not None
        assert len({granule.insname for granule in real(path).granules}) > 1
        assert len({granule.instrument_mode for granule in real(path).granules}) == 1
    assert "insname_repeated" not in only(real("vlti-pionier/pionier-1.fits")).quality_flags


def test_one_star_under_several_names(real: Real) -> None:
    """Items 7a, 7b: Spica, eleven rows of OI_TARGET and three spellings."""
    extraction = real("chara-mirc/2007_2012_2015.Spica.oifits")
    assert extraction.aliases == [("SPICA(1)", "SPICA(0)", "Spica")]
    for granule in extraction.granules:
        assert "same_target_twice" in granule.quality_flags
        suffix = (granule.target_name or "").endswith(")")
        assert ("target_name_suffix" in granule.quality_flags) == suffix


def test_components_of_a_pair_stay_apart(real: Real) -> None:
    """Item 7a: CO Ori A and B are two arcsec from each other."""
    extraction = real("vlti-gravity/gravity-3.fits")
    assert extraction.aliases == []
    for granule in extraction.granules:
        assert "same_target_twice" not in granule.quality_flags


def test_target_without_name(real: Real) -> None:
    """Item 7c."""
    granule = only(real("vlti-matisse/CALIB_RAW_INT_0001.fits"))
    assert granule.target_name is None
    assert "target_unnamed" in granule.quality_flags


def test_target_without_position(real: Real) -> None:
    """Item 7c: RA = Dec = 0 in all of JWST's files."""
    for path in oracle():
        if path.startswith("jwst-niriss/"):
            granule = only(real(path))
            assert (granule.s_ra, granule.s_dec) == (None, None)
            assert "no_position" in granule.quality_flags


@pytest.mark.parametrize(
    ("path", "category"),
    [
        ("vlti-matisse/MATIS_calibrator-LM_reduced.fits", "CALIB"),  # both say so
        ("vlti-matisse/2018-07-17T085626_94Aqr_Part2.fits", "CALIB"),  # OI_TARGET alone
        ("vlti-pionier/alfPic_PIONIER.fits", "SCIENCE"),  # DPR CATG alone
        ("vlti-matisse/HD_163296_2019-03-23T08_41_19_L_TARGET_FINALCAL_INT.fits", "SCIENCE"),
        ("vlti-pionier/AXCir.oifits", None),  # nothing says
    ],
)
def test_categories(real: Real, path: str, category: str | None) -> None:
    """Item 7d."""
    assert {granule.category for granule in real(path).granules} == {category}


def test_categories_that_contradict_each_other(real: Real) -> None:
    """Item 7d: CATEGORY CAL in a product made as a science target: unknown, and flagged."""
    granule = only(real("vlti-matisse/2018-07-17T085626_94Aqr_Part1.fits"))
    assert granule.category is None
    assert "category_conflict" in granule.quality_flags


@pytest.mark.parametrize("version", [1, 2])
def test_target_ids_are_not_repaired(real: Real, version: int) -> None:
    """Item 5.6: data of a target that OI_TARGET does not list make a note, no granule."""
    extraction = real(f"conformance/v{version}_bad_missing_target.fits")
    assert extraction.granules == []
    assert {flag for flag, _ in extraction.notes} == {"unknown_target"}
    assert "OI_TARGET does not list TARGET_ID 1" in extraction.notes[0][1]


def test_known_sites_come_before_coordinates(shared: Path, real: Real) -> None:
    """Item 5.7: the array calls itself Chara and says it is on Paranal; the name decides."""
    path = "conformance/TEST_CreateOIFileV2.fits"
    centre = oifits.read(shared / "oifits" / path).arrays[0].centre
    assert centre is not None
    assert geometry.longitude(*centre) == pytest.approx(-70.4, abs=0.1)
    assert {granule.facility_name for granule in real(path).granules} == {"CHARA"}


# ---------------------------------------------------------------- what holds for every file


def test_values_of_all_files_are_sane(shared: Path, real: Real) -> None:
    for path in readable_files():
        extraction = real(str(path.relative_to(shared / "oifits")))
        assert [granule.number for granule in extraction.granules] == list(
            range(len(extraction.granules))
        )
        for flag, sentence in extraction.notes:
            assert flag in QUALITY_FLAGS
            assert sentence.endswith(".")
        for granule in extraction.granules:
            assert_sane(granule)


def assert_sane(granule: Granule) -> None:
    for item in dataclasses.fields(Granule):
        value = getattr(granule, item.name)
        if isinstance(value, float):
            assert math.isfinite(value), item.name
        assert not isinstance(value, np.generic), item.name
    assert set(granule.quality_flags) <= set(QUALITY_FLAGS)
    assert granule.quality_flags == sorted(set(granule.quality_flags))
    assert granule.stations == sorted(set(granule.stations))
    if granule.t_min is not None:
        assert granule.t_max is not None
        assert granule.t_min <= granule.t_max
        if granule.t_exptime is not None:
            assert granule.t_exptime <= (granule.t_max - granule.t_min) * 86400 + 1e-3
    for name in ("vis", "vis2", "t3", "flux"):
        rows, points = getattr(granule, f"nb_{name}"), getattr(granule, f"nb_{name}_points")
        assert 0 <= points <= rows * granule.nb_channels
    if granule.tel_max_dist is not None and granule.uv_distance_max is not None:
        assert granule.uv_distance_max <= granule.tel_max_dist * 1.03
    assert_sane_baselines(granule)


def assert_sane_baselines(granule: Granule) -> None:
    for line in granule.baselines:
        for value in line:
            assert not isinstance(value, float) or math.isfinite(value)
            assert not isinstance(value, np.generic)
        assert line.length == pytest.approx(math.hypot(line.u, line.v))
        assert 0 <= line.position_angle < 360
        assert line.u == pytest.approx(
            line.length * math.sin(math.radians(line.position_angle)), abs=1e-6
        )
        for station in (line.station1, line.station2):
            assert station is None or station in granule.stations
        if line.mjd is not None and granule.t_min is not None and granule.t_max is not None:
            assert granule.t_min <= line.mjd <= granule.t_max
    if granule.baselines:
        lengths = [line.length for line in granule.baselines]
        assert granule.uv_distance_min in lengths
        assert granule.uv_distance_max in lengths
        assert granule.uv_distribution_ecc is not None
        assert 0 <= granule.uv_distribution_ecc <= 1


def test_each_station_pair_and_time_is_there_once(shared: Path, real: Real) -> None:
    for path in readable_files():
        for granule in real(str(path.relative_to(shared / "oifits"))).granules:
            if "time_of_day_unknown" in granule.quality_flags or not granule.stations:
                continue
            if "station_unknown" in granule.quality_flags:
                continue
            places = [
                (line.mjd, *sorted((line.station1 or "", line.station2 or "")), round(line.length))
                for line in granule.baselines
            ]
            assert len(places) == len(set(places))


def test_vis_vis2_and_t3_of_one_instant_are_one_baseline_each(real: Real) -> None:
    """Fifteen pairs of six telescopes, which OI_VIS, OI_VIS2 and OI_T3 all have."""
    granule = only(real("chara-mircx-mystic/mircx02330_oifits_viscal.fits"))
    assert (granule.nb_vis, granule.nb_vis2, granule.nb_t3) == (15, 15, 20)
    assert len(granule.baselines) == 15
    assert granule.tel_number == 6
    assert granule.stations == ["E1", "E2", "S1", "S2", "W1", "W2"]


def test_mean_squared_visibilities(shared: Path, real: Real) -> None:
    """Over the unflagged channels, by astropy."""
    path = "vlti-pionier/alfPic_PIONIER.fits"
    granule = only(real(path))
    with fits.open(shared / "oifits" / path) as hdus:
        table = hdus["OI_VIS2"].data
        good = np.where(table["FLAG"] | ~np.isfinite(table["VIS2DATA"]), np.nan, 1.0)
        expected = np.nanmean(table["VIS2DATA"] * good, axis=1)
        errors = np.nanmean(table["VIS2ERR"] * good, axis=1)
        for u, value, error in zip(table["UCOORD"], expected, errors, strict=True):
            [line] = [line for line in granule.baselines if line.u == u]
            assert line.vis2 == pytest.approx(value)
            assert line.vis2_err == pytest.approx(error)


def test_a_second_reading_says_the_same(shared: Path, real: Real) -> None:
    for path in ("chara-mircx-mystic/polaris.oifits", "npoi/HD140573.oifits"):
        again = extract(oifits.read(shared / "oifits" / path), vocabulary.load())
        assert again.granules == real(path).granules


# ---------------------------------------------------------------- simulated truth


@pytest.fixture(scope="module")
def demonstration(
    earth_as_it_comes: None, tmp_path_factory: pytest.TempPathFactory
) -> list[simulate.SimulatedFile]:
    return simulate.demonstration(tmp_path_factory.mktemp("demonstration"))


def test_granules_of_the_demonstration(demonstration: list[simulate.SimulatedFile]) -> None:
    """All that the simulator put in comes out."""
    for file in demonstration:
        extraction = extract(oifits.read(file.path), vocabulary.load())
        assert extraction.notes == []
        assert len(extraction.granules) == len(file.granules)
        for granule in extraction.granules:
            assert_sane(granule)
            [true] = [
                one
                for one in file.granules
                if (one.target.name, one.insname, one.night.isoformat())
                == (granule.target_name, granule.insname, granule.night)
            ]
            assert_true(granule, true)


def assert_true(granule: Granule, true: simulate.SimulatedGranule) -> None:
    assert granule.s_ra == pytest.approx(true.target.ra, abs=1e-9)
    assert granule.s_dec == pytest.approx(true.target.dec, abs=1e-9)
    assert granule.facility_name == true.facility
    assert (granule.instrument_name, granule.instrument_mode) == (true.instrument, true.mode)
    assert granule.stations == list(true.stations)
    assert granule.tel_number == len(true.stations)
    assert (granule.nb_vis, granule.nb_vis2, granule.nb_t3, granule.nb_flux) == (
        true.n_vis, true.n_vis2, true.n_t3, true.n_flux,
    )  # fmt: skip
    assert granule.nb_channels == true.n_channels
    assert granule.t_min == pytest.approx(true.t_min, abs=1e-8)
    assert granule.t_max == pytest.approx(true.t_max, abs=1e-8)
    assert granule.t_exptime == pytest.approx(true.exptime, rel=1e-6)
    assert granule.em_min == pytest.approx(true.em_min, rel=1e-6)
    assert granule.em_max == pytest.approx(true.em_max, rel=1e-6)
    pairs = len(true.stations) * (len(true.stations) - 1) // 2
    assert granule.t_xel is not None
    assert len(granule.baselines) == pairs * granule.t_xel
    if true.n_vis2:
        means = [line.vis2 for line in granule.baselines]
        assert all(value is not None and -0.2 < value < 1.2 for value in means)


# ---------------------------------------------------------------- one fault, one flag


@cache
def plain(version: int) -> bytes:
    """A file of one star, one night, two exposures, four telescopes, with all tables."""
    vlti = vocabulary.load().facility("VLTI")
    assert vlti is not None
    star = simulate.Target("SIM UD 1", 110.5, -25.2, simulate.Disk(1.8))
    setup = replace(simulate.PIONIER_GRISM, vis=True, flux="U" if version == 2 else None)
    with (
        warnings.catch_warnings(),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        warnings.simplefilter("ignore")
        transit = simulate.transit(star, vlti, date(2019, 2, 3))
        stations = ("A0", "G1", "J2", "J3")
        hdus = simulate.simulate(
            vlti,
            [setup],
            [
                simulate.Exposure(star, stations, transit),
                simulate.Exposure(star, stations, transit + 0.02),
            ],
            version=2 if version == 2 else 1,
            polarisation=version == 2,
        )
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    return buffer.getvalue()


@pytest.fixture
def edited(saved: Save) -> Callable[..., Extraction]:
    """What is extracted from the plain file after a change."""

    def read(edit: Edit, version: int = 2) -> Extraction:
        with fits.open(io.BytesIO(plain(version)), memmap=False) as hdus:
            edit(hdus)
            path = saved(hdus)
        extraction = extract(oifits.read(path), vocabulary.load())
        for granule in extraction.granules:
            assert_sane(granule)
        return extraction

    return read


Edited = Callable[..., Extraction]


def tables(hdus: fits.HDUList, *names: str) -> Iterator[fits.BinTableHDU]:
    names = names or ("OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX")
    yield from (hdu for hdu in hdus if hdu.name in names)


def fill(column: str, value: object, *names: str) -> Edit:
    """Sets a whole column of the data tables, or of those named."""

    def edit(hdus: fits.HDUList) -> None:
        for hdu in tables(hdus, *names):
            if column in hdu.columns.names:
                hdu.data[column] = value

    return edit


def keyword(name: str, value: object, *names: str) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        for hdu in tables(hdus, *names):
            hdu.header[name] = value

    return edit


def without(*names: str) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        for name in names:
            del hdus[name]

    return edit


def test_plain_file(edited: Edited) -> None:
    granule = only(edited(lambda hdus: None))
    assert granule.quality_flags == []
    assert (granule.target_name, granule.night) == ("SIM UD 1", "2019-02-03")
    assert granule.t_xel == 2
    assert len(granule.baselines) == 12
    assert granule.o_ucd == "stat.fourier"
    assert granule.pol_states == "/XX/YY/"
    assert granule.pol_xel == 2
    assert granule.tel_diameter == pytest.approx(1.8)
    vlti = vocabulary.load().facility("VLTI")
    assert vlti is not None
    a0, j3 = vlti.stations["A0"], vlti.stations["J3"]
    assert granule.tel_max_dist == pytest.approx(
        math.dist((a0.east, a0.north, a0.up), (j3.east, j3.north, j3.up))
    )
    assert granule.em_max is not None
    assert granule.s_fov == pytest.approx(math.degrees(granule.em_max / 1.8))
    assert granule.uv_distance_max is not None
    assert granule.em_min is not None
    assert granule.s_resolution == pytest.approx(
        granule.em_min / (2 * granule.uv_distance_max) * 206264.806
    )


@pytest.mark.parametrize(
    ("edit", "flags"),
    [
        (fill("INT_TIME", np.nan), {"int_time_missing"}),
        (fill("INT_TIME", np.inf), {"int_time_missing"}),
        (fill("INT_TIME", -1.0), {"int_time_missing"}),
        (fill("INT_TIME", 30000.0), {"int_time_implausible"}),
        (fill("MJD", np.nan), {"no_time"}),
        (fill("MJD", 1e9), {"no_time"}),
        (fill("MJD", 58517.0), {"time_of_day_unknown"}),
        (fill("FLAG", True), {"all_flagged"}),
        (fill("EQUINOX", 1950.0, "OI_TARGET"), {"equinox_not_2000"}),
        (fill("RAEP0", 1000.0, "OI_TARGET"), {"no_position"}),
        (fill("DECEP0", np.nan, "OI_TARGET"), {"no_position"}),
        (fill("TARGET", "", "OI_TARGET"), {"target_unnamed"}),
        (fill("TARGET", "STAR (12)", "OI_TARGET"), {"target_name_suffix"}),
        (fill("EFF_BAND", 0.0, "OI_WAVELENGTH"), {"bandwidth_doubtful"}),
        (fill("EFF_BAND", 1.0, "OI_WAVELENGTH"), {"bandwidth_doubtful"}),
        (fill("EFF_BAND", 1e-9, "OI_WAVELENGTH"), {"res_power_doubtful"}),
        (fill("EFF_WAVE", 1.65, "OI_WAVELENGTH"), {"wavelength_implausible"}),
        (fill("UCOORD", np.nan, "OI_VIS2"), {"uv_missing"}),
        (fill("STA_INDEX", 99, "OI_ARRAY"), {"station_unknown"}),
        (without("OI_ARRAY"), {"array_unknown", "station_unknown"}),
        (keyword("ARRNAME", "ELSEWHERE"), {"array_unknown", "station_unknown"}),
    ],
)  # fmt: skip
def test_one_fault_one_flag(edited: Edited, edit: Edit, flags: set[str]) -> None:
    granule = only(edited(edit))
    assert set(granule.quality_flags) - {"instrument_unknown"} == flags


def test_unknown_set_up(edited: Edited) -> None:
    extraction = edited(keyword("INSNAME", "OTHER", "OI_T3"))
    assert only(extraction).nb_t3 == 0
    [(flag, sentence)] = extraction.notes
    assert flag == "unknown_insname"
    assert "INSNAME 'OTHER'" in sentence
    assert "8 rows" in sentence


def test_unknown_target(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        hdus["OI_VIS2"].data["TARGET_ID"][0] = 7

    extraction = edited(edit)
    assert only(extraction).nb_vis2 == 11
    [(flag, sentence)] = extraction.notes
    assert flag == "unknown_target"
    assert "OI_TARGET does not list TARGET_ID 7" in sentence


def test_no_table_of_targets(edited: Edited) -> None:
    extraction = edited(without("OI_TARGET"))
    assert extraction.granules == []
    assert {flag for flag, _ in extraction.notes} == {"unknown_target"}


def test_repeated_target_id(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        table = hdus["OI_TARGET"]
        double = fits.BinTableHDU.from_columns(table.columns, nrows=2, header=table.header)
        double.data[1] = table.data[0]
        double.data["TARGET"][1] = "SIM UD 1 AGAIN"
        hdus[hdus.index_of("OI_TARGET")] = double

    extraction = edited(edit)
    granule = only(extraction)
    assert {"target_id_repeated", "same_target_twice"} == set(granule.quality_flags)
    assert granule.target_name == "SIM UD 1"
    assert extraction.aliases == [("SIM UD 1", "SIM UD 1 AGAIN")]


def test_unflagged_rows_without_time_make_a_granule(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        hdus["OI_VIS2"].data["MJD"][:3] = 0

    timed, timeless = edited(edit).granules
    assert (timed.night, timed.nb_vis2) == ("2019-02-03", 9)
    assert (timeless.night, timeless.nb_vis2) == (None, 3)
    assert timeless.t_min is None
    assert timeless.t_exptime is None
    assert timeless.quality_flags == ["no_time"]
    assert [line.mjd for line in timeless.baselines] == [None] * 3


def test_day_of_the_header_with_the_hour_of_the_time_column(edited: Edited) -> None:
    """OIFITS 1: TIME counts from midnight of DATE-OBS."""

    def edit(hdus: fits.HDUList) -> None:
        for hdu in tables(hdus):
            hdu.header["DATE-OBS"] = "2019-02-04"
            hdu.data["TIME"] = 3600.0
            hdu.data["MJD"] = 0.0

    granule = only(edited(edit, 1))
    assert granule.quality_flags == ["time_from_time_column"]
    assert granule.night == "2019-02-03"
    assert [line.mjd for line in granule.baselines[:1]] == [pytest.approx(58518 + 1 / 24)]


def test_two_nights(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        for hdu in tables(hdus):
            hdu.data["MJD"][: len(hdu.data) // 2] -= 3

    first, second = edited(edit).granules
    assert (first.night, second.night) == ("2019-01-31", "2019-02-03")
    assert first.nb_vis2 == second.nb_vis2 == 6
    assert first.t_xel == second.t_xel == 1


def test_facilities_that_disagree(edited: Edited) -> None:
    granule = only(edited(keyword("ARRNAME", "CHARA", "OI_T3")))
    assert {"several_facilities", "array_unknown"} <= set(granule.quality_flags)
    assert granule.facility_name == "VLTI"
    assert granule.arrnames == ["CHARA", "VLTI"]


def test_only_array_of_a_file_is_meant_without_arrname(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        for hdu in tables(hdus):
            del hdu.header["ARRNAME"]

    granule = only(edited(edit))
    assert granule.quality_flags == ["array_unknown"]
    assert granule.stations == ["A0", "G1", "J2", "J3"]
    assert granule.arrnames == []


def test_unknown_everything(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        hdus[0].header["TELESCOP"] = hdus[0].header["INSTRUME"] = "NEW"
        for hdu in tables(hdus, "OI_ARRAY", "OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX"):
            hdu.header["ARRNAME"] = "NEW"
        for axis in "XYZ":
            hdus["OI_ARRAY"].header[f"ARRAY{axis}"] = 0.0
        for hdu in tables(hdus, "OI_WAVELENGTH", "OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX"):
            hdu.header["INSNAME"] = "NEW"

    granule = only(edited(edit))
    assert set(granule.quality_flags) == {"facility_unknown", "instrument_unknown"}
    assert granule.facility_name is granule.instrument_name is granule.instrument_mode is None
    assert granule.stations == ["A0", "G1", "J2", "J3"]


def test_place_of_an_unknown_array_tells_its_night(edited: Edited) -> None:
    """Half a world away from Paranal, the same instant is in the middle of the day before noon."""

    def edit(hdus: fits.HDUList) -> None:
        hdus[0].header["TELESCOP"] = hdus[0].header["INSTRUME"] = "NEW"
        for hdu in hdus[1:]:
            for name in ("ARRNAME", "INSNAME"):
                if name in hdu.header:
                    hdu.header[name] = "NEW"
        for axis, value in zip("XYZ", (-6.378e6 * 0.5, 6.378e6 * 0.866, 0.0), strict=True):
            hdus["OI_ARRAY"].header[f"ARRAY{axis}"] = value

    granule = only(edited(edit))
    assert granule.facility_name is None
    assert granule.t_min is not None
    hours = granule.t_min % 1 * 24 + 120 / 15  # local mean time
    assert (granule.night == "2019-02-03") == (hours < 12)


def test_wavelengths_in_any_order(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        for hdu in tables(hdus, "OI_WAVELENGTH"):
            hdu.data[:] = hdu.data[::-1].copy()

    straight, turned = only(edited(lambda hdus: None)), only(edited(edit))
    assert (straight.em_min, straight.em_max) == (turned.em_min, turned.em_max)
    assert straight.em_res_power == turned.em_res_power
    assert turned.quality_flags == []


def test_flags_of_another_number_of_channels(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        table = hdus["OI_WAVELENGTH"]
        hdus[hdus.index_of("OI_WAVELENGTH")] = fits.BinTableHDU(
            table.data[:-1], header=table.header
        )

    granule = only(edited(edit))
    assert {"channel_mismatch", "all_flagged"} <= set(granule.quality_flags)
    assert granule.nb_vis2 == 12
    assert granule.nb_vis2_points == 0


def test_squared_visibility_from_absolute_amplitudes(edited: Edited) -> None:
    """Only where AMPTYP says that VISAMP is a visibility, and OI_VIS2 is missing."""

    def lines(kind: str) -> list[Baseline]:
        def edit(hdus: fits.HDUList) -> None:
            without("OI_VIS2", "OI_T3")(hdus)
            hdus["OI_VIS"].header["AMPTYP"] = kind
            hdus["OI_VIS"].data["VISAMP"] = 0.5
            hdus["OI_VIS"].data["VISAMPERR"] = 0.01

        return only(edited(edit)).baselines

    assert len(lines("absolute")) == len(lines("correlated flux")) == 12
    for line in lines("absolute"):
        assert line.vis2 == pytest.approx(0.25)
        assert line.vis2_err == pytest.approx(0.01)
    assert {line.vis2 for line in lines("correlated flux")} == {None}


def test_baselines_of_triangles(edited: Edited) -> None:
    """With nothing but OI_T3, the legs of four triangles are six baselines at each time."""
    whole = only(edited(lambda hdus: None))
    granule = only(edited(without("OI_VIS", "OI_VIS2", "OI_FLUX")))
    assert len(granule.baselines) == 12

    def ends(lines: list[Baseline]) -> list[tuple[str, float]]:
        return sorted(
            ("-".join(sorted((line.station1 or "", line.station2 or ""))), round(line.length, 3))
            for line in lines
        )

    assert ends(granule.baselines) == ends(whole.baselines)
    assert {line.vis2 for line in granule.baselines} == {None}


def test_baselines_whose_times_differ_a_little(edited: Edited) -> None:
    """Triangles averaged over other frames than pairs still are the same integration."""

    def edit(hdus: fits.HDUList) -> None:
        hdus["OI_T3"].data["MJD"] += 5 / 86400
        hdus["OI_VIS"].data["MJD"] -= 5 / 86400

    granule = only(edited(edit))
    assert len(granule.baselines) == 12
    assert granule.t_xel == 2
    assert all(line.vis2 is not None for line in granule.baselines)


def test_stations_missing_in_one_direction(edited: Edited) -> None:
    """Rows that count a pair from the other station are the same pair."""

    def edit(hdus: fits.HDUList) -> None:
        table = hdus["OI_VIS"].data
        table["STA_INDEX"] = table["STA_INDEX"][:, ::-1].copy()
        table["UCOORD"] *= -1
        table["VCOORD"] *= -1

    assert len(only(edited(edit)).baselines) == 12


@pytest.mark.parametrize("spelling", ["UT1", "u1", "U1 "])
def test_spellings_of_stations(edited: Edited, spelling: str) -> None:
    def edit(hdus: fits.HDUList) -> None:
        hdus["OI_ARRAY"].data["STA_NAME"][0] = spelling
        hdus["OI_ARRAY"].data["DIAMETER"] = 0.0

    granule = only(edited(edit))
    assert "U1" in granule.stations
    assert granule.tel_diameter == pytest.approx(8.2)
    # The baselines are those of another station: longer than the stations are apart, or not.
    assert granule.tel_number == 4


def test_columns_with_a_dimension(edited: Edited) -> None:
    """Item 8: TDIM '(1)' on scalar columns, on which the reference fails."""

    def edit(hdus: fits.HDUList) -> None:
        for hdu in tables(hdus):
            for number, name in enumerate(hdu.columns.names, 1):
                if name in ("TARGET_ID", "TIME", "MJD", "INT_TIME", "UCOORD", "VCOORD"):
                    hdu.header[f"TDIM{number}"] = "(1)"

    assert only(edited(edit)) == only(edited(lambda hdus: None))


def test_other_name_of_the_flux_column(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        hdus["OI_FLUX"].columns.change_name("FLUXDATA", "FLUX")

    assert only(edited(edit)).nb_flux_points == only(edited(lambda hdus: None)).nb_flux_points > 0


def test_pair_components() -> None:
    def pair(one: str, other: str) -> bool:
        names = (targets.Target(name, 0.0, 0.0, None, set()) for name in (one, other))
        return targets._is_pair(*names)

    for one, other in (("CO_Ori_A", "CO_Ori_B"), ("BetaPicA", "BetaPicb"), ("51 Eri", "51 Eri b")):
        assert pair(one, other)
        assert pair(other, one)
    for one, other in (("Spica", "SPICA(1)"), ("alf Vir", "Spica"), ("HD 45677", "HD_45677")):
        assert not pair(one, other)


@given(
    st.lists(
        st.tuples(st.floats(0, 3600), st.floats(1, 600)).map(lambda at: (at[0], at[0] + at[1])),
        min_size=1,
        max_size=30,
    )
)
def test_time_on_target_is_bounded(spans: list[tuple[float, float]]) -> None:
    """Whatever the intervals: at least the longest, at most what they cover and their sum."""
    begin, end = np.array(spans).T
    count = begin.size
    rows = granules._Rows(
        granule=np.zeros(count, np.int64),
        kind=np.zeros(count, np.int64),
        mjd=58517 + (begin + end) / 2 / 86400,
        int_time=end - begin,
        good=np.ones(count, np.bool_),
        points=np.ones(count, np.int64),
        vis2=np.full(count, np.nan),
        vis2_err=np.full(count, np.nan),
    )
    setup = granules._Setup.__new__(granules._Setup)
    [exposure] = granules._exposures(rows, [granules._Draft(1, setup, 58516)])
    assert exposure.total is not None
    lengths = end - begin
    assert exposure.total >= lengths.max() - 1e-4
    assert exposure.total <= covered(spans) + 1e-4
    assert exposure.t_min == pytest.approx(58517 + begin.min() / 86400, abs=1e-9)
    assert exposure.t_max == pytest.approx(58517 + end.max() / 86400, abs=1e-9)


# ---------------------------------------------------------------- provenance


def header_of(text: str) -> Header:
    cards = [line.rstrip("\n")[:80].ljust(80) for line in text.splitlines()]
    return Header("".join(cards).encode("latin-1"))


def test_provenance_of_eso_products(shared: Path) -> None:
    """All sample headers against their index."""
    folder = shared / "eso_headers"
    with (folder / "INDEX.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert len(rows) > 100
    raw_files = 0
    columns = {
        "ESO OBS PROG ID": "obs_prog_id",
        "ESO OBS ID": "obs_id",
        "ARCFILE": "arcfile",
        "ESO PRO CATG": "pro_catg",
        "ESO DPR CATG": "dpr_catg",
    }
    for row in rows:
        path = folder / row["file"]
        found = provenance.provenance(header_of(path.read_text("latin-1")))
        for column, name in columns.items():
            if row[column]:  # the index has gaps
                expected = None if row[column] == "-1" else row[column]
                assert getattr(found, name) == expected
        first = provenance._ARCHIVE_NAME.match(row["ESO PRO REC1 RAW1 NAME"])
        if first:
            assert found.raw_files[0][0] == first[0]
        for dp_id, _ in found.raw_files:
            assert provenance._ARCHIVE_NAME.fullmatch(dp_id)
        raw_files += bool(found.raw_files)
    assert raw_files > 100


@pytest.mark.parametrize(
    ("path", "pipeline", "programme"),
    [
        (
            "vlti-gravity/GRAVI.2018-04-18T08-08-19.739_singlescivis_singlesciviscalibrated.fits",
            "GRAVITY pipeline 1.2.4",
            "0101.C-0907(B)",
        ),
        (
            "vlti-pionier/PIONI.2016-05-31T00_55_19.075_oidataCalibrated.fits",
            "pndrs_v3.53",
            "097.D-0350(B)",
        ),
        (
            "vlti-matisse/HD_163296_2019-03-23T08_41_19_L_TARGET_FINALCAL_INT.fits",
            "matisse/1.5.8",
            "0103.D-0294(A)",
        ),
        (
            "chara-mircx-mystic/mircx02330_oifits_viscal.fits",
            "mircx_pipeline 1.1.5",
            "2019A-M19",
        ),
    ],
)
def test_pipelines_and_programmes(real: Real, path: str, pipeline: str, programme: str) -> None:
    found = real(path).provenance
    assert (found.pipeline, found.obs_prog_id) == (pipeline, programme)


def test_raw_files(real: Real) -> None:
    """GRAVITY's product names an observation and a sky, with their categories."""
    found = real(
        "vlti-gravity/GRAVI.2018-04-18T08-08-19.739_singlescivis_singlesciviscalibrated.fits"
    ).provenance
    assert found.raw_files == [
        ("GRAVI.2018-04-18T08:08:19.739", "SINGLE_SCI_RAW"),
        ("GRAVI.2018-04-18T08:04:19.729", "SINGLE_SKY_RAW"),
    ]
    assert found.arcfile == "GRAVI.2018-04-18T08:08:19.739.fits"


@pytest.mark.parametrize(
    ("cards", "category"),
    [
        (["HIERARCH ESO DPR CATG = 'SCIENCE'"], "SCIENCE"),
        (["HIERARCH ESO DPR CATG = 'CALIB'", "HIERARCH ESO PRO CATG = 'X_SCI'"], "CALIB"),
        (["HIERARCH ESO PRO CATG = 'TARGET_CAL_INT'"], "SCIENCE"),
        (["HIERARCH ESO PRO CATG = 'SINGLE_CAL_VIS'"], "CALIB"),
        (["HIERARCH ESO PRO CATG = 'CALIB_RAW_INT'"], "CALIB"),
        (["HIERARCH ESO PRO CATG = 'OIDATA_CALIBRATED'"], None),
        (["HIERARCH ESO PRO SCIENCE = T"], None),
        ([], None),
    ],
)
def test_category_by_header(cards: list[str], category: str | None) -> None:
    assert targets._header_category(header_of("\n".join(cards))) == category


@pytest.mark.parametrize(("level", "expected"), [(4, 4), (0, None), (9, None)])
def test_quality_level_and_spica_row(level: int, expected: int | None) -> None:
    text = f"HIERARCH QUALITY LEVEL = {level}\nHIERARCH SPICADB-ID = 'ISSP-12'\nDATAPI  = 'A. B.'"
    found = provenance.provenance(header_of(text))
    assert found.quality_level == expected
    assert found.proposal_subid == "ISSP-12"
    assert found.datapi == "A. B."


def test_flags_are_explained() -> None:
    for name, sentence in QUALITY_FLAGS.items():
        assert name == name.lower()
        assert sentence.endswith(".")
        assert len(sentence) < 250
