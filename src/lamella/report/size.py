"""What takes the space, and what was saved: as tables, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.report.sizes import change, megabytes

if TYPE_CHECKING:
    from lamella.report.console import Console
    from lamella.sizes.model import Saving, Share, Size, Sums

BY = ("distribution", "kind", "rule")

Named = Sequence[tuple[str, "Sums"]]


def show(console: Console, found: Named, *, by: Sequence[str] = BY) -> None:
    """For each artifact a heading and the tables of `by`."""
    if console.quiet:
        return
    for at, (key, one) in enumerate(found):
        if at:
            console.data("")
        console.data(heading(key, one))
        for number, what in enumerate(by):
            if number:
                console.data("")
            if what == "rule":
                savings(console, one)
            else:
                shares(console, what, one.distributions if what == "distribution" else one.kinds, one)


def heading(key: str, one: Sums) -> str:
    after, before = one.after, one.before
    text = f"`{key}`: {megabytes(after.zipped)} zipped, {megabytes(after.unzipped)} unzipped, {_files(after.members)}"
    if (before.zipped, before.unzipped) != (after.zipped, after.unzipped):
        text += f"; in the wheels {megabytes(before.zipped)}, {megabytes(before.unzipped)}, {_files(before.members)}"
    return text


def _files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"


def shares(console: Console, what: str, rows: Sequence[Share], one: Sums) -> None:
    columns = (what, "files", "zipped", "", "unzipped", "", "share")
    table = [_share(f"{named(row)} {row.version}".rstrip(), row.before, row.after, one.after) for row in rows]
    table.append(_share("all", one.before, one.after, one.after))
    console.table(columns, table, right=frozenset(range(1, 7)))


def named(row: Share) -> str:
    """The name of a row; the project's own files have none of their own."""
    return row.name or "own files"


def _share(name: str, before: Size, after: Size, whole: Size) -> tuple[str, ...]:
    share = f"{100 * after.zipped / whole.zipped:.0f} %" if whole.zipped else ""
    return (
        name,
        f"{after.members}",
        megabytes(after.zipped),
        change(after.zipped - before.zipped),
        megabytes(after.unzipped),
        change(after.unzipped - before.unzipped),
        share,
    )


def savings(console: Console, one: Sums) -> None:
    """What each rule and step took away; what it added has a minus."""
    if not one.savings:
        console.data("no rule took anything out, and nothing was made smaller")
        return
    total = one.before.minus(one.after)
    rows = [_saving(row) for row in one.savings]
    rows.append(("all", "", saved(total.zipped), saved(total.unzipped), ""))
    console.table(("rule or step", "files", "saved zipped", "unzipped", ""), rows, right=frozenset({1, 2, 3}))


def _saving(row: Saving) -> tuple[str, ...]:
    return (row.name, f"{row.members}", saved(row.zipped), saved(row.unzipped), row.reason)


def saved(count: int) -> str:
    return f"-{megabytes(-count)}" if count < 0 else megabytes(count)


def as_json(found: Named) -> str:
    """Every sum; sizes in bytes.  ASCII alone, so that it is JSON in every encoding."""
    return json.dumps({"artifacts": [{"key": key, **tree(one)} for key, one in found]}, indent=2)


def tree(one: Sums) -> dict[str, object]:
    return {
        "before": one.before._asdict(),
        "after": one.after._asdict(),
        "distributions": [_share_tree(row) for row in one.distributions],
        "kinds": [_share_tree(row) for row in one.kinds],
        "savings": [row._asdict() for row in one.savings],
    }


def _share_tree(row: Share) -> dict[str, object]:
    version = {"version": row.version} if row.version else {}
    return {"name": row.name, **version, "before": row.before._asdict(), "after": row.after._asdict()}
