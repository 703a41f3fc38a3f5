"""BadCal from outside: reports and what becomes of them, who sees what, facilities, SearchCal."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pyvo
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import votable
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import badcal, simulate
from ingest.vocabulary import load
from tests.live.browser import Browser
from tests.live.client import Answer, User, ask, query
from tests.live.conftest import Centre
from tests.live.test_pages import PHONE, check_clean

pytestmark = pytest.mark.live

PASSWORD = "of all of them"
#: Who agrees to be named, who does not, an editor, another one, a facility, one who has left.
OPEN = User("badcal.open", PASSWORD)
SECRET = User("badcal.secret", PASSWORD)
EDITOR = User("badcal.editor", PASSWORD)
SECOND = User("badcal.second", PASSWORD)
FACILITY = User("badcal.facility", PASSWORD)
GONE = User("badcal.gone", PASSWORD)
STRANGER = User("badcal.stranger", PASSWORD)
USERS = {
    OPEN: [],
    SECRET: [],
    EDITOR: ["badcal-editors"],
    SECOND: ["badcal-editors"],
    FACILITY: ["badcal-facilities", "SIMFAC"],
    GONE: ["badcal-editors", "badcal-facilities"],
    STRANGER: [],
}
AGREED = {OPEN, EDITOR}
NAMES = {user.name: f"Person of {user.name}" for user in USERS}
#: Does harm where a text is taken for markup, even inside a script element, or for a formula.
MARKUP = "</script><img src=x onerror=document.title=`probed`>"
SQL = "'; DROP TABLE badcal.star; --"

#: Right ascensions of stars, no two of which are near each other, nor those of another run.
places = count(int(time.time()) % 30_000)


def sql(centre: Centre, statement: str) -> None:
    """Runs SQL as the operator could."""
    connection = centre.connect()
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()


@pytest.fixture(scope="module", autouse=True)
def users(centre: Centre) -> Iterator[None]:
    """The accounts: one by the operator's command, the others like it in one go."""
    made = centre.jmmc("user", "add", STRANGER.name, "--password-stdin", given=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    others = [user.name for user in USERS if user != STRANGER]
    names = ", ".join(f"('{name}')" for name in others)
    groups = [(user.name, group) for user, of in USERS.items() for group in (user.name, *of)]
    sql(
        centre,
        f"INSERT INTO dc.users (username, password, remarks) SELECT n.name, u.password, ''"
        f" FROM (VALUES {names}) AS n (name), dc.users AS u WHERE u.username='{STRANGER.name}';"
        " INSERT INTO users.profile (username, full_name, affiliation, shown, created, expires)"
        " SELECT name, 'Person of ' || name, 'Institute of ' || name, name IN"
        f" ({', '.join(repr(user.name) for user in AGREED)}), now() - interval '1 minute',"
        f" CASE WHEN name='{GONE.name}' THEN now() - interval '1 day' END"
        f" FROM (VALUES {names}) AS n (name);"
        " INSERT INTO dc.groups (username, groupname) VALUES " + ", ".join(map(str, groups)),
    )
    yield
    for table in ("dc.groups", "users.profile", "dc.users"):
        sql(centre, f"DELETE FROM {table} WHERE username LIKE 'badcal.%'")


def call(centre: Centre, method: str, path: str, user: User | None, body: Any = None) -> Answer:
    """A call of the API; a body is sent as JSON."""
    if body is None:
        return ask(f"{centre.url}/badcal/api/{path}", method=method, user=user)
    return ask(
        f"{centre.url}/badcal/api/{path}", user=user, data=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )  # fmt: skip


def send(
    centre: Centre, user: User | None, table: str, kind: str = "text/csv", **asked: str
) -> Answer:
    """A table of a facility."""
    address = f"{centre.url}/badcal/api/facility?{urlencode(asked)}"
    return ask(address, user=user, data=table, headers={"Content-Type": kind})


def a_report(**values: Any) -> dict[str, Any]:
    """A report of a star of its own."""
    number = next(places)
    return {
        "name": f"SIM T {number}", "ra": round(10 + 0.01 * number, 3), "dec": 61.5,
        "reason_class": "binary", "obs_date": "2024-05-31", "interferometer": "VLTI",
        "instrument": "GRAVITY", "baseline": "U1-U4", "wavelength": "K",
        "comment": f"Xanadu {number}", "evidence_url": "https://example.org/plot", **values,
    }  # fmt: skip


def hand_in(centre: Centre, user: User = OPEN, **values: Any) -> dict[str, Any]:
    answer = call(centre, "POST", "report", user, a_report(**values))
    assert answer.status == 200, answer.text
    return dict(json.loads(answer.body))


def decide(
    centre: Centre, user: User | None, report_id: int, event: str, version: int, words: Any = "why"
) -> Answer:
    body = {"version": version, "words": words}
    return call(centre, "POST", f"report/{report_id}/{event}", user, body)


def star(centre: Centre, badcal_id: int) -> dict[str, str]:
    [row] = query(centre.url, f"SELECT * FROM badcal.star WHERE badcal_id={badcal_id}")
    return row


def public(centre: Centre, report_id: int) -> dict[str, str]:
    [row] = query(centre.url, f"SELECT * FROM badcal.report WHERE report_id={report_id}")
    return row


def events(centre: Centre, report_id: int) -> list[dict[str, str]]:
    return query(
        centre.url, f"SELECT * FROM badcal.history WHERE report_id={report_id} ORDER BY version"
    )


def valid(centre: Centre, **asked: str) -> list[dict[str, str]]:
    """What SearchCal's script makes of the answer: five lines skipped, commas made tabs."""
    parameters = {
        "DSACATTAB": "badcal.valid_stars", "RA": "0", "DEC": "0", "SR": "180",
        "Format": "Comma-Separated", **asked,
    }  # fmt: skip
    answer = ask(f"{centre.url}/badcal-dsa/SubmitCone?{urlencode(parameters)}")
    assert answer.status == 200, answer.text
    script = "tail -n +6 | tr ',' '\\t'"
    done = subprocess.run(
        ["sh", "-c", script], input=answer.body, capture_output=True, check=True
    ).stdout.decode()
    names = ["id", "ra", "dec", "ra_sexa", "dec_sexa", "name"]
    rows = [line.split("\t") for line in done.splitlines()]
    assert all(len(row) == len(names) for row in rows)
    assert '"' not in done
    return [dict(zip(names, row, strict=True)) for row in rows]


def of_all_data_sets(centre: Centre, badcal_id: int) -> int:
    """Number of stars of all data sets that are known to be a bad calibrator by this number."""
    return len(query(centre.url, f"SELECT star_id FROM jmmc.star WHERE badcal_id={badcal_id}"))


# ------------------------------------------------------------------- states


def test_a_report_goes_its_way(centre: Centre) -> None:
    made = hand_in(centre)
    number, badcal_id = made["report_id"], made["badcal_id"]
    assert made["new_star"] is True
    assert star(centre, badcal_id)["state"] == "submitted"
    assert float(public(centre, number)["em_min"]) == pytest.approx(1.995e-6)  # of K
    assert str(badcal_id) not in {row["id"] for row in valid(centre)}

    assert decide(centre, EDITOR, number, "ask", 1, "Which night?").status == 200
    shown = json.loads(call(centre, "GET", f"report/{number}", OPEN).body)
    assert shown["report"]["is_question_open"] is True
    assert shown["history"][-1]["words"] == "Which night?"
    assert decide(centre, OPEN, number, "answer", 2, "The first one.").status == 200
    accepted = decide(centre, EDITOR, number, "accept", 3, None)
    assert json.loads(accepted.body)["state"] == "accepted"
    assert star(centre, badcal_id)["state"] == "accepted"
    [row] = [row for row in valid(centre) if row["id"] == str(badcal_id)]
    assert row["name"] == f"SIM T {int(row['name'].split()[-1])}"
    assert of_all_data_sets(centre, badcal_id) == 1

    assert decide(centre, EDITOR, number, "withdraw", 4, "It was another star.").status == 200
    assert star(centre, badcal_id)["state"] == "withdrawn"
    assert str(badcal_id) not in {row["id"] for row in valid(centre)}
    assert of_all_data_sets(centre, badcal_id) == 0
    told = [(row["event"], row["from_state"], row["to_state"], row["role"], row["why"])
            for row in events(centre, number)]  # fmt: skip
    assert told == [
        ("submit", "", "submitted", "submitter", ""),
        ("ask", "submitted", "submitted", "editor", ""),  # what is asked is between the two
        ("answer", "submitted", "submitted", "submitter", ""),
        ("accept", "submitted", "accepted", "editor", ""),
        ("withdraw", "accepted", "withdrawn", "editor", "It was another star."),
    ]


def test_rejected_reports_can_be_judged_again(centre: Centre) -> None:
    number = hand_in(centre)["report_id"]
    assert decide(centre, EDITOR, number, "reject", 1, "").status == 400  # with a reason only
    assert decide(centre, EDITOR, number, "reject", 1).status == 200
    assert decide(centre, EDITOR, number, "accept", 2).status == 409
    assert decide(centre, EDITOR, number, "reopen", 2).status == 200
    assert public(centre, number)["state"] == "submitted"
    assert decide(centre, EDITOR, number, "accept", 3).status == 200


def test_who_may_do_what(centre: Centre) -> None:
    number = hand_in(centre, SECRET)["report_id"]
    impostor = User(EDITOR.name, "guessed")
    for user, expected in (
        (None, 401), (STRANGER, 403), (OPEN, 403), (SECRET, 403), (GONE, 401), (impostor, 401),
    ):  # fmt: skip
        for event in ("accept", "reject", "ask"):
            assert decide(centre, user, number, event, 1).status == expected, (user, event)
    for user, expected in ((None, 401), (STRANGER, 403), (GONE, 401)):
        assert decide(centre, user, number, "withdraw", 1).status == expected
        assert decide(centre, user, number, "answer", 1).status == expected
        assert call(centre, "GET", "queue", user).status == expected
    assert public(centre, number)["state"] == "submitted"
    assert decide(centre, SECRET, number, "withdraw", 1).status == 200
    assert call(centre, "GET", "mine", None).status == 401
    assert call(centre, "POST", "report", None, a_report()).status == 401
    assert call(centre, "POST", "report", GONE, a_report()).status == 401
    assert decide(centre, EDITOR, 999999999, "accept", 1).status == 404
    assert call(centre, "POST", f"report/{number}/delete", EDITOR, {}).status == 404


def test_of_two_editors_one_is_told_that_the_other_was_faster(centre: Centre) -> None:
    number = hand_in(centre)["report_id"]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda what: decide(centre, what[0], number, what[1], 1),
                [(EDITOR, "accept"), (SECOND, "reject")],
            )
        )
    assert sorted(answer.status for answer in answers) == [200, 409]
    [late] = [json.loads(answer.body) for answer in answers if answer.status == 409]
    assert f"Report {number} has been changed meanwhile" in late["error"]
    assert len(events(centre, number)) == 2


def test_other_sites_and_simple_forms_cannot_decide(centre: Centre) -> None:
    number = hand_in(centre)["report_id"]
    address = f"{centre.url}/badcal/api/report/{number}/accept"
    body = json.dumps({"version": 1, "words": None})
    for headers in (
        {"Content-Type": "application/json", "Origin": "https://evil.example"},
        {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "text/plain"},
    ):
        assert ask(address, user=EDITOR, data=body, headers=headers).status in (400, 403)
    assert public(centre, number)["state"] == "submitted"


# ------------------------------------------------------------------- what can be said


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"ra": None}, "ra"), ({"ra": "x"}, "ra"), ({"ra": True}, "ra"), ({"ra": [1]}, "ra"),
        ({"dec": 91}, "dec"), ({"dec": "-90 00 01"}, "dec"),
        ({"reason_class": "ugly"}, "reason_class"),
        ({"name": "a,b"}, "name"), ({"name": '"q"'}, "name"), ({"name": MARKUP}, "name"),
        ({"name": "=1+1"}, "name"), ({"name": {"a": 1}}, "name"),
        ({"comment": ""}, "comment"), ({"comment": "=HYPERLINK(1)"}, "comment"),
        ({"comment": "@SUM(A1)"}, "comment"), ({"comment": "x" * 2001}, "comment"),
        ({"comment": "a\u202eb"}, "comment"), ({"comment": "\ud800"}, "comment"),
        ({"instrument": "+1"}, "instrument"), ({"baseline": "-1"}, "baseline"),
        ({"obs_date": "yesterday"}, "obs_date"), ({"obs_date": "2999-01-01"}, "obs_date"),
        ({"evidence_url": "javascript:alert(1)"}, "evidence_url"),
        ({"evidence_url": "https://"}, "evidence_url"), ({"state": "accepted"}, "state"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(centre: Centre, values: dict[str, Any], field: str) -> None:
    before = query(centre.url, "SELECT COUNT(*) AS n FROM badcal.report")
    answer = call(centre, "POST", "report", OPEN, a_report(**values))
    assert answer.status == 400, answer.text
    problems = json.loads(answer.body)["problems"]
    assert [problem["fields"] for problem in problems] == [[field]]
    assert query(centre.url, "SELECT COUNT(*) AS n FROM badcal.report") == before


_values = (
    st.none() | st.booleans() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["=1", "<b>", SQL, "\ud800", "98.7", "-30 06 00", "binary", "2024-05-31"])
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(badcal.FIELDS), _values))
@settings(max_examples=60)
def test_whatever_is_handed_in_is_taken_or_refused_with_reasons(
    centre: Centre, changes: dict[str, Any]
) -> None:
    answer = call(centre, "POST", "report", SECRET, a_report(**changes))
    assert answer.status in (200, 400), answer.text
    if answer.status == 200:
        report = public(centre, json.loads(answer.body)["report_id"])
        for column in ("name", "interferometer", "instrument", "baseline", "wavelength"):
            assert not report[column].startswith(("=", "+", "-", "@"))
    else:
        told = json.loads(answer.body)
        assert told.get("problems") or "JSON" in told["error"]


def test_the_same_report_is_not_taken_twice(centre: Centre) -> None:
    report = a_report()
    assert call(centre, "POST", "report", OPEN, report).status == 200
    assert call(centre, "POST", "report", OPEN, report).status == 409
    other = call(centre, "POST", "report", SECRET, report)
    assert json.loads(other.body)["new_star"] is False


def test_reports_at_once_are_of_one_star(centre: Centre) -> None:
    report = a_report()
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda n: call(centre, "POST", "report", OPEN, {**report, "comment": f"no. {n}"}),
                range(6),
            )
        )
    assert [answer.status for answer in answers] == [200] * 6
    made = [json.loads(answer.body) for answer in answers]
    assert len({one["badcal_id"] for one in made}) == 1
    assert len({one["report_id"] for one in made}) == 6
    assert star(centre, made[0]["badcal_id"])["n_reports"] == "6"


def test_five_arcsec_are_one_star(centre: Centre) -> None:
    """By astropy's measure, near the pole where right ascension tells little."""
    first = a_report(ra=200.0, dec=88.0)
    number = json.loads(call(centre, "POST", "report", OPEN, first).body)["badcal_id"]
    place = SkyCoord(200.0, 88.0, unit="deg")
    for distance, same in ((4.9, True), (5.1, False)):
        moved = place.directional_offset_by(90 * units.deg, distance * units.arcsec)
        made = hand_in(centre, ra=float(moved.ra.deg), dec=float(moved.dec.deg))
        assert (made["badcal_id"] == number) == same, distance


# ------------------------------------------------------------------- who sees what


def everything_public(centre: Centre, report_id: int, badcal_id: int) -> str:
    """All that somebody without an account gets to see of a report."""
    one = star(centre, badcal_id)
    cone = urlencode({"RA": one["s_ra"], "DEC": one["s_dec"], "SR": 0.001, "VERB": 3})
    paths = [
        f"/badcal/star/{badcal_id}", f"/badcal/star/{badcal_id}.json", "/badcal/",
        "/badcal/stars.json", f"/badcal/show.jsp?type=detail&id={badcal_id}",
        f"/badcal/api/report/{report_id}", f"/badcal/q/reports/scs.xml?{cone}",
        f"/badcal/q/cone/scs.xml?{cone}",
    ]  # fmt: skip
    found = [ask(f"{centre.url}{path}").text for path in paths]
    for table, key in (("star", badcal_id), ("report", report_id), ("history", report_id)):
        column = "badcal_id" if table == "star" else "report_id"
        adql = f"SELECT * FROM badcal.{table} WHERE {column}={key}"
        data = {"LANG": "ADQL", "FORMAT": "votable/td", "QUERY": adql}
        found.append(ask(f"{centre.url}/tap/sync", data=data).text)
    return "\n".join(found)


def test_names_are_public_as_their_owners_have_agreed(centre: Centre) -> None:
    numbers = {}
    for user in (OPEN, SECRET):
        made = hand_in(centre, user, comment=f"Seen by {user.name.replace('.', '-')}")
        numbers[user] = made["report_id"]
        text = everything_public(centre, made["report_id"], made["badcal_id"])
        for word in (NAMES[user.name], f"Institute of {user.name}", "Seen by " + user.name[:7]):
            assert word not in text, "before it is accepted, nothing of it is shown"
        assert decide(centre, SECOND, made["report_id"], "accept", 1).status == 200
        text = everything_public(centre, made["report_id"], made["badcal_id"])
        assert f"Seen by {user.name.replace('.', '-')}" in text
        assert (NAMES[user.name] in text) == (user is OPEN)
        assert (f"Institute of {user.name}" in text) == (user is OPEN)
        assert user.name not in text.replace(NAMES[user.name], "").replace(
            f"Institute of {user.name}", ""
        )
        assert NAMES[SECOND.name] not in text  # an editor who has not agreed
        # What a stranger sees, who has an account, is the same.
        theirs = call(centre, "GET", f"report/{made['report_id']}", STRANGER).body
        assert theirs == call(centre, "GET", f"report/{made['report_id']}", None).body
    # Agreement can be taken back.
    agree = f"UPDATE users.profile SET shown = {{}} WHERE username = '{OPEN.name}'"
    sql(centre, agree.format("FALSE"))
    assert public(centre, numbers[OPEN])["user_name"] == ""
    assert NAMES[OPEN.name] not in str(events(centre, numbers[OPEN]))
    sql(centre, agree.format("TRUE"))
    assert public(centre, numbers[OPEN])["user_name"] == NAMES[OPEN.name]
    # Owner and editors see who it was.
    for user in (SECRET, EDITOR):
        full = json.loads(call(centre, "GET", f"report/{numbers[SECRET]}", user).body)
        assert full["report"]["user_name"] == NAMES[SECRET.name]
        assert full["own"] == (user is SECRET)


def test_who_has_reported_sees_of_editors_what_they_have_agreed_to(centre: Centre) -> None:
    made = hand_in(centre, SECRET)
    number = made["report_id"]
    assert decide(centre, EDITOR, number, "ask", 1, "Which night?").status == 200
    assert decide(centre, SECRET, number, "answer", 2, "The first one.").status == 200
    assert decide(centre, SECOND, number, "accept", 3, None).status == 200
    for path in (f"report/{number}", "mine"):
        answer = json.loads(call(centre, "GET", path, SECRET).body)
        full = answer if path != "mine" else answer["reports"][0]
        assert full["report"]["report_id"] == number
        assert [event["by"] for event in full["history"]] == [
            NAMES[SECRET.name], NAMES[EDITOR.name], NAMES[SECRET.name], "editor",
        ]  # fmt: skip
        assert [event["words"] for event in full["history"][1:3]] == [
            "Which night?", "The first one.",
        ]  # fmt: skip
    seen = json.loads(call(centre, "GET", f"report/{number}", EDITOR).body)["history"]
    assert seen[-1]["by"] == NAMES[SECOND.name]


def test_a_report_that_is_not_judged_names_no_accepted_star(centre: Centre) -> None:
    row = a_row("nameless")
    record, name, rest = row.split(",", 2)
    assert send(centre, FACILITY, table(f"{record},,{rest}")).status == 200
    ra, dec = (float(cell) for cell in rest.split(",")[:2])
    made = hand_in(centre, name="SIM Rude words", ra=ra, dec=dec)
    assert made["new_star"] is False
    badcal_id = made["badcal_id"]
    assert (star(centre, badcal_id)["state"], star(centre, badcal_id)["name"]) == ("accepted", "")
    assert "SIM Rude words" not in {row["name"] for row in valid(centre)}
    other = hand_in(centre, name=name, ra=ra, dec=dec)
    assert decide(centre, EDITOR, other["report_id"], "accept", 1).status == 200
    assert star(centre, badcal_id)["name"] == name


def test_conditions_on_what_is_not_shown_find_nothing(centre: Centre) -> None:
    made = hand_in(centre, SECRET, comment="Zanzibar")
    for condition in ("comment LIKE 'Z%'", "user_name LIKE '%secret%'", "evidence_url IS NOT NULL"):
        adql = (
            f"SELECT COUNT(*) AS n FROM badcal.report WHERE report_id={made['report_id']}"
            f" AND {condition}"
        )
        assert query(centre.url, adql) == [{"n": "0"}], condition


@pytest.mark.parametrize(
    "table", ["stored_report", "stored_history", "stored_candidate", "stored_plot"]
)
def test_the_database_role_of_queries_cannot_read_closed_tables(centre: Centre, table: str) -> None:
    said = centre.succeed(
        "psql", "-XAt", "-c",
        f"SELECT has_table_privilege('untrusted', 'badcal.{table}', 'SELECT')",
    )  # fmt: skip
    assert said.strip() == "f"


def test_a_name_that_is_given_again_is_not_that_of_the_former_owner(centre: Centre) -> None:
    made = hand_in(centre)
    assert decide(centre, EDITOR, made["report_id"], "accept", 1).status == 200
    assert public(centre, made["report_id"])["user_name"] == NAMES[OPEN.name]
    # As if the account had been removed, and one of the same name been made.
    again = "UPDATE users.profile SET created = now() {} interval '1 hour' WHERE username = '{}'"
    sql(centre, again.format("+", OPEN.name))
    assert public(centre, made["report_id"])["user_name"] == ""
    assert decide(centre, OPEN, made["report_id"], "withdraw", 2).status == 403
    assert json.loads(call(centre, "GET", "mine", OPEN).body)["reports"] == []
    sql(centre, again.format("-", OPEN.name))
    assert decide(centre, OPEN, made["report_id"], "withdraw", 2).status == 200


def test_a_former_owners_report_does_not_stand_in_the_way(centre: Centre) -> None:
    report = a_report()
    assert call(centre, "POST", "report", OPEN, report).status == 200
    again = "UPDATE users.profile SET created = now() {} interval '1 hour' WHERE username = '{}'"
    sql(centre, again.format("+", OPEN.name))
    try:
        assert call(centre, "POST", "report", OPEN, report).status == 200
    finally:
        sql(centre, again.format("-", OPEN.name))
    assert call(centre, "POST", "report", OPEN, report).status == 409


def test_what_is_markup_sql_or_a_formula_is_text(centre: Centre) -> None:
    words = f"{MARKUP} {SQL} & ]]>"
    made = hand_in(centre, comment=words, interferometer=MARKUP[:38], instrument=SQL,
                   baseline="<b>U1</b>", wavelength="&lt;K&gt;")  # fmt: skip
    assert decide(centre, EDITOR, made["report_id"], "accept", 1, f"{MARKUP} {SQL}").status == 200
    assert public(centre, made["report_id"])["comment"] == words
    assert int(query(centre.url, "SELECT COUNT(*) AS n FROM badcal.star")[0]["n"]) > 1
    for page in (f"/badcal/star/{made['badcal_id']}", "/badcal/"):
        assert "<img" not in ask(f"{centre.url}{page}").text
    data = {"LANG": "ADQL", "FORMAT": "votable/td", "QUERY": "SELECT * FROM badcal.report"}
    document = ask(f"{centre.url}/tap/sync", data=data).body
    table = votable.parse(io.BytesIO(document)).get_first_table().to_table()
    assert words in {str(row["comment"]) for row in table}
    # No cell of any table begins as a formula does, but numbers.
    for name in ("star", "report", "history", "candidate"):
        data = {"LANG": "ADQL", "FORMAT": "csv", "QUERY": f"SELECT * FROM badcal.{name}"}
        for row in csv.DictReader(io.StringIO(ask(f"{centre.url}/tap/sync", data=data).text)):
            for column, cell in row.items():
                if column != "s_dec":
                    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (column, cell)


# ------------------------------------------------------------------- SearchCal


def test_searchcal_gets_the_file_it_needs(centre: Centre) -> None:
    """Complete, five lines of head, no commas in a cell, positions as astropy reads them."""
    made = hand_in(centre, name="V* T'Sim (A)", ra="23 59 59.9999", dec="-00 00 00.004")
    assert decide(centre, EDITOR, made["report_id"], "accept", 1).status == 200
    rows = valid(centre)
    accepted = query(
        centre.url, "SELECT badcal_id, s_ra, s_dec FROM badcal.star WHERE state='accepted'"
    )
    assert [row["id"] for row in rows] == [
        row["badcal_id"] for row in sorted(accepted, key=lambda row: int(row["badcal_id"]))
    ]
    assert rows == valid(centre, SR="360")
    for row in rows:
        read = SkyCoord(row["ra_sexa"], row["dec_sexa"], unit=(units.hourangle, units.deg))
        plain = SkyCoord(float(row["ra"]), float(row["dec"]), unit="deg")
        assert read.separation(plain) < 0.02 * units.arcsec
        assert len(row["ra_sexa"].split(" ")) == len(row["dec_sexa"].split(" ")) == 3
    assert {row["name"] for row in rows} >= {"SIM BAD 1", "V* T Sim (A)"}
    assert "SIM BAD 4" not in {row["name"] for row in rows}


def test_a_cone_holds_what_is_in_it(centre: Centre) -> None:
    accepted = query(
        centre.url, "SELECT badcal_id, s_ra, s_dec FROM badcal.star WHERE state='accepted'"
    )
    here = SkyCoord([float(row["s_ra"]) for row in accepted],
                    [float(row["s_dec"]) for row in accepted], unit="deg")  # fmt: skip
    for ra, dec, radius in ((98.7, -30.1, 0.1), (0, 90, 60), (150, -12, 91), (200, 0, 120)):
        inside = here.separation(SkyCoord(ra, dec, unit="deg")).deg <= radius
        expected = {row["badcal_id"] for row, good in zip(accepted, inside, strict=True) if good}
        found = valid(centre, RA=str(ra), DEC=str(dec), SR=str(radius))
        assert {row["id"] for row in found} == expected, (ra, dec, radius)


@pytest.mark.parametrize(
    "asked",
    [
        "", "RA=0&DEC=0", "RA=x&DEC=0&SR=1", "RA=0&DEC=91&SR=1", "RA=0&DEC=0&SR=-1",
        "RA=nan&DEC=0&SR=1", "RA=0&DEC=0&SR=361", "RA=0&RA=1&DEC=0&SR=1",
        "RA=0&DEC=0&SR=1&DSACATTAB=oidb.file", "RA=0&DEC=0&SR=1&Format=FITS",
        "RA=0&DEC=0&SR=1%27%3BDROP%20TABLE%20badcal.star",
    ],
)  # fmt: skip
def test_a_cone_that_is_none_is_refused(centre: Centre, asked: str) -> None:
    answer = ask(f"{centre.url}/badcal-dsa/SubmitCone?{asked}")
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.strip().endswith(".")


def test_parameters_may_have_any_case(centre: Centre) -> None:
    same = [
        ask(f"{centre.url}/badcal-dsa/SubmitCone?{asked}").body
        for asked in (
            "DSACATTAB=badcal.valid_stars&RA=98.7&DEC=-30.1&SR=1&Format=Comma-Separated",
            "ra=98.7&dec=-30.1&sr=1&FORMAT=comma-separated",
        )
    ]
    assert same[0] == same[1]
    assert ask(
        f"{centre.url}/badcal-dsa/SubmitCone", data="RA=98.7&DEC=-30.1&SR=1&Format=Comma-Separated"
    ).body == same[0]  # fmt: skip


def test_stilts_matches_the_votable(centre: Centre, stilts: Path, tmp_path: Path) -> None:
    """As JSDC's script does: tskymatch2 at 5 arcsec against ra, dec in degrees."""
    address = f"{centre.url}/badcal-dsa/SubmitCone?DSACATTAB=badcal.valid_stars&RA=0&DEC=0&SR=360"
    (tmp_path / "badcal.vot").write_bytes(ask(address).body)
    (tmp_path / "stars.csv").write_text("name,ra,dec\nnear,98.7001,-30.1\nfar,98.71,-30.1\n")
    done = subprocess.run(
        [
            str(stilts), "tskymatch2", f"in1={tmp_path / 'stars.csv'}", "ifmt1=csv",
            f"in2={tmp_path / 'badcal.vot'}", "ra1=ra", "dec1=dec", "ra2=ra", "dec2=dec",
            "error=5", "join=all1", "ofmt=csv",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["name_1"], bool(row["id"])) for row in rows] == [("near", True), ("far", False)]


@pytest.mark.parametrize(("service", "key"), [("cone", "badcal_id"), ("reports", "report_id")])
def test_pyvo_and_stilts_search_cones(centre: Centre, stilts: Path, service: str, key: str) -> None:
    address = f"{centre.url}/badcal/q/{service}/scs.xml"
    found = pyvo.dal.SCSService(address).search((98.7, -30.1), 0.01)
    assert {str(row["name"]) for row in found} == {"SIM BAD 1"}
    assert len(found) == (1 if service == "cone" else 2)
    done = subprocess.run(
        [str(stilts), "cone", f"serviceurl={address}?", "lon=98.7", "lat=-30.1", "radius=0.01",
         "ofmt=csv"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row[key] for row in rows} == {str(row[key]) for row in found}


def test_the_detail_page_of_searchcal(centre: Centre) -> None:
    [row] = [row for row in valid(centre) if row["name"] == "SIM BAD 2"]
    answer = ask(f"{centre.url}/badcal/show.jsp?type=detail&id={row['id']}")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Simulated: twice the expected diameter" in answer.text
    for asked, status in (("id=999999", 404), ("id=x", 400), ("", 400), ("id=-1", 400),
                          ("type=edit&id=1", 404), (f"id={quote(SQL)}", 400)):  # fmt: skip
        assert ask(f"{centre.url}/badcal/show.jsp?{asked}").status == status, asked
    assert ask(f"{centre.url}/badcal/star/{quote(SQL)}").status == 404
    assert ask(f"{centre.url}/badcal").headers["location"].endswith("/badcal/")


# ------------------------------------------------------------------- facilities

HEAD = "record,name,ra,dec,reason_class,obs_date,comment\n"


def table(*rows: str) -> str:
    return HEAD + "".join(f"{row}\n" for row in rows)


def a_row(record: str, comment: str = "seen", **values: Any) -> str:
    one = a_report(**values)
    return f"{record},{one['name']},{one['ra']},{one['dec']},binary,2024-05-31,{comment}"


def test_a_facility_registers_its_table(centre: Centre) -> None:
    known = hand_in(centre)
    place = public(centre, known["report_id"])
    rows = [a_row("f1"), a_row("f2", ra=float(place["s_ra"]) + 0.001, dec=61.5)]
    answer = send(centre, FACILITY, table(*rows), facility="SIMFAC")
    assert answer.status == 200, answer.text
    told = {"registered": 2, "merged": 1, "replaced": 0, "unchanged": 0}
    assert json.loads(answer.body) == told
    merged = star(centre, known["badcal_id"])
    assert (merged["state"], merged["n_reports"], merged["n_accepted"]) == ("accepted", "2", "1")
    again = send(centre, FACILITY, table(*rows), facility="SIMFAC")
    assert json.loads(again.body) == {**told, "registered": 0, "merged": 0, "unchanged": 2}
    # The same record with other words takes the place of the former one; nothing is lost.
    changed = send(centre, FACILITY, table(rows[0].replace("seen", "seen twice"), rows[1]),
                   facility="SIMFAC")  # fmt: skip
    assert json.loads(changed.body) == {
        "registered": 1, "merged": 1, "replaced": 1, "unchanged": 1,
    }  # fmt: skip
    name = rows[0].split(",")[1]
    found = query(
        centre.url, "SELECT state, comment, facility, user_name FROM badcal.report"
        f" WHERE name='{name}' ORDER BY report_id",
    )  # fmt: skip
    assert [(row["state"], row["comment"]) for row in found] == [
        ("withdrawn", ""), ("accepted", "seen twice"),
    ]  # fmt: skip
    assert {row["facility"] for row in found} == {"SIMFAC"}
    assert {row["user_name"] for row in found} == {""}


def test_lists_have_pages(centre: Centre) -> None:
    rows = [a_row(f"page{number}") for number in range(55)]
    assert send(centre, FACILITY, table(*rows)).status == 200
    for path, user in (("mine", FACILITY), ("queue?state=accepted", EDITOR)):
        seen, page, more = [], 1, True
        while more:
            address = f"{path}{'&' if '?' in path else '?'}page={page}"
            answer = json.loads(call(centre, "GET", address, user).body)
            assert answer["page"] == page
            seen += [one["report"]["report_id"] for one in answer["reports"]]
            page, more = page + 1, answer["more"]
        assert len(seen) == len(set(seen))
        whose = (
            "state='accepted'" if user is EDITOR else f"facility IN ('SIMFAC', '{FACILITY.name}')"
        )
        [counted] = query(centre.url, f"SELECT COUNT(*) AS n FROM badcal.report WHERE {whose}")
        assert len(seen) == int(counted["n"]) >= 55
    for wrong in ("0", "-1", "x", "1.5"):
        assert call(centre, "GET", f"mine?page={wrong}", FACILITY).status == 400


def test_what_an_editor_has_taken_out_stays_out(centre: Centre) -> None:
    row = a_row("out1")
    assert send(centre, FACILITY, table(row)).status == 200  # facility: the account's own name
    name = row.split(",")[1]
    [found] = query(centre.url, f"SELECT * FROM badcal.report WHERE name='{name}'")
    assert found["facility"] == FACILITY.name
    assert decide(centre, EDITOR, int(found["report_id"]), "withdraw", 1).status == 200
    assert json.loads(send(centre, FACILITY, table(row)).body)["unchanged"] == 1
    assert send(centre, FACILITY, table(row.replace("seen", "really"))).status == 200
    states = query(
        centre.url, f"SELECT state FROM badcal.report WHERE name='{name}' ORDER BY report_id"
    )
    assert [one["state"] for one in states] == ["withdrawn", "submitted"]


def test_a_table_is_taken_as_a_whole_or_not(centre: Centre) -> None:
    before = query(centre.url, "SELECT COUNT(*) AS n FROM badcal.report")
    good, bad = a_row("g1"), a_row("g2").replace("2024-05-31", "soon")
    answer = send(centre, FACILITY, table(good, bad, a_row("g1")))
    assert answer.status == 400
    problems = json.loads(answer.body)["problems"]
    assert [problem["line"] for problem in problems] == [3, 4]
    assert "obs_date" in problems[0]["words"]
    assert "line 2" in problems[1]["words"]
    for text, kind in (("", "text/csv"), ("a,b\n1,2\n", "text/csv"), ("\0", "text/csv"),
                       ("<VOTABLE>", "application/x-votable+xml"), (table(good), "text/plain"),
                       (table(good), "application/json")):  # fmt: skip
        assert send(centre, FACILITY, text, kind).status == 400, text
    assert query(centre.url, "SELECT COUNT(*) AS n FROM badcal.report") == before


def test_who_may_register(centre: Centre) -> None:
    rows = table(a_row("w1"))
    assert send(centre, None, rows).status == 401
    assert send(centre, GONE, rows).status == 401
    for user in (STRANGER, EDITOR):
        assert send(centre, user, rows).status == 403
    assert send(centre, FACILITY, rows, facility="ELSEWHERE").status == 403
    for group in ("badcal-facilities", "badcal-editors"):
        answer = send(centre, FACILITY, rows, facility=group)
        assert (answer.status, "is no facility" in answer.text) == (400, True)
    # Only the operator says which number a new star gets.
    one = a_report()
    numbered = f"badcal_id,ra,dec\n5151,{one['ra']},{one['dec']}\n"
    answer = send(centre, FACILITY, numbered)
    assert (answer.status, "There is no star 5151" in answer.text) == (400, True)


def test_the_operator_registers_a_votable(centre: Centre, stilts: Path, tmp_path: Path) -> None:
    """Which keeps the numbers that stars had in the BadCal of before."""
    tmp_path.chmod(0o755)
    one = a_report()
    (tmp_path / "old.csv").write_text(
        f"badcal_id,ra,dec,name\n7141,{one['ra']},{one['dec']},{one['name']}\n"
    )
    subprocess.run(
        [str(stilts), "tcopy", f"in={tmp_path / 'old.csv'}", "ifmt=csv",
         f"out={tmp_path / 'old.vot'}", "ofmt=votable-binary2"],
        check=True,
    )  # fmt: skip
    told = centre.succeed("ingest", "badcal", str(tmp_path / "old.vot"), "--facility", "JMMC")
    assert "1 registered" in told
    assert star(centre, 7141)["name"] == one["name"]
    (tmp_path / "bad.csv").write_text("ra,dec\n1,2\n1,95\n")
    result = centre.jmmc("ingest", "badcal", str(tmp_path / "bad.csv"), "--facility", "JMMC")
    assert result.returncode == 1
    assert "bad.csv, line 3: dec must be degrees" in result.stdout
    taken = a_report()
    (tmp_path / "taken.csv").write_text(f"badcal_id,ra,dec\n7141,{taken['ra']},{taken['dec']}\n")
    result = centre.jmmc("ingest", "badcal", str(tmp_path / "taken.csv"), "--facility", "JMMC")
    assert "line 2: The number 7141 is that of another star" in result.stdout


# ------------------------------------------------------------------- pages


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


READY = "document.querySelector('#results').ariaBusy === 'false'"
LISTED = "document.querySelector('#list').dataset.ready"


def rows_of(browser: Browser) -> list[list[str]]:
    return list(
        browser.evaluate(
            "Array.from(document.querySelectorAll('#rows tbody tr'),"
            " (row) => Array.from(row.cells, (cell) => cell.innerText))"
        )
    )


def test_the_list_can_be_searched(browser: Browser, centre: Centre) -> None:
    for asked, names in (
        ("star=SIM+BAD+2", {"SIM BAD 2"}),
        ("star=98.7+-30.1&radius=1", {"SIM BAD 1"}),
        ("state=rejected&star=sim+bad", {"SIM BAD 5"}),
        ("reason=variable&star=SIM+BAD", {"SIM BAD 3"}),
        ("instrument=AMBER&state=all&star=SIM+BAD", {"SIM BAD 5"}),
    ):
        browser.open(f"{centre.url}/badcal/?{asked}", READY)
        assert {row[1] for row in rows_of(browser)} == names, asked
        adql = str(browser.evaluate("document.querySelector('#adql').textContent"))
        assert {row["name"] for row in query(centre.url, adql)} == names
    check_clean(browser, centre)


def test_the_page_of_a_star(browser: Browser, centre: Centre) -> None:
    words = f"{MARKUP} shown"
    made = hand_in(centre, comment=words)
    assert decide(centre, EDITOR, made["report_id"], "accept", 1, MARKUP).status == 200
    browser.open(
        f"{centre.url}/badcal/show.jsp?type=detail&id={made['badcal_id']}",
        "!document.querySelector('#star').hidden",
    )
    assert words in browser.text("#reports")
    assert NAMES[OPEN.name] in browser.text("#reports")
    assert browser.evaluate("document.title") != "probed"
    browser.resize(*PHONE)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser.resize(1200, 900)
    check_clean(browser, centre)


def test_a_report_is_handed_in_and_accepted_in_the_browser(
    browser: Browser, centre: Centre
) -> None:
    try:
        browser.user = SECRET
        browser.open(
            f"{centre.url}/login?next=/badcal/submit", "document.forms.entry.dataset.ready"
        )
        browser.click("button[type=submit]")
        browser.wait("document.querySelector('.problems .error')")
        assert "right ascension" in browser.text("label:has([name=ra])")
        one = a_report(comment="Handed in by a browser")
        for field, value in one.items():
            browser.evaluate(f"document.forms.entry.elements.{field}.value = {json.dumps(value)}")
        browser.click("button[type=submit]")
        browser.wait(f"location.pathname === '/badcal/submissions' && {LISTED}")
        assert one["name"] in browser.text("#list")
        found = json.loads(call(centre, "GET", "mine", SECRET).body)["reports"][0]["report"]
        assert found["comment"] == one["comment"]
    finally:
        browser.user = None


def test_an_editor_decides_in_the_browser(centre: Centre, tmp_path: Path) -> None:
    made = hand_in(centre)
    editor = Browser(tmp_path)
    try:
        editor.user = EDITOR
        editor.open(f"{centre.url}/login?next=/badcal/queue", LISTED)
        here = f"#r{made['report_id']}"
        editor.evaluate(f"document.querySelector('{here} textarea').value = 'The beat is seen.'")
        # Another editor is faster.
        assert decide(centre, SECOND, made["report_id"], "ask", 1, "Which night?").status == 200
        editor.click(f"{here} [data-deed=accept]")
        editor.wait(f"document.querySelector('{here} .message.problem button')")
        editor.click(f"{here} .message.problem button")
        editor.wait(f"document.querySelector('{here} .badge').innerText === 'asked'")
        editor.click(f"{here} [data-deed=accept]")
        editor.wait(f"document.querySelector('{here} .badge').innerText === 'accepted'")
        assert public(centre, made["report_id"])["state"] == "accepted"
    finally:
        editor.close()


# ------------------------------------------------------------------- candidates


def observed(path: Path, stars: list[simulate.Target], night: date, seed: int = 0) -> None:
    """A file of calibrated visibilities of calibrators; another one for another seed."""
    facility = load().facility("VLTI")
    assert facility is not None
    exposures = [
        exposure
        for one in stars
        for exposure in simulate.around_transit(
            facility, one, night, (-1.0, 0.0, 1.0), ("A0", "G1", "J2", "J3")
        )
    ]
    simulate.write(
        path, simulate.simulate(facility, [simulate.PIONIER_GRISM], exposures, seed=seed)
    )


def candidates(centre: Centre, name: str) -> list[dict[str, str]]:
    return query(
        centre.url,
        "SELECT r.report_id, r.state, r.comment, c.* FROM badcal.report AS r JOIN"
        " badcal.candidate AS c ON c.report_id=r.report_id"
        f" WHERE r.name='{name}' ORDER BY r.report_id",
    )


def test_the_demonstration_has_a_candidate_with_its_numbers(centre: Centre) -> None:
    truth = simulate.BAD_CALIBRATOR
    assert isinstance(truth.model, simulate.Binary)
    [found] = candidates(centre, truth.name)
    assert found["diam_source"] == "jsdc"
    assert float(found["expected_diam"]) == pytest.approx(truth.model.primary.diameter, rel=0.05)
    assert float(found["separation"]) == pytest.approx(5.0, abs=0.1)  # 3 east, 4 north
    assert float(found["position_angle"]) % 180 == pytest.approx(36.87, abs=1)
    assert float(found["flux_ratio"]) == pytest.approx(truth.model.flux_ratio, abs=0.02)
    assert float(found["chi2_binary"]) < float(found["n_points"]) < float(found["chi2_ud"])
    granules = query(
        centre.url, "SELECT g.target_name FROM badcal.evidence AS e JOIN oidb.granule AS g"
        f" ON g.granule_id=e.granule_id WHERE e.report_id={found['report_id']}",
    )  # fmt: skip
    assert {row["target_name"] for row in granules} == {truth.name}
    # Never a bad calibrator before somebody says so.
    assert truth.name not in {row["name"] for row in valid(centre)}
    plot = ask(found["plot_url"])
    assert (plot.status, plot.headers["content-type"]) == (200, "image/png")
    assert plot.body.startswith(b"\x89PNG")
    assert ask(f"{centre.url}/badcal/plot/1.png").status == 404
    assert ask(f"{centre.url}/badcal/plot/x").status == 404


def test_the_page_of_a_candidate_shows_its_plot(browser: Browser, centre: Centre) -> None:
    [found] = candidates(centre, simulate.BAD_CALIBRATOR.name)
    browser.open(
        f"{centre.url}/badcal/star/{found['badcal_id']}",
        "document.querySelector('#reports img')?.complete",
    )
    assert browser.evaluate("document.querySelector('#reports img').naturalWidth") == 1000
    assert "flux ratio 0.25" in browser.text("#reports")
    check_clean(browser, centre)


def test_what_was_rejected_is_filed_again_with_new_data_only(
    centre: Centre, tmp_path: Path
) -> None:
    """And nothing is told of what is private."""
    tmp_path.chmod(0o755)
    binary = simulate.Binary(simulate.Disk(0.5), simulate.Disk(0.2), 0.3, 3.0, 4.0)
    first, second, private = (
        simulate.Target(f"SIM CANDIDATE {number}", 140.0 + number, -35.0, binary, "CAL")
        for number in range(3)
    )
    # A good calibrator with private data of a binary, as if another star had been observed.
    good = simulate.Target("SIM CANDIDATE 3", 143.0, -35.0, simulate.Disk(0.4), "CAL")
    bad = simulate.Target("SIM CANDIDATE 3", 143.0, -35.0, binary, "CAL")
    observed(tmp_path / "open.fits", [first, second, good], date(2021, 3, 4))
    observed(tmp_path / "closed.fits", [private, bad], date(2021, 3, 5))
    observed(tmp_path / "later.fits", [second], date(2021, 3, 6))

    def ingest(name: str, *options: str) -> None:
        centre.succeed("ingest", "oifits", str(tmp_path / name), "--no-plots",
                       "--collection", "badcal_test", *options)  # fmt: skip

    ingest("open.fits")
    ingest("closed.fits", "--owner", "nobody", "--release-date", "2099-01-01")
    told = centre.succeed("badcal", "candidates")
    assert "candidates: 2 binary, 0 resolved" in told
    filed = [candidates(centre, one.name) for one in (first, second)]
    assert [[row["state"] for row in rows] for rows in filed] == [["candidate"], ["candidate"]]
    assert [row["diam_source"] for rows in filed for row in rows] == ["", ""]
    for one in (private, good):
        assert candidates(centre, one.name) == []

    for [row] in filed:
        rejected = decide(centre, EDITOR, int(row["report_id"]), "reject", 1, "A bad night.")
        assert rejected.status == 200
    ingest("later.fits")
    told = centre.succeed("badcal", "candidates")
    assert "candidates: 1 binary, 0 resolved" in told
    assert [row["state"] for row in candidates(centre, first.name)] == ["rejected"]
    again = candidates(centre, second.name)
    assert [row["state"] for row in again] == ["rejected", "candidate"]
    assert int(again[1]["n_points"]) == 2 * int(again[0]["n_points"])
    assert int(again[1]["n_nights"]) == 2
    assert decide(centre, EDITOR, int(again[1]["report_id"]), "accept", 1).status == 200
    assert second.name in {row["name"] for row in valid(centre)}

    # What its data are made private later, or are not here any more, is shown no more.
    granule = (
        "UPDATE oidb.granule SET obs_release_date = {} WHERE obs_collection='badcal_test'"
        f" AND target_name='{second.name}'"
    )
    evidence = "UPDATE badcal.evidence SET granule_id = -granule_id WHERE granule_id {} 0"
    found = again[1]
    assert "chi2_binary" in what_is_told_of(centre, found)
    for hide, show in (
        (granule.format("'2099-01-01'"), granule.format("NULL")),
        (evidence.format(">"), evidence.format("<")),  # ids are positive: that of no granule
    ):
        sql(centre, hide)
        try:
            told = what_is_told_of(centre, found)
            assert "chi2_binary" not in told
            for column in ("chi2_ud", "chi2_binary", "ud_diam", "separation", "flux_ratio"):
                assert found[column][:7] not in told, column
        finally:
            sql(centre, show)
        assert "chi2_binary" in what_is_told_of(centre, found)


def what_is_told_of(centre: Centre, found: dict[str, str]) -> str:
    """All that somebody without an account gets to see of a candidate and its numbers.

    There is a plot when there are numbers.
    """
    told = everything_public(centre, int(found["report_id"]), int(found["badcal_id"]))
    rows = query(centre.url, f"SELECT * FROM badcal.candidate WHERE report_id={found['report_id']}")
    assert ask(found["plot_url"]).status == (200 if rows else 404)
    return f"{told}\n{rows}"


def test_catalogues_without_errors_judge_nobody_and_raw_data_count_once(
    centre: Centre, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    larger = simulate.Target("SIM LARGER", 150.0, -36.0, simulate.Disk(1.6), "CAL")
    sql(
        centre,
        "CREATE TEMPORARY TABLE larger AS SELECT * FROM jsdc.star LIMIT 1;"
        " UPDATE larger SET star_id=(SELECT MAX(star_id)+1 FROM jsdc.star), name='SIM LARGER',"
        " ra=150.0, dec=-36.0, ldd=0.8, udd_h=0.78, e_ldd=NULL;"
        " INSERT INTO jsdc.star TABLE larger",
    )
    try:
        for name, seed in (("one.fits", 1), ("two.fits", 2)):
            observed(tmp_path / name, [larger], date(2021, 4, 5), seed)
            centre.succeed("ingest", "oifits", str(tmp_path / name), "--no-plots",
                           "--collection", "badcal_larger")  # fmt: skip
        sql(
            centre,
            "UPDATE oidb.granule SET instrument_name = '=1+1' WHERE obs_collection='badcal_larger'",
        )
        centre.succeed("badcal", "candidates")
        assert candidates(centre, larger.name) == []
        sql(centre, "UPDATE jsdc.star SET e_ldd = 0.04 WHERE name='SIM LARGER'")
        assert "1 resolved" in centre.succeed("badcal", "candidates")
        [found] = candidates(centre, larger.name)
        assert float(found["expected_diam"]) == pytest.approx(0.78)
        assert float(found["expected_diam_err"]) == pytest.approx(0.78 * 0.04 / 0.8)
        assert float(found["ud_diam"]) == pytest.approx(1.6, rel=0.05)
        assert (found["n_nights"], found["chi2_binary"]) == ("1", "")
        # Each file has all there is; one of them was used.
        told = query(
            centre.url,
            "SELECT e.granule_id, COUNT(*) AS n FROM badcal.evidence AS e JOIN oidb.baseline AS b"
            f" ON b.granule_id=e.granule_id WHERE e.report_id={found['report_id']}"
            " AND b.vis2 IS NOT NULL GROUP BY e.granule_id",
        )
        assert [row["n"] for row in told] == [found["n_points"]]
        # No text of a file becomes a formula.
        assert public(centre, int(found["report_id"]))["instrument"] == ""
    finally:
        sql(
            centre,
            "DELETE FROM jsdc.star WHERE name='SIM LARGER'; UPDATE oidb.granule"
            " SET instrument_name = 'PIONIER' WHERE obs_collection='badcal_larger'",
        )
