"""Run as a program in the image of a runtime: starts the runner as Lambda starts a function, and keeps what it says.

    python3.X -I -S inside.py GIVEN VARIABLES OUT NUMBER

`GIVEN` is a folder with ``runner.py`` and ``NUMBER.json``: `question` (the runner's stdin) and `seconds` (until it is
killed).  `VARIABLES` is a file of JSON: the whole environment of each trial by its number.  `OUT/NUMBER.json` gets
`code`, `out`, `err`, and what the image has: `python` and `glibc`.  Python 3.9 or later, the standard library alone.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TASK = "/var/task"
# Lambda's own user (sbx_user1051)
_USER, _GROUP = 993, 990


def main(given: str, variables: str, out: str, number: str) -> None:
    with open(os.path.join(given, "runner.py"), encoding="utf-8") as file:
        program = file.read()
    with open(os.path.join(given, f"{number}.json"), encoding="utf-8") as file:
        job = json.load(file)
    with open(variables, encoding="utf-8") as file:
        environment = json.load(file)[number]
    told = _run([sys.executable, "-c", program], environment, json.dumps(job["question"]), job["seconds"])
    told.update(python=platform.python_version(), glibc=_glibc())
    with open(os.path.join(out, f"{number}.json"), "w", encoding="utf-8") as file:
        json.dump(told, file)


def _run(command: list[str], environment: dict[str, str], question: str, seconds: float) -> dict[str, Any]:
    try:
        process = _started(command, environment, user=_USER, group=_GROUP, extra_groups=[])
    except (OSError, subprocess.SubprocessError):
        # Where the engine has one user alone, this is nobody but itself
        process = _started(command, environment)
    with process:
        try:
            out, err = process.communicate(question, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
    return {"code": process.returncode, "out": out, "err": err[-8000:]}


def _started(command: list[str], environment: dict[str, str], **user: Any) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, cwd=_TASK, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8",
        errors="replace", **user,
    )  # fmt: skip


def _glibc() -> str:
    """``2.34``; "" where the C library is another."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return ""
    return version if name == "glibc" else ""


if __name__ == "__main__":
    main(*sys.argv[1:])
