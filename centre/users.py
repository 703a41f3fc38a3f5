"""The operator's commands on users: who may log in, until when, and what is known of them.

Names, passwords and groups are DaCHS' own; the rest is in users.profile (resources/users.rd).
"""

import argparse
import os
import re
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg2

from centre import CentreError, cluster
from centre.instance import Instance
from centre.oifits import day

ADD_HELP = """Makes an account. Without --password-stdin a password is made and printed once. With
--shown, what is handed in tells who has done so."""

#: How names of groups end whose members decide on something. A user is in the group of the same
#: name, so an account of such a name would be one of them.
_OFFICES = ("-editors", "-facilities")

CHANGE_HELP = """Changes an account: what is named by an option, and nothing else."""


def add_actions(actions: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Declares `user add`, `user change`, `user remove` and `user list`."""
    for name, action, help, words in (
        ("add", _add, "make an account", ADD_HELP),
        ("change", _change, "change an account", CHANGE_HELP),
    ):
        parser = actions.add_parser(name, help=help, description=words)
        parser.add_argument("username", metavar="USER", help="name to log in with")
        parser.add_argument("--full-name", metavar="NAME", help="the user's own name")
        parser.add_argument("--affiliation", metavar="TEXT", help="where the user works")
        parser.add_argument(
            "--shown",
            action=argparse.BooleanOptionalAction,
            help="the user agrees that name and affiliation are shown",
        )
        parser.add_argument(
            "--expires", type=day, metavar="DATE", help="first day without the account"
        )
        parser.add_argument(
            "--group", action="append", default=[], help="group the user is to be in; repeatable"
        )
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        parser.set_defaults(run=run, action=action)
    parser = actions.add_parser("remove", help="end an account; what was handed in stays")
    parser.add_argument("username", metavar="USER", help="name to log in with")
    parser.set_defaults(run=run, action=_remove)
    parser = actions.add_parser("list", help="all accounts, without passwords")
    parser.set_defaults(run=run, action=_list)


def manage(instance: Instance, options: argparse.Namespace) -> int:
    """Does what one of the actions asks for."""
    password = None
    if getattr(options, "password_stdin", False):
        password = sys.stdin.readline().rstrip("\n")
        if not password:
            raise CentreError("There is no password on standard input.")
        if len(password) > 64 or not (password.isascii() and password.isprintable()):
            # DaCHS reads neither others from a request nor longer ones.
            raise CentreError("A password has at most 64 characters, all of them printable ASCII.")
    with cluster.running(instance):
        os.environ.update(instance.environment())
        connection = psycopg2.connect(instance.dsn())
        try:
            with connection, connection.cursor() as cursor:
                options.action(cursor, options, password)
        finally:
            connection.close()
    return 0


def _hash(password: str) -> str:
    """The password as DaCHS keeps it; loading DaCHS takes a second or two."""
    from gavo.protocols import creds

    return str(creds.hashPassword(password))


def _add(cursor: Any, options: argparse.Namespace, password: str | None) -> None:
    name = options.username
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}", name):
        raise CentreError(f"'{name}' is no name to log in with: letters, digits and . _ @ - only.")
    if _exists(cursor, name) or name == "gavoadmin":
        raise CentreError(f"There is an account {name} already; `bin/jmmc user change` changes it.")
    if name.endswith(_OFFICES) or _is_group(cursor, name):
        raise CentreError(
            f"'{name}' is the name of a group, in which the account would be; take another one."
        )
    made = password or secrets.token_urlsafe(12)
    values = {
        "name": name,
        "hash": _hash(made),
        "full_name": options.full_name,
        "affiliation": options.affiliation,
        "shown": bool(options.shown),
        "expires": options.expires,
        "now": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
    }
    cursor.execute(
        "INSERT INTO dc.users (username, password, remarks) VALUES (%(name)s, %(hash)s, '')", values
    )
    # DaCHS' own command leaves the profile of an account that it removes.
    cursor.execute("DELETE FROM users.profile WHERE username = %(name)s", values)
    cursor.execute(
        "INSERT INTO users.profile (username, full_name, affiliation, shown, expires, created)"
        " VALUES (%(name)s, %(full_name)s, %(affiliation)s, %(shown)s, %(expires)s, %(now)s)",
        values,
    )
    _join(cursor, name, [name, *options.group])
    if password is None:
        print(f"The password of {name} is {made}")


def _change(cursor: Any, options: argparse.Namespace, password: str | None) -> None:
    name = options.username
    if not _exists(cursor, name):
        raise CentreError(f"There is no account {name}.")
    if password is not None:
        cursor.execute(
            "UPDATE dc.users SET password = %(hash)s WHERE username = %(name)s",
            {"name": name, "hash": _hash(password)},
        )
    values = {
        "name": name,
        "full_name": options.full_name,
        "affiliation": options.affiliation,
        "shown": options.shown,
        "expires": options.expires,
        "now": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
    }
    # An account that DaCHS' own command has made has no profile yet.
    cursor.execute(
        "INSERT INTO users.profile (username, shown, created) VALUES (%(name)s, FALSE, %(now)s)"
        " ON CONFLICT (username) DO NOTHING",
        values,
    )
    cursor.execute(
        "UPDATE users.profile SET full_name = COALESCE(%(full_name)s, full_name),"
        " affiliation = COALESCE(%(affiliation)s, affiliation),"
        " shown = COALESCE(%(shown)s, shown), expires = COALESCE(%(expires)s, expires)"
        " WHERE username = %(name)s",
        values,
    )
    _join(cursor, name, options.group)


def _remove(cursor: Any, options: argparse.Namespace, _password: str | None) -> None:
    for statement in (
        "DELETE FROM dc.groups WHERE username = %(username)s",
        "DELETE FROM users.profile WHERE username = %(username)s",
        "DELETE FROM dc.users WHERE username = %(username)s",
    ):
        cursor.execute(statement, {"username": options.username})
    if not cursor.rowcount:
        raise CentreError(f"There is no account {options.username}.")


def _list(cursor: Any, _options: argparse.Namespace, _password: str | None) -> None:
    cursor.execute(
        "SELECT u.username, p.full_name, p.expires,"
        " (SELECT string_agg(g.groupname, ' ' ORDER BY g.groupname) FROM dc.groups AS g"
        "  WHERE g.username = u.username)"
        " FROM dc.users AS u LEFT JOIN users.profile AS p ON p.username = u.username"
        " ORDER BY u.username"
    )
    for name, full_name, expires, groups in cursor.fetchall():
        until = f" until {expires:%Y-%m-%d}" if expires else ""
        print(f"{name}{until}: {full_name or 'no name told'}; groups: {groups or 'none'}")


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT 1 FROM dc.users WHERE username = %(name)s", {"name": name})
    return bool(cursor.fetchall())


def _is_group(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT 1 FROM dc.groups WHERE groupname = %(name)s LIMIT 1", {"name": name})
    return bool(cursor.fetchall())


def _join(cursor: Any, name: str, groups: list[str]) -> None:
    for group in groups:
        cursor.execute(
            "INSERT INTO dc.groups (username, groupname) SELECT %(name)s, %(group)s"
            " WHERE NOT EXISTS (SELECT 1 FROM dc.groups"
            " WHERE username = %(name)s AND groupname = %(group)s)",
            {"name": name, "group": group},
        )
