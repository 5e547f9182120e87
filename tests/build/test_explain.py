"""What is told of an artifact, beside the zip that a build makes."""

from __future__ import annotations

import sys
import zipfile

import pytest
from tests.build.projects import Project
from tests.elf.making import elf

from lamella.archive.writer import overhead
from lamella.build.explain import absence, explain
from lamella.config.read import read
from lamella.sizes.model import Explained, Row
from lamella.sizes.sums import sums
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent

OWN = f"python{sys.version_info[0]}.{sys.version_info[1]}"
HEAD = f"[tool.lamella]\nruntime = '{OWN}'\n"
LAYER = "[tool.lamella.layers.layer]\n"
FUNCTION = "[tool.lamella.functions.api]\nhandler = 'app.handler'\nlayers = ['layer']\n"


def explained(project: Project, key: str) -> Explained:
    return explain(read(str(project.root)), key, Cache(str(project.cache)), Silent())


def why_absent(project: Project, key: str, name: str) -> tuple[str, str] | None:
    return absence(read(str(project.root)), key, name, Cache(str(project.cache)), Silent())


def rows(project: Project, key: str = "layer") -> dict[str, Row]:
    return {row.path: row for row in explained(project, key).rows}


def with_libraries(project: Project) -> None:
    """A library that shrinks twice, a program, a text that compresses badly in its wheel, and a test."""
    library = elf(text=b"".join(b"%d code " % (number * number) for number in range(9000)))
    files: dict[str, str | bytes] = {
        "stem/__init__.py": "from stem import core\n",
        "stem/core.py": "".join(f"VALUE_{number} = {number * 7919}\n" for number in range(900)),
        "stem/one.abi3.so": library,
        "stem/table.csv": "".join(f"{number},{number * 31337 % 10007}\n" for number in range(9000)),
        "stem/tests/__init__.py": "",
        "stem-1.0.data/scripts/tool": "#!python\n" + "".join(f"print({number * 31})\n" for number in range(900)),
    }
    project.wheel("stem", files=files, requires=["leaf"])
    project.lock()


@pytest.mark.parametrize("bytecode", ["beside", "instead", "none"])
@pytest.mark.parametrize("compression", ["fast", "max"])
def test_the_sums_are_those_of_the_zip(project: Project, bytecode: str, compression: str) -> None:
    with_libraries(project)
    project.configure(f"{HEAD}{LAYER}bytecode = '{bytecode}'\ncompression = '{compression}'\n{FUNCTION}")
    project.build()
    found = explained(project, "layer")
    with zipfile.ZipFile(project.output / "layer.zip") as archive:
        infos = archive.infolist()
    assert {row.path for row in found.rows if row.kept} == {info.filename for info in infos}
    summed = sums(found)
    assert summed.after.zipped == sum(info.compress_size + overhead(info.filename) for info in infos)
    assert summed.after.unzipped == sum(info.file_size for info in infos)
    assert summed.before.zipped - sum(saving.zipped for saving in summed.savings) == summed.after.zipped
    assert summed.before.unzipped - sum(saving.unzipped for saving in summed.savings) == summed.after.unzipped


def test_all_that_was_made_to_a_file_is_told(project: Project) -> None:
    with_libraries(project)
    project.configure(f"{HEAD}{LAYER}compression = 'max'\n{FUNCTION}")
    found = rows(project)
    library = found["python/stem/one.abi3.so"]
    assert library.changes == ("blanked", "recompressed")
    assert library.before_zipped > library.zipped_between > library.zipped
    assert found["bin/tool"].changes == ("recompressed",)
    assert found["python/stem/core.py"].changes == ("recompressed",)
    savings = {saving.name: saving for saving in sums(explained(project, "layer")).savings}
    assert savings["blanking"].zipped == library.before_zipped - library.zipped_between
    project.configure(f"{HEAD}{LAYER}compression = 'fast'\n{FUNCTION}")
    found = rows(project)
    assert found["python/stem/one.abi3.so"].changes == ("blanked",)
    assert found["python/stem/one.abi3.so"].zipped_between == 0
    assert found["bin/tool"].changes == ()


def test_a_reason_does_not_begin_with_its_rule(project: Project) -> None:
    with_libraries(project)
    project.configure(f"{HEAD}{LAYER}{FUNCTION}")
    row = rows(project)["python/stem/tests/__init__.py"]
    assert (row.kept, row.rule) == (False, "tests")
    assert not row.reason.startswith("tests")


def test_own_sources_that_are_left_out(project: Project) -> None:
    project.source("worker.py")
    project.source("__pycache__/app.cpython-312.pyc", "")
    project.configure(f"{HEAD}{LAYER}{FUNCTION}exclude = ['work*']\n")
    found = explained(project, "api")
    assert [(row.path, row.reason) for row in found.rows] == [("app.py", "it is the project's own")]
    assert [(row.path, row.rule) for row in found.left_out] == [("__pycache__/", "never"), ("worker.py", "exclude")]
    assert sums(found).before == sums(found).after


def test_what_exclude_of_a_layer_leaves_out(project: Project) -> None:
    project.configure(f"{HEAD}{LAYER}exclude = ['leaf']\n[tool.lamella.layers.more]\npackages = ['leaf']\n{FUNCTION}")
    assert why_absent(project, "layer", "leaf") == (
        "exclude",
        "`exclude` of `[tool.lamella.layers.layer]` names it; `more` holds it",
    )
    assert why_absent(project, "more", "stem") == (
        "unasked",
        f"the lock pins it, but nothing that the layer takes asks for it on {OWN}; `layer` holds it",
    )
    assert why_absent(project, "layer", "nothing") is None


def test_what_only_an_excluded_one_needs(project: Project) -> None:
    project.wheel("twig", requires=["leaf"])
    project.wheel("stem", requires=["twig"])
    project.lock()
    project.configure(f"{HEAD}{LAYER}packages = ['stem']\nexclude = ['twig']\n{FUNCTION}")
    rule, reason = why_absent(project, "layer", "leaf") or ("", "")
    assert rule == "unasked"
    assert reason.endswith(", less what `exclude` names and what only that needs")


def test_what_a_function_does_not_bundle(project: Project) -> None:
    project.wheel("lone")
    project.lock()
    project.configure(f"{HEAD}{LAYER}packages = ['stem']\n{FUNCTION}")
    assert why_absent(project, "api", "stem") == ("held", "layer `layer`, which the function has, holds it")
    assert why_absent(project, "api", "lone") == ("unasked", "the lock pins it, but the function has no `bundle`")
    project.configure(f"{HEAD}{LAYER}packages = ['stem']\n{FUNCTION}bundle = ['lone']\n")
    assert why_absent(project, "layer", "lone") == (
        "unasked",
        f"the lock pins it, but nothing that the layer takes asks for it on {OWN}; `api` holds it",
    )
