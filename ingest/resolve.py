"""Where stars are that a log names: what is known without asking anybody, and what a service says.

Stars that move fast are known here, for a log gives where they were, not where they were at J2000,
and does not say how they move. Positions and motions: Hipparcos (van Leeuwen 2007, A&A 474, 653),
Gaia for the faint ones, to better than an arcsecond.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import get_ident
from typing import Protocol

from ingest import names

_FAST = """
alf aql     297.69583    8.86832    536.2    385.3
alf aur      79.17233   45.99799     75.3   -426.9
alf boo     213.91530   19.18241  -1093.4  -2000.1
alf cen a   219.90206  -60.83399  -3679.3    473.7
alf cen b   219.89610  -60.83753  -3614.4    803.0
alf cma     101.28716  -16.71612   -546.0  -1223.1
alf cmi     114.82550    5.22499   -714.6  -1036.8
alf leo     152.09296   11.96721   -248.7      5.6
alf lyr     279.23473   38.78369    200.9    286.2
alf psa     344.41269  -29.62224    329.0   -164.7
alf tau      68.98016   16.50930     63.5   -188.9
bet cas       2.29452   59.14978    523.5   -179.8
bet gem     116.32896   28.02620   -626.6    -45.8
bet hyi       6.43779  -77.25425   2219.5    324.1
bet leo     177.26491   14.57206   -497.7   -114.7
bet vir     177.67383    1.76472    740.2   -270.4
del eri      55.81209   -9.76339    -93.2    742.2
del pav     302.18171  -66.18207   1211.0  -1130.3
eps eri      53.23269   -9.45826   -975.2     19.5
eps ind     330.84022  -56.78598   3960.9  -2539.2
eta cas      12.27621   57.81519   1086.6   -559.4
gj 551      217.42894  -62.67949  -3781.3    769.8
gj 699      269.45208    4.69339   -802.8  10362.5
gj 887      346.46682  -35.85307   6768.2   1327.5
mu cas       17.06830   54.92036   3421.4  -1598.9
tau cet      26.01701  -15.93748  -1721.1    854.2
zet tuc       5.01775  -64.87479   1707.4   1164.1
61 cyg a    316.72475   38.74942   4164.2   3249.6
61 cyg b    316.73027   38.74204   4105.8   3155.8
61 vir      199.60131  -18.31120  -1070.4  -1063.7
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in degrees (ICRS, epoch J2000) and proper motion in mas/yr.

    The motion in right ascension is times cos(declination); both components are known, or none.
    """

    ra: float
    dec: float
    pm_ra: float | None = None
    pm_dec: float | None = None


class Resolver(Protocol):
    """Knows where a star is by its name."""

    def resolve(self, name: str) -> Place | None:
        """Position of a star; None for a name that is not known."""


class FastStars:
    """The stars that move fast."""

    def __init__(self) -> None:
        self._places = {
            " ".join(words[:-4]): Place(*map(float, words[-4:]))
            for words in map(str.split, _FAST.strip().splitlines())
        }

    def resolve(self, name: str) -> Place | None:
        """Position of a star; None for a name that is not known."""
        return self._places.get(names.key(name) or "")

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())


class Remembered:
    """Asks for each name once, and keeps the answers in a file from run to run."""

    def __init__(self, path: Path, ask: Callable[[str], Place | None]) -> None:
        """``ask`` gives the place of a name, None when it is not known.

        When it raises OSError it is not asked again.
        """
        self._path = path
        self._ask: Callable[[str], Place | None] | None = ask
        self._known: dict[str, Place | None] = {}
        if path.exists():
            kept = json.loads(path.read_text("utf-8"))
            self._known = {name: place and Place(**place) for name, place in kept.items()}

    def resolve(self, name: str) -> Place | None:
        """Position of a star; None for a name that is not known, or when nobody answers."""
        key = names.key(name)
        if key is None:
            return None
        if key not in self._known and self._ask is not None:
            try:
                self._known[key] = self._ask(name)
                self._keep()
            except OSError:
                self._ask = None
        return self._known.get(key)

    def _keep(self) -> None:
        kept = {name: place and asdict(place) for name, place in sorted(self._known.items())}
        # Several runs, and processes of the server, may write at once; the last one is kept.
        scratch = self._path.with_name(f".{self._path.name}.{os.getpid()}.{get_ident()}")
        scratch.write_text(json.dumps(kept, indent=0), "utf-8")
        os.replace(scratch, self._path)
