"""AMT-HELLO-012 to 016: the root hashes that a hello lists."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from amtdecode.diagnosis.rule import Missing, confirmed, likely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.rule import Answer, Case
    from amtdecode.provisioning.facts import Device

MAX_EXPECTED_HASHES = 23  # 20 embedded and 3 custom ones; Intel AMT guide, "Root certificate hashes"
NEAR_DIGITS = 4  # hex digits that a typing error changes at most


def no_hashes(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HELLO-012."""
    hello = device.last_hello
    if hello and hello.version == 3 and not hello.hashes:
        yield confirmed((hello.ref, "version 3 hello with 0 root hashes"))


def many_hashes(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HELLO-013."""
    hello = device.last_hello
    if hello and len(hello.hashes) > MAX_EXPECTED_HASHES:
        yield confirmed((hello.ref, f"{len(hello.hashes)} root hashes"), severity="info", count=len(hello.hashes))


def custom_hash(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HELLO-014."""
    hellos = [hello for hello in device.hellos if hello.version == 3]
    if not hellos:
        if not device.hellos:
            yield Missing("no hello in this capture")
        return
    for before, after in itertools.pairwise(hellos):
        if before.hashes is not after.hashes and (gone := set(before.hashes) - set(after.hashes)):
            names = ", ".join(f"{value.hex()} ({name or 'unknown root'})" for _, value, name in sorted(gone)[:4])
            yield confirmed(
                (before.ref, f"lists {names}"),
                (after.ref, "lists it no more"),
                severity="medium",
                what="vanished between two hellos",
                hashes=names,
            )
            return
    custom = [value.hex() for _, value, name in hellos[-1].hashes if not name]
    if custom:
        proofs = [(hellos[-1].ref, f"hash {value} is of no root known here") for value in custom[:6]]
        yield confirmed(*proofs, what="in the list of the machine", hashes=", ".join(custom[:6]))


def nearly_listed(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HELLO-015."""
    hello = device.last_hello
    roots = [_digits(text) for text in case.site.certificates.roots]
    yield from _of_chain("AMT-HELLO-015", case, device)
    if not roots:
        yield Missing("hashes of the site's own roots (--site: certificates.roots)")
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
    from amtdecode.diagnosis.chains import checks, presented

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


def other_algorithm(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HELLO-016."""
    hello = device.last_hello
    if hello is None or not hello.hashes:
        return
    if not case.site.certificates.roots:
        yield Missing("hashes of the site's own roots (--site: certificates.roots)")
        return
    from amtdecode.diagnosis.chains import known_digests

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
