"""Who asks: users by name and password (HTTP Basic), as DaCHS knows them, with their profiles.

Names, hashed passwords and groups are DaCHS' own (dc.users, dc.groups); what else there is to know
of a user is in users.profile (resources/users.rd). An account that has ended is none, neither here
nor for what DaCHS protects.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any


class LoginError(Exception):
    """Nobody has logged in, or name and password are not right; becomes a 401."""


class ForbiddenError(Exception):
    """The user may not do this; the message says why in a sentence. Becomes a 403."""


@dataclass(frozen=True)
class User:
    """Somebody who has logged in."""

    name: str
    #: Names of the groups; the administrator is in each that there can be.
    groups: Container[str]
    full_name: str | None = None
    affiliation: str | None = None
    #: Whether name and affiliation may be shown with what the user hands in.
    shown: bool = False

    def require(self, group: str, deed: str) -> None:
        """Raises ForbiddenError unless the user is in a group, whose members may do `deed`."""
        if group not in self.groups:
            raise ForbiddenError(f"Only members of the group {group} may {deed}.")

    def as_dict(self, groups: Sequence[str]) -> dict[str, Any]:
        """What the user is told of himself: the profile, and which of some groups he is in."""
        return {
            "username": self.name,
            "full_name": self.full_name,
            "affiliation": self.affiliation,
            "shown": self.shown,
            "groups": [group for group in groups if group in self.groups],
        }


def authenticate(name: str, password: str) -> User:
    """The user with a name and a password; LoginError when there is none. Asks the database."""
    from gavo import base
    from gavo.protocols import creds

    if "\0" in name or not creds.hasCredentials(name, password, None):
        raise LoginError("Log in with the name and the password of your account.")
    groups = creds.getGroupsForUser(name, password)
    with base.getTableConn() as connection:
        profiles = list(
            connection.queryToDicts(
                "SELECT full_name, affiliation, shown FROM users.profile WHERE username = %(name)s",
                {"name": name},
            )
        )
    return User(name, groups, **(profiles[0] if profiles else {}))


def end_accounts() -> None:
    """Makes DaCHS, too, let nobody in whose account has ended."""
    from gavo.protocols import creds

    has_credentials, groups_of = creds.hasCredentials, creds.getGroupsForUser

    def has_credentials_still(user: Any, password: Any, group: str | None) -> bool:
        return has_credentials(user, password, group) and not _has_ended(user)

    def groups_still(user: Any, password: Any) -> Container[str]:
        groups: Container[str] = groups_of(user, password)
        return set() if _has_ended(user) else groups

    creds.hasCredentials, creds.getGroupsForUser = has_credentials_still, groups_still


def _has_ended(name: Any) -> bool:
    """Whether an account had an end, which is past."""
    from gavo import base

    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    with base.getTableConn() as connection:
        return bool(
            list(
                connection.query(
                    "SELECT 1 FROM users.profile WHERE username = %(name)s"
                    " AND expires <= now() AT TIME ZONE 'UTC'",
                    {"name": name},
                )
            )
        )
