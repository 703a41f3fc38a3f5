"""The product store: where ingested files, their plots and their reports lie.

A product of a file with SHA-256 checksum ``abc…`` lies in ``products/ab/abc…/``; what is derived
from it lies beside it, under names that begin with its name. Files are written under another name
and moved into place, so that a name never shows half a file.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from centre.alone import alone as one_at_a_time

#: What clients take for FITS; the longest first.
SUFFIXES = (".oifits.gz", ".fits.gz", ".oifits", ".fits", ".fit")


def alone() -> AbstractContextManager[None]:
    """Keeps two runs from writing to OiDB at once; raises AtWorkError."""
    return one_at_a_time("ingestion", "Another ingestion is at work; try again when it is done.")


@dataclass(frozen=True)
class Content:
    """What identifies the content of a file."""

    size: int
    sha256: str
    md5: str
    #: True when the file is gzip.
    compressed: bool


def fingerprint(path: Path) -> Content:
    """Size and checksums of a file, read once, in pieces."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    start = b""
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            start = start or piece[:2]
            sha256.update(piece)
            md5.update(piece)
            size += len(piece)
    return Content(size, sha256.hexdigest(), md5.hexdigest(), start == b"\x1f\x8b")


def download_name(name: str, content: Content) -> str:
    """The name under which a file is handed out: unique and still telling.

    Clients keep downloads by the last part of their address and never fetch a name twice, hence
    the piece of the checksum; they take FITS only under the suffixes they know.
    """
    lower = name.lower()
    suffix = next((known for known in SUFFIXES if lower.endswith(known)), "")
    stem = name[: len(name) - len(suffix)] if suffix else name
    suffix = suffix.removesuffix(".gz") or ".fits"
    if suffix == ".fit":
        suffix = ".fits"
    return f"{clean(stem)}.{content.sha256[:8]}{suffix}{'.gz' if content.compressed else ''}"


def clean(name: str) -> str:
    """``name`` with everything but letters, digits, dot, dash and underscore replaced."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("_") or "file"


def folder(content: Content) -> Path:
    """Where the products of a file lie; made when missing."""
    path = Path(os.environ["JMMC_ROOT"]) / "products" / content.sha256[:2] / content.sha256
    path.mkdir(parents=True, exist_ok=True)
    return path


def keep_copy(source: Path, target: Path, content: Content) -> None:
    """Copies ``source`` to ``target`` unless it is there; OSError when it changed meanwhile."""
    if target.exists() and target.stat().st_size == content.size:
        return
    scratch = _scratch(target)
    shutil.copyfile(source, scratch)
    if fingerprint(scratch) != content:
        scratch.unlink()
        raise OSError(f"{source.name} changed while it was being read")
    scratch.replace(target)


def write(target: Path, data: bytes) -> None:
    """Writes ``data`` to ``target`` in one step."""
    scratch = _scratch(target)
    scratch.write_bytes(data)
    scratch.replace(target)


def _scratch(target: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix=".", dir=target.parent)
    os.close(handle)
    path = Path(name)
    path.chmod(0o644)
    return path
