"""The display filter as it is typed: completion, and what is wrong with it, with the caret below the place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, Static

from amtdecode.errors import FilterError
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from amtdecode.protocols.dissector import Protocol

LABEL = "Filter: "
MAX_OFFERED = 6  # words shown of those that may come next


class FilterLine(Input):
    """Takes a filter. Tab completes, Enter applies, Escape goes back to the packets."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", show=False, priority=True),
        Binding("escape", "leave", "back", show=False),
    ]

    class Applied(Message):
        """A filter that makes sense, or none."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Left(Message):
        """Somebody wants back to the packets."""

    def __init__(self, rooms: tuple[Protocol, ...]) -> None:
        super().__init__(id="filter", compact=True, placeholder="as in Wireshark; / to type, Tab completes")
        self._rooms = rooms
        self.said = Static(id="said")
        """What stands below it."""

    def on_input_changed(self) -> None:
        """Say what is wrong, or what may come next."""
        self.check()

    def on_input_submitted(self) -> None:
        """Use it, if it makes sense."""
        if self.check():
            self.post_message(self.Applied(self.value.strip()))

    def check(self) -> bool:
        """Whether the filter makes sense; if not, why is said below it."""
        from amtdecode.filter import compile_filter

        try:
            compile_filter(self.value, self._rooms)
        except FilterError as error:
            self._say(error_text(error), is_wrong=True)
            return False
        self._say(self._offered())
        return True

    def _offered(self) -> Text:
        words = _complete(self.value) if self.value else []
        begun = len(self.value) - len(_last(self.value))
        shown = [word[begun:] for word in words[:MAX_OFFERED] if word != self.value]
        more = f" … {len(words)} in all" if len(words) > MAX_OFFERED else ""
        return Text(safe(" ".join(shown) + more) if shown else "", style="dim", no_wrap=True, overflow="ellipsis")

    def _say(self, text: Text, *, is_wrong: bool = False) -> None:
        self.said.set_class(is_wrong, "-error")
        self.said.update(text)
        self.said.display = bool(text.plain)

    def action_complete(self) -> None:
        """As far as all that may come next is the same."""
        words = _complete(self.value)
        if words:
            begun = _common(words)
            self.value = begun if len(begun) > len(self.value) or len(words) == 1 else self.value
            self.cursor_position = len(self.value)
            if len(words) > 1:
                self._say(self._offered())

    def action_leave(self) -> None:
        """Back to the packets."""
        self.post_message(self.Left())


def _complete(text: str) -> list[str]:
    from amtdecode.filter.completing import complete

    return complete(text)


def _common(words: list[str]) -> str:
    first, last = min(words), max(words)
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:same]


def _last(text: str) -> str:
    return text.rsplit(" ", 1)[-1]


def error_text(error: FilterError) -> Text:
    """A caret below the place in the filter, and what is wrong there."""
    lines = []
    if error.column:
        lines.append(" " * (len(LABEL) + error.column - 1) + "^" + "~" * (error.length - 1))
    lines.append(f"{error.reason} {error.hint}".rstrip())
    return Text("\n".join(map(safe, lines)), style="red")
