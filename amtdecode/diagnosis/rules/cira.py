"""AMT-CIRA-*: a machine that calls its management presence server (MPS), as TLS client, and refuses its certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.certificates import read_chain
from amtdecode.diagnosis.chains import moment
from amtdecode.diagnosis.contacts import began_after
from amtdecode.diagnosis.handshakes import FATAL, alert_name
from amtdecode.diagnosis.phrases import quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.provisioning.calling_home import CERTIFICATE_ALERTS, calls_home, refuses_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.provisioning.state import Device, Ref, Session

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"  # id-kp-serverAuth, RFC 5280 section 4.2.1.12
EXPIRED, UNKNOWN_CA = 45, 48

CAUSES = {
    42: "it cannot use it: the signature, the name (the CN must be the address or name AMT was given for the MPS) or "
    "the purpose (server authentication) is wrong",
    43: "it is of a kind this firmware does not take: key, signature or purpose",
    44: "it was revoked",
    EXPIRED: "it has run out or is not valid yet, by the clock of AMT: check the dates first, then the clock of AMT, "
    "which stands wrong where nobody set it",
    46: "something about it is wrong that has no alert of its own: the purpose (server authentication, the Netscape "
    "type), the name, or the clock of AMT",
    UNKNOWN_CA: "its root is not among the trusted roots stored in AMT, or the MPS does not send the certificates "
    "between its own and that root",
}
FIXES = {
    42: "Have the certificate of the MPS issued for the address AMT calls, for server authentication.",
    43: "Issue the certificate of the MPS anew, with RSA and SHA-256, for server authentication.",
    44: "Give the MPS a valid certificate.",
    EXPIRED: "Renew the certificate of the MPS, or set the clock of AMT (time synchronisation).",
    46: "Check purpose and name of the certificate of the MPS, and the clock of AMT; then issue it anew.",
    UNKNOWN_CA: "Store the root of the MPS's certificate in AMT again (AddTrustedRootCertificate: run the CIRA "
    "configuration anew), and let the MPS send its whole chain.",
}

RULES = Rules(Question.RCFG)


@RULES.machine("AMT-CIRA-001", when=(needs.CALLS_HOME,))
def certificate_of_the_mps(case: Case, device: Device) -> Iterator[Answer]:
    calls = calls_home(device)
    refused = [session for session in calls if refuses_certificate(session)]
    if not refused:
        return
    last = refused[-1]
    tls = last.handshake
    if tls is None:
        return
    alert = next(a for a in tls.alerts if not a.from_server and a.code in CERTIFICATE_ALERTS and a.level >= FATAL)
    later = [s for s in calls if began_after(s, last) and s.handshake and s.handshake.established]
    proofs: list[tuple[Ref, str]] = [
        (last.ref, f"{last.client} calls {last.server}:{last.port}, {counted(len(refused), 'time')} in vain"),
        (alert.ref, f"AMT sends alert {alert.code} {alert_name(alert.code)}, {alert.phase}"),
    ]
    proofs += [(tls.server_certificate, text) for text in _seen(case, last)]
    if later:
        proofs.append((later[0].ref, "a later call comes through"))
    answer = possible if device.called_home else confirmed
    yield answer(
        *proofs,
        severity=Severity.INFO if later else None,
        alert=f"{alert.code} {alert_name(alert.code)}",
        machine=last.client if not device.called_home else f"{last.client} (AMT, by its way of calling home)",
        server=f"{last.server}:{last.port}",
        cause=CAUSES[alert.code],
        advice=FIXES[alert.code],
    )


def _seen(case: Case, session: Session) -> Iterator[str]:
    """What the certificates show that bears on it."""
    tls = session.handshake
    if tls is None or not tls.server_chain:
        return
    chain = read_chain(case, tls.server_chain)
    leaf = chain[0]
    yield f"the MPS shows {leaf.subject}, issued by {leaf.issuer}, {counted(len(chain), 'certificate')}"
    yield from _dates(chain, session)
    if not chain[-1].self_issued:
        yield f"the chain ends before its root: AMT must hold {chain[-1].issuer}"
    names = (*leaf.common_names, *(name.partition(":")[2] for name in leaf.alternative_names))
    if session.server not in names:
        said = ", ".join(quoted(name) for name in names[:4]) or "no name"
        yield f"it is for {said}; AMT calls {session.server} (and may know it by a name)"
    if leaf.purposes and SERVER_AUTH not in leaf.purposes:
        yield f"its purposes do not include server authentication: {', '.join(leaf.purpose_names[:4])}"


def _dates(chain: tuple[CertificateInfo, ...], session: Session) -> Iterator[str]:
    now = moment(session.time)
    if now is None:
        return
    text = now.strftime("%Y-%m-%dT%H:%M:%S")
    for certificate in chain:
        if certificate.not_after and certificate.not_after[:19] < text:
            yield f"{certificate.subject} ran out on {certificate.not_after}"
        elif certificate.not_before and certificate.not_before[:19] > text:
            yield f"{certificate.subject} is valid only from {certificate.not_before}"
