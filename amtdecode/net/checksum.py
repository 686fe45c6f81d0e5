"""The Internet checksum (RFC 1071), summed by zlib instead of a loop."""

from __future__ import annotations

from zlib import adler32

PIECE = 512  # bytes; half of them add up to less than 65521, the modulus of Adler-32


def word_sum(data: bytes) -> int:
    """The sum of the 16-bit big-endian words of `data`, carries not folded; an odd last byte is padded with zero.

    The low half of an Adler-32 that starts from 0 is the plain sum of the bytes, as long as it stays below its modulus.
    """
    if len(data) <= PIECE:
        return ((adler32(data[::2], 0) & 0xFFFF) << 8) + (adler32(data[1::2], 0) & 0xFFFF)
    return sum([word_sum(data[at : at + PIECE]) for at in range(0, len(data), PIECE)])


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
