"""What a process tells, with its places, in messages of bounded size; and the order of all of them together.

A message says how far its process has come, though it may have nothing to tell, so that nobody waits for it.
"""

from __future__ import annotations

import pickle
from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING, Any

from amtdecode.jobs.limits import MAX_AHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

FULL = 128 * 1024  # of what `tell` calls the size, until it is sent
SILENCE = 4096  # pieces without a word, until it is said how far the process is
SILENT_RUNS = 16  # the same where pieces are runs of records
LAST = (1 << 63) - 1


class CrossedError(Exception):
    """What a process has to tell depends on what others have: `why` says on what."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Telling:
    """Collects what a process tells. `send` takes a message; `lacks` says what it would have to know of the others."""

    def __init__(self, send: Callable[[bytes], object], lacks: Callable[[], str] = str) -> None:
        self._send = send
        self.lacks = lacks
        self.shape: Callable[[list[Any]], list[Any]] = list
        """Makes of all that is sent together what is to cross, one thing of each: many at a time cost less."""
        self._places: list[int] = []
        self._items: list[Any] = []
        self._size = 0
        self._silence = 0

    def tell(self, place: int, item: Any, size: int) -> None:
        """Tell something, at a place not before the one told last; `size` is about its bytes."""
        self._places.append(place)
        self._items.append(item)
        self._size += size
        if self._size >= FULL:
            self._flush(place)

    def reached(self, place: int, weight: int = 1) -> None:
        """Nothing more will be told of what is before this place."""
        self._silence += weight
        if self._silence >= SILENCE:
            self._flush(place)

    def end(self, result: Any) -> None:
        """All is told."""
        self._flush(LAST)
        self._send(pickle.dumps(("done", result)))

    def _flush(self, reached: int) -> None:
        lacks = self.lacks()
        if lacks:
            raise CrossedError(lacks)
        self._send(pickle.dumps(("told", (reached, self._places, self.shape(self._items)))))
        self._places, self._items = [], []
        self._size = self._silence = 0


class _Heard:
    """What one process has told, and what waits here for the others."""

    def __init__(self) -> None:
        self._places: list[int] = []
        self._items: list[Any] = []
        self._messages: deque[int] = deque()
        """How far it was with each message of which something may still wait."""
        self.reached = 0
        """All that it tells of what is before this place is here."""
        self.ended = False
        self.error: BaseException | None = None
        self.result: Any = None

    @property
    def is_ahead(self) -> bool:
        """Whether it may wait until the others have come as far."""
        return len(self._messages) >= MAX_AHEAD

    def hear(self, message: bytes) -> None:
        """Take a message."""
        kind, said = pickle.loads(message)  # noqa: S301 - of our own process
        if kind == "told":
            self.reached, places, items = said
            self._places += places
            self._items += items
            self._messages.append(self.reached)
            return
        self.ended = True
        if kind == "done":
            self.reached, self.result = LAST, said
        else:
            self.error = CrossedError(said) if kind == "crossed" else said

    def before(self, place: int) -> tuple[list[int], list[Any]]:
        """The places before this one, and what it tells there; they are taken away."""
        end = bisect_left(self._places, place)
        taken = self._places[:end], self._items[:end]
        del self._places[:end], self._items[:end]
        while self._messages and self._messages[0] <= place:
            self._messages.popleft()
        return taken


def in_order(
    listen: Callable[[list[int]], Iterable[tuple[int, bytes]]], jobs: int, results: list[Any]
) -> Iterator[list[Any]]:
    """What `jobs` processes tell, in the order of the places; of one place, in the order of the processes.

    `listen` waits for messages of the processes whose numbers it is given, and gives some, each with its process.
    `results` gets what each gave at its end. Raises `CrossedError`, and what a process raised.
    """
    heard = [_Heard() for _ in range(jobs)]
    while True:
        limit = min(each.reached for each in heard)
        taken = _merged([each.before(limit) for each in heard])
        if taken:
            yield taken
        for each in heard:
            if each.error is not None and each.reached == limit:
                raise each.error
        awaited = [
            index for index, each in enumerate(heard) if not each.ended and (each.reached == limit or not each.is_ahead)
        ]
        if not awaited:
            break
        for index, message in listen(awaited):
            heard[index].hear(message)
    results += [each.result for each in heard]


def _merged(told: Sequence[tuple[list[int], list[Any]]]) -> list[Any]:
    """Everything in the order of the places; those of each process are in order."""
    told = [each for each in told if each[0]]
    if len(told) < 2:
        return told[0][1] if told else []
    places = [place for each in told for place in each[0]]
    items = [item for each in told for item in each[1]]
    return [items[at] for at in sorted(range(len(places)), key=places.__getitem__)]
