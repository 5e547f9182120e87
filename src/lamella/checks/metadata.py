"""Do distributions still say what they are?  Libraries ask importlib.metadata for versions and entry points.

Source of the rules: PyPA specifications, "Recording installed projects", "Core metadata", "Entry points".
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Sequence

from lamella.checks.members import below, content, normalized, sites
from lamella.checks.model import Answers, Contents, Finding, Severity
from lamella.closure.findings import Provided
from lamella.closure.modules import index_modules, provides
from lamella.manifest import Artifact, Distribution

NAME = "metadata"
# Who reads these groups: tools that build or test.  Nothing of that happens in Lambda
_TOOLS = frozenset(
    {"distutils.commands", "hypothesis", "mypy", "pkg_config", "pyinstaller40", "pytest11", "setuptools"}
)
_INFO = re.compile(r"(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info")


def headers(data: bytes) -> tuple[tuple[str, str], ...]:
    """The fields of METADATA, names in lower case, without the description behind them."""
    from email.parser import BytesHeaderParser

    return tuple((name.lower(), str(value)) for name, value in BytesHeaderParser().parsebytes(data).items())


def info_of(row: Distribution, held: Contents, folders: Sequence[str], file: str) -> str | None:
    """The path of a file in the `.dist-info` of a distribution, in the first of `folders` that has it."""
    for folder in folders:
        prefix = f"{folder}/" if folder else ""
        for path in held.members:
            if not path.endswith(f".dist-info/{file}") or not path.startswith(prefix):
                continue
            found = _INFO.fullmatch(path[len(prefix) : -len(file) - 1])
            if found is not None and normalized(found["name"]) == row.name:
                return path
    return None


def requirements(row: Distribution, held: Contents, folders: Sequence[str]) -> tuple[str, ...]:
    """The Requires-Dist lines of a distribution.  Raises ArchiveError, OSError."""
    path = info_of(row, held, folders, "METADATA")
    lines = headers(content(held, path)) if path is not None else ()
    return tuple(value for name, value in lines if name == "requires-dist")


def recorded(artifact: Artifact, runtime: str, held: Contents) -> tuple[Finding, ...]:
    """What is wrong in the `.dist-info` folders of an artifact for `runtime`.  Raises ArchiveError, OSError."""
    folders = sites(artifact, runtime)
    modules = index_modules(held.members, folders)
    others = set(map(os.path.dirname, held.members))  # an entry point of numpy names a folder of data
    others = {path.replace("/", ".") for place in others if (path := below(place, folders)) is not None}
    found: list[Finding] = []
    for row in artifact.distributions:
        if runtime not in row.runtimes:
            continue
        path = info_of(row, held, folders, "METADATA")
        if path is None:
            reason = f"`{row.name}` {row.version} has no METADATA: importlib.metadata won't find it"
            hint = f'keep = ["{row.name.replace("-", "_")}-*.dist-info/METADATA"] for `{artifact.key}`, and build again'
            found.append(Finding(NAME, Severity.ERROR, artifact.key, "", reason, hint))
            continue
        fields = dict(reversed(headers(content(held, path))))  # of a repeated one the first counts
        name, version = normalized(fields.get("name", "")), fields.get("version", "")
        if name != row.name or not _equal(version, row.version):
            reason = f"it says `{name}` {version}; the manifest says `{row.name}` {row.version}"
            found.append(Finding(NAME, Severity.ERROR, artifact.key, path, reason, "run `lamella build` again"))
        entry_points = info_of(row, held, folders, "entry_points.txt")
        if entry_points is not None:
            for group, line, module in _listed(content(held, entry_points)):
                if module == "":
                    reason, hint = f"it can't be read: {line}", "report it to whoever published the distribution"
                    found.append(Finding(NAME, Severity.ERROR, artifact.key, entry_points, reason, hint))
                elif (
                    provides(modules, module) is not Provided.YES
                    and _is_own(module, row)
                    and module not in others
                    and not _is_object(line, module, held, folders)
                ):
                    reason = f"`{line}` of `{group}` names a module that is not in `{artifact.key}`"
                    hint = f"`lamella why {artifact.key} {module.replace('.', '/')}.py` says which rule left it out"
                    severity = _severity(group)
                    found.append(Finding(NAME, severity, artifact.key, entry_points, reason, hint))
    return tuple(found)


def _severity(group: str) -> Severity:
    """Nothing in Lambda runs by itself what an entry point names: who does will notice."""
    return Severity.NOTE if group.partition(".")[0] in _TOOLS or group in _TOOLS else Severity.WARNING


def _is_object(line: str, module: str, held: Contents, folders: Sequence[str]) -> bool:
    """Whether an entry point names an object as if it were a module (``hf = huggingface_hub.HfFileSystem``).

    Some readers of entry points take that, too.  It counts as there when the module before it has the name.
    """
    parent, dot, name = module.rpartition(".")
    if not dot or ":" in line:
        return False
    stem = parent.replace(".", "/")
    files = [f"{stem}{ending}" for ending in ("/__init__.py", ".py", "/__init__.pyc", ".pyc")]
    places = [f"{folder}/{file}" if folder else file for folder in folders for file in files]
    named = re.compile(rb"\b%s\b" % re.escape(name.encode()))
    return any(named.search(content(held, place)) for place in places if place in held.members)


def _is_own(module: str, row: Distribution) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in row.modules)


def _listed(data: bytes) -> Iterator[tuple[str, str, str]]:
    """(group, line, module) of each entry point; one with the reason and no module where the file can't be read."""
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None, default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError) as error:
        yield "", str(error).splitlines()[0], ""
        return
    for group in parser.sections():
        for name, target in parser.items(group):
            module = re.split(r"[:\s\[]", target.strip(), maxsplit=1)[0]
            if re.fullmatch(r"[\w.]+", module):
                yield group, f"{name} = {target}", module


def _equal(one: str, two: str) -> bool:
    if one == two:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(two)
    except InvalidVersion:
        return False


def answered(rows: Sequence[tuple[Artifact, Distribution]], answers: Sequence[Answers]) -> tuple[Finding, ...]:
    """What importlib.metadata, asked in the sandbox, does not say as the manifest does."""
    told = {answer.name: answer for answer in answers}
    found = []
    for artifact, row in rows:
        answer = told.get(row.name, Answers(row.name, "", ""))
        if answer.failed:
            reason = f"importlib.metadata fails for `{row.name}`: {answer.failed}"
        elif not answer.version:
            reason = f"importlib.metadata does not find `{row.name}` {row.version}"
        elif not _equal(answer.version, row.version):
            reason = f"importlib.metadata says that `{row.name}` is {answer.version}; the manifest says {row.version}"
        else:
            continue
        hint = "is its `.dist-info` complete, and in one layer only?"
        found.append(Finding(NAME, Severity.ERROR, artifact.key, "", reason, hint))
    if "" in told and rows:
        reason = f"importlib.metadata.entry_points() fails: {told[''].failed}"
        hint = "look for an entry_points.txt that can't be read"
        found.append(Finding(NAME, Severity.ERROR, rows[0][0].key, "", reason, hint))
    return tuple(found)
