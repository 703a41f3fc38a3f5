"""The DaCHS server of an instance: its processes, their locks, and the port they answer on.

There are JMMC_PROCESSES of them; centre/fronts.py is what they do to be one server.
"""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from centre import CentreError
from centre.instance import Instance

_START_SECONDS = 60
_STOP_SECONDS = 15


def pids(instance: Instance) -> dict[int, int]:
    """Process ids of the processes of the server that run on this machine, by their numbers.

    A process inherits a lock on its file in run/ and so holds it as long as it lives: no stale file
    and no number of another process can be taken for it.
    """
    found = {}
    for path in instance.run.glob("server*.pid"):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno != errno.EWOULDBLOCK:
                    raise
                found[_number(path)] = int(file.read() or "0")
    return dict(sorted(found.items()))


def pid(instance: Instance) -> int | None:
    """Process id of the server, or of one of its processes; None when none runs."""
    return next(iter(pids(instance).values()), None)


def start(instance: Instance) -> "list[subprocess.Popen[bytes]]":
    """Starts the processes of the server that do not run; returns when they answer.

    Raises CentreError when the port is taken or one of them does not come up; then all are stopped.
    """
    running = pids(instance)
    if not running:
        check_port(instance)
    numbers = [n for n in range(1, instance.processes + 1) if n not in running]
    started = {number: _start(instance, number) for number in numbers}
    end = time.monotonic() + _START_SECONDS
    try:
        while True:
            for number, process in started.items():
                if process.poll() is not None:
                    log = _log(instance, number)
                    raise CentreError(
                        f"The server does not start: {_last_line(log)} (all of it: {log})"
                    )
            listening = instance.processes == 1 or all(
                _listens(process.pid, instance.port) for process in started.values()
            )
            if listening and answers(instance):
                return list(started.values())
            if time.monotonic() > end:
                raise CentreError(
                    f"The server did not answer within {_START_SECONDS} s (see {instance.logs})."
                )
            time.sleep(0.1)
    except CentreError:
        stop(instance)
        raise


def stop(instance: Instance) -> bool:
    """Stops all processes of the server on this machine; tells whether there were any."""
    found = pids(instance)
    for number in found.values():
        _signal(number, signal.SIGTERM)
    end = time.monotonic() + _STOP_SECONDS
    while left := pids(instance):
        if time.monotonic() > end:
            for number in left.values():
                _signal(number, signal.SIGKILL)
        time.sleep(0.05)
    return bool(found)


def _start(instance: Instance, number: int) -> "subprocess.Popen[bytes]":
    path = _pid_file(instance, number)
    with path.open("a+") as lock, _log(instance, number).open("ab") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)  # at most somebody is just looking who has it
        process = subprocess.Popen(
            [str(instance.dachs_command), "serve", "start", "-f"],
            env={
                **instance.environment(),
                "JMMC_PROCESSES": str(instance.processes),
                "JMMC_PROCESS": str(number),
            },
            cwd=instance.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
        lock.truncate(0)
        lock.write(str(process.pid))
    return process


def _signal(number: int, signal_number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, signal_number)


def answers(instance: Instance) -> bool:
    """Whether the TAP service says it is available."""
    host = "127.0.0.1" if instance.bind in {"0.0.0.0", ""} else instance.bind
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{host}:{instance.port}/tap/availability", timeout=10) as answer:
            return b"true" in answer.read()
    except (OSError, ValueError):
        return False


def check_port(instance: Instance) -> None:
    """Raises CentreError, saying who has it, when the instance's port cannot be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((instance.bind, instance.port))
        except OSError as error:
            if error.errno == errno.EACCES:
                reason = "ports below 1024 are for root"
            elif error.errno == errno.EADDRINUSE:
                reason = f"{_listener(instance.port)} listens there"
            else:
                reason = str(error.strerror)
            raise CentreError(
                f"Port {instance.port} of {instance.bind} cannot be used: {reason}; "
                "stop that, or choose another with JMMC_PORT."
            ) from None


def _pid_file(instance: Instance, number: int) -> Path:
    return instance.run / ("server.pid" if number == 1 else f"server-{number}.pid")


def _number(pid_file: Path) -> int:
    return int(pid_file.stem.partition("-")[2] or "1")


def _log(instance: Instance, number: int) -> Path:
    return instance.logs / ("server.log" if number == 1 else f"server-{number}.log")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() or ["no message"]
    return lines[-1].removeprefix("*** ")


def _listener(port: int) -> str:
    """Name and number of the process that listens on a TCP port, as far as we may see it."""
    inodes = listening_sockets(port)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) in inodes:
                name = (link.parent.parent / "comm").read_text().strip()
                return f"{name} (process {link.parts[2]})"
        except OSError:
            continue
    return "another program"


def _listens(number: int, port: int) -> bool:
    """Whether a process, which is ours, listens on a TCP port."""
    inodes = listening_sockets(port)
    for link in Path("/proc", str(number), "fd").glob("*"):
        with suppress(OSError):
            if os.readlink(link) in inodes:
                return True
    return False


def listening_sockets(port: int) -> set[str]:
    """The sockets that listen on a TCP port, as links in /proc name them."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            listening = fields[3] == "0A"
            if listening and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return inodes
