"""`python -m lamella`."""

from __future__ import annotations

from lamella.cli.start import entry

if __name__ == "__main__":
    entry()
