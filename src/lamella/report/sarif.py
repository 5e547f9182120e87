"""Findings as SARIF 2.1.0 (OASIS), with what GitHub's code scanning asks for beside: relative places, fingerprints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lamella import __version__

if TYPE_CHECKING:
    from lamella.checks.model import Finding, Outcome

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# Each check as a rule: its name, and what it asks
RULES = {
    "size": ("ArtifactSize", "Is a layer or function within AWS Lambda's limits?"),
    "closure": ("Closure", "Does a function have all that it imports and that its distributions require?"),
    "platform": ("NativePlatform", "Does native code load on the runtime's machine and system?"),
    "imports": ("Imports", "Do all modules and handlers import as Lambda would import them?"),
    "metadata": ("Metadata", "Do distributions answer with their versions and entry points?"),
    "overlap": ("Overlap", "Does a layer or function hide what another one brings?"),
}


def as_sarif(outcomes: Sequence[Outcome], place: Callable[[Finding], str]) -> str:
    """The log of one run, as text.  `place` gives the file of a finding, relative to the repository's root.

    ASCII alone, so that it is JSON in every encoding.
    """
    rules = [outcome.check for outcome in outcomes]
    run = {
        "tool": {
            "driver": {
                "name": "lamella",
                "semanticVersion": __version__,
                "rules": [_rule(name) for name in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": [
            _result(finding, rules.index(outcome.check), place(finding))
            for outcome in outcomes
            for finding in outcome.findings
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(check: str) -> dict[str, Any]:
    name, question = RULES.get(check, (check.title(), check))
    return {
        "id": check,
        "name": name,
        "shortDescription": {"text": question},
        "help": {"text": f"{question} See `lamella check --help`."},
        "defaultConfiguration": {"level": "error"},
    }


def _result(finding: Finding, rule: int, file: str) -> dict[str, Any]:
    from urllib.parse import quote

    place = f"{finding.artifact}/{finding.path}" if finding.path else finding.artifact
    hint = f" ({finding.hint})" if finding.hint else ""
    # The line counts in the file only where that is the one that the finding is about
    line = finding.line if finding.line and finding.path and file.endswith(finding.path) else 1
    return {
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": f"{place}: {finding.reason}{hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(file), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": line},
                },
                "logicalLocations": [{"fullyQualifiedName": place, "kind": "member" if finding.path else "module"}],
            }
        ],
        "partialFingerprints": {"lamella/v1": _fingerprint(finding)},
    }


def _fingerprint(finding: Finding) -> str:
    """The same for the same finding in the next run, wherever its line has moved to."""
    parts = (finding.check, finding.artifact, finding.path, finding.reason)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
