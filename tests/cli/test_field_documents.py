"""`-e` with `-T json` and `-T ek`: what tshark prints for the same line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import oracle
import pytest

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
LINES = [
    ["-c", "3", "-T", "json", "-e", "frame.number", "-e", "dns.qry.name", "-e", "ip.addr", "-e", "dns.a"],
    ["-c", "3", "-T", "ek", "-e", "frame.number", "-e", "dns.qry.name", "-e", "ip.addr"],
    ["-Y", "dns", "-T", "json", "-E", "occurrence=l", "-e", "frame.number", "-e", "ip.addr"],
    ["-Y", "udp.srcport == 53", "-T", "ek", "-E", "occurrence=f", "-e", "frame.number", "-e", "udp.port"],
    ["-Y", "tcp", "-T", "json", "-e", "ip.addr"],
    ["-Y", "tcp", "-T", "ek", "-e", "ip.addr"],
]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is the oracle")
@pytest.mark.parametrize("words", LINES, ids=[" ".join(words) for words in LINES])
def test_documents_are_tsharks(run, words):
    path = PCAPS / "dns.pcap"
    told = oracle.run(["tshark", "-n", "-r", path, *words], check=True).stdout.decode()
    assert run("read", path, *words).out == told


def test_fields_of_ours_are_written_alike_and_secrets_masked(run):
    done = run("read", PCAPS / "hello.pcap", "-T", "json", "-e", "iamt.hello.pid", "-e", "iamt.hello.hash.algorithm")
    layers = [each["_source"]["layers"] for each in json.loads(done.out)]
    assert layers[0] == {"iamt.hello.hash.algorithm": ["2"] * 23}
    assert layers[-1] == {"iamt.hello.pid": ["ABCD1234"]}
    words = ("read", PCAPS / "wsman.pcap", "-T", "ek", "-e", "http.authorization")
    masked, shown = run(*words).out, run(*words, "--show-secrets").out
    assert '"http_authorization":["********"]' in masked
    assert "response=" not in masked
    assert masked.count("********") == shown.count("response=") > 1
    assert run("read", PCAPS / "wsman.pcap", "-T", "json", "-E", "header=y").code == 2
    assert run("read", PCAPS / "wsman.pcap", "-T", "pdml", "-e", "http").err == (
        "amtdecode: -e goes with -T fields, csv, json or ek\n"
    )
