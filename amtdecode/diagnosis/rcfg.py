"""AMT-RCFG-*: whether the machine takes the setup certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.chains import checks, file_chains, of_check, presented, read_chain
from amtdecode.diagnosis.handshakes import is_psk, setup_sessions, stopped
from amtdecode.diagnosis.refusals import (
    amt_alert,
    busy,
    established_for_nothing,
    last_stop,
    no_agreement,
    nothing_follows,
    other_alert,
    server_refuses,
    silent_refusal,
    wrong_private_key,
)
from amtdecode.diagnosis.rule import Missing, confirmed, likely, possible
from amtdecode.diagnosis.words import version_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.artifacts.certificates import Check
    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule, FleetRule
    from amtdecode.provisioning.facts import Device, Ref

SIGNING_VERSION = (15,)  # from Tiger Lake on the setup certificate of AMT is issued by a factory authority (ODCA)


def inactive_hash(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-004."""
    chains = presented(case, device)
    chain = chains[-1] if chains else None
    if chain is None or chain.stop is None:
        return
    outcomes = {check.id: check.outcome for check in checks(case, device, chain)}
    if outcomes.get("AMT-RCFG-003") != "pass" or "fail" in outcomes.values():
        return
    yield likely(
        (chain.proof, "the hash of the root is in the hello, and every other check that can be made passes"),
        (chain.stop.ref, chain.stop.text),
    )


def smb_mode(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-011."""
    if device.method != "pki":
        return
    if not case.site.scs.mode:
        yield Missing("mode of the setup service, enterprise or SMB (--site: scs.mode)")
    elif case.site.scs.mode == "smb":
        yield confirmed(*_method_proof(device))


def _method_proof(device: Device) -> list[tuple[Ref, str]]:
    hello = device.last_hello
    if hello is not None:
        return [(hello.ref, f"hello of version {hello.version}")]
    return [(s.ref, "TLS with a setup certificate") for s in device.sessions[:1]]


def not_capable(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-013."""
    if device.method != "pki":
        return
    version = version_tuple(case.version(device))
    if not version:
        yield Missing("AMT version of the machine (--site: amt_version)")
    elif version[:2] in ((2, 0), (2, 1), (2, 5)):
        yield likely(*_method_proof(device), version=case.version(device))


def bare_metal(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-014."""
    if device.method != "pki":
        return
    version = version_tuple(case.version(device))
    if version[:2] not in ((2, 2), (2, 6)):
        if not version:
            yield Missing("AMT version of the machine (--site: amt_version)")
        return
    agent = case.machine(device).agent
    if agent is None:
        yield Missing("whether an agent starts the configuration (--site: machine.agent)")
    elif not agent:
        yield likely(*_method_proof(device), version=case.version(device))


def old_scs(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-016."""
    if device.method != "pki":
        return
    scs = version_tuple(case.site.scs.version)
    if not scs:
        yield Missing("version of SCS (--site: scs.version)")
        return
    amt = version_tuple(case.version(device))
    needed = (3, 2, 1) if amt[:2] in ((2, 2), (2, 6)) else (3, 1)
    if scs < needed:
        yield confirmed(
            *_method_proof(device),
            scs=case.site.scs.version,
            needed=".".join(map(str, needed)),
            amt=case.version(device),
        )


def empty_certificate(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-018."""
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is not None and tls.request and tls.client_certificate and not tls.client_chain:
            yield confirmed(
                (tls.request, "AMT asks for a certificate"),
                (tls.client_certificate, f"{session.client} answers with an empty list"),
                server=session.client,
            )
            return


def no_verify(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-019."""
    found = last_stop(case, device)
    if found is None:
        return
    session, stop = found
    tls = session.handshake
    if tls is not None and tls.client_chain and tls.key_exchange and not tls.verify:
        yield confirmed(
            (tls.client_certificate, f"{session.client} presents its certificate"),
            (tls.key_exchange, "and its key exchange, but no CertificateVerify"),
            (stop.ref, stop.text),
            server=session.client,
        )


def other_thumbprint(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-020."""
    chains = [chain for chain in presented(case, device) if chain.session is not None]
    if not chains:
        return
    told = case.site.scs.thumbprint.replace(":", "").replace(" ", "").lower()
    exported = [mark for entry in case.story.files for mark in getattr(entry, "thumbprints", ())]
    known = [told] if told else exported
    if not known:
        yield Missing("thumbprint of the certificate SCS is told to use (--site: scs.thumbprint, or an exported .reg)")
        return
    leaf, wanted = chains[-1].certificates[0], known[0]
    if leaf.sha1 not in known:
        yield confirmed(
            (chains[-1].proof, f"presented {leaf.sha1}"),
            (chains[-1].proof, f"configured {wanted}"),
            wanted=wanted,
            seen=leaf.sha1,
        )


def not_asked(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-021."""
    hello = device.last_hello
    if hello is None or hello.version != 3:
        return
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is not None and tls.server_chain and tls.key_exchange and not tls.request:
            yield confirmed(
                (hello.ref, "hello of version 3"),
                (tls.server_certificate, "AMT presents its certificate and asks for none"),
                address=session.server,
            )
            return


def not_self_signed(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-022."""
    version = version_tuple(case.version(device))
    if version and version >= SIGNING_VERSION:
        return
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is None or not tls.server_chain or tls.psk:
            continue
        leaf = read_chain(case, tls.server_chain[:1])[0]
        if not leaf.self_issued:
            answer = likely if version else possible
            yield answer(
                (tls.server_certificate, f"subject {leaf.subject}"),
                (tls.server_certificate, f"issuer {leaf.issuer}"),
                subject=leaf.subject,
                issuer=leaf.issuer,
            )
            return


def unusable_certificate(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-023."""
    from amtdecode.artifacts.certificates.facts import date_faults

    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is None or not tls.server_chain:
            continue
        stop = stopped(session)
        leaf = read_chain(case, tls.server_chain[:1])[0]
        faults = [*leaf.faults, *date_faults(leaf)]
        if stop is None or stop.by_amt or not faults:
            continue
        yield confirmed(
            (tls.server_certificate, "certificate of AMT: " + "; ".join(dict.fromkeys(faults))),
            (stop.ref, stop.text),
            faults="; ".join(dict.fromkeys(faults)),
        )
        return
    for row in device.rows:
        if row.value == SEC_E_INVALID_TOKEN:
            yield likely((row.ref, row.text), faults="Windows could not read what AMT sent")
            return


SEC_E_INVALID_TOKEN = 0x80090308


def one_time_password(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-024."""
    said = [row for row in device.rows if "otp" in row.text.lower() or "one time password" in row.text.lower()]
    for session in setup_sessions(case, device):
        if not established_for_nothing(session) or is_psk(device, session):
            continue
        if not said and case.site.policy.otp is None:
            yield Missing("whether a one-time password is required (--site: policy.otp)")
            return
        if (said or case.site.policy.otp) and case.machine(device).agent is not False:
            proofs = [(session.ref, "TLS is established"), (session.last_ref, "and ends after a few records")]
            yield likely(*proofs, *((row.ref, row.text) for row in said))
            return


def password_without_agent(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-025."""
    if device.method != "pki":
        return
    if case.site.policy.otp is None:
        yield Missing("whether a one-time password is required (--site: policy.otp)")
    elif case.site.policy.otp and case.machine(device).agent is False:
        yield possible(*_method_proof(device))


def several_suffixes(case: Case) -> Iterator[Answer]:
    """AMT-RCFG-017."""
    from amtdecode.artifacts.certificates.suffix import clean
    from amtdecode.diagnosis.chains import suffix_of

    users: dict[str, dict[str, tuple[Ref, str]]] = {}
    names: dict[str, str] = {}
    for device in case.story.devices:
        suffix = clean(suffix_of(device) or "").lower()
        if not suffix:
            continue
        for chain in presented(case, device):
            leaf = chain.certificates[0]
            if chain.session is None or any(name.startswith("*.") for name in leaf.common_names):
                continue
            names[leaf.sha256] = leaf.common_names[0] if leaf.common_names else leaf.subject
            users.setdefault(leaf.sha256, {}).setdefault(suffix, (chain.proof, f"{device.name}, suffix {suffix}"))
    for digest, suffixes in users.items():
        if len(suffixes) > 1:
            yield confirmed(*suffixes.values(), name=names[digest], suffixes=", ".join(suffixes))


def file_checks(rule_id: str) -> Callable[[Case], Iterator[Answer]]:
    """The rule that reports one check of the chains in the files given, unless the wire showed them too."""

    def ask(case: Case) -> Iterator[Answer]:
        from amtdecode.artifacts.certificates import check_chain
        from amtdecode.diagnosis.chains import moment

        for chain in file_chains(case):
            if any(presented(case, device) for device in case.story.devices):
                return  # told machine by machine
            known: dict[object, list[Check]] = case.shared.setdefault("file checks", {})
            if chain.certificates not in known:
                known[chain.certificates] = list(check_chain(chain.certificates, at_time=moment(case.story.last)))
            for check in known[chain.certificates]:
                if check.id == rule_id and check.outcome == "fail":
                    sides = [(chain.proof, f"{side.what}: {side.text}") for side in check.compared]
                    name = chain.certificates[0].subject
                    yield possible(
                        (chain.proof, f"chain of {name}"), *sides, check=check.explanation, advice=check.fix, leaf=name
                    )

    return ask


CHECKED = ("AMT-RCFG-003", "AMT-RCFG-002", "AMT-RCFG-001", "AMT-RCFG-009", "AMT-RCFG-010", "AMT-RCFG-006",
           "AMT-RCFG-005",
           "AMT-RCFG-007", "AMT-RCFG-008", "AMT-RCFG-015", "AMT-RCFG-026", "AMT-RCFG-012")  # fmt: skip
IN_FILES = ("AMT-RCFG-001", "AMT-RCFG-002", "AMT-RCFG-005", "AMT-RCFG-006", "AMT-RCFG-008", "AMT-RCFG-026")
ALERTS = {42: "AMT-RCFG-027", 43: "AMT-RCFG-028", 44: "AMT-RCFG-029", 45: "AMT-RCFG-030", 46: "AMT-RCFG-031",
          48: "AMT-RCFG-032", 49: "AMT-RCFG-033"}  # fmt: skip

NEED_STOP = frozenset(
    ("AMT-RCFG-019", "AMT-RCFG-034", "AMT-RCFG-035", "AMT-RCFG-036", "AMT-RCFG-037", "AMT-RCFG-038", "AMT-RCFG-040",
     *ALERTS.values())
)  # fmt: skip
"""Rules that can only fire where a handshake with certificates stopped."""
NEED_CHAIN = frozenset(
    ("AMT-RCFG-004", "AMT-RCFG-011", "AMT-RCFG-013", "AMT-RCFG-014", "AMT-RCFG-016", "AMT-RCFG-020", "AMT-RCFG-021",
     "AMT-RCFG-025", *CHECKED)
)  # fmt: skip
"""Rules that have nothing to say of a machine set up with a pre-shared key, to which no setup chain was shown."""

RULES: tuple[DeviceRule, ...] = (
    ("AMT-RCFG-018", empty_certificate),
    ("AMT-RCFG-019", no_verify),
    ("AMT-RCFG-036", wrong_private_key),
    *((rule_id, of_check(rule_id)) for rule_id in CHECKED),
    ("AMT-RCFG-011", smb_mode),
    ("AMT-RCFG-013", not_capable),
    ("AMT-RCFG-016", old_scs),
    ("AMT-RCFG-014", bare_metal),
    ("AMT-RCFG-023", unusable_certificate),
    ("AMT-RCFG-034", server_refuses),
    ("AMT-RCFG-020", other_thumbprint),
    ("AMT-RCFG-004", inactive_hash),
    *((rule_id, amt_alert(code)) for code, rule_id in ALERTS.items()),
    ("AMT-RCFG-035", no_agreement),
    ("AMT-RCFG-038", silent_refusal),
    ("AMT-RCFG-024", one_time_password),
    ("AMT-RCFG-037", busy),
    ("AMT-RCFG-039", nothing_follows),
    ("AMT-RCFG-025", password_without_agent),
    ("AMT-RCFG-021", not_asked),
    ("AMT-RCFG-022", not_self_signed),
    ("AMT-RCFG-040", other_alert),
)
FLEET_RULES: tuple[FleetRule, ...] = (
    ("AMT-RCFG-017", several_suffixes),
    *((rule_id, file_checks(rule_id)) for rule_id in IN_FILES),
)
