"""The registry as harvesters and astronomers see it: OAI-PMH, and what the records say.

The XML schemas are those of the Open Archives Initiative and the IVOA, as DaCHS brings them along.
"""

import base64
import importlib.util
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from astropy import constants
from lxml import etree

from tests.live.client import ask, query
from tests.live.conftest import CHECKOUT, Centre

pytestmark = pytest.mark.live

OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
AUXILIARY = "ivo://ivoa.net/std/TAP#aux"
CONE_SEARCH = "ivo://ivoa.net/std/ConeSearch"
STAMP = "%Y-%m-%dT%H:%M:%SZ"
DATA_SETS = sorted(path.parent.name for path in CHECKOUT.glob("*/q.rd"))
#: What must be registered besides the data sets.
INFRASTRUCTURE = {
    "ivo://jmmc.fr": "vg:Authority",
    "ivo://jmmc.fr/org": "vr:Organisation",
    "ivo://jmmc.fr/__system__/services/registry": "vg:Registry",
    "ivo://jmmc.fr/tap": "vs:CatalogService",
    "ivo://jmmc.fr/__system__/obscore/ObsCore": "vs:CatalogResource",
    "ivo://jmmc.fr/__system__/obs-radio/obs_radio": "vs:CatalogResource",
    "ivo://jmmc.fr/obsportal/obsplan/obsplan": "vs:CatalogResource",
}

Records = dict[str, etree._Element]

# --------------------------------------------------------------- documents and schemas

_gavo = importlib.util.find_spec("gavo")
assert _gavo is not None
SCHEMATA = Path(str(_gavo.origin)).parent / "resources" / "schemata"
NAMED = (
    "OAI-PMH", "oai_dc", "RegistryInterface", "VORegistry", "VOResource", "VODataService",
    "ConeSearch", "TAPRegExt", "Colstats",
)  # fmt: skip


class _Local(etree.Resolver):  # type: ignore[misc]
    """Finds the schemas that schemas import in DaCHS' folder, by the names of their files."""

    def resolve(self, url: str, _public: str, context: object) -> object:
        name = url.rsplit("/", 1)[-1].replace("stc-v1.30", "stc")
        return self.resolve_filename(str(SCHEMATA / name), context)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """All schemas in one."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Local())
    xs = "{http://www.w3.org/2001/XMLSchema}"
    root = etree.Element(f"{xs}schema", targetNamespace="urn:all")
    for name in NAMED:
        namespace = etree.parse(str(SCHEMATA / f"{name}.xsd")).getroot().get("targetNamespace")
        etree.SubElement(root, f"{xs}import", namespace=namespace, schemaLocation=f"{name}.xsd")
    return etree.XMLSchema(etree.fromstring(etree.tostring(root), parser))


class Harvester:
    """Talks to the registry, and believes nothing that is not valid."""

    def __init__(self, url: str, schema: etree.XMLSchema) -> None:
        self.url = f"{url}/oai.xml"
        self._schema = schema

    def ask(self, method: str = "GET", **arguments: str) -> etree._Element:
        """The valid document that answers a request."""
        query = urlencode({name.rstrip("_"): value for name, value in arguments.items()})
        return self.read(query, method)

    def read(self, query: str, method: str = "GET") -> etree._Element:
        """The same, with the query as it is written."""
        answer = ask(self.url, data=query) if method == "POST" else ask(f"{self.url}?{query}")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/xml")
        document = etree.fromstring(answer.body)
        assert self._schema.validate(document), self._schema.error_log
        assert document.tag == f"{OAI}OAI-PMH"
        said = datetime.strptime(str(document.findtext(f"{OAI}responseDate")), STAMP)
        assert abs(said - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)
        assert document.findtext(f"{OAI}request") == self.url
        return document

    def pages(self, verb: str, **arguments: str) -> Iterator[etree._Element]:
        """The pages of a list."""
        seen, size = 0, None
        document = self.ask(verb=verb, **arguments)
        while True:
            content = document.find(f"{OAI}{verb}")
            assert content is not None, etree.tostring(document)[-300:]
            yield content
            token = content.find(f"{OAI}resumptionToken")
            entries = len(content) - (token is not None)
            if token is None:
                assert not seen, "the last page of several has an empty token"
                return
            assert token.get("cursor") == str(seen)
            assert size in (None, token.get("completeListSize"))
            size, seen = token.get("completeListSize"), seen + entries
            if not token.text:
                assert str(seen) == size
                return
            document = self.ask(verb=verb, resumptionToken=token.text)

    def records(self, prefix: str = "ivo_vor", **arguments: str) -> Records:
        """All records of a list, by their identifiers."""
        found: Records = {}
        for page in self.pages("ListRecords", metadataPrefix=prefix, **arguments):
            for record in page.iter(f"{OAI}record"):
                identifier = _header(record, "identifier")
                assert identifier not in found
                found[identifier] = record
        return found

    def error(self, query: str) -> str:
        """The code of the error that answers a request."""
        document = self.read(query)
        [error] = document.iter(f"{OAI}error")
        assert error.text
        return str(error.get("code"))


@pytest.fixture(scope="module")
def harvester(centre: Centre, schema: etree.XMLSchema) -> Harvester:
    """The registry as the operator's one command leaves it while the server runs."""
    centre.succeed("publish")
    return Harvester(centre.url, schema)


@pytest.fixture(scope="module")
def records(harvester: Harvester) -> Records:
    """The resources of the records that are not deleted, by their identifiers."""
    return {
        identifier: _resource(record)
        for identifier, record in harvester.records().items()
        if _status(record) is None
    }


def _header(record: etree._Element, name: str) -> str:
    return str(record.findtext(f"{OAI}header/{OAI}{name}"))


def _status(record: etree._Element) -> str | None:
    header = record.find(f"{OAI}header")
    assert header is not None
    return None if header.get("status") is None else str(header.get("status"))


def _resource(record: etree._Element) -> etree._Element:
    metadata = record.find(f"{OAI}metadata")
    assert metadata is not None
    return metadata[0]


def _plain(element: etree._Element) -> list[tuple[str, dict[str, str], str]]:
    """An element without its declarations of namespaces, which depend on what is around it."""
    return [(e.tag, dict(e.attrib), (e.text or "").strip()) for e in element.iter()]


def _texts(resource: etree._Element, path: str) -> list[str]:
    return [" ".join(str(found.text).split()) for found in resource.findall(path)]


# --------------------------------------------------------------- OAI-PMH


def test_identify(harvester: Harvester, centre: Centre) -> None:
    identity = harvester.ask(verb="Identify").find(f"{OAI}Identify")
    assert identity is not None
    assert identity.findtext(f"{OAI}baseURL") == f"{centre.url}/oai.xml"
    assert identity.findtext(f"{OAI}protocolVersion") == "2.0"
    assert "@" in str(identity.findtext(f"{OAI}adminEmail"))
    assert identity.findtext(f"{OAI}granularity") == "YYYY-MM-DDThh:mm:ssZ"
    assert identity.findtext(f"{OAI}deletedRecord") in ("transient", "persistent")
    registry = identity.find(f"{OAI}description")[0]
    assert registry.get(TYPE) == "vg:Registry"
    assert _texts(registry, "managedAuthority") == ["jmmc.fr"]
    assert registry.find("capability").get("standardID") == "ivo://ivoa.net/std/Registry"
    assert _texts(registry, "capability/interface/accessURL")[0] == harvester.url


def test_formats_and_sets(harvester: Harvester) -> None:
    formats = harvester.ask(verb="ListMetadataFormats").iter(f"{OAI}metadataFormat")
    assert {
        (f.findtext(f"{OAI}metadataPrefix"), f.findtext(f"{OAI}metadataNamespace")) for f in formats
    } == {
        ("oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/"),
        ("ivo_vor", "http://www.ivoa.net/xml/RegistryInterface/v1.0"),
    }
    sets = harvester.ask(verb="ListSets").iter(f"{OAI}setSpec")
    assert [found.text for found in sets] == ["ivo_managed"]
    of_one = harvester.ask(verb="ListMetadataFormats", identifier="ivo://jmmc.fr/tap")
    assert len(list(of_one.iter(f"{OAI}metadataFormat"))) == 2


def test_what_is_posted_is_the_same(harvester: Harvester) -> None:
    [posted] = harvester.ask("POST", verb="ListSets").iter(f"{OAI}ListSets")
    [got] = harvester.ask(verb="ListSets").iter(f"{OAI}ListSets")
    assert _plain(posted) == _plain(got)


TAP = "identifier=ivo%3A%2F%2Fjmmc.fr%2Ftap"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=Harvest", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&set=ivo_managed", "badArgument"),
        ("verb=ListSets&maxRecords=1", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&resumptionToken=x", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&maxRecords=1", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=yesterday", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=2026-13-01", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&until=2026-02-30", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=2026-01-01T00:00:00", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=2026-01-01T00:00:00%2B01:00", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=", "badArgument"),
        (
            "verb=ListRecords&metadataPrefix=ivo_vor&from=2026-01-01&until=2090-01-01T00:00:00Z",
            "badArgument",
        ),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=2026-01-02&until=2026-01-01", "badArgument"),
        (f"verb=GetRecord&{TAP}", "badArgument"),
        ("verb=GetRecord&metadataPrefix=ivo_vor", "badArgument"),
        (f"verb=GetRecord&metadataPrefix=marc21&{TAP}", "cannotDisseminateFormat"),
        ("verb=ListIdentifiers&metadataPrefix=marc21", "cannotDisseminateFormat"),
        ("verb=GetRecord&metadataPrefix=ivo_vor&identifier=ivo://jmmc.fr/none", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier='%3B--", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=ivo://example.org/tap", "idDoesNotExist"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=2090-01-01", "noRecordsMatch"),
        ("verb=ListIdentifiers&metadataPrefix=oai_dc&until=1990-01-01", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&set=local", "noRecordsMatch"),
        # Characters that XML has not, and bytes that are no text.
        ("verb=%00", "badVerb"),
        ("verb=Identify&%01=x", "badArgument"),
        ("verb=GetRecord&metadataPrefix=ivo_vor&identifier=%00", "badArgument"),
        ("verb=GetRecord&metadataPrefix=ivo_vor&identifier=%01", "badArgument"),
        ("verb=GetRecord&metadataPrefix=ivo_vor&identifier=%FF", "badArgument"),
        ("verb=GetRecord&metadataPrefix=ivo_vor&identifier=%EF%BF%BF", "badArgument"),
        ("verb=ListRecords&resumptionToken=%00", "badArgument"),
        ("verb=ListRecords&metadataPrefix=ivo_vor&from=9999-12-31", "noRecordsMatch"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("verb=ListSets&resumptionToken=x&set=ivo_managed", "badArgument"),
        ("verb=ListRecords&resumptionToken=nonsense", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=e30%3D", "badResumptionToken"),
    ],
)
def test_errors(harvester: Harvester, query: str, code: str) -> None:
    assert harvester.error(query) == code
    request = harvester.read(query).find(f"{OAI}request")
    assert request is not None
    # Section 3.2: of a request that makes no sense nothing is repeated.
    assert bool(request.attrib) is (code not in ("badVerb", "badArgument"))


def test_the_end_of_time_is_in_the_list(harvester: Harvester) -> None:
    everything = harvester.records("oai_dc").keys()
    for until in ("9999-12-31", "9999-12-31T23:59:59Z"):
        assert harvester.records("oai_dc", until=until).keys() == everything


def test_tokens_that_were_made_up_are_refused(harvester: Harvester) -> None:
    page = next(harvester.pages("ListRecords", metadataPrefix="oai_dc"))
    whole = json.loads(base64.urlsafe_b64decode(str(page.findtext(f"{OAI}resumptionToken"))))
    changes: list[dict[str, object]] = [
        {"after_ivoid": "\0"},
        {"after_ivoid": "\ud800"},
        {"after_ivoid": 1},
        {"after": "2026-W01-1"},
        {"cursor": 0},
        {"cursor": "1"},
        {"metadataPrefix": []},
        {"other": 1},
    ]
    for change in changes:
        token = base64.urlsafe_b64encode(json.dumps({**whole, **change}).encode()).decode()
        query = urlencode({"verb": "ListRecords", "resumptionToken": token})
        assert harvester.error(query) == "badResumptionToken", change
    deep = base64.urlsafe_b64encode(b"[" * 3000).decode()
    query = urlencode({"verb": "ListRecords", "resumptionToken": deep})
    assert harvester.error(query) == "badResumptionToken"


def test_a_list_whose_rest_is_gone_is_begun_again(harvester: Harvester) -> None:
    page = next(harvester.pages("ListRecords", metadataPrefix="oai_dc"))
    whole = json.loads(base64.urlsafe_b64decode(str(page.findtext(f"{OAI}resumptionToken"))))
    whole["after"] = "2090-01-01T00:00:00"
    token = base64.urlsafe_b64encode(json.dumps(whole).encode()).decode()
    query = urlencode({"verb": "ListRecords", "resumptionToken": token})
    assert harvester.error(query) == "badResumptionToken"


def test_a_fault_of_the_database_is_not_the_harvesters(
    harvester: Harvester, centre: Centre
) -> None:
    centre.sql("ALTER TABLE dc.sets RENAME TO sets_away")
    try:
        answer = ask(f"{harvester.url}?verb=ListRecords&metadataPrefix=ivo_vor")
    finally:
        centre.sql("ALTER TABLE dc.sets_away RENAME TO sets")
    assert answer.status == 500
    assert b"try again later" in answer.body


def test_records_that_cannot_be_made(centre: Centre, harvester: Harvester) -> None:
    result = subprocess.run(
        ["/usr/bin/python3", str(CHECKOUT / "tests" / "live" / "broken_records.py")],
        env=centre.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert len(told["none"]) > 2
    # Of one that is broken the others do not suffer, the database's faults concern all.
    assert told["first"] == told["none"][1:]
    assert told["last"] == told["none"][:-1]
    assert told["all"] == "KeyError"
    assert told["database"] == told["in the course of it"] == "OperationalError"


def test_a_token_is_for_the_verb_that_gave_it(harvester: Harvester) -> None:
    page = next(harvester.pages("ListIdentifiers", metadataPrefix="ivo_vor"))
    token = urlencode({"resumptionToken": page.findtext(f"{OAI}resumptionToken")})
    assert harvester.error(f"verb=ListRecords&{token}") == "badResumptionToken"


@pytest.mark.parametrize("prefix", ["ivo_vor", "oai_dc"])
def test_lists_come_in_pages_and_agree(harvester: Harvester, prefix: str) -> None:
    pages = list(harvester.pages("ListIdentifiers", metadataPrefix=prefix))
    assert len(pages) > 1
    headers = [header for page in pages for header in page.iter(f"{OAI}header")]
    records = harvester.records(prefix)
    assert [h.findtext(f"{OAI}identifier") for h in headers] == list(records)
    for header, record in zip(headers, records.values(), strict=True):
        assert _plain(header) == _plain(record.find(f"{OAI}header"))
        assert [s.text for s in header.iter(f"{OAI}setSpec")] == ["ivo_managed"]


def test_one_record_is_that_of_the_list(harvester: Harvester, records: Records) -> None:
    for identifier in ("ivo://jmmc.fr/oidb/q/cone", "ivo://jmmc.fr/org"):
        answer = harvester.ask(verb="GetRecord", metadataPrefix="ivo_vor", identifier=identifier)
        [record] = answer.iter(f"{OAI}record")
        assert _header(record, "identifier") == identifier
        assert _plain(_resource(record)) == _plain(records[identifier])
        assert _resource(record).get("updated") == _header(record, "datestamp")


def test_dublin_core_says_the_same(harvester: Harvester, records: Records) -> None:
    for identifier, record in harvester.records("oai_dc").items():
        if _status(record) is None:
            core = _resource(record)
            assert core.findtext(f"{DC}identifier") == identifier
            assert _texts(core, f"{DC}title") == _texts(records[identifier], "title")
            assert _texts(core, f"{DC}publisher") == _texts(
                records[identifier], "curation/publisher"
            )


def test_from_and_until_select_by_date(harvester: Harvester) -> None:
    dates = {i: _header(r, "datestamp") for i, r in harvester.records("oai_dc").items()}
    stamps = sorted(set(dates.values()))
    assert stamps[-1] <= datetime.now(UTC).strftime(STAMP)
    middle = stamps[len(stamps) // 2]

    def found(**arguments: str) -> set[str]:
        pages = harvester.pages("ListIdentifiers", metadataPrefix="oai_dc", **arguments)
        return {str(i.text) for page in pages for i in page.iter(f"{OAI}identifier")}

    assert found(from_=middle) == {i for i, date in dates.items() if date >= middle}
    assert found(until=middle) == {i for i, date in dates.items() if date <= middle}
    assert found(from_=middle, until=middle) == {i for i, date in dates.items() if date == middle}
    day = middle[:10]
    assert found(from_=day, until=day) == {i for i, date in dates.items() if date[:10] == day}
    tomorrow = (datetime.strptime(day, "%Y-%m-%d") + timedelta(days=1)).strftime("%Y-%m-%d")
    assert found(until=tomorrow) == {i for i, date in dates.items() if date[:10] <= tomorrow}


def test_what_is_gone_is_said_to_be_deleted(centre: Centre, harvester: Harvester) -> None:
    """One that was once published elsewhere, and a data set that is taken out and put back."""
    gone, taken_out = "ivo://jmmc.fr/once/there", "ivo://jmmc.fr/olbin/q/tables"
    since = datetime.now(UTC).strftime(STAMP)
    commands = f"admin makedelrec {gone}\npub -u olbin/q\n"
    result = centre.jmmc("dachs", "each", given=commands)
    assert result.returncode == 0, result.stderr
    try:
        for prefix in ("ivo_vor", "oai_dc"):
            changed = harvester.records(prefix, from_=since)
            assert {gone, taken_out} <= set(changed)
            for identifier in (gone, taken_out):
                one = harvester.ask(verb="GetRecord", metadataPrefix=prefix, identifier=identifier)
                for record in (changed[identifier], one.find(f"{OAI}GetRecord/{OAI}record")):
                    assert record is not None
                    assert _status(record) == "deleted"
                    assert record.find(f"{OAI}metadata") is None
    finally:
        centre.succeed("dachs", "pub", "olbin/q")
        where = "WHERE sourcerd='deleted' AND resid='there'"
        centre.succeed(
            "psql", "-XAtqc", f"DELETE FROM dc.resources {where}; DELETE FROM dc.sets {where}"
        )
    assert _status(harvester.records(from_=since)[taken_out]) is None


# --------------------------------------------------------------- the records


def test_everything_is_registered(records: Records) -> None:
    assert {f"ivo://jmmc.fr/{name}/q/tables" for name in DATA_SETS} <= set(records)
    for identifier, kind in INFRASTRUCTURE.items():
        assert records[identifier].get(TYPE) == kind
    authority = records["ivo://jmmc.fr"]
    assert authority.find("managingOrg").get("ivo-id") == "ivo://jmmc.fr/org"


def test_records_have_what_an_astronomer_needs(records: Records) -> None:
    known = set(json.loads((CHECKOUT / "etc" / "vocabularies" / "uat.json").read_text())["terms"])
    for identifier, resource in records.items():
        assert resource.get("status") == "active"
        assert len(_texts(resource, "title")) == 1, identifier
        assert len(_texts(resource, "shortName")[0]) <= 16, identifier
        assert len(_texts(resource, "content/description")[0]) > 40, identifier
        assert set(_texts(resource, "content/subject")) <= known, identifier
        assert _texts(resource, "content/subject"), identifier
        assert _texts(resource, "curation/creator/name"), identifier
        assert _texts(resource, "curation/contact/email"), identifier
        assert resource.find("curation/publisher").get("ivo-id") in records, identifier
        if resource.find("capability") is not None:
            assert _texts(resource, "rights"), identifier


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_record_of_a_data_set_has_all_its_tables(
    centre: Centre, records: Records, name: str
) -> None:
    resource = records[f"ivo://jmmc.fr/{name}/q/tables"]
    [capability] = resource.findall("capability")
    assert capability.get("standardID") == AUXILIARY
    assert _texts(capability, "interface/accessURL") == [f"{centre.url}/tap"]
    assert resource.find("content/relationship/relatedResource").get("ivo-id") == (
        "ivo://jmmc.fr/tap"
    )
    columns = query(
        centre.url,
        "SELECT c.table_name, column_name, ucd FROM tap_schema.columns AS c"
        f" JOIN tap_schema.tables AS t USING (table_name) WHERE schema_name='{name}'",
    )
    assert columns
    said = {
        (table.findtext("name"), column.findtext("name"), column.findtext("ucd") or "")
        for table in resource.iter("table")
        for column in table.iter("column")
    }
    # The table of another RD of the folder is in a record of its own.
    listed = {table for table, _, _ in said}
    others = {
        str(table.findtext("name"))
        for identifier, other in records.items()
        if identifier.startswith(f"ivo://jmmc.fr/{name}/") and not identifier.endswith("/q/tables")
        for table in other.iter("table")
    }
    for column in columns:
        if column["table_name"] in listed or column["table_name"] not in others:
            assert (column["table_name"], column["column_name"], column["ucd"]) in said


def test_addresses_in_the_records_answer(centre: Centre, records: Records) -> None:
    addresses = {
        address
        for resource in records.values()
        for address in _texts(resource, "content/referenceURL")
        + _texts(resource, "capability/interface[@version='1.1']/accessURL")
        + _texts(resource, "capability/interface/accessURL[@use='full']")
        if address.startswith(centre.url)
    }
    assert len(addresses) > 20
    for address in sorted(addresses):
        assert ask(address).status in (200, 301, 303), address


def test_cone_searches_find_what_their_record_says(centre: Centre, records: Records) -> None:
    found = 0
    for identifier, resource in records.items():
        for capability in resource.findall("capability"):
            if capability.get("standardID") != CONE_SEARCH:
                continue
            found += 1
            [address] = _texts(capability, "interface[@role='std']/accessURL")
            test = {name: capability.findtext(f"testQuery/{name}") for name in ("ra", "dec", "sr")}
            answer = ask(address + urlencode({name.upper(): v for name, v in test.items()}))
            assert b"<TR>" in answer.body or b"<STREAM" in answer.body, identifier
    assert found >= 3


def _energies(centre: Centre, table: str) -> tuple[float, float]:
    """The lowest and the highest photon energy (J) of a table with em_min and em_max (m)."""
    [row] = query(centre.url, f"SELECT MIN(em_min) AS low, MAX(em_max) AS high FROM {table}")
    hc = (constants.h * constants.c).si.value
    return hc / float(row["high"]), hc / float(row["low"])


COVERED = {
    "oidb/q/tables": "oidb.granule",
    "obsportal/q/tables": "obsportal.exposure",
    "__system__/obscore/ObsCore": "ivoa.obscore",
}


@pytest.mark.parametrize("identifier", COVERED)
def test_coverage_is_that_of_the_data(centre: Centre, records: Records, identifier: str) -> None:
    coverage = records[f"ivo://jmmc.fr/{identifier}"].find("coverage")
    assert coverage is not None
    table = COVERED[identifier]
    [times] = query(centre.url, f"SELECT MIN(t_min) AS low, MAX(t_max) AS high FROM {table}")
    low, high = map(float, str(coverage.findtext("temporal")).split())
    assert low == pytest.approx(float(times["low"]), abs=1e-4)
    assert high == pytest.approx(float(times["high"]), abs=1e-4)
    spectral = [float(word) for word in str(coverage.findtext("spectral")).split()]
    assert spectral == pytest.approx(_energies(centre, table), rel=1e-6)
    if table != "ivoa.obscore":
        assert set(_texts(coverage, "waveband")) == {"Optical", "Infrared"}


def test_coverage_has_the_cells_of_all_positions(
    centre: Centre, records: Records, stilts: Path, tmp_path: Path
) -> None:
    """The cells of HEALPix by STILTS, those of the record by the MOC standard's ASCII form."""
    rows = query(centre.url, "SELECT DISTINCT s_ra, s_dec FROM oidb.granule WHERE s_ra > -1")
    positions = tmp_path / "positions.csv"
    lines = ["ra,dec", *(f"{row['s_ra']},{row['s_dec']}" for row in rows)]
    positions.write_text("\n".join(lines) + "\n")
    told = subprocess.run(
        [str(stilts), "tpipe", f"in={positions}", "ifmt=csv", "ofmt=csv-noheader",
         "cmd=addcol cell healpixNestIndex(6,ra,dec)", "cmd=keepcols cell"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    moc = records["ivo://jmmc.fr/oidb/q/tables"].findtext("coverage/spatial")
    assert _cells(str(moc), 6) == {int(word) for word in told.stdout.split()}


def _cells(moc: str, order: int) -> set[int]:
    """The cells of a MOC in ASCII, at an order that is not below any of its own."""
    cells: set[int] = set()
    factor = 1
    for word in moc.replace("/", "/ ").split():
        if word.endswith("/"):
            factor = 4 ** (order - int(word[:-1]))
        else:
            first, _, last = word.partition("-")
            cells.update(range(int(first) * factor, (int(last or first) + 1) * factor))
    return cells


# --------------------------------------------------------------- what is found by which keyword


def _page_rows() -> list[tuple[str, str, list[str]]]:
    """Keyword, field and records of the table in docs/registry.md."""
    rows = []
    for line in (CHECKOUT / "docs" / "registry.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            found = re.findall(r"`([^`]*)`", cells[2])
            rows.append((cells[0].strip("`"), cells[1], found))
    return rows


FIELDS = {
    "title": "title",
    "short name": "shortName",
    "subject": "content/subject",
    "description": "content/description",
    "waveband": "coverage/waveband",
    "facility": "facility",
    "instrument": "instrument",
    "source": "content/source",
    "creator": "curation/creator/name",
    "publisher": "curation/publisher",
    "table": "tableset/schema/table/name",
    "ucd": "tableset/schema/table/column/ucd",
    "standard": "capability",
}


def test_the_page_has_rows() -> None:
    assert len(_page_rows()) >= 20
    assert {name for name in DATA_SETS if name != "jmmc"} <= {
        identifier.split("/")[0] for _, _, found in _page_rows() for identifier in found
    }


@pytest.mark.parametrize(("keyword", "field", "found"), _page_rows())
def test_keywords_find_what_the_page_promises(
    records: Records, keyword: str, field: str, found: list[str]
) -> None:
    assert found
    for identifier in found:
        resource = records[f"ivo://jmmc.fr/{identifier}"]
        if field == "standard":
            words = [str(c.get("standardID")) for c in resource.findall("capability")]
        else:
            words = _texts(resource, FIELDS[field])
        text = "\n".join(words).casefold()
        # Keywords are compared as registries do: as words, with a blank for what joins them.
        plain = text.replace("-", " ")
        assert keyword.casefold() in text or keyword.casefold() in plain, identifier
