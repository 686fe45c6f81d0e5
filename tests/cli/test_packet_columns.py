"""Columns of packets with a filter: one line for each packet that passes, as tshark prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import oracle
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAME = [
    ("office.pcapng", "dns"),
    ("office.pcapng", "dns.qry.name"),
    ("office.pcapng", "!dns"),
    ("office.pcapng", "arp or dhcp"),
    ("office.pcapng", "dhcp.option.dhcp == 1"),
    ("office.pcapng", "tcp.port == 9971 && tcp.len > 0"),
    ("office.pcapng", "tcp.flags.syn == 1 and not tcp.flags.ack == 1"),
    ("office.pcapng", "udp"),
    ("office.pcapng", "frame.number in {3, 5..9} or tcp.stream == 2"),
    ("wsman.pcap", "http.response.code == 401"),
    ("wsman.pcap", "http"),
    ("wsman.pcap", "not http and tcp.len > 0"),
    ("wsman.pcap", "tcp.analysis.ack_rtt or http.request"),
    ("hello.pcap", "frame.time_relative > 0.5 and tcp.len > 0"),
    ("tls10_mutual.pcap", "tls.handshake.type == 11"),
    ("tls10_mutual.pcap", "tls.handshake.type and ip.src == ip.dst"),
]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is the oracle")
@pytest.mark.parametrize(("name", "text"), SAME, ids=[" ".join(each) for each in SAME])
def test_columns_of_packets_are_what_tshark_prints(run, name, text):
    options = ["-T", "fields", "-e", "frame.number", "-e", "ip.addr", "-e", "tcp.len", "-e", "frame.len"]
    told = run("read", ROOT / "pcaps" / name, "-Y", text, *options)
    ports = ["-d", "tcp.port==16992,http", "-d", "tcp.port==16993,tls"]
    command = ["tshark", "-n", "-r", ROOT / "pcaps" / name, "-Y", text, *ports, *options]
    assert told.out == oracle.run(command, text=True, check=True).stdout


def test_a_pipe_gives_each_packet_when_it_comes(run):
    text = (ROOT / "pcaps/office.pcapng").read_bytes()
    for chosen in ("dns", "!dns", "udp"):
        words = ["-Y", chosen, "-T", "fields", "-e", "frame.number"]
        assert run("read", "-", *words, stdin=text).out == run("read", ROOT / "pcaps/office.pcapng", *words).out
