from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import lamella


def test_in_a_checkout_the_newest_file_counts(tmp_path: Path) -> None:
    def asked() -> str:
        code = "import sys; sys.path.insert(0, sys.argv[1]); from lamella.revision import revision; print(revision())"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, str(tmp_path / "src")], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    shutil.copytree(Path(lamella.__file__).parent, tmp_path / "src" / "lamella")
    assert asked() == lamella.__version__
    (tmp_path / ".git").mkdir()
    before = asked()
    assert before.startswith(f"{lamella.__version__}+")
    assert asked() == before
    (tmp_path / "src" / "lamella" / "contents" / "place.py").touch()
    assert asked() != before
