"""Small projects that package by other means, with wheels on this disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.build.projects import HANDLER, RUNTIME, Project

from lamella.migrate.detect import choose, read
from lamella.migrate.model import Proposal, Reading
from lamella.migrate.proposal import propose

DEMO = "import demo\n\n\ndef handler(event, context):\n    return {'statusCode': 200, 'demo': demo.__name__}\n"


def written(root: Path, files: Mapping[str, str]) -> Path:
    """The files in the folder; `RUNTIME` stands for the runtime that the tests run on."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("RUNTIME", RUNTIME))
    return root


def reading(root: Path, kind: str | None = None) -> Reading:
    return read(str(root), choose(str(root), kind))


def proposed(root: Path, kind: str | None = None) -> Proposal:
    return propose(str(root), reading(root, kind), None)


def said(one: Reading | Proposal, *, mapped: bool | None = None) -> dict[str, str]:
    """What the items say, by `file:line`; several of one line are joined."""
    found: dict[str, str] = {}
    for item in one.items:
        if mapped in (None, item.mapped):
            found[str(item.place)] = "; ".join(filter(None, [found.get(str(item.place)), item.what]))
    return found


def line(text: str, fragment: str) -> int:
    """The number of the one line that the fragment is in."""
    (found,) = [number for number, one in enumerate(text.splitlines(), 1) if fragment in one]
    return found


def project(folder: Path, files: Mapping[str, str], *names: str) -> Project:
    """A project with the files, without a configuration, and a wheel of each name for its requirements."""
    one = Project(folder)
    (one.root / "src").rmdir()
    for name in names:
        one.wheel(name)
    written(one.root, files)
    return one


def pinned(one: Project, *names: str) -> str:
    """Lines of a requirements file with hashes, found in the wheelhouse."""
    from tests.wheels.wheelmaker import sha256

    lines = [f"--find-links {one.wheelhouse}", "--no-index"]
    for filename, content in one.wheels.items():
        if filename.partition("-")[0] in names:
            lines.append(f"{filename.partition('-')[0]}==1.0 --hash=sha256:{sha256(content)}")
    return "\n".join(lines) + "\n"


__all__ = ["DEMO", "HANDLER", "RUNTIME", "line", "pinned", "project", "proposed", "reading", "said", "written"]
