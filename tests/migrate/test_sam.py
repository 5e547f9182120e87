from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.migrate.projects import HANDLER, line, proposed, reading, said, written

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Bucket: {Type: String}
Globals:
  Function:
    Runtime: python3.12
    Timeout: 15
    MemorySize: 256
    Architectures: [arm64]
    Layers: [arn:aws:lambda:eu-central-1:123456789012:layer:insights:3]
    Environment: {Variables: {LEVEL: info, STAGE: !Ref Stage}}
  HttpApi:
    CorsConfiguration: {AllowOrigins: ["*"], AllowMethods: [GET, POST], MaxAge: 60}
Resources:
  Orders:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: !Ref Stage
      Auth:
        DefaultAuthorizer: Door
        Authorizers:
          Door:
            FunctionArn: !GetAtt Guard.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            Identity: {Headers: [x-key], ReauthorizeEvery: 30}
  Libraries:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.12}
    Properties:
      LayerName: !Sub "${Stage}-libraries"
      ContentUri: libraries/
      RetentionPolicy: Retain
  Made:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: made, LayerName: made}
  CreateOrder:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub orders-${Stage}-create
      CodeUri: app/
      Handler: create.handler
      Timeout: 20
      Layers: [!Ref Libraries, !Ref Made, !Ref Foreign]
      AutoPublishAlias: live
      DeploymentPreference: {Type: Canary10Percent5Minutes, Alarms: [!Ref Errors]}
      Environment: {Variables: {LEVEL: debug, BUCKET: !Ref Bucket}}
      Policies: [AWSLambdaBasicExecutionRole]
      Events:
        Post: {Type: HttpApi, Properties: {Path: /orders, Method: post, ApiId: !Ref Orders}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  Guard:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: app, Handler: guard.handler}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "1", Handler: index.handler}
  Picture:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
  Table: {Type: "AWS::DynamoDB::Table"}
"""
MAKEFILE = """\
build-Made:
\tpip install -r requirements.txt -t "$(ARTIFACTS_DIR)/python"
\tcp -r extra "$(ARTIFACTS_DIR)/python/"
\tcurl -O https://index.example/model.bin
build-Other:
\tpip install other -t "$(ARTIFACTS_DIR)/python"
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    files = {"app/create.py": HANDLER, "app/guard.py": HANDLER, "made/Makefile": MAKEFILE}
    requirements = {"libraries/requirements.txt": "demo==1\n", "made/requirements.txt": "leaf==1\n"}
    return written(tmp_path, {"template.yaml": TEMPLATE, **files, **requirements})


def test_all_that_a_template_says(service: Path) -> None:
    proposal = proposed(service)
    assert proposal.refused == ""
    assert proposal.first == (
        "uv pip compile --universal --python-version 3.12 libraries/requirements.txt made/requirements.txt"
        " --output-file pylock.toml",
    )
    shared = "arn:aws:lambda:eu-central-1:123456789012:layer:insights:3"
    assert tomllib.loads(proposal.text) == {
        "runtime": "python3.12",
        "architecture": "arm64",
        "layers": {
            "libraries": {"name": "dev-libraries", "packages": ["demo"]},
            "made": {"name": "made", "packages": ["leaf"]},
        },
        "api": {
            "type": "http",
            "stage": "dev",
            "cors": {"origins": ["*"], "methods": ["GET", "POST"], "max-age": 60},
            "authorizers": {
                "guard": {"payload": "2.0", "simple": True, "identity": ["$request.header.x-key"], "ttl": 30}
            },
        },
        "functions": {
            "create-order": {
                "name": "orders-dev-create",
                "handler": "create.handler",
                "source": ["app"],
                "layers": [shared, "libraries", "made"],
                "memory": 256,
                "timeout": 20,
                "environment": {"LEVEL": "debug", "STAGE": "dev"},
                "alias": "live",
                "routes": ["POST /orders"],
                "authorizer": "guard",
                "canary": {"weight": 0.1, "minutes": 5},
            },
            "guard": {
                "name": "guard",
                "handler": "guard.handler",
                "source": ["app"],
                "layers": [shared],
                "memory": 256,
                "timeout": 15,
                "environment": {"LEVEL": "info", "STAGE": "dev"},
            },
        },
    }


def test_what_is_not_mapped_has_its_line(service: Path) -> None:
    expected = {
        "!Ref Foreign": "a layer of `CreateOrder` that is not known here",
        "Alarms": "alarms whose names CloudFormation makes up",
        "BUCKET": "the variable `BUCKET` is computed by CloudFormation",
        "Policies": "`Policies` of `CreateOrder`",
        "Nightly": "the event `Nightly` (Schedule) of `CreateOrder`",
        "AWS::DynamoDB": "`Table` (AWS::DynamoDB::Table)",
    }
    found = said(reading(service), mapped=False)
    for at, what in expected.items():
        assert found.pop(f"template.yaml:{line(TEMPLATE, at)}") == what
    assert found == {
        "made/Makefile:4": "`curl -O https://index.example/model.bin` of `build-Made`",
        f"template.yaml:{line(TEMPLATE, '  Guard:') + 1}": "CloudFormation makes up the name of `Guard`: STACK-Guard-…",
        f"template.yaml:{line(TEMPLATE, '  Inline:') + 1}": "the function `Inline` has its code in the template",
        f"template.yaml:{line(TEMPLATE, '  Picture:') + 1}": "the function `Picture` is a container image",
    }
    taken = said(reading(service), mapped=True)
    assert "the parameter `Stage`" in taken[f"template.yaml:{line(TEMPLATE, 'StageName')}"]


def test_requirements_of_functions_become_layers(tmp_path: Path) -> None:
    template = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: a, CodeUri: a, Handler: app.handler, Runtime: python3.13}
  B:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: b
      CodeUri: a
      Handler: app.handler
      Runtime: python3.12
      Events: {Any: {Type: Api, Properties: {Path: "/{proxy+}", Method: ANY}}}
"""
    written(tmp_path, {"template.yml": template, "a/app.py": HANDLER, "a/requirements.txt": "demo==1\n"})
    proposal = proposed(tmp_path)
    tables = tomllib.loads(proposal.text)
    assert proposal.refused == ""
    assert tables["lock"] == "a/requirements.txt"
    assert tables["layers"]["layer"]["runtime"] == ["python3.13", "python3.12"]
    assert tables["functions"]["a"]["layers"] == ["layer"]
    assert tables["functions"]["a"]["exclude"] == ["/requirements.txt"]
    assert tables["functions"]["b"]["runtime"] == "python3.12"
    assert tables["functions"]["b"]["routes"] == ["ANY /{proxy+}"]
    assert tables["api"] == {"type": "rest", "stage": "Prod"}


def test_a_template_without_sam_is_read_for_its_name(tmp_path: Path) -> None:
    written(tmp_path, {"template.yaml": "Resources: {}\n"})
    from lamella.migrate.sam import templates

    assert templates(str(tmp_path)) == ()
