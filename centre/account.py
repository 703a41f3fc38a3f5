"""Who runs an instance: never root.

PostgreSQL refuses to run as root and the server has no need to. When root calls, the command starts
again as the ordinary account `jmmc`, which is made when it is missing.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from centre import CentreError
from centre.instance import CHECKOUT

ACCOUNT = "jmmc"
_READ = [
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
    # Without this, access(2), which DaCHS asks, answers from permission bits alone.
    "--securebits=+no_setuid_fixup",
]


def leave_root(root: Path, *, keep_reading: bool = False) -> None:
    """Starts this program again as the ordinary account, if root runs it; else does nothing.

    `root` is the instance's directory, which the account gets. With `keep_reading`, if that can
    be had, or when the checkout or the instance lies in a directory that is closed to the account
    (a clone in /root, say), the program keeps root's right to read, and only that: the Linux
    capability CAP_DAC_READ_SEARCH.
    """
    if os.geteuid() != 0:
        return
    _make_account()
    _give(root)
    for reading in [_READ, []] if keep_reading else [[], _READ]:
        if _can_reach(root, reading):
            break
    else:
        raise CentreError(
            f"The account {ACCOUNT} cannot reach {CHECKOUT} or {root}: "
            "a directory above is closed to others; move it, or open that directory."
        )
    command = [*_as_account(reading), "/usr/bin/python3", "-Xutf8", *sys.argv]
    os.environ["JMMC_ROOT"] = str(root)
    os.execvp(command[0], command)


def make_file(path: Path) -> None:
    """Makes a file that the account can write afterwards; one that exists is handed over."""
    path.touch()
    if os.geteuid() == 0:
        _make_account()
        shutil.chown(path, ACCOUNT, ACCOUNT)


def make_folder(path: Path) -> None:
    """Makes a folder that the account can write to; one that exists stays as it is."""
    if path.exists():
        return
    path.mkdir(parents=True)
    if os.geteuid() == 0:
        _make_account()
        shutil.chown(path, ACCOUNT, ACCOUNT)


def _give(root: Path) -> None:
    """Makes the directory and gives it to the account, unless it is used for something else."""
    root.mkdir(parents=True, exist_ok=True)
    if root.stat().st_uid == pwd.getpwnam(ACCOUNT).pw_uid:
        return
    if {path.name for path in root.iterdir()} - {"tools"}:
        raise CentreError(
            f"{root} has other things in it and does not belong to the account {ACCOUNT}; "
            "name an empty or new directory with JMMC_ROOT."
        )
    shutil.chown(root, ACCOUNT, ACCOUNT)


def _make_account() -> None:
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home"]
        command += ["--home-dir=/nonexistent", "--shell=/usr/sbin/nologin", ACCOUNT]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise CentreError(
                f"The account {ACCOUNT} cannot be made: {result.stderr.strip()}"
            ) from None


def _as_account(reading: list[str]) -> list[str]:
    return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups", *reading]


def _can_reach(root: Path, reading: list[str]) -> bool:
    """Whether the account can read the checkout and enter the instance's directory."""
    return all(
        subprocess.run([*_as_account(reading), *deed], capture_output=True, check=False).returncode
        == 0
        for deed in (["cat", str(CHECKOUT / "bin" / "jmmc")], ["ls", str(root)])
    )
