"""How wheels are built in a container, and checks run in one: `[tool.lamella.container]`."""

from __future__ import annotations

import re

from lamella.config.section import Section, described
from lamella.container.model import ContainerSettings
from lamella.facts.tables import runtimes
from lamella.wording import did_you_mean

KEYS = frozenset({"engine", "build-image", "run-image", "packages", "options"})
ENGINES = ("docker", "podman")
# As Docker writes a reference: a host with a port, a path, a tag, a digest; `{architecture}` and `{runtime}` are ours
_REFERENCE = re.compile(r"(?![._:/@-])(?:[A-Za-z0-9._:/@-]|\{runtime\}|\{architecture\})+")
# Names, versions and architectures of RPM and of Debian: `openblas-devel`, `libxml2-2.9.1*`, `libpq-dev=15.*`
_PACKAGE = re.compile(r"[A-Za-z0-9@][A-Za-z0-9+._:=~*/@-]*")
# What lamella says itself
_OWN = frozenset({"-f", "--file", "-o", "--output", "--platform", "--iidfile", "-t", "--tag"})


def read_container(top: Section) -> ContainerSettings:
    """The table `container`; all defaults where there is none.  Raises ConfigError."""
    section = top.table("container", f"[{'.'.join((*top.prefix, 'container'))}]")
    if section is None:
        return ContainerSettings()
    section.only(KEYS)
    return ContainerSettings(
        engine=section.one_of("engine", ENGINES) or "",
        build_images=_images(section, "build-image"),
        run_images=_images(section, "run-image"),
        packages=_packages(section),
        options=_options(section),
    )


def _images(section: Section, key: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a runtime and a reference: of a string one for every runtime, of a table those that it names."""
    given = section.data.get(key)
    if given is None:
        return ()
    if isinstance(given, str):
        reference = section.text(key) or ""
        _check(section, key, reference)
        return tuple((name, reference.replace("{runtime}", name)) for name in runtimes())
    if not isinstance(given, dict):
        hint = f'write `{key} = "…"`, or `{key} = {{ "python3.12" = "…" }}`'
        raise section.wrong_type(key, "a string, or a table of a string for each runtime", given, hint)
    below = Section(given, section.file, section.prefix, (*section.path, key))
    for name in given:
        if name not in runtimes():
            raise below.refuse(
                name,
                "is not a known runtime",
                why=(f"known are {', '.join(runtimes())}",),
                hint=did_you_mean(name, runtimes()),
            )
        _check(below, name, below.text(name) or "")
    return tuple((name, str(given[name]).replace("{runtime}", name)) for name in runtimes() if name in given)


def _check(section: Section, key: str, reference: str) -> None:
    if not _REFERENCE.fullmatch(reference):
        raise section.refuse(
            key,
            "is no reference of an image",
            why=(f"found {described(reference)}",),
            hint="write it as `docker pull` takes it: `registry/name:tag`, or `registry/name@sha256:…`; "
            "`{runtime}` and `{architecture}` are filled in",
        )


def _packages(section: Section) -> tuple[str, ...]:
    given = section.texts("packages") or ()
    for name in given:
        if not _PACKAGE.fullmatch(name):
            raise section.refuse(
                "packages",
                "names what no package is called",
                why=(f"found {described(name)}",),
                hint='write names as `dnf install` takes them: `packages = ["libxml2-devel"]`',
            )
    return given


def _options(section: Section) -> tuple[str, ...]:
    given = section.texts("options") or ()
    for option in given:
        name = option.partition("=")[0]
        if name in _OWN:
            raise section.refuse(
                "options",
                f"holds `{name}`, which lamella itself gives to the engine",
                hint="remove it" + ("; the image is `build-image`" if name in ("-f", "--file") else ""),
            )
    return given
