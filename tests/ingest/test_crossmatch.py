"""Which star an entry is of, by cases whose answer is known."""

import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.time import Time

from ingest.crossmatch import BY_NAME, BY_POSITION, Entry, NewStars, Star, choose, separation

ARCSEC = 1 / 3600


def _entry(ra: float, dec: float, *names: str, epoch: float | None = None) -> Entry:
    return Entry(1, ra, dec, names, epoch=epoch)


@pytest.mark.parametrize(
    ("ra1", "dec1", "ra2", "dec2"),
    [(10, 20, 10.001, 20), (0.0001, -60, 359.9999, -60), (123, 89.9995, 300, 89.9995)],
)
def test_separations_are_those_of_astropy(ra1: float, dec1: float, ra2: float, dec2: float) -> None:
    expected = SkyCoord(ra1, dec1, unit="deg").separation(SkyCoord(ra2, dec2, unit="deg")).arcsec
    assert separation(_entry(ra1, dec1), Star(1, ra2, dec2)) == pytest.approx(expected, rel=1e-6)


def test_a_fast_star_is_where_it_was_then() -> None:
    barnard = Star(7, 269.45208, 4.69339, ["GJ 699"], -802.8, 10362.5)
    moved = SkyCoord(
        barnard.ra * units.deg, barnard.dec * units.deg,
        pm_ra_cosdec=-802.8 * units.mas / units.yr, pm_dec=10362.5 * units.mas / units.yr,
        obstime=Time("J2000"),
    ).apply_space_motion(new_obstime=Time("J2019.5"))  # fmt: skip
    then = moved.ra.deg, moved.dec.deg
    assert separation(_entry(*then, epoch=2019.5), barnard) < 0.05
    found = choose(_entry(*then, "V2500 Oph", epoch=2019.5), [barnard])
    assert found is not None
    assert found.by == BY_POSITION
    # Without its motion, or at another time, it is another star.
    assert choose(_entry(*then, "V2500 Oph"), [barnard]) is None
    assert choose(_entry(*then, "V2500 Oph", epoch=2010.0), [barnard]) is None


def test_names_decide_between_neighbours() -> None:
    first = Star(1, 50.0, 10.0, ["HD 400004"])
    second = Star(2, 50.0, 10.0 + 4 * ARCSEC, ["HD 400005"])
    nearer_to_first = 50.0, 10.0 + 1 * ARCSEC
    for entry, star, by in (
        (_entry(*nearer_to_first, "hd_400005"), second, BY_NAME),
        (_entry(*nearer_to_first, "HD-400004"), first, BY_NAME),
        (_entry(*nearer_to_first, "FOO 12"), first, BY_POSITION),
        (_entry(*nearer_to_first), first, BY_POSITION),
    ):
        found = choose(entry, [first, second])
        assert found is not None
        assert (found.star, found.by) == (star, by)
    # Its name says that it is neither.
    assert choose(_entry(*nearer_to_first, "HD 400006"), [first, second]) is None


def test_components_are_told_apart() -> None:
    primary = Star(1, 83.0, 9.8, ["CO Ori A"])
    assert choose(_entry(83.0, 9.8 + 2 * ARCSEC, "CO_Ori_B"), [primary]) is None
    found = choose(_entry(83.0, 9.8, "CO_Ori"), [primary])
    assert found is not None


def test_only_names_of_one_star_reach_far() -> None:
    star = Star(1, 83.0, 9.8, ["HD 36910", "STAR 1"])
    away = 83.0, 9.8 + 20 * ARCSEC
    found = choose(_entry(*away, "HD36910"), [star])
    assert found is not None
    assert found.separation == pytest.approx(20, abs=0.01)
    assert choose(_entry(*away, "STAR 1"), [star]) is None
    assert choose(_entry(83.0, 9.8 + 61 * ARCSEC, "HD36910"), [star]) is None
    assert choose(_entry(83.0, 9.8 + 5.1 * ARCSEC, "FOO"), [star]) is None
    assert choose(_entry(83.0, 9.8 + 4.9 * ARCSEC, "FOO"), [star]) is not None


def test_new_stars_are_found_by_position() -> None:
    new = NewStars()
    for number, ra in enumerate((0.0002, 120.0, 240.0)):
        new.add(Star(number, ra, -45.0))
    assert [star.number for star in new.around(_entry(359.9999, -45.0))] == [0]
    assert [star.number for star in new.around(_entry(120.0, -45.09))] == [1]
    assert not new.around(_entry(120.0, -44.8))
