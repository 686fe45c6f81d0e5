"""The engine over whole captures: one truth whatever the frames look like, tshark's counts, bounded memory."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections import Counter

import oracle
import pytest
import wire
from field_values import fits

from amtdecode.capture import NOTICE, open_capture, open_captures
from amtdecode.engine import Engine
from amtdecode.flow.table import ENDING_ENDPOINT, IGNORED_ENDPOINT
from amtdecode.model import LimitReached, Note
from amtdecode.protocols.catalogue import catalogue
from amtdecode.protocols.registry import REGISTRY

LOOPBACK = ["hello/amt_hello_9971.pcap", "wsman/*.pcap", "tls/openssl-tls1.2-*.pcap", "dns/*.pcap", "cira/*.pcap"]


def some_captures(shared, patterns=LOOPBACK):
    root = shared / "captures" / "loopback"
    return [path for pattern in patterns for path in sorted(root.glob(pattern))[:3]]


def told(data):
    """What is said of a capture's bytes, but for addresses and times."""
    found = wire.observe(data)
    return [
        (one.event, one.packets, one.flow and (one.flow.transport, one.flow.number), one.direction, one.offset)
        for one in found
        if not (isinstance(one.event, Note) and "checksum" in one.event.what)
    ]


def ip_packets(path):
    return [
        buffer[start + 14 : start + size]
        for _, buffer, start, size, _, _, _, interface in open_capture(str(path))
        if interface.link_type == 1 and buffer[start + 12 : start + 14] == b"\x08\x00"
    ]


def as_ipv6(packet):
    """The same datagram in IPv6: its checksum is no longer right."""
    size = (packet[0] & 15) * 4
    total = struct.unpack_from(">H", packet, 2)[0]
    prefix = bytes.fromhex("20010db8000000000000000000000000")[:12]
    head = struct.pack(">IHBB", 6 << 28, total - size, packet[9], 64)
    return head + prefix + packet[12:16] + prefix + packet[16:20] + packet[size:total]


def tagged(tags):
    return lambda packet: wire.SERVER_MAC + wire.CLIENT_MAC + tags + b"\x08\x00" + packet


WRAPPED = {
    "VLAN": (1, tagged(b"\x81\x00\x00\x05")),
    "QinQ": (1, tagged(b"\x88\xa8\x00\x05\x81\x00\x00\x06")),
    "cooked": (113, lambda packet: bytes(14) + b"\x08\x00" + packet),
    "cooked v2": (276, lambda packet: b"\x08\x00" + bytes(18) + packet),
    "raw": (101, lambda packet: packet),
    "IPv6": (1, lambda packet: wire.ether(as_ipv6(packet), 0x86DD)),
    "IPv6 in a VLAN": (1, lambda packet: tagged(b"\x81\x00\x00\x05")(b"")[:-2] + b"\x86\xdd" + as_ipv6(packet)),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_the_same_traffic_in_other_frames_says_the_same(shared, name):
    link, wrap = WRAPPED[name]
    paths = some_captures(shared)
    assert len(paths) > 6
    for path in paths:
        packets = ip_packets(path)
        plain = told(wire.pcap([tagged(b"")(packet) for packet in packets]))
        # the names of addresses and tags are all that differs
        wrapped = told(wire.pcap([wrap(packet) for packet in packets], link=link))
        assert [(type(event).__name__, *rest) for event, *rest in wrapped] == [
            (type(event).__name__, *rest) for event, *rest in plain
        ]
        if name != "IPv6" and "VLAN" not in name and name != "QinQ":
            assert [event.summary() for event, *_ in wrapped] == [event.summary() for event, *_ in plain]
        assert plain, path


def test_broken_tcp_headers_in_any_frame_say_the_same():
    """Data offsets of every size, and packets shorter than they claim: the fast way is no other way."""
    talk = wire.Talk()
    packets = [*talk.open(), talk.packet(0, wire.PKI_HELLO[:30])]
    for words in range(16):
        odd = bytearray(talk.packet(0, wire.PKI_HELLO[30:50], seq=1031))
        odd[32] = words << 4
        packets.append(bytes(odd))
        for flags in (wire.SYN | wire.ACK, wire.FIN | wire.ACK, wire.ACK, 0):
            odd = bytearray(talk.packet(0, b"", flags, seq=1031))
            odd[32] = words << 4
            packets.append(bytes(odd))
            odd[3] = 20  # the IP packet ends before the TCP header
            packets.append(bytes(odd))
    plain = told(wire.pcap([tagged(b"")(packet + bytes(20)) for packet in packets]))
    raw = told(wire.pcap([packet + bytes(20) for packet in packets], link=101))
    assert plain == raw
    assert len({str(event) for event, *_ in plain}) > 10


def test_offsets_count_from_the_start_of_each_layer(shared):
    for path in some_captures(shared, ["wsman/*.pcap", "tls/*.pcap", "dns/*.pcap"]):
        for one in Engine().observe(open_capture(str(path))):
            assert one.offset >= 0, (path, one)
    first = {}
    for one in Engine().observe(open_capture(str(some_captures(shared, ["wsman/*.pcap"])[0]))):
        first.setdefault((one.protocol, one.flow, one.direction), one.offset)
    assert {offset for (name, _, _), offset in first.items() if name == "http"} == {0}


# -- statistics -------------------------------------------------------------------------------------------------------

COUNTED = [
    "loopback/hello/*.pcap",
    "loopback/wsman/*.pcap",
    "loopback/redir/*.pcap",
    "third-party/zeek/http/[a-m]*.pcap",
    "third-party/zeek/tcp/*.pcap",
]


def test_packets_and_bytes_of_conversations_are_those_of_tshark(shared, tshark):
    root = shared / "captures"
    paths = [path for pattern in COUNTED for path in sorted(root.glob(pattern))[:9]]
    assert len(paths) > 15
    wrong, conversations = {}, 0
    for path in paths:
        command = [tshark, "-n", "-r", str(path), "-Y", "tcp && !icmp && !icmpv6", "-T", "fields", "-E", "occurrence=f"]
        for name in ("tcp.stream", "frame.len", "ip.src", "ipv6.src", "tcp.srcport"):
            command += ["-e", name]
        theirs = Counter()
        for line in oracle.run(command, text=True, check=False).stdout.splitlines():
            stream, size, source, source6, port = line.split("\t")
            source = f"[{source6}]:{port}" if source6 else f"{source}:{port}"
            theirs[(int(stream), source, "packets")] += 1
            theirs[(int(stream), source, "bytes")] += int(size)
        engine = Engine(statistics=True)
        for _ in engine.observe(open_capture(str(path))):
            pass
        ours = Counter()
        for flow in engine.conversations():
            if flow.key.transport == "tcp":
                for half, end in ((flow.client, flow.key.client), (flow.server, flow.key.server)):
                    ours[(flow.key.number, str(end), "packets")] += half.packets
                    ours[(flow.key.number, str(end), "bytes")] += half.bytes
        ours, theirs = +ours, +theirs
        conversations += len({number for number, *_ in theirs})
        if ours != theirs:
            wrong[str(path.relative_to(root))] = (dict(ours - theirs), dict(theirs - ours))
    assert wrong == {}
    assert conversations > 30


# -- the whole corpus -------------------------------------------------------------------------------------------------


BY_TABLES = {"tls", "http", "iamt.soap"}
"""Protocols whose messages declare all that may stand in any of them: extensions, headers, arguments."""
NOT_CAPTURED = {  # the tests of their rooms, and of the capture's health, make these
    ("AsfMessage", "iamt.asf.data"),
    ("AsfMessage", "rmcp.trailer"),
    ("AsfMessage", "rsp.sequence"),
    ("AsfMessage", "rsp.session_id"),
    ("AsfPong", "iamt.pong.both_ports"),
    ("AsfPong", "iamt.pong.port"),
    ("AsfPong", "iamt.pong.state"),
    ("AsfPong", "iamt.pong.version"),
    ("AsfPong", "rmcp.trailer"),
    ("AsfPong", "rsp.sequence"),
    ("AsfPong", "rsp.session_id"),
    ("ChannelEnded", "iamt.apf.channel.stalled"),
    ("ChannelEnded", "iamt.apf.window.excess"),
    ("Connection", "iamt.connection.server_missing"),
    ("DhcpMessage", "dhcp.client_id.uuid"),
    ("DhcpMessage", "dhcp.fqdn.flags"),
    ("DhcpMessage", "dhcp.fqdn.name"),
    ("DhcpMessage", "dhcp.option.option_overload"),
    ("Dhcpv6Message", "dhcpv6.status_code"),
    ("DnsMessage", "dns.cname"),
    ("DnsMessage", "dns.srv.target"),
    ("EapMessage", "eap.desired_type"),
    ("EapMessage", "eap.notification"),
    ("EapMessage", "eap.tls.flags"),
    ("EapMessage", "eap.tls.len"),
    ("EapMessage", "iamt.eap.alert"),
    ("GlobalRequest", "iamt.apf.data"),
    ("GlobalRequest", "iamt.apf.origin.address"),
    ("GlobalRequest", "iamt.apf.origin.port"),
    ("Health", "iamt.health.damage"),
    ("Health", "iamt.health.gap_bytes"),
    ("Health", "iamt.health.gaps"),
    ("HelloMessage", "iamt.hello.rest"),
    ("LldpMessage", "lldp.chassis.id"),
    ("LldpMessage", "lldp.port.id.ip4"),
    ("PartialHello", "iamt.hello.pid"),
    ("PartialHello", "iamt.hello.rest"),
    ("RedirAnswer", "iamt.redir.auth.nonce"),
    ("RedirAnswer", "iamt.redir.auth.offered"),
    ("RedirAnswer", "iamt.redir.auth.qop"),
    ("RedirAnswer", "iamt.redir.auth.realm"),
    ("RedirLogin", "iamt.redir.auth.cnonce"),
    ("RedirLogin", "iamt.redir.auth.mechanism"),
    ("RedirLogin", "iamt.redir.auth.nc"),
    ("RedirLogin", "iamt.redir.auth.nonce"),
    ("RedirLogin", "iamt.redir.auth.qop"),
    ("RedirLogin", "iamt.redir.auth.realm"),
    ("RedirLogin", "iamt.redir.auth.response"),
    ("RedirLogin", "iamt.redir.auth.uri"),
    ("RedirLogin", "iamt.redir.auth.verified"),
    ("RedirNumbered", "iamt.redir.data"),
    ("RedirStarted", "iamt.redir.oem.data"),
    ("RmcpMessage", "rmcp.trailer"),
    ("RmcpMessage", "rsp.sequence"),
    ("RmcpMessage", "rsp.session_id"),
}


def test_every_capture_is_read_and_every_field_is_in_the_catalogue(shared):
    known = {field.name: field for field in catalogue()}
    of_rooms = {room.name: set() for room in REGISTRY}
    for room in REGISTRY:
        of_rooms[room.name] |= {field.name for field in room.fields()}
    unknown, wrong, seen, declared, count = {}, {}, set(), {}, 0
    for path in sorted((shared / "captures").rglob("*")):
        if not re.search(r"\.(pcap|pcapng|cap|trace)(\.gz)?$", path.name):
            continue
        count += 1
        packets = 0
        number = 0
        for one in Engine(connections="all").observe(open_capture(str(path))):
            number += 1
            assert one.number == number
            assert one.packets == tuple(sorted(set(one.packets)))
            assert not one.packets or one.packet == one.packets[-1]
            packets = max(packets, one.packet)
            one.event.summary()
            event = type(one.event)
            own = declared.setdefault(event, {field.name for field in event.declared})
            for name, value in one.event.fields().items():
                seen.add((event.__name__, name))
                if own and name not in own:
                    unknown.setdefault((event.__name__, name), path.name)
                if name not in of_rooms.get(one.event.protocol, known):
                    unknown.setdefault(name, path.name)
                    continue
                if not fits(known[name], value):
                    wrong.setdefault(name, (value, path.name))
    assert count > 1200
    assert unknown == {}
    assert wrong == {}
    narrow = {event: own for event, own in declared.items() if event.protocol not in BY_TABLES}
    unseen = {(event.__name__, name) for event, own in narrow.items() for name in own} - seen
    assert sorted(unseen - NOT_CAPTURED) == [], "declared, but no capture has it"


def test_reading_twice_says_the_same(shared):
    for path in some_captures(shared):
        once = [(one.event, one.packets, one.time_ns) for one in Engine().observe(open_capture(str(path)))]
        again = [(one.event, one.packets, one.time_ns) for one in Engine().observe(open_capture(str(path)))]
        assert once == again


# -- several captures -------------------------------------------------------------------------------------------------


def test_a_flow_continues_from_file_to_file(tmp_path):
    talk = wire.Talk()
    packets = wire.frames([*talk.open(), *talk.say(wire.PKI_HELLO, size=20), *talk.close()])
    for cut in range(1, len(packets)):
        first, second = tmp_path / "z-first", tmp_path / "a-second"
        first.write_bytes(wire.pcap(packets[:cut]))
        second.write_bytes(wire.pcap(packets[cut:], start=wire.T0 + 5))
        (one,) = Engine().observe(open_captures([str(second), str(first)]))
        assert one.event.uuid == wire.UUID_TEXT
        proof = [(str(first), at + 1) if at < cut else (str(second), at + 1 - cut) for at in range(3, 8)]
        proof = [pair for pair in proof if pair]
        here = [number for name, number in proof if name == one.input]
        assert one.input == proof[4][0]
        assert one.packets == tuple(here)
        assert sorted(one.elsewhere) == sorted(pair for pair in proof if pair[0] != one.input)


# -- memory -----------------------------------------------------------------------------------------------------------

STORM = """
import struct, sys
sys.path.insert(0, sys.argv[1])
import wire
from amtdecode.capture.packets import NanosecondInterface
from amtdecode.engine import Engine
interface = NanosecondInterface("x", 1)
template = bytearray(wire.ether(wire.Talk().packet(0, b"", wire.SYN)))
data = bytearray(wire.ether(wire.Talk().packet(0, wire.PKI_HELLO[:30], seq=1001, ack=1)))
def packets(count):
    number = 0
    for flow in range(count):
        for frame in (template, data):
            frame[26:30] = struct.pack(">I", 0x0A000000 + flow)
            number += 1
            yield (number, bytes(frame), 0, len(frame), len(frame), number, 0, interface)
def peak():  # not getrusage: after exec that still knows the peak of the process it was started from
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
names = {}
engine = Engine()
for one in engine.observe(packets(int(sys.argv[2]))):
    name = getattr(one.event, "limit", type(one.event).__name__)
    names[name] = names.get(name, 0) + 1
print(peak() // 1024, engine.connections, names)
"""


def test_open_connections_beyond_the_cap_are_bounded():
    """Each is unfinished and keeps its bytes; beyond the cap the oldest go, and that is said once."""
    done = subprocess.run(
        [sys.executable, "-c", STORM, str(wire.__file__).rpartition("/")[0], "40000"],
        capture_output=True,
        text=True,
        check=True,
    )
    megabytes, connections, names = re.fullmatch(r"(\d+) (\d+) (\{.*\})\n", done.stdout).groups()
    names = eval(names)
    assert int(connections) == 40_000
    assert names["MAX_TCP_FLOWS"] == 1
    assert names["Truncated"] == 40_000, "each cut hello is told, when it is given up or when the capture ends"
    assert int(megabytes) < 130


def test_limits_are_events_with_their_constant(monkeypatch):
    from amtdecode.flow import table

    monkeypatch.setattr(table, "MAX_TCP_FLOWS", 4)
    monkeypatch.setattr(table, "MAX_UDP_FLOWS", 4)
    packets = [wire.Talk(sport=2000 + n).packet(0, b"", wire.SYN) for n in range(200)]
    packets += [wire.ipv4(wire.udp(b"q", 3000 + n, 53), proto=17) for n in range(200)]
    found = [one.event for one in wire.observe(wire.pcap(wire.frames(packets)))]
    limits = [event for event in found if isinstance(event, LimitReached)]
    assert [(event.limit, event.value) for event in limits][:1] == [("MAX_TCP_FLOWS", 4)]
    assert len(limits) <= 2
    assert sum(type(event).__name__ == "Connection" for event in found) == 200


def test_ignored_connections_leave_nothing_behind():
    """Bytes held for connections that nobody wants do not count against others (they did once)."""
    packets = []
    for number in range(30):
        talk = wire.Talk(sport=1024 + number, dport=12345)
        packets += talk.open()
        packets.append(talk.packet(0, b"x" * 1400, seq=talk.seq[0] + 2_000))  # held
        packets += talk.say(bytes([200]) * 300)  # nobody's: ignored
    engine = Engine()
    assert list(engine.observe(wire.raw_packets(wire.pcap(wire.frames(packets))))) == []
    assert engine._tcp._reassembly._out_of_order_total == 0


@pytest.mark.parametrize("last", [wire.FIN, wire.RST])
def test_connections_that_nobody_wants_are_forgotten_once_they_end(monkeypatch, last):
    """Their markers go when enough others have ended; one more packet within that time begins no new connection."""
    from amtdecode.flow import table

    monkeypatch.setattr(table, "MAX_CLOSED_FLOWS", 10)
    packets = []
    for number in range(300):
        talk = wire.Talk(sport=1024 + number, dport=12345)
        packets += [*talk.open(), *talk.say(bytes([200]) * 300), *talk.say(bytes([200]) * 300, side=1)]  # ignored
        sides = (0, 1) if last == wire.FIN else (1,)
        packets += [talk.packet(side, b"", last | wire.ACK) for side in sides]
        packets += [talk.packet(0, b"late", wire.ACK), talk.packet(sides[-1], b"", last | wire.ACK)]
    engine = Engine()
    assert list(engine.observe(wire.raw_packets(wire.pcap(wire.frames(packets))))) == []
    assert engine.connections == 300
    with_state, ignored, ended, numbered = engine._tcp.table.kept
    assert 10 <= ended <= 20
    assert (with_state, ignored, numbered) == (0, 0, 0)


def test_a_connection_that_nobody_wants_goes_on_after_one_fin():
    talk = wire.Talk(sport=1024, dport=12345)
    packets = [*talk.open(), *talk.say(bytes([200]) * 300), *talk.say(bytes([200]) * 300, side=1)]
    packets += [talk.packet(0, b"", wire.FIN | wire.ACK)] * 3 + talk.say(b"more", side=1)
    engine = Engine()
    assert list(engine.observe(wire.raw_packets(wire.pcap(wire.frames(packets))))) == []
    sides = [engine._tcp.table.find(packet[12:24]) for packet in packets[:2]]  # by addresses and ports
    assert sides == [ENDING_ENDPOINT, IGNORED_ENDPOINT]


def test_bytes_nobody_knows_are_shown_alike_however_they_are_cut():
    for port, asked, answer in (
        (16994, b"\xc0\0\0\0SOL ", b"\xc1\0\0\0"),
        (4433, b"\xc1" + bytes(92), b"\xc2" + bytes(20)),
    ):
        for size in (1, 5, 31, 32, 33, 1000):
            talk = wire.Talk(dport=port)
            packets = [*talk.open(), *talk.say(asked, size=size), *talk.say(answer, 1, size)]
            (one,) = wire.observe(wire.pcap(wire.frames(packets)))
            assert (one.event.data, one.offset) == (asked[:32], 0)
            assert one.packets == tuple(range(4, 4 - -len(asked[:32]) // size))


def test_notices_are_observations_too():
    data = wire.shb(options=wire.option(1, b"who")) + wire.idb() + wire.epb(b"x", options=wire.option(1, b"what"))
    found = wire.observe(data)
    assert [(one.event.text, one.packet, one.packets) for one in found] == [("who", 0, ()), ("what", 1, (1,))]
    assert all(packet[7].link_type == NOTICE or packet[0] == 1 for packet in wire.raw_packets(data))


@pytest.mark.parametrize("opened", [True, False])
def test_a_request_behind_the_tail_of_another_body_is_found(opened):
    """The capture begins inside messages of both sides, and the next ones stand in the same segments as their tails."""
    request = b"GET /index.htm HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    seen = set()
    for size in (1, 7, 1000):
        talk = wire.Talk(dport=16992)
        packets = talk.open() if opened else []
        packets += [*talk.say(b"</s:Envelope>" + request, size=size), *talk.say(b"</html>" + answer, 1, size)]
        found = wire.observe(wire.pcap(wire.frames(packets)))
        told = [one.event.summary() for one in found if one.protocol == "http" and not isinstance(one.event, Note)]
        assert told == ["GET /index.htm", "200 OK for GET /index.htm"]
        seen.add(tuple((one.event, one.offset) for one in found if not isinstance(one.event, Note)))
    assert len(seen) == 1


def test_a_lone_request_behind_the_tail_of_another_is_found_when_its_direction_ends():
    talk = wire.Talk(dport=16992)
    packets = [*talk.say(b"</s:Envelope>GET / HTTP/1.1\r\n\r\n"), *talk.close()]
    assert "GET /" in [one.event.summary() for one in wire.observe(wire.pcap(wire.frames(packets)))]


@pytest.mark.parametrize("connections", ["failures", "all"])
def test_what_no_room_knows_is_given_up_on_an_amt_port_too(connections):
    """After so many tries, however long it goes on; the bytes are counted all the same where outcomes are told."""
    asked = []

    def watched(room):
        def recognise(data, direction, context):
            asked.append(len(data))
            return room.recognise(data, direction, context)

        def begins_inside(data, direction):
            asked.append(len(data))
            return room.begins_inside(data, direction)

        return room._replace(recognise=recognise, begins_inside=begins_inside if room.begins_inside else None)

    times = []
    for packets in (3000, 4000):
        talk = wire.Talk(dport=16_993)
        opening, said = talk.open(), talk.say(b"\xc8" * 100 * packets, 1, 100)
        asked.clear()
        engine = Engine(registry=tuple(map(watched, REGISTRY)), connections=connections)
        stated = [one.event for one in engine.observe(wire.raw_packets(wire.pcap(wire.frames([*opening, *said]))))]
        times.append((len(asked), max(asked)))
        sizes = [event.server_bytes for event in stated if type(event).__name__ == "Connection"]
        assert sizes == [100 * packets] * (connections == "all")
    assert times[0] == times[1]


@pytest.mark.parametrize("hello", [wire.PSK_HELLO, wire.PKI_HELLO], ids=["psk", "pki"])
@pytest.mark.parametrize("connections", ["failures", "all"])
def test_a_hello_in_several_segments_is_stated_as_in_one(hello, connections):
    """But for the packets that carry it."""

    def stated(size):
        talk = wire.Talk()
        packets = wire.frames([*talk.open(), *talk.say(hello, 0, size), *talk.close()])
        found = Engine(connections=connections).observe(wire.raw_packets(wire.pcap(packets, step=0)))
        return [(one.event, one.packets, one.flow, one.direction, one.offset) for one in found if one.flow]

    whole = stated(len(hello))
    assert whole[0][1] == (4,)
    for size, packets in ((len(hello) - 1, (4, 5)), (len(hello) // 2 + 1, (4, 5)), (1, (*range(4, 4 + len(hello)),))):
        split = stated(size)
        assert split[0][1] == packets
        assert [(event, *rest) for event, _, *rest in split] == [(event, *rest) for event, _, *rest in whole]
