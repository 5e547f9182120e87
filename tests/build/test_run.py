"""A build as a whole, in this process: what it writes, and when it writes nothing."""

from __future__ import annotations

import base64
import hashlib
import zipfile

import pytest
from tests.build.projects import HANDLER, Project

from lamella.errors import (
    UsageError,
)

SPECTRA = """
[tool.lamella]
runtime = "python3.12"

[tool.lamella.layers.layer]
name = "spectra-dependencies"
""" + "".join(
    f"""
[tool.lamella.functions.{key}]
handler = "spectra.handlers.{module}.handler"
layers = ["layer"]
exclude = ["spectra/handlers/*", "!spectra/handlers/{module}.py", "!spectra/handlers/__init__.py"]
"""
    for key, module in (("api-handler", "api"), ("worker", "worker"), ("authorizer", "authorizer"))
)


@pytest.fixture
def spectra(project: Project) -> Project:
    (project.root / "src" / "app.py").unlink()
    project.source("spectra/__init__.py", "")
    project.source("spectra/handlers/__init__.py", "")
    for module in ("api", "worker", "authorizer"):
        project.source(f"spectra/handlers/{module}.py", "import stem\n\n" + HANDLER)
    project.configure(SPECTRA)
    return project


def test_exactly_these_files(spectra: Project) -> None:
    outcome = spectra.build()
    assert spectra.listing() == ["api-handler.zip", "authorizer.zip", "layer.zip", "manifest.json", "worker.zip"]
    assert [(made.key, made.kind, made.written, made.changes) for made in outcome.made] == [
        ("layer", "layer", True, ("new",)),
        ("api-handler", "function", True, ("new",)),
        ("worker", "function", True, ("new",)),
        ("authorizer", "function", True, ("new",)),
    ]
    assert list(spectra.members("worker")) == [
        "spectra/__init__.py",
        "spectra/handlers/__init__.py",
        "spectra/handlers/worker.py",
    ]
    assert spectra.packages("layer") == ["leaf", "stem"]


def test_the_manifest_tells_the_truth(spectra: Project) -> None:
    spectra.build()
    tree = spectra.manifest()
    assert tree["project"] == "spectra"
    for artifact in (*tree["layers"].values(), *tree["functions"].values()):
        path = spectra.output / artifact["file"]
        digest = hashlib.sha256(path.read_bytes())
        assert artifact["sha256"] == digest.hexdigest()
        assert artifact["code_sha256"] == base64.b64encode(digest.digest()).decode()
        assert artifact["zipped"] == path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
        assert artifact["unzipped"] == sum(info.file_size for info in infos)
        assert artifact["members"] == len(infos)
    layer = tree["layers"]["layer"]
    assert layer["name"] == "spectra-dependencies"
    assert layer["runtimes"] == ["python3.12"]
    assert [row["name"] for row in layer["distributions"]] == ["leaf", "stem"]
    assert sum(row["unzipped"] for row in layer["distributions"]) == layer["unzipped"]
    assert sum(row["zipped"] for row in layer["distributions"]) + 22 == layer["zipped"]
    for row in layer["distributions"]:
        assert row["sha256"] == hashlib.sha256(spectra.wheels[row["file"]]).hexdigest()
    assert tree["functions"]["worker"]["needs"] == {"layer": ["stem"]}
    assert tree["functions"]["worker"]["handler"] == "spectra.handlers.worker.handler"


def test_nothing_changed_nothing_written(spectra: Project) -> None:
    spectra.build()
    before = spectra.states()
    outcome = spectra.build()
    assert spectra.states() == before
    assert not outcome.written
    assert [(made.changes, made.written) for made in outcome.made] == [((), False)] * 4


def test_a_new_cache_writes_nothing_either(spectra: Project) -> None:
    spectra.build()
    before = spectra.states()
    spectra.cache = spectra.cache.with_name("another")
    assert not spectra.build().written
    assert spectra.states() == before


def test_by_name_the_others_stay(spectra: Project) -> None:
    spectra.build()
    before = spectra.states()
    for module in ("api", "worker"):
        spectra.source(f"spectra/handlers/{module}.py", "import stem, leaf\n\n" + HANDLER)
    outcome = spectra.build("worker")
    assert [made.key for made in outcome.made] == ["worker"]
    after = spectra.states()
    assert {name for name in after if after[name] != before[name]} == {"worker.zip", "manifest.json"}
    tree = spectra.manifest()
    assert set(tree["functions"]) == {"api-handler", "worker", "authorizer"}
    assert tree["functions"]["worker"]["needs"] == {"layer": ["leaf", "stem"]}
    assert tree["functions"]["api-handler"]["needs"] == {"layer": ["stem"]}


def test_by_name_into_an_empty_folder(spectra: Project) -> None:
    spectra.build("worker", "layer")
    assert spectra.listing() == ["layer.zip", "manifest.json", "worker.zip"]
    assert list(spectra.manifest()["functions"]) == ["worker"]
    spectra.build("worker")
    assert list(spectra.manifest()["layers"]) == ["layer"]


def test_an_unknown_name(spectra: Project) -> None:
    with pytest.raises(UsageError) as caught:
        spectra.build("worke")
    assert str(caught.value) == (
        "there is no layer or function `worke`\n"
        "  `pyproject.toml` has `api-handler`, `authorizer`, `layer`, `worker`\n"
        "  hint: did you mean `worker`?"
    )
    assert not spectra.output.exists()


def test_what_is_no_longer_configured_goes(spectra: Project) -> None:
    spectra.build()
    (spectra.output / "notes.txt").write_text("not ours")
    (spectra.output / "other.zip").write_text("not ours either")
    spectra.configure(SPECTRA.partition("\n[tool.lamella.functions.worker]")[0])
    outcome = spectra.build()
    assert outcome.removed == ("authorizer.zip", "worker.zip")
    assert outcome.written
    assert spectra.listing() == ["api-handler.zip", "layer.zip", "manifest.json", "notes.txt", "other.zip"]


def test_a_name_alone_changes_the_manifest_alone(spectra: Project) -> None:
    spectra.build()
    before = spectra.states()
    spectra.configure(SPECTRA.replace("spectra-dependencies", "another-name"))
    outcome = spectra.build()
    assert outcome.written, "something in the folder was touched, so the build does not say that nothing was"
    after = spectra.states()
    assert {name for name in after if after[name] != before[name]} == {"manifest.json"}
    assert spectra.manifest()["layers"]["layer"]["name"] == "another-name"


@pytest.mark.parametrize("damage", ["delete", "truncate", "flip", "manifest", "manifest gone"])
def test_an_output_that_was_touched_is_made_again(spectra: Project, damage: str) -> None:
    spectra.build()
    before = spectra.digests()
    layer = spectra.output / "layer.zip"
    match damage:
        case "delete":
            layer.unlink()
        case "truncate":
            layer.write_bytes(layer.read_bytes()[:-1])
        case "flip":
            data = bytearray(layer.read_bytes())
            data[40] ^= 1
            layer.write_bytes(data)
        case "manifest":
            (spectra.output / "manifest.json").write_text("{")
        case "manifest gone":
            (spectra.output / "manifest.json").unlink()
    assert spectra.build().written
    assert spectra.digests() == before
    assert not spectra.build().written


def test_what_changed_is_told(project: Project) -> None:
    project.build()
    project.wheels.clear()
    project.wheel("stem", "2.0", requires=["leaf", "bud"])
    project.wheel("leaf")
    project.wheel("bud")
    project.lock()
    assert [made.changes for made in project.build().made] == [("+ bud 1.0", "stem 1.0 → 2.0"), ()]
    project.source("app.py", "import stem\n\n# more\n" + HANDLER)
    assert [made.changes for made in project.build().made] == [(), ("code",)]


def test_the_order_of_the_lock_has_no_say(project: Project) -> None:
    project.build()
    before = project.digests()
    project.wheels = dict(reversed(project.wheels.items()))
    project.lock()
    project.cache = project.cache.with_name("another")
    assert not project.build().written
    assert project.digests() == before


def test_file_modes(project: Project) -> None:
    project.source("run.sh", "#!/bin/sh\n").chmod(0o700)
    project.source("private.py", "").chmod(0o600)
    project.wheel(
        "tool", files={"tool/run": "#!"}, modes={"tool/run": 0o750}, entry_points={"console_scripts": ["t = tool:x"]}
    )
    project.lock()
    project.build()
    assert project.modes("api") == {"app.py": 0o100644, "run.sh": 0o100755, "private.py": 0o100644}
    modes = project.modes("layer")
    assert (modes["python/tool/run"], modes["bin/t"], modes["python/stem/__init__.py"]) == (
        0o100755,
        0o100755,
        0o100644,
    )


def test_a_permission_bit_alone_is_a_change(project: Project) -> None:
    script = project.source("run.sh", "#!/bin/sh\n")
    script.chmod(0o644)
    project.build()
    script.chmod(0o755)
    assert [made.written for made in project.build().made] == [False, True]
    assert project.modes("api")["run.sh"] == 0o100755
