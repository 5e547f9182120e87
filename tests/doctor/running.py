"""`lamella doctor` as a person runs it, in this process."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any, NamedTuple

import pytest

from lamella.cli import doctor
from lamella.errors import LamellaError


class Done(NamedTuple):
    code: int
    tree: dict[str, Any]

    def reasons(self, check: str = "") -> list[str]:
        return [row["reason"] for row in self.tree["findings"] if check in ("", row["check"])]

    def of(self, check: str) -> list[dict[str, Any]]:
        return [row for row in self.tree["findings"] if row["check"] == check]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [row for row in self.tree["findings"] if row["severity"] == "error"]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Done:
    """Its exit code, and what it prints as JSON.  Raises LamellaError, as the command line would show it."""
    parser = ArgumentParser()
    doctor.add_arguments(parser)
    code = doctor.run(parser.parse_args([*words, "--json"]))
    return Done(code, json.loads(capsys.readouterr().out))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Its exit code, and what it prints for people."""
    parser = ArgumentParser()
    doctor.add_arguments(parser)
    code = doctor.run(parser.parse_args(list(words)))
    return code, capsys.readouterr().out


def refused(*words: str) -> LamellaError:
    parser = ArgumentParser()
    doctor.add_arguments(parser)
    with pytest.raises(LamellaError) as caught:
        doctor.run(parser.parse_args(list(words)))
    return caught.value
