"""`lamella build` as a process: what it prints, how it exits, what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project, all_bytes, cached_wheels
from tests.wheels.index_server import IndexServer
from tests.wheels.wheelmaker import sha256

UNCHANGED = "Nothing changed: `dist/lambda` is up to date (2 zips)\n"


def no_traceback(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith(("error: ", "usage: "))
    return done.stderr


def test_a_table_and_a_line(app: Project) -> None:
    done = app.run("build")
    assert done.returncode == 0
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["artifact", "zipped", "unzipped", "members", "changes", "time"]
    assert [row.split()[0] for row in rows] == ["layer.zip", "api.zip"]
    assert all(" new " in row for row in rows)
    assert done.stderr.endswith(": `dist/lambda`\n")
    assert "\x1b" not in done.stdout + done.stderr


def test_nothing_changed_again_and_again(app: Project) -> None:
    """The second run looks; the third and later find the stamp.  All say the same, none writes."""
    app.run("build", check=True)
    before = app.states()
    for _ in range(3):
        done = app.run("build")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", UNCHANGED)
    assert app.states() == before
    assert list((app.cache / "v1" / "stamps").iterdir()) != []


def test_quiet(app: Project) -> None:
    for _ in range(4):
        done = app.run("build", "-q")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    app.source("app.py", "import lost\n" + HANDLER)
    assert "`lost`" in no_traceback(app.run("build", "-q"), 2)


def test_json(app: Project) -> None:
    told = [json.loads(app.run("build", "--json", check=True).stdout) for _ in range(4)]
    assert [tree["written"] for tree in told] == [True, False, False, False]
    for tree in told[1:]:
        tree["seconds"] = 0
        for artifact in tree["artifacts"]:
            artifact["seconds"] = 0
    assert told[1] == told[2] == told[3]
    assert [(row["file"], row["changes"]) for row in told[0]["artifacts"]] == [
        ("layer.zip", ["new"]),
        ("api.zip", ["new"]),
    ]
    assert [row["changes"] for row in told[3]["artifacts"]] == [[], []]


def same_size_same_time(app: Project) -> None:
    path = app.root / "src" / "app.py"
    before = path.stat()
    path.write_text(path.read_text().replace("return event", "return EVENT"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def with_more(app: Project) -> None:
    app.wheel("bud")
    app.lock()


CHANGES: dict[str, Callable[[Project], object]] = {
    "a source of the same size and time": same_size_same_time,
    "a source added": lambda app: app.source("more.py", ""),
    "a source added deep": lambda app: app.source("deep/more.py", ""),
    "a source removed": lambda app: (app.root / "src" / "extra.py").unlink(),
    "a source renamed": lambda app: (app.root / "src" / "extra.py").rename(app.root / "src" / "renamed.py"),
    "a permission": lambda app: (app.root / "src" / "extra.py").chmod(0o755),
    "the lock": with_more,
    "the configuration": lambda app: app.configure(CONFIGURATION + 'name = "another"\n'),
    "an output gone": lambda app: (app.output / "layer.zip").unlink(),
    "an output touched": lambda app: (app.output / "api.zip").write_bytes(b"PK"),
    "the manifest gone": lambda app: (app.output / "manifest.json").unlink(),
    "all outputs gone": lambda app: shutil.rmtree(app.output),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_built(app: Project, change: str) -> None:
    app.source("extra.py", "x = 1\n").chmod(0o644)
    for _ in range(2):
        app.run("build", check=True)
    assert app.run("build").stderr == UNCHANGED
    before = app.states()
    CHANGES[change](app)
    done = app.run("build")
    assert done.returncode == 0
    assert "Wrote" in done.stderr
    assert app.states() != before


def test_edits_one_right_after_the_other(app: Project) -> None:
    """As fast as files can be written, each of equal length: no build ever ships the one before."""
    for number in range(4):
        app.source("app.py", f"import stem\nNUMBER = {number}\n" + HANDLER)
        app.run("build", check=True)
        assert f"NUMBER = {number}".encode() in app.members("api")["app.py"]


def test_an_edit_while_it_builds(app: Project) -> None:
    """The file changes after it was read: the next build sees it, whatever the clock shows."""
    app.run("build", check=True)
    path = app.root / "src" / "app.py"
    text = path.read_text()
    process = subprocess.Popen(
        [sys.executable, "-m", "lamella", "build", "-q"], cwd=app.root, env=app.environment, stdin=subprocess.DEVNULL
    )
    number = 0
    while process.poll() is None:
        number += 1
        path.write_text(f"{text}# {number}\n")
    assert process.wait() in (0, 2, 3)
    app.run("build", check=True)
    assert app.members("api")["app.py"] == path.read_bytes()


def test_a_configuration_that_would_be_found_first(app: Project) -> None:
    for _ in range(3):
        app.run("build", check=True)
    (app.root / "lamella.toml").write_text('runtime = "python3.11"\n')
    assert "two configurations" in no_traceback(app.run("build"), 2)


def test_from_a_folder_inside(app: Project) -> None:
    inside = app.root / "src"
    for _ in range(3):
        done = app.run("build", cwd=inside)
    assert done.stderr == "Nothing changed: `../dist/lambda` is up to date (2 zips)\n"
    (inside / "lamella.toml").write_text('runtime = "python3.1"\n')
    assert "python3.1" in no_traceback(app.run("build", cwd=inside), 2)


def test_a_warning_is_told_every_time(app: Project) -> None:
    app.configure(CONFIGURATION.replace("python3.12", "python3.9"))
    for _ in range(4):
        assert "warning: python3.9 is deprecated" in app.run("build").stderr


def test_a_name(app: Project) -> None:
    assert app.run("build", "layer").returncode == 0
    assert app.listing() == ["layer.zip", "manifest.json"]
    text = no_traceback(app.run("build", "lair"), 2)
    assert "hint: did you mean `layer`?" in text


def test_another_output(app: Project) -> None:
    app.run("build", "--output", "out/here", check=True)
    assert sorted(os.listdir(app.root / "out" / "here")) == ["api.zip", "layer.zip", "manifest.json"]
    assert not app.output.exists()


# What a person can cause


def unreadable_toml(app: Project) -> None:
    (app.root / "pyproject.toml").write_text("[tool.lamella\n")


def toml_in_latin_1(app: Project) -> None:
    (app.root / "pyproject.toml").write_bytes('[tool.lamella]\nruntime = "ü"\n'.encode("latin-1"))


def toml_that_is_a_folder(app: Project) -> None:
    (app.root / "pyproject.toml").unlink()
    (app.root / "pyproject.toml").mkdir()


def lock_that_is_a_folder(app: Project) -> None:
    (app.root / "pylock.toml").unlink()
    (app.root / "pylock.toml").mkdir()


def source_that_is_gone(app: Project) -> None:
    (app.root / "src" / "app.py").unlink()
    (app.root / "src").rmdir()


def source_of_bytes(app: Project) -> None:
    (app.root / "src" / "app.py").write_bytes(b"\xff\xfe\0import x")


def source_with_a_mistake(app: Project) -> None:
    app.source("app.py", "def handler(:\n")


@pytest.mark.parametrize(
    "wrong",
    [
        unreadable_toml, toml_in_latin_1, toml_that_is_a_folder, lock_that_is_a_folder, source_that_is_gone,
        source_of_bytes, source_with_a_mistake,
        lambda app: (app.root / "pylock.toml").write_text("{"),
        lambda app: (app.root / "pylock.toml").write_bytes(b"\xff"),
        lambda app: (app.root / "pylock.toml").unlink(),
        lambda app: app.configure(CONFIGURATION.replace("runtime", "runtimes")),
        lambda app: app.configure(CONFIGURATION + "\n[tool.lamella.functions.api.deeper]\n"),
    ],
)  # fmt: skip
def test_wrong_input(app: Project, wrong: Callable[[Project], object]) -> None:
    wrong(app)
    # Without a lock the project is locked, which an absent uv can't and a present one can
    done = app.run("build", "--locked", "--offline")
    no_traceback(done, 2)
    assert not app.output.exists()


@pytest.mark.parametrize(
    "arguments", [["build", "--what"], ["bild"], ["build", "--output"], ["build", "nowhere"], ["--what"], []]
)
def test_wrong_words(app: Project, arguments: list[str]) -> None:
    no_traceback(app.run(*arguments), 2)


def test_a_file_in_the_place_of_the_output(app: Project) -> None:
    (app.root / "dist").write_text("in the way")
    done = app.run("build")
    assert done.returncode in (2, 3)
    no_traceback(done, done.returncode)
    assert (app.root / "dist").read_text() == "in the way"


def test_a_file_in_the_place_of_the_cache(app: Project) -> None:
    app.cache.write_text("in the way")
    assert str(app.cache) in no_traceback(app.run("build"), 3)


def test_a_folder_in_the_place_of_a_zip(app: Project) -> None:
    (app.output / "api.zip").mkdir(parents=True)
    no_traceback(app.run("build"), 3)
    assert app.listing() == ["api.zip"]


def test_a_folder_that_is_gone(app: Project) -> None:
    gone = app.root / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$1"; exec "$2" -P -m lamella build', "sh", gone, sys.executable],
        cwd=gone, env=app.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    no_traceback(done, done.returncode)
    assert done.returncode in (2, 3)


def limited(app: Project, most: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with a limit on the size of files, which stands in for a full disk."""
    script = (
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        "sys.argv[0] = 'lamella'\n"
        "from lamella.cli.start import main\n"
        "sys.exit(main())\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=app.root, env=app.environment, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("most", [300, 3000, 70_000, 250_000, 600_000])
def test_a_full_disk(app: Project, most: int) -> None:
    for number in range(4):
        app.wheel(f"big{number}", files={f"big{number}.bin": os.urandom(200_000)})
    app.lock()
    done = limited(app, most, "build")
    assert done.returncode in (2, 3)
    no_traceback(done, done.returncode)
    if app.output.exists():
        assert app.listing() == []
    assert app.run("build").returncode == 0
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]
    assert app.members("layer").keys() >= {"python/big0.bin", "python/stem/__init__.py"}


def test_a_full_disk_keeps_what_was_there(app: Project) -> None:
    app.run("build", check=True)
    before = app.states()
    app.wheel("big", files={"big.bin": os.urandom(200_000)})
    app.lock()
    assert limited(app, 150_000, "build").returncode in (2, 3)
    assert app.states() == before


# Readers that go away, people who interrupt


def into_a_closed_pipe(app: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "lamella", *arguments], cwd=app.root, env=app.environment, stdout=writing,
            stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writing)


@pytest.mark.parametrize("runs_before", [0, 1, 3])
def test_nobody_reads(app: Project, runs_before: int) -> None:
    for _ in range(runs_before):
        app.run("build", "--json", check=True)
    done = into_a_closed_pipe(app, "build", "--json")
    assert done.stderr == ""
    assert done.returncode == 1
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]


def test_the_head_of_it(app: Project) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m lamella build --json | head -1'],
        cwd=app.root, env=app.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize("runs_before", [0, 3])
def test_closed_streams(app: Project, closed: str, runs_before: int) -> None:
    for _ in range(runs_before):
        app.run("build", check=True)
    command = f'"{sys.executable}" -m lamella build {closed}'
    done = subprocess.run(
        ["sh", "-c", command], cwd=app.root, env=app.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]


class Slow(IndexServer):
    """Sends the first half of each file, then waits until it is let go."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.half_sent = threading.Event()
        self.go = threading.Event()
        handler = self._server.RequestHandlerClass
        index = self

        class Halting(handler):  # type: ignore[misc,valid-type]
            def _send(self, status: int, headers: dict[str, str], body: bytes, *, cut: int | None = None) -> None:
                if not self.path.startswith("/files/") or index.go.is_set():
                    super()._send(status, headers, body, cut=cut)
                    return
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body[: len(body) // 2])
                    self.wfile.flush()
                    index.half_sent.set()
                    index.go.wait()
                    self.wfile.write(body[len(body) // 2 :])
                except OSError:
                    self.close_connection = True

        self._server.RequestHandlerClass = Halting


@pytest.fixture
def slow(app: Project) -> Iterator[Slow]:
    server = Slow()
    with server:
        for number in range(3):
            app.wheel(f"big{number}", files={f"big{number}.bin": os.urandom(300_000)})
        for filename, content in app.wheels.items():
            server.add(filename, content)
        app.lock(url=f"{server.url}/files")
        yield server
        server.go.set()


def started(app: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lamella", *(arguments or ("build",))], cwd=app.root, env=app.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def whole_wheels_only(app: Project) -> None:
    for wheel in cached_wheels(app.cache):
        assert sha256(wheel.read_bytes()) == wheel.stem


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_ended_while_it_fetches(app: Project, slow: Slow, number: signal.Signals) -> None:
    process = started(app)
    assert slow.half_sent.wait(60)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == (130 if number is signal.SIGINT else -number)
    assert "Traceback" not in err
    assert out == ""
    if number is signal.SIGINT:
        assert err == "interrupted\n"
    assert not app.output.exists() or app.listing() == []
    whole_wheels_only(app)
    slow.go.set()
    assert app.run("build").returncode == 0
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]
    assert app.members("layer").keys() >= {"python/big0.bin", "python/big1.bin", "python/big2.bin"}
    whole_wheels_only(app)


def test_killed_at_any_moment(app: Project) -> None:
    """Each time a little later, up to the length of a whole run.  One that was faster than that is fine."""
    for number in range(3):
        app.wheel(f"big{number}", files={f"big{number}.bin": os.urandom(3_000_000)})
    app.lock()
    began = time.monotonic()
    app.run("build", check=True)
    took = time.monotonic() - began
    wanted = app.digests()
    for step in range(6):
        for path in app.output.iterdir():
            path.unlink()
        app.cache = app.cache.with_name(f"cache-{step}")
        process = started(app)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05 + (took - 0.1) * step / 6)
        process.kill()
        process.communicate()
        for name in app.listing():
            # What has a name of its own is whole; what is under way is in the folder that the next build clears
            assert name.startswith(".staging-") or app.digest_of(name) == wanted[name], name
        whole_wheels_only(app)
        app.run("build", check=True)
        assert app.digests() == wanted


def test_two_at_once_with_an_empty_cache(app: Project, slow: Slow) -> None:
    one = started(app)
    assert slow.half_sent.wait(60)
    two = started(app, "build", "--output", "other")
    slow.go.set()
    for process in (one, two):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
    assert app.digests() == {path.name: app.digest(path) for path in (app.root / "other").iterdir()}
    for filename in app.wheels:
        assert len(slow.requests(f"/files/{filename}")) == 1, "fetched once for both"


def test_two_at_once_into_one_folder(app: Project) -> None:
    processes = [started(app) for _ in range(4)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
    assert app.listing() == ["api.zip", "layer.zip", "manifest.json"]
    before = app.states()
    assert app.run("build").stderr == UNCHANGED
    assert app.states() == before


# Credentials

SECRET = "s3cr3t-pa55word"


def nowhere(app: Project, *done: subprocess.CompletedProcess[str]) -> None:
    """The password is in no word, no output and no file that was written."""
    for one in done:
        assert SECRET not in one.stdout + one.stderr
    for folder in (app.output, app.cache, app.home):
        for path, data in all_bytes(folder):
            assert SECRET.encode() not in data, path
            assert SECRET not in str(path)


@pytest.fixture
def guarded(app: Project) -> Iterator[IndexServer]:
    with IndexServer(login=("me", SECRET)) as server:
        for filename, content in app.wheels.items():
            server.add(filename, content)
        (app.root / "pylock.toml").unlink()
        yield server


@pytest.mark.parametrize(
    ("way", "password"),
    [
        ("UV_INDEX_URL", SECRET), ("UV_DEFAULT_INDEX", SECRET + "-wrong"), ("PIP_INDEX_URL", SECRET),
        ("requirements", SECRET), ("requirements", SECRET + "-wrong"), ("pylock", SECRET),
        ("pylock", SECRET + "-wrong"), ("bad hash", SECRET),
    ],
)  # fmt: skip
def test_credentials_appear_nowhere(app: Project, guarded: IndexServer, way: str, password: str) -> None:
    url = guarded.with_login("me", password)
    lines = ["stem==1.0", "leaf==1.0"]
    environment = {way: url} if way.isupper() else {}
    match way:
        case "requirements":
            lines.insert(0, f"--index-url {url}")
        case "pylock":
            app.lock(url=guarded.url.replace("://", f"://me:{password}@") + "/files")
        case "bad hash":
            environment = {"UV_DEFAULT_INDEX": url}
            lines = [f"{line} --hash=sha256:{'0' * 64}" for line in lines]
    if way != "pylock":
        app.requirements(*lines)
    done = app.run("build", environment=environment)
    fine = password == SECRET and way != "bad hash"
    assert done.returncode == (0 if fine else 2 if way == "bad hash" and password == SECRET else 3), done.stderr
    again = app.run("build", environment=environment)
    offline = app.run("build", "--json", "--offline", environment=environment)
    if fine:
        assert again.stderr == UNCHANGED
        assert offline.returncode == 0
    nowhere(app, done, again, offline)


def test_credentials_of_a_direct_url(app: Project, guarded: IndexServer) -> None:
    address = guarded.url.replace("://", f"://me:{SECRET}@")
    app.requirements(*(f"{name.split('-')[0]} @ {address}/files/{name}" for name in app.wheels))
    done = app.run("build")
    assert done.returncode == 0, done.stderr
    guarded.login = ("me", "changed")
    (app.output / "layer.zip").unlink()
    for wheel in cached_wheels(app.cache):
        wheel.unlink()
    refused = app.run("build")
    assert refused.returncode == 3
    nowhere(app, done, refused)


# The same bytes


def built_with(app: Project, into: Path, *command: str, **environment: str) -> dict[str, str]:
    done = subprocess.run(
        [*command, "-m", "lamella", "build", "--output", str(into)], cwd=app.root,
        env={**app.environment, "LAMELLA_CACHE_DIR": f"{into}-cache", **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {path.name: app.digest(path) for path in sorted(into.iterdir())}


@pytest.fixture
def varied(app: Project) -> Project:
    app.wheel(
        "tool",
        files={"tool.py": "x = 1\n" * 500, "tool-1.0.data/scripts/run": "#!python\nprint(1)\n", "größe.txt": "ü"},
        entry_points={"console_scripts": ["one = tool:x", "two = tool:y"]},
    )
    app.lock()
    app.source("deep/er/code.py", "y = 2\n" * 200)
    app.source("run.sh", "#!/bin/sh\n").chmod(0o755)
    return app


def test_the_same_bytes_everywhere(varied: Project, tmp_path: Path) -> None:
    wanted = built_with(varied, tmp_path / "one", sys.executable)
    shell = ["sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable]
    assert built_with(varied, tmp_path / "umask", *shell) == wanted
    assert (
        built_with(varied, tmp_path / "zone", sys.executable, TZ="Asia/Kolkata", LC_ALL="C", LANG="tr_TR.UTF-8")
        == wanted
    )
    for seed in ("0", "1", "4242"):
        assert built_with(varied, tmp_path / f"seed{seed}", sys.executable, PYTHONHASHSEED=seed) == wanted
    assert built_with(varied, tmp_path / "fast", sys.executable, "-O", PYTHONUTF8="0") == wanted


def test_the_same_bytes_from_another_place(varied: Project, tmp_path: Path) -> None:
    wanted = built_with(varied, tmp_path / "one", sys.executable)
    moved = varied.root.with_name("elsewhere")
    varied.root.rename(moved)
    varied.root = moved
    # Copied by another system: other times, another order of the folders
    for path in sorted(moved.rglob("*"), reverse=True):
        os.utime(path, (10**9, 10**9))
    assert built_with(varied, tmp_path / "two", sys.executable) == wanted
