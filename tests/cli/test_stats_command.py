"""`stats`: what it prints."""

from __future__ import annotations

import json

from docs_pages import ROOT

OFFICE = ROOT / "pcaps" / "office.pcapng"


def test_tables_and_pictures(run):
    done = run("stats", OFFICE)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0] == "Protocols: 97 observations"
    assert "  16993  refused          6  ███████████████" in lines
    assert lines[-1] == "  |▄█      ▄▄      ▄      ▄       ▄|"


def test_an_old_console_gets_ascii(run):
    done = run("stats", OFFICE, env={"PYTHONIOENCODING": "ascii"})
    assert done.out.isascii()
    assert "  |=@      ==      =      =       =|" in done.out.splitlines()


def test_as_json(run):
    shown = json.loads(run("stats", "-T", "json", OFFICE).out)
    assert shown["connections"][0] == {"port": 9971, "state": "closed", "count": 8}
    assert shown["hellos"]["over_time"][:2] == [1, 2]
    assert "others" in shown


def test_an_input_that_cannot_be_read(run):
    done = run("stats", "absent.pcap")
    assert (done.code, done.err) == (3, "amtdecode: absent.pcap: no such file or directory\n")
