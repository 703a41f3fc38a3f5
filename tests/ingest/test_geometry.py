"""Geometry against astropy, textbook cases and invariances."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest import geometry, legacy_log, oifits
from ingest.granules import Extraction
from ingest.vocabulary import Facility, load

Floats = NDArray[np.float64]

lengths = st.floats(0.1, 1000.0)
angles = st.floats(0.0, 360.0, exclude_max=True)
coordinates = st.floats(-1000.0, 1000.0)
points = st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=40)


def catalogued(least: float, most: float) -> st.SearchStrategy[float]:
    """Numbers with the decimals of a catalogue.

    ERFA cannot compute others that are nearly zero: its products of 1e-150 or 1e-310 are lost, and
    what it then says is nan or "system error".
    """
    return st.floats(least, most).map(lambda value: round(value, 6))


def shape(u: Floats, v: Floats) -> tuple[float, float]:
    """Eccentricity and filling factor of one set of points."""
    eccentricity, fill = geometry.uv_distribution(u, v, np.zeros(u.size, np.int64), 1)
    return float(eccentricity[0]), float(fill[0])


# ---------------------------------------------------------------- baselines


@given(lengths, angles)
def test_length_and_angle_come_back(length: float, angle: float) -> None:
    u = np.array([length * math.sin(math.radians(angle))])
    v = np.array([length * math.cos(math.radians(angle))])
    assert geometry.length(u, v)[0] == pytest.approx(length, rel=1e-12)
    difference = geometry.position_angle(u, v)[0] - angle
    assert abs((difference + 180) % 360 - 180) < 1e-9


@pytest.mark.parametrize(
    ("u", "v", "angle"), [(0, 1, 0), (1, 0, 90), (0, -1, 180), (-1, 0, 270), (1, 1, 45)]
)
def test_angle_counts_from_north_through_east(u: float, v: float, angle: float) -> None:
    assert geometry.position_angle(np.array([u]), np.array([v]))[0] == pytest.approx(angle)


@given(coordinates, coordinates)
def test_angle_is_below_360(u: float, v: float) -> None:
    assert 0 <= geometry.position_angle(np.array([u]), np.array([v]))[0] < 360


def projected(facility: Facility, first: str, second: str, star: SkyCoord, mjd: float) -> Floats:
    """East and north component of a baseline as seen from a star, by astropy's frames.

    The directions of east and north at the star are those to neighbours 10 arcsec away, all seen
    from the site; no hour angle and no formula for u and v enter.
    """
    site = EarthLocation.from_geodetic(
        facility.longitude, facility.latitude, facility.altitude or 0.0
    )
    frame = AltAz(obstime=Time(mjd, format="mjd", scale="utc"), location=site)
    step = 10 * units.arcsec
    neighbours = [
        star,
        star.directional_offset_by(90 * units.deg, step),
        star.directional_offset_by(0 * units.deg, step),
    ]
    seen = [neighbour.transform_to(frame) for neighbour in neighbours]
    # AltAz is left-handed: azimuth from north to east.
    enu = np.array(
        [
            [
                math.cos(s.alt.rad) * math.sin(s.az.rad),
                math.cos(s.alt.rad) * math.cos(s.az.rad),
                math.sin(s.alt.rad),
            ]
            for s in seen
        ]
    )
    east, north = (enu[1:] - enu[0]) / step.to_value("rad")
    one, other = facility.stations[first], facility.stations[second]
    baseline = np.array([other.east - one.east, other.north - one.north, other.up - one.up])
    return np.array([baseline @ east, baseline @ north])


@pytest.mark.usefixtures("earth_as_it_comes")
@pytest.mark.parametrize(
    "path",
    [
        "vlti-pionier/PIONI.2016-05-31T00_55_19.075_oidataCalibrated.fits",
        "vlti-pionier/alfPic_PIONIER.fits",
        "vlti-gravity/GRAVI.2018-04-18T08-08-19.739_singlescivis_singlesciviscalibrated.fits",
        "vlti-matisse/HD_163296_2019-03-23T08_41_19_L_TARGET_FINALCAL_INT.fits",
        "chara-mircx-mystic/mircx02330_oifits_viscal.fits",
    ],
)
def test_baselines_of_real_files(real: Callable[[str], Extraction], path: str) -> None:
    """Length and angle of each baseline follow from the stations, the star and the time.

    Either direction counts: pipelines differ in which station is the first (MIRC-X, GRAVITY).
    """
    for granule in real(path).granules:
        facility = load().facility(granule.facility_name or "")
        assert facility is not None
        star = SkyCoord(granule.s_ra, granule.s_dec, unit="deg")
        assert granule.baselines
        for line in granule.baselines:
            assert line.station1 is not None
            assert line.station2 is not None
            assert line.mjd is not None
            u, v = projected(facility, line.station1, line.station2, star, line.mjd)
            assert line.length == pytest.approx(math.hypot(u, v), abs=0.3)
            angle = math.degrees(math.atan2(u, v))
            assert abs((line.position_angle - angle + 90) % 180 - 90) < 0.5


def seen(facility: Facility, star: tuple[float, float], mjd: float) -> geometry.View:
    """All stations of a facility, in its order."""
    assert facility.longitude is not None
    assert facility.latitude is not None
    places = [(station.east, station.north, station.up) for station in facility.stations.values()]
    return geometry.view(places, facility.longitude, facility.latitude, *star, mjd)


skies = st.tuples(
    st.sampled_from(["VLTI", "CHARA"]),
    st.floats(0.0, 360.0, exclude_max=True),
    st.floats(-89.9, 89.9),
    st.floats(51544.0, 62502.0),  # 2000 to 2030
)


@pytest.mark.filterwarnings("ignore")  # of astropy, on leap seconds and poles of years to come
@pytest.mark.usefixtures("earth_as_it_comes")
@settings(max_examples=40)
@given(skies)
def test_view_is_that_of_astropy(sky: tuple[str, float, float, float]) -> None:
    """Baselines to 0.1 m, which on 330 m are 0.02 degrees, the altitude to 0.02 degrees."""
    name, ra, dec, mjd = sky
    facility = load().facility(name)
    assert facility is not None
    star = SkyCoord(ra, dec, unit="deg")
    site = EarthLocation.from_geodetic(facility.longitude, facility.latitude, facility.altitude)
    frame = AltAz(obstime=Time(mjd, format="mjd", scale="utc"), location=site)
    altitude = star.transform_to(frame).alt.deg
    assume(altitude > 1.0)
    view = seen(facility, (ra, dec), mjd)
    assert view.altitude == pytest.approx(altitude, abs=0.02)
    stations = list(facility.stations)
    longest = {"VLTI": ("A0", "M0"), "CHARA": ("S1", "E1")}[name]
    i, j = map(stations.index, longest)
    u, v = projected(facility, *longest, star, mjd)
    assert view.stations[j][0] - view.stations[i][0] == pytest.approx(u, abs=0.1)
    assert view.stations[j][1] - view.stations[i][1] == pytest.approx(v, abs=0.1)
    length, angle = view.baseline(i, j)
    assert length == pytest.approx(math.hypot(u, v), abs=0.1)
    assert 0.0 <= angle < 360.0
    assert (angle - math.degrees(math.atan2(u, v)) + 180) % 360 - 180 == pytest.approx(
        0.0, abs=max(0.1, math.degrees(0.1 / length))
    )


@pytest.mark.parametrize(
    ("path", "metres", "forwards"),
    [
        ("vlti-amber/DelSco_K_2010-04-15T07h12_MR.fits", 0.05, True),
        ("vlti-pionier/PIONIER.2013-07-04T01_37_41_oidataCalibrated.fits", 0.1, True),
        ("vlti-gravity/test1.fits", 0.03, True),
        ("vlti-gravity/GRAVI.2023-01-27T061514.299_singlescivis_singlesciviscalibrated.fits",
         0.1, True),
        ("vlti-matisse/HD_163296_2019-03-23T08_41_19_L_TARGET_FINALCAL_INT.fits", 0.05, True),
        ("chara-mircx-mystic/MIRCX_L2.2023Oct14._bet_Ari.MIRCX_IDL.nn.AVG10m.fits", 0.05, False),
        ("chara-mircx-mystic/SU_Lyn.oifits", 0.05, False),
        ("chara-mircx-mystic/rho_Cas_example.oifits", 0.05, False),
        # Its u and v go along the axes of date, which are 0.1 degrees off by 2011.
        ("chara-mirc/2011Sep06.lam_And_prepped.oifits", 0.65, True),
    ],
)  # fmt: skip
def test_uv_of_real_files(shared: Path, path: str, metres: float, forwards: bool) -> None:
    """u and v of each row follow from the names of its stations, its time and its star.

    From the first station to the second, as ESO's pipelines write them and MIRC's; those of MIRC-X
    are the other way round.
    """
    file = oifits.read(shared / "oifits" / path)
    target = file.targets[0]
    ids, ra, dec = target.target_id, target.numbers("RAEP0"), target.numbers("DECEP0")
    assert ids is not None
    assert ra is not None
    assert dec is not None
    stars = dict(zip(ids.tolist(), zip(ra.tolist(), dec.tolist(), strict=True), strict=True))
    rows = 0
    for table in file.data:
        facility = load().identify_facility(table.arrname, insname=table.insname)
        array = file.array(table.arrname)
        if table.extname != "OI_VIS2" or facility is None or array is None:
            continue
        stations = list(facility.stations)
        assert table.sta_index is not None
        assert table.mjd is not None
        assert table.target_id is not None
        ((u, v),) = table.uv()
        for row in range(table.rows):
            names = [facility.station_name(array.stations[n]) for n in table.sta_index[row]]
            i, j = (stations.index(name or "") for name in names)
            view = seen(facility, stars[int(table.target_id[row])], float(table.mjd[row]))
            ours = np.subtract(view.stations[j], view.stations[i])
            theirs = np.array([u[row], v[row]]) * (1 if forwards else -1)
            assert math.dist(ours, theirs) < metres
            rows += 1
    assert rows > 2


def test_baselines_of_the_telescopes_themselves(shared: Path) -> None:
    """What VLTI's control system said of its baselines, in answers of the former ObsPortal."""
    answer = legacy_log.read(shared / "eso_tap" / "obsportal" / "search.votable.xml")
    assert len(answer.exposures) == 8
    facility = load().facility("VLTI")
    assert facility is not None
    stations = list(facility.stations)
    for exposure in answer.exposures:
        assert exposure.log_ra is not None
        assert exposure.log_dec is not None
        for mjd, end in ((exposure.t_min, False), (exposure.t_max, True)):
            assert mjd is not None
            view = seen(facility, (exposure.log_ra, exposure.log_dec), mjd)
            for line in exposure.baselines:
                i, j = stations.index(line.station1), stations.index(line.station2)
                length, angle = view.baseline(i, j)
                assert length == pytest.approx(
                    line.length_end if end else line.length_start, abs=0.3
                )
                theirs = line.angle_end if end else line.angle_start
                assert theirs is not None
                assert abs((angle - theirs + 180) % 360 - 180) < 0.5


def test_zenith_shows_the_array_as_it_lies() -> None:
    """A star overhead sees east and north as they are; a horizontal baseline on the pole turns."""
    mjd = 59000.25
    longitude, latitude = -118.057, 34.224
    best = max(
        (
            geometry.view([], longitude, latitude, ra / 10, latitude, mjd).altitude,
            ra / 10,
        )
        for ra in range(3600)
    )
    view = geometry.view(
        [(0.0, 0.0, 0.0), (100.0, 0.0, 50.0)], longitude, latitude, best[1], latitude, mjd
    )
    length, angle = view.baseline(0, 1)
    assert view.altitude > 89.8
    assert length == pytest.approx(100.0, abs=0.3)
    assert angle == pytest.approx(90.0, abs=0.3)


@pytest.mark.filterwarnings("ignore")  # of astropy, on what is so far away
@settings(max_examples=40)
@given(
    catalogued(0.0, 360.0),
    catalogued(-89.0, 89.0),
    catalogued(1.0, 5000.0),
    catalogued(-5000.0, 5000.0),
    st.floats(51544.0, 62502.0),
)
def test_proper_motion_is_that_of_astropy(
    ra: float, dec: float, pm_ra: float, pm_dec: float, mjd: float
) -> None:
    star = SkyCoord(
        ra * units.deg,
        dec * units.deg,
        pm_ra_cosdec=pm_ra * units.mas / units.yr,
        pm_dec=pm_dec * units.mas / units.yr,
        obstime=Time(2000.0, format="jyear"),
    )
    there = star.apply_space_motion(new_obstime=Time(mjd, format="mjd"))
    ours = geometry.moved(ra, dec, pm_ra, pm_dec, 2000.0, mjd)
    assert 0.0 <= ours[0] < 360.0
    distance = SkyCoord(*ours, unit="deg").separation(SkyCoord(there.ra, there.dec))
    assert distance.arcsec == pytest.approx(0.0, abs=0.05)


# ---------------------------------------------------------------- scales


def test_scales() -> None:
    """1.65 um on 100 m is 3.40 mas; on a telescope of 1.8 m 0.189 arcsec."""
    assert geometry.resolution(1.65e-6, 100.0) == pytest.approx(1.7017e-3, rel=1e-4)
    assert geometry.largest_scale(1.65e-6, 100.0) == pytest.approx(3.4033e-3, rel=1e-4)
    assert geometry.field_of_view(1.65e-6, 1.8) * 3600 == pytest.approx(0.18907, rel=1e-4)


# ---------------------------------------------------------------- uv coverage


def test_round_coverage_and_single_direction() -> None:
    angle = np.linspace(0, np.pi, 36, endpoint=False)
    assert shape(np.cos(angle), np.sin(angle))[0] == pytest.approx(0.0, abs=1e-6)
    eccentricity, fill = shape(np.array([1.0, 2.0, -3.0]), np.array([2.0, 4.0, -6.0]))
    assert eccentricity == pytest.approx(1.0)
    assert math.isnan(fill)


@given(st.floats(0.05, 1.0), angles)
def test_eccentricity_of_an_ellipse(ratio: float, turn: float) -> None:
    """Points along an ellipse have its axes' ratio in their standard deviations."""
    t = np.linspace(0, np.pi, 50, endpoint=False)
    x, y = 100 * np.cos(t), 100 * ratio * np.sin(t)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    eccentricity, _ = shape(c * x - s * y, s * x + c * y)
    # Near a circle the root magnifies rounding.
    assert eccentricity == pytest.approx(math.sqrt(1 - ratio**2), abs=1e-6)


@given(points, angles)
def test_eccentricity_does_not_depend_on_orientation(
    uv: list[tuple[float, float]], turn: float
) -> None:
    u, v = np.array(uv).T
    assume(np.hypot(u, v).max() > 1e-3)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    straight, turned = shape(u, v)[0], shape(c * u - s * v, s * u + c * v)[0]
    assert turned**2 == pytest.approx(straight**2, abs=1e-9)


@given(points)
def test_eccentricity_is_that_of_the_covariance(uv: list[tuple[float, float]]) -> None:
    """numpy's eigenvalues of the covariance of the points and their conjugates say the same."""
    u, v = np.array(uv).T
    assume(np.hypot(u, v).max() > 1e-3)
    both = np.concatenate([np.stack([u, v]), np.stack([-u, -v])], axis=1)
    minor, major = np.linalg.eigvalsh(np.cov(both, bias=True))
    eccentricity, fill = shape(u, v)
    assert eccentricity**2 == pytest.approx(1 - minor / major, abs=1e-9)
    assert math.isnan(fill) or 0 < fill <= 1


@given(points, st.floats(0.01, 100.0))
def test_coverage_does_not_depend_on_scale_nor_conjugation(
    uv: list[tuple[float, float]], scale: float
) -> None:
    u, v = np.array(uv).T
    assume(np.hypot(u, v).max() > 1e-3)
    sign = np.where(np.arange(u.size) % 2 == 0, 1.0, -1.0)
    one, other = shape(u, v), shape(scale * sign * u, scale * sign * v)
    assert other[0] ** 2 == pytest.approx(one[0] ** 2, abs=1e-9)


def test_fill_counts_cells() -> None:
    """Three far-off points and their conjugates fill six cells of the ellipse's pi/4 N^2."""
    cells = math.pi / 4 * geometry.FILL_CELLS**2
    u, v = np.array([10.0, -3.0, 2.0]), np.array([2.0, 9.0, -5.0])
    assert shape(u, v)[1] == pytest.approx(6 / cells)
    again = shape(np.tile(u, 5), np.tile(v, 5))[1]
    assert again == pytest.approx(6 / cells)


def test_full_coverage_fills_all() -> None:
    grid = np.linspace(-1, 1, 200)
    u, v = (axis.ravel() for axis in np.meshgrid(grid, grid))
    inside = u * u + v * v <= 1
    assert shape(3 * u[inside], v[inside])[1] == pytest.approx(1.0, abs=0.01)


def test_groups_do_not_mix() -> None:
    random = np.random.default_rng(1)
    u, v = random.normal(size=(2, 60))
    group = np.repeat([0, 3, 1], [10, 20, 30])
    eccentricity, fill = geometry.uv_distribution(u, v, group, 5)
    for number in (0, 1, 3):
        assert (eccentricity[number], fill[number]) == shape(u[group == number], v[group == number])
    assert np.isnan(eccentricity[[2, 4]]).all()
    assert np.isnan(fill[[2, 4]]).all()


# ---------------------------------------------------------------- nights


@given(st.floats(44239.0, 88068.0), st.floats(-180.0, 180.0))
def test_night_is_the_date_twelve_hours_before_local_mean_time(mjd: float, east: float) -> None:
    local = datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=mjd) + timedelta(hours=east / 15)
    evening = local - timedelta(hours=12)
    since_noon = (local - datetime(1858, 11, 17, 12, tzinfo=UTC)) / timedelta(days=1) % 1
    assume(1e-6 < since_noon < 1 - 1e-6)  # rounding at noon itself
    day = int(geometry.night(np.array([mjd]), east)[0])
    assert geometry.civil_date(day) == evening.date().isoformat()


@given(st.integers(44239, 88067), st.floats(-180.0, 180.0), st.floats(-0.4999, 0.4999))
def test_night_changes_at_local_mean_noon(day: int, east: float, hour: float) -> None:
    """From just after noon to just before the next one it is one night."""
    midnight = day + 1 - east / 360
    assert geometry.night(np.array([midnight + hour]), east)[0] == day


@pytest.mark.parametrize(
    ("utc", "east", "evening"),
    [
        ("2013-02-17T00:52:45", -70.405, "2013-02-16"),  # Paranal, early evening
        ("2013-02-16T16:41:00", -70.405, "2013-02-15"),  # just before noon there
        ("2013-02-16T16:43:00", -70.405, "2013-02-16"),
        ("2011-09-02T12:30:00", -118.057, "2011-09-01"),  # CHARA, before dawn, after 12 h UT
        ("2005-05-10T12:00:00", 149.548, "2005-05-10"),  # SUSI, late evening
        ("2005-05-10T18:00:00", 149.548, "2005-05-10"),
        ("2000-01-01T11:59:00", 0.0, "1999-12-31"),
    ],
)
def test_nights_at_the_sites(utc: str, east: float, evening: str) -> None:
    mjd = Time(utc, scale="utc").mjd
    assert geometry.civil_date(int(geometry.night(np.array([mjd]), east)[0])) == evening


def test_night_of_no_time() -> None:
    assert math.isnan(geometry.night(np.array([math.nan]), 0.0)[0])


@pytest.mark.filterwarnings("ignore:ERFA")  # leap seconds of years to come
@given(st.integers(0, 100000))
def test_dates_against_astropy(day: int) -> None:
    text = geometry.civil_date(day)
    assert Time(text, scale="utc").mjd == day
    assert geometry.mjd_of_date(text + "T23:59:59.9") == day


@pytest.mark.parametrize("text", ["", "17/03/99", "2013-02-30", "yesterday", "0000-00-00"])
def test_what_is_no_date(text: str) -> None:
    assert geometry.mjd_of_date(text) is None


# ---------------------------------------------------------------- places


@given(st.floats(-180.0, 180.0), st.floats(-85.0, 85.0), st.floats(0.0, 5000.0))
def test_longitude_against_astropy(east: float, north: float, height: float) -> None:
    place = EarthLocation.from_geodetic(east, north, height)
    found = geometry.longitude(*(axis.to_value("m") for axis in (place.x, place.y, place.z)))
    assert found is not None
    assert abs((found - east + 180) % 360 - 180) < 1e-9


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (100.0, 200.0, 300.0), (7e6, 0.0, 0.0)])
def test_what_is_no_place_on_earth(place: tuple[float, float, float]) -> None:
    assert geometry.longitude(*place) is None


def test_longitude_of_the_arrays_in_real_files(shared: Path) -> None:
    """OI_ARRAY of MATISSE and MIRC-X say where Paranal and Mount Wilson are, to 0.01 degrees."""
    for path, name in (
        ("vlti-matisse/OiXP_bet_Cnc_MATISSE_A0-B5-J2-J6_2024-03-11.fits", "VLTI"),
        ("chara-mircx-mystic/mircx02330_oifits_viscal.fits", "CHARA"),
    ):
        centre = oifits.read(shared / "oifits" / path).arrays[0].centre
        facility = load().facility(name)
        assert centre is not None
        assert facility is not None
        assert geometry.longitude(*centre) == pytest.approx(facility.longitude, abs=0.01)
