"""The Internet checksum (RFC 1071), by one division of a big integer instead of a loop."""

from __future__ import annotations


def internet_sum(data: bytes) -> int:
    """The ones' complement sum of 16-bit big-endian words, 0 to 0xFFFE (0xFFFF counts as 0)."""
    if len(data) & 1:
        data += b"\0"
    return int.from_bytes(data, "big") % 0xFFFF


def transport_checksum(addresses: bytes, protocol: int, segment: bytes) -> str:
    """Judge the checksum of a whole TCP or UDP segment with the pseudo header of `addresses`.

    Returns "good", "bad", or "offload": what the sender's stack leaves for the network card to complete (the sum of the
    pseudo header alone), or a UDP checksum that is not used.
    """
    pseudo = internet_sum(addresses + protocol.to_bytes(4, "big") + len(segment).to_bytes(4, "big"))
    place = 16 if protocol == 6 else 6
    field = segment[place : place + 2]
    if protocol == 17 and field == b"\0\0":
        return "offload"
    if (pseudo + internet_sum(segment)) % 0xFFFF == 0:
        return "good"
    return "offload" if int.from_bytes(field, "big") % 0xFFFF == pseudo else "bad"
