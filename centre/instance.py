"""An instance: where it is, how it is reached, and the settings made from it.

An instance is a directory (JMMC_ROOT) and a port (JMMC_PORT); nothing of it lies anywhere else
but a database that is not its own (JMMC_DATABASE) and, when its path is too long or has characters
DaCHS cannot take, its PostgreSQL socket. Several machines may share the directory: each but one has
a name (JMMC_MACHINE) and a folder of its own in it, for what only its processes need.
"""

import grp
import hashlib
import json
import os
import pwd
import quopri
import re
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from psycopg2 import ProgrammingError
from psycopg2.extensions import make_dsn, parse_dsn

from centre import CentreError

CHECKOUT = Path(__file__).resolve().parent.parent

_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_MAX = 107  # bytes in sockaddr_un.sun_path, less the closing zero
_IVOA_VOCABULARIES = "http://www.ivoa.net/rdf/"


@dataclass(frozen=True)
class Instance:
    """The instance a command works on."""

    root: Path
    port: int
    bind: str
    url: str
    throwaway: bool = False
    #: How many processes answer on the port.
    processes: int = 1
    #: The PostgreSQL server that is used instead of a cluster of the instance's own (libpq).
    database: str = ""
    #: A streaming replica of the database, for queries that only read (libpq).
    replica: str = ""
    #: Name of this machine among those that share the directory; none for the only or first one.
    machine: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Instance":
        """The instance that the variables of the environment name (etc/README.md).

        Raises CentreError, naming the variable, for a value that cannot be.
        """
        text = environ.get("JMMC_PORT", "8080")
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
            raise CentreError(f"JMMC_PORT must be a number from 1 to 65535, not '{text}'.")
        port = int(text)
        number = environ.get("JMMC_PROCESSES") or "1"
        if not re.fullmatch(r"[0-9]{1,2}", number) or int(number) < 1:
            raise CentreError(f"JMMC_PROCESSES must be a number from 1 to 99, not '{number}'.")
        machine = environ.get("JMMC_MACHINE", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,40}", machine):
            raise CentreError(
                f"JMMC_MACHINE must be a word of letters, digits, _ and -, not '{machine}'."
            )
        return cls(
            root=Path(environ.get("JMMC_ROOT") or CHECKOUT / "var").absolute(),
            port=port,
            bind=environ.get("JMMC_BIND", "127.0.0.1"),
            url=environ.get("JMMC_URL", f"http://localhost:{port}").rstrip("/"),
            throwaway=environ.get("JMMC_THROWAWAY", "") == "1",
            processes=int(number),
            database=_connection(environ, "JMMC_DATABASE"),
            replica=_connection(environ, "JMMC_REPLICA"),
            machine=machine,
        )

    @property
    def cluster(self) -> Path:
        """Data directory of the PostgreSQL cluster."""
        return self.root / "cluster"

    @property
    def dachs(self) -> Path:
        """Root directory of DaCHS."""
        return self.root / "dachs"

    @property
    def config(self) -> Path:
        """DaCHS' configuration directory."""
        return self.dachs / "etc"

    @property
    def products(self) -> Path:
        """Where ingested files are kept."""
        return self.root / "products"

    @property
    def logs(self) -> Path:
        """Log files of the cluster, the server and the set-up."""
        return self.own / "logs"

    @property
    def run(self) -> Path:
        """Files that mean something only while a process of this machine runs."""
        return self.own / "run"

    @property
    def own(self) -> Path:
        """Where the files are that only this machine's processes need."""
        return self.root / "machines" / self.machine if self.machine else self.root

    @property
    def locks(self) -> Path:
        """Where commands lock what only one may do at a time, on whatever machine."""
        return self.root / "run"

    @property
    def settings(self) -> Path:
        """DaCHS' settings file."""
        return (self.own if self.machine else self.config) / "gavo.rc"

    @property
    def sockets(self) -> Path:
        """Directory of the PostgreSQL socket: `run`, unless its path cannot serve.

        The kernel limits the length of a socket's path, and DaCHS' profiles take no blanks or
        quotes in a host name. Such an instance has its socket below /tmp, under a name made from
        the root's path.
        """
        path = os.fsencode(self.run / _SOCKET_NAME)
        if len(path) <= _SOCKET_PATH_MAX and re.fullmatch(rb"[A-Za-z0-9/._-]+", path):
            return self.run
        return Path("/tmp") / f"jmmc-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]}"

    def dsn(self, database: str = "gavo") -> str:
        """Connection string of the superuser of the cluster, or of JMMC_DATABASE."""
        if self.database:
            return str(make_dsn(self.database, dbname=database))
        return f"host={self.sockets} port=5432 dbname={database} user=postgres"

    def environment(self) -> dict[str, str]:
        """The complete environment of everything that runs in the instance.

        Nothing of the caller's own settings (a ~/.gavorc, another Python on the PATH) comes in.
        """
        passed = {
            name: value
            for name, value in os.environ.items()
            if name in {"COLUMNS", "LINES", "TERM"} or name.startswith("JMMC_")
        }
        return {
            **passed,
            "GAVOSETTINGS": str(self.settings),
            "GAVOCUSTOM": str(self.config / "no-custom.rc"),
            "HOME": str(self.own / "cache"),
            "JMMC_REPLICA": self.replica,
            "JMMC_ROOT": str(self.root),
            "LANG": "C.UTF-8",
            "PATH": f"{self.dachs_command.parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONPYCACHEPREFIX": str(self.own / "cache" / "python"),
            "PYTHONUTF8": "1",  # whatever locale DaCHS sets
            "PYTHONWARNINGS": "ignore",
            # DaCHS counts days of embargo in local time.
            "TZ": "UTC",
        }

    @property
    def dachs_command(self) -> Path:
        """DaCHS as the instance runs it (centre/site.py); DaCHS itself calls it by its name."""
        return self.own / "bin" / "dachs"

    def write_settings(self) -> None:
        """Writes all that DaCHS reads from its root from the checkout's etc/ and resources/.

        Called at each start, so that the checkout is the one place to change settings.
        """
        self.config.mkdir(parents=True, exist_ok=True)
        self.dachs_command.parent.mkdir(parents=True, exist_ok=True)
        self.dachs_command.write_text('#!/bin/sh\nexec /usr/bin/python3 -m centre.site "$@"\n')
        self.dachs_command.chmod(0o755)
        template = Template((CHECKOUT / "etc" / "gavo.rc").read_text())
        settings = template.substitute(
            root=self.root,
            profiles=self._write_profile(),
            checkout=CHECKOUT,
            url=self.url,
            bind=self.bind,
            port=self.port,
            user=pwd.getpwuid(os.geteuid()).pw_name,
            group=grp.getgrgid(os.getegid()).gr_name,
            adminpasswd=self._admin_password(),
        )
        _write(self.settings, settings)
        for name in ("defaultmeta.txt", "userconfig.rd", "vanitynames.txt", "local.py"):
            _link(CHECKOUT / "etc" / name, self.config / name)
        web = self.dachs / "web"
        _link(CHECKOUT / "resources" / "static", web / "nv_static")
        _link(CHECKOUT / "resources" / "templates", web / "templates")
        self._write_vocabularies()

    def _write_profile(self) -> str:
        """Tells DaCHS where JMMC_DATABASE is; returns where it is to look for its profiles.

        The file `dsn` that `dachs init` writes is included by all profiles and says where the
        database was then; ours comes before it.
        """
        folder = self.own / "database"
        if not self.database:
            return str(self.config)
        folder.mkdir(exist_ok=True)
        given = parse_dsn(self.database)
        values = {
            "database": "gavo",
            "host": given.get("host", "localhost"),
            "port": given.get("port", "5432"),
            "sslmode": given.get("sslmode", "prefer"),
        }
        lines = [f"{name} = {shlex.quote(value)}\n" for name, value in values.items()]
        (folder / "dsn").write_text("".join(lines))
        return f"{folder}:{self.config}"

    def _admin_password(self) -> str:
        state = self.read_state()
        if "adminpasswd" not in state:
            self.update_state(adminpasswd=secrets.token_urlsafe(18))
            state = self.read_state()
        return str(state["adminpasswd"])

    def _write_vocabularies(self) -> None:
        """Puts our copies of IVOA vocabularies where DaCHS keeps the ones it has downloaded.

        DaCHS names such a file by the vocabulary's URL in quoted-printable, and asks the network
        again for one that is older than about a year, hence new files at each start.
        """
        cache = self.dachs / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        folder = CHECKOUT / "etc" / "vocabularies"
        for source in folder.rglob("*.json"):
            url = _IVOA_VOCABULARIES + source.relative_to(folder).with_suffix("").as_posix()
            name = quopri.encodestring(url.encode()).decode("ascii").replace("/", "=2F")
            _write(cache / name, source.read_text("utf-8"), mode=0o644)

    def read_state(self) -> dict[str, Any]:
        """What the set-up remembers of itself; empty for an instance that does not exist yet."""
        try:
            state = json.loads((self.root / "state.json").read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise CentreError(
                f"{self.root / 'state.json'} is damaged; remove it and run `bin/jmmc init`."
            ) from None
        return dict(state)

    def update_state(self, **changes: Any) -> None:
        """Changes what the set-up remembers, in one step."""
        _write(self.root / "state.json", json.dumps({**self.read_state(), **changes}, indent=1))


def _write(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Writes a file that processes may be reading: they find what was there, or all of the new."""
    scratch = path.with_name(f"{path.name}.new")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=mode)
    scratch.write_text(text, "utf-8")
    scratch.replace(path)


def _link(source: Path, target: Path) -> None:
    """Makes target a symbolic link to source, if there is one; an empty folder may be there."""
    if not source.exists() or (target.is_symlink() and target.readlink() == source):
        return  # servers that run, of this machine and others, may be reading it
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        target.rmdir()
    target.symlink_to(source)


def _connection(environ: Mapping[str, str], name: str) -> str:
    """A connection string of libpq; CentreError, which does not repeat it, when it is none."""
    text = environ.get(name, "")
    try:
        parse_dsn(text)
    except ProgrammingError:
        raise CentreError(
            f"{name} must be a connection string of PostgreSQL, as 'host=db.example.org port=5432'."
        ) from None
    return text
