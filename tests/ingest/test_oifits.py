"""The OIFITS reader: what files hold, in whatever shape they hold it, and what is refused."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import oifits, simulate, vocabulary
from ingest.granules import extract
from ingest.oifits import UnreadableFile

Save = Callable[..., Path]
Edit = Callable[[fits.HDUList], object]


@cache
def plain(version: int) -> bytes:
    """A small file with all tables of its version."""
    vlti = vocabulary.load().facility("VLTI")
    assert vlti is not None
    star = simulate.Target("SIM UD 1", 110.5, -25.2, simulate.Disk(1.8))
    setup = replace(simulate.PIONIER_GRISM, vis=True, flux="U" if version == 2 else None)
    with (
        warnings.catch_warnings(),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        warnings.simplefilter("ignore")
        transit = simulate.transit(star, vlti, date(2019, 2, 3))
        hdus = simulate.simulate(
            vlti,
            [setup],
            [simulate.Exposure(star, ("A0", "G1", "J2"), transit)],
            version=2 if version == 2 else 1,
            correlation=0.1 if version == 2 else 0.0,
            polarisation=version == 2,
        )
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    return buffer.getvalue()


@pytest.fixture
def edited(saved: Save) -> Callable[..., oifits.OIFits]:
    """The plain file after a change."""
    numbers = count(1)

    def read(edit: Edit, version: int = 2) -> oifits.OIFits:
        with fits.open(io.BytesIO(plain(version)), memmap=False) as hdus:
            edit(hdus)
            # The files are mapped: another name for each, so that none changes under its reader.
            path = saved(hdus, f"file-{next(numbers)}.fits")
        return oifits.read(path)

    return read


Edited = Callable[..., oifits.OIFits]


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as error:
        oifits.read(path)
    text = str(error.value)
    assert text.startswith(f"{path.name}: ")
    assert "\n" not in text
    return text


# ---------------------------------------------------------------- what files hold


@pytest.mark.parametrize("version", [1, 2])
def test_all_tables(tmp_path: Path, version: int) -> None:
    path = tmp_path / "file.oifits"
    path.write_bytes(plain(version))
    file = oifits.read(path)
    assert file.version == version
    assert file.name == "file.oifits"
    expected = ["OI_TARGET", "OI_ARRAY", "OI_WAVELENGTH", "OI_VIS", "OI_VIS2", "OI_T3"]
    if version == 2:
        expected += ["OI_FLUX", "OI_CORR", "OI_INSPOL"]
    assert sorted(table.extname for table in file.tables()) == sorted(expected)
    assert [table.hdu for table in file.tables()] == list(range(1, len(expected) + 1))
    assert {table.revision for table in file.tables()} <= {1, version}

    [targets], [array], [waves] = file.targets, file.arrays, file.wavelengths
    assert targets.target == ["SIM UD 1"]
    assert targets.target_id is not None
    assert targets.target_id.tolist() == [1]
    assert array.arrname == "VLTI"
    assert array.frame == "GEOCENTRIC"
    assert sorted(array.stations.values()) == ["A0", "G1", "J2"]
    assert list(array.diameters.values()) == [pytest.approx(1.8)] * 3
    assert waves.wavelength is not None
    assert waves.wavelength.shape == (6,)
    assert file.wavelength(waves.insname) is waves
    assert file.wavelength("other") is None
    assert file.array("VLTI") is array
    assert file.array(None) is None


@pytest.mark.parametrize(
    "path",
    [
        "vlti-gravity/GRAVI.2018-04-18T08-08-19.739_singlescivis_singlesciviscalibrated.fits",
        "vlti-pionier/pigru.oifits",
        "vlti-matisse/CALIB_RAW_INT_0001.fits",
        "chara-mircx-mystic/polaris.oifits",
        "coast/testdata.fits",
        "contest/Mystery-Med_H-AmberVISPHI.oifits.gz",
    ],
)
def test_columns_against_astropy(shared: Path, path: str) -> None:
    """The settled columns have one shape and the values that astropy gives."""
    file = oifits.read(shared / "oifits" / path)
    with fits.open(shared / "oifits" / path) as hdus:
        for table in file.data:
            theirs = hdus[table.hdu].data
            assert table.target_id is not None
            assert table.mjd is not None
            assert table.sta_index is not None
            assert table.flag is not None
            assert table.target_id.dtype == np.int64
            assert table.mjd.dtype == np.float64
            np.testing.assert_array_equal(table.target_id, theirs["TARGET_ID"])
            np.testing.assert_array_equal(table.mjd, theirs["MJD"])
            stations = oifits.STATIONS[table.extname]
            np.testing.assert_array_equal(
                table.sta_index, np.reshape(theirs["STA_INDEX"], (-1, stations))
            )
            np.testing.assert_array_equal(table.flag, theirs["FLAG"].reshape(table.flag.shape))
            if table.extname == "OI_T3":
                (u1, v1), (u2, v2), (u3, v3) = table.uv()
                np.testing.assert_array_equal(u1, theirs["U1COORD"])
                np.testing.assert_array_equal(v2, theirs["V2COORD"])
                np.testing.assert_array_equal(u3, theirs["U1COORD"] + theirs["U2COORD"])
                assert v1.shape == u2.shape == v3.shape == (table.rows,)
            elif table.extname == "OI_FLUX":
                assert table.uv() == []
            else:
                [(u, v)] = table.uv()
                np.testing.assert_array_equal(u, theirs["UCOORD"])
                np.testing.assert_array_equal(v, theirs["VCOORD"])


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("vlti-pionier/convert-v1.fits", 1),
        ("vlti-pionier/convert-v2.fits", 2),
        ("conformance/v2_bad_missing_content_kw.fits", 2),  # OI_REVN = 2 without CONTENT
        ("conformance/v1_bad_content_kw.fits", 2),  # CONTENT says 2, the tables are of version 1
        ("conformance/V1_with_V2_Tables.fits", 1),
        ("chara-mirc/betlyr6t.oifits", 1),
        ("jwst-niriss/NuHor_F480M.oifits", 2),
    ],
)
def test_versions(shared: Path, path: str, version: int) -> None:
    assert oifits.read(shared / "oifits" / path).version == version


def test_other_tables_between_are_passed_over(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        hdus.insert(2, fits.ImageHDU(np.zeros((4, 4)), name="IMAGE"))
        hdus.insert(4, fits.BinTableHDU.from_columns([fits.Column("X", "1D", array=[1.0])]))
        hdus.append(fits.ImageHDU(np.zeros(3), name="OI_VIS2"))  # not a table

    file = edited(edit)
    assert len(list(file.tables())) == 9
    assert file.arrays[0].hdu == 3


def test_names_in_lower_case(edited: Edited) -> None:
    def edit(hdus: fits.HDUList) -> None:
        for hdu in hdus[1:]:
            hdu.header["EXTNAME"] = hdu.header["EXTNAME"].lower()
        hdus["OI_VIS2"].columns.change_name("VIS2DATA", "vis2data")

    file = edited(edit)
    assert [table.extname for table in file.data] == ["OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX"]
    assert file.data[1].values("VIS2DATA") is not None


def test_padded_names_agree(edited: Edited) -> None:
    """INSNAME 'X   ' of one table is INSNAME 'X' of the other."""

    def edit(hdus: fits.HDUList) -> None:
        for hdu in hdus[1:]:
            if "INSNAME" in hdu.header:
                hdu.header["INSNAME"] = f"  {hdu.header['INSNAME']}  "

    file = edited(edit)
    assert file.wavelength("PIONIER_Pnat(1.5196693/1.7612036)") is None
    assert all(file.wavelength(table.insname) is not None for table in file.data)


@pytest.mark.parametrize("name", ["Bételgeuse", "\xa0name", "naïve β"])
def test_names_with_other_letters(tmp_path: Path, name: str) -> None:
    for encoding in ("utf-8", "latin-1"):
        try:
            raw = name.encode(encoding)
        except UnicodeEncodeError:
            continue
        content = plain(2).replace(b"SIM UD 1".ljust(len(raw)), raw.ljust(8, b" "), 1)
        path = tmp_path / "file.fits"
        path.write_bytes(content)
        assert oifits.read(path).targets[0].target is not None


def test_columns_that_are_missing_or_wrong(edited: Edited) -> None:
    """None, whatever is the matter; never an exception."""

    def edit(hdus: fits.HDUList) -> None:
        table = hdus["OI_VIS2"]
        columns = [
            column
            for column in table.columns
            if column.name not in ("MJD", "FLAG", "STA_INDEX", "UCOORD", "TARGET_ID")
        ]
        n = len(table.data)
        columns += [
            fits.Column("MJD", "10A", array=["today"] * n),
            fits.Column("FLAG", "6J", array=np.zeros((n, 6), int)),
            fits.Column("STA_INDEX", "3I", array=np.ones((n, 3), int)),
            fits.Column("TARGET_ID", "1D", array=np.ones(n)),
        ]
        hdus[hdus.index_of("OI_VIS2")] = fits.BinTableHDU.from_columns(
            columns, header=fits.Header([("EXTNAME", "OI_VIS2"), ("INSNAME", "X")])
        )

    table = edited(edit).data[1]
    assert table.mjd is None
    assert table.flag is None
    assert table.sta_index is None
    assert table.target_id is None
    assert table.uv() == []
    assert table.revision is None
    assert table.arrname is None


def test_scalars_written_as_arrays(edited: Edited) -> None:
    """A column of one value a row may be an array of one, with or without TDIM."""

    def edit(hdus: fits.HDUList) -> None:
        for hdu in hdus[1:]:
            for number, name in enumerate(hdu.columns.names, 1):
                if name in ("MJD", "TARGET_ID", "INT_TIME", "UCOORD", "EFF_WAVE"):
                    hdu.header[f"TDIM{number}"] = "(1)"

    straight, odd = edited(lambda hdus: None), edited(edit)
    for one, other in zip(straight.data, odd.data, strict=True):
        assert one.mjd is not None
        assert other.mjd is not None
        np.testing.assert_array_equal(one.mjd, other.mjd)
        assert other.mjd.ndim == 1


def test_stations_with_blank_names(edited: Edited) -> None:
    """TEL_NAME stands in; of two rows with one index the first counts."""

    def edit(hdus: fits.HDUList) -> None:
        data = hdus["OI_ARRAY"].data
        data["STA_NAME"][0] = ""
        data["TEL_NAME"][0] = "AT1"
        data["STA_INDEX"][2] = data["STA_INDEX"][1]
        data["DIAMETER"][1] = -1.0

    array = edited(edit).arrays[0]
    assert len(array.stations) == 2
    assert "AT1" in array.stations.values()
    assert len(array.diameters) <= 2
    assert all(value > 0 for value in array.diameters.values())


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("not-oifits/2004true64.fits", "holds no OI_* table"),
        ("not-oifits/calib_spec_db_supplement3.fits", "holds no OI_* table"),
        ("not-oifits/gauss.fits", "holds no OI_* table"),
        ("not-oifits/ifs_wave_YJ.fits", "holds no OI_* table"),
        ("not-oifits/orig.fits", "holds no OI_* table"),
        ("conformance/testdata_opt_TRUNC.fits", "cut off"),
    ],
)
def test_files_to_refuse(shared: Path, path: str, reason: str) -> None:
    assert reason in refusal(shared / "oifits" / path)


def test_only_these_are_refused(shared: Path) -> None:
    refused = []
    for path in sorted((shared / "oifits").rglob("*")):
        if path.is_file() and "_reference" not in path.parts:
            try:
                oifits.read(path)
            except UnreadableFile:
                refused.append(path)
    assert [path.parent.name for path in refused] == ["conformance"] + ["not-oifits"] * 5


def test_picture(tmp_path: Path) -> None:
    path = tmp_path / "picture.fits"
    fits.PrimaryHDU(np.zeros((10, 10))).writeto(path)
    assert "FITS, but not OIFITS" in refusal(path)


def test_table_whose_header_lies(edited: Edited, tmp_path: Path) -> None:
    """Any table at fault refuses the file: no partial result."""
    content = plain(2)
    for key, old in ((b"TFORM2  = '", b"'"), (b"TFIELDS =", b"")):
        place = content.rindex(key)
        broken = bytearray(content)
        broken[place + len(key) + len(old)] = ord("Z")
        broken[place + 10 : place + 30] = b"'ZZ'".ljust(20)
        path = tmp_path / "lying.fits"
        path.write_bytes(bytes(broken))
        assert "HDU" in refusal(path)


def test_gzip(tmp_path: Path) -> None:
    plain_path, packed = tmp_path / "a.oifits", tmp_path / "a.oifits.gz"
    plain_path.write_bytes(plain(2))
    packed.write_bytes(gzip.compress(plain(2)))
    known = vocabulary.load()
    one, other = extract(oifits.read(plain_path), known), extract(oifits.read(packed), known)
    assert one.granules == other.granules


@given(st.data())
@settings(max_examples=400)
def test_damaged_bytes(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever bytes change: a sentence, or granules. Headers are hit more often than data."""
    content = bytearray(plain(2))
    cards = [n for n in range(0, len(content), 80) if content[n + 8 : n + 10] == b"= "]
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            place = data.draw(st.sampled_from(cards)) + data.draw(st.integers(0, 40))
            content[place] = data.draw(st.sampled_from(b" '0123456789-.=ABDEIJLTX\x00\xff"))
        else:
            place = data.draw(st.integers(0, len(content) - 8))
            content[place : place + 8] = data.draw(st.binary(min_size=8, max_size=8))
    path = tmp_path / "damaged.fits"
    path.write_bytes(bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message, extraction = None, None
        try:
            extraction = extract(oifits.read(path), vocabulary.load())
        except UnreadableFile as error:
            message = str(error)
    if extraction is None:
        assert message is not None
        assert message.startswith("damaged.fits: ")
        assert "\n" not in message
    else:
        assert len(extraction.granules) == len(extraction.rows)


def test_memory_stays_below_three_times_the_file(edited: Edited, saved: Save) -> None:
    """Reading and extracting a file of 20 MB."""

    def edit(hdus: fits.HDUList) -> None:
        table = hdus["OI_VIS2"]
        rows = 120_000
        longer = fits.BinTableHDU.from_columns(table.columns, header=table.header, nrows=rows)
        for name in table.columns.names:
            longer.data[name] = np.resize(table.data[name], longer.data[name].shape)
        longer.data["MJD"] += np.arange(rows) // 3 / 86400
        hdus[hdus.index_of("OI_VIS2")] = longer

    path = edited(edit).path
    size = path.stat().st_size
    assert size > 15e6
    tracemalloc.start()
    extraction = extract(oifits.read(path), vocabulary.load())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(granule.nb_vis2 for granule in extraction.granules) == 120_000
    columns = 120_000 * 8 * 11 * 12  # a line of the baseline table is eleven Python objects
    assert peak < 3 * size + columns
