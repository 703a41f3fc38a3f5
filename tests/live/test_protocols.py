"""The centre as validators and clients of the Virtual Observatory see it."""

import io
import re
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import pyvo
from astropy.io.votable import parse
from astropy.table import Table

from tests.live.client import ask, query
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

ALLOWED = Path(__file__).with_name("taplint_allowed.txt")
#: All of taplint's.
STAGES = "TMV TME TMS TMC CPV CAP AVV QGE QPO QAS UWS MDQ OBS LOC UPL EXA"
MESSAGE = re.compile(r"([EWF])-([A-Z]{3})-([A-Z0-9]{4})-(?:\d+|x) (.*)")


def run(stilts: Path, *arguments: str, timeout: float = 300) -> str:
    """All that a STILTS task says."""
    result = subprocess.run(
        [str(stilts), *arguments],
        capture_output=True, text=True, check=False, timeout=timeout,
    )  # fmt: skip
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def tap(centre: Centre) -> pyvo.dal.TAPService:
    """The TAP service, as pyvo sees it."""
    return pyvo.dal.TAPService(f"{centre.url}/tap")


#: Knows the links of everything in ivoa.obscore.
LINKS = "resources/links"
#: A raw file with two exposures, of which a file of the demonstration is said to be made.
RAW_FILE = "LINKTEST.2024-02-11T01:00:00.000"


@pytest.fixture(scope="module")
def exposures(centre: Centre) -> Iterator[list[str]]:
    """Publisher DIDs of the exposures of RAW_FILE, which the observation log has."""

    connection = centre.connect()
    sql = connection.cursor().execute
    sql(
        "INSERT INTO obsportal.stored_header (header_id, archive, state, listed, header,"
        " access_url)"
        f" VALUES ('{RAW_FILE}', 'ESO', 'read', now(), 'x', 'https://example.org/{RAW_FILE}')"
    )
    dids = [f"ivo://jmmc.fr/~?obsportal/{RAW_FILE}_{number}" for number in (1, 2)]
    for number, did in enumerate(dids, start=1):
        sql(
            "INSERT INTO obsportal.exposure (exposure_id, header_id, exposure_number,"
            " obs_publisher_did, facility_name, instrument_name, target_name, s_ra, s_dec, t_min,"
            " t_max, validation_level, validation_log, quality_flags, on_sky, updated) VALUES"
            f" ('{RAW_FILE}_{number}', '{RAW_FILE}', {number}, '{did}', 'VLTI', 'GRAVITY',"
            " 'SIM UD 1', 110.5, -25.2, 60351.1, 60351.2, 0, '[]', '', 1, now())"
        )
    sql(
        f"INSERT INTO oidb.progenitor (file_id, dp_id) SELECT file_id, '{RAW_FILE}'"
        " FROM oidb.stored_file WHERE file_name='gravity_bin1.fits'"
    )
    yield dids
    sql(f"DELETE FROM oidb.progenitor WHERE dp_id='{RAW_FILE}'")
    sql(f"DELETE FROM obsportal.exposure WHERE header_id='{RAW_FILE}'")
    sql(f"DELETE FROM obsportal.stored_header WHERE header_id='{RAW_FILE}'")
    connection.close()


def _links(url: str, dids: list[str]) -> dict[str, list[dict[str, str]]]:
    """Rows of a Datalink answer by what they are about."""
    answer = ask(f"{url}/dl/dlmeta", data=urlencode([("ID", did) for did in dids]))
    table = parse(io.BytesIO(answer.body)).get_first_table().to_table()
    found: dict[str, list[dict[str, str]]] = {did: [] for did in dids}
    for row in table:
        found[row["ID"]].append({name: str(row[name]) for name in table.colnames})
    return found


# ------------------------------------------------------------------- validators


@pytest.fixture(scope="module")
def taplint(centre: Centre, stilts: Path) -> list[tuple[str, str]]:
    """What taplint finds: code without number, message."""
    output = run(
        stilts, "taplint", f"tapurl={centre.url}/tap", f"stages={STAGES}", "report=EWFS",
        "maxrepeat=9999", timeout=500,
    )  # fmt: skip
    assert "\nTotals: " in output, output[-500:]
    for stage in STAGES.split():
        assert f"Section {stage}:" in output
    found = [MESSAGE.match(line) for line in output.splitlines()]
    return [(f"{m[1]}-{m[2]}-{m[3]}", m[4]) for m in found if m]


def test_taplint_finds_no_error_and_no_failure(taplint: list[tuple[str, str]]) -> None:
    assert [found for found in taplint if found[0][0] in "EF"] == []


def test_taplint_warns_of_nothing_we_do_not_know(taplint: list[tuple[str, str]]) -> None:
    allowed = []
    for line in ALLOWED.read_text().splitlines():
        if not line.startswith("#"):
            code, pattern, reason = line.split(" | ")
            assert reason
            allowed.append((code, re.compile(pattern)))
    warnings = [found for found in taplint if found[0][0] == "W"]
    used = set()
    unknown = []
    for code, message in warnings:
        rules = [rule for rule in allowed if rule[0] == code and rule[1].match(message)]
        used.update(rules)
        if not rules:
            unknown.append((code, message))
    assert unknown == []
    assert [rule for rule in allowed if rule not in used] == []


VOTABLES = {
    "granules, TABLEDATA": ("votable/td", "SELECT * FROM oidb.granule"),
    "granules, BINARY": ("votable", "SELECT * FROM oidb.granule"),
    "granules, BINARY2": ("votable/b2", "SELECT * FROM oidb.granule"),
    "files": ("votable/td", "SELECT * FROM oidb.file"),
    "collections": ("votable/td", "SELECT * FROM oidb.collection"),
    "baselines": ("votable/td", "SELECT TOP 500 * FROM oidb.baseline"),
    "aliases": ("votable/td", "SELECT * FROM oidb.target_alias"),
    "progenitors": ("votable/td", "SELECT * FROM oidb.progenitor"),
    "findings": ("votable/td", "SELECT * FROM oidb.finding"),
    "radio extension": ("votable/td", "SELECT * FROM ivoa.obs_radio"),
    "ObsCore": ("votable/td", "SELECT * FROM ivoa.obscore"),
    "ObsCore, BINARY2": ("votable/b2", "SELECT * FROM ivoa.obscore"),
    "ObsLocTAP": ("votable/td", "SELECT * FROM ivoa.obsplan"),
    "ObsLocTAP, BINARY2": ("votable/b2", "SELECT * FROM ivoa.obsplan"),
    "exposures": ("votable/td", "SELECT * FROM obsportal.exposure"),
    "exposures, BINARY2": ("votable/b2", "SELECT * FROM obsportal.exposure"),
    "baselines of exposures": ("votable/td", "SELECT TOP 500 * FROM obsportal.baseline"),
    "observations": ("votable/td", "SELECT * FROM obsportal.observation"),
    "targets": ("votable/td", "SELECT * FROM obsportal.target"),
    "raw files": ("votable/td", "SELECT * FROM obsportal.header"),
    "measured diameters": ("votable/td", "SELECT * FROM jmdc.measurement"),
    "measured diameters, BINARY2": ("votable/b2", "SELECT * FROM jmdc.history"),
    "bad calibrators": ("votable/td", "SELECT * FROM badcal.star"),
    "reports": ("votable/td", "SELECT * FROM badcal.report"),
    "reports, BINARY2": ("votable/b2", "SELECT * FROM badcal.report"),
    "history of reports": ("votable/td", "SELECT * FROM badcal.history"),
    "candidates": ("votable/td", "SELECT * FROM badcal.candidate"),
    "changes of releases": ("votable/td", "SELECT * FROM jmdc.change"),
    "former table": ("votable/td", "SELECT * FROM oidb"),
    "joined": (
        "votable/td",
        "SELECT * FROM oidb.granule AS g JOIN oidb.collection AS c"
        " ON g.obs_collection=c.obs_collection",
    ),
    "nothing": ("votable/td", "SELECT * FROM oidb.granule WHERE s_dec > 91"),
    "an error": ("votable/td", "SELECT nonsense FROM oidb.granule"),
}


@pytest.mark.parametrize("name", VOTABLES)
def test_votlint_of_query_results(centre: Centre, stilts: Path, tmp_path: Path, name: str) -> None:
    form, adql = VOTABLES[name]
    answer = ask(f"{centre.url}/tap/sync", data={"LANG": "ADQL", "FORMAT": form, "QUERY": adql})
    assert _votlint(stilts, tmp_path, answer.body) == []


@pytest.mark.parametrize(
    "path",
    [
        "/oidb/q/cone/scs.xml?RA=110.5&DEC=-25.2&SR=0.1",
        "/oidb/q/cone/scs.xml?RA=110.5&DEC=-25.2&SR=0.1&VERB=3",
        "/oidb/q/cone/scs.xml?RA=0&DEC=0&SR=0",
        "/obsportal/q/cone/scs.xml?RA=110.5&DEC=-25.2&SR=0.1",
        "/obsportal/q/cone/scs.xml?RA=110.5&DEC=-25.2&SR=0.1&VERB=3",
        "/jsdc/q/cone/scs.xml?RA=112.3&DEC=-23.4&SR=0.5&VERB=3",
        "/jmmc/q/cone/scs.xml?RA=112.3&DEC=-23.4&SR=0.5&VERB=3",
        "/obsportal/q/targets/scs.xml?RA=110.5&DEC=-25.2&SR=0.1&VERB=3",
        "/obsportal/q/targets/scs.xml?RA=0&DEC=0&SR=0",
        "/jmdc/q/cone/scs.xml?RA=110.5&DEC=-25.2&SR=0.1&VERB=3",
        "/badcal/q/cone/scs.xml?RA=98.7&DEC=-30.1&SR=0.1&VERB=3",
        "/badcal/q/reports/scs.xml?RA=98.7&DEC=-30.1&SR=0.1&VERB=3",
        "/badcal-dsa/SubmitCone?DSACATTAB=badcal.valid_stars&RA=98.7&DEC=-30.1&SR=0.1",
        "/oidb/q/dl/dlmeta?ID={did}",
        "/resources/links/dl/dlmeta?ID={did}&ID=ivo%3A%2F%2Fjmmc.fr%2F~%3Foidb%2Fx",
        "/oidb/q/dl/dlmeta?ID=ivo%3A%2F%2Fjmmc.fr%2F~%3Fno%2Fsuch",
    ],
)
def test_votlint_of_services(centre: Centre, stilts: Path, tmp_path: Path, path: str) -> None:
    body = ask(centre.url + path.format(did=quote(_dids(centre)[0], safe=""))).body
    assert b"<VOTABLE" in body
    assert _votlint(stilts, tmp_path, body) == []


def _votlint(stilts: Path, folder: Path, votable: bytes) -> list[str]:
    """Warnings and errors of votlint, but the one that taplint_allowed.txt explains."""
    path = folder / "answer.vot"
    path.write_bytes(votable)
    lines = run(stilts, "votlint", f"votable={path}").splitlines()
    return [
        line
        for line in lines
        if line and not line.startswith("INFO ") and 'xtype value "mjd"' not in line
    ]


def _dids(centre: Centre) -> list[str]:
    rows = query(
        centre.url,
        "SELECT obs_publisher_did FROM ivoa.obscore WHERE obs_collection LIKE 'sim%'"
        " ORDER BY obs_publisher_did",
    )
    return [row["obs_publisher_did"] for row in rows]


def test_datalinklint(centre: Centre, stilts: Path, exposures: list[str]) -> None:
    """One granule of each kind: public, private, several granules in the file, CHARA; exposures."""
    granules = query(
        centre.url,
        "SELECT obs_collection, instrument_name, MIN(obs_publisher_did) AS did FROM oidb.granule"
        " WHERE obs_collection LIKE 'sim%' AND instrument_name IN ('GRAVITY', 'SPICA')"
        " GROUP BY obs_collection, instrument_name",
    )
    asked = [("oidb/q", [row["did"]]) for row in granules]
    asked += [("obsportal/q", [did]) for did in exposures]
    asked += [(LINKS, [row["did"] for row in granules] + exposures)]
    for place, dids in asked:
        address = f"{centre.url}/{place}/dl/dlmeta?{urlencode([('ID', did) for did in dids])}"
        output = run(stilts, "datalinklint", f"votable={address}")
        assert "Errors: 0; Warnings: 0;" in output, output
        assert "Failures: 0" in output


#: Words of UCD1+ 1.5 (2023), which Debian 12's astropy does not know; and VOUnits has no name for
#: the degree Celsius, in which headers give temperatures.
VALIDATION_ALLOWED = re.compile(
    r"UCD obs\.atmos\.(water|humidity|wind)\S* not accepted by astropy"
    r"|temperature: Unit Celsius is not interoperable"
)


def test_dachs_val_is_clean(centre: Centre) -> None:
    result = centre.jmmc("dachs", "val", "-tv", "ALL")
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    rest = "".join(line for line in output.splitlines(True) if not VALIDATION_ALLOWED.search(line))
    assert not re.search(r"\[?(ERROR|WARNING)\b|\bFail", rest), output


def test_dachs_test_is_clean(centre: Centre) -> None:
    # One after the other: DaCHS' XML validator loads its schemas in whatever thread comes first,
    # and another that needs them at that moment finds half of them.
    result = centre.jmmc("dachs", "test", "-n", "1", "ALL")
    output = result.stdout + result.stderr
    # It wants a badArgument; a missing verb is a badVerb by OAI-PMH 2.0, section 3.6.
    assert re.findall(r"^\tFAIL (.*)", output, re.MULTILINE) == [
        "OAI empty request gives a proper error"
    ], output
    assert re.search(r"\b1 of \d\d+ bad", output), output


def test_the_observation_log_is_registered_as_obsloctap(centre: Centre) -> None:
    """ObsLocTAP 1.0, section 4.1: found by the utype of the table, reached by TAP."""
    answer = ask(
        f"{centre.url}/oai.xml?verb=GetRecord&metadataPrefix=ivo_vor"
        "&identifier=ivo://jmmc.fr/obsportal/obsplan/obsplan"
    )
    root = ET.fromstring(answer.body)
    [table] = root.iter("table")
    assert table.findtext("name") == "ivoa.obsplan"
    assert table.findtext("utype") == "ivo://ivoa.net/std/obsloctap#table-1.0"
    [capability] = root.iter("capability")
    assert capability.get("standardID") == "ivo://ivoa.net/std/TAP#aux"
    assert capability.findtext("interface/accessURL") == f"{centre.url}/tap"
    [relation] = root.iter("relationship")
    [service] = relation.iter("relatedResource")
    assert relation.findtext("relationshipType") == "IsServedBy"
    assert service.get("ivo-id") == "ivo://jmmc.fr/tap"


# ---------------------------------------------------------------------- clients


def test_pyvo_sync(tap: pyvo.dal.TAPService) -> None:
    table = tap.search(
        "SELECT obs_publisher_did, s_ra, t_min FROM ivoa.obscore WHERE obs_collection='sim_vlti'"
    ).to_table()
    assert len(table) == len(set(table["obs_publisher_did"])) > 10
    assert str(table["s_ra"].unit) == "deg"
    assert str(table["t_min"].unit) == "d"


def test_pyvo_sync_says_what_is_wrong(tap: pyvo.dal.TAPService) -> None:
    with pytest.raises(pyvo.dal.DALQueryError, match="nonsense"):
        tap.search("SELECT nonsense FROM ivoa.obscore")


def test_pyvo_async(tap: pyvo.dal.TAPService) -> None:
    job = tap.submit_job("SELECT COUNT(*) AS n FROM oidb.granule")
    job.run()
    job.wait(phases=["COMPLETED", "ERROR", "ABORTED"], timeout=60)
    assert job.phase == "COMPLETED"
    [row] = job.fetch_result()
    assert row["n"] == tap.search("SELECT COUNT(*) AS n FROM oidb.granule")[0]["n"]
    job.delete()


def test_pyvo_async_error_and_abort(tap: pyvo.dal.TAPService) -> None:
    job = tap.submit_job("SELECT TOP 1 * FROM oidb.granule WHERE s_ra='no number'")
    job.run()
    job.wait(phases=["COMPLETED", "ERROR", "ABORTED"], timeout=60)
    assert job.phase == "ERROR"
    job.delete()
    job = tap.submit_job("SELECT TOP 1 * FROM oidb.granule")
    job.abort()
    assert job.phase == "ABORTED"
    job.delete()


@pytest.mark.parametrize("way", ["run_sync", "run_async"])
def test_pyvo_upload_join(tap: pyvo.dal.TAPService, way: str) -> None:
    mine = Table({"ra": [110.5, 245.3, 0.0], "dec": [-25.2, -22.7, 0.0], "name": ["a", "b", "c"]})
    found = getattr(tap, way)(
        "SELECT name, COUNT(*) AS n FROM TAP_UPLOAD.mine JOIN oidb.granule"
        " ON DISTANCE(POINT(ra, dec), POINT(s_ra, s_dec)) < 0.01"
        " WHERE obs_collection='sim_vlti' GROUP BY name ORDER BY name",
        uploads={"mine": mine},
    ).to_table()
    assert list(found["name"]) == ["a", "b"]
    expected = [
        tap.search(
            f"SELECT COUNT(*) AS n FROM oidb.granule WHERE target_name='{name}'"
            " AND obs_collection='sim_vlti'"
        )[0]["n"]
        for name in ("SIM UD 1", "SIM BIN 1")
    ]
    assert list(found["n"]) == expected


@pytest.mark.parametrize("table", ["oidb.granule", "ivoa.obscore", "oidb"])
def test_pyvo_datalink_of_many_rows(tap: pyvo.dal.TAPService, table: str) -> None:
    """Each row gets the links of its own: pyvo asks for all of them in one request."""
    result = tap.search(
        f"SELECT obs_publisher_did, access_url FROM {table} WHERE obs_collection LIKE 'sim%'"
    )
    addresses = {row["obs_publisher_did"]: row["access_url"] for row in result}
    seen = []
    for links in result.iter_datalinks():  # from pyvo 1.6 on in any order
        [did] = {link["ID"] for link in links}
        [this] = [link for link in links if link["semantics"] == "#this"]
        assert this["access_url"] == addresses[did]
        semantics = Counter(link["semantics"] for link in links)
        assert semantics["#preview"] >= 2
        assert semantics["#documentation"] == semantics["#proc"] == 1
        seen.append(did)
    assert sorted(seen) == sorted(addresses)
    assert len(seen) > 25


def test_links_lead_somewhere(centre: Centre, tap: pyvo.dal.TAPService) -> None:
    """Every address of ours, with the media type and the length that the link says."""
    result = tap.search(
        "SELECT obs_publisher_did, access_url FROM oidb.granule WHERE obs_collection='sim_vlti'"
    )
    seen = set()
    for links in result.iter_datalinks():
        for link in links:
            address = link["access_url"]
            if not address or not address.startswith(centre.url) or address in seen:
                continue
            seen.add(address)
            answer = ask(address)
            assert answer.status == 200, address
            said = link["content_type"].partition(";")[0]
            assert answer.headers["content-type"].partition(";")[0] == said
            if link["content_length"] > 0:
                assert len(answer.body) == link["content_length"]
            if said == "image/png":
                assert answer.body.startswith(b"\x89PNG\r\n\x1a\n")
                assert answer.body.endswith(b"IEND\xaeB`\x82")
    assert len(seen) > 50


def test_datalink_siblings_and_progenitors(centre: Centre, tap: pyvo.dal.TAPService) -> None:
    result = tap.search(
        "SELECT g.obs_publisher_did, g.file_id, n_granules FROM oidb.granule AS g"
        " JOIN oidb.file AS f ON g.file_id=f.file_id WHERE g.obs_collection='sim_vlti'"
    )
    of_file: dict[int, set[str]] = {}
    for row in result:
        of_file.setdefault(row["file_id"], set()).add(row["obs_publisher_did"])
    raw: dict[int, set[str]] = {}
    for row in query(centre.url, "SELECT file_id, dp_id FROM oidb.progenitor"):
        raw.setdefault(int(row["file_id"]), set()).add(row["dp_id"])
    links = _links(f"{centre.url}/oidb/q", [row["obs_publisher_did"] for row in result])
    archive = "https://archive.eso.org/dataset/"
    seen = set()
    for row in result:
        of_row = links[row["obs_publisher_did"]]
        siblings = [link for link in of_row if link["semantics"] == "#auxiliary"]
        assert len(siblings) == row["n_granules"] - 1
        names = {
            link["access_url"].removeprefix(archive)
            for link in of_row
            if link["semantics"] == "#progenitor" and link["access_url"].startswith(archive)
        }
        assert names == raw.get(row["file_id"], set())
        seen |= names
    assert seen


def test_datalink_between_granules_and_exposures(centre: Centre, exposures: list[str]) -> None:
    """Each is asked at the address that its own table names; they lead to each other."""
    granules = [
        row["obs_publisher_did"]
        for row in query(
            centre.url,
            "SELECT obs_publisher_did FROM oidb.granule AS g JOIN oidb.file AS f"
            " ON g.file_id=f.file_id WHERE file_name='gravity_bin1.fits'",
        )
    ]
    assert len(granules) == 2
    addresses = {did: f"{centre.url}/obsportal/q/dl/dlmeta?ID={quote(did, safe='')}"
                 for did in exposures}  # fmt: skip
    addresses |= {did: f"{centre.url}/oidb/q/dl/dlmeta?ID={quote(did, safe='')}"
                  for did in granules}  # fmt: skip

    def urls(links: list[dict[str, str]], semantics: str) -> set[str]:
        return {link["access_url"] for link in links if link["semantics"] == semantics}

    for links in _links(f"{centre.url}/oidb/q", granules).values():
        assert {addresses[did] for did in exposures} < urls(links, "#progenitor")
    for did, links in _links(f"{centre.url}/obsportal/q", exposures).items():
        [other] = set(exposures) - {did}
        assert urls(links, "#this") == {f"https://example.org/{RAW_FILE}"}
        assert urls(links, "#derivation") == {addresses[granule] for granule in granules}
        assert urls(links, "#auxiliary") == {addresses[other]}
        assert urls(links, "#detached-header") == {f"{centre.url}/detail/header/{RAW_FILE}"}
        exposure = did.rpartition("/")[2]
        assert f"{centre.url}/detail/exposure/{exposure}" in urls(links, "#documentation")


def test_pyvo_datalink_over_all_data_sets(tap: pyvo.dal.TAPService, exposures: list[str]) -> None:
    """Rows of ivoa.obscore from several data sets, in one request to the service it names."""
    result = tap.search(
        "SELECT obs_publisher_did, calib_level FROM ivoa.obscore"
        f" WHERE obs_id LIKE '{RAW_FILE}%' OR obs_collection='sim_chara'"
    )
    levels = {row["obs_publisher_did"]: row["calib_level"] for row in result}
    assert set(exposures) < set(levels)
    this = {}
    for links in result.iter_datalinks():
        [found] = [link for link in links if link["semantics"] == "#this"]
        this[found["ID"]] = found["access_url"]
    assert set(this) == set(levels)
    for did, address in this.items():
        assert (levels[did] == 0) == (did in exposures) == ("example.org" in address)


@pytest.mark.parametrize("place", ["oidb/q", "obsportal/q", LINKS])
def test_datalink_of_what_is_not_there(centre: Centre, place: str) -> None:
    for identifier in (
        "ivo://jmmc.fr/~?oidb/0000000000000", "ivo://jmmc.fr/~?obsportal/x", "ivo://jmmc.fr/~?",
        "ivo://jmmc.fr/~?centre/x", "nonsense", "'; DROP TABLE x; --",
    ):  # fmt: skip
        answer = ask(f"{centre.url}/{place}/dl/dlmeta", data={"ID": identifier})
        assert answer.status == 200
        [row] = parse(io.BytesIO(answer.body)).get_first_table().to_table()
        assert row["error_message"].startswith("NotFoundFault")
        assert not row["access_url"]


#: Cone searches and the tables they search.
CONES = {
    "oidb/q/cone": "oidb.granule",
    "obsportal/q/cone": "obsportal.exposure",
    "obsportal/q/targets": "obsportal.target",
}


@pytest.mark.parametrize("path", CONES)
def test_pyvo_cone_search(centre: Centre, path: str) -> None:
    service = pyvo.dal.SCSService(f"{centre.url}/{path}/scs.xml")
    found = service.search(pos=(110.5, -25.2), radius=0.05).to_table()
    [expected] = query(
        centre.url,
        f"SELECT COUNT(*) AS n FROM {CONES[path]}"
        " WHERE DISTANCE(POINT(s_ra, s_dec), POINT(110.5, -25.2)) < 0.05",
    )
    assert len(found) == int(expected["n"]) > (0 if path.endswith("targets") else 3)
    assert set(found["target_name"]) == {"SIM UD 1"}
    assert len(service.search(pos=(0.0, 89.9), radius=0.01)) == 0


@pytest.mark.parametrize("path", CONES)
def test_cone_search_has_what_the_standard_wants(centre: Centre, path: str) -> None:
    """Simple Cone Search 1.03, section 2.2: three columns by their UCD1, once each."""
    body = ask(f"{centre.url}/{path}/scs.xml?RA=110.5&DEC=-25.2&SR=0.1").body
    fields = parse(io.BytesIO(body)).get_first_table().fields
    ucds = Counter(field.ucd for field in fields)
    for old, new in (
        ("ID_MAIN", "meta.id;meta.main"), ("POS_EQ_RA_MAIN", "pos.eq.ra;meta.main"),
        ("POS_EQ_DEC_MAIN", "pos.eq.dec;meta.main"),
    ):  # fmt: skip
        assert ucds[old] + ucds[new] == 1


@pytest.mark.parametrize("path", CONES)
@pytest.mark.parametrize(
    "parameters", ["RA=abc&DEC=0&SR=1", "RA=10&DEC=95&SR=1", "RA=10&SR=1", "", "RA=1&DEC=1&SR=-1"]
)
def test_cone_search_says_what_is_wrong(centre: Centre, parameters: str, path: str) -> None:
    answer = ask(f"{centre.url}/{path}/scs.xml?{parameters}")
    assert answer.status in (200, 400)
    assert re.search(r'name="(Error|QUERY_STATUS)"[^>]*value="|value="ERROR"', answer.text)
    assert "Traceback" not in answer.text
    assert "<TD>" not in answer.text


@pytest.mark.parametrize("path", CONES)
def test_stilts_cone(centre: Centre, stilts: Path, tmp_path: Path, path: str) -> None:
    result = tmp_path / "cone.csv"
    said = run(
        stilts, "cone", f"serviceurl={centre.url}/{path}/scs.xml", "lon=245.3", "lat=-22.7",
        "radius=0.05", f"out={result}", "ofmt=csv",
    )  # fmt: skip
    assert result.exists(), said
    assert "SIM BIN 1" in result.read_text()


@pytest.mark.parametrize("sync", ["true", "false"])
def test_stilts_tapquery(centre: Centre, stilts: Path, tmp_path: Path, sync: str) -> None:
    path = tmp_path / "result.csv"
    upload = tmp_path / "upload.csv"
    upload.write_text("target,number\nSIM UD 1,1\nSIM BIN 1,2\n")
    said = run(
        stilts, "tapquery", f"tapurl={centre.url}/tap", f"sync={sync}", "nupload=1",
        f"upload1={upload}", "ufmt1=csv", "upname1=mine", f"out={path}", "ofmt=csv",
        "adql=SELECT target, COUNT(*) AS n FROM TAP_UPLOAD.mine JOIN oidb.granule"
        " ON target=target_name GROUP BY target ORDER BY target",
    )  # fmt: skip
    assert path.exists(), said
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == [
        "target", "SIM BIN 1", "SIM UD 1",
    ]  # fmt: skip


def _examples(centre: Centre) -> dict[str, str]:
    """Titles and queries of the service's examples, read as a client does (DALI 1.1, 2.3)."""
    root = ET.fromstring(ask(f"{centre.url}/tap/examples").body)
    examples = {}
    for element in root.iter():
        if element.get("typeof") == "example":
            [title] = [e for e in element.iter() if e.get("property") == "name"]
            [adql] = [e for e in element.iter() if e.get("property") == "query"]
            examples["".join(title.itertext()).strip()] = "".join(adql.itertext()).strip()
    return examples


def test_examples_work(centre: Centre) -> None:
    examples = _examples(centre)
    assert len(examples) >= 10
    for title, adql in examples.items():
        assert query(centre.url, adql), f"no rows: {title}"
    everything = " ".join(examples.values())
    for table in ("oidb.baseline", "oidb.granule", "ivoa.obscore", "obsportal.exposure"):
        assert table in everything


#: What the hints and the examples menu of TOPCAT's TAP window offer, for our tables.
HINTS = (
    "SELECT TOP 1000 * FROM ivoa.obscore",
    "SELECT COUNT(*) AS n FROM oidb.granule",
    "SELECT TOP 1000 s_ra, s_dec FROM oidb.granule WHERE s_ra > 0 ORDER BY s_dec DESC",
    "SELECT DISTINCT instrument_name FROM ivoa.obscore",
    "SELECT instrument_name, COUNT(*) AS n FROM ivoa.obscore GROUP BY instrument_name"
    " HAVING COUNT(*) > 1",
    "SELECT * FROM ivoa.obscore WHERE"
    " 1=CONTAINS(POINT('ICRS', s_ra, s_dec), CIRCLE('ICRS', 110.5, -25.2, 0.1))",
    "SELECT * FROM ivoa.obscore WHERE DISTANCE(POINT(s_ra, s_dec), POINT(110.5, -25.2)) < 0.1",
    "SELECT * FROM ivoa.obscore WHERE 1=INTERSECTS(s_region, CIRCLE('ICRS', 110.5, -25.2, 0.001))",
    "SELECT * FROM ivoa.obscore WHERE 1=CONTAINS(POINT(110.5, -25.2), s_region)",
    "SELECT * FROM ivoa.obscore WHERE 1=CONTAINS(POINT(s_ra, s_dec),"
    " POLYGON(110, -26, 111, -26, 111, -24, 110, -24))",
    "SELECT * FROM ivoa.obscore WHERE 1=CONTAINS(POINT(s_ra, s_dec), BOX(110.5, -25.2, 1, 1))",
    "SELECT COORD1(POINT(s_ra, s_dec)) AS ra, AREA(s_region) AS a FROM ivoa.obscore",
    "SELECT a.obs_id, b.obs_id FROM ivoa.obscore AS a JOIN ivoa.obscore AS b"
    " ON 1=CONTAINS(POINT(a.s_ra, a.s_dec), CIRCLE(b.s_ra, b.s_dec, 0.01))"
    " WHERE a.obs_id != b.obs_id",
    "SELECT * FROM ivoa.obscore NATURAL JOIN ivoa.obs_radio",
    "SELECT * FROM ivoa.obscore WHERE dataproduct_type='visibility' AND t_min > 50000"
    " AND em_min < 2.2e-6 AND em_max > 2.1e-6",
    "SELECT TOP 5 target_name || ' ' || instrument_name AS label, ROUND(s_ra, 2) AS ra,"
    " LOWER(target_name) AS l FROM ivoa.obscore WHERE target_name LIKE 'SIM %'"
    " AND NOT instrument_name IS NULL",
    "WITH bright AS (SELECT * FROM oidb.granule WHERE nb_vis2 > 0)"
    " SELECT COUNT(*) AS n FROM bright",
    "SELECT target_name FROM oidb.granule WHERE facility_name='VLTI'"
    " UNION SELECT target_name FROM oidb.granule WHERE facility_name='CHARA'",
    "SELECT table_name, description FROM tap_schema.tables",
    "SELECT column_name, unit, ucd FROM tap_schema.columns WHERE table_name='ivoa.obscore'",
    "SELECT schema_name FROM tap_schema.schemas",
    "SELECT k.from_table, c.from_column FROM tap_schema.keys AS k"
    " JOIN tap_schema.key_columns AS c ON k.key_id=c.key_id",
)


@pytest.mark.parametrize("adql", HINTS)
def test_queries_of_topcat(centre: Centre, adql: str) -> None:
    assert query(centre.url, adql)


#: ObsLocTAP gives these no UCD, and there is none for them.
WITHOUT_UCD = {"t_planning", "category", "priority", "execution_status", "tracking_type"}


def test_every_column_is_described(centre: Centre) -> None:
    columns = query(
        centre.url,
        "SELECT * FROM tap_schema.columns WHERE table_name LIKE 'oidb.%'"
        " OR table_name LIKE 'obsportal.%' OR table_name='ivoa.obsplan'",
    )
    assert len(columns) > 250
    for column in columns:
        name = f"{column['table_name']}.{column['column_name']}"
        assert len(column["description"]) > 8, name
        if column["table_name"] != "ivoa.obsplan" or column["column_name"] not in WITHOUT_UCD:
            assert column["ucd"], name


def test_no_column_is_always_empty(centre: Centre) -> None:
    """But for what only some collections have."""
    sparse = {
        "oidb.collection": {"bib_reference", "embargo_days"},
        "oidb.granule": {"bib_reference", "quality_level", "obs_creator_name", "datapi"},
        "oidb.file": {"url"},
        "obsportal.exposure": {"ob_container_id", "pwv_start", "pwv_end", "ob_grade"},
        "obsportal.observation": {"ob_container_id"},
        "obsportal.target": {"pm_ra", "pm_dec", "merged_into"},
        "obsportal.header": {"problem", "withdrawn"},
    }
    for table in ("oidb.collection", "oidb.granule", "oidb.file", "oidb.baseline",
                  "oidb.progenitor", "obsportal.exposure", "obsportal.baseline",
                  "obsportal.observation", "obsportal.target", "obsportal.target_alias",
                  "obsportal.header"):  # fmt: skip
        rows = query(centre.url, f"SELECT * FROM {table}")
        empty = {name for name in rows[0] if all(row[name] == "" for row in rows)}
        assert empty <= sparse.get(table, set()), table


@pytest.mark.parametrize("path", ["/tap", "/vollt/tap"])
@pytest.mark.parametrize("form", ["votable/td", "votable", "json", "csv", "tsv", "fits"])
def test_formats_on_both_paths(centre: Centre, path: str, form: str) -> None:
    answer = ask(
        f"{centre.url}{path}/sync",
        data={"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": form,
              "QUERY": "SELECT TOP 3 target_name, t_min FROM oidb"},
    )  # fmt: skip
    assert answer.status == 200
    assert b"SIM " in answer.body or form == "votable"
    assert b"TTYPE1" in answer.body or form != "fits"


def test_maxrec_is_honoured_and_said(centre: Centre) -> None:
    answer = ask(
        f"{centre.url}/tap/sync",
        data={"LANG": "ADQL", "FORMAT": "votable/td", "MAXREC": "3",
              "QUERY": "SELECT target_name FROM oidb.granule"},
    )  # fmt: skip
    assert answer.text.count("<TR>") == 3
    assert 'value="OVERFLOW"' in answer.text


def test_tap_does_not_notice_that_the_database_has_ended_its_sessions(centre: Centre) -> None:
    """Whoever asks, however many at once, and however often it happens."""
    end = (
        "SELECT COUNT(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE pid<>pg_backend_pid() AND usename IN ('gavo', 'gavoadmin', 'untrusted')"
    )
    for _ in range(3):
        assert int(centre.sql(end)) > 0
        with ThreadPoolExecutor(8) as clients:
            found = clients.map(
                lambda number: query(
                    centre.url, f"SELECT TOP {number} granule_id FROM oidb.granule"
                ),
                range(1, 25),
            )
        assert [len(rows) for rows in found] == list(range(1, 25))
