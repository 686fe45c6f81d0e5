"""Certificates as read, once for all machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.marking import SETUP_PURPOSE, nearly_the_mark
from amtdecode.protocols.tls.certificates import read_certificate

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.protocols.tls.certificates import CertificateInfo

MAX_CHAINS = 1024  # chains kept read; every machine has a certificate of its own


def read_chain(case: Case, chain: tuple[bytes, ...]) -> tuple[CertificateInfo, ...]:
    """Certificates of a chain, read once for all machines that saw it."""
    known: dict[tuple[bytes, ...], tuple[CertificateInfo, ...]] = case.shared.setdefault("chains", {})
    if chain not in known:
        if len(known) >= MAX_CHAINS:
            known.clear()
        known[chain] = tuple(read_certificate(der) for der in chain)
    return known[chain]


def marked_for_setup(leaf: CertificateInfo) -> bool:
    """Whether a certificate says that it is for setup, or tries to."""
    return SETUP_PURPOSE in leaf.purposes or any(map(nearly_the_mark, leaf.units))
