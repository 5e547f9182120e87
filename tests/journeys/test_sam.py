"""The real aws-sam-cli and cfn-lint, from the index, in an environment of their own, on exported templates."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest
from tests.build.projects import RUNTIME, Project, clean_environment
from tests.deployed.conftest import _moto, aws_server, nobody, somebody
from tests.deployed.moto_server import REGION, AwsServer
from tests.tools import python_tools

__all__ = ["_moto", "aws_server", "nobody", "somebody"]

# One worker: the tests share a project, in their order
pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("sam")]

TABLES = f"""
[tool.lamella]
runtime = "{RUNTIME}"

[tool.lamella.layers.layer]
bytecode = "none"

[tool.lamella.functions.api]
handler = "app.handler"
layers = ["layer"]
alias = "live"
environment = {{ STAGE = "test" }}
routes = ["GET /v1/jobs/{{id}}", "ANY /files/{{path+}}"]
authorizer = "guard"

[tool.lamella.functions.guard]
handler = "guard.handler"
layers = ["arn:aws:lambda:{REGION}:123456789012:layer:extras:7"]
"""
HTTP = """
[tool.lamella.api]
cors = { origins = ["https://a.example", "https://b.example"], methods = ["GET"], headers = ["x-one"], max-age = 60 }
"""
REST = """
[tool.lamella.api]
type = "rest"
binary = ["image/png"]
cors = { origins = ["https://a.example"], methods = ["GET"], headers = ["x-one"], max-age = 60 }
authorizers.guard = { type = "token", ttl = 60 }
"""
LOGICAL_IDS = {"layer": "Layer", "api": "ApiFunction", "guard": "GuardFunction"}
# For sam's own Python: what it makes of a template before and after a layer changed
TRANSLATED = """
import copy
import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class Policies:
    def load(self):
        return {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


def translated(template, revision):
    uploaded = copy.deepcopy(template)
    for resource in uploaded["Resources"].values():
        properties = resource["Properties"]
        if "ContentUri" in properties:
            properties["ContentUri"] = f"s3://bucket/{revision}"
        if "CodeUri" in properties:
            properties["CodeUri"] = "s3://bucket/same"
    return transform(uploaded, {}, Policies())["Resources"]


with open(sys.argv[1]) as file:
    read = yaml_parse(file.read())
before, after = translated(read, "one"), translated(read, "two")
kinds = {name: resource["Type"].rpartition("::")[2] for name, resource in {**before, **after}.items()}
changed = sorted(kinds[name] for name in before.keys() ^ after.keys())
kept = sorted({resource.get("DeletionPolicy") for name, resource in before.items() if kinds[name] == "LayerVersion"})
print(json.dumps({"changed": changed, "kept": kept}))
"""
DATA = "0123456789abcdef" * 500


def _wheel(project: Project, version: str) -> None:
    files = {
        "stem/__init__.py": f"VERSION = '{version}'\n",
        "stem/data/one.txt": DATA,
        "stem/data/two.txt": DATA,
        "stem/tool.py": "def main(): ...\n",
    }
    project.wheels.clear()
    project.wheel("stem", version, files, entry_points={"console_scripts": ["stem-tool = stem.tool:main"]})
    project.lock()


@pytest.fixture(scope="module")
def tools() -> Path:
    return Path(python_tools("sam"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("my shop's $HOME"))
    _wheel(made, "1.0")
    made.source("app.py", "import stem\n\ndef handler(event, context):\n    return stem.VERSION\n")
    made.source("guard.py")
    made.source("run.sh", "#!/bin/sh\n").chmod(0o755)
    made.configure(TABLES + HTTP)
    made.run("build", check=True)
    made.run("export", "sam", "--output", "built.yaml", check=True)
    made.run("export", "sam", "--build-step", check=True)
    made.configure(TABLES + REST)
    made.run("export", "sam", "--output", "rest.yaml", check=True)
    made.configure(TABLES + HTTP)
    return made


def _tool(
    tools: Path, project: Project, name: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    paths = [os.path.dirname(sys.executable), str(tools), os.environ["PATH"]]
    own = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION, "PATH": os.pathsep.join(paths)}
    return subprocess.run(
        [str(tools / name), *arguments],
        cwd=project.root,
        env={**clean_environment(os.environ), **project.environment, **own, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_cfn_lint_has_nothing_to_say(tools: Path, project: Project) -> None:
    done = _tool(tools, project, "cfn-lint", "template.yaml", "built.yaml", "rest.yaml")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("template", ["built.yaml", "rest.yaml"])
def test_sam_validates_and_lints(tools: Path, project: Project, template: str) -> None:
    done = _tool(tools, project, "sam", "validate", "--lint", "--template-file", template)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_a_changed_layer_is_a_new_one_and_its_function_a_new_version(tools: Path, project: Project) -> None:
    """Of two functions one has the layer, and an alias: of that one there is another version."""
    done = _tool(tools, project, "python", "-c", TRANSLATED, "built.yaml")
    assert done.returncode == 0, done.stderr
    # Both of each: before and after
    expected = {"changed": ["LayerVersion", "LayerVersion", "Version", "Version"], "kept": ["Retain"]}
    assert json.loads(done.stdout) == expected


def _digests(project: Project, key: str) -> dict[str, tuple[str, str]]:
    """Kind and digest of every member of a zip."""
    with zipfile.ZipFile(project.output / f"{key}.zip") as archive:
        return {
            info.filename: (_kind(info.external_attr >> 16), hashlib.sha256(archive.read(info)).hexdigest())
            for info in archive.infolist()
            if not info.is_dir()
        }


def _kind(mode: int) -> str:
    return "link" if stat.S_ISLNK(mode) else f"{mode & 0o777:o}"


def _unpacked(project: Project, key: str) -> dict[str, tuple[str, str]]:
    """The same of what sam has in its build folder."""
    folder = project.root / ".aws-sam" / "build" / LOGICAL_IDS[key]
    found = {}
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            kind = _kind(path.lstat().st_mode)
            found[path.relative_to(folder).as_posix()] = (kind, hashlib.sha256(content).hexdigest())
    return found


@pytest.fixture(scope="module")
def built_by_sam(tools: Path, project: Project) -> Project:
    """A checkout where nothing was built yet, given to sam."""
    shutil.rmtree(project.output)
    done = _tool(tools, project, "sam", "build", "--cached", "--parallel")
    assert done.returncode == 0, done.stderr
    return project


def test_sam_builds_by_lamella(built_by_sam: Project) -> None:
    for key in LOGICAL_IDS:
        assert _unpacked(built_by_sam, key) == _digests(built_by_sam, key)
    kinds = {kind for key in LOGICAL_IDS for kind, _ in _unpacked(built_by_sam, key).values()}
    assert kinds == {"644", "755", "link"}
    template = (built_by_sam.root / ".aws-sam" / "build" / "template.yaml").read_text()
    assert "ContentUri: Layer" in template
    assert "CodeUri: ApiFunction" in template


def test_sam_does_not_ship_an_older_layer_from_its_cache(tools: Path, built_by_sam: Project) -> None:
    project = built_by_sam
    before = _unpacked(project, "layer")
    _wheel(project, "2.0")
    stale = _tool(tools, project, "sam", "build", "--cached")
    assert stale.returncode != 0
    assert "holds something else than `layer.zip`" in stale.stderr
    assert (
        "hint: name an empty folder; if `sam build` took it from its cache, run `sam build --no-cached`" in stale.stderr
    )
    done = _tool(tools, project, "sam", "build", "--no-cached")
    assert done.returncode == 0, done.stderr
    assert _unpacked(project, "layer") == _digests(project, "layer") != before


def test_what_lamella_refuses_is_what_sam_says(tools: Path, project: Project) -> None:
    """With another way to run it, and options of its own."""
    own = {"LAMELLA": f"{sys.executable} -m lamella", "LAMELLA_OPTIONS": "--offline --locked --output pyproject.toml"}
    done = _tool(tools, project, "sam", "build", "GuardFunction", "--no-cached", **own)
    assert done.returncode != 0
    assert "error: " in done.stderr
    assert "pyproject.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_zips_travel_as_they_are(tools: Path, project: Project, aws_server: AwsServer) -> None:
    s3 = boto3.client("s3", endpoint_url=aws_server.url, region_name=REGION)
    s3.create_bucket(Bucket="deploys")
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    done = _tool(
        tools, project, "sam", "package", "--template-file", "built.yaml", "--s3-bucket", "deploys",
        "--output-template-file", "packaged.yaml", AWS_ENDPOINT_URL=aws_server.url, **credentials,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="deploys")["Contents"]]
    there = {hashlib.sha256(s3.get_object(Bucket="deploys", Key=key)["Body"].read()).hexdigest() for key in keys}
    assert there == {project.digest_of(f"{key}.zip") for key in LOGICAL_IDS}
