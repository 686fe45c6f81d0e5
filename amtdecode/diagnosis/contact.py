"""AMT-CONN-*: whether the server came back to the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.rule import Missing, confirmed, likely, per_machine
from amtdecode.diagnosis.site import within
from amtdecode.diagnosis.words import quoted, seconds
from amtdecode.provisioning.facts import DEVICE_PORTS, SETUP_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.report import Severity
    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule
    from amtdecode.provisioning.facts import Device, Ref, Session

CLOSE_NOTIFY = 0


@per_machine
def contacts(_case: Case, device: Device) -> list[Session]:
    """Connections made to the machine on AMT's ports."""
    own = {address.text for address in device.addresses}
    return [session for session in device.sessions if session.port in DEVICE_PORTS and session.server in own]


@per_machine
def setup_contacts(case: Case, device: Device) -> list[Session]:
    """Those on the ports of setup."""
    return [session for session in contacts(case, device) if session.port in SETUP_PORTS]


def swept(case: Case, device: Device, server: str) -> bool:
    """Whether a console searches its network and this host merely lay on the way: nothing else speaks of AMT on it."""
    known: dict[str, int] | None = case.shared.get("searched")
    if known is None:
        known = case.shared["searched"] = {}
        for other in case.story.devices:
            if not _of_its_own(other):
                for client in {session.client for session in other.sessions}:
                    known[client] = known.get(client, 0) + 1
    return not _of_its_own(device) and known.get(server, 0) >= SEARCH


SEARCH = 16  # hosts without a word of AMT that one console calls in vain: it searches


def _of_its_own(device: Device) -> bool:
    """Whether anything but a failed contact says that this is a machine with AMT."""
    return bool(device.uuid or device.lookups or device.rows or any(session.connected for session in device.sessions))


def no_answer(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-001."""
    tried = contacts(case, device)
    if not tried or tried[-1].state != "unanswered":
        return
    silent = [session for session in tried if session.state == "unanswered"]
    last = silent[-1]
    proofs: list[tuple[Ref, str]] = [
        (s.ref, f"{s.client} to {s.server}:{s.port}: {s.syn_count} SYN, no answer") for s in silent[-3:]
    ]
    error = case.story.icmp.get(last.server)
    if error:
        proofs.append((error.ref, f"ICMP: {error.text}"))
    arp = case.story.arp.get(last.server)
    nobody = arp is not None and not arp.value
    if arp is not None and nobody:
        proofs.append((arp.ref, f"ARP asks {arp.count} times who has {last.server}; nobody answers"))
    if last.syn_count < 2 and len(silent) < 2 and not error and not nobody:
        yield Missing("the capture ends before the server repeats its unanswered SYN")
        return
    severity: Severity | None = "info" if swept(case, device, last.client) else None
    yield confirmed(*proofs, severity=severity, address=last.server, port=last.port, server=last.client)


def refused(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-002."""
    tried = setup_contacts(case, device)
    if not tried or tried[-1].state != "refused":
        return
    turned = [session for session in tried if session.state == "refused"]
    last = turned[-1]
    open_ports = sorted({session.port for session in tried if session.connected})
    proofs = [(s.ref, f"{s.client} to {s.server}:{s.port}: refused (RST)") for s in turned[-3:]]
    hint = f"; port {open_ports[0]} does answer" if open_ports else ""
    severity: Severity | None = "info" if swept(case, device, last.client) else None
    yield confirmed(*proofs, severity=severity, address=last.server, port=last.port, server=last.client, hint=hint)


def wrong_address(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-003."""
    hello = device.last_hello
    for mark in device.marked("contact.elsewhere"):
        known = f"; {quoted(mark.name)} was looked up before" if mark.name else ""
        proofs: list[tuple[Ref, str]] = [(hello.ref, f"the latest hello comes from {hello.source}")] if hello else []
        proofs.append((mark.ref, f"{mark.text}{known}"))
        answer = confirmed if mark.name else likely
        yield answer(*proofs, address=hello.source if hello else "", other=mark.text.split(" ")[-1], name=mark.name)
        return


def opened_for_nothing(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-004."""
    empty = [
        session
        for session in contacts(case, device)
        if session.state in ("closed", "reset") and not session.client_bytes and not session.server_bytes
    ]
    if empty:
        proofs = [(s.ref, f"{s.client} to {s.server}:{s.port}: opened and closed, no data") for s in empty[-3:]]
        yield confirmed(*proofs, port=empty[-1].port, server=empty[-1].client)


def reset(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-005."""
    for session in contacts(case, device):
        if session.state != "reset" or not session.client_bytes or not session.server_bytes:
            continue
        tls = session.handshake
        if tls is not None:
            if not (tls.client_records and tls.server_records):
                continue
            if tls.alerts and session.who_closed == "client":
                continue  # an orderly end by close_notify, then RST, is how Windows closes
        elif not session.messages:
            continue
        who = {"server": "the machine", "client": session.client}.get(session.who_closed, "one side")
        yield confirmed(
            (session.ref, f"{session.client} to {session.server}:{session.port}"),
            (session.last_ref, f"RST by {who} after data was exchanged"),
            who=who,
            port=session.port,
        )
        return


def another_server(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-006."""
    asked = {hello.destination for hello in device.hellos}
    if not asked:
        yield Missing("no hello in this capture")
        return
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


def stranger(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-007."""
    allowed = case.site.scs.addresses
    tried = setup_contacts(case, device)
    if not tried:
        return
    if not allowed:
        yield Missing("the list of servers that may provision (--site: scs.addresses)")
        return
    strangers = {s.client: s for s in tried if s.setup and not within(s.client, allowed)}
    for session in strangers.values():
        yield confirmed(
            (session.ref, f"{session.client} connects to {session.server}:{session.port} for setup"),
            server=session.client,
            allowed=", ".join(allowed),
        )


def delayed(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-008."""
    limit = int(case.site.policy.slow_contact_seconds * 1e9)
    for session in setup_contacts(case, device):
        if session.setup and session.connected and session.after_gap > limit:
            hello = device.hellos[0] if device.hellos else None
            proofs: list[tuple[Ref, str]] = [(hello.ref, "hello")] if hello else []
            proofs.append((session.ref, f"connect-back {seconds(session.after_gap)} after the latest hello"))
            yield confirmed(*proofs, gap=seconds(session.after_gap))
            return


def over_wireless(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CONN-009."""
    machine = case.machine(device)
    networks = case.site.network.wireless
    if not networks and not machine.link:
        if not device.hellos and setup_contacts(case, device):
            yield Missing("which addresses are wireless (--site: network.wireless)")
        return
    for session in setup_contacts(case, device):
        if any(hello.source == session.server for hello in device.hellos):
            continue
        if any(attempt.outcome == "committed" and session in attempt.sessions for attempt in device.attempts):
            continue
        if within(session.server, networks) or machine.link == "wireless":
            yield likely(
                (session.ref, f"{session.client} connects to the wireless address {session.server}:{session.port}"),
                address=session.server,
            )
            return


NEED_MARKS = frozenset(("AMT-CONN-003",))
"""Rules that can only fire for a machine of which something rare was remembered."""

RULES: tuple[DeviceRule, ...] = (
    ("AMT-CONN-003", wrong_address),
    ("AMT-CONN-009", over_wireless),
    ("AMT-CONN-002", refused),
    ("AMT-CONN-001", no_answer),
    ("AMT-CONN-005", reset),
    ("AMT-CONN-007", stranger),
    ("AMT-CONN-004", opened_for_nothing),
    ("AMT-CONN-006", another_server),
    ("AMT-CONN-008", delayed),
)
