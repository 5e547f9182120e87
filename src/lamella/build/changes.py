"""What differs between two builds of an artifact, as a person would say it."""

from __future__ import annotations

from lamella.manifest import Artifact, FunctionArtifact


def changes(old: Artifact | None, new: Artifact) -> tuple[str, ...]:
    """Phrases such as "new", "pyarrow 26.0.0 → 26.0.1", "+ orjson 3.11.4", "code"; empty for equal bytes."""
    if old is None:
        return ("new",)
    if old.sha256 == new.sha256:
        return ()
    before, after = _versions(old), _versions(new)
    found = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            found.append(f"− {name} {before[name]}")
        elif name not in before:
            found.append(f"+ {name} {after[name]}")
        elif before[name] != after[name]:
            found.append(f"{name} {before[name]} → {after[name]}")
    if old.architecture != new.architecture:
        found.append(f"{old.architecture} → {new.architecture}")
    if isinstance(new, FunctionArtifact) and _own(old) != _own(new):
        found.append("code")
    return tuple(found) or ("contents",)


def _versions(artifact: Artifact) -> dict[str, str]:
    versions: dict[str, list[str]] = {}
    for row in artifact.distributions:
        versions.setdefault(row.name, []).append(row.version)
    return {name: " and ".join(sorted(set(found))) for name, found in versions.items()}


def _own(artifact: Artifact) -> tuple[int, int]:
    """What of an artifact is no distribution's: bytes in the zip and unpacked."""
    return (
        artifact.zipped - sum(row.zipped for row in artifact.distributions),
        artifact.unzipped - sum(row.unzipped for row in artifact.distributions),
    )
