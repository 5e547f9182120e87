from __future__ import annotations

import os

import pytest

from lamella.runtime.logs import Lines, Pipe


def test_whole_lines_are_given_as_they_come() -> None:
    given: list[bytes] = []
    lines = Lines(given.append)
    lines.say(b"START\n")
    lines.add(b"one\ntw")
    assert given == [b"START\n", b"one\n"]
    lines.add(b"o")
    lines.add(b"\nthree")
    assert given[2:] == [b"two\n"]
    lines.say(b"END\n")
    assert given[3:] == [b"three\nEND\n"]
    assert lines.close() == b"".join(given) == b"START\none\ntwo\nthree\nEND\n"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([b"[ERROR] x\rTraceback\r  File\n"], b"[ERROR] x\nTraceback\n  File\n"),
        ([b"a\r\nb\r\n"], b"a\nb\n"),
        ([b"a\r", b"\nb\n"], b"a\nb\n"),
        ([b"a\r", b"b\n"], b"a\nb\n"),
        ([b"a\r"], b"a\n"),
        ([b"\r", b"\r", b"\n"], b"\n\n"),
        ([b"", b"a"], b"a\n"),
        ([], b""),
    ],
)
def test_carriage_returns_are_line_ends(pieces: list[bytes], text: bytes) -> None:
    lines = Lines(None)
    for piece in pieces:
        lines.add(piece)
    assert lines.close() == text


def test_a_line_without_an_end_is_given_in_parts() -> None:
    given: list[bytes] = []
    lines = Lines(given.append)
    for _ in range(64):
        lines.add(b"x" * 10_000)
    assert len(given) >= 2
    assert max(map(len, given)) < 300_000
    lines.say(b"END\n")
    assert lines.close() == b"x" * 640_000 + b"\nEND\n"


def test_no_second_line_end_after_a_part() -> None:
    lines = Lines(None)
    lines.add(b"x" * 300_000)
    lines.add(b"\n")
    lines.say(b"END\n")
    assert lines.close() == b"x" * 300_000 + b"\nEND\n"


def test_a_pipe_is_read_without_waiting_until_nobody_writes() -> None:
    reading, writing = os.pipe()
    pipe, lines = Pipe(reading), Lines(None)
    assert pipe.read(lines) == 0
    os.write(writing, b"a\nb")
    assert pipe.read(lines) == 3
    assert not pipe.over
    os.close(writing)
    assert pipe.read(lines) == 0
    assert pipe.over
    pipe.close()
    assert lines.close() == b"a\nb\n"
