"""`lamella profile`: what do a handler's imports cost?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.build.standin import StandIns
    from lamella.interpreter import Interpreter
    from lamella.manifest import FunctionArtifact, Manifest
    from lamella.profiling.model import Profile
    from lamella.profiling.run import Subject
    from lamella.report.console import Console
    from lamella.sandbox.model import Finished, StandIn
    from lamella.sandbox.run import Sandbox
    from lamella.target import Target
    from lamella.wheels.cache import Cache

DESCRIPTION = (
    "Import a handler with its layers unpacked read-only as Lambda unpacks them, by the target's Python, and tell what "
    "each module and distribution took."
)
EPILOG = """examples:
  lamella profile api-handler                        the most expensive modules, and all distributions
  lamella profile api-handler --html imports.html    a flame graph to click and search in
  lamella profile api-handler --compare ../old/dist  this build and another, measured in turn

Before each measurement nothing is imported but what the interpreter itself needs to start.  The variables that Lambda
sets are there, with a region of us-east-1 and made-up credentials; `--env` adds others or changes these.  What the
runtime brings, boto3 and what it needs, is taken as the project's lock pins it.
"""
_OTHER = "give `--compare` the folder that a build wrote to, whole: `lamella build --output DIR`"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.numbers import positive
    from lamella.cli.variables import add_env
    from lamella.sandbox.model import AUTO, ISOLATIONS

    parser.add_argument("function", metavar="FUNCTION", help="the function whose handler is imported")
    parser.add_argument(
        "--repeat", type=positive, default=5, metavar="N", help="runs to take medians of; 5 if left out"
    )
    parser.add_argument("--top", type=positive, default=20, metavar="N", help="modules to show; 20 if left out")
    parser.add_argument("--html", metavar="FILE", help="write a page with the flame graph")
    parser.add_argument("--compare", metavar="DIR", help="the output folder of another build, measured in turn with it")
    add_env(parser)
    parser.add_argument("--isolation", choices=ISOLATIONS, default=AUTO, help="the strongest that works, if left out")
    parser.add_argument("--offline", action="store_true", help="use no network: all must be here, or in the cache")
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")
    parser.add_argument("--json", action="store_true", help="print everything as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors, and data with --json")


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.writing import refuse_place
    from lamella.profiling.run import profile
    from lamella.report.console import Console
    from lamella.report.profile import Rounds, as_json, show, show_both

    console = Console(quiet=parsed.quiet)
    if parsed.html is not None:
        refuse_place(parsed.html)
    made = _subjects(parsed, console)
    subjects = [subject for subject, _ in made]
    rounds = Rounds(console)
    try:
        profiles = profile(subjects, repeat=parsed.repeat, progress=rounds.done)
    finally:
        rounds.close()
    if parsed.html is not None:
        _write_page(parsed.html, profiles, console)
    if parsed.json:
        console.data(as_json(profiles))
    elif len(profiles) == 2:
        show_both(console, *profiles)
    else:
        show(console, profiles[0], parsed.top)
    _tell_standins(profiles, [standin for _, standin in made], console)
    return 0


def _subjects(parsed: argparse.Namespace, console: Console) -> list[tuple[Subject, StandIn]]:
    """The function of this build, before it that of the one that it is compared with; and what stands in for each."""
    from lamella.build.standin import StandIns
    from lamella.cachedir import cache_dir
    from lamella.cli.artifacts import open_built, open_folder
    from lamella.wheels.cache import Cache

    root = cache_dir(os.environ)
    cache = Cache(root)
    settings, built = open_built(parsed.output, cache)
    builds = [(settings.output, built)]
    if parsed.compare is not None:
        builds.insert(0, (parsed.compare, open_folder(parsed.compare, cache, hint=_OTHER)))
    progress = console.progress()
    try:
        standins = StandIns(settings, cache, root, progress, offline=parsed.offline)
        return [_subject(parsed, folder, manifest, cache, standins, console) for folder, manifest in builds]
    finally:
        progress.close()


def _subject(
    parsed: argparse.Namespace, folder: str, built: Manifest, cache: Cache, standins: StandIns, console: Console
) -> tuple[Subject, StandIn]:
    """The function of one build, unpacked, the way to run the target's Python on it, and what stands in there."""
    from lamella.cachedir import cache_dir
    from lamella.profiling.origins import Sources
    from lamella.profiling.run import TIMEOUT, Subject
    from lamella.sandbox.unpack import merged, unpack
    from lamella.sandbox.variables import variables
    from lamella.target import Target

    shown = os.path.relpath(folder)
    function = _function(built, parsed.function, shown)
    target = Target.parse(function.runtime, function.architecture)
    _tell_limits(function, target, console)
    layers = [layer for key in function.layers for layer in built.layers if layer.key == key]
    python, sandbox = _sandbox(parsed, target, cache, console)
    root = cache_dir(os.environ)
    opt = merged([(os.path.join(folder, layer.file), layer.sha256) for layer in layers], root)
    task = unpack(os.path.join(folder, function.file), function.sha256, root)
    layered = tuple(row for layer in layers for row in layer.distributions if function.runtime in row.runtimes)
    standin = standins.of(target, python, frozenset(row.name for row in (*function.distributions, *layered)))
    environment = {**variables(function.name, function.handler), **dict(parsed.env)}

    def run(arguments: Sequence[str]) -> Finished:
        return sandbox.run(arguments, opt=opt, task=task, runtime=standin.folder, env=environment, timeout=TIMEOUT)

    sources = Sources(function.distributions, layered, standin.distributions)
    return Subject(shown, function.key, function.handler, function.runtime, sources, run, standin.why), standin


def _sandbox(
    parsed: argparse.Namespace, target: Target, cache: Cache, console: Console
) -> tuple[Interpreter, Sandbox]:  # fmt: skip
    """The target's Python, and where it runs."""
    from lamella import interpreter
    from lamella.sandbox.model import PATH_ONLY
    from lamella.sandbox.run import Sandbox

    purpose = interpreter.Purpose("to import the handler with", "build it for a runtime whose Python is here")
    python = interpreter.find(target.python, offline=parsed.offline, memory=cache, purpose=purpose)
    sandbox = Sandbox(python.path, target.python, parsed.isolation)
    if sandbox.isolation == PATH_ONLY and parsed.isolation != PATH_ONLY:
        console.note(f"measured {PATH_ONLY}: {'; '.join(f'{kind}: {why}' for kind, why in sandbox.refused)}")
    return python, sandbox


def _function(built: Manifest, key: str, folder: str) -> FunctionArtifact:
    """Raises UsageError when the build has no such function."""
    from lamella.errors import UsageError
    from lamella.wording import did_you_mean, listed

    keys = [function.key for function in built.functions]
    for function in built.functions:
        if function.key == key:
            return function
    if any(layer.key == key for layer in built.layers):
        raise UsageError(
            f"`{key}` is a layer, and has no handler to import",
            why=[f"the functions are {listed(keys)}"],
        )
    raise UsageError(
        f"there is no function `{key}` in `{folder}`",
        why=[f"the functions are {listed(keys)}"],
        hint=did_you_mean(key, keys),
    )


def _tell_limits(function: FunctionArtifact, target: Target, console: Console) -> None:
    """What makes this measurement less than what happens in Lambda."""
    from lamella.wording import listed

    machine = os.uname().machine
    if machine != target.machine:
        console.warning(
            f"`{function.key}` is built for {function.architecture} and this machine is {machine}: "
            "compiled modules can't be imported here"
        )
    foreign = [layer for layer in function.layers if layer.startswith("arn:")]
    if foreign:
        console.note(f"without {listed(foreign)}: layers that are only in AWS are not here")


def _tell_standins(profiles: Sequence[Profile], standins: Sequence[StandIn], console: Console) -> None:
    """Name what was measured in place of the runtime's own."""
    words: dict[str, None] = {}
    for profile, standin in zip(profiles, standins, strict=True):
        origins = {row.name for row in profile.origins}
        if any(row.name in origins for row in standin.distributions):
            words[standin.words] = None
    for text in words:
        console.note(text)


def _write_page(path: str, profiles: Sequence[Profile], console: Console) -> None:
    from lamella.cli.writing import write
    from lamella.report.flame import flame_page

    write(path, flame_page(profiles))
    console.say(f"Wrote `{path}`")
