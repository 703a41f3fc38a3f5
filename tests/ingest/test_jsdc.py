"""Files of JSDC: what astropy reads of them is what we read, in each form."""

import gzip
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import ascii as tables
from astropy.io import fits, votable
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
        "\n#END# -ref=1\n\n"
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


HEAD = (
    "Name\tRAJ2000\tDEJ2000\tLDD\te_LDD\tCalFlag\tGaiaDR3\n----\t----\t----\t----\t----\t-\t----\n"
)
GOOD = "HD 1\t00 00 04.0\t- 0 00 36.0\t0.1\t0.01\t0\tGaia DR3 4611686018427387905"


def _refusal(path: Path) -> str:
    """What is said of a file that is refused; the file is named first."""
    with pytest.raises(UnreadableFile) as error:
        jsdc.read(path)
    words = str(error.value)
    assert words.startswith(f"{path.name}: ")
    return words.removeprefix(f"{path.name}: ")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("\t0.01", "", "6 cells under 7 columns"),
        ("\t0.1\t", "\tbig\t", "ldd is no number: 'big'"),
        ("\t0.1\t", "\t1e39\t", "ldd is too great for a number: '1e+39'"),
        ("\t0\t", "\t0.5\t", "cal_flag is no whole number: '0.5'"),
        # What a column of 16 bits has no room for became another flag.
        ("\t0\t", "\t65536\t", "cal_flag is not from 0 to 32767: '65536'"),
        ("\t0\t", "\t-2\t", "cal_flag is not from 0 to 32767: '-2'"),
        ("- 0 00 36.0", "-91 00 36.0", "dec is not from -90 to 90: '-91.01'"),
        ("- 0 00 36.0", "-  0 00 36.0", "DEJ2000 is not degrees, minutes and seconds: '-  0"),
        ("- 0 00 36.0", "-0 60 36.0", "DEJ2000 has 60 minutes or seconds, or more: '-0 60 36.0'"),
        ("00 00 04.0", "00 00 60.0", "RAJ2000 has 60 minutes or seconds, or more: '00 00 60.0'"),
        ("00 00 04.0", "00 00", "RAJ2000 is not hours, minutes and seconds: '00 00'"),
        ("HD 2", "HD é", "name is no UTF-8: 'HD \ufffd'"),
        ("HD 2", "HD\0 2", "name has a NUL in it: 'HD\\x00 2'"),
        ("DR3", "DR2", "gaia_dr3_id is no identifier of Gaia DR3: 'Gaia DR2 4611686018427387905'"),
        ("4611686018427387905", "9223372036854775808", "gaia_dr3_id is no identifier of Gaia DR3:"),
        ("Gaia DR3 4611686018427387905", "-7", "gaia_dr3_id is no identifier of Gaia DR3: '-7'"),
    ],
)
def test_a_wrong_value_refuses_the_file(tmp_path: Path, old: str, new: str, reason: str) -> None:
    second = GOOD.replace("HD 1", "HD 2")
    assert old in second
    path = tmp_path / "wrong.tsv"
    path.write_text(f"{HEAD}{GOOD}\n{second}\n#END#\n")
    columns = jsdc.read(path).columns
    assert columns["gaia_dr3_id"].tolist() == [b"4611686018427387905"] * 2
    np.testing.assert_allclose(columns["dec"], [-0.01, -0.01])
    text = f"{HEAD}{GOOD}\n{second.replace(old, new, 1)}\n#END#\n"
    path.write_bytes(text.encode("latin-1"))
    assert _refusal(path).startswith(f"row 2: {reason}")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("RAm", 61, "RAM is not from 0 to below 60: '61'"),
        ("DEs", 60.0, "DES is not from 0 to below 60: '60'"),
        ("DEd", -5, "DED is not from 0 to below 91: '-5'"),
        ("DE-", "x", "DE- is no sign: 'x'"),
    ],
)
def test_impossible_parts_of_a_split_position_are_refused(
    tmp_path: Path, column: str, value: object, reason: str
) -> None:
    columns = {
        "Name": "HD 1", "RAh": 1, "RAm": 2, "RAs": 3.5, "DE-": "-", "DEd": 0, "DEm": 30,
        "DEs": 0.0, "e_LDD": 0.01,
    }  # fmt: skip
    path = tmp_path / "split.fits"
    Table([columns]).write(path)
    np.testing.assert_allclose(jsdc.read(path).columns["dec"], [-0.5])
    Table([{**columns, column: value}]).write(path, overwrite=True)
    assert _refusal(path) == f"row 1: {reason}"


def test_a_chi2_of_minus_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.fits"
    Table({"Name": ["a", "b"], "RAJ2000": [1.0, 2.0], "DEJ2000": [3.0, 4.0], "e_LDD": [0.1, 0.1],
           "LDDCHI": [-1.0, 0.5], "Bmag": [-1.0, 2.0]}).write(path)  # fmt: skip
    columns = jsdc.read(path).columns
    np.testing.assert_array_equal(columns["ldd_chi2"], [np.nan, 0.5])
    np.testing.assert_array_equal(columns["bmag"], [-1.0, 2.0])


@pytest.mark.parametrize("form", WRITERS)
def test_a_catalogue_without_stars_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"jsdc.{form}"
    WRITERS[form]({name: values[:0] for name, values in simulate_jsdc.simulate(5).items()}, path)
    assert _refusal(path) == "the table has no rows"


def test_what_is_cut_off_between_two_lines_is_refused(tmp_path: Path) -> None:
    for form in ("tsv", "vot"):
        path = tmp_path / f"jsdc.{form}"
        WRITERS[form](simulate_jsdc.simulate(30), path)
        lines = path.read_text().splitlines(keepends=True)
        for left_out in (1, 2, 12):
            path.write_text("".join(lines[:-left_out]))
            assert "the file is cut off" in _refusal(path)


def test_a_comment_between_the_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.tsv"
    path.write_text(f"{HEAD}{GOOD}\n#Aborted\n{GOOD}\n#END#\n")
    assert _refusal(path) == "row 2: a comment stands between the rows"


def test_a_table_that_says_it_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.vot"
    simulate_jsdc.write_votable(simulate_jsdc.simulate(50), path)
    plain = path.read_text()
    said = '<INFO name="QUERY_STATUS" value="{}">at most 50 rows</INFO></RESOURCE>'
    path.write_text(plain.replace("</RESOURCE>", said.format("OK")))
    assert len(jsdc.read(path)) == 50
    path.write_text(plain.replace("</RESOURCE>", said.format("OVERFLOW")))
    assert "QUERY_STATUS is OVERFLOW" in _refusal(path)
    path.write_text(plain.replace("</TR></TABLEDATA>", "</TABLEDATA>").replace(
        "</TR>\n</TABLEDATA>", "\n</TABLEDATA>"))  # fmt: skip
    assert _refusal(path) == "the last row of the table has no end"


def test_damaged_gzip_is_a_sentence(tmp_path: Path) -> None:
    for form in ("tsv.gz", "fits.gz"):
        path = tmp_path / f"jsdc.{form}"
        WRITERS[form](simulate_jsdc.simulate(300), path)
        data = bytearray(path.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 64] = b"\xff" * 64
        path.write_bytes(data)
        assert _refusal(path)


def test_nothing_is_what_the_votable_says_it_is(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.vot"
    simulate_jsdc.write_votable(simulate_jsdc.simulate(5), path)
    plain = path.read_text()
    for name, none in (("CalFlag", "-32768"), ("Jmag", "99.9")):
        [field] = re.findall(rf'<FIELD name="{name}"[^>]*/>', plain)
        values = f'<VALUES null="{none}"><MIN value="-1"/></VALUES></FIELD>'
        plain = plain.replace(field, f"{field.removesuffix('/>')}>{values}")
    places = [re.findall(r'<FIELD name="(\w+)"', plain).index(name) for name in ("CalFlag", "Jmag")]
    row = re.findall("<TR>.*?</TR>", plain)[1]
    cells = re.findall("<TD>(.*?)</TD>", row)
    cells[places[0]], cells[places[1]] = " -32768 ", "99.9"
    other = "<TR><TD>" + "</TD><TD>".join(cells) + "</TD></TR>"
    for text in (plain.replace(row, other), plain.replace(row, f"{other}<!-- odd -->")):
        path.write_text(text)
        columns = jsdc.read(path).columns
        assert np.isnan(columns["cal_flag"]).tolist() == [False, True, False, False, False]
        assert np.isnan(columns["jmag"])[1]


def test_votables_in_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.vot"
    simulate_jsdc.write_votable(simulate_jsdc.simulate(5), path)
    plain = path.read_text()
    name = jsdc.read(path).columns["name"][0].decode()
    latin = plain.replace('"UTF-8"', '"ISO-8859-1"').replace(f"<TD>{name}", "<TD>é &amp; è")
    path.write_bytes(latin.encode("latin-1"))
    assert jsdc.read(path).columns["name"][0].decode() == "é & è"
    path.write_bytes(latin.replace("ISO-8859-1", "UTF-8").encode("latin-1"))
    assert "no UTF-8" in _refusal(path) or "no well-formed XML" in _refusal(path)
    path.write_bytes(latin.replace("ISO-8859-1", "nonsense").encode("latin-1"))
    assert "nonsense" in _refusal(path)


def test_a_packed_votable_with_more_than_cells(tmp_path: Path) -> None:
    path = tmp_path / "jsdc.vot.gz"
    simulate_jsdc.write_votable(simulate_jsdc.simulate(5), path)
    expected = jsdc.read(path).columns["name"].tolist()
    text = gzip.decompress(path.read_bytes()).replace(b"</TR>", b"</TR><!-- odd -->")
    path.write_bytes(gzip.compress(text))
    assert jsdc.read(path).columns["name"].tolist() == expected


def test_a_text_in_fits_ends_with_nul(tmp_path: Path) -> None:
    columns = [
        fits.Column("Name", "6A", array=np.array([b"HD 1\0x", b"HD 234"])),
        *(fits.Column(name, "D", array=[1.0, 2.0]) for name in ("RAJ2000", "DEJ2000", "e_LDD")),
    ]
    path = tmp_path / "jsdc.fits"
    fits.BinTableHDU.from_columns(columns).writeto(path)
    assert jsdc.read(path).columns["name"].tolist() == [b"HD 1", b"HD 234"]


def test_the_null_of_a_fits_column_is_that_of_its_bytes(tmp_path: Path) -> None:
    columns = [
        fits.Column("Name", "4A", array=["a", "b"]),
        fits.Column("RAJ2000", "D", array=[1.0, 2.0]),
        fits.Column("DEJ2000", "D", array=[1.0, 2.0]),
        fits.Column("e_LDD", "D", array=[0.1, 0.1]),
        fits.Column("Bmag", "I", array=np.array([0, 0], np.int16)),
        fits.Column("CalFlag", "I", array=np.array([0, 0], np.int16)),
    ]
    path = tmp_path / "jsdc.fits"
    table = fits.BinTableHDU.from_columns(columns)
    table.data["Bmag"] = [1250, -99]
    table.data["CalFlag"] = [-32768, -32765]
    table.writeto(path)
    # Written as they are: astropy would scale them back.
    fits.setval(path, "TSCAL5", value=0.01, ext=1)
    fits.setval(path, "TNULL5", value=-99, ext=1)
    fits.setval(path, "TZERO6", value=32768, ext=1)
    fits.setval(path, "TNULL6", value=-32768, ext=1)
    found = jsdc.read(path).columns
    np.testing.assert_array_equal(found["bmag"], [12.5, np.nan])
    np.testing.assert_array_equal(found["cal_flag"], [np.nan, 3])


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
