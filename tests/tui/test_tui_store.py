"""The index: every packet is found again, byte for byte, wherever its capture keeps it."""

from __future__ import annotations

import gzip
import struct

import pytest
import wire

from amtdecode.capture import NOTICE, one_by_one, open_records
from amtdecode.tui import filing
from amtdecode.tui.conversations import ALONE, place
from amtdecode.tui.filing import Filing
from amtdecode.tui.looking import place_of, rows_before
from amtdecode.tui.store import Store


def filed(*names):
    """A store of these captures."""
    store = Store(names)
    files = Filing(store, names, lambda _number, _interface: None)
    for _ in files.watch(one_by_one(open_records(names, files.opened))):
        pass
    files.close()
    store.count = store.grown()
    return store


def plain(raw):
    """A packet without its buffer."""
    number, data, start, captured, *rest, interface = raw
    return number, data[start : start + captured], *rest, interface.link_type, interface.input


def packets_of(*names):
    return [plain(raw) for raw in one_by_one(open_records(names)) if raw[7].link_type != NOTICE]


@pytest.mark.parametrize("name", ["hello.pcap", "office.pcapng", "dns.pcap"])
def test_packets_are_read_again_from_their_capture(pcaps, name):
    names = (str(pcaps / name),)
    store = filed(*names)
    assert [plain(store.raw(row)) for row in range(store.count)] == packets_of(*names)
    assert store.spool.size == 0


def test_packets_in_any_order(pcaps):
    names = (str(pcaps / "hello.pcap"),)
    store, expected = filed(*names), packets_of(str(pcaps / "hello.pcap"))
    for row in (62, 0, 61, 30, 1):
        assert plain(store.raw(row)) == expected[row]


def test_what_cannot_be_read_again_is_kept(pcaps, tmp_path):
    name = tmp_path / "hello.pcap.gz"
    name.write_bytes(gzip.compress((pcaps / "hello.pcap").read_bytes()))
    store = filed(str(name))
    expected = packets_of(str(name))
    assert [plain(store.raw(row)) for row in range(store.count)] == expected
    assert store.spool.size == sum(len(packet[1]) for packet in expected)


def test_several_captures_are_one_timeline(pcaps):
    names = tuple(str(pcaps / name) for name in ("hello.pcap", "office.pcapng", "dns.pcap"))
    store, expected = filed(*names), packets_of(*names)
    assert [plain(store.raw(row)) for row in range(store.count)] == expected
    row = next(at for at, packet in enumerate(expected) if packet[-1] == names[2])
    assert store.row_of(names[2], 1) == row
    assert store.row_of("another", 1) is None


def test_packets_without_a_time_share_an_interface(tmp_path):
    def block(kind, body):
        size = len(body) + 12
        return struct.pack("<II", kind, size) + body + struct.pack("<I", size)

    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0))
    for number in range(5):
        data += block(3, struct.pack("<I", 60) + bytes([number]) * 60)
    name = tmp_path / "simple.pcapng"
    name.write_bytes(data)
    store = filed(str(name))
    assert [store.raw(row)[1] for row in range(store.count)] == [bytes([number]) * 60 for number in range(5)]
    assert len(store.interfaces) == 1
    assert store.time_ns(0) is None


def test_a_capture_that_shrank_gives_what_is_left(tmp_path, pcaps):
    name = tmp_path / "hello.pcap"
    name.write_bytes((pcaps / "hello.pcap").read_bytes())
    store = filed(str(name))
    name.write_bytes(b"")
    assert store.raw(5)[1] == b""
    name.unlink()


def test_a_full_disk_is_said(tmp_path, pcaps, monkeypatch):
    def full(_data):
        raise OSError(28, "No space left on device")

    names = (str(pcaps / "hello.pcap"),)
    store = Store(names)
    monkeypatch.setattr(store.index, "append", full)
    files = Filing(store, names, lambda _number, _interface: None)
    with pytest.raises(filing.CaptureError, match="temporary files is full"):
        for _ in files.watch(one_by_one(open_records(names, files.opened))):
            pass
    files.close()


def test_both_ways_of_a_connection_have_one_place():
    talk = wire.Talk()
    frames = [wire.ether(each) for each in [*talk.open(), *talk.say(wire.PKI_HELLO, size=40), *talk.close()]]
    places = {place(frame, 0, len(frame), 1) for frame in frames}
    assert len(places) == 1
    assert ALONE not in places


def test_a_conversation_is_its_packets_in_order(pcaps):
    names = (str(pcaps / "hello.pcap"),)
    store = filed(*names)
    row = 15  # in the second connection
    rows = list(rows_before(store, row))
    assert rows == sorted(rows)
    assert rows[-1] == row
    ports = {frozenset(struct.unpack_from(">HH", store.raw(each)[1], 34)) for each in rows}
    assert ports == {frozenset((56540, 9971))}
    assert rows[0] == 8  # its SYN
    assert store.latest(place_of(store, row)) == 20  # its last packet, counted from 1
