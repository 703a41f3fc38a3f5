"""What the server answers for BadCal besides DaCHS' services.

/badcal-dsa/SubmitCone: the accepted stars, as SearchCal asks for them.
"""

from __future__ import annotations

from twisted.web import resource

from badcal.res.cone import SubmitCone
from web import service


def install() -> None:
    """Adds all of it to DaCHS' server, before it starts."""
    former = resource.Resource()
    former.putChild(b"SubmitCone", SubmitCone())
    service.add({"badcal-dsa": former})
