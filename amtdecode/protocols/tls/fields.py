"""Fields that several events of TLS share; what one event alone has is declared on it.

Names and kinds are Wireshark's (epan/dissectors/packet-tls.c); names of values are those of IANA's registries.
"""

from __future__ import annotations

from amtdecode.fields import BOOLEAN, BYTES, STRING, UINT8, UINT16, UINT24, UINT32, Field
from amtdecode.protocols.tls.registry import SUITE_NAMES
from amtdecode.protocols.tls.registry.alerts import ALERT_LEVELS, ALERTS
from amtdecode.protocols.tls.registry.groups import CURVE_TYPES, GROUPS
from amtdecode.protocols.tls.registry.messages import (
    CLIENT_CERTIFICATE_TYPES,
    COMPRESSIONS,
    CONTENT_TYPES,
    HANDSHAKE_TYPES,
)
from amtdecode.protocols.tls.registry.signatures import SIGNATURE_SCHEMES
from amtdecode.protocols.tls.registry.suites import SSL2_CIPHERS
from amtdecode.protocols.tls.registry.versions import VERSIONS

HEARTBEAT_TYPES = {1: "request", 2: "response"}  # RFC 6520, section 3
KEY_UPDATE_REQUESTS = {0: "update_not_requested", 1: "update_requested"}  # RFC 8446, section 4.6.3

CONTENT_TYPE = Field("tls.record.content_type", UINT8, "content type of the record", values=CONTENT_TYPES)
RECORD_VERSION = Field("tls.record.version", UINT16, "version in the record header", values=VERSIONS)
RECORD_LENGTH = Field("tls.record.length", UINT16, "bytes of the record behind its header")
TYPE = Field("tls.handshake.type", UINT8, "type of the handshake message", values=HANDSHAKE_TYPES)
LENGTH = Field("tls.handshake.length", UINT24, "bytes of the handshake message behind its header")
HELLO_VERSION = Field(
    "tls.handshake.version",
    UINT16,
    "version in the hello; TLS 1.3 gives its own in supported_versions",
    values=VERSIONS,
)
RANDOM = Field("tls.handshake.random", BYTES, "32 random bytes of a hello")
SESSION_ID = Field("tls.handshake.session_id", BYTES, "session id of a hello")
CIPHER_SUITE = Field(
    "tls.handshake.ciphersuite", UINT16, "cipher suites offered, or the one chosen", values=SUITE_NAMES, repeated=True
)
CIPHER_SUITE_NAME = Field("iamt.tls.ciphersuite.name", STRING, "registry names of the cipher suites", repeated=True)
COMPRESSION = Field("tls.handshake.comp_method", UINT8, "compression methods", values=COMPRESSIONS, repeated=True)
SIGNATURE_SCHEME = Field(
    "tls.handshake.sig_hash_alg",
    UINT16,
    "signature schemes, or the one used",
    values=SIGNATURE_SCHEMES,
    repeated=True,
)
REQUEST_CONTEXT = Field("tls.handshake.certificate_request_context", BYTES, "request context of TLS 1.3")
AUTHORITY = Field("tls.handshake.dname", BYTES, "authorities a CertificateRequest names, DER", repeated=True)
AUTHORITY_NAME = Field("iamt.tls.authority", STRING, "the same as text", repeated=True)
KEY_EXCHANGE = Field("iamt.tls.key_exchange", STRING, "key exchange of the cipher suite chosen")
PSK_IDENTITY = Field("iamt.tls.psk.identity", STRING, "PSK identity as text")
GROUP_NAME = Field("iamt.tls.group.name", STRING, "registry name of the group")
NAMED_CURVE = Field("tls.handshake.server_named_curve", UINT16, "the server's named group", values=GROUPS)
SENDER = Field("iamt.tls.sender", STRING, "who sent it, by role: client, server")
MACHINE = Field(
    "iamt.tls.machine", STRING, "who that is, by the port: AMT, SCA (setup and configuration application), MPS"
)
PHASE = Field("iamt.tls.phase", STRING, "phase of the handshake in which it came or stopped")
AFTER = Field("iamt.tls.after", STRING, "handshake message before it, with its sender")
ENCRYPTED = Field("iamt.tls.encrypted", BOOLEAN, "protected, and no key opens it")
OPENED = Field("iamt.tls.opened", BOOLEAN, "whether a key opens it")
CERTIFICATE = Field("tls.handshake.certificate", BYTES, "certificates, DER", repeated=True)
CERT_TYPE = Field(
    "tls.handshake.cert_type",
    UINT8,
    "certificate types a CertificateRequest allows",
    values=CLIENT_CERTIFICATE_TYPES,
    repeated=True,
)
HINT = Field("tls.handshake.hint", BYTES, "PSK identity hint")
SERVER_CURVE_TYPE = Field(
    "tls.handshake.server_curve_type", UINT8, "how the server gives its curve", values=CURVE_TYPES
)
SIG = Field("tls.handshake.sig", BYTES, "signature of a ServerKeyExchange")
IDENTITY = Field("tls.handshake.identity", BYTES, "PSK identity: of an AMT device its PID")
EPMS = Field("tls.handshake.epms", BYTES, "premaster secret, encrypted with the server's RSA key")
CLIENT_CERT_VRFY_SIG = Field("tls.handshake.client_cert_vrfy.sig", BYTES, "signature of a CertificateVerify")
SESSION_TICKET_LIFETIME_HINT = Field("tls.handshake.session_ticket_lifetime_hint", UINT32, "life of a ticket, seconds")
SESSION_TICKET = Field("tls.handshake.session_ticket", BYTES, "ticket handed out")
SESSION_TICKET_AGE_ADD = Field("tls.handshake.session_ticket_age_add", UINT32, "obfuscates the age of a ticket")
SESSION_TICKET_NONCE = Field("tls.handshake.session_ticket_nonce", BYTES, "nonce of a ticket")
OCSP_RESPONSE_LEN = Field("tls.handshake.ocsp_response_len", UINT24, "bytes of the OCSP response")
VERIFY_DATA = Field("tls.handshake.verify_data", BYTES, "what a Finished message confirms the handshake with")
KEY_UPDATE_REQUEST_UPDATE = Field(
    "tls.handshake.key_update.request_update",
    UINT8,
    "whether the other side is asked to update its key too",
    values=KEY_UPDATE_REQUESTS,
)
P = Field("tls.handshake.p", BYTES, "Diffie-Hellman prime")
G = Field("tls.handshake.g", BYTES, "Diffie-Hellman generator")
YS = Field("tls.handshake.ys", BYTES, "the server's Diffie-Hellman value")
SERVER_POINT = Field("tls.handshake.server_point", BYTES, "the server's elliptic curve point")
MODULUS = Field("tls.handshake.modulus", BYTES, "modulus of a temporary RSA key")
EXPONENT = Field("tls.handshake.exponent", BYTES, "exponent of a temporary RSA key")
SRP_N = Field("iamt.tls.srp.n", BYTES, "SRP prime")
SRP_G = Field("iamt.tls.srp.g", BYTES, "SRP generator")
SRP_S = Field("iamt.tls.srp.s", BYTES, "SRP salt")
SRP_B = Field("iamt.tls.srp.b", BYTES, "SRP value of the server")
YC = Field("tls.handshake.yc", BYTES, "the client's Diffie-Hellman value")
CLIENT_POINT = Field("tls.handshake.client_point", BYTES, "the client's elliptic curve point")
SRP_A = Field("iamt.tls.srp.a", BYTES, "SRP value of the client")
CHALLENGE = Field("tls.handshake.challenge", BYTES, "challenge of a hello framed as SSL 2.0")
CIPHERSPEC = Field(
    "tls.handshake.cipherspec", UINT24, "cipher kinds of a hello framed as SSL 2.0", values=SSL2_CIPHERS, repeated=True
)
ALERT_LEVEL = Field("tls.alert_message.level", UINT8, "level of the alert", values=ALERT_LEVELS)
ALERT_DESC = Field("tls.alert_message.desc", UINT8, "alert description", values=ALERTS)
HEARTBEAT_TYPE = Field("tls.heartbeat_message.type", UINT8, "type of the heartbeat", values=HEARTBEAT_TYPES)
HEARTBEAT_PAYLOAD_LENGTH = Field(
    "tls.heartbeat_message.payload_length", UINT16, "payload a heartbeat claims to carry, bytes"
)
