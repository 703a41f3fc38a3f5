"""The instance's own PostgreSQL cluster, or the server of JMMC_DATABASE in its place."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn

from centre import CentreError, server
from centre.instance import CHECKOUT, Instance

_START_SECONDS = 120  # recovery after a crash may take a while


def programs() -> Path:
    """Directory of PostgreSQL's own programs, of the newest version installed with pg_sphere.

    Raises CentreError when there is none.
    """
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/lib/pg_sphere.so"),
        key=lambda path: int(path.parts[-3]),
    )
    if not found:
        raise CentreError(
            "PostgreSQL with pg_sphere is not installed; run `centre/install.sh` first."
        )
    return found[-1].parent.parent / "bin"


def exists(instance: Instance) -> bool:
    """Whether the cluster has been made; a server that is not the instance's own is there."""
    return bool(instance.database) or (instance.cluster / "PG_VERSION").exists()


def create(instance: Instance) -> None:
    """Makes the cluster, over what an interrupted attempt may have left behind.

    The socket lies in a directory only the instance's account can enter, so whoever gets to it
    is trusted.
    """
    unfinished = instance.root / "cluster.new"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    command = ["initdb", "--username=postgres", "--encoding=UTF8", "--locale=C"]
    command += ["--auth-local=trust", "--auth-host=scram-sha-256"]
    if instance.throwaway:
        command.append("--no-sync")
    _run(instance, [*command, f"--pgdata={unfinished}"], "The PostgreSQL cluster cannot be made")
    with (unfinished / "postgresql.conf").open("a") as file:
        file.write("include 'jmmc.conf'\n")
    unfinished.rename(instance.cluster)


def is_running(instance: Instance) -> bool:
    """Whether the cluster's server runs, or the server of JMMC_DATABASE answers."""
    if instance.database:
        try:
            _connect(instance)
        except CentreError:
            return False
        return True
    number = _postmaster(instance)
    return number is not None and _lives(number)


def start(instance: Instance) -> None:
    """Starts the cluster unless it runs; returns when it takes connections.

    Raises CentreError with what its log says when it does not start, or with the reason why the
    server of JMMC_DATABASE cannot be reached.
    """
    if instance.database:
        _connect(instance)
    if is_running(instance):
        return
    _clear_up(instance)
    version = (instance.cluster / "PG_VERSION").read_text().strip()
    installed = programs().parent.name
    if version != installed:
        raise CentreError(
            f"The cluster in {instance.cluster} was made by PostgreSQL {version}, but "
            f"{installed} is installed; convert it with pg_upgrade, or use another JMMC_ROOT."
        )
    _make_socket_directory(instance)
    settings = (CHECKOUT / "etc" / "postgresql.conf").read_text()
    settings += f"\nunix_socket_directories = '{instance.sockets}'\n"
    if instance.throwaway:
        settings += "fsync = off\n"
    (instance.cluster / "jmmc.conf").write_text(settings)
    log = instance.logs / "cluster.log"
    command = ["pg_ctl", "start", "--silent", "--wait", f"--timeout={_START_SECONDS}"]
    command += [f"--pgdata={instance.cluster}", f"--log={log}"]
    _run(instance, command, f"The PostgreSQL cluster does not start (see {log})", log)


def stop(instance: Instance) -> bool:
    """Stops the cluster; tells whether it ran. A server that is not the instance's own stays."""
    if instance.database or not is_running(instance):
        return False
    command = ["pg_ctl", "stop", "--silent", "--wait", "--mode=fast"]
    _run(instance, [*command, f"--pgdata={instance.cluster}"], "PostgreSQL does not stop")
    if instance.sockets != instance.run:
        instance.sockets.rmdir()
    return True


@contextmanager
def running(instance: Instance) -> Iterator[None]:
    """Has the cluster run for the while; stops it again if it did not run before.

    A server that was started in the meantime keeps its database.
    """
    already = is_running(instance)
    start(instance)
    try:
        yield
    finally:
        if not already and server.pid(instance) is None:
            stop(instance)


def create_database(instance: Instance) -> None:
    """Makes DaCHS' database, unless it is there.

    On a server that is not the instance's own, it gets the settings that etc/postgresql.conf has
    for queries.
    """
    question = "SELECT count(*) FROM pg_database WHERE datname = 'gavo'"
    answer = _run(instance, [*_psql(instance), question], "PostgreSQL does not answer")
    if answer.strip() == "0":
        command = "CREATE DATABASE gavo TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        _run(instance, [*_psql(instance), command], "The database cannot be made")
    if instance.database:
        for setting in ("timezone = 'UTC'", "jit = off"):
            command = f"ALTER DATABASE gavo SET {setting}"
            _run(instance, [*_psql(instance), command], "The database cannot be set up")


def _psql(instance: Instance) -> list[str]:
    """The command that runs a statement as the superuser, but for the statement."""
    return ["psql", "-XAtq", f"--dbname={instance.dsn('postgres')}", "--command"]


def _connect(instance: Instance) -> None:
    """Asks the server of JMMC_DATABASE whether it is there; CentreError with its answer if not."""
    try:
        psycopg2.connect(make_dsn(instance.dsn("postgres"), connect_timeout=10)).close()
    except psycopg2.Error as error:
        words = " ".join(str(error).split())
        raise CentreError(f"The database of JMMC_DATABASE does not answer: {words}") from None


def _postmaster(instance: Instance) -> int | None:
    """Process id of the cluster's server as it left it, alive or not."""
    try:
        return int((instance.cluster / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _lives(number: int) -> bool:
    """Whether a process lives and is a PostgreSQL server; a dead one nobody waits for does not."""
    if not Path("/proc/self").exists():  # a chroot without it
        try:
            os.kill(number, 0)
        except OSError:
            return False
        return True
    try:
        fields = Path("/proc", str(number), "stat").read_text()
    except OSError:
        return False
    name, _, state = fields.partition("(")[2].rpartition(") ")
    return name == "postgres" and not state.startswith("Z")


def _clear_up(instance: Instance) -> None:
    """Removes the locks of a server that crashed.

    PostgreSQL does so itself, but takes any process that has the number by now for its own, and
    in a container without an init process a dead server keeps its number for ever.
    """
    (instance.cluster / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (instance.sockets / name).unlink(missing_ok=True)


def _make_socket_directory(instance: Instance) -> None:
    """Makes the socket's directory; below /tmp somebody else may have made one of that name."""
    instance.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = instance.sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != instance.root.stat().st_uid:
        raise CentreError(f"{instance.sockets} belongs to somebody else; remove it.")
    instance.sockets.chmod(0o700)


def _run(instance: Instance, command: list[str], failure: str, log: Path | None = None) -> str:
    """Output of one of PostgreSQL's programs; CentreError with its last words when it fails."""
    written = log.stat().st_size if log and log.exists() else 0
    result = subprocess.run(
        [str(programs() / command[0]), *command[1:]],
        env=instance.environment(),
        cwd=instance.root,
        stdin=subprocess.DEVNULL,
        # The server pg_ctl starts keeps these open: files, not pipes, or we would wait for it.
        stdout=subprocess.DEVNULL if log else subprocess.PIPE,
        stderr=subprocess.DEVNULL if log else subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        text = result.stdout or ""
        if log and log.exists():
            text = log.read_bytes()[written:].decode(errors="replace")
        lines = text.strip().splitlines() or ["no message"]
        errors = [line for line in lines if re.search(r"\b(FATAL|PANIC|error):", line)]
        raise CentreError(f"{failure}: {errors[-1] if errors else ' '.join(lines)[:400]}")
    return result.stdout or ""
