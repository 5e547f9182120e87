"""The image processor by its built zip and layer: what it reads, and what it makes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from examples.galerly.tests import pictures as made
from examples.galerly.tests.pictures import CORNERS, Pictures
from examples.galerly.tests.processing import BUCKET, FOLDER, Processor, processing
from tests.deployed.moto_server import AwsServer

SIZES = {"large.jpg": 2560, "medium.jpg": 1280, "thumbnail.jpg": 512}
ALL = sorted([*SIZES, "photo.json"])
PROJECT = Path(__file__).parents[1]


def near(colours: list[list[int]], wanted: tuple[tuple[int, ...], ...] = CORNERS, by: int = 25) -> bool:
    return all(
        abs(a - b) <= by for one, other in zip(colours, wanted, strict=True) for a, b in zip(one, other, strict=True)
    )


def details(processor: Processor, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(processor.file(name, "photo.json"))
    return told


STANDARD = ["turned-1.jpg", "progressive.jpg", "plain.png", "palette.png", "through.png", "plain.gif", "film.gif",
            "lossless.webp", "plain.heic", "cmyk.jpg", "broken-profile.jpg"]  # fmt: skip


@pytest.mark.parametrize("name", STANDARD)
def test_a_picture_becomes_three(processor: Processor, pictures: Pictures, name: str) -> None:
    answer = processor.process(name, pictures[name])
    assert answer.made == [FOLDER + name], answer
    assert processor.files(name) == ALL
    seen = pictures.seen(processor.file(name, "medium.jpg"))
    assert (seen["format"], seen["size"], seen["profile"]) == ("JPEG", [640, 480], True)
    assert near(seen["corners"], by=40 if name.startswith("cmyk") else 25), seen
    kind = {"jpg": "JPEG", "heic": "HEIF"}.get(name.split(".")[1], name.split(".")[1].upper())
    told = details(processor, name)
    assert (told["format"], told["how"], told["width"], told["height"]) == (kind, "decoded", 640, 480)


def test_no_rendition_is_larger_than_it_may_be(processor: Processor, pictures: Pictures) -> None:
    processor.process("large.jpg", pictures["large.jpg"])
    for file, longest in SIZES.items():
        assert pictures.seen(processor.file("large.jpg", file))["size"] == [longest, longest * 3 // 4]
    assert details(processor, "large.jpg")["width"] == 4000


def test_sixteen_bits_of_grey(processor: Processor, pictures: Pictures) -> None:
    for name in ("sixteen.png", "grey.jpg"):
        assert processor.process(name, pictures[name]).made
        greys = [round(0.299 * red + 0.587 * green + 0.114 * blue) for red, green, blue in CORNERS]
        assert near(
            pictures.seen(processor.file(name, "large.jpg"))["corners"], tuple((grey,) * 3 for grey in greys), 8
        )


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_stand_upright(processor: Processor, pictures: Pictures, turn: int) -> None:
    """EXIF's orientation tells where the upper left corner of what is stored belongs."""
    name = f"turned-{turn}.jpg"
    processor.process(name, pictures[name])
    seen = pictures.seen(processor.file(name, "large.jpg"))
    red, green, white, blue = CORNERS
    wanted = {
        1: (red, green, white, blue), 2: (green, red, blue, white), 3: (white, blue, red, green),
        4: (blue, white, green, red), 5: (red, blue, white, green), 6: (blue, red, green, white),
        7: (white, green, red, blue), 8: (green, white, blue, red),
    }  # fmt: skip
    assert near(seen["corners"], wanted[turn])
    assert seen["size"] == ([480, 640] if turn >= 5 else [640, 480])
    assert "274" not in seen["exif"], "or it would be turned once more"
    assert details(processor, name)["width"] == seen["size"][0]


def test_heic_and_webp_stand_upright(processor: Processor, pictures: Pictures) -> None:
    red, green, white, blue = CORNERS
    for name in ("turned-6.heic", "plain.webp", "turned-6.png"):
        assert processor.process(name, pictures[name]).made
        seen = pictures.seen(processor.file(name, "large.jpg"))
        assert seen["size"] == [480, 640]
        assert near(seen["corners"], (blue, red, green, white))


@pytest.mark.parametrize("name", ["swapped.jpg", "swapped.png"])
def test_colours_are_those_of_the_profile(processor: Processor, pictures: Pictures, name: str) -> None:
    """In this profile red is green: a rendition that ignores it shows the wrong corner red."""
    processor.process(name, pictures[name])
    first, second, *_ = pictures.seen(processor.file(name, "large.jpg"))["corners"]
    assert first[1] > 150 > 100 > first[0]
    assert second[0] > 120 > 100 > second[1]


@pytest.mark.parametrize("name", ["xmp.jpg", "turned-1.jpg", "plain.webp", "plain.heic", "plain.png"])
def test_renditions_say_what_the_camera_says_and_not_where(processor: Processor, pictures: Pictures, name: str) -> None:
    assert pictures.seen(pictures[name])["gps"], "the original tells it"
    processor.process(name, pictures[name])
    for file in SIZES:
        content = processor.file(name, file)
        seen = pictures.seen(content)
        assert (seen["gps"], seen["info"]) == (0, [])
        assert b"47,22N" not in content
        assert b"serial" not in content
        assert b"note" not in content
        assert seen["exif"] | {"271": "Lamella", "272": "Lamella One", "315": "Somebody"} == seen["exif"]
        assert seen["detail"]["36867"] == "2026:05:17 10:20:30"
        assert seen["detail"]["34855"] == "400"
    told = details(processor, name)
    assert (told["camera"], told["taken"]) == ("Lamella One", "2026:05:17 10:20:30")
    original = processor.s3.get_object(Bucket=BUCKET, Key=FOLDER + name)["Body"].read()
    assert original == pictures[name], "the original keeps all of it"


@pytest.mark.parametrize("turn", [1, 6])
def test_a_dng_is_developed_from_its_sensor(processor: Processor, pictures: Pictures, turn: int) -> None:
    name = f"sensor-{turn}.dng"
    assert processor.process(name, made.dng(turn=turn)).made
    told = details(processor, name)
    wide, high = (640, 480) if turn == 1 else (480, 640)
    assert (told["format"], told["how"], told["width"], told["height"]) == ("DNG", "developed", wide, high)
    assert (told["camera"], told["taken"]) == ("Lamella One", "2026:05:17 10:20:30")
    content = processor.file(name, "large.jpg")
    seen = pictures.seen(content)
    assert seen["size"] == [wide, high]
    red, green, white, blue = (tuple(corner) for corner in seen["corners"])
    if turn == 6:
        blue, red, green, white = red, green, white, blue
    assert red[0] > 2 * red[1]
    assert red[0] > 2 * red[2]
    assert green[1] > green[0] + 50
    assert green[1] > green[2] + 50
    assert blue[2] > 2 * blue[0]
    assert min(white) > 180
    assert seen["gps"] == 0
    assert b"47,22N" not in content


def test_a_sensor_without_colours(processor: Processor, pictures: Pictures) -> None:
    assert processor.process("grey.dng", made.dng(tags={262: 34892})).made
    assert details(processor, "grey.dng")["how"] == "developed"
    for red, green, blue in pictures.seen(processor.file("grey.dng", "large.jpg"))["corners"]:
        assert max(red, green, blue) - min(red, green, blue) < 12


def test_a_large_dng_is_developed_at_half_its_size(processor: Processor, pictures: Pictures) -> None:
    assert processor.process("large.dng", made.dng(5200, 1000)).made
    assert pictures.seen(processor.file("large.dng", "large.jpg"))["size"] == [2560, 492]
    assert details(processor, "large.dng")["width"] == 5200


@pytest.mark.parametrize("turn", [1, 6])
def test_a_dng_that_can_not_be_developed_shows_its_preview(processor: Processor, pictures: Pictures, turn: int) -> None:
    picture = made.dng(turn=turn, preview=pictures["progressive.jpg"], tags={259: 60_000})
    assert processor.process("strange.dng", picture).made
    told = details(processor, "strange.dng")
    assert (told["format"], told["how"]) == ("DNG", "preview")
    red, green, white, blue = CORNERS
    seen = pictures.seen(processor.file("strange.dng", "large.jpg"))
    assert near(seen["corners"], CORNERS if turn == 1 else (blue, red, green, white))
    assert (told["width"], told["height"]) == ((640, 480) if turn == 1 else (480, 640))


def test_a_dng_without_preview_that_can_not_be_developed_is_refused(processor: Processor) -> None:
    answer = processor.process("strange.dng", made.dng(tags={259: 60_000}))
    assert "can't be developed" in answer.reason
    assert "no preview" in answer.reason
    assert processor.files("strange.dng") == ["refused.json"], "nothing of what lay there before"


@pytest.mark.parametrize("kind", ["NEF", "ARW", "PEF", "3FR", "CR2", "CR3", "ORF", "RW2", "RAF"])
def test_a_raw_is_known_by_its_makers_marks_and_shows_its_preview(
    processor: Processor, pictures: Pictures, kind: str
) -> None:
    """No camera made these files: they prove that the format is known and the preview found, and no more."""
    name = f"of-a-maker.{kind.lower()}"
    answer = processor.process(name, made.of_maker(kind, pictures["progressive.jpg"]))
    assert answer.made, answer
    told = details(processor, name)
    assert (told["format"], told["how"]) == (kind, "preview")
    assert near(pictures.seen(processor.file(name, "large.jpg"))["corners"])


def test_the_content_decides_and_not_the_name(processor: Processor, pictures: Pictures) -> None:
    assert processor.process("really-a-png.jpg", pictures["plain.png"]).made
    assert details(processor, "really-a-png.jpg")["format"] == "PNG"
    assert processor.process("really-a-dng.heic", made.dng()).made
    assert details(processor, "really-a-dng.heic")["format"] == "DNG"


def test_broken_exif_is_no_reason(processor: Processor, pictures: Pictures) -> None:
    jpeg = pictures["turned-1.jpg"]
    at = jpeg.index(b"Exif\0\0") + 6
    for name, broken in (("magic.jpg", b"XX"), ("offset.jpg", jpeg[at : at + 4] + b"\xff\xff\xff\x7f")):
        assert processor.process(name, jpeg[:at] + broken + jpeg[at + len(broken) :]).made
        assert details(processor, name)["camera"] is None


def test_what_cameras_put_behind_their_jpegs_is_no_reason(processor: Processor, pictures: Pictures) -> None:
    jpeg = pictures["turned-1.jpg"]
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 40
    for name, behind in (("two.jpg", pictures["grey.jpg"]), ("motion.jpg", film), ("padded.jpg", bytes(4096))):
        assert processor.process(name, jpeg + behind).made == [FOLDER + name]


def test_the_same_content_is_worked_on_once(processor: Processor, pictures: Pictures) -> None:
    key, picture = f"{FOLDER}again.jpg", pictures["turned-1.jpg"]
    assert processor.process("again.jpg", picture).made == [key]
    before = processor.s3.head_object(Bucket=BUCKET, Key=f"renditions/{key[8:]}/medium.jpg")["LastModified"]
    assert processor.process("again.jpg", picture).kept == [key]
    assert processor.told(key, key).kept == [key, key]
    assert processor.s3.head_object(Bucket=BUCKET, Key=f"renditions/{key[8:]}/medium.jpg")["LastModified"] == before
    assert processor.process("again.jpg", pictures["turned-6.jpg"]).made == [key], "another content"
    assert processor.process("again.jpg", b"no picture").refused
    assert processor.files("again.jpg") == ["refused.json"]
    assert processor.process("again.jpg", picture).made == [key]
    assert processor.files("again.jpg") == ALL


@pytest.mark.parametrize("lost", sorted(SIZES))
def test_a_rendition_that_was_lost_is_made_again(processor: Processor, pictures: Pictures, lost: str) -> None:
    key, picture = f"{FOLDER}lost.jpg", pictures["progressive.jpg"]
    processor.process("lost.jpg", picture)
    processor.s3.delete_object(Bucket=BUCKET, Key=f"renditions/{key[8:]}/{lost}")
    assert processor.told(key).made == [key]
    assert processor.files("lost.jpg") == ALL
    assert processor.told(key).kept == [key]


def test_several_records_and_names_as_s3_writes_them(processor: Processor, pictures: Pictures) -> None:
    name = "Übung 1 +2 (kopie).jpg"
    processor.s3.put_object(Bucket=BUCKET, Key=FOLDER + name, Body=pictures["progressive.jpg"])
    answer = processor.told(FOLDER + name, f"{FOLDER}gone.jpg", f"renditions/{name}/medium.jpg", FOLDER)
    assert answer.made == [FOLDER + name]
    assert answer.refused == [{"key": f"{FOLDER}gone.jpg", "reason": "the upload is not there any more"}]
    assert processor.files("gone.jpg") == []


def test_without_the_layer_it_says_so_and_serves_what_it_can(built: Path, aws: AwsServer, pictures: Pictures) -> None:
    with processing(built, aws, layers=False) as bare:
        answer = bare.process("bare.jpg", pictures["turned-6.jpg"])
        assert answer.made == [f"{FOLDER}bare.jpg"]
        for name in ("turned-6.jpg", "xmp.jpg", "plain.webp", "plain.png", "turned-6.png", "film.gif"):
            add = {"png": made.chunked, "webp": made.riffed}.get(name.split(".")[1])
            picture = add(pictures[name], b"prVt", b"47,22N") if add else pictures[name]
            assert bare.process(f"bare-{name}", picture).made
            copied = bare.file(f"bare-{name}", "medium.jpg")
            seen = pictures.seen(copied)
            assert (seen["gps"], seen["info"], seen["size"]) == (0, [], [640, 480])
            assert b"47,22N" not in copied
            turned = name in ("turned-6.jpg", "turned-6.png", "plain.webp")
            assert seen["exif"] == ({"274": "6"} if turned else {}), "a browser turns it"
            told = details(bare, f"bare-{name}")
            assert (told["how"], told["width"], told["height"]) == ("copied", *((480, 640) if turned else (640, 480)))
            assert near(seen["corners"])
        assert "PDF" in bare.process("bare-paper.jpg", made.commented(pictures["turned-1.jpg"], b"%PDF-1.7")).reason
        for name, picture in (("bare.heic", pictures["plain.heic"]), ("bare.dng", made.dng())):
            answer = bare.process(name, picture)
            assert answer.error["errorType"] == "LayerMissingError"
            assert "galerly-image-processing" in answer.error["errorMessage"]
            assert bare.files(name) == [], "no verdict: it waits for the layer"
    with processing(built, aws) as whole:
        assert whole.told(f"{FOLDER}bare.jpg", f"{FOLDER}bare.dng").made == [f"{FOLDER}bare.jpg", f"{FOLDER}bare.dng"]


READY = [f"{name} imported successfully" for name in ("rawpy", "Pillow", "pillow-heif")]


def test_what_it_says_at_its_start(built: Path, aws: AwsServer) -> None:
    """The rollout's smoke checks look for it."""
    for layers in (True, False):
        with processing(built, aws, layers=layers) as starting:
            said = starting.said_at_start()
        assert all((line in said) == layers for line in READY), said
        assert ("RAW format support: ENABLED" in said) == layers
        lacking = [line for line in said.splitlines() if "not installed" in line]
        assert len(lacking) == (0 if layers else 1)
        assert layers or "rawpy, Pillow, pillow-heif; attach the layer galerly-image-processing" in lacking[0]


def test_on_python_3_11_too(built: Path, aws: AwsServer, pictures: Pictures) -> None:
    """One layer for both; the wheels differ."""
    with processing(built, aws, runtime="python3.11") as older:
        for name, picture in (
            ("older.dng", made.dng()), ("older.heic", pictures["plain.heic"]), ("older.jpg", pictures["turned-1.jpg"])
        ):  # fmt: skip
            assert older.process(name, picture).made == [FOLDER + name]
        assert details(older, "older.dng")["how"] == "developed"
        assert near(pictures.seen(older.file("older.heic", "large.jpg"))["corners"])


def test_the_readme_tells_of_every_kind_and_of_no_other(processor: Processor) -> None:
    table = re.findall(r"^\| (`\..+?) \|", (PROJECT / "README.md").read_text(), re.MULTILINE)
    told = {extension for row in table for extension in re.findall(r"`\.(\w+)`", row)}
    refused = processor.process("other.xyz", b"no picture").reason
    taken = {kind.lower() for kind in re.findall(r"[A-Z0-9]{3,}", refused.split("RAW formats ")[1])}
    standard = {"jpg", "jpeg", "png", "webp", "gif", "heic", "heif"}
    assert told == taken | standard
    assert all(kind.upper() in refused for kind in standard - {"jpg"})
