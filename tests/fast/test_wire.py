"""Answers reach the server whole, however slowly it takes them."""

import gzip
import json
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fast.wire import BEGIN, BROKEN, DATA, END, HEADER, Answer, GoneError, Outlet


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's and the worker's end."""
    ours, its = socket.socketpair()
    with closing(ours), closing(its):
        yield ours, its


def _read(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := channel.recv(min(1 << 16, size - len(data)))):
        data += piece
    return bytes(data)


def _frames(channel: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    while True:
        kind, length = HEADER.unpack(_read(channel, HEADER.size))
        yield kind, _read(channel, length)
        if kind in {END, BROKEN}:
            return


def test_what_is_not_taken_waits_in_a_file(
    pair: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    server, worker = pair
    outlet = Outlet(worker, tmp_path)
    pieces = [bytes([number]) * 1_000_000 for number in range(100)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for piece in pieces:
        outlet.send(piece)  # nobody reads, and it goes on
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    flushing = threading.Thread(target=outlet.flush)
    flushing.start()
    for piece in pieces:
        assert _read(server, len(piece)) == piece
    flushing.join(10)
    assert not flushing.is_alive()
    assert list(tmp_path.iterdir()) == []
    outlet.send(b"more")
    assert server.recv(10) == b"more"


def test_nobody_is_there_any_more(
    pair: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    server, worker = pair
    outlet = Outlet(worker, tmp_path)
    outlet.send(b"x" * 1_000_000)
    server.close()
    with pytest.raises(GoneError):
        outlet.flush()


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_is_its_pieces(
    pair: tuple[socket.socket, socket.socket], tmp_path: Path, compressed: bool
) -> None:
    server, worker = pair
    answer = Answer(Outlet(worker, tmp_path), compressed=compressed)
    answer.headers = {"content-type": "text/plain"}
    for piece in (b"one", b"", b"two" * 1000):
        answer.write(piece)
        answer.push()
    answer.end()
    frames = list(_frames(server))
    assert frames[0][0] == BEGIN
    assert json.loads(frames[0][1]) == {"content-type": "text/plain"}
    assert frames[-1] == (END, b"")
    assert {kind for kind, _ in frames[1:-1]} == {DATA}
    body = b"".join(content for _, content in frames[1:-1])
    assert (gzip.decompress(body) if compressed else body) == b"one" + b"two" * 1000


def test_an_answer_that_fails_says_nothing_else(
    pair: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    server, worker = pair
    answer = Answer(Outlet(worker, tmp_path), compressed=False)
    answer.write(b"not sent yet")
    answer.fail(BROKEN, b"why")
    assert list(_frames(server)) == [(BROKEN, b"why")]
