"""`lamella doctor` on bare zips, with no project and no AWS."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.checks.builds import RUNTIME, metadata
from tests.doctor.running import refused, run, said
from tests.doctor.zips import HANDLER, make
from tests.elf.making import elf

from lamella.errors import ConfigError, UsageError

SIX = {"python/six.py": "", "python/six-1.0.dist-info/METADATA": metadata("six")}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMELLA_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_healthy(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "layer.zip", SIX)
    make(here / "api.zip", {"app.py": f"import six, json, boto3\n{HANDLER}"})
    done = run(capsys, "api.zip", "--layer", "layer.zip", "--runtime", RUNTIME)
    assert (done.code, done.errors) == (0, [])
    assert done.tree["looked"] == [
        f"api.zip: a function for {RUNTIME} (x86_64): `app.py` at its root has a handler; "
        "its handler is taken to be `app.handler`",
        f"layer.zip: a layer for {RUNTIME} (x86_64)",
    ]
    code, text = said(capsys, "layer.zip", "--runtime", RUNTIME)
    assert (code, text.splitlines()[-1]) == (0, "Nothing is wrong.")


def test_all_is_looked_at_as_if_the_layout_were_mended(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {"stem.py": "raise ValueError('no')\n", "stem-1.0.dist-info/METADATA": metadata("stem")}
    make(here / "layer.zip", broken, mode=0o640)
    done = run(capsys, "layer.zip", "--runtime", RUNTIME)
    assert done.code == 1
    assert [row["check"] for row in done.errors] == ["structure", "structure", "imports"]
    assert "`stem` of `stem` 1.0 can't be imported: ValueError: no" in done.reasons("imports")


def test_what_an_import_lacks_and_what_brings_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "api.zip", {"app.py": f"import yaml\n{HANDLER}"})
    done = run(capsys, "api.zip", "--runtime", RUNTIME)
    assert {row["check"] for row in done.errors} == {"closure", "imports"}
    for row in done.errors:
        install = step(row["fix"], "uv pip install")
        assert install.endswith("--only-binary :all: pyyaml &&")
        assert f"--python-version {RUNTIME[6:]}" in install


def test_handlers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "api.zip", {"app.py": HANDLER, "lambda_function.py": "def lambda_handler(event, _): ...\n"})
    assert run(capsys, "api.zip", "--runtime", RUNTIME).errors == []
    done = run(capsys, "api.zip", "--runtime", RUNTIME, "--handler", "shop.handler")
    assert "handler `shop.handler`: there is no `shop.py` in the zip" in done.reasons("closure")
    make(here / "none.zip", {"app.py": "X = 1\n"})
    done = run(capsys, "none.zip", "--runtime", RUNTIME)
    assert (done.code, done.errors) == (0, [])
    assert done.tree["looked"][0].endswith("nothing tells its handler: `--handler` says it")


@pytest.mark.parametrize("text", ["x = (1,\nclass A: ...\n", "raise ValueError('no')\n"])
def test_the_only_module_at_the_root_is_what_lambda_calls(
    here: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    make(here / "api.zip", {"app.py": text, "shop/__init__.py": ""})
    done = run(capsys, "api.zip", "--runtime", RUNTIME)
    assert done.code == 1
    (row,) = [one for one in done.errors if one["check"] == "imports"]
    assert row["reason"].startswith("`app`, the only module at the root, can't be imported: ")
    # Two may be tools of each other, and so may be what lies beside a package with a handler
    make(here / "two.zip", {"app.py": text, "other.py": ""})
    make(here / "tool.zip", {"fabfile.py": text, "shop/api.py": HANDLER})
    make(here / "setup.zip", {"setup.py": text, "shop/__init__.py": ""})
    for name in ("two.zip", "tool.zip", "setup.zip"):
        assert run(capsys, name, "--runtime", RUNTIME).code == 0


def test_syntax_that_nothing_reads(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With no runtime named, whether or not its Python is here."""
    make(here / "api.zip", {"app.py": "def handler(event, context)\n    return 1\n"})
    make(here / "alone.zip", {"app.py": "x = (1,\nclass A: ...\n"})
    for name in ("api.zip", "alone.zip"):
        assert run(capsys, name).code == 1


def test_a_layer_of_lamella_is_whole(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a RECORD, modules are not called as their distributions are."""
    files = {
        "python/dateutil/__init__.py": "",
        "python/python_dateutil-2.9.dist-info/METADATA": metadata("python-dateutil", "2.9"),
        "python/cv2/__init__.py": "",
        "python/opencv_python-4.0.dist-info/METADATA": metadata("opencv-python", "4.0"),
    }
    make(here / "layer.zip", files)
    assert run(capsys, "layer.zip", "--runtime", RUNTIME).of("metadata") == []
    # What has no metadata beside it is told
    make(here / "bare.zip", {"python/dateutil/__init__.py": ""})
    assert "`dateutil`" in run(capsys, "bare.zip", "--runtime", RUNTIME).of("metadata")[0]["reason"]


def test_native_code_for_something_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files: dict[str, str | bytes] = {
        **SIX,
        "python/fast/__init__.py": "",
        "python/fast/_c.cpython-312-aarch64-linux-gnu.so": elf(machine=183),
        "python/fast/_n.abi3.so": elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.38"]}),
        "python/fast-2.0.dist-info/METADATA": metadata("fast", "2.0"),
    }
    make(here / "layer.zip", files)
    done = run(capsys, "layer.zip", "--runtime", "python3.12", "--architecture", "x86_64")
    first, second = done.of("platform")
    assert "are for aarch64" in first["reason"] or "is for aarch64" in first["reason"]
    assert second["reason"].startswith("it needs GLIBC_2.38")
    assert first["fix"] == second["fix"]
    install = step(first["fix"], "uv pip install")
    assert "--python-platform x86_64-manylinux_2_34 --python-version 3.12" in install
    assert install.endswith("fast==2.0 &&")


def test_what_two_layers_both_bring(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "a.zip", SIX)
    two = {"python/own.py": "", "python/six.py": "X = 2\n", "python/six-2.0.dist-info/METADATA": metadata("six", "2.0")}
    make(here / "b.zip", two)
    make(here / "api.zip", {"app.py": HANDLER})
    done = run(capsys, "api.zip", "--layer", "a.zip", "--layer", "b.zip", "--runtime", RUNTIME)
    (row,) = done.of("overlap")
    assert row["reason"].startswith("`six` is also in layer `a.zip`")
    assert row["fix"] == ["zip -d b.zip python/six.py 'python/six-2.0.dist-info/*'"]
    if shutil.which("zip"):
        subprocess.run(["sh", "-c", row["fix"][0]], check=False, cwd=here, stdout=subprocess.DEVNULL)
        assert run(capsys, "b.zip").of("overlap") == []
    # `zip -d` removes a zip that would be empty
    make(here / "b.zip", {name: text for name, text in two.items() if name != "python/own.py"})
    done = run(capsys, "api.zip", "--layer", "a.zip", "--layer", "b.zip", "--runtime", RUNTIME)
    assert [row["fix"] for row in done.of("overlap")] == [[]]


def test_what_is_no_zip(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "layer.zip").write_bytes(b"<html>404</html>")
    done = run(capsys, "layer.zip")
    assert (done.code, done.errors[0]["check"]) == (1, "structure")
    whole = make(here / "whole.zip", SIX).read_bytes()
    (here / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert run(capsys, "cut.zip").code == 1
    assert isinstance(refused("none.zip"), UsageError)
    make(here / "fine.zip", SIX)
    assert isinstance(refused("fine.zip", "--runtime", "python3.99"), ConfigError)
    assert isinstance(refused("--layer", "fine.zip"), UsageError)


def test_a_zip_that_may_be_read_in_two_ways(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zipfile import ZipFile

    with ZipFile(here / "twice.zip", "w") as archive:
        archive.writestr("python/six.py", "X = 1\n")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("python/six.py", "X = 2\n")
    done = run(capsys, "twice.zip")
    assert done.code == 1
    assert any("two members have this name" in reason or "two sources" in reason for reason in done.reasons())


def step(fix: list[str], beginning: str) -> str:
    """The line of the one command that begins so."""
    (command,) = fix
    (line,) = [line.strip() for line in command.splitlines() if line.strip().startswith(beginning)]
    return line


RECORD = "six.py,sha256=x,1\nsix-1.0.dist-info/METADATA,,\nsix-1.0.dist-info/RECORD,,\n"
PIP = {"six.py": "", "six-1.0.dist-info/METADATA": metadata("six"), "six-1.0.dist-info/RECORD": RECORD}


@pytest.mark.parametrize(
    "files",
    [
        {**PIP, "main.py": f"import six\n{HANDLER}"},
        {**PIP, "app/__init__.py": "", "app/main.py": f"import six\n{HANDLER}"},
        {**PIP, "app/__init__.py": "", "app/main.py": "handler = print\n"},
        {
            "lambda_function.py": f"from python.x import y\n{HANDLER}",
            "python/__init__.py": "",
            "python/x.py": "y = 1\n",
        },
        {"api.py": f"from python import x\n{HANDLER}", "python/x.py": ""},
    ],
)
def test_good_functions(here: Path, files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "api.zip", files)
    done = run(capsys, "api.zip", "--runtime", RUNTIME)
    assert (done.code, done.errors) == (0, [])
    assert done.tree["looked"][0].startswith("api.zip: a function ")


def test_a_layer_of_distributions_alone_lies_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "deps.zip", PIP)
    done = run(capsys, "deps.zip", "--runtime", RUNTIME)
    assert done.reasons("structure") == ["its modules lie in its root, and Lambda does not import from /opt"]
    assert done.of("structure")[0]["fix"]


def test_a_project_that_was_installed_is_a_function(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    info = "shop-1.0.dist-info"
    record = f"shop/__init__.py,,\nshop/api.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n"
    files = {
        **PIP, "shop/__init__.py": "", "shop/api.py": HANDLER, f"{info}/RECORD": record,
        f"{info}/METADATA": metadata("shop"), f"{info}/direct_url.json": '{"url": "file:///shop", "dir_info": {}}',
    }  # fmt: skip
    make(here / "a.zip", files)
    done = run(capsys, "a.zip", "--runtime", RUNTIME, "--handler", "shop.api.handler")
    assert (done.code, done.errors) == (0, [])
    assert run(capsys, "a.zip").tree["looked"][0].startswith("a.zip: a function ")


def test_zips_are_for_one_runtime_and_architecture(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    native: dict[str, str | bytes] = {
        "python/fast/__init__.py": "",
        "python/fast/_c.cpython-313-aarch64-linux-gnu.so": elf(machine=183),
    }
    make(here / "layer.zip", native)
    make(here / "api.zip", {"app.py": HANDLER})
    for words in (["api.zip", "--layer", "layer.zip"], ["layer.zip", "api.zip"]):
        looked = run(capsys, *words).tree["looked"]
        assert all(": a " in line and "for python3.13 (arm64)" in line for line in looked), looked
    (api,) = [line for line in looked if line.startswith("api.zip")]
    assert "python3.13 is what `layer.zip` is for" in api


def test_the_machine_of_modules_whose_names_tell_none(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "layer.zip", {"python/fast/__init__.py": "", "python/fast/_c.abi3.so": elf(machine=183)})
    done = run(capsys, "layer.zip", "--runtime", RUNTIME)
    assert "(arm64)" in done.tree["looked"][0]
    assert done.of("platform") == []


def test_own_modules_are_not_fetched_from_an_index(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a stranger has published under the name of somebody's own module is not put in its place."""
    make(here / "api.zip", {"app.py": f"import shopfront\n{HANDLER}"})
    done = run(capsys, "api.zip", "--runtime", RUNTIME)
    assert done.errors
    assert [row["fix"] for row in done.errors] == [[]] * len(done.errors)
    assert all("shopfront" in row["hint"] for row in done.errors)
    files: dict[str, str | bytes] = {
        "python/shopfront/__init__.py": "import importlib.metadata\nimportlib.metadata.version('shopfront')\n",
        "python/shopfront/_c.cpython-38-x86_64-linux-gnu.so": elf(),
    }
    make(here / "layer.zip", files)
    done = run(capsys, "layer.zip", "--runtime", RUNTIME)
    assert done.of("platform")
    assert not any("uv pip" in command for row in done.tree["findings"] for command in row["fix"])
    # Nor is it said to lack what it never had
    assert done.reasons("metadata") == []


def test_what_a_layer_requires_and_has_not(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in (
        "import leaf\n",
        "raise ImportError('Unable to import required dependency leaf.') from ImportError()\n",
    ):
        files = {"python/stem.py": text, "python/stem-1.0.dist-info/METADATA": metadata("stem", "1.0", "leaf>=2")}
        make(here / "layer.zip", files)
        (row,) = run(capsys, "layer.zip", "--runtime", RUNTIME).of("imports")
        assert step(row["fix"], "uv pip install").endswith(" leaf &&")


def test_what_a_function_requires_and_has_not(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"app.py": HANDLER, "stem.py": "", "stem-1.0.dist-info/METADATA": metadata("stem", "1.0", "leaf>=2")}
    make(here / "api.zip", files)
    (row,) = run(capsys, "api.zip", "--runtime", RUNTIME).of("closure")
    assert (step(row["fix"], "uv pip install")[-8:], row["hint"]) == (" leaf &&", "")


def test_libraries_that_are_missing_are_one_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files: dict[str, str | bytes] = {
        "python/fast/__init__.py": "",
        "python/fast/_a.abi3.so": elf(needed=["libone-0a1b2c3d.so", "libtwo-0a1b2c3d.so"]),
        "python/fast/_b.abi3.so": elf(needed=["libone-0a1b2c3d.so"]),
        "python/fast-2.0.dist-info/METADATA": metadata("fast", "2.0"),
        "python/own/_c.abi3.so": elf(needed=["libone-0a1b2c3d.so"]),
    }
    make(here / "layer.zip", files)
    done = run(capsys, "layer.zip", "--runtime", RUNTIME)
    assert [row["artifact"] for row in done.of("platform")] == ["layer.zip"] * 2
    assert done.reasons("platform")[0].endswith("; so it is with 1 more of its libraries and 1 more file")
    assert step(done.of("platform")[0]["fix"], "uv pip install").endswith("fast==2.0 &&")


def test_a_compiled_module_is_missing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "python/fast/__init__.py": "",
        "python/fast-2.0.dist-info/METADATA": metadata("fast", "2.0"),
        "python/fast-2.0.dist-info/RECORD": "fast/__init__.py,,\nfast/_rust.abi3.so,,\n",
    }
    make(here / "layer.zip", files)
    done = run(capsys, "layer.zip", "--runtime", RUNTIME)
    (row,) = done.errors
    assert (done.code, row["path"]) == (1, "python/fast/_rust.abi3.so")
    assert step(row["fix"], "uv pip install").endswith("fast==2.0 &&")


@pytest.mark.parametrize("name", ["python/six.py", "app.py"])
def test_a_member_that_is_damaged(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(here / "a.zip", {name: "X = 1\n" * 100 + HANDLER})
    data = bytearray(path.read_bytes())
    data[30 + len(name) + 8] ^= 0xFF
    path.write_bytes(data)
    done = run(capsys, "a.zip", "--runtime", RUNTIME)
    (row,) = done.errors
    assert (done.code, row["check"], row["artifact"]) == (1, "structure", "a.zip")
    assert "damaged" in row["reason"]
    assert not done.of("closure")


def test_a_zip_that_leads_outside_is_not_unpacked_by_a_command(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "layer.zip", {"../evil.py": "", "six.py": ""}, mode=0o600)
    done = run(capsys, "layer.zip")
    assert len(done.errors) > 1
    assert [row["fix"] for row in done.errors] == [[]] * len(done.errors)


def test_commands_are_shown_line_by_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "layer.zip", {"python/six.py": ""}, mode=0o600)
    _, text = said(capsys, "layer.zip")
    lines = text.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("  $ "))
    assert lines[at] == "  $ work=$(mktemp -d layer.zip.XXXXXX) &&"
    assert lines[at + 1] == '    mkdir -p "$work"/out &&'


def test_a_module_without_a_version(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "layer.zip", {"python/own.py": "raise ValueError('no')\n"})
    assert run(capsys, "layer.zip", "--runtime", RUNTIME).reasons("imports") == [
        "`own` of `own` can't be imported: ValueError: no"
    ]


@pytest.mark.journey
def test_what_people_ship(capsys: pytest.CaptureFixture[str]) -> None:
    """pip's folder, zipped from inside, for another machine, with modes of a careful umask and no `.dist-info`."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}") or shutil.which("uv")
    assert uv is not None
    install = [uv, "pip", "install", "-q", "--target", "pkg", "--python-platform", "aarch64-manylinux_2_28"]
    subprocess.run([*install, "--python-version", "3.12", "--only-binary", ":all:", "markupsafe==3.0.2"], check=True)
    for path in [*Path("pkg").rglob("*")]:
        path.chmod(0o750 if path.is_dir() else 0o640)
    shutil.rmtree(next(Path("pkg").glob("*.dist-info")))
    subprocess.run(["zip", "-qr", "../layer.zip", "."], cwd="pkg", check=True)
    done = run(capsys, "layer.zip", "--architecture", "x86_64")
    assert done.code == 1
    assert {row["check"] for row in done.errors} >= {"structure", "platform"}
    commands = dict.fromkeys(tuple(row["fix"]) for row in done.errors if row["fix"])
    for fix in commands:
        script = "\n".join(fix).replace("uv pip", f"{uv} pip")
        subprocess.run(["sh", "-euc", script], check=True, stdin=subprocess.DEVNULL)
    again = run(capsys, "layer.zip", "--architecture", "x86_64", "--runtime", "python3.12")
    assert (again.code, again.errors) == (0, [])
