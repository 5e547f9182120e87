"""A package index on the loopback, for tests: simple pages (PEP 503 and 691), files, and scripted misbehaviour.

    with IndexServer() as index:
        index.add("demo-1.0-py3-none-any.whl", content)
        index.script("/files/demo-1.0-py3-none-any.whl", Answer(503), CutOff(100))
        ...  # the first request gets a 503, the second 100 bytes, the third the file

Nothing in it waits or sleeps.  Leaving the block ends every connection and joins every thread.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """This status, with these headers and body, instead of what is there.

    With ``Connection: close`` its end is told by the connection's, not by Content-Length.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class CutOff:
    """What is there, but the connection ends after so many bytes of the body."""

    after: int


@dataclass(frozen=True, slots=True)
class Instead:
    """Other bytes than those that are there."""

    body: bytes


Behaviour = Answer | CutOff | Instead


def redirect(to: str, status: int = 302) -> Answer:
    return Answer(status, (("Location", to),))


def busy(status: int = 429, retry_after: str | None = None) -> Answer:
    return Answer(status, (("Retry-After", retry_after),) if retry_after is not None else ())


class Seen(NamedTuple):
    """A request.  Header names are in lower case.  `path` is a whole URL when we were asked as a proxy."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _File:
    filename: str
    content: bytes
    hashes: Mapping[str, str]
    yanked: str | None
    requires_python: str | None


@dataclass
class IndexServer:
    """`login` is asked for everything; `ranges` and `etags` say what downloads offer; `tls` makes it https.

    `as_json` answers with PEP 691 to those who accept it.
    """

    login: tuple[str, str] | None = None
    ranges: bool = True
    etags: bool = True
    as_json: bool = True
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self._projects: dict[str, dict[str, _File]] = {}
        self._scripts: dict[str, deque[Behaviour]] = {}
        self._always: dict[str, Behaviour] = {}
        self._connections: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.index = self
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> IndexServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        with self.lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._server.server_close()

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.netloc}"

    @property
    def simple(self) -> str:
        """What goes into settings as the index's URL."""
        return f"{self.url}/simple"

    def with_login(self, user: str, password: str | None = None) -> str:
        """`simple` with a user part."""
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
        return self.simple.replace("://", f"://{login}@")

    def file_url(self, filename: str) -> str:
        return f"{self.url}/files/{quote(filename)}"

    def add(
        self,
        filename: str,
        content: bytes,
        *,
        yanked: str | None = None,
        requires_python: str | None = None,
        hashes: Mapping[str, str] | None = None,
    ) -> str:
        """Offer a file of the project that its name tells; its URL.  `hashes` are the true sha256 when left out."""
        name = re.sub(r"[-_.]+", "-", re.split(r"-(?=\d)", filename, maxsplit=1)[0]).lower()
        true = {"sha256": hashlib.sha256(content).hexdigest()}
        file = _File(filename, content, true if hashes is None else hashes, yanked, requires_python)
        with self.lock:
            self._projects.setdefault(name, {})[filename] = file
        return self.file_url(filename)

    def script(self, path: str, *behaviours: Behaviour) -> None:
        """What the next requests of `path` get, one each."""
        with self.lock:
            self._scripts.setdefault(path, deque()).extend(behaviours)

    def always(self, path: str, behaviour: Behaviour) -> None:
        """What every request of `path` gets, after its script."""
        with self.lock:
            self._always[path] = behaviour

    def requests(self, path: str) -> list[Seen]:
        """Those of one path so far."""
        with self.lock:
            return [request for request in self.seen if request.path == path]

    # For the handler

    def next_behaviour(self, path: str) -> Behaviour | None:
        with self.lock:
            script = self._scripts.get(path)
            return script.popleft() if script else self._always.get(path)

    def project(self, name: str) -> dict[str, _File] | None:
        with self.lock:
            return dict(self._projects[name]) if name in self._projects else None

    def file(self, filename: str) -> _File | None:
        with self.lock:
            return next((files[filename] for files in self._projects.values() if filename in files), None)

    def opened(self, connection: socket.socket) -> None:
        with self.lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self.lock:
            self._connections.discard(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    # With a short queue the system drops connections, and tries them again a second later
    request_queue_size = 128
    index: IndexServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or doesn't trust our certificate, is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes, which would otherwise wait for each other
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.index.opened(self.connection)

    def finish(self) -> None:
        self.server.index.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `seen` instead."""

    def do_GET(self) -> None:
        index = self.server.index
        with index.lock:
            index.seen.append(
                Seen(self.command, self.path, {key.lower(): value for key, value in self.headers.items()})
            )
        path = urlsplit(self.path).path
        behaviour = index.next_behaviour(path)
        match behaviour:
            case Answer(status, headers, body):
                self._send(status, dict(headers), body)
            case _ if not self._may_enter():
                self._send(401, {"WWW-Authenticate": 'Basic realm="index"'}, b"who is there?")
            case CutOff(after):
                self._serve(path, cut=after)
            case Instead(body):
                self._send(200, {}, body)
            case None:
                self._serve(path)

    do_HEAD = do_GET  # noqa: N815

    def _may_enter(self) -> bool:
        if self.server.index.login is None:
            return True
        wanted = base64.b64encode(":".join(self.server.index.login).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}"

    def _serve(self, path: str, *, cut: int | None = None) -> None:
        if found := re.fullmatch(r"/simple/([^/]+)/", path):
            files = self.server.index.project(found[1])
            if files is not None:
                self._page(found[1], files)
                return
        elif path.startswith("/files/") and (file := self.server.index.file(unquote(path.removeprefix("/files/")))):
            self._file(file, cut)
            return
        self._send(404, {}, b"nothing here")

    def _page(self, name: str, files: dict[str, _File]) -> None:
        kind = "application/vnd.pypi.simple.v1+json"
        if self.server.index.as_json and kind in self.headers.get("Accept", ""):
            self._send(200, {"Content-Type": kind}, json.dumps(_json_page(name, files)).encode())
        else:
            self._send(200, {"Content-Type": "text/html; charset=utf-8"}, _html_page(files).encode())

    def _file(self, file: _File, cut: int | None) -> None:
        index, content, status = self.server.index, file.content, 200
        headers = {"Content-Type": "application/octet-stream"}
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if index.etags:
            headers["ETag"] = etag
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and index.ranges and self.headers.get("If-Range", etag) == etag:
            start = int(asked[1])
            if start >= len(content):
                self._send(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
                return
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        self._send(status, headers, content, cut=cut)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, *, cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if headers.get("Connection") == "close":
            self.close_connection = True
        elif "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True


def _json_page(name: str, files: dict[str, _File]) -> dict[str, Any]:
    rows = [
        {
            "filename": file.filename,
            "url": f"../../files/{quote(file.filename)}",
            "hashes": dict(file.hashes),
            "requires-python": file.requires_python,
            "yanked": False if file.yanked is None else file.yanked or True,
            "size": len(file.content),
        }
        for file in files.values()
    ]
    return {"meta": {"api-version": "1.1"}, "name": name, "files": rows}


def _html_page(files: dict[str, _File]) -> str:
    lines = []
    for file in files.values():
        fragment = "".join(f"#{name}={value}" for name, value in file.hashes.items())
        attributes = f' data-requires-python="{escape(file.requires_python)}"' if file.requires_python else ""
        attributes += f' data-yanked="{escape(file.yanked)}"' if file.yanked is not None else ""
        lines.append(f'<a href="../../files/{quote(file.filename)}{fragment}"{attributes}>{file.filename}</a><br>')
    return "<!DOCTYPE html><html><body>\n" + "\n".join(lines) + "\n</body></html>\n"
