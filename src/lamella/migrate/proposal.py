"""A reading → the proposal: its lock, what to run first, and whether the configuration's own reader takes it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lamella.errors import ConfigError
from lamella.migrate import requirements
from lamella.migrate.model import Notes, Place, Proposal, Reading
from lamella.migrate.write import toml
from lamella.wording import listed

PYPROJECT, OWN = "pyproject.toml", "lamella.toml"
_PYLOCK = "pylock.toml"


def propose(root: str, reading: Reading, pyproject: Mapping[str, object] | None) -> Proposal:
    """The proposal for the project in `root`; `pyproject` are the tables of its pyproject.toml, None for none.

    Raises ConfigError where the reading has nothing to be packaged.
    """
    if not reading.functions and not reading.layers:
        raise ConfigError(
            f"`{reading.origin.files[0]}` has nothing that lamella packages",
            why=[f"{item.place}: {item.what}" for item in reading.items[:5]],
            hint="write the configuration by hand, or start with `lamella init`",
        )
    notes = Notes()
    reading = _with_locked(root, _with_runtime(reading, pyproject, notes), notes)
    first, lock, packages = _lock(root, reading, pyproject, notes)
    prefix, file = ("tool.lamella", PYPROJECT) if pyproject is not None else ("", OWN)
    text = toml(reading, prefix, lock, packages)
    refused = _refused(root, file, text, pyproject or {})
    return Proposal(reading.origin, file, text, (*reading.first, *first), (*reading.items, *notes.items), refused)


def _with_runtime(reading: Reading, pyproject: Mapping[str, object] | None, notes: Notes) -> Reading:
    """The runtime that nothing names: that of requires-python, or the newest, which is said."""
    if reading.runtime:
        return reading
    from lamella.config.project import project_of
    from lamella.config.runtimes import admitted, is_current, newest_current

    wanted = project_of(pyproject or {}, PYPROJECT).requires_python
    fitting = [one for one in admitted(wanted, PYPROJECT) if is_current(one)] if wanted else []
    runtime = fitting[0].name if fitting else newest_current().name
    why = "the oldest current one that requires-python admits" if fitting else "the newest known one"
    notes.mapped(Place(reading.origin.files[0]), f"no runtime is named: {runtime} is {why}", "correct `runtime`")
    return reading._replace(runtime=runtime)


def _with_locked(root: str, reading: Reading, notes: Notes) -> Reading:
    """Layers that leave out only what their requirements or the lock name: a build refuses what is not locked.

    Recipes leave out boto3 and pytest whether or not anything brings them.
    """
    from packaging.utils import canonicalize_name

    layers = []
    for layer in reading.layers:
        wanted = _named(root, layer.requirements, notes) if layer.exclude else None
        if wanted is not None:
            there = tuple(name for name in layer.exclude if canonicalize_name(name) in wanted.names)
            others = [name for name in layer.exclude if name not in there]
            if others:
                notes.mapped(
                    Place(wanted.file),
                    f"nothing in it names what was left out: {listed(others)}",
                    "add to `exclude` what the lock has of these",
                )
            layer = layer._replace(exclude=there)
        layers.append(layer)
    return reading._replace(layers=tuple(layers))


def _named(root: str, file: str, notes: Notes) -> requirements.Wanted | None:
    """What the requirements file names, or, without one, the lock that is there; None where neither can be read."""
    return requirements.read(root, file, notes) if file else requirements.locked(root)


def _lock(
    root: str, reading: Reading, pyproject: Mapping[str, object] | None, notes: Notes
) -> tuple[tuple[str, ...], str, dict[str, tuple[str, ...]]]:
    """Commands that make the lock, the key `lock`, and `packages` of each layer."""
    from packaging.utils import canonicalize_name

    files = requirements.different(layer.requirements for layer in reading.layers)
    read = {file: requirements.read(root, file, notes) for file in files}
    found = {file: wanted for file, wanted in read.items() if wanted is not None}
    project = (pyproject or {}).get("project")
    own = isinstance(project, dict) and bool(project.get("dependencies"))
    apart = own or len(found) > 1 or any(not layer.requirements for layer in reading.layers)
    packages = {
        layer.key: tuple(dict.fromkeys([*(found[layer.requirements].names if apart else ()), *layer.packages]))
        if layer.requirements in found
        else layer.packages
        for layer in reading.layers
    }
    # What a layer leaves out may stand in its requirements: it can't ask for it as well
    left_out = {layer.key: {canonicalize_name(name) for name in layer.exclude} for layer in reading.layers}
    packages = {key: tuple(name for name in names if name not in left_out[key]) for key, names in packages.items()}
    if not found:
        return (), "", packages
    if len(found) == 1 and not (wanted := next(iter(found.values()))).unpinned:
        if not wanted.compiled:
            command = requirements.compile_command([wanted.file], reading.runtime)
            notes.mapped(
                Place(wanted.file),
                "it is taken to be a lock: every line is pinned",
                f"where it does not name what these need, too: `{command}`, and remove `lock`",
            )
        return (), wanted.file, packages
    if len(found) < len(files) or os.path.isfile(os.path.join(root, _PYLOCK)):
        return (), _PYLOCK if os.path.isfile(os.path.join(root, _PYLOCK)) else "", packages
    unpinned = [wanted for wanted in found.values() if wanted.unpinned]
    for wanted in unpinned[:1]:
        notes.mapped(Place(wanted.file), f"it is no lock: {wanted.unpinned}", "lock it once, by the command below")
    if os.path.isfile(os.path.join(root, "uv.lock")):
        notes.open(
            Place("uv.lock"), "it would be found before pylock.toml", f'write `lock = "{_PYLOCK}"` once that is there'
        )
    return (requirements.compile_command(list(found), reading.runtime),), "", packages


def _refused(root: str, file: str, text: str, pyproject: Mapping[str, object]) -> str:
    """What the reader of configurations has against the text; "" for nothing."""
    import tomllib

    from lamella.config.find import Found
    from lamella.config.read import read_found
    from lamella.config.section import Section

    tables = tomllib.loads(text)
    prefix = ("tool", "lamella") if file == PYPROJECT else ()
    table = tables["tool"]["lamella"] if prefix else tables
    section = Section(table, "the proposal", prefix)
    try:
        read_found(Found(root, os.path.join(root, file), section, dict(pyproject), PYPROJECT), root)
    except ConfigError as error:
        return str(error)
    return ""
