"""Chosen fields as documents: `-T json -e NAME` and `-T ek -e NAME`, as tshark prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.safe import encodable, safe_json
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.filter.selecting import Selected
    from amtdecode.model import Observation
    from amtdecode.render.columns import Columns

NO_DAY = "1970-01-01"


class FieldDocuments:
    """Writes a document for each observation that has one of the fields, or for each packet.

    `columns`: reads the fields. `names`: what they are called. `elastic`: pairs of lines for the bulk interface of
    Elasticsearch, with underlines for full stops; else one array, which `close` ends. All values are text, in arrays.
    """

    def __init__(
        self, write: Callable[[bytes], object], columns: Columns, names: Sequence[str], *, elastic: bool
    ) -> None:
        self._write = write
        self._columns = columns
        self._names = [name.replace(".", "_") for name in names] if elastic else list(names)
        self._elastic = elastic
        self._time = IsoTimes()
        self._first = True
        self._encode = msgspec.json.Encoder().encode

    def __call__(self, observation: Observation) -> None:
        """Write an observation."""
        members = self._columns.members(observation)
        if any(members):
            self._document(observation.time_ns, members)

    def packet(self, selected: Selected) -> None:
        """Write a packet, whatever it carries."""
        packet = selected.packet
        self._document(packet.time_ns if packet is not None else None, self._columns.members_of_packet(selected))

    def _document(self, time_ns: int | None, members: Sequence[Sequence[str]]) -> None:
        layers = {name: encodable(list(values)) for name, values in zip(self._names, members, strict=True) if values}
        time = self._time(time_ns, 6)
        index = f"packets-{time[:10] if time else NO_DAY}"
        if self._elastic:
            stamp = None if time_ns is None else str(time_ns // 1_000_000)
            self._write(self._encode({"index": {"_index": index, "_type": "doc"}}) + b"\n")
            self._write(safe_json(self._encode({"timestamp": stamp, "layers": layers})) + b"\n")
            return
        document: dict[str, Any] = {"_index": index, "_type": "doc", "_score": None, "_source": {"layers": layers}}
        lines = msgspec.json.format(safe_json(self._encode(document)), indent=2)
        self._write((b"[\n  " if self._first else b",\n  ") + lines.replace(b"\n", b"\n  "))
        self._first = False

    def close(self) -> None:
        """Nothing more comes."""
        if not self._elastic:
            self._write(b"[]\n" if self._first else b"\n]\n")
