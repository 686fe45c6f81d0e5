"""Rooms on demand: what is asked for is the same as with all rooms at work; others make nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtdecode.capture import open_records
from amtdecode.engine import Engine
from amtdecode.filter import compile_filter
from amtdecode.filter.gate import Gate
from amtdecode.protocols.demand import PassedOver, in_full, on_demand
from amtdecode.protocols.registry import REGISTRY
from amtdecode.render.columns import Columns
from amtdecode.secrets import Keys

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
KEYLOGS = sorted(PCAPS.glob("*.keylog.txt"))
CAPTURES = sorted([*PCAPS.glob("*.pcap"), *PCAPS.glob("*.pcapng")])
PSK = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"
ASKED = [
    (("iamt.hello.uuid", "iamt.hello.version"), ""),
    (("http.response.code",), ""),
    (("http.request.uri", "http.response.code"), "http"),
    (("http.request.uri",), "http.response.code == 200 or http.request"),
    (("iamt.call.result", "iamt.wsman.method"), ""),
    (("tls.handshake.type", "tls.handshake.ciphersuite"), "iamt.hello or tls"),
    (("tls.handshake.certificate",), ""),
    (("dns.qry.name", "dhcp.option.domain_name"), "udp or tcp.port == 53"),
    (("arp.opcode",), ""),
    (("iamt.hello.uuid",), 'iamt.call.result == "OK"'),
    (("http.host", "frame.number"), ""),
    (("iamt.reason", "http.host"), ""),
    (("iamt.connection.state",), ""),
    (("iamt.apf.uuid", "iamt.apf.port"), ""),
    (("http.host",), "iamt.apf.type == 90"),
]


def lines(path, columns, text, registry):
    keys = Keys.load([PSK], (), (), list(map(str, KEYLOGS)), ())
    found: list[str] = []
    write = Columns(found.append, columns)
    engine = Engine(keys, registry=registry)
    gate = Gate(compile_filter(text))
    for batch in gate.batches(engine.batches(gate.watch(open_records([str(path)])))):
        for observation in batch:
            write(observation)
    return found


@pytest.mark.parametrize("path", CAPTURES, ids=[path.name for path in CAPTURES])
def test_what_is_asked_for_is_the_same(path):
    for columns, text in ASKED:
        names = {*columns, *compile_filter(text).event_names}
        whole = in_full(REGISTRY, names)
        assert lines(path, columns, text, on_demand(REGISTRY, names)) == lines(path, columns, text, whole), (
            columns,
            text,
        )


def at_work(*names):
    return {room.name for room in on_demand(REGISTRY, names) if room.dissector is not PassedOver}


def test_which_rooms_are_at_work():
    everybody = {room.name for room in REGISTRY}
    assert at_work("iamt.hello.uuid") == {"iamt.hello"}
    carriers = {"http", "tls", "iamt.apf", "iamt.redir"}
    assert at_work("http.response.code") == carriers
    assert at_work("iamt.call.result") == carriers | {"iamt.soap"}
    assert at_work("dhcp.option.domain_name") == {"dhcp"}
    assert at_work("http") == carriers
    assert at_work() == set()
    for name in ("frame.number", "tcp.port", "_ws.col.Info", "iamt.reason", "iamt.connection.state", "nosuch"):
        assert at_work("iamt.hello.uuid", name) == everybody


def test_rooms_that_nobody_asks_for_make_nothing():
    path = str(PCAPS / "wsman.pcap")
    made = [
        type(o.event).__name__
        for o in Engine(registry=on_demand(REGISTRY, ["http.host"])).observe(open_records([path]))
    ]
    assert "HttpRequest" in made
    assert not {"SoapRequest", "SoapResponse", "Call"}.intersection(made)
    assert list(Engine(registry=on_demand(REGISTRY, ["iamt.hello.uuid"])).observe(open_records([path]))) == []
