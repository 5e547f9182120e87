"""Sources → wheels inside the runtime's build image, by `recipe.py`: `pip wheel`, then auditwheel's repair.

The image sees the sources, the tools and, while pip fetches build requirements, the index settings: these as secrets,
which no layer keeps.  PEP 517 (build isolation), PEP 600 (manylinux) and the documentation of pip and auditwheel.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lamella.container.model import Engine, Work
from lamella.container.running import SAID, Said, run
from lamella.digests import key_of
from lamella.errors import BuildError
from lamella.facts.tables import libraries
from lamella.files import sha256_of
from lamella.wheels.build import repack

if TYPE_CHECKING:
    from lamella.container.model import ContainerSettings
    from lamella.target import Target
    from lamella.wheels.model import Wheel
    from lamella.wheels.piping import Piped

RECIPE = os.path.join(os.path.dirname(__file__), "recipe.py")
REPAIR = os.path.join(os.path.dirname(__file__), "repair.txt")
_TOLD = 15
# Where things lie in the image
_HOME = "/lamella"
_IN, _OUT = f"{_HOME}/in", f"{_HOME}/out"
# Installs the packages that it is given, with the first installer that is there
INSTALL = f"""\
for program in dnf microdnf yum; do
    if command -v $program >/dev/null; then
        exec $program install -y "$@"
    fi
done
if command -v apt-get >/dev/null; then
    apt-get update && DEBIAN_FRONTEND=noninteractive exec apt-get install -y --no-install-recommends "$@"
    exit 1
fi
echo "{SAID}the image has none of dnf, microdnf, yum and apt-get to install packages with"
exit 1
"""
# Runs the recipe by the Python that it is given
_BUILD = f"""\
if ! "$1" -m pip --version >/dev/null 2>&1; then
    echo "{SAID}the image has no $1 with pip"
    exit 1
fi
exec "$1" {_IN}/recipe.py {_IN} {_OUT}
"""


Built = Mapping[str, str | BuildError]


class Order(NamedTuple):
    """One distribution to be built: `path` is its sdist, or its project's folder, on this machine."""

    name: str
    path: str


def key(settings: ContainerSettings, image: str, target: Target, source: object) -> str:
    """What a wheel depends on that is built in a container: `image` is its identity, `source` that of what is built."""
    recipe = (sha256_of(RECIPE), sha256_of(REPAIR), INSTALL, _BUILD)
    return key_of("contained", *recipe, image, settings.packages, settings.options, tuple(target), source)


def build(
    orders: Sequence[Order],
    *,
    engine: Engine,
    image: str,
    packages: Sequence[str],
    target: Target,
    tools: Sequence[Wheel],
    piped: Piped,
    folder: str,
    said: Said,
) -> Built:
    """The wheel's path inside `folder` for each name, or why there is none.

    `tools` are the wheels that repair.txt pins, for the target.  Raises OutsideError where the engine fails.
    """
    context = os.path.join(folder, "context")
    out = os.path.join(folder, "out")
    _lay(context, orders, target, tools)
    work = Work(
        image, target.architecture, _steps(packages, target, piped), _OUT, context, piped.secrets, piped.folders
    )
    run(engine, work, out, said)
    return {order.name: _made(order, image, os.path.join(out, str(at)), target) for at, order in enumerate(orders)}


def _lay(context: str, orders: Sequence[Order], target: Target, tools: Sequence[Wheel]) -> None:
    """Put together what the image is given."""
    os.makedirs(os.path.join(context, "tools"))
    shutil.copyfile(RECIPE, os.path.join(context, "recipe.py"))
    for name, text in (("install.sh", INSTALL), ("build.sh", _BUILD)):
        with open(os.path.join(context, name), "w", encoding="utf-8") as file:
            file.write(text)
    for wheel in tools:
        shutil.copyfile(wheel.path, os.path.join(context, "tools", wheel.filename))
    glibc = target.glibc
    job = {
        "names": [order.name for order in orders],
        "platform": f"manylinux_{glibc[0]}_{glibc[1]}_{target.machine}",
        "libraries": sorted(libraries(target.runtime).sonames),
    }
    with open(os.path.join(context, "job.json"), "w", encoding="utf-8") as file:
        json.dump(job, file)
    for at, order in enumerate(orders):
        place = os.path.join(context, "sources", str(at))
        os.makedirs(place)
        target_path = os.path.join(place, os.path.basename(os.path.normpath(order.path)))
        if os.path.isdir(order.path):
            # Links are followed: `.git` may be one, and leads out of what the image sees
            shutil.copytree(order.path, target_path, ignore_dangling_symlinks=True)
        else:
            shutil.copyfile(order.path, target_path)


def _steps(packages: Sequence[str], target: Target, piped: Piped) -> tuple[str, ...]:
    python = f"python{target.python[0]}.{target.python[1]}"
    # Amazon's images have Python beside the system's; what is installed is root's
    steps = ["USER root", f"ENV PATH={os.path.dirname(target.facts.interpreter)}:$PATH"]
    if packages:
        names = " ".join(shlex.quote(name) for name in packages)
        # Alone, so that docker finds what it installed for the next build
        steps += [f"COPY install.sh {_HOME}/install.sh", f"RUN sh {_HOME}/install.sh {names}"]
    mounts = "".join(f"{mount} " for mount in piped.mounts)
    variables = "".join(f"{name}={shlex.quote(value)} " for name, value in piped.variables)
    steps += [f"COPY . {_IN}", f"RUN {mounts}{variables}sh {_IN}/build.sh {python}"]
    return tuple(steps)


def _made(order: Order, image: str, place: str, target: Target) -> str | BuildError:
    """The wheel in what came out, packed anew, or why it could not be built."""
    found = sorted(os.listdir(place)) if os.path.isdir(place) else []
    wheels = [name for name in found if name.endswith(".whl")]
    if len(wheels) == 1:
        return repack(os.path.join(place, wheels[0]))
    what = f"`{order.name}` could not be built into a wheel in `{image}`"
    if "failed.txt" not in found:
        return BuildError(what, why=[f"{len(wheels)} wheels came out"])
    with open(os.path.join(place, "failed.txt"), encoding="utf-8", errors="replace") as file:
        lines = [line for line in file.read().splitlines() if line.strip()]
    return BuildError(what, why=_telling(lines), hint=_hint(lines, target))


_HEADER = re.compile(r"fatal error: (\S+): No such file")
_LIBRARY = re.compile(r"cannot find -l([\w.+-]+)|library \"?([^\s\"]+)\"? could not be located")
_PROGRAM = re.compile(r"(?:command '?([\w.+-]+)'? failed: No such file|unable to execute '([\w.+-]+)')")


def _telling(lines: Sequence[str]) -> list[str]:
    """The last lines, and before them what the compiler said first, if it stands further above."""
    told = list(lines[-_TOLD:])
    first = next((line for line in lines if any(one.search(line) for one in (_HEADER, _LIBRARY, _PROGRAM))), None)
    return told if first is None or first in told else [first, "…", *told]


def _hint(lines: Sequence[str], target: Target) -> str:
    text = "\n".join(lines)
    key = "`[tool.lamella.container] packages`"
    if found := _HEADER.search(text):
        return f"name the package that has the header `{found[1]}` in {key}"
    if found := _LIBRARY.search(text):
        return f"name the package that has the library `{found[1] or found[2]}` in {key}"
    if found := _PROGRAM.search(text):
        return f"name the package that has the program `{found[1] or found[2]}` in {key}"
    if "too-recent versioned symbols" in text:
        glibc = f"{target.glibc[0]}.{target.glibc[1]}"
        return (
            f"the image is newer than {target.runtime}, whose glibc is {glibc}: build in that runtime's own build image"
        )
    return f"what it needs to be built goes into {key}"
