"""A workflow of GitHub Actions: built and checked for every change, rolled out to each environment after a push.

A rollout is the field's five steps: build the layers, publish them, build the functions, deploy and attach, verify.
Syntax: GitHub Docs, "Workflow syntax for GitHub Actions"; permissions: "Configuring OpenID Connect in Amazon Web
Services".
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lamella import __version__
from lamella.export.model import Text
from lamella.export.words import environment_words, quoted, written_by

if TYPE_CHECKING:
    from lamella.config.model import Environment, Settings
    from lamella.export.model import Place, Source

# The first major versions that run on Node 24, the runner's only Node since autumn 2026 (GitHub Changelog, 2025-09-19)
_CHECKOUT = "actions/checkout@v6"
_PYTHON = "actions/setup-python@v6"
_CACHE = "actions/cache@v5"
_CREDENTIALS = "aws-actions/configure-aws-credentials@v6"
# Imports are checked on the machine itself, so it is to be of the architecture
_RUNNERS = {"x86_64": "ubuntu-24.04", "arm64": "ubuntu-24.04-arm"}
_CACHED = "~/.cache/lamella"
_LOCKS = ("**/uv.lock", "**/pylock.toml", "**/requirements*.txt")
_OLDEST = (3, 11)  # that lamella itself runs on


def emit(source: Source) -> tuple[Text, ...]:
    """One file.  With an environment that has a name, that one is rolled out to; else all that have one, in order."""
    settings = source.settings
    named = [one for one in settings.environments if one.name]
    chosen = [source.environment] if source.environment.name or not named else named
    lines = [
        written_by("github-actions", source),
        f"name: {quoted(_name(source))}",
        "",
        "on:",
        "  push:",
        "    branches: [main]",
        "  pull_request:",
        "  workflow_dispatch:",
        "",
        "permissions:",
        "  contents: read",
        "",
        "jobs:",
        *_check(settings, source),
    ]
    needs = "check"
    for one in chosen:
        lines += ["", *_deploy(settings, source.place, one, needs)]
        needs = _job(one)
    return (Text("", "\n".join(lines) + "\n"),)


def _name(source: Source) -> str:
    """Several workflows of one repository are told apart by it, in GitHub's lists."""
    inside = "" if source.place.inside == "." else source.place.inside
    return " ".join(filter(None, ("lambda", inside, source.environment.name)))


def _check(settings: Settings, source: Source) -> Iterator[str]:
    place = source.place
    one = f"-{source.environment.name}" if source.environment.name else ""
    yield "  check:"
    yield "    name: Check"
    yield "    concurrency: # of one branch the newest counts"
    # Workflows of one environment each are started by the same push, and are not to end each other
    yield f"      group: lambda-check{one}{_suffix(place)}-${{{{ github.ref }}}}"
    yield "      cancel-in-progress: true"
    yield from _head(settings, place)
    yield "    steps:"
    yield from _ready(settings, place)
    yield from _step("Build", [_build(settings)])
    yield from _step("Check", ["lamella check"])


def _deploy(settings: Settings, place: Place, one: Environment, needs: str) -> Iterator[str]:
    words = environment_words(one)
    yield f"  {_job(one)}:"
    yield f"    name: Deploy{f' to {one.name}' if one.name else ''}"
    yield f"    needs: {needs}"
    yield "    if: github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
    if one.name:
        yield f"    environment: {quoted(one.name)}"
    yield "    # Two rollouts to one place never meet, and none is stopped amid its changes"
    yield "    concurrency:"
    yield f"      group: lambda-{one.name or 'default'}{_suffix(place)}"
    yield "      cancel-in-progress: false"
    yield "    permissions:"
    yield "      contents: read"
    yield "      id-token: write # the token that the role is assumed with"
    yield from _head(settings, place)
    yield "    steps:"
    yield from _ready(settings, place)
    yield from _credentials(one)
    words += _profile(one)
    layers = [layer.key for layer in settings.layers]
    if layers:
        yield from _step("Build the layers", [_build(settings, *layers)])
        yield from _step("Publish the layers", [f"lamella deploy --layers-only --auto-approve{words}"])
    yield from _step("Build the functions", [_build(settings)])
    yield from _step(f"Deploy{' and attach' * bool(layers)}", [f"lamella deploy --auto-approve{words}"])
    yield from _step(
        "Verify",
        [
            f"lamella verify{words}",
            "{",
            "  echo '```'",
            f"  lamella status{words}",
            "  echo '```'",
            '} >> "$GITHUB_STEP_SUMMARY"',
        ],
    )


def _build(settings: Settings, *keys: str) -> str:
    """A project that says how it is built in containers is: runners have docker."""
    container = ["--container"] if settings.container != type(settings.container)() else []
    return " ".join(["lamella build --locked", *container, *keys])


def _job(one: Environment) -> str:
    return f"deploy-{one.name}" if one.name else "deploy"


def _suffix(place: Place) -> str:
    """Of a repository with several projects, each has its own groups."""
    return "" if place.inside == "." else "-" + re.sub("[^A-Za-z0-9]+", "-", place.inside)


def _head(settings: Settings, place: Place) -> Iterator[str]:
    yield f"    runs-on: {_RUNNERS[settings.architecture]}"
    if place.inside != ".":
        yield "    defaults:"
        yield "      run:"
        yield f"        working-directory: {quoted(place.inside)}"


def _ready(settings: Settings, place: Place) -> Iterator[str]:
    """The steps before lamella's own: sources, the runtimes' Pythons, lamella, and the wheels of earlier runs."""
    yield f"      - uses: {_CHECKOUT}"
    yield "        with:"
    yield "          persist-credentials: false"
    yield f"      - uses: {_PYTHON}"
    yield "        with:"
    yield "          python-version: | # the runtimes', whose bytecode is made and whose imports are tried"
    yield from (f"            {version}" for version in _versions(settings))
    yield "      - name: Install lamella"
    yield f'        run: python -m pip install --disable-pip-version-check "lamella[aws,uv]=={__version__}"'
    yield f"      - uses: {_CACHE}"
    yield "        with:"
    yield f"          path: {_CACHED}"
    yield f"          key: {_key(settings, place)}"
    yield "          restore-keys: lamella-${{ runner.os }}-${{ runner.arch }}-"


def _versions(settings: Settings) -> Sequence[str]:
    """Of Python, oldest first; the last one runs lamella."""
    runtimes = {*settings.runtimes, *(one.runtime for one in settings.functions)}
    runtimes.update(runtime for layer in settings.layers for runtime in layer.runtimes)
    found = sorted({tuple(int(part) for part in name.removeprefix("python").split(".")) for name in runtimes})
    if found[-1] < _OLDEST:
        found.append(_OLDEST)
    return [".".join(str(part) for part in version) for version in found]


def _key(settings: Settings, place: Place) -> str:
    locks = [_lock(settings, place)] if settings.lock else _LOCKS
    names = ", ".join("'" + one.replace("'", "''") + "'" for one in locks)
    return f"lamella-${{{{ runner.os }}}}-${{{{ runner.arch }}}}-${{{{ hashFiles({names}) }}}}"


def _lock(settings: Settings, place: Place) -> str:
    near = os.path.relpath(settings.lock or "", settings.root).replace(os.sep, "/")
    return posixpath.normpath(posixpath.join(place.inside, near))


def _credentials(one: Environment) -> Iterator[str]:
    regions = [region for account in one.accounts for region in account.regions]
    yield f"      - uses: {_CREDENTIALS}"
    yield "        with: # variables of the repository, or of its environment"
    yield "          role-to-assume: ${{ vars.AWS_ROLE_ARN }}"
    yield f"          aws-region: {regions[0] if regions else '${{ vars.AWS_REGION }}'}"


def _profile(one: Environment) -> str:
    """The profile of a person's machine is not on a runner: the credentials of the step before stand in its place."""
    return ' --profile ""' if len(one.accounts) == 1 and one.accounts[0].profile else ""


def _step(name: str, commands: Sequence[str]) -> Iterator[str]:
    yield f"      - name: {name}"
    if len(commands) == 1:
        yield f"        run: {commands[0]}"
        return
    yield "        run: |"
    yield from (f"          {command}" for command in commands)
