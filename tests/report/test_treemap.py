from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest
from tests.report.chromium import dump, screenshot
from tests.sizes.rows import function, layer, twice

from lamella.report.size import saved
from lamella.report.sizes import megabytes
from lamella.report.treemap import treemap
from lamella.sizes.model import Explained, Row
from lamella.sizes.sums import placed, sums


def written(folder: Path, *found: Explained, drive: str = "") -> Path:
    """The page in a file; `drive` is run behind its own script."""
    text = treemap("spectra", [(one.key, sums(one), placed(one)) for one in found])
    if drive:
        match = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
        assert match
        code = f"{match[1]}\n{drive}\n"
        old, new = (b64encode(sha256(one.encode()).digest()).decode() for one in (match[1], code))
        assert old in text
        text = text.replace(match[1], code).replace(old, new)
    path = folder / "size.html"
    path.write_text(text, encoding="utf-8")
    return path


def figures(html: str) -> list[int]:
    """zipped, unzipped, both in the wheels, what was saved."""
    return [int(count) for count in re.findall(r'<li data-bytes="(-?\d+)"', html)]


def rules(html: str) -> dict[str, tuple[int, int]]:
    rows = re.findall(r'<tr data-rule="([^"]*)" data-bytes="(-?\d+) (-?\d+)"', html)
    return {unescape(name): (int(zipped), int(unzipped)) for name, zipped, unzipped in rows}


def rows(html: str, table: str) -> list[list[str]]:
    body = re.search(rf'<table id="{table}">(.*?)</table>', html, re.DOTALL)
    assert body
    return [
        [unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body[1], re.DOTALL)
        if "<td" in row
    ]


def pressed(html: str) -> set[str]:
    return set(re.findall(r'data-set="([^"]*)" aria-pressed="true"', html))


def crumbs(html: str) -> str:
    trail = re.search(r'<nav id="crumbs"[^>]*>(.*?)</nav>', html, re.DOTALL)
    assert trail
    return re.sub("<[^>]*>", "", trail[1])


def test_its_sums_are_those_of_the_tables(tmp_path: Path) -> None:
    html = dump(written(tmp_path, layer()))
    one = sums(layer())
    assert figures(html) == [one.after.zipped, one.after.unzipped, one.before.zipped, one.before.unzipped, 8000]
    assert f"<b>{one.after.members}</b><span>of {one.before.members} files</span>" in html
    assert rules(html) == {saving.name: (saving.zipped, saving.unzipped) for saving in one.savings}
    assert [(row[0].rstrip("/"), *row[1:4]) for row in rows(html, "children")] == [
        (
            f"{share.name} {share.version}",
            megabytes(share.after.zipped),
            megabytes(share.after.unzipped),
            saved(share.before.zipped - share.after.zipped),
        )
        for share in one.distributions
    ]
    assert pressed(html) == {"view=after", "by=zipped", "colour=distribution"}


def test_what_is_in_the_wheels(tmp_path: Path) -> None:
    html = dump(written(tmp_path, layer()), "view=before&by=unzipped&at=demo 1.0")
    assert pressed(html) == {"view=before", "by=unzipped", "colour=distribution"}
    assert [(name, unzipped) for name, _, unzipped, *_ in rows(html, "children")] == [
        ("demo/", "20.5 kB"),
        ("demo.libs/", "12.0 kB"),
        ("demo-1.0.dist-info/", "1.6 kB"),
    ]
    key = re.search(r'<ul class="key" id="key">(.*?)</ul>', html, re.DOTALL)
    assert key
    assert re.findall(r"(?:<a[^>]*>|<span>)([^<]+)<", key[1]) == ["tests", "links", "blanking", "stubs", "stays"]
    assert "17.1 kB" in html


@pytest.mark.parametrize(
    ("at", "trail", "wanted"),
    [
        ("demo 1.0/demo", "layer/demo 1.0/demo", [3900, 9387, 9000, 20500, 5100]),
        ("demo 1.0/demo/tests", "layer/demo 1.0/demo/tests", [0, 0, 4500, 9000, 4500]),
        ("demo 1.0/demo/nothing", "layer/demo 1.0/demo", [3900, 9387, 9000, 20500, 5100]),
        ("nothing", "layer", [8000, 19400, 16000, 36500, 8000]),
    ],
)
def test_the_address_zooms(tmp_path: Path, at: str, trail: str, wanted: list[int]) -> None:
    html = dump(written(tmp_path, layer()), f"at={at}")
    assert (crumbs(html), figures(html)) == (trail, wanted)


def test_a_folder_with_nothing_but_a_folder_is_one_step(tmp_path: Path) -> None:
    html = dump(written(tmp_path, layer()), "at=demo 1.0/demo/tests&view=before")
    assert [row[0] for row in rows(html, "children")] == ["data/", "test_core.py"]
    thing = dump(written(tmp_path, function()))
    assert [row[0] for row in rows(thing, "children")] == ["own files/"]


def test_several_artifacts(tmp_path: Path) -> None:
    html = dump(written(tmp_path, layer(), function()))
    assert [row[0] for row in rows(html, "children")] == ["layer/", "api/"]
    assert figures(html)[:4] == [8200, 19700, 16200, 36800]
    inside = dump(written(tmp_path, layer(), function()), "at=layer/demo 1.0")
    assert crumbs(inside) == "spectra/layer/demo 1.0"


def test_what_was_blanked_and_compressed_anew_counts_for_both(tmp_path: Path) -> None:
    made = Explained("layer", "layer.zip", (*layer().rows, twice()))
    told = rules(dump(written(tmp_path, made)))
    assert told == {saving.name: (saving.zipped, saving.unzipped) for saving in sums(made).savings}


def test_what_was_added_is_told_as_such(tmp_path: Path) -> None:
    made = Explained("layer", "layer.zip", tuple(row for row in layer().rows if row.rule in ("", "bytecode")))
    html = dump(written(tmp_path, made), "at=demo 1.0/demo/__pycache__")
    assert figures(html) == [900, 1387, 0, 0, 900]
    assert "zipped added" in html


MOVES = """
const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const point = (type, x, y) => {
  const box = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new PointerEvent(type, { clientX: box.left + x, clientY: box.top + y, bubbles: true }));
};
"""


def test_keys_choose_look_into_and_go_back(tmp_path: Path) -> None:
    drive = MOVES + 'press("ArrowRight"); press("Enter");'
    html = dump(written(tmp_path, layer(), drive=drive))
    assert crumbs(html) == "layer/demo 1.0"
    assert re.search(r'id="spoken"[^>]*>demo 1\.0\. 17\.0 kB, 7\.1 kB zipped', html)
    back = dump(written(tmp_path, layer(), drive=MOVES + 'press("Escape");'), "at=demo 1.0/demo&by=unzipped")
    assert crumbs(back) == "layer/demo 1.0"
    assert "by=unzipped" in pressed(back)
    aside = dump(written(tmp_path, layer(), drive=MOVES + 'press("ArrowRight"); press("ArrowRight"); press("Enter");'))
    assert crumbs(aside) == "layer/scikit-thing 1.0"


def test_the_pointer_tells_and_looks_into(tmp_path: Path) -> None:
    html = dump(written(tmp_path, layer(), drive=MOVES + 'point("pointermove", 60, 8);'))
    tip = re.search(r'<div class="tip" id="tip"[^>]*>(.*?)</div>', html, re.DOTALL)
    assert tip
    assert "<b>demo 1.0</b>" in tip[1]
    assert "in the wheels 34.1 kB, 14.6 kB zipped" in tip[1]
    inside = dump(written(tmp_path, layer(), drive=MOVES + 'point("click", 60, 8);'))
    assert crumbs(inside) == "layer/demo 1.0"


def test_buttons_keep_the_rest_of_the_state(tmp_path: Path) -> None:
    drive = "document.querySelector('[data-set=\"view=before\"]').click();"
    html = dump(written(tmp_path, layer(), drive=drive), "by=unzipped&at=demo 1.0")
    assert pressed(html) >= {"view=before", "by=unzipped"}
    assert crumbs(html) == "layer/demo 1.0"
    drive = "document.querySelector('#rules [data-rule=tests] a').click();"
    assert 'aria-current="true">tests</a>' in dump(written(tmp_path, layer(), drive=drive))


def test_a_name_from_outside_is_text(tmp_path: Path) -> None:
    nasty = '<img src=x onerror="1"> & `é`'
    rows_of = tuple(row._replace(path=f"python/{nasty}.py", reason="</script>") for row in layer().rows[:1])
    html = dump(written(tmp_path, Explained("layer", "layer.zip", rows_of)), "at=demo 1.0")
    assert [row[0] for row in rows(html, "children")] == [f"{nasty}.py"]
    assert "<img" not in html
    assert html.count("</script>") == 2


def many(count: int) -> Explained:
    files = [
        Row(
            f"python/pkg{at % 40}/sub{at % 7}/deep/file{at}.py", f"dist-{at % 40}", "1", "w.whl", at % 3 > 0,
            "" if at % 3 else "tests", "", at % 997 + 60, 2 * (at % 997), (at % 997 + 60) * (at % 3 > 0),
            2 * (at % 997) * (at % 3 > 0), (),
        )
        for at in range(count)
    ]  # fmt: skip
    return Explained("layer", "layer.zip", tuple(files))


def test_thousands_of_files_are_drawn_within_a_frame_or_two(tmp_path: Path) -> None:
    drive = """
draw();
const began = performance.now();
for (let turn = 0; turn < 5; turn += 1) draw();
document.title = `${Math.round((performance.now() - began) / 5)} ms, ${drawn.length} of 9000,` +
  ` least ${Math.min(...drawn.map((one) => Math.min(one.width, one.height))).toFixed(2)}`;
"""
    html = dump(written(tmp_path, many(9000), drive=drive), "view=before")
    told = re.search(r"<title>(\d+) ms, (\d+) of 9000, least ([\d.]+)</title>", html)
    assert told
    spent, drawn, least = int(told[1]), int(told[2]), float(told[3])
    assert spent < 500  # about 30 on a desk; machines that run tests are slow and share their cores
    assert drawn > 1000
    assert least >= 1


@pytest.mark.parametrize("dark", [False, True])
def test_the_map_shows_colours(tmp_path: Path, dark: bool) -> None:
    """A picture of the map is no plain area; what an empty page comes to is a few kilobytes."""
    path = tmp_path / "map.png"
    screenshot(written(tmp_path, layer()), path, (1200, 800), dark=dark)
    assert path.stat().st_size > 20_000
