"""Lets a caller in whose API key has the configured digest; everybody else stays out."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerEventV2,
    APIGatewayAuthorizerResponseV2,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from spectra.settings import Settings

settings = Settings()


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    request = APIGatewayAuthorizerEventV2(event)
    key = (request.headers or {}).get("x-api-key", "")
    expected = settings.api_key_sha256.get_secret_value()
    known = bool(expected) and hmac.compare_digest(hashlib.sha256(key.encode()).hexdigest(), expected)
    return APIGatewayAuthorizerResponseV2(authorize=known).asdict()
