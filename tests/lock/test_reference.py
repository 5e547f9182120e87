from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lamella.errors import LockError
from lamella.lock.lines import Wanted
from lamella.lock.model import FromDirectory, FromFile, FromGit
from lamella.lock.reference import hash_pairs, is_bare, source

COMMIT = "a" * 40
DIGEST = "b" * 64


def wanted(text: str, folder: Path | str = "/srv", *, editable: bool = False, hashes: tuple[str, ...] = ()) -> Wanted:
    return Wanted("requirements.txt:1", str(folder), text, editable, hashes, (), constraint=False)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("./demo", True),
        ("/srv/demo", True),
        ("https://files.example/demo-1.0.tar.gz", True),
        ("git+https://git.example/demo", True),
        ("file:demo.whl", True),
        ("demo-1.0-py3-none-any.whl", True),
        ("sub/folder", True),
        ("sub/folder[extra]", True),
        ("demo @ https://files.example/demo-1.0.tar.gz", False),
        ("demo[x] @ ./demo", False),
        ("demo==1.0 ; python_version > '3'", False),
        ("missing-1.0-py3-none-any.whl", False),
    ],
)
def test_lines_that_are_paths_or_addresses(tmp_path: Path, text: str, bare: bool) -> None:
    (tmp_path / "sub" / "folder").mkdir(parents=True)
    (tmp_path / "demo-1.0-py3-none-any.whl").touch()
    assert is_bare(text, str(tmp_path)) is bare


def test_a_wheel_by_its_address() -> None:
    line = wanted(f"https://files.example/Demo-1.0-py3-none-any.whl#sha256={DIGEST} ; sys_platform == 'linux'")
    found = source(line)
    assert (found.name, str(found.version), str(found.marker)) == ("demo", "1.0", 'sys_platform == "linux"')
    assert isinstance(found.source, FromFile)
    file = found.source.file
    assert (file.filename, file.path, file.hashes) == ("Demo-1.0-py3-none-any.whl", None, (("sha256", DIGEST),))
    assert file.url == "https://files.example/Demo-1.0-py3-none-any.whl"


def test_a_semicolon_without_a_space_belongs_to_the_address() -> None:
    found = source(wanted("https://files.example/a;b/demo-1.0.tar.gz"))
    assert found.marker is None
    assert isinstance(found.source, FromFile)
    assert found.source.file.url == "https://files.example/a;b/demo-1.0.tar.gz"


def test_a_commit() -> None:
    requirement = Requirement(f"demo @ git+https://git.example/demo@{COMMIT.upper()}#subdirectory=py")
    found = source(wanted(""), requirement)
    assert found.source == FromGit("https://git.example/demo", COMMIT, "py")


def test_a_folder_whose_name_stands_in_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "pyproject.toml").write_text('[project]\nname = "The.One"\n')
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "setup.py").touch()
    (tmp_path / "two" / "setup.cfg").write_text("[metadata]\nname = the_two\n")
    assert source(wanted("./one", tmp_path)).name == "the-one"
    two = source(wanted("./two", tmp_path, editable=True))
    assert (two.name, two.source) == ("the-two", FromDirectory(str(tmp_path / "two"), editable=True))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (wanted("git+https://git.example/demo@main#egg=demo"), "doesn't pin a commit"),
        (wanted(f"git+https://git.example/demo@{COMMIT}"), "has no name"),
        (wanted(f"hg+https://hg.example/demo@{COMMIT}#egg=demo"), "comes from a hg repository"),
        (wanted(f"git+https://git.example/d@{COMMIT}#egg=d", hashes=(f"sha256:{DIGEST}",)), "has a hash for"),
        (wanted("ftp://files.example/demo-1.0.tar.gz"), "has a URL that can't be fetched"),
        (wanted("https://files.example/demo-1.0.tar.gz", editable=True), "is editable"),
        (wanted("other @ https://files.example/demo-1.0.tar.gz", editable=True), "is editable"),
        (wanted("./missing-1.0.tar.gz"), "names a file that doesn't exist"),
        (wanted("https://files.example/demo-1.0.tar.gz ; nonsense"), "has a marker that can't be read"),
    ],
)  # fmt: skip
def test_references_that_pin_nothing(line: Wanted, told: str) -> None:
    with pytest.raises(LockError) as caught:
        source(line)
    assert told in caught.value.what
    assert "`requirements.txt:1`" in caught.value.what


def test_another_name_than_the_files() -> None:
    with pytest.raises(LockError, match="names `other`, but its file is of `demo`"):
        source(wanted(""), Requirement("other @ https://files.example/demo-1.0.tar.gz"))


def test_hashes() -> None:
    long = f"sha512:{'C' * 128}"
    assert hash_pairs((long, f"sha256:{DIGEST}", long), "x") == (("sha256", DIGEST), ("sha512", "c" * 128))
    for wrong in ("md5:" + "0" * 32, "sha256:" + "0" * 63, "sha256:" + "g" * 64, "sha256", ""):
        with pytest.raises(LockError, match="has a hash that can't be used"):
            hash_pairs((wrong,), "x")
