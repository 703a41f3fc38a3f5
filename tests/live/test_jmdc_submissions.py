"""Measurements that are handed in for JMDC: who may do what, what is taken, what becomes of it."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import jmdc_export, simulate_jmdc
from tests.live import handed_in
from tests.live.client import User, ask, query
from tests.live.conftest import Centre
from tests.live.handed_in import (
    EDITOR,
    EXPIRED,
    OTHER_EDITOR,
    SHOWN,
    STRANGER,
    SUBMITTER,
    Jmdc,
    fields,
)

pytestmark = pytest.mark.live

#: Made-up submissions: a few hundred with the other tests, more when told so.
NUMBER = int(os.environ.get("JMMC_SUBMISSIONS", "250"))
#: What does harm where a text becomes markup, SQL or a formula.
MARKUP = "<img src=x onerror=alert(1)>"
SQL = "'); DROP TABLE jmdc.submission; SELECT ('"
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", " =1+1", "x;=1+1", "\t=1")


@pytest.fixture(scope="module")
def jmdc(centre: Centre) -> Iterator[Jmdc]:
    """JMDC with its users; as before afterwards."""
    with handed_in.users(centre) as made:
        yield made


def measurement(jmdc: Jmdc, number: int) -> list[dict[str, str]]:
    """All versions of a measurement, as TAP has them."""
    return query(
        jmdc.centre.url,
        f"SELECT * FROM jmdc.history WHERE measurement_id={number} ORDER BY version",
    )


def stored(cursor: Any) -> int:
    """Rows of the table of submissions."""
    cursor.execute("SELECT COUNT(*) FROM jmdc.submission")
    return int(cursor.fetchone()[0])


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize("user", [None, User("jmdc.submitter", "wrong"), EXPIRED])
def test_without_an_account_nothing_is_taken_or_told(
    jmdc: Jmdc, database: Any, user: User | None
) -> None:
    number = jmdc.submit(**fields())
    before = stored(database)
    for method, path in (
        ("POST", "submissions"), ("GET", "submissions"), ("GET", f"submissions/{number}"),
        ("PUT", f"submissions/{number}"), ("POST", f"submissions/{number}/withdraw"),
        ("POST", f"submissions/{number}/accept"), ("GET", "queue"),
    ):  # fmt: skip
        document = None if method == "GET" else fields(version=1)
        answer = jmdc.call(method, path, user, document)
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert "SIM UD 1" not in answer.text
    assert stored(database) == before


def test_everybody_may_have_values_checked(jmdc: Jmdc, database: Any) -> None:
    before = stored(database)
    answer = json.loads(jmdc.call("POST", "check", None, fields(ld_diam=1.2)).body)
    assert not answer["acceptable"]
    assert {"ld_below_ud", "outlier"} < {problem["rule"] for problem in answer["problems"]}
    assert answer["star"]["star_name"] == "SIM UD 1"
    assert json.loads(jmdc.call("POST", "check", None, fields()).body)["acceptable"]
    assert stored(database) == before


def test_what_is_pending_is_for_the_submitter_and_editors(jmdc: Jmdc) -> None:
    number = jmdc.submit(**fields())
    path = f"submissions/{number}"
    for method, deed in (("GET", ""), ("PUT", ""), ("POST", "/withdraw"), ("POST", "/accept")):
        document = None if method == "GET" else fields(version=1)
        assert jmdc.call(method, path + deed, STRANGER, document).status == 403
    assert jmdc.call("GET", "queue", STRANGER).status == 403
    assert jmdc.call("POST", f"{path}/accept", SUBMITTER, {"version": 1}).status == 403
    assert number not in numbers(jmdc.done("GET", "submissions", STRANGER))
    assert number in numbers(jmdc.done("GET", "submissions", SUBMITTER))
    assert number in numbers(jmdc.done("GET", "queue", EDITOR))
    # An editor sees it, but what it says is the submitter's.
    assert jmdc.call("GET", path, EDITOR).status == 200
    assert jmdc.call("PUT", path, EDITOR, fields(version=1)).status == 403
    # ADQL knows no such table.
    refused = ask(
        f"{jmdc.centre.url}/tap/sync",
        data={"LANG": "ADQL", "QUERY": "SELECT * FROM jmdc.submission"},
    )
    assert 'value="ERROR"' in refused.text


def numbers(answer: dict[str, Any]) -> list[int]:
    return [one["submission_id"] for one in answer["submissions"]]


def test_names_are_told_to_editors_and_otherwise_if_agreed(jmdc: Jmdc) -> None:
    number = jmdc.submit(SUBMITTER, **fields())
    asked = jmdc.decide(EDITOR, number, "ask", 1, "Which night?")
    assert "Hidden Tester" in asked.text
    own = jmdc.done("GET", f"submissions/{number}", SUBMITTER)
    assert [event["by"] for event in own["history"]] == [
        "Hidden Tester (jmdc.submitter)", "an editor",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Content_Type": "text/plain"}, 400),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 400),
        ({"Content_Type": "multipart/form-data; boundary=x"}, 400),
        ({"Content_Type": ""}, 400),
    ],
)
def test_what_other_sites_make_a_browser_send_is_refused(
    jmdc: Jmdc, database: Any, headers: dict[str, str], status: int
) -> None:
    number = jmdc.submit(**fields())
    before = stored(database)
    document = fields()
    assert jmdc.call("POST", "submissions", SUBMITTER, document, **headers).status == status
    accepted = jmdc.call("POST", f"submissions/{number}/accept", EDITOR, {"version": 1}, **headers)
    assert accepted.status == status
    assert stored(database) == before


# ---------------------------------------------------------------- what is taken


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"id1": ""}, "id1", "which star"),
        ({"id1": "HD " + "1" * 30}, "id1", "room for 28"),
        ({"bibcode": None}, "bibcode", "publication"),
        ({"method": None}, "method", "method"),
        ({"method": 4}, "method", "METHOD is 4"),
        ({"method": 1.5}, "method", "whole"),
        ({"method": "one"}, "method", "number"),
        ({"band": ""}, "band", "band"),
        ({"band": "K band, in the dark"}, "band", "room for 10"),
        ({"ud_diam": None, "ld_diam": None}, "ud_diam", "no diameter"),
        ({"ud_diam": -1}, "ud_diam", "greater than zero"),
        ({"ud_diam": 0}, "ud_diam", "greater than zero"),
        ({"ld_diam": 1e9}, "ld_diam", "below 1000"),
        ({"ld_diam": "1,8"}, "ld_diam", "number"),
        ({"e_ld_diam": 0.123456789}, "e_ld_diam", "decimals"),
        ({"e_ld_diam": True}, "e_ld_diam", "number"),
        ({"ld_diam": 1.017, "mu_lambda": 1.017}, "ld_diam", "MU_LAMBDA"),
        ({"notes": "a\x00b"}, "notes", "U+0000"),
        ({"notes": "\ud800"}, "notes", "U+D800"),
        ({"notes": "2.2 µm"}, "notes", "ASCII"),
        ({"notes": ["x"]}, "notes", "text"),
        ({"notes": "x" * 205}, "notes", "room for 204"),
        ({"sinpe": "perhaps"}, "sinpe", "true or false"),
        ({"words": "x" * 3000}, "words", "2000"),
        ({"bibcode": "2024SIM"}, "words", "why it is right"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_not_kept(
    jmdc: Jmdc, database: Any, changes: dict[str, Any], field: str, word: str
) -> None:
    before = stored(database)
    answer = jmdc.call("POST", "submissions", SUBMITTER, fields(**changes))
    assert answer.status == 400
    problems = json.loads(answer.body)["problems"]
    said = [p["words"] for p in problems if field in p["fields"] and p["severity"] == "error"]
    assert any(word in words for words in said), problems
    assert stored(database) == before


@pytest.mark.parametrize(
    "document",
    [
        "", "[]", "null", "{", '{"id1": NaN}', '{"ud_diam": 1e999}', '"x"', "\xff", "{}",
        '{"unknown": 1}', '{"id1": "HD 1", "corrects": 1e5}', '{"corrects": 999999}',
        '{"corrects": -1}', '{"corrects": true}', '{"corrects": "1; DROP TABLE x"}',
        "[" * 5000, '{"ud_diam": ' + "9" * 4000 + "}", '{"x": "' + "x" * 70000 + '"}',
    ],
)  # fmt: skip
def test_what_is_no_submission_is_refused_with_a_sentence(
    jmdc: Jmdc, database: Any, document: str
) -> None:
    before = stored(database)
    for path in ("submissions", "check"):
        answer = jmdc.call("POST", path, SUBMITTER, document)
        if path == "check" and document == "{}":
            continue
        if path == "submissions" or answer.status != 200:
            assert answer.status == 400, answer.text
            assert json.loads(answer.body)["error"]
    assert stored(database) == before


def test_doubts_need_a_word(jmdc: Jmdc) -> None:
    doubtful = fields(ud_diam=3.0, ld_diam=3.07)
    assert jmdc.call("POST", "submissions", SUBMITTER, doubtful).status == 400
    taken = jmdc.done("POST", "submissions", SUBMITTER, doubtful | {"words": "It has grown."})
    assert taken["problems"][0]["rule"] == "outlier"
    assert taken["history"][0]["words"] == "It has grown."


def test_the_same_twice_is_one(jmdc: Jmdc) -> None:
    document = fields()
    barrier = Barrier(2)

    def send(_: int) -> int:
        barrier.wait(10)
        return jmdc.call("POST", "submissions", SUBMITTER, document).status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == [200, 409]
    assert jmdc.call("POST", "submissions", SHOWN, document).status == 200


# ---------------------------------------------------------------- what becomes of it


def test_a_submission_is_asked_answered_accepted_and_released(jmdc: Jmdc) -> None:
    document = fields(id1="HD 123456", id2="SIM X")
    number = jmdc.submit(SHOWN, **document)
    asked = json.loads(jmdc.decide(EDITOR, number, "ask", 1, "Is the error\nright?").body)
    assert (asked["state"], asked["version"]) == ("asked", 2)
    path = f"submissions/{number}"
    unanswered = jmdc.call("PUT", path, SHOWN, document | {"version": 2})
    assert unanswered.status == 400
    document["e_ld_diam"] = 0.03
    answered = jmdc.done("PUT", path, SHOWN, document | {"version": 2, "words": "No."})
    assert (answered["state"], answered["version"]) == ("submitted", 3)
    accepted = json.loads(jmdc.decide(OTHER_EDITOR, number, "accept", 3, "").body)
    assert [(event["deed"], event["words"]) for event in accepted["history"]] == [
        ("submitted", None), ("asked", "Is the error\nright?"), ("answered", "No."),
        ("accepted", None),
    ]  # fmt: skip
    assert [event["measurement"]["e_ld_diam"] for event in accepted["history"]] == [
        0.02, 0.02, 0.03, 0.03,
    ]  # fmt: skip
    [row] = measurement(jmdc, accepted["measurement_id"])
    expected = {
        "id1": "HD 123456", "id2": "SIM X", "ud_diam": "1.76", "ld_diam": "1.8",
        "e_ld_diam": "0.03", "band": "K", "band_letters": "K", "method": "1", "bandcode": "8",
        "bibcode": document["bibcode"], "sinpe": "0", "is_current": "1", "version": "1",
        "submitter": "Shown Tester", "submission_id": str(number), "release_first": "",
        "corrected_ld_diam": "1.8", "quality_flags": "",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    [star] = query(jmdc.centre.url, f"SELECT * FROM jmdc.star WHERE star_id={row['star_id']}")
    assert (star["star_name"], star["n_measurements"]) == ("HD 123456", "1")
    # No version of it can be changed any more.
    for user, deed in ((EDITOR, "reject"), (SHOWN, "withdraw")):
        assert jmdc.decide(user, number, deed, 4, "No").status == 409
    folder = jmdc.centre.root / "release-of-tests"
    jmdc.centre.succeed("jmdc", "release", "of-tests", "--to", str(folder))
    with (folder / "jmdc.csv").open() as stream:
        [released] = [line for line in csv.DictReader(stream) if line["ID1"] == "HD 123456"]
    assert (released["E_LD_DIAM"], released["BIBCODE"]) == ("0.03", document["bibcode"])
    [row] = measurement(jmdc, accepted["measurement_id"])
    assert row["release_first"] == row["release_last"] == "of-tests"


def test_a_correction_is_a_new_version(jmdc: Jmdc) -> None:
    [wrong] = query(
        jmdc.centre.url,
        "SELECT * FROM jmdc.measurement WHERE quality_flags='bandcode_mismatch'",
    )
    number = int(wrong["measurement_id"])
    document: dict[str, Any] = {name: wrong[name] for name in fields()} | {
        "corrects": number, "mu_lambda": wrong["mu_lambda"], "notes": "Simulated: put right.",
    }  # fmt: skip
    why = jmdc.call("POST", "submissions", SUBMITTER, document)
    assert "what is corrected, and why" in why.text
    document["words"] = "BANDCODE was that of V."
    submission = jmdc.submit(**document)
    shown = jmdc.done("GET", f"submissions/{submission}", EDITOR)
    assert shown["replaced"]["bandcode"] == 3
    assert shown["measurement"]["bandcode"] == 8
    second = jmdc.submit(SHOWN, **document | {"notes": "Simulated: better still."})
    assert jmdc.decide(EDITOR, submission, "accept", 1).status == 200
    versions = measurement(jmdc, number)
    assert [(row["is_current"], row["bandcode"]) for row in versions[-2:]] == [
        ("0", "3"), ("1", "8"),
    ]  # fmt: skip
    assert versions[-1]["quality_flags"] == ""
    assert versions[-1]["submitter"] == ""
    # The other one has been made of a version that is no more.
    late = jmdc.decide(EDITOR, second, "accept", 1)
    assert late.status == 409
    assert "has changed since" in late.text
    assert jmdc.done("GET", f"submissions/{second}", SHOWN)["version"] == 1
    again = jmdc.call(
        "PUT", f"submissions/{second}", SHOWN,
        document | {"notes": "Simulated: better still.", "version": 1},
    )  # fmt: skip
    assert again.status == 200
    assert jmdc.decide(EDITOR, second, "accept", 2).status == 200
    assert [row["notes"] for row in measurement(jmdc, number)[-2:]] == [
        "Simulated: put right.", "Simulated: better still.",
    ]  # fmt: skip


def test_what_is_withdrawn_or_rejected_stays_in_the_history(jmdc: Jmdc, database: Any) -> None:
    number = jmdc.submit(**fields())
    assert jmdc.decide(SUBMITTER, number, "withdraw", 1, "Mine was wrong").status == 200
    assert jmdc.call("PUT", f"submissions/{number}", SUBMITTER, fields(version=2)).status == 409
    other = jmdc.submit(**fields())
    assert jmdc.decide(EDITOR, other, "reject", 1).status == 400
    assert jmdc.decide(EDITOR, other, "reject", 1, "Not published").status == 200
    database.execute(
        "SELECT submission_id, deed, words FROM jmdc.submission WHERE submission_id IN (%s, %s)"
        " ORDER BY submission_id, version",
        (number, other),
    )
    assert database.fetchall() == [
        (number, "submitted", None), (number, "withdrawn", "Mine was wrong"),
        (other, "submitted", None), (other, "rejected", "Not published"),
    ]  # fmt: skip
    assert other in numbers(jmdc.done("GET", "queue?state=rejected", EDITOR))


@pytest.mark.parametrize("decisions", [("accept", "accept"), ("accept", "reject"), ("ask", "ask")])
def test_of_two_editors_at_once_one_wins(
    jmdc: Jmdc, database: Any, decisions: tuple[str, str]
) -> None:
    number = jmdc.submit(**fields())
    barrier = Barrier(2)

    def decide(user: User, decision: str) -> int:
        barrier.wait(10)
        return jmdc.decide(user, number, decision, 1, "Said at once").status

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(decide, (EDITOR, OTHER_EDITOR), decisions))
    assert sorted(statuses) == [200, 409]
    winner = decisions[statuses.index(200)]
    shown = jmdc.done("GET", f"submissions/{number}", SUBMITTER)
    assert (shown["version"], shown["state"]) == (2, f"{winner}ed")
    database.execute(
        "SELECT COUNT(*) FROM jmdc.stored_measurement WHERE submission_id = %s", (number,)
    )
    assert database.fetchone()[0] == (1 if winner == "accept" else 0)


@pytest.mark.parametrize("version", [None, 0, 2, "1", True, 1.0, 2**70])
def test_a_decision_names_the_version_that_was_seen(jmdc: Jmdc, version: Any) -> None:
    number = jmdc.submit(**fields())
    answer = jmdc.call("POST", f"submissions/{number}/accept", EDITOR, {"version": version})
    assert answer.status == (409 if isinstance(version, int) and version is not True else 400)
    assert jmdc.done("GET", f"submissions/{number}", SUBMITTER)["state"] == "submitted"


@pytest.mark.parametrize(
    "path", ["submissions/999999", "submissions/0", "submissions/x", "submissions/1/publish", "x"]
)
def test_what_is_not_there_is_404(jmdc: Jmdc, path: str) -> None:
    assert jmdc.call("GET", path, EDITOR).status in (404, 405)
    assert jmdc.call("GET", "submissions/999999999999", EDITOR).status == 404


def test_accepted_and_in_step_or_neither(jmdc: Jmdc, database: Any) -> None:
    """What cannot be told to the stars of all data sets is not accepted."""
    number = jmdc.submit(**fields(id1="HD 123457"))
    database.execute("ALTER TABLE jmmc.link RENAME TO hidden_link")
    try:
        assert jmdc.decide(EDITOR, number, "accept", 1).status == 500
    finally:
        database.execute("ALTER TABLE jmmc.hidden_link RENAME TO link")
    assert jmdc.done("GET", f"submissions/{number}", SUBMITTER)["state"] == "submitted"
    found = "SELECT star_id FROM jmdc.measurement WHERE id1='HD 123457'"
    assert query(jmdc.centre.url, found) == []
    assert jmdc.decide(EDITOR, number, "accept", 1).status == 200
    assert len(query(jmdc.centre.url, found)) == 1


def test_only_stars_of_what_is_accepted_are_looked_for(jmdc: Jmdc, database: Any) -> None:
    """Others that have no position get theirs when the operator looks for all."""
    database.execute(
        "UPDATE jmdc.star SET s_ra = NULL, s_dec = NULL, position_source = NULL"
        " WHERE star_name IN ('SIM UD 1', 'SIM LD 1')"
    )
    number = jmdc.submit(**fields(words="It is right."))
    assert jmdc.decide(EDITOR, number, "accept", 1).status == 200
    database.execute(
        "SELECT star_name, position_source FROM jmdc.star"
        " WHERE star_name IN ('SIM UD 1', 'SIM LD 1') ORDER BY star_name"
    )
    assert database.fetchall() == [("SIM LD 1", None), ("SIM UD 1", "jsdc")]
    jmdc.centre.succeed("jmdc", "resolve")
    database.execute("SELECT position_source FROM jmdc.star WHERE star_name = 'SIM LD 1'")
    assert database.fetchone() == ("jsdc",)


# ---------------------------------------------------------------- names and accounts


@pytest.fixture
def shown(jmdc: Jmdc, database: Any) -> Iterator[int]:
    """Number of a measurement of a user whose name is shown; the user is as before afterwards."""
    submission = jmdc.submit(SHOWN, **fields())
    accepted = json.loads(jmdc.decide(EDITOR, submission, "accept", 1).body)
    yield accepted["measurement_id"]
    database.execute(
        "UPDATE users.profile SET shown = TRUE, created = '2026-01-01' WHERE username = %s",
        (SHOWN.name,),
    )


def told(jmdc: Jmdc, number: int) -> set[str]:
    """Who has handed in a measurement, by all that tells it."""
    url = jmdc.centre.url
    found = {
        row["submitter"]
        for table in ("history", "measurement")
        for row in query(url, f"SELECT * FROM jmdc.{table} WHERE measurement_id={number}")
    }
    star = json.loads(ask(f"{url}/jmdc/star/SIM%20UD%201.json").body)["jmdc"]
    for row in star["measurements"]:
        assert not row.keys() & {"username", "submitted"}
        if row["measurement_id"] == number:
            found.add(row["submitter"] or "")
    cone = ask(f"{url}/jmdc/q/cone/scs.xml?RA=110.5&DEC=-25.2&SR=0.01&VERB=3").text
    assert SHOWN.name not in cone
    return found


def test_a_name_is_shown_while_its_owner_agrees(jmdc: Jmdc, database: Any, shown: int) -> None:
    assert told(jmdc, shown) == {"Shown Tester"}
    jmdc.centre.succeed("user", "change", SHOWN.name, "--no-shown")
    assert told(jmdc, shown) == {""}
    jmdc.centre.succeed("user", "change", SHOWN.name, "--shown")
    assert told(jmdc, shown) == {"Shown Tester"}
    database.execute("UPDATE users.profile SET created = 'tomorrow' WHERE username = %s",
                     (SHOWN.name,))  # fmt: skip
    assert told(jmdc, shown) == {""}


def test_a_new_account_of_a_former_name_inherits_nothing(
    jmdc: Jmdc, database: Any, shown: int
) -> None:
    document = fields()
    number = jmdc.submit(SHOWN, **document)
    database.execute(
        "UPDATE jmdc.submission SET created = created - interval '2 days'"
        " WHERE submitter = %(name)s;"
        "UPDATE users.profile SET created = 'yesterday' WHERE username = %(name)s",
        {"name": SHOWN.name},
    )
    path = f"submissions/{number}"
    assert jmdc.call("GET", path, SHOWN).status == 403
    assert jmdc.call("PUT", path, SHOWN, document | {"version": 1}).status == 403
    assert jmdc.call("POST", f"{path}/withdraw", SHOWN, {"version": 1}).status == 403
    assert numbers(jmdc.done("GET", "submissions", SHOWN)) == []
    # An editor is told the name of the account, and not who has it now.
    seen = jmdc.done("GET", path, EDITOR)
    assert (seen["submitter"], seen["history"][0]["by"]) == (SHOWN.name, SHOWN.name)
    # What somebody else has handed in is not the same twice.
    assert jmdc.call("POST", "submissions", SHOWN, document).status == 200


# ---------------------------------------------------------------- releases that come meanwhile


def release(jmdc: Jmdc, folder: Path, day: str, error: float | None) -> int:
    """Ingests the demonstration's second release as that of a day; the number of its first row,
    which has that error, or all that it had in the first release."""
    first, second = simulate_jmdc.releases()
    row = first[0] if error is None else replace(second[0], e_ld_diam=error)
    path = folder / f"JMDC_{day}.csv"
    path.write_text(jmdc_export.as_csv([row, *second[1:]]))
    jmdc.centre.succeed("ingest", "jmdc", str(path))
    [found] = query(
        jmdc.centre.url,
        "SELECT measurement_id FROM jmdc.released WHERE release='2025-02-20'"
        " AND notes='Error from the second publication.'",
    )
    return int(found["measurement_id"])


def correction(jmdc: Jmdc, number: int, **changes: Any) -> dict[str, Any]:
    [row] = query(jmdc.centre.url, f"SELECT * FROM jmdc.measurement WHERE measurement_id={number}")
    kept = {name: row[name] for name in (*fields(), "id2", "mu_lambda", "bandcode", "notes")}
    return kept | {"corrects": number, "words": "As published."} | changes


def test_a_correction_is_of_values_not_of_a_number(jmdc: Jmdc, tmp_path: Path) -> None:
    number = release(jmdc, tmp_path, "20300101", 0.04)
    document = correction(jmdc, number, e_ld_diam=0.05)
    submission = jmdc.submit(**document)
    release(jmdc, tmp_path, "20300101", 0.06)  # as many versions as before
    late = jmdc.decide(EDITOR, submission, "accept", 1)
    assert (late.status, "has changed since" in late.text) == (409, True)
    seen = jmdc.done("GET", f"submissions/{submission}", SUBMITTER)
    assert seen["replaced"]["e_ld_diam"] == 0.04
    jmdc.done("PUT", f"submissions/{submission}", SUBMITTER, document | {"version": 1})
    release(jmdc, tmp_path, "20240701", 0.02)  # one more, before it
    assert jmdc.decide(EDITOR, submission, "accept", 2).status == 200
    assert measurement(jmdc, number)[-1]["e_ld_diam"] == "0.05"


def test_what_is_accepted_stays_beside_a_release_that_said_the_same(
    jmdc: Jmdc, tmp_path: Path
) -> None:
    number = release(jmdc, tmp_path, "20300201", 0.03)
    [first] = [row for row in measurement(jmdc, number) if row["release_first"] == "2024-01-15"]
    submission = jmdc.submit(
        SHOWN, **correction(jmdc, number, e_ld_diam=first["e_ld_diam"], notes=first["notes"])
    )
    assert jmdc.decide(EDITOR, submission, "accept", 1).status == 200
    release(jmdc, tmp_path, "20240301", None)
    versions = measurement(jmdc, number)
    by_release = {row["release_first"]: row["submitter"] for row in versions}
    assert by_release["2024-01-15"] == ""
    last = versions[-1]
    assert (last["submitter"], last["is_current"], last["release_first"]) == (
        "Shown Tester", "1", "",
    )  # fmt: skip
    assert last["e_ld_diam"] == first["e_ld_diam"]
    assert last["submission_id"] == str(submission)
    # A release that has it makes it one of its own.
    release(jmdc, tmp_path, "20300301", None)
    [last] = [row for row in measurement(jmdc, number) if row["is_current"] == "1"]
    assert (last["submitter"], last["release_first"]) == ("Shown Tester", "2030-03-01")


# ---------------------------------------------------------------- markup, SQL, formulas


@pytest.mark.parametrize("name", ["id1", "id2", "band", "notes", "bibcode"])
def test_no_text_begins_a_formula(jmdc: Jmdc, database: Any, name: str) -> None:
    before = stored(database)
    for formula in FORMULAS:
        document = fields(**{name: formula[:19], "words": "It is right."})
        answer = jmdc.call("POST", "submissions", SUBMITTER, document)
        assert answer.status == 400, formula
        assert "formula" in answer.text or "room for" in answer.text
    assert stored(database) == before


def test_markup_and_sql_stay_texts(jmdc: Jmdc, database: Any) -> None:
    document = fields(
        id1="HD 7<b>", id2=MARKUP[:28], band="<i>K</i>", notes=f"{MARKUP} {SQL} = x",
        bibcode="<script>alert()</s>", words=f"{MARKUP}{SQL}",
    )  # fmt: skip
    number = jmdc.submit(**document)
    accepted = json.loads(jmdc.decide(EDITOR, number, "accept", 1, f"{MARKUP}{SQL}").body)
    [row] = measurement(jmdc, accepted["measurement_id"])
    for name in ("id1", "id2", "band", "bibcode"):
        assert row[name] == document[name]
    assert stored(database) > 0
    url = jmdc.centre.url
    for page in (
        "jmdc/", "jmdc/star/HD%207%3Cb%3E", "jmdc/changes?to=today", "jmdc/submit", "jmdc/queue",
    ):  # fmt: skip
        text = ask(f"{url}/{page}").text
        assert "<html" in text
        for markup in ("<img", "HD 7<b>", "<script>alert", "<i>K"):
            assert markup not in text, page
    missing = ask(f"{url}/jmdc/star/%3Cimg%20src=x%3E")
    assert missing.status == 404
    assert "<img src=x" not in missing.text
    rows = list(csv.DictReader(io.StringIO(ask(f"{url}/jmdc/measurements.csv").text)))
    assert [line["NOTES"] for line in rows if line["ID1"] == "HD 7<b>"] == [document["notes"]]
    for line in rows:
        for cell in line.values():
            assert not cell.startswith(tuple("=+-@\t\r")), cell


# ---------------------------------------------------------------- many


_TEXTS = st.one_of(
    st.text(max_size=40),
    st.text("ABab01 .&=+-@<>'\";%\\\x00\u202eé", max_size=30),
    st.sampled_from([MARKUP, SQL, *FORMULAS, "HD 1", "K", "2.2mu", "2019A&A...632A..36M", "-1"]),
)
_NUMBERS = st.one_of(
    st.floats(), st.integers(), st.floats(0.1, 50), st.decimals(0, 20, places=3).map(str),
    st.integers(10**300, 10**301), st.sampled_from([0, -1, 1e-320, 999.999999, 1000, "1e3", ""]),
)  # fmt: skip
_ANYTHING = st.one_of(
    _TEXTS, _NUMBERS, st.none(), st.booleans(), st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip
#: Ratio of two diameters as it can be, between 1 and the 1.118 of a disk dark at its limb.
_PLAUSIBLE = st.builds(
    lambda star, ud, ratio, error, band, method, year, page, words: {
        "id1": star, "ud_diam": ud, "ld_diam": round(ud * ratio, 3),
        "e_ld_diam": round(ud * error, 3), "band": band, "method": method,
        "bibcode": f"{year}SIM...{page % 1000:.>3}.{page:.>4}X", "words": words,
    },
    st.sampled_from(["SIM UD 1", "SIM LD 1", "HD 39801", "alf Ori", "HD 1", "nobody"]),
    st.decimals("0.3", 20, places=3).map(float), st.floats(1.0, 1.1), st.floats(0.005, 0.1),
    st.sampled_from(["K", "H", "V", "2.2mu", "550nm", "600..900nm", "10.5"]),
    st.sampled_from([1, 2, "1", 1.0, 3]), st.integers(1990, 2025), st.integers(1, 9999),
    st.sampled_from([None, "As published.", "Ça va <b>bien</b>\n=1+1"]),
)  # fmt: skip
_CHANGES = st.dictionaries(
    st.sampled_from(
        ["id1", "id2", "ud_diam", "ld_diam", "e_ld_diam", "band", "mu_lambda", "method",
         "bandcode", "notes", "bibcode", "sinpe", "corrects", "words", "version", "nonsense"]
    ),
    _ANYTHING, max_size=3,
)  # fmt: skip
_DOCUMENTS = st.one_of(
    _PLAUSIBLE,
    st.builds(lambda row, changes: row | changes, _PLAUSIBLE, _CHANGES),
    _CHANGES,
)


def test_each_submission_is_taken_or_refused_with_reasons(jmdc: Jmdc, database: Any) -> None:
    outcome: Counter[int] = Counter()
    taken: list[tuple[dict[str, Any], dict[str, Any]]] = []
    before = stored(database)

    @settings(
        max_examples=NUMBER, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(document=_DOCUMENTS)
    def hand_in(document: dict[str, Any]) -> None:
        answer = jmdc.call("POST", "submissions", SUBMITTER, document)
        outcome[answer.status] += 1
        told = json.loads(answer.body)
        if answer.status == 200:
            taken.append((document, told))
        else:
            assert answer.status in (400, 409), answer.text
            assert told["error"].endswith("."), told
            assert all(problem["words"] for problem in told.get("problems", []))

    start = time.monotonic()
    hand_in()
    seconds = time.monotonic() - start
    print(f"\n{sum(outcome.values())} submissions in {seconds:.0f} s: {dict(outcome)}")
    assert outcome[200] > NUMBER / 20
    assert outcome[400] > NUMBER / 20
    # All that was taken is there, whole, and nothing else.
    assert stored(database) == before + len(taken)
    for document, told in taken:
        assert told["version"] == 1
        check_values(document, told["measurement"])
    database.execute(
        "SELECT COUNT(*) FROM jmdc.submission WHERE version = 1 AND submission_id = ANY(%s)",
        ([told["submission_id"] for _, told in taken],),
    )
    assert database.fetchone()[0] == len(taken)


def check_values(document: dict[str, Any], found: dict[str, Any]) -> None:
    """What is stored is what was sent, and can be published."""
    for name in ("ud_diam", "ld_diam", "e_ld_diam", "mu_lambda"):
        sent = document.get(name)
        assert found[name] == (None if sent is None or not str(sent).strip() else float(sent))
        assert found[name] is None or 0 < found[name] < 1000
    for name in ("id1", "id2", "band", "notes", "bibcode"):
        sent = " ".join((document.get(name) or "").split())
        assert found[name] == (sent or None)
        if sent:
            assert sent.isascii()
            assert not sent.startswith(tuple("=+-@")), sent
    assert found["id1"]
    assert found["band"]
    assert found["bibcode"]
    assert found["method"] in (1, 2, 3)
    assert found["ud_diam"] or found["ld_diam"]
