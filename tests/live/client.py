"""What the tests of a running centre ask it with: HTTP as it goes over the wire, and TAP.

No redirect is followed and nothing is unpacked, and each request ends within its time.
"""

import base64
import csv
import http.client
import io
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT = 30.0


@dataclass(frozen=True)
class Answer:
    """Status, headers (by lower-case name) and body of an HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body, as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class User:
    """A user with his password; an anonymous one has no name."""

    name: str = ""
    password: str = ""


def ask(
    url: str,
    *,
    method: str = "GET",
    user: User | None = None,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | str | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """The answer to one request; the path of the URL is sent as it is written."""
    parts = urllib.parse.urlsplit(url)
    sent = dict(headers or {})
    if user is not None and user.name:
        token = base64.b64encode(f"{user.name}:{user.password}".encode()).decode("ascii")
        sent["Authorization"] = f"Basic {token}"
    body = None
    if data is not None:
        method = "POST" if method == "GET" else method
        body = data if isinstance(data, str) else urllib.parse.urlencode(data)
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
    try:
        target = parts.path or "/"
        connection.request(
            method, f"{target}?{parts.query}" if parts.query else target, body=body, headers=sent
        )
        answer = connection.getresponse()
        received = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, received, answer.read())
    finally:
        connection.close()


def query(url: str, adql: str, **parameters: str) -> list[dict[str, str]]:
    """Rows of a synchronous TAP query, all values as text, NULL as an empty one."""
    answer = ask(
        f"{url}/tap/sync",
        data={"LANG": "ADQL", "FORMAT": "csv", "QUERY": adql, **parameters},
    )
    assert answer.status == 200, f"{adql}: {answer.text[:400]}"
    return list(csv.DictReader(io.StringIO(answer.text)))


def refused(url: str, adql: str) -> str:
    """The error message of a synchronous TAP query that must fail."""
    answer = ask(f"{url}/tap/sync", data={"LANG": "ADQL", "QUERY": adql})
    assert 'value="ERROR"' in answer.text, f"{adql} was answered: {answer.text[:400]}"
    return answer.text
