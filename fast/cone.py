"""Cone searches (SCS) as DaCHS answers them, without its making query and metadata each time.

For each service and each form of the answer, DaCHS makes once the query and the document around the
rows; only position, radius and the address that was asked for are different afterwards.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fast import formats
from fast.questions import NotForUsError
from fast.translation import DATE, Owner, Template, dated, today

#: Services and forms that are kept, and for how many seconds.
_KEPT, _SECONDS = 200, 600.0
#: A position and radius that stand for others, and an address.
_RA, _DEC, _SR = 123.456789, -12.345678, 1.234567
_ADDRESS = "qzADDRESSqz"


@dataclass(frozen=True)
class Search:
    """A search, ready to be run."""

    statement: str
    parameters: dict[str, Any]
    headers: dict[str, str]
    #: The first bytes of an answer, which say whether it is whole.
    head: Callable[[bool], bytes]
    writer: formats.Writer
    #: Rows of an answer; the query returns one more when there are more.
    limit: int


@dataclass(frozen=True)
class _Kind:
    """What the searches of a service in one form have in common."""

    query: str
    #: For RA, DEC and SR the values are these words.
    parameters: dict[str, Any]
    headers: dict[str, str]
    #: Of an answer that is whole, and of one that is not.
    heads: tuple[Template, Template]
    writer: formats.Writer
    limit: int
    made: float


class Cones:
    """Makes cone searches for one process."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self._kept: OrderedDict[tuple[Any, ...], _Kind] = OrderedDict()

    def forget(self) -> None:
        """Forgets everything: services and tables are not what they were."""
        self._kept.clear()

    def search(self, service: list[str], fields: dict[str, str], address: str) -> Search:
        """The search that fields of a request ask of a service, which is [RD, name].

        Raises NotForUsError for what is not as usual.
        """
        place = {name: float(fields[name]) for name in ("RA", "DEC", "SR")}
        others = {name: value for name, value in fields.items() if name not in place}
        key = (*service, *sorted(others.items()))
        kind = self._kept.get(key)
        if kind is None or time.monotonic() - kind.made > _SECONDS:
            self.owner.tell()
            self._kept[key] = kind = _make(service, others, self.owner.describe)
            self.owner.share({"service": service, "fields": fields})
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        words = {
            _ADDRESS: _escaped(address),
            DATE: today(),
            **{name: repr(value) for name, value in place.items()},
        }
        return Search(
            kind.query,
            {
                **{key: place.get(value, value) for key, value in kind.parameters.items()},
                "center": f"({place['RA']:f}d,{place['DEC']:f}d)",
            },
            kind.headers,
            lambda whole: kind.heads[not whole].fill(lambda word: words[word]).encode(),
            kind.writer,
            kind.limit,
        )


def _escaped(text: str) -> str:
    from gavo.utils import stanxml

    return str(stanxml.escapeAttrVal(text))[1:-1]


class _Request:
    """What DaCHS' renderer asks of a request, and where it writes its answer."""

    client = channel = True

    def __init__(self, fields: dict[str, str]) -> None:
        self.strargs = {name: [value] for name, value in fields.items()}
        self.uri = _ADDRESS.encode()
        self.headers: dict[str, str] = {}
        self.body = b""

    def setHeader(self, name: str, value: str) -> None:
        self.headers[name] = str(value)

    def getHeader(self, _name: str) -> None:
        return None

    def getUser(self) -> None:
        return None

    getAuthUser = getUser

    def write(self, data: bytes) -> None:
        self.body += data

    def finish(self) -> None:
        """Nobody waits for it."""


def _make(
    service_name: list[str],
    others: dict[str, str],
    describe: Callable[[str, Mapping[str, Any]], list[int]],
) -> _Kind:
    """What DALRenderer, Service.run, DBCore.run and SCSRenderer of DaCHS do before a query runs."""
    from gavo import base, rsc, svcs
    from gavo import formats as dachs_formats
    from gavo.protocols import scs
    from gavo.svcs import inputdef
    from gavo.web import vodal

    try:
        service = base.caches.getRD(service_name[0]).getService(service_name[1])
    except base.NotFoundError:
        raise NotForUsError from None
    allowed = service is not None and "scs.xml" in service.allowed and service.limitTo is None
    if not allowed or not isinstance(service.core, scs.SCSCore):
        raise NotForUsError
    request = _Request({"RA": repr(_RA), "DEC": repr(_DEC), "SR": repr(_SR), **others})
    page = vodal.SCSRenderer(request, service)
    meta = svcs.QueryMeta.fromRequest(request, defaultLimit=page.defaultLimit)
    page.queryMeta = meta
    core = service.getCoreFor(page, meta)
    table = core.queriedTable
    if not table.adql or meta["dbLimit"] <= 0:
        raise NotForUsError
    arguments = inputdef.CoreArgs.fromRawArgs(
        core.inputTable, request.strargs, service.getContextGrammarFor(page, meta, core)
    )
    meta["renderer"] = page
    meta["inputTable"] = arguments

    # From here on as DBCore.run does.
    result = core._makeResultTableDef(service, arguments, meta)
    result.copyMetaFrom(table)
    meta.overrideDbOptions(
        limit=core.limit,
        sortKeys=core.sortKey.split(",") if core.sortKey else None,
        sortFallback=core.getProperty("defaultSortKey", None),
    )
    fragment, parameters = core._getSQLWhere(arguments, meta)
    if fragment and parameters:
        result.addMeta("info", repr(parameters), infoName="queryPars", infoValue=fragment)
    with base.getTableConn() as connection:
        source = rsc.TableForDef(table, nometa=True, create=False, connection=connection)
        _, query, parameters = source.getQuery(
            result, fragment, parameters, distinct=core.distinct, limits=meta.asSQL(),
            groupBy=core.groupBy,
        )  # fmt: skip
    names = {_RA: "RA", _DEC: "DEC", _SR: "SR"}
    center = f"'({_RA:f}d,{_DEC:f}d)'"
    if query.count(center) != 1 or sorted(v for v in parameters.values() if v in names) != sorted(
        names
    ):
        raise NotForUsError
    query = query.replace(center, "%(center)s")
    types = describe(query, {**parameters, "center": center[1:-1]})
    form = dachs_formats.getKeyFor(meta.ctxArgs.get("responseformat", page.defaultOutputFormat))
    heads: list[Template] = []
    writers: list[formats.Writer] = []
    for overflows in (False, True):
        rows = rsc.TableForDef(result, rows=[{}] if overflows else [])
        core._addQueryStatus(rows, {"dbLimit": 0 if overflows else 1})
        data = service.adaptCoreRes(rows, meta)
        if [c.name for c in data.getPrimaryTable().tableDef] != [c.name for c in result]:
            raise NotForUsError
        answer = _Request(others)
        page._formatOutput(data, answer, stream=False)
        writer = formats.prepare(form, data, types)
        if writer is None:
            raise NotForUsError
        document = dated(writer.head + writer.tail)
        if document != dated(answer.body):
            raise NotForUsError
        places = {repr(value): name for value, name in names.items()}
        writers.append(writer)
        heads.append(
            Template.of(dated(writer.head).decode(), {**places, _ADDRESS: _ADDRESS, DATE: DATE})
        )
    return _Kind(
        query,
        {key: names.get(value, value) for key, value in parameters.items()},
        answer.headers,
        (heads[0], heads[1]),
        writers[0],
        meta["dbLimit"],
        time.monotonic(),
    )
