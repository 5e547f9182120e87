"""The site as a browser has it: links, other hosts, width."""

from __future__ import annotations

import posixpath
import re
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from tests.report.chromium import opened

from lamella.cli.app import COMMANDS

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("docs")]

LOADS = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "object": "data"}
WIDE_AND_NARROW = ((1280, 900), (400, 800))
SEEN = (
    "index",
    "first-layer",
    "concepts/bytes",
    "concepts/rollout",
    "commands/doctor",
    "troubleshooting/index",
    "troubleshooting/old-glibc",
    "reference/configuration",
    "migrating/index",
    "benchmark",
    "emulator",
)

# By how many pixels a page is wider than a window of this size.  A browser has no window as narrow as a telephone's
_OVERHANG = """
async (place, width, height) => {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: place, width, height });
  const loaded = new Promise((done) => (frame.onload = done));
  document.body.replaceChildren(frame);
  await loaded;
  const root = frame.contentDocument.documentElement;
  return root.scrollWidth - root.clientWidth;
}
"""
# The page listens once its script and its index are there, which is after it was loaded: so it is told again
_FIRST_FOUND = """
new Promise((done) => {
  const input = document.querySelector(".md-search__input");
  const look = () => {
    const first = document.querySelector(".md-search-result__item a");
    if (first) return done(first.href);
    for (const kind of ["focus", "input", "keyup"]) input.dispatchEvent(new Event(kind, { bubbles: true }));
    setTimeout(look, 200);
  };
  look();
})
"""


class Page(NamedTuple):
    names: set[str]
    links: list[str]
    loads: list[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page(set(), [], [])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.names.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        if given.get(LOADS.get(tag, ""), "") and given.get("rel") not in ("canonical", "next", "prev"):
            self.page.loads.append(given[LOADS[tag]])


@pytest.fixture(scope="module")
def read(site: Path) -> dict[str, Page]:
    pages = {}
    for path in sorted(site.rglob("*.html")):
        reader = _Reader()
        reader.feed(path.read_text())
        pages[path.relative_to(site).as_posix()] = reader.page
    return pages


def test_every_link_and_anchor_leads_somewhere(read: dict[str, Page], site: Path) -> None:
    assert {f"commands/{name}.html" for name in COMMANDS} <= set(read)
    for place, page in read.items():
        if place == "404.html":  # its links begin with a slash, for it is shown anywhere
            continue
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.startswith("data:"):
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(parts.path)))
            target = place if not parts.path else target
            target = target if not (site / target).is_dir() else posixpath.join(target, "index.html")
            assert (site / target).is_file(), (place, link)
            if parts.fragment and target in read:
                assert unquote(parts.fragment) in read[target].names, (place, link)


def test_nothing_comes_from_another_host(read: dict[str, Page], site: Path) -> None:
    for place, page in read.items():
        foreign = [load for load in page.loads if urlsplit(load).netloc]
        assert not foreign, place
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", sheet.read_text()), sheet.name
    for picture in site.rglob("*.svg"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", picture.read_text()), picture.name


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site, served on loopback, with a page of nothing: /blank.html."""
    (site / "blank.html").write_text('<!doctype html><link rel="icon" href="data:,"><body></body>')
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("size", WIDE_AND_NARROW, ids=["desktop", "telephone"])
def test_pages_are_as_wide_as_the_window(address: str, size: tuple[int, int]) -> None:
    """And the browser's console stays empty: nothing fails, nothing is asked of another host."""
    with opened(f"{address}/blank.html") as tab:
        for place in SEEN:
            assert tab.value(f"({_OVERHANG})('/{place}.html', {size[0]}, {size[1]})") == 0, place


def test_search_finds(address: str) -> None:
    with opened(f"{address}/index.html") as tab:
        tab.click(".md-search__input")
        tab.type("dist-info")
        found = tab.value(_FIRST_FOUND)
        assert ".html" in found
