from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.report.chromium import Tab, dump, opened

from lamella.profiling.model import MISSING, OWN, PYTHON, Node, Profile
from lamella.report.flame import flame_page


def node(name: str, origin: str, own: int, *children: Node) -> Node:
    return Node(name, origin, own, own + sum(child.total for child in children), children)


TREE = node(
    "app.api",
    OWN,
    1_000,
    node("app", OWN, 500),
    node(
        "pyarrow",
        "pyarrow",
        20_000,
        node("pyarrow.lib", "pyarrow", 30_000, node("decimal", PYTHON, 2_000), node("absent", MISSING, 100)),
        node("numpy", "numpy", 15_000, node("numpy.linalg", "numpy", 5_000)),
    ),
    node("json", PYTHON, 1_500),
)
FASTER = node("app.api", OWN, 1_000, node("pyarrow", "pyarrow", 10_000, node("pyarrow.lib", "pyarrow", 26_600)))


def profile(tree: Node = TREE, label: str = "dist/lambda", runs: tuple[int, ...] = (75_000, 76_000, 74_000)) -> Profile:
    return Profile(label, "api", "app.api", "python3.12", "3.12.1", "bubblewrap", runs, tree)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "flame.html"
    path.write_text(flame_page([profile()]), encoding="utf-8")
    return path


@pytest.fixture
def both(tmp_path: Path) -> Path:
    path = tmp_path / "both.html"
    text = flame_page([profile(label="old"), profile(FASTER, "new", (37_500, 37_500, 38_000))])
    path.write_text(text, encoding="utf-8")
    return path


BARS = """[...document.querySelectorAll(".flame g")].map(bar => {
  const rect = bar.querySelector("rect");
  return [bar.dataset.module, Math.round(rect.getAttribute("width")), Number(bar.getAttribute("aria-level"))];
})"""


def bars(tab: Tab) -> dict[str, tuple[int, int]]:
    """Width in pixels and depth of each bar, by module."""
    found: list[Any] = tab.value(BARS)
    return {name: (width, level) for name, width, level in found}


def module(name: str) -> str:
    return f'.flame g[data-module="{name}"]'


def test_without_a_click_everything_is_drawn(page: Path) -> None:
    shown = dump(page)
    assert re.findall('data-module="([^"]*)"', shown) == [
        "app.api", "app", "pyarrow", "pyarrow.lib", "decimal", "absent", "numpy", "numpy.linalg", "json",
    ]  # fmt: skip
    assert 'aria-label="pyarrow.lib, 32.1 ms, 42.7 %, pyarrow"' in shown
    assert "Click a module to zoom" in shown


def test_widths_are_times(page: Path) -> None:
    with opened(page) as tab:
        drawn = bars(tab)
    whole = drawn["app.api"][0]
    assert whole > 1000
    for name, micro in (("pyarrow", 72_100), ("pyarrow.lib", 32_100), ("numpy.linalg", 5_000), ("json", 1_500)):
        assert drawn[name][0] == pytest.approx(whole * micro / TREE.total, abs=2)
    assert [drawn[name][1] for name in ("app.api", "pyarrow", "numpy", "numpy.linalg")] == [1, 2, 3, 4]


def test_a_click_zooms_and_escape_goes_back(page: Path) -> None:
    with opened(page) as tab:
        before = bars(tab)
        tab.click(module("numpy"))
        near = bars(tab)
        assert near["numpy"][0] == pytest.approx(before["app.api"][0], abs=1)
        assert near["numpy.linalg"][0] == pytest.approx(before["app.api"][0] / 4, abs=2)
        assert list(near) == ["app.api", "pyarrow", "numpy", "numpy.linalg"]
        assert tab.value("location.hash") == "#zoom=numpy"
        assert tab.value("document.getElementById('told').textContent") == "Zoomed to numpy"
        tab.key("Escape")
        assert bars(tab) == before
        tab.click(module("numpy.linalg"))
        tab.click(module("pyarrow"))  # one above is a way out, too
        assert tab.value("location.hash") == "#zoom=pyarrow"
        tab.click("#out")
        assert bars(tab) == before
        assert tab.value("document.getElementById('out').disabled") is True
        tab.value("history.back()")
        assert list(bars(tab))[:2] == ["app.api", "pyarrow"]


def test_the_address_opens_a_module(page: Path) -> None:
    shown = dump(page, "zoom=numpy")
    assert re.findall('data-module="([^"]*)"', shown) == ["app.api", "pyarrow", "numpy", "numpy.linalg"]
    assert re.findall('data-module="([^"]*)"', dump(page, "zoom=nowhere")) != []


def test_what_is_found_is_marked_and_counted_once(page: Path) -> None:
    with opened(page) as tab:
        tab.click("#find")
        tab.type("NUM")
        found = "[...document.querySelectorAll('.flame g.found')].map(bar => bar.dataset.module)"
        assert tab.value(found) == ["numpy", "numpy.linalg"]
        told = "document.getElementById('told').textContent"
        assert tab.value(told) == "2 modules and what they import, 20.0 ms (26.6 %)"
        assert tab.value("location.hash") == "#find=NUM"
        tab.key("Escape")
        assert tab.value(found) == []
        assert tab.value("document.getElementById('find').value") == ""


def test_the_mouse_and_the_keyboard_read_a_bar(page: Path) -> None:
    tip = "document.querySelector('.tip').hidden || document.querySelector('.tip').innerText"
    with opened(page) as tab:
        assert tab.value(tip) is True
        tab.point(module("pyarrow.lib"))
        assert tab.value(tip).split("\n") == [
            "pyarrow.lib", "pyarrow", "32.1 ms with all it imports (42.7 %), 30.0 ms itself",
        ]  # fmt: skip
        tab.point("h1")
        assert tab.value(tip) is True
        focused = "document.activeElement.dataset.module"
        tab.click("#find")
        for name in ("Tab", "ArrowDown", "ArrowRight", "ArrowDown"):
            tab.key(name)
        assert tab.value(focused) == "pyarrow.lib"
        assert "30.0 ms itself" in tab.value(tip)
        tab.key("ArrowUp")
        tab.key("Enter")
        assert tab.value("location.hash") == "#zoom=pyarrow"
        assert tab.value(focused) == "pyarrow"


def test_two_builds_have_one_scale(both: Path) -> None:
    widths = """[...document.querySelectorAll(".flame")].map(flame => {
      const bar = flame.querySelector('g[data-module="pyarrow"] rect');
      return Math.round(bar.getAttribute("width"));
    })"""
    with opened(both) as tab:
        before, after = tab.value(widths)
        assert after / before == pytest.approx(36_600 / 72_100, abs=0.01)
        tab.click("#graph-0 " + module("pyarrow").removeprefix(".flame "))
        before, after = tab.value(widths)
        assert after / before == pytest.approx(36_600 / 72_100, abs=0.01)
        tab.value("location.hash = 'zoom=numpy'")
        assert tab.value("document.querySelector('#graph-1').innerText") == "numpy is not imported here."


def test_the_words_of_one(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<b>75.0 ms</b><span>median of the whole import</span>" in text
    assert "<b>74.0 ms – 76.0 ms</b>" in text
    assert '<td>pyarrow</td><td class="n">50.0 ms</td><td class="n">72.1 ms</td><td class="n">66.6 %</td>' in text
    assert "<td><code>pyarrow.lib</code></td>" in text


def test_the_words_of_two(both: Path) -> None:
    text = both.read_text(encoding="utf-8")
    assert '<li class="good"><b>0.50</b><span>of the time before</span></li>' in text
    assert '<td>numpy</td><td class="n">20.0 ms</td><td class="n">0.00 ms</td><td class="n">0.00</td>' in text
    assert '<td>total</td><td class="n">75.0 ms</td><td class="n">37.5 ms</td><td class="n">0.50</td>' in text
    slower = flame_page([profile(), profile(label="new", runs=(80_000,))])
    assert '<li class="bad"><b>1.07</b>' in slower


def test_names_from_outside_are_text() -> None:
    text = flame_page([profile(node("<b>", "</script>", 5), label='"><i>')])
    assert "<b>" not in text.replace("<b>75.0 ms", "").replace("<b>74.0", "").replace("<b>1<", "")
    assert text.count("</script>") == 2
    assert "<i>" not in text
