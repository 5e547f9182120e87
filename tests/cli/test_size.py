from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.build.projects import WITHOUT_BYTECODE, Project


@pytest.fixture
def sized(app: Project) -> Project:
    """A layer of which the rule about tests takes something out."""
    app.wheel(
        "stem",
        requires=["leaf"],
        files={
            "stem/__init__.py": "import leaf\n",
            "stem/tests/__init__.py": "",
            "stem/tests/test_x.py": "x = 1\n" * 90,
        },
    )
    app.configure(WITHOUT_BYTECODE)
    app.lock()
    return app


def test_the_sums_are_those_of_the_zip(sized: Project) -> None:
    sized.run("build", check=True)
    done = sized.run("size", "--json")
    assert done.stderr == ""
    artifacts = {one["key"]: one for one in json.loads(done.stdout)["artifacts"]}
    assert list(artifacts) == ["layer", "api"]
    built = sized.manifest()
    for one, told in ((artifacts["layer"], built["layers"]["layer"]), (artifacts["api"], built["functions"]["api"])):
        assert one["after"] == {
            "members": told["members"],
            "zipped": told["zipped"] - 22,  # the zip's end record
            "unzipped": told["unzipped"],
        }
    rows = {row["name"]: row["after"]["zipped"] for row in artifacts["layer"]["distributions"]}
    assert rows == {row["name"]: row["zipped"] for row in built["layers"]["layer"]["distributions"]}
    saved = {row["name"]: row for row in artifacts["layer"]["savings"]}
    assert saved["tests"]["members"] == 2
    assert saved["tests"]["unzipped"] == 540


def test_tables(sized: Project) -> None:
    done = sized.run("size", "layer", "--by", "rule")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("`layer`: ")
    assert lines[1].startswith("rule or step")
    assert any(line.startswith("tests ") for line in lines)
    assert not any(line.startswith(("distribution", "kind")) for line in lines)
    whole = sized.run("size").stdout
    assert all(f"\n{what}" in whole for what in ("distribution", "kind", "rule or step"))
    assert "`api`: " in whole
    assert sized.run("size", "-q").stdout == ""


def test_a_page(sized: Project) -> None:
    done = sized.run("size", "layer", "--html", "size.html", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (sized.root / "size.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "test_x.py" in text
    told = sized.run("size", "--html", "size.html")
    assert told.stderr == "Wrote `size.html`\n"
    assert (sized.root / "size.html").read_text(encoding="utf-8") != text


def test_the_same_page_twice(sized: Project) -> None:
    pages = []
    for name in ("a.html", "b.html"):
        sized.run("size", "--html", name, check=True)
        pages.append((sized.root / name).read_bytes())
    assert pages[0] == pages[1]


def test_a_page_that_can_not_be_written(sized: Project) -> None:
    done = sized.run("size", "--html", "nowhere/size.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: `nowhere/size.html` can't be written\n  there is no folder `nowhere`\n")
    assert "Traceback" not in done.stderr


def test_what_was_built_is_something_else(sized: Project) -> None:
    sized.run("build", check=True)
    sized.configure(WITHOUT_BYTECODE.replace('bytecode = "none"', 'bytecode = "none"\nprofile = "none"'))
    done = sized.run("size")
    assert done.returncode == 0
    assert done.stderr == "note: `layer` in `dist/lambda` is not what a build would make now: run `lamella build`\n"
    elsewhere = sized.run("size", "--output", "elsewhere")
    assert elsewhere.stderr == ""


def test_an_unknown_artifact(sized: Project) -> None:
    done = sized.run("size", "layr")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: there is no artifact `layr`\n  what is configured is `api`, `layer`\n  hint: did you mean `layer`?\n"
    )


def test_offline(sized: Project) -> None:
    sized.run("build", check=True)
    assert sized.run("size", "--offline").returncode == 0
    shutil.rmtree(Path(sized.cache))
    assert sized.run("size", "--offline").returncode in (0, 3)  # wheels named by path need no network
