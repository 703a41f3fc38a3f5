"""Headless Chromium for tests, spoken to through the pipe of its DevTools protocol."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from select import select
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live.client import User

#: How long a page may take for what is expected of it, in s: a busy machine is slow.
PATIENCE = 40.0


class Refusal(AssertionError):
    """Chromium does not do what it is told."""


class Browser:
    """One browser with one page, without cache, cookies or a password.

    problems are the errors and messages in the console since the page was opened, requests the
    addresses it has asked for. When the browser asks for a name and a password it gets those of
    user; without one the prompt is dismissed.
    """

    def __init__(self, profile: Path) -> None:
        program = shutil.which("chromium")
        if program is None:
            pytest.skip("no Chromium: centre/install.sh test")
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        self._number = 0
        self._buffer = b""
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.user: User | None = None
        # Chromium reads commands from file descriptor 3 and answers on 4.
        self._process = subprocess.Popen(
            [
                *("bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "chromium", program),
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                *("--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}"),
            ],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._session = ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Fetch.enable", handleAuthRequests=True)
        self.resize(1200, 900)

    def close(self) -> None:
        """Ends the browser."""
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)

    def resize(self, width: int, height: int) -> None:
        """Gives the page another size, in CSS pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip

    def open(self, url: str, ready: str) -> None:
        """Opens a page and waits until a JavaScript expression about it is true."""
        self._call("Page.navigate", url="about:blank")
        self.wait("location.href === 'about:blank'")
        self.problems.clear()
        self.requests.clear()
        self._call("Page.navigate", url=url)
        self.wait(f"document.readyState === 'complete' && ({ready})")

    def wait(self, expression: str) -> None:
        """Waits until a JavaScript expression is true; an AssertionError if it never is."""
        end = time.monotonic() + PATIENCE
        while not self._holds(expression):
            if time.monotonic() > end:
                text = self.evaluate("document.body.innerText")
                raise AssertionError(f"never true: {expression}\n{self.problems}\n{text}")
            time.sleep(0.05)

    def _holds(self, expression: str) -> bool:
        guarded = f"(() => {{ try {{ return !!({expression}) }} catch {{}} }})()"
        try:
            return bool(self.evaluate(guarded))
        except Refusal:
            return False  # between two pages there is nothing to ask

    def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """Visible text of the first element a CSS selector finds."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def click(self, selector: str) -> None:
        """Clicks the first element a CSS selector finds."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def _send(self, method: str, **parameters: Any) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._number

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = self._send(method, **parameters)
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise Refusal(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._notice(answer.get("method"), answer.get("params", {}))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._read], [], [], PATIENCE)
            new = os.read(self._read, 1 << 20) if ready else b""
            assert new, "Chromium does not answer"
            self._buffer += new
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def _notice(self, method: str | None, event: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(event["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(json.dumps(event["args"]))
        elif method == "Log.entryAdded":
            self.problems.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")
        elif method == "Fetch.requestPaused":
            self._send("Fetch.continueRequest", requestId=event["requestId"])
        elif method == "Fetch.authRequired":
            reply = {"response": "CancelAuth"}
            if self.user is not None:
                reply = {
                    "response": "ProvideCredentials",
                    "username": self.user.name,
                    "password": self.user.password,
                }
            self._send(
                "Fetch.continueWithAuth", requestId=event["requestId"], authChallengeResponse=reply
            )
        elif method == "Network.requestWillBeSent":
            address = event["request"]["url"]
            if urlsplit(address).scheme in ("http", "https"):
                self.requests.append(address)
