"""What may be a name: keys, names in AWS, ARNs of layer versions, handlers, distributions.

Character sets, not regular expressions: the configuration is read in every build, and compiling them would show.
The limits are those of AWS's API reference (read on 2026-11-22), the actions PublishLayerVersion and CreateFunction.
"""

from __future__ import annotations

import string

LOWER = frozenset(string.ascii_lowercase + string.digits)
ALPHA = frozenset(string.ascii_letters)
ALNUM = ALPHA | frozenset(string.digits)
KEY = LOWER | {"-", "_"}
NAME = ALNUM | {"-", "_"}  # FunctionName and LayerName: [a-zA-Z0-9-_]+
DIGITS = frozenset(string.digits)

KEY_LENGTH = 100  # KEY.zip and its partial file stay well below the 255 bytes of a file name
FUNCTION_NAME_LENGTH = 64  # CreateFunction, FunctionName: "If you specify only the function name, it is limited to 64"
LAYER_NAME_LENGTH = 140  # PublishLayerVersion, LayerName: maximum length of 140
HANDLER_LENGTH = 128  # CreateFunction, Handler: maximum length of 128
LAYERS_PER_FUNCTION = 5  # Lambda quotas: function layers


def is_key(text: str) -> bool:
    """``[a-z0-9][a-z0-9-_]*``: lower case, because KEY.zip must be one file on every file system."""
    return 0 < len(text) <= KEY_LENGTH and text[0] in LOWER and KEY.issuperset(text)


def is_aws_name(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and NAME.issuperset(text)


def is_layer_version_arn(text: str) -> bool:
    """``arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+``, as CreateFunction's Layers."""
    parts = text.split(":")
    if len(parts) != 8:
        return False
    arn, partition, service, region, account, kind, name, version = parts
    dashed = ALNUM | {"-"}
    return (
        (arn, service, kind) == ("arn", "lambda", "layer")
        and all(part and dashed.issuperset(part) for part in (partition, region))
        and len(account) == 12
        and DIGITS.issuperset(account)
        and is_aws_name(name, LAYER_NAME_LENGTH)
        and bool(version)
        and DIGITS.issuperset(version)
    )


def is_handler(text: str) -> bool:
    """``module.path.function``.  A module may be `01-resize`: the runtime imports it by name, not by statement."""
    module, dot, function = text.rpartition(".")
    return (
        bool(dot)
        and len(text) <= HANDLER_LENGTH
        and function.isidentifier()
        and all(part and f"_{part}".replace("-", "_").isidentifier() for part in module.split("."))
    )


def normalized(name: str) -> str | None:
    """The normalized name of a distribution, extra or group (PyPA spec: names and normalization), or None.

    The same as packaging.utils.canonicalize_name with validate=True, which costs 10 ms to import; a test compares.
    """
    if not name or not (ALNUM | {"-", "_", "."}).issuperset(name) or not {name[0], name[-1]} <= ALNUM:
        return None
    value = name.lower().replace("_", "-").replace(".", "-")
    while "--" in value:
        value = value.replace("--", "-")
    return value
