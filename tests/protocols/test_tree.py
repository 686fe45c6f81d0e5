"""`Observation.tree()`: what the bytes of a message are, and where; against tshark and the rooms' readers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pdml
import pytest
import wire
from construct import ConstructError
from hypothesis import example, given, settings
from hypothesis import strategies as st

import amtdecode
from amtdecode.capture import open_capture
from amtdecode.engine import Engine
from amtdecode.engine.kept import Kept
from amtdecode.errors import UsageError
from amtdecode.fields import BYTES, STRING, Field
from amtdecode.model import Malformed
from amtdecode.protocols.arp import ArpMessage
from amtdecode.protocols.dhcp.fields4 import COOKIE
from amtdecode.protocols.dhcp.v4 import DhcpMessage
from amtdecode.protocols.dhcp.v6 import Dhcpv6Message
from amtdecode.protocols.dns.message import AAAA, CNAME, MAX_ANSWERS, PTR, SRV, A, Answer, DnsMessage, read
from amtdecode.protocols.dns.spec import MESSAGE
from amtdecode.protocols.hello import HelloMessage
from amtdecode.tree import node

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
ASKED = bytes.fromhex("0001080006040001001122334455c0000201000000000000c0000202")


def walk(observation):
    return [one for root in observation.tree() for one in root.walk() if one.name]


def test_the_tree_of_an_arp_request():
    assert [(one.name, one.value, one.words, one.start, one.length) for one in ArpMessage(ASKED).tree(ASKED)] == [
        ("arp.hw.type", 1, "Ethernet", 0, 2),
        ("arp.proto.type", 0x0800, "IPv4", 2, 2),
        ("arp.hw.size", 6, "", 4, 1),
        ("arp.proto.size", 4, "", 5, 1),
        ("arp.opcode", 1, "request", 6, 2),
        ("arp.src.hw_mac", "00:11:22:33:44:55", "", 8, 6),
        ("arp.src.proto_ipv4", "192.0.2.1", "", 14, 4),
        ("arp.dst.hw_mac", "00:00:00:00:00:00", "", 18, 6),
        ("arp.dst.proto_ipv4", "192.0.2.2", "", 24, 4),
    ]


def test_a_cut_message_gives_what_stands_before_the_cut():
    for size in range(len(ASKED) + 1):
        tree = ArpMessage(ASKED).tree(ASKED[:size])
        assert sum(one.length for one in tree) == max(end for end in (0, 2, 4, 5, 6, 8, 14, 18, 24, 28) if end <= size)


def test_a_hello_in_two_segments_keeps_its_bytes(tmp_path):
    for cut in (1, 20, 40):
        path = tmp_path / f"{cut}.pcap"
        talk = wire.Talk()
        path.write_bytes(wire.pcap(wire.frames([*talk.open(), *talk.say(wire.PKI_HELLO, size=cut), *talk.close()])))
        (one,) = (o for o in Engine(pdus=True).observe(open_capture(str(path))) if isinstance(o.event, HelloMessage))
        assert one.pdu == wire.PKI_HELLO
        (version,) = (each for each in walk(one) if each.name == "iamt.hello.version")
        assert (version.value, version.words, version.start, version.length) == (3, "PKI", 2, 2)


def test_without_the_bytes_there_is_no_tree():
    one = next(o for o in amtdecode.read(PCAPS / "hello.pcap") if isinstance(o.event, HelloMessage))
    assert one.pdu is None
    with pytest.raises(UsageError, match="pdus=True"):
        one.tree()


def test_bytes_are_kept_from_the_floor_on_and_holes_are_not_filled():
    kept = Kept()
    kept.add(0, b"abcd", 0)
    kept.add(4, b"efgh", 0)
    assert [kept.part(0, 8), kept.part(3, 5), kept.part(4, 4)] == [b"abcdefgh", b"de", b""]
    kept.add(10, b"klmn", 4)
    assert [kept.part(0, 4), kept.part(4, 8), kept.part(7, 11), kept.part(10, 14)] == [b"", b"efgh", b"", b"klmn"]
    kept.add(14, bytes(2 << 20), 4)
    assert (kept.part(4, 8), len(kept.part(14, 14 + (2 << 20)))) == (b"", 2 << 20)


def test_a_secret_is_masked_in_repr_only():
    one = node(Field("x.password", STRING, "a secret", secret=True), "P4ssw0rd!", 3, 9)
    assert one.value == "P4ssw0rd!"
    assert "P4ss" not in repr(one)
    assert "P4ss" not in str(one.__rich_repr__())
    assert "616263" in repr(node(Field("x.data", BYTES, "bytes"), b"abc", 0, 3))


# -- tshark ----------------------------------------------------------------------------------------------------------

MESSAGES = {"arp": ArpMessage, "dns": DnsMessage, "dhcp": DhcpMessage, "dhcpv6": Dhcpv6Message}
OF_SHARED = {  # below captures/
    "arp": ("third-party/wireshark/captures/arp.pcap", "third-party/zeek/linuxsll-arp.pcap"),
    "dns": (
        "loopback/dns/provisionserver_dns.pcap",
        "third-party/tcpdump/dns_tcp.pcap",
        "third-party/tcpdump/dns_udp.pcap",
        "third-party/tcpdump/dnssec.pcap",
        "third-party/wireshark/captures/dns-ooo.pcap",
    ),
    "dhcp": (
        "third-party/tcpdump/dhcp-mud.pcap",
        "third-party/tcpdump/dhcp-rfc5859.pcap",
        "third-party/wireshark/captures/dhcp.pcap",
        "third-party/zeek/dhcp/dhcp.pcap",
    ),
    "dhcpv6": (
        "third-party/tcpdump/dhcpv6-domain-list.pcap",
        "third-party/tcpdump/dhcpv6-ia-na.pcap",
        "third-party/tcpdump/dhcpv6-ia-ta.pcap",
        "third-party/tcpdump/dhcpv6-mud.pcap",
        "third-party/tcpdump/dhcpv6-rfc6355-duid-uuid.pcap",
        "third-party/tcpdump/dhcpv6-vendor-specific-information.pcap",
    ),
}


def compared(tshark, path, protocol):
    """Compare every message of a capture; how many there were."""
    messages = MESSAGES[protocol]
    theirs = pdml.places(tshark, path, protocol)
    count = 0
    for one in amtdecode.read(path, pdus=True):
        if not isinstance(one.event, messages):
            continue
        nodes = walk(one)
        names = {field.name for field in messages.declared} | {each.name for each in nodes}
        ours = Counter((each.name, each.start, each.length) for each in nodes if not each.name.startswith("iamt."))
        expected = [
            Counter(
                (name, start, size)
                for name, start, size, _ in fields
                # fields that tshark makes up have no size; its DHCP end and padding are options of type 0
                if name in names and size and not (name == "dhcp.option.type" and size == 1)
            )
            for fields in theirs[one.packet]
        ]
        assert ours in expected, (path, one.packet, ours - expected[0], expected[0] - ours)
        count += 1
    return count


@pytest.mark.parametrize("protocol", MESSAGES)
def test_fields_stand_where_tshark_says(tshark, protocol):
    least = {"arp": 4, "dns": 28, "dhcp": 16, "dhcpv6": 0}
    found = sum(compared(tshark, PCAPS / name, protocol) for name in ("dns.pcap", "office.pcapng"))
    assert found >= least[protocol]


@pytest.mark.parametrize("protocol", MESSAGES)
def test_fields_of_captures_of_others_stand_where_tshark_says(shared, tshark, protocol):
    paths = [shared / "captures" / name for name in OF_SHARED[protocol]]
    assert sum(compared(tshark, path, protocol) for path in paths if path.exists()) > 5


# -- the rooms' readers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hello.pcap", "office.pcapng", "dns.pcap"])
def test_the_tree_tells_what_the_event_tells(name):
    told = 0
    for one in amtdecode.read(PCAPS / name, pdus=True):
        in_tree: dict[str, list] = {}
        for each in walk(one) if one.pdu else ():
            in_tree.setdefault(each.name, []).append(each.value)
        for field, value in one.event.fields().items():
            if field in in_tree:
                told += 1
                assert Counter(value if isinstance(value, list) else [value]) <= Counter(in_tree[field]), field
    assert told > 20


LABEL = st.binary(min_size=1, max_size=5).map(lambda raw: bytes([len(raw)]) + raw)
NAME = st.builds(
    lambda labels, end: b"".join(labels) + end,
    st.lists(LABEL, max_size=3),
    st.just(b"\0") | st.integers(0, 60).map(lambda at: bytes([0xC0, at])),
)
RDATA = (
    st.tuples(st.just(A), st.just(b"\xc0\0\2\1") | st.binary(max_size=6))
    | st.tuples(st.just(AAAA), st.binary(min_size=16, max_size=16))
    | st.tuples(st.sampled_from([CNAME, PTR, 2]), NAME)
    | st.tuples(st.just(SRV), NAME.map(lambda name: bytes(6) + name))
)
RECORD = st.builds(
    lambda name, data, size: (
        name + data[0].to_bytes(2, "big") + b"\0\1\0\0\0\7" + (len(data[1]) + size).to_bytes(2, "big") + data[1]
    ),
    NAME,
    RDATA,
    st.sampled_from([0, 0, 0, 0, 1]),
)
DNS = st.builds(
    lambda flags, names, records, more, tail: (
        b"\x12\x34"
        + flags.to_bytes(2, "big")
        + len(names).to_bytes(2, "big")
        + (len(records) + more).to_bytes(2, "big")
        + bytes(4)
        + b"".join(name + b"\0\1\0\1" for name in names)
        + b"".join(records)
        + tail
    ),
    st.integers(0, 0xFFFF),
    st.lists(NAME, max_size=2),
    st.lists(RECORD, max_size=3),
    st.sampled_from([0, 0, 0, 1]),
    st.binary(max_size=3),
)


def as_declared(data):
    def value(record):
        found = record.data.value
        if record.type in (CNAME, PTR, SRV):
            return found
        from ipaddress import ip_address

        sizes = {A: 4, AAAA: 16}
        return str(ip_address(found)) if len(found) == sizes.get(record.type) else found.hex()

    message = MESSAGE.parse(data)
    question = message.question
    answers = tuple(Answer(each.name, each.type, each.ttl, value(each)) for each in message.answers)
    name, kind = (question.name, question.type) if question is not None else ("", 0)
    return DnsMessage(message.id, message.flags, name, kind, message.count, answers)


@settings(max_examples=400)
@given(DNS | st.binary(min_size=12, max_size=60))
@example(bytes.fromhex("123480000001000100000000") + b"\1a\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\7\0\4\xc0\0\2\1")
@example(bytes.fromhex("123480000001000000000000") + b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + bytes([0xC0, 12]))
def test_the_dns_reader_agrees_with_the_declaration(data):
    """On good bytes both give the same message; on bad bytes the one raises and the other states a fault."""
    event, *faults = read(data)
    broken = any(isinstance(fault, Malformed) for fault in faults)
    try:
        theirs = as_declared(data)
    except ConstructError:
        assert broken
    else:
        assert (event, broken) == (theirs, False)
        assert event.answer_count <= MAX_ANSWERS or faults or data[4:6] > b"\0\1"


EVENTS = (
    ArpMessage(ASKED),
    HelloMessage(0, 3, 0, ""),
    DnsMessage(0x1234, 0x8000, "", 0, 0),
    DhcpMessage(1, 1, ""),
    Dhcpv6Message(1, 1),
)


@given(
    st.sampled_from(EVENTS),
    st.binary(max_size=300) | DNS | st.binary(max_size=80).map(lambda x: bytes(236) + COOKIE + x),
)
def test_no_bytes_are_too_bad_for_a_tree(event, data):
    for root in event.tree(data):
        for each in root.walk():
            assert 0 <= each.start <= each.start + each.length <= len(data)
            assert each.name == "" or each.value is not None


def test_a_chain_of_pointers_ends_in_a_tree():
    chain = bytes.fromhex("123480000001000000000000") + bytes(1) + b"\0\1\0\1"
    at = 12
    for place in range(len(chain), 4000, 2):
        chain += (0xC000 | at).to_bytes(2, "big")
        at = place
    asked = bytes.fromhex("123480000001000100000000") + chain[12:] + (0xC000 | at).to_bytes(2, "big")
    assert DnsMessage(0x1234, 0x8000, "", 0, 0).tree(asked)
