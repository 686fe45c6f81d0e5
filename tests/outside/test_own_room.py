"""A protocol added from outside the package with one object: the example of CONTRIBUTING.md."""

from __future__ import annotations

import json

import oracle
import wire
from hypothesis import given
from hypothesis import strategies as st
from wake_on_lan import SIZE, SYNC, WAKE_ON_LAN, MagicPacket, recognise

import amtdecode
from amtdecode.engine import Engine
from amtdecode.model import TO_SERVER, Endpoint
from amtdecode.protocols.catalogue import catalogue
from amtdecode.protocols.dissector import NO, YES, Context
from amtdecode.protocols.registry import REGISTRY

MAC = bytes.fromhex("001122334455")
CALL = SYNC + MAC * 16
ROOMS = (*REGISTRY, WAKE_ON_LAN)


def capture(*payloads):
    return wire.pcap(wire.frames([wire.ipv4(wire.udp(data, 40000, 9), proto=17) for data in payloads]))


def test_the_engine_reads_it_and_everything_else():
    hello = wire.Talk()
    frames = wire.frames([wire.ipv4(wire.udp(CALL, 40000, 9), proto=17), *hello.open(), *hello.say(wire.PSK_HELLO)])
    found = list(Engine(registry=ROOMS).observe(wire.raw_packets(wire.pcap(frames))))
    assert [one.protocol for one in found] == ["wol", "iamt.hello"]
    assert found[0].event == MagicPacket(MAC, b"")
    assert (found[0].packet, str(found[0].dst)) == (1, f"{wire.SERVER}:9")
    assert wire.events(capture(CALL)) == []  # the package itself does not know it


def test_the_library_takes_it_as_an_argument():
    found = list(amtdecode.read(capture(CALL), protocols=WAKE_ON_LAN))
    assert [one.event for one in found] == [MagicPacket(MAC, b"")]
    assert list(amtdecode.read(capture(CALL))) == []


def test_its_fields_are_declared_once_and_its_secret_is_masked():
    (event,) = wire.events(capture(CALL + b"secret"), registry=ROOMS)
    assert event.fields() == {"wol.mac": "00:11:22:33:44:55", "wol.passwd": b"secret".hex()}
    assert event.masked_fields() == {"wol.mac": "00:11:22:33:44:55", "wol.passwd": "********"}
    assert "secret" not in repr(event)
    names = [field.name for field in catalogue(ROOMS)]
    assert {"wol.mac", "wol.passwd", "iamt.hello.uuid"} <= set(names)
    assert "wol.mac" not in [field.name for field in catalogue()]


def test_it_says_what_tshark_says(tshark, tmp_path):
    path = tmp_path / "wol.pcap"
    path.write_bytes(capture(CALL, CALL + b"secret", CALL[:-1]))
    command = [tshark, "-r", str(path), "-T", "json", "-e", "wol.mac"]
    told = json.loads(oracle.run(command, check=True, text=True).stdout)
    theirs = [packet["_source"]["layers"].get("wol.mac", [None])[0] for packet in told]
    ours = {one.packet: one.event.fields()["wol.mac"] for one in wire.observe(path.read_bytes(), registry=ROOMS)}
    assert [ours.get(number) for number in (1, 2, 3)] == [theirs[0], theirs[1], None]


@given(st.binary(max_size=120) | st.integers(0, 110).map(lambda size: CALL[:size]))
def test_recognition_and_reading_agree(data):
    context = Context("udp", Endpoint(bytes(4), 40000), Endpoint(bytes(4), 9))
    events = list(WAKE_ON_LAN.dissector(context).events(data))
    assert recognise(data, TO_SERVER, context) == (YES if events else NO)
    assert bool(events) == (len(data) >= SIZE and data[:6] == SYNC and data[6:SIZE] == data[6:12] * 16)
