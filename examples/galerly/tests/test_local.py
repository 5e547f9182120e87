"""What stands in for AWS here: it refuses what AWS would refuse, carries events as AWS does, and ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from examples.galerly.local.stack import ROOT, Stack
from examples.galerly.tests.asking import Somebody


def test_an_event_whose_function_fails_comes_again_twice(stack: Stack) -> None:
    bucket = {"name": "nobodys-bucket", "arn": "arn:aws:s3:::nobodys-bucket"}
    event = {"Records": [{"s3": {"bucket": bucket, "object": {"key": "uploads/a/b/c/lost.jpg", "size": 1}}}]}
    stack.aws.client("sqs").send_message(QueueUrl=stack.aws.queue, MessageBody=json.dumps(event))
    stack.pump.said("(lost.jpg: given up after 3 tries)")
    assert len(re.findall(r"lost.jpg: failed, comes again", stack.log("pump"))) == 2
    # And the next one is carried
    ann = Somebody(stack).sign_up()
    gallery = ann.gallery()
    ann.upload(gallery, "notes.txt", b"no pixels")
    end = time.monotonic() + 60
    while (photo := ann.got("GET", f"/v1/galleries/{gallery}/photos")["photos"][0])["state"] == "waiting":
        assert time.monotonic() < end
    assert photo["state"] == "refused"


def test_all_of_it_ends(built: Path, tmp_path: Path) -> None:
    with Stack(built, tmp_path) as stack:
        urls = [stack.api, stack.lambdas, stack.aws.url, stack.stripe.url, stack.page]
        assert httpx.get(f"{stack.api}/health", trust_env=False).json() == {"status": "ok"}
        assert httpx.get(stack.page.replace("index.html", "config.json"), trust_env=False).json() == {"api": stack.api}
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)
    assert "Traceback" not in "".join(stack.log(name) for name in ("aws", "pump", "start-api", "start-lambda"))


def test_a_stack_that_can_not_start_leaves_nothing_behind(tmp_path: Path) -> None:
    """In a folder without a project: the error is lamella's own."""
    with pytest.raises(RuntimeError, match=r"pyproject\.toml|lamella\.toml"), Stack(tmp_path, tmp_path):
        pass


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("early", [False, True])
def test_what_is_served_ends_with_all_it_started(built: Path, how: signal.Signals, early: bool) -> None:
    """`make serve`, ended while it serves, or while it still starts."""
    demo = "from examples.galerly.local import demo; import sys, pathlib; demo.PROJECT = pathlib.Path(sys.argv.pop())"
    command = [sys.executable, "-c", f"{demo}; print('started', flush=True); sys.exit(demo.main())", "--serve"]
    with subprocess.Popen(
        [*command, str(built)], cwd=ROOT, env={**os.environ, "NO_COLOR": "1"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as served:  # fmt: skip
        assert served.stdout is not None
        assert served.stdout.readline() == "started\n"
        urls = []
        if early:
            while not _group(served.pid) - {served.pid}:
                assert served.poll() is None
        else:
            urls = re.findall(r"http://[^,;\s]+", served.stdout.readline())
            assert httpx.get(urls[0], trust_env=False).text.startswith("<!doctype html>")
            assert httpx.get(f"{urls[1]}/health", trust_env=False).json() == {"status": "ok"}
        served.send_signal(how)
        told = served.stdout.read()
        assert served.wait(60) == (130 if early else 0), told
    assert "Traceback" not in told
    assert _group(served.pid) == set()
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)


def _group(leader: int) -> set[int]:
    """The processes of a session."""
    told = subprocess.run(["ps", "-e", "-o", "pid=,sess="], capture_output=True, text=True, check=True).stdout
    return {int(pid) for pid, session in map(str.split, told.splitlines()) if int(session) == leader}


def test_the_demo_shows_photos(built: Path) -> None:
    """demo.sh as `make demo` runs it, on the zips that the tests have built."""
    demo = "from examples.galerly.local import demo; import sys, pathlib; demo.PROJECT = pathlib.Path(sys.argv.pop())"
    done = subprocess.run(
        [sys.executable, "-c", f"{demo}; sys.exit(demo.main())", str(built)],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^raw\.dng +ready", done.stdout, re.MULTILINE)
    assert re.search(r"^notes\.jpg +refused +the file is no picture", done.stdout, re.MULTILINE)
    assert "JPEG image data" in done.stdout or re.search(r"^\d{4,}$", done.stdout, re.MULTILINE)
    assert done.stdout.rstrip().endswith("401 Unauthorized")
