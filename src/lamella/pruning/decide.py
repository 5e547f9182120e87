"""Files → what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lamella.config.model import Rules, Slimming
from lamella.errors import ConfigError
from lamella.gitignore import Matcher, matcher
from lamella.pruning.features import dropped_features
from lamella.pruning.model import UNTOUCHED, Fate, File
from lamella.pruning.needed import Search
from lamella.pruning.rules import Stays, matched
from lamella.pruning.services import dropped_services
from lamella.pruning.sources import code
from lamella.wording import did_you_mean

Native = Callable[[Sequence[File]], Mapping[str, str]]
"""The files that are still kept → the archive's path of each that nothing reaches, with a sentence on that."""


def decide(files: Sequence[File], slimming: Slimming, *, native: Native | None = None) -> list[Fate]:
    """The fate of each file, in order.

    The first of these that is about a file decides: `keep`, `drop`, `without`, `services`, the profile's rules (but
    a module that something kept imports stays), and that nothing reaches it (`native`).  The profile "none", of the
    artifact or of one distribution, switches the last two off, but for what only features of `without` reached.

    Raises ConfigError for a service, feature or distribution that is not there, and when nothing would be left;
    DamagedSourceError.
    """
    own = dict(slimming.distributions)
    _refuse_absent(files, own)
    fates = _by_patterns(files, slimming)
    if slimming.without:
        _fill(fates, dropped_features(files, slimming.without))
    if slimming.services is not None:
        _fill(fates, dropped_services(files, slimming.services))
    profiles = {name: rules.profile or slimming.profile for name, rules in own.items()}
    profile_of = [profiles.get(file.distribution, slimming.profile) for file in files]
    _fill(fates, _by_rules(files, fates, profile_of))
    if native is not None:
        _unreached(files, fates, profile_of, native)
    _refuse_empty(files, fates)
    return [UNTOUCHED if fate is None else fate for fate in fates]


def idle_patterns(files: Sequence[File], slimming: Slimming) -> list[str]:
    """The patterns of `keep` and `drop` that match none of the files, for a note.  Raises ConfigError."""
    idle: list[str] = []
    for key, patterns, distribution in _all_patterns(slimming):
        about = [file for file in files if distribution in (None, file.distribution)]
        for pattern in patterns:
            match = matcher(key, (pattern,))
            # A negation takes matches back, and matches nothing by itself
            if match is not None and not pattern.startswith("!") and not any(_matches(match, file) for file in about):
                idle.append(f"{key}: {pattern}")
    return idle


def _all_patterns(slimming: Slimming) -> list[tuple[str, tuple[str, ...], str | None]]:
    found: list[tuple[str, tuple[str, ...], str | None]] = [
        ("keep", slimming.keep, None),
        ("drop", slimming.drop, None),
    ]
    for name, rules in slimming.distributions:
        found += [(f"distributions.{name}.keep", rules.keep, name), (f"distributions.{name}.drop", rules.drop, name)]
    return found


def _by_rules(files: Sequence[File], fates: Sequence[Fate | None], profile_of: Sequence[str]) -> dict[int, Fate]:
    """The fates that the profiles' rules decide, by their place.  Each source is read once, and none is held."""
    kept = [place for place, fate in enumerate(fates) if fate is None or fate.kept]
    by = matched(
        files, kept, (place for place in kept if fates[place] is None and profile_of[place] != "none"), profile_of
    )
    sure = [place for place in kept if by[place] < 0]
    if len(sure) == len(kept):
        return {}
    stays = Stays(files, by)
    search = Search(files, sure, (place for place in kept if by[place] >= 0))
    for place in sure:
        source = code(files[place])
        if source is not None:
            stays.look(place, source)
            search.look(place, source)
    dropped = stays.dropped()
    for place, who in search.run(sure, dropped).items():
        dropped[place] = Fate(True, dropped[place].rule, f"a rule would drop it, but {who}")
    return dropped


def _refuse_empty(files: Sequence[File], fates: Sequence[Fate | None]) -> None:
    if files and not any(fate is None or fate.kept for fate in fates):
        raise ConfigError(
            "every file of this artifact would be left out",
            why=[f"{len(files)} files match `drop`, `without` or a rule"],
            hint="make the patterns of `drop` narrower, or remove the artifact",
        )


def _refuse_absent(files: Sequence[File], own: Mapping[str, Rules]) -> None:
    if not own:
        return
    there = {file.distribution for file in files}
    for name in own:
        if name not in there:
            raise ConfigError(
                f"`distributions` is about `{name}`, which is not in this artifact",
                hint=did_you_mean(name, there) or "remove it there",
            )


def _by_patterns(files: Sequence[File], slimming: Slimming) -> list[Fate | None]:
    """The fates that `keep` and `drop` decide.  What any `keep` matches stays, whatever a `drop` says."""
    fates: list[Fate | None] = [None] * len(files)
    for rule, kept in (("keep", True), ("drop", False)):
        for key, patterns, distribution in _all_patterns(slimming):
            match = matcher(key, patterns) if key.endswith(rule) else None
            if match is None:
                continue
            fate = Fate(kept, rule, f"`{key}` matches it")
            for place, file in enumerate(files):
                if fates[place] is None and distribution in (None, file.distribution) and _matches(match, file):
                    fates[place] = fate
    return fates


def _matches(match: Matcher, file: File) -> bool:
    return match(file.path) or (file.path != file.entry.path and match(file.entry.path))


def _fill(fates: list[Fate | None], more: Mapping[int, Fate]) -> None:
    for place, fate in more.items():
        if fates[place] is None:
            fates[place] = fate


def _unreached(files: Sequence[File], fates: list[Fate | None], profile_of: Sequence[str], native: Native) -> None:
    featured = [place for place, fate in enumerate(fates) if fate is not None and fate.rule == "without"]
    if not featured and all(profile == "none" for profile in profile_of):
        return
    kept = [place for place, fate in enumerate(fates) if fate is None or fate.kept]
    reasons = native([files[place] for place in kept])
    # What was out of reach before the features went is of no use to a distribution that wants to be left alone
    before = native([files[place] for place in sorted(kept + featured)]) if featured and "none" in profile_of else {}
    for place in kept:
        path = files[place].entry.path
        fate = fates[place]
        if path not in reasons or (fate is not None and fate.rule == "keep"):
            continue
        if profile_of[place] != "none" or (featured and path not in before):
            fates[place] = Fate(False, "unreached", reasons[path])
