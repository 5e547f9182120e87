"""Runtimes and the architecture: those that are written, and the one that requires-python means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.config.project import Project
from lamella.config.section import Section
from lamella.errors import ConfigError
from lamella.facts.tables import Runtime
from lamella.facts.tables import runtimes as known
from lamella.target import Target

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

DEFAULT_ARCHITECTURE = "x86_64"  # as Lambda's own (CreateFunction, Architectures)

# A range may ask for a patch release (">=3.12.4").  Lambda moves to newer patches by itself, and no minor
# version of CPython has come near this one.
NEWEST_PATCH = 64


def architecture(section: Section) -> str:
    """The key `architecture`, or Lambda's default."""
    given = section.text("architecture") or DEFAULT_ARCHITECTURE
    _target(section, "architecture", list(known())[-1], given)
    return given


def runtimes(section: Section, on: str) -> tuple[str, ...] | None:
    """The runtimes at the key `runtime`, oldest first, each known on the architecture `on`; None when left out."""
    given = section.texts("runtime", or_one=True)
    if given is None:
        return None
    if not given:
        raise section.refuse("runtime", "must name a runtime", hint='write `runtime = "python3.13"`, say')
    for name in given:
        _target(section, "runtime", name, on)
    return tuple(name for name in known() if name in given)


def one_runtime(section: Section, on: str) -> str | None:
    """A function's `runtime`: it has one."""
    given = section.text("runtime")
    if given is not None:
        _target(section, "runtime", given, on)
    return given


def _target(section: Section, key: str, runtime: str, on: str) -> None:
    try:
        Target.parse(runtime, on)
    except ConfigError as error:
        hint = error.hint or "choose a known one"
        raise section.refuse(key, f"names an {error.what}", why=error.why, hint=hint) from None


def derived(section: Section, project: Project) -> tuple[str, ...]:
    """The runtime for a configuration that names none: the oldest that requires-python admits and that is current.

    Current means verified, and not deprecated on the day that lamella's table was read: with today's date the same
    files would give another runtime one morning.  Raises ConfigError when there is none.
    """
    if project.requires_python is None:
        raise section.refuse(
            "runtime",
            "is needed",
            why=("no [project] requires-python stands beside the configuration to derive it from",),
            hint=f'write `runtime = "{newest_current().name}"`, say',
        )
    fitting = admitted(project.requires_python, project.file)
    for runtime in fitting:
        if is_current(runtime):
            return (runtime.name,)
    what = f'`requires-python = "{project.requires_python}"` admits'
    if fitting:
        why = f"{what} {', '.join(runtime.name for runtime in fitting)}, deprecated or not verified"
        hint = f'write `runtime = "{fitting[-1].name}"` to build for it all the same'
    else:
        why, hint = f"{what} none of {', '.join(known())}", "change requires-python"
    raise section.refuse("runtime", "is needed", why=(why,), hint=hint)


def admitted(requires_python: str, file: str) -> Sequence[Runtime]:
    """The known runtimes that have a patch release in the range, oldest first.  Raises ConfigError for no range."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        specifier = SpecifierSet(requires_python)
    except InvalidSpecifier as error:
        raise ConfigError(
            f"`[project] requires-python` in {file} is no version range",
            why=(str(error),),
            hint='write `requires-python = ">=3.12"`, say',
        ) from None
    return [runtime for runtime in known().values() if _has_patch(specifier, runtime)]


def _has_patch(specifier: SpecifierSet, runtime: Runtime) -> bool:
    major, minor = runtime.python
    return any(specifier.contains(f"{major}.{minor}.{patch}") for patch in range(NEWEST_PATCH))


def is_current(runtime: Runtime) -> bool:
    return runtime.verified and (runtime.deprecated is None or runtime.deprecated > runtime.read)


def newest_current() -> Runtime:
    return [runtime for runtime in known().values() if is_current(runtime)][-1]
