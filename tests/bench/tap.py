#!/usr/bin/python3
"""Measures TAP and cone searches with the acceleration of fast/ and without, and prints tables.

    tests/bench/tap.py [--size 1000000] [--seconds 4] [--rounds 3] [--singles 300] [--keep]

Both servers are of one instance, with one database, and run side by side; what is compared runs in
turn, so that what else the machine does meanwhile disturbs both. `wrk` (Debian's package) makes the
load of many clients. Nothing here is a test: no time makes it fail.
"""

import argparse
import http.client
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

# In place of this folder, where "tap" is this file.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psycopg2

from centre.instance import Instance
from tests.bench import obsportal
from tests.live import second

CLIENTS = 16
RADIUS = 0.2
COLUMNS = (
    "exposure_number, t_min, s_ra, s_dec, seeing, tau0, uv_distance_max,"
    " target_name, instrument_name, stations, progid"
)
TOP = f"SELECT TOP 5 {COLUMNS} FROM obsportal.exposure"
CONE = (
    f"SELECT {COLUMNS} FROM obsportal.exposure"
    " WHERE 1=CONTAINS(POINT(s_ra, s_dec), CIRCLE({ra:.6f}, {dec:.6f}, {radius}))"
)


def main() -> None:
    """Measures everything; leaves nothing behind unless it is told to."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options().parse_args()
    with ExitStack() as stack:
        log = stack.enter_context(obsportal._log(options.size, options.keep))
        instance = obsportal._instance(log.centre)
        places = _places(instance)
        servers = [
            stack.enter_context(_server(instance, "stock", "0")),
            stack.enter_context(_server(instance, "fast", "1")),
        ]
        print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.", flush=True)
        print(f"Cones of {RADIUS}°, {_rows(servers[0], places):.1f} rows on average.\n")
        for server in servers:
            _warm_up(server, places)
        measure_single(servers, places, _dids(instance), options.singles)
        measure_many(servers, places, options.rounds, options.seconds)
        measure_streams(servers, options.size, options.rounds)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="exposures in the log")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--singles", type=int, default=300, help="requests of a single client")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement")
    parser.add_argument("--keep", action="store_true", help="leave the log for the next run")
    return parser


# --- the servers ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A server and what it is called."""

    name: str
    port: int
    running: second.Server

    def memory(self) -> float:
        """Memory of the server and of the processes it has started, each page once, MB."""
        total = 0
        for number in self.running.family():
            try:
                text = Path(f"/proc/{number}/smaps_rollup").read_text()
            except OSError:
                continue
            total += int(text.partition("\nPss:")[2].split()[0])
        return total / 1024


@contextmanager
def _server(instance: Instance, name: str, switch: str) -> Iterator[Server]:
    with second.server(instance, {"JMMC_FAST": switch}) as running:
        time.sleep(5)  # until all is loaded in the background, too
        yield Server(name, running.port, running)


def _dids(instance: Instance) -> list[str]:
    """Identifiers of some exposures."""
    with psycopg2.connect(instance.dsn()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT obs_publisher_did FROM obsportal.exposure LIMIT 100")
        return [did for (did,) in cursor]


def _places(instance: Instance) -> list[tuple[float, float]]:
    """Places (degrees) around which is searched: somewhere near targets."""
    chance = random.Random(1)
    with psycopg2.connect(instance.dsn()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT s_ra, s_dec FROM (SELECT DISTINCT s_ra, s_dec FROM obsportal.target"
            " WHERE s_ra IS NOT NULL) AS places ORDER BY md5(s_ra::text) LIMIT 500"
        )
        return [
            (float(ra) + chance.uniform(-1, 1), max(-90.0, min(90.0, dec + chance.uniform(-1, 1))))
            for ra, dec in cursor
        ]


# --- questions ------------------------------------------------------------------------------------


def _tap(query: str, form: str = "votable", limit: int | None = None) -> str:
    fields = {"LANG": "ADQL", "FORMAT": form, "QUERY": query}
    if limit is not None:
        fields["MAXREC"] = str(limit)
    return urlencode(fields)


def _cones(places: list[tuple[float, float]]) -> list[str]:
    return [_tap(CONE.format(ra=ra, dec=dec, radius=RADIUS)) for ra, dec in places]


def _scs(places: list[tuple[float, float]]) -> list[str]:
    return [
        "/obsportal/q/cone/scs.xml?"
        + urlencode({"RA": f"{ra:.6f}", "DEC": f"{dec:.6f}", "SR": RADIUS})
        for ra, dec in places
    ]


def _ask(server: Server, path: str, body: str) -> bytes:
    """An answer on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    try:
        if body:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, body, headers)
        else:
            connection.request("GET", path)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{server.name}: {answer.status} {data[:500]!r}")
        return data
    finally:
        connection.close()


def _rows(server: Server, places: list[tuple[float, float]]) -> float:
    """Rows in an answer to a cone, on average of some."""
    bodies = [_tap(CONE.format(ra=ra, dec=dec, radius=RADIUS), "csv") for ra, dec in places[:100]]
    return sum(_ask(server, "/tap/sync", body).count(b"\n") - 1 for body in bodies) / 100


def _warm_up(server: Server, places: list[tuple[float, float]]) -> None:
    for body in [_tap(TOP), *_cones(places[:5])] * 6:
        _ask(server, "/tap/sync", body)
    for path in _scs(places[:5]):
        _ask(server, path, "")


# --- measuring ------------------------------------------------------------------------------------


def _table(*header: str) -> None:
    print(f"| {' | '.join(header)} |\n|{' --- |' * len(header)}")


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _percentiles(times: list[float]) -> str:
    ordered = sorted(times)
    return f"{1000 * median(ordered):.1f} / {1000 * ordered[len(ordered) * 95 // 100]:.1f}"


def measure_single(
    servers: list[Server], places: list[tuple[float, float]], dids: list[str], singles: int
) -> None:
    """One client, each request on a new connection."""
    questions: dict[str, Callable[[int], tuple[str, str]]] = {
        "TAP, TOP 5": lambda _number: ("/tap/sync", _tap(TOP)),
        "TAP, cone": lambda number: ("/tap/sync", _cones(places)[number % 500]),
        "scs.xml": lambda number: (_scs(places)[number % 500], ""),
        "Datalink": lambda number: (
            "/resources/links/dl/dlmeta?" + urlencode({"ID": dids[number % len(dids)]}), "",
        ),
        "/search.votable": lambda number: (
            "/search.votable?"
            + urlencode({"ra": places[number % 500][0], "dec": places[number % 500][1],
                         "radius": 30.0}), "",
        ),
    }  # fmt: skip
    print("One client, a new connection each time; p50 / p95, ms:\n")
    _table("", *(server.name for server in servers))
    for name, question in questions.items():
        times: dict[str, list[float]] = {server.name: [] for server in servers}
        for number in range(singles):
            path, body = question(number)
            for server in servers:
                began = time.perf_counter()
                _ask(server, path, body)
                times[server.name].append(time.perf_counter() - began)
        _row(name, *(_percentiles(times[server.name]) for server in servers))
    print()


def measure_many(
    servers: list[Server], places: list[tuple[float, float]], rounds: int, seconds: float
) -> None:
    """Many clients on connections that stay open."""
    posts = {"TAP, TOP 5": [_tap(TOP)], "TAP, cone": _cones(places)}
    print(f"{CLIENTS} clients, connections kept; requests per second (p95, ms):\n")
    _table("", *(server.name for server in servers), "ratio")
    for name in (*posts, "scs.xml"):
        rates: dict[str, list[tuple[float, float]]] = {server.name: [] for server in servers}
        for number in range(rounds):
            for server in servers if number % 2 == 0 else servers[::-1]:
                found = _wrk(server, posts.get(name), _scs(places), seconds)
                rates[server.name].append(found)
        best = {key: max(found) for key, found in rates.items()}
        ratio = best[servers[1].name][0] / best[servers[0].name][0]
        cells = [f"{best[server.name][0]:.0f} ({best[server.name][1]:.0f})" for server in servers]
        _row(name, *cells, f"{ratio:.1f}")
    print()


def _wrk(
    server: Server, bodies: list[str] | None, paths: list[str], seconds: float
) -> tuple[float, float]:
    """Requests per second and the 95th percentile (ms) of wrk; stops when a request fails."""
    lines = ["local number = 0"]
    if bodies is not None:
        lines.append('wrk.method = "POST"')
        lines.append('wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"')
        texts = ", ".join(f'wrk.format(nil, "/tap/sync", nil, "{body}")' for body in bodies)
    else:
        texts = ", ".join(f'wrk.format(nil, "{path}")' for path in paths)
    lines.append(f"function init() requests = {{ {texts} }} end")
    lines.append("function request() number = number % #requests + 1; return requests[number] end")
    lines.append("function done(_, latency, _)")
    lines.append('io.write(string.format("P95 %.3f\\n", latency:percentile(95) / 1000)) end')
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write("\n".join(lines))
        file.flush()
        output = subprocess.run(
            ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds:.0f}s", "-s", file.name,
             "--timeout", "60s", f"http://127.0.0.1:{server.port}"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{server.name}: {output}")
    rate = re.search(r"Requests/sec:\s*([\d.]+)", output)
    late = re.search(r"P95 ([\d.]+)", output)
    assert rate is not None, output
    assert late is not None, output
    return float(rate[1]), float(late[1])


def measure_streams(servers: list[Server], size: int, rounds: int) -> None:
    """All exposures in one answer, and what it means to others."""
    print(f"{size} exposures of 11 columns in one answer, best of {rounds}:\n")
    _table("", "form", "s", "first byte, s", "MB", "memory, MB more", "TOP 5 meanwhile, ms")
    for form in ("votable/b2", "votable", "votable/td", "csv"):
        for server in servers:
            found = [_stream(server, form, size) for _ in range(rounds)]
            total, first, length, memory, _ = min(found)
            times = [one for run in found for one in run[4]]
            _row(
                server.name, form, f"{total:.1f}", f"{first:.3f}", f"{length / 1e6:.0f}",
                f"{memory:.0f}", _percentiles(times),
            )  # fmt: skip
    print()


def _stream(server: Server, form: str, size: int) -> tuple[float, float, int, float, list[float]]:
    """Seconds, seconds to the first byte, bytes, MB of memory, and times of others meanwhile."""
    before = server.memory()
    peak = [before]
    times: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            peak[0] = max(peak[0], server.memory())

    def others() -> None:
        while not done.wait(0.05):
            began = time.perf_counter()
            _ask(server, "/tap/sync", _tap(TOP))
            times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=target) for target in (watch, others)]
    for thread in threads:
        thread.start()
    try:
        query = f"SELECT {COLUMNS} FROM obsportal.exposure"
        output = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-w",
             "%{time_total} %{time_starttransfer} %{size_download} %{http_code}",
             "-d", _tap(query, form, 2 * size), f"http://127.0.0.1:{server.port}/tap/sync"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    finally:
        done.set()
        for thread in threads:
            thread.join()
    total, first, length, status = output.split()
    if status != "200":
        raise SystemExit(f"{server.name}: {output}")
    return float(total), float(first), int(length), peak[0] - before, times


if __name__ == "__main__":
    main()
