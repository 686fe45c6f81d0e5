"""That several processes are asked for; what each of them reads; and work of which only the end counts."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.capture.inputs import Capture
    from amtdecode.jobs.workers import Work
    from amtdecode.net.copies import Copies
    from amtdecode.protocols.dissector import Protocol


class Jobs(NamedTuple):
    """Several processes that read the captures, each its share of the connections."""

    number: int
    method: str | None = None
    """How they are begun, as in `multiprocessing`."""
    rooms: Callable[[], tuple[Protocol, ...]] | None = None
    """Other protocols than our own. What cannot be pickled goes only to processes that are copies of this one."""
    without_copies: bool = False
    told: Callable[[Copies], None] = lambda _copies: None
    """Told what was left out as copies."""
    crossed: Callable[[str], None] = lambda _why: None
    """Told why one process reads everything again."""


def opened(
    captures: Sequence[Capture], most: int | None, *, without_copies: bool
) -> tuple[Iterator[RawPacket | Records], Copies | None]:
    """The packets that each process reads, and what leaves out those that came twice, if it is asked for."""
    from amtdecode.capture import limited, open_records

    packets = limited(open_records(captures), most)
    if not without_copies:
        return packets, None
    from amtdecode.net.copies import Copies

    copies = Copies()
    return copies.watch(packets), copies


def results_of(work: Work, jobs: Jobs, *, by_addresses: bool) -> list[Any] | None:
    """What each process gives at its end, by its share; `None` where one must do it, which `jobs.crossed` was told.

    Raises what `workers.shared` raises.
    """
    from amtdecode.jobs.telling import CrossedError
    from amtdecode.jobs.workers import shared

    results: list[Any] = []
    try:
        with closing(shared(work, jobs.number, by_addresses=by_addresses, method=jobs.method, results=results)) as told:
            for _ in told:
                pass
    except CrossedError as error:
        jobs.crossed(error.why)
        return None
    return results
