"""The simulator's physics against independent calculations, its files against the standards."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import (
    GCRS,
    ITRS,
    AltAz,
    CartesianRepresentation,
    EarthLocation,
    SkyCoord,
    get_sun,
)
from astropy.io import fits
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest import simulate as sim
from ingest.simulate import Binary, Disk, Exposure, Model, SimulatedFile, SimulatedGranule, Target
from ingest.vocabulary import Facility, load

Floats = NDArray[np.float64]

SHARED = Path(__file__).parents[3] / "shared" / "data" / "oifits"


@pytest.fixture(autouse=True, scope="module")
def no_tables_of_the_earth() -> Iterator[None]:
    """The tables of the Earth's rotation in Debian's astropy end in the past; do not fetch more."""
    with (
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        yield


pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(leap-second|polar motions|dubious year|outside of range)"
)


def facility(name: str) -> Facility:
    found = load().facility(name)
    assert found is not None
    return found


# ---------------------------------------------------------------- models

diameters = st.floats(0.05, 20.0)
darkening = st.floats(0.0, 1.0)
frequencies = st.floats(-3e8, 3e8)
offsets = st.floats(-50.0, 50.0)
disks = st.builds(Disk, diameters, darkening)
models = st.one_of(disks, st.builds(Binary, disks, disks, st.floats(0.001, 1.0), offsets, offsets))


def visibility(model: Model, u: float, v: float) -> complex:
    return complex(model.visibility(np.array([u]), np.array([v]))[0])


@given(models, frequencies, frequencies)
def test_brightness_is_real(model: Model, u: float, v: float) -> None:
    """V(-u, -v) is the conjugate of V(u, v), and no visibility exceeds 1."""
    assert visibility(model, -u, -v) == pytest.approx(visibility(model, u, v).conjugate())
    assert abs(visibility(model, u, v)) <= 1 + 1e-12


@given(models)
def test_all_light_at_the_origin(model: Model) -> None:
    assert visibility(model, 0.0, 0.0) == pytest.approx(1.0)


def test_first_zero_of_a_disk() -> None:
    """A uniform disk vanishes at 1.219670 / diameter; first side lobe: -0.132280."""
    first_zero, first_lobe = 3.8317059702075125 / math.pi, 5.135622301840683 / math.pi
    disk = Disk(2.0)
    assert visibility(disk, first_zero / (2.0 * sim.MAS), 0.0) == pytest.approx(0.0, abs=1e-14)
    assert visibility(disk, 0.0, first_lobe / (2.0 * sim.MAS)) == pytest.approx(-0.13227947)


@pytest.mark.parametrize(("darkening", "u"), [(0.0, 5e7), (0.5, 1.2e8), (1.0, 2.3e8)])
def test_disk_against_the_integral_of_its_brightness(darkening: float, u: float) -> None:
    """Sum over 4 million points of I(mu) = 1 - a (1 - mu) on the disk."""
    diameter = 1.7
    axis = (np.arange(2000) + 0.5) / 1000 - 1
    x, y = np.meshgrid(axis, axis)
    mu2 = 1 - x**2 - y**2
    brightness = np.where(mu2 > 0, 1 - darkening * (1 - np.sqrt(np.maximum(mu2, 0))), 0.0)
    phase = 2 * math.pi * u * x * diameter / 2 * sim.MAS
    expected = (brightness * np.cos(phase)).sum() / brightness.sum()
    assert visibility(Disk(diameter, darkening), u, 0.0).real == pytest.approx(expected, abs=1e-4)


def test_binary_has_its_period_and_contrast() -> None:
    """|V| swings between (1 - f)/(1 + f) and 1 with the period 1 / separation, along the pair."""
    points = Disk(1e-6)
    binary = Binary(points, points, 0.25, 3.0, 4.0)
    along = np.array([0.0, 0.5, 1.0]) / (5.0 * sim.MAS)
    amplitude = np.abs(binary.visibility(0.6 * along, 0.8 * along))
    assert amplitude == pytest.approx([1.0, 0.6, 1.0])
    assert np.abs(binary.visibility(-0.8 * along, 0.6 * along)) == pytest.approx([1.0, 1.0, 1.0])


def test_a_star_to_the_east_has_negative_phase_at_positive_u() -> None:
    points = Disk(1e-6)
    assert np.angle(visibility(Binary(points, points, 0.9, 1.0, 0.0), 2e7, 0.0)) < 0
    assert np.angle(visibility(Binary(points, points, 0.9, 0.0, 1.0), 0.0, 2e7)) < 0


# ---------------------------------------------------------------- geometry


@pytest.mark.parametrize(
    ("name", "first", "second", "ra", "dec"),
    [
        ("VLTI", "U1", "U4", 110.5, -25.2),
        ("VLTI", "A0", "J6", 245.3, 60.0),
        ("CHARA", "S1", "E1", 310.2, 38.4),
        ("CHARA", "W1", "E2", 5.0, -20.0),
    ],
)
@pytest.mark.parametrize("mjd", [51544.3, 55555.12, 58517.2, 60100.77])
def test_uv_against_astropy(
    name: str, first: str, second: str, ra: float, dec: float, mjd: float
) -> None:
    """Millimetres from ITRS to GCRS of astropy (ERFA, IAU 2006/2000A), with UT1 = UTC.

    astropy knows polar motion, which we leave out: 0.5 arcsec, below 1 mm on 330 m.
    """
    array = facility(name)
    centre = sim.array_centre(array)
    time = Time(mjd, format="mjd", scale="utc")
    time.delta_ut1_utc = 0.0
    place = EarthLocation.from_geodetic(array.longitude, array.latitude, array.altitude)
    expected_centre = geocentric(place)
    assert centre == pytest.approx(expected_centre, abs=1e-3)

    ends = []
    for station in (first, second):
        xyz = (centre + sim.station_xyz(array, station)) * units.m
        itrs = ITRS(CartesianRepresentation(*xyz), obstime=time)
        ends.append(itrs.transform_to(GCRS(obstime=time)).cartesian.xyz.to_value(units.m))
    alpha, delta = math.radians(ra), math.radians(dec)
    baseline = ends[1] - ends[0]
    east = np.array([-math.sin(alpha), math.cos(alpha), 0.0])
    north = np.array(
        [
            -math.sin(delta) * math.cos(alpha),
            -math.sin(delta) * math.sin(alpha),
            math.cos(delta),
        ]
    )
    ours = sim.uv_coordinates(
        sim.station_xyz(array, second) - sim.station_xyz(array, first), ra, dec, mjd
    )
    assert ours == pytest.approx((baseline @ east, baseline @ north), abs=1.5e-3)


def geocentric(place: EarthLocation) -> Floats:
    return np.array([axis.to_value(units.m) for axis in place.geocentric])


def test_stations_are_where_the_survey_says() -> None:
    """STAXYZ turned back by astropy's horizon: east, north and up of the vocabulary."""
    array = facility("VLTI")
    place = EarthLocation.from_geodetic(array.longitude, array.latitude, array.altitude)
    latitude = place.geodetic.lat.deg
    for name, station in array.stations.items():
        xyz = geocentric(place) + sim.station_xyz(array, name)
        vertical = EarthLocation.from_geocentric(*xyz, unit="m").geodetic
        assert (vertical.height - place.geodetic.height).to_value(units.m) == pytest.approx(
            station.up, abs=0.002
        )
        north = math.radians(vertical.lat.deg - latitude) * 6.347e6
        east = math.radians(vertical.lon.deg - place.geodetic.lon.deg) * 6.382e6
        east *= math.cos(math.radians(latitude))
        assert (east, north) == pytest.approx((station.east, station.north), rel=2e-3, abs=0.02)


@pytest.mark.skipif(not SHARED.exists(), reason="real data (../shared/data) are not here")
@pytest.mark.parametrize(
    ("path", "sign", "agreement"),
    [
        ("vlti-pionier/alfPic_PIONIER.fits", 1, 0.1),
        ("vlti-gravity/gravity-1.fits", 1, 0.1),
        ("vlti-matisse/HD_142666_2019-03-24T09_01_46_N_TARGET_FINALCAL_INT.fits", 1, 0.1),
        ("chara-mirc/iota_peg6t.oifits", 1, 0.5),
        ("chara-mircx-mystic/mircx02330_oifits_viscal.fits", -1, 0.3),
    ],
)
def test_uv_of_real_files(path: str, sign: int, agreement: float) -> None:
    """What real pipelines wrote: to 0.1 m at VLTI, to 0.5 m on the longer baselines of CHARA.

    Pipelines count from the first to the second station, only MIRC-X's the other way.
    """
    with fits.open(SHARED / path) as hdus:
        array = load().identify_facility(hdus["OI_ARRAY"].header["ARRNAME"])
        assert array is not None
        station = {
            int(row["STA_INDEX"]): array.station_name(str(row["STA_NAME"])) or ""
            for row in hdus["OI_ARRAY"].data
        }
        place = {
            int(row["TARGET_ID"]): (float(row["RAEP0"]), float(row["DECEP0"]))
            for row in hdus["OI_TARGET"].data
        }
        misses = []
        for row in hdus["OI_VIS2"].data:
            first, second = (sim.station_xyz(array, station[int(i)]) for i in row["STA_INDEX"])
            u, v = sim.uv_coordinates(
                sign * (second - first), *place[int(row["TARGET_ID"])], float(row["MJD"])
            )
            misses.append(math.hypot(u - row["UCOORD"], v - row["VCOORD"]))
    assert np.median(misses) < agreement


def test_transit_and_night() -> None:
    """A target is highest at transit; the night has the name of its evening."""
    for array, target, night in (
        (facility("VLTI"), sim.SOUTH_DISK, date(2019, 2, 3)),
        (facility("CHARA"), sim.NORTH_BINARY, date(2022, 9, 25)),
    ):
        mjd = sim.transit(target, array, night)
        before, middle, after = (
            horizon(array, target, mjd + minutes / 1440).alt.deg for minutes in (-15, 0, 15)
        )
        assert before < middle > after
        assert sim.night_of(mjd, array) == night
    chara = facility("CHARA")
    # 12 h UT falls into the night of CHARA, its mean noon is at 19:52 UT
    assert {sim.night_of(mjd, chara) for mjd in (59847.49, 59847.51)} == {date(2022, 9, 24)}
    assert sim.night_of(59847.83, chara) == date(2022, 9, 25)


def horizon(array: Facility, target: Target, mjd: float) -> SkyCoord:
    place = EarthLocation.from_geodetic(array.longitude, array.latitude, array.altitude)
    frame = AltAz(obstime=Time(mjd, format="mjd"), location=place)
    return SkyCoord(target.ra, target.dec, unit="deg").transform_to(frame)


# ---------------------------------------------------------------- files


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> list[SimulatedFile]:
    return sim.demonstration(tmp_path_factory.mktemp("demonstration"))


def test_demonstration_is_as_announced(demonstration: list[SimulatedFile]) -> None:
    assert len(demonstration) == 26
    assert sum(file.path.stat().st_size for file in demonstration) < 6e6
    granules = [granule for file in demonstration for granule in file.granules]
    assert {file.collection for file in demonstration} == {"sim_vlti", "sim_chara", "sim_private"}
    assert all(file.path.parent.name == file.collection for file in demonstration)
    assert {file.version for file in demonstration} == {1, 2}
    assert {granule.target.category for granule in granules} == {"SCI", "CAL"}
    assert {granule.instrument for granule in granules} == {
        "PIONIER", "GRAVITY", "GRAVITY_FT", "MATISSE_LM", "MATISSE_N", "AMBER",
        "MIRC", "MIRCX", "MYSTIC", "SPICA", "CLASSIC",
    }  # fmt: skip
    crossing = [g for g in granules if math.floor(g.t_min + 0.5) != math.floor(g.t_max + 0.5)]
    assert {granule.facility for granule in crossing} == {"CHARA"}


def test_demonstration_could_have_been_observed(demonstration: list[SimulatedFile]) -> None:
    """Every target is above 30 degrees, and the Sun 12 below the horizon."""
    for granule in {g for file in demonstration for g in file.granules}:
        array = facility(granule.facility)
        for mjd in (granule.t_min, granule.t_max):
            assert horizon(array, granule.target, mjd).alt.deg > 30, granule
            time = Time(mjd, format="mjd")
            place = EarthLocation.from_geodetic(array.longitude, array.latitude, array.altitude)
            sun = get_sun(time).transform_to(AltAz(obstime=time, location=place))
            assert sun.alt.deg < -12, (granule.target.name, granule.night, sun.alt.deg)


def test_vocabulary_understands_the_demonstration(demonstration: list[SimulatedFile]) -> None:
    vocabulary = load()
    for file in demonstration:
        with fits.open(file.path) as hdus:
            header = hdus[0].header
            tables = {h.header["INSNAME"]: h.data for h in hdus if h.name == "OI_WAVELENGTH"}
            array = vocabulary.identify_facility(hdus["OI_ARRAY"].header["ARRNAME"])
        for granule in file.granules:
            table = tables[granule.insname]
            power = table["EFF_WAVE"].astype(float) / table["EFF_BAND"]
            match = vocabulary.identify_instrument(
                granule.insname,
                header.get("INSTRUME"),
                array,
                wave_min=granule.em_min,
                wave_max=granule.em_max,
                resolving_power=float(np.median(power)),
                n_channels=power.size,
                keywords=header,
            )
            assert (array.name if array else None) == granule.facility
            assert (match.instrument.name if match.instrument else None) == granule.instrument
            assert (match.mode.name if match.mode else None) == granule.mode, granule.insname


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    """Also gzip, which would write its time."""
    vlti = facility("VLTI")
    exposures = sim.around_transit(vlti, sim.SOUTH_BINARY, date(2021, 6, 12), (0.0,), ("A0", "G1"))
    digests = set()
    for name in ("a.fits.gz", "b.fits.gz"):
        sim.write(tmp_path / name, sim.simulate(vlti, [sim.MIRC_LOW], exposures, seed=5))
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_no_complaint_of_astropy(demonstration: list[SimulatedFile]) -> None:
    for file in demonstration:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with fits.open(file.path) as hdus:
                hdus.verify("exception")
                for hdu in hdus[1:]:
                    assert len(hdu.data) > 0


def rows_of(hdus: fits.HDUList, table: str, granule: SimulatedGranule) -> int:
    """Rows of a granule, counted with nothing but the file and the local mean noon."""
    ids = [
        int(row["TARGET_ID"])
        for row in hdus["OI_TARGET"].data
        if row["TARGET"] == granule.target.name
    ]
    noon = 0.5 - (facility(granule.facility).longitude or 0.0) / 360.0
    evening = Time(granule.night.isoformat()).mjd + noon
    return sum(
        int(
            (
                np.isin(hdu.data["TARGET_ID"], ids)
                & (hdu.data["MJD"] >= evening)
                & (hdu.data["MJD"] < evening + 1)
            ).sum()
        )
        for hdu in hdus
        if hdu.name == table and hdu.header["INSNAME"] == granule.insname
    )


def test_truth_counts_rows(demonstration: list[SimulatedFile]) -> None:
    total = 0
    tables = ("OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX")
    for file in demonstration:
        with fits.open(file.path) as hdus:
            for granule in file.granules:
                counted = [rows_of(hdus, table, granule) for table in tables]
                assert counted == [granule.n_vis, granule.n_vis2, granule.n_t3, granule.n_flux]
                total += sum(counted)
            total -= sum(len(hdu.data) for hdu in hdus if hdu.name in tables)
    assert total == 0  # no row belongs to no granule


def test_data_scatter_around_the_truth(demonstration: list[SimulatedFile]) -> None:
    """Residuals over errors are standard normal, for V2 and closure phases of every file.

    The truth is computed from the model with UCOORD and VCOORD of the file, by the formulae of
    the two shapes rather than through the simulator's own loops.
    """
    vis2: list[float] = []
    phases: list[float] = []
    for file in demonstration:
        models = {granule.target.name: granule.target.model for granule in file.granules}
        with fits.open(file.path) as hdus:
            names = {int(r["TARGET_ID"]): r["TARGET"] for r in hdus["OI_TARGET"].data}
            waves = {
                hdu.header["INSNAME"]: hdu.data["EFF_WAVE"].astype(float)
                for hdu in hdus
                if hdu.name == "OI_WAVELENGTH"
            }
            for hdu in hdus:
                if hdu.name not in ("OI_VIS2", "OI_T3"):
                    continue
                wave = waves[hdu.header["INSNAME"]]
                for row in hdu.data:
                    model, good = models[names[int(row["TARGET_ID"])]], ~np.atleast_1d(row["FLAG"])
                    if hdu.name == "OI_VIS2":
                        u, v = row["UCOORD"] / wave, row["VCOORD"] / wave
                        truth = np.abs(model.visibility(u, v)) ** 2
                        vis2.extend(((row["VIS2DATA"] - truth) / row["VIS2ERR"])[good])
                        continue
                    u1, v1 = row["U1COORD"] / wave, row["V1COORD"] / wave
                    u2, v2 = row["U2COORD"] / wave, row["V2COORD"] / wave
                    bispectrum = (
                        model.visibility(u1, v1)
                        * model.visibility(u2, v2)
                        * np.conj(model.visibility(u1 + u2, v1 + v2))
                    )
                    miss = np.exp(1j * np.radians(row["T3PHI"])) / np.exp(1j * np.angle(bispectrum))
                    phases.extend((np.degrees(np.angle(miss)) / row["T3PHIERR"])[good])
    for residuals in (np.array(vis2), np.array(phases)):
        assert residuals.size > 10000
        assert abs(residuals.mean()) < 0.03
        assert residuals.std() == pytest.approx(1.0, abs=0.03)
        assert np.abs(residuals).max() < 6


def test_closure_phases_tell_disk_from_binary() -> None:
    """A disk's are 0 or 180 degrees, a binary's are not."""
    vlti, night = facility("VLTI"), date(2021, 6, 12)
    quiet = replace(sim.PIONIER_GRISM, phase_error=0.0)

    def closure(target: Target) -> Floats:
        exposures = sim.around_transit(vlti, target, night, (0.0, 1.0), ("A0", "G1", "J2", "J3"))
        data = sim.simulate(vlti, [quiet], exposures)["OI_T3"].data
        phases: Floats = np.abs(np.array(data["T3PHI"], dtype=float))
        return phases

    disk = closure(sim.SOUTH_GIANT)
    assert np.minimum(disk, 180 - disk).max() < 1e-6
    assert closure(sim.SOUTH_BINARY).max() > 10


def test_correlated_noise_is_what_oi_corr_says() -> None:
    chara = facility("CHARA")
    hours = np.arange(-2, 2, 0.05).tolist()
    exposures = sim.around_transit(
        chara, sim.NORTH_DISK, date(2020, 8, 14), hours, ("S1", "E1", "W1")
    )
    clean = replace(sim.MIRCX_LOW, vis2_error=0.0, vis2_floor=0.01, t3=False)
    hdus = sim.simulate(chara, [clean], exposures, correlation=0.4)
    vis2, corr = hdus["OI_VIS2"], hdus["OI_CORR"]
    assert vis2.header["CORRNAME"] == corr.header["CORRNAME"]
    rows, n = vis2.data["VIS2DATA"].shape
    assert corr.header["NDATA"] == rows * n
    assert list(vis2.data["CORRINDX_VIS2DATA"]) == list(range(1, rows * n, n))
    assert (corr.data["IINDX"] < corr.data["JINDX"]).all()
    assert corr.data["JINDX"].max() == rows * n
    u = vis2.data["UCOORD"][:, np.newaxis] / hdus["OI_WAVELENGTH"].data["EFF_WAVE"]
    v = vis2.data["VCOORD"][:, np.newaxis] / hdus["OI_WAVELENGTH"].data["EFF_WAVE"]
    noise = vis2.data["VIS2DATA"] - np.abs(sim.NORTH_DISK.model.visibility(u, v)) ** 2
    flat = noise.ravel()
    measured = np.corrcoef(flat[corr.data["IINDX"] - 1], flat[corr.data["JINDX"] - 1])[0, 1]
    assert measured == pytest.approx(corr.data["CORR"][0], abs=0.06)


# Columns with TFORM (n: channels) and TUNIT: P05 tables 1 to 6 and D17 tables 3 to 11.
SPECTRAL = {
    "OI_VIS": ["VISAMP nD", "VISAMPERR nD", "VISPHI nD deg", "VISPHIERR nD deg"],
    "OI_VIS2": ["VIS2DATA nD", "VIS2ERR nD"],
    "OI_T3": ["T3AMP nD", "T3AMPERR nD", "T3PHI nD deg", "T3PHIERR nD deg"],
}
UV = ["UCOORD D m", "VCOORD D m", "STA_INDEX 2I", "FLAG nL"]
UV3 = ["U1COORD D m", "V1COORD D m", "U2COORD D m", "V2COORD D m", "STA_INDEX 3I", "FLAG nL"]
TIMES = ["TARGET_ID I", "TIME D s", "MJD D day", "INT_TIME D s"]
TARGET = (
    "TARGET_ID I|TARGET 16A|RAEP0 D deg|DECEP0 D deg|EQUINOX E yr|RA_ERR D deg|DEC_ERR D deg|"
    "SYSVEL D m/s|VELTYP 8A|VELDEF 8A|PMRA D deg/yr|PMDEC D deg/yr|PMRA_ERR D deg/yr|"
    "PMDEC_ERR D deg/yr|PARALLAX E deg|PARA_ERR E deg|SPECTYP 16A"
)
ARRAY = "TEL_NAME 16A|STA_NAME 16A|STA_INDEX I|DIAMETER E m|STAXYZ 3D m"
STANDARD = {
    1: {"OI_TARGET": TARGET.split("|"), "OI_ARRAY": ARRAY.split("|")},
    2: {
        "OI_TARGET": [*TARGET.split("|"), "CATEGORY 3A"],
        "OI_ARRAY": [*ARRAY.split("|"), "FOV D arcsec", "FOVTYPE 6A"],
        "OI_CORR": ["IINDX J", "JINDX J", "CORR D"],
        "OI_INSPOL": ["TARGET_ID I", "INSNAME 70A", "MJD_OBS D day", "MJD_END D day", "JXX nC",
                      "JYY nC", "JXY nC", "JYX nC", "STA_INDEX I"],
    },
}  # fmt: skip
KEYWORDS = {
    "OI_TARGET": {"OI_REVN"},
    "OI_ARRAY": {"OI_REVN", "ARRNAME", "FRAME", "ARRAYX", "ARRAYY", "ARRAYZ"},
    "OI_WAVELENGTH": {"OI_REVN", "INSNAME"},
    "OI_VIS": {"OI_REVN", "DATE-OBS", "ARRNAME", "INSNAME"},
    "OI_VIS2": {"OI_REVN", "DATE-OBS", "ARRNAME", "INSNAME"},
    "OI_T3": {"OI_REVN", "DATE-OBS", "ARRNAME", "INSNAME"},
    "OI_FLUX": {"OI_REVN", "DATE-OBS", "INSNAME", "CALSTAT"},
    "OI_CORR": {"OI_REVN", "CORRNAME", "NDATA"},
    "OI_INSPOL": {"OI_REVN", "ARRNAME", "NPOL", "ORIENT", "MODEL"},
}
PRIMARY = {"ORIGIN", "DATE", "DATE-OBS", "CONTENT", "TELESCOP", "INSTRUME", "OBSERVER", "OBJECT",
           "INSMODE"}  # fmt: skip


def expected_columns(hdu: fits.BinTableHDU, version: int) -> list[str]:
    if hdu.name == "OI_WAVELENGTH":
        return ["EFF_WAVE E m", "EFF_BAND E m"]
    if hdu.name == "OI_FLUX":
        each = ["STA_INDEX I"] if hdu.header["CALSTAT"] == "U" else []
        unit = "adu" if each else "Jy"
        flux = [f"FLUXDATA nD {unit}", f"FLUXERR nD {unit}"]
        return [*(c for c in TIMES if not c.startswith("TIME ")), *flux, *each, "FLAG nL"]
    if hdu.name in SPECTRAL:
        correlated = ["CORRINDX_VIS2DATA J"] if "CORRNAME" in hdu.header else []
        ends = UV3 if hdu.name == "OI_T3" else UV
        return [*TIMES, *SPECTRAL[hdu.name], *ends, *correlated]
    return STANDARD[version][hdu.name]


def test_tables_are_those_of_the_standards(demonstration: list[SimulatedFile]) -> None:
    seen = set()
    for file in demonstration:
        with fits.open(file.path) as hdus:
            assert (hdus[0].header.get("CONTENT") == "OIFITS2") == (file.version == 2)
            if file.version == 2:
                assert set(hdus[0].header) >= PRIMARY
            channels = {h.header["INSNAME"]: len(h.data) for h in hdus if h.name == "OI_WAVELENGTH"}
            for hdu in hdus[1:]:
                seen.add((file.version, hdu.name))
                insname = hdu.header.get("INSNAME")
                if hdu.name == "OI_INSPOL":
                    insname = str(hdu.data["INSNAME"][0])
                n = channels.get(insname or "", 0)
                columns = [
                    " ".join(filter(None, (column.name, shape(column, n), column.unit)))
                    for column in hdu.columns
                ]
                assert columns == expected_columns(hdu, file.version), (file.path.name, hdu.name)
                assert set(hdu.header) >= KEYWORDS[hdu.name], (file.path.name, hdu.name)
                new = hdu.name in ("OI_FLUX", "OI_CORR", "OI_INSPOL")
                assert hdu.header["OI_REVN"] == (1 if new else file.version)
                if file.version == 2 and "TIME" in hdu.columns.names:
                    assert (hdu.data["TIME"] == 0).all()
                if file.version == 1 and "TIME" in hdu.columns.names:
                    midnight = Time(hdu.header["DATE-OBS"]).mjd
                    assert hdu.data["TIME"] == pytest.approx((hdu.data["MJD"] - midnight) * 86400)
    assert {name for version, name in seen if version == 2} == set(KEYWORDS)
    assert {name for version, name in seen if version == 1} == set(KEYWORDS) - {
        "OI_VIS", "OI_FLUX", "OI_CORR", "OI_INSPOL",
    }  # fmt: skip


def shape(column: fits.Column, n_wave: int) -> str:
    """TFORM with n for the number of channels where the standards have it."""
    letter, count = column.format[-1], int(column.format[:-1] or 1)
    if column.name.startswith(("VIS", "T3", "FLUX", "FLAG", "JX", "JY")):
        return f"n{letter}" if count == n_wave else str(column.format)
    return f"{count}{letter}" if count > 1 else letter


def test_flagged_channels_hold_nan(demonstration: list[SimulatedFile]) -> None:
    (file,) = (f for f in demonstration if f.path.name == "matisse_ld1_lm.fits")
    with fits.open(file.path) as hdus:
        wave = hdus["OI_WAVELENGTH"].data["EFF_WAVE"]
        flag = hdus["OI_VIS2"].data["FLAG"]
        assert (np.isnan(hdus["OI_VIS2"].data["VIS2DATA"]) == flag).all()
        used = wave[~flag.all(axis=0)]
    (granule,) = file.granules
    assert granule.em_min < used.min() < used.max() < granule.em_max
    assert granule.em_min > wave.min()
    assert granule.em_max < wave.max()


def test_odd_files_are_easy(tmp_path: Path) -> None:
    """The way tests make faulty files: edit what simulate returns, then write."""
    chara = facility("CHARA")
    exposures = [Exposure(sim.NORTH_DISK, ("S1", "W1", "E2"), 59077.3, int_time=1234.5)]
    hdus = sim.simulate(chara, [sim.MIRCX_LOW], exposures)
    del hdus["OI_VIS2"].header["ARRNAME"]
    hdus["OI_T3"].data["TIME"] = 77.0
    sim.write(tmp_path / "odd.fits", hdus)
    with fits.open(tmp_path / "odd.fits") as again:
        assert "ARRNAME" not in again["OI_VIS2"].header
        assert (again["OI_T3"].data["TIME"] == 77).all()
        assert (again["OI_VIS2"].data["INT_TIME"] == 1234.5).all()


def test_requests_against_the_standards() -> None:
    with pytest.raises(ValueError, match="OIFITS 1 has no OI_CORR"):
        sim.simulate(facility("VLTI"), [sim.GRAVITY_MEDIUM], [], version=1)
    long = [Exposure(replace(sim.SOUTH_DISK, name="a" * 17), ("A0", "G1"), 59000.0)]
    with pytest.raises(ValueError, match="at most 16"):
        sim.simulate(facility("VLTI"), [sim.PIONIER_GRISM], long, version=1)
    hdus = sim.simulate(facility("VLTI"), [sim.PIONIER_GRISM], long)
    assert hdus["OI_TARGET"].data["TARGET"][0] == "a" * 17
    with pytest.raises(ValueError, match="as many wavelengths"):
        sim.Setup("X", "X", None, (1e-6, 2e-6), (1e-7,))
    with pytest.raises(ValueError, match="JWST has no place"):
        sim.array_centre(facility("JWST"))
