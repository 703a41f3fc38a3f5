"""DaCHS as this centre runs it: the `dachs` command with a few things put right.

What DaCHS cannot be told in its configuration is changed here, once, before it starts, in the
server as well as in the processes of asynchronous jobs. Each change says why it is there.
"""

from __future__ import annotations

import base64
import importlib
import os
import select
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gavo.user import cli

from centre import fronts, jobs

#: Paths under which earlier services answered; what follows them is a path of this one.
_FORMER_PATHS = ("vollt",)
#: The service that knows the links of everything in ivoa.obscore.
_DATALINK = "resources/links#dl"
_FITS = (".fits", ".oifits", ".fits.gz", ".oifits.gz")


def guard_products() -> None:
    """Puts the check of owner and embargo before everything else that delivers a product.

    DaCHS looks for previews first, and makes previews of protected products for everybody.
    """
    from gavo import svcs
    from gavo.protocols import products

    order = products.PRODUCT_CLASSES
    for kind in (products.UnauthorizedProduct, products.NonExistingProduct):
        order.remove(kind)
        order.insert(0, kind)

    make_preview = products.PreviewCacheManager.getPreviewFor

    def get_preview_for(product: Any) -> Any:
        if isinstance(product, products.UnauthorizedProduct):
            raise svcs.Authenticate()
        return make_preview(product)

    products.PreviewCacheManager.getPreviewFor = get_preview_for


def identify_products() -> None:
    """Gives downloads an ETag and a digest (RFC 9530), and lets HEAD end.

    The store keeps a file in a folder named by its SHA-256 checksum. DaCHS leaves a HEAD request
    for a product open for ever, for the file's renderer returns no bytes.
    """
    from gavo.protocols import products
    from twisted.web import http

    render_file = products.FileProduct.render

    def render(self: Any, request: Any) -> Any:
        path = Path(self.rAccref.localpath)
        checksum = path.parent.name
        if path.name.endswith(_FITS) and f".{checksum[:8]}." in path.name:
            digest = base64.b64encode(bytes.fromhex(checksum)).decode("ascii")
            request.setHeader("repr-digest", f"sha-256=:{digest}:")
            if request.setETag(f'"{checksum}"'.encode()) is http.CACHED:
                request.finish()
                return None
        result = render_file(self, request)
        if request.method == b"HEAD" and result == b"":
            request.finish()
        return result

    products.FileProduct.render = render


def keep_former_paths() -> None:
    """Keeps addresses alive that users have in their scripts.

    Below such an address the answers are those of the root; there is no redirect, because
    clients that POST do not follow one.
    """
    from gavo.web import root
    from twisted.web import resource

    class FormerPath(resource.Resource):  # type: ignore[misc]
        def getChild(self, name: bytes, request: Any) -> Any:
            return root.root.getChild(name, request)

    for name in _FORMER_PATHS:
        root.ArchiveService.addStatic(name, FormerPath())


def link_obscore() -> None:
    """Lets ivoa.obscore name our Datalink service instead of DaCHS' own.

    That one answers by a redirect to ours, which loses all identifiers but the first of the many
    that clients ask for at once.
    """
    from gavo import api

    table = api.resolveCrossId("//obscore#ObsCore")
    table.setMeta("_associatedDatalinkService.serviceId", _DATALINK)


def use_position_indexes() -> None:
    """Makes the ADQL translator write conditions on positions so that our indexes serve them.

    DaCHS takes it that tables in ivoa.obscore have positions indexed by q3c; ours have pg_sphere's
    indexes, and the query for a cone would read every row of every table.
    """
    from gavo import api

    for kinds in api.resolveCrossId("//obscore#ObsCore").indexedColumns.values():
        if "q3c" in kinds:
            kinds.remove("q3c")
            kinds.add("pgsphere")


def read_literals_as_sql() -> None:
    """Makes the ADQL parser end a string literal where PostgreSQL ends it.

    DaCHS 2.11 takes a backslash before a quote for an escape, PostgreSQL (and ADQL 2.1 section
    2.1.4) do not: what follows such a quote would be run as SQL that nobody has looked at.
    """
    from gavo.adql import grammar
    from gavo.utils.parsetricks import Regex

    grammar.sglQuotedString = Regex(r"'(?:[^']|'')*'")


def keep_percent_signs() -> None:
    """Lets percent signs in ADQL be; DaCHS doubles them for a step that it does not take."""
    from gavo import rsc

    make_table = rsc.QueryTable.__init__

    def make(self: Any, table: Any, query: str, connection: Any, **others: Any) -> None:
        make_table(self, table, query.replace("%%", "%"), connection, **others)

    rsc.QueryTable.__init__ = make


def keep_tabs() -> None:
    """Lets tabs in ADQL's literals be; the parser that DaCHS uses makes blanks of them."""
    from gavo.adql import grammar

    make_grammar = grammar.getADQLGrammarCopy

    def make(nodes: Any) -> Any:
        symbols, statement = make_grammar(nodes)
        return symbols, statement.parseWithTabs()

    grammar.getADQLGrammarCopy = make


def place_system_resources() -> None:
    """Keeps DaCHS from looking for folders of its built-in RDs in the checkout, and from warning.

    Its inputs directory is the checkout, which has none of them; nothing is ever read there.
    """
    from gavo import rscdesc

    feed_object = rscdesc.ResdirAttribute.feedObject

    def feed(self: Any, instance: Any, value: str) -> None:
        feed_object(self, instance, "" if instance.sourceId.startswith("__system__/") else value)

    rscdesc.ResdirAttribute.feedObject = feed


def measure_times_in_mjd() -> None:
    """Takes times in days for what they are in all our tables, MJD, when coverage is determined.

    DaCHS takes them for Julian Dates unless their name has mjd in it, or their xtype, which
    ObsCore does not have for its times.
    """
    from gavo.user import info

    make_transformer = info._getTimeTransformer

    def make(column: Any) -> Any:
        return (lambda value: value) if column.unit == "d" else make_transformer(column)

    info._getTimeTransformer = make


def measure_without_delay() -> None:
    """Takes the statistics of a table when they are there; DaCHS waits a second for each table."""
    from gavo.user import info

    def wait(_full_time: str) -> Iterator[None]:
        pause = 0.01
        while True:
            time.sleep(pause)
            pause = min(1.0, 2 * pause)
            yield

    info._noteAndDelay = wait


def serve_schemata() -> None:
    """Serves the XML schema of column statistics, which our lists of tables refer to, from here.

    DaCHS names a server in Heidelberg for it. Validators know the other schemas by heart; without
    this one, they call our tables invalid whenever that server cannot be reached.
    """
    import gavo
    from gavo import base
    from gavo.registry import model
    from gavo.web import root
    from twisted.web import static

    folder = Path(gavo.__file__).parent / "resources" / "schemata"
    root.ArchiveService.addStatic("schemata", static.File(str(folder)))
    location = f"{base.getConfig('web', 'serverURL')}/schemata/Colstats.xsd"
    model.registerPrefix("g-colstat", "http://dc.g-vo.org/ColStats-1", location)


def answer_scripts_with_datalink() -> None:
    """Gives a Datalink document to everybody who asks for a VOTable, browsers included.

    DaCHS makes a page of it for every browser; scripts in a page cannot hide that they run in one.
    """
    from gavo.web import vodal

    format_as_page = vodal.DatalinkGetMetaRenderer._formatData

    def format_data(self: Any, result: tuple[str, bytes], request: Any) -> Any:
        if "application/x-votable+xml" not in (request.getHeader("accept") or ""):
            return format_as_page(self, result, request)
        media_type, data = result
        request.setHeader("content-type", media_type)
        request.write(data)
        request.finish()
        return None

    vodal.DatalinkGetMetaRenderer._formatData = format_data


def cache_whole_pages() -> None:
    """Keeps the word for a body in pieces out of pages that DaCHS sends again from its cache.

    It keeps a page with all headers of its first answer, which was chunked; the second one has a
    length. Twisted 24 then sends both headers, and clients cannot read the page.
    """
    from gavo.web import caching

    make = caching.CachedPage.__init__

    def make_whole(self: Any, content: bytes, headers: Any, changed: float | None) -> None:
        headers = headers.copy()
        headers.removeHeader("transfer-encoding")
        make(self, content, headers, changed)

    caching.CachedPage.__init__ = make_whole


def survive_database_restarts() -> None:
    """Takes no connection out of a pool that the database has ended, and keeps the pools.

    DaCHS finds out by a request that fails, and replaces the pools. When several requests do so at
    once, a closed pool can stay the one that is used, and nothing is answered any more: "connection
    pool is closed".
    """
    from gavo.base import sqlsupport

    kind = sqlsupport.CustomConnectionPool
    take = kind.getconn

    def take_living(self: Any, key: Any = None) -> Any:
        while _has_ended(connection := take(self, key)):
            self.putconn(connection, close=True)
        return connection

    kind.getconn = take_living
    kind.serverRestarted = classmethod(lambda _kind: None)


def _has_ended(connection: Any) -> bool:
    """Whether the database has said something on an idle connection, which is its last word."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def know_users() -> None:
    """Lets users log in, and none whose account has ended; tells who may decide on something."""
    from badcal.res import api as badcal
    from jmdc.res import submissions as jmdc
    from web import login, users

    users.end_accounts()
    login.install([jmdc.EDITORS, badcal.EDITORS, badcal.FACILITIES])


def state_rights() -> None:
    """Writes the rights into the records of tables and data sets, too.

    VODataService 1.2 has them there, between content and capabilities; DaCHS writes them into the
    records of services only.
    """
    from gavo.registry import builders, capabilities

    def make(self: Any, carrier: Any, schemas: Any, sets: Any) -> Any:
        return builders.ResourceMaker._makeResource(self, carrier, sets)[
            builders._rightsBuilder.build(carrier),
            [
                capabilities.getCapabilityElement(publication)
                for publication in carrier.getPublicationsForSet(sets)
            ],
            builders._orgMetaBuilder.build(carrier),
            builders._coverageMetaBuilder.build(carrier),
            self._makeTableset(schemas),
        ]

    builders.DataCollectionResourceMaker._makeResourceForSchemas = make


def answer_harvesters() -> None:
    """Speaks OAI-PMH as harvesters and validators want it; centre/oai.py says what DaCHS does."""
    from centre import oai

    def put_right() -> None:
        use_position_indexes()
        link_obscore()

    oai.install(put_right)


def answer_obsportal() -> None:
    """Answers the addresses of ObsPortal that its clients have compiled in, and their relatives."""
    from obsportal.res import api, pages

    api.install()
    pages.install()


def answer_badcal() -> None:
    """Answers the addresses of BadCal that SearchCal knows, and those of its pages."""
    from badcal.res import api

    api.install(_stars_follow("badcal"))


def answer_jmdc() -> None:
    """Answers the pages of JMDC, and takes what is handed in for it."""
    from jmdc.res import pages

    pages.install(_stars_follow("jmdc"))


def _stars_follow(data_set: str) -> Callable[[Any], None]:
    """What brings the stars of all data sets in step with one that was changed."""

    def follow(connection: Any) -> None:
        from jmmc.res import stars

        stars.follow(connection, [data_set])

    return follow


def answer_publications() -> None:
    """Answers the pages of publications."""
    from olbin.res import pages

    pages.install()


def answer_stars() -> None:
    """Answers what all data sets have on a star."""
    from jmmc.res import pages

    pages.install()


def answer_fast() -> None:
    """Has queries answered by processes of their own; fast/README.md."""
    if os.environ.get("JMMC_FAST", "1") != "0":
        from fast import front

        front.install()


def main() -> None:
    """The `dachs` command; what concerns only the server is changed only there."""
    if sys.argv[1:2] != ["init"]:  # which makes the database that these modules ask for
        read_literals_as_sql()
        keep_tabs()
        keep_percent_signs()
        place_system_resources()
        state_rights()
        fronts.tell_servers()
    if "taprun" in sys.argv:
        jobs.install_runner()
    if "taprun" in sys.argv or sys.argv[1:2] == ["serve"]:
        use_position_indexes()
    if sys.argv[1:2] == ["limits"]:
        measure_times_in_mjd()
        measure_without_delay()
    if sys.argv[1:2] == ["serve"]:
        fronts.install()
        jobs.install_server()
        guard_products()
        identify_products()
        keep_former_paths()
        link_obscore()
        answer_scripts_with_datalink()
        serve_schemata()
        cache_whole_pages()
        survive_database_restarts()
        know_users()
        answer_harvesters()
        answer_obsportal()
        answer_stars()
        answer_badcal()
        answer_jmdc()
        answer_publications()
        answer_fast()
    if sys.argv[1:2] == ["nursery"]:  # which the server starts
        from fast import nursery

        use_position_indexes()
        link_obscore()
        survive_database_restarts()
        nursery.run(int(sys.argv[2]))
        return
    if sys.argv[1:] == ["each"]:
        run_each([shlex.split(line) for line in sys.stdin])
        return
    carry_out(sys.argv[1:])


def carry_out(command: list[str]) -> None:
    """Runs a command of DaCHS, or one of those it does not have."""
    from centre import tables

    own = tables.COMMANDS.get(command[0]) if command else None
    if own is None:
        sys.argv = ["dachs", *command]
        cli.main()
        return
    from gavo.user import errhandle

    try:
        own(command[1:])
    except Exception:
        sys.exit(errhandle.raiseAndCatch())


def run_each(commands: list[list[str]]) -> None:
    """Runs commands one after the other, until one fails.

    Each has a process of its own, but DaCHS, which takes seconds to load, is there already.
    """
    importlib.import_module("gavo.api")
    for command in commands:
        print("== dachs", *command, flush=True)
        child = os.fork()
        if not child:
            carry_out(command)
            return
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            sys.exit(1)


if __name__ == "__main__":
    main()
