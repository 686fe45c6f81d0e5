"""Rooms from outside the package: given, or of installed packages when asked for; and whatever is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import ClassVar

import pytest
import wire

import amtdecode
from amtdecode.fields import STRING, Field, Fields, declared_by
from amtdecode.protocols.dissector import NO, YES, DatagramDissector, Protocol

PCAPS = sorted((Path(__file__).resolve().parent.parent / "pcaps").glob("*.pcap*"))

TOY = """
from amtdecode.fields import STRING, Field, declared_by
from amtdecode.model import Event
from amtdecode.protocols.dissector import NO, YES, DatagramDissector, Protocol


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
