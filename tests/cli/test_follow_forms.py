"""`amtdecode follow`: its forms beside those of tshark, the layer it takes by itself, and what is no flow."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import oracle
import pytest

from amtdecode.cli.main import run
from amtdecode.render.following import set_out

PCAPS = Path(__file__).parents[2] / "pcaps"
WSMAN, DNS, WSMAN_TLS = (str(PCAPS / name) for name in ("wsman.pcap", "dns.pcap", "wsman_tls.pcap"))
KEYS = ("--keylog", str(PCAPS / "wsman_tls.keylog.txt"))


@pytest.fixture
def call(capfd, monkeypatch):
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)

    def command(*arguments):
        code = run(["follow", *arguments])
        return code, *capfd.readouterr()

    return command


def rows(text):
    return [row.rstrip() for row in re.findall(r"(?m)^\t?[0-9A-F]{8}  .*$", text)]


@pytest.mark.parametrize(
    ("capture", "kind", "number"), [(WSMAN, "tcp", 0), (WSMAN, "tcp", 1), (DNS, "udp", 0), (DNS, "udp", 3)]
)
def test_a_dump_is_tshark_s(call, tshark, capture, kind, number):
    code, out, err = call(capture, "--flow", f"{kind}:{number}", "-T", "hex", "-q")
    command = [tshark, "-n", "-r", capture, "-q", "-z", f"follow,{kind},hex,{number}"]
    theirs = oracle.run(command, text=True, check=True).stdout
    assert (code, err) == (0, "")
    assert rows(out) == rows(theirs)
    assert len(rows(out)) >= 6


def test_tls_is_opened_where_a_key_does_it(call):
    opened = call(WSMAN_TLS, "--flow", "0", "--layer", "tls", "-q", *KEYS)
    assert "POST /wsman" in opened[1]
    assert call(WSMAN_TLS, "--flow", "0", "-q", *KEYS) == opened
    assert "note: TLS is opened; --layer tcp prints its records" in call(WSMAN_TLS, "--flow", "0", *KEYS)[2]
    records = call(WSMAN_TLS, "--flow", "0", "-T", "raw", "-q")
    assert records[1].startswith("160301")
    assert call(WSMAN_TLS, "--flow", "0", "-T", "raw", "-q", "--layer", "tcp", *KEYS) == records


def test_soap_line_by_line(call):
    code, out, err = call(WSMAN, "--flow", "0", "--layer", "soap", "-q")
    assert (code, err) == (0, "")
    assert out.startswith("tcp flow 0: client 127.0.0.1:60342, server 127.0.0.1:16992\n\n--- to the server\n<?xml ")
    assert re.search(
        r"(?m)^  <Header>\n    <a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>\n"
        r"    <a:To>/wsman</a:To>\n",
        out,
    )
    assert "\n  <Body />\n</Envelope>\n" in out
    assert "Unauthorized" not in out  # bodies that are none are left out


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"<a><b>x</b><c/></a>", ["<a>", "  <b>x</b>", "  <c/>", "</a>"]),
        (b"<?xml?>\r\n<a>\r\n <b>\r\n  x\r\n </b>\r\n</a>", ["<?xml?>", "<a>", "  <b>x</b>", "</a>"]),
        ("\ufeff<a>é</a>".encode("utf-16-le"), ["<a>é</a>"]),
        ("<?a?><b/>".encode("utf-16-be"), ["<?a?>", "<b/>"]),
        (b"</a></b>text<c", ["</a>", "</b>", "text<c"]),
        (b"<a>\x1b[31m</a>", ["<a>\\x1b[31m</a>"]),
        (b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", None),
        (b"", []),
    ],
)  # fmt: skip
def test_xml_is_set_out_and_not_changed(data, lines):
    shown = set_out(data)
    if lines is not None:
        assert shown.splitlines() == lines
    assert "\x1b" not in shown
    if data.isascii() and b"\x1b" not in data and b"\0" not in data:
        assert re.sub(rb"\s", b"", shown.encode()) == re.sub(rb"\s", b"", data)


def test_deep_xml_costs_no_more_than_its_lines():
    shown = set_out(b"<a>" * 5000)
    assert len(shown) < 5000 * 140
    assert shown.splitlines()[-1].strip() == "<a>"


def test_both_sides_have_colours(call):
    plain = call(WSMAN, "--flow", "0", "-q")[1]
    assert "\x1b" not in plain
    colored = call(WSMAN, "--flow", "0", "-q", "--color", "always")[1]
    assert re.search(r"\x1b\[31mPOST /wsman", colored)
    assert re.search(r"\x1b\[34mHTTP/1\.1 401", colored)
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain
    assert "\x1b" not in call(WSMAN, "--flow", "0", "-T", "raw", "--color", "always", "-q")[1]


@pytest.mark.parametrize("flow", ["99", "tcp:99", "udp:0"])
def test_a_flow_that_is_not_there_is_an_error(call, flow):
    code, out, err = call(WSMAN, "--flow", flow, "-q")
    assert (code, out) == (2, "")
    name = flow.replace(":", " flow ") if ":" in flow else f"tcp flow {flow}"
    assert err == f"amtdecode: there is no {name}; `amtdecode flows` lists those there are\n"


def test_a_layer_that_is_not_there_is_told(call):
    code, out, err = call(WSMAN, "--flow", "0", "--layer", "tls")
    assert (code, out) == (0, "")
    assert "tcp flow 0 carries no tls payload that can be read" in err


def test_standard_input_is_read_once():
    command = [sys.executable, "-m", "amtdecode", "follow", "-", "--flow", "0", "--layer", "tls", "-q", *KEYS]
    done = subprocess.run(command, input=Path(WSMAN_TLS).read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0
    assert b"POST /wsman" in done.stdout
