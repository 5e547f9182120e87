"""`lamella build` shows and keeps no password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from tests.build.projects import Project, all_bytes, cached_wheels
from tests.cli.processes import UNCHANGED
from tests.wheels.index_server import IndexServer

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
