"""Every TLS message declared in wire order: documentation, builder of test vectors, and reference reader.

The dissector never loads this: its own readers (`hellos`, `reading`, `extensions`) are many times faster; a property
test holds that both agree on every input, good or bad. All integers are big endian.

Sources: RFC 5246, sections 6.2.1, 7.1, 7.2, 7.4, E.2; RFC 4279, 5489 (PSK); RFC 8422 (ECDHE); RFC 5077 (tickets);
RFC 6066 (extensions, CertificateStatus); RFC 7301 (ALPN); RFC 5746 (renegotiation_info); RFC 8449 (record_size_limit);
RFC 8446 (TLS 1.3).
"""

from __future__ import annotations

from typing import Any

from construct import (
    Byte,
    Bytes,
    Const,
    Construct,
    FocusedSeq,
    GreedyBytes,
    GreedyRange,
    If,
    Int8ub,
    Int16ub,
    Int24ub,
    Int32ub,
    Peek,
    Prefixed,
    Struct,
    Terminated,
)


def vector(size: Construct, item: Construct) -> Construct:
    """Declare a vector (RFC 5246, section 4.3): its size in bytes, then items that fill it exactly."""
    return Prefixed(size, FocusedSeq("items", "items" / GreedyRange(item), Terminated))


def opaque(size: Construct) -> Construct:
    """Declare bytes with their size before them."""
    return Prefixed(size, GreedyBytes)


def whole(*parts: Any) -> Construct:
    """Declare a message that fills its bytes."""
    return Struct(*parts, Terminated)


def if_more(name: str, item: Construct) -> tuple[Construct, Construct]:
    """Declare a part that is absent where the message ends before it."""
    return "more" / Peek(Byte), name / If(lambda part: part._building or part.more is not None, item)


RECORD = Struct("type" / Int8ub, "version" / Int16ub, "fragment" / opaque(Int16ub))
HANDSHAKE = Struct("type" / Int8ub, "body" / opaque(Int24ub))
ALERT = whole("level" / Int8ub, "description" / Int8ub)
CHANGE_CIPHER_SPEC = whole(Const(b"\x01"))

EXTENSION = Struct("type" / Int16ub, "data" / opaque(Int16ub))
EXTENSIONS = vector(Int16ub, EXTENSION)

CLIENT_HELLO = whole(
    "version" / Int16ub,
    "random" / Bytes(32),
    "session_id" / opaque(Int8ub),
    "cipher_suites" / vector(Int16ub, Int16ub),
    "compression_methods" / vector(Int8ub, Int8ub),
    *if_more("extensions", EXTENSIONS),
)
SSL2_CLIENT_HELLO = whole(
    "type" / Const(b"\x01"),
    "version" / Int16ub,
    "cipher_specs_size" / Int16ub,
    "session_id_size" / Int16ub,
    "challenge_size" / Int16ub,
    "cipher_specs" / Bytes(lambda hello: hello.cipher_specs_size),
    "session_id" / Bytes(lambda hello: hello.session_id_size),
    "challenge" / Bytes(lambda hello: hello.challenge_size),
)
SERVER_HELLO = whole(
    "version" / Int16ub,
    "random" / Bytes(32),
    "session_id" / opaque(Int8ub),
    "cipher_suite" / Int16ub,
    "compression_method" / Int8ub,
    *if_more("extensions", EXTENSIONS),
)
HELLO_REQUEST = whole()
SERVER_HELLO_DONE = whole()

CERTIFICATE = whole("certificates" / vector(Int24ub, opaque(Int24ub)))
CERTIFICATE_TLS13 = whole(
    "request_context" / opaque(Int8ub),
    "certificates" / vector(Int24ub, Struct("certificate" / opaque(Int24ub), "extensions" / EXTENSIONS)),
)
CERTIFICATE_REQUEST = whole("types" / vector(Int8ub, Int8ub), "authorities" / vector(Int16ub, opaque(Int16ub)))
CERTIFICATE_REQUEST_TLS12 = whole(
    "types" / vector(Int8ub, Int8ub),
    "signature_schemes" / vector(Int16ub, Int16ub),
    "authorities" / vector(Int16ub, opaque(Int16ub)),
)
CERTIFICATE_REQUEST_TLS13 = whole("request_context" / opaque(Int8ub), "extensions" / EXTENSIONS)
CERTIFICATE_VERIFY = whole("signature" / opaque(Int16ub))
CERTIFICATE_VERIFY_TLS12 = whole("scheme" / Int16ub, "signature" / opaque(Int16ub))
CERTIFICATE_STATUS = whole("type" / Int8ub, "response" / opaque(Int24ub))

_HINT = "hint" / opaque(Int16ub)
_DH = ("p" / opaque(Int16ub), "g" / opaque(Int16ub), "ys" / opaque(Int16ub))
_ECDH = ("curve_type" / Const(b"\x03"), "named_curve" / Int16ub, "point" / opaque(Int8ub))
_SIGNATURE = ("signature" / opaque(Int16ub),)
_SIGNATURE_TLS12 = ("scheme" / Int16ub, "signature" / opaque(Int16ub))

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

_IDENTITY = "identity" / opaque(Int16ub)

CLIENT_KEY_EXCHANGE = {
    "RSA": whole("encrypted" / opaque(Int16ub)),
    "PSK": whole(_IDENTITY),
    "RSA_PSK": whole(_IDENTITY, "encrypted" / opaque(Int16ub)),
    "DHE": whole("yc" / opaque(Int16ub)),
    "DHE_PSK": whole(_IDENTITY, "yc" / opaque(Int16ub)),
    "ECDHE": whole("point" / opaque(Int8ub)),
    "ECDHE_PSK": whole(_IDENTITY, "point" / opaque(Int8ub)),
}

NEW_SESSION_TICKET = whole("lifetime" / Int32ub, "ticket" / opaque(Int16ub))
NEW_SESSION_TICKET_TLS13 = whole(
    "lifetime" / Int32ub,
    "age_add" / Int32ub,
    "nonce" / opaque(Int8ub),
    "ticket" / opaque(Int16ub),
    "extensions" / EXTENSIONS,
)
ENCRYPTED_EXTENSIONS = whole("extensions" / EXTENSIONS)
KEY_UPDATE = whole("request_update" / Int8ub)
FINISHED = whole("verify_data" / GreedyBytes)

KEY_SHARE_ENTRY = Struct("group" / Int16ub, "key_exchange" / opaque(Int16ub))

CLIENT_EXTENSIONS = {  # what extensions of a ClientHello hold, by type
    0: whole("names" / vector(Int16ub, Struct("type" / Int8ub, "name" / opaque(Int16ub)))),
    1: whole("code" / Int8ub),
    10: whole("groups" / vector(Int16ub, Int16ub)),
    11: whole("formats" / vector(Int8ub, Int8ub)),
    12: whole("user" / opaque(Int8ub)),
    13: whole("schemes" / vector(Int16ub, Int16ub)),
    15: whole("mode" / Int8ub),
    16: whole("protocols" / vector(Int16ub, opaque(Int8ub))),
    22: whole(),
    23: whole(),
    27: whole("algorithms" / vector(Int8ub, Int16ub)),
    28: whole("limit" / Int16ub),
    41: whole(
        "identities" / vector(Int16ub, Struct("identity" / opaque(Int16ub), "obfuscated_ticket_age" / Int32ub)),
        "binders" / vector(Int16ub, opaque(Int8ub)),
    ),
    43: whole("versions" / vector(Int8ub, Int16ub)),
    44: whole("cookie" / opaque(Int16ub)),
    45: whole("modes" / vector(Int8ub, Int8ub)),
    47: whole("authorities" / vector(Int16ub, opaque(Int16ub))),
    51: whole("shares" / vector(Int16ub, KEY_SHARE_ENTRY)),
    65281: whole("verify_data" / opaque(Int8ub)),
}
SERVER_EXTENSIONS = {  # those a ServerHello writes in another way
    41: whole("selected" / Int16ub),
    43: whole("version" / Int16ub),
    51: whole("shares" / GreedyRange(KEY_SHARE_ENTRY)),
}
