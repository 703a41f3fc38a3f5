"""An instance from its making to its end, with the accidents in between; without data."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.conftest import CHECKOUT, Centre, free_port

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def own() -> Iterator[Centre]:
    """An instance these tests may maltreat, at a difficult path; making it is cut off once."""
    made = Centre(CHECKOUT / "var" / f"test-{os.getpid()}-é è", free_port())
    try:
        _cut_off_the_making(made)
        made.succeed("init")
        yield made
    finally:
        made.remove()


def _cut_off_the_making(centre: Centre) -> None:
    process = subprocess.Popen(
        [str(CHECKOUT / "bin" / "jmmc"), "init"],
        env=centre.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    # DaCHS has begun to make its tables.
    wait_for((centre.root / "dachs" / "etc" / "feed").exists)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback (most recent call last):\n  File" not in words.split("jmmc:")[0]
    assert "interrupted" in words
    assert "not complete" in centre.jmmc("start").stderr


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Returns when the condition holds; fails when it does not within the time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def answers(centre: Centre) -> bool:
    """Whether the TAP service is available."""
    try:
        with urllib.request.urlopen(f"{centre.url}/tap/availability", timeout=5) as answer:
            return b"<avl:available>true" in answer.read()
    except OSError:
        return False


def lives(number: int) -> bool:
    """Whether the process is there, and not only as a dead one its parent has not asked about."""
    try:
        return ") Z " not in Path("/proc", str(number), "stat").read_text()
    except OSError:
        return False


def postmaster(centre: Centre) -> int:
    """Process id of the instance's PostgreSQL."""
    return int((centre.root / "cluster" / "postmaster.pid").read_text().split()[0])


def test_second_init_is_quick_and_changes_nothing(own: Centre) -> None:
    before = (own.root / "state.json").read_text()
    began = time.monotonic()
    own.succeed("init")
    assert time.monotonic() - began < 5
    assert (own.root / "state.json").read_text() == before


def changed(centre: Centre, *rds: str) -> None:
    """Has the instance take RDs for changed since they were imported."""
    path = centre.root / "state.json"
    state = json.loads(path.read_text())
    state["imported"].update(dict.fromkeys(rds, "another"))
    path.write_text(json.dumps(state))


def indexes(centre: Centre) -> dict[str, str]:
    """Numbers of the indexes of ObsPortal's exposures, which are new in one made again, by name."""
    words = centre.succeed(
        "psql",
        "-Atc",
        "SELECT indexrelid::regclass, indexrelid FROM pg_index"
        " WHERE indrelid='obsportal.exposure'::regclass",
    )
    return dict(line.split("|") for line in words.splitlines())


def test_indexes_that_are_new_in_an_rd_are_made(own: Centre) -> None:
    before = indexes(own)
    names = ("night", "spoint_exposure", "facility_name_seeing_exposure_id")
    lost = {f"obsportal.exposure_{name}" for name in names}
    own.succeed("psql", "-c", f"DROP INDEX {', '.join(lost)}")
    assert indexes(own).keys() == before.keys() - lost
    changed(own, "obsportal/legacy")
    own.succeed("init")
    after = indexes(own)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == lost


def test_a_table_of_another_structure_is_named_before_anything_is_imported(own: Centre) -> None:
    rename = "ALTER TABLE obsportal.stored_header RENAME {0} TO {1};"
    rename += "ALTER TABLE olbin.tag RENAME {2} TO {3}"
    own.succeed("psql", "-c", rename.format("last_mod_date", "former", "category", "class"))
    # What is imported before, and a view of the table.
    changed(own, "jsdc/q", "obsportal/q", "olbin/q")
    state = json.loads((own.root / "state.json").read_text())
    try:
        result = own.jmmc("init")
    finally:
        own.succeed("psql", "-c", rename.format("former", "last_mod_date", "class", "category"))
    assert result.returncode == 1
    assert (
        "does not fit obsportal/q.rd and olbin/q.rd any more. Table obsportal.stored_header:"
        in (result.stderr)
    )
    assert "last_mod_date" in result.stderr
    drop = "`bin/jmmc dachs drop obsportal/q`, `bin/jmmc dachs drop olbin/q`, `bin/jmmc init`"
    assert drop in result.stderr
    log = (own.root / "logs" / "setup.log").read_text()
    assert "== dachs imp jsdc/q" not in log.rpartition("== dachs each")[2]
    assert json.loads((own.root / "state.json").read_text()) == state
    own.succeed("init")


def test_start_returns_when_it_answers_and_stop_stops(own: Centre) -> None:
    own.succeed("start")
    assert answers(own)
    assert f"answers on port {own.port}" in own.succeed("status")
    number = postmaster(own)
    assert Path("/proc", str(number)).stat().st_uid != 0
    again = own.jmmc("start")
    assert again.returncode == 1
    assert "runs already" in again.stderr
    own.succeed("stop")
    assert not answers(own)
    assert not lives(number)
    assert own.succeed("stop") == "Nothing was running.\n"


def test_crashed_database_and_server_come_up_again(own: Centre) -> None:
    own.succeed("start")
    number = postmaster(own)
    os.kill(int((own.root / "run" / "server.pid").read_text()), signal.SIGKILL)
    os.kill(number, signal.SIGKILL)
    wait_for(lambda: not lives(number) and not answers(own))
    assert (own.root / "cluster" / "postmaster.pid").exists(), "the crash must leave its traces"
    words = own.succeed("status")
    assert "database  stopped" in words
    assert "server    stopped" in words
    own.succeed("start")
    assert answers(own)
    own.succeed("stop")


def test_damaged_cluster_is_a_sentence(own: Centre) -> None:
    control = own.root / "cluster" / "global" / "pg_control"
    control.rename(control.with_suffix(".away"))
    try:
        result = own.jmmc("start")
    finally:
        control.with_suffix(".away").rename(control)
    assert result.returncode == 1
    assert "PostgreSQL cluster does not start" in result.stderr
    assert "pg_control" in result.stderr
    assert result.stderr.count("\n") == 1


def test_occupied_port_is_a_sentence_and_starts_nothing(own: Centre) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", own.port))
        other.listen()
        result = own.jmmc("start")
    assert result.returncode == 1
    assert f"Port {own.port} of 127.0.0.1 cannot be used" in result.stderr
    assert "database  stopped" in own.succeed("status")


def test_commands_bring_the_database_and_take_it_away(own: Centre) -> None:
    assert own.succeed("psql", "-Atc", "SELECT 6 * 7") == "42\n"
    assert "database  stopped" in own.succeed("status")
    assert own.jmmc("psql", "-c", "SELECT nonsense").returncode == 1


def test_dachs_runs_in_the_instance(own: Centre) -> None:
    assert own.succeed("dachs", "config", "web", "serverURL").strip() == own.url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly(own: Centre, number: signal.Signals, tmp_path: Path) -> None:
    own.succeed("init")
    # The demonstration has a test of its own.
    state = own.root / "state.json"
    state.write_text(state.read_text().replace('"complete"', '"demo": true, "complete"'))
    words = tmp_path / "words"
    with words.open("w") as output:
        process = subprocess.Popen(
            [str(CHECKOUT / "bin" / "jmmc"), "serve"],
            env=own.environment,
            stdout=output,
            start_new_session=True,
        )
    wait_for(lambda: "Ctrl-C stops it" in words.read_text())
    for word in (f"{own.url}/", "pyvo", "TOPCAT"):
        assert word in words.read_text()
    assert answers(own)
    database = postmaster(own)
    os.killpg(process.pid, number)
    assert process.wait(timeout=30) == 0
    assert not answers(own)
    assert not lives(database)
