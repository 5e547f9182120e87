"""The flame graph page of a handler's imports: one file, with a zoomable graph for each build and the tables in words.

The address selects: `#zoom=pyarrow.lib` a module, `#find=pydantic` those whose names have the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from lamella.report.page import HUES, page, text_beside
from lamella.report.profile import changes, medians_note, milliseconds, ratio, share

if TYPE_CHECKING:
    from lamella.profiling.model import Node, Profile

# Modules that the page names in its table, for those who can't see or click graphs
_LISTED = 40
# Distributions that the key of colours names: those behind them are hardly to be seen
_KEYED = 24


def flame_page(profiles: Sequence[Profile]) -> str:
    """The page of one profile, or of two: the one that is compared with comes first."""
    last = profiles[-1]
    title = f"Imports of {last.function}"
    origins = _origins(profiles)
    data = {
        "origins": origins,
        "graphs": [
            {"label": profile.label, "tree": _packed(profile.tree, {name: at for at, (name, _) in enumerate(origins)})}
            for profile in profiles
        ],
    }
    body = "\n".join(
        [
            f"<h1>Imports of <code>{escape(last.function)}</code></h1>",
            _lead(profiles),
            _figures(profiles),
            _TOOLS,
            *(_graph(at, profile, len(profiles)) for at, profile in enumerate(profiles)),
            _key(origins),
            _both(*profiles) if len(profiles) == 2 else _origins_table(last),
            _modules_table(last),
        ]
    )
    return page(title, body, script=text_beside("flame.js"), style=text_beside("flame.css"), data=data)


_TOOLS = """<div class="tools">
<input id="find" type="search" placeholder="Find modules" aria-label="Find modules" spellcheck="false">
<button id="out" type="button" disabled>Zoom out</button>
<output id="told" aria-live="polite"></output>
</div>
<noscript><p class="lead">The graph needs JavaScript; the tables below say the same.</p></noscript>"""


def _origins(profiles: Sequence[Profile]) -> list[tuple[str, str]]:
    """(distribution, its colour): the most expensive of all profiles first, so that those get colours of their own."""
    from lamella.profiling.model import LAYER, MISSING, OWN, PYTHON

    costs: dict[str, int] = {}
    for profile in profiles:
        for row in profile.origins:
            costs[row.name] = max(costs.get(row.name, 0), row.own)
    fixed = {PYTHON: "stdlib", OWN: "own", MISSING: "lost", LAYER: "stdlib"}
    colours = []
    hue = 0
    for name in sorted(costs, key=lambda name: (-costs[name], name)):
        colour = fixed.get(name)
        if colour is None:
            colour = f"hue-{hue % HUES}"
            hue += 1
        colours.append((name, colour))
    return colours


def _packed(node: Node, numbers: dict[str, int]) -> list[object]:
    """[name, number of its origin, own µs, all µs, imports], as flame.js reads it."""
    below = [_packed(child, numbers) for child in node.children]
    return [node.name, numbers[node.origin], node.own, node.total, below]


def _lead(profiles: Sequence[Profile]) -> str:
    last = profiles[-1]
    runs = len(last.runs)
    how = f"the medians of {runs} runs" if runs > 1 else "one run"
    note = medians_note(last)
    turn = ", in turn" if len(profiles) > 1 and runs > 1 else ""
    return (
        f'<p class="lead">What <code>{escape(last.module)}</code> imports on {escape(last.runtime)}, and how long it '
        f"takes: {how}{turn}, by python {escape(last.python)} in a fresh process ({escape(last.isolation)}). "
        "Modules stand below the one that imported them first; width is time."
        f"{f' {note.capitalize()}.' if note else ''}</p>"
    )


def _figures(profiles: Sequence[Profile]) -> str:
    items = []
    for profile in profiles:
        label = escape(profile.label) if len(profiles) > 1 else "median of the whole import"
        items.append(("", milliseconds(profile.median), label))
    last = profiles[-1]
    if len(profiles) == 2:
        kind = "good" if last.median <= profiles[0].median else "bad"
        items.append((kind, ratio(profiles[0].median, last.median), "of the time before"))
    elif len(last.runs) > 1:
        spread = f"{milliseconds(min(last.runs))} – {milliseconds(max(last.runs))}"
        items.append(("", spread, f"fastest and slowest of {len(last.runs)} runs"))
    items.append(("", f"{len(last.modules)}", "modules"))
    items.append(("", f"{len(last.origins)}", "sources"))
    lines = (f'<li class="{kind}"><b>{figure}</b><span>{what}</span></li>' for kind, figure, what in items)
    return f'<ul class="figures">{"".join(lines)}</ul>'


def _graph(at: int, profile: Profile, of: int) -> str:
    heading = f"<h2>{escape(profile.label)}: {milliseconds(profile.median)}</h2>\n" if of > 1 else ""
    name = f"Import tree of {profile.module}, {profile.label}" if of > 1 else f"Import tree of {profile.module}"
    return f'{heading}<div class="flame" id="graph-{at}" role="tree" aria-label="{escape(name)}"></div>'


def _key(origins: Sequence[tuple[str, str]]) -> str:
    items = (
        f'<li><i class="{colour}" style="background: var(--{colour})"></i>{escape(name)}</li>'
        for name, colour in origins[:_KEYED]
    )
    return f'<ul class="key">{"".join(items)}</ul>'


def _origins_table(profile: Profile) -> str:
    rows = [
        (row.name, milliseconds(row.own), milliseconds(row.total), share(row.own, profile.tree.total), f"{row.modules}")
        for row in profile.origins
    ]
    bars = [row.own / (profile.tree.total or 1) for row in profile.origins]
    return "<h2>By distribution</h2>\n" + _table(
        ("distribution", "self", "with imports", "share", "modules"), rows, left=frozenset({0}), bars=bars
    )


def _both(before: Profile, after: Profile) -> str:
    rows = [
        (name, milliseconds(was), milliseconds(now), ratio(was, now))
        for name, was, now in [*changes(before, after), ("total", before.median, after.median)]
    ]
    return "<h2>By distribution</h2>\n" + _table(
        ("distribution", before.label, after.label, "ratio"), rows, left=frozenset({0})
    )


def _modules_table(profile: Profile) -> str:
    rows = [
        (row.name, milliseconds(row.own), milliseconds(row.total), share(row.own, profile.tree.total), row.origin)
        for row in profile.modules[:_LISTED]
    ]
    bars = [row.own / (profile.tree.total or 1) for row in profile.modules[:_LISTED]]
    heading = (
        f"<h2>The {len(rows)} most expensive modules</h2>\n" if len(profile.modules) > _LISTED else "<h2>Modules</h2>\n"
    )
    return heading + _table(
        ("module", "self", "cumulative", "share", "distribution"), rows, left=frozenset({0, 4}), code=True, bars=bars
    )


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: frozenset[int],
    code: bool = False,
    bars: Sequence[float] = (),
) -> str:
    """A table; the columns in `left` are words, `code` sets the first as code, `bars` are drawn in a column more."""

    def cell(tag: str, at: int, text: str) -> str:
        shown = f"<code>{escape(text)}</code>" if code and at == 0 and tag == "td" else escape(text)
        return f"<{tag}>{shown}</{tag}>" if at in left else f'<{tag} class="n">{shown}</{tag}>'

    head = "".join(cell("th", at, name) for at, name in enumerate(columns)) + ("<td></td>" if bars else "")
    lines = ["".join(cell("td", at, text) for at, text in enumerate(row)) for row in rows]
    for at, part in enumerate(bars):
        # Half of the whole is a full bar: hardly anything is more
        lines[at] += f'<td class="bar"><i class="share" style="width: {min(200 * part, 100):.1f}%"></i></td>'
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
