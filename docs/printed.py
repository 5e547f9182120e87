"""Writes what lamella prints into the pages that show it.

    .venv/bin/python docs/printed.py [PAGE…]

Between `<!-- printed: NAME -->` and `<!-- end -->` stands what tests/docs/cases.py made lamella print.  The commands of
docs/first-layer.md are run in their order in an empty folder, on packages of the index.  Tests compare all of it.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TROUBLES = ROOT / "docs" / "troubleshooting"
SESSION = ROOT / "docs" / "first-layer.md"

_BLOCK = re.compile(r"^<!-- printed: (?P<name>\S+) -->\n.*?^<!-- end -->$", re.DOTALL | re.MULTILINE)
# What is new each time, and what differs between machines: times, sizes, identifiers, versions of Python, isolation
_NEW = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.+Z-]+|[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{64}\b|Python 3\.\d+\.\d+"
    r"|\bbubblewrap\b|\bnamespaces\b|\bpath-only\b|[-+]?\d[\d.]* ?(?:B|kB|MB|ms|s|%)(?!\w)|\b\d{4,}\b|\b\d+(?= members)"
)


def filled(page: str, printed: dict[str, str]) -> str:
    """The page with these blocks.  Raises KeyError for one that nobody printed."""
    return _BLOCK.sub(
        lambda found: f"<!-- printed: {found['name']} -->\n```text\n{printed[found['name']]}```\n<!-- end -->", page
    )


def names(page: str) -> list[str]:
    return [found["name"] for found in _BLOCK.finditer(page)]


def masked(text: str) -> str:
    """What must be equal wherever it is made."""
    return re.sub(r"[ \t]+", " ", _NEW.sub("#", text))


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.docs.cases import CASES, Desk
    from tests.docs.session import played

    wanted = sys.argv[1:] or [*CASES, SESSION.stem]
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            if name == SESSION.stem:
                page = played(SESSION.read_text(), Path(folder), {})
                SESSION.write_text(page)
                continue
            desk = Desk(Path(folder))
            CASES[name](desk)
            path = TROUBLES / f"{name}.md"
            path.write_text(filled(path.read_text(), desk.printed))
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
