"""Which captures are read as one timeline: a *stretch*.

Of one sensor and interface, in the order of their first packets, cut where nothing came for longer than a connection
lives, or where a stretch is large enough. So a hello, handshake or call that goes on from one rotated file to the next
is read whole, and a new file makes no more than its own stretch be read again.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING, Final

import msgspec

from amtdecode.provisioning.journal.connections import SILENCE_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.archive.scanning import Scan

STRETCH_BYTES: Final = 1 << 30  # of captures read together: some ten seconds of work; the next file begins another
STRETCH_NS: Final = 7 * 86_400 * 10**9  # the same of time


class Stretch(msgspec.Struct, frozen=True):
    """Captures that are read together."""

    sensor: str
    interface: str
    files: tuple[str, ...]
    id: str
    """Digest of all that decides what is made of it: the files' bytes and names, their order, and `basis`."""


def plan(scans: Iterable[Scan], basis: str) -> list[Stretch]:
    """The stretches of these captures, whatever order they come in. `basis`: the versions of program and rules."""
    good = sorted((scan for scan in scans if not scan.error), key=_order)
    return [
        _stretch(run, basis)
        for _, group in groupby(good, key=lambda scan: (scan.sensor, scan.interface))
        for run in _runs(group)
    ]


def _order(scan: Scan) -> tuple[str, str, int, str]:
    return scan.sensor, scan.interface, -1 if scan.first is None else scan.first, scan.path


def _runs(group: Iterable[Scan]) -> Iterable[list[Scan]]:
    run: list[Scan] = []
    size, last = 0, None
    for scan in group:
        first = run[0].first if run else None
        silent = last is not None and scan.first is not None and scan.first - last > SILENCE_NS
        long = first is not None and scan.first is not None and scan.first - first >= STRETCH_NS
        if run and (silent or long or size >= STRETCH_BYTES):
            yield run
            run, size, last = [], 0, None
        run.append(scan)
        size += scan.size
        if scan.last is not None:
            last = scan.last if last is None else max(last, scan.last)
    if run:
        yield run


def _stretch(run: list[Scan], basis: str) -> Stretch:
    digest = blake2b(basis.encode(), digest_size=12)
    for scan in run:
        digest.update(msgspec.json.encode((scan.sensor, scan.interface, scan.path, scan.digest), enc_hook=str))
    return Stretch(run[0].sensor, run[0].interface, tuple(scan.path for scan in run), digest.hexdigest())
