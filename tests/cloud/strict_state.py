"""The whole state of the emulator, kept and put back in milliseconds: what is immutable in moto's objects is shared."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

_PLACE = tuple[str, str]


class State(NamedTuple):
    """`lambdas` by account and region; `objects` by account and bucket."""

    lambdas: dict[_PLACE, tuple[Any, ...]]
    objects: dict[_PLACE, dict[str, bytes]]
    facts: dict[Any, Any]
    last: dict[str, int]
    deleted: dict[str, Any]


def kept() -> tuple[dict[_PLACE, tuple[Any, ...]], dict[_PLACE, dict[str, bytes]]]:
    lambdas = {
        (account, region): _copied(
            (backend._lambdas._functions, backend._lambdas._aliases, backend._layers._layers),
        )
        for account, regions in list(_all("lambda").items())
        for region, backend in list(regions.items())
        if backend._lambdas._functions or backend._layers._layers
    }
    objects = {
        (account, name): {key: held.value for key, held in bucket.keys.items()}
        for account, backends in list(_all("s3").items())
        for backend in list(backends.values())
        for name, bucket in list(backend.buckets.items())
    }
    return lambdas, objects


def put_back(lambdas: dict[_PLACE, tuple[Any, ...]], objects: dict[_PLACE, dict[str, bytes]]) -> None:
    for account, regions in list(_all("lambda").items()):
        for region, backend in list(regions.items()):
            functions, aliases, layers = _copied(lambdas.get((account, region), ({}, {}, {})))
            storage = backend._lambdas
            storage._functions = functions
            storage._aliases.clear()
            storage._aliases.update(aliases)
            backend._layers._layers = layers
            for group in functions.values():
                for function in (group["latest"], *group["versions"]):
                    storage._arns[function.function_arn] = function
    for account, backends in list(_all("s3").items()):
        for backend in list(backends.values()):
            for name in list(backend.buckets):
                _refilled(backend, name, objects.get((account, name)))


def _all(service: Any) -> Any:
    from moto.backends import get_backend

    return get_backend(service)


def _copied(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    functions, aliases, layers = parts
    return (
        {
            name: {"latest": _twin(group["latest"]), "versions": [_twin(each) for each in group["versions"]]}
            for name, group in functions.items()
        },
        {arn: {name: _twin(alias) for name, alias in held.items()} for arn, held in aliases.items()},
        {name: _layer(layer) for name, layer in layers.items()},
    )


def _twin(held: Any) -> Any:
    made = object.__new__(type(held))
    made.__dict__.update(held.__dict__)
    if "code" in made.__dict__:
        made.code = dict(made.code)
    return made


def _layer(held: Any) -> Any:
    made = _twin(held)
    made.layer_versions = {}
    for number, version in held.layer_versions.items():
        twin = made.layer_versions[number] = _twin(version)
        twin._layer = made
        twin.policy = copy.copy(version.policy)
    return made


def _refilled(backend: Any, bucket: str, wanted: dict[str, bytes] | None) -> None:
    held = {key: each.value for key, each in backend.buckets[bucket].keys.items()}
    for key in held.keys() - (wanted or {}).keys():
        backend.delete_object(bucket, key)
    for key, content in (wanted or {}).items():
        if held.get(key) != content:
            backend.put_object(bucket, key, content)
    if wanted is None:
        del backend.buckets[bucket]
