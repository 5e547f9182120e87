"""`lamella build` as a process: what it prints, how it exits, what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project
from tests.cli.processes import UNCHANGED, no_traceback


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
