"""Setup certificates, as presented in a handshake or given as a file, and what the checks say of them.

The checks themselves are `amtdecode.artifacts.certificates.check_chain`; here they meet the machine: its hash list, its
suffix, its version, the time of the capture, and whether it refused the chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.diagnosis.handshakes import Stop, is_setup, stopped
from amtdecode.diagnosis.rule import Hit, Missing, per_machine
from amtdecode.diagnosis.words import counted, version_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from amtdecode.artifacts.certificates import Check
    from amtdecode.diagnosis.rule import Answer, Case
    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.provisioning.facts import Device, Ref, Session

# alerts after the server's Certificate that go with each check (RFC 5246 §7.2.2); other checks may be behind them too
EXPECTED = {
    "AMT-RCFG-003": {48, 46, 42},
    "AMT-RCFG-005": {48, 42, 46},
    "AMT-RCFG-006": {48, 42, 46},
    "AMT-RCFG-007": {48, 42, 46},
    "AMT-CERT-001": {45, 42, 46},
    "AMT-CERT-003": {43, 42, 46},
    "AMT-CERT-004": {43, 42, 46},
    "AMT-CERT-005": {43, 42, 46},
}
MAX_CHAINS = 1024  # chains kept read; every machine has a certificate of its own
OUTCOME_WORDS = {"pass": "passes", "warn": "doubtful", "unknown": "cannot be judged", "fail": "FAILS"}
LOCAL_CHECKS = (
    "AMT-RCFG-001", "AMT-RCFG-002", "AMT-RCFG-003", "AMT-RCFG-005", "AMT-RCFG-006", "AMT-RCFG-007", "AMT-RCFG-008",
    "AMT-RCFG-009", "AMT-RCFG-010", "AMT-RCFG-015", "AMT-RCFG-026", "AMT-CERT-001", "AMT-CERT-003", "AMT-CERT-004",
)  # fmt: skip


class Presented(NamedTuple):
    """A setup chain, where it was seen, and what the machine made of it."""

    certificates: tuple[CertificateInfo, ...]
    proof: Ref
    session: Session | None  # None: from a file
    stop: Stop | None  # the machine's refusal, if it refused
    accepted: bool


def read_chain(case: Case, chain: tuple[bytes, ...]) -> tuple[CertificateInfo, ...]:
    """Certificates of a chain, read once for all machines that saw it."""
    known: dict[tuple[bytes, ...], tuple[CertificateInfo, ...]] = case.shared.setdefault("chains", {})
    if chain not in known:
        from amtdecode.protocols.tls.certificates import read_certificate

        if len(known) >= MAX_CHAINS:
            known.clear()

        known[chain] = tuple(read_certificate(der) for der in chain)
    return known[chain]


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
        found[tls.client_chain] = Presented(
            read_chain(case, tls.client_chain), tls.client_certificate, session, refused, accepted
        )
    hello = device.last_hello
    if not found and hello is not None and hello.version == 3:
        return [entry for entry in file_chains(case) if _is_setup_leaf(entry)]
    return list(found.values())


def _is_setup_leaf(entry: Presented) -> bool:
    from amtdecode.artifacts.certificates.marking import SETUP_PURPOSE, nearly_the_mark

    leaf = entry.certificates[0]
    return SETUP_PURPOSE in leaf.purposes or any(nearly_the_mark(unit) for unit in leaf.units)


def file_chains(case: Case) -> list[Presented]:
    """The chains in the files given, in the order of each file."""
    found = []
    for entry in case.story.files:
        bundle = getattr(entry, "bundle", None)
        if bundle is not None and bundle.certificates:
            found.append(Presented(bundle.certificates, entry.ref, None, None, accepted=False))
    return found


def checks(case: Case, device: Device, chain: Presented) -> list[Check]:
    """Every check of a chain against a machine."""
    from amtdecode.artifacts.certificates import check_chain

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
        pairs = None if hashes is None else [(algorithm, value) for algorithm, value, _ in hashes]
        known[key] = check_chain(
            chain.certificates,
            hashes=pairs,
            dhcp_suffix=suffix,
            mebx_suffix=mebx,
            amt_version=version_tuple(version) or None,
            at_time=moment(time),
            private_keys=_keys(case, chain),
        )
    return known[key]


def _keys(case: Case, chain: Presented) -> list[Any]:
    if chain.session is not None:
        return []
    return [key for entry in case.story.files for key in getattr(getattr(entry, "bundle", None), "private_keys", ())]


def moment(time: int | None) -> datetime | None:
    """A capture time as a date; `None` where there is none."""
    if time is None:
        return None
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(time / 1e9, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def suffix_of(device: Device) -> str | None:
    """The domain of a machine: option 15 of its lease, else the one it asked for ProvisionServer in."""
    for lease in reversed(device.leases):
        if lease.ack and not lease.v6:
            if lease.suffix is not None:
                return lease.suffix.decode("latin-1")
            break
    for lookup in reversed(device.lookups):
        if not lookup.bare:
            return lookup.name.partition(".")[2].rstrip(".")
    for lease in reversed(device.leases):
        if lease.v6 and lease.suffix:  # up to five, of which the machine tries one after the other
            return lease.suffix.decode("latin-1").split(" ")[0]
    if any(lease.ack and not lease.v6 for lease in device.leases):
        return ""
    return None


def of_check(rule_id: str) -> Callable[[Case, Device], Iterator[Answer]]:
    """The rule that reports one check of the setup chain."""

    def ask(case: Case, device: Device) -> Iterator[Answer]:
        chains = presented(case, device)
        if not chains:
            if device.method != "psk":
                yield Missing(
                    "no setup certificate was presented to the machine in this capture, and no file holds one"
                )
            return
        chain = chains[-1]
        for check in checks(case, device, chain):
            if check.id == rule_id:
                yield from _answer(rule_id, check, chain)

    ask.__name__ = rule_id.lower().replace("-", "_")
    ask.__doc__ = f"{rule_id}."
    return ask


def _answer(rule_id: str, check: Check, chain: Presented) -> Iterator[Answer]:
    if check.outcome == "unknown":
        yield Missing(check.explanation if len(check.explanation) < 200 else check.title)
    told = check.outcome == "pass" and rule_id in TOLD_WHEN_PASSED
    if check.outcome in ("pass", "unknown") and not told:
        return
    if chain.accepted and rule_id not in WEAKNESSES:
        return  # the machine took it: whatever the check fears did not happen
    if check.outcome == "warn" and not chain.stop and rule_id not in WEAKNESSES:
        return
    verdict = "confirmed" if told and chain.accepted else "likely"
    if chain.stop is not None and check.outcome == "fail":
        code = chain.stop.code
        verdict = (
            "confirmed" if code < 0 or rule_id not in EXPECTED or code in EXPECTED[rule_id] or code == 40 else "likely"
        )
    elif check.outcome == "warn":
        verdict = "possible"
    proofs: list[tuple[Ref, str]] = [(chain.proof, _seen(chain))]
    if chain.stop is not None:
        proofs.append((chain.stop.ref, chain.stop.text))
    for what, text, digits in check.compared:
        said = f"{what}: {text} (hex {digits})" if digits else f"{what}: {text}"
        proofs += [(chain.proof, said)]
    proofs += [(chain.proof, detail) for detail in check.details[:MAX_DETAILS]]
    severity = WEAKNESSES.get(rule_id) if chain.accepted or chain.stop is None else None
    if rule_id in WEAKNESSES and verdict == "confirmed" and chain.stop is not None:
        severity = "high"  # the machine does refuse it, with what it says to this fault
    values = {"check": check.explanation, "advice": check.fix, "leaf": _leaf(chain)}
    yield Hit(verdict, proofs, values, severity)  # type: ignore[arg-type]


MAX_DETAILS = 6
WEAKNESSES = {
    "AMT-CERT-003": "info",
    "AMT-CERT-004": "info",
    "AMT-CERT-005": "info",
    "AMT-CERT-002": "low",
    "AMT-RCFG-012": "info",
}
"""Checks worth telling even though the machine took the chain, and how loudly."""
TOLD_WHEN_PASSED = frozenset(("AMT-RCFG-012",))
"""Checks that are made only where something is relied on that not every machine grants."""


def _seen(chain: Presented) -> str:
    if chain.session is None:
        return f"the file holds the chain of {_leaf(chain)}"
    further = counted(len(chain.certificates) - 1, "further certificate")
    return f"{chain.session.client} presents {_leaf(chain)} and {further}"


def _leaf(chain: Presented) -> str:
    leaf = chain.certificates[0]
    return leaf.common_names[0] if leaf.common_names else leaf.subject or "a certificate without a name"


def summary(case: Case, device: Device, session: Session) -> list[tuple[Ref, str]]:
    """All local checks of the chain that a session presented, one line each: an alert alone never names the cause."""
    tls = session.handshake
    if tls is None or not tls.client_chain:
        return []
    stop = stopped(session)
    chain = Presented(read_chain(case, tls.client_chain), tls.client_certificate, session, stop, accepted=False)
    order = ("fail", "warn", "unknown", "pass")
    made = [check for check in checks(case, device, chain) if check.id in LOCAL_CHECKS]
    made.sort(key=lambda check: order.index(check.outcome))
    return [
        (tls.client_certificate, f"check {check.id}, {check.title}: {OUTCOME_WORDS[check.outcome]}") for check in made
    ]


def failing(case: Case, device: Device, session: Session) -> list[str]:
    """The ids of the local checks that fail for the chain of a session."""
    return [text.split()[1].rstrip(",") for _, text in summary(case, device, session) if text.endswith("FAILS")]


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
