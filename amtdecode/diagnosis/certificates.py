"""AMT-CERT-*: whether certificates are valid, strong, in the right place, and their keys kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.chains import of_check, read_chain
from amtdecode.diagnosis.contact import contacts
from amtdecode.diagnosis.handshakes import alert_name, is_setup, stopped
from amtdecode.diagnosis.rcfg import file_checks
from amtdecode.diagnosis.rule import Missing, confirmed, likely, per_machine
from amtdecode.diagnosis.words import both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule, FleetRule
    from amtdecode.provisioning.facts import Device, Handshake, Session

UNTRUSTED = (42, 46, 48)
AFTER_SETUP = "no TLS connection after setup in this capture"


@per_machine
def operational(case: Case, device: Device) -> list[tuple[Session, Handshake]]:
    """TLS connections of later management."""
    return [
        (session, session.handshake)
        for session in contacts(case, device)
        if session.handshake is not None and session.handshake.client_hello and not is_setup(case, device, session)
    ]


def client_root_missing(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CERT-006."""
    for session, tls in operational(case, device):
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


def console_refuses(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CERT-007."""
    for session, tls in operational(case, device):
        stop = stopped(session)
        if stop is not None and not stop.by_amt and stop.code in UNTRUSTED and tls.server_chain:
            leaf = read_chain(case, tls.server_chain[:1])[0]
            yield confirmed(
                (tls.server_certificate, f"AMT presents {leaf.subject}, issued by {leaf.issuer}"),
                (stop.ref, stop.text),
                console=session.client,
                issuer=leaf.issuer,
                alert=f"{stop.code} {alert_name(stop.code)}",
            )
            return


def other_name(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CERT-009."""
    managed = operational(case, device)
    if not managed:
        return
    name = device.fqdn or case.machine(device).fqdn
    if not name:
        yield Missing("name of the machine (DHCP options 12 and 81, reverse DNS, or --site: machine.fqdn)")
        return
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


def still_self_signed(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-CERT-010."""
    if not any(attempt.outcome == "committed" for attempt in device.attempts):
        return
    managed = [entry for entry in operational(case, device) if entry[1].server_chain]
    if not managed:
        yield Missing(AFTER_SETUP)
        return
    _, tls = managed[-1]
    leaf = read_chain(case, tls.server_chain[:1])[0]
    if leaf.self_issued:
        yield confirmed((tls.server_certificate, f"subject and issuer are {leaf.subject}"), subject=leaf.subject)


def pem_lint(case: Case) -> Iterator[Answer]:
    """AMT-CERT-008."""
    bundles = [entry for entry in case.story.files if getattr(entry, "bundle", None) is not None]
    if not bundles:
        yield Missing("a PEM file")
        return
    from amtdecode.artifacts.certificates import lint

    for entry in bundles:
        if entry.bundle.format != "PEM":
            continue
        check = lint(entry.bundle, whole=len(bundles) == 1)
        if check.outcome in ("fail", "warn"):
            severity = None if check.outcome == "fail" else "low"
            proofs = [(entry.ref, detail) for detail in check.details or (check.explanation,)]
            yield confirmed(*proofs, severity=severity, file=entry.name, what=check.explanation, advice=check.fix)  # type: ignore[arg-type]


def key_lies_open(case: Case) -> Iterator[Answer]:
    """AMT-CERT-011."""
    for entry in case.story.files:
        bundle = getattr(entry, "bundle", None)
        if bundle is None:
            continue
        for item in bundle.items:
            key = item.private_key
            if key is None or key.encrypted:
                continue
            shared = bool(bundle.certificates)
            yield confirmed(
                (entry.at(item.line), f"{key.label}, not encrypted"),
                severity=None if shared else "high",
                file=entry.name,
                what="beside the certificates it belongs to" if shared else "alone",
            )
            break


CHECKED = ("AMT-CERT-001", "AMT-CERT-003", "AMT-CERT-004", "AMT-CERT-005", "AMT-CERT-002")
IN_FILES = ("AMT-CERT-001", "AMT-CERT-003", "AMT-CERT-004")

NEED_CHAIN = frozenset(CHECKED)
"""Rules that have nothing to say of a machine set up with a pre-shared key, to which no setup chain was shown."""
NEED_MANAGEMENT = frozenset(("AMT-CERT-006", "AMT-CERT-007", "AMT-CERT-009"))
"""Rules that can only fire where TLS was spoken after setup."""

OF_CHAIN: tuple[DeviceRule, ...] = tuple((rule_id, of_check(rule_id)) for rule_id in CHECKED)
RULES: tuple[DeviceRule, ...] = (
    ("AMT-CERT-006", client_root_missing),
    ("AMT-CERT-007", console_refuses),
    ("AMT-CERT-009", other_name),
    ("AMT-CERT-010", still_self_signed),
)
FLEET_RULES: tuple[FleetRule, ...] = (
    ("AMT-CERT-011", key_lies_open),
    ("AMT-CERT-008", pem_lint),
    *((rule_id, file_checks(rule_id)) for rule_id in IN_FILES),
)
