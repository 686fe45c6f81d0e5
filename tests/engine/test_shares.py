"""Shares of a reading, put together, are the reading: to the byte, whatever comes, for any number of them."""

from __future__ import annotations

import io
from contextlib import contextmanager

import made_captures
import pytest
import shares_in_turn
import wire
from hypothesis import given, settings
from hypothesis import strategies as st

import amtdecode.capture.source as source_module
from amtdecode.capture.pcap import pcap_records
from amtdecode.capture.source import Source
from amtdecode.cli.flows import row
from amtdecode.engine import Engine, lane
from amtdecode.flow import table
from amtdecode.flow.share import Share
from amtdecode.flow.streams import reverse
from amtdecode.jobs.places import Places
from amtdecode.jobs.telling import CrossedError
from amtdecode.render.json_lines import JsonLines
from amtdecode.statistics import Collector

OPTIONS = ({}, {"connections": "all"}, {"pdus": True})
CAPS = ("MAX_TCP_FLOWS", "MAX_UDP_FLOWS", "MAX_IGNORED_FLOWS", "MAX_CLOSED_FLOWS", "MAX_QUOTED_FLOWS", "EVICT")


@contextmanager
def changed(*changes):
    """Attributes of modules that are others for a while."""
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    try:
        for module, name, value in changes:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def lines_of(batch):
    """What is said of observations; `Health` is added up elsewhere."""
    lines = []
    write = JsonLines(lines.append)
    for one in batch:
        if type(one.event).__name__ != "Health":
            write(one)
            lines.append(f"{one.packets} {one.pdu!r}".encode())
    return lines


def alone(pieces, options):
    return [line for batch in Engine(**options).batches(pieces) for line in lines_of(batch)]


def together(pieces, options, jobs, by_addresses):
    def work(share, telling):
        engine = Engine(**options, share=share)
        telling.lacks = engine.lacks
        places = Places(engine, telling)
        for batch in engine.batches(places.watch(pieces())):
            lines = lines_of(batch)
            if lines:
                telling.tell(places.now(), lines, 1)
        return engine.connections

    return [line for lines in shares_in_turn.told(work, jobs, by_addresses=by_addresses) for line in lines]


@settings(max_examples=150)
@given(
    frames=made_captures.captures(),
    options=st.sampled_from(OPTIONS),
    jobs=st.integers(2, 4),
    by_addresses=st.booleans(),
    compiled=st.booleans(),
    every=st.sampled_from((0, 0, 1, 2, 5)),
    piece=st.sampled_from((60, 1000, 1 << 16)),
    singly=st.booleans(),
    cap=st.sampled_from((0, 0, 0, 4)),
)
def test_captures_made_by_chance(frames, options, jobs, by_addresses, compiled, every, piece, singly, cap):
    data = wire.pcap(frames)
    caps = [(table, name, cap if name != "EVICT" else 2) for name in CAPS] if cap else []

    def pieces():
        if singly:
            return iter(wire.raw_packets(data))
        return pcap_records(Source("x", io.BytesIO(data)))

    chosen = lane.COMPILED if compiled else None
    with changed((source_module, "CHUNK", piece), (lane, "COMPILED", chosen), (lane, "EVERY", every), *caps):
        expected = alone(pieces(), options)
        try:
            found = together(pieces, options, jobs, by_addresses)
        except CrossedError:
            assert cap, "nothing here is so much that it could not be told apart"
            return
        if not cap:
            assert found == expected


@settings(max_examples=100)
@given(
    frames=made_captures.captures(),
    jobs=st.integers(2, 4),
    compiled=st.booleans(),
    piece=st.sampled_from((60, 1000, 1 << 16)),
    singly=st.booleans(),
)
def test_conversations_and_counts_of_captures_made_by_chance(frames, jobs, compiled, piece, singly):
    data = wire.pcap(frames)

    def pieces():
        if singly:
            return iter(wire.raw_packets(data))
        return pcap_records(Source("x", io.BytesIO(data)))

    def conversations(share=None):
        engine = Engine(statistics=True, share=share)
        for _ in engine.observe(pieces()):
            pass
        assert not engine.lacks()
        return [row(flow) for flow in engine.conversations() if not share or share.first or flow.key.transport == "tcp"]

    def counts(share=None):
        collector = Collector()
        for observation in Engine(connections="all", share=share).observe(pieces()):
            if not share or share.first or type(observation.event).__name__ != "Health":
                collector.feed(observation)
        return collector

    chosen = lane.COMPILED if compiled else None
    with changed((source_module, "CHUNK", piece), (lane, "COMPILED", chosen)):
        shares = [Share(index, jobs) for index in range(jobs)]
        rows = [cells for share in shares for cells in conversations(share)]
        assert sorted(rows, key=lambda cells: (cells["transport"], cells["flow"])) == conversations()
        whole, *others = map(counts, shares)
        for other in others:
            whole.merge(other)
        assert whole.statistics() == counts().statistics()


@pytest.mark.parametrize("key", [bytes(range(12)), bytes(range(36)), bytes([1, 2, 3, 4] * 2 + [7, 8, 1, 2])])
def test_both_directions_are_of_one_share(key):
    for of in range(1, 7):
        for by_addresses in (False, True):
            shares = [Share(index, of, by_addresses=by_addresses) for index in range(of)]
            owners = [share.index for share in shares if share.owns(key)]
            assert len(owners) == 1
            assert shares[owners[0]].owns(reverse(key))


def test_shares_are_about_alike():
    counts = [0, 0, 0]
    for port in range(40_000, 40_900):
        key = bytes([10, 0, 0, 1, 10, 0, 0, 2]) + port.to_bytes(2, "big") + (16_992).to_bytes(2, "big")
        counts[next(index for index in range(3) if Share(index, 3).owns(key))] += 1
    assert all(abs(count - 300) < 60 for count in counts), counts
