"""In step with ESO: against a twin of its archive, through all that may happen to either side."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg2
import pytest
from psycopg2.extras import execute_values

from centre.instance import Instance
from ingest import eso, simulate_log
from ingest.exposures import Exposure
from tests.live import observed
from tests.live.conftest import CHECKOUT, Centre, free_port
from tests.twin.faults import FAULTS, Front, passed_on, serving

pytestmark = pytest.mark.live

NUMBER = 130
#: Seconds after which a run or the server hangs: they take a few, and a machine may be ten times as
#: slow while others are at work on it. A test ends by it that would never end.
PATIENCE = 60


# --------------------------------------------------------------------- the twin


@dataclass(frozen=True)
class Twin:
    """The archive, and what is in it."""

    front: Front
    database: Any
    exposures: list[Exposure]

    def execute(self, statement: str, *values: Any) -> None:
        """Changes something in the archive."""
        with self.database.cursor() as cursor:
            cursor.execute(statement, values)

    def add(self, exposures: list[Exposure]) -> None:
        """Puts files into the archive."""
        rows = [simulate_log.archive_row(one) for one in exposures]
        names = list(rows[0])
        with self.database.cursor() as cursor:
            execute_values(
                cursor,
                f"INSERT INTO dbo.raw ({', '.join(names)}) VALUES %s",
                [[row[name] for name in names] for row in rows],
            )
            execute_values(
                cursor,
                "INSERT INTO dbo.page (dp_id, header) VALUES %s",
                [(one.header_id, simulate_log.eso_header(one)) for one in exposures],
            )

    def fill(self) -> None:
        """Puts in what belongs there, and nothing else."""
        self.execute("TRUNCATE dbo.raw, dbo.page")
        self.add(self.exposures)
        self.front.as_ever()

    @property
    def names(self) -> list[str]:
        """Files in it by right, in order."""
        return [one.header_id for one in self.exposures]


@pytest.fixture(scope="module")
def _twin(centre: Centre) -> Iterator[Twin]:
    root, port = CHECKOUT / "var" / f"twin-{os.getpid()}", free_port()
    process = subprocess.Popen(
        ["/usr/bin/python3", str(CHECKOUT / "tests" / "twin" / "twin.py"), str(root), str(port)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        database = psycopg2.connect(Instance(root, port, "", "", True).dsn())
        database.autocommit = True
        log = simulate_log.Log(6 * NUMBER, NUMBER // 4, seed=20260)
        exposures = [one for one in log.exposures() if one.instrument_name in eso.INSTRUMENTS]
        exposures = exposures[:: len(exposures) // NUMBER]
        with serving(passed_on(f"http://127.0.0.1:{port}")) as front, _aside(centre):
            yield Twin(front, database, exposures[:NUMBER])
        database.close()
    finally:
        process.stdin.close()
        process.wait(60)
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def twin(_twin: Twin, centre: Centre) -> Iterator[Twin]:
    """The archive as it ever was; nothing of it is in the centre, before and after."""
    _twin.fill()
    forget(centre)
    yield _twin
    forget(centre)


# ---------------------------------------------------------------------- helpers

OURS = "archive='ESO'"


def forget(centre: Centre) -> None:
    """Takes out of the centre all that came from a twin."""
    observed.forget(centre, OURS)
    connection = centre.connect()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM obsportal.sync WHERE archive LIKE 'http://127.0.0.1:%'")
    connection.close()


@contextmanager
def _aside(centre: Centre) -> Iterator[None]:
    """Other files of ESO are of another archive meanwhile: nobody misses them in the twin."""
    connection = centre.connect()
    change = "UPDATE obsportal.stored_header SET archive=%s WHERE archive=%s"
    with connection.cursor() as cursor:
        cursor.execute(change, ("aside", "ESO"))
    connection.close()
    try:
        yield
    finally:
        connection = centre.connect()
        with connection.cursor() as cursor:
            cursor.execute(change, ("ESO", "aside"))
        connection.close()


def state(centre: Centre) -> dict[str, Any]:
    """What the centre has of the twin's files, without numbers and times of its own."""
    connection = centre.connect()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT header_id, to_jsonb(h) - 'header' - 'listed' - 'fetched' - 'withdrawn',"
            " md5(header), withdrawn IS NULL, fetched IS NULL"
            f" FROM obsportal.stored_header AS h WHERE {OURS} ORDER BY header_id"
        )
        headers = cursor.fetchall()
        cursor.execute(
            "SELECT e.exposure_id, to_jsonb(e) - 'target_id' - 'observation_id' - 'updated',"
            " first_value(e.exposure_id) OVER (PARTITION BY e.target_id ORDER BY e.exposure_id),"
            " first_value(e.exposure_id) OVER (PARTITION BY e.observation_id"
            "   ORDER BY e.exposure_id),"
            " (SELECT COUNT(*) FROM obsportal.baseline AS b WHERE b.exposure_id=e.exposure_id)"
            f" FROM obsportal.exposure AS e JOIN obsportal.stored_header USING (header_id)"
            f" WHERE {OURS} ORDER BY e.exposure_id"
        )
        exposures = cursor.fetchall()
    connection.close()
    return {"headers": headers, "exposures": exposures}


@dataclass(frozen=True)
class Outcome:
    """What a run said."""

    code: int
    output: str
    report: dict[str, Any]


def command(twin: Twin, *options: str) -> list[str]:
    """The command line of a run that does not wait long; later options win.

    An answer of the twin takes no 20 s but where a test wants it to be silent.
    """
    quick = ["--rate", "1000", "--timeout", "20", "--patience", str(PATIENCE)]
    arguments = ["sync", "eso", "--archive", twin.front.url, *quick, *options]
    return [str(CHECKOUT / "bin" / "jmmc"), *arguments]


def sync(centre: Centre, twin: Twin, *options: str) -> Outcome:
    """A run, to its end."""
    report = centre.root / "sync.json"
    report.write_text("")
    result = centre.jmmc(*command(twin, *options, "--report", str(report))[1:])
    assert "Traceback" not in result.stderr
    said = json.loads(report.read_text() or "{}")
    return Outcome(result.returncode, result.stdout + result.stderr, said)


def begun(centre: Centre, twin: Twin, *options: str) -> subprocess.Popen[str]:
    """A run that goes on."""
    return subprocess.Popen(
        command(twin, *options), env=centre.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for_headers(twin: Twin, number: int) -> None:
    """Waits until so many headers were asked for."""
    end = time.monotonic() + 60
    while len(twin.front.asked("/hdr")) < number:
        assert time.monotonic() < end, "the run asks for no headers"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(_twin: Twin, centre: Centre) -> dict[str, Any]:
    """The state after one run to which nothing happens."""
    _twin.fill()
    forget(centre)
    outcome = sync(centre, _twin)
    assert outcome.code == 0, outcome.output
    assert outcome.report["new"] == outcome.report["fetched"] == NUMBER
    assert not outcome.report["failed"]
    found = state(centre)
    assert [row[0] for row in found["headers"]] == _twin.names
    assert len(_twin.front.asked("/hdr")) == NUMBER
    return found


# -------------------------------------------------------------- days like others


def test_what_the_archive_says_is_in_the_log(undisturbed: dict[str, Any], twin: Twin) -> None:
    exposures = {row[1]["header_id"]: row[1] for row in undisturbed["exposures"]}
    assert set(exposures) == set(twin.names)
    for one in twin.exposures:
        found, row = exposures[one.header_id], simulate_log.archive_row(one)
        # Headers do not tell who the investigator is.
        assert found["datapi"] == row["pi_coi"]
        assert found["prog_title"] == row["prog_title"]
        assert datetime.fromisoformat(found["obs_release_date"]) == row["release_date"]
        assert found["instrument_name"] == one.instrument_name
        assert found["stations"] == " ".join(one.stations)
    techniques = {
        (row[1]["instrument"], row[1]["dp_tech"], row[1]["state"]) for row in undisturbed["headers"]
    }
    assert ("PIONIER", "IMAGE", "read") in techniques
    assert {instrument for instrument, _, _ in techniques} > {"PIONIER", "GRAVITY", "AMBER"}


def test_hour_after_hour(centre: Centre, twin: Twin, undisturbed: dict[str, Any]) -> None:
    late, *others = [twin.exposures[number] for number in (3, 20, 40, 60, 80, 100)]
    header, entry, date, gone, moved = [one.header_id for one in others]
    newest = simulate_log.archive_row(twin.exposures[-1])["last_mod_date"]
    twin.execute("DELETE FROM dbo.raw WHERE dp_id = %s", late.header_id)

    dry = sync(centre, twin, "--dry-run")
    assert dry.code == 0
    assert f"{NUMBER - 1} headers to fetch" in dry.output
    assert state(centre) == {"headers": [], "exposures": []}

    first = sync(centre, twin)
    assert datetime.fromisoformat(first.report["mark"]) == newest
    twin.front.as_ever()
    again = sync(centre, twin)
    assert again.code == 0
    assert f"  {twin.front.url} 20" in centre.succeed("status")
    assert again.report["mark"] == first.report["mark"]
    assert again.report["exposures"] == 0
    assert not twin.front.asked("/hdr")

    # A header is corrected, an entry is touched, a release date moves, a file is withdrawn,
    # another one gets another name, and one was late.
    soon = newest + timedelta(minutes=50)
    change = "UPDATE dbo.raw SET last_mod_date = %s WHERE dp_id = %s"
    changed = replace(others[0], target_name="CORRECTED", target_names=("CORRECTED",))
    twin.execute(change, soon, header)
    twin.execute(
        "UPDATE dbo.page SET header = %s WHERE dp_id = %s", simulate_log.eso_header(changed), header
    )
    twin.execute(change, soon, entry)
    public = datetime(2031, 2, 3)
    twin.execute(f"{change}; UPDATE dbo.raw SET release_date=%s WHERE dp_id=%s",
                 soon, date, public, date)  # fmt: skip
    twin.execute("DELETE FROM dbo.raw WHERE dp_id = %s", gone)
    new_name = f"{moved[:-3]}999"
    for table in ("raw", "page"):
        twin.execute(f"UPDATE dbo.{table} SET dp_id = %s WHERE dp_id = %s", new_name, moved)
    twin.execute(change, soon, new_name)
    twin.execute("DELETE FROM dbo.page WHERE dp_id = %s", late.header_id)
    twin.add([late])

    twin.front.as_ever()
    changes = sync(centre, twin)
    assert changes.report["new"] == 1, changes
    assert changes.report["changed"] == 3
    assert len(twin.front.asked("/hdr")) == 4
    rows = {row[1]["header_id"]: row[1] for row in state(centre)["exposures"]}
    assert rows[header]["target_name"] == "CORRECTED"
    assert datetime.fromisoformat(rows[date]["obs_release_date"]) == public
    assert set(twin.names) - set(rows) == {late.header_id}

    # Without a change of the entry's date, nothing is downloaded again.
    twin.execute("UPDATE dbo.raw SET pi_coi = 'SOMEBODY ELSE' WHERE dp_id = %s", date)
    twin.front.as_ever()
    full = sync(centre, twin, "--full")
    assert full.report["renewed"] == 1, full
    assert full.report["new"] == 1
    assert full.report["withdrawn"] == sorted([gone, moved])
    assert twin.front.asked("/hdr") == [f"/hdr?DpId={late.header_id}"]
    found = state(centre)
    states = {row[0]: row[1]["state"] for row in found["headers"]}
    assert {name for name, word in states.items() if word == "withdrawn"} == {gone, moved}
    rows = {row[1]["header_id"]: row[1] for row in found["exposures"]}
    assert set(rows) == {*twin.names, new_name}
    assert rows[date]["datapi"] == "SOMEBODY ELSE"
    assert "withdrawn" in rows[gone]["quality_flags"]

    # What was withdrawn comes back.
    twin.fill()
    twin.execute("UPDATE dbo.raw SET last_mod_date = last_mod_date + interval '1 day'")
    assert sync(centre, twin, "--full").report["withdrawn"] == [new_name]
    found = state(centre)
    for row in found["headers"]:
        for name in ("last_mod_date", "fetched_for"):
            row[1][name] = None
    expected = json.loads(json.dumps(undisturbed))
    for row in expected["headers"]:
        for name in ("last_mod_date", "fetched_for"):
            row[1][name] = None
    without = [list(row) for row in found["headers"] if row[0] != new_name]
    assert without == expected["headers"]


def test_a_part_of_the_archive(centre: Centre, twin: Twin) -> None:
    dates = {
        one.header_id: simulate_log.archive_row(one)["last_mod_date"] for one in twin.exposures
    }
    since = sorted(dates.values())[NUMBER // 2]
    part = {
        one.header_id
        for one in twin.exposures
        if one.instrument_name in {"AMBER", "PIONIER"} and dates[one.header_id] >= since
    }
    assert 0 < len(part) < NUMBER // 2
    options = ["--instrument", "AMBER", "--instrument", "PIONIER", "--since", since.isoformat()]
    outcome = sync(centre, twin, *options)
    assert {row[0] for row in state(centre)["headers"]} == part, outcome
    # What was left out is not thought to be in.
    assert outcome.report["mark"] is None
    assert sync(centre, twin).report["new"] == NUMBER - len(part)
    assert [row[0] for row in state(centre)["headers"]] == twin.names


# --------------------------------------------------------------------- bad days


def test_killed_at_any_moment(centre: Centre, twin: Twin, undisturbed: dict[str, Any]) -> None:
    chance = random.Random(3)
    asked = 0
    for _ in range(2):
        twin.front.as_ever()
        twin.front.delay = 0.02
        process = begun(centre, twin)
        wait_for_headers(twin, chance.randrange(1, 100))
        time.sleep(chance.random() / 2)
        process.kill()
        process.communicate()
        asked += len(twin.front.asked("/hdr"))
    twin.front.as_ever()
    # While one is at work, another one is sent away.
    twin.front.delay = 0.5
    process = begun(centre, twin)
    wait_for_headers(twin, 1)
    second = sync(centre, twin)
    assert second.code == 1
    assert "Another run" in second.output
    twin.front.delay = 0.0
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert state(centre) == undisturbed
    # A batch is what a crash costs.
    assert asked + len(twin.front.asked("/hdr")) <= NUMBER + 2 * 100

    # An archive that has lost everything is not believed.
    twin.execute("TRUNCATE dbo.raw")
    outcome = sync(centre, twin, "--full")
    assert outcome.code == 1
    assert f"{NUMBER} of our {NUMBER} files" in outcome.output
    assert state(centre) == undisturbed


def test_an_archive_in_trouble(centre: Centre, twin: Twin, undisturbed: dict[str, Any]) -> None:
    chance = random.Random(4)
    twin.front.limit = 50
    twin.front.fault = lambda _: chance.choice(FAULTS) if chance.random() < 0.1 else None
    outcome = sync(centre, twin, "--timeout", "2")
    assert outcome.code == 0, outcome.output
    assert outcome.report["fetched"] == NUMBER
    assert state(centre) == undisturbed


def test_an_archive_that_goes_away(centre: Centre, twin: Twin, undisturbed: dict[str, Any]) -> None:
    twin.front.fault = lambda _: "error" if len(twin.front.asked("/hdr")) > 110 else None
    outcome = sync(centre, twin, "--patience", "1")
    assert outcome.code == 1
    assert "ended early" in outcome.output
    assert outcome.report["fetched"] == 110
    assert outcome.report["mark"] is None

    # It is back, but for two files.
    bad, unknown = twin.names[120:122]
    twin.front.as_ever()
    twin.front.fault = lambda path: "page" if path.endswith(bad) else None
    twin.execute("DELETE FROM dbo.page WHERE dp_id = %s", unknown)
    outcome = sync(centre, twin, "--patience", "1")
    assert outcome.code == 0
    assert set(outcome.report["failed"]) == {bad, unknown}
    assert outcome.report["mark"] is not None
    rows = {row[0]: row[1] for row in state(centre)["headers"]}
    assert rows[bad]["state"] == rows[unknown]["state"] == "failed"
    assert "maintenance" in rows[bad]["problem"]
    assert "No info found" in rows[unknown]["problem"]

    twin.front.as_ever()
    twin.execute(
        "INSERT INTO dbo.page VALUES (%s, %s)",
        unknown, simulate_log.eso_header(twin.exposures[121]),
    )  # fmt: skip
    assert sync(centre, twin).report["fetched"] == 2
    assert state(centre) == undisturbed


def _disk_is_full(cursor: Any) -> None:
    cursor.execute(
        "CREATE FUNCTION obsportal.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF (SELECT COUNT(*) FROM obsportal.stored_header WHERE archive='ESO') >= 50 THEN"
        "   RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END IF;"
        " RETURN new; END $$;"
        "CREATE TRIGGER full_disk BEFORE INSERT ON obsportal.exposure"
        " FOR EACH ROW EXECUTE FUNCTION obsportal.full_disk()"
    )


def _connection_is_lost(cursor: Any) -> None:
    cursor.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid IN (SELECT pid FROM pg_locks WHERE relation='obsportal.sync'::regclass)"
        " OR query LIKE '%obsportal.stored_header%' AND pid <> pg_backend_pid()"
    )


def test_a_database_in_trouble(centre: Centre, twin: Twin, undisturbed: dict[str, Any]) -> None:
    connection = centre.connect()
    for accident, words in (
        (_disk_is_full, "could not extend file"),
        (_connection_is_lost, "connection"),
    ):
        twin.front.as_ever()
        twin.front.delay = 0.1
        process = begun(centre, twin)
        wait_for_headers(twin, 20)
        try:
            with connection.cursor() as cursor:
                accident(cursor)
            output = process.communicate(timeout=PATIENCE)[0]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP FUNCTION IF EXISTS obsportal.full_disk() CASCADE")
        assert process.returncode == 1, output
        assert "ended early: The database:" in output
        assert words in output
        assert "Traceback" not in output
    connection.close()
    twin.front.as_ever()
    assert sync(centre, twin).code == 0
    assert state(centre) == undisturbed


def _answer(centre: Centre) -> str:
    """What the search tells of PIONIER, whoever put it there."""
    address = f"{centre.url}/search.votable?instrument=PIONIER&limit=1"
    with urlopen(address, timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture
def _repaired(centre: Centre) -> Iterator[None]:
    """Brings database and server back to what they were for the tests that follow."""
    yield
    centre.succeed("stop")
    centre.succeed("start")


@pytest.mark.usefixtures("_repaired")
def test_the_database_is_killed(centre: Centre, twin: Twin, undisturbed: dict[str, Any]) -> None:
    twin.front.delay = 0.1
    process = begun(centre, twin)
    wait_for_headers(twin, 102)
    postmaster = Path(centre.root, "cluster", "postmaster.pid")
    os.kill(int(postmaster.read_text().split()[0]), signal.SIGKILL)
    output = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1, output
    assert "ended early: The database:" in output
    assert "Traceback" not in output
    twin.front.delay = 0.0
    # The next run starts it.
    outcome = sync(centre, twin)
    assert outcome.code == 0, outcome.output
    assert state(centre) == undisturbed
    assert "<TR>" in _answer(centre)


def test_told_to_end_while_the_archive_is_silent(
    centre: Centre, twin: Twin, undisturbed: dict[str, Any]
) -> None:
    twin.front.fault = lambda _: "silence" if len(twin.front.asked("/hdr")) > 20 else None
    process = begun(centre, twin, "--timeout", "60")
    wait_for_headers(twin, 24)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=PATIENCE)[0]
    assert time.monotonic() - began < 15  # its requests have a minute to go
    assert process.returncode == 1
    assert output == "jmmc: interrupted\n"
    # What there was is kept.
    assert len(state(centre)["headers"]) == 20
    twin.front.as_ever()
    assert sync(centre, twin).report["fetched"] == len(twin.names) - 20
    assert state(centre) == undisturbed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--archive", "archive.eso.org"], "no address"),
        (["--since", "yesterday"], "no time of the form"),
        (["--instrument", "FORS2"], "invalid choice"),
        (["--rate", "0"], "no number from 1"),
    ],
)
def test_wrong_options_are_told(centre: Centre, options: list[str], words: str) -> None:
    result = centre.jmmc("sync", "eso", *options)
    assert result.returncode in (1, 2)
    assert words in result.stderr
    assert "Traceback" not in result.stderr
