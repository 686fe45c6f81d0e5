"""The other side of record protection, for the tests: seals records with the library's primitives and hmac alone."""

from __future__ import annotations

import hashlib
import hmac
import struct

from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from amtdecode.protocols.tls.crypto.schedule import key_block
from amtdecode.protocols.tls.registry import suite_parameters

BLOCK_CIPHERS = {
    "AES": algorithms.AES,
    "3DES": decrepit.TripleDES,
    "DES": lambda key: decrepit.TripleDES(key * 3),
    "IDEA": decrepit.IDEA,
    "SEED": decrepit.SEED,
    "CAMELLIA": getattr(decrepit, "Camellia", None) or algorithms.Camellia,  # moved in version 46
}


def keys_of(version, suite, master, client_random, server_random, side):
    """MAC key, key and vector of one side, cut as RFC 5246, section 6.3 says."""
    p = suite_parameters(suite)
    vector = {"GCM": 4, "CCM": 4, "CCM_8": 4, "POLY1305": 12}.get(p.mode, p.block_size if version < 0x0302 else 0)
    block = key_block(version, suite, master, client_random, server_random, 500)
    fields = {}
    at = 0
    for name, size in (("mac", p.mac_size), ("key", p.key_size), ("iv", vector)):
        fields[name] = [block[at : at + size], block[at + size : at + 2 * size]][side]
        at += 2 * size
    return fields


def mac(version, name, key, sequence, kind, record_version, data, size):
    if version == 0x0300:
        pad = {"md5": 48, "sha1": 40}[name]
        header = struct.pack(">QBH", sequence, kind, len(data))
        inner = hashlib.new(name, key + b"6" * pad + header + data).digest()
        return hashlib.new(name, key + b"\\" * pad + inner).digest()[:size]
    header = struct.pack(">QBHH", sequence, kind, record_version, len(data))
    return hmac.new(key, header + data, name).digest()[:size]


class Sealer:
    """Seals the records of one direction."""

    def __init__(self, version, suite, master, client_random, server_random, side, *, etm=False, truncated=False):
        self.version, self.parameters = version, suite_parameters(suite)
        self.etm = etm
        self.keys = keys_of(version, suite, master, client_random, server_random, side)
        self.mac_size = 10 if truncated else self.parameters.mac_size
        self.sequence = 0
        self.chain = self.keys["iv"]
        self.rc4 = None
        if self.parameters.cipher == "RC4":
            self.rc4 = Cipher(decrepit.ARC4(self.keys["key"]), mode=None).encryptor()

    def seal(self, kind, data, padding_blocks=0):
        p, record_version = self.parameters, self.version
        sequence, self.sequence = self.sequence, self.sequence + 1
        if p.aead:
            return self.seal_aead(sequence, kind, record_version, data)
        if not p.block_size:
            data += self.mac(sequence, kind, data)
            return self.rc4.update(data) if self.rc4 else data
        block = p.block_size
        if not self.etm:
            data += self.mac(sequence, kind, data)
        padding = block - 1 - len(data) % block + padding_blocks * block
        data += bytes([padding]) * (padding + 1)
        explicit = self.version >= 0x0302
        iv = hashlib.sha512(b"iv%d" % sequence).digest()[:block] if explicit else self.chain
        encryptor = Cipher(BLOCK_CIPHERS[p.cipher](self.keys["key"]), modes.CBC(iv)).encryptor()
        data = encryptor.update(data) + encryptor.finalize()
        self.chain = data[-block:]
        if explicit:
            data = iv + data
        if self.etm:
            data += self.mac(sequence, kind, data)
        return data

    def mac(self, sequence, kind, data):
        name = self.parameters.mac
        return mac(self.version, name, self.keys["mac"], sequence, kind, self.version, data, self.mac_size)

    def seal_aead(self, sequence, kind, record_version, data):
        p, key, iv = self.parameters, self.keys["key"], self.keys["iv"]
        associated = struct.pack(">QBHH", sequence, kind, record_version, len(data))
        if p.cipher == "CHACHA20":
            nonce = bytes(a ^ b for a, b in zip(iv, sequence.to_bytes(12, "big"), strict=True))
            return ChaCha20Poly1305(key).encrypt(nonce, data, associated)
        explicit = (sequence + 7).to_bytes(8, "big")  # any number does, it need not be the sequence number
        cipher = AESGCM(key) if p.mode == "GCM" else AESCCM(key, tag_length=8 if p.mode == "CCM_8" else 16)
        return explicit + cipher.encrypt(iv + explicit, data, associated)


def seal13(suite, key, iv, sequence, kind, data, padding=0):
    """One TLS 1.3 record's fragment."""
    p = suite_parameters(suite)
    inner = data + bytes([kind]) + bytes(padding)
    tag = 8 if p.mode == "CCM_8" else 16
    nonce = bytes(a ^ b for a, b in zip(iv, sequence.to_bytes(12, "big"), strict=True))
    associated = struct.pack(">BHH", 23, 0x0303, len(inner) + tag)
    if p.cipher == "CHACHA20":
        cipher = ChaCha20Poly1305(key)
    else:
        cipher = AESGCM(key) if p.mode == "GCM" else AESCCM(key, tag_length=tag)
    return cipher.encrypt(nonce, inner, associated)
