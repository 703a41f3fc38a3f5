"""DaCHS' part of an instance: its root, its system tables, our RDs and their publication."""

import hashlib
import shlex
import subprocess
from collections.abc import Sequence

from centre import CentreError, cluster
from centre.instance import CHECKOUT, Instance

# System RDs that `dachs init` leaves out and ours build on.
_SYSTEM_RDS = ("//obscore", "//obs-radio")
# Has the extra columns of ObsCore, which every contributing table must then have.
_SITE = "etc/userconfig"
# Whose tables the views of other data sets look at.
_FIRST = "oidb"
# Where data sets meet.
_MEETING = "jmmc"
# What our data sets share.
_COMMON = ("resources/users", "resources/links")
# What `dachs each` says before each command.
_NEXT = "== dachs "
# System RDs with registry records.
_PUBLISHED_SYSTEM_RDS = ("//services", "//tap", "//products", "//adql", "//obscore", "//obs-radio")


def data_sets() -> list[str]:
    """Names of the data sets: the folders of the checkout that have a q.rd."""
    return sorted(path.parent.name for path in CHECKOUT.glob("*/q.rd"))


def rds() -> list[str]:
    """Identifiers of our RDs: the common ones, of each data set q and what builds on it.

    Views come after the tables that they are of: last the room where data sets meet.
    """
    found = list(_COMMON)
    for name in sorted(data_sets(), key=lambda name: (name == _MEETING, name != _FIRST, name)):
        stems = (path.stem for path in (CHECKOUT / name).glob("*.rd"))
        found += [f"{name}/{stem}" for stem in sorted(stems, key=lambda stem: (stem != "q", stem))]
    return found


def run(instance: Instance, arguments: list[str], failure: str, **environment: str) -> str:
    """Output of a dachs command; CentreError with the first error it reports when it fails.

    All it says goes to logs/setup.log.
    """
    return _run(instance, arguments, failure, None, environment)


def run_each(instance: Instance, commands: Sequence[tuple[str, list[str]]]) -> None:
    """Runs dachs commands one after the other, loading DaCHS only once.

    Before each is what could not be done, for the CentreError when it is the first that fails.
    """
    lines = "".join(f"{shlex.join(command)}\n" for _, command in commands)
    _run(instance, ["each"], [failure for failure, _ in commands], lines, {})


def _run(
    instance: Instance,
    arguments: list[str],
    failures: str | list[str],
    given: str | None,
    environment: dict[str, str],
) -> str:
    log = instance.logs / "setup.log"
    result = subprocess.run(
        [str(instance.dachs_command), *arguments],
        env={**instance.environment(), **environment},
        cwd=instance.root,
        input=given or "",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with log.open("a") as file:
        file.write(f"\n== dachs {' '.join(arguments)}\n{result.stdout}")
    # DaCHS reports some failures with exit code 0, and goes on for several lines.
    before, mark, message = result.stdout.partition("*** ")
    if result.returncode != 0 or mark:
        words = " ".join((message or result.stdout or "no message").split())
        if isinstance(failures, str):
            failure = failures
        else:
            begun = before.count(_NEXT)
            failure = failures[begun - 1] if begun else "DaCHS does not start"
        raise CentreError(f"{failure}: {words[:400]} (all of it: {log})")
    return result.stdout


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
    run_each(instance, [(f"{rd} cannot be imported", ["imp", rd]) for rd in _SYSTEM_RDS])
    instance.update_state(dachs=True)


def import_rds(instance: Instance) -> list[str]:
    """Imports each RD that is new or has changed since it was imported; names them.

    That drops no row: what `dachs imp` does without being told more must be `updating` in our
    RDs, or a view. Raises CentreError, and imports nothing, when a table has got another structure
    in the RD than it has in the database, for only the operator can say that its rows may go.
    """
    imported: dict[str, str] = instance.read_state().get("imported", {})
    now = {rd: _digest(rd) for rd in (_SITE, *rds())}
    changed = [rd for rd, digest in now.items() if imported.get(rd) != digest]
    ours = [rd for rd in changed if rd != _SITE]
    if ours:
        print(f"Importing {', '.join(ours)} ...", flush=True)
        commands = [(f"{rd} cannot be imported", ["imp", rd]) for rd in ours]
        if imported:  # tables are there already
            again = [rd for rd in ours if rd in imported]
            commands = [
                ("Nothing is imported", ["compare", *ours]),
                *commands,
                *((f"{rd} cannot be described", ["imp", "-m", rd]) for rd in again),
                # Of all, for those that were imported before may lack some, too.
                ("The indexes cannot be made", ["index", *rds()]),
            ]
        run_each(instance, commands)
    if any(rd in imported for rd in changed):
        # The views over all data sets are made of what each said when it was imported.
        views = [["//obscore"], ["//obs-radio", "create"]]
        if _SITE in changed:
            views.insert(0, ["//obscore", "refreshAfterSchemaUpdate"])
        for view in views:
            run(instance, ["imp", *view], f"{view[0]} cannot be brought up to date")
    if changed:
        instance.update_state(imported=now)
    return changed


def _digest(rd: str) -> str:
    return hashlib.sha256((CHECKOUT / f"{rd}.rd").read_bytes()).hexdigest()


def publish(instance: Instance) -> None:
    """Writes the registry records of everything that is to be published."""
    run(instance, ["pub", *_PUBLISHED_SYSTEM_RDS, *rds()], "The registry records cannot be written")
    instance.update_state(published=instance.url)


def measure(instance: Instance) -> None:
    """Determines coverage and statistics of the tables, which the registry records contain."""
    run(instance, ["limits", *rds(), "//obscore"], "The coverage cannot be determined")


def publish_all(instance: Instance) -> None:
    """The operator's command: `measure` and `publish`, with a word at the end."""
    with cluster.running(instance):
        measure(instance)
        publish(instance)
    print(f"Published for {instance.url}/oai.xml.")
