"""A running instance for the tests that drive the centre from outside.

It is made for the test run, on a free port, and removed at its end, whatever ends it. To test
against an instance that runs already, name its root and port: JMMC_TEST_ROOT, JMMC_TEST_PORT.
That is for pytest; the halves of `make test` would be in each other's way.
"""

import os
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from centre.instance import Instance

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Centre:
    """An instance as its operator and its users see it."""

    root: Path
    port: int
    #: Further settings of the environment.
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        return f"http://localhost:{self.port}"

    @property
    def _dsn(self) -> str:
        return Instance(self.root, self.port, "", "").dsn()

    @property
    def environment(self) -> dict[str, str]:
        """What bin/jmmc must find in its environment to work on this instance."""
        return {
            **os.environ,
            "JMMC_ROOT": str(self.root),
            "JMMC_PORT": str(self.port),
            "JMMC_THROWAWAY": "1",
            **self.settings,
        }

    def jmmc(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Runs bin/jmmc in this instance; look at returncode, stdout and stderr."""
        return subprocess.run(
            [str(CHECKOUT / "bin" / "jmmc"), *arguments],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def succeed(self, *arguments: str) -> str:
        """Output of a bin/jmmc command that must succeed."""
        result = self.jmmc(*arguments)
        assert result.returncode == 0, f"jmmc {' '.join(arguments)}: {result.stderr}"
        return result.stdout

    def sql(self, *statements: str) -> str:
        """What psql says to statements, each of which must succeed.

        `jmmc psql` does the same, but takes a second to get ready.
        """
        commands = [word for statement in statements for word in ("-c", statement)]
        result = subprocess.run(
            ["psql", self._dsn, "-XAtq", "-v", "ON_ERROR_STOP=1", *commands],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, f"{statements}: {result.stderr}"
        return result.stdout

    def administer(self, *commands: list[str]) -> None:
        """Runs `dachs admin` for each command; DaCHS, which takes seconds to load, is so once."""
        lines = [shlex.join(["admin", *command]) for command in commands]
        result = self.jmmc("dachs", "each", given="\n".join(lines))
        assert result.returncode == 0, result.stdout + result.stderr

    def connect(self) -> Any:
        """A connection to its database, on which each statement is a transaction."""
        connection = psycopg2.connect(self._dsn)
        connection.autocommit = True
        return connection

    def remove(self) -> None:
        """Stops everything and removes the instance."""
        self.jmmc("stop")
        shutil.rmtree(self.root, ignore_errors=True)


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def centre() -> Iterator[Centre]:
    """A running instance with the demonstration data."""
    if "JMMC_TEST_ROOT" in os.environ:
        yield Centre(Path(os.environ["JMMC_TEST_ROOT"]), int(os.environ["JMMC_TEST_PORT"]))
        return
    # Being told to end must run what follows a yield, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _remove_orphans()
    made = Centre(CHECKOUT / "var" / f"test-{os.getpid()}", free_port())
    try:
        made.succeed("init")
        made.succeed("demo")
        made.succeed("start")
        yield made
    finally:
        made.remove()


@pytest.fixture
def database(centre: Centre) -> Iterator[Any]:
    """A cursor in its database: much quicker than `jmmc psql`."""
    connection = centre.connect()
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def _remove_orphans() -> None:
    """Removes instances of test runs that were killed."""
    for root in (CHECKOUT / "var").glob("test-*"):
        try:
            os.kill(int(root.name.split("-")[1]), 0)
        except ProcessLookupError:
            Centre(root, free_port()).remove()


@pytest.fixture(scope="session")
def stilts() -> Path:
    """The STILTS of var/tools; the test is skipped when tests/tools.py has not fetched it."""
    script = CHECKOUT / "var" / "tools" / "bin" / "stilts"
    if not script.exists():
        pytest.skip("no STILTS: run tests/tools.py")
    return script
