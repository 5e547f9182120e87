from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from lamella.profiling.importtime import parse, whole
from lamella.profiling.model import Import

NESTED = """\
import time: self [us] | cumulative | imported package
import time:       305 |        305 |     types
import time:        63 |         63 |       _operator
import time:       399 |        462 |     operator
import time:      1250 |       2017 |   enum
import time:        39 |         39 |   zlib
import time:       546 |       2602 | app
import time:         7 |          7 | late
"""


def test_children_stand_before_their_parent() -> None:
    imports, rest = parse(NESTED)
    assert imports == (
        Import(
            "app",
            546,
            (
                Import(
                    "enum", 1250, (Import("types", 305, ()), Import("operator", 399, (Import("_operator", 63, ()),)))
                ),
                Import("zlib", 39, ()),
            ),
        ),
        Import("late", 7, ()),
    )
    assert rest == ""
    assert whole(imports) == 305 + 63 + 399 + 1250 + 39 + 546 + 7


def test_the_program_s_own_words_come_back() -> None:
    text = (
        "warning: slow\n"
        "import time:         5 |          5 |   json\n"
        "no end of line import time:        10 |         15 | app\r\n"
        "import time: this is not one\n"
        "last"
    )
    imports, rest = parse(text)
    assert imports == (Import("app", 10, (Import("json", 5, ()),)),)
    assert rest == "warning: slow\nno end of line import time: this is not one\nlast"


def test_a_negative_time_is_none() -> None:
    assert parse("import time:      -995 |        -95 | encodings\n")[0] == (Import("encodings", 0, ()),)


def test_what_never_ended_is_taken_by_what_did() -> None:
    """A process that was killed, or a thread whose imports were written in between."""
    assert parse("import time: 1 | 1 |       deep\nimport time: 2 | 3 | app\n")[0] == (
        Import("app", 2, (Import("deep", 1, ()),)),
    )
    assert parse("import time: 1 | 1 |   left\n")[0] == (Import("left", 1, ()),)


def test_python_s_own_output() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-X",
            "importtime",
            "-c",
            "import sys; sys.stderr.write('mark\\n'); import json.decoder",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    imports, rest = parse(done.stderr.partition("mark\n")[2])
    assert rest == ""
    assert imports[-1].name == "json.decoder"
    assert "json" in [child.name for child in imports[-1].children]


TREES = st.recursive(
    st.builds(Import, st.from_regex(r"[a-z_]{1,8}(\.[a-z]{1,4})?", fullmatch=True), st.integers(0, 10**6), st.just(())),
    lambda below: st.builds(Import, st.just("p.q"), st.integers(0, 10**6), st.lists(below, max_size=4).map(tuple)),
    max_leaves=25,
)


def written(made: Import, depth: int = 0) -> str:
    """As CPython writes it."""
    below = "".join(written(child, depth + 1) for child in made.children)
    return f"{below}import time: {made.own:9d} | {whole([made]):10d} | {'  ' * depth}{made.name}\n"


@given(st.lists(TREES, max_size=4))
def test_any_tree_comes_back(imports: list[Import]) -> None:
    assert parse("".join(written(made) for made in imports)) == (tuple(imports), "")
