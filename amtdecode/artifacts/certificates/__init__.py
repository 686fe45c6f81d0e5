"""Files of certificates, and the checks AMT would make of a setup certificate.

Read        PEM bundles, broken ones too; DER; PKCS#7; PFX with a password; chains as TLS carries them.
Checked     marking by key purpose or organizational unit, SSL server purpose, root in the hash list of the machine,
            order, completeness and signatures of the chain, CN against the domain of the machine under the rule of its
            AMT version, key sizes, algorithms, dates at a given time, private keys, the PEM file as gSOAP reads it.
Sources     Intel AMT Implementation and Reference Guide; RFC 5280, 5246, 7468; articles of 2007 on remote configuration
            and on where certificates live. Ids are those of the rules of the diagnosis.
Limits      `bundle.MAX_BYTES` of a file, `bundle.MAX_ITEMS` entries of it.
Not covered revocation; whether a listed hash is active, which no hello says; path length and name constraints.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amtdecode.artifacts.certificates.bundle import Bundle, Fault, Item, is_bundle, read_bundle
    from amtdecode.artifacts.certificates.chain import Chain, order_chain, write_pem
    from amtdecode.artifacts.certificates.check import Check, Side
    from amtdecode.artifacts.certificates.keys import PrivateKey
    from amtdecode.artifacts.certificates.linting import lint
    from amtdecode.artifacts.certificates.setup_chain import check_chain
    from amtdecode.artifacts.certificates.suffix import parse_version

__all__ = [
    "Bundle",
    "Chain",
    "Check",
    "Fault",
    "Item",
    "PrivateKey",
    "Side",
    "check_chain",
    "is_bundle",
    "lint",
    "order_chain",
    "parse_version",
    "read_bundle",
    "write_pem",
]

_LATE = {
    "Bundle": "bundle",
    "Chain": "chain",
    "Check": "check",
    "Fault": "bundle",
    "Item": "bundle",
    "PrivateKey": "keys",
    "Side": "check",
    "check_chain": "setup_chain",
    "is_bundle": "bundle",
    "lint": "linting",
    "order_chain": "chain",
    "parse_version": "suffix",
    "read_bundle": "bundle",
    "write_pem": "chain",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: most captures show no certificate of setup."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"amtdecode.artifacts.certificates.{_LATE[name]}"), name)
    raise AttributeError(f"module 'amtdecode.artifacts.certificates' has no attribute {name!r}")
