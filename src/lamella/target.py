"""The machine that code is built for: a Lambda runtime on an architecture.

Runtime and architecture in; wheel tags, marker environment and paths out.  Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lamella.errors import ConfigError
from lamella.facts.tables import Runtime, runtimes
from lamella.wording import closest

if TYPE_CHECKING:
    from packaging.tags import Tag

# AWS's name of an architecture, and the name that wheels, `uname -m` and PEP 508 markers use.
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_ALIASES = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64", "armv8": "arm64"}

# PEP 600: the names from before `manylinux_2_17` and the glibc that each stands for.
_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
# PEP 513 starts at glibc 2.5, for x86; PEP 599 brought the other architectures in, with 2.17.
_OLDEST_GLIBC_MINOR = {"x86_64": 5, "aarch64": 17}

# Lambda moves a function to newer patch releases by itself (runtime management, "Auto"), so a marker such as
# `python_full_version >= "3.12.4"` is asked for the newest patch.  No CPython minor has reached 99 of them.
_NEWEST_PATCH = 99


class Target(NamedTuple):
    """A runtime (``python3.12``) on an architecture in AWS's words (``x86_64`` or ``arm64``).

    Make one with `Target.parse` where the two come from a person.
    """

    runtime: str
    architecture: str

    @classmethod
    def parse(cls, runtime: str, architecture: str) -> Target:
        """The target that a person's two words name.

        Raises ConfigError with the known names, and the one that was probably meant.
        """
        _known(runtime, tuple(runtimes()), "runtime")
        if architecture in _ALIASES:
            meant = _ALIASES[architecture]
            raise ConfigError(
                f"unknown architecture `{architecture}`",
                hint=f'AWS calls it `{meant}`: write architecture = "{meant}"',
            )
        _known(architecture, runtimes()[runtime].architectures, "architecture")
        return cls(runtime, architecture)

    def __str__(self) -> str:
        """As messages name it: ``python3.11 (x86_64, glibc 2.26)``."""
        return f"{self.runtime} ({self.architecture}, glibc {self.glibc[0]}.{self.glibc[1]})"

    @property
    def facts(self) -> Runtime:
        """The runtime's row in the table."""
        return runtimes()[self.runtime]

    @property
    def python(self) -> tuple[int, int]:
        """(3, 12)"""
        return self.facts.python

    @property
    def glibc(self) -> tuple[int, int]:
        """(2, 34): the newest glibc that a native library may ask for."""
        return self.facts.glibc

    @property
    def machine(self) -> str:
        """`x86_64` or `aarch64`, as wheels and `uname -m` say it."""
        return _MACHINES[self.architecture]

    @property
    def interpreter(self) -> str:
        """The interpreter's path inside Lambda, for the first line of programs."""
        return self.facts.interpreter

    @property
    def site_packages(self) -> str:
        """Where a layer keeps what only this Python can use (AWS Lambda developer guide, Layer paths)."""
        return f"python/lib/{self.runtime}/site-packages"

    def tags(self) -> tuple[Tag, ...]:
        """The wheel tags that run here, best first, in packaging's order (PEP 425); plain `linux` platforms come last.

        Raises nothing.  Free-threaded builds are no part of it: Lambda runs the default one.
        """
        return _tags(self)

    def platforms(self) -> tuple[str, ...]:
        """The platform tags of compiled wheels that run here, newest glibc first (PEP 600)."""
        return tuple(_platforms(self.machine, self.glibc))

    def environment(self) -> dict[str, str]:
        """The values of environment markers here (PyPA spec: dependency specifiers), `extra` empty."""
        major, minor = self.python
        full = f"{major}.{minor}.{_NEWEST_PATCH}"
        return {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": full,
            "python_version": f"{major}.{minor}",
            "sys_platform": "linux",
            "extra": "",
        }

    def warnings(self, today: date) -> tuple[str, ...]:
        """What a person should know about this runtime on `today`, a sentence each."""
        return tuple(_warnings(self.facts, today))


@cache
def _tags(target: Target) -> tuple[Tag, ...]:
    from packaging.tags import compatible_tags, cpython_tags

    interpreter = f"cp{target.python[0]}{target.python[1]}"
    platforms = target.platforms()
    return (
        # The ABI is given because packaging would otherwise take that of the interpreter that runs this.
        *cpython_tags(target.python, abis=[interpreter], platforms=platforms),
        *compatible_tags(target.python, interpreter=interpreter, platforms=platforms),
    )


def _platforms(machine: str, glibc: tuple[int, int]) -> Iterator[str]:
    major, newest = glibc
    for minor in range(newest, _OLDEST_GLIBC_MINOR[machine] - 1, -1):
        yield f"manylinux_{major}_{minor}_{machine}"
        if legacy := _LEGACY_MANYLINUX.get((major, minor)):
            yield f"{legacy}_{machine}"
    # A wheel that somebody built on some Linux, with no promise about glibc: last, though packaging puts it first,
    # for what was built on the machine that it runs on.
    yield f"linux_{machine}"


def _warnings(facts: Runtime, today: date) -> Iterator[str]:
    if not facts.verified:
        yield (
            f"the base of {facts.name} is not verified: it is taken to be {facts.base}, "
            f"glibc {facts.glibc[0]}.{facts.glibc[1]}"
        )
    blocked = [
        (doing, day) for doing, day in (("creating", facts.create_blocked), ("updating", facts.update_blocked)) if day
    ]
    if facts.deprecated and today >= facts.deprecated:
        text = f"{facts.name} is deprecated since {facts.deprecated}: it gets no security patches"
        for doing, day in blocked:
            since = "is blocked since" if today >= day else "will be blocked on"
            text += f"; {doing} functions {since} {day}"
        yield text


def _known(word: str, known: tuple[str, ...], kind: str) -> None:
    """Raises ConfigError unless `word` is one of `known`."""
    if word in known:
        return
    # `3.12` is too far from `python3.12` for difflib, and is what people write.
    meant = f"python{word}" if f"python{word}" in known else closest(word, known)
    raise ConfigError(
        f"unknown {kind} `{word}`",
        why=[f"known are {', '.join(known)}"],
        hint=f"did you mean `{meant}`?" if meant else None,
    )
