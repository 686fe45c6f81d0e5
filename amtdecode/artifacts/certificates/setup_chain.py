"""All checks AMT would make of a setup chain, one file of checks for each subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.artifacts.certificates import hashlist, marking, naming, pairing, strength, structure, unreadable
from amtdecode.artifacts.certificates.chain import order_chain
from amtdecode.artifacts.certificates.remembered import remembered, remembering
from amtdecode.artifacts.certificates.suffix import parse_version
from amtdecode.artifacts.certificates.validity import check_validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from amtdecode.artifacts.certificates.chain import Chain
    from amtdecode.artifacts.certificates.check import Check
    from amtdecode.artifacts.certificates.hashlist import Listed
    from amtdecode.artifacts.certificates.keys import PrivateKey
    from amtdecode.artifacts.certificates.suffix import Version
    from amtdecode.protocols.tls.certificates import CertificateInfo


@remembering()
def check_chain(
    certificates: Sequence[CertificateInfo],
    *,
    hashes: Iterable[tuple[Any, ...]] | None = None,
    dhcp_suffix: str | None = None,
    mebx_suffix: str | None = None,
    amt_version: tuple[int, ...] | str | None = None,
    at_time: datetime | None = None,
    private_keys: Sequence[PrivateKey] = (),
    unread: Sequence[str] = (),
) -> list[Check]:
    """Check a setup chain as AMT would; every check is answered, with "unknown" where its evidence is missing.

    `certificates` in the order they were sent or stand in the file. `hashes` of a hello: (algorithm 1, 2, 3 or name,
    value as bytes or hex; what follows them is not looked at, so `HelloMessage.hashes` will do); `None` when no hello
    is known, an empty list when the machine lists none. `at_time` must have a time zone; pass the time of the capture.
    `unread` says of each further certificate of the files why it cannot be read: what is asked of the leaf is then not
    asked of an authority that is left over.
    Never raises on the bytes of a certificate. Inside `remembering`, what does not depend on the time is kept for the
    next machine that is shown the same chain.
    """
    readable = tuple(each for each in certificates if each.issuer_der)
    unread = (*unread, *(unreadable.reason(each) for each in certificates if not each.issuer_der))
    if not readable:
        return [unreadable.nothing(unread)]
    version = (parse_version(amt_version) if isinstance(amt_version, str) else amt_version) or None
    if version is not None and len(version) == 1:
        version = (*version, 0)  # "16" means 16.0
    chain, timeless = _timeless(
        readable,
        None if hashes is None else hashlist.listed(tuple(hashes)),
        dhcp_suffix,
        mebx_suffix,
        version,
        tuple(private_keys),
    )
    found = [*timeless, *check_validity(chain.certificates, at_time)]
    if not unread:
        return found
    leaf_lost = not certificates[0].issuer_der or unreadable.left_over(chain.certificates[0])
    return [*unreadable.without(found, unread, leaf_lost=leaf_lost)]


@remembered
def _timeless(
    certificates: tuple[CertificateInfo, ...],
    hashes: tuple[Listed, ...] | None,
    dhcp_suffix: str | None,
    mebx_suffix: str | None,
    version: Version | None,
    private_keys: tuple[PrivateKey, ...],
) -> tuple[Chain, tuple[Check, ...]]:
    """Make the checks that do not ask for the time, on the chain in its right order."""
    chain = order_chain(certificates)
    leaf = chain.certificates[0]
    return chain, (
        *marking.check_marking(leaf),
        *hashlist.check_root(chain.certificates, hashes, version),
        *structure.check_structure(certificates, chain),
        *naming.check_name(leaf, dhcp_suffix, mebx_suffix, version),
        *strength.check_strength(chain.certificates, version),
        *pairing.check_keys(chain.certificates, private_keys),
    )
