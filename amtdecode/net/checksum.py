"""The Internet checksum (RFC 1071), summed by zlib instead of a loop."""

from __future__ import annotations

from zlib import adler32

PIECE = 256  # bytes that together stay below 65521, the modulus of Adler-32


def word_sum(data: bytes) -> int:
    """The sum of the 16-bit big-endian words of `data`, carries not folded; an odd last byte is padded with zero.

    The low half of an Adler-32 that starts from 0 is the plain sum of the bytes, as long as it stays below its modulus.
    """
    high, low = data[::2], data[1::2]
    if len(high) <= PIECE:
        return ((adler32(high, 0) & 0xFFFF) << 8) + (adler32(low, 0) & 0xFFFF)
    total = ((adler32(high[:PIECE], 0) & 0xFFFF) << 8) + (adler32(low[:PIECE], 0) & 0xFFFF)
    for at in range(PIECE, len(high), PIECE):
        total += (adler32(high[at : at + PIECE], 0) & 0xFFFF) << 8
        total += adler32(low[at : at + PIECE], 0) & 0xFFFF
    return total


def tcp_checksum(addressed: bytes, addresses: int) -> str:
    """Judge the checksum of a whole TCP segment that follows its packet's addresses, which take `addresses` bytes.

    Returns "good", "bad", or "offload": the sum of the pseudo header alone (RFC 9293 §3.1), which a sender's stack
    leaves for the network card to complete.
    """
    pseudo = 6 + len(addressed) - addresses  # protocol and length
    if (word_sum(addressed) + pseudo) % 0xFFFF == 0:
        return "good"
    field = int.from_bytes(addressed[addresses + 16 : addresses + 18], "big")
    return "offload" if field % 0xFFFF == (word_sum(addressed[:addresses]) + pseudo) % 0xFFFF else "bad"
