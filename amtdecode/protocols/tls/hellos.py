"""The hellos: ClientHello (also framed as SSL 2.0), ServerHello, HelloRetryRequest, HelloRequest.

Layout: RFC 5246, sections 7.4.1.1 to 7.4.1.3 and E.2; RFC 8446, sections 4.1.2 to 4.1.4. All integers big endian.
A reader gives the event with what it could read, and what is wrong with the rest.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.counting import counted
from amtdecode.fields import Fields, reader
from amtdecode.model import Event
from amtdecode.protocols.tls import fields
from amtdecode.protocols.tls.extensions import (
    CLIENT_HELLO,
    FIELDS,
    HELLO_RETRY_REQUEST,
    NONE,
    SERVER_HELLO,
    SUPPORTED_VERSIONS,
    Extensions,
    ReadExtensions,
    read_extensions,
)
from amtdecode.protocols.tls.registry import name_of_ssl2_cipher, name_of_suite, name_of_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.tree import Node

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random that makes a ServerHello a HelloRetryRequest: SHA-256 of that word (RFC 8446, section 4.1.3)."""


class Handshake(Event, frozen=True):
    """A handshake message. `length` is its own, without the four bytes before it."""

    protocol: ClassVar[str] = "tls"
    type: ClassVar[int] = -1
    declared: ClassVar[Fields] = (fields.TYPE.at("type"), fields.LENGTH.at("length"))
    length: int

    def declaration(self) -> str | tuple[str, Any]:
        """The name in `spec` of what declares its body; with a key, where that is a table."""
        return ""

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """Its fields with their places, counted from the message's type; see `spec.handshake_tree`."""
        from amtdecode.protocols.tls import spec

        name = self.declaration()
        found = getattr(spec, name[0]).get(name[1]) if isinstance(name, tuple) else getattr(spec, name or "OTHER")
        return () if found is None else spec.handshake_tree(found, pdu)


@cache
def _reader_of(kind: type[Handshake]) -> Callable[[Handshake], dict[str, Any]]:
    return reader(kind.declared)


def own_fields(message: Handshake) -> dict[str, Any]:
    """The fields that attributes of a message hold, without those of its extensions."""
    return _reader_of(type(message))(message)


def extended_fields(message: Handshake, extensions: Extensions) -> dict[str, Any]:
    """The same, and those of its extensions behind them."""
    found = own_fields(message)
    found.update(extensions.values)
    return found


class HelloRequest(Handshake, frozen=True):
    """The server asks the client to negotiate again."""

    type: ClassVar[int] = 0

    def declaration(self) -> str | tuple[str, Any]:
        return "HELLO_REQUEST"

    def summary(self) -> str:
        return "HelloRequest: the server asks to negotiate again"


def _read_suites(data: bytes, *, ssl2: bool) -> list[int]:
    """Read the codes of the suites offered: two bytes each, three in an SSL 2.0 hello."""
    if ssl2:
        return [int.from_bytes(data[at : at + 3], "big") for at in range(0, len(data) - 2, 3)]
    return [*struct.unpack(f">{len(data) // 2}H", data[: len(data) & ~1])]


class ClientHello(Handshake, frozen=True):
    """The client offers versions, cipher suites and extensions; who sends it is the TLS client."""

    type: ClassVar[int] = CLIENT_HELLO
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.RECORD_VERSION.at("record_version"),
        fields.HELLO_VERSION.at("version"),
        fields.CHALLENGE.at("challenge", absent=b""),
        fields.RANDOM.at("random_value", absent=b""),
        fields.SESSION_ID.at("session_id", absent=b""),
        fields.CIPHERSPEC.at("cipher_specs", absent=None),
        fields.CIPHER_SUITE.at("tls_suites", absent=None),
        fields.CIPHER_SUITE_NAME.at("suite_names"),
        fields.COMPRESSION.at("compressions", absent=b""),
        *FIELDS,
    )
    record_version: int
    version: int
    random: bytes = b""  # 32 bytes; of an SSL 2.0 hello the challenge
    session_id: bytes = b""
    suites: bytes = b""  # as on the wire: two bytes each, three in an SSL 2.0 hello
    compressions: bytes = b""
    extensions: Extensions = NONE
    ssl2: bool = False

    @property
    def cipher_suites(self) -> list[int]:
        """The codes offered, in the client's order."""
        return _read_suites(self.suites, ssl2=self.ssl2)

    @property
    def suite_names(self) -> list[str]:
        """Their names."""
        return [*map(name_of_ssl2_cipher if self.ssl2 else name_of_suite, self.cipher_suites)]

    @property
    def tls_suites(self) -> list[int] | None:
        """The codes of a TLS hello."""
        return None if self.ssl2 else self.cipher_suites

    @property
    def cipher_specs(self) -> list[int] | None:
        """The codes of an SSL 2.0 hello."""
        return self.cipher_suites if self.ssl2 else None

    @property
    def random_value(self) -> bytes:
        """The random of a TLS hello."""
        return b"" if self.ssl2 else self.random

    @property
    def challenge(self) -> bytes:
        """The challenge of an SSL 2.0 hello."""
        return self.random if self.ssl2 else b""

    @property
    def server_name(self) -> str:
        """The name asked for, or nothing."""
        names = self.extensions.values.get("tls.handshake.extensions_server_name")
        return names[0] if names else ""

    @property
    def highest_version(self) -> int:
        """The highest version offered that is not a value reserved to exercise tolerance."""
        offered = self.extensions.values.get("tls.handshake.extensions.supported_version")
        real = [code for code in offered or () if 0x0300 <= code < 0x0400 or code >> 8 == 0x7F]
        # a draft of TLS 1.3 is higher than 1.2 and lower than 1.3 itself
        return max(real, key=lambda code: (min(code, 0x0304), code < 0x0400, code)) if real else self.version

    def declaration(self) -> str | tuple[str, Any]:
        return "CLIENT_HELLO"

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """As of any handshake message; framed as SSL 2.0, what is behind its two bytes of size."""
        if not self.ssl2:
            return super().tree(pdu)
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.tls.spec import SSL2_CLIENT_HELLO

        return tree_of(SSL2_CLIENT_HELLO, pdu[2:], 2)

    def summary(self) -> str:
        name = f", for {self.server_name}" if self.server_name else ""
        framed = ", framed as SSL 2.0" if self.ssl2 else ""
        suites = counted(len(self.suites) // (3 if self.ssl2 else 2), "suite")
        return f"ClientHello {name_of_version(self.highest_version)}, {suites}{name}{framed}"

    def fields(self) -> dict[str, Any]:
        """Give its own fields, then those of its extensions."""
        return extended_fields(self, self.extensions)


class ServerHello(Handshake, frozen=True):
    """The server chooses: version, cipher suite, session."""

    type: ClassVar[int] = SERVER_HELLO
    declared: ClassVar[Fields] = (
        *Handshake.declared,
        fields.RECORD_VERSION.at("record_version"),
        fields.HELLO_VERSION.at("version"),
        fields.RANDOM.at("random", absent=b""),
        fields.SESSION_ID.at("session_id", absent=b""),
        fields.CIPHER_SUITE.at("suites", absent=()),
        fields.CIPHER_SUITE_NAME.at("suite_names", absent=()),
        fields.COMPRESSION.at("compressions", absent=()),
        *FIELDS,
    )
    record_version: int
    version: int
    random: bytes = b""
    session_id: bytes = b""
    suite: int = -1
    compression: int = -1
    extensions: Extensions = NONE

    @property
    def retry(self) -> bool:
        """Whether it is a HelloRetryRequest."""
        return self.random == RETRY_RANDOM

    @property
    def chosen_version(self) -> int:
        """The version in force from here on (in TLS 1.3 an extension says it)."""
        data = self.extensions.get(SUPPORTED_VERSIONS)
        return int.from_bytes(data, "big") if data and len(data) == 2 else self.version

    def declaration(self) -> str | tuple[str, Any]:
        return "SERVER_HELLO"

    def summary(self) -> str:
        name = "HelloRetryRequest" if self.retry else "ServerHello"
        suite = name_of_suite(self.suite) if self.suite >= 0 else "no suite"
        return f"{name} {name_of_version(self.chosen_version)}, {suite}"

    @property
    def suites(self) -> tuple[int, ...]:
        """The suite chosen; nothing where the message is cut before it."""
        return (self.suite,) if self.suite >= 0 else ()

    @property
    def suite_names(self) -> tuple[str, ...]:
        """Its name."""
        return (name_of_suite(self.suite),) if self.suite >= 0 else ()

    @property
    def compressions(self) -> tuple[int, ...]:
        """The compression chosen."""
        return (self.compression,) if self.compression >= 0 else ()

    def fields(self) -> dict[str, Any]:
        """Give its own fields, then those of its extensions."""
        return extended_fields(self, self.extensions)


def read_client_hello(
    body: bytes, record_version: int, read: ReadExtensions = read_extensions
) -> tuple[ClientHello | None, tuple[str, ...]]:
    """Read the body of a ClientHello (RFC 5246, section 7.4.1.2); `read` reads its extensions."""
    size = len(body)
    if size < 35:
        return None, (f"{counted(size, 'byte')} of at least 35",)
    version = body[0] << 8 | body[1]
    random = body[2:34]
    at = 35 + body[34]
    session_id = body[35:at]
    if at + 2 > size:
        return ClientHello(size, record_version, version, random, session_id), ("session id is cut",)
    end = at + 2 + (body[at] << 8 | body[at + 1])
    suites = body[at + 2 : end]
    if end >= size:
        return ClientHello(size, record_version, version, random, session_id, suites), ("cipher suites are cut",)
    faults: tuple[str, ...] = ("odd number of bytes of cipher suites",) if len(suites) & 1 else ()
    at = end + 1
    end = at + body[end]
    compressions = body[at:end]
    if end > size:
        faults += ("compression methods are cut",)
    extensions = NONE
    if end < size:  # SSL 3.0 and old TLS 1.0 clients send none
        extensions, more = _block(body, end, CLIENT_HELLO, read)
        faults += more
    names = extensions.values.get("tls.handshake.extensions_server_name")
    if names and len(names) > 1:
        faults += (f"{len(names)} names in server_name, where RFC 6066 allows one",)
    return ClientHello(size, record_version, version, random, session_id, suites, compressions, extensions), faults


def read_server_hello(
    body: bytes, record_version: int, read: ReadExtensions = read_extensions
) -> tuple[ServerHello | None, tuple[str, ...]]:
    """Read the body of a ServerHello (RFC 5246, section 7.4.1.3) of any version; drafts of TLS 1.3 before 22 differ."""
    size = len(body)
    if size < 34:
        return None, (f"{counted(size, 'byte')} of at least 34",)
    version = body[0] << 8 | body[1]
    random = body[2:34]
    if 0x7F00 <= version < 0x7F16:  # drafts 18 to 21: neither session id nor compression
        if size < 36:
            return ServerHello(size, record_version, version, random), ("cipher suite is cut",)
        extensions, faults = _block(body, 36, SERVER_HELLO, read) if size > 36 else (NONE, ())
        return ServerHello(size, record_version, version, random, b"", body[34] << 8 | body[35], -1, extensions), faults
    if size < 35:
        return ServerHello(size, record_version, version, random), ("session id is cut",)
    at = 35 + body[34]
    session_id = body[35:at]
    if at + 3 > size:
        return ServerHello(size, record_version, version, random, session_id), (
            "cut before cipher suite and compression",
        )
    suite, compression = body[at] << 8 | body[at + 1], body[at + 2]
    extensions, faults = NONE, ()
    if at + 3 < size:
        where = HELLO_RETRY_REQUEST if random == RETRY_RANDOM else SERVER_HELLO
        extensions, faults = _block(body, at + 3, where, read)
    return ServerHello(size, record_version, version, random, session_id, suite, compression, extensions), faults


def _block(body: bytes, at: int, where: int, read: ReadExtensions) -> tuple[Extensions, tuple[str, ...]]:
    """Read the extensions that fill the rest of a message."""
    if at + 2 > len(body):
        return NONE, ("size of the extensions is cut",)
    end = at + 2 + (body[at] << 8 | body[at + 1])
    extensions = read(body[at + 2 : end], where)
    if end < len(body):
        return extensions, (*extensions.faults, f"{counted(len(body) - end, 'byte')} behind the extensions")
    if end > len(body) and not any(" is cut: " in fault for fault in extensions.faults):  # else it is told
        return extensions, (
            *extensions.faults,
            f"extensions are cut: {counted(len(body) - at - 2, 'byte')} of {end - at - 2}",
        )
    return extensions, extensions.faults


def read_ssl2_client_hello(message: bytes) -> tuple[ClientHello | None, tuple[str, ...]]:
    """Read a ClientHello in an SSL 2.0 record (without its two bytes of size; RFC 5246, appendix E.2)."""
    if len(message) < 9:
        return None, (f"{counted(len(message), 'byte')} of at least 9",)
    version, suites, session, challenge = struct.unpack_from(">HHHH", message, 1)
    at = 9 + suites
    end = at + session + challenge
    faults = []
    if end != len(message):
        faults.append(f"parts add up to {end} bytes, {len(message)} there")
    if suites % 3:
        faults.append(f"{suites} bytes of cipher kinds of 3")
    return ClientHello(
        len(message),
        0x0002,
        version,
        message[at + session : end],
        message[at : at + session],
        message[9:at],
        b"",
        NONE,
        ssl2=True,
    ), tuple(faults)
