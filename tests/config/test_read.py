from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lamella.config.model import ApiSettings, Authorizer, Environment, FunctionSettings, LayerSettings, Settings
from lamella.config.read import read
from lamella.errors import ConfigError, UsageError

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]


def test_defaults(settings: Read, tmp_path: Path) -> None:
    read_here = settings(
        '[tool.lamella]\n[tool.lamella.layers.layer]\n[tool.lamella.functions.api]\nhandler = "api.handler"\n'
    )
    assert read_here == Settings(
        root=str(tmp_path),
        file=str(tmp_path / "pyproject.toml"),
        project="spectra",
        architecture="x86_64",
        runtimes=("python3.12",),
        lock=None,
        output=str(tmp_path / "dist" / "lambda"),
        layers=(LayerSettings("layer", "spectra-layer", ("python3.12",)),),
        functions=(FunctionSettings("api", "spectra-api", "python3.12", "api.handler"),),
        environments=(
            Environment(
                layers=(("layer", "spectra-layer"),), functions=(("api", "spectra-api"),), aliases=(("api", ""),)
            ),
        ),
    )


def test_every_key(settings: Read, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    (tmp_path / "app").mkdir()
    (tmp_path / "main.py").touch()
    arn = "arn:aws:lambda:eu-west-1:123456789012:layer:other:1"
    read_here = settings(f"""\
[tool.lamella]
runtime = ["python3.13", "python3.11"]
architecture = "arm64"
lock = "uv.lock"
output = "out"
allow-build = ["Odd_Package"]
[tool.lamella.layers.base]
name = "Base"
runtime = ["python3.12", "python3.11"]
groups = ["Worker"]
extras = ["images"]
packages = ["Num_Py"]
exclude = ["boto3"]
[tool.lamella.functions.api]
name = "Api"
handler = "main.handler"
source = ["./app", "main.py"]
include = ["*.py"]
exclude = ["x", "!y"]
layers = ["{arn}", "base"]
bundle = ["Zope.Interface"]
runtime = "python3.11"
memory = 512
timeout = 30
environment = {{ STAGE = "test" }}
alias = "live"
routes = ["GET /jobs/{{id}}"]
authorizer = "gate"
[tool.lamella.functions.gate]
handler = "main.gate"
[tool.lamella.api]
stage = "dev"
""")
    assert read_here.runtimes == ("python3.11", "python3.13")
    assert read_here.architecture == "arm64"
    assert read_here.lock == str(tmp_path / "uv.lock")
    assert read_here.output == str(tmp_path / "out")
    assert read_here.allow_build == ("odd-package",)
    assert read_here.layers == (
        LayerSettings("base", "Base", ("python3.11", "python3.12"), ("worker",), ("images",), ("num-py",), ("boto3",)),
    )
    assert read_here.functions == (
        FunctionSettings(
            key="api",
            name="Api",
            runtime="python3.11",
            handler="main.handler",
            source=("app", "main.py"),
            include=("*.py",),
            exclude=("x", "!y"),
            layers=(arn, "base"),
            bundle=("zope-interface",),
            memory=512,
            timeout=30,
            environment=(("STAGE", "test"),),
            alias="live",
            routes=(("GET", "/jobs/{id}"),),
            authorizer="gate",
        ),
        FunctionSettings("gate", "spectra-gate", "python3.13", "main.gate"),
    )
    assert read_here.api == ApiSettings(stage="dev", authorizers=(Authorizer("gate"),))


def test_own_file_names_places_without_the_prefix(tmp_path: Path) -> None:
    (tmp_path / "lamella.toml").write_text('runtime = "python3.12"\n[layers.layer]\nprofil = 1\n')
    with pytest.raises(ConfigError) as caught:
        read(str(tmp_path))
    assert caught.value.what == "`[layers.layer] profil` in lamella.toml is not a known key"


def test_own_file_alone_needs_names(tmp_path: Path) -> None:
    (tmp_path / "lamella.toml").write_text('runtime = "python3.12"\n[layers.layer]\n')
    with pytest.raises(ConfigError) as caught:
        read(str(tmp_path))
    assert str(caught.value) == (
        "`[layers.layer] name` in lamella.toml is needed\n"
        "  its default is `<project>-<key>`, and no [project] name stands beside the configuration\n"
        '  hint: write `name = "…"`, the name in AWS'
    )
    (tmp_path / "lamella.toml").write_text('runtime = "python3.12"\n[layers.layer]\nname = "a"\ngroups = ["b"]\n')
    assert read(str(tmp_path)).layers[0].groups == ("b",)  # nothing here says which groups there are


UNKNOWN = [
    (
        "runtimes = 1",
        "`[tool.lamella] runtimes` in pyproject.toml is not a known key\n"
        "  known keys: allow-build, api, architecture, cache, container, deploy, environments, functions, layers, "
        "lock, output, runtime\n"
        "  hint: did you mean `runtime`?",
    ),
    (
        "allow_build = []",
        "`[tool.lamella] allow_build` in pyproject.toml is not a known key\n"
        "  known keys: allow-build, api, architecture, cache, container, deploy, environments, functions, layers, "
        "lock, output, runtime\n"
        "  hint: did you mean `allow-build`?",
    ),
    (
        '[tool.lamella.layers.layer]\nprofil = "safe"',
        "`[tool.lamella.layers.layer] profil` in pyproject.toml is not a known key\n"
        "  known keys: bytecode, compression, description, distributions, drop, exclude, extras, groups, keep, name, "
        "packages, profile, runtime, services, split, without\n"
        "  hint: did you mean `profile`?",
    ),
    (
        "[tool.lamella.layers.layer]\nlicence = 'MIT'",
        "`[tool.lamella.layers.layer] licence` in pyproject.toml is not a known key\n"
        "  known keys: bytecode, compression, description, distributions, drop, exclude, extras, groups, keep, name, "
        "packages, profile, runtime, services, split, without\n"
        "  hint: remove it; keys of later versions of lamella are refused, not ignored",
    ),
    (
        '[tool.lamella.functions.api]\n"hand\\u001bler" = 1',
        '`[tool.lamella.functions.api] "hand\\u001bler"` in pyproject.toml is not a known key\n'
        "  known keys: alias, authorizer, bundle, bytecode, canary, compression, distributions, drop, environment, "
        "exclude, handler, include, keep, layers, memory, name, profile, routes, runtime, services, smoke, source, "
        "split, timeout, without\n"
        "  hint: did you mean `handler`?",
    ),
]
TYPES = [
    (
        "runtime = 3.12",
        "`[tool.lamella] runtime` in pyproject.toml must be a string or a list of strings\n"
        "  found the number 3.12\n"
        '  hint: write `runtime = ["…"]`',
    ),
    (
        "architecture = ['x86_64']",
        "`[tool.lamella] architecture` in pyproject.toml must be a string\n"
        "  found a list\n"
        '  hint: write `architecture = "…"`',
    ),
    (
        "[tool.lamella.layers.layer]\ngroups = 'worker'",
        "`[tool.lamella.layers.layer] groups` in pyproject.toml must be a list of strings\n"
        '  found the string "worker"\n'
        '  hint: write `groups = ["worker"]`',
    ),
    (
        "[tool.lamella.layers.layer]\npackages = ['a', true]",
        "`[tool.lamella.layers.layer] packages` in pyproject.toml must be a list of strings\n"
        "  found the boolean true\n"
        '  hint: write `packages = ["…"]`',
    ),
    (
        "layers = ['layer']",
        "`[tool.lamella] layers` in pyproject.toml must be a table of tables\n"
        "  found a list\n"
        "  hint: write `[tool.lamella.layers.NAME]`",
    ),
    (
        "[tool.lamella.layers]\nname = 'layer'",
        "`[tool.lamella.layers] name` in pyproject.toml must be a table\n"
        '  found the string "layer"\n'
        "  hint: write `[tool.lamella.layers.NAME]` with its keys below",
    ),
    (
        "output = ''",
        '`[tool.lamella] output` in pyproject.toml must not be empty\n  found ""\n  hint: give it a value or remove it',
    ),
    (
        'output = "a\\u0000b"',
        "`[tool.lamella] output` in pyproject.toml holds a character that can't be printed\n"
        '  found the string "a\\u0000b"\n'
        "  hint: remove it",
    ),
]
KEYS = [
    (
        "[tool.lamella.layers.Layer]",
        "`[tool.lamella.layers.Layer]` in pyproject.toml can't be the name of a zip\n"
        "  hint: use at most 100 of a-z, 0-9, `-` and `_`, with a letter or digit first",
    ),
    (
        '[tool.lamella.functions."../x"]',
        '`[tool.lamella.functions."../x"]` in pyproject.toml can\'t be the name of a zip\n'
        "  hint: use at most 100 of a-z, 0-9, `-` and `_`, with a letter or digit first",
    ),
    (
        "[tool.lamella.functions.manifest]\nhandler = 'a.b'",
        "`[tool.lamella.functions.manifest]` in pyproject.toml has a name that is taken\n"
        "  manifest.json stands beside the zips\n"
        "  hint: rename it",
    ),
    (
        "[tool.lamella.layers.api]\n[tool.lamella.functions.api]\nhandler = 'a.b'",
        "`[tool.lamella.functions.api]` in pyproject.toml has the name of a layer\n"
        "  both would become api.zip\n"
        "  hint: rename one of them",
    ),
    (
        "[tool.lamella.layers.a]\nname = 'x'\n[tool.lamella.layers.b]\nname = 'x'",
        "`[tool.lamella] layers` in pyproject.toml holds two with the name `x` in AWS\n"
        "  `a` and `b`\n"
        "  hint: give one of them another `name`",
    ),
    (
        "[tool.lamella.functions.a]\nhandler='a.b'\nname='spectra-b'\n[tool.lamella.functions.b]\nhandler='a.b'",
        "`[tool.lamella] functions` in pyproject.toml holds two with the name `spectra-b` in AWS\n"
        "  `a` and `b`\n"
        "  hint: give one of them another `name`",
    ),
    (
        "allow-build = ['a>=1']",
        "`[tool.lamella] allow-build` in pyproject.toml holds what is no name of a distribution\n"
        '  found the string "a>=1"\n'
        "  hint: write the name alone: the lock pins its version",
    ),
]


@pytest.mark.parametrize(("tables", "text"), UNKNOWN + TYPES + KEYS)
def test_refusals(refusal: Refusal, tables: str, text: str) -> None:
    assert refusal(f"[tool.lamella]\n{tables}\n") == text


def test_a_layer_and_a_function_may_share_a_name_in_aws(settings: Read) -> None:
    both = settings(
        "[tool.lamella.layers.a]\nname = 'x'\n[tool.lamella.functions.b]\nname = 'x'\nhandler = 'a.b'\n",
    )
    assert both.layers[0].name == both.functions[0].name == "x"


def test_output_of_the_command_line(settings: Read, tmp_path: Path) -> None:
    settings('[tool.lamella]\noutput = "out"\n')
    below = tmp_path / "src"
    assert read(str(below), output="built").output == str(below / "built")
    assert read(str(below), output="../built").output == str(tmp_path / "built")
    elsewhere = str(tmp_path.parent / "elsewhere")
    assert read(str(tmp_path), output=elsewhere).output == elsewhere
    with pytest.raises(UsageError) as caught:
        read(str(tmp_path), output="../built")
    assert str(caught.value) == (
        "`--output ../built` leads outside the project\n"
        f"  the project is `{tmp_path}`\n"
        "  hint: give an absolute path to write elsewhere"
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.dates() | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    [
        *("python3.12", "python3.13", "python3", "arm64", "aarch64", "uv.lock", "a.b", "api.handler", "layer", "api"),
        *("..", "/", ".", "src", "src/..", "dist/lambda", "worker", "images", "boto3", "Boto3", "a\0b", "~" * 300, "é"),
        *("arn:aws:lambda:eu-west-1:123456789012:layer:a:1", "arn:aws:lambda:eu-west-1:123456789012:layer:a:2", "%s{}"),
    ]
)


def mostly(
    sort: st.SearchStrategy[Any], rarely: st.SearchStrategy[Any] = VALUES, one_in: int = 25
) -> st.SearchStrategy[Any]:
    return st.integers(1, one_in).flatmap(lambda number: rarely if number == one_in else sort)


TEXTS = mostly(WORDS, st.text(max_size=4) | VALUES)
LISTS = mostly(st.lists(WORDS, max_size=2) | st.lists(WORDS, max_size=7))
NAMES = mostly(st.sampled_from(["layer", "api", "worker", "other"]), st.just("manifest") | st.text(max_size=3))


def table(texts: set[str], lists: set[str], **other: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A table that has any of the known keys, with values that mostly fit, and now and then a foreign one."""
    known = st.fixed_dictionaries({}, optional={**dict.fromkeys(texts, TEXTS), **dict.fromkeys(lists, LISTS), **other})
    foreign = mostly(st.just({}), st.dictionaries(st.text(max_size=4), VALUES, max_size=1))
    return st.builds(lambda one, two: one | two, known, foreign)


LAYER = table({"name", "description"}, {"groups", "extras", "packages", "exclude"}, runtime=TEXTS | LISTS)
ROUTES = st.lists(st.sampled_from(["GET /a/{b}", "ANY /{c+}", "$default", "GET a", "PUT /", "a"]), max_size=2)
NUMBERS = mostly(st.integers(100, 1000), rarely=VALUES, one_in=5)
REALS = mostly(st.sampled_from([0.1, 1, 5, 30]), rarely=VALUES, one_in=5)
SMOKE = table(
    {"event", "name"},
    {"log", "no-log"},
    payload=VALUES,
    expect=mostly(table(set(), set(), status=REALS, json=mostly(st.dictionaries(WORDS, VALUES, max_size=2)))),
    **{"max-init": REALS, "max-duration": REALS},
)
CANARY = table(set(), {"alarms"}, weight=REALS, minutes=REALS, errors=NUMBERS)
PLACES = mostly(st.sampled_from(["eu-central-1", "arn:aws:iam::123456789012:role/a", "s3://abc/{region}", "abc"]))
ACCOUNT = {"region": PLACES, "profile": TEXTS, "role": PLACES, "regions": mostly(st.lists(PLACES, max_size=2))}
DEPLOY = ACCOUNT | {"bucket": PLACES, "journal": PLACES, "rate": REALS, "keep": NUMBERS}
DEPLOY["accounts"] = mostly(st.lists(mostly(table(set(), set(), **ACCOUNT)), max_size=2))
OWN = mostly(st.dictionaries(NAMES, mostly(table({"name", "alias"}, set())), max_size=2))
ENVIRONMENT = table({"prefix", "suffix", "alias"}, set(), layers=OWN, functions=OWN, **DEPLOY)
FUNCTION = table(
    {"name", "runtime"},
    {"source", "include", "exclude", "layers", "bundle"},
    **{"memory": NUMBERS, "timeout": NUMBERS, "alias": TEXTS, "authorizer": NAMES, "routes": mostly(ROUTES)},
    environment=mostly(st.dictionaries(st.sampled_from(["AB", "C", "_HANDLER"]), TEXTS, max_size=2)),
    smoke=mostly(st.lists(mostly(SMOKE), max_size=2)),
    canary=mostly(CANARY),
).flatmap(lambda one: mostly(st.just({"handler": "a.b"} | one), st.just(one)))
AUTHORIZER = table(
    set(),
    set(),
    type=mostly(st.sampled_from(["token", "request"])),
    identity=mostly(st.lists(st.sampled_from(["$request.header.A", "$context.b", "x"]), max_size=2)),
    ttl=NUMBERS,
    simple=mostly(st.booleans()),
)
API = table(
    {"stage"},
    {"binary"},
    type=mostly(st.sampled_from(["http", "rest"])),
    payload=mostly(st.sampled_from(["1.0", "2.0"])),
    cors=mostly(table(set(), {"origins", "methods", "headers", "expose"})),
    authorizers=mostly(st.dictionaries(NAMES, mostly(AUTHORIZER), max_size=2)),
)
TABLES = st.builds(
    lambda runtime, rest: {"runtime": runtime} | rest,
    mostly(st.sampled_from(["python3.12", ["python3.11", "python3.13"]])),
    table(
        set(),
        set(),
        **{"architecture": mostly(st.just("arm64")), "lock": mostly(st.just("uv.lock"))},
        **{"output": mostly(st.just("out"), TEXTS)},
        **{"allow-build": LISTS, "runtime": mostly(st.just("python3.13"))},
        layers=mostly(st.dictionaries(NAMES, mostly(LAYER), max_size=2)),
        api=mostly(API),
        cache=PLACES,
        deploy=mostly(table(set(), set(), **DEPLOY)),
        environments=mostly(st.dictionaries(NAMES, mostly(ENVIRONMENT), max_size=2)),
        functions=mostly(st.dictionaries(NAMES, mostly(FUNCTION), max_size=2)),
    ),
)
PROJECTS = mostly(
    st.fixed_dictionaries(
        {"name": mostly(st.just("Spectra"))},
        optional={
            "requires-python": mostly(st.sampled_from([">=3.11", "~=3.9", ">=4", "x"])),
            "dependencies": LISTS,
            "dynamic": LISTS,
            "optional-dependencies": mostly(st.just({"images": [], "Boto3": 3})),
        },
    )
)


def without_none(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_none(item) for item in value if item is not None]
    return value


@given(tables=TABLES, project=PROJECTS, groups=mostly(st.just({"worker": []})), own=st.booleans())
@hypothesis_settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_tables_raise_anything_but_config_error(
    tmp_path: Path, tables: dict[str, Any], project: Any, groups: Any, own: bool
) -> None:
    (tmp_path / "src").mkdir(exist_ok=True)
    (tmp_path / "uv.lock").touch()
    (tmp_path / "lamella.toml").unlink(missing_ok=True)
    beside = {"project": project, "dependency-groups": groups}
    if own:
        (tmp_path / "lamella.toml").write_bytes(tomlkit.dumps(without_none(tables)).encode())
    else:
        beside["tool"] = {"lamella": tables}
    (tmp_path / "pyproject.toml").write_bytes(tomlkit.dumps(without_none(beside)).encode())
    message = ""
    try:
        read(str(tmp_path))
    except ConfigError as error:
        message = str(error)
    assert message.replace("\n", "").isprintable()  # what a file holds must not reach a terminal as it is


def test_reading_imports_nothing_heavy(settings: Read, tmp_path: Path) -> None:
    settings('[tool.lamella]\nruntime = "python3.12"\n[tool.lamella.layers.layer]\npackages = ["A_b"]\n')
    code = "import sys; from lamella.config.read import read; read(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
    )
    heavy = {"packaging", "difflib", "tomlkit", "pathlib", "subprocess", "rich"}
    # Most builds are not deployed from where they are made
    unasked = {f"lamella.config.{name}" for name in ("accounts", "environments", "smoke")}
    assert not (heavy | unasked).intersection(done.stdout.split())
