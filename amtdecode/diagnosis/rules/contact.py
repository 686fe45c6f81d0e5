"""AMT-CONN-*: whether the server came back to the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.contacts import contacts, setup_contacts, swept, to_former_address
from amtdecode.diagnosis.phrases import quoted, seconds
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import absent, unseen_answer
from amtdecode.diagnosis.site import within
from amtdecode.provisioning.state import Outcome
from amtdecode.provisioning.state.incidents import Commit, ContactElsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref, Session

RESET_BY_MACHINE = "The firmware restarted, another process works on the machine (error 137), or a time ran out."
RESET_BY_SERVER = "{server} gave up: its service stopped, it did not like an answer, or a time ran out."
AFTER_MACHINE = (
    "Try again; if it repeats, cut the power of the machine for a moment so that the Management Engine restarts, and "
    "update its firmware."
)
AFTER_SERVER = "Read the log of {server} at the time of the reset; the machine did not end the connection."

ASKED_OFTEN = 3  # times by ARP: a host asks once a second, and gives up
RULES = Rules(Question.CONTACT)


@RULES.machine("AMT-CONN-003", when=(needs.CONTACT_OR_ELSEWHERE,))
def wrong_address(case: Case, device: Device) -> Iterator[Answer]:
    yield from _former_address(case, device)
    hello = device.last_hello
    contact = next(iter(device.incidents_of(ContactElsewhere)), None)
    if contact is None:
        return
    known = f"; {quoted(contact.name)} was looked up before" if contact.name else ""
    proofs: list[tuple[Ref, str]] = [(hello.ref, f"the latest hello comes from {hello.source}")] if hello else []
    proofs.append((contact.ref, f"{contact.server} contacts {contact.address}{known}"))
    answer = confirmed if contact.name else likely
    yield answer(*proofs, address=hello.source if hello else "", other=contact.address, former="")


def _former_address(case: Case, device: Device) -> Iterator[Answer]:
    """The machine moved to a new lease, and the server calls the address it had before."""
    tried = setup_contacts(case, device)
    if not tried or tried[-1].connected:
        return
    last = tried[-1]
    moved = to_former_address(device, last)
    if moved is None:
        return
    calls = [s for s in tried if s.server == last.server and not s.connected and to_former_address(device, s)]
    earlier = next((hello for hello in device.hellos if hello.source == last.server), None)
    proofs: list[tuple[Ref, str]] = [(earlier.ref, f"an earlier hello comes from {last.server}")] if earlier else []
    proofs.append((moved.ref, moved.text))
    proofs += [(s.ref, f"{s.client} calls {s.server}:{s.port}: {s.state}") for s in calls[-3:]]
    said = " That is the address the machine had before: it has moved since, and the record of its name has not."
    yield confirmed(*proofs, address=moved.address, other=last.server, former=said)


@RULES.machine("AMT-CONN-009", when=(needs.SETUP_CONTACT,))
def over_wireless(case: Case, device: Device) -> Iterator[Answer]:
    machine = case.machine(device)
    networks = case.site.network.wireless
    if not networks and not machine.link:
        if not device.hellos and setup_contacts(case, device):
            yield Missing("which addresses are wireless (--site: network.wireless)")
        return
    for session in setup_contacts(case, device):
        if any(hello.source == session.server for hello in device.hellos):
            continue
        if any(attempt.outcome == Outcome.COMMITTED and session in attempt.sessions for attempt in device.attempts):
            continue
        if within(session.server, networks) or machine.link == "wireless":
            yield likely(
                (session.ref, f"{session.client} connects to the wireless address {session.server}:{session.port}"),
                address=session.server,
            )
            return


@RULES.machine("AMT-CONN-002", when=(needs.SETUP_CONTACT,))
def refused(case: Case, device: Device) -> Iterator[Answer]:
    tried = setup_contacts(case, device)
    if not tried or tried[-1].state != "refused":
        return
    turned = [session for session in tried if session.state == "refused"]
    last = turned[-1]
    if to_former_address(device, last) is not None:
        return  # AMT-CONN-003
    open_ports = sorted({session.port for session in tried if session.connected})
    proofs = [(s.ref, f"{s.client} to {s.server}:{s.port}: refused (RST)") for s in turned[-3:]]
    hint = f"; port {open_ports[0]} does answer" if open_ports else ""
    other = device.committed and open_ports and last.port not in open_ports  # set up, and managed on the other port
    severity: Severity | None = Severity.INFO if other or swept(case, device, last.client) else None
    yield confirmed(*proofs, severity=severity, port=last.port, hint=hint)


@RULES.machine("AMT-CONN-001", when=(needs.CONTACT_OR_HELLO,))
def no_answer(case: Case, device: Device) -> Iterator[Answer]:
    tried = contacts(case, device)
    if not tried:
        yield from _not_found(case, device)
    if not tried or tried[-1].state != "unanswered":
        return
    silent = [session for session in tried if session.state == "unanswered"]
    last = silent[-1]
    if to_former_address(device, last) is not None:
        return  # AMT-CONN-003
    proofs: list[tuple[Ref, str]] = [
        (s.ref, f"{s.client} to {s.server}:{s.port}: {s.syn_count} SYN, no answer") for s in silent[-3:]
    ]
    error = case.story.icmp.get(last.server)
    if error:
        proofs.append((error.ref, f"ICMP: {error.meaning}, says {error.reporter}"))
    arp = case.story.arp.get(last.server)
    nobody = arp is not None and not arp.answered and arp.count > 1
    if arp is not None and nobody:
        proofs.append((arp.ref, f"ARP asks {arp.count} times who has {last.server}; nobody answers"))
    lacking = None if error else unseen_answer(case, last)
    if lacking is not None:
        yield lacking
        return
    if last.syn_count < 2 and len(silent) < 2 and not error and not nobody:
        yield Missing("the capture ends before the server repeats its unanswered SYN")
        return
    severity: Severity | None = Severity.INFO if swept(case, device, last.client) else None
    answer = absent(case)
    yield answer(*proofs, severity=severity, address=last.server, port=last.port, server=last.client)


def _not_found(case: Case, device: Device) -> Iterator[Answer]:
    """A server in the machine's own network asks for it by ARP first, and without an answer sends no SYN."""
    hello = device.last_hello
    arp = case.story.arp.get(hello.source) if hello is not None else None
    if hello is None or arp is None or arp.answered or arp.count < ASKED_OFTEN or arp.asker != hello.destination:
        return
    if arp.time is None or hello.time is None or arp.time < hello.time:
        return
    yield likely(
        (hello.ref, f"hello from {hello.source}"),
        (arp.ref, f"ARP: {arp.asker} asks {arp.count} times who has {hello.source}; nobody answers"),
        address=hello.source,
        port=ports.HTTPS,
        server=arp.asker,
    )


@RULES.machine("AMT-CONN-005", when=(needs.CONTACT,))
def reset(case: Case, device: Device) -> Iterator[Answer]:
    for session in contacts(case, device):
        if not session.broken_by or not session.client_bytes or not session.server_bytes:
            continue
        tls = session.handshake
        if tls is not None:
            if not (tls.requests and tls.answers):
                continue
            if tls.alerts:
                continue  # the end was announced: close_notify, then RST, is how Windows closes
        elif not session.messages:
            continue
        machine = session.broken_by == "server"
        who = "the machine" if machine else session.client
        done = any(commit.connection == session.number for commit in device.incidents_of(Commit))
        yield confirmed(
            (session.ref, f"{session.client} to {session.server}:{session.port}"),
            (session.last_ref, f"RST by {who} after data was exchanged"),
            severity=Severity.INFO if done else None,
            who=who,
            port=session.port,
            why=RESET_BY_MACHINE if machine else RESET_BY_SERVER.format(server=session.client),
            advice=AFTER_MACHINE if machine else AFTER_SERVER.format(server=session.client),
        )
        return


@RULES.machine("AMT-CONN-007", when=(needs.SETUP_CONTACT,), needs=(needs.SCS_ADDRESSES,))
def stranger(case: Case, device: Device) -> Iterator[Answer]:
    allowed = case.site.scs.addresses
    tried = setup_contacts(case, device)
    strangers = {s.client: s for s in tried if s.setup and not within(s.client, allowed)}
    for session in strangers.values():
        yield confirmed(
            (session.ref, f"{session.client} connects to {session.server}:{session.port} for setup"),
            server=session.client,
            allowed=", ".join(allowed),
        )


@RULES.machine("AMT-CONN-004", when=(needs.CONTACT,))
def opened_for_nothing(case: Case, device: Device) -> Iterator[Answer]:
    empty = [
        session
        for session in contacts(case, device)
        if session.state in ("closed", "reset")
        and session.syn_count
        and not session.client_bytes
        and not session.server_bytes
        and session.whole
    ]
    if empty:
        probe = device.committed or any(
            session.client == empty[-1].client and session.client_bytes and _after(session, empty[-1])
            for session in contacts(case, device)
        )
        proofs = [(s.ref, f"{s.client} to {s.server}:{s.port}: opened and closed, no data") for s in empty[-3:]]
        severity: Severity | None = Severity.INFO if probe else None
        yield confirmed(*proofs, severity=severity, port=empty[-1].port, server=empty[-1].client)


def _after(session: Session, other: Session) -> bool:
    return session.time is not None and other.time is not None and session.time > other.time


@RULES.machine("AMT-CONN-006", needs=(needs.HELLO,))
def another_server(case: Case, device: Device) -> Iterator[Answer]:
    asked = {hello.destination for hello in device.hellos}
    allowed = case.site.scs.addresses
    for session in setup_contacts(case, device):
        if session.client not in asked and session.setup and (not allowed or within(session.client, allowed)):
            yield confirmed(
                (device.hellos[0].ref, f"hello to {', '.join(sorted(asked))}"),
                (session.ref, f"{session.client} connects back to {session.server}:{session.port}"),
                asked=", ".join(sorted(asked)),
                server=session.client,
            )
            return


@RULES.machine("AMT-CONN-008", when=(needs.SETUP_CONTACT,))
def delayed(case: Case, device: Device) -> Iterator[Answer]:
    limit = int(case.site.policy.slow_contact_seconds * 1e9)
    for session in setup_contacts(case, device):
        if session.setup and session.connected and session.after_gap > limit:
            hello = device.hellos[0] if device.hellos else None
            proofs: list[tuple[Ref, str]] = [(hello.ref, "hello")] if hello else []
            proofs.append((session.ref, f"connect-back {seconds(session.after_gap)} after the latest hello"))
            yield confirmed(*proofs, gap=seconds(session.after_gap))
            return
