"""Which shared cache a run has, and whether it may write there: the configuration, and the environment over it."""

from __future__ import annotations

from collections.abc import Mapping

from lamella.errors import UsageError
from lamella.objects import Bucket, location
from lamella.shared.depot import Depot
from lamella.wording import did_you_mean, printable

WHERE = "LAMELLA_SHARED_CACHE"
MODE = "LAMELLA_SHARED_CACHE_MODE"
_MODES = ("read", "write", "off")
# A cache that answers slowly is worse than none: one that is silent costs a build 17 seconds, and no more
_ATTEMPTS = 2
_TIMEOUTS = (3.0, 8.0)  # seconds, for a connection and for what is read next

# Variables by which a CI service says that it builds somebody's proposal; "" and "false" say that it doesn't
_PROPOSALS = (
    "CI_MERGE_REQUEST_IID",  # GitLab
    "CI_EXTERNAL_PULL_REQUEST_IID",
    "BITBUCKET_PR_ID",
    "CIRCLE_PULL_REQUEST",
    "BUILDKITE_PULL_REQUEST",
    "SYSTEM_PULLREQUEST_PULLREQUESTID",  # Azure Pipelines
    "TRAVIS_PULL_REQUEST",
    "DRONE_PULL_REQUEST",
    "CHANGE_ID",  # Jenkins, of multibranch pipelines
)


def mode(environ: Mapping[str, str]) -> str:
    """ "read", "write" or "off": what LAMELLA_SHARED_CACHE_MODE says, else "write", in a pull request "read".

    Raises UsageError for another word.
    """
    said = environ.get(MODE, "")
    if said in _MODES:
        return said
    if said:
        hint = did_you_mean(said, _MODES) or "set it to `read`, `write` or `off`"
        raise UsageError(f"{MODE} is `{printable(said)}`", why=["it can be `read`, `write` or `off`"], hint=hint)
    return "read" if is_proposal(environ) else "write"


def is_proposal(environ: Mapping[str, str]) -> bool:
    """Whether a CI service says that it builds a pull request, or merge request: code that nobody has accepted yet."""
    return (
        environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request")
        or environ.get("CODEBUILD_WEBHOOK_EVENT", "").startswith("PULL_REQUEST_")
        or any(environ.get(name, "").lower() not in ("", "false") for name in _PROPOSALS)
    )


def open_depot(configured: str, environ: Mapping[str, str]) -> Depot | None:
    """The shared cache of this run: `configured`, or LAMELLA_SHARED_CACHE; None without one, or where it is off.

    Nothing is asked, and nothing of AWS loaded, before something is missing.  Raises UsageError.
    """
    where = environ.get(WHERE, configured)
    if not where:
        return None
    name, prefix = location(where)
    how = mode(environ)
    if how == "off":
        return None
    bucket = Bucket(name, prefix, attempts=_ATTEMPTS, timeouts=_TIMEOUTS)
    return Depot(bucket, name=where, writes=how == "write")
