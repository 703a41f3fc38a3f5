"""Datalink: what there is for an exposure, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from gavo import base
from gavo.protocols import datalink

#: Where ESO's archive shows a raw file.
_ESO_DATASET = "https://archive.eso.org/dataset/"
_DATALINK = "application/x-votable+xml;content=datalink"


class Descriptor(datalink.DatalinkDescriptorMixin):  # type: ignore[misc]
    """An exposure on its way through DaCHS' Datalink machinery."""

    suppressAutoLinks = True

    def __init__(self, did: str, row: dict[str, Any]) -> None:
        self.pubDID = did
        self._row = row
        self._server = base.getCurrentServerURL()

    def links(self) -> Iterator[Any]:
        """Its raw file and header, pages on it, what was made of it, its siblings."""
        yield from self._raw_file()
        yield from self._descriptions()
        with base.getTableConn() as connection:
            yield from self._derivations(connection)
            yield from self._siblings(connection)

    def _raw_file(self) -> Iterator[Any]:
        """An entry of a log stands for its raw data: in the core vocabulary they are #this."""
        row = self._row
        if row["state"] == "withdrawn":
            yield datalink.DatalinkFault.NotFoundFault(
                self.pubDID, "The archive has the raw file no more.", semantics="#this"
            )
        elif row["access_url"]:
            page = row["access_url"].startswith(_ESO_DATASET)
            yield self.makeLink(
                row["access_url"],
                semantics="#this",
                description=f"The raw file {row['header_id']} in the archive",
                contentType="text/html" if page else None,
            )

    def _descriptions(self) -> Iterator[Any]:
        row = self._row
        yield self.makeLink(
            f"{self._server}/detail/exposure/{quote(row['exposure_id'], safe=':')}",
            semantics="#documentation",
            description="The exposure on a page: what, when, weather, uv coverage",
            contentType="text/html",
        )
        if row["has_header"]:
            yield self.makeLink(
                f"{self._server}/detail/header/{quote(row['header_id'], safe=':')}",
                semantics="#detached-header",
                description="The header of the raw file, as text",
                contentType="text/plain",
            )
        if row["facility_name"] == "VLTI" and row["state"] != "withdrawn":
            yield self.makeLink(
                _ESO_DATASET + quote(row["header_id"], safe=":"),
                semantics="#documentation",
                description="The raw file on a page of the archive of ESO",
                contentType="text/html",
            )

    def _derivations(self, connection: Any) -> Iterator[Any]:
        for row in connection.queryToDicts(
            "SELECT g.obs_publisher_did, g.target_name, g.insname, g.night"
            " FROM oidb.progenitor AS p JOIN oidb.granule AS g USING (file_id)"
            " WHERE p.dp_id=%(header_id)s ORDER BY g.file_id, g.granule_number LIMIT 100",
            self._row,
        ):
            words = ", ".join(
                str(row[name]) for name in ("target_name", "insname", "night") if row[name]
            )
            yield self.makeLink(
                f"{self._server}/oidb/q/dl/dlmeta?ID={quote(row['obs_publisher_did'], safe='')}",
                semantics="#derivation",
                description=f"Granule of OiDB made of the raw file: {words}",
                contentType=_DATALINK,
            )

    def _siblings(self, connection: Any) -> Iterator[Any]:
        for row in connection.queryToDicts(
            "SELECT obs_publisher_did, exposure_id, instrument_mode FROM obsportal.exposure"
            " WHERE header_id=%(header_id)s AND exposure_id!=%(exposure_id)s"
            " ORDER BY exposure_number",
            self._row,
        ):
            mode = f", {row['instrument_mode']}" if row["instrument_mode"] else ""
            yield self.makeLink(
                f"{self._server}/obsportal/q/dl/dlmeta"
                f"?ID={quote(row['obs_publisher_did'], safe='')}",
                semantics="#auxiliary",
                description=f"Another exposure of the same raw file: {row['exposure_id']}{mode}",
                contentType=_DATALINK,
            )


def descriptor(did: str) -> Descriptor | None:
    """The exposure of that publisher DID; None when there is none."""
    with base.getTableConn() as connection:
        found = list(
            connection.queryToDicts(
                "SELECT e.exposure_id, e.header_id, e.facility_name, h.access_url, h.state,"
                " h.header IS NOT NULL AS has_header"
                " FROM obsportal.exposure AS e"
                " JOIN obsportal.stored_header AS h USING (header_id)"
                " WHERE e.obs_publisher_did=%(did)s",
                {"did": did},
            )
        )
    return Descriptor(did, found[0]) if found else None
