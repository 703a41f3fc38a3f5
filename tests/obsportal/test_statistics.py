"""The numbers of the log, as they are kept between two counts."""

from __future__ import annotations

import time

import pytest
from twisted.internet import defer, threads

from obsportal.res import statistics


def test_the_log_is_counted_at_once_and_then_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """time.monotonic begins at nought when the machine is started."""
    clock = iter([3.0, 4.0, 400.0, 700.0, 701.0])
    counts = iter(["first count", "second count"])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(statistics, "count", lambda: next(counts))
    monkeypatch.setattr(threads, "deferToThread", defer.maybeDeferred)
    numbers = statistics.Numbers()
    told: list[str] = []
    for _ in range(3):
        numbers.get().addCallback(told.append)
    assert told == ["first count", "first count", "second count"]
