#!/usr/bin/python3
"""Asks the registry for its first records while some of them cannot be made.

Writes, by what is broken, the identifiers in the answer, or the name of what was raised.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psycopg2

from centre import account, cluster
from centre.instance import Instance

OAI = "{http://www.openarchives.org/OAI/2.0/}"


def main() -> None:
    """Does it in the instance of the environment."""
    instance = Instance.from_environment()
    account.leave_root(instance.root)
    with cluster.running(instance):
        os.environ.update(instance.environment())
        print(json.dumps(_ask()))


def _ask() -> dict[str, Any]:
    from gavo.registry import identifiers
    from lxml import etree

    from centre import oai, site

    site.place_system_resources()
    site.state_rights()
    make = identifiers.getResobFromRestup
    query = {"verb": ["ListRecords"], "metadataPrefix": ["oai_dc"]}

    def answer(fault: Callable[[int], None]) -> Any:
        asked: list[object] = []

        def make_or_fail(row: Any) -> Any:
            asked.append(row)
            fault(len(asked))
            return make(row)

        identifiers.getResobFromRestup = make_or_fail
        try:
            document = etree.fromstring(oai.answer(query).render())
        except Exception as error:
            return type(error.__context__ or error).__name__
        return [found.text for found in document.iter(f"{OAI}identifier")]

    def fail(error: Exception, number: int | None = None) -> Callable[[int], None]:
        def fault(asked: int) -> None:
            if number in (None, asked):
                raise error

        return fault

    def fail_in_the_course(_asked: int) -> None:
        try:
            raise psycopg2.OperationalError("gone")
        except psycopg2.Error:
            raise KeyError("no such thing")  # noqa: B904 (as DaCHS does)

    whole = answer(lambda _asked: None)
    return {
        "none": whole,
        "first": answer(fail(KeyError("broken"), 1)),
        "last": answer(fail(KeyError("broken"), len(whole))),
        "all": answer(fail(KeyError("broken"))),
        "database": answer(fail(psycopg2.OperationalError("gone"), 2)),
        "in the course of it": answer(fail_in_the_course),
    }


if __name__ == "__main__":
    main()
