"""AMT-REPLAY-*, AMT-SEC-*: whether anything is exposed, weak, or not what it seems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.diagnosis.contact import contacts, setup_contacts
from amtdecode.diagnosis.handshakes import is_setup
from amtdecode.diagnosis.rule import Missing, confirmed, likely, per_machine
from amtdecode.diagnosis.site import within
from amtdecode.diagnosis.words import seconds, version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.report import Severity
    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule, FleetRule
    from amtdecode.provisioning.facts import Device, Handshake, Hello, Ref, Session

REPLAY_SECONDS = 60.0  # the shortest interval of one machine's hellos
SSL3, TLS10, TLS11, TLS12 = 0x0300, 0x0301, 0x0302, 0x0303
WEAK_WORDS = ("NULL", "EXPORT", "RC4", "_DES_", "DES40", "anon", "RC2")
PROTOCOL_VERSION = 70
MODERN = (12,)  # TLS 1.2 came, TLS 1.0 went; Intel AMT guide


def hello_after_commit(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-REPLAY-001."""
    if device.marked("unprovision.partial") or device.marked("unprovision.full"):
        return
    for attempt, later in zip(device.attempts, device.attempts[1:], strict=False):
        if attempt.outcome != "committed" or not later.hellos:
            continue
        hello = later.hellos[0]
        before = {(h.retry_count, h.pid, h.hashes) for h in attempt.hellos}
        same = (hello.retry_count, hello.pid, hello.hashes) in before
        elsewhere = bool(attempt.hellos) and hello.source != attempt.hellos[-1].source
        severity: Severity | None = "critical" if same and elsewhere else None
        proofs: list[tuple[Ref, str]] = [(attempt.commit, "setup succeeds")]
        proofs.append((hello.ref, f"hello from {hello.source}, no unprovision in between"))
        answer = confirmed if attempt.confidence >= 1 else likely
        yield answer(*proofs, severity=severity, source=hello.source)
        return


def replayed(case: Case) -> Iterator[Answer]:
    """AMT-REPLAY-002."""
    for device in case.story.devices:
        hellos = device.hellos
        for number, hello in enumerate(hellos):
            for other in hellos[number + 1 :]:
                if _replay(hello, other):
                    proofs = [(each.ref, f"from {each.source} {each.mac}".rstrip()) for each in (hello, other)]
                    yield confirmed(
                        *proofs, device=device.name, one=_who(hello), other=_who(other), gap=_gap(hello, other)
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


def clear_management(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-001."""
    marks = device.marked("soap.clear")
    if marks:
        severity: Severity | None = None if case.site.policy.tls is not False else "info"
        first = marks[0]
        yield confirmed(
            *(
                (mark.ref, f"{mark.name} calls the machine without TLS, port {mark.session}, {mark.count} calls")
                for mark in marks
            ),
            severity=severity,
            port=first.session,
        )


def clear_secret(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-002."""
    marks = device.marked("secret.clear")
    if marks:
        yield confirmed(
            *((mark.ref, f"{mark.text}; the value is not shown here") for mark in marks), what=marks[0].text
        )


def clear_redirection(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-003."""
    marks = device.marked("redirection.clear")
    if marks:
        yield confirmed(*((mark.ref, f"{mark.name} to port {ports.REDIRECTION}, without TLS") for mark in marks))


def clear_digest(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-004."""
    marks = device.marked("digest.clear")
    if marks:
        yield confirmed((marks[0].ref, f"Digest login as {marks[0].name} without TLS"), user=marks[0].name)


@per_machine
def _chosen(case: Case, device: Device) -> list[tuple[Session, Handshake]]:
    """Handshakes in which the machine chose a version and a suite."""
    return [
        (session, session.handshake)
        for session in contacts(case, device)
        if session.handshake is not None and session.handshake.server_hello
    ]


def weak_suite(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-005."""
    for session, tls in _chosen(case, device):
        if any(word in tls.suite_name for word in WEAK_WORDS):
            severity: Severity | None = None if _could_do_better(case, device, tls) else "info"
            yield confirmed(
                (tls.server_hello, f"{session.server} chooses {tls.suite_name}"),
                severity=severity,
                suite=tls.suite_name,
            )
            return


def _could_do_better(case: Case, device: Device, tls: Handshake) -> bool:
    """Whether the machine demonstrably offers better: by version, or since it chose better at another time."""
    if version_tuple(case.version(device))[:1] >= MODERN:
        return True
    return any(
        other is not tls
        and other.version >= tls.version
        and not any(word in other.suite_name for word in WEAK_WORDS)
        and other.suite >= 0
        for _, other in _chosen(case, device)
    )


def old_version(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-006."""
    from amtdecode.protocols.tls.registry import name_of_version

    best = max((tls.version for _, tls in _chosen(case, device)), default=0)
    for session, tls in _chosen(case, device):
        if 0 < tls.version < TLS12:
            better = best > tls.version or version_tuple(case.version(device))[:1] >= MODERN
            name = name_of_version(tls.version)
            yield confirmed(
                (
                    tls.server_hello,
                    f"{session.server} chooses {name}, {name_of_version(tls.offered_version)} was offered",
                ),
                severity=None if better else "info",
                version=name,
            )
            return
    for session in contacts(case, device):
        tls_or_none = session.handshake
        if tls_or_none is None:
            continue
        for alert in tls_or_none.alerts:
            if alert.code == PROTOCOL_VERSION:
                offered = name_of_version(tls_or_none.offered_version)
                yield confirmed(
                    (tls_or_none.client_hello, f"{session.client} offers {offered} at most"),
                    (alert.ref, "alert 70 protocol_version"),
                    version=offered,
                )
                return


def no_forward_secrecy(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-007."""
    for session, tls in _chosen(case, device):
        name = tls.suite_name
        if name and "DHE" not in name and tls.version <= TLS12 and name.startswith("TLS_"):
            better = version_tuple(case.version(device))[:1] >= MODERN
            yield confirmed(
                (tls.server_hello, f"{session.server} chooses {name}"), severity=None if better else "info", suite=name
            )
            return


def mutual_not_asked(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-008."""
    managed = [(session, tls) for session, tls in _chosen(case, device) if not is_setup(case, device, session)]
    if not managed:
        return
    if case.site.policy.mutual_tls is None:
        yield Missing("whether mutual TLS is wanted (--site: policy.mutual_tls)")
        return
    for session, tls in managed:
        if case.site.policy.mutual_tls and tls.established and not tls.request:
            yield confirmed(
                (tls.server_hello, f"{session.server}:{session.port} asks {session.client} for no certificate")
            )
            return


def rogue_server(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-009."""
    allowed = case.site.scs.addresses
    told = [(lookup.answer, address) for lookup in device.lookups for address in lookup.addresses]
    sent = [(hello.ref, hello.destination) for hello in device.hellos]
    if not told and not sent:
        return
    if not allowed:
        yield Missing("the list of servers that may provision (--site: scs.addresses)")
        return
    proofs = [
        (proof, f"DNS names {address} as ProvisionServer") for proof, address in told if not within(address, allowed)
    ]
    proofs += [(proof, f"hello to {address}") for proof, address in sent if not within(address, allowed)]
    if proofs:
        strangers = dict.fromkeys(address for _, address in told + sent if not within(address, allowed))
        yield confirmed(*proofs, servers=", ".join(strangers), allowed=", ".join(allowed))


def two_provisioners(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-010."""
    servers: dict[str, Ref] = {}
    for session in setup_contacts(case, device):
        if session.connected and (session.setup or is_setup(case, device, session)):
            servers.setdefault(session.client, session.ref)
    if len(servers) > 1:
        yield confirmed(
            *((proof, f"{client} configures the machine") for client, proof in servers.items()),
            servers=", ".join(servers),
        )


def admin_realm(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SEC-011."""
    marks = [mark for mark in device.marked("acl.admin") if "SetAdminAclEntry" not in mark.name]
    if marks:
        yield confirmed(*((mark.ref, mark.name) for mark in marks))


NEED_MARKS = frozenset(("AMT-SEC-001", "AMT-SEC-002", "AMT-SEC-003", "AMT-SEC-004", "AMT-SEC-011"))
"""Rules that can only fire for a machine of which something rare was remembered."""

RULES: tuple[DeviceRule, ...] = (
    ("AMT-REPLAY-001", hello_after_commit),
    ("AMT-SEC-002", clear_secret),
    ("AMT-SEC-009", rogue_server),
    ("AMT-SEC-001", clear_management),
    ("AMT-SEC-003", clear_redirection),
    ("AMT-SEC-005", weak_suite),
    ("AMT-SEC-004", clear_digest),
    ("AMT-SEC-006", old_version),
    ("AMT-SEC-008", mutual_not_asked),
    ("AMT-SEC-010", two_provisioners),
    ("AMT-SEC-007", no_forward_secrecy),
    ("AMT-SEC-011", admin_realm),
)
FLEET_RULES: tuple[FleetRule, ...] = (("AMT-REPLAY-002", replayed),)
