"""AMT-RCFG-001 to 012 and kin: whether the setup certificate is the right one for the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.suffix import clean
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.addressing import suffix_of
from amtdecode.diagnosis.chain_answers import of_check, of_files
from amtdecode.diagnosis.chains import checks, presented, summary
from amtdecode.diagnosis.handshakes import alert_name, last_stop, setup_sessions
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rule, Rules, confirmed, likely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref


DECRYPT_ERROR, UNKNOWN_CA = 51, 48

CHECKS_OF_DATES_AND_KEYS = ("AMT-CERT-001", "AMT-CERT-003", "AMT-CERT-004", "AMT-CERT-005", "AMT-CERT-002")
CHECKS = ("AMT-RCFG-003", "AMT-RCFG-002", "AMT-RCFG-001", "AMT-RCFG-009", "AMT-RCFG-010", "AMT-RCFG-006",
          "AMT-RCFG-005", "AMT-RCFG-007", "AMT-RCFG-008", "AMT-RCFG-015", "AMT-RCFG-026", "AMT-RCFG-041",
          "AMT-RCFG-012")  # fmt: skip
CHECKED_IN_FILES = frozenset(
    ("AMT-CERT-001", "AMT-CERT-003", "AMT-CERT-004",
     "AMT-RCFG-001", "AMT-RCFG-002", "AMT-RCFG-005", "AMT-RCFG-006", "AMT-RCFG-008", "AMT-RCFG-026", "AMT-RCFG-041")
)  # fmt: skip
REFUSED_FOR_ITSELF = frozenset(("AMT-CERT-001", "AMT-CERT-003", "AMT-CERT-004", "AMT-CERT-005"))


def _declare(rule_id: str, question: Question) -> None:
    RULES.add(
        Rule(
            id=rule_id,
            question=question,
            of_machine=of_check(rule_id),
            of_fleet=of_files(rule_id) if rule_id in CHECKED_IN_FILES else None,
            when=(needs.CERTIFICATE_SETUP,),
            needs=(needs.SETUP_CHAIN,),
            causes_refusal=rule_id in REFUSED_FOR_ITSELF,
        )
    )


RULES = Rules(Question.RCFG)
for _check in CHECKS_OF_DATES_AND_KEYS:
    _declare(_check, Question.CERTIFICATES)


@RULES.machine("AMT-RCFG-018", when=(needs.SETUP_HANDSHAKE,))
def empty_certificate(case: Case, device: Device) -> Iterator[Answer]:
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is not None and tls.request and tls.client_certificate and not tls.client_chain:
            yield confirmed(
                (tls.request, "AMT asks for a certificate"),
                (tls.client_certificate, f"{session.client} answers with an empty list"),
                server=session.client,
            )
            return


@RULES.machine("AMT-RCFG-019", when=(needs.PKI_STOP,))
def no_verify(case: Case, device: Device) -> Iterator[Answer]:
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


@RULES.machine("AMT-RCFG-036", when=(needs.PKI_STOP,))
def wrong_private_key(case: Case, device: Device) -> Iterator[Answer]:
    found = last_stop(case, device)
    if found is not None and found[1].by_amt and found[1].code == DECRYPT_ERROR:
        session, stop = found
        proofs = [(session.ref, f"{session.client} connects to {session.server}:{session.port}"), (stop.ref, stop.text)]
        proofs += summary(case, device, session)
        # a certificate whose own signature is wrong is refused with the same alert (AMT-RCFG-008)
        answer = confirmed if any(chain.session is session for chain in presented(case, device)) else likely
        yield answer(*proofs, alert=f"{stop.code} {alert_name(stop.code)}")


for _check in CHECKS:
    _declare(_check, Question.RCFG)


@RULES.machine("AMT-RCFG-020", when=(needs.PRESENTED_CHAIN,), needs=(needs.SCS_THUMBPRINT,))
def other_thumbprint(case: Case, device: Device) -> Iterator[Answer]:
    chains = [chain for chain in presented(case, device) if chain.session is not None]
    wanted_by_site = case.site.scs.thumbprint.replace(":", "").replace(" ", "").lower()
    exported = [thumbprint for file in case.story.registry_files for thumbprint in file.thumbprints]
    known = [wanted_by_site] if wanted_by_site else exported
    leaf, wanted = chains[-1].certificates[0], known[0]
    if leaf.sha1 not in known:
        yield confirmed(
            (chains[-1].proof, f"presented {leaf.sha1}"),
            (chains[-1].proof, f"configured {wanted}"),
            wanted=wanted,
            seen=leaf.sha1,
        )


@RULES.machine("AMT-RCFG-004", when=(needs.SETUP_CHAIN,))
def inactive_hash(case: Case, device: Device) -> Iterator[Answer]:
    chains = presented(case, device)
    chain = chains[-1] if chains else None
    if chain is None or chain.stop is None:
        return
    outcomes = {check.id: check.outcome for check in checks(case, device, chain)}
    if chain.stop.alerted and chain.stop.code != UNKNOWN_CA:
        return  # another alert says something else
    if outcomes.get("AMT-RCFG-003") != "pass" or "fail" in outcomes.values():
        return
    yield likely(
        (chain.proof, "the hash of the root is in the hello, and every other check that can be made passes"),
        (chain.stop.ref, chain.stop.text),
    )


@RULES.fleet("AMT-RCFG-017", when=(needs.CERTIFICATE,))
def several_suffixes(case: Case) -> Iterator[Answer]:
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
