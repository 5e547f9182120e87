"""Patterns of the tables match as pathspec reads .gitignore; those of people go through pathspec itself."""

from __future__ import annotations

import pathspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamella.facts import tables
from lamella.pruning.patterns import Patterns

OF_TABLES = sorted(
    {pattern for rule in tables.pruning() for pattern in (*rule.drops, *rule.never)}
    | {pattern for feature in tables.features() for pattern in feature.drops}
)
PATHS = [
    "numpy/tests/__init__.py",
    "numpy/tests/data/a/b.csv",
    "tests/x.py",
    "test/x.py",
    "a/latests/x.py",
    "tests",
    "a/tests",
    "a/conftest.py",
    "conftest.py",
    "a/myconftest.py",
    "django/test/client.py",
    "x/django/test/client.py",
    "ansible/plugins/test/core.py",
    "a/templates/b/tests/x.py",
    "templates/tests/x.py",
    "a/data/b/c/tests/x.txt",
    "data/tests/x.txt",
    "a/tests/data/x.txt",
    "a.pyi",
    "a/py.typed",
    "a/b.h",
    "a/b.h.in",
    "x-1.0.dist-info/RECORD",
    "a/x-1.0.dist-info/RECORD",
    "x-1.0.dist-info/licenses/README.md",
    "README.md",
    "a/CHANGELOG.rst",
    "a/LICENSE.md",
    "a/LICENCE",
    "share/man/man1/x.1",
    "a/share/man/man1/x.1",
    "botocore/data/s3/2006-03-01/examples-1.json",
    "botocore/data/s3/examples-1.json",
    "numpy/_core/_umath_tests.cpython-312-x86_64-linux-gnu.so",
    "scipy/_lib/_test_ccallback.abi3.so",
    "scipy/ndimage/_ctest.so",
    "pyarrow/_flight.cpython-312-x86_64-linux-gnu.so",
    "pyarrow/x/_flight.so",
    "bin/f2py",
]


@pytest.mark.parametrize("pattern", OF_TABLES)
def test_a_pattern_of_the_tables_matches_as_in_gitignore(pattern: str) -> None:
    theirs = pathspec.GitIgnoreSpec.from_lines([pattern])
    ours = Patterns([pattern])
    assert {path for path in PATHS if ours.match(path, path.split("/"))} == set(theirs.match_files(PATHS))


PARTS = st.sampled_from(["a", "b", "ab", "tests", "x.h", "x.h.in", "data"])
PIECES = st.sampled_from(["a", "b", "*", "a*", "*.h", "?", "[ab]", "tests", "**"])


@given(
    pieces=st.lists(PIECES, min_size=1, max_size=3),
    start=st.sampled_from(["", "/"]),
    path=st.lists(PARTS, min_size=1, max_size=4),
)
def test_folders_and_paths_match_as_in_gitignore(pieces: list[str], start: str, path: list[str]) -> None:
    if pieces[-1] == "**":
        pieces = [*pieces, "a"]
    pattern = start + "/".join(pieces) + "/"
    joined = "/".join(path)
    theirs = pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(joined)
    assert Patterns([pattern]).match(joined, path) == theirs


def test_a_pattern_without_a_slash_is_about_files() -> None:
    assert not Patterns(["*.h"]).match("a.h/b", ["a.h", "b"])
    assert Patterns(["*.h/"]).match("a.h/b", ["a.h", "b"])
