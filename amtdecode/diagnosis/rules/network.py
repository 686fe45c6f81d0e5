"""AMT-NET-*: whether the machine got an address, a suffix and a name server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.addressing import got_in, latest_lease, neighbour_of, port_login
from amtdecode.diagnosis.chains import presented
from amtdecode.diagnosis.contacts import TWO_INTERVALS
from amtdecode.diagnosis.phrases import hexed, quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import CUT, ONE_DIRECTION, absent, unseen_reply
from amtdecode.protocols.eapol.fields import METHODS
from amtdecode.protocols.tls.registry.alerts import ALERTS
from amtdecode.provisioning.sight import one_direction
from amtdecode.provisioning.state import Method
from amtdecode.provisioning.state.placeholders import tells_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Hello

ASKED_AGAIN_SECONDS = 1.0  # clients ask again after some seconds (RFC 2131 §4.1)
ASKED_FOR_IDENTITY = 3  # times: switches ask again after 30 s or so (IEEE 802.1X txPeriod)
MAX_SUFFIX = 255  # octets of a domain name, RFC 1035 §2.3.4

RULES = Rules(Question.NETWORK)


@RULES.machine("AMT-NET-004", needs=(needs.DHCP,))
def lease_never_granted(case: Case, device: Device) -> Iterator[Answer]:
    lease = device.leases[-1]
    if lease.nak > lease.ack:
        yield confirmed((lease.nak, f"DHCP NAK from {lease.server} to {lease.mac}"), mac=lease.mac, what="refused")
    elif not lease.ack and lease.requests >= 2:
        spoke = [*(hello.time for hello in device.hellos), *(lookup.time for lookup in device.lookups)]
        if lease.time is not None and any(time is not None and time > lease.time for time in spoke):
            yield Missing("the answer of the DHCP server, which the machine must have had: it has an address")
            return
        if lacking := unseen_reply(case, lease, lease.requests_time, ASKED_AGAIN_SECONDS):
            yield lacking
            return
        what = "answered by an offer only" if lease.offer else "left without an answer"
        proofs = [(lease.ref, f"first of {lease.requests} DHCP requests of {lease.mac}, {what}")]
        if lease.requests_ref != lease.ref:
            proofs.append((lease.requests_ref, "the latest of them"))
        if (login := port_login(case, device)) is not None and login.success > login.failure:
            proofs.append((login.success, "802.1X let the machine in: look behind the port (VLAN, relay, scope)"))
        proofs += neighbour_of(case, lease.ref)
        answer = absent(case)
        yield answer(*proofs, mac=lease.mac, what=what)


@RULES.machine("AMT-NET-007", when=(needs.PORT_LOGIN,))
def port_refuses_the_machine(case: Case, device: Device) -> Iterator[Answer]:
    login = port_login(case, device)
    if login is None or login.failure <= login.success or got_in(device, login.ended_time):
        return
    method = METHODS.get(login.method, f"method {login.method}") if login.method is not None else "no method"
    who = f"as {quoted(login.identity)}" if login.identity else "without a name"
    why = "the authentication server gives no reason"
    proofs = [(login.failure, f"EAP failure for {login.mac}, {counted(login.failures, 'time')}")]
    if login.identity_ref:
        proofs.insert(0, (login.identity_ref, f"EAP identity of {login.mac}: {quoted(login.identity)}"))
    if login.alert is not None:
        said = ALERTS.get(login.alert, str(login.alert))
        whose = ("machine", "authentication server") if login.alert_of_machine else ("authentication server", "machine")
        why = f"the {whose[0]} ends TLS with the alert {said}: it does not take what the {whose[1]} shows"
        proofs.append((login.alert_ref, f"TLS alert {said} of the {whose[0]}"))
    yield confirmed(*proofs, *neighbour_of(case, login.failure), mac=login.mac, who=who, method=method, why=why)


@RULES.machine("AMT-NET-008", when=(needs.PORT_ASKS,))
def machine_does_not_answer_its_port(case: Case, device: Device) -> Iterator[Answer]:
    login = port_login(case, device)
    if login is not None and login.asked >= ASKED_FOR_IDENTITY and not got_in(device, login.asked_time):
        if one_direction(case.story):
            yield Missing(ONE_DIRECTION)
            return
        proof = (login.asked_ref, f"EAP asks {login.mac} who it is, {counted(login.asked, 'time')}; no answer follows")
        answer = absent(case)
        yield answer(proof, *neighbour_of(case, login.asked_ref), count=login.asked, mac=login.mac)
        return
    lease = device.leases[-1] if device.leases else None
    asks = [each for each in case.story.port_asks.values() if not each.answered and each.count >= ASKED_FOR_IDENTITY]
    if login is not None or lease is None or lease.ack or len(asks) != 1 or got_in(device, asks[0].last_time):
        return
    proof = (asks[0].ref, f"EAP: switch {asks[0].asker} asks who is there, {counted(asks[0].count, 'time')} in vain")
    yield possible(proof, *neighbour_of(case, asks[0].ref), count=asks[0].count, mac=lease.mac)


@RULES.machine("AMT-NET-003", needs=(needs.LEASE,))
def no_name_server(_case: Case, device: Device) -> Iterator[Answer]:
    lease = latest_lease(device)
    if lease is not None and lease.cut:
        yield Missing(CUT)
    elif lease is not None and not lease.dns and not device.lookups and not device.hellos:
        yield confirmed(
            (lease.ack, f"DHCP ACK for {lease.address} carries no option 6 (DNS servers)"), address=lease.address
        )


@RULES.machine("AMT-NET-001", needs=(needs.LEASE,))
def lease_without_suffix(case: Case, device: Device) -> Iterator[Answer]:
    lease = latest_lease(device)
    if lease is None:
        return
    if lease.cut and lease.suffix is None:
        yield Missing(CUT)
        return
    if lease.suffix:
        return
    if any(other.v6 and other.suffix for other in device.leases):
        return
    if any(other.v6 and other.cut for other in device.leases):
        yield Missing(CUT)
        return
    told = case.site.network.suffixes or any(not lookup.bare for lookup in device.lookups)
    found = device.hellos and device.method != Method.PKI  # the name suffices, nothing is compared with it
    accepted = any(chain.accepted for chain in presented(case, device))
    minor = device.method == Method.PSK or told or found or accepted
    severity = Severity.LOW if minor else Severity.HIGH
    proof = (lease.ack, f"DHCP ACK for {lease.address} from {lease.server} carries no option 15 (domain name)")
    yield confirmed(proof, severity=severity, address=lease.address, server=lease.server)


@RULES.machine("AMT-NET-002", needs=(needs.LEASE,))
def malformed_suffix(_case: Case, device: Device) -> Iterator[Answer]:
    lease = latest_lease(device)
    if lease is None:
        return
    raw = lease.suffix
    if not raw:
        return
    text = raw.rstrip(b"\0")
    faults = []
    if b" " in text.strip() or b"," in text or b";" in text:
        faults.append("it holds several names")
    if text != text.strip():
        faults.append("it begins or ends with a space")
    if text.startswith(b"."):
        faults.append("it begins with a dot")
    dot = text.endswith(b".")
    if dot:
        faults.append("it ends with a dot")
    if any(byte < 0x20 or byte > 0x7E for byte in text):
        faults.append("it holds bytes that no domain name holds")
    if len(text) > MAX_SUFFIX:
        faults.append("it is longer than a domain name may be")
    nul = raw != text
    if nul:
        faults.append("it ends with a NUL byte")
    if not faults:
        return
    proof = (lease.ack, f"option 15 is {quoted(raw)} = {hexed(raw)}")
    answer = possible if len(faults) == nul + dot else likely  # many firmwares take these
    severity = Severity.INFO if device.committed else None
    yield answer(proof, severity=severity, suffix=quoted(raw), faults="; ".join(faults))


@RULES.fleet("AMT-NET-006", when=(needs.SOME_HELLO,))
def one_mac_of_two(case: Case) -> Iterator[Answer]:
    first: dict[str, str] = {}
    users: dict[str, dict[str, tuple[Device, Hello]]] = {}
    for device, hello in _neighbours(case):
        if first.setdefault(hello.mac, device.uuid) != device.uuid:
            users[hello.mac] = {}
    for device, hello in _neighbours(case) if users else ():
        if hello.mac in users:
            users[hello.mac].setdefault(device.uuid, (device, hello))
    for mac, seen in users.items():
        if len(seen) > 1:
            proofs = [
                (hello.ref, f"{device.uuid} says hello from {hello.source}, {mac}") for device, hello in seen.values()
            ]
            yield likely(*proofs, about=next(iter(seen.values()))[0], mac=mac, count=len(seen))


def _neighbours(case: Case) -> Iterator[tuple[Device, Hello]]:
    """Hellos whose MAC address is that of the machine."""
    for device in case.story.devices:
        if device.uuid and tells_apart(device.uuid):
            for hello in device.hellos:
                if hello.mac.strip("0:") and _no_router_between(hello):
                    yield device, hello


def _no_router_between(hello: Hello) -> bool:
    """Whether machine and server are neighbours, so that the MAC address is the machine's and not a router's."""
    mark = ":" if ":" in hello.source else "."
    return hello.source.rpartition(mark)[0] == hello.destination.rpartition(mark)[0]


@RULES.machine("AMT-NET-005", needs=(needs.LEASE,))
def lease_then_silence(case: Case, device: Device) -> Iterator[Answer]:
    lease = latest_lease(device)
    if lease is None:
        return
    start = lease.ack_time
    if any(_after(lookup.last_query_time, start) for lookup in device.lookups):
        return
    if any(_after(hello.time, start) for hello in device.hellos):
        return
    if any(session.connected and _after(session.last_time, start) for session in device.sessions):
        return
    if device.committed:
        return
    if one_direction(case.story):
        yield Missing(ONE_DIRECTION)
        return
    watched = case.story.watched_after(start)
    if watched is None or watched < TWO_INTERVALS:
        yield Missing("the capture ends less than two hello intervals (2 min) after the lease")
        return
    yield likely(
        (lease.ack, f"lease of {lease.address}; no DNS query and no hello from it in the {watched:.0f} s that follow"),
        address=lease.address,
        seconds=f"{watched:.0f}",
    )


def _after(time: int | None, start: int | None) -> bool:
    return time is not None and start is not None and time >= start
