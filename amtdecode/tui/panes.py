"""The panes: packet list, tree, bytes, machines and texts."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from amtdecode.tui.fields import Fields
from amtdecode.tui.lines import Lines
from amtdecode.tui.rows import packet_of, row_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Observation
    from amtdecode.tui.fields import Branch, Path
    from amtdecode.tui.lines import Part
    from amtdecode.tui.looking import Looking
    from amtdecode.tui.store import Store

STYLES = {
    "iamt.hello": "magenta", "tls": "cyan", "http": "green", "iamt.soap": "green", "dns": "blue", "dhcp": "blue",
    "dhcpv6": "blue", "arp": "yellow",
}  # fmt: skip
"""By protocol, as `read` colours them."""
HEX_ROW = 16


class PacketList(Lines):
    """The packets, or those that pass the filter."""

    def __init__(self, store: Store, looking: Looking) -> None:
        super().__init__("packets")
        self._store, self._looking = store, looking
        self.passing: array[int] | None = None
        """The rows that pass the filter; `None` without one."""

    def line_count(self) -> int:
        """Of packets that are known."""
        if self.passing is None:
            return self._store.count
        return bisect_left(self.passing, self._store.count)

    def row(self, number: int) -> int:
        """Which packet a line is."""
        return number if self.passing is None else self.passing[number]

    def current(self) -> int | None:
        """The packet under the cursor."""
        return self.row(self.cursor) if self.cursor < self.line_count() else None

    def line_of(self, row: int) -> int | None:
        """Which line a packet is; `None` where the filter hides it."""
        if self.passing is None:
            return row
        at = bisect_left(self.passing, row)
        return at if at < len(self.passing) and self.passing[at] == row else None

    def wanted(self) -> list[int]:
        """What is to be decoded, the packet under the cursor first."""
        current = self.current()
        rows = [self.row(number) for number in self.in_view()]
        return rows if current is None else [current, *(row for row in rows if row != current)]

    def line(self, number: int) -> Sequence[Part]:
        """Number, time, addresses, protocol, what is said."""
        row = self.row(number)
        shown = row_of(packet_of(self._store, row), self._looking.of(row) or (), self._link_type(row))
        widths = self._widths()
        cells = (shown.number, shown.time, shown.source, shown.target, shown.protocol)
        text = " ".join(
            [
                f"{shown.number:>{widths[0]}}",
                f"{shown.time:>{widths[1]}}",
                *(_fit(cell, width) for cell, width in zip(cells[2:], widths[2:], strict=True)),
                shown.info,
            ]
        )
        return [(text, "red" if shown.fault else STYLES.get(shown.protocol, ""))]

    def head(self) -> str:
        """What the columns are."""
        number, time, *others = self._widths()
        names = [_fit(name, width) for name, width in zip(("source", "target", "protocol"), others, strict=True)]
        return " ".join([f"{'no.':>{number}}", f"{'time':>{time}}", *names, "info"])

    def _widths(self) -> tuple[int, int, int, int, int]:
        number = max(4, len(str(self._store.count)))
        address = 15 if self.size.width < 120 else 25  # IPv4 always fits
        return number, 11, address, address, 10

    def _link_type(self, row: int) -> int:
        return self._store.interfaces[self._store.entry(row).interface].link_type


def _fit(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else f"{text[: width - 1]}…"


class Tree(Lines):
    """The layers and fields of the packet under the cursor."""

    def __init__(self, declared: Mapping[str, Field], *, show_secrets: bool) -> None:
        super().__init__("tree")
        self._declared, self._show = declared, show_secrets
        self._opened: set[Path] = set()
        self._fields: Fields | None = None
        self._lines: list[Branch] = []

    def show(self, store: Store, row: int | None, observations: Sequence[Observation]) -> None:
        """The tree of a packet, with what it completes as far as that is known."""
        before = self.branch.path if self.branch is not None else ()
        self._fields = None
        if row is not None:
            packet = packet_of(store, row)
            self._fields = Fields(packet, observations, self._declared, self._opened, show_secrets=self._show)
            self._fields.open_messages()
        self._again()
        paths = [branch.path for branch in self._lines]
        messages = [at for at, branch in enumerate(self._lines) if not branch.depth and branch.of_message]
        if messages and before[:1] in ((), ("frame",)):
            self.go_to(messages[-1])
            return
        # the same field as in the packet before, where it has that
        self.go_to(next((paths.index(path) for path in (before, before[:1]) if path in paths), 0))

    def _again(self) -> None:
        self._lines = list(self._fields.lines()) if self._fields is not None else []
        self.changed()
        self.post_message(self.Moved(self))

    def line_count(self) -> int:
        """Of what is open."""
        return len(self._lines)

    def line(self, number: int) -> Sequence[Part]:
        """Whether it can be opened, name, value, place, meaning."""
        branch = self._lines[number]
        mark = ("▾ " if self._fields and self._fields.is_open(branch.path) else "▸ ") if branch.has_more else "  "
        indent = f"{'  ' * branch.depth}{mark}"
        if not branch.value:
            return [(f"{indent}{branch.text}", "" if branch.depth else "bold")]
        return [indent, (branch.text, "cyan"), f": {branch.value}", (f"  {branch.meaning}", "dim")]

    @property
    def branch(self) -> Branch | None:
        """What the cursor stands on."""
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    @property
    def packet(self) -> bytes:
        """The bytes of the packet that is shown."""
        return self._fields.packet if self._fields is not None else b""

    def action_choose(self) -> None:
        """Open or close a branch."""
        branch = self.branch
        if branch is not None and branch.has_more:
            self._opened ^= {branch.path}
            self._again()

    def action_aside(self, by: int) -> None:
        """Open, or close; where there is nothing to open, move long lines."""
        branch = self.branch
        is_open = branch is not None and branch.path in self._opened
        if branch is not None and branch.has_more and is_open == (by < 0):
            self.action_choose()
        else:
            super().action_aside(by)


class Hex(Lines):
    """Bytes, those of the field under the cursor marked."""

    def __init__(self) -> None:
        super().__init__("bytes", has_cursor=False)
        self._data = b""
        self._span = (0, 0)

    def show(self, data: bytes, span: tuple[int, int] | None) -> None:
        """Show these bytes, from the marked ones on."""
        self._data, self._span = data, span or (0, 0)
        self.changed()
        first, top = self._span[0] // HEX_ROW, self.scroll_offset.y
        if not top <= first < top + max(1, self.size.height):
            self.scroll_to(y=first, animate=False, force=True)

    def line_count(self) -> int:
        """Sixteen bytes each."""
        return -(-len(self._data) // HEX_ROW)

    def line(self, number: int) -> Sequence[Part]:
        """Offset, bytes, characters."""
        at = number * HEX_ROW
        row = self._data[at : at + HEX_ROW]
        inside = [self._span[0] <= at + k < self._span[1] for k in range(len(row))]
        parts: list[Part] = [(f"{at:04x}  ", "dim")]
        for k, byte in enumerate(row):
            parts.append((f"{byte:02x}", "reverse") if inside[k] else f"{byte:02x}")
            joined = inside[k] and k + 1 < len(row) and inside[k + 1]
            parts.append((" ", "reverse") if joined else " ")
        parts.append(" " * (3 * (HEX_ROW - len(row)) + 1))
        for k, byte in enumerate(row):
            character = chr(byte) if 0x20 <= byte < 0x7F else "."
            parts.append((character, "reverse") if inside[k] else character)
        return parts


class Texts(Lines):
    """Lines that somebody else has made."""

    def __init__(self, id: str, *, has_cursor: bool = True) -> None:  # noqa: A002 - textual's name
        super().__init__(id, has_cursor=has_cursor)
        self._texts: Sequence[tuple[str, str]] = ()

    def show(self, texts: Sequence[tuple[str, str]], *, stay: bool = False) -> None:
        """Show these lines, text and style; from the first on, unless to `stay` where the cursor is."""
        self._texts = texts
        self.changed()
        if not stay:
            self.action_first()

    def line_count(self) -> int:
        """Of all."""
        return len(self._texts)

    def line(self, number: int) -> Sequence[Part]:
        """One of them."""
        return [self._texts[number]]
