"""The paths of a configuration: sources that exist and stay below the project, an output that eats no source."""

from __future__ import annotations

import os
from collections.abc import Callable

from lamella.config.section import Section
from lamella.errors import ConfigError, UsageError
from lamella.wording import did_you_mean

DEFAULT_OUTPUT = "dist/lambda"
DEFAULT_SOURCE = "src"


def sources(section: Section, root: str) -> tuple[str, ...]:
    """The function's `source` entries, normalized, relative to `root` (absolute).  Default: `src`, if it exists.

    Raises ConfigError for what is absolute, leaves the root (symbolic links followed) or isn't there.
    """
    given = section.texts("source")
    if given is None:
        if os.path.isdir(os.path.join(root, DEFAULT_SOURCE)):
            return (DEFAULT_SOURCE,)
        raise section.refuse(
            "source",
            "is needed",
            why=(f"the default, `{DEFAULT_SOURCE}`, is no directory of the project",),
            hint='write `source = ["…"]` with the directories whose content the function needs, say `["."]`',
        )
    if not given:
        raise section.refuse("source", "must name at least one directory or file", hint='write `source = ["src"]`')
    found = tuple(_source(section, item, root) for item in given)
    section.different("source", found)
    return found


def _source(section: Section, item: str, root: str) -> str:
    if os.path.isabs(item):
        raise section.refuse(
            "source",
            "must be relative to the project",
            why=(f"found `{item}`",),
            hint="write the path from the directory of the configuration",
        )
    relative = os.path.normpath(item)
    path = os.path.join(root, relative)
    if not is_below(path, root) or not is_below(os.path.realpath(path), os.path.realpath(root)):
        raise section.refuse(
            "source",
            "must stay below the project's directory",
            why=(f"`{item}` leads outside",),
            hint="move the configuration to a directory that holds all sources",
        )
    if not os.path.exists(path):
        raise section.refuse(
            "source", f"names `{item}`, which doesn't exist", hint=_neighbour(path) or "create it or correct the path"
        )
    return relative


def _neighbour(path: str) -> str | None:
    try:
        return did_you_mean(os.path.basename(path), os.listdir(os.path.dirname(path)))
    except OSError:
        return None


def lock(section: Section, root: str) -> str | None:
    """The absolute path of the lock, or None: to be found.  It may lie outside, in a workspace's root."""
    given = section.text("lock")
    if given is None:
        return None
    path = os.path.normpath(os.path.join(root, given))
    if not os.path.isfile(path):
        raise section.refuse(
            "lock",
            f"names `{given}`, which is no file",
            hint="create it (`uv lock`, say), correct the path, or remove the key to have the lock found",
        )
    return path


def output(section: Section, root: str, command_line: str | None, directory: str) -> str:
    """The absolute path of the output directory.

    `command_line` is the value of --output, relative to `directory`; it wins over the key, and only it may be
    absolute.  Raises ConfigError (or UsageError, for the command line) for a path that is not below the root, or is it.
    """
    given = section.text("output")
    if command_line is not None:
        path = os.path.normpath(os.path.join(directory, command_line))
        if not os.path.isabs(command_line) and not is_below(path, root):
            raise UsageError(
                f"`--output {command_line}` leads outside the project",
                why=(f"the project is `{root}`",),
                hint="give an absolute path to write elsewhere",
            )
    else:
        if given is not None and os.path.isabs(given):
            raise section.refuse(
                "output",
                "must be relative to the project",
                why=(f"found `{given}`",),
                hint="write a path below the project; the command line's --output may be absolute",
            )
        path = os.path.normpath(os.path.join(root, given or DEFAULT_OUTPUT))
        if not is_below(path, root):
            raise section.refuse(
                "output",
                "must be below the project's directory",
                why=(f"`{given}` leads outside",),
                hint="write a path below the project; the command line's --output may be absolute",
            )
    _check_room(path, root, _refuser(section, command_line))
    return path


def check_output_holds_no_source(
    section: Section, output: str, root: str, source: tuple[str, ...], command_line: str | None
) -> None:
    """A build may replace what is in its output: no source may be there.  The other way round is fine."""
    for item in source:
        if is_below(os.path.normpath(os.path.join(root, item)), output):
            raise _refuser(section, command_line)(
                "must not hold a function's source", f"`{item}` is a source", "choose a directory of its own"
            )


def is_below(path: str, root: str) -> bool:
    """Whether the normalized absolute `path` is `root` or below it."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


Refuser = Callable[[str, str, str], ConfigError | UsageError]


def _refuser(section: Section, command_line: str | None) -> Refuser:
    """Names who asked for the output: the command line or the key."""

    def refuse(problem: str, why: str, hint: str) -> ConfigError | UsageError:
        if command_line is not None:
            return UsageError(f"`--output {command_line}` {problem}", why=(why,), hint=hint)
        return section.refuse("output", problem, why=(why,), hint=hint)

    return refuse


def _check_room(path: str, root: str, refuse: Refuser) -> None:
    if is_below(root, path):
        problem = "must not be the project's own directory" if path == root else "must not hold the project"
        raise refuse(problem, f"`{path}` holds the configuration", f"use `{DEFAULT_OUTPUT}`, say")
    if os.path.lexists(path) and not os.path.isdir(path):
        raise refuse("must be a directory", f"`{path}` is a file", "move the file away or choose another path")
