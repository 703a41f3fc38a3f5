"""What the server answers for ObsPortal besides DaCHS' services."""

from __future__ import annotations

from typing import Any

from twisted.web import resource

from obsportal.res import answer


def resources() -> dict[str, Any]:
    """Resources by the first part of their path."""
    former = resource.Resource()
    former.putChild(b"search.votable", answer.Search(answer.VOTABLE))
    return {
        "search.votable": answer.Search(answer.VOTABLE),
        "observation": former,
        "search.json": answer.Search(answer.JSON),
        "search.csv": answer.Search(answer.CSV),
    }


def install() -> None:
    """Adds all of it to DaCHS' server, before it starts."""
    from gavo.web import root

    found = resources()
    for name, page in found.items():
        root.ArchiveService.addStatic(name, page)
    root.site.requestFactory = answer.request_class(frozenset(name.encode() for name in found))
