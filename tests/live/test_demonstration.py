"""What the centre says of the demonstration files, against what was put into them."""

import hashlib
import io
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from astropy.io import fits

from ingest import checks, simulate
from ingest.vocabulary import load
from tests.live.client import ask, query
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

Row = dict[str, str]
Pair = tuple[simulate.SimulatedFile, simulate.SimulatedGranule, Row]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[simulate.SimulatedFile]:
    """The demonstration's files with their truth: the same bytes as those that were ingested."""
    return simulate.demonstration(tmp_path_factory.mktemp("demonstration"))


@pytest.fixture(scope="module")
def rows(centre: Centre) -> list[Row]:
    """All granules of the demonstration, with their files."""
    return query(
        centre.url,
        "SELECT g.*, file_name, oifits_version, f.sha256, f.md5, f.file_size, f.n_granules,"
        " f.media_type"
        " FROM oidb.granule AS g JOIN oidb.file AS f ON g.file_id=f.file_id"
        " WHERE g.obs_collection LIKE 'sim%'",
    )


@pytest.fixture(scope="module")
def pairs(files: list[simulate.SimulatedFile], rows: list[Row]) -> list[Pair]:
    """Each granule with the row about it."""
    found = {
        (row["file_name"], row["obs_collection"], row["target_name"], row["insname"],
         row["night"][:10]): row
        for row in rows
    }  # fmt: skip
    return [
        (file, granule, found[
            (file.path.name, file.collection, granule.target.name, granule.insname,
             granule.night.isoformat())
        ])
        for file in files
        for granule in file.granules
    ]  # fmt: skip


def test_there_is_a_row_for_each_granule_and_none_else(rows: list[Row], pairs: list[Pair]) -> None:
    assert len(pairs) == len(rows)
    assert len({row["granule_id"] for _, _, row in pairs}) == len(rows)


def test_names_and_position(pairs: list[Pair]) -> None:
    for file, granule, row in pairs:
        assert int(row["oifits_version"]) == file.version
        assert int(row["n_granules"]) == len(file.granules)
        assert float(row["s_ra"]) == pytest.approx(granule.target.ra, abs=1e-9)
        assert float(row["s_dec"]) == pytest.approx(granule.target.dec, abs=1e-9)
        assert row["facility_name"] == granule.facility
        assert row["instrument_name"] == granule.instrument
        assert row["instrument_mode"] == (granule.mode or "")
        assert row["stations"].split() == sorted(granule.stations)
        assert int(row["tel_number"]) == len(granule.stations)


def test_category(pairs: list[Pair]) -> None:
    said = {"SCI": "SCIENCE", "CAL": "CALIB"}
    for file, granule, row in pairs:
        if row["dataproduct_category"]:
            assert row["dataproduct_category"] == said[granule.target.category]
        else:
            # OIFITS 1 has no category, and only ESO's headers have one.
            assert file.version == 1
            assert granule.facility != "VLTI"


def test_counts(pairs: list[Pair]) -> None:
    for _, granule, row in pairs:
        assert int(row["nb_vis"]) == granule.n_vis
        assert int(row["nb_vis2"]) == granule.n_vis2
        assert int(row["nb_t3"]) == granule.n_t3
        assert int(row["nb_flux"]) == granule.n_flux
        assert int(row["em_xel"]) == granule.n_channels
        for kind in ("vis", "vis2", "t3", "flux"):
            points = int(row[f"nb_{kind}_points"])
            assert points <= int(row[f"nb_{kind}"]) * granule.n_channels
            assert (points > 0) == (int(row[f"nb_{kind}"]) > 0)


def test_time_and_band(pairs: list[Pair]) -> None:
    second = 1 / 86400
    for _, granule, row in pairs:
        assert float(row["t_min"]) == pytest.approx(granule.t_min, abs=0.1 * second)
        assert float(row["t_max"]) == pytest.approx(granule.t_max, abs=0.1 * second)
        assert float(row["t_exptime"]) == pytest.approx(granule.exptime, rel=1e-3)
        assert float(row["em_min"]) == pytest.approx(granule.em_min, rel=1e-6)
        assert float(row["em_max"]) == pytest.approx(granule.em_max, rel=1e-6)


def test_resolution_follows_from_band_and_baseline(pairs: list[Pair]) -> None:
    arcsec = math.degrees(1) * 3600
    for _, granule, row in pairs:
        longest = float(row["uv_distance_max"])
        expected = granule.em_min / (2 * longest) * arcsec
        # The shortest wavelength of a channel lies half a channel within the band.
        assert expected <= float(row["s_resolution"]) < 1.35 * expected


def _points(path: Path, insname: str, target: str) -> Iterator[tuple[float, float]]:
    """uv points of OI_VIS2 as astropy reads them, m."""
    with fits.open(path) as hdus:
        names = {int(row["TARGET_ID"]): row["TARGET"].strip() for row in hdus["OI_TARGET"].data}
        for hdu in hdus:
            if hdu.name == "OI_VIS2" and hdu.header["INSNAME"].strip() == insname:
                for row in hdu.data:
                    if names[int(row["TARGET_ID"])] == target:
                        yield float(row["UCOORD"]), float(row["VCOORD"])


def test_baselines_are_those_in_the_file(centre: Centre, pairs: list[Pair]) -> None:
    """Against astropy's reading of the file, and against the geometry that made it."""
    for file, granule, row in pairs[:12]:
        lines = query(
            centre.url, f"SELECT * FROM oidb.baseline WHERE granule_id={row['granule_id']}"
        )
        assert len(lines) == granule.n_vis2
        lengths = []
        facility = load().facility(granule.facility)
        assert facility is not None
        for line in lines:
            u, v, length = float(line["u"]), float(line["v"]), float(line["length"])
            lengths.append(length)
            assert length == pytest.approx(math.hypot(u, v), rel=1e-6)
            angle = math.degrees(math.atan2(u, v)) % 360
            assert float(line["position_angle"]) == pytest.approx(angle, abs=1e-3)
            vector = simulate.station_xyz(facility, line["station2"]) - simulate.station_xyz(
                facility, line["station1"]
            )
            expected = simulate.uv_coordinates(
                vector, granule.target.ra, granule.target.dec, float(line["mjd"])
            )
            assert (u, v) == pytest.approx(expected, abs=0.02)
        assert float(row["uv_distance_min"]) == pytest.approx(min(lengths), rel=1e-6)
        assert float(row["uv_distance_max"]) == pytest.approx(max(lengths), rel=1e-6)
        if len(file.granules) == 1:
            in_file = sorted(np.hypot(u, v) for u, v in _points(
                file.path, granule.insname, granule.target.name
            ))  # fmt: skip
            assert sorted(lengths) == pytest.approx(in_file, rel=1e-5)


def test_mean_visibilities_are_those_of_the_model(centre: Centre, pairs: list[Pair]) -> None:
    """|V|² of the model at the middle of the band, within errors and the width of the band."""
    [(_, granule, row)] = [pair for pair in pairs if pair[0].path.name == "pionier_ud1_large.fits"]
    wavelength = (granule.em_min + granule.em_max) / 2
    lines = query(
        centre.url, f"SELECT u, v, vis2, vis2_err FROM oidb.baseline"
        f" WHERE granule_id={row['granule_id']}",
    )  # fmt: skip
    assert len(lines) == granule.n_vis2
    for line in lines:
        u, v = (np.array([float(line[name]) / wavelength]) for name in "uv")
        model = abs(granule.target.model.visibility(u, v)[0]) ** 2
        assert float(line["vis2"]) == pytest.approx(model, abs=4 * float(line["vis2_err"]) + 0.03)


def test_files_come_back_as_they_went_in(
    centre: Centre, files: list[simulate.SimulatedFile], pairs: list[Pair]
) -> None:
    for file, _, row in pairs:
        content = file.path.read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert row["md5"] == row["access_md5"] == hashlib.md5(content).hexdigest()
        assert int(row["file_size"]) == len(content)
        assert float(row["access_estsize"]) == pytest.approx(len(content) / 1000, abs=1)
        if file.collection != "sim_private":
            assert ask(row["access_url"]).body == content


def test_validation_finds_no_error_in_them(centre: Centre) -> None:
    rows = query(
        centre.url,
        "SELECT file_name, n_errors FROM oidb.file WHERE obs_collection IN ('sim_vlti',"
        " 'sim_chara')",
    )
    assert rows
    assert [row for row in rows if row["n_errors"] != "0"] == []


def test_obscore_and_radio_extension_say_the_same(centre: Centre, pairs: list[Pair]) -> None:
    obscore = {
        row["obs_publisher_did"]: row
        for row in query(centre.url, "SELECT * FROM ivoa.obscore NATURAL JOIN ivoa.obs_radio")
    }
    for _, granule, row in pairs:
        there = obscore[row["obs_publisher_did"]]
        for name in ("target_name", "s_ra", "s_dec", "t_exptime", "em_xel", "access_url",
                     "obs_id", "calib_level", "uv_distance_max"):  # fmt: skip
            assert there[name] == row[name] or float(there[name]) == pytest.approx(
                float(row[name]), rel=1e-6
            ), name
        assert there["dataproduct_type"] == "visibility"
        assert float(there["instrument_ant_number"]) == len(granule.stations)


CUT = ("pionier_two_nights.oifits", "gravity_bin1.fits", "mircx_ud2_cal3.fits",
       "classic_ld2.oifits", "pionier_bin1_large.fits.gz", "gravity_cal2_split.fits")  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_cut_out_is_the_granule_and_valid(
    centre: Centre, pairs: list[Pair], tmp_path: Path, name: str
) -> None:
    for file, granule, row in pairs:
        if file.path.name != name:
            continue
        answer = ask(f"{centre.url}/oidb/q/cutout/custom?ID={quote(row['obs_publisher_did'])}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/fits"
        path = tmp_path / "cut.fits"
        path.write_bytes(answer.body)
        with fits.open(io.BytesIO(answer.body), checksum=True) as hdus:
            assert [n.strip() for n in hdus["OI_TARGET"].data["TARGET"]] == [granule.target.name]
            waves = [hdu for hdu in hdus if hdu.name == "OI_WAVELENGTH"]
            assert [hdu.header["INSNAME"].strip() for hdu in waves] == [granule.insname]
            counts = {
                kind: sum(len(hdu.data) for hdu in hdus if hdu.name == f"OI_{kind}")
                for kind in ("VIS", "VIS2", "T3")
            }
        assert counts == {"VIS": granule.n_vis, "VIS2": granule.n_vis2, "T3": granule.n_t3}
        [report] = checks.check_files([path])
        assert report.error is None
        assert report.version == file.version
        assert [f for f in report.findings if f.severity == "error"] == []


def test_cut_out_of_a_band(centre: Centre, pairs: list[Pair]) -> None:
    [(_, granule, row)] = [p for p in pairs if p[0].path.name == "pionier_ud1_large.fits"]
    low, high = granule.em_min, (granule.em_min + granule.em_max) / 2
    answer = ask(
        f"{centre.url}/oidb/q/cutout/custom",
        data={"ID": row["obs_publisher_did"], "BAND": f"{low} {high}"},
    )
    with fits.open(io.BytesIO(answer.body)) as hdus:
        kept = hdus["OI_WAVELENGTH"].data["EFF_WAVE"]
        shape = np.atleast_2d(hdus["OI_VIS2"].data["VIS2DATA"]).shape
    assert 0 < len(kept) < granule.n_channels
    assert low <= kept.min()
    assert kept.max() <= high
    assert shape[-1] == len(kept)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ID": ""}, "identifier"),
        ({"ID": "ivo://jmmc.fr/~?oidb/0"}, "no granule"),
        ({"BAND": "red blue"}, "BAND"),
        ({"BAND": "2e-6 1e-6"}, "BAND"),
        ({"BAND": "9 10"}, ""),
        ({"TARGET": "Nobody"}, "Nobody"),
        ({"INSNAME": "Nothing"}, "Nothing"),
        ({"NIGHT": "1901-01-01"}, "1901-01-01"),
        ({"COLOUR": "red"}, "COLOUR"),
    ],
)
def test_cut_out_says_what_is_wrong(
    centre: Centre, rows: list[Row], change: dict[str, str], words: str
) -> None:
    did = next(row["obs_publisher_did"] for row in rows if row["obs_collection"] == "sim_vlti")
    answer = ask(f"{centre.url}/oidb/q/cutout/custom", data={"ID": did, **change})
    assert answer.status in (400, 404)
    assert words in answer.text
    assert "Traceback" not in answer.text
    assert len(answer.text) < 500 or "<html" not in answer.text


def test_nights_of_chara_are_not_cut(pairs: list[Pair]) -> None:
    """The night of 2022-09-25 goes on after 12 h UT."""
    nights = {
        (file.path.name, granule.night)
        for file, granule, _ in pairs
        if file.path.name in ("mircx_bin2.fits", "mystic_bin2.fits")
    }
    assert {night for _, night in nights} == {date(2022, 9, 25)}
    assert len(nights) == 2
