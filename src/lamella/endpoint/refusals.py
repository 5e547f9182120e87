"""What Lambda refuses, in its own words.

The words are those of AWS's API where they were seen in public reports; where they were not, its pattern of words.
"""

from __future__ import annotations

from lamella.endpoint.model import SERVICE, RefusedError

# botocore gives an exception its class by this name; `RequestTooLargeException`, as the API reference calls it, is not
# what AWS sends: github.com/faultline/faultline/issues/12, github.com/pelmers/streetwarp-web/issues/14
_TOO_LARGE = "RequestEntityTooLargeException"
_LONGEST_SHOWN = 256


def malformed(member: str, value: str, constraint: str) -> RefusedError:
    """A parameter that the API's model does not allow."""
    shown = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
    return RefusedError(
        400,
        "ValidationException",
        f"1 validation error detected: Value '{shown}' at '{member}' failed to satisfy constraint: {constraint}",
        type="",
    )


def invalid(message: str) -> RefusedError:
    """Parameters that don't go together."""
    return RefusedError(400, "InvalidParameterValueException", message)


def not_json(why: str) -> RefusedError:
    """Source: github.com/awsdocs/aws-lambda-developer-guide/issues/382."""
    return RefusedError(
        400,
        "InvalidRequestContentException",
        f"Could not parse request body into json: Could not parse payload into json: {why}",
    )


def no_context() -> RefusedError:
    """Source: github.com/boto/boto3/issues/2153."""
    return RefusedError(
        400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
    )


def request_too_large(limit: int) -> RefusedError:
    return RefusedError(413, _TOO_LARGE, f"Request must be smaller than {limit} bytes for the InvokeFunction operation")


def event_too_large(size: int, limit: int) -> RefusedError:
    return RefusedError(
        413, _TOO_LARGE, f"{size} byte payload is too large for the Event invocation type (limit {limit} bytes)"
    )


def not_started(why: str) -> RefusedError:
    """For what AWS has no words: on this machine the function can't be run."""
    return RefusedError(500, "ServiceException", why, type=SERVICE)


def not_served(method: str, path: str) -> RefusedError:
    """Any other operation of Lambda.  SDKs try again after 500, 502, 503 and 504, so it is none of these."""
    return RefusedError(
        501,
        "UnknownOperationException",
        f"{method} {path} is not served here: `lamella start-lambda` serves Invoke, "
        "POST /2015-03-31/functions/NAME/invocations, and InvokeAsync, and no other operation of Lambda",
    )


def of_a_page() -> RefusedError:
    """A web page may send a request here without asking; only what AWS's programs send is meant."""
    return RefusedError(
        403,
        "AccessDeniedException",
        "A page of a browser asked (the request has an Origin), and functions are not invoked for pages here.",
    )
