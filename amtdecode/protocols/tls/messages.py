"""The handshake messages after the hellos.

Layout: RFC 5246, section 7.4; RFC 4279, 5489 (PSK), 8422 (ECDHE), 5054 (SRP), 5077 (tickets), 6066 (CertificateStatus),
8446, section 4 (TLS 1.3); RFC 6101 (SSL 3.0). What a key exchange message holds depends on the cipher suite chosen:
without it (a capture that starts in the middle) the message is told with its bytes.
A reader gives the event with what it could read, and what is wrong with the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.protocols.tls.extensions import (
    ENCRYPTED_EXTENSIONS,
    NONE,
    Extensions,
)
from amtdecode.protocols.tls.hellos import Handshake, KeptHandshake
from amtdecode.protocols.tls.kept import keep_text
from amtdecode.protocols.tls.registry import (
    name_of_client_certificate_type,
    name_of_group,
    name_of_handshake,
    name_of_signature_scheme,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amtdecode.protocols.tls.certificates import CertificateInfo


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


class Certificate(KeptHandshake, frozen=True):
    """A certificate chain, the sender's own first. An empty one is how a client says that it has none."""

    type: ClassVar[int] = 11
    sender: str
    chain: tuple[bytes, ...] = ()  # DER
    request_context: bytes = b""  # TLS 1.3
    extensions: tuple[Extensions, ...] = ()  # TLS 1.3, per certificate

    @property
    def certificates(self) -> tuple[CertificateInfo, ...]:
        """The certificates, read."""
        from amtdecode.protocols.tls.certificates import read_chain

        return read_chain(self.chain).certificates

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        if not self.chain:
            return f"Certificate of the {self.sender}: none"
        from amtdecode.protocols.tls.certificates import read_certificate

        return (
            f"Certificate of the {self.sender}: {len(self.chain)} in chain, {read_certificate(self.chain[0]).subject}"
        )

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.handshake.type": self.type,
            "tls.handshake.length": self.length,
            "iamt.tls.sender": self.sender,
            "iamt.tls.certificate.count": len(self.chain),
        }
        if self.request_context:
            fields["tls.handshake.certificate_request_context"] = self.request_context.hex()
        if self.chain:
            from amtdecode.protocols.tls.certificates import read_chain

            fields.update(read_chain(self.chain).fields)
        types = [code for block in self.extensions for code, _ in block.items]
        if types:
            fields["tls.handshake.extension.type"] = types
        return fields


class CertificateRequest(KeptHandshake, frozen=True):
    """The server asks for the client's certificate."""

    type: ClassVar[int] = 13
    types: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()  # TLS 1.2
    authorities: tuple[bytes, ...] = ()  # distinguished names, DER
    request_context: bytes = b""  # TLS 1.3
    extensions: Extensions = NONE  # TLS 1.3

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        number = len(self.authorities) or len(self.extensions.values.get("tls.handshake.dname", ()))
        named = f"{number or 'no'} {'authority' if number == 1 else 'authorities'} named"
        kinds = ", ".join(name_of_client_certificate_type(code) for code in self.types)
        return f"CertificateRequest: {kinds + '; ' if kinds else ''}{named}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {"tls.handshake.type": self.type, "tls.handshake.length": self.length}
        if self.types:
            fields["tls.handshake.cert_type"] = list(self.types)
        if self.schemes:
            fields["tls.handshake.sig_hash_alg"] = list(self.schemes)
        if self.authorities:
            from amtdecode.protocols.tls.certificates import read_name

            fields["tls.handshake.dname"] = [name.hex() for name in self.authorities]
            fields["iamt.tls.authority"] = [read_name(name) for name in self.authorities]
        if self.request_context:
            fields["tls.handshake.certificate_request_context"] = self.request_context.hex()
        fields.update(self.extensions.values)
        return fields


class ServerKeyExchange(KeptHandshake, frozen=True):
    """The server's part of a key exchange that its certificate does not settle: PSK hint, Diffie-Hellman values."""

    type: ClassVar[int] = 12
    exchange: str
    hint: bytes | None = None  # PSK identity hint
    curve_type: int = -1
    group: int = -1
    numbers: tuple[tuple[str, bytes], ...] = ()  # field name and value: p, g, the public key, …
    scheme: int = -1
    signature: bytes = b""
    rest: bytes = b""  # what the suite does not say how to read

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        parts = [self.exchange or "key exchange unknown"]
        if self.hint is not None:
            parts.append(f"PSK identity hint {_text(self.hint)!r}")
        if self.group >= 0:
            parts.append(name_of_group(self.group))
        return f"ServerKeyExchange {', '.join(parts)}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {"tls.handshake.type": self.type, "tls.handshake.length": self.length}
        if self.exchange:
            fields["iamt.tls.key_exchange"] = self.exchange
        if self.hint is not None:
            fields["tls.handshake.hint"] = self.hint.hex()
            fields["iamt.tls.psk.hint"] = _text(self.hint)
        if self.curve_type >= 0:
            fields["tls.handshake.server_curve_type"] = self.curve_type
        if self.group >= 0:
            fields["tls.handshake.server_named_curve"] = self.group
            fields["iamt.tls.group.name"] = name_of_group(self.group)
        for name, value in self.numbers:
            fields[name] = value.hex()
        if self.scheme >= 0:
            fields["tls.handshake.sig_hash_alg"] = [self.scheme]
        if self.signature:
            fields["tls.handshake.sig"] = self.signature.hex()
        if self.rest:
            fields["iamt.data"] = self.rest.hex()
        return fields


class ServerHelloDone(KeptHandshake, frozen=True):
    """The server has said all; the client is next."""

    type: ClassVar[int] = 14

    def summary(self) -> str:
        """See `Event`."""
        return "ServerHelloDone"


class ClientKeyExchange(KeptHandshake, frozen=True):
    """The client's part of the key exchange: PSK identity, encrypted premaster secret, Diffie-Hellman value."""

    type: ClassVar[int] = 16
    exchange: str
    identity: bytes | None = None  # PSK
    encrypted: bytes = b""  # premaster secret under the server's RSA key
    numbers: tuple[tuple[str, bytes], ...] = ()
    rest: bytes = b""

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        identity = f", PSK identity {_text(self.identity)!r}" if self.identity is not None else ""
        return f"ClientKeyExchange {self.exchange or 'key exchange unknown'}{identity}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {"tls.handshake.type": self.type, "tls.handshake.length": self.length}
        if self.exchange:
            fields["iamt.tls.key_exchange"] = self.exchange
        if self.identity is not None:
            fields["tls.handshake.identity"] = self.identity.hex()
            fields["iamt.tls.psk.identity"] = _text(self.identity)
        if self.encrypted:
            fields["tls.handshake.epms"] = self.encrypted.hex()
        for name, value in self.numbers:
            fields[name] = value.hex()
        if self.rest:
            fields["iamt.data"] = self.rest.hex()
        return fields


class CertificateVerify(Handshake, frozen=True):
    """The sender proves that it has the private key of its certificate."""

    type: ClassVar[int] = 15
    sender: str
    scheme: int = -1
    signature: bytes = b""

    def summary(self) -> str:
        """See `Event`."""
        scheme = f" {name_of_signature_scheme(self.scheme)}" if self.scheme >= 0 else ""
        return f"CertificateVerify of the {self.sender}{scheme}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.handshake.type": self.type,
            "tls.handshake.length": self.length,
            "iamt.tls.sender": self.sender,
        }
        if self.scheme >= 0:
            fields["tls.handshake.sig_hash_alg"] = [self.scheme]
        if self.signature:
            fields["tls.handshake.client_cert_vrfy.sig"] = self.signature.hex()
        return fields


class NewSessionTicket(Handshake, frozen=True):
    """The server hands out a ticket by which the client may resume the session."""

    type: ClassVar[int] = 4
    lifetime: int = 0  # seconds
    age_add: int = -1  # TLS 1.3
    nonce: bytes = b""  # TLS 1.3
    ticket: bytes = b""
    extensions: Extensions = NONE  # TLS 1.3

    def summary(self) -> str:
        """See `Event`."""
        return f"NewSessionTicket, {len(self.ticket)} bytes, good for {self.lifetime} s"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.handshake.type": self.type,
            "tls.handshake.length": self.length,
            "tls.handshake.session_ticket_lifetime_hint": self.lifetime,
            "tls.handshake.session_ticket": self.ticket.hex(),
        }
        if self.age_add >= 0:
            fields["tls.handshake.session_ticket_age_add"] = self.age_add
            fields["tls.handshake.session_ticket_nonce"] = self.nonce.hex()
        fields.update(self.extensions.values)
        return fields


class EncryptedExtensions(Handshake, frozen=True):
    """TLS 1.3: the server's answers that need not be in the clear."""

    type: ClassVar[int] = ENCRYPTED_EXTENSIONS
    extensions: Extensions = NONE

    def summary(self) -> str:
        """See `Event`."""
        return f"EncryptedExtensions, {len(self.extensions.items)} of them"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {
            "tls.handshake.type": self.type,
            "tls.handshake.length": self.length,
            **self.extensions.values,
        }


class CertificateStatus(Handshake, frozen=True):
    """The server sends an OCSP response with its certificate."""

    type: ClassVar[int] = 22
    status_type: int = -1
    response: bytes = b""

    def summary(self) -> str:
        """See `Event`."""
        return f"CertificateStatus, OCSP response of {len(self.response)} bytes"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {
            "tls.handshake.type": self.type,
            "tls.handshake.length": self.length,
            "tls.handshake.extensions_status_request_type": self.status_type,
            "tls.handshake.ocsp_response_len": len(self.response),
        }


class Finished(Handshake, frozen=True):
    """The sender confirms keys and handshake. It is encrypted: seen only where keys open it."""

    type: ClassVar[int] = 20
    sender: str
    verify_data: bytes
    verified: bool | None = None
    """Whether it confirms the handshake as captured; `None` where a part of that is missing, or it comes afterwards."""

    def summary(self) -> str:
        """See `Event`."""
        if self.verified is None:
            return f"Finished of the {self.sender}"
        told = "confirms the handshake" if self.verified else "does not fit the handshake as captured"
        return f"Finished of the {self.sender}, {told}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.handshake.type": self.type,
            "tls.handshake.length": self.length,
            "tls.handshake.verify_data": self.verify_data.hex(),
            "iamt.tls.sender": self.sender,
        }
        if self.verified is not None:
            fields["iamt.tls.verified"] = self.verified
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        verified = "" if self.verified is None else f',"iamt.tls.verified":{"true" if self.verified else "false"}'
        return (
            f'{{"tls.handshake.type":20,"tls.handshake.length":{self.length},"tls.handshake.verify_data":'
            f'"{self.verify_data.hex()}","iamt.tls.sender":"{self.sender}"{verified}}}'
        ).encode()


class KeyUpdate(Handshake, frozen=True):
    """TLS 1.3: the sender goes on with its next key."""

    type: ClassVar[int] = 24
    sender: str
    requested: int = 0

    def summary(self) -> str:
        """See `Event`."""
        return f"KeyUpdate of the {self.sender}{', asks the other side for one' if self.requested else ''}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {
            "tls.handshake.type": self.type,
            "tls.handshake.length": self.length,
            "tls.handshake.key_update.request_update": self.requested,
            "iamt.tls.sender": self.sender,
        }


class OtherHandshake(Handshake, frozen=True):
    """A handshake message that is named but not read further, or has an unknown type."""

    code: int
    sender: str
    body: bytes = b""

    def summary(self) -> str:
        """See `Event`."""
        return f"{name_of_handshake(self.code)} of the {self.sender}, {self.length} bytes"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.handshake.type": self.code,
            "tls.handshake.length": self.length,
            "iamt.tls.sender": self.sender,
        }
        if self.body:
            fields["iamt.data"] = self.body.hex()
        return fields
