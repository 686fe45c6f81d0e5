"""A TLS 1.0 to 1.2 connection with a pre-shared key, made from code: both sides' real records, from a seed.

What Intel AMT 2.x to 10.x does on port 16993 in PSK provisioning: AMT is the server, TLS_PSK_WITH_AES_128_CBC_SHA.
The keys are derived and the records sealed as the standards say, so that any reader that knows the PSK opens them.

Sources: RFC 2246, 4346, 5246 (records, PRF, key block, MAC, CBC), RFC 4279 (PSK key exchange and premaster secret).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from pcaps.build import TO_CLIENT, TO_SERVER

if TYPE_CHECKING:
    import random

TLS10, TLS11, TLS12 = 0x0301, 0x0302, 0x0303
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
PSK_AES128_CBC_SHA = 0x008C
OFFERED = (PSK_AES128_CBC_SHA, 0x008D, 0x008B, 0x008A, 0x00FF)
MAC_SIZE, KEY_SIZE, BLOCK = 20, 16, 16


def p_hash(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash of RFC 5246 section 5."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:size]


def prf(version: int, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """The pseudo-random function: SHA-256 in TLS 1.2, MD5 and SHA-1 over the halves of the secret before."""
    if version >= TLS12:
        return p_hash("sha256", secret, label + seed, size)
    half = (len(secret) + 1) // 2
    md5 = int.from_bytes(p_hash("md5", secret[:half], label + seed, size), "big")
    sha1 = int.from_bytes(p_hash("sha1", secret[-half:], label + seed, size), "big")
    return (md5 ^ sha1).to_bytes(size, "big")


def message(kind: int, body: bytes) -> bytes:
    """A handshake message: type, 24-bit length, body."""
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


class _Side:
    """What seals the records of one direction."""

    def __init__(self, mac_key: bytes, key: bytes, iv: bytes) -> None:
        self.mac = hmac.new(mac_key, digestmod="sha1")
        self.key = key
        self.iv = iv
        self.encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        self.sequence = 0


class PskConnection:
    """The records of one connection, in the order they are asked for. `rng` gives every random byte."""

    def __init__(
        self,
        rng: random.Random,
        identity: bytes,
        psk: bytes,
        *,
        version: int = TLS10,
        hint: bytes | None = None,
        session_id: bool = True,
    ) -> None:
        self.rng, self.identity, self.psk, self.version, self.hint = rng, identity, psk, version, hint
        self.client_random, self.server_random = rng.randbytes(32), rng.randbytes(32)
        self.session_id = rng.randbytes(32) if session_id else b""
        self.master = b""
        self._messages = b""
        self._sides: list[_Side] = []

    def _record(self, kind: int, body: bytes, version: int | None = None) -> bytes:
        return struct.pack(">BHH", kind, version or self.version, len(body)) + body

    def _handshake(self, *messages: bytes) -> bytes:
        self._messages += b"".join(messages)
        return b"".join(self._record(HANDSHAKE, body) for body in messages)

    def client_hello(self) -> bytes:
        """ClientHello without extensions, as stacks of 2007 send it."""
        suites = struct.pack(f">{len(OFFERED)}H", *OFFERED)
        body = struct.pack(">H", self.version) + self.client_random + b"\0"
        return self._handshake(message(1, body + struct.pack(">H", len(suites)) + suites + b"\x01\0"))

    def server_flight(self) -> bytes:
        """ServerHello, ServerKeyExchange where there is an identity hint, ServerHelloDone."""
        body = struct.pack(">H", self.version) + self.server_random + bytes([len(self.session_id)]) + self.session_id
        messages = [message(2, body + struct.pack(">HB", PSK_AES128_CBC_SHA, 0))]
        if self.hint is not None:
            messages.append(message(12, struct.pack(">H", len(self.hint)) + self.hint))
        return self._handshake(*messages, message(14, b""))

    def client_flight(self) -> bytes:
        """ClientKeyExchange with the identity, ChangeCipherSpec, Finished."""
        out = self._handshake(message(16, struct.pack(">H", len(self.identity)) + self.identity))
        self._derive()
        return out + self._record(CHANGE_CIPHER_SPEC, b"\x01") + self._finished(TO_SERVER, b"client finished")

    def server_finish(self) -> bytes:
        """ChangeCipherSpec, Finished."""
        return self._record(CHANGE_CIPHER_SPEC, b"\x01") + self._finished(TO_CLIENT, b"server finished")

    def alert(self, level: int, description: int) -> bytes:
        """A clear alert."""
        return self._record(ALERT, bytes([level, description]))

    def _derive(self) -> None:
        size = struct.pack(">H", len(self.psk))
        premaster = size + bytes(len(self.psk)) + size + self.psk
        randoms = self.client_random + self.server_random
        self.master = prf(self.version, premaster, b"master secret", randoms, 48)
        block_size = 2 * (MAC_SIZE + KEY_SIZE + BLOCK)
        block = prf(self.version, self.master, b"key expansion", self.server_random + self.client_random, block_size)
        macs, keys, ivs = block[:40], block[40:72], block[72:]
        self._sides = [_Side(macs[:20], keys[:16], ivs[:16]), _Side(macs[20:], keys[16:], ivs[16:])]

    def _finished(self, direction: int, label: bytes) -> bytes:
        if self.version >= TLS12:
            digest = hashlib.sha256(self._messages).digest()
        else:
            digest = hashlib.md5(self._messages).digest() + hashlib.sha1(self._messages).digest()
        body = message(20, prf(self.version, self.master, label, digest, 12))
        self._messages += body
        return self.seal(direction, HANDSHAKE, body)

    def seal(self, direction: int, kind: int, data: bytes) -> bytes:
        """One record, MAC then encrypt; TLS 1.0 chains the CBC from record to record, later versions send the IV."""
        side = self._sides[direction]
        mac = side.mac.copy()
        mac.update(struct.pack(">QBHH", side.sequence, kind, self.version, len(data)) + data)
        side.sequence += 1
        plain = data + mac.digest()
        padding = BLOCK - len(plain) % BLOCK
        plain += bytes([padding - 1]) * padding
        if self.version == TLS10:
            return self._record(kind, side.encryptor.update(plain))
        iv = self.rng.randbytes(BLOCK)
        encryptor = Cipher(algorithms.AES(side.key), modes.CBC(iv)).encryptor()
        return self._record(kind, iv + encryptor.update(plain))

    def data(self, direction: int, data: bytes) -> bytes:
        """Application data, in as many records as it takes."""
        pieces = (data[start : start + 16384] for start in range(0, len(data), 16384))
        return b"".join(self.seal(direction, APPLICATION_DATA, piece) for piece in pieces)

    def close_notify(self, direction: int) -> bytes:
        """The encrypted alert that ends a direction."""
        return self.seal(direction, ALERT, b"\x01\0")

    def key_log(self) -> str:
        """The line of an NSS key log that opens this connection."""
        return f"CLIENT_RANDOM {self.client_random.hex()} {self.master.hex()}\n"
