"""`lamella invoke`: real functions, by AWS's own runtime client, with exactly their layers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import RUNNABLE, RUNTIME, Project, with_one_function
from tests.sandbox.lines import command_lines_below

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("invoke")]

CONFIGURATION = (
    RUNNABLE
    + """environment = { TABLE = "jobs" }
"""
)
HANDLER = """
import os, sys, time
import stem

STARTED = time.time()

def handler(event, context):
    print("hello from", context.function_name)
    match event.get("do"):
        case "raise":
            raise ValueError("no such order: ü")
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(60)
        case "wait":
            time.sleep(0.5)
        case "eat":
            hog = bytearray(400 << 20)
            for at in range(0, len(hog), 4096):
                hog[at] = 1
            time.sleep(60)
    return {
        "event": event, "started": STARTED, "stem": stem.__file__, "table": os.environ["TABLE"],
        "more": os.environ.get("MORE"), "home": os.environ.get("HOME"), "arn": context.invoked_function_arn,
        "id": context.aws_request_id, "memory": context.memory_limit_in_mb,
        "title": context.client_context and context.client_context.client.app_title,
    }
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("invoke")
    made = with_one_function(folder)
    made.configure(CONFIGURATION)
    made.source("app.py", HANDLER)
    made.run("build", check=True)
    return made


def invoke(
    project: Project, *arguments: str, stdin: bytes = b"", shell: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lamella", "invoke", *arguments],
        cwd=project.root,
        env={**project.environment, **(shell or {})},
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def told(project: Project, *arguments: str, **more: Any) -> dict[str, Any]:
    code, out, err = invoke(project, "api", "--json", *arguments, **more)
    assert code in (0, 1), err
    tree: dict[str, Any] = json.loads(out)
    assert tree["function"] == "api"
    return tree


REPORT = re.compile(
    r"REPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
    r"Max Memory Used: (\d+) MB\tInit Duration: [\d.]+ ms\t"
)


def test_the_answer_is_on_stdout_and_the_log_on_stderr(shared: Project) -> None:
    code, out, err = invoke(shared, "api", "--event", "-", stdin='{"größe": 7}'.encode())
    assert code == 0
    answer = json.loads(out)
    assert answer["event"] == {"größe": 7}
    assert answer["stem"].startswith("/opt/python/stem/") or "unpacked" in answer["stem"]
    assert (answer["table"], answer["memory"]) == ("jobs", "128")
    assert answer["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:spectra-api"
    start, said, end, report, isolation = err.splitlines()[-5:]
    assert start == f"START RequestId: {answer['id']} Version: $LATEST"
    assert said == "hello from spectra-api"
    assert end == f"END RequestId: {answer['id']}"
    found = REPORT.fullmatch(report)
    assert found
    assert 5 < int(found[1]) < 128
    assert isolation in ("isolation: bubblewrap", "isolation: namespaces", "isolation: path-only")


@pytest.mark.parametrize("isolation", ["bubblewrap", "namespaces", "path-only"])
def test_with_each_isolation(shared: Project, isolation: str) -> None:
    code, out, err = invoke(shared, "api", "--isolation", isolation)
    if code == 2 and "does not work here" in err:
        pytest.skip(err.splitlines()[1].strip())
    assert code == 0, err
    assert json.loads(out)["event"] == {}
    assert err.splitlines()[-1] == f"isolation: {isolation}"


def test_the_second_time_it_is_started_early_and_says_the_same(shared: Project) -> None:
    told(shared)  # what was built less than a moment ago is not trusted
    first = told(shared, "--context", "aws_request_id=one")
    kept = list(shared.cache.glob("v1/starts/*"))
    again = told(shared, "--context", "aws_request_id=two", "--event", "-", stdin=b'{"a": 1}')
    if first["invocations"][0]["isolation"] == "bubblewrap":
        assert kept
    for tree in (first, again):
        payload = tree["invocations"][0]["payload"]
        payload.pop("started")
        payload.pop("id")
    assert again["invocations"][0]["payload"].pop("event") == {"a": 1}
    assert first["invocations"][0]["payload"].pop("event") == {}
    assert again["invocations"][0]["payload"] == first["invocations"][0]["payload"]
    assert again["invocations"][0]["report"]["initDuration"] > 0


def test_what_was_started_early_and_does_not_work_any_more(shared: Project) -> None:
    """As where user namespaces were switched off meanwhile."""
    told(shared)
    isolation = told(shared)["invocations"][0]["isolation"]
    switch = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
    within = ["unshare", "--user", "--map-root-user", "sh", "-c", switch, "sh"]
    if isolation != "bubblewrap" or os.getuid() or subprocess.run([*within, "true"], check=False).returncode:
        pytest.skip("nothing is started early here, or it can't be kept from working")
    done = subprocess.run(
        [*within, sys.executable, "-m", "lamella", "invoke", "api"],
        cwd=shared.root, env=shared.environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["event"] == {}
    said = [line.split(" ")[0] for line in done.stderr.splitlines()]
    assert said == ["note:", "START", "hello", "END", "REPORT", "isolation:"], done.stderr
    assert done.stderr.endswith("isolation: path-only\n")
    assert told(shared)["invocations"][0]["isolation"] == "bubblewrap"


def test_with_a_control_group_nothing_is_kept(shared: Project, tmp_path: Path) -> None:
    """What is started early would not join it."""
    (tmp_path / "memory.limit_in_bytes").touch()
    before = set(shared.cache.glob("v1/starts/*"))
    told(shared, shell={"LAMELLA_CGROUP": str(tmp_path)})
    assert list(tmp_path.glob("lamella-*")), "it was in one"
    assert set(shared.cache.glob("v1/starts/*")) == before


def test_what_is_started_shows_no_variable(shared: Project, tmp_path: Path) -> None:
    """To other users, who can read command lines; early or not."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    told(shared)
    isolation = told(shared)["invocations"][0]["isolation"]
    command = [sys.executable, "-m", "lamella", "invoke", "api", "--timeout", "60", "--event", str(gate)]
    for kept in (False, isolation == "bubblewrap"):
        with subprocess.Popen(
            command, cwd=shared.root, env=shared.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr is not None
            with open(gate, "wb") as event:  # opened once the command is there, and all that is started before it
                lines = command_lines_below(process.pid)
                assert any(b"awslambdaric" in line for line in lines) == kept
                event.write(b'{"do": "wait"}')
            while not process.stderr.readline().startswith(b"hello"):
                assert process.poll() is None
            lines += command_lines_below(process.pid)
            assert any(b"awslambdaric" in line for line in lines)
            assert not any(word in line for line in lines for word in (b"TABLE", b"jobs"))
            process.communicate()


def test_a_change_after_the_build_is_not_run_and_a_new_build_is(tmp_path: Path) -> None:
    project = with_one_function(tmp_path)
    project.configure(CONFIGURATION)
    project.source("app.py", "def handler(event, context):\n    return 1\n")
    project.run("build", check=True)
    for expected in ("1", "1"):
        assert invoke(project, "api", "-q")[:2] == (0, expected + "\n")
    project.source("app.py", "def handler(event, context):\n    return 2\n")
    assert invoke(project, "api", "-q")[1] == "1\n", "what was built"
    project.run("build", check=True)
    assert invoke(project, "api", "-q")[1] == "2\n"
    assert invoke(project, "api", "-q")[1] == "2\n"


def test_warm_invocations(shared: Project) -> None:
    rows = told(shared, "--repeat", "4")["invocations"]
    assert len({row["payload"]["started"] for row in rows}) == 1
    assert len({row["requestId"] for row in rows}) == 4
    assert [row["report"]["initDuration"] is None for row in rows] == [False, True, True, True]


def test_an_exception(shared: Project) -> None:
    code, out, err = invoke(shared, "api", "--event", "-", stdin=b'{"do": "raise"}')
    assert code == 1
    error = json.loads(out)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such order: ü")
    assert "[ERROR] ValueError: no such order: ü" in err
    assert 'File "/var/task/app.py"' in err or "unpacked" in err


def test_an_exit_and_the_next_one(shared: Project) -> None:
    rows = told(shared, "--repeat", "2", "--event", "-", stdin=b'{"do": "exit"}')["invocations"]
    for row in rows:
        assert row["functionError"] == "Unhandled"
        assert row["payload"] == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {row['requestId']} Error: Runtime exited with error: exit status 3",
        }
        assert row["report"]["initDuration"], "in a new process each time"


def test_a_timeout(shared: Project) -> None:
    row = told(shared, "--timeout", "0.5", "--event", "-", stdin=b'{"do": "sleep"}')["invocations"][0]
    assert row["payload"]["errorMessage"].endswith("Task timed out after 0.50 seconds")
    assert row["report"]["status"] == "timeout"
    assert row["report"]["duration"] == 500
    assert any(line.endswith("Task timed out after 0.50 seconds") for line in row["log"])


def test_too_much_memory(shared: Project) -> None:
    row = told(shared, "--timeout", "30", "--event", "-", stdin=b'{"do": "eat"}')["invocations"][0]
    assert row["payload"]["errorType"] == "Runtime.ExitError"
    assert row["payload"]["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert row["report"]["maxMemoryUsed"] == 128
    enough = told(shared, "--memory", "600", "--timeout", "1", "--event", "-", stdin=b'{"do": "eat"}')
    assert enough["invocations"][0]["report"]["status"] == "timeout"
    assert enough["invocations"][0]["report"]["maxMemoryUsed"] > 128


def test_variables_and_context(shared: Project, tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("TABLE=orders\nMORE=file\n")
    given = (
        "--env-file",
        str(tmp_path / "x.env"),
        "--env",
        "MORE",
        "--context",
        "client_context.client.app_title=shop",
    )
    payload = told(shared, *given, shell={"MORE": "shell"})["invocations"][0]["payload"]
    assert (payload["table"], payload["more"], payload["title"]) == ("orders", "shell", "shop")
    assert told(shared, shell={"LEAK": "x"})["invocations"][0]["payload"]["more"] is None
    # What is given on a command line is nowhere in the cache
    assert not any(b"orders" in path.read_bytes() for path in shared.cache.glob("v1/starts/*"))


def test_a_module_that_is_not_there(shared: Project) -> None:
    # One that a function of its layers lacks is found by the build already
    shared.source("late.py", "import importlib\nimportlib.import_module('now' + 'here')\ndef handler(e, c): ...\n")
    shared.configure(CONFIGURATION + '\n[tool.lamella.functions.late]\nhandler = "late.handler"\nlayers = ["layer"]\n')
    try:
        shared.run("build", check=True)
        code, out, err = invoke(shared, "late")
    finally:
        shared.configure(CONFIGURATION)
        shared.run("build", check=True)
    assert code == 1
    assert json.loads(out)["errorType"] == "Runtime.ImportModuleError"
    assert "Unable to import module 'late': No module named 'nowhere'" in err
    assert "INIT_REPORT" in err


def test_sample_events(shared: Project) -> None:
    payload = told(shared, "--generate", "s3:put", "--set", "bucket=photos")["invocations"][0]["payload"]
    assert payload["event"]["Records"][0]["s3"]["bucket"]["name"] == "photos"
    code, out, _ = invoke(shared, "--generate", "list")
    assert code == 0
    assert "sqs:receive-message" in out
    code, _, err = invoke(shared, "api", "--generate", "s3:putt")
    assert code == 2
    assert err.startswith("error: there is no sample event `s3:putt`\n")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["apy"], "error: there is no function `apy` in `dist/lambda`", "did you mean `api`?"),
        (["layer"], "error: `layer` is a layer, and has no handler", ""),
        ([], "error: no function is named", "lamella invoke FUNCTION"),
        (["api", "--event", "none.json"], "error: the event `none.json` can't be read", "`-` for stdin"),
        (["api", "--event", "-"], "error: the event in stdin is no JSON", "Lambda takes JSON alone"),
        (["api", "--set", "a=b"], "error: `--set` is about a sample event", "--generate"),
        (["api", "--context", "what=1"], "error: the context has no `what` that can be set", ""),
        (["api", "--region", "eu-west-1"], "error: `--region` is about AWS", "--from aws"),
        (["api", "--output", "nowhere"], "error: `nowhere` has no manifest.json: nothing was built there", "build"),
    ],
)
def test_mistakes(shared: Project, arguments: list[str], message: str, hint: str) -> None:
    for _ in range(2):  # once more with what may have been started early
        code, out, err = invoke(shared, *arguments, stdin=b"{no")
        assert (code, out) == (2, "")
        assert err.startswith(message), err
        assert hint in err
        assert "Traceback" not in err


def test_no_interpreter_of_that_version(shared: Project) -> None:
    other = "python3.10" if RUNTIME != "python3.10" else "python3.11"
    shared.configure(CONFIGURATION.replace(RUNTIME, other))
    try:
        shared.run("build", check=True)
        empty = {
            "PATH": str(Path(sys.executable).parent),
            "UV_PYTHON_PREFERENCE": "only-managed",
            "UV_PYTHON_INSTALL_DIR": str(shared.home),
        }
        code, _, err = invoke(shared, "api", "--offline", shell=empty)
    finally:
        shared.configure(CONFIGURATION)
        shared.run("build", check=True)
    assert code == 2
    assert err.startswith(f"error: no Python {other.removeprefix('python')} to run the function with")
    assert "uv python install" in err


def test_nothing_is_left(shared: Project) -> None:
    marked = f"MARK={os.getpid()}-{time.time_ns()}"
    assert invoke(shared, "api", "--env", marked)[0] == 0
    left = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/environ", "rb") as file:
                    if marked.encode() in file.read():
                        left.append(entry.name)
            except OSError:
                continue
    assert left == []
    assert "lamella" not in Path("/proc/self/mountinfo").read_text()


def test_the_environment_of_the_shell_stays_outside(shared: Project) -> None:
    home = told(shared)["invocations"][0]["payload"]["home"]
    assert home is None or "lamella-" in home, "path-only has one of its own"


def test_a_function_that_is_configured_no_more(tmp_path: Path) -> None:
    project = with_one_function(tmp_path)
    gone = f'\n[tool.lamella.functions.gone]\nhandler = "app.handler"\nlayers = ["layer"]\nruntime = "{RUNTIME}"\n'
    project.configure(CONFIGURATION + gone)
    project.run("build", check=True)
    project.configure(CONFIGURATION)
    for command in (("invoke", "gone"), ("shell", "gone")):
        done = project.run(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: the function `gone` was built, and is configured no more\n")
