"""The simulated log is what it claims to be: the same each time, and physics."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import fields
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_sun
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import chara, geometry, headers, instruments, simulate, simulate_log, vocabulary
from ingest.exposures import Exposure
from ingest.simulate_log import Log

COUNT, TARGETS = 12_000, 900


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(COUNT, TARGETS)


@pytest.fixture(scope="module")
def entries(log: Log) -> list[tuple[Exposure, int]]:
    return list(log.entries())


def sample(entries: list[tuple[Exposure, int]], number: int) -> list[tuple[Exposure, int]]:
    """Some entries from all over the years."""
    return entries[:: max(1, len(entries) // number)]


def known(value: float | None) -> float:
    assert value is not None
    return value


def place(name: str) -> EarthLocation:
    found = vocabulary.load().facility(name)
    assert found is not None
    return EarthLocation.from_geodetic(found.longitude, found.latitude, found.altitude)


# ---------------------------------------------------------------- what is promised


def test_the_same_arguments_give_the_same_log(entries: list[tuple[Exposure, int]]) -> None:
    assert list(Log(COUNT, TARGETS).entries()) == entries
    other = next(simulate_log.exposures(COUNT, TARGETS, seed=1))
    assert other != entries[0][0]


@settings(max_examples=15)
@given(st.data())
def test_any_number_of_exposures_and_targets(data: st.DataObject) -> None:
    targets = data.draw(st.integers(1, 300))
    count = data.draw(st.integers(targets, 2 * targets + 100))
    found = Counter(star for _, star in Log(count, targets, seed=7).entries())
    assert sum(found.values()) == count
    assert set(found) == set(range(targets))


def test_more_targets_than_exposures_are_refused() -> None:
    with pytest.raises(ValueError, match="5 exposures of 6 targets"):
        Log(5, 6)


def test_exposures_of_a_star_are_as_many_as_planned(
    log: Log, entries: list[tuple[Exposure, int]]
) -> None:
    found = Counter(star for _, star in entries)
    assert [found[star] for star in range(TARGETS)] == log.shares.tolist()


def test_a_million_exposures_have_the_tail_that_is_promised() -> None:
    shares = Log(1_000_000, 35_000).shares
    assert shares.sum() == 1_000_000
    assert shares.min() >= 1
    assert 9 <= np.median(shares) <= 12
    assert shares[:2].tolist() == [20_000, 5_000]


def test_in_the_order_of_time_and_with_names_of_their_own(
    entries: list[tuple[Exposure, int]],
) -> None:
    begins = [known(e.t_min) for e, _ in entries]
    assert all(one <= other for one, other in pairwise(begins))
    assert len({e.header_id for e, _ in entries}) == len(entries)
    assert 52800 < begins[0] < 53500
    assert begins[-1] > 61000


def test_all_instruments_in_their_years(entries: list[tuple[Exposure, int]]) -> None:
    years: dict[str, set[int]] = defaultdict(set)
    for e, _ in entries:
        years[e.instrument_name].add(int(e.header_id.split(".")[1][:4]))
    spans = {name: (min(found), max(found)) for name, found in years.items()}
    assert spans["VINCI"] == (2003, 2004)
    assert spans["MIDI"] == (2003, 2015)
    assert spans["AMBER"] == (2005, 2018)
    assert spans["PIONIER"] == (2010, 2026)
    assert spans["GRAVITY"] == (2016, 2026)
    assert spans["MATISSE"] == (2019, 2026)
    assert {"CLASSIC", "CLIMB", "MIRC", "MIRCX", "MYSTIC", "PAVO", "VEGA", "SPICA"} <= set(spans)


def test_modes_are_those_of_the_vocabulary(entries: list[tuple[Exposure, int]]) -> None:
    modes = {
        (instrument.facility.name, mode.name, mode.band)
        for instrument in vocabulary.load().instruments
        for mode in instrument.modes
    }
    for e, _ in entries:
        if e.instrument_name != "VINCI":
            assert (e.facility_name, e.instrument_mode, (e.em_min, e.em_max)) in modes


# ---------------------------------------------------------------- physics


def test_projected_baselines_are_no_longer_than_the_ground_allows(
    entries: list[tuple[Exposure, int]],
) -> None:
    known_stations = {one.name: one.stations for one in vocabulary.load().facilities}
    for e, _ in entries:
        stations = known_stations[e.facility_name]
        assert [(b.station1, b.station2) for b in e.baselines] == list(combinations(e.stations, 2))
        for b in e.baselines:
            one, two = stations[b.station1], stations[b.station2]
            ground = math.dist((one.east, one.north, one.up), (two.east, two.north, two.up))
            for length in (b.length_start, b.length_end):
                # No star is lower than 30 degrees.
                assert 0.4 * ground < known(length) < ground + 0.001


def test_projected_baselines_turn_slowly(entries: list[tuple[Exposure, int]]) -> None:
    for e, _ in entries:
        for b in e.baselines:
            turned = known(b.angle_end) - known(b.angle_start)
            # ASPRO2 takes no more than 10 degrees; the Earth turns by 0.3 in an exposure.
            assert abs((turned + 180) % 360 - 180) < 2.0
            assert 0 <= known(b.angle_start) < 360
            assert abs(known(b.length_end) - known(b.length_start)) < 2.5


def test_projected_baselines_are_those_of_geometry(
    log: Log, entries: list[tuple[Exposure, int]]
) -> None:
    """Computed in blocks here, one by one there, from the star's true place."""
    for e, star in sample(entries, 300):
        facility = vocabulary.load().facility(e.facility_name)
        assert facility is not None
        stations = [facility.stations[name] for name in e.stations]
        places = [(s.east, s.north, s.up) for s in stations]
        motion = float(log.stars.pm_ra[star]), float(log.stars.pm_dec[star])
        start = (float(log.stars.ra[star]), float(log.stars.dec[star]))
        for mjd, end in ((known(e.t_min), False), (known(e.t_max), True)):
            ra, dec = geometry.moved(*start, *motion, 2000.0, mjd)
            seen = geometry.view(
                places, known(facility.longitude), known(facility.latitude), ra, dec, mjd
            )
            for b, (i, j) in zip(e.baselines, combinations(range(len(stations)), 2), strict=True):
                length, angle = seen.baseline(i, j)
                assert (b.length_end if end else b.length_start) == pytest.approx(length, abs=0.01)
                turned = known(b.angle_end if end else b.angle_start) - angle
                assert abs((turned + 180) % 360 - 180) < 0.02


@pytest.mark.usefixtures("earth_as_it_comes")
def test_stars_are_high_and_the_sun_is_down(log: Log, entries: list[tuple[Exposure, int]]) -> None:
    """By astropy."""
    for site in ("VLTI", "CHARA"):
        here = sample([(e, s) for e, s in entries if e.facility_name == site], 200)
        time = Time([known(e.t_min) for e, _ in here], format="mjd")
        frame = AltAz(obstime=time, location=place(site))
        stars = [s for _, s in here]
        sky = SkyCoord(log.stars.ra[stars] * units.deg, log.stars.dec[stars] * units.deg)
        altitude = sky.transform_to(frame).alt.deg
        assert altitude.min() > simulate_log.LOWEST
        assert get_sun(time).transform_to(frame).alt.deg.max() < -11
        for (e, _), height in zip(here, altitude, strict=True):
            if e.airmass_start is not None:
                assert e.airmass_start == pytest.approx(
                    1 / math.sin(math.radians(height)), rel=3e-3
                )


@pytest.mark.usefixtures("earth_as_it_comes")
def test_baselines_by_astropy(log: Log, entries: list[tuple[Exposure, int]]) -> None:
    """The delay is what the star's direction in the local frame makes of the stations."""
    for e, star in sample(entries, 25):
        facility = vocabulary.load().facility(e.facility_name)
        assert facility is not None
        frame = AltAz(obstime=Time(known(e.t_min), format="mjd"), location=place(e.facility_name))
        years = (known(e.t_min) - 51544.5) / 365.25
        ra = log.stars.ra[star] + log.stars.pm_ra[star] * years / 3.6e6 / math.cos(
            math.radians(log.stars.dec[star])
        )
        dec = log.stars.dec[star] + log.stars.pm_dec[star] * years / 3.6e6
        seen = SkyCoord(ra * units.deg, dec * units.deg).transform_to(frame)
        towards = np.array(
            [
                math.cos(seen.alt.rad) * math.sin(seen.az.rad),
                math.cos(seen.alt.rad) * math.cos(seen.az.rad),
                math.sin(seen.alt.rad),
            ]
        )
        for b in e.baselines:
            one, two = facility.stations[b.station1], facility.stations[b.station2]
            ground = np.array([two.east - one.east, two.north - one.north, two.up - one.up])
            delay = float(ground @ towards)
            assert known(b.length_start) == pytest.approx(
                math.sqrt(float(ground @ ground) - delay**2), abs=0.06
            )


def test_blocks_do_not_overlap(entries: list[tuple[Exposure, int]]) -> None:
    """An array makes one exposure at a time; the two detectors of MATISSE work together."""
    free = {"VLTI": 0.0, "CHARA": 0.0}
    for e, _ in entries:
        together = e.instrument_name == "MATISSE" and e.instrument_mode == "HIGH_SENS_N_LOW"
        if not together:
            assert known(e.t_min) > free[e.facility_name] - 1 / 86400, e.header_id
        free[e.facility_name] = max(free[e.facility_name], known(e.t_max))


# ---------------------------------------------------------------- targets


def test_positions_scatter_around_the_stars(log: Log, entries: list[tuple[Exposure, int]]) -> None:
    """By arcseconds, once proper motion is taken off; different in most blocks."""
    off = []
    for e, star in entries:
        if e.pos_epoch not in (None, 2000.0):
            assert known(e.t_min) < 53736  # 2006
        ra, dec = geometry.moved(
            float(log.stars.ra[star]), float(log.stars.dec[star]),
            float(log.stars.pm_ra[star]), float(log.stars.pm_dec[star]),
            2000.0, 51544.5 + ((e.pos_epoch or 2000.0) - 2000) * 365.25,
        )  # fmt: skip
        east = (known(e.log_ra) - ra + 180) % 360 - 180
        off.append(3600 * math.hypot(east * math.cos(math.radians(dec)), known(e.log_dec) - dec))
    assert 0.7 < float(np.median(off)) < 1.5
    assert max(off) < 7


def test_stars_have_several_names_and_neighbours_have_different_ones(log: Log) -> None:
    names = [set(log.stars.names(star)) for star in range(TARGETS)]
    assert all(len(found) == 5 for found in names)
    assert len(set().union(*names)) == 5 * TARGETS
    pairs = np.flatnonzero(log.stars.partner >= 0)
    assert pairs.size
    for star in pairs:
        other = log.stars.partner[star]
        assert log.stars.partner[other] == star
        one, two = (
            SkyCoord(log.stars.ra[i] * units.deg, log.stars.dec[i] * units.deg)
            for i in (star, other)
        )
        assert one.separation(two).arcsec == pytest.approx(4.0, abs=0.01)


def test_the_log_uses_the_names_of_its_star(log: Log, entries: list[tuple[Exposure, int]]) -> None:
    used: dict[int, set[str]] = defaultdict(set)
    for e, star in entries:
        assert e.target_name is not None
        used[star].add(e.target_name)
    for star, found in used.items():
        assert found <= set(log.stars.names(star))
    assert len(used[0]) >= 4


# ---------------------------------------------------------------- as the archives write it


def read_back(exposure: Exposure, text: str) -> Exposure:
    header = headers.read(text.encode(), exposure.header_id)
    found = instruments.exposures(header, exposure.header_id, vocabulary.load())
    assert len(found) == 1
    return found[0]


def same(one: Exposure, other: Exposure) -> None:
    """Equal but for what arithmetic adds; baselines of CHARA's log are computed when it is read."""
    for name in (f.name for f in fields(Exposure)):
        value, expected = getattr(other, name), getattr(one, name)
        if isinstance(expected, float):
            assert value == pytest.approx(expected, rel=1e-9, abs=2e-9), (name, one.header_id)
        elif name == "baselines" and one.facility_name == "CHARA":
            for ours, theirs in zip(expected, value, strict=True):
                assert (ours.station1, ours.station2) == (theirs.station1, theirs.station2)
                assert ours.length_start == pytest.approx(theirs.length_start, abs=0.01)
                assert ours.length_end == pytest.approx(theirs.length_end, abs=0.01)
                for when in ("angle_start", "angle_end"):
                    turned = getattr(ours, when) - getattr(theirs, when)
                    assert abs((turned + 180) % 360 - 180) < 0.01
        else:
            assert value == expected, (name, one.header_id)


def one_of_each(entries: list[tuple[Exposure, int]]) -> list[Exposure]:
    """VLTI's exposures, three of each mode, position and technique."""
    kinds: dict[tuple[object, ...], list[Exposure]] = defaultdict(list)
    for e, _ in entries:
        if e.facility_name == "VLTI":
            kinds[
                e.instrument_name, e.instrument_mode, e.instrument_submode, e.dpr_tech,
                e.pos_epoch == 2000.0, e.pm_ra is None,
            ].append(e)  # fmt: skip
    return [e for found in kinds.values() for e in found[:3]]


def test_headers_read_back_give_the_exposures(entries: list[tuple[Exposure, int]]) -> None:
    for e in one_of_each(entries):
        same(e, read_back(e, simulate_log.eso_header(e)))


def test_pages_read_back_give_the_exposures(entries: list[tuple[Exposure, int]]) -> None:
    for e in one_of_each(entries)[::7]:
        same(e, read_back(e, simulate_log.header_page(simulate_log.eso_header(e))))


def test_headers_have_the_size_and_form_of_headers(entries: list[tuple[Exposure, int]]) -> None:
    for e in one_of_each(entries):
        lines = simulate_log.eso_header(e).splitlines()
        assert lines[0].startswith("SIMPLE  = ")
        assert lines[-1] == "END"
        assert len(lines) > 300
        assert max(map(len, lines)) <= 80
        keys = [line.partition("=")[0] for line in lines]
        assert len(set(keys)) == len(keys)


def test_rows_of_the_archive_agree_with_the_headers(entries: list[tuple[Exposure, int]]) -> None:
    for e in one_of_each(entries):
        row = simulate_log.archive_row(e)
        assert tuple(row) == simulate_log.ARCHIVE_COLUMNS
        assert row["dp_id"] == e.header_id
        assert row["instrument"] == e.instrument_name
        assert (row["dp_cat"], row["dp_type"], row["dp_tech"]) == (
            e.dpr_catg, e.dpr_type, e.dpr_tech,
        )  # fmt: skip
        assert row["prog_id"] == e.progid
        assert row["exp_start"] < row["last_mod_date"] < row["release_date"]
        sky = SkyCoord(row["ra"] * units.deg, row["dec"] * units.deg)
        galactic = SkyCoord(
            row["gal_lon"] * units.deg, row["gal_lat"] * units.deg, frame="galactic"
        )
        assert sky.separation(galactic.icrs).arcsec < 0.1


def test_an_exposure_that_vlti_cannot_make_has_no_header(
    entries: list[tuple[Exposure, int]],
) -> None:
    chara = next(e for e, _ in entries if e.facility_name == "CHARA")
    with pytest.raises(ValueError, match="VLTI has no set-up"):
        simulate_log.eso_header(chara)


def test_chara_s_log_read_back_gives_the_exposures(
    entries: list[tuple[Exposure, int]], tmp_path: Path
) -> None:
    written = [e for e, _ in entries if e.facility_name == "CHARA"]
    written += [e for e in simulate_log.demonstration() if e.facility_name == "CHARA"]
    path = tmp_path / "chara.csv"
    path.write_text(simulate_log.chara_log(written))
    log = chara.read_log(path, vocabulary.load())
    assert not log.problems
    for expected, e in zip(written, log.exposures, strict=True):
        same(expected, e)


# ---------------------------------------------------------------- the demonstration


def test_the_demonstration_has_the_raw_files_of_its_oifits_files() -> None:
    found = {e.header_id: e for e in simulate_log.demonstration()}
    assert 200 < len(found) < 1000
    vlti = simulate._known("VLTI")
    night = date(2019, 2, 3)
    hours = (-2.0, -1.0, 0.0, 1.0, 2.0)
    stations = ("A0", "G1", "J2", "J3")
    taken = simulate.around_transit(vlti, simulate.SOUTH_DISK, night, hours, stations)
    header = simulate.eso_header("PIONIER", taken, "999.S-0001(A)")
    for number, exposure in enumerate(taken, start=1):
        raw = str(header[f"ESO PRO REC1 RAW{number} NAME"])
        e = found[raw.removesuffix(".fits")]
        assert e.instrument_name == "PIONIER"
        assert e.instrument_mode == "GRISM-H"
        assert (e.target_name, e.log_ra, e.log_dec) == ("SIM UD 1", 110.5, -25.2)
        assert e.stations == stations
        assert e.progid == "999.S-0001(A)"
        assert e.ob_id == header["ESO OBS ID"]
        assert known(e.t_min) == pytest.approx(exposure.mjd - 30 / 86400, abs=1e-8)
        assert known(e.t_max) == pytest.approx(exposure.mjd + 30 / 86400, abs=1e-8)


def test_baselines_of_the_demonstration_are_those_of_its_files() -> None:
    vlti = simulate._known("VLTI")
    compared = 0
    for e in simulate_log.demonstration():
        if e.facility_name != "VLTI" or e.log_ra is None or e.log_dec is None:
            continue
        for b in e.baselines:
            one, two = (simulate.station_xyz(vlti, s) for s in (b.station1, b.station2))
            u, v = simulate.uv_coordinates(two - one, e.log_ra, e.log_dec, known(e.t_min))
            assert known(b.length_start) == pytest.approx(math.hypot(u, v), abs=0.01)
            turned = known(b.angle_start) - math.degrees(math.atan2(u, v))
            assert abs((turned + 180) % 360 - 180) < 0.02
            compared += 1
    assert compared > 1000


def test_headers_of_the_demonstration_read_back() -> None:
    for e in simulate_log.demonstration():
        if e.facility_name == "VLTI":
            same(e, read_back(e, simulate_log.eso_header(e)))
