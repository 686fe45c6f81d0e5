"""Twice the input takes twice the operations: no cache or cap costs more to keep than what it holds.

Operations are calls, of Python and of C, as the interpreter counts them. What a dictionary does inside is not among
them, so a search of the source stands beside: the oldest entry of a large one is never looked for one at a time.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import wire

import amtdecode
from amtdecode.secrets import Keys
from amtdecode.secrets.keylog import KeyLog

PACKAGE = Path(__file__).resolve().parent.parent / "amtdecode"


def calls(work) -> int:
    """Calls made by some work, after it has run once so that all modules are there."""
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    work()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def key_log(size):
    data = b"".join(b"CLIENT_RANDOM %064x %096x\n" % (number, number) for number in range(size))
    return lambda: KeyLog().feed(data)


def psk_table(size):
    table = b"pid,pps\n" + b"".join(b"0000037M,hex:%08x\n" % number for number in range(size))
    return lambda: Keys.load(psk_files=[table]).psks(b"0000037M")


def bundle(size):
    from amtdecode.artifacts.certificates import read_bundle

    lines = b"-----BEGIN CERTIFICATE-----\n" + b"x\n" * size + b"-----END CERTIFICATE-----\n" + b"y\n" * size
    return lambda: read_bundle(lines)


def scan(size):
    packets = [
        wire.Talk(sport=1024 + number % 60_000, dport=16992, client=f"10.0.{number >> 8 & 255}.{number & 255}").open()[
            0
        ]
        for number in range(size)
    ]
    data = wire.pcap(wire.frames(packets))
    return lambda: list(amtdecode.read(data))


def story(size):
    inner = scan(size)
    data = inner.__closure__[0].cell_contents
    return lambda: amtdecode.diagnose(data)


@pytest.mark.parametrize("make", [key_log, psk_table, bundle, scan, story])
def test_twice_the_input_takes_twice_the_calls(make, monkeypatch):
    monkeypatch.setattr("amtdecode.secrets.keylog.MAX_SECRETS", 200)  # so that each cap is long reached
    monkeypatch.setattr("amtdecode.flow.table.MAX_TCP_FLOWS", 100)
    monkeypatch.setattr("amtdecode.flow.table.EVICT", 10)
    for module in ("machines", "fold.hello", "fold.http"):
        monkeypatch.setattr(f"amtdecode.provisioning.{module}.MAX_FLOWS", 100)
    once, twice = calls(make(400)), calls(make(800))
    assert once > 400 or make is bundle
    assert twice <= 2.1 * once


def test_the_oldest_of_a_large_table_is_not_looked_for_one_at_a_time():
    """`next(iter(table))` passes over all entries deleted before it. Small tables, and ordered ones, are named."""
    small = {  # 4 to 256 entries
        "filter/recent.py",
        "net/fragments.py",
        "protocols/apf/channels.py",
        "protocols/http/dissector.py",
        "protocols/soap/dissector.py",
        "provisioning/journal/reading.py",
    }
    ordered = {"frame/observed.py"}
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"(?:pop\(|del .*\[|oldest = )next\(iter\(", path.read_text())
    }
    assert found <= small | ordered
    assert all("OrderedDict()" in (PACKAGE / name).read_text() for name in ordered)


def test_secrets_inside_a_capture_are_taken_in_once(monkeypatch):
    import io

    from amtdecode.capture.writing import PcapngWriter

    file = io.BytesIO()
    writer = PcapngWriter(file)
    for number in range(3):
        writer.secrets(b"CLIENT_RANDOM %064x %096x\n" % (number, number))
    fed = []
    feed = KeyLog.feed
    monkeypatch.setattr(KeyLog, "feed", lambda log, data: (fed.append(data), feed(log, data)))
    list(amtdecode.read(file.getvalue()))
    assert len(fed) == 3
    fed.clear()
    amtdecode.diagnose(file.getvalue())
    assert len(fed) == 3
