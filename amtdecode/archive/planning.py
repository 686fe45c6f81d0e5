"""Which captures are read as one timeline: a *stretch*.

Of one sensor and interface, in the order of their first packets, cut where nothing came for longer than a connection
lives, or where a stretch is large enough. So a hello, handshake or call that goes on from one rotated file to the next
is read whole, and a new file makes no more than its own stretch be read again.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from amtdecode.provisioning.journal.connections import SILENCE_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.archive.scanning import Scan

STRETCH_BYTES: Final = 1 << 30  # of content read together: some ten seconds of work; the next file begins another
STRETCH_NS: Final = 7 * 86_400 * 10**9  # the same of time


class Wanted(NamedTuple):
    """A capture that is to be read."""

    scan: Scan
    after: int = 0
    """Packets of it that an earlier stretch has, and keeps."""


class Stretch(msgspec.Struct, frozen=True):
    """Captures that are read together."""

    sensor: str
    interface: str
    captures: tuple[str, ...]
    """Their ids, in the order of their first packets."""
    after: tuple[int, ...]
    """Of each, how many packets are passed over since another stretch has them."""
    content: str
    """Digest of these, and of the versions of program and tables."""
    keys: str = ""
    """Digest of all keys it was read with."""
    id: str = ""
    """Digest of all that decides what is made of it."""


def plan(wanted: Iterable[Wanted], basis: str) -> list[Stretch]:
    """The stretches of these captures, whatever order they come in. `basis`: the versions of program and tables."""
    return [
        _stretch(run, basis)
        for _, group in groupby(sorted(wanted, key=_order), key=lambda each: (each.scan.sensor, each.scan.interface))
        for run in _runs(group)
    ]


def keyed(stretch: Stretch, keys: str) -> Stretch:
    """The same, read with these keys."""
    digest = blake2b(f"{stretch.content} {keys}".encode(), digest_size=12)
    return msgspec.structs.replace(stretch, keys=keys, id=digest.hexdigest())


def _order(wanted: Wanted) -> tuple[str, str, int, str]:
    scan = wanted.scan
    return scan.sensor, scan.interface, -1 if scan.first is None else scan.first, scan.path


def _runs(group: Iterable[Wanted]) -> Iterable[list[Wanted]]:
    run: list[Wanted] = []
    size, last = 0, None
    for each in group:
        scan = each.scan
        first = run[0].scan.first if run else None
        silent = last is not None and scan.first is not None and scan.first - last > SILENCE_NS
        long = first is not None and scan.first is not None and scan.first - first >= STRETCH_NS
        if run and (silent or long or size >= STRETCH_BYTES):
            yield run
            run, size, last = [], 0, None
        run.append(each)
        size += scan.length
        if scan.last is not None:
            last = scan.last if last is None else max(last, scan.last)
    if run:
        yield run


def _stretch(run: Sequence[Wanted], basis: str) -> Stretch:
    digest = blake2b(basis.encode(), digest_size=12)
    for each in run:
        digest.update(msgspec.json.encode((each.scan.sensor, each.scan.interface, each.scan.id, each.after)))
    return Stretch(
        run[0].scan.sensor,
        run[0].scan.interface,
        tuple(each.scan.id for each in run),
        tuple(each.after for each in run),
        digest.hexdigest(),
    )
