"""The hellos: ClientHello (also framed as SSL 2.0), ServerHello, HelloRetryRequest, HelloRequest.

Layout: RFC 5246, sections 7.4.1.1 to 7.4.1.3 and E.2; RFC 8446, sections 4.1.2 to 4.1.4. All integers big endian.
A reader gives the event with what it could read, and what is wrong with the rest.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.model import Event
from amtdecode.protocols.tls.extensions import (
    CLIENT_HELLO,
    HELLO_RETRY_REQUEST,
    NONE,
    SERVER_HELLO,
    SUPPORTED_VERSIONS,
    Extensions,
    read_extensions,
)
from amtdecode.protocols.tls.kept import encode, kept_fields
from amtdecode.protocols.tls.registry import name_of_ssl2_cipher, name_of_suite, name_of_version

if TYPE_CHECKING:
    from collections.abc import Mapping

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random that makes a ServerHello a HelloRetryRequest: SHA-256 of that word (RFC 8446, section 4.1.3)."""

CACHED_LISTS = 512  # lists of cipher suites whose names are remembered
CACHED_LIST_SIZE = 512  # bytes; longer ones are nobody's habit


class Handshake(Event, frozen=True):
    """A handshake message. `length` is its own, without the four bytes before it."""

    protocol: ClassVar[str] = "tls"
    type: ClassVar[int] = -1
    length: int

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {"tls.handshake.type": self.type, "tls.handshake.length": self.length}


class KeptHandshake(Handshake, frozen=True, dict=True, gc=True):
    """A handshake message that comes again and again alike."""

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        return kept_fields(self)


class HelloRequest(Handshake, frozen=True):
    """The server asks the client to negotiate again."""

    type: ClassVar[int] = 0

    def summary(self) -> str:
        """See `Event`."""
        return "HelloRequest: the server asks to negotiate again"


def _suites(data: bytes) -> tuple[list[int], list[str]]:
    codes = list(struct.unpack(f">{len(data) // 2}H", data[: len(data) & ~1]))
    return codes, [name_of_suite(code) for code in codes]


def _ssl2_suites(data: bytes) -> tuple[list[int], list[str]]:
    codes = [int.from_bytes(data[at : at + 3], "big") for at in range(0, len(data) - 2, 3)]
    return codes, [name_of_ssl2_cipher(code) for code in codes]


_suites_cached = lru_cache(CACHED_LISTS)(_suites)


def _suites_json(data: bytes, ssl2: bool) -> bytes:
    codes, names = _offered(data, ssl2=ssl2)
    return b',"tls.handshake.%b":%b,"iamt.tls.ciphersuite.name":%b' % (
        b"cipherspec" if ssl2 else b"ciphersuite",
        encode(codes),
        encode(names),
    )


_suites_json_cached = lru_cache(CACHED_LISTS)(_suites_json)


def _offered(data: bytes, *, ssl2: bool) -> tuple[list[int], list[str]]:
    """Give codes and names of the suites offered; the lists are shared, and never changed."""
    if ssl2:
        return _ssl2_suites(data)
    return _suites_cached(data) if len(data) <= CACHED_LIST_SIZE else _suites(data)


class ClientHello(Handshake, frozen=True):
    """The client offers versions, cipher suites and extensions; who sends it is the TLS client."""

    type: ClassVar[int] = CLIENT_HELLO
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
        return _offered(self.suites, ssl2=self.ssl2)[0]

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

    def summary(self) -> str:
        """See `Event`."""
        name = f", for {self.server_name}" if self.server_name else ""
        framed = ", framed as SSL 2.0" if self.ssl2 else ""
        return f"ClientHello {name_of_version(self.highest_version)}, {len(self.cipher_suites)} suites{name}{framed}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        codes, names = _offered(self.suites, ssl2=self.ssl2)
        fields: dict[str, Any] = {
            "tls.handshake.type": CLIENT_HELLO,
            "tls.handshake.length": self.length,
            "tls.record.version": self.record_version,
            "tls.handshake.version": self.version,
        }
        if self.random:
            fields["tls.handshake.challenge" if self.ssl2 else "tls.handshake.random"] = self.random.hex()
        if self.session_id:
            fields["tls.handshake.session_id"] = self.session_id.hex()
        fields["tls.handshake.cipherspec" if self.ssl2 else "tls.handshake.ciphersuite"] = codes
        fields["iamt.tls.ciphersuite.name"] = names
        if self.compressions:
            fields["tls.handshake.comp_method"] = list(self.compressions)
        fields.update(self.extensions.values)
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        suites, ssl2 = self.suites, self.ssl2
        offered = (_suites_json_cached if len(suites) <= CACHED_LIST_SIZE else _suites_json)(suites, ssl2)
        random, session = self.random, self.session_id
        head = (
            f'{{"tls.handshake.type":1,"tls.handshake.length":{self.length},'
            f'"tls.record.version":{self.record_version},"tls.handshake.version":{self.version}'
            f"{_hex('challenge' if ssl2 else 'random', random) if random else ''}"
            f"{_hex('session_id', session) if session else ''}"
        )
        return b"%b%b%b%b}" % (head.encode(), offered, _compressions_json(self.compressions), self.extensions.json)


class ServerHello(Handshake, frozen=True):
    """The server chooses: version, cipher suite, session."""

    type: ClassVar[int] = SERVER_HELLO
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

    def summary(self) -> str:
        """See `Event`."""
        name = "HelloRetryRequest" if self.retry else "ServerHello"
        suite = name_of_suite(self.suite) if self.suite >= 0 else "no suite"
        return f"{name} {name_of_version(self.chosen_version)}, {suite}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.handshake.type": SERVER_HELLO,
            "tls.handshake.length": self.length,
            "tls.record.version": self.record_version,
            "tls.handshake.version": self.version,
        }
        if self.random:
            fields["tls.handshake.random"] = self.random.hex()
        if self.session_id:
            fields["tls.handshake.session_id"] = self.session_id.hex()
        if self.suite >= 0:
            fields["tls.handshake.ciphersuite"] = [self.suite]
            fields["iamt.tls.ciphersuite.name"] = [name_of_suite(self.suite)]
        if self.compression >= 0:
            fields["tls.handshake.comp_method"] = [self.compression]
        fields.update(self.extensions.values)
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        random, session, suite, compression = self.random, self.session_id, self.suite, self.compression
        named = f',"tls.handshake.ciphersuite":[{suite}],"iamt.tls.ciphersuite.name":["{name_of_suite(suite)}"]'
        compressed = f',"tls.handshake.comp_method":[{compression}]'
        return (
            (
                f'{{"tls.handshake.type":2,"tls.handshake.length":{self.length},'
                f'"tls.record.version":{self.record_version},"tls.handshake.version":{self.version}'
                f"{_hex('random', random) if random else ''}{_hex('session_id', session) if session else ''}"
                f"{named if suite >= 0 else ''}"
                f"{compressed if compression >= 0 else ''}"
            ).encode()
            + self.extensions.json
            + b"}"
        )


def _hex(name: str, data: bytes) -> str:
    return f',"tls.handshake.{name}":"{data.hex()}"'


def _compressions_json(methods: bytes) -> bytes:
    if methods == b"\0":  # none
        return b',"tls.handshake.comp_method":[0]'
    return b',"tls.handshake.comp_method":' + encode(list(methods)) if methods else b""


def read_client_hello(body: bytes, record_version: int) -> tuple[ClientHello | None, tuple[str, ...]]:
    """Read the body of a ClientHello (RFC 5246, section 7.4.1.2)."""
    size = len(body)
    if size < 35:
        return None, (f"{size} bytes of at least 35",)
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
        extensions, more = _block(body, end, CLIENT_HELLO)
        faults += more
    names = extensions.values.get("tls.handshake.extensions_server_name")
    if names and len(names) > 1:
        faults += (f"{len(names)} names in server_name, where RFC 6066 allows one",)
    return ClientHello(size, record_version, version, random, session_id, suites, compressions, extensions), faults


def read_server_hello(body: bytes, record_version: int) -> tuple[ServerHello | None, tuple[str, ...]]:
    """Read the body of a ServerHello (RFC 5246, section 7.4.1.3) of any version; drafts of TLS 1.3 before 22 differ."""
    size = len(body)
    if size < 34:
        return None, (f"{size} bytes of at least 34",)
    version = body[0] << 8 | body[1]
    random = body[2:34]
    if 0x7F00 <= version < 0x7F16:  # drafts 18 to 21: neither session id nor compression
        if size < 36:
            return ServerHello(size, record_version, version, random), ("cipher suite is cut",)
        extensions, faults = _block(body, 36, SERVER_HELLO) if size > 36 else (NONE, ())
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
        extensions, faults = _block(body, at + 3, HELLO_RETRY_REQUEST if random == RETRY_RANDOM else SERVER_HELLO)
    return ServerHello(size, record_version, version, random, session_id, suite, compression, extensions), faults


def _block(body: bytes, at: int, where: int) -> tuple[Extensions, tuple[str, ...]]:
    """Read the extensions that fill the rest of a message."""
    if at + 2 > len(body):
        return NONE, ("size of the extensions is cut",)
    end = at + 2 + (body[at] << 8 | body[at + 1])
    extensions = read_extensions(body[at + 2 : end], where)
    if end < len(body):
        return extensions, (*extensions.faults, f"{len(body) - end} bytes behind the extensions")
    if end > len(body) and not any(" is cut: " in fault for fault in extensions.faults):  # else it is told
        return extensions, (*extensions.faults, f"extensions are cut: {len(body) - at - 2} bytes of {end - at - 2}")
    return extensions, extensions.faults


def read_ssl2_client_hello(message: bytes) -> tuple[ClientHello | None, tuple[str, ...]]:
    """Read a ClientHello in an SSL 2.0 record (without its two bytes of size; RFC 5246, appendix E.2)."""
    if len(message) < 9:
        return None, (f"{len(message)} bytes of at least 9",)
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
