"""Order, completeness and signatures of a chain as it is sent."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.chain import Chain, Signature, describe, is_root, verify
from amtdecode.artifacts.certificates.check import ARTICLE, FAIL, GUIDE, PASS, UNKNOWN, Check, sides
from amtdecode.artifacts.certificates.facts import encoded, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.protocols.tls.certificates import CertificateInfo

_SOURCE = f"{GUIDE}, remote configuration; {ARTICLE}"
_RFC = "RFC 5246 section 7.4.2"


def check_structure(given: Sequence[CertificateInfo], chain: Chain) -> Iterator[Check]:
    """AMT-RCFG-005, 006, 007, 008 and 041; `given` is the order on the wire or in the file, `chain` the right one."""
    yield _complete(chain)
    yield _order(given, chain)
    yield _root_sent(chain)
    yield _signatures(chain)
    yield _authorities(chain)


def _authorities(chain: Chain) -> Check:
    title = "Issuers are authorities"
    source = "RFC 5280 sections 4.2.1.9 and 6.1.4"
    faults = []
    for each in chain.certificates[1:]:
        root = is_root(each)
        if each.authority is False:
            faults.append(f"{name_of(each)}: its basic constraints say that it is no authority (CA:FALSE)")
        elif each.authority is None and not root:
            faults.append(f"{name_of(each)}: nothing in it says that it is an authority (no basic constraints)")
        elif each.key_usage and "keyCertSign" not in each.key_usage:
            faults.append(f"{name_of(each)}: its key usage does not allow it to sign certificates")
    if not faults:
        return Check("AMT-RCFG-041", title, PASS, "Every issuer may issue certificates.", "", source)
    return Check(
        "AMT-RCFG-041",
        title,
        FAIL,
        f"A certificate was issued by one that may not issue any: {faults[0]}.",
        "Have the certificate issued again by an authority, whose certificate says CA:TRUE.",
        source,
        (),
        tuple(faults),
    )


def _complete(chain: Chain) -> Check:
    title = "Chain without gaps"
    top = chain.certificates[-1]
    if chain.complete or not (chain.strays or len(chain.certificates) == 1):
        return Check("AMT-RCFG-005", title, PASS, f"Each certificate is followed by its issuer: {_names(chain)}.")
    return Check(
        "AMT-RCFG-005",
        title,
        FAIL,
        f"The issuer of {name_of(top)} is not there, so AMT cannot find the root to hash.",
        "Add the certificate of the missing issuer, and every one above it up to the root.",
        _SOURCE,
        sides(
            ("issuer wanted", top.issuer),
            *(("there instead", each.subject) for each in chain.strays[:4]),
        ),
    )


def _order(given: Sequence[CertificateInfo], chain: Chain) -> Check:
    title = "Chain from leaf to root"
    members = {encoded(each) for each in chain.certificates}
    kept = list(dict.fromkeys(encoded(each) for each in given if encoded(each) in members))
    if kept == [encoded(each) for each in chain.certificates]:
        return Check("AMT-RCFG-006", title, PASS, "The certificates stand in the order TLS wants.", "", _RFC)
    names = {encoded(each): name_of(each) for each in given}
    return Check(
        "AMT-RCFG-006",
        title,
        FAIL,
        "The certificates form a chain, but not in the order they stand in.",
        "Write the file again in the right order: leaf first, then each issuer, root last (--write-pem does it).",
        _RFC,
        sides(("is", " <- ".join(names[each] for each in kept)), ("should be", _names(chain))),
    )


def _root_sent(chain: Chain) -> Check:
    title = "Root in the chain"
    if chain.complete:
        return Check("AMT-RCFG-007", title, PASS, f"The chain ends in the root {name_of(chain.certificates[-1])}.")
    top = chain.certificates[-1]
    if chain.strays or len(chain.certificates) == 1:
        text = "The chain has a gap before its end, see AMT-RCFG-005."
        return Check("AMT-RCFG-007", title, UNKNOWN, text, "", _SOURCE)
    return Check(
        "AMT-RCFG-007",
        title,
        FAIL,
        f"The chain ends in {name_of(top)}, an intermediate; its issuer was left out. Some servers leave out the root "
        "by habit, but AMT hashes it and needs it in the chain.",
        "Add the root to the file, or configure the server to send it (for Schannel there is a hotfix).",
        f"{_SOURCE}; TechNet out-of-band blog, 22 February 2011",
        sides(("ends with", top.subject), ("issuer, not sent", top.issuer)),
    )


def _signatures(chain: Chain) -> Check:
    title = "Signatures of the chain"
    links = [(child, issuer, verify(issuer, child)) for child, issuer in pairwise(chain.certificates)]
    if chain.complete:
        root = chain.certificates[-1]
        links.append((root, root, verify(root, root)))
    details = tuple(
        f"{name_of(child)}, issued by {name_of(issuer) if issuer is not child else 'itself'}: {result.value}"
        for child, issuer, result in links
    )
    bad = [(child, issuer) for child, issuer, result in links if result is Signature.BAD]
    if bad:
        child, issuer = bad[0]
        return Check(
            "AMT-RCFG-008",
            title,
            FAIL,
            f"The signature of {name_of(child)} does not verify with the key of {name_of(issuer)}: an authority of the "
            "same name and another key, or a certificate that was altered.",
            "Take the intermediate that belongs to this certificate from its authority.",
            "RFC 5280 section 6.1.3",
            (),
            details,
        )
    if not links or any(result is Signature.UNKNOWN for _, _, result in links):
        text = "Not every signature could be verified." if links else "There is no issuer to verify a signature with."
        return Check("AMT-RCFG-008", title, UNKNOWN, text, "", "", (), details)
    return Check("AMT-RCFG-008", title, PASS, "Every signature verifies.", "", "", (), details)


def _names(chain: Chain) -> str:
    return describe(chain.certificates)
