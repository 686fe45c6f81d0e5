"""No byte is left unexplained: what dissectors state covers all that they were given, layer by layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtdecode.capture import open_capture
from amtdecode.engine import Engine, stack
from amtdecode.model import Gap, LimitReached, Malformed, Payload, Truncated, Unrecognised
from amtdecode.protocols.rmcp import RmcpMessage
from amtdecode.secrets import Keys

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
UNREAD = (Malformed, Unrecognised, Gap, LimitReached, Truncated)
RECORDED = [
    *(f"cira/cira_apf_{name}" for name in ("plain", "tls10_rsa", "tls13")),
    "redir/sol_16994_amtterm",
]  # fmt: skip
OURS = ["cira.pcap", "cira_tls.pcap", "redirection.pcapng", "sol.pcap", "wsman.pcap"]
TLS_HEADER, DATA_HEADER = 5, 9  # of a record (RFC 5246, section 6.2.1), and of CHANNEL_DATA in APF


@pytest.fixture
def stated(monkeypatch):
    """What each dissector states: (analyzer, spans of both directions, each with the kind of its event)."""
    found: dict[int, tuple] = {}
    real = stack.Stack.state

    def state(self, flow, channel, analyzer, statements, stamps, *more):
        statements = list(statements)
        _, ways = found.setdefault(id(analyzer), (analyzer, ([], [])))
        for one in statements:
            ways[one.direction].append((one.start, one.end, type(one.event)))
            for span in one.also or ():
                ways[span.direction].append((span.start, span.end, type(one.event)))
        real(self, flow, channel, analyzer, statements, stamps, *more)

    monkeypatch.setattr(stack.Stack, "state", state)
    return found


def holes(spans, end):
    """Stretches that no statement covers, with the kind of what follows."""
    at = 0
    for start, behind, kind in sorted(spans, key=lambda span: span[:2]):
        if start > at:
            yield at, start, kind
        at = max(at, behind)
    if at < end:
        yield at, end, None


def records(data):
    """Where TLS records begin, and the end."""
    at = 0
    while at < len(data):
        yield at
        at += TLS_HEADER + int.from_bytes(data[at + 3 : at + 5], "big")
    yield at


def sent_in(path):
    """Both directions of the only connection of a capture."""
    sent = (bytearray(), bytearray())
    engine = Engine(tcp_tap=lambda _, chunk: sent[chunk.sender.direction].extend(chunk.data))
    list(engine.observe(open_capture(str(path))))
    assert all(sent)
    return sent


def check(path, keylog, stated):
    keys = Keys.load(keylogs=[str(keylog)]) if keylog.exists() else None
    assert not [one for one in Engine(keys).observe(open_capture(str(path))) if isinstance(one.event, UNREAD)]
    assert stated
    names, sent = set(), sent_in(path) if keys else None
    for analyzer, ways in stated.values():
        name = analyzer.protocol.name
        names.add(name)
        for way, spans in enumerate(ways):
            for start, end, kind in holes(spans, analyzer.position[way]):
                if name == "tls":  # headers of records, and records of TLS 1.0 that hold nothing
                    edges = set(records(sent[way]))
                    assert start in edges
                    assert end in edges or end - start == TLS_HEADER
                else:  # the head of what is carried
                    assert (name, end - start, kind) == ("iamt.apf", DATA_HEADER, Payload)
    return names


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_conversations(shared, stated, name):
    path = shared / "captures" / "loopback" / f"{name}.pcap"
    names = check(path, path.with_suffix(".keylog.txt"), stated)
    inside = {"iamt.apf", "http", "iamt.soap"} | ({"tls"} if "tls" in name else set())
    assert names == (inside if name.startswith("cira") else {"iamt.redir"})


@pytest.mark.parametrize("name", OURS)
def test_captures_of_ours(stated, name):
    check(PCAPS / name, (PCAPS / name).with_suffix(".keylog.txt"), stated)


def test_recorded_datagrams(shared):
    """Each is one message that is told, IPMI as such."""
    path = shared / "captures" / "loopback" / "ipmi" / "rmcp_ipmi_623.pcap"
    found = [one for one in Engine().observe(open_capture(str(path))) if isinstance(one.event, (RmcpMessage, *UNREAD))]
    assert [one.packet for one in found] == list(range(1, 55))
    assert all(isinstance(one.event, RmcpMessage) for one in found)
