"""The command that makes a function which is wanted and isn't there.  Pure."""

from __future__ import annotations

import shlex

from lamella.cloud.model import Place
from lamella.facts.tables import limits
from lamella.rollout.model import WantedFunction
from lamella.wording import shown


def create_command(function: WantedFunction, place: Place, here: str) -> str:
    """``aws lambda create-function …``, fit for a shell in the folder `here`.

    The role is left as ROLE_ARN: what a function may do is not the deploy's to say.  Its layers come with the next
    deploy.
    """
    content = function.content
    if content.size <= limits().layer_zipped:
        code = ["--zip-file", f"fileb://{shown(content.path, here)}"]
    else:
        code = ["--code", f"S3Bucket={place.bucket or 'BUCKET'},S3Key=KEY"]
    words = [
        "aws", "lambda", "create-function", "--function-name", function.name, "--runtime", function.runtime,
        "--handler", function.handler, "--architectures", function.architecture, "--role", "ROLE_ARN", *code,
    ]  # fmt: skip
    words += ["--region", place.region] if place.region else []
    words += ["--profile", place.profile] if place.profile else []
    return shlex.join(words)
