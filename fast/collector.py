"""Keeps Python's garbage collector from stopping the server.

DaCHS has some 170,000 objects that live as long as the server: its RDs. A full collection looks at
all of them and takes 100 ms, and DaCHS asks for one after every tenth request. Once everything is
loaded, what is there is set aside; from then on a collection looks, every ten seconds, at what has
come since.
"""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

from twisted.internet import reactor, task

#: Seconds between full collections.
_PAUSE = 10.0


def install() -> None:
    """Changes when garbage is collected, in a server that starts."""
    from gavo.user import serve
    from gavo.web import root

    preload = serve._preloadPublishedRDs

    def preload_and_set_aside() -> None:
        preload()
        reactor.callFromThread(_set_aside)

    serve._preloadPublishedRDs = preload_and_set_aside
    collect: Any = SimpleNamespace(collect=lambda: 0)
    root.gc = collect
    task.LoopingCall(gc.collect).start(_PAUSE, now=False)


def _set_aside() -> None:
    gc.collect()
    gc.freeze()
