"""Files of JSDC: what astropy reads of them is what we read, in each form."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import ascii as tables
from astropy.io import votable
from astropy.table import MaskedColumn, Table

from ingest import jsdc, simulate_jsdc
from ingest.fits import UnreadableFile
from ingest.simulate import STARS, Binary
from ingest.simulate_jsdc import Known

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "catalogues"

WRITERS = {
    "fits": simulate_jsdc.write_fits,
    "fits.gz": simulate_jsdc.write_fits,
    "tsv": simulate_jsdc.write_tsv,
    "tsv.gz": simulate_jsdc.write_tsv,
    "vot": simulate_jsdc.write_votable,
}


def _by_astropy(path: Path) -> Any:
    """The file as astropy reads it."""
    if ".tsv" in path.name:
        # Units and dashes are under the names.
        return tables.read(path, format="tab", comment="#", data_start=3, fill_values=("", "0"))
    return Table.read(path, format="votable" if ".vot" in path.name else "fits")


def _numbers(column: Any) -> Any:
    return MaskedColumn(column).astype(float).filled(np.nan)


def _degrees(table: Any) -> Any:
    ra, dec = table["RAJ2000"], table["DEJ2000"]
    if ra.dtype.kind == "f":
        return SkyCoord(ra, dec, unit="deg")
    return SkyCoord(ra.astype(str), dec.astype(str), unit=("hourangle", "deg"))


@pytest.mark.parametrize("degrees", [False, True])
@pytest.mark.parametrize("form", WRITERS)
def test_each_form_is_read_as_astropy_reads_it(tmp_path: Path, form: str, degrees: bool) -> None:
    columns = simulate_jsdc.simulate(500, [Known("SIM CAL 1", 112.3, -0.0004, 0.4, cal_flag=0)])
    path = tmp_path / f"jsdc.{form}"
    WRITERS[form](columns, path, degrees=degrees)
    found, expected = jsdc.read(path), _by_astropy(path)
    assert (len(found), found.version) == (500, 2)
    names = [text.decode() for text in found.columns["name"].tolist()]
    assert names == [str(name) for name in expected["Name"]]
    places = _degrees(expected)
    assert np.abs(found.columns["ra"] - places.ra.deg).max() < 1e-9
    assert np.abs(found.columns["dec"] - places.dec.deg).max() < 1e-9
    assert found.columns["dec"][names.index("SIM CAL 1")] == pytest.approx(-0.0004)
    for ours, theirs in {
        **{f"{band}mag": f"{band.upper()}mag" for band in jsdc.BANDS},
        **{f"e_{band}mag": f"e_{band.upper()}mag" for band in jsdc.BANDS if band not in "ri"},
        **{f"udd_{band}": f"UDD{band.upper()}" for band in jsdc.BANDS},
        "ldd": "LDD", "e_ldd": "e_LDD", "ldd_chi2": "LDDCHI", "cal_flag": "CalFlag",
    }.items():  # fmt: skip
        np.testing.assert_array_equal(found.columns[ours], _numbers(expected[theirs]), ours)
    assert np.isnan(found.columns["nmag"]).any()
    assert not any(found.columns["quality_flags"])


def test_unknown_values_are_not_numbers(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.tsv"
    path.write_text(
        "#VizieR\n"
        "Name\t_RAJ2000\t_DEJ2000\tRAJ2000\tDEJ2000\tBmag\te_LDD\tLDD\tCalFlag\tUDDB\n"
        " \tdeg\tdeg\t\"h:m:s\"\t\"d:m:s\"\tmag\tmas\tmas\t \tmas\n"
        "----\t----\t----\t----\t----\t----\t----\t----\t-\t----\n"
        "HD 1\t9\t9\t00 00 04.00000\t-00 00 36.0000\t-\t-1\t-1\t0\t-1.000000\n"
        "HD 2\t9\t9\t23 59 59.00000\t+89 59 59.0000\t  \t0.5\t0.4\t17\t0.5\n"
        "HD 2\t9\t9\t \t \t1.5\t0.0\t-0.2\t\t0.1\n"
        "\n"
        "#Table\tII_346_jsdc_dis:\n"
        "Name\tLDD1\n----\t----\nHD 9\t1.0\n"
    )  # fmt: skip
    columns = jsdc.read(path).columns
    assert columns["name"].tolist() == [b"HD 1", b"HD 2", b"HD 2"]
    np.testing.assert_allclose(columns["ra"], [1 / 60, 359.9958333333, np.nan])
    np.testing.assert_allclose(columns["dec"], [-0.01, 89.9997222222, np.nan])
    np.testing.assert_array_equal(columns["bmag"], [np.nan, np.nan, 1.5])
    np.testing.assert_array_equal(columns["ldd"], [np.nan, 0.4, -0.2])
    np.testing.assert_array_equal(columns["e_ldd"], [np.nan, 0.5, 0.0])
    np.testing.assert_array_equal(columns["udd_b"], [np.nan, 0.5, 0.1])
    np.testing.assert_array_equal(columns["cal_flag"], [0, 17, np.nan])
    assert np.isnan(columns["kmag"]).all()
    assert columns["quality_flags"].tolist() == [
        b"no_diameter",
        b"duplicate_name error_exceeds_diameter ud_exceeds_ld unknown_cal_flag",
        b"duplicate_name no_position no_error diameter_not_positive",
    ]


HEAD = "Name\tRAJ2000\tDEJ2000\tLDD\te_LDD\tCalFlag\n----\t----\t----\t----\t----\t-\n"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("HD 1\t00 00 04.0\t-00 00 36.0\t0.1\t0.01\n", "row 1: 5 cells under 6 columns"),
        ("HD 1\t00 00 04.0\t-00 00 36.0\tbig\t0.01\t0\n", "row 1: ldd is no number: 'big'"),
        ("HD 1\t1 2 3\t4 5 6\t1\t1\t0.5\n", "row 1: cal_flag is no whole number: '0.5'"),
        ("HD 1\t00 00 04.0\t-91 00 36.0\t0.1\t0.01\t0\n", "row 1: dec is not from -90 to 90"),
        ("HD 1\t1 2 3\t4 5 6\t1\t1\t0\nHD 2\t1 2\t4 5 6\t1\t1\t0\n", "row 2: RAJ2000 is not hours"),
    ],
)
def test_a_wrong_value_refuses_the_file(tmp_path: Path, rows: str, reason: str) -> None:
    path = tmp_path / "wrong.tsv"
    path.write_text(HEAD + rows)
    with pytest.raises(UnreadableFile) as error:
        jsdc.read(path)
    assert "wrong.tsv" in str(error.value)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", b"<VOTABLE><TABLE>", b"SIMPLE  =                    T", b"\x1f\x8bgzip"],
)
def test_what_is_no_catalogue_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile):
        jsdc.read(path)


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    for form, writer in WRITERS.items():
        path = tmp_path / f"jsdc.{form}"
        writer(simulate_jsdc.simulate(300), path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        with pytest.raises(UnreadableFile):
            jsdc.read(path)


def test_split_positions_and_columns_of_version_3(tmp_path: Path) -> None:
    table = Table(
        {
            "Name": ["HD 1", "HD 2"],
            "RAh": [1, 23], "RAm": [2, 0], "RAs": [3.5, 0.0],
            "DE-": ["-", "+"], "DEd": [0, 45], "DEm": [30, 0], "DEs": [0.0, 1.0],
            "LDD": [0.1, 0.2], "e_LDD": [0.01, 0.02], "LDD_chi2": [1.0, 2.0],
            "CalFlag": MaskedColumn([8, 0], mask=[False, True]),
            "IRFlag": [2, 0], "pmRA": [1.5, -2.5], "pmDEC": [0.5, 0.25],
            "GAIA": MaskedColumn([4611686018427387905, 0], mask=[False, True]),
        }
    )  # fmt: skip
    for name in ("v3.fits", "v3.vot"):
        path = tmp_path / name
        table.write(path, format="votable" if name.endswith(".vot") else "fits")
        found = jsdc.read(path)
        assert found.version == 3
        np.testing.assert_allclose(found.columns["ra"], [15.5145833333, 345])
        np.testing.assert_allclose(found.columns["dec"], [-0.5, 45.0002777778])
        np.testing.assert_array_equal(found.columns["cal_flag"], [8, np.nan])
        np.testing.assert_array_equal(found.columns["ir_flag"], [2, 0])
        np.testing.assert_array_equal(found.columns["pm_dec"], [0.5, 0.25])
        np.testing.assert_array_equal(found.columns["ldd_chi2"], [1, 2])
        # More digits than a float holds.
        assert found.columns["gaia_dr3_id"].tolist() == [b"4611686018427387905", b""]


def test_votables_with_more_than_cells(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.vot"
    simulate_jsdc.write_votable(simulate_jsdc.simulate(5), path)
    plain = path.read_text()
    expected = jsdc.read(path)
    name = expected.columns["name"][0].decode()
    for other in (
        plain.replace(f"<TD>{name}</TD>", "<TD>A&amp;B &lt;1&gt;</TD>"),
        plain.replace(f"<TD>{name}</TD>", "<TD><![CDATA[A&B <1>]]></TD><!-- odd -->"),
        plain.replace(f"<TD>{name}</TD>", "<TD>A&amp;B &lt;1&gt;</TD>")
        .replace("<TR>", "<v:TR>").replace("</TR>", "</v:TR>")
        .replace("<TD>", "<v:TD>").replace("</TD>", "</v:TD>")
        .replace("<TABLEDATA", "<v:TABLEDATA").replace("</TABLEDATA", "</v:TABLEDATA")
        .replace("<VOTABLE", '<VOTABLE xmlns:v="http://www.ivoa.net/xml/VOTable/v1.3"'),
    ):  # fmt: skip
        path.write_text(other)
        found = jsdc.read(path)
        assert found.columns["name"][0] == b"A&B <1>"
        np.testing.assert_array_equal(found.columns["ldd"], expected.columns["ldd"])


@pytest.mark.skipif(not SHARED.is_dir(), reason="no real catalogues beside the checkout")
def test_real_lists_are_read_as_astropy_reads_them() -> None:
    path = SHARED / "searchcal" / "SearchCal-ETA_TAU.scvot"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is of VOTable 1.1, and not strictly
        expected = votable.parse_single_table(str(path)).to_table(use_names_over_ids=True)
    found = jsdc.read(path)
    assert len(found) == len(expected) == 394
    places = SkyCoord(expected["RAJ2000"], expected["DEJ2000"], unit=("hourangle", "deg"))
    assert np.abs(found.columns["ra"] - places.ra.deg).max() < 1e-9
    assert np.abs(found.columns["dec"] - places.dec.deg).max() < 1e-9
    for ours, theirs in (("ldd", "LDD"), ("e_kmag", "e_K"), ("udd_k", "UD_K"), ("vmag", "V")):
        np.testing.assert_array_equal(found.columns[ours], _numbers(expected[theirs]))
    path = SHARED / "jsdc" / "matisse_supplementary_catalog_202207.fits"
    expected = Table.read(path)
    found = jsdc.read(path)
    places = SkyCoord(
        [text.strip() for text in expected["RAJ2000"]],
        [text.strip() for text in expected["DEJ2000"]],
        unit=("hourangle", "deg"),
    )
    assert np.abs(found.columns["dec"] - places.dec.deg).max() < 1e-9
    np.testing.assert_array_equal(found.columns["udd_n"], _numbers(expected["UDDN"]))


# ---------------------------------------------------------------- the simulation


def test_the_demonstration_has_the_true_diameters() -> None:
    columns = simulate_jsdc.demonstration()
    names = columns["Name"].tolist()
    assert len(set(names)) == len(names)
    for star in STARS:
        row = names.index(star.name)
        assert (columns["ra"][row], columns["dec"][row]) == (star.ra, star.dec)
        disk = star.model.primary if isinstance(star.model, Binary) else star.model
        assert columns["LDD"][row] == disk.diameter
        if disk.limb_darkening == 0:
            assert columns["UDDK"][row] == disk.diameter
        assert bool(columns["CalFlag"][row]) == isinstance(star.model, Binary)


def test_the_simulated_sky_is_like_the_real_one() -> None:
    columns = simulate_jsdc.simulate(40_000)
    places = SkyCoord(columns["ra"], columns["dec"], unit="deg").galactic
    low = np.abs(places.b.deg) < 10
    # A sixth of the sky is within 10 degrees of the Galactic plane.
    assert 0.3 < low.mean() < 0.5
    assert 10 < np.median(columns["Vmag"]) < 11.5
    # Twice as many in half a magnitude more or so, until where Tycho-2 ends.
    counts = np.histogram(columns["Vmag"], [8, 9, 10, 11])[0]
    assert (counts[1:] > 1.7 * counts[:-1]).all()
    # Diameters follow from V and K but for extinction, which moves both.
    colour = columns["Vmag"] - columns["Kmag"]
    expected = 10 ** (0.0755 * colour + 0.5170 - 0.2 * columns["Kmag"])
    assert np.abs(np.log10(columns["LDD"] / expected)).max() < 0.1
    assert ((columns["UDDB"] < columns["UDDK"]) & (columns["UDDK"] < columns["LDD"])).all()


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one.fits", "two.fits"):
        simulate_jsdc.write_fits(simulate_jsdc.demonstration(), tmp_path / name)
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "two.fits").read_bytes()
