"""Does everything that an artifact brings import, and does each handler?  Judges what became of the trials."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from lamella.checks.members import sites
from lamella.checks.model import Contents, Finding, Outcome, Severity, Tried
from lamella.checks.trials import SECONDS, Attempt, Trial
from lamella.closure.findings import Provided
from lamella.closure.modules import index_modules, joined, provides
from lamella.facts.tables import provided
from lamella.manifest import Artifact, Distribution
from lamella.target import Target
from lamella.wording import counted

if TYPE_CHECKING:
    from lamella.checks.bench import Tested

NAME = "imports"
# How many of what was not tried are named in the summary
_NAMED = 3
_CANT = "can't be imported"
_UNTRIED = "was not tried to its end"
_GLIBC = re.compile(r"version `GLIBC_(\d+)\.(\d+)' not found")


def imports(trial: Trial, attempt: Attempt, zips: Mapping[str, Contents]) -> dict[str, Finding]:
    """A finding for each module or handler of a trial that was not imported, by its name; "" for the whole trial.

    `zips` maps keys of artifacts to what they hold.
    """
    return _Judge(trial, attempt, zips).findings()


def outcome(tested: Tested, zips: Mapping[str, Contents]) -> Outcome:
    """What became of all trials."""
    found = [finding for _, finding in tested.untried]
    all_, untried = _Counted(), _Counted()
    used: dict[str, None] = {}
    for trial, attempt in tested.attempts:
        failures = imports(trial, attempt, zips)
        found += failures.values()
        all_.add(trial)
        untried.add(trial, {subject for subject, finding in failures.items() if not finding.tried})
        if attempt.standin.distributions and any(tried.runtime for tried in attempt.tried):
            used[attempt.standin.words] = None
    for trial, _ in tested.untried:
        all_.add(trial)
        untried.add(trial)
    findings = tuple(dict.fromkeys(found))
    if tested.untried and not tested.attempts:
        reasons = dict.fromkeys(finding.reason.removeprefix("not tried: ") for _, finding in tested.untried)
        return Outcome(NAME, "; ".join(reasons), findings, tried=False)
    how = "; ".join([tested.how, *used]) if tested.attempts else "none tried in a sandbox"
    return Outcome(NAME, f"{all_.without(untried)} ({how}){untried.names()}", findings)


class _Counted:
    """Modules, distributions and handlers, each of them once."""

    def __init__(self) -> None:
        self.modules: dict[tuple[str, str], None] = {}
        self.distributions: dict[tuple[str, str], None] = {}
        self.handlers: dict[tuple[str, str], None] = {}

    def add(self, trial: Trial, subjects: Collection[str] | None = None) -> None:
        """Those of a trial; with `subjects`, none but these."""
        for artifact, row in trial.distributions:
            self.distributions[row.name, row.version] = None
            for module in row.modules:
                if subjects is None or module in subjects:
                    self.modules[artifact.key, module] = None
        function = trial.function
        if function is not None and (subjects is None or function.handler in subjects):
            self.handlers[function.key, function.handler] = None

    def without(self, untried: _Counted) -> str:
        """``2 modules of 1 distribution, 1 of 2 handlers``."""
        modules = _of(self.modules, untried.modules, "module")
        handlers = f", {_of(self.handlers, untried.handlers, 'handler')}" if self.handlers else ""
        return f"{modules} of {counted(len(self.distributions), 'distribution')}{handlers}"

    def names(self) -> str:
        """``; 1 not tried: `app.handler` ``; "" for none."""
        names = list(dict.fromkeys(name for _, name in (*self.handlers, *self.modules)))
        if not names:
            return ""
        shown = ", ".join(f"`{name}`" for name in names[:_NAMED])
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"; {len(names)} not tried: {shown}{more}"


def _of(all_: Collection[object], untried: Collection[object], noun: str) -> str:
    tried = len(all_) - len(untried)
    return counted(len(all_), noun) if not untried else f"{tried} of {counted(len(all_), noun)}"


class _Judge:
    def __init__(self, trial: Trial, attempt: Attempt, zips: Mapping[str, Contents]) -> None:
        self.trial = trial
        self.attempt = attempt
        self.zips = zips
        self.worked = {tried.subject for tried in attempt.tried if not tried.failed}
        self.owners: dict[str, tuple[Artifact, Distribution]] = {}
        for artifact, row in trial.distributions:
            for module in row.modules:
                self.owners.setdefault(module, (artifact, row))
        self.index = joined(
            [index_modules(zips[one.key].members, sites(one, trial.runtime)) for one in trial.artifacts]
            or [index_modules(())]
        )
        self.runtimes = {module for row in provided(trial.runtime) for module in row.modules}

    def findings(self) -> dict[str, Finding]:
        found = {tried.subject: self.finding(tried) for tried in self.attempt.tried if tried.failed}
        if self.attempt.broken:
            key = (self.trial.function or self.trial.layers[0]).key
            hint = "report this" if self.attempt.image else "choose another `--isolation`, or report this"
            found[""] = Finding(
                NAME, Severity.ERROR, key, "", f"nothing could be tried{self.on}: {self.attempt.broken}", hint
            )
        return found

    def finding(self, tried: Tried) -> Finding:
        artifact, row = self.subject(tried)
        what = f"handler `{tried.subject}`"
        if row is not None:
            what = f"`{tried.subject}` of `{row.name}` {row.version}".rstrip()
        severity, why, hint = self.judged(tried, artifact, row)
        if row is not None and severity is Severity.ERROR and "._" in tried.subject:
            severity = Severity.WARNING  # its distribution's own affair: who is to import it does it where it can
        path, line = self.place(tried, artifact)
        reason = f"{what}{self.on} {why}"
        return Finding(NAME, severity, artifact.key, path, reason, hint, line, tried=not why.startswith(_UNTRIED))

    @property
    def on(self) -> str:
        """The image that it was tried in; of this machine the runtime, where that is not the only one."""
        if self.attempt.image:
            return f" in `{self.attempt.image}`"
        several = any(len(layer.runtimes) > 1 for layer in self.trial.layers)
        return f" on {self.trial.runtime}" if several else ""

    def subject(self, tried: Tried) -> tuple[Artifact, Distribution | None]:
        function = self.trial.function
        if function is not None and tried.subject == function.handler:
            return function, None
        return self.owners[tried.subject]

    def judged(self, tried: Tried, artifact: Artifact, row: Distribution | None) -> tuple[Severity, str, str]:
        """How bad a failure is, what it is, and the way out."""
        by_rule = f'build `{artifact.key}` with profile = "none": if it imports then, a rule took too much'
        by_hand = by_rule if row is not None else "it would fail in Lambda, too: mend it"
        if tried.failed == "time":
            return Severity.ERROR, f"takes longer than {SECONDS} s to import", "what does it wait for?"
        if tried.failed == "ended":
            words = [line for line in tried.noise if line.strip() and not line.startswith(" ")]
            said = f" ({words[0].strip()})" if words and "SIG" in tried.text else ""
            return Severity.ERROR, f"{_CANT}: {tried.text}{said}", by_hand
        text = " ".join(tried.text.split())
        why = f"{tried.kind}: {text}" if text else tried.kind
        if tried.variable:
            hint = f"say what it is in Lambda: `lamella check --env {tried.variable}=…`"
            return Severity.WARNING, f"{_UNTRIED}: it needs the environment variable `{tried.variable}`", hint
        if tried.network:
            hint = "connect in the handler, not while the module is imported"
            lacking = "" if self.attempt.image else ", which the sandbox has not"
            return Severity.WARNING, f"{_UNTRIED}: it wants the network{lacking} ({why})", hint
        if not self.attempt.image and self.is_too_old(tried):
            reason = f"{_UNTRIED}: this machine's glibc is older than Lambda's ({why})"
            return Severity.WARNING, reason, "check it on a newer system"
        if self.attempt.image and _GLIBC.search(text):
            hint = "lock a version with wheels for this glibc; what has no wheel, `lamella build --container` builds"
            return Severity.ERROR, f"{_CANT}: {why}", hint
        if absent := self.absent(tried):
            return self.without(absent, tried, row, why)
        if tried.missing:
            name = tried.missing[0]
            hint = f"`lamella why {artifact.key} {name.replace('.', '/')}.py` says what left it out"
            return Severity.ERROR, f"{_CANT}: {why}", f"{hint}; `keep` brings it back"
        return Severity.ERROR, f"{_CANT}: {why}", by_hand

    def is_too_old(self, tried: Tried) -> bool:
        """Whether native code found less of glibc here than it would in Lambda."""
        wanted = _GLIBC.search(tried.text)
        target = Target(self.trial.runtime, self.trial.architecture)
        return wanted is not None and (int(wanted[1]), int(wanted[2])) <= target.glibc

    def absent(self, tried: Tried) -> list[str]:
        """The top-level names that were not found, and are in no artifact of the trial."""
        tops = dict.fromkeys(name.partition(".")[0] for name in tried.missing)
        return [name for name in tops if provides(self.index, name) is Provided.NO]

    def without(
        self, absent: Sequence[str], tried: Tried, row: Distribution | None, why: str
    ) -> tuple[Severity, str, str]:
        """The judgement on a module that needs what none of the artifacts has."""
        name = absent[0]
        if set(absent) <= self.runtimes:
            standin = self.attempt.standin
            place = "the image" if self.attempt.image else "this machine"
            reason = f"{_UNTRIED}: it needs `{name}`, which the runtime brings and {place} has not"
            reason += f" ({standin.why})" if standin.why else ""
            if self.attempt.image:
                return Severity.NOTE, reason, "AWS's own image has it: leave `run-image` out"
            return Severity.NOTE, reason, f"lock `{name}`, or bring it in a layer, to have it tried"
        if self.trial.foreign:
            arns = ", ".join(f"`{arn}`" for arn in self.trial.foreign)
            reason = f"{_UNTRIED}: {why} ({arns} can't be looked into)"
            return Severity.WARNING, reason, "make sure that this layer brings it"
        if self.trial.alone:
            return (
                Severity.WARNING,
                f"{_UNTRIED}: {why} (no function has just this layer)",
                "attach what brings it, too",
            )
        if row is not None and any(module in self.worked for module in row.modules if module != tried.subject):
            return Severity.WARNING, f"{_CANT}, the rest of it can: {why}", f"bring `{name}` if you use this part"
        return Severity.ERROR, f"{_CANT}: {why}", f"bring what provides `{name}`, in a layer or in bundle"

    def place(self, tried: Tried, artifact: Artifact) -> tuple[str, int | None]:
        """The member and line that an exception came from; else the module's own file."""
        path, _, line = tried.where.rpartition(":")
        name = tried.subject if tried.subject in self.owners else tried.subject.rpartition(".")[0]
        module = name.replace(".", "/")
        for folder in sites(artifact, self.trial.runtime):
            prefix = f"{folder}/" if folder else ""
            if path and prefix + path in self.zips[artifact.key].members:
                return prefix + path, int(line)
        for folder in sites(artifact, self.trial.runtime):
            prefix = f"{folder}/" if folder else ""
            for ending in ("/__init__.py", ".py", "/__init__.pyc", ".pyc"):
                if f"{prefix}{module}{ending}" in self.zips[artifact.key].members:
                    return f"{prefix}{module}{ending}", None
        return "", None
