"""Which connections are whose, where several processes read one capture and each decodes its share of them."""

from __future__ import annotations

from zlib import crc32


class Share:
    """One share of several. The first also states what is of no connection: datagrams, ARP, notices, damage.

    Which share a connection falls to follows from its addresses and ports alone, in either order; with `by_addresses`
    from the addresses, so that what two hosts say in one connection is known in their next one.
    """

    def __init__(self, index: int, of: int, *, by_addresses: bool = False) -> None:
        self.index = index
        self.of = of
        self.by_addresses = by_addresses
        self.crossed = ""
        """Why what was read since cannot be told apart from what other shares have; "" while it can."""

    @property
    def first(self) -> bool:
        """Whether it is the first."""
        return not self.index

    def owns(self, key: bytes) -> bool:
        """Whether the connection of a packet's key (addresses and ports as they stand there) is of this share."""
        address = (len(key) - 4) // 2
        one, other = key[:address], key[address:-4]
        if not self.by_addresses:
            one, other = one + key[-4:-2], other + key[-2:]
        return crc32(one + other if one < other else other + one) % self.of == self.index
