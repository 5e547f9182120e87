"""Run as a program in the sandbox: imports modules, each in a process of its own, and says what became of each.

Its text is given to the target's interpreter (Python 3.9 or later), so it knows nothing of lamella.  stdin: JSON with
`modules`, `handlers` (as Lambda's configuration has them), `distributions`, `at_once`, `seconds` and `first`: the
modules that are imported before some of `modules`, whatever comes of it.  stdout: JSON with `tried` and `metadata`.
"""

from __future__ import annotations

import os
import sys

# What Lambda's paths hold may be called like a module of the standard library: that is found first
_GIVEN = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
_PATH = list(sys.path)
sys.path[:] = [path for path in sys.path if path and path not in _GIVEN]

import contextlib  # noqa: E402
import errno  # noqa: E402
import faulthandler  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

# What `-c` puts before Lambda's paths is left out
sys.path[:] = _PATH[1:] if _PATH[:1] == [""] else _PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_NOISE = 8000  # bytes


def _chain(error: BaseException | None) -> list[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen and len(seen) < 20:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    found = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        found.append((code.co_filename, step.tb_lineno, code.co_name))
        step = step.tb_next
    return found


def _where(error: BaseException) -> str:
    """The innermost line in the artifacts, ``pkg/file.py:3``; "" for none."""
    roots = [os.path.abspath(path) + "/" for path in sys.path if path][:3]
    frames = _frames(error)
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno or 1, ""))
    where = ""
    for file, line, _ in frames:
        inside = [root for root in roots if file.startswith(root)]
        if inside:
            where = f"{file[len(max(inside, key=len)) :]}:{line}"
    return where


def _told(error: BaseException) -> dict[str, Any]:
    """What an exception says, for JSON."""
    import _socket  # what `socket` takes its errors from

    missing: list[str] = []
    variable, network = "", False
    for each in _chain(error):
        frames = _frames(each)
        if isinstance(each, ModuleNotFoundError) and each.name:
            missing.append(each.name)
        if isinstance(each, KeyError) and frames and each.args and isinstance(each.args[0], str):
            file, _, name = frames[-1]
            if name == "__getitem__" and file in (os.__file__, "<frozen os>"):
                variable = each.args[0]
        numbers = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED)
        refused = isinstance(each, (_socket.gaierror, ConnectionError))
        if refused or (isinstance(each, OSError) and each.errno in numbers):
            network = True
    try:
        text = str(error)
    except Exception:
        text = ""
    return {
        "failed": "raised",
        "kind": type(error).__name__,
        "text": text[:2000],
        "where": _where(error),
        "missing": missing,
        "variable": variable,
        "network": network,
    }


def _import(module: str) -> None:
    importlib.import_module(module)


def _handler(handler: str) -> None:
    """Find a handler as AWS's runtime client does."""
    name, _, attribute = handler.rpartition(".")
    module = importlib.import_module(name.replace("/", "."))
    found = getattr(module, attribute)
    if not callable(found):
        raise TypeError(f"`{attribute}` is no function")


def _metadata(names: Sequence[str]) -> list[list[str]]:
    """What importlib.metadata answers for each distribution."""
    path = list(sys.path)
    sys.path[:] = [one for one in path if one not in _GIVEN]
    from importlib import metadata

    sys.path[:] = path
    rows = []
    for name in names:
        version, failed = "", ""
        try:
            found = metadata.distribution(name)
            version = metadata.version(name)
            list(found.entry_points)
            found.requires  # noqa: B018  it is read from the file when it is asked for
        except metadata.PackageNotFoundError:
            failed = ""
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
        rows.append([name, version or "", failed])
    try:
        metadata.entry_points()
    except Exception as error:
        rows.append(["", "", f"{type(error).__name__}: {error}"])
    return rows


def _of_runtime() -> list[str]:
    """The top-level modules that were imported from the runtime's folder."""
    folder = os.environ.get("LAMBDA_RUNTIME_DIR", "")
    try:
        names = {name.partition(".")[0] for name in os.listdir(folder)}
    except OSError:
        return []
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in names}
    return sorted(name for name, file in files.items() if file and file.startswith(folder + "/"))


def _child(kind: str, subject: str, first: Sequence[str], result: int, noise: int) -> None:
    """Try one thing; never returns."""
    code = 0
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(noise, 1)
        os.dup2(noise, 2)
        faulthandler.enable(2)
        try:
            for module in first:
                with contextlib.suppress(Exception):
                    _import(module)
            {"module": _import, "handler": _handler}[kind](subject)
            told: dict[str, Any] = {"failed": ""}
        except SystemExit as error:
            told = {"failed": "ended", "text": f"it called `sys.exit({'' if error.code is None else error.code})`"}
        except BaseException as error:
            told = _told(error)
        told["runtime"] = _of_runtime()
        os.write(result, json.dumps(told).encode())
    except BaseException:
        code = 1
    os._exit(code)


class _Trial:
    def __init__(self, kind: str, subject: str, first: Sequence[str], seconds: float) -> None:
        self.subject = subject
        self.noise = tempfile.TemporaryFile()  # noqa: SIM115
        self.result, writing = os.pipe()
        self.end = time.monotonic() + seconds
        self.process = os.fork()
        if self.process == 0:
            os.close(self.result)
            _child(kind, subject, first, writing, self.noise.fileno())
        os.close(writing)
        self.told = b""

    def read(self) -> bool:
        """Whether there is more to come."""
        chunk = os.read(self.result, 65536)
        self.told += chunk
        return bool(chunk)

    def finish(self, late: bool) -> dict[str, Any]:
        if late:
            os.kill(self.process, signal.SIGKILL)
        os.close(self.result)
        _, status = os.waitpid(self.process, 0)
        try:
            # Also where it is late: a process that it left behind may hold the pipe open
            told: dict[str, Any] = json.loads(self.told)
        except ValueError:
            told = {"failed": "time"} if late else {"failed": "ended", "text": _ending(status)}
        self.noise.seek(max(0, self.noise.seek(0, 2) - _NOISE))
        said = self.noise.read().decode("utf-8", "replace").splitlines() if told["failed"] else []
        self.noise.close()
        fatal = [at for at, line in enumerate(said) if line.startswith("Fatal Python error")]
        # What stands before it may be the reason: "terminate called after throwing …"
        told.update(subject=self.subject, noise=said[max(0, fatal[-1] - 1) :][:12] if fatal else said[-12:])
        return told


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"it was killed by {signal.Signals(number).name}"
        except ValueError:
            return f"it was killed by signal {number}"
    return f"it ended the process with code {os.WEXITSTATUS(status)}"


def _run(waiting: list[tuple[str, str, Sequence[str]]], at_once: int, seconds: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    running: dict[int, _Trial] = {}
    while waiting or running:
        while waiting and len(running) < at_once:
            trial = _Trial(*waiting.pop(0), seconds)
            running[trial.result] = trial
        rest = min(trial.end for trial in running.values()) - time.monotonic()
        for descriptor in select.select(list(running), [], [], max(0, rest))[0]:
            if not running[descriptor].read():
                found.append(running.pop(descriptor).finish(late=False))
        for descriptor in [at for at, trial in running.items() if trial.end <= time.monotonic()]:
            found.append(running.pop(descriptor).finish(late=True))
    return found


def main() -> None:
    wanted = json.load(sys.stdin)
    waiting = [("module", name, wanted["first"].get(name, ())) for name in wanted["modules"]]
    waiting += [("handler", name, ()) for name in wanted["handlers"]]
    out = os.fdopen(os.dup(1), "w")
    tried = _run(waiting, wanted["at_once"], wanted["seconds"])
    names = wanted["distributions"]
    json.dump({"tried": tried, "metadata": _metadata(names) if names else []}, out)
    out.close()


if __name__ == "__main__":
    main()
