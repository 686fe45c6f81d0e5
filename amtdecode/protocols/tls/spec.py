"""Every TLS message declared in wire order: documentation, reference reader, builder of test vectors, and `tree()`.

The dissector never loads this: its own readers (`hellos`, `reading`, `extensions`) are many times faster; a property
test holds that both agree on every input, good or bad. All integers are big endian.

Sources: RFC 5246, sections 6.2.1, 7.1, 7.2, 7.4, E.2; RFC 4279, 5489 (PSK); RFC 8422 (ECDHE); RFC 5077 (tickets);
RFC 6066 (extensions, CertificateStatus); RFC 7301 (ALPN); RFC 5746 (renegotiation_info); RFC 8449 (record_size_limit);
RFC 8446 (TLS 1.3).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from construct import (
    Byte,
    Bytes,
    Const,
    Construct,
    ConstructError,
    FocusedSeq,
    GreedyBytes,
    GreedyRange,
    If,
    Int8ub,
    Int16ub,
    Int24ub,
    Int32ub,
    Peek,
    Struct,
    Subconstruct,
    Terminated,
)

from amtdecode.fields import UINT8, UINT16, UINT24, Field
from amtdecode.protocols.declaration import Items, Sized, Window, grouped, tree_of
from amtdecode.protocols.tls import fields
from amtdecode.protocols.tls.certificates.tree import certificate_nodes, name_nodes
from amtdecode.protocols.tls.extensions import FIELDS
from amtdecode.protocols.tls.registry import name_of_extension

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.fields import Fields
    from amtdecode.tree import Node

DECLARED: Fields = (*[each for each in vars(fields).values() if isinstance(each, Field)], *FIELDS)
_LENGTHS = (
    ("tls.handshake.session_id_length", UINT8),
    ("tls.handshake.cipher_suites_length", UINT16),
    ("tls.handshake.comp_methods_length", UINT8),
    ("tls.handshake.extensions_length", UINT16),
    ("tls.handshake.extension.len", UINT16),
    ("tls.handshake.certificates_length", UINT24),
    ("tls.handshake.certificate_length", UINT24),
    ("tls.handshake.certificate_request_context_length", UINT8),
    ("tls.handshake.cert_types_count", UINT8),
    ("tls.handshake.sig_hash_alg_len", UINT16),
    ("tls.handshake.dnames_len", UINT16),
    ("tls.handshake.dname_len", UINT16),
    ("tls.handshake.sig_len", UINT16),
    ("tls.handshake.client_cert_vrfy.sig_len", UINT16),
    ("tls.handshake.hint_len", UINT16),
    ("tls.handshake.identity_len", UINT16),
    ("tls.handshake.epms_len", UINT16),
    ("tls.handshake.p_len", UINT16),
    ("tls.handshake.g_len", UINT16),
    ("tls.handshake.ys_len", UINT16),
    ("tls.handshake.yc_len", UINT16),
    ("tls.handshake.server_point_len", UINT8),
    ("tls.handshake.client_point_len", UINT8),
    ("tls.handshake.session_ticket_length", UINT16),
    ("tls.handshake.session_ticket_nonce_length", UINT8),
    ("tls.handshake.extensions_server_name_list_len", UINT16),
    ("tls.handshake.extensions_server_name_len", UINT16),
    ("tls.handshake.extensions_supported_groups_length", UINT16),
    ("tls.handshake.extensions_ec_point_formats_length", UINT8),
    ("tls.handshake.extensions_alpn_len", UINT16),
    ("tls.handshake.extensions_alpn_str_len", UINT8),
    ("tls.handshake.extensions.supported_versions_len", UINT8),
    ("tls.handshake.extensions_key_share_client_length", UINT16),
    ("tls.handshake.extensions_key_share_key_exchange_length", UINT16),
    ("tls.extension.psk_ke_modes_length", UINT8),
    ("tls.handshake.extensions.psk.identities.length", UINT16),
    ("tls.handshake.extensions.psk.identity.identity_length", UINT16),
    ("tls.handshake.extensions_reneg_info_len", UINT8),
    ("tls.handshake.cipher_spec_len", UINT16),
    ("tls.handshake.challenge_length", UINT16),
)
item = Items(
    DECLARED,
    *[Field(name, kind, "bytes of what follows") for name, kind in _LENGTHS],
    Field("tls.handshake.extensions_server_name_type", UINT8, "kind of a server name", values={0: "host_name"}),
)


class Opened(Subconstruct):  # type: ignore[misc]
    """Bytes that are given as they are; what they hold is declared too, and read for a tree as far as it goes."""

    def __init__(self, inside: dict[int, Construct]) -> None:
        super().__init__(GreedyBytes)
        self.inside = inside

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        base = getattr(stream, "position", 0)
        data = stream.read()
        inside = self.inside.get(context.type)
        if inside is not None and "recorder" in context._params:
            with suppress(ConstructError):
                inside._parsereport(Window(data, base), context, path)
        return data


class Der(Construct):  # type: ignore[misc]
    """Bytes of a certificate or name, which are given as they are, and read for a tree as far as they go."""

    def __init__(self, read: Callable[[bytes, int, int], tuple[Node, ...]]) -> None:
        super().__init__()
        self.read = read

    def _parse(self, stream: Any, context: Any, path: str) -> bytes:  # noqa: ARG002
        base = getattr(stream, "position", 0)
        data: bytes = stream.read()
        recorder = context._params.get("recorder")
        if recorder is not None:
            recorder.add_read(self.read(data, base, recorder.left))
        return data

    def _build(self, obj: bytes, stream: Any, context: Any, path: str) -> bytes:  # noqa: ARG002
        stream.write(obj)
        return obj


class Inline(Subconstruct):  # type: ignore[misc]
    """Bytes whose size stands elsewhere, given as they are; members that fill them are read for a tree."""

    def __init__(self, size: Callable[[Any], int], member: Construct) -> None:
        super().__init__(Bytes(size))
        self.member = GreedyRange(member)

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        base = getattr(stream, "position", 0)
        data = self.subcon._parsereport(stream, context, path)
        if "recorder" in context._params:
            self.member._parsereport(Window(data, base), context, path)
        return data


def _or_none(data: bytes) -> bytes | None:
    return data or None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def vector(size: Construct, member: Construct) -> Construct:
    """Declare a vector (RFC 5246, section 4.3): its size in bytes, then members that fill it exactly."""
    return Sized(size, FocusedSeq("items", "items" / GreedyRange(member), Terminated))


def opaque(size: Construct, name: str = "", length: str = "") -> Construct:
    """Declare bytes with their size before them; `name` is that of their field, `length` that of their size's."""
    content = item(name, GreedyBytes, shown=_or_none) if name else GreedyBytes
    return Sized(item(length, size) if length else size, content)


def whole(*parts: Any) -> Construct:
    """Declare a message that fills its bytes."""
    return Struct(*parts, Terminated)


def if_more(name: str, member: Construct) -> tuple[Construct, Construct]:
    """Declare a part that is absent where the message ends before it."""
    return "more" / Peek(Byte), name / If(lambda part: part._building or part.more is not None, member)


def _record(fragment: Construct) -> Construct:
    return Struct(
        "type" / item("tls.record.content_type", Int8ub),
        "version" / item("tls.record.version", Int16ub),
        "fragment" / Sized(item("tls.record.length", Int16ub), fragment),
    )


RECORD = _record(GreedyBytes)
HANDSHAKE = Struct("type" / Int8ub, "body" / opaque(Int24ub))
ALERT = whole("level" / item("tls.alert_message.level", Int8ub), "description" / item("tls.alert_message.desc", Int8ub))
HEARTBEAT = Struct(
    "type" / item("tls.heartbeat_message.type", Int8ub),
    "payload_length" / item("tls.heartbeat_message.payload_length", Int16ub),
    "payload_and_padding" / GreedyBytes,
)
ALERT_RECORD = _record(ALERT)
HEARTBEAT_RECORD = _record(HEARTBEAT)
CHANGE_CIPHER_SPEC = whole(Const(b"\x01"))

_SCHEMES = vector(item("tls.handshake.sig_hash_alg_len", Int16ub), item("tls.handshake.sig_hash_alg", Int16ub))
_VERSION = item("tls.handshake.extensions.supported_version", Int16ub)
_AUTHORITIES = vector(
    item("tls.handshake.dnames_len", Int16ub),
    Sized(item("tls.handshake.dname_len", Int16ub), item("tls.handshake.dname", Der(name_nodes), shown=_or_none)),
)
KEY_SHARE_ENTRY = Struct(
    "group" / item("tls.handshake.extensions_key_share_group", Int16ub),
    "key_exchange"
    / opaque(
        Int16ub,
        "tls.handshake.extensions_key_share_key_exchange",
        "tls.handshake.extensions_key_share_key_exchange_length",
    ),
)

CLIENT_EXTENSIONS = {  # what extensions of a ClientHello hold, by type
    0: whole(
        "names"
        / vector(
            item("tls.handshake.extensions_server_name_list_len", Int16ub),
            Struct(
                "type" / item("tls.handshake.extensions_server_name_type", Int8ub),
                "name"
                / Sized(
                    item("tls.handshake.extensions_server_name_len", Int16ub),
                    item("tls.handshake.extensions_server_name", GreedyBytes, shown=_text),
                ),
            ),
        )
    ),
    1: whole("code" / item("tls.handshake.max_fragment_length", Int8ub)),
    5: Struct("type" / item("tls.handshake.extensions_status_request_type", Int8ub), "request" / GreedyBytes),
    10: whole(
        "groups"
        / vector(
            item("tls.handshake.extensions_supported_groups_length", Int16ub),
            item("tls.handshake.extensions_supported_group", Int16ub),
        )
    ),
    11: whole(
        "formats"
        / vector(
            item("tls.handshake.extensions_ec_point_formats_length", Int8ub),
            item("tls.handshake.extensions_ec_point_format", Int8ub),
        )
    ),
    12: whole("user" / opaque(Int8ub)),
    13: whole("schemes" / _SCHEMES),
    15: whole("mode" / item("tls.handshake.extension.heartbeat.mode", Int8ub)),
    16: whole(
        "protocols"
        / vector(
            item("tls.handshake.extensions_alpn_len", Int16ub),
            Sized(
                item("tls.handshake.extensions_alpn_str_len", Int8ub),
                item("tls.handshake.extensions_alpn_str", GreedyBytes, shown=_text),
            ),
        )
    ),
    22: whole(),
    23: whole(),
    27: whole("algorithms" / vector(Int8ub, item("tls.compress_certificate.algorithm", Int16ub))),
    28: whole("limit" / item("tls.record_size_limit", Int16ub)),
    41: whole(
        "identities"
        / vector(
            item("tls.handshake.extensions.psk.identities.length", Int16ub),
            Struct(
                "identity"
                / opaque(
                    Int16ub,
                    "tls.handshake.extensions.psk.identity.identity",
                    "tls.handshake.extensions.psk.identity.identity_length",
                ),
                "obfuscated_ticket_age" / item("tls.handshake.extensions.psk.identity.obfuscated_ticket_age", Int32ub),
            ),
        ),
        "binders" / vector(Int16ub, opaque(Int8ub)),
    ),
    43: whole("versions" / vector(item("tls.handshake.extensions.supported_versions_len", Int8ub), _VERSION)),
    44: whole("cookie" / opaque(Int16ub, "tls.handshake.extensions.cookie")),
    45: whole(
        "modes" / vector(item("tls.extension.psk_ke_modes_length", Int8ub), item("tls.extension.psk_ke_mode", Int8ub))
    ),
    47: whole("authorities" / _AUTHORITIES),
    51: whole("shares" / vector(item("tls.handshake.extensions_key_share_client_length", Int16ub), KEY_SHARE_ENTRY)),
    65281: whole(
        "verify_data" / opaque(Int8ub, "tls.handshake.extensions_reneg_info", "tls.handshake.extensions_reneg_info_len")
    ),
}
SERVER_EXTENSIONS = {  # those a ServerHello writes in another way
    41: whole("selected" / item("tls.handshake.extensions.psk.identity.selected", Int16ub)),
    43: whole("version" / _VERSION),
    51: whole("shares" / GreedyRange(KEY_SHARE_ENTRY)),
}


def _extensions(inside: dict[int, Construct]) -> Construct:
    extension = Struct(
        "type" / item("tls.handshake.extension.type", Int16ub),
        "data" / Sized(item("tls.handshake.extension.len", Int16ub), Opened(inside)),
    )
    return vector(
        item("tls.handshake.extensions_length", Int16ub),
        grouped(lambda one: f"Extension: {name_of_extension(one.type)}", extension),
    )


EXTENSIONS = _extensions(CLIENT_EXTENSIONS)
ANSWERED_EXTENSIONS = _extensions(CLIENT_EXTENSIONS | SERVER_EXTENSIONS)

_SESSION_ID = opaque(Int8ub, "tls.handshake.session_id", "tls.handshake.session_id_length")
CLIENT_HELLO = whole(
    "version" / item("tls.handshake.version", Int16ub),
    "random" / item("tls.handshake.random", Bytes(32)),
    "session_id" / _SESSION_ID,
    "cipher_suites"
    / vector(item("tls.handshake.cipher_suites_length", Int16ub), item("tls.handshake.ciphersuite", Int16ub)),
    "compression_methods"
    / vector(item("tls.handshake.comp_methods_length", Int8ub), item("tls.handshake.comp_method", Int8ub)),
    *if_more("extensions", EXTENSIONS),
)
SSL2_CLIENT_HELLO = whole(
    "type" / item("tls.handshake.type", Const(b"\x01"), shown=lambda code: code[0]),
    "version" / item("tls.handshake.version", Int16ub),
    "cipher_specs_size" / item("tls.handshake.cipher_spec_len", Int16ub),
    "session_id_size" / item("tls.handshake.session_id_length", Int16ub),
    "challenge_size" / item("tls.handshake.challenge_length", Int16ub),
    "cipher_specs" / Inline(lambda hello: hello.cipher_specs_size, item("tls.handshake.cipherspec", Int24ub)),
    "session_id" / item("tls.handshake.session_id", Bytes(lambda hello: hello.session_id_size), shown=_or_none),
    "challenge" / item("tls.handshake.challenge", Bytes(lambda hello: hello.challenge_size), shown=_or_none),
)
SERVER_HELLO = whole(
    "version" / item("tls.handshake.version", Int16ub),
    "random" / item("tls.handshake.random", Bytes(32)),
    "session_id" / _SESSION_ID,
    "cipher_suite" / item("tls.handshake.ciphersuite", Int16ub),
    "compression_method" / item("tls.handshake.comp_method", Int8ub),
    *if_more("extensions", ANSWERED_EXTENSIONS),
)
HELLO_REQUEST = whole()
OTHER = GreedyBytes  # what is named, and not read further
SERVER_HELLO_DONE = whole()

_CERTIFICATE = Sized(
    item("tls.handshake.certificate_length", Int24ub),
    item("tls.handshake.certificate", Der(certificate_nodes), shown=_or_none),
)
_CONTEXT = opaque(
    Int8ub, "tls.handshake.certificate_request_context", "tls.handshake.certificate_request_context_length"
)
_LIST = item("tls.handshake.certificates_length", Int24ub)
CERTIFICATE = whole("certificates" / vector(_LIST, _CERTIFICATE))
CERTIFICATE_TLS13 = whole(
    "request_context" / _CONTEXT,
    "certificates" / vector(_LIST, Struct("certificate" / _CERTIFICATE, "extensions" / ANSWERED_EXTENSIONS)),
)
_TYPES = vector(item("tls.handshake.cert_types_count", Int8ub), item("tls.handshake.cert_type", Int8ub))
CERTIFICATE_REQUEST = whole("types" / _TYPES, "authorities" / _AUTHORITIES)
CERTIFICATE_REQUEST_TLS12 = whole("types" / _TYPES, "signature_schemes" / _SCHEMES, "authorities" / _AUTHORITIES)
CERTIFICATE_REQUEST_TLS13 = whole("request_context" / _CONTEXT, "extensions" / EXTENSIONS)
_SCHEME = item("tls.handshake.sig_hash_alg", Int16ub)
_VERIFY = opaque(Int16ub, "tls.handshake.client_cert_vrfy.sig", "tls.handshake.client_cert_vrfy.sig_len")
CERTIFICATE_VERIFY = whole("signature" / _VERIFY)
CERTIFICATE_VERIFY_TLS12 = whole("scheme" / _SCHEME, "signature" / _VERIFY)
CERTIFICATE_STATUS = whole(
    "type" / item("tls.handshake.extensions_status_request_type", Int8ub),
    "response" / Sized(item("tls.handshake.ocsp_response_len", Int24ub), GreedyBytes),
)

_HINT = "hint" / opaque(Int16ub, "tls.handshake.hint", "tls.handshake.hint_len")
_DH = tuple(name / opaque(Int16ub, f"tls.handshake.{name}", f"tls.handshake.{name}_len") for name in ("p", "g", "ys"))
_ECDH = (
    "curve_type" / item("tls.handshake.server_curve_type", Const(b"\x03"), shown=lambda code: code[0]),
    "named_curve" / item("tls.handshake.server_named_curve", Int16ub),
    "point" / opaque(Int8ub, "tls.handshake.server_point", "tls.handshake.server_point_len"),
)
_SIG = "signature" / opaque(Int16ub, "tls.handshake.sig", "tls.handshake.sig_len")
_SIGNATURE = (_SIG,)
_SIGNATURE_TLS12 = ("scheme" / _SCHEME, _SIG)

SERVER_KEY_EXCHANGE = {  # by key exchange and whether TLS 1.2 names the signature's scheme
    ("PSK", False): whole(_HINT),
    ("PSK", True): whole(_HINT),
    ("RSA_PSK", False): whole(_HINT),
    ("RSA_PSK", True): whole(_HINT),
    ("DHE_PSK", False): whole(_HINT, *_DH),
    ("DHE_PSK", True): whole(_HINT, *_DH),
    ("ECDHE_PSK", False): whole(_HINT, *_ECDH),
    ("ECDHE_PSK", True): whole(_HINT, *_ECDH),
    ("DHE", False): whole(*_DH, *_SIGNATURE),
    ("DHE", True): whole(*_DH, *_SIGNATURE_TLS12),
    ("ECDHE", False): whole(*_ECDH, *_SIGNATURE),
    ("ECDHE", True): whole(*_ECDH, *_SIGNATURE_TLS12),
}

_IDENTITY = "identity" / opaque(Int16ub, "tls.handshake.identity", "tls.handshake.identity_len")
_ENCRYPTED = "encrypted" / opaque(Int16ub, "tls.handshake.epms", "tls.handshake.epms_len")
_YC = "yc" / opaque(Int16ub, "tls.handshake.yc", "tls.handshake.yc_len")
_POINT = "point" / opaque(Int8ub, "tls.handshake.client_point", "tls.handshake.client_point_len")

CLIENT_KEY_EXCHANGE = {
    "RSA": whole(_ENCRYPTED),
    "PSK": whole(_IDENTITY),
    "RSA_PSK": whole(_IDENTITY, _ENCRYPTED),
    "DHE": whole(_YC),
    "DHE_PSK": whole(_IDENTITY, _YC),
    "ECDHE": whole(_POINT),
    "ECDHE_PSK": whole(_IDENTITY, _POINT),
}

_LIFETIME = "lifetime" / item("tls.handshake.session_ticket_lifetime_hint", Int32ub)
_TICKET = "ticket" / opaque(Int16ub, "tls.handshake.session_ticket", "tls.handshake.session_ticket_length")
NEW_SESSION_TICKET = whole(_LIFETIME, _TICKET)
NEW_SESSION_TICKET_TLS13 = whole(
    _LIFETIME,
    "age_add" / item("tls.handshake.session_ticket_age_add", Int32ub),
    "nonce" / opaque(Int8ub, "tls.handshake.session_ticket_nonce", "tls.handshake.session_ticket_nonce_length"),
    _TICKET,
    "extensions" / ANSWERED_EXTENSIONS,
)
ENCRYPTED_EXTENSIONS = whole("extensions" / EXTENSIONS)
KEY_UPDATE = whole("request_update" / item("tls.handshake.key_update.request_update", Int8ub))
FINISHED = whole("verify_data" / item("tls.handshake.verify_data", GreedyBytes))


def handshake_tree(body: Construct, message: bytes) -> tuple[Node, ...]:
    """The tree of a handshake message, header first; positions count from that. None where bytes are missing or more.

    The dissector hands over a message's own bytes, without headers of records between, and decrypted.
    """
    if len(message) < 4 or len(message) != 4 + int.from_bytes(message[1:4], "big"):
        return ()
    declared = Struct(
        "type" / item("tls.handshake.type", Int8ub), "body" / Sized(item("tls.handshake.length", Int24ub), body)
    )
    return tree_of(declared, message)
