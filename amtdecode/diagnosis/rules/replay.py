"""AMT-REPLAY-*: hellos that are not what they seem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.phrases import seconds
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, likely
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.provisioning.attempts import unprovisioned
from amtdecode.provisioning.state import Outcome
from amtdecode.provisioning.state.placeholders import tells_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Hello, Ref

REPLAY_SECONDS = 60.0  # the shortest interval of one machine's hellos

RULES = Rules(Question.SECURITY)


@RULES.machine("AMT-REPLAY-001", when=(needs.ATTEMPTS,))
def hello_after_commit(_case: Case, device: Device) -> Iterator[Answer]:
    if unprovisioned(device) or (device.uuid and not tells_apart(device.uuid)):
        return  # a placeholder UUID says nothing of who speaks
    for attempt, later in zip(device.attempts, device.attempts[1:], strict=False):
        if attempt.outcome != Outcome.COMMITTED or not later.hellos:
            continue
        hello = later.hellos[0]
        before = {(h.retry_count, h.pid, h.hashes) for h in attempt.hellos}
        same = (hello.retry_count, hello.pid, hello.hashes) in before
        elsewhere = bool(attempt.hellos) and hello.source != attempt.hellos[-1].source
        severity: Severity | None = Severity.CRITICAL if same and elsewhere else None
        proofs: list[tuple[Ref, str]] = [(attempt.commit, "setup succeeds")]
        proofs.append((hello.ref, f"hello from {hello.source}, no unprovision in between"))
        answer = confirmed if attempt.confidence >= 1 else likely
        yield answer(*proofs, severity=severity, source=hello.source)
        return


@RULES.fleet("AMT-REPLAY-002", when=(needs.SOME_HELLO,))
def replayed(case: Case) -> Iterator[Answer]:
    for device in case.story.devices:
        hellos = device.hellos if tells_apart(device.uuid) else []
        for number, hello in enumerate(hellos):
            for other in hellos[number + 1 :]:
                if _replay(hello, other):
                    proofs = [(each.ref, f"from {each.source} {each.mac}".rstrip()) for each in (hello, other)]
                    known = bool(hello.mac and other.mac)  # else the same host may have got another address
                    yield confirmed(
                        *proofs, about=device, one=_who(hello), other=_who(other), gap=_gap(hello, other)
                    )._replace(
                        verdict=Verdict.CONFIRMED if known else Verdict.LIKELY,
                        severity=None if known else Severity.MEDIUM,
                    )
                    break
            else:
                continue
            break


def _replay(one: Hello, other: Hello) -> bool:
    same = (one.version, one.admin_credentials_set, one.retry_count, one.pid) == (
        other.version, other.admin_credentials_set, other.retry_count, other.pid,
    )  # fmt: skip
    if not same or one.hashes != other.hashes or one.source == other.source:
        return False
    if one.mac and one.mac == other.mac:
        return False
    return one.time is not None and other.time is not None and abs(other.time - one.time) / 1e9 <= REPLAY_SECONDS


def _gap(one: Hello, other: Hello) -> str:
    return seconds((other.time or 0) - (one.time or 0))


def _who(hello: Hello) -> str:
    return f"{hello.source} ({hello.mac})" if hello.mac else hello.source
