"""From observations to columns: what they have in common, and per protocol the rows of its table.

No row is ever a dict. Places (flow, direction, input) and kinds of events are few: a row has their index, and Arrow
spreads them out. Fields are the JSON text of `-T json`.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

import msgspec

from amtdecode.capture.health import Health
from amtdecode.engine.outcome import FAILURES
from amtdecode.flow.events import Connection
from amtdecode.model import TO_SERVER
from amtdecode.protocols.registry import REGISTRY
from amtdecode.render.json_lines import MAX_REMEMBERED, MAX_WRITTEN, fields_text
from amtdecode.safe import encodable
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.schemas import FAULTS, OBSERVATIONS, PLACE, fields_of, schemas
from amtdecode.tables.typed import TypedColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.model import Event, FlowKey, Observation
    from amtdecode.protocols.dissector import Protocol

MAX_ROWS: Final = 32_768  # of observations made columns together
MAX_ROW_BYTES: Final = 8 << 20  # bytes of JSON among them
MAX_TIME: Final = (1 << 63) - 1  # of a time stamp of Arrow, which ends in the year 2262


class Collector:
    """Takes observations, and gives tables of some rows: `take(name of the table, pyarrow.Table)`.

    `chosen`: the tables wanted. `registry`: the rooms whose observations come. With `outcomes` they come from a reading
    with `connections="all"`: what `read` leaves out goes to `flows` alone.
    """

    def __init__(
        self,
        take: Callable[[str, Any], None],
        chosen: Iterable[str] = (OBSERVATIONS,),
        registry: tuple[Protocol, ...] = REGISTRY,
        *,
        outcomes: bool = False,
    ) -> None:
        self._take = take
        self._chosen = frozenset(chosen)
        self._schemas = schemas(registry)
        self._outcomes = outcomes
        wanted = self._chosen | ({"iamt_soap"} if "calls" in self._chosen else set())
        self._typed = {name: TypedColumns(fields) for name, fields in fields_of(registry).items() if name in wanted}
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._remembered: dict[Event, tuple[str, bytes]] = {}
        self.count = 0
        """Observations taken."""
        self._bytes = 0
        self._begin()

    def _begin(self) -> None:
        """Empty columns."""
        self._first = self.count + 1
        self._bytes = 0
        self._place_of: dict[tuple[int, int, str], int] = {}
        self._places: list[tuple[FlowKey | None, int, str]] = []
        self._kind_of: dict[Any, int] = {}
        self._kinds: list[tuple[str, str]] = []
        self._place, self._kind = array("i"), array("i")
        self._packet, self._packets, self._proof = array("q"), array("q"), array("i", [0])
        self._time: list[int | None] = []
        self._summary: list[str] = []
        self._text: list[bytes] = []
        self._elsewhere: dict[int, Any] = {}
        self._rows: dict[str, array[int]] = {name: array("i") for name in self._typed}
        self._table_rows: list[array[int] | None] = []
        """Rows of each kind's table."""
        self._flows: list[Observation] = []

    def add(self, observations: Iterable[Observation]) -> None:
        """Take some observations: the more together, the less each costs."""
        texts, summaries, times = self._text, self._summary, self._time
        places, place_of, kind_of, table_rows = self._places, self._place_of, self._kind_of, self._table_rows
        packet, packets, proof, place_rows, kind_rows = (
            self._packet, self._packets, self._proof, self._place, self._kind
        )  # fmt: skip
        flow: FlowKey | bool | None = False
        direction, source, place, size = TO_SERVER, "", 0, 0
        for observation in observations:
            event = observation.event
            kind = type(event)
            if kind is Connection and self._outcome(observation):
                continue
            if kind is Health and self._outcomes:
                continue
            written = self._remembered.get(event) if kind.recurring else None
            if written is None:
                written = self._written(event, kind)
            if observation.flow is not flow or observation.direction is not direction or observation.input != source:
                flow, direction, source = observation.flow, observation.direction, observation.input
                key = id(flow), direction, source  # the list of places keeps the flow alive
                known = place_of.get(key)
                if known is None:
                    known = place_of[key] = len(places)
                    places.append((flow, direction, source))
                place = known
            about = kind if kind.protocol else (kind, observation.protocol)
            number = kind_of.get(about)
            if number is None:
                number = self._kind_number(about, kind, observation.protocol)
            row = len(texts)
            rows = table_rows[number]
            if rows is not None:
                rows.append(row)
            if observation.elsewhere:
                self._elsewhere[row] = [(encodable(name), at) for name, at in observation.elsewhere]
            place_rows.append(place)
            kind_rows.append(number)
            packet.append(observation.packet)
            packets.extend(observation.packets)
            proof.append(len(packets))
            times.append(observation.time_ns)
            summaries.append(written[0])
            texts.append(written[1])
            size += len(written[1])
        self.count = self._first - 1 + len(texts)
        self._bytes += size
        if len(texts) >= MAX_ROWS or self._bytes >= MAX_ROW_BYTES or len(self._flows) >= MAX_ROWS:
            self.flush()

    def _outcome(self, observation: Observation) -> bool:
        """Take the outcome of a connection for `flows`; true where `read` does not list it."""
        if "flows" in self._chosen:
            self._flows.append(observation)
        return self._outcomes and observation.event.state not in FAILURES  # type: ignore[attr-defined]

    def _kind_number(self, about: Any, kind: type[Event], protocol: str) -> int:
        number = self._kind_of[about] = len(self._kinds)
        self._kinds.append((protocol, kind.__name__))
        self._table_rows.append(self._rows.get(kind.protocol.replace(".", "_") or FAULTS))
        return number

    def _written(self, event: Event, kind: type[Event]) -> tuple[str, bytes]:
        """Summary and fields, remembered where they may come again."""
        written = event.summary(), fields_text(event, self._encode)
        if kind.recurring and len(written[1]) <= MAX_WRITTEN:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[event] = written
        return written

    def flush(self) -> None:
        """Give what was taken."""
        if self._text:
            common = self._common()
            if OBSERVATIONS in self._chosen:
                self._take(OBSERVATIONS, self._observations(common))
            place = common.select(PLACE)
            for name, rows in self._rows.items():
                if rows:
                    self._protocol(name, place.take(_ints(rows)), [self._text[row] for row in rows])
        if self._flows:
            self._take("flows", self._flow_table())
        self._begin()

    def _common(self) -> Any:
        """The columns `PLACE`, and the protocol."""
        pa = pyarrow()
        places = pa.table(_place_columns(self._places)).take(_ints(self._place))
        kinds = pa.table(
            {"protocol": [protocol for protocol, _ in self._kinds], "event": [event for _, event in self._kinds]}
        ).take(_ints(self._kind))
        columns = {
            **{name: places.column(name) for name in places.column_names},
            **{name: kinds.column(name) for name in kinds.column_names},
            "observation": pa.array(range(self._first, self._first + len(self._text)), pa.int64()),
            "time": _times(self._time),
            "packet": _longs(self._packet),
        }
        return pa.table(columns)

    def _observations(self, common: Any) -> Any:
        pa = pyarrow()
        schema = self._schemas[OBSERVATIONS]
        elsewhere = schema.field("elsewhere").type
        columns = {name: common.column(name) for name in common.column_names} | {
            "packets": pa.ListArray.from_arrays(_ints(self._proof), _longs(self._packets)),
            "elsewhere": pa.array([self._elsewhere.get(row) for row in range(len(self._text))], elsewhere)
            if self._elsewhere
            else pa.nulls(len(self._text), elsewhere),
            "summary": _texts(self._summary),
            "fields": pa.array(self._text, pa.string()),
        }
        return pa.table([columns[name] for name in schema.names], schema=schema)

    def _protocol(self, name: str, place: Any, texts: list[bytes]) -> None:
        table = pyarrow().table([*place.columns, *self._typed[name](texts)], schema=self._schemas[name])
        if name in self._chosen:
            self._take(name, table)
        if name == "iamt_soap" and "calls" in self._chosen:
            self._take("calls", _calls(table, self._schemas["calls"]))

    def _flow_table(self) -> Any:
        pa = pyarrow()
        rows = []
        for observation in self._flows:
            event, flow = observation.event, observation.flow
            assert isinstance(event, Connection) and flow is not None  # noqa: S101, PT018 - for the type checker
            rows.append(
                (
                    flow.number, flow.client.address, flow.client.port, flow.server.address, flow.server.port,
                    within(event.first_time_ns), within(event.last_time_ns), encodable(observation.input),
                    observation.packet, event.state, event.syn_count, event.client_bytes, event.server_bytes,
                    event.client_missing, event.server_missing, event.closed_by or None, event.broken_by or None,
                    event.only or None, event.client_mac or None, None if event.vlan < 0 else event.vlan,
                )
            )  # fmt: skip
        schema = self._schemas["flows"]
        return pa.table(
            [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)],
            schema=schema,
        )


CALLS: Final = {
    "kind": "iamt_call_kind", "result": "iamt_call_result", "result_name": "iamt_call_result_name",
    "code": "iamt_call_code", "meaning": "iamt_call_meaning", "http_status": "http_response_code",
    "step": "iamt_call_step", "missing": "iamt_call_missing", "user": "iamt_call_user",
    "arguments": "iamt_soap_argument", "answer": "iamt_call_answer",
}  # fmt: skip
"""Columns of `calls`, and of `iamt_soap`."""


def _calls(soap: Any, schema: Any) -> Any:
    """The calls among the rows of SOAP."""
    import pyarrow.compute as pc

    found = soap.filter(pc.equal(soap.column("event"), "Call"))
    eoi = "iamt_eoi_service", "iamt_eoi_method"
    made = {
        "class": pc.coalesce(found.column("iamt_wsman_class"), found.column(eoi[0]), found.column("iamt_call_service")),
        "method": pc.coalesce(found.column("iamt_wsman_method"), found.column(eoi[1])),
    }
    columns = [made[name] if name in made else found.column(CALLS.get(name, name)) for name in schema.names]
    return pyarrow().table(columns, schema=schema)


def _place_columns(places: list[tuple[FlowKey | None, int, str]]) -> dict[str, Any]:
    pa = pyarrow()
    ends = [
        (None, None, None, None, None, None)
        if flow is None
        else (flow.transport, flow.number, flow.client.address, flow.client.port, flow.server.address, flow.server.port)
        if direction == TO_SERVER
        else (flow.transport, flow.number, flow.server.address, flow.server.port, flow.client.address, flow.client.port)
        for flow, direction, _ in places
    ]
    names = "transport", "stream", "src", "src_port", "dst", "dst_port"
    kinds = pa.string(), pa.int64(), pa.string(), pa.uint16(), pa.string(), pa.uint16()
    columns = {
        name: pa.array(values, kind) for name, values, kind in zip(names, zip(*ends, strict=True), kinds, strict=True)
    }
    return {"input": _texts([name for _, _, name in places]), **columns}


def within(time: int | None) -> int | None:
    """A time that a time stamp of Arrow can hold; `None` for others."""
    return time if time is None or time <= MAX_TIME else None


def _times(values: list[int | None]) -> Any:
    pa = pyarrow()
    kind = pa.timestamp("ns", "UTC")
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, OverflowError):
        return pa.array(map(within, values), kind)


def _texts(values: list[str]) -> Any:
    try:
        return pyarrow().array(values, pyarrow().string())
    except UnicodeEncodeError:  # lone surrogates
        return pyarrow().array(encodable(values), pyarrow().string())


def _ints(values: array[int]) -> Any:
    pa = pyarrow()
    return pa.Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(values)])


def _longs(values: array[int]) -> Any:
    pa = pyarrow()
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def batches(observations: Iterable[Observation], registry: tuple[Protocol, ...] = REGISTRY) -> Iterator[Any]:
    """The table `observations` in record batches, made as the observations come."""
    ready: list[Any] = []
    collector = Collector(lambda _name, table: ready.extend(table.to_batches()), registry=registry)
    for observation in observations:
        collector.add((observation,))
        if ready:
            yield from ready
            ready.clear()
    collector.flush()
    yield from ready


def reader(observations: Iterable[Observation]) -> Any:
    """The table `observations` as a `pyarrow.RecordBatchReader`."""
    return pyarrow().RecordBatchReader.from_batches(schemas()[OBSERVATIONS], batches(observations))
