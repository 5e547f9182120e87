"""Which layer would bring what is missing, and what is left of hints that only a project can follow."""

from __future__ import annotations

import pytest

from lamella.checks.model import Finding, Severity
from lamella.closure.modules import index_modules
from lamella.doctor.artifacts import Bare
from lamella.doctor.model import FUNCTION, Guess, Layout
from lamella.doctor.names import distribution_of
from lamella.doctor.prescribe import Provider, attached, missing_module, relevant

IMAGES = Provider("shop-images", index_modules(["python/PIL/__init__.py"], ["python"]))


def finding(check: str, reason: str, path: str = "app.py") -> Finding:
    return Finding(check, Severity.ERROR, "api", path, reason, "as it was")


@pytest.mark.parametrize(
    ("check", "reason", "module"),
    [
        ("closure", "imports `PIL.Image`: not in layer `deps` or the runtime", "PIL.Image"),
        ("imports", "handler `app.handler` can't be imported: ModuleNotFoundError: No module named 'PIL'", "PIL"),
        ("closure", "handler `app.handler`: there is no `app.py` in the zip", ""),
        ("platform", "it links `libPIL.so`", ""),
    ],
)
def test_what_is_missing(check: str, reason: str, module: str) -> None:
    assert missing_module(finding(check, reason)) == module


def test_the_layer_that_brings_it() -> None:
    one = attached(finding("closure", "imports `PIL.Image`: not in the runtime"), [IMAGES])
    assert one.finding.hint == "`shop-images` brings it: name it in `layers` of function `api`"
    assert one.fix == ("lamella build",)
    assert attached(finding("closure", "imports `yaml`: not in the runtime"), [IMAGES]).finding.hint == "as it was"
    untried = finding("imports", "not tried: no Python")._replace(tried=False)
    assert attached(untried, [IMAGES]).fix == ()


def test_distributions_are_called_differently_than_their_modules() -> None:
    assert [distribution_of(name) for name in ("PIL", "cv2", "pydantic_settings")] == [
        "pillow",
        "opencv-python-headless",
        "pydantic-settings",
    ]


def test_imports_of_installed_code_do_not_count() -> None:
    guess = Guess(FUNCTION, "python3.12", "x86_64", Layout(), ())
    bare = Bare("api.zip", "api.zip", "api.zip", guess, "shop.api.handler")
    reason = "imports `yaml`: not in the runtime"
    counted = [
        path
        for path in ("app.py", "shop/db.py", "requests/compat.py")
        if relevant(finding("closure", reason, path), bare)
    ]
    assert counted == ["app.py", "shop/db.py"]
