from __future__ import annotations

import importlib.metadata

import pytest
from packaging.version import Version

from lamella.errors import ArchiveError
from lamella.wheels.distinfo import Row, is_dist_info, parse_metadata, parse_record, parse_scripts, parse_wheel


@pytest.mark.parametrize(
    ("directory", "fits"),
    [
        ("two_words-1.0.dist-info", True),
        ("Two.Words-1.0.0.dist-info", True),
        ("two-words-1.dist-info", True),
        ("two_words-1.1.dist-info", False),
        ("two-1.0.dist-info", False),
        ("two_words-one.dist-info", False),
        ("two_words.dist-info", False),
        ("Two.Words-1.0.data", True),
        ("two_words-1.1.data", False),
    ],
)
def test_is_dist_info(directory: str, fits: bool) -> None:
    assert is_dist_info(directory, "two-words", Version("1.0")) is fits


def test_record() -> None:
    data = b'a,sha256=abc==,1\r\n"b, c",sha512=d_-,\n\nd,,\n'
    assert parse_record(data, "w", "RECORD") == {
        "a": Row("sha256", "abc", 1),
        "b, c": Row("sha512", "d_-", None),
        "d": Row("", "", None),
    }


def test_metadata() -> None:
    data = b"Name: Two.Words\nVersion: 1.0.0\nRequires-Dist: a\nRequires-Dist: b (>=1)\n\nRequires-Dist: in the text\n"
    found = parse_metadata(data, "w", "METADATA")
    assert found == ("two-words", "1.0.0", ("a", "b (>=1)"), None)


@pytest.mark.parametrize(
    ("text", "purelib"),
    [
        (b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n", True),
        (b"wheel-version:1.0\nroot-is-purelib: TRUE\n", True),
        (b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n", False),
        (b"Wheel-Version: 1\n", False),
    ],
)
def test_wheel(text: bytes, purelib: bool) -> None:
    assert parse_wheel(text, "w", "WHEEL") is purelib


SCRIPTS = b"""\
# a comment
[console_scripts]
one = pair:main
Two-2 = pair.sub:Class.run [extra]
three=pair:main
[other.group]
plugin = anything = goes ! here
[gui_scripts]
show = pair : window
"""


def test_scripts_are_those_of_importlib() -> None:
    found = parse_scripts(SCRIPTS, "w", "entry_points.txt")
    assert found == (
        ("Two-2", "pair.sub:Class.run"),
        ("one", "pair:main"),
        ("show", "pair:window"),
        ("three", "pair:main"),
    )
    points = importlib.metadata.EntryPoints._from_text_for(SCRIPTS.decode(), None)  # type: ignore[attr-defined]
    names = {point.name for point in points if point.group in ("console_scripts", "gui_scripts")}
    assert names == {name for name, _ in found}


def test_no_scripts() -> None:
    assert parse_scripts(b"", "w", "entry_points.txt") == ()
    assert parse_scripts(b"[other]\na = b\n", "w", "entry_points.txt") == ()


@pytest.mark.parametrize(
    "text",
    [
        b"one = pair:main\n",
        b"[console_scripts\n",
        b"[console_scripts]\none\n",
        b"[console_scripts]\none = pair\n",
        b"[console_scripts]\none = pair:main; import os\n",
        b"[console_scripts]\n../one = pair:main\n",
        b"[console_scripts]\nsub/one = pair:main\n",
        b"[console_scripts]\n.. = pair:main\n",
        b"[console_scripts]\na\\b = pair:main\n",
        b"[console_scripts]\na\x1b[2J = pair:main\n",
        b"\xff\xfe",
    ],
)
def test_scripts_that_are_refused(text: bytes) -> None:
    with pytest.raises(ArchiveError):
        parse_scripts(text, "w", "entry_points.txt")
