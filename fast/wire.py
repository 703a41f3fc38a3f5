"""What goes between the server and a worker: questions, and answers in frames.

From the server come questions, each a JSON object on a line, perhaps with bytes after it; to it go
frames: a letter for the kind, the length as 4 bytes, and so many bytes.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

#: Frames: the answer begins (JSON of its headers); a piece of it; it is whole; there is none (JSON
#: with msg, hint and httpCode); it cannot be completed; the question is one for DaCHS itself; it is
#: about to be translated, which takes its time; what other workers should know (JSON).
BEGIN, DATA, END, REFUSED, BROKEN, PASSED = b"B", b"D", b"E", b"R", b"X", b"P"
WORKING, SHARED = b"W", b"S"
HEADER = struct.Struct("!cI")

#: Bytes of an answer that may wait in a file; beyond, the query waits for the client.
_SPOOL = 4_000_000_000
#: Bytes of frames that are sent without waiting for more.
_ENOUGH = 1_000_000


class GoneError(Exception):
    """Nobody wants the answer any more."""


class Outlet:
    """The way to the server: sends what is taken at once, keeps the rest in a file."""

    def __init__(self, channel: socket.socket, folder: Path) -> None:
        """`folder` is for what has to wait."""
        self._channel, self._folder = channel, folder
        self._spool: Any = None
        self._read = self._written = 0

    def send(self, data: bytes) -> None:
        """Sends data, or keeps it until it is taken."""
        view = memoryview(data)
        while view and not self._waiting and (sent := self._try(view)):
            view = view[sent:]
        if view:
            self._keep(view)
            self._drain()

    def flush(self) -> None:
        """Waits until everything has been taken."""
        while self._waiting:
            if not self._drain():
                wait(self._channel, select.POLLOUT)
        if self._spool is not None:
            self._spool.close()
            self._spool, self._read, self._written = None, 0, 0

    @property
    def _waiting(self) -> int:
        return self._written - self._read

    def _try(self, view: memoryview) -> int:
        try:
            return self._channel.send(view, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return 0
        except OSError:
            raise GoneError from None

    def _keep(self, view: memoryview) -> None:
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  (kept open)
        while self._waiting > _SPOOL:
            if not self._drain():
                wait(self._channel, select.POLLOUT)
        os.pwrite(self._spool.fileno(), view, self._written)
        self._written += len(view)

    def _drain(self) -> bool:
        """Sends what waits, as far as it is taken; False when nothing was."""
        begun = self._read
        while self._waiting:
            piece = os.pread(self._spool.fileno(), 1 << 18, self._read)
            sent = self._try(memoryview(piece))
            self._read += sent
            if sent < len(piece):
                break
        return self._read > begun


def wait(channel: socket.socket, events: int) -> None:
    """Waits until a socket can do something (select.POLL...)."""
    waiting = select.poll()
    waiting.register(channel.fileno(), events)
    waiting.poll()


class Answer:
    """An answer on its way: begins with the first bytes that are written, compressed if wanted."""

    def __init__(self, outlet: Outlet, compressed: bool) -> None:
        self._outlet = outlet
        self.headers: dict[str, str] = {}
        self._compressor = zlib.compressobj(3, wbits=31) if compressed else None
        self._frames: list[bytes] = []
        self._size = 0
        self.begun = False

    def write(self, data: bytes) -> int:
        """Takes bytes of the answer (DaCHS' writers take this for a file)."""
        if not self.begun:
            self.begun = True
            self._frame(BEGIN, json.dumps(self.headers).encode())
        if self._compressor is not None:
            data = self._compressor.compress(data)
        if data:
            self._frame(DATA, data)
        if self._size > _ENOUGH:
            self.push()
        return len(data)

    def push(self) -> None:
        """Sends what there is."""
        if self._compressor is not None and self.begun:
            data = self._compressor.flush(zlib.Z_SYNC_FLUSH)
            if data:
                self._frame(DATA, data)
        self._send()

    def end(self) -> None:
        """Says that this was all."""
        if not self.begun:
            self.write(b"")
        if self._compressor is not None:
            self._frame(DATA, self._compressor.flush())
        self._frame(END, b"")
        self._send()

    def fail(self, frame: bytes, content: bytes) -> None:
        """Says that there is no answer, or no more of it."""
        self._frames = []
        self._frame(frame, content)
        self._send()

    def flush(self) -> None:
        """Is called by writers that do so with files; what is whole goes out anyway."""

    def _frame(self, kind: bytes, content: bytes) -> None:
        self._frames += HEADER.pack(kind, len(content)), content
        self._size += len(content)

    def _send(self) -> None:
        if self._frames:
            self._outlet.send(b"".join(self._frames))
        self._frames, self._size = [], 0
