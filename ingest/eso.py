"""ESO's archive: which raw files of VLTI's instruments it has, and their headers.

This module opens sockets. Files are listed by the archive's TAP service (table dbo.raw), headers
come one by one as pages of its header service. Nothing that a network or an
archive in trouble can do passes for an answer: a server error, a page in place of a table, an
answer that is cut off or empty are asked again, with growing pauses; lists are asked on until
nothing is behind their last row, whatever limit the archive has for the rows of an answer.

https://archive.eso.org/tap_obs, and https://archive.eso.org/hdr?DpId=...
"""

from __future__ import annotations

import gzip
import html
import http.client
import io
import math
import queue
import re
import threading
import time
import urllib.error
import urllib.request
import warnings
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

ADDRESS = "https://archive.eso.org"

#: Instruments by the names of dbo.raw. Selected by these, not by technique: PIONIER's files of the
#: first years have DPR TECH = IMAGE.
INSTRUMENTS = ("PIONIER", "GRAVITY", "MATISSE", "AMBER", "MIDI", "VINCI")

_Answer = TypeVar("_Answer")

#: Rows asked for at once.
_PAGE = 5000
#: Largest answer accepted, bytes: a page of the list has a few megabytes, a header less.
_LARGEST = 1 << 28
#: First pause before a request is repeated, s; each further one is twice as long, up to the second.
_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
#: So many headers without an answer, and not one in between, mean that there is no archive.
_SILENCE = 10

_PRE = re.compile(rb"<pre[^>]*>(.*?)</pre>", re.DOTALL | re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_]+\.[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+")


class ArchiveError(Exception):
    """The archive did not give what it was asked for; the message says why."""


class NoAnswer(ArchiveError):
    """It gave nothing of use, and may do so later."""


class Refusal(ArchiveError):
    """It gave a definite answer, and that was no."""


@dataclass(frozen=True, slots=True)
class File:
    """A raw file as dbo.raw lists it; fields have its columns' names. Times are UTC, naive."""

    dp_id: str
    instrument: str
    last_mod_date: datetime
    dp_cat: str | None = None
    dp_type: str | None = None
    dp_tech: str | None = None
    prog_id: str | None = None
    prog_title: str | None = None
    pi_coi: str | None = None
    mjd_obs: float | None = None
    release_date: datetime | None = None
    access_url: str | None = None


_COLUMNS = tuple(File.__dataclass_fields__)


@dataclass(frozen=True)
class Manners:
    """How the archive is treated."""

    #: Headers asked for at a time.
    parallel: int = 4
    #: Requests begun in a second, at most.
    rate: float = 10.0
    #: One request may take so many seconds ...
    timeout: float = 120.0
    #: ... and it is repeated for as long, s.
    patience: float = 300.0


@dataclass(frozen=True)
class Extent:
    """How many files there are, and when the first and the last of them were changed (UTC)."""

    files: int
    first: datetime | None
    last: datetime | None


class Archive:
    """The archive at an address, for the instruments that are wanted."""

    def __init__(
        self,
        address: str = ADDRESS,
        instruments: Iterable[str] = INSTRUMENTS,
        manners: Manners | None = None,
    ) -> None:
        self.address = address.rstrip("/")
        self._instruments = tuple(instruments)
        unknown = set(self._instruments) - set(INSTRUMENTS)
        if unknown or not self._instruments:
            raise ValueError(f"instruments must be of {INSTRUMENTS}, not {sorted(unknown)}")
        if not re.match(r"https?://[^/?#\s]+[^?#\s]*$", self.address):
            raise ValueError(f"'{address}' is no address of an archive (https://...)")
        self._manners = manners or Manners()
        self._turn = threading.Lock()
        self._next_turn = 0.0

    # ------------------------------------------------------------------ lists

    def extent(self, since: datetime | None = None) -> Extent:
        """What there is of files that were changed at a time (UTC) or later."""
        conditions = [] if since is None else [f"last_mod_date >= {_literal(since)}"]
        row = self._one_row(
            "COUNT(*) AS files, MIN(last_mod_date) AS first_change,"
            " MAX(last_mod_date) AS last_change",
            conditions,
        )
        try:
            files, first, last = row
            number = int(files)
        except (TypeError, ValueError):
            raise ArchiveError(f"{self.address} counts files as {_short(str(row))}") from None
        return Extent(number, _time(first), _time(last))

    def changed(self, start: datetime, end: datetime) -> Iterator[list[File]]:
        """Files whose entries were changed from start to before end (UTC), page by page.

        A page is asked for when it is wanted. Within these times the order is that of the names,
        which no change can move a file in.
        """
        return self._pages(
            [f"last_mod_date >= {_literal(start)}", f"last_mod_date < {_literal(end)}"]
        )

    def files(self) -> Iterator[list[File]]:
        """All files, page by page."""
        return self._pages([])

    def _pages(self, conditions: list[str]) -> Iterator[list[File]]:
        # Neither the number of rows nor the word OVERFLOW is needed to see that an answer is not
        # all there is: the end is where nothing follows.
        last: list[str] = []
        while rows := self._select(
            f"TOP {_PAGE} {', '.join(_COLUMNS)}", [*conditions, *last], " ORDER BY dp_id"
        ):
            page = [_file(row) for row in rows]
            behind = f"dp_id > {_literal(page[-1].dp_id)}"
            if [behind] == last:
                raise ArchiveError(f"{self.address} lists {page[-1].dp_id} behind itself")
            last = [behind]
            yield page

    def _one_row(self, columns: str, conditions: list[str]) -> tuple[Any, ...]:
        rows = self._select(columns, conditions)
        if len(rows) != 1:
            raise ArchiveError(f"{self.address} counts files in {len(rows)} rows")
        return rows[0]

    def _select(self, columns: str, conditions: list[str], rest: str = "") -> list[tuple[Any, ...]]:
        names = ", ".join(_literal(name) for name in self._instruments)
        where = " AND ".join([f"instrument IN ({names})", *conditions])
        form = {
            "REQUEST": "doQuery",
            "LANG": "ADQL",
            "FORMAT": "application/x-votable+xml",
            "MAXREC": str(_PAGE),
            "QUERY": f"SELECT {columns} FROM dbo.raw WHERE {where}{rest}",
        }
        return self._patiently(lambda: _rows(self._ask("tap_obs/sync", form)))

    # ---------------------------------------------------------------- headers

    def headers(
        self, names: Iterable[str], *, patient: bool = True
    ) -> Generator[tuple[str, bytes | ArchiveError], None, None]:
        """Headers of files as text (UTF-8), or why there is none, in the order they come in.

        Raises NoAnswer when one file after the other has no answer: then the archive is not there,
        and the files that are left have not been asked for. Without `patient` each file is asked
        for once.
        """
        closing = threading.Event()
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        answers: queue.SimpleQueue[tuple[str, bytes | BaseException]] = queue.SimpleQueue()

        def work() -> None:
            while not closing.is_set():
                try:
                    name = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    answers.put((name, self._header(name, patient, closing)))
                except BaseException as error:  # for whoever waits for the answer
                    answers.put((name, error))

        wanted = list(names)
        for name in wanted:
            waiting.put(name)
        # Daemons, which nothing waits for: a silent archive must not keep a run from ending.
        for _ in range(min(len(wanted), self._manners.parallel)):
            threading.Thread(target=work, daemon=True).start()
        silent = 0
        try:
            for _ in wanted:
                name, answer = answers.get()
                if not isinstance(answer, bytes | ArchiveError):
                    raise answer
                silent = silent + 1 if isinstance(answer, NoAnswer) else 0
                yield name, answer
                if silent == _SILENCE and isinstance(answer, NoAnswer):
                    raise NoAnswer(f"{answer}; {silent} files in a row got no answer")
        finally:
            closing.set()

    def _header(self, name: str, patient: bool, closing: threading.Event) -> bytes | ArchiveError:
        def ask() -> bytes:
            # The service does not understand an escaped colon.
            return header_text(self._ask(f"hdr?DpId={quote(name, safe=':')}"), name)

        if not _NAME.fullmatch(name):
            return Refusal(f"'{name}' is no name of a file")
        try:
            return self._patiently(ask, closing) if patient else ask()
        except ArchiveError as error:
            return error

    # --------------------------------------------------------------- requests

    def _patiently(
        self, ask: Callable[[], _Answer], closing: threading.Event | None = None
    ) -> _Answer:
        """What an action gives; it is repeated while there is no answer and we are not closing."""
        closing = closing or threading.Event()
        end = time.monotonic() + self._manners.patience
        pause = _PAUSE
        while True:
            try:
                return ask()
            except NoAnswer:
                if time.monotonic() + pause > end or closing.wait(pause):
                    raise
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _ask(self, path: str, form: dict[str, str] | None = None) -> bytes:
        """What the archive sends, complete."""
        url = f"{self.address}/{path}"
        request = urllib.request.Request(
            url,
            data=None if form is None else urlencode(form).encode("ascii"),
            headers={"User-Agent": "JMMC-ObsPortal/1", "Accept-Encoding": "gzip"},
        )
        self._await_turn()
        end = time.monotonic() + self._manners.timeout
        try:
            with urllib.request.urlopen(request, timeout=self._manners.timeout) as answer:
                data = _read(answer, end)
                if answer.headers.get("Content-Encoding") == "gzip":
                    data = gzip.decompress(data)
        except urllib.error.HTTPError as error:
            kind = NoAnswer if error.code >= 500 or error.code in (408, 429) else Refusal
            raise kind(f"{url}: {error.code} {error.reason}{_said(error)}") from None
        except (OSError, EOFError, zlib.error, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise NoAnswer(f"{url}: {reason or type(error).__name__}") from None
        if not data.strip():
            raise NoAnswer(f"{url}: the answer is empty")
        return data

    def _await_turn(self) -> None:
        with self._turn:
            now = time.monotonic()
            begin = max(now, self._next_turn)
            self._next_turn = begin + 1 / self._manners.rate
        time.sleep(begin - now)


def header_text(page: bytes, name: str) -> bytes:
    """The header in a page of the header service, as text in UTF-8, all HDUs of it.

    Raises NoAnswer when the page has none or is cut off, Refusal when it says that there is none.
    """
    found = _PRE.search(page)
    try:
        text = (found[1] if found else page).decode("utf-8")
    except UnicodeDecodeError:
        text = (found[1] if found else page).decode("latin-1")
    if found:
        text = html.unescape(text)
    text = text.strip("\r\n")
    if text.lstrip().startswith(("No info found", "Invalid format")):
        raise Refusal(f"the archive has no header of {name}: {_short(text)}")
    if not text.startswith("SIMPLE"):
        raise NoAnswer(f"the archive's page for {name} has no header in it: {_short(text)}")
    if not found and not re.search(r"^END\s*\Z", text, re.MULTILINE):
        raise NoAnswer(f"the header of {name} is cut off")
    if not re.search(r"^END\s*$", text, re.MULTILINE):
        text += "\nEND"  # the page is complete; text without it counts as cut off
    return text.encode("utf-8")


def _literal(value: str | datetime) -> str:
    """A text or a time (UTC) as ADQL writes it (ADQL 2.0 section 2.1.4)."""
    text = value if isinstance(value, str) else value.isoformat(timespec="milliseconds")
    if not text.isprintable():
        raise ValueError(f"{text!r} has characters that no name or time has")
    return "'" + text.replace("'", "''") + "'"


def _read(answer: http.client.HTTPResponse, end: float) -> bytes:
    """The body of an answer, of which not a byte may be missing when the end of time comes."""
    parts = []
    size = 0
    while part := answer.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if time.monotonic() > end:
            raise NoAnswer(f"{answer.url}: after {size} bytes, the answer takes too long")
        if size > _LARGEST:
            raise Refusal(f"{answer.url}: the answer is larger than {_LARGEST} bytes")
    promised = answer.headers.get("Content-Length")
    if promised is not None and int(promised) != size:
        raise NoAnswer(f"{answer.url}: the answer ends after {size} of {promised} bytes")
    return b"".join(parts)


def _rows(answer: bytes) -> list[tuple[Any, ...]]:
    """Rows of a TAP answer, None for what is null (DALI 1.1 section 4.4 for its errors)."""
    from astropy.io import votable  # takes a second that only a synchronisation needs

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            document = votable.parse(io.BytesIO(answer), verify="ignore")
            for resource in document.resources:
                for info in resource.infos:
                    if info.name == "QUERY_STATUS" and info.value == "ERROR":
                        raise NoAnswer(f"the archive's answer is an error: {_short(info.content)}")
            table = document.get_first_table()
        return [tuple(map(_value, row)) for row in table.array.tolist()]
    except ArchiveError:
        raise
    except Exception as error:  # whatever a parser makes of half a table, or of a page
        words = _short(answer[:200].decode("utf-8", "replace"))
        raise NoAnswer(
            f"the archive's answer is no table ({_short(str(error))}): {words}"
        ) from None


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _file(row: tuple[Any, ...]) -> File:
    if len(row) != len(_COLUMNS) or not isinstance(row[0], str) or not row[0].isprintable():
        raise ArchiveError(f"the archive lists a file as {_short(str(row))}")
    named = dict(zip(_COLUMNS, row, strict=True))
    for name in ("last_mod_date", "release_date"):
        named[name] = _time(named[name])
    return File(**named)


def _time(text: Any) -> datetime | None:
    """Time of ISO 8601 as naive UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise ArchiveError(f"the archive gives '{_short(str(text))}' for a time") from None
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def _said(error: urllib.error.HTTPError) -> str:
    """What else an error page says, without its mark-up."""
    try:
        words = _short(re.sub(r"<[^>]*>", " ", error.read(1 << 16).decode("utf-8", "replace")))
    except (OSError, http.client.HTTPException):
        return ""
    return f" ({words})" if words else ""


def _short(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words if len(words) <= 160 else f"{words[:160]} ..."
