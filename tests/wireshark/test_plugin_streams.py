"""APF and redirection in the plugin: its fields, packet by packet, are those of amtdecode's own tree."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path  # noqa: TC003 - pytest reads annotations

import oracle
import pytest
import wire
from docs_pages import ROOT

import amtdecode
from amtdecode.fields import BYTES
from amtdecode.protocols.apf import fields as f
from amtdecode.protocols.apf import spec as apf_spec
from amtdecode.protocols.redir import names
from amtdecode.protocols.redir import spec as redir_spec
from amtdecode.wireshark import plugin
from pcaps import apf, redirection

FIELDS = {field.name: field for spec in (apf_spec, redir_spec) for field in spec.item.fields("iamt.")}
KINDS = ("iamt.apf.type", "iamt.redir.type")
DATA = str(f.CHANNEL_DATA)
MACHINE = uuid.UUID("44b3d470-afdb-11e5-be66-1e7a66911400")
RELEVANT = "iamt.apf.type || iamt.redir.type"


@pytest.fixture(scope="session")
def script(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("streams") / "amtdecode.lua"
    path.write_text(plugin("0"), encoding="ascii")
    return path


def plain(value) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str) else str(int(value))


def ours(path, **keys):
    """Packet to the fields of its messages, each a list of texts."""
    found: dict[int, dict[str, list[str]]] = {}
    for one in amtdecode.read(str(path), pdus=True, **keys):
        for root in one.tree():
            for node in root.walk():
                if node.name in FIELDS and (value := plain(node.value)):
                    found.setdefault(one.packet, {}).setdefault(node.name, []).append(value)
    return {packet: said for packet, said in found.items() if any(kind in said for kind in KINDS)}


def theirs(tshark, script, path, *options):
    """The same, as tshark with the plugin says."""
    asked = [option for name in ("frame.number", *FIELDS) for option in ("-e", name)]
    done = oracle.run(
        [tshark, "-n", "-X", f"lua_script:{script}", "-o", "tcp.reassemble_out_of_order:TRUE", *options,
         "-r", str(path), "-Y", RELEVANT, "-T", "json", *asked],
        text=True, check=True,
    )  # fmt: skip
    assert "Lua" not in done.stderr, done.stderr
    assert "Lua Error" not in done.stdout
    found = {}
    for packet in json.loads(done.stdout):
        layers = packet["_source"]["layers"]
        (number,) = layers.pop("frame.number")
        found[int(number)] = {
            name: [value.replace(":", "") if FIELDS[name].kind is BYTES else value for value in values]
            for name, values in layers.items()
        }
    return found


def is_part(some: list[str], of: list[str]) -> bool:
    """Whether these stand in the other list, in their order."""
    rest = iter(of)
    return all(each in rest for each in some)


def same(said: dict[int, dict[str, list[str]]], mine: dict[int, dict[str, list[str]]]) -> int:
    """Compare both; how many messages are the same. What channels carry is no message of amtdecode's own."""
    count = 0
    for packet, fields in said.items():
        expected = mine.get(packet, {})
        data = fields.get("iamt.apf.type", []).count(DATA)
        count += len(fields.get(KINDS[0], [])) - data + len(fields.get(KINDS[1], []))
        if not data:
            assert fields == expected, packet
            continue
        assert len(fields["iamt.apf.type"]) - data == len(expected.get("iamt.apf.type", [])), packet
        for name, values in expected.items():
            assert is_part(values, fields[name]), (packet, name)
    assert set(mine) <= set(said)
    return count


TLS = ("-o", f"tls.keylog_file:{ROOT / 'pcaps' / 'cira_tls.keylog.txt'}")
PLAIN: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("name", "options", "least"),
    [
        ("cira.pcap", PLAIN, 20),
        ("cira_tls.pcap", TLS, 20),
        ("sol.pcap", PLAIN, 15),
        ("redirection.pcapng", PLAIN, 60),
    ],
)
def test_our_captures(tshark, script, name, options, least) -> None:
    path = ROOT / "pcaps" / name
    keylog = str(ROOT / "pcaps" / "cira_tls.keylog.txt")
    held = {"keys": amtdecode.Keys.load(keylogs=[keylog])} if options else {}
    assert same(theirs(tshark, script, path, *options), ours(path, **held)) >= least


@pytest.mark.parametrize(("name", "least"), [("cira/cira_apf_plain.pcap", 20), ("redir/sol_16994_amtterm.pcap", 15)])
def test_captures_of_real_programs(tshark, script, shared, name, least) -> None:
    path = shared / "captures" / "loopback" / name
    assert same(theirs(tshark, script, path), ours(path)) >= least


# -- made: every message, cut anywhere, and what is no message ---------------------------------------------------------

LOGIN = [
    (0, apf.version(MACHINE)),
    (0, apf.service(apf.AUTH)),
    (1, apf.version(MACHINE) + apf.service(apf.AUTH, f.SERVICE_ACCEPT)),
    (0, apf.login(b"mesh", None)),
    (1, apf.refusal()),
    (0, apf.login(b"mesh", b"P@ss")),
    (1, apf.refusal(b"\0")),
    (0, apf.login(b"mesh", b"P@ssw0rd")),
    (1, b"\x34"),
]
FORWARDS = [
    (0, apf.service(apf.PFWD)),
    (1, apf.service(apf.PFWD, f.SERVICE_ACCEPT)),
    (0, apf.forward(16992) + apf.forward(623, b"a.example") + apf.forward(623, request=b"cancel-tcpip-forward")),
    (1, apf.success(16992) + apf.success(623)),
    (1, b"\x51"),
    (0, apf.forward(16993, request=b"TCPIP-Forward")),
    (1, b"\x52"),
    (0, apf.build(f.GLOBAL_REQUEST, request=b"unknown", want_reply=0, body=None)),
    (0, apf.build(f.GLOBAL_REQUEST, request=b"udp-send-to@amt.intel.com", want_reply=0,
                  body={"address": b"192.0.2.1", "port": 162, "origin_address": b"", "origin_port": 9, "data": b"x"})),
]  # fmt: skip
CHANNELS = [
    (1, apf.opening(4, 16992)),
    (0, apf.confirmation(4, 7)),
    (1, apf.data(7, b"GET / HTTP/1.1\r\nHost: desk\r\n\r\n")),
    (
        0,
        apf.data(4, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        + apf.build(f.CHANNEL_WINDOW_ADJUST, recipient=4, add=9),
    ),
    (0, apf.data(4, bytes(20_000))),
    (1, apf.opening(5, 5900)),
    (0, apf.failure(5)),
    (1, apf.build(f.CHANNEL_CLOSE, recipient=7)),
    (0, apf.build(f.KEEPALIVE_REQUEST, cookie=255)),
    (1, apf.build(f.KEEPALIVE_REPLY, cookie=255)),
    (1, apf.build(f.KEEPALIVE_OPTIONS_REQUEST, interval=30, timeout=0)),
    (0, apf.build(f.KEEPALIVE_OPTIONS_REPLY, interval=30, timeout=0)),
    (1, apf.disconnect(11)),
]
STEPS = [*LOGIN, *FORWARDS, *CHANNELS]


def talk(steps, *, dport=4433, size=1 << 16, end=True):
    one = wire.Talk(dport=dport)
    packets = one.open()
    for side, data in steps:
        packets += one.say(data, side=side, size=min(size, 1400))
    return [*packets, *(one.close() if end else [])]


def capture(tmp_path, packets) -> Path:
    path = tmp_path / "made.pcap"
    path.write_bytes(wire.pcap(wire.frames(packets)))
    return path


@pytest.mark.parametrize("size", [1400, 33, 7, 1])
@pytest.mark.parametrize("dport", [4433, 4711])
def test_every_message_of_apf_cut_anywhere(tshark, script, tmp_path, size, dport) -> None:
    steps = [step for step in STEPS if len(step[1]) < 20_000] if size < 33 else STEPS
    if dport != 4433 and size < 93:
        pytest.skip("elsewhere the greeting must be in one segment to be found")
    path = capture(tmp_path, talk(steps, dport=dport, size=size))
    assert same(theirs(tshark, script, path), ours(path)) > 25


@pytest.mark.parametrize("size", [1400, 9, 1])
@pytest.mark.parametrize("what", ["sol", "ider", "kvm", "refused", "busy"])
def test_redirection_cut_anywhere(tshark, script, tmp_path, what, size) -> None:
    steps = getattr(redirection, what)()
    if size == 1:
        steps = [(side, data) for side, data in steps if len(data) < 500]
    path = capture(tmp_path, talk(steps, dport=16994, size=size))
    assert same(theirs(tshark, script, path), ours(path)) >= (2 if what == "busy" else 5)


def test_http_in_a_channel_is_read_by_wireshark(tshark, script, tmp_path) -> None:
    path = capture(tmp_path, talk(STEPS))
    done = oracle.run(
        [tshark, "-n", "-X", f"lua_script:{script}", "-r", str(path), "-Y", "http", "-T", "fields",
         "-e", "http.request.method", "-e", "http.response.code"],
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["GET", "200"]


def test_what_is_shown_in_words(tshark, script) -> None:
    path = ROOT / "pcaps" / "redirection.pcapng"
    done = oracle.run(
        [tshark, "-n", "-X", f"lua_script:{script}", "-r", str(path), "-Y", "iamt.redir", "-O", "iamt.redir"],
        text=True, check=True,
    )  # fmt: skip
    lines = {line.strip() for line in done.stdout.splitlines()}
    for wanted in ("Session: SOL", "Session: IDER", "Session: KVM", "Status: success (0)", "Device: CD (176)",
                   "Scsi command: READ (10) (40)", "Auth status: refused, or a challenge (1)"):  # fmt: skip
        assert wanted in lines, wanted


def hostile() -> dict[str, list]:
    """Connections that break rules, drawn from the good ones with a fixed seed."""
    chance = random.Random(18)
    found = {
        "a string longer than any": [(0, apf.version(MACHINE)), (0, b"\x05\xff\xff\xff\xff" + bytes(50))],
        "channel data longer than any": [(0, apf.version(MACHINE)), (0, b"\x5e\0\0\0\4\xff\xff\xff\xff" + bytes(50))],
        "a type nobody knows": [(0, apf.version(MACHINE)), (0, b"\x99" * 40)],
        "a message that breaks off": [(0, apf.version(MACHINE)), (0, apf.login(b"mesh", b"secret")[:9])],
        "bytes in the names": [(0, apf.version(MACHINE)), (0, apf.login(b"\xff\0\x1b[2J", b"\x80"))],
    }
    for number in range(12):
        data = bytearray(b"".join(data for side, data in STEPS if side == 0 and len(data) < 20_000))
        for _ in range(6):
            data[chance.randrange(93, len(data))] = chance.randrange(256)
        found[f"changed {number}"] = [(0, bytes(data))]
    return found


def broken() -> dict[str, list]:
    """The same of redirection."""
    chance = random.Random(19)
    found = {"nothing known": [(0, b"\x77" * 30)], "a login without end": [(0, b"\x13\0\0\0\4\xff\xff\xff\x7f")]}
    for what in ("sol", "ider", "kvm"):
        for number in range(4):
            changed = []
            for side, data in getattr(redirection, what)():
                one = bytearray(data)
                if len(one) and chance.random() < 0.3:
                    one[chance.randrange(len(one))] = chance.randrange(256)
                changed.append((side, bytes(one)))
            found[f"{what} changed {number}"] = changed
    return found


@pytest.mark.parametrize("port", [4433, 16994])
def test_hostile_bytes_make_no_error_of_lua(tshark, script, tmp_path, port) -> None:
    """Two passes, as Wireshark makes them; every tree is built."""
    packets = []
    for number, steps in enumerate((hostile() if port == 4433 else broken()).values()):
        one = wire.Talk(sport=50000 + number, dport=port)
        packets += one.open()
        for side, data in steps:
            packets += one.say(data, side=side, size=600)
        packets += one.close()
    path = capture(tmp_path, packets)
    for options in ((), ("-2",)):
        done = oracle.run(
            [tshark, "-n", "-X", f"lua_script:{script}", *options, "-r", str(path), "-V"],
            check=True,
        )  # fmt: skip
        text = done.stdout.decode("utf-8", "replace")
        assert b"Lua" not in done.stderr, done.stderr
        assert "Lua Error" not in text
        assert text.count("Intel AMT") > 10


def test_the_second_pass_says_the_same(tshark, script, tmp_path) -> None:
    path = capture(tmp_path, [*talk(STEPS, size=33)])
    assert theirs(tshark, script, path) == theirs(tshark, script, path, "-2")
    path = capture(tmp_path, talk(redirection.kvm(), dport=16994, size=9))
    assert theirs(tshark, script, path) == theirs(tshark, script, path, "-2")


def test_no_name_is_forgotten() -> None:
    text = plugin("0")
    for kind, name in {**f.TYPES, **names.TYPES}.items():
        assert f'[{kind}] = "{name}"' in text
