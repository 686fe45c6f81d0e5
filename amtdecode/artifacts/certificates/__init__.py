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

from typing import TYPE_CHECKING

from amtdecode.late import late

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

__getattr__ = late(  # most captures show no certificate of setup
    __name__,
    bundle="Bundle Fault Item is_bundle read_bundle",
    chain="Chain order_chain write_pem",
    check="Check Side",
    keys="PrivateKey",
    linting="lint",
    setup_chain="check_chain",
    suffix="parse_version",
)
