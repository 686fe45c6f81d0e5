"""The secrets that opened something, as lines of a key log: what PSKs and private keys came to in each connection.

With these lines Wireshark opens the same connections without the keys themselves. Format: draft-ietf-tls-keylogfile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

MAX_FOUND: Final = 1 << 18  # secrets; further ones are counted


class Found:
    """Each secret once, in the order in which it opened its first record."""

    def __init__(self) -> None:
        self._secrets: dict[tuple[str, bytes], bytes] = {}
        self.left_out = 0
        """Secrets beyond `MAX_FOUND`."""

    def __len__(self) -> int:
        return len(self._secrets)

    def add(self, label: str, client_random: bytes, secret: bytes) -> None:
        """A secret that was proven right."""
        key = label, client_random
        if key not in self._secrets and len(self._secrets) >= MAX_FOUND:
            self.left_out += 1
            return
        self._secrets[key] = secret

    def lines(self, randoms: Container[bytes] | None = None) -> list[bytes]:
        """The lines, without line ends; of these client randoms alone, where they are given."""
        return [
            f"{label} {random.hex()} {secret.hex()}".encode()
            for (label, random), secret in self._secrets.items()
            if randoms is None or random in randoms
        ]
