"""The other commands of the core: flows, hello, fields, completion; and what start-up may load."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import wire

from amtdecode.cli.common import use_color

HEAVY = ("construct", "cryptography", "lxml", "dpkt", "rich", "scapy", "asn1crypto", "hypothesis", "lz4", "zstandard")


@pytest.mark.parametrize(
    "code",
    [
        "import amtdecode",
        "import amtdecode, amtdecode.protocols.catalogue",
        "from amtdecode.cli.main import run; assert run(['--version']) == 0",
        "from amtdecode.cli.main import run; assert run(['--help']) == 0",
        "from amtdecode.cli.main import run; assert run(['read', '-T', 'json', {capture!r}]) == 0",
    ],
)
def test_start_up_loads_nothing_heavy(code, hello_capture):
    program = code.format(capture=str(hello_capture)) + (
        f"\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_importing_the_library_loads_no_tables():
    rooms = "amtdecode.protocols"
    late = [
        "ipaddress",
        "click",
        f"{rooms}.hello.roots",
        f"{rooms}.http.dissector",
        f"{rooms}.tls.dissector",
        "amtdecode.safe",
    ]
    program = f"import amtdecode, sys; print([name for name in {late!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_version_and_help(run):
    import amtdecode
    from amtdecode.engine import lane

    assert run("--version").out == f"amtdecode {amtdecode.__version__} ({lane.kind()})\n"
    assert lane.kind() == "pure" if lane.COMPILED is None else lane.kind() in {"compiled", "compiled lane"}
    assert run("--version", env={"AMTDECODE_PURE": "1"}).out == f"amtdecode {amtdecode.__version__} (pure)\n"
    text = run("--help").out
    for command in ("read", "flows", "hello", "fields", "live", "listen"):
        assert f"  {command} " in text
        assert run(command, "--help").code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(run, shell):
    done = run(env={"_AMTDECODE_COMPLETE": f"{shell}_source"})
    assert done.code == 0
    assert "_AMTDECODE_COMPLETE" in done.out


def test_completion_of_commands(run):
    done = run(env={"_AMTDECODE_COMPLETE": "bash_complete", "COMP_WORDS": "amtdecode fl", "COMP_CWORD": "1"})
    assert done.out == "plain,flows\n"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("amtdecode pca", "file,pca\n"),
        ("amtdecode -", "plain,--version\nplain,-h\nplain,--help\n"),
        ("amtdecode x.pcap y", "file,y\n"),
        ("amtdecode diagnose y", "file,y\n"),
        ("amtdecode x.pcap --keylog y", "file,y\n"),
        ("amtdecode x.pcap -e iamt.hello.retry", "plain,iamt.hello.retry_count\n"),
        ("amtdecode read -T fields -e iamt.hello.retry", "plain,iamt.hello.retry_count\n"),
        ("amtdecode fields iamt.hello.retry", "plain,iamt.hello.retry_count\n"),
    ],
)
def test_completion_of_files_and_fields(run, words, offered):
    at = str(len(words.split()) - 1)
    done = run(env={"_AMTDECODE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": at})
    assert sorted(done.out.splitlines()) == sorted(offered.splitlines())  # older clicks have another order


def test_flows(run, hello_capture):
    (row,) = map(json.loads, run("flows", "-T", "json", hello_capture).out.splitlines())
    size = len(wire.PKI_HELLO)
    assert row == {
        "transport": "tcp",
        "flow": 0,
        "client": "192.0.2.10:49152",
        "server": "192.0.2.1:9971",
        "protocol": "iamt.hello",
        "packets_to_server": 6 + 1,
        "bytes_to_server": 7 * 54 + size,
        "packets_to_client": 2,
        "bytes_to_client": 2 * 54,
        "payload_to_server": size,
        "payload_to_client": 0,
        "state": "closed",
    }
    text = run("flows", hello_capture).out.splitlines()
    assert text[0].split()[:4] == ["flow", "client", "server", "protocol"]
    assert text[1].split()[:4] == ["tcp:0", "192.0.2.10:49152", "192.0.2.1:9971", "iamt.hello"]
    assert text[1].split()[-1] == "closed"


def test_flows_counts_what_nobody_wants(run, tmp_path):
    """Conversations of no protocol known here are counted to their end, in any frame."""
    talk = wire.Talk(dport=12345)
    packets = [*talk.open(), *talk.say(bytes([200]) * 5000, size=500), *talk.say(b"ok", 1), *talk.close()]
    packets += [wire.ipv4(wire.udp(b"12345", 50000, 7001), proto=17)] * 3
    rows = []
    for link, wrap in ((1, wire.ether), (101, bytes)):
        (tmp_path / "x").write_bytes(wire.pcap([wrap(packet) for packet in packets], link=link))
        rows.append([json.loads(line) for line in run("flows", "-T", "json", "x").out.splitlines()])
    for tcp, udp in rows:
        assert (tcp["payload_to_server"], tcp["payload_to_client"], tcp["state"]) == (5000, 2, "closed")
        assert (tcp["packets_to_server"], tcp["packets_to_client"]) == (14, 3)
        assert (udp["transport"], udp["flow"], udp["packets_to_server"]) == ("udp", 0, 3)
    assert rows[0][1]["bytes_to_server"] == 3 * (14 + 28 + 5)


STATES = {
    "open": lambda talk: talk.open(),
    "closed": lambda talk: talk.open() + talk.close(),
    "half-closed": lambda talk: [*talk.open(), talk.packet(0, b"", wire.FIN | wire.ACK)],
    "reset": lambda talk: [*talk.open(), talk.packet(1, b"", wire.RST)],
    "refused": lambda talk: [talk.packet(0, b"", wire.SYN), talk.packet(1, b"", wire.RST | wire.ACK)],
    "unanswered": lambda talk: [talk.packet(0, b"", wire.SYN)] + [talk.packet(0, b"", wire.SYN, seq=1000)] * 2,
}


@pytest.mark.parametrize("state", STATES)
def test_states_of_connections(run, tmp_path, state):
    step = 150_000 if state == "unanswered" else 1000  # a SYN within 100 ms is a copy, no retry
    (tmp_path / "x").write_bytes(wire.pcap(wire.frames(STATES[state](wire.Talk())), step=step))
    (row,) = map(json.loads, run("flows", "-T", "json", "x").out.splitlines())
    assert row["state"] == state
    said = [json.loads(line) for line in run("read", "-T", "json", "x").out.splitlines()]
    if state in ("refused", "unanswered"):
        (one,) = said
        assert one["fields"]["iamt.connection.state"] == state
        assert one["fields"]["iamt.connection.syn_count"] == (3 if state == "unanswered" else 1)
        assert one["packets"] == ([1, 2] if state == "refused" else [1, 2, 3])
    else:
        assert said == []


def test_hello_from_hex_and_files(run, tmp_path):
    expected = {
        "event": "HelloMessage",
        "summary": f"Hello PSK, UUID {wire.UUID_TEXT}, PID 0000-037M, retry 4",
        "fields": {
            "iamt.hello.version": 2,
            "iamt.hello.admin_credentials_set": True,
            "iamt.hello.retry_count": 4,
            "iamt.hello.uuid": wire.UUID_TEXT,
            "iamt.hello.pid": "0000037M",
            "iamt.hello.pid.check": True,
        },
    }
    (tmp_path / "bytes").write_bytes(wire.PSK_HELLO)
    (tmp_path / "hex").write_text(wire.PSK_HELLO.hex(" ") + "\n")
    for message in (wire.PSK_HELLO.hex(), wire.PSK_HELLO.hex(":").upper(), "bytes", "hex"):
        done = run("hello", "-T", "json", message)
        assert (done.code, [json.loads(line) for line in done.out.splitlines()]) == (0, [expected])
    done = run("hello", "-T", "json", "-", stdin=wire.PSK_HELLO)
    assert (done.code, [json.loads(line) for line in done.out.splitlines()]) == (0, [expected])
    text = run("hello", wire.PKI_HELLO.hex()).out
    assert f"root hash 2:{wire.SHA256_VALUE.hex()}  Go Daddy Class 2 CA" in text
    assert f"root hash 1:{bytes(range(20)).hex()}  (not a root known here)" in text


def test_hello_refuses_what_it_cannot_read(run, tmp_path, hello_capture):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "large").write_bytes(bytes((1 << 20) + 1))
    (tmp_path / "text").write_text("PID and PPS of desk 5\n")
    (tmp_path / "wide").write_text("PID and PPS", "utf-16")
    for message, what in (("none", "no such file"), ("empty", "empty"), ("large", "more than"), (".", "directory"),
                          ("hello.pcap", "is a capture; read it with"), ("", "no such file"),
                          ("text", "text: is text and no hello message"), ("wide", "wide: is text")):  # fmt: skip
        done = run("hello", message)
        assert (done.code, done.out) == (3, "")
        assert done.err.count("\n") == 1
        assert what in done.err


@pytest.mark.parametrize(
    "arguments",
    [["read"], ["flows"], ["diagnose"], ["log"], ["hello"], ["cert", "check"], ["diagnose", ".", "--site"], ["follow"]],
)
def test_a_missing_file_is_told_alike_by_all_commands(run, arguments):
    done = run(*arguments, "nosuch")
    assert (done.code, done.out, done.err) == (3, "", "amtdecode: nosuch: no such file or directory\n")


def test_fields_lists_the_catalogue(run):
    done = run("fields", "iamt.hello.*")
    assert [line.split()[0] for line in done.out.splitlines()] == sorted(
        f"iamt.hello.{name}" for name in ("version", "admin_credentials_set", "retry_count", "uuid", "pid", "pid.check",
                                          "hash_count", "hash.algorithm", "hash.value", "hash.name", "rest", "partial",
                                          "answer", "answer.protocol")
    )  # fmt: skip
    rows = [json.loads(line) for line in run("fields", "-T", "json").out.splitlines()]
    assert {
        "name": "tcp.stream",
        "kind": "FT_UINT32",
        "repeated": False,
        "secret": False,
        "meaning": "number of the TCP connection, from 0",
        "values": {},
    } in rows
    assert len(rows) == len({row["name"] for row in rows}) > 100
    none = run("fields", "no.such.*")
    assert (none.code, none.out) == (0, "")
    assert none.err == "amtdecode: note: no field matches no.such.*; `amtdecode fields` lists all\n"


@pytest.mark.parametrize(
    ("choice", "terminal", "environment", "coloured"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {"TERM": "xterm"}, True),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", True, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("auto", True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", False, {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_when_output_is_coloured(monkeypatch, choice, terminal, environment, coloured):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    assert use_color(choice) is coloured


@pytest.mark.parametrize("command", ["read", "diagnose"])
@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_file_under_two_names_is_read_once(run, tmp_path, hello_capture, command, link):
    twin = tmp_path / "twin.pcap"
    link(hello_capture, twin)
    once, both = run(command, "-T", "json", hello_capture), run(command, "-T", "json", hello_capture, twin)
    assert once.err == ""
    assert both == (0, once.out, f"amtdecode: note: {twin} is the same file as {hello_capture}, and is read once\n")
    assert run(command, "-q", "-T", "json", twin, hello_capture).err == ""


def test_what_is_no_input_is_said_to_be_passed_over(run, tmp_path, hello_capture):
    text = tmp_path / "LICENSE"
    text.write_text("Permission is granted\nto nobody: error\n")
    done = run("diagnose", hello_capture, text)
    assert (done.code, done.err) == (0, f"amtdecode: note: {text}: no log known here, 2 lines passed over\n")
    assert "AMT-LOG" not in done.out  # its level says nothing of a setup server
    assert run("diagnose", "-q", text)[::2] == (4, "")
