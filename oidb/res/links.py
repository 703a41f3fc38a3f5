"""Datalink: what there is for a granule, and where.

Links to what is private are given like all others; whoever follows them meets the guard of the
products (``getproduct``) or of the cut-out service. Nothing here comes from a private file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gavo import base
from gavo.protocols.datalink import DatalinkDescriptorMixin

#: Where ESO's archive shows a raw file.
_ESO_DATASET = "https://archive.eso.org/dataset/"
_DATALINK = "application/x-votable+xml;content=datalink"


@dataclass
class Link:
    """One row of a Datalink answer; the URL is absolute."""

    url: str
    semantics: str
    description: str
    content_type: str | None = None
    content_length: int | None = None


class GranuleDescriptor(DatalinkDescriptorMixin):  # type: ignore[misc]
    """A granule on its way through DaCHS' Datalink machinery; ``row`` is what the tables say."""

    suppressAutoLinks = True

    def __init__(self, did: str, row: dict[str, Any]) -> None:
        self.pubDID = did
        self.row = row


def descriptor(did: str) -> GranuleDescriptor | None:
    """The granule of that publisher DID; None when there is none."""
    with base.getTableConn() as connection:
        found = list(
            connection.queryToDicts(
                "SELECT granule_id, file_id, obs_publisher_did, insname, night, target_name,"
                " em_min, em_max, facility_name FROM oidb.granule"
                " WHERE obs_publisher_did=%(did)s",
                {"did": did},
            )
        )
    return GranuleDescriptor(did, found[0]) if found else None


def links(granule: GranuleDescriptor) -> Iterator[Link]:
    """The file, plots and report of a granule, the raw files it was made of, its siblings."""
    server = base.getCurrentServerURL()
    key = {"file_id": granule.row["file_id"], "granule_id": granule.row["granule_id"]}
    with base.getTableConn() as connection:
        for row in connection.queryToDicts(
            "SELECT accref, mime, accsize, semantics, description FROM oidb.stored_product"
            " WHERE file_id=%(file_id)s AND (granule_id IS NULL OR granule_id=%(granule_id)s)"
            " ORDER BY semantics DESC, accref",
            key,
        ):
            yield Link(
                f"{server}/getproduct/{quote(row['accref'])}",
                row["semantics"],
                row["description"],
                row["mime"],
                row["accsize"],
            )
        if granule.row["facility_name"] == "VLTI":
            for row in connection.queryToDicts(
                "SELECT dp_id, category FROM oidb.progenitor WHERE file_id=%(file_id)s"
                " ORDER BY dp_id",
                key,
            ):
                kind = f" ({row['category']})" if row["category"] else ""
                yield Link(
                    _ESO_DATASET + quote(row["dp_id"], safe=":"),
                    "#progenitor",
                    f"Raw file {row['dp_id']}{kind} in the archive of ESO",
                    "text/html",
                )
        for row in connection.queryToDicts(
            "SELECT obs_publisher_did, target_name, insname, night FROM oidb.granule"
            " WHERE file_id=%(file_id)s AND granule_id!=%(granule_id)s ORDER BY granule_number"
            " LIMIT 100",
            key,
        ):
            words = ", ".join(
                str(row[name]) for name in ("target_name", "insname", "night") if row[name]
            )
            yield Link(
                f"{server}/oidb/q/dl/dlmeta?ID={quote(row['obs_publisher_did'], safe='')}",
                "#auxiliary",
                f"Another granule of the same file: {words}",
                _DATALINK,
            )
