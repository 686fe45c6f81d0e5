"""AMT-HELLO-012 to 016: the root hashes that a hello lists."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.chains import checks, known_digests, presented
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely
from amtdecode.diagnosis.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

MAX_EXPECTED_HASHES = 23  # 20 embedded and 3 custom ones; Intel AMT guide, "Root certificate hashes"
NEAR_DIGITS = 4  # hex digits that a typing error changes at most

RULES = Rules(Question.HELLO)


@RULES.machine("AMT-HELLO-012", when=(needs.HELLO,))
def no_hashes(_case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello and hello.version == 3 and not hello.hashes:
        yield confirmed((hello.ref, "version 3 hello with 0 root hashes"))


@RULES.machine("AMT-HELLO-015", when=(needs.CERTIFICATE_SETUP,))
def nearly_listed(case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    roots = [_digits(text) for text in case.site.certificates.roots]
    yield from _of_chain("AMT-HELLO-015", case, device)
    if not roots:
        yield Missing(needs.ROOTS.said(case))
        return
    if hello is None:
        return
    listed = [value.hex() for _, value, _ in hello.hashes]
    for root in roots:
        if root in listed:
            continue
        for value in listed:
            if len(value) == len(root):
                differ = [place for place in range(len(root)) if root[place] != value[place]]
                if len(differ) <= NEAR_DIGITS:
                    yield likely(
                        (hello.ref, f"the machine lists {value}; the site's root is {root}"),
                        listed=value,
                        root=root,
                        digits=", ".join(str(place + 1) for place in differ),
                    )


def _of_chain(rule_id: str, case: Case, device: Device) -> Iterator[Answer]:
    """What the check of a chain that the machine refused says of its root and the hashes of the hello."""
    for chain in presented(case, device)[-1:]:
        for check in checks(case, device, chain):
            if (
                check.id == rule_id
                and check.outcome in ("fail", "warn")
                and not chain.accepted
                and len(check.compared) > 1
            ):
                root, listed = check.compared[0].text, check.compared[1].text
                differ = [at + 1 for at, (one, other) in enumerate(zip(root, listed, strict=False)) if one != other]
                yield likely(
                    (chain.proof, f"root of the chain {root}"),
                    (device.hellos[-1].ref, f"the machine lists {listed}"),
                    listed=listed,
                    root=root,
                    digits=", ".join(map(str, differ)),
                )


@RULES.machine("AMT-HELLO-016", when=(needs.HASHES,), needs=(needs.ROOTS,))
def other_algorithm(case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello is None:
        return
    listed = {value.hex() for _, value, _ in hello.hashes}
    for text in case.site.certificates.roots:
        root = _digits(text)
        if root in listed:
            continue
        for digest in known_digests(case, root):
            if digest in listed:
                yield confirmed(
                    (hello.ref, f"lists the root as {digest}, the site names it {root}"), listed=digest, root=root
                )


def _digits(text: str) -> str:
    return text.replace(":", "").replace(" ", "").lower()


@RULES.machine("AMT-HELLO-014", needs=(needs.HELLO,))
def custom_hash(_case: Case, device: Device) -> Iterator[Answer]:
    hellos = [hello for hello in device.hellos if hello.version == 3]
    if not hellos:
        return
    for before, after in itertools.pairwise(hellos):
        if before.hashes is not after.hashes and (gone := set(before.hashes) - set(after.hashes)):
            names = ", ".join(f"{value.hex()} ({name or 'unknown root'})" for _, value, name in sorted(gone)[:4])
            yield confirmed(
                (before.ref, f"lists {names}"),
                (after.ref, "lists it no more"),
                severity=Severity.MEDIUM,
                what="vanished between two hellos",
                said="A full unprovision erases hashes entered by hand; new firmware may drop some of the maker's",
                advice="Enter the hash again in MEBx or by USB key (AMT 16 and later: USB key only).",
                hashes=names,
            )
            return
    custom = [value.hex() for _, value, name in hellos[-1].hashes if not name]
    if custom:
        proofs = [(hellos[-1].ref, f"hash {value} is of no root known here") for value in custom[:6]]
        yield confirmed(
            *proofs,
            what="in the list of the machine",
            hashes=", ".join(custom[:6]),
            said="Whoever has a setup certificate below such a root can set the machine up",
            advice="Nothing to do if the root is yours or the maker's; else find out who added it.",
        )


@RULES.machine("AMT-HELLO-013", when=(needs.HASHES,))
def many_hashes(_case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello and len(hello.hashes) > MAX_EXPECTED_HASHES:
        yield confirmed(
            (hello.ref, f"{len(hello.hashes)} root hashes"), severity=Severity.INFO, count=len(hello.hashes)
        )
