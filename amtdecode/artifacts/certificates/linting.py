"""A PEM file as gSOAP reads it: leaf, each issuer in turn, root; nothing else, and nothing OpenSSL stumbles over.

gSOAP (the SMS Add-on and other consoles) hands the file to OpenSSL and looks for no chain beyond it. Source: 2007
article on where certificates live; RFC 7468.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.chain import order_chain
from amtdecode.artifacts.certificates.check import FAIL, PASS, WARN, Check
from amtdecode.artifacts.certificates.facts import encoded, name_of, public_bits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.artifacts.certificates.bundle import Bundle

TITLE = "PEM file fit for gSOAP"
_SOURCE = "2007 article on where certificates live; RFC 7468"


def lint(bundle: Bundle, *, whole: bool = True) -> Check:
    """AMT-CERT-008; `whole` is false when further files hold the rest of the chain."""
    points = [*_file(bundle), *(_contents(bundle) if whole else ())]
    if bundle.format == "PEM" and bundle.private_keys:
        points += _keys(bundle)
    serious = [text for text, grave in points if grave]
    if not points:
        return Check("AMT-CERT-008", TITLE, PASS, "The file is in order.", "", _SOURCE)
    text = serious[0] if serious else points[0][0]
    return Check(
        "AMT-CERT-008",
        TITLE,
        FAIL if serious else WARN,
        f"{text[0].upper()}{text[1:]}.",
        "Write the file again: leaf first, then each issuer, root last, plain PEM (--write-pem does it).",
        _SOURCE,
        (),
        tuple(text for text, _ in points),
    )


def _file(bundle: Bundle) -> Iterator[tuple[str, bool]]:
    for fault in bundle.faults:
        where = f"line {fault.line}: " if fault.line else ""
        yield f"{where}{fault.text}", fault.serious


def _contents(bundle: Bundle) -> Iterator[tuple[str, bool]]:
    if not bundle.certificates:
        yield "the file holds no certificate", True
        return
    chain = order_chain(bundle.certificates)
    for copy in chain.copies:
        yield f"{name_of(copy)} is there twice", True
    for stray in chain.strays:
        yield f"{name_of(stray)} does not belong to the chain", True
    if not chain.complete:
        yield f"the issuer of {name_of(chain.certificates[-1])} is missing: {chain.certificates[-1].issuer}", True
    members = {encoded(each) for each in chain.certificates}
    kept = list(dict.fromkeys(encoded(each) for each in bundle.certificates if encoded(each) in members))
    if bundle.format in ("PEM", "TLS certificate chain") and kept != [encoded(each) for each in chain.certificates]:
        yield f"the order is wrong; it should be {' <- '.join(name_of(each) for each in chain.certificates)}", True
    for item in bundle.items:
        if item.kind not in ("certificate", "private key"):
            yield f"line {item.line}: a {item.label} is no part of a chain", False


def _keys(bundle: Bundle) -> Iterator[tuple[str, bool]]:
    wanted = public_bits(order_chain(bundle.certificates).certificates[0]) if bundle.certificates else b""
    for item in bundle.items:
        key = item.private_key
        if key is None:
            continue
        if key.encrypted:
            yield f"line {item.line}: the private key is encrypted, and gSOAP needs its password", False
        if wanted and key.public and key.public != wanted:
            yield f"line {item.line}: the private key does not belong to the leaf", True
        if key.fault and not key.encrypted:
            yield f"line {item.line}: the private key cannot be read: {key.fault}", True
