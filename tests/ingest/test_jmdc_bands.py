"""Bands and wavelengths in the words of JMDC."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import jmdc_bands
from ingest.jmdc_bands import LETTERS


@pytest.mark.parametrize(
    ("text", "shortest", "longest", "letters"),
    [
        ("550..850nm", 550, 850, "VRI"),
        ("550 to 850", 550, 850, "VRI"),
        ("690..950nm ", 690, 950, "RI"),
        ("0.6-0.8", 600, 800, "RI"),
        ("8-13", 8000, 13000, "N"),
        ("2.2", 2200, 2200, "K"),
        ("2.2mu", 2200, 2200, "K"),
        ("10 mu", 10000, 10000, "N"),
        ("11", 11000, 11000, "N"),
        ("4430A", 443, 443, "B"),
        ("700 nm", 700, 700, "R"),
        ("441.6nm", 441.6, 441.6, "B"),
        ("y=547nm", 547, 547, "V"),
        ("K", 1995, 2385, "K"),
        ("K'", 1945, 2295, "K"),
        ("H,K", 1476.5, 2385, "HK"),
        ("H or K ?", 1476.5, 2385, "HK"),
        ("U,B,R", 332, 727, "UBR"),
        ("B?", 398, 492, "B"),
        ("b", 458, 476, "B"),
        ("y", 535.5, 558.5, "V"),
        ("Halpha", 656.28, 656.28, "R"),
        ("L Band", 3214, 3686, "L"),
        ("V (eye)", 507, 595, "V"),
    ],
)
def test_what_texts_mean(text: str, shortest: float, longest: float, letters: str) -> None:
    band = jmdc_bands.read(text)
    assert band is not None
    assert band.shortest == pytest.approx(shortest * 1e-9, rel=1e-6)
    assert band.longest == pytest.approx(longest * 1e-9, rel=1e-6)
    assert band.letters == letters


@pytest.mark.parametrize("text", ["", "various", "0", "1e3", "K-H", "-2.2", "2000000A", "100 mu m"])
def test_texts_that_mean_nothing(text: str) -> None:
    assert jmdc_bands.read(text) is None


def test_a_unit_that_cannot_be() -> None:
    band = jmdc_bands.read("710 mu")
    assert band is not None
    assert band.shortest == 710e-9
    assert band.doubt == "710 mu must be nanometres"


UNITS = {"nm": 1e-9, " nm": 1e-9, "mu": 1e-6, " mu": 1e-6, "": 1e-6, "A": 1e-10}


@given(
    st.integers(350, 25000),
    st.integers(0, 3000),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from([" to ", "..", "-", "...", " - "]),
)
def test_wavelengths_in_any_unit(nanometres: int, width: int, unit: str, between: str) -> None:
    first, last = nanometres * 1e-9, min(nanometres + width, 29000) * 1e-9
    last = max(first, last)
    texts = [f"{value / UNITS[unit]:.6g}" for value in (first, last)]
    text = texts[0] + unit if first == last else f"{texts[0]}{between}{texts[1]}{unit}"
    band = jmdc_bands.read(text)
    assert band is not None, text
    assert band.doubt is None
    assert band.shortest == pytest.approx(first, rel=1e-5)
    assert band.longest == pytest.approx(last, rel=1e-5)
    assert band.letters
    assert all(jmdc_bands.fits(LETTERS.index(letter) + 1, band) for letter in band.letters)


@given(
    st.lists(st.sampled_from(LETTERS), min_size=1, unique=True), st.sampled_from([",", ", ", "/"])
)
def test_any_bands_by_letters(letters: list[str], between: str) -> None:
    band = jmdc_bands.read(between.join(letters))
    assert band is not None
    assert set(band.letters) == set(letters)
    assert list(band.letters) == sorted(letters, key=LETTERS.index)
    for code in range(1, 13):
        assert jmdc_bands.fits(code, band) == (LETTERS[code - 1] in letters)


@given(st.text(max_size=20))
def test_no_text_is_too_strange(text: str) -> None:
    band = jmdc_bands.read(text)
    assert band is None or 0 < band.shortest <= band.longest < 1e-4


def test_all_texts_of_the_real_file(shared: Path) -> None:
    """Each of the 114 is understood, but one; where BANDCODE is known, it is of the band."""
    path = shared / "catalogues" / "jmdc" / "JMDC_20210910.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        seen = {(row["BAND"].strip(), row["BANDCODE"]) for row in csv.DictReader(stream)}
    texts = {text for text, _ in seen if text}
    assert len(texts) == 114
    assert {text for text in texts if jmdc_bands.read(text) is None} == {"various"}
    wrong = set()
    for text, code in seen:
        band = jmdc_bands.read(text)
        if band is not None and code and not jmdc_bands.fits(int(float(code)), band):
            wrong.add((text, code))
    assert wrong == {("y", "5.0")}
