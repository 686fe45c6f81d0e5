"""`amtdecode read`: every form of output for known packets, exit codes, and what must never reach a terminal."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time

import oracle
import pytest
import wire

GOLDEN = {
    "schema": 1,
    "packet": 5,
    "packets": [4, 5],
    "time": "2026-09-21T14:13:20.004000Z",
    "input": "hello.pcap",
    "transport": "tcp",
    "flow": 0,
    "src": "192.0.2.10:49152",
    "dst": "192.0.2.1:9971",
    "protocol": "iamt.hello",
    "event": "HelloMessage",
    "summary": f"Hello PKI, UUID {wire.UUID_TEXT}, 2 root hashes, retry 1",
    "fields": {
        "iamt.hello.version": 3,
        "iamt.hello.admin_credentials_set": False,
        "iamt.hello.retry_count": 1,
        "iamt.hello.uuid": wire.UUID_TEXT,
        "iamt.hello.hash_count": 2,
        "iamt.hello.hash.algorithm": [2, 1],
        "iamt.hello.hash.value": [wire.SHA256_VALUE.hex(), bytes(range(20)).hex()],
        "iamt.hello.hash.name": ["Go Daddy Class 2 CA", ""],
    },
}


@pytest.fixture
def hello_capture(tmp_path):
    talk = wire.Talk()
    packets = wire.frames([*talk.open(), *talk.say(wire.PKI_HELLO, size=60), *talk.close()])
    path = tmp_path / "hello.pcap"
    path.write_bytes(wire.pcap(packets))
    return path


def test_json_is_exactly_this_object(run, hello_capture):
    done = run("read", "-T", "json", "hello.pcap")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("}\n")
    assert [list(json.loads(line).items()) for line in done.out.splitlines()] == [list(GOLDEN.items())]


def test_a_capture_alone_means_read(run, hello_capture):
    assert run("hello.pcap", "-T", "json").out == run("read", "-T", "json", "hello.pcap").out
    assert run("-n", "-r", "hello.pcap", "-T", "json").out == run("read", "-T", "json", "hello.pcap").out
    assert run("diagnose", "-n", "-r", "hello.pcap") == run("diagnose", "hello.pcap")


def test_ek(run, hello_capture):
    done = run("read", "-T", "ek", "hello.pcap")
    index, document = map(json.loads, done.out.splitlines())
    assert index == {"index": {"_index": "packets-2026-09-21"}}
    assert document == {
        "timestamp": str((wire.T0 * 1000) + 4),
        "layers": {
            "frame": {"frame_number": 5, "frame_time": "2026-09-21T14:13:20.004000Z", "frame_packets": [4, 5]},
            "ip": {"ip_src": "192.0.2.10", "ip_dst": "192.0.2.1"},
            "tcp": {"tcp_srcport": 49152, "tcp_dstport": 9971, "tcp_stream": 0},
            "iamt_hello": {name.replace(".", "_"): value for name, value in GOLDEN["fields"].items()}
            | {"event": "HelloMessage", "summary": GOLDEN["summary"]},
        },
    }


def test_fields(run, hello_capture):
    names = ["frame.number", "frame.time", "frame.time_epoch", "ip.src", "ip.addr", "tcp.port", "_ws.col.Protocol",
             "iamt.hello.hash.algorithm", "dns.qry.name", "iamt.hello.uuid"]  # fmt: skip
    done = run("read", "-T", "fields", *[part for name in names for part in ("-e", name)], "hello.pcap")
    assert done.out.splitlines() == [
        "\t".join(
            ["5", "2026-09-21T14:13:20.004000Z", f"{wire.T0}.004000000", "192.0.2.10", "192.0.2.10,192.0.2.1",
             "49152,9971", "iamt.hello", "2,1", "", wire.UUID_TEXT]
        )
    ]  # fmt: skip
    assert done.err == ""


def test_fields_are_tshark_s_where_it_has_them(run, shared, tshark):
    path = shared / "captures" / "loopback" / "hello" / "amt_hello_9971.pcap"
    names = ["frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "tcp.stream"]
    wanted = [part for name in names for part in ("-e", name)]
    done = run("read", "-T", "fields", *wanted, path)
    command = [tshark, "-n", "-r", str(path), "-T", "fields", *wanted]
    theirs = oracle.run(command, text=True, check=False).stdout.splitlines()
    ours = done.out.splitlines()
    assert len(ours) == 7
    assert set(ours) <= set(theirs)


def test_text(run, hello_capture):
    done = run("read", "hello.pcap", "--color", "never")
    assert re.sub(" +", " ", done.out) == (
        " 5 2026-09-21T14:13:20.004000Z 192.0.2.10:49152 → 192.0.2.1:9971 iamt.hello "
        f"Hello PKI, UUID {wire.UUID_TEXT}, 2 root hashes, retry 1\n"
    )
    assert "\x1b[35miamt.hello" in run("read", "hello.pcap", "--color", "always").out


def test_tree_and_bytes(run, hello_capture):
    tree = [line.strip() for line in run("read", "-V", "hello.pcap").out.splitlines()]
    assert "Transmission Control Protocol, 49152 → 9971  [34-53]" in tree
    assert "tcp.seq: 61  [38-41]  sequence number, from 0 at the SYN" in tree
    size = len(wire.PKI_HELLO)
    assert f"Frame 5, {size - 6} bytes captured  [0-{size - 7}]" in tree
    assert f"iamt.hello, HelloMessage, {size} bytes, carried by packets 4, 5  [0-{size - 1}]" in tree
    assert f"iamt.hello.uuid: {wire.UUID_TEXT}  [8-23]  UUID of the machine, SMBIOS order" in tree
    at = tree.index("Root hash 1  [25-58]")
    algorithm, value, second = tree[at + 1 : at + 4]
    assert algorithm.startswith("iamt.hello.hash.algorithm: 2 (SHA-256)  [25]  ")
    assert value.startswith(f"iamt.hello.hash.value: {wire.SHA256_VALUE.hex()} (Go Daddy Class 2 CA)  [27-58]  ")
    assert second == f"Root hash 2  [59-{size - 1}]"
    done = run("read", "-x", "hello.pcap")
    assert "not masked" in done.err
    dumped = re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+)", done.out, re.MULTILINE)
    frames = b"".join(bytes.fromhex(line) for line in dumped)
    assert wire.PKI_HELLO[:60] in frames
    assert frames.endswith(wire.PKI_HELLO[60:])
    assert run("read", "-x", "-q", "hello.pcap").err == ""


def test_a_count_of_packets(run, hello_capture):
    assert run("read", "-c", "5", "-T", "fields", "-e", "frame.number", "hello.pcap").out == "5\n"
    cut = run("read", "-c", "4", "-T", "json", "hello.pcap")
    assert [json.loads(line)["event"] for line in cut.out.splitlines()] == ["PartialHello", "Truncated"]


# -- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [["read"], ["read", "-T", "xml", "x"], ["read", "--no-such-option", "x"], ["read", "-e", "f", "hello.pcap"],
     ["read", "-T", "fields", "hello.pcap"], ["read", "-c", "0", "hello.pcap"]],
)  # fmt: skip
def test_wrong_usage_is_2(run, hello_capture, arguments):
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err


def test_what_cannot_be_read_is_3_and_one_line(run, tmp_path):
    (tmp_path / "text").write_text("no capture")
    (tmp_path / "empty").write_bytes(b"")
    for name, what in (("none", "no such file or directory"), ("text", "is not a capture (neither pcap nor pcapng)"),
                       ("empty", "is empty, not a capture"), (".", "is a directory, not a capture")):  # fmt: skip
        done = run("read", name)
        assert (done.code, done.out, done.err) == (3, "", f"amtdecode: {name}: {what}\n")


def test_one_of_several_cannot_be_read(run, hello_capture, tmp_path):
    (tmp_path / "bad").write_bytes(b"no capture at all")
    (tmp_path / "short").write_bytes(hello_capture.read_bytes()[:10])
    done = run("read", "-T", "json", "bad", "hello.pcap", "none", "short")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 3
    assert {(line["input"], line["event"]) for line in lines} == {
        ("hello.pcap", "HelloMessage"),
        ("short", "Truncated"),
    }
    assert done.err.splitlines() == [
        "amtdecode: bad: is not a capture (neither pcap nor pcapng)",
        "amtdecode: none: no such file or directory",
    ]
    # standard input cannot be one of several, and the others are still read
    done = run("read", "-T", "fields", "-e", "frame.number", "-", "hello.pcap", stdin=b"")
    assert (done.code, done.out) == (3, "5\n")
    assert "name it alone" in done.err


def test_a_damaged_capture_is_0(run, hello_capture, tmp_path):
    (tmp_path / "cut.pcap").write_bytes(hello_capture.read_bytes()[:-1])
    done = run("read", "-T", "json", "cut.pcap")
    assert (done.code, done.err) == (0, "")
    assert [json.loads(line)["event"] for line in done.out.splitlines()] == ["HelloMessage", "Truncated"]


def test_absurd_times_are_null(run, tmp_path):
    talk = wire.Talk()
    packets = wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO)])
    data = wire.shb() + wire.idb() + b"".join(wire.epb(packet, (1 << 64) - 1) for packet in packets)
    (tmp_path / "x.pcapng").write_bytes(data)
    (line,) = run("read", "-T", "json", "x.pcapng").out.splitlines()
    assert json.loads(line)["time"] is None
    done = run("read", "-T", "ek", "x.pcapng")
    assert json.loads(done.out.splitlines()[1])["timestamp"] is None
    assert run("read", "x.pcapng").out.split()[1] == "-"


def test_nanoseconds_are_kept(run, tmp_path):
    talk = wire.Talk()
    packets = wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO)])
    (tmp_path / "x").write_bytes(wire.pcap(packets, magic=0xA1B23C4D, step=1))
    assert json.loads(run("read", "-T", "json", "x").out)["time"] == "2026-09-21T14:13:20.000000003Z"


def test_interrupted_is_130(hello_capture):
    with subprocess.Popen(
        [sys.executable, "-m", "amtdecode", "read", "-T", "fields", "-e", "frame.number", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(hello_capture.read_bytes())
        process.stdin.flush()
        assert process.stdout.readline() == b"5\n"
        process.send_signal(signal.SIGINT)
        process.wait(20)
        assert (process.returncode, process.stderr.read().strip()) == (130, b"")


@pytest.mark.parametrize("form", [["-T", "json"], ["-T", "text"], ["-V"]])
def test_a_closed_pipe_is_quiet(tmp_path, form):
    talk = wire.Talk()
    packets = [*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()]
    many = b"".join(
        wire.epb(wire.ether(wire.Talk(sport=1000 + n).packet(0, b"", wire.SYN)), n, options=wire.option(1, b"x" * 500))
        for n in range(5000)
    )
    (tmp_path / "x").write_bytes(wire.shb() + wire.idb() + many + b"".join(map(wire.epb, wire.frames(packets))))
    with subprocess.Popen(
        [sys.executable, "-m", "amtdecode", "read", *form, str(tmp_path / "x")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        process.wait(30)
        assert (process.returncode, process.stderr.read()) == (0, b"")


@pytest.mark.parametrize("arguments", [["read", "hello.pcap"], ["--help"], ["--version"]])
def test_no_room_for_the_output_is_one_line(hello_capture, arguments):
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "amtdecode", *arguments],
            cwd=hello_capture.parent,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.decode() == f"amtdecode: cannot go on: {os.strerror(errno.ENOSPC).lower()}\n"


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")
@pytest.mark.parametrize("command", [["--help"], ["flows"], ["read"]])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_closed_by_the_caller_are_no_fault(hello_capture, command, closed):
    words = [sys.executable, "-m", "amtdecode", *command, *([] if command == ["--help"] else [str(hello_capture)])]
    done = subprocess.run(["/bin/sh", "-c", f'"$@" {closed}', "sh", *words], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) == (closed == "2>&-")


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the stream")
@pytest.mark.parametrize(
    "command", [["read", "-"], ["cert", "check", "-"], ["hello", "-"], ["read", "--psk-file", "-", "-"]]
)
def test_a_closed_standard_input_is_one_line(command):
    words = [sys.executable, "-m", "amtdecode", *command]
    done = subprocess.run(["/bin/sh", "-c", '"$@" <&-', "sh", *words], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_arrows_gets_all_the_same(run, hello_capture, encoding):
    for command in (
        ["read", "hello.pcap"],
        ["diagnose", "-V", "hello.pcap"],
        ["fields"],
        ["read", "--help"],
        ["log", "x"],
    ):
        (hello_capture.parent / "x").write_text(
            "2008-01-15 10:01:02 ERROR SSL error 913 \u2192 \u2026\n", encoding="utf-8"
        )
        done = run(*command, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
        assert (done.code, "Traceback" in done.err) == (0, False)
        assert done.out


# -- what reaches a terminal ------------------------------------------------------------------------------------------

EVIL = (
    "a\x1b[31mred\x9b1mC1\x07bell\x7fdel\u202ereversed\u2066isolated"
    "\u200bnothing\u2028line\r\nsplit\ttab\x00nul\ufeffbom"
)
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@pytest.mark.parametrize(
    "form",
    [["-T", "text"], ["-V"], ["-T", "json"], ["-T", "ek"], ["-x"],
     ["-T", "fields", "-e", "frame.comment", "-e", "_ws.col.Info", "-e", "iamt.pcapng.name", "-e", "iamt.hello.pid"]],
)  # fmt: skip
def test_captured_control_characters_never_reach_the_output(run, tmp_path, form):
    comment = wire.option(1, EVIL.encode())
    names = struct.pack("<HH", 1, 4 + len(EVIL.encode()) + 1) + bytes([1, 2, 3, 4]) + EVIL.encode() + b"\0"
    names += bytes(-len(names) % 4)
    talk = wire.Talk()
    hello = wire.PSK_HELLO[:24] + b"\x1b[2J\x9b1m\x07"
    data = wire.shb(options=comment) + wire.idb(options=wire.option(2, EVIL.encode())) + wire.block(4, names)
    data += b"".join(wire.epb(packet, options=comment) for packet in wire.frames([*talk.open(), *talk.say(hello)]))
    name = "evil\x1b[31m\u202e.pcapng"
    (tmp_path / name).write_bytes(data)
    done = run("read", *form, "--color", "never", name)
    assert done.code == 0
    assert len(done.out.splitlines()) > 6
    assert OBEYED.findall(done.out) == []
    assert "reversed" in done.out
    assert OBEYED.findall(done.err) == []
    # several inputs show their names
    done = run("read", *form, "--color", "never", name, "none\x1b[31m\x9b")
    assert (OBEYED.findall(done.out), OBEYED.findall(done.err), done.code) == ([], [], 3)


def test_file_names_that_are_no_text(run, tmp_path, hello_capture):
    name = os.fsdecode(b"\xff\xfe\x1b.pcap")
    (tmp_path / name).write_bytes(hello_capture.read_bytes())
    for form in ("text", "json", "ek"):
        done = run("read", "-T", form, name, "hello.pcap")
        assert (done.code, done.err) == (0, "")
        assert wire.UUID_TEXT in done.out
    (tmp_path / "log").write_text("2008-01-15 10:01:02 ERROR SSL error 913\n")
    (tmp_path / "log").rename(tmp_path / f"log{name}.log")
    for command in (["diagnose", name], ["flows", name], ["log", f"log{name}.log"], ["diagnose", f"log{name}.log"]):
        done = run(command[0], "-T", "json", command[1])
        assert (done.code, OBEYED.findall(done.out)) == (0, [])
        assert [json.loads(line) for line in done.out.splitlines()]


def test_captured_control_characters_never_reach_other_reports(run, tmp_path):
    talk = wire.Talk()
    hello = wire.PSK_HELLO[:24] + b"\x1b[2J\x9b1m\x07"
    (tmp_path / "x").write_bytes(wire.pcap(wire.frames([*talk.open(), *talk.say(hello), *talk.close()])))
    (tmp_path / "hello").write_bytes(hello)
    text = EVIL.replace("\0", "")  # which no text has
    (tmp_path / "log").write_text(f"2008-01-15 10:01:02 ERROR SSL error 913 {text}\n", encoding="utf-8")
    for command in (["diagnose", "x"], ["hello", "hello"], ["log", "log"], ["diagnose", "log"]):
        for form in ("text", "json"):
            done = run(command[0], "-T", form, command[1])
            assert (done.code, OBEYED.findall(done.out)) == (0, []), command
            assert done.out


# -- keys and secrets -------------------------------------------------------------------------------------------------


def test_sslkeylogfile_opens_tls(run, shared):
    folder = shared / "captures" / "loopback" / "wsman"
    path = next(path for path in sorted(folder.glob("*.pcap")) if path.with_suffix(".keylog.txt").exists())
    log = path.with_suffix(".keylog.txt")
    closed = run("read", "-q", "-T", "fields", "-e", "_ws.col.Protocol", path)
    opened = run("read", "-q", "-T", "fields", "-e", "_ws.col.Protocol", path, env={"SSLKEYLOGFILE": str(log)})
    assert "http" not in closed.out.split()
    assert "http" in opened.out.split()
    assert opened.out == run("read", "-q", "-T", "fields", "-e", "_ws.col.Protocol", "--keylog", log, path).out
    missing = run("read", "-q", "-T", "fields", "-e", "_ws.col.Protocol", path, env={"SSLKEYLOGFILE": "/none"})
    assert (missing.code, missing.out) == (0, closed.out)


def test_secrets_are_masked_unless_asked_for(run, tmp_path):
    talk = wire.Talk(dport=16992)
    request = b"GET /index.htm HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46UEBzc3cwcmQ=\r\n\r\n"
    packets = wire.frames([*talk.open(), *talk.say(request), *talk.close()])
    (tmp_path / "x").write_bytes(wire.pcap(packets))
    names = ["-e", "http.authorization", "-e", "_ws.col.Info"]
    for form in (["-T", "json"], ["-T", "ek"], ["-V"], ["-T", "text"], ["-T", "fields", *names]):
        masked = run("read", *form, "x").out
        assert "P@ssw0rd" not in masked
        assert "YWRtaW46UEBzc3cwcmQ" not in masked
        assert "GET" in masked
    assert "********" in run("read", "-T", "json", "x").out
    shown = run("read", "-T", "json", "--show-secrets", "x").out
    assert "P@ssw0rd" in shown or "YWRtaW46UEBzc3cwcmQ" in shown


def test_reading_is_not_slowed_by_waiting(run, hello_capture):
    """Standard input that ends is read to its end, once."""
    begun = time.monotonic()
    done = run("read", "-T", "json", "-", stdin=hello_capture.read_bytes())
    assert json.loads(done.out) == GOLDEN | {"input": "-"}
    assert time.monotonic() - begun < 30


def test_a_device_that_never_ends_is_no_log(run):
    done = run("log", "/dev/zero")
    assert "amtdecode: /dev/zero: cannot be read further: no end of a line in 64 MiB\n" in done.err
    assert (done.code, done.out) == (0, "")
    given = run("diagnose", "/dev/zero")
    assert (given.code, given.err) == (3, "amtdecode: /dev/zero: is not a capture (neither pcap nor pcapng)\n")
