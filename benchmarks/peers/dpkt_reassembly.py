"""dpkt: Ethernet, IP, TCP, and plain reassembly: in-order data is joined, the rest waits, a flow ends with its FIN."""

from __future__ import annotations

import sys

import dpkt


def main(path: str) -> None:
    """Read a classic pcap file and count what was put together."""
    flows: dict[tuple[bytes, bytes, int, int], bytearray] = {}
    expected: dict[tuple[bytes, bytes, int, int], int] = {}
    waiting: dict[tuple[bytes, bytes, int, int], dict[int, bytes]] = {}
    packets = joined = 0
    with open(path, "rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            packets += 1
            packet = dpkt.ethernet.Ethernet(data).data
            if not isinstance(packet, (dpkt.ip.IP, dpkt.ip6.IP6)) or not isinstance(packet.data, dpkt.tcp.TCP):
                continue
            tcp = packet.data
            key = (packet.src, packet.dst, tcp.sport, tcp.dport)
            if tcp.flags & dpkt.tcp.TH_SYN:
                flows[key], expected[key], waiting[key] = bytearray(), (tcp.seq + 1) & 0xFFFFFFFF, {}
                continue
            if tcp.data and key in flows:
                pending = waiting[key]
                pending[tcp.seq] = tcp.data
                while (piece := pending.pop(expected[key], None)) is not None:
                    flows[key] += piece
                    expected[key] = (expected[key] + len(piece)) & 0xFFFFFFFF
                if len(flows[key]) > 1 << 16:  # a reader would have taken it by now
                    joined += len(flows[key])
                    flows[key].clear()
            if tcp.flags & (dpkt.tcp.TH_FIN | dpkt.tcp.TH_RST):
                joined += len(flows.pop(key, b""))
                expected.pop(key, None)
                waiting.pop(key, None)
    print(packets, joined)


if __name__ == "__main__":
    main(sys.argv[1])
