"""etc/nginx.conf run by the real nginx, with ports, names and certificate of a test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

_CONFIGURATION = Path(__file__).parents[1] / "etc" / "nginx.conf"
#: What Debian's nginx.conf has around conf.d, as far as it matters here; nothing in system folders.
_AROUND = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/jmmc.conf;
}}
"""
_UPSTREAM = "server 127.0.0.1:8080 max_fails=1 fail_timeout=5s;"


@contextmanager
def proxy(
    folder: Path, upstream: Sequence[int], plain: int, tls: int, user: str = ""
) -> Iterator[None]:
    """Runs nginx on two ports in front of ports of this machine; skips where there is no nginx."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("nginx is not installed: centre/install.sh test")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-keyout", f"{folder}/key", "-out", f"{folder}/cert"]
    subprocess.run(command, check=True, capture_output=True)
    text = _CONFIGURATION.read_text()
    changes = {
        _UPSTREAM: "\n".join(_UPSTREAM.replace("8080", str(port)) for port in upstream),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        "/etc/ssl/certs/oidb.example.org.pem": f"{folder}/cert",
        "/etc/ssl/private/oidb.example.org.key": f"{folder}/key",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "jmmc.conf").write_text(text)
    around = folder / "nginx.conf"
    around.write_text(_AROUND.format(folder=folder, user=user))
    process = subprocess.Popen(
        [program, "-e", f"{folder}/error.log", "-c", str(around)], stderr=subprocess.PIPE
    )
    try:
        _wait_for(process, plain)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 10
    while True:
        assert process.poll() is None, process.communicate()[1].decode()
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert time.monotonic() < end, "nginx does not listen"
            time.sleep(0.05)
