"""What a rule is: a function that asks one question, and its texts, which are data (rules/*.toml)."""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from amtdecode.diagnosis.site import NOBODY

if TYPE_CHECKING:
    from amtdecode.diagnosis.report import Severity, Verdict
    from amtdecode.diagnosis.site import Machine, Site
    from amtdecode.provisioning.facts import Device, Ref, Story

# the words of the catalogue, and the word of the report each stands for unless the rule itself says more
SEVERITY_WORDS: dict[str, Severity] = {
    "crit": "critical",
    "high": "high",
    "med": "medium",
    "low": "low",
    "info": "info",
    "possible": "low",
    "by code": "medium",
    "high (RCFG) / low (PSK)": "high",
    "high / med": "medium",
    "info/low": "info",
    "info/med": "info",
    "info→high": "high",
    "med→crit": "medium",
    "med (crit if AMT-REPLAY-001)": "medium",
    "med; high if ≥3 in 1 h": "medium",
    "high if AD used": "medium",
    "info without Kerberos / high with": "info",
}

# the order in which one failure causes the next
QUESTIONS = ("network", "names", "hello", "contact", "psk", "rcfg", "application", "logs")
# asked beside the chain: they neither silence nor are silenced by it
ASIDE = ("security", "certificates", "versions", "environment")

# certificates that a machine refuses for their own sake stop setup as the other checks of the chain do
CAUSES = frozenset(("AMT-CERT-001", "AMT-CERT-003", "AMT-CERT-004", "AMT-CERT-005"))
RANKS = {"network": 0, "names": 1, "hello": 2, "contact": 3, "psk": 4, "rcfg": 4, "application": 5, "logs": 6}


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule says, in an administrator's words. `{names}` are filled in from the evidence."""

    title: str
    severity: str  # a word of the catalogue
    layer: str  # infrastructure, SCS, console, firmware or drivers, client
    evidence: str  # what it looks at
    explanation: str
    fix: str
    source: str
    meaning: str = ""  # for its page, where `explanation` is filled in by a check or a table
    remedy: str = ""  # likewise for `fix`
    blocks: bool = False  # when confirmed, it explains why later steps are absent
    absence: bool = False  # it reports that something is absent, which an earlier failure explains
    silenced_by: tuple[str, ...] = ()  # findings of the same machine that say the same, better


class Hit(NamedTuple):
    """A rule's yes."""

    verdict: Verdict
    proofs: list[tuple[Ref, str]]
    values: dict[str, Any]
    severity: Severity | None = None


class Missing(NamedTuple):
    """A rule's "cannot tell": the evidence that was missing."""

    what: str


Answer = Hit | Missing
Value = TypeVar("Value")


class Case(NamedTuple):
    """What a rule may ask."""

    story: Story
    site: Site
    shared: dict[Any, Any]  # results worth computing once, by name

    def machine(self, device: Device) -> Machine:
        """What the site file says of a machine."""
        if not self.site.machine:
            return NOBODY
        return self.site.of(device.uuid, [address.text for address in device.addresses], device.fqdn)

    def version(self, device: Device) -> str:
        """AMT version: seen on the wire, else told; "" when unknown."""
        return device.amt_version or self.machine(device).amt_version or self.site.amt_version


def per_machine(function: Callable[[Case, Device], Value]) -> Callable[[Case, Device], Value]:
    """Remember the answer about the latest machine: many rules ask the same of one in turn."""

    @functools.wraps(function)
    def ask(case: Case, device: Device) -> Value:
        known = case.shared.get(function)
        if known is not None and known[0] is device:
            return known[1]  # type: ignore[no-any-return]
        answer = function(case, device)
        case.shared[function] = (device, answer)
        return answer

    return ask


DeviceRule = tuple[str, Callable[["Case", "Device"], Iterator[Answer]]]
FleetRule = tuple[str, Callable[["Case"], Iterator[Answer]]]


def confirmed(*proofs: tuple[Ref, str], severity: Severity | None = None, **values: object) -> Hit:
    """Protocol evidence proves it."""
    return Hit("confirmed", list(proofs), values, severity)


def likely(*proofs: tuple[Ref, str], severity: Severity | None = None, **values: object) -> Hit:
    """The pattern fits, and little else does."""
    return Hit("likely", list(proofs), values, severity)


def possible(*proofs: tuple[Ref, str], severity: Severity | None = None, **values: object) -> Hit:
    """Only the surroundings suggest it."""
    return Hit("possible", list(proofs), values, severity)


@functools.cache
def texts() -> dict[str, tuple[str, Text]]:
    """Every rule's question and text, by id, in the order of the questions."""
    folder = resources.files("amtdecode.diagnosis") / "rules"
    found: dict[str, tuple[str, Text]] = {}
    for question in QUESTIONS + ASIDE:
        table = tomllib.loads((folder / f"{question}.toml").read_text("utf-8"))
        for rule_id, entry in table.items():
            found[rule_id] = (question, msgspec.convert(entry, Text))
    return found


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "unknown"


def fill(text: str, values: dict[str, Any]) -> str:
    """A text with its `{names}` filled in; a name without a value reads "unknown"."""
    return sys.intern(text.format_map(_Blank(values)))  # a fleet repeats itself
