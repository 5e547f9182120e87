"""One `[tool.lamella.layers.KEY]`."""

from __future__ import annotations

from lamella.config import slimming
from lamella.config.model import LayerSettings
from lamella.config.names import DESCRIPTION_LENGTH, LAYER_NAME_LENGTH, is_aws_name, normalized
from lamella.config.project import Defaults, Project
from lamella.config.runtimes import runtimes
from lamella.config.section import Section, described
from lamella.wording import did_you_mean

KEYS = frozenset({"name", "runtime", "groups", "extras", "packages", "exclude", "description"}) | slimming.KEYS


def read_layer(section: Section, key: str, defaults: Defaults) -> LayerSettings:
    """The layer `key`.  Raises ConfigError."""
    project = defaults.project
    section.only(KEYS)
    served = runtimes(section, defaults.architecture) or defaults.runtimes
    layer = LayerSettings(
        key=key,
        name=aws_name(section, key, project, LAYER_NAME_LENGTH),
        runtimes=served,
        groups=_declared(section, "groups", project.groups, "[dependency-groups]", project.file),
        extras=_declared(section, "extras", project.extras, "[project.optional-dependencies]", project.file),
        packages=distributions(section, "packages"),
        exclude=distributions(section, "exclude"),
        slimming=slimming.read_slimming(section, len(served)),
        description=_description(section),
    )
    for name in layer.packages:
        if name in layer.exclude:
            raise section.refuse(
                "exclude",
                "takes away what `packages` asks for",
                why=(f"both name `{name}`",),
                hint="remove it from one",
            )
    return layer


def _description(section: Section) -> str:
    given = section.text("description") or ""
    if len(given) > DESCRIPTION_LENGTH:
        raise section.refuse(
            "description",
            "is too long",
            why=(f"it has {len(given)} characters, AWS takes {DESCRIPTION_LENGTH}",),
            hint="shorten it, or remove it: one is made from what is in the layer",
        )
    return given


def aws_name(section: Section, key: str, project: Project, longest: int) -> str:
    """The artifact's name in AWS: the key `name`, or `<project>-<key>`."""
    given = section.text("name")
    if given is not None:
        if is_aws_name(given, longest):
            return given
        raise section.refuse(
            "name", "is no name that AWS accepts", why=(f"found {described(given)}",), hint=_alphabet(longest)
        )
    if project.name is None:
        raise section.refuse(
            "name",
            "is needed",
            why=("its default is `<project>-<key>`, and no [project] name stands beside the configuration",),
            hint='write `name = "…"`, the name in AWS',
        )
    default = f"{project.name}-{key}"
    if len(default) > longest:
        raise section.refuse(
            "name",
            "is needed",
            why=(f"its default, `{default}`, has {len(default)} characters",),
            hint=_alphabet(longest),
        )
    return default


def distributions(section: Section, key: str) -> tuple[str, ...]:
    """The normalized names of distributions at `key` (PyPA spec: names and normalization)."""
    return _normalized(section, key, "a distribution", "write the name alone: the lock pins its version")


def _declared(section: Section, key: str, declared: frozenset[str] | None, where: str, file: str) -> tuple[str, ...]:
    """The normalized groups or extras at `key`, each of them in pyproject.toml, if that is the place that tells."""
    found = _normalized(
        section,
        key,
        "an extra" if key == "extras" else "a group",
        "use ASCII letters and digits, with `-` between them",
    )
    for name in found:
        if declared is not None and name not in declared:
            raise section.refuse(
                key,
                f"names `{name}`, which {file} doesn't have",
                why=(f"`{where}` has: {', '.join(sorted(declared)) or 'nothing'}",),
                hint=did_you_mean(name, declared) or f"add it to `{where}`, or remove it here",
            )
    return found


def _normalized(section: Section, key: str, kind: str, hint: str) -> tuple[str, ...]:
    found: list[str] = []
    for item in section.texts(key) or ():
        name = normalized(item)
        if name is None:
            raise section.refuse(key, f"holds what is no name of {kind}", why=(f"found {described(item)}",), hint=hint)
        found.append(name)
    section.different(key, found)
    return tuple(found)


def _alphabet(longest: int) -> str:
    return f"write a `name` of at most {longest} ASCII letters, digits, `-` and `_`"
