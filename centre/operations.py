"""What an operator does with an instance as a whole."""

import fcntl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from centre import (
    CentreError,
    badcal,
    cluster,
    dachs,
    jmdc,
    jsdc,
    obsportal,
    oifits,
    olbin,
    server,
    stars,
)
from centre.alone import AtWorkError
from centre.instance import Instance

#: How often `serve` looks whether the server's processes live.
_LOOK_SECONDS = 0.5
#: How long a command waits for those of other machines.
_WAIT_SECONDS = 120


def require(instance: Instance, *, complete: bool = True) -> None:
    """Raises CentreError unless the instance exists and, if it must be, is `complete`.

    Complete is one that has all that is not in an RD.
    """
    if not (instance.root / "state.json").exists():
        raise CentreError(
            f"There is no instance in {instance.root}; make one with `bin/jmmc init`, "
            "or name another directory with JMMC_ROOT."
        )
    if complete and not instance.read_state().get("complete"):
        raise CentreError(
            f"The instance in {instance.root} is not complete; run `bin/jmmc init` again."
        )


def init(instance: Instance) -> None:
    """Makes the instance, or brings it up to date with the checkout.

    Each step looks whether it is done already, so a second call is quick, and one after an
    interruption does the rest. Data are never dropped.
    """
    with _locked(instance):
        _init(instance)
    print(f"The instance in {instance.root} is ready.")


def start(instance: Instance) -> None:
    """Starts database and server; returns when the server answers."""
    with _locked(instance):
        _check_not_running(instance)
        if server.pid(instance) is None:
            server.check_port(instance)
        cluster.start(instance)
        instance.write_settings()
        _start_server(instance)
    print(f"The data centre answers at {instance.url}/")


def stop(instance: Instance) -> None:
    """Stops server and database, if they run."""
    with _locked(instance):
        stopped = [server.stop(instance), cluster.stop(instance)]
    print("Stopped." if any(stopped) else "Nothing was running.")


def serve(instance: Instance) -> None:
    """Makes the instance, loads the demonstration data the first time, serves until Ctrl-C."""
    try:
        with _locked(instance):
            _check_not_running(instance)
            server.check_port(instance)
            _init(instance)
            cluster.start(instance)
            if not instance.read_state().get("demo"):
                print("Loading the demonstration data ...", flush=True)
                _load_demonstration(instance)
            processes = _start_server(instance)
        print(_WELCOME.format(url=instance.url), flush=True)
        _watch(instance, processes)
        print("The server was stopped.")
    except KeyboardInterrupt:
        print("\nStopping ...", flush=True)
    finally:
        server.stop(instance)
        cluster.stop(instance)


def demo(instance: Instance) -> None:
    """Ingests the demonstration data."""
    with cluster.running(instance):
        _load_demonstration(instance)


_WELCOME = """
The JMMC data centre is up. Open

    {url}/

From Python:

    import pyvo
    tap = pyvo.dal.TAPService("{url}/tap")
    print(tap.search("SELECT TOP 5 target_name, instrument_name, t_min FROM ivoa.obscore"))

From TOPCAT: VO > Table Access Protocol (TAP) Query, TAP URL {url}/tap, Use Service.

Ctrl-C stops it."""


def _init(instance: Instance) -> None:
    instance.update_state()  # from here on there is something `stop` may have to stop
    instance.logs.mkdir(parents=True, exist_ok=True)
    instance.products.mkdir(parents=True, exist_ok=True)
    instance.products.chmod(0o700)  # private files are closed to other accounts too
    if not cluster.exists(instance):
        print("Making the database ...", flush=True)
        cluster.create(instance)
    with cluster.running(instance):
        cluster.create_database(instance)
        instance.write_settings()
        dachs.initialise(instance)
        instance.update_state(complete=True)
        changed = dachs.import_rds(instance)
        if changed or instance.read_state().get("published") != instance.url:
            dachs.publish(instance)


def _start_server(instance: Instance) -> "list[subprocess.Popen[bytes]]":
    started = server.start(instance)
    serving = instance.read_state().get("serving", {})
    instance.update_state(serving={**serving, instance.machine: _serving(instance)})
    return started


def _serving(instance: Instance) -> dict[str, Any]:
    return {"port": instance.port, "bind": instance.bind, "processes": instance.processes}


def _watch(instance: Instance, processes: "list[subprocess.Popen[bytes]]") -> None:
    """Returns when the server has ended; one of several processes that ends is started again."""
    while server.pid(instance) is not None:
        time.sleep(_LOOK_SECONDS)
        if all(process.poll() is None for process in processes):
            continue
        with suppress(AtWorkError), _locked(instance):  # not while a command stops them all
            if server.pid(instance) is not None:
                print("A process of the server has ended; another one is started.", flush=True)
                processes = [process for process in processes if process.poll() is None]
                processes += server.start(instance)


def _load_demonstration(instance: Instance) -> None:
    oifits.ingest_demonstration(instance)
    obsportal.ingest_demonstration(instance)
    jsdc.ingest_demonstration(instance)
    jmdc.ingest_demonstration(instance)  # which is compared with it
    badcal.load_demonstration(instance)
    olbin.ingest_demonstration(instance)
    stars.follow(instance)
    dachs.measure(instance)
    dachs.publish(instance)
    instance.update_state(demo=True)


def _check_not_running(instance: Instance) -> None:
    """Raises CentreError when the server runs, unless some of its processes have ended."""
    found = server.pids(instance)
    if not found:
        return
    same = instance.read_state().get("serving", {}).get(instance.machine) == _serving(instance)
    if same and not set(range(1, instance.processes + 1)) <= set(found):
        return
    numbers = ", ".join(map(str, found.values()))
    raise CentreError(
        f"The server runs already, as process {numbers}; `bin/jmmc stop` stops it."
        if len(found) == 1
        else f"The server runs already, as processes {numbers}; `bin/jmmc stop` stops them."
    )


@contextmanager
def _locked(instance: Instance) -> Iterator[None]:
    """Keeps two commands from changing the same instance at once.

    Machines that share it may all start at the same time, so they wait for each other.
    """
    for folder in (instance.locks, instance.run, instance.logs):
        folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + (_WAIT_SECONDS if instance.machine else 0)
    with (instance.locks / "lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise AtWorkError(
                        f"Another command is at work on the instance in {instance.root}."
                    ) from None
            time.sleep(_LOOK_SECONDS)
        yield
