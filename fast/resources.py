"""Whether the descriptions of tables and services are still what they were when they were read."""

from __future__ import annotations

import time
from pathlib import Path

#: Seconds between two looks at the files.
_PAUSE = 1.0


class Watch:
    """Watches the RDs and what else DaCHS makes its metadata of."""

    def __init__(self) -> None:
        self._files = _files()
        self._state = _state(self._files)
        self._due = time.monotonic() + _PAUSE

    def changed(self) -> bool:
        """Whether any has changed since the last time this was asked."""
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + _PAUSE
        former, self._state = self._state, _state(self._files)
        return former != self._state


def _files() -> list[Path]:
    from gavo import base

    inputs, configuration = base.getConfig("inputsDir"), base.getConfig("configDir")
    return [*Path(inputs).glob("*/*.rd"), *Path(configuration).glob("*")]


def _state(files: list[Path]) -> list[int]:
    return [path.stat().st_mtime_ns if path.exists() else 0 for path in files]
