"""The operator's command line: arguments, exit codes, and the words an operator reads."""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from centre import CentreError, account, cluster, dachs, server
from centre.instance import Instance

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: list[str]) -> int:
    """Runs one command; its exit code is 0 (done), 1 (failed) or 2 (wrong usage)."""
    parser = argparse.ArgumentParser(prog="jmmc")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("init", "start", "stop"):
        commands.add_parser(name)
    for name in ("dachs", "psql"):
        commands.add_parser(name, add_help=False).add_argument("rest", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    try:
        instance = Instance.from_environment()
        account.leave_root(instance.root)
        if options.command == "init":
            init(instance)
        elif options.command == "start":
            start(instance)
        elif options.command == "stop":
            server.stop(instance)
            cluster.stop(instance)
        elif options.command == "dachs":
            os.execve("/usr/bin/dachs", ["dachs", *options.rest], instance.environment())
        elif options.command == "psql":
            os.execve(
                cluster.programs() / "psql",
                ["psql", *options.rest, instance.dsn()],
                instance.environment(),
            )
    except CentreError as error:
        print(f"jmmc: {error}", file=sys.stderr)
        return FAILED
    return DONE


@contextmanager
def locked(instance: Instance) -> Iterator[None]:
    """Keeps two commands from changing the same instance at once."""
    instance.run.mkdir(parents=True, exist_ok=True)
    with (instance.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CentreError(f"Another command is at work on {instance.root}.") from None
        yield


def init(instance: Instance) -> None:
    with locked(instance):
        instance.logs.mkdir(parents=True, exist_ok=True)
        instance.products.mkdir(parents=True, exist_ok=True)
        if not cluster.exists(instance):
            cluster.create(instance)
        cluster.start(instance)
        cluster.create_database(instance)
        instance.write_settings()
        dachs.initialise(instance)
        changed = dachs.import_rds(instance)
        if changed or instance.read_state().get("published") != instance.url:
            dachs.publish(instance)


def start(instance: Instance) -> None:
    with locked(instance):
        cluster.start(instance)
        instance.write_settings()
        server.start(instance)
    print(f"JMMC data centre at {instance.url}/")
