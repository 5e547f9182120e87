"""`GET /health`, `POST /v1/uploads`, `GET /v1/prices/{lookup_key}`, as an HTTP API calls them (payload 2.0)."""

from __future__ import annotations

import base64
import json
import os
import re
import uuid
from collections.abc import Mapping
from typing import Any

import boto3
import stripe
from botocore.config import Config

from galerly.api.settings import load

settings = load(os.environ)


class RefusedError(Exception):
    """A request that gets another status than 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def health() -> dict[str, Any]:
    return {"status": "ok"}


def upload(body: Mapping[str, Any]) -> dict[str, Any]:
    """An address that takes one file by PUT, and the key under which it will lie."""
    if not settings.bucket:
        raise RefusedError(503, "GALERLY_BUCKET is not set")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", str(body.get("name", ""))).strip("-.")
    if not name:
        raise RefusedError(422, "name is needed")
    key = f"uploads/{uuid.uuid4()}/{name}"
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    parameters = {"Bucket": settings.bucket, "Key": key}
    url = client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=settings.upload_seconds)
    return {"key": key, "url": url, "expires_in": settings.upload_seconds}


def price(lookup_key: str) -> dict[str, Any]:
    """What a plan costs, in the currency's smallest unit."""
    if not settings.stripe_api_key:
        raise RefusedError(503, "STRIPE_API_KEY is not set")
    found = stripe.Price.list(api_key=settings.stripe_api_key, lookup_keys=[lookup_key], active=True, limit=1).data
    if not found:
        raise RefusedError(404, f"no price {lookup_key}")
    return {"lookup_key": lookup_key, "amount": found[0].unit_amount, "currency": found[0].currency}


def route(event: Mapping[str, Any]) -> dict[str, Any]:
    match event["requestContext"]["http"]["method"], event["rawPath"].strip("/").split("/"):
        case "GET", ["health"]:
            return health()
        case "POST", ["v1", "uploads"]:
            return upload(_body(event))
        case "GET", ["v1", "prices", lookup_key]:
            return price(lookup_key)
        case _:
            raise RefusedError(404, "no such route")


def _body(event: Mapping[str, Any]) -> Mapping[str, Any]:
    text = event.get("body") or "{}"
    try:
        body = json.loads(base64.b64decode(text) if event.get("isBase64Encoded") else text)
    except ValueError:
        raise RefusedError(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is no object")
    return body


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    try:
        status, answer = 200, route(event)
    except RefusedError as refused:
        status, answer = refused.status, {"detail": str(refused)}
    except stripe.StripeError as error:
        status, answer = 502, {"detail": f"Stripe: {type(error).__name__}"}
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
