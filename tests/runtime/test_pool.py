"""Many invocations at once, and the end of a pool."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.runtime.conftest import PYTHON, Functions, asked, launch_of

from lamella.errors import UsageError
from lamella.runtime.model import Asked, Result
from lamella.runtime.pool import Pool, PoolClosedError
from lamella.sandbox.model import PATH_ONLY
from lamella.sandbox.run import Sandbox

WHO = "import os\ndef handler(event, context):\n    return [os.getpid(), event]\n"
# Processes of a path-only sandbox have the numbers that this machine sees
HERE = """
    import os, time
    def handler(event, context):
        if event == "wait":
            print("waits", flush=True)
            time.sleep(100)
        return os.getpid()
"""


def number(result: Result) -> int:
    pid: int = json.loads(result.payload)
    return pid


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def members(groups: list[int]) -> list[int]:
    """The processes of these groups."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            if int(file.read().rsplit(")", 1)[1].split()[2]) in groups:
                found.append(int(name))
    return found


def wait_for_end(pid: int) -> None:
    """Until the kernel is done with a process that was killed."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [], 20)
        os.close(descriptor)


def test_nothing_is_lost_or_mixed_up(function: Functions) -> None:
    pool = function("def handler(event, context):\n    print(event)\n    return [event, context.aws_request_id]\n")

    def many(thread: int) -> list[Result]:
        return [pool.invoke(asked(json.dumps(f"{thread}-{n}"), f"id-{thread}-{n}")) for n in range(50)]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(many, range(8)))
    for thread, rows in enumerate(results):
        for n, result in enumerate(rows):
            assert json.loads(result.payload) == [f"{thread}-{n}", f"id-{thread}-{n}"]
            lines = result.log.decode().splitlines()
            request_id = f"id-{thread}-{n}"
            start, end = f"START RequestId: {request_id} Version: $LATEST", f"END RequestId: {request_id}"
            assert lines[:3] == [start, f"{thread}-{n}", end]
            assert len(lines) == 4


def test_the_one_used_last_is_used_again(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY)
    first = number(pool.invoke(asked()))
    assert {number(pool.invoke(asked())) for _ in range(5)} == {first}


def test_who_comes_over_the_limit_waits(function: Functions) -> None:
    pool = function("import os\ndef handler(event, context):\n    return os.getpid()\n", limit=2, isolation=PATH_ONLY)
    with ThreadPoolExecutor(8) as threads:
        seen = set(threads.map(lambda _: number(pool.invoke(asked())), range(40)))
    assert len(seen) <= 2


def test_a_turn_goes_on_where_the_worker_ended(function: Functions) -> None:
    pool = function("import os\ndef handler(event, context):\n    os._exit(1) if event % 2 else None\n", limit=1)
    with ThreadPoolExecutor(4) as threads:
        errors = list(threads.map(lambda n: pool.invoke(asked(str(n))).error, range(8)))
    assert errors == ["", "Unhandled"] * 4


def test_one_that_died_idle_is_found_out(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY)
    pid = number(pool.invoke(asked()))
    os.kill(pid, 9)
    wait_for_end(pid)
    result = pool.invoke(asked())
    assert number(result) != pid
    assert result.error == ""
    assert result.log.decode().count("START") == 1
    assert result.report.init is not None


def test_last_words_of_one_that_died_idle(function: Functions, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    pool = function(
        f"""
        import os, threading
        def die():
            open({str(gate)!r}).read()
            os.write(2, b"farewell")
            os._exit(1)
        def handler(event, context):
            if event: threading.Thread(target=die, daemon=True).start()
            return os.getpid()
        """,
        isolation=PATH_ONLY,
    )
    pid = number(pool.invoke(asked("1")))
    gate.write_text("")
    wait_for_end(pid)
    lines = pool.invoke(asked("0")).log.decode().splitlines()
    assert lines[1] == "farewell"
    assert len(lines) == 4


def test_retired(function: Functions) -> None:
    pool = function(HERE, isolation=PATH_ONLY)
    idle = number(pool.invoke(asked()))
    pool.retire()
    wait_for_end(idle)
    assert not alive(idle)
    late = number(pool.invoke(asked()))
    assert late != idle
    wait_for_end(late)
    assert not alive(late), "it was for that invocation alone"
    assert not [thread for thread in threading.enumerate() if thread.name == "lamella-start"]


def test_retired_while_many_invoke(function: Functions) -> None:
    pool = function(WHO, isolation=PATH_ONLY, limit=2)

    def some(thread: int) -> list[str]:
        return [pool.invoke(asked(str(thread))).error for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(some, thread) for thread in range(4)]
        pool.invoke(asked())
        pool.retire()
        assert [one.result(60) for one in running] == [[""] * 4] * 4
    assert not [thread for thread in threading.enumerate() if thread.name == "lamella-start"]


def test_retired_in_the_midst_of_an_invocation(function: Functions, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    pool = function(
        f"def handler(event, context):\n    print('in', flush=True)\n    return open({str(gate)!r}).read()\n",
        isolation=PATH_ONLY,
    )
    inside = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(pool.invoke, asked(), lambda data: inside.set() if b"in\n" in data else None)
        assert inside.wait(30)
        pool.retire()
        gate.write_text("went on")
        result = running.result(30)
    assert (result.payload, result.error) == (b'"went on"', "")
    assert not [thread for thread in threading.enumerate() if thread.name == "lamella-start"]


def test_closed_in_the_midst_of_an_invocation(function: Functions, isolation: str) -> None:
    pool = function(HERE, limit=1, isolation=isolation)
    inside = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(pool.invoke, asked('"wait"'), lambda data: inside.set() if b"waits" in data else None)
        assert inside.wait(30)
        waiting = threads.submit(pool.invoke, asked())
        while not pool._waiting:  # it is on its way there
            threading.Event().wait(0.001)
        pool.close()
        assert running.result(30).error == "Unhandled"
        with pytest.raises(PoolClosedError, match="`orders` was ended"):
            waiting.result(30)
    with pytest.raises(PoolClosedError):
        pool.invoke(asked())


def test_closed_while_it_is_started_again(function: Functions) -> None:
    pool = function("import time\ntime.sleep(100)\n", init_seconds=0.3, timeout=60)
    closing = threading.Thread(target=pool.close)

    def log(line: bytes) -> None:
        if b"Phase: init\tStatus: timeout" in line:
            (worker,) = pool._working
            closing.start()
            while worker._process.held.returned() is None:  # that one is ended, and the next is not there yet
                threading.Event().wait(0.001)

    result = pool.invoke(asked(), log)
    assert json.loads(result.payload)["errorMessage"].endswith("signal: killed")
    closing.join(20)
    assert not closing.is_alive()


def test_interrupted_while_the_pool_is_closed(function: Functions) -> None:
    pool = function(HERE, limit=1)
    inside = threading.Event()
    closing = threading.Thread(target=pool.close, daemon=True)
    main = threading.main_thread().ident

    def interrupt(*_: object) -> None:
        closing.start()
        while pool._waiting:  # until it is refused
            threading.Event().wait(0.001)
        raise KeyboardInterrupt

    def signal_when_it_waits() -> None:
        while not pool._waiting:
            threading.Event().wait(0.001)
        assert main is not None
        signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with ThreadPoolExecutor(2) as threads:
            log = lambda data: inside.set() if b"waits" in data else None  # noqa: E731
            threads.submit(pool.invoke, asked('"wait"'), log)
            assert inside.wait(30)
            threads.submit(signal_when_it_waits)
            with pytest.raises(KeyboardInterrupt):
                pool.invoke(asked())
    finally:
        signal.signal(signal.SIGUSR1, before)
    closing.join(20)
    assert not closing.is_alive()
    assert pool._busy == 0, "who was refused had no place to give back"


@pytest.mark.parametrize("request_id", ["", "a b", "a/b", "a?b", "a\r\nX: 1", "a\0", "ü", "\ud800", "x" * 300])
def test_a_request_whose_id_its_client_can_not_answer_with(function: Functions, request_id: str) -> None:
    pool = function(WHO)
    bad = Asked(b"{}", request_id)
    for begin in (pool.invoke, pool.begin):
        with pytest.raises(UsageError, match="can't be the id of a request"):
            begin(bad)
    assert pool._busy == 0


def test_nothing_is_left_of_a_closed_pool(function: Functions, isolation: str) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with open("/proc/self/mountinfo") as file:
        mounts = file.read()
    pool = function(WHO, isolation=isolation)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: pool.invoke(asked()), range(8)))
    held = [worker._process.held.pid for worker in pool._idle]
    pool.close()
    pool.close()
    assert held
    for pid in held:
        assert not os.path.exists(f"/proc/{pid}")
    for pid in members(held):  # killed, and nobody's children any more
        wait_for_end(pid)
    assert not [pid for pid in members(held) if alive(pid)]
    assert set(os.listdir("/proc/self/fd")) == before
    with open("/proc/self/mountinfo") as file:
        assert file.read() == mounts
    assert not [thread for thread in threading.enumerate() if thread.name == "lamella-start"]


SERVER = """
import sys, threading
sys.path[:0] = {paths!r}
from pathlib import Path
from tests.runtime.conftest import PYTHON, asked, launch_of
from lamella.runtime.pool import Pool
from lamella.sandbox.run import Sandbox
pool = Pool(Sandbox(sys.executable, PYTHON, {isolation!r}), launch_of(Path({folder!r}), {client!r}, {code!r}))
print(pool.invoke(asked()).payload.decode(), flush=True)
log = lambda data: print("busy", flush=True) if b"waits" in data else None
threading.Thread(target=lambda: pool.invoke(asked('"wait"'), log)).start()
sys.stdin.read()
"""


def test_a_killed_server_leaves_no_child(client: str, isolation: str, tmp_path: Path) -> None:
    code = SERVER.format(
        paths=[str(Path(__file__).parents[2])],
        isolation=isolation,
        folder=str(tmp_path / "task"),
        client=client,
        code=HERE,
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdout is not None
    server.stdout.readline()
    assert server.stdout.readline() == b"busy\n"
    children = [pid for pid in descendants(server.pid) if pid != server.pid]
    assert children
    server.kill()
    server.wait()
    for pid in children:
        wait_for_end(pid)
        assert not alive(pid)


def descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for thread in os.listdir(f"/proc/{one}/task"):
            with open(f"/proc/{one}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    return found


def test_a_sandbox_that_can_not_be_started_leaves_its_place_to_others(tmp_path: Path) -> None:
    launch = launch_of(tmp_path / "task", str(tmp_path), WHO)
    pool = Pool(Sandbox(sys.executable, PYTHON, PATH_ONLY), launch, limit=1)
    for _ in range(3):
        with pytest.raises(Exception, match="runtime client"):
            pool.invoke(asked())
    pool.close()
