"""A plan: for people as terraform shows one, and as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella.report.sizes import megabytes
from lamella.rollout.model import (
    FunctionChange,
    Plan,
    ProveVersion,
    PublishLayer,
    PublishVersion,
    ShiftAlias,
    Step,
    UpdateCode,
    UpdateConfiguration,
)
from lamella.rollout.planning.missing import create_command
from lamella.wording import counted, printable

if TYPE_CHECKING:
    from lamella.cloud.model import Content, Place
    from lamella.config.model import Canary
    from lamella.report.console import Console

SCHEMA = 1
# What a line's mark looks like on a terminal, as terraform has it
_STYLES = {"+": "green", "~": "yellow", "-": "red", "!": "magenta"}


class Line(NamedTuple):
    """A line of the text, and the style that its mark has on a terminal; "bold" for the whole of a headline."""

    text: str
    style: str = ""


def show(console: Console, plan: Plan) -> None:
    """The plan on stdout, in colours where that is a terminal; nothing when quiet."""
    if console.quiet:
        return
    if not console.out.isatty():
        console.data(text(plan))
        return
    from rich.console import Console as Rich
    from rich.text import Text

    rich = Rich(file=console.out, highlight=False, soft_wrap=True)
    for line in lines(plan):
        drawn = Text(line.text, style="bold" if line.style == "bold" else "")
        if line.style in _STYLES.values():
            at = len(line.text) - len(line.text.lstrip())
            drawn.stylize(f"bold {line.style}", at, at + 1)
        rich.print(drawn)


def text(plan: Plan) -> str:
    """The plan as plain lines."""
    return "\n".join(line.text for line in lines(plan)) + "\n"


def lines(plan: Plan) -> Iterator[Line]:
    where = str(plan.place)
    yield Line(f"{plan.wanted.project}{f' in {where}' if where else ''}", "bold")
    yield Line("")
    if plan.publish:
        yield Line("Layers", "bold")
        for layer in plan.publish:
            yield from _layer(layer)
        yield Line("")
    if plan.changes:
        yield Line("Functions", "bold")
        for change in plan.changes:
            yield from _function(change)
        yield Line("")
    if plan.drift:
        yield Line("Drift: what nobody deployed", "bold")
        yield from (_line(1, "!", f"{one.function}: {one.what}") for one in plan.drift)
        yield Line("")
    if plan.missing:
        yield from _missing(plan)
    yield from (Line(f"note: {note}") for note in plan.notes)
    yield Line(summary(plan), "bold")


def summary(plan: Plan) -> str:
    """``Plan: publish 1 layer, change 3 functions (code of 1), shift 3 aliases; 76.2 MB to upload.``"""
    if plan.is_empty:
        return f"No changes: AWS has {'what was' if plan.wanted.functions else 'the layers that were'} built."
    steps = [step for change in plan.changes for step in change.steps]
    codes = sum(isinstance(step, UpdateCode) for step in steps)
    updated = sum(
        any(isinstance(step, UpdateCode | UpdateConfiguration) for step in change.steps) for change in plan.changes
    )
    shifts = [step for step in steps if isinstance(step, ShiftAlias)]
    new = sum(step.before is None for step in shifts)
    proven = sum(len(change.steps) == 1 for change in plan.changes)
    alone = sum(isinstance(step, PublishVersion) for change in plan.changes for step in change.steps[:1])
    parts = [f"publish {counted(len(plan.publish), 'layer')}"] if plan.publish else []
    if updated:
        parts.append(f"change {counted(updated, 'function')}{f' (code of {codes})' if codes else ''}")
    if alone:  # after a run that was killed, or with `--refresh`: $LATEST is as wanted already
        parts.append(f"publish {counted(alone, 'version')}")
    if proven:
        parts.append(f"prove {counted(proven, 'function')}")
    if len(shifts) > new:
        parts.append(f"shift {_aliases(len(shifts) - new)}")
    if new:
        parts.append(f"create {_aliases(new)}")
    if plan.missing:
        parts.append(f"{counted(len(plan.missing), 'function')} missing")
    upload = f"; {megabytes(plan.upload)} to upload" if plan.upload else ""
    return f"Plan: {', '.join(parts)}{upload}."


def as_tree(plan: Plan) -> dict[str, Any]:
    """The plan as JSON has it.  Sizes in bytes, digests as AWS prints them."""
    return {
        "place": place_tree(plan.place),
        "project": plan.wanted.project,
        "changed": not plan.is_empty,
        "summary": summary(plan),
        "upload": plan.upload,
        "publish": [
            {
                "layer": one.layer.name,
                "key": one.layer.key,
                "expected_version": one.expected,
                "why": one.why,
                "through_s3": one.through_s3,
                **_content_tree(one.layer.content),
            }
            for one in plan.publish
        ],
        "versions": dict(plan.versions),
        "functions": [
            {
                "function": change.wanted.name,
                "key": change.wanted.key,
                "steps": [_step_tree(step) for step in change.steps],
            }
            for change in plan.changes
        ],
        "unchanged": list(plan.unchanged),
        "missing": [{"function": name, "command": command} for name, command in _commands(plan)],
        "drift": [one._asdict() for one in plan.drift],
        "notes": list(plan.notes),
    }


def place_tree(place: Place) -> dict[str, str]:
    return {"environment": place.environment, "account": place.account, "region": place.region}


def _line(depth: int, mark: str, words: str) -> Line:
    return Line(f"{'  ' * depth}{mark} {words}", _STYLES[mark])


def _layer(step: PublishLayer) -> Iterator[Line]:
    how = ", through S3" if step.through_s3 else ""
    size = megabytes(step.layer.content.size)
    yield _line(1, "+", f"{step.layer.name}:{step.expected}  {size}{how}: {step.why}")


def _function(change: FunctionChange) -> Iterator[Line]:
    yield _line(1, "~", change.wanted.name)
    for step in change.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[Line]:
    match step:
        case UpdateConfiguration():
            for why in step.why:
                mark = "+" if _is_new(why) else "-" if why.startswith("detach ") else "~"
                yield _line(3, mark, why)
        case UpdateCode():
            how = ", through S3" if step.through_s3 else ""
            yield _line(3, "~", f"code, {megabytes(step.content.size)}{how}: {'; '.join(step.why)}")
        case PublishVersion():
            yield _line(3, "+", "publish a version")
        case ProveVersion():
            smoke = (
                f", invoke it with {', '.join(f'`{printable(one.event)}`' for one in step.smoke)}" if step.smoke else ""
            )
            yield Line(f"        prove it: compare it with what was built{smoke}")
        case ShiftAlias():
            how = _canary(step.canary) if step.canary else ""
            made = step.before is None
            yield _line(3, "+" if made else "~", f"alias `{step.alias}` to that version{how}: {step.why}")


def _is_new(why: str) -> bool:
    return why.startswith("attach ") and " instead of " not in why


def _canary(canary: Canary) -> str:
    alarms = f", watching {', '.join(f'`{printable(one)}`' for one in canary.alarms)}" if canary.alarms else ""
    return f", {canary.weight:.0%} for {canary.minutes:g} min first{alarms}"


def _missing(plan: Plan) -> Iterator[Line]:
    yield Line("Missing: functions that are to be made first", "bold")
    for name, command in _commands(plan):
        yield _line(1, "!", name)
        yield Line(f"        {command}")
    yield Line("")


def _commands(plan: Plan) -> Iterator[tuple[str, str]]:
    for function in plan.wanted.functions:
        if function.name in plan.missing:
            yield function.name, create_command(function, plan.place, os.getcwd())


def _aliases(count: int) -> str:
    return f"{count} alias{'es' * (count != 1)}"


def _content_tree(content: Content) -> dict[str, object]:
    return {"size": content.size, "code_sha256": content.code_sha256}


def _step_tree(step: Step) -> dict[str, Any]:
    match step:
        case UpdateConfiguration():
            return {
                "step": "update_configuration",
                "layers": {"before": list(step.before), "after": list(step.after)},
                "runtime": list(step.runtime),
                "handler": list(step.handler),
                "why": list(step.why),
            }
        case UpdateCode():
            return {
                "step": "update_code",
                **_content_tree(step.content),
                "before": step.before,
                "architecture": list(step.architecture),
                "why": list(step.why),
                "through_s3": step.through_s3,
            }
        case PublishVersion():
            return {"step": "publish_version", "why": step.why}
        case ProveVersion():
            return {"step": "prove_version", "smoke": [one.event for one in step.smoke]}
        case ShiftAlias():
            before = step.before
            return {
                "step": "shift_alias",
                "alias": step.alias,
                "before": None if before is None else {"version": before.version, "weights": dict(before.weights)},
                "canary": step.canary and step.canary._asdict(),
                "why": step.why,
            }
