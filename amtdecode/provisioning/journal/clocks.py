"""What several sensors captured alike: it counts once, and says how far their clocks are apart; none is corrected."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.provisioning.journal.facts.hello import Hello
from amtdecode.provisioning.state.tables import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.model import FlowKey
    from amtdecode.provisioning.journal.facts import Fact

MAX_REMEMBERED = 65_536  # connections
MAX_PAIRS = 1_000  # differences kept of two sensors
APART_NS = 3_600 * 10**9  # clocks are not taken to be further apart: ports are used again
WORTH_SAYING_NS = 100_000_000

_Ends = tuple[bytes, int, bytes, int]


class Copies:
    """Connections that more than one sensor has."""

    def __init__(self) -> None:
        self._hellos: dict[tuple[_Ends, str, int], tuple[str, int]] = {}
        self._flows: dict[_Ends, tuple[str, int]] = {}
        self._apart: dict[tuple[str, str], list[int]] = {}

    def is_copy(self, sensor: str, flow: FlowKey, time: int | None, said: Fact) -> bool:
        """Whether a connection that begins with this is one that another sensor showed already.

        A hello is the same where machine, counter, addresses and ports are. Of sensors that share hellos, addresses
        and ports tell for other connections too; elsewhere two sites may have the same.
        """
        if flow.transport != "tcp" or time is None:
            return False
        ends = flow.client.packed, flow.client.port, flow.server.packed, flow.server.port
        if isinstance(said, Hello):
            key = ends, said.uuid, said.retry_count
            before = self._hellos.get(key)
            if before is not None and before[0] != sensor and abs(time - before[1]) <= APART_NS:
                self._note(before, (sensor, time))
                return True
            bounded(self._hellos, MAX_REMEMBERED)
            self._hellos[key] = sensor, time
            return False
        before = self._flows.get(ends)
        if before is not None and before[0] != sensor and abs(time - before[1]) <= APART_NS:
            pair = min(before[0], sensor), max(before[0], sensor)
            if pair in self._apart:
                self._note(before, (sensor, time))
                return True
        bounded(self._flows, MAX_REMEMBERED)
        self._flows[ends] = sensor, time
        return False

    def _note(self, one: tuple[str, int], other: tuple[str, int]) -> None:
        (first, before), (then, after) = sorted((one, other))
        differences = self._apart.setdefault((first, then), [])
        if len(differences) < MAX_PAIRS:
            differences.append(after - before)

    def words(self) -> Iterator[tuple[str, str]]:
        """How far clocks are apart: of each two sensors, the latter, and a sentence."""
        for (first, then), differences in sorted(self._apart.items()):
            apart = median(differences)
            of = f"from {counted(len(differences), 'connection')} that both captured, which count once"
            if abs(apart) < WORTH_SAYING_NS:
                yield then, f"the clocks of {first} and {then} agree ({of})"
            else:
                way = "ahead of" if apart > 0 else "behind"
                yield then, f"the clock of {then} is {abs(apart) / 1e9:.1f} s {way} that of {first} ({of})"
