"""The view of machines: how far each got and why it stopped, and all that is said of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from amtdecode.tui.lines import Lines
from amtdecode.tui.machines import detail_lines, head, machine_line
from amtdecode.tui.panes import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Resize

    from amtdecode.diagnosis.report import DeviceReport, Finding, Report
    from amtdecode.tui.lines import Part
    from amtdecode.tui.machines import Line, Target


class Fleet(Lines):
    """One line for each machine, and one for what is said of no single one."""

    def __init__(self) -> None:
        super().__init__("fleet")
        self._devices: list[DeviceReport | None] = []
        self._findings: dict[int | None, list[Finding]] = {}
        self.empty = "no machine was seen so far"

    def show(self, report: Report) -> None:
        """Another report. The cursor stays with its machine."""
        before = self.current()
        self._findings = {}
        for finding in report.findings:
            self._findings.setdefault(finding.device_id, []).append(finding)
        self._devices = [*report.devices, *([None] if None in self._findings else [])]
        self.changed()
        if before is not None:
            ids = [None if device is None else device.id for device in self._devices]
            if before.id in ids:
                self.go_to(ids.index(before.id))

    def current(self) -> DeviceReport | None:
        """The machine under the cursor; `None` for what is said of no single one."""
        return self._devices[self.cursor] if self.cursor < len(self._devices) else None

    @property
    def has_lines(self) -> bool:
        """Whether there is something to look at."""
        return bool(self._devices)

    def line_count(self) -> int:
        """Of machines; one line says that there are none."""
        return len(self._devices) or 1

    def line(self, number: int) -> Sequence[Part]:
        """A machine with its stage and cause."""
        if not self._devices:
            return [self.empty]
        device = self._devices[number]
        found = self._findings.get(None if device is None else device.id, [])
        line = machine_line(device, found, self.size.width)
        return [(line.text, line.style)]


class MachinesView(Vertical):
    """Shows a report, and says which packet somebody wants to see."""

    class Jump(Message):
        """Show the packet that proves a finding."""

        def __init__(self, target: Target) -> None:
            self.target = target
            super().__init__()

    def __init__(self) -> None:
        super().__init__(id="machines-view")
        self._report: Report | None = None
        self._columns = Static(classes="head")
        self.fleet = Fleet()
        self.machine = Texts("machine")
        self._details: list[Line] = []

    def compose(self) -> ComposeResult:
        """From the top."""
        yield self._columns
        yield self.fleet
        yield self.machine

    def show(self, report: Report, *, last: bool) -> None:
        """Another report."""
        self._report = report
        if last:
            self.fleet.empty = "no machine was seen"
        self.fleet.show(report)
        self._show_machine()

    def on_resize(self, event: Resize) -> None:
        """As wide as there is room."""
        self._columns.update(Text(head(event.size.width), no_wrap=True))
        self._show_machine()

    @on(Lines.Moved, "#fleet")
    def _show_machine(self) -> None:
        self._details = []
        if self._report is not None and self.fleet.has_lines:
            width = self.size.width - 2  # of the scroll bar
            self._details = list(detail_lines(self._report, self.fleet.current(), width))
        self.machine.show([(line.text, line.style) for line in self._details], stay=True)

    @on(Lines.Chosen, "#fleet")
    def _chosen(self) -> None:
        self.machine.focus()

    @on(Lines.Chosen, "#machine")
    def _proof_chosen(self) -> None:
        if self.machine.cursor < len(self._details):
            target = self._details[self.machine.cursor].target
            if target is not None:
                self.post_message(self.Jump(target))
