"""The product store: names of downloads, checksums, copies that are whole or not there."""

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidb.res import store


def content(data: bytes, compressed: bool = False) -> store.Content:
    return store.Content(
        len(data), hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest(), compressed
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2012-03-24_ALL.fits", "2012-03-24_ALL.{}.fits"),
        ("star.oifits", "star.{}.oifits"),
        ("STAR.FITS", "STAR.{}.fits"),
        ("star.fit", "star.{}.fits"),
        ("no suffix", "no_suffix.{}.fits"),
        ("GRAVI.2020-01-09T03:34:07.546.fits", "GRAVI.2020-01-09T03_34_07.546.{}.fits"),
        ("../../etc/passwd", ".._.._etc_passwd.{}.fits"),
    ],
)
def test_a_download_has_a_telling_and_safe_name(name: str, expected: str) -> None:
    file = content(b"data")
    assert store.download_name(name, file) == expected.format(file.sha256[:8])


def test_packed_files_say_so_whatever_they_are_called() -> None:
    file = content(b"data", compressed=True)
    assert store.download_name("star.fits.gz", file) == f"star.{file.sha256[:8]}.fits.gz"
    assert store.download_name("star.fits", file) == f"star.{file.sha256[:8]}.fits.gz"
    plain = content(b"data")
    assert store.download_name("star.oifits.gz", plain) == f"star.{plain.sha256[:8]}.oifits"


@given(st.text(min_size=1, max_size=80))
def test_any_name_becomes_one_part_of_an_address(name: str) -> None:
    made = store.download_name(name, content(b"data"))
    assert made.endswith(store.SUFFIXES)
    assert all(c.isascii() and (c.isalnum() or c in "._-") for c in made)


def test_fingerprint_is_what_the_standard_library_says(tmp_path: Path) -> None:
    data = b"SIMPLE  =" + bytes(3 << 20)
    (tmp_path / "plain").write_bytes(data)
    assert store.fingerprint(tmp_path / "plain") == content(data)
    (tmp_path / "packed").write_bytes(gzip.compress(data))
    assert store.fingerprint(tmp_path / "packed").compressed


def test_a_file_that_changed_while_it_was_read_is_not_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"old")
    before = store.fingerprint(source)
    source.write_bytes(b"new and longer")
    with pytest.raises(OSError, match="changed while"):
        store.keep_copy(source, target, before)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_copy_is_the_source_byte_by_byte(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)))
    store.keep_copy(source, target, store.fingerprint(source))
    assert target.read_bytes() == source.read_bytes()
