"""The operator's command line: arguments and exit codes.

Every command honours JMMC_ROOT (the instance's directory, default: var/ in the checkout), JMMC_PORT
(default 8080), JMMC_BIND (address to listen on, default 127.0.0.1) and JMMC_URL (the address the
world uses, default http://localhost:PORT).
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import psycopg2

from centre import (
    CentreError,
    account,
    badcal,
    cluster,
    dachs,
    jmdc,
    jsdc,
    obsportal,
    oifits,
    olbin,
    operations,
    stars,
    status,
    sync,
    users,
)
from centre.instance import Instance

DONE, FAILED, WRONG_USAGE = 0, 1, 2

_ENVIRONMENT = """\
environment:
  JMMC_ROOT   directory of the instance (default: var in the checkout)
  JMMC_PORT   port of the server (default: 8080)
  JMMC_BIND   address the server listens on (default: 127.0.0.1)
  JMMC_URL    address by which the world knows the server (default: http://localhost:PORT)

There are more, for several processes and machines: etc/README.md.

exit codes: 0 done, 1 failed, 2 wrong usage
"""


def main(arguments: list[str]) -> int:
    """Runs one command; returns its exit code: 0 done, 1 failed, 2 wrong usage."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    options = _parser().parse_args(_guard_rest(arguments))
    try:
        return int(options.run(options) or DONE)
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing must be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (CentreError, OSError) as error:
        print(f"jmmc: {error}", file=sys.stderr)
    except psycopg2.Error as error:
        print(f"jmmc: the database: {' '.join(str(error).split())}", file=sys.stderr)
    except KeyboardInterrupt:
        print("jmmc: interrupted", file=sys.stderr)
    return FAILED


def _guard_rest(arguments: list[str]) -> list[str]:
    """Keeps argparse from taking the options of a passed-on command for its own."""
    if arguments[:1] in (["dachs"], ["psql"]) and arguments[1:2] != ["--"]:
        return [arguments[0], "--", *arguments[1:]]
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jmmc",
        description="Sets up, runs and fills an instance of the JMMC data centre.",
        epilog=_ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[Instance], int | None], help: str) -> None:
        added = commands.add_parser(name, help=help, description=help)
        makes, complete = name in ("init", "serve"), name not in ("stop", "status")
        added.set_defaults(run=lambda _: run(_instance(makes=makes, complete=complete)))

    command("init", operations.init, "Make the instance, or bring it up to date with the checkout.")
    command("start", operations.start, "Start it in the background; returns when it answers.")
    command("stop", operations.stop, "Stop the server and its database.")
    command("serve", operations.serve, "Make, fill and run it in the foreground until Ctrl-C.")
    command("status", status.show, "Say what runs, what it holds and what was ingested last.")
    command("publish", dachs.publish_all, "Write the registry records of all services and tables.")
    command("demo", operations.demo, "Ingest the demonstration data.")

    ingest = commands.add_parser("ingest", help="Take data into the instance.")
    kinds = ingest.add_subparsers(metavar="KIND", required=True)
    added = kinds.add_parser("oifits", help="OIFITS files", description=oifits.INGEST_HELP)
    oifits.add_ingest_arguments(added)
    added.set_defaults(run=_ingest)
    obsportal.add_ingest_kinds(kinds, _ingest_log)
    jmdc.add_ingest_kind(kinds, _ingest_jmdc)
    jsdc.add_ingest_kind(kinds, _ingest_jsdc)
    badcal.add_ingest_kind(kinds, _ingest_badcal)
    olbin.add_ingest_kind(kinds, lambda options: olbin.ingest(_instance(reads=True), options))

    follow = commands.add_parser("sync", help="Follow archives and logs.")
    kinds = follow.add_subparsers(metavar="WHAT", required=True)
    added = kinds.add_parser("eso", help="the archive of ESO", description=sync.ESO_HELP)
    sync.add_eso_arguments(added)
    added.set_defaults(run=_follow_eso)
    words = "OiDB: investigators, titles and release dates from the observation logs"
    added = kinds.add_parser("oidb", help=words, description=words + ".")
    added.set_defaults(run=lambda options: obsportal.follow_logs(_instance(), options))
    added = stars.add_sync_kind(kinds)
    added.set_defaults(run=lambda options: stars.sync(_instance(), options))

    correct = commands.add_parser("target", help="Correct the targets of the observation logs.")
    obsportal.add_target_actions(correct.add_subparsers(metavar="ACTION", required=True), _target)

    bad = commands.add_parser("badcal", help="Bad calibrators.")
    badcal.add_actions(bad.add_subparsers(metavar="ACTION", required=True), _find_candidates)

    manage = commands.add_parser("user", help="Who may log in.")
    users.add_actions(manage.add_subparsers(metavar="ACTION", required=True), _manage_users)

    check = commands.add_parser("check", help="Validate files; needs no instance.")
    kinds = check.add_subparsers(metavar="KIND", required=True)
    added = kinds.add_parser("oifits", help="OIFITS files", description=oifits.CHECK_HELP)
    oifits.add_check_arguments(added)
    added.set_defaults(run=oifits.check)
    jmdc.add_check_kind(kinds)

    measured = commands.add_parser("jmdc", help="Release JMDC, the measured diameters of stars.")
    jmdc.add_actions(measured.add_subparsers(metavar="ACTION", required=True), _work_on_jmdc)

    for name, help in (
        ("dachs", "Run any DaCHS command in the instance, for example: dachs imp -m oidb/q"),
        ("psql", "Open the instance's database as its superuser, with psql's own options."),
    ):
        added = commands.add_parser(name, help=help, description=help)
        added.add_argument("rest", nargs="*", metavar="ARGUMENT")
        added.set_defaults(run=_pass_on, command=name)
    return parser


def _instance(*, makes: bool = False, complete: bool = True, reads: bool = False) -> Instance:
    """The instance, seen by the account that may work on it.

    With `makes` it need not exist yet, without `complete` it may be half-made; with `reads`
    root's right to read files is kept.
    """
    instance = Instance.from_environment()
    if not makes:
        operations.require(instance, complete=complete)
    account.leave_root(instance.root, keep_reading=reads)
    return instance


def _ingest(options: argparse.Namespace) -> int:
    if options.report:
        account.make_file(options.report)
    return oifits.ingest(_instance(reads=True), options)


def _ingest_log(options: argparse.Namespace) -> int:
    if options.report:
        account.make_file(options.report)
    return obsportal.ingest(_instance(reads=True), options)


def _ingest_jsdc(options: argparse.Namespace) -> int:
    return jsdc.ingest(_instance(reads=True), options)


def _ingest_badcal(options: argparse.Namespace) -> int:
    if options.report:
        account.make_file(options.report)
    return badcal.ingest(_instance(reads=True), options)


def _ingest_jmdc(options: argparse.Namespace) -> int:
    return jmdc.ingest(_instance(reads=True), options)


def _work_on_jmdc(options: argparse.Namespace) -> int:
    if options.to is not None:
        account.make_folder(options.to)
    return int(options.action(_instance(reads=True), options))


def _follow_eso(options: argparse.Namespace) -> int:
    if options.report:
        account.make_file(options.report)
    return sync.follow_eso(_instance(), options)


def _target(options: argparse.Namespace) -> int:
    return obsportal.change_target(_instance(), options)


def _find_candidates(options: argparse.Namespace) -> int:
    if options.report:
        account.make_file(options.report)
    return badcal.find_candidates(_instance(), options)


def _manage_users(options: argparse.Namespace) -> int:
    return users.manage(_instance(), options)


def _pass_on(options: argparse.Namespace) -> int:
    instance = _instance(reads=True)
    program = [str(instance.dachs_command), *options.rest]
    if options.command == "psql":
        program = [str(cluster.programs() / "psql"), *options.rest, instance.dsn()]
    with cluster.running(instance):
        return subprocess.run(program, env=instance.environment(), check=False).returncode
