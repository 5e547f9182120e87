"""Pages as a browser draws them: headless Chromium, without a network.

`dump` gives the document, `screenshot` a picture, `opened` a page to click and type in.  They skip the test, and say
so, where no Chromium is installed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CONSOLE = re.compile(r'CONSOLE[^\]]*\] "(?P<text>.*)", source: ')
_PATIENCE = 60  # seconds


class PageError(AssertionError):
    """The page wrote to the browser's console, which it does when its script fails or something is refused."""


class _LeftError(AssertionError):
    """The page that was asked went away meanwhile."""


def dump(page: Path, hash: str = "", *, dark: bool = False) -> str:
    """The document as HTML after its script ran with `hash` (no `#`) in its address.  Raises PageError."""
    return _run(page, hash, dark, ["--dump-dom"])


def screenshot(
    page: Path, out: Path, size: tuple[int, int] = (1280, 900), hash: str = "", *, dark: bool = False
) -> None:
    """Draw the page into the PNG file `out`, in a window of `size` pixels.  Raises PageError."""
    _run(page, hash, dark, [f"--screenshot={out}", f"--window-size={size[0]},{size[1]}", "--hide-scrollbars"])


def _program() -> str:
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        pytest.skip(f"no Chromium on this machine (tried {', '.join(_PROGRAMS)}): pages are not tested")
    return found


def _run(page: Path, hash: str, dark: bool, what: list[str]) -> str:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            *_command(profile),
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=3000",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            *what,
            _address(page, hash),
        ]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=_PATIENCE, check=False
        )
    errors = [found["text"] for found in _CONSOLE.finditer(done.stderr)]
    if errors:
        raise PageError("\n".join(errors))
    if done.returncode:
        raise AssertionError(f"Chromium ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _command(profile: str) -> list[str]:
    return [
        _program(),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--proxy-server=127.0.0.1:9",  # nothing answers there: what a page would load is missing
        f"--user-data-dir={profile}",
    ]


def _address(page: Path | str, hash: str) -> str:
    url = page if isinstance(page, str) else page.resolve().as_uri()
    return url + (f"#{hash}" if hash else "")


class Tab:
    """A page that is open.  Every error in its console, up to an answer, is raised with that answer."""

    def __init__(self, read: IO[bytes], write: IO[bytes]) -> None:
        self._read = read
        self._write = write
        self._number = 0
        self._session: str | None = None
        self._events: list[str] = []
        self._errors: list[str] = []

    def open(self, address: str) -> None:
        page = next(target for target in self._ask("Target.getTargets")["targetInfos"] if target["type"] == "page")
        attached = self._ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable")
        self._ask("Page.navigate", url=address)
        while "Page.loadEventFired" not in self._events:
            self._take()
        self.value("1")

    def reload(self) -> None:
        """The same page anew; what it stores stays."""
        self._events.clear()
        self._ask("Page.reload")
        while "Page.loadEventFired" not in self._events:
            self._take()

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives, after the page has been drawn anew.  Raises PageError."""
        drawn = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
        told = self._ask(
            "Runtime.evaluate", expression=f"{drawn}.then(() => ({expression}))", awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise PageError(told["exceptionDetails"]["exception"]["description"])
        if self._errors:
            raise PageError("\n".join(self._errors))
        return told["result"].get("value")

    def point(self, selector: str, kind: str = "mouseMoved") -> None:
        """Move the mouse to the middle of an element."""
        middle = self.value(
            f"(box => [box.x + box.width / 2, box.y + box.height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        clicks = 0 if kind == "mouseMoved" else 1
        button = "left" if clicks else "none"
        self._ask("Input.dispatchMouseEvent", type=kind, x=middle[0], y=middle[1], button=button, clickCount=clicks)

    def click(self, selector: str) -> None:
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.point(selector, kind)

    def key(self, name: str) -> None:
        """Press a key by its name: Escape, Enter, ArrowDown, Tab."""
        codes = {"Escape": 27, "Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        for kind in ("rawKeyDown", "keyUp"):
            self._ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name])

    def choose(self, selector: str, *files: Path) -> None:
        """Put files into an `<input type="file">`, as its dialog would."""
        root = self._ask("DOM.getDocument", depth=0)["root"]["nodeId"]
        node = self._ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._ask("DOM.setFileInputFiles", nodeId=node, files=[str(file.resolve()) for file in files])

    def until(self, expression: str, seconds: float = 30) -> Any:
        """What a JavaScript expression gives as soon as that is true.  Raises PageError."""
        end = time.monotonic() + seconds
        told = None
        while not told and (left := end - time.monotonic()) > 0:
            # What waited in a page is lost with it, when another page comes
            with contextlib.suppress(_LeftError):
                told = self.value(
                    f"(async end => {{ for (;;) {{ const told = {expression};"
                    " if (told || Date.now() > end) return told instanceof Node || told;"
                    f" await new Promise(requestAnimationFrame); }} }})(Date.now() + {left * 1000})"
                )
        if not told:
            raise PageError(f"not within {seconds} seconds: {expression}")
        return told

    def telephone(self, width: int = 390, height: int = 844) -> None:
        """The page as on a telephone: narrower than any window of a desktop may be."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=True)

    def picture(self, out: Path) -> None:
        """Draw what is seen now into the PNG file `out`."""
        out.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def forget(self) -> None:
        """The errors so far were meant."""
        self._errors.clear()

    def type(self, text: str) -> None:
        """Type where the focus is."""
        self._ask("Input.insertText", text=text)

    def _ask(self, method: str, **parameters: object) -> Any:
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while True:
            answer = self._take()
            if answer.get("id") == number:
                if "error" in answer:
                    left = re.search("context was destroyed|navigated or closed|Cannot find.* context", str(answer))
                    raise (_LeftError if left else AssertionError)(f"{method}: {answer['error']}")
                return answer["result"]

    def _take(self) -> dict[str, Any]:
        """The next message; events are noted on the way."""
        data = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            if not byte:
                raise AssertionError("Chromium ended")
            data += byte
        message: dict[str, Any] = json.loads(data)
        method, parameters = message.get("method", ""), message.get("params", {})
        self._events.append(method)
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self._errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self._errors.append(parameters["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self._errors.append(json.dumps(parameters["args"]))
        return message


# Chromium reads commands from descriptor 3 and answers on 4 (DevTools protocol, --remote-debugging-pipe)
_WITH_PIPES = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


@contextlib.contextmanager
def opened(page: Path | str, hash: str = "", size: tuple[int, int] = (1280, 900)) -> Iterator[Tab]:
    """The page, a file or a URL on loopback, in a window of `size` pixels, for as long as the block lasts.

    Raises PageError.
    """
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        open(ours_in, "rb") as read,
        open(ours_out, "wb") as write,
    ):
        pipes = [sys.executable, "-c", _WITH_PIPES, str(theirs_in), str(theirs_out)]
        browser = subprocess.Popen(
            [
                *pipes,
                *_command(profile),
                "--remote-debugging-pipe",
                f"--window-size={size[0]},{size[1]}",
                "about:blank",
            ],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        # A browser that hangs is ended, and reading from it with it
        impatient = threading.Timer(_PATIENCE, os.killpg, (browser.pid, signal.SIGKILL))
        impatient.start()
        try:
            tab = Tab(read, write)
            tab.open(_address(page, hash))
            yield tab
        finally:
            impatient.cancel()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
