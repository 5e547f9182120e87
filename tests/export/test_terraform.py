from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lamella.config.read import read
from lamella.export.model import MARK, Place, Source, Text
from lamella.export.terraform import emit
from lamella.facts.tables import limits
from lamella.manifest import FunctionArtifact, LayerArtifact, Manifest

MODULE = Path(__file__).parents[2] / "terraform" / "modules" / "lambda"
WHOLE = """[tool.lamella]
runtime = "python3.12"
[tool.lamella.layers.layer]
[tool.lamella.functions.api]
handler = "app.handler"
memory = 512
alias = "live"
[tool.lamella.functions.api.environment]
GREETING = "hello ${name} %{x} \\"you\\""
LINES = "a\\nb"
TABS = "\\b\\f\\t\\\\b"
for = "a"
WORD = "Käse"
[tool.lamella.functions.plain]
handler = "app.handler"
[tool.lamella.environments.prod]
bucket = "zips-prod"
[tool.lamella.environments.prod.functions.api]
name = "api-prod"
alias = "stable"
[tool.lamella.environments.prod.layers.layer]
name = "deps-prod"
"""


def artifact(key: str) -> FunctionArtifact:
    return FunctionArtifact(
        key, f"shop-{key}", f"{key}.zip", 1, 1, 1, "0" * 64, "", "x86_64", "python3.12", "app.handler", (), (), ()
    )


def layer(key: str, part_of: str = "") -> LayerArtifact:
    return LayerArtifact(
        key, f"shop-{key}", f"{key}.zip", 1, 1, 1, "0" * 64, "", "x86_64", ("python3.12",), part_of, "", "", ()
    )


def emitted(
    project: Path,
    environment: str = "",
    built: tuple[str, ...] = ("api", "plain"),
    layers: tuple[LayerArtifact, ...] = (),
    output: str = "../dist/lambda",
) -> tuple[Text, ...]:
    (project / "src").mkdir(exist_ok=True)
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n' + WHOLE)
    settings = read(str(project))
    (one,) = (one for one in settings.environments if one.name == environment)
    manifest = Manifest("shop", layers, tuple(artifact(key) for key in built))
    return emit(Source(settings, one, manifest, Place("..", output, ".")))


def test_it_says_what_the_configuration_says(tmp_path: Path) -> None:
    root = emitted(tmp_path)[0]
    assert root.path == ""
    assert 'manifest = "${path.module}/../dist/lambda/manifest.json"' in root.text
    called = root.text.split("  functions = ", 1)[1].split("\n}\n", 1)[0]
    assert called == (
        "{\n"
        "    api = {\n"
        '      name        = "shop-api"\n'
        '      alias       = "live"\n'
        "      memory_size = 512\n"
        "      environment = {\n"
        '        GREETING = "hello $${name} %%{x} \\"you\\""\n'
        '        LINES    = "a\\nb"\n'
        '        TABS     = "\\u0008\\u000c\\t\\\\b"\n'
        '        "for"    = "a"\n'
        '        WORD     = "Käse"\n'
        "      }\n"
        "    }\n"
        "    plain = {\n"
        '      name = "shop-plain"\n'
        "    }\n"
        "  }"
    )
    assert "bucket" not in root.text
    assert "layers = {" not in root.text


def test_an_environment_has_names_of_its_own(tmp_path: Path) -> None:
    root = emitted(tmp_path, "prod", layers=(layer("layer"),))[0]
    assert root.text.startswith(f"# {MARK} terraform --env prod`, which writes it anew\n")
    for part in ('= "api-prod"', '= "stable"', '\n  bucket = "zips-prod"', 'name = "deps-prod"'):
        assert part in root.text


def test_parts_are_named_after_their_whole(tmp_path: Path) -> None:
    """Of a layer that was split, and of a function whose bundle was."""
    parts = (layer("layer-1", "layer"), layer("layer-2", "layer"), layer("api-1", "api"))
    root = emitted(tmp_path, "prod", layers=parts)[0].text
    for key, name in (("layer-1", "deps-prod-1"), ("layer-2", "deps-prod-2"), ("api-1", "api-prod-1")):
        assert re.search(rf'^    "?{key}"? = \{{\n      name = "{name}"\n', root, re.MULTILINE), root


@pytest.mark.parametrize("environment", ["", "prod"])
@pytest.mark.parametrize("layers", [(), (layer("layer"), layer("layer-2"))])
@pytest.mark.parametrize("built", [(), ("api", "plain")])
def test_it_is_as_terraform_formats_it(
    tmp_path: Path, environment: str, layers: tuple[LayerArtifact, ...], built: tuple[str, ...]
) -> None:
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("no terraform on PATH")
    text = emitted(tmp_path, environment, built, layers)[0].text
    done = subprocess.run([program, "fmt", "-"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, text), done.stderr


def test_the_same_each_time(tmp_path: Path) -> None:
    assert emitted(tmp_path) == emitted(tmp_path)


def test_what_was_not_built_is_left_out(tmp_path: Path) -> None:
    assert "plain" not in emitted(tmp_path, built=("api",))[0].text


def test_the_module_comes_along_whole(tmp_path: Path) -> None:
    texts = {one.path: one.text for one in emitted(tmp_path)[1:]}
    assert set(texts) == {f"modules/lambda/{path.name}" for path in MODULE.glob("*.tf")}
    for path, text in texts.items():
        head, _, rest = text.partition("\n\n")
        assert MARK in head
        assert rest == (MODULE / Path(path).name).read_text()


def test_what_is_installed_has_the_modules_files_and_no_more() -> None:
    """By name: a state or a lock file of `terraform init` in the module's folder is nobody's but its owner's."""
    repository = MODULE.parents[2]
    targets = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert targets["wheel"]["force-include"] == {
        path.relative_to(repository).as_posix(): f"lamella/export/terraform_module/{path.name}"
        for path in MODULE.glob("*.tf")
    }
    assert "terraform" not in targets["sdist"]["include"]


def test_a_path_has_no_templates_in_it(tmp_path: Path) -> None:
    text = emitted(tmp_path, output='../my "${shop}"/dist')[0].text
    assert 'manifest = "${path.module}/../my \\"$${shop}\\"/dist/manifest.json"' in text


def test_the_module_is_the_same_for_each_environment(tmp_path: Path) -> None:
    assert emitted(tmp_path)[1:] == emitted(tmp_path, "prod")[1:]


def test_the_modules_readme_names_every_input_and_output() -> None:
    readme = (MODULE / "README.md").read_text()
    for file, kind in (("variables.tf", "variable"), ("outputs.tf", "output")):
        names = re.findall(rf'^{kind} "(\w+)"', (MODULE / file).read_text(), re.MULTILINE)
        section = readme.split(f"## {'Inputs' if kind == 'variable' else 'Outputs'}\n", 1)[1].split("\n## ", 1)[0]
        assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == names
    function = (MODULE / "variables.tf").read_text().split("map(object({", 1)[1].split("\n  }))", 1)[0]
    for name in re.findall(r"^    (\w+)\s+= optional", function, re.MULTILINE):
        assert f"`{name}`" in readme


def test_every_input_says_what_it_is() -> None:
    text = (MODULE / "variables.tf").read_text()
    blocks: list[Any] = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == text.count('\nvariable "') + text.startswith('variable "')
    for name, block in blocks:
        assert re.search(r"^  description +=", block, re.MULTILINE), name
        assert re.search(r"^  type +=", block, re.MULTILINE), name


def test_what_a_request_takes_is_what_the_facts_say() -> None:
    (written,) = re.findall(r"direct = (\d+)", (MODULE / "locals.tf").read_text())
    assert int(written) == limits().layer_zipped
