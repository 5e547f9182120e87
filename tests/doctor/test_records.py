"""Packages whose `.dist-info` was deleted."""

from __future__ import annotations

from pathlib import Path

from tests.doctor.zips import Files
from tests.sandbox.zips import make_zip

from lamella.checks.members import contents
from lamella.checks.model import Severity
from lamella.doctor.records import Untold, untold
from lamella.manifest import Distribution


def row(name: str, version: str = "") -> Distribution:
    return Distribution(name, version, "", "", ("python3.12",), (name.replace("-", "_"),), 0, 0)


def told(tmp_path: Path, files: Files, *rows: Distribution) -> tuple[Untold, ...]:
    path, _ = make_zip(tmp_path / "layer.zip", {f"python/{name}": content for name, content in files.items()})
    return untold("layer.zip", contents(path), rows, ("python",))


def test_who_asks_and_for_which_version(tmp_path: Path) -> None:
    files = {
        "stem/__init__.py": "from importlib.metadata import version\n\n__version__ = version('Leaf_Lib')\n",
        "stem/other.py": "def version(name): ...\nversion('stem')\n",  # reads no metadata
        "leaf_lib/__init__.py": "",
        "leaf_lib/_version.py": "version = '2.1'\n",
    }
    asked, rest = told(tmp_path, files, row("stem"), row("leaf-lib"))
    assert (asked.finding.path, asked.finding.line) == ("python/stem/__init__.py", 3)
    assert asked.finding.severity is Severity.WARNING
    assert asked.requirements == ("leaf-lib==2.1",)
    assert (rest.finding.severity, rest.requirements) == (Severity.NOTE, ())
    assert rest.finding.reason.startswith("`stem`: no `.dist-info`")


def test_a_package_that_asks_for_itself(tmp_path: Path) -> None:
    files = {
        "stem/__init__.py": "import pkg_resources\n",
        "stem/v.py": "import importlib_metadata as m\nm.version(__package__)\n",
    }
    (asked,) = told(tmp_path, files, row("stem"))
    assert (asked.finding.path, asked.finding.line, asked.requirements) == ("python/stem/v.py", 2, ("stem",))


def test_nothing_is_said_of_what_says_what_it_is(tmp_path: Path) -> None:
    assert told(tmp_path, {"stem.py": "import importlib.metadata as m\nm.version('stem')\n"}, row("stem", "1.0")) == ()
