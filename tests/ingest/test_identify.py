"""Which target an exposure is of."""

from __future__ import annotations

import csv
import math
import random
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.exposures import Exposure
from ingest.identify import Catalogue, Target
from ingest.resolve import Place, Remembered
from ingest.simulate_log import Log

ARCSEC = 1 / 3600


def seen(
    names: str | tuple[str, ...] = (),
    ra: float | None = 100.0,
    dec: float | None = -20.0,
    east: float = 0.0,
    north: float = 0.0,
    year: float = 2010.0,
    epoch: float | None = 2000.0,
    pm: tuple[float, float] | None = None,
    on_sky: bool = True,
) -> Exposure:
    """An exposure; ``east`` and ``north`` are arcsec, ``pm`` is mas/yr."""
    names = (names,) if isinstance(names, str) else names
    if ra is not None and dec is not None:
        dec += north * ARCSEC
        ra = (ra + east * ARCSEC / math.cos(math.radians(dec))) % 360
    return Exposure(
        header_id="test",
        facility_name="VLTI",
        instrument_name="PIONIER",
        target_name=names[0] if names else None,
        target_names=names,
        log_ra=ra,
        log_dec=dec,
        pm_ra=pm[0] if pm else None,
        pm_dec=pm[1] if pm else None,
        pos_epoch=epoch,
        t_min=51544.5 + (year - 2000) * 365.25,
        on_sky=on_sky,
    )


def identify(*sightings: Exposure) -> list[int | None]:
    catalogue = Catalogue()
    return [catalogue.identify(sighting) for sighting in sightings]


def reloaded(catalogue: Catalogue) -> Catalogue:
    """The catalogue as it comes from its own rows."""
    return Catalogue(replace(target, aliases=dict(target.aliases)) for target in catalogue)


def groups(
    sightings: Iterable[tuple[Hashable, Exposure]], catalogue: Catalogue
) -> set[frozenset[Hashable]]:
    """Which sightings, by what they are called here, are of one target."""
    found: dict[int | None, set[Hashable]] = defaultdict(set)
    for label, sighting in sightings:
        found[catalogue.identify(sighting)].add(label)
    found.pop(None, None)
    return {frozenset(group) for group in found.values()}


# ------------------------------------------------------------------------ rules


def test_one_star_under_five_names() -> None:
    names = ("HD 45677", "HD45677", "hd_45677", "HD-45677", "HD045677")
    places = ((0, 0), (4, 0), (-4, 1), (8, 0), (0, 2))
    assert (
        identify(*(seen(n, east=e, north=d) for n, (e, d) in zip(names, places, strict=True)))
        == [1] * 5
    )


def test_position_is_that_of_the_first_to_the_last_bit() -> None:
    catalogue = Catalogue()
    for east in (0.0, 4.1, -8.2, 1.7):
        assert catalogue.identify(seen("HD 1", 97.0725981234567, -13.05309, east=east)) == 1
    assert catalogue.position(1) == (97.0725981234567, -13.05309)


@pytest.mark.parametrize(
    ("one", "other", "apart", "same"),
    [
        ("FS CMa", "HD 45677", 1.5, True),
        ("FS CMa", "HD 45677", 2.5, False),
        ("HD 1", "HD 2", 0.0, False),
        ("alf Cen A", "alf Cen B", 0.1, False),
        ("CO_Ori", "CO_Ori_A", 8.0, True),
        ("CO_Ori", "CO_Ori_B", 1.0, False),
        ("beta Pic", "beta Pic b", 0.3, False),
        ("HD 1", "hd_1", 300.0, True),
        ("HD 1", "hd_1", 400.0, False),
        ("star 1", "STAR_1", 50.0, True),
        ("star 1", "STAR_1", 70.0, False),
        ("cal1", "cal1", 7200.0, False),
        ("STD", "HD 1", 8.0, True),
        ("STD", "OBJECT", 8.0, True),
        ("STD", "STD", 30.0, False),
        ("Achernar", "alp_Eri", 8.0, True),
    ],
)  # fmt: skip
def test_two_sightings(one: str, other: str, apart: float, same: bool) -> None:
    for names in ((one, other), (other, one)):
        for sign in (1, -1):
            first, second = identify(seen(names[0]), seen(names[1], east=sign * apart))
            assert (first == second) is same


def test_neighbours_are_linked_in_both_directions() -> None:
    catalogue = Catalogue()
    for name, east in (("HD 1", 0.0), ("HD 2", 4.0), ("HD 3", 40.0)):
        catalogue.identify(seen(name, east=east))
    changes = catalogue.take_changes()
    assert [(one, other) for one, other, _ in changes.neighbours] == [(1, 2), (2, 1)]
    assert {round(apart, 6) for _, _, apart in changes.neighbours} == {4.0}
    catalogue.identify(seen("HD 4", east=-4.0))
    changes = catalogue.take_changes()
    assert [(one, other) for one, other, _ in changes.neighbours] == [
        (1, 4),
        (2, 4),
        (4, 1),
        (4, 2),
    ]
    assert [target.target_id for target in changes.targets] == [4]


def test_names_of_one_header_are_tied() -> None:
    catalogue = Catalogue()
    catalogue.identify(seen(("HD 45677", "FS_CMa")))
    assert catalogue.identify(seen("FS CMa", east=5)) == 1
    assert catalogue[1].aliases == {"HD 45677": 1, "FS_CMa": 0, "FS CMa": 1}


def test_what_a_header_names_twice_over_is_what_it_shows() -> None:
    """A header that was not brought up to date: the name shown counts, the other is ignored."""
    catalogue = Catalogue()
    catalogue.identify(seen("HD 45677"))
    assert catalogue.identify(seen(("HD 44800", "HD 45677"))) == 2
    assert catalogue.identify(seen("HD 45677", east=4)) == 1


def test_galactic_centre() -> None:
    """Arcseconds from each other, and names that have nothing in common."""
    ra, dec = 266.41684, -29.00781
    names = {"SgrA*": 0.0, "S2": 0.1, "IRS16C": 1.2, "IRS7": 5.5, "GC_star_5": 0.5}
    catalogue = Catalogue()
    for round_ in range(2):
        for number, (name, north) in enumerate(names.items(), start=1):
            jitter = 1.5 * round_
            assert catalogue.identify(seen(name, ra, dec, north=north, east=jitter)) == number
    assert [other for other, _ in catalogue.neighbours(1)] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "lab",
    [
        seen("HD 1", on_sky=False),
        seen("HD 1", ra=None, dec=None),
        seen("P2VM", 0.0, 0.0),
        seen("HD 1", math.nan, 0.0),
        seen("HD 1", 10.0, 95.0),
    ],
)  # fmt: skip
def test_no_target(lab: Exposure) -> None:
    catalogue = Catalogue()
    assert catalogue.identify(lab) is None
    assert len(catalogue) == 0
    assert catalogue.take_changes().targets == ()


def test_position_is_brought_back_to_j2000() -> None:
    """Barnard's star but for its name, seen where it was in 2020."""
    catalogue = Catalogue()
    pm = (-800.0, 10_000.0)
    catalogue.identify(seen("HD 1", east=-16, north=200, year=2020, epoch=2020.0, pm=pm))
    assert catalogue.position(1) == pytest.approx((100.0, -20.0), abs=1e-5)


def test_fast_star_without_a_known_name_is_found_on_its_way() -> None:
    catalogue = Catalogue()
    pm = (0.0, 5_000.0)
    catalogue.identify(seen("HD 1", pm=pm))
    for epoch in (2015.0, None):
        assert catalogue.identify(seen("my star", north=75.5, year=2015.0, epoch=epoch)) == 1
    assert catalogue.identify(seen("STD", north=150, year=2030.0, epoch=None)) == 1
    assert catalogue.identify(seen("other", north=75, epoch=2000.0)) == 2


def test_motion_learnt_later_moves_nothing() -> None:
    catalogue = Catalogue()
    catalogue.identify(seen("HD 1"))
    before = catalogue.position(1)
    catalogue.identify(seen("HD 1", pm=(100.0, -3000.0)))
    catalogue.identify(seen("HD 1", pm=(77.0, -77.0)))
    assert catalogue.position(1) == before
    assert (catalogue[1].pm_ra, catalogue[1].pm_dec) == (100.0, -3000.0)
    assert catalogue.identify(seen("STD", north=-30, year=2010.0, epoch=2010.0)) == 1


def test_motion_that_cannot_be() -> None:
    catalogue = Catalogue()
    for pm in ((0.0, 0.0), (1e6, 0.0), (math.nan, 1.0)):
        catalogue.identify(seen("HD 1", pm=pm))
    assert catalogue[1].pm_ra is None


@pytest.mark.parametrize("name", ["Sirius", "alf CMa", "STD"])
def test_sirius_stands_still(name: str) -> None:
    """Whatever the first log has, its position is that of J2000 and clients find it there."""
    past = seen(name, 101.28716, -16.71612, -0.546 * 19.3, -1.223 * 19.3, 2019.3, None)
    catalogue = Catalogue()
    assert catalogue.identify(past) == 1
    assert catalogue.position(1) == (101.28716, -16.71612)
    assert catalogue.identify(seen("SIRIUS", 101.28716, -16.71612, 0.3, -0.1)) == 1


def test_poles_and_the_meridian() -> None:
    for place in ((0.0, 0.0), (359.9999999, 30.0), (180.0, 89.9999), (10.0, -89.999)):
        one = seen("FS CMa", *place)
        assert one.log_ra is not None
        if place == (0.0, 0.0):
            one = replace(one, log_ra=1e-9)
        other = seen("HD 45677", *place, east=1.0, north=-0.5)
        assert identify(one, other) == [1, 1]
    assert identify(seen("A star", 0.0, 90.0), seen("other", 180.0, 90.0)) == [1, 1]


# --------------------------------------------------------------------- operator


def test_merge_and_split() -> None:
    catalogue = Catalogue()
    for name, east in (("FS CMa", 0.0), ("HD 45677", 5.0), ("HD 45677", 5.0), ("HD 9", 9.0)):
        catalogue.identify(seen(name, east=east))
    catalogue.take_changes()
    catalogue.merge(1, 2)
    changes = catalogue.take_changes()
    assert [target.target_id for target in changes.targets] == [1, 2]
    assert catalogue[2].merged_into == 1
    assert catalogue[2].n_exposures == 0
    assert catalogue[1].name == "HD 45677"
    assert catalogue[1].n_exposures == 3
    assert [(one, other) for one, other, _ in changes.neighbours] == [(1, 3), (3, 1)]
    for again in (catalogue, reloaded(catalogue)):
        assert again.identify(seen("HD_45677", east=6)) == 1
        assert again.identify(seen("STD", east=5.2)) == 1  # where the merged one was
    new = catalogue.split(1, ["hd-45677"], Place(100.001, -20.0))
    assert new == 4
    assert catalogue.position(4) == (100.001, -20.0)
    assert catalogue[4].aliases == {"HD 45677": 2, "HD_45677": 1}
    assert (catalogue[1].n_exposures, catalogue[4].n_exposures) == (2, 3)
    for again in (catalogue, reloaded(catalogue)):
        assert again.identify(seen("HD45677")) == 4
        assert again.identify(seen("FS_CMa", east=4)) == 1
        # Told by one header: they stay two.
        assert again.identify(seen(("FS CMa", "HD 45677"))) == 1
        assert again.identify(seen("HD45677")) == 4


def test_merged_twice() -> None:
    catalogue = Catalogue()
    for number, name in enumerate(("HD 1", "HD 2", "HD 3")):
        catalogue.identify(seen(name, east=20 * number))
    catalogue.merge(2, 3)
    catalogue.merge(1, 2)
    assert [target.merged_into for target in catalogue] == [None, 1, 1]
    for again in (catalogue, reloaded(catalogue)):
        assert again.identify(seen("HD 3", east=40)) == 1
        assert again.identify(seen("STD", east=41)) == 1


@pytest.mark.parametrize("pair", [(1, 1), (1, 9), (9, 1), (1, 3), (3, 1)])
def test_impossible_merges(pair: tuple[int, int]) -> None:
    catalogue = Catalogue()
    for name in ("HD 1", "HD 2", "HD 3"):
        catalogue.identify(seen(name))
    catalogue.merge(2, 3)
    before = [replace(target, aliases=dict(target.aliases)) for target in catalogue]
    with pytest.raises(ValueError, match="arget"):
        catalogue.merge(*pair)
    assert list(catalogue) == before


@pytest.mark.parametrize("names", [["HD 2"], ["HD 1", "my star"], ["HD 1", "nobody"]])
def test_impossible_splits(names: list[str]) -> None:
    catalogue = Catalogue()
    catalogue.identify(seen(("HD 1", "my star")))
    with pytest.raises(ValueError, match="Target 1 "):
        catalogue.split(1, names)
    assert catalogue[1].aliases == {"HD 1": 1, "my star": 0}
    assert len(catalogue) == 1


def test_forgotten_exposures_come_back() -> None:
    catalogue = Catalogue()
    for name in ("HD 1", "HD 1", "STD"):
        catalogue.identify(seen(name))
    before = [replace(target, aliases=dict(target.aliases)) for target in catalogue]
    catalogue.forget(1, "HD 1", 2)
    catalogue.forget(1, "STD", 1)
    assert (catalogue[1].n_exposures, catalogue[1].aliases) == (0, {"HD 1": 0})
    for name in ("STD", "HD 1", "HD 1"):
        catalogue.identify(seen(name))
    assert list(catalogue) == before


# -------------------------------------------------------------------- resolvers


def test_resolver_is_asked_once_and_not_believed_blindly(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(name: str) -> Place | None:
        asked.append(name)
        return {"HD 1": Place(100.0001, -20.0, 5.0, 6.0), "HD 2": Place(10.0, 10.0)}.get(name)

    for _ in range(2):
        catalogue = Catalogue(resolver=Remembered(tmp_path / "names.json", ask))
        for name, east in (("HD 1", 0.0), ("HD 2", 100.0), ("HD 3", 200.0), ("STD", 300.0)):
            catalogue.identify(seen(name, east=east))
        assert catalogue[1] == Target(1, 100.0001, -20.0, 5.0, 6.0, 1, {"HD 1": 1})
        assert catalogue.position(2)[0] == pytest.approx(100.0296, abs=1e-4)
    assert asked == ["HD 1", "HD 2", "HD 3"]


def test_resolver_out_of_reach(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(name: str) -> Place | None:
        asked.append(name)
        raise ConnectionError

    catalogue = Catalogue(resolver=Remembered(tmp_path / "names.json", ask))
    assert catalogue.identify(seen("HD 1")) == 1
    assert catalogue.identify(seen("HD 2")) == 2
    assert asked == ["HD 1"]
    assert catalogue.position(1) == (100.0, -20.0)
    assert not (tmp_path / "names.json").exists()


# ------------------------------------------------------------------- properties

NAMES = ("HD 1", "HD_1", "hd1", "HD 2", "HIP 5", "my star", "STD", "", "alf Cen A", "alf Cen B")


@st.composite
def crowds(draw: st.DrawFn) -> list[Exposure]:
    """Anything, in a small field."""
    return [
        seen(
            tuple(draw(st.lists(st.sampled_from(NAMES), max_size=2))),
            draw(st.sampled_from([100.0, 0.0])),
            draw(st.sampled_from([-20.0, 89.99])),
            draw(st.floats(-15, 15)),
            draw(st.floats(-15, 15)),
            draw(st.floats(2001, 2030)),
            draw(st.sampled_from([None, 2000.0, 2015.5])),
            draw(st.sampled_from([None, None, (50.0, -30.0), (-4000.0, 1000.0)])),
        )
        for _ in range(draw(st.integers(1, 25)))
    ]


@settings(max_examples=150)
@given(crowds(), st.integers(0, 25))
def test_nothing_given_is_ever_changed(sightings: list[Exposure], pause: int) -> None:
    """Numbers follow each other, positions stay to the bit, and it does not matter where batches
    end: a catalogue that comes from its rows goes on in the same way."""
    catalogue = other = Catalogue()
    given_: dict[int, tuple[float, float]] = {}
    for number, sighting in enumerate(sightings):
        if number == pause:
            other = reloaded(catalogue)
        found = catalogue.identify(sighting)
        if other is not catalogue:
            assert other.identify(sighting) == found
        assert found is not None
        assert found in given_ or found == len(given_) + 1
        given_.setdefault(found, catalogue.position(found))
        assert {target.target_id: (target.ra, target.dec) for target in catalogue} == given_
    assert sum(target.n_exposures for target in catalogue) == len(sightings)
    if other is not catalogue:
        assert list(other) == list(catalogue)
        assert [t.name for t in other] == [t.name for t in catalogue]


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[int, Exposure]]:
    """Stars with five spellings, pointing errors of 2 arcsec and any proper motion."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    spellings = ("HD {}", "HD{}", "hd_{}", "HD-{}", "HD00{}")
    result = []
    for star in range(1, draw(st.integers(2, 8))):
        ra, dec = 60.0 * (star % 6) + rng.random(), rng.uniform(-89.9, 89.9)
        speed, towards = rng.choice((0.0, 0.1, 10.0)), rng.uniform(0, math.tau)
        for _ in range(draw(st.integers(1, 8))):
            years = rng.uniform(0, 20)
            result.append(
                (
                    star,
                    seen(
                        rng.choice(spellings).format(star),
                        ra,
                        dec,
                        speed * years * math.sin(towards) + rng.uniform(-1.4, 1.4),
                        speed * years * math.cos(towards) + rng.uniform(-1.4, 1.4),
                        2000 + years,
                        None,
                    ),
                )
            )
    rng.shuffle(result)
    return result


@settings(max_examples=100)
@given(logs())
def test_one_target_a_star(log: list[tuple[int, Exposure]]) -> None:
    """In any order."""
    for order in (log, log[::-1]):
        found = groups(order, Catalogue())
        assert found == {frozenset([star]) for star, _ in log}


@settings(max_examples=100)
@given(
    st.sampled_from(["HD 1|HD 2", "alf Cen A|alf Cen B", "S1|S2", "bet Pic|bet Pic b"]),
    st.floats(0, 10),
    st.integers(0, 2**32),
)  # fmt: skip
def test_close_pairs_stay_two(pair: str, apart: float, seed: int) -> None:
    rng = random.Random(seed)
    log = [
        (name, seen(name, east=which * apart + rng.uniform(-2, 2), north=rng.uniform(-2, 2)))
        for which, name in enumerate(pair.split("|"))
        for _ in range(6)
    ]
    rng.shuffle(log)
    catalogue = Catalogue()
    assert groups(log, catalogue) == {frozenset([name]) for name in pair.split("|")}
    assert len(catalogue) == 2


def test_simulated_log() -> None:
    """Every star of a simulated log is one target, and no target is two stars."""
    log = Log(count=4000, targets=800)
    catalogue = Catalogue()
    targets, stars = defaultdict(set), defaultdict(set)
    for exposure, star in log.entries():
        target = catalogue.identify(exposure)
        targets[star].add(target)
        stars[target].add(star)
    assert len(targets) == len(stars) == 800
    for star, partner in enumerate(log.stars.partner.tolist()):
        if partner >= 0:
            ((one,), (other,)) = targets[star], targets[partner]
            assert one is not None
            assert other in {number for number, _ in catalogue.neighbours(one)}


# ------------------------------------------------------------------ real traps

#: What is one star, beside what the names say; compared without blanks and the like.
SAME_STAR = {
    "alperi": "achernar", "alfcma": "sirius", "citau": "vcitau", "rulup": "vrulup",
    "deltasco": "delsco", "iotpeg": "iotapeg", "omileo": "omileo", "coori": "cooria",
    "hd44800bad": "hd44800", "sao50296": "azcyg",
}  # fmt: skip
#: Files whose header has no name.
NAMELESS = {
    "GRAVITY.2016-01-09": "tet01oric",
    "MATISSE.2018-05-20T01_14": "delvir",
    "MATISSE.2018-07-17": "94aqr",
    "MATISSE.2019-04-12": "sirius",
    "MATISSE.2024-03-11": "betcnc",
}


def star_of(name: str) -> str:
    plain = re.sub(r"[^a-z0-9+]", "", re.sub(r"\(\d+\)$", "", name).casefold())
    return SAME_STAR.get(plain, plain)


def header_sightings(shared: Path) -> list[tuple[str, Exposure]]:
    """Star and sighting of each header that saw one, with the worst position it has."""
    result = []
    with (shared / "eso_headers" / "INDEX.tsv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            names = tuple(n for n in (row["ESO OBS TARG NAME"], row["OBJECT"]) if n)
            real = [name for name in names if name not in ("STD", "SOURCE", "LAMP", "P2VM")]
            file = row["file"].rpartition("/")[2]
            star = next((s for begin, s in NAMELESS.items() if file.startswith(begin)), None)
            if star is None and not real:
                continue
            sighting = sighting_of(row, names, "RA", "DEC", "MJD-OBS")
            result.append((star or star_of(real[0]), sighting))
    return result


def sighting_of(
    row: Mapping[str, str], names: tuple[str, ...], ra: str, dec: str, mjd: str
) -> Exposure:
    base = seen(names, float(row[ra]), float(row[dec]), epoch=None)
    return replace(base, t_min=float(row[mjd] or 51544.5))


def test_real_headers(shared: Path) -> None:
    """Every star of the real headers is one target, in whatever order they come."""
    log = header_sightings(shared)
    stars = {star for star, _ in log}
    assert len(log) == 160
    assert len(stars) == 38
    for seed in range(4):
        random.Random(seed).shuffle(log)
        assert groups(log, Catalogue()) == {frozenset([star]) for star in stars}


def test_real_oifits(shared: Path) -> None:
    """So are those of the OIFITS files, beside the headers'."""
    log = header_sightings(shared)
    with (shared / "oifits_oracle" / "oitools_granules.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            made_up = row["path"].split("/")[1] in ("conformance", "simulated", "contest")
            if row["target_name"] and not made_up and (row["s_ra"], row["s_dec"]) != ("0.0", "0.0"):
                sighting = sighting_of(row, (row["target_name"],), "s_ra", "s_dec", "t_min")
                log.append((star_of(row["target_name"]), sighting))
    stars = {star for star, _ in log}
    assert len(stars) > 80
    for seed in range(4):
        random.Random(seed).shuffle(log)
        assert groups(log, Catalogue()) == {frozenset([star]) for star in stars}
