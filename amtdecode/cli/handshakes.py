"""TLS handshakes of chosen packets, and the lines of key logs that open them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture.secrets_inside import secrets_inside
from amtdecode.flow.events import Connection
from amtdecode.protocols.tls.events import NO_ENCRYPTION, Decryption
from amtdecode.protocols.tls.hellos import ClientHello
from amtdecode.secrets.keylog import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from amtdecode.model import FlowKey, Observation
    from amtdecode.secrets.found import Found

RANDOM = 32  # bytes of a client random


class Handshakes:
    """What carried the handshakes of flows of which a packet is wanted; others are let go when they end."""

    def __init__(self, wanted: dict[str, set[int]]) -> None:
        self.randoms: set[bytes] = set()
        """Client randoms of flows of which a packet is wanted."""
        self.opened: set[int] = set()
        """Numbers of the TCP streams that keys opened."""
        self._wanted = wanted
        self._more: dict[str, set[int]] = {}
        self._open: dict[FlowKey, list[Observation]] = {}
        self._kept: set[FlowKey] = set()
        self._randoms: dict[int, list[bytes]] = {}  # by TCP stream

    def take(self, flow: FlowKey, observation: Observation) -> None:
        """One observation of a flow; a `Connection` is mostly its last."""
        self._open.setdefault(flow, []).append(observation)
        event = observation.event
        if type(event) is Decryption and event.opened and event.method != NO_ENCRYPTION:
            self.opened.add(flow.number)
        if type(event) is Connection:
            self._settle(flow)

    def finish(self, touched: AbstractSet[int], *, add: bool) -> None:
        """The captures end. `touched`: streams of which a packet is wanted. `add`: their handshakes are wanted too."""
        for flow in list(self._open):
            self._settle(flow)
        for stream in self._randoms.keys() & touched:
            self.randoms.update(self._randoms[stream])
        if add:
            for name, numbers in self._more.items():
                self._wanted.setdefault(name, set()).update(numbers)

    def _settle(self, flow: FlowKey) -> None:
        wanted, observations = self._wanted, self._open.pop(flow)
        randoms = [
            observation.event.random.rjust(RANDOM, b"\0")
            for observation in observations
            if type(observation.event) is ClientHello
        ]
        if randoms:
            self._randoms.setdefault(flow.number, []).extend(randoms)
        if flow not in self._kept:
            if not any(set(o.packets) & wanted.get(o.input, set()) for o in observations):
                return
            self._kept.add(flow)
        self.randoms.update(randoms)
        for observation in observations:
            self._more.setdefault(observation.input, set()).update(observation.packets)
            for name, number in observation.elsewhere:
                self._more.setdefault(name, set()).add(number)


def keylog_lines(names: Sequence[str], keylogs: Sequence[str], found: Found, randoms: AbstractSet[bytes]) -> bytes:
    """The key log of some client randoms: what opened their connections, and what else key logs have of them."""
    lines = dict.fromkeys(found.lines(randoms))
    digits = {random.hex() for random in randoms}
    for line in _all_lines(names, keylogs):
        words = line.split()
        if len(words) == 3 and words[1].decode("latin-1").lower() in digits:
            lines[b" ".join((words[0], *(word.lower() for word in words[1:])))] = None
    return b"".join([line + b"\n" for line in lines])


def _all_lines(names: Sequence[str], keylogs: Sequence[str]) -> Iterator[bytes]:
    for log in (log for name in names for log in secrets_inside(name)):
        yield from log.splitlines()
    for name in keylogs:
        try:
            with open(name, "rb") as file:
                while line := file.readline(MAX_LINE):
                    yield line
        except OSError:  # told when the keys were loaded
            continue
