"""What is built: the two real sets of dependencies, and one that is large and made up."""

from __future__ import annotations

import base64
import hashlib
import random
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Dependencies:
    """A set with a name for the table, as a person would write it down: unpinned.

    `less` are the lines of a layer's table in TOML that leave out what this project does not use.
    """

    name: str
    distributions: tuple[str, ...]
    less: str = ""


SPECTRA = Dependencies(
    "Spectra",
    ("aws-lambda-powertools", "pydantic", "pydantic-settings", "boto3", "pyarrow"),
    """\
services = ["dynamodb", "redshift-data", "s3", "secretsmanager", "sqs"]
without = ["pyarrow:flight", "pyarrow:s3"]
""",
)
GALERLY = Dependencies("Galerly", ("Pillow", "rawpy", "pillow-heif", "numpy"))

# Nothing left out and nothing derived: what the wheels hold, as the tools beside it pack it
PLAIN = """\
profile = "none"
bytecode = "none"
"""
SMALL = """\
profile = "lean"
compression = "max"
bytecode = "instead"
"""

_PROJECT = """\
[project]
name = "{name}"
version = "1"
requires-python = "==3.12.*"
dependencies = {dependencies}

[tool.uv]
environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]

[tool.lamella]
runtime = "python3.12"
architecture = "x86_64"
"""
_LARGE = """\
runtime = "python3.12"
architecture = "x86_64"

[layers.layer]
name = "large"
{settings}"""


def write_project(folder: Path, dependencies: Dependencies, layers: Mapping[str, str]) -> None:
    """A project with nothing but `layers`, all of the same distributions: key, and the lines of its table in TOML.

    It has no lock yet.
    """
    folder.mkdir()
    listed = "[" + ", ".join(f'"{name}"' for name in dependencies.distributions) + "]"
    tables = [_PROJECT.format(name=dependencies.name.lower(), dependencies=listed)]
    tables += [f"\n[tool.lamella.layers.{key}]\n{settings}" for key, settings in layers.items()]
    (folder / "pyproject.toml").write_text("".join(tables), encoding="utf-8")


def write_large_project(folder: Path, wheels: int, mebibytes: int, small: int) -> None:
    """A project whose lock names made-up wheels that lie beside it.

    Each of the `wheels` holds `mebibytes` MiB that don't compress, half of them in one member, and `small` members of
    a few hundred bytes.
    """
    (folder / "wheels").mkdir(parents=True)
    (folder / "lamella.toml").write_text(_LARGE.format(settings=PLAIN), encoding="utf-8")
    lock = ['lock-version = "1.0"\ncreated-by = "bench"\n']
    for number in range(wheels):
        name = f"large{number}"
        path = folder / "wheels" / f"{name}-1.0-py3-none-any.whl"
        write_wheel(path, name, mebibytes, small)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lock.append(
            f'\n[[packages]]\nname = "{name}"\nversion = "1.0"\nwheels = [{{ name = "{path.name}", '
            f'path = "wheels/{path.name}", size = {path.stat().st_size}, hashes = {{ sha256 = "{digest}" }} }}]\n'
        )
    (folder / "pylock.toml").write_text("".join(lock), encoding="utf-8")


def write_wheel(path: Path, name: str, mebibytes: int, small: int) -> None:
    """A valid wheel of pseudorandom bytes.  Its deflate streams hold stored blocks, so that making it is quick."""
    seeded = random.Random(name)
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=0) as wheel:
        for member, sizes in _members(name, mebibytes, small):
            digest, length = hashlib.sha256(), 0
            with wheel.open(member, "w") as file:
                for size in sizes:
                    piece = seeded.randbytes(size)
                    file.write(piece)
                    digest.update(piece)
                    length += size
            record.append(f"{member},sha256={_encoded(digest.digest())},{length}\n")
        info = f"{name}-1.0.dist-info"
        for member, text in (
            (f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"),
            (f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ):
            wheel.writestr(member, text)
            record.append(f"{member},sha256={_encoded(hashlib.sha256(text.encode()).digest())},{len(text)}\n")
        record.append(f"{info}/RECORD,,\n")
        wheel.writestr(f"{info}/RECORD", "".join(record))


def _members(name: str, mebibytes: int, small: int) -> Iterator[tuple[str, list[int]]]:
    """Names, and the sizes in bytes of the pieces in which each is written."""
    largest = mebibytes // 2
    yield f"{name}/largest.bin", [MIB] * largest
    left = mebibytes - largest
    for number in range(0, left, 4):
        yield f"{name}/part{number:04}.bin", [MIB] * min(4, left - number)
    for number in range(small):
        yield f"{name}/data/{number % 50:02}/small{number:05}.bin", [200 + number % 400]


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
