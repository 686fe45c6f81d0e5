"""Content types, handshake types and the code points inside handshake messages: data.

Source: IANA, "TLS ContentType", "TLS HandshakeType", "TLS ClientCertificateType Identifiers", "TLS Compression Method
Identifiers"; message names as the RFCs write them (RFC 5246, 8446, 4680, 5077, 6066, 8879; SSL 2.0: Hickman 1995).
"""

from __future__ import annotations

from typing import Final

CHANGE_CIPHER_SPEC: Final = 20
ALERT: Final = 21
HANDSHAKE: Final = 22
APPLICATION_DATA: Final = 23
HEARTBEAT: Final = 24

CONTENT_TYPES: dict[int, str] = {
    20: "change_cipher_spec",
    21: "alert",
    22: "handshake",
    23: "application_data",
    24: "heartbeat",
    25: "tls12_cid",
    26: "ACK",
}

HANDSHAKE_TYPES: dict[int, str] = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    3: "HelloVerifyRequest",
    4: "NewSessionTicket",
    5: "EndOfEarlyData",
    6: "HelloRetryRequest",  # drafts of TLS 1.3 as a message; the RFC has it as a ServerHello
    8: "EncryptedExtensions",
    9: "RequestConnectionId",
    10: "NewConnectionId",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    17: "ClientCertificateRequest",
    20: "Finished",
    21: "CertificateURL",
    22: "CertificateStatus",
    23: "SupplementalData",
    24: "KeyUpdate",
    25: "CompressedCertificate",
    26: "EktKey",
    67: "NextProtocol",
    254: "MessageHash",
}

SSL2_MESSAGES: dict[int, str] = {
    0: "ERROR",
    1: "CLIENT-HELLO",
    2: "CLIENT-MASTER-KEY",
    3: "CLIENT-FINISHED",
    4: "SERVER-HELLO",
    5: "SERVER-VERIFY",
    6: "SERVER-FINISHED",
    7: "REQUEST-CERTIFICATE",
    8: "CLIENT-CERTIFICATE",
}

CLIENT_CERTIFICATE_TYPES: dict[int, str] = {
    1: "rsa_sign",
    2: "dss_sign",
    3: "rsa_fixed_dh",
    4: "dss_fixed_dh",
    5: "rsa_ephemeral_dh",  # SSL 3.0
    6: "dss_ephemeral_dh",  # SSL 3.0
    20: "fortezza_dms",  # SSL 3.0
    64: "ecdsa_sign",
    65: "rsa_fixed_ecdh",
    66: "ecdsa_fixed_ecdh",
    67: "gost_sign256",
    68: "gost_sign512",
}

COMPRESSIONS: dict[int, str] = {0: "null", 1: "DEFLATE", 64: "LZS"}  # RFC 3749, 3943
