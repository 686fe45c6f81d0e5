"""One packet renamed: headers in their places, payload as `streams` and `datagrams` make it, checksums made anew."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from amtdecode import ports
from amtdecode.net.checksum import word_sum
from amtdecode.net.link import ARP, ETHERNET, IPV4
from amtdecode.rewriting.datagrams import asf, dhcp, dns
from amtdecode.rewriting.layers import ICMP, ICMPV6, TCP, UDP, Layers, layers_of
from amtdecode.rewriting.streams import DNS_PORT, Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.rewriting.guard import Guard
    from amtdecode.rewriting.pseudonyms import Pseudonyms
    from amtdecode.rewriting.text import TextRewriter

SYN = 2
KEPT_TCP_OPTIONS = frozenset((0, 1, 2, 3, 4, 5, 8))  # end, none, segment size, scale, SACK, times
DHCP_PORTS = frozenset((67, 68))
FULL = "whole"


class Done(NamedTuple):
    """A packet that may be written: what is kept of it, and how long it was on the wire."""

    data: bytes
    original: int


class Rewriter:
    """Give it all packets twice: first to `look`, then, after `ready`, to `rewrite`."""

    def __init__(self, known: Pseudonyms, text: TextRewriter) -> None:
        self._known = known
        self._streams = Streams(known, text)
        self.told: Counter[str] = Counter()
        """How many packets are whole, cut for which reason, left out for which reason."""

    def reserve(self, link_type: int, data: bytes) -> None:
        """Addresses and cards of a packet: no pseudonym may be one of them."""
        from ipaddress import ip_address

        found = layers_of(link_type, data)
        if found is None:
            return
        if link_type == ETHERNET:
            self._known.reserve(data[:6].hex())
            self._known.reserve(data[6:12].hex())
        for start, end in _address_places(found):
            self._known.reserve(str(ip_address(data[start:end])))

    def look(self, link_type: int, data: bytes) -> None:
        """A packet that will be written."""
        found = layers_of(link_type, data)
        if found is None:
            return
        for start, end in _address_places(found):
            self._known.packed(data[start:end])
        if found.protocol == TCP and not found.fragment and found.payload >= found.transport + 20:
            at = found.transport
            seq, port = int.from_bytes(data[at + 4 : at + 8], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
            payload = data[found.payload : found.end]
            self._streams.put(_key(data, found), port, seq, payload, syn=bool(data[at + 13] & SYN))

    def ready(self) -> None:
        """All packets were looked at."""
        self._streams.finish()

    def rewrite(self, link_type: int, data: bytes, original: int, guard: Guard) -> Done | None:
        """The packet renamed; `None` where it is left out, which `told` says."""
        found = layers_of(link_type, data)
        if found is None:
            self.told["left out: no Ethernet with IP or ARP"] += 1
            return None
        out = bytearray(data[: found.end])
        if link_type == ETHERNET:
            out[0:6], out[6:12] = self._known.mac(data[0:6]), self._known.mac(data[6:12])
        keep, why = self._payload(data, out, found)
        if guard.finds(bytes(out[:keep])) is not None:
            keep, why = found.payload, "cut: an original stood in it after all"
        whole = keep == found.end and found.whole
        if found.transport:
            _mend(out, found, whole=whole)
        kept = bytes(out[:keep])
        if guard.finds(kept) is not None:
            self.told["left out: an original stood in its headers after all"] += 1
            return None
        if whole:
            kept += bytes(len(data) - found.end)  # padding of short frames
        self.told["whole" if keep == found.end else why] += 1
        return Done(kept, max(original, len(kept)))

    def _payload(self, data: bytes, out: bytearray, found: Layers) -> tuple[int, str]:
        """Rename what the packet carries; gives where what may stay ends, and why it ends there."""
        if found.ethertype == ARP:
            at = found.network
            if data[at : at + 8][:6] != b"\x00\x01\x08\x00\x06\x04":
                return at, "cut: ARP of another kind"
            for start in (at + 8, at + 18):
                out[start : start + 6] = self._known.mac(data[start : start + 6])
                out[start + 6 : start + 10] = self._known.packed(data[start + 6 : start + 10])
            out[at + 28 :] = bytes(len(out) - at - 28)
            return found.end, FULL
        for start, end in _address_places(found):
            out[start:end] = self._known.packed(data[start:end])
        if found.ethertype == IPV4 and found.transport - found.network > 20:
            out[found.network + 20 : found.transport] = b"\x01" * (found.transport - found.network - 20)
        if found.payload >= found.end and found.protocol not in (TCP, UDP, ICMP, ICMPV6):
            return found.end, FULL
        if found.fragment:
            return found.payload, "cut: a fragment"
        if found.protocol == TCP:
            return self._tcp(data, out, found)
        if found.protocol == UDP:
            return self._udp(data, out, found)
        if found.protocol == ICMP:
            return self._icmp(data, out, found)
        return found.payload, "cut: neither TCP, UDP nor ICMP"

    def _tcp(self, data: bytes, out: bytearray, found: Layers) -> tuple[int, str]:
        _blank_options(out, found.transport + 20, found.payload)
        size = found.end - found.payload
        if size <= 0:
            return found.end, FULL
        seq = int.from_bytes(data[found.transport + 4 : found.transport + 8], "big")
        if data[found.transport + 13] & SYN:
            seq += 1
        made, stay = self._streams.take(_key(data, found), seq, size)
        out[found.payload : found.payload + stay] = made[:stay]
        return found.payload + stay, "cut: bytes of a connection that cannot be renamed"

    def _udp(self, data: bytes, out: bytearray, found: Layers) -> tuple[int, str]:
        at = found.transport
        own = {int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")}
        value = data[found.payload : found.end]
        read: Callable[[bytes], bytes | None] | None = None
        if DNS_PORT in own:
            read = lambda each: dns(each, self._known)  # noqa: E731
        elif own <= DHCP_PORTS:
            read = lambda each: dhcp(each, self._known)  # noqa: E731
        elif own & {ports.DASH, ports.DASH_TLS}:
            read = asf
        made = read(value) if read is not None and found.whole else None
        if made is None or len(made) != len(value):
            return found.payload, "cut: a datagram that cannot be renamed"
        out[found.payload : found.end] = made
        return found.end, FULL

    def _icmp(self, data: bytes, out: bytearray, found: Layers) -> tuple[int, str]:
        """An error quotes the packet it is about: its header and 8 bytes."""
        at = found.payload
        if data[found.transport] not in (3, 4, 5, 11, 12):
            return at, "cut: contents of an ICMP message"
        inner = layers_of(228, data[at : found.end])
        if inner is None:
            return at, "cut: contents of an ICMP message"
        for start, end in _address_places(inner):
            out[at + start : at + end] = self._known.packed(data[at + start : at + end])
        _mend_ip(out, at, at + inner.transport)
        if found.payload >= found.transport + 8 and data[found.transport] == 5:
            place = found.transport + 4
            out[place : place + 4] = self._known.packed(data[place : place + 4])
        stay = min(found.end, at + inner.transport + 8)
        if inner.transport + 8 > len(data[at : found.end]):
            stay = found.end
        return stay, "cut: contents of an ICMP message"


def _address_places(found: Layers) -> list[tuple[int, int]]:
    at = found.network
    if found.ethertype == ARP:
        return [(at + 14, at + 18), (at + 24, at + 28)]
    if found.ethertype == IPV4:
        return [(at + 12, at + 16), (at + 16, at + 20)]
    return [(at + 8, at + 24), (at + 24, at + 40)]


def _key(data: bytes, found: Layers) -> bytes:
    (one, end), (other, last) = _address_places(found)
    return data[one:end] + data[other:last] + data[found.transport : found.transport + 4]


def _blank_options(out: bytearray, at: int, end: int) -> None:
    """Options of TCP beyond the usual become none."""
    while at < end:
        if out[at] == 0:
            return
        if out[at] == 1:
            at += 1
            continue
        size = out[at + 1] if at + 1 < end else 0
        if size < 2 or at + size > end:
            out[at:end] = b"\x01" * (end - at)
            return
        if out[at] not in KEPT_TCP_OPTIONS:
            out[at : at + size] = b"\x01" * size
        at += size


def _mend_ip(out: bytearray, start: int, end: int) -> None:
    out[start + 10 : start + 12] = b"\0\0"
    out[start + 10 : start + 12] = _complement(word_sum(bytes(out[start:end])))


def _mend(out: bytearray, found: Layers, *, whole: bool) -> None:
    """Checksums of the headers, and of what is whole; of what is cut nobody can say."""
    if found.ethertype == IPV4:
        _mend_ip(out, found.network, found.transport)
    at = found.transport
    if found.fragment or found.end < at + 8:
        return
    field = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}.get(found.protocol)
    if field is None or (found.protocol == TCP and found.end < at + 20):
        return
    if found.protocol == UDP and out[at + 6 : at + 8] == b"\0\0" and found.ethertype == IPV4:
        return
    out[at + field : at + field + 2] = b"\0\0"
    if not whole:
        return
    body = bytes(out[at : found.end])
    total = word_sum(body)
    if found.protocol != ICMP:
        (start, _), (_, end) = _address_places(found)
        total += word_sum(bytes(out[start:end])) + found.protocol + len(body)
    made = _complement(total)
    out[at + field : at + field + 2] = b"\xff\xff" if found.protocol == UDP and made == b"\0\0" else made


def _complement(total: int) -> bytes:
    return ((0xFFFF - total % 0xFFFF) & 0xFFFF).to_bytes(2, "big")
