"""What the commands of scripts have in common: the zips, what was installed and copied into them, and where to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.migrate.model import Layer, Notes, Place
from lamella.migrate.steps import Aws, Copied, Installed, Removed, Uploaded, Zipped

if TYPE_CHECKING:
    from lamella.migrate.scripts import Row

VERBS = frozenset(
    {"publish-layer-version", "update-function-code", "create-function", "update-function-configuration"}
    | {"update-alias", "create-alias", "publish-version"}
)
SETTINGS = ("handler", "runtime", "memory-size", "timeout", "environment", "layers", "architectures")
# Of `find … -delete` and `rm -r`: what the profile `safe` leaves out anyway, and what is made while building
_ANYWAY = re.compile(
    r"(.*/)?(tests?|__pycache__|\*?\.py[cod]|\*\.py\[co\]|\*\.so\.debug|\*\.dist-info|\*\.egg-info|\*\.pyi|.*\.zip|\$.*)"
)
_UNASKED = frozenset(
    {"function-name", "zip-file", "layer-name", "description", "content", "publish", "name"}
    | {
        "compatible-runtimes",
        "compatible-architectures",
        "function-version",
        "region",
        "profile",
        "output",
        "query",
        "no-cli-pager",
        "s3-bucket",
        "s3-key",
        "s3-object-version",
        "license-info",
        "cli-read-timeout",
        "cli-connect-timeout",
        "no-publish",
        "dry-run",
        "revision-id",
        *SETTINGS,
    }
)
_STAYS = "leave it where it is: lamella changes a function's code, layers, versions and aliases, and nothing else"


class Parts:
    """The rows of all files, and the layers that were made of them so far."""

    def __init__(self, root: str, rows: Sequence[Row]) -> None:
        self.root = root
        self.notes = Notes()
        self.rows = rows
        self.installs = [(row.command, row.step) for row in rows if isinstance(row.step, Installed)]
        self.zips = [(row.command.place, row.step) for row in rows if isinstance(row.step, Zipped)]
        self.copies = [row.step for row in rows if isinstance(row.step, Copied)]
        self.layers: list[Layer] = []
        self.folders: dict[str, str] = {}  # where the content of a layer lies → its key
        self.claimed: set[str] = set()  # archives that are a layer or a function by now

    def target(self) -> tuple[str, str]:
        """The runtime and architecture that most installs, layers and functions are for; "" where nothing says."""
        pythons = [one.python for _, one in self.installs if one.python]
        machines = []
        for row in self.rows:
            if isinstance(row.step, Aws):
                pythons += [text for key in ("runtime", "compatible-runtimes") for text in row.step.all(key)]
                machines += [
                    text for key in ("architectures", "compatible-architectures") for text in row.step.all(key)
                ]
        for _, one in self.installs:
            machines += ["arm64" if re.search("aarch64|arm64", text) else "x86_64" for text in one.platforms]
        pythons = [text for text in pythons if text.startswith("python3.")]
        return (
            max(pythons, key=pythons.count) if pythons else "",
            max(machines, key=machines.count) if machines else "x86_64",
        )

    def archive(self, one: Aws) -> Zipped | None:
        """The `zip` that made what is published: by its name, or by that of the object in S3."""
        wanted = [one.one("zip-file"), one.one("s3-key")]
        wanted += [
            part.partition("=")[2] for part in one.one("content").split(",") if part.strip().startswith("S3Key=")
        ]
        names = {os.path.basename(text) for text in wanted if text}
        for row in self.rows:
            if isinstance(row.step, Uploaded) and os.path.basename(row.step.url) in names:
                names.add(os.path.basename(row.step.file))
        found = next((zipped for _, zipped in self.zips if os.path.basename(zipped.archive) in names), None)
        if found is not None:
            self.claimed.add(found.archive)
        return found

    def unclaimed(self) -> list[tuple[Place, Zipped]]:
        """The zips that no command publishes or deploys, each archive once."""
        rows = {zipped.archive: (place, zipped) for place, zipped in self.zips if zipped.archive not in self.claimed}
        return list(rows.values())

    def inside(self, zipped: Zipped) -> list[Installed]:
        """What was installed into the archive."""
        return [install for _, install in self.installs if holds(zipped, install.target)]

    def is_layer(self, zipped: Zipped) -> bool:
        """Whether what was installed is below `python/` in the archive: a function has it at the top."""
        paths = [os.path.relpath(install.target, zipped.folder) for install in self.inside(zipped)]
        return any(path == "python" or path.startswith("python" + os.sep) for path in paths)

    def extra(self, requirements: Sequence[str], place: Place) -> None:
        for path in requirements[1:]:
            self.notes.open(place, f"`{path}` is installed beside `{requirements[0]}`", "make one lock of both")

    def names(self, packages: Sequence[str], place: Place) -> tuple[str, ...]:
        """Names of distributions that a command line installs; their versions are the lock's."""
        from packaging.requirements import InvalidRequirement, Requirement
        from packaging.utils import canonicalize_name

        found = []
        for text in packages:
            try:
                one = Requirement(text)
            except InvalidRequirement:
                self.notes.open(place, f"`{text}` is installed", "add its distribution to the lock, and to `packages`")
                continue
            found.append(canonicalize_name(one.name))
            self.notes.open(
                place, f"`{text}` is named on the command line", "put it into the requirements that are locked"
            )
        return tuple(dict.fromkeys(found))

    def drop(self) -> tuple[str, ...]:
        """Patterns that scripts delete and that the profile would keep."""
        found: dict[str, None] = {}
        folders = [one.target for _, one in self.installs]
        for row in self.rows:
            if not isinstance(row.step, Removed):
                continue
            for pattern in row.step.patterns:
                target = next((folder for folder in folders if pattern.startswith(f"{folder}/")), None)
                if target is not None and not _ANYWAY.fullmatch(pattern):
                    found[f"/{pattern[len(target) + 1 :]}"] = None
                elif row.command.words[0].endswith("find") and not _ANYWAY.fullmatch(pattern):
                    found[pattern.removeprefix("*/")] = None
        return tuple(found)

    def unasked(self, place: Place, one: Aws) -> None:
        for option, _ in one.options:
            if option not in _UNASKED:
                self.notes.open(place, f"`--{option}` of `aws lambda {one.verb}`", _STAYS)


def holds(zipped: Zipped, folder: str) -> bool:
    """Whether what was installed into the `folder` is in the archive."""
    roots = [
        os.path.normpath(os.path.join(zipped.folder, re.sub(r"/?\*$", "", member) or ".")) for member in zipped.members
    ]
    return any(below(folder, root) or folder == root for root in roots)


def below(path: str, folder: str) -> bool:
    path, folder = os.path.normpath(path), os.path.normpath(folder)
    return path == folder or folder == "." or path.startswith(folder + os.sep)


def known(text: str) -> str:
    return "" if "$" in text else text


def number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def stem(root: str) -> str:
    from lamella.config.propose import as_key

    return as_key([os.path.basename(os.path.abspath(root))])
