"""DHCPv6 against its construct spec, known bytes, tshark and mutations."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import oracle
import pytest
from construct import ConstructError
from hypothesis import given, settings
from hypothesis import strategies as st

from amtdecode.model import TO_SERVER, Endpoint, LimitReached, Malformed
from amtdecode.protocols.dhcp import DHCPV6
from amtdecode.protocols.dhcp.spec6 import MESSAGE
from amtdecode.protocols.dhcp.v6 import MAX_RELAYS, Dhcpv6Message, Lease, Relay, read
from amtdecode.protocols.dissector import NO, YES, Context

LINK_LOCAL, ALL_SERVERS = ip_address("fe80::1").packed, ip_address("ff02::1:2").packed
CONTEXT = Context("udp", Endpoint(LINK_LOCAL, 546), Endpoint(ALL_SERVERS, 547))
DUID = bytes.fromhex("00030001001122334455")
ADDRESS = ip_address("2001:db8::63").packed


def option(code: int, value: bytes) -> bytes:
    return code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def message(*options: bytes, kind: int = 7) -> bytes:
    return bytes([kind]) + b"\x12\x34\x56" + b"".join(options)


def relayed(inner: bytes, hops: int = 0, kind: int = 12) -> bytes:
    return bytes([kind, hops]) + ip_address("2001:db8::1").packed + LINK_LOCAL + option(9, inner)


LEASE = option(5, ADDRESS + (300).to_bytes(4, "big") + (600).to_bytes(4, "big") + option(13, b"\0\0ok"))
REPLY = message(
    option(1, DUID),
    option(2, b"\0\1\0\1\x18\xf0\x0b\x3f\0\x0c\x29\x38\xf3\x68"),
    option(3, b"\2\3\4\5" + bytes(8) + LEASE),
    option(23, ip_address("2001:db8::53").packed),
    option(24, b"\7example\3com\0\3lab\7example\3com\0"),
    option(39, b"\1\3pc5\7example\3com\0"),
)


def test_a_reply_gives_its_fields():
    (event,) = read(REPLY)
    assert event.fields() == {
        "dhcpv6.msgtype": [7],
        "dhcpv6.xid": 0x123456,
        "dhcpv6.option.type": [1, 2, 3, 5, 13, 23, 24, 39],
        "dhcpv6.duid.bytes": [DUID.hex(), "0001000118f00b3f000c2938f368"],
        "iamt.dhcpv6.client.mac": "00:11:22:33:44:55",
        "dhcpv6.iaid": ["02030405"],
        "dhcpv6.iaaddr.ip": ["2001:db8::63"],
        "dhcpv6.iaaddr.pref_lifetime": [300],
        "dhcpv6.iaaddr.valid_lifetime": [600],
        "dhcpv6.dns_server": ["2001:db8::53"],
        "dhcpv6.search_list_entry": ["example.com", "lab.example.com"],
        "iamt.dhcpv6.domain_list.raw": b"\7example\3com\0\3lab\7example\3com\0".hex(),
        "dhcpv6.client_domain": "pc5.example.com",
        "dhcpv6.status_code": [0],
    }
    assert event.summary() == (
        "DHCPv6 Reply 00:11:22:33:44:55, address 2001:db8::63, host pc5.example.com, "
        "domains example.com lab.example.com, DNS 2001:db8::53"
    )
    assert event.leases == (Lease("2001:db8::63", 300, 600),)


def test_relays_are_unwrapped():
    (event,) = read(relayed(relayed(REPLY, 0, 13), 1, 13))
    assert event.relays == (Relay(13, 1, "2001:db8::1", "fe80::1"), Relay(13, 0, "2001:db8::1", "fe80::1"))
    assert event.message_type == 7
    assert event.domains == ("example.com", "lab.example.com")
    assert event.summary().endswith("through 2 relays")
    assert event.fields()["dhcpv6.msgtype"] == [13, 13, 7]


def test_too_many_relays_are_said():
    data = REPLY
    for hops in range(MAX_RELAYS):
        data = relayed(data, hops)
    assert isinstance(read(data)[0], Dhcpv6Message)
    assert read(relayed(data)) == [LimitReached("dhcpv6", "MAX_RELAYS", 8, "the message inside is not read")]


def test_a_uuid_in_the_duid():
    duid = bytes.fromhex("0004a256e92e40abd0d2a3ab3b3ff2ff8998")
    (event,) = read(message(option(1, duid), kind=1))
    assert event.uuid == "a256e92e-40ab-d0d2-a3ab-3b3ff2ff8998"
    assert event.mac == ""
    assert event.summary() == "DHCPv6 Solicit a256e92e-40ab-d0d2-a3ab-3b3ff2ff8998"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (message(option(1, DUID)) + b"\0\x17\0\x10abc", "option 23 wants 16 bytes, 3 are left"),
        (message(option(1, DUID)) + b"\0\x17", "2 bytes where an option should begin"),
        (message(option(23, bytes(17)), option(1, DUID)), "option 23 has 17 bytes"),
        (message(option(24, b"example.com"), option(1, DUID)), "option 24 is not a list of names in wire form"),
        (message(option(24, b"\7example\3com"), option(1, DUID)), "option 24 is not a list of names in wire form"),
        (message(option(39, b""), option(1, DUID)), "option 39 has 0 of 1 bytes"),
        (message(option(3, bytes(11)), option(1, DUID)), "option 3 has 11 of 12 bytes"),
        (message(option(3, bytes(12) + option(5, bytes(23))), option(1, DUID)), "option 5 has 23 of 24 bytes"),
        (message(option(3, bytes(12) + option(13, b"\0")), option(1, DUID)), "option 13 has 1 of 2 bytes"),
    ],
)
def test_a_fault_keeps_the_other_options(data, reason):
    event, fault = read(data)
    assert event.client_id == DUID
    assert isinstance(fault, Malformed)
    assert fault.reason == reason
    with pytest.raises(ConstructError):
        MESSAGE.parse(data)


def test_a_list_of_names_written_as_text_is_kept_as_bytes():
    event, _ = read(message(option(24, b"example.com")))
    assert event.domain_list == b"example.com"
    assert event.fields()["iamt.dhcpv6.domain_list.raw"] == b"example.com".hex()


@pytest.mark.parametrize(
    "data", [b"", b"\7\1", relayed(REPLY)[:30], relayed(b""), relayed(b"\7\1"), bytes([12]) + bytes(33)]
)
def test_no_message_is_malformed(data):
    (fault,) = read(data)
    assert isinstance(fault, Malformed)


def reference(data: bytes) -> Dhcpv6Message:
    """The same event out of the construct spec."""
    relays: list[Relay] = []
    found: dict[str, Any] = {}

    def add(name: str, value: object) -> None:
        found[name] = (*found.get(name, ()), value)

    def walk(options: Any) -> None:
        for each in options:
            add("options", each.code)
            value = each.value
            if each.code in (1, 2):
                found["client_id" if each.code == 1 else "server_id"] = value
            elif each.code in (3, 4):
                if each.code == 3:
                    add("associations", value.iaid)
                for inner in value.options:
                    add("options", inner.code)
                    if inner.code == 5:
                        address = str(ip_address(inner.value.address))
                        add("leases", Lease(address, inner.value.preferred, inner.value.valid))
                        for deeper in inner.value.options:
                            add("options", deeper.code)
                            if deeper.code == 13:
                                add("statuses", deeper.value.code)
                    elif inner.code == 13:
                        add("statuses", inner.value.code)
            elif each.code == 13:
                add("statuses", value.code)
            elif each.code == 23:
                for address in value.addresses:
                    add("dns_servers", str(ip_address(address)))
            elif each.code == 24:
                found["domain_list"] = b"".join(
                    bytes([len(label)]) + label for name in value.names for label in name.labels
                )
            elif each.code == 39:
                found["client_fqdn"] = bytes([value.flags]) + b"".join(
                    bytes([len(label)]) + label for label in value.name.labels
                )

    parsed = MESSAGE.parse(data)
    while parsed.type in (12, 13):
        body = parsed.body
        relays.append(Relay(parsed.type, body.hops, str(ip_address(body.link)), str(ip_address(body.peer))))
        walk(body.options)
        parsed = body.inner
    walk(parsed.body.options)
    return Dhcpv6Message(parsed.type, int.from_bytes(parsed.body.transaction, "big"), tuple(relays), **found)


LABEL = st.binary(max_size=5).map(lambda raw: bytes([len(raw)]) + raw)
WIRE_NAMES = st.lists(LABEL, max_size=4).map(b"".join) | st.lists(LABEL, max_size=4).map(lambda x: b"".join(x) + b"\0")
STATUS = st.builds(option, st.just(13), st.binary(max_size=6))
IA_ADDRESS = st.builds(
    lambda size, rest: option(5, bytes(size) + rest),
    st.sampled_from([23, 24, 24, 24]),
    STATUS | st.binary(max_size=5) | st.just(b""),
)
IA_BODY = st.builds(
    lambda size, parts: bytes(range(size)) + b"".join(parts),
    st.sampled_from([4, 11, 12, 12, 12]),
    st.lists(IA_ADDRESS | STATUS | st.builds(option, st.integers(0, 40), st.binary(max_size=6)), max_size=3),
)
OPTION = (
    st.builds(option, st.sampled_from([3, 4]), IA_BODY)
    | st.builds(option, st.sampled_from([24, 39]), WIRE_NAMES | st.binary(max_size=8))
    | st.builds(option, st.just(23), st.sampled_from([0, 15, 16, 32]).map(bytes))
    | st.builds(option, st.integers(0, 50), st.binary(max_size=20))
    | STATUS
)
PLAIN = st.builds(
    lambda kind, options, tail: bytes([kind]) + b"\1\2\3" + b"".join(options) + tail,
    st.integers(0, 11),
    st.lists(OPTION, max_size=4),
    st.just(b"") | st.binary(max_size=6),
)
RELAYED = st.recursive(
    PLAIN,
    lambda inner: st.builds(
        lambda kind, before, wrapped, after: (
            bytes([kind, 3]) + bytes(32) + b"".join(before) + option(9, wrapped) + b"".join(after)
        ),
        st.sampled_from([12, 13]),
        st.lists(OPTION, max_size=2),
        inner,
        st.lists(OPTION, max_size=2),
    ),
    max_leaves=3,
)
PATCHED = st.builds(
    lambda data, at, patch: data[:at] + patch + data[at + len(patch) :],
    st.sampled_from([REPLY, relayed(REPLY)]),
    st.integers(0, 200),
    st.binary(max_size=6),
)


@settings(max_examples=400)
@given(RELAYED | PATCHED | st.binary(max_size=80))
def test_the_fast_reader_agrees_with_the_spec(data):
    """On good bytes both give the same message; on bad bytes the one raises and the other states a fault."""
    events = read(data)
    try:
        theirs = reference(data)
    except ConstructError:
        assert any(isinstance(event, Malformed) for event in events)
        assert not isinstance(events[-1], Dhcpv6Message)
    else:
        assert events == [theirs]


@given(RELAYED | PATCHED | st.binary(max_size=80))
def test_any_bytes_give_events_and_listed_fields_only(data):
    listed = {field.name for field in DHCPV6.fields()}
    assert DHCPV6.recognise(data, TO_SERVER, CONTEXT) in (NO, YES)
    assert DHCPV6.recognise(data, TO_SERVER, CONTEXT._replace(client=Endpoint(bytes(16), 9))) in (NO, YES)
    for statement in DHCPV6.dissector(CONTEXT).receive_data(TO_SERVER, data or b"\0"):
        assert statement.event.summary()
        if isinstance(statement.event, Dhcpv6Message):
            assert set(statement.event.fields()) <= listed


def test_recognition_by_content():
    elsewhere = CONTEXT._replace(client=Endpoint(LINK_LOCAL, 40000), server=Endpoint(ALL_SERVERS, 40001))
    assert DHCPV6.recognise(REPLY, TO_SERVER, elsewhere) == YES
    assert DHCPV6.recognise(relayed(REPLY), TO_SERVER, elsewhere) == YES
    assert DHCPV6.recognise(message(option(14, b"")), TO_SERVER, elsewhere) == NO  # no id: not enough to tell
    assert DHCPV6.recognise(message(option(14, b"")), TO_SERVER, CONTEXT) == YES
    assert DHCPV6.recognise(b"\x2a" + REPLY[1:], TO_SERVER, CONTEXT) == NO
    assert DHCPV6.recognise(REPLY, TO_SERVER, CONTEXT._replace(transport="tcp")) == NO
    assert DHCPV6.recognise(b"\1\0\0\1" + b"\0\0\0\0\0\0", TO_SERVER, elsewhere) == NO


COLUMNS = [
    "dhcpv6.msgtype",
    "dhcpv6.xid",
    "dhcpv6.hopcount",
    "dhcpv6.linkaddr",
    "dhcpv6.peeraddr",
    "dhcpv6.duid.bytes",
    "dhcpv6.iaid",
    "dhcpv6.iaaddr.ip",
    "dhcpv6.iaaddr.pref_lifetime",
    "dhcpv6.iaaddr.valid_lifetime",
    "dhcpv6.dns_server",
    "dhcpv6.search_list_entry",
    "dhcpv6.client_domain",
    "dhcpv6.status_code",
    "dhcpv6.option.type",
]


@pytest.mark.parametrize(
    ("path", "messages"),
    [
        ("dhcpv6-domain-list.pcap", 1),
        ("dhcpv6-ia-na.pcap", 4),
        ("dhcpv6-ia-ta.pcap", 4),
        ("dhcpv6-mud.pcap", 5),
        ("dhcpv6-ntp-server.pcap", 1),
        ("dhcpv6-rfc6355-duid-uuid.pcap", 2),
        ("dhcpv6-rfc8415-duid-type2.pcap", 1),
        ("dhcpv6-sip-server-d.pcap", 1),
        ("dhcpv4v6-rfc5970-rfc8572.pcap", 10),
    ],
)
def test_agrees_with_tshark(shared, tshark, path, messages):
    columns = [part for column in ["udp.payload", *COLUMNS] for part in ("-e", column)]
    command = [
        tshark,
        "-n",
        "-r",
        str(shared / "captures" / "third-party" / "tcpdump" / path),
        "-Y",
        "dhcpv6",
        "-T",
        "fields",
        "-E",
        "aggregator=|",
        *columns,
    ]
    lines = oracle.run(command, check=True, text=True).stdout.splitlines()
    assert len(lines) == messages
    for line in lines:
        payload, *cells = line.split("\t")
        (event,) = read(bytes.fromhex(payload))
        row = {
            column: [cell for cell in value.split("|") if cell] for column, value in zip(COLUMNS, cells, strict=True)
        }
        row["dhcpv6.xid"] = [str(int(row["dhcpv6.xid"][0], 16))]
        row["dhcpv6.search_list_entry"] = [name.rstrip(".") for name in row["dhcpv6.search_list_entry"]]
        fields = event.fields()
        for column, theirs in row.items():
            ours = fields.get(column, [])
            ours = [str(value) for value in ours] if isinstance(ours, list) else [str(ours)]
            if column == "dhcpv6.duid.bytes":
                assert sorted(ours) == sorted(theirs)  # ours: the client's first
            elif (
                column != "dhcpv6.option.type" or len(row["dhcpv6.msgtype"]) == 1
            ):  # of relays ours lists the outer first
                assert ours == theirs, column
            else:
                assert sorted(ours) == sorted(theirs)


def test_a_broken_message_of_others_raises_nothing(shared, tshark):
    capture = shared / "captures" / "third-party" / "tcpdump" / "dhcp6_reconf_asan.pcap"
    command = [tshark, "-n", "-r", str(capture), "-T", "fields", "-e", "udp.payload"]
    payload = oracle.run(command, check=True, text=True).stdout.strip()
    assert any(isinstance(event, Malformed) for event in read(bytes.fromhex(payload)))
