"""The migration's state machine run here by its parts: its expressions by a JSONata of its own, its calls by boto3.

Step Functions' own emulators evaluate JSONata in a Java machine.  This knows what the one machine has, and refuses the
rest, so that whoever adds a field to it has to say here what that does.
https://states-language.net, https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from tests.tools import python_tools

MACHINE = Path(__file__).parents[1] / "statemachine" / "migrate.asl.json"
_EVALUATE = """
import json, sys
import jsonata
given = json.load(sys.stdin)
answers = []
for text, states in given:
    expression = jsonata.Jsonata(text)
    frame = expression.create_frame()
    frame.bind("states", states)
    answers.append(expression.evaluate(None, frame))
json.dump(answers, sys.stdout)
"""


def definition(processor: str) -> dict[str, Any]:
    """As Terraform's templatefile and CloudFormation's DefinitionSubstitutions fill it in."""
    tree: dict[str, Any] = json.loads(MACHINE.read_text().replace("${processor}", processor))
    return tree


def filled(given: list[tuple[Any, Mapping[str, Any]]]) -> list[Any]:
    """Each template with its `{% … %}` replaced by what they give for its `$states`; in one process for all."""
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def collect(tree: Any, states: Mapping[str, Any]) -> Any:
        if isinstance(tree, dict):
            return {key: collect(value, states) for key, value in tree.items()}
        if isinstance(tree, list):
            return [collect(value, states) for value in tree]
        if isinstance(tree, str) and tree.startswith("{%") and tree.endswith("%}"):
            asked.append((tree[2:-2].strip(), states))
            return _Hole(len(asked) - 1)
        return tree

    trees = [collect(tree, states) for tree, states in given]
    python = os.path.join(python_tools("states"), "python")
    done = subprocess.run(
        [python, "-I", "-c", _EVALUATE], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)

    def put(tree: Any) -> Any:
        if isinstance(tree, _Hole):
            return answers[tree.number]
        if isinstance(tree, dict):
            return {key: put(value) for key, value in tree.items()}
        return [put(value) for value in tree] if isinstance(tree, list) else tree

    return [put(tree) for tree in trees]


class _Hole:
    def __init__(self, number: int) -> None:
        self.number = number


class Machine:
    """A machine whose one state is a distributed Map, whose children choose between a Task of Lambda and Succeed."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        assert tree["QueryLanguage"] == "JSONata"
        (self._map,) = (tree["States"][tree["StartAt"]],)
        _known(self._map, "Type Label ItemReader ItemSelector MaxConcurrency ToleratedFailurePercentage ItemProcessor "
               "ResultWriter End")  # fmt: skip
        self._children = self._map["ItemProcessor"]
        assert self._children["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}

    def run(self, given: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
        """What the children that succeeded gave, and why the others failed, in the listing's order."""
        items = list(self._items(given))
        contexts = [{"input": given, "context": {"Map": {"Item": {"Index": i, "Value": v}}}} for i, v in items]
        inputs = filled([(self._map["ItemSelector"], states) for states in contexts])
        outputs, failures = [], []
        for one in inputs:
            try:
                outputs.append(self._child(one))
            except _FailedError as error:
                failures.append(str(error))
        return outputs, failures

    def _items(self, given: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
        """ItemReader.  Step Functions gives each item Etag, Key, LastModified, Size and StorageClass."""
        reader = self._map["ItemReader"]
        assert reader["Resource"] == "arn:aws:states:::s3:listObjectsV2"
        (arguments,) = filled([(reader["Arguments"], {"input": given})])
        at = 0
        for page in boto3.client("s3").get_paginator("list_objects_v2").paginate(**arguments):
            for row in page.get("Contents", ()):
                yield at, {"Etag": row["ETag"], "Key": row["Key"], "Size": row["Size"]}
                at += 1

    def _child(self, given: Any) -> Any:
        name = self._children["StartAt"]
        while True:
            state = self._children["States"][name]
            if state["Type"] == "Succeed":
                _known(state, "Type")
                return given
            if state["Type"] == "Choice":
                _known(state, "Type Choices Default")
                truths = filled([(rule["Condition"], {"input": given}) for rule in state["Choices"]])
                nexts = [rule["Next"] for rule, truth in zip(state["Choices"], truths, strict=True) if truth is True]
                name = nexts[0] if nexts else state["Default"]
                continue
            assert state["Type"] == "Task"
            _known(state, "Type Resource Arguments TimeoutSeconds Retry Output End")
            return self._task(state, given)

    def _task(self, state: Mapping[str, Any], given: Any) -> Any:
        assert state["Resource"] == "arn:aws:states:::lambda:invoke"
        (arguments,) = filled([(state["Arguments"], {"input": given})])
        arguments["Payload"] = json.dumps(arguments["Payload"]).encode()
        answer = boto3.client("lambda").invoke(**arguments)
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise _FailedError(f"{payload['errorType']}: {payload['errorMessage']}")
        return filled([(state["Output"], {"input": given, "result": {"Payload": payload}})])[0]


class _FailedError(Exception):
    pass


def _known(state: Mapping[str, Any], fields: str) -> None:
    assert set(state) <= set(fields.split()), f"not run here: {set(state) - set(fields.split())}"
