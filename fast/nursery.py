"""A process that has DaCHS and its RDs loaded, and makes workers of itself in milliseconds.

The server starts it and keeps a socket to it. Over it come a letter and, with NEW, one end of a
socket pair, which is the new worker's.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback

from fast import resources, sessions, translation, worker

#: What the nursery says when it is ready; what the server asks for: a worker; to read RDs again.
READY, NEW, AGAIN = b"r", b"n", b"a"


def run(descriptor: int) -> None:
    """Makes workers until the server closes the socket."""
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers
    _load()
    watch = resources.Watch()
    control.sendall(READY)
    while True:
        letter, descriptors, _flags, _address = socket.recv_fds(control, 1, 1)
        if not letter:
            return
        if letter == AGAIN or watch.changed():
            _load_again()
        if letter == NEW:
            _fork(control, descriptors[0])


def _fork(control: socket.socket, descriptor: int) -> None:
    if os.fork():
        os.close(descriptor)
        return
    try:
        control.close()
        worker.Worker(socket.socket(fileno=descriptor)).serve()
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
