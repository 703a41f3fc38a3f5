#!/usr/bin/python3
"""Measures what the documentation quotes, and prints it as tables in Markdown; `make bench`.

What is compared runs in turn, several times, and the best time of each counts: what else happens
on the machine can only make a time longer. Nothing here is a test: no time makes it fail.
"""

import http.client
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from centre import cluster
from centre.instance import CHECKOUT, Instance
from ingest import discover, simulate
from tests.bench import headers
from tests.live.conftest import Centre, free_port

#: Real files, when they lie beside the checkout.
SHARED = CHECKOUT.parent / "shared" / "data" / "oifits"
ROUNDS = 3
#: Seconds of each measurement of a query: through the web, and in PostgreSQL.
WEB_SECONDS, POSTGRESQL_SECONDS = 4.0, 3
CLIENTS = (1, 8)
#: Places around which is searched, one after the other, and the radius, degrees.
CENTRES, RADIUS = 20, 0.1
ROWS = 100_000


def main() -> None:
    """Measures everything; leaves nothing behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    with _files() as (files, kind), _centre() as centre:
        size = sum(path.stat().st_size for path in files)
        print(_machine())
        print(f"Files: {len(files)} {kind}, {size / 1e6:.1f} MB.\n")
        alone = measure_reading(files)
        measure_headers()
        measure_ingestion(centre, files, alone)
        with psycopg2.connect(_dsn(centre)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT s_ra, s_dec FROM (SELECT DISTINCT s_ra, s_dec FROM oidb.granule"
                " WHERE s_ra IS NOT NULL) AS places ORDER BY md5(s_ra::text) LIMIT %s",
                (CENTRES,),
            )
            places = cursor.fetchall()
        measure_queries(centre, places)
        measure_results(centre)
    print(f"\nAll of this took {time.monotonic() - began:.0f} s.")


@contextmanager
def _files() -> Iterator[tuple[list[Path], str]]:
    """The files to read, and what they are."""
    if SHARED.is_dir():
        yield list(discover.files([SHARED])), "real and synthetic OIFITS files of ../shared"
        return
    with tempfile.TemporaryDirectory() as scratch:
        simulate.demonstration(Path(scratch))
        yield list(discover.files([scratch])), "simulated files: there are no real ones beside here"


@contextmanager
def _centre() -> Iterator[Centre]:
    """An instance without data, not started."""
    made = Centre(CHECKOUT / "var" / f"bench-{os.getpid()}", free_port())
    try:
        made.succeed("init")
        yield made
    finally:
        made.remove()


def _dsn(centre: Centre) -> str:
    return Instance(centre.root, centre.port, "127.0.0.1", centre.url).dsn()


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, PostgreSQL {cluster.programs().parent.name}; the load "
        f"average at the beginning was {load:.1f}."
    )


def _table(*header: str) -> None:
    print(f"| {' | '.join(header)} |\n|{' --- |' * len(header)}")


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


# --- reading --------------------------------------------------------------------------------------


@dataclass
class Cost:
    """What a process took: seconds, seconds of processor time, MB; `started` with its start."""

    wall: float
    cpu: float
    peak: float
    started: float

    def best(self, other: "Cost") -> "Cost":
        """The lesser of each."""
        return Cost(
            min(self.wall, other.wall),
            min(self.cpu, other.cpu),
            min(self.peak, other.peak),
            min(self.started, other.started),
        )


def _read(way: str, files: list[Path]) -> Cost:
    began = time.perf_counter()
    result = subprocess.run(
        ["/usr/bin/python3", "-m", "tests.bench.reading", way, *map(str, files)],
        cwd=CHECKOUT,
        check=True,
        stdout=subprocess.PIPE,
    )
    return Cost(**json.loads(result.stdout), started=time.perf_counter() - began)


def measure_headers() -> None:
    """ESO's headers into exposures on one core; of real ones, where they are."""
    paths = sorted((SHARED.parent / "eso_headers").glob("*/*.hdr"))
    if not paths:
        print("Headers: no real ones beside the checkout.\n")
        return
    cost = headers.measure(paths)
    print(
        f"Headers into exposures: {cost['per_second']:.0f} per second and core"
        f" ({cost['headers']:.0f} real ones of {cost['cards']:.0f} cards on average).\n"
    )


def measure_reading(files: list[Path]) -> Cost:
    """Reading, extraction and validation in one process; what extraction and validation cost."""
    half = files[::2]
    tried: dict[str, Callable[[], Cost]] = {
        "extraction and validation": lambda: _read("extract_and_check", files),
        "the same of every second file": lambda: _read("extract_and_check", half),
        "extraction": lambda: _read("extract", files),
        "our reader": lambda: _read("read_only", files),
        "reading the bytes": lambda: _read("read_bytes", files),
        "astropy, all columns": lambda: _read("with_astropy", files),
    }
    costs: dict[str, Cost] = {}
    for number in range(ROUNDS):
        for name, measure in tried.items():
            if number == 0 or "astropy" not in name:  # that one takes long enough
                cost = measure()
                costs[name] = cost.best(costs[name]) if name in costs else cost
    ours = costs["extraction and validation"]
    print("One process; times without and with its start:\n")
    _table("what", "s", "with start, s", "CPU s", "peak MB", "files/s", "CPU against ours")
    for name, cost in costs.items():
        count = len(half) if "second" in name else len(files)
        _row(
            name,
            f"{cost.wall:.2f}",
            f"{cost.started:.2f}",
            f"{cost.cpu:.2f}",
            f"{cost.peak:.0f}",
            f"{count / cost.wall:.0f}",
            f"{cost.cpu / ours.cpu:.2f}",
        )
    size, half_size = (sum(path.stat().st_size for path in part) for part in (files, half))
    less = costs["the same of every second file"]
    print(
        f"\nEvery second file is {len(half) / len(files):.0%} of the files and "
        f"{half_size / size:.0%} of the bytes, and takes {less.cpu / ours.cpu:.0%} of the CPU time "
        f"and {less.peak / ours.peak:.0%} of the memory.\n"
    )
    return ours


def measure_ingestion(centre: Centre, files: list[Path], alone: Cost) -> None:
    """Ingestion without plots, into the database; then once more, when all is there."""
    _table("ingestion without plots", "s", "files/s", "time against extraction and validation")
    for name in ("new files", "the same again, all unchanged"):
        began = time.perf_counter()
        result = centre.jmmc(
            "ingest", "oifits", *map(str, files), "--no-plots", "--collection", "bench"
        )
        took = time.perf_counter() - began
        if not result.stdout:
            raise SystemExit(result.stderr)
        _row(name, f"{took:.1f}", f"{len(files) / took:.0f}", f"{took / alone.started:.1f}")
    print(f"\n{result.stdout.splitlines()[-1]}.\n")
    centre.succeed("start")


# --- queries --------------------------------------------------------------------------------------


def measure_queries(centre: Centre, places: list[tuple[float, float]]) -> None:
    """Latency of small queries through the web against the same in PostgreSQL."""
    top = "SELECT TOP 5 * FROM oidb.granule"
    circle = "1=CONTAINS(POINT(s_ra, s_dec), CIRCLE({}, {}, {}))"
    cones = [f"SELECT * FROM oidb.granule WHERE {circle.format(*p, RADIUS)}" for p in places]
    sql_cones = [
        "SELECT * FROM oidb.granule WHERE spoint(radians(s_ra), radians(s_dec))"
        f" <@ scircle(spoint(radians({ra!r}), radians({dec!r})), radians({RADIUS}))"
        for ra, dec in places
    ]
    searched = [
        "/oidb/q/cone/scs.xml?" + urlencode({"RA": ra, "DEC": dec, "SR": RADIUS, "VERB": 3})
        for ra, dec in places
    ]
    tried = {
        "cone search (SCS)": (searched, sql_cones),
        "TAP, cone": ([_tap(query) for query in cones], sql_cones),
        "TAP, TOP 5": ([_tap(top)], ["SELECT * FROM oidb.granule LIMIT 5"]),
    }
    print("Latency, ms; a new connection for each request through the web, none for pgbench:\n")
    _table(
        "query", "clients", "p50", "p95", "requests/s", "PostgreSQL p50", "p95", "ratio p50", "p95"
    )
    for name, (paths, statements) in tried.items():
        _ask(centre, paths, 1, 1.0)
        for clients in CLIENTS:
            web = _ask(centre, paths, clients, WEB_SECONDS)
            database = _pgbench(centre, statements, clients)
            ours, theirs = _percentiles(web), _percentiles(database)
            _row(
                name,
                str(clients),
                *(f"{value:.1f}" for value in ours),
                f"{len(web) / WEB_SECONDS:.0f}",
                *(f"{value:.2f}" for value in theirs),
                *(f"{one / other:.0f}" for one, other in zip(ours, theirs, strict=True)),
            )


def _tap(query: str, format: str = "votable", **more: str) -> str:
    parameters = {"LANG": "ADQL", "FORMAT": format, "QUERY": query, **more}
    return "/tap/sync?" + urlencode(parameters, quote_via=quote)


def _get(centre: Centre, path: str) -> int:
    """Bytes of an answer, which must be a good one."""
    connection = http.client.HTTPConnection("127.0.0.1", centre.port, timeout=120)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200 or b'value="ERROR"' in body[:4000]:
        raise SystemExit(f"{path}: {answer.status} {body[:400]!r}")
    return len(body)


def _ask(centre: Centre, paths: list[str], clients: int, seconds: float) -> list[float]:
    """Times of all requests, ms, of so many clients that each ask again when answered."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        while (began := time.perf_counter()) < end:
            _get(centre, paths[number % len(paths)])
            times.append((time.perf_counter() - began) * 1e3)
            number += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _pgbench(centre: Centre, statements: Iterable[str], clients: int) -> list[float]:
    """Times of the statements in PostgreSQL, ms: prepared, connections kept open."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [str(cluster.programs() / "pgbench"), "--no-vacuum", "--protocol=prepared"]
        command += [f"--client={clients}", f"--jobs={min(clients, 2)}"]
        command += [f"--time={POSTGRESQL_SECONDS}", "--log"]
        for number, statement in enumerate(statements):
            script = Path(scratch, f"{number}.sql")
            script.write_text(f"{statement};\n")
            command.append(f"--file={script}")
        subprocess.run([*command, _dsn(centre)], cwd=scratch, check=True, capture_output=True)
        return [
            int(line.split()[2]) / 1e3
            for log in Path(scratch).glob("pgbench_log.*")
            for line in log.read_text().splitlines()
        ]


def _percentiles(times: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]


def measure_results(centre: Centre) -> None:
    """A long result through TAP against COPY of the same query."""
    # Every point of the uv plane many times: this instance has too few for a long result.
    query = "b.* FROM oidb.baseline AS b, oidb.granule AS g"
    tried = {"BINARY2": ("votable/b2", "binary"), "CSV": ("csv", "csv")}
    print(f"\n{ROWS} rows of 12 columns:\n")
    _table("format", "s", "rows/s", "MB", "COPY, s", "rows/s", "time against COPY")
    for name, (format, copy_format) in tried.items():
        path = _tap(f"SELECT TOP {ROWS} {query}", format, MAXREC=str(ROWS))
        command = [str(cluster.programs() / "psql"), "--quiet", f"--dbname={_dsn(centre)}"]
        copy = f"COPY (SELECT {query} LIMIT {ROWS}) TO STDOUT (FORMAT {copy_format})"
        command += [f"--command={copy}"]
        web, database, size = [], [], 0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            size = _get(centre, path)
            web.append(time.perf_counter() - began)
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            database.append(time.perf_counter() - began)
        ours, theirs = min(web), min(database)
        _row(
            name,
            f"{ours:.2f}",
            f"{ROWS / ours:.0f}",
            f"{size / 1e6:.1f}",
            f"{theirs:.2f}",
            f"{ROWS / theirs:.0f}",
            f"{ours / theirs:.1f}",
        )


if __name__ == "__main__":
    main()
