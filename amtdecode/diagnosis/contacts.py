"""Connections to and from a machine: what several rules ask of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode import ports
from amtdecode.diagnosis.case import about_all, per_machine
from amtdecode.provisioning.sight import answers_shown

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.provisioning.state import Device, Ref, Session

TWO_INTERVALS = 120.0  # seconds; hellos first come once a minute (the guide, setup mode hello messages)
CLEAR = frozenset((ports.HTTP, ports.REDIRECTION, ports.DASH))
ENDED = ("closed", "reset", "half-closed")  # states of a connection
SEARCHED_HOSTS = 16  # hosts without a word of AMT that one console calls in vain: it searches


@per_machine
def contacts(_case: Case, device: Device) -> list[Session]:
    """Connections made to the machine on AMT's ports."""
    own = set(device.addresses)
    return [session for session in device.sessions if session.port in ports.MACHINE and session.server in own]


@per_machine
def setup_contacts(case: Case, device: Device) -> list[Session]:
    """Those on the ports of setup."""
    return [session for session in contacts(case, device) if session.port in ports.SETUP]


@per_machine
def hello_sessions(_case: Case, device: Device) -> list[Session]:
    """Connections the machine made, or tried to make, to say hello."""
    targets = {address for lookup in device.lookups for address in lookup.addresses}
    own = set(device.addresses)
    return [
        session
        for session in device.sessions
        if session.client in own and (session.port == ports.HELLO or (session.server in targets and not session.setup))
    ]


@per_machine
def unreached(case: Case, device: Device) -> list[tuple[Ref, str]]:
    """The proof that the latest contact did not reach the machine."""
    return [
        (session.ref, f"{session.client} to {session.server}:{session.port}: {session.state}")
        for session in contacts(case, device)[-1:]
        if session.state == "refused" or (session.state == "unanswered" and answers_shown(case.story, session))
    ]


def swept(case: Case, device: Device, server: str) -> bool:
    """Whether a console searches its network and this host merely lay on the way: nothing else speaks of AMT on it."""
    return not _of_its_own(device) and _searched(case).get(server, 0) >= SEARCHED_HOSTS


@about_all
def _searched(case: Case) -> dict[str, int]:
    """How many hosts each client merely called."""
    known: dict[str, int] = {}
    for other in case.story.devices:
        if not _of_its_own(other):
            for client in {session.client for session in other.sessions}:
                known[client] = known.get(client, 0) + 1
    return known


def _of_its_own(device: Device) -> bool:
    """Whether anything but a failed contact says that this is a machine with AMT."""
    return bool(
        device.uuid or device.lookups or device.log_entries or any(session.connected for session in device.sessions)
    )


class Moved(NamedTuple):
    """A machine had another address already when a server called its old one."""

    address: str  # its new one
    ref: Ref
    text: str  # what says so


def to_former_address(device: Device, session: Session) -> Moved | None:
    """What says that a connection went to an address the machine had left by then; `None` where nothing does."""
    if session.time is None:
        return None
    latest: tuple[int, Moved] | None = None
    for hello in device.hellos:
        if hello.time is not None and hello.time < session.time and _same_family(hello.source, session.server):
            latest = hello.time, Moved(hello.source, hello.ref, f"the latest hello comes from {hello.source}")
    for lease in device.leases:
        time = lease.ack_time
        if lease.address and time is not None and time < session.time and (latest is None or time > latest[0]):
            if not _same_family(lease.address, session.server):
                continue
            latest = time, Moved(lease.address, lease.ack, f"the latest lease of {lease.mac} is {lease.address}")
    if latest is None or latest[1].address == session.server:
        return None
    return latest[1]


def _same_family(one: str, other: str) -> bool:
    return (":" in one) == (":" in other)


def wrong_protocol(session: Session) -> str:
    """What a client speaks on a port of the machine that is for something else; "" where nothing shows that."""
    tls = session.handshake
    if not session.whole:
        return ""
    if session.port in CLEAR:
        hello = tls is not None and tls.client_hello and not tls.server_hello
        refused = tls is not None and any(alert.from_server for alert in tls.alerts)  # it does speak TLS
        return "TLS" if hello and not refused and session.state in ENDED else ""
    if session.port in ports.MACHINE_TLS and tls is None and session.asked and not session.answered:
        return "HTTP" if session.state in ENDED else ""
    return ""


def began_after(session: Session, other: Session) -> bool:
    """Whether one connection began after another."""
    return session.time is not None and other.time is not None and session.time > other.time
