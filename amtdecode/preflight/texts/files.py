"""Texts that other rooms make: .reg files of the debug log, and the chain as a PEM file."""

from __future__ import annotations

from amtdecode.artifacts.reg import log_off_text, log_on_text, reg_bytes
from amtdecode.preflight.texts.kind import LackingError, Materials, Written


def log_on(_materials: Materials) -> list[Written]:
    """The .reg file that turns the debug log of SCS on."""
    return [Written("scs-log-on.reg", reg_bytes(log_on_text()))]


def log_off(_materials: Materials) -> list[Written]:
    """The .reg file that turns it off."""
    return [Written("scs-log-off.reg", reg_bytes(log_off_text()))]


def pem_chain(materials: Materials) -> list[Written]:
    """The chain of the files given, leaf first, root last, without keys."""
    from amtdecode.artifacts.certificates import order_chain, write_pem

    if not materials.certificates:
        raise LackingError("the certificates of the chain are missing: name their files")
    chain = order_chain(materials.certificates)
    if not chain.complete:
        raise LackingError(
            f"the chain is not whole: the certificate of {chain.certificates[-1].issuer or 'the issuer'} is missing"
        )
    return [Written("setup-chain.pem", write_pem(chain.certificates).encode("ascii"))]
