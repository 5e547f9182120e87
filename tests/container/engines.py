"""An engine that is a program of the test's own: it keeps what it is asked, and answers as it is told to."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

IDENTITY = "4f" * 32

# Speaks as docker and podman do.  `build` has the program `builder` do it, or carries out the recipe of the context,
# where there is one
_PROGRAM = """
import json, os, shutil, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "answers.json")) as file:
    answers = json.load(file)
words = sys.argv[1:]
with open(os.path.join(HERE, "asked.jsonl"), "a") as file:
    file.write(json.dumps(words) + "\\n")


def value(name):
    return words[words.index(name) + 1]


def told(lines, code=0):
    for line in lines:
        print(line, flush=True)
    sys.exit(code)


if words == ["--version"]:
    told([answers["kind"] + " version 1"])
if words[0] in ("version", "info"):
    told(answers["answer"], answers.get("code", 0))
if words[:2] == ["image", "inspect"]:
    known = answers["images"].get(words[-1])
    told([known] if known else [], 0 if known else 1)
if words[0] == "pull":
    pulled = answers["registry"].get(words[-1])
    if pulled is None:
        told(["Trying to pull", "time=1 level=warning msg=again", "Error: no such manifest"], 125)
    answers["images"][words[-1]] = pulled
    with open(os.path.join(HERE, "answers.json"), "w") as file:
        json.dump(answers, file)
    told(["pulled"])
if words[0] == "build":
    with open(value("--file")) as file, open(os.path.join(HERE, "Containerfile"), "w") as kept:
        kept.write(file.read())
    if "--iidfile" in words:
        with open(value("--iidfile"), "w") as file:
            file.write("sha256:made")
    if answers.get("builder"):
        sys.exit(subprocess.run([sys.executable, answers["builder"], *words]).returncode)
    if answers.get("said"):
        told(answers["said"], answers.get("build", 0))
    if answers.get("endless"):
        step = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(f"step {step.pid}", flush=True)
        code = step.wait()
        with open(os.path.join(HERE, "tidied"), "w") as file:
            file.write(str(code))
        sys.exit(1)
    out = value("--output").partition("dest=")[2]
    context = words[-1]
    recipe = os.path.join(context, "recipe.py")
    if os.path.exists(recipe):
        # As the image has it: a copy of the context, and no index
        image = os.path.join(HERE, f"image-{time.time_ns()}")
        shutil.copytree(context, os.path.join(image, "in"), symlinks=True)
        made = os.path.join(image, "out")
        environment = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
        done = subprocess.run([answers["python"], recipe, os.path.join(image, "in"), made], env=environment)
        shutil.copytree(made, out, dirs_exist_ok=True)
        sys.exit(done.returncode)
    with open(os.path.join(out, "made"), "w") as file:
        file.write("made")
told([])
"""

# SIGHUP does not end podman, and does what it runs
_PODMAN = "import signal\nsignal.signal(signal.SIGHUP, lambda *_: None)\n"


class FakeEngine:
    """A program `kind` in `folder`, to be found on a PATH of it."""

    def __init__(self, folder: Path, kind: str = "podman", **answers: Any) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.answers: dict[str, Any] = {
            "kind": kind, "answer": ["5.0.1 amd64"], "images": {}, "registry": {}, "python": sys.executable, **answers,
        }  # fmt: skip
        self.tell()
        program = folder / kind
        program.write_text(f"#!{sys.executable}\n{_PODMAN if kind == 'podman' else ''}{_PROGRAM}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.program = str(program)

    def tell(self, **answers: Any) -> None:
        self.answers |= answers
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    @property
    def asked(self) -> list[list[str]]:
        """The command lines that it got, without its own name."""
        path = self.folder / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def builds(self) -> list[list[str]]:
        return [words for words in self.asked if words[0] == "build"]

    @property
    def containerfile(self) -> str:
        return (self.folder / "Containerfile").read_text()


def on_path(*folders: Path) -> str:
    """A PATH of these folders alone."""
    return os.pathsep.join(map(str, folders))
