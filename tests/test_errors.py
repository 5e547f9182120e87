from __future__ import annotations

import pytest

from lamella import errors
from lamella.errors import LamellaError, OfflineError, OutsideError


def test_an_error_says_what_why_and_what_to_do() -> None:
    error = LamellaError("`x` is wrong", why=(line for line in ("for one", "for two")), hint="mend it")
    assert str(error) == "`x` is wrong\n  for one\n  for two\n  hint: mend it"
    assert (error.what, error.why, error.hint) == ("`x` is wrong", ("for one", "for two"), "mend it")
    assert str(LamellaError("`x` is wrong")) == "`x` is wrong"


def test_the_outside_alone_has_a_code_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LamellaError)]
    assert len(kinds) > 5
    for kind in kinds:
        assert kind("x").exit_code == (3 if issubclass(kind, OutsideError) else 2), kind
    with pytest.raises(OutsideError):
        raise OfflineError("x")
