"""AMT-RMCP-* and AMT-PET-*: whether AMT answers pings, what its pong says, and what the machine reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import ONE_DIRECTION, TOO_SHORT, absent
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.protocols.pet.fields import SEVERITIES
from amtdecode.protocols.rmcp.fields import PROVISIONING, STATUSES
from amtdecode.provisioning.sight import long_enough, one_direction
from amtdecode.provisioning.state.incidents import PlatformAlert, Pong, SessionRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

PINGS = 3  # in vain: consoles ask twice or so where a datagram is lost
SILENT_SINCE = (16, 1)  # AMT no longer listens on 623 (Intel AMT guide, security considerations)
CRITICAL, NON_CRITICAL = 0x10, 0x08  # severities of PET

RULES = Rules(Question.ENVIRONMENT)


@RULES.machine("AMT-RMCP-002", when=(needs.PINGED,))
def nobody_answers_pings(case: Case, device: Device) -> Iterator[Answer]:
    for address in device.addresses:
        query = case.story.pings.get(address)
        if query is None or query.answered or query.count < PINGS or Pong in device.incidents:
            continue
        if version_tuple(case.version(device)) >= SILENT_SINCE:
            continue
        if one_direction(case.story):
            yield Missing(ONE_DIRECTION)
        elif not long_enough(case.story, query.last_time):
            yield Missing(TOO_SHORT)
        else:
            answer = absent(case)
            proof = (query.ref, f"{query.asker} pings {address} by RMCP, {counted(query.count, 'time')} in vain")
            yield answer(proof, address=address, count=query.count)


@RULES.machine("AMT-RMCP-003", when=(needs.incident(SessionRefused),))
def session_refused(_case: Case, device: Device) -> Iterator[Answer]:
    for refused in device.incidents_of(SessionRefused):
        what = STATUSES.get(refused.status, f"status {refused.status}")
        proof = (refused.ref, f"answer to {refused.client}: status {refused.status}, {what}")
        yield confirmed(proof, what=what, client=refused.client, count=refused.count)


@RULES.machine("AMT-PET-001", when=(needs.incident(PlatformAlert),))
def alerts(_case: Case, device: Device) -> Iterator[Answer]:
    for alert in device.incidents_of(PlatformAlert):
        level = Severity.INFO
        if alert.severity >= NON_CRITICAL:
            level = Severity.MEDIUM if alert.severity >= CRITICAL else Severity.LOW
        said = SEVERITIES.get(alert.severity, f"severity {alert.severity}")
        proof = (alert.ref, f"alert to {alert.receiver}: {alert.event} ({said}), {counted(alert.count, 'time')}")
        yield confirmed(proof, severity=level, event=alert.event, said=said, receiver=alert.receiver)


@RULES.machine("AMT-RMCP-001", when=(needs.incident(Pong),))
def answers_pings(_case: Case, device: Device) -> Iterator[Answer]:
    pong = device.incidents_of(Pong)[-1]
    version = pong.version or "before 6.0"
    state = "state not told" if pong.state is None else PROVISIONING.get(pong.state, f"state {pong.state}")
    where = f"port {pong.port} open" if pong.port else "no port open"
    yield confirmed(
        (pong.ref, f"pong of AMT: version {version}, {state}, {where}"), version=version, state=state, where=where
    )
