from __future__ import annotations

import pytest

from lamella.errors import ConfigError
from lamella.gitignore import matcher


def test_what_people_write_has_all_of_gitignore() -> None:
    match = matcher("keep", ("numpy/**", "!numpy/tests/**"))
    assert match is not None
    assert match("numpy/linalg/x.py")
    assert not match("numpy/tests/x.py")
    assert matcher("keep", ()) is None


def test_a_pattern_that_can_not_be_read_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigError, match=r"`distributions\.numpy\.drop` holds a pattern that can't be read"):
        matcher("distributions.numpy.drop", ("!",))


@pytest.mark.parametrize("pattern", ["!", "[z-a]"])
def test_what_no_program_can_read(pattern: str) -> None:
    with pytest.raises(ConfigError, match="`drop` holds a pattern that can't be read"):
        matcher("drop", ["fine", pattern])
