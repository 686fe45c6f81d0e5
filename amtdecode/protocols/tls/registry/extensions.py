"""Hello extension types by code, and the small code points inside extensions: data.

Source: IANA, "TLS ExtensionType Values"; each number's document is named where it is not RFC 6066, 8446 or obvious.
"""

from __future__ import annotations

EXTENSIONS: dict[int, str] = {
    0: "server_name",
    1: "max_fragment_length",
    2: "client_certificate_url",
    3: "trusted_ca_keys",
    4: "truncated_hmac",
    5: "status_request",
    6: "user_mapping",  # RFC 4681
    7: "client_authz",  # RFC 5878
    8: "server_authz",
    9: "cert_type",  # RFC 6091
    10: "supported_groups",  # RFC 8422, 7919; "elliptic_curves" before
    11: "ec_point_formats",
    12: "srp",  # RFC 5054
    13: "signature_algorithms",
    14: "use_srtp",  # RFC 5764
    15: "heartbeat",  # RFC 6520
    16: "application_layer_protocol_negotiation",  # RFC 7301
    17: "status_request_v2",  # RFC 6961
    18: "signed_certificate_timestamp",  # RFC 6962
    19: "client_certificate_type",  # RFC 7250
    20: "server_certificate_type",
    21: "padding",  # RFC 7685
    22: "encrypt_then_mac",  # RFC 7366
    23: "extended_master_secret",  # RFC 7627
    24: "token_binding",  # RFC 8472
    25: "cached_info",  # RFC 7924
    26: "tls_lts",  # draft-gutmann-tls-lts
    27: "compress_certificate",  # RFC 8879
    28: "record_size_limit",  # RFC 8449
    29: "pwd_protect",  # RFC 8492
    30: "pwd_clear",
    31: "password_salt",
    32: "ticket_pinning",  # RFC 8672
    33: "tls_cert_with_extern_psk",  # RFC 8773
    34: "delegated_credential",  # RFC 9345
    35: "session_ticket",  # RFC 5077; "SessionTicket TLS" before
    36: "TLMSP",
    37: "TLMSP_proxying",
    38: "TLMSP_delegate",
    39: "supported_ekt_ciphers",  # RFC 8870
    41: "pre_shared_key",
    42: "early_data",
    43: "supported_versions",
    44: "cookie",
    45: "psk_key_exchange_modes",
    47: "certificate_authorities",
    48: "oid_filters",
    49: "post_handshake_auth",
    50: "signature_algorithms_cert",
    51: "key_share",
    52: "transparency_info",  # RFC 9162
    53: "connection_id (deprecated)",
    54: "connection_id",  # RFC 9146
    55: "external_id_hash",  # RFC 8844
    56: "external_session_id",
    57: "quic_transport_parameters",  # RFC 9001
    58: "ticket_request",  # RFC 9149
    59: "dnssec_chain",  # RFC 9102
    60: "sequence_number_encryption_algorithms",
    61: "rrc",
    62: "tls_flags",
    13172: "next_protocol_negotiation",  # draft-agl-tls-nextprotoneg
    17513: "application_settings",
    17613: "application_settings",
    30031: "channel_id_old",
    30032: "channel_id",
    64768: "ech_outer_extensions",
    65037: "encrypted_client_hello",
    65281: "renegotiation_info",  # RFC 5746
    65486: "encrypted_server_name",
}

MAX_FRAGMENT_LENGTHS: dict[int, int] = {1: 512, 2: 1024, 3: 2048, 4: 4096}  # RFC 6066, section 4; bytes

SERVER_NAME_TYPES: dict[int, str] = {0: "host_name"}  # RFC 6066, section 3

STATUS_TYPES: dict[int, str] = {1: "ocsp", 2: "ocsp_multi"}  # RFC 6066, section 8; RFC 6961

PSK_KEY_EXCHANGE_MODES: dict[int, str] = {0: "psk_ke", 1: "psk_dhe_ke"}  # RFC 8446, section 4.2.9

CERTIFICATE_TYPES: dict[int, str] = {0: "X.509", 1: "OpenPGP", 2: "RawPublicKey", 3: "1609Dot2"}  # RFC 7250, 8902

HEARTBEAT_MODES: dict[int, str] = {1: "peer_allowed_to_send", 2: "peer_not_allowed_to_send"}  # RFC 6520

CERTIFICATE_COMPRESSIONS: dict[int, str] = {1: "zlib", 2: "brotli", 3: "zstd"}  # RFC 8879
