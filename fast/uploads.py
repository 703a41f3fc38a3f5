"""Queries that come with tables, as multipart forms (TAP 1.1, section 2.5)."""

from __future__ import annotations

import email.policy
import io
import re
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from fast.questions import PARAMETERS, NotForUsError, parameters


class Files:
    """What was uploaded, as DaCHS' job of TAP gives it to those who read it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def openFile(self, name: str) -> io.BytesIO:
        """A file, open for reading."""
        return io.BytesIO(self._files[name])


def read(body: bytes, content_type: str) -> tuple[dict[str, Any], Files]:
    """Parameters of a form, as taprunner wants them, and the files in it.

    Raises NotForUsError when it is not as usual, and what DaCHS raises for uploads that are wrong.
    """
    fields, files = _parts(body, content_type)
    wanted = [value for name, value in fields if name == "UPLOAD"]
    found = parameters([(name, value) for name, value in fields if name != "UPLOAD"])
    if found is None:
        raise NotForUsError
    found["upload"] = _uploads(";".join(wanted), files)
    return found, Files(files)


def _parts(body: bytes, content_type: str) -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    message = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + body)
    if message.get_content_type() != "multipart/form-data" or message.defects:
        raise NotForUsError
    fields: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes) or part.defects:
            raise NotForUsError
        if part.get_filename() is None and name.upper() in {*PARAMETERS, "UPLOAD"}:
            try:
                fields.append((name.upper(), content.decode("utf-8")))
            except UnicodeDecodeError:
                raise NotForUsError from None
        elif name in files or not re.fullmatch(r"[\w.-]+", name):
            raise NotForUsError
        else:
            files[name] = content
    return fields, files


def _uploads(wanted: str, files: dict[str, bytes]) -> list[tuple[str, str]]:
    """Names of tables and where they come from, as DaCHS has them in its jobs."""
    from gavo import base
    from gavo.protocols import tap

    found: list[tuple[str, str]] = []
    for table, source in tap.parseUploadString(wanted) if wanted else []:
        if source.startswith("file:"):
            raise NotForUsError
        if source.startswith("param:"):
            name = source.removeprefix("param:")
            if name not in files:
                raise base.ValidationError(f"No inline upload '{name}' found", "UPLOAD")
            found.append((table, f"file://{name}"))
        else:
            found.append((table, source))
    return found
