"""Ladders for a terminal, drawn or as a list. Captured text is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.render.safe import safe
from amtdecode.render.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.dialogue import Ladder, Rung

COLUMN = 9  # columns from one line of life to the next
NUMBERS = 19  # columns of packet and seconds
NARROW = 80  # columns below which the list is written
MARK = "31;1"


def ladder_lines(ladder: Ladder, *, width: int = 110, color: bool = False) -> Iterator[str]:
    """The lines of a ladder: packet, seconds since the first message, the parties with their arrows, what is said."""
    parties = ladder.parties
    at = {party: number for number, party in enumerate(parties)}
    room = NUMBERS + COLUMN * len(parties)
    yield from wrapped(title(ladder), width, "", "  ")
    yield ""
    yield f"{'packet':>7} {'seconds':>10} " + "".join(f"{party:<{COLUMN}}" for party in parties)
    silent = "".join(f"{'│':<{COLUMN}}" for _ in parties)
    start = next((rung.time_ns for rung in ladder.rungs if rung.time_ns is not None), None)
    for number, rung in enumerate(ladder.rungs):
        if ladder.left_out and number == ladder.left_out_at:
            yield f"{'':{NUMBERS}}{silent}… {counted(ladder.left_out, 'message')} left out"
        if rung.gap:
            yield f"{'':{NUMBERS}}{silent.replace('│', '┊')}… {_seconds(rung.gap)} later"
        arrow = _arrow(at[rung.sender], at[rung.receiver], len(parties))
        text = _cut(safe(rung.text), width - room)
        yield f"{rung.packet or '-':>7} {since(rung, start):>10} {arrow}{text}"
        if rung.failure:
            yield from _failure(rung.failure, silent, width, color)
    if not ladder.rungs:
        yield f"{'':{NUMBERS}}{silent}(no message of it is in the captures)"
    if ladder.failure:
        yield from _failure(ladder.failure, silent, width, color)


def _failure(text: str, silent: str, width: int, color: bool) -> Iterator[str]:
    for line in wrapped(f"✗ FAILED HERE: {safe(text)}", width, f"{'':{NUMBERS}}{silent}"):
        yield f"\x1b[{MARK}m{line}\x1b[0m" if color else line


def list_lines(ladder: Ladder, *, width: int = 110, color: bool = False) -> Iterator[str]:
    """The same as a list, a message an entry, which a narrow terminal and a screen reader can follow."""
    yield from wrapped(title(ladder), width, "", "  ")
    start = next((rung.time_ns for rung in ladder.rungs if rung.time_ns is not None), None)
    for number, rung in enumerate(ladder.rungs):
        if ladder.left_out and number == ladder.left_out_at:
            yield f"  {counted(ladder.left_out, 'message')} left out"
        if rung.gap:
            yield f"  {_seconds(rung.gap)} later:"
        place = f"packet {rung.packet}, " if rung.packet else ""
        line = f"{number + 1}. {place}at {since(rung, start)} s, {rung.sender} to {rung.receiver}: {safe(rung.text)}"
        yield from wrapped(line, width, "  ", "     ")
        if rung.failure:
            yield from _list_failure(rung.failure, width, color)
    if not ladder.rungs:
        yield "  no message of it is in the captures"
    if ladder.failure:
        yield from _list_failure(ladder.failure, width, color)


def _list_failure(text: str, width: int, color: bool) -> Iterator[str]:
    for line in wrapped(f"FAILED HERE: {safe(text)}", width, "  ", "     "):
        yield f"\x1b[{MARK}m{line}\x1b[0m" if color else line


def title(ladder: Ladder) -> str:
    """Which machine, and how far it got; escaped."""
    name = f"{ladder.machine} ({ladder.called})" if ladder.called else ladder.machine
    return safe(f"{name}: {ladder.how_far}" if ladder.how_far else name)


def since(rung: Rung, start: int | None) -> str:
    """Seconds since the first message, with three decimals; "-" where its time is unknown."""
    return "-" if rung.time_ns is None or start is None else f"{(rung.time_ns - start) / 1e9:.3f}"


def _arrow(sender: int, receiver: int, parties: int) -> str:
    left, right = min(sender, receiver), max(sender, receiver)
    cells = []
    for number in range(parties):
        inside = left < number < right
        if number == left:
            mark, line = ("├" if sender == left else "◄"), "─"
        elif number == right:
            mark, line = ("►" if receiver == right else "┤"), " "
        else:
            mark, line = ("┼", "─") if inside else ("│", " ")
        cells.append(mark + line * (COLUMN - 1))
    return "".join(cells)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"
