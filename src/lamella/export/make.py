"""Targets of Make, to be included: the names that teams have for these steps, and what lamella does for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lamella.export.model import MARK, Text
from lamella.export.words import environment_words

if TYPE_CHECKING:
    from lamella.export.model import Source

_HEAD = """\
# {mark} make{environment}`, which writes it anew; for a Makefile's `include lamella.mk`
LAMELLA ?= lamella
# The environment of the configuration: `make deploy LAMELLA_ENV=prod`
LAMELLA_ENV ?={name}
# Further words for `lamella build` and `lamella deploy`: in CI `BUILD=--locked DEPLOY=--auto-approve`
BUILD ?=
DEPLOY ?=
# Where the configuration is, wherever make was called
lamella-folder := $(dir $(lastword $(MAKEFILE_LIST))){folder}
lamella = cd '$(subst ','\\'',$(lamella-folder))' && $(LAMELLA)
lamella-env = $(if $(LAMELLA_ENV), --env $(LAMELLA_ENV))
"""
_TARGET = """
.PHONY: {name}
{name}: ## {what}
\t{recipe}
"""


class _Target(NamedTuple):
    """`command` is "" where the project has nothing for it to do."""

    name: str
    what: str
    command: str


def emit(source: Source) -> tuple[Text, ...]:
    """One file.  A target that has nothing to do in this project says so, and is fine."""
    settings, environment = source.settings, source.environment
    layers = "".join(f" {layer.key}" for layer in settings.layers)
    functions = "".join(f" {function.key}" for function in settings.functions)
    head = _HEAD.format(
        mark=MARK,
        environment=environment_words(environment),
        name=f" {environment.name}" if environment.name else "",
        folder="" if source.place.project == "." else _literal(source.place.project),
    )
    return (Text("", head + "".join(_text(one) for one in _targets(layers, functions))),)


def _targets(layers: str, functions: str) -> tuple[_Target, ...]:
    """`layers` and `functions` are keys, each with a space before it."""
    return (
        _Target("package-layer", "build the layers", layers and f"build{layers} $(BUILD)"),
        _Target(
            "package-layer-docker",
            "build the layers, and what has no wheel in Lambda's build image",
            layers and f"build{layers} --container $(BUILD)",
        ),
        _Target("package-lambda", "build the functions", functions and f"build{functions} $(BUILD)"),
        _Target(
            "validate-layer",
            "prove that the layers import and run, and that Lambda takes them",
            layers and "check --layers-only",
        ),
        _Target(
            "publish-layer",
            "publish the layers; no function is changed",
            layers and "deploy --layers-only$(lamella-env) $(DEPLOY)",
        ),
        _Target("deploy", "attach, prove and shift aliases, or take all of it back", "deploy$(lamella-env) $(DEPLOY)"),
        _Target(
            "verify",
            "compare what users meet with what was built, and invoke it",
            "verify$(lamella-env)",
        ),
    )


def _literal(path: str) -> str:
    """As make takes it in the value of a variable."""
    return path.replace("$", "$$").replace("#", "\\#")


def _text(one: _Target) -> str:
    recipe = f"$(lamella) {one.command}" if one.command else "@echo 'nothing to do: the configuration has none'"
    return _TARGET.format(name=one.name, what=one.what, recipe=recipe)
