"""What the plugin shows inside ASF is what amtdecode's own tree shows."""

from __future__ import annotations

import json

import oracle
import pytest
import wire

import amtdecode
from amtdecode.protocols.rmcp import fields as f
from amtdecode.protocols.rmcp import spec
from amtdecode.wireshark import plugin

CONTROL = {"enterprise": 4542, "command": 1, "parameter": 0x0102, "options": 0x22D8, "oem": 0x0304}
RANDOM = bytes(range(16))
STATUS = {"status": 0xD, "reserved": bytes(3)}
BODIES = {
    f.RESET: CONTROL,
    f.POWER_UP: CONTROL | {"command": 5, "options": 0x4240},
    f.POWER_CYCLE: CONTROL | {"enterprise": 343},
    f.CAPABILITIES: {
        "enterprise": 343,
        "oem": 9,
        "commands": 0x11,
        "system": 0xA5,
        "firmware": 0x01020304,
        "reserved": b"\0",
    },
    f.STATE: {"power": 0xF5, "watchdog": 0xFE, "reserved": bytes(2)},
    f.RAKP1: {"client": 5, "random": RANDOM, "role": 1, "user": b"admin"},
    f.RAKP2: STATUS | {"console": 0xA1B2C3D4, "random": RANDOM, "guid": RANDOM[::-1], "hash": bytes(range(20))},
    f.RAKP3: STATUS | {"client": 5, "hash": bytes(range(20))},
}


def message(kind, data, maker=f.ASF_NUMBER):
    """A message whose body is these bytes."""
    return bytes([6, 0, 255, 6]) + maker.to_bytes(4, "big") + bytes([kind, 7, 0, len(data)]) + data


AMT6 = bytes.fromhex("00000157426062060020000000000000")
AMT11 = bytes.fromhex("0000015700000000002000000b080000")
BMC = bytes.fromhex("000011be000000008100000000000000")
HEADER = bytes(8)  # of no session, on port 664
MADE = {
    **{f.TYPES[kind]: message(kind, spec.BODIES[kind].build(body)) for kind, body in BODIES.items()},
    "pong of AMT 6": message(f.PONG, AMT6),
    "pong of AMT 11": message(f.PONG, AMT11),
    "pong of another": message(f.PONG, BMC),
    "pong cut behind the port": message(f.PONG, AMT6[:6]),
    "pong cut inside the port": message(f.PONG, AMT6[:5]),
    "pong of which less is there than it says": message(f.PONG, AMT6)[:-4],
    "user longer than the body": message(f.RAKP1, bytes(23) + b"\x10admin"),
    "random number that is cut": message(f.RAKP1, bytes(10)),
    "ping": message(f.PING, b""),
    "of another maker": message(f.PONG, AMT6, 343),
}
SECURE = [each for each, data in MADE.items() if data[8] in (f.RAKP1, f.RAKP2, f.RAKP3)]
FIELDS = [field.name for field in spec.item.fields("iamt.")]


def plain(value):
    return value.hex() if isinstance(value, bytes) else value if isinstance(value, str) else str(int(value))


def ours(path):
    """Packet to the fields inside ASF, each a list of texts."""
    found = {}
    for observation in amtdecode.read(str(path), pdus=True):
        for root in observation.tree():
            for node in root.walk():
                if node.name in FIELDS and node.name != "iamt.asf.data":
                    found.setdefault(observation.packet, {}).setdefault(node.name, []).append(plain(node.value))
    return found


@pytest.fixture(scope="module")
def both(tshark, tmp_path_factory):
    """What tshark with the plugin, and amtdecode, say of all messages."""
    folder = tmp_path_factory.mktemp("asf")
    script, path = folder / "amtdecode.lua", folder / "asf.pcap"
    script.write_text(plugin("0"), encoding="ascii")
    packets = []
    for number, (name, data) in enumerate(MADE.items()):
        port = 664 if name in SECURE else 623
        packets.append(wire.ipv4(wire.udp(HEADER * (port == 664) + data, 40000 + number, port), proto=17))
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
        if layers:
            theirs[int(number)] = layers
    return theirs, ours(path)


@pytest.mark.parametrize("name", MADE)
def test_the_same_values(both, name):
    number = list(MADE).index(name) + 1
    theirs, mine = (said.get(number, {}) for said in both)
    assert theirs == mine


def test_the_pong_of_amt_in_numbers(both):
    assert both[0][list(MADE).index("pong of AMT 6") + 1] == {
        "iamt.pong.enterprise": ["343"],
        "iamt.pong.port": ["16992"],
        "iamt.pong.version_byte": ["98"],
        "iamt.pong.configuration": ["6"],
        "iamt.pong.state": ["2"],
        "iamt.pong.both_ports": ["1"],
        "iamt.pong.entities": ["0"],
        "iamt.pong.ipmi": ["0"],
        "iamt.pong.interactions": ["32"],
        "iamt.pong.rsp": ["0"],
        "iamt.pong.dash": ["1"],
        "iamt.pong.major": ["0"],
        "iamt.pong.minor": ["0"],
    }


def test_what_has_nothing_inside_shows_nothing(both):
    for name in ("ping", "of another maker", "pong of which less is there than it says"):
        assert list(MADE).index(name) + 1 not in both[0]
