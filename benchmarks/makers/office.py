"""An office at work: web, files, names, calls; two conversations in a hundred are AMT's.

Of 1,000 conversations: 300 DNS lookups, 350 web pages over TLS (half TLS 1.2 with its certificates in the clear, half
TLS 1.3), 100 downloads over HTTP, 80 of an SMB-like file service, 80 of a QUIC-like protocol over UDP, 20 RTP calls,
50 ARP exchanges, 8 hellos, 6 PSK handshakes on 16993, 6 WS-Man calls on 16992. A fifth of the hosts use IPv6 for the
web, a tenth sit behind an 802.1Q tag. A TCP conversation has about 110 packets on average, from 20 to 800. What is
encrypted is random; what is in the clear (TLS hellos and certificates, HTTP heads, SMB2 and RTP headers) has its real
form.

`short_connections` is the same office where nothing lasts: connections of 8 packets, a question and an answer each
(half HTTP, half of a protocol that no room knows), and hellos for 2 in 100 of them.
"""

from __future__ import annotations

import datetime as dt
import random
import struct
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.makers import hello, tls, wsman
from benchmarks.makers.traffic import MICROSECOND, MILLISECOND, START, address, hello_steps, merge
from pcaps import messages
from pcaps.build import (
    ARP,
    BROADCAST,
    IPV4,
    IPV6,
    TO_CLIENT,
    TO_SERVER,
    UDP,
    Connection,
    Host,
    arp,
    ethernet,
    ip,
    udp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.makers.traffic import Step

HOSTS = 2000
ROUTER = "00:00:0c:07:ac:01"
DNS_SERVER = Host("00:0c:29:00:00:03", "10.255.0.3")
FILE_SERVER = Host("00:0c:29:00:00:05", "10.255.0.5")
PACE = 2 * MILLISECOND  # between the packets of a conversation, on average


class Station(NamedTuple):
    """A desk: its interface over IPv4 and IPv6, and its VLAN tags."""

    four: Host
    six: Host
    vlans: tuple[int, ...]
    modern: bool  # uses IPv6 for the web


def _station(number: int) -> Station:
    mac = f"00:1a:a0:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    six = Host(mac, f"2001:db8:0:1::{number + 1:x}")
    return Station(Host(mac, address(number)), six, (20 + number % 4,) if number % 10 == 3 else (), number % 5 == 1)


class Office:
    """What the conversations share: stations, servers' certificates, a pool of random bytes."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.stations = [_station(number) for number in range(HOSTS)]
        self.pool = self.rng.randbytes(1 << 20)
        self.chains = [_chain(number) for number in range(24)]

    def random_bytes(self, size: int) -> bytes:
        """Bytes of the pool, from anywhere in it."""
        start = self.rng.randrange(len(self.pool) - size)
        return self.pool[start : start + size]

    def pause(self) -> int:
        """Time to the next packet of a conversation: mostly short."""
        return int(self.rng.expovariate(1) * PACE) + 20 * MICROSECOND

    def tcp(self, port: int, *, server: Host | None = None) -> Connection:
        """A connection of some station to a server out in the world, or to the one given."""
        rng = self.rng
        station = rng.choice(self.stations)
        if server is None:
            number = rng.randrange(5000)
            six = station.modern and rng.random() < 0.6
            server = Host(ROUTER, f"2001:db8:ffff::{number:x}" if six else address(number, 203))
            client = station.six if six else station.four
        else:
            client = station.four
        seq = (rng.getrandbits(32), rng.getrandbits(32))
        return Connection(client, server, rng.randrange(49152, 65536), port, seq=seq, vlans=station.vlans)

    def paced(self, frames: list[bytes]) -> Iterator[Step]:
        """Frames with pauses."""
        for frame in frames:
            yield self.pause(), frame


def _chain(number: int) -> bytes:
    """A server's certificate and its issuer's, as the body of a TLS 1.2 Certificate message. The same each time."""
    made = []
    names = (f"www{number}.example.com", f"Example Issuing CA {number % 3}", "Example Root CA")
    keys = [ec.derive_private_key(1000 + value, ec.SECP256R1()) for value in (number, 500 + number % 3, 900)]
    for index in range(2):
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in names[index : index + 2]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(keys[index].public_key())
            .serial_number(1_000_000 + number * 2 + index)
            .not_valid_before(dt.datetime(2007, 1, 1, tzinfo=dt.UTC))
            .not_valid_after(dt.datetime(2017, 1, 1, tzinfo=dt.UTC))
            .add_extension(x509.BasicConstraints(ca=index > 0, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(names[0])]), critical=False)
        )
        certificate = builder.sign(keys[index + 1], hashes.SHA256(), ecdsa_deterministic=True)
        der = certificate.public_bytes(serialization.Encoding.DER)
        made.append(len(der).to_bytes(3, "big") + der)
    body = b"".join(made)
    return len(body).to_bytes(3, "big") + body


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, len(body)) + body


OFFERED = "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035 00ff"
SUITES = bytes.fromhex(OFFERED)


def _client_hello(office: Office, name: str) -> bytes:
    label = name.encode()
    extensions = [
        _extension(0, struct.pack(">HBH", len(label) + 3, 0, len(label)) + label),
        _extension(23, b""),
        _extension(65281, b"\0"),
        _extension(10, struct.pack(">HHHH", 6, 29, 23, 24)),
        _extension(11, b"\x01\0"),
        _extension(35, b""),
        _extension(16, b"\x00\x0c\x02h2\x08http/1.1"),
        _extension(13, struct.pack(">9H", 16, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)),
        _extension(51, struct.pack(">HHH", 36, 29, 32) + office.random_bytes(32)),
        _extension(45, b"\x01\x01"),
        _extension(43, struct.pack(">BHH", 4, 0x0304, 0x0303)),
    ]
    block = b"".join(extensions)
    body = struct.pack(">H", 0x0303) + office.random_bytes(32) + b"\x20" + office.random_bytes(32)
    body += struct.pack(">H", len(SUITES)) + SUITES + b"\x01\0" + struct.pack(">H", len(block)) + block
    return _record(22, b"\x01" + len(body).to_bytes(3, "big") + body, 0x0301)


def _record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def _handshake(kind: int, body: bytes) -> bytes:
    return _record(22, bytes([kind]) + len(body).to_bytes(3, "big") + body)


def _server_flight(office: Office, chain: bytes, *, modern: bool) -> bytes:
    suite, extensions = (0x1301, _extension(43, b"\x03\x04")) if modern else (0xC02B, _extension(65281, b"\0"))
    if modern:
        extensions += _extension(51, struct.pack(">HH", 29, 32) + office.random_bytes(32))
    body = struct.pack(">H", 0x0303) + office.random_bytes(32) + b"\x20" + office.random_bytes(32)
    hello_record = _handshake(2, body + struct.pack(">HBH", suite, 0, len(extensions)) + extensions)
    if modern:
        return hello_record + _record(20, b"\x01") + _record(23, office.random_bytes(len(chain) + 200))
    point = b"\x04" + office.random_bytes(64)
    signature = office.random_bytes(71)
    exchange = b"\x03\x00\x17\x41" + point + struct.pack(">HH", 0x0403, len(signature)) + signature
    return hello_record + _handshake(11, chain) + _handshake(12, exchange) + _handshake(14, b"")


def web_tls(office: Office) -> Iterator[Step]:
    """A page over TLS: 20 to 400 KB in records of up to 16 KB."""
    rng = office.rng
    tcp, number, modern = office.tcp(443), rng.randrange(len(office.chains)), rng.random() < 0.5
    yield from office.paced(tcp.open())
    yield from office.paced(tcp.send(TO_SERVER, _client_hello(office, f"www{number}.example.com")))
    yield from office.paced(tcp.send(TO_CLIENT, _server_flight(office, office.chains[number], modern=modern)))
    finish = _record(20, b"\x01") + _record(23 if modern else 22, office.random_bytes(53 if modern else 40))
    if not modern:
        finish = _handshake(16, b"\x41\x04" + office.random_bytes(64)) + finish
    yield from office.paced(tcp.send(TO_SERVER, finish))
    if not modern:
        yield from office.paced(tcp.send(TO_CLIENT, _record(20, b"\x01") + _record(22, office.random_bytes(40))))
    left = int(20_000 * rng.paretovariate(1.2))
    left = min(left, 400_000)
    while left > 0:
        yield from office.paced(tcp.send(TO_SERVER, _record(23, office.random_bytes(rng.randrange(300, 900)))))
        size = min(left, rng.randrange(2_000, 16_384))
        yield from office.paced(tcp.send(TO_CLIENT, _record(23, office.random_bytes(size))))
        left -= size
    yield from office.paced(tcp.close(rng.randrange(2)))


def web_http(office: Office) -> Iterator[Step]:
    """A download over HTTP: 30 to 600 KB."""
    rng = office.rng
    tcp, size = office.tcp(80), min(int(30_000 * rng.paretovariate(1.2)), 600_000)
    yield from office.paced(tcp.open())
    name = f"{rng.getrandbits(32):08x}"
    request = f"GET /files/{name} HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Browser/1.0\r\nAccept: */*\r\n\r\n"
    yield from office.paced(tcp.send(TO_SERVER, request.encode()))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n".encode()
    data = head + office.random_bytes(size)
    yield from office.paced(tcp.send(TO_CLIENT, data))
    yield from office.paced(tcp.close(TO_CLIENT))


def files(office: Office) -> Iterator[Step]:
    """Reads from a file service: SMB2 headers, 4 to 64 KB each, 5 to 15 of them."""
    rng = office.rng
    tcp = office.tcp(445, server=FILE_SERVER)
    yield from office.paced(tcp.open())
    for number in range(rng.randrange(5, 16)):
        head = (
            b"\xfeSMB"
            + struct.pack("<HHIHHIIQ", 64, 1, 0, 8, 1, 0, 0, number)
            + bytes(8)
            + office.random_bytes(8)
            + bytes(16)
        )
        request = head + struct.pack("<HBBIQ", 49, 80, 0, 65536, number * 65536) + office.random_bytes(16) + bytes(17)
        yield from office.paced(tcp.send(TO_SERVER, struct.pack(">I", len(request)) + request))
        data = office.random_bytes(rng.randrange(4096, 65536))
        answer = (
            head[:16] + struct.pack("<I", 1) + head[20:] + struct.pack("<HBBIII", 17, 80, 0, len(data), 0, 0) + data
        )
        yield from office.paced(tcp.send(TO_CLIENT, struct.pack(">I", len(answer)) + answer))
    yield from office.paced(tcp.close())


def _datagram(station: Station, src: Host, dst: Host, sport: int, dport: int, data: bytes) -> bytes:
    kind = IPV4 if "." in src.ip else IPV6
    return ethernet(
        src.mac, dst.mac, ip(src.ip, dst.ip, UDP, udp(src.ip, dst.ip, sport, dport, data)), kind, station.vlans
    )


def lookup(office: Office) -> Iterator[Step]:
    """A DNS question and its answer."""
    rng, station = office.rng, office.rng.choice(office.stations)
    number, port, name = rng.getrandbits(16), rng.randrange(49152, 65536), f"www{rng.randrange(5000)}.example.com"
    yield 0, _datagram(station, station.four, DNS_SERVER, port, 53, messages.dns_query(number, name))
    answers = [(name, messages.A, rng.randbytes(4))]
    data = messages.dns_response(number, name, answers=answers)
    yield office.pause(), _datagram(station, DNS_SERVER, station.four, 53, port, data)


def quic(office: Office) -> Iterator[Step]:
    """UDP on 443: a long header first, then short headers, 20 to 200 datagrams, mostly towards the station."""
    rng, station = office.rng, office.rng.choice(office.stations)
    client = station.six if station.modern else station.four
    number = rng.randrange(5000)
    server = Host(ROUTER, f"2001:db8:ffff::{number:x}" if station.modern else address(number, 203))
    port, connection = rng.randrange(49152, 65536), office.random_bytes(8)
    first = b"\xc3\x00\x00\x00\x01\x08" + connection + b"\x00\x00\x44\xd0" + office.random_bytes(1232)
    yield 0, _datagram(station, client, server, port, 443, first[:1200])
    for _ in range(rng.randrange(20, 200)):
        if rng.random() < 0.8:
            data = b"\x4a" + connection + office.random_bytes(rng.randrange(200, 1190))
            yield office.pause(), _datagram(station, server, client, 443, port, data)
        else:
            yield office.pause(), _datagram(station, client, server, port, 443, b"\x41" + office.random_bytes(32))


def call(office: Office) -> Iterator[Step]:
    """RTP both ways, G.711, a packet each 20 ms, 200 to 800 of them."""
    rng, (one, other) = office.rng, office.rng.sample(office.stations, 2)
    here, there = (16384 + 2 * rng.randrange(8000) for _ in range(2))
    source = rng.getrandbits(32)
    for number in range(rng.randrange(100, 400)):
        data = struct.pack(">BBHII", 0x80, 0, number, number * 160, source) + office.random_bytes(160)
        yield 20 * MILLISECOND, _datagram(one, one.four, other.four, here, there, data)
        yield 50 * MICROSECOND, _datagram(other, other.four, one.four, there, here, data)


def whois(office: Office) -> Iterator[Step]:
    """An ARP question and its answer."""
    one, other = office.rng.sample(office.stations, 2)
    question = arp(1, one.four.mac, one.four.ip, "00:00:00:00:00:00", other.four.ip)
    yield 0, ethernet(one.four.mac, BROADCAST, question, ARP, one.vlans)
    answer = arp(2, other.four.mac, other.four.ip, one.four.mac, one.four.ip)
    yield 200 * MICROSECOND, ethernet(other.four.mac, one.four.mac, answer, ARP, other.vlans)


def amt_hello(office: Office) -> Iterator[Step]:
    """One hello."""
    rng, number = office.rng, office.rng.randrange(HOSTS)
    data = hello.hello_data(rng, number, rng.random(), 0)
    return hello_steps(rng, office.stations[number].four, hello.SERVER, rng.randrange(49152, 65536), data)


def amt_handshake(office: Office) -> Iterator[Step]:
    """One PSK handshake with a call."""
    return tls.psk_connection(office.rng, office.rng.randrange(HOSTS))


def amt_calls(office: Office) -> Iterator[Step]:
    """Fifteen WS-Man exchanges."""
    return wsman.conversation(office.rng, office.rng.randrange(HOSTS), 15)


MIX: tuple[tuple[int, Callable[[Office], Iterator[Step]]], ...] = (
    (300, lookup),
    (350, web_tls),
    (100, web_http),
    (80, files),
    (80, quic),
    (20, call),
    (50, whois),
    (8, amt_hello),
    (6, amt_handshake),
    (6, amt_calls),
)


def office_noise(packets: int) -> Iterator[tuple[int, bytes]]:
    """`packets` packets; a conversation begins every 3 ms, so that a few hundred are open at a time."""
    office = Office(1992)
    weights, kinds = zip(*MIX, strict=True)

    def conversations() -> Iterator[tuple[int, Iterator[Step]]]:
        now = START
        while True:
            now += office.rng.randrange(6 * MILLISECOND)
            yield now, office.rng.choices(kinds, weights)[0](office)

    return merge(conversations(), packets)


def question(office: Office) -> Iterator[Step]:
    """A connection of 8 packets: the opening, a request and an answer of one segment each, the end."""
    rng = office.rng
    web = rng.random() < 0.5
    tcp = office.tcp(80 if web else 8400)
    size = rng.randrange(50, 600)
    if web:
        asked = (
            f"GET /state/{rng.getrandbits(32):08x} HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n\r\n".encode()
        )
        told = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n".encode()
    else:
        asked, told = b"\x05\xd1" + office.random_bytes(60), b"\x05\xd2"
    frames = tcp.open() + tcp.send(TO_SERVER, asked, acknowledge=False)
    frames += tcp.send(TO_CLIENT, told + office.random_bytes(size), acknowledge=False)
    yield from office.paced(frames + tcp.close())


def short_connections(packets: int) -> Iterator[tuple[int, bytes]]:
    """`packets` packets of short connections, one beginning every 500 µs; 2 in 100 of them carry a hello."""
    office = Office(1993)

    def conversations() -> Iterator[tuple[int, Iterator[Step]]]:
        now = START
        while True:
            now += office.rng.randrange(MILLISECOND)
            yield now, amt_hello(office) if office.rng.random() < 0.02 else question(office)

    return merge(conversations(), packets)
