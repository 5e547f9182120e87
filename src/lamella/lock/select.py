"""`Pins` and one target's marker environment → the pins that apply there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from lamella.errors import LockError
from lamella.lock.model import FromDirectory, FromFile, FromGit, FromIndex, Pin, Pins


def for_target(pins: Pins, environment: Mapping[str, str], *, target: str | None = None) -> tuple[Pin, ...]:
    """The pins whose markers hold in `environment`, at most one a name, in the lock's order.

    `environment` has every variable of PEP 508 but `extra`; `target` names it in messages.
    PyPA spec: pylock.toml, "Installation": `requires-python` and `environments` must admit the environment, and two
    different entries of one name for it are an error.  Raises LockError.
    """
    target = target or f"python{environment['python_version']}"
    _refuse_excluded(pins, environment, target)
    chosen: dict[NormalizedName, Pin] = {}
    for pin in pins.pins:
        if pin.marker is not None and not _holds(pin.marker, pins, environment, pin.where):
            continue
        _refuse_python(pin, environment, target)
        other = chosen.setdefault(pin.name, pin)
        if (other.version, other.source) != (pin.version, pin.source):
            raise LockError(
                f"two pins of `{pin.name}` apply to {target}",
                why=[_described(other), _described(pin)],
                hint="lock again, or give them markers that exclude each other",
            )
        if set(pin.extras) - set(other.extras):  # `web[fast]==1.0` and `web[safe]==1.0`
            chosen[pin.name] = replace(other, extras=tuple(sorted({*other.extras, *pin.extras})))
    return tuple(chosen.values())


def _refuse_excluded(pins: Pins, environment: Mapping[str, str], target: str) -> None:
    if pins.requires_python is not None and not _admits(pins.requires_python, environment):
        raise LockError(
            f"`{_file(pins)}` is not for {target}",
            why=[f"it requires Python {pins.requires_python}; the target has {environment['python_version']}"],
            hint="widen `requires-python` and lock again, or choose a runtime that it admits",
        )
    if pins.environments and not any(
        _holds(marker, pins, environment, _file(pins), context="requirement") for marker in pins.environments
    ):
        raise LockError(
            f"`{_file(pins)}` is not for {target}",
            why=["it was made for other environments:", *(f"`{marker}`" for marker in pins.environments)],
            hint="add Lambda's (`sys_platform == 'linux'`) to the lock's environments and lock again",
        )


def _refuse_python(pin: Pin, environment: Mapping[str, str], target: str) -> None:
    if pin.requires_python is not None and not _admits(pin.requires_python, environment):
        raise LockError(
            f"`{_named(pin)}` in `{pin.where}` is not for {target}",
            why=[f"it requires Python {pin.requires_python}"],
            hint=f"lock a version of `{pin.name}` for {target}, or choose a runtime that it admits",
        )


def _admits(specifier: str, environment: Mapping[str, str]) -> bool:
    return SpecifierSet(specifier).contains(environment["python_full_version"], prereleases=True)


def _holds(
    marker: Marker, pins: Pins, environment: Mapping[str, str], where: str, *, context: str | None = None
) -> bool:
    try:
        if pins.dialect == "requirements" or context == "requirement":
            # pip: an `extra` in a requirements file is never the case
            return marker.evaluate({**environment, "extra": ""}, context="requirement")
        return marker.evaluate(
            {**environment, "extras": pins.extras, "dependency_groups": pins.groups}, context="lock_file"
        )
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise LockError(
            f"a marker in `{where}` can't be evaluated", why=[f"`{marker}`", str(error)], hint="correct the marker"
        ) from None


def _described(pin: Pin) -> str:
    marker = f" when {pin.marker}" if pin.marker is not None else ""
    return f"{_named(pin)} from {_origin(pin)}{marker} ({pin.where})"


def _origin(pin: Pin) -> str:
    match pin.source:
        case FromIndex():
            return "an index"
        case FromFile(file=file):
            return file.filename
        case FromDirectory(path=path):
            return path
        case FromGit(commit=commit):
            return f"commit {commit[:12]}"


def _named(pin: Pin) -> str:
    return pin.name if pin.version is None else f"{pin.name}=={pin.version}"


def _file(pins: Pins) -> str:
    import os

    return os.path.basename(pins.path)
