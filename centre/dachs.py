"""DaCHS' part of an instance: its root, its system tables, our RDs and their publication."""

import hashlib
import subprocess
from pathlib import Path

from centre import CentreError, cluster
from centre.instance import CHECKOUT, Instance

# System RDs that `dachs init` leaves out and ours build on.
_SYSTEM_RDS = ("//obscore", "//obs-radio")
# System RDs with registry records.
_PUBLISHED_SYSTEM_RDS = ("//services", "//tap", "//products", "//adql", "//obscore", "//obs-radio")


def data_sets() -> list[str]:
    """Names of the data sets: the folders of the checkout that have a q.rd."""
    return sorted(path.parent.name for path in CHECKOUT.glob("*/q.rd"))


def run(instance: Instance, arguments: list[str], failure: str, **environment: str) -> None:
    """Runs a dachs command; CentreError with the first error it reports when it fails.

    All it says goes to logs/setup.log.
    """
    log = instance.logs / "setup.log"
    result = subprocess.run(
        ["/usr/bin/dachs", *arguments],
        env={**instance.environment(), **environment},
        cwd=instance.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with log.open("a") as file:
        file.write(f"\n== dachs {' '.join(arguments)}\n{result.stdout}")
    # DaCHS reports some failures with exit code 0, and goes on for several lines.
    _, mark, message = result.stdout.partition("*** ")
    if result.returncode != 0 or mark:
        words = " ".join((message or result.stdout or "no message").split())
        raise CentreError(f"{failure}: {words[:400]} (all of it: {log})")


def initialise(instance: Instance) -> None:
    """Makes DaCHS' root and system tables; over a half-made root it starts again."""
    if instance.read_state().get("dachs"):
        return
    # It wants to write to its inputs directory, for which the checkout is not meant.
    run(
        instance,
        ["init", "--dsn", instance.dsn()],
        "DaCHS cannot be set up",
        GAVO_INPUTSDIR=str(instance.dachs / "inputs"),
    )
    for rd in _SYSTEM_RDS:
        run(instance, ["imp", rd], f"{rd} cannot be imported")
    instance.update_state(dachs=True)


def import_rds(instance: Instance) -> list[str]:
    """Imports each RD that is new or has changed since it was imported; names them.

    A new one makes its tables. Of a changed one only the metadata is taken over, for that
    never drops a row.
    """
    state = instance.read_state()
    imported: dict[str, str] = state.get("imported", {})
    changed = []
    for name in data_sets():
        rd = f"{name}/q"
        digest = _digest(CHECKOUT / f"{rd}.rd")
        if imported.get(rd) == digest:
            continue
        option = ["-m"] if rd in imported else []
        run(instance, ["imp", *option, rd], f"{rd} cannot be imported")
        imported[rd] = digest
        instance.update_state(imported=imported)
        changed.append(rd)
    return changed


def publish(instance: Instance) -> None:
    """Writes the registry records of everything that is to be published.

    Coverage and statistics, which are part of them, are taken from the tables first.
    """
    rds = [f"{name}/q" for name in data_sets()]
    run(instance, ["limits", "//obscore", *rds], "The coverage cannot be determined")
    run(instance, ["pub", *_PUBLISHED_SYSTEM_RDS, *rds], "The registry records cannot be written")
    instance.update_state(published=instance.url)


def publish_all(instance: Instance) -> None:
    """The operator's command: `publish` with a cluster and a word at the end."""
    with cluster.running(instance):
        publish(instance)
    print(f"Published for {instance.url}/oai.xml.")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
