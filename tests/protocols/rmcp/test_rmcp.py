"""RMCP and ASF against known bytes, the declaration, tshark, and mutated datagrams."""

from __future__ import annotations

import pytest
import wire
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st
from rmcp_tshark import ASKED, by_tshark, shown

from amtdecode.model import TO_SERVER, Endpoint, Malformed
from amtdecode.protocols.dissector import NO, YES, Context
from amtdecode.protocols.rmcp import RMCP, AsfMessage, AsfPong, RmcpMessage
from amtdecode.protocols.rmcp.messages import MAX_PAYLOADS, read
from amtdecode.protocols.rmcp.spec import SECURE, UNSECURE

PING = bytes.fromhex("06000006000011be80290000")  # as MeshCentral sends it
AMT6 = bytes.fromhex("06000006000011be4000001000000157426062060020000000000000")
"""Constructed from Intel's layout: port 16992, version 6.2, provisioned, both ports open, DASH."""


def pong(own: str, tag: int = 0x29) -> bytes:
    """A pong with these 16 bytes."""
    return bytes.fromhex(f"0600ff06000011be40{tag:02x}0010" + own)


IPMI_PONG = pong("000011be 00000000 81 00 000000000000")
BMC_OF_INTEL = pong("00000157 00000000 81 00 000000000000")
WAITING = pong("00000157 0000 00 00 00 00 0b 08 00000000")  # AMT 11.8, not configured


def built(
    kind: int, data: dict | None, *, session: tuple[int, int] | None = None, trailer: bytes = b"", **more
) -> bytes:
    """A message out of the declaration."""
    asf = {"iana": 4542, "type": kind, "tag": 7, "reserved": 0, "data": data} | more
    head = {"version": 6, "reserved": 0, "sequence": 255, "kind": 6, "asf": asf, "trailer": trailer}
    if session is None:
        return bytes(UNSECURE.build(head))
    return bytes(SECURE.build({"session": session[0], "number": session[1]} | head))


PAYLOADS = [
    {"type": 1, "reserved": 0, "length": 8, "data": {"algorithm": 1, "reserved": bytes(3)}},
    {"type": 2, "reserved": 0, "length": 8, "data": {"algorithm": 1, "reserved": bytes(3)}},
    {"type": 0, "reserved": 0, "length": 4, "data": b""},
]
CONTROL = {"enterprise": 4542, "command": 1, "parameter": 0x0102, "options": 0x22D8, "oem": 0x0304}
MADE = {
    "reset": built(0x10, CONTROL),
    "power up": built(0x11, CONTROL),
    "power down": built(0x12, b""),
    "power cycle": built(0x13, CONTROL | {"command": 5}),
    "capabilities": built(
        0x41,
        {"enterprise": 343, "oem": 9, "commands": 0x0011, "system": 0xF5, "firmware": 0x01020304, "reserved": b"\0"},
    ),
    "state": built(0x42, {"power": 5, "watchdog": 1, "reserved": b"\0\0"}),
    "ping": built(0x80, b""),
    "ask capabilities": built(0x81, b""),
    "ask state": built(0x82, b""),
    "open": built(0x83, {"console": 0xA1B2C3D4, "payloads": PAYLOADS}, session=(0, 0)),
    "opened": built(
        0x43,
        {"status": 0, "reserved": bytes(3), "console": 0xA1B2C3D4, "client": 5, "payloads": PAYLOADS},
        session=(0, 0),
    ),
    "refused": built(
        0x43, {"status": 1, "reserved": bytes(3), "console": 1, "client": 0, "payloads": []}, session=(0, 0)
    ),
    "close": built(0x84, {"client": 5}, session=(5, 9)),
    "closed": built(0x44, {"status": 2, "reserved": bytes(3)}, session=(5, 9)),
    "rakp 1": built(0xC0, {"client": 5, "random": bytes(range(16)), "role": 1, "user": b"admin"}, session=(0, 0)),
    "rakp 2": built(
        0xC1,
        {
            "status": 0,
            "reserved": bytes(3),
            "console": 0xA1B2C3D4,
            "random": bytes(range(16)),
            "guid": bytes(range(16, 32)),
            "hash": bytes(range(32, 52)),
        },
        session=(0, 0),
    ),
    "rakp 3": built(0xC2, {"status": 0xD, "reserved": bytes(3), "client": 5, "hash": bytes(20)}, session=(0, 0)),
    "reserved bits of the class": PING[:3] + b"\x66" + PING[4:],
    "padded": built(0x80, b"", session=(5, 1), trailer=b"\xff\xff\2\6" + bytes(12)),
}


def one(data: bytes) -> RmcpMessage:
    (event,) = read(data)
    assert isinstance(event, RmcpMessage)
    return event


def context(port: int, transport: str = "udp") -> Context:
    return Context(transport, Endpoint(b"\xc0\0\2\1", 40000), Endpoint(b"\xc0\0\2\2", port))


def test_a_ping() -> None:
    assert one(PING).fields() == {
        "rmcp.version": 6,
        "rmcp.reserved": 0,
        "rmcp.sequence": 0,
        "rmcp.class": 6,
        "rmcp.type": 0,
        "asf.iana": 4542,
        "asf.type": 0x80,
        "asf.tag": 0x29,
        "asf.len": 0,
    }
    assert one(PING).summary() == "ASF presence ping, tag 41"


def test_the_pong_of_amt() -> None:
    fields = one(AMT6).fields()
    assert {name: value for name, value in fields.items() if name.startswith("iamt.")} == {
        "iamt.pong.enterprise": 343,
        "iamt.pong.amt": True,
        "iamt.pong.port": 16992,
        "iamt.pong.version": "6.2",
        "iamt.pong.state": 2,
        "iamt.pong.both_ports": True,
        "iamt.pong.entities": 0,
        "iamt.pong.ipmi": False,
        "iamt.pong.interactions": 0x20,
        "iamt.pong.rsp": False,
        "iamt.pong.dash": True,
    }
    assert one(AMT6).summary() == "Pong of Intel AMT 6.2, provisioned, port 16992, tag 0"
    assert one(WAITING).summary() == "Pong of Intel AMT 11.8, not provisioned, no port open, tag 41"
    before = one(pong("00000157 4261 00 00 20 00 000000000000"))  # AMT 4: DASH among the entities
    assert before.fields()["iamt.pong.port"] == 16993
    assert before.fields()["iamt.pong.dash"] is True
    assert not {"iamt.pong.version", "iamt.pong.state", "iamt.pong.both_ports"} & before.fields().keys()


@pytest.mark.parametrize("data", [IPMI_PONG, BMC_OF_INTEL, pong("00000157 1234 60 02 00 00 000000000000")])
def test_a_pong_of_another_management_controller_is_not_amts(data) -> None:
    event = one(data)
    assert isinstance(event, AsfPong)
    assert not event.is_amt
    assert (event.port, event.amt_version, event.state) == (None, "", None)
    assert "not AMT's" in event.summary()


def test_commands_and_what_they_boot() -> None:
    fields = one(MADE["reset"]).fields()
    own = {name.rpartition(".")[2]: value for name, value in fields.items() if name.startswith("iamt.asf.control.")}
    assert own == {
        "enterprise": 4542,
        "command": 1,
        "parameter": 0x0102,
        "options": 0x22D8,
        "lock_power": True,
        "lock_reset": False,
        "lock_keyboard": True,
        "lock_sleep": False,
        "bypass_password": True,
        "progress_events": True,
        "verbosity": 2,
        "clear_cmos": True,
        "oem": 0x0304,
    }
    assert one(MADE["power cycle"]).summary() == "ASF power cycle, boot from CD or DVD, tag 7"
    assert one(MADE["power down"]).summary() == "ASF power down, tag 7"


def test_capabilities_and_state() -> None:
    fields = one(MADE["capabilities"]).fields()
    assert fields["iamt.asf.capabilities.command"] == ["boot from the network (PXE)", "boot from CD or DVD"]
    assert [fields[f"iamt.asf.capabilities.{name}"] for name in ("reset", "power_cycle", "secure_reset")] == [
        True,
        True,
        False,
    ]
    assert one(MADE["state"]).fields()["iamt.asf.state.watchdog"] is True
    assert one(MADE["state"]).summary() == "ASF system state: S5, soft off, tag 7"


def test_sessions_and_what_the_status_means() -> None:
    fields = one(MADE["opened"]).fields()
    assert (fields["asf.mgt_console_id"], fields["asf.client_id"], fields["asf.rssp_status_code"]) == (0xA1B2C3D4, 5, 0)
    assert (fields["asf.payload.type"], fields["asf.payload.len"]) == ([1, 2, 0], [8, 8, 4])
    assert (fields["asf.auth_alg"], fields["asf.integrity_alg"]) == ([1], [1])
    assert one(MADE["refused"]).summary().endswith("insufficient resources to create a session, tag 7")
    first, second, third = (one(MADE[f"rakp {number}"]) for number in (1, 2, 3))
    assert first.fields()["iamt.asf.rakp.user"] == "admin"
    assert second.fields()["iamt.asf.rakp.guid"] == bytes(range(16, 32)).hex()
    assert second.masked_fields()["iamt.asf.rakp.hash"] == "********"
    assert third.summary() == "ASF RAKP message 3: unauthorized name, tag 7"


def test_acknowledgments_and_ipmi_are_told_and_left_at_that() -> None:
    ack = one(bytes.fromhex("06002a86"))
    assert ack.summary() == "RMCP: message 42 is acknowledged (ASF)"
    assert (ack.fields()["rmcp.class"], ack.fields()["rmcp.type"]) == (6, 1)
    ipmi = one(bytes.fromhex("0600ff07 00000000000000000009 2018c88100388e04b5"))
    assert ipmi.summary() == "IPMI message over RMCP, not read further"
    assert not any("18c8" in str(value) for value in ipmi.fields().values())


def test_faults_keep_what_is_there() -> None:
    event, fault = read(AMT6[:20])
    assert isinstance(event, AsfPong)
    assert fault == Malformed("rmcp", "16 bytes of data are declared, 8 are there", AMT6[12:20])
    event, fault = read(PING[:8] + b"\x40\0\0\4" + bytes(4))
    assert isinstance(fault, Malformed)
    assert fault.reason == "4 bytes of data in a presence pong, which has at least 16"
    assert read(b"\6\0\xff\6\0\0")[0] == Malformed("rmcp", "2 of 8 bytes of an ASF message", b"\6\0\xff\6\0\0")
    many = built(0x83, {"console": 1, "payloads": PAYLOADS[:1] * 30})
    assert len(one(many).fields()["asf.payload.type"]) == MAX_PAYLOADS


@pytest.mark.parametrize(
    ("data", "port", "verdict"),
    [
        (PING, 623, YES),
        (PING, 40001, YES),
        (PING[:-1] + b"\5", 40001, NO),  # not whole
        (MADE["open"], 664, YES),
        (MADE["open"], 40001, NO),
        (bytes.fromhex("0600ff07") + bytes(20), 623, YES),
        (bytes.fromhex("0600ff07") + bytes(20), 40001, NO),
        (b"\5" + PING[1:], 623, NO),
        (PING[:3] + b"\5" + PING[4:], 623, NO),
        (PING[:3], 623, NO),
    ],
)
def test_recognised(data, port, verdict) -> None:
    assert RMCP.recognise(data, TO_SERVER, context(port)) == verdict
    assert RMCP.recognise(data, TO_SERVER, context(port, "tcp")) == NO


@pytest.mark.parametrize("name", [*MADE, "amt", "ipmi"])
def test_the_reader_agrees_with_the_declaration(name) -> None:
    data = {**MADE, "amt": AMT6, "ipmi": IPMI_PONG}[name]
    event, declared = one(data), (SECURE if name in SESSIONS else UNSECURE).parse(data)
    assert (event.sequence, event.class_byte) == (declared.sequence, declared.kind)
    assert isinstance(event, AsfMessage)
    assert (event.iana, event.type, event.tag) == (declared.asf.iana, declared.asf.type, declared.asf.tag)
    assert event.trailer == declared.trailer
    fields = event.fields()
    shown = [each for root in event.tree(data) for each in root.walk() if each.name]
    for each in shown:
        value = fields.get(each.name)
        if value is not None:
            assert each.value == value or each.value in (value if isinstance(value, list) else [value]), each
    assert {each.name for each in shown if each.name.startswith(("rmcp.", "asf.", "rsp."))} == {
        name for name in fields if name.startswith(("rmcp.", "asf.", "rsp."))
    }


SESSIONS = {
    name for name in MADE if name in ("open", "opened", "refused", "close", "closed", "padded") or "rakp" in name
}


@given(st.sampled_from([PING, AMT6, *MADE.values()]), st.data())
def test_no_bytes_make_it_raise(data, draw) -> None:
    at = draw.draw(st.integers(0, len(data)))
    changed = data[:at] + draw.draw(st.binary(max_size=6)) + data[at + draw.draw(st.integers(0, 6)) :]
    names = {field.name for field in RMCP.fields()}
    for event in read(changed):
        if isinstance(event, RmcpMessage):
            assert set(event.fields()) <= names
            assert event.summary()
            event.tree(changed)
            try:
                declared = (SECURE if event.session is not None else UNSECURE).parse(changed)
            except ConstructError:
                continue
            if isinstance(event, AsfMessage):
                assert (declared.asf.type, declared.asf.tag) == (event.type, event.tag)


def test_agrees_with_tshark(tshark, tmp_path) -> None:
    datagrams = [(data, 664 if name in SESSIONS else 623) for name, data in MADE.items()]
    datagrams += [(AMT6, 623), (IPMI_PONG, 623), (PING, 623), (bytes.fromhex("06002a86"), 623)]
    path = tmp_path / "made.pcap"
    packets = [
        wire.ipv4(wire.udp(data, 40000 + number, port), proto=17) for number, (data, port) in enumerate(datagrams)
    ]
    path.write_bytes(wire.pcap(wire.frames(packets)))
    theirs = by_tshark(tshark, path)
    seen = set()
    for (data, _), packet in zip(datagrams, theirs, strict=True):
        fields = one(data).fields()
        seen |= {name for name, numbers in packet.items() if numbers}
        for name, numbers in packet.items():
            if name in ("asf.client_id", "asf.rssp_status_code") and fields.get("asf.type") in (0x84, 0x44):
                assert not numbers  # tshark leaves the data of both close messages alone
                continue
            assert numbers == shown(fields.get(name)), (name, data.hex())
    assert seen == set(ASKED)


def test_agrees_with_tshark_on_recorded_traffic(shared, tshark) -> None:
    path = shared / "captures" / "loopback" / "ipmi" / "rmcp_ipmi_623.pcap"
    observations = wire.observe(path.read_bytes())
    messages = [each.event for each in observations if isinstance(each.event, RmcpMessage)]
    assert not [each.event for each in observations if isinstance(each.event, Malformed)]
    theirs = by_tshark(tshark, path)
    assert len(messages) == len(theirs) == 54
    for event, packet in zip(messages, theirs, strict=True):
        assert {name: shown(event.fields().get(name)) for name in ASKED} == packet
