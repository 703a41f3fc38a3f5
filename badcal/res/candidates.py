"""Bad calibrators that nobody has reported: looks at what OiDB has of calibrators.

What is compared, and when it is too much, is in ingest.calibrators. Only what is public in OiDB is
read: the view oidb.baseline, which shows no squared visibility of a private file. What is found is
filed as a candidate, which only an editor makes a bad calibrator of; what an editor has rejected is
not filed again unless there are new data.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import numpy as np
from gavo import base
from psycopg2 import sql

from badcal.res import store
from badcal.res.store import Actor
from ingest import badcal, calibrators, jmdc_bands, plots
from ingest.calibrators import Expected, Points, Verdict

Progress = Callable[[int, int], None]

_PROGRAM = Actor("program")
#: Bands that JSDC has diameters of, in its column names, with those that are nearest to others.
_JSDC_BANDS = {**{letter: letter.lower() for letter in "BVRIJHKLMN"}, "U": "b", "Q": "n"}
#: Relative error that a catalogue's diameter is taken to have at least.
_LEAST_ERROR = 0.01
#: Whether a star of a catalogue is the one that is asked for.
_HERE = sql.SQL(
    "spoint(radians({ra}), radians({dec}))"
    " <@ scircle(spoint(radians(%(ra)s), radians(%(dec)s)), radians(%(radius)s))"
)
_MEASURED = sql.SQL(
    "SELECT band_letters, corrected_ud_diam, corrected_e_ld_diam FROM jmdc.measurement"
    " WHERE corrected_ud_diam > 0 AND corrected_e_ld_diam > 0 AND band_letters IS NOT NULL AND {}"
).format(_HERE.format(ra=sql.Identifier("s_ra"), dec=sql.Identifier("s_dec")))
_COMPUTED = sql.SQL(
    "SELECT * FROM jsdc.star WHERE ldd > 0 AND {}"
    " ORDER BY spoint(radians(ra), radians(dec)) <-> spoint(radians(%(ra)s), radians(%(dec)s))"
    " LIMIT 1"
).format(_HERE.format(ra=sql.Identifier("ra"), dec=sql.Identifier("dec")))


@dataclass
class Report:
    """What a search has come to, in numbers of stars."""

    #: Calibrators with enough public data.
    judged: int = 0
    binary: int = 0
    resolved: int = 0
    #: Doubtful ones that BadCal has already: reported, or found in the same data before.
    known: int = 0
    #: Calibrators without an expected diameter: only binaries are looked for.
    without_diameter: int = 0

    def as_dict(self) -> dict[str, int]:
        """For a report in JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Calibrator:
    """A star that was observed as a calibrator."""

    ra: float
    dec: float
    name: str | None
    granules: tuple[int, ...]


def search(connection: Any, progress: Progress) -> Report:
    """Looks at all calibrators, and files what is found, a star a transaction."""
    report = Report()
    stars = _stars(connection)
    catalogues = _catalogues(connection)
    connection.commit()
    for number, star in enumerate(stars):
        progress(number, len(stars))
        rows = list(
            connection.queryToDicts(
                "SELECT g.granule_id, g.file_id, g.facility_name, g.instrument_name, g.night,"
                " g.em_min, g.em_max, b.station1, b.station2, b.mjd, b.int_time, b.u, b.v,"
                " b.length, b.vis2, b.vis2_err"
                " FROM oidb.granule AS g JOIN oidb.baseline AS b ON b.granule_id = g.granule_id"
                " WHERE g.granule_id = ANY(%(granules)s) AND b.vis2 IS NOT NULL"
                " AND b.vis2_err IS NOT NULL AND g.em_min IS NOT NULL AND g.em_max IS NOT NULL"
                " ORDER BY g.calib_level DESC, g.ingested, g.granule_id, b.mjd, b.station1,"
                " b.station2",
                {"granules": list(star.granules)},
            )
        )
        bands = [_band((row["em_min"] + row["em_max"]) / 2) for row in rows]
        diameters, source = _diameters(connection, catalogues, star, set(bands))
        expected = None
        if diameters:
            expected = Expected(
                np.array([diameters[band][0] for band in bands]),
                max(diameters[band][1] for band in bands),
            )
        verdict = calibrators.judge(_points(rows), expected) if rows else None
        connection.commit()  # nothing is kept open while one counts
        if verdict is None:
            continue
        report.judged += 1
        report.without_diameter += expected is None
        if verdict.reason is None:
            continue
        rows, bands = ([some[place] for place in verdict.used] for some in (rows, bands))
        if _file(connection, star, rows, verdict, _numbers(verdict, diameters, bands, source)):
            setattr(report, verdict.reason, getattr(report, verdict.reason) + 1)
        else:
            report.known += 1
    progress(len(stars), len(stars))
    return report


# ---------------------------------------------------------------- what OiDB has


def _stars(connection: Any) -> list[Calibrator]:
    """All calibrators with calibrated data, granules within badcal.SAME_STAR as one star."""
    centres: list[tuple[float, ...]] = []
    members: list[list[tuple[Any, ...]]] = []
    where: calibrators.Floats = np.empty((0, 3))
    for row in connection.query(
        "SELECT granule_id, s_ra, s_dec, target_name FROM oidb.granule"
        " WHERE dataproduct_category = 'CALIB' AND calib_level >= 2 AND nb_vis2_points > 0"
        " AND s_ra IS NOT NULL AND s_dec IS NOT NULL"
        " AND (obs_release_date IS NULL OR obs_release_date <= now() AT TIME ZONE 'UTC')"
        " ORDER BY granule_id"
    ):
        ra, dec = math.radians(row[1]), math.radians(row[2])
        here = (math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec))
        # The chord of a small angle is that angle.
        far = np.linalg.norm(where - here, axis=1)
        if far.size and far.min() < math.radians(badcal.SAME_STAR / 3600):
            members[int(far.argmin())].append(row)
        else:
            centres.append(here)
            members.append([row])
            where = np.array(centres)
    return [
        Calibrator(
            rows[0][1],
            rows[0][2],
            Counter(row[3] for row in rows if row[3]).most_common(1)[0][0]
            if any(row[3] for row in rows)
            else None,
            tuple(row[0] for row in rows),
        )
        for rows in members
    ]


def _points(rows: Sequence[dict[str, Any]]) -> Points:
    """Rows of baselines as arrays, those of the file that is to be preferred first.

    An observation is what one instrument does in one night: all files of it, and the two
    polarisations of one file, share the errors of its calibration.
    """

    def column(name: str) -> calibrators.Floats:
        return np.array([row[name] for row in rows], dtype=float)

    def numbered(keys: list[Any]) -> Any:
        known: dict[Any, int] = {}
        return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)

    return Points(
        column("u"), column("v"), column("em_min"), column("em_max"), column("vis2"),
        column("vis2_err"),
        numbered(
            [
                (row["instrument_name"], *_night(row))
                for row in rows
            ]
        ),
        numbered([tuple(sorted((row["station1"] or "", row["station2"] or ""))) for row in rows]),
        numbered([row["file_id"] for row in rows]), column("mjd"), column("int_time"),
    )  # fmt: skip


def _night(row: dict[str, Any]) -> tuple[Any, ...]:
    """Which night a row is of; a granule whose night is not known has one of its own."""
    return row["facility_name"], row["night"] or row["granule_id"]


def _band(wavelength: float) -> str:
    """The photometric band that a wavelength (m) is in."""
    band = jmdc_bands.read(f"{wavelength * 1e6:.4f}")
    return band.letters[:1] if band and band.letters else "Q"


# ---------------------------------------------------------------- what catalogues have


def _catalogues(connection: Any) -> set[str]:
    """Which of the data sets with diameters are in this centre."""
    return {
        name
        for name, there in connection.query(
            "SELECT name, to_regclass(name) IS NOT NULL"
            " FROM unnest(ARRAY['jsdc.star', 'jmdc.measurement']) AS name"
        )
        if there
    }


def _diameters(
    connection: Any, catalogues: set[str], star: Calibrator, bands: set[str]
) -> tuple[dict[str, tuple[float, float]], str | None]:
    """Uniform-disk diameters (mas) by band with their relative errors, and where they are from.

    Measured ones of JMDC, if it has one in each of the bands, else computed ones of JSDC; empty
    where neither knows the star, or how well it does.
    """
    place = {"ra": star.ra, "dec": star.dec, "radius": badcal.SAME_STAR / 3600}
    if "jmdc.measurement" in catalogues:
        measured: dict[str, list[tuple[float, float]]] = {}
        for letters, diameter, error in connection.query(_MEASURED, place):
            for letter in letters.split():
                measured.setdefault(letter, []).append((diameter, error))
        if bands and bands <= measured.keys():
            return {band: _mean(measured[band]) for band in bands}, "jmdc"
    if "jsdc.star" in catalogues:
        for row in connection.queryToDicts(_COMPUTED, place):
            found = {band: row[f"udd_{_JSDC_BANDS[band]}"] for band in bands}
            if row["e_ldd"] and all(diameter for diameter in found.values()):
                error = max(row["e_ldd"] / row["ldd"], _LEAST_ERROR)
                return {band: (diameter, error) for band, diameter in found.items()}, "jsdc"
    return {}, None


def _mean(found: list[tuple[float, float]]) -> tuple[float, float]:
    """Weighted mean of diameters, and its relative error."""
    weights = [1 / error**2 for _, error in found]
    mean = sum(w * d for w, (d, _) in zip(weights, found, strict=True)) / sum(weights)
    return mean, max(sum(weights) ** -0.5 / mean, _LEAST_ERROR)


# ---------------------------------------------------------------- filing


def _numbers(
    verdict: Verdict,
    diameters: dict[str, tuple[float, float]],
    bands: list[str],
    source: str | None,
) -> dict[str, Any]:
    """Columns of the candidate table that say what was found; ``bands`` are those of its points."""
    expected, error, factor = None, None, 1.0
    if diameters:
        expected, relative = diameters[Counter(bands).most_common(1)[0][0]]
        error = expected * relative
        # From the mean over the points to the band of most of them.
        factor = expected / float(np.mean([diameters[band][0] for band in bands]))
    companion = verdict.companion if verdict.reason == "binary" else None
    return {
        "n_points": verdict.n_points,
        "expected_diam": expected,
        "expected_diam_err": error,
        "diam_source": source,
        "chi2_expected": verdict.chi2_expected,
        "ud_diam": verdict.diameter * factor,
        "ud_diam_err": verdict.diameter_error and verdict.diameter_error * factor,
        "chi2_ud": verdict.chi2_disk,
        "flux_ratio": companion and companion.flux_ratio,
        "separation": companion and companion.separation,
        "position_angle": companion and companion.position_angle,
        "chi2_binary": verdict.chi2_binary if companion else None,
    }


def _file(
    connection: Any,
    star: Calibrator,
    rows: Sequence[dict[str, Any]],
    verdict: Verdict,
    numbers: dict[str, Any],
) -> bool:
    """Files a candidate, unless BadCal has the star, or the same data have been judged.

    ``rows`` are those of the points that were used.
    """
    store.alone(connection)
    badcal_id = store.star_at(connection, star.ra, star.dec)
    granules = sorted({row["granule_id"] for row in rows})
    earlier = list(_earlier(connection, badcal_id)) if badcal_id is not None else []
    reported = any(
        report["origin"] != "program" and report["state"] in ("accepted", "submitted")
        for report in earlier
    )
    accepted = any(report["state"] == "accepted" for report in earlier)
    judged = {granule for report in earlier for granule in report["granules"]}
    if reported or accepted or set(granules) <= judged:
        connection.commit()
        return False
    stored = store.add(connection, _report(star, rows, verdict, numbers), _PROGRAM, "candidate")
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    key = {"report_id": stored.report_id, "badcal_id": stored.badcal_id}
    nights = len({_night(row) for row in rows})
    server = base.getConfig("web", "serverURL")
    store.insert(
        connection,
        "stored_candidate",
        [
            {
                **key,
                **numbers,
                "n_nights": nights,
                "computed": now,
                "plot_url": f"{server}/badcal/plot/{stored.report_id}.png",
            }
        ],
    )
    store.insert(connection, "evidence", [{**key, "granule_id": granule} for granule in granules])
    picture = plots.draw_calibrator(
        verdict,
        star.name or f"BadCal {stored.badcal_id}",
        " · ".join(dict.fromkeys(_instrument(row) for row in rows)),
        f"{verdict.n_points} squared visibilities of {nights} night{'s' * (nights > 1)}, OiDB",
    )
    store.insert(connection, "stored_plot", [{**key, "png": picture}])
    for report in earlier:
        if report["state"] == "candidate":
            why = f"There are new data: report {stored.report_id}."
            store.replace(connection, report["report_id"], _PROGRAM, why)
    connection.commit()
    return True


def _earlier(connection: Any, badcal_id: int) -> Iterator[dict[str, Any]]:
    """The reports of a star, with the granules that they were found in."""
    yield from connection.queryToDicts(
        "SELECT r.report_id, r.origin, r.state,"
        " ARRAY(SELECT e.granule_id FROM badcal.evidence AS e"
        "  WHERE e.report_id = r.report_id) AS granules"
        " FROM badcal.stored_report AS r WHERE r.badcal_id = %(id)s",
        {"id": badcal_id},
    )


def _report(
    star: Calibrator,
    rows: Sequence[dict[str, Any]],
    verdict: Verdict,
    numbers: dict[str, Any],
) -> badcal.Report:
    """What was found, as a report."""
    lengths = [row["length"] for row in rows if row["length"] is not None]
    waves = [row["em_min"] for row in rows] + [row["em_max"] for row in rows]
    # No number: those stand where they are hidden when the data become private.
    words = "The squared visibilities in OiDB fit a binary, and no disk."
    if verdict.reason == "resolved":
        source = str(numbers["diam_source"]).upper()
        words = (
            f"The squared visibilities in OiDB fit a disk larger than the one that {source} has."
        )
    nights: list[date] = sorted(row["night"] for row in rows if row["night"] is not None)
    return badcal.Report(
        ra=star.ra,
        dec=star.dec,
        reason_class=verdict.reason or "other",
        name=_taken(badcal.name, star.name),
        obs_date=nights[-1] if nights else None,
        interferometer=_listed("interferometer", (row["facility_name"] for row in rows)),
        instrument=_listed("instrument", (row["instrument_name"] for row in rows)),
        baseline=f"{min(lengths):.0f}-{max(lengths):.0f} m" if lengths else None,
        wavelength=f"{min(waves) * 1e6:.3g}-{max(waves) * 1e6:.3g}",
        comment=words,
    )


def _taken(reader: Callable[[str], str], text: str | None) -> str | None:
    """A text from a file as a report has it, if it is one that BadCal takes."""
    try:
        return None if text is None else reader(text)
    except ValueError:
        return None


def _instrument(row: dict[str, Any]) -> str:
    return str(row["instrument_name"] or row["facility_name"] or "unknown instrument")


def _listed(field: str, names: Iterator[str | None]) -> str | None:
    """Different names from files as the text of a field, if BadCal takes it."""
    read = partial(badcal.text, field)
    known = {found for name in set(names) if (found := _taken(read, name)) is not None}
    return _taken(read, ", ".join(sorted(known)))
