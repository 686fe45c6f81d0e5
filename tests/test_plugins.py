"""Rooms from outside the package: given, or of installed packages when asked for; and whatever is refused."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import ClassVar

import pytest
import wire

import amtdecode
from amtdecode.cli.main import COMMANDS, group
from amtdecode.fields import STRING, Field, Fields, declared_by
from amtdecode.protocols.dissector import NO, YES, DatagramDissector, Protocol

PCAPS = sorted((Path(__file__).resolve().parent.parent / "pcaps").glob("*.pcap*"))
OUTSIDE = Path(__file__).resolve().parent / "outside"

TOY = """
from amtdecode.fields import STRING, Field, declared_by
from amtdecode.model import Event, Payload
from amtdecode.protocols.dissector import NO, YES, DatagramDissector, Dissector, Protocol, Statement


class Toy(Event, frozen=True):
    protocol = "toy"
    declared = (Field("toy.text", STRING, "what it says", "text"),)
    text: str

    def summary(self):
        return f"Toy {self.text}"


class ToyDissector(DatagramDissector):
    layer = "toy"

    def events(self, data):
        return [Toy(data[3:].decode("latin-1"))]


def recognise(data, direction, context):
    return YES if data[:3] == b"TOY" else NO


TOY = Protocol("toy", "udp", frozenset({4711}), recognise, ToyDissector, lambda: declared_by(Toy))
BOTH = [TOY]


class FrontDissector(Dissector):
    # carries another protocol behind three bytes

    def __init__(self, context):
        super().__init__(context)
        self.seen = 0

    def receive_data(self, direction, data):
        start = self.seen
        self.seen += len(data)
        if not direction:
            yield Statement(Payload(data[3:] if not start else data), direction, start + 3 * (not start), self.seen)

    def receive_gap(self, direction, size):
        return ()

    def receive_eof(self, direction, how):
        return ()


FRONT = Protocol("front", "tcp", frozenset({4711}), recognise, FrontDissector, tuple)
WRONG = "no room"
"""


class Toy(amtdecode.Event, frozen=True):
    """A toy's message."""

    protocol: ClassVar[str] = "toy"
    declared: ClassVar[Fields] = (Field("toy.text", STRING, "what it says", "text"),)
    text: str


class ToyDissector(DatagramDissector):
    """A toy's room."""

    layer = "toy"

    def events(self, data):
        return [Toy(data[3:].decode("latin-1"))]


ROOM = Protocol(
    "toy",
    "udp",
    frozenset({4711}),
    lambda data, direction, context: YES if data[:3] == b"TOY" else NO,
    ToyDissector,
    lambda: declared_by(Toy),
)


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "toy.pcap"
    path.write_bytes(wire.pcap([wire.ether(wire.ipv4(wire.udp(b"TOYhello", 50_000, 4711), proto=17))]))
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with a room, under an entry point of this value."""

    def install(value, group="amtdecode.protocols"):
        (tmp_path / "toy_room.py").write_text(TOY)
        folder = tmp_path / "toy_room-1.0.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-room\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{group}]\ntoy = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.delitem(sys.modules, "toy_room", raising=False)

    return install


def command(*arguments):
    done = subprocess.run([sys.executable, "-m", "amtdecode", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_room_given(capture):
    assert list(amtdecode.read(capture)) == []
    for rooms in (ROOM, [ROOM], (ROOM,)):
        (one,) = amtdecode.read(capture, protocols=rooms)
        assert one.event == Toy("hello")
        assert one.to_dict()["fields"] == {"toy.text": "hello"}
    assert amtdecode.diagnose(capture, protocols=ROOM).inputs == [str(capture)]


def test_a_room_takes_the_place_of_ours():
    mine = ROOM._replace(name="dns", recognise=lambda data, direction, context: YES)
    (path,) = [path for path in PCAPS if path.name == "dns.pcap"]
    found = {
        type(one.event) for one in amtdecode.read(path, protocols=mine) if one.flow and one.flow.transport == "udp"
    }
    assert found == {Toy}


@pytest.mark.parametrize("value", ["toy_room:TOY", "toy_room:BOTH"])
def test_a_room_of_an_installed_package(capture, package, value):
    package(value)
    assert list(amtdecode.read(capture)) == []
    (one,) = amtdecode.read(capture, plugins=True)
    assert one.event.summary() == "Toy hello"
    assert command("read", str(capture))[1] == ""
    code, out, _ = command("read", "--plugins", "-T", "fields", "-e", "toy.text", str(capture))
    assert (code, out) == (0, "hello\n")
    assert "toy.text" in command("fields", "--plugins", "toy.*")[1]
    assert "toy.text" not in command("fields", "toy.*")[1]


def test_each_command_that_reads_captures_takes_them(capture, package, tmp_path):
    """`flows` names the protocol, `follow --layer` and `export` read with it; whoever reads captures has the option."""
    package("toy_room:TOY")
    (row,) = map(json.loads, command("flows", "--plugins", "-T", "json", str(capture))[1].splitlines())
    assert row["protocol"] == "toy"
    (row,) = map(json.loads, command("flows", "-T", "json", str(capture))[1].splitlines())
    assert row["protocol"] == ""
    package("toy_room:FRONT")
    web = tmp_path / "web.pcap"
    talk = wire.Talk(dport=4711)
    request = b"TOYPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
    web.write_bytes(wire.pcap(wire.frames([*talk.open(), *talk.say(request), *talk.close()])))
    follow = "follow", "-q", "--flow", "0", "--layer", "http", "-T", "raw", str(web)
    assert command(*follow)[:2] == (0, "")
    assert command(*follow, "--plugins")[:2] == (0, b"body".hex() + "\n")
    assert command("export", "-q", "--http", str(tmp_path / "none"), str(web))[0] == 0
    assert command("export", "-q", "--plugins", "--http", str(tmp_path / "bodies"), str(web))[0] == 0
    assert [file.read_bytes() for file in (tmp_path / "bodies").iterdir()] == [b"body"]
    assert not (tmp_path / "none").exists()
    readers = {"read", "diagnose", "bundle", "diff", "stats", "follow", "flows", "export", "live", "tui", "archive"}
    for name in COMMANDS:
        options = {option for each in group.get_command(None, name).params for option in each.opts}
        assert ("--plugins" in options) is (name in readers | {"fields"}), name


def test_an_archive_takes_them(capture, package, tmp_path):
    """A room's table is a folder of the archive, from each process; without the room its captures are read again."""
    pq = pytest.importorskip("pyarrow.parquet")
    package("toy_room:TOY")
    (tmp_path / "other.pcap").write_bytes(capture.read_bytes().replace(b"TOYhello", b"TOYworld"))
    folder = tmp_path / "captures"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    capture.rename(folder / "a" / "1.pcap")
    (tmp_path / "other.pcap").rename(folder / "b" / "1.pcap")
    made = "archive", str(folder), "--out", str(tmp_path / "archive"), "-q"
    assert command(*made)[0] == 0
    assert not (tmp_path / "archive" / "toy").exists()
    assert command(*made, "--plugins", "--jobs", "2")[0] == 0
    texts = [text for part in (tmp_path / "archive" / "toy").rglob("*.parquet")
             for text in pq.ParquetFile(part).read().column("toy_text").to_pylist()]  # fmt: skip
    assert sorted(texts) == ["hello", "world"]
    assert command(*made)[0] == 0
    assert not [*(tmp_path / "archive").rglob("toy/**/*.parquet")]


def test_a_rule_of_an_installed_package(package, tmp_path, monkeypatch):
    """The rule of CONTRIBUTING.md by its entry point: in the report, and among what `export --pcap` proves."""
    package("patient_machine:PATIENT_MACHINE", "amtdecode.rules")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(OUTSIDE))))
    talk = wire.Talk()
    hello = wire.PSK_HELLO[:4] + struct.pack("<I", 12) + wire.PSK_HELLO[8:]
    capture = tmp_path / "patient.pcap"
    capture.write_bytes(wire.pcap(wire.frames([*talk.open(), *talk.say(hello), *talk.close()])))

    def judged(*options):
        code, out, complaint = command("diagnose", "-T", "json", *options, str(capture))
        assert (code, complaint) == (0, "")
        return {finding["id"]: finding["explanation"] for finding in json.loads(out)["findings"]}

    ours, theirs = judged(), judged("--plugins")
    assert "LAB-001" not in ours
    assert theirs == ours | {"LAB-001": "The machine has said hello 12 times, and nobody set it up."}
    monkeypatch.syspath_prepend(str(OUTSIDE))
    assert {finding.id for finding in amtdecode.diagnose(capture, plugins=True).findings} == set(theirs)
    assert {finding.id for finding in amtdecode.diagnose(capture).findings} == set(ours)


@pytest.mark.parametrize("value", ["toy_room:TOY", "toy_room:WRONG"])
def test_what_is_no_rule_is_refused(capture, package, value):
    package(value, "amtdecode.rules")
    with pytest.raises(amtdecode.PluginError, match=r"plugin toy \(.*\) of toy-room is a \w+, and no Rule"):
        amtdecode.diagnose(capture, plugins=True)
    assert list(amtdecode.read(capture, plugins=True)) == []  # reading asks for no rules
    for arguments in (["diagnose"], ["export", "--pcap", str(capture.with_name("proof.pcapng"))]):
        code, out, complaint = command(*arguments, "--plugins", str(capture))
        assert (code, out, complaint.count("\n")) == (3, "", 1)
        assert "and no Rule" in complaint


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("toy_room:MISSING", "AttributeError"),
        ("toy_room_not_there:TOY", "ModuleNotFoundError"),
        ("toy_room:WRONG", "is a str, and no Protocol"),
    ],
)
def test_a_broken_plugin_is_one_clear_error(capture, package, value, reason):
    package(value)
    with pytest.raises(amtdecode.PluginError, match=r"plugin toy \(.*\) of toy-room .*" + reason):
        amtdecode.read(capture, plugins=True)
    assert list(amtdecode.read(capture)) == []
    code, out, complaint = command("diagnose", "--plugins", str(capture))
    assert (code, out) == (3, "")
    assert reason in complaint
    assert complaint.count("\n") == 1


def test_plugins_are_not_looked_up_unasked(capture):
    program = (
        "import sys, amtdecode; list(amtdecode.read(sys.argv[1])); amtdecode.diagnose(sys.argv[1])\n"
        "print('importlib.metadata' in sys.modules, 'amtdecode.plugins' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(capture)], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


@pytest.mark.parametrize(
    "refused",
    [
        lambda path: amtdecode.read(path, protocols="toy"),
        lambda path: amtdecode.read(path, protocols=[ROOM, 5]),
        lambda path: amtdecode.read(path, keys="keys.log"),
        lambda path: amtdecode.read(path, count="5"),
        lambda path: amtdecode.read(path, count=-1),
        lambda path: amtdecode.packets(path, count="5"),
        lambda path: amtdecode.live("lo", count="5"),
        lambda path: amtdecode.read(path, connections="some"),
        lambda path: amtdecode.diagnose(path, keys={}),
        lambda path: amtdecode.diagnose(path, site=5),
        lambda path: amtdecode.diagnose(path, site="no such site"),
        lambda path: amtdecode.diagnose([path, "no such capture"]),
        lambda path: amtdecode.diagnose(path, site=b"\0"),
        lambda path: amtdecode.diagnose(path, site="\0"),
        lambda path: amtdecode.read("\0"),
        lambda path: amtdecode.diagnose("\0"),
        lambda path: amtdecode.diagnose(b"\0"),
        lambda path: amtdecode.Keys.load(keylogs=["\0"]),
        lambda path: amtdecode.Keys.load(rsa_keys=["\0"]),
        lambda path: amtdecode.Keys.load(rsa_keys=5),
        lambda path: amtdecode.listen("x"),
        lambda path: amtdecode.listen(70_000),
        lambda path: amtdecode.live(5),
    ],
)
def test_every_refusal_is_an_error_of_ours(refused, capture):
    with pytest.raises(amtdecode.AmtdecodeError) as caught:
        refused(capture)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def test_readings_in_threads_do_not_disturb_each_other():
    """Several captures read at the same time, over and over, one iterator a thread."""
    alone = {path: [repr(one.event) for one in amtdecode.read(path)] for path in PCAPS}
    found = {path: [] for path in PCAPS}
    faults = []
    switch = sys.getswitchinterval()

    def work(path):
        try:
            for _ in range(4):
                found[path].append([repr(one.event) for one in amtdecode.read(path)])
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(path,)) for path in PCAPS]
    try:
        sys.setswitchinterval(1e-5)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert not faults
    assert found == {path: [alone[path]] * 4 for path in PCAPS}
