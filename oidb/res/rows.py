"""From what ``ingest`` finds in a file to the rows of q.rd's tables.

The keys of the rows are the columns of q.rd, which is where they are described; DaCHS refuses a
row that lacks one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from ingest import geometry
from ingest.checks import Finding
from ingest.granules import Extraction, Granule
from oidb.res.store import Content, clean

Row = dict[str, Any]

#: MJD 0.
_MJD_EPOCH = datetime(1858, 11, 17)
#: Categories that are no science: they are never under embargo by rule.
_CALIBRATION = "CALIB"


@dataclass(frozen=True)
class Collection:
    """A row of the collection table, and what its files have in common."""

    obs_collection: str
    title: str | None = None
    description: str | None = None
    collection_type: str | None = None
    bib_reference: str | None = None
    embargo_days: int | None = None


@dataclass(frozen=True)
class Source:
    """One file on its way into the archive."""

    path: Path
    content: Content
    #: Identifier, from content and collection.
    file_id: int
    #: Name under which it is handed out.
    name: str
    #: Where the store keeps it; None for a file that stays in a remote archive.
    stored: Path | None
    #: Its address in the remote archive; None when it is hosted here.
    url: str | None
    collection: Collection
    calib_level: int
    owner: str | None
    release_date: date | None
    #: Latest release date of the raw files, by the observation logs; None when not known.
    raw_release_date: datetime | None
    datapi: str | None
    authority: str
    now: datetime

    @property
    def accref(self) -> str:
        """DaCHS' name of the file as a product; the path after /getproduct/.

        With the collection: a file may be public in one and private in another.
        """
        return f"oidb/{clean(self.collection.obs_collection)}/{self.name}"

    @property
    def media_type(self) -> str:
        """application/fits (RFC 4047), or gzip for what is packed: nobody unpacks on the way."""
        return "application/gzip" if self.content.compressed else "application/fits"

    @property
    def group(self) -> str:
        """Group that may use the file before its release."""
        return self.owner or self.collection.obs_collection


@dataclass(frozen=True)
class Product:
    """A file that is handed out: the OIFITS file itself, a plot, a report."""

    accref: str
    #: Path in the store, or URL of a remote file.
    path: str
    size: int
    media_type: str
    semantics: str
    description: str
    granule_id: int | None = None


def number(*parts: str) -> int:
    """A positive integer below 2^52 (exact in JSON and in doubles) from the parts' SHA-256."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 12


def granule_ids(source: Source, granules: Iterable[Granule]) -> list[int]:
    """Identifiers of a file's granules, from the file and what tells the granules apart."""
    seen: Counter[tuple[str, ...]] = Counter()
    ids = []
    for granule in granules:
        key = (granule.target_name or "", granule.insname, granule.night or "")
        seen[key] += 1
        ids.append(number(str(source.file_id), *key, str(seen[key])))
    return ids


def release(source: Source, granules: Iterable[Granule]) -> datetime | None:
    """Until when we keep a file back ourselves; None when it is public from the start.

    The date given with the ingestion, and for all that is not known to be a calibrator the
    collection's embargo after the observation; the latest one, and always the beginning of a day.
    Nobody gets a granule without its file, hence one date for all granules.
    """
    dates = []
    if source.release_date is not None:
        dates.append(datetime.combine(source.release_date, time()))
    days = source.collection.embargo_days
    for granule in granules:
        if days is not None and granule.category != _CALIBRATION and granule.t_max is not None:
            end = _MJD_EPOCH + timedelta(days=granule.t_max + days)
            dates.append(datetime.combine(end.date() + timedelta(days=1), time()))
    return max(dates, default=None)


def latest(*dates: datetime | None) -> datetime | None:
    """The latest of the release dates that hold for a file, at the beginning of a day.

    None when there is none. A file that is to be released in the course of a day is on the next.
    """
    found = max((date for date in dates if date is not None), default=None)
    if found is None or found.time() == time():
        return found
    return datetime.combine(found.date() + timedelta(days=1), time())


def embargo(released: datetime | None) -> date | None:
    """A release date in DaCHS' terms: it opens a product on the day after its embargo ends."""
    return None if released is None else released.date() - timedelta(days=1)


def of_file(
    source: Source,
    version: int,
    extraction: Extraction,
    findings: list[Finding],
    products: list[Product],
) -> Iterator[tuple[str, Row]]:
    """All rows of a file of that OIFITS version: pairs of a role in q.rd's ``import`` and a row."""
    ids = granule_ids(source, extraction.granules)
    own_release = release(source, extraction.granules)
    file_release = latest(own_release, source.raw_release_date)
    severities = Counter(finding.severity for finding in findings)
    yield (
        "file",
        {
            "file_id": source.file_id,
            "obs_collection": source.collection.obs_collection,
            "file_name": source.path.name,
            "source": str(source.path),
            "access_url": source.accref,
            "url": source.url,
            "file_size": source.content.size,
            "sha256": source.content.sha256,
            "md5": source.content.md5,
            "media_type": source.media_type,
            "oifits_version": version,
            "calib_level": source.calib_level,
            "n_granules": len(ids),
            "n_errors": severities["error"],
            "n_warnings": severities["warning"],
            "obs_release_date": file_release,
            "owner": source.group,
            "release_date": source.release_date,
            "own_release_date": own_release,
            "raw_release_date": source.raw_release_date,
            "datapi": source.datapi,
            "ingested": source.now,
            "plotted": None,
        },
    )
    for granule, granule_id in zip(extraction.granules, ids, strict=True):
        yield "granule", _granule(source, extraction, granule, granule_id, file_release)
        for line in granule.baselines:
            yield (
                "baseline",
                {
                    "granule_id": granule_id,
                    "station1": line.station1,
                    "station2": line.station2,
                    "mjd": line.mjd,
                    "int_time": line.int_time,
                    "u": line.u,
                    "v": line.v,
                    "length": line.length,
                    "position_angle": line.position_angle,
                    "vis2": line.vis2,
                    "vis2_err": line.vis2_err,
                    "n_channels": line.nb_channels,
                },
            )
        for alias in _aliases(extraction, granule):
            yield "alias", {"granule_id": granule_id, "alias": alias, "origin": "OI_TARGET"}
    for dp_id, category in extraction.provenance.raw_files:
        yield (
            "progenitor",
            {
                "file_id": source.file_id,
                "dp_id": dp_id.removesuffix(".fits"),
                "category": category,
            },
        )
    for finding in findings:
        yield (
            "finding",
            {
                "file_id": source.file_id,
                "rule": finding.rule,
                "severity": finding.severity,
                "standard_section": finding.section,
                "hdu": finding.hdu,
                "oi_table": finding.table,
                "member": finding.column,
                "first_row": finding.row,
                "occurrences": finding.count,
                "message": finding.message,
            },
        )
    for product in products:
        yield "product", of_product(source.file_id, source.group, file_release, product)


def of_product(file_id: int, group: str | None, released: datetime | None, product: Product) -> Row:
    """The row of a product, with what DaCHS' own table of products wants."""
    return {
        "file_id": file_id,
        "granule_id": product.granule_id,
        "semantics": product.semantics,
        "description": product.description,
        "prodtblAccref": product.accref,
        "prodtblOwner": group,
        "prodtblEmbargo": embargo(released),
        "prodtblPath": product.path,
        "prodtblFsize": product.size,
        "prodtblTable": "oidb.stored_product",
        "prodtblMime": product.media_type,
        # No previews in DaCHS' sense: it shows them to everybody.
        "prodtblPreview": None,
        "prodtblPreviewMime": None,
        "prodtblDatalink": None,
    }


def _granule(
    source: Source,
    extraction: Extraction,
    granule: Granule,
    granule_id: int,
    released: datetime | None,
) -> Row:
    provenance = extraction.provenance
    archive_name = provenance.arcfile and provenance.arcfile.removesuffix(".fits")
    return {
        "target_name": granule.target_name,
        "s_ra": granule.s_ra,
        "s_dec": granule.s_dec,
        "obs_publisher_did": f"ivo://{source.authority}/~?oidb/{granule_id:013x}",
        "granule_id": granule_id,
        "file_id": source.file_id,
        "granule_number": granule.number,
        "obs_collection": source.collection.obs_collection,
        "obs_id": archive_name or source.name.split(".fits")[0].split(".oifits")[0],
        "calib_level": source.calib_level,
        "dataproduct_category": granule.category,
        "access_url": source.accref,
        "access_format": source.media_type,
        "access_estsize": max(1, round(source.content.size / 1000)),
        "access_md5": source.content.md5,
        "obs_release_date": released,
        "obs_creator_name": provenance.author,
        "bib_reference": source.collection.bib_reference,
        "s_fov": granule.s_fov,
        "region": _region(granule),
        "s_resolution": granule.s_resolution,
        "s_resolution_max": granule.s_resolution_max,
        "s_largest_angular_scale": granule.s_largest_angular_scale,
        "t_min": granule.t_min,
        "t_max": granule.t_max,
        "t_exptime": granule.t_exptime,
        "t_resolution": granule.t_resolution,
        "t_xel": granule.t_xel,
        "night": granule.night,
        "int_time_min": granule.int_time_min,
        "int_time_max": granule.int_time_max,
        "em_min": granule.em_min,
        "em_max": granule.em_max,
        "em_res_power": granule.em_res_power,
        "em_xel": granule.em_xel,
        "o_ucd": granule.o_ucd,
        "pol_states": granule.pol_states,
        "pol_xel": granule.pol_xel,
        "facility_name": granule.facility_name,
        "instrument_name": granule.instrument_name,
        "instrument_mode": granule.instrument_mode,
        "insname": granule.insname,
        "arrname": ",".join(granule.arrnames) or None,
        "stations": " ".join(granule.stations) or None,
        "tel_number": granule.tel_number,
        "tel_diameter": granule.tel_diameter,
        "tel_min_dist": granule.tel_min_dist,
        "tel_max_dist": granule.tel_max_dist,
        "uv_distance_min": granule.uv_distance_min,
        "uv_distance_max": granule.uv_distance_max,
        "uv_distribution_ecc": granule.uv_distribution_ecc,
        "uv_distribution_fill": granule.uv_distribution_fill,
        "nb_vis": granule.nb_vis,
        "nb_vis_points": granule.nb_vis_points,
        "nb_vis2": granule.nb_vis2,
        "nb_vis2_points": granule.nb_vis2_points,
        "nb_t3": granule.nb_t3,
        "nb_t3_points": granule.nb_t3_points,
        "nb_flux": granule.nb_flux,
        "nb_flux_points": granule.nb_flux_points,
        "progid": provenance.obs_prog_id,
        "prog_title": None,  # headers have none; `logs` finds it
        "proposal_subid": provenance.proposal_subid or provenance.obs_id,
        "datapi": source.datapi or provenance.datapi,
        "procsoft": provenance.pipeline,
        "quality_level": provenance.quality_level,
        "quality_flags": " ".join(granule.quality_flags),
        "ingested": source.now,
    }


def _region(granule: Granule) -> list[tuple[float, float]] | None:
    """Corners of the field of view; q.rd makes a polygon of them."""
    if granule.s_ra is None or granule.s_dec is None or granule.s_fov is None:
        return None
    return geometry.circle(granule.s_ra, granule.s_dec, granule.s_fov / 2)


def _aliases(extraction: Extraction, granule: Granule) -> list[str]:
    """Other names in the file of the granule's target."""
    names: list[str] = []
    for group in extraction.aliases:
        if granule.target_name in group:
            names += [name for name in group if name and name != granule.target_name]
    return list(dict.fromkeys(names))
