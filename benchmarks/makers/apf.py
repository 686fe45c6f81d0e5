"""HTTP bulk on one connection, and the same inside one channel of APF: what carrying it costs.

WS-Man exchanges as in `wsman`, one after another, and after each ten a page of 256 KB. In APF the server grants more
of the window as it takes data, as Open AMT's MPS does; messages of data are 4 KB at most (the window of LME).
"""

from __future__ import annotations

import random
import uuid
from itertools import chain, count
from typing import TYPE_CHECKING

from benchmarks.makers.traffic import MILLISECOND, START, machine_host
from benchmarks.makers.wsman import CONSOLE, RESOURCES, request, response
from pcaps import apf
from pcaps.build import TO_CLIENT, TO_SERVER, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE, EVERY = 256 << 10, 10
MESSAGE, WINDOW = 4096, 80 << 10
HERE, THERE = 7, 4  # numbers of the channel: the machine's, the server's


def _said(size: int) -> Iterator[tuple[bool, bytes]]:
    """What the console (true) and the machine say in turn: some `size` bytes of it."""
    rng = random.Random(4433)
    left, host = size, machine_host(1)
    for number in count():
        resource = rng.choice(RESOURCES)
        said = [(True, request(resource, number, host.ip)), (False, response(resource, number))]
        if number % EVERY == EVERY - 1:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % PAGE
            said += [(True, b"GET /index.htm HTTP/1.1\r\nHost: %s\r\n\r\n" % host.ip.encode())]
            said += [(False, head + rng.randbytes(PAGE // 2).hex().encode())]
        for by_console, data in said:
            yield by_console, data
            left -= len(data)
        if left <= 0:
            return


def bare(size: int) -> Iterator[tuple[int, bytes]]:
    """`size` bytes of HTTP on 16992."""
    tcp = Connection(CONSOLE, machine_host(1), 49152, 16992)
    steps = (tcp.send(TO_SERVER if by_console else TO_CLIENT, data) for by_console, data in _said(size))
    return _timed(tcp, steps)


def carried(size: int) -> Iterator[tuple[int, bytes]]:
    """The same in one channel, in a connection of the machine to 4433, without TLS."""
    tcp = Connection(machine_host(1), CONSOLE, 49152, 4433)

    def steps() -> Iterator[list[bytes]]:
        yield tcp.send(TO_SERVER, apf.version(uuid.UUID(int=1)))
        yield tcp.send(TO_CLIENT, apf.opening(THERE, 16992, WINDOW))
        yield tcp.send(TO_SERVER, apf.confirmation(THERE, HERE, WINDOW))
        for by_console, data in _said(size):
            number, way = (HERE, TO_CLIENT) if by_console else (THERE, TO_SERVER)
            for at in range(0, len(data), WINDOW // 2):
                part = data[at : at + WINDOW // 2]
                pieces = [part[begin : begin + MESSAGE] for begin in range(0, len(part), MESSAGE)]
                yield tcp.send(way, b"".join([apf.data(number, piece) for piece in pieces]))
                back = THERE if by_console else HERE
                yield tcp.send(TO_SERVER if by_console else TO_CLIENT, apf.adjust(back, len(part)))

    return _timed(tcp, steps())


def _timed(tcp: Connection, steps: Iterator[list[bytes]]) -> Iterator[tuple[int, bytes]]:
    now = START
    for frames in chain((tcp.open(),), steps, map(Connection.close, (tcp,))):
        for frame in frames:
            yield now, frame
            now += MILLISECOND // 10
