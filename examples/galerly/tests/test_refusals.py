"""What the image processor refuses, and why: no pictures, halves, polyglots, bombs, and what goes beyond its limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from examples.galerly.tests import pictures as made
from examples.galerly.tests.pictures import Pictures
from examples.galerly.tests.processing import Answered, Processor, processing
from tests.deployed.moto_server import AwsServer


def refused(processor: Processor, name: str, content: bytes) -> Answered:
    """It was refused, within seconds, without a rendition, and the reason lies where the page finds it."""
    answer = processor.process(name, content)
    assert not answer.error, answer
    assert processor.files(name) == ["refused.json"]
    assert json.loads(processor.file(name, "refused.json"))["reason"] == answer.reason
    assert answer.seconds < 15
    assert "Traceback" not in answer.log
    assert " at 0x" not in answer.reason, "a sentence for the photographer"
    return answer


NO_PICTURES = {
    "nothing.jpg": (b"", "empty"),
    "notes.jpg": (b"these are no pixels", "no picture of a kind that is taken"),
    "page.png": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no picture of a kind"),
    "paper.jpg": (b"%PDF-1.7\n", "no picture of a kind"),
    "program.gif": (b"\x7fELF\2\1\1" + bytes(60), "no picture of a kind"),
    "film.heic": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "no picture of a kind"),
    "marker.jpg": (b"\xff\xd8\xff\xd9", "cut off|no picture in it"),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_refused(processor: Processor, name: str) -> None:
    content, reason = NO_PICTURES[name]
    assert any(part in refused(processor, name, content).reason for part in reason.split("|"))


def test_pictures_of_other_kinds_are_refused(processor: Processor, pictures: Pictures) -> None:
    for name in ("plain.tiff", "plain.bmp"):
        assert "no picture of a kind that is taken" in refused(processor, name, pictures[name]).reason


@pytest.mark.parametrize("name", ["turned-1.jpg", "plain.png", "plain.gif", "lossless.webp", "plain.heic"])
def test_half_a_picture_is_refused(processor: Processor, pictures: Pictures, name: str) -> None:
    picture = pictures[name]
    reason = refused(processor, f"half-{name}", picture[: len(picture) // 2]).reason
    assert "cut off" in reason or "damaged" in reason


def test_a_picture_that_is_also_something_else_is_refused(processor: Processor, pictures: Pictures) -> None:
    jpeg, archive = pictures["turned-1.jpg"], made.archive()
    script, page = b"<?php system($_GET['c']);", b"<html><script>alert(1)</script>"
    for name, content, reason in (
        ("archive.jpg", jpeg + archive, "ZIP"),
        ("archive.gif", pictures["plain.gif"] + archive, "ZIP"),
        ("archive.png", pictures["plain.png"] + archive, "ZIP"),
        ("archive.dng", made.dng() + archive, "ZIP"),
        ("paper.jpg", made.commented(jpeg, b"%PDF-1.7\n1 0 obj"), "PDF"),
        ("script.jpg", made.commented(jpeg, script), "script"),
        ("page.jpg", made.commented(jpeg, page.upper()), "script"),
        ("page.png", made.png_of(8, 8, page), "script"),
        ("behind.jpg", jpeg + script, "goes on"),
        ("behind.png", pictures["plain.png"] + b"anything", "goes on"),
        ("behind.gif", pictures["plain.gif"] + page, "goes on"),
        ("behind.webp", pictures["lossless.webp"] + page, "goes on"),
        ("no-entries.jpg", made.commented(jpeg, made.archive(entries=0)), "ZIP"),
        ("long-comment.jpg", made.commented(jpeg, made.archive(comment=65_535)), "ZIP"),
        ("box.heic", made.boxed(pictures["plain.heic"], made.archive(entries=0)), "ZIP"),
        ("second.jpg", jpeg + b"\xff\xd8\xff" + bytes(2000) + script, "goes on"),
        ("rar.jpg", jpeg + b"\xff\xd8\xffRar!\x1a\x07\1\0", "RAR"),
        ("7z.dng", made.dng() + b"7z\xbc\xaf\x27\x1c\0\4", "7z"),
        ("script.dng", made.dng() + script, "script"),
        ("script.cr2", made.of_maker("CR2", jpeg) + script, "script"),
        ("page.heic", made.boxed(pictures["plain.heic"], page), "script"),
        ("chunk.png", made.png_of(8, 8, page, b"prVt"), "script"),
        ("chunk.webp", made.riffed(pictures["lossless.webp"], b"prVt", page), "script"),
        ("text.gif", pictures["plain.gif"][:-1] + b"\x21\x01\x0c" + bytes(12) + b"\x1f" + page + b"\0;", "script"),
        ("behind.heic", pictures["plain.heic"] + page, "cut off|goes on|damaged"),
    ):
        assert any(part in refused(processor, name, content).reason for part in reason.split("|")), name


def test_a_bomb_is_refused_by_its_header(processor: Processor, pictures: Pictures) -> None:
    bomb = made.png_of(30_000, 30_000)
    assert len(bomb) < 200_000
    assert "30000 x 30000 pixels" in refused(processor, "bomb.png", bomb).reason
    jpeg = bytearray(pictures["turned-1.jpg"])
    header = jpeg.index(b"\xff\xc0")
    jpeg[header + 5 : header + 9] = b"\xff\xdc\xff\xdc"
    assert "65500 x 65500 pixels" in refused(processor, "bomb.jpg", bytes(jpeg)).reason
    gif = bytearray(pictures["plain.gif"])
    gif[6:10] = b"\xff\xff\xff\xff"
    assert "65535 x 65535 pixels" in refused(processor, "bomb.gif", bytes(gif)).reason
    heic = bytearray(pictures["plain.heic"])
    space = heic.index(b"ispe") + 8
    heic[space : space + 8] = b"\0\1\0\0" * 2
    assert "65536 x 65536 pixels" in refused(processor, "bomb.heic", bytes(heic)).reason
    assert "60000 x 60000 pixels" in refused(processor, "bomb.dng", made.dng(tags={256: 60_000, 257: 60_000})).reason


def test_limits_of_bytes_seconds_and_memory(built: Path, aws: AwsServer, pictures: Pictures) -> None:
    with processing(built, aws, GALERLY_MAX_BYTES="100000") as small:
        assert "more than 0.1 MB" in refused(small, "heavy.dng", made.dng()).reason
        assert small.process("light.jpg", pictures["progressive.jpg"]).made
    with processing(built, aws, GALERLY_MAX_SECONDS="0.02") as quick:
        answer = refused(quick, "slow.dng", made.dng(4000, 3000))
        assert "longer than" in answer.reason
    with processing(built, aws, GALERLY_MAX_PIXELS="400000000", GALERLY_MAX_MEMORY="150000000") as poor:
        answer = refused(poor, "hungry.png", made.png_of(16_000, 16_000))
        assert "memory" in answer.reason
        assert poor.process("modest.jpg", pictures["progressive.jpg"]).made, "the function itself lives on"
