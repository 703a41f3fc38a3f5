"""The cut-out service: a granule, or a part of its wavelengths, as an OIFITS file of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gavo import base, svcs
from gavo.protocols import creds
from gavo.web import grend, weberrors
from twisted.internet import threads
from twisted.web import server

from ingest import cutout, oifits
from oidb.res import store

_PARAMETERS = {"ID", "TARGET", "INSNAME", "NIGHT", "BAND", "RESPONSEFORMAT"}

_FAULTS = {
    base.ValidationError: (400, "UsageFault"),
    svcs.UnknownURI: (404, "NotFoundFault"),
    base.ReportableError: (422, "Fault"),
}


def band(text: str) -> tuple[float, float]:
    """A SODA BAND value (SODA 1.0 section 3.3.2): two wavelengths in m, either may be infinite.

    Raises ValidationError when it is something else.
    """
    try:
        low, high = (float(word.replace("Inf", "inf")) for word in text.split())
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high or high <= 0:
        raise base.ValidationError(
            f"'{text}' is no interval: two wavelengths in m, the shorter one first", "BAND"
        )
    return max(low, 0.0), high


class MainPage(grend.ServiceBasedPage):  # type: ignore[misc]
    """Answers GET and POST with a file, 401 for a private one, or an error in words."""

    name = "custom"

    @classmethod
    def isBrowseable(cls, service: Any) -> bool:
        """There is nothing to look at without parameters."""
        return False

    def render(self, request: Any) -> Any:
        """Works in a thread: reading and writing a file takes longer than a request may block."""
        arguments = {key.upper(): values for key, values in request.strargs.items()}
        threads.deferToThread(self._make, arguments, request).addCallback(
            self._deliver, request
        ).addErrback(self._fail, request).addErrback(weberrors.renderDCErrorPage, request)
        return server.NOT_DONE_YET

    def _make(self, arguments: dict[str, list[str]], request: Any) -> tuple[str, bytes]:
        unknown = sorted(set(arguments) - _PARAMETERS)
        if unknown:
            raise base.ValidationError(
                f"Unknown parameter; there are {', '.join(sorted(_PARAMETERS))}", unknown[0]
            )
        did = _single(arguments, "ID")
        if did is None:
            raise base.ValidationError("The identifier of a granule is needed", "ID")
        row = _granule(did)
        if row is None:
            raise svcs.UnknownURI(f"There is no granule {did} here.")
        _authorise(row, request)
        if row["url"]:
            raise base.ReportableError(
                "The file of this granule is in a remote archive; get the whole file from there."
            )
        text = _single(arguments, "BAND")
        target = _single(arguments, "TARGET") or row["target_name"]
        insname = _single(arguments, "INSNAME") or row["insname"]
        night = _single(arguments, "NIGHT") or (row["night"] and str(row["night"]))
        try:
            data = cutout.cut(
                Path(row["accesspath"]),
                target=target,
                insname=insname,
                night=night,
                band=None if text is None else band(text),
            )
        except oifits.UnreadableFile as error:
            raise base.ReportableError(str(error)) from None
        except ValueError as error:
            raise base.ValidationError(str(error), "ID") from None
        stem = store.clean("_".join(word for word in (target, insname, night) if word))
        return f"{stem}.{row['granule_id']:013x}.fits", data

    def _deliver(self, result: tuple[str, bytes], request: Any) -> None:
        name, data = result
        request.setHeader("content-type", "application/fits")
        request.setHeader("content-length", str(len(data)))
        request.setHeader("content-disposition", f'attachment; filename="{name}"')
        if request.method != b"HEAD":
            request.write(data)
        request.finish()

    def _fail(self, failure: Any, request: Any) -> Any:
        """Says what the caller can mend in a line of text (SODA 1.0 section 4.2).

        What remains, the question for a password among it, is DaCHS'.
        """
        for kind, (status, word) in _FAULTS.items():
            if failure.check(kind):
                request.setResponseCode(status)
                request.setHeader("content-type", "text/plain;charset=utf-8")
                request.write(f"{word}: {failure.getErrorMessage()}\n".encode())
                request.finish()
                return None
        return failure


def _single(arguments: dict[str, list[str]], name: str) -> str | None:
    values = arguments.get(name, [])
    if len(values) > 1:
        raise base.ValidationError("Only one value can be given", name)
    return values[0] if values and values[0] != "" else None


def _granule(did: str) -> dict[str, Any] | None:
    with base.getTableConn() as connection:
        found = list(
            connection.queryToDicts(
                "SELECT g.granule_id, g.target_name, g.insname, g.night, f.owner,"
                " f.obs_release_date, f.url, d.accesspath"
                " FROM oidb.granule AS g"
                " JOIN oidb.stored_file AS f ON f.file_id=g.file_id"
                " JOIN dc.products AS d ON d.accref=f.access_url"
                " WHERE g.obs_publisher_did=%(did)s",
                {"did": did},
            )
        )
    return found[0] if found else None


def _authorise(row: dict[str, Any], request: Any) -> None:
    """Raises Authenticate unless the file is public or the user belongs to its owners."""
    released = row["obs_release_date"]
    if released is None or released <= datetime.now(UTC).replace(tzinfo=None):
        return
    groups = creds.getGroupsForUser(request.getUser(), request.getPassword())
    if row["owner"] not in groups:
        raise svcs.Authenticate()
