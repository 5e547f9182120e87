from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.migrate.projects import HANDLER, proposed, written

from lamella.migrate.own_folder import placed, seen_from

STEPS = """\
pip install -r requirements.txt -t build/python
(cd build && zip -r ../layer.zip python)
aws lambda publish-layer-version --layer-name shop --zip-file fileb://layer.zip
(cd app && zip -r ../function.zip .)
aws lambda update-function-code --function-name api --zip-file fileb://function.zip
"""
FROM_ITSELF = """\
D=$(cd "$(dirname "$0")" && pwd)
pip install -r "$D/../requirements.txt" -t "$D/build/python"
(cd "$D/build" && zip -r "$D/layer.zip" python)
aws lambda publish-layer-version --layer-name shop --zip-file "fileb://$D/layer.zip"
cd $D/../app && zip -r $D/function.zip .
aws lambda update-function-code --function-name api --zip-file fileb://$D/function.zip
"""
WAYS = (
    'cd "$(dirname "$0")/.."',
    "cd $(dirname $0)/..",
    'cd "$(dirname "${BASH_SOURCE[0]}")/.."',
    'cd "${0%/*}/.."',
    "HERE=`dirname $0`; cd $HERE/..",
    'cd "$(dirname "$(readlink -f "$0")")/.."',
    'ROOT=$(cd "$(dirname "$0")/.." && pwd); cd "$ROOT"',
    'D="$( cd -- "$( dirname -- "${BASH_SOURCE[0]}" )" &> /dev/null && pwd )"\ncd "$D/.."',
    'D="$(cd "$(dirname "$0")" >/dev/null 2>&1 ; pwd -P)"; ROOT=$(cd "$D/.." && pwd)\ncd "$ROOT"',
    'cd "$(git rev-parse --show-toplevel)"',
)


@pytest.mark.parametrize("script", [*(f"{way}\n{STEPS}" for way in WAYS), FROM_ITSELF], ids=[*WAYS, "its own"])
def test_a_script_in_a_folder_of_its_own(tmp_path: Path, script: str) -> None:
    written(tmp_path, {"scripts/deploy.sh": script, "app/main.py": HANDLER, "requirements.txt": "demo==1.0\n"})
    proposal = proposed(tmp_path)
    assert proposal.refused == ""
    said = tomllib.loads(proposal.text)
    assert said["lock"] == "requirements.txt"
    assert said["layers"] == {"layer": {"name": "shop"}}
    assert said["functions"]["api"]["source"] == ["app"]
    assert said["functions"]["api"]["handler"] == "main.handler"


@pytest.mark.parametrize(
    ("word", "seen"),
    [
        ("$__project/scripts/../app", "../app"),
        ("fileb://$__project/build/x.zip", "fileb://x.zip"),
        ("$__project:/var/task", "..:/var/task"),
        ("$HOME/x", "$HOME/x"),
    ],
)
def test_paths_are_seen_from_where_a_command_runs(word: str, seen: str) -> None:
    assert seen_from("build", word) == seen


def test_of_a_script_in_the_project_itself() -> None:
    assert placed('cd "$(dirname "$0")"', "") == 'cd "$__project"'
    assert placed("x=$(date); cd $1", "scripts") == "x=$(date); cd $1"
