"""One contract for every kind of isolation; what only the kinds with a view promise is marked by `views`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sandbox.lines import command_lines, shown
from tests.sandbox.zips import make_zip

from lamella.errors import UsageError
from lamella.sandbox.model import PATH_ONLY, Finished
from lamella.sandbox.run import Place, Sandbox, kill
from lamella.sandbox.unpack import merged, unpack

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def views(sandbox: Sandbox) -> None:
    if sandbox.isolation == PATH_ONLY:
        pytest.skip("path-only promises no such thing")


def run(sandbox: Sandbox, code: str, *, opt: str | None = None, task: str | None = None, **more: str) -> Finished:
    return sandbox.run(["-c", code], opt=opt, task=task, env=more)


def said(sandbox: Sandbox, code: str, *, opt: str | None = None, task: str | None = None, **more: str) -> list[str]:
    done = run(sandbox, code, opt=opt, task=task, **more)
    assert (done.code, done.err.decode()) == (0, "")
    return done.out.decode().splitlines()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    """Two merged layers and a function, unpacked: (opt, task)."""
    root = str(tmp_path / "cache")
    one = make_zip(tmp_path / "1.zip", {"python/dep.py": "who = 'one'\n", "python/only.py": "", "lib/x.txt": "x"})
    site = f"python/lib/{VERSION}/site-packages"
    two = make_zip(
        tmp_path / "2.zip",
        {"python/dep.py": "who = 'two'\n", f"{site}/near.py": "who = 'site'\n", "python/near.py": ""},
    )
    function = make_zip(tmp_path / "f.zip", {"app.py": "import dep\nwho = dep.who\n"})
    opt = merged([one, two], root)
    assert opt is not None
    return opt, unpack(*function, root)


def test_layers_and_code_are_where_lambda_has_them(sandbox: Sandbox, folders: tuple[str, str]) -> None:
    opt, task = folders
    code = "import app, near, only, os; print(app.who, near.who, os.getcwd() == os.environ['LAMBDA_TASK_ROOT'])"
    assert said(sandbox, code, opt=opt, task=task) == ["two site True"]


def test_the_path_is_in_lambdas_order(sandbox: Sandbox, folders: tuple[str, str]) -> None:
    opt, task = folders
    path = said(sandbox, "import sys; print(*sys.path[1:], sep='\\n')", opt=opt, task=task)
    expected = ["/var/task", f"/opt/python/lib/{VERSION}/site-packages", "/opt/python", "/var/runtime"]
    if sandbox.isolation == PATH_ONLY:
        expected = [task, f"{opt}/python/lib/{VERSION}/site-packages", f"{opt}/python"]
    assert path[: len(expected)] == expected


def test_exit_codes_signals_and_streams(sandbox: Sandbox) -> None:
    done = sandbox.run(
        ["-c", "import sys; print(sys.stdin.read()); print('e', file=sys.stderr); sys.exit(7)"], stdin=b"in"
    )
    assert (done.code, done.out, done.err, done.signal) == (7, b"in\n", b"e\n", None)
    assert done.isolation == sandbox.isolation
    for how, name in (
        ("os.abort()", "SIGABRT"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("os.kill(os.getpid(), 15)", "SIGTERM"),
    ):
        done = run(sandbox, f"import os; {how}")
        assert (done.code, done.signal) == (128 + getattr(signal, name), name)
    assert run(sandbox, "import os; os._exit(200)").signal is None


def test_a_crash_in_native_code(sandbox: Sandbox) -> None:
    assert run(sandbox, "import ctypes; ctypes.string_at(0)").signal == "SIGSEGV"


def test_timeout_ends_all_of_it(sandbox: Sandbox) -> None:
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
        "print('begun', flush=True)\n"
        "time.sleep(100)"
    )
    began = time.monotonic()
    done = sandbox.run(["-c", code], timeout=2)
    assert time.monotonic() - began < 30
    assert (done.code, done.out) == (None, b"begun\n")


def test_nothing_of_this_machines_packages(sandbox: Sandbox) -> None:
    code = """
import importlib.util, site, sys
print([name for name in ("pytest", "lamella", "rich", "pip") if importlib.util.find_spec(name)])
print(site.ENABLE_USER_SITE, flush=True)
import subprocess
subprocess.run([sys.executable, "-c", "import importlib.util; print(importlib.util.find_spec('pytest'))"])
"""
    assert said(sandbox, code) == ["[]", "False", "None"]


def test_a_clean_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    code = "import os; print(*(f'{name}={value}' for name, value in sorted(os.environ.items())), sep='\\n')"
    found = dict(line.split("=", 1) for line in said(sandbox, code, TABLE="mine"))
    assert found["TABLE"] == "mine"
    assert found["TZ"] == ":UTC"
    assert found["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{VERSION}"
    assert not {"AWS_PROFILE", "PYTHONHASHSEED", "SHELL", "USER"} & found.keys()
    if sandbox.isolation != PATH_ONLY:
        assert found["LAMBDA_TASK_ROOT"] == "/var/task"
        assert found["LD_LIBRARY_PATH"].endswith("/var/task:/var/task/lib:/opt/lib")
        assert "HOME" not in found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_variables_are_on_no_command_line(sandbox: Sandbox) -> None:
    """Every user of this machine can read those."""
    secret = f"hidden-{os.getpid()}"
    code = "import os, sys; print(os.environ['SECRET'], flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with sandbox.started(["-c", code], Place(), env={"SECRET": secret}, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline().decode().strip() == secret
        assert not shown(secret)


def test_many_variables(sandbox: Sandbox) -> None:
    code = "import os; print(len([name for name in os.environ if name.startswith('V_')]))"
    given = {f"V_{number}": "=x\n" * 400 for number in range(200)}
    assert said(sandbox, code, **given) == ["200"]


def test_a_variable_can_not_be_two(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="null byte"):
        run(sandbox, "", NAME="x\0--bind\0/\0/mnt")


def test_no_standard_streams(sandbox: Sandbox) -> None:
    """`lamella … <&-`: what is handed to the process must not be where its stdin will be."""
    code = (
        f"import os; os.close(0); from lamella.sandbox.run import Sandbox; "
        f"done = Sandbox({sandbox.interpreter!r}, {sandbox.python!r}, {sandbox.isolation!r}).run(['-c', 'print(7)']); "
        "print(done.out, done.err)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert (done.stdout, done.stderr) == (b"b'7\\n' b''\n", b"")


def test_nothing_is_inherited(sandbox: Sandbox) -> None:
    views(sandbox)
    assert said(sandbox, "import os; print(sorted(os.listdir('/proc/self/fd'))[:-1])") == ["['0', '1', '2']"]


def test_temporary_files(sandbox: Sandbox) -> None:
    code = (
        "import tempfile; file = tempfile.NamedTemporaryFile(); file.write(b'x' * 1000); file.flush(); print(file.name)"
    )
    (name,) = said(sandbox, code)
    assert not os.path.exists(name), "nothing of it is left here"


def test_code_and_layers_stay_what_they_are(sandbox: Sandbox, folders: tuple[str, str]) -> None:
    """Bytecode is not written beside the sources by any kind."""
    opt, task = folders
    assert said(sandbox, "import app, dep; print(1)", opt=opt, task=task) == ["1"]
    assert sorted(os.listdir(task)) == ["app.py"]
    assert sorted(os.listdir(f"{opt}/python")) == ["dep.py", "lib", "near.py", "only.py"]


def test_everything_but_tmp_is_read_only(sandbox: Sandbox, folders: tuple[str, str]) -> None:
    views(sandbox)
    opt, task = folders
    code = """
import os
for place in ("/", "/opt", "/var", "/var/task", "/usr", "/etc", "/dev", "/var/lang", "/proc/sys/kernel", "/tmp"):
    try:
        with open(f"{place}/new", "w"):
            print(place, "can be written to")
    except OSError:
        pass
"""
    assert said(sandbox, code, opt=opt, task=task) == ["/tmp can be written to"]


def test_an_ordinary_user_without_capabilities(sandbox: Sandbox) -> None:
    views(sandbox)
    code = """
import os
print(os.getuid(), os.getgid(), os.path.expanduser("~"))
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(int(status["CapEff"], 16), int(status["CapPrm"], 16), status["NoNewPrivs"])
for what in (lambda: os.setuid(0), lambda: os.chroot("/tmp")):
    try:
        what()
        print("granted")
    except PermissionError:
        print("refused")
    except OSError as error:
        print("refused" if error.errno == 22 else error)
"""
    assert said(sandbox, code) == ["993 990 /home/sbx_user1051", "0 0 1", "refused", "refused"]


def test_the_machines_own_settings_can_not_be_written(sandbox: Sandbox) -> None:
    """A process that is root outside of its namespace is let write them by its number, not by a capability."""
    views(sandbox)
    code = """
import os
for path in ("/proc/sys/vm/swappiness", "/proc/sys/kernel/core_pattern", "/proc/sys/net/ipv4/ip_forward",
             "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity", "/proc/1/mem", "/proc/self/oom_score_adj"):
    if os.path.exists(path):
        try:
            os.close(os.open(path, os.O_WRONLY))
            print("opened", path)
        except OSError:
            pass
"""
    assert said(sandbox, code) == []


def test_a_path_of_ones_own_goes_before_the_runtimes(sandbox: Sandbox, folders: tuple[str, str]) -> None:
    code = "import dep, os, sys; print(dep.who, sys.path[1], os.environ['PYTHONPATH'].split(':')[0])"
    assert said(sandbox, code, opt=folders[0], PYTHONPATH="/own/path") == ["two /own/path /own/path"]


def test_what_left_its_group_ends_as_well(sandbox: Sandbox) -> None:
    marker = f"stray-{os.getpid()}-{sandbox.isolation}"
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)', sys.argv[1]], "
        "start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print('begun')"
    )
    assert sandbox.run(["-c", code, marker]).out == b"begun\n"
    _until(lambda: not _with(marker))


def test_processes_of_its_own(sandbox: Sandbox) -> None:
    views(sandbox)
    code = "import os; print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()) == [1, os.getpid()])"
    assert said(sandbox, code) == ["True"]


def test_a_loopback_and_no_other_network(sandbox: Sandbox) -> None:
    views(sandbox)
    code = """
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print([name for _, name in socket.if_nameindex()])
"""
    assert said(sandbox, code) == ["['lo']"]


def test_with_the_network_of_this_machine(sandbox: Sandbox) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]})).close()"
        assert sandbox.run(["-c", code], network=True).code == 0


def test_the_machines_files_are_not_there(sandbox: Sandbox, tmp_path: Path) -> None:
    views(sandbox)
    secret = tmp_path / "secret"
    secret.write_text("x")
    hidden = (str(secret), os.path.expanduser("~/.profile"), "/dev/shm")
    code = f"import os; print([path for path in {hidden!r} if os.path.exists(path)])"
    assert said(sandbox, f"{code}; print(os.listdir('/tmp'))") == ["[]", "[]"]


def test_room_in_tmp_is_limited(sandbox: Sandbox) -> None:
    views(sandbox)
    write = "open('/tmp/{}', 'wb').write(b'x' * 900_000)"
    code = f"{write.format('a')}; print('fits', flush=True); {write.format('b')}"
    pipe = subprocess.PIPE
    with sandbox.started(["-c", code], Place(scratch_bytes=1024 * 1024), stdout=pipe, stderr=pipe) as process:
        out, err = process.communicate(timeout=60)
    assert out == b"fits\n"
    assert b"No space left on device" in err


def test_programs_of_a_layer_find_lambdas_interpreter(sandbox: Sandbox, tmp_path: Path) -> None:
    views(sandbox)
    program = f"#!/var/lang/bin/{VERSION}\nimport sys; print('ran', sys.prefix)\n"
    opt = unpack(*make_zip(tmp_path / "l.zip", {"bin/tool": program}), str(tmp_path / "cache"))
    assert said(sandbox, "import subprocess; subprocess.run(['tool'], check=True)", opt=opt) == ["ran /var/lang"]


def test_a_started_process_ends_with_its_block(sandbox: Sandbox) -> None:
    with sandbox.started(
        ["-c", "print('here', flush=True); import time; time.sleep(100)"], Place(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
    assert process.returncode == -signal.SIGKILL
    kill(process)  # a second time does no harm


SERVER = """
import sys
from lamella.sandbox.run import Place, Sandbox
sandbox = Sandbox({interpreter!r}, {python!r}, {isolation!r})
child = "import time; time.sleep(100)"
code = (
    "import subprocess, sys; subprocess.Popen([sys.executable, *sys.argv[1:]]); "
    "subprocess.Popen([sys.executable, *sys.argv[1:]], start_new_session=True); print('x', flush=True); " + child
)
with open({gate!r}, "wb") as gate:
    running = [sandbox.start(["-c", code, "-c", child, {marker!r}], Place(), stdout=gate) for _ in range(2)]
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_outlives_the_process_that_asked(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a server is killed, what runs in its sandboxes goes, too, and neither mount nor folder stays."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    marker = f"mark-{os.getpid()}-{sandbox.isolation}"
    mounts = _mounts()
    code = SERVER.format(
        interpreter=sandbox.interpreter,
        python=sandbox.python,
        isolation=sandbox.isolation,
        gate=str(gate),
        marker=marker,
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    with open(gate, "rb") as inside:
        assert inside.readline() + inside.readline() == b"x\nx\n"
        _until(lambda: len(_with(marker)) >= 6)
        server.kill()
        server.wait()
        assert inside.read() == b"", "its end is seen when the last process that holds the pipe is gone"
    _until(lambda: not _with(marker))
    assert _mounts() <= mounts
    _until(lambda: os.listdir(scratch) == [])
    again = SERVER.split("child =")[0] + "print(sandbox.run(['-c', '']).code)"
    done = subprocess.run(
        [sys.executable, "-c", again.format(**vars(sandbox), isolation=sandbox.isolation)],
        check=False,
        capture_output=True,
    )
    assert done.stdout == b"0\n"
    assert os.listdir(scratch) == []


def _with(marker: str) -> list[str]:
    """The processes that have this among their arguments."""
    return [pid for pid, line in command_lines() if marker.encode() in line.split(b"\0")]


def _mounts() -> set[str]:
    with open("/proc/self/mountinfo") as file:
        return set(file)


def _until(done: Callable[[], bool]) -> None:
    """Wait for what the kernel is about to do."""
    limit = time.monotonic() + 20
    while not done():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_a_group_without_its_leader_ends_too(sandbox: Sandbox) -> None:
    """The command ended by itself and left a child behind."""
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])"
    running = sandbox.start(["-c", code], Place(), stdout=subprocess.PIPE)
    stream = running.process.stdout
    assert stream is not None
    assert running.process.wait(30) == 0
    held = os.dup(stream.fileno())
    assert running.returned() == 0
    running.end()
    with open(held, "rb") as inside:
        assert inside.read() == b""


def test_the_command_has_no_children_that_it_did_not_start(sandbox: Sandbox) -> None:
    code = "import os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    print('none')"
    assert said(sandbox, code) == ["none"]


def test_what_a_process_runs_from_is_not_tidied_away(
    sandbox: Sandbox, folders: tuple[str, str], tmp_path: Path
) -> None:
    """However long it has been running."""
    for number in range(2):
        running = sandbox.start(["-c", "import time; time.sleep(100)"], Place(*folders), stdout=subprocess.PIPE)
        if number:
            running.end()
        for folder in folders:
            os.utime(folder, (0, 0))
        unpack(*make_zip(tmp_path / f"new-{number}.zip", {f"{number}.py": ""}), str(tmp_path / "cache"))
        assert [os.path.isdir(folder) for folder in folders] == [not number] * 2
        running.end()


def test_places_of_layers_and_code_can_not_be_written_to(sandbox: Sandbox, folders: tuple[str, str]) -> None:
    views(sandbox)
    opt, task = folders
    code = """
import errno, os
for path, how in (("/opt/python/dep.py", os.O_WRONLY), ("/var/task/new.py", os.O_CREAT | os.O_WRONLY)):
    try:
        os.open(path, how)
    except OSError as error:
        print(errno.errorcode[error.errno])
try:
    os.chmod("/var/task/app.py", 0o777)
except OSError as error:
    print(errno.errorcode[error.errno])
"""
    found = said(sandbox, code, opt=opt, task=task)
    assert len(found) == 3
    assert set(found) <= {"EROFS", "EACCES", "EPERM"}


def test_auto_takes_what_works_and_says_what_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(sys.executable, sys.version_info[:2])
    kind = sandbox.isolation
    assert sandbox.run(["-c", "print(1)"]).isolation == kind
    monkeypatch.setenv("PATH", "/nonexistent")
    without = Sandbox(sys.executable, sys.version_info[:2])
    assert without.isolation != "bubblewrap"
    assert without.refused[0] == ("bubblewrap", "`bwrap` is not on PATH")


def test_a_kind_that_does_not_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        UsageError, match="isolation by bubblewrap does not work here\n  `bwrap` is not on PATH\n  hint: "
    ):
        Sandbox(sys.executable, sys.version_info[:2], "bubblewrap").run(["-c", ""])


def test_a_bwrap_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems that forbid user namespaces to ordinary programs."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    sandbox = Sandbox(sys.executable, sys.version_info[:2])
    assert sandbox.isolation != "bubblewrap"
    assert sandbox.refused[0] == ("bubblewrap", "bwrap: setting up uid map: Permission denied")


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be run"):
        Sandbox(str(tmp_path / "bin/python3.12"), (3, 12)).run(["-c", ""])
