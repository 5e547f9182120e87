"""`lamella` as a process: started, looked at, and an index that lets it wait."""

from __future__ import annotations

import subprocess
import sys
import threading

from tests.build.projects import Project, cached_wheels
from tests.wheels.index_server import IndexServer
from tests.wheels.wheelmaker import sha256

UNCHANGED = "Nothing changed: `dist/lambda` is up to date (2 zips)\n"


def no_traceback(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith(("error: ", "usage: "))
    return done.stderr


# What a shell starts in the background ignores SIGINT, and so does all that it starts: tests, and what tests start
HEEDING_INTERRUPTS = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from lamella.cli.start import entry
entry()
"""


def started(app: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEEDING_INTERRUPTS, *(arguments or ("build",))], cwd=app.root, env=app.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def whole_wheels_only(app: Project) -> None:
    for wheel in cached_wheels(app.cache):
        assert sha256(wheel.read_bytes()) == wheel.stem


class Slow(IndexServer):
    """Sends the first half of each file, then waits until it is let go."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.half_sent = threading.Event()
        self.go = threading.Event()
        handler = self._server.RequestHandlerClass
        index = self

        class Halting(handler):  # type: ignore[misc,valid-type]
            def _send(self, status: int, headers: dict[str, str], body: bytes, *, cut: int | None = None) -> None:
                if not self.path.startswith("/files/") or index.go.is_set():
                    super()._send(status, headers, body, cut=cut)
                    return
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body[: len(body) // 2])
                    self.wfile.flush()
                    index.half_sent.set()
                    index.go.wait()
                    self.wfile.write(body[len(body) // 2 :])
                except OSError:
                    self.close_connection = True

        self._server.RequestHandlerClass = Halting
