"""Writes the pages of the site into build/docs: those of this folder, and one for each command from its parser.

    .venv/bin/python docs/pages.py [FOLDER]

FOLDER stands for `build`.
In a page `<!-- readme: HEADING -->` stands for that section of README.md, so that nothing is said in two places, and
`<!-- code: PATH -->` for a file of the repository.  `mkdocs.yml` says how the site is made of them.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_KINDS = (".md", ".svg", ".png", ".css")
_DIRECTIVE = re.compile(r"^<!-- (?P<kind>readme|code): (?P<what>.+?) -->$", re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<to>[^)\s]+)\)")
_PICTURE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<to>[^)\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```)$", re.DOTALL | re.MULTILINE)


def main() -> int:
    sys.path.insert(0, str(ROOT))
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build"
    print(f"wrote {write(folder)} pages into {folder / 'docs'}")
    return 0


def write(folder: Path) -> int:
    """Put all pages into `folder`/docs, and the commands' names in their order, for docs/navigation.py, beside it."""
    from docs.commands import pages as command_pages

    from lamella.cli.app import COMMANDS

    out = folder / "docs"
    made = {**written(DOCS), **command_pages()}
    shutil.rmtree(out, ignore_errors=True)
    for place, text in made.items():
        path = out / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for source in files(DOCS):
        if source.suffix != ".md":
            path = out / source.relative_to(DOCS)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)
    (folder / "commands").write_text("".join(f"{name}\n" for name in COMMANDS))
    return len(made)


def files(folder: Path) -> list[Path]:
    """What a site is made of, below `folder`."""
    return sorted(path for path in folder.rglob("*") if path.suffix in _KINDS)


def written(folder: Path) -> dict[str, str]:
    """The pages below `folder` by their place, with what their comments stand for.

    Raises ValueError for a section that README.md does not have, or a file that is not there.
    """
    readme = (ROOT / "README.md").read_text()
    sources = {path.relative_to(folder).as_posix(): path.read_text() for path in files(folder) if path.suffix == ".md"}
    places = anchors(sources, readme)
    return {place: _filled(place, text, readme, places) for place, text in sources.items()}


def anchors(sources: dict[str, str], readme: str) -> dict[str, str]:
    """Where each heading of README.md is in the site: {"closure": "reference/building.md#closure"}."""
    found = {}
    for place, text in sources.items():
        for directive in _DIRECTIVE.finditer(text):
            if directive["kind"] == "readme":
                whole = section(readme, directive["what"])
                top = _is_title(text, directive["what"])
                for number, (_, heading) in enumerate(_headings(whole)):
                    found[slug(heading)] = place if top and not number else f"{place}#{slug(heading)}"
    return found


def section(readme: str, heading: str) -> str:
    """A section of README.md, from its heading to the next one that is as high.  Raises ValueError."""
    lines = readme.splitlines(keepends=True)
    fenced, begin, depth = False, -1, 0
    for number, line in enumerate(lines):
        fenced ^= line.startswith("```")
        found = None if fenced else _HEADING.match(line)
        if found is None:
            continue
        if begin >= 0 and len(found[1]) <= depth:
            return "".join(lines[begin:number]).strip() + "\n"
        if begin < 0 and found[2].strip() == heading:
            begin, depth = number, len(found[1])
    if begin < 0:
        raise ValueError(f"README.md has no section {heading!r}")
    return "".join(lines[begin:]).strip() + "\n"


def slug(heading: str) -> str:
    """The anchor of a heading, as both GitHub and Python-Markdown make it of the README's headings."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def _headings(text: str) -> list[tuple[str, str]]:
    return [(found[1], found[2].strip()) for found in _HEADING.finditer(_FENCE.sub("", text))]


def _is_title(page: str, heading: str) -> bool:
    return page.startswith(f"# {heading}\n")


def _filled(place: str, page: str, readme: str, places: dict[str, str]) -> str:
    def put(directive: re.Match[str]) -> str:
        what = directive["what"]
        if directive["kind"] == "code":
            return _code(what)
        text = section(readme, what)
        if _is_title(page, what):  # the page has it above
            text = text.partition("\n")[2].lstrip("\n")
            text = _outside_fences(text, lambda part: re.sub(r"^#(#+ )", r"\1", part, flags=re.MULTILINE))
        return _outside_fences(text, lambda part: _linked(part, place, places))

    return _DIRECTIVE.sub(put, page)


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    parts = _FENCE.split(text)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


def _linked(text: str, place: str, places: dict[str, str]) -> str:
    """Links of README.md as they are in the site; what only the repository has becomes plain text."""
    here = posixpath.dirname(place)

    def link(found: re.Match[str]) -> str:
        to = found["to"]
        if to.startswith("#"):
            target = places.get(to[1:])
            return f"[{found['text']}]({_relative(target, here)})" if target else found["text"]
        if "://" in to:
            return found[0]
        if to.startswith("docs/") and to.endswith(".md"):
            return f"[{found['text']}]({_relative(to.removeprefix('docs/'), here)})"
        return f"`{to}`" if "/" in found["text"] or found["text"] == to else found["text"]

    def picture(found: re.Match[str]) -> str:
        return f"![{found['text']}]({_relative(found['to'].removeprefix('docs/'), here)})"

    return _LINK.sub(link, _PICTURE.sub(picture, text))


def _relative(target: str, here: str) -> str:
    path, _, anchor = target.partition("#")
    return posixpath.relpath(path, here or ".") + (f"#{anchor}" if anchor else "")


def _code(name: str) -> str:
    path = ROOT / name
    if not path.is_file():
        raise ValueError(f"there is no {name}")
    language = {".toml": "toml", ".py": "python", ".yml": "yaml", ".yaml": "yaml", ".tf": "terraform", ".sh": "sh"}
    return f"```{language.get(path.suffix, 'text')}\n{path.read_text().strip()}\n```"


if __name__ == "__main__":
    sys.exit(main())
