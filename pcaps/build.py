"""Builds frames and capture files byte by byte: Ethernet, ARP, IPv4, IPv6, UDP, TCP, ICMP; pcap and pcapng.

Addresses may be given as text or packed. Checksums are right unless a caller breaks them on purpose. Nothing here
imports amtdecode: what tests and benchmarks read was not written by the code that reads it.

Sources: RFC 791, 768, 9293, 826, 792, 8200, 4443; IEEE 802.3 and 802.1Q; draft-ietf-opsawg-pcap and -pcapng.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
ARP, IPV4, VLAN, IPV6 = 0x0806, 0x0800, 0x8100, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
BROADCAST = "ff:ff:ff:ff:ff:ff"
TO_SERVER, TO_CLIENT = 0, 1


def packed(address: str | bytes) -> bytes:
    """An IP address as 4 or 16 bytes in network order."""
    return address if isinstance(address, bytes) else ip_address(address).packed


def mac(address: str | bytes) -> bytes:
    """A hardware address as 6 bytes."""
    return address if isinstance(address, bytes) else bytes.fromhex(address.replace(":", "").replace("-", ""))


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071): the ones' complement sum is the remainder modulo 65535, in one step."""
    if len(data) & 1:
        data += b"\0"
    total = int.from_bytes(data, "big")
    return 0xFFFF - (total % 0xFFFF or 0xFFFF) if total else 0xFFFF


def ethernet(
    src: str | bytes, dst: str | bytes, payload: bytes, ethertype: int = IPV4, vlans: Iterable[int] = ()
) -> bytes:
    """An Ethernet II frame, with one 802.1Q tag per VLAN id, padded to the 60 bytes a short frame has."""
    tags = b"".join(struct.pack(">HH", VLAN, vlan) for vlan in vlans)
    frame = mac(dst) + mac(src) + tags + struct.pack(">H", ethertype) + payload
    return frame if len(frame) >= 60 else frame + bytes(60 - len(frame))


def arp(operation: int, mac_src: str, ip_src: str, mac_dst: str, ip_dst: str) -> bytes:
    """An ARP packet for Ethernet and IPv4 (RFC 826); operation 1 asks, 2 answers."""
    addresses = mac(mac_src) + packed(ip_src) + mac(mac_dst) + packed(ip_dst)
    return struct.pack(">HHBBH", 1, IPV4, 6, 4, operation) + addresses


def ipv4(
    src: str | bytes,
    dst: str | bytes,
    protocol: int,
    payload: bytes,
    *,
    ttl: int = 64,
    identification: int = 0,
    fragment: int = 0x4000,
    options: bytes = b"",
) -> bytes:
    """An IPv4 packet (RFC 791). `fragment` is the flags-and-offset word: 0x4000 do not, 0x2000 more follow."""
    ihl = 5 + len(options) // 4
    total = 4 * ihl + len(payload)
    head = struct.pack(">BBHHHBBH", 0x40 | ihl, 0, total, identification, fragment, ttl, protocol, 0)
    head += packed(src) + packed(dst) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(src: str | bytes, dst: str | bytes, next_header: int, payload: bytes, *, hop_limit: int = 64) -> bytes:
    """An IPv6 packet (RFC 8200); extension headers, if any, are the start of the payload."""
    return struct.pack(">IHBB", 6 << 28, len(payload), next_header, hop_limit) + packed(src) + packed(dst) + payload


def ip(src: str | bytes, dst: str | bytes, protocol: int, payload: bytes) -> bytes:
    """An IP packet of the version the addresses have."""
    return (ipv4 if len(packed(src)) == 4 else ipv6)(src, dst, protocol, payload)


def _pseudo_header(src: str | bytes, dst: str | bytes, protocol: int, length: int) -> bytes:
    # the lengths of 4 (RFC 793) and 8 bytes (RFC 8200) give the same sum: zeros apart, they hold the same words
    return packed(src) + packed(dst) + struct.pack(">HH", protocol, length)


def udp(src: str | bytes, dst: str | bytes, sport: int, dport: int, payload: bytes) -> bytes:
    """A UDP datagram (RFC 768); a sum of zero is sent as all ones."""
    length = 8 + len(payload)
    head = struct.pack(">HHH", sport, dport, length)
    total = checksum(_pseudo_header(src, dst, UDP, length) + head + b"\0\0" + payload) or 0xFFFF
    return head + struct.pack(">H", total) + payload


def tcp(
    src: str | bytes,
    dst: str | bytes,
    sport: int,
    dport: int,
    seq: int,
    acknowledgement: int,
    flags: int,
    payload: bytes = b"",
    *,
    window: int = 64240,
    options: bytes = b"",
) -> bytes:
    """A TCP segment (RFC 9293)."""
    offset = (20 + len(options)) << 2  # the data offset counts 32-bit words in the upper four bits
    fields = (sport, dport, seq & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, offset, flags, window)
    segment = struct.pack(">HHIIBBHHH", *fields, 0, 0) + options + payload
    total = checksum(_pseudo_header(src, dst, TCP, len(segment)) + segment)
    return segment[:16] + struct.pack(">H", total) + segment[18:]


def icmp(kind: int, code: int, rest: bytes, payload: bytes) -> bytes:
    """An ICMP message (RFC 792): `rest` is the second word of the header. A quoted packet goes into the payload."""
    body = rest.ljust(4, b"\0") + payload
    return struct.pack(">BBH", kind, code, checksum(struct.pack(">BBH", kind, code, 0) + body)) + body


def icmpv6(src: str | bytes, dst: str | bytes, kind: int, code: int, rest: bytes, payload: bytes) -> bytes:
    """An ICMPv6 message (RFC 4443), whose sum covers the addresses."""
    body = rest.ljust(4, b"\0") + payload
    head = _pseudo_header(src, dst, ICMPV6, 4 + len(body)) + struct.pack(">BBH", kind, code, 0)
    return struct.pack(">BBH", kind, code, checksum(head + body)) + body


class Host(NamedTuple):
    """A machine on the wire."""

    mac: str
    ip: str


def frame(src: Host, dst: Host, protocol: int, payload: bytes, vlans: Iterable[int] = ()) -> bytes:
    """One IP packet from host to host in an Ethernet frame."""
    kind = IPV4 if len(packed(src.ip)) == 4 else IPV6
    return ethernet(src.mac, dst.mac, ip(src.ip, dst.ip, protocol, payload), kind, vlans)


def datagram(src: Host, dst: Host, sport: int, dport: int, payload: bytes) -> bytes:
    """One UDP datagram in an Ethernet frame."""
    return frame(src, dst, UDP, udp(src.ip, dst.ip, sport, dport, payload))


class Connection:
    """One TCP connection: gives the frames of its next steps, with the sequence numbers a real one would have.

    Built for millions of packets: what stays the same in a direction is packed and summed once.
    """

    def __init__(
        self,
        client: Host,
        server: Host,
        sport: int,
        dport: int,
        *,
        seq: tuple[int, int] = (1000, 5000),
        mss: int = 1460,
        vlans: Iterable[int] = (),
    ) -> None:
        self.seq = list(seq)
        self.mss = mss
        self._heads: list[tuple[bytes, bytes, bytes, int]] = []
        for src, dst, ports in ((client, server, (sport, dport)), (server, client, (dport, sport))):
            a, b = packed(src.ip), packed(dst.ip)
            tags = b"".join(struct.pack(">HH", VLAN, vlan) for vlan in vlans)
            link = mac(dst.mac) + mac(src.mac) + tags + struct.pack(">H", IPV4 if len(a) == 4 else IPV6)
            # the sum over what never changes: addresses, protocol, ports
            fixed = int.from_bytes(a + b, "big") % 0xFFFF + TCP + sum(ports)
            self._heads.append((link, a + b, struct.pack(">HH", *ports), fixed))
        self._id = [seq[0] & 0xFFFF, seq[1] & 0xFFFF]

    def segment(
        self, direction: int, payload: bytes = b"", flags: int = ACK, *, seq: int | None = None, options: bytes = b""
    ) -> bytes:
        """One segment. Without `seq` it is the next in order, and the direction moves on behind it."""
        moves = seq is None
        seq = self.seq[direction] if seq is None else seq
        acknowledgement = self.seq[1 - direction] if flags & ACK else 0
        link, addresses, ports, fixed = self._heads[direction]
        size = 20 + len(options) + len(payload)
        rest = struct.pack(">IIHH", seq, acknowledgement, (size - len(payload)) << 10 | flags, 64240)
        odd = b"\0" if len(payload) & 1 else b""
        total = fixed + size + int.from_bytes(rest + options + payload + odd, "big")
        segment = ports + rest + struct.pack(">HH", 0xFFFF - (total % 0xFFFF or 0xFFFF), 0) + options + payload
        if len(addresses) == 8:
            self._id[direction] = identification = (self._id[direction] + 1) & 0xFFFF
            head = struct.pack(">BBHHHBB", 0x45, 0, 20 + size, identification, 0x4000, 64, TCP)
            head += struct.pack(">H", checksum(head + addresses))
        else:
            head = struct.pack(">IHBB", 6 << 28, size, TCP, 64)
        if moves:
            self.seq[direction] = (seq + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
        whole = link + head + addresses + segment
        return whole if len(whole) >= 60 else whole + bytes(60 - len(whole))

    def open(self) -> list[bytes]:
        """SYN, SYN-ACK, ACK."""
        options = struct.pack(">BBH", 2, 4, self.mss)
        return [
            self.segment(TO_SERVER, flags=SYN, options=options),
            self.segment(TO_CLIENT, flags=SYN | ACK, options=options),
            self.segment(TO_SERVER),
        ]

    def refuse(self) -> list[bytes]:
        """SYN, answered by a reset: nothing listens."""
        syn = self.segment(TO_SERVER, flags=SYN, options=struct.pack(">BBH", 2, 4, self.mss))
        return [syn, self.segment(TO_CLIENT, flags=RST | ACK)]

    def send(self, direction: int, data: bytes, *, acknowledge: bool = True) -> list[bytes]:
        """Data cut at the maximum segment size; every second segment and the last are acknowledged."""
        frames = []
        for number, start in enumerate(range(0, len(data), self.mss), 1):
            last = start + self.mss >= len(data)
            frames.append(self.segment(direction, data[start : start + self.mss], ACK | PSH if last else ACK))
            if acknowledge and (last or number % 2 == 0):
                frames.append(self.segment(1 - direction))
        return frames

    def close(self, direction: int = TO_SERVER) -> list[bytes]:
        """FIN, FIN, ACK, first the given side."""
        return [
            self.segment(direction, flags=FIN | ACK),
            self.segment(1 - direction, flags=FIN | ACK),
            self.segment(direction),
        ]

    def reset(self, direction: int) -> list[bytes]:
        """An abrupt end."""
        return [self.segment(direction, flags=RST | ACK)]


class Pcap:
    """Writes a classic pcap file. `order` is "<" or ">"; resolution microseconds, or nanoseconds on request."""

    def __init__(
        self, file: BinaryIO, *, link_type: int = 1, order: str = "<", nanoseconds: bool = False, snaplen: int = 262144
    ) -> None:
        self._write = file.write
        self._unit = 1 if nanoseconds else 1000
        self._record = struct.Struct(order + "IIII")
        magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
        file.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type))
        self.count = 0

    def packet(self, time_ns: int, data: bytes, original: int | None = None) -> None:
        """One packet; `original` is its length on the wire where the capture cut it."""
        seconds, rest = divmod(time_ns, 1_000_000_000)
        size = len(data)
        self._write(self._record.pack(seconds, rest // self._unit, size, size if original is None else original) + data)
        self.count += 1


class Pcapng:
    """Writes a pcapng file block by block; the first section is written at once, interfaces are the caller's."""

    TLS_KEY_LOG = 0x544C534B

    def __init__(self, file: BinaryIO, *, order: str = "<", comment: str = "") -> None:
        self._write = file.write
        self.section(order, comment)

    def _option(self, code: int, value: bytes) -> bytes:
        return struct.pack(self._order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    def _options(self, *options: tuple[int, bytes | None]) -> bytes:
        found = b"".join(self._option(code, value) for code, value in options if value)
        return found + bytes(4) if found else b""

    def block(self, kind: int, body: bytes) -> None:
        """Any block: type, length, body padded to four bytes, length again."""
        body += bytes(-len(body) % 4)
        size = struct.pack(self._order + "I", len(body) + 12)
        self._write(struct.pack(self._order + "I", kind) + size + body + size)

    def section(self, order: str = "<", comment: str = "") -> None:
        """A section header; interfaces count anew from 0 behind it."""
        self._order = order
        self._units: list[int] = []
        body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + self._options((1, comment.encode()))
        self.block(0x0A0D0D0A, body)

    def interface(
        self, link_type: int = 1, *, snaplen: int = 262144, name: str = "", resolution: int | None = None
    ) -> int:
        """An interface; `resolution` is the if_tsresol byte (6 = microseconds, 9 = nanoseconds, 0x80 | n = 2^-n s)."""
        tsresol = None if resolution is None else bytes([resolution])
        options = self._options((2, name.encode()), (9, tsresol))
        self.block(1, struct.pack(self._order + "HHI", link_type, 0, snaplen) + options)
        resolution = 6 if resolution is None else resolution
        self._units.append(1 << (resolution & 0x7F) if resolution & 0x80 else 10**resolution)
        return len(self._units) - 1

    def packet(
        self, time_ns: int, data: bytes, original: int | None = None, *, interface: int = 0, comment: str = ""
    ) -> None:
        """An enhanced packet block."""
        ticks = time_ns * self._units[interface] // 1_000_000_000
        fields = (interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data) if original is None else original)
        padding = bytes(-len(data) % 4)
        self.block(6, struct.pack(self._order + "5I", *fields) + data + padding + self._options((1, comment.encode())))

    def simple_packet(self, data: bytes, original: int | None = None) -> None:
        """A simple packet block: no time, first interface."""
        self.block(3, struct.pack(self._order + "I", len(data) if original is None else original) + data)

    def secrets(self, data: bytes, kind: int = TLS_KEY_LOG) -> None:
        """A decryption secrets block; by default the text of a TLS key log."""
        self.block(0x0A, struct.pack(self._order + "II", kind, len(data)) + data)

    def name(self, address: str, *names: str) -> None:
        """A name resolution block with one record."""
        value = packed(address) + b"".join(name.encode() + b"\0" for name in names)
        body = self._option(1 if len(packed(address)) == 4 else 2, value) + bytes(4)
        self.block(4, body)


def timed(frames: Iterable[bytes], start_ns: int, step_ns: int) -> Iterator[tuple[int, bytes]]:
    """Frames with times at even steps."""
    for number, data in enumerate(frames):
        yield start_ns + number * step_ns, data
