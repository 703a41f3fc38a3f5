"""The proxy's configuration, with a server behind it that does what a test wants."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.proxy import proxy

_BEGIN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
_END = b"4\r\nlast\r\n0\r\n\r\n"
_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Upstream:
    """A server that takes connections one after the other; a test reads and writes on them."""

    listener: socket.socket
    plain: int = 0
    tls: int = 0
    taken: list[socket.socket] = field(default_factory=list)

    def request(self) -> tuple[socket.socket, bytes]:
        """The connection on which the next request comes, and the head of the request."""
        self.listener.settimeout(5)
        connection = self.listener.accept()[0]
        self.taken.append(connection)
        return connection, head(connection)


def head(connection: socket.socket) -> bytes:
    """What comes up to an empty line."""
    connection.settimeout(5)
    text = b""
    while b"\r\n\r\n" not in text:
        piece = connection.recv(65536)
        assert piece, "the proxy has closed the connection"
        text += piece
    return text


def closes_within(connection: socket.socket, seconds: float) -> bool:
    """Whether the other side closes the connection in time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def free_ports(number: int) -> list[int]:
    """TCP ports nobody listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the proxy."""
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def upstream(folder: Path) -> Iterator[Upstream]:
    """The proxy with two servers behind it, one of which is not there."""
    plain, tls, nobody = free_ports(3)
    user = "user root;" if os.geteuid() == 0 else ""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with proxy(folder, [port, nobody], plain, tls, user):
            yield Upstream(listener, plain, tls)


def client(upstream: Upstream, request: bytes = b"GET /tap/sync HTTP/1.1\r\n") -> ssl.SSLSocket:
    """A connection by TLS, on which a request was sent."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", upstream.tls)))
    connection.settimeout(5)
    connection.sendall(request + b"Host: oidb.example.org\r\n\r\n")
    return connection


def test_answers_pass_as_they_are_made(upstream: Upstream) -> None:
    with client(upstream) as asking:
        answering, _ = upstream.request()
        with answering:
            answering.sendall(_BEGIN)
            assert b"first" in receive(asking, b"first")
            answering.sendall(_END)
            assert b"last" in receive(asking, b"last")


def receive(connection: socket.socket, until: bytes) -> bytes:
    """What comes up to some bytes."""
    text = b""
    while until not in text:
        piece = connection.recv(65536)
        assert piece, text
        text += piece
    return text


def test_a_client_that_takes_nothing_stops_the_server(upstream: Upstream) -> None:
    with client(upstream) as asking:
        answering, _ = upstream.request()
        with answering:
            answering.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            answering.setblocking(False)
            sent, idle = 0, time.monotonic() + 1
            while time.monotonic() < idle:
                try:
                    sent += answering.send(b"x" * 65536)
                    idle = time.monotonic() + 1
                    assert sent < 64e6, "nothing stops it"
                except BlockingIOError:
                    time.sleep(0.02)
            assert asking.recv(100)
    assert sent > 0


@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_goes_away_is_noticed_within_a_second(
    upstream: Upstream, begun: bool
) -> None:
    asking = client(upstream)
    answering, _ = upstream.request()
    with answering:
        if begun:
            answering.sendall(_BEGIN)
            receive(asking, b"first")
        asking.close()
        assert closes_within(answering, 1)


def test_connections_to_the_server_are_used_again(upstream: Upstream) -> None:
    with client(upstream) as asking:
        answering, first = upstream.request()
        answering.sendall(_SHORT)
        receive(asking, b"ok")
    with client(upstream) as asking:
        second = head(answering)
        answering.sendall(_SHORT)
        receive(asking, b"ok")
    answering.close()
    for request in (first, second):
        assert b"connection:" not in request.lower()


def test_the_server_is_told_who_asks(upstream: Upstream) -> None:
    lies = b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: evil.example\r\n"
    with client(upstream, lies) as asking:
        answering, request = upstream.request()
        with answering:
            answering.sendall(_SHORT)
            receive(asking, b"ok")
    fields = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if line)
    assert fields[b"X-Forwarded-For"] == b"127.0.0.1"
    assert fields[b"X-Forwarded-Proto"] == b"https"
    assert fields[b"Host"] == b"oidb.example.org"
    assert b"X-Forwarded-Host" not in fields


def test_an_upload_comes_when_it_is_whole(upstream: Upstream) -> None:
    size = 3_000_000
    post = b"POST /tap/sync HTTP/1.1\r\nContent-Length: %d\r\n" % size
    with client(upstream, post) as asking:
        asking.sendall(b"x" * (size // 2))
        upstream.listener.settimeout(0.3)
        with pytest.raises(TimeoutError):
            upstream.listener.accept()
        asking.sendall(b"x" * (size - size // 2))
        answering, request = upstream.request()
        with answering:
            got = len(request.partition(b"\r\n\r\n")[2])
            while got < size:
                got += len(answering.recv(1 << 20))
            answering.sendall(_SHORT)
            receive(asking, b"ok")
    assert got == size


def test_too_large_an_upload_is_refused_at_once(upstream: Upstream) -> None:
    post = b"POST /tap/sync HTTP/1.1\r\nContent-Length: 105000000\r\n"
    with client(upstream, post) as asking:
        assert b" 413 " in receive(asking, b"\r\n")


def test_only_aspro_is_answered_without_tls(upstream: Upstream) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", upstream.plain, timeout=5)
    for path in ("/", "/tap/sync?QUERY=x", "/search.votable/x", "/search.votablex"):
        connection.request("GET", path, headers={"Host": "oidb.example.org"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 308
        assert answer.headers["Location"] == f"https://oidb.example.org{path}"
    connection.request("POST", "/search.votable?all_fields=false", b"ra=1")
    answering, request = upstream.request()
    with answering:
        assert request.startswith(b"POST /search.votable?all_fields=false HTTP/1.1")
        answering.sendall(_SHORT)
        assert connection.getresponse().read() == b"ok"
    connection.close()


def test_requests_at_once_are_all_answered(upstream: Upstream) -> None:
    """The other server is not there: nobody is sent to it for long, and nobody is refused."""
    answers: list[bytes] = []

    def ask() -> None:
        with client(upstream) as asking:
            answers.append(receive(asking, b"\r\n"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        answering, _ = upstream.request()
        with answering:
            answering.sendall(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
            )
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(b" 200 " in answer for answer in answers)
