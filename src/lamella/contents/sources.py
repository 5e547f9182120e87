"""A function's source roots → the files that its zip takes from them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence

from lamella.contents.model import LeftOut, SourceFile, Sources
from lamella.errors import CollisionError, ConfigError
from lamella.gitignore import matcher
from lamella.manifest import is_ours

# What no function wants: made by tools, different on every machine.  A pattern can't bring it back.
LEFT_OUT = frozenset(
    {"__pycache__", ".git", ".DS_Store", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".venv"},
)
LEFT_OUT_ENDINGS = (".pyc", ".egg-info")
_NEVER = "tools make it anew, on every machine in another way: no function's zip takes it"
ENVIRONMENT_MARK = "pyvenv.cfg"  # PEP 405: the file that makes a directory a virtual environment

# C0 and C1 controls, the backslash, and surrogates (which stand for bytes that are no UTF-8).
UNFIT = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\\\\\ud800-\\udfff]")


def collect(
    root: str,
    source: Sequence[str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    *,
    output: str | None = None,
) -> Sources:
    """The files below the `source` roots (relative to the project `root`), sorted by their path in the zip.

    The content of a directory lands at the zip's root; a single file lands there by its name.  `include` and
    `exclude` are gitignore patterns against the path in the zip: with `include` only what matches is taken,
    then what `exclude` matches goes; a later ``!pattern`` takes a match back.  `LEFT_OUT`, virtual environments
    and output directories (the build's own `output`, and whatever holds a manifest of ours) never enter.  Symbolic
    links are followed as long as they stay inside the project.

    Raises ConfigError (no such root, a link that leads out or in a circle, a name that no zip can hold, nothing
    left) and CollisionError (two roots with one path and different bytes).
    """
    walk = _Walk(root, include, exclude, output)
    found: dict[str, SourceFile] = {}
    for name in source:
        for file in walk.source_root(name):
            _place(found, file)
    if not found:
        raise _nothing(source, include, exclude)
    files = tuple(found[path] for path in sorted(found))
    _refuse_file_as_directory(files)
    return Sources(files, tuple(sorted(walk.directories)))


def left_out(
    root: str,
    source: Sequence[str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    *,
    output: str | None = None,
) -> list[LeftOut]:
    """What `collect` passes over, with what left it out; a folder that it doesn't look into stands for all below.

    Sorted by path.  Raises ConfigError.
    """
    walk = _Walk(root, include, exclude, output)
    taken = {file.path for name in source for file in walk.source_root(name)}
    last = [(pattern, matcher("exclude", (pattern,))) for pattern in reversed(exclude) if pattern[:1] != "!"]
    found: dict[str, LeftOut] = {}
    for path, rule, reason in walk.left:
        if rule == "exclude":
            by = [pattern for pattern, match in last if match is not None and match(path)]
            reason = f"`exclude` leaves it out, by `{by[0]}`"
        if path not in taken:  # another root may have one of the same name
            found.setdefault(path, LeftOut(path, rule, reason))
    return [found[path] for path in sorted(found)]


class _Walk:
    """One pass over the source roots; remembers each directory that it listed, and what it passed over."""

    def __init__(self, root: str, include: Sequence[str], exclude: Sequence[str], output: str | None) -> None:
        self.root = os.path.abspath(root)
        self.include = matcher("include", include)
        self.exclude = matcher("exclude", exclude)
        # Without a negation, what matches a directory matches everything below it: no need to look inside.
        self.prune = not any(pattern.lstrip().startswith("!") for pattern in exclude)
        self.output = None if output is None else os.path.realpath(output)
        self.directories: set[str] = set()
        self.left: list[LeftOut] = []
        self.inside: tuple[str, ...] = ()

    def source_root(self, name: str) -> Iterator[SourceFile]:
        start = os.path.normpath(os.path.join(self.root, name))
        self.inside = (os.path.realpath(self.root), os.path.realpath(start))
        if os.path.isdir(start):
            yield from self.directory(start, "", (os.path.realpath(start),))
        elif os.path.exists(start):
            path = os.path.basename(start)
            if self.takes(path, directory=False):
                yield self.file(start, path)
        else:
            raise ConfigError(
                f"there is no source `{name}`",
                why=[f"looked for `{start}`"],
                hint="`source` names directories or files, relative to the project",
            )

    def directory(self, absolute: str, below: str, parents: tuple[str, ...]) -> Iterator[SourceFile]:
        """The files in directory `absolute`; `parents` are the real paths of it and of those around it."""
        self.directories.add(absolute)
        try:
            with os.scandir(absolute) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise _unreadable(self.shown(absolute), error) from error
        if below and any(entry.name == ENVIRONMENT_MARK for entry in entries):
            self.left.append(LeftOut(below, "never", f"it is a virtual environment: it holds `{ENVIRONMENT_MARK}`"))
            return
        for entry in entries:
            path = below + entry.name
            is_directory = os.path.isdir(entry.path)  # unlike entry.is_dir(), False for a link to itself
            if entry.name in LEFT_OUT or entry.name.endswith(LEFT_OUT_ENDINGS):
                self.left.append(LeftOut(path + "/" * is_directory, "never", _NEVER))
                continue
            if not self.takes(path, is_directory):
                continue
            if entry.is_symlink():
                self.check_link(entry.path)
            if not is_directory:
                yield self.file(entry.path, path)
                continue
            real = os.path.realpath(entry.path)
            if real == self.output or is_ours(real):
                self.left.append(LeftOut(path + "/", "never", "it is a folder that builds write into"))
                continue
            if real in parents:
                raise ConfigError(
                    f"source directory `{self.shown(entry.path)}` leads back to a directory that holds it",
                    hint="remove the link, or leave it out with `exclude`",
                )
            yield from self.directory(entry.path, path + "/", (*parents, real))

    def takes(self, path: str, directory: bool) -> bool:
        if directory:
            path += "/"
            excluded = self.prune and self.exclude is not None and self.exclude(path)
        else:
            if self.include is not None and not self.include(path):
                self.left.append(LeftOut(path, "include", "no pattern of `include` takes it"))
                return False
            excluded = self.exclude is not None and self.exclude(path)
        if excluded:
            self.left.append(LeftOut(path, "exclude", ""))
        return not excluded

    def check_link(self, absolute: str) -> None:
        real = os.path.realpath(absolute)
        shown = self.shown(absolute)
        if not any(real == place or real.startswith(place.rstrip(os.sep) + os.sep) for place in self.inside):
            raise ConfigError(
                f"the symbolic link `{shown}` leads out of the project",
                why=[f"it points at `{real}`"],
                hint="copy what it points at into the project, or leave it out with `exclude`",
            )
        if not os.path.exists(real):
            raise ConfigError(
                f"the symbolic link `{shown}` points at nothing",
                why=[f"there is no `{real}`"],
                hint="remove it, or leave it out with `exclude`",
            )

    def file(self, absolute: str, path: str) -> SourceFile:
        shown = self.shown(absolute)
        _check_name(path, shown)
        try:
            mode = os.stat(absolute).st_mode
        except OSError as error:
            raise _unreadable(shown, error) from error
        if not stat.S_ISREG(mode):
            raise ConfigError(f"`{shown}` is no regular file", hint="leave it out with `exclude`")
        # The owner's bit alone, as git keeps it: group and others differ with the umask.
        return SourceFile(path, absolute, bool(mode & stat.S_IXUSR), shown)

    def shown(self, absolute: str) -> str:
        return os.path.relpath(absolute, self.root).replace(os.sep, "/")


def _check_name(path: str, shown: str) -> None:
    """Refuses what Lambda's unpacking or this tool's own admission of archives would not take."""
    if UNFIT.search(path):
        readable = shown.encode("utf-8", "backslashreplace").decode()
        raise ConfigError(
            f"the file name {readable!r} can't be in a zip",
            why=["it holds a control character, a backslash, or bytes that are no UTF-8"],
            hint="rename it, or leave it out with `exclude`",
        )


def _place(found: dict[str, SourceFile], file: SourceFile) -> None:
    other = found.setdefault(file.path, file)
    if other.absolute != file.absolute and _read(other) != _read(file):
        raise CollisionError(
            f"two source files want to be `{file.path}` in the zip",
            why=[f"`{other.shown}`", f"`{file.shown}`"],
            hint="rename one, or leave it out with `exclude`",
        )


def _refuse_file_as_directory(files: tuple[SourceFile, ...]) -> None:
    by_path = {file.path: file for file in files}
    for file in files:
        parent = file.path
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            if other := by_path.get(parent):
                raise CollisionError(
                    f"`{parent}` would be a file and a directory in the zip",
                    why=[f"`{other.shown}`", f"`{file.shown}`"],
                    hint="rename one, or leave it out with `exclude`",
                )


def _read(file: SourceFile) -> bytes:
    try:
        with open(file.absolute, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise _unreadable(file.shown, error) from error


def _unreadable(shown: str, error: OSError) -> ConfigError:
    return ConfigError(
        f"`{shown}` can't be read",
        why=[error.strerror or str(error)],
        hint="change its permissions, or leave it out with `exclude`",
    )


def _nothing(source: Sequence[str], include: Sequence[str], exclude: Sequence[str]) -> ConfigError:
    names = ", ".join(f"`{name}`" for name in source) or "no source"
    if include or exclude:
        hint = "`include` and `exclude` are matched against the path in the zip, without the source root's name"
    else:
        hint = "name the directory that holds the function's code in `source`"
    return ConfigError("the function would be empty", why=[f"no file is left of {names}"], hint=hint)
