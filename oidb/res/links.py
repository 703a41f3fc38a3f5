"""Datalink: what there is for a granule, and where.

Links to what is private are given like all others; whoever follows them meets the guard of the
products (``getproduct``) or of the cut-out service. Nothing here comes from a private file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from gavo import base
from gavo.protocols import datalink
from gavo.svcs import InputKey

#: Where ESO's archive shows a raw file.
_ESO_DATASET = "https://archive.eso.org/dataset/"
_DATALINK = "application/x-votable+xml;content=datalink"
_SODA = "ivo://ivoa.net/std/SODA#sync-1.0"


class Descriptor(datalink.DatalinkDescriptorMixin):  # type: ignore[misc]
    """A granule on its way through DaCHS' Datalink machinery."""

    suppressAutoLinks = True

    def __init__(self, did: str, row: dict[str, Any]) -> None:
        self.pubDID = did
        self._row = row
        self._server = base.getCurrentServerURL()

    def links(self) -> Iterator[Any]:
        """Its file, plots and report, what it was made of, its siblings, and the cut-out."""
        with base.getTableConn() as connection:
            yield from self._products(connection)
            yield from self._progenitors(connection)
            yield from self._siblings(connection)
        yield self._cutout()

    def _products(self, connection: Any) -> Iterator[Any]:
        for row in connection.queryToDicts(
            "SELECT accref, mime, accsize, semantics, description FROM oidb.stored_product"
            " WHERE file_id=%(file_id)s AND (granule_id IS NULL OR granule_id=%(granule_id)s)"
            " ORDER BY semantics DESC, accref",
            self._row,
        ):
            yield self.makeLink(
                f"{self._server}/getproduct/{quote(row['accref'])}",
                semantics=row["semantics"],
                description=row["description"],
                contentType=row["mime"],
                contentLength=row["accsize"],
            )

    def _progenitors(self, connection: Any) -> Iterator[Any]:
        """The raw files in ESO's archive, and what the observation log has of them."""
        for row in connection.queryToDicts(
            "SELECT p.dp_id, p.category, e.obs_publisher_did, e.exposure_id,"
            " e.exposure_number"
            " FROM oidb.progenitor AS p"
            " LEFT JOIN obsportal.exposure AS e ON e.header_id=p.dp_id"
            " WHERE p.file_id=%(file_id)s ORDER BY p.dp_id, e.exposure_number",
            self._row,
        ):
            if self._row["facility_name"] == "VLTI" and row["exposure_number"] in (None, 1):
                kind = f" ({row['category']})" if row["category"] else ""
                yield self.makeLink(
                    _ESO_DATASET + quote(row["dp_id"], safe=":"),
                    semantics="#progenitor",
                    description=f"Raw file {row['dp_id']}{kind} in the archive of ESO",
                    contentType="text/html",
                )
            if row["exposure_id"] is not None:
                yield self.makeLink(
                    f"{self._server}/obsportal/q/dl/dlmeta"
                    f"?ID={quote(row['obs_publisher_did'], safe='')}",
                    semantics="#progenitor",
                    description=f"Exposure {row['exposure_id']} in the observation log",
                    contentType=_DATALINK,
                )

    def _siblings(self, connection: Any) -> Iterator[Any]:
        for row in connection.queryToDicts(
            "SELECT obs_publisher_did, target_name, insname, night FROM oidb.granule"
            " WHERE file_id=%(file_id)s AND granule_id!=%(granule_id)s ORDER BY granule_number"
            " LIMIT 100",
            self._row,
        ):
            words = ", ".join(
                str(row[name]) for name in ("target_name", "insname", "night") if row[name]
            )
            yield self.makeLink(
                f"{self._server}/oidb/q/dl/dlmeta?ID={quote(row['obs_publisher_did'], safe='')}",
                semantics="#auxiliary",
                description=f"Another granule of the same file: {words}",
                contentType=_DATALINK,
            )

    def _cutout(self) -> Any:
        band = None
        if self._row["em_min"] is not None:
            band = [self._row["em_min"], self._row["em_max"]]
        link = datalink.ExternalProcLinkDef(
            self.pubDID,
            [
                _key("ID", "Identifier of the granule", self.pubDID, ucd="meta.id;meta.main"),
                _key(
                    "BAND",
                    "Wavelengths wanted, shortest and longest",
                    band,
                    type="double precision[2]",
                    unit="m",
                    ucd="em.wl;stat.interval",
                    xtype="interval",
                ),
                _key("TARGET", "Another target of the same file", ucd="meta.id;src"),
                _key("INSNAME", "Another INSNAME of the same file", ucd="meta.id;instr"),
                _key(
                    "NIGHT",
                    "Another night of the same file (the date of its evening)",
                    ucd="time.epoch",
                ),
            ],
            f"{base.getConfig('web', 'serverURL')}/oidb/q/cutout/custom",
            "Cut-out",
            "Just this granule, or a part of its wavelengths, as an OIFITS file",
            standardId=_SODA,
        )
        # In an answer on many granules the services must be told apart, by name and description.
        key = f"{self._row['granule_id']:013x}"
        link.serviceDescriptor.name = f"cutout-{key}"
        link.serviceDescriptor.description = f"{link.description} (granule {key})"
        return link


def descriptor(did: str) -> Descriptor | None:
    """The granule of that publisher DID; None when there is none."""
    with base.getTableConn() as connection:
        found = list(
            connection.queryToDicts(
                "SELECT granule_id, file_id, em_min, em_max, facility_name FROM oidb.granule"
                " WHERE obs_publisher_did=%(did)s",
                {"did": did},
            )
        )
    return Descriptor(did, found[0]) if found else None


def _key(name: str, description: str, value: Any = None, **more: str) -> Any:
    """A parameter of the cut-out service, with its value for this granule."""
    more.setdefault("type", "text")
    key = base.makeStruct(
        InputKey, name=name, description=description, multiplicity="single", **more
    )
    if value is not None:
        key.set(value)
    return key
