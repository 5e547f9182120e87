"""Where and under which names a build is deployed: `[tool.lamella.deploy]` and `[tool.lamella.environments.NAME]`."""

from __future__ import annotations

from collections.abc import Sequence

from lamella.config import names
from lamella.config.accounts import journal_of, read_accounts, read_bucket
from lamella.config.model import Environment, FunctionSettings, LayerSettings
from lamella.config.running import alias as alias_of
from lamella.config.section import Section, described
from lamella.wording import did_you_mean

KEYS = frozenset({"region", "regions", "profile", "role", "accounts", "bucket", "journal", "rate", "keep"})
ENVIRONMENT_KEYS = KEYS | {"prefix", "suffix", "alias", "layers", "functions"}
LAYER_KEYS = frozenset({"name"})
FUNCTION_KEYS = frozenset({"name", "alias"})
UNNAMED = "default"  # stands for the environment without a name, in the names of files
FASTEST = 1000  # calls of AWS in one second
MOST_KEPT = 10_000
# A layer that is split has parts `NAME-1` to `NAME-5`
_PART = len("-5")

Artifacts = Sequence[LayerSettings] | Sequence[FunctionSettings]


def read_environments(
    top: Section, base: Environment, layers: Sequence[LayerSettings], functions: Sequence[FunctionSettings]
) -> tuple[Environment, ...]:
    """The environment without a name, then those of the configuration, in the file's order.

    `base` has the names and aliases that artifacts have by themselves.  Raises ConfigError.
    """
    deploy = top.table("deploy", f"[{'.'.join((*top.prefix, 'deploy'))}]")
    if deploy is not None:
        deploy.only(KEYS)
        base = _where(deploy, base)
    return (
        base,
        *(_environment(section, key, base, layers, functions) for key, section in top.sections("environments")),
    )


def _where(section: Section, base: Environment) -> Environment:
    """The environment with what the section says of its places; the rest is the base's."""
    rate = section.number("rate", FASTEST, unit="calls in a second", example=10)
    keep = section.whole("keep", 1, MOST_KEPT, unit="versions")
    return base._replace(
        accounts=read_accounts(section, base.accounts),
        bucket=read_bucket(section) or base.bucket,
        journal=journal_of(section) or base.journal,
        rate=base.rate if rate is None else rate,
        keep=base.keep if keep is None else keep,
    )


def _environment(
    section: Section,
    key: str,
    base: Environment,
    layers: Sequence[LayerSettings],
    functions: Sequence[FunctionSettings],
) -> Environment:
    if not names.is_key(key) or key == UNNAMED:
        why = (f"`{UNNAMED}` is the environment without a name",) if key == UNNAMED else ()
        raise section.refuse(
            None,
            "can't be the name of an environment",
            why=why,
            hint=f"use at most {names.KEY_LENGTH} of a-z, 0-9, `-` and `_`, with a letter or digit first",
        )
    section.only(ENVIRONMENT_KEYS)
    affixes = _affix(section, "prefix"), _affix(section, "suffix")
    every = alias_of(section)
    own_functions = _own(section, "functions", functions, FUNCTION_KEYS)
    aliases = {name: alias_of(below) for name, below in own_functions.items() if "alias" in below.data}
    found = _where(section, base)._replace(
        name=key,
        layers=_named(section, "layers", layers, _own(section, "layers", layers, LAYER_KEYS), affixes),
        functions=_named(section, "functions", functions, own_functions, affixes),
        aliases=tuple((one.key, aliases.get(one.key) or every or one.alias) for one in functions),
    )
    for kind, pairs in (("layers", found.layers), ("functions", found.functions)):
        _check_names_differ(section, kind, pairs)
    return found


def _affix(section: Section, key: str) -> str:
    given = section.text(key) or ""
    if not names.NAME.issuperset(given):
        raise section.refuse(
            key,
            "holds a character that AWS accepts in no name",
            why=(f"found {described(given)}",),
            hint="use ASCII letters, digits, `-` and `_`",
        )
    return given


def _own(section: Section, kind: str, artifacts: Artifacts, known: frozenset[str]) -> dict[str, Section]:
    """What the environment says of single layers or functions, by key."""
    keys = [one.key for one in artifacts]
    found = {}
    for key, below in section.sections(kind):
        if key not in keys:
            raise below.refuse(
                None,
                f"names no {kind[:-1]}",
                why=(f"the project's {kind}: {', '.join(keys) or 'none'}",),
                hint=did_you_mean(key, keys) or f"declare it below `{kind}`, or remove it here",
            )
        below.only(known)
        found[key] = below
    return found


def _named(
    section: Section, kind: str, artifacts: Artifacts, own: dict[str, Section], affixes: tuple[str, str]
) -> tuple[tuple[str, str], ...]:
    """Pairs of key and name in AWS: a name that the environment gives, or the base's between prefix and suffix."""
    pairs = []
    prefix, suffix = affixes
    for one in artifacts:
        longest = names.LAYER_NAME_LENGTH if kind == "layers" else names.FUNCTION_NAME_LENGTH
        if kind == "layers" and one.slimming.split:
            longest -= _PART
        below = own.get(one.key)
        given = below.text("name") if below is not None else None
        alphabet = f"a `name` of at most {longest} ASCII letters, digits, `-` and `_`"
        if below is not None and given is not None and not names.is_aws_name(given, longest):
            why = (f"found {described(given)}",)
            raise below.refuse("name", "is no name that AWS accepts", why=why, hint=f"write {alphabet}")
        name = given or f"{prefix}{one.name}{suffix}"
        if len(name) > longest:
            raise section.refuse(
                "prefix" if prefix else "suffix",
                f"makes the name of {kind[:-1]} `{one.key}` too long",
                why=(f"`{name}` has {len(name)} characters, AWS takes {longest}",),
                hint=f"give it {alphabet} in this environment: `{kind}.{one.key}.name`",
            )
        pairs.append((one.key, name))
    return tuple(pairs)


def _check_names_differ(section: Section, kind: str, pairs: Sequence[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for key, name in pairs:
        if name in seen:
            raise section.refuse(
                kind,
                f"gives two the name `{name}` in AWS",
                why=(f"`{seen[name]}` and `{key}`",),
                hint="give one of them another `name`",
            )
        seen[name] = key
