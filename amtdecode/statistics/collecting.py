"""What is counted of each observation, and the shape of the result."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.flow.events import Connection
from amtdecode.protocols.hello.messages import HelloMessage
from amtdecode.protocols.soap.events import Call
from amtdecode.protocols.tls.events import TlsHandshake
from amtdecode.statistics.counting import MAX_COUNTED, SECOND, Counts, Timeline
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from amtdecode.model import FlowKey, Observation

MAX_FLOWS = 16_384  # conversations whose layers are remembered; the oldest go first
LAYERS = ("tls", "http")  # what carries other protocols, outermost first


class ProtocolCount(msgspec.Struct, kw_only=True):
    """One line of the hierarchy: `layers` from the outside in, as ["tcp", "tls", "http"]."""

    layers: list[str]
    observations: int


class CallCount(msgspec.Struct, kw_only=True):
    """Calls of one method with one result."""

    service: str
    method: str
    result: str
    count: int


class TlsCount(msgspec.Struct, kw_only=True):
    """Handshakes of one version and suite with one outcome."""

    version: str
    suite: str
    kind: str
    outcome: str
    count: int


class ConnectionCount(msgspec.Struct, kw_only=True):
    """Connections to one port that ended one way."""

    port: int
    state: str
    count: int


class HelloCounts(msgspec.Struct, kw_only=True):
    """Hello messages: how many, by retry counter, and over time."""

    total: int = 0
    machines: int = 0
    by_retry: dict[str, int] = msgspec.field(default_factory=dict)
    start: str | None = None
    seconds: float = 0.0
    """Length of one stretch of `over_time`."""
    over_time: list[int] = msgspec.field(default_factory=list)


class Statistics(msgspec.Struct, kw_only=True):
    """What `stats -T json` prints. `others`: what fitted in no table, by the name of the table."""

    schema: int = 1
    observations: int = 0
    protocols: list[ProtocolCount] = msgspec.field(default_factory=list)
    connections: list[ConnectionCount] = msgspec.field(default_factory=list)
    calls: list[CallCount] = msgspec.field(default_factory=list)
    tls: list[TlsCount] = msgspec.field(default_factory=list)
    hellos: HelloCounts = msgspec.field(default_factory=HelloCounts)
    others: dict[str, int] = msgspec.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, texts and numbers."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Collector:
    """Feed it every observation (`connections="all"`), then ask for the statistics."""

    def __init__(self, of: int = 1) -> None:
        """`of`: so many collectors count a capture together, each its share of the connections."""
        self._of = of
        self._observations = 0
        self._protocols: Counts[tuple[str, ...]] = Counts()
        self._connections: Counts[tuple[str, ...]] = Counts()
        self._calls: Counts[tuple[str, ...]] = Counts()
        self._tls: Counts[tuple[str, ...]] = Counts()
        self._retries: Counts[tuple[str, ...]] = Counts()
        self._machines: Counts[tuple[str, ...]] = Counts()
        self._hellos = Timeline()
        self._carriers: dict[FlowKey, tuple[str, ...]] = {}

    def feed(self, observation: Observation) -> None:
        """One observation."""
        self._observations += 1
        event = observation.event
        self._protocols.add(self._layers(observation))
        if isinstance(event, Connection):
            port = observation.flow.server.port if observation.flow else 0
            self._connections.add((str(port), event.state))
        elif isinstance(event, Call):
            fields = event.masked_fields()
            owner = fields.get("iamt.wsman.class") or fields.get("iamt.call.service") or ""
            method = fields.get("iamt.wsman.method") or fields.get("iamt.eoi.method") or ""
            self._calls.add((str(owner), str(method), str(fields.get("iamt.call.result") or "no answer captured")))
        elif isinstance(event, TlsHandshake):
            suite = event.suite_names[0] if event.suite_names else ""
            self._tls.add((event.version_name, suite, event.kind, event.outcome))
        elif isinstance(event, HelloMessage):
            self._retries.add((f"{event.retry_count:d}",))
            self._machines.add((str(event.uuid),))
            if observation.time_ns is not None:
                self._hellos.add(observation.time_ns)

    def _layers(self, observation: Observation) -> tuple[str, ...]:
        """From the outside in: the transport, what carries the protocol in this conversation, the protocol."""
        flow, protocol = observation.flow, observation.protocol
        if flow is None:
            return (protocol,)
        carriers = self._carriers.get(flow, ())
        if protocol in LAYERS and protocol not in carriers:
            self._remember(flow, tuple(layer for layer in LAYERS if layer in carriers or layer == protocol))
            carriers = self._carriers[flow]
        if protocol in LAYERS:
            carriers = carriers[: carriers.index(protocol)]
        outer = () if protocol == flow.transport else (flow.transport, *carriers)
        return (*outer, protocol)

    def _remember(self, flow: FlowKey, carriers: tuple[str, ...]) -> None:
        if len(self._carriers) >= MAX_FLOWS and flow not in self._carriers:
            for oldest in list(islice(self._carriers, max(1, MAX_FLOWS // 64))):  # many at a time: found faster
                del self._carriers[oldest]
        self._carriers[flow] = carriers

    @property
    def _tables(self) -> dict[str, Counts[tuple[str, ...]]]:
        return {
            "protocols": self._protocols, "connections": self._connections, "calls": self._calls, "tls": self._tls,
            "retries": self._retries, "machines": self._machines,
        }  # fmt: skip

    def merge(self, others: Collector) -> None:
        """Count what another one counted of other connections; exact while `lacks` says nothing."""
        self._observations += others._observations
        for table, more in zip(self._tables.values(), others._tables.values(), strict=True):
            table.merge(more)
        self._hellos.merge(others._hellos)

    def lacks(self) -> str:
        """Of one of several: what it would have to know of the others to count as one would; or ""."""
        if any(table.is_too_many for table in self._tables.values()):
            return f"{MAX_COUNTED} rows of a table"
        return f"{MAX_FLOWS} conversations in layers" if len(self._carriers) > MAX_FLOWS // self._of else ""

    def statistics(self) -> Statistics:
        """The counts so far."""
        tables = self._tables
        over_time = self._hellos.counts()
        return Statistics(
            observations=self._observations,
            protocols=[
                ProtocolCount(layers=[*key], observations=count) for key, count in sorted(self._protocols.most_common())
            ],
            connections=[
                ConnectionCount(port=int(port), state=state, count=count)
                for (port, state), count in self._connections.most_common()
            ],
            calls=[
                CallCount(service=service, method=method, result=result, count=count)
                for (service, method, result), count in self._calls.most_common()
            ],
            tls=[
                TlsCount(version=version, suite=suite, kind=kind, outcome=outcome, count=count)
                for (version, suite, kind, outcome), count in self._tls.most_common()
            ],
            hellos=HelloCounts(
                total=sum(count for _, count in self._retries.most_common()) + self._retries.others,
                machines=len(self._machines.most_common()) + bool(self._machines.others),
                by_retry=dict(
                    sorted(
                        ((key[0], count) for key, count in self._retries.most_common()), key=lambda item: int(item[0])
                    )
                ),
                start=IsoTimes()(self._hellos.start),
                seconds=self._hellos.width / SECOND if over_time else 0.0,
                over_time=over_time,
            ),
            others={name: table.others for name, table in tables.items() if table.others},
        )
