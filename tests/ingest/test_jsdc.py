"""Files of JSDC: what astropy reads of them is what we read, in each form."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import ascii as tables
from astropy.table import MaskedColumn, Table

from ingest import jsdc, simulate_jsdc
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
