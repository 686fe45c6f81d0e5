"""DHCP for IPv4 against known bytes, tshark and mutations."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_CLIENT, TO_SERVER, Endpoint, Malformed
from amtdecode.protocols.dhcp import DHCP
from amtdecode.protocols.dhcp.fields4 import ACK, COOKIE
from amtdecode.protocols.dhcp.spec4 import MESSAGE
from amtdecode.protocols.dhcp.v4 import DhcpMessage, read
from amtdecode.protocols.dissector import NO, YES, Context

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = Context("udp", Endpoint(bytes(4), 68), Endpoint(b"\xff" * 4, 67))
MAC = bytes.fromhex("001122334455")


def options(*pairs: tuple[int, bytes]) -> bytes:
    return b"".join(bytes([code, len(value)]) + value for code, value in pairs)


def message(area: bytes, operation: int = 2, yiaddr: bytes = bytes(4), sname: bytes = b"", file: bytes = b"") -> bytes:
    head = struct.pack(
        ">BBBBIHH4s4s4s4s16s64s128s",
        operation,
        1,
        6,
        0,
        0x3903F326,
        0,
        0x8000,
        bytes(4),
        yiaddr,
        bytes(4),
        bytes(4),
        MAC,
        sname,
        file,
    )
    return head + COOKIE + area


LEASE = message(
    options(
        (53, b"\5"),
        (54, b"\xc0\0\2\1"),
        (51, struct.pack(">I", 3600)),
        (58, struct.pack(">I", 1800)),
        (59, struct.pack(">I", 3150)),
        (1, b"\xff\xff\xff\0"),
        (3, b"\xc0\0\2\1"),
        (6, b"\xc0\0\2\2\xc0\0\2\3"),
        (15, b"example.com"),
        (81, b"\3\xff\xffpc5.example.com"),
        (97, b"\0" + bytes.fromhex("4b529b93d413181de4871c697a6b7a2b")),
    )
    + b"\xff"
    + bytes(20),
    yiaddr=b"\xc0\0\2\x63",
)


def one(data: bytes) -> DhcpMessage:
    (event,) = read(data)
    assert isinstance(event, DhcpMessage)
    return event


def test_a_lease_gives_its_fields():
    assert one(LEASE).fields() == {
        "dhcp.type": 2,
        "dhcp.id": 0x3903F326,
        "dhcp.hw.mac_addr": "00:11:22:33:44:55",
        "dhcp.ip.client": "0.0.0.0",
        "dhcp.ip.your": "192.0.2.99",
        "dhcp.ip.server": "0.0.0.0",
        "dhcp.ip.relay": "0.0.0.0",
        "dhcp.option.type": [53, 54, 51, 58, 59, 1, 3, 6, 15, 81, 97],
        "dhcp.option.dhcp": ACK,
        "dhcp.option.dhcp_server_id": "192.0.2.1",
        "dhcp.option.ip_address_lease_time": 3600,
        "dhcp.option.renewal_time_value": 1800,
        "dhcp.option.rebinding_time_value": 3150,
        "dhcp.option.subnet_mask": "255.255.255.0",
        "dhcp.option.router": ["192.0.2.1"],
        "dhcp.option.domain_name_server": ["192.0.2.2", "192.0.2.3"],
        "dhcp.option.domain_name": "example.com",
        "iamt.dhcp.option.domain_name.raw": b"example.com".hex(),
        "dhcp.fqdn.flags": 3,
        "dhcp.fqdn.name": "pc5.example.com",
        "dhcp.client_id.uuid": "939b524b-13d4-1d18-e487-1c697a6b7a2b",
    }
    assert one(LEASE).summary() == (
        "DHCP ACK 00:11:22:33:44:55, address 192.0.2.99, host pc5.example.com, domain example.com, "
        "DNS 192.0.2.2 192.0.2.3, lease 3600 s"
    )


def test_a_request_gives_what_the_client_asks():
    area = options(
        (53, b"\3"), (50, b"\xc0\0\2\x63"), (12, b"pc5"), (55, b"\1\3\6\x0f\x51"), (60, b"MSFT 5.0"), (61, b"\1" + MAC)
    )
    event = one(message(area + b"\xff", operation=1))
    fields = event.fields()
    assert fields["dhcp.option.requested_ip_address"] == "192.0.2.99"
    assert fields["dhcp.option.hostname"] == "pc5"
    assert fields["dhcp.option.request_list_item"] == [1, 3, 6, 15, 81]
    assert fields["dhcp.option.vendor_class_id"] == "MSFT 5.0"
    assert fields["iamt.dhcp.client_id"] == "01001122334455"
    assert "dhcp.option.domain_name" not in fields
    assert event.summary() == "DHCP Request 00:11:22:33:44:55, asks for 192.0.2.99, host pc5"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"example.com\0", "example.com"),
        (b"example.com ", "example.com "),
        (b".example.com", ".example.com"),
        (b"a.example.com b.example.com", "a.example.com b.example.com"),
        (b"ex\0ample", "ex"),
        (b"b\xfcro.test", "b\\xfcro.test"),
        (b"", ""),
    ],
)
def test_an_odd_domain_stays_visible(raw, shown):
    event = one(message(options((53, b"\5"), (15, raw)) + b"\xff"))
    assert event.option(15) == raw
    assert event.fields()["dhcp.option.domain_name"] == shown
    assert event.fields()["iamt.dhcp.option.domain_name.raw"] == raw.hex()


def test_split_options_are_put_together():
    """RFC 3396: parts of one code are one value, wherever they stand."""
    event = one(message(options((15, b"exam"), (53, b"\5"), (15, b"ple.com"), (6, b"\xc0\0"), (6, b"\2\2")) + b"\xff"))
    assert event.domain_name == "example.com"
    assert event.dns_servers == ("192.0.2.2",)
    assert [code for code, _ in event.options] == [15, 53, 6]


def test_overloaded_fields_hold_options():
    """RFC 2131 section 4.1: the options area, then file, then sname."""
    data = message(
        options((53, b"\5"), (52, b"\3"), (15, b"a")) + b"\xff",
        file=options((15, b"b")) + b"\xff",
        sname=options((15, b"c")) + b"\xff",
    )
    assert one(data).domain_name == "abc"
    only_file = data.replace(b"\x34\1\3", b"\x34\1\1")
    assert one(only_file).domain_name == "ab"
    no_overload = data.replace(b"\x34\1\3", b"\x34\1\0")
    assert one(no_overload).domain_name == "a"


def test_a_name_in_wire_form():
    event = one(message(options((53, b"\5"), (81, b"\4\0\0\3pc5\7example\3com\0")) + b"\xff"))
    assert event.fqdn == "pc5.example.com"


@pytest.mark.parametrize(
    ("area", "reason"),
    [
        (options((53, b"\5"), (15, b"example.com")) + b"\6", "option 6 has no length"),
        (options((53, b"\5"), (15, b"example.com")) + b"\6\x08\xc0\0", "option 6 wants 8 bytes, 2 are left"),
        (options((53, b"\5"), (15, b"example.com"), (6, b"\xc0\0\2\2\1")) + b"\xff", "option 6 has 5 bytes"),
        (options((53, b"\5"), (51, b"\1"), (15, b"example.com")) + b"\xff", "option 51 has 1 byte"),
        (
            options((53, b"\5"), (81, b"\4\0\0\x09pc5"), (15, b"example.com")) + b"\xff",
            "option 81 is not a name in wire form, as its flag says",
        ),
    ],
)
def test_a_fault_keeps_the_other_options(area, reason):
    event, fault = read(message(area))
    assert event.domain_name == "example.com"
    assert event.message_type == ACK
    assert isinstance(fault, Malformed)
    assert fault.reason == reason
    assert event.summary().startswith("DHCP ACK")


def test_a_cut_header_is_malformed():
    assert read(LEASE[:200]) == [Malformed("dhcp", "200 of 240 header bytes", LEASE[:200])]
    assert read(LEASE[:236] + b"\0\0\0\0")[0].reason == "no magic cookie"


def test_other_hardware_has_no_mac():
    token_ring = LEASE[:1] + b"\6" + LEASE[2:]
    assert one(token_ring).mac == ""
    assert "dhcp.hw.mac_addr" not in one(token_ring).fields()


def address(packed: bytes) -> str:
    return Endpoint(packed, 0).address


@given(st.binary(min_size=236, max_size=236))
def test_the_header_is_read_as_declared(head):
    declared = MESSAGE.parse(head + COOKIE + b"\xff")
    event = read(head + COOKIE + b"\xff")[0]
    assert isinstance(event, DhcpMessage)
    assert (event.operation, event.transaction) == (declared.op, declared.xid)
    assert event.mac == (declared.chaddr.address.hex(":") if (declared.htype, declared.hlen) == (1, 6) else "")
    shown = (event.client_address, event.your_address, event.next_server, event.relay)
    assert shown == tuple(map(address, (declared.ciaddr, declared.yiaddr, declared.siaddr, declared.giaddr)))


def test_recognition_by_content():
    assert DHCP.recognise(LEASE, TO_SERVER, CONTEXT) == YES
    assert DHCP.recognise(LEASE[:239], TO_SERVER, CONTEXT) == NO
    assert DHCP.recognise(b"\3" + LEASE[1:], TO_SERVER, CONTEXT) == NO
    assert DHCP.recognise(LEASE[:236] + bytes(20), TO_SERVER, CONTEXT) == NO
    elsewhere = CONTEXT._replace(client=Endpoint(bytes(4), 4011), server=Endpoint(bytes(4), 4011))
    assert DHCP.recognise(LEASE, TO_CLIENT, elsewhere) == YES


def test_each_datagram_is_one_statement_with_its_place():
    dissector = DHCP.dissector(CONTEXT)
    first = list(dissector.receive_data(TO_SERVER, LEASE))
    second = list(dissector.receive_data(TO_SERVER, LEASE))
    assert [(s.start, s.end) for s in first + second] == [(0, len(LEASE)), (0, len(LEASE))]
    assert first[0].event == second[0].event


@given(
    st.binary(max_size=400)
    | st.binary(max_size=80).map(message)
    | st.tuples(st.integers(0, len(LEASE)), st.binary(max_size=12)).map(
        lambda patch: LEASE[: patch[0]] + patch[1] + LEASE[patch[0] + len(patch[1]) :]
    )
)
def test_any_bytes_give_events_and_listed_fields_only(data):
    listed = {field.name for field in DHCP.fields()}
    DHCP.recognise(data, TO_SERVER, CONTEXT)
    for statement in DHCP.dissector(CONTEXT).receive_data(TO_SERVER, data or b"\0"):
        assert statement.event.summary()
        if isinstance(statement.event, DhcpMessage):
            assert set(statement.event.fields()) <= listed


COLUMNS = [
    "dhcp.type",
    "dhcp.id",
    "dhcp.hw.mac_addr",
    "dhcp.ip.client",
    "dhcp.ip.your",
    "dhcp.ip.server",
    "dhcp.ip.relay",
    "dhcp.option.type",
    "dhcp.option.dhcp",
    "dhcp.option.dhcp_server_id",
    "dhcp.option.requested_ip_address",
    "dhcp.option.ip_address_lease_time",
    "dhcp.option.renewal_time_value",
    "dhcp.option.rebinding_time_value",
    "dhcp.option.subnet_mask",
    "dhcp.option.router",
    "dhcp.option.domain_name_server",
    "dhcp.option.hostname",
    "dhcp.option.domain_name",
    "dhcp.option.vendor_class_id",
    "dhcp.option.request_list_item",
    "dhcp.fqdn.flags",
    "dhcp.fqdn.name",
    "dhcp.client_id.uuid",
    "dhcp.option.option_overload",
]


def tshark_rows(tshark: str, capture: Path) -> list[tuple[bytes, dict[str, str]]]:
    columns = [part for column in ["udp.payload", *COLUMNS] for part in ("-e", column)]
    command = [
        tshark,
        "-n",
        "-r",
        str(capture),
        "-Y",
        "dhcp && !_ws.malformed",
        "-T",
        "fields",
        "-E",
        "aggregator=|",
        *columns,
    ]
    lines = oracle.run(command, check=True, text=True).stdout.splitlines()
    cells = [line.split("\t") for line in lines]
    return [(bytes.fromhex(row[0]), dict(zip(COLUMNS, row[1:], strict=True))) for row in cells]


def compare(event: DhcpMessage, row: dict[str, str]) -> None:
    row = dict(row)
    row["dhcp.hw.mac_addr"] = row["dhcp.hw.mac_addr"].partition("|")[0]  # tshark repeats it for option 61
    codes = row["dhcp.option.type"].split("|")
    row["dhcp.option.type"] = "|".join(code for code in codes if code != "0")  # tshark's 0 is the end of an area
    row["dhcp.id"] = str(int(row["dhcp.id"], 16))
    if row["dhcp.fqdn.flags"]:
        row["dhcp.fqdn.flags"] = str(int(row["dhcp.fqdn.flags"], 16))
    fields = event.fields()
    for column, theirs in row.items():
        ours = fields.get(column, "")
        assert ("|".join(map(str, ours)) if isinstance(ours, list) else str(ours)) == theirs, column


@pytest.mark.parametrize(
    ("path", "messages"),
    [
        ("zeek/dhcp/dhcp.pcap", 9),
        ("zeek/dhcp/dhcp-unique-xid-join-data-growth.pcapng", 50),
        ("zeek/dhcp/dhcp_ack_subscriber_id_and_agent_remote_id.pcap", 1),
        ("zeek/dhcp/dhcp_discover_param_req_and_client_id.pcap", 1),
        ("zeek/dhcp/dhcp_inform.pcap", 2),
        ("zeek/dhcp/dhcp_time_and_nameserver.pcap", 2),
        ("tcpdump/dhcp-mud.pcap", 2),
        ("tcpdump/dhcp-option-108.pcapng", 2),
        ("tcpdump/dhcp-rfc5859.pcap", 4),
        ("wireshark/captures/dhcp.pcap", 4),
    ],
)
def test_agrees_with_tshark(shared, tshark, path, messages):
    rows = tshark_rows(tshark, shared / "captures" / "third-party" / path)
    assert len(rows) == messages
    for payload, row in rows:
        compare(one(payload), row)


def test_agrees_with_tshark_on_synthetic_leases(tshark, tmp_path):
    """Ours in a pcap, since no public capture holds options 81 and 97, overloading, or an odd option 15."""
    area = options((53, b"\5"), (12, b"pc5\0"), (15, b"example.com\0"), (81, b"\4\0\0\3pc5\7example\3com\0")) + b"\xff"
    overloaded = message(options((53, b"\5"), (52, b"\1")) + b"\xff", file=options((15, b"example.com")) + b"\xff")
    made = [LEASE, message(area), overloaded]
    path = tmp_path / "leases.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for data in made:
            udp = struct.pack(">HHHH", 67, 68, 8 + len(data), 0) + data
            packet = (
                struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\xc0\0\2\1", b"\xff" * 4) + udp
            )
            file.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    rows = tshark_rows(tshark, path)
    assert [payload for payload, _ in rows] == made
    for payload, row in rows:
        compare(one(payload), row)


def test_broken_messages_of_others_raise_nothing(shared, tshark):
    for path in (
        "tcpdump/bootp_asan.pcap",
        "tcpdump/bootp_asan-2.pcap",
        "zeek/dhcp/dhcp_bad_cookie_option_retention.pcap",
    ):
        command = [
            tshark,
            "-n",
            "-r",
            str(shared / "captures" / "third-party" / path),
            "-T",
            "fields",
            "-e",
            "udp.payload",
        ]
        lines = oracle.run(command, check=True, text=True).stdout.split()
        for line in lines:
            assert all(event.summary() for event in read(bytes.fromhex(line)))
