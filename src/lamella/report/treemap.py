"""What takes the space in artifacts, as a page with a map to zoom into: in the wheels and in the artifact."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from lamella.report.page import HUES, page, text_beside
from lamella.sizes.sums import RECOMPRESSION

if TYPE_CHECKING:
    from lamella.sizes.model import Placed, Sums


# One script, in this order
_SCRIPTS = ("treemap_tree.js", "treemap_text.js", "treemap_draw.js", "treemap_page.js")


def treemap(project: str, found: Sequence[tuple[str, Sums, Sequence[Placed]]]) -> str:
    """The page of some artifacts of a project: the key, sums and files of each.

    Of one alone its distributions come first.

    Its state is in the address behind `#`, as a query: `at` (a path in the map: artifact, where there are several,
    then distribution, then folders), `view` ("before" or "after"), `by` ("zipped" or "unzipped"), `colour`
    ("distribution" or "kind") and `rule` (the one to show alone).
    """
    one = found[0][0] if len(found) == 1 else ""
    title = f"Size of {one or 'layers and functions'}: {project}"
    body = text_beside("treemap.html").replace("{what}", f"<code>{escape(one)}</code>" if one else "the artifacts")
    return page(
        title,
        body.replace("{project}", escape(project)),
        script="\n".join(map(text_beside, _SCRIPTS)),
        style=text_beside("treemap.css"),
        data=_data(project, found),
    )


def _data(project: str, found: Sequence[tuple[str, Sums, Sequence[Placed]]]) -> dict[str, object]:
    """The tree for the script: a folder is [name, children], a file as `_Tables.leaf` has it."""
    tables = _Tables()
    trees = [[key, _tree(files, tables)] for key, _, files in found]
    return {
        "tree": trees[0] if len(trees) == 1 else [project, trees],
        "several": len(trees) > 1,
        "hues": HUES,
        "kinds": list(tables.kinds),
        "steps": list(tables.steps),
        "later": RECOMPRESSION,
        "why": {saving.name: saving.reason for _, sums, _ in reversed(found) for saving in sums.savings},
        "reasons": list(tables.reasons),
    }


class _Tables:
    """Texts that many files share, by number: a page has thousands of files."""

    def __init__(self) -> None:
        self.kinds: dict[str, int] = {}
        self.steps: dict[str, int] = {"": 0}
        self.reasons: dict[str, int] = {"": 0}

    def leaf(self, name: str, file: Placed) -> list[object]:
        """[name, kind, whether it stays, step, reason, zipped, unzipped] and, where it differs, both sizes before.

        Behind these, what recompression took away of a file that was blanked before.
        """
        row = file.row
        reason = "; ".join(filter(None, (row.reason, ", ".join(row.changes) if row.rule != "bytecode" else "")))
        leaf: list[object] = [
            name,
            _number(self.kinds, file.kind),
            int(row.kept),
            _number(self.steps, file.step),
            _number(self.reasons, reason),
            row.zipped,
            row.unzipped,
        ]
        if (row.before_zipped, row.before_unzipped) != (row.zipped, row.unzipped):
            leaf += [row.before_zipped, row.before_unzipped]
            if row.zipped_between:
                leaf.append(row.zipped_between - row.zipped)
        return leaf


def _number(table: dict[str, int], text: str) -> int:
    return table.setdefault(text, len(table))


def _tree(files: Sequence[Placed], tables: _Tables) -> list[Any]:
    """The artifact's distributions as nested lists."""
    root: dict[str, Any] = {}
    for file in files:
        row = file.row
        folder = root.setdefault(f"{row.distribution} {row.version}".strip() or "own files", {})
        *folders, name = row.path.removeprefix("python/").split("/")
        for part in folders:
            folder = folder.setdefault(part + "/", {})
        # Two wheels may bring one path, each for its runtime
        while name in folder:
            name += " "
        folder[name] = file
    return [[name, _lists(folder, tables)] for name, folder in root.items()]


def _lists(folder: dict[str, Any], tables: _Tables) -> list[Any]:
    """A folder's content; one that holds nothing but a folder is told in one with it."""
    found = []
    for name, content in folder.items():
        if not isinstance(content, dict):
            found.append(tables.leaf(name.rstrip(), content))
            continue
        name = name.rstrip("/")
        while len(content) == 1 and isinstance(next(iter(content.values())), dict):
            ((below, content),) = content.items()
            name = f"{name}/{below.rstrip('/')}"
        found.append([name, _lists(content, tables)])
    return found
