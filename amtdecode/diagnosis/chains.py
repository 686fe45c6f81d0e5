"""Setup certificates, as presented in a handshake or given as a file, and what the checks say of them.

The checks themselves are `amtdecode.artifacts.certificates.check_chain`; here they meet the machine: its hash list, its
suffix, its version, the time of the capture, and whether it refused the chain.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.diagnosis.addressing import suffix_of
from amtdecode.diagnosis.case import per_machine
from amtdecode.diagnosis.certificates import marked_for_setup, read_chain
from amtdecode.diagnosis.handshakes import Stop, is_setup, stopped
from amtdecode.diagnosis.versions import version_tuple

if TYPE_CHECKING:
    from amtdecode.artifacts.certificates import Check
    from amtdecode.diagnosis.case import Case
    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.provisioning.state import Device, Ref, Session

OUTCOME_WORDS = {"pass": "passes", "warn": "doubtful", "unknown": "cannot be judged", "fail": "FAILS"}
BEFORE_AMT = 1_104_537_600 * 10**9  # 2005, the year of AMT 1.0: files without a clock count from 1970
LOCAL_CHECKS = (
    "AMT-RCFG-001", "AMT-RCFG-002", "AMT-RCFG-003", "AMT-RCFG-005", "AMT-RCFG-006", "AMT-RCFG-007", "AMT-RCFG-008",
    "AMT-RCFG-009", "AMT-RCFG-010", "AMT-RCFG-015", "AMT-RCFG-026", "AMT-RCFG-041", "AMT-CERT-001", "AMT-CERT-003",
    "AMT-CERT-004",
)  # fmt: skip


class Presented(NamedTuple):
    """A setup chain, where it was seen, and what the machine made of it."""

    certificates: tuple[CertificateInfo, ...]
    proof: Ref
    session: Session | None  # None: from a file
    stop: Stop | None  # the machine's refusal, if it refused
    accepted: bool


@per_machine
def presented(case: Case, device: Device) -> list[Presented]:
    """The setup chains shown to a machine, latest last; if none was, those of the files given."""
    found: dict[tuple[bytes, ...], Presented] = {}
    for session in device.sessions:
        tls = session.handshake
        if tls is None or not tls.client_chain or not is_setup(case, device, session):
            continue
        stop = stopped(session)
        refused = stop if stop is not None and stop.by_amt else None
        accepted = stop is None and tls.established
        found.pop(tls.client_chain, None)  # shown again, it becomes the latest
        found[tls.client_chain] = Presented(
            read_chain(case, tls.client_chain), tls.client_certificate, session, refused, accepted
        )
    hello = device.last_hello
    if not found and hello is not None and hello.version == 3:
        return [entry for entry in file_chains(case) if marked_for_setup(entry.certificates[0])]
    return list(found.values())


def file_chains(case: Case) -> list[Presented]:
    """The chains in the files given, in the order of each file."""
    return [
        Presented(file.bundle.certificates, file.ref, None, None, accepted=False)
        for file in case.story.certificate_files
        if file.bundle.certificates
    ]


def checks(case: Case, device: Device, chain: Presented) -> list[Check]:
    """Every check of a chain against a machine."""
    hello = device.last_hello
    hashes = hello.hashes if hello is not None and hello.version == 3 else None
    suffix = suffix_of(device)
    mebx = case.site.network.suffixes[0] if case.site.network.suffixes else None
    version = case.version(device)
    time = chain.session.time if chain.session is not None else case.story.last
    hour = None if time is None else time // 3_600_000_000_000
    key = (chain.certificates, id(hashes), suffix, mebx, version, hour)
    known: dict[object, list[Check]] = case.shared.setdefault("checks", {})
    if key not in known:
        from amtdecode.artifacts.certificates import check_chain

        pairs = None if hashes is None else [(algorithm, value) for algorithm, value, _ in hashes]
        known[key] = check_chain(
            chain.certificates,
            hashes=pairs,
            dhcp_suffix=suffix,
            mebx_suffix=mebx,
            amt_version=version_tuple(version) or None,
            at_time=moment(time),
        )
    return known[key]


def moment(time: int | None) -> datetime | None:
    """A capture time as a date; `None` where there is none, or one of a clock that was not set."""
    if time is None or time < BEFORE_AMT:
        return None
    try:
        return datetime.fromtimestamp(time / 1e9, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def leaf_name(chain: Presented) -> str:
    """What a chain is called: the name in its leaf."""
    leaf = chain.certificates[0]
    return leaf.common_names[0] if leaf.common_names else leaf.subject or "a certificate without a name"


def local_checks(case: Case, device: Device, session: Session) -> tuple[Ref, list[Check]]:
    """The checks of the chain that a session presented, those that fail first, and what proves the chain."""
    tls = session.handshake
    if tls is None or not tls.client_chain:
        return 0, []
    stop = stopped(session)
    chain = Presented(read_chain(case, tls.client_chain), tls.client_certificate, session, stop, accepted=False)
    order = ("fail", "warn", "unknown", "pass")
    made = [check for check in checks(case, device, chain) if check.id in LOCAL_CHECKS]
    made.sort(key=lambda check: order.index(check.outcome))
    return tls.client_certificate, made


def summary(case: Case, device: Device, session: Session) -> list[tuple[Ref, str]]:
    """These checks, one line each: an alert alone never names the cause."""
    proof, made = local_checks(case, device, session)
    return [(proof, f"check {check.id}, {check.title}: {OUTCOME_WORDS[check.outcome]}") for check in made]


def known_digests(case: Case, digest: str) -> list[str]:
    """Other digests of the root that has this one: from the table, from chains seen, from files."""
    from amtdecode.protocols.hello.roots import CERTIFICATES

    found: list[str] = []
    for entry in CERTIFICATES:
        family = (entry.sha1, entry.sha256, entry.sha384)
        if digest in family:
            found += [other for other in family if other and other != digest]
    seen = [certificate for chain in case.shared.get("chains", {}).values() for certificate in chain]
    seen += [certificate for chain in file_chains(case) for certificate in chain.certificates]
    for certificate in seen:
        family = (certificate.sha1, certificate.sha256, certificate.sha384)
        if digest in family:
            found += [other for other in family if other != digest]
    return list(dict.fromkeys(found))
