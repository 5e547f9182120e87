from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest

from lamella.cloud.model import Content
from lamella.config.model import Canary, Settings, Smoke
from lamella.config.read import read
from lamella.errors import ConfigError, LamellaError, UsageError
from lamella.manifest import FunctionArtifact, LayerArtifact, Manifest
from lamella.rollout.planning.desired import environment, wanted

ARN = "arn:aws:lambda:eu-central-1:123456789012:layer:monitoring:7"
RUNTIME = "python3.12"
CONFIGURATION = f"""\
[project]
name = "shop"
version = "1"

[tool.lamella]
runtime = "{RUNTIME}"

[tool.lamella.layers.deps]
[tool.lamella.layers.big]
name = "libraries"
split = true

[tool.lamella.functions.api]
handler = "app.handler"
layers = ["deps", "{ARN}", "big"]
alias = "live"
smoke = [{{ event = "events/a.json", expect = {{ json = {{ "body.ready" = true }} }} }}, {{ payload = [1] }}]
canary = {{ weight = 0.1, minutes = 5 }}

[tool.lamella.functions.job]
handler = "app.handler"

[tool.lamella.environments.prod]
prefix = "prod-"
functions.job.alias = "stable"
[tool.lamella.environments.test]
layers.big.name = "test-libraries"
"""


class Build:
    """A project in `folder`, and what a build of it would have left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layers: list[LayerArtifact] = []
        self.functions: list[FunctionArtifact] = []
        for made in ("src", "dist/lambda", "events"):
            (folder / made).mkdir(parents=True)
        self.event('{"a": 1}')
        self.configure()
        self.layer("deps")
        self.layer("big-1", part_of="big")
        self.layer("big-2", part_of="big")
        self.function("api", ["deps", ARN, "big-1", "big-2"])
        self.function("job")

    @property
    def settings(self) -> Settings:
        return read(str(self.folder))

    @property
    def manifest(self) -> Manifest:
        return Manifest("shop", tuple(self.layers), tuple(self.functions))

    def configure(self, *changes: tuple[str, str]) -> None:
        text = CONFIGURATION
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (self.folder / "pyproject.toml").write_text(text)

    def event(self, text: str | bytes) -> None:
        (self.folder / "events/a.json").write_bytes(text.encode() if isinstance(text, str) else text)

    def content(self, key: str) -> Content:
        data = key.encode()
        path = self.folder / f"dist/lambda/{key}.zip"
        path.write_bytes(data)
        digest = hashlib.sha256(data)
        return Content(str(path), len(data), digest.hexdigest(), b64encode(digest.digest()).decode())

    def layer(self, key: str, part_of: str = "") -> None:
        made = self.content(key)
        artifact = LayerArtifact(
            key, f"shop-{key}", f"{key}.zip", made.size, 1, 1, made.sha256, made.code_sha256, "x86_64", (RUNTIME,),
            part_of, f"shop: {key} 1.0", "MIT", (),
        )  # fmt: skip
        self.layers.append(artifact)

    def function(self, key: str, layers: Sequence[str] = ()) -> None:
        made = self.content(key)
        artifact = FunctionArtifact(
            key, f"shop-{key}", f"{key}.zip", made.size, 1, 1, made.sha256, made.code_sha256, "x86_64", RUNTIME,
            "app.handler", tuple(layers), (), (),
        )  # fmt: skip
        self.functions.append(artifact)

    def refusal(self) -> LamellaError:
        with pytest.raises(LamellaError) as caught:
            wanted(self.settings, self.manifest)
        return caught.value


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.chdir(tmp_path)
    return Build(tmp_path)


def test_what_was_built_under_the_configured_names(build: Build) -> None:
    found = wanted(build.settings, build.manifest)
    assert (found.project, found.environment) == ("shop", "")
    assert [(one.key, one.name) for one in found.layers] == [
        ("deps", "shop-deps"),
        ("big-1", "libraries-1"),
        ("big-2", "libraries-2"),
    ]
    deps = found.layers[0]
    assert deps.content == build.content("deps")
    assert (deps.runtimes, deps.architecture, deps.description, deps.licence) == (
        ((RUNTIME,), "x86_64", "shop: deps 1.0", "MIT")
    )
    api, job = found.functions
    assert (api.key, api.name, api.alias, api.runtime, api.handler, api.architecture) == (
        ("api", "shop-api", "live", RUNTIME, "app.handler", "x86_64")
    )
    assert api.layers == ("shop-deps", ARN, "libraries-1", "libraries-2")
    assert api.content == build.content("api")
    assert (job.name, job.alias, job.layers, job.smoke, job.canary) == ("shop-job", "", (), (), None)


def test_events_are_read_and_the_canary_comes_along(build: Build) -> None:
    build.event(b'\xef\xbb\xbf{"a": "\xc3\xa9"}\n')
    api = wanted(build.settings, build.manifest).functions[0]
    assert api.smoke == (
        Smoke("events/a.json", '{"a": "é"}\n', answer=(("body.ready", "true"),), path="events/a.json"),
        Smoke("event 2", "[1]"),
    )
    assert api.canary == Canary(0.1, 5.0)


def test_the_names_of_an_environment(build: Build) -> None:
    prod = wanted(build.settings, build.manifest, "prod")
    assert prod.environment == "prod"
    assert [one.name for one in prod.layers] == ["prod-shop-deps", "prod-libraries-1", "prod-libraries-2"]
    assert [(one.name, one.alias) for one in prod.functions] == [("prod-shop-api", "live"), ("prod-shop-job", "stable")]
    assert prod.functions[0].layers == ("prod-shop-deps", ARN, "prod-libraries-1", "prod-libraries-2")
    assert [one.name for one in wanted(build.settings, build.manifest, "test").layers][1:] == [
        "test-libraries-1",
        "test-libraries-2",
    ]


def test_parts_of_a_functions_bundle_have_its_name(build: Build) -> None:
    build.configure(('handler = "app.handler"\n\n', 'handler = "app.handler"\nbundle = ["boto3"]\nsplit = true\n\n'))
    build.layer("job-1", part_of="job")
    build.functions[1] = build.functions[1]._replace(layers=("job-1",))
    found = wanted(build.settings, build.manifest, "prod")
    assert found.layers[-1].name == "prod-shop-job-1"
    assert found.functions[1].layers == ("prod-shop-job-1",)


def test_a_name_that_a_part_would_share(build: Build) -> None:
    build.configure(("[tool.lamella.layers.deps]", '[tool.lamella.layers.deps]\nname = "libraries-2"'))
    assert str(build.refusal()) == (
        "the layer `big-2` can't have the name `libraries-2`\n  `deps` has it, too\n  hint: give `big` another `name`"
    )


def test_an_unknown_environment(build: Build) -> None:
    with pytest.raises(UsageError) as caught:
        environment(build.settings, "prd")
    assert str(caught.value) == (
        "there is no environment `prd`\n  `pyproject.toml` has `prod`, `test`\n  hint: did you mean `prod`?"
    )
    with pytest.raises(UsageError, match="there is no environment `default`"):
        wanted(build.settings, build.manifest, "default")
    assert environment(build.settings, "").name == ""
    assert environment(build.settings, "test").name == "test"


def test_a_zip_that_is_not_as_the_manifest_has_it(build: Build) -> None:
    (build.folder / "dist/lambda/deps.zip").unlink()
    (build.folder / "dist/lambda/job.zip").write_bytes(b"something longer")
    assert str(build.refusal()) == (
        "2 zips of the build can't be used as the manifest has it\n"
        "  `dist/lambda/deps.zip` isn't there\n"
        "  `dist/lambda/job.zip` has 16 bytes, the manifest says 3\n"
        "  hint: run `lamella build`"
    )


def test_a_manifest_of_another_configuration(build: Build) -> None:
    build.configure(
        ("[tool.lamella.layers.deps]", "[tool.lamella.layers.data]"),
        ('layers = ["deps", ', 'layers = ["data", '),
        ('"app.handler"\n\n', '"app.main"\n\n'),
        (f'runtime = "{RUNTIME}"', 'runtime = "python3.13"\narchitecture = "arm64"'),
    )
    error = build.refusal()
    assert error.what == "`dist/lambda/manifest.json` is not of the configuration as it is now"
    assert error.hint == "run `lamella build`"
    assert "`data` is configured, and was not built" in error.why
    assert "`deps` was built, and is configured no longer" in error.why
    assert "`job`: handler `app.handler` was built, `app.main` is configured" in error.why
    assert "`job`: runtime `python3.12` was built, `python3.13` is configured" in error.why
    assert "`big-1`: runtime `python3.12` was built, `python3.13` is configured" in error.why
    assert "`job`: architecture `x86_64` was built, `arm64` is configured" in error.why


def test_layers_of_which_none_is_left(build: Build) -> None:
    build.configure((f'layers = ["deps", "{ARN}", "big"]\n', ""))
    with pytest.raises(LamellaError) as caught:
        wanted(build.settings, build.manifest)
    assert f"`api`: layers `deps {ARN} big-1 big-2` was built, none is configured" in caught.value.why


def test_layers_that_were_configured_since(build: Build) -> None:
    build.configure((f'layers = ["deps", "{ARN}", "big"]', f'layers = ["big", "{ARN}"]'))
    assert build.refusal().why == (
        f"`api`: layers `deps {ARN} big-1 big-2` was built, `big-1 big-2 {ARN}` is configured",
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{'a': 1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ('{"a": NaN}', "JSON has no NaN"),
    ],
)
def test_an_event_that_is_no_json(build: Build, content: str, why: str) -> None:
    build.event(content)
    assert str(build.refusal()) == (
        "the smoke event `events/a.json` of function `api` is no JSON\n"
        f"  {why}\n"
        "  hint: correct it, or its path in `smoke`"
    )


def test_an_event_that_is_no_text(build: Build) -> None:
    build.event(b"\xff\x00")
    assert build.refusal().what == "the smoke event `events/a.json` of function `api` is no JSON"


def test_an_event_that_is_too_large(build: Build) -> None:
    build.event('"' + "a" * 6 * 2**20 + '"')
    error = build.refusal()
    assert isinstance(error, ConfigError)
    assert error.what == "the smoke event `events/a.json` of function `api` is too large"
    assert error.why == ("it has more than 6,291,456 bytes, the most that Lambda takes",)


def test_an_event_that_is_not_there(build: Build) -> None:
    (build.folder / "events/a.json").rename(build.folder / "events/aa.json")
    assert str(build.refusal()) == (
        "the smoke event `events/a.json` of function `api` can't be read\n"
        "  No such file or directory\n"
        "  hint: did you mean `aa.json`?"
    )


def test_an_expression_that_is_none(build: Build) -> None:
    build.configure(('"body.ready" = true', '"body..ready" = true'))
    error = build.refusal()
    assert isinstance(error, ConfigError)
    assert error.what == "`body..ready`, in `smoke` of function `api`, is no JMESPath expression"
    assert error.why[0].startswith("Invalid jmespath expression:") or "arse error" in error.why[0]
    assert "--query" in (error.hint or "")


@pytest.mark.parametrize("example", ["spectra", "galerly"])
def test_the_examples_events_are_json(example: str) -> None:
    settings = read(str(Path(__file__).parents[3] / "examples" / example))
    assert all(function.alias == "live" and function.smoke for function in settings.functions)
    for function in settings.functions:
        for smoke in function.smoke:
            assert (Path(settings.root) / smoke.path).read_text().startswith("{")
