"""What stands in for Lambda and S3 here: an interpreter that sees nothing of this machine, a bucket on loopback."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from lamella import uv

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def python_of(version: str) -> str:
    """An interpreter of this version, found by uv.  Skips the test where the machine has none."""
    command = [uv.program(), "python", "find", "--no-project", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=os.sep)
    if found.returncode:
        pytest.skip(f"no python{version} on this machine: the handlers were not run ({found.stderr.splitlines()[0]})")
    return found.stdout.strip()


def lamella(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of this checkout."""
    command = [sys.executable, "-m", "lamella", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Lambda:
    """A function's unpacked zip and layers, and the interpreter that runs it."""

    python: str
    paths: tuple[Path, ...]

    @classmethod
    def unpack(cls, python: str, folder: Path, code: Path, layers: Sequence[Path] = ()) -> Lambda:
        """Code and layers below `folder`, on `sys.path` in Lambda's order."""
        task, opt = folder / "task", folder / "opt"
        for archive, target in ((code, task), *((layer, opt) for layer in layers)):
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(target)
        return cls(python, (task, opt / "python/lib/python3.12/site-packages", opt / "python"))

    def run(self, code: str, *, behind: Sequence[Path] = (), **environment: str) -> Any:
        """Run `code` and return what it binds to `answer`, through JSON.

        The interpreter reads no site-packages, no user folder and no PYTHON… variable.  `behind` are folders at the
        end of sys.path, where the runtime's own packages are.
        """
        paths = [str(path) for path in (*self.paths, *behind)]
        script = "\n".join(
            (
                "import json, sys",
                "assert not [path for path in sys.path if 'site-packages' in path], sys.path",
                f"before, behind = {paths[: len(self.paths)]!r}, {paths[len(self.paths) :]!r}",
                "sys.path = before + sys.path + behind",
                code,
                "print(json.dumps(answer))",
            )
        )
        aws = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
        done = subprocess.run(
            [self.python, "-I", "-S", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env={**aws, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


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
