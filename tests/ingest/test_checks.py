"""The check against files with known faults, and against what OITools finds on real files."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import checks, oifits, simulate, standard
from ingest.checks import Finding
from ingest.vocabulary import load

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real files of ../shared")

Edit = Callable[[fits.HDUList], None]


@cache
def valid(version: int) -> bytes:
    """A file without fault that has all tables of its version."""
    vlti = load().facility("VLTI")
    assert vlti is not None
    star = simulate.Target("SIM UD 1", 110.5, -25.2, simulate.Disk(1.8))
    two = version == 2
    mode = replace(simulate.PIONIER_GRISM, vis=True, flux="U" if two else None)
    with (
        warnings.catch_warnings(),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        warnings.simplefilter("ignore")
        transit = simulate.transit(star, vlti, date(2019, 2, 3))
        hdus = simulate.simulate(
            vlti,
            [mode],
            [simulate.Exposure(star, ("A0", "G1", "J2", "J3"), transit)],
            version=2 if two else 1,
            correlation=0.2 if two else 0.0,
            polarisation=two,
        )
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    return buffer.getvalue()


def findings(folder: Path, content: bytes) -> list[Finding]:
    path = folder / "file.fits"
    path.write_bytes(content)
    found = checks.check(oifits.read(path))
    assert_in_form(found)
    return found


def edited(folder: Path, version: int, edit: Edit) -> list[Finding]:
    with fits.open(io.BytesIO(valid(version)), memmap=False) as hdus:
        edit(hdus)
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hdus.writeto(buffer, output_verify="ignore")
    return findings(folder, buffer.getvalue())


def assert_in_form(found: list[Finding]) -> None:
    """What holds for the findings of any file."""
    places = Counter((f.rule, f.hdu, f.column) for f in found)
    assert not [place for place, number in places.items() if number > 1]
    assert [f.hdu or 0 for f in found] == sorted(f.hdu or 0 for f in found)
    for finding in found:
        rule = checks.RULES[finding.rule]
        assert finding.severity == rule.severity
        assert finding.section.startswith(("P05", "D17", "FITS", "house"))
        assert finding.count >= 1
        assert len(finding.message) < 500
        if finding.hdu:
            assert finding.message.startswith(f"HDU {finding.hdu} ({finding.table})")
        if finding.row is not None:
            assert f"row {finding.row}, {finding.column}: found" in finding.message or (
                finding.rule == "OI_WAVELENGTH_ORDER"
            )


def test_files_without_fault_have_no_findings(tmp_path: Path) -> None:
    for version in (1, 2):
        assert findings(tmp_path, valid(version)) == []


def test_the_demonstration_has_no_errors_and_no_warnings(tmp_path: Path) -> None:
    with (
        warnings.catch_warnings(),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        warnings.simplefilter("ignore")
        files = simulate.demonstration(tmp_path)
    for report in checks.check_files(file.path for file in files):
        assert report.error is None
        assert [f.message for f in report.findings if f.severity != "info"] == []


# ---------------------------------------------------------------- one fault, one finding


def set_value(name: str, column: str, value: object, row: int | slice = 0) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        hdus[name].data[column][row] = value

    return edit


def set_keyword(name: str | int, keyword: str, value: object) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        hdus[name].header[keyword] = value

    return edit


def no_keyword(name: str | int, keyword: str) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        del hdus[name].header[keyword]

    return edit


def no_column(name: str, column: str) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        hdus[name].columns.del_col(column)

    return edit


def set_column(name: str, column: str, **attributes: str) -> Edit:
    """Other format or unit for a column; a name that is not there adds one."""

    def edit(hdus: fits.HDUList) -> None:
        hdu = hdus[name]
        old = hdu.columns
        number = old.names.index(column) if column in old.names else len(old.names)
        columns = list(old)
        if number < len(columns):
            was = columns[number]
            said = {"format": was.format, "unit": was.unit, "dim": was.dim, **attributes}
            columns[number] = fits.Column(column, array=hdu.data[column], **said)
        else:
            columns.append(fits.Column(column, array=np.zeros(len(hdu.data)), **attributes))
        header = hdu.header.copy(strip=True)
        hdus[name] = fits.BinTableHDU.from_columns(columns, header=header, name=name)

    return edit


def no_table(name: str) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        del hdus[name]

    return edit


def table_twice(name: str) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        hdus.append(hdus[name].copy())

    return edit


def other_table(name: str) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        hdus.append(fits.BinTableHDU.from_columns([fits.Column("X", "D")], name=name))

    return edit


def row_twice(name: str, **changes: object) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        data = hdus[name].data
        hdus[name].data = fits.FITS_rec.from_columns(hdus[name].columns, nrows=len(data) + 1)
        for column in data.names:
            hdus[name].data[column][-1] = changes.get(column, data[column][0])

    return edit


def both(*edits: Edit) -> Edit:
    def edit(hdus: fits.HDUList) -> None:
        for each in edits:
            each(hdus)

    return edit


#: Rule, table, column or keyword, row, version and the edit that breaks it.
FAULTS: list[tuple[str, str, str | None, int | None, int, Edit]] = [
    ("OIFITS_OI_TARGET_EXIST", "", None, None, 1, no_table("OI_TARGET")),
    ("OIFITS_OI_TARGET_UNIQ", "OI_TARGET", None, None, 2, table_twice("OI_TARGET")),
    ("OIFITS_OI_WAVELENGTH_EXIST", "", None, None, 1, no_table("OI_WAVELENGTH")),
    ("OIFITS_OI_ARRAY_EXIST_V2", "", None, None, 2, no_table("OI_ARRAY")),
    ("OIFITS_OIDATA", "", None, None, 1,
     both(*(no_table(n) for n in ("OI_VIS", "OI_VIS2", "OI_T3")))),
    ("OIFITS_CONTENT", "", "CONTENT", None, 2, no_keyword(0, "CONTENT")),
    ("OIFITS_CONTENT", "", "CONTENT", None, 2, set_keyword(0, "CONTENT", "OIFITS3")),
    ("OIFITS_EXTNAME", "OI_SPECTRUM", "EXTNAME", None, 1, other_table("OI_SPECTRUM")),
    ("UNKNOWN_TABLE", "IMAGES", None, None, 1, other_table("IMAGES")),
    ("MAIN_HEADER_TYPE_MULTI", "", "OBJECT", None, 2,
     row_twice("OI_TARGET", TARGET="B", TARGET_ID=2)),
    ("GENERIC_KEYWORD_MANDATORY", "OI_VIS2", "INSNAME", None, 1, no_keyword("OI_VIS2", "INSNAME")),
    ("GENERIC_KEYWORD_MANDATORY", "OI_VIS2", "ARRNAME", None, 2, no_keyword("OI_VIS2", "ARRNAME")),
    ("GENERIC_KEYWORD_MANDATORY", "OI_T3", "OI_REVN", None, 1, no_keyword("OI_T3", "OI_REVN")),
    ("GENERIC_KEYWORD_MANDATORY", "", "INSMODE", None, 2, no_keyword(0, "INSMODE")),
    ("GENERIC_KEYWORD_MANDATORY", "", "OBSERVER", None, 2, set_keyword(0, "OBSERVER", "")),
    ("GENERIC_KEYWORD_FORMAT", "OI_ARRAY", "ARRAYX", None, 1,
     set_keyword("OI_ARRAY", "ARRAYX", "1951952")),
    ("GENERIC_KEYWORD_FORMAT", "OI_VIS2", "OI_REVN", None, 2,
     set_keyword("OI_VIS2", "OI_REVN", "2")),
    ("GENERIC_KEYWORD_VAL_ACCEPTED_INT", "OI_T3", "OI_REVN", None, 2,
     set_keyword("OI_T3", "OI_REVN", 1)),
    ("GENERIC_KEYWORD_VAL_ACCEPTED_STR", "OI_ARRAY", "FRAME", None, 1,
     set_keyword("OI_ARRAY", "FRAME", "Geocentric")),
    ("GENERIC_KEYWORD_VAL_ACCEPTED_STR", "OI_FLUX", "CALSTAT", None, 2,
     set_keyword("OI_FLUX", "CALSTAT", "X")),
    ("GENERIC_KEYWORD_VAL_ACCEPTED_STR", "OI_VIS", "AMPTYP", None, 2,
     set_keyword("OI_VIS", "AMPTYP", "raw")),
    ("GENERIC_DATE_OBS_STANDARD", "OI_VIS2", "DATE-OBS", None, 1,
     set_keyword("OI_VIS2", "DATE-OBS", "03/02/19")),
    ("GENERIC_DATE_OBS_STANDARD", "", "DATE-OBS", None, 2,
     set_keyword(0, "DATE-OBS", "2019-02-31")),
    ("GENERIC_DATE_OBS_RANGE", "OI_VIS2", "DATE-OBS", None, 1,
     set_keyword("OI_VIS2", "DATE-OBS", "1858-11-17")),
    ("GENERIC_COL_MANDATORY", "OI_ARRAY", "FOV", None, 2, no_column("OI_ARRAY", "FOV")),
    ("GENERIC_COL_MANDATORY", "OI_VIS2", "MJD", None, 1, no_column("OI_VIS2", "MJD")),
    ("GENERIC_COL_FORMAT", "OI_VIS2", "MJD", None, 1, set_column("OI_VIS2", "MJD", format="E")),
    ("GENERIC_COL_FORMAT", "OI_VIS2", "VIS2ERR", None, 2,
     set_column("OI_VIS2", "VIS2ERR", format="7D")),
    ("GENERIC_COL_FORMAT", "OI_TARGET", "TARGET", None, 1,
     set_column("OI_TARGET", "TARGET", format="17A")),
    ("GENERIC_COL_FORMAT", "OI_TARGET", "TARGET", None, 2,
     set_column("OI_TARGET", "TARGET", format="33A")),
    ("GENERIC_COL_UNIT", "OI_TARGET", "RAEP0", None, 1,
     set_column("OI_TARGET", "RAEP0", unit="rad")),
    ("GENERIC_COL_UNIT_EXIST", "OI_WAVELENGTH", "EFF_WAVE", None, 1,
     set_column("OI_WAVELENGTH", "EFF_WAVE", unit="")),
    ("GENERIC_COL_UNIT_FLUX", "OI_FLUX", "FLUXDATA", None, 2,
     set_column("OI_FLUX", "FLUXDATA", unit="")),
    ("UNKNOWN_COLUMN", "OI_VIS2", "SNR", None, 1, set_column("OI_VIS2", "SNR", format="D")),
    ("GENERIC_COL_VAL_ACCEPTED_STR", "OI_TARGET", "VELTYP", 1, 1,
     set_value("OI_TARGET", "VELTYP", "SOLAR")),
    ("GENERIC_COL_VAL_ACCEPTED_STR", "OI_TARGET", "CATEGORY", 1, 2,
     set_value("OI_TARGET", "CATEGORY", "???")),
    ("GENERIC_COL_VAL_ACCEPTED_STR", "OI_ARRAY", "FOVTYPE", 2, 2,
     set_value("OI_ARRAY", "FOVTYPE", "CIRCLE", 1)),
    ("GENERIC_COL_VAL_POSITIVE", "OI_ARRAY", "DIAMETER", 4, 1,
     set_value("OI_ARRAY", "DIAMETER", 0.0, 3)),
    ("GENERIC_COL_VAL_POSITIVE", "OI_VIS2", "INT_TIME", 3, 1,
     set_value("OI_VIS2", "INT_TIME", -1.0, 2)),
    ("ARRNAME_REF", "OI_VIS2", "ARRNAME", None, 1, set_keyword("OI_VIS2", "ARRNAME", "IOTA")),
    ("ARRNAME_UNIQ", "OI_ARRAY", "ARRNAME", None, 1, table_twice("OI_ARRAY")),
    ("INSNAME_REF", "OI_T3", "INSNAME", None, 1, set_keyword("OI_T3", "INSNAME", "MIDI")),
    ("INSNAME_REF", "OI_INSPOL", "INSNAME", 2, 2, set_value("OI_INSPOL", "INSNAME", "MIDI", 1)),
    ("INSNAME_UNIQ", "OI_WAVELENGTH", "INSNAME", None, 1, table_twice("OI_WAVELENGTH")),
    ("CORRNAME_REF", "OI_VIS2", "CORRNAME", None, 2, set_keyword("OI_VIS2", "CORRNAME", "NONE")),
    ("CORRNAME_UNIQ", "OI_CORR", "CORRNAME", None, 2, table_twice("OI_CORR")),
    ("TARGET_ID_REF", "OI_VIS2", "TARGET_ID", 6, 1, set_value("OI_VIS2", "TARGET_ID", 2, 5)),
    ("STA_INDEX_REF", "OI_T3", "STA_INDEX", 4, 1,
     set_value("OI_T3", "STA_INDEX", (1, 2, 99), 3)),
    ("OI_TARGET_TARGET", "OI_TARGET", "TARGET", 1, 1, set_value("OI_TARGET", "TARGET", "")),
    ("OI_TARGET_TARGET_UNIQ", "OI_TARGET", "TARGET", 1, 1, row_twice("OI_TARGET", TARGET_ID=2)),
    ("OI_TARGET_TARGETID_MIN", "OI_TARGET", "TARGET_ID", 2, 1,
     row_twice("OI_TARGET", TARGET_ID=0, TARGET="B")),
    ("OI_TARGET_TARGETID_UNIQ", "OI_TARGET", "TARGET_ID", 1, 1,
     row_twice("OI_TARGET", TARGET="B")),
    ("OI_TARGET_COORD", "OI_TARGET", "DECEP0", 1, 1, set_value("OI_TARGET", "DECEP0", 0.0)),
    ("OI_TARGET_COORD_EXIST", "OI_TARGET", "RAEP0", 1, 1,
     set_value("OI_TARGET", "RAEP0", np.nan)),
    ("OI_TARGET_COORD_RANGE", "OI_TARGET", "DECEP0", 1, 1,
     set_value("OI_TARGET", "DECEP0", -91.0)),
    ("OI_TARGET_COORD_RANGE", "OI_TARGET", "RAEP0", 1, 2, set_value("OI_TARGET", "RAEP0", 361.0)),
    ("OI_TARGET_EQUINOX", "OI_TARGET", "EQUINOX", 1, 2, set_value("OI_TARGET", "EQUINOX", 0.0)),
    ("OI_ARRAY_ARRNAME", "OI_ARRAY", "ARRNAME", None, 1, set_keyword("OI_ARRAY", "ARRNAME", "")),
    ("OI_ARRAY_STA_NAME", "OI_ARRAY", "STA_NAME", 3, 1, set_value("OI_ARRAY", "STA_NAME", "", 2)),
    ("OI_ARRAY_STA_NAME_UNIQ", "OI_ARRAY", "STA_NAME", 1, 1,
     row_twice("OI_ARRAY", STA_INDEX=99)),
    ("OI_ARRAY_STA_INDEX_MIN", "OI_ARRAY", "STA_INDEX", 2, 1,
     set_value("OI_ARRAY", "STA_INDEX", 0, 1)),
    ("OI_ARRAY_STA_INDEX_UNIQ", "OI_ARRAY", "STA_INDEX", 1, 1,
     row_twice("OI_ARRAY", STA_NAME="X9")),
    ("OI_ARRAY_XYZ", "OI_ARRAY", "ARRAYX", None, 1, set_keyword("OI_ARRAY", "ARRAYX", 0.0)),
    ("OI_WAVELENGTH_INSNAME", "OI_WAVELENGTH", "INSNAME", None, 1,
     set_keyword("OI_WAVELENGTH", "INSNAME", " ")),
    ("OI_WAVELENGTH_EFF_WAVE", "OI_WAVELENGTH", "EFF_WAVE", 6, 1,
     set_value("OI_WAVELENGTH", "EFF_WAVE", 1.7, 5)),
    ("OI_WAVELENGTH_ORDER", "OI_WAVELENGTH", "EFF_WAVE", 4, 1,
     set_value("OI_WAVELENGTH", "EFF_WAVE", 1.5e-6, 3)),
    ("TIME_ZERO", "OI_VIS2", "TIME", 3, 2, set_value("OI_VIS2", "TIME", 600.0, 2)),
    ("GENERIC_MJD_RANGE", "OI_VIS2", "MJD", 3, 1, set_value("OI_VIS2", "MJD", 0.0, 2)),
    ("GENERIC_MJD_RANGE", "OI_T3", "MJD", 2, 2, set_value("OI_T3", "MJD", 2458517.6, 1)),
    ("GENERIC_MJD_RANGE", "OI_VIS2", "MJD", 1, 1, set_value("OI_VIS2", "MJD", np.nan)),
    ("GENERIC_MJD_RANGE", "", "MJD-OBS", None, 2, set_keyword(0, "MJD-OBS", 0.0)),
    ("INT_TIME_RANGE", "OI_VIS2", "INT_TIME", 6, 1,
     set_value("OI_VIS2", "INT_TIME", 357222.4, 5)),
    ("GENERIC_STA_INDEX_UNIQ", "OI_VIS2", "STA_INDEX", 2, 1,
     set_value("OI_VIS2", "STA_INDEX", (1, 1), 1)),
    ("GENERIC_STA_INDEX_UNIQ", "OI_T3", "STA_INDEX", 2, 2,
     set_value("OI_T3", "STA_INDEX", (1, 2, 1), 1)),
    ("GENERIC_COL_ERR", "OI_T3", "T3PHIERR", 2, 2, set_value("OI_T3", "T3PHIERR", -1.0, 1)),
    ("GENERIC_COL_ERR", "OI_VIS2", "VIS2ERR", 1, 1, set_value("OI_VIS2", "VIS2ERR", np.inf)),
    ("GENERIC_COL_ERR_ZERO", "OI_VIS2", "VIS2ERR", 5, 1,
     set_value("OI_VIS2", "VIS2ERR", 0.0, 4)),
    ("GENERIC_COL_ERR_NAN", "OI_T3", "T3AMPERR", 3, 1,
     set_value("OI_T3", "T3AMPERR", np.nan, 2)),
    ("GENERIC_COL_VAL_NAN", "OI_VIS2", "VIS2DATA", 3, 2,
     set_value("OI_VIS2", "VIS2DATA", np.nan, 2)),
    ("GENERIC_COL_VAL_RANGE", "OI_T3", "T3AMP", 4, 1, set_value("OI_T3", "T3AMP", -1000.0, 3)),
    ("GENERIC_COL_VAL_RANGE", "OI_VIS2", "VIS2DATA", 1, 2,
     set_value("OI_VIS2", "VIS2DATA", 11.0)),
    ("UVCOORD_RANGE", "OI_VIS2", "UCOORD", 2, 1,
     both(set_value("OI_VIS2", "UCOORD", 0, 1), set_value("OI_VIS2", "VCOORD", 0, 1))),
    ("UVCOORD_RANGE", "OI_T3", "U2COORD", 4, 1, set_value("OI_T3", "V2COORD", 3e7, 3)),
    ("VISREFMAP", "OI_VIS", "VISREFMAP", None, 2,
     set_keyword("OI_VIS", "PHITYP", "differential")),
    ("OI_FLUX_CALSTAT", "OI_FLUX", "STA_INDEX", None, 2, no_column("OI_FLUX", "STA_INDEX")),
    ("OI_FLUX_CALSTAT", "OI_FLUX", "ARRNAME", None, 2, set_keyword("OI_FLUX", "CALSTAT", "C")),
    ("DATA_FLAGGED", "OI_VIS2", "FLAG", None, 1, set_value("OI_VIS2", "FLAG", True, slice(None))),
    ("OI_CORR_CORRNAME", "OI_CORR", "CORRNAME", None, 2, set_keyword("OI_CORR", "CORRNAME", "")),
    ("OI_CORR_IINDEX_MIN", "OI_CORR", "IINDX", 2, 2, set_value("OI_CORR", "IINDX", 0, 1)),
    ("OI_CORR_JINDEX_SUP", "OI_CORR", "JINDX", 1, 2, set_value("OI_CORR", "JINDX", 1)),
    ("OI_CORR_IJINDEX_MAX", "OI_CORR", "JINDX", 3, 2, set_value("OI_CORR", "JINDX", 37, 2)),
    ("OI_CORR_CORR", "OI_CORR", "CORR", 1, 2, set_value("OI_CORR", "CORR", 1.5)),
    ("OI_VIS2_CORRINDX", "OI_VIS2", "CORRINDX_VIS2DATA", None, 2, no_table("OI_CORR")),
    ("GENERIC_CORRINDX_MIN", "OI_VIS2", "CORRINDX_VIS2DATA", 2, 2,
     set_value("OI_VIS2", "CORRINDX_VIS2DATA", 0, 1)),
    ("GENERIC_CORRINDX_MAX", "OI_VIS2", "CORRINDX_VIS2DATA", 6, 2,
     set_value("OI_VIS2", "CORRINDX_VIS2DATA", 32, 5)),
    ("GENERIC_CORRINDX_UNIQ", "OI_VIS2", "CORRINDX_VIS2DATA", 2, 2,
     set_value("OI_VIS2", "CORRINDX_VIS2DATA", 6, 1)),
    ("OI_INSPOL_INSNAME_UNIQ", "OI_INSPOL", "INSNAME", None, 2, table_twice("OI_INSPOL")),
    ("OI_INSPOL_MJD_DIFF", "OI_INSPOL", "MJD_OBS", 2, 2,
     set_value("OI_INSPOL", "MJD_OBS", 1e5, 1)),
    ("OI_INSPOL_MJD_RANGE", "OI_INSPOL", "MJD_OBS", 1, 2,
     set_value("OI_INSPOL", "MJD_OBS", -1.0)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "table", "column", "row", "version", "edit"), FAULTS)
def test_a_fault_is_found_where_it_is(
    tmp_path: Path,
    rule: str,
    table: str,
    column: str | None,
    row: int | None,
    version: int,
    edit: Edit,
) -> None:
    found = edited(tmp_path, version, edit)
    places = [(f.table, f.column, f.row) for f in found if f.rule == rule]
    assert (table, column, row) in places, [f.message for f in found]


def test_each_rule_has_its_fault() -> None:
    """All but those with tests of their own below."""
    own = {
        "OIFITS_TABLE_NOT_V2", "CHECKSUM", "GENERIC_COL_TDIM", "OI_TARGET_TARGET_EXIST",
        "OI_VIS_CORRINDX", "OI_T3_CORRINDX", "OI_FLUX_CORRINDX",
    }  # fmt: skip
    assert {fault[0] for fault in FAULTS} | own == set(checks.RULES)


def test_faults_have_few_other_findings(tmp_path: Path) -> None:
    """A wrong value is not reported by rules about other things."""
    for rule, _, column, row, version, edit in FAULTS:
        if row is not None and rule.startswith(("GENERIC_COL", "OI_TARGET_COORD", "TIME", "INT")):
            found = edited(tmp_path, version, edit)
            assert [(f.rule, f.column) for f in found] == [(rule, column)], rule


def test_tables_of_oifits_2_in_a_file_of_oifits_1(tmp_path: Path) -> None:
    def add(hdus: fits.HDUList) -> None:
        with fits.open(io.BytesIO(valid(2)), memmap=False) as other:
            for name in ("OI_CORR", "OI_FLUX"):
                hdus.append(other[name].copy())

    found = edited(tmp_path, 1, add)
    assert [(f.rule, f.table) for f in found] == [
        ("OIFITS_TABLE_NOT_V2", "OI_CORR"),
        ("OIFITS_TABLE_NOT_V2", "OI_FLUX"),
    ]


def test_an_empty_oi_target(tmp_path: Path) -> None:
    def empty(hdus: fits.HDUList) -> None:
        hdus["OI_TARGET"].data = hdus["OI_TARGET"].data[:0]

    rules = {f.rule for f in edited(tmp_path, 1, empty)}
    assert rules == {"OI_TARGET_TARGET_EXIST", "TARGET_ID_REF"}


def test_tdim_of_scalars_is_allowed_but_mentioned(tmp_path: Path) -> None:
    def tdim(hdus: fits.HDUList) -> None:
        number = hdus["OI_VIS2"].columns.names.index("MJD") + 1
        hdus["OI_VIS2"].header[f"TDIM{number}"] = "(1)"

    with fits.open(io.BytesIO(valid(1)), memmap=False) as hdus:
        number = hdus["OI_VIS2"].columns.names.index("MJD") + 1
    # astropy drops the keyword on writing, so it is put over a card that nobody needs.
    card = b"TDIM%-4d= '(1)     '" % number
    start = valid(1).index(b"OI_VIS2 ")
    comment = valid(1).index(b"TUNIT%-3d= " % number, start)
    content = bytearray(valid(1))
    content[comment : comment + 80] = card.ljust(80)
    found = findings(tmp_path, bytes(content))
    assert [(f.rule, f.severity, f.column) for f in found] == [
        ("GENERIC_COL_TDIM", "info", "MJD"),
        ("GENERIC_COL_UNIT_EXIST", "info", "MJD"),
    ]


def test_flagged_values_are_not_looked_at(tmp_path: Path) -> None:
    edit = both(
        set_value("OI_VIS2", "VIS2ERR", -1.0),
        set_value("OI_VIS2", "VIS2DATA", 1e6),
        set_value("OI_VIS2", "FLAG", True),
    )
    assert edited(tmp_path, 2, edit) == []


def test_many_faults_are_one_finding(tmp_path: Path) -> None:
    (finding,) = edited(tmp_path, 1, set_value("OI_VIS2", "VIS2ERR", -0.5, slice(None)))
    assert (finding.rule, finding.row, finding.count) == ("GENERIC_COL_ERR", 1, 36)
    assert finding.message == (
        "HDU 5 (OI_VIS2), row 1, VIS2ERR: found -0.5, expected a positive number or NaN "
        "(36 values, rows 1, 2, 3, 4, 5, …)"
    )


def test_checksums_as_astropy_makes_them(tmp_path: Path) -> None:
    with fits.open(io.BytesIO(valid(2)), memmap=False) as hdus:
        buffer = io.BytesIO()
        hdus.writeto(buffer, checksum=True)
    content = bytearray(buffer.getvalue())
    assert findings(tmp_path, bytes(content)) == []
    data = bytes(content).index(b"SIM UD 1", bytes(content).index(b"OI_TARGET"))
    content[data] = ord("X")
    (finding,) = findings(tmp_path, bytes(content))
    assert (finding.rule, finding.table, finding.column) == ("CHECKSUM", "OI_TARGET", "DATASUM")
    content[data] = ord("S")
    content[80 * 2 + 78] = ord("x")
    (finding,) = findings(tmp_path, bytes(content))
    assert (finding.rule, finding.hdu, finding.column) == ("CHECKSUM", 0, "CHECKSUM")


@pytest.mark.parametrize("name", ["OI_VIS", "OI_T3", "OI_FLUX"])
def test_correlation_indices_without_correlations(tmp_path: Path, name: str) -> None:
    column = next(c for c in standard.STANDARD[2][name].columns if c.startswith("CORRINDX"))
    found = edited(tmp_path, 2, set_column(name, column, format="J"))
    assert [(f.rule, f.column) for f in found] == [(f"{name}_CORRINDX", column)]


# ---------------------------------------------------------------- properties


@settings(max_examples=60)
@given(
    version=st.sampled_from((1, 2)),
    table=st.sampled_from((("OI_VIS2", "VIS2ERR"), ("OI_T3", "T3PHIERR"), ("OI_VIS", "VISAMPERR"))),
    cells=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1),
    flagged=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 5))),
    value=st.floats(max_value=-1e-300, allow_infinity=True),
)
def test_negative_errors_are_counted(
    tmp_path: Path,
    version: int,
    table: tuple[str, str],
    cells: set[tuple[int, int]],
    flagged: set[tuple[int, int]],
    value: float,
) -> None:
    name, column = table

    def edit(hdus: fits.HDUList) -> None:
        data = hdus[name].data
        for row, channel in cells:
            data[column][row][channel] = value
        for row, channel in flagged:
            data["FLAG"][row][channel] = True

    found = edited(tmp_path, version, edit)
    seen = cells - flagged
    if not seen:
        assert [f.rule for f in found if f.rule != "DATA_FLAGGED"] == []
    else:
        (finding,) = found
        assert (finding.rule, finding.table, finding.column) == ("GENERIC_COL_ERR", name, column)
        assert finding.count == len(seen)
        assert finding.row == min(row for row, _ in seen) + 1


@settings(max_examples=60)
@given(
    version=st.sampled_from((1, 2)),
    rows=st.sets(st.integers(0, 5), min_size=1),
    mjd=st.floats().filter(lambda x: not checks.MJD_RANGE[0] <= x <= checks.MJD_RANGE[1]),
)
def test_impossible_dates_are_counted(
    tmp_path: Path, version: int, rows: set[int], mjd: float
) -> None:
    def edit(hdus: fits.HDUList) -> None:
        hdus["OI_VIS2"].data["MJD"][sorted(rows)] = mjd

    (finding,) = edited(tmp_path, version, edit)
    assert (finding.rule, finding.table, finding.row, finding.count) == (
        "GENERIC_MJD_RANGE",
        "OI_VIS2",
        min(rows) + 1,
        len(rows),
    )


@settings(max_examples=150)
@given(
    version=st.sampled_from((1, 2)),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=24)),
        max_size=8,
    ),
)
def test_damaged_files_are_refused_or_checked(
    tmp_path: Path, version: int, changes: list[tuple[float, bytes]]
) -> None:
    content = bytearray(valid(version))
    size = len(content)
    for place, new in changes:
        start = int(place * size)
        content[start : start + len(new)] = new
    path = tmp_path / "damaged.fits"
    path.write_bytes(content[:size])
    (report,) = checks.check_files([path])
    if report.error is None:
        assert_in_form(report.findings)
    else:
        assert report.error.startswith("damaged.fits")


# ---------------------------------------------------------------- reports


def test_reports(tmp_path: Path) -> None:
    good = tmp_path / "good.fits"
    good.write_bytes(valid(2))
    bad = tmp_path / "bad.fits"
    with fits.open(io.BytesIO(valid(2)), memmap=False) as hdus:
        set_value("OI_VIS2", "VIS2ERR", -0.5)(hdus)
        set_value("OI_VIS2", "TIME", 12.0)(hdus)
        hdus.writeto(bad)
    empty = tmp_path / "empty.fits"
    empty.touch()
    reports = list(checks.check_files([good, bad, empty, tmp_path / "missing.fits"]))
    assert [report.version for report in reports] == [2, 2, None, None]
    assert [report.error for report in reports] == [
        None,
        None,
        "empty.fits: the file is empty",
        "missing.fits: No such file or directory",
    ]
    assert checks.report_text(reports[0]) == "good.fits: OIFITS 2, 0 errors, 0 warnings, 0 info\n"
    lines = checks.report_text(reports[1]).splitlines()
    assert lines[0] == "bad.fits: OIFITS 2, 1 error, 1 warning, 0 info"
    assert lines[1].startswith("error    HDU 7 (OI_VIS2), row 1, VIS2ERR: found -0.5, expected")
    assert lines[2].startswith("warning  HDU 7 (OI_VIS2), row 1, TIME: found 12, expected 0 in")
    assert checks.report_text(reports[2]) == "cannot be read: empty.fits: the file is empty\n"
    assert checks.summary(reports[1].findings) == {"error": 1, "warning": 1, "info": 0}
    content = json.loads(json.dumps([checks.as_dict(report) for report in reports]))
    assert content[1]["counts"] == {"error": 1, "warning": 1, "info": 0}
    assert content[1]["findings"][0]["rule"] == "TIME_ZERO"
    assert content[2] == {
        "file": str(empty),
        "version": None,
        "error": "empty.fits: the file is empty",
        "counts": {"error": 0, "warning": 0, "info": 0},
        "findings": [],
    }


def test_the_table_of_rules_is_that_of_the_code() -> None:
    assert (ROOT / "ingest" / "RULES.md").read_text(encoding="utf-8") == checks.rules_table()


def test_the_range_of_dates() -> None:
    day_zero = date(1858, 11, 17)
    first, last = (date(checks.YEAR_RANGE[0], 1, 1), date(checks.YEAR_RANGE[1], 12, 31))
    assert ((first - day_zero).days, (last - day_zero).days) == checks.MJD_RANGE


# ---------------------------------------------------------------- real files


@cache
def on_real_files() -> dict[str, tuple[int | None, list[Finding]]]:
    """Version and findings of every file of OITools' table, by path."""
    with (SHARED / "oifits_oracle" / "oitools_checks.csv").open(newline="") as table:
        paths = [SHARED / row["path"] for row in csv.DictReader(table)]
    return {
        str(report.path.relative_to(SHARED)): (report.version, report.findings)
        for report in checks.check_files(path for path in paths if path.exists())
    }


def in_oitools() -> Iterator[dict[str, str]]:
    with (SHARED / "oifits_oracle" / "oitools_rules.csv").open(newline="") as table:
        yield from csv.DictReader(table)


#: What OITools reports and we do not, by rule: the files (by the end of their paths) and why not.
DIFFERENCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "GENERIC_COL_DIM": (
        "OITools cannot tell the number of channels of an OI_INSPOL, whose INSNAME is a column; "
        "we can",
        (
            "coast/testdata.fits", "coast/testdata2.fits", "coast/testdata_opt.fits",
            "conformance/TEST_CreateOIFileV2.fits", "conformance/bigtest2.fits",
            "conformance/testdata_opt.fits", "conformance/v2_bigtest2.fits",
        ),
    ),
    "GENERIC_COL_FORMAT": (
        "TARGET and SPECTYP of 32 characters are what the maintained text of OIFITS 2 asks for "
        "(arXiv:1510.04556v5)",
        (
            "coast/v2_alp_aur--COAST_NICMOS__016d7ba.fits", "conformance/v2_bad_big_t3amp.fits",
            "conformance/v2_bad_dup_target.fits", "conformance/v2_bad_missing_array.fits",
            "conformance/v2_bad_missing_arrname.fits",
            "conformance/v2_bad_missing_content_kw.fits", "conformance/v2_bad_missing_corr.fits",
            "conformance/v2_bad_missing_element.fits", "conformance/v2_bad_missing_target.fits",
            "conformance/v2_bad_neg_error.fits", "conformance/v2_bad_wave_reversed.fits",
            "conformance/v2_bigtest2.fits", "contest/v2_Alp_Vic--MIRC_H.fits",
            "contest/v2_Alp_Vic--MIRC_K.fits", "contest/v2_Bin_Ary--MIRC_H.fits",
            "contest/v2_Mystery--AMBER--LowH.fits", "vlti-pionier/convert-v2.fits",
        ),
    ),
    "MAIN_HEADER_TYPE_MULTI": (
        "one observer, pipeline or technique can be that of several targets: we ask for MULTI only "
        "where the file shows several arrays, instruments or targets",
        (
            "conformance/v2_bad_dup_target.fits", "vlti-pionier/AlphaCenA.oifits",
            "vlti-pionier/AlphaCenB.oifits",
        ),
    ),
    "GENERIC_KEYWORD_MANDATORY": (
        "these are keywords of image reconstruction (IMAGE-OI), which OIFITS does not know",
        (
            "contest/2004-FKV1137-L1L2-example.image-oi-BSMEM.fits",
            "contest/2004-FKV1137-L1L2-example.image-oi.fits",
            "contest/A-CLUSTER__2T3T__1-PHASEREF__SIMPLE_nsr0.05__20160812_193521_1.image-oi"
            ".oifits",
        ),
    ),
}  # fmt: skip


@needs_shared
def test_what_oitools_finds_is_found() -> None:
    rules = defaultdict(set)
    for rule in checks.RULES.values():
        for other in rule.oitools:
            rules[other].add(rule.id)
    files = on_real_files()
    missing = defaultdict(set)
    for row in in_oitools():
        _, found = files[row["path"]]
        if not {f.rule for f in found} & rules[row["rule"]]:
            missing[row["rule"]].add(row["path"].removeprefix("oifits/"))
    assert missing == {rule: set(paths) for rule, (_, paths) in DIFFERENCES.items()}


@needs_shared
def test_values_at_fault_are_as_many_as_oitools_finds() -> None:
    """Where the rule means the same; files that OITools takes as OIFITS 1 and we do not are out."""
    same = {
        "ARRNAME_REF", "GENERIC_COL_UNIT_EXIST", "GENERIC_DATE_OBS_RANGE",
        "GENERIC_DATE_OBS_STANDARD", "OIFITS_TABLE_NOT_V2", "OI_ARRAY_STA_INDEX_MIN",
        "OI_TARGET_COORD", "OI_TARGET_TARGETID_MIN", "UNKNOWN_COLUMN", "UNKNOWN_TABLE",
    }  # fmt: skip
    joint = {
        "GENERIC_COL_ERR_FIX": {"GENERIC_COL_ERR", "GENERIC_COL_ERR_ZERO"},
        "GENERIC_COL_VAL_ACCEPTED_INT": {"TARGET_ID_REF", "STA_INDEX_REF"},
        "GENERIC_COL_UNIT_EXIST": {"GENERIC_COL_UNIT_EXIST", "GENERIC_COL_UNIT_FLUX"},
        "UNKNOWN_TABLE": {"UNKNOWN_TABLE", "OIFITS_EXTNAME"},
    }
    compared: Counter[str] = Counter()
    for row in in_oitools():
        rule = row["rule"]
        _, found = on_real_files()[row["path"]]
        if (rule in same or rule in joint) and not any(f.rule == "OIFITS_CONTENT" for f in found):
            count = sum(f.count for f in found if f.rule in joint.get(rule, {rule}))
            assert count == int(row["occurrences"]), row
            compared[rule] += 1
    assert compared["GENERIC_COL_ERR_FIX"] > 30
    assert compared["UNKNOWN_COLUMN"] > 60
    assert set(compared) == same | set(joint)


#: The deliberately broken files: rule, table and column of the fault.
BROKEN = {
    "v1_bad_big_t3amp": ("GENERIC_COL_VAL_RANGE", "OI_T3", "T3AMP"),
    "v1_bad_content_kw": ("GENERIC_KEYWORD_VAL_ACCEPTED_INT", "OI_VIS2", "OI_REVN"),
    "v1_bad_missing_element": ("STA_INDEX_REF", "OI_VIS2", "STA_INDEX"),
    "v1_bad_missing_target": ("TARGET_ID_REF", "OI_T3", "TARGET_ID"),
    "v1_bad_wave_reversed": ("OI_WAVELENGTH_ORDER", "OI_WAVELENGTH", "EFF_WAVE"),
    "v1_long_target": ("GENERIC_COL_FORMAT", "OI_TARGET", "TARGET"),
    "v2_bad_big_t3amp": ("GENERIC_COL_VAL_RANGE", "OI_T3", "T3AMP"),
    "v2_bad_dup_target": ("OI_TARGET_TARGET_UNIQ", "OI_TARGET", "TARGET"),
    "v2_bad_missing_array": ("OIFITS_OI_ARRAY_EXIST_V2", "", None),
    "v2_bad_missing_arrname": ("GENERIC_KEYWORD_MANDATORY", "OI_VIS2", "ARRNAME"),
    "v2_bad_missing_content_kw": ("OIFITS_CONTENT", "", "CONTENT"),
    "v2_bad_missing_corr": ("CORRNAME_REF", "OI_VIS2", "CORRNAME"),
    "v2_bad_missing_element": ("STA_INDEX_REF", "OI_VIS2", "STA_INDEX"),
    "v2_bad_missing_target": ("TARGET_ID_REF", "OI_VIS2", "TARGET_ID"),
    "v2_bad_neg_error": ("GENERIC_COL_ERR", "OI_T3", "T3PHIERR"),
    "v2_bad_spectrum": ("OIFITS_EXTNAME", "OI_SPECTRUM", "EXTNAME"),
    "v2_bad_spectrum__122a370": ("OIFITS_EXTNAME", "OI_SPECTRUM", "EXTNAME"),
    "v2_bad_wave_reversed": ("OI_WAVELENGTH_ORDER", "OI_WAVELENGTH", "EFF_WAVE"),
    "V1_with_V2_Tables": ("OIFITS_TABLE_NOT_V2", "OI_CORR", None),
    "VLTI-array": ("OIFITS_OIDATA", "", None),
    "Multi_OIINSPOL_TESTV2": ("OI_INSPOL_INSNAME_UNIQ", "OI_INSPOL", "INSNAME"),
    "spotmove3": ("GENERIC_COL_MANDATORY", "OI_WAVELENGTH", "EFF_WAVE"),
    "2004testsimulation": ("STA_INDEX_REF", "OI_T3", "STA_INDEX"),
}


@needs_shared
def test_broken_files_have_a_finding_that_names_the_fault() -> None:
    found = {Path(path).stem: findings for path, (_, findings) in on_real_files().items()}
    bad = {path.stem for path in (SHARED / "oifits" / "conformance").glob("*_bad_*")}
    assert bad <= set(BROKEN)
    for name, (rule, table, column) in BROKEN.items():
        assert (rule, table, column) in {(f.rule, f.table, f.column) for f in found[name]}, name


@needs_shared
def test_files_without_content_keyword_have_one_finding_for_it() -> None:
    for path, (version, found) in on_real_files().items():
        rules = [f.rule for f in found]
        if "OIFITS_CONTENT" in rules:
            assert version == 2, path
            assert rules.count("OIFITS_CONTENT") == 1
            assert not any(f.table in standard.ONLY_OIFITS2 and f.rule == "OIFITS_TABLE_NOT_V2"
                           for f in found)  # fmt: skip


@needs_shared
def test_findings_on_real_files_are_in_form() -> None:
    sizes = {}
    for path, (version, found) in on_real_files().items():
        assert_in_form(found)
        for finding in found:
            rule = checks.RULES[finding.rule]
            assert version in rule.versions or finding.table in standard.ONLY_OIFITS2
        sizes[path] = sum(len(f.message) for f in found)
    assert max(sizes.values()) < 60_000


@needs_shared
def test_checksums_of_real_files_are_as_astropy_says() -> None:
    wrong = {
        path
        for path, (_, found) in on_real_files().items()
        if any(f.rule == "CHECKSUM" for f in found)
    }
    folders = ("conformance", "chara-mircx-mystic", "coast")
    paths = [p for p, (version, _) in on_real_files().items()
             if version is not None and p.split("/")[1] in folders]  # fmt: skip
    says = set()
    for path in paths:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with fits.open(SHARED / path, checksum=True) as hdus:
                len(hdus)
        if any("verification failed" in str(warning.message) for warning in caught):
            says.add(path)
    assert says == wrong & set(paths)
    assert says


@needs_shared
def test_refused_files_have_a_sentence() -> None:
    folder = SHARED / "oifits" / "not-oifits"
    for report in checks.check_files(sorted(folder.iterdir())):
        assert report.error is not None
        assert report.error.startswith(report.path.name)
        with redirect_stdout(io.StringIO()) as out:
            print(checks.report_text(report), end="")
        assert out.getvalue() == f"cannot be read: {report.error}\n"
