"""`bin/jmmc sync oidb`: what the observation logs know comes to OiDB's granules, and stays right.

Who gets what of a file that the sync has made private is in test_privacy.py.
"""

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest import simulate
from ingest.vocabulary import load
from tests.live.client import ask, query
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

PROGRAMME = "999.L-0001(A)"
FACILITY = load().facility("VLTI")
assert FACILITY is not None
NIGHT = date(2024, 2, 10)
STATIONS = ("A0", "G1", "J2", "J3")
STAR = simulate.Target("SIM LOG", 120.5, -35.25, simulate.Disk(1.1))
#: A moment within all files (MJD).
MIDDLE = simulate.transit(STAR, FACILITY, NIGHT)

Row = dict[str, str]


@dataclass(frozen=True)
class Log:
    """The instance with the files, and the observation log that tests write to."""

    centre: Centre
    folder: Path

    def sql(self, statement: str) -> str:
        """What the database answers its superuser."""
        return self.centre.sql(statement)

    def enter(self, name: str, progid: str, title: str, pi: str, release: str | None) -> None:
        """Writes a raw file into the log, or changes it there."""
        date_ = "NULL" if release is None else f"'{release}'"
        self.sql(
            "INSERT INTO obsportal.stored_header (header_id, archive, progid, prog_title, datapi,"
            " obs_release_date, state, listed)"
            f" VALUES ('{name}', 'ESO', '{progid}', '{title}', '{pi}', {date_}, 'read', now())"
            " ON CONFLICT (header_id) DO UPDATE SET progid=EXCLUDED.progid,"
            " prog_title=EXCLUDED.prog_title, datapi=EXCLUDED.datapi,"
            " obs_release_date=EXCLUDED.obs_release_date"
        )

    def expose(self, name: str, at: float, ob_id: int, facility: str = "VLTI") -> None:
        """Writes the exposure of a raw file into the log: ten seconds from ``at`` (MJD)."""
        self.sql(
            "INSERT INTO obsportal.exposure (exposure_id, header_id, exposure_number,"
            " obs_publisher_did, facility_name, instrument_name, t_min, t_max, progid, ob_id,"
            " prog_title, datapi, obs_release_date, validation_level, validation_log,"
            " quality_flags, on_sky, updated)"
            " SELECT header_id || '_1', header_id, 1, 'ivo://jmmc.fr/~?obsportal/' || header_id"
            f" || '_1', '{facility}', 'PIONIER', {at!r}, {at + 10 / 86400!r}, progid, {ob_id},"
            " prog_title, datapi, obs_release_date, 0, '[]', '', 0, now()"
            f" FROM obsportal.stored_header WHERE header_id='{name}'"
        )

    def forget(self) -> None:
        """Takes everything of these tests out of the log."""
        self.sql("DELETE FROM obsportal.exposure WHERE header_id LIKE 'LOGTEST.%'")
        self.sql("DELETE FROM obsportal.stored_header WHERE header_id LIKE 'LOGTEST.%'")

    def sync(self) -> str:
        """What the command says."""
        return self.centre.succeed("sync", "oidb").strip()

    def write(self, name: str, number: int, **header: str | int) -> Path:
        """An OIFITS file with that header (blanks for underscores)."""
        assert FACILITY is not None
        exposures = simulate.around_transit(FACILITY, STAR, NIGHT, (-0.1, 0.1), STATIONS)
        words = {key.replace("_", " "): value for key, value in header.items()}
        hdus = simulate.simulate(
            FACILITY, [simulate.PIONIER_GRISM], exposures, seed=number, header=words
        )
        simulate.write(self.folder / name, hdus)
        return self.folder / name

    def ingest(self, *arguments: str) -> None:
        """Ingests into the collection of these tests."""
        self.centre.succeed("ingest", "oifits", *arguments, "--collection", "logs", "--no-plots")

    def granule(self, name: str) -> Row:
        """The granule of a file, and the rights and release date of the file."""
        [row] = query(
            self.centre.url,
            "SELECT g.granule_id, g.file_id, g.datapi, g.prog_title, g.access_url, f.data_rights,"
            " g.obs_publisher_did, f.obs_release_date FROM oidb.granule AS g"
            f" JOIN oidb.file AS f ON f.file_id=g.file_id WHERE f.file_name='{name}'",
        )
        return row

    def dates(self, name: str) -> set[str]:
        """The release dates of a file as each table has it: one, or they disagree."""
        return set(
            self.sql(
                "SELECT obs_release_date::date FROM oidb.stored_file"
                f" WHERE file_name='{name}' UNION ALL"
                " SELECT g.obs_release_date::date FROM oidb.granule AS g JOIN oidb.stored_file"
                f" USING (file_id) WHERE file_name='{name}' UNION ALL"
                " SELECT p.embargo + 1 FROM oidb.stored_product AS p JOIN oidb.stored_file"
                f" USING (file_id) WHERE file_name='{name}' UNION ALL"
                " SELECT d.embargo + 1 FROM dc.products AS d JOIN oidb.stored_product AS p"
                " ON p.accref=d.accref JOIN oidb.stored_file AS f ON f.file_id=p.file_id"
                f" WHERE file_name='{name}'"
            ).splitlines()
        )


@pytest.fixture(scope="module")
def log(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Files of all kinds, ingested before the log knew anything; then the log, and a sync."""
    folder = tmp_path_factory.mktemp("logs")
    folder.chmod(0o755)
    made = Log(centre, folder)
    made.forget()
    raw: dict[str, Any] = {"ESO_PRO_REC1_RAW1_NAME": "LOGTEST.2024-02-11T01:00:00.000.fits"}
    science: dict[str, Any] = {"ESO_OBS_PROG_ID": PROGRAMME, "ESO_OBS_ID": 4711}
    made.write("named.fits", 1, DATAPI="Header", **science, **raw)
    made.write("unnamed.fits", 2, **science)
    made.write("other_ob.fits", 3, ESO_OBS_PROG_ID=PROGRAMME, ESO_OBS_ID=4712)
    made.write("no_ob.fits", 4, ESO_OBS_PROG_ID=PROGRAMME)
    made.write("other_programme.fits", 5, ESO_OBS_PROG_ID="999.L-0002(A)", DATAPI="Header")
    made.write(
        "two_programmes.fits",
        6,
        ESO_PRO_REC1_RAW2_NAME="LOGTEST.2024-02-11T02:00:00.000.fits",
        **raw,
    )
    made.ingest(str(folder))
    made.write("told.fits", 7, **science, **raw)
    made.ingest(str(folder / "told.fits"), "--pi", "Operator", "--release-date", "2097-01-01")
    assert made.granule("named.fits")["data_rights"] == "public"
    made.sync()  # what other tests have left

    made.enter(
        "LOGTEST.2024-02-11T01:00:00.000", PROGRAMME, "Stars", "DOE/ ROE", "2095-03-04 05:06"
    )
    made.expose("LOGTEST.2024-02-11T01:00:00.000", MIDDLE, 4711)
    made.enter("LOGTEST.2024-02-11T02:00:00.000", "999.L-0003(A)", "Lamps", "LAMP", "2020-01-01")
    # The name brings a date to two files (a third has a later one), programme and time to two.
    assert made.sync().endswith("4 later, 0 earlier; investigator or title: 4 granules")
    yield made
    made.forget()


def test_granules_get_what_the_log_knows_by_raw_file_names(log: Log) -> None:
    row = log.granule("named.fits")
    assert (row["datapi"], row["prog_title"]) == ("DOE/ ROE", "Stars")
    # Released in the course of 4 March, hence public from the 5th.
    assert row["obs_release_date"].startswith("2095-03-05T00:00:00")
    assert row["data_rights"] == "proprietary"
    assert log.dates("named.fits") == {"2095-03-05"}


@pytest.mark.parametrize("name", ["unnamed.fits", "no_ob.fits"])
def test_or_by_programme_and_time(log: Log, name: str) -> None:
    row = log.granule(name)
    assert (row["datapi"], row["prog_title"]) == ("DOE/ ROE", "Stars")
    assert log.dates(name) == {"2095-03-05"}


@pytest.mark.parametrize(
    ("name", "pi"), [("other_ob.fits", ""), ("other_programme.fits", "Header")]
)
def test_other_observations_stay_as_they_are(log: Log, name: str, pi: str) -> None:
    row = log.granule(name)
    assert (row["datapi"], row["prog_title"], row["data_rights"]) == (pi, "", "public")
    assert log.dates(name) == {""}


def test_what_the_operator_said_wins(log: Log) -> None:
    row = log.granule("told.fits")
    assert (row["datapi"], row["prog_title"]) == ("Operator", "Stars")
    assert log.dates("told.fits") == {"2097-01-01"}


def test_raw_files_of_two_programmes_name_nobody_but_hold_back(log: Log) -> None:
    row = log.granule("two_programmes.fits")
    assert (row["datapi"], row["prog_title"]) == ("", "")
    assert log.dates("two_programmes.fits") == {"2095-03-05"}


def test_a_second_run_changes_nothing(log: Log) -> None:
    before = log.sql("SELECT xmin, ctid FROM oidb.granule UNION ALL SELECT xmin, ctid"
                     " FROM oidb.stored_file")  # fmt: skip
    assert "0 later, 0 earlier; investigator or title: 0 granules" in log.sync()
    assert before == log.sql(
        "SELECT xmin, ctid FROM oidb.granule UNION ALL SELECT xmin, ctid FROM oidb.stored_file"
    )


def test_dates_follow_the_archive_both_ways(log: Log) -> None:
    raw = "LOGTEST.2024-02-11T01:00:00.000"
    address = log.granule("named.fits")["access_url"]
    log.enter(raw, PROGRAMME, "Stars", "DOE/ ROE", "2099-01-01")
    assert "5 later, 0 earlier" in log.sync()
    assert log.dates("named.fits") == log.dates("told.fits") == {"2099-01-01"}
    assert ask(address).status == 401
    log.enter(raw, PROGRAMME, "Stars", "DOE/ ROE", "2021-01-01")
    log.sync()
    assert log.dates("named.fits") == {"2021-01-01"}
    assert log.dates("told.fits") == {"2097-01-01"}
    assert ask(address).status == 200
    log.enter(raw, PROGRAMME, "Stars", "DOE/ ROE", "2095-03-04 05:06")
    log.sync()
    assert log.dates("named.fits") == {"2095-03-05"}
    assert ask(address).status == 401


def test_reading_a_file_again_keeps_what_the_log_knows(log: Log) -> None:
    log.ingest(str(log.folder / "named.fits"), "--again")
    row = log.granule("named.fits")
    assert (row["datapi"], row["prog_title"]) == ("DOE/ ROE", "Stars")
    assert log.dates("named.fits") == {"2095-03-05"}


def test_a_file_that_comes_after_the_log_is_never_public(log: Log) -> None:
    log.write("late.fits", 8, ESO_PRO_REC1_RAW1_NAME="LOGTEST.2024-02-11T01:00:00.000.fits")
    log.ingest(str(log.folder / "late.fits"))
    assert log.dates("late.fits") == {"2095-03-05"}
    assert log.granule("late.fits")["datapi"] == "DOE/ ROE"


def test_a_log_that_forgets_publishes_nothing(log: Log) -> None:
    raw = "LOGTEST.2024-02-11T03:00:00.000"
    log.enter(raw, PROGRAMME, "Stars", "DOE/ ROE", "2096-02-02")
    log.write("forgotten.fits", 9, ESO_PRO_REC1_RAW1_NAME=f"{raw}.fits")
    log.ingest(str(log.folder / "forgotten.fits"))
    log.sql(f"DELETE FROM obsportal.stored_header WHERE header_id='{raw}'")
    log.sync()
    log.ingest(str(log.folder / "forgotten.fits"), "--again")
    assert log.dates("forgotten.fits") == {"2096-02-02"}
    # Nor does an archive that gives no date any more.
    log.enter(raw, PROGRAMME, "Stars", "DOE/ ROE", None)
    log.sync()
    assert log.dates("forgotten.fits") == {"2096-02-02"}


def test_an_ingestion_and_a_sync_do_not_work_at_once(log: Log) -> None:
    with (log.centre.root / "run" / "ingestion.lock").open("r") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = log.centre.jmmc("sync", "oidb")
    assert result.returncode == 1
    assert "Another ingestion is at work" in result.stderr
