"""A root file of Terraform that says what the configuration says, and the module that makes it."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from lamella.export.model import MARK, Text
from lamella.export.words import environment_words
from lamella.manifest import whole_of

if TYPE_CHECKING:
    from lamella.config.model import FunctionSettings
    from lamella.export.model import Source

# Beside this file in what is installed, in its own folder in a checkout
_MODULE = ("terraform_module", "../../../terraform/modules/lambda")
_ESCAPES = {"b": r"\u0008", "f": r"\u000c"}
_ROOT = """\
# {mark} terraform{environment}`, which writes it anew
module "lambda" {{
  source = "./modules/lambda"

  manifest = "${{path.module}}/{manifest}"
{bucket}{layers}{functions}}}

output "functions" {{
  value = module.lambda.functions
}}

output "layers" {{
  value = module.lambda.layers
}}
"""


def emit(source: Source) -> tuple[Text, ...]:
    """The root file, and the module's files in `modules/lambda/`."""
    settings, environment = source.settings, source.environment
    names = dict(environment.functions)
    built = {one.key for one in source.manifest.functions}
    functions = {
        one.key: _function(one, names.get(one.key, ""), dict(environment.aliases).get(one.key, one.alias))
        for one in settings.functions
        if one.key in built
    }
    # A part of a split layer, or of a function's bundle, is named after its whole
    whole = {**names, **dict(environment.layers)}
    layers = {
        one.key: {"name": whole[whole_of(one)] + one.key[len(whole_of(one)) :]}
        for one in source.manifest.layers
        if whole_of(one) in whole
    }
    words = environment_words(environment)
    # What has `{region}` in it is another bucket in each, which the provider's region decides
    bucket = "" if "{" in environment.bucket else environment.bucket
    root = _ROOT.format(
        mark=MARK,
        environment=words,
        manifest=_text(f"{source.place.output}/manifest.json")[1:-1],
        bucket=f"\n  bucket = {_text(bucket)}\n" if bucket else "",
        layers=f"\n  layers = {_hcl(layers, 1)}\n" if layers else "",
        functions=f"\n  functions = {_hcl(functions, 1)}\n" if functions else "",
    )
    # The module is the same one for each environment
    head = f"# {MARK} terraform`, which writes it anew\n\n"
    return (Text("", root), *(Text(f"modules/lambda/{name}", head + text) for name, text in _module()))


def _function(one: FunctionSettings, name: str, alias: str) -> dict[str, object]:
    """What the module is told of a function; what is Lambda's default is left out."""
    said: dict[str, object] = {"name": name, "alias": alias}
    said["memory_size"] = one.memory if one.memory != type(one)._field_defaults["memory"] else ""
    said["timeout"] = one.timeout if one.timeout != type(one)._field_defaults["timeout"] else ""
    said["environment"] = dict(one.environment)
    return {key: value for key, value in said.items() if value not in ("", {})}


def _hcl(value: object, depth: int) -> str:
    """A value as `terraform fmt` would lay it out, `depth` blocks deep.  https://developer.hashicorp.com/terraform/language/style"""
    if not isinstance(value, dict):
        return _text(value) if isinstance(value, str) else json.dumps(value)
    if not value:
        return "{}"
    written = [(_name(key), one) for key, one in value.items()]
    lines = []
    for at, (key, one) in enumerate(written):
        # Names stand in columns as long as no value between them has lines of its own
        width = max(len(other) for other, _ in _run(written, at)) if not _long(one) else len(key)
        lines.append(f"{'  ' * (depth + 1)}{key:<{width}} = {_hcl(one, depth + 1)}")
    return "{\n" + "\n".join(lines) + f"\n{'  ' * depth}}}"


def _run(written: list[tuple[str, object]], at: int) -> list[tuple[str, object]]:
    """The neighbours of a value of one line that are of one line, too."""
    first = last = at
    while first and not _long(written[first - 1][1]):
        first -= 1
    while last + 1 < len(written) and not _long(written[last + 1][1]):
        last += 1
    return written[first : last + 1]


def _long(value: object) -> bool:
    return isinstance(value, dict) and bool(value)


def _name(key: str) -> str:
    """A key of an object, without quotes where it needs none: a `for` would begin an expression."""
    return key if key.replace("_", "a").isidentifier() and key != "for" else _text(key)


def _text(text: str) -> str:
    """A quoted string, in which nothing is a template."""
    # Two of JSON's escapes are not HCL's
    written = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), json.dumps(text, ensure_ascii=False))
    return written.replace("${", "$${").replace("%{", "%%{")


def _module() -> list[tuple[str, str]]:
    here = os.path.dirname(__file__)
    folder = next(path for name in _MODULE if os.path.isdir(path := os.path.join(here, name)))
    files = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".tf"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                files.append((name, file.read()))
    return files
