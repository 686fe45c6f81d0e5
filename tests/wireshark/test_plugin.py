"""The plugin, loaded in tshark: its fields are those that amtdecode reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import oracle
import pytest
import wire
from construct import Byte, GreedyString
from docs_pages import ROOT

import amtdecode
from amtdecode.wireshark import plugin
from amtdecode.wireshark.declared import expression, quoted

FIELDS = (
    "iamt.hello.version", "iamt.hello.admin_credentials_set", "iamt.hello.retry_count", "iamt.hello.uuid",
    "iamt.hello.pid", "iamt.hello.pid.check", "iamt.hello.hash_count", "iamt.hello.hash.algorithm",
    "iamt.hello.hash.value", "iamt.hello.hash.name", "iamt.hello.rest", "iamt.hello.partial",
)  # fmt: skip
PSK = wire.PSK_HELLO
PKI = wire.PKI_HELLO


@pytest.fixture(scope="session")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("wireshark") / "amtdecode.lua"
    path.write_text(plugin("0"), encoding="ascii")
    return path


def ours(path):
    """Stream to the fields of its hello, each a list of texts."""
    found = {}
    for observation in amtdecode.read(str(path)):
        if isinstance(observation.event, (amtdecode.HelloMessage, amtdecode.PartialHello)):
            fields = {name: listed(value) for name, value in observation.event.fields().items() if listed(value)}
            found[observation.flow.number] = fields
    return found


def listed(value):
    return [plain(each) for each in (value if isinstance(value, list) else [value])]


def plain(value):
    if isinstance(value, bool):
        return str(int(value))
    return value.hex() if isinstance(value, bytes) else str(value)


def theirs(tshark, script, path):
    """The same, as tshark with the plugin says."""
    arguments = [tshark, "-n", "-X", f"lua_script:{script}", "-o", "tcp.reassemble_out_of_order:TRUE", "-r", str(path),
                 "-Y", "iamt.hello.uuid", "-T", "json", "-J", "iamt.hello", "--no-duplicate-keys"]  # fmt: skip
    fields = [option for name in ("tcp.stream", *FIELDS) for option in ("-e", name)]
    done = oracle.run([*arguments, *fields], text=True, check=True)
    assert "Lua" not in done.stderr, done.stderr
    found = {}
    for packet in json.loads(done.stdout):
        layers = packet["_source"]["layers"]
        (stream,) = layers.pop("tcp.stream")
        found[int(stream)] = {name: [value.replace(":", "") if name in BYTES else value for value in values]
                              for name, values in layers.items()}  # fmt: skip
    return found


BYTES = ("iamt.hello.hash.value", "iamt.hello.rest")


@pytest.mark.parametrize("name", ["hello.pcap", "office.pcapng", "psk_clean.pcapng", "dns.pcap", "wsman.pcap"])
def test_our_captures(tshark, script, name):
    path = ROOT / "pcaps" / name
    assert theirs(tshark, script, path) == ours(path)


def test_the_shared_capture_of_hellos(tshark, script, shared):
    path = shared / "captures" / "loopback" / "hello" / "amt_hello_9971.pcap"
    found = ours(path)
    assert len(found) > 3
    assert theirs(tshark, script, path) == found


def talk(data, *, size=1 << 16, dport=9971, order=None, again=(), end="fin", host=wire.CLIENT, server=wire.SERVER):
    """A connection that says `data` in segments of `size` bytes, in this order, some of them again."""
    one = wire.Talk(dport=dport, client=host, server=server)
    opened, said = one.open(), one.say(data, size=size)
    said = [said[at] for at in (order or range(len(said)))] + [said[at] for at in again]
    ended = one.close() if end == "fin" else [one.packet(0, b"", wire.RST | wire.ACK)] if end == "rst" else []
    return [*opened, *said, *ended]


HOSTILE = {
    "bytes one by one": talk(PSK, size=1),
    "bytes one by one, on another port": talk(PSK, size=1, dport=19971),
    "segments of 7 bytes": talk(PKI, size=7),
    "on another port": talk(PKI, dport=4711),
    "in two segments on another port": talk(PKI, dport=4711, size=100),
    "out of order": talk(PKI, size=40, order=[0, 2, 1]),
    "the last segment first but one": talk(PSK, size=10, order=[0, 3, 2, 1]),
    "retransmitted": talk(PKI, size=40, order=[0, 0, 1, 1, 2], again=[2]),
    "cut by FIN inside the hashes": talk(PKI[:70]),
    "cut by RST inside the hashes": talk(PKI[:70], end="rst"),
    "cut inside the PID": talk(PSK[:29], size=5),
    "cut behind the header": talk(PKI[:24]),
    "bytes behind the message": talk(PSK + b"more"),
    "an unknown hash algorithm": talk(PKI[:25] + b"\x09" + PKI[26:]),
    "a wrong check character": talk(PSK[:31] + bytes([PSK[31] ^ 1 or 0x41])),
    "IPv6": talk(PKI, host=wire.CLIENT6, server=wire.SERVER6, size=30),
    "no hello but HTTP": talk(b"GET / HTTP/1.1\r\n\r\n"),
    "no hello but zeros on another port": talk(bytes(64), dport=4711),
    "a retry counter no machine reaches, on another port": talk(PSK[:4] + b"\xff" * 4 + PSK[8:], dport=4711),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_hellos(tshark, script, tmp_path, name):
    path = tmp_path / "hostile.pcap"
    path.write_bytes(wire.pcap(wire.frames(HOSTILE[name])))
    assert theirs(tshark, script, path) == ours(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cut by FIN inside the hashes", "cut"),
        ("bytes behind the message", "behind"),
        ("a wrong check character", "pid"),
        ("an unknown hash algorithm", "hash"),
        ("segments of 7 bytes", None),
    ],
)
def test_what_is_odd_is_expert_information(tshark, script, tmp_path, name, expected):
    path = tmp_path / "odd.pcap"
    path.write_bytes(wire.pcap(wire.frames(HOSTILE[name])))
    kinds = ("cut", "behind", "pid", "hash", "version")
    asked = [option for kind in kinds for option in ("-e", f"iamt.hello.expert.{kind}")]
    command = [tshark, "-n", "-X", f"lua_script:{script}", "-r", str(path), "-T", "fields", *asked]
    rows = [line.split("\t") for line in oracle.run(command, text=True, check=True).stdout.splitlines()]
    said = {kind for row in rows for kind, cell in zip(kinds, row, strict=True) if cell}
    assert said == ({expected} if expected else set())


def test_one_branch_for_each_hash(tshark, script):
    done = oracle.run(
        [tshark, "-n", "-X", f"lua_script:{script}", "-r", str(ROOT / "pcaps" / "hello.pcap"),
         "-Y", "frame.number == 4", "-O", "iamt.hello"],
        text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert "    UUID: 939b524b-13d4-1d18-e487-1c697a6b7a2b" in lines
    assert "    Version: PKI (3)" in lines
    assert sum(line.startswith("    Root hash") for line in lines) == 23
    first = lines.index("    Root hash: Go Daddy Class 2 CA")
    assert lines[first + 1 : first + 4] == [
        "        Hash algorithm: SHA-256 (2)",
        "        Hash value: c3846bf24b9e93ca64274c0ec67c1ecc5e024ffcacd2d74019350e81fe546ae4",
        "        [Hash name: Go Daddy Class 2 CA]",
    ]


def test_the_text_is_ascii_and_states_its_licence():
    text = plugin("1.2.3")
    assert text.isascii()
    assert "\r" not in text
    assert text.startswith(
        "-- Dissector of Intel AMT's setup protocols for Wireshark and tshark, written by amtdecode 1.2.3."
    )
    assert "SPDX-License-Identifier: MIT" in text


def test_what_has_no_reader_is_refused_when_the_plugin_is_made():
    with pytest.raises(NotImplementedError, match="no reader in Lua"):
        expression(GreedyString("utf8"))
    assert expression(Byte) == 'uint(1, "big")'


@pytest.mark.parametrize(
    ("text", "lua"), [('a"b', '"a\\"b"'), ("a\\b", '"a\\\\b"'), ("é", '"\\195\\169"'), ("a\nb", '"a\\nb"')]
)
def test_texts_are_lua_strings(text, lua):
    assert quoted(text) == lua


def test_the_command_writes_both(run_in, tmp_path):
    path = tmp_path / "amtdecode.lua"
    done = run_in("wireshark", "--lua", str(path))
    assert (done.returncode, done.stdout) == (0, "")
    assert path.read_text().endswith("  return true\nend)\n\n")
    assert run_in("wireshark").stdout == path.read_text()
    assert run_in("wireshark", "--extcap", str(tmp_path), "-q").returncode == 0
    asked = subprocess.run(
        [tmp_path / "amtdecode-listen", "--extcap-interfaces"], capture_output=True, text=True, check=True
    )
    assert "interface {value=amtdecode-listen}" in asked.stdout


@pytest.fixture
def run_in():
    import sys

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "amtdecode", *arguments], capture_output=True, text=True, check=False, cwd=ROOT
        )

    return run


def test_extcap_hands_hellos_over_as_a_capture(tmp_path):
    import socket
    import threading
    import time

    from amtdecode.wireshark import extcap

    path, over = tmp_path / "fifo.pcap", threading.Event()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--capture", "--fifo", str(path), "--extcap-interface", extcap.INTERFACE, "--port", str(port),
                 "--host", "127.0.0.1"]  # fmt: skip
    thread = threading.Thread(target=extcap.main, args=(arguments, over.is_set))
    thread.start()
    for patience in range(500, -1, -1):
        try:
            connection = socket.create_connection(("127.0.0.1", port), 5)
        except ConnectionRefusedError:  # it does not listen yet
            if not patience:
                raise
            time.sleep(0.02)
        else:
            break
    connection.sendall(PSK)
    connection.close()
    while not Path(path).exists() or path.stat().st_size < 200:
        time.sleep(0.01)
    over.set()
    thread.join(10)
    (message,) = [each.event for each in amtdecode.read(str(path)) if isinstance(each.event, amtdecode.HelloMessage)]
    assert message.pid == PSK[24:].decode()


def test_extcap_answers_and_refuses(capsys):
    from amtdecode.wireshark import extcap

    assert extcap.main(["--extcap-dlts", "--extcap-interface", extcap.INTERFACE]) == 0
    assert capsys.readouterr().out == "dlt {number=101}{name=RAW}{display=Raw IP}\n"
    assert extcap.main(["--extcap-config", "--extcap-interface", extcap.INTERFACE]) == 0
    assert "{default=9971}" in capsys.readouterr().out
    assert extcap.main(["--capture"]) == 2
    assert extcap.main(["--capture", "--fifo", "/nowhere/fifo", "--port", "0"]) == 3
