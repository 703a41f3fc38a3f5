"""Cut-outs against astropy's view of the source, and through our own granules and checks."""

from __future__ import annotations

import gzip
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from ingest import checks, granules, oifits
from ingest.cutout import cut
from ingest.granules import Granule
from ingest.vocabulary import load

DATA = Path(__file__).parents[3] / "shared" / "data" / "oifits"

#: MJD 60000.1 is in the night 2023-02-24 at Paranal, a day later in the next.
NIGHT, NEXT = 60000.1, 60001.1


# ---------------------------------------------------------------- a small file of version 2


def table(name: str, columns: dict[str, tuple[str, Any]], **keywords: Any) -> fits.BinTableHDU:
    """A table of columns given as TFORM and values, with TDIM for matrices."""
    made = []
    for column, (form, values) in columns.items():
        array = np.asarray(values)
        dim = f"({array.shape[2]},{array.shape[1]})" if array.ndim == 3 else None
        made.append(fits.Column(column, form, dim=dim, array=array))
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    hdu.header.update(keywords)
    return hdu


def data_table(
    name: str, insname: str, nwave: int, targets: list[int], mjd: list[float], stations: int,
    names: Iterable[str], first_index: int | None = None, **keywords: Any,
) -> fits.BinTableHDU:  # fmt: skip
    """A data table with values that are all different."""
    rows = len(targets)
    count = iter(range(1, 100))

    def values() -> np.ndarray[Any, Any]:
        return next(count) * 1000.0 + np.arange(rows * nwave).reshape(rows, nwave)

    columns: dict[str, tuple[str, Any]] = {
        "TARGET_ID": ("I", targets),
        "TIME": ("D", np.zeros(rows)),
        "MJD": ("D", mjd),
        "INT_TIME": ("D", np.full(rows, 30.0)),
    }
    columns |= {column: (f"{nwave}D", values()) for column in names}
    if name == "OI_VIS":
        columns["VISDATA"] = (f"{nwave}C", values() + 1j * values())
        reference = np.arange(rows * nwave**2).reshape(rows, nwave, nwave) % 3 == 0
        columns["VISREFMAP"] = (f"{nwave**2}L", reference)
    if first_index is not None:
        index = first_index + nwave * np.arange(rows)
        columns["CORRINDX_VIS2DATA"] = ("J", index)
        keywords["CORRNAME"] = "CORR"
    uv = ("U1COORD", "V1COORD", "U2COORD", "V2COORD") if stations == 3 else ("UCOORD", "VCOORD")
    columns |= {column: ("D", 10.0 + np.arange(rows)) for column in uv}
    columns["STA_INDEX"] = (f"{stations}I", np.tile(np.arange(1, stations + 1), (rows, 1)))
    columns["FLAG"] = (f"{nwave}L", np.arange(rows * nwave).reshape(rows, nwave) % 4 == 0)
    return table(name, columns, OI_REVN=2, INSNAME=insname, ARRNAME="VLTI",
                 **{"DATE-OBS": "2023-02-25"}, **keywords)  # fmt: skip


def wavelengths(insname: str, wave: Iterable[float]) -> fits.BinTableHDU:
    wave = np.array(list(wave))
    columns = {"EFF_WAVE": ("E", wave), "EFF_BAND": ("E", np.full(wave.size, 2e-8))}
    return table("OI_WAVELENGTH", columns, OI_REVN=2, INSNAME=insname)


WAVES = np.array([2.0e-6, 2.1e-6, 2.2e-6, 2.3e-6, 2.4e-6])


def source(wave: Iterable[float] = WAVES) -> fits.HDUList:
    """Two targets, two set-ups, two nights, and all that OIFITS 2 lets a file hold."""
    primary = fits.PrimaryHDU()
    primary.header.update(
        CONTENT="OIFITS2", ORIGIN="TEST", DATE="2023-03-01", OBSERVER="A. Observer",
        TELESCOP="VLTI", INSTRUME="MULTI", OBJECT="MULTI", INSMODE="MULTI",
    )  # fmt: skip
    primary.header["HIERARCH ESO OBS PROG ID"] = "60.A-0001(A)"
    targets = {
        "TARGET_ID": ("I", [7, 3]), "TARGET": ("32A", ["Alpha", "Beta"]),
        "RAEP0": ("D", [10.0, 200.0]), "DECEP0": ("D", [-20.0, -30.0]),
    }  # fmt: skip
    stations = {
        "TEL_NAME": ("16A", ["U1", "U2", "U3"]), "STA_NAME": ("16A", ["U1", "U2", "U3"]),
        "STA_INDEX": ("I", [1, 2, 3]), "DIAMETER": ("E", [8.2] * 3),
        "STAXYZ": ("3D", np.arange(9.0).reshape(3, 3)),
    }  # fmt: skip
    jones = {
        "TARGET_ID": ("I", [7, 3]), "INSNAME": ("16A", ["GRAVITY", "GRAVITY"]),
        "MJD_OBS": ("D", [NIGHT - 1] * 2), "MJD_END": ("D", [NEXT + 1] * 2),
        "JXX": ("5C", np.arange(10).reshape(2, 5) + 1j), "STA_INDEX": ("I", [1, 1]),
    }  # fmt: skip
    correlations = {"IINDX": ("J", [1, 7, 20]), "JINDX": ("J", [2, 8, 21]),
                    "CORR": ("D", [0.1, 0.2, 0.3])}  # fmt: skip
    visibility = ("VISAMP", "VISAMPERR", "VISPHI", "VISPHIERR")
    triangle = ("T3AMP", "T3AMPERR", "T3PHI", "T3PHIERR")
    mjd = [NIGHT, NIGHT, NIGHT, NEXT, NEXT]
    ids = [7, 3, 7, 7, 3]
    return fits.HDUList([
        primary,
        table("OI_TARGET", targets, OI_REVN=2),
        table("OI_ARRAY", stations, OI_REVN=2, ARRNAME="VLTI", FRAME="GEOCENTRIC",
              ARRAYX=1942014.0, ARRAYY=-5455311.0, ARRAYZ=-2654530.0),
        table("OI_ARRAY", stations, OI_REVN=2, ARRNAME="UNUSED"),
        wavelengths("GRAVITY", wave),
        wavelengths("PIONIER", [1.6e-6, 1.7e-6]),
        data_table("OI_VIS", "GRAVITY", 5, ids, mjd, 2, visibility),
        data_table("OI_VIS2", "GRAVITY", 5, ids, mjd, 2, ("VIS2DATA", "VIS2ERR"), 1),
        fits.ImageHDU(np.zeros((4, 4)), name="SOMETHING"),
        data_table("OI_T3", "GRAVITY", 5, ids, mjd, 3, triangle),
        data_table("OI_VIS2", "PIONIER", 2, [7, 3], [NIGHT, NIGHT], 2, ("VIS2DATA", "VIS2ERR")),
        table("OI_CORR", correlations, OI_REVN=1, CORRNAME="CORR", NDATA=25),
        table("OI_INSPOL", jones, OI_REVN=1, ARRNAME="VLTI"),
    ])  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "source.fits"
    source().writeto(path)
    return path


def opened(data: bytes) -> fits.HDUList:
    """The cut-out by astropy, which complains about anything that is not FITS."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hdus = fits.open(io.BytesIO(data), checksum=True)
        hdus.verify("exception")
        for hdu in hdus:
            assert hdu.verify_checksum() == 1
            assert hdu.verify_datasum() == 1
    return hdus


def raw(hdu: fits.BinTableHDU) -> np.ndarray[Any, Any]:
    """The rows as they are in the file, before any conversion."""
    return np.asarray(hdu.data).view(np.ndarray)


def named(hdus: fits.HDUList, name: str, insname: str) -> fits.BinTableHDU:
    (found,) = [h for h in hdus if h.name == name and h.header.get("INSNAME") == insname]
    return found


# ---------------------------------------------------------------- rows


def test_one_granule_with_all_that_describes_it(path: Path) -> None:
    hdus = opened(cut(path, target="Alpha", insname="GRAVITY", night="2023-02-24"))
    assert [hdu.name for hdu in hdus] == [
        "PRIMARY", "OI_TARGET", "OI_ARRAY", "OI_WAVELENGTH", "OI_VIS", "OI_VIS2", "OI_T3",
        "OI_CORR", "OI_INSPOL",
    ]  # fmt: skip
    assert hdus["OI_TARGET"].data["TARGET_ID"].tolist() == [7]
    assert hdus["OI_TARGET"].data["TARGET"].tolist() == ["Alpha"]
    assert hdus["OI_ARRAY"].header["ARRNAME"] == "VLTI"
    assert hdus["OI_WAVELENGTH"].header["INSNAME"] == "GRAVITY"
    assert hdus["OI_INSPOL"].data["INSNAME"].tolist() == ["GRAVITY"]
    assert hdus["OI_CORR"].data["CORR"].tolist() == [0.1, 0.2, 0.3]
    with fits.open(path) as whole:
        for name in ("OI_VIS", "OI_VIS2", "OI_T3"):
            expected = raw(named(whole, name, "GRAVITY"))[[0, 2]]
            assert raw(hdus[name]).tobytes() == expected.tobytes()


def test_without_limits_all_comes_back(path: Path) -> None:
    hdus = opened(cut(path))
    with fits.open(path) as whole:
        kept = [h for h in whole if h.name != "SOMETHING" and h.header.get("ARRNAME") != "UNUSED"]
        assert [hdu.name for hdu in hdus] == [hdu.name for hdu in kept]
        for one, other in zip(hdus[1:], kept[1:], strict=True):
            assert raw(one).tobytes() == raw(other).tobytes()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"target": "Gamma"}, "source.fits: it holds no target 'Gamma'"),
        ({"insname": "MIDI"}, "source.fits: it holds no INSNAME 'MIDI'"),
        ({"night": "2023-02-23"}, "source.fits: it holds no night 2023-02-23"),
        ({"target": "Alpha", "insname": "PIONIER", "night": "2023-02-25"},
         "source.fits: it holds no target 'Alpha', INSNAME 'PIONIER', night 2023-02-25"),
        ({"band": (3e-6, 4e-6)}, "source.fits: it holds no wavelength of 3 to 4 micrometres"),
    ],
)  # fmt: skip
def test_nothing_left_is_said_in_a_sentence(
    path: Path, limits: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cut(path, **limits)


def test_what_is_no_oifits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.fits"
    fits.HDUList([fits.PrimaryHDU(np.zeros((3, 3)))]).writeto(path)
    with pytest.raises(oifits.UnreadableFile, match="not OIFITS"):
        cut(path)


def test_a_compressed_source_gives_the_same(path: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.fits.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    one, other = opened(cut(packed, target="Beta")), opened(cut(path, target="Beta"))
    for left, right in zip(one[1:], other[1:], strict=True):
        assert raw(left).tobytes() == raw(right).tobytes()


def test_arrays_of_variable_length_stay(tmp_path: Path) -> None:
    hdus = source()
    ragged = np.array([np.arange(n, dtype=np.float32) for n in (1, 3, 2, 4, 5)], dtype=object)
    columns = hdus["OI_T3"].columns + fits.Column("NS_RAGGED", "PE()", array=ragged)
    hdus[9] = fits.BinTableHDU.from_columns(columns, hdus["OI_T3"].header)
    path = tmp_path / "ragged.fits"
    hdus.writeto(path)
    result = opened(cut(path, target="Beta"))["OI_T3"].data["NS_RAGGED"]
    assert [values.tolist() for values in result] == [[0, 1, 2], [0, 1, 2, 3, 4]]


# ---------------------------------------------------------------- channels


def test_channels_are_cut_everywhere(path: Path) -> None:
    hdus = opened(cut(path, insname="GRAVITY", band=(2.05e-6, 2.35e-6)))
    keep = slice(1, 4)
    with fits.open(path) as whole:
        wave = named(whole, "OI_WAVELENGTH", "GRAVITY").data
        assert np.array_equal(hdus["OI_WAVELENGTH"].data["EFF_WAVE"], wave["EFF_WAVE"][keep])
        for name in ("OI_VIS", "OI_VIS2", "OI_T3"):
            before, after = named(whole, name, "GRAVITY").data, hdus[name].data
            assert after.columns.names == before.columns.names
            for column in before.columns.names:
                expected = before[column]
                if column == "VISREFMAP":
                    expected = expected[:, keep, keep]
                elif column.startswith("CORRINDX"):
                    expected = expected + 1
                elif expected.ndim == 2 and expected.shape[1] == 5:
                    expected = expected[:, keep]
                assert after[column].dtype.kind == expected.dtype.kind, column
                assert np.array_equal(after[column], expected), column
        jones = whole["OI_INSPOL"].data["JXX"][:, keep]
    assert np.array_equal(hdus["OI_INSPOL"].data["JXX"], jones)


def test_both_ends_of_the_range_count(path: Path) -> None:
    low, high = (float(np.float32(wave)) for wave in WAVES[1:3])
    hdus = opened(cut(path, insname="GRAVITY", band=(low, high)))
    assert hdus["OI_WAVELENGTH"].data["EFF_WAVE"].tolist() == [low, high]


def test_a_set_up_without_channels_in_the_range_goes(path: Path) -> None:
    hdus = opened(cut(path, target="Alpha", band=(1.5e-6, 1.65e-6)))
    assert {hdu.header.get("INSNAME") for hdu in hdus[1:]} == {None, "PIONIER"}
    assert hdus["OI_VIS2"].data["VIS2DATA"].shape == (1,)


def test_station_indices_are_no_channels(tmp_path: Path) -> None:
    """PIONIER here has two channels, as many as an OI_VIS2 row has stations."""
    path = tmp_path / "source.fits"
    source().writeto(path)
    hdus = opened(cut(path, insname="PIONIER", band=(1.65e-6, 1.8e-6)))
    assert hdus["OI_VIS2"].data["STA_INDEX"].shape == (2, 2)
    assert hdus["OI_VIS2"].data["VIS2DATA"].shape == (2,)


def test_set_ups_that_share_jones_matrices_but_not_channels(tmp_path: Path) -> None:
    hdus = source()
    hdus["OI_INSPOL"].data["INSNAME"][1] = "SECOND"
    values = ("VIS2DATA", "VIS2ERR")
    hdus.append(wavelengths("SECOND", WAVES + 1e-7))
    hdus.append(data_table("OI_VIS2", "SECOND", 5, [7, 3], [NIGHT, NIGHT], 2, values))
    path = tmp_path / "source.fits"
    hdus.writeto(path)
    assert "OI_INSPOL" in opened(cut(path))
    result = opened(cut(path, band=(1.95e-6, 2.15e-6)))
    assert "OI_INSPOL" not in result
    assert "OI_INSPOL" in str(result[0].header["HISTORY"])


def test_correlations_of_scattered_channels_cannot_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "unsorted.fits"
    source(WAVES[[0, 3, 1, 4, 2]]).writeto(path)
    with pytest.raises(ValueError, match=r"\(OI_VIS2\).*not neighbours"):
        cut(path, insname="GRAVITY", band=(1.9e-6, 2.15e-6))


def test_columns_that_do_not_fit_their_wavelengths_cannot_be_cut(tmp_path: Path) -> None:
    hdus = source()
    hdus[4] = wavelengths("GRAVITY", WAVES[:4])
    path = tmp_path / "mismatch.fits"
    hdus.writeto(path)
    with pytest.raises(ValueError, match=r"\(OI_VIS\).*4 channels"):
        cut(path, insname="GRAVITY", band=(2.05e-6, 2.15e-6))


# ---------------------------------------------------------------- headers


def test_primary_header(path: Path) -> None:
    header = opened(cut(path, target="Alpha", insname="GRAVITY", night="2023-02-24"))[0].header
    assert header["OBJECT"] == "Alpha"
    assert header["INSTRUME"] == "GRAVITY"
    assert header["INSMODE"] != "MULTI"
    assert header["TELESCOP"] == "VLTI"
    assert header["OBSERVER"] == "A. Observer"
    assert header["CONTENT"] == "OIFITS2"
    assert header["ESO OBS PROG ID"] == "60.A-0001(A)"
    assert header["DATE"] > "2023-03-01"
    history = str(header["HISTORY"]).replace("\n", "")
    assert "cut from source.fits: target 'Alpha', INSNAME 'GRAVITY', night 2023-02-24" in history
    assert "left out: HDU 3 (OI_ARRAY), HDU 5 (OI_WAVELENGTH), HDU 8 (SOMETHING)" in history


def test_what_is_still_several_stays_multi(path: Path) -> None:
    header = opened(cut(path, insname="GRAVITY"))[0].header
    assert header["OBJECT"] == "MULTI"
    assert header["INSTRUME"] == "GRAVITY"
    header = opened(cut(path, target="Alpha"))[0].header
    assert header["OBJECT"] == "Alpha"
    assert header["INSTRUME"] == header["INSMODE"] == "MULTI"


def test_the_version_stays(tmp_path: Path) -> None:
    hdus = source()
    del hdus[0].header["CONTENT"]
    path = tmp_path / "no_content.fits"
    hdus.writeto(path)
    assert opened(cut(path))[0].header["CONTENT"] == "OIFITS2"

    first = fits.HDUList([fits.PrimaryHDU(), *(hdus[n] for n in (1, 2, 4, 7))])
    for hdu in first[1:]:
        hdu.header["OI_REVN"] = 1
    path = tmp_path / "first.fits"
    first.writeto(path)
    result = tmp_path / "cut.fits"
    result.write_bytes(cut(path, target="Beta"))
    assert oifits.read(result).version == 1
    with fits.open(result) as hdus:
        assert "CONTENT" not in hdus[0].header


# ---------------------------------------------------------------- real files


def real_files() -> list[Path]:
    """All files, the reference's own copies aside; none where ../shared is not there."""
    return [p for p in sorted(DATA.rglob("*")) if p.is_file() and "_reference" not in p.parts]


def errors(file: oifits.OIFits) -> Counter[str]:
    return Counter(f.rule for f in checks.check(file) if f.severity == checks.ERROR)


def rows_of(hdus: fits.HDUList) -> Iterator[tuple[str, bytes]]:
    """Every row of every OIFITS table, byte by byte."""
    for hdu in hdus[1:]:
        if hdu.name.startswith("OI_") and hdu.header["NAXIS2"] and hdu.header["NAXIS1"]:
            data = hdu.fileinfo()
            stream = data["file"]
            stream.seek(data["datLoc"])
            width = hdu.header["NAXIS1"]
            for _ in range(hdu.header["NAXIS2"]):
                yield hdu.name, stream.read(width)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the example files beside the checkout")
@pytest.mark.parametrize("path", real_files(), ids=[path.name for path in real_files()])
def test_granules_of_real_files(path: Path, tmp_path: Path) -> None:
    try:
        file = oifits.read(path)
    except oifits.UnreadableFile:
        with pytest.raises(oifits.UnreadableFile):
            cut(path)
        return
    extraction = granules.extract(file, load())
    known = errors(file).keys()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        with fits.open(path) as hdus:
            before = Counter(rows_of(hdus))
        for granule in extraction.granules[:2]:
            result = tmp_path / "cut.fits"
            result.write_bytes(
                cut(file, target=granule.target_name, insname=granule.insname, night=granule.night)
            )
            with fits.open(result, checksum=True) as hdus:
                assert Counter(rows_of(hdus)) <= before
            again = oifits.read(result)
            assert again.version == file.version
            (found,) = granules.extract(again, load()).granules
            compare(granule, found)
            assert errors(again).keys() <= known


def compare(granule: Granule, found: Granule) -> None:
    """The same values; flags that speak of the source's other contents may be gone."""
    for field in fields(Granule):
        if field.name == "quality_flags":
            gone = {"insname_repeated", "same_target_twice", "rows_without_time"}
            assert set(granule.quality_flags) - gone <= set(found.quality_flags)
            assert set(found.quality_flags) <= set(granule.quality_flags)
        elif field.name != "number":
            assert getattr(found, field.name) == getattr(granule, field.name), field.name
