"""Where somebody asks for DNS, every message is stated, as Wireshark has it; else those that may concern a machine."""

from __future__ import annotations

import pytest
import wire

import amtdecode

QUERY = b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
ANSWER = b"\x12\x34\x81\x80\0\1\0\1\0\0\0\0\3www\7example\3com\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x5d\xb8\xd8\x22"
UPDATE = b"\x12\x35\x28\x00\0\1\0\0\0\0\0\0\7example\3com\0\0\6\0\1"  # RFC 2136: opcode 5


def over_udp(*messages):
    return [wire.ether(wire.ipv4(wire.udp(message, 4000, 53), proto=17)) for message in messages]


def over_tcp(*messages):
    talk = wire.Talk(dport=53)
    said = b"".join(len(message).to_bytes(2, "big") + message for message in messages)
    return wire.frames([*talk.open(), *talk.say(said)])


@pytest.mark.parametrize("packets", [over_udp, over_tcp])
def test_all_names_and_kinds_are_stated_where_they_are_asked_for(packets):
    capture = wire.pcap(packets(QUERY, ANSWER, UPDATE))
    assert [each for each in amtdecode.read(capture) if each.protocol == "dns"] == []
    asked = [each.event.fields() for each in amtdecode.read(capture, filter="dns")]
    assert [(each["dns.id"], each["dns.flags.opcode"], each["dns.qry.name"]) for each in asked] == [
        (0x1234, 0, "www.example.com"),
        (0x1234, 0, "www.example.com"),
        (0x1235, 5, "example.com"),
    ]
    assert asked[1]["dns.a"] == ["93.184.216.34"]
    assert [each.number for each in amtdecode.packets(capture, filter="dns.a == 93.184.216.34")] == [
        4 if packets is over_tcp else 2
    ]
