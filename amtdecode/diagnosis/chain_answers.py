"""What a check of a setup chain means for a machine: fault, weakness, or nothing, and how sure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis.chains import checks, file_chains, leaf_name, moment, presented
from amtdecode.diagnosis.rule import Hit, Missing, possible
from amtdecode.diagnosis.severity import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.artifacts.certificates import Check
    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.chains import Presented
    from amtdecode.diagnosis.rule import Answer, FleetRule, MachineRule
    from amtdecode.provisioning.state import Device, Ref

EXPECTED = {
    "AMT-RCFG-003": {48, 46, 42},
    "AMT-RCFG-005": {48, 42, 46},
    "AMT-RCFG-006": {48, 42, 46},
    "AMT-RCFG-007": {48, 42, 46},
    "AMT-RCFG-041": {48, 42, 46},
    "AMT-CERT-001": {45, 42, 46},
    "AMT-CERT-003": {43, 42, 46},
    "AMT-CERT-004": {43, 42, 46},
}
"""Alerts after the server's Certificate that go with each check (RFC 5246 §7.2.2); other checks may be behind them."""
HANDSHAKE_FAILURE = 40  # goes with any of them
WEAKNESSES = {
    "AMT-CERT-003": Severity.INFO,
    "AMT-CERT-004": Severity.INFO,
    "AMT-CERT-005": Severity.INFO,
    "AMT-CERT-002": Severity.LOW,
    "AMT-RCFG-012": Severity.INFO,
}
"""Checks worth reporting even though the machine took the chain, and how bad they are then."""
REPORTED_WHEN_PASSED = frozenset(("AMT-RCFG-012",))
"""Checks that are made only where something is relied on that not every machine grants."""
MAX_DETAILS = 6
STRICT_FIRMWARE = datetime(2020, 9, 1, tzinfo=UTC)
"""Tiger Lake, the platform of AMT 15, came in September 2020; AMT 15-H and 16 are the first that refuse SHA-1."""


def of_check(rule_id: str) -> MachineRule:
    """The rule that reports one check of the setup chain."""

    def ask(case: Case, device: Device) -> Iterator[Answer]:
        chain = presented(case, device)[-1]
        for check in checks(case, device, chain):
            if check.id == rule_id:
                old = not case.version(device) and _before_strict(case, chain)
                yield from _answer(rule_id, check, chain, old=old)

    return ask


def _before_strict(case: Case, chain: Presented) -> bool:
    """Whether no firmware was sold at the time that refuses what was usual before it."""
    time = moment(chain.session.time if chain.session is not None else case.story.last)
    return time is not None and time < STRICT_FIRMWARE


def _answer(rule_id: str, check: Check, chain: Presented, *, old: bool) -> Iterator[Answer]:
    if check.outcome == "unknown":
        yield Missing(check.explanation if len(check.explanation) < 200 else check.title)
    passed = check.outcome == "pass" and rule_id in REPORTED_WHEN_PASSED
    if check.outcome in ("pass", "unknown") and not passed:
        return
    if chain.accepted and rule_id not in WEAKNESSES:
        return  # the machine took it: whatever the check fears did not happen
    if check.outcome == "warn" and not chain.stop and rule_id not in WEAKNESSES:
        return
    verdict = _verdict(rule_id, check, chain, passed=passed)
    proofs: list[tuple[Ref, str]] = [(chain.proof, _seen(chain))]
    if chain.stop is not None:
        proofs.append((chain.stop.ref, chain.stop.text))
    for what, text, digits in check.compared:
        said = f"{what}: {text} (hex {digits})" if digits else f"{what}: {text}"
        proofs += [(chain.proof, said)]
    proofs += [(chain.proof, detail) for detail in check.details[:MAX_DETAILS]]
    severity = WEAKNESSES.get(rule_id) if chain.accepted or chain.stop is None else None
    if old and check.outcome == "warn" and rule_id in ("AMT-CERT-003", "AMT-CERT-004"):
        severity = Severity.INFO
    if rule_id in WEAKNESSES and verdict == Verdict.CONFIRMED and chain.stop is not None:
        severity = Severity.HIGH  # the machine does refuse it, with what it says to this fault
    values = {"check": check.explanation, "advice": check.fix, "leaf": leaf_name(chain)}
    yield Hit(verdict, proofs, values, severity)


def _verdict(rule_id: str, check: Check, chain: Presented, *, passed: bool) -> Verdict:
    if chain.stop is not None and check.outcome == "fail":
        code = chain.stop.code
        if code < 0 or rule_id not in EXPECTED or code in EXPECTED[rule_id] or code == HANDSHAKE_FAILURE:
            return Verdict.CONFIRMED
        return Verdict.LIKELY
    if check.outcome == "warn":
        return Verdict.POSSIBLE
    return Verdict.CONFIRMED if passed and chain.accepted else Verdict.LIKELY


def _seen(chain: Presented) -> str:
    if chain.session is None:
        return f"the file holds the chain of {leaf_name(chain)}"
    further = counted(len(chain.certificates) - 1, "further certificate")
    return f"{chain.session.client} presents {leaf_name(chain)} and {further}"


def of_files(rule_id: str) -> FleetRule:
    """The rule that reports one check of the chains in the files given, unless the wire showed them too."""

    def ask(case: Case) -> Iterator[Answer]:
        from amtdecode.artifacts.certificates import check_chain

        for chain in file_chains(case):
            if any(presented(case, device) for device in case.story.devices):
                return  # reported machine by machine
            known: dict[object, list[Check]] = case.shared.setdefault("file checks", {})
            if chain.certificates not in known:
                known[chain.certificates] = list(check_chain(chain.certificates, at_time=moment(case.story.last)))
            for check in known[chain.certificates]:
                if check.id == rule_id and check.outcome == "fail":
                    sides = [(chain.proof, f"{side.what}: {side.text}") for side in check.compared]
                    name = chain.certificates[0].subject
                    yield possible(
                        (chain.proof, f"chain of {name}"), *sides, check=check.explanation, advice=check.fix, leaf=name
                    )

    return ask
