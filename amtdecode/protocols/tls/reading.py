"""Reads handshake messages: from the bytes of a body to its event.

A reader gives the event with what it could read, and what is wrong with the rest. What a key exchange message holds
depends on the cipher suite chosen: without it (a capture that starts in the middle) the event keeps its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.counting import counted
from amtdecode.protocols.memory import Memo
from amtdecode.protocols.tls.certificates import read_certificate
from amtdecode.protocols.tls.extensions import (
    CERTIFICATE_ENTRY,
    CERTIFICATE_REQUEST,
    ENCRYPTED_EXTENSIONS,
    NONE,
    TICKET,
    read_extensions,
)
from amtdecode.protocols.tls.hellos import Handshake, HelloRequest, read_client_hello, read_server_hello
from amtdecode.protocols.tls.messages import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientKeyExchange,
    EncryptedExtensions,
    Finished,
    KeyUpdate,
    NewSessionTicket,
    OtherHandshake,
    ServerHelloDone,
    ServerKeyExchange,
)
from amtdecode.protocols.tls.registry import suite_parameters
from amtdecode.protocols.tls.registry.versions import SSL3, TLS12, TLS13

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.protocols.tls.extensions import Extensions, ReadExtensions
    from amtdecode.protocols.tls.registry import Suite

_NAMED_CURVE = 3  # RFC 8422, section 5.4
_SHOWN_BODY = 4096  # bytes of an unread body kept in its event

_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_ALIKE = frozenset((0, 11, 13, 14))  # HelloRequest, Certificate, CertificateRequest, ServerHelloDone
_ALIKE_WITH_PSK = frozenset((12, 16))  # the key exchanges: all they say is a hint or an identity


class Known(NamedTuple):
    """What a reader must know of the handshake a message belongs to, and what reads the parts of it."""

    sender: str = ""  # "client", "server"
    version: int = 0  # in force; of a message before ServerHello that of its record
    parameters: Suite | None = None  # of the cipher suite chosen
    read_extensions: ReadExtensions = read_extensions
    read_certificate: Callable[[bytes], CertificateInfo] = read_certificate

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
            raise _Cut(f"{what} is cut: {counted(self.at - at, 'byte')} of {size}")
        return self.body[at : self.at]

    def rest(self) -> bytes:
        """Read what is left."""
        at, self.at = self.at, len(self.body)
        return self.body[at:]

    def behind(self) -> tuple[str, ...]:
        """Say that something is left, if so."""
        left = len(self.body) - self.at
        return (f"{counted(left, 'byte')} behind the message's content",) if left else ()


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
            faults += (f"list of certificates says {counted(size, 'byte')}, {len(body) - cursor.at} there",)
        while cursor.at < len(body):
            chain.append(cursor.vector(3, "a certificate"))
            if known.tls13:
                blocks.append(known.read_extensions(cursor.vector(2, "extensions of a certificate"), CERTIFICATE_ENTRY))
                faults += blocks[-1].faults
    except _Cut as error:
        faults += (str(error),)
    certificates = tuple(map(known.read_certificate, chain))
    return Certificate(len(body), known.sender, tuple(chain), context, tuple(blocks), certificates), faults


def _certificate_request(body: bytes, known: Known) -> Reading:
    cursor = _Cursor(body)
    faults: tuple[str, ...] = ()
    types: tuple[int, ...] = ()
    schemes, names = b"", []
    try:
        if known.tls13:
            context = cursor.vector(1, "request context")
            extensions = known.read_extensions(cursor.vector(2, "extensions"), CERTIFICATE_REQUEST)
            faults = (*extensions.faults, *cursor.behind())
            return CertificateRequest(len(body), request_context=context, extensions=extensions), faults
        types = tuple(cursor.vector(1, "certificate types"))
        if known.version >= TLS12:
            schemes = cursor.vector(2, "signature algorithms")
            faults = ("odd number of bytes of signature algorithms",) if len(schemes) & 1 else ()
        inner = _Cursor(cursor.vector(2, "authorities"))
        while inner.at < len(inner.body):
            names.append(inner.vector(2, "name of an authority"))
        faults += cursor.behind()
    except _Cut as error:
        faults += (str(error),)
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
        faults = (f"{counted(len(rest), 'byte')} behind the message's content",)
    return ServerKeyExchange(
        len(body), exchange, hint, curve_type, group, tuple(numbers), scheme, signature, rest
    ), faults


def _server_hello_done(body: bytes, _known: Known) -> Reading:
    return ServerHelloDone(len(body)), (f"{counted(len(body), 'byte')} instead of none",) if body else ()


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
    read = cursor.at
    rest = cursor.rest()[:_SHOWN_BODY]
    if read and rest and not faults:
        faults = (f"{counted(len(rest), 'byte')} behind the message's content",)
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
        extensions = known.read_extensions(cursor.vector(2, "extensions"), TICKET) if known.tls13 else NONE
    except _Cut as error:
        return NewSessionTicket(len(body), lifetime, age_add, nonce), (str(error),)
    faults = (*extensions.faults, *cursor.behind())
    return NewSessionTicket(len(body), lifetime, age_add, nonce, ticket, extensions), faults


def _encrypted_extensions(body: bytes, known: Known) -> Reading:
    cursor = _Cursor(body)
    try:
        extensions = known.read_extensions(cursor.vector(2, "extensions"), ENCRYPTED_EXTENSIONS)
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
        return KeyUpdate(len(body), known.sender), (f"{counted(len(body), 'byte')} instead of 1",)
    return KeyUpdate(1, known.sender, body[0]), ()


def _hello_request(body: bytes, _known: Known) -> Reading:
    return HelloRequest(len(body)), (f"{counted(len(body), 'byte')} instead of none",) if body else ()


def _client_hello(body: bytes, known: Known) -> Reading:
    return read_client_hello(body, known.version, known.read_extensions)


def _server_hello(body: bytes, known: Known) -> Reading:
    return read_server_hello(body, known.version, known.read_extensions)


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


def _is_plain_psk(suite: int) -> bool:
    parameters = suite_parameters(suite)
    return parameters is not None and parameters.key_exchange == "PSK"


MAX_MESSAGES = 256  # readings remembered of messages that come again alike: those without a random or a key in them
MAX_MESSAGE = 8192  # bytes of one of them
MAX_BLOCKS = 256  # blocks of extensions remembered: clients of one kind send the same
MAX_BLOCK = 300  # bytes of one of them; longer ones hold key shares or tickets
MAX_CERTIFICATES = 512  # remembered
MAX_CERTIFICATE = 8192  # bytes of one of them


class MessageReader:
    """Reads handshake messages, and remembers what comes again alike. A run has one."""

    def __init__(self) -> None:
        self._alike = Memo(self._read, MAX_MESSAGES)
        self._blocks = Memo(read_extensions, MAX_BLOCKS)
        self._certificates = Memo(read_certificate, MAX_CERTIFICATES)

    def read(self, code: int, message: bytes, sender: str, version: int, suite: int) -> Reading:
        """Read a message with its header; `suite` is the one chosen, or -1."""
        if code == _CLIENT_HELLO:
            return read_client_hello(message[4:], version, self._extensions)
        if code == _SERVER_HELLO:
            return read_server_hello(message[4:], version, self._extensions)
        if (code in _ALIKE or (code in _ALIKE_WITH_PSK and _is_plain_psk(suite))) and len(message) <= MAX_MESSAGE:
            return self._alike[message, sender, version, suite]
        return self._read(message, sender, version, suite)

    def _read(self, message: bytes, sender: str, version: int, suite: int) -> Reading:
        parameters = suite_parameters(suite) if suite >= 0 else None
        known = Known(sender, version, parameters, self._extensions, self._certificate)
        return read_handshake(message[0], message[4:], known)

    def _extensions(self, block: bytes, where: int) -> Extensions:
        return self._blocks[block, where] if len(block) <= MAX_BLOCK else read_extensions(block, where)

    def _certificate(self, der: bytes) -> CertificateInfo:
        return self._certificates[(der,)] if len(der) <= MAX_CERTIFICATE else read_certificate(der)
