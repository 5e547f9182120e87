"""`custom.pythonRequirements`: each setting of serverless-python-requirements, and what becomes of it.

Source: README and index.js of serverless-python-requirements 6 (read on 2026-11-22).
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from lamella.migrate.model import Layer, Notes, Place
from lamella.migrate.tree import Tree, content
from lamella.migrate.variables import Variables

_REQUIREMENTS = "requirements.txt"
_CACHES = frozenset(
    {"useStaticCache", "useDownloadCache", "cacheLocation", "staticCacheMaxVersions"}
    | {"invalidateCaches", "cleanupZipHelper", "pythonBin"}
)
_READ = frozenset(
    {"fileName", "layer", "noDeploy", "vendor", "zip", "slim", "slimPatterns", "slimPatternsAppendDefaults", "strip"}
    | {"dockerImage", "dockerFile", "dockerizePip", "usePipenv", "usePoetry", "usePyProject", "poetryWithGroups"}
    | {"poetryWithoutGroups", "poetryOnlyGroups", "pyprojectWithGroups", "requirePoetryLockFile"}
)
_TODO = {
    "dockerSsh": "sdists are fetched before the container runs: give git's and the index's credentials to this machine",
    "dockerPrivateKey": "sdists are fetched before the container runs: give git's credentials to this machine",
    "dockerEnv": "write what a build of an sdist needs into `[container] options`, as `--build-arg`",
    "dockerExtraFiles": "put the files into the function's `source`; shared libraries are found by `build --container`",
    "dockerRunCmdExtraArgs": "nothing is run: `[container] options` are further arguments to `docker build`",
    "dockerBuildCmdExtraArgs": "write them into `[container] options`, where they serve the image that is configured",
    "pipCmdExtraArgs": "indexes are read from the lock, uv's and pip's own settings; all else has no counterpart",
    "installFolderAsPackage": "make the project a package that uv.lock has, or name its folder in `source`",
}
# Those of the plugin's default patterns, and what the profile `safe` leaves out anyway
_ANYWAY = re.compile(r"\*\*/(\*\.py\[c\|?o\]|\*\.pyc|__pycache__\*?|\*\.dist-info\*?|\*\.egg-info\*?|tests?(/\*\*)?/?)")
_INSTALLS = re.compile(r"\b(?:yum|dnf|microdnf|apt-get|apt)\s+(?:-\S+\s+)*install\s+([^&|;\n]+)")


class Plugin(NamedTuple):
    """What the plugin packs.  `requirements` is "" where it is the project's own dependencies (pyproject.toml).

    `nothing` says that there are no requirements; `as_layer` that they were a layer already.
    """

    used: bool
    place: Place
    requirements: str = ""
    nothing: bool = False
    as_layer: bool = False
    vendor: str = ""
    name: str = ""
    description: str = ""
    runtimes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    profile: str = ""
    container: tuple[tuple[str, object], ...] = ()
    first: tuple[str, ...] = ()

    def layer(self, key: str, requirements: str, prefix: str) -> Layer:
        return Layer(
            key=key,
            name=self.name or f"{prefix}-python-requirements" + ("" if key == "layer" else f"-{key}"),
            requirements=requirements,
            runtimes=self.runtimes,
            groups=self.groups,
            exclude=self.exclude,
            drop=self.drop,
            profile=self.profile,
            description=self.description,
        )


def plugin(root: str, variables: Variables, top: Tree, notes: Notes) -> Plugin:
    """The plugin's settings.  It is used where it is in `plugins`, or has settings."""
    listed = top.get("plugins")
    named = [tree for tree in (listed.list() if listed else ()) if tree.text() == "serverless-python-requirements"]
    settings = variables.get(top, "custom", "pythonRequirements")
    if not named and settings is None:
        return Plugin(False, top.place)
    place = settings.place if settings is not None else named[0].place
    settings = settings if settings is not None else named[0]
    _others(root, settings, variables, notes)
    requirements, nothing, groups, first = _dependencies(root, variables, settings, place, notes)
    layer = variables.tree(settings.get("layer"))
    as_layer = layer is not None and layer.flag() is not False
    if layer is not None:
        for key, value in layer.items():
            if key not in ("name", "description", "compatibleRuntimes"):
                todo = "use `lamella share`" if key == "allowedAccounts" else "it has no counterpart"
                notes.open(value.place, f"`{key}` of the layer", todo)
    return Plugin(
        used=True,
        place=place,
        requirements=requirements,
        nothing=nothing,
        as_layer=as_layer,
        vendor=variables.text(settings.get("vendor")) or "",
        name=_text(variables, layer, "name"),
        description=_text(variables, layer, "description"),
        runtimes=variables.texts(layer and layer.get("compatibleRuntimes")),
        groups=groups,
        exclude=variables.texts(settings.get("noDeploy")),
        drop=_drop(variables, settings, notes),
        profile=_profile(settings),
        container=_container(root, variables, settings, notes),
        first=first,
    )


def _text(variables: Variables, tree: Tree | None, key: str) -> str:
    return (variables.text(tree.get(key)) or "") if tree is not None else ""


def _unzipping(root: str) -> list[Place]:
    """Where the project's code imports the module that the plugin adds."""
    from lamella.config.handlers import python_files

    at, files = python_files(root)
    return [
        Place(os.path.normpath(os.path.join(at, file.path)), number)
        for file in files
        for number, line in enumerate(file.text.splitlines(), 1)
        if "unzip_requirements" in line
    ]


def _others(root: str, settings: Tree, variables: Variables, notes: Notes) -> None:
    for key, value in settings.items():
        if key in _CACHES or key in _READ:
            continue
        if variables.text(value) in ("false", "", "[]") or (value.text() is None and not value.list()):
            continue
        notes.open(value.place, f"`{key}`", _TODO.get(key, "it has no counterpart"))
    zipped = settings.get("zip")
    if zipped is not None and zipped.flag():
        notes.mapped(
            zipped.place,
            "`zip: true` unpacks the requirements when a function starts",
            "a layer is unpacked already: remove `import unzip_requirements` from the handlers",
        )
        for found in _unzipping(root):
            notes.open(found, "`unzip_requirements` is imported", "remove it: a layer is unpacked already")
    docker = settings.get("dockerizePip")
    if docker is not None and docker.flag() is not False:
        notes.mapped(
            docker.place,
            "`dockerizePip` is not needed: wheels are chosen for Lambda on any machine",
            "what has no wheel is built by `lamella build --container`",
        )


def _dependencies(
    root: str, variables: Variables, settings: Tree, place: Place, notes: Notes
) -> tuple[str, bool, tuple[str, ...], tuple[str, ...]]:
    """The requirements file ("" for the project's own), whether there is nothing, groups, and commands to run first.

    The plugin's order: Poetry, Pipenv, pyproject.toml, the requirements file.
    """

    def asked(key: str) -> bool:
        given = settings.get(key)
        return given is None or given.flag() is not False

    def there(name: str) -> bool:
        return os.path.isfile(os.path.join(root, name))

    pyproject = content(root, "pyproject.toml") if there("pyproject.toml") else ""
    if asked("usePoetry") and "[tool.poetry" in pyproject and (there("poetry.lock") or "[tool.poetry.dep" in pyproject):
        words = ["poetry export -f requirements.txt -o requirements.txt"]
        for key, option in (("poetryWithGroups", "--with"), ("poetryWithoutGroups", "--without")):
            words += [f"{option} {','.join(found)}" for found in [variables.texts(settings.get(key))] if found]
        only = variables.texts(settings.get("poetryOnlyGroups"))
        words += [f"--only {','.join(only)}"] if only else []
        notes.mapped(
            place, "the requirements come from poetry.lock", "export it after each change (poetry-plugin-export)"
        )
        return _REQUIREMENTS, not there(_REQUIREMENTS), (), (" ".join(words),)
    if asked("usePipenv") and there("Pipfile"):
        notes.mapped(place, "the requirements come from Pipfile", "export its lock after each change")
        return _REQUIREMENTS, not there(_REQUIREMENTS), (), ("pipenv requirements --hash > requirements.txt",)
    if asked("usePyProject") and re.search(r"(?m)^\s*dependencies\s*=", pyproject) and "[project]" in pyproject:
        groups = variables.texts(settings.get("pyprojectWithGroups"))
        return "", False, groups, () if there("uv.lock") else ("uv lock",)
    file = os.path.normpath(variables.text(settings.get("fileName")) or _REQUIREMENTS)
    return file, not there(file), (), ()


def _drop(variables: Variables, settings: Tree, notes: Notes) -> tuple[str, ...]:
    """`slimPatterns` that the profile doesn't leave out anyway, as patterns of ours."""
    given = settings.get("slimPatterns")
    found = []
    for tree in given.list() if given is not None else ():
        text = variables.text(tree) or ""
        if text and not _ANYWAY.fullmatch(text):
            found.append(text if text.startswith("**/") else f"/{text.lstrip('/')}")
        elif "-info" in text:
            notes.mapped(
                tree.place,
                f"`{text}` is not dropped: metadata is read at run time",
                "what nobody reads of it is left out",
            )
    return tuple(found)


def _profile(settings: Tree) -> str:
    strip, slim = settings.get("strip"), settings.get("slim")
    slimmed = slim is not None and slim.flag() is True
    return "none" if slimmed and strip is not None and strip.flag() is False else ""


def _container(root: str, variables: Variables, settings: Tree, notes: Notes) -> tuple[tuple[str, object], ...]:
    image, file = settings.get("dockerImage"), settings.get("dockerFile")
    found: list[tuple[str, object]] = []
    text = variables.text(image)
    if text:
        found.append(("build-image", text))
    path = variables.text(file)
    if path and file is not None:
        normal = os.path.normpath(path)
        inside = (
            not os.path.isabs(normal) and not normal.startswith("..") and os.path.isfile(os.path.join(root, normal))
        )
        lines = re.sub(r"\\\n", " ", content(root, normal)) if inside else ""
        packages = [word for line in _INSTALLS.findall(lines) for word in line.split() if word[:1] not in "-$"]
        if packages:
            found.append(("packages", list(dict.fromkeys(packages))))
        notes.open(
            file.place,
            f"`{normal}` makes an image of its own",
            "what it installs is in `[container] packages`; for the rest build the image, and name it in `build-image`",
        )
    return tuple(found)
