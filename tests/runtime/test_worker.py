"""What becomes of one process, in Lambda's words; most of it with AWS's own client, too."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.conftest import ARN, PYTHON, Functions, asked, launch_of

from lamella.errors import OutsideError
from lamella.facts.tables import limits
from lamella.runtime.model import Gone, Result
from lamella.runtime.pool import Pool
from lamella.runtime.process import Process
from lamella.runtime.starting import listening, runtime
from lamella.runtime.worker import Worker
from lamella.sandbox.model import PATH_ONLY
from lamella.sandbox.run import Sandbox

ECHO = "def handler(event, context):\n    return event\n"


def error_of(result: Result) -> dict[str, Any]:
    assert result.error == "Unhandled"
    error: dict[str, Any] = json.loads(result.payload)
    return error


def lines_of(result: Result) -> list[str]:
    return result.log.decode().splitlines()


def test_an_answer_and_its_log(function: Functions, isolation: str) -> None:
    pool = function(
        "def handler(event, context):\n    print('hello')\n    return {'got': event}\n", isolation=isolation
    )
    result = pool.invoke(asked('{"a": "ü"}', "r1"))
    assert json.loads(result.payload) == {"got": {"a": "ü"}}
    assert (result.error, result.isolation) == ("", isolation)
    report = result.report
    assert (report.request_id, report.memory, report.status) == ("r1", 512, "")
    assert report.init is not None
    assert report.billed >= report.init + report.duration
    assert 5 < report.used < 512
    assert re.fullmatch(
        r"START RequestId: r1 Version: \$LATEST\nhello\nEND RequestId: r1\n"
        r"REPORT RequestId: r1\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\n",
        result.log.decode(),
    )
    again = pool.invoke(asked())
    assert again.report.init is None
    assert "Init Duration" not in again.log.decode()


@pytest.mark.parametrize("value", ["None", "1.5", "'t€xt'", "[1, {'a': None}]", "True", "''"])
def test_what_a_handler_returns(function: Functions, value: str) -> None:
    result = function(f"def handler(event, context):\n    return {value}\n").invoke(asked())
    assert json.loads(result.payload) == eval(value)


def test_an_exception_leaves_it_warm(function: Functions) -> None:
    pool = function("""
        count = 0
        def handler(event, context):
            global count
            count += 1
            if event == "fail":
                raise ValueError("no such order")
            return count
    """)
    assert pool.invoke(asked('"go"')).payload == b"1"
    failed = pool.invoke(asked('"fail"'))
    error = error_of(failed)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such order")
    assert failed.report.status == ""
    lines = lines_of(failed)
    assert lines[1:3] == ["[ERROR] ValueError: no such order", "Traceback (most recent call last):"]
    assert b"\r" not in failed.log
    assert pool.invoke(asked('"go"')).payload == b"3"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(1)", "Runtime exited with error: exit status 1"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
    ],
)
def test_an_end_without_an_answer(function: Functions, code: str, why: str) -> None:
    pool = function(f"""
        import os, sys
        def handler(event, context):
            print("last words", end="", flush=True)
            if event: {code}
            return os.getpid()
    """)
    began = time.monotonic()
    result = pool.invoke(asked("1", "r9"))
    assert time.monotonic() - began < 10, "it is seen at once, not at the timeout"
    assert error_of(result) == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: r9 Error: {why}"}
    assert lines_of(result)[1:5] == [
        "last words",
        f"RequestId: r9 Error: {why}",
        "Runtime.ExitError",
        "END RequestId: r9",
    ]
    assert lines_of(result)[-1].endswith("\tStatus: error\tError Type: Runtime.ExitError")
    assert result.report.status == "error"
    fresh = pool.invoke(asked("0"))
    assert fresh.report.init is not None
    assert fresh.error == ""


def test_an_end_is_seen_without_the_kernels_help(function: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    pool = function("import os\ndef handler(event, context):\n    os._exit(3) if event else None\n")
    assert pool.invoke(asked("0")).error == ""
    assert "exit status 3" in error_of(pool.invoke(asked("1")))["errorMessage"]


def test_a_timeout_ends_it(function: Functions, isolation: str) -> None:
    pool = function(
        """
        import subprocess, sys, time
        def handler(event, context):
            if event:
                print("before", flush=True)
                subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
                time.sleep(100)
            return "fine"
        """,
        timeout=0.5,
        isolation=isolation,
    )
    assert pool.invoke(asked("0")).payload == b'"fine"'
    began = time.monotonic()
    result = pool.invoke(asked("1", "r5"))
    assert 0.5 <= time.monotonic() - began < 5
    assert result.payload == (
        b'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: r5 Error: Task timed out after 0.50 seconds"}'
    )
    assert (result.error, result.report.status) == ("Unhandled", "timeout")
    assert (result.report.duration, result.report.billed) == (500, 500)
    _, before, timed, end, report = lines_of(result)
    assert (before, end) == ("before", "END RequestId: r5")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z r5 Task timed out after 0\.50 seconds", timed)
    assert report.endswith("\tStatus: timeout")
    assert pool.invoke(asked("0")).report.init is not None


def test_a_timeout_in_the_midst_of_endless_output(function: Functions) -> None:
    pool = function("def handler(event, context):\n    while True: print('x' * 1000)\n", timeout=0.5)
    began = time.monotonic()
    assert error_of(pool.invoke(asked()))["errorType"] == "Sandbox.Timedout"
    assert time.monotonic() - began < 10


def test_too_much_memory(function: Functions) -> None:
    pool = function(
        "def handler(event, context):\n    return len(bytearray(400_000_000) if event else b'')\n", memory=128
    )
    assert pool.invoke(asked("0")).payload == b"0"
    result = pool.invoke(asked("1", "r1"))
    assert error_of(result) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: r1 Error: Runtime exited with error: signal: killed",
    }
    assert lines_of(result)[-1].endswith("Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory")
    assert pool.invoke(asked("0")).error == ""


def test_what_is_imported_is_missing(function: Functions) -> None:
    pool = function("print('on the way')\nimport no_such_module\n")
    result = pool.invoke(asked(request_id="r2"))
    error = error_of(result)
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'no_such_module'" in error["errorMessage"]
    lines = lines_of(result)
    assert lines[0] == "on the way"
    (init,) = [line for line in lines if line.startswith("INIT_REPORT")]
    assert re.fullmatch(
        r"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError",
        init,
    )
    assert lines[-3:-1] == ["START RequestId: r2 Version: $LATEST", "END RequestId: r2"]
    assert lines[-1].endswith("Status: error\tError Type: Runtime.ImportModuleError")
    assert error_of(pool.invoke(asked()))["errorType"] == "Runtime.ImportModuleError", "and again"


@pytest.mark.parametrize(
    ("code", "why"),
    [("sys.exit(4)", "exit status 4"), ("os.kill(os.getpid(), 9)", "signal: killed"), ("os._exit(4)", "exit status 4")],
)
def test_an_end_in_init(function: Functions, code: str, why: str) -> None:
    result = function(f"import os, sys\n{code}\n").invoke(asked(request_id="r1"))
    assert error_of(result) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: r1 Error: Runtime exited with error: {why}",
    }
    assert "\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n" in result.log.decode()


SLOW_ONCE = """
    import os, time
    mark = {mark!r}
    if not os.path.exists(mark):
        open(mark, "w").close()
        print("first", flush=True)
        time.sleep(100)
    print("second", flush=True)
    def handler(event, context):
        return "at last"
"""


def test_an_init_that_takes_too_long_is_repeated_in_the_invocation(function: Functions, tmp_path: Path) -> None:
    pool = function(SLOW_ONCE.format(mark=str(tmp_path / "mark")), init_seconds=1, isolation=PATH_ONLY)
    result = pool.invoke(asked(request_id="r1"))
    assert (result.payload, result.error, result.report.init) == (b'"at last"', "", None)
    lines = lines_of(result)
    assert lines[0] == "first"
    assert re.fullmatch(r"INIT_REPORT Init Duration: 1\d{3}\.\d\d ms\tPhase: init\tStatus: timeout", lines[1])
    assert lines[2:4] == ["second", "START RequestId: r1 Version: $LATEST"]
    assert pool.invoke(asked()).payload == b'"at last"'


def test_an_init_that_takes_too_long_twice(function: Functions) -> None:
    pool = function("import time\ntime.sleep(100)\n", init_seconds=0.3, timeout=0.4)
    result = pool.invoke(asked(request_id="r1"))
    assert error_of(result)["errorMessage"] == "RequestId: r1 Error: Task timed out after 0.40 seconds"
    assert re.findall(r"Phase: (\w+)\tStatus: timeout", result.log.decode()) == ["init", "invoke"]


def test_logs_come_in_order_and_at_once(function: Functions, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    pool = function(
        f"""
        import sys
        def handler(event, context):
            print("one")
            print("two", file=sys.stderr)
            with open({str(gate)!r}) as file:
                print(file.read())
            sys.stderr.write("three")
        """,
        isolation=PATH_ONLY,
    )
    given: list[bytes] = []
    passed = threading.Event()

    def log(data: bytes) -> None:
        given.append(data)
        if b"two" in data and not passed.is_set():
            passed.set()
            gate.write_text("through the gate")

    result = pool.invoke(asked(), log)
    assert passed.is_set(), "it was given while the handler waited"
    assert b"".join(given) == result.log
    assert lines_of(result)[1:5] == ["one", "two", "through the gate", "three"]


def test_a_large_log(function: Functions) -> None:
    pool = function("def handler(event, context):\n    for n in range(16_000): print(f'{n:05} ' + 'x' * 60)\n")
    for _ in range(2):
        lines = lines_of(pool.invoke(asked()))[1:-2]
        assert [int(line[:5]) for line in lines] == list(range(16_000))


def test_what_threads_write_between_invocations_is_in_the_next(function: Functions) -> None:
    pool = function("""
        import os, threading
        go, done = threading.Event(), threading.Event()
        def work():
            go.wait()
            os.write(1, b"y" * 99 + b"\\n")
            for n in range(3000):
                os.write(1, b"x" * 99 + b"\\n")
            done.set()
        threading.Thread(target=work, daemon=True).start()
        def handler(event, context):
            if event: done.wait()
            else: go.set()
    """)
    first = pool.invoke(asked("0"))
    second = pool.invoke(asked("1"))
    written = lines_of(first)[1:-2] + lines_of(second)[1:-2]
    assert written == ["y" * 99] + ["x" * 99] * 3000, "300 kB, which is more than a pipe holds"


def test_a_handler_that_closes_its_output(function: Functions, isolation: str) -> None:
    code = "import os\ndef handler(event, context):\n    os.close(1); os.close(2)\n    return event\n"
    pool = function(code, isolation=isolation)
    began = time.process_time()
    assert pool.invoke(asked("1")).payload == b"1"
    assert time.process_time() - began < 5, "nobody spins on a pipe that is closed"


def test_grandchildren_that_hold_the_pipe(function: Functions, isolation: str) -> None:
    pool = function(
        """
        import os, subprocess, sys
        def handler(event, context):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=bool(event))
            print("started")
            if event: os._exit(1)
            return os.getpid()
        """,
        isolation=isolation,
    )
    assert lines_of(pool.invoke(asked("0")))[1] == "started"
    began = time.monotonic()
    result = pool.invoke(asked('""'))
    assert result.error == ""
    assert "exit status 1" in error_of(pool.invoke(asked("1")))["errorMessage"]
    assert time.monotonic() - began < 10


def test_the_limit_of_an_answer(function: Functions) -> None:
    pool = function("def handler(event, context):\n    return 'x' * (event - 2)\n")
    most = limits().response_bytes
    fits = pool.invoke(asked(str(most)))
    assert (len(fits.payload), fits.error) == (most, "")
    result = pool.invoke(asked(str(most + 1)))
    assert error_of(result) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    assert pool.invoke(asked("50000000")).error == "Unhandled"
    # What the client says of that, and its end, belong to the one whose answer was refused
    after = pool.invoke(asked("10"))
    assert (after.payload, after.error) == (b'"xxxxxxxx"', "")
    assert len(after.log.splitlines()) == 3


def test_the_limit_of_an_event(function: Functions) -> None:
    pool = function("def handler(event, context):\n    return len(event)\n")
    most = limits().request_bytes
    assert pool.invoke(asked(b'"' + b"x" * (most - 2) + b'"')).payload == str(most - 2).encode()


def test_the_context(real: Callable[..., Pool]) -> None:
    pool = real("""
        import os
        def handler(event, context):
            client, identity = context.client_context, context.identity
            return [
                context.aws_request_id, context.invoked_function_arn, context.get_remaining_time_in_millis(),
                client and [client.custom, client.client.installation_id], identity.cognito_identity_id,
                os.environ.get("_X_AMZN_TRACE_ID"), os.environ["_HANDLER"],
            ]
    """)
    request_id, arn, left, client, identity, trace, handler = json.loads(pool.invoke(asked(request_id="r1")).payload)
    assert (request_id, arn, client, identity, trace) == ("r1", ARN, None, None, None)
    assert 15_000 < left <= 20_000
    assert handler == "app.handler"
    more = asked(
        arn=f"{ARN}:live",
        client_context='{"custom": {"a": "ü"},\r\n "client": {"installation_id": "i"}}',
        identity='{"cognitoIdentityId": "us-east-1:x", "cognitoIdentityPoolId": "p"}',
        trace="Root=1-5-6;Sampled=1",
    )
    _, arn, _, client, identity, trace, _ = json.loads(pool.invoke(more).payload)
    assert (arn, client, identity) == (f"{ARN}:live", [{"a": "ü"}, "i"], "us-east-1:x")
    assert trace == "Root=1-5-6;Sampled=1"
    assert json.loads(pool.invoke(asked()).payload)[3:6] == [None, None, None], "nothing stays of the one before"


@pytest.mark.parametrize(
    ("code", "handler", "kind", "message"),
    [
        (
            "",
            "nothing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'nothing': No module named 'nothing'",
        ),
        ("", "app.nothing", "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'app'"),
        ("def f(:", "app.f", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
        ("", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': "),
        ("1 / 0", "app.f", "ZeroDivisionError", "division by zero"),
    ],
)
def test_errors_of_init_in_awss_words(
    real: Callable[..., Pool], code: str, handler: str, kind: str, message: str
) -> None:
    result = real(code, handler=handler).invoke(asked())
    error = error_of(result)
    assert error["errorType"] == kind
    assert error["errorMessage"].startswith(message)
    said = kind if kind.startswith("Runtime.") else "Runtime.Unknown"
    assert f"\tPhase: init\tStatus: error\tError Type: {said}\n" in result.log.decode()


def test_a_traceback_and_an_answer_that_is_no_json(real: Callable[..., Pool]) -> None:
    pool = real("def handler(event, context):\n    return {1, 2} if event else 1 / 0\n")
    failed = pool.invoke(asked("0"))
    assert error_of(failed)["stackTrace"]
    text = failed.log.decode().replace("\u00a0", " ")
    assert "[ERROR] ZeroDivisionError: division by zero\nTraceback (most recent call last):\n  File " in text
    assert error_of(pool.invoke(asked("1")))["errorType"] == "Runtime.MarshalError"


TALK = """
    import http.client, json, os
    def ask(method, path, body=None):
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request(method, path, body)
        answer = connection.getresponse()
        return [answer.status, answer.read().decode()]
    def handler(event, context):
        return [ask(*row) for row in event]
"""


def test_what_the_runtime_api_refuses(function: Functions) -> None:
    root = "/2018-06-01/runtime"
    rows = [
        ["POST", f"{root}/invocation/other/response", "1"],
        ["POST", f"{root}/invocation/other/error", "1"],
        ["POST", f"{root}/init/error", "{}"],
        ["GET", f"{root}/nothing"],
        ["GET", "/other"],
        ["POST", f"{root}/invocation/next", ""],
        ["GET", f"{root}/init/error"],
        ["GET", "/2018-06-01/ping"],
    ]
    got = json.loads(function(TALK).invoke(asked(json.dumps(rows))).payload)
    invalid = {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}
    assert [got[0][0], json.loads(got[0][1])] == [400, invalid]
    assert [got[1][0], json.loads(got[1][1])] == [400, invalid]
    assert got[2][0] == 403
    assert json.loads(got[2][1]) == {
        "errorMessage": "State transition from Running to InitError failed for runtime. "
        "Error: State transition is not allowed",
        "errorType": "InvalidStateTransition",
    }
    assert [row[0] for row in got[3:7]] == [404, 404, 405, 405]
    assert got[7] == [200, "pong"]


def test_an_event_is_given_again_until_it_is_answered(function: Functions) -> None:
    pool = function("""
        import http.client, os
        def handler(event, context):
            connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            connection.request("GET", "/2018-06-01/runtime/invocation/next")
            answer = connection.getresponse()
            return [answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read().decode()]
    """)
    assert json.loads(pool.invoke(asked("[1]", "r1")).payload) == ["r1", "[1]"]


def test_a_second_answer_is_one_too_many(function: Functions) -> None:
    pool = function("""
        import http.client, json, os
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        said = []
        def handler(event, context):
            if not event:
                for body in ('"first"', '"second"'):
                    path = f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response"
                    connection.request("POST", path, body)
                    answer = connection.getresponse()
                    said.append([answer.status, json.loads(answer.read()).get("errorType")])
            return said
    """)
    assert pool.invoke(asked("0")).payload == b'"first"'
    second = pool.invoke(asked("1"))
    assert second.error == ""
    # AWS's client ends where its own answer is refused; what the handler was told is known from the other one
    assert json.loads(second.payload) in ([[202, None], [403, "InvalidStateTransition"]], [])


def test_a_worker_that_died_idle_has_had_nothing(client: str, tmp_path: Path) -> None:
    sandbox = Sandbox(sys.executable, PYTHON, PATH_ONLY)
    worker = Worker(sandbox, launch_of(tmp_path / "task", client, ECHO))
    assert worker.invoke(asked("1")).payload == b"1"
    worker.kill()
    with pytest.raises(Gone):
        worker.invoke(asked("2"))
    assert worker.ended
    worker.end()


def test_a_process_that_somebody_else_started(client: str, tmp_path: Path, isolation: str) -> None:
    sandbox = Sandbox(sys.executable, PYTHON, isolation)
    launch = launch_of(tmp_path / "task", client, ECHO)
    listener = listening()
    host, port = listener.getsockname()
    arguments, variables = runtime(launch, f"{host}:{port}")
    log, writing = os.pipe()
    began = time.monotonic()
    held = sandbox.start(arguments, launch.place, env=variables, stdout=writing, stderr=writing)
    os.close(writing)
    pool = Pool(sandbox, launch, limit=1)
    pool.adopt(Worker.adopt(sandbox, launch, held, listener, log, began=began))
    result = pool.invoke(asked("1"))
    assert (result.payload, result.error) == (b"1", "")
    assert result.report.init is not None
    assert result.report.init < (time.monotonic() - began) * 1000
    pool.close()
    assert held.returned() == 137


def test_without_the_client(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    launch = launch_of(tmp_path / "task", str(empty), ECHO)
    for kind in ("auto", PATH_ONLY):
        pool = Pool(Sandbox(sys.executable, PYTHON, kind), launch)
        with pytest.raises(OutsideError, match="`orders` can't be started without AWS's runtime client"):
            pool.invoke(asked())
        pool.close()


def test_a_sandbox_that_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    sandbox = Sandbox(sys.executable, PYTHON, chosen="bubblewrap")
    pool = Pool(sandbox, launch_of(tmp_path / "task", None, ECHO))
    with pytest.raises(
        OutsideError, match="in a sandbox by bubblewrap\n  bwrap: setting up uid map: Permission denied"
    ):
        pool.invoke(asked())
    pool.close()


def test_a_program_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    sandbox = Sandbox(sys.executable, PYTHON, chosen="bubblewrap")
    pool = Pool(sandbox, launch_of(tmp_path / "task", None, ECHO))
    with pytest.raises(OutsideError, match="`orders` can't be started\n  not on PATH: `bwrap`"):
        pool.invoke(asked())
    pool.close()


def test_nothing_is_left_of_a_process(client: str, tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    sandbox = Sandbox(sys.executable, PYTHON)
    worker = Worker(sandbox, launch_of(tmp_path / "task", client, ECHO))
    worker.invoke(asked("1"))
    process: Process = worker._process
    worker.end()
    worker.end()
    assert process.ended == 137
    assert set(os.listdir("/proc/self/fd")) == before
