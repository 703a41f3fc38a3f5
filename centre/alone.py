"""One at a time: what must not be done twice at once in an instance."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from centre import CentreError


class AtWorkError(CentreError):
    """Another run is at work; the message says so."""


@contextmanager
def alone(name: str, sentence: str) -> Iterator[None]:
    """Holds the lock of a data set, which ends with the process, whatever ends that.

    Raises AtWorkError with the sentence while another process holds it. The instance is the one of
    JMMC_ROOT.
    """
    path = Path(os.environ["JMMC_ROOT"]) / "run" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AtWorkError(sentence) from None
        yield
