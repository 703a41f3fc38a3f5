"""Which row of a release continues which of the release before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import jmdc, jmdc_history
from ingest.jmdc import Measurement

ROW = Measurement("HD1", "ALF SIM", 1.2, 1.25, 0.02, "K", None, 1, 8, None, "2020SIM....20....1S")


def kinds(before: list[Measurement], after: list[Measurement]) -> Counter[str]:
    """How many rows were added, changed, removed, kept."""
    found: Counter[str] = Counter()
    for entry in jmdc_history.trace([before, after]):
        first, last = entry.versions[0], entry.versions[-1]
        if len(entry.versions) == 2:
            found["changed"] += 1
        elif (first.first, last.last) == (0, 1):
            found["kept"] += 1
        else:
            found["added" if first.first else "removed"] += 1
    return found


def test_changes_of_a_row() -> None:
    for change in (
        replace(ROW, id1="HD 1"),
        replace(ROW, id1="HIP7"),
        replace(ROW, band="2.2", bandcode=None),
        replace(ROW, ud_diam=1.3),
        replace(ROW, ud_diam=None, ld_diam=7.0, e_ld_diam=None),
        replace(ROW, bibcode="2021SIM....20....1S"),
        replace(ROW, notes="A note."),
        replace(ROW, sinpe=1),
    ):
        assert kinds([ROW], [change]) == {"changed": 1}, change


def test_rows_that_are_others() -> None:
    for other in (
        replace(ROW, id1="HD2", ud_diam=7.0),
        replace(ROW, id1="HD2", bibcode="2021SIM....20....1S"),
        replace(ROW, bibcode="2021SIM....20....1S", ud_diam=7.0),
    ):
        assert kinds([ROW], [other]) == {"added": 1, "removed": 1}, other


def test_rows_of_a_series_are_told_apart() -> None:
    series = [replace(ROW, ud_diam=1 + n / 10, ld_diam=None) for n in range(8)]
    after = [replace(row, notes="Pulsates.") for row in reversed(series) if row.ud_diam != 1.3]
    entries = jmdc_history.trace([series, after])
    assert kinds(series, after) == {"changed": 7, "removed": 1}
    for entry in entries:
        assert len({version.measurement.ud_diam for version in entry.versions}) == 1


def test_twins_are_two() -> None:
    assert kinds([ROW, ROW], [ROW]) == {"kept": 1, "removed": 1}
    assert kinds([ROW], [ROW, ROW]) == {"kept": 1, "added": 1}
    assert kinds([ROW, ROW], [ROW, ROW]) == {"kept": 2}


ROWS = st.builds(
    Measurement,
    id1=st.sampled_from(["HD1", "HD 1", "HD2"]),
    ud_diam=st.sampled_from([None, 1.0, 2.0]),
    ld_diam=st.sampled_from([None, 1.1]),
    notes=st.sampled_from([None, "A note."]),
    bibcode=st.sampled_from(["2020SIM....20....1S", "2021SIM....21....1S"]),
)


@settings(max_examples=40)
@given(st.lists(st.lists(ROWS, max_size=8), max_size=5))
def test_releases_are_what_their_versions_say(releases: list[list[Measurement]]) -> None:
    entries = jmdc_history.trace(releases)
    for number, rows in enumerate(releases):
        held = [
            version.measurement
            for entry in entries
            for version in entry.versions
            if version.first <= number <= version.last
        ]
        assert Counter(held) == Counter(rows)
    for entry in entries:
        for one, next_one in zip(entry.versions, entry.versions[1:], strict=False):
            assert one.first <= one.last == next_one.first - 1
            assert one.measurement != next_one.measurement


@settings(max_examples=40)
@given(st.lists(ROWS, max_size=10), st.lists(ROWS, max_size=10))
def test_nothing_is_continued_twice_and_what_stays_stays(
    before: list[Measurement], after: list[Measurement]
) -> None:
    links = jmdc_history.link(before, after)
    used = [link for link in links if link is not None]
    assert len(set(used)) == len(used)
    same = sum(
        before[link] == row for link, row in zip(links, after, strict=True) if link is not None
    )
    assert same == sum((Counter(before) & Counter(after)).values())


def test_the_real_releases(shared: Path) -> None:
    """What has changed, against what the files say of it when they are compared as sets."""
    folder = shared / "catalogues" / "jmdc"
    names = ("JMDC_20161201.xls", "JMDC_20190712.xls", "JMDC_full_20200730.csv")
    old, middle, new, newest = (
        jmdc.read(folder / name).measurements for name in (*names, "JMDC_20210910.csv")
    )
    assert kinds(old, middle) == {"kept": 1071, "changed": 167, "removed": 1, "added": 316}
    assert kinds(middle, new) == {"kept": 1172, "changed": 364, "removed": 18, "added": 230}
    assert kinds(new, newest) == {"kept": 1696, "changed": 70, "added": 255}
    # Of one publication METHOD was missing, and is there now; nothing else was touched.
    filled = [replace(row, method=row.method or 1) for row in new]
    assert not Counter(filled) - Counter(newest)
    for one, other in ((old, middle), (middle, new), (new, newest)):
        assert kinds(one, other)["kept"] == sum((Counter(one) & Counter(other)).values())
