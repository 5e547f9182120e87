"""Says whose a request is: by a JWT or by an API key.  Everybody else stays out, whatever goes wrong here."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import APIGatewayAuthorizerResponseV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from spectra.settings import AuthorizerSettings
from spectra.tokens import Tenants

logger = Logger(service="authorizer")
tenants = Tenants(AuthorizerSettings())


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    try:
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        tenant = tenants.of(headers)
    except Exception:
        # Of a request that nobody thought of: an error here would be an error of the API's
        logger.exception("refused, for it could not be looked at")
        tenant = None
    context = {"tenant": tenant} if tenant else None
    return dict(APIGatewayAuthorizerResponseV2(authorize=tenant is not None, context=context).asdict())
