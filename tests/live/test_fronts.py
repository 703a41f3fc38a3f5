"""Several processes of the server, several machines, a replica: they are one centre."""

from __future__ import annotations

import csv
import http.client
import io
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import psycopg2
import pytest

from centre import cluster
from centre.instance import Instance
from centre.server import listening_sockets
from tests.live import client, second
from tests.live.conftest import CHECKOUT, Centre, free_port
from tests.proxy import proxy

pytestmark = pytest.mark.live

#: Takes minutes.
_LONG = "SELECT COUNT(*) FROM tap_schema.columns AS a, tap_schema.columns AS b, " + (
    "tap_schema.columns AS c, tap_schema.columns AS d"
)
_RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'untrusted' AND state = 'active'"


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What the condition says as soon as that is true; fails when it is not in time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def processes(centre: Centre) -> list[int]:
    """Process ids of the server, which may have ended, in their order."""
    run = centre.root / "machines" / centre.settings.get("JMMC_MACHINE", "") / "run"
    run = run if run.exists() else centre.root / "run"
    return [int(path.read_text()) for path in sorted(run.glob("server*.pid"), reverse=True)][::-1]


def lives(number: int) -> bool:
    """Whether the process is there, and not only as a dead one its parent has not asked about."""
    try:
        return ") Z " not in Path("/proc", str(number), "stat").read_text()
    except OSError:
        return False


# ---------------------------------------------------------------- talking to one process


class Client:
    """A connection to one of the processes that answer on a port."""

    def __init__(self, port: int, process: int | None = None) -> None:
        self._port = port
        self._connection = self._connect()
        while process is not None and not self._is_of(process):
            self._connection.close()
            self._connection = self._connect()

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str, bytes]:
        """Status, location and body of an answer; `fields` are sent as a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if fields else {}
        self._connection.request(method, path, urlencode(fields) if fields else None, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read()

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", "/tap/availability")
        connection.getresponse().read()
        return connection

    def _is_of(self, process: int) -> bool:
        ours = self._connection.sock.getsockname()[1]
        pair = re.compile(rf"^\S+ +\S+:{self._port:04X} \S+:{ours:04X} ", re.ASCII)
        lines = [line.strip() for line in Path("/proc/net/tcp").read_text().splitlines()]
        inodes = {f"socket:[{line.split()[9]}]" for line in lines if pair.match(line)}
        links = Path("/proc", str(process), "fd").glob("*")
        return any(os.readlink(link) in inodes for link in links if link.is_symlink())


class Job:
    """An asynchronous TAP job, seen by way of one process after the other."""

    def __init__(self, client: Client, query: str) -> None:
        _, location, _ = client.ask("POST", "/tap/async", LANG="ADQL", FORMAT="csv", QUERY=query)
        self.path = "/tap/async/" + location.rpartition("/")[2]

    def phase(self, client: Client) -> str:
        """The phase."""
        return client.ask("GET", f"{self.path}/phase")[2].decode()

    def change(self, client: Client, phase: str) -> None:
        """RUN or ABORT."""
        assert client.ask("POST", f"{self.path}/phase", PHASE=phase)[0] == 303

    def destroy(self, client: Client) -> None:
        """Removes it."""
        assert client.ask("DELETE", self.path)[0] == 303
        assert client.ask("GET", f"{self.path}/phase")[0] == 404


def sync(client: Client, query: str) -> list[list[str]]:
    """Rows of a synchronous query."""
    status, _, body = client.ask("POST", "/tap/sync", LANG="ADQL", FORMAT="csv", QUERY=query)
    assert status == 200, body
    return list(csv.reader(io.StringIO(body.decode())))[1:]


def check_job(one: Client, other: Client, running: Callable[[], int], end: str) -> None:
    """A job that is made, run, looked at, ended and removed by way of two processes.

    `running` says how many queries the database is at work on; the second job ends by `end`.
    """
    job = Job(one, "SELECT TOP 3 table_name FROM tap_schema.tables ORDER BY table_name")
    assert job.phase(other) == "PENDING"
    job.change(other, "RUN")
    wait_for(lambda: job.phase(one) == "COMPLETED")
    result = f"{job.path}/results/result"
    assert one.ask("GET", result)[2] == other.ask("GET", result)[2] != b""
    job.destroy(one)
    assert other.ask("GET", job.path)[0] == 404

    job = Job(one, _LONG)
    job.change(one, "RUN")
    wait_for(lambda: running() == 1)
    if end == "ABORT":
        job.change(other, "ABORT")
        assert job.phase(other) == "ABORTED"
    else:
        job.destroy(other)
    wait_for(lambda: running() == 0, 3)
    if end == "ABORT":
        assert job.phase(one) == "ABORTED"
        job.destroy(one)


# ---------------------------------------------------------------- several processes


@pytest.fixture(scope="module")
def stopped(centre: Centre) -> Iterator[Centre]:
    """The instance with nothing running; what other tests need runs again at the end."""
    centre.succeed("stop")
    yield centre
    centre.succeed("stop")
    centre.succeed("start")


@pytest.fixture(scope="module")
def two(stopped: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """The instance, served in the foreground by two processes."""
    centre = replace(stopped, settings={"JMMC_PROCESSES": "2"})
    with serving(centre, tmp_path_factory.mktemp("serve") / "words"):
        yield centre


@contextmanager
def serving(centre: Centre, words: Path) -> Iterator[None]:
    """`jmmc serve`, until the end; it must end well."""
    with words.open("w") as output:
        process = subprocess.Popen(
            [str(CHECKOUT / "bin" / "jmmc"), "serve"],
            env=centre.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(lambda: "Ctrl-C stops it" in words.read_text() or process.poll() is not None, 90)
        assert process.poll() is None, words.read_text()
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 0


@pytest.fixture
def pair(two: Centre) -> Iterator[tuple[Client, Client]]:
    """A connection to each of the two processes."""
    first, second = processes(two)
    with closing(Client(two.port, first)) as one, closing(Client(two.port, second)) as other:
        yield one, other


def test_a_job_belongs_to_all_processes(two: Centre, pair: tuple[Client, Client]) -> None:
    check_job(*pair, lambda: int(two.sql(_RUNNING)), "DELETE")


_BURY = "from gavo.protocols import tap; from centre import jobs; " + (
    "from gavo import rscdesc; jobs._bury(tap.WORKER_SYSTEM, {})"
)


def test_jobs_whose_process_has_died_are_given_up(two: Centre, pair: tuple[Client, Client]) -> None:
    """Wherever it ran, and whatever has its number here: this test's process has."""
    ages = {"lives": 5, "starts": None, "died": 5, "synchronous": 5, "left": 3600}
    jobs = {name: Job(pair[0], _LONG) for name in ages}
    numbers = {name: job.path.rpartition("/")[2] for name, job in jobs.items()}
    for name, age in ages.items():
        pid = -1 if name in {"synchronous", "left"} else os.getpid()
        start = "NULL" if age is None else f"now() AT TIME ZONE 'UTC' - interval '{age} s'"
        two.sql(
            f"UPDATE tap_schema.tapjobs SET phase = 'EXECUTING', pid = {pid}, starttime = {start},"
            f" executionduration = 60 WHERE jobid = '{numbers[name]}'"
        )
    instance = Instance(two.root, two.port, "127.0.0.1", two.url)
    with closing(two.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_lock_shared(hashtext('tap job'), hashtext(%s))",
            (numbers["lives"],),
        )
        subprocess.run(
            [*_as_owner(two), "/usr/bin/python3", "-c", _BURY],
            env=instance.environment(),
            cwd=two.root,
            check=True,
        )
    phases = {name: job.phase(pair[1]) for name, job in jobs.items()}
    for job in jobs.values():
        job.destroy(pair[0])
    gone = {"died", "left"}
    assert phases == {name: "ERROR" if name in gone else "EXECUTING" for name in ages}


def test_one_of_them_runs_the_scheduled_jobs(two: Centre) -> None:
    free = "SELECT pg_try_advisory_xact_lock(hashtext('jmmc scheduled jobs'))"
    wait_for(lambda: two.sql(free).strip() == "f")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'jmmc front'"
    assert two.sql(sessions).strip() == "2"


def test_what_a_command_changes_all_of_them_read_again(two: Centre) -> None:
    """Also after the database has ended their sessions."""
    fronts = "pg_stat_activity WHERE application_name = 'jmmc front'"
    ended = set(two.sql(f"SELECT pid FROM {fronts}").split())
    assert len(ended) == 2
    two.sql(f"SELECT pg_terminate_backend(pid) FROM {fronts}")
    wait_for(lambda: len(set(two.sql(f"SELECT pid FROM {fronts}").split()) - ended) == 2, 10)
    logs = [two.root / "dachs" / "logs" / name / "web.log" for name in (".", "2")]
    before = [log.stat().st_size for log in logs]
    two.succeed("dachs", "imp", "-m", "olbin/q")
    for log, size in zip(logs, before, strict=True):
        wait_for(partial(_has_news, log, size), 5)


def _has_news(log: Path, size: int) -> bool:
    return b"__system__/dc_tables will be read again" in log.read_bytes()[size:]


def test_one_ends_and_the_other_answers(
    two: Centre, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first, second = processes(two)
    os.kill(second, signal.SIGKILL)
    wait_for(lambda: len(listening_sockets(two.port)) == 1)
    for _ in range(20):
        with closing(Client(two.port)) as client:
            assert sync(client, "SELECT 6*7 AS answer FROM tap_schema.schemas")[0] == ["42"]
    # `serve` starts another one.
    wait_for(lambda: len(set(processes(two)) - {second}) == 2 and all(map(lives, processes(two))))
    wait_for(lambda: "has ended" not in two.succeed("status"))
    assert processes(two)[0] == first
    with closing(Client(two.port, processes(two)[1])) as client:
        assert sync(client, "SELECT TOP 1 table_name FROM tap_schema.tables")


# ---------------------------------------------------------------- the proxy


def test_the_proxy_in_front_of_them(two: Centre, tmp_path: Path) -> None:
    plain, tls = free_port(), free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    with proxy(tmp_path, [two.port], plain, tls, user):
        service = f"https://localhost:{tls}"
        upload = ["-F", "UPLOAD=mine,param:t", "-F", f"t=@{tmp_path}/mine.vot"]
        (tmp_path / "mine.vot").write_text(_votable(1000))
        words = curl(f"{service}/tap/sync", "-F", "LANG=ADQL", "-F", "FORMAT=csv",
            "-F", "QUERY=SELECT SUM(number) AS total FROM tap_upload.mine", *upload)  # fmt: skip
        assert words.split() == ["total", str(sum(range(1000)))]
        # Of one that ends, only what it was at work on is lost.
        victim = processes(two)[1]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(listening_sockets(two.port)) == 1)
        for _ in range(20):
            assert "true" in curl(f"{service}/tap/availability")
        wait_for(lambda: victim not in processes(two) and all(map(lives, processes(two))))


def curl(*arguments: str) -> str:
    """What a server answers; it must be a success."""
    command = ["curl", "-sS", "--fail", "--insecure", "--max-time", "30", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def _votable(rows: int) -> str:
    cells = "".join(f"<TR><TD>{number}</TD></TR>" for number in range(rows))
    return (
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        f'<FIELD name="number" datatype="int"/><DATA><TABLEDATA>{cells}</TABLEDATA></DATA>'
        "</TABLE></RESOURCE></VOTABLE>"
    )


# ---------------------------------------------------------------- a replica, several machines


@dataclass(frozen=True)
class Replica:
    """A streaming replica of the instance's cluster."""

    folder: Path
    port: int

    def sql(self, statement: str, user: str = "postgres") -> list[tuple[Any, ...]]:
        """Rows of a statement, by way of its socket."""
        connection = psycopg2.connect(
            host=self.folder, port=self.port, dbname="gavo", user=user, connect_timeout=5
        )
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(scope="module")
def replica(two: Centre) -> Iterator[Replica]:
    """A replica, made as etc/README.md says, by the account that owns the instance."""
    with TemporaryDirectory(prefix="jmmc-replica-", dir="/tmp") as name:
        made = Replica(Path(name) / "cluster", free_port())
        account = _owner(two)
        made.folder.mkdir(mode=0o755)
        for folder in (name, made.folder):
            os.chown(folder, account.pw_uid, account.pw_gid)
        script = shutil.copytree(CHECKOUT / "etc", Path(name) / "etc", ignore=_only_replica)
        primary = f"host={Instance(two.root, two.port, '', '').sockets} user=postgres"
        command = [str(script / "replica.sh"), primary, str(made.folder), "127.0.0.1"]
        subprocess.run([*_as_owner(two), *command, str(made.port)], check=True, cwd="/tmp")
        try:
            yield made
        finally:
            stop = [str(cluster.programs() / "pg_ctl"), "stop", "--mode=immediate"]
            subprocess.run(
                [*_as_owner(two), *stop, f"--pgdata={made.folder}"], check=True, cwd="/tmp"
            )


def _owner(centre: Centre) -> pwd.struct_passwd:
    return pwd.getpwuid((centre.root / "cluster").stat().st_uid)


def _as_owner(centre: Centre) -> list[str]:
    """What makes a command one of the account that runs the instance."""
    owner = _owner(centre)
    change = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    return [] if os.geteuid() else change


def _only_replica(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name not in {"replica.sh", "replica.conf", "postgresql.conf"}}


def test_the_replica_follows(two: Centre, replica: Replica) -> None:
    assert replica.sql("SELECT pg_is_in_recovery()") == [(True,)]
    two.sql("CREATE TABLE public.followed (x integer)", "INSERT INTO public.followed VALUES (42)")
    try:
        wait_for(lambda: replica.sql("SELECT to_regclass('public.followed')") != [(None,)], 10)
        wait_for(lambda: replica.sql("SELECT x FROM public.followed") == [(42,)], 10)
    finally:
        two.sql("DROP TABLE public.followed")
    settings = "SELECT current_setting('hot_standby_feedback'), current_setting('jit')"
    assert replica.sql(settings) == [("on", "off")]


def test_the_replica_answers_whom_the_primary_answers(two: Centre, replica: Replica) -> None:
    statement = (
        "SELECT count(*) FROM oidb.granule WHERE q3c_radial_query(s_ra, s_dec, 110.5, -25.2, 5)"
        " AND spoint(radians(s_ra), radians(s_dec)) <@ scircle(spoint(radians(110.5),"
        " radians(-25.2)), radians(5))"
    )
    found = replica.sql(statement, "untrusted")
    assert [[str(value) for value in row] for row in found] == [[two.sql(statement).strip()]]
    assert found[0][0] > 0
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        replica.sql("SELECT * FROM dc.users", "untrusted")
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        replica.sql("CREATE TEMPORARY TABLE mine (x integer)", "untrusted")


def test_queries_that_read_go_to_the_replica(two: Centre, replica: Replica) -> None:
    instance = Instance(two.root, two.port, "127.0.0.1", two.url)
    place = f"host={replica.folder} port={replica.port}"
    with second.server(instance, {"JMMC_REPLICA": place}) as server:
        query = "SELECT COUNT(*) AS n FROM oidb.granule"
        found = client.query(server.url, query)
        assert found == [{"n": two.sql("SELECT count(*) FROM oidb.granule").strip()}]
        there = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'untrusted'"
        assert replica.sql(there) > [(0,)]
        replica.sql(there.replace("count(*)", "pg_terminate_backend(pid)"))
        assert client.query(server.url, query) == found


def test_a_database_that_is_not_there_is_a_sentence(two: Centre) -> None:
    nowhere = {"JMMC_DATABASE": f"host=127.0.0.1 port={free_port()} user=postgres password=secret"}
    machine = replace(two, port=free_port(), settings={**nowhere, "JMMC_MACHINE": "c"})
    result = machine.jmmc("start")
    assert result.returncode == 1
    assert "The database of JMMC_DATABASE does not answer: connection to server" in result.stderr
    assert "secret" not in result.stderr
    assert result.stderr.count("\n") == 1
    shutil.rmtree(two.root / "machines" / "c")


@pytest.fixture(scope="module")
def machines(two: Centre, replica: Replica) -> Iterator[tuple[Centre, Centre]]:
    """Two machines with one directory and one database, which is reached by TCP.

    The database is the replica, which is one no longer.
    """
    replica.sql("SELECT pg_promote()")
    replica.sql("ALTER ROLE postgres PASSWORD 'a secret'")
    passwords = replica.folder.with_name("passwords")
    passwords.write_text(f"127.0.0.1:{replica.port}:*:postgres:a secret\n")
    passwords.chmod(0o600)
    owner = replica.folder.stat()
    os.chown(passwords, owner.st_uid, owner.st_gid)
    database = f"host=127.0.0.1 port={replica.port} user=postgres passfile={passwords}"
    both = []
    for name in ("a", "b"):
        settings = {"JMMC_DATABASE": database, "JMMC_MACHINE": name}
        both.append(Centre(two.root, free_port(), settings))
    try:
        for machine in both:
            machine.succeed("start")
        yield both[0], both[1]
    finally:
        for machine in both:
            machine.jmmc("stop")
            shutil.rmtree(machine.root / "machines" / machine.settings["JMMC_MACHINE"])


def test_machines_share_jobs(machines: tuple[Centre, Centre], replica: Replica) -> None:
    first, second = machines

    def count() -> int:
        return int(replica.sql(_RUNNING)[0][0])

    with closing(Client(first.port)) as one, closing(Client(second.port)) as other:
        check_job(one, other, count, "ABORT")


def test_each_machine_has_its_own_processes(machines: tuple[Centre, Centre]) -> None:
    first, second = machines
    for machine in machines:
        assert f"answers on port {machine.port}" in machine.succeed("status")
        assert "runs already" in machine.jmmc("start").stderr
    assert not set(processes(first)) & set(processes(second))
    second.succeed("stop")
    assert not any(map(lives, processes(second)))
    with closing(Client(first.port)) as client:
        assert sync(client, "SELECT TOP 1 table_name FROM tap_schema.tables")
