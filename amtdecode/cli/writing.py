"""From the output options to one place that writes observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.cli.common import RecentPackets, binary_output, use_color
from amtdecode.cli.console import encoded
from amtdecode.cli.main import complain
from amtdecode.cli.naming_fields import field_names
from amtdecode.counting import counted
from amtdecode.errors import UsageError
from amtdecode.protocols.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.frame.observed import PacketValues
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol

OUTPUT_OPTIONS = ("form", "columns", "layout", "at_once", "tree", "dump", "show_secrets", "color")


class Output:
    """Standard output in the form asked for. Raises `UsageError` when options contradict each other."""

    def __init__(
        self,
        *,
        form: str,
        columns: Sequence[str],
        layout: Sequence[str],
        at_once: bool,
        tree: bool,
        dump: bool,
        show_secrets: bool,
        color: str,
        inputs: bool = False,
        quiet: bool = False,
        rooms: tuple[Protocol, ...] = REGISTRY,
    ) -> None:
        if columns and form not in ("fields", "csv"):
            raise UsageError("-e goes with -T fields or -T csv")
        if layout and form not in ("fields", "csv"):
            raise UsageError("-E goes with -T fields or -T csv")
        if dump and form != "text":
            raise UsageError("-x goes with -T text")
        columns = field_names(columns, rooms)
        self._at_once = at_once
        self._stream: Any = binary_output()
        self._recent = RecentPackets() if dump else None
        if dump and not quiet:
            complain("note: -x prints bytes as captured; secrets in them are not masked")
        self._packets = _packet_values(columns)
        self._write = self._writer(
            form, columns, layout, tree=tree, show_secrets=show_secrets, color=color, inputs=inputs
        )
        self.flush: Callable[[], None] = self._stream.flush

    def _writer(
        self,
        form: str,
        columns: Sequence[str],
        layout: Sequence[str],
        *,
        tree: bool,
        show_secrets: bool,
        color: str,
        inputs: bool,
    ) -> Callable[[Iterable[Observation]], None]:
        if form == "json":
            from amtdecode.render.json_lines import JsonLines

            return JsonLines(self._stream.write, show_secrets=show_secrets).all
        if form == "ek":
            from amtdecode.render.json_lines import ElasticLines

            return _each(ElasticLines(self._stream.write, show_secrets=show_secrets))
        if form in ("fields", "csv"):
            return _each(self._columns(form, columns, layout, show_secrets=show_secrets))
        from amtdecode.render.text import TextLines

        lines = TextLines(self._text, tree=tree, show_secrets=show_secrets, color=use_color(color), inputs=inputs)
        recent = self._recent
        if recent is None:
            return _each(lines)

        def with_bytes(observation: Observation) -> None:
            lines(observation)
            self._text(recent.dump(observation))

        return _each(with_bytes)

    def _columns(
        self, form: str, columns: Sequence[str], options: Sequence[str], *, show_secrets: bool
    ) -> Callable[[Observation], None]:
        from amtdecode.render.layout import CSV, layout

        if form == "csv" and not columns:
            from amtdecode.render.packet_csv import PacketCsv

            return PacketCsv(self._text, layout(options, CSV))
        if not columns:
            raise UsageError("-T fields needs at least one -e FIELD; `amtdecode fields` lists them")
        from amtdecode.render.columns import Columns

        laid_out = layout(options, CSV if form == "csv" else None)
        return Columns(self._text, columns, show_secrets=show_secrets, packets=self._packets, layout=laid_out)

    def _text(self, text: str) -> None:
        self._stream.write(encoded(text))

    def watch(self, packets: Iterator[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        """The packets on their way in: with -x, their bytes are kept for a while; with -e, the fields named."""
        if self._packets is not None:
            return self._packets.watch(packets)
        return packets if self._recent is None else self._recent.watch(packets)

    def write_all(self, batches: Iterable[list[Observation]], *, at_once: bool) -> None:
        """Write observations; `at_once` for inputs that are still growing."""
        write, flush = self._write, self.flush
        at_once = at_once or self._at_once
        for batch in batches:
            write(batch)
            if at_once:
                flush()
        flush()
        if self._packets is not None and self._packets.forgotten:
            complain(f"note: too far back for packet fields: {counted(self._packets.forgotten, 'observation')}")


def _packet_values(columns: Sequence[str]) -> PacketValues | None:
    """Reads the columns that only packets have; `None` where there are none of them."""
    if not columns:
        return None
    from amtdecode.frame.flow_fields import only_in_packets
    from amtdecode.frame.observed import PacketValues

    names = only_in_packets(columns)
    return PacketValues(names) if names else None


def _each(write: Callable[[Observation], None]) -> Callable[[Iterable[Observation]], None]:
    def write_each(observations: Iterable[Observation]) -> None:
        for observation in observations:
            write(observation)

    return write_each
