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
DESCRIPTION_LENGTH = 256  # PublishLayerVersion, Description: maximum length of 256
ROLE_ARN_LENGTH = 2048  # AssumeRole, RoleArn: maximum length of 2048


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


def is_role_arn(text: str) -> bool:
    """``arn:PARTITION:iam::123456789012:role/PATH/NAME`` (IAM user guide, "IAM identifiers")."""
    parts = text.split(":", 5)
    if len(parts) != 6 or len(text) > ROLE_ARN_LENGTH:
        return False
    arn, partition, service, region, account, resource = parts
    kind, slash, name = resource.partition("/")
    return (
        (arn, service, region, kind, slash) == ("arn", "iam", "", "role", "/")
        and bool(partition)
        and (ALNUM | {"-"}).issuperset(partition)
        and len(account) == 12
        and DIGITS.issuperset(account)
        and all(part and (NAME | frozenset("+=,.@")).issuperset(part) for part in name.split("/"))
    )


def is_region(text: str) -> bool:
    """``eu-central-1``, ``us-gov-west-1``: words of small letters, then a number.  Whether it is there, AWS says."""
    *words, number = text.split("-")
    small = frozenset(string.ascii_lowercase)
    return (
        len(words) >= 2 and all(word and small.issuperset(word) for word in words) and number != ""
    ) and DIGITS.issuperset(number)


def is_bucket(text: str) -> bool:
    """A bucket of S3 (user guide, "General purpose bucket naming rules"), or of a service that is laxer about its form.

    Some of those, and S3's oldest buckets, have capitals and `_`.
    """
    return 3 <= len(text) <= 63 and {text[0], text[-1]} <= ALNUM and (NAME | {"."}).issuperset(text)


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
