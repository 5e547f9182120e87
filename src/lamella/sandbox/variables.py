"""The variables that name a function to its own code, with made-up values.

Source: AWS Lambda developer guide, "Defined runtime environment variables".
"""

from __future__ import annotations

REGION = "us-east-1"
_MEMORY = 1024


def variables(
    name: str | None = None, handler: str = "", *, memory: int = _MEMORY, version: str = "$LATEST"
) -> dict[str, str]:
    """What Lambda sets for the function `name`, beside what it sets for all of a runtime; for None, without its name.

    `memory` is in megabytes.  The credentials are none, and no service takes them.
    """
    named = {
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"2000/01/01/[{version}]00000000000000000000000000000000",
        "_HANDLER": handler,
    } if name is not None else {}  # fmt: skip
    return {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        **named,
    }
