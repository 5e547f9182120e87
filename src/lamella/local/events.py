"""Sample events for functions: what S3, SQS, API Gateway and others send, with a person's own values.

They are those of AWS's SAM CLI, taken from its wheel, which is pinned here and comes from the package index; nothing of
it is installed or run.  events.toml has the few that it lacks.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella.digests import key_of
from lamella.errors import ArchiveError, UsageError
from lamella.local.pinned import lock, pinned
from lamella.wording import closest, did_you_mean, listed

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Source

LOCK = lock("events.txt")
_OWN = os.path.join(os.path.dirname(LOCK), "events.toml")
_FOLDER = "samcli/lib/generated_sample_events/"
# Mustache's, of which the templates use nothing but this
_PLACEHOLDER = re.compile(r"\{\{\{?([^{}]+)\}?\}\}")


class Value(NamedTuple):
    """What a placeholder stands for.

    `encoding` is "" or what is done to the value: url, base64, md5 or json (which makes it what the text says).
    `of` names the placeholder that it is made from: itself, or the one whose digest it is.
    """

    name: str
    default: str
    encoding: str
    of: str


class Sample(NamedTuple):
    """An event: `template` is JSON with placeholders in its strings, `about` a few words on it."""

    name: str
    about: str
    values: tuple[Value, ...]
    template: str


class Samples:
    """All sample events.  They are fetched once, when first asked for, and then kept in the cache.

    `lock` pins the wheel that they are in; of `settings`, which name the project, only its indexes count.
    Every method raises OfflineError, OutsideError where they can't be had, ArchiveError for a wheel without them.
    """

    def __init__(self, settings: Settings, source: Source, *, path: str = LOCK) -> None:
        self._settings = settings
        self._source = source
        self._lock = path
        self._known: dict[str, Sample] = {}

    def all(self) -> tuple[Sample, ...]:
        """Every event, by its name ("s3:put"); not by its aliases."""
        if not self._known:
            found = [*self._kept(), *_own().values()]
            self._known = {sample.name: sample for sample in sorted(found)}
        return tuple(self._known.values())

    def names(self) -> tuple[str, ...]:
        """Every name and alias, sorted."""
        return tuple(sorted({*(sample.name for sample in self.all()), *aliases()}))

    def find(self, name: str) -> Sample:
        """The event of this name or alias.  Raises UsageError with those that may have been meant."""
        known = {sample.name: sample for sample in self.all()}
        sample = known.get(aliases().get(name, name))
        if sample is None:
            raise _unknown(name, self.names())
        return sample

    def event(self, name: str, values: Mapping[str, str]) -> bytes:
        """The JSON of an event.

        `values` go in for placeholders by their names (`bucket`), or for what stands at a path in the event
        (`Records.0.s3.object.size`), where a number, list, table, true, false and null are written as JSON.
        Raises UsageError for a name or path that is not there, and a value that does not fit.
        """
        sample = self.find(name)
        return json.dumps(filled(sample, values), indent=2, ensure_ascii=False).encode()

    def _kept(self) -> list[Sample]:
        from lamella.revision import revision

        cache = self._source.cache
        with open(self._lock, encoding="utf-8") as file:
            key = key_of(revision(), file.read())
        rows = cache.recall("events", key)
        if rows is None:
            rows = _read(wheel(self._settings, self._source, self._lock), self._source)
            cache.remember("events", key, rows)
        return [Sample(name, about, tuple(Value(*row) for row in values), text) for name, about, values, text in rows]


def filled(sample: Sample, values: Mapping[str, str]) -> Any:
    """The event with these values, as JSON has it.  Raises UsageError."""
    given = {_plain(name): value for name, value in values.items()}
    by_name = {_plain(value.name): value for value in sample.values}
    texts: dict[str, Any] = {}
    for name, value in by_name.items():
        texts[name] = _encoded(sample, value, given.get(_plain(value.of), value.default))
    event = _replaced(json.loads(sample.template), texts)
    for name, text in values.items():
        if _plain(name) not in by_name:
            _put(sample, event, name, text)
    return event


def aliases() -> Mapping[str, str]:
    """Other names of events: alias, name."""
    found: Mapping[str, str] = _table()["aliases"]
    return found


def _table() -> dict[str, Any]:
    import tomllib

    with open(_OWN, "rb") as file:
        return tomllib.load(file)


def _own() -> dict[str, Sample]:
    return {
        row["name"]: Sample(
            row["name"],
            row["about"],
            tuple(Value(name, default, "", name) for name, default in row["values"].items()),
            row["template"],
        )
        for row in _table()["event"]
    }


def wheel(settings: Settings, source: Source, path: str = LOCK) -> Wheel:
    """The SAM CLI's wheel.  Raises OfflineError, OutsideError."""
    from lamella.facts.tables import runtimes
    from lamella.target import Target

    # It is pure Python: which runtime is asked for makes no difference
    *_, runtime = (row for row in runtimes().values() if row.verified)
    target = Target(runtime.name, "x86_64")
    otherwise = ", or give an event of your own with `--event FILE`"
    (found,) = pinned(settings, source, path, target, what="the source of sample events", otherwise=otherwise)
    return found


def _read(found: Wheel, source: Source) -> list[Any]:
    """Rows of name, about, values and template, from the few members that have them."""
    from lamella.archive.entry import DamagedSourceError, Entry, content

    members = {member.name: member for member in found.members}

    def text(name: str) -> str:
        member = members[_FOLDER + name]
        entry = Entry(
            member.name, found.name, member.mode, member.method, member.crc, member.packed, member.size, found.path,
            member.offset, member.packed_crc,
        )  # fmt: skip
        return content(entry).decode()

    try:
        mapping = json.loads(text("event-mapping.json"))
        return [
            (
                f"{service}:{kind}",
                row["help"],
                list(_values(row["tags"])),
                text(f"events/{service}/{row['filename']}.json"),
            )
            for service, kinds in mapping.items()
            for kind, row in kinds.items()
        ]
    except DamagedSourceError as damage:
        source.cache.discard(damage.source)
        raise
    except (KeyError, ValueError) as error:
        raise ArchiveError(f"`{found.filename}` has no sample events", why=[repr(error)]) from None


def _values(tags: Mapping[str, Any]) -> list[Value]:
    found = []
    for name, row in tags.items():
        encoding = "json" if row.get("type") == "dict" else row.get("encoding", "")
        found.append(Value(name, row["default"], encoding, name))
        children = row.get("children") or {}
        found += [Value(child, row["default"], told["hashing"], name) for child, told in children.items()]
    return found


def _plain(name: str) -> str:
    """`account-id`, `account_id` and `accountId` are one: templates and their lists of names differ in this."""
    return re.sub(r"[-_]", "", name).lower()


def _encoded(sample: Sample, value: Value, text: str) -> Any:
    match value.encoding:
        case "url":
            from urllib.parse import quote_plus

            # As S3 writes keys: "red flower.jpg" is red+flower.jpg (S3 User Guide: Event message structure)
            return quote_plus(text, safe="/")
        case "base64":
            import base64

            return base64.b64encode(text.encode()).decode()
        case "md5":
            import hashlib

            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        case "json":
            try:
                return json.loads(text)
            except ValueError:
                raise UsageError(
                    f"`{value.name}` of `{sample.name}` is JSON, and `{text}` is not",
                    hint=f"write it as in `--set '{value.name}={value.default}'`",
                ) from None
    return text


def _replaced(part: Any, texts: Mapping[str, Any]) -> Any:
    """The part of an event with every placeholder replaced.  One that nobody knows becomes nothing, as SAM has it."""
    if isinstance(part, dict):
        return {_replaced(key, texts): _replaced(inner, texts) for key, inner in part.items()}
    if isinstance(part, list):
        return [_replaced(inner, texts) for inner in part]
    if not isinstance(part, str):
        return part
    whole = _PLACEHOLDER.fullmatch(part)
    if whole:
        return texts.get(_plain(whole[1].strip()), "")
    return _PLACEHOLDER.sub(lambda found: str(texts.get(_plain(found[1].strip()), "")), part)


def _put(sample: Sample, event: Any, path: str, text: str) -> None:
    """Replace what stands at `path` in the event."""
    *way, last = path.split(".")
    place = event
    try:
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        at: Any = int(last) if isinstance(place, list) else last
        there = place[at]
    except (KeyError, IndexError, ValueError, TypeError):
        raise _no_value(sample, event, path) from None
    if isinstance(there, str):
        place[at] = text
        return
    try:
        place[at] = json.loads(text)
    except ValueError:
        raise UsageError(
            f"`{path}` of `{sample.name}` takes JSON, and `{text}` is none",
            why=[f"`{json.dumps(there)[:100]}` stands there"],
            hint=f"a text is written in quotes: `--set '{path}=\"{text}\"'`",
        ) from None


def _no_value(sample: Sample, event: Any, path: str) -> UsageError:
    names = [value.name for value in sample.values if value.of == value.name]
    tops = list(event) if isinstance(event, dict) else []
    return UsageError(
        f"the sample event `{sample.name}` has no `{path}`",
        why=[f"it has the values {listed(names)}" if names else "it has no values by name"],
        hint=did_you_mean(path, names if "." in path else [*names, *tops])
        or "a path leads to anything else: " + ", ".join(f"`{name}`" for name in tops[:4]) + " and what is below",
    )


def _unknown(name: str, names: tuple[str, ...]) -> UsageError:
    service = name.partition(":")[0]
    same = [other for other in names if other.partition(":")[0] == service]
    services = sorted({other.partition(":")[0] for other in names})
    meant = closest(name, names)
    if same:
        hint = f"there is {', '.join(f'`{other}`' for other in same)}"
    elif meant:
        hint = f"did you mean `{meant}`?"
    else:
        hint = f"there are events of {', '.join(services)}"
    return UsageError(f"there is no sample event `{name}`", hint=hint)
