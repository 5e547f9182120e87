"""Photos: uploads that go to S3 past this function, and pages of what became of them."""

from __future__ import annotations

import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from galerly import places
from galerly.api import bucket, table
from galerly.api.galleries import owned
from galerly.api.http import Answer, RefusedError, Request, Routes
from galerly.api.settings import settings

routes = Routes()


@routes("POST", "/v1/galleries/{gallery}/photos")
def upload(request: Request) -> Answer:
    """A form that takes one file of at most so many bytes under one key; the photo is listed as "waiting"."""
    owned(request)
    gallery, name = request.names["gallery"], _file_name(request.text("name", 200))
    size = request.number("bytes", 0, 1 << 40, 1)
    if not size:
        raise RefusedError(422, "the file is empty")
    account = table.get(f"USER#{request.user}", "ACCOUNT") or {}
    most = settings().pro_bytes if account.get("plan") == "pro" else settings().free_bytes
    if size > most:
        raise RefusedError(413, f"the photo has more than {most} bytes, the most of this account's plan")
    # Photos are listed by this name: later ones sort behind earlier ones
    photo = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
    key = places.upload(request.user, gallery, photo, _plain(name))
    form = bucket.form(key, most)
    table.create(
        {
            "pk": f"GALLERY#{gallery}",
            "sk": f"PHOTO#{photo}",
            "key": key,
            "name": name,
            "state": "waiting",
            "created": table.now(),
        }
    )
    return Answer(201, {"photo": photo, "key": key, "bytes": most, "upload": form})


@routes("GET", "/v1/galleries/{gallery}/photos")
def everything(request: Request) -> Answer:
    owned(request)
    return Answer(200, listing(request, request.names["gallery"], originals=True))


@routes("GET", "/v1/galleries/{gallery}/photos/{photo}")
def one(request: Request) -> Answer:
    return Answer(200, _shown(_settled(_photo(request)), originals=True))


@routes("DELETE", "/v1/galleries/{gallery}/photos/{photo}")
def delete(request: Request) -> Answer:
    """The original, its renditions, and only then the note that they are there: what fails half-way can be repeated."""
    item = _photo(request)
    bucket.delete([item["key"], *bucket.below(places.renditions(item["key"]))])
    table.delete(item["pk"], item["sk"])
    return Answer(204, None)


def listing(request: Request, gallery: str, *, originals: bool) -> dict[str, Any]:
    """A page of a gallery's photos, the newest first; without `originals` those alone that can be seen."""
    limit = request.number("limit", 1, 100, 30)
    page = table.page(f"GALLERY#{gallery}", "PHOTO#", limit, request.query.get("cursor", ""))
    # Each photo that waits costs a question to S3
    with ThreadPoolExecutor(8) as pool:
        items = [item for item in pool.map(_settled, page.items) if originals or item["state"] == "ready"]
    return {"photos": [_shown(item, originals=originals) for item in items], "cursor": page.cursor}


def _photo(request: Request) -> table.Item:
    owned(request)
    item = table.get(f"GALLERY#{request.names['gallery']}", f"PHOTO#{request.names['photo']}")
    if item is None:
        raise RefusedError(404, "no such photo")
    return item


def _settled(item: table.Item) -> table.Item:
    """The photo, with what the processor has made of it by now: it writes to the bucket alone."""
    if item["state"] != "waiting":
        return item
    there = set(bucket.below(places.renditions(item["key"])))
    if {places.rendition(item["key"], size) for size in places.SIZES} <= there:
        news = {"state": "ready"}
    elif places.refusal(item["key"]) in there:
        news = {"state": "refused", "reason": bucket.reason(places.refusal(item["key"]))}
    else:
        return item
    table.change(item["pk"], item["sk"], **news)
    return {**item, **news}


def _shown(item: table.Item, *, originals: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "photo": item["sk"].removeprefix("PHOTO#"),
        "name": item["name"],
        "state": item["state"],
        "created": int(item["created"]),
    }
    if item["state"] == "refused":
        shown["reason"] = item["reason"]
    if item["state"] == "ready":
        shown |= {size: bucket.link(places.rendition(item["key"], size)) for size in places.SIZES}
    if originals and item["state"] == "ready":
        shown["original"] = bucket.link(item["key"], name=item["name"])
    return shown


def _file_name(given: str) -> str:
    """The last part of a path, as its owner wrote it.  Raises RefusedError."""
    name = re.split(r"[/\\]", given)[-1].strip()
    if not name.strip(". "):
        raise RefusedError(422, "name is no name of a file")
    return name


def _plain(name: str) -> str:
    """What is safe in a key, a header and a shell: plain letters."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-100:].strip("-.") or "photo"
