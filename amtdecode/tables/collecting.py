"""From observations to columns: what they have in common, and per protocol the rows of its table.

No row is ever a dict. Places (flow, direction, input) and kinds of events are few: a row has their index, and Arrow
spreads them out. Fields are the JSON text of `-T json`.
"""

from __future__ import annotations

from array import array
from itertools import islice
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
from amtdecode.tables.buffers import few, ints, longs, texts, times
from amtdecode.tables.flows import flow_table
from amtdecode.tables.places import columns_of
from amtdecode.tables.schemas import FAULTS, OBSERVATIONS, PLACE, fields_of, schemas
from amtdecode.tables.typed import TypedColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.model import Event, FlowKey, Observation
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.tables.places import Place

MAX_ROWS: Final = 32_768  # of observations made columns together
MAX_ROW_BYTES: Final = 8 << 20  # bytes of JSON among them
TOGETHER: Final = 256  # observations taken together from an iterator


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
        self._remembered: dict[Event, tuple[bytes, bytes]] = {}
        self.count = 0
        """Observations taken."""
        self._bytes = 0
        self._begin()

    def _begin(self) -> None:
        """Empty columns."""
        self._first = self.count + 1
        self._bytes = 0
        self._place_of: dict[tuple[int, int, str], int] = {}
        self._places: list[Place] = []
        self._kind_of: dict[Any, int] = {}
        self._kinds: list[tuple[str, str]] = []
        self._place, self._kind = array("i"), array("i")
        self._packet, self._packets, self._proof = array("q"), array("q"), array("i", [0])
        self._time: list[int | None] = []
        self._summary: list[bytes] = []
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

    def _written(self, event: Event, kind: type[Event]) -> tuple[bytes, bytes]:
        """Summary and fields, remembered where they may come again."""
        written = encodable(event.summary()).encode(), fields_text(event, self._encode)
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
            place = pyarrow().table({name: common[name] for name in PLACE})
            for name, rows in self._rows.items():
                if rows:
                    self._protocol(name, place.take(ints(rows)), [self._text[row] for row in rows])
        if self._flows:
            self._take("flows", flow_table(self._flows, self._schemas["flows"]))
        self._begin()

    def _common(self) -> dict[str, Any]:
        """The columns `PLACE`, and the protocol."""
        kinds = self._kinds
        return {
            **columns_of(self._places, self._place),
            "protocol": few([kinds[number][0] for number in self._kind], str),
            "event": few([kinds[number][1] for number in self._kind], str),
            "observation": longs(array("q", range(self._first, self._first + len(self._text)))),
            "time": times(self._time),
            "packet": longs(self._packet),
        }

    def _observations(self, common: dict[str, Any]) -> Any:
        pa = pyarrow()
        schema = self._schemas[OBSERVATIONS]
        elsewhere = schema.field("elsewhere").type
        columns = common | {
            "packets": pa.ListArray.from_arrays(ints(self._proof), longs(self._packets)),
            "elsewhere": pa.array([self._elsewhere.get(row) for row in range(len(self._text))], elsewhere)
            if self._elsewhere
            else pa.nulls(len(self._text), elsewhere),
            "summary": texts(self._summary),
            "fields": texts(self._text),
        }
        return pa.table([columns[name] for name in schema.names], schema=schema)

    def _protocol(self, name: str, place: Any, texts: list[bytes]) -> None:
        table = pyarrow().table([*place.columns, *self._typed[name](texts)], schema=self._schemas[name])
        if name in self._chosen:
            self._take(name, table)
        if name == "iamt_soap" and "calls" in self._chosen:
            self._take("calls", _calls(table, self._schemas["calls"]))


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


def batches(observations: Iterable[Observation], registry: tuple[Protocol, ...] = REGISTRY) -> Iterator[Any]:
    """The table `observations` in record batches, made as the observations come."""
    ready: list[Any] = []
    collector = Collector(lambda _name, table: ready.extend(table.to_batches()), registry=registry)
    coming = iter(observations)
    while some := tuple(islice(coming, min(TOGETHER, MAX_ROWS))):
        collector.add(some)
        if ready:
            yield from ready
            ready.clear()
    collector.flush()
    yield from ready


def reader(observations: Iterable[Observation]) -> Any:
    """The table `observations` as a `pyarrow.RecordBatchReader`."""
    return pyarrow().RecordBatchReader.from_batches(schemas()[OBSERVATIONS], batches(observations))
