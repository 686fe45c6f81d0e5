"""What a process tells, with its places, in messages of bounded size; and the order of all of them together.

A message says how far its process has come, though it may have nothing to tell, so that nobody waits for it.
"""

from __future__ import annotations

import pickle
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FULL = 32 * 1024  # of what `tell` calls the size, until it is sent
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
        self._send(pickle.dumps(("told", (reached, self._places, self._items))))
        self._places, self._items = [], []
        self._size = self._silence = 0


class _Heard:
    """What one process tells, as far as it is known."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._places: list[int] = []
        self._items: list[Any] = []
        self._at = 0
        self._reached = 0
        self.ended = False
        self.result: Any = None

    @property
    def place(self) -> int:
        """Where the next thing it tells stands, or stands at the earliest."""
        return self._places[self._at] if self._at < len(self._places) else self._reached

    def before(self, place: int) -> list[Any]:
        """What it tells before a place, as far as that is here; it listens on where nothing is."""
        end = bisect_left(self._places, place, self._at)
        taken, self._at = self._items[self._at : end], end
        if not taken and self._at == len(self._places) and not self.ended:
            self._listen()
        return taken

    def _listen(self) -> None:
        kind, said = pickle.loads(self._receive())  # noqa: S301 - of our own process
        if kind == "told":
            self._reached, self._places, self._items = said
            self._at = 0
        elif kind == "done":
            self.ended, self.result, self._reached = True, said, LAST
        elif kind == "crossed":
            raise CrossedError(said)
        else:
            raise said


def in_order(receivers: Sequence[Callable[[], bytes]], results: list[Any]) -> Iterator[list[Any]]:
    """What all processes tell, in the order of the places; of one place, in the order of the processes.

    `results` gets what each gave at its end. Raises `CrossedError`, and what a process raised.
    """
    heard = [_Heard(each) for each in receivers]
    while going_on := [(each.place, index) for index, each in enumerate(heard) if not each.ended]:
        (_, first), *others = sorted(going_on)
        limit = others[0][0] + (others[0][1] > first) if others else LAST
        taken = heard[first].before(limit)
        if taken:
            yield taken
    results += [each.result for each in heard]
