"""One way of reading OIFITS files, in a process of its own: what bench.py measures.

Called as `python3 -m tests.bench.reading WAY FILE…`; prints what it took as JSON.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def read_bytes() -> Callable[[Path], None]:
    """The least that can be done: the file's bytes into memory."""

    def read(path: Path) -> None:
        path.read_bytes()

    return read


def with_astropy() -> Callable[[Path], None]:
    """All columns of all binary tables, as a program built on astropy would read them."""
    import warnings

    from astropy.io import fits

    warnings.simplefilter("ignore")

    def read(path: Path) -> None:
        with fits.open(path) as hdus:
            for hdu in hdus:
                if isinstance(hdu, fits.BinTableHDU):
                    for name in hdu.columns.names:
                        hdu.data[name]

    return read


def read_only() -> Callable[[Path], None]:
    """Headers and the list of tables, by our reader; columns are decoded when asked for."""
    from ingest import oifits

    def read(path: Path) -> None:
        oifits.read(path)

    return read


def extract() -> Callable[[Path], None]:
    """Granules, baselines and all else that goes into the tables."""
    from ingest import granules, oifits, vocabulary

    known = vocabulary.load()

    def read(path: Path) -> None:
        granules.extract(oifits.read(path), known)

    return read


def extract_and_check() -> Callable[[Path], None]:
    """Granules and the validation: all that ingestion does before it writes."""
    from ingest import checks, granules, oifits, vocabulary

    known = vocabulary.load()

    def read(path: Path) -> None:
        file = oifits.read(path)
        granules.extract(file, known)
        checks.check(file)

    return read


WAYS = {
    way.__name__: way for way in (read_bytes, with_astropy, read_only, extract, extract_and_check)
}


def _peak() -> float:
    """Peak resident size of this process, MB; getrusage's would be the parent's if that is more."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(way: str, *files: str) -> None:
    """Reads the files and prints seconds, CPU seconds and peak memory in MB."""
    read = WAYS[way]()
    paths = [Path(file) for file in files]
    wall, cpu = time.perf_counter(), time.process_time()
    for path in paths:
        # A file that cannot be read; for astropy, those that it does not understand.
        with contextlib.suppress(OSError, TypeError, ValueError):
            read(path)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": _peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
