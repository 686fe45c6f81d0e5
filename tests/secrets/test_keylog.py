"""Key logs: their lines, and files that grow while they are read."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.cli.common import load_keys
from amtdecode.errors import KeyFileError
from amtdecode.secrets import Keys
from amtdecode.secrets.keylog import MAX_LABELS, KeyLog

RANDOM, MASTER = bytes(range(32)), bytes(range(100, 148))
LINE = f"CLIENT_RANDOM {RANDOM.hex()} {MASTER.hex()}"


def test_lines():
    keys = Keys()
    keys.add_keylog(
        f"# made by a test\r\n\r\n{LINE}\r\n"
        f"SERVER_HANDSHAKE_TRAFFIC_SECRET {RANDOM.hex().upper()} {'ab' * 32}\n"
        f"RSA 0123456789abcdef {MASTER.hex()}\n"
        f"PMS_CLIENT_RANDOM {RANDOM.hex()} {'cd' * 48}\n"
        f"RSA Session-ID:{'ee' * 32} Master-Key:{'ff' * 48}\n".encode()
    )
    assert keys.notes == []
    assert keys.secret("CLIENT_RANDOM", RANDOM) == MASTER
    assert keys.secret("CLIENT_RANDOM", RANDOM[::-1]) is None
    assert keys.secret("SERVER_HANDSHAKE_TRAFFIC_SECRET", RANDOM) == b"\xab" * 32
    assert keys.secret("PMS_CLIENT_RANDOM", RANDOM) == b"\xcd" * 48
    assert keys.secret("SESSION_ID", b"\xee" * 32) == b"\xff" * 48
    assert keys.rsa_premaster(bytes.fromhex("0123456789abcdef") + b"the rest of it") == MASTER
    assert keys.rsa_premaster(b"") is None


def test_bad_lines_are_counted_and_nothing_else_is_lost():
    keys = Keys()
    bad = [b"CLIENT_RANDOM", b"CLIENT_RANDOM 00", b"CLIENT_RANDOM 0 11", b"\xff\xfe\x00", b"x" * 5000, b"client 00 11"]
    keys.add_keylog(b"\n".join([*bad, LINE.encode()]))
    assert keys.secret("CLIENT_RANDOM", RANDOM) == MASTER
    assert keys.notes == [f"key logs: {len(bad)} lines of no known form"]


@given(st.binary())
def test_noise(noise):
    log = KeyLog()
    log.feed(noise)
    log.feed(LINE.encode())
    assert log.lookup("CLIENT_RANDOM", RANDOM) == MASTER


def test_a_file_that_grows(tmp_path):
    path = tmp_path / "keys.log"
    path.write_text("")
    keys = Keys.load(keylogs=[str(path)])
    assert keys  # it may yet grow
    assert keys.secret("CLIENT_RANDOM", RANDOM) is None
    with path.open("a") as file:
        file.write(LINE[:150])
        file.flush()
        assert keys.secret("CLIENT_RANDOM", RANDOM) is None
        file.write(LINE[150:])
        file.flush()
        assert keys.secret("CLIENT_RANDOM", RANDOM) == MASTER  # whole, though its end of line is missing
        file.write(f"\nCLIENT_RANDOM {'11' * 32} {'22' * 48}\n")
        file.flush()
        assert keys.secret("CLIENT_RANDOM", b"\x11" * 32) == b"\x22" * 48
    assert keys.notes == []


def test_a_file_begun_anew_or_gone(tmp_path):
    path = tmp_path / "keys.log"
    path.write_text(f"CLIENT_RANDOM {'11' * 32} {'22' * 48}\n{LINE}\n")
    keys = Keys.load(keylogs=[str(path)])
    path.write_text(f"CLIENT_RANDOM {'33' * 32} {'44' * 48}\n")
    assert keys.secret("CLIENT_RANDOM", b"\x33" * 32) == b"\x44" * 48
    assert keys.secret("CLIENT_RANDOM", RANDOM) == MASTER
    path.unlink()
    assert keys.secret("CLIENT_RANDOM", b"\x55" * 32) is None


def test_a_file_larger_than_one_read(tmp_path):
    path = tmp_path / "keys.log"
    lines = [f"CLIENT_RANDOM {number:064x} {number:096x}" for number in range(20_000)]
    path.write_text("\n".join(lines))  # 3.5 MB, no end to the last line
    keys = Keys.load(keylogs=[str(path)])
    assert keys.notes == []
    for number in (0, 5000, 10_000, 19_999):
        assert keys.secret("CLIENT_RANDOM", number.to_bytes(32, "big")) == number.to_bytes(48, "big")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(LINE + "\n",))
    writer.start()
    keys = Keys.load(keylogs=[str(path)])
    writer.join()
    assert keys.secret("CLIENT_RANDOM", RANDOM) == MASTER
    assert keys.secret("CLIENT_RANDOM", RANDOM[::-1]) is None


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(KeyFileError, match=str(path)):
            Keys.load(keylogs=[str(path)])


def test_a_file_that_comes_while_a_capture_is_live(tmp_path, monkeypatch):
    path = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(path))
    assert load_keys((), (), (), (), ()) is None  # of a file that was captured, no log will come any more
    keys = load_keys((), (), (), (), (), quiet=True, await_keylogs=True)
    assert keys
    assert keys.notes == [f"key log {path}: is not there yet, and read once it is"]
    assert keys.secret("CLIENT_RANDOM", RANDOM) is None
    path.write_text(LINE + "\n")
    assert keys.secret("CLIENT_RANDOM", RANDOM) == MASTER
    with path.open("a") as file:
        file.write(f"CLIENT_RANDOM {'11' * 32} {'22' * 48}\n")
    assert keys.secret("CLIENT_RANDOM", b"\x11" * 32) == b"\x22" * 48
    with pytest.raises(KeyFileError, match=str(tmp_path)):
        Keys.load(keylogs=[str(tmp_path)], await_keylogs=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_that_comes_late_holds_nothing_up(tmp_path):
    path = tmp_path / "pipe"
    keys = Keys.load(keylogs=[str(path)], await_keylogs=True)
    os.mkfifo(path)
    assert keys.secret("CLIENT_RANDOM", RANDOM) is None


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("amtdecode.secrets.keylog.MAX_SECRETS", 10)
    log = KeyLog()
    for number in range(25):
        log.feed(b"CLIENT_RANDOM %064x %096x\n" % (number, number))
    assert len(log) == 10  # two halves of five
    for number in range(25):
        found = log.lookup("CLIENT_RANDOM", number.to_bytes(32, "big"))
        assert found == (None if number < 15 else number.to_bytes(48, "big"))
    for number in range(2 * MAX_LABELS):
        log.feed(b"LABEL_%d 00 11\n" % number)
    assert 5 <= len(log) <= 10
    assert log.bad_lines > 0


@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.integers(0, 40), st.integers(0, 3), st.sampled_from([0, 8, 32, 48, 255])),
        max_size=600,
    )
)
def test_the_packed_table_is_a_dictionary(entries):
    log, expected = KeyLog(), {}
    for label, number, change, size in entries:
        key, secret = bytes([number]) * (number % 7 + 1), bytes([change]) * (size + 1)
        log.feed(b"%b %b %b\n" % (label.encode(), key.hex().encode(), secret.hex().encode()))
        if size < 255:
            expected[label, key] = secret
    assert {place: log.lookup(*place) for place in expected} == expected
    assert len(log) == len(expected)
    assert log.bad_lines == sum(size == 255 for *_, size in entries)
    assert log.lookup("A", b"") is log.lookup("C", b"\0") is log.lookup("A", bytes(300)) is None


def test_many_secrets_are_all_found():
    log = KeyLog()
    log.feed(b"".join(b"CLIENT_RANDOM %064x %096x\n" % (number, number + 1) for number in range(5000)))
    assert all(
        log.lookup("CLIENT_RANDOM", number.to_bytes(32, "big")) == (number + 1).to_bytes(48, "big")
        for number in range(5000)
    )
    assert (len(log), log.lookup("CLIENT_RANDOM", (5000).to_bytes(32, "big"))) == (5000, None)
