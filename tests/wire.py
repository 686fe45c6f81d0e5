"""Frames and capture files made byte by byte from the RFCs, independent of the package under test."""

from __future__ import annotations

import io
import struct
from ipaddress import ip_address

from amtdecode.capture.opening import identify
from amtdecode.capture.packets import NOTICE
from amtdecode.capture.pcap import read_pcap
from amtdecode.capture.pcapng import read_pcapng
from amtdecode.capture.source import Source
from amtdecode.engine import Engine

CLIENT, SERVER = "192.0.2.10", "192.0.2.1"
CLIENT6, SERVER6 = "2001:db8::10", "2001:db8::1"
CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000010"), bytes.fromhex("020000000001")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
T0 = 1_790_000_000  # seconds; 2026-09-21T14:13:20Z


def ones_complement(data: bytes) -> int:
    """RFC 1071, word by word."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(payload, src=CLIENT, dst=SERVER, proto=6, *, ident=0, offset=0, more=False, options=b"", total=None):
    size = 20 + len(options)
    flags = (0x2000 if more else 0) | offset // 8
    total = size + len(payload) if total is None else total
    head = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, total, ident, flags, 64, proto, 0)
    head += ip_address(src).packed + ip_address(dst).packed + options
    return head[:10] + struct.pack(">H", ones_complement(head)) + head[12:] + payload


def ipv6(payload, src=CLIENT6, dst=SERVER6, proto=6, *, length=None):
    length = len(payload) if length is None else length
    return struct.pack(">IHBB", 6 << 28, length, proto, 64) + ip_address(src).packed + ip_address(dst).packed + payload


def ip(payload, src, dst, proto=6):
    return (ipv6 if ":" in src else ipv4)(payload, src, dst, proto)


def tcp(
    data=b"", sport=49152, dport=9971, seq=0, ack=0, flags=ACK, *, src=CLIENT, dst=SERVER, options=b"", checksum=None
):
    head = struct.pack(
        ">HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32, (20 + len(options)) // 4 << 4, flags, 8192, 0, 0
    )
    segment = head + options + data
    pseudo = ip_address(src).packed + ip_address(dst).packed + struct.pack(">II", len(segment), 6)
    value = ones_complement(pseudo + segment) if checksum is None else checksum
    return segment[:16] + struct.pack(">H", value) + segment[18:]


def udp(data, sport, dport):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def ether(payload, kind=0x0800, src=CLIENT_MAC, dst=SERVER_MAC):
    return dst + src + struct.pack(">H", kind) + payload


class Talk:
    """One TCP connection: makes its IP packets in order."""

    def __init__(self, sport=49152, dport=9971, *, client=CLIENT, server=SERVER, isn=1000, server_isn=5000):
        self.ports, self.hosts = (sport, dport), (client, server)
        self.seq = [isn, server_isn]
        self.isn = (isn, server_isn)

    def packet(self, side, data=b"", flags=ACK, *, seq=None, ack=None, **more):
        """side 0 is the client; explicit seq and ack leave the connection's own counters alone."""
        src, dst = self.hosts if side == 0 else self.hosts[::-1]
        sport, dport = self.ports if side == 0 else self.ports[::-1]
        here = self.seq[side] if seq is None else seq
        there = (self.seq[1 - side] if ack is None else ack) if flags & ACK else 0
        if seq is None:
            self.seq[side] = (here + len(data) + bool(flags & SYN) + bool(flags & FIN)) % 2**32
        return ip(tcp(data, sport, dport, here, there, flags, src=src, dst=dst, **more), src, dst)

    def open(self):
        return [self.packet(0, b"", SYN), self.packet(1, b"", SYN | ACK), self.packet(0)]

    def close(self):
        return [self.packet(0, b"", FIN | ACK), self.packet(1, b"", FIN | ACK), self.packet(0)]

    def say(self, data, side=0, size=1 << 16):
        return [self.packet(side, data[at : at + size], PSH | ACK) for at in range(0, len(data), size)]


def frames(packets):
    """IP packets in Ethernet, from the client's card or the server's."""
    return [ether(packet, 0x0800 if packet[0] >> 4 == 4 else 0x86DD) for packet in packets]


def pcap(
    packets, *, order="<", magic=0xA1B2C3D4, link=1, minor=4, snap=262144, step=1000, start=T0, extra=b"", tail=b""
) -> bytes:
    """A pcap file; packet n is taken n * step fractions of a second after `start`. `tail`: more packet header."""
    head = struct.pack(order + "IHHiIII", magic, 2, minor, 0, 0, snap, link) + extra
    packet = order + "IIII"
    made = [struct.pack(packet, start, n * step, len(one), len(one)) + tail + one for n, one in enumerate(packets)]
    return head + b"".join(made)


def option(code, value, order="<"):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def shb(order="<", options=b"", *, major=1, minor=0):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, minor, -1) + options, order)


def idb(order="<", link=1, snap=0, options=b""):
    return block(1, struct.pack(order + "HHI", link, 0, snap) + options, order)


def epb(data, ticks=0, order="<", interface=0, options=b"", original=None):
    original = len(data) if original is None else original
    head = struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), original)
    return block(6, head + data + bytes(-len(data) % 4) + options, order)


def opb(data, ticks=0, order="<", interface=0):
    head = struct.pack(order + "HHIIII", interface, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(2, head + data, order)


def spb(data, order="<", original=None):
    return block(3, struct.pack(order + "I", len(data) if original is None else original) + data, order)


def raw_packets(data: bytes, name="x", index=0):
    """The raw packets and notices of a capture's bytes."""
    source = Source(name, io.BytesIO(data))
    return (read_pcap if identify(source) == "pcap" else read_pcapng)(source, index)


def split(packets):
    """(bytes of each packet, events of each notice)"""
    taken, told = [], []
    for _, buffer, start, captured, _, _, _, interface in packets:
        if interface.link_type == NOTICE:
            told.append(interface.event)
        else:
            taken.append(buffer[start : start + captured])
    return taken, told


def observe(data: bytes, **options):
    """The observations of a capture's bytes."""
    return list(Engine(**options).observe(raw_packets(data)))


def events(data: bytes, **options):
    return [observation.event for observation in observe(data, **options)]


UUID_BYTES = bytes.fromhex("00112233445566778899aabbccddeeff")
UUID_TEXT = "33221100-5544-7766-8899-aabbccddeeff"
PSK_HELLO = struct.pack("<HHI", 1, 2, 4) + UUID_BYTES + b"0000037M"
SHA256_VALUE = bytes.fromhex("c3846bf24b9e93ca64274c0ec67c1ecc5e024ffcacd2d74019350e81fe546ae4")
PKI_HELLO = (
    struct.pack("<HHI", 0, 3, 1) + UUID_BYTES + b"\x02" + b"\x02\x20" + SHA256_VALUE + b"\x01\x14" + bytes(range(20))
)
