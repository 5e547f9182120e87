"""The lines that are measured, as a person would type them, and what the tables call them."""

from __future__ import annotations

from bench.measure import Command

BUILD = "lamella build layer"
PIP = (
    "pip install --quiet --target build/python --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 "
    "--platform manylinux2014_x86_64 --only-binary=:all: --python-version 3.12 --implementation cp -r requirements.txt"
)
UV = (
    "uv pip install --quiet --target build/python --python-platform x86_64-manylinux_2_28 --python-version 3.12 "
    "--only-binary=:all:"
)
PEX = "pex3 venv create --layout flat-zipped --prefix python -d flat"
ZIP = "(cd build && zip -qr ../layer.zip python)"
# Bytecode by whichever Python runs pip would only make its zip larger
BARE = PIP.replace("--quiet", "--quiet --no-compile")
DELETE = (
    "find build/python -depth -type d '(' -name tests -o -name '*.dist-info' -o -name __pycache__ ')' "
    "-exec rm -r '{}' +"
)
EMPTY = "env LAMELLA_CACHE_DIR=empty/lamella UV_CACHE_DIR=empty/uv"

FAST = (
    Command("build", BUILD, clean=("dist",)),
    Command("nothing", BUILD),
    Command("cp", "cp finished.zip copy.zip", clean=("copy.zip",)),
    Command("python", "python -c pass"),
)
MADE = ("build", "layer.zip", "flat", "flat.zip")
SLOW = (
    Command("uv", f"{UV} -r requirements.txt && {ZIP}", MADE, shell=True),
    Command("pip", f"{PIP} && {ZIP}", MADE, shell=True),
    Command("pex", f"{PEX} -r requirements.txt", MADE, shell=True),
    Command("pex-pylock", f"{PEX} --pylock pylock.toml", MADE, shell=True),
)
COLD = (
    Command("build", f"{EMPTY} {BUILD}", ("empty", "dist")),
    Command("uv", f"{EMPTY} {UV} -r requirements.txt", ("empty", "build")),
    Command("uv-pylock", f"{EMPTY} {UV} -r pylock.toml", ("empty", "build")),
)
WARM_LABELS = (
    ("build", "`lamella build layer`, plain"),
    ("nothing", "the same, nothing to do"),
    ("cp", "`cp` of the finished zip"),
    ("python", "`python -c pass`"),
    ("uv", "`uv pip install --target` + `zip -r`"),
    ("pip", "`pip install --target` + `zip -r`"),
    ("pex", "`pex3 venv create --layout flat-zipped`"),
    ("pex-pylock", "the same from a pylock.toml"),
)
COLD_LABELS = (
    ("build", "`lamella build layer`, plain, zip included"),
    ("uv", "`uv pip install --target`, no zip"),
    ("uv-pylock", "the same from a pylock.toml"),
)

# Layers of one project, by what is left out of them
PACKED = "dist/lambda/{}.zip"
KINDS = tuple(Command(key, f"lamella build {key}", ("dist",)) for key in ("plain", "default", "small"))
WHEELS_ONLY = "env LAMELLA_CACHE_DIR=first"


def listed(*more: str) -> str:
    """All of them as a block of Markdown, and `more`."""
    lines = ["```sh", "# before each run, untimed: what the last one made is removed"]
    for command in (*FAST, *SLOW, *COLD):
        lines.append(command.line.replace(EMPTY, EMPTY.removeprefix("env ")))
    lines += [command.line for command in KINDS]
    lines += [line.replace(WHEELS_ONLY, WHEELS_ONLY.removeprefix("env ")) for line in more]
    return "\n".join([*lines, "```"])
