"""A storm of hello messages: the power comes back, and thousands of unconfigured machines ask for their server.

Proportions: 40 % of the machines say version 2 (32 bytes), 60 % version 3, half of these with SHA-1, half with
SHA-256 hashes, 20 to 24 of them (465 to 841 bytes). Each tries 1 to 15 times on Intel's PSK timetable (5 times each
minute, 5 times every 10 minutes, 5 times each hour) from a new port. A tenth of the version 3 messages come in two
segments; three connections in a hundred suffer a lost SYN, a retransmission or a reset. That makes 9 to 10 packets a
hello.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

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
from pcaps.build import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.makers.traffic import Step

SERVER = Host("00:0c:29:00:00:0a", "10.255.0.10")
MINUTES = (1,) * 5 + (10,) * 5 + (60,) * 5
VENDOR_SHA1 = tuple(hashlib.sha1(f"vendor root {number}".encode()).digest() for number in range(19))
HASHES_SHA1 = messages.ROOTS_SHA1 + VENDOR_SHA1
PACKETS_A_MACHINE = 68


def hello_data(rng: random.Random, number: int, style: float, retry: int) -> bytes:
    """What machine `number` says; `style` (0 to 1) decides the version for all its tries."""
    if style < 0.4:
        return messages.hello_psk(machine_uuid(number), pid_pps(number)[0], retry=retry)
    hashes = HASHES_SHA1 if style < 0.7 else messages.ROOTS_SHA256
    return messages.hello_pki(
        machine_uuid(number), hashes[: 20 + number % 5], retry=retry, credentials_set=rng.random() < 0.8
    )


def _machine(rng: random.Random, number: int) -> Iterator[Step]:
    host, style = machine_host(number), rng.random()
    wait = 0
    for retry in range(rng.randrange(1, 16)):
        data = hello_data(rng, number, style, retry)
        cut = rng.randrange(25, len(data)) if style >= 0.4 and rng.random() < 0.1 else 0
        odd = rng.random() < 0.03
        for delay, frame in hello_steps(rng, host, SERVER, 49152 + (number + retry) % 16384, data, odd=odd, cut=cut):
            yield wait + delay, frame
            wait = 0
        wait = MINUTES[retry] * 60 * SECOND + rng.randrange(2000) * MILLISECOND


def hello_storm(packets: int) -> Iterator[tuple[int, bytes]]:
    """`packets` packets, of as many machines as that takes; they start within ten minutes."""
    rng = random.Random(9971)
    machines = packets // PACKETS_A_MACHINE + 50
    gap = 600 * SECOND // machines
    conversations = ((START + number * gap, _machine(rng, number)) for number in range(machines))
    return merge(conversations, packets)
