"""The view of texts: keys, notes, and the bytes of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from amtdecode.render.following import LAYERS
from amtdecode.tui.follow import follow
from amtdecode.tui.help import HELP
from amtdecode.tui.machines import note_lines
from amtdecode.tui.panes import Texts

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from amtdecode.diagnosis.report import Report
    from amtdecode.tui.follow import Followed
    from amtdecode.tui.reading import Job
    from amtdecode.tui.store import Store

SIDES = ("red", "blue", "bold")  # the client and the server, as in Wireshark; neither


class TextView(Vertical):
    """Shows one text at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "layer", "Layer", show=False),
        Binding("x", "form", "Text or hex", show=False),
    ]

    def __init__(self, store: Store, job: Job) -> None:
        super().__init__(id="text-view")
        self._store, self._job = store, job
        self._title = Static(classes="head")
        self.text = Texts("text", has_cursor=False)
        self._row: int | None = None
        """The packet whose flow is followed; `None` while another text is shown."""
        self._layer, self._form = LAYERS[0], "text"

    def compose(self) -> ComposeResult:
        """From the top."""
        yield self._title
        yield self.text

    def _show(self, title: str, texts: list[tuple[str, str]]) -> None:
        self._title.update(Text(title, no_wrap=True, overflow="ellipsis"))
        self.text.show(texts)

    def show_help(self) -> None:
        """The keys."""
        self._row = None
        self._show("Keys", [(line, "") for line in HELP.splitlines()])

    def show_notes(self, report: Report | None, faults: list[str], *, last: bool) -> None:
        """How good the captures are, and what cannot be judged."""
        self._row = None
        lines = note_lines(report, faults, self.app.size.width - 2)
        title = "Notes" if last else "Notes so far: reading goes on"
        self._show(title, [(line.text, line.style) for line in lines])

    def show_flow(self, row: int) -> None:
        """The bytes of the flow of a packet."""
        self._row = row
        self._layer = "tls" if self._job.keys is not None else LAYERS[0]
        self._follow()

    def action_layer(self) -> None:
        """The next layer."""
        self._layer = LAYERS[(LAYERS.index(self._layer) + 1) % len(LAYERS)]
        self._follow()

    def action_form(self) -> None:
        """Text or hex."""
        self._form = "hex" if self._form == "text" else "text"
        self._follow()

    def _follow(self) -> None:
        row, layer, form = self._row, self._layer, self._form
        if row is None:
            return
        self._show(f"Follow {layer}, {form}: reading…", [])

        def read() -> None:
            from textual.worker import get_current_worker

            worker, job = get_current_worker(), self._job
            done = follow(self._store, row, layer, form, job.keys, job.rooms, lambda: not worker.is_cancelled)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._show_flow, (row, layer, form), done)

        self.run_worker(read, thread=True, exclusive=True)

    def _show_flow(self, asked: tuple[int, str, str], done: Followed) -> None:
        if asked == (self._row, self._layer, self._form):
            title = f"Follow {self._layer}, {self._form} (l, x change): {done.title}; bytes as captured, not masked"
            texts = [(line.text, SIDES[line.side]) for line in done.lines]
            self._show(title, texts or [(done.fault, "")])
