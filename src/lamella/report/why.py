"""Why something is in an artifact or not: in words, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lamella.report.sizes import megabytes
from lamella.wording import escaped

if TYPE_CHECKING:
    from lamella.report.console import Console
    from lamella.sizes.model import Answer, Group, Row

# So many files of a folder are listed one by one
_LISTED = 12


def show(console: Console, artifact: str, answer: Answer) -> None:
    """A paragraph for a file, or for what has none; for more a table by rule and, of a few, by path."""
    if answer.what in ("file", "absent"):
        for row in answer.rows:
            for line in about(row):
                console.data(line)
        return
    console.data(f"`{escaped(answer.path)}` in `{artifact}`: {_counts(answer)}")
    columns = ("", "rule", "files", "zipped", "unzipped", "because")
    console.table(columns, [_group(group) for group in answer.groups], right=frozenset({2, 3, 4}))
    if len(answer.rows) <= _LISTED:
        console.data("")
        paths = ("path", "", "rule", "zipped", "unzipped")
        console.table(paths, [_line(row) for row in answer.rows], right=frozenset({3, 4}))


def about(row: Row) -> list[str]:
    """What there is to say of one file."""
    lines = [f"`{escaped(row.path)}` is {_state(row.kept)}"]
    if row.wheel:
        lines.append(f"  from     {row.distribution} {row.version}, {row.wheel}")
    if row.wheel or row.rule:
        lines.append(f"  rule     {row.rule or 'none'}")
    lines.append(f"  because  {row.reason or 'no rule is about it'}")
    changes = ", ".join(row.changes)
    if changes and row.rule != "bytecode":
        lines.append(f"  changed  {changes}")
    if row.kept or row.wheel:
        lines.append(f"  size     {_sizes(row)}")
    return lines


def _sizes(row: Row) -> str:
    was = f"{megabytes(row.before_unzipped)}, {megabytes(row.before_zipped)} zipped"
    now = f"{megabytes(row.unzipped)}, {megabytes(row.zipped)} zipped"
    if not row.kept:
        return f"{was} in the wheel"
    if not row.before_zipped or (row.before_zipped, row.before_unzipped) == (row.zipped, row.unzipped):
        return now
    return (
        f"{megabytes(row.before_unzipped)} → {megabytes(row.unzipped)}, "
        f"zipped {megabytes(row.before_zipped)} → {megabytes(row.zipped)}"
    )


def _state(kept: bool) -> str:
    return "in" if kept else "out"


def _counts(answer: Answer) -> str:
    kept = sum(row.kept for row in answer.rows)
    out = len(answer.rows) - kept
    zipped = sum(row.zipped for row in answer.rows)
    unzipped = sum(row.unzipped for row in answer.rows)
    size = f" ({megabytes(unzipped)}, {megabytes(zipped)} zipped)" if kept else ""
    return f"{kept} file{'s' * (kept != 1)} in{size}, {out} out"


def _group(group: Group) -> tuple[str, ...]:
    size = group.after if group.kept else group.before
    return (
        _state(group.kept),
        group.rule or "none",
        f"{group.files}",
        megabytes(size.zipped),
        megabytes(size.unzipped),
        group.reason or "no rule is about them",
    )


def _line(row: Row) -> tuple[str, ...]:
    zipped, unzipped = (row.zipped, row.unzipped) if row.kept else (row.before_zipped, row.before_unzipped)
    return (escaped(row.path), _state(row.kept), row.rule or "none", megabytes(zipped), megabytes(unzipped))


def as_json(artifact: str, answer: Answer) -> str:
    """The answer with every file that is meant; sizes in bytes.  ASCII alone, so that it is JSON in every encoding."""
    tree = {
        "artifact": artifact,
        "what": answer.what,
        "path": answer.path,
        "groups": [
            {**group._asdict(), "before": group.before._asdict(), "after": group.after._asdict()}
            for group in answer.groups
        ],
        "files": [row._asdict() for row in answer.rows],
    }
    return json.dumps(tree, indent=2)
