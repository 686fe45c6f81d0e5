"""The Internet checksum (RFC 1071), by one division of a big integer instead of a loop."""

from __future__ import annotations

FOLD = 64  # bytes; shorter ones are divided at once


def internet_sum(data: bytes) -> int:
    """The ones' complement sum of 16-bit big-endian words, 0 to 0xFFFE (0xFFFF counts as 0)."""
    if len(data) & 1:
        data += b"\0"
    return int.from_bytes(data, "big") % 0xFFFF


def tcp_checksum(addressed: bytes, addresses: int) -> str:
    """Judge the checksum of a whole TCP segment that follows its packet's addresses, which take `addresses` bytes.

    Returns "good", "bad", or "offload": the sum of the pseudo header alone (RFC 9293 §3.1), which a sender's stack
    leaves for the network card to complete.
    """
    size = len(addressed)
    total = int.from_bytes(addressed, "big")
    if size & 1:
        total <<= 8
    while size > FOLD:  # 2**16 leaves 1 when divided by 0xFFFF: halves can be added, which is faster than dividing
        size = size // 4 * 2 + 2
        total = (total >> 8 * size) + (total & (1 << 8 * size) - 1)
    pseudo = 6 + len(addressed) - addresses  # protocol and length
    if (total + pseudo) % 0xFFFF == 0:
        return "good"
    field = int.from_bytes(addressed[addresses + 16 : addresses + 18], "big")
    return "offload" if field % 0xFFFF == (internet_sum(addressed[:addresses]) + pseudo) % 0xFFFF else "bad"
