"""A process that has DaCHS and its RDs loaded, and makes workers of itself in milliseconds.

The server starts it and keeps a socket to it. Over it come messages of a letter and, with NEW, one
end of a socket pair, which is the new worker's. What workers have found out of queries that come
again, the nursery finds out, too (LEARN): later workers know it from the beginning.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import traceback
from typing import Any

from fast import cone, resources, sessions, translation, worker

#: What the nursery says when it is ready, and when it has learned something; what the server asks
#: for: a worker; to read RDs again; to learn something (JSON).
READY, LEARNED, NEW, AGAIN, LEARN = b"r", b"l", b"n", b"a", b"l"
_LONGEST = 200_000
#: Seconds that the database gets for what is to be learned.
_LEARNING = 10.0


def run(descriptor: int) -> None:
    """Makes workers until the server closes the socket."""
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers
    _load()
    database = worker.Database(_LEARNING)
    owner = translation.Owner(database.describe)
    knowledge = translation.Translator(owner), cone.Cones(owner)
    watch = resources.Watch()
    control.sendall(READY)
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, _LONGEST, 1)
        if not message:
            return
        letter = message[:1]
        if letter == AGAIN or watch.changed():
            _load_again()
            for one in knowledge:
                one.forget()
        if letter == NEW:
            _fork(control, descriptors[0], *knowledge)
        elif letter == LEARN:
            _learn(json.loads(message[1:]), *knowledge)
            database.close()
            control.sendall(LEARNED)


def _learn(question: dict[str, Any], translator: translation.Translator, cones: cone.Cones) -> None:
    try:
        if "service" in question:
            cones.search(question["service"], question["fields"], "")
        else:
            translator.learn(question["query"], question["form"], question["limit"])
    except Exception:  # what a worker has understood, and can go on with
        traceback.print_exc()
    sessions.close_pools()
    gc.collect()
    gc.freeze()


def _fork(
    control: socket.socket, descriptor: int, translator: translation.Translator, cones: cone.Cones
) -> None:
    if os.fork():
        os.close(descriptor)
        return
    try:
        control.close()
        worker.Worker(socket.socket(fileno=descriptor), translator, cones).serve()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def _load() -> None:
    """Loads our RDs and what is needed to translate; leaves no session open."""
    from gavo import base, registry
    from gavo.protocols import taprunner  # noqa: F401  (registers formats)

    for identifier in ["__system__/tap", *registry.findPublishedRDs()]:
        try:
            base.caches.getRD(identifier)
        except base.Error:
            traceback.print_exc()
    # What is done for the first query only, such as building the grammar, is done for all workers.
    translation.translate_raw("SELECT TOP 1 table_name FROM tap_schema.tables", None)
    sessions.close_pools()
    # Workers share this memory as long as nothing writes to it; the collector would.
    gc.collect()
    gc.freeze()


def _load_again() -> None:
    from gavo import base
    from gavo.base import config, meta

    base.caches.clearCaches()
    meta.makeFallbackMeta(reload=True)
    config.loadConfig()
    _load()
