"""`lamella export`: the files that other tools read."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lamella.export.model import Place, Source, Text
    from lamella.report.console import Console

DESCRIPTION = "Write what other tools read: a SAM template, Terraform, a workflow of GitHub Actions, targets of Make."
EPILOG = """examples:
  lamella export sam                            template.yaml, beside the configuration
  lamella export sam --env prod --output - | cfn-lint -
  lamella export github-actions                 .github/workflows/lambda.yml of the repository
  lamella export make --check                   fails where the file is not what would be written

A file that lamella did not write is left alone, unless `--force` is given.
"""
_STDOUT = "-"


class Kind(NamedTuple):
    """One kind of file: its customary place, in the project or its repository, and whether it needs what was built."""

    path: str
    built: bool
    in_repository: bool = False


KINDS = {
    "sam": Kind("template.yaml", built=True),
    "terraform": Kind("terraform/lamella.tf", built=True),
    "github-actions": Kind(".github/workflows/lambda.yml", built=False, in_repository=True),
    "make": Kind("lamella.mk", built=False),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import Named

    parser.add_argument("kind", choices=tuple(KINDS), metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--env", metavar="NAME", default="", action=Named, help="the environment of the configuration")
    parser.add_argument("--output", metavar="FILE", action=Named, help="write it there; `-` prints the main file")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    parser.add_argument("--force", action="store_true", help="overwrite files that lamella did not write")
    parser.add_argument("--build-step", action="store_true", help="sam: let `sam build` call lamella, by a Makefile")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def run(parsed: argparse.Namespace) -> int:
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet)
    source, path = _source(parsed)
    emit: Callable[..., Sequence[Text]] = import_module(f"lamella.export.{parsed.kind.replace('-', '_')}").emit
    texts = emit(source, build_step=True) if parsed.build_step else emit(source)
    if parsed.output == _STDOUT:
        console.data(texts[0].text)
        return 0
    folder = os.path.dirname(path)
    files = [(os.path.join(folder, one.path) if one.path else path, one.text) for one in texts]
    if parsed.check:
        return _compare(console, files)
    if KINDS[parsed.kind].in_repository and not parsed.force:
        _refuse_anothers(path, texts[0].text, source.place.inside)
    return _write(console, files, force=parsed.force)


def _source(parsed: argparse.Namespace) -> tuple[Source, str]:
    """What the emitter reads, and the main file's absolute path.  Raises ConfigError, UsageError."""
    from lamella.cli.artifacts import open_built
    from lamella.cli.rollouts import environment_of
    from lamella.config.read import read
    from lamella.errors import UsageError
    from lamella.export.model import Source
    from lamella.manifest import Manifest

    kind = KINDS[parsed.kind]
    if parsed.build_step and parsed.kind != "sam":
        raise UsageError("`--build-step` is for `lamella export sam` alone", hint="leave it out")
    if parsed.build_step and parsed.output == _STDOUT:
        raise UsageError("`--build-step` writes a Makefile, too", hint="leave `--output -` out, or name a file")
    if parsed.check and parsed.output == _STDOUT:
        raise UsageError("`--check` compares files, and `--output -` has none", hint="leave one of them out")
    if kind.built and not parsed.build_step:
        settings, manifest = open_built(None)
    else:
        settings = read(os.getcwd())
        manifest = Manifest(settings.project, (), ())
    repository = _repository(settings.root)
    beside = repository if kind.in_repository else settings.root
    given = parsed.output if parsed.output not in (None, _STDOUT) else None
    path = os.path.abspath(given) if given else os.path.join(beside, kind.path)
    place = _place(os.path.dirname(path), settings.root, settings.output, repository)
    return Source(settings, environment_of(settings, parsed.env), manifest, place), path


def _place(folder: str, root: str, output: str, repository: str) -> Place:
    from lamella.export.model import Place

    def near(path: str, start: str) -> str:
        return os.path.relpath(path, start).replace(os.sep, "/")

    return Place(near(root, folder), near(output, folder), near(root, repository))


def _repository(folder: str) -> str:
    """The nearest folder above, or this one, that git has its data in; this one where there is none."""
    above = folder
    while not os.path.exists(os.path.join(above, ".git")):
        if os.path.dirname(above) == above:
            return folder
        above = os.path.dirname(above)
    return above


def _compare(console: Console, files: Sequence[tuple[str, str]]) -> int:
    different = [path for path, text in files if _read(path) != text]
    for path in different:
        console.say(f"`{os.path.relpath(path)}` would be written anew")
    return 1 if different else 0


def _refuse_anothers(path: str, text: str, inside: str) -> None:
    """Each project of a repository has a file of its own.  Raises UsageError."""
    from lamella.errors import UsageError
    from lamella.export.words import written_for

    there = _read(path)
    if there is None:
        return
    owner = written_for(there.partition("\n")[0])
    if _is_ours(there) and owner != written_for(text.partition("\n")[0]):
        near = os.path.relpath(path)
        stem, suffix = os.path.splitext(near)
        name = "root" if inside == "." else "-".join(re.findall("[A-Za-z0-9]+", inside))
        raise UsageError(
            f"`{near}` was written for another project",
            why=[f"that in {f'`{owner}`' if owner else 'the folder of the repository'}; it would be overwritten"],
            hint=f"`--output {shlex.quote(f'{stem}-{name}{suffix}')}` writes another file; `--force` overwrites it",
        )


def _is_ours(text: str) -> bool:
    from lamella.export.model import MARK

    return MARK in text.partition("\n")[0]


def _write(console: Console, files: Sequence[tuple[str, str]], *, force: bool) -> int:
    """All of them, or none where one is somebody's own.  Raises UsageError."""
    from lamella.cli.writing import refuse_place, write
    from lamella.errors import UsageError

    for path, _ in files:
        there = _read(path)
        if there is not None and not _is_ours(there) and not force:
            raise UsageError(
                f"`{os.path.relpath(path)}` was not written by lamella",
                why=["it would be overwritten"],
                hint="`--output` names another file, `--output -` prints; `--force` overwrites it",
            )
    for path, _ in files:
        _make_folder(path)
        refuse_place(os.path.relpath(path))
    for path, text in files:
        write(os.path.relpath(path), text)
        console.say(f"Wrote `{os.path.relpath(path)}`")
    return 0


def _make_folder(path: str) -> None:
    """The one that a file goes into, with those above it.  Raises UsageError."""
    from lamella.errors import UsageError

    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        where = os.path.relpath(path)
        why = error.strerror or str(error)
        raise UsageError(f"`{where}` can't be written", why=[why], hint="name a file in another folder") from None


def _read(path: str) -> str | None:
    """What a file holds; None where there is none, and what can't be read is nobody's."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
