from __future__ import annotations

from pathlib import Path

from tests.sizes.zips import make_zip, metadata

from lamella.sizes.comparing import compare
from lamella.sizes.model import Comparison, Size
from lamella.sizes.reading import read_pair

NUMBERS = " ".join(str(number * number) for number in range(4000))


def compared(folder: Path, old: dict[str, str], new: dict[str, str]) -> Comparison:
    return compare("layer", *read_pair(str(make_zip(folder / "a.zip", old)), str(make_zip(folder / "b.zip", new))))


def test_equal_zips_have_no_difference(tmp_path: Path) -> None:
    found = compared(tmp_path, {"python/x.py": "1"}, {"python/x.py": "1"})
    assert (found.how, found.paths, found.distributions) == ("same", (), ())
    assert found.old == found.new == Size(1, found.new.zipped, 1)


def test_paths_with_the_largest_difference_first(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"python/same.py": "same", "python/gone.py": "was here", "python/other.py": "one"},
        {"python/same.py": "same", "python/other.py": "two", "python/made.py": NUMBERS},
    )
    assert [(change.path, change.how) for change in found.paths] == [
        ("python/made.py", "added"),
        ("python/gone.py", "removed"),
        ("python/other.py", "changed"),
    ]
    assert found.how == "changed"
    assert [change.unzipped for change in found.paths] == [len(NUMBERS), -8, 0]
    assert found.new.zipped - found.old.zipped == sum(change.zipped for change in found.paths)
    assert found.new.unzipped - found.old.unzipped == sum(change.unzipped for change in found.paths)


def test_the_same_bytes_compressed_in_another_way(tmp_path: Path) -> None:
    fast = make_zip(tmp_path / "a.zip", {"python/x.txt": NUMBERS}, level=1)
    best = make_zip(tmp_path / "b.zip", {"python/x.txt": NUMBERS}, level=9)
    (change,) = compare("layer", *read_pair(str(fast), str(best))).paths
    assert change.how == "repacked"
    assert change.unzipped == 0
    assert change.zipped < 0


def test_a_file_that_became_a_link_with_its_target_as_content(tmp_path: Path) -> None:
    plain = make_zip(tmp_path / "a.zip", {"python/x": "y"})
    link = make_zip(tmp_path / "b.zip", {}, links={"python/x": "y"})
    (change,) = compare("layer", *read_pair(str(plain), str(link))).paths
    assert change.how == "changed"


def test_distributions(tmp_path: Path) -> None:
    stays = {**metadata("stays", "1"), "python/stays/a.py": "a"}
    found = compared(
        tmp_path,
        {**metadata("moved", "1.0"), "python/moved/a.py": "a", **metadata("gone", "3"), "python/gone.py": "", **stays},
        {
            **metadata("moved", "1.1"), "python/moved/a.py": "b", "python/moved/b.py": "",
            **metadata("made", "2"), "python/made/a.py": NUMBERS, **stays, "python/stays/a.py": "A",
        },
    )  # fmt: skip
    rows = {row.name: (row.how, row.old_version, row.new_version, row.counts) for row in found.distributions}
    assert rows == {
        "made": ("added", "", "2", (2, 0, 0)),
        "gone": ("removed", "3", "", (0, 2, 0)),
        "moved": ("updated", "1.0", "1.1", (2, 1, 1)),
        "stays": ("changed", "1", "1", (0, 0, 1)),
    }
    assert found.distributions[0].name == "made"
    sizes = [(row.new.zipped - row.old.zipped) for row in found.distributions]
    assert sum(sizes) == found.new.zipped - found.old.zipped


def test_a_zip_that_is_not_there_any_more(tmp_path: Path) -> None:
    one, _ = read_pair(*[str(make_zip(tmp_path / "a.zip", {"x.py": "1"}))] * 2)
    assert [compare("x", one, None).how, compare("x", None, one).how] == ["removed", "added"]
    assert compare("x", one, None).new == Size(0, 0, 0)
    assert [change.how for change in compare("x", None, one).paths] == ["added"]
