import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.checks import images
from tests.checks.builds import RUNTIME, Build
from tests.container.engines import IDENTITY, FakeEngine

from lamella.checks import bench
from lamella.checks.contained import in_images
from lamella.checks.imports import imports, outcome
from lamella.checks.model import Finding, Severity
from lamella.container.model import ContainerSettings
from lamella.errors import ConfigError, OutsideError

IMAGE = "registry.example/run:1"
SETTINGS = ContainerSettings(run_images=((RUNTIME, IMAGE),))
GLIBC = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[2]


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine that does on this machine what it is asked to do in the image."""
    fake = FakeEngine(
        tmp_path / "podman", "podman", images={IMAGE: f"{IDENTITY} amd64"}, builder=os.path.abspath(images.__file__)
    )
    (fake.folder / RUNTIME).symlink_to(sys.executable)
    monkeypatch.setenv("PATH", os.pathsep.join([str(fake.folder), "/usr/bin", "/bin"]))
    return fake


def tried(build: Build, settings: ContainerSettings = SETTINGS, seconds: float = 60, **env: str) -> bench.Tested:
    return in_images(build.bench(**env), settings, imports=True, metadata=True, said=lambda _: None, seconds=seconds)


def findings(done: bench.Tested, build: Build) -> Mapping[str, Finding]:
    zips = build.bench().zips
    return {name: one for trial, attempt in done.attempts for name, one in imports(trial, attempt, zips).items()}


def test_layers_are_at_opt_in_their_order_and_code_at_task(build: Build, podman: FakeEngine) -> None:
    build.layer("under", {"first": {"first.py": "which = 'under'"}, "lower": {"lower.py": ""}})
    build.layer("over", {"first": {"first.py": "which = 'over'"}})
    app = "import first, lower\nassert first.which == 'over'\n\ndef handler(event, context): ...\n"
    build.function("app", {"app.py": app}, ["under", "over"])
    done = tried(build)
    assert findings(done, build) == {}
    assert [len(attempt.tried) for _, attempt in done.attempts] == [2, 1]
    assert {answer.name: answer.version for _, attempt in done.attempts for answer in attempt.answers} == {
        "first": "1.0",
        "lower": "1.0",
    }
    assert len(podman.builds) == 1
    steps = [line for line in podman.containerfile.splitlines() if line.startswith("RUN ")]
    assert all("target=/opt " in step for step in steps)
    assert ["target=/var/task " in step for step in steps] == [False, True]


@pytest.mark.usefixtures("podman")
def test_what_fails_is_said_to_have_failed_in_the_image(build: Build) -> None:
    build.layer("layer", {"broken": {"broken.py": "raise ValueError('so')"}})
    build.function("app", {"app.py": "import missing_one"}, ["layer"])
    found = findings(tried(build), build)
    assert found["broken"].reason == f"`broken` of `broken` 1.0 in `{IMAGE}` can't be imported: ValueError: so"
    assert found["broken"].path == "python/broken.py"
    assert found["app.handler"].reason == (
        f"handler `app.handler` in `{IMAGE}` can't be imported: ModuleNotFoundError: No module named 'missing_one'"
    )
    assert {one.severity for one in found.values()} == {Severity.ERROR}


@pytest.mark.usefixtures("podman")
def test_the_images_glibc_counts(build: Build) -> None:
    """Here one that is too old is a machine's; in the runtime's image it is Lambda's."""
    text = "/lib64/libc.so.6: version `GLIBC_2.14' not found (required by native.so)"
    build.layer("layer", {"native": {"native.py": f"raise ImportError({text!r})"}})
    found = findings(tried(build), build)["native"]
    assert (found.severity, found.tried) == (Severity.ERROR, True)
    assert (
        found.hint == "lock a version with wheels for this glibc; what has no wheel, `lamella build --container` builds"
    )
    ((trial, attempt),) = build.bench().tested(imports=True, metadata=False).attempts
    assert imports(trial, attempt, build.bench().zips)["native"].severity is Severity.WARNING


@pytest.mark.usefixtures("podman")
def test_what_the_runtime_brings_and_the_image_lacks(build: Build) -> None:
    # The tests' own environment has it
    absent = "raise ModuleNotFoundError(\"No module named 'boto3'\", name='boto3')"
    build.function("app", {"app.py": absent})
    (found,) = findings(tried(build), build).values()
    assert found.severity is Severity.NOTE
    assert found.reason.endswith("it needs `boto3`, which the runtime brings and the image has not")
    assert found.hint == "AWS's own image has it: leave `run-image` out"


@pytest.mark.usefixtures("podman")
def test_what_it_ran_in(build: Build) -> None:
    build.layer("layer", {"six": {"six.py": ""}})
    done = tried(build)
    version = ".".join(map(str, sys.version_info[:3]))
    assert done.how == f"{IMAGE}, Python {version}, glibc {GLIBC}, by podman 5.0.1"
    assert outcome(done, build.bench().zips).summary == f"1 module of 1 distribution ({done.how})"
    (note,) = done.notes
    assert re.fullmatch(
        rf"`{IMAGE}` has glibc {GLIBC}, and {RUNTIME} has 2\.\d+: the check `platform` goes by that", note
    )


def test_variables_are_a_secret_and_nowhere_else(build: Build, podman: FakeEngine) -> None:
    app = "import os\nassert os.environ['TOKEN'] == 'hidden-one', os.environ\n"
    app += "assert os.environ['AWS_LAMBDA_FUNCTION_NAME'] == 'shop-app'\n\ndef handler(event, context): ...\n"
    build.function("app", {"app.py": app})
    assert findings(tried(build, TOKEN="hidden-one"), build) == {}
    assert "hidden-one" not in json.dumps(podman.asked) + podman.containerfile
    (words,) = podman.builds
    assert words[words.index("--secret") + 1].startswith("id=variables,src=")


@pytest.mark.usefixtures("podman")
def test_time_is_up(build: Build) -> None:
    build.layer("layer", {"slow": {"slow.py": "import time; time.sleep(100)"}, "quick": {"quick.py": ""}})
    assert {
        name: one.reason.partition("takes")[1] for name, one in findings(tried(build, seconds=2), build).items()
    } == {"slow": "takes"}


def test_modules_that_want_others_to_begin(build: Build, podman: FakeEngine) -> None:
    """They are tried once more, in a second run of the engine."""
    late = "import sys\nif 'early' not in sys.modules: raise ImportError('by early alone')\n"
    early = {"early.py": "", "early-1.0.dist-info/METADATA": "Name: early\nVersion: 1.0\nRequires-Dist: late\n"}
    build.layer("layer", {"late": {"late.py": late}, "early": early})
    assert findings(tried(build), build) == {}
    assert len(podman.builds) == 2


def test_many_functions_are_several_builds(build: Build, podman: FakeEngine) -> None:
    for number in range(41):
        build.function(f"app{number}", {"app.py": "def handler(event, context): ..."})
    done = tried(build)
    assert findings(done, build) == {}
    assert len(done.attempts) == 41
    assert len(podman.builds) == 2


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ((), True),
        (("--network=host",), False),
        (("--network", "host"), False),
        (("--isolation=chroot",), False),
        (("--ulimit=nofile=1024:1024",), True),
    ],
)
def test_there_is_no_network_unless_the_configuration_gives_one(
    build: Build, podman: FakeEngine, options: tuple[str, ...], given: bool
) -> None:
    build.layer("layer", {"six": {"six.py": ""}})
    tried(build, SETTINGS._replace(options=options))
    (words,) = podman.builds
    assert ("--network=none" in words) is given
    assert [word for word in words if word in options] == list(options)


def test_an_image_without_the_runtimes_python(
    build: Build, podman: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (podman.folder / RUNTIME).unlink()
    for name in ("sh", "mkdir"):
        (podman.folder / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(podman.folder))
    build.layer("layer", {"six": {"six.py": ""}})
    with pytest.raises(ConfigError) as caught:
        tried(build)
    assert str(caught.value) == (
        f"`{IMAGE}` has no {RUNTIME}\n"
        f"  neither `/var/lang/bin/{RUNTIME}` nor one on PATH\n"
        "  hint: name another by `[tool.lamella.container] run-image`, or leave it out for AWS's own"
    )


@pytest.mark.usefixtures("podman")
def test_an_interpreter_that_does_not_start(build: Build) -> None:
    build.layer("layer", {"sitecustomize": {"sitecustomize.py": "import os\nos._exit(5)\n"}})
    (found,) = findings(tried(build), build).values()
    assert found.reason == f"nothing could be tried in `{IMAGE}`: the sandbox ended with 5"
    assert found.hint == "report this"


def test_nothing_to_try_asks_for_no_engine(build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    build.layer("layer", {})
    assert tried(build).how == "nothing to try"


def test_no_engine(build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    build.layer("layer", {"six": {"six.py": ""}})
    with pytest.raises(OutsideError, match="no container engine can be used here"):
        tried(build)


def test_an_image_that_is_nowhere_and_a_failing_build(build: Build, podman: FakeEngine) -> None:
    build.layer("layer", {"six": {"six.py": ""}})
    with pytest.raises(OutsideError, match=r"`podman pull .* failed"):
        tried(build, ContainerSettings(run_images=((RUNTIME, "registry.example/other:1"),)))
    podman.tell(builder="", said=["Error: no space left on device"], build=125)
    with pytest.raises(OutsideError) as caught:
        tried(build)
    assert caught.value.why == ("Error: no space left on device",)
