"""Feeds the dissector as the engine does, from captures or from byte strings.

A small reassembly of its own, on purpose: what it shows does not depend on code under test elsewhere.
"""

from __future__ import annotations

import gzip
import io
import struct
from typing import TYPE_CHECKING, NamedTuple

import dpkt

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, Endpoint, Payload, Statement
from amtdecode.protocols.dissector import Context
from amtdecode.protocols.tls.dissector import TlsDissector

if TYPE_CHECKING:
    from pathlib import Path

    from amtdecode.protocols.memory import Memory
    from amtdecode.secrets import Keys


class Conversation(NamedTuple):
    """One TCP connection: its bytes in the order they came, and who ended it how."""

    client: Endpoint
    server: Endpoint
    chunks: list[tuple[Direction, bytes]]
    ends: list[tuple[Direction, End]]

    def stream(self, direction: Direction) -> bytes:
        return b"".join(data for way, data in self.chunks if way is direction)


def _frames(path: Path):
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    stream = io.BytesIO(data)
    reader = dpkt.pcapng.Reader(stream) if data[:4] == b"\x0a\x0d\x0d\x0a" else dpkt.pcap.Reader(stream)
    link = reader.datalink()
    for _, frame in reader:
        yield link, frame


def _ip(link: int, frame: bytes):
    try:
        if link == 1:
            layer = dpkt.ethernet.Ethernet(frame).data
        elif link in (0, 108):
            layer = dpkt.loopback.Loopback(frame).data
        elif link == 113:
            layer = dpkt.sll.SLL(frame).data
        elif link == 276:
            layer = dpkt.ip.IP(frame[20:])
        elif link in (12, 14, 101, 228, 229):
            layer = (dpkt.ip6.IP6 if frame[0] >> 4 == 6 else dpkt.ip.IP)(frame)
        else:
            return None
    except (dpkt.UnpackError, IndexError):
        return None
    return layer if isinstance(layer, (dpkt.ip.IP, dpkt.ip6.IP6)) else None


def conversations(path: Path) -> list[Conversation]:
    """All TCP connections of a capture, reassembled: in order, retransmissions dropped, gaps closed up."""
    found: dict[tuple, Conversation] = {}
    order: list[Conversation] = []
    wanted: dict[tuple, int] = {}
    early: dict[tuple, dict[int, bytes]] = {}
    for link, frame in _frames(path):
        ip = _ip(link, frame)
        if ip is None or not isinstance(ip.data, dpkt.tcp.TCP):
            continue
        tcp = ip.data
        source, target = Endpoint(ip.src, tcp.sport), Endpoint(ip.dst, tcp.dport)
        payload = bytes(tcp.data)
        if isinstance(ip, dpkt.ip.IP) and ip.len:
            payload = payload[: max(ip.len - ip.hl * 4 - tcp.off * 4, 0)]
        key = (source, target)
        if tcp.flags & dpkt.tcp.TH_SYN and not tcp.flags & dpkt.tcp.TH_ACK and key in found:
            del found[key], found[target, source]
            wanted.pop(key, None), wanted.pop((target, source), None)
        if key not in found:
            swapped = tcp.flags & 0x12 == 0x12 or (source.port < target.port and not tcp.flags & 0x02)
            client, server = (target, source) if swapped else (source, target)
            conversation = Conversation(client, server, [], [])
            found[client, server] = found[server, client] = conversation
            order.append(conversation)
        conversation = found[key]
        direction = TO_SERVER if source == conversation.client else TO_CLIENT
        sequence = tcp.seq
        if tcp.flags & dpkt.tcp.TH_SYN:
            wanted[key] = (sequence + 1) & 0xFFFFFFFF
            early[key] = {}
            continue
        if key not in wanted:
            wanted[key], early[key] = sequence, {}
        if payload:
            early[key].setdefault(sequence, payload)
            while True:
                for at in sorted(early[key], key=lambda at: (at - wanted[key]) & 0xFFFFFFFF):
                    behind = (wanted[key] - at) & 0xFFFFFFFF
                    if behind < 1 << 31:
                        data = early[key].pop(at)[behind:]
                        if data:
                            conversation.chunks.append((direction, data))
                            wanted[key] = (wanted[key] + len(data)) & 0xFFFFFFFF
                        break
                else:
                    break
        if tcp.flags & (dpkt.tcp.TH_FIN | dpkt.tcp.TH_RST):
            end = End.RESET if tcp.flags & dpkt.tcp.TH_RST else End.FIN
            if direction not in [way for way, _ in conversation.ends]:
                conversation.ends.append((direction, end))
    return order


class Feeder:
    """Plays the engine: counts skips down, feeds what is left."""

    def __init__(self, context: Context) -> None:
        self.dissector = TlsDissector(context)
        self.statements: list[Statement] = []

    def data(self, direction: Direction, data: bytes) -> None:
        skip = self.dissector.skip_bytes
        if skip[direction]:
            taken = min(skip[direction], len(data))
            skip[direction] -= taken
            data = data[taken:]
        if data:
            before = list(self.dissector.trim_to)
            new = list(self.dissector.receive_data(direction, data))
            for statement in new:
                assert before[statement.direction] <= statement.start <= statement.end, statement
                for span in statement.also:
                    assert before[span.direction] <= span.start <= span.end, statement
            self.statements += new

    def gap(self, direction: Direction, size: int) -> None:
        self.statements += self.dissector.receive_gap(direction, size)

    def end(self, direction: Direction, end: End = End.FIN) -> None:
        self.statements += self.dissector.receive_eof(direction, end)

    @property
    def events(self):
        return [statement.event for statement in self.statements]


def context(port: int = 16993, keys: Keys | None = None) -> Context:
    return Context("tcp", Endpoint(b"\x7f\0\0\1", 50000), Endpoint(b"\x7f\0\0\1", port), keys)


def run(
    conversation: Conversation, keys: Keys | None = None, split: int = 0, memory: Memory | None = None
) -> list[Statement]:
    """All statements of a conversation; `split` cuts its bytes into pieces of that size, `memory` is the run's."""
    feeder = Feeder(Context("tcp", conversation.client, conversation.server, keys, memory=memory))
    for direction, data in conversation.chunks:
        step = split or len(data)
        for at in range(0, len(data), step):
            feeder.data(direction, data[at : at + step])
    for direction, end in conversation.ends:
        feeder.end(direction, end)
    for direction in (TO_SERVER, TO_CLIENT):
        feeder.end(direction, End.CAPTURE)
    return feeder.statements


def plaintext(statements: list[Statement]) -> list[tuple[Direction, bytes]]:
    """Decrypted bytes, put together while the direction does not change."""
    parts: list[tuple[Direction, bytes]] = []
    for statement in statements:
        if isinstance(statement.event, Payload):
            if parts and parts[-1][0] is statement.direction:
                parts[-1] = (statement.direction, parts[-1][1] + statement.event.data)
            else:
                parts.append((statement.direction, statement.event.data))
    return parts


def record(kind: int, fragment: bytes, version: int = 0x0301) -> bytes:
    return struct.pack(">BHH", kind, version, len(fragment)) + fragment


def message(code: int, body: bytes) -> bytes:
    return bytes((code,)) + len(body).to_bytes(3, "big") + body


def expectation(path: Path) -> dict[int, list[tuple[int, bytes]]]:
    """Decrypted bytes as `tshark -z follow,tls,raw` printed them: by stream, put together side by side."""
    streams: dict[int, list[tuple[int, bytes]]] = {}
    current: list[tuple[int, bytes]] = []
    for line in path.read_text().splitlines():
        if line.startswith("### stream "):
            current = streams.setdefault(int(line.split()[2]), [])
        elif line.strip() and not line.strip("\t 0123456789abcdef"):
            side, data = int(line.startswith("\t")), bytes.fromhex(line.strip())
            if current and current[-1][0] == side:
                current[-1] = (side, current[-1][1] + data)
            else:
                current.append((side, data))
    return streams


def secrets_blocks(path: Path) -> list[bytes]:
    """NSS key logs in the decryption secrets blocks of a little-endian pcapng."""
    data, at, found = path.read_bytes(), 0, []
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 10:  # decryption secrets
            secrets, length = struct.unpack_from("<II", data, at + 8)
            if secrets == 0x544C534B:  # "TLSK"
                found.append(data[at + 16 : at + 16 + length])
        at += size
    return found
