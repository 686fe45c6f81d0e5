"""A long log in the spirit of a setup and configuration server's: a line a message, with time, level and component.

No sample of the real layout is public, so this one is a guess and only good for measuring. Nine lines in ten are of
no interest; the rest carry the codes and phrases that Intel's and Altiris' articles quote.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.makers.traffic import address, machine_uuid

if TYPE_CHECKING:
    from collections.abc import Iterator

DULL = (
    "Worker thread {number} is idle",
    "Queue length is {number}",
    "Executing stored procedure csp_GetNextRequest, {number} rows",
    "Session {number} authenticated by Negotiate",
    "Clock sync worker: {number} machines pending",
)
TELLING = (
    "Hello message received from {ip}, UUID {uuid}, PID-based",
    "102 No rows found in get UuidMap for UUID {uuid}",
    "103 Connection to AMT device {ip} failed, will retry",
    "137 A concurrent process is configuring {uuid}",
    "139 Kerberos authentication failed for {ip}",
    "407 Proxy authentication required contacting {ip}",
    "602 The request for {uuid} was rejected",
    "913 FQDN could not be acquired for {uuid}",
    "Cannot contact back AMT with IP:{ip} Exception: connection timed out",
    "Commit Changes sent to {ip}, status 0",
)
BLOCK = 4096  # lines made at a time; what varies in a block is its time and numbers


def scs_log(size: int) -> Iterator[str]:
    """Text of `size` bytes, in blocks of whole lines; the last block is cut to the size."""
    rng = random.Random(913)
    second = written = 0
    while written < size:
        lines = []
        for _ in range(BLOCK):
            second += rng.random() < 0.2
            number = rng.randrange(10_000)
            if rng.random() < 0.9:
                text = rng.choice(DULL).format(number=number)
            else:
                text = rng.choice(TELLING).format(ip=address(number), uuid=machine_uuid(number))
            day, rest = divmod(second, 86400)
            date = f"{11 + day // 30 % 2:02d}/{day % 30 + 1:02d}/2007"
            time = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{rng.randrange(1000):03d}"
            lines.append(f"{date} {time} [{rng.choice('DIWE')}] [{number % 16:05d}] AMTconfig: {text}\r\n")
        block = "".join(lines)[: size - written]
        written += len(block)
        yield block
