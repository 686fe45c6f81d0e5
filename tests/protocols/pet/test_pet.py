"""Platform event traps against known bytes, the declaration, tshark, and mutated datagrams."""

from __future__ import annotations

import oracle
import pytest
import wire
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_SERVER, Endpoint, Malformed
from amtdecode.protocols.dissector import NO, YES, Context
from amtdecode.protocols.pet import PET, PlatformEvent
from amtdecode.protocols.pet.spec import MESSAGE, built
from amtdecode.protocols.pet.trap import read
from amtdecode.protocols.pet.words import event_words

CONTEXT = Context("udp", Endpoint(b"\xc0\0\2\1", 40000), Endpoint(b"\xc0\0\2\2", 162))
UNPLUGGED = bytes.fromhex(
    "306a 020100 0406 7075626c6963 a45d"  # version 0, "public", trap
    "0609 2b06010401986f0101 4004 c000021e 020106 0203 056f04 4301 00"
    "303f 303d 060a 2b06010401986f010101 042f"
    "4b529b93d413181de4871c697a6b7a2b 0007 127a3980 003c 58 58 10 ff ff 26 60"
    "aa01020304050607 19 00000157 0102 c1"
)
BODY = {
    "guid": bytes.fromhex("4b529b93d413181de4871c697a6b7a2b"),
    "sequence": 7,
    "timestamp": 0x127A3980,
    "utc_offset": 60,
    "trap_source": 0x58,
    "event_source": 0x58,
    "severity": 0x10,
    "sensor_device": 0xFF,
    "sensor_number": 0xFF,
    "entity": 0x26,
    "entity_instance": 0x60,
    "event_data": bytes.fromhex("aa01020304050607"),
    "language": 0x19,
    "manufacturer": 343,
    "system": 0x0102,
}
MADE = [
    built(BODY, 0x056F04, agent=bytes([192, 0, 2, 30])),
    built(BODY | {"utc_offset": 0xFFFF, "timestamp": 0}, 0x056F84, b"a secret", bytes([192, 0, 2, 30])),
    built(BODY | {"oem": b"\x0b" * 60 + b"\xc1"}, 0x120A02, b"c" * 200),
    built({}, 0xC07001),
    built({"utc_offset": 0xFE20}, 0x010107),
]


def one(data: bytes) -> PlatformEvent:
    (event,) = read(data)
    assert isinstance(event, PlatformEvent)
    return event


def test_the_declaration_builds_these_bytes() -> None:
    assert MADE[0] == UNPLUGGED


def test_every_field() -> None:
    assert one(UNPLUGGED).fields() == {
        "snmp.version": 0,
        "snmp.community": "public",
        "snmp.enterprise": "1.3.6.1.4.1.3183.1.1",
        "snmp.agent_addr": "192.0.2.30",
        "snmp.generic_trap": 6,
        "snmp.specific_trap": 0x056F04,
        "snmp.time_stamp": 0,
        "iamt.pet.event": "physical security: LAN cable unplugged",
        "iamt.pet.sensor_type": 5,
        "iamt.pet.event_type": 0x6F,
        "iamt.pet.offset": 4,
        "iamt.pet.guid": "4b529b93-d413-181d-e487-1c697a6b7a2b",
        "iamt.pet.guid.smbios": "939b524b-13d4-1d18-e487-1c697a6b7a2b",
        "iamt.pet.sequence": 7,
        "iamt.pet.timestamp": 310000000,
        "iamt.pet.time": "2007-10-28T23:06:40",
        "iamt.pet.utc_offset": 60,
        "iamt.pet.trap_source": 0x58,
        "iamt.pet.event_source": 0x58,
        "iamt.pet.severity": 16,
        "iamt.pet.sensor_device": 255,
        "iamt.pet.sensor_number": 255,
        "iamt.pet.entity": 0x26,
        "iamt.pet.entity_instance": 0x60,
        "iamt.pet.event_data": "aa01020304050607",
        "iamt.pet.language": 0x19,
        "iamt.pet.manufacturer": 343,
        "iamt.pet.system": 0x0102,
    }
    assert one(UNPLUGGED).summary() == (
        "PET physical security: LAN cable unplugged (critical), "
        "machine 4b529b93-d413-181d-e487-1c697a6b7a2b, sequence 7"
    )
    over = one(MADE[1]).fields()
    assert (over["iamt.pet.deasserted"], over["iamt.pet.event"]) == (
        True,
        "physical security: LAN cable unplugged (over)",
    )
    assert not {"iamt.pet.utc_offset", "iamt.pet.time"} & over.keys()
    assert one(MADE[4]).fields()["iamt.pet.utc_offset"] == -480
    assert one(MADE[2]).fields()["iamt.pet.oem"] == "0b" * 60


def test_the_community_is_masked() -> None:
    assert one(MADE[1]).masked_fields()["snmp.community"] == "********"
    assert "a secret" not in repr(one(MADE[1]))


@pytest.mark.parametrize(
    ("sensor", "kind", "offset", "over", "words"),
    [
        (0x12, 0x0A, 2, False, "system event: a watched program (agent presence) changed its state"),
        (0xC0, 0x70, 1, False, "user notification of AMT: the user is told of a remote session"),
        (0x26, 0x01, 0, False, "monitor circuit: the network card was tampered with"),
        (0x01, 0x01, 9, True, "temperature: rises above the upper critical limit (over)"),
        (0x0F, 0x6F, 0, False, "system firmware: firmware error (POST error)"),
        (0x0F, 0x6F, 9, False, "system firmware: event 9"),
        (0xD0, 0x33, 1, False, "sensor type 0xd0: event type 0x33, event 1"),
        (0x1E, 0x03, 1, False, "boot error: asserted"),
    ],
)
def test_events_in_words(sensor, kind, offset, over, words) -> None:
    assert event_words(sensor, kind, offset, over=over) == words


def test_faults_say_what_and_where() -> None:
    whole = UNPLUGGED
    assert read(whole[:60]) == [Malformed("snmp", "message wants 106 bytes, 58 are left", whole[:60])]
    short = built({}, 1).replace(b"\x04\x2f", b"\x04\x2d", 1)
    assert read(short) == [Malformed("snmp", "45 of 46 bytes of PET", short[:64])]
    other = whole.replace(bytes.fromhex("0609 2b06010401986f0101"), bytes.fromhex("0609 2b06010401986f0102"), 1)
    assert read(other) == [Malformed("snmp", "the enterprise is not that of PET", other[:64])]
    endless = whole[:1] + b"\x84\xff\xff\xff\xff" + whole[2:]
    assert read(endless) == [Malformed("snmp", "length of the message is not to be read", endless[:64])]


def test_recognised_by_its_enterprise_on_any_port_and_no_other_snmp() -> None:
    elsewhere = CONTEXT._replace(server=Endpoint(b"\xc0\0\2\2", 9999))
    for data in MADE:
        assert PET.recognise(data, TO_SERVER, CONTEXT) == PET.recognise(data, TO_SERVER, elsewhere) == YES
    other = UNPLUGGED.replace(b"\x98\x6f", b"\x98\x70")
    assert PET.recognise(other, TO_SERVER, CONTEXT) == NO
    assert PET.recognise(UNPLUGGED, TO_SERVER, CONTEXT._replace(transport="tcp")) == NO
    assert PET.recognise(UNPLUGGED[:2] + b"\2\1\1" + UNPLUGGED[5:], TO_SERVER, CONTEXT) == NO  # SNMPv2


@given(st.sampled_from(MADE), st.data())
def test_reader_and_declaration_agree_whatever_the_bytes(data, draw) -> None:
    at = draw.draw(st.integers(0, len(data)))
    changed = data[:at] + draw.draw(st.binary(max_size=4)) + data[at + draw.draw(st.integers(0, 4)) :]
    names = {field.name for field in PET.fields()}
    for event in read(changed):
        if isinstance(event, PlatformEvent):
            assert set(event.fields()) <= names
            assert event.summary()
            inside = MESSAGE.parse(changed).value.trap.value
            body = inside.variables.value.value.octets.value
            assert (event.guid, event.severity, event.system) == (str(_guid(body.guid)), body.severity, body.system)
            assert inside.specific.value & 0xFFFFFFFF == event.specific
            nodes = {each.name: each.value for root in event.tree(changed) for each in root.walk()}
            assert nodes["iamt.pet.sequence"] == event.sequence
        else:
            assert isinstance(event, Malformed)


def _guid(raw: bytes):
    from uuid import UUID

    return UUID(bytes=raw)


def test_a_trap_that_the_declaration_refuses_is_refused() -> None:
    with pytest.raises(ConstructError):
        MESSAGE.parse(UNPLUGGED[:50])


def test_agrees_with_tshark(tshark, tmp_path) -> None:
    names = [f"snmp.{name}" for name in ("version", "community", "enterprise", "agent_addr", "generic_trap")]
    names += ["snmp.specific_trap", "snmp.time_stamp"]
    path = tmp_path / "traps.pcap"
    packets = [wire.ipv4(wire.udp(data, 40000, 162), proto=17) for data in MADE]
    path.write_bytes(wire.pcap(wire.frames(packets)))
    columns = [part for name in names for part in ("-e", name)]
    lines = oracle.run(
        [tshark, "-n", "-r", str(path), "-T", "fields", *columns], check=True, text=True
    ).stdout.splitlines()
    for data, line in zip(MADE, lines, strict=True):
        fields = one(data).fields()
        assert line.split("\t") == [str(fields[name]) for name in names]
