"""The upload page in headless Chromium: somebody signs up, uploads a RAW, a HEIC and a JPEG, and sees them appear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from examples.galerly.local import samples
from examples.galerly.local.stack import Stack
from examples.galerly.tests.asking import PASSWORD, Somebody
from tests.report.chromium import PageError, Tab, opened

DRAWN = "[...document.querySelectorAll('#grid img')].filter(image => image.complete && image.naturalWidth)"


@pytest.fixture(scope="session")
def pictures(built: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return samples.write(built, tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def page(stack: Stack) -> Iterator[Tab]:
    """The page, at which somebody has just signed up."""
    with opened(stack.page) as tab:
        signed_up(tab, stack)
        yield tab


def signed_up(tab: Tab, stack: Stack) -> str:
    email = Somebody(stack).email
    tab.until("!document.querySelector('#sign').hidden")
    tab.click("#email")
    tab.type(email)
    tab.click("#password")
    tab.type(PASSWORD)
    tab.click("#sign-up")
    tab.until("!document.querySelector('#own').hidden && document.querySelector('#galleries').value")
    return email


def tiles(tab: Tab) -> dict[str, Any]:
    """The tiles' classes by the photos' names."""
    told = tab.value("[...document.querySelectorAll('#grid li')].map(tile => [tile.dataset.name, tile.className])")
    return dict(told)


@pytest.mark.parametrize("telephone", [False, True], ids=["desktop", "telephone"])
def test_photos_appear(stack: Stack, pictures: list[Path], tmp_path: Path, telephone: bool) -> None:
    with opened(stack.page) as tab:
        if telephone:
            tab.telephone()
        email = signed_up(tab, stack)
        assert tab.value("document.querySelector('#who').textContent") == email
        tab.choose("#files", *pictures)
        tab.until("document.querySelectorAll('#grid li.ready').length === 3", 60)
        assert tiles(tab) == dict.fromkeys((path.name for path in pictures), "ready")
        tab.until(f"{DRAWN}.length === 3")
        # The JPEG lies on its side: its EXIF says how to hold it
        shapes = tab.value(f"{DRAWN}.map(image => [image.alt, image.naturalWidth > image.naturalHeight])")
        assert dict(shapes) == {path.name: True for path in pictures}
        assert not tab.value("document.documentElement.scrollWidth > innerWidth"), "the page is wider than its window"
        tab.picture(tmp_path / "grid.png")

        tab.click("#grid li[data-name='raw.dng'] button")
        tab.until("document.querySelector('#large').open && document.querySelector('#large-image').naturalWidth > 300")
        original = httpx.get(tab.value("document.querySelector('#original').href"), trust_env=False)
        assert original.content == pictures[2].read_bytes()
        assert "raw.dng" in original.headers["content-disposition"]
        tab.click("#delete")
        tab.until("document.querySelector('#delete').textContent === 'Delete for ever?'")
        assert len(tiles(tab)) == 3
        tab.click("#close")
        tab.click("#grid li[data-name='raw.dng'] button")
        tab.until("document.querySelector('#large').open && document.querySelector('#large-image').naturalWidth > 300")
        assert tab.value("document.querySelector('#delete').textContent") == "Delete"
        tab.click("#delete")
        tab.until("document.querySelector('#delete').textContent === 'Delete for ever?'")
        tab.click("#delete")
        tab.until("document.querySelectorAll('#grid li').length === 2 && !document.querySelector('#large').open")
        assert sorted(tiles(tab)) == ["evening.heic", "hills.jpg"]

        # What was signed in stays so, and what was deleted away
        tab.reload()
        tab.until(f"{DRAWN}.length === 2")


def test_what_is_no_picture_is_refused_on_its_tile(page: Tab, tmp_path: Path) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("these are no pixels")
    page.choose("#files", text)
    said = page.until("document.querySelector('#grid li.refused .state')?.textContent")
    assert "no picture" in said
    page.click("#grid li.refused button.plain")
    page.until("document.querySelectorAll('#grid li').length === 0 && !document.querySelector('#empty').hidden")


@pytest.mark.parametrize("telephone", [False, True], ids=["desktop", "telephone"])
def test_why_a_photo_is_refused_can_be_read(page: Tab, tmp_path: Path, telephone: bool) -> None:
    if telephone:
        page.telephone()
    (tmp_path / "notes.jpg").write_text("these are no pixels")
    page.choose("#files", tmp_path / "notes.jpg")
    page.until("document.querySelector('#grid li.refused')")
    # The reason, the file's name and the button lie beside each other, and what is too long can be scrolled to
    boxes = "['.plain', '.state', '.name'].map(one => document.querySelector('#grid li.refused ' + one)"
    tops = page.value(f"{boxes}.getBoundingClientRect()).map(box => [box.top, box.bottom])")
    assert all(one[1] <= other[0] + 1 for one, other in pairwise(tops)), tops
    reason = "document.querySelector('#grid li.refused .state')"
    page.value(f"({reason}.scrollTop = 9999, 1)")
    assert page.value(f"{reason}.scrollTop + {reason}.clientHeight >= {reason}.scrollHeight - 1")


def test_what_goes_wrong_while_a_photo_is_shown_is_seen(page: Tab, pictures: list[Path]) -> None:
    page.choose("#files", pictures[0])
    page.until("document.querySelector('#grid li.ready')", 60)
    page.click("#grid li button")
    page.until("document.querySelector('#large').open")
    page.value("(session.token = 'another', 1)")
    page.click("#delete")
    page.until("document.querySelector('#delete').classList.contains('sure')")
    page.click("#delete")
    with pytest.raises(PageError, match="401"):  # the browser's own line
        page.until("!document.querySelector('#say').hidden")
    page.forget()
    middle = "(box => document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2))"
    assert page.value(f"{middle}(document.querySelector('#say').getBoundingClientRect()).id") == "say"


def test_an_empty_file_and_a_name_in_any_letters(page: Tab, pictures: list[Path], tmp_path: Path) -> None:
    name = "Été à Málaga 日本.jpg"
    (tmp_path / name).write_bytes(pictures[0].read_bytes())
    page.choose("#files", tmp_path / name)
    page.until("document.querySelector('#grid li.ready')", 60)
    (tmp_path / "nothing.jpg").touch()
    page.choose("#files", tmp_path / "nothing.jpg")
    with pytest.raises(PageError, match="422"):  # the browser's own line
        page.until("document.querySelector('#grid li.refused')")
    page.forget()
    assert page.value("document.querySelector('#grid li.refused .state').textContent") == "the file is empty"
    page.reload()
    page.until("document.querySelector('#grid li.ready')")
    assert tiles(page) == {name: "ready"}


def test_a_name_is_text_and_never_markup(page: Tab, tmp_path: Path) -> None:
    page.click("#new")
    page.type("<img src=x onerror=alert(1)>")
    page.key("Enter")
    page.click("#naming button")
    page.until("document.querySelector('#galleries').selectedOptions[0].text.startsWith('<img')")
    assert page.value("document.images.length") == 1  # the empty one of the large view
    (tmp_path / "<b>.jpg").write_bytes(b"no pixels")
    page.choose("#files", tmp_path / "<b>.jpg")
    page.until("document.querySelector('#grid li.refused')")
    assert page.value("document.querySelectorAll('#grid b').length") == 0


def test_whoever_has_the_link_sees_the_gallery(stack: Stack, pictures: list[Path]) -> None:
    ann = Somebody(stack).sign_up()
    gallery = ann.gallery("Evenings")
    ann.upload(gallery, "hills.jpg", pictures[0].read_bytes())
    with opened(stack.page) as tab:
        tab.until("document.querySelector('#sign') && !document.querySelector('#sign').hidden")
        token = ann.client.headers["authorization"].removeprefix("Bearer ")
        session = json.dumps(json.dumps({"token": token, "expires": 9_999_999_999}))
        tab.value(f"(localStorage.setItem('galerly.session', {session}), 1)")
        tab.reload()
        tab.until(f"{DRAWN}.length === 1", 60)
        tab.click("#share")
        said = tab.until("/http\\S+$/.exec(document.querySelector('#say').textContent)?.[0]")
    with opened(said) as tab:
        tab.until(f"{DRAWN}.length === 1")
        assert tab.value("document.querySelector('#shared-title').textContent") == "Evenings"
        assert tab.value("document.querySelector('#own').hidden && document.querySelector('#sign').hidden")
        tab.click("#grid li button")
        tab.until("document.querySelector('#large-image').naturalWidth > 300")
        assert tab.value("document.querySelector('#original').hidden && document.querySelector('#delete').hidden")


def test_the_plan_is_bought(page: Tab) -> None:
    page.click("#upgrade")
    page.until("document.title === 'Checkout' && document.querySelector('button')")
    page.click("button")
    page.until("document.querySelector('#who')?.textContent.endsWith('Pro')")
    assert page.value("document.querySelector('#upgrade').hidden")


def test_a_wrong_password_is_said(stack: Stack) -> None:
    with opened(stack.page) as tab:
        tab.until("!document.querySelector('#sign').hidden")
        for field, text in (("#email", Somebody(stack).email), ("#password", "not the password")):
            tab.click(field)
            tab.type(text)
        tab.click("#sign-in")
        with pytest.raises(PageError, match="401"):  # the browser's own line; the page's is below
            tab.until("!document.querySelector('#say').hidden")
        tab.forget()
        assert tab.value("document.querySelector('#say').textContent") == "address or password is wrong"
        assert tab.value("document.querySelector('#sign').hidden") is False
