"""Names of stars: spellings of one, names of different ones, names of nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import names


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        ("hd 45677", "HD45677|HD-45677|hd 45677|HD_45677|HD045677|HDE 45677|HD45677_bad|HD45677_2"),
        ("hd 45677", "CAL_HD45677|SCI_HD_45677_end_night|HD45677(3)"),
        ("alf eri", "alp_Eri|alf Eri|Alpha Eridani|ALP ERI|* alf Eri|α Eri|alphaEri|ACHERNAR"),
        ("alf cma", "Sirius|alp_CMa|alpha Canis Majoris|ALPHACMA"),
        ("gam2 vel", "Gamma2_Velorum|gam02 Vel|γ2 Vel|gam 2 Vel"),
        ("tet1 ori c", "tet01OriC|theta1 Ori C|* tet01 Ori C"),
        ("alf cen a", "Alpha_Cen_A|alfCenA|Rigil Kentaurus"),
        ("ci tau", "V CI Tau|V* CI Tau|CITau|CI_Tau"),
        ("r lup", "V R Lup|R Lup|r_lup"),
        ("v hya", "V Hya|V* V Hya"),
        ("v892 tau", "V892 Tau|V0892_Tau|v892tau"),
        ("l2 pup", "L2 Pup|L02_Pup|l2pup"),
        ("75 vir", "75Vir|75 Vir|CAL_75Vir"),
        ("t tau n", "T Tau N|T_Tau_N"),
        ("gj 551", "Proxima|Proxima Cen|GJ 551|Gl551|Gliese 551"),
        ("hr 5095", "BSC5095|HR 5095|HR5095"),
        ("as 209", "AS_209|EM* AS 209|AS 209"),
        ("irc +10216", "IRC+10216|irc_+10216|IRC +10216"),
        ("irc -10216", "IRC-10216|IRC -10216"),
        ("iras 17216-3801", "IRAS17216-3801|IRAS 17216-3801|IRAS_17216-3801"),
        ("cd -35 1234", "CD-35 1234|CD -35 1234|CD-351234|CD-35_1234|CD-35d1234"),
        ("2mass 4151234+1234567", "2MASS J04151234+1234567|2MASSJ04151234+1234567"),
        ("tyc 1234-567-1", "TYC 1234-567-1|TYC_1234-567-1"),
        ("sgra", "SgrA*|Sgr A*|SGRA"),
        ("irs 16 c", "IRS16C|IRS 16C|irs_16_c"),
        ("charleensstar", "Charleen's Star|charleens_star"),
    ],
)  # fmt: skip
def test_spellings(key: str, spellings: str) -> None:
    assert {names.key(spelling) for spelling in spellings.split("|")} == {key}


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", ",", "0", "STD", "std", "OBJECT", "Object name not set", "Name", "test",
        "LAMP", "INTERNAL", "P2VM", "STAR", "target", "Calibrator", "00:00:00.000 -60:00:00.000", 
        "STD,RMNREC", "Dark", "sky", "N/A", "None", "SOURCE", "TEST1",
    ],
)  # fmt: skip
def test_names_of_nothing(text: str) -> None:
    assert names.key(text) is None


def differ(one: str, other: str) -> bool:
    first, second = names.parse(one), names.parse(other)
    assert first is not None
    assert second is not None
    assert names.differ(first, second) == names.differ(second, first)
    return names.differ(first, second)


@pytest.mark.parametrize(
    "pair",
    [
        "alf Cen A|alf Cen B", "alf Cen|alf Cen B", "beta Pic|beta Pic b", "T Tau N|T Tau S",
        "HD 1|HD 2", "gam1 Vel|gam2 Vel", "alf Eri|bet Eri", "IRS16C|IRS16NW", "IRS7|IRS16C",
        "S2|S35", "CO_Ori_A|CO_Ori_B", "foo A|foo B", "Achernar|Sirius", "IRC+10216|IRC-10216",
        "HD 1A|HD 1B", "51 Eri|51 Eri b", "star 1|star 2",
    ],
)  # fmt: skip
def test_names_of_two(pair: str) -> None:
    assert differ(*pair.split("|"))


@pytest.mark.parametrize(
    "pair",
    [
        "alf Cen|alf Cen A", "HD 1|HIP 1", "gam Vel|gam2 Vel", "foo|bar", "HD45677|HD45677_1",
        "FS CMa|HD 45677", "alf Eri|HD 10144", "Spica|SPICA(1)", "75 Vir|HD 118219",
    ],
)  # fmt: skip
def test_names_that_may_be_of_one(pair: str) -> None:
    assert not differ(*pair.split("|"))


def test_universal_names() -> None:
    """What only one star has, and what anybody may call a star."""
    for text in ("HD 1", "alf Eri", "Barnard's star", "V892 Tau", "75 Vir", "IRAS 17216-3801"):
        name = names.parse(text)
        assert name is not None
        assert name.universal, text
    for text in ("S2", "star 1", "cal1", "Mystery", "IRS7"):
        name = names.parse(text)
        assert name is not None
        assert not name.universal, text


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    """Whatever a log has for a name: no key, or one of ASCII without blanks about it."""
    key = names.key(text)
    if key is not None:
        assert key.isascii()
        assert key == key.strip() != ""


@given(
    st.sampled_from(["HD", "HIP", "HR", "GJ", "SAO", "MWC"]),
    st.integers(1, 999_999),
    st.sampled_from(["{}{}", "{} {}", "{}_{}", "{}-{}", "{}0{}", "{}_{}_bad", "CAL_{}{}"]),
    st.booleans(),
)  # fmt: skip
def test_numbers_of_catalogues(catalogue: str, number: int, form: str, lower: bool) -> None:
    text = form.format(catalogue, number)
    assert names.key(text.lower() if lower else text) == f"{catalogue.lower()} {number}"


@given(
    st.sampled_from(["HD", "hip", "Gl", "BSC", "wr", "XY", "HDE", "S"]),
    st.sampled_from(["", " ", "_", "-"]),
    st.integers(0, 99_999),
    st.sampled_from(["{}", "{:06d}"]),
)
def test_short_cut_changes_nothing(catalogue: str, between: str, number: int, form: str) -> None:
    text = catalogue + between + form.format(number)
    assert names.parse(text) == names.parse(f" {text} ")
