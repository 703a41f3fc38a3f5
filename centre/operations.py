"""What an operator does with an instance as a whole."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

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
from centre.instance import Instance


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
            process = _start_server(instance)
        print(_WELCOME.format(url=instance.url), flush=True)
        process.wait()
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


def _start_server(instance: Instance) -> "subprocess.Popen[bytes]":
    process = server.start(instance)
    instance.update_state(serving={"port": instance.port, "bind": instance.bind})
    return process


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
    number = server.pid(instance)
    if number is not None:
        raise CentreError(
            f"The server runs already, as process {number}; `bin/jmmc stop` stops it."
        )


@contextmanager
def _locked(instance: Instance) -> Iterator[None]:
    """Keeps two commands from changing the same instance at once."""
    instance.run.mkdir(parents=True, exist_ok=True)
    with (instance.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CentreError(
                f"Another command is at work on the instance in {instance.root}."
            ) from None
        yield
