"""Taking files in, as an operator does: good ones, bad ones, the same ones again, and accidents."""

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from ingest import simulate
from ingest.vocabulary import load
from tests.live.client import ask, query
from tests.live.conftest import CHECKOUT, Centre

pytestmark = pytest.mark.live

REAL = CHECKOUT.parent / "shared" / "data" / "oifits"
needs_real_files = pytest.mark.skipif(
    not REAL.is_dir(), reason="needs the example files in ../shared/data/oifits"
)
#: The only ones among them that cannot be read, and why.
UNREADABLE = {
    "not-oifits/2004true64.fits": "holds no OI_* table",
    "not-oifits/calib_spec_db_supplement3.fits": "holds no OI_* table",
    "not-oifits/gauss.fits": "holds no OI_* table",
    "not-oifits/ifs_wave_YJ.fits": "holds no OI_* table",
    "not-oifits/orig.fits": "holds no OI_* table",
    "conformance/testdata_opt_TRUNC.fits": "cut off",
}
TABLES = (
    "oidb.collection", "oidb.stored_file", "oidb.granule", "oidb.stored_baseline",
    "oidb.target_alias", "oidb.progenitor", "oidb.stored_finding", "oidb.stored_product",
    "dc.products",
)  # fmt: skip
#: What tells when something was done, not what it is.
WHEN = "'ingested', 'plotted', 'created'"


# ---------------------------------------------------------------------- helpers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that the centre's account can look into."""
    for place in (tmp_path, *tmp_path.parents[:2]):
        place.chmod(0o755)
    return tmp_path


@pytest.fixture(autouse=True)
def _tidy(centre: Centre) -> Iterator[None]:
    """Takes out again what a test took in."""
    yield
    remove(centre, "test_%")


def remove(centre: Centre, collections: str) -> None:
    """Deletes the files of collections, by a pattern of LIKE."""
    files = f"(SELECT file_id FROM oidb.stored_file WHERE obs_collection LIKE '{collections}')"
    centre.sql(
        f"DELETE FROM oidb.stored_product WHERE file_id IN {files}",
        f"DELETE FROM oidb.stored_file WHERE file_id IN {files}",
        f"DELETE FROM oidb.collection WHERE obs_collection LIKE '{collections}'",
    )


def write(path: Path, hours: tuple[float, ...] = (0.0,)) -> Path:
    """A valid file; another one for other hours."""
    facility = load().facility("VLTI")
    assert facility is not None
    star = simulate.Target("SIM TEST", 50.0, -30.0, simulate.Disk(1.0))
    stations = ("A0", "G1", "J2", "J3")
    exposures = simulate.around_transit(facility, star, date(2023, 9, 9), hours, stations)
    simulate.write(path, simulate.simulate(facility, [simulate.PIONIER_GRISM], exposures))
    return path


@dataclass(frozen=True)
class Outcome:
    """What an ingestion said and what it took."""

    code: int
    output: str
    report: dict[str, Any]
    seconds: float
    #: Largest resident memory, bytes.
    memory: int


def ingest(centre: Centre, *arguments: str | Path, folder: Path, **options: str) -> Outcome:
    """Runs `jmmc ingest oifits` with a report; for options, `--release-date` is `release_date`."""
    report = folder / "report.json"
    command = [str(CHECKOUT / "bin" / "jmmc"), "ingest", "oifits", *map(str, arguments)]
    command += ["--report", str(report)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", value]
    output = folder / "output.txt"
    began = time.monotonic()
    with output.open("w") as stream:
        process = subprocess.Popen(
            command, env=centre.environment, stdin=subprocess.DEVNULL,
            stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        timer = began + 300
        memory = 0
        while process.poll() is None:
            memory = max(memory, _resident(process.pid))
            if time.monotonic() > timer:
                os.killpg(process.pid, signal.SIGKILL)
                pytest.fail(f"still at work after 300 s: {' '.join(command)}")
            time.sleep(0.05)
    text = output.read_text()
    assert "Traceback" not in text, text
    return Outcome(
        process.returncode,
        text,
        json.loads(report.read_text() or "{}"),
        time.monotonic() - began,
        memory,
    )


def _resident(pid: int) -> int:
    """Largest resident memory of a process so far, bytes; 0 when it has ended.

    Not what the kernel counts for a child that has ended: that begins with our own memory.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def contents(centre: Centre, *, without_times: bool = False) -> dict[str, str]:
    """A checksum of all rows of each table."""
    row = f"to_jsonb(t) - ARRAY[{WHEN}]" if without_times else "to_jsonb(t)"
    statements = [
        f"SELECT '{table}', count(*) || ' ' || "
        f"md5(coalesce(string_agg(({row})::text, E'\\n' ORDER BY ({row})::text), ''))"
        f" FROM {table} AS t"
        for table in TABLES
    ]
    return dict(line.split("|") for line in centre.sql(*statements).splitlines())


def store(centre: Centre) -> dict[str, int]:
    """The files of the product store, and their sizes."""
    products = centre.root / "products"
    return {
        str(path.relative_to(products)): path.stat().st_size
        for path in products.rglob("*")
        if path.is_file()
    }


# ----------------------------------------------------------------------- plots


def counted(database: Any, statement: str) -> int:
    """The one number a statement gives."""
    database.execute(statement)
    return int(database.fetchone()[0])


def test_killed_while_drawing_and_called_again(centre: Centre, database: Any, folder: Path) -> None:
    for place in range(6):
        write(folder / f"drawn{place}.fits", (0.3 * place, 1.0))
    process = subprocess.Popen(
        [str(CHECKOUT / "bin" / "jmmc"), "ingest", "oifits", str(folder), "--collection",
         "test_drawn"],
        env=centre.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    drawn = (
        " FROM oidb.stored_product AS p JOIN oidb.stored_file AS f ON p.file_id=f.file_id"
        " WHERE obs_collection='test_drawn' AND semantics='#preview'"
    )
    end = time.monotonic() + 120
    while not counted(database, f"SELECT count(*) {drawn}"):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    again = ingest(centre, folder, folder=folder, collection="test_drawn")
    assert again.code == 0
    assert len(again.report["unchanged"]) == 6
    assert again.report["unplotted"] == {}
    database.execute(
        f"SELECT count(*), count(DISTINCT p.granule_id), count(DISTINCT p.accref) {drawn}"
    )
    [(plots, granules, accrefs)] = database.fetchall()
    assert granules == 6
    assert plots == accrefs >= 12


# ------------------------------------------------------------------- real files


@pytest.fixture(scope="module")
def mass(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """All real files, in one call, without plots."""
    folder = tmp_path_factory.mktemp("mass")
    remove(centre, "mass")
    yield ingest(centre, REAL, "--no-plots", folder=folder, collection="mass")
    remove(centre, "mass")


def _relative(paths: dict[str, str] | list[str]) -> set[str]:
    return {str(Path(path).resolve().relative_to(REAL.resolve())) for path in paths}


@needs_real_files
def test_only_unreadable_ones_of_the_real_files_are_rejected(mass: Outcome) -> None:
    files = {
        str(path.relative_to(REAL))
        for path in REAL.rglob("*")
        if path.name.lower().endswith((".fits", ".oifits", ".fits.gz", ".oifits.gz"))
    }
    rejected = mass.report["rejected"]
    assert _relative(rejected) == set(UNREADABLE)
    for path, reason in rejected.items():
        [words] = [w for name, w in UNREADABLE.items() if path.endswith(name)]
        assert words in reason
        assert Path(path).name in reason
        assert f"rejected   {path}: {reason}\n" in mass.output
    # Copies of one file under several names are one file of the collection.
    there = _relative(mass.report["accepted"]) | _relative(mass.report["unchanged"])
    assert there == files - set(UNREADABLE)
    distinct = {hashlib.sha256((REAL / name).read_bytes()).digest() for name in there}
    assert len(mass.report["accepted"]) == len(distinct)
    assert mass.code == 1


@needs_real_files
def test_memory_of_the_mass_ingestion_is_bounded(mass: Outcome) -> None:
    assert 50e6 < mass.memory < 300e6


@needs_real_files
def test_second_call_changes_nothing(centre: Centre, mass: Outcome, folder: Path) -> None:
    rows, files = contents(centre), store(centre)
    again = ingest(centre, REAL, "--no-plots", folder=folder, collection="mass")
    assert again.report["accepted"] == []
    assert len(again.report["unchanged"]) == len(mass.report["accepted"]) + len(
        mass.report["unchanged"]
    )
    assert again.report["rejected"] == mass.report["rejected"]
    assert contents(centre) == rows
    assert store(centre) == files


@needs_real_files
def test_killed_half_way_and_called_again(
    centre: Centre, database: Any, mass: Outcome, folder: Path
) -> None:
    rows, files = contents(centre, without_times=True), store(centre)
    remove(centre, "mass")
    shown = "SELECT count(*) FROM oidb.stored_file WHERE obs_collection='mass'"
    process = subprocess.Popen(
        [str(CHECKOUT / "bin" / "jmmc"), "ingest", "oifits", str(REAL), "--no-plots",
         "--collection", "mass"],
        env=centre.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 120
    while counted(database, shown) < 20:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    there = counted(database, shown)
    assert 20 <= there < len(mass.report["accepted"])
    # Whole files only.
    counts = "SELECT count(*) FROM oidb.stored_file AS f WHERE obs_collection='mass' AND n_granules"
    whole = f"{counts} = (SELECT count(*) FROM oidb.granule AS g WHERE g.file_id=f.file_id)"
    assert counted(database, whole) == there

    again = ingest(centre, REAL, "--no-plots", folder=folder, collection="mass")
    assert len(again.report["accepted"]) == len(mass.report["accepted"]) - there
    assert contents(centre, without_times=True) == rows
    assert {name for name in store(centre) if "/." not in name} == set(files)


@needs_real_files
def test_real_files_are_as_other_files(centre: Centre, mass: Outcome) -> None:
    """Each granule has a place in ObsCore that its file can be got from."""
    [row] = query(
        centre.url,
        "SELECT COUNT(*) AS n, COUNT(DISTINCT obs_publisher_did) AS dids FROM ivoa.obscore"
        " WHERE obs_collection='mass'",
    )
    assert int(row["n"]) == int(row["dids"]) == mass.report["granules"]
    rows = query(
        centre.url, "SELECT TOP 20 access_url, md5 FROM oidb.file WHERE obs_collection='mass'"
    )
    for row in rows:
        assert hashlib.md5(ask(row["access_url"]).body).hexdigest() == row["md5"]


@needs_real_files
def test_no_value_of_real_files_is_a_placeholder(centre: Centre, mass: Outcome) -> None:
    for condition in (
        "s_ra < 0 OR s_ra >= 360 OR ABS(s_dec) > 90",
        "t_min < 40000 OR t_max > 70000 OR t_max < t_min",
        "t_exptime <= 0 OR em_min <= 0 OR em_max < em_min OR em_res_power <= 0",
        "s_resolution <= 0 OR s_fov <= 0 OR uv_distance_min > uv_distance_max",
        "uv_distribution_ecc < 0 OR uv_distribution_ecc > 1",
        "target_name='' OR instrument_name='' OR insname='' OR facility_name=''",
        "tel_number < 1 OR tel_diameter <= 0 OR nb_vis2 < 0",
    ):
        rows = query(
            centre.url,
            f"SELECT obs_id, target_name, insname FROM oidb.granule WHERE {condition}",
        )
        assert rows == [], condition


# ------------------------------------------------------------- the same and the other


def test_changed_file_at_the_same_path_replaces(centre: Centre, folder: Path) -> None:
    path = write(folder / "changing.fits")
    first = ingest(centre, path, "--no-plots", folder=folder, collection="test_a")
    assert (first.code, first.report["accepted"]) == (0, [str(path)])
    sql = "SELECT * FROM oidb.file WHERE obs_collection='test_a'"
    [old] = query(centre.url, sql)
    write(path, (0.0, 1.0))
    second = ingest(centre, path, "--no-plots", folder=folder, collection="test_a")
    assert second.report["accepted"] == [str(path)]
    [new] = query(centre.url, sql)
    assert new["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() != old["sha256"]
    assert ask(new["access_url"]).body == path.read_bytes()
    assert ask(old["access_url"]).status == 404
    assert ask(f"{old['access_url']}.validation.txt").status == 404


def test_same_content_under_another_name_is_unchanged(centre: Centre, folder: Path) -> None:
    path = write(folder / "one.fits")
    ingest(centre, path, "--no-plots", folder=folder, collection="test_a")
    before = contents(centre)
    shutil.copyfile(path, folder / "two.fits")
    again = ingest(centre, folder / "two.fits", "--no-plots", folder=folder, collection="test_a")
    assert again.report["unchanged"] == [str(folder / "two.fits")]
    assert contents(centre) == before


def test_same_file_in_two_collections(centre: Centre, folder: Path) -> None:
    """Each has its own row, its own rules, its own way out; one going does not take the other."""
    path = write(folder / "shared.fits", (0.5,))
    ingest(centre, path, "--no-plots", folder=folder, collection="test_open")
    ingest(
        centre, path, "--no-plots", folder=folder, collection="test_closed",
        release_date="2090-01-01", owner="somebody",
    )  # fmt: skip
    rows = {
        row["obs_collection"]: row
        for row in query(
            centre.url, "SELECT * FROM oidb.file WHERE obs_collection IN ('test_open',"
            " 'test_closed')",
        )
    }  # fmt: skip
    assert ask(rows["test_open"]["access_url"]).status == 200
    assert ask(rows["test_closed"]["access_url"]).status == 401
    remove(centre, "test_closed")
    assert ask(rows["test_open"]["access_url"]).body == path.read_bytes()


def test_release_can_be_put_off_and_brought_forward(centre: Centre, folder: Path) -> None:
    path = write(folder / "dated.fits", (0.7,))
    sql = "SELECT access_url, obs_release_date, data_rights FROM oidb.file WHERE obs_collection="
    for day, status in (("2090-01-01", 401), ("2091-01-01", 401), ("2020-01-01", 200)):
        ingest(centre, path, "--no-plots", folder=folder, collection="test_dated", release_date=day)
        [row] = query(centre.url, f"{sql}'test_dated'")
        assert row["obs_release_date"].startswith(day)
        assert ask(row["access_url"]).status == status


def test_private_stays_private_when_the_date_is_not_said_again(
    centre: Centre, folder: Path
) -> None:
    path = write(folder / "kept.fits", (0.8,))
    ingest(
        centre, path, "--no-plots", folder=folder, collection="test_kept",
        release_date="2090-01-01",
    )  # fmt: skip
    ingest(centre, path, "--no-plots", folder=folder, collection="test_kept")
    [row] = query(centre.url, "SELECT * FROM oidb.file WHERE obs_collection='test_kept'")
    assert row["data_rights"] == "proprietary"
    assert ask(row["access_url"]).status == 401


def test_embargo_of_a_collection(centre: Centre, folder: Path) -> None:
    """So many days after the observation, for what is science."""
    place = folder / "test_embargo"
    place.mkdir()
    (place / "collection.toml").write_text(
        'title = "A test"\ncollection_type = "embargoed"\nembargo_days = 36500\n'
    )
    write(place / "science.fits", (0.9,))
    ingest(centre, place, "--no-plots", folder=folder)
    [row] = query(centre.url, "SELECT * FROM oidb.file WHERE obs_collection='test_embargo'")
    assert row["obs_release_date"].startswith("2123-08-18")
    assert ask(row["access_url"]).status == 401
    [granule] = query(
        centre.url,
        "SELECT data_rights FROM ivoa.obscore WHERE obs_collection='test_embargo'",
    )
    assert granule["data_rights"] == "proprietary"


def test_remote_files_are_redirects(centre: Centre, folder: Path) -> None:
    path = write(folder / "far away.fits", (0.2,))
    before = store(centre)
    outcome = ingest(
        centre, path, "--no-plots", folder=folder, collection="test_remote",
        remote="https://archive.example.org/data/",
    )  # fmt: skip
    assert outcome.code == 0
    [row] = query(centre.url, "SELECT * FROM oidb.file WHERE obs_collection='test_remote'")
    assert row["url"] == "https://archive.example.org/data/far%20away.fits"
    for method in ("GET", "HEAD"):
        answer = ask(row["access_url"], method=method, timeout=10)
        assert answer.status in (301, 302)
        assert answer.headers["location"] == row["url"]
    copies = set(store(centre)) - set(before)
    assert not [name for name in copies if name.endswith(".fits")]
    [granule] = query(
        centre.url,
        "SELECT obs_publisher_did FROM oidb.granule WHERE obs_collection='test_remote'",
    )
    cut = ask(f"{centre.url}/oidb/q/cutout/custom", data={"ID": granule["obs_publisher_did"]})
    assert 400 <= cut.status < 500
    assert "remote" in cut.text


def test_private_remote_files_are_not_redirected(centre: Centre, folder: Path) -> None:
    path = write(folder / "hidden.fits", (0.4,))
    ingest(
        centre, path, "--no-plots", folder=folder, collection="test_remote",
        remote="https://archive.example.org/secret", release_date="2090-01-01",
    )  # fmt: skip
    [row] = query(centre.url, "SELECT * FROM oidb.file WHERE obs_collection='test_remote'")
    assert row["url"] == ""
    [granule] = query(
        centre.url,
        "SELECT obs_publisher_did FROM oidb.granule WHERE obs_collection='test_remote'",
    )
    for answer in (
        ask(row["access_url"]),
        ask(row["access_url"], method="HEAD", timeout=10),
        ask(f"{row['access_url']}?preview=True"),
        ask(f"{centre.url}/oidb/q/cutout/custom", data={"ID": granule["obs_publisher_did"]}),
        ask(f"{centre.url}/oidb/q/dl/dlmeta", data={"ID": granule["obs_publisher_did"]}),
    ):
        assert "secret" not in answer.text
        assert "location" not in answer.headers
        assert answer.status in (401, 422) or b"VOTABLE" in answer.body


def test_two_ingestions_at_once(centre: Centre, folder: Path) -> None:
    """The second says so; it does not wait, and takes nothing."""
    for number in range(2):
        write(folder / f"f{number}.fits", (0.1 * number,))
    command = [str(CHECKOUT / "bin" / "jmmc"), "ingest", "oifits", str(folder), "--no-plots",
               "--collection", "test_once"]  # fmt: skip
    processes = [
        subprocess.Popen(
            command, env=centre.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    codes = [process.returncode for process in processes]
    assert 0 in codes
    for code, output in zip(codes, outputs, strict=True):
        assert code == 0 or "Another ingestion is at work" in output
    [row] = query(
        centre.url, "SELECT COUNT(*) AS n FROM oidb.file WHERE obs_collection='test_once'"
    )
    assert row["n"] == "2"


# ------------------------------------------------------------------- broken files


def _changed(source: Path, target: Path, pattern: bytes, replacement: bytes) -> Path:
    """A copy with the first card that matches replaced, from the first OI_VIS2 on."""
    content = source.read_bytes()
    start = content.index(b"'OI_VIS2 ") // 2880 * 2880
    new, number = re.subn(pattern, lambda m: replacement.ljust(len(m[0])), content[start:], count=1)
    assert number == 1
    target.write_bytes(content[:start] + new)
    return target


def _broken_files(folder: Path) -> dict[Path, str]:
    """Broken files with a part of the sentence they deserve."""
    good = write(folder / "good.txt")
    content = good.read_bytes()
    made: dict[Path, str] = {}

    def add(name: str, data: bytes, words: str) -> None:
        (folder / name).write_bytes(data)
        made[folder / name] = words

    add("empty.fits", b"", "empty")
    add("text.fits", b"This is a letter.\n" * 300, "not a FITS file")
    add("html.fits", b"<!DOCTYPE html><html><body>404</body></html>", "not a FITS file")
    add("cut_in_data.fits", content[: len(content) - 5000], "cut off")
    add("cut_in_header.fits", content[:2000], "cut off")
    add("one_byte.fits", b"S", "not a FITS file")
    add("half_gzip.fits.gz", gzip.compress(content)[:-2000], "damaged or cut off")
    add("gzip_of_nothing.fits.gz", gzip.compress(b""), "empty")
    add("gzip_of_text.fits.gz", gzip.compress(b"Dear Sir,\n" * 1000), "not a FITS file")
    for name, start, words in (("bomb.fits.gz", b"", "not a FITS file"),
                               ("armed_bomb.fits.gz", content, "grows more than")):  # fmt: skip
        with gzip.open(folder / name, "wb") as stream:
            stream.write(start)
            for _ in range(400):
                stream.write(bytes(1 << 20))
        made[folder / name] = words
    add("image.fits", _image(), "no OI_* table")

    naxis2 = rb"NAXIS2  = +\d+"
    for number in (10**4, 10**9, 10**18):
        card = b"NAXIS2  = %20d" % number
        made[_changed(good, folder / f"lie{number}.fits", naxis2, card)] = "announces"
    made[_changed(good, folder / "minus.fits", naxis2, b"NAXIS2  = %20d" % -6)] = "negative"
    made[_changed(good, folder / "word.fits", naxis2, b"NAXIS2  = 'six'")] = "NAXIS2"
    made[_changed(good, folder / "width.fits", rb"NAXIS1  = +\d+", b"NAXIS1  = %20d" % 7)] = ""

    for name, start in (("sparse.fits", b""), ("sparse_primary.fits", content[:2880]),
                        ("sparse_oifits.fits", content)):  # fmt: skip
        add(name, start, "not a FITS file" if not start else "")
        os.truncate(folder / name, 2 << 30)
    os.symlink(folder / "nowhere", folder / "dangling.fits")
    made[folder / "dangling.fits"] = "No such file"
    os.mkfifo(folder / "pipe.fits")
    made[folder / "pipe.fits"] = "not a regular file"
    os.symlink(folder, folder / "loop")
    (folder / "deeper").mkdir()
    os.symlink("..", folder / "deeper" / "up")
    return made


def _image() -> bytes:
    hdu = fits.PrimaryHDU(data=[[1, 2], [3, 4]])
    return bytes(hdu.header.tostring().encode("ascii")) + bytes(2880)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[dict[Path, str]]:
    """The broken files; removed at once, for some are large."""
    place = tmp_path / "broken"
    place.mkdir()
    yield _broken_files(place)
    shutil.rmtree(place)


def test_broken_files_are_a_sentence_each(
    centre: Centre, folder: Path, broken: dict[Path, str]
) -> None:
    """All in one call with their folder, which is full of loops: none stored, nothing lost."""
    rows, files = contents(centre), store(centre)
    place = folder / "broken"
    outcome = ingest(centre, place, *broken, "--no-plots", folder=folder, collection="test_broken")
    assert outcome.code == 1
    assert outcome.report["accepted"] == outcome.report["unchanged"] == []
    rejected = outcome.report["rejected"]
    assert set(rejected) == {str(path) for path in broken}
    for path, words in broken.items():
        reason = rejected[str(path)]
        assert path.name in reason
        assert words in reason, reason
        assert 20 < len(reason) < 300
        assert "\n" not in reason
    after = contents(centre)
    assert {table for table in rows if after[table] != rows[table]} <= {"oidb.collection"}
    assert store(centre) == files
    assert outcome.seconds < 60
    assert 50e6 < outcome.memory < 300e6


@needs_real_files
def test_files_that_are_no_oifits(centre: Centre, folder: Path) -> None:
    rows = contents(centre)
    outcome = ingest(centre, REAL / "not-oifits", folder=folder, collection="mass")
    assert outcome.code == 1
    assert len(outcome.report["rejected"]) == 5
    after = contents(centre)
    assert {table for table in rows if after[table] != rows[table]} <= {"oidb.collection"}


def test_good_files_beside_broken_ones_are_taken(centre: Centre, folder: Path) -> None:
    place = folder / "mixed"
    place.mkdir()
    write(place / "b.fits", (0.6,))
    (place / "a.fits").write_bytes(b"SIMPLE  =")
    (place / "c.fits").write_bytes(b"")
    outcome = ingest(centre, place, "--no-plots", folder=folder, collection="test_mixed")
    assert outcome.code == 1
    assert outcome.report["accepted"] == [str(place / "b.fits")]
    assert len(outcome.report["rejected"]) == 2
    assert "1 accepted (1 granules), 0 unchanged, 2 rejected" in outcome.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["/no/such/file.fits"], 1, "no such file"),
        (["/no/such/*.fits"], 1, "no such file"),
        ([], 2, "PATH"),
        (["x.fits", "--release-date", "yesterday"], 2, "YYYY-MM-DD"),
        (["x.fits", "--level", "7"], 2, "--level"),
        (["x.fits", "--colour", "red"], 2, "--colour"),
    ],
)
def test_wrong_usage(centre: Centre, arguments: list[str], code: int, words: str) -> None:
    result = centre.jmmc("ingest", "oifits", *arguments)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "text", ["title = ", "colour = 'red'", 'embargo_days = "many"', "\x00\xff"]
)
def test_damaged_description_of_a_collection(centre: Centre, folder: Path, text: str) -> None:
    place = folder / "test_described"
    place.mkdir()
    write(place / "x.fits")
    (place / "collection.toml").write_bytes(text.encode("latin-1"))
    result = centre.jmmc("ingest", "oifits", str(place), "--no-plots")
    assert result.returncode == 1
    assert "collection.toml" in result.stderr
    assert "Traceback" not in result.stderr
    assert not query(centre.url, "SELECT * FROM oidb.file WHERE obs_collection='test_described'")


def test_report_that_cannot_be_written_is_said_before_the_work(
    centre: Centre, folder: Path
) -> None:
    path = write(folder / "x.fits", (1.1,))
    result = centre.jmmc(
        "ingest", "oifits", str(path), "--no-plots", "--collection", "test_report",
        "--report", "/no/such/folder/report.json",
    )  # fmt: skip
    assert result.returncode == 1
    assert "/no/such/folder/report.json" in result.stderr
    assert not query(centre.url, "SELECT * FROM oidb.file WHERE obs_collection='test_report'")


def test_status_tells_of_the_last_ingestion(centre: Centre, folder: Path) -> None:
    path = write(folder / "x.fits", (1.2,))
    ingest(centre, path, "--no-plots", folder=folder, collection="test_status")
    said = centre.succeed("status")
    latest = next(line for line in said.splitlines() if "ingested" in line)
    assert latest.endswith("1 accepted, 0 unchanged, 0 rejected")
    [number] = query(centre.url, "SELECT COUNT(*) AS n FROM oidb.granule")
    assert f"granule {number['n']}" in said
