"""`follow --layer sol` and `export --ider`: what a console showed and what a host read, byte for byte."""

from __future__ import annotations

from pathlib import Path

import wire

from pcaps import redirection

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
CAPTURE = str(PCAPS / "redirection.pcapng")


def test_the_console_both_ways_as_text(run):
    done = run("follow", CAPTURE, "--flow", "0", "--layer", "sol", "-q")
    assert done.code == 0
    assert done.out == (
        "tcp flow 0: client 192.0.2.10:49153, server 192.0.2.41:16994\n"
        "\n--- to the client\ndesk-41 login: \n--- to the server\nroot\\x0d"
        "\n--- to the client\nroot\nPassword: \n--- to the server\nExample-3\\x0d"
        "\n--- to the client\n\nroot@desk-41:~# "
    )


def test_a_flow_without_a_console_says_so(run):
    done = run("follow", CAPTURE, "--flow", "1", "--layer", "sol")
    assert "tcp flow 1 carries no sol payload that can be read" in done.err


def test_what_a_host_read_of_a_drive(run, tmp_path):
    done = run("export", "--ider", str(tmp_path / "cd"), CAPTURE)
    assert done.code == 0
    assert "2 files in" in done.err
    files = {path.name: path.read_bytes() for path in (tmp_path / "cd").iterdir()}
    assert sorted(files) == ["tcp0001-0001-cd-block00000016.bin", "tcp0001-0002-cd-block00000020.bin"]
    first = files["tcp0001-0001-cd-block00000016.bin"]
    assert len(first) == 4096
    assert first.startswith(b"\1CD001\1\0EXAMPLE")
    assert first[2048:] == bytes(range(256)) * 8
    assert files["tcp0001-0002-cd-block00000020.bin"] == b"boot".ljust(2048, b".")


def test_a_read_that_breaks_off_is_kept_and_named_so(run, tmp_path):
    steps = redirection.ider()
    last = max(at for at, (_, data) in enumerate(steps) if data[0] == 0x54 and not data[3])
    talk = wire.Talk(dport=16994)
    packets = talk.open()
    for way, data in steps[: last + 1]:
        packets += talk.say(data, way)
    path = tmp_path / "cut.pcap"
    path.write_bytes(wire.pcap(wire.frames(packets)))
    assert run("export", "--ider", str(tmp_path / "cd"), str(path)).code == 0
    assert [each.name for each in (tmp_path / "cd").iterdir()] == ["tcp0000-0001-cd-block00000016-incomplete.bin"]
