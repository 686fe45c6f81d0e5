"""Places of header fields are those of `tshark -T pdml`."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import oracle
import pytest
import wire

from amtdecode.frame.catalogue import BY_NAME
from amtdecode.frame.offsets import OFFSETS

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"


def tagged(packet, kind):
    return wire.ether(b"\x60\x07" + kind.to_bytes(2, "big") + packet, 0x8100)


MADE = wire.pcap(
    [
        tagged(wire.ipv4(wire.tcp(b"x", flags=wire.SYN)), 0x0800),
        wire.ether(wire.ipv6(wire.tcp(src=wire.CLIENT6, dst=wire.SERVER6)), 0x86DD),
        wire.ether(wire.ipv4(wire.udp(b"12345678", 4000, 4001), proto=17)),
        wire.ether(wire.ipv4(b"\3\1" + bytes(6) + wire.ipv4(wire.udp(b"", 4000, 4001), proto=17), proto=1)),
        wire.ether(wire.ipv6(b"\x80\0" + bytes(10), proto=58), 0x86DD),
    ]
)


def test_the_fields_are_in_the_catalogue():
    assert OFFSETS.keys() <= BY_NAME.keys()


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is the oracle")
def test_places_are_tsharks(tmp_path):
    (tmp_path / "made.pcap").write_bytes(MADE)
    seen = set()
    for path, count in ((tmp_path / "made.pcap", "9"), (PCAPS / "office.pcapng", "40")):
        told = oracle.run(["tshark", "-n", "-r", path, "-c", count, "-T", "pdml"], check=True)
        for proto in ET.fromstring(told.stdout).iter("proto"):
            base, found = int(proto.get("pos") or 0), {}
            for field in proto.iter("field"):
                if field.get("name") in OFFSETS and int(field.get("size")):
                    place = int(field.get("pos")) - base, int(field.get("size"))
                    found.setdefault(field.get("name"), []).append(place)
            for name, places in found.items():
                if name.partition(".")[0] == proto.get("name"):  # what an error quotes stands in the error there
                    assert tuple(places) == OFFSETS[name], name
                    seen.add(name)
    assert OFFSETS.keys() - seen <= {"ipv6.tclass.dscp", "ipv6.tclass.ecn", "tcp.flags.res", "tcp.flags.ae"}


def test_the_tree_shows_them(run_read):
    lines = run_read(PCAPS / "office.pcapng", "-c", "14", "-V").splitlines()
    assert "    ip.src: 192.0.2.21  [26-29]  IPv4 address of the sender" in lines
    assert "    tcp.flags.syn: False  [47]  open the connection" in lines
    assert "    tcp.len: 32  bytes of payload" in lines


@pytest.fixture
def run_read(capfdbinary):
    from amtdecode.cli.main import run

    def read(*words):
        assert run(["read", *map(str, words)]) == 0
        return capfdbinary.readouterr().out.decode()

    return read
