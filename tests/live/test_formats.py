"""Documents made of blocks of rows are those DaCHS makes: each byte, and each exception."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.live.conftest import CHECKOUT, Centre

pytestmark = pytest.mark.live


def _written(centre: Centre, **given: int) -> dict[str, Any]:
    result = subprocess.run(
        ["/usr/bin/python3", str(CHECKOUT / "tests" / "live" / "written.py")],
        env=centre.environment, input=json.dumps(given), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def test_random_results(centre: Centre) -> None:
    """Columns of all types, with NULLs and what is special of them, in all formats."""
    told = _written(centre, seed=20, results=40)
    assert told["different"] == []
    assert told["documents"] == 280
    # Most of them can be written, and some cannot.
    assert 10 < told["refused"] < 100


def test_tables_of_the_centre(centre: Centre) -> None:
    """All columns of all tables that TAP has."""
    told = _written(centre, tables=40)
    assert told["different"] == []
    assert told["refused"] == 0
    assert told["documents"] >= 7 * 20
