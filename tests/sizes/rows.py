"""Rows of an artifact as a build would explain them, one of each sort."""

from __future__ import annotations

from lamella.sizes.model import Explained, Row

WHEEL = "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"


def row(
    path: str,
    before: tuple[int, int],
    after: tuple[int, int] | None = None,
    *,
    rule: str = "",
    reason: str = "",
    distribution: str = "demo",
    changes: tuple[str, ...] = (),
    kept: bool = True,
) -> Row:
    """A row with its sizes, zipped and unzipped; `after` is `before` for what is kept as it is."""
    now = (before if after is None else after) if kept else (0, 0)
    version, wheel = ("1.0", WHEEL.replace("demo", distribution)) if distribution else ("", "")
    return Row(path, distribution, version, wheel, kept, rule, reason, *before, *now, changes)


def layer() -> Explained:
    """A layer of two distributions: 8,000 of 16,000 bytes zipped, 19,400 of 36,500 unzipped."""
    return Explained(
        "layer",
        "layer.zip",
        (
            row("python/demo/__init__.py", (1000, 3000)),
            row("python/demo/core.cpython-312-x86_64-linux-gnu.so", (3000, 7000), (2000, 5000), changes=("blanked",)),
            row("python/demo.libs/libz-abc.so.1", (2500, 6000)),
            row(
                "python/demo.libs/libz-abc.so", (2500, 6000), (100, 13),
                rule="equal", reason="an equal file is there", changes=("linked to libz-abc.so.1",),
            ),
            row("python/demo/tests/test_core.py", (1500, 4000), kept=False, rule="tests", reason="not for use"),
            row("python/demo/tests/data/big.bin", (3000, 5000), kept=False, rule="tests", reason="not for use"),
            row("python/demo/core.pyi", (500, 1500), kept=False, rule="stubs", reason="for type checkers"),
            row("python/demo-1.0.dist-info/METADATA", (600, 1600)),
            row(
                "python/demo/__pycache__/__init__.cpython-312.pyc", (0, 0), (900, 1387),
                rule="bytecode", reason="compiled by Python 3.12.1 from its source", changes=("compiled",),
            ),
            row("python/scikit_thing/table.csv", (1400, 2400), (900, 2400), distribution="scikit-thing",
                changes=("recompressed",)),
        ),
    )  # fmt: skip


def function() -> Explained:
    """A function with one file of its own, and others that it leaves out."""
    reason = "it is the project's own"
    left_out = (
        row(
            "notes.md", (0, 0), distribution="", kept=False, rule="exclude", reason="`exclude` leaves it out, by `*.md`"
        ),
        row("app/__pycache__/", (0, 0), distribution="", kept=False, rule="never", reason="tools make it anew"),
    )
    return Explained("api", "api.zip", (row("app.py", (200, 300), distribution="", reason=reason),), left_out)


def twice() -> Row:
    """A library that was blanked, and compressed anew."""
    changes = ("blanked", "recompressed")
    return row("python/demo/twice.so", (900, 2000), (500, 1500), changes=changes)._replace(zipped_between=600)
