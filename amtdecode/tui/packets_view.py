"""The view of packets: filter, list, fields, bytes."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from amtdecode.counting import counted
from amtdecode.tui.filter_line import LABEL, FilterLine
from amtdecode.tui.lines import Lines
from amtdecode.tui.panes import Hex, PacketList, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from amtdecode.fields import Field
    from amtdecode.model import Observation
    from amtdecode.tui.looking import Looking
    from amtdecode.tui.reading import Passing
    from amtdecode.tui.store import Store

NOTHING: tuple[Observation, ...] = ()


class PacketsView(Vertical):
    """Shows the packet under the cursor, and says when another filter is wanted."""

    class Filtering(Message):
        """The reader is to look for packets that pass."""

        def __init__(self, number: int, text: str) -> None:
            self.number, self.text = number, text
            super().__init__()

    def __init__(
        self, store: Store, looking: Looking, line: FilterLine, declared: Mapping[str, Field], *, show_secrets: bool
    ) -> None:
        super().__init__(id="packets-view")
        self._store, self._looking, self.filter_line = store, looking, line
        self._number, self._text, self._judged = 0, "", 0
        self._shown: tuple[int | None, tuple[Observation, ...] | None] = (None, None)
        self._columns = Static(classes="head")
        self.list = PacketList(store, looking)
        self.fields = Tree(declared, show_secrets=show_secrets)
        self.bytes = Hex()

    def compose(self) -> ComposeResult:
        """From the top."""
        with Horizontal(id="line"):
            yield Static(LABEL, id="label")
            yield self.filter_line
        yield self.filter_line.said
        yield self._columns
        yield self.list
        with Container(id="below"):
            yield self.fields
            yield self.bytes

    def on_mount(self) -> None:
        """Name the panes."""
        self.fields.border_title = "fields"
        self.bytes.border_title = "bytes"

    @property
    def state(self) -> str:
        """What the filter has found so far; "" without one."""
        passing = self.list.passing
        if passing is None:
            return ""
        return f"{len(passing)} pass" + ("" if self._judged < 0 else f" of the first {self._judged}")

    def grow(self, *, to_end: bool) -> None:
        """There are more packets, or more is known of them."""
        self.list.changed()
        if to_end:
            self.list.action_last()
        self.show_columns()

    def show_columns(self) -> None:
        """They may be wider now."""
        self._columns.update(Text(self.list.head(), no_wrap=True))

    def show_packet(self, *, anew: bool = False) -> None:
        """The fields of the packet under the cursor, when it is another one, or more is known of it."""
        row = self.list.current()
        known = self._looking.of(row) if row is not None else None
        if anew or (row, known) != self._shown:
            self._shown = row, known
            self.fields.show(self._store, row, known or NOTHING)
            self.fields.border_title = "fields" if known is not None or row is None else "fields (decoding…)"
        self._looking.want(self.list.wanted())

    @on(Lines.Moved, "#packets")
    def _moved(self) -> None:
        self.show_packet()

    @on(Lines.Chosen, "#packets")
    def _chosen(self) -> None:
        self.fields.focus()

    @on(Lines.Moved, "#tree")
    def _show_bytes(self) -> None:
        branch, packet = self.fields.branch, self.fields.packet
        data = branch.data if branch is not None else packet
        self.bytes.show(data, branch.span if branch is not None else None)
        size = counted(len(data), "byte")
        what = size if data is packet else f"the whole message, {size}"
        self.bytes.border_title = f"bytes as captured, not masked: {what}"

    def go_to(self, row: int) -> bool:
        """Put the cursor on a packet; false where the filter had to be lifted for that."""
        line = self.list.line_of(row)
        if line is None:
            self.apply("")
        self.list.go_to(row if line is None else line)
        return line is not None

    def unfilter(self) -> None:
        """All packets, the cursor where it is."""
        row = self.list.current()
        self.apply("")
        if row is not None:
            self.list.go_to(row)

    @on(FilterLine.Applied)
    def _applied(self, event: FilterLine.Applied) -> None:
        self.apply(event.text)
        self.list.focus()

    @on(FilterLine.Left)
    def _left(self) -> None:
        self.list.focus()

    def apply(self, text: str) -> None:
        """Show only packets that pass a filter, which makes sense; all where it is empty."""
        if self.filter_line.value.strip() != text:
            self.filter_line.value = text
        if text == self._text:
            return
        self._number += 1
        self._text, self._judged = text, 0
        self.list.passing = array("I") if text else None
        self.post_message(self.Filtering(self._number, text))
        self.list.changed()
        self.list.action_first()

    def take(self, passing: Passing) -> None:
        """Further packets that pass."""
        if passing.filter == self._number and self.list.passing is not None:
            self.list.passing.frombytes(passing.rows)
            self._judged = -1 if passing.ended else passing.done
            self.list.changed()
