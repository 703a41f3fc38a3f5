"""Which files a list of files, folders and patterns means."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import discover


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(folder: Path, *paths: str | Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in discover.files(paths)]


def test_a_folder_is_taken_with_all_below_it_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b.fits", "a.oifits", "sub/c.fits.gz", "sub/deep/d.OIFITS.GZ", "e.fit",
         "notes.txt", "f.fits.bak", "gz")  # fmt: skip
    expected = ["a.oifits", "b.fits", "e.fit", "sub/c.fits.gz", "sub/deep/d.OIFITS.GZ"]
    assert names(tmp_path, tmp_path) == expected


def test_a_named_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    make(tmp_path, "data.bin")
    assert names(tmp_path, tmp_path / "data.bin", tmp_path / "missing.txt") == [
        "data.bin",
        "missing.txt",
    ]


def test_a_file_comes_once(tmp_path: Path) -> None:
    make(tmp_path, "sub/a.fits")
    (tmp_path / "link.fits").symlink_to(tmp_path / "sub/a.fits")
    paths = (tmp_path, tmp_path / "sub", tmp_path / "sub/a.fits", str(tmp_path / "sub/../sub"))
    assert names(tmp_path, *paths) == ["link.fits"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    make(tmp_path, "one/a.fits", "two/b.fits")
    (tmp_path / "one/up").symlink_to(tmp_path)
    (tmp_path / "one/self").symlink_to(tmp_path / "one")
    (tmp_path / "two/one").symlink_to(tmp_path / "one")
    (tmp_path / "dangling.fits").symlink_to(tmp_path / "nothing")
    assert sorted(os.path.basename(name) for name in names(tmp_path, tmp_path)) == [
        "a.fits",
        "b.fits",
        "dangling.fits",
    ]


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    make(tmp_path, "store/a.fits")
    (tmp_path / "entry").mkdir()
    (tmp_path / "entry/link").symlink_to(tmp_path / "store")
    assert names(tmp_path, tmp_path / "entry") == ["entry/link/a.fits"]


def test_patterns(tmp_path: Path) -> None:
    make(tmp_path, "a1.fits", "a2.fits", "b.fits", "sub/a3.fits", "a.dat", "odd[1].fits")
    assert names(tmp_path, str(tmp_path / "a?.fits")) == ["a1.fits", "a2.fits"]
    assert names(tmp_path, str(tmp_path / "**/a*.fits")) == ["a1.fits", "a2.fits", "sub/a3.fits"]
    assert names(tmp_path, str(tmp_path / "a.*")) == ["a.dat"]
    assert names(tmp_path, str(tmp_path / "odd[1].fits")) == ["odd[1].fits"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("x*.fits", "no file has such a name"),
        ("empty", "no file whose name ends in"),
    ],
)
def test_what_means_no_file_is_said(tmp_path: Path, given: str, sentence: str) -> None:
    (tmp_path / "empty").mkdir()
    problems: list[str] = []
    assert list(discover.files([str(tmp_path / given)], problems)) == []
    assert len(problems) == 1
    assert problems[0].startswith(str(tmp_path / given))
    assert sentence in problems[0]


def test_a_folder_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "closed/a.fits", "open/b.fits")
    scandir: Callable[..., object] = os.scandir

    # Root may read every folder, so the refusal is played.
    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    problems: list[str] = []
    found = [path.name for path in discover.files([tmp_path], problems)]
    assert found == ["b.fits"]
    assert problems == [f"{tmp_path / 'closed'}: Permission denied"]
