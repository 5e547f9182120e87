"""AWS, as the user's own settings reach it: clients, signed links, and what their errors mean.

The one file that imports botocore (boto3 brings it), and only when AWS is asked for something: the extra `aws`
installs it.  AWS_ENDPOINT_URL, AWS_CA_BUNDLE, proxies and retries are read by botocore as every AWS program has them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lamella.errors import LamellaError, OutsideError, UsageError
from lamella.wording import printable, redacted, scrubbed

if TYPE_CHECKING:
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

_CONNECT_TIMEOUT = 10  # seconds
_READ_TIMEOUT = 60
_PIECE = 1 << 18

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN_KEYS = frozenset(
    {
        "AuthFailure", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException",
        "MissingAuthenticationToken", "SignatureDoesNotMatch", "UnrecognizedClientException",
    }
)  # fmt: skip
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|NotAuthorized|^Forbidden$")
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit")
_STALE = re.compile(r"PreconditionFailed|^ConditionalRequestConflict$")
_BUSY = re.compile(r"^ResourceConflict|^ResourceInUse|^OperationAborted$")
_NOT_THERE = re.compile(r"NotFound|^NoSuch")
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


def client(service: str, profile: str | None = None, region: str | None = None) -> Any:
    """A client of botocore for `service` (``lambda``); threads may share it.

    `profile` and `region` are those of the command line, None for what environment and files say.  Raises LamellaError
    where botocore is not installed, or what it was told can't be used.
    """
    session = _session(profile)
    doing = f"reach AWS's `{service}`"
    try:
        with told(doing):
            return session.create_client(**_options(session, service, region))
    except ValueError as error:  # AWS_MAX_ATTEMPTS=many, AWS_ENDPOINT_URL=here
        hint = "correct AWS's configuration, or the AWS_ variable that says so"
        raise LamellaError(f"could not {doing}", why=[scrubbed(str(error))], hint=hint) from None


def _options(session: Any, service: str, region: str | None) -> dict[str, Any]:
    from botocore.config import Config  # type: ignore[import-untyped]

    # Older versions of botocore have another mode where nobody chose one
    chosen = session.get_config_variable("retry_mode")
    retries = {"mode": "standard"} if chosen in (None, "legacy") else None
    return {
        "service_name": service,
        # The other SDKs of AWS, and Lambda itself, know the shorter name, too
        "region_name": region or session.get_config_variable("region") or os.environ.get("AWS_REGION"),
        "config": Config(connect_timeout=_CONNECT_TIMEOUT, read_timeout=_READ_TIMEOUT, retries=retries),
    }


def _session(profile: str | None) -> Any:
    try:
        from botocore.session import Session  # type: ignore[import-untyped]
    except ImportError:
        raise LamellaError(
            "`boto3`, which speaks to AWS, is not installed",
            hint="install `lamella[aws]`",
        ) from None
    with told(f"use the profile `{profile}`" if profile else "use AWS's configuration"):
        return Session(profile=profile)


@contextlib.contextmanager
def opened(url: str, start: int = 0, profile: str | None = None) -> Iterator[Iterator[bytes]]:
    """The bytes behind a signed link from the byte `start` on, in pieces of at most 256 KiB.

    The link is a secret, and is never shown whole.  Raises ExpiredError; UnreachableError, also while pieces are read,
    where they end early; OutsideError.
    """
    session = _session(profile)
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
    from botocore.httpsession import URLLib3Session  # type: ignore[import-untyped]
    from botocore.response import StreamingBody  # type: ignore[import-untyped]
    from botocore.utils import get_environ_proxies  # type: ignore[import-untyped]
    from urllib3.exceptions import HTTPError

    shown = redacted(url)
    if not url.startswith(("https://", "http://")):
        raise OutsideError(f"AWS gave no link to the zip, but `{shown}`", hint="try again later")
    query = url.partition("?")[2]
    with told(f"download `{shown}`", secret=query):
        verify = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True
        http = URLLib3Session(
            verify=verify, proxies=get_environ_proxies(url), timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT)
        )  # fmt: skip
        try:
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
            response = http.send(AWSRequest("GET", url, headers=headers, stream_output=True).prepare())
            _refuse(response.status_code, shown)
            body = StreamingBody(response.raw, response.headers.get("Content-Length"))
            yield _pieces(body, skipped=start if response.status_code == 200 else 0)
        except HTTPError as error:  # what StreamingBody lets through: TLS that ends amid the body
            text = scrubbed(str(error).replace(query, "***") if query else str(error))
            raise UnreachableError(f"could not download `{shown}`", why=[text], hint="try again") from None
        finally:
            http.close()


def _refuse(status: int, shown: str) -> None:
    if status in (200, 206):
        return
    why = [f"HTTP {status}"]
    if status in (400, 401, 403):  # S3 says 400 where the token that signed it has expired
        raise ExpiredError(
            f"the link `{shown}` is refused",
            why=[*why, "such a link is valid for ten minutes"],
            hint="try again; where it stays so, ask whether a bucket or network policy is in the way",
        )
    kind = UnreachableError if status >= 500 or status in (408, 429) else OutsideError
    raise kind(f"`{shown}` can't be downloaded", why=why, hint="try again later")


def _pieces(body: Any, skipped: int) -> Iterator[bytes]:
    """The body without its first bytes, which a server that knows no ranges sends again."""
    for piece in body.iter_chunks(_PIECE):
        if skipped >= len(piece):
            skipped -= len(piece)
            continue
        yield piece[skipped:]
        skipped = 0


@contextlib.contextmanager
def told(doing: str, *, service: str = "lambda", secret: str = "") -> Iterator[None]:
    """Say what botocore raises in the block as lamella says it.

    `doing` follows "could not": ``read the function `x```.  `service` is the prefix of the service's IAM actions.
    `secret` is shown in no message.  Raises NotThereError, UnreachableError, OutsideError, LamellaError.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _answered(error, doing, service) from None
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
    if _DENIED.search(code):
        found = _ACTION.search(message)
        action = found[1] if found else f"{service}:{error.operation_name}"
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
            why=[*why, f"it was tried {tries} times"],
            hint="try again later, or with more patience: AWS_MAX_ATTEMPTS=10 AWS_RETRY_MODE=adaptive",
        )
    if _STALE.search(code):
        return StaleError(what, why=why, hint="look at what is there now: run it again")
    if _BUSY.search(code):
        return BusyError(what, why=why, hint="try again, once the other change is done")
    if _NOT_THERE.search(code):
        return NotThereError(what, why=why, hint="look at its name, `--region` and `--profile`")
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
        return UsageError(f"could not {doing}", why=[text], hint="correct the name or the region")
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
