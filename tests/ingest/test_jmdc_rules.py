"""The rules that measurements are judged by: each on rows made for it, all on the real file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import jmdc, jmdc_rules, jmdc_stars, simulate_jmdc
from ingest.jmdc import COLUMNS, Measurement
from ingest.jmdc_rules import RULES, Expected, Judgement, Severity, judge

ROOT = Path(__file__).parents[2]
#: Nothing is wrong with it: 1.30 = 1.2366 × ld_over_ud(0.55).
GOOD = Measurement(
    "HD1234", "ALF SIM", 1.237, 1.300, 0.02, "R", 0.55, 1, 4, "As it should be.",
    "2020A&A...620A...1S",
)  # fmt: skip
OTHERS = [
    replace(GOOD, bibcode=f"2019A&A...619A...{n}S", ld_diam=1.3 + n / 100, mu_lambda=None)
    for n in (1, 2)
]


def flags(measurement: Measurement, *others: Measurement) -> set[str]:
    return {finding.rule.name for finding in judge(measurement, others).findings}


def test_a_good_row_breaks_no_rule() -> None:
    judgement = judge(GOOD, OTHERS, Expected(1.31, 0.05))
    assert judgement.findings == ()
    assert judgement.flags == ""
    assert judgement.correction is None
    assert judgement.mu_kind == "coefficient"
    assert judgement.band is not None
    assert judgement.band.letters == "R"


#: A change of GOOD that breaks a rule, and one that nearly does.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "formula": ({"notes": "=1+1"}, {"notes": "1=1"}),
    "no_diameter": ({"ud_diam": None, "ld_diam": None}, {"ud_diam": None}),
    "not_positive": ({"e_ld_diam": 0.0}, {"e_ld_diam": 0.001}),
    "implausible_size": (
        {"ud_diam": 120.0, "ld_diam": 126.0},
        {"ud_diam": 90.0, "ld_diam": 94.6},
    ),
    "ld_below_ud": ({"ld_diam": 1.23}, {"ud_diam": 1.31, "mu_lambda": None}),
    "ld_above_ud": ({"ld_diam": 1.41, "mu_lambda": None}, {"ld_diam": 1.38, "mu_lambda": None}),
    "factor_range": ({"mu_lambda": 1.3}, {"mu_lambda": 1.05}),
    "factor_mismatch": ({"mu_lambda": 0.1}, {"mu_lambda": 0.65}),
    "error_exceeds_value": ({"e_ld_diam": 0.7}, {"e_ld_diam": 0.6}),
    "error_too_small": ({"e_ld_diam": 0.0005}, {"e_ld_diam": 0.0007}),
    "no_error": ({"e_ld_diam": None}, {}),
    "no_band": ({"band": None, "bandcode": None}, {"band": None}),
    "band_not_understood": ({"band": "various"}, {"band": "0.7"}),
    "band_unit": ({"band": "700 mu"}, {"band": "700"}),
    "band_doubtful": ({"band": "R?"}, {"band": "R"}),
    "bandcode_unknown": ({"bandcode": 13}, {"band": None, "bandcode": 12}),
    "bandcode_mismatch": ({"bandcode": 5}, {"band": "740nm", "bandcode": 4}),
    "method_unknown": ({"method": 4}, {"method": 3}),
    "no_method": ({"method": None}, {"method": 2}),
    "method_wavelength": (
        {"method": 3, "band": "K", "bandcode": 8},
        {"method": 2, "band": "K", "bandcode": 8},
    ),
    "no_bibcode": ({"bibcode": "1931..............."}, {"bibcode": "1931AN....240..301D"}),
    "bibcode_form": ({"bibcode": "1997AJ....112.294D"}, {"bibcode": "1997AJ....112..294D"}),
    "journal_unknown": ({"bibcode": "2020ApK...620....1S"}, {"bibcode": "2020Natur.577..364L"}),
    "star_name": ({"id1": "HD187076J"}, {"id1": "HD187076A"}),
    "ld_is_factor": (
        {"ld_diam": 1.052, "mu_lambda": 1.052},
        {"ld_diam": 1.302, "mu_lambda": 1.052},
    ),
    "ld_is_error": ({"ld_diam": 0.03, "e_ld_diam": None}, {"ld_diam": 0.03}),
    "shifted_columns": (
        {"ud_diam": 0.55, "ld_diam": 1.237, "e_ld_diam": 1.3},
        {"ud_diam": 0.55, "ld_diam": 0.577, "e_ld_diam": 0.5},
    ),
    "duplicate": ({"ld_diam": OTHERS[0].ld_diam}, {}),  # see below
    "outlier": (
        {"ud_diam": 1.65, "ld_diam": 1.734},
        {"ud_diam": 1.65, "ld_diam": 1.734, "e_ld_diam": 0.2},
    ),
    "jsdc_outlier": (
        {"ud_diam": 1.9, "ld_diam": 1.997},
        {"ud_diam": 1.9, "ld_diam": 1.997, "e_ld_diam": 0.2},
    ),
}


def found(name: str, changes: dict[str, Any]) -> Judgement:
    measurement = replace(GOOD, **changes)
    if name == "duplicate":
        return judge(measurement, [measurement] if changes else OTHERS)
    if name == "jsdc_outlier":
        return judge(measurement, (), Expected(1.3, 0.05))
    return judge(measurement, OTHERS)


def test_each_rule_has_a_case() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("name", CASES)
def test_rule(name: str) -> None:
    wrong, nearly = (found(name, changes) for changes in CASES[name])
    finding = next(finding for finding in wrong.findings if finding.rule.name == name)
    assert finding.rule is RULES[name]
    assert finding.words[0].isupper()
    assert finding.words.endswith(".")
    assert set(finding.columns) <= set(COLUMNS)
    assert (name in wrong.flags.split()) == (finding.rule.severity != Severity.NOTE)
    assert wrong.has(finding.rule.severity)
    assert name not in {finding.rule.name for finding in nearly.findings}


@pytest.mark.parametrize(
    ("changes", "correction"),
    [
        ({"ld_diam": 1.052, "mu_lambda": 1.052}, (1.237, 1.301, 0.02)),
        ({"ld_diam": 0.03, "e_ld_diam": None}, (1.237, None, 0.03)),
        ({"ud_diam": 0.55, "ld_diam": 1.237, "e_ld_diam": 1.3}, (1.237, 1.3, None)),
    ],
)
def test_corrections(changes: dict[str, Any], correction: tuple[float | None, ...]) -> None:
    judgement = judge(replace(GOOD, **changes))
    put_right = judgement.correction
    assert put_right is not None
    assert (put_right.ud_diam, put_right.ld_diam, put_right.e_ld_diam) == correction
    assert put_right.reason
    # What is put right is not blamed a second time.
    assert len(judgement.flags.split()) == 1
    corrected = jmdc_rules.apply(replace(GOOD, **changes), judgement.correction)
    assert judge(corrected).flags == ""


@pytest.mark.parametrize("coefficient", [0.0, 0.1, 0.35, 0.5, 0.75, 1.0])
def test_the_ratio_of_diameters(coefficient: float) -> None:
    """At long periods visibilities depend on the second moment of the disk: it must be the same."""

    def moment(u: float) -> float:
        r = (np.arange(200_000) + 0.5) / 200_000
        brightness = 1 - u * (1 - np.sqrt(1 - r**2))
        return float((brightness * r**3).sum() / (brightness * r).sum())

    expected = np.sqrt(moment(0.0) / moment(coefficient))
    assert jmdc_rules.ld_over_ud(coefficient) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("mu", "ud", "ld", "kind"),
    [
        (1.03, None, None, "ratio"),
        (1.118, 2.0, None, "ratio"),
        (0.5, None, None, "coefficient"),
        (0.95, None, None, None),
        (0.95, 1.0, 1.105, "coefficient"),
        (0.95, 1.0, 1.053, "inverse"),
        (1.0, 2.456, 2.456, "ratio"),
        (0.95, 1.0, 1.3, None),
        (1.5, 1.0, 1.0, None),
        (-0.2, 1.0, 1.0, None),
    ],
)
def test_what_mu_lambda_is(mu: float, ud: float | None, ld: float | None, kind: str | None) -> None:
    assert jmdc_rules.mu_kind(Measurement("HD1", ud_diam=ud, ld_diam=ld, mu_lambda=mu)) == kind


def test_stars_that_vary_and_rows_of_an_unknown_component_are_not_compared_so_closely() -> None:
    far = replace(GOOD, ud_diam=1.65, ld_diam=1.734)
    assert "outlier" in flags(far, *OTHERS)
    assert "outlier" not in flags(replace(far, id2="R SIM Cnc", id1="R Cnc"), *OTHERS)
    assert "outlier" not in flags(replace(far, sinpe=1), *OTHERS)
    assert "outlier" not in flags(far, *(replace(other, sinpe=1) for other in OTHERS))
    assert "outlier" not in flags(far, *(replace(other, band="N") for other in OTHERS))
    assert "outlier" not in flags(far, *(replace(o, bibcode=far.bibcode) for o in OTHERS))


def test_of_two_that_contradict_each_other_the_less_accurate_is_told() -> None:
    one = replace(GOOD, ud_diam=2.0, ld_diam=2.1, e_ld_diam=0.1)
    other = replace(GOOD, bibcode="2019A&A...619A...1S", e_ld_diam=0.02)
    assert "outlier" in flags(one, other)
    assert "outlier" not in flags(other, one)


@given(
    st.builds(
        Measurement,
        id1=st.text(min_size=1, max_size=12),
        id2=st.none() | st.text(max_size=12),
        ud_diam=st.none() | st.floats(allow_nan=False),
        ld_diam=st.none() | st.floats(allow_nan=False),
        e_ld_diam=st.none() | st.floats(allow_nan=False),
        band=st.none() | st.text(max_size=12),
        mu_lambda=st.none() | st.floats(allow_nan=False),
        method=st.none() | st.integers(0, 999),
        bandcode=st.none() | st.integers(0, 999),
        bibcode=st.none() | st.text(max_size=19),
        sinpe=st.integers(0, 1),
    )
)
def test_any_row_can_be_judged(measurement: Measurement) -> None:
    judgement = judge(measurement, [GOOD, measurement], Expected(1.0))
    assert set(judgement.flags.split()) <= set(RULES)
    assert all(finding.words for finding in judgement.findings)


def test_simulated_rows_that_are_wrong_are_found_by_their_rule() -> None:
    for rows in simulate_jmdc.releases():
        for row in rows:
            others = [other for other in rows if other.id1 == row.id1 and other is not row]
            told = re.search(r"Simulated: (\w+)\.", row.notes or "")
            assert judge(row, others).flags == (told[1] if told else ""), row


def test_the_table_of_rules_is_up_to_date() -> None:
    assert (ROOT / "jmdc" / "RULES.md").read_text(encoding="utf-8") == jmdc_rules.rules_table()


# ---------------------------------------------------------------- the real file


@cache
def _judged(path: Path) -> list[tuple[Measurement, Judgement]]:
    rows = jmdc.read(path).measurements
    stars: dict[str, list[Measurement]] = {}
    for row in rows:
        stars.setdefault(jmdc_stars.key(row.id1), []).append(row)
    return [
        (row, judge(row, [o for o in stars[jmdc_stars.key(row.id1)] if o is not row]))
        for row in rows
    ]


@pytest.fixture
def real(shared: Path) -> list[tuple[Measurement, Judgement]]:
    """The release of September 2021 with what is found in it."""
    return _judged(shared / "catalogues" / "jmdc" / "JMDC_20210910.csv")


def test_the_wrong_diameters_are_found_and_corrected(
    real: list[tuple[Measurement, Judgement]], shared: Path
) -> None:
    """74 factors, 11 errors, one shifted row: told from the file by what their papers have."""
    path = shared / "catalogues" / "jmdc" / "JMDC_20210910.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    expected: dict[int, tuple[float, float | None, float | None]] = {}
    for number, row in enumerate(rows):
        ud, ld = row["UD_DIAM"], row["LD_DIAM"]
        if row["BIBCODE"] == "2009MNRAS.394.1925V":
            assert ld == row["MU_LAMBDA"]
            expected[number] = float(ud), float(ud) * float(ld), float(row["E_LD_DIAM"])
        elif row["BIBCODE"] == "2017A&A...600A.127K":
            expected[number] = float(ud), None, float(ld)
        elif row["ID2"] == "16 Cyg B" and row["BIBCODE"] == "2013MNRAS.433.1262W":
            expected[number] = 0.467, 0.49, None
    assert len(expected) == 86
    corrected = {number: judged for number, (_, judged) in enumerate(real) if judged.correction}
    assert set(corrected) == set(expected)
    for number, values in expected.items():
        correction = corrected[number].correction
        assert correction is not None
        assert correction.reason
        assert correction.ud_diam == values[0]
        assert correction.ld_diam == (values[1] and pytest.approx(values[1], abs=5.1e-4))
        assert correction.e_ld_diam == values[2]


def test_good_rows_are_not_drowned(real: list[tuple[Measurement, Judgement]]) -> None:
    """How often each rule is broken; the README says what is behind it."""
    number = Counter(name for _, judged in real for name in judged.flags.split())
    assert number == {
        "ld_is_factor": 74, "error_too_small": 25, "outlier": 21, "bibcode_form": 15,
        "ld_is_error": 11, "band_unit": 8, "ld_below_ud": 7, "ld_above_ud": 7,
        "factor_mismatch": 6, "error_exceeds_value": 5, "shifted_columns": 1,
        "implausible_size": 1, "bandcode_mismatch": 1, "band_not_understood": 1,
        "method_wavelength": 1, "star_name": 1,
    }  # fmt: skip
    assert sum(bool(judged.flags) for _, judged in real) == 178


def test_what_mu_lambda_is_in_the_real_file(real: list[tuple[Measurement, Judgement]]) -> None:
    """The two diameters tell of each number what it is, and nearly always by 3 %."""
    kinds = Counter(judged.mu_kind for row, judged in real if row.mu_lambda is not None)
    assert kinds == {"coefficient": 379, "ratio": 206}
