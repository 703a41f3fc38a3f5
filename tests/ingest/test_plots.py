"""Pictures: what goes into them against astropy's view of the file, and that they are pictures."""

from __future__ import annotations

import io
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray
from PIL import Image

from ingest import granules, oifits, plots, simulate
from ingest.simulate import Disk, Exposure, Target
from ingest.vocabulary import load

DATA = Path(__file__).parents[3] / "shared" / "data" / "oifits"
Floats = NDArray[np.float64]

STATIONS = ("A0", "G1", "J2", "J3")


def observed(path: Path, setups: list[Any], stars: int = 1, times: int = 3) -> fits.HDUList:
    """Stars seen by four telescopes at some times, as a file, and as HDUs that can be changed."""
    vlti = load().facility("VLTI")
    assert vlti is not None
    exposures = []
    for number in range(stars):
        star = Target(f"SIM {number}", 110.5 + 20 * number, -25.2, Disk(1.8))
        mjd = simulate.transit(star, vlti, date(2019, 2, 3))
        exposures += [Exposure(star, STATIONS, mjd + hour / 24) for hour in range(times)]
    hdus = simulate.simulate(vlti, setups, exposures)
    simulate.write(path, hdus)
    return hdus


def drawn(path: Path, number: int = 0) -> dict[str, bytes]:
    pictures = plots.draw_file(path, [number])[number]
    for png in pictures.values():
        image = Image.open(io.BytesIO(png))
        assert image.format == "PNG"
        assert image.size == plots.SIZE
        assert len(png) < 80_000
        assert np.asarray(image.convert("L")).std() > 2  # something is drawn on the white
    return pictures


def selected(path: Path, extname: str, column: str, number: int = 0) -> plots.Points | None:
    source = oifits.read(path)
    return plots.select(source, granules.extract(source, load()).rows[number], extname, column)


def expected(path: Path, extname: str, column: str) -> Floats:
    """The unflagged finite values of all tables of a kind by astropy, in file order."""
    values = [np.zeros(0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        with fits.open(path) as hdus:
            for hdu in hdus:
                if hdu.name == extname:
                    value = np.atleast_2d(hdu.data[column].T).T
                    flag = np.atleast_2d(hdu.data["FLAG"].T).T
                    values.append(value[~flag & np.isfinite(value)].astype(np.float64))
    return np.concatenate(values)


# ---------------------------------------------------------------- which values


OBSERVABLES = [("OI_VIS2", "VIS2DATA"), ("OI_T3", "T3PHI")]


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A file with flags and NaN here and there."""
    path = tmp_path / "spoilt.fits"
    hdus = observed(path, [simulate.PIONIER_GRISM])
    random = np.random.default_rng(1)
    for extname, column in OBSERVABLES:
        data = hdus[extname].data
        data["FLAG"][...] = random.random(data["FLAG"].shape) < 0.3
        data[column][random.random(data[column].shape) < 0.2] = np.nan
    hdus.writeto(path, overwrite=True)
    return path


@pytest.mark.parametrize(("extname", "column"), OBSERVABLES)
def test_unflagged_finite_values_are_taken(spoilt: Path, extname: str, column: str) -> None:
    points = selected(spoilt, extname, column)
    assert points is not None
    wanted = expected(spoilt, extname, column)
    assert 0 < wanted.size < fits.getdata(spoilt, extname)[column].size
    assert np.array_equal(points.value, wanted)


def test_frequencies_errors_and_stations(spoilt: Path) -> None:
    points = selected(spoilt, "OI_VIS2", "VIS2DATA")
    assert points is not None
    with fits.open(spoilt) as hdus:
        data, wave = hdus["OI_VIS2"].data, hdus["OI_WAVELENGTH"].data["EFF_WAVE"]
        stations = dict(zip(*(hdus["OI_ARRAY"].data[c] for c in ("STA_INDEX", "STA_NAME")),
                            strict=True))  # fmt: skip
        row, channel = np.nonzero(~data["FLAG"] & np.isfinite(data["VIS2DATA"]))
        length = np.hypot(data["UCOORD"], data["VCOORD"])
        np.testing.assert_allclose(points.frequency, length[row] / wave[channel], rtol=1e-6)
        np.testing.assert_array_equal(points.error, data["VIS2ERR"][row, channel])
        names = [{stations[n].strip() for n in index} for index in data["STA_INDEX"][row]]
    assert [set(points.labels[n].split("-")) for n in points.station] == names


def test_a_triangle_has_the_frequency_of_its_longest_side(spoilt: Path) -> None:
    points = selected(spoilt, "OI_T3", "T3PHI")
    assert points is not None
    with fits.open(spoilt) as hdus:
        data, wave = hdus["OI_T3"].data, hdus["OI_WAVELENGTH"].data["EFF_WAVE"]
        row, channel = np.nonzero(~data["FLAG"] & np.isfinite(data["T3PHI"]))
        u = [data["U1COORD"], data["U2COORD"], data["U1COORD"] + data["U2COORD"]]
        v = [data["V1COORD"], data["V2COORD"], data["V1COORD"] + data["V2COORD"]]
        longest = np.hypot(u, v).max(axis=0)
    np.testing.assert_allclose(points.frequency, longest[row] / wave[channel], rtol=1e-6)


def test_only_rows_of_the_granule(tmp_path: Path) -> None:
    path = tmp_path / "two.fits"
    observed(path, [simulate.PIONIER_GRISM], stars=2)
    parts = [selected(path, "OI_VIS2", "VIS2DATA", number) for number in (0, 1)]
    found = np.concatenate([part.value for part in parts if part is not None])
    assert sorted(found) == sorted(expected(path, "OI_VIS2", "VIS2DATA"))


def real_files() -> list[Path]:
    return [p for p in sorted(DATA.rglob("*")) if p.is_file() and "_reference" not in p.parts]


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the example files beside the checkout")
def test_as_many_values_as_the_granules_count() -> None:
    """Of all real files; and as astropy finds, where a file is one granule."""
    compared = 0
    for path in real_files():
        try:
            source = oifits.read(path)
        except oifits.UnreadableFile:
            continue
        extraction = granules.extract(source, load())
        for granule, rows in zip(extraction.granules, extraction.rows, strict=True):
            points = plots.select(source, rows, "OI_VIS2", "VIS2DATA")
            assert (0 if points is None else points.value.size) == granule.nb_vis2_points, path.name
        if len(extraction.granules) == 1 and not extraction.notes and compared < 30:
            compared += 1
            for extname, column in OBSERVABLES:
                points = selected(path, extname, column)
                wanted = expected(path, extname, column)
                if wanted.size:
                    assert points is not None, path.name
                    assert np.array_equal(points.value, wanted), path.name
    assert compared == 30


# ---------------------------------------------------------------- pictures


def test_few_channels(tmp_path: Path) -> None:
    path = tmp_path / "few.fits"
    observed(path, [simulate.PIONIER_GRISM])
    assert list(drawn(path)) == ["uv", "visibility"]


def test_many_channels(tmp_path: Path) -> None:
    path = tmp_path / "many.fits"
    observed(path, [simulate.GRAVITY_MEDIUM])
    assert list(drawn(path)) == ["uv", "visibility", "spectrum"]


def test_spoilt_values(spoilt: Path) -> None:
    assert list(drawn(spoilt)) == ["uv", "visibility"]


def test_nothing_usable_makes_no_picture(spoilt: Path) -> None:
    with fits.open(spoilt, mode="update") as hdus:
        for hdu in hdus:
            if "FLAG" in (hdu.columns.names if hdu.name.startswith("OI_") else []):
                hdu.data["FLAG"][...] = True
    assert drawn(spoilt) == {}


@pytest.mark.parametrize("extname", ["OI_VIS2", "OI_T3"])
def test_a_single_value(spoilt: Path, extname: str) -> None:
    with fits.open(spoilt, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name in ("OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX"):
                hdu.data["FLAG"][...] = True
        data = hdus[extname].data
        data["FLAG"][2, 1] = False
        data[dict(OBSERVABLES)[extname]][2, 1] = 0.5
    assert list(drawn(spoilt)) == ["uv", "visibility"]


def test_values_no_axis_can_hold(spoilt: Path) -> None:
    """Huge and tiny values, errors that are infinite, negative or missing, no coordinates."""
    with fits.open(spoilt, mode="update") as hdus:
        data = hdus["OI_VIS2"].data
        data["FLAG"][...] = False
        data["VIS2DATA"][0, :3] = 1e300, -1e300, 1e-300
        data["VIS2ERR"][1, :3] = np.inf, np.nan, -1
        data["VIS2ERR"][2, 0] = 1e300
        data["UCOORD"][3] = np.nan
    assert list(drawn(spoilt)) == ["uv", "visibility"]
    with fits.open(spoilt, mode="update") as hdus:
        for column in ("UCOORD", "VCOORD"):
            hdus["OI_VIS2"].data[column][:] = 0
    assert "visibility" in drawn(spoilt)


def test_flux_alone(tmp_path: Path) -> None:
    path = tmp_path / "flux.fits"
    hdus = observed(path, [simulate.GRAVITY_MEDIUM])
    alone = fits.HDUList([h for h in hdus if h.name not in ("OI_VIS", "OI_VIS2", "OI_T3")])
    alone.writeto(path, overwrite=True)
    assert list(drawn(path)) == ["spectrum"]


def test_more_values_than_are_drawn(spoilt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "MOST_POINTS", 10)
    assert list(drawn(spoilt)) == ["uv", "visibility"]


def test_names_that_look_like_formulae(tmp_path: Path) -> None:
    path = tmp_path / "a$b_$c^.fits"
    hdus = observed(path, [simulate.PIONIER_GRISM])
    hdus["OI_TARGET"].data["TARGET"][0] = r"$\alpha$ $x_"
    hdus.writeto(path, overwrite=True)
    assert "uv" in drawn(path)


def test_many_station_pairs_are_coloured_by_length(tmp_path: Path) -> None:
    path = tmp_path / "many.fits"
    hdus = observed(path, [simulate.PIONIER_GRISM], times=4)
    data = hdus["OI_VIS2"].data
    data["STA_INDEX"][:, 1] = 100 + np.arange(len(data))
    hdus.writeto(path, overwrite=True)
    points = selected(path, "OI_VIS2", "VIS2DATA")
    assert points is not None
    assert len(points.labels) == 24
    assert "uv" in drawn(path)


def test_pictures_can_be_drawn_elsewhere(spoilt: Path) -> None:
    """Ingestion draws in a pool of processes."""
    pickle.dumps(plots.draw_file)
    with ProcessPoolExecutor(1) as pool:
        pictures = pool.submit(plots.draw_file, spoilt, [0]).result()
    assert {number: list(each) for number, each in pictures.items()} == {0: ["uv", "visibility"]}


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "empty.fits"
    path.touch()
    with pytest.raises(oifits.UnreadableFile, match="empty"):
        plots.draw_file(path, [0])


def one_of_each() -> list[Path]:
    """A real file of each folder of the examples."""
    folders: dict[Path, Path] = {}
    for path in real_files():
        if path.parent.name not in ("not-oifits", "conformance"):
            folders.setdefault(path.parent, path)
    return list(folders.values())


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the example files beside the checkout")
@pytest.mark.parametrize("path", one_of_each(), ids=[path.parent.name for path in one_of_each()])
def test_real_files(path: Path) -> None:
    source = oifits.read(path)
    if granules.extract(source, load()).granules:
        drawn(path)
