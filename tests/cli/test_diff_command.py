"""`diff`: what it prints, and its exit codes."""

from __future__ import annotations

import json

import pytest
from docs_pages import ROOT

OFFICE, CLEAN = ROOT / "pcaps" / "office.pcapng", ROOT / "pcaps" / "psk_clean.pcapng"


def test_where_two_machines_part(run):
    done = run("diff", OFFICE, "--bad", "192.0.2.24")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (1, "")
    assert lines[0].endswith("a3700015-1de5-11dc-8000-5e0000005315, 192.0.2.21, psk, set up, 22 steps")
    assert lines[1].endswith("a3700018-1de5-11dc-8000-5e0000005318, 192.0.2.24, psk, failed, 16 steps")
    assert lines[3].startswith("8 steps alike, up to connection closed by the client")
    assert lines[3].endswith("(packet 17 | 95).")
    assert lines[8] == "<     28 ← ClientHello TLS 1.0, 5 suites              |"
    assert "      iamt.connection.state: closed | refused" in lines
    assert lines[-1].startswith(">") and "143 ← connection refused by the server" in lines[-1]  # noqa: PT018


def test_what_is_alike_ends_well(run):
    done = run("diff", CLEAN, OFFICE, "--bad", "192.0.2.21")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[3] == "The two dialogues are alike: 22 steps, and no field that matters differs."


def test_as_json(run):
    done = run("diff", "-T", "json", OFFICE)
    shown = json.loads(done.out)
    assert (done.code, shown["parts_at"], shown["good"]["outcome"], shown["bad"]["outcome"]) == (
        1, 1, "committed", "incomplete",
    )  # fmt: skip
    row = shown["rows"][1]
    assert (row["how"], row["good"]["packet"], row["bad"]["packet"], row["good"]["time"]) == (
        "changed", 2, 20, "2007-11-05T09:00:00.001000000Z",
    )  # fmt: skip
    assert row["fields"] == [
        {"name": "dhcp.option.domain_name", "good": "example.com", "bad": "branch.example.com"},
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((OFFICE, "--bad", "nobody"), 2, "nobody: no machine is called so; there are a3700015-"),
        ((CLEAN,), 2, "both are the same dialogue"),
        ((OFFICE, "-"), 2, "save standard input to a file first"),
        ((OFFICE, "/dev/null"), 2, "/dev/null: is a pipe or device, and diff reads its captures twice"),
        ((OFFICE, "absent.pcap"), 3, "absent.pcap"),
        ((OFFICE, ROOT / "docs"), 3, "docs: is a directory, not a capture"),
        ((OFFICE, ROOT / "LICENSE"), 3, "LICENSE"),
        ((), 2, "missing argument 'GOOD'"),
    ],
)
def test_bad_input_is_one_clear_line(run, arguments, code, said):
    done = run("diff", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err
