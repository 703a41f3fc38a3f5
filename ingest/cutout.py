"""Granules, or a part of their wavelengths, as an OIFITS file of their own.

Rows are copied byte by byte, so every value of the cut-out is the source's. What they refer to
comes along: the primary HDU, the targets, arrays, wavelengths, correlations and instrumental
polarisation. HDUs that are not OIFITS tables stay behind; HISTORY names them.

"D17" is Duvert, Young & Hummel 2017, A&A 597, A8 (OIFITS 2).
"""

from __future__ import annotations

import io
import warnings
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from astropy.io import fits as afits
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from ingest import fits, granules, oifits, vocabulary
from ingest.granules import Extraction, Granule
from ingest.oifits import (
    ArrayTable,
    Booleans,
    CorrelationTable,
    DataTable,
    OIFits,
    OITable,
    PolarisationTable,
    TargetTable,
    WavelengthTable,
)
from ingest.standard import NWAVE, NWAVE_SQUARED, STANDARD

Band = tuple[float, float]


def cut(
    source: OIFits | Path,
    *,
    target: str | None = None,
    insname: str | None = None,
    night: date | str | None = None,
    band: Band | None = None,
) -> bytes:
    """The granules of an OIFITS file that are asked for, as an OIFITS file.

    ``target`` and ``insname`` are TARGET and INSNAME as the file has them, ``night`` the civil
    date of the evening at the array (``Granule.night``), ``band`` the shortest and the longest
    wavelength in m: channels with EFF_WAVE in it stay, both ends included. None means any.

    The result has the version of the source and its numbering: TARGET_ID and STA_INDEX stay, and
    so does OI_CORR as a whole, whose indices CORRINDX continues to give. In the primary header
    DATE and HISTORY are new, CONTENT is added to a version 2 file that lacks it, and of OBJECT,
    TELESCOP, INSTRUME and INSMODE those which are MULTI (D17 table 2) get the one value left.

    Raises ValueError with a sentence when nothing is left or a table cannot be cut by wavelength,
    UnreadableFile (a ValueError) when the source cannot be read.
    """
    if isinstance(source, Path):
        source = oifits.read(source)
    extraction = granules.extract(source, vocabulary.load())
    chosen = [
        granule
        for granule in extraction.granules
        if target in (None, granule.target_name)
        and insname in (None, granule.insname)
        and (night is None or str(night) == granule.night)
    ]
    asked = _words(target, insname, night, band)
    selection = _Selection(source, extraction, chosen, band)
    if not selection.rows:
        raise ValueError(f"{source.name}: it holds no {asked or 'granule'}")

    kept = {}
    for table in source.tables():
        rows = selection.rows_of(table)
        if rows is not None:
            kept[table.hdu] = _table(table, rows, selection.channels_of(table))
    left_out = [hdu.place for hdu in source.hdus[1:] if hdu.number not in kept]
    header = _primary_header(source, selection.granules, asked, left_out)
    primary = source.hdus[0]
    data = bytes(primary.buffer[primary.start : primary.start + primary.length])
    return _file([(header, data), *kept.values()])


def _words(
    target: str | None, insname: str | None, night: date | str | None, band: Band | None
) -> str:
    """The selection in words, for messages and HISTORY."""
    parts = []
    if target is not None:
        parts.append(f"target '{target}'")
    if insname is not None:
        parts.append(f"INSNAME '{insname}'")
    if night is not None:
        parts.append(f"night {night}")
    if band is not None:
        parts.append(f"wavelength of {band[0] * 1e6:g} to {band[1] * 1e6:g} micrometres")
    return ", ".join(parts)


class _Selection:
    """Which rows and channels of which tables are kept."""

    def __init__(
        self, source: OIFits, extraction: Extraction, chosen: list[Granule], band: Band | None
    ) -> None:
        self._band = band
        #: Channels kept, by INSNAME.
        self._channels: dict[str | None, Booleans] = {}
        insnames = {granule.insname for granule in chosen}
        for table in source.wavelengths:
            if table.insname in insnames and table.insname not in self._channels:
                self._channels[table.insname] = self._inside(table)
        #: The granules that are left.
        self.granules = [granule for granule in chosen if self._channels[granule.insname].any()]

        #: Rows kept of the data tables, by HDU number.
        self.rows: dict[int, Booleans] = {}
        for granule in self.granules:
            for hdu, index in extraction.rows[granule.number].items():
                self.rows.setdefault(hdu, np.zeros(_rows(source, hdu), np.bool_))[index] = True

        # What the rows refer to.
        data = [table for table in source.data if table.hdu in self.rows]
        self._targets = {
            number
            for table in data
            if table.target_id is not None
            for number in table.target_id[self.rows[table.hdu]].tolist()
        }
        self._arrnames = {table.arrname for table in data}
        if not self._arrnames <= {array.arrname for array in source.arrays}:
            # Rows that do not say which array they mean may mean any.
            self._arrnames |= {array.arrname for array in source.arrays}
        self._corrnames = {table.corrname for table in data}
        self._insnames = {table.insname for table in data}

    def _inside(self, table: WavelengthTable) -> Booleans:
        """The channels within the band, shape (NWAVE,); all when there is no band to cut to."""
        if self._band is None or table.wavelength is None:
            return np.ones(table.rows, np.bool_)
        return (table.wavelength >= self._band[0]) & (table.wavelength <= self._band[1])

    def rows_of(self, table: OITable) -> Booleans | None:
        """The rows to keep, shape (rows,); None when the table is not needed at all."""
        if isinstance(table, DataTable):
            return self.rows.get(table.hdu)
        if isinstance(table, PolarisationTable):
            return self._polarisation_rows(table)
        everything = np.ones(table.rows, np.bool_)
        if isinstance(table, TargetTable):
            if table.target_id is None:
                return everything
            return np.isin(table.target_id, list(self._targets))
        if isinstance(table, WavelengthTable) and table.insname in self._insnames:
            return self._inside(table)
        if isinstance(table, ArrayTable) and table.arrname in self._arrnames:
            return everything
        if isinstance(table, CorrelationTable) and table.corrname in self._corrnames:
            return everything
        return None

    def _polarisation_rows(self, table: PolarisationTable) -> Booleans | None:
        """The rows of the targets and set-ups kept, of all times."""
        target_id, names = table.integers("TARGET_ID"), table.texts("INSNAME")
        if target_id is None or names is None:
            return None
        rows: Booleans = np.isin(target_id, list(self._targets))
        rows &= [name in self._insnames for name in names]
        # The set-ups of one table share its columns: they must keep the same channels.
        cuts = [self._channels[name] for name, keep in zip(names, rows, strict=True) if keep]
        whole = all(kept.all() for kept in cuts)
        same = all(np.array_equal(cuts[0], other) for other in cuts[1:])
        return rows if cuts and (whole or same) else None

    def channels_of(self, table: OITable) -> Booleans | None:
        """The channels to keep of the table's columns, shape (NWAVE,); None: all."""
        if isinstance(table, DataTable):
            return self._channels[table.insname]
        if isinstance(table, PolarisationTable):
            names, rows = table.texts("INSNAME"), self._polarisation_rows(table)
            if names is not None and rows is not None:
                return self._channels[names[int(rows.argmax())]]
        return None


def _rows(source: OIFits, hdu: int) -> int:
    return source.hdus[hdu].header.integer("NAXIS2") or 0


def _header(header: fits.Header) -> afits.Header:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        return afits.Header.fromstring(header.raw)


def _primary_header(
    source: OIFits, chosen: list[Granule], asked: str, left_out: list[str]
) -> afits.Header:
    """The primary header of the cut-out."""
    header = _header(source.primary)
    values: dict[str, set[str | None]] = {
        "OBJECT": {granule.target_name for granule in chosen},
        "TELESCOP": {granule.facility_name for granule in chosen},
        "INSTRUME": {granule.instrument_name or granule.insname for granule in chosen},
        "INSMODE": {granule.instrument_mode or granule.insname for granule in chosen},
    }
    for keyword, found in values.items():
        if source.primary.get(keyword) == "MULTI" and len(found) == 1 and None not in found:
            header[keyword] = _ascii(found.pop() or "")
    if source.version == 2:
        header["CONTENT"] = "OIFITS2"
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    header["DATE"] = now
    header.add_history(_ascii(f"{now} cut from {source.name}: {asked or 'all granules'}"))
    if left_out:
        header.add_history(_ascii(f"left out: {', '.join(left_out)}"))
    return header


def _ascii(text: str) -> str:
    """Text as FITS headers may have it (FITS standard 4.0, section 4.1.2.3)."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def _table(table: OITable, rows: Booleans, channels: Booleans | None) -> tuple[afits.Header, bytes]:
    """Header and data of a table with the rows and channels to keep."""
    raw = table.table
    header = _header(table.header)
    cells: NDArray[np.uint8] = np.ndarray(
        (raw.rows, raw.row_bytes), np.uint8, raw.hdu.buffer, raw.hdu.start
    )[rows]
    if channels is not None and not channels.all():
        cells = _cut_channels(table, header, cells, channels)
    heap = b""
    if any(column.kind in "PQ" for column in raw.columns.values()):
        theap = table.header.integer("THEAP")
        begin = raw.hdu.start + (raw.rows * raw.row_bytes if theap is None else theap)
        heap = bytes(raw.hdu.buffer[begin : raw.hdu.start + raw.hdu.length])
    header["NAXIS2"], header["NAXIS1"] = cells.shape
    header["PCOUNT"] = len(heap)
    header.remove("THEAP", ignore_missing=True)
    return header, cells.tobytes() + heap


def _cut_channels(
    table: OITable, header: afits.Header, cells: NDArray[np.uint8], channels: Booleans
) -> NDArray[np.uint8]:
    """The bytes of rows (shape: rows, bytes) without the other channels; adapts the header."""
    columns = STANDARD[2][table.extname].columns
    number = {
        str(header.get(f"TTYPE{n}", f"COL{n}")).strip().upper(): n
        for n in range(header["TFIELDS"], 0, -1)
    }
    first, count = int(channels.argmax()), int(channels.sum())
    keep = np.ones(cells.shape[1], np.bool_)
    for name, column in table.table.columns.items():
        place = slice(column.offset, column.offset + column.width)
        if name.startswith("CORRINDX_") and column.kind in "IJK" and column.repeat == 1:
            # The index of the row's first channel; the others follow (D17 section 7.2).
            if not channels[first : first + count].all():
                raise ValueError(
                    f"{table.place}: the channels of this wavelength range are not neighbours, "
                    "so its correlations cannot be cut"
                )
            index = cells[:, place].copy().view(f">i{column.width}")
            cells[:, place] = (index + first).astype(index.dtype).view(np.uint8)
            continue
        defined = columns.get(name)
        # A column that the standard does not know is spectral when it has as many values.
        repeat = NWAVE if defined is None else defined.repeat
        if repeat == NWAVE and column.repeat == channels.size and column.kind not in "AXPQ":
            wanted, shape = channels, f"({count})"
        elif repeat == NWAVE_SQUARED and column.repeat == channels.size**2:
            wanted, shape = np.outer(channels, channels).ravel(), f"({count},{count})"
        else:
            continue
        keep[place] = np.repeat(wanted, column.width // wanted.size)
        header[f"TFORM{number[name]}"] = f"{wanted.sum()}{column.kind}"
        if column.dim is not None:
            header[f"TDIM{number[name]}"] = shape
    if keep.all():
        raise ValueError(
            f"{table.place}: no column has the {channels.size} channels of its OI_WAVELENGTH, "
            "so it cannot be cut by wavelength"
        )
    return np.ascontiguousarray(cells[:, keep])


def _file(hdus: list[tuple[afits.Header, bytes]]) -> bytes:
    """The bytes of a FITS file of these headers and data, with checksums."""
    raw = bytearray()
    result = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        for header, data in hdus:
            raw += header.tostring().encode("ascii") + data + bytes(-len(data) % fits.BLOCK)
        with afits.HDUList.fromstring(bytes(raw)) as whole:
            whole.writeto(result, checksum=True, output_verify="ignore")
    return result.getvalue()
