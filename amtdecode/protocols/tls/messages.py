"""The handshake messages after the hellos.

Layout: RFC 5246, section 7.4; RFC 4279, 5489 (PSK), 8422 (ECDHE), 5054 (SRP), 5077 (tickets), 6066 (CertificateStatus),
8446, section 4 (TLS 1.3); RFC 6101 (SSL 3.0). What a key exchange message holds depends on the cipher suite chosen:
without it (a capture that starts in the middle) the message is told with its bytes.
A reader gives the event with what it could read, and what is wrong with the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from amtdecode.protocols.tls.extensions import (
    CERTIFICATE_ENTRY,
    CERTIFICATE_REQUEST,
    ENCRYPTED_EXTENSIONS,
    NONE,
    TICKET,
    Extensions,
    read_extensions,
)
from amtdecode.protocols.tls.hellos import Handshake, HelloRequest, read_client_hello, read_server_hello
from amtdecode.protocols.tls.registry import (
    name_of_client_certificate_type,
    name_of_group,
    name_of_handshake,
    name_of_signature_scheme,
)
from amtdecode.protocols.tls.registry.versions import SSL3, TLS12, TLS13

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.protocols.tls.registry import Suite

_NAMED_CURVE = 3  # RFC 8422, section 5.4
_SHOWN_BODY = 4096  # bytes of an unread body kept in its event


class Known(NamedTuple):
    """What a reader must know of the handshake a message belongs to."""

    sender: str = ""  # "client", "server"
    version: int = 0  # in force; of a message before ServerHello that of its record
    parameters: Suite | None = None  # of the cipher suite chosen

    @property
    def exchange(self) -> str:
        """Key exchange of the suite chosen, as the registry tells it."""
        return self.parameters.key_exchange if self.parameters else ""

    @property
    def authentication(self) -> str:
        """What proves the server: RSA, ECDSA, PSK, anonymous and so on."""
        return self.parameters.authentication if self.parameters else ""

    @property
    def tls13(self) -> bool:
        """Whether messages have the layout of TLS 1.3, drafts included."""
        return self.version == TLS13 or self.version >> 8 == 0x7F


class _Cut(Exception):  # noqa: N818 (never leaves this module)
    """A message stops before its end."""


class _Cursor:
    """Reads vectors of a body in order."""

    __slots__ = ("at", "body")

    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0

    def number(self, width: int, what: str) -> int:
        at, self.at = self.at, self.at + width
        if self.at > len(self.body):
            self.at = len(self.body)
            raise _Cut(f"{what} is cut")
        return int.from_bytes(self.body[at : self.at], "big")

    def vector(self, width: int, what: str) -> bytes:
        """Read bytes with their size before them, in `width` bytes."""
        size = self.number(width, f"size of {what}")
        at, self.at = self.at, min(self.at + size, len(self.body))
        if self.at - at < size:
            raise _Cut(f"{what} is cut: {self.at - at} bytes of {size}")
        return self.body[at : self.at]

    def rest(self) -> bytes:
        """Read what is left."""
        at, self.at = self.at, len(self.body)
        return self.body[at:]

    def behind(self) -> tuple[str, ...]:
        """Say that something is left, if so."""
        left = len(self.body) - self.at
        return (f"{left} bytes behind the message's content",) if left else ()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


class Certificate(Handshake, frozen=True):
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


class CertificateRequest(Handshake, frozen=True):
    """The server asks for the client's certificate."""

    type: ClassVar[int] = 13
    types: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()  # TLS 1.2
    authorities: tuple[bytes, ...] = ()  # distinguished names, DER
    request_context: bytes = b""  # TLS 1.3
    extensions: Extensions = NONE  # TLS 1.3

    def summary(self) -> str:
        """See `Event`."""
        named = f"{len(self.authorities)} authorities named" if self.authorities else "no authorities named"
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


class ServerKeyExchange(Handshake, frozen=True):
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


class ServerHelloDone(Handshake, frozen=True):
    """The server has said all; the client is next."""

    type: ClassVar[int] = 14

    def summary(self) -> str:
        """See `Event`."""
        return "ServerHelloDone"


class ClientKeyExchange(Handshake, frozen=True):
    """The client's part of the key exchange: PSK identity, encrypted premaster secret, Diffie-Hellman value."""

    type: ClassVar[int] = 16
    exchange: str
    identity: bytes | None = None  # PSK
    encrypted: bytes = b""  # premaster secret under the server's RSA key
    numbers: tuple[tuple[str, bytes], ...] = ()
    rest: bytes = b""

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
    """Whether it confirms the handshake as captured; `None` where a part of that is missing."""

    def summary(self) -> str:
        """See `Event`."""
        told = {True: ", confirms the handshake", False: ", does not fit the handshake as captured"}
        return f"Finished of the {self.sender}{told.get(self.verified, '') if self.verified is not None else ''}"

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


Reading = tuple[Handshake | None, tuple[str, ...]]
"""The event, or nothing where no part could be read; and what is wrong."""


def _certificate(body: bytes, known: Known) -> Reading:
    cursor, chain, blocks, context = _Cursor(body), [], [], b""
    faults: tuple[str, ...] = ()
    try:
        if known.tls13:
            context = cursor.vector(1, "request context")
        size = cursor.number(3, "size of the list")
        if size != len(body) - cursor.at:
            faults += (f"list of certificates says {size} bytes, {len(body) - cursor.at} there",)
        while cursor.at < len(body):
            chain.append(cursor.vector(3, "a certificate"))
            if known.tls13:
                blocks.append(read_extensions(cursor.vector(2, "extensions of a certificate"), CERTIFICATE_ENTRY))
                faults += blocks[-1].faults
    except _Cut as error:
        faults += (str(error),)
    return Certificate(len(body), known.sender, tuple(chain), context, tuple(blocks)), faults


def _certificate_request(body: bytes, known: Known) -> Reading:
    cursor = _Cursor(body)
    faults: tuple[str, ...] = ()
    types: tuple[int, ...] = ()
    schemes, names = b"", []
    try:
        if known.tls13:
            context = cursor.vector(1, "request context")
            extensions = read_extensions(cursor.vector(2, "extensions"), CERTIFICATE_REQUEST)
            faults = (*extensions.faults, *cursor.behind())
            return CertificateRequest(len(body), request_context=context, extensions=extensions), faults
        types = tuple(cursor.vector(1, "certificate types"))
        if known.version >= TLS12:
            schemes = cursor.vector(2, "signature algorithms")
        inner = _Cursor(cursor.vector(2, "authorities"))
        while inner.at < len(inner.body):
            names.append(inner.vector(2, "name of an authority"))
        faults = cursor.behind()
    except _Cut as error:
        faults = (str(error),)
    codes = tuple(schemes[at] << 8 | schemes[at + 1] for at in range(0, len(schemes) - 1, 2))
    return CertificateRequest(len(body), types, codes, tuple(names)), faults


def _server_key_exchange(body: bytes, known: Known) -> Reading:
    cursor, exchange = _Cursor(body), known.exchange
    faults: tuple[str, ...] = ()
    hint, curve_type, group, scheme, signature = None, -1, -1, -1, b""
    numbers: list[tuple[str, bytes]] = []
    try:
        if exchange.endswith("PSK"):
            hint = cursor.vector(2, "PSK identity hint")
        if exchange in {"DHE", "DHE_PSK", "DHE_EXPORT"}:
            for name in ("p", "g", "ys"):
                numbers.append((f"tls.handshake.{name}", cursor.vector(2, name)))  # noqa: PERF401 (kept where cut)
        elif exchange in {"ECDHE", "ECDHE_PSK"}:
            curve_type = cursor.number(1, "curve type")
            if curve_type == _NAMED_CURVE:
                group = cursor.number(2, "named curve")
                numbers.append(("tls.handshake.server_point", cursor.vector(1, "public key")))
        elif exchange == "RSA_EXPORT":
            for name in ("modulus", "exponent"):
                numbers.append((f"tls.handshake.{name}", cursor.vector(2, name)))  # noqa: PERF401
        elif exchange == "SRP":
            numbers.append(("iamt.tls.srp.n", cursor.vector(2, "N")))
            numbers.append(("iamt.tls.srp.g", cursor.vector(2, "g")))
            numbers.append(("iamt.tls.srp.s", cursor.vector(1, "salt")))
            numbers.append(("iamt.tls.srp.b", cursor.vector(2, "B")))
        signed = numbers and known.authentication in {"RSA", "DSS", "ECDSA"} and not exchange.endswith("PSK")
        if signed:
            if known.version >= TLS12:
                scheme = cursor.number(2, "signature algorithm")
            signature = cursor.vector(2, "signature")
    except _Cut as error:
        faults = (str(error),)
    rest = cursor.rest()[:_SHOWN_BODY]
    if rest and not faults and (signed or hint is not None):
        faults = (f"{len(rest)} bytes behind the message's content",)
    return ServerKeyExchange(
        len(body), exchange, hint, curve_type, group, tuple(numbers), scheme, signature, rest
    ), faults


def _server_hello_done(body: bytes, _known: Known) -> Reading:
    return ServerHelloDone(len(body)), (f"{len(body)} bytes instead of none",) if body else ()


def _client_key_exchange(body: bytes, known: Known) -> Reading:
    cursor, exchange = _Cursor(body), known.exchange
    faults: tuple[str, ...] = ()
    identity, encrypted = None, b""
    numbers: tuple[tuple[str, bytes], ...] = ()
    try:
        if exchange.endswith("PSK"):
            identity = cursor.vector(2, "PSK identity")
        if exchange in {"RSA", "RSA_PSK", "RSA_EXPORT"}:
            # SSL 3.0 sends it without a size (RFC 6101, section 5.6.7.1)
            encrypted = cursor.rest() if known.version == SSL3 else cursor.vector(2, "encrypted premaster secret")
        elif exchange in {"DHE", "DHE_PSK", "DHE_EXPORT", "DH"}:
            if body or exchange != "DH":  # fixed DH: the client's certificate has the key
                numbers = (("tls.handshake.yc", cursor.vector(2, "public key")),)
        elif exchange in {"ECDHE", "ECDHE_PSK", "ECDH"}:
            if body or exchange != "ECDH":
                numbers = (("tls.handshake.client_point", cursor.vector(1, "public key")),)
        elif exchange == "SRP":
            numbers = (("iamt.tls.srp.a", cursor.vector(2, "A")),)
    except _Cut as error:
        faults = (str(error),)
    rest = cursor.rest()[:_SHOWN_BODY]
    if rest and not faults and (identity is not None or encrypted or numbers):
        faults = (f"{len(rest)} bytes behind the message's content",)
    return ClientKeyExchange(len(body), exchange, identity, encrypted, numbers, rest), faults


def _certificate_verify(body: bytes, known: Known) -> Reading:
    cursor, scheme = _Cursor(body), -1
    try:
        if known.version >= TLS12:
            scheme = cursor.number(2, "signature algorithm")
        signature = cursor.vector(2, "signature")
    except _Cut as error:
        return CertificateVerify(len(body), known.sender, scheme), (str(error),)
    return CertificateVerify(len(body), known.sender, scheme, signature), cursor.behind()


def _new_session_ticket(body: bytes, known: Known) -> Reading:
    cursor = _Cursor(body)
    lifetime, age_add, nonce = 0, -1, b""
    try:
        lifetime = cursor.number(4, "lifetime")
        if known.tls13:
            age_add = cursor.number(4, "age_add")
            if not 0x7F00 <= known.version < 0x7F15:  # drafts before 21 have none
                nonce = cursor.vector(1, "nonce")
        ticket = cursor.vector(2, "ticket")
        extensions = read_extensions(cursor.vector(2, "extensions"), TICKET) if known.tls13 else NONE
    except _Cut as error:
        return NewSessionTicket(len(body), lifetime, age_add, nonce), (str(error),)
    faults = (*extensions.faults, *cursor.behind())
    return NewSessionTicket(len(body), lifetime, age_add, nonce, ticket, extensions), faults


def _encrypted_extensions(body: bytes, _known: Known) -> Reading:
    cursor = _Cursor(body)
    try:
        extensions = read_extensions(cursor.vector(2, "extensions"), ENCRYPTED_EXTENSIONS)
    except _Cut as error:
        return EncryptedExtensions(len(body)), (str(error),)
    return EncryptedExtensions(len(body), extensions), (*extensions.faults, *cursor.behind())


def _certificate_status(body: bytes, _known: Known) -> Reading:
    cursor = _Cursor(body)
    try:
        kind = cursor.number(1, "status type")
        response = cursor.vector(3, "OCSP response")
    except _Cut as error:
        return CertificateStatus(len(body)), (str(error),)
    return CertificateStatus(len(body), kind, response), cursor.behind()


def _finished(body: bytes, known: Known) -> Reading:
    return Finished(len(body), known.sender, body[:64]), ()


def _key_update(body: bytes, known: Known) -> Reading:
    if len(body) != 1:
        return KeyUpdate(len(body), known.sender), (f"{len(body)} bytes instead of 1",)
    return KeyUpdate(1, known.sender, body[0]), ()


def _hello_request(body: bytes, _known: Known) -> Reading:
    return HelloRequest(len(body)), (f"{len(body)} bytes instead of none",) if body else ()


def _client_hello(body: bytes, known: Known) -> Reading:
    return read_client_hello(body, known.version)


def _server_hello(body: bytes, known: Known) -> Reading:
    return read_server_hello(body, known.version)


_READERS: dict[int, Callable[[bytes, Known], Reading]] = {
    0: _hello_request,
    1: _client_hello,
    2: _server_hello,
    4: _new_session_ticket,
    8: _encrypted_extensions,
    11: _certificate,
    12: _server_key_exchange,
    13: _certificate_request,
    14: _server_hello_done,
    15: _certificate_verify,
    16: _client_key_exchange,
    20: _finished,
    22: _certificate_status,
    24: _key_update,
}


def read_handshake(code: int, body: bytes, known: Known) -> Reading:
    """Read the body of a handshake message of type `code`. Hellos take the version of their record from `known`."""
    reader = _READERS.get(code)
    if reader is None:
        return OtherHandshake(len(body), code, known.sender, body[:_SHOWN_BODY]), ()
    return reader(body, known)
