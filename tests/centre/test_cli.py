"""The command line as an operator meets it: exit codes and sentences, with nothing running."""

import fcntl
import json
import os
import socket
import subprocess
from datetime import date
from pathlib import Path

import psycopg2
import pytest

from centre import CentreError, cli, oifits, operations, server
from centre.instance import CHECKOUT, Instance


def jmmc(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs bin/jmmc in a process of its own."""
    return subprocess.run(
        [str(CHECKOUT / "bin" / "jmmc"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["init"],
        ["start"],
        ["stop"],
        ["serve"],
        ["status"],
        ["publish"],
        ["demo"],
        ["ingest"],
        ["ingest", "oifits"],
        ["check", "oifits"],
    ],
)
def test_help_is_there_for_every_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, "--help"])
    assert ended.value.code == cli.DONE
    assert "usage: jmmc" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["launch"],
        ["init", "now"],
        ["ingest"],
        ["ingest", "votable", "x"],
        ["ingest", "oifits"],
        ["ingest", "oifits", "x.fits", "--level", "4"],
        ["ingest", "oifits", "x.fits", "--release-date", "soon"],
        ["ingest", "oifits", "x.fits", "--release-date", "2024-02-30"],
        ["check", "oifits", "x.fits", "--format", "xml"],
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == cli.WRONG_USAGE
    assert "usage: jmmc" in capsys.readouterr().err


def test_options_of_a_passed_on_command_are_not_taken_for_our_own() -> None:
    options = cli._parser().parse_args(cli._guard_rest(["dachs", "imp", "-m", "oidb/q", "--help"]))
    assert options.rest == ["imp", "-m", "oidb/q", "--help"]
    options = cli._parser().parse_args(cli._guard_rest(["psql", "-c", "SELECT 1"]))
    assert options.rest == ["-c", "SELECT 1"]


@pytest.mark.parametrize("command", ["start", "stop", "status", "publish", "demo"])
def test_no_instance(command: str, tmp_path: Path) -> None:
    root = tmp_path / "nowhere"
    result = jmmc(command, JMMC_ROOT=str(root))
    assert result.returncode == cli.FAILED
    assert f"There is no instance in {root}" in result.stderr
    assert "bin/jmmc init" in result.stderr
    assert "Traceback" not in result.stderr
    assert not root.exists(), "asking for an instance must not make one"


def test_half_made_instance(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    result = jmmc("start", JMMC_ROOT=str(tmp_path))
    assert result.returncode == cli.FAILED
    assert "is not complete; run `bin/jmmc init` again" in result.stderr


def test_half_made_instance_can_be_looked_at_and_stopped(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    operations.require(an_instance(tmp_path), complete=False)
    with pytest.raises(CentreError, match="not complete"):
        operations.require(an_instance(tmp_path))


def test_a_directory_used_for_something_else_is_left_alone(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives directories away")
    (tmp_path / "thesis.tex").touch()
    result = jmmc("init", JMMC_ROOT=str(tmp_path))
    assert result.returncode == cli.FAILED
    assert f"{tmp_path} has other things in it" in result.stderr
    assert tmp_path.stat().st_uid == 0


def test_damaged_state(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"complete"')
    result = jmmc("start", JMMC_ROOT=str(tmp_path))
    assert result.returncode == cli.FAILED
    assert result.stderr.count("\n") == 1
    assert "state.json is damaged" in result.stderr


def test_a_database_that_fails_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise psycopg2.OperationalError("connection refused\n\tIs the server running?\n")

    monkeypatch.setattr(cli, "_instance", fail)
    assert cli.main(["stop"]) == cli.FAILED
    assert capsys.readouterr().err == (
        "jmmc: the database: connection refused Is the server running?\n"
    )


@pytest.mark.parametrize("port", ["", "0", "65536", "80a", "-1", "8080 "])
def test_no_port(port: str, tmp_path: Path) -> None:
    result = jmmc("init", JMMC_PORT=port, JMMC_ROOT=str(tmp_path))
    assert result.returncode == cli.FAILED
    assert result.stderr == f"jmmc: JMMC_PORT must be a number from 1 to 65535, not '{port}'.\n"


def test_occupied_port_names_who_has_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CentreError) as error:
            server.check_port(an_instance(tmp_path, port=port))
    assert f"Port {port} of 127.0.0.1 cannot be used" in str(error.value)
    assert f"(process {os.getpid()}) listens there" in str(error.value)


def test_free_port_is_free(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    server.check_port(an_instance(tmp_path, port=port))


def test_missing_file_is_named(tmp_path: Path) -> None:
    result = jmmc("check", "oifits", str(tmp_path / "nothing*.fits"))
    assert result.returncode == cli.FAILED
    assert result.stderr == f"jmmc: {tmp_path}/nothing*.fits: no such file or folder.\n"


def test_patterns_files_and_folders_are_expanded(tmp_path: Path) -> None:
    for name in ("b.fits", "a.fits", "odd [1].fits"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    assert oifits.expand([f"{tmp_path}/?.fits", f"{tmp_path}/odd [1].fits", f"{tmp_path}/sub"]) == [
        tmp_path / "a.fits",
        tmp_path / "b.fits",
        tmp_path / "odd [1].fits",
        tmp_path / "sub",
    ]


def test_ingest_options() -> None:
    options = cli._parser().parse_args(
        ["ingest", "oifits", "a", "b", "--level", "3", "--release-date", "2030-01-02"]
    )
    assert options.paths == ["a", "b"]
    assert options.level == 3
    assert options.release_date == date(2030, 1, 2)


def test_a_number_in_a_stale_pid_file_is_not_a_server(tmp_path: Path) -> None:
    instance = an_instance(tmp_path)
    instance.run.mkdir()
    (instance.run / "server.pid").write_text(str(os.getpid()))
    assert server.pid(instance) is None
    with (instance.run / "server.pid").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert server.pid(instance) == os.getpid()


def test_processes_are_known_by_their_numbers(tmp_path: Path) -> None:
    instance = an_instance(tmp_path)
    instance.run.mkdir()
    for name, number in (("server", 11), ("server-2", 12), ("server-10", 20)):
        (instance.run / f"{name}.pid").write_text(str(number))
    with (
        (instance.run / "server-2.pid").open() as second,
        (instance.run / "server-10.pid").open() as tenth,
    ):
        fcntl.flock(second, fcntl.LOCK_EX)
        fcntl.flock(tenth, fcntl.LOCK_EX)
        assert server.pids(instance) == {2: 12, 10: 20}
        assert server.pid(instance) == 12
    assert server.pids(instance) == {}


def test_state_survives_and_is_private(tmp_path: Path) -> None:
    instance = an_instance(tmp_path)
    instance.update_state(first=1)
    instance.update_state(second="two")
    assert instance.read_state() == {"first": 1, "second": "two"}
    assert json.loads((tmp_path / "state.json").read_text())["first"] == 1
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0


def an_instance(root: Path, port: int = 8080) -> Instance:
    """An instance that is only a name."""
    return Instance(root=root, port=port, bind="127.0.0.1", url=f"http://localhost:{port}")
