"""`python -m lamella`."""

from __future__ import annotations

import sys

from lamella.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
