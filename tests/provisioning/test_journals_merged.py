"""Journals of captures that were cut, shared or taken at several sensors tell one story."""

from __future__ import annotations

import struct
import uuid
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from diagnosis_lab import SCS, Lab, desk, moved, named
from test_journal import CAPTURES, alone, kept, report_of

from amtdecode import packets as packets_of
from amtdecode.provisioning.journal import Journal, tell
from amtdecode.provisioning.state.placeholders import PLACEHOLDERS
from pcaps.make import NETWORK, SET_UP

HERE = desk()
DAY = 86_400.0
HEAD = struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)


def records_of(capture):
    """Its packets as records of a pcap file with nanoseconds, and the connection of each, or None."""
    found = []
    for packet in packets_of(capture):
        seconds, rest = divmod(packet.time_ns, 10**9)
        data = packet.data
        ends = packet.fields().get("tcp.stream")
        found.append((struct.pack("<IIII", seconds, rest, len(data), len(data)) + data, ends))
    return found


def quiet_places(found):
    """Where a capture can be cut with no connection under way."""
    spans = {}
    for at, (_, ends) in enumerate(found):
        if ends is not None:
            spans[ends] = (spans.get(ends, (at, at))[0], at)
    return [at for at in range(1, len(found)) if not any(first < at <= last for first, last in spans.values())]


def write(path, records):
    path.write_bytes(HEAD + b"".join(record for record, _ in records))
    return str(path)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda name: Path(name).name)
def test_cut_where_no_connection_is_under_way(capture, tmp_path):
    found = records_of(capture)
    for at in quiet_places(found)[:40]:
        first, then = write(tmp_path / "a.pcap", found[:at]), write(tmp_path / "b.pcap", found[at:])
        assert report_of(tell(kept(then) | kept(first))) == alone(first, then), at


def without_health(report):
    told = msgspec.json.decode(report)
    del told["health"]
    return told


@pytest.mark.parametrize("name", ["tls10_psk.pcap", "wsman_tls.pcap"])
def test_cut_inside_a_handshake_or_its_data(name, tmp_path):
    capture = next(each for each in CAPTURES if each.endswith(f"/{name}"))
    found = records_of(capture)
    for at in range(1, len(found)):
        first, then = write(tmp_path / "a.pcap", found[:at]), write(tmp_path / "b.pcap", found[at:])
        assert without_health(report_of(tell(kept(then) | kept(first)))) == without_health(alone(first, then)), at


def test_cut_in_three(tmp_path):
    """Lease, name and hello; contact back and handshake; the rest: one machine, one attempt."""
    capture = next(each for each in CAPTURES if each.endswith("/psk_clean.pcapng"))
    found = records_of(capture)
    parts = [found[:20], found[20:33], found[33:]]
    names = [write(tmp_path / f"{number}.pcap", part) for number, part in enumerate(parts)]
    story = tell(Journal.merged(kept(name) for name in reversed(names)))
    (device,) = story.devices
    (attempt,) = device.attempts
    assert (attempt.stage, attempt.hello_count, len(attempt.hellos)) == ("configuration", 1, 1)
    assert without_health(report_of(story)) == without_health(alone(*names))


def test_shares_of_machines(tmp_path):
    """Every connection in one of three files, datagrams in the first: they lie beside each other in time."""
    capture = next(each for each in CAPTURES if each.endswith("/office.pcapng"))
    shares = defaultdict(list)
    for record, ends in records_of(capture):
        shares[0 if ends is None else int(ends) % 3].append((record, ends))
    names = [write(tmp_path / f"{number}.pcap", share) for number, share in sorted(shares.items())]
    merged = without_health(report_of(tell(Journal.merged(map(kept, names)))))
    expected = without_health(alone(*names))
    assert merged["devices"] == expected["devices"]
    assert merged["findings"] == expected["findings"]


def scene(path, *, seed=7, start=None, build):
    lab = Lab(seed)
    if start:
        lab.wait(start)
    build(lab)
    return str(lab.write(path))


def greet(machine):
    return lambda lab: lab.greet(machine)


def test_the_same_address_at_two_sites_is_two_machines(tmp_path):
    other = named(HERE, str(uuid.uuid4()))
    one = scene(tmp_path / "1.pcap", build=greet(HERE))
    two = scene(tmp_path / "2.pcap", seed=8, build=greet(other))
    story = tell(kept(one, sensor="one") | kept(two, sensor="two"))
    assert sorted(device.uuid for device in story.devices) == sorted((str(HERE.uuid), str(other.uuid)))


def test_an_address_alone_is_no_key_across_sites_nor_after_a_day(tmp_path):
    def asks(lab):
        lab.found(HERE)

    one = scene(tmp_path / "1.pcap", build=asks)
    two = scene(tmp_path / "2.pcap", seed=8, build=asks)
    late = scene(tmp_path / "3.pcap", seed=9, start=2 * DAY, build=asks)
    soon = scene(tmp_path / "4.pcap", seed=9, start=DAY / 4, build=asks)
    assert len(tell(kept(one, sensor="one") | kept(two, sensor="two")).devices) == 2
    assert len(tell(kept(one) | kept(late)).devices) == 2
    assert len(tell(kept(one) | kept(soon)).devices) == 1


def test_a_uuid_is_one_machine_everywhere(tmp_path):
    away = moved(HERE, "198.51.100.7")
    one = scene(tmp_path / "1.pcap", build=greet(HERE))
    two = scene(tmp_path / "2.pcap", seed=8, start=9 * DAY, build=greet(away))
    (device,) = tell(kept(one, sensor="one") | kept(two, sensor="two")).devices
    assert device.addresses == (HERE.host.ip, "198.51.100.7")
    assert sum(attempt.hello_count for attempt in device.attempts) == 2


@pytest.mark.parametrize("text", [min(PLACEHOLDERS), "00000000-0000-0000-0000-000000000000"])
def test_placeholders_are_no_key_but_a_mac_is(text, tmp_path):
    blank = named(HERE, text)
    elsewhere = named(moved(HERE, "198.51.100.7", "00:00:5e:00:53:99"), text)
    same_card = named(moved(HERE, "198.51.100.7"), text)
    one = kept(scene(tmp_path / "1.pcap", build=greet(blank)), sensor="one")
    two = kept(scene(tmp_path / "2.pcap", seed=8, build=lambda lab: lab.lease(NETWORK, elsewhere)), sensor="two")
    two = two | kept(scene(tmp_path / "3.pcap", seed=8, build=psk_greet(elsewhere)), sensor="two")
    three = kept(scene(tmp_path / "4.pcap", seed=8, build=psk_greet(same_card)), sensor="two")
    assert len(tell(one | two).devices) == 2
    (device,) = tell(one | three).devices
    assert sum(attempt.hello_count for attempt in device.attempts) == 2


def psk_greet(machine):
    from pcaps import messages

    return lambda lab: lab.greet(machine, messages.hello_psk(machine.uuid, pid="9999999Z"))


def test_what_two_sensors_captured_counts_once_and_compares_their_clocks(tmp_path):
    def whole(lab):
        lab.greet(HERE)
        lab.wait(3)
        lab.set_up_psk(NETWORK, HERE, SET_UP)

    one = scene(tmp_path / "1.pcap", build=whole)
    two = scene(tmp_path / "2.pcap", start=5, build=whole)
    story = tell(kept(two, sensor="two") | kept(one, sensor="one"))
    (device,) = story.devices
    (attempt,) = device.attempts
    (expected,) = tell(kept(one)).devices
    assert (attempt.hello_count, len(attempt.sessions)) == (1, len(expected.sessions))
    (words,) = [word for said in story.clocks.values() for word in said]
    assert (
        words
        == "the clock of two is 5.0 s ahead of that of one (from 2 connections that both captured, which count once)"
    )
    report = msgspec.json.decode(report_of(story))
    assert [health["said"] for health in report["health"] if health["input"] == two] == [[words]]


def test_what_surrounds_a_machine_is_of_its_site(tmp_path):
    """At one site nobody answers for the server's address, at the other it is never asked for."""
    other = named(HERE, str(uuid.uuid4()))

    def silent(lab):
        lab.greet(HERE)
        lab.who_has(SCS, HERE.host.ip, 3)

    one = scene(tmp_path / "1.pcap", build=silent)
    two = scene(tmp_path / "2.pcap", seed=8, build=greet(other))
    story = tell(kept(one, sensor="one") | kept(two, sensor="two"))
    asked = {device.uuid: HERE.host.ip in story.around(device).arp for device in story.devices}
    assert asked == {str(HERE.uuid): True, str(other.uuid): False}
