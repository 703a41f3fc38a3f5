"""What ADQL says reaches PostgreSQL as ADQL means it, and nothing else does."""

import time

import pytest

from tests.live import client
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

#: A literal that ends, for PostgreSQL, at the quote after the backslash.
SMUGGLED = [
    r"SELECT TOP 1 'a\' || current_user --' AS x FROM oidb.granule",
    r"SELECT TOP 1 target_name FROM oidb.granule WHERE target_name='\' OR version() != '' --'",
    r"SELECT TOP 1 insname FROM oidb.granule WHERE insname LIKE '\' OR current_user != '' --'",
]


@pytest.mark.parametrize("adql", SMUGGLED)
def test_sql_cannot_hide_in_a_literal(centre: Centre, adql: str) -> None:
    message = client.refused(centre.url, adql)
    assert "Could not parse" in message, message


def test_sql_cannot_hide_in_a_literal_of_an_asynchronous_job(centre: Centre) -> None:
    made = client.ask(
        f"{centre.url}/tap/async", data={"LANG": "ADQL", "FORMAT": "csv", "QUERY": SMUGGLED[0]}
    )
    job = made.headers["location"]
    client.ask(f"{job}/phase", data={"PHASE": "RUN"})
    end = time.monotonic() + 30
    while (phase := client.ask(f"{job}/phase").text) in {"PENDING", "QUEUED", "EXECUTING"}:
        assert time.monotonic() < end, f"the job is {phase}"
        time.sleep(0.2)
    assert phase == "ERROR"


def test_literals_come_back_as_they_were_written(centre: Centre) -> None:
    rows = client.query(
        centre.url, r"SELECT TOP 1 'it''s' AS quote, 'a' AS plain, '' AS nothing FROM oidb.granule"
    )
    assert rows == [{"quote": "it's", "plain": "a", "nothing": ""}]
    counted = client.query(
        centre.url, r"SELECT COUNT(*) AS n FROM oidb.granule WHERE target_name='SIM\UD 1'"
    )
    assert counted == [{"n": "0"}]
