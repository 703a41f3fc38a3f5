"""The client of the name resolver, against a server of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote

import pytest

from ingest import sesame
from ingest.resolve import Place

KNOWN = b"""<?xml version="1.0" encoding="UTF-8"?>
<Sesame xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<Target option="S"><name>x</name><Resolver name="S=Simbad"><otype>*</otype>
<jpos>00:40:00.0 -10:00:00</jpos><jradeg>10.0000012</jradeg><jdedeg>-10.5</jdedeg>%s
<oname>* x</oname></Resolver></Target></Sesame>"""
MOTION = b"<pm><v>5.0</v><pa>37</pa><pmRA>3.0</pmRA><pmDE>-4.0</pmDE></pm>"
UNKNOWN = b"<Sesame><Target><name>x</name><INFO>nothing found</INFO></Target></Sesame>"


class Handler(BaseHTTPRequestHandler):
    """Answers by the name that is asked for."""

    def do_GET(self) -> None:
        """Sends what a name stands for."""
        name = unquote(self.path.partition("?")[2])
        body = {"my star": KNOWN % MOTION, "still": KNOWN % b"", "nobody": UNKNOWN}.get(name)
        self.send_response(500 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Is silent."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/sesame?"
        server.shutdown()
        thread.join()


def test_answers(address: str) -> None:
    assert sesame.ask("my star", address) == Place(10.0000012, -10.5, 3.0, -4.0)
    assert sesame.ask("still", address) == Place(10.0000012, -10.5)
    assert sesame.ask("nobody", address) is None
    with pytest.raises(OSError, match="500"):
        sesame.ask("broken", address)


@pytest.mark.parametrize(
    "document",
    [b"", b"<html><p>busy</html>", b"<html/>", KNOWN[:200], KNOWN.replace(b"-10.5", b"south"),
     b'<!DOCTYPE Sesame [<!ENTITY a "b">]><Sesame/>'],
)  # fmt: skip
def test_what_is_no_answer(document: bytes) -> None:
    with pytest.raises(OSError, match="cannot be read"):
        sesame.place_of(document)


def test_no_other_protocol() -> None:
    with pytest.raises(OSError, match="not the address"):
        sesame.ask("x", "file:///etc/passwd?")
