"""The library's front door, as the README shows it."""

from __future__ import annotations

import importlib
import json
import pkgutil
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import wire

import amtdecode
from amtdecode import events
from amtdecode.capture.packets import MAX_TIME_NS
from amtdecode.model import Note
from amtdecode.render.json_lines import JsonLines
from amtdecode.render.report_json import report_json


@pytest.fixture
def capture(tmp_path):
    talk = wire.Talk()
    path = tmp_path / "x.pcap"
    path.write_bytes(wire.pcap(wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()])))
    return path


def test_read_one(capture):
    for name in (capture, str(capture)):
        (one,) = amtdecode.read(name)
        assert isinstance(one, amtdecode.Observation)
        assert (one.packet, one.packets, one.input, one.number) == (4, (4,), str(capture), 1)
        assert one.time_ns == wire.T0 * 10**9 + 3_000_000
        assert (str(one.src), str(one.dst), one.protocol) == ("192.0.2.10:49152", "192.0.2.1:9971", "iamt.hello")
        assert one.flow == amtdecode.FlowKey(
            "tcp", 0, amtdecode.Endpoint(bytes([192, 0, 2, 10]), 49152), amtdecode.Endpoint(bytes([192, 0, 2, 1]), 9971)
        )
        assert (one.direction, one.offset, one.elsewhere) == (amtdecode.Direction.TO_SERVER, 0, ())
        assert one.event.uuid == wire.UUID_TEXT


def test_read_several_and_some(capture, tmp_path):
    other = tmp_path / "other.pcap"
    talk = wire.Talk(sport=50_000)
    other.write_bytes(wire.pcap(wire.frames([*talk.open(), *talk.say(wire.PKI_HELLO)]), start=wire.T0 - 100))
    found = list(amtdecode.read([capture, str(other)]))
    assert [(Path(one.input).name, one.flow.number, one.number) for one in found] == [
        ("other.pcap", 0, 1),
        ("x.pcap", 1, 2),
    ]
    assert [type(one.event).__name__ for one in amtdecode.read(capture, count=4)] == ["HelloMessage"]
    assert list(amtdecode.read(capture, count=3)) == []
    assert list(amtdecode.read(capture, count=0)) == []


def test_errors_come_from_the_call(tmp_path):
    with pytest.raises(amtdecode.CaptureError, match="no such file"):
        amtdecode.read(tmp_path / "none")
    with pytest.raises(amtdecode.AmtdecodeError, match="is a directory"):
        amtdecode.read([tmp_path])


def test_observations_are_frozen_hashable_and_equal_again(capture):
    (one,), (again,) = amtdecode.read(capture), amtdecode.read(capture)
    assert one == again
    assert hash(one.flow) == hash(again.flow)
    with pytest.raises(AttributeError):
        one.packet = 7
    with pytest.raises(AttributeError):
        one.event.uuid = ""


def test_the_reading_may_be_given_up(capture):
    """No file stays open, and no warning comes of it (warnings are errors here)."""
    reading = amtdecode.read(capture)
    next(reading)
    del reading


def test_public_names():
    assert set(amtdecode.__all__) <= set(dir(amtdecode))
    assert amtdecode.__version__.count(".") == 2


def test_secrets_of_a_capture_stay_out_of_the_keys_given(tmp_path):
    from amtdecode.secrets import Keys

    line = b"CLIENT_RANDOM " + b"11" * 32 + b" " + b"22" * 48 + b"\n"
    secrets = wire.block(10, struct.pack("<II", 0x544C534B, len(line)) + line)
    path = tmp_path / "inside.pcapng"
    path.write_bytes(wire.shb() + secrets + wire.idb() + wire.epb(b"x"))
    keys = Keys()
    assert len(list(amtdecode.read(path, keys=keys))) == 1
    amtdecode.diagnose(path, keys=keys)
    assert not keys
    assert repr(keys) == repr(Keys())


def test_notebooks_are_shown_nothing_a_browser_obeys(tmp_path):
    talk = wire.Talk(dport=16992)
    path = tmp_path / "x.pcap"
    asked = b"GET /\x9b<b> HTTP/1.1\r\nX: \x1b\xe2\x80\xae\r\nAuthorization: Basic YTpi\r\n\r\n"
    path.write_bytes(wire.pcap(wire.frames([*talk.open(), *talk.say(asked)])))
    observed = amtdecode.read(path)
    shown = next(one._repr_html_() for one in observed if isinstance(one.event, amtdecode.HttpRequest))
    assert "GET /\\x9b&lt;b&gt;" in shown
    assert "YTpi" not in shown
    assert shown.isprintable()
    other = amtdecode.Observation(Note("tcp", "\u202e\x1b<i>"), 1, (1,), None, "x")._repr_html_()
    assert other.count("\\u202e\\x1b&lt;i&gt;") == 2


def test_keys_copied_go_on_growing(tmp_path):
    from amtdecode.secrets import Keys

    def line(number):
        return f"CLIENT_RANDOM {number:064x} {number:096x}\n"

    log = tmp_path / "keys.log"
    log.write_text(line(1))
    keys = Keys.load(keylogs=[str(log)])
    other = keys.copy()
    other.add_keylog(line(2).encode())
    assert other.secret("CLIENT_RANDOM", (2).to_bytes(32, "big")) == (2).to_bytes(48, "big")
    assert keys.secret("CLIENT_RANDOM", (2).to_bytes(32, "big")) is None
    with log.open("a") as file:
        file.write(line(3))
    assert other.secret("CLIENT_RANDOM", (3).to_bytes(32, "big")) == (3).to_bytes(48, "big")
    assert keys.secret("CLIENT_RANDOM", (3).to_bytes(32, "big")) == (3).to_bytes(48, "big")
    assert (repr(keys), repr(other)) == (
        "Keys(0 PSK identities, 0 RSA keys, 2 logged secrets, 0 HTTP passwords)",
        "Keys(0 PSK identities, 0 RSA keys, 3 logged secrets, 0 HTTP passwords)",
    )


# -- observations and reports as plain values --------------------------------------------------------------------------

PCAPS = sorted((Path(__file__).resolve().parent.parent / "pcaps").glob("*.pcap*"))


def printed(observations, **options):
    lines: list[bytes] = []
    JsonLines(lines.append, **options).all(observations)
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "path", [*PCAPS, Path(__file__).parent / "data" / "secrets.pcap.gz"], ids=lambda path: path.name
)
def test_observations_as_dicts_are_what_json_says(path):
    observations = list(amtdecode.read(path, connections="all"))
    assert [one.to_dict() for one in observations] == printed(observations)
    assert [one.to_dict(show_secrets=True) for one in observations] == printed(observations, show_secrets=True)
    report = amtdecode.diagnose(path)
    assert report.to_dict() == json.loads(report_json(report))


def test_dicts_of_odd_observations(capture, tmp_path):
    other = tmp_path / "other\udcff.pcap"  # a name that is no UTF-8
    other.write_bytes(capture.read_bytes())
    (one,) = amtdecode.read(capture)
    split = msgspec.structs.replace(one, elsewhere=(("other.pcap", 7), ("other\udcff.pcap", 8)))
    odd = amtdecode.Observation(Note("net", "a\x1b\x7f\u202e\udc80"), 0, (), None, "x")
    observations = [*amtdecode.read(other), split, odd]
    assert [one.to_dict() for one in observations] == printed(observations)
    report = amtdecode.diagnose(other)
    assert report.to_dict() == json.loads(report_json(report))
    assert report.to_dict()["inputs"] == [str(tmp_path / "other\\udcff.pcap")]


def test_time_is_an_aware_datetime(capture):
    (one,) = amtdecode.read(capture)
    assert one.time == datetime.fromtimestamp(wire.T0, UTC) + timedelta(milliseconds=3)
    assert one.time.tzinfo is UTC

    def at(time_ns):
        return amtdecode.Observation(Note("net", "x"), 1, (1,), time_ns, "x").time

    assert at(None) is None
    assert at(1_999) == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)  # nanoseconds are lost, never rounded up
    assert at(MAX_TIME_NS - 1) == datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


# -- names -------------------------------------------------------------------------------------------------------------


def test_event_classes_are_here_by_name(capture):
    (one,) = amtdecode.read(capture)
    assert isinstance(one.event, amtdecode.HelloMessage)
    match one.event:
        case amtdecode.HelloMessage(uuid=uuid):
            assert uuid == wire.UUID_TEXT
        case _:
            pytest.fail("no match")
    with pytest.raises(AttributeError, match="'Nonsense'"):
        amtdecode.Nonsense  # noqa: B018


def test_every_event_class_is_exported():
    for module in pkgutil.walk_packages(amtdecode.__path__, "amtdecode."):
        if ".cli" not in module.name and "__main__" not in module.name:
            importlib.import_module(module.name)

    def below(cls):
        for each in cls.__subclasses__():
            yield each
            yield from below(each)

    ours = {each.__name__: each for each in below(amtdecode.Event) if each.__module__.startswith("amtdecode.")}
    stated = {name for name, each in ours.items() if not set(below(each)) & set(ours.values())}
    assert len(stated) > 40
    assert stated <= set(events.__all__) <= {*ours, "Event"}  # besides, some that several have in common
    for name in stated:
        assert getattr(amtdecode, name) is ours[name]
        assert name in dir(amtdecode)


def test_late_names_are_what_they_say():
    from amtdecode.diagnosis.report import Evidence, Finding, Report
    from amtdecode.diagnosis.site import Site
    from amtdecode.engine.loop import Engine
    from amtdecode.fields import Field, Kind
    from amtdecode.protocols.catalogue import catalogue
    from amtdecode.secrets.keys import Keys

    for value in (Engine, Evidence, Field, Finding, Keys, Kind, Report, Site, catalogue):
        assert getattr(amtdecode, value.__name__) is value


def test_import_stays_light():
    """Modules loaded by `import amtdecode`: a look into any of those named costs more than all of the package."""
    program = (
        "import sys; before = set(sys.modules); import amtdecode; loaded = set(sys.modules) - before\n"
        "print(*sorted(loaded))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "asn1crypto", "asyncio", "click", "construct", "cryptography", "dpkt", "email", "importlib.metadata", "json",
        "lxml", "rich", "scapy", "socket", "subprocess", "tempfile", "threading", "tomllib", "urllib", "zipfile",
    }  # fmt: skip
    assert not heavy.intersection(loaded)
    late = (
        "cli",
        "diagnosis",
        "events",
        "provisioning",
        "render",
        "artifacts",
        "protocols.http.events",
        "secrets.keys",
    )
    assert not [name for name in loaded if name.startswith(tuple(f"amtdecode.{each}" for each in late))]
    assert len([name for name in loaded if name.startswith("amtdecode")]) < 70


def test_types_are_seen_by_a_checker(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import amtdecode\n"
        "for one in amtdecode.read([(1.0, b'x')]):\n"
        "    if isinstance(one.event, amtdecode.HelloMessage):\n"
        "        reveal_type(one.event.hashes)\n"
        "reveal_type(amtdecode.diagnose(amtdecode.read('x', keys=amtdecode.Keys())).findings)\n"
        "amtdecode.read(5)\n"
    )
    arguments = [sys.executable, "-m", "mypy", "--strict", str(program)]
    found = subprocess.run(arguments, capture_output=True, text=True, cwd=PCAPS[0].parents[1], check=False).stdout
    assert "amtdecode.protocols.hello." in found
    assert "amtdecode.diagnosis.report.Finding" in found
    assert 'Argument 1 to "read" has incompatible type "int"' in found
    assert "Found 1 error" in found
