"""The DaCHS server of an instance: a process, its lock, and the port it answers on."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from centre import CentreError
from centre.instance import Instance

_START_SECONDS = 60
_STOP_SECONDS = 15


def pid(instance: Instance) -> int | None:
    """Process id of the running server, or None.

    The server inherits a lock on run/server.pid and so holds it as long as it lives: no stale
    file and no number of another process can be taken for it.
    """
    try:
        with _pid_file(instance).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.EWOULDBLOCK:
            raise
        return int(_pid_file(instance).read_text() or "0")
    return None


def start(instance: Instance) -> "subprocess.Popen[bytes]":
    """Starts the server; returns when it answers.

    Raises CentreError when the port is taken or the server does not come up.
    """
    check_port(instance)
    log = instance.logs / "server.log"
    with _pid_file(instance).open("a+") as lock, log.open("ab") as output:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = subprocess.Popen(
            [str(instance.dachs_command), "serve", "start", "-f"],
            env=instance.environment(),
            cwd=instance.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
        lock.truncate(0)
        lock.write(str(process.pid))
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise CentreError(f"The server does not start: {_last_line(log)} (all of it: {log})")
        if answers(instance):
            return process
        time.sleep(0.1)
    stop(instance)
    raise CentreError(f"The server did not answer within {_START_SECONDS} s (see {log}).")


def stop(instance: Instance) -> bool:
    """Stops the server; tells whether it ran."""
    number = pid(instance)
    if number is None:
        return False
    os.kill(number, signal.SIGTERM)
    end = time.monotonic() + _STOP_SECONDS
    while pid(instance) is not None:
        if time.monotonic() > end:
            os.kill(number, signal.SIGKILL)
        time.sleep(0.05)
    return True


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


def _pid_file(instance: Instance) -> Path:
    return instance.run / "server.pid"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() or ["no message"]
    return lines[-1].removeprefix("*** ")


def _listener(port: int) -> str:
    """Name and number of the process that listens on a TCP port, as far as we may see it."""
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
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) in inodes:
                name = (link.parent.parent / "comm").read_text().strip()
                return f"{name} (process {link.parts[2]})"
        except OSError:
            continue
    return "another program"
