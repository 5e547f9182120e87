from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.migrate.projects import HANDLER, line, proposed, reading, said, written

from lamella.migrate.model import Proposal
from lamella.migrate.proposal import propose

SERVICE = """\
service: orders
frameworkVersion: "4"
plugins:
  - serverless-python-requirements
  - serverless-offline
custom:
  names: {table: "orders-${sls:stage}"}
  memory: 512
  pythonRequirements:
    dockerizePip: non-linux
    zip: true
    slim: true
    slimPatterns:
      - "**/*.dist-info*"
      - "**/locale/**"
    noDeploy: [boto3, botocore]
    layer:
      name: ${self:service}-libraries
      description: what all need
      compatibleRuntimes: [python3.12]
    dockerSsh: true
    useStaticCache: false
provider:
  name: aws
  runtime: python3.12
  architecture: arm64
  stage: ${opt:stage, 'dev'}
  memorySize: ${self:custom.memory}
  environment:
    TABLE: ${self:custom.names.table}
    SECRET: ${ssm:/orders/secret}
    QUEUE: !Ref Queue
  vpc: {securityGroupIds: [sg-1]}
  httpApi:
    cors: {allowedOrigins: ["https://shop.example"], allowCredentials: true, maxAge: 600}
    authorizers:
      door:
        type: request
        functionName: guard
        identitySource: [$request.header.x-key]
        enableSimpleResponses: true
        payloadVersion: "2.0"
        resultTtlInSeconds: 60
functions:
  createOrder:
    handler: src/orders/create.handler
    timeout: 20
    layers:
      - !Ref PythonRequirementsLambdaLayer
      - arn:aws:lambda:eu-central-1:123456789012:layer:insights:3
    environment: {LEVEL: debug}
    events:
      - httpApi: {method: post, path: /orders, authorizer: {name: door}}
      - sqs: {arn: "arn:aws:sqs:eu-central-1:123456789012:orders"}
  guard:
    handler: src/orders/guard.handler
    name: orders-guard
    memorySize: 128
  front:
    handler: index.handler
    runtime: nodejs22.x
resources:
  Resources: {Queue: {Type: AWS::SQS::Queue}}
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    files = {"src/orders/create.py": f"import unzip_requirements\n{HANDLER}", "src/orders/guard.py": HANDLER}
    return written(tmp_path, {"serverless.yml": SERVICE, "requirements.txt": "demo==1.0\nBoto3==1.0\n", **files})


def test_all_that_a_service_says(service: Path) -> None:
    proposal = proposed(service)
    assert proposal.refused == ""
    assert proposal.first == ()
    assert proposal.file == "lamella.toml"
    assert said(proposal)["requirements.txt"].split("; ") == [
        "nothing in it names what was left out: `botocore`",
        "it is taken to be a lock: every line is pinned",
    ]
    assert tomllib.loads(proposal.text) == {
        "runtime": "python3.12",
        "architecture": "arm64",
        "lock": "requirements.txt",
        "layers": {
            "layer": {
                "name": "orders-libraries",
                "runtime": ["python3.12"],
                "exclude": ["boto3"],
                "drop": ["**/locale/**"],
                "description": "what all need",
            }
        },
        "api": {
            "type": "http",
            "cors": {"origins": ["https://shop.example"], "credentials": True, "max-age": 600},
            "authorizers": {
                "guard": {
                    "identity": ["$request.header.x-key"],
                    "ttl": 60,
                    "payload": "2.0",
                    "simple": True,
                }
            },
        },
        "functions": {
            "create-order": {
                "name": "orders-dev-createOrder",
                "handler": "src.orders.create.handler",
                "source": ["."],
                "include": ["/src/"],
                "layers": ["layer", "arn:aws:lambda:eu-central-1:123456789012:layer:insights:3"],
                "memory": 512,
                "timeout": 20,
                "environment": {"TABLE": "orders-dev", "LEVEL": "debug"},
                "routes": ["POST /orders"],
                "authorizer": "guard",
            },
            "guard": {
                "name": "orders-guard",
                "handler": "src.orders.guard.handler",
                "source": ["."],
                "include": ["/src/"],
                "layers": ["layer"],
                "memory": 128,
                "timeout": 6,
                "environment": {"TABLE": "orders-dev"},
            },
        },
    }


@pytest.mark.parametrize(("lock", "key"), [("uv.lock", "package"), ("pylock.toml", "packages")])
def test_what_the_lock_does_not_have_is_not_left_out(service: Path, lock: str, key: str) -> None:
    (service / "requirements.txt").unlink()
    (service / lock).write_text(f'[[{key}]]\nname = "demo"\n\n[[{key}]]\nname = "botocore"\n')
    (service / "pyproject.toml").write_text('[project]\nname = "orders"\nversion = "1"\ndependencies = ["demo"]\n')
    project: dict[str, object] = {"project": {"name": "orders", "version": "1", "dependencies": ["demo"]}}

    def excluded(proposal: Proposal) -> object:
        return tomllib.loads(proposal.text)["tool"]["lamella"]["layers"]["layer"]["exclude"]

    proposal = propose(str(service), reading(service), project)
    assert excluded(proposal) == ["botocore"]
    assert said(proposal)[lock] == "nothing in it names what was left out: `boto3`"
    (service / lock).write_text("[[")
    assert excluded(propose(str(service), reading(service), project)) == ["boto3", "botocore"]


def test_what_is_not_mapped_has_its_line(service: Path) -> None:
    expected = {
        "serverless-offline": "the plugin `serverless-offline`",
        "dockerSsh": "`dockerSsh`",
        "ssm:": "`${ssm:/orders/secret}` has no value that is known here",
        "QUEUE": "the variable `QUEUE` is computed by CloudFormation",
        "vpc:": "`provider.vpc`",
        "- sqs": "the event `sqs` of `createOrder`",
        "handler: index": "the function `front` runs on nodejs22.x",
        "Resources:": "`resources`",
    }
    found = said(reading(service), mapped=False)
    assert found.pop("src/orders/create.py:1") == "`unzip_requirements` is imported"
    assert found == {f"serverless.yml:{line(SERVICE, at)}": what for at, what in expected.items()}


def test_what_is_mapped_otherwise_is_said(service: Path) -> None:
    expected = {
        "names:": "`${sls:stage}` is taken to be `dev`",
        "${opt:stage": "`${opt:stage, 'dev'}` is taken to be `dev`",
        "dockerizePip": "`dockerizePip` is not needed: wheels are chosen for Lambda on any machine",
        "zip: true": "`zip: true` unpacks the requirements when a function starts",
        "dist-info": "`**/*.dist-info*` is not dropped: metadata is read at run time",
    }
    found = said(reading(service), mapped=True)
    assert found == {f"serverless.yml:{line(SERVICE, at)}": what for at, what in expected.items()}


INDIVIDUALLY = """\
service: {name: pair}
plugins: [serverless-python-requirements]
package: {individually: true}
provider: {name: aws, runtime: python3.13}
functions:
  one: {handler: app.handler, module: one, events: [{http: get /a}]}
  two:
    handler: app.handler
    module: two
    events:
      - http: {path: "b/{id}", method: any, cors: true, authorizer: {name: one, type: token}}
"""


def test_functions_with_requirements_of_their_own_get_a_layer_each(tmp_path: Path) -> None:
    files = {"one/app.py": HANDLER, "two/app.py": HANDLER, "one/requirements.txt": "demo\nleaf[x]>1\n"}
    written(tmp_path, {"serverless.yml": INDIVIDUALLY, "two/requirements.txt": "leaf==1.0\n", **files})
    proposal = proposed(tmp_path)
    assert proposal.refused == ""
    assert proposal.first == (
        "uv pip compile --universal --python-version 3.13 one/requirements.txt two/requirements.txt"
        " --output-file pylock.toml",
    )
    tables = tomllib.loads(proposal.text)
    assert "lock" not in tables
    assert {key: one["packages"] for key, one in tables["layers"].items()} == {
        "layer": ["demo", "leaf"],
        "two-2": ["leaf"],
    }
    assert tables["functions"]["one"]["source"] == ["one"]
    assert tables["functions"]["two"]["routes"] == ["ANY /b/{id}"]
    assert tables["api"] == {
        "type": "rest",
        "stage": "dev",
        "cors": {"origins": ["*"]},
        "authorizers": {"one": {"type": "token"}},
    }


@pytest.mark.parametrize(
    ("patterns", "include", "exclude"),
    [
        ('["!**", "app/**", "!app/x.py"]', ["/app/"], ["/app/x.py"]),
        ('["!node_modules/**", "!**/fixtures/**"]', ["/app/"], ["/node_modules/", "**/fixtures/"]),
        ('["!app/data/**", "app/data/kept.json"]', ["/app/"], ["/app/data/", "!/app/data/kept.json"]),
    ],
)
def test_patterns_become_include_and_exclude(
    tmp_path: Path, patterns: str, include: list[str], exclude: list[str]
) -> None:
    text = f"""\
service: s
provider: {{runtime: python3.12}}
package:
  patterns: {patterns}
functions:
  f: {{handler: app/f.handler}}
"""
    written(tmp_path, {"serverless.yml": text, "app/f.py": HANDLER})
    function = tomllib.loads(proposed(tmp_path).text)["functions"]["f"]
    assert function["include"] == include
    assert function["exclude"] == exclude


def test_poetry_and_pipenv_are_exported_first(tmp_path: Path) -> None:
    text = SERVICE_OF.replace("OPTIONS", "{poetryWithGroups: [aws, db], layer: true}")
    poetry = written(tmp_path / "a", {"serverless.yml": text, "poetry.lock": "", "f.py": HANDLER})
    (poetry / "pyproject.toml").write_text("[tool.poetry.dependencies]\nx = '1'\n")
    assert reading(poetry).first == ("poetry export -f requirements.txt -o requirements.txt --with aws,db",)
    pipenv = written(tmp_path / "b", {"serverless.yml": text, "Pipfile": "", "f.py": HANDLER})
    assert reading(pipenv).first == ("pipenv requirements --hash > requirements.txt",)
    text = SERVICE_OF.replace("OPTIONS", "{usePoetry: false, usePipenv: false, fileName: prod.txt, layer: true}")
    plain = written(tmp_path / "c", {"serverless.yml": text, "Pipfile": "", "f.py": HANDLER, "prod.txt": "x==1\n"})
    assert reading(plain).layers[0].requirements == "prod.txt"


SERVICE_OF = """\
service: s
provider: {runtime: python3.12}
custom: {pythonRequirements: OPTIONS}
functions: {f: {handler: f.handler}}
"""


def test_a_dockerfile_gives_its_packages(tmp_path: Path) -> None:
    text = SERVICE_OF.replace("OPTIONS", "{dockerizePip: true, dockerFile: ./Dockerfile, strip: false, slim: true}")
    docker = "FROM x\nRUN yum install -y libpq-devel \\\n  gcc && yum clean all\n"
    files = {"serverless.yml": text, "f.py": HANDLER, "requirements.txt": "x==1\n", "Dockerfile": docker}
    tables = tomllib.loads(proposed(written(tmp_path, files)).text)
    assert tables["container"] == {"packages": ["libpq-devel", "gcc"]}
    assert tables["layers"]["layer"]["profile"] == "none"


def test_functions_of_other_files_are_followed(tmp_path: Path) -> None:
    text = """\
service: s
provider: {name: aws, runtime: python3.12, environment: "${file(env.yml):dev}"}
functions:
  - ${file(functions/a.yml)}
  - b: {handler: b.handler}
"""
    files = {"functions/a.yml": "a:\n  handler: a.handler\n", "env.yml": "dev: {NAME: one}\n"}
    written(tmp_path, {"serverless.yml": text, **files, "a.py": HANDLER, "b.py": HANDLER})
    found = reading(tmp_path)
    assert [one.key for one in found.functions] == ["a", "b"]
    assert found.functions[0].environment == (("NAME", "one"),)


@pytest.mark.parametrize(
    "text", ["${self:custom.a}", "${self:custom.b}", "${a${b}", "${}", "${file(../x.yml)}", "${,}"]
)
def test_variables_that_lead_nowhere_end(tmp_path: Path, text: str) -> None:
    service = f"""\
service: s
provider: {{runtime: python3.12}}
custom: {{a: "${{self:custom.b}}", b: "${{self:custom.a}}"}}
functions:
  f: {{handler: f.handler, environment: {{NAME: "{text}"}}}}
"""
    written(tmp_path, {"serverless.yml": service, "f.py": HANDLER})
    assert [one.handler for one in reading(tmp_path).functions] == ["f.handler"]
