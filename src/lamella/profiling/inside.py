"""Imports a handler's module inside of the sandbox, with nothing of lamella: the target's Python runs it with `-c`.

Arguments: the module, and a mark that begins the lines which are ours.  On stderr it writes the mark and `begin`, then
come what `-X importtime` and the module write, then the mark and `end`, and after it one line of JSON:

    modules   name → the file it is from, or null where it is a part of the interpreter
    path      sys.path's folders that are not the interpreter's own
    task      where the function's own zip is
    python    the interpreter's version
    failure   null, or what the import raised: type, lines of the traceback, names of a missing variable and module
"""

import importlib
import os
import sys

real_import_module = importlib.import_module


def import_module(name, package=None):  # type: ignore[no-untyped-def]
    """importlib's own does not go by the way that `-X importtime` watches: this one does what an `import` does."""
    if name.startswith("."):
        if not package:
            return real_import_module(name, package)
        level = len(name) - len(name.lstrip("."))
        name = importlib._bootstrap._resolve_name(name[level:], package, level)  # type: ignore[attr-defined]
    __import__(name)
    return sys.modules[name]


def main(name: str, mark: str) -> None:
    sys.argv[1:] = []
    if sys.path[0] == "":
        del sys.path[0]
    before = set(sys.modules)
    failure = None
    importlib.import_module = import_module
    # The module may put something else where stderr was
    ours = os.dup(2)
    write(ours, f"{mark} begin\n")
    try:
        __import__(name)
    except BaseException as error:
        failure = error
    try:  # noqa: SIM105 - contextlib would be imported for this alone, and be missing in the measurement
        sys.stderr.flush()
    except Exception:
        pass
    write(ours, f"\n{mark} end\n")
    import json

    paths = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    report = {
        "modules": {} if failure else {name: file_of(name) for name in set(sys.modules) - before},
        "path": paths,
        "task": os.environ.get("LAMBDA_TASK_ROOT", ""),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "failure": failure and told(failure),
    }
    write(ours, json.dumps(report) + "\n")
    # Threads that the module started, or what it wants to do at its end, are none of ours
    os._exit(0)


def write(file: int, text: str) -> None:
    rest = text.encode()
    while rest:
        rest = rest[os.write(file, rest) :]


def file_of(name: str) -> "str | None":
    """The module's file; of one that has none (a namespace, one that was made up) a folder or its package's file."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return file
    folders = getattr(module, "__path__", None)
    try:
        return str(next(iter(folders)))  # type: ignore[arg-type]
    except (TypeError, StopIteration):
        pass
    package = name.rpartition(".")[0]
    return file_of(package) if package else None


def told(failure: BaseException) -> "dict[str, object]":
    import traceback

    trace = failure.__traceback__
    below = trace.tb_next if trace else None
    deepest = trace
    while deepest and deepest.tb_next:
        deepest = deepest.tb_next
    place = deepest.tb_frame.f_code.co_filename if deepest else ""
    missing = None
    if isinstance(failure, KeyError) and failure.args and os.path.basename(place) in ("os.py", "<frozen os>"):
        missing = str(failure.args[0])
    return {
        "type": type(failure).__name__,
        "lines": "".join(traceback.format_exception(type(failure), failure, below)).splitlines(),
        "missing": missing,
        "module": failure.name if isinstance(failure, ModuleNotFoundError) else None,
    }


main(*sys.argv[1:3])
