"""The registry as harvesters talk to it: OAI-PMH 2.0, with the rules of Registry Interfaces 1.1.

Records are DaCHS' own; what is here is the protocol. DaCHS 2.11 calls a missing verb a bad
argument, repeats no request, gives records the date at which the server read them instead of that
of their publication, pages through a list that has no order, leaves out the token that ends a
list, and says of deleted records what they were.

The repository is what is published to the VO, the set ivo_managed.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
from gavo import base
from gavo.registry import builders, common, identifiers, oaiinter
from gavo.registry.model import OAI
from gavo.web import vodal

_SET = "ivo_managed"
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Required arguments of the verbs, and others; a resumptionToken replaces all of them (section 4).
_ARGUMENTS: dict[str, tuple[set[str], set[str]]] = {
    "GetRecord": ({"identifier", "metadataPrefix"}, set()),
    "Identify": (set(), set()),
    "ListIdentifiers": ({"metadataPrefix"}, {"from", "until", "set"}),
    "ListMetadataFormats": (set(), {"identifier"}),
    "ListRecords": ({"metadataPrefix"}, {"from", "until", "set"}),
    "ListSets": (set(), set()),
}
#: Verbs whose answers may go on with a resumptionToken.
_RESUMED = ("ListIdentifiers", "ListRecords", "ListSets")
#: DaCHS' own RDs with a coverage that is determined from data.
_WITH_COVERAGE = ("__system__/obscore", "__system__/obs-radio")
#: What XML 1.0 has no characters for (section 2.2).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Prefix, schema, namespace; Registry Interfaces 1.1 section 3.1.2 has the second.
_FORMATS = (
    (
        "oai_dc",
        "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
        "http://www.openarchives.org/OAI/2.0/oai_dc/",
    ),
    (
        "ivo_vor",
        "http://www.ivoa.net/xml/RegistryInterface/v1.0",
        "http://www.ivoa.net/xml/RegistryInterface/v1.0",
    ),
)
_MAKERS = {
    "oai_dc": builders.getDCMetadataElement,
    "ivo_vor": builders.getVORMetadataElement,
}

#: What has ever been published to the VO, in the order of its changes. A record that has left the
#: set is to harvesters a deleted one.
_RECORDS = """
  SELECT *, COUNT(*) OVER () AS remaining FROM (
    SELECT DISTINCT ON (r.ivoid) r.ivoid, r.sourcerd, r.resid, r.rectimestamp,
      date_trunc('second', r.rectimestamp) AS stamp, r.deleted OR s.deleted AS deleted
    FROM dc.resources AS r
    JOIN (
      SELECT sourcerd, resid, bool_and(deleted) AS deleted FROM dc.sets
      WHERE setname = 'ivo_managed' GROUP BY sourcerd, resid) AS s
      ON s.sourcerd = r.sourcerd AND s.resid = r.resid
    ORDER BY r.ivoid, r.deleted OR s.deleted, r.rectimestamp DESC) AS record
  WHERE (%(identifier)s IS NULL OR ivoid = %(identifier)s)
    AND (%(from)s::timestamp IS NULL OR stamp >= %(from)s::timestamp)
    AND (%(before)s::timestamp IS NULL OR stamp < %(before)s::timestamp)"""
_PAGE = """
    AND (%(after)s::timestamp IS NULL
      OR (rectimestamp, ivoid) > (%(after)s::timestamp, %(after_ivoid)s))
  ORDER BY rectimestamp, ivoid LIMIT %(number)s"""


@dataclass
class _Settings:
    put_right: Callable[[], None] = lambda: None


_settings = _Settings()


class _Request(OAI.OAIElement):  # type: ignore[misc]
    """The request that an answer is for (section 3.2); DaCHS' has two attributes and no address."""

    name_ = "request"
    _a_verb = None
    _a_metadataPrefix = None
    _a_identifier = None
    _a_from_ = None  # DaCHS makes Python of the names
    _name_a_from_ = "from"
    _a_until = None
    _a_set = None
    _a_resumptionToken = None


class _ResumptionToken(OAI.OAIElement):  # type: ignore[misc]
    """What a list goes on with; an empty one ends it (section 3.5)."""

    name_ = "resumptionToken"
    _mayBeEmpty = True
    _a_completeListSize = None
    _a_cursor = None


@dataclass(frozen=True)
class _Page:
    """A part of a list; all of it is in the token, so that nothing is kept here meanwhile.

    It begins after a record, not at a number: one that changes while a list is harvested moves to
    its end and none is left out.
    """

    verb: str
    metadataPrefix: str
    #: Times in ISO 8601 without a zone; ``before`` is the first one too late.
    since: str | None = None
    before: str | None = None
    #: Time and identifier of the last record of the page before, and how many there were.
    after: str | None = None
    after_ivoid: str | None = None
    cursor: int = 0

    def token(self) -> str:
        """The page as a resumptionToken."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode("ascii")

    @classmethod
    def resume(cls, verb: str, token: str) -> _Page:
        """The page that a resumptionToken means."""
        try:
            page = cls(**json.loads(base64.urlsafe_b64decode(token)))
            moments = [page.since, page.before, page.after]
            whole = (
                (page.verb, page.metadataPrefix in _MAKERS) == (verb, True)
                and page.cursor > 0
                and all(m is None or datetime.fromisoformat(m).isoformat() == m for m in moments)
                and not _NO_XML.search(page.after_ivoid or "")
            )
        except (ValueError, TypeError, RecursionError):
            whole = False
        if not whole or page.after_ivoid is None:
            raise common.BadResumptionToken(f"{token[:40]} is no token of this list.")
        return page


def install(put_right: Callable[[], None]) -> None:
    """Puts this in the place of DaCHS' own protocol.

    `put_right` does again what the server needs done to RDs that have been read again.
    """
    _settings.put_right = put_right

    def run(_core: Any, arguments: Mapping[str, Sequence[str]]) -> Any:
        return answer(arguments)

    def fail(renderer: Any, failure: Any, request: Any, arguments: dict[str, list[str]]) -> None:
        if getattr(request, "channel", None) is None:  # who asked has gone
            return
        if isinstance(failure.value, common.OAIError):
            renderer._renderXML(refuse(failure.value, arguments), request)
            return
        # Not the harvester's fault, for which DaCHS takes it.
        base.ui.notifyFailure(failure)
        request.setResponseCode(500)
        request.setHeader("content-type", "text/plain")
        request.write(b"The registry cannot answer now; please try again later.\n")
        request.finish()

    oaiinter.RegistryCore.runWithPMHDict = run
    vodal.RegistryRenderer._renderError = fail


def answer(arguments: Mapping[str, Sequence[str]]) -> Any:
    """The document that answers a request; raises one of DaCHS' OAIErrors."""
    given = _checked(arguments)
    verb = given["verb"]
    if verb == "Identify":
        content = builders.getIdentifyElement(_registry())
    elif verb == "ListSets":
        if "resumptionToken" in given:
            raise common.BadResumptionToken("The list of sets has one part, and no tokens.")
        content = OAI.ListSets[OAI.set[OAI.setSpec[_SET], OAI.setName[_SET]]]
    elif verb == "ListMetadataFormats":
        if "identifier" in given:
            _find(given["identifier"])
        content = OAI.ListMetadataFormats[
            [
                OAI.metadataFormat[
                    OAI.metadataPrefix[prefix],
                    OAI.schema[schema],
                    OAI.metadataNamespace[namespace],
                ]
                for prefix, schema, namespace in _FORMATS
            ]
        ]
    elif verb == "GetRecord":
        prefix = _known_prefix(given["metadataPrefix"])
        content = OAI.GetRecord[_record(_find(given["identifier"]), prefix)]
    else:
        content = _list(given)
    return _document(given, content)


def refuse(error: common.OAIError, arguments: Mapping[str, Sequence[str]]) -> Any:
    """The document that says what is wrong with a request."""
    name = type(error).__name__
    code = name[0].lower() + name[1:]
    # A request that makes no sense is not repeated (section 3.2).
    senseless = isinstance(error, common.BadVerb | common.BadArgument)
    given = {} if senseless else {key: values[0] for key, values in arguments.items()}
    return _document(given, OAI.error(code=code)[str(error)])


def _checked(arguments: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The arguments by their names, each there once and known to the verb."""
    verbs = arguments.get("verb", ())
    for name, values in arguments.items():
        if not all(map(_is_text, (name, *values))):
            kind = common.BadVerb if name == "verb" else common.BadArgument
            raise kind("There are characters in it that no text has.")
    if len(verbs) != 1:
        raise common.BadVerb(f"A request has one verb of {', '.join(_ARGUMENTS)}.")
    if verbs[0] not in _ARGUMENTS:
        raise common.BadVerb(f"'{verbs[0][:40]}' is an unsupported operation.")
    verb = verbs[0]
    required, optional = _ARGUMENTS[verb]
    if verb in _RESUMED and "resumptionToken" in arguments:
        required, optional = {"resumptionToken"}, set()
    for name, values in arguments.items():
        if name not in {"verb", *required, *optional}:
            raise common.BadArgument(f"{verb} has no argument {name[:40]} here.")
        if len(values) != 1:
            raise common.BadArgument(f"{name} is there more than once.")
    for name in sorted(required):
        if not arguments.get(name):
            raise common.BadArgument(f"{verb} needs the argument {name}.")
    return {name: values[0] for name, values in arguments.items()}


def _is_text(value: object) -> bool:
    """Whether XML can say it; DaCHS has objects of its own for bytes that are not UTF-8."""
    return isinstance(value, str) and not _NO_XML.search(value)


def _known_prefix(prefix: str) -> str:
    if prefix not in _MAKERS:
        raise common.CannotDisseminateFormat(f"{prefix[:40]}: there are oai_dc and ivo_vor.")
    return prefix


def _list(given: Mapping[str, str]) -> Any:
    """What ListIdentifiers and ListRecords give: a page of records, or of their headers."""
    verb = given["verb"]
    page = _first_page(given) if "resumptionToken" not in given else None
    page = page or _Page.resume(verb, given["resumptionToken"])
    size = base.getConfig("ivoa", "oaipmhPageSize")
    with base.getTableConn() as connection:
        rows = list(
            connection.queryToDicts(
                _RECORDS + _PAGE,
                {
                    "identifier": None,
                    "from": page.since,
                    "before": page.before,
                    "after": page.after,
                    "after_ivoid": page.after_ivoid,
                    "number": size + 1,
                },
            )
        )
    if not rows and page.cursor:
        raise common.BadResumptionToken("What was left of the list is gone; begin it again.")
    if not rows:
        raise common.NoRecordsMatch("No record has changed in that time.")
    total = page.cursor + rows[0]["remaining"]
    rows, more = rows[:size], len(rows) > size
    if verb == "ListIdentifiers":
        content = OAI.ListIdentifiers[[_header(row) for row in rows]]
    else:
        content = OAI.ListRecords[_records(rows, page.metadataPrefix)]
    if more or page.cursor:
        content[_next_token(page, rows, total, more)]
    return content


def _records(rows: Sequence[Mapping[str, Any]], prefix: str) -> list[Any]:
    """Records without those whose RD has just been broken: the others must not suffer for it.

    Raises what a fault of the database raises, for it concerns all, and when no record is left.
    """
    records = []
    for row in rows:
        try:
            records.append(_record(row, prefix))
        except Exception as error:
            if _is_of_database(error) or (row is rows[-1] and not records):
                raise
            base.ui.notifyError(f"{row['ivoid']} has no record: {error}")
    return records


def _is_of_database(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, is one of the database."""
    while error is not None and not isinstance(error, psycopg2.Error):
        error = error.__cause__ or error.__context__
    return error is not None


def _next_token(page: _Page, rows: Sequence[Mapping[str, Any]], total: int, more: bool) -> Any:
    element = _ResumptionToken(completeListSize=str(total), cursor=str(page.cursor))
    if more:
        last = rows[-1]
        following = _Page(
            page.verb,
            page.metadataPrefix,
            page.since,
            page.before,
            last["rectimestamp"].isoformat(),
            last["ivoid"],
            page.cursor + len(rows),
        )
        element[following.token()]
    return element


def _first_page(given: Mapping[str, str]) -> _Page:
    prefix = _known_prefix(given["metadataPrefix"])
    since, before = None, None
    if "from" in given:
        since = _moment(given["from"], "from")
    if "until" in given:
        step = timedelta(days=1) if _DAY.fullmatch(given["until"]) else timedelta(seconds=1)
        try:
            before = _moment(given["until"], "until") + step
        except OverflowError:
            before = datetime.max  # the end of time
    if since and before:
        if len(given["from"]) != len(given["until"]):
            raise common.BadArgument("from and until are both days or both times.")
        if since >= before:
            raise common.BadArgument("from is later than until.")
    if given.get("set", _SET) != _SET:
        raise common.NoRecordsMatch(f"There is only one set, {_SET}.")
    return _Page(
        given["verb"],
        prefix,
        since.isoformat() if since else None,
        before.isoformat() if before else None,
    )


def _moment(text: str, name: str) -> datetime:
    """A time of a request (UTC, without a zone)."""
    try:
        if _DAY.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%d")
        if len(text) == len("YYYY-MM-DDThh:mm:ssZ"):
            return datetime.strptime(text, _STAMP)
    except ValueError:
        pass
    raise common.BadArgument(f"{name} is no time of the form YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.")


def _find(identifier: str) -> Mapping[str, Any]:
    """The row of a record."""
    with base.getTableConn() as connection:
        rows = list(
            connection.queryToDicts(
                _RECORDS, {"identifier": identifier, "from": None, "before": None}
            )
        )
    if not rows:
        raise common.IdDoesNotExist(f"{identifier[:200]} is not of this registry.")
    return dict(rows[0])


def _header(row: Mapping[str, Any]) -> Any:
    return OAI.header(status="deleted" if row["deleted"] else None)[
        OAI.identifier[row["ivoid"]],
        OAI.datestamp[row["stamp"].strftime(_STAMP)],
        OAI.setSpec[_SET],
    ]


def _record(row: Mapping[str, Any], prefix: str) -> Any:
    """A record; of a deleted one, only the header (section 2.5.1)."""
    if row["deleted"]:
        return OAI.record[_header(row)]
    _refresh(row)
    resource = identifiers.getResobFromRestup(
        {"deleted": False, "sourceRD": row["sourcerd"], "resId": row["resid"]}
    )
    # Else the date would be that at which this server has read the RD.
    resource.setMeta("_metadataUpdated", row["stamp"])
    return OAI.record[_header(row), OAI.metadata[_MAKERS[prefix](resource, {_SET})]]


def _refresh(row: Mapping[str, Any]) -> None:
    """Has an RD read again that was published since it was read, for its coverage is new."""
    name = row["sourcerd"]
    published = row["rectimestamp"].replace(tzinfo=UTC).timestamp()
    has_coverage = not name.startswith("__system__/") or name in _WITH_COVERAGE
    if has_coverage and base.caches.getRD(name).loadedAt < published:
        base.caches.clearForName(name)
        _settings.put_right()


def _registry() -> Any:
    return base.caches.getRD("//services").getById("registry")


def _document(given: Mapping[str, str], content: Any) -> Any:
    known = {"verb", "resumptionToken"}.union(*(set.union(*pair) for pair in _ARGUMENTS.values()))
    repeated = {
        "from_" if name == "from" else name: value for name, value in given.items() if name in known
    }
    return OAI.PMH[
        OAI.responseDate[datetime.now(UTC).strftime(_STAMP)],
        _Request(**repeated)[builders._getOAIURL(_registry())],
        content,
    ]
