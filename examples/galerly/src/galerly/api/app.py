"""The function: API Gateway's events in (payload 2.0), answers out.  Each module has the routes of its subject."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import stripe
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from galerly.api import auth, billing, galleries, photos, shares
from galerly.api.http import Answer, RefusedError, Request, Routes, found, read

log = logging.getLogger("galerly")
log.setLevel(logging.INFO)

routes = Routes()


@routes("GET", "/health", anybody=True)
def health(_request: Request) -> Answer:
    return Answer(200, {"status": "ok"})


ROUTES = [route for room in (routes, auth.routes, galleries.routes, photos.routes, shares.routes, billing.routes)
          for route in room.routes]  # fmt: skip


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    try:
        request = read(event)
        route, names = found(ROUTES, request)
        user = "" if route.anybody else auth.user(request)
        return route.handler(replace(request, names=names, user=user)).event()
    except RefusedError as refused:
        return Answer(refused.status, {"detail": str(refused)}).event(refused.headers)
    except stripe.StripeError as error:
        log.error("Stripe: %s: %s", type(error).__name__, error)
        return Answer(502, {"detail": f"Stripe: {type(error).__name__}"}).event()
    except (BotoCoreError, ClientError) as error:
        # AWS's words name tables and roles, which are the log's
        log.exception("AWS: %s", type(error).__name__)
        return Answer(502, {"detail": "a service behind this one failed; try again"}).event()
