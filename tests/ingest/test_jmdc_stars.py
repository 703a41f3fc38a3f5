"""Which names are of one star."""

import pytest

from ingest import jmdc_stars


@pytest.mark.parametrize(
    ("some", "others", "one"),
    [
        (["HD1326"], ["HD1326A"], True),
        (["HD165341A"], ["HD165341B"], False),
        (["HD128620"], ["HD128621"], False),
        (["GJ551"], ["HIP70890"], True),
        (["HD 1", "HIP 2"], ["HD2"], False),
        (["CCDM J16294-2626 AB"], ["HD148478"], True),
    ],
)
def test_stars_at_one_place(some: list[str], others: list[str], one: bool) -> None:
    assert jmdc_stars.may_be_one(some, others) is one
    assert jmdc_stars.may_be_one(others, some) is one


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("HD1234", set()),
        ("HD165341B", {"component"}),
        ("GJ 65A", {"component"}),
        ("WDS J05407-0157Aa", {"component"}),
        ("WDS J05407-0157Aa,Ab", {"system"}),
        ("WDSJ05167+4600Aa,Ab", {"system"}),
        ("CCDM J16294-2626 AB", {"system"}),
        ("HD187076J", set()),
        ("Gaia DR2 1965835329142007168", set()),
        ("IRC+10158", set()),
    ],
)
def test_what_names_tell_of_components(name: str, flags: set[str]) -> None:
    assert jmdc_stars.name_flags([name]) == flags


def test_keys_to_search_by() -> None:
    keys = jmdc_stars.search_keys(["HD 45677", "HD045677"], ["FS CMa", "star 1", "-"])
    assert keys == ["hd 45677", "fs cma"]
    assert jmdc_stars.key("☉") == "☉"
