"""Names and parameters of the code points of TLS, from IANA's registries (the data modules here name their sources).

    name_of_suite(0x008C)      "TLS_PSK_WITH_AES_128_CBC_SHA"
    suite_parameters(0x008C)   Suite(key_exchange="PSK", cipher="AES", key_size=16, mode="CBC", mac="sha1", …)

A code the registries do not know is named by its number, a GREASE value (RFC 8701) as such: nothing here raises.
"""

from __future__ import annotations

from amtdecode.protocols.tls.registry.alerts import ALERT_LEVELS, ALERTS
from amtdecode.protocols.tls.registry.extensions import EXTENSIONS
from amtdecode.protocols.tls.registry.groups import CURVE_TYPES, GROUPS, POINT_FORMATS
from amtdecode.protocols.tls.registry.messages import (
    CLIENT_CERTIFICATE_TYPES,
    COMPRESSIONS,
    CONTENT_TYPES,
    HANDSHAKE_TYPES,
    SSL2_MESSAGES,
)
from amtdecode.protocols.tls.registry.parameters import Suite, suite_parameters
from amtdecode.protocols.tls.registry.signatures import HASHES, SIGNATURE_SCHEMES, SIGNATURES
from amtdecode.protocols.tls.registry.suites import SSL2_CIPHERS, SUITES, UNREGISTERED_SUITES
from amtdecode.protocols.tls.registry.versions import VERSIONS

__all__ = [
    "SUITE_NAMES",
    "Suite",
    "is_grease",
    "name_of_alert",
    "name_of_alert_level",
    "name_of_client_certificate_type",
    "name_of_compression",
    "name_of_content_type",
    "name_of_curve_type",
    "name_of_extension",
    "name_of_group",
    "name_of_handshake",
    "name_of_point_format",
    "name_of_signature_scheme",
    "name_of_ssl2_cipher",
    "name_of_ssl2_message",
    "name_of_suite",
    "name_of_version",
    "suite_parameters",
]


SUITE_NAMES = SUITES | UNREGISTERED_SUITES
"""Names of two-byte cipher suites, those that no registry has among them."""


def is_grease(code: int) -> bool:
    """Whether a two-byte code is one of the sixteen values reserved to exercise tolerance (RFC 8701, section 2)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


def _unknown(code: int) -> str:
    return f"GREASE (0x{code:04x})" if is_grease(code) else f"unknown (0x{code:04x})"


def name_of_suite(code: int) -> str:
    """IANA's name of a two-byte cipher suite, as `TLS_PSK_WITH_AES_128_CBC_SHA`."""
    return SUITE_NAMES.get(code) or _unknown(code)


def name_of_ssl2_cipher(code: int) -> str:
    """Name of a three-byte cipher kind of an SSL 2.0 hello; those below 0x010000 are TLS suites (RFC 5246, E.2)."""
    return name_of_suite(code) if code < 0x010000 else SSL2_CIPHERS.get(code) or f"unknown (0x{code:06x})"


def name_of_version(code: int) -> str:
    """Name of a protocol version, as `TLS 1.0` of 0x0301."""
    return VERSIONS.get(code) or _unknown(code)


def name_of_group(code: int) -> str:
    """Name of a named group (supported_groups, key_share, ServerKeyExchange)."""
    return GROUPS.get(code) or _unknown(code)


def name_of_signature_scheme(code: int) -> str:
    """Name of a signature scheme; a TLS 1.2 pair without a name of its own is told by its halves, as `sha224_rsa`."""
    name = SIGNATURE_SCHEMES.get(code)
    if name:
        return name
    digest, signature = HASHES.get(code >> 8), SIGNATURES.get(code & 0xFF)
    return f"{digest}_{signature}" if digest and signature else _unknown(code)


def name_of_extension(code: int) -> str:
    """Name of a hello extension."""
    return EXTENSIONS.get(code) or _unknown(code)


def name_of_alert(code: int) -> str:
    """Name of an alert description, as `unknown_ca` of 48."""
    return ALERTS.get(code) or f"unknown ({code})"


def name_of_alert_level(code: int) -> str:
    """`warning` or `fatal`."""
    return ALERT_LEVELS.get(code) or f"unknown ({code})"


def name_of_content_type(code: int) -> str:
    """Name of a record's content type."""
    return CONTENT_TYPES.get(code) or f"unknown ({code})"


def name_of_handshake(code: int) -> str:
    """Name of a handshake message, as `ClientHello` of 1."""
    return HANDSHAKE_TYPES.get(code) or f"unknown ({code})"


def name_of_ssl2_message(code: int) -> str:
    """Name of an SSL 2.0 message, as `CLIENT-HELLO` of 1."""
    return SSL2_MESSAGES.get(code) or f"unknown ({code})"


def name_of_client_certificate_type(code: int) -> str:
    """Name of a certificate type a CertificateRequest asks for."""
    return CLIENT_CERTIFICATE_TYPES.get(code) or f"unknown ({code})"


def name_of_compression(code: int) -> str:
    """Name of a compression method."""
    return COMPRESSIONS.get(code) or f"unknown ({code})"


def name_of_point_format(code: int) -> str:
    """Name of an elliptic curve point format."""
    return POINT_FORMATS.get(code) or f"unknown ({code})"


def name_of_curve_type(code: int) -> str:
    """Name of the way a ServerKeyExchange gives its curve."""
    return CURVE_TYPES.get(code) or f"unknown ({code})"
