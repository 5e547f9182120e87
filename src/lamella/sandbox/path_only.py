"""No view, where nothing better works: the same variables and paths, on folders of this machine.

The process can read what its user can, and reach the network.  What was installed for this machine's interpreter is not
on its path: it starts as that of an empty virtual environment.
"""

from __future__ import annotations

import os

from lamella.sandbox.view import Paths, prefix_of


def paths(
    interpreter: str, python: tuple[int, int], base: str, *, task: str | None, layers: str | None, runtime: str | None
) -> Paths:
    """The paths of a process; its scratch folder, interpreter and empty folders are made in `base`.  Raises OSError."""
    made = Paths(
        python,
        task=task or f"{base}/task",
        layers=layers or f"{base}/opt",
        runtime=runtime or f"{base}/runtime",
        language=f"{base}/lang",
        scratch=f"{base}/tmp",
    )
    for folder in (made.task, made.layers, made.runtime, made.scratch, f"{made.language}/bin", f"{made.language}/lib"):
        os.makedirs(folder, exist_ok=True)
    program = os.path.realpath(interpreter)
    for name in {os.path.basename(program), made.version, "python3", "python"}:
        os.symlink(program, f"{made.language}/bin/{name}")
    # PEP 405: with this file beside its folder, an interpreter looks for what is installed there
    with open(f"{made.language}/pyvenv.cfg", "w") as file:
        file.write(f"home = {prefix_of(interpreter)}/bin\ninclude-system-site-packages = false\n")
    return made


def environment(paths: Paths) -> dict[str, str]:
    """The variables of the runtime, and what a process without a view needs besides."""
    return {
        **paths.environment(),
        # Layers and code are kept for the next process, and this one may have the right to write there
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": paths.scratch,
        "HOME": paths.scratch,
    }
