"""TLS on 16993, between a setup and configuration application and AMT: handshakes by the thousand, and bulk data.

Everything is TLS 1.0 with a pre-shared key and AES-128-CBC-SHA, keys derived and records sealed as the standard says;
Intel's documented PID and PPS open it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.makers.traffic import MICROSECOND, MILLISECOND, START, machine_host, merge
from pcaps import messages
from pcaps.build import ACK, PSH, TO_CLIENT, TO_SERVER, Connection, Host, packed
from pcaps.tls import PskConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.makers.traffic import Step

CONSOLE = Host("00:0c:29:00:00:0a", "10.255.0.10")
PID = messages.PID.replace("-", "").encode()
PACKETS_A_HANDSHAKE = 16


def handshake_steps(rng: random.Random, tcp: Connection, secure: PskConnection) -> Iterator[Step]:
    """TCP handshake and TLS handshake, eleven packets."""
    delay = rng.randrange(100, 900) * MICROSECOND
    for frame in tcp.open():
        yield delay, frame
    flights: tuple[tuple[int, Callable[[], bytes]], ...] = (
        (TO_SERVER, secure.client_hello),
        (TO_CLIENT, secure.server_flight),
        (TO_SERVER, secure.client_flight),
        (TO_CLIENT, secure.server_finish),
    )
    for direction, flight in flights:
        yield delay, tcp.segment(direction, flight(), ACK | PSH)
        yield delay, tcp.segment(1 - direction)


def psk_connection(rng: random.Random, number: int) -> Iterator[Step]:
    """One connection of 16 packets: handshakes, one request, one answer, the end."""
    tcp = Connection(
        CONSOLE, machine_host(number), 49152 + number % 16384, 16993, seq=(rng.getrandbits(32), rng.getrandbits(32))
    )
    secure = PskConnection(rng, PID, messages.PSK, hint=PID)
    yield from handshake_steps(rng, tcp, secure)
    request = messages.eoi_request("SecurityAdministration", "GetCoreVersion", host=machine_host(number).ip)
    yield MILLISECOND, tcp.segment(TO_SERVER, secure.data(TO_SERVER, request), ACK | PSH)
    response = messages.eoi_response(
        "SecurityAdministration", "GetCoreVersion", "<Status>0</Status><Version>3.0.5</Version>"
    )
    yield 20 * MILLISECOND, tcp.segment(TO_CLIENT, secure.data(TO_CLIENT, response), ACK | PSH)
    for frame in tcp.close():
        yield MILLISECOND, frame


def psk_handshakes(packets: int) -> Iterator[tuple[int, bytes]]:
    """`packets` / 16 connections, each to its own machine; about ten are open at a time."""
    rng = random.Random(16993)
    count = packets // PACKETS_A_HANDSHAKE
    return merge((START + number * 3 * MILLISECOND, psk_connection(rng, number)) for number in range(count))


def bulk_flow(
    rng: random.Random, number: int, size: int, records: tuple[int, int], pool: bytes, pace: int
) -> Iterator[Step]:
    """`size` bytes of application data from AMT to the console in records of a size between the two given.

    `pace` is the time between two segments, in nanoseconds.
    """
    tcp = Connection(
        CONSOLE, machine_host(number), 50000 + number, 16993, seq=(rng.getrandbits(32), rng.getrandbits(32))
    )
    secure = PskConnection(rng, PID, messages.PSK, hint=PID)
    yield from handshake_steps(rng, tcp, secure)
    unsent, unacknowledged, low, high = b"", 0, *records
    while size > 0:
        length = min(size, rng.randint(low, high))
        start = rng.randrange(len(pool) - length)
        unsent += secure.data(TO_CLIENT, pool[start : start + length])
        size -= length
        while len(unsent) >= tcp.mss or (size <= 0 and unsent):
            yield pace, tcp.segment(TO_CLIENT, unsent[: tcp.mss])
            unsent = unsent[tcp.mss :]
            unacknowledged += 1
            if unacknowledged == 2:
                yield 5 * MICROSECOND, tcp.segment(TO_SERVER)
                unacknowledged = 0
    for frame in tcp.close():
        yield MILLISECOND, frame


def bulk(size: int, flows: int = 8, records: tuple[int, int] = (16384, 16384)) -> Iterator[tuple[int, bytes]]:
    """`size` bytes of application data over interleaved flows: segments of 1460 bytes, every second acknowledged."""
    rng = random.Random(size)
    pool = rng.randbytes(1 << 20)
    share = size // flows
    pace = flows * 13 * MICROSECOND  # about a gigabit a second for all flows together
    return merge(
        (START + number * 700 * MICROSECOND, bulk_flow(rng, number, share, records, pool, pace))
        for number in range(flows)
    )


def bulk_one_way(size: int) -> Iterator[tuple[int, bytes]]:
    """The same as captured where only the packets of the machines pass: no SYN, no acknowledgement of the console's."""
    return ((time_ns, frame) for time_ns, frame in bulk(size) if frame[26:30] != packed(CONSOLE.ip))


def small_records(size: int) -> Iterator[tuple[int, bytes]]:
    """`size` bytes in records as short as those that carry SOAP."""
    return bulk(size, records=(512, 4096))
