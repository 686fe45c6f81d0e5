"""ARP against known bytes, tshark, and mutated frames."""

from __future__ import annotations

import json

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_SERVER, Endpoint, Malformed
from amtdecode.protocols.arp import ARP, SIZE, ArpDissector, ArpMessage
from amtdecode.protocols.dissector import NO, YES, Context

CONTEXT = Context("arp", Endpoint(b"\xc0\0\2\1", 0), Endpoint(b"\xc0\0\2\x63", 0))
REQUEST = bytes.fromhex("0001080006040001001122334455c0000201000000000000c0000263")
REPLY = bytes.fromhex("000108000604000266778899aabbc0000263001122334455c0000201")


def one(data: bytes):
    statements = list(ArpDissector(CONTEXT).receive_data(TO_SERVER, data))
    return statements[0].event if statements else None


def test_request_and_reply_give_their_fields():
    assert one(REQUEST).fields() == {
        "arp.opcode": 1,
        "arp.src.hw_mac": "00:11:22:33:44:55",
        "arp.src.proto_ipv4": "192.0.2.1",
        "arp.dst.hw_mac": "00:00:00:00:00:00",
        "arp.dst.proto_ipv4": "192.0.2.99",
        "arp.isgratuitous": False,
    }
    assert one(REQUEST).summary() == "ARP request: who has 192.0.2.99? asks 192.0.2.1"
    assert one(REPLY).summary() == "ARP reply: 192.0.2.99 is at 66:77:88:99:aa:bb"


def test_an_announcement_is_told_from_a_question():
    announcement = REQUEST[:14] + b"\xc0\0\2\x63" + REQUEST[18:]
    assert one(announcement).is_gratuitous
    assert one(announcement).summary() == "ARP request: 00:11:22:33:44:55 announces 192.0.2.99"


def test_padding_is_no_part_of_the_message():
    dissector = ArpDissector(CONTEXT)
    first = list(dissector.receive_data(TO_SERVER, REQUEST + bytes(18)))
    second = list(dissector.receive_data(TO_SERVER, REPLY + bytes(18)))
    assert [(s.start, s.end) for s in first + second] == [(0, 46), (0, 46)]
    assert first[0].event == ArpMessage(REQUEST)


def test_a_cut_frame_is_malformed():
    event = one(REQUEST[:20])
    assert isinstance(event, Malformed)
    assert event.reason == f"20 of {SIZE} bytes"


def test_only_ethernet_and_ipv4_requests_and_replies_are_recognised():
    assert ARP.recognise(REQUEST, TO_SERVER, CONTEXT) == YES
    assert ARP.recognise(REPLY, TO_SERVER, CONTEXT) == YES
    reverse = REQUEST[:7] + b"\3" + REQUEST[8:]  # RARP's opcode
    assert ARP.recognise(reverse, TO_SERVER, CONTEXT) == NO
    assert ARP.recognise(b"\0\6" + REQUEST[2:], TO_SERVER, CONTEXT) == NO
    assert ARP.recognise(REQUEST, TO_SERVER, CONTEXT._replace(transport="udp")) == NO
    assert one(reverse) is None


@given(
    st.binary(max_size=60)
    | st.tuples(st.integers(0, 59), st.binary(max_size=8)).map(lambda cut: (REQUEST + bytes(18))[: cut[0]] + cut[1])
)
def test_any_bytes_give_events_and_listed_fields_only(data):
    names = {field.name for field in ARP.fields()}
    for statement in ArpDissector(CONTEXT).receive_data(TO_SERVER, data or b"\0"):
        assert 0 <= statement.start < statement.end <= max(len(data), 1)
        if isinstance(statement.event, ArpMessage):
            assert set(statement.event.fields()) <= names
            assert statement.event.summary()


@pytest.mark.parametrize(
    ("path", "frames"),
    [
        ("zeek/linuxsll-arp.pcap", 12),
        ("tcpdump/dhcp-rfc4388.pcap", 12),
        ("tcpdump/eapon1.pcap", 5),
        ("zeek/raw_packets.pcap", 3),
    ],
)
def test_agrees_with_tshark(shared, tshark, path, frames):
    wanted = ["arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.hw_mac", "arp.dst.proto_ipv4"]
    capture = shared / "captures" / "third-party" / path
    command = [tshark, "-n", "-r", str(capture), "-Y", "arp.hw.type == 1 && arp.opcode <= 2", "-T"]
    raw = json.loads(oracle.run([*command, "jsonraw"], check=True).stdout)
    columns = [part for name in wanted for part in ("-e", name)]
    lines = oracle.run([*command, "fields", *columns], check=True, text=True).stdout.splitlines()
    for frame, line in zip(raw, lines, strict=True):
        event = one(bytes.fromhex(frame["_source"]["layers"]["arp_raw"][0]))
        assert [str(event.fields()[name]) for name in wanted] == line.split("\t")
    assert len(raw) == frames
