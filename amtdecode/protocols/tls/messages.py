"""The handshake messages after the hellos.

Layout: RFC 5246, section 7.4; RFC 4279, 5489 (PSK), 8422 (ECDHE), 5054 (SRP), 5077 (tickets), 6066 (CertificateStatus),
8446, section 4 (TLS 1.3); RFC 6101 (SSL 3.0). What a key exchange message holds depends on the cipher suite chosen:
without it (a capture that starts in the middle) the message is told with its bytes.
A reader gives the event with what it could read, and what is wrong with the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.counting import counted
from amtdecode.fields import BOOLEAN, STRING, UINT16, Field, Fields
from amtdecode.model import DATA
from amtdecode.protocols.tls import fields
from amtdecode.protocols.tls.certificates import CHAIN_FIELDS, chain_faults, chain_fields, read_name
from amtdecode.protocols.tls.extensions import (
    ENCRYPTED_EXTENSIONS,
    FIELDS,
    NONE,
    STATUS_TYPE,
    TYPE,
    Extensions,
)
from amtdecode.protocols.tls.hellos import Handshake, extended_fields, own_fields
from amtdecode.protocols.tls.registry import (
    name_of_client_certificate_type,
    name_of_group,
    name_of_handshake,
    name_of_signature_scheme,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.tls.certificates import CertificateInfo


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


class Certificate(Handshake, frozen=True):
    """A certificate chain, the sender's own first. An empty one is how a client says that it has none."""

    type: ClassVar[int] = 11
    recurring: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.SENDER.at("sender"),
        Field(
            "iamt.tls.certificate.count",
            UINT16,
            "certificates in the chain; 0: the client says it has none",
            "count",
        ),
        fields.REQUEST_CONTEXT.at("request_context", absent=b""),
        fields.CERTIFICATE.at("chain", absent=()),
        *CHAIN_FIELDS,
        TYPE,
    )
    sender: str
    chain: tuple[bytes, ...] = ()  # DER
    request_context: bytes = b""  # TLS 1.3
    extensions: tuple[Extensions, ...] = ()  # TLS 1.3, per certificate
    certificates: tuple[CertificateInfo, ...] = ()  # the same, read

    def __hash__(self) -> int:
        return hash((self.sender, self.chain))

    def declaration(self) -> str | tuple[str, Any]:
        return "CERTIFICATE_TLS13" if self.extensions or self.length == 4 else "CERTIFICATE"

    def summary(self) -> str:
        if not self.chain:
            return f"Certificate of the {self.sender}: none"
        return f"Certificate of the {self.sender}: {len(self.chain)} in chain, {self.certificates[0].subject}"

    @property
    def count(self) -> int:
        """Certificates in the chain."""
        return len(self.chain)

    @property
    def extension_types(self) -> list[int]:
        """Types of the extensions of all certificates."""
        return [code for block in self.extensions for code, _ in block.items]

    def fields(self) -> dict[str, Any]:
        """Give its own fields, and those of the certificates."""
        fields = own_fields(self)
        if self.chain:
            fields.update(chain_fields(self.certificates))
            if faults := chain_faults(self.certificates):
                fields["iamt.tls.certificate.chain_fault"] = list(faults)
        if types := self.extension_types:
            fields[TYPE.name] = types
        return fields


class CertificateRequest(Handshake, frozen=True):
    """The server asks for the client's certificate."""

    type: ClassVar[int] = 13
    recurring: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.CERT_TYPE.at("types", absent=()),
        fields.SIGNATURE_SCHEME.at("schemes", absent=()),
        fields.AUTHORITY.at("authorities", absent=()),
        fields.AUTHORITY_NAME.at("authority_names", absent=()),
        fields.REQUEST_CONTEXT.at("request_context", absent=b""),
        *FIELDS,
    )
    types: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()  # TLS 1.2
    authorities: tuple[bytes, ...] = ()  # distinguished names, DER
    request_context: bytes = b""  # TLS 1.3
    extensions: Extensions = NONE  # TLS 1.3

    def declaration(self) -> str | tuple[str, Any]:
        return (
            "CERTIFICATE_REQUEST_TLS12"
            if self.schemes
            else "CERTIFICATE_REQUEST"
            if self.types
            else "CERTIFICATE_REQUEST_TLS13"
        )

    def summary(self) -> str:
        number = len(self.authorities) or len(self.extensions.values.get("tls.handshake.dname", ()))
        named = f"{number or 'no'} {'authority' if number == 1 else 'authorities'} named"
        kinds = ", ".join(name_of_client_certificate_type(code) for code in self.types)
        return f"CertificateRequest: {kinds + '; ' if kinds else ''}{named}"

    @property
    def authority_names(self) -> list[str]:
        """The authorities as text."""
        return [*map(read_name, self.authorities)]

    def fields(self) -> dict[str, Any]:
        """Give its own fields, then those of its extensions."""
        return extended_fields(self, self.extensions)


def _schemes(message: ServerKeyExchange | CertificateVerify) -> tuple[int, ...]:
    return (message.scheme,) if message.scheme >= 0 else ()


def _number(name: str) -> Callable[[ServerKeyExchange | ClientKeyExchange], bytes | None]:
    """Make what finds a number of a key exchange by its field."""

    def found(message: ServerKeyExchange | ClientKeyExchange) -> bytes | None:
        return next((value for field, value in message.numbers if field == name), None)

    return found


def _number_of(field: Field) -> Field:
    return field.at(_number(field.name), absent=None)


class ServerKeyExchange(Handshake, frozen=True):
    """The server's part of a key exchange that its certificate does not settle: PSK hint, Diffie-Hellman values."""

    type: ClassVar[int] = 12
    recurring: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.KEY_EXCHANGE.at("exchange", absent=""),
        fields.HINT.at("hint", absent=None),
        Field("iamt.tls.psk.hint", STRING, "PSK identity hint as text", "hint_text", None),
        fields.SERVER_CURVE_TYPE.at("curve_type", absent=-1),
        fields.NAMED_CURVE.at("group", absent=-1),
        fields.GROUP_NAME.at("group_name", absent=""),
        _number_of(fields.P),
        _number_of(fields.G),
        _number_of(fields.YS),
        _number_of(fields.SERVER_POINT),
        _number_of(fields.MODULUS),
        _number_of(fields.EXPONENT),
        _number_of(fields.SRP_N),
        _number_of(fields.SRP_G),
        _number_of(fields.SRP_S),
        _number_of(fields.SRP_B),
        fields.SIGNATURE_SCHEME.at(_schemes, absent=()),
        fields.SIG.at("signature", absent=b""),
        DATA.at("rest", absent=b""),
    )
    exchange: str
    hint: bytes | None = None  # PSK identity hint
    curve_type: int = -1
    group: int = -1
    numbers: tuple[tuple[str, bytes], ...] = ()  # field name and value: p, g, the public key, …
    scheme: int = -1
    signature: bytes = b""
    rest: bytes = b""  # what the suite does not say how to read

    @property
    def hint_text(self) -> str | None:
        """The PSK identity hint as text."""
        return None if self.hint is None else _text(self.hint)

    @property
    def group_name(self) -> str:
        """Name of the group; nothing where none is named."""
        return name_of_group(self.group) if self.group >= 0 else ""

    def declaration(self) -> str | tuple[str, Any]:
        return "SERVER_KEY_EXCHANGE", (self.exchange, self.scheme >= 0)

    def summary(self) -> str:
        """The key exchange, its hint and its group."""
        parts = [self.exchange or "key exchange unknown"]
        if self.hint is not None:
            parts.append(f"PSK identity hint {_text(self.hint)!r}")
        if self.group >= 0:
            parts.append(name_of_group(self.group))
        return f"ServerKeyExchange {', '.join(parts)}"


class ServerHelloDone(Handshake, frozen=True):
    """The server has said all; the client is next."""

    type: ClassVar[int] = 14
    recurring: ClassVar[bool] = True

    def declaration(self) -> str | tuple[str, Any]:
        return "SERVER_HELLO_DONE"

    def summary(self) -> str:
        """Its name."""
        return "ServerHelloDone"


class ClientKeyExchange(Handshake, frozen=True):
    """The client's part of the key exchange: PSK identity, encrypted premaster secret, Diffie-Hellman value."""

    type: ClassVar[int] = 16
    recurring: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.KEY_EXCHANGE.at("exchange", absent=""),
        fields.IDENTITY.at("identity", absent=None),
        fields.PSK_IDENTITY.at("identity_text", absent=None),
        fields.EPMS.at("encrypted", absent=b""),
        _number_of(fields.YC),
        _number_of(fields.CLIENT_POINT),
        _number_of(fields.SRP_A),
        DATA.at("rest", absent=b""),
    )
    exchange: str
    identity: bytes | None = None  # PSK
    encrypted: bytes = b""  # premaster secret under the server's RSA key
    numbers: tuple[tuple[str, bytes], ...] = ()
    rest: bytes = b""

    @property
    def identity_text(self) -> str | None:
        """The PSK identity as text."""
        return None if self.identity is None else _text(self.identity)

    def declaration(self) -> str | tuple[str, Any]:
        return "CLIENT_KEY_EXCHANGE", self.exchange

    def summary(self) -> str:
        """The key exchange, and the PSK identity."""
        identity = f", PSK identity {_text(self.identity)!r}" if self.identity is not None else ""
        return f"ClientKeyExchange {self.exchange or 'key exchange unknown'}{identity}"


class CertificateVerify(Handshake, frozen=True):
    """The sender proves that it has the private key of its certificate."""

    type: ClassVar[int] = 15
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.SENDER.at("sender"),
        fields.SIGNATURE_SCHEME.at(_schemes, absent=()),
        fields.CLIENT_CERT_VRFY_SIG.at("signature", absent=b""),
    )
    sender: str
    scheme: int = -1
    signature: bytes = b""

    def declaration(self) -> str | tuple[str, Any]:
        return "CERTIFICATE_VERIFY_TLS12" if self.scheme >= 0 else "CERTIFICATE_VERIFY"

    def summary(self) -> str:
        """Who proves it, and by which scheme."""
        scheme = f" {name_of_signature_scheme(self.scheme)}" if self.scheme >= 0 else ""
        return f"CertificateVerify of the {self.sender}{scheme}"


class NewSessionTicket(Handshake, frozen=True):
    """The server hands out a ticket by which the client may resume the session."""

    type: ClassVar[int] = 4
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.SESSION_TICKET_LIFETIME_HINT.at("lifetime"),
        fields.SESSION_TICKET.at("ticket"),
        fields.SESSION_TICKET_AGE_ADD.at("age_add", absent=-1),
        fields.SESSION_TICKET_NONCE.at("ticket_nonce", absent=None),
        *FIELDS,
    )
    lifetime: int = 0  # seconds
    age_add: int = -1  # TLS 1.3
    nonce: bytes = b""  # TLS 1.3
    ticket: bytes = b""
    extensions: Extensions = NONE  # TLS 1.3

    @property
    def ticket_nonce(self) -> bytes | None:
        """The nonce, of a ticket of TLS 1.3."""
        return self.nonce if self.age_add >= 0 else None

    def declaration(self) -> str | tuple[str, Any]:
        return "NEW_SESSION_TICKET_TLS13" if self.age_add >= 0 else "NEW_SESSION_TICKET"

    def summary(self) -> str:
        """Its size and its life."""
        return f"NewSessionTicket, {counted(len(self.ticket), 'byte')}, good for {self.lifetime} s"

    def fields(self) -> dict[str, Any]:
        """Give its own fields, then those of its extensions."""
        return extended_fields(self, self.extensions)


class EncryptedExtensions(Handshake, frozen=True):
    """TLS 1.3: the server's answers that need not be in the clear."""

    type: ClassVar[int] = ENCRYPTED_EXTENSIONS
    declared: ClassVar[Fields] = (*Handshake.declared, *FIELDS)
    extensions: Extensions = NONE

    def declaration(self) -> str | tuple[str, Any]:
        return "ENCRYPTED_EXTENSIONS"

    def summary(self) -> str:
        """How many there are."""
        return f"EncryptedExtensions, {len(self.extensions.items)} of them"

    def fields(self) -> dict[str, Any]:
        """Give its own fields, then those of its extensions."""
        return extended_fields(self, self.extensions)


class CertificateStatus(Handshake, frozen=True):
    """The server sends an OCSP response with its certificate."""

    type: ClassVar[int] = 22
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        STATUS_TYPE.at("status_type", absent=-1),
        fields.OCSP_RESPONSE_LEN.at("response_size"),
    )
    status_type: int = -1
    response: bytes = b""

    @property
    def response_size(self) -> int:
        """Bytes of the response."""
        return len(self.response)

    def declaration(self) -> str | tuple[str, Any]:
        return "CERTIFICATE_STATUS"

    def summary(self) -> str:
        """The size of the response."""
        return f"CertificateStatus, OCSP response of {counted(len(self.response), 'byte')}"


class Finished(Handshake, frozen=True):
    """The sender confirms keys and handshake. It is encrypted: seen only where keys open it."""

    type: ClassVar[int] = 20
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.VERIFY_DATA.at("verify_data"),
        fields.SENDER.at("sender"),
        Field("iamt.tls.verified", BOOLEAN, "whether a Finished fits the handshake as captured", "verified", None),
    )
    sender: str
    verify_data: bytes
    verified: bool | None = None
    """Whether it confirms the handshake as captured; `None` where a part of that is missing, or it comes afterwards."""

    def declaration(self) -> str | tuple[str, Any]:
        return "FINISHED"

    def summary(self) -> str:
        """Who confirms it, and whether that is right."""
        if self.verified is None:
            return f"Finished of the {self.sender}"
        told = "confirms the handshake" if self.verified else "does not fit the handshake as captured"
        return f"Finished of the {self.sender}, {told}"


class KeyUpdate(Handshake, frozen=True):
    """TLS 1.3: the sender goes on with its next key."""

    type: ClassVar[int] = 24
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.KEY_UPDATE_REQUEST_UPDATE.at("requested"),
        fields.SENDER.at("sender"),
    )
    sender: str
    requested: int = 0

    def declaration(self) -> str | tuple[str, Any]:
        return "KEY_UPDATE"

    def summary(self) -> str:
        """Who goes on, and whether the other side must."""
        return f"KeyUpdate of the {self.sender}{', asks the other side for one' if self.requested else ''}"


class OtherHandshake(Handshake, frozen=True):
    """A handshake message that is named but not read further, or has an unknown type."""

    declared: ClassVar[Fields] = (
        fields.TYPE.at("code"),
        fields.LENGTH.at("length"),
        fields.SENDER.at("sender"),
        DATA.at("body", absent=b""),
    )
    code: int
    sender: str
    body: bytes = b""

    def summary(self) -> str:
        """Its name and its size."""
        return f"{name_of_handshake(self.code)} of the {self.sender}, {counted(self.length, 'byte')}"


MESSAGES = (
    Certificate,
    CertificateRequest,
    ServerKeyExchange,
    ServerHelloDone,
    ClientKeyExchange,
    CertificateVerify,
    NewSessionTicket,
    EncryptedExtensions,
    CertificateStatus,
    Finished,
    KeyUpdate,
    OtherHandshake,
)
