"""`lamella start-lambda`: real functions behind Lambda's Invoke, with boto3 and the AWS CLI as clients."""

from __future__ import annotations

import base64
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from tests.build.projects import RUNNABLE, RUNTIME, Project, clean_environment, with_one_function

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("start-lambda")]

CONFIGURATION = (
    RUNNABLE
    + """name = "spectra-api"
alias = "live"
timeout = 30
"""
)
HANDLER = """
import os, time
import stem

def handler(event, context):
    if not isinstance(event, dict):
        return event
    print("did", event.get("do"))
    match event.get("do"):
        case "raise":
            raise ValueError("no such order")
        case "exit":
            os._exit(3)
        case "sleep":
            print("asleep", flush=True)
            time.sleep(600)
        case "long":
            return "x" * event["size"]
    return {
        "event": event, "arn": context.invoked_function_arn, "id": context.aws_request_id, "process": os.getpid(),
        "title": context.client_context and context.client_context.client.app_title,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
    }
"""
ARN = "arn:aws:lambda:us-east-1:123456789012:function:spectra-api"
URL = re.compile(r"Serving Lambda's Invoke on (http://127\.0\.0\.1:\d+);")
# The AWS CLI that is fetched where there is none
CLI = "awscli==1.45.11"


class Served:
    """The command at work; what it writes to stderr is read all the time."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self.root = project.root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lamella", "start-lambda", "--port", "0", *arguments],
            cwd=project.root, env=project.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._came = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.url = self.line(URL)[1]
        self.client: Any = boto3.client(
            "lambda", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="none",
            aws_secret_access_key="none", config=Config(retries={"total_max_attempts": 1}, max_pool_connections=8),
        )  # fmt: skip

    def line(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """The first line of stderr that has the pattern, once it comes."""
        with self._came:
            assert self._came.wait_for(lambda: self._has(pattern) or self.process.poll() is not None, 60)
            found = self._has(pattern)
        assert found, "".join(self.lines)
        return found

    def invoke(self, event: object, **more: Any) -> Any:
        response = self.client.invoke(FunctionName="api", Payload=json.dumps(event).encode(), **more)
        return json.load(response["Payload"])

    def children(self) -> dict[int, int]:
        """All processes below the server: a descriptor of each, which tells when it has ended."""
        parents = dict(_parents())
        below = {self.process.pid}
        while more := {child for child, parent in parents.items() if parent in below} - below:
            below |= more
        return {child: os.pidfd_open(child) for child in below - {self.process.pid}}

    def resident(self) -> int:
        """Megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+) kB", status)[1]) // 1024  # type: ignore[index]

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        """All that it wrote to stderr."""
        self.client.close()
        self.process.send_signal(number)
        self.process.wait(60)
        self._reader.join(60)
        return "".join(self.lines)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _has(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return next((found for line in self.lines if (found := pattern.search(line))), None)

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                with self._came:
                    self.lines.append(line)
                    self._came.notify_all()
        with self._came:
            self.process.wait()
            self._came.notify_all()


def _parents() -> Iterator[tuple[int, int]]:
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = Path(f"/proc/{name}/stat").read_text()
        except OSError:
            continue
        yield int(name), int(text.rpartition(")")[2].split()[1])


def all_ended(children: dict[int, int]) -> bool:
    """Whether they all end in the next seconds.  Closes the descriptors."""
    try:
        return all(select.select([descriptor], [], [], 20)[0] for descriptor in children.values())
    finally:
        for descriptor in children.values():
            os.close(descriptor)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = with_one_function(tmp_path_factory.mktemp("start-lambda"))
    made.configure(CONFIGURATION)
    made.source("app.py", HANDLER)
    made.run("build", check=True)
    return made


@contextmanager
def serving(project: Project, *arguments: str) -> Iterator[Served]:
    made = Served(project, *arguments)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def served(project: Project) -> Iterator[Served]:
    with serving(project, "--retry-delay", "0") as made:
        yield made


def test_it_says_what_it_serves_and_how_to_call_it(served: Served) -> None:
    assert served.process.stdout is not None
    assert served.process.stdout.readline().split() == ["function", "name", "in", "AWS", "alias"]
    assert served.process.stdout.readline().split() == ["api", "spectra-api", "live"]
    served.line(re.compile(rf"^  AWS_ENDPOINT_URL_LAMBDA={served.url} leads"))
    served.line(re.compile(rf"^  aws lambda invoke --endpoint-url {served.url} --function-name api out.json$"))


def test_an_answer_its_headers_and_its_log(served: Served) -> None:
    context = base64.b64encode(b'{"client": {"app_title": "Ti"}}').decode()
    response = served.client.invoke(
        FunctionName="spectra-api", Qualifier="live", Payload=b'{"do": "it"}', LogType="Tail", ClientContext=context
    )
    answer = json.load(response["Payload"])
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["event"] == {"do": "it"}
    assert answer["arn"] == f"{ARN}:live"
    assert answer["title"] == "Ti"
    assert answer["id"] == response["ResponseMetadata"]["RequestId"]
    assert answer["trace"] == response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-trace-id"]
    log = base64.b64decode(response["LogResult"]).decode()
    assert f"START RequestId: {answer['id']} Version: $LATEST\ndid it\nEND RequestId: {answer['id']}\nREPORT " in log
    served.line(re.compile(f"^REPORT RequestId: {answer['id']}"))


def test_a_streamed_payload_and_a_long_answer(served: Served, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_bytes(b'"' + b"x" * 3_000_000 + b'"')
    with open(tmp_path / "event.json", "rb") as file:
        response = served.client.invoke(FunctionName="api", Payload=file)
    assert response["Payload"].read() == (tmp_path / "event.json").read_bytes()
    assert served.invoke({"do": "long", "size": 6_000_000}) == "x" * 6_000_000
    assert served.client.invoke(FunctionName="api")["Payload"].read().startswith(b'{"event": {}')


def test_functions_that_fail(served: Served) -> None:
    response = served.client.invoke(FunctionName="api", Payload=b'{"do": "raise"}')
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert json.load(response["Payload"])["errorMessage"] == "no such order"
    response = served.client.invoke(FunctionName="api", Payload=b'{"do": "exit"}')
    assert response["FunctionError"] == "Unhandled"
    assert json.load(response["Payload"])["errorType"] == "Runtime.ExitError"


def test_refusals(served: Served) -> None:
    with pytest.raises(served.client.exceptions.ResourceNotFoundException, match=f"{ARN}:3$"):
        served.client.invoke(FunctionName="api:3")
    with pytest.raises(served.client.exceptions.InvalidRequestContentException):
        served.client.invoke(FunctionName="api", Payload=b"{'")
    with pytest.raises(ClientError, match="RequestEntityTooLargeException"):
        served.client.invoke(FunctionName="api", Payload=b'"' + b"x" * 6_291_456 + b'"')
    served.line(re.compile("^warning: Function not found: .*the functions here are `api`$"))


def test_dry_runs_and_events(served: Served) -> None:
    assert served.client.invoke(FunctionName="api", InvocationType="DryRun")["StatusCode"] == 204
    response = served.client.invoke(FunctionName="api", InvocationType="Event", Payload=b'{"do": "well"}')
    assert response["StatusCode"] == 202
    served.line(re.compile(f"^REPORT RequestId: {response['ResponseMetadata']['RequestId']}"))
    response = served.client.invoke(FunctionName="api:live", InvocationType="Event", Payload=b'{"do": "raise"}')
    request = response["ResponseMetadata"]["RequestId"]
    served.line(re.compile(f"^warning: event {request} for `api` failed 3 times; its record is in `dist/lambda/dead-"))
    [letter] = [json.loads(line) for line in (served.root / "dist/lambda/dead-letters.jsonl").read_text().splitlines()]
    assert letter["requestContext"] == {
        "requestId": request, "functionArn": f"{ARN}:live", "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }  # fmt: skip
    assert letter["responsePayload"]["errorMessage"] == "no such order"


@pytest.fixture(scope="session")
def aws() -> list[str]:
    """The AWS CLI's command: that of this machine, or one that uv fetches."""
    fetched = [shutil.which("uv", path=os.path.dirname(sys.executable)) or "uv", "tool", "run", "--from", CLI, "aws"]
    for command in (["aws"], fetched):
        try:
            done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False, timeout=300)
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.startswith("aws-cli/"):
            return command
    pytest.skip("there is no AWS CLI here, and none can be fetched")


def test_the_aws_cli(served: Served, aws: list[str], tmp_path: Path) -> None:
    environment = clean_environment(
        os.environ, AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_ENDPOINT_URL_LAMBDA=served.url,
        AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
    )  # fmt: skip

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*aws, "lambda", "invoke", *arguments, "out.json"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    (tmp_path / "event.json").write_text('{"do": "cli"}')
    done = run("--function-name", f"{ARN}:live", "--payload", "fileb://event.json", "--log-type", "Tail")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "$LATEST")
    assert b"\ndid cli\n" in base64.b64decode(told["LogResult"])
    assert json.loads((tmp_path / "out.json").read_text())["event"] == {"do": "cli"}
    assert json.loads(run("--function-name", "api", "--invocation-type", "DryRun").stdout) == {"StatusCode": 204}
    assert json.loads(run("--function-name", "api", "--invocation-type", "Event").stdout) == {"StatusCode": 202}
    missing = run("--function-name", "nope")
    assert missing.returncode in (254, 255)
    assert "(ResourceNotFoundException) when calling the Invoke operation" in missing.stderr


def test_a_thousand_over_eight_at_once_and_a_thousand_more(project: Project) -> None:
    mounts = Path("/proc/self/mounts").read_text()
    with serving(project, "--concurrency", "8") as served:

        def ask(number: int) -> tuple[int, int]:
            answer = served.invoke({"n": number})
            return answer["event"]["n"], answer["process"]

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(1000)))
            assert [number for number, _ in answers] == list(range(1000))
            before = served.resident()
            assert [number for number, _ in pool.map(ask, range(1000))] == list(range(1000))
            grown = served.resident() - before
        children = served.children()
        assert 1 <= len(children) <= 8 * 3  # with a sandbox's own processes
        err = served.end()
        assert served.process.returncode == 0
        assert all_ended(children)
    assert grown <= 4
    assert err.count("REPORT RequestId: ") == 2000
    assert "Traceback" not in err
    assert Path("/proc/self/mounts").read_text() == mounts


def test_a_killed_server_leaves_no_process_and_no_mount(project: Project) -> None:
    mounts = Path("/proc/self/mounts").read_text()
    with serving(project) as served:
        served.client.invoke(FunctionName="api", InvocationType="Event", Payload=b'{"do": "sleep"}')
        served.line(re.compile("^asleep$"))
        served.invoke({})
        children = served.children()
        assert children
        served.end(signal.SIGKILL)
        assert all_ended(children)
    assert Path("/proc/self/mounts").read_text() == mounts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_in_the_midst_of_an_event_writes_it_down(
    project: Project, tmp_path: Path, number: signal.Signals
) -> None:
    with serving(project, "--dead-letters", str(tmp_path / "letters.jsonl")) as served:
        served.client.invoke(FunctionName="api", InvocationType="Event", Payload=b'{"do": "sleep"}')
        served.line(re.compile("^asleep$"))
        children = served.children()
        served.process.send_signal(number)
        served.line(re.compile("^Waiting for events that are under way"))
        err = served.end(number)
        assert served.process.returncode == 0
        assert all_ended(children)
    assert "Traceback" not in err
    [letter] = [json.loads(line) for line in (tmp_path / "letters.jsonl").read_text().splitlines()]
    assert letter["requestContext"]["condition"] == "ServerEnded"
    assert letter["requestContext"]["waitingFor"] == "the end of attempt 1"
    assert letter["requestPayload"] == {"do": "sleep"}


def test_a_change_is_served_by_the_next_invocation(tmp_path: Path) -> None:
    project = with_one_function(tmp_path)
    project.configure(CONFIGURATION)
    project.source("app.py", "def handler(event, context):\n    return 1\n")
    with serving(project, "--watch") as served:
        assert served.invoke({}) == 1
        project.source("app.py", "def handler(event, context):\n    return 2\n")
        assert served.invoke({}) == 2
        more = CONFIGURATION + '\n[tool.lamella.functions.new]\nhandler = "app.handler"\n'
        project.configure(more)
        assert json.load(served.client.invoke(FunctionName="new")["Payload"]) == 2


def test_mistakes_are_told_with_a_way_out(project: Project, tmp_path: Path, served: Served) -> None:
    def run(*arguments: str) -> str:
        done = project.run("start-lambda", *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return str(done.stderr)

    port = served.url.rpartition(":")[2]
    assert f"error: port {port} of `127.0.0.1` is in use" in run("--port", port)
    assert "is no address of this machine" in run("--host", "192.0.2.1", "--port", "0")
    assert "`70000` is no port from 0 to 65535" in run("--port", "70000")
    assert "`0` is no number from 1 on" in run("--concurrency", "0")
    assert "`-1` is no number of seconds" in run("--retry-delay=-1")
    (tmp_path / "file").write_text("")
    assert "name another file with `--dead-letters`" in run("--dead-letters", str(tmp_path / "file" / "x"))
    empty = with_one_function(tmp_path / "empty")
    empty.configure(f'[tool.lamella]\nruntime = "{RUNTIME}"\n[tool.lamella.layers.layer]\n')
    empty.run("build", check=True)
    assert "error: the project has no functions" in empty.run("start-lambda").stderr
