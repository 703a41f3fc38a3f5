"""Where an instance is and what settings are made from it."""

import configparser
import json
import os
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from centre import CentreError
from centre.instance import CHECKOUT, Instance


def test_defaults() -> None:
    instance = Instance.from_environment({})
    assert instance.root == CHECKOUT / "var"
    assert (instance.port, instance.bind) == (8080, "127.0.0.1")
    assert instance.url == "http://localhost:8080"


def test_environment_overrides() -> None:
    instance = Instance.from_environment(
        {"JMMC_ROOT": "/srv/oidb", "JMMC_PORT": "80", "JMMC_URL": "https://vo.jmmc.fr/"}
    )
    assert (instance.root, instance.port) == (Path("/srv/oidb"), 80)
    assert instance.url == "https://vo.jmmc.fr"


def test_several_processes_and_machines() -> None:
    instance = Instance.from_environment(
        {
            "JMMC_ROOT": "/srv/jmmc",
            "JMMC_PROCESSES": "4",
            "JMMC_MACHINE": "front-2",
            "JMMC_DATABASE": "host=db.example.org user=boss passfile=/srv/password",
            "JMMC_REPLICA": "host=replica.example.org port=5433",
        }
    )
    assert instance.processes == 4
    own = Path("/srv/jmmc/machines/front-2")
    for path in (instance.run, instance.logs, instance.settings, instance.dachs_command):
        assert path.is_relative_to(own)
    for path in (instance.locks, instance.products, instance.dachs, instance.config):
        assert not path.is_relative_to(own)
    assert parse_dsn(instance.dsn("postgres")) == {
        "host": "db.example.org",
        "user": "boss",
        "passfile": "/srv/password",
        "dbname": "postgres",
    }
    assert instance.replica == instance.environment()["JMMC_REPLICA"]
    assert instance.environment()["GAVOSETTINGS"] == str(own / "gavo.rc")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JMMC_PROCESSES", "0"),
        ("JMMC_PROCESSES", "two"),
        ("JMMC_PROCESSES", "100"),
        ("JMMC_MACHINE", "../b"),
        ("JMMC_MACHINE", "b c"),
        ("JMMC_DATABASE", "password=secret and more"),
        ("JMMC_REPLICA", "hots=replica"),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(CentreError, match=f"^{name} must be") as refused:
        Instance.from_environment({name: value})
    assert "secret" not in str(refused.value)


def test_profiles_of_another_database(tmp_path: Path) -> None:
    environ = {"JMMC_ROOT": str(tmp_path), "JMMC_DATABASE": "host=db.example.org port=5433 user=x"}
    instance = Instance.from_environment(environ)
    instance.write_settings()
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(instance.settings)
    folders = settings["db"]["profilePath"].split(":")
    assert folders == [str(tmp_path / "database"), str(instance.config)]
    lines = (tmp_path / "database" / "dsn").read_text().splitlines()
    assert lines[:3] == ["database = gavo", "host = db.example.org", "port = 5433"]
    Instance.from_environment({"JMMC_ROOT": str(tmp_path)}).write_settings()
    settings.read(instance.settings)
    assert settings["db"]["profilePath"] == str(instance.config)


def test_relative_root_is_below_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Instance.from_environment({"JMMC_ROOT": "here"}).root == tmp_path / "here"


@pytest.mark.parametrize(
    "root",
    ["/srv/" + "long" * 30, "/srv/with blank", "/srv/with#hash", "/srv/with'quote", "/srv/étoile"],
)
def test_socket_moves_when_the_path_cannot_serve(root: str) -> None:
    sockets = Instance.from_environment({"JMMC_ROOT": root}).sockets
    assert sockets.parent == Path("/tmp")
    assert sockets != Instance.from_environment({"JMMC_ROOT": root + "2"}).sockets
    assert sockets == Instance.from_environment({"JMMC_ROOT": root}).sockets


def test_longest_socket_path_the_kernel_takes() -> None:
    ending = "/run/.s.PGSQL.5432"
    fits = "/" + "x" * (107 - len(ending) - 1)
    assert Instance.from_environment({"JMMC_ROOT": fits}).sockets == Path(fits) / "run"
    assert Instance.from_environment({"JMMC_ROOT": fits + "x"}).sockets.parent == Path("/tmp")


def test_nothing_of_the_callers_settings_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAVOCUSTOM", "/home/me/.gavorc")
    monkeypatch.setenv("PYTHONPATH", "/home/me/lib")
    monkeypatch.setenv("PGHOST", "elsewhere")
    environment = Instance.from_environment({"JMMC_ROOT": "/srv/oidb"}).environment()
    assert not Path(environment["GAVOCUSTOM"]).exists()
    assert environment["PYTHONPATH"] == str(CHECKOUT)
    assert environment["PATH"].startswith("/srv/oidb/bin:/usr/local/bin:/usr/bin")
    assert "PGHOST" not in environment


def test_written_settings(tmp_path: Path) -> None:
    instance = Instance.from_environment({"JMMC_ROOT": str(tmp_path), "JMMC_PORT": "8123"})
    instance.write_settings()
    first = (instance.config / "gavo.rc").read_text()
    settings = configparser.ConfigParser(interpolation=None)
    settings.read_string(first)
    assert settings["general"]["inputsDir"] == str(CHECKOUT)
    assert settings["web"]["serverPort"] == "8123"
    assert settings["web"]["serverURL"] == "http://localhost:8123"
    assert len(settings["web"]["adminpasswd"]) >= 20
    assert "$" not in first
    assert (instance.config / "gavo.rc").stat().st_mode & 0o077 == 0
    assert (instance.config / "userconfig.rd").resolve() == CHECKOUT / "etc" / "userconfig.rd"
    instance.write_settings()
    assert (instance.config / "gavo.rc").read_text() == first, "the password must stay"


def test_vocabularies_lie_where_dachs_looks(tmp_path: Path) -> None:
    utils = pytest.importorskip("gavo.utils")
    instance = Instance.from_environment({"JMMC_ROOT": str(tmp_path)})
    instance.write_settings()
    for name in ("uat", "product-type", "datalink/core", "voresource/content_level"):
        file = utils.defuseFileName("http://www.ivoa.net/rdf/" + name)
        content = json.loads((instance.dachs / "cache" / file).read_text())
        assert content["uri"] == "http://www.ivoa.net/rdf/" + name


def vocabulary_files() -> list[Path]:
    """Our copies of IVOA vocabularies."""
    return sorted((CHECKOUT / "etc" / "vocabularies").rglob("*.json"))


@pytest.mark.parametrize("path", vocabulary_files(), ids=lambda path: path.stem)
def test_vocabularies_are_whole(path: Path) -> None:
    vocabulary = json.loads(path.read_text())
    assert vocabulary["uri"].endswith(
        os.fspath(path.relative_to(CHECKOUT / "etc" / "vocabularies").with_suffix(""))
    )
    terms = vocabulary["terms"]
    for name, term in terms.items():
        assert term["label"]
        for other in term["wider"]:
            assert name in terms[other]["narrower"]
        for other in term["narrower"]:
            assert other in terms, f"{other} is missing in {path.name}"
