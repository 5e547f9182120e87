"""The steps of workflows and composite actions, run one after the other as GitHub's runner does.

Steps with `run` are run by the shell that the runner would take; of those with `uses` it is only written down what they
were given.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from tests.journeys.workflow_expressions import as_text, evaluate, filled

# GitHub Docs, "Workflow syntax": jobs.<job_id>.steps[*].shell; the first is for steps that name none
_SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"]}


class Done(NamedTuple):
    """A step that came to its turn.  `conclusion` is "success", "failure" or "skipped"; `given` is its `with`."""

    name: str
    conclusion: str
    out: str = ""
    given: Mapping[str, str] | None = None


def read(text: str) -> dict[str, Any]:
    """YAML 1.2 knows no `on` for true; everything that is read here is what it says."""
    tree: dict[Any, Any] = yaml.safe_load(text)
    if True in tree:
        tree["on"] = tree.pop(True)
    return tree


class Runner:
    """A machine with the repository `workspace`.  `contexts` has github, vars and the like; `environ` is its own."""

    def __init__(
        self, workspace: Path, environ: Mapping[str, str], contexts: Mapping[str, Any], answers: Mapping[str, Any]
    ) -> None:
        self._workspace = workspace
        self._environ = environ
        self._temp = Path(environ["RUNNER_TEMP"])
        self._contexts = {"runner": {"temp": str(self._temp), "os": "Linux", "arch": "X64"}, **contexts}
        self._answers = answers
        self.summary = self._temp / "summary.md"

    def job(self, job: Mapping[str, Any]) -> list[Done]:
        """Of a workflow."""
        directory = job.get("defaults", {}).get("run", {}).get("working-directory", ".")
        return self._steps(job["steps"], {"inputs": {}}, directory)[0]

    def action(self, action: Mapping[str, Any], given: Mapping[str, str]) -> tuple[list[Done], dict[str, str]]:
        """Of a composite action, and its outputs."""
        unknown = set(given) - set(action["inputs"])
        assert not unknown, unknown
        inputs = {
            name: given.get(name, filled(str(one["default"]), self._contexts, self._functions("success")))
            for name, one in action["inputs"].items()
        }
        done, contexts = self._steps(action["runs"]["steps"], {"inputs": inputs}, ".")
        functions = self._functions("success")
        return done, {name: filled(one["value"], contexts, functions) for name, one in action["outputs"].items()}

    def _steps(
        self, steps: Iterable[Mapping[str, Any]], more: Mapping[str, Any], directory: str
    ) -> tuple[list[Done], dict[str, Any]]:
        outputs: dict[str, Any] = {}
        contexts = {**self._contexts, **more, "steps": outputs}
        done: list[Done] = []
        state = "success"
        for step in steps:
            functions = self._functions(state)
            name = step.get("name") or step["uses"]
            condition = step.get("if", "success()")
            asks = any(f"{one}(" in condition for one in ("always", "failure", "success"))
            meant = evaluate(condition.removeprefix("${{").removesuffix("}}"), contexts, functions)
            if not meant or (state != "success" and not asks):
                done.append(Done(name, "skipped"))
                continue
            if "uses" in step:
                given = {key: filled(as_text(one), contexts, functions) for key, one in step.get("with", {}).items()}
                one, told = Done(name, "success", given=given), self._answers.get(step["uses"].partition("@")[0], {})
            else:
                one, told = self._run(step, name, contexts, step.get("working-directory", directory))
            done.append(one)
            state = one.conclusion if state == "success" else state
            outputs[step.get("id", "")] = {"outputs": told}
        return done, contexts

    def _run(
        self, step: Mapping[str, Any], name: str, contexts: Mapping[str, Any], directory: str
    ) -> tuple[Done, dict[str, str]]:
        functions = self._functions("success")
        told = self._temp / "output.txt"
        told.write_text("")
        script = self._temp / "script.sh"
        script.write_text(filled(step["run"], contexts, functions))
        own = {key: filled(as_text(one), contexts, functions) for key, one in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(told), "GITHUB_STEP_SUMMARY": str(self.summary)}
        ended = subprocess.run(
            [*_SHELLS[step.get("shell")], str(script)],
            cwd=self._workspace / filled(directory, contexts, functions),
            env={**self._environ, **files, **own},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        outputs = dict(line.split("=", 1) for line in told.read_text().splitlines())
        return Done(name, "success" if ended.returncode == 0 else "failure", ended.stdout), outputs

    def _functions(self, state: str) -> dict[str, Any]:
        return {
            "success": lambda: state == "success",
            "failure": lambda: state == "failure",
            "always": lambda: True,
            "hashFiles": self._hashed,
        }

    def _hashed(self, *patterns: str) -> str:
        found = sorted({path for one in patterns for path in self._workspace.glob(one) if path.is_file()})
        return hashlib.sha256(b"".join(path.read_bytes() for path in found)).hexdigest() if found else ""


def shims(folder: Path, lamella: Path, python: str, more: Mapping[str, str]) -> str:
    """A folder for PATH: `lamella`, and a `python` that installs nothing, but makes environments with lamella in them.

    What pip was asked for is written to `pip.txt` there.
    """
    folder.mkdir()
    (folder / "lamella").symlink_to(lamella)
    text = f"""#!/bin/bash
case "$1 $2" in
  "-m pip") echo "$@" >> {folder}/pip.txt ;;
  "-m venv") for place; do :; done; mkdir -p "$place/bin"; ln -sf {folder}/python {folder}/lamella "$place/bin" ;;
  *) exec {python} "$@" ;;
esac
"""
    for name, script in {"python": text, **more}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return os.pathsep.join([str(folder), os.environ["PATH"]])
