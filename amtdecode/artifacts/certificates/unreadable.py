"""Certificates that cannot be read: what is said of them, and what is then not asked of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.artifacts.certificates.check import FAIL, UNKNOWN, Check
from amtdecode.artifacts.certificates.marking import SETUP_PURPOSE, nearly_the_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amtdecode.protocols.tls.certificates import CertificateInfo

OF_THE_LEAF = frozenset(
    ("AMT-RCFG-001", "AMT-RCFG-002", "AMT-RCFG-026", "AMT-RCFG-009", "AMT-RCFG-010", "AMT-RCFG-012", "AMT-RCFG-036")
)
"""Checks that only the leaf can answer."""
_FIX = "Export the certificate again from where it was issued, as PEM or DER."


def reason(certificate: CertificateInfo) -> str:
    """Say why a certificate cannot be read."""
    return "; ".join(certificate.faults[:3]) or "it is not a certificate"


def left_over(first: CertificateInfo) -> bool:
    """Whether the first certificate of a chain is an authority, so that what cannot be read was the leaf."""
    return first.authority is True and not (SETUP_PURPOSE in first.purposes or any(map(nearly_the_mark, first.units)))


def nothing(unread: Sequence[str]) -> Check:
    """The only answer where no certificate can be read, or none is there."""
    if not unread:
        return Check("AMT-RCFG-005", "Chain without gaps", FAIL, "There is no certificate at all.")
    text = f"No certificate can be read: {unread[0]}."
    return Check("AMT-RCFG-005", "Chain without gaps", FAIL, text, _FIX, "", (), tuple(unread))


def without(checks: Iterable[Check], unread: Sequence[str], *, leaf_lost: bool) -> Iterator[Check]:
    """Give the checks of what could be read; what was asked of a lost leaf is unknown."""
    for check in checks:
        if leaf_lost and check.id in OF_THE_LEAF:
            text = f"The setup certificate itself cannot be read: {unread[0]}."
            yield msgspec.structs.replace(check, outcome=UNKNOWN, explanation=text, fix=_FIX, compared=(), details=())
        elif check.id == "AMT-RCFG-023":
            count = f"{len(unread)} certificates" if len(unread) > 1 else "A certificate"
            text = f"{count} cannot be read at all: {unread[0]}."
            yield msgspec.structs.replace(
                check, outcome=FAIL, explanation=text, fix=_FIX, details=(*unread, *check.details)
            )
        else:
            yield check
