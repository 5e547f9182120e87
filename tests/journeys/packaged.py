"""A project with layers and three functions, for the tools that deploy what was built."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.build.projects import HANDLER, Project

# The keys of the functions and of one layer are those of examples/spectra, so that its stacks fit
FOREIGN = "arn:aws:lambda:us-east-1:123456789012:layer:theirs:7"
RUNTIME = '[tool.lamella]\nruntime = "python3.12"\n'
FUNCTIONS = """
[tool.lamella.functions.api-handler]
handler = "app.handler"
layers = {}

[tool.lamella.functions.worker]
handler = "worker.handler"
exclude = ["app.py", "authorizer.py"]
layers = {}

[tool.lamella.functions.authorizer]
handler = "authorizer.handler"
exclude = ["app.py", "worker.py"]
layers = {}
"""
TWO_LAYERS = (
    RUNTIME
    + """
[tool.lamella.layers.layer]
name = "spectra-dependencies"
bytecode = "none"
packages = ["base"]

[tool.lamella.layers.second]
bytecode = "none"
packages = ["more"]
"""
    + FUNCTIONS.format(["second", "layer", FOREIGN], ["layer"], ["second"])
)
ONE_LAYER = (
    RUNTIME
    + """
[tool.lamella.layers.layer]
name = "spectra-dependencies"
bytecode = "none"
packages = ["base", "more"]
"""
    + FUNCTIONS.format(["layer"], ["layer"], ["layer"])
)


def packaged(folder: Path, configuration: str) -> Project:
    """The project, built."""
    made = Project(folder)
    made.wheel("base")
    made.wheel("more")
    for name, imported in (("app", "base, more"), ("worker", "base"), ("authorizer", "more")):
        made.source(f"{name}.py", f"import {imported}\n\n\n{HANDLER}")
    made.configure(configuration)
    build(made)
    return made


def with_other_more(made: Project) -> None:
    """Build it with another version of the distribution `more`."""
    made.wheels = {name: wheel for name, wheel in made.wheels.items() if not name.startswith("more-")}
    made.wheel("more", "2.0")
    build(made)


def build(made: Project) -> None:
    made.lock()
    done = made.run("build")
    assert done.returncode == 0, done.stderr


def node() -> str:
    """The program `node`.  Skips the test where it, or npm, is missing."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on PATH")
    found = shutil.which("node")
    assert found is not None
    return found


def with_modules(example: str, folder: Path, modules: str) -> Path:
    """A copy of examples/NAME in `folder`, with the `node_modules` of the folder `modules`."""
    source = Path(__file__).parents[2] / "examples" / example
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules", "cdk.out", ".serverless"))
    (folder / "node_modules").symlink_to(Path(modules) / "node_modules")
    return folder


def without_aws(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without what AWS's tools and those of npm are told by it."""
    return {
        name: value for name, value in environ.items() if not name.startswith(("AWS_", "CDK_", "SLS_", "SERVERLESS_"))
    }
