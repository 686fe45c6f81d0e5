"""Writes pcapng: packets as they were captured, and the secrets that open them.

Layout: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng; little-endian, nanosecond stamps.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from amtdecode.capture.pcapng import (
    DECRYPTION_SECRETS,
    ENHANCED_PACKET,
    IF_TSRESOL,
    INTERFACE,
    OPT_COMMENT,
    SECTION_HEADER,
    SECTION_MAGIC,
    TLS_KEY_LOG,
)

if TYPE_CHECKING:
    from amtdecode.capture.packets import Interface, RawPacket

NANOSECONDS = 9  # the time stamp resolution, as a power of ten


class PcapngWriter:
    """One section; interfaces are described as packets of them come."""

    def __init__(self, file: BinaryIO, comment: str = "") -> None:
        self._file = file
        self._interfaces: dict[tuple[int, int], int] = {}
        options = _option(OPT_COMMENT, comment.encode()) + bytes(4) if comment else b""
        self._block(SECTION_HEADER, struct.pack("<IHHq", SECTION_MAGIC, 1, 0, -1) + options)

    def secrets(self, keylog: bytes) -> None:
        """An NSS key log; it opens the packets written after it."""
        self._block(DECRYPTION_SECRETS, struct.pack("<II", TLS_KEY_LOG, len(keylog)) + keylog)

    def packet(self, packet: RawPacket) -> None:
        """A packet, with its captured and original length; one without time gets that of 1970."""
        _, buffer, start, captured, original, high, low, interface = packet
        number = self._interface(interface)
        time = interface.time_ns(high, low) or 0
        head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, captured, original)
        self._block(ENHANCED_PACKET, head + buffer[start : start + captured])

    def _interface(self, interface: Interface) -> int:
        key = (interface.link_type, interface.snap_length)
        number = self._interfaces.get(key)
        if number is None:
            number = self._interfaces[key] = len(self._interfaces)
            options = _option(IF_TSRESOL, bytes([NANOSECONDS])) + bytes(4)
            self._block(INTERFACE, struct.pack("<HHI", interface.link_type, 0, interface.snap_length) + options)
        return number

    def _block(self, kind: int, body: bytes) -> None:
        body += bytes(-len(body) % 4)
        total = struct.pack("<I", len(body) + 12)
        self._file.write(struct.pack("<I", kind) + total + body + total)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
