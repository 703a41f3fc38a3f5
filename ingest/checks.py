"""The rules of OIFITS 1 and 2: what in a file breaks them, and where.

``check`` reports and never repairs: the values of a file stay as they are. The rules are listed in
``RULES`` (as a table: ``RULES.md``), what each table must hold in ``standard``. The ids are those
of JMMC's OITools where the rule is the same, so that its users recognise them.

Severities: an *error* breaks the standard in a way that makes software misread or refuse data; a
*warning* breaks it harmlessly or is a sign of wrong values; an *info* is worth knowing.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest import fits, oifits, standard
from ingest.oifits import DataTable, OIFits, OITable, UnreadableFile
from ingest.standard import NWAVE, NWAVE_SQUARED, STANDARD

ERROR = "error"
WARNING = "warning"
INFO = "info"
SEVERITIES = (ERROR, WARNING, INFO)

#: Modified Julian Dates accepted: the years 1933 to 2150.
MJD_RANGE = (27073, 106695)
YEAR_RANGE = (1933, 2150)
#: Julian Dates, as against modified ones, are above this.
JULIAN_DATE = 2400000.5
#: Wavelengths accepted, m: 0.1 to 20 um.
WAVELENGTH_RANGE = (0.1e-6, 20e-6)
#: Distance of an array's centre from that of the Earth, m: from sea level at the poles, less the
#: deepest valley, to the highest mountain at the equator.
EARTH_RADIUS_RANGE = (6.35e6, 6.39e6)
#: Longest plausible integration of one measurement, s: the Earth turns by more than a radian in
#: it.
LONGEST_INTEGRATION = 20000.0
#: Longest plausible baseline, m; the longest ever planned is 640 m (SUSI).
LONGEST_BASELINE = 1000.0
#: Amplitudes of calibrated quantities are at most 1; noise does not make them ten times that.
LARGEST_AMPLITUDE = 10.0
#: Years an equinox may have.
EQUINOX_RANGE = (1850.0, 2100.0)
#: Rows a message names.
ROWS_NAMED = 5

OF_THE_TABLE = "of the table"
HOUSE = "house rule"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    ``section``: of the standard; ``versions``: of OIFITS it applies to; ``oitools``: the rule ids
    of OITools 2025 whose cases it reports.
    """

    id: str
    severity: str
    section: str
    asks: str
    versions: tuple[int, ...] = (1, 2)
    oitools: tuple[str, ...] = ()


def _rules() -> Iterator[Rule]:
    def rule(
        id_: str,
        severity: str,
        section: str,
        asks: str,
        *others: str,
        versions: tuple[int, ...] = (1, 2),
        new: bool = False,
    ) -> Rule:
        return Rule(id_, severity, section, asks, versions, others if new else (id_, *others))

    v2 = (2,)
    # fmt: off
    # The file as a whole.
    yield rule("OIFITS_OI_TARGET_EXIST", ERROR, "P05 §4, D17 §4.2", "there is an OI_TARGET table")
    yield rule("OIFITS_OI_TARGET_UNIQ", ERROR, "P05 §4, D17 §4.2",
               "there is only one OI_TARGET table", new=True)
    yield rule("OIFITS_OI_WAVELENGTH_EXIST", ERROR, "P05 §4, D17 §4.2",
               "there is an OI_WAVELENGTH table", "GENERIC_COL_DIM")
    yield rule("OIFITS_OI_ARRAY_EXIST_V2", ERROR, "D17 §4.2", "there is an OI_ARRAY table",
               versions=v2)
    yield rule("OIFITS_OIDATA", ERROR, "P05 §4, D17 §4.2", "there is a table with data")
    yield rule("OIFITS_TABLE_NOT_V2", ERROR, "D17 §4.2",
               "OI_FLUX, OI_CORR and OI_INSPOL are in OIFITS 2 files only",
               "GENERIC_KEYWORD_VAL_ACCEPTED_STR", versions=(1,))
    yield rule("OIFITS_CONTENT", ERROR, "D17 §4.1",
               "the primary header of a file with tables of OIFITS 2 has CONTENT = 'OIFITS2'",
               "GENERIC_KEYWORD_VAL_ACCEPTED_INT", "GENERIC_KEYWORD_VAL_ACCEPTED_STR",
               "OIFITS_TABLE_NOT_V2", "UNKNOWN_COLUMN", versions=v2, new=True)
    yield rule("OIFITS_EXTNAME", ERROR, "P05 §4, D17 §4.2",
               "names that begin with OI_ are those of the standard's binary tables",
               "UNKNOWN_TABLE", new=True)
    yield rule("UNKNOWN_TABLE", INFO, "P05 §4, D17 §4.2",
               "other HDUs are allowed; they are ignored")
    yield rule("MAIN_HEADER_TYPE_MULTI", INFO, "D17 table 2, note 3",
               "TELESCOP, INSTRUME, INSMODE and OBJECT are 'MULTI' in a file with several",
               versions=v2)
    yield rule("CHECKSUM", WARNING, "FITS 4.0 §4.4.2.7",
               "DATASUM and CHECKSUM, where given, are those of the HDU", new=True)
    # Keywords.
    yield rule("GENERIC_KEYWORD_MANDATORY", ERROR, OF_THE_TABLE, "mandatory keywords are there")
    yield rule("GENERIC_KEYWORD_FORMAT", ERROR, OF_THE_TABLE,
               "a keyword is text, an integer or a number as defined")
    yield rule("GENERIC_KEYWORD_VAL_ACCEPTED_INT", ERROR, OF_THE_TABLE,
               "OI_REVN is the revision that the file's version gives the table")
    yield rule("GENERIC_KEYWORD_VAL_ACCEPTED_STR", ERROR, OF_THE_TABLE,
               "a keyword with listed values has one of them")
    yield rule("GENERIC_DATE_OBS_STANDARD", WARNING, "P05 §6.4, D17 §6.1",
               "DATE-OBS is written YYYY-MM-DD, a time may follow after T")
    yield rule("GENERIC_DATE_OBS_RANGE", WARNING, "P05 §6.4, D17 §6.1",
               f"the year of DATE-OBS is from {YEAR_RANGE[0]} to {YEAR_RANGE[1]}")
    # Columns.
    yield rule("GENERIC_COL_MANDATORY", ERROR, OF_THE_TABLE, "mandatory columns are there")
    yield rule("GENERIC_COL_FORMAT", ERROR, OF_THE_TABLE,
               "TFORM is as defined; texts may be shorter, TARGET and SPECTYP of OIFITS 2 have up "
               "to 32 characters (arXiv:1510.04556v5)")
    yield rule("GENERIC_COL_TDIM", INFO, HOUSE, "TDIM = '(1)' is not needed on a scalar column",
               new=True)
    yield rule("GENERIC_COL_UNIT", INFO, OF_THE_TABLE, "TUNIT is the unit defined")
    yield rule("GENERIC_COL_UNIT_EXIST", INFO, OF_THE_TABLE,
               "a column with a defined unit has TUNIT")
    yield rule("GENERIC_COL_UNIT_FLUX", ERROR, "D17 tables 7, 9",
               "fluxes have a unit: FLUXDATA, RVIS, IVIS, and VISAMP that is a correlated flux",
               "GENERIC_COL_UNIT_EXIST", versions=v2, new=True)
    yield rule("UNKNOWN_COLUMN", WARNING, OF_THE_TABLE,
               "other columns are ignored; the standard does not name them")
    yield rule("GENERIC_COL_VAL_ACCEPTED_STR", ERROR, OF_THE_TABLE,
               "a column with listed values has one of them")
    yield rule("GENERIC_COL_VAL_POSITIVE", INFO, HOUSE,
               "INT_TIME, DIAMETER, FOV, EFF_WAVE and EFF_BAND are positive")
    # References between tables.
    yield rule("ARRNAME_REF", ERROR, "P05 §6.4, D17 §6.1", "ARRNAME names an OI_ARRAY table",
               "GENERIC_KEYWORD_VAL_ACCEPTED_STR")
    yield rule("ARRNAME_UNIQ", ERROR, "D17 §5.2", "each OI_ARRAY has its own ARRNAME")
    yield rule("INSNAME_REF", ERROR, "P05 §6.4, D17 §6.1",
               "INSNAME names an OI_WAVELENGTH table", "GENERIC_KEYWORD_VAL_ACCEPTED_STR",
               "GENERIC_COL_VAL_ACCEPTED_STR", "GENERIC_COL_DIM")
    yield rule("INSNAME_UNIQ", ERROR, "P05 §6.3, D17 §5.3",
               "each OI_WAVELENGTH has its own INSNAME")
    yield rule("CORRNAME_REF", ERROR, "D17 §6.1", "CORRNAME names an OI_CORR table",
               "GENERIC_KEYWORD_VAL_ACCEPTED_STR", versions=v2)
    yield rule("CORRNAME_UNIQ", ERROR, "D17 §7.2", "each OI_CORR has its own CORRNAME",
               versions=v2)
    yield rule("TARGET_ID_REF", ERROR, "P05 §6.4, D17 §6.1", "TARGET_ID is that of a target",
               "GENERIC_COL_VAL_ACCEPTED_INT", new=True)
    yield rule("STA_INDEX_REF", ERROR, "P05 §6.4, D17 §6.1",
               "STA_INDEX is that of a station of the array", "GENERIC_COL_VAL_ACCEPTED_INT",
               new=True)
    # OI_TARGET.
    yield rule("OI_TARGET_TARGET_EXIST", ERROR, "P05 §6.2, D17 §5.1", "OI_TARGET has a row")
    yield rule("OI_TARGET_TARGET", ERROR, "P05 §6.2, D17 §5.1", "targets have names")
    yield rule("OI_TARGET_TARGET_UNIQ", ERROR, "D17 §5.1", "targets have different names")
    yield rule("OI_TARGET_TARGETID_MIN", ERROR, "D17 table 3", "TARGET_ID is at least 1")
    yield rule("OI_TARGET_TARGETID_UNIQ", ERROR, "P05 §6.2, D17 §5.1",
               "each target has its own TARGET_ID")
    yield rule("OI_TARGET_COORD", WARNING, HOUSE, "RAEP0 and DECEP0 are not 0")
    yield rule("OI_TARGET_COORD_EXIST", ERROR, "P05 §6.2, D17 §5.1",
               "RAEP0 and DECEP0 are numbers")
    yield rule("OI_TARGET_COORD_RANGE", ERROR, "P05 §6.2, D17 §5.1",
               "RAEP0 is from 0 to 360, DECEP0 from -90 to 90 degrees", new=True)
    yield rule("OI_TARGET_EQUINOX", WARNING, "P05 §6.2, D17 table 3, note 1",
               f"EQUINOX is a year ({EQUINOX_RANGE[0]:.0f} to {EQUINOX_RANGE[1]:.0f}); 2000.0 is "
               "recommended", new=True)
    # OI_ARRAY.
    yield rule("OI_ARRAY_ARRNAME", ERROR, "D17 §5.2", "ARRNAME is not blank")
    yield rule("OI_ARRAY_STA_NAME", ERROR, "P05 §6.1, D17 §5.2", "stations have names")
    yield rule("OI_ARRAY_STA_NAME_UNIQ", ERROR, HOUSE, "stations have different names")
    yield rule("OI_ARRAY_STA_INDEX_MIN", ERROR, "P05 §6.1, D17 §5.2",
               "STA_INDEX is at least 1")
    yield rule("OI_ARRAY_STA_INDEX_UNIQ", ERROR, "P05 §6.1, D17 §5.2",
               "each station has its own STA_INDEX")
    yield rule("OI_ARRAY_XYZ", WARNING, "P05 §6.1, D17 §5.2",
               "ARRAYX, ARRAYY, ARRAYZ of a geocentric frame are a place on Earth",
               "OI_ARRAY_XYZ_FIX")
    # OI_WAVELENGTH.
    yield rule("OI_WAVELENGTH_INSNAME", ERROR, "D17 §5.3", "INSNAME is not blank")
    yield rule("OI_WAVELENGTH_EFF_WAVE", ERROR, HOUSE,
               "EFF_WAVE, in metres, is from 0.1 to 20 micrometres")
    yield rule("OI_WAVELENGTH_ORDER", WARNING, HOUSE, "EFF_WAVE increases", new=True)
    # Tables with data.
    yield rule("TIME_ZERO", WARNING, "D17 tables 6-8",
               "TIME is 0; the time of an OIFITS 2 measurement is its MJD", versions=v2, new=True)
    yield rule("GENERIC_MJD_RANGE", WARNING, "P05 §6.4, D17 §6.1",
               f"MJD is a date of the years {YEAR_RANGE[0]} to {YEAR_RANGE[1]}")
    yield rule("INT_TIME_RANGE", WARNING, HOUSE,
               f"INT_TIME, in seconds, is at most {LONGEST_INTEGRATION / 3600:.0f} hours", new=True)
    yield rule("GENERIC_STA_INDEX_UNIQ", ERROR, "P05 §6.4, D17 §6.1",
               "the stations of a measurement are different ones")
    yield rule("GENERIC_COL_ERR", ERROR, "P05 §6.4, D17 §6.1",
               "errors of unflagged values are not negative and not infinite",
               "GENERIC_COL_ERR_FIX", new=True)
    yield rule("GENERIC_COL_ERR_ZERO", WARNING, HOUSE, "errors of unflagged values are not 0",
               "GENERIC_COL_ERR_FIX", new=True)
    yield rule("GENERIC_COL_ERR_NAN", WARNING, HOUSE,
               "a value without error (NaN) is flagged", new=True)
    yield rule("GENERIC_COL_VAL_NAN", WARNING, HOUSE,
               "an undefined value (NaN, infinite) that has an error is flagged", new=True)
    yield rule("GENERIC_COL_VAL_RANGE", WARNING, HOUSE,
               f"unflagged |VIS2DATA| and |T3AMP| are at most {LARGEST_AMPLITUDE:.0f}", new=True)
    yield rule("UVCOORD_RANGE", WARNING, HOUSE,
               f"the uv coordinates are numbers, in metres (at most {LONGEST_BASELINE:.0f}), and "
               "not all 0", new=True)
    yield rule("VISREFMAP", WARNING, "D17 §6.3",
               "VISREFMAP is there when amplitudes or phases are differential, and only then",
               versions=v2, new=True)
    yield rule("OI_FLUX_CALSTAT", ERROR, "D17 table 9",
               "uncalibrated fluxes name array and station, calibrated ones do not", versions=v2,
               new=True)
    yield rule("DATA_FLAGGED", INFO, HOUSE, "a table has a value that is not flagged", new=True)
    # OI_CORR and the references to it.
    yield rule("OI_CORR_CORRNAME", ERROR, "D17 §7.2", "CORRNAME is not blank", versions=v2)
    yield rule("OI_CORR_IINDEX_MIN", ERROR, "D17 table 10", "IINDX is at least 1", versions=v2)
    yield rule("OI_CORR_JINDEX_SUP", ERROR, "D17 table 10", "JINDX is greater than IINDX",
               versions=v2)
    yield rule("OI_CORR_IJINDEX_MAX", ERROR, "D17 table 10", "IINDX, JINDX are at most NDATA",
               versions=v2)
    yield rule("OI_CORR_CORR", ERROR, "D17 §7.2", "correlations are from -1 to 1", versions=v2,
               new=True)
    for name in ("OI_VIS", "OI_VIS2", "OI_T3", "OI_FLUX"):
        yield rule(f"{name}_CORRINDX", ERROR, "D17 §7.2",
                   f"an {name} with CORRINDX columns names an OI_CORR", versions=v2)
    yield rule("GENERIC_CORRINDX_MIN", ERROR, "D17 §7.2", "CORRINDX is at least 1", versions=v2)
    yield rule("GENERIC_CORRINDX_MAX", ERROR, "D17 §7.2",
               "CORRINDX of the last channel is at most NDATA", versions=v2)
    yield rule("GENERIC_CORRINDX_UNIQ", ERROR, "D17 §7.2",
               "each value has its own index into the correlation matrix", versions=v2)
    # OI_INSPOL.
    yield rule("OI_INSPOL_INSNAME_UNIQ", ERROR, "D17 §7.3",
               "an INSNAME is in one OI_INSPOL only", versions=v2)
    yield rule("OI_INSPOL_MJD_DIFF", ERROR, "D17 table 11", "MJD_OBS is not after MJD_END",
               versions=v2)
    yield rule("OI_INSPOL_MJD_RANGE", WARNING, "D17 table 11", "MJD_OBS, MJD_END are not negative",
               versions=v2)
    # fmt: on


#: All rules by id.
RULES: dict[str, Rule] = {rule.id: rule for rule in _rules()}


@dataclass(slots=True)
class Finding:
    """A rule broken in one place: one finding for a rule, a table and a column or keyword."""

    rule: str
    severity: str
    #: Of the standard.
    section: str
    #: HDU number (0: primary) and EXTNAME; None and blank for the file.
    hdu: int | None
    table: str
    #: First row concerned, from 1; None when it is not about rows.
    row: int | None
    #: Column or keyword.
    column: str | None
    #: Number of values at fault.
    count: int
    message: str


class _Findings:
    """Collects findings; sentences are made only for what is found."""

    def __init__(self, version: int) -> None:
        self.all: list[Finding] = []
        self.version = version

    def add(
        self,
        rule_id: str,
        problem: str,
        place: OITable | fits.HDU | None = None,
        member: str | None = None,
        *,
        row: int | None = None,
        count: int = 1,
    ) -> None:
        """Add a finding; ``member`` is the column (when ``row`` is given) or keyword."""
        rule = RULES[rule_id]
        hdu: int | None = None
        table = where = ""
        section = rule.section
        if isinstance(place, OITable):
            hdu, table, where = place.hdu, place.extname, place.place
            if section == OF_THE_TABLE:
                section = STANDARD[self.version][table].section
        elif place is not None:
            hdu, table, where = place.number, place.name, place.place
            if section == OF_THE_TABLE:
                section = standard.PRIMARY_SECTION
        where = ", ".join(
            part for part in (where, f"row {row}" if row is not None else "", member) if part
        )
        self.all.append(
            Finding(
                rule_id,
                rule.severity,
                section,
                hdu,
                table,
                row,
                member,
                count,
                f"{where}: {problem}" if where else problem,
            )
        )

    def values(
        self,
        rule_id: str,
        table: OITable,
        column: str,
        bad: NDArray[np.bool_],
        values: Sequence[object] | NDArray[np.generic],
        expected: str,
    ) -> None:
        """Add a finding for the values marked ``bad``, shape (rows,) or (rows, n), if any is."""
        places = bad.nonzero()
        count = len(places[0])
        if not count:
            return
        rows = list(dict.fromkeys(places[0].tolist()))
        value = values[rows[0]]
        if isinstance(value, np.ndarray):
            value = value[places[1][0]] if bad.ndim == 2 else tuple(value.tolist())
        problem = f"found {_show(value)}, expected {expected}"
        if count > 1:
            named = ", ".join(str(row + 1) for row in rows[:ROWS_NAMED])
            more = ", …" if len(rows) > ROWS_NAMED else ""
            problem += f" ({count} values, row{'s' if len(rows) > 1 else ''} {named}{more})"
        self.add(rule_id, problem, table, column, row=rows[0] + 1, count=count)


def _show(value: object) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{value:.10g}"
    return f"'{value}'" if isinstance(value, str) else str(value)


@dataclass
class _File:
    """A file with what its tables refer to."""

    oifits: OIFits
    #: Channels by INSNAME.
    channels: dict[str, int] = field(default_factory=dict)
    #: TARGET_IDs; None when there is no OI_TARGET.
    targets: set[int] | None = None
    #: STA_INDEXes by ARRNAME.
    stations: dict[str, set[int]] = field(default_factory=dict)
    #: NDATA by CORRNAME.
    correlations: dict[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for wavelengths in self.oifits.wavelengths:
            self.channels.setdefault(wavelengths.insname or "", wavelengths.rows)
        for targets in self.oifits.targets:
            ids = _integers(targets, "TARGET_ID")
            self.targets = (self.targets or set()) | _set(ids)
        for array in self.oifits.arrays:
            index = _integers(array, "STA_INDEX")
            self.stations.setdefault(array.arrname or "", _set(index))
        for correlation in self.oifits.correlations:
            ndata = correlation.header.integer("NDATA")
            self.correlations.setdefault(correlation.corrname or "", ndata)

    def nwave(self, table: OITable) -> int | None:
        """Channels of a data table, or of an OI_INSPOL; None when unknown."""
        if table.extname != "OI_INSPOL":
            return self.channels.get(table.insname or "")
        names = _texts(table, "INSNAME") or []
        counts = {self.channels.get(name) for name in names}
        return counts.pop() if len(counts) == 1 else None


def _set(values: NDArray[np.generic] | None) -> set[int]:
    return set() if values is None else set(values.ravel().tolist())


def _numbers(table: OITable, column: str) -> NDArray[Any] | None:
    """A numeric column, shape (rows, repeat); None when missing, empty or of another type."""
    definition = table.table.columns.get(column)
    if definition is None or definition.kind not in "BIJKED" or not definition.repeat:
        return None
    return table.table.array(column) if table.rows else None


def _scalars(table: OITable, column: str) -> NDArray[Any] | None:
    """The first value of each row of a numeric column, shape (rows,)."""
    array = _numbers(table, column)
    return None if array is None else array[:, 0]


def _integers(table: OITable, column: str) -> NDArray[Any] | None:
    """A column of integers, shape (rows, repeat)."""
    array = _numbers(table, column)
    return array if array is not None and array.dtype.kind in "iu" else None


def _texts(table: OITable, column: str) -> list[str] | None:
    definition = table.table.columns.get(column)
    return table.texts(column) if definition is not None and definition.kind == "A" else None


def _outside(values: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.bool_]:
    """Which values are not in a closed interval; NaN is in none."""
    outside: NDArray[np.bool_] = ~((values >= limits[0]) & (values <= limits[1]))
    return outside


def check(file: OIFits) -> list[Finding]:
    """What breaks the rules of the file's version, in the order of its HDUs.

    Never raises for what is in a file that ``oifits.read`` could read.
    """
    found = _Findings(file.version)
    context = _File(file)
    with np.errstate(all="ignore"):
        _check_file(file, found)
        if file.version == 2:
            _check_primary(file, found)
        _check_names(file, found)
        for hdu in file.hdus:
            _check_sums(hdu, found)
        for table in file.tables():
            _check_keywords(table, STANDARD[file.version][table.extname], found)
            _check_columns(table, STANDARD[file.version][table.extname], context, found)
        for targets in file.targets:
            _check_target(targets, found)
        for array in file.arrays:
            _check_array(array, found)
        for wavelengths in file.wavelengths:
            _check_wavelength(wavelengths, found)
        for data in file.data:
            _check_data(data, context, found)
        for correlation in file.correlations:
            _check_correlation(correlation, found)
        _check_correlation_indices(context, found)
        for polarisation in file.polarisations:
            _check_polarisation(polarisation, context, found)
    found.all.sort(key=lambda finding: -1 if finding.hdu is None else finding.hdu)
    return found.all


# --- The file as a whole -----------------------------------------------------------------------


def _check_file(file: OIFits, found: _Findings) -> None:
    if not file.targets:
        found.add("OIFITS_OI_TARGET_EXIST", "no OI_TARGET table; there must be one")
    for extra in file.targets[1:]:
        found.add("OIFITS_OI_TARGET_UNIQ", "a second OI_TARGET; there must be only one", extra)
    if not file.wavelengths:
        found.add("OIFITS_OI_WAVELENGTH_EXIST", "no OI_WAVELENGTH table; at least one is needed")
    if not file.arrays and file.version == 2:
        found.add("OIFITS_OI_ARRAY_EXIST_V2", "no OI_ARRAY table; OIFITS 2 needs at least one")
    if not file.data:
        found.add("OIFITS_OIDATA", "no table with data (OI_VIS, OI_VIS2, OI_T3 or OI_FLUX)")
    known = set()
    for table in file.tables():
        known.add(table.hdu)
        if file.version == 1 and table.extname in standard.ONLY_OIFITS2:
            found.add("OIFITS_TABLE_NOT_V2", "a table of OIFITS 2 in a file of OIFITS 1", table)
    for hdu in file.hdus[1:]:
        if hdu.number in known:
            continue
        if hdu.name.upper().startswith("OI_"):
            found.add("OIFITS_EXTNAME", "not a table of the standard, ignored", hdu, "EXTNAME")
        else:
            found.add("UNKNOWN_TABLE", "not part of the standard, ignored", hdu)


def _check_primary(file: OIFits, found: _Findings) -> None:
    """The primary header of an OIFITS 2 file."""
    primary = file.hdus[0]
    header = primary.header
    content = header.text("CONTENT")
    if content != "OIFITS2":
        problem = "missing" if content is None else f"found '{content}'"
        problem += ", expected 'OIFITS2': there are tables of OIFITS 2, the file is taken as such"
        found.add("OIFITS_CONTENT", problem, primary, "CONTENT")
    for keyword in standard.PRIMARY:
        if header.text(keyword.name) is None:
            problem = "blank" if header.get(keyword.name) == "" else "missing"
            problem += ", but mandatory"
            found.add("GENERIC_KEYWORD_MANDATORY", problem, primary, keyword.name)
    _check_date(primary, found)
    for name in ("MJD-OBS", "MJD-END"):
        mjd = header.number(name)
        if mjd is not None and not MJD_RANGE[0] <= mjd <= MJD_RANGE[1]:
            problem = f"found {_show(mjd)}, expected {_mjd_expected(mjd)}"
            found.add("GENERIC_MJD_RANGE", problem, primary, name)
    instrument = header.text("INSTRUME") or ""
    modes = {table.insname or "" for table in file.wavelengths}
    # INSNAMEs that begin with INSTRUME are parts of one instrument, as GRAVITY_SC and GRAVITY_FT.
    instruments = len(modes) > 1 and not (
        instrument and all(mode.startswith(instrument) for mode in modes)
    )
    several = {
        "TELESCOP": len({table.arrname for table in file.arrays}) > 1,
        "INSTRUME": instruments,
        "INSMODE": instruments,
        "OBJECT": sum(table.rows for table in file.targets) > 1,
    }
    for name, multiple in several.items():
        value = header.text(name)
        if multiple and value is not None and not value.startswith("MULTI"):
            problem = f"found '{value}', expected 'MULTI', as the file holds several"
            found.add("MAIN_HEADER_TYPE_MULTI", problem, primary, name)


def _check_names(file: OIFits, found: _Findings) -> None:
    """INSNAME, ARRNAME, CORRNAME: not blank, each one used once."""
    named: tuple[tuple[Sequence[OITable], str, str], ...] = (
        (file.wavelengths, "INSNAME", "OI_WAVELENGTH_INSNAME"),
        (file.arrays, "ARRNAME", "OI_ARRAY_ARRNAME"),
        (file.correlations, "CORRNAME", "OI_CORR_CORRNAME"),
    )
    for tables, keyword, blank in named:
        first: dict[str, OITable] = {}
        for table in tables:
            name = table.header.text(keyword)
            if name is None:
                if keyword in table.header:
                    found.add(blank, "blank, but needed as the table's name", table, keyword)
            elif name in first:
                problem = f"'{name}' is also the name of {first[name].place}"
                found.add(f"{keyword}_UNIQ", problem, table, keyword)
            else:
                first[name] = table
    seen: dict[str, OITable] = {}
    for polarisation in file.polarisations:
        names = sorted(set(_texts(polarisation, "INSNAME") or ()))
        again = [name for name in names if name in seen]
        if again:
            problem = f"'{again[0]}' is also in {seen[again[0]].place}"
            found.add("OI_INSPOL_INSNAME_UNIQ", problem, polarisation, "INSNAME", count=len(again))
        for name in names:
            seen.setdefault(name, polarisation)


def _sum(data: NDArray[np.uint32], start: int = 0) -> int:
    """The 32 bit one's complement sum of big-endian words, added to ``start``."""
    total = start + int(data.sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _check_sums(hdu: fits.HDU, found: _Findings) -> None:
    """DATASUM and CHECKSUM (FITS standard 4.0, section 4.4.2.7 and appendix J)."""
    header = hdu.header
    datasum, checksum = header.text("DATASUM"), header.text("CHECKSUM")
    if datasum is None and checksum is None:
        return
    blocks = (hdu.length + fits.BLOCK - 1) // fits.BLOCK * fits.BLOCK
    words = min(blocks, len(hdu.buffer) - hdu.start) // 4
    value = _sum(np.frombuffer(hdu.buffer, ">u4", words, hdu.start)) if words else 0
    if datasum is not None and datasum != str(value):
        problem = f"the data's sum is {value}, the keyword says '{datasum}': the data were changed"
        found.add("CHECKSUM", problem, hdu, "DATASUM")
    # CHECKSUM is chosen so that the sum over the HDU is minus zero.
    elif checksum is not None and _sum(np.frombuffer(header.raw, ">u4"), value) != 0xFFFFFFFF:
        problem = "not that of the HDU: header or data were changed"
        found.add("CHECKSUM", problem, hdu, "CHECKSUM")


# --- Keywords and columns of any table ---------------------------------------------------------

_KINDS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "A": ("text", str),
    "I": ("an integer", int),
    "D": ("a number", (int, float)),
}


def _check_keywords(table: OITable, definition: standard.Table, found: _Findings) -> None:
    header = table.header
    for keyword in definition.keywords:
        value = header.get(keyword.name)
        if value is None:
            if not keyword.mandatory:
                continue
            rule, problem = "GENERIC_KEYWORD_MANDATORY", "missing, but mandatory"
        elif not isinstance(value, (types := _KINDS[keyword.kind])[1]) or isinstance(value, bool):
            rule, problem = "GENERIC_KEYWORD_FORMAT", f"found {_show(value)}, expected {types[0]}"
        elif keyword.name == "OI_REVN" and value != definition.revision:
            rule = "GENERIC_KEYWORD_VAL_ACCEPTED_INT"
            problem = f"found {value}, expected {definition.revision}"
        elif keyword.accepted and value not in keyword.accepted:
            rule = "GENERIC_KEYWORD_VAL_ACCEPTED_STR"
            problem = f"found '{value}', expected {_either(keyword.accepted)}"
        else:
            continue
        found.add(rule, problem, table, keyword.name)
    if isinstance(table, DataTable):
        _check_date(table, found)


def _either(values: Iterable[str]) -> str:
    return " or ".join(f"'{value}'" for value in values if value)


_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(T.*)?")


def _check_date(place: OITable | fits.HDU, found: _Findings) -> None:
    value = place.header.get("DATE-OBS")
    if not isinstance(value, str):
        return
    match = _DATE.fullmatch(value)
    try:
        year = date.fromisoformat(match[1]).year if match else None
    except ValueError:
        year = None
    if year is None:
        problem = f"found '{value}', expected YYYY-MM-DD"
        found.add("GENERIC_DATE_OBS_STANDARD", problem, place, "DATE-OBS")
    elif not YEAR_RANGE[0] <= year <= YEAR_RANGE[1]:
        problem = f"found '{value}', expected a year from {YEAR_RANGE[0]} to {YEAR_RANGE[1]}"
        found.add("GENERIC_DATE_OBS_RANGE", problem, place, "DATE-OBS")


def _check_columns(
    table: OITable, definition: standard.Table, file: _File, found: _Findings
) -> None:
    columns = table.table.columns
    nwave = file.nwave(table)
    for name, wanted in definition.columns.items():
        column = columns.get(name)
        if column is None:
            if wanted.mandatory:
                problem = "missing, but mandatory"
                if wanted.formerly in columns:
                    problem += f"; {wanted.formerly} was its name in drafts of the standard"
                found.add("GENERIC_COL_MANDATORY", problem, table, name)
            continue
        repeat: int | None = wanted.repeat
        if repeat == NWAVE:
            repeat = nwave
        elif repeat == NWAVE_SQUARED:
            repeat = None if nwave is None else nwave * nwave
        if column.kind != wanted.kind or (
            column.repeat != repeat
            and repeat is not None
            and (column.kind != "A" or column.repeat > repeat)
        ):
            problem = f"the format is {column.form}, expected {_form(wanted, repeat)}"
            found.add("GENERIC_COL_FORMAT", problem, table, name)
        if column.dim == "(1)" and column.repeat == 1:
            found.add("GENERIC_COL_TDIM", "TDIM = '(1)' is not needed on a scalar", table, name)
        unit = wanted.unit
        if unit and column.unit not in standard.UNITS.get(unit, ()):
            _check_unit(table, wanted, column.unit, found)
        if wanted.accepted:
            texts = _texts(table, name) or ()
            bad = np.array([text not in wanted.accepted for text in texts], bool)
            expected = _either(wanted.accepted)
            found.values("GENERIC_COL_VAL_ACCEPTED_STR", table, name, bad, texts, expected)
        elif wanted.positive and (array := _scalars(table, name)) is not None:
            expected = "a positive number"
            found.values("GENERIC_COL_VAL_POSITIVE", table, name, array <= 0, array, expected)
    if not columns.keys() <= definition.names:
        for name, column in columns.items():
            if name not in definition.names:
                problem = f"not a column of the standard (format {column.form}), ignored"
                found.add("UNKNOWN_COLUMN", problem, table, name)


def _form(wanted: standard.Column, repeat: int | None) -> str:
    """The TFORM a column should have."""
    each = {NWAVE: " (one value a channel)", NWAVE_SQUARED: " (channels x channels)"}
    return f"{'' if repeat is None else repeat}{wanted.kind}{each.get(wanted.repeat, '')}"


def _check_unit(
    table: OITable, wanted: standard.Column, unit: str | None, found: _Findings
) -> None:
    if wanted.unit == standard.FLUX:
        if unit is None:
            found.add("GENERIC_COL_UNIT_FLUX", _NO_FLUX_UNIT, table, wanted.name)
    elif unit is None:
        problem = f"no unit (TUNIT), expected {wanted.unit}"
        found.add("GENERIC_COL_UNIT_EXIST", problem, table, wanted.name)
    elif unit.lower().replace(" ", "") not in standard.UNITS[wanted.unit]:
        problem = f"the unit is '{unit}', expected {wanted.unit}"
        found.add("GENERIC_COL_UNIT", problem, table, wanted.name)


_NO_FLUX_UNIT = "no unit (TUNIT), a flux needs one"


# --- OI_TARGET, OI_ARRAY, OI_WAVELENGTH --------------------------------------------------------


def _check_named(rule: str, table: OITable, column: str, what: str, found: _Findings) -> None:
    """The texts of a column are not blank (``rule``) and differ (``rule`` + _UNIQ)."""
    names = _texts(table, column)
    if names is None:
        return
    if "" in names:
        found.values(rule, table, column, np.array([not name for name in names]), names, "a name")
    _check_unique(f"{rule}_UNIQ", table, column, names, what, found)


def _check_index(rule: str, table: OITable, column: str, what: str, found: _Findings) -> None:
    """The numbers of a column are positive (``rule`` + _MIN) and differ (``rule`` + _UNIQ)."""
    index = _integers(table, column)
    if index is None:
        return
    ids = index[:, 0]
    found.values(f"{rule}_MIN", table, column, ids < 1, ids, "1 or more")
    _check_unique(f"{rule}_UNIQ", table, column, ids.tolist(), what, found)


def _check_unique(
    rule: str, table: OITable, column: str, values: Sequence[object], what: str, found: _Findings
) -> None:
    if len(set(values)) < len(values):
        counts = Counter(values)
        found.values(
            rule,
            table,
            column,
            np.array([counts[value] > 1 and value != "" for value in values]),
            values,
            f"another one for each {what}",
        )


def _check_target(table: OITable, found: _Findings) -> None:
    if not table.rows:
        found.add("OI_TARGET_TARGET_EXIST", "no row: no target is defined", table)
        return
    _check_named("OI_TARGET_TARGET", table, "TARGET", "target", found)
    _check_index("OI_TARGET_TARGETID", table, "TARGET_ID", "target", found)
    for name, low, high in (("RAEP0", 0.0, 360.0), ("DECEP0", -90.0, 90.0)):
        angle = _scalars(table, name)
        if angle is None:
            continue
        found.values(
            "OI_TARGET_COORD",
            table,
            name,
            angle == 0,
            angle,
            "degrees; 0 means unknown in many files",
        )
        found.values("OI_TARGET_COORD_EXIST", table, name, ~np.isfinite(angle), angle, "degrees")
        found.values(
            "OI_TARGET_COORD_RANGE",
            table,
            name,
            (angle < low) | (angle > high),
            angle,
            "degrees from 0 to 360" if name == "RAEP0" else "degrees from -90 to 90",
        )
    equinox = _scalars(table, "EQUINOX")
    if equinox is not None:
        bad = _outside(equinox, EQUINOX_RANGE)
        found.values("OI_TARGET_EQUINOX", table, "EQUINOX", bad, equinox, "a year, as 2000.0")


def _check_array(table: oifits.ArrayTable, found: _Findings) -> None:
    _check_named("OI_ARRAY_STA_NAME", table, "STA_NAME", "station", found)
    _check_index("OI_ARRAY_STA_INDEX", table, "STA_INDEX", "station", found)
    centre = table.centre
    if centre is not None and (table.frame or "").upper() == "GEOCENTRIC":
        radius = math.hypot(*centre)
        if not EARTH_RADIUS_RANGE[0] <= radius <= EARTH_RADIUS_RANGE[1]:
            found.add(
                "OI_ARRAY_XYZ",
                f"ARRAYX, ARRAYY, ARRAYZ are {radius:.10g} m from the centre "
                "of the Earth, expected about 6.37e6 m",
                table,
                "ARRAYX",
            )


def _check_wavelength(table: OITable, found: _Findings) -> None:
    wavelength = _scalars(table, "EFF_WAVE")
    if wavelength is None:
        return
    found.values(
        "OI_WAVELENGTH_EFF_WAVE",
        table,
        "EFF_WAVE",
        _outside(wavelength, WAVELENGTH_RANGE),
        wavelength,
        "metres from 0.1e-6 to 20e-6",
    )
    falls = np.flatnonzero(wavelength[1:] <= wavelength[:-1])
    if len(falls):
        steps = len(wavelength) - 1
        row = int(falls[0]) + 1
        how = "decreases throughout" if len(falls) == steps else "does not increase"
        found.add(
            "OI_WAVELENGTH_ORDER",
            f"{how}: {_show(wavelength[row])} follows "
            f"{_show(wavelength[row - 1])} ({len(falls)} of {steps} steps)",
            table,
            "EFF_WAVE",
            row=row + 1,
            count=len(falls),
        )


# --- Tables with data --------------------------------------------------------------------------


def _check_data(table: DataTable, file: _File, found: _Findings) -> None:
    version = file.oifits.version
    _check_references(table, file, found)
    _check_times(table, version, found)
    _check_uv(table, found)
    _check_values(table, found)
    if version == 2 and table.extname == "OI_VIS":
        _check_differential(table, found)
    if table.extname == "OI_FLUX":
        _check_flux(table, found)


def _check_references(table: OITable, file: _File, found: _Findings) -> None:
    """INSNAME, ARRNAME, CORRNAME, TARGET_ID and STA_INDEX have partners."""
    for keyword, known, rule, partner in (
        ("INSNAME", file.channels, "INSNAME_REF", "OI_WAVELENGTH"),
        ("ARRNAME", file.stations, "ARRNAME_REF", "OI_ARRAY"),
        ("CORRNAME", file.correlations, "CORRNAME_REF", "OI_CORR"),
    ):
        name = table.header.text(keyword)
        if name is not None and name not in known:
            names = ", ".join(repr(other) for other in list(known)[:ROWS_NAMED])
            found.add(
                rule, f"no {partner} is named '{name}' ({names or 'there is none'})", table, keyword
            )
    targets = _integers(table, "TARGET_ID")
    if targets is not None and file.targets is not None and not _set(targets) <= file.targets:
        found.values(
            "TARGET_ID_REF",
            table,
            "TARGET_ID",
            ~np.isin(targets[:, 0], sorted(file.targets)),
            targets[:, 0],
            f"a TARGET_ID of OI_TARGET ({_few(file.targets)})",
        )
    stations = _integers(table, "STA_INDEX")
    if stations is None:
        return
    known_stations = file.stations.get(table.arrname or "")
    if known_stations is not None and not _set(stations) <= known_stations:
        found.values(
            "STA_INDEX_REF",
            table,
            "STA_INDEX",
            ~np.isin(stations, sorted(known_stations)),
            stations,
            f"a STA_INDEX of OI_ARRAY '{table.arrname}' ({_few(known_stations)})",
        )
    if stations.shape[1] > 1:
        # Two of two or three stations: neighbours, or the first and the last.
        twice = (stations[:, 1:] == stations[:, :-1]).any(axis=1) | (
            stations[:, 0] == stations[:, -1]
        )
        found.values(
            "GENERIC_STA_INDEX_UNIQ", table, "STA_INDEX", twice, stations, "different stations"
        )


def _few(values: set[int]) -> str:
    ordered = sorted(values)
    more = ", …" if len(ordered) > ROWS_NAMED else ""
    return ", ".join(map(str, ordered[:ROWS_NAMED])) + more if ordered else "there is none"


def _mjd_expected(mjd: float) -> str:
    hint = "; it looks like a Julian Date" if mjd > JULIAN_DATE else ""
    return f"from {MJD_RANGE[0]} ({YEAR_RANGE[0]}) to {MJD_RANGE[1]} ({YEAR_RANGE[1]}){hint}"


_INT_TIME_EXPECTED = f"seconds, at most {LONGEST_INTEGRATION:.0f}; in milliseconds?"
_UV_EXPECTED = f"a baseline in metres, longer than 0, at most {LONGEST_BASELINE:.0f}"
_AMPLITUDE_EXPECTED = f"at most {LARGEST_AMPLITUDE:.0f} where not flagged"


def _check_times(table: OITable, version: int, found: _Findings) -> None:
    mjd = _scalars(table, "MJD")
    if mjd is not None:
        bad = _outside(mjd, MJD_RANGE)
        if bad.any():
            expected = _mjd_expected(float(mjd[bad][0]))
            found.values("GENERIC_MJD_RANGE", table, "MJD", bad, mjd, expected)
    time = _scalars(table, "TIME") if version == 2 else None
    if time is not None:
        found.values("TIME_ZERO", table, "TIME", time != 0, time, "0 in OIFITS 2")
    int_time = _scalars(table, "INT_TIME")
    if int_time is not None:
        found.values(
            "INT_TIME_RANGE",
            table,
            "INT_TIME",
            int_time > LONGEST_INTEGRATION,
            int_time,
            _INT_TIME_EXPECTED,
        )


_UV = {
    "OI_VIS": (("UCOORD", "VCOORD"),),
    "OI_VIS2": (("UCOORD", "VCOORD"),),
    "OI_T3": (("U1COORD", "V1COORD"), ("U2COORD", "V2COORD")),
}


def _check_uv(table: DataTable, found: _Findings) -> None:
    for u_name, v_name in _UV.get(table.extname, ()):
        u, v = _scalars(table, u_name), _scalars(table, v_name)
        if u is None or v is None:
            continue
        length = np.hypot(u, v)
        bad = ~((length > 0) & (length <= LONGEST_BASELINE))
        found.values(
            "UVCOORD_RANGE",
            table,
            u_name,
            bad,
            length,
            _UV_EXPECTED,
        )


def _check_values(table: DataTable, found: _Findings) -> None:
    """Values and errors that are not flagged."""
    flag = table.flag if "FLAG" in table and table.table.columns["FLAG"].kind == "L" else None
    if flag is not None and flag.size and flag.all():
        found.add("DATA_FLAGGED", "all values are flagged", table, "FLAG", count=flag.size)
        return
    for value_name, error_name in standard.MEASURED[table.extname]:
        values, errors = _numbers(table, value_name), _numbers(table, error_name)
        if values is not None and value_name in ("VIS2DATA", "T3AMP"):
            large = np.abs(values) > LARGEST_AMPLITUDE
            found.values(
                "GENERIC_COL_VAL_RANGE",
                table,
                value_name,
                _unflagged(large, flag),
                values,
                _AMPLITUDE_EXPECTED,
            )
        if errors is None:
            continue
        if values is None or values.shape != errors.shape:
            values = errors
        good = (errors > 0) & (errors < np.inf)
        defined = np.isfinite(values)
        if (good & defined).all():
            continue
        wrong = _unflagged(~good, flag)
        unknown = np.isnan(errors)
        zero = errors == 0
        found.values(
            "GENERIC_COL_ERR",
            table,
            error_name,
            wrong & ~unknown & ~zero,
            errors,
            "a positive number or NaN",
        )
        found.values(
            "GENERIC_COL_ERR_ZERO",
            table,
            error_name,
            wrong & zero,
            errors,
            "a positive number or NaN",
        )
        found.values(
            "GENERIC_COL_ERR_NAN",
            table,
            error_name,
            wrong & unknown & defined,
            errors,
            "a positive number, or the value flagged",
        )
        found.values(
            "GENERIC_COL_VAL_NAN",
            table,
            value_name,
            _unflagged(~defined & good, flag),
            values,
            "a number, or the value flagged",
        )


def _unflagged(mask: NDArray[np.bool_], flag: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return mask & ~flag if flag is not None and flag.shape == mask.shape else mask


def _check_differential(table: OITable, found: _Findings) -> None:
    """AMPTYP, PHITYP, VISREFMAP and the unit of VISAMP (D17 section 6.3)."""
    types = {name: table.header.text(name) for name in ("AMPTYP", "PHITYP")}
    named = ", ".join(f"{name} = '{value}'" for name, value in types.items() if value)
    differential = "differential" in types.values()
    if differential != ("VISREFMAP" in table):
        problem = "missing" if differential else "present"
        problem += f", but {named or 'there is no AMPTYP and no PHITYP'}"
        found.add("VISREFMAP", problem, table, "VISREFMAP")
    if types["AMPTYP"] == "correlated flux":
        for name in ("VISAMP", "VISAMPERR"):
            if name in table and table.table.columns[name].unit is None:
                found.add("GENERIC_COL_UNIT_FLUX", _NO_FLUX_UNIT, table, name)


def _check_flux(table: OITable, found: _Findings) -> None:
    """CALSTAT decides whether a flux belongs to a station (D17 table 9)."""
    uncalibrated = {"U": True, "C": False}.get(table.header.text("CALSTAT") or "")
    if uncalibrated is None:
        return
    problem = (
        "missing, but the fluxes are uncalibrated (CALSTAT = 'U')"
        if uncalibrated
        else "present, but the fluxes are calibrated (CALSTAT = 'C')"
    )
    for name, present in (
        ("ARRNAME", table.arrname is not None),
        ("STA_INDEX", "STA_INDEX" in table),
    ):
        if present != uncalibrated:
            found.add("OI_FLUX_CALSTAT", problem, table, name)


# --- OI_CORR and OI_INSPOL ---------------------------------------------------------------------


def _check_correlation(table: OITable, found: _Findings) -> None:
    ndata = table.header.integer("NDATA")
    first, second = _scalars(table, "IINDX"), _scalars(table, "JINDX")
    if first is not None:
        found.values("OI_CORR_IINDEX_MIN", table, "IINDX", first < 1, first, "1 or more")
    if first is not None and second is not None:
        found.values(
            "OI_CORR_JINDEX_SUP", table, "JINDX", second <= first, second, "more than IINDX"
        )
    for name, index in (("IINDX", first), ("JINDX", second)):
        if ndata is not None and index is not None:
            found.values(
                "OI_CORR_IJINDEX_MAX", table, name, index > ndata, index, f"at most NDATA, {ndata}"
            )
    correlation = _scalars(table, "CORR")
    if correlation is not None:
        found.values(
            "OI_CORR_CORR", table, "CORR", ~(np.abs(correlation) <= 1), correlation, "from -1 to 1"
        )


def _check_correlation_indices(file: _File, found: _Findings) -> None:
    """CORRINDX columns: the index of a row's first channel, the others follow."""
    used: defaultdict[str, list[tuple[OITable, str, NDArray[Any], int]]] = defaultdict(list)
    for table in file.oifits.data:
        names = [name for name in table.table.columns if name.startswith("CORRINDX_")]
        if not names:
            continue
        corrname = table.corrname
        if corrname not in file.correlations:
            if file.oifits.version == 2:
                for name in names:
                    found.add(
                        f"{table.extname}_CORRINDX",
                        "there is no OI_CORR it could point to",
                        table,
                        name,
                    )
            continue
        nwave = file.nwave(table) or 1
        ndata = file.correlations[corrname]
        for name in names:
            index = _scalars(table, name)
            if index is None:
                continue
            found.values("GENERIC_CORRINDX_MIN", table, name, index < 1, index, "1 or more")
            if ndata is not None:
                found.values(
                    "GENERIC_CORRINDX_MAX",
                    table,
                    name,
                    index > ndata - nwave + 1,
                    index,
                    f"at most {ndata - nwave + 1}: NDATA = {ndata}, {nwave} channels",
                )
            used[corrname].append((table, name, index, nwave))
    for columns in used.values():
        starts = np.concatenate([index.astype(np.int64) for _, _, index, _ in columns])
        lengths = np.concatenate([np.full(len(index), n) for _, _, index, n in columns])
        order = np.argsort(starts, kind="stable")
        ends = np.maximum.accumulate(starts[order] + lengths[order])
        overlap = np.zeros(len(starts), bool)
        overlap[order[1:]] = starts[order][1:] < ends[:-1]
        offset = 0
        for user, name, index, _ in columns:
            found.values(
                "GENERIC_CORRINDX_UNIQ",
                user,
                name,
                overlap[offset : offset + len(index)],
                index,
                "indices that no other value has",
            )
            offset += len(index)


def _check_polarisation(table: OITable, file: _File, found: _Findings) -> None:
    _check_references(table, file, found)
    names = _texts(table, "INSNAME")
    if names is not None:
        found.values(
            "INSNAME_REF",
            table,
            "INSNAME",
            np.array([name not in file.channels for name in names]),
            names,
            "the INSNAME of an OI_WAVELENGTH",
        )
    start, end = _scalars(table, "MJD_OBS"), _scalars(table, "MJD_END")
    for name, mjd in (("MJD_OBS", start), ("MJD_END", end)):
        if mjd is not None:
            found.values("OI_INSPOL_MJD_RANGE", table, name, mjd < 0, mjd, "0 or more")
    if start is not None and end is not None:
        found.values(
            "OI_INSPOL_MJD_DIFF", table, "MJD_OBS", start > end, start, "not after MJD_END"
        )


# --- Reports -----------------------------------------------------------------------------------


@dataclass(slots=True)
class FileReport:
    """What the check of one file says; ``error`` is the sentence for a file that cannot be read."""

    path: Path
    version: int | None = None
    error: str | None = None
    findings: list[Finding] = field(default_factory=list)


def check_files(paths: Iterable[Path]) -> Iterator[FileReport]:
    """Read and check files one after the other."""
    for path in paths:
        try:
            file = oifits.read(path)
            yield FileReport(path, file.version, None, check(file))
        except UnreadableFile as error:
            yield FileReport(path, error=str(error))


def summary(findings: Iterable[Finding]) -> dict[str, int]:
    """Number of findings by severity: ``error``, ``warning``, ``info``."""
    counts = Counter(finding.severity for finding in findings)
    return {severity: counts[severity] for severity in SEVERITIES}


def as_text(findings: Iterable[Finding]) -> str:
    """The findings as lines, errors first."""
    ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    return "\n".join(
        f"{finding.severity:7}  {finding.message}  [{finding.rule}; {finding.section}]"
        for finding in ordered
    )


def as_dict(report: FileReport) -> dict[str, Any]:
    """A report for JSON."""
    return {
        "file": str(report.path),
        "version": report.version,
        "error": report.error,
        "counts": summary(report.findings),
        "findings": [asdict(finding) for finding in report.findings],
    }


def headline(report: FileReport) -> str:
    """One line: file, version, counts; or why it cannot be read."""
    if report.error is not None:
        return f"cannot be read: {report.error}"
    counts = summary(report.findings)
    return f"{report.path.name}: OIFITS {report.version}, " + ", ".join(
        f"{count} {severity if severity == INFO or count == 1 else severity + 's'}"
        for severity, count in counts.items()
    )


def report_text(report: FileReport) -> str:
    """A report for people."""
    body = as_text(report.findings)
    return f"{headline(report)}\n{body}\n" if body else f"{headline(report)}\n"


def rules_table() -> str:
    """The rules as a table in Markdown: the content of RULES.md."""
    lines = [
        "# Rules of the OIFITS check",
        "",
        "Made by `python3 -m ingest.checks --rules` from `checks.py`; a test keeps it equal.",
        "What each table must hold (keywords, columns, formats, units, accepted values) is in",
        "`standard.py`.",
        "",
        "P05: Pauls et al. 2005, PASP 117, 1255 (OIFITS 1). D17: Duvert, Young & Hummel 2017,",
        "A&A 597, A8 (OIFITS 2). The last column names the rules of JMMC's OITools whose cases",
        "a rule reports.",
        "",
        "| rule | severity | OIFITS | section | asks that | OITools |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines.extend(
        f"| {rule.id} | {rule.severity} | {', '.join(map(str, rule.versions))} | {rule.section} "
        f"| {rule.asks.replace('|', chr(92) + '|')} | "
        f"{', '.join('same' if other == rule.id else other for other in rule.oitools) or '—'} |"
        for rule in RULES.values()
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--rules"]:
        sys.exit("usage: python3 -m ingest.checks --rules")
    print(rules_table(), end="")
