"""What all panes are: lines drawn when they come into view, with a cursor, for the keyboard and the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click, Resize

Part: TypeAlias = "str | tuple[str, str]"
"""Text, or text with a style of rich: `bold`, `red`, `reverse`."""

SIDEWAYS = 8  # columns that a long line is moved at a time


class Lines(ScrollView, can_focus=True):
    """Lines that a subclass gives. Only those in view are asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown,space", "page(1)", "page down", show=False),
        Binding("home", "first", "first", show=False),
        Binding("end,G", "last", "last", show=False),
        Binding("left", "aside(-1)", "left", show=False),
        Binding("right", "aside(1)", "right", show=False),
        Binding("enter", "choose", "open", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, lines: Lines) -> None:
            self.lines = lines
            super().__init__()

        @property
        def control(self) -> Lines:
            """Where."""
            return self.lines

    class Chosen(Moved):
        """The line under the cursor is to be opened."""

    def __init__(self, id: str, *, has_cursor: bool = True) -> None:  # noqa: A002 - textual's name
        super().__init__(id=id)
        self._has_cursor = has_cursor
        self._aside = 0

    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line(self, number: int) -> Sequence[Part]:
        """The parts of one line, fit for a terminal."""
        raise NotImplementedError

    def changed(self) -> None:
        """Draw anew: there may be more lines, or other ones."""
        count = self.line_count()
        if self.virtual_size.height != count:
            self.virtual_size = Size(self.size.width, count)
        if self.cursor >= max(1, count):
            self.cursor = max(0, count - 1)
        self.refresh()

    def on_resize(self, _event: Resize) -> None:
        """As many columns as there are now."""
        self.virtual_size = Size(self.size.width, self.line_count())
        self._into_view()

    def render_line(self, y: int) -> Strip:
        """One line of the pane."""
        width, number = self.size.width, y + self.scroll_offset.y
        base = self.rich_style
        if number >= self.line_count():
            return Strip.blank(width, base)
        parts = [
            Segment(part, base) if isinstance(part, str) else Segment(part[0], base + Style.parse(part[1]))
            for part in self.line(number)
        ]
        strip = Strip(parts)
        if self._aside:
            strip = strip.crop(self._aside)
        if self._has_cursor and number == self.cursor:
            mark = Style(reverse=True) if self.has_focus else Style(bold=True, underline=True)
            return strip.adjust_cell_length(width, base).apply_style(mark)
        return strip.adjust_cell_length(width, base)

    def watch_cursor(self) -> None:
        """Keep it in view, and say that it moved."""
        self._into_view()
        self.refresh()
        self.post_message(self.Moved(self))

    def on_focus(self) -> None:
        """The cursor looks different."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor looks different."""
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Put the cursor there; twice opens the line."""
        number = event.y + self.scroll_offset.y
        if number < self.line_count():
            self.cursor = number
            if event.chain > 1:
                self.action_choose()

    def _into_view(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height)
        if not self._has_cursor:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def go_to(self, number: int) -> None:
        """Put the cursor on a line, in the middle of the pane where it was out of view."""
        number = max(0, min(number, self.line_count() - 1))
        top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height)
        if not top <= number < top + height:
            self.scroll_to(y=max(0, number - height // 2), animate=False, force=True)
        self.cursor = number

    def in_view(self) -> range:
        """The lines that can be seen."""
        top = self.scroll_offset.y
        return range(top, min(self.line_count(), top + max(1, self.size.height)))

    def action_move(self, by: int) -> None:
        """A line up or down."""
        if self._has_cursor:
            self.cursor = max(0, min(self.cursor + by, self.line_count() - 1))
        else:
            self.scroll_relative(y=by, animate=False, force=True)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        height = max(1, self.scrollable_content_region.height - 1)
        if self._has_cursor:
            self.action_move(by * height)
        else:
            self.scroll_relative(y=by * height, animate=False, force=True)

    def action_first(self) -> None:
        """To the first line."""
        self.cursor = 0
        self.scroll_to(y=0, animate=False, force=True)

    def action_last(self) -> None:
        """To the last line."""
        self.cursor = max(0, self.line_count() - 1)
        self.scroll_end(animate=False, force=True)

    def action_aside(self, by: int) -> None:
        """Move long lines."""
        self._aside = max(0, self._aside + by * SIDEWAYS)
        self.refresh()

    def action_choose(self) -> None:
        """Open the line under the cursor."""
        if self.line_count():
            self.post_message(self.Chosen(self))
