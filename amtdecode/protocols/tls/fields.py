"""Fields that several events of TLS share; what one event alone has is declared on it.

Names and kinds are Wireshark's (epan/dissectors/packet-tls.c); names of values are those of IANA's registries.
"""

from __future__ import annotations

from amtdecode.fields import BOOLEAN, BYTES, STRING, UINT8, UINT16, UINT24, Field
from amtdecode.protocols.tls.registry import SUITE_NAMES
from amtdecode.protocols.tls.registry.groups import GROUPS
from amtdecode.protocols.tls.registry.messages import COMPRESSIONS, CONTENT_TYPES, HANDSHAKE_TYPES
from amtdecode.protocols.tls.registry.signatures import SIGNATURE_SCHEMES
from amtdecode.protocols.tls.registry.versions import VERSIONS

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
