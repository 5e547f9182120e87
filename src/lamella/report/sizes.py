"""Numbers of bytes and seconds as people read them."""

from __future__ import annotations


def megabytes(count: int) -> str:
    """Bytes in decimal units, as AWS's limits and the index give them: 812 B, 4.2 kB, 76.2 MB."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.1f} kB"
    return f"{count / 1_000_000:.1f} MB"


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def change(count: int) -> str:
    """A difference of sizes with its sign, in the units of `megabytes`; nothing for none."""
    return f"{'+' if count > 0 else '-'}{megabytes(abs(count))}" if count else ""
