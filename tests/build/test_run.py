"""A build as a whole, in this process: what it writes, when it writes nothing, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import zipfile

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project, all_bytes, cached_wheels

from lamella.errors import (
    ClosureError,
    CollisionError,
    ConfigError,
    IncompatibleError,
    LamellaError,
    LockError,
    OfflineError,
    OutsideError,
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


# What is refused


def refused(project: Project, kind: type[LamellaError]) -> str:
    """The words of the refusal; nothing may have been written."""
    before = project.states() if project.output.exists() else {}
    with pytest.raises(kind) as caught:
        project.build()
    assert (project.states() if project.output.exists() else {}) == before
    return str(caught.value)


def test_a_missing_import_names_file_line_and_layer(project: Project) -> None:
    project.wheel("rawpy")
    project.lock()
    project.source("deep/images.py", "import os\n\n\nimport rawpy\n")
    project.configure(
        CONFIGURATION.replace("[tool.lamella.layers.layer]", '[tool.lamella.layers.layer]\nexclude = ["rawpy"]')
        + '\n[tool.lamella.layers.images]\npackages = ["rawpy"]\n'
    )
    text = refused(project, ClosureError)
    assert "src/deep/images.py:4" in text
    assert "`rawpy`" in text
    assert "`images`" in text


def test_everything_that_is_missing_is_told_at_once(project: Project) -> None:
    project.source("app.py", "import nowhere\nimport stem\n" + HANDLER)
    project.source("other.py", "from absent.sub import x\n")
    text = refused(project, ClosureError)
    assert "src/app.py:1" in text
    assert "`nowhere`" in text
    assert "src/other.py:1" in text
    assert "absent" in text


@pytest.mark.parametrize(
    "guarded",
    [
        "try:\n    import rawpy\nexcept ImportError:\n    rawpy = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rawpy\n",
        "import sys\nif sys.platform == 'win32':\n    import rawpy\n",
    ],
)
def test_a_guarded_import_is_a_note(project: Project, guarded: str) -> None:
    project.source("images.py", guarded)
    outcome = project.build()
    (note,) = outcome.notes
    assert "src/images.py" in note
    assert "rawpy" in note
    assert project.build().notes == outcome.notes, "remembered with the answer"


def test_a_requirement_that_nothing_holds(project: Project) -> None:
    project.configure(
        CONFIGURATION.replace("[tool.lamella.layers.layer]", '[tool.lamella.layers.layer]\nexclude = ["leaf"]')
    )
    text = refused(project, ClosureError)
    assert "`leaf`" in text
    assert "stem" in text


def test_a_handler_that_is_not_there(project: Project) -> None:
    project.configure(CONFIGURATION.replace("app.handler", "app.handle"))
    assert "handle" in refused(project, ClosureError)
    project.configure(CONFIGURATION.replace("app.handler", "lost.handler"))
    assert "lost" in refused(project, ClosureError)


def test_two_layers_with_one_distribution(project: Project) -> None:
    project.configure(CONFIGURATION + '\n[tool.lamella.layers.more]\npackages = ["leaf"]\n')
    text = refused(project, CollisionError)
    assert text.startswith("the layers `layer` and `more` both hold `leaf`")
    assert 'exclude = ["leaf"]' in text


def test_a_bundle_and_a_layer_with_one_distribution(project: Project) -> None:
    project.configure(CONFIGURATION + 'bundle = ["leaf"]\n')
    text = refused(project, ConfigError)
    assert text.startswith("`leaf` is in the bundle of function `api` and in its layer `layer`")


def test_a_bundle_travels_in_the_functions_zip(project: Project) -> None:
    project.wheel("light", requires=["leaf", "tiny"])
    project.wheel("tiny")
    project.lock()
    project.source("app.py", "import light, stem\n\n" + HANDLER)
    project.configure(
        CONFIGURATION.replace("[tool.lamella.layers.layer]", '[tool.lamella.layers.layer]\npackages = ["stem"]')
        + 'bundle = ["light"]\n'
    )
    project.build()
    assert project.packages("layer") == ["leaf", "stem"]
    assert project.packages("api") == ["app.py", "light", "tiny"], "leaf is in the layer already"
    assert [row["name"] for row in project.manifest()["functions"]["api"]["distributions"]] == ["light", "tiny"]


def test_an_empty_layer(project: Project) -> None:
    project.wheels.clear()
    project.wheel("wind", tag="py3-none-any")
    lock = project.pylock().replace('name = "wind"', 'name = "wind"\nmarker = "sys_platform == \'win32\'"', 1)
    (project.root / "pylock.toml").write_text(lock)
    project.source("app.py", HANDLER)
    assert refused(project, ConfigError).startswith("layer `layer` would be empty")


def test_two_wheels_with_one_path(project: Project) -> None:
    project.wheel("one", files={"shared/data.txt": "1", "one.py": ""})
    project.wheel("two", files={"shared/data.txt": "2", "two.py": ""})
    project.lock()
    text = refused(project, CollisionError)
    assert text.startswith("`one` and `two` both bring `python/shared/data.txt`, with different bytes")


def test_equal_files_and_namespaces_are_no_collision(project: Project) -> None:
    init = '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n'
    project.wheel("ns-one", files={"ns/one.py": "1", "old/__init__.py": init, "old/a.py": ""})
    project.wheel("ns-two", files={"ns/two.py": "2", "old/__init__.py": init, "old/b.py": ""})
    project.lock()
    project.source("app.py", "import ns.one, ns.two, old.a, old.b\n\n" + HANDLER)
    project.build()
    members = project.members("layer")
    assert {"python/ns/one.py", "python/ns/two.py", "python/old/a.py", "python/old/b.py"} <= set(members)


def test_no_wheel_for_the_target(project: Project) -> None:
    project.wheel("native", tag="cp311-cp311-manylinux_2_17_x86_64")
    project.lock()
    assert refused(project, IncompatibleError).startswith("no locked wheel of `native==1.0` runs on python3.12")


def test_offline_lists_all_that_is_missing(project: Project) -> None:
    project.lock(url="http://127.0.0.1:9/files")
    with pytest.raises(OfflineError) as caught:
        project.build(offline=True)
    assert str(caught.value) == (
        "2 wheels are not in the cache, and `--offline` was given\n"
        "  `stem-1.0-py3-none-any.whl`\n"
        "  `leaf-1.0-py3-none-any.whl`\n"
        "  hint: run the same build once without `--offline`"
    )
    assert caught.value.exit_code == 3
    assert not project.output.exists()


@pytest.mark.parametrize("hashes", [True, False])
def test_offline_with_a_requirements_file_lists_all_that_is_missing(project: Project, hashes: bool) -> None:
    (project.root / "pylock.toml").unlink()
    suffix = " --hash=sha256:" + "0" * 64 if hashes else ""
    project.requirements(f"stem==1.0{suffix}", f"leaf==1.0{suffix}")
    with pytest.raises(OfflineError) as caught:
        project.build(offline=True)
    assert caught.value.why == ("`stem==1.0`", "`leaf==1.0`")


def test_offline_with_everything_in_the_cache(project: Project) -> None:
    project.build()
    before = project.digests()
    (project.cache / "v1" / "memos").rename(project.cache / "aside")
    assert not project.build(offline=True).written
    assert project.digests() == before


def test_an_output_folder_that_is_a_file(project: Project) -> None:
    (project.root / "dist").write_text("in the way")
    with pytest.raises((LamellaError, OSError)):
        project.build()
    assert (project.root / "dist").read_text() == "in the way"


def test_a_folder_in_the_place_of_a_zip(project: Project) -> None:
    (project.output / "layer.zip" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        project.build()
    assert project.listing() == ["layer.zip"]


def test_locked_wants_a_lock(project: Project) -> None:
    (project.root / "pylock.toml").unlink()
    with pytest.raises(LockError, match="`--locked` was given"):
        project.build(locked=True)


# The cache


@pytest.mark.parametrize("how", ["flip", "truncate", "delete", "empty"])
@pytest.mark.parametrize("which", ["wheel", "index"])
def test_a_damaged_cache_is_noticed(project: Project, how: str, which: str) -> None:
    project.build()
    before = project.digests()
    for wheel in cached_wheels(project.cache):
        path = wheel if which == "wheel" else wheel.with_suffix(".json")
        data = bytearray(path.read_bytes())
        match how:
            case "flip":
                data[len(data) // 3] ^= 2
                path.write_bytes(data)
            case "truncate":
                path.write_bytes(data[: len(data) // 2])
            case "empty":
                path.write_bytes(b"")
            case "delete":
                path.unlink()
    (project.output / "layer.zip").unlink()
    project.build()
    assert project.digests() == before
    for wheel in cached_wheels(project.cache):
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == wheel.stem


def test_every_byte_of_an_index_counts(project: Project) -> None:
    """A flipped bit anywhere in what is kept beside a wheel never gives another layer."""
    project.build()
    before = (project.output / "layer.zip").read_bytes()
    index = cached_wheels(project.cache)[0].with_suffix(".json")
    data = index.read_bytes()
    for at in range(0, len(data), 23):
        index.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        (project.output / "layer.zip").unlink()
        project.build()
        assert (project.output / "layer.zip").read_bytes() == before, at


@pytest.mark.parametrize("kind", ["resolved", "zips", "closures", "sources"])
def test_a_damaged_memo_is_no_answer(project: Project, kind: str) -> None:
    project.build()
    before = project.digests()
    memos = list((project.cache / "v1" / "memos" / kind).glob("*")) if kind != "sources" else []
    for memo in memos:
        data = memo.read_bytes()
        for damaged in (b"", b"{}", b"null", data[:-2], data.replace(b"1", b"2"), data[:40] + b"x" + data[41:]):
            memo.write_bytes(damaged)
            project.build()
            assert project.digests() == before
    assert memos or kind == "sources"


def test_a_memo_of_folders_gone_by(project: Project) -> None:
    """The list of a function's files is kept; a file that comes, goes or changes is seen all the same."""
    for folder in ("", "deep"):
        later = project.source(f"{folder}/later.py".lstrip("/"), "x = 1\n")
        project.build()
        project.build()
        later.write_text("x = 2\n")
        project.build()
        assert project.members("api")[f"{folder}/later.py".lstrip("/")] == b"x = 2\n"
        later.unlink()
        project.build()
        assert f"{folder}/later.py".lstrip("/") not in project.members("api")


def test_staging_of_a_killed_build_is_cleared_away(project: Project) -> None:
    (project.output / ".staging").mkdir(parents=True)
    (project.output / ".staging" / "layer.zip").write_bytes(b"half")
    project.build()
    assert project.listing() == ["api.zip", "layer.zip", "manifest.json"]


def test_a_manifest_of_somebody_else_is_left_alone(project: Project) -> None:
    project.output.mkdir(parents=True)
    theirs = project.output / "manifest.json"
    theirs.write_text('{"name": "a web app", "icons": []}')
    with pytest.raises(UsageError, match=r"was not written by lamella"):
        project.build()
    assert theirs.read_text() == '{"name": "a web app", "icons": []}'
    assert project.listing() == ["manifest.json"]


def test_memory_of_paths(project: Project) -> None:
    """Nothing of this machine is in what is written."""
    project.build()
    for path, data in all_bytes(project.output):
        assert str(project.root).encode() not in data, path
        assert os.uname().nodename.encode() not in data, path


def test_the_time_of_day_has_no_say(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.build()
    before = project.digests()
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        for path in project.root.rglob("*"):
            os.utime(path, (0, 0))
        project.cache = project.cache.with_name("another")
        (project.output / "layer.zip").unlink()
        project.build()
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert project.digests() == before


def test_a_wheel_by_path_that_is_not_there(project: Project) -> None:
    for path in project.wheelhouse.iterdir():
        path.unlink()
    with pytest.raises(OutsideError, match="can't be read"):
        project.build()
    assert not project.output.exists()


def test_a_wheel_that_is_not_the_locked_one(project: Project) -> None:
    (project.wheelhouse / "leaf-1.0-py3-none-any.whl").write_bytes(b"PK another")
    with pytest.raises(LamellaError, match="leaf"):
        project.build()
    assert not project.output.exists()
    assert list((project.cache / "v1" / "partial").iterdir()) == []
