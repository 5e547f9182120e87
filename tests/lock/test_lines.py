from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.errors import LockError
from lamella.lock.lines import Opened, Option, Statement, Wanted, logical_lines, statements

Write = Callable[[Path, str], Path]


def read(path: Path, **environ: str) -> list[Statement]:
    return list(statements(str(path), root=str(path.parent), environ=environ))


def texts(path: Path, **environ: str) -> list[str]:
    return [each.text for each in read(path, **environ) if isinstance(each, Wanted)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n\n  \n", []),
        ("a==1", [(1, "a==1")]),
        ("a==1\r\nb==1\rc==1\n", [(1, "a==1"), (2, "b==1"), (3, "c==1")]),
        ("# all\na==1 # why\n", [(2, "a==1")]),
        ("./a#egg=a\n", [(1, "./a#egg=a")]),
        ("a==1 \\\n  --hash=x \\\n  --hash=y\nb==1\n", [(1, "a==1   --hash=x   --hash=y"), (4, "b==1")]),
        ("a==1 \\\n  --hash=x \\\n  # why\nb==1\n", [(1, "a==1   --hash=x"), (4, "b==1")]),
        ("a\\\n==1\n", [(1, "a==1")]),
        ("# not on \\\na==1\n", [(2, "a==1")]),
        ("a==1 \\", [(1, "a==1")]),
        ("\\\n\\\na==1\n", [(1, "a==1")]),
    ],
)
def test_logical_lines(text: str, lines: list[tuple[int, str]]) -> None:
    assert list(logical_lines(text)) == lines


def test_a_requirement_and_its_hashes(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "r.txt", "a[x] == 1 ; os_name == 'posix' --hash=sha256:1 --hash sha256:2\n")
    assert read(path) == [
        Opened(str(path)),
        Wanted("r.txt:1", str(tmp_path), "a[x] == 1 ; os_name == 'posix'", False, ("sha256:1", "sha256:2"), (), False),
    ]


def test_build_options_are_told(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "r.txt", "a==1 --config-settings x=1 --global-option='-v'\n")
    (wanted,) = [each for each in read(path) if isinstance(each, Wanted)]
    assert wanted.ignored == ("--config-settings", "--global-option")


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("-i https://index.example/simple", [("index-url", "https://index.example/simple")]),
        ("-ihttps://index.example/simple", [("index-url", "https://index.example/simple")]),
        ("--index-url=https://index.example", [("index-url", "https://index.example")]),
        ("--pypi-url https://index.example", [("index-url", "https://index.example")]),
        ("--extra-index-url 'https://index.example/a b'", [("extra-index-url", "https://index.example/a b")]),
        ("-f ./wheels --no-index --pre", [("find-links", "./wheels"), ("no-index", ""), ("pre", "")]),
        ("--only-binary=:all: --no-binary a,b", [("only-binary", ":all:"), ("no-binary", "a,b")]),
        ("--require-hashes", [("require-hashes", "")]),
        ("--trusted-host index.example --prefer-binary", [("trusted-host", "index.example"), ("prefer-binary", "")]),
        ("--use-feature fast-deps", [("use-feature", "fast-deps")]),
    ],
)
def test_options_of_the_file(tmp_path: Path, write: Write, line: str, options: list[tuple[str, str]]) -> None:
    found = read(write(tmp_path / "r.txt", f"{line}\n"))[1:]
    assert found == [Option("r.txt:1", str(tmp_path), name, value) for name, value in options]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--index-urll x", "`--index-urll`"),
        ("-x", "`-x`"),
        ("--pre=yes", "`--pre=yes`"),
        ("-r", "`--requirement` needs a value"),
        ("--pre leaf", "unexpected `leaf`"),
        ("a==1 --index-url x", "`--index-url` can't follow a requirement"),
        ("a==1 --hash=x stray", "`stray` can't follow a requirement"),
        ("--find-links 'x", "No closing quotation"),
        ("-r https://index.example/r.txt", "what it says can change from build to build"),
    ],
)
def test_lines_that_are_refused(tmp_path: Path, write: Write, line: str, why: str) -> None:
    path = write(tmp_path / "r.txt", f"\n{line}\n")
    with pytest.raises(LockError) as caught:
        read(path)
    assert "`r.txt:2`" in caught.value.what
    assert why in caught.value.why


def test_a_misspelt_option_gets_a_suggestion(tmp_path: Path, write: Write) -> None:
    with pytest.raises(LockError) as caught:
        read(write(tmp_path / "r.txt", "--extra-index https://index.example\n"))
    assert caught.value.hint == "did you mean `--extra-index-url`?"


def test_a_hash_alone(tmp_path: Path, write: Write) -> None:
    with pytest.raises(LockError, match="without a requirement"):
        read(write(tmp_path / "r.txt", "a==1\n--hash=sha256:1\n"))


def test_editable_lines(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "r.txt", "-e ./a\n--editable=./b[x] ; os_name == 'posix'\n-e './my project'\n-e./c\n")
    found = [each for each in read(path) if isinstance(each, Wanted)]
    assert all(each.editable for each in found)
    assert [each.text for each in found] == ["./a", "./b[x] ; os_name == 'posix'", "./my project", "./c"]


def test_includes_start_at_the_including_file(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "r.txt", "-r more/a.txt\n-c c.txt\nb==1\n")
    write(tmp_path / "more" / "a.txt", "a==1\n-r b.txt\n")
    write(tmp_path / "more" / "b.txt", "-f here\n")
    write(tmp_path / "c.txt", "c<2\n-r d.txt\n")
    write(tmp_path / "d.txt", "d==1\n")
    found = read(path)
    assert [each.path for each in found if isinstance(each, Opened)] == [
        str(tmp_path / name) for name in ("r.txt", "more/a.txt", "more/b.txt", "c.txt", "d.txt")
    ]
    assert [(each.place, each.text, each.constraint) for each in found if isinstance(each, Wanted)] == [
        ("more/a.txt:1", "a==1", False),
        ("c.txt:1", "c<2", True),
        ("d.txt:1", "d==1", True),
        ("r.txt:3", "b==1", False),
    ]
    assert Option("more/b.txt:1", str(tmp_path / "more"), "find-links", "here") in found


def test_a_file_that_is_included_twice_is_fine_and_a_circle_is_not(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "r.txt", "-r a.txt\n-r b.txt\n")
    write(tmp_path / "a.txt", "-r b.txt\n")
    write(tmp_path / "b.txt", "b==1\n")
    assert texts(path) == ["b==1", "b==1"]
    write(tmp_path / "b.txt", "-r a.txt\n")
    with pytest.raises(LockError, match=r"`b.txt:1` includes `a.txt`, which includes this file"):
        read(path)


def test_an_include_that_is_missing(tmp_path: Path, write: Write) -> None:
    with pytest.raises(LockError) as caught:
        read(write(tmp_path / "r.txt", "-r sub/none.txt\n"))
    assert caught.value.what == "`r.txt:1` includes `sub/none.txt`, which doesn't exist"


def test_variables_in_capitals_are_replaced_where_they_are_set(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "r.txt", "a @ https://${TOKEN}@index.example/${lower}/$PLAIN/${UNSET}\n")
    assert texts(path, TOKEN="t", PLAIN="no", lower="no") == ["a @ https://t@index.example/${lower}/$PLAIN/${UNSET}"]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
     (codecs.BOM_UTF32_LE, "utf-32-le")],
)  # fmt: skip
def test_encodings(tmp_path: Path, mark: bytes, encoding: str) -> None:
    path = tmp_path / "r.txt"
    path.write_bytes(mark + "# ü\r\na==1\r\n".encode(encoding))
    assert texts(path) == ["a==1"]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_bytes(b"a==1 # \xff\xfe\n")
    with pytest.raises(LockError, match=r"`r.txt` is not UTF-8 text"):
        read(path)
