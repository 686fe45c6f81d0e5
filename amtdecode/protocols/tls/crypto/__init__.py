"""TLS key derivation and record protection, SSL 3.0 to TLS 1.3. Nothing here raises on captured bytes.

ciphers = open_ciphers(version, suite, master, client_random, server_random, encrypt_then_mac=False)
client, server = ciphers                    # RecordCipher each; `None` for a suite not supported
client.open(content_type, record_version, fragment)      # (content type, plaintext), or `None`: it does not open

prf.py         pseudo-random functions            transcript.py  running hash of handshake messages
schedule.py    master secrets, TLS 1.3 secrets, Finished, PSK binders
records.py     record protection to TLS 1.2       records13.py   of TLS 1.3
resume.py      finding back after records were lost
hashes.py      running hashes
primitives.py  ciphers and hashes themselves; loads cryptography, and is imported when first needed
"""

from __future__ import annotations

from amtdecode.protocols.tls.crypto.records import RecordCipher, open_ciphers, supported
from amtdecode.protocols.tls.crypto.records13 import Tls13Cipher
from amtdecode.protocols.tls.crypto.resume import ResumedCipher
from amtdecode.protocols.tls.crypto.schedule import (
    ApplicationSecrets,
    HandshakeSecrets,
    application_secrets,
    early_traffic_secret,
    extended_master_secret,
    finished_verify_data,
    handshake_secrets,
    master_secret,
    psk_binder,
    psk_premaster,
    suite_hash,
)
from amtdecode.protocols.tls.crypto.transcript import Transcript

__all__ = [
    "ApplicationSecrets",
    "HandshakeSecrets",
    "RecordCipher",
    "ResumedCipher",
    "Tls13Cipher",
    "Transcript",
    "application_secrets",
    "early_traffic_secret",
    "extended_master_secret",
    "finished_verify_data",
    "handshake_secrets",
    "master_secret",
    "open_ciphers",
    "psk_binder",
    "psk_premaster",
    "suite_hash",
    "supported",
]
