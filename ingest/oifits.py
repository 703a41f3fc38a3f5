"""Reading OIFITS 1 and 2: what a file says, as it says it.

OIFITS 1: Pauls, Young, Cotton & Monnier 2005, PASP 117, 1255 ("P05" below).
OIFITS 2: Duvert, Young & Hummel 2017, A&A 597, A8 ("D17").

Nothing is repaired or guessed here: a missing column is None, a wrong value stays. ``granules``
makes sense of the values, ``checks`` reports what the standards forbid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest import fits
from ingest.fits import UnreadableFile

__all__ = [
    "ArrayTable", "CorrelationTable", "DataTable", "OIFits", "OITable", "PolarisationTable",
    "TargetTable", "UnreadableFile", "WavelengthTable", "read",
]  # fmt: skip

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

#: Stations an observation row has: OI_FLUX 1 (D17 table 9), OI_VIS and OI_VIS2 2, OI_T3 3.
STATIONS = {"OI_FLUX": 1, "OI_VIS": 2, "OI_VIS2": 2, "OI_T3": 3}

#: Tables whose OI_REVN tells the version; OI_FLUX, OI_CORR and OI_INSPOL are new in version 2
#: and begin at revision 1 (D17 section 4).
_REVISED = ("OI_TARGET", "OI_ARRAY", "OI_WAVELENGTH", "OI_VIS", "OI_VIS2", "OI_T3")


class OITable:
    """One OI_* binary table of a file.

    ``header`` and ``table`` give the raw access; ``number``, ``integers``, ``texts`` and
    ``values`` give columns in one shape whatever a writer did with repeats and TDIM.
    """

    def __init__(self, hdu: fits.HDU, file: str) -> None:
        self.table = fits.read_table(hdu, file)
        self.header = hdu.header
        self.extname = hdu.name.upper()
        self.hdu = hdu.number
        self.place = hdu.place
        self.rows = self.table.rows

    @property
    def revision(self) -> int | None:
        """OI_REVN; None when it is missing or no integer."""
        return self.header.integer("OI_REVN")

    @property
    def insname(self) -> str | None:
        """INSNAME keyword, without padding; None when missing or blank."""
        return self.header.text("INSNAME")

    @property
    def arrname(self) -> str | None:
        """ARRNAME keyword, without padding; None when missing or blank."""
        return self.header.text("ARRNAME")

    @property
    def corrname(self) -> str | None:
        """CORRNAME keyword, without padding; None when missing or blank."""
        return self.header.text("CORRNAME")

    def __contains__(self, column: str) -> bool:
        return column in self.table

    def _numeric(self, column: str) -> NDArray[np.generic] | None:
        array = self.table.array(column)
        if array is None or array.dtype.kind not in "fiub" or array.shape[-1] == 0:
            return None
        return array

    def numbers(self, column: str) -> Floats | None:
        """A scalar column as float64, shape (rows,); None when missing or not a number.

        This and the others may be views on one array: do not write to them.
        """
        array = self._numeric(column)
        return None if array is None else array[:, 0].astype(np.float64, copy=False)

    def integers(self, column: str) -> Integers | None:
        """A column of integers, shape (rows,); None when missing or not of integers."""
        array = self._numeric(column)
        if array is None or array.dtype.kind not in "iu":
            return None
        return array[:, 0].astype(np.int64, copy=False)

    def texts(self, column: str) -> list[str] | None:
        """A text column, one value a row, without padding; None when missing or not text."""
        array = self.table.array(column)
        if array is None or array.dtype.kind != "S":
            return None
        return [fits.text(bytes(value)) for value in array.tolist()]

    def values(self, column: str) -> Floats | None:
        """A column with one value a channel as float64, shape (rows, repeat); None if missing."""
        array = self._numeric(column)
        return None if array is None else array.astype(np.float64, copy=False)


class TargetTable(OITable):
    """OI_TARGET (P05 section 6.2, D17 table 3)."""

    @cached_property
    def target_id(self) -> Integers | None:
        """TARGET_ID, shape (rows,)."""
        return self.integers("TARGET_ID")

    @cached_property
    def target(self) -> list[str] | None:
        """TARGET, the names, one a row."""
        return self.texts("TARGET")


class ArrayTable(OITable):
    """OI_ARRAY (P05 section 6.1, D17 table 4)."""

    @property
    def frame(self) -> str | None:
        """FRAME: GEOCENTRIC or SKY."""
        return self.header.text("FRAME")

    @property
    def centre(self) -> tuple[float, float, float] | None:
        """ARRAYX, ARRAYY, ARRAYZ in m (geocentric); None when one is missing."""
        x, y, z = (self.header.number(f"ARRAY{axis}") for axis in "XYZ")
        return None if x is None or y is None or z is None else (x, y, z)

    @cached_property
    def stations(self) -> dict[int, str]:
        """Station name by STA_INDEX; TEL_NAME stands in for a blank STA_NAME."""
        index = self.integers("STA_INDEX")
        if index is None:
            return {}
        names = self.texts("STA_NAME") or [""] * self.rows
        telescopes = self.texts("TEL_NAME") or [""] * self.rows
        result: dict[int, str] = {}
        for number, name, telescope in zip(index.tolist(), names, telescopes, strict=True):
            result.setdefault(number, name or telescope)
        return result

    @cached_property
    def diameters(self) -> dict[int, float]:
        """Telescope diameter in m by STA_INDEX, where DIAMETER is a positive number."""
        index = self.integers("STA_INDEX")
        diameter = self.numbers("DIAMETER")
        if index is None or diameter is None:
            return {}
        return {
            int(i): float(d)
            for i, d in zip(index, diameter, strict=True)
            if np.isfinite(d) and d > 0
        }


class WavelengthTable(OITable):
    """OI_WAVELENGTH (P05 section 6.3, D17 table 5)."""

    @cached_property
    def wavelength(self) -> Floats | None:
        """EFF_WAVE in m, shape (channels,)."""
        return self.numbers("EFF_WAVE")

    @cached_property
    def bandwidth(self) -> Floats | None:
        """EFF_BAND in m, shape (channels,)."""
        return self.numbers("EFF_BAND")


class CorrelationTable(OITable):
    """OI_CORR (D17 table 10)."""


class PolarisationTable(OITable):
    """OI_INSPOL (D17 table 11); INSNAME is a column here, not a keyword."""


class DataTable(OITable):
    """OI_VIS, OI_VIS2, OI_T3 or OI_FLUX (P05 section 6.4-6.6, D17 tables 6-9)."""

    @cached_property
    def target_id(self) -> Integers | None:
        """TARGET_ID, shape (rows,)."""
        return self.integers("TARGET_ID")

    @cached_property
    def mjd(self) -> Floats | None:
        """MJD as written (d), shape (rows,)."""
        return self.numbers("MJD")

    @cached_property
    def time(self) -> Floats | None:
        """TIME as written (s), shape (rows,); 0 in version 2."""
        return self.numbers("TIME")

    @cached_property
    def int_time(self) -> Floats | None:
        """INT_TIME as written (nominally s), shape (rows,)."""
        return self.numbers("INT_TIME")

    @cached_property
    def sta_index(self) -> Integers | None:
        """STA_INDEX, shape (rows, 1, 2 or 3); None when missing or of another length."""
        array = self._numeric("STA_INDEX")
        wanted = STATIONS[self.extname]
        if array is None or array.dtype.kind not in "iu" or array.shape[1] != wanted:
            return None
        return array.astype(np.int64)

    @cached_property
    def flag(self) -> Booleans | None:
        """FLAG, shape (rows, channels); True means: do not use."""
        array = self.table.array("FLAG")
        return array.view(np.bool_) if array is not None and array.dtype.kind == "b" else None

    def uv(self) -> list[tuple[Floats, Floats]]:
        """(u, v) in m for each station pair of a row, each of shape (rows,).

        One pair for OI_VIS and OI_VIS2; three for OI_T3, in the order of the stations 12, 23, 13
        (P05 section 6.6: the third is the sum of the first two); none for OI_FLUX or when the
        columns are missing.
        """
        names = {
            "OI_VIS": [("UCOORD", "VCOORD")],
            "OI_VIS2": [("UCOORD", "VCOORD")],
            "OI_T3": [("U1COORD", "V1COORD"), ("U2COORD", "V2COORD")],
        }.get(self.extname, [])
        pairs = []
        for u_name, v_name in names:
            u, v = self.numbers(u_name), self.numbers(v_name)
            if u is None or v is None:
                return []
            pairs.append((u, v))
        if len(pairs) == 2:
            pairs.append((pairs[0][0] + pairs[1][0], pairs[0][1] + pairs[1][1]))
        return pairs


_CLASSES: dict[str, type[OITable]] = {
    "OI_TARGET": TargetTable,
    "OI_ARRAY": ArrayTable,
    "OI_WAVELENGTH": WavelengthTable,
    "OI_CORR": CorrelationTable,
    "OI_INSPOL": PolarisationTable,
    **dict.fromkeys(STATIONS, DataTable),
}


@dataclass
class OIFits:
    """What one OIFITS file holds; tables in file order."""

    path: Path
    #: 1 or 2.
    version: int
    hdus: list[fits.HDU]
    targets: list[TargetTable] = field(default_factory=list)
    arrays: list[ArrayTable] = field(default_factory=list)
    wavelengths: list[WavelengthTable] = field(default_factory=list)
    data: list[DataTable] = field(default_factory=list)
    correlations: list[CorrelationTable] = field(default_factory=list)
    polarisations: list[PolarisationTable] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The file's name, without folders."""
        return self.path.name

    @property
    def primary(self) -> fits.Header:
        """The primary header."""
        return self.hdus[0].header

    def tables(self) -> Iterator[OITable]:
        """All OI tables, in file order."""
        groups = (
            self.targets, self.arrays, self.wavelengths, self.data, self.correlations,
            self.polarisations,
        )  # fmt: skip
        yield from sorted((t for group in groups for t in group), key=lambda t: t.hdu)

    def wavelength(self, insname: str | None) -> WavelengthTable | None:
        """The first OI_WAVELENGTH of that INSNAME."""
        return next((t for t in self.wavelengths if t.insname == insname), None)

    def array(self, arrname: str | None) -> ArrayTable | None:
        """The first OI_ARRAY of that ARRNAME."""
        return next((t for t in self.arrays if arrname and t.arrname == arrname), None)


def _version(hdus: list[fits.HDU]) -> int:
    """2 when the primary header says so (D17 section 4.1) or any table has a version 2 revision."""
    if (hdus[0].header.text("CONTENT") or "").upper().startswith("OIFITS2"):
        return 2
    revisions = (h.header.integer("OI_REVN") for h in hdus if h.name.upper() in _REVISED)
    return 2 if any(r is not None and r >= 2 for r in revisions) else 1


def read(path: Path) -> OIFits:
    """Read an OIFITS file; columns are decoded when they are asked for.

    Raises UnreadableFile when the file is not FITS, is cut off, has tables whose headers
    contradict their data, or holds no OI table at all.
    """
    hdus = fits.read(path)
    result = OIFits(path, _version(hdus), hdus)
    places: dict[type[OITable], list[Any]] = {  # a list of each class
        TargetTable: result.targets,
        ArrayTable: result.arrays,
        WavelengthTable: result.wavelengths,
        DataTable: result.data,
        CorrelationTable: result.correlations,
        PolarisationTable: result.polarisations,
    }
    found = False
    for hdu in hdus[1:]:
        kind = _CLASSES.get(hdu.name.upper())
        if kind is None or not hdu.is_table:
            continue
        places[kind].append(kind(hdu, path.name))
        found = True
    if not found:
        raise UnreadableFile(path.name, "", "FITS, but not OIFITS: it holds no OI_* table")
    return result
