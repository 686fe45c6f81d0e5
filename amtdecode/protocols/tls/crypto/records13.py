"""Record protection of TLS 1.3 (RFC 8446, section 5.2), and of its drafts as far as captures show them."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from amtdecode.protocols.tls.crypto.prf import DIGEST_SIZES, hkdf_expand_label
from amtdecode.protocols.tls.crypto.records import TAG_SIZES, RecordCipher, supported
from amtdecode.protocols.tls.registry.parameters import suite_parameters

if TYPE_CHECKING:
    from amtdecode.protocols.tls.crypto.primitives import Aead

_HEADER: Final = Struct(">BHH")  # the record header is the associated data
_DRAFT_WITH_HEADER: Final = 0x7F19  # draft 25 began to authenticate the record header
_NONCE_SIZE: Final = 12


class Tls13Cipher(RecordCipher):
    """Opens the records of one direction under one traffic secret (handshake, early or application).

    `version` is 0x0304, or that of a draft (0x7F00 and its number). A suite that is not supported opens nothing.
    """

    __slots__ = ("_aead", "_cipher", "_header", "_invalid", "_key_size", "_least", "_mask", "_mode", "_name", "_secret")

    def __init__(self, suite: int, secret: bytes, version: int = 0x0304) -> None:
        super().__init__()
        parameters = suite_parameters(suite)
        self._aead: Aead | None = None
        self._header = not 0x7F00 <= version < _DRAFT_WITH_HEADER
        self._secret = secret
        if parameters is None or not parameters.tls13 or not supported(suite):
            return
        self._name, self._key_size = parameters.prf, parameters.key_size
        self._cipher, self._mode = parameters.cipher, parameters.mode
        self._least = TAG_SIZES[parameters.mode] + 1  # at least the inner content type
        self._start()

    def _start(self) -> None:
        from amtdecode.protocols.tls.crypto import primitives

        key = hkdf_expand_label(self._name, self._secret, b"key", b"", self._key_size)
        vector = hkdf_expand_label(self._name, self._secret, b"iv", b"", _NONCE_SIZE)
        self._aead = primitives.aead(self._cipher, self._mode, key)
        self._invalid = primitives.InvalidTag
        self._mask = int.from_bytes(vector, "big")
        self.sequence = 0

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:
        """Give the inner content type and the content without its padding."""
        if self._aead is None or len(fragment) < self._least:
            return None
        header = _HEADER.pack(content_type, record_version, len(fragment)) if self._header else b""
        try:
            inner = self._aead.decrypt((self._mask ^ self.sequence).to_bytes(_NONCE_SIZE, "big"), fragment, header)
        except self._invalid:
            return None
        if inner[-1] == 0:
            inner = inner.rstrip(b"\0")  # padding
            if not inner:
                return None
        self.sequence += 1
        return inner[-1], inner[:-1]

    def update(self) -> None:
        """Go on to the next traffic secret of this direction: after a KeyUpdate it sent (RFC 8446, section 7.2)."""
        if self._aead is not None:
            self._secret = hkdf_expand_label(self._name, self._secret, b"traffic upd", b"", DIGEST_SIZES[self._name])
            self._start()
