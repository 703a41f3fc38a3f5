#!/usr/bin/python3
"""Lets many kinds of clients loose on a server for minutes; prints what they got and what it cost.

    tests/bench/mixed.py [--size 100000] [--minutes 10] [--keep]

Small, large, asynchronous and uploading clients, such that go away in the middle, that read slowly,
and that send what nobody should. At the end no session of the database may do anything any more,
and a small query must be answered; else the exit code is 1.
"""

import argparse
import http.client
import os
import random
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

# In place of this folder, where "mixed" is this file.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psycopg2

from tests.bench import obsportal, tap
from tests.live import second

#: How many clients of each kind there are at a time.
SMALL, OTHERS = 6, 1
#: Seconds between two looks at memory and sessions.
PAUSE = 15.0


def main() -> None:
    """Runs everything."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options().parse_args()
    with ExitStack() as stack:
        log = stack.enter_context(obsportal._log(options.size, options.keep))
        instance = obsportal._instance(log.centre)
        running = stack.enter_context(second.server(instance, {}))
        server = tap.Server("fast", running.port, running)
        database = stack.enter_context(psycopg2.connect(instance.dsn()))
        database.autocommit = True
        crowd = Crowd(server, tap._places(instance))
        sys.exit(crowd.run(60 * options.minutes, database))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=100_000, help="exposures in the log")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--keep", action="store_true", help="leave the log for the next run")
    return parser


class Crowd:
    """Clients of all kinds, and what happened to them."""

    def __init__(self, server: tap.Server, places: list[tuple[float, float]]) -> None:
        self._server, self._places = server, places
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._times: dict[str, list[float]] = {}

    def run(self, seconds: float, database: "psycopg2.extensions.connection") -> int:
        """Lets them do what they do; exit code."""
        kinds: dict[str, Callable[[], str]] = {
            "small": self._small,
            "cone": self._cone,
            "large": self._large,
            "asynchronous": self._asynchronous,
            "uploading": self._uploading,
            "going away": self._going_away,
            "slow reader": self._slow_reader,
            "wrong": self._wrong,
            "garbage": self._garbage,
        }
        threads = [
            threading.Thread(target=self._repeat, args=(name, kind))
            for name, kind in kinds.items()
            for _ in range(SMALL if name == "small" else OTHERS)
        ]
        tap._table("minutes", "memory, MB", "sessions", "requests")
        began = time.monotonic()
        for thread in threads:
            thread.start()
        while time.monotonic() - began < seconds:
            self._report(began, database)
            self._over.wait(min(PAUSE, seconds))
        self._over.set()
        for thread in threads:
            thread.join()
        time.sleep(5)
        self._report(began, database)
        print()
        return self._judge(database)

    def _report(self, began: float, database: "psycopg2.extensions.connection") -> None:
        minutes = (time.monotonic() - began) / 60
        tap._row(
            f"{minutes:.1f}", f"{self._server.memory():.0f}", str(_sessions(database, "%")),
            str(sum(self._counts.values())),
        )  # fmt: skip

    def _judge(self, database: "psycopg2.extensions.connection") -> int:
        tap._table("client", "outcome", "how often", "p50 / p95, ms")
        for (name, outcome), number in sorted(self._counts.items()):
            tap._row(name, outcome, str(number), tap._percentiles(self._times[name]))
        print()
        left = _sessions(database, "active")
        small = self._small()
        print(f"Sessions that still do something: {left}. A small query at the end: {small}.")
        return 0 if left == 0 and small == "200" else 1

    def _repeat(self, name: str, kind: Callable[[], str]) -> None:
        while not self._over.is_set():
            began = time.perf_counter()
            try:
                outcome = kind()
            except (OSError, http.client.HTTPException) as error:
                outcome = type(error).__name__
            with self._lock:
                self._counts[name, outcome] += 1
                self._times.setdefault(name, []).append(time.perf_counter() - began)

    def _post(self, path: str, body: str | bytes, content_type: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=120)
        headers = {"Content-Type": content_type or "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            location = answer.getheader("location") or ""
            return answer.status, location.encode() or data
        finally:
            connection.close()

    def _small(self) -> str:
        return str(self._post("/tap/sync", tap._tap(tap.TOP))[0])

    def _cone(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=120)
        try:
            connection.request("GET", tap._scs([random.choice(self._places)])[0])
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        finally:
            connection.close()

    def _large(self) -> str:
        form = random.choice(["votable", "votable/b2", "votable/td", "csv", "json", "fits"])
        query = f"SELECT {tap.COLUMNS} FROM obsportal.exposure"
        status, data = self._post("/tap/sync", tap._tap(query, form, 1_000_000))
        return f"{status}, {form}, {'some' if len(data) > 1_000_000 else 'few'}"

    def _asynchronous(self) -> str:
        status, location = self._post("/tap/async", tap._tap(tap.TOP))
        if status != 303:
            return str(status)
        path = "/" + location.decode().split("/", 3)[3]
        self._post(f"{path}/phase", "PHASE=RUN")
        for _ in range(240):
            connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
            try:
                connection.request("GET", f"{path}/phase")
                phase = connection.getresponse().read().decode()
            finally:
                connection.close()
            if phase in {"COMPLETED", "ERROR", "ABORTED"}:
                return phase
            time.sleep(0.5)
        return phase

    def _uploading(self) -> str:
        rows = "".join(f"<TR><TD>{n}</TD><TD>{n / 100}</TD></TR>" for n in range(5000))
        table = (
            '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE>'
            '<TABLE><FIELD name="n" datatype="int"/><FIELD name="x" datatype="double"/><DATA>'
            f"<TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
        )
        fields = {
            "LANG": "ADQL", "FORMAT": "csv", "UPLOAD": "mine,param:t",
            "QUERY": "SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine",
        }  # fmt: skip
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            '--x\r\nContent-Disposition: form-data; name="t"; filename="t.vot"\r\n'
            f"Content-Type: application/x-votable+xml\r\n\r\n{table}\r\n--x--\r\n"
        )
        status, data = self._post(
            "/tap/sync", "".join(parts).encode(), "multipart/form-data; boundary=x"
        )
        return f"{status}, {'right' if b'5000' in data else 'wrong'}"

    def _open(self, body: str) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._server.port), timeout=60)
        connection.sendall(
            b"POST /tap/sync HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body.encode())
        )
        return connection

    def _going_away(self) -> str:
        query = f"SELECT {tap.COLUMNS} FROM obsportal.exposure ORDER BY seeing"
        with self._open(tap._tap(query, random.choice(["votable", "csv"]), 1_000_000)) as one:
            time.sleep(random.random() / 2)
            if random.random() < 0.5:
                one.recv(1000)
        return "gone"

    def _slow_reader(self) -> str:
        query = f"SELECT {tap.COLUMNS} FROM obsportal.exposure"
        with self._open(tap._tap(query, "votable/b2", 1_000_000)) as one:
            for _ in range(20):
                if not one.recv(20_000):
                    return "ended"
                time.sleep(0.1)
        return "gone"

    def _wrong(self) -> str:
        query = random.choice(
            [
                "SELECT", "SELECT * FROM nothing", "JUST HANG around", "MESSILY CRASH",
                f"SELECT {'(' * 40}1{')' * 40} AS x FROM obsportal.target",
                "SELECT 'unfinished FROM obsportal.target", "SELECT 1/0 AS x FROM obsportal.target",
                "\x00" * 50, "é" * 5000, "SELECT TOP 999999999999999999999 * FROM obsportal.target",
                f"SELECT {','.join(f'{n} AS x{n}' for n in range(300))} FROM obsportal.target",
                "SELECT pg_sleep(100) FROM obsportal.target", "DROP TABLE obsportal.target",
            ]
        )  # fmt: skip
        return str(self._post("/tap/sync", urlencode({"LANG": "ADQL", "QUERY": query}))[0])

    def _garbage(self) -> str:
        with socket.create_connection(("127.0.0.1", self._server.port), timeout=60) as one:
            one.sendall(
                random.choice(
                    [
                        os.urandom(200), b"GET /tap/sync?" + b"%" * 5000 + b" HTTP/1.1\r\n\r\n",
                        b"POST /tap/sync HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nLANG=",
                        b"GET /tap/sync?LANG=ADQL&QUERY=%FF%FE HTTP/1.0\r\n\r\n",
                        b"POST /tap/sync HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x"
                        b"\r\nContent-Length: 5\r\n\r\n--x--",
                    ]
                )
            )  # fmt: skip
            time.sleep(0.2)
        return "sent"


def _sessions(database: "psycopg2.extensions.connection", state: str) -> int:
    """Sessions of the roles of DaCHS in a state."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
            " AND backend_type = 'client backend' AND state LIKE %s",
            [state],
        )
        found = cursor.fetchone()
        assert found is not None
        return int(found[0])


if __name__ == "__main__":
    main()
