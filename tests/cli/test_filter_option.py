"""`-Y` of every command that has it, as users type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
HELLO, WSMAN = PCAPS / "hello.pcap", PCAPS / "wsman.pcap"


def test_read_prints_what_it_prints_of_the_packets_that_pass(run):
    plain = [json.loads(line) for line in run("read", "-T", "json", WSMAN).out.splitlines()]
    shown = [
        json.loads(line)
        for line in run("read", "-T", "json", "-Y", "http.response.code == 401", WSMAN).out.splitlines()
    ]
    assert shown == [line for line in plain if line["packet"] == 6]
    assert len(shown) > 1


@pytest.mark.parametrize(
    "command", [["read"], ["flows"], ["follow"], ["export", "--certs", "x"], ["follow", "--flow", "0"]]
)
def test_a_filter_that_makes_no_sense_is_told_with_a_caret(run, command):
    done = run(*command, HELLO, "-Y", "iamt.helo == 1")
    assert done.code == 2
    assert done.out == ""
    assert done.err.splitlines() == [
        'amtdecode: Left side of "==" expression must be a field or function, not iamt.helo.',
        "    iamt.helo == 1",
        "    ^~~~~~~~~",
        "Did you mean iamt.hello or iamt.hello.pid or iamt.hello.uuid?",
    ]


def test_flows_lists_those_in_which_a_packet_passes(run):
    rows = [
        json.loads(line)
        for line in run("flows", "-T", "json", WSMAN, "-Y", "http.response.code == 401").out.splitlines()
    ]
    assert [(row["transport"], row["flow"], row["packets_to_server"]) for row in rows] == [("tcp", 0, 6)]


def test_follow_finds_the_flow(run):
    chosen = run("follow", WSMAN, "-Y", "iamt.soap.fault.code", "-q")
    assert chosen.out == run("follow", WSMAN, "--flow", "1", "-q").out
    assert chosen.out.startswith("tcp flow 1: ")
    assert (
        "no packet of tcp flow 0 passes the filter"
        in run("follow", WSMAN, "--flow", "0", "-Y", "iamt.soap.fault.code").err
    )
    assert run("follow", WSMAN).code == 2


def test_export_writes_bodies_and_packets_that_pass(run, tmp_path):
    done = run("export", WSMAN, "-Y", "iamt.soap.fault.code", "--http", "faults", "--pcap", "faults.pcapng")
    assert done.code == 0
    assert [path.name for path in (tmp_path / "faults").iterdir()] == ["tcp0001-0010-response-400.xml"]
    plain = run("export", WSMAN, "--http", "all")
    assert plain.code == 0
    assert (tmp_path / "all/tcp0001-0010-response-400.xml").read_bytes() == (
        tmp_path / "faults/tcp0001-0010-response-400.xml"
    ).read_bytes()
    assert run("read", "faults.pcapng", "-T", "fields", "-e", "tcp.len", "-Y", "tcp.len > 0").code == 0
    assert "1 packet in faults.pcapng" in done.err
    assert run("export", WSMAN, "-Y", "http", "--device", "x", "--pcap", "y").code == 2
