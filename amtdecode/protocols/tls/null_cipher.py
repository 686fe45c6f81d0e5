"""Records of the suites that encrypt nothing (RFC 5246, section 6.2.3.1): their content is followed by a MAC."""

from __future__ import annotations


class NullCipher:
    """Gives the content of each record. Without the key its MAC is not verified."""

    __slots__ = ("_mac_size",)

    chained = False

    def __init__(self, mac_size: int) -> None:
        self._mac_size = mac_size

    def open(self, content_type: int, record_version: int, fragment: bytes) -> tuple[int, bytes] | None:  # noqa: ARG002
        """Give content type and content of a record; `None` when it is shorter than its MAC."""
        size = len(fragment) - self._mac_size
        return (content_type, fragment[:size]) if size >= 0 else None
