"""What a process sees: Lambda's folders, and of this machine what an interpreter cannot do without.

Source of the paths and variables: AWS Lambda developer guide, "Defined runtime environment variables" and "Layer
paths"; of /dev: a function's own listing, which has no /dev/shm.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from lamella.sandbox.model import View

TASK = "/var/task"
LAYERS = "/opt"
RUNTIME = "/var/runtime"
LANGUAGE = "/var/lang"
SCRATCH = "/tmp"
# Lambda's own user (sbx_user1051)
USER = 993
GROUP = 990

# A function's own /tmp, unless it is configured larger
SCRATCH_BYTES = 512 * 1024**2
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "nsswitch.conf",
    "pki",
    "protocols",
    "services",
    "ssl",
)
_ETC_OF_NETWORK = ("hosts", "resolv.conf")
_OWN_ETC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "etc")


class Paths:
    """Where a process finds what: Lambda's paths inside a view, or folders of this machine without one."""

    def __init__(
        self,
        python: tuple[int, int],
        *,
        task: str = TASK,
        layers: str = LAYERS,
        runtime: str = RUNTIME,
        language: str = LANGUAGE,
        scratch: str = SCRATCH,
    ) -> None:
        self.version = f"python{python[0]}.{python[1]}"
        self.task = task
        self.layers = layers
        self.runtime = runtime
        self.language = language
        self.scratch = scratch

    @property
    def importable(self) -> tuple[str, ...]:
        """What comes before the standard library on sys.path, in Lambda's order."""
        layers = self.layers
        return (self.task, f"{layers}/python/lib/{self.version}/site-packages", f"{layers}/python", self.runtime)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The variables that every function of the runtime has, and those that are `given`, which win.

        Of these PYTHONPATH goes before what the runtime itself is found by, not in its place: AWS does not reserve it.
        """
        task, layers, runtime, language = self.task, self.layers, self.runtime, self.language
        libraries = (
            f"{language}/lib", "/lib64", "/usr/lib64", runtime, f"{runtime}/lib", task, f"{task}/lib", f"{layers}/lib",
        )  # fmt: skip
        importable = [given[name] for name in ("PYTHONPATH",) if given.get(name)] + list(self.importable)
        return {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.version}",
            "LAMBDA_RUNTIME_DIR": runtime,
            "LAMBDA_TASK_ROOT": task,
            "LANG": "en_US.UTF-8",
            "LD_LIBRARY_PATH": ":".join(libraries),
            "PATH": f"{language}/bin:/usr/local/bin:/usr/bin:/bin:{layers}/bin",
            "PYTHONNOUSERSITE": "1",
            "TZ": ":UTC",
            **given,
            "PYTHONPATH": ":".join(importable),
        }


def program_of(interpreter: str, language: str = LANGUAGE) -> str:
    """Where an interpreter's program is once its folder is at `language`."""
    return f"{language}/bin/{os.path.basename(os.path.realpath(interpreter))}"


def prefix_of(interpreter: str) -> str:
    """The folder that an interpreter is installed in: two above its program, with links followed."""
    return os.path.dirname(os.path.dirname(os.path.realpath(interpreter)))


def view(
    interpreter: str,
    python: tuple[int, int],
    *,
    task: str | None,
    layers: str | None,
    runtime: str | None,
    network: bool,
    scratch_bytes: int,
) -> View:
    """Lambda's file system with these folders in it, over this machine's /usr and the interpreter's own folder.

    The interpreter is at /var/lang, as in Lambda, so that programs of a layer find it; its site-packages are empty.
    """
    prefix = prefix_of(interpreter)
    binds, links = _system()
    binds += _etc(network)
    homes = [LANGUAGE]
    # Some interpreters know by heart where their libraries are
    if not _below(prefix, ("/usr", LAYERS, "/var", "/nix/store", "/dev", "/proc")) and prefix != "/":
        homes.append(prefix)
    binds += [(prefix, home) for home in homes]
    folders = []
    for folder, place in ((task, TASK), (layers, LAYERS), (runtime, RUNTIME)):
        if folder is None:
            folders.append(place)
        else:
            binds.append((folder, place))
    links += [("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0")]
    links += [("/dev/stdout", "/proc/self/fd/1"), ("/dev/stderr", "/proc/self/fd/2")]
    hidden = tuple(_sites(prefix, [*homes, "/usr"], python))
    devices = tuple(device for device in _DEVICES if os.path.exists(device))
    return View(tuple(binds), tuple(links), tuple(folders), hidden, devices, SCRATCH, scratch_bytes, network)


def _system() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What every process sees of this machine: the binds and links of a `View`."""
    binds = [("/usr", "/usr")]
    links: list[tuple[str, str]] = []
    for name in _SYSTEM:
        if os.path.islink(f"/{name}"):
            links.append((f"/{name}", os.readlink(f"/{name}")))
        elif os.path.isdir(f"/{name}"):
            binds.append((f"/{name}", f"/{name}"))
    if os.path.isdir("/nix/store"):
        binds.append(("/nix/store", "/nix/store"))
    return binds, links


def _etc(network: bool) -> Iterator[tuple[str, str]]:
    for name in ("passwd", "group"):
        yield f"{_OWN_ETC}/{name}", f"/etc/{name}"
    for name in (*_ETC, *(_ETC_OF_NETWORK if network else ())):
        real = os.path.realpath(f"/etc/{name}")
        if os.path.exists(real):
            yield real, f"/etc/{name}"


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _sites(prefix: str, homes: list[str], python: tuple[int, int]) -> Iterator[str]:
    """Where the interpreter keeps what was installed for this machine."""
    version = f"python{python[0]}.{python[1]}"
    for home in homes:
        source = prefix if home != "/usr" else "/usr"
        for library in ("lib", "lib64", "local/lib", "local/lib64"):
            if os.path.islink(f"{source}/{library}"):
                continue
            for folder in (f"{version}/site-packages", f"{version}/dist-packages", "python3/dist-packages"):
                if os.path.isdir(f"{source}/{library}/{folder}"):
                    yield f"{home}/{library}/{folder}"
