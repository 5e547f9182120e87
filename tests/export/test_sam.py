from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lamella.config.read import read
from lamella.errors import UsageError
from lamella.export.model import MARK, Place, Source, Text
from lamella.export.sam import emit
from lamella.manifest import FunctionArtifact, LayerArtifact, Manifest

ARN = "arn:aws:lambda:eu-central-1:123456789012:layer:extras:7"
HEAD = '[tool.lamella]\nruntime = "python3.12"\narchitecture = "arm64"\n'
LAYER = '[tool.lamella.layers.image-layer]\nname = "shop-images"\ndescription = "Pictures"\n'
FUNCTION = """
[tool.lamella.functions.api-handler]
handler = "app.handler"
layers = ["image-layer", "ARN"]
memory = 512
timeout = 10
environment = { STAGE = "0644", "EMPTY" = "" }
alias = "live"
""".replace("ARN", ARN)
PLACE = Place(".", "dist/lambda", ".")
PLAIN = '[tool.lamella.functions.guard]\nhandler = "guard.handler"\n'


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_multi_constructor("!", lambda loader, name, node: {name: loader.construct_scalar(node)})


def tree(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(text, Loader=_Loader)
    return found


def layer(key: str = "image-layer", **more: Any) -> LayerArtifact:
    fields: dict[str, Any] = {
        "name": "shop-images",
        "file": f"{key}.zip",
        "zipped": 1,
        "unzipped": 1,
        "members": 1,
        "sha256": "0" * 64,
        "code_sha256": "",
        "architecture": "arm64",
        "runtimes": ("python3.12", "python3.13"),
        "part_of": "",
        "description": "Pictures",
        "licence": "MIT",
        "distributions": (),
    }
    return LayerArtifact(key=key, **{**fields, **more})


def function(key: str = "api-handler", layers: tuple[str, ...] = ("image-layer", ARN)) -> FunctionArtifact:
    return FunctionArtifact(
        key=key,
        name=key,
        file=f"{key}.zip",
        zipped=1,
        unzipped=1,
        members=1,
        sha256="0" * 64,
        code_sha256="",
        architecture="arm64",
        runtime="python3.12",
        handler="app.handler",
        layers=layers,
        needs=(),
        distributions=(),
    )


def source(
    folder: Path,
    tables: str,
    manifest: Manifest | None = None,
    *,
    environment: str = "",
    place: Place = PLACE,
) -> Source:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "shop"\nversion = "1"\n\n{HEAD}{tables}')
    settings = read(str(folder))
    built = manifest or Manifest("shop", (layer(),), (function(),))
    (found,) = (one for one in settings.environments if one.name == environment)
    return Source(settings, found, built, place)


def resources(texts: tuple[Text, ...]) -> dict[str, Any]:
    found: dict[str, Any] = tree(texts[0].text)["Resources"]
    return found


def test_a_layer_and_a_function(tmp_path: Path) -> None:
    (template,) = emit(source(tmp_path, LAYER + FUNCTION))
    assert template.path == ""
    assert template.text.startswith(f"# {MARK} sam`")
    assert resources((template,)) == {
        "ImageLayer": {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {
                "LayerName": "shop-images",
                "Description": "Pictures",
                "ContentUri": "dist/lambda/image-layer.zip",
                "CompatibleRuntimes": ["python3.12", "python3.13"],
                "CompatibleArchitectures": ["arm64"],
                "LicenseInfo": "MIT",
                "RetentionPolicy": "Retain",
                "PublishLambdaVersion": True,
            },
        },
        "ApiHandlerFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "FunctionName": "shop-api-handler",
                "CodeUri": "dist/lambda/api-handler.zip",
                "Handler": "app.handler",
                "Runtime": "python3.12",
                "Architectures": ["arm64"],
                "MemorySize": 512,
                "Timeout": 10,
                "Layers": [{"Ref": "ImageLayer"}, ARN],
                "Environment": {"Variables": {"STAGE": "0644", "EMPTY": ""}},
                "AutoPublishAlias": "live",
                "AutoPublishAliasAllProperties": True,
                "LoggingConfig": {"LogGroup": {"Ref": "ApiHandlerFunctionLogs"}},
            },
        },
        "ApiHandlerFunctionLogs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": "/aws/lambda/shop-api-handler",
                "RetentionInDays": {"Ref": "LogRetentionInDays"},
            },
        },
    }
    outputs = tree(template.text)["Outputs"]
    assert outputs["ImageLayerArn"]["Value"] == {"Ref": "ImageLayer"}
    assert outputs["ApiHandlerFunctionArn"]["Value"] == {"Ref": "ApiHandlerFunction.Alias"}
    assert "ApiUrl" not in outputs


def test_equal_sources_give_equal_texts(tmp_path: Path) -> None:
    assert emit(source(tmp_path, LAYER + FUNCTION)) == emit(source(tmp_path, LAYER + FUNCTION))


def test_every_reference_is_to_something_there(tmp_path: Path) -> None:
    manifest = Manifest("shop", (layer(),), (function(), function("guard", ())))
    routes = 'routes = ["GET /a"]\nauthorizer = "guard"\n'
    (template,) = emit(source(tmp_path, LAYER + FUNCTION + routes + PLAIN, manifest))
    whole = tree(template.text)

    def references(node: object) -> list[str]:
        if isinstance(node, list):
            return [one for item in node for one in references(item)]
        if not isinstance(node, dict):
            return []
        own = [str(value).partition(".")[0] for key, value in node.items() if key in ("Ref", "GetAtt")]
        return own + [one for item in node.values() for one in references(item)]

    assert set(references(whole)) <= whole["Resources"].keys() | whole["Parameters"].keys()


def test_names_and_alias_of_an_environment(tmp_path: Path) -> None:
    prod = '[tool.lamella.environments.prod]\nprefix = "prod-"\nalias = "blue"\n'
    parts = (layer("image-layer-1", part_of="image-layer"), layer("image-layer-2", part_of="image-layer"))
    manifest = Manifest("shop", parts, (function(layers=("image-layer-1", "image-layer-2")),))
    (template,) = emit(source(tmp_path, LAYER + FUNCTION + prod, manifest, environment="prod"))
    assert template.text.startswith(f"# {MARK} sam --env prod`")
    found = resources((template,))
    assert [found[one]["Properties"]["LayerName"] for one in ("ImageLayer1Layer", "ImageLayer2Layer")] == [
        "prod-shop-images-1",
        "prod-shop-images-2",
    ]
    properties = found["ApiHandlerFunction"]["Properties"]
    assert (properties["FunctionName"], properties["AutoPublishAlias"]) == ("prod-shop-api-handler", "blue")
    assert properties["Layers"] == [{"Ref": "ImageLayer1Layer"}, {"Ref": "ImageLayer2Layer"}]
    assert found["ApiHandlerFunctionLogs"]["Properties"]["LogGroupName"] == "/aws/lambda/prod-shop-api-handler"


def test_logical_ids_of_keys_that_look_alike(tmp_path: Path) -> None:
    tables = '[tool.lamella.functions.a-b]\nhandler = "a.b"\n[tool.lamella.functions.a_b]\nhandler = "a.b"\n'
    manifest = Manifest("shop", (), (function("a-b", ()), function("a_b", ())))
    names = [name for name in resources(emit(source(tmp_path, tables, manifest))) if not name.endswith("Logs")]
    assert len(set(names)) == 2
    assert all(name.isalnum() and name.startswith("ABFunction") and name != "ABFunction" for name in names)


def _with_api(folder: Path, api: str, routes: str, authorizer: str = "guard") -> dict[str, Any]:
    manifest = Manifest("shop", (layer(),), (function(), function("guard", ())))
    asked = f'authorizer = "{authorizer}"\n' if authorizer else ""
    tables = f"{LAYER}{FUNCTION}routes = {routes}\n{asked}{PLAIN}{api}"
    return resources(emit(source(folder, tables, manifest)))


def test_an_http_api(tmp_path: Path) -> None:
    api = """
[tool.lamella.api]
payload = "1.0"
stage = "v1"
[tool.lamella.api.cors]
origins = ["https://a.example", "https://b.example"]
methods = ["GET"]
headers = ["x-one"]
expose = ["x-two"]
credentials = true
max-age = 0
[tool.lamella.api.authorizers.guard]
identity = ["$request.header.x-key", "$request.querystring.key", "$context.stage"]
ttl = 60
simple = true
"""
    found = _with_api(tmp_path, api, '["GET /v1/jobs/{id}", "ANY /files/{path+}", "$default"]')
    assert found["Api"] == {
        "Type": "AWS::Serverless::HttpApi",
        "Properties": {
            "StageName": "v1",
            "CorsConfiguration": {
                "AllowOrigins": ["https://a.example", "https://b.example"],
                "AllowMethods": ["GET"],
                "AllowHeaders": ["x-one"],
                "ExposeHeaders": ["x-two"],
                "AllowCredentials": True,
                "MaxAge": 0,
            },
            "Auth": {
                "Authorizers": {
                    "Guard": {
                        "FunctionArn": {"GetAtt": "GuardFunction.Arn"},
                        "AuthorizerPayloadFormatVersion": "2.0",
                        "EnableSimpleResponses": True,
                        "EnableFunctionDefaultPermissions": True,
                        "Identity": {
                            "Headers": ["x-key"],
                            "QueryStrings": ["key"],
                            "Context": ["stage"],
                            "ReauthorizeEvery": 60,
                        },
                    }
                }
            },
        },
    }
    common = {"ApiId": {"Ref": "Api"}, "PayloadFormatVersion": "1.0", "Auth": {"Authorizer": "Guard"}}
    assert found["ApiHandlerFunction"]["Properties"]["Events"] == {
        "GetV1JobsId": {"Type": "HttpApi", "Properties": {**common, "Method": "GET", "Path": "/v1/jobs/{id}"}},
        "AnyFilesPath": {"Type": "HttpApi", "Properties": {**common, "Method": "any", "Path": "/files/{path+}"}},
        "Default": {"Type": "HttpApi", "Properties": common},
    }
    assert "Events" not in found["GuardFunction"]["Properties"]


def test_a_rest_api(tmp_path: Path) -> None:
    api = """
[tool.lamella.api]
type = "rest"
binary = ["image/png"]
[tool.lamella.api.cors]
origins = ["https://a.example"]
methods = ["GET", "POST"]
headers = ["x-one"]
credentials = true
max-age = 60
[tool.lamella.api.authorizers.guard]
type = "token"
identity = ["$request.header.X-Key"]
"""
    found = _with_api(tmp_path, api, '["GET /", "ANY /{proxy+}"]')
    assert found["Api"] == {
        "Type": "AWS::Serverless::Api",
        "Properties": {
            "StageName": "prod",
            "OpenApiVersion": "3.0.1",
            "BinaryMediaTypes": ["image~1png"],
            "Cors": {
                "AllowOrigin": "'https://a.example'",
                "AllowMethods": "'GET,POST'",
                "AllowHeaders": "'x-one'",
                "AllowCredentials": True,
                "MaxAge": "'60'",
            },
            "Auth": {
                "Authorizers": {
                    "Guard": {
                        "FunctionArn": {"GetAtt": "GuardFunction.Arn"},
                        "FunctionPayloadType": "TOKEN",
                        "Identity": {"Header": "X-Key", "ReauthorizeEvery": 300},
                    }
                }
            },
        },
    }
    common = {"RestApiId": {"Ref": "Api"}, "Auth": {"Authorizer": "Guard"}}
    assert found["ApiHandlerFunction"]["Properties"]["Events"] == {
        "Get": {"Type": "Api", "Properties": {**common, "Method": "GET", "Path": "/"}},
        "AnyProxy": {"Type": "Api", "Properties": {**common, "Method": "any", "Path": "/{proxy+}"}},
    }


def test_a_rest_api_has_one_origin(tmp_path: Path) -> None:
    api = '[tool.lamella.api]\ntype = "rest"\ncors = { origins = ["https://a.example", "https://b.example"] }\n'
    with pytest.raises(UsageError, match="several origins"):
        _with_api(tmp_path, api, '["GET /"]', "")


def test_a_rest_api_has_no_origins_of_a_scheme(tmp_path: Path) -> None:
    api = '[tool.lamella.api]\ntype = "rest"\ncors = { origins = ["https://*"] }\n'
    with pytest.raises(UsageError, match="several origins"):
        _with_api(tmp_path, api, '["GET /"]', "")


def test_routes_whose_names_come_to_the_same(tmp_path: Path) -> None:
    found = _with_api(tmp_path, "", '["GET /a-b", "GET /a/b", "GET /c"]', "")
    names = found["ApiHandlerFunction"]["Properties"]["Events"]
    assert len(names) == 3
    assert "GetC" in names
    assert all(name.isalnum() for name in names)


def test_a_build_step_needs_nothing_built(tmp_path: Path) -> None:
    nothing = Manifest("shop", (), ())
    place = Place("..", "../dist/lambda", "app")
    template, make = emit(source(tmp_path, LAYER + FUNCTION, nothing, place=place), build_step=True)
    found = resources((template,))
    layer_version, handler = found["ImageLayer"], found["ApiHandlerFunction"]
    assert layer_version["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}
    assert handler["Metadata"] == {"BuildMethod": "makefile"}
    assert (layer_version["Properties"]["ContentUri"], handler["Properties"]["CodeUri"]) == ("sam-build", "sam-build")
    assert layer_version["Properties"]["CompatibleRuntimes"] == ["python3.12"]
    assert handler["Properties"]["Layers"] == [{"Ref": "ImageLayer"}, ARN]
    assert make.path == "sam-build/Makefile"
    assert make.text.startswith(f"# {MARK} sam --build-step`")
    assert """)/"../..\n""" in make.text
    assert "build-ImageLayer:" in make.text
    assert "build-ApiHandlerFunction:" in make.text


def test_a_build_step_runs_whatever_is_in_the_names_of_folders(tmp_path: Path) -> None:
    """By make itself, as sam calls it: in a copy of the folder, with the layer beside the function."""
    name = """it's "my" $HOME $(x) `y`"""
    say = """printf '%s|' "$$PWD\""""
    project = tmp_path / name
    (project / "src").mkdir(parents=True)
    for where, place in (("deploy", Place("..", "../dist", ".")), ("else", Place(f"../{name}", "../dist", "."))):
        folder = (project if where == "deploy" else tmp_path) / where
        _, make = emit(source(project, LAYER + FUNCTION, Manifest("shop", (), ()), place=place), build_step=True)
        written = folder / make.path
        written.parent.mkdir(parents=True)
        written.write_text(make.text)
        built = folder / "built"
        (built / "ImageLayer").mkdir(parents=True)
        done = subprocess.run(
            ["make", "--makefile", str(written), "build-ApiHandlerFunction"],
            cwd=tmp_path,
            env={
                # Without what a make around the tests has set
                **{key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
                "ARTIFACTS_DIR": str(built / "ApiHandlerFunction"),
                "LAMELLA": say,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        rest = f"{project}|build|{{}}|--quiet|--unpack|{built}/{{}}|"
        assert done.stdout == rest.format("api-handler", "ApiHandlerFunction") + rest.format(
            "image-layer", "ImageLayer"
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("table", ["layers.image-layer", "functions.api-handler"])
def test_a_build_step_knows_its_layers_before(tmp_path: Path, table: str) -> None:
    tables = (LAYER + FUNCTION).replace(f"[tool.lamella.{table}]\n", f"[tool.lamella.{table}]\nsplit = true\n")
    with pytest.raises(UsageError, match="split"):
        emit(source(tmp_path, tables), build_step=True)


def test_the_guide_shows_what_is_written(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "sam.md").read_text()
    (tables,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    (shown,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    description = re.findall(r"Description: '(.*)'", shown)[0]
    amd = {"architecture": "x86_64", "runtimes": ("python3.12",)}
    built = layer("layer", description=description, **amd)
    orders = function("orders", ("layer",))._replace(handler="shop.orders.handler", architecture="x86_64")
    head = tables.removeprefix('[tool.lamella]\nruntime = "python3.12"\n')
    (template,) = emit(source(tmp_path, head, Manifest("shop", (built,), (orders,))))
    assert shown in template.text
