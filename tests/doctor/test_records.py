"""Packages whose `.dist-info` was deleted."""

from __future__ import annotations

from pathlib import Path

from tests.doctor.zips import Files
from tests.sandbox.zips import make_zip

from lamella.checks.members import contents
from lamella.checks.model import Severity
from lamella.doctor.records import Untold, incomplete, untold
from lamella.manifest import Distribution
from lamella.target import Target


def row(name: str, version: str = "") -> Distribution:
    return Distribution(name, version, "", "", ("python3.12",), (name.replace("-", "_"),), 0, 0)


def told(tmp_path: Path, files: Files, *rows: Distribution) -> tuple[Untold, ...]:
    path, _ = make_zip(tmp_path / "layer.zip", {f"python/{name}": content for name, content in files.items()})
    return untold("layer.zip", contents(path), rows, ("python",), lambda row: row.name != "own")


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


def test_own_modules_never_had_metadata(tmp_path: Path) -> None:
    assert told(tmp_path, {"own.py": "import importlib.metadata as m\nm.version(__name__)\n"}, row("own")) == ()


LISTED = (
    "stem/__init__.py", "stem/_c.cpython-312-x86_64-linux-gnu.so", "stem/_n.abi3.so",
    "stem/_c.cpython-311-x86_64-linux-gnu.so", "stem/_c.cpython-312-darwin.so",
    "stem/fast.cpython-312-x86_64-linux-gnu.so", "stem/tests/_t.abi3.so",
    "stem/_rational_tests.cpython-312-x86_64-linux-gnu.so", "stem.libs/libz-1.so",
    "stem/__pycache__/a.cpython-312.pyc", "stem/docs/a.txt", "../../bin/stem",
)  # fmt: skip


def lost(tmp_path: Path, *left: str, version: str = "1.0", record: bool = True) -> list[tuple[str, str]]:
    files = {"stem/__init__.py": "", "stem/fast.py": "", **dict.fromkeys(left, "")}
    if record:
        files["stem-1.0.dist-info/RECORD"] = "".join(f"{name},sha256=x,1\n" for name in LISTED)
    path, _ = make_zip(tmp_path / "layer.zip", {f"python/{name}": content for name, content in files.items()})
    target = Target("python3.12", "x86_64")
    found = incomplete("layer.zip", contents(path), [row("stem", version)], ("python",), target)
    return [(one.path, one.reason) for one, _ in found]


def test_compiled_modules_that_are_recorded_and_not_there(tmp_path: Path) -> None:
    """Neither those of other Pythons and machines, nor tests, nor what a module in Python stands in for."""
    first = "python/stem/_c.cpython-312-x86_64-linux-gnu.so"
    assert lost(tmp_path) == [(first, "2 compiled modules of `stem` 1.0 are not in the zip")]
    assert lost(tmp_path, "stem/_n.abi3.so") == [(first, "1 compiled module of `stem` 1.0 is not in the zip")]
    assert lost(tmp_path, "stem/_n.abi3.so", "stem/_c.cpython-312-x86_64-linux-gnu.so") == []


def test_what_has_no_record_is_taken_for_whole(tmp_path: Path) -> None:
    """As of lamella's own zips, out of which is taken what is not needed."""
    assert lost(tmp_path, record=False) == []
