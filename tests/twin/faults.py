"""A web server between a client and an archive, with whose answers things happen."""

from __future__ import annotations

import http.server
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

#: A page as an archive shows it on a bad day, with a status that says all is well.
_MAINTENANCE = b"<html><body><h1>The archive is under maintenance</h1></body></html>"

#: What can happen to an answer.
FAULTS = ("error", "page", "half", "half unnoticed", "nothing", "silence", "hang-up")


@dataclass(frozen=True)
class Answer:
    """What a server says."""

    status: int
    media_type: str
    body: bytes
    encoding: str | None = None


@dataclass
class Front:
    """The server; tests change what it does while it runs."""

    #: Gives the true answer to a path and the body of a POST.
    answer: Callable[[str, bytes | None], Answer]
    url: str = ""
    #: Says what happens to the answer to a path: None, or one of FAULTS. Asked for one request
    #: after the other, each of which is among those asked for by then.
    fault: Callable[[str], str | None] = lambda _: None
    #: Rows the archive gives at most, whatever it is asked for.
    limit: int | None = None
    #: How long an answer takes, s.
    delay: float = 0.0
    #: What was asked for: the path, the form of a POST, and when.
    requests: list[tuple[str, dict[str, str], float]] = field(default_factory=list)
    #: Most requests that waited for their answer at a time.
    most: int = 0
    _waiting: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _quiet: threading.Event = field(default_factory=threading.Event)

    def asked(self, begin: str) -> list[str]:
        """The paths that begin so, in the order they were asked for."""
        return [path for path, _, _ in self.requests if path.startswith(begin)]

    def as_ever(self) -> None:
        """Takes back all faults and forgets what was asked for."""
        self._quiet.set()
        while self._now:
            time.sleep(0.01)
        self._quiet.clear()
        self.fault = lambda _: None
        self.limit = None
        self.delay = 0.0
        self.most = 0
        self.requests.clear()

    def enter(self, path: str, form: dict[str, str]) -> str | None:
        """Notes a request; what happens to its answer."""
        with self._lock:
            self.requests.append((path, form, time.monotonic()))
            self._now += 1
            self._waiting += 1
            self.most = max(self.most, self._waiting)
            return self.fault(path)

    def be_silent(self) -> None:
        """Waits longer than anybody listens."""
        self._quiet.wait(30)

    def reply(self) -> None:
        """Notes that an answer begins: who has it may ask again before leave is called."""
        with self._lock:
            self._waiting -= 1

    def leave(self) -> None:
        """Notes that nothing more is done about a request."""
        with self._lock:
            self._now -= 1


def first(number: int, fault: str) -> Callable[[str], str | None]:
    """The fault for so many requests, then none."""
    left = [number]

    def decide(_: str) -> str | None:
        left[0] -= 1
        return fault if left[0] >= 0 else None

    return decide


def passed_on(url: str) -> Callable[[str, bytes | None], Answer]:
    """The answers of another server."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answer(path: str, body: bytes | None) -> Answer:
        try:
            with opener.open(f"{url}{path}", data=body, timeout=60) as found:
                return Answer(found.status, found.headers["Content-Type"], found.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers["Content-Type"], error.read())

    return answer


@contextmanager
def serving(answer: Callable[[str, bytes | None], Answer]) -> Iterator[Front]:
    """Serves on a free port of this machine."""
    front = Front(answer)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(None)

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers["Content-Length"])))

        def _serve(self, body: bytes | None) -> None:
            form = {key: values[0] for key, values in parse_qs((body or b"").decode()).items()}
            fault = front.enter(self.path, form)
            try:
                if front.limit is not None and "MAXREC" in form:
                    form["MAXREC"] = str(front.limit)
                    body = urlencode(form).encode()
                answer = self._answer(body, fault)
                if answer is not None:
                    self._send(answer, fault)
            except OSError:
                pass  # the client did not wait
            finally:
                front.leave()

        def _answer(self, body: bytes | None, fault: str | None) -> Answer | None:
            try:
                time.sleep(front.delay)
                if fault == "silence":
                    front.be_silent()
                return None if fault in ("silence", "hang-up") else front.answer(self.path, body)
            finally:
                front.reply()

        def _send(self, answer: Answer, fault: str | None) -> None:
            if fault == "error":
                answer = Answer(500, "text/html", b"<h1>Internal error</h1>")
            elif fault == "page":
                answer = Answer(200, "text/html", _MAINTENANCE)
            elif fault == "nothing":
                answer = Answer(200, answer.media_type, b"")
            half = fault in ("half", "half unnoticed")
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            if answer.encoding:
                self.send_header("Content-Encoding", answer.encoding)
            if fault != "half unnoticed":
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        front.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()
