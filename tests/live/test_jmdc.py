"""JMDC in a running centre: releases, what changed between them, stars, the files of a release.

The releases made here are of the years 2030 and later and are taken out again.
"""

import csv
import io
import threading
import urllib.parse
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import pyvo
from astropy.io import ascii
from astropy.io.votable import parse

from ingest import jmdc_export, simulate_jmdc
from tests.live.client import query, refused
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

FIRST, SECOND = "2024-01-15", "2025-02-20"
HEADER = "ID1,ID2,UD_DIAM,LD_DIAM,E_LD_DIAM,BAND,MU_LAMBDA,METHOD,BANDCODE,NOTES,BIBCODE,SINPE"
COUNT = "SELECT COUNT(*) AS n FROM jmdc."


def sql(centre: Centre, statement: str) -> list[list[str]]:
    """Rows that the database answers its superuser."""
    text = centre.sql(statement)
    return [line.split("|") for line in text.splitlines()]


TABLES = ("star", "star_alias", "publication", "release", "stored_measurement")


@pytest.fixture
def book(centre: Centre) -> Iterator[Centre]:
    """The instance, whose JMDC is put back as it was afterwards."""
    keep = ";".join(f"CREATE TABLE jmdc.kept_{name} AS TABLE jmdc.{name}" for name in TABLES)
    sql(centre, keep)
    yield centre
    clear = ";".join(f"DELETE FROM jmdc.{name}" for name in reversed(TABLES))
    back = ";".join(f"INSERT INTO jmdc.{n} TABLE jmdc.kept_{n}" for n in TABLES)
    drop = ";".join(f"DROP TABLE jmdc.kept_{name}" for name in TABLES)
    sql(centre, f"BEGIN;{clear};{back};{drop};COMMIT")


def contents(centre: Centre) -> list[list[str]]:
    """All that the tables hold, but for when it was stored."""
    return sql(
        centre,
        " UNION ALL ".join(
            f"SELECT '{name}', (to_jsonb(t) - 'created')::text FROM jmdc.{name} AS t"
            for name in TABLES
        )
        + " ORDER BY 1, 2",
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# ---------------------------------------------------------- what is published


def test_releases_hold_what_their_files_had(centre: Centre, tmp_path: Path) -> None:
    columns = [column.lower() for column in HEADER.split(",")]

    def plain(row: dict[str, str]) -> tuple[str, ...]:
        """A row without what differs in how TAP writes it."""
        cells = [row.get(column) or row.get(column.upper()) or "" for column in columns]
        cells[-1] = "1" if cells[-1] in ("True", "1") else "0"
        return tuple(str(float(cell)) if _is_number(cell) else cell for cell in cells)

    for name, path in zip((FIRST, SECOND), simulate_jmdc.write(tmp_path), strict=True):
        expected = rows(path.read_text("utf-8"))
        found = query(centre.url, f"SELECT * FROM jmdc.released WHERE release='{name}'")
        assert len(found) == len(expected)
        assert sorted(map(plain, found)) == sorted(map(plain, expected))
        [told] = query(centre.url, f"SELECT * FROM jmdc.release WHERE release='{name}'")
        assert int(told["n_measurements"]) == len(expected)
        assert int(told["n_stars"]) == len({row["ID1"] for row in expected})
        assert told["file_name"] == path.name


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_what_changed_between_releases(centre: Centre) -> None:
    found = query(centre.url, f"SELECT * FROM jmdc.change WHERE release='{SECOND}'")
    kinds = [row["kind"] for row in found]
    assert {kind: kinds.count(kind) for kind in kinds} == {"added": 11, "changed": 1, "removed": 1}
    [changed] = [row for row in found if row["kind"] == "changed"]
    assert changed["changed_columns"] == "e_ld_diam notes"
    assert (changed["old_version"], changed["new_version"]) == ("1", "2")
    versions = query(
        centre.url,
        "SELECT version, e_ld_diam, is_current, release_first, release_last FROM jmdc.history"
        f" WHERE measurement_id={changed['measurement_id']} ORDER BY version",
    )
    assert [list(row.values()) for row in versions] == [
        ["1", "0.018", "0", FIRST, FIRST],
        ["2", "0.03", "1", SECOND, SECOND],
    ]
    # The same by the rows of both, as for any two releases.
    [both] = query(
        centre.url,
        "SELECT COUNT(*) AS n FROM jmdc.released AS a JOIN jmdc.released AS b USING"
        f" (measurement_id) WHERE a.release='{FIRST}' AND b.release='{SECOND}'"
        " AND a.version!=b.version",
    )
    assert both["n"] == "1"


def test_wrong_rows_are_published_with_what_is_certain(centre: Centre) -> None:
    found = query(
        centre.url,
        "SELECT id1, notes, ud_diam, ld_diam, e_ld_diam, corrected_ud_diam, corrected_ld_diam,"
        " corrected_e_ld_diam, correction, quality_flags FROM jmdc.measurement"
        " WHERE notes LIKE 'Simulated: %'",
    )
    assert {row["notes"] for row in found} == {f"Simulated: {k}." for k in simulate_jmdc.WRONG}
    for row in found:
        kind = row["notes"].removeprefix("Simulated: ").rstrip(".")
        # JSDC is simulated, too, and knows the true diameter.
        assert set(row["quality_flags"].split()) - {"jsdc_outlier"} == {kind}
        certain = kind in ("ld_is_factor", "ld_is_error", "shifted_columns")
        assert bool(row["correction"]) == certain
        names = ("ud_diam", "ld_diam", "e_ld_diam")
        assert all(row[n] == row[f"corrected_{n}"] for n in names) != certain
        if kind in ("ld_is_factor", "shifted_columns"):
            true = simulate_jmdc.TRUTH[row["id1"]]
            assert float(row["corrected_ld_diam"]) == pytest.approx(true, rel=0.05)


def test_stars_have_positions_or_say_why_not(centre: Centre) -> None:
    found = {
        row["star_name"]: row
        for row in query(centre.url, "SELECT * FROM jmdc.star WHERE merged_into IS NULL")
    }
    assert float(found["SIM UD 1"]["s_ra"]) == pytest.approx(110.5, abs=1e-3)
    assert float(found["SIM UD 1"]["s_dec"]) == pytest.approx(-25.2, abs=1e-3)
    assert found["SIM UD 1"]["position_source"] in ("jsdc", "obsportal", "oidb")
    assert found["SIM UD 1"]["identity_flags"] == ""
    assert found["SIM NOWHERE 1"]["s_ra"] == ""
    assert found["SIM NOWHERE 1"]["identity_flags"] == "unresolved"
    assert found["SIM BIN 1"]["identity_flags"] == "sinpe"
    [named] = query(centre.url, "SELECT star_id FROM jmdc.star_alias WHERE alias='Sim Ud 1'")
    assert named["star_id"] == found["SIM UD 1"]["star_id"]


ANSWER = b"""<Sesame><Target><Resolver name="S"><jradeg>110.50001</jradeg>
<jdedeg>-25.20001</jdedeg></Resolver></Target></Sesame>"""


class Sesame(BaseHTTPRequestHandler):
    """A name resolver that has every star at one place."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answers."""
        self.asked.append(urllib.parse.unquote(self.path.partition("?")[2]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:
        """Is silent."""


def test_a_resolver_is_asked_and_stars_at_one_place_are_one(
    book: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = HTTPServer(("127.0.0.1", 0), Sesame)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("JMMC_RESOLVER", f"http://127.0.0.1:{server.server_port}/?")
    try:
        told = book.succeed("jmdc", "resolve")
    finally:
        server.shutdown()
        server.server_close()
        (book.root / "cache" / "names.json").unlink(missing_ok=True)
    assert "1 stars have got a position, 0 have none" in told
    assert Sesame.asked == ["SIM NOWHERE 1"]
    stars = {
        row["star_id"]: row for row in query(book.url, "SELECT * FROM jmdc.star ORDER BY star_id")
    }
    [row] = [row for row in stars.values() if row["merged_into"]]
    main = stars[row["merged_into"]]
    assert (main["star_name"], row["star_name"]) == ("SIM UD 1", "SIM UD 1")
    assert (row["s_ra"], row["n_measurements"]) == (main["s_ra"], "0")
    found = query(
        book.url, "SELECT star_id, star_name FROM jmdc.measurement WHERE id1 LIKE '%NOW%'"
    )
    assert found == [{"star_id": main["star_id"], "star_name": "SIM UD 1"}]
    aliases = query(book.url, "SELECT star_id FROM jmdc.star_alias WHERE alias='SIM NOWHERE 1'")
    assert aliases == [{"star_id": main["star_id"]}]


def test_publications(centre: Centre) -> None:
    [row] = query(
        centre.url,
        f"SELECT * FROM jmdc.publication WHERE bibcode='{simulate_jmdc.bibcode(2022, 1)}'",
    )
    assert list(row.values()) == ["2022SIM....22....1S", "2022", "SIM", "2", "1"]


def test_cone_searches(centre: Centre) -> None:
    measurements = pyvo.dal.SCSService(f"{centre.url}/jmdc/q/cone/scs.xml").search(
        (110.5, -25.2), 0.01
    )
    [told] = query(centre.url, COUNT + "measurement WHERE id1='SIM UD 1'")
    assert len(measurements) == int(told["n"]) > 5
    assert set(measurements["id1"]) == {"SIM UD 1"}
    stars = pyvo.dal.SCSService(f"{centre.url}/jmdc/q/stars/scs.xml").search((110.5, -25.2), 0.01)
    assert list(stars["star_name"]) == ["SIM UD 1"]


def test_what_adql_does_not_see(centre: Centre) -> None:
    assert "stored_measurement" in refused(centre.url, "SELECT * FROM jmdc.stored_measurement")


# -------------------------------------------------------------------- ingestion


def test_to_ingest_again_changes_nothing(book: Centre, tmp_path: Path) -> None:
    paths = [str(path) for path in simulate_jmdc.write(tmp_path)]
    before = contents(book)
    told = book.succeed("ingest", "jmdc", *paths)
    assert told.count("was in already") == 2
    assert contents(book) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEADER}\nHD1,,1.0,,,,,,,,,\nHD2,,x,,,,,,,,,\n", "line 3: UDDIAM is no number"),
        ("nothing\n", "no ReadMe beside it"),
        (f"{HEADER}\n", "it has no rows"),
    ],
)
def test_a_broken_file_changes_nothing(
    centre: Centre, tmp_path: Path, text: str, words: str
) -> None:
    before = contents(centre)
    good, broken = tmp_path / "JMDC_20300101.csv", tmp_path / "JMDC_20310101.csv"
    good.write_text(f"{HEADER}\nHD1,,1.0,,,,,,,,,\n")
    broken.write_text(text)
    result = centre.jmmc("ingest", "jmdc", str(good), str(broken))
    assert result.returncode == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert contents(centre) == before


def test_days_and_names_that_do_not_fit(centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{HEADER}\nHD1,,1.0,,,,,,,,,\n")
    assert "does not tell the day" in centre.jmmc("ingest", "jmdc", str(path)).stderr
    result = centre.jmmc("ingest", "jmdc", str(path), "--release", "x", "--date", SECOND)
    assert f"Release {SECOND} is of {SECOND}, too" in result.stderr
    assert query(centre.url, COUNT + "release WHERE release='x'")[0]["n"] == "0"


def test_a_release_between_two_others(book: Centre, tmp_path: Path) -> None:
    """Numbers of measurements stay; the rows of the releases around it, too."""
    first, second = simulate_jmdc.releases()
    path = tmp_path / "JMDC_20240701.csv"
    path.write_text(jmdc_export.as_csv([*first[:-1], *second[-1:]]))
    numbers = "SELECT measurement_id, id1, ud_diam, bibcode FROM jmdc.history ORDER BY 1, version"
    before, held = query(book.url, numbers), _held(book)
    book.succeed("ingest", "jmdc", str(path))
    after = _held(book)
    assert after.pop("2024-07-01") == len(first)
    assert after == held
    assert {tuple(row.values()) for row in query(book.url, numbers)} >= {
        tuple(row.values()) for row in before
    }
    [wrong] = query(
        book.url, COUNT + "change WHERE release='2024-07-01' AND kind NOT IN ('added', 'removed')"
    )
    assert wrong["n"] == "0"


def test_numbers_are_given_once(book: Centre, tmp_path: Path) -> None:
    """What a release had that was replaced leaves its number to nobody."""
    path = tmp_path / "JMDC_20300101.csv"
    numbers = "SELECT measurement_id, star_id FROM jmdc.history WHERE id1='{}'"
    seen = []
    for stars in (["HD 999991", "HD 999992"], ["HD 999991"], ["HD 999991", "HD 999993"]):
        rows = "".join(f"{star},,1.0,,,,,,,,,\n" for star in stars)
        path.write_text(f"{HEADER}\n{rows}")
        book.succeed("ingest", "jmdc", str(path))
        seen += [tuple(query(book.url, numbers.format(star))[0].values()) for star in stars]
    kept, gone, same, again, new = seen
    assert kept == same == again
    for one, other, third in zip(kept, gone, new, strict=True):
        assert len({one, other, third}) == 3


def _held(centre: Centre) -> dict[str, int]:
    found = query(centre.url, "SELECT release, COUNT(*) AS n FROM jmdc.released GROUP BY release")
    return {row["release"]: int(row["n"]) for row in found}


# --------------------------------------------------------------------- releases


def test_a_release_is_frozen_and_written(book: Centre, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    folder.chmod(0o777)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    [number] = query(book.url, COUNT + "measurement")
    book.succeed("jmdc", "release", "new", "--to", str(folder), "--date", "2030-05-06")
    [told] = query(book.url, "SELECT * FROM jmdc.release WHERE release='new'")
    assert (told["n_measurements"], told["file_name"]) == (number["n"], "")

    text = (folder / "jmdc.csv").read_text("utf-8")
    assert text.startswith(HEADER + "\n")
    expected = query(
        book.url, "SELECT * FROM jmdc.released WHERE release='new' ORDER BY measurement_id"
    )
    found = rows(text)
    assert len(found) == len(expected) == int(number["n"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fixed = ascii.read(
            str(folder / "jmdc.dat"), format="cds", readme=str(folder / "ReadMe")
        ).filled()
        votable = parse(folder / "jmdc.vot").get_first_table().to_table()
    assert f"2030-05-06: new, {number['n']} measurements" in (folder / "ReadMe").read_text("ascii")
    for row, cells, line, entry in zip(expected, found, fixed, votable, strict=True):
        for column, label in (("ud_diam", "UDdiam"), ("ld_diam", "LDdiam")):
            if row[column]:
                assert float(cells[column.upper()]) == float(row[column])
                assert line[label] == float(row[column]) == entry[column]
        assert cells["ID1"] == row["id1"] == line["ID1"] == entry["id1"]
        assert cells["BIBCODE"] == row["bibcode"] == line["BibCode"].replace("N/A", "")
        assert entry["quality_flags"] == row["quality_flags"]
    assert (folder / "changes.csv").read_text() == (
        "kind,measurement_id,id1,bibcode,column,old,new\n"
    )

    result = book.jmmc("jmdc", "release", "old", "--to", str(folder), "--date", "2029-01-01")
    assert "a new one must be of a later day" in result.stderr
    assert query(book.url, COUNT + "release WHERE release='old'")[0]["n"] == "0"


def test_files_of_a_release_are_written_again(centre: Centre, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    folder.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    centre.succeed("jmdc", "release", SECOND, "--to", str(folder))
    expected = (centre.root / "demonstration" / "jmdc" / "JMDC_20250220.csv").read_text("utf-8")
    assert sorted((folder / "jmdc.csv").read_text("utf-8").splitlines()) == sorted(
        expected.splitlines()
    )
    found = rows((folder / "changes.csv").read_text())
    assert [row["kind"] for row in found].count("added") == 11
    changed = {row["column"]: (row["old"], row["new"]) for row in found if row["kind"] == "changed"}
    assert changed == {
        "e_ld_diam": ("0.018", "0.03"),
        "notes": ("Simulated.", "Error from the second publication."),
    }


def test_check_needs_no_instance(centre: Centre, tmp_path: Path) -> None:
    path = simulate_jmdc.write(tmp_path)[1]
    result = centre.jmmc("check", "jmdc", str(path))
    assert result.returncode == 1
    assert "39 rows, 3 errors" in result.stdout
    assert "LD_DIAM is the factor 1.019" in result.stdout
    assert centre.jmmc("check", "jmdc", str(path.with_name("JMDC_20240115.csv"))).returncode == 0
