"""Where the parts of HTTP messages stand: against tshark, and against the bytes themselves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pdml
from hypothesis import given
from hypothesis import strategies as st

import amtdecode
from amtdecode.model import TO_CLIENT
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.protocols.http.spec import tree

PCAP = Path(__file__).resolve().parents[3] / "pcaps" / "wsman.pcap"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n03;x\r\nabc\r\n0\r\n\r\n"


def told(nodes):
    return [(one.name or one.words, one.value, one.start, one.length) for root in nodes for one in root.walk()]


def test_lines_headers_and_chunks_of_a_message():
    assert told(tree(CHUNKED, TO_CLIENT)) == [
        ("Status line", None, 0, 17),
        ("http.response.version", "HTTP/1.1", 0, 8),
        ("http.response.code", 200, 9, 3),
        ("http.response.phrase", "OK", 13, 2),
        ("http.transfer_encoding", "chunked", 17, 28),
        ("Chunk", None, 47, 11),
        ("http.chunk_size", 3, 47, 4),
        ("http.chunk_data", "616263", 53, 3),
        ("Chunk", None, 58, 5),
        ("http.chunk_size", 0, 58, 1),
    ]


def test_fields_stand_where_tshark_says(tshark):
    theirs = pdml.places(tshark, PCAP, "http", "-d", "tcp.port==16992,http")
    count = 0
    for one in amtdecode.read(PCAP, pdus=True):
        if not isinstance(one.event, HttpRequest | HttpResponse):
            continue
        nodes = [each for root in one.tree() for each in root.walk() if each.name.startswith("http.")]
        own = (
            "http.chunk_size",
            "http.chunk_data",
            "http.file_data",
            "http.unknown_header",
        )  # of tshark without a place
        ours = Counter((each.name, each.start, each.length) for each in nodes if each.name not in own)
        names = {each.name for each in nodes}
        expected = [
            Counter(
                (name, start, size) for name, start, size, _ in fields if name in names and name not in own and size
            )
            for fields in theirs[one.packet]
        ]
        assert ours in expected, (one.packet, ours - expected[0], expected[0] - ours)
        count += 1
    assert count == 16


@given(st.binary(max_size=80), st.integers(0, len(CHUNKED)), st.sampled_from((0, 1)))
def test_no_bytes_raise_and_places_lie_inside(data, cut, direction):
    pdu = CHUNKED[:cut] + data
    for root in tree(pdu, direction):
        for one in root.walk():
            assert 0 <= one.start <= one.start + one.length <= len(pdu)
            assert all(one.start <= below.start and below.length <= one.length for below in one.children)
