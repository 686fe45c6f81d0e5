"""The state of one connection: what acknowledgments prove, what waits, which sides were seen; limits by their value."""

import pytest
from test_reassembly import Driver

from amtdecode.flow import reassembly as module
from amtdecode.flow.tcp import (
    ACK,
    FIN,
    IGNORED,
    IRREGULAR,
    MAX_JUMP,
    REGULAR,
    RST,
    SYN,
    OutOfOrder,
    TcpEndpoint,
    endpoints,
)
from amtdecode.model import TO_CLIENT, TO_SERVER, End, Endpoint, Note

WRAP = 1 << 32


def endpoint(**values) -> TcpEndpoint:
    one = TcpEndpoint()
    for name, value in values.items():
        setattr(one, name, value)
    return one


@pytest.mark.parametrize(
    ("next_seq", "acked_seq", "ack", "then"),
    [
        (100, -1, 101, 101),
        (100, -1, 100, -1),  # nothing new
        (100, -1, 99, -1),  # old
        (100, -1, 100 + MAX_JUMP - 1, 100 + MAX_JUMP - 1),
        (100, -1, 100 + MAX_JUMP, -1),  # no window is so large
        (-1, -1, 101, -1),  # nothing of it is known
        (0, -1, 5, 5),
        (WRAP - 1, -1, 4, 4),  # around the end of the sequence space
        (100, 150, 200, 200),
        (100, 150, 150, 150),
        (100, 150, 120, 150),  # an older acknowledgment
        (100, 0, 200, 200),
        (100, 150, 100 + MAX_JUMP - 1, 100 + MAX_JUMP - 1),
    ],
)
def test_what_an_acknowledgment_proves(next_seq, acked_seq, ack, then):
    one = endpoint(next_seq=next_seq, acked_seq=acked_seq)
    one.must_have_sent(ack)
    assert one.acked_seq == then


@pytest.mark.parametrize(
    ("values", "waits", "in_order"),
    [
        ({}, False, False),
        ({"next_seq": 0}, False, True),
        ({"next_seq": 5, "out_of_order": [OutOfOrder(9, b"x", 0, None)]}, True, False),
        ({"next_seq": 5, "fin": 0}, True, False),
        ({"next_seq": 5, "fin": 0, "ended": End.FIN}, False, True),
        ({"next_seq": 5, "fin": 7}, True, False),
        ({"next_seq": 5, "ended": End.RESET}, False, True),
    ],
)
def test_what_waits(values, waits, in_order):
    one = endpoint(**values)
    assert (one.waits, one.in_order) == (waits, in_order)


def test_what_is_so_until_something_happens():
    one = TcpEndpoint()
    assert (one.next_seq, one.base_seq, one.acked_seq, one.fin) == (-1, -1, -1, -1)  # not known
    counts = (one.offset, one.skip_bytes, one.out_of_order_bytes, one.acked, one.patience, one.starting)
    assert (*counts, one.packets, one.bytes, one.lost, one.missing) == (0,) * 10
    assert (one.ended, one.limited, one.seen, one.acknowledges, one.heard) == (None, False, False, False, b"")
    assert (one.mode, len({REGULAR, IRREGULAR, IGNORED})) == (IRREGULAR, 3)


def test_a_segment_ends_behind_its_cut_bytes():
    assert OutOfOrder(10, b"abc", 4, None).end == 17


def test_the_ends_of_a_key():
    assert endpoints(b"\xc0\0\2\1\xc0\0\2\2\x26\xf3\xc0\1") == (
        Endpoint(b"\xc0\0\2\1", 0x26F3),
        Endpoint(b"\xc0\0\2\2", 0xC001),
    )
    six = endpoints(bytes(15) + b"\1" + bytes(15) + b"\2" + b"\0\1\0\2")
    assert six == (Endpoint(bytes(15) + b"\1", 1), Endpoint(bytes(15) + b"\2", 2))


@pytest.mark.parametrize(
    ("client", "server", "handshake", "both", "only"),
    [
        ({}, {}, 0, False, ""),
        ({"seen": True}, {"seen": True}, 0, True, ""),
        ({"seen": True}, {}, 0, False, ""),
        ({"seen": True, "acknowledges": True}, {}, 0, False, "client"),
        ({}, {"seen": True}, 0, False, ""),
        ({}, {"seen": True, "acknowledges": True}, 0, False, "server"),
        ({"acknowledges": True}, {"acknowledges": True}, 1, False, "client"),
        ({"acknowledges": True}, {"acknowledges": True}, 2, False, "server"),
        ({"acknowledges": True}, {"acknowledges": True}, 3, True, ""),
        ({}, {}, 1, False, ""),
        ({}, {}, 2, False, ""),
        ({"acknowledges": True}, {"acknowledges": True}, 0, False, ""),
    ],
)
def test_which_sides_are_in_the_capture(client, server, handshake, both, only):
    flow = Driver(handshake=False).flow
    for one, values in ((flow.client, client), (flow.server, server)):
        for name, value in values.items():
            setattr(one, name, value)
    flow.handshake = handshake
    assert (flow.both_seen, flow.only) == (both, only)


def test_what_is_of_interest():
    flow = Driver(handshake=False).flow
    assert flow.watched  # port 9971
    flow.keys = (bytes(8) + b"\xc0\0\0\x50", bytes(8) + b"\0\x50\xc0\0")
    assert not flow.watched
    flow.recognised = True
    assert flow.watched


def test_a_connection_opened_anew_has_not_ended():
    driver = Driver()
    driver.client(0, b"ab", flags=FIN | ACK)
    flow = driver.flow
    flow.closed, flow.reset_by, flow.closed_by, flow.broken_by = True, TO_CLIENT, TO_SERVER, TO_CLIENT
    flow.server.fin = 0
    flow.reopen()
    assert (flow.closed, flow.reset_by, flow.closed_by, flow.broken_by) == (False, None, None, None)
    assert [(one.ended, one.fin) for one in (flow.client, flow.server)] == [(None, -1)] * 2


def test_the_name_of_a_connection_is_made_once():
    flow = Driver().flow
    assert flow.made_key is None
    key = flow.key
    assert (key.transport, key.number, key.client.port, key.server.port) == ("tcp", flow.number, 0xC000, 9971)
    assert flow.key is key


# -- limits of the reassembly ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("distance", "kept"), [(MAX_JUMP, True), (MAX_JUMP + 1, False)])
def test_the_farthest_segment_that_is_kept(distance, kept):
    driver = Driver()
    driver.client(distance, b"x")
    assert bool(driver.flow.client.out_of_order) is kept
    assert len(driver.told) == (not kept)


@pytest.mark.parametrize(("distance", "told"), [(MAX_JUMP, 0), (MAX_JUMP + 1, 1)])
def test_the_oldest_segment_that_is_passed_over_without_a_word(distance, told):
    driver = Driver()
    driver.client(-distance, b"xy")
    assert (driver.out, list(driver.flow.client.out_of_order)) == ([], [])
    assert (
        driver.told == [Note("tcp", f"a segment {-distance} bytes away from what is expected was passed over")] * told
    )


def test_one_old_byte_is_a_keep_alive_and_two_are_a_retransmission():
    driver = Driver()
    driver.client(0, b"abcd")
    driver.client(3, b"X")
    assert driver.told == []
    driver.client(2, b"X")
    driver.client(2, b"XY")
    assert driver.told == [
        Note("tcp", "bytes 2 to 2 came again with different content; the first were kept"),
        Note("tcp", "bytes 2 to 3 came again with different content; the first were kept"),
    ]
    assert driver.data == b"abcd"


def test_a_gap_waits_for_so_many_packets_behind_its_acknowledgment():
    driver = Driver()
    driver.client(10, b"late")
    for _ in range(module.GAP_PATIENCE):
        driver.server(ack=14)
    assert driver.out == []
    driver.server(ack=14)
    assert driver.out == [10, b"late"]
    client = driver.flow.client
    assert (client.lost, client.missing, client.offset, client.next_seq) == (10, 10, 14, 1015)


def test_what_fills_a_hole_gives_patience_anew():
    driver = Driver()
    driver.client(10, b"late")
    for _ in range(module.GAP_PATIENCE):
        driver.server(ack=14)
    driver.client(0, b"12345")
    for _ in range(module.GAP_PATIENCE - 1):
        driver.server(ack=14)
    assert driver.out == [b"12345"]
    driver.server(ack=14)
    driver.server(ack=14)
    assert driver.out == [b"12345", 5, b"late"]


def test_acknowledgments_of_less_than_is_missing_take_no_patience():
    driver = Driver()
    driver.client(10, b"late")
    for _ in range(3 * module.GAP_PATIENCE):
        driver.server(ack=0)
    assert driver.out == []
    assert driver.flow.client.patience == 0


@pytest.mark.parametrize(
    ("acknowledged", "rest"),
    [(0, [End.CAPTURE]), (1, [End.CAPTURE]), (2, [2, End.CAPTURE]), (9, [9, End.CAPTURE])],
)
def test_bytes_acknowledged_at_the_end_that_never_came_are_lost(acknowledged, rest):
    """One alone may be the number that a FIN takes."""
    driver = Driver()
    driver.client(0, b"ab")
    driver.flow.server.heard = (1001 + 2 + acknowledged).to_bytes(4)
    driver.end()
    assert driver.out == [b"ab", *rest]


def test_bytes_ahead_of_a_fin_that_never_came_are_lost():
    driver = Driver()
    driver.client(0, b"ab")
    driver.client(5, flags=FIN | ACK)
    assert driver.out == [b"ab"]
    driver.end()
    assert driver.out == [b"ab", 3, End.FIN]
    driver.end()
    assert driver.out == [b"ab", 3, End.FIN]


@pytest.mark.parametrize(("packets", "settled"), [(1, False), (3, False), (4, True), (5, True)])
def test_a_start_without_syn_is_settled_behind_so_many_packets(packets, settled):
    driver = Driver(handshake=False)
    behind = b"56789" + b"x" * (packets - 1)
    driver.client(5, b"56789")
    for number in range(packets - 1):
        driver.client(10 + number, b"x")
    assert driver.data == (behind if settled else b"")
    driver.client(0, b"01234")
    driver.end()
    assert driver.data == (behind if settled else b"01234" + behind)


def test_a_syn_that_comes_late_drops_what_stood_ahead_of_it():
    driver = Driver(handshake=False)
    driver.client(-10, b"older")
    driver.client(0, b"abc")
    driver.client(-1, flags=SYN)
    assert driver.data == b"abc"
    assert driver.reassembly._out_of_order_total == 0
    assert (driver.flow.client.offset, driver.flow.client.next_seq) == (3, 1004)


def test_a_reset_ends_both_directions_once():
    driver = Driver()
    driver.client(3, b"x")
    driver.server(flags=RST | ACK, ack=0)
    assert driver.out == [3, b"x", End.RESET]
    assert (driver.flow.client.ended, driver.flow.server.ended) == (End.RESET, End.RESET)


def test_recent_bytes_end_where_their_cap_says(monkeypatch):
    monkeypatch.setattr(module, "RECENT_BYTES", 10)
    driver = Driver()
    for number in range(3):
        driver.client(5 * number, b"%d1234" % number)
    assert driver.flow.client.recent == [(5, b"11234"), (10, b"21234")]
    driver.client(0, b"XXXXX")
    assert driver.told == []  # no longer known
    driver.client(4, b"XXXXX")
    assert driver.told == [Note("tcp", "bytes 5 to 8 came again with different content; the first were kept")]


def test_conflicts_of_early_segments_are_told_and_cut_ones_are_not():
    driver = Driver()
    driver.client(10, b"abcd")
    driver.client(12, b"cdef")
    assert driver.told == []
    driver.client(8, b"xxxx")
    assert driver.told == [Note("tcp", "segments overlap with different content at byte 8; the first to come was kept")]
    driver.client(20, b"ab", cut=2)
    driver.client(20, b"xxxx")
    assert len(driver.told) == 1
    driver.client(0, b"01234567")
    assert driver.data == b"01234567xxabcdef"
    driver.end()
    assert driver.data == b"01234567xxabcdefab"
    assert driver.rest == [4, 2, End.CAPTURE]


def test_what_a_retransmission_reaches_behind_what_was_given_out():
    """It is cut itself: its first bytes are old, what it lacks begins inside them or behind."""
    driver = Driver()
    driver.client(0, b"0123456789")
    driver.client(6, b"67", cut=6)
    assert driver.out == [b"0123456789", 4]
    assert (driver.flow.client.offset, driver.flow.client.next_seq) == (14, 1015)


def test_the_caps_are_those_that_the_limits_page_names():
    caps = (module.MAX_OUT_OF_ORDER_BYTES, module.MAX_OUT_OF_ORDER_SEGMENTS, module.MAX_OUT_OF_ORDER_TOTAL)
    assert caps == (1_048_576, 1024, 8_388_608)
    assert (module.GAP_PATIENCE, module.START_PATIENCE, module.RECENT_BYTES) == (32, 3, 4096)
