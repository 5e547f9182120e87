from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.errors import LockError
from lamella.lock.model import FromDirectory, FromFile, FromGit, FromIndex, LockedFile, Pins, Selection
from lamella.lock.pylock import file_url, git_url, local_path

Write = Callable[[Path, str], Path]
Read = Callable[..., Pins]

SHA = "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEAD = 'lock-version = "1.0"\ncreated-by = "somebody"\n'


@pytest.fixture
def lock(tmp_path: Path, write: Write, read_lock: Read) -> Callable[..., Pins]:
    def lock(text: str, selection: Selection | None = None) -> Pins:
        write(tmp_path / "pylock.toml", HEAD + text)
        return read_lock(tmp_path, selection)

    return lock


def test_every_source(tmp_path: Path, lock: Callable[..., Pins]) -> None:
    pins = lock(f"""
requires-python = ">=3.11"
environments = ["sys_platform == 'linux'"]
[[packages]]
name = "indexed"
version = "1.0"
marker = "python_version >= '3.12'"
requires-python = ">=3.9"
index = "https://index.example/simple"
sdist = {{ url = "https://index.example/indexed-1.0.tar.gz", size = 7, hashes = {{ sha256 = "{SHA.upper()}" }} }}
attestation-identities = [{{ kind = "somewhere" }}]
[[packages.wheels]]
url = "https://index.example/indexed-1.0-py3-none-any.whl"
hashes = {{ sha512 = "ff", sha256 = "{SHA}" }}
[[packages.wheels]]
path = "wheels/indexed-1.0-cp312-cp312-linux_x86_64.whl"
hashes = {{ sha256 = "{SHA}" }}
[[packages]]
name = "archived"
archive = {{ path = "../a%20b-1.0.zip", subdirectory = "sub", hashes = {{ sha256 = "{SHA}" }} }}
[[packages]]
name = "near"
directory = {{ path = "../near", editable = true, subdirectory = "python" }}
[[packages]]
name = "committed"
vcs = {{ type = "git", url = "https://git.example/c.git", commit-id = "{COMMIT}", subdirectory = "sub" }}
[[packages]]
name = "cloned"
vcs = {{ type = "git", path = "../clone", commit-id = "{COMMIT}" }}
""")
    indexed, archived, near, committed, cloned = pins.pins
    assert (str(indexed.version), str(indexed.marker)) == ("1.0", 'python_version >= "3.12"')
    assert (indexed.requires_python, indexed.where) == (">=3.9", "pylock.toml")
    site = "https://index.example/"
    wheels = str(tmp_path / "wheels")
    native = "indexed-1.0-cp312-cp312-linux_x86_64.whl"
    assert indexed.source == FromIndex(
        files=(
            LockedFile(
                "indexed-1.0-py3-none-any.whl",
                url=f"{site}indexed-1.0-py3-none-any.whl",
                hashes=(("sha256", SHA), ("sha512", "ff")),
            ),
            LockedFile(native, path=f"{wheels}/{native}", hashes=(("sha256", SHA),)),
            LockedFile("indexed-1.0.tar.gz", url=f"{site}indexed-1.0.tar.gz", size=7, hashes=(("sha256", SHA),)),
        ),
        index="https://index.example/simple",
    )
    beside = str(tmp_path.parent)
    assert archived.version is None
    assert archived.source == FromFile(
        LockedFile("a%20b-1.0.zip", path=f"{beside}/a%20b-1.0.zip", hashes=(("sha256", SHA),)), "sub"
    )
    assert near.source == FromDirectory(f"{beside}/near/python", editable=True)
    assert committed.source == FromGit("https://git.example/c.git", COMMIT, "sub")
    assert cloned.source == FromGit(f"file://{beside}/clone", COMMIT)
    assert (pins.roots, pins.requires_python) == (None, ">=3.11")
    assert [str(marker) for marker in pins.environments] == ['sys_platform == "linux"']


def test_a_file_url_is_a_path(tmp_path: Path, lock: Callable[..., Pins]) -> None:
    url = (tmp_path / "a b" / "leaf-1.0-py3-none-any.whl").as_uri()
    pins = lock(f'[[packages]]\nname = "leaf"\nwheels = [{{ url = "{url}", hashes = {{ sha256 = "{SHA}" }} }}]\n')
    assert isinstance(pins.pins[0].source, FromIndex)
    (file,) = pins.pins[0].source.files
    assert (file.path, file.url) == (str(tmp_path / "a b" / "leaf-1.0-py3-none-any.whl"), None)


def test_a_path_that_is_gone_gives_way_to_the_url(tmp_path: Path, lock: Callable[..., Pins], write: Write) -> None:
    text = (
        '[[packages]]\nname = "leaf"\nwheels = [{ path = "leaf-1.0-py3-none-any.whl", '
        f'url = "https://index.example/leaf-1.0-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]\n'
    )

    def file() -> LockedFile:
        source = lock(text).pins[0].source
        assert isinstance(source, FromIndex)
        return source.files[0]

    assert (file().path, file().url) == (None, "https://index.example/leaf-1.0-py3-none-any.whl")
    write(tmp_path / "leaf-1.0-py3-none-any.whl", "")
    assert (file().path, file().url) == (str(tmp_path / "leaf-1.0-py3-none-any.whl"), None)


CHOICES = """
extras = ["images"]
dependency-groups = ["dev", "Docs_site"]
default-groups = ["default"]
packages = []
"""


@pytest.mark.parametrize(
    ("selection", "extras", "groups"),
    [
        (Selection(), set(), {"default"}),
        (Selection(project=False, groups=("dev",)), set(), {"dev"}),
        (Selection(extras=("images",), groups=("docs-site",)), {"images"}, {"default", "Docs_site"}),
        (Selection(everything=True), {"images"}, {"default", "dev", "Docs_site"}),
    ],
)
def test_extras_and_groups(lock: Callable[..., Pins], selection: Selection, extras: set[str], groups: set[str]) -> None:
    pins = lock(CHOICES, selection)
    assert (set(pins.extras), set(pins.groups)) == (extras, groups)


def test_extras_and_groups_that_the_file_lacks(lock: Callable[..., Pins]) -> None:
    with pytest.raises(LockError) as caught:
        lock(CHOICES, Selection(extras=("image",)))
    assert str(caught.value) == (
        "`pylock.toml` has no extra `image`\n  its extras: `images`\n  hint: did you mean `images`?"
    )
    with pytest.raises(LockError) as caught:
        lock("packages = []", Selection(groups=("dev",)))
    assert caught.value.why == ("its dependency groups: none",)


VCS = '[[packages]]\nname = "leaf"\nvcs = {{ type = "{}", url = "{}", commit-id = "{}" }}\n'


@pytest.mark.parametrize(
    ("text", "what", "why"),
    [
        ("packages = [", "is not valid TOML", "end of the document"),
        ("", "is not a valid lock", "at `packages`"),
        ('[[packages]]\nname = "leaf"\n', "is not a valid lock", "at `packages[0]` (`leaf`)"),
        ('[[packages]]\nname = "Leaf"\n', "is not a valid lock", "'Leaf' is not normalized"),
        (
            '[[packages]]\nname = "leaf"\nversion = "1"\nwheels = [{ url = "https://index.example/x-1-py3-none-any.whl",'
            ' hashes = { sha256 = "aa" } }]\n',
            "is not a valid lock",
            "at `packages[0].wheels[0]` (`leaf`)",
        ),
        (VCS.format("hg", "https://git.example/c", COMMIT), "comes from a hg repository", "only git is supported"),
        (VCS.format("git", "https://git.example/c", "main"), "has no full commit hash", "found `main`"),
        (VCS.format("git", "ext::sh -c id", COMMIT), "repository URL that git must not be given", "https"),
    ],
)
def test_what_is_refused(lock: Callable[..., Pins], text: str, what: str, why: str) -> None:
    with pytest.raises(LockError) as caught:
        lock(text)
    assert "`pylock.toml`" in caught.value.what
    assert what in caught.value.what
    assert why in "\n".join(caught.value.why)


def test_versions_of_the_format(
    tmp_path: Path, write: Write, read_lock: Read, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "pylock.toml", 'lock-version = "1.1"\ncreated-by = "x"\npackages = []\n')
    assert read_lock(tmp_path).notes == (
        "`pylock.toml` has lock-version 1.1; read as 1.0, what is new in it is ignored",
    )
    write(tmp_path / "pylock.toml", 'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n')
    with pytest.raises(LockError, match="version that can't be read"):
        read_lock(tmp_path)
    assert capfd.readouterr().err == ""


def test_equal_packages_are_one_pin(lock: Callable[..., Pins]) -> None:
    package = (
        f'[[packages]]\nname = "leaf"\nvcs = {{ type = "git", url = "https://g.example/c", commit-id = "{COMMIT}" }}\n'
    )
    assert len(lock(package * 2).pins) == 1


@pytest.mark.parametrize(
    "url",
    ["https://git.example/c.git", "ssh://git@git.example/c", "git@git.example:me/c.git", "file:///srv/c", "/srv/c"],
)
def test_repository_urls(url: str) -> None:
    assert git_url(url, "x") == git_url(f"git+{url}", "x") == url


@pytest.mark.parametrize("url", ["-uhelper", "ext::sh -c id", "--upload-pack=x", "https://-oProxyCommand=x/c", "", "c"])
def test_repository_urls_that_git_must_not_see(url: str) -> None:
    with pytest.raises(LockError):
        git_url(url, "x")


def test_file_urls_and_paths() -> None:
    assert local_path(file_url("/srv/a b/ü.whl")) == "/srv/a b/ü.whl"
    assert local_path("https://index.example/x") is None


@pytest.mark.parametrize("name", ["..%2F..%2Fdemo-1.0.tar.gz", "%2Ftmp%2Fdemo-1.0.tar.gz"])
def test_a_quoted_slash_leads_nowhere(lock: Callable[..., Pins], name: str) -> None:
    """packaging divides first and unquotes then."""
    entry = f'{{ url = "https://index.example/a/{name}", hashes = {{ sha256 = "{SHA}" }} }}'
    (pin,) = lock(f'[[packages]]\nname = "demo"\narchive = {entry}\n').pins
    assert isinstance(pin.source, FromFile)
    assert pin.source.file.filename == "demo-1.0.tar.gz"
    with contextlib.suppress(LockError):
        (pin,) = lock(f'[[packages]]\nname = "demo"\nversion = "1.0"\nsdist = {entry}\n').pins
        assert isinstance(pin.source, FromIndex)
        assert [file.filename for file in pin.source.files] == ["demo-1.0.tar.gz"]


@pytest.mark.parametrize("name", ["demo%0A-1.0.tar.gz", "a%5Cdemo-1.0.tar.gz", "%2E%2E", ""])
def test_a_file_without_a_usable_name(lock: Callable[..., Pins], name: str) -> None:
    entry = f'{{ url = "https://index.example/a/{name}", hashes = {{ sha256 = "{SHA}" }} }}'
    with pytest.raises(LockError, match=r"`demo` in `pylock\.toml` has a file without a usable name"):
        lock(f'[[packages]]\nname = "demo"\narchive = {entry}\n')


def test_a_lock_that_is_nested_too_deeply(lock: Callable[..., Pins]) -> None:
    with pytest.raises(LockError, match="nested too deeply"):
        lock("a = " + "[" * 5000)
