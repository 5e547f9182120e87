"""Source → wheel, by uv, for pure Python; packed anew so that its bytes depend on its content alone.

What uv builds is compressed by this machine's zlib and dated by its clock.  The wheel that enters the cache holds
the same files, deflated by libdeflate under our own records: the same content gives the same bytes everywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator

from lamella import uv
from lamella.archive.entry import FILE, PROGRAM, from_bytes
from lamella.archive.writer import write
from lamella.errors import BuildError, LamellaError, OutsideError
from lamella.interpreter import InterpreterMissingError, Memory, find
from lamella.lock.model import FromGit
from lamella.wording import scrubbed

# Folders that no build backend reads, and that change when tools run; the second set only at the project's top
_ASIDE = frozenset(
    {".git", ".hg", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox", ".nox", ".eggs"}
)
_ASIDE_AT_TOP = frozenset({"build", "dist", "venv", "node_modules"})


class NativeError(BuildError):
    """What was built holds native code: on this machine, that is of no use to Lambda."""


def interpreter(python: tuple[int, int], *, offline: bool, memory: Memory | None = None) -> tuple[str, str]:
    """The Python to build with, and its minor version: the target's where uv knows one here, else our own.

    A build may look at the version that runs it, so the answer belongs to what the wheel depends on.
    """
    try:
        return find(python, offline=offline, install=False, memory=memory).path, f"{python[0]}.{python[1]}"
    except InterpreterMissingError:
        return sys.executable, f"{sys.version_info[0]}.{sys.version_info[1]}"


def copied(project: str, folder: str) -> str:
    """The files of a project that count, in a new folder below `folder` that has the project's name.

    To build in: a build leaves folders of its own, and the next would take files from them that are no longer in the
    sources.
    """
    copy = os.path.join(tempfile.mkdtemp(dir=folder), os.path.basename(os.path.normpath(project)))
    os.makedirs(copy)
    for path in _files(project):
        target = os.path.join(copy, os.path.relpath(path, project))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # a link that leads nowhere
            shutil.copy2(path, target)
    history = os.path.join(project, ".git")
    if os.path.exists(history):
        # Backends that take the version from git look for it here; they only read
        os.symlink(os.path.abspath(history), os.path.join(copy, ".git"))
    return copy


def from_source(name: str, source: str, folder: str, *, python: str, offline: bool) -> str:
    """Build the project folder or sdist `source` into a wheel inside `folder`; return the wheel's path.

    `python` is the interpreter's path.
    Raises BuildError when uv can't, NativeError when the wheel holds native code (that takes the runtime's own image).
    """
    out = tempfile.mkdtemp(dir=folder)
    cwd = source if os.path.isdir(source) else os.path.dirname(source)
    command = ["build", "--wheel", "--no-create-gitignore", "--python", python, "--out-dir", out, source]
    try:
        uv.run(command, cwd=cwd, offline=offline)
    except uv.UvFailedError as error:
        raise BuildError(
            f"`{name}` could not be built into a wheel from `{os.path.basename(source)}`",
            why=error.lines[-12:],
            hint="`lamella build --container` builds it in the runtime's build image, where "
            "`[tool.lamella.container] packages` installs what it needs",
        ) from None
    wheels = [file for file in os.listdir(out) if file.endswith(".whl")]
    if len(wheels) != 1:
        raise BuildError(f"building `{name}` gave {len(wheels)} wheels instead of one")
    (wheel,) = wheels
    if not wheel.endswith("-none-any.whl"):
        raise NativeError(
            f"`{name}` builds into native code on this machine: `{wheel}`",
            why=["a library compiled here is bound to this machine's glibc and processor, not to Lambda's"],
            hint="`lamella build --container` builds it in the runtime's build image",
        )
    return repack(os.path.join(out, wheel))


def repack(wheel: str) -> str:
    """The same wheel under records of our own.  The file keeps its name, in a folder beside."""
    folder = tempfile.mkdtemp(dir=os.path.dirname(wheel))
    target = os.path.join(folder, os.path.basename(wheel))
    with zipfile.ZipFile(wheel) as archive:
        write(
            target,
            [
                from_bytes(
                    info.filename,
                    info.filename,
                    archive.read(info),
                    PROGRAM if info.external_attr >> 16 & 0o111 else FILE,
                )
                for info in archive.infolist()
                if not info.is_dir()
            ],
        )
    os.unlink(wheel)
    return target


def checkout(source: FromGit, folder: str) -> str:
    """Fetch one commit of a repository into a new folder below `folder`; return the project's folder in it.

    Raises OutsideError with git's own words.
    """
    target = tempfile.mkdtemp(dir=folder)
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}

    def git(*arguments: str) -> None:
        try:
            done = subprocess.run(
                ["git", "-c", "advice.detachedHead=false", *arguments],
                cwd=target, env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                errors="replace", check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise LamellaError(
                "`git` is not on PATH", why=["the lock pins a commit of a repository"], hint="install git"
            ) from None
        if done.returncode:
            raise OutsideError(
                f"`git {arguments[0]}` of `{scrubbed(source.url)}` failed",
                why=[scrubbed(line) for line in done.stderr.splitlines()[-5:]],
                hint="check that the repository can be reached from here, and that the commit is still in it",
            )

    # The URL, which may hold credentials, is not made a remote: that would write it into the folder
    git("init", "--quiet")
    try:
        git("fetch", "--quiet", "--depth=1", source.url, source.commit)
    except OutsideError:
        # Not every server hands out a bare commit
        git("fetch", "--quiet", source.url, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    git("checkout", "--quiet", source.commit)
    return os.path.join(target, source.subdirectory) if source.subdirectory else target


def tree_digest(folder: str) -> str:
    """SHA-256 over the names, kinds and bytes of a project's files: what a wheel built from it depends on."""
    digest = hashlib.sha256()
    for path in _files(folder):
        try:
            with open(path, "rb") as file:
                program = bool(os.fstat(file.fileno()).st_mode & stat.S_IXUSR)
                state = f"{program} {hashlib.file_digest(file, 'sha256').hexdigest()}"
        except OSError as error:
            state = str(error.errno)
        digest.update(f"{os.path.relpath(path, folder)}\0{state}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: str) -> Iterator[str]:
    for base, folders, files in os.walk(folder):
        aside = _ASIDE | _ASIDE_AT_TOP if base == folder else _ASIDE
        folders[:] = sorted(name for name in folders if name not in aside and not name.endswith(".egg-info"))
        for name in sorted(files):
            if not re.search(r"\.py[co]$", name):
                yield os.path.join(base, name)
