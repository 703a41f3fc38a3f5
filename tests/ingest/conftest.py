"""Fixtures for what reads files."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from astropy.io import fits
from astropy.utils import iers

from ingest import oifits, vocabulary
from ingest.granules import Extraction, extract

_DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout."""
    if not _DATA.is_dir():
        pytest.skip("needs the real files of ../shared/data")
    return _DATA


@cache
def _extraction(path: Path) -> Extraction:
    return extract(oifits.read(path), vocabulary.load())


@pytest.fixture(scope="session")
def real(shared: Path) -> Callable[[str], Extraction]:
    """What ``extract`` finds in a file of ../shared/data/oifits, by its path there."""
    return lambda path: _extraction(shared / "oifits" / path)


@pytest.fixture(scope="session")
def earth_as_it_comes() -> Iterator[None]:
    """Let astropy do with the Earth rotation tables it carries."""
    with (
        warnings.catch_warnings(),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[fits.HDUList], Path]:
    """Writes HDUs to a file, whatever astropy thinks of them."""

    def save(hdus: fits.HDUList, name: str = "file.fits") -> Path:
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hdus.writeto(buffer, output_verify="ignore")
        path = tmp_path / name
        path.write_bytes(buffer.getvalue())
        return path

    return save
