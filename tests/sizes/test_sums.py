from __future__ import annotations

from tests.sizes.rows import function, layer, row, twice

from lamella.sizes.model import Explained, Saving, Size
from lamella.sizes.sums import placed, savings, sums


def test_totals() -> None:
    found = sums(layer())
    assert found.before == Size(9, 16000, 36500)
    assert found.after == Size(7, 8000, 19400)


def test_shares_of_distributions_add_up_largest_first() -> None:
    found = sums(layer())
    names = [(share.name, share.version, share.after.zipped, share.before.zipped) for share in found.distributions]
    assert names == [("demo", "1.0", 7100, 14600), ("scikit-thing", "1.0", 900, 1400)]
    for shares in (found.distributions, found.kinds):
        for of, wanted in (("before", found.before), ("after", found.after)):
            sizes = [getattr(share, of) for share in shares]
            assert Size(*map(sum, zip(*sizes, strict=True))) == wanted


def test_a_library_that_became_a_link_changes_its_kind() -> None:
    kinds = {share.name: share for share in sums(layer()).kinds}
    assert kinds["native libraries"].before == Size(2, 5000, 12000)
    assert kinds["native libraries"].after == Size(1, 2500, 6000)
    assert kinds["links"].before == Size(0, 0, 0)
    assert kinds["links"].after == Size(1, 100, 13)


def test_what_each_rule_and_step_saved() -> None:
    found = {saving.name: saving for saving in sums(layer()).savings}
    assert found["tests"] == Saving("tests", 2, 4500, 9000, "not for use")
    assert found["stubs"][1:4] == (1, 500, 1500)
    assert found["blanking"][1:4] == (1, 1000, 2000)
    assert found["links"][1:4] == (1, 2400, 5987)
    assert found["recompression"][1:4] == (1, 500, 0)
    assert found["bytecode"][1:4] == (1, -900, -1387)


def test_savings_are_the_whole_difference() -> None:
    moved = row("python/demo/x.py", (100, 50), (114, 50))
    twin = row("bin/demo", (300, 400), (0, 0))
    source = row("python/demo/y.py", (70, 80), kept=False, rule="bytecode", reason="its bytecode is there")
    explained = Explained("layer", "layer.zip", (*layer().rows, moved, twin, source, twice()))
    found = sums(explained)
    assert found.before.zipped - sum(saving.zipped for saving in found.savings) == found.after.zipped
    assert found.before.unzipped - sum(saving.unzipped for saving in found.savings) == found.after.unzipped
    names = {saving.name: saving.zipped for saving in found.savings}
    assert names["other"] == -14
    assert names["shared between runtimes"] == 300
    assert names["bytecode instead of sources"] == 70
    assert list(names.values()) == sorted(names.values(), reverse=True)


def test_what_was_blanked_and_compressed_anew_counts_for_both() -> None:
    found = {saving.name: saving for saving in savings([twice()])}
    assert found["blanking"][1:4] == (1, 300, 500)
    assert found["recompression"][1:4] == (1, 100, 0)
    assert len(found) == 2


def test_nothing_was_saved_of_own_code() -> None:
    assert savings(function().rows) == ()
    assert sums(function()).after == sums(function()).before == Size(1, 200, 300)


def test_files_are_told_what_they_count_for() -> None:
    found = {file.row.path.rpartition("/")[2]: file for file in placed(layer())}
    assert found["test_core.py"].step == "tests"
    assert found["test_core.py"].row.reason == "not for use"
    assert found["libz-abc.so"][1:] == ("links", "links")
    assert found["METADATA"][1:] == ("metadata", "")
    assert placed(function())[0].row.reason == "it is the project's own"
