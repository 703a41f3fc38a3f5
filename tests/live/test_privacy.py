"""What is private before its release, and to whom: each way out of the centre, from the outside.

Three files of the same programme: one is released in the far future, one was released yesterday,
and one was public until the observation log told that its raw files are private.
The PI is the owner, a co-investigator belongs to the PI's group, a stranger has an account too.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from astropy.io import fits

from ingest import simulate
from ingest.vocabulary import load
from tests.live.client import Answer, User, ask, query, refused
from tests.live.conftest import Centre

pytestmark = pytest.mark.live

#: Stands in headers of the private file and in the report on it, and nowhere else.
SECRET = "Xanadu7141"

ANONYMOUS = User()
PI = User("pi_9999", "the PI's own")
CO_INVESTIGATOR = User("coi_9999", "of the co-I")
STRANGER = User("stranger_9999", "of a stranger")
IMPOSTOR = User(PI.name, "guessed")
#: A raw file that the archive has not released, and the files that were made private.
RAW_FILE = "PRIVACY.2024-01-11T02:03:04.500"
PRIVATE = ["private", "held"]
OUTSIDERS = {"anonymous": ANONYMOUS, "stranger": STRANGER, "impostor": IMPOSTOR}
INSIDERS = {"PI": PI, "co-I": CO_INVESTIGATOR}


@dataclass(frozen=True)
class Granule:
    """A granule of a file, as the services name it."""

    source: Path
    granule_id: str
    file_id: str
    did: str
    #: Paths below /getproduct/ by what they are: file, uv, visibility, report.
    products: dict[str, str]


@dataclass(frozen=True)
class Programme:
    """The files and where they are."""

    centre: Centre
    private: Granule
    released: Granule
    held: Granule

    def of(self, name: str) -> Granule:
        """The private file of that name."""
        return {"private": self.private, "held": self.held}[name]


def _write(path: Path, hours: tuple[float, ...], word: str, raw: str | None = None) -> None:
    """A file of one night with a word in its header and, as a fault, in the report on it.

    It says that it was made of the raw file.
    """
    facility = load().facility("VLTI")
    assert facility is not None
    star = simulate.Target("SIM SECRET", 77.7, -41.4, simulate.Disk(1.3))
    exposures = simulate.around_transit(
        facility, star, date(2024, 1, 10), hours, ("A0", "G1", "J2", "J3")
    )
    hdus = simulate.simulate(facility, [simulate.PIONIER_GRISM], exposures)
    hdus[0].header["HISTORY"] = word
    if raw is not None:
        hdus[0].header["HIERARCH ESO PRO REC1 RAW1 NAME"] = f"{raw}.fits"
    hdus["OI_VIS2"].header["CORRNAME"] = word  # there is no such OI_CORR
    simulate.write(path, hdus)


def _granule(centre: Centre, source: Path) -> Granule:
    [row] = query(
        centre.url,
        "SELECT granule_id, g.file_id, obs_publisher_did, g.access_url"
        " FROM oidb.granule AS g JOIN oidb.file AS f ON g.file_id=f.file_id"
        f" WHERE file_name='{source.name}'",
    )
    file = row["access_url"].partition("/getproduct/")[2]
    answer = ask(f"{centre.url}/oidb/q/dl/dlmeta?ID={quote(row['obs_publisher_did'], safe='')}")
    products = {"file": file, "report": f"{file}.validation.txt"}
    products |= {kind: f"{file}.0.{kind}.png" for kind in ("uv", "visibility")}
    for path in products.values():
        assert f"/getproduct/{path}" in answer.text or "BINARY" in answer.text
    return Granule(source, row["granule_id"], row["file_id"], row["obs_publisher_did"], products)


@pytest.fixture(scope="module")
def programme(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programme]:
    """The files, ingested with plots, and the users."""
    folder = tmp_path_factory.mktemp("programme")
    folder.chmod(0o755)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    for name, hours, word, release in (
        ("private.fits", (-1.0, 0.0, 1.0), SECRET, "2098-05-06"),
        ("released.fits", (-1.5, 0.5), "Open", yesterday.isoformat()),
    ):
        _write(folder / name, hours, word)
        centre.succeed(
            "ingest", "oifits", str(folder / name), "--collection", "programme",
            "--owner", PI.name, "--release-date", release,
        )  # fmt: skip
    centre.administer(
        *(["adduser", user.name, user.password] for user in (PI, CO_INVESTIGATOR, STRANGER)),
        ["addtogroup", CO_INVESTIGATOR.name, PI.name],
    )
    _write(folder / "held.fits", (-0.5, 0.0, 0.5), SECRET, RAW_FILE)
    centre.succeed(
        "ingest", "oifits", str(folder / "held.fits"), "--collection", "programme",
        "--owner", PI.name,
    )  # fmt: skip
    held = _granule(centre, folder / "held.fits")
    # What anybody has asked for while it was public is in caches, if it is in any.
    for way in DIRECT.values():
        assert way(centre.url, held, ANONYMOUS).status in (200, 206, 304)
    centre.succeed(
        "psql", "-XAtqc", "INSERT INTO obsportal.stored_header (header_id, archive, state, listed,"
        f" obs_release_date) VALUES ('{RAW_FILE}', 'ESO', 'read', now(), '2098-05-05T12:00:00')",
    )  # fmt: skip
    centre.succeed("sync", "oidb")
    yield Programme(
        centre,
        _granule(centre, folder / "private.fits"),
        _granule(centre, folder / "released.fits"),
        held,
    )
    centre.succeed(
        "psql", "-XAtqc", f"DELETE FROM obsportal.stored_header WHERE header_id='{RAW_FILE}'"
    )


# Each way to the content of a file; what it must answer when it is open.

Way = Callable[[str, Granule, User], Answer]


def _product(kind: str, suffix: str = "", **request: str) -> Way:
    def way(url: str, granule: Granule, user: User) -> Answer:
        address = f"{url}/getproduct/{granule.products[kind]}{suffix}"
        method = request.get("method", "GET")
        headers = {k.replace("_", "-"): v for k, v in request.items() if k != "method"}
        return ask(address, user=user, method=method, headers=headers)

    return way


def _get(template: str) -> Way:
    """A GET of a path, with {file}, {did} … filled in, quoted."""

    def way(url: str, granule: Granule, user: User) -> Answer:
        words = {"did": granule.did, **granule.products}
        quoted = {name: quote(value, safe="") for name, value in words.items()}
        return ask(url + template.format(**quoted), user=user)

    return way


def _cutout(**more: str) -> Way:
    def way(url: str, granule: Granule, user: User) -> Answer:
        return ask(f"{url}/oidb/q/cutout/custom", user=user, data={"ID": granule.did, **more})

    return way


DIRECT: dict[str, Way] = {
    "file": _product("file"),
    "file, HEAD": _product("file", method="HEAD"),
    "file, Range": _product("file", Range="bytes=0-99"),
    "file, If-None-Match": _product("file", If_None_Match='"something"'),
    "file, If-None-Match *": _product("file", If_None_Match="*"),
    "file, If-Modified-Since": _product("file", If_Modified_Since="Thu, 31 Dec 2099 00:00:00 GMT"),
    "report": _product("report"),
    "report, HEAD": _product("report", method="HEAD"),
    "uv plot": _product("uv"),
    "uv plot, HEAD": _product("uv", method="HEAD"),
    "visibility plot": _product("visibility"),
    "uv plot by the product service": _get("/__system__/products/p/get/{uv}"),
    "file by the product service": _get("/__system__/products/p/get/{file}"),
    "cut-out": _cutout(),
    "cut-out of a band": _cutout(BAND="1.6e-6 1.7e-6"),
    "cut-out, GET": _get("/oidb/q/cutout/custom?ID={did}"),
}


@pytest.mark.parametrize("way", DIRECT)
@pytest.mark.parametrize("who", INSIDERS)
@pytest.mark.parametrize("file", PRIVATE)
def test_insiders_get_everything(programme: Programme, way: str, who: str, file: str) -> None:
    answer = DIRECT[way](programme.centre.url, programme.of(file), INSIDERS[who])
    assert answer.status in (200, 206, 304), answer.text[:300]


@pytest.mark.parametrize("way", DIRECT)
@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("file", PRIVATE)
def test_outsiders_get_nothing(programme: Programme, way: str, who: str, file: str) -> None:
    answer = DIRECT[way](programme.centre.url, programme.of(file), OUTSIDERS[who])
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert not {"etag", "last-modified", "repr-digest", "content-range"} & set(answer.headers)
    assert SECRET not in answer.text
    assert b"SIMPLE" not in answer.body


@pytest.mark.parametrize("way", DIRECT)
@pytest.mark.parametrize("who", [*OUTSIDERS, *INSIDERS])
def test_everybody_gets_what_is_released(programme: Programme, way: str, who: str) -> None:
    user = {**OUTSIDERS, **INSIDERS}[who]
    answer = DIRECT[way](programme.centre.url, programme.released, user)
    assert answer.status in (200, 206, 304), answer.text[:300]


def test_insiders_get_the_very_file(programme: Programme) -> None:
    for user in INSIDERS.values():
        answer = DIRECT["file"](programme.centre.url, programme.private, user)
        assert answer.body == programme.private.source.read_bytes()
        report = DIRECT["report"](programme.centre.url, programme.private, user)
        assert SECRET in report.text  # or the search for it elsewhere means nothing
        cut = DIRECT["cut-out"](programme.centre.url, programme.private, user)
        with fits.open(io.BytesIO(cut.body)) as hdus:
            assert list(hdus["OI_TARGET"].data["TARGET"]) == ["SIM SECRET"]


@pytest.mark.parametrize("file", PRIVATE)
@pytest.mark.parametrize("kind", ["file", "uv", "visibility", "report"])
@pytest.mark.parametrize(
    "parameters",
    [
        "preview=True", "preview=1&scale=2", "scale=2", "ra=77.7&dec=-41.4&sra=1&sdec=1",
        "preview=True&ra=77.7&dec=-41.4&sra=1&sdec=1", "siap=true", "_FORMAT=tar",
    ],
)  # fmt: skip
def test_processed_forms_of_a_product_are_closed(
    programme: Programme, kind: str, parameters: str, file: str
) -> None:
    product = programme.of(file).products[kind]
    address = f"{programme.centre.url}/getproduct/{product}?{parameters}"
    # The owner first: what was made for him must not be in a cache for others.
    ask(address, user=PI)
    for user in OUTSIDERS.values():
        answer = ask(address, user=user)
        assert answer.status in (401, 404)
        assert not answer.headers["content-type"].startswith(("image", "application"))
        assert SECRET not in answer.text


TARS = {
    "product service": "/getproduct?accref={file}&accref={uv}&accref={report}",
    "product form": (
        "/__system__/products/p/form?accref={file}&accref={uv}&__nevow_form__=genForm&submit=Go"
    ),
    "tar service": "/__system__/products/getTar/get?accref={file}&accref={uv}&accref={report}",
    "tar service by pattern": "/__system__/products/getTar/get?pattern=oidb.%25%23oidb%2F%25",
    "tar form by pattern": (
        "/__system__/products/getTar/form?pattern=oidb.%25%23oidb%2F%25"
        "&__nevow_form__=genForm&submit=Go"
    ),
    "cone search as tar": (
        "/oidb/q/cone/form?hscs_pos=77.7%2C-41.4&hscs_sr=60&_FORMAT=tar"
        "&__nevow_form__=genForm&submit=Go"
    ),
}


@pytest.mark.parametrize("way", TARS)
@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("file", PRIVATE)
def test_archives_leave_out_what_is_private(
    programme: Programme, way: str, who: str, file: str
) -> None:
    answer = _get(TARS[way])(programme.centre.url, programme.of(file), OUTSIDERS[who])
    assert answer.status in (200, 401, 404)
    assert SECRET.encode() not in answer.body
    if answer.headers["content-type"] == "application/x-tar":
        name = Path(programme.of(file).products["file"]).name
        with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
            for member in archive.getmembers():
                if Path(member.name).name.startswith(name):
                    content = archive.extractfile(member)
                    assert content is not None
                    assert content.read() == b"This file is embargoed.  Sorry.\n"


def test_archives_have_what_is_private_for_insiders(programme: Programme) -> None:
    way = _get(TARS["product service"])
    for user in INSIDERS.values():
        answer = way(programme.centre.url, programme.private, user)
        with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
            sizes = sorted(member.size for member in archive.getmembers())
        assert sizes[-1] == programme.private.source.stat().st_size


@pytest.mark.parametrize(
    "path",
    [
        "/__system__/products/dl/dlmeta?ID={file}",
        "/__system__/products/dl/dlmeta?ID=ivo%3A%2F%2Fjmmc.fr%2F~%3F{file}",
        "/__system__/products/dl/dlget?ID=ivo%3A%2F%2Fjmmc.fr%2F~%3F{file}",
        "/__system__/products/dl/dlasync?ID=ivo%3A%2F%2Fjmmc.fr%2F~%3F{file}",
        "/oidb/q/dl/dlmeta?ID={did}",
        "/resources/links/dl/dlmeta?ID={did}",
        "/resources/links/dl/dlget?ID={did}",
        "/oidb/q/dl/dlmeta?ID={file}",
        "/oidb/q/dl/dlget?ID={did}",
        "/oidb/q/dl/dlasync?ID={did}",
        "/__system__/datalink/dl/dlget?ID={file}",
        "/__system__/soda/dl/dlget?ID={file}",
        "/oidb/q/dl/static/{file}",
        "/oidb/q/cone/static/{file}",
        "/oidb/q/cutout/static/{file}",
        "/oidb/q/static/{file}",
        "/tableinfo/oidb.stored_file",
        "/tableinfo/oidb.stored_finding",
        "/tableinfo/oidb.stored_baseline",
        "/tableinfo/oidb.file",
        "/tableinfo/oidb.baseline",
        "/tableinfo/oidb.finding",
        "/tablenote/oidb.granule/flags",
        "/browse/oidb/q",
        "/oidb/q/cone/info",
        "/oidb/q/cone/scs.xml?RA=77.7&DEC=-41.4&SR=1&VERB=3",
        "/oidb/q/cone/form?hscs_pos=77.7%2C-41.4&hscs_sr=60&__nevow_form__=genForm&submit=Go",
        "/oai.xml?verb=ListRecords&metadataPrefix=ivo_vor",
        "/__system__/dc_tables/list/form",
        "/__system__/tap/run/tables",
    ],
)
def test_descriptions_tell_nothing_private(programme: Programme, path: str) -> None:
    for user in (ANONYMOUS, STRANGER):
        answer = _get(path)(programme.centre.url, programme.private, user)
        assert SECRET.encode() not in answer.body
        assert b"SIMPLE  =" not in answer.body
        assert str(programme.centre.root).encode() not in answer.body
        assert programme.private.source.parent.name.encode() not in answer.body
        assert PI.name.encode() not in answer.body


def _escapes(centre: Centre, granule: Granule) -> Iterator[str]:
    """Paths to the private file, or to secrets of the instance, out of what is served."""
    name = Path(granule.products["file"]).name
    checksum = query(centre.url, f"SELECT sha256 FROM oidb.file WHERE file_id={granule.file_id}")[
        0
    ]["sha256"]
    store = f"products/{checksum[:2]}/{checksum}/{name}"
    stored = f"{centre.root}/{store}"
    ups = ("../" * 12, "%2e%2e/" * 12, "%2e%2e%2f" * 12, "..%5c" * 12, "..%252f" * 12, "/", "//")
    for start in ("static", "getproduct", "getproduct/oidb", "schemata", ".well-known", "3rdparty",
                  "oidb/q/dl/static", "oidb/q/cutout/static", "oidb/q/cutout/custom"):  # fmt: skip
        for up in ups:
            yield f"/{start}/{up}{stored.lstrip('/')}"
            yield f"/{start}/{up}{quote(stored.lstrip('/'), safe='')}"
            yield f"/{start}/{up}etc/passwd"
    yield f"/{store}"
    yield f"/static/{store}"
    for name in ("state.json", "dachs/etc/gavo.rc", "dachs/etc/dsn", "logs/server.log"):
        yield f"/{name}"
        yield f"/static/../{name}"
        yield f"/static/%2e%2e/%2e%2e/%2e%2e/{name}"
        yield f"/getproduct/{centre.root}/{name}"
    yield f"/getproduct/{stored}"
    yield f"/getproduct/{store}"


def test_nothing_comes_from_outside_what_is_served(programme: Programme) -> None:
    for path in _escapes(programme.centre, programme.private):
        answer = ask(programme.centre.url + path)
        assert answer.status in (301, 302, 400, 401, 403, 404), f"{path}: {answer.status}"
        assert b"SIMPLE  =" not in answer.body, path
        assert b"root:" not in answer.body, path
        assert b"adminpasswd" not in answer.body, path


@pytest.mark.parametrize("which", PRIVATE)
def test_what_tap_says_of_a_private_file(programme: Programme, which: str) -> None:
    """Its existence, target and time; not its measurements nor what the validation found."""
    url, private, released = programme.centre.url, programme.of(which), programme.released

    def file(granule: Granule) -> dict[str, str]:
        [row] = query(url, f"SELECT * FROM oidb.file WHERE file_id={granule.file_id}")
        return row

    assert file(private)["data_rights"] == "proprietary"
    assert file(private)["obs_release_date"].startswith("2098-05-06")
    assert file(private)["n_errors"] == file(private)["n_warnings"] == file(private)["url"] == ""
    assert file(released)["data_rights"] == "public"
    assert int(file(released)["n_errors"]) + int(file(released)["n_warnings"]) > 0

    counts = (
        "SELECT COUNT(*) AS n, COUNT(vis2) AS vis2, COUNT(vis2_err) AS vis2_err"
        " FROM oidb.baseline WHERE granule_id="
    )
    assert query(url, counts + private.granule_id) == [{"n": "18", "vis2": "0", "vis2_err": "0"}]
    assert query(url, counts + released.granule_id) == [{"n": "12", "vis2": "12", "vis2_err": "12"}]
    found = "SELECT COUNT(*) AS n FROM oidb.finding WHERE file_id="
    assert query(url, found + private.file_id) == [{"n": "0"}]
    assert query(url, found + released.file_id) != [{"n": "0"}]

    rights = "SELECT data_rights, obs_release_date FROM ivoa.obscore WHERE obs_publisher_did="
    [row] = query(url, f"{rights}'{private.did}'")
    assert row["data_rights"] == "proprietary"
    assert row["obs_release_date"].startswith("2098-05-06")
    [row] = query(url, f"{rights}'{released.did}'")
    assert row["data_rights"] == "public"
    former = "SELECT data_rights FROM oidb WHERE obs_publisher_did="
    assert query(url, f"{former}'{private.did}'") == [{"data_rights": "secure"}]
    assert query(f"{url}/vollt", f"{former}'{private.did}'") == [{"data_rights": "secure"}]


@pytest.mark.parametrize("which", PRIVATE)
def test_conditions_on_private_values_find_nothing(programme: Programme, which: str) -> None:
    """A condition on a value that is not shown would tell it by bisection."""
    url, key = programme.centre.url, f"granule_id={programme.of(which).granule_id}"
    for condition in ("vis2 > 0", "vis2 < 2", "vis2 = vis2", "NOT vis2 > 3", "vis2_err > 0"):
        sql = f"SELECT COUNT(*) AS n FROM oidb.baseline WHERE {key} AND {condition}"
        assert query(url, sql) == [{"n": "0"}], condition


@pytest.mark.parametrize(
    "table",
    [
        "oidb.stored_file", "oidb.stored_baseline", "oidb.stored_finding", "oidb.stored_product",
        "oidb.ingestion", "obsportal.stored_header", "obsportal.stored_observation",
        "obsportal.sync", "dc.products", "dc.users", "dc.groups", "pg_catalog.pg_class",
        "pg_stat_activity", "information_schema.tables", "tap_schema.tapjobs", "uws.userjobs",
    ],
)  # fmt: skip
def test_closed_tables_cannot_be_queried(programme: Programme, table: str) -> None:
    refused(programme.centre.url, f"SELECT * FROM {table}")
    schema, _, name = table.rpartition(".")
    listed = query(
        programme.centre.url, f"SELECT * FROM tap_schema.tables WHERE table_name='{table}'"
    )
    assert not listed
    assert not query(
        programme.centre.url,
        f"SELECT * FROM tap_schema.columns WHERE table_name IN ('{table}', '{schema}.\"{name}\"')",
    )


def test_the_database_role_of_queries_cannot_read_closed_tables(programme: Programme) -> None:
    """Should a query get past the ADQL parser, PostgreSQL refuses."""
    tables = programme.centre.succeed(
        "psql", "-XAt", "-c",
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE (tablename LIKE 'stored%'"
        " OR tablename IN ('ingestion', 'sync', 'products', 'users', 'groups'))"
        " AND schemaname IN ('oidb', 'obsportal', 'dc')"
        " AND has_table_privilege('untrusted', schemaname || '.' || tablename, 'SELECT')",
    )  # fmt: skip
    assert tables.split() == []


def test_no_column_tells_where_files_lie(programme: Programme) -> None:
    listed = query(
        programme.centre.url,
        "SELECT table_name, column_name FROM tap_schema.columns"
        " WHERE column_name IN ('source', 'accesspath', 'owner', 'accref', 'embargo', 'password')"
        " AND table_name!='obsportal.quality'",  # its source is who gave a grade
    )
    assert listed == []


def test_release_is_at_the_beginning_of_the_day(programme: Programme, tmp_path: Path) -> None:
    """Of its release date, in UTC, at the same instant on each way out."""
    centre = programme.centre
    tmp_path.chmod(0o755)
    today = datetime.now(UTC).date()
    granules = {}
    for number, day in enumerate((today, today + timedelta(days=1))):
        path = tmp_path / f"day{number}.fits"
        _write(path, (0.1 + number,), "Open")
        centre.succeed(
            "ingest", "oifits", str(path), "--collection", "programme",
            "--owner", PI.name, "--release-date", day.isoformat(), "--no-plots",
        )  # fmt: skip
        [row] = query(
            centre.url,
            "SELECT granule_id, g.file_id, obs_publisher_did, g.access_url, data_rights"
            " FROM oidb.granule AS g JOIN oidb.file AS f ON g.file_id=f.file_id"
            f" WHERE file_name='{path.name}'",
        )
        granules[day] = row
    if datetime.now(UTC).date() != today:
        pytest.skip("midnight came in between")
    for day, open_ in ((today, True), (today + timedelta(days=1), False)):
        row = granules[day]
        assert row["data_rights"] == ("public" if open_ else "proprietary")
        file = ask(row["access_url"])
        cut = ask(f"{centre.url}/oidb/q/cutout/custom", data={"ID": row["obs_publisher_did"]})
        assert [file.status, cut.status] == ([200, 200] if open_ else [401, 401])
        [count] = query(
            centre.url,
            f"SELECT COUNT(vis2) AS n FROM oidb.baseline WHERE granule_id={row['granule_id']}",
        )
        assert (int(count["n"]) > 0) == open_


def test_the_log_has_no_passwords_and_no_content(programme: Programme) -> None:
    """Logs are read by more people than data are."""
    DIRECT["file"](programme.centre.url, programme.private, PI)
    DIRECT["file"](programme.centre.url, programme.private, IMPOSTOR)
    logs = [*programme.centre.root.glob("logs/*"), *programme.centre.root.glob("dachs/logs/*")]
    text = "".join(path.read_text(errors="replace") for path in logs if path.is_file())
    assert programme.private.products["file"] in text
    for user in (PI, CO_INVESTIGATOR, STRANGER, IMPOSTOR):
        assert user.password not in text
    assert SECRET not in text


def test_wrong_authorisation_headers_are_refused_politely(programme: Programme) -> None:
    address = f"{programme.centre.url}/getproduct/{programme.private.products['file']}"
    for value in ("Basic", "Basic !!!", "Basic Og==", "Bearer abc", "Basic /////w==", "Digest x"):
        answer = ask(address, headers={"Authorization": value})
        assert answer.status == 401, f"{value}: {answer.status}"
    long = User(PI.name, "x" * 5000)
    assert ask(address, user=long).status in (401, 403)


def test_the_database_cannot_be_reached_from_the_network(centre: Centre) -> None:
    """PostgreSQL trusts whoever reaches its socket, so only its own account may."""
    said = centre.succeed("psql", "-XAt", "-c", "SHOW unix_socket_directories")
    assert Path(said.strip()).stat().st_mode & 0o077 == 0
    assert centre.succeed("psql", "-XAt", "-c", "SHOW listen_addresses").strip() == ""


def test_secrets_of_the_instance_are_closed_to_others(centre: Centre) -> None:
    for name in ("state.json", "dachs/etc/gavo.rc"):
        assert (centre.root / name).stat().st_mode & 0o077 == 0, name
    assert json.loads((centre.root / "state.json").read_text())["adminpasswd"]


def test_private_files_are_closed_to_other_accounts_of_the_machine(centre: Centre) -> None:
    assert (centre.root / "products").stat().st_mode & 0o077 == 0
