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
        f"api.zip: a function for {RUNTIME} (x86_64): `app.py` lies at its root; "
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
        install = next(command for command in row["fix"] if command.startswith("uv pip install"))
        assert install.endswith("--only-binary :all: pyyaml")
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
    (install,) = [command for command in first["fix"] if command.startswith("uv pip install")]
    assert "--python-platform x86_64-manylinux_2_34 --python-version 3.12" in install
    assert install.endswith("fast==2.0")


def test_what_two_layers_both_bring(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here / "a.zip", SIX)
    two = {"python/six.py": "X = 2\n", "python/six-2.0.dist-info/METADATA": metadata("six", "2.0")}
    make(here / "b.zip", two)
    make(here / "api.zip", {"app.py": HANDLER})
    done = run(capsys, "api.zip", "--layer", "a.zip", "--layer", "b.zip", "--runtime", RUNTIME)
    (row,) = done.of("overlap")
    assert row["reason"].startswith("`six` is also in layer `a.zip`")
    assert row["fix"] == ["zip -d b.zip python/six.py 'python/six-2.0.dist-info/*'"]
    if shutil.which("zip"):
        subprocess.run(["sh", "-c", row["fix"][0]], check=False, cwd=here, stdout=subprocess.DEVNULL)
        assert run(capsys, "b.zip").of("overlap") == []


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
        script = "set -eu\n" + "\n".join(fix).replace("uv pip", f"{uv} pip") + '\nrm -r "$work"\n'
        subprocess.run(["sh", "-c", script], check=True, stdin=subprocess.DEVNULL)
    again = run(capsys, "layer.zip", "--architecture", "x86_64", "--runtime", "python3.12")
    assert (again.code, again.errors) == (0, [])
