"""Real processes, in each kind of isolation that works here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lamella.errors import UsageError
from lamella.runtime import cgroup
from lamella.runtime.memory import Memory
from lamella.sandbox.model import BUBBLEWRAP, KINDS
from lamella.sandbox.run import Place, Running, Sandbox

MEGABYTE = 1024**2
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="without /proc nothing is measured")


@pytest.fixture(params=KINDS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    made = Sandbox(sys.executable, sys.version_info[:2], request.param)
    try:
        assert made.isolation == request.param
    except UsageError as error:
        pytest.skip(str(error).replace("\n", " "))
    return made


@pytest.fixture(params=["watched", "group"], autouse=True)
def group(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """With a control group, where this machine gives one to tests, and without."""
    given = os.environ.get(cgroup.VARIABLE)
    if request.param == "watched":
        monkeypatch.setenv(cgroup.VARIABLE, "/nonexistent")
        return None
    if cgroup.home(given) is None:
        pytest.skip(f"no control group was delegated to this user, and {cgroup.VARIABLE} names none")
    return cgroup.home(given)


class Function:
    """A process that does what each line on its stdin says, and answers each with what it is."""

    def __init__(self, running: Running, memory: Memory) -> None:
        self.running = running
        self.memory = memory

    def do(self, code: str) -> str:
        """The answer; "" where it ended meanwhile."""
        assert self.running.process.stdin is not None
        assert self.running.process.stdout is not None
        self.running.process.stdin.write(code.encode() + b"\n")
        self.running.process.stdin.flush()
        return self.running.process.stdout.readline().decode().strip()

    def invoke(self, code: str) -> int:
        self.memory.begin()
        self.do(code)
        return self.memory.end()


LOOP = """
import sys
names = {}
for line in sys.stdin:
    exec(line, names)
    print(names.get('said', 'done'), flush=True)
"""


@contextmanager
def function(sandbox: Sandbox, limit: int) -> Iterator[Function]:
    memory = Memory(limit)
    running = sandbox.start(
        ["-c", LOOP], Place(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, prefix=memory.prefix()
    )
    try:
        memory.started(running.pid)
        yield Function(running, memory)
    finally:
        running.end()
        memory.close()


def test_a_hog_is_ended(sandbox: Sandbox) -> None:
    with function(sandbox, 48 * MEGABYTE) as hog:
        used = hog.invoke("pass")
        assert 5 * MEGABYTE < used < 40 * MEGABYTE
        assert not hog.memory.exceeded
        hog.memory.begin()
        assert hog.do("import time; hold = bytes(1) * (64 << 20); time.sleep(60)") == ""
        assert hog.memory.exceeded
        assert hog.memory.end() > 40 * MEGABYTE
        assert hog.running.process.wait(10) is not None
    assert hog.memory.exceeded, "it is still known after the end"


def test_address_space_is_free(sandbox: Sandbox) -> None:
    """RLIMIT_AS would end what numpy does."""
    with function(sandbox, 48 * MEGABYTE) as wide:
        wide.invoke("import mmap; hold = mmap.mmap(-1, 4 << 30)")
        wide.memory.begin()
        assert wide.do("import time; time.sleep(0.05); said = len(hold)") == str(4 << 30)
        assert wide.memory.end() < 40 * MEGABYTE
        assert not wide.memory.exceeded


def test_children_count(sandbox: Sandbox) -> None:
    hold = "hold = bytes(1) * (40 << 20); print(1, flush=True); import time; time.sleep(100)"
    start = f"child = subprocess.Popen([sys.executable, '-c', {hold!r}], stdout=-1); child.stdout.readline()"
    with function(sandbox, 256 * MEGABYTE) as parent:
        alone = parent.invoke("import subprocess, sys, time")
        both = parent.invoke(f"{start}; time.sleep(0.2)")
        assert both > alone + 40 * MEGABYTE
    with function(sandbox, 48 * MEGABYTE) as parent:
        parent.memory.begin()
        assert parent.do(f"import subprocess, sys, time; {start}; time.sleep(60)") == ""
        assert parent.memory.exceeded


def test_shared_pages_count_once(sandbox: Sandbox) -> None:
    fork = "import os, time; hold = b'x' * (40 << 20); made = [os.fork() or time.sleep(100) for _ in range(3)]"
    with function(sandbox, 128 * MEGABYTE) as parent:
        assert 45 * MEGABYTE < parent.invoke(f"{fork}; time.sleep(0.3)") < 90 * MEGABYTE
        assert not parent.memory.exceeded
        assert parent.do("said = len(made)") == "3"


def test_the_peak_stays(sandbox: Sandbox) -> None:
    with function(sandbox, 256 * MEGABYTE) as one:
        seen = [one.invoke(code) for code in ("pass", "hold = bytes(1) * (30 << 20)", "del hold", "pass")]
        assert seen == sorted(seen)
        assert seen[1] > seen[0] + 25 * MEGABYTE, "one that was over before the first look is seen, too"
        assert seen[3] < seen[1] + 5 * MEGABYTE


def test_nothing_is_left(sandbox: Sandbox, group: str | None) -> None:
    before = _descriptors()
    with function(sandbox, 64 * MEGABYTE) as one:
        one.invoke("pass")
        if group is not None:
            assert any(name.startswith(f"lamella-{os.getpid()}-") for name in os.listdir(group))
    one.memory.close()  # a second time does no harm
    one.memory.begin()
    one.memory.end()
    assert _descriptors() == before
    if group is not None:
        assert not any(name.startswith(f"lamella-{os.getpid()}-") for name in os.listdir(group))
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "lamella-memory")
    time.sleep(0.2)  # it looks on for a while before it waits
    used = _switches(thread)
    time.sleep(0.1)
    assert _switches(thread) == used, "it sleeps when nothing is under way"


def test_a_process_that_is_gone(sandbox: Sandbox) -> None:
    with function(sandbox, 64 * MEGABYTE) as one:
        used = one.invoke("pass")
        one.memory.begin()
        one.running.end()
        one.memory.look()
        assert one.memory.end() >= used
        assert not one.memory.exceeded


def test_it_costs_next_to_nothing() -> None:
    sandbox = Sandbox(sys.executable, sys.version_info[:2])
    with function(sandbox, 256 * MEGABYTE) as one:
        one.invoke("pass")
        times = []
        for _ in range(300):
            began = time.perf_counter()
            one.memory.begin()
            one.memory.end()
            times.append(time.perf_counter() - began)
        assert sorted(times)[len(times) // 2] < 0.000_2


def test_what_is_in_tmp_is_no_memory() -> None:
    try:
        assert Sandbox(sys.executable, sys.version_info[:2], BUBBLEWRAP).isolation
    except UsageError as error:
        pytest.skip(str(error))
    with function(Sandbox(sys.executable, sys.version_info[:2], BUBBLEWRAP), 48 * MEGABYTE) as one:
        one.memory.begin()
        write = "file = open('/tmp/x', 'wb'); said = sum(file.write(bytes(1 << 20)) for _ in range(100))"
        assert one.do(write) == str(100 << 20)
        assert one.memory.end() < 48 * MEGABYTE
        assert not one.memory.exceeded


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _switches(thread: threading.Thread) -> int:
    with open(f"/proc/self/task/{thread.native_id}/status") as file:
        return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
