#!/usr/bin/python3
"""Measures searches of the observation log as ASPRO2 makes them, and prints tables in Markdown.

    tests/bench/obsportal.py [--sizes 100000 1000000] [--seconds 3] [--memory 100000] [--keep]

For each size a simulated log is put into an instance of its own; all of them run side by side.
Searches are asked for by POST as ASPRO2 does, on a connection of their own or on one that stays
open, in turn with DaCHS' own cone search on the same table of the same server, and with the same of
the other sizes: what else the machine does meanwhile disturbs them all. Nothing here is a test: no
time makes it fail.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

# In place of this folder, where "obsportal" is this file.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psycopg2

from centre import account, cluster, server
from centre.instance import CHECKOUT, Instance
from ingest.exposures import Exposure
from ingest.simulate_log import Log, archive_row
from tests.live.conftest import Centre, free_port

CLIENTS = (1, 4, 16)
ROUNDS = 2
#: Radius (arcsec) that ASPRO2 asks for.
RADIUS = 30.0
#: Rows of the answers that are asked for, and how many places with so many.
ANSWERS = {10: 50, 500: 5, 5000: 1}


@dataclass(frozen=True)
class Place:
    """Where is searched (degrees), and how many exposures there are."""

    ra: float
    dec: float
    rows: int


def main() -> None:
    """Measures everything; leaves nothing behind unless it is told to."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options().parse_args()
    with ExitStack() as stack:
        logs = [stack.enter_context(_log(size, options.keep)) for size in sorted(options.sizes)]
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} cores, load average at the beginning {load:.1f}.\n", flush=True)
        for rows in ANSWERS:
            there = [log for log in logs if rows in log.places]
            for log in there:
                _verify(log, rows)
            if there:
                measure(there, rows, options.seconds)
        if options.memory:
            measure_memory(logs[-1], options.memory)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--memory", type=int, default=0, help="requests to watch the memory for")
    parser.add_argument("--keep", action="store_true", help="leave the logs for the next run")
    return parser


# --- the instances --------------------------------------------------------------------------------


@dataclass(frozen=True)
class BenchLog:
    """A running instance with a log, and where there is how much in it."""

    size: int
    centre: Centre
    places: dict[int, list[Place]]


@contextmanager
def _log(size: int, keep: bool) -> Iterator[BenchLog]:
    """A running instance with a simulated log of that size, perhaps of an earlier run."""
    name = f"bench-{size}" if keep else f"bench-{os.getpid()}-{size}"
    made = Centre(CHECKOUT / "var" / name, free_port())
    loaded = made.root / "loaded"
    try:
        made.succeed("init")
        if not loaded.exists():
            _load(made, size)
            loaded.touch()
        made.succeed("start")
        yield BenchLog(size, made, _places(made))
    finally:
        if keep:
            made.succeed("stop")
        else:
            made.remove()


def _load(centre: Centre, size: int) -> None:
    began = time.perf_counter()
    subprocess.run(
        ["/usr/bin/python3", __file__, "load", str(size)], env=centre.environment, check=True
    )
    took = time.perf_counter() - began
    print(f"{size} exposures stored in {took:.0f} s ({size / took:.0f}/s).\n", flush=True)


def _instance(centre: Centre) -> Instance:
    return Instance(centre.root, centre.port, "127.0.0.1", centre.url)


def load(size: int) -> None:
    """Stores a simulated log in the instance of the environment; 35 targets to 1000 exposures."""
    instance = Instance.from_environment()
    account.leave_root(instance.root)
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from gavo import base

        from obsportal.res import store

        def files(exposures: Iterable[Exposure]) -> Iterator[store.LogFile]:
            for exposure in exposures:
                known: dict[str, Any] = {"instrument": exposure.instrument_name}
                if exposure.facility_name == "VLTI":
                    row = archive_row(exposure)
                    known.update(
                        dp_cat=row["dp_cat"], dp_type=row["dp_type"], dp_tech=row["dp_tech"],
                        prog_title=row["prog_title"], datapi=row["pi_coi"],
                        obs_release_date=row["release_date"], access_url=row["access_url"],
                        last_mod_date=row["last_mod_date"],
                    )  # fmt: skip
                archive = "ESO" if exposure.facility_name == "VLTI" else "CHARA"
                header = store.header_row(exposure.header_id, archive, **known)
                yield store.LogFile(header, [exposure])

        with store.alone(), base.getWritableAdminConn() as connection:
            into = store.Store(connection)
            log = Log(size, max(1, size * 35 // 1000))
            for _ in store.feed(into, files(log.exposures()), 5000):
                pass
            into.analyse()


def _places(centre: Centre) -> dict[int, list[Place]]:
    """Targets with about as many exposures as wanted, by that number."""
    found = {}
    with (
        psycopg2.connect(_instance(centre).dsn()) as connection,
        connection.cursor() as cursor,
    ):
        for rows, number in ANSWERS.items():
            cursor.execute(
                "SELECT s_ra, s_dec, n_exposures FROM obsportal.target"
                " WHERE n_exposures BETWEEN %s AND %s AND merged_into IS NULL"
                " AND target_id NOT IN (SELECT target_id FROM obsportal.target_neighbour)"
                " ORDER BY abs(n_exposures - %s), target_id LIMIT %s",
                (round(rows * 0.8), round(rows * 1.2), rows, number),
            )
            places = [Place(*row) for row in cursor.fetchall()]
            if places:
                found[rows] = places
    return found


# --- questions ------------------------------------------------------------------------------------


def _search(place: Place, keep: bool) -> bytes:
    """What ASPRO2 sends."""
    body = urlencode(
        {"ra": place.ra, "dec": place.dec, "radius": RADIUS, "all_fields": "false"}
    ).encode()
    return (
        b"POST /search.votable HTTP/1.1\r\nHost: localhost\r\nConnection: %b\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
        % (b"keep-alive" if keep else b"close", len(body), body)
    )


def _cone(place: Place, keep: bool) -> bytes:
    """The same of DaCHS' cone search."""
    query = urlencode({"RA": place.ra, "DEC": place.dec, "SR": RADIUS / 3600}).encode()
    return (
        b"GET /obsportal/q/cone/scs.xml?%b HTTP/1.1\r\nHost: localhost\r\nConnection: %b\r\n\r\n"
        % (query, b"keep-alive" if keep else b"close")
    )


#: What is compared: the question, and whether a connection stays open.
WAYS = {
    "search.votable": (_search, False),
    "search.votable, connection kept": (_search, True),
    "scs.xml": (_cone, False),
}


def _talk(connection: socket.socket, question: bytes) -> bytes:
    """The body of an answer; raises ValueError where it is not complete or no success."""
    connection.sendall(question)
    data = bytearray()
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    head, rest = bytes(data[:end]).lower(), data[end + 4 :]
    if not head.startswith((b"http/1.1 200", b"http/1.0 200")):
        raise ValueError(bytes(data[:300]))
    if b"\r\ntransfer-encoding: chunked" in head:
        while not rest.endswith(b"\r\n0\r\n\r\n"):
            rest += _more(connection)
    elif b"\r\ncontent-length:" in head:
        size = int(head.partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0])
        while len(rest) < size:
            rest += _more(connection)
    else:
        while part := connection.recv(1 << 18):
            rest += part
    return bytes(rest)


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 18)
    if not part:
        raise ValueError("the answer ends early")
    return part


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=120)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _verify(log: BenchLog, rows: int) -> None:
    """All ways find what is there."""
    for place in log.places[rows][:3]:
        for name, (question, keep) in WAYS.items():
            with _connected(log.centre.port) as connection:
                body = _talk(connection, question(place, keep))
            # A cone search answers in binary: what it finds is told by its size.
            found = body.count(b"<TR>")
            if found != place.rows and (b"<TABLEDATA" in body or len(body) < 40 * place.rows):
                raise SystemExit(f"{name}: {found} rows of {place.rows} at {place}")


# --- measuring ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What clients found: times (ms) of their requests, and their own part of a processor."""

    times: list[float]
    seconds: float
    busy: float


def measure(logs: list[BenchLog], rows: int, seconds: float) -> None:
    """Latency and throughput of all ways in turn; the smallest log comes first."""
    print(f"Answers of {rows} rows:\n")
    heads = (
        "", "exposures", "clients", "p50, ms", "p95, ms", "requests/s", "against scs.xml",
        f"against {logs[0].size} exposures", "clients' CPU",
    )  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for log in logs:
        for way in WAYS:
            _ask(log, way, rows, 1, 0.5)
    for clients in CLIENTS:
        asked = {(way, log.size): list[Asked]() for way in WAYS for log in logs}
        for _ in range(ROUNDS):
            for way in WAYS:
                for log in logs:
                    asked[way, log.size].append(_ask(log, way, rows, clients, seconds))
        rates = {
            key: sum(len(a.times) for a in found) / sum(a.seconds for a in found)
            for key, found in asked.items()
        }
        for (way, size), found in asked.items():
            times = sorted(t for a in found for t in a.times)
            rate = rates[way, size]
            cells = (
                way, str(size), str(clients), f"{times[len(times) // 2]:.1f}",
                f"{times[len(times) * 95 // 100]:.1f}", f"{rate:.0f}",
                f"{rate / rates['scs.xml', size]:.1f}", f"{rate / rates[way, logs[0].size]:.2f}",
                f"{statistics.mean(a.busy for a in found):.0%}",
            )  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)
    print()


def measure_memory(log: BenchLog, requests: int) -> None:
    """Memory of the server while it answers."""
    number = server.pid(_instance(log.centre))
    print(f"| requests | memory of the server, MB |\n|{' --- |' * 2}")
    done = 0
    while True:
        status = Path(f"/proc/{number}/status").read_text()
        resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        print(f"| {done} | {resident:.0f} |", flush=True)
        if done >= requests:
            break
        goal = min(requests, done + requests // 10 + 1)
        while done < goal:
            done += len(_ask(log, "search.votable", 10, 4, 5.0).times)
    print()


def _ask(log: BenchLog, way: str, rows: int, clients: int, seconds: float) -> Asked:
    """Lets clients in a process of their own ask, each again when it has its answer."""
    places = [[place.ra, place.dec, place.rows] for place in log.places[rows]]
    wanted = [log.centre.port, way, places, clients, seconds]
    result = subprocess.run(
        ["/usr/bin/python3", __file__, "ask"],
        input=json.dumps(wanted), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode:
        raise SystemExit(result.stderr)
    return Asked(*json.loads(result.stdout))


def ask() -> None:
    """The clients: reads from standard input what to ask, and writes what `Asked` has."""
    port, way, where, clients, seconds = json.load(sys.stdin)
    question, keep = WAYS[way]
    questions = [question(Place(*place), keep) for place in where]
    times: list[float] = []
    problems: list[str] = []

    def client(number: int) -> None:
        connection = _connected(port) if keep else None
        try:
            while (began := time.perf_counter()) < end and not problems:
                talked = connection or _connected(port)
                _talk(talked, questions[number % len(questions)])
                if not keep:
                    talked.close()
                times.append((time.perf_counter() - began) * 1e3)
                number += 1
        except (OSError, ValueError) as error:
            problems.append(repr(error))

    started, used = time.perf_counter(), time.process_time()
    end = started + seconds
    threads = [threading.Thread(target=client, args=(7 * number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.perf_counter() - started
    if problems:
        raise SystemExit(f"{way}: {problems[0]}")
    print(json.dumps([times, lasted, (time.process_time() - used) / lasted]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load(int(sys.argv[2]))
    elif sys.argv[1:2] == ["ask"]:
        ask()
    else:
        main()
