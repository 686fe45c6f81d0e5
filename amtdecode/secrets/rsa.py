"""Private RSA keys: PEM, DER (PKCS #1, PKCS #8) and PFX (PKCS #12), and what they open."""

from __future__ import annotations

import os
import re
import warnings
from binascii import a2b_base64
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from amtdecode.errors import KeyFileError
from amtdecode.secrets.files import read_key_file
from amtdecode.secrets.rounds import MAX_ROUNDS, wants_too_much

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    Loader = Callable[[bytes, bytes | None], object]

PREMASTER_SIZE: Final = 48  # RFC 5246, section 7.4.7.1
_PEM_KEY: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_FILE_PREFIX: Final = "file:"


class RsaKey:
    """A private RSA key."""

    def __init__(self, key: RSAPrivateKey, name: str) -> None:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        self._key = key
        self._padding = PKCS1v15()
        self._size = (key.key_size + 7) // 8
        modulus = key.public_key().public_numbers().n
        self._modulus = modulus.to_bytes(self._size, "big")
        self.name = name
        """The file it came from."""

    def __repr__(self) -> str:
        return f"RsaKey({self.name!r}, {self._key.key_size} bits)"

    def __reduce__(self) -> tuple[Callable[[bytes, str], RsaKey], tuple[bytes, str]]:
        """For the other processes of one reading: in clear, as it is in memory."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return _unpacked, (self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), self.name)

    @property
    def modulus(self) -> bytes:
        """Of its public half, big-endian."""
        return self._modulus

    def fits(self, certificate: bytes) -> bool:
        """Whether it belongs to a certificate (DER): its modulus stands in there, however odd the rest may be."""
        return self._modulus in certificate

    def decrypt_pms(self, encrypted: bytes) -> bytes | None:
        """Open the encrypted premaster secret of a ClientKeyExchange (without its length): 48 bytes, or `None`.

        PKCS #1 v1.5. What was encrypted for another key gives `None` mostly, but OpenSSL answers wrong padding with
        made-up bytes, which now and then have the right length: a Finished message or a record that opens is proof.
        """
        try:
            premaster = self._key.decrypt(encrypted.rjust(self._size, b"\0"), self._padding)
        except ValueError:
            return None
        return premaster if len(premaster) == PREMASTER_SIZE else None


def _unpacked(key: bytes, name: str) -> RsaKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    loaded = load_der_private_key(key, None, unsafe_skip_rsa_key_validation=True)  # it was loaded before
    assert isinstance(loaded, RSAPrivateKey)  # noqa: S101 - for the type checker
    return RsaKey(loaded, name)


def load_rsa_keys(option: str) -> list[RsaKey]:
    """Load the keys of `FILE` or `FILE:password`; `FILE:file:PATH` takes the password from a file.

    `KeyFileError` when the file cannot be read, holds no RSA key, or the password does not open it.
    """
    path, password = _split(option)
    data = read_key_file(path, "RSA key")
    name = f"RSA key {path}"
    blocks = [match[0] for match in _PEM_KEY.finditer(data)]
    if not blocks and b"-----BEGIN" in data:
        raise KeyFileError(f"{name}: the file has no private key in it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of keys too short and encodings too odd for today: they are what it is about
        loaded = [_load_pem(block, password, name) for block in blocks] or [_load_binary(data, password, name)]
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    keys = [RsaKey(key, path) for key in loaded if isinstance(key, RSAPrivateKey)]
    if not keys:
        raise KeyFileError(f"{name}: not an RSA key; other keys only sign, and open no traffic")
    return keys


def files_of(option: str) -> list[str]:
    """The files that `FILE` or `FILE:password` names: that of the key, and that of its password."""
    path, password = _parted(option)
    return [path, *([password.removeprefix(_FILE_PREFIX)] if password and password.startswith(_FILE_PREFIX) else [])]


def _split(option: str) -> tuple[str, bytes | None]:
    """The file of a key, and the password that opens it."""
    path, password = _parted(option)
    if password is not None and password.startswith(_FILE_PREFIX):
        shown = f"{path}:{_FILE_PREFIX}… (a FILE that holds the password is wanted)"
        secret = read_key_file(password.removeprefix(_FILE_PREFIX), "RSA key", shown)
        return path, secret.rstrip(b"\r\n")
    return path, None if password is None else password.encode("utf-8", "surrogateescape")


def _parted(option: str) -> tuple[str, str | None]:
    """Part a file name from a password: both may have colons, so the shortest name that is a file wins."""
    if os.path.exists(option):
        return option, None
    parts = option.split(":")
    for count in range(1, len(parts)):
        path = ":".join(parts[:count])
        if os.path.exists(path):
            return path, ":".join(parts[count:])
    drive = len(parts[0]) == 1 and len(parts) > 1 and parts[1][:1] in ("\\", "/")
    return ":".join(parts[: 2 if drive else 1]), None  # no password in the error


def _load_pem(block: bytes, password: bytes | None, name: str) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    lines = [line for line in block.splitlines()[1:-1] if b":" not in line]
    with suppress(ValueError):  # what is no base64 is told by who reads it
        _refuse_much(a2b_base64(b"".join(lines)), name)
    return _load(load_pem_private_key, block, password, name)


def _load_binary(data: bytes, password: bytes | None, name: str) -> object:
    from cryptography.hazmat.primitives.serialization import load_der_private_key
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    _refuse_much(data, name)
    if _is_pfx(data):
        for attempt in (password,) if password else (None, b""):  # an empty password is not the same as none
            try:
                key = load_key_and_certificates(data, attempt)[0]
            except (ValueError, TypeError):
                continue
            except Exception:
                raise KeyFileError(f"{name}: a PFX file this machine's OpenSSL cannot read") from None
            if key is None:
                raise KeyFileError(f"{name}: the PFX file has no private key in it")
            return key
        problem = "the password does not open it" if password else "it needs its password: FILE:password"
        raise KeyFileError(f"{name}: a PFX file; {problem}")
    return _load(load_der_private_key, data, password, name)


def _refuse_much(data: bytes, name: str) -> None:
    """Raise `KeyFileError` for a file that would keep the processor busy for hours before it opens."""
    if wants_too_much(data):
        raise KeyFileError(f"{name}: it wants its password hashed more than {MAX_ROUNDS} times")


def _is_pfx(data: bytes) -> bool:
    """Whether it begins as PKCS #12 does: a sequence whose first member is the integer 3 (RFC 7292, section 4)."""
    if len(data) < 8 or data[0] != 0x30:
        return False
    at = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    return data[at : at + 3] == b"\x02\x01\x03"


def _load(loader: Loader, data: bytes, password: bytes | None, name: str) -> object:
    try:
        return loader(data, password)
    except TypeError:
        if password is None:
            raise KeyFileError(f"{name}: it needs its password: FILE:password") from None
        try:
            return loader(data, None)  # a password was given and none is needed
        except (ValueError, TypeError):
            raise KeyFileError(f"{name}: not a private key in PEM, DER or PFX") from None
    except ValueError:
        if password is not None:
            raise KeyFileError(f"{name}: the password does not open it, or it is no private key") from None
        raise KeyFileError(f"{name}: not a private key in PEM, DER or PFX") from None
    except Exception:  # UnsupportedAlgorithm, without loading cryptography to name it
        raise KeyFileError(f"{name}: a key or cipher of a kind that is not read here") from None
