"""What the plugin shows inside platform event traps is what amtdecode's own tree shows."""

from __future__ import annotations

import json

import oracle
import pytest
import wire

import amtdecode
from amtdecode.fields import BYTES
from amtdecode.protocols.pet import fields as f
from amtdecode.protocols.pet import spec
from amtdecode.wireshark import plugin

GUID = bytes.fromhex("4b529b93d413181de4871c697a6b7a2b")
BODY = {"guid": GUID, "sequence": 7, "timestamp": 0x127A3980, "utc_offset": 60, "trap_source": 0x58,
        "event_source": 0x58, "severity": 0x10, "sensor_device": 0xFF, "sensor_number": 0xFF, "entity": 0x26,
        "entity_instance": 0x60, "event_data": bytes.fromhex("aa01020304050607"), "language": 0x19,
        "manufacturer": 343, "system": 0x0102}  # fmt: skip
MADE = {
    "unplugged": spec.built(BODY, 0x056F04),
    "plugged in again": spec.built(BODY | {"utc_offset": 0xFFFF, "timestamp": 0}, 0x056F84),
    "west of Greenwich": spec.built(BODY | {"utc_offset": 0xFE20}, 0x010107),
    "bytes of the maker": spec.built(BODY | {"oem": b"\x0b" * 40 + b"\xc1"}, 0x120A02),
    "bytes of the maker without an end": spec.built(BODY | {"oem": b"\x0b" * 40}, 0xC07001),
}
OF_OTHERS = spec.built(BODY, 0x056F04).replace(f.ENTERPRISE + b"\x40", f.ENTERPRISE[:-1] + b"\x02\x40")
FIELDS = {field.name: field for field in spec.item.fields("iamt.pet.")}


def plain(value) -> str:
    return value.hex() if isinstance(value, bytes) else value if isinstance(value, str) else str(int(value))


@pytest.fixture(scope="module")
def both(tshark, tmp_path_factory):
    """What tshark with the plugin, and amtdecode, say of all traps."""
    folder = tmp_path_factory.mktemp("pet")
    script, path = folder / "amtdecode.lua", folder / "pet.pcap"
    script.write_text(plugin("0"), encoding="ascii")
    sent = [*MADE.values(), OF_OTHERS]
    packets = [wire.ipv4(wire.udp(data, 40000 + number, 162), proto=17) for number, data in enumerate(sent)]
    path.write_bytes(wire.pcap(wire.frames(packets)))
    asked = [option for name in ("frame.number", *FIELDS) for option in ("-e", name)]
    done = oracle.run(
        [tshark, "-n", "-X", f"lua_script:{script}", "-r", str(path), "-T", "json", *asked],
        text=True, check=True,
    )  # fmt: skip
    assert "Lua" not in done.stderr, done.stderr
    theirs = {}
    for packet in json.loads(done.stdout):
        layers = packet["_source"]["layers"]
        (number,) = layers.pop("frame.number")
        theirs[int(number)] = {
            name: [value.replace(":", "") if FIELDS[name].kind is BYTES else value for value in values]
            for name, values in layers.items()
        }
    ours = {}
    for one in amtdecode.read(str(path), pdus=True):
        for root in one.tree():
            for node in root.walk():
                if node.name in FIELDS:
                    ours.setdefault(one.packet, {}).setdefault(node.name, []).append(plain(node.value))
    return theirs, ours


@pytest.mark.parametrize("name", MADE)
def test_the_same_values(both, name) -> None:
    number = list(MADE).index(name) + 1
    theirs, mine = (said[number] for said in both)
    assert theirs == mine


def test_known_values(both) -> None:
    said = both[0][1]
    assert said["iamt.pet.guid"] == ["4b529b93-d413-181d-e487-1c697a6b7a2b"]
    assert said["iamt.pet.guid.smbios"] == ["939b524b-13d4-1d18-e487-1c697a6b7a2b"]
    assert [said[f"iamt.pet.{name}"] for name in ("sensor_type", "event_type", "offset")] == [["5"], ["111"], ["4"]]
    assert both[0][2]["iamt.pet.deasserted"] == ["1"]
    assert "iamt.pet.utc_offset" not in both[0][2]
    assert both[0][3]["iamt.pet.utc_offset"] == ["-480"]


def test_traps_of_others_are_left_as_they_are(both) -> None:
    assert both[0][len(MADE) + 1] == {}
