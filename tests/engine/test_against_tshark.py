"""Every shared capture: packets and reassembled bytes are those of tshark, or docs/limits.md says why not."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from amtdecode.capture import NOTICE, open_capture
from amtdecode.engine import Engine
from amtdecode.net.link import is_known

if TYPE_CHECKING:
    from pathlib import Path

    from sharkd import Sharkd

CAPTURE = re.compile(r"\.(pcap|pcapng|cap|trace)(\.gz)?$")
FOLLOWED = 200  # connections of one capture compared, and one that must not be there
# what tshark's follow writes in the place of bytes that the capture lacks
MISSING = re.compile(rb"\[\d+ bytes missing in capture file\]\.?\x00?")

OPENFLOW = "packets quoted inside OpenFlow mix with the stream that carries them there"
EXCUSED = {
    # capture: the class of docs/limits.md that explains the difference
    "third-party/tcpdump/bgp-cease-hard-reset.pcap": "data behind a gap at the end of the capture is given out here",
    "third-party/tcpdump/bigtcp-ipv6.pcap": "a jumbogram of 79,968 bytes is one segment here",
    **{
        f"third-party/tcpdump/bigtcp-ipv6-{name}.pcap": "a jumbogram of 80,000 bytes is one segment here"
        for name in ("geneve-ipv4", "geneve-ipv6", "vxlan-ipv4", "vxlan-ipv6")
    },
    "third-party/tcpdump/of10_s4810.pcap": OPENFLOW,
    "third-party/tcpdump/of13_ericsson.pcapng": OPENFLOW,
    "third-party/zeek/ipv4/fragmented-4.pcap": "overlapping fragments differ: the first to come is kept here",
    "third-party/zeek/tcp/reassembly.pcap": "overlapping segments differ: the first to come is kept here",
}


def captures(shared: Path) -> list[Path]:
    return sorted(path for path in (shared / "captures").rglob("*") if CAPTURE.search(path.name))


def reassembled(path: Path) -> tuple[int, int, dict[int, tuple[bytes, bytes]]]:
    """Packets, connections, and both directions of each connection, gaps left out."""
    flows: dict[int, tuple[bytearray, bytearray]] = {}

    def tap(flow, chunk):
        flows.setdefault(flow.number, (bytearray(), bytearray()))[chunk.sender.direction].extend(chunk.data)

    count = 0

    def counted():
        nonlocal count
        for packet in open_capture(str(path)):
            count += packet[7].link_type != NOTICE
            yield packet

    engine = Engine(tcp_tap=tap)
    for _ in engine.observe(counted()):
        pass
    return count, engine.connections, {number: (bytes(a), bytes(b)) for number, (a, b) in flows.items()}


def differences(sharkd: Sharkd, path: Path) -> str:
    _, connections, ours = reassembled(path)
    if not connections:
        return ""
    wrong = []
    for number, theirs in enumerate(sharkd.followed(path, min(connections, FOLLOWED) + 1)):
        mine = sorted(ours.get(number, (b"", b"")))
        oracle = sorted(MISSING.sub(b"", side) for side in theirs)
        if mine != oracle:
            wrong.append(
                f"stream {number}: {[len(side) for side in mine]} bytes here, {[len(side) for side in oracle]} there"
            )
    return "; ".join(wrong)


def test_reassembled_bytes_are_those_of_tshark(shared, sharkd):
    root = shared / "captures"
    found = {str(path.relative_to(root)): differences(sharkd, path) for path in captures(shared)}
    wrong = {name: what for name, what in found.items() if what}
    assert {name: what for name, what in wrong.items() if name not in EXCUSED} == {}
    assert set(EXCUSED) <= set(wrong), "an excuse is no longer needed"


def test_packet_counts_are_those_of_capinfos(shared, tshark):
    capinfos = re.sub("tshark$", "capinfos", tshark)
    paths = captures(shared)
    text = subprocess.run([capinfos, "-TrmcQ", *map(str, paths)], capture_output=True, text=True, check=False).stdout
    theirs = {path: int(count) for path, count in re.findall(r'"(.*)","(\d+)"', text)}
    ours = {str(path): sum(p[7].link_type != NOTICE for p in open_capture(str(path))) for path in paths}
    assert len(theirs) > 1200
    assert {path: (ours[path], count) for path, count in theirs.items() if ours[path] != count} == {}


@pytest.mark.parametrize("link_type", [1, 101, 113, 276])
def test_link_types_of_every_day_are_known(link_type):
    assert is_known(link_type)
