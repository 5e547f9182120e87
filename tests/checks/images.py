"""What a build does inside an image, done on this machine: each step of the Containerfile, with folders in place of
those that it mounts.  A program, which tests give to a fake engine as its `builder`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile

_MOUNT = re.compile(r"--mount=type=(bind|secret),(?:from|id)=(\w+),target=(\S+)")


def main(words: list[str]) -> int:
    sources = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--build-context")
    secrets = dict(re.findall(r"id=(\w+),src=(.*)", "\n".join(words)))
    out = words[words.index("--output") + 1].partition("dest=")[2]
    with open(words[words.index("--file") + 1]) as file:
        lines = file.read().splitlines()
    for line in lines:
        if line.startswith("RUN "):
            mounts = {
                target: (secrets if kind == "secret" else sources)[name] for kind, name, target in _MOUNT.findall(line)
            }
            code = _step(line.rpartition("--mount=")[2].partition(" ")[2], mounts, out)
            if code:
                return code
    return 0


def _step(command: str, mounts: dict[str, str], out: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        places = {"/lamella/out": out}
        for at, place in enumerate(("/opt", "/var/task", "/lamella/given", "/lamella/variables")):
            places[place] = os.path.join(folder, str(at))
            source = mounts.get(place)
            if source is None:
                os.mkdir(places[place])
            elif place.startswith("/lamella/"):
                _copied(source, places[place])
            else:
                places[place] = source
        files = [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names]
        for path in files:
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                # Lambda's user may not look into a test's folders
                file.write(_placed(text, places).replace("_USER, _GROUP = 993, 990", "_USER, _GROUP = None, None"))
        shell = ["sh", "-c", _placed(command, places)]
        return subprocess.run(shell, env={"PATH": os.environ["PATH"]}, check=False).returncode


def _copied(source: str, target: str) -> None:
    if os.path.isdir(source):
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _placed(text: str, places: dict[str, str]) -> str:
    return re.sub("|".join(places), lambda found: places[found[0]], text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
