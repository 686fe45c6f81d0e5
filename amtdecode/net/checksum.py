"""The Internet checksum (RFC 1071), summed by zlib and by long numbers instead of a loop."""

from __future__ import annotations

from zlib import adler32

PIECE = 512  # bytes of which every other together stay below 65521, the modulus of Adler-32
SHORT = 320  # bytes summed faster as one number


def word_sum(data: bytes) -> int:
    """The sum of the 16-bit big-endian words of `data`, modulo 0xFFFF; an odd last byte is padded with zero.

    The low half of an Adler-32 that starts from 0 is the plain sum of the bytes, as long as it stays below its modulus.
    A number is the sum of its words modulo 0xFFFF, as 1 << 16 is 1 there.
    """
    total = at = 0
    left = len(data)
    while left > SHORT:
        stop = at + PIECE
        total += (adler32(data[at:stop:2], 0) & 0xFFFF) << 8
        total += adler32(data[at + 1 : stop : 2], 0) & 0xFFFF
        at = stop
        left -= PIECE
    if left > 0:
        rest = int.from_bytes(data[at:]) % 0xFFFF
        total += rest << 8 if left & 1 else rest
    return total % 0xFFFF


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


def checksum_is_bad(addressed: bytes, addresses: int) -> bool:
    """Whether the checksum of a whole TCP segment, given as above, is wrong on the wire."""
    return tcp_checksum(addressed, addresses) == "bad"
