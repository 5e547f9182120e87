"""What stands in for Lambda and S3 here: a sandbox that shows nothing of this machine, a bucket on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest

from lamella.interpreter import InterpreterMissingError, find
from lamella.sandbox.run import Sandbox
from lamella.sandbox.unpack import merged, unpack

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
# Code that writes begins with this: only in a sandbox /tmp is its own
IN_SCRATCH = "import os, tempfile; os.chdir(tempfile.gettempdir())\n"


def sandbox_of(version: str) -> Sandbox:
    """A sandbox with an interpreter of this version, found by uv.  Skips the test where the machine has none."""
    major, minor = version.split(".")
    python = int(major), int(minor)
    try:
        return Sandbox(find(python, offline=True, install=False).path, python)
    except InterpreterMissingError as error:
        pytest.skip(f"{error.what} on this machine: nothing was run")


def lamella(*arguments: str, cwd: Path, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command of this checkout, with the user's cache or a given one."""
    command = [sys.executable, "-m", "lamella", *arguments]
    own = {"LAMELLA_CACHE_DIR": str(cache)} if cache is not None else {}
    environment = {**os.environ, **own, "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=environment)


class Lambda(NamedTuple):
    """A function as Lambda runs it: its layers at /opt and its code at /var/task, unpacked and read-only."""

    sandbox: Sandbox
    opt: str | None
    task: str | None

    @classmethod
    def unpack(cls, sandbox: Sandbox, folder: Path, code: Path | None, layers: Sequence[Path] = ()) -> Lambda:
        """Code and layers, unpacked below `folder`, each zip once; `cleared` removes it."""
        root = str(folder)
        opt = merged([(str(layer), _sha256(layer)) for layer in layers], root)
        return cls(sandbox, opt, unpack(str(code), _sha256(code), root) if code is not None else None)

    def run(
        self, code: str, *, given: bytes = b"", runtime: str | None = None, network: bool = False, **environment: str
    ) -> Any:
        """Run `code` and return what it binds to `answer`, through JSON.

        The code finds `given` under that name.  `runtime` is a folder for /var/runtime, where the runtime's own
        packages are.  Only with `network` it sees this machine's loopback.
        """
        script = "\n".join(
            (
                "import json, os, sys",
                "given = sys.stdin.buffer.read()",
                code,
                "print()",
                "print(json.dumps(answer))",
                # Lambda freezes its processes and never ends them; pyarrow's threads bring about one in fifty such
                # ends down on a busy machine, with the plain wheel, too: "terminate called without an active exception"
                "sys.stdout.flush()",
                "os._exit(0)",
            )
        )
        aws = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
        done = self.sandbox.run(
            ["-c", script],
            opt=self.opt,
            task=self.task,
            runtime=runtime,
            env={**aws, "AWS_EC2_METADATA_DISABLED": "true", **environment},
            timeout=300,
            stdin=given,
            network=network,
        )
        assert done.code == 0, f"{done.signal or done.code}\n{done.err.decode()}"
        return json.loads(done.out.splitlines()[-1])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def cleared(folder: Path) -> Iterator[Path]:
    """The folder, which is removed at the end with what is unpacked below it, where nobody may write."""
    try:
        yield folder
    finally:
        for base, _, _ in os.walk(folder):
            os.chmod(base, 0o755)
        shutil.rmtree(folder)


@contextmanager
def bucket() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A server that takes and gives whole objects, as S3 does: its endpoint, and the objects by path.

    Paths (`/bucket/key`, with the query) are decoded.
    """
    objects: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            objects[unquote(self.path)] = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200, b"")

        def do_GET(self) -> None:
            path = unquote(self.path)
            self._answer(200 if path in objects else 404, objects.get(path, b""))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", objects
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def dng(width: int, height: int) -> bytes:
    """An uncompressed RAW picture, grey (Adobe's DNG specification 1.4; TIFF 6.0)."""
    pixels = struct.pack("<H", 20_000) * (width * height)
    matrix = b"".join(struct.pack("<ii", 10_000 * (at % 4 == 0), 10_000) for at in range(9))
    rows: list[
        tuple[int, int, int, bytes]
    ] = [  # tag, type, count, value; types: 1 byte, 2 text, 3 u16, 4 u32, 5 and 10 ratios
        (254, 4, 1, struct.pack("<I", 0)),
        (256, 4, 1, struct.pack("<I", width)),
        (257, 4, 1, struct.pack("<I", height)),
        (258, 3, 1, struct.pack("<H", 16)),
        (259, 3, 1, struct.pack("<H", 1)),  # not compressed
        (262, 3, 1, struct.pack("<H", 32803)),  # a colour filter array
        (271, 2, 5, b"None\0"),
        (272, 2, 5, b"None\0"),
        (273, 4, 1, b"HERE"),  # where the pixels begin
        (274, 3, 1, struct.pack("<H", 1)),
        (277, 3, 1, struct.pack("<H", 1)),
        (278, 4, 1, struct.pack("<I", height)),
        (279, 4, 1, struct.pack("<I", len(pixels))),
        (284, 3, 1, struct.pack("<H", 1)),
        (33421, 3, 2, struct.pack("<HH", 2, 2)),
        (33422, 1, 4, bytes((0, 1, 1, 2))),  # red green, green blue
        (50706, 1, 4, bytes((1, 4, 0, 0))),
        (50708, 2, 5, b"None\0"),
        (50717, 4, 1, struct.pack("<I", 65535)),
        (50721, 10, 9, matrix),
        (50728, 5, 3, struct.pack("<II", 1, 1) * 3),
        (50778, 3, 1, struct.pack("<H", 21)),
    ]
    at = 8 + 2 + 12 * len(rows) + 4
    long = {tag: value for tag, _, _, value in rows if len(value) > 4}
    offsets: dict[int, int] = {}
    for tag, value in long.items():
        offsets[tag] = at
        at += len(value) + len(value) % 2
    entries = b""
    for tag, kind, count, value in rows:
        if value == b"HERE":
            value = struct.pack("<I", at)
        held = struct.pack("<I", offsets[tag]) if tag in offsets else value.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, count) + held
    values = b"".join(value + b"\0" * (len(value) % 2) for value in long.values())
    return struct.pack("<2sHIH", b"II", 42, 8, len(rows)) + entries + bytes(4) + values + pixels
