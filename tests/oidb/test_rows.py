"""Identifiers and release dates of what is ingested."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from ingest.granules import Granule
from oidb.res import rows, store


@dataclass
class Seen:
    """What matters of a granule here."""

    category: str | None = "SCIENCE"
    t_max: float | None = 60000.5
    target_name: str | None = "SIM UD 1"
    insname: str = "GRISM"
    night: str | None = "2023-02-24"


def granules(*seen: Seen) -> list[Granule]:
    return cast(list[Granule], list(seen))


def source(release_date: date | None = None, **collection: Any) -> rows.Source:
    return rows.Source(
        path=Path("/data/file.fits"),
        content=store.Content(4, "ab" * 32, "cd" * 16, False),
        file_id=17,
        name="file.abababab.fits",
        stored=None,
        url=None,
        collection=rows.Collection("sim", **collection),
        calib_level=2,
        owner=None,
        release_date=release_date,
        raw_release_date=None,
        datapi=None,
        authority="jmmc.fr",
        now=datetime(2026, 1, 1),
    )


def test_without_date_and_embargo_a_file_is_public() -> None:
    assert rows.release(source(), granules(Seen())) is None


def test_a_given_date_holds() -> None:
    given_date = source(release_date=date(2027, 6, 1))
    assert rows.release(given_date, granules(Seen())) == datetime(2027, 6, 1)


def test_an_embargo_counts_from_the_last_observation_to_the_beginning_of_a_day() -> None:
    # MJD 60000 is 2023-02-25; the embargo of ten days ends in the middle of 2023-03-07.
    found = rows.release(source(embargo_days=10), granules(Seen(t_max=59000.0), Seen()))
    assert found == datetime(2023, 3, 8)


def test_calibrators_have_no_embargo_and_the_unknown_is_science() -> None:
    embargo = source(embargo_days=10)
    assert rows.release(embargo, granules(Seen(category="CALIB"))) is None
    assert rows.release(embargo, granules(Seen(category=None))) == datetime(2023, 3, 8)


def test_the_later_of_date_and_embargo_holds() -> None:
    both = source(release_date=date(2023, 3, 1), embargo_days=10)
    assert rows.release(both, granules(Seen())) == datetime(2023, 3, 8)
    later = source(release_date=date(2024, 3, 1), embargo_days=10)
    assert rows.release(later, granules(Seen())) == datetime(2024, 3, 1)


def test_dachs_opens_a_product_on_the_release_date() -> None:
    product = rows.Product("oidb/x.fits", "/x.fits", 4, "application/fits", "#this", "A file")
    row = rows.of_product(17, "group", datetime(2027, 6, 1), product)
    # It delivers when the embargo is before today.
    assert row["prodtblEmbargo"] == date(2027, 5, 31)
    assert row["prodtblPreview"] is None


def test_the_latest_date_holds_from_the_beginning_of_a_day() -> None:
    own, raw = datetime(2027, 6, 1), datetime(2027, 6, 1, 13, 5)
    assert rows.latest(own, None) == rows.latest(None, own) == own
    assert rows.latest(own, raw) == datetime(2027, 6, 2)
    assert rows.latest(None, None) is None


@given(st.lists(st.none() | st.datetimes(max_value=datetime(9000, 1, 1)), max_size=4))
def test_nothing_is_released_before_a_date_that_holds(dates: list[datetime | None]) -> None:
    found = rows.latest(*dates)
    for given_date in dates:
        if given_date is not None:
            assert found is not None
            assert found >= given_date
            # The products open on the day after their embargo.
            assert rows.embargo(found) == found.date() - timedelta(days=1)


def test_like_granules_of_a_file_get_different_identifiers() -> None:
    same = granules(Seen(), Seen(), Seen(night=None))
    ids = rows.granule_ids(source(), same)
    assert len(set(ids)) == 3
    assert ids == rows.granule_ids(source(), same)


@given(st.lists(st.text(), min_size=1))
def test_identifiers_fit_in_a_double(parts: list[str]) -> None:
    number = rows.number(*parts)
    assert 0 <= number < 2**52
    assert int(float(number)) == number
