"""The bytes of the flow of a packet, as `amtdecode follow` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.render.following import Printer, taps
from amtdecode.render.safe import safe
from amtdecode.tui.looking import place_of, rows_before
from amtdecode.tui.rows import packet_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.capture import RawPacket
    from amtdecode.model import Direction, FlowKey
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys
    from amtdecode.tui.store import Store

MAX_FOLLOWED = 1 << 20
"""Characters of a flow that are shown; `amtdecode follow` prints all."""
SIDES = frozenset({"tcp", "udp"})


class Line(NamedTuple):
    """A line of what was said, and by whom: 0 the client, 1 the server, -1 neither."""

    text: str
    side: int


class Followed(NamedTuple):
    """What is shown of a flow. `fault`: why nothing is."""

    title: str
    lines: list[Line]
    fault: str = ""


class _Lines(Printer):
    """Keeps what would be printed, line by line."""

    def __init__(self, form: str) -> None:
        super().__init__(self._add, form)
        self.lines: list[Line] = []
        self.size = 0
        self._side = -1
        self._open = False

    def say(self, direction: Direction, text: str) -> None:
        """As printed, remembering who said it."""
        self._side = int(direction)
        self._add(text)
        self._side = -1

    def _add(self, text: str) -> None:
        self.size += len(text)
        for number, part in enumerate(text.split("\n")):
            if number == 0 and self._open and self.lines and self.lines[-1].side == self._side:
                self.lines[-1] = Line(self.lines[-1].text + part, self._side)
            else:
                self.lines.append(Line(part, self._side))
        self._open = bool(self.lines and self.lines[-1].text)
        if not self._open:
            self.lines.pop()


class Flow(NamedTuple):
    """Both ends of a flow."""

    transport: str
    ends: frozenset[tuple[str, int]]

    def is_of(self, key: FlowKey) -> bool:
        """Whether the engine means this flow."""
        return key.transport == self.transport and self.ends == {
            (key.client.address, key.client.port),
            (key.server.address, key.server.port),
        }


def flow_of(store: Store, row: int) -> Flow | None:
    """The flow of a packet; `None` where it is of none."""
    packet = packet_of(store, row)
    for transport in SIDES:
        ports = [packet.values(f"{transport}.{side}port") for side in ("src", "dst")]
        if all(ports):
            addresses = [packet.shown(f"ip.{side}") or packet.shown(f"ipv6.{side}") or [""] for side in ("src", "dst")]
            ends = zip(addresses, ports, strict=True)
            return Flow(transport, frozenset((str(address[0]), int(port[0])) for address, port in ends))
    return None


def follow(
    store: Store,
    row: int,
    layer: str,
    form: str,
    keys: Keys | None,
    rooms: tuple[Protocol, ...],
    wanted: Callable[[], bool],
) -> Followed:
    """What the sides of a packet's flow say at a layer, from the beginning, as far as is known; `form`: text or hex.

    Gives up with what it has when it is not `wanted` any more.
    """
    from amtdecode.engine import Engine

    flow = flow_of(store, row)
    if flow is None:
        return Followed("", [], "this packet belongs to no TCP connection and no UDP conversation")
    lines = _Lines("soap" if layer == "soap" and form == "text" else form)
    engine = Engine(keys, registry=rooms, **taps(lines, flow.is_of, flow.transport, layer))

    def packets() -> Iterator[RawPacket]:
        for at in rows_before(store, store.latest(place_of(store, row)) - 1):
            if lines.size > MAX_FOLLOWED or not wanted():
                return
            yield store.raw(at)

    for _ in engine.observe(packets()):
        pass
    if lines.size > MAX_FOLLOWED:
        lines.remark(f"more than {MAX_FOLLOWED} characters: `amtdecode follow` prints all")
    ends = " and ".join(sorted(f"{address}:{port}" for address, port in flow.ends))
    if lines.empty:
        return Followed(safe(ends), [], f"this {flow.transport} flow carries no {layer} payload that can be read")
    return Followed(safe(ends), lines.lines[1:])
