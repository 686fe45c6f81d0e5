"""AMT-REDIR-*: why a console, a drive or a screen of a machine does not come up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.contacts import contacts
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, possible
from amtdecode.protocols.redir.names import STATUSES
from amtdecode.provisioning.state.incidents import ConsoleDeaf, RedirectionRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

BUSY, UNSUPPORTED = 2, 3
WORDS = {"SOL": "the console (SOL)", "IDER": "the drives (IDE-R, USB-R)", "KVM": "the screen (KVM)"}
CAUSES = {
    BUSY: (
        "another console has a session of this kind: AMT allows one at a time",
        "End the other session; where none is left, close it with the next login, or wait for its timeout.",
    ),
    UNSUPPORTED: (
        "this firmware does not have it, or it is switched off",
        "Switch it on (AMT_RedirectionService, for KVM CIM_KVMRedirectionSAP; in MEBx if need be), or do without.",
    ),
}
OTHER = ("AMT gives no reason", "Try again; look whether redirection is switched on, and restart the session.")

RULES = Rules(Question.APPLICATION)


@RULES.machine("AMT-REDIR-001", when=(needs.incident(RedirectionRefused),))
def refused(_case: Case, device: Device) -> Iterator[Answer]:
    for each in device.incidents_of(RedirectionRefused):
        what, status = WORDS.get(each.session, "redirection"), STATUSES.get(each.status, f"status {each.status}")
        cause, todo = CAUSES.get(each.status, OTHER)
        proof = (each.ref, f"answer to {each.client}: status {each.status}, {status}, {counted(each.count, 'time')}")
        yield confirmed(proof, what=what, status=status, client=each.client, cause=cause, todo=todo)


@RULES.machine("AMT-REDIR-002", when=(needs.incident(ConsoleDeaf),))
def deaf_console(_case: Case, device: Device) -> Iterator[Answer]:
    deaf = device.incidents_of(ConsoleDeaf)[0]
    proof = (deaf.ref, f"AMT says that the serial port is in loopback mode; {deaf.client} types all the same")
    yield confirmed(proof, client=deaf.client)


@RULES.machine("AMT-REDIR-003", when=(needs.CONTACT,))
def port_closed(case: Case, device: Device) -> Iterator[Answer]:
    for port in (ports.REDIRECTION, ports.REDIRECTION_TLS):
        calls = [each for each in contacts(case, device) if each.port == port]
        if not calls or calls[-1].state != "refused":
            continue
        last, vain = calls[-1], sum(each.state == "refused" for each in calls)
        proof = (last.ref, f"{last.client} to {last.server}:{port}: refused, {counted(vain, 'connection')} in vain")
        tls = port == ports.REDIRECTION_TLS
        other = "redirection inside TLS, which needs a certificate" if tls else "redirection without TLS"
        todo = (
            f"see that TLS is set up on the machine, or use {ports.REDIRECTION}"
            if tls
            else f"where the machine allows TLS only, and from AMT 16.1 on, use {ports.REDIRECTION_TLS}"
        )
        # of a host that nothing else is known of not even AMT is certain
        answer = possible if device.suspected else confirmed
        yield answer(proof, client=last.client, port=port, other=other, todo=todo)
