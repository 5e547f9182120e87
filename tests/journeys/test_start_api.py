"""`lamella start-api`: real functions behind the real server, called by httpx and by a page in a browser."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.build.projects import RUNNABLE, Project, with_one_function
from tests.report.chromium import PageError, opened

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("start-api")]

CONFIGURATION = (
    RUNNABLE
    + """timeout = 20
routes = ["POST /v1/jobs", "GET /v1/jobs/{id}", "ANY /echo/{proxy+}"]

[tool.lamella.functions.guarded]
handler = "app.handler"
layers = ["layer"]
timeout = 20
routes = ["GET /secret"]
authorizer = "gate"

[tool.lamella.functions.gate]
handler = "app.gate"
layers = ["layer"]
timeout = 20

[tool.lamella.api.authorizers.gate]
"""
)
HANDLER = """
import json
import stem

def handler(event, context):
    print("path:", event.get("rawPath", event.get("path")))
    path = event.get("rawPath", event.get("path"))
    if path.endswith("/fail"):
        raise ValueError("no such order")
    if path.endswith("/bytes"):
        return {"statusCode": 200, "body": event["body"], "isBase64Encoded": event["isBase64Encoded"]}
    return {
        "statusCode": 200, "headers": {"Content-Type": "application/json", "X-Total": "7"},
        "body": json.dumps({"event": event, "stem": stem.__file__}),
    }

def gate(event, context):
    print("asked")
    token = event.get("authorizationToken") or event["headers"]["authorization"]
    if token == "nobody":
        raise Exception("Unauthorized")
    effect = "Allow" if token == "ann" else "Deny"
    arn = event.get("methodArn") or event["routeArn"]
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": arn}
    return {"principalId": token, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"team": "red"}}
"""
PAGE = b"""<!doctype html><title>page</title><script>
window.call = (url, own) => fetch(url, {
  method: "POST",
  headers: {"Content-Type": "application/json", ...own},
  body: JSON.stringify({name: "k\\u00fche"}),
}).then(async answer => {
  const body = await answer.json();
  document.body.textContent = body.event.body;
  return {status: answer.status, total: answer.headers.get("x-total"), shown: document.body.textContent,
          own: body.event.headers["x-own"], origin: body.event.headers.origin};
});
</script><body></body>"""


@contextmanager
def page() -> Iterator[str]:
    """A page on an origin of its own: its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/"
            self.send_response(200 if found else 204)
            self.send_header("Content-Type", "text/html")
            if found:
                self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            if found:
                self.wfile.write(PAGE)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The URL of a page whose origin the API lets in."""
    with page() as url:
        yield url


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, origin: str) -> Project:
    cors = f"""
[tool.lamella.api.cors]
origins = ["{origin}"]
methods = ["POST"]
headers = ["content-type", "x-own"]
expose = ["x-total"]
"""
    return built(tmp_path_factory.mktemp("start-api"), CONFIGURATION + cors)


def built(folder: Path, configuration: str) -> Project:
    made = with_one_function(folder)
    made.configure(configuration)
    made.source("app.py", HANDLER)
    made.run("build", check=True)
    return made


class Server:
    """The command, running; what it says on stderr is in `lines` as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self.process = process
        self.lines: list[str] = []
        self._come = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._come:
                self.lines.append(line.rstrip("\n"))
                self._come.notify_all()
        with self._come:
            self.lines.append("(ended)")
            self._come.notify_all()

    def line(self, pattern: str) -> re.Match[str]:
        """The first line that matches, waited for."""
        with self._come:
            assert self._come.wait_for(lambda: self._find(pattern) or self._ended(), 60), self.lines
            found = self._find(pattern)
            assert found, self.lines
            return found

    def times(self, text: str, expected: int) -> int:
        """How often `text` was a line, once it was so as often as expected: logs come behind the answers."""
        with self._come:
            self._come.wait_for(lambda: self.lines.count(text) >= expected or self._ended(), 60)
            return self.lines.count(text)

    def _find(self, pattern: str) -> re.Match[str] | None:
        return next(filter(None, (re.search(pattern, line) for line in self.lines)), None)

    def _ended(self) -> bool:
        return self.lines[-1:] == ["(ended)"]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code and what was on stdout."""
        self.process.send_signal(number)
        out, code = "", self.process.wait(30)
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        self._reader.join(10)
        return code, out


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[tuple[Server, httpx.Client]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "lamella", "start-api", "--port", "0", *arguments],
        cwd=project.root,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    server = Server(process)
    try:
        url = server.line(r"^Serving an? \w+ API on (http://127\.0\.0\.1:\d+); Ctrl-C ends it$")[1]
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield server, client
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        server._reader.join(10)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="module")
def http(shared: Project) -> Iterator[tuple[Server, httpx.Client]]:
    with started(shared) as running:
        yield running


@pytest.fixture(scope="module")
def rest(shared: Project) -> Iterator[tuple[Server, httpx.Client]]:
    with started(shared, "--type", "rest") as running:
        yield running


def test_an_http_api(http: tuple[Server, httpx.Client]) -> None:
    server, client = http
    response = client.get("/v1/jobs/a%20b?x=1&x=2", headers=[("X-Two", "1"), ("x-two", "2"), ("Cookie", "a=1; b=2")])
    assert (response.status_code, response.headers["x-total"]) == (200, "7")
    told = response.json()
    event = told["event"]
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/v1/jobs/a b", "x=1&x=2")
    assert (event["pathParameters"], event["queryStringParameters"]) == ({"id": "a b"}, {"x": "1,2"})
    assert (event["headers"]["x-two"], event["cookies"]) == ("1,2", ["a=1", "b=2"])
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert told["stem"].startswith("/opt/python/stem/") or "unpacked" in told["stem"]
    server.line(r"^path: /v1/jobs/a b$")
    server.line(r"^REPORT RequestId: ")
    server.line(r"^GET /v1/jobs/a%20b 200 \d+ ms$")
    assert client.get("/nowhere").json() == {"message": "Not Found"}
    assert client.head("/v1/jobs/7").status_code == 404
    server.line(r"^HEAD /v1/jobs/7 404 \d+ ms$")


def test_a_rest_api(rest: tuple[Server, httpx.Client]) -> None:
    _, client = rest
    response = client.get("/v1/jobs/a%20b/?x=1&x=2", headers=[("X-Two", "1"), ("X-Two", "2"), ("x-sMall", "3")])
    event = response.json()["event"]
    assert (event["resource"], event["path"]) == ("/v1/jobs/{id}", "/v1/jobs/a%20b/")
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["multiValueHeaders"]["X-Two"] == ["1", "2"]
    assert event["headers"]["x-sMall"] == "3"  # as it was sent
    assert event["requestContext"]["stage"] == "prod"
    missing = client.get("/nowhere")
    assert (missing.status_code, missing.json()) == (403, {"message": "Missing Authentication Token"})


def test_bytes_go_there_and_back(http: tuple[Server, httpx.Client]) -> None:
    _, client = http
    data = bytes(range(256)) * 4000

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(data), 100_000):
            yield data[at : at + 100_000]

    response = client.post("/echo/bytes", content=chunks(), headers={"Content-Type": "application/octet-stream"})
    assert response.content == data
    assert client.head("/echo/x").content == b""


def test_a_function_that_fails(http: tuple[Server, httpx.Client], rest: tuple[Server, httpx.Client]) -> None:
    for (server, client), status in ((http, 500), (rest, 502)):
        assert client.get("/echo/fail").status_code == status
        server.line(r"^warning: `api` failed: ValueError: no such order$")
        server.line(r"ValueError: no such order")


def test_an_authorizer(http: tuple[Server, httpx.Client], rest: tuple[Server, httpx.Client]) -> None:
    for (server, client), passed in (
        (http, {"lambda": {"team": "red"}}),
        (rest, {"principalId": "ann", "team": "red"}),
    ):
        assert client.get("/secret").status_code == 401
        for _ in range(2):
            allowed = client.get("/secret", headers={"Authorization": "ann"})
            assert allowed.json()["event"]["requestContext"]["authorizer"] == passed
        assert client.get("/secret", headers={"Authorization": "bob"}).status_code == 403
        assert client.get("/secret", headers={"Authorization": "nobody"}).status_code == 401
        assert server.times("asked", 3) == 3


def test_a_page_on_another_origin(http: tuple[Server, httpx.Client], origin: str) -> None:
    server, client = http
    call = f"window.call({json.dumps(str(client.base_url) + '/v1/jobs')}, {{'X-Own': '1'}})"
    with opened(f"{origin}/") as tab:
        answer = tab.value(call)
    assert answer == {"status": 200, "total": "7", "shown": '{"name":"kühe"}', "own": "1", "origin": origin}
    server.line(r"^OPTIONS /v1/jobs 204 \d+ ms$")
    with page() as stranger, opened(f"{stranger}/") as tab, pytest.raises(PageError, match=r"Failed to fetch|CORS"):
        tab.value(call)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_its_end_is_clean(shared: Project, number: int) -> None:
    with started(shared) as (server, client):
        assert client.get("/v1/jobs/7").status_code == 200
        code, out = server.end(number)
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["method", "URL", "function", "authorizer"]
    assert ["POST", f"{str(client.base_url).rstrip('/')}/v1/jobs", "api"] in rows
    assert rows[-1][-2:] == ["guarded", "gate"]
    assert "Traceback" not in "\n".join(server.lines)


def test_what_changes_is_served_with_watch(tmp_path: Path) -> None:
    project = built(tmp_path, CONFIGURATION)
    with started(project, "--watch") as (server, client):
        assert client.get("/v1/jobs/7").headers["x-total"] == "7"
        project.source("app.py", HANDLER.replace('"X-Total": "7"', '"X-Total": "8"'))
        assert client.get("/v1/jobs/7").headers["x-total"] == "8"
        assert client.get("/new").status_code == 404
        project.configure(CONFIGURATION.replace('"POST /v1/jobs"', '"GET /new"'))
        assert client.get("/new").status_code == 200
        assert client.post("/v1/jobs").status_code == 404
        server.line("^The API's configuration changed$")
        project.configure(CONFIGURATION.replace('"POST /v1/jobs"', '"GET new"'))
        assert client.get("/new").status_code == 500
        server.line("^error: .* holds what is no route$")
        project.configure(CONFIGURATION)
        assert client.post("/v1/jobs").status_code == 200


def test_mistakes(shared: Project, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, err = refused(shared, "--port", str(port))
    assert code == 2
    assert err.startswith(f"error: port {port} of `127.0.0.1` is in use\n")
    assert "`x` is no port from 0 to 65535" in refused(shared, "--port", "x")[1]
    bare = built(tmp_path, "\n".join(line for line in CONFIGURATION.splitlines() if not line.startswith("routes")))
    code, err = refused(bare)
    assert (code, err) == (
        2,
        "error: no function has a route\n"
        "  `pyproject.toml` has no `routes`\n"
        '  hint: write `routes = ["GET /hello"]` below a function, say\n',
    )


def refused(project: Project, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lamella", "start-api", *arguments],
        cwd=project.root,
        env={**os.environ, **project.environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr
