"""AMT-SEC-*: whether anything is exposed or weak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.case import per_machine
from amtdecode.diagnosis.contacts import contacts, setup_contacts
from amtdecode.diagnosis.handshakes import is_setup
from amtdecode.diagnosis.phrases import quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import unseen_bytes
from amtdecode.diagnosis.site import within
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.protocols.tls.registry import name_of_version
from amtdecode.provisioning.state.incidents import (
    AdminEntry,
    ClearDigest,
    ClearManagement,
    ClearRedirection,
    ClearSecret,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Handshake, Ref, Session

TLS12 = 0x0303
WEAK_WORDS = {
    "NULL": "it encrypts nothing",
    "EXPORT": "its keys are short enough to be tried out",
    "DES40": "its keys are short enough to be tried out",
    "_DES_": "its keys are short enough to be tried out",
    "RC4": "RC4 gives parts of the text away",
    "RC2": "its cipher is broken",
    "anon": "nobody proves who he is",
}
PROTOCOL_VERSION = 70
ROTATE_PPS = "Let the profile replace PID and PPS after setup."
OFFER_ECDHE = "Offer suites with ECDHE from the server or console."
NO_OTHER_SUITES = "Nothing to do: firmware of this generation is not known to have suites with forward secrecy."
MODERN = (12,)  # TLS 1.2 came, TLS 1.0 went; Intel AMT guide


@per_machine
def _chosen(case: Case, device: Device) -> list[tuple[Session, Handshake]]:
    """Handshakes in which the machine chose a version and a suite."""
    return [
        (session, session.handshake)
        for session in contacts(case, device)
        if session.handshake is not None and session.handshake.server_hello
    ]


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


RULES = Rules(Question.SECURITY)


@RULES.machine("AMT-SEC-002", when=(needs.incident(ClearSecret),))
def clear_secret(_case: Case, device: Device) -> Iterator[Answer]:
    sent = device.incidents_of(ClearSecret)
    yield confirmed(*((each.ref, f"{each.what}; the value is not shown here") for each in sent), what=sent[0].what)


@RULES.machine("AMT-SEC-009", when=(needs.SERVER_KNOWN,), needs=(needs.SCS_ADDRESSES,))
def rogue_server(case: Case, device: Device) -> Iterator[Answer]:
    allowed = case.site.scs.addresses
    told = [(lookup.answer, address) for lookup in device.lookups for address in lookup.addresses]
    sent = [(hello.ref, hello.destination) for hello in device.hellos]
    proofs = [
        (proof, f"DNS names {address} as ProvisionServer") for proof, address in told if not within(address, allowed)
    ]
    proofs += [(proof, f"hello to {address}") for proof, address in sent if not within(address, allowed)]
    if proofs:
        strangers = dict.fromkeys(address for _, address in told + sent if not within(address, allowed))
        yield confirmed(*proofs, servers=", ".join(strangers), allowed=", ".join(allowed))


@RULES.machine("AMT-SEC-001", when=(needs.incident(ClearManagement),))
def clear_management(case: Case, device: Device) -> Iterator[Answer]:
    calls = device.incidents_of(ClearManagement)
    proofs = [
        (each.ref, f"{each.client} calls the machine without TLS, port {each.port}, {counted(each.count, 'call')}")
        for each in calls
    ]
    severity = None if case.site.policy.tls is not False else Severity.INFO
    yield confirmed(*proofs, severity=severity, port=calls[0].port)


@RULES.machine("AMT-SEC-003", when=(needs.incident(ClearRedirection),))
def clear_redirection(_case: Case, device: Device) -> Iterator[Answer]:
    sessions = device.incidents_of(ClearRedirection)
    yield confirmed(*((each.ref, f"{each.client} to port {ports.REDIRECTION}, without TLS") for each in sessions))


@RULES.machine("AMT-SEC-005", when=(needs.CONTACT,))
def weak_suite(case: Case, device: Device) -> Iterator[Answer]:
    for session, tls in _chosen(case, device):
        if reasons := dict.fromkeys(why for word, why in WEAK_WORDS.items() if word in tls.suite_name):
            severity: Severity | None = None if _could_do_better(case, device, tls) else Severity.INFO
            yield confirmed(
                (tls.server_hello, f"{session.server} chooses {tls.suite_name}"),
                severity=severity,
                suite=tls.suite_name,
                why=", and ".join(reasons),
            )
            return


@RULES.machine("AMT-SEC-004", when=(needs.incident(ClearDigest),))
def clear_digest(case: Case, device: Device) -> Iterator[Answer]:
    login = device.incidents_of(ClearDigest)[0]
    severity = None if case.site.policy.tls is not False else Severity.INFO
    who = quoted(login.user) if login.user else "the user"
    yield confirmed((login.ref, f"Digest login as {who} without TLS"), severity=severity, user=who)


@RULES.machine("AMT-SEC-006", when=(needs.CONTACT,))
def old_version(case: Case, device: Device) -> Iterator[Answer]:
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
                severity=None if better else Severity.INFO,
                version=name,
            )
            return
    for session in contacts(case, device):
        tls_or_none = session.handshake
        if tls_or_none is None or not tls_or_none.client_hello:
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


@RULES.machine("AMT-SEC-008", when=(needs.CONTACT,))
def mutual_not_asked(case: Case, device: Device) -> Iterator[Answer]:
    managed = [(session, tls) for session, tls in _chosen(case, device) if not is_setup(case, device, session)]
    if not managed:
        return
    if case.site.policy.mutual_tls is None:
        yield Missing("whether mutual TLS is wanted (--site: policy.mutual_tls)")
        return
    for session, tls in managed:
        if not case.site.policy.mutual_tls or not tls.established or tls.request:
            continue
        if lacking := unseen_bytes(session):
            yield lacking
        else:
            yield confirmed(
                (tls.server_hello, f"{session.server}:{session.port} asks {session.client} for no certificate")
            )
            return


@RULES.machine("AMT-SEC-010", when=(needs.SETUP_CONTACT,))
def two_provisioners(case: Case, device: Device) -> Iterator[Answer]:
    servers: dict[str, Ref] = {}
    for session in setup_contacts(case, device):
        if session.connected and (session.setup or is_setup(case, device, session)):
            servers.setdefault(session.client, session.ref)
    if len(servers) > 1:
        yield confirmed(
            *((proof, f"{client} configures the machine") for client, proof in servers.items()),
            servers=", ".join(servers),
        )


@RULES.machine("AMT-SEC-007", when=(needs.CONTACT,))
def no_forward_secrecy(case: Case, device: Device) -> Iterator[Answer]:
    for session, tls in _chosen(case, device):
        name = tls.suite_name
        if name and "DHE" not in name and tls.version <= TLS12 and name.startswith("TLS_"):
            better = version_tuple(case.version(device))[:1] >= MODERN
            yield confirmed(
                (tls.server_hello, f"{session.server} chooses {name}"),
                severity=None if better else Severity.INFO,
                suite=name,
                key="the PPS" if "PSK" in name else "the RSA key of the machine",
                advice=ROTATE_PPS if "PSK" in name else OFFER_ECDHE if better else NO_OTHER_SUITES,
            )
            return


@RULES.machine("AMT-SEC-011", when=(needs.incident(AdminEntry),))
def admin_realm(_case: Case, device: Device) -> Iterator[Answer]:
    entries = [entry for entry in device.incidents_of(AdminEntry) if "SetAdminAclEntry" not in entry.call]
    if entries:
        yield confirmed(*((entry.ref, entry.call) for entry in entries))
