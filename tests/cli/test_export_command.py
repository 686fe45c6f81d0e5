"""`amtdecode export`: files written, and what is never written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import wire

PCAPS = Path(__file__).parents[2] / "pcaps"


def test_bodies_and_certificates_become_files(run, tmp_path):
    options = ["--http", "h", "--soap", "s", "--certs", "c", "--keylog", PCAPS / "wsman_tls.keylog.txt"]
    done = run("export", *options, PCAPS / "wsman_tls.pcap")
    assert done.code == 0
    assert "not masked" in done.err
    soap = sorted(path.name for path in (tmp_path / "s").iterdir())
    assert soap[:2] == ["tcp0000-0001-request.xml", "tcp0001-0001-request.xml"]
    assert "tcp0001-0010-response-400.xml" in soap
    assert all(b"Envelope" in path.read_bytes() for path in (tmp_path / "s").iterdir())
    http = sorted(path.name for path in (tmp_path / "h").iterdir())
    assert sorted({*http} - {*soap}) == ["tcp0000-0002-response-401.html"]
    assert all((tmp_path / "s" / name).read_bytes() == (tmp_path / "h" / name).read_bytes() for name in soap)
    assert all(path.read_text().startswith("-----BEGIN CERTIFICATE") for path in (tmp_path / "c").iterdir())
    assert run("export", *options, "-q", PCAPS / "wsman_tls.pcap").err == ""


def test_a_body_has_the_same_name_whatever_else_is_written(run, tmp_path):
    """Messages without a body, and bodies that are no SOAP, count too: both kinds may go to one folder."""
    talk = wire.Talk(dport=16992)
    packets = talk.open()
    page, envelope = (
        b"<html>no</html>",
        b'<?xml version="1.0"?><Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"/>',
    )
    head = "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n"
    answer = "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n"
    packets += talk.say(head.format(0).encode())
    packets += talk.say(answer.format("401 Unauthorized", "text/html", len(page)).encode() + page, 1)
    packets += talk.say(head.format(len(envelope)).encode() + envelope)
    packets += talk.say(answer.format("200 OK", "application/soap+xml", len(envelope)).encode() + envelope, 1)
    (tmp_path / "x.pcap").write_bytes(wire.pcap(wire.frames(packets + talk.close())))
    assert run("export", "--http", "all", "--soap", "all", "x.pcap").code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "all").iterdir()} == {
        "tcp0000-0002-response-401.html": page,
        "tcp0000-0003-request.xml": envelope,
        "tcp0000-0004-response-200.xml": envelope,
    }


@pytest.mark.parametrize("option", ["--http", "--soap", "--certs"])
def test_a_folder_that_cannot_be_written_is_told(run, tmp_path, option):
    (tmp_path / "file").write_text("in the way")
    done = run("export", option, "file/below", "--keylog", PCAPS / "wsman_tls.keylog.txt", PCAPS / "wsman_tls.pcap")
    assert (done.code, done.out, done.err.count("\n")) == (3, "", 1)
    assert "file/below" in done.err


def test_the_proof_is_a_capture_that_says_the_same(run):
    log = PCAPS / "wsman_tls.keylog.txt"
    for options, env in ((["--keylog", log], {}), ([], {"SSLKEYLOGFILE": str(log)})):
        assert run("export", "--pcap", "proof", *options, PCAPS / "wsman_tls.pcap", env=env).code == 0
        assert "opened by key log" in run("read", "proof").out
    assert run("export", "--pcap", "all", PCAPS / "office.pcapng").code == 0
    assert run("export", "--pcap", "part", "-c", "30", PCAPS / "office.pcapng").code == 0
    numbers = [run("read", "-T", "fields", "-e", "frame.number", name).out.split()[-1] for name in ("part", "all")]
    assert int(numbers[0]) < int(numbers[1])
    other = run("export", "--pcap", "x", "--device", "none", PCAPS / "office.pcapng")
    assert (other.code, "there are: " in other.err) == (2, True)


@pytest.mark.skipif(os.name != "posix", reason="makes links")
def test_no_capture_is_written_over(run, tmp_path):
    data = (PCAPS / "office.pcapng").read_bytes()
    (tmp_path / "mine").write_bytes(data)
    (tmp_path / "link").symlink_to("mine")
    (tmp_path / "again").hardlink_to(tmp_path / "mine")
    for target in ("mine", "./mine", "link", "again"):
        done = run("export", "--pcap", target, PCAPS / "hello.pcap", "mine")
        assert (done.code, "one of the inputs" in done.err) == (2, True)
        assert (tmp_path / "mine").read_bytes() == data
