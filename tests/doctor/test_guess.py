"""What a zip is taken for, and how it would have to lie."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from tests.doctor.zips import guessed, layout

from lamella.doctor.guess import newest
from lamella.doctor.model import FUNCTION, LAYER, Evidence, Layout

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
    assert found.runtime == newest(datetime.now(UTC).date())
    assert any("`--runtime`" in why for why in found.why)


@pytest.mark.parametrize(
    ("day", "runtime"),
    [
        (date(2026, 11, 22), "python3.14"),
        (date(2029, 1, 1), "python3.14"),
        # None is left: the newest of those that are documented
        (date(2099, 1, 1), "python3.14"),
    ],
)
def test_the_newest_runtime_that_is_not_deprecated(day: date, runtime: str) -> None:
    assert newest(day) == runtime


def test_modules_of_windows_tell_the_runtime() -> None:
    found = guessed("python/pkg/__init__.py", "python/pkg/_x.cp312-win_amd64.pyd")
    assert (found.runtime, found.names_runtime) == ("python3.12", True)


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


NODE = "nodejs/node_modules/a/index.js"


@pytest.mark.parametrize("names", [(NODE,), ("data/weights.bin",), ("lib/libpq.so.5",), ("a.bin", "b/c.bin")])
def test_without_python_there_is_nothing_to_move(names: tuple[str, ...]) -> None:
    assert layout(*names, kind=LAYER) == Layout()


RECORDED = Evidence(recorded=frozenset({"six-1.16.0.dist-info/"}), owned=frozenset({"six.py", "six-1.16.0.dist-info"}))


@pytest.mark.parametrize(
    ("names", "known", "kind", "sure"),
    [
        # Every name at the top is in the RECORD
        (("six.py", INFO), RECORDED, LAYER, True),
        # pip install -t . beside the function's own code
        (("six.py", INFO, "main.py"), RECORDED, FUNCTION, True),
        (("six.py", INFO, "app/__init__.py", "app/main.py"), RECORDED, FUNCTION, True),
        # The project was installed with what it needs
        (
            ("shop/__init__.py", "shop-1.0.dist-info/RECORD"),
            Evidence(recorded=frozenset({"shop-1.0.dist-info/"}), local=frozenset({"shop"})),
            FUNCTION,
            True,
        ),
        # No RECORD, as in lamella's own zips
        (("six.py", INFO, "shop/api.py"), Evidence(), FUNCTION, False),
        (("six.py", INFO, "shop/api.py"), Evidence(callers=frozenset({"shop/api.py"})), FUNCTION, True),
        (("dateutil/__init__.py", "python_dateutil-2.9.dist-info/METADATA"), Evidence(), LAYER, True),
        # An own package that is called `python`
        (
            ("lambda_function.py", "python/__init__.py", "python/x.py"),
            Evidence(callers=frozenset({"lambda_function.py"})),
            FUNCTION,
            True,
        ),
        (("main.py", "python/__init__.py", "python/x.py"), Evidence(), FUNCTION, True),
        (("python/__init__.py", "python/x.py"), Evidence(), LAYER, True),
        (("python/six.py", "setup.py"), Evidence(), LAYER, True),
        # What the manifest beside it says
        (("python/six.py",), Evidence("function", ("python3.12",), "x86_64", "a.b"), FUNCTION, True),
    ],
)
def test_kinds_by_what_is_in_it(names: tuple[str, ...], known: Evidence, kind: str, sure: bool) -> None:
    found = guessed(*names, known=known)
    assert (found.kind, found.sure) == (kind, sure)
    assert (found.layout == Layout()) is (kind == FUNCTION or names[0].startswith("python/"))


def test_of_a_layer_for_several_runtimes_the_newest_is_taken() -> None:
    tag = "_c.cpython-3{0}-x86_64-linux-gnu.so"
    names = [f"python/lib/python3.{{0}}/site-packages/fast/{name}" for name in (tag, "__init__.py", "old.py")]
    members = [name.format(11) for name in names] + [name.format(12) for name in names[:2]]
    found = guessed(*members)
    assert (found.runtime, found.names_runtime) == ("python3.12", True)
    assert guessed(*members, known=Evidence(LAYER, ("python3.11", "python3.12"), "x86_64")).runtime == "python3.12"
    assert guessed(*members, runtime="python3.11").runtime == "python3.11"


def test_a_name_with_layer_within_says_nothing() -> None:
    assert guessed("numpy/__init__.py", called="player.zip").kind == FUNCTION
    assert guessed("numpy/__init__.py", called="deps_layer-2.zip").kind == LAYER


def test_what_the_manifest_and_the_headers_say() -> None:
    assert guessed("python/x.abi3.so", known=Evidence(machines=("aarch64", "x86_64"))).architecture == "arm64"
    found = guessed("app.py", known=Evidence(FUNCTION, ("python3.13",), "arm64"))
    assert (found.runtime, found.architecture, found.names_runtime) == ("python3.13", "arm64", True)
    several = guessed("app.py", known=Evidence(LAYER, ("python3.12", "python3.13"), "arm64"))
    assert not several.names_runtime
    assert not guessed("app.py").names_architecture
