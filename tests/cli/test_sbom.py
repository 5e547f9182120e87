from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.build.projects import Project
from tests.sbom.artifacts import function, layer, metadata, row

from lamella.manifest import NAME, Manifest, to_json

INFO = "python/stem-1.0.dist-info"
FILES: dict[str, str | bytes] = {
    f"{INFO}/METADATA": metadata("stem", "1.0", "License-Expression: MIT"),
    f"{INFO}/licenses/LICENSE": "…",
    f"{INFO}/sboms/stem.spdx.json": "{}",
    "python/leaf-1.0.dist-info/METADATA": metadata("leaf", "1.0", "Classifier: License :: OSI Approved :: BSD License"),
}


@pytest.fixture
def built(tmp_path: Path) -> Project:
    """A project with `layer`, which holds two distributions, and `api`, as if built."""
    project = Project(tmp_path)
    project.source("app.py")
    project.configure()
    project.output.mkdir(parents=True)
    manifest = Manifest(
        "spectra",
        (layer(project.output, (row("leaf"), row("stem")), FILES),),
        (function(project.output, (), {"app.py": ""}),),
    )
    (project.output / NAME).write_bytes(to_json(manifest))
    return project


def test_a_bill_beside_each_zip(built: Project) -> None:
    done = built.run("sbom", check=True)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"warning: `{INFO}/sboms/stem.spdx.json` is no CycloneDX in JSON: what it lists is not in the bill",
        "Wrote `dist/lambda/layer.cdx.json`",
        "Wrote `dist/lambda/api.cdx.json`",
    ]
    assert built.listing() == ["api.cdx.json", "api.zip", "layer.cdx.json", "layer.zip", "manifest.json"]
    tree = json.loads((built.output / "layer.cdx.json").read_text())
    assert (tree["bomFormat"], tree["specVersion"]) == ("CycloneDX", "1.6")
    assert [one["name"] for one in tree["components"]] == ["leaf", "stem"]
    first = built.digests()
    assert built.run("sbom", "--quiet", check=True).stderr == ""
    assert built.digests() == first


def test_one_bill_elsewhere(built: Project) -> None:
    done = built.run("sbom", "layer", "--output-file", "-", check=True)
    (built.root / "bill.json").write_text("old")
    said = built.run("sbom", "layer", "--output-file", "bill.json", check=True).stderr
    assert (built.root / "bill.json").read_text() == done.stdout
    assert said.splitlines()[-1] == "Wrote `bill.json`"
    assert "layer.cdx.json" not in built.listing()


def test_xml(built: Project) -> None:
    built.run("sbom", "api", "--format", "xml", check=True)
    root = ElementTree.parse(built.output / "api.cdx.xml").getroot()
    assert root.tag == "{http://cyclonedx.org/schema/bom/1.6}bom"


def test_the_time_of_a_reproducible_build(built: Project) -> None:
    arguments = ("sbom", "api", "--output-file", "-")
    done = built.run(*arguments, environment={"SOURCE_DATE_EPOCH": "1700000000"}, check=True)
    assert json.loads(done.stdout)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    for wrong in ("yesterday", "9" * 30):
        done = built.run(*arguments, environment={"SOURCE_DATE_EPOCH": wrong})
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: SOURCE_DATE_EPOCH is `{wrong}`, which is no time\n  hint: ")


def test_licences(built: Project) -> None:
    done = built.run("sbom", "--licences", check=True)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["distribution", "version", "licence", "licence", "files"],
        ["leaf", "1.0", "unknown,", "stated", "as", "`BSD", "License`", "none"],
        ["stem", "1.0", "MIT", "LICENSE"],
        ["Licences", "of", "`layer`:", "MIT;", "licence", "unknown:", "leaf"],
    ]
    assert done.stderr == "`api` holds no distribution\n"
    assert built.run("sbom", "--licenses", "-q", check=True).stdout == (
        "Licences of `layer`: MIT; licence unknown: leaf\n"
    )


def test_licences_as_json(built: Project) -> None:
    done = built.run("sbom", "layer", "--licences", "--format", "json", check=True)
    tree = json.loads(done.stdout)["layer"]
    assert tree["licence_info"] == "MIT; licence unknown: leaf"
    assert [(one["name"], one["licence"], one["stated"]) for one in tree["distributions"]] == [
        ("leaf", None, ["BSD License"]),
        ("stem", "MIT", []),
    ]
    built.run("sbom", "layer", "--licences", "--output-file", "licences.json", check=True)
    assert (built.root / "licences.json").read_text() == done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output-file", "x"], "`--output-file` takes the bill of one artifact"),
        (["layr"], "there is no layer or function `layr`"),
        (["--licences", "--format", "xml"], "`--licences` can't be written as XML"),
    ],
)
def test_mistakes(built: Project, arguments: list[str], message: str) -> None:
    done = built.run("sbom", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}\n")
    assert "\n  hint: " in done.stderr


def test_a_zip_of_the_same_size_that_was_changed(built: Project) -> None:
    path = built.output / "layer.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    done = built.run("sbom", "layer")
    assert (done.returncode, done.stdout) == (2, "")
    assert "layer.zip` is not the file that the manifest describes" in done.stderr


def test_without_the_library(built: Project) -> None:
    """As with `pip install lamella` alone: licences still work."""
    hide = "import sys; sys.modules['cyclonedx'] = None; from lamella.cli.start import entry; entry()"
    import subprocess

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", hide, "sbom", *arguments],
            cwd=built.root,
            env=built.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("layer")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: `lamella sbom` needs cyclonedx-python-lib, which is not installed\n"
        "  hint: pip install 'lamella[sbom]'; `lamella sbom --licences` works without\n"
    )
    assert built.listing() == ["api.zip", "layer.zip", "manifest.json"]
    assert run("--licences").returncode == 0


def test_a_bill_where_there_is_no_folder(built: Project) -> None:
    done = built.run("sbom", "layer", "--output-file", "nowhere/bill.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-3:] == [
        "error: `nowhere/bill.json` can't be written",
        "  there is no folder `nowhere`",
        "  hint: make the folder first, or name another file",
    ]
