"""What a rule is: one declaration with the function that asks; its text stands beside it (rules/*.toml)."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.provisioning.state import Device, Ref

if TYPE_CHECKING:
    from amtdecode.diagnosis.need import Need
    from amtdecode.diagnosis.question import Question

TEXTS = os.path.join(os.path.dirname(__file__), "rules")
SEVERITY_WORDS = {
    **{str(severity): severity for severity in Severity},
    "crit": Severity.CRITICAL,
    "med": Severity.MEDIUM,
    "possible": Severity.LOW,
    "by code": Severity.MEDIUM,
    "high (RCFG) / low (PSK)": Severity.HIGH,
    "high / med": Severity.MEDIUM,
    "high / low": Severity.HIGH,
    "info/low": Severity.INFO,
    "info/med": Severity.INFO,
    "info→high": Severity.HIGH,
    "med→crit": Severity.MEDIUM,
    "med (crit if AMT-REPLAY-001)": Severity.MEDIUM,
    "med; high if ≥3 in 1 h": Severity.MEDIUM,
    "high if AD used": Severity.MEDIUM,
    "info without Kerberos / high with": Severity.INFO,
}
"""The words of the catalogue, and the severity each stands for unless the answer says another."""


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule says, in an administrator's words. `{names}` are filled in from the evidence."""

    title: str
    severity: str  # a word of the catalogue, a key of SEVERITY_WORDS
    layer: str  # infrastructure, SCS, console, firmware or drivers, client
    evidence: str  # what it looks at
    explanation: str
    fix: str
    source: str
    meaning: str = ""  # for its page, where `explanation` is filled in by a check or a table
    remedy: str = ""  # likewise for `fix`
    blocks: bool = False  # when confirmed, it explains why later steps are absent
    absence: bool = False  # it reports that something is absent, which an earlier failure explains
    silenced_by: tuple[str, ...] = ()  # findings of the same machine that say the same, better; "AMT-LOG-*": any such
    behind: tuple[Literal["name", "root", "key", "date"], ...] = ()  # it names no cause: doubts of these come first
    lasting: bool = False  # a success does not make up for it
    fallback: bool = False  # said only where nothing else above info is

    @property
    def level(self) -> Severity:
        """The severity, unless an answer says another."""
        return SEVERITY_WORDS[self.severity]


class Hit(NamedTuple):
    """A rule's yes."""

    verdict: Verdict
    proofs: list[tuple[Ref, str]]
    values: dict[str, Any]
    severity: Severity | None = None
    about: Device | None = None  # the machine, where a rule about all of them found one


class Missing(NamedTuple):
    """A rule's "cannot tell": what was missing, where that shows only while it looks."""

    what: str


class Met(NamedTuple):
    """A prerequisite is met: what shows it. `preflight` says so; `diagnose` passes over it.

    `doubt`: what may still go wrong, where sources disagree or the evidence is of another kind.
    """

    what: str
    proofs: tuple[tuple[Ref, str], ...] = ()
    doubt: str = ""


Answer = Hit | Missing | Met
MachineRule = Callable[[Case, Device], Iterator[Answer]]
FleetRule = Callable[[Case], Iterator[Answer]]


class Rule(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One rule: what it asks, of whom, and what it needs. Own rules bring their text; ours have it in rules/*.toml."""

    id: str
    question: Question
    of_machine: MachineRule | None = None
    """Asked of every machine."""
    of_fleet: FleetRule | None = None
    """Asked once, of all machines and files together."""
    when: tuple[Need, ...] = ()
    """It concerns only machines, or inputs, that meet these: of others the answer is no, and nothing is said."""
    needs: tuple[Need, ...] = ()
    """Evidence without which nobody can tell: the first that is lacking is said under "not judged".

    `of_fleet` waits only for those that are asked of the inputs as a whole.
    """
    causes_refusal: bool = False
    """A certificate that breaks it is refused for its own sake: when confirmed, it ranks among the causes."""
    text: Text | None = None


class Rules:
    """Declarations about one question, asked in the order in which they stand."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.declared: list[Rule] = []

    def machine(
        self, rule_id: str, *, when: tuple[Need, ...] = (), needs: tuple[Need, ...] = ()
    ) -> Callable[[MachineRule], MachineRule]:
        """Declare the function below as a rule about one machine."""

        def declare(function: MachineRule) -> MachineRule:
            self.add(Rule(id=rule_id, question=self.question, of_machine=function, when=when, needs=needs))
            return function

        return declare

    def fleet(
        self, rule_id: str, *, when: tuple[Need, ...] = (), needs: tuple[Need, ...] = ()
    ) -> Callable[[FleetRule], FleetRule]:
        """Declare the function below as a rule about all machines and files together."""

        def declare(function: FleetRule) -> FleetRule:
            self.add(Rule(id=rule_id, question=self.question, of_fleet=function, when=when, needs=needs))
            return function

        return declare

    def add(self, rule: Rule) -> None:
        """Declare a rule made by hand."""
        self.declared.append(rule)


def confirmed(
    *proofs: tuple[Ref, str], severity: Severity | None = None, about: Device | None = None, **values: object
) -> Hit:
    """Protocol evidence proves it."""
    return Hit(Verdict.CONFIRMED, list(proofs), values, severity, about)


def likely(
    *proofs: tuple[Ref, str], severity: Severity | None = None, about: Device | None = None, **values: object
) -> Hit:
    """The pattern fits, and little else does."""
    return Hit(Verdict.LIKELY, list(proofs), values, severity, about)


def possible(*proofs: tuple[Ref, str], severity: Severity | None = None, **values: object) -> Hit:
    """Only the circumstances suggest it."""
    return Hit(Verdict.POSSIBLE, list(proofs), values, severity)


def texts() -> dict[str, Text]:
    """The texts of our own rules by id, in their order."""
    return {rule_id: _text(rule_id) for rule_id in _sections()}


def has_text(rule_id: str) -> bool:
    """Whether one of our own rules has this id."""
    return rule_id in _sections()


def text_of(rule: Rule) -> Text:
    """What a rule says. `KeyError` for one that brings no text and has none here."""
    return rule.text or _text(rule.id)


@functools.cache
def _text(rule_id: str) -> Text:
    import tomllib

    return msgspec.convert(tomllib.loads(_sections()[rule_id])[rule_id], Text)


@functools.cache
def _sections() -> dict[str, str]:
    """The lines of each text, unread: reading TOML takes time, and most rules have nothing to say."""
    found: dict[str, str] = {}
    for name in sorted(os.listdir(TEXTS)):
        if name.endswith(".toml"):
            with open(os.path.join(TEXTS, name), encoding="utf-8") as file:
                _, *sections = file.read().split("\n[")
            found |= {section.partition("]")[0]: f"[{section}" for section in sections}
    return found


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "(not known)"


def fill(text: str, values: dict[str, Any]) -> str:
    """A text with its `{names}` filled in; a name without a value reads "(not known)"."""
    return text.format_map(_Blank(values)) if "{" in text else text
