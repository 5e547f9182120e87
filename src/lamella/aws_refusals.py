"""What AWS's refusals mean: botocore's exceptions, said as lamella says errors."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lamella.errors import LamellaError, OutsideError, UsageError
from lamella.wording import counted, printable, scrubbed

if TYPE_CHECKING:
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN_KEYS = frozenset(
    {
        "AuthFailure", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException",
        "MissingAuthenticationToken", "SignatureDoesNotMatch", "UnrecognizedClientException",
    }
)  # fmt: skip
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|NotAuthorized|^Forbidden$|^403$")  # 403: HeadObject
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit")
_STALE = re.compile(r"PreconditionFailed|^ConditionalRequestConflict$")
_BUSY = re.compile(r"^ResourceConflict|^ResourceInUse|^OperationAborted$|NotReadyException$|^CodeArtifactUserPending")
# What the function needs to start, not who asks: AWS Lambda API reference, Invoke, Errors
_ITS_OWN = re.compile(
    r"^(KMS|EFS|S3FilesMount)\w+Exception$|^EC2(AccessDenied|Unexpected)|^ENILimitReached|^SubnetIPAddressLimitReached|"
    r"^Invalid(SecurityGroupID|SubnetID|Runtime|ZipFile)Exception$"
)
_NOT_THERE = re.compile(r"NotFound|^NoSuch|^404$")
# S3's calls that go by the permission of another (S3 User Guide, "Required permissions for Amazon S3 API operations")
_PERMISSIONS = {
    "Invoke": "InvokeFunction",
    "HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket",
    "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
}  # fmt: skip
# ``User: arn:… is not authorized to perform: lambda:GetFunction on resource: arn:… because …``
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)(?: on resource: (\S+))?")


class NotThereError(UsageError):
    """AWS has nothing of this name."""


class UnreachableError(OutsideError):
    """No answer came, or only a part of one.  The same call may work at once."""


class ThrottledError(UnreachableError):
    """AWS took no call, because there were too many.  It had no effect."""


class StaleError(OutsideError):
    """What is to be changed was changed by somebody else since it was looked at (PreconditionFailedException)."""


class BusyError(OutsideError):
    """What is to be changed is being changed, or is there already (ResourceConflictException)."""


class DeniedError(OutsideError):
    """A permission is missing: `action` (``lambda:GetFunction``) on `resource`, an ARN, or "" where AWS names none."""

    def __init__(self, what: str, *, action: str, resource: str = "", why: Iterable[str] = (), hint: str) -> None:
        super().__init__(what, why=why, hint=hint)
        self.action = action
        self.resource = resource


class ExpiredError(OutsideError):
    """A signed link doesn't open, or no longer: there is a new one to be had."""


@contextlib.contextmanager
def told(doing: str, *, service: str = "lambda", secret: str = "") -> Iterator[None]:
    """Say what botocore raises in the block as lamella says it.

    `doing` follows "could not": ``read the function `x```.  `service` is the prefix of the service's IAM actions.
    `secret` is shown in no message.  Raises NotThereError, UnreachableError, OutsideError, LamellaError.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

    try:
        yield
    except ClientError as error:
        asked = "sts" if error.operation_name == "AssumeRole" else service  # before what was asked for
        raise _answered(error, doing, asked) from None
    except ResponseParserError as error:  # something between here and AWS answered
        raise UnreachableError(
            f"could not {doing}", why=[scrubbed(" ".join(str(error).split()))[:300]], hint="check the proxy"
        ) from None
    except BotoCoreError as error:
        text = str(error).replace(secret, "***") if secret else str(error)
        raise _failed(error, doing, scrubbed(" ".join(text.split()))) from None


def _answered(error: ClientError, doing: str, service: str) -> LamellaError:
    """What AWS answered instead of what it was asked for."""
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "")), scrubbed(" ".join(str(said.get("Message", "")).split()))
    what = f"could not {doing}"
    why = [f"{code}: {message}" if message else code]
    if code in _EXPIRED:
        return OutsideError("the AWS credentials have expired", why=why, hint=_login())
    if code in _UNKNOWN_KEYS:
        return OutsideError(
            "AWS does not accept the credentials",
            why=why,
            hint="`aws sts get-caller-identity` says whose they are; `--profile` takes others",
        )
    if service == "lambda" and _ITS_OWN.search(code):
        hint = "it is the function's own: look at its role, its KMS key, its VPC and its file systems"
        return OutsideError(what, why=why, hint=hint)
    if _DENIED.search(code):
        found = _ACTION.search(message)
        asked = error.operation_name
        action = found[1] if found else f"{service}:{_PERMISSIONS.get(asked, asked)}"
        on = f" on `{printable(found[2])}`" if found and found[2] else ""
        return DeniedError(
            what,
            action=action,
            resource=found[2] or "" if found else "",
            why=why,
            hint=f"let a policy allow `{action}`{on}, or take another `--profile`",
        )
    if _THROTTLED.search(code):
        tries = int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) + 1
        return ThrottledError(
            what,
            why=[*why, f"it was tried {counted(tries, 'time')}"],
            hint="try again later, or with more patience: AWS_MAX_ATTEMPTS=10 AWS_RETRY_MODE=adaptive",
        )
    if _STALE.search(code):
        return StaleError(what, why=why, hint="look at what is there now: run it again")
    if _BUSY.search(code):
        once = "it is ready" if "NotReady" in code else "the other change is done"
        return BusyError(what, why=why, hint=f"try again, once {once}")
    if _NOT_THERE.search(code):
        return NotThereError(what, why=why, hint="look at its name, `--region` and `--profile`")
    if code == "CodeStorageExceededException":
        return OutsideError(what, why=why, hint="`lamella prune` deletes versions that nothing needs any more")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500:
        return UnreachableError(what, why=why, hint="try again later")
    return OutsideError(what, why=why, hint="what AWS says above is all that is known")


def _failed(error: Exception, doing: str, text: str) -> LamellaError:
    """What kept botocore from asking, or from getting an answer.  Classes by name: not every version has all."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"NoCredentialsError", "NoAuthTokenError"}:
        return LamellaError(
            "there are no AWS credentials",
            why=[f"they are needed to {doing}"],
            hint="log in (`aws sso login`, `aws configure`), name a `--profile`, or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
        )
    if kinds & {"SSOError", "TokenRetrievalError", "LoginError"}:
        return LamellaError("the login to AWS has expired", why=[text], hint=_login())
    if kinds & {"PartialCredentialsError", "CredentialRetrievalError", "UnknownCredentialError"}:
        return LamellaError("the AWS credentials can't be had", why=[text], hint="correct them, or name a `--profile`")
    if "ProfileNotFound" in kinds:
        known = "`aws configure list-profiles` lists those that there are"
        return UsageError("there is no such AWS profile", why=[text], hint=known)
    if "NoRegionError" in kinds:
        return LamellaError(
            "there is no AWS region",
            why=[f"it is needed to {doing}"],
            hint="give `--region`, or set AWS_DEFAULT_REGION",
        )
    if kinds & {"ParamValidationError", "ValidationError", "InvalidRegionError"}:
        return UsageError(f"could not {doing}", why=[text], hint="correct the name, the region or the value")
    if "SSLError" in kinds:
        return UnreachableError(
            f"could not {doing}", why=[text], hint="AWS_CA_BUNDLE names the certificates to trust, behind a proxy"
        )
    if kinds & {"ConnectionError", "HTTPClientError", "IncompleteReadError"}:
        return UnreachableError(
            f"could not {doing}", why=[text], hint="check the network, the proxy, `--region` and AWS_ENDPOINT_URL"
        )
    return LamellaError(f"could not {doing}", why=[text], hint="look at AWS's configuration: `aws configure list`")


def _login() -> str:
    profile = os.environ.get("AWS_PROFILE")
    return f"log in again, for instance `aws sso login{f' --profile {printable(profile)}' if profile else ''}`"
