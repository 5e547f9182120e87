"""Run by a target's own interpreter: sources in over stdin, bytecode out over stdout.  Python 3.9 to 3.15, no package.

In, for each file: the lengths of its name and its source (two little-endian 32-bit numbers), the name in UTF-8, the
source.  Out, first, once: the magic number and the flags of .pyc files, 8 bytes.  Out, for each file: a length and the
.pyc file; length 0 for a file that doesn't compile.  Nothing of what is compiled is run.

What `marshal` writes hangs on more than the code: on how often an object happens to be referred to, on which strings
happen to be interned (python/cpython#78274, #98819), and, before Python 3.11, on the order of a set.  So its output is
written anew: every value that repeats is written once, strings that look like names are interned and no others, sets
are sorted.  What comes out is a function of the values alone.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # this file's folder, whose modules are none of this process's business

import importlib.util
import marshal
import re
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    # A value: its bytes, or, of one that is made of others, bytes and the numbers of values in turn
    Value = bytes | tuple[bytes, tuple[int, ...], bytes, tuple[int, ...]]

LENGTH = Struct("<I")
LENGTHS = Struct("<II")

# What the compiler interns when it is a constant; names are interned when a code object is made of them, anyway
NAME = re.compile(rb"[A-Za-z0-9_]*").fullmatch

REFERRED = 0x80  # marshal's FLAG_REF: later objects may refer to this one
REFERENCE = ord("r")
# What a reference takes: values that are no longer are repeated instead
SHORT = 5

# marshal's types: those of one length, those that start with their length, and those that are made of others
FIXED = {ord("N"): 0, ord("F"): 0, ord("T"): 0, ord("."): 0, ord("i"): 4, ord("I"): 8, ord("g"): 8, ord("y"): 16}
LONG_SIZED = {ord("s"): b"s", ord("u"): b"u", ord("t"): b"u", ord("a"): b"a", ord("A"): b"a"}
SHORT_SIZED = frozenset(b"zZ")
INTEGER = ord("l")
SHORT_TUPLE, TUPLE, SET, SLICE, CODE = b")(>:c"
# Of a code object: bytes of numbers, then objects, one number of four bytes, and objects again
SHAPE = (24, 8, 1) if sys.version_info < (3, 11) else (20, 8, 2)

UNCHECKED = 1  # the flags of a .pyc file: with the source's hash, which is not compared when it is imported

# Something of every type, to see whether this file knows what the interpreter writes
SAMPLE = rb"""
"A docstring, and more"
class Class(dict):
    def method(self, *a, b=(1, 2.5, -3j, None, ..., b"bytes", "\xe4\u20ac"), **c):
        self.one = [0x123456789abcdef << 64, b in {"one", "two", 3, None}, "a docstring", self[1:2], a[:]]
        return lambda: (self, a, b, c)
"""


class UnknownFormatError(Exception):
    """marshal's output holds what this file doesn't know."""


class Reader:
    """Reads marshal's output into values with numbers, in order: equal values are one, whatever shared them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.values: list[Value] = []
        self.uses: list[int] = []  # by how many values each is held
        self.numbers: dict[object, int] = {}
        self.texts: dict[bytes, int] = {}
        self.referred: list[int] = []

    def read(self) -> int:
        """The number of the value that comes next."""
        data, start = self.data, self.at
        kind = data[start] & ~REFERRED
        if kind == REFERENCE:
            self.at = start + 5
            return self.referred[int.from_bytes(data[start + 1 : start + 5], "little")]
        place = -1
        if data[start] & REFERRED:
            place = len(self.referred)
            self.referred.append(-1)
        self.at = start + 1
        number = self.plain(kind)
        if number < 0:
            number = self.made(kind)
        if place >= 0:
            self.referred[place] = number
        return number

    def plain(self, kind: int) -> int:
        """A value of bytes alone; -1 for one that is made of others."""
        data, at = self.data, self.at
        if kind in SHORT_SIZED:
            self.at = at + 1 + data[at]
            text = data[at : self.at]
            known = self.texts.get(text)
            if known is None:
                value = (b"Z" if NAME(text, 1) else b"z") + text
                known = self.texts[text] = self.number(value, value)
            return known
        head = b""
        if kind in FIXED:
            end = at + FIXED[kind]
        elif kind in LONG_SIZED:
            end = at + 4 + LENGTH.unpack_from(data, at)[0]
            head = LONG_SIZED[kind]
        elif kind == INTEGER:
            end = at + 4 + 2 * abs(int.from_bytes(data[at : at + 4], "little", signed=True))
        else:
            return -1
        self.at = end
        value = (head or bytes([kind])) + data[at:end]
        return self.number(value, value)

    def made(self, kind: int) -> int:
        """A value that is made of others."""
        if kind == SHORT_TUPLE:
            count = self.data[self.at]
            self.at += 1
            return self.holder(tuple_head(count), self.several(count))
        if kind == TUPLE:
            count = self.count()
            return self.holder(tuple_head(count), self.several(count))
        if kind == SET:
            count = self.count()
            return self.holder(b">" + LENGTH.pack(count), tuple(sorted(self.several(count), key=self.flat)))
        if kind == SLICE:
            return self.holder(b":", self.several(3))
        if kind == CODE:
            return self.code()
        raise UnknownFormatError(f"type {chr(kind)!r} at {self.at}")

    def code(self) -> int:
        """A code object: never the same as another, however equal they are."""
        numbers, before, after = SHAPE
        head = b"c" + self.data[self.at : self.at + numbers]
        self.at += numbers
        members = self.several(before)
        line = self.data[self.at : self.at + 4]
        self.at += 4
        return self.holder(head, members, line, self.several(after), len(self.values))

    def several(self, count: int) -> tuple[int, ...]:
        return tuple([self.read() for _ in range(count)])

    def count(self) -> int:
        (count,) = LENGTH.unpack_from(self.data, self.at)
        self.at += 4
        return int(count)

    def holder(
        self, head: bytes, members: tuple[int, ...], tail: bytes = b"", after: tuple[int, ...] = (), mark: int = -1
    ) -> int:
        known = len(self.values)
        number = self.number((head, members, mark), (head, members, tail, after))
        if number == known:
            uses = self.uses
            for member in members:
                uses[member] += 1
            for member in after:
                uses[member] += 1
        return number

    def number(self, key: object, value: Value) -> int:
        number = self.numbers.setdefault(key, len(self.values))
        if number == len(self.values):
            self.values.append(value)
            self.uses.append(0)
        return number

    def flat(self, number: int) -> bytes:
        """A value's bytes without references: what sets are sorted by."""
        value = self.values[number]
        if isinstance(value, bytes):
            return value
        head, members, tail, after = value
        return b"".join([head, *map(self.flat, members), tail, *map(self.flat, after)])


class Writer:
    """Writes what was read.  A value that is held more than once is referred to from its second time on."""

    def __init__(self, reader: Reader) -> None:
        self.values = reader.values
        self.uses = reader.uses
        self.places: dict[int, int] = {}
        self.out: list[bytes] = []

    def write(self, number: int) -> None:
        place = self.places.get(number)
        if place is not None:
            self.out.append(b"r" + LENGTH.pack(place))
            return
        value = self.values[number]
        if isinstance(value, bytes):
            self.out.append(self.marked(number, value) if len(value) > SHORT else value)
            return
        head, members, tail, after = value
        self.out.append(self.marked(number, head))
        for member in members:
            self.write(member)
        self.out.append(tail)
        for member in after:
            self.write(member)

    def marked(self, number: int, head: bytes) -> bytes:
        if self.uses[number] < 2:
            return head
        self.places[number] = len(self.places)
        return bytes([head[0] | REFERRED]) + head[1:]


def tuple_head(count: int) -> bytes:
    return b")" + bytes([count]) if count < 256 else b"(" + LENGTH.pack(count)


def canonical(data: bytes) -> bytes:
    """marshal's output, written anew as a function of the values alone.  Raises UnknownFormatError."""
    reader = Reader(data)
    root = reader.read()
    if reader.at != len(data):
        raise UnknownFormatError(f"{len(data) - reader.at} bytes are left")
    writer = Writer(reader)
    writer.write(root)
    return b"".join(writer.out)


def bytecode(source: bytes, name: str) -> bytes:
    """The content of a .pyc file (PEP 552, unchecked).  Raises what compile() does, UnknownFormatError."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    data = canonical(marshal.dumps(code))
    if marshal.loads(data) != code:
        raise UnknownFormatError("not the code that was compiled")
    return importlib.util.MAGIC_NUMBER + LENGTH.pack(UNCHECKED) + importlib.util.source_hash(source) + data


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answer until the source ends."""
    target.write(bytecode(SAMPLE, "sample.py")[:8])
    target.flush()
    while lengths := source.read(LENGTHS.size):
        name, size = LENGTHS.unpack(lengths)
        shown = source.read(name).decode("utf-8", "surrogateescape")
        try:
            answer = bytecode(source.read(size), shown)
        except Exception:  # what can't be compiled stays a source, whatever is wrong with it
            answer = b""
        target.write(LENGTH.pack(len(answer)) + answer)
        target.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
