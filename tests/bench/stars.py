#!/usr/bin/python3
"""Measures JSDC and the stars of all data sets at full size, and prints tables in Markdown.

    tests/bench/stars.py [--stars 465877] [--targets 35000] [--exposures 1000000] [--keep]

A simulated JSDC and a simulated log of the same sky are put into an instance of its own: targets
and exposures with no more than what is counted of them here. The cross-match is done by us, by
plain PostgreSQL and by STILTS, on the same rows. Nothing here is a test: no time makes it fail.
"""

import argparse
import http.client
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

# In place of this folder, where "obsportal" is another file of it.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import psycopg2
from psycopg2.extras import execute_values

from centre import account, cluster
from centre.instance import CHECKOUT, Instance
from ingest import simulate_jsdc
from ingest.simulate_jsdc import Known
from ingest.simulate_log import Log
from tests.live.conftest import Centre, free_port

#: Requests of each question to the server.
REQUESTS = 60
_SEED = 5

#: Calibrators within 2 degrees, small by JSDC, not reported as bad, which VLTI has observed.
QUESTION = """
  SELECT s.star_name, j.ldd, j.e_ldd, j.kmag, s.n_measurements, s.n_vlti_exposures
  FROM jmmc.star AS s JOIN jsdc.star AS j ON s.jsdc_id=j.star_id
  WHERE 1=CONTAINS(POINT('ICRS', s.s_ra, s.s_dec), CIRCLE('ICRS', {ra}, {dec}, 2))
    AND j.ldd < 0.5 AND j.cal_flag=0 AND s.badcal_id IS NULL AND s.n_vlti_exposures > 0
  ORDER BY j.kmag"""

_PG_SPHERE = """
  SELECT t.target_id, j.star_id FROM obsportal.target AS t JOIN jsdc.star AS j
    ON spoint(radians(j.ra), radians(j.dec))
      <@ scircle(spoint(radians(t.s_ra), radians(t.s_dec)), radians(5 / 3600.0))"""
#: Without an extension: an index of declinations, and the formula of haversines.
_PLAIN = """
  SELECT t.target_id, j.star_id FROM obsportal.target AS t JOIN jsdc.star AS j
    ON j.dec BETWEEN t.s_dec - 5 / 3600.0 AND t.s_dec + 5 / 3600.0
    AND power(sin(radians(j.dec - t.s_dec) / 2), 2) + cos(radians(j.dec)) * cos(radians(t.s_dec))
      * power(sin(radians(j.ra - t.s_ra) / 2), 2) <= power(sin(radians(5 / 3600.0) / 2), 2)"""


def main() -> None:
    """Measures everything; leaves nothing behind, unless it is told to."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options().parse_args()
    print(f"{os.cpu_count()} cores, load average at the beginning {os.getloadavg()[0]:.1f}.\n")
    with _centre(options) as centre:
        folder = centre.root / "bench"
        print("| | s |\n| --- | --- |", flush=True)
        _in_instance(centre, "load", str(folder), options.targets, options.exposures)
        centre.succeed("start")
        _match(centre, folder)
        print("\n| through the web, one client | p50, ms | p95, ms |\n| --- | --- | --- |")
        _ask_all(centre)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stars", type=int, default=simulate_jsdc.SIZE, help="of JSDC")
    parser.add_argument("--targets", type=int, default=35_000)
    parser.add_argument("--exposures", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="leave the instance there, started")
    return parser


@contextmanager
def _centre(options: argparse.Namespace) -> Iterator[Centre]:
    """An instance with files of JSDC, nothing in it and not started."""
    made = Centre(CHECKOUT / "var" / f"bench-{os.getpid()}", free_port())
    try:
        made.succeed("init")
        folder = made.root / "bench"
        folder.mkdir()
        folder.chmod(0o755)
        stars = Log(options.exposures, options.targets).stars
        rng = np.random.default_rng(_SEED)
        # Nearly all calibrators are in JSDC, and half of the other targets.
        share = np.where(stars.calibrator, 0.95, 0.5)
        known = [
            Known(stars.names(star)[0], float(stars.ra[star]), float(stars.dec[star]))
            for star in np.flatnonzero(rng.random(len(share)) < share).tolist()
        ]
        columns = simulate_jsdc.simulate(options.stars, known)
        simulate_jsdc.write_fits(columns, folder / "jsdc.fits")
        simulate_jsdc.write_tsv(columns, folder / "jsdc.tsv")
        simulate_jsdc.write_votable(columns, folder / "jsdc.vot")
        yield made
    finally:
        if not options.keep:
            made.remove()


def _row(what: str, seconds: float, note: str = "") -> None:
    print(f"| {what}{note} | {seconds:.1f} |", flush=True)


def _timed(what: str, work: Callable[[], Any], note: str = "") -> Any:
    began = time.perf_counter()
    result = work()
    _row(what, time.perf_counter() - began, note)
    return result


def _in_instance(centre: Centre, *arguments: object) -> None:
    """Runs a part of this file in the instance's environment."""
    command = ["/usr/bin/python3", __file__, *map(str, arguments)]
    subprocess.run(command, env=centre.environment, check=True)


def load(folder: Path, targets: int, exposures: int) -> None:
    """Fills the instance of the environment."""
    instance = Instance.from_environment()
    account.leave_root(instance.root)
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from gavo import base

        from ingest import jsdc
        from jmmc.res import stars
        from jsdc.res import store

        for form in ("vot", "tsv", "fits"):
            path = folder / f"jsdc.{form}"
            note = f", {path.stat().st_size / 1e6:.0f} MB"
            catalogue = _timed(f"JSDC read: {form}", partial(jsdc.read, path), note)
        _timed(
            "JSDC loaded, with indexes and statistics",
            lambda: store.load(catalogue, lambda connection: None),
        )
        _timed("JSDC in the place of JSDC", lambda: store.load(catalogue, lambda connection: None))
        _log(targets, exposures)

        def follow(*data_sets: str) -> None:
            with base.getWritableAdminConn() as connection:
                print(f"| ({stars.follow(connection, data_sets)}) | |")
                connection.commit()

        _timed("stars of JSDC", lambda: follow("jsdc"))
        with base.getWritableAdminConn() as connection:
            connection.execute(
                "UPDATE jmmc.star SET target_id = NULL; DELETE FROM jmmc.link;"
                " DELETE FROM jmmc.star WHERE jsdc_id IS NULL; DELETE FROM jmmc.star_alias"
            )
            connection.commit()
        _timed("cross-match by us: all targets, names and counts too", lambda: follow("obsportal"))
        _timed("the same when nothing has changed", lambda: follow("obsportal"))
        with base.getWritableAdminConn() as connection:
            connection.execute("UPDATE obsportal.target SET n_exposures = n_exposures + 1"
                               " WHERE MOD(target_id, 350) = 0")  # fmt: skip
            connection.commit()
        _timed("the same when 100 targets have changed", lambda: follow("obsportal"))
        _timed("all data sets when nothing has changed", lambda: follow(*stars.DATA_SETS))


def _log(targets: int, exposures: int) -> None:
    """Targets with their names and exposures, with nothing else of them."""
    log = Log(exposures, targets)
    counts = [int(number) for number in log.shares]
    instance = Instance.from_environment()
    with psycopg2.connect(instance.dsn()) as connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO obsportal.target (target_name, s_ra, s_dec, target_id, pm_ra, pm_dec,"
            " n_exposures, created) VALUES %s",
            [
                (
                    log.stars.names(star)[0], float(log.stars.ra[star]), float(log.stars.dec[star]),
                    star + 1, float(log.stars.pm_ra[star]) or None,
                    float(log.stars.pm_dec[star]) or None, counts[star], "2026-01-01",
                )
                for star in range(targets)
            ],
        )  # fmt: skip
        from ingest import names

        execute_values(
            cursor,
            "INSERT INTO obsportal.target_alias (target_id, alias, alias_key, n_exposures)"
            " VALUES %s",
            [
                (star + 1, name, names.key(name) or name, 1)
                for star in range(targets)
                for name in log.stars.names(star)
            ],
        )
        cursor.execute(
            "INSERT INTO obsportal.stored_header (header_id, archive, state, listed)"
            " VALUES ('simulated', 'ESO', 'read', '2026-01-01')"
        )
        cursor.execute(
            "INSERT INTO obsportal.exposure (exposure_id, header_id, exposure_number,"
            " obs_publisher_did, target_id, target_name, s_ra, s_dec, t_min, instrument_name,"
            " facility_name, dataproduct_category, validation_level, validation_log, quality_flags,"
            " on_sky, updated)"
            " SELECT t.target_id || '_' || n, 'simulated', n,"
            "  'ivo://x/~?obsportal/' || t.target_id || '_' || n, t.target_id, t.target_name,"
            "  t.s_ra, t.s_dec, 55000 + n, 'PIONIER',"
            "  CASE WHEN (%(vlti)s)[t.target_id] * 100 > n %% 100 THEN 'VLTI' ELSE 'CHARA' END,"
            "  'CALIB', 1, '[]', '', 1, '2026-01-01'"
            " FROM obsportal.target AS t, generate_series(1, t.n_exposures) AS n",
            {"vlti": [float(share) for share in log.stars.vlti]},
        )
        cursor.execute("ANALYZE obsportal.target, obsportal.target_alias, obsportal.exposure")


def _match(centre: Centre, folder: Path) -> None:
    """The bare match of targets with JSDC within 5 arcsec, elsewhere."""
    instance = Instance(centre.root, centre.port, "127.0.0.1", centre.url)
    with psycopg2.connect(instance.dsn()) as connection:
        cursor = connection.cursor()

        def pairs(statement: str) -> set[tuple[int, int]]:
            cursor.execute(statement)
            return {(row[0], row[1]) for row in cursor.fetchall()}

        by_sphere = _timed("positions only, by pg_sphere's index", lambda: pairs(_PG_SPHERE))
        cursor.execute("CREATE INDEX dec_only ON jsdc.star (dec); ANALYZE jsdc.star")
        plain = _timed("positions only, plain PostgreSQL", lambda: pairs(_PLAIN))
        for name, query in {
            "targets": "SELECT target_id, s_ra, s_dec FROM obsportal.target",
            "stars": "SELECT star_id, ra, dec FROM jsdc.star",
        }.items():
            with (folder / f"{name}.csv").open("wb") as file:
                cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", file)
        connection.rollback()
    stilts = CHECKOUT / "var" / "tools" / "bin" / "stilts"
    for name in ("targets", "stars"):
        table = folder / name
        subprocess.run([stilts, "tcopy", f"{table}.csv", f"{table}.fits", "ifmt=csv"], check=True)
    _timed(
        "positions only, STILTS tskymatch2 (FITS to CSV, with the start of Java)",
        lambda: subprocess.run(
            [
                stilts, "tskymatch2", f"in1={folder}/targets.fits", f"in2={folder}/stars.fits",
                "ra1=s_ra", "dec1=s_dec", "ra2=ra", "dec2=dec", "error=5", "find=all",
                f"out={folder}/pairs.csv",
            ],
            check=True, capture_output=True,
        ),
    )  # fmt: skip
    with (folder / "pairs.csv").open() as text:
        head = text.readline().strip().split(",")
        places = head.index("target_id"), head.index("star_id")
        rows = [line.split(",") for line in text]
    by_stilts = {(int(row[places[0]]), int(row[places[1]])) for row in rows}
    same = by_sphere == plain == by_stilts
    print(f"\n{len(by_stilts)} pairs; {'all three agree' if same else 'they DIFFER'}.")


def _ask_all(centre: Centre) -> None:
    """The questions, each around and about other stars."""
    instance = Instance(centre.root, centre.port, "127.0.0.1", centre.url)
    with psycopg2.connect(instance.dsn()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT s_ra, s_dec, star_name, star_id FROM jmmc.star WHERE target_id IS NOT NULL"
            " ORDER BY md5(star_id::text) LIMIT %s",
            (REQUESTS,),
        )
        stars = cursor.fetchall()
    questions: dict[str, Callable[[Any], tuple[str, str, str | None]]] = {
        "the question across data sets, /tap/sync": lambda star: (
            "POST", "/tap/sync",
            urlencode({"LANG": "ADQL", "FORMAT": "json",
                       "QUERY": QUESTION.format(ra=star[0], dec=star[1])}),
        ),
        "front page, by name: JSON": lambda star: (
            "GET", f"/star.json?{urlencode({'name': star[2]})}", None
        ),
        "front page, by position: JSON": lambda star: (
            "GET", f"/star.json?{urlencode({'name': f'{star[0]} {star[1]}'})}", None
        ),
        "page of a star": lambda star: ("GET", f"/star/{star[3]}", None),
    }  # fmt: skip
    for what, question in questions.items():
        times = []
        for star in stars:
            method, path, body = question(star)
            began = time.perf_counter()
            connection_ = http.client.HTTPConnection("127.0.0.1", centre.port, timeout=60)
            headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
            connection_.request(method, path, body, headers)
            answer = connection_.getresponse()
            data = answer.read()
            connection_.close()
            times.append((time.perf_counter() - began) * 1e3)
            if answer.status != 200:
                raise SystemExit(f"{path}: {answer.status} {data[:300]!r}")
        times.sort()
        p95 = times[len(times) * 95 // 100]
        print(f"| {what} | {statistics.median(times):.1f} | {p95:.1f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
