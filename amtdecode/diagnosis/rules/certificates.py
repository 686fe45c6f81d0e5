"""AMT-CERT-006 to 011: certificates of management, and the files that hold certificates and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.certificates import read_chain
from amtdecode.diagnosis.handshakes import alert_name, management, stopped
from amtdecode.diagnosis.phrases import both
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, likely
from amtdecode.diagnosis.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

UNTRUSTED = (42, 46, 48)

RULES = Rules(Question.CERTIFICATES)


@RULES.machine("AMT-CERT-006", when=(needs.MANAGEMENT,))
def client_root_missing(case: Case, device: Device) -> Iterator[Answer]:
    for session, tls in management(case, device):
        stop = stopped(session)
        if tls.request and tls.client_chain and stop is not None and stop.by_amt:
            leaf = read_chain(case, tls.client_chain[:1])[0]
            answer = confirmed if stop.code == 48 else likely
            yield answer(
                (tls.request, "AMT asks for a client certificate"),
                (tls.client_certificate, f"{session.client} presents {leaf.subject}, issued by {leaf.issuer}"),
                (stop.ref, stop.text),
                issuer=leaf.issuer,
            )
            return


@RULES.machine("AMT-CERT-007", when=(needs.MANAGEMENT,))
def console_refuses(case: Case, device: Device) -> Iterator[Answer]:
    for session, tls in management(case, device):
        stop = stopped(session)
        if stop is not None and not stop.by_amt and stop.code in UNTRUSTED and tls.server_chain:
            leaf = read_chain(case, tls.server_chain[:1])[0]
            perhaps_setup = leaf.self_issued and not any(hello.ref < session.ref for hello in device.hellos)
            answer = likely if perhaps_setup else confirmed
            yield answer(
                (tls.server_certificate, f"AMT presents {leaf.subject}, issued by {leaf.issuer}"),
                (stop.ref, stop.text),
                console=session.client,
                issuer=leaf.issuer,
                alert=f"{stop.code} {alert_name(stop.code)}",
            )
            return


@RULES.machine("AMT-CERT-009", when=(needs.MANAGEMENT,), needs=(needs.MACHINE_NAME,))
def other_name(case: Case, device: Device) -> Iterator[Answer]:
    managed = management(case, device)
    name = device.fqdn or case.machine(device).fqdn
    for _, tls in managed:
        if not tls.server_chain:
            continue
        leaf = read_chain(case, tls.server_chain[:1])[0]
        names = [*leaf.common_names, *(each.partition(":")[2] for each in leaf.alternative_names)]
        if leaf.self_issued or not names:
            continue
        if not any(_same_host(each, name) for each in names):
            yield confirmed(
                (tls.server_certificate, f"name in the certificate and of the machine: {both(names[0], name)}"),
                certificate=names[0],
                name=name,
            )
            return


def _same_host(one: str, name: str) -> bool:
    one, name = one.casefold().rstrip("."), name.casefold().rstrip(".")
    return one == name or one.partition(".")[0] == name or name.partition(".")[0] == one


@RULES.machine("AMT-CERT-010", when=(needs.COMMITTED,), needs=(needs.MANAGEMENT_CERTIFICATE,))
def still_self_signed(case: Case, device: Device) -> Iterator[Answer]:
    managed = [entry for entry in management(case, device) if entry[1].server_chain]
    _, tls = managed[-1]
    leaf = read_chain(case, tls.server_chain[:1])[0]
    if leaf.self_issued:
        yield confirmed((tls.server_certificate, f"subject and issuer are {leaf.subject}"), subject=leaf.subject)


@RULES.fleet("AMT-CERT-011", when=(needs.PEM_FILE,))
def key_lies_open(case: Case) -> Iterator[Answer]:
    for file in case.story.certificate_files:
        for item in file.bundle.items:
            key = item.private_key
            if key is None or key.encrypted:
                continue
            shared = bool(file.bundle.certificates)
            yield confirmed(
                (file.at(item.line), f"{key.label}, not encrypted"),
                severity=None if shared else Severity.HIGH,
                file=file.name,
                what="beside the certificates it belongs to" if shared else "alone",
            )
            break


@RULES.fleet("AMT-CERT-008", needs=(needs.PEM_FILE,))
def pem_lint(case: Case) -> Iterator[Answer]:
    from amtdecode.artifacts.certificates import lint

    files = case.story.certificate_files
    for file in files:
        if file.bundle.format != "PEM":
            continue
        check = lint(file.bundle, whole=len(files) == 1)
        if check.outcome in ("fail", "warn"):
            severity = None if check.outcome == "fail" else Severity.LOW
            proofs = [(file.ref, detail) for detail in check.details or (check.explanation,)]
            yield confirmed(*proofs, severity=severity, file=file.name, what=check.explanation, advice=check.fix)
