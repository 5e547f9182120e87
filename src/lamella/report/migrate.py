"""What `lamella import` says: the proposal, what could not be mapped, and what to run first."""

from __future__ import annotations

import json

from lamella.errors import ConfigError
from lamella.migrate.model import Item, Proposal
from lamella.report.console import Console
from lamella.wording import counted, listed, printable


def show(console: Console, proposal: Proposal, *, written: bool) -> None:
    """The configuration on stdout, unless it was `written`; everything else on stderr."""
    console.say(f"read {proposal.origin.kind}: {listed(proposal.origin.files)}")
    if not written:
        console.data(proposal.text)
    mapped = [item for item in proposal.items if item.mapped]
    left = [item for item in proposal.items if not item.mapped]
    _items(console, f"{counted(len(mapped), 'thing')} mapped in another way:", mapped)
    _items(console, f"{counted(len(left), 'thing')} not mapped:", left)


def following(console: Console, proposal: Proposal, *, written: bool) -> None:
    """What comes next; of a proposal that is refused `refusal` tells."""
    if proposal.refused:
        console.warning(str(refusal(proposal)))
        return
    if written:
        console.say(f"wrote the configuration to {proposal.file}")
    else:
        console.say(f"nothing written: `lamella import --write` puts it into {proposal.file}")
    commands = [*proposal.first, "lamella build", "lamella check"]
    console.say("next: " + ", then ".join(f"`{command}`" for command in commands))


def refusal(proposal: Proposal) -> ConfigError:
    """Why the proposal is not written."""
    return ConfigError(
        "the proposal needs a correction, and is not written",
        why=proposal.refused.splitlines(),
        hint=f"put the configuration above into {proposal.file}, and correct it there",
    )


def _items(console: Console, title: str, items: list[Item]) -> None:
    if not items:
        return
    console.say(title)
    for item in items:
        console.say(f"  {item.place}: {printable(item.what)}")
        console.say(f"    {item.todo}")


def as_json(proposal: Proposal, *, written: bool) -> str:
    """The proposal as one object."""
    return json.dumps(
        {
            "from": proposal.origin.kind,
            "files": list(proposal.origin.files),
            "file": proposal.file,
            "written": written,
            "configuration": proposal.text,
            "first": list(proposal.first),
            "mapped": [_row(item) for item in proposal.items if item.mapped],
            "open": [_row(item) for item in proposal.items if not item.mapped],
            "refused": proposal.refused or None,
        },
        indent=2,
        ensure_ascii=False,
    )


def _row(item: Item) -> dict[str, object]:
    return {"file": item.place.file, "line": item.place.line or None, "what": item.what, "todo": item.todo}
