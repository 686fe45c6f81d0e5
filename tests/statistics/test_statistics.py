"""What is counted, against captures whose contents are known, and against tshark."""

from __future__ import annotations

from collections import Counter

import msgspec
import oracle
import pytest
from docs_pages import ROOT
from hypothesis import given
from hypothesis import strategies as st

import amtdecode
from amtdecode.render.statistics_text import spark, statistics_lines
from amtdecode.secrets import Keys
from amtdecode.statistics import Collector, Counts, Timeline, collecting, counting
from amtdecode.statistics.counting import BUCKETS, SECOND

PCAPS = ROOT / "pcaps"
PSK = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"


def counted(name, *psk):
    collector = Collector()
    for observation in amtdecode.read(PCAPS / name, keys=Keys.load(psk) if psk else None, connections="all"):
        collector.feed(observation)
    return collector.statistics()


def test_an_office_opened_with_its_key():
    found = counted("office.pcapng", PSK)
    layers = {"/".join(row.layers): row.observations for row in found.protocols}
    assert (layers["udp/dhcp"], layers["udp/dns"], layers["tcp/iamt.hello"], layers["arp"]) == (16, 13, 8, 4)
    assert (layers["tcp/tls/http"], layers["tcp/tls/http/iamt.soap"]) == (14, 20)
    assert [(row.port, row.state, row.count) for row in found.connections] == [
        (9971, "closed", 8),
        (16993, "refused", 6),
        (16993, "closed", 1),
    ]
    assert [(row.version, row.suite, row.kind, row.outcome, row.count) for row in found.tls] == [
        ("TLS 1.0", "TLS_PSK_WITH_AES_128_CBC_SHA", "psk", "complete", 1)
    ]
    assert ("SecurityAdministration", "CommitChanges", "PT_STATUS 0x0 SUCCESS", 1) in [
        (row.service, row.method, row.result, row.count) for row in found.calls
    ]
    assert (found.hellos.total, found.hellos.machines) == (8, 3)
    assert found.hellos.by_retry == {"0": 3, "1": 2, "2": 1, "3": 1, "4": 1}
    assert (sum(found.hellos.over_time), found.hellos.seconds, found.hellos.start) == (
        8, 8.0, "2007-11-05T09:00:00.000000Z",
    )  # fmt: skip


def test_nothing_read_is_nothing_counted():
    assert Collector().statistics().to_dict() == {
        "schema": 1, "observations": 0, "protocols": [], "connections": [], "calls": [], "tls": [],
        "hellos": {"total": 0, "machines": 0, "by_retry": {}, "start": None, "seconds": 0.0, "over_time": []},
        "others": {},
    }  # fmt: skip


def test_retries_stand_in_the_order_of_their_numbers_and_what_has_no_flow_on_port_0():
    collector = Collector()
    for observation in amtdecode.read(PCAPS / "hello.pcap", connections="all"):
        event = observation.event
        if hasattr(event, "retry_count"):
            for retry in (10, 2, 2, 1):
                collector.feed(
                    msgspec.structs.replace(observation, event=msgspec.structs.replace(event, retry_count=retry))
                )
        elif type(event).__name__ == "Connection":
            collector.feed(msgspec.structs.replace(observation, flow=None))
            break
    found = collector.statistics()
    assert list(found.hellos.by_retry) == ["1", "2", "10"]
    assert found.hellos.by_retry["2"] == 2 * found.hellos.by_retry["1"] == 2 * found.hellos.by_retry["10"] > 0
    assert [(row.port, row.count) for row in found.connections] == [(0, 1)]
    assert found.to_dict()["observations"] == found.hellos.total + 1


def test_what_lies_in_tls_stands_below_it_and_what_does_not_stands_below_tcp():
    assert ["tcp", "http", "iamt.soap"] in [row.layers for row in counted("wsman.pcap").protocols]
    assert ["tcp", "tls", "http", "iamt.soap"] not in [row.layers for row in counted("wsman.pcap").protocols]


def test_http_codes_are_those_tshark_counts(tshark):
    said = oracle.run(
        [tshark, "-n", "-r", PCAPS / "wsman.pcap", "-d", "tcp.port==16992,http", "-Y", "http.response",
         "-T", "fields", "-e", "http.response.code"],
        text=True, check=True,
    ).stdout.split()  # fmt: skip
    ours = sum(row.count for row in counted("wsman.pcap").calls)
    refused = [row for row in counted("wsman.pcap").calls if row.result.startswith("401")]
    assert ours == len(said)
    assert sum(row.count for row in refused) == Counter(said)["401"]


def test_counts_beyond_the_cap_are_said(monkeypatch):
    monkeypatch.setattr(counting, "MAX_COUNTED", 2)
    counts = Counts()
    for key in "abacbdd":
        counts.add((key,))
    assert (counts.most_common(), counts.others) == ([(("a",), 2), (("b",), 2)], 3)


@given(st.lists(st.integers(0, 1 << 62), min_size=1, max_size=200))
def test_a_timeline_loses_nothing_and_stays_small(times):
    line = Timeline()
    for time in times:
        line.add(time)
    counts = line.counts()
    assert sum(counts) == len(times)
    assert len(counts) <= BUCKETS
    assert counts[0]
    assert counts[-1]
    assert line.start <= min(times) < line.start + line.width
    at = Counter((time - line.start) // line.width for time in times)
    assert counts == [at[number] for number in range(len(counts))]
    assert line.width == SECOND or max(times) - min(times) >= line.width * (BUCKETS // 2 - 1)


@pytest.mark.parametrize(
    ("counts", "plain", "line"), [([0, 1, 4, 8], False, " ▁▄█"), ([1, 1000], False, "▁█"), ([0, 8], True, " @")]
)
def test_blocks_grow_with_the_count_and_are_never_empty_for_something(counts, plain, line):
    assert spark(counts, plain=plain) == line


def test_the_longest_bar_is_that_of_the_largest_count():
    found = counted("office.pcapng")
    found.hellos.by_retry = {"0": 1, "1": 10}
    rows = [line.split() for line in statistics_lines(found, plain=True) if line.endswith("#")]
    assert ["0", "1", "##"] in rows
    assert ["1", "10", "#" * 20] in rows


def test_carriers_of_the_oldest_conversations_are_forgotten(monkeypatch):
    monkeypatch.setattr(collecting, "MAX_FLOWS", 2)
    flows = list(dict.fromkeys(o.flow for o in amtdecode.read(PCAPS / "office.pcapng") if o.flow is not None))[:3]
    collector = Collector()
    for flow in flows[:2]:
        collector._remember(flow, ("tls",))
    collector._remember(flows[0], ("tls", "http"))  # known: nobody is let go for it
    assert collector._carriers == {flows[0]: ("tls", "http"), flows[1]: ("tls",)}
    collector._remember(flows[2], ("http",))
    assert collector._carriers == {flows[1]: ("tls",), flows[2]: ("http",)}


def test_a_64th_of_the_conversations_is_forgotten_at_once(monkeypatch):
    monkeypatch.setattr(collecting, "MAX_FLOWS", 192)
    collector = Collector()
    for number in range(193):
        collector._remember(number, ("tls",))
    assert list(collector._carriers) == [*range(3, 193)]


def test_retries_are_told_in_the_order_of_their_numbers():
    hellos = [o for o in amtdecode.read(PCAPS / "office.pcapng") if o.protocol == "iamt.hello"]
    collector = Collector()
    for retry, times in ((10, 3), (2, 2), (0, 1)):
        event = msgspec.structs.replace(hellos[0].event, retry_count=retry)
        for _ in range(times):
            collector.feed(msgspec.structs.replace(hellos[0], event=event))
    assert [*collector.statistics().hellos.by_retry.items()] == [("0", 1), ("2", 2), ("10", 3)]
