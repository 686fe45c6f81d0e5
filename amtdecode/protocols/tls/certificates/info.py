"""What is read of one X.509 certificate."""

from __future__ import annotations

from typing import Final

import msgspec

from amtdecode.protocols.tls.registry.oids import name_of_purpose

MAX_NAMES: Final = 256  # entries kept of one list inside a certificate (alternative names, purposes)

SETUP_UNIT: Final = "Intel(R) Client Setup Certificate"
"""The organizational unit that marks a setup certificate, letter for letter."""


class CertificateInfo(msgspec.Struct, frozen=True):
    """One certificate, read as far as it goes. Texts are empty and numbers -1 where they could not be read."""

    der: bytes
    size: int  # bytes of the certificate itself; less than len(der) when bytes follow it
    version: int = -1  # as people say it: 3 for v3
    serial: int | None = None
    subject: str = ""  # in the order on the wire, as `C=US, O=Intel, OU=AMT, CN=amt01.example.com`
    issuer: str = ""
    common_names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()  # every OU of the subject
    not_before: str = ""  # ISO 8601, UTC
    not_after: str = ""
    key_type: str = ""  # RSA, EC, DSA, Ed25519, …
    key_size: int = -1  # bits
    curve: str = ""
    signature_algorithm: str = ""
    signature_hash: str = ""  # md5, sha1, sha256, …
    alternative_names: tuple[str, ...] = ()  # `dns:host.example.com`, `ip:192.0.2.1`, …
    purposes: tuple[str, ...] = ()  # extended key usages, OIDs
    key_usage: tuple[str, ...] = ()
    authority: bool | None = None  # basicConstraints cA; None without that extension
    path_length: int | None = None
    self_issued: bool = False  # subject and issuer are the same name
    subject_der: bytes = b""
    issuer_der: bytes = b""
    sha1: str = ""
    sha256: str = ""
    sha384: str = ""
    faults: tuple[str, ...] = ()  # what is broken
    oddities: tuple[str, ...] = ()  # what is unusual but readable: serial 0, MD5, bytes behind

    @property
    def key(self) -> str:
        """Key type and size, as `RSA 2048`, `EC 256 (secp256r1)`."""
        size = f" {self.key_size}" if self.key_size >= 0 else ""
        return f"{self.key_type}{size}{f' ({self.curve})' if self.curve else ''}"

    @property
    def purpose_names(self) -> tuple[str, ...]:
        """The extended key usages by name, Intel's with their OID."""
        return tuple(name_of_purpose(oid) for oid in self.purposes)

    @property
    def serial_hex(self) -> str:
        """The serial number as hex text, a sign before it when negative."""
        if self.serial is None:
            return ""
        digits = f"{abs(self.serial):x}"
        return ("-" if self.serial < 0 else "") + (f"0{digits}" if len(digits) & 1 else digits)
