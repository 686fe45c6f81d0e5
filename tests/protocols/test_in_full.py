"""Where somebody asks for a protocol, rooms state all of it, as tshark does; else what may concern a machine."""

from __future__ import annotations

import shutil

import oracle
import pytest
import wire

import amtdecode
from amtdecode.protocols.registry import REGISTRY

MAC = bytes.fromhex("020000000010")
ARP = bytes.fromhex("0001 0800 06 04")
BOOTP = b"\1\1\6\0" + b"\x12\x34\x56\x78" + bytes(20) + MAC + bytes(10)


def talk(dport, *said):
    """Requests and answers in turn."""
    connection = wire.Talk(dport=dport)
    return [
        *connection.open(),
        *[packet for n, data in enumerate(said) for packet in connection.say(data, n % 2)],
        *connection.close(),
    ]


def dhcp(data, cut=0):
    packet = wire.ether(wire.ipv4(wire.udp(data, 68, 67), proto=17))
    return wire.epb(packet[: len(packet) - cut], original=len(packet))


WEB = wire.pcap(
    wire.frames(
        [
            *talk(80, b"GET /news HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            *talk(
                8080,
                b"PROPFIND /dav HTTP/1.1\r\nHost: b\r\n\r\n",
                b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 0\r\n\r\n",
            ),
            *talk(4000, b"GET the weather please\r\n", b"HELO HTTP/1.1\r\n"),
        ]
    )
)
ARPS = wire.pcap(
    [
        wire.ether(ARP + bytes((0, opcode)) + MAC + bytes((192, 0, 2, 1)) + bytes(10), 0x0806)
        for opcode in (1, 2, 3, 4, 8, 9, 77)
    ]
)
OPTIONS = bytes(64 + 128) + b"\x63\x82\x53\x63\x35\1\1\xff"
LEASES = wire.shb() + wire.idb() + dhcp(BOOTP + OPTIONS) + dhcp(BOOTP + bytes(256)) + dhcp(BOOTP + OPTIONS, cut=180)


@pytest.mark.parametrize(
    ("capture", "text", "numbers", "without"),
    [
        (WEB, "http", [4, 5, 12, 13], 0),
        (WEB, 'http.request.method == "PROPFIND"', [12], 0),
        (WEB, "http.response.code in {207, 404}", [5, 13], 0),
        (ARPS, "arp", [1, 2, 3, 4, 5, 6, 7], 2),
        (ARPS, "arp.opcode > 2", [3, 4, 5, 6, 7], 2),
        (ARPS, 'arp.opcode == "inverse request"', [5], 2),
        (LEASES, "dhcp", [1, 2, 3], 3),
        (LEASES, "dhcp.id == 0x12345678", [1, 2, 3], 3),
        (LEASES, "dhcp.option.dhcp == 1", [1], 3),
    ],
)
def test_asked_for_is_all_of_it(capture, text, numbers, without):
    protocol = text.partition(".")[0].split()[0]
    assert [packet.number for packet in amtdecode.packets(capture, filter=text)] == numbers
    assert sum(each.protocol == protocol for each in amtdecode.read(capture)) == without


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is the oracle")
@pytest.mark.parametrize(
    ("capture", "text"),
    [(WEB, "http"), (WEB, "http.request"), (ARPS, "arp"), (ARPS, "arp.opcode != 1"), (LEASES, "dhcp.id == 0x12345678")],
)
def test_tshark_chooses_the_same(capture, text, tmp_path):
    (tmp_path / "x").write_bytes(capture)
    command = ["tshark", "-n", "-r", tmp_path / "x", "-Y", text, "-T", "fields", "-e", "frame.number"]
    told = oracle.run(command, text=True, check=True).stdout
    assert [packet.number for packet in amtdecode.packets(capture, filter=text)] == list(map(int, told.split()))


def test_a_room_in_full_differs_in_nothing_else():
    rooms = [room for room in REGISTRY if room.in_full is not None]
    assert {room.name for room in rooms} >= {"arp", "dhcp", "dns", "http"}
    for room in rooms:
        full = room.in_full._replace(recognise=room.recognise, dissector=room.dissector, openings=room.openings)
        assert full == room._replace(in_full=None, hindsight=None)  # nothing was passed over
