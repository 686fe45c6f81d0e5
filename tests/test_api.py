"""The library's front door, as the README shows it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import wire

import amtdecode
from amtdecode.model import Note


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
    shown = next(one._repr_html_() for one in amtdecode.read(path) if one.protocol == "http")
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
