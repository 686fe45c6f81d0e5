"""The screen: its views, its keys, and what is done about what the reader says."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rich.text import Text
from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Footer, Input, Static

from amtdecode.counting import counted
from amtdecode.render.safe import safe
from amtdecode.tui.filter_line import FilterLine
from amtdecode.tui.looking import Looking
from amtdecode.tui.machines_view import MachinesView
from amtdecode.tui.packets_view import PacketsView
from amtdecode.tui.reading import Ended, Failed, Judged, Passing, Watch
from amtdecode.tui.text_view import TextView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from amtdecode.diagnosis.report import Report
    from amtdecode.fields import Field
    from amtdecode.tui.lines import Lines
    from amtdecode.tui.reading import Job
    from amtdecode.tui.starting import Beside

TICK = 0.05  # seconds between looks at what has come
WIDE = 140  # columns from which on fields and bytes stand side by side
MAX_HISTORY = 100  # places to go back to


class Place(NamedTuple):
    """Where somebody was, to come back to."""

    view: str
    row: int | None
    fleet: int
    machine: int


class Tui(App[None]):
    """The text interface over captures that are read beside it."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", key_display="?"),
        Binding("p", "packets", "Packets"),
        Binding("m", "machines", "Machines"),
        Binding("n", "notes", "Notes"),
        Binding("f", "follow", "Follow"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("backslash", "unfilter", "No filter", show=False),
        Binding("g", "ask", "Go to", show=False),
        Binding("b,backspace,escape", "return", "Back", key_display="b"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, job: Job, reader: Beside, name: str, *, show_secrets: bool = False) -> None:
        super().__init__()
        self._job, self._reader, self._store = job, reader, reader.store
        self._captures = name
        self._dirty = self._loaded = False
        self._begun = Event()
        """The first screen is there."""
        self._report: Report | None = None
        self._judged = self._complete = False
        self._faults: list[str] = []
        self._history: list[Place] = []
        self._declared: dict[str, Field] = {}
        self._looking = Looking(self._store, job.keys, job.rooms, self._changed, self._load)
        self._heading = Static(id="title")
        self._ask = Input(id="ask", placeholder="number of the packet", compact=True, type="integer")
        line = FilterLine(job.rooms)
        self.packets = PacketsView(self._store, self._looking, line, self._declared, show_secrets=show_secrets)
        self.machines = MachinesView()
        self.texts = TextView(self._store, job)

    def compose(self) -> ComposeResult:
        """The title, one of three views, the keys."""
        yield self._heading
        with ContentSwitcher(initial="packets-view"):
            yield self.packets
            yield self.machines
            yield self.texts
        yield self._ask
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to look at what comes."""
        self.packets.list.focus()
        self._take()
        self.set_interval(TICK, self._take)

    def on_resize(self, event: Resize) -> None:
        """As much side by side as there is room for."""
        self.screen.set_class(event.size.width >= WIDE, "-wide")
        self.call_after_refresh(self.packets.show_columns)

    def on_unmount(self) -> None:
        """End what runs beside."""
        self._begun.set()
        self._looking.close()
        self._reader.close()

    # what becomes known

    @property
    def is_settled(self) -> bool:
        """Whether all is read and judged, and what is in view is decoded and drawn."""
        known = all(self._looking.of(row) is not None for row in self.packets.list.wanted())
        return self._judged and self._complete and bool(self._declared) and known and not self._dirty

    def _load(self) -> None:
        """In the thread that decodes: what takes long to load, and is not needed for the first screen."""
        self._begun.wait()
        import amtdecode.diagnosis.report
        import amtdecode.engine
        import amtdecode.filter.compile  # noqa: F401 - for the filter line
        from amtdecode.protocols.catalogue import catalogue

        self._declared.update({field.name: field for field in catalogue(self._job.rooms)})
        self._loaded = self._dirty = True

    def _changed(self) -> None:
        self._dirty = True

    def _take(self) -> None:
        packets = self.packets.list
        before, at_end = self._store.count, packets.cursor >= packets.line_count() - 1
        acted = False
        for message in self._reader.messages():
            self._act(message)
            acted = True
        grown = self._store.count != before
        if grown or self._dirty:
            self._dirty = False
            self.packets.grow(to_end=grown and at_end and before > 0 and self._job.packets is not None)
        if grown or acted:
            self._show_heading()
        self.packets.show_packet(anew=self._loaded)
        self._loaded = False
        if self._store.count or self._complete:
            self.call_after_refresh(self._begun.set)

    def _act(self, message: Any) -> None:
        if isinstance(message, Judged):
            import msgspec

            from amtdecode.diagnosis.report import Report

            self._report, self._judged = msgspec.msgpack.decode(message.report, type=Report), message.last
            self.machines.show(self._report, last=message.last)
        elif isinstance(message, Passing):
            self.packets.take(message)
        elif isinstance(message, (Ended, Failed)):
            self._complete = self._complete or isinstance(message, Ended)
            if message.fault:
                self._faults.append(message.fault)
                self._say(message.fault, severity="error")

    def _say(self, text: str, **how: Any) -> None:
        self.notify(safe(text), markup=False, **how)

    def _show_heading(self) -> None:
        parts = [f"amtdecode  {safe(self._captures)}", counted(self._store.count, "packet")]
        if not self._complete:
            parts[-1] += ", reading" if self._job.packets is None else ", live"
        parts.append(self.packets.state)
        if self._report is not None:
            so_far = "" if self._judged else " so far"
            parts.append(f"{counted(len(self._report.devices), 'machine')}{so_far}")
        self._heading.update(Text(" · ".join(filter(None, parts)), no_wrap=True, overflow="ellipsis"))

    # going somewhere

    @property
    def _view(self) -> str:
        return str(self.query_one(ContentSwitcher).current)

    def _here(self) -> Place:
        return Place(self._view, self.packets.list.current(), self.machines.fleet.cursor, self.machines.machine.cursor)

    def _remember(self) -> None:
        self._history.append(self._here())
        del self._history[:-MAX_HISTORY]

    def _go(self, view: str, focus: Lines) -> None:
        if view != self._view:
            self._remember()
            self.query_one(ContentSwitcher).current = view
        focus.focus()

    @on(MachinesView.Jump)
    def _jump(self, event: MachinesView.Jump) -> None:
        row = self._store.row_of(event.target.input, event.target.number)
        if row is None:
            self._say(f"packet {event.target.number} is not listed yet")
            return
        self.action_packets()
        self._go_to(row)

    def _go_to(self, row: int) -> None:
        if not self.packets.go_to(row):
            self._say("the filter hid this packet, and is lifted")

    def action_packets(self) -> None:
        """The packets."""
        self._go("packets-view", self.packets.list)

    def action_machines(self) -> None:
        """The machines."""
        self._go("machines-view", self.machines.fleet)

    def action_return(self) -> None:
        """To where one was before."""
        if not self._history:
            return
        place = self._history.pop()
        self.query_one(ContentSwitcher).current = place.view
        if place.row is not None and place.row != self.packets.list.current():
            self._go_to(place.row)
        self.machines.fleet.cursor, self.machines.machine.cursor = place.fleet, place.machine
        panes = {"packets-view": self.packets.list, "machines-view": self.machines.machine}
        panes.get(place.view, self.texts.text).focus()

    def action_filter(self) -> None:
        """Type a filter."""
        self.action_packets()
        self.packets.filter_line.focus()

    def action_unfilter(self) -> None:
        """Show all packets."""
        self.packets.unfilter()

    @on(PacketsView.Filtering)
    def _filter(self, event: PacketsView.Filtering) -> None:
        self._reader.ask(Watch(event.number, event.text))
        self._show_heading()

    def action_ask(self) -> None:
        """Go to a packet by its number."""
        self._ask.display = True
        self._ask.focus()

    @on(Input.Submitted, "#ask")
    def _asked(self, event: Input.Submitted) -> None:
        number = int(event.value) if event.value.isdecimal() else 0
        self._ask.value, self._ask.display = "", False
        self.action_packets()
        several = len(self._job.names) > 1  # then the first packet of this number
        names = self._job.names if several else self._job.names[:1]
        row = next((found for name in names if (found := self._store.row_of(name, number)) is not None), None)
        if row is None:
            self._say(f"there is no packet {number}")
            return
        self._remember()
        self._go_to(row)

    def action_help(self) -> None:
        """The keys."""
        self._go("text-view", self.texts.text)
        self.texts.show_help()

    def action_notes(self) -> None:
        """What cannot be judged."""
        self._go("text-view", self.texts.text)
        self.texts.show_notes(self._report, self._faults, last=self._judged)

    def action_follow(self) -> None:
        """The bytes of the flow of the packet under the cursor."""
        row = self.packets.list.current()
        if row is not None:
            self._go("text-view", self.texts.text)
            self.texts.show_flow(row)


def run(job: Job, reader: Beside, name: str, *, show_secrets: bool) -> None:
    """Show the screen until somebody ends it."""
    Tui(job, reader, name, show_secrets=show_secrets).run()
