"""Galleries: a title, and photos below it."""

from __future__ import annotations

import secrets

from galerly.api import table
from galerly.api.http import Answer, RefusedError, Request, Routes

routes = Routes()


@routes("POST", "/v1/galleries")
def create(request: Request) -> Answer:
    gallery = secrets.token_hex(8)
    item = {"title": request.text("title", 120), "created": table.now()}
    table.create({"pk": f"USER#{request.user}", "sk": f"GALLERY#{gallery}", **item})
    return Answer(201, {"gallery": gallery, **item})


@routes("GET", "/v1/galleries")
def everything(request: Request) -> Answer:
    limit = request.number("limit", 1, 100, 50)
    page = table.page(f"USER#{request.user}", "GALLERY#", limit, request.query.get("cursor", ""))
    return Answer(200, {"galleries": [_shown(item) for item in page.items], "cursor": page.cursor})


@routes("GET", "/v1/galleries/{gallery}")
def one(request: Request) -> Answer:
    return Answer(200, _shown(owned(request)))


@routes("PATCH", "/v1/galleries/{gallery}")
def rename(request: Request) -> Answer:
    item, title = owned(request), request.text("title", 120)
    table.change(item["pk"], item["sk"], title=title)
    return Answer(200, _shown({**item, "title": title}))


@routes("DELETE", "/v1/galleries/{gallery}")
def delete(request: Request) -> Answer:
    """An empty one: whoever has thousands of photos deletes them knowingly."""
    item, pk = owned(request), f"GALLERY#{request.names['gallery']}"
    if table.page(pk, "PHOTO#", 1).items:
        raise RefusedError(409, "there are photos in this gallery")
    for share in table.page(pk, "SHARE#", 100).items:
        table.delete(pk, share["sk"])
    table.delete(item["pk"], item["sk"])
    return Answer(204, None)


def owned(request: Request) -> table.Item:
    """The gallery of the path.  Raises RefusedError: another's gallery is as one that is not there."""
    item = table.get(f"USER#{request.user}", f"GALLERY#{request.names['gallery']}")
    if item is None:
        raise RefusedError(404, "no such gallery")
    return item


def _shown(item: table.Item) -> dict[str, object]:
    return {
        "gallery": item["sk"].removeprefix("GALLERY#"),
        "title": item["title"],
        "created": int(item["created"]),
    }
