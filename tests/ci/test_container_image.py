"""`.ci/container-image` on machines that can't have an image."""

import os
import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / ".ci" / "container-image"
# What it needs of any machine
TOOLS = ("bash", "flock", "grep", "head", "mktemp", "rm", "sha256sum", "tail", "env")


def run(folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run it with these programs, by what they do, and the machine's tools alone."""
    folder.mkdir()
    for name in TOOLS:
        place = shutil.which(name)
        assert place is not None, name
        (folder / name).symlink_to(place)
    for name, text in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    environment = {**os.environ, "PATH": str(folder), "TMPDIR": str(folder)}
    return subprocess.run([str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)


def test_without_podman_and_without_apt(tmp_path: Path) -> None:
    done = run(tmp_path / "bin", id="echo 0")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "no engine: podman debootstrap not on PATH, and no apt to install it with\n"


def test_without_podman_and_without_root(tmp_path: Path) -> None:
    done = run(tmp_path / "bin", id="echo 1000", apt_get="exit 0", debootstrap="exit 0")
    assert done.stderr == "no engine: podman not on PATH, and not root, to install it\n"


def test_an_apt_that_reaches_nothing(tmp_path: Path) -> None:
    done = run(tmp_path / "bin", id="echo 0", apt_get="exit 100")
    assert done.returncode == 3
    assert done.stderr.endswith("no engine: apt could not install podman debootstrap\n")


def test_a_podman_that_does_not_answer(tmp_path: Path) -> None:
    done = run(tmp_path / "bin", id="echo 0", podman="echo no user namespaces; exit 125", debootstrap="")
    assert (done.returncode, done.stderr) == (3, "no engine: podman does not answer: no user namespaces\n")


def test_a_mirror_that_is_not_reached(tmp_path: Path) -> None:
    """It was asked for where this machine's apt takes that suite from."""
    done = run(
        tmp_path / "bin",
        id="echo 0",
        podman='[ "$1" = info ]',
        timeout='shift; exec "$@"',
        apt_get='echo "stable-security x"; echo "bookworm http://index.example/debian/"; echo "bookworm http://other/"',
        debootstrap='for last; do :; done; echo "E: Failed getting release file of $last"; exit 1',
    )
    assert done.returncode == 3
    assert done.stderr.endswith(
        "no engine: debootstrap failed: E: Failed getting release file of http://index.example/debian/\n"
    )
    assert not [path for path in (tmp_path / "bin").iterdir() if path.name.startswith("tmp.")]


def test_an_image_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    done = run(tmp_path / "bin", id="echo 0", podman="exit 0", debootstrap="exit 1")
    assert done.returncode == 0
    assert done.stdout.startswith("localhost/lamella-tests:bookworm-")
    assert done.stderr == ""
