"""Ten thousand machines, each with its own PID and PPS: hellos, contacts back, handshakes, calls.

40 packets a machine or more.

Of a hundred machines 80 say hello twice and are set up, 10 say hello five times and nobody comes, 5 refuse the
contact back, and 5 end it with the alert unknown_psk_identity.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.makers.tls import handshake_steps
from benchmarks.makers.traffic import (
    MILLISECOND,
    SECOND,
    START,
    hello_steps,
    machine_host,
    machine_uuid,
    merge,
    pid_pps,
)
from pcaps import messages
from pcaps.build import ACK, PSH, TO_CLIENT, TO_SERVER, Connection, Host
from pcaps.tls import PskConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.makers.traffic import Step

SERVER = Host("00:0c:29:00:00:0a", "10.255.0.10")
CALLS = ("GetCoreVersion", "SetAdminAclEntry", "SetTlsEnabled", "SetMEBxPassword", "CommitChanges")
UNKNOWN_PSK_IDENTITY = 115
MINUTE = 60 * SECOND


def _machine(rng: random.Random, number: int) -> Iterator[Step]:
    host, fate = machine_host(number), rng.randrange(100)
    pid, pps = pid_pps(number)
    hellos = 5 if 80 <= fate < 90 else 2
    for retry in range(hellos):
        data = messages.hello_psk(machine_uuid(number), pid, retry=retry)
        for step, (delay, frame) in enumerate(hello_steps(rng, host, SERVER, 49152 + retry, data)):
            yield delay + (MINUTE if retry and not step else 0), frame
    tcp = Connection(SERVER, host, 49152 + number % 16384, 16993, seq=(rng.getrandbits(32), rng.getrandbits(32)))
    if fate < 80:
        yield from _set_up(rng, tcp, pid.replace("-", "").encode(), pps.replace("-", "").encode())
    elif 90 <= fate < 95:
        for frame in tcp.refuse():
            yield 2 * SECOND, frame
    elif fate >= 95:
        yield from _unknown(rng, tcp, pid.replace("-", "").encode(), pps.replace("-", "").encode())


def _set_up(rng: random.Random, tcp: Connection, pid: bytes, pps: bytes) -> Iterator[Step]:
    secure = PskConnection(rng, pid, pps, hint=pid)
    wait = 2 * SECOND
    for delay, frame in handshake_steps(rng, tcp, secure):
        yield wait + delay, frame
        wait = 0
    for method in CALLS:
        request = messages.eoi_request("SecurityAdministration", method)
        yield MILLISECOND, tcp.segment(TO_SERVER, secure.data(TO_SERVER, request), ACK | PSH)
        response = messages.eoi_response("SecurityAdministration", method)
        yield 30 * MILLISECOND, tcp.segment(TO_CLIENT, secure.data(TO_CLIENT, response), ACK | PSH)
    yield MILLISECOND, tcp.segment(TO_SERVER)
    for frame in tcp.close():
        yield MILLISECOND, frame


def _unknown(rng: random.Random, tcp: Connection, pid: bytes, pps: bytes) -> Iterator[Step]:
    secure = PskConnection(rng, pid, pps)
    wait = 2 * SECOND
    for frame in tcp.open():
        yield wait, frame
        wait = MILLISECOND
    yield MILLISECOND, tcp.segment(TO_SERVER, secure.client_hello(), ACK | PSH)
    yield MILLISECOND, tcp.segment(TO_CLIENT, secure.server_flight(), ACK | PSH)
    yield MILLISECOND, tcp.segment(TO_SERVER, secure.client_flight(), ACK | PSH)
    yield MILLISECOND, tcp.segment(TO_CLIENT, secure.alert(2, UNKNOWN_PSK_IDENTITY), ACK | PSH)
    for frame in tcp.close(TO_CLIENT):
        yield MILLISECOND, frame


def fleet(machines: int) -> Iterator[tuple[int, bytes]]:
    """All packets of so many machines, one beginning every 50 ms."""
    rng = random.Random(10_000)
    return merge((START + number * 50 * MILLISECOND, _machine(rng, number)) for number in range(machines))


def psk_table(machines: int) -> Iterator[str]:
    """The lines of the CSV file of their keys."""
    yield "pid,pps,uuid\n"
    for number in range(machines):
        pid, pps = pid_pps(number)
        yield f"{pid},{pps},{machine_uuid(number)}\n"
