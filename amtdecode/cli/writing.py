"""From the output options to one place that writes observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.cli.common import binary_output, use_color
from amtdecode.cli.console import encoded, terminal_width
from amtdecode.cli.main import complain
from amtdecode.cli.naming_fields import field_names, protocol_names
from amtdecode.counting import counted
from amtdecode.errors import UsageError
from amtdecode.protocols.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.cli.capture_names import CaptureNames
    from amtdecode.cli.recent_packets import RecentPackets
    from amtdecode.filter.selecting import Selected
    from amtdecode.frame.observed import PacketValues
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol

OUTPUT_OPTIONS = (
    *("form", "columns", "layout", "at_once", "tree", "only", "dump", "marked", "times", "resolve"),
    *("show_secrets", "color"),
)
FLAGS = frozenset("dmnNtsv")
"""What tshark's `-N` takes; `n` and `d` are for names that the capture itself holds."""


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
        only: str | None,
        dump: bool,
        marked: str | None,
        times: str | None,
        resolve: str | None,
        show_secrets: bool,
        color: str,
        inputs: bool = False,
        quiet: bool = False,
        rooms: tuple[Protocol, ...] = REGISTRY,
        stream: Any = None,
    ) -> None:
        if columns and form not in ("fields", "csv", "json", "ek"):
            raise UsageError("-e goes with -T fields, csv, json or ek")
        if layout and form not in ("fields", "csv") and not (columns and form in ("json", "ek")):
            raise UsageError("-E goes with -T fields or -T csv")
        for given, option in ((dump, "-x"), (only, "-O"), (marked, "--field"), (resolve, "-N")):
            if given and form != "text":
                raise UsageError(f"{option} goes with -T text")
        if times and form not in ("text", "csv"):
            raise UsageError("-t goes with -T text or -T csv; -e frame.time_relative and its like are for the others")
        if resolve and not FLAGS.issuperset(resolve):
            raise UsageError(f"-N {resolve}: takes letters of dmnNstv; n gives names from the capture")
        self.columns = columns = field_names(columns, rooms)
        """The fields of `-e`, with globs opened; empty where there are none."""
        self.of_packets = bool(columns) and only_of_packets(columns)
        """Whether only packets have the fields of `-e`, so that a line may stand for a packet."""
        self.needed = columns if form in ("fields", "csv") else [*columns, "frame.time_epoch"]
        """Fields that are needed of a packet; documents have its time."""
        self._at_once = at_once
        self._stream: Any = binary_output() if stream is None else stream
        self.reads_messages = bool(tree or only or dump or marked or form == "pdml")
        """Whether the engine must keep the bytes of messages."""
        self._dump, self._marked = dump, field_names([marked], rooms, "--field")[0] if marked else None
        self._only = protocol_names(only, rooms)
        self._tree = tree or bool(only)
        if (dump or marked) and not quiet:
            complain(f"note: {'-x' if dump else '--field'} prints bytes as captured; secrets in them are not masked")
        self._resolve = bool(resolve and not FLAGS.isdisjoint(resolve) and {"n", "d", "N"} & set(resolve))
        self._recent: RecentPackets | None = None
        if self._tree or dump or form == "pdml":
            from amtdecode.cli.recent_packets import RecentPackets

            self._recent = RecentPackets()
        self._write_packet: Callable[[Selected], None]
        """With `of_packets`."""
        self.finish: Callable[[], None] = lambda: None
        """Writes what stands behind all observations."""
        self._packets = _packet_values([*columns, *_time_fields(times)])
        self.write = self._writer(
            form, columns, layout, times, rooms, show_secrets=show_secrets, color=color, inputs=inputs
        )
        self.flush: Callable[[], None] = self._stream.flush

    def _writer(
        self,
        form: str,
        columns: Sequence[str],
        layout: Sequence[str],
        times: str | None,
        rooms: tuple[Protocol, ...],
        *,
        show_secrets: bool,
        color: str,
        inputs: bool,
    ) -> Callable[[Iterable[Observation]], None]:
        if columns and form in ("json", "ek"):
            return _each(self._documents(form, columns, layout, show_secrets=show_secrets))
        if form == "json":
            from amtdecode.render.json_lines import JsonLines

            return JsonLines(self._stream.write, show_secrets=show_secrets).all
        if form == "ek":
            from amtdecode.render.json_lines import ElasticLines

            return _each(ElasticLines(self._stream.write, show_secrets=show_secrets))
        if form in ("fields", "csv"):
            return _each(self._columns(form, columns, layout, times, show_secrets=show_secrets))
        if form == "pdml":
            return _each(self._pdml(rooms, show_secrets=show_secrets))
        return _each(self._lines(times, rooms, show_secrets=show_secrets, color=use_color(color), inputs=inputs))

    def _pdml(self, rooms: tuple[Protocol, ...], *, show_secrets: bool) -> Callable[[Observation], None]:
        from amtdecode import __version__
        from amtdecode.protocols.catalogue import catalogue
        from amtdecode.render.pdml import Pdml

        recent = self._recent
        assert recent is not None  # noqa: S101 - for the type checker
        fields = {field.name: field for field in catalogue(rooms)}
        document = Pdml(self._utf8, fields, f"amtdecode/{__version__}", show_secrets=show_secrets)
        self.finish = document.close
        return lambda observation: document(observation, recent.of(observation))

    def _lines(
        self, times: str | None, rooms: tuple[Protocol, ...], *, show_secrets: bool, color: bool, inputs: bool
    ) -> Callable[[Observation], None]:
        """The packet list, and what is asked for below each line."""
        from amtdecode.render.text import TextLines

        names: CaptureNames | None = None
        if self._resolve:
            from amtdecode.cli.capture_names import CaptureNames

            names = CaptureNames()
        stamp = _stamps(times, self._packets)
        lines = TextLines(
            self._text,
            inputs=inputs,
            color=color,
            time=stamp,
            names=names.of if names else None,
            width=terminal_width(),
        )
        if not (self.reads_messages or names):
            return lines
        tree, recent = None, self._recent
        if self._tree:
            from amtdecode.protocols.catalogue import catalogue
            from amtdecode.render.tree_text import TreeText

            fields = {field.name: field for field in catalogue(rooms)}
            tree = TreeText(self._text, fields, only=self._only, show_secrets=show_secrets, color=color)
        marked = ""
        if self._marked is not None:
            from amtdecode.cli.recent_packets import field_dump

            marked = self._marked

        def with_more(observation: Observation) -> None:
            if names is not None:
                names.learn(observation)
            shown = field_dump(observation, marked, color=color) if marked else ""
            if marked and not shown:
                return
            lines(observation)
            if tree is not None and recent is not None:
                tree(observation, recent.of(observation))
            if self._dump and recent is not None:
                self._text(recent.dump(observation, color=color))
            self._text(shown)

        return with_more

    def _documents(
        self, form: str, columns: Sequence[str], options: Sequence[str], *, show_secrets: bool
    ) -> Callable[[Observation], None]:
        from amtdecode.render.columns import Columns
        from amtdecode.render.field_documents import FieldDocuments
        from amtdecode.render.layout import layout

        read = Columns(
            lambda _text: None,
            columns,
            show_secrets=show_secrets,
            packets=self._packets,
            layout=layout(options),
        )
        documents = FieldDocuments(self._stream.write, read, columns, elastic=form == "ek")
        self._write_packet, self.finish = documents.packet, documents.close
        return documents

    def _columns(
        self, form: str, columns: Sequence[str], options: Sequence[str], times: str | None, *, show_secrets: bool
    ) -> Callable[[Observation], None]:
        from amtdecode.render.layout import CSV, layout

        if form == "csv" and not columns:
            from amtdecode.render.packet_csv import PacketCsv

            return PacketCsv(self._text, layout(options, CSV), _stamps(times, self._packets))
        if not columns:
            raise UsageError("-T fields needs at least one -e FIELD; `amtdecode fields` lists them")
        from amtdecode.render.columns import Columns

        laid_out = layout(options, CSV if form == "csv" else None)
        made = Columns(self._text, columns, show_secrets=show_secrets, packets=self._packets, layout=laid_out)
        self._write_packet = made.packet
        return made

    def _utf8(self, text: str) -> None:
        self._stream.write(text.encode())

    def _text(self, text: str) -> None:
        self._stream.write(encoded(text))

    def watch(self, packets: Iterator[RawPacket | Records]) -> Iterator[RawPacket | Records]:
        """The packets on their way in: with -V and -x, they are kept for a while; with -e, the fields named."""
        for watcher in (self._packets, self._recent):
            if watcher is not None:
                packets = watcher.watch(packets)
        return packets

    @property
    def reads_packets(self) -> bool:
        """Whether something of the packet itself is printed with an observation."""
        return self._packets is not None or self._recent is not None

    def write_packets(self, selected: Iterable[list[Selected]], *, at_once: bool) -> None:
        """Write packets that passed a filter, where `of_packets` holds."""
        write, at_once = self._write_packet, at_once or self._at_once
        for some in selected:
            for each in some:
                write(each)
            if at_once:
                self.flush()
        self.finish()
        self.flush()

    def write_all(self, batches: Iterable[list[Observation]], *, at_once: bool) -> None:
        """Write observations; `at_once` for inputs that are still growing."""
        write, flush = self.write, self.flush
        at_once = at_once or self._at_once
        for batch in batches:
            write(batch)
            if at_once:
                flush()
        self.finish()
        flush()
        say_forgotten(self.forgotten)

    @property
    def forgotten(self) -> int:
        """Observations whose packet lay too far back for its fields."""
        return self._packets.forgotten if self._packets is not None else 0


def say_forgotten(count: int) -> None:
    """Tell of observations whose packet lay too far back."""
    if count:
        complain(f"note: too far back for packet fields: {counted(count, 'observation')}")


def only_of_packets(names: Iterable[str]) -> bool:
    """Whether all of these are fields of packets."""
    from amtdecode.frame.catalogue import BY_NAME

    return all(name in BY_NAME for name in names)


def _packet_values(columns: Sequence[str]) -> PacketValues | None:
    """Reads the columns that only packets have; `None` where there are none of them."""
    if not columns:
        return None
    from amtdecode.frame.flow_fields import only_in_packets
    from amtdecode.frame.observed import PacketValues

    names = only_in_packets(columns)
    return PacketValues(names) if names else None


def _time_fields(times: str | None) -> list[str]:
    from amtdecode.render.stamps import OF_PACKETS

    return [OF_PACKETS[times]] if times in OF_PACKETS else []


def _stamps(times: str | None, packets: PacketValues | None) -> Callable[[Observation], str]:
    from amtdecode.render.stamps import stamps

    return stamps(times, packets)


def _each(write: Callable[[Observation], None]) -> Callable[[Iterable[Observation]], None]:
    def write_each(observations: Iterable[Observation]) -> None:
        for observation in observations:
            write(observation)

    return write_each
