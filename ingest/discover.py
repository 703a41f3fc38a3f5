"""Which files a list of files, folders and patterns means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

#: Names that are taken in folders; a file that is named itself is always taken.
SUFFIXES = (".fits", ".oifits", ".fit", ".fits.gz", ".oifits.gz")


def files(paths: Iterable[str | Path], problems: list[str] | None = None) -> Iterator[Path]:
    """The files meant by ``paths``, each once, folders in order of names.

    A path is a file, a folder (taken with all below it, links followed, but each folder once) or
    a pattern with ``*``, ``?``, ``[...]`` or ``**``. A file that is named itself is taken whatever
    its name is, and even when it does not exist: reading it will say so. What cannot be looked
    into is added to ``problems`` as sentences.
    """
    problems = [] if problems is None else problems
    seen: set[str] = set()
    for given in paths:
        for path in _expand(str(given), problems):
            if not path.is_dir():
                found: Iterable[Path] = (path,)
            else:
                found = _walk(path, problems)
            for file in found:
                real = os.path.realpath(file)
                if real not in seen:
                    seen.add(real)
                    yield file


def _expand(given: str, problems: list[str]) -> list[Path]:
    """The paths of a pattern; the path itself when it is none, or exists with such a name."""
    if not glob.has_magic(given) or os.path.lexists(given):
        return [Path(given)]
    matches = sorted(glob.glob(given, recursive=True))
    if not matches:
        problems.append(f"{given}: no file has such a name")
    return [Path(match) for match in matches]


def _walk(folder: Path, problems: list[str]) -> Iterator[Path]:
    """The files with one of SUFFIXES in a folder and below."""

    def unreadable(error: OSError) -> None:
        problems.append(f"{error.filename}: {error.strerror or error}")

    visited: set[str] = set()
    empty = True
    for place, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        real = os.path.realpath(place)
        if real in visited:  # a link back: neither its files nor its folders again
            folders.clear()
            continue
        visited.add(real)
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES):
                empty = False
                yield Path(place, name)
    if empty and not problems:
        problems.append(f"{folder}: no file whose name ends in {', '.join(SUFFIXES)}")
