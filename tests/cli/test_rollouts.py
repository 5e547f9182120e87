from __future__ import annotations

import argparse
import io
import threading

import pytest

from lamella.aws import UnreachableError
from lamella.cli.rollouts import add_arguments, error_tree, show_errors, side_by_side
from lamella.cloud.model import Place
from lamella.errors import LamellaError
from lamella.report.console import Console

ONE, TWO = Place("prod", region="eu-west-1", account="1"), Place("prod", region="us-east-1", account="1")


def test_places_are_done_at_the_same_time_and_told_in_order() -> None:
    both = threading.Barrier(2)

    def do(place: Place) -> str:
        both.wait(10)  # neither is through before the other has begun
        return place.region

    assert side_by_side([ONE, TWO], do) == ((ONE, "eu-west-1"), (TWO, "us-east-1"))


def test_one_place_is_done_in_this_thread() -> None:
    assert side_by_side([ONE], lambda _: threading.current_thread()) == ((ONE, threading.current_thread()),)


def test_one_that_fails_stops_no_other() -> None:
    def do(place: Place) -> str:
        if place == ONE:
            raise UnreachableError("no answer", why=["cut"], hint="again")
        return "done"

    results = side_by_side([ONE, TWO], do)
    assert results[1] == (TWO, "done")
    err = io.StringIO()
    assert show_errors(Console(err=err), results) == 3
    assert err.getvalue() == "error: prod (1 eu-west-1): no answer\n  cut\n  hint: again\n"
    assert isinstance(results[0][1], LamellaError)
    assert error_tree(*results[0]) == {  # type: ignore[arg-type]
        "place": {"environment": "prod", "account": "1", "region": "eu-west-1"},
        "error": {"what": "no answer", "why": ["cut"], "hint": "again"},
    }


def test_a_single_place_is_not_named() -> None:
    err = io.StringIO()
    results = side_by_side([ONE], lambda _: open("/nowhere/at all"))  # noqa: SIM115
    assert show_errors(Console(err=err), results) == 3
    assert err.getvalue().startswith("error: `/nowhere/at all`: No such file or directory\n")
    assert show_errors(Console(err=err), [(ONE, "fine")]) == 0


@pytest.mark.parametrize("option", ["--env", "--region"])
def test_an_option_without_a_value_is_not_the_default(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit) as left:
        parser.parse_args([option, ""])
    assert left.value.code == 2
    assert f"argument {option}: it is empty" in capsys.readouterr().err
    assert (parser.parse_args([]).env, parser.parse_args(["--profile", ""]).profile) == ("", "")
