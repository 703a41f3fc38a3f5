"""Accounts, as the operator makes them and as the server takes them."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.live.client import Answer, User, ask
from tests.live.conftest import Centre

USER = User("log-in.tester", "a pass: word")


@pytest.fixture(scope="module")
def user(centre: Centre) -> Iterator[User]:
    made = centre.jmmc(
        "user", "add", USER.name, "--full-name", "Log Tester", "--group", "jmdc-editors",
        "--group", "night-watch", "--password-stdin", given=f"{USER.password}\n",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    yield USER
    centre.succeed("user", "remove", USER.name)


def who(centre: Centre, user: User | None) -> Answer:
    return ask(f"{centre.url}/user.json", user=user)


def test_nobody_is_nobody(centre: Centre) -> None:
    assert (who(centre, None).status, who(centre, None).body) == (200, b"null")


def test_a_user_is_told_who_he_is(centre: Centre, user: User) -> None:
    answer = who(centre, user)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.body) == {
        "username": USER.name,
        "full_name": "Log Tester",
        "affiliation": None,
        "shown": False,
        "groups": ["jmdc-editors"],
    }


@pytest.mark.parametrize(
    "wrong", [User(USER.name, "wrong"), User("somebody.else", "x"), User("\0", "\0")]
)
def test_wrong_names_and_passwords_are_asked_again(centre: Centre, user: User, wrong: User) -> None:
    for address in ("user.json", "login"):
        answer = ask(f"{centre.url}/{address}", user=wrong)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith('Basic realm="JMMC"')


def test_login_leads_to_pages_of_this_centre_only(centre: Centre, user: User) -> None:
    assert ask(f"{centre.url}/login?next=/search").status == 401
    answer = ask(f"{centre.url}/login?next=/search%3Fpage%3D1", user=user)
    assert (answer.status, answer.headers["location"]) == (303, "/search?page=1")
    for elsewhere in ("//example.org", "/%5Cexample.org", "https://example.org", "x", "%0d%0aa:b"):
        assert ask(f"{centre.url}/login?next={elsewhere}", user=user).status == 400


def test_an_account_ends(centre: Centre, user: User) -> None:
    today, tomorrow = date.today(), date.today() + timedelta(days=2)
    table = f"{centre.url}/oidb/q/cutout/custom?ID=ivo://jmmc.fr/~?nothing"
    before = ask(table, user=user).status
    centre.succeed("user", "change", USER.name, "--expires", today.isoformat())
    try:
        assert who(centre, user).status == 401
        assert "until" in centre.succeed("user", "list")
    finally:
        centre.succeed("user", "change", USER.name, "--expires", tomorrow.isoformat())
    assert who(centre, user).status == 200
    assert ask(table, user=user).status == before


@pytest.mark.parametrize(
    ("arguments", "given", "reason"),
    [
        (["add", "x y"], "", "is no name to log in with"),
        (["add", "gavoadmin"], "", "There is an account gavoadmin already"),
        (["add", USER.name], "", "already"),
        (["add", "jmdc-editors"], "", "is the name of a group"),
        (["add", "somebody.new-editors"], "", "is the name of a group"),
        (["add", "badcal-facilities"], "", "is the name of a group"),
        (["add", "night-watch"], "", "is the name of a group"),
        (["add", "somebody.new", "--password-stdin"], "\n", "no password on standard input"),
        (["add", "somebody.new", "--password-stdin"], "x" * 65, "at most 64 characters"),
        (["add", "somebody.new", "--password-stdin"], "wörd\n", "ASCII"),
        (["add", "somebody.new", "--expires", "soon"], "", "no date"),
        (["change", "somebody.new", "--shown"], "", "There is no account somebody.new"),
        (["remove", "somebody.new"], "", "There is no account somebody.new"),
    ],
)
def test_what_cannot_be_done_is_said(
    centre: Centre, user: User, arguments: list[str], given: str, reason: str
) -> None:
    result = centre.jmmc("user", *arguments, given=given)
    assert result.returncode != 0
    assert reason in result.stderr
    assert "somebody.new" not in centre.succeed("user", "list")


def test_a_new_account_has_nothing_of_a_former_one(centre: Centre, database: Any) -> None:
    """Accounts that DaCHS' own command has removed leave their profile."""
    name = "somebody.again"
    database.execute(
        "INSERT INTO users.profile (username, full_name, affiliation, shown, expires, created)"
        " VALUES (%(name)s, 'Former Tester', 'Nowhere', TRUE, '2026-01-02', '2026-01-01')",
        {"name": name},
    )
    added = centre.jmmc("user", "add", name, "--password-stdin", given=f"{USER.password}\n")
    try:
        assert added.returncode == 0, added.stderr
        told = json.loads(who(centre, User(name, USER.password)).body)
        assert told == {
            "username": name, "full_name": None, "affiliation": None, "shown": False, "groups": [],
        }  # fmt: skip
    finally:
        centre.succeed("user", "remove", name)
