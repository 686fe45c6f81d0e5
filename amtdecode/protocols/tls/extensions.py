"""Extensions of hellos, certificate requests, certificates and tickets.

Framing: `uint16 size of all, then (uint16 type, uint16 size, data)*`, big endian (RFC 5246, 7.4.1.4; RFC 8446, 4.2).
What an extension holds stands under tshark's field names; one that nothing here reads keeps its bytes under
`tls.handshake.extension.data`. A fault inside one extension leaves the others standing.

Not covered: the insides of signed_certificate_timestamp, quic_transport_parameters, encrypted_client_hello, use_srtp
(kept as bytes).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from amtdecode.counting import counted
from amtdecode.fields import BYTES, STRING, UINT8, UINT16, UINT32, Field
from amtdecode.protocols.tls import fields
from amtdecode.protocols.tls.certificates import read_name
from amtdecode.protocols.tls.registry import name_of_extension
from amtdecode.protocols.tls.registry.extensions import (
    CERTIFICATE_COMPRESSIONS,
    CERTIFICATE_TYPES,
    EXTENSIONS,
    HEARTBEAT_MODES,
    MAX_FRAGMENT_LENGTHS,
    PSK_KEY_EXCHANGE_MODES,
    STATUS_TYPES,
)
from amtdecode.protocols.tls.registry.groups import GROUPS, POINT_FORMATS
from amtdecode.protocols.tls.registry.versions import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

# where a block stands decides how some extensions read
CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE_REQUEST, CERTIFICATE_ENTRY, TICKET = 1, 2, 8, 13, 11, 4
HELLO_RETRY_REQUEST = 6

SERVER_NAME, MAX_FRAGMENT_LENGTH, STATUS_REQUEST, TRUNCATED_HMAC = 0, 1, 5, 4
ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, SESSION_TICKET = 22, 23, 35
PRE_SHARED_KEY, EARLY_DATA, SUPPORTED_VERSIONS = 41, 42, 43
KEY_SHARE, RENEGOTIATION_INFO = 51, 65281


TYPE = Field("tls.handshake.extension.type", UINT16, "extensions, in wire order", values=EXTENSIONS, repeated=True)
STATUS_TYPE = Field(
    "tls.handshake.extensions_status_request_type",
    UINT8,
    "kind of certificate status asked for or sent",
    values=STATUS_TYPES,
)
FIELDS = (
    TYPE,
    Field("iamt.tls.extension.name", STRING, "registry names of the extensions", repeated=True),
    Field("tls.handshake.extension.data", BYTES, "data of extensions that are not read further", repeated=True),
    Field("tls.handshake.extensions_server_name", STRING, "server name asked for (SNI)", repeated=True),
    Field(
        "tls.handshake.max_fragment_length",
        UINT8,
        "record size asked for",
        values={code: f"{size} bytes" for code, size in MAX_FRAGMENT_LENGTHS.items()},
    ),
    Field("tls.record_size_limit", UINT16, "record size limit, bytes"),
    STATUS_TYPE,
    Field("tls.handshake.extensions_supported_group", UINT16, "named groups", values=GROUPS, repeated=True),
    Field("tls.handshake.extensions_ec_point_format", UINT8, "point formats", values=POINT_FORMATS, repeated=True),
    Field("tls.handshake.extensions_srp_username", STRING, "SRP user name"),
    fields.SIGNATURE_SCHEME,
    Field("tls.handshake.extension.heartbeat.mode", UINT8, "heartbeat mode", values=HEARTBEAT_MODES),
    Field("tls.handshake.extensions_alpn_str", STRING, "application protocols (ALPN)", repeated=True),
    Field("tls.handshake.extensions_npn", STRING, "application protocols (NPN)", repeated=True),
    Field("tls.handshake.cert_type.type", UINT8, "certificate types", values=CERTIFICATE_TYPES, repeated=True),
    Field(
        "tls.compress_certificate.algorithm",
        UINT16,
        "certificate compressions",
        values=CERTIFICATE_COMPRESSIONS,
        repeated=True,
    ),
    Field("tls.handshake.extensions.psk.identity.identity", BYTES, "PSK identities of TLS 1.3", repeated=True),
    Field(
        "tls.handshake.extensions.psk.identity.obfuscated_ticket_age", UINT32, "their obfuscated ages", repeated=True
    ),
    Field("tls.handshake.extensions.psk.identity.selected", UINT16, "index of the PSK identity chosen"),
    Field("iamt.tls.psk_binder", BYTES, "binders of the PSK identities", repeated=True),
    Field("tls.early_data.max_early_data_size", UINT32, "early data a ticket allows, bytes"),
    Field(
        "tls.handshake.extensions.supported_version",
        UINT16,
        "versions offered, or the one chosen",
        values=VERSIONS,
        repeated=True,
    ),
    Field("tls.handshake.extensions.cookie", BYTES, "cookie of a HelloRetryRequest"),
    Field(
        "tls.extension.psk_ke_mode",
        UINT8,
        "PSK key exchange modes",
        values=PSK_KEY_EXCHANGE_MODES,
        repeated=True,
    ),
    Field("iamt.tls.oid_filter", BYTES, "certificate extensions filtered by, OIDs in DER", repeated=True),
    Field("tls.handshake.extensions_key_share_group", UINT16, "groups of key shares", values=GROUPS, repeated=True),
    Field("tls.handshake.extensions_key_share_key_exchange", BYTES, "public values of key shares", repeated=True),
    Field(
        "tls.handshake.extensions_key_share_selected_group",
        UINT16,
        "group a HelloRetryRequest asks for",
        values=GROUPS,
    ),
    Field("tls.handshake.extensions_reneg_info", BYTES, "verify data of the handshake before (RFC 5746)"),
    Field("iamt.tls.padding_size", UINT16, "bytes of padding in a ClientHello"),
    fields.AUTHORITY,
    fields.AUTHORITY_NAME,
)
"""What extensions hold; which of them an event has is up to the peer."""


class Extensions(msgspec.Struct, frozen=True):
    """A block of extensions in wire order, and what they say; shared by all that sent the same, and never changed."""

    items: tuple[tuple[int, bytes], ...] = ()
    values: dict[str, Any] = {}  # of FIELDS, by name, as `Event.fields` gives them
    faults: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash(self.items)

    def get(self, code: int) -> bytes | None:
        """Give the data of an extension; `None` where it was not sent."""
        for item, data in self.items:
            if item == code:
                return data
        return None


NONE = Extensions()
ReadExtensions: TypeAlias = "Callable[[bytes, int], Extensions]"
"""What reads a block: `read_extensions`, or what remembers its results."""


_HEAD = struct.Struct(">HH").unpack_from


class _Cut(Exception):  # noqa: N818 (never leaves this module)
    """An extension stops before its end, or a list inside it does not fill it."""


def _vector(data: bytes, width: int) -> bytes:
    """Return the content of a vector that fills `data`, with a size field of `width` bytes before it."""
    if len(data) < width:
        raise _Cut("its size is cut")
    size = int.from_bytes(data[:width], "big")
    if size != len(data) - width:
        raise _Cut(f"size field says {size}, {counted(len(data) - width, 'byte')} there")
    return data[width:]


def _items(data: bytes, width: int) -> list[bytes]:
    """Split a list of vectors, each with a size field of `width` bytes before it."""
    items, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + width], "big")
        at += width
        if at + size > len(data):
            raise _Cut(f"an entry of {counted(size, 'byte')} is cut")
        items.append(data[at : at + size])
        at += size
    return items


def _pairs(data: bytes) -> list[int]:
    if len(data) & 1:
        raise _Cut("odd number of bytes in a list of two-byte codes")
    return list(struct.unpack(f">{len(data) // 2}H", data))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _server_name(data: bytes, where: int) -> dict[str, Any]:
    if where != CLIENT_HELLO and not data:
        return {}  # the server only says that it used the name
    names, at, block = [], 0, _vector(data, 2)
    while at < len(block):
        if at + 3 > len(block):
            raise _Cut("an entry is cut")
        kind, size = struct.unpack_from(">BH", block, at)
        if at + 3 + size > len(block):
            raise _Cut(f"a name of {counted(size, 'byte')} is cut")
        if kind == 0:
            names.append(_text(block[at + 3 : at + 3 + size]))
        at += 3 + size
    return {"tls.handshake.extensions_server_name": names} if names else {}


def _max_fragment_length(data: bytes, _where: int) -> dict[str, Any]:
    if len(data) != 1:
        raise _Cut(f"{counted(len(data), 'byte')} instead of 1")
    return {"tls.handshake.max_fragment_length": data[0]}


def _status_request(data: bytes, where: int) -> dict[str, Any]:
    if where == CLIENT_HELLO:
        if not data:
            raise _Cut("empty")
        return {"tls.handshake.extensions_status_request_type": data[0]}
    return {}


def _groups(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.handshake.extensions_supported_group": _pairs(_vector(data, 2))}


def _point_formats(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.handshake.extensions_ec_point_format": list(_vector(data, 1))}


def _srp(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.handshake.extensions_srp_username": _text(_vector(data, 1))}


def _signature_algorithms(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.handshake.sig_hash_alg": _pairs(_vector(data, 2))}


def _heartbeat(data: bytes, _where: int) -> dict[str, Any]:
    if len(data) != 1:
        raise _Cut(f"{counted(len(data), 'byte')} instead of 1")
    return {"tls.handshake.extension.heartbeat.mode": data[0]}


def _alpn(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.handshake.extensions_alpn_str": [_text(name) for name in _items(_vector(data, 2), 1)]}


def _npn(data: bytes, _where: int) -> dict[str, Any]:
    names = [_text(name) for name in _items(data, 1)]
    return {"tls.handshake.extensions_npn": names} if names else {}


def _certificate_types(data: bytes, where: int) -> dict[str, Any]:
    return {"tls.handshake.cert_type.type": list(_vector(data, 1)) if where == CLIENT_HELLO else list(data)}


def _flag(data: bytes, _where: int) -> dict[str, Any]:
    if data:
        raise _Cut(f"{counted(len(data), 'byte')} instead of none")
    return {}


def _compress_certificate(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.compress_certificate.algorithm": _pairs(_vector(data, 1))}


def _record_size_limit(data: bytes, _where: int) -> dict[str, Any]:
    if len(data) != 2:
        raise _Cut(f"{counted(len(data), 'byte')} instead of 2")
    return {"tls.record_size_limit": int.from_bytes(data, "big")}


def _pre_shared_key(data: bytes, where: int) -> dict[str, Any]:
    if where != CLIENT_HELLO:
        if len(data) != 2:
            raise _Cut(f"{counted(len(data), 'byte')} instead of 2")
        return {"tls.handshake.extensions.psk.identity.selected": int.from_bytes(data, "big")}
    if len(data) < 2:
        raise _Cut("its size is cut")
    size = int.from_bytes(data[:2], "big")
    block, identities, ages, at = data[2 : 2 + size], [], [], 0
    if len(block) < size:
        raise _Cut("list of identities is cut")
    while at < size:
        length = int.from_bytes(block[at : at + 2], "big")
        if at + 2 + length + 4 > size:
            raise _Cut("an identity is cut")
        identities.append(block[at + 2 : at + 2 + length].hex())
        ages.append(int.from_bytes(block[at + 2 + length : at + 6 + length], "big"))
        at += 6 + length
    binders = [binder.hex() for binder in _items(_vector(data[2 + size :], 2), 1)]
    return {
        "tls.handshake.extensions.psk.identity.identity": identities,
        "tls.handshake.extensions.psk.identity.obfuscated_ticket_age": ages,
        "iamt.tls.psk_binder": binders,
    }


def _early_data(data: bytes, where: int) -> dict[str, Any]:
    if where != TICKET:
        return _flag(data, where)
    if len(data) != 4:
        raise _Cut(f"{counted(len(data), 'byte')} instead of 4")
    return {"tls.early_data.max_early_data_size": int.from_bytes(data, "big")}


def _supported_versions(data: bytes, where: int) -> dict[str, Any]:
    if where == CLIENT_HELLO:
        return {"tls.handshake.extensions.supported_version": _pairs(_vector(data, 1))}
    if len(data) != 2:
        raise _Cut(f"{counted(len(data), 'byte')} instead of 2")
    return {"tls.handshake.extensions.supported_version": _pairs(data)}


def _cookie(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.handshake.extensions.cookie": _vector(data, 2).hex()}


def _psk_modes(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.extension.psk_ke_mode": list(_vector(data, 1))}


def _authorities(data: bytes, _where: int) -> dict[str, Any]:
    names = _items(_vector(data, 2), 2)
    return {"tls.handshake.dname": [name.hex() for name in names], "iamt.tls.authority": list(map(read_name, names))}


def _oid_filters(data: bytes, _where: int) -> dict[str, Any]:
    block, oids, at = _vector(data, 2), [], 0
    while at < len(block):
        size = block[at]
        oids.append(block[at + 1 : at + 1 + size].hex())
        if len(oids[-1]) != 2 * size or at + 3 + size > len(block):
            raise _Cut("an identifier is cut")
        at += 3 + size + int.from_bytes(block[at + 1 + size : at + 3 + size], "big")
    return {"iamt.tls.oid_filter": oids}


def _key_share(data: bytes, where: int) -> dict[str, Any]:
    if where == HELLO_RETRY_REQUEST:
        if len(data) != 2:
            raise _Cut(f"{counted(len(data), 'byte')} instead of 2")
        return {"tls.handshake.extensions_key_share_selected_group": int.from_bytes(data, "big")}
    block = _vector(data, 2) if where == CLIENT_HELLO else data
    groups, keys, at = [], [], 0
    while at < len(block):
        if at + 4 > len(block):
            raise _Cut("an entry is cut")
        group, size = struct.unpack_from(">HH", block, at)
        key = block[at + 4 : at + 4 + size]
        if len(key) < size:
            raise _Cut(f"a key of {counted(size, 'byte')} is cut")
        groups.append(group)
        keys.append(key.hex())
        at += 4 + size
    return {
        "tls.handshake.extensions_key_share_group": groups,
        "tls.handshake.extensions_key_share_key_exchange": keys,
    }


def _renegotiation_info(data: bytes, _where: int) -> dict[str, Any]:
    return {"tls.handshake.extensions_reneg_info": _vector(data, 1).hex()}


def _padding(data: bytes, _where: int) -> dict[str, Any]:
    return {"iamt.tls.padding_size": len(data)}


_READERS: dict[int, Callable[[bytes, int], dict[str, Any]]] = {
    SERVER_NAME: _server_name,
    MAX_FRAGMENT_LENGTH: _max_fragment_length,
    TRUNCATED_HMAC: _flag,
    STATUS_REQUEST: _status_request,
    10: _groups,
    11: _point_formats,
    12: _srp,
    13: _signature_algorithms,
    15: _heartbeat,
    16: _alpn,
    19: _certificate_types,
    20: _certificate_types,
    21: _padding,
    ENCRYPT_THEN_MAC: _flag,
    EXTENDED_MASTER_SECRET: _flag,
    27: _compress_certificate,
    28: _record_size_limit,
    PRE_SHARED_KEY: _pre_shared_key,
    EARLY_DATA: _early_data,
    SUPPORTED_VERSIONS: _supported_versions,
    40: _key_share,  # its number in drafts before 23
    44: _cookie,
    45: _psk_modes,
    47: _authorities,
    48: _oid_filters,
    49: _flag,
    50: _signature_algorithms,
    KEY_SHARE: _key_share,
    13172: _npn,
    RENEGOTIATION_INFO: _renegotiation_info,
}


def _split(block: bytes) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]], list[str]]:
    """Cut a block into whole extensions and, at its end, one that is cut; and say what is wrong."""
    items: list[tuple[int, bytes]] = []
    at, size = 0, len(block)
    while at < size:
        if at + 4 > size:
            return items, [], [f"an extension's head is cut: {counted(size - at, 'byte')} of 4"]
        code, length = _HEAD(block, at)
        data = block[at + 4 : at + 4 + length]
        if len(data) < length:
            return (
                items,
                [(code, data)],
                [f"extension {name_of_extension(code)} is cut: {counted(len(data), 'byte')} of {length}"],
            )
        items.append((code, data))
        at += 4 + length
    return items, [], []


def read_extensions(block: bytes, where: int) -> Extensions:
    """Read a block of extensions (without the size before it) of the message `where`; `faults` says what is broken."""
    items, cut, faults = _split(block)
    values: dict[str, Any] = {}
    if items or cut:
        codes = [code for code, _ in items + cut]
        values["tls.handshake.extension.type"] = codes
        values["iamt.tls.extension.name"] = [name_of_extension(code) for code in codes]
    unread: list[str] = []
    for code, data in items:
        reader = _READERS.get(code)
        if reader is None:
            unread.append(data.hex())
            continue
        try:
            read = reader(data, where)
        except _Cut as error:
            faults.append(f"extension {name_of_extension(code)}: {error}")
            unread.append(data.hex())
            continue
        for name, value in read.items():
            known = values.get(name)
            if isinstance(known, list):  # two extensions with one field (13 and 50), or one sent twice
                values[name] = known + value
            else:
                values[name] = value
    unread += [data.hex() for _, data in cut]
    if any(unread):
        values["tls.handshake.extension.data"] = unread
    return Extensions(tuple(items + cut), values, tuple(faults))
