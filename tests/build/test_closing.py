"""Which module is whose, what a function needs of each layer, and what is remembered of that."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project
from tests.wheels.wheelmaker import make_wheel, wheel_filename

from lamella.build.closing import importable
from lamella.errors import ClosureError
from lamella.wheels.admit import admit

ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:theirs:3"


def test_paths_below_the_site(tmp_path: Path) -> None:
    path = tmp_path / wheel_filename("demo", "1.0")
    files = {
        "demo/__init__.py": "", "demo-1.0.data/purelib/pure.py": "", "demo-1.0.data/platlib/plat/x.py": "",
        "demo-1.0.data/scripts/run.py": "", "demo-1.0.data/data/share/y.py": "", "Demo-1.data/purelib/other.py": "",
        "demo-1.0.data/headers/z.py": "",
    }  # fmt: skip
    path.write_bytes(make_wheel("demo", "1.0", files))
    paths = importable(admit(str(path), filename=path.name))
    assert {name for name in paths if name.endswith(".py")} == {
        "demo/__init__.py", "pure.py", "plat/x.py", "share/y.py", "other.py",
    }  # fmt: skip


def test_a_distribution_of_another_name_than_its_module(project: Project) -> None:
    project.wheel("Pillow", files={"PIL/__init__.py": "", "PIL/Image.py": ""})
    project.lock()
    project.source("app.py", "from PIL import Image\n\n" + HANDLER)
    project.build()
    assert project.manifest()["functions"]["api"]["needs"] == {"layer": ["pillow"]}


def test_what_the_runtime_ships(project: Project) -> None:
    project.source("app.py", "import boto3, json, botocore.session\n\n" + HANDLER)
    project.build()
    assert project.manifest()["functions"]["api"]["needs"] == {}


def test_somebody_elses_layer_may_hold_it(project: Project) -> None:
    project.source("app.py", "import stem, theirs\n\n" + HANDLER)
    with pytest.raises(ClosureError, match="theirs"):
        project.build()
    project.configure(CONFIGURATION.replace('layers = ["layer"]', f'layers = ["layer", "{ARN}"]'))
    assert any("theirs" in note for note in project.build().notes)
    assert project.manifest()["functions"]["api"]["layers"] == ["layer", ARN]


def test_needs_of_two_layers(project: Project) -> None:
    project.wheel("other")
    project.lock()
    project.source("app.py", "import other\n\ndef handler(event, context):\n    import leaf\n")
    project.configure(
        CONFIGURATION.replace(
            "[tool.lamella.layers.layer]", '[tool.lamella.layers.layer]\npackages = ["stem"]'
        ).replace('layers = ["layer"]', 'layers = ["layer", "more"]')
        + '\n[tool.lamella.layers.more]\npackages = ["other"]\n'
    )
    project.build()
    assert project.manifest()["functions"]["api"]["needs"] == {"layer": ["leaf"], "more": ["other"]}


def test_an_answer_is_forgotten_with_what_it_was_drawn_from(project: Project) -> None:
    """The source is as it was; the layer lost what it needs."""
    project.build()
    project.wheel("stem", files={"another/__init__.py": ""}, requires=["leaf"])
    project.lock()
    with pytest.raises(ClosureError, match="stem"):
        project.build()


def test_an_error_is_never_remembered(project: Project) -> None:
    project.source("app.py", "import rawpy\n" + HANDLER)
    for _ in range(2):
        with pytest.raises(ClosureError, match="rawpy"):
            project.build()
    project.wheel("rawpy")
    project.lock()
    project.build()


def test_two_functions_with_one_lack_are_both_named(project: Project) -> None:
    project.source("app.py", "import rawpy\n" + HANDLER)
    project.configure(CONFIGURATION + '\n[tool.lamella.functions.other]\nhandler = "app.handler"\nlayers = ["layer"]\n')
    with pytest.raises(ClosureError) as caught:
        project.build()
    assert "`api`" in str(caught.value)
    assert "`other`" in str(caught.value)
