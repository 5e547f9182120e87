"""Links that show a gallery to whoever has them, until they expire or are withdrawn."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from galerly.api import table
from galerly.api.galleries import owned
from galerly.api.http import Answer, RefusedError, Request, Routes
from galerly.api.photos import listing

routes = Routes()

DAY = 86_400


@routes("POST", "/v1/galleries/{gallery}/shares")
def share(request: Request) -> Answer:
    """A link's token; it is told once, the table has its digest."""
    owned(request)
    days = request.number("days", 1, 365, 30)
    name, secret = secrets.token_hex(6), secrets.token_urlsafe(24)
    gallery, expires = request.names["gallery"], table.now() + days * DAY
    table.create(
        {
            "pk": f"GALLERY#{gallery}",
            "sk": f"SHARE#{name}",
            "owner": request.user,
            "digest": _digest(secret),
            "expires": expires,
        }
    )
    return Answer(201, {"share": name, "token": f"{gallery}.{name}.{secret}", "expires": expires})


@routes("GET", "/v1/galleries/{gallery}/shares")
def shares(request: Request) -> Answer:
    owned(request)
    page = table.page(
        f"GALLERY#{request.names['gallery']}", "SHARE#", request.number("limit", 1, 100, 50),
        request.query.get("cursor", ""),
    )  # fmt: skip
    valid = [item for item in page.items if item["expires"] > table.now()]
    shown = [{"share": item["sk"].removeprefix("SHARE#"), "expires": int(item["expires"])} for item in valid]
    return Answer(200, {"shares": shown, "cursor": page.cursor})


@routes("DELETE", "/v1/galleries/{gallery}/shares/{share}")
def withdraw(request: Request) -> Answer:
    owned(request)
    if not table.delete(f"GALLERY#{request.names['gallery']}", f"SHARE#{request.names['share']}"):
        raise RefusedError(404, "no such link")
    return Answer(204, None)


@routes("GET", "/v1/shared/{token}", anybody=True)
def shared(request: Request) -> Answer:
    """The gallery behind a link: its renditions, which say nothing of the place; no originals."""
    gallery, name, secret = [*request.names["token"].split("."), "", ""][:3]
    item = table.get(f"GALLERY#{gallery}", f"SHARE#{name}")
    known = item is not None and hmac.compare_digest(item["digest"], _digest(secret))
    found = table.get(f"USER#{item['owner']}", f"GALLERY#{gallery}") if item is not None and known else None
    if item is None or found is None:
        raise RefusedError(404, "no such link, or it has expired")
    shown = {"title": found["title"], "expires": int(item["expires"])}
    return Answer(200, {**shown, **listing(request, gallery, originals=False)})


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
