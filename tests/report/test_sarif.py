"""The shape that SARIF 2.1.0 and GitHub's code scanning ask for, as far as lamella writes it."""

from __future__ import annotations

import json
from typing import Any

from lamella.checks.model import Finding, Outcome, Severity
from lamella.cli.check import CHECKS
from lamella.report.sarif import RULES, as_sarif

MEMBER = Finding("imports", Severity.ERROR, "layer", "python/my pkg/é.py", "`x` can't be imported: no", "keep it", 3)
OWN = Finding("closure", Severity.NOTE, "api", "app.py", "imports `x`", "", 7)
WHOLE = Finding("imports", Severity.WARNING, "layer", "", "not tried", "install it")
OUTCOMES = [
    Outcome("size", "", ()), Outcome("closure", "1 function", (OWN,)), Outcome("imports", "", (MEMBER, WHOLE)),
]  # fmt: skip


def place(finding: Finding) -> str:
    return "src/app.py" if finding is OWN else "infra é/pyproject.toml"


def log() -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(as_sarif(OUTCOMES, place))
    return tree


def run() -> dict[str, Any]:
    (only,) = log()["runs"]
    assert isinstance(only, dict)
    return only


# What the schema knows of each object that is written (OASIS, sarif-schema-2.1.0.json): it allows nothing else
KNOWN: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"columnKind", "invocations", "results"}),
    "driver": ({"name"}, {"semanticVersion", "rules"}),
    "rule": ({"id"}, {"name", "shortDescription", "help", "defaultConfiguration"}),
    "result": ({"message"}, {"ruleId", "ruleIndex", "level", "locations", "partialFingerprints"}),
    "location": (set(), {"physicalLocation", "logicalLocations"}),
    "physical": (set(), {"artifactLocation", "region"}),
    "logical": (set(), {"fullyQualifiedName", "kind"}),
}


def fits(kind: str, tree: dict[str, Any]) -> bool:
    required, optional = KNOWN[kind]
    return required <= tree.keys() <= required | optional


def test_the_shape() -> None:
    tree, only = log(), run()
    assert fits("log", tree)
    assert tree["version"] == "2.1.0"
    assert fits("run", only)
    assert only["tool"].keys() == {"driver"}
    assert fits("driver", only["tool"]["driver"])
    assert all(fits("rule", rule) for rule in only["tool"]["driver"]["rules"])
    assert only["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    for result in only["results"]:
        assert fits("result", result)
        for location in result["locations"]:
            assert fits("location", location)
            assert fits("physical", location["physicalLocation"])
            assert all(fits("logical", each) for each in location["logicalLocations"])


def test_each_result_names_its_rule_level_and_message() -> None:
    only = run()
    rules = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    assert rules == ["size", "closure", "imports"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in only["results"])
    assert [result["level"] for result in only["results"]] == ["note", "error", "warning"]
    assert [result["message"]["text"] for result in only["results"]] == [
        "api/app.py: imports `x`",
        "layer/python/my pkg/é.py: `x` can't be imported: no (keep it)",
        "layer: not tried (install it)",
    ]


def test_places_are_relative_and_lines_are_those_of_the_file() -> None:
    physical = [result["locations"][0]["physicalLocation"] for result in run()["results"]]
    assert [each["artifactLocation"]["uri"] for each in physical] == [
        "src/app.py", "infra%20%C3%A9/pyproject.toml", "infra%20%C3%A9/pyproject.toml",
    ]  # fmt: skip
    assert [each["region"] for each in physical] == [{"startLine": 7}, {"startLine": 1}, {"startLine": 1}]


def test_fingerprints_tell_findings_apart_and_stay() -> None:
    def prints(outcomes: list[Outcome]) -> list[str]:
        results = json.loads(as_sarif(outcomes, place))["runs"][0]["results"]
        return [next(iter(result["partialFingerprints"].values())) for result in results]

    assert len(set(prints(OUTCOMES))) == 3
    moved = [Outcome("closure", "", (OWN._replace(line=99),))]
    assert prints(moved) == prints([OUTCOMES[1]])


def test_every_check_is_a_rule_and_it_is_ascii() -> None:
    assert set(RULES) == set(CHECKS)
    assert as_sarif(OUTCOMES, place).isascii()
