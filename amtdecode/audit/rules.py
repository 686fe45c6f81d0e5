"""AMT-AUD-*: what only an audit asks, since in an ordinary diagnosis most of it is as it should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from amtdecode.audit.actors import realm_names
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.certificates import read_chain
from amtdecode.diagnosis.contacts import contacts
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rule, Text, confirmed
from amtdecode.diagnosis.severity import Severity
from amtdecode.provisioning.state.incidents import ChangingCall, RightsGranted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.provisioning.state import Device, Ref

AHEAD = 90  # days before its end that a certificate should be renewed; our own choice
POWERFUL = frozenset((3, 18, 21))  # realms that change who may do what: administration, EAC administration, ACL


def differing_certificates(case: Case, device: Device) -> Iterator[Answer]:
    """Different certificates on one port of one machine."""
    by_port: dict[int, dict[bytes, Ref]] = {}
    for session in contacts(case, device):
        tls = session.handshake
        if tls is not None and tls.server_chain:
            by_port.setdefault(session.port, {}).setdefault(tls.server_chain[0], tls.server_certificate or session.ref)
    for port, found in by_port.items():
        if len(found) > 1:
            proofs = [(proof, _who(read_chain(case, (der,))[0])) for der, proof in found.items()]
            yield confirmed(*proofs, count=len(found), port=port)


def _who(leaf: CertificateInfo) -> str:
    return f"{leaf.subject or 'no subject'}, issued by {leaf.issuer or 'nobody'}, SHA-256 {leaf.sha256[:16]}"


def ends_soon(case: Case, device: Device) -> Iterator[Answer]:
    """A certificate that ends within the next months, seen from the last packet."""
    seen: set[bytes] = set()
    for session in contacts(case, device):
        tls = session.handshake
        if tls is None:
            continue
        sides = (
            (session.server, tls.server_chain, tls.server_certificate),
            (session.client, tls.client_chain, tls.client_certificate),
        )
        for host, chain, proof in sides:
            for der in chain:
                if der in seen:
                    continue
                seen.add(der)
                leaf = read_chain(case, (der,))[0]
                days = _days_left(leaf.not_after, case.story.last)
                if days is not None and days <= AHEAD:
                    words = f"{host} shows {leaf.subject}, valid until {leaf.not_after}"
                    yield confirmed(
                        (proof or session.ref, words),
                        severity=Severity.HIGH if days < 0 else None,
                        subject=leaf.subject,
                        when=f"ended {-days} days before" if days < 0 else f"ends {days} days after",
                    )


def file_ends_soon(case: Case) -> Iterator[Answer]:
    """The same of certificates in files."""
    for file in case.story.certificate_files:
        for item in file.bundle.items:
            certificate = getattr(item, "certificate", None)
            if certificate is None:
                continue
            days = _days_left(certificate.not_after, case.story.last)
            if days is not None and days <= AHEAD:
                yield confirmed(
                    (file.at(item.line), f"{certificate.subject}, valid until {certificate.not_after}"),
                    severity=Severity.HIGH if days < 0 else None,
                    subject=certificate.subject,
                    when=f"ended {-days} days before" if days < 0 else f"ends {days} days after",
                )


def _days_left(not_after: str, last: int | None) -> int | None:
    """Days from the last packet to the end of a certificate; `None` where either is not known."""
    if last is None or not not_after:
        return None
    try:
        end = datetime.fromisoformat(not_after)
        end = end if end.tzinfo else end.replace(tzinfo=UTC)
        return (end - (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=last // 1000))).days
    except (ValueError, OverflowError):
        return None


def rights_handed_out(_case: Case, device: Device) -> Iterator[Answer]:
    """Entries of the access control list."""
    entries = device.incidents_of(RightsGranted)
    powerful = [entry for entry in entries if POWERFUL.intersection(entry.realms)]
    proofs = [
        (entry.ref, f"{entry.call} for {entry.user or 'somebody'}: {', '.join(realm_names(entry)) or 'no realm'}")
        for entry in [*powerful, *(entry for entry in entries if entry not in powerful)]
    ]
    yield confirmed(
        *proofs, severity=Severity.MEDIUM if powerful else None, entries=counted(len(entries), "entry", "entries")
    )


def several_change(_case: Case, device: Device) -> Iterator[Answer]:
    """Hosts that change the settings of one machine."""
    clients: dict[str, tuple[Ref, str]] = {}
    for call in device.incidents_of(ChangingCall):
        clients.setdefault(call.client, (call.ref, f"{call.client}: {call.call}"))
    if len(clients) > 1:
        yield confirmed(*clients.values(), hosts=", ".join(clients))


SOURCE = "our own audit; Intel AMT Implementation and Reference Guide"
AUDIT_RULES = (
    Rule(
        id="AMT-AUD-001",
        question=Question.SECURITY,
        of_machine=differing_certificates,
        when=(needs.CONTACT,),
        text=Text(
            title="{count} different certificates of one machine on port {port}",
            severity="low",
            layer="client",
            evidence="Certificates that the machine shows on one port.",
            explanation="The machine shows {count} different certificates on port {port}. After setup, or when the "
            "certificate is renewed, that is as it should be. Otherwise somebody else may answer in its place.",
            fix="Compare the fingerprints with those the setup server issued, and the times with those of setups.",
            source=SOURCE,
        ),
    ),
    Rule(
        id="AMT-AUD-002",
        question=Question.CERTIFICATES,
        of_machine=ends_soon,
        when=(needs.CONTACT,),
        text=Text(
            title="A certificate that is over, or soon will be: {subject}",
            severity="low",
            layer="infrastructure",
            evidence="The end of validity of certificates that are shown, and the time of the last packet.",
            explanation="The certificate {subject} {when} the last packet of the capture. AMT accepts nobody with a "
            "certificate that is over, once its clock is set.",
            fix="Renew it in time, and let the setup server give it to the machines.",
            source=SOURCE,
        ),
    ),
    Rule(
        id="AMT-AUD-003",
        question=Question.CERTIFICATES,
        of_fleet=file_ends_soon,
        text=Text(
            title="A certificate of a file that is over, or soon will be: {subject}",
            severity="low",
            layer="infrastructure",
            evidence="The end of validity of certificates in files, and the time of the last packet.",
            explanation="The certificate {subject} {when} the last packet of the capture.",
            fix="Renew it in time.",
            source=SOURCE,
        ),
    ),
    Rule(
        id="AMT-AUD-004",
        question=Question.SECURITY,
        of_machine=rights_handed_out,
        when=(needs.incident(RightsGranted),),
        text=Text(
            title="Rights were handed out: {entries} of the access control list",
            severity="info",
            layer="SCS",
            evidence="Calls that write entries of the access control list.",
            explanation="Who may use which realm of the machine was written into it. An entry with a realm of "
            "administration may give itself every other right.",
            fix="Compare the entries with the profile of the setup server; remove what is not in it.",
            source=SOURCE,
        ),
    ),
    Rule(
        id="AMT-AUD-005",
        question=Question.SECURITY,
        of_machine=several_change,
        when=(needs.incident(ChangingCall),),
        text=Text(
            title="Several hosts change the settings of one machine: {hosts}",
            severity="low",
            layer="console",
            evidence="Calls that change settings, and who sent them.",
            explanation="{hosts} each changed what the machine is set to. A setup server and a console may both do so; "
            "a host that is neither may not.",
            fix="Make sure that each of them is yours, and that they do not undo each other's settings.",
            source=SOURCE,
        ),
    ),
)
"""Asked beside the rules of the diagnosis, in an audit alone."""
