from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.report.chromium import PageError, dump

from lamella.report.page import as_script_data, page

NASTY = '</script><img src=x onerror="1">&amp; <!-- \u2028 é'
SHOWS = """
const data = JSON.parse(document.getElementById("data").textContent);
document.getElementById("at").textContent = data.name + " " + location.hash;
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    return path


def test_data_comes_back_as_it_was_and_closes_nothing() -> None:
    text = as_script_data({"name": NASTY})
    assert json.loads(text) == {"name": NASTY}
    assert text.isascii()
    assert not re.search("[<>&]", text)


def test_equal_arguments_give_an_equal_page() -> None:
    assert page("t", "<p>b</p>", script="1", data=[1]) == page("t", "<p>b</p>", script="1", data=[1])


def test_a_page_names_no_address() -> None:
    text = page("t", "", script="1", style="p { margin: 0; }")
    assert re.findall(r'(?:src|href|srcset|action)="([^"]*)"', text) == ["data:,"]
    assert not re.search(r"url\(|@import|https?:", text)


def test_the_title_is_text() -> None:
    assert "<title>&lt;b&gt;</title>" in page("<b>", "")


def test_the_script_runs_and_reads_its_data(tmp_path: Path) -> None:
    text = page("t", '<p id="at"></p>', script=SHOWS, data={"name": NASTY})
    shown = dump(written(tmp_path, text), "spot")
    assert "&lt;/script&gt;&lt;img" in shown
    assert "#spot</p>" in shown


def test_the_browser_refuses_what_is_not_ours(tmp_path: Path) -> None:
    text = page("t", "<p>b</p><script>document.title = 'taken over'</script>", script="1")
    with pytest.raises(PageError, match="Content Security Policy"):
        dump(written(tmp_path, text))


def test_an_error_of_the_script_is_told(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="nowhere is not defined"):
        dump(written(tmp_path, page("t", "", script="nowhere();")))


def test_the_scheme_is_the_reader_s(tmp_path: Path) -> None:
    script = 'document.title = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";'
    path = written(tmp_path, page("t", "", script=script))
    assert "<title>light</title>" in dump(path)
    assert "<title>dark</title>" in dump(path, dark=True)
