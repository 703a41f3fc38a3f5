"""What several processes of the server do once, and what they write."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.protocol import Factory

from centre import fronts


class Turn:
    """Whether this process is the one that runs scheduled jobs."""

    def __init__(self, first: bool | None) -> None:
        self.value = first

    def first(self) -> bool | None:
        """As the session of centre/fronts.py says it."""
        return self.value


def a_job(turn: Turn) -> Any:
    """A job, of a class that asks whose turn it is."""

    class Job:
        done = 0

        def run(self) -> None:
            self.done += 1

    fronts.schedule_once(turn, Job)
    return Job()


@pytest.mark.parametrize(("first", "runs"), [(True, 1), (False, 0)])
def test_a_scheduled_job_runs_in_the_process_whose_turn_it_is(first: bool, runs: int) -> None:
    job = a_job(Turn(first))
    job.run()
    assert job.done == runs


def test_a_scheduled_job_waits_until_its_turn_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[Any] = []
    monkeypatch.setattr(reactor, "callLater", lambda _seconds, *what: waiting.append(what))
    turn = Turn(None)
    job = a_job(turn)
    job.run()
    assert not job.done
    turn.value = True
    [(run, waiting_job)] = waiting
    run(waiting_job)
    assert job.done == 1


def test_only_sharers_get_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactor, "listenTCP", reactor.listenTCP)
    fronts.share_port()
    first = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    port = first.getHost().port
    second = reactor.listenTCP(port, Factory(), interface="127.0.0.1")
    try:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                other.bind(("127.0.0.1", port))
    finally:
        first.stopListening()
        second.stopListening()


def test_a_preview_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "preview"
    data = os.urandom(1 << 20)
    found: list[int] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            if target.exists():
                found.append(len(target.read_bytes()))

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(50):
        assert fronts.save_whole(data, str(target)) == data
    ended.set()
    looking.join()
    assert set(found) <= {len(data)}
    assert target.read_bytes() == data
    assert fronts.save_whole(data, str(tmp_path / "no" / "x")) == data
    assert [path.name for path in tmp_path.iterdir()] == ["preview"]
