"""In step with ESO when the database is killed, or the operator in haste."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.live import test_sync as usual
from tests.live.conftest import Centre
from tests.live.test_sync import Twin, begun, state, sync, wait_for_headers

pytestmark = pytest.mark.live

_twin, twin, undisturbed = usual._twin, usual.twin, usual.undisturbed


def _answer(centre: Centre) -> str:
    """What the search tells of PIONIER, whoever put it there."""
    with urlopen(f"{centre.url}/search.votable?instrument=PIONIER&limit=1", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture
def _repaired(centre: Centre) -> Iterator[None]:
    """Brings database and server back to what they were for the tests that follow."""
    yield
    centre.succeed("stop")
    centre.succeed("start")


@pytest.mark.usefixtures("_repaired")
def test_the_database_is_killed(centre: Centre, twin: Twin, undisturbed: dict[str, Any]) -> None:
    twin.front.delay = 0.1
    process = begun(centre, twin)
    wait_for_headers(twin, 102)
    postmaster = Path(centre.root, "cluster", "postmaster.pid")
    os.kill(int(postmaster.read_text().split()[0]), signal.SIGKILL)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1, output
    assert "ended early: The database:" in output
    assert "Traceback" not in output
    twin.front.delay = 0.0
    # The next run starts it.
    outcome = sync(centre, twin)
    assert outcome.code == 0, outcome.output
    assert state(centre) == undisturbed
    assert "<TR>" in _answer(centre)


def test_told_to_end_while_the_archive_is_silent(
    centre: Centre, twin: Twin, undisturbed: dict[str, Any]
) -> None:
    twin.front.fault = lambda _: "silence" if len(twin.front.asked("/hdr")) > 20 else None
    process = begun(centre, twin, "--timeout", "60")
    wait_for_headers(twin, 24)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    assert time.monotonic() - began < 15  # requests have 30 s to go
    assert process.returncode == 1
    assert output == "jmmc: interrupted\n"
    # What there was is kept.
    assert len(state(centre)["headers"]) == 20
    twin.front.as_ever()
    assert sync(centre, twin).report["fetched"] == len(twin.names) - 20
    assert state(centre) == undisturbed
