"""AMT-DNS-*: whether the name ProvisionServer led the machine to its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.addressing import resolved
from amtdecode.diagnosis.phrases import dead_record, quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import CUT, absent, unseen_reply
from amtdecode.diagnosis.site import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

NXDOMAIN, SERVFAIL, REFUSED = 3, 2, 5  # RFC 1035 §4.1.1
RCODES = {SERVFAIL: "SERVFAIL", REFUSED: "REFUSED"}
ASKED_AGAIN_SECONDS = 1.0  # resolvers ask again after that
FOLLOW_UP_SECONDS = 10.0  # the suffixed name is asked for right after the bare one

ONE_RECORD = "Verify each address. Keep one record unless the servers share their database."

RULES = Rules(Question.NAMES)


@RULES.machine("AMT-DNS-003", when=(needs.LOOKUP,))
def resolver_fails(case: Case, device: Device) -> Iterator[Answer]:
    if resolved(device):
        return
    for lookup in device.lookups:
        if lookup.rcode in (SERVFAIL, REFUSED):
            yield confirmed(
                (lookup.ref, f"{lookup.client} asks {lookup.server} for {quoted(lookup.name)}"),
                (lookup.answer, f"answer: {RCODES[lookup.rcode]}"),
                severity=_despite(device),
                name=lookup.name,
                server=lookup.server,
                what=f"answered {RCODES[lookup.rcode]}",
            )
        elif lookup.cut:
            yield Missing(CUT)
        elif lookup.rcode < 0 and lookup.queries >= 2:
            if any(hello.time is not None and hello.time >= (lookup.time or 0) for hello in device.hellos):
                yield Missing("the answer of the DNS server, which the machine must have had: it says hello")
                continue
            if lacking := unseen_reply(case, lookup, lookup.last_query_time, ASKED_AGAIN_SECONDS):
                yield lacking
                continue
            answer = absent(case)
            yield answer(
                (lookup.ref, f"{lookup.client} asks {lookup.server} for {quoted(lookup.name)}"),
                (lookup.last_query, f"query number {lookup.queries}; none is answered"),
                severity=_despite(device),
                name=lookup.name,
                server=lookup.server,
                what=f"left {lookup.queries} queries without an answer",
            )


@RULES.machine("AMT-DNS-001", needs=(needs.LOOKUP,))
def no_record(_case: Case, device: Device) -> Iterator[Answer]:
    if resolved(device):
        return
    for lookup in device.lookups:
        if not lookup.bare and lookup.rcode == NXDOMAIN:
            yield confirmed(
                (lookup.ref, f"{lookup.client} asks {lookup.server} for {quoted(lookup.name)}"),
                (lookup.answer, "answer: NXDOMAIN, there is no such name"),
                severity=_despite(device),
                name=lookup.name,
                server=lookup.server,
            )


def _despite(device: Device) -> Severity | None:
    """A name that fails matters little to a machine that says hello all the same: its server is set by hand."""
    return Severity.LOW if device.hellos else None


@RULES.machine("AMT-DNS-002", when=(needs.LOOKUP,))
def only_bare_name(case: Case, device: Device) -> Iterator[Answer]:
    bare = [lookup for lookup in device.lookups if lookup.bare and lookup.rcode == NXDOMAIN]
    if not bare or any(not lookup.bare for lookup in device.lookups) or device.hellos:
        return
    watched = case.story.watched_after(bare[-1].answer_time)
    if watched is None or watched < FOLLOW_UP_SECONDS:
        yield Missing("the capture ends right after the query for the bare name")
        return
    yield confirmed(
        (bare[-1].ref, f"{bare[-1].client} asks for {quoted(bare[-1].name)}, without a domain"),
        (bare[-1].answer, f"answer: NXDOMAIN; no query with a domain follows in {watched:.0f} s"),
        name=bare[-1].name,
    )


@RULES.machine("AMT-DNS-004", when=(needs.LOOKUP,))
def empty_answer(_case: Case, device: Device) -> Iterator[Answer]:
    if resolved(device):
        return
    for lookup in device.lookups:
        if lookup.cut:
            yield Missing(CUT)
        elif lookup.rcode == 0 and not lookup.addresses:
            alias = lookup.aliases[-1] if lookup.aliases else ""
            what = f"only the alias {quoted(alias)}, which has no address" if alias else "no record at all"
            yield confirmed(
                (lookup.ref, f"{lookup.client} asks for {quoted(lookup.name)}"),
                (lookup.answer, f"answer: {what}"),
                severity=_despite(device),
                name=lookup.name,
                what=what,
            )


@RULES.machine("AMT-DNS-005", needs=(needs.RESOLVED,))
def wrong_host(case: Case, device: Device) -> Iterator[Answer]:
    found = resolved(device)
    allowed = case.site.scs.addresses
    lookup = found[-1]
    for address in lookup.addresses:
        proof = (lookup.answer, f"{quoted(lookup.name)} is {address}")
        failed = [s for s in device.sessions if s.server == address and s.state in ("refused", "unanswered")]
        failed = [s for s in failed if s.client != address and s.port not in ports.INTEL]
        worked = any(hello.destination == address for hello in device.hellos)
        if allowed and not within(address, allowed):
            extra = [(s.ref, f"connection to {address}:{s.port} is {s.state}") for s in failed[-1:]]
            text = "is not among the servers the site names: " + ", ".join(allowed)
            yield confirmed(proof, *extra, name=lookup.name, address=address, what=text)
        elif failed and not worked and not allowed:
            session = failed[-1]
            yield possible(
                proof,
                (session.ref, f"connection to {address}:{session.port} is {session.state}"),
                name=lookup.name,
                address=address,
                what=f"does not accept hello messages: its port {session.port} is {session.state}",
            )


@RULES.machine("AMT-DNS-006", when=(needs.LOOKUP,))
def answers_differ(_case: Case, device: Device) -> Iterator[Answer]:
    for lookup in resolved(device):
        if lookup.others or len(lookup.addresses) > 1:
            answers = [*lookup.others, lookup.addresses]
            said = " / ".join(", ".join(answer) for answer in answers)
            dead = sorted({address for answer in answers for address in answer if _dead(device, address)})
            alive = sorted({address for answer in answers for address in answer} - set(dead))
            proofs = [(proof, f"earlier answer: {', '.join(a)}") for proof, a in zip(lookup.other_refs, answers)]  # noqa: B905
            yield likely(
                *proofs,
                (lookup.answer, f"answer: {', '.join(lookup.addresses)}"),
                name=lookup.name,
                said=said,
                advice=dead_record(lookup.name, dead, alive) or ONE_RECORD,
            )


def _dead(device: Device, address: str) -> bool:
    """Whether every connection of the machine to this address failed."""
    tried = [s for s in device.sessions if s.server == address and s.port not in ports.INTEL and s.client != address]
    worked = any(hello.destination == address for hello in device.hellos)
    return bool(tried) and not worked and not any(session.connected for session in tried)


@RULES.machine("AMT-DNS-007", needs=(needs.DNS,))
def reverse_lookup_fails(case: Case, device: Device) -> Iterator[Answer]:
    for address in device.addresses:
        for lookup in case.story.reverse.get(address, ()):
            if lookup.rcode == NXDOMAIN:
                yield confirmed(
                    (lookup.ref, f"{lookup.client} asks for the name of {address}"),
                    (lookup.answer, "answer: NXDOMAIN"),
                    address=address,
                    server=lookup.client,
                )
