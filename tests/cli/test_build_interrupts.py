"""`lamella build` that is ended, and several at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest
from tests.build.projects import Project
from tests.cli.processes import UNCHANGED, Slow, started, whole_wheels_only


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


# Kills the process at the n-th change that it makes to the disk, or when a file grows beyond so many bytes; without
# either it tells how many changes it made
_MORTAL = """
import os, resource, signal, sys
left, most = int(sys.argv[1]), int(sys.argv[2])
made = 0
def hook(event, arguments):
    global made
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.chmod"):
        made += 1
        if made == left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
if most:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
sys.argv = ["lamella", "build"]
from lamella.cli.start import main
code = main()
print("made", made)
sys.exit(code)
"""


def mortal(app: Project, *, left: int = 0, most: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _MORTAL, str(left), str(most)], cwd=app.root, env=app.environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_killed_at_any_moment(app: Project) -> None:
    """At many of the changes that it makes to the disk, and within what it writes."""
    for number in range(3):
        app.wheel(f"big{number}", files={f"big{number}.bin": os.urandom(300_000)})
    app.lock()
    done = mortal(app)
    assert done.returncode == 0, done.stderr
    changes = int(done.stdout.split()[-1])
    assert changes > 20
    wanted = app.digests()
    deaths = [{"left": 1 + at * (changes - 10) // 11} for at in range(12)]
    deaths += [{"most": most} for most in (500, 70_000, 300_100, 500_000)]
    for number, death in enumerate(deaths):
        for path in app.output.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        app.cache = app.cache.with_name(f"cache-{number}")
        assert mortal(app, **death).returncode in (-signal.SIGKILL, -signal.SIGXFSZ), death
        for name in app.listing():
            # What has a name of its own is whole; what is under way is in the folder that the next build clears
            assert name.startswith(".") or app.digest_of(name) == wanted[name], (name, death)
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
