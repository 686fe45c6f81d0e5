"""The checks of a certificate chain, as text for a terminal and as JSON. All captured text passes `safe`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.artifacts.certificates import Check
    from amtdecode.diagnosis.knowledge import Placement
    from amtdecode.protocols.tls.certificates import CertificateInfo

WIDTH = 100
COLORS = {"fail": "31", "warn": "33", "unknown": "36", "pass": "32"}  # SGR foreground colours
ORDER = ("fail", "warn", "unknown", "pass")


class Judged(NamedTuple):
    """One chain and what the checks say of it."""

    source: str  # the files, or the connection it was captured on
    certificates: tuple[CertificateInfo, ...]  # in the order of the source
    ordered: tuple[CertificateInfo, ...]  # leaf to root, as far as they join
    checks: tuple[Check, ...]
    at: str  # ISO 8601
    amt_version: str
    suffix: str
    uuid: str = ""  # of the machine whose hello gave the hashes


def text(judged: Judged, *, everything: bool, color: bool) -> Iterator[str]:
    """Lines for a terminal: the chain, then the checks, the gravest first; details of what passed with `everything`."""
    yield safe(judged.source)
    for number, each in enumerate(judged.ordered):
        yield from _certificate(each, number, len(judged.ordered))
    strays = [each for each in judged.certificates if each not in judged.ordered]
    for each in strays:
        yield "  not in the chain: " + safe(each.subject or "(no subject)")
    facts = [f"judged at {judged.at}"]
    facts += [f"AMT {judged.amt_version}"] * bool(judged.amt_version)
    facts += [f"suffix {judged.suffix}"] * bool(judged.suffix)
    facts += [f"hello of {judged.uuid}"] * bool(judged.uuid)
    yield "  " + safe(", ".join(facts))
    yield ""
    for check in sorted(judged.checks, key=lambda each: ORDER.index(each.outcome)):
        yield from _check(check, everything=everything, color=color)
    counts = {outcome: sum(check.outcome == outcome for check in judged.checks) for outcome in ORDER}
    yield ""
    warnings = f"{counts['warn']} warning{'' if counts['warn'] == 1 else 's'}"
    yield f"{counts['fail']} failed, {warnings}, {counts['unknown']} unknown, {counts['pass']} passed"


def _certificate(each: CertificateInfo, number: int, count: int) -> Iterator[str]:
    role = "leaf" if number == 0 else "root" if number == count - 1 and each.self_issued else "CA"
    yield f"  {role:4}  {safe(each.subject or '(no subject)')}"
    yield f"        {each.key or 'no key'}, {safe(each.signature_algorithm)}, {each.not_before} to {each.not_after}"
    if role == "root":
        yield f"        SHA-1   {each.sha1}"
        yield f"        SHA-256 {each.sha256}"


def _check(check: Check, *, everything: bool, color: bool) -> Iterator[str]:
    word = f"{check.outcome.upper():7}"
    if color:
        word = f"\x1b[{COLORS[check.outcome]}m{word}\x1b[0m"
    yield f"{word} {check.id:13} {check.title}"
    if check.outcome == "pass" and not everything:
        return
    yield from _wrapped(check.explanation, "        ")
    width = max((len(side.what) for side in check.compared), default=0)
    for side in check.compared:
        yield f"        {safe(side.what):{width}}  {safe(side.text)}"
        if side.hex:
            yield f"        {'':{width}}  = {side.hex}"
    shown = check.details if everything else check.details[:8]
    for line in shown:
        yield f"        - {safe(line)}"
    if len(shown) < len(check.details):
        yield f"        - and {len(check.details) - len(shown)} more (-V)"
    if check.fix:
        yield from _wrapped(f"What to do: {check.fix}", "        ")
    if everything and check.source:
        yield f"        Source: {check.source}"


def _wrapped(line: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(safe(line), WIDTH, initial_indent=indent, subsequent_indent=indent)


def document(judged: Sequence[Judged], placements: Sequence[Placement]) -> dict[str, Any]:
    """Everything as one object for JSON."""
    found: dict[str, Any] = {"schema": 1, "chains": [_chain(each) for each in judged]}
    if placements:
        found["placement"] = [each._asdict() for each in placements]
    return found


def _chain(judged: Judged) -> dict[str, Any]:
    return {
        "source": judged.source,
        "at": judged.at,
        "amt_version": judged.amt_version or None,
        "suffix": judged.suffix or None,
        "uuid": judged.uuid or None,
        "certificates": [_described(each) for each in judged.certificates],
        "order": [judged.certificates.index(each) for each in judged.ordered],
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "outcome": check.outcome,
                "explanation": check.explanation,
                "fix": check.fix,
                "source": check.source,
                "compared": [{key: value for key, value in side._asdict().items() if value} for side in check.compared],
                "details": list(check.details),
            }
            for check in judged.checks
        ],
    }


def _described(each: CertificateInfo) -> dict[str, Any]:
    return {
        "subject": each.subject,
        "issuer": each.issuer,
        "serial": each.serial_hex,
        "not_before": each.not_before or None,
        "not_after": each.not_after or None,
        "key": each.key,
        "signature": each.signature_algorithm,
        "purposes": list(each.purposes),
        "sha1": each.sha1,
        "sha256": each.sha256,
        "sha384": each.sha384,
        "faults": [*each.faults, *each.oddities],
    }


def placement_text(placements: Sequence[Placement]) -> Iterator[str]:
    """Lines of the table of places, one group a machine."""
    machine = ""
    for each in placements:
        if each.machine != machine:
            machine = each.machine
            yield ("" if machine == placements[0].machine else "\n") + machine
        yield f"  {each.certificate}"
        yield f"    store: {each.store}; private key: {each.private_key}"
        yield from _wrapped(each.note, "    ")
