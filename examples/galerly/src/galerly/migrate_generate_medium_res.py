"""Renditions for photos that were there before: lists a bucket, and lets the deployed function work on each object.

    migrate_generate_medium_res --migrate --dry-run --bucket photos      # what would be done
    migrate_generate_medium_res --migrate --bucket photos                # do it; run it again to go on where it ended

For an operator's machine; for millions of photos there is the same as a state machine, statemachine/migrate.asl.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any, NamedTuple

from galerly.migrate_report import progress, report
from galerly.migrate_state import State
from galerly.places import RENDITIONS, UPLOADS, rendition

FUNCTION, STATE = "galerly-image-processor:live", "migration.jsonl"


class Photo(NamedTuple):
    """An object of the listing: its size in bytes, the ETag, which changes with its content, and its time."""

    key: str
    etag: str
    size: int
    modified: datetime


class Outcome(NamedTuple):
    """`error` is empty where the function made its renditions, or had made them before."""

    photo: Photo
    error: str


def listed(s3: Any, bucket: str, prefix: str) -> Iterator[Photo]:
    """Page by page.  Folders, which S3's console makes as empty objects, are left out."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for row in page.get("Contents", ()):
            if row["Size"]:
                yield Photo(row["Key"], row["ETag"].strip('"'), row["Size"], row["LastModified"])


def mediums(s3: Any, bucket: str, prefix: str) -> dict[str, datetime]:
    """The medium renditions that are there, by their keys, of the uploads below `prefix`."""
    return {one.key: one.modified for one in listed(s3, bucket, prefix) if one.key.endswith("/medium.jpg")}


def event(bucket: str, photo: Photo) -> dict[str, Any]:
    """As S3 tells of an upload: with the key encoded."""
    from urllib.parse import quote_plus

    s3 = {"bucket": {"name": bucket}, "object": {"key": quote_plus(photo.key), "size": photo.size, "eTag": photo.etag}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]}


def render(lambdas: Any, function: str, bucket: str, photo: Photo) -> Outcome:
    """Never raises: one photo's failure, AWS's included, is a line of the report."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        answer = lambdas.invoke(FunctionName=function, Payload=json.dumps(event(bucket, photo)).encode())
        payload = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        return Outcome(photo, f"{type(error).__name__}: {error}")
    if not isinstance(payload, dict):
        payload = {"errorMessage": str(payload)[:200]}
    if "FunctionError" in answer:
        return Outcome(photo, f"{payload.get('errorType', answer['FunctionError'])}: {payload.get('errorMessage', '')}")
    if "refused" not in payload:
        return Outcome(photo, f"{function} answers as no image processor does")
    return Outcome(photo, refusal(payload))


def refusal(payload: Any) -> str:
    """Why the processor, which did not fail, made nothing of the one photo that it was given; "" if it did."""
    return "; ".join(str(one["reason"]) for one in payload["refused"])


def run(jobs: Iterable[Photo], work: Callable[[Photo], Outcome], concurrency: int) -> Iterator[Outcome]:
    """Outcomes as they come.  Never more than `concurrency` are under way, and no photo is taken before one is free.

    Where whoever asks stops asking, what is under way is awaited and lost to nobody but the state: it is done again.
    """
    pending: set[Future[Outcome]] = set()
    with ThreadPoolExecutor(concurrency) as pool:
        for photo in jobs:
            pending.add(pool.submit(work, photo))
            if len(pending) >= concurrency:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)


def wanted(s3: Any, options: argparse.Namespace, state: State, counts: Counter[str]) -> Iterator[Photo]:
    """Photos without a medium rendition that is newer than they are, and that the state does not know as done."""
    there = {} if options.again else mediums(s3, options.bucket, RENDITIONS + options.prefix.removeprefix(UPLOADS))
    for photo in listed(s3, options.bucket, options.prefix):
        if photo.key.endswith("/"):
            continue
        counts["found"] += 1
        made = there.get(rendition(photo.key, "medium"))
        if (state.has(photo.key, photo.etag) and not options.again) or (made and made >= photo.modified):
            counts["done before"] += 1
        elif options.limit is None or counts["taken"] < options.limit:
            counts["taken"] += 1
            yield photo


def migrate(options: argparse.Namespace, counts: Counter[str]) -> list[Outcome]:
    """Returns the failures.  Raises BotoCoreError, ClientError and OSError where nothing more can be done."""
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    # A RAW takes its time.  Adaptive: calls that are throttled slow all of them down
    config = Config(
        read_timeout=300, retries={"mode": "adaptive", "max_attempts": 8}, max_pool_connections=options.concurrency
    )
    s3, failures = boto3.client("s3", config=config), []
    if options.report and not options.dry_run:
        open(options.report, "a", encoding="utf-8").close()  # that it can't be written is known now, not in the end
    with State(options.state, read_only=options.dry_run) as state:
        found = wanted(s3, options, state, counts)
        if options.dry_run:
            size = sum(photo.size for photo in found)
            print(f"{counts['taken']} of {counts['found']} photos ({size} bytes) would be given to {options.function}")
            return []
        lambdas, show = boto3.client("lambda", config=config), progress(counts)
        for outcome in run(
            found, lambda photo: render(lambdas, options.function, options.bucket, photo), options.concurrency
        ):
            state.add(outcome.photo.key, outcome.photo.etag, outcome.error)
            counts["failed" if outcome.error else "rendered"] += 1
            if outcome.error:
                failures.append(outcome)
            show()
    rows = [{"key": one.photo.key, "etag": one.photo.etag, "error": one.error} for one in failures]
    report(options.report, counts, rows)
    return failures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="migrate_generate_medium_res", description=__doc__.partition("\n")[0])
    parser.add_argument("--migrate", action="store_true", required=True, help="say that this is meant")
    parser.add_argument("--dry-run", action="store_true", help="list and count; invoke nothing, write nothing")
    parser.add_argument("--bucket", default=os.environ.get("GALERLY_BUCKET"), help="default: GALERLY_BUCKET")
    parser.add_argument("--function", default=FUNCTION, help=f"name, with the alias; default: {FUNCTION}")
    parser.add_argument("--prefix", default=UPLOADS, help=f"of the photos' keys; default: {UPLOADS}")
    parser.add_argument("--concurrency", type=int, default=8, help="invocations at once; default: 8")
    parser.add_argument("--again", action="store_true", help="all photos: the function keeps what is good")
    parser.add_argument("--limit", type=int, help="photos at most, for a first try")
    parser.add_argument("--state", default=STATE, help=f"what was done already; default: {STATE}")
    parser.add_argument("--report", help="write counts and all failures there, as JSON")
    options = parser.parse_args(arguments)
    if not options.bucket:
        parser.error("say which bucket: --bucket, or GALERLY_BUCKET")
    if options.concurrency < 1:
        parser.error("--concurrency is 1 or more")
    if not options.prefix.startswith(UPLOADS):
        parser.error(f"--prefix begins with {UPLOADS}")
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return 1 if migrate(options, Counter()) else 0
    except (BotoCoreError, ClientError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print(f"stopped; the same command goes on from `{options.state}`", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
