from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from lamella.contents.split import parts

MEGABYTE = 1_000_000
LAYER = {
    "pyarrow": 30 * MEGABYTE,
    "scipy": 34 * MEGABYTE,
    "numpy": 16 * MEGABYTE,
    "pandas": 11 * MEGABYTE,
    "six": 20_000,
}


def test_each_part_is_small_enough_and_nothing_is_lost() -> None:
    found = parts(LAYER, 50 * MEGABYTE, 5)
    assert sorted(name for group in found for name in group) == sorted(LAYER)
    assert all(sum(LAYER[name] for name in group) <= 50 * MEGABYTE for group in found)
    assert len(found) == 2 or len(found) == 3


def test_a_new_version_of_one_moves_nothing() -> None:
    before = parts(LAYER, 50 * MEGABYTE, 5)
    for name in LAYER:
        for factor in (0.98, 1.02):
            assert parts({**LAYER, name: int(LAYER[name] * factor)}, 50 * MEGABYTE, 5) == before


def random_sets(count: int) -> Iterator[tuple[Random, dict[str, int]]]:
    """Layers that need more than one part: some large distributions, many small ones."""
    made = 0
    for seed in itertools.count():
        random = Random(seed)
        names = [f"distribution-{random.randrange(10**6)}" for _ in range(random.randint(6, 25))]
        sizes = {name: int(10 ** random.uniform(4, 7.65)) for name in names}
        if 50 * MEGABYTE < sum(sizes.values()) < 200 * MEGABYTE:
            yield random, sizes
            made += 1
        if made == count:
            return


def changed(before: dict[str, int], after: dict[str, int]) -> int:
    """How many parts hold something else than before, by their number."""
    was, now = (
        [[(name, sizes[name]) for name in group] for group in parts(sizes, 50 * MEGABYTE, 5)]
        for sizes in (before, after)
    )
    return sum(one != other for one, other in itertools.zip_longest(was, now))


def test_a_change_in_one_distribution_rarely_changes_more_than_one_part() -> None:
    moved: dict[str, list[bool]] = {"by 2 %": [], "by 10 %": [], "a small one": []}
    for random, sizes in random_sets(300):
        for name, size in sizes.items():
            for factor in (0.9, 0.98, 1.02, 1.1):
                key = "by 2 %" if factor in (0.98, 1.02) else "by 10 %"
                moved[key].append(changed(sizes, {**sizes, name: int(size * factor)}) > 1)
            if size < 2 * MEGABYTE:
                without = {other: sizes[other] for other in sizes if other != name}
                moved["a small one"].append(changed(sizes, without) > 1)
        more = {**sizes, "another": random.randint(10_000, 2 * MEGABYTE)}
        moved["a small one"].append(changed(sizes, more) > 1)
    shares = {kind: sum(cases) / len(cases) for kind, cases in moved.items()}
    assert shares["by 2 %"] < 0.025
    assert shares["by 10 %"] < 0.08
    assert shares["a small one"] < 0.04


def test_few_parts() -> None:
    found = [(len(parts(sizes, 50 * MEGABYTE, 5)), sum(sizes.values())) for _, sizes in random_sets(300)]
    assert sum(count for count, _ in found) < 1.2 * sum(-(-size // (50 * MEGABYTE)) for _, size in found)
    assert sum(count > 5 for count, _ in found) <= 3


def test_the_answer_is_the_same_everywhere() -> None:
    assert parts(LAYER, 50 * MEGABYTE, 5) == (("numpy", "six"), ("pandas", "pyarrow"), ("scipy",))


def test_the_order_of_the_sizes_does_not_matter() -> None:
    assert parts(dict(reversed(LAYER.items())), 50 * MEGABYTE, 5) == parts(LAYER, 50 * MEGABYTE, 5)


def test_what_fits_exactly_is_found_when_rounding_up_takes_too_many() -> None:
    assert parts({"a": 34, "b": 34, "c": 32}, 100, 1) == (("a", "b", "c"),)


def test_one_above_the_limit_is_alone() -> None:
    found = parts({"torch": 900, "b": 10, "c": 20}, 100, 5)
    assert ("torch",) in found
    assert len(found) == 2


@given(st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 10**8), min_size=1), st.integers(1, 5))
def test_every_distribution_is_in_one_part(sizes: dict[str, int], at_most: int) -> None:
    limit = 50 * MEGABYTE
    found = parts(sizes, limit, at_most)
    assert sorted(name for group in found for name in group) == sorted(sizes)
    for group in found:
        assert sum(sizes[name] for name in group) <= limit or len(group) == 1
