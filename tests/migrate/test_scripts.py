from __future__ import annotations

import tomllib
from pathlib import Path

from tests.migrate.projects import HANDLER, proposed, reading, said, written

from lamella.migrate.scripts import files

MAKEFILE = """\
LAYER = galerly-images
all: layer function
layer:
\tdocker run --rm -v "$(PWD)":/var/task public.ecr.aws/sam/build-python3.12 \\
\t\tpip install -r requirements.txt -t layer/python/
\tfind layer -name "tests" -type d -exec rm -rf {} +
\tfind layer -path "*/locale" -exec rm -rf {} +
\trm -rf layer/python/demo/data
\tcd layer && zip -r9 ../layer.zip python
function:
\tmkdir -p package && cp -r galerly package/
\tcd package && zip -r ../function.zip .
"""
WORKFLOW = """\
on: push
env:
  FUNCTION: galerly-processor
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - run: make all
      - name: publish
        run: |
          aws s3 cp layer.zip s3://artifacts/layers/layer.zip
          aws lambda publish-layer-version --layer-name galerly-images \\
            --content S3Bucket=artifacts,S3Key=layers/layer.zip \\
            --compatible-runtimes python3.12 --compatible-architectures arm64
          aws lambda update-function-code --function-name $FUNCTION --zip-file fileb://function.zip
          aws lambda update-function-configuration --function-name $FUNCTION --timeout 30 --memory-size 1024 \\
            --environment "Variables={MODE=fast,KEY=$KEY}" --role arn:aws:iam::123456789012:role/x \\
            --layers arn:aws:lambda:eu-central-1:123456789012:layer:galerly-images:$VERSION
          aws lambda update-alias --function-name $FUNCTION --name live --function-version $VERSION
"""


def test_a_makefile_and_a_workflow_together(tmp_path: Path) -> None:
    names = {"Makefile": MAKEFILE, ".github/workflows/deploy.yml": WORKFLOW, "galerly/app.py": HANDLER}
    written(tmp_path, {**names, "requirements.txt": "demo==1.0\n"})
    proposal = proposed(tmp_path)
    assert proposal.refused == ""
    assert proposal.first == ()
    assert proposal.origin.files == ("Makefile", ".github/workflows/deploy.yml")
    assert tomllib.loads(proposal.text) == {
        "runtime": "python3.12",
        "architecture": "arm64",
        "lock": "requirements.txt",
        "layers": {"layer": {"name": "galerly-images", "drop": ["locale", "/demo/data"]}},
        "functions": {
            "galerly-processor": {
                "name": "galerly-processor",
                "handler": "galerly.app.handler",
                "source": ["."],
                "include": ["/galerly/"],
                "layers": ["layer"],
                "memory": 1024,
                "timeout": 30,
                "environment": {"MODE": "fast"},
                "alias": "live",
            }
        },
    }
    assert said(proposal, mapped=False) == {
        ".github/workflows/deploy.yml:16": "`--role` of `aws lambda update-function-configuration`; "
        "variables of the function that are computed",
    }


def test_what_is_not_said_is_not_guessed(tmp_path: Path) -> None:
    text = """\
pip install -r requirements.txt "leaf>1" --extra-index-url https://index.example -t package/
cp app/*.py package/
cd package && zip -r ../function.zip . && cd ..
aws lambda update-function-code --function-name orders --zip-file fileb://function.zip
aws lambda update-function-code --function-name "$OTHER" --zip-file fileb://function.zip
aws lambda publish-layer-version --layer-name unknown --zip-file fileb://elsewhere.zip
pip install tool -t tools/
"""
    names = {"app/one.py": HANDLER, "app/two.py": HANDLER, "requirements.txt": "demo\n"}
    written(tmp_path, {"deploy.sh": text, **names})
    found = reading(tmp_path)
    assert found.functions == ()
    lines = said(found, mapped=False)
    assert "its handler is not said (`one.handler`, `two.handler`)" in lines["deploy.sh:4"]
    assert lines["deploy.sh:5"] == "`aws lambda update-function-code` for a name that is computed"
    assert lines["deploy.sh:6"] == "the layer `unknown`: what is in it was not found"
    assert "`tools`" in lines["deploy.sh:7"]
    assert "`--extra-index-url` of pip" in lines["deploy.sh:1"]


def test_requirements_within_the_zip_become_a_layer(tmp_path: Path) -> None:
    text = """\
pip install -r requirements.txt -t package
cp app.py package
cd package; zip -r ../function.zip .; cd ..
aws lambda create-function --function-name orders --zip-file fileb://function.zip \\
  --runtime python3.13 --handler app.handler --role arn:aws:iam::123456789012:role/x
"""
    written(tmp_path, {"deploy.sh": text, "app.py": HANDLER, "requirements.txt": "demo==1\n"})
    proposal = proposed(tmp_path)
    tables = tomllib.loads(proposal.text)
    assert proposal.refused == ""
    assert tables["runtime"] == "python3.13"
    assert tables["functions"]["orders"] == {
        "name": "orders",
        "handler": "app.handler",
        "source": ["."],
        "include": ["/app.py"],
        "layers": ["layer"],
    }
    assert "installed into the function's zip" in said(proposal, mapped=True)["deploy.sh:1"]


def test_files_that_do_something_else_are_none(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"Makefile": "test:\n\tpytest\n", "a.sh": "pip install -r r.txt\n", ".github/workflows/x.yml": "a: [\n"},
    )
    assert files(str(tmp_path)) == ()
    written(tmp_path, {"Makefile": "build-Layer:\n\tpip install x -t $(ARTIFACTS_DIR)/python\n"})
    assert files(str(tmp_path)) == ("Makefile",)
    assert files(str(tmp_path), by_sam=True) == ()


def test_zips_that_nothing_publishes_are_proposed_by_their_names(tmp_path: Path) -> None:
    written(tmp_path, {"Makefile": MAKEFILE, "galerly/app.py": HANDLER, "requirements.txt": "demo==1.0\n"})
    written(tmp_path, {"package/galerly/app.py": HANDLER, "layer/python/demo.py": "left by an earlier run\n"})
    proposal = proposed(tmp_path)
    tables = tomllib.loads(proposal.text)
    assert proposal.refused == ""
    assert tables["layers"] == {"layer": {"name": "layer", "drop": ["locale", "/demo/data"]}}
    assert tables["functions"]["function"]["source"] == ["."]
    assert tables["functions"]["function"]["handler"] == "galerly.app.handler"
    assert said(proposal, mapped=False) == {
        "Makefile:9": "nothing publishes `layer.zip`",
        "Makefile:12": "nothing deploys `function.zip`",
    }


def test_the_page_shows_what_comes_of_its_script(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "migrating" / "scripts.md").read_text()
    script = page.partition("```sh\n")[2].partition("```")[0]
    table = page.partition("```toml\n")[2].partition("```")[0]
    written(tmp_path, {"deploy.sh": script, "app/main.py": HANDLER, "libraries/requirements.txt": "demo==1.0\n"})
    assert proposed(tmp_path).text == table
