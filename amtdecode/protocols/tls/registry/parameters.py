"""What a cipher suite stands for, read out of its registered name (the names are regular).

Sources: RFC 5246 appendix C, RFC 4279, 4785, 5288, 5289, 5487, 5489, 5932, 6367, 6655, 7251, 7905, 8446.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from amtdecode.protocols.tls.registry.suites import SUITES, UNREGISTERED_SUITES

_SIGNALLING = frozenset((0x0000, 0x00FF, 0x5600))  # nothing negotiated, RFC 5746, RFC 7507
_DRAFT_CHACHA20 = frozenset((0xCC13, 0xCC14, 0xCC15))  # another nonce than RFC 7905's

_NAME = re.compile(r"(?:TLS|SSL)_(?:(?P<key>.+)_WITH_)?(?P<cipher>.+?)(?:_(?P<hash>SHA\d*|MD5|SM3|GOSTR3411))?")

# cipher text of a name: cipher, mode, key size, block size (0: not a block cipher), sizes in bytes
_CIPHERS: dict[str, tuple[str, str, int, int]] = {
    "NULL": ("NULL", "", 0, 0),
    "RC4_128": ("RC4", "", 16, 0),
    "3DES_EDE_CBC": ("3DES", "CBC", 24, 8),
    "DES_CBC": ("DES", "CBC", 8, 8),
    "IDEA_CBC": ("IDEA", "CBC", 16, 8),
    "SEED_CBC": ("SEED", "CBC", 16, 16),
    "CHACHA20_POLY1305": ("CHACHA20", "POLY1305", 32, 0),
    "SM4_GCM": ("SM4", "GCM", 16, 0),
    "SM4_CCM": ("SM4", "CCM", 16, 0),
}
for _cipher in ("AES", "CAMELLIA", "ARIA"):
    for _bits in (128, 256):
        _CIPHERS[f"{_cipher}_{_bits}_CBC"] = (_cipher, "CBC", _bits // 8, 16)
        for _mode in ("GCM", "CCM", "CCM_8"):
            _CIPHERS[f"{_cipher}_{_bits}_{_mode}"] = (_cipher, _mode, _bits // 8, 0)

# key part of a name: key exchange, authentication of the server
_KEY_EXCHANGES: dict[str, tuple[str, str]] = {
    "RSA": ("RSA", "RSA"),
    "RSA_EXPORT": ("RSA_EXPORT", "RSA"),
    "RSA_EXPORT1024": ("RSA_EXPORT", "RSA"),
    "RSA_FIPS": ("RSA", "RSA"),
    "PSK": ("PSK", "PSK"),
    "DHE_PSK": ("DHE_PSK", "PSK"),
    "PSK_DHE": ("DHE_PSK", "PSK"),  # RFC 6655 turns the words round
    "RSA_PSK": ("RSA_PSK", "RSA"),
    "ECDHE_PSK": ("ECDHE_PSK", "PSK"),
    "DH_anon": ("DHE", "anonymous"),
    "DH_anon_EXPORT": ("DHE_EXPORT", "anonymous"),
    "ECDH_anon": ("ECDHE", "anonymous"),
    "SRP_SHA": ("SRP", "SRP"),
    "SRP_SHA_RSA": ("SRP", "RSA"),
    "SRP_SHA_DSS": ("SRP", "DSS"),
    "KRB5": ("KRB5", "KRB5"),
    "KRB5_EXPORT": ("KRB5_EXPORT", "KRB5"),
    "ECCPWD": ("ECCPWD", "ECCPWD"),
    "ECJPAKE": ("ECJPAKE", "ECJPAKE"),
    "GOSTR341112_256": ("GOST", "GOST"),
    "GOSTR341094": ("GOST", "GOST"),
    "GOSTR341001": ("GOST", "GOST"),
    "FORTEZZA_KEA": ("FORTEZZA", "KEA"),
}


class Suite(NamedTuple):
    """What a cipher suite stands for. Sizes in bytes."""

    code: int
    name: str
    key_exchange: str
    """RSA, PSK, DHE_PSK, RSA_PSK, ECDHE_PSK, DHE, ECDHE, DH, ECDH, SRP, KRB5, …; empty for TLS 1.3 suites."""
    authentication: str
    """RSA, ECDSA, DSS, PSK, anonymous, …: what proves the server; empty for TLS 1.3 suites."""
    cipher: str
    """AES, 3DES, RC4, CAMELLIA, CHACHA20, NULL, …: the cipher text of the name where it is none that can be opened."""
    mode: str
    """CBC, GCM, CCM, CCM_8, POLY1305; empty for RC4 and NULL."""
    key_size: int
    block_size: int
    """Of a CBC cipher, which is also the size of its initialisation vector; otherwise 0."""
    mac: str
    """hashlib's name of the HMAC hash (md5, sha1, sha256, sha384); empty for AEAD modes."""
    mac_size: int
    prf: str
    """hashlib's name of the hash of the TLS 1.2 PRF, or of the TLS 1.3 key schedule."""
    tls13: bool
    """Whether it is a suite of TLS 1.3, which say nothing of key exchange."""

    @property
    def aead(self) -> bool:
        """Whether one algorithm both encrypts and authenticates."""
        return self.mode in {"GCM", "CCM", "CCM_8", "POLY1305"}

    @property
    def uses_psk(self) -> bool:
        """Whether a pre-shared key enters the premaster secret."""
        return self.key_exchange.endswith("PSK")

    @property
    def uses_rsa_premaster(self) -> bool:
        """Whether the client sends a secret encrypted with the server's RSA key, which that key opens."""
        return self.key_exchange in {"RSA", "RSA_PSK"}


_HASHES = {"MD5": ("md5", 16), "SHA": ("sha1", 20), "SHA256": ("sha256", 32), "SHA384": ("sha384", 48)}


def _parse(code: int) -> Suite | None:
    name = SUITES.get(code) or UNREGISTERED_SUITES.get(code)
    match = _NAME.fullmatch(name) if name and code not in _SIGNALLING else None
    if name is None or match is None:
        return None
    key, digest = match["key"], match["hash"] or ""
    cipher, mode, key_size, block_size = _CIPHERS.get(match["cipher"], (match["cipher"], "", 0, 0))
    if code in _DRAFT_CHACHA20:
        cipher, mode, key_size = "CHACHA20 (draft)", "", 0
    aead = mode in {"GCM", "CCM", "CCM_8", "POLY1305"}
    mac, mac_size = ("", 0) if aead else _HASHES.get(digest, ("", 0))
    prf = (
        "sha384" if digest == "SHA384" else "sha256"
    )  # RFC 5246, section 5: the PRF is SHA-256 unless a suite says more
    if key is None:
        exchange, authentication = "", ""
    elif key in _KEY_EXCHANGES:
        exchange, authentication = _KEY_EXCHANGES[key]
    else:  # DHE_RSA, ECDH_ECDSA, DHE_DSS_EXPORT, …
        exchange, _, authentication = key.partition("_")
        authentication, _, export = authentication.partition("_")
        if export:
            exchange += "_EXPORT"
    return Suite(
        code, name, exchange, authentication, cipher, mode, key_size, block_size, mac, mac_size, prf, tls13=key is None
    )


_parsed = cache(_parse)  # of registered codes only


def suite_parameters(code: int) -> Suite | None:
    """Say what the suite stands for; `None` when it is unknown or a signalling value."""
    return _parsed(code) if code in SUITES or code in UNREGISTERED_SUITES else None
