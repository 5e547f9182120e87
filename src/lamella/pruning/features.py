"""`without`: parts of distributions that somebody asked to leave out."""

from __future__ import annotations

from collections.abc import Sequence

from lamella.errors import ConfigError
from lamella.facts import tables
from lamella.pruning.model import Fate, File
from lamella.pruning.patterns import compiled
from lamella.wording import did_you_mean, listed


def dropped_features(files: Sequence[File], without: Sequence[tuple[str, str]]) -> dict[int, Fate]:
    """The fates of the files of the features in `without`, by their place in `files`.

    Raises ConfigError for a feature or distribution that is not known or not there.
    """
    fates: dict[int, Fate] = {}
    there = {file.distribution for file in files}
    for distribution, name in without:
        feature = _feature(distribution, name, there)
        patterns = compiled(feature.drops)
        found = False
        for place, file in enumerate(files):
            if file.distribution == distribution and patterns.match(file.path, file.path.split("/")):
                found = True
                fates[place] = Fate(False, "without", f"`{distribution}:{name}` is left out: {feature.reason}")
        if not found:
            raise ConfigError(
                f"this version of `{distribution}` has no `{name}`",
                why=[f"no file of it matches {listed(feature.drops)}"],
                hint=f"remove `{distribution}:{name}` from `without`",
            )
    return fates


def _feature(distribution: str, name: str, there: set[str]) -> tables.Feature:
    known = {(feature.distribution, feature.name): feature for feature in tables.features()}
    if feature := known.get((distribution, name)):
        if distribution in there:
            return feature
        raise ConfigError(
            f"`without` is about `{distribution}`, which is not in this artifact",
            hint=did_you_mean(distribution, there) or f"remove `{distribution}:{name}` from `without`",
        )
    own = [feature for of, feature in known if of == distribution]
    if own:
        raise ConfigError(
            f"`{distribution}` has no feature `{name}` that can be left out",
            why=[f"known: {listed(own)}"],
            hint=did_you_mean(name, own) or "name a path in `drop` instead",
        )
    distributions = {of for of, _ in known}
    raise ConfigError(
        f"no feature of `{distribution}` is known",
        why=[f"features are known of {listed(distributions)}"],
        hint=did_you_mean(distribution, distributions) or "name paths in `drop` instead",
    )
