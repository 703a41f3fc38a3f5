"""A twin of ESO's archive, for tests: a TAP service with dbo.raw, and the page of headers.

It is a DaCHS of its own beside the one that is tested, with nothing of that one's changes. Started
as a program, by whatever account, with its directory and its port, it serves until its standard
input ends, as it does when whoever started it ends by whatever cause, and leaves nothing behind.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from centre import CentreError, account, cluster, server
from centre.instance import CHECKOUT, Instance

_DACHS = "/usr/bin/dachs"
#: Addresses of ESO's archive.
_PATHS = "__system__/tap/run tap_obs\ndbo/q/hdr/api hdr\n"


def instance(root: Path, port: int) -> Instance:
    """The twin in a directory, at a port of this machine."""
    return Instance(root, port, "127.0.0.1", f"http://localhost:{port}", throwaway=True)


def serve(twin: Instance) -> None:
    """Makes the twin, prints a line when it answers, and serves until there is no more input."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = None
    try:
        for folder in (twin.logs, twin.run):
            folder.mkdir(parents=True)
        cluster.create(twin)
        cluster.start(twin)
        cluster.create_database(twin)
        twin.write_settings()
        for name in ("userconfig.rd", "defaultmeta.txt"):
            (twin.config / name).unlink()
        vanity = twin.config / "vanitynames.txt"
        vanity.unlink(missing_ok=True)
        vanity.write_text(_PATHS)
        # It wants to write to its inputs directory.
        _dachs(twin, "init", "--dsn", twin.dsn(), GAVO_INPUTSDIR=str(twin.dachs / "inputs"))
        _dachs(twin, "imp", "dbo/q")
        with (twin.logs / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [_DACHS, "serve", "start", "-f"],
                env=_environment(twin), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        while not server.answers(twin):
            if process.poll() is not None:
                raise CentreError((twin.logs / "server.log").read_text())
            time.sleep(0.1)
        print("ready", flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        cluster.stop(twin)
        for path in twin.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _dachs(twin: Instance, *arguments: str, **environment: str) -> None:
    result = subprocess.run(
        [_DACHS, *arguments], env={**_environment(twin), **environment}, cwd=twin.root,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if result.returncode or "*** " in result.stdout:
        raise CentreError(f"dachs {arguments[0]}: {result.stdout}")


def _environment(twin: Instance) -> dict[str, str]:
    return {**twin.environment(), "GAVO_INPUTSDIR": str(CHECKOUT / "tests" / "twin")}


if __name__ == "__main__":
    made = instance(Path(sys.argv[1]), int(sys.argv[2]))
    account.leave_root(made.root)
    serve(made)
