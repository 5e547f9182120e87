from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

from lamella.errors import LockError
from lamella.lock.model import FromDirectory, FromFile, FromGit, FromIndex, LockedFile, Pin, Pins, Selection
from lamella.lock.requirements import IndexOption, index_options, read

Write = Callable[[Path, str], Path]
Parse = Callable[..., Pins]

SHA = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def parse(tmp_path: Path, write: Write) -> Parse:
    def parse(text: str, **environ: str) -> Pins:
        path = write(tmp_path / "requirements.txt", text)
        return read(str(path), Selection(), root=str(tmp_path), environ=environ)

    return parse


def one(pins: Pins) -> Pin:
    (pin,) = pins.pins
    return pin


@pytest.mark.parametrize(
    ("line", "name", "version", "marker"),
    [
        ("leaf==1.0", "leaf", "1.0", None),
        ("Leaf_Stem == 1.0", "leaf-stem", "1.0", None),
        ("leaf[a,b]==1.0.post1", "leaf", "1.0.post1", None),
        ("leaf===1.0", "leaf", "1.0", None),
        ("leaf==1.0,>=0.5", "leaf", "1.0", None),
        ("leaf==2.0rc1", "leaf", "2.0rc1", None),
        ("leaf==1.0+cpu", "leaf", "1.0+cpu", None),
        ("leaf (==1.0)", "leaf", "1.0", None),
        ("leaf==1!2.0 ; python_version < '3.13'", "leaf", "1!2.0", 'python_version < "3.13"'),
    ],
)
def test_pins(parse: Parse, line: str, name: str, version: str, marker: str | None) -> None:
    pin = one(parse(f"{line}\n"))
    assert (pin.name, str(pin.version), pin.marker and str(pin.marker)) == (name, version, marker)
    assert pin.source == FromIndex()
    assert pin.where == "requirements.txt:1"


def test_hashes_as_uv_and_pip_tools_write_them(parse: Parse) -> None:
    pins = parse(
        f"# by uv\nleaf==1.0 \\\n    --hash=sha256:{SHA} \\\n    --hash=sha256:{OTHER.upper()}\n    # via stem\n"
        f"stem==2.0 ; sys_platform == 'linux' \\\n    --hash=sha256:{SHA}\n"
    )
    leaf, stem = pins.pins
    assert leaf.source == FromIndex(hashes=(("sha256", SHA), ("sha256", OTHER)))
    assert (stem.where, str(stem.marker)) == ("requirements.txt:6", 'sys_platform == "linux"')
    assert pins.notes == ()
    assert pins.roots is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("leaf", "`leaf` is any version"),
        ("leaf>=1", "`leaf>=1` is a range of versions"),
        ("leaf~=1.4", "`leaf~=1.4` is a range of versions"),
        ("leaf==1.*", "`leaf==1.*` is a range of versions"),
        ("leaf!=1.0", "`leaf!=1.0` is a range of versions"),
        ("leaf==1.0,==2.0", "`leaf==1.0,==2.0`: no version can meet it"),
        ("leaf==1.0,<1.0", "`leaf<1.0,==1.0`: no version can meet it"),
    ],
)
def test_what_is_no_pin_is_refused_with_the_way_out(parse: Parse, line: str, why: str) -> None:
    with pytest.raises(LockError) as caught:
        parse(f"stem==1\n\n{line}\n")
    assert caught.value.what == "`requirements.txt:3` doesn't pin `leaf`"
    assert caught.value.why == (why,)
    assert "uv pip compile --generate-hashes requirements.in -o requirements.txt" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("leaf==", "`requirements.txt:1` is not a requirement"),
        ("leaf stem", "`requirements.txt:1` is not a requirement"),
        ("leaf==1 ; os_name = 'x'", "`requirements.txt:1` is not a requirement"),
        ("leaf===what ever", "`requirements.txt:1` is not a requirement"),
        ("leaf===foobar", "`requirements.txt:1` pins what is no version"),
        ("leaf==1 --hash=md5:0123", "`requirements.txt:1` has a hash that can't be used"),
        ("leaf==1 --hash=sha256:0123", "`requirements.txt:1` has a hash that can't be used"),
        ("./nothing", "`requirements.txt:1` names a file that doesn't exist"),
        ("-e ./nothing", "`requirements.txt:1` names a folder that is no Python project"),
        ("-e https://index.example/leaf-1.0.tar.gz", "`requirements.txt:1` is editable, but no folder or repository"),
        ("ftp://index.example/leaf-1.0.tar.gz", "`requirements.txt:1` has a URL that can't be fetched"),
        ("https://index.example/main.zip", "`requirements.txt:1` has no name"),
        ("leaf @ https://index.example/stem-1.0-py3-none-any.whl",
         "`requirements.txt:1` names `leaf`, but its file is of `stem`"),
        ("hg+https://git.example/leaf", "`requirements.txt:1` comes from a hg repository"),
        (f"git+https://git.example/leaf@{COMMIT}", "`requirements.txt:1` has no name"),
        (f"git+https://git.example/leaf@{COMMIT}#egg=a/b", "`requirements.txt:1` has a name that can't be one"),
        (f"leaf @ git+ext::sh@{COMMIT}", "`requirements.txt:1` has a repository URL that git must not be given"),
        (f"leaf @ git+https://git.example/leaf@{COMMIT} --hash=sha256:{SHA}",
         "`requirements.txt:1` has a hash for a repository"),
        ("./a ; os_name = 'x'", "`requirements.txt:1` has a marker that can't be read"),
    ],
)  # fmt: skip
def test_lines_that_are_refused(parse: Parse, line: str, what: str) -> None:
    with pytest.raises(LockError) as caught:
        parse(f"{line}\n")
    assert caught.value.what == what


SITE = "https://index.example"


@pytest.mark.parametrize(
    ("line", "name", "version", "file", "subdirectory"),
    [
        (f"leaf @ {SITE}/leaf-1.0-py3-none-any.whl#sha256={SHA}", "leaf", "1.0",
         LockedFile("leaf-1.0-py3-none-any.whl", f"{SITE}/leaf-1.0-py3-none-any.whl", hashes=(("sha256", SHA),)), None),
        (f"{SITE}/leaf-1.0-py3-none-any.whl --hash=sha256:{SHA}", "leaf", "1.0",
         LockedFile("leaf-1.0-py3-none-any.whl", f"{SITE}/leaf-1.0-py3-none-any.whl", hashes=(("sha256", SHA),)), None),
        (f"{SITE}/leaf-1.0.tar.gz", "leaf", "1.0", LockedFile("leaf-1.0.tar.gz", f"{SITE}/leaf-1.0.tar.gz"), None),
        (f"{SITE}/leaf-1.0%2Bcpu-py3-none-any.whl?sig=a#md5=00", "leaf", "1.0+cpu",
         LockedFile("leaf-1.0+cpu-py3-none-any.whl", f"{SITE}/leaf-1.0%2Bcpu-py3-none-any.whl?sig=a"), None),
        (f"{SITE}/archive/main.zip#egg=Leaf[x]&subdirectory=python", "leaf", None,
         LockedFile("main.zip", f"{SITE}/archive/main.zip"), "python"),
    ],
)  # fmt: skip
def test_urls(
    parse: Parse, line: str, name: str, version: str | None, file: LockedFile, subdirectory: str | None
) -> None:
    pin = one(parse(f"{line}\n"))
    assert (pin.name, pin.version) == (name, Version(version) if version else None)
    assert pin.source == FromFile(file, subdirectory)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        (f"leaf @ git+https://git.example/leaf.git@{COMMIT}", FromGit("https://git.example/leaf.git", COMMIT)),
        (
            f"git+ssh://git@git.example/leaf@{COMMIT.upper()}#egg=leaf&subdirectory=sub",
            FromGit("ssh://git@git.example/leaf", COMMIT, "sub"),
        ),
        (f"-e git+https://git.example/leaf@{COMMIT}#egg=leaf", FromGit("https://git.example/leaf", COMMIT)),
        (f"-e leaf @ git+file:///srv/leaf@{COMMIT}", FromGit("file:///srv/leaf", COMMIT)),
    ],
)
def test_commits(parse: Parse, line: str, source: FromGit) -> None:
    pin = one(parse(f"{line}\n"))
    assert (pin.name, pin.source) == ("leaf", source)


def test_a_branch_is_refused_with_the_command_that_prints_the_commit(parse: Parse) -> None:
    with pytest.raises(LockError) as caught:
        parse("leaf @ git+https://joe:secret@git.example/leaf@main\n")
    assert caught.value.why == ("`main` may move",)
    assert caught.value.hint == "write the full hash: `git ls-remote https://***@git.example/leaf main` prints it"
    with pytest.raises(LockError, match="doesn't pin a commit"):
        parse("git+https://git.example/leaf#egg=leaf\n")


@pytest.fixture
def near(tmp_path: Path, write: Write) -> Path:
    write(tmp_path / "near" / "pyproject.toml", '[project]\nname = "Near_By"\n')
    return tmp_path / "near"


@pytest.mark.parametrize(
    ("line", "editable", "marker"),
    [
        ("./near", False, None),
        ("near/../near", False, None),
        ("./near[x,y]", False, None),
        ("./near ; os_name == 'posix'", False, 'os_name == "posix"'),
        ("-e ./near[x]; os_name == 'posix'", True, 'os_name == "posix"'),
        ("-e near", True, None),
        ("file:near", False, None),
        ("{uri}", False, None),
        ("{uri} ; os_name == 'posix'", False, 'os_name == "posix"'),
        ("near-by @ {uri}", False, None),
        ("near-by @ ./near", False, None),
        ("-e {uri}#egg=near-by", True, None),
    ],
)
def test_folders(parse: Parse, near: Path, line: str, editable: bool, marker: str | None) -> None:
    pin = one(parse(line.format(uri=near.as_uri())))
    assert (pin.name, pin.version) == ("near-by", None)
    assert pin.source == FromDirectory(str(near), editable=editable)
    assert pin.marker == (Marker(marker) if marker else None)


def test_a_folder_named_by_setup_cfg_or_not_at_all(parse: Parse, write: Write, tmp_path: Path) -> None:
    write(tmp_path / "old" / "setup.py", "")
    with pytest.raises(LockError) as caught:
        parse("./old\n")
    assert "name @ file:///" in (caught.value.hint or "")
    write(tmp_path / "old" / "setup.cfg", "[metadata]\nname = old_one\n")
    assert one(parse("./old\n")).name == "old-one"


def test_a_folder_of_something_else(parse: Parse, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    with pytest.raises(LockError, match="no Python project"):
        parse("./docs\n")


def test_files_on_this_disk(parse: Parse, wheelhouse: Path) -> None:
    wheel = wheelhouse / "leaf-1.0-py3-none-any.whl"
    for line in ("wheelhouse/leaf-1.0-py3-none-any.whl", "./wheelhouse/leaf-1.0-py3-none-any.whl[x]", wheel.as_uri()):
        pin = one(parse(f"{line} --hash=sha256:{SHA}\n"))
        assert (pin.name, str(pin.version)) == ("leaf", "1.0")
        assert pin.source == FromFile(LockedFile(wheel.name, path=str(wheel), hashes=(("sha256", SHA),)))


def test_equal_pins_are_one_and_others_stay(parse: Parse, write: Write, tmp_path: Path) -> None:
    write(tmp_path / "base.txt", f"leaf==1.0 --hash=sha256:{SHA} --hash=sha256:{OTHER}\n")
    pins = parse(
        f"-r base.txt\nleaf==1.0 --hash=sha256:{OTHER} --hash=sha256:{SHA}\n"
        f"leaf==2.0 ; os_name == 'nt' --hash=sha256:{SHA}\n"
    )
    assert [(str(pin.version), pin.where) for pin in pins.pins] == [
        ("1.0", "base.txt:1"),
        ("2.0", "requirements.txt:3"),
    ]
    assert pins.inputs == (str(tmp_path / "base.txt"),)


def test_constraints_bring_in_nothing_and_must_agree(parse: Parse, write: Write, tmp_path: Path) -> None:
    constraints = write(tmp_path / "c.txt", "leaf>=1,<2\nstem==9\nleaf==7 ; python_version < '3.8'\n./wherever\n")
    pins = parse("-c c.txt\nleaf==1.5\n")
    assert [pin.name for pin in pins.pins] == ["leaf"]
    assert pins.inputs == (str(constraints),)
    with pytest.raises(LockError) as caught:
        parse("-c c.txt\nleaf==2.5\n")
    assert caught.value.what == "`requirements.txt:2` and `c.txt:1` contradict each other"
    assert caught.value.why == ("`leaf==2.5` is pinned", "`leaf<2,>=1` is the constraint")


def test_require_hashes(parse: Parse, near: Path) -> None:
    assert near.is_dir()
    text = f"--require-hashes\nleaf==1.0 --hash=sha256:{SHA}\n"
    assert one(parse(text)).name == "leaf"
    with pytest.raises(LockError) as caught:
        parse(f"{text}stem==1.0\n./near\n")
    assert caught.value.why == ("`stem` (requirements.txt:3)", "`near-by` (requirements.txt:4)")


def test_a_mixture_without_require_hashes_is_noted(parse: Parse) -> None:
    pins = parse(f"leaf==1.0 --hash=sha256:{SHA}\nstem==1.0\n")
    assert pins.notes == ("`requirements.txt` has hashes, but none for `stem`",)
    assert parse("leaf==1.0\nstem==1.0\n").notes == ()


def test_build_options_are_noted(parse: Parse) -> None:
    assert parse("leaf==1.0 --config-settings=x=1\n").notes == ("`requirements.txt:1`: `--config-settings` is ignored",)


def test_a_selection_of_what_the_file_cannot_have(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "requirements.txt", "leaf==1\n")
    with pytest.raises(LockError) as caught:
        read(str(path), Selection(groups=("dev",)), root=str(tmp_path))
    assert caught.value.why == ("asked for `dev`",)
    assert len(read(str(path), Selection(everything=True), root=str(tmp_path)).pins) == 1


def test_credentials_stay_out_of_messages(parse: Parse) -> None:
    for line in ("leaf @ https://joe:${TOKEN}@index.example/x y", "https://joe:${TOKEN}@index.example/main.zip"):
        with pytest.raises(LockError) as caught:
            parse(f"{line}\n", TOKEN="secret")
        assert "secret" not in str(caught.value)
        assert "joe" not in str(caught.value)


def test_index_options(tmp_path: Path, write: Write) -> None:
    (tmp_path / "more" / "wheels").mkdir(parents=True)
    path = write(
        tmp_path / "requirements.txt",
        "-i https://${TOKEN}@index.example/simple\n-r more/r.txt\n--trusted-host index.example\n--no-binary leaf\n"
        "--require-hashes\nleaf==1\n-f https://index.example/files\n",
    )
    write(tmp_path / "more" / "r.txt", "--extra-index-url https://two.index.example/simple --pre\n-f wheels\n")
    assert index_options(str(path), environ={"TOKEN": "secret"}) == (
        IndexOption("index-url", "https://secret@index.example/simple"),
        IndexOption("extra-index-url", "https://two.index.example/simple"),
        IndexOption("pre", ""),
        IndexOption("find-links", str(tmp_path / "more" / "wheels")),
        IndexOption("trusted-host", "index.example"),
        IndexOption("no-binary", "leaf"),
        IndexOption("find-links", "https://index.example/files"),
    )


class Line(NamedTuple):
    """One requirement and a way to lay it out."""

    name: str
    extras: tuple[str, ...]
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    spaced: bool
    continued: bool
    comment: str | None

    def render(self) -> str:
        gap = " " if self.spaced else ""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        text = f"{self.name}{extras}{gap}=={gap}{self.version}"
        text += f" ; {self.marker}" if self.marker else ""
        between = " \\\n    " if self.continued else " "
        text += "".join(f"{between}--hash{' ' if self.spaced else '='}sha256:{value}" for value in self.hashes)
        return text + (f"{between if self.continued else '  '}# {self.comment}" if self.comment is not None else "")


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True)
LINES = st.builds(
    Line,
    name=NAMES,
    extras=st.lists(NAMES, max_size=2).map(tuple),
    version=st.from_regex(
        r"(1!)?[0-9]{1,2}(\.[0-9]{1,2}){0,2}(rc[0-9])?(\.post[0-9])?(\+[a-z0-9]{1,4})?", fullmatch=True
    ),
    marker=st.sampled_from([None, "python_version >= '3.12'", "sys_platform == 'linux' and os_name != 'nt'"]),
    hashes=st.lists(st.from_regex(r"[0-9a-f]{64}", fullmatch=True), max_size=3, unique=True).map(tuple),
    spaced=st.booleans(),
    continued=st.booleans(),
    comment=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\r\n\\"), max_size=9),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(LINES, max_size=6), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n", "# -r nothing\n"]))
def test_what_is_written_is_read(lines: list[Line], newline: str, between: str) -> None:
    text = "".join(f"{line.render()}\n{between}" for line in lines).replace("\n", newline)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.txt")
        path.write_bytes(text.encode())
        pins = read(str(path), Selection(), root=folder, environ={}).pins
    wanted = {
        (
            line.name.lower().replace("_", "-").replace(".", "-"),
            Version(line.version),
            Marker(line.marker) if line.marker else None,
            tuple(sorted(("sha256", value) for value in line.hashes)),
            frozenset(canonicalize_name(extra) for extra in line.extras),
        )
        for line in lines
    }
    found = [
        (str(pin.name), pin.version, pin.marker, pin.source.hashes, frozenset(pin.extras))
        for pin in pins
        if isinstance(pin.source, FromIndex)
    ]
    assert len(found) == len(pins) == len(set(found))
    assert {(_single(name), *rest) for name, *rest in found} == {(_single(name), *rest) for name, *rest in wanted}


def _single(name: str) -> str:
    return "-".join(part for part in name.split("-") if part)


@pytest.mark.journey
def test_what_uv_compiles(tmp_path: Path, write: Write) -> None:
    from lamella import uv

    write(tmp_path / "requirements.in", "anyio[trio]==4.6.0\ncolorama ; sys_platform == 'win32'\n")
    uv.run(
        ["pip", "compile", "--universal", "--generate-hashes", "requirements.in", "-o", "requirements.txt"],
        cwd=str(tmp_path),
    )
    pins = read(str(tmp_path / "requirements.txt"), Selection(), root=str(tmp_path))
    found = {str(pin.name): pin for pin in pins.pins}
    assert {"anyio", "idna", "trio", "colorama"} <= set(found)
    assert str(found["colorama"].marker) == 'sys_platform == "win32"'
    assert all(isinstance(pin.source, FromIndex) and pin.source.hashes for pin in pins.pins)


def test_a_quoted_slash_leads_nowhere(parse: Parse) -> None:
    pin = one(parse("demo @ https://index.example/a/..%2F..%2Fdemo-1.0.tar.gz"))
    assert isinstance(pin.source, FromFile)
    assert pin.source.file.filename == "demo-1.0.tar.gz"
    with pytest.raises(LockError, match="without a usable name"):
        parse("demo @ https://index.example/demo%0A-1.0.tar.gz")
