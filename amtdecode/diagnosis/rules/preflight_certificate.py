"""AMT-PRE-003 to 006, 015: the setup certificate before the first machine is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.knowledge import root_lists
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Met, Missing, Rule, Rules, confirmed
from amtdecode.diagnosis.setup_chain import hash_lists, judged, setup_chain, versions
from amtdecode.diagnosis.versions import version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer, FleetRule

MAX_SIDES = 6  # of comparisons shown with one answer
CHECKS = {
    "AMT-PRE-003": ("AMT-RCFG-001", "AMT-RCFG-002", "AMT-RCFG-026"),
    "AMT-PRE-004": (
        "AMT-RCFG-005", "AMT-RCFG-006", "AMT-RCFG-007", "AMT-RCFG-008", "AMT-RCFG-041", "AMT-CERT-008",
    ),
    "AMT-PRE-005": ("AMT-RCFG-003", "AMT-RCFG-015", "AMT-HELLO-015", "AMT-HELLO-016"),
    "AMT-PRE-006": ("AMT-RCFG-009", "AMT-RCFG-010"),
    "AMT-PRE-015": ("AMT-CERT-001", "AMT-CERT-002", "AMT-CERT-003", "AMT-CERT-004", "AMT-CERT-005"),
}  # fmt: skip
"""The checks of `cert check` that each prerequisite asks for."""

RULES = Rules(Question.PREFLIGHT)


def _of_checks(rule_id: str) -> FleetRule:
    def ask(case: Case) -> Iterator[Answer]:
        yield from answers(case, rule_id)

    return ask


def _declare(rule_id: str) -> None:
    RULES.add(
        Rule(
            id=rule_id,
            question=Question.PREFLIGHT,
            of_fleet=_of_checks(rule_id),
            when=(needs.BY_PKI,),
            needs=(needs.SETUP_CERTIFICATE,),
        )
    )


def answers(case: Case, rule_id: str) -> Iterator[Answer]:
    """What checks of the chain mean together: each that fails, else what is missing, else that all is well."""
    wanted = CHECKS[rule_id]
    checks = sorted((check for check in judged(case) if check.id in wanted), key=lambda check: wanted.index(check.id))
    chain = setup_chain(case)
    proof = chain.proof if chain is not None else 0
    failed = [check for check in checks if check.outcome == "fail"]
    for check in failed:
        sides = [(proof, f"{side.what}: {side.text}") for side in check.compared[:MAX_SIDES]]
        named = (proof, f"{check.id}, {check.title}")
        yield confirmed(named, *sides, what=check.explanation, advice=check.fix)
    if failed:
        return
    if unknown := next((check for check in checks if check.outcome == "unknown"), None):
        yield Missing(f"{unknown.title}: {said(unknown.explanation)}")
        return
    doubts = [check.explanation for check in checks if check.outcome == "warn"]
    passed = next((check.explanation for check in checks if check.outcome == "pass"), "nothing speaks against it")
    yield Met(said(passed), ((proof, f"chain of {chain.name}"),) if chain is not None else (), said(" ".join(doubts)))


def said(text: str) -> str:
    """The explanation of a check in the words of `preflight`: the options of `cert check` are facts of its site."""
    for option, key in (
        ("Give the hello with --hello.", "Give a capture with the hello of a machine."),
        ("--amt-version", "amt_version"),
        ("--suffix", "dhcp.domains"),
    ):
        text = text.replace(option, key)
    return text.rstrip(".")


_declare("AMT-PRE-003")
_declare("AMT-PRE-004")
_declare("AMT-PRE-015")


@RULES.fleet("AMT-PRE-005", when=(needs.BY_PKI,), needs=(needs.SETUP_CERTIFICATE,))
def root(case: Case) -> Iterator[Answer]:
    yield from answers(case, "AMT-PRE-005") if hash_lists(case) else _by_table(case)


def _by_table(case: Case) -> Iterator[Answer]:
    """Without a hello: what is published of the lists of this version."""
    from amtdecode.artifacts.certificates import order_chain
    from amtdecode.protocols.hello.roots import ROOTS

    chain = setup_chain(case)
    ordered = order_chain(chain.certificates) if chain is not None else None
    if chain is None or ordered is None or not ordered.complete:
        yield Missing("the root of the chain: without it nothing can be compared")
        return
    top = ordered.certificates[-1]
    known = ROOTS.get(top.sha256) or ROOTS.get(top.sha1)
    own = {text.replace(":", "").replace(" ", "").lower() for text in case.site.certificates.roots}
    if own & {top.sha1, top.sha256, top.sha384}:
        yield Met("its hash is among those entered on the machines (certificates.roots)", ((chain.proof, top.subject),))
        return
    name = known.name if known is not None else ""
    told = [text for text in versions(case) if version_tuple(text)]
    rows = {(row.version, row.root): row for row in root_lists()}
    found = [rows.get((".".join(text.split(".")[:2]), name)) for text in told]
    if name and any(row is not None and row.listed == "no" for row in found):
        row = next(row for row in found if row is not None and row.listed == "no")
        text = f"AMT {row.version} does not list {name} from the factory ({row.source})."
        yield confirmed(
            (chain.proof, f"the root is {name}"), what=text, advice="Use a certificate of another authority."
        )
    elif found and all(row is not None for row in found):
        sure = {row.certainty for row in found if row is not None}
        doubt = f"the maker of the machine may have changed the list ({', '.join(sorted(sure))}); its hello shows it"
        yield Met(f"AMT {', '.join(told)} is said to list {name}", ((chain.proof, f"the root is {name}"),), doubt)
    else:
        which = f"the root {name}" if name else "this root, which is none of those known from firmware"
        yield Missing(f"whether the machines list {which}: a capture with a hello, or certificates.roots")


_declare("AMT-PRE-006")
