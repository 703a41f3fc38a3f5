"""A second server of an instance, at a port of its own and with settings of its own."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from centre.instance import Instance
from tests.live import client
from tests.live.conftest import free_port

#: Seconds a server may take to start on a busy machine.
_START = 120.0


@dataclass(frozen=True)
class Server:
    """A server: its port and its process."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://localhost:{self.port}"

    def family(self) -> list[int]:
        """Numbers of its process and of all that it has started."""
        found = [self.process.pid]
        for one in found:
            try:
                text = Path(f"/proc/{one}/task/{one}/children").read_text()
            except OSError:
                continue
            found += map(int, text.split())
        return found


@contextmanager
def server(instance: Instance, settings: Mapping[str, str]) -> Iterator[Server]:
    """Another server of an instance, run as bin/jmmc runs it, with these environment variables.

    When it has workers (JMMC_FAST is not 0), they are ready.
    """
    port = free_port()
    own = (instance.config / "gavo.rc").read_text()
    with tempfile.NamedTemporaryFile("w", suffix=".rc") as file:
        file.write(re.sub(r"(?m)^serverPort:.*", f"serverPort: {port}", own))
        file.flush()
        os.chmod(file.name, 0o644)
        account = instance.root.stat()
        process = subprocess.Popen(
            [str(instance.dachs_command), "serve", "start", "-f"],
            env={**instance.environment(), **settings, "GAVOSETTINGS": file.name},
            cwd=instance.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=account.st_uid if os.getuid() == 0 else None,
            group=account.st_gid if os.getuid() == 0 else None,
        )
        made = Server(port, process)
        try:
            if settings.get("JMMC_FAST") == "0":
                _await(made.url, "")
            else:
                await_workers(made.url)
            yield made
        finally:
            process.terminate()
            process.wait()


def await_workers(url: str) -> None:
    """Waits until queries are answered by workers: their small answers have a length."""
    _await(url, "content-length")


def _await(url: str, header: str) -> None:
    query = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 table_name FROM tap_schema.tables"}
    end = time.monotonic() + _START
    while time.monotonic() < end:
        try:
            answer = client.ask(f"{url}/tap/sync", data=query)
            if answer.status == 200 and (not header or header in answer.headers):
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{url} has not been ready within {_START} s")
