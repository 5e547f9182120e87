"""What a zip is taken for, and how it would have to lie."""

from __future__ import annotations

import sys

import pytest
from tests.doctor.zips import guessed, layout

from lamella.doctor.model import FUNCTION, LAYER, Layout
from lamella.facts.tables import runtimes

SITE = "lib/python3.12/site-packages"
INFO = "six-1.16.0.dist-info/METADATA"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("python/six.py",), LAYER),
        (("python/lib/python3.12/site-packages/six.py",), LAYER),
        (("layer/python/six.py",), LAYER),
        (("extensions/agent",), LAYER),
        (("lib/libpq.so.5", "bin/psql"), LAYER),
        (("six.py", INFO), LAYER),
        (("lambda_function.py", "six.py", INFO), FUNCTION),
        (("app.py", "shop/__init__.py"), FUNCTION),
        (("project/app.py", "project/shop/db.py"), FUNCTION),
        (("shop/__init__.py", "shop/api.py"), FUNCTION),
    ],
)
def test_kinds(names: tuple[str, ...], kind: str) -> None:
    assert guessed(*names).kind == kind


def test_what_is_said_counts_more() -> None:
    assert guessed("six.py", INFO, handler="six.main").kind == FUNCTION
    assert guessed("app.py", kind=LAYER).kind == LAYER
    assert guessed("numpy/__init__.py", called="my-layer.zip").kind == LAYER


def test_the_runtime_of_most_compiled_modules() -> None:
    found = guessed("python/a.cpython-311-x86_64-linux-gnu.so", "python/b.cpython-311-x86_64-linux-gnu.so")
    assert (found.runtime, found.architecture) == ("python3.11", "x86_64")
    assert guessed("python/lib/python3.13/site-packages/six.py").runtime == "python3.13"
    assert guessed("python/a.cpython-312-aarch64-linux-gnu.so").architecture == "arm64"
    said = guessed("python/a.cpython-311-aarch64-linux-gnu.so", runtime="python3.12", architecture="x86_64")
    assert (said.runtime, said.architecture) == ("python3.12", "x86_64")


def test_nothing_tells_the_runtime() -> None:
    found = guessed("python/six.py")
    own = f"python3.{sys.version_info[1]}"
    assert found.runtime == (own if own in runtimes() else [*runtimes()][-1])
    assert any("`--runtime`" in why for why in found.why)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("python/six.py", "python/" + INFO), Layout()),
        (("python/lib/python3.12/site-packages/six.py",), Layout()),
        (("six.py", INFO), Layout("", "python")),
        (("layer/python/six.py",), Layout("layer")),
        (("layer/six.py", "layer/" + INFO), Layout("layer", "python")),
        (("python/python/six.py", "python/python/" + INFO), Layout("python")),
        ((f"{SITE}/six.py", f"{SITE}/{INFO}"), Layout(SITE, "python")),
        ((f"python/lib/site-packages/{INFO}",), Layout("python/lib/site-packages", "python")),
        (("numpy/__init__.py", "numpy/core/__init__.py"), Layout("", "python")),
        (("bin/psql", "lib/libpq.so.5"), Layout()),
    ],
)  # fmt: skip
def test_layouts_of_layers(names: tuple[str, ...], wanted: Layout) -> None:
    found = layout(*names, kind=LAYER, runtime="python3.12")
    assert found == wanted


def test_layouts_of_functions() -> None:
    assert layout("app.py", "shop/db.py", kind=FUNCTION) == Layout()
    assert layout("project/app.py", "project/shop/db.py", kind=FUNCTION) == Layout("project")
    # A package of its own: its name is part of the handler's
    assert layout("shop/__init__.py", "shop/api.py", kind=FUNCTION) == Layout()


def test_what_macos_leaves_is_no_folder_beside() -> None:
    assert layout("layer/python/six.py", "__MACOSX/layer/._python", ".DS_Store", kind=LAYER) == Layout("layer")
