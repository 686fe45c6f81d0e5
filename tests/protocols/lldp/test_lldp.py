"""LLDP against known bytes, the declaration, tshark, and mutated frames."""

from __future__ import annotations

import oracle
import pytest
import wire
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_SERVER, Endpoint, Malformed
from amtdecode.protocols.dissector import NO, YES, Context
from amtdecode.protocols.lldp import LLDP, LldpMessage
from amtdecode.protocols.lldp.message import MAX_PARTS, read
from amtdecode.protocols.lldp.spec import MESSAGE
from pcaps.eapol import lldp, part

SWITCH = lldp(
    "00:00:5e:00:53:f0",
    "Gi1/0/21",
    part(4, b"GigabitEthernet1/0/21"),
    part(5, b"sw-3.example.com"),
    part(6, b"Switch OS 1.0"),
    part(7, b"\0\x14\0\4"),
    part(8, bytes.fromhex("05 01 c0000201 02 00000001 00")),
    part(8, bytes.fromhex("11022001 0db8 0000 0000 0000 0000 0000 0001 02 00000001 00")),
    part(127, bytes.fromhex("0080c201 0014")),
    part(127, bytes.fromhex("0080c203 0014 07") + b"clients"),
    part(127, bytes.fromhex("0080c203 001e 06") + b"phones"),
    part(127, bytes.fromhex("00120f01 03 6c01 0010")),
)
MADE = {
    "switch": SWITCH,
    "addresses": part(1, b"\5\1\xc0\0\2\1") + part(2, b"\3\2\0\0\0\0\1") + part(3, b"\0\x78") + part(0, b""),
    "local": part(1, b"\7local") + part(2, b"\7one") + part(3, b"\0\0") + part(0, b""),
    "telephone": lldp("00:00:5e:00:53:f1", "1", part(7, b"\0\x24\0\x20")),
}
CONTEXT = Context("lldp", Endpoint(bytes(6), 0), Endpoint(bytes(6), 0))


def one(data: bytes) -> LldpMessage:
    (event,) = read(data)
    assert isinstance(event, LldpMessage)
    return event


def test_a_switch() -> None:
    assert one(SWITCH).fields() == {
        "lldp.chassis.subtype": 4,
        "lldp.chassis.id.mac": "00:00:5e:00:53:f0",
        "lldp.port.subtype": 5,
        "lldp.port.id": "Gi1/0/21",
        "lldp.time_to_live": 120,
        "lldp.port.desc": "GigabitEthernet1/0/21",
        "lldp.tlv.system.name": "sw-3.example.com",
        "lldp.tlv.system.desc": "Switch OS 1.0",
        "lldp.tlv.enable_system_cap": 4,
        "lldp.mgn.addr.ip4": ["192.0.2.1"],
        "lldp.ieee.802_1.port_vlan.id": 20,
        "lldp.ieee.802_1.vlan.id": [20, 30],
        "lldp.ieee.802_1.vlan.name": ["clients", "phones"],
    }
    assert one(SWITCH).summary() == "LLDP: sw-3.example.com, port Gi1/0/21, VLAN 20"
    assert one(SWITCH).is_switch


def test_what_names_a_neighbour() -> None:
    event = one(MADE["addresses"])
    assert (event.switch, event.port, event.chassis_id, event.port_id) == ("192.0.2.1", "02:00:00:00:00:01", b"", "")
    assert event.is_switch  # it says nothing of what it is
    local = one(MADE["local"])
    assert (local.switch, local.port, local.ttl) == ("local", "one", 0)
    assert local.fields()["lldp.chassis.id"] == b"local".hex()
    assert not one(MADE["telephone"]).is_switch


def test_faults_keep_what_is_there() -> None:
    event, fault = read(SWITCH[:15])
    assert isinstance(event, LldpMessage)
    assert event.chassis_mac == "00:00:5e:00:53:f0"
    assert fault == Malformed("lldp", "9 bytes are declared, 4 are there", SWITCH[9:15])
    event, fault = read(SWITCH[:9])
    assert fault == Malformed("lldp", "it has no end", SWITCH[:9])
    assert read(b"") == [Malformed("lldp", "it has no end", b"")]
    assert len(one(part(5, b"a") * 400).parts) == MAX_PARTS


def test_recognised() -> None:
    for data in MADE.values():
        assert LLDP.recognise(data, TO_SERVER, CONTEXT) == YES
        assert LLDP.recognise(data, TO_SERVER, CONTEXT._replace(transport="eapol")) == NO
    assert LLDP.recognise(SWITCH[9:], TO_SERVER, CONTEXT) == NO  # the port first
    assert LLDP.recognise(SWITCH[:8], TO_SERVER, CONTEXT) == NO
    assert LLDP.recognise(b"\2", TO_SERVER, CONTEXT) == NO  # cut before the length


@pytest.mark.parametrize("name", MADE)
def test_the_reader_agrees_with_the_declaration(name) -> None:
    data = MADE[name]
    event, declared = one(data), MESSAGE.parse(data + bytes(4))
    assert [part.head >> 9 for part in declared] == [*(kind for kind, _ in event.parts), 0]
    found = {}
    for each in (each for root in event.tree(data) for each in root.walk() if each.name):
        found.setdefault(each.name, []).append(each.value)
    fields = {key: value if isinstance(value, list) else [value] for key, value in event.fields().items()}
    parts = {name: found.pop(name) for name in [*found] if name.startswith("lldp.tlv.") and name not in fields}
    for name in ("lldp.orgtlv.oui", "lldp.ieee.802_1.subtype"):
        found.pop(name, None)
    assert found == fields
    assert parts == {
        "lldp.tlv.type": [*(kind for kind, _ in event.parts), 0],
        "lldp.tlv.len": [*(len(value) for _, value in event.parts), 0],
    }
    assert MESSAGE.build(declared) == data


@given(st.sampled_from([*MADE.values()]), st.data())
def test_no_bytes_make_it_raise(data, draw) -> None:
    at = draw.draw(st.integers(0, len(data)))
    changed = data[:at] + draw.draw(st.binary(max_size=6)) + data[at + draw.draw(st.integers(0, 6)) :]
    names = {field.name for field in LLDP.fields()}
    for event in read(changed):
        if isinstance(event, LldpMessage):
            assert set(event.fields()) <= names
            assert event.summary()
            event.tree(changed)
            try:
                declared = MESSAGE.parse(changed)
            except ConstructError:
                continue
            assert [each.head >> 9 for each in declared[:-1]] == [kind for kind, _ in event.parts]


ASKED = [
    *(f"lldp.{name}" for name in ("chassis.subtype", "chassis.id", "chassis.id.mac", "chassis.id.ip4")),
    *(f"lldp.{name}" for name in ("port.subtype", "port.id", "port.id.mac", "port.id.ip4", "time_to_live")),
    *(f"lldp.{name}" for name in ("port.desc", "tlv.system.name", "tlv.enable_system_cap", "mgn.addr.ip4")),
    *(f"lldp.ieee.802_1.{name}" for name in ("port_vlan.id", "vlan.id", "vlan.name")),
]


def compared(tshark, path, events) -> int:
    columns = [part for name in ASKED for part in ("-e", name)]
    lines = oracle.run(
        [tshark, "-n", "-r", str(path), "-Y", "lldp", "-T", "fields", "-E", "aggregator=|", *columns],
        check=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for event, line in zip(events, lines, strict=True):
        fields = event.fields()
        for name, theirs in zip(ASKED, line.split("\t"), strict=True):
            ours = fields.get(name, [])
            ours = ours if isinstance(ours, list) else [ours]
            assert [str(int(part, 0)) if part[:2] == "0x" else part for part in theirs.split("|") if part] == [
                str(each) for each in ours if each != ""
            ], (name, event)
    return len(lines)


def test_agrees_with_tshark(tshark, tmp_path) -> None:
    path = tmp_path / "made.pcap"
    path.write_bytes(wire.pcap([wire.ether(data, 0x88CC) for data in MADE.values()]))
    assert compared(tshark, path, [one(data) for data in MADE.values()]) == len(MADE)


@pytest.mark.parametrize(
    ("name", "frames"),
    [("LLDP_and_CDP", 8), ("dcb_ets", 31), ("dcb_qcn", 8), ("evb", 1), ("lldp_8021_linkagg", 2), ("lldp_mudurl", 2),
     ("erspan-type-i-4", 5)],
)  # fmt: skip
def test_agrees_with_tshark_on_captures_of_others(shared, tshark, name, frames) -> None:
    path = shared / "captures" / "third-party" / "tcpdump" / f"{name}.pcap"
    events = [each.event for each in wire.observe(path.read_bytes()) if isinstance(each.event, LldpMessage)]
    assert compared(tshark, path, events) == frames
