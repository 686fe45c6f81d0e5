"""TLS key derivation and record protection, SSL 3.0 to TLS 1.3. Nothing here raises on captured bytes.

Signatures that dissectors rely on (modules: `prf`, `schedule`, `transcript`, `records`, `records13`):

    supported(version: int, suite: int) -> bool            # can its records be opened, given the secrets?
    psk_premaster(psk: bytes, other: bytes | None = None) -> bytes     # PSK; RSA_PSK, DHE_PSK with `other`
    master_secret(version, suite, premaster, client_random, server_random) -> bytes
    extended_master_secret(version, suite, premaster, session_hash: bytes) -> bytes
    open_ciphers(version, suite, master, client_random, server_random, *, encrypt_then_mac, truncated_hmac=False)
        -> tuple[RecordCipher, RecordCipher] | None        # client write, server write; None: suite not supported
    RecordCipher.open(content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None
    Tls13Cipher(suite: int, secret: bytes)  .open(content_type, record_version, fragment)  .update()
    finished_verify_data(version, suite, master, label: bytes, transcript: Transcript) -> bytes
        # TLS 1.3: `master` is the sender's handshake traffic secret; label b"client finished" | b"server finished"
    Transcript()  .add(message: bytes)  .digest(name: str) -> bytes  .session_hash(version, suite) -> bytes  .copy()
    psk_early_secret / psk_handshake_secrets … for TLS 1.3 with psk_ke
"""
