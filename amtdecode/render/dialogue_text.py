"""Two dialogues side by side for a terminal, from the first step at which they part."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from amtdecode.counting import counted
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.dialogue import Comparison, Dialogue, Row, Step
    from amtdecode.dialogue.comparing import FieldDifference

MIN_WIDTH = 80
FIRST_ROWS = 40  # rows that differ, printed without -V
MAX_VALUE = 300  # characters of a value that a difference shows
SIGNS = {"same": " ", "changed": "~", "only good": "<", "only bad": ">"}
COLORS = {"changed": "33", "only good": "32", "only bad": "31"}
LEGEND = "~ both, but not alike   < only the good one   > only the bad one"


def comparison_lines(
    comparison: Comparison, *, width: int = 110, verbose: bool = False, color: bool = False
) -> Iterator[str]:
    """The lines. Captured text is escaped. `width`: columns; `verbose`: every row, also what is the same in both."""
    yield from _side("good", comparison.good)
    yield from _side("bad ", comparison.bad)
    yield ""
    rows, start = comparison.rows, comparison.parts_at
    if start is None:
        yield f"The two dialogues are alike: {counted(len(rows), 'step')}, and no field that matters differs."
        yield from _waits(rows)
        return
    if start == 0:
        yield "They part at the first step."
    else:
        last = rows[start - 1]
        yield f"{counted(start, 'step')} alike, up to {_summary(last)}."
        yield "Here they part:"
    yield ""
    yield f"  {LEGEND}"
    yield ""
    width = max(width, MIN_WIDTH)
    if verbose:
        for row in rows:
            yield from _row(row, width, color)
        return
    yield from _differing(rows[start:], width, color)


def _differing(rows: list[Row], width: int, color: bool) -> Iterator[str]:
    shown = 0
    for same, group in groupby(rows, lambda row: row.how == "same" and not row.slower):
        members = [*group]
        if same:
            yield f"    … {counted(len(members), 'step')} alike"
            continue
        for row in members:
            if shown == FIRST_ROWS:
                yield ""
                yield "More follows; -V shows all of it."
                return
            yield from _row(row, width, color)
            shown += 1


def _side(name: str, side: Dialogue) -> Iterator[str]:
    parts = [side.machine]
    parts += [address for address in side.addresses[-1:] if address != side.machine]
    if side.method not in ("", "unknown"):
        parts.append(side.method)
    if side.outcome:
        parts.append({"committed": "set up"}.get(side.outcome, side.outcome))
    if side.attempt is not None and side.attempts > 1:
        parts.append(f"attempt {side.attempt} of {side.attempts}")
    parts.append(counted(len(side.steps), "step"))
    yield f"{name}  {safe(', '.join(side.inputs))}: {safe(', '.join(parts))}"
    if side.left_out:
        yield f"      {counted(side.left_out, 'step')} behind these are not compared"


def _row(row: Row, width: int, color: bool) -> Iterator[str]:
    half = (width - 7) // 2
    left, right = _cell(row.good, half), _cell(row.bad, half)
    line = f"{SIGNS[row.how]} {left:<{half}} | {right}".rstrip()
    code = COLORS.get(row.how)
    yield f"\x1b[{code}m{line}\x1b[0m" if color and code else line
    for field in row.fields:
        yield from _field(field, width)
    if row.slower and row.good is not None and row.bad is not None:
        yield f"      waits before this step: {row.good.after:.3f} s | {row.bad.after:.3f} s"


def _cell(step: Step | None, size: int) -> str:
    if step is None:
        return ""
    way = "→" if step.sender == "machine" else "←"
    text = f"{step.packet:>6} {way} {safe(step.summary)}"
    return text if len(text) <= size else text[: size - 1] + "…"


def _summary(row: Row) -> str:
    step = row.good or row.bad
    numbers = " | ".join(str(each.packet) for each in (row.good, row.bad) if each is not None)
    return f"{safe(step.summary)} (packet {numbers})" if step is not None else ""


def _field(field: FieldDifference, width: int) -> Iterator[str]:
    good, bad = _value(field.good), _value(field.bad)
    line = f"      {field.name}: {good} | {bad}"
    if len(line) <= width:
        yield line
        return
    yield f"      {field.name}:"
    yield f"        < {good}"
    yield f"        > {bad}"


def _value(value: Any) -> str:
    if value is None:
        return "not there"
    if isinstance(value, list):
        text = ", ".join(safe(str(each)) for each in value) or "nothing more"
    else:
        text = safe(value.hex() if isinstance(value, bytes) else str(value))
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def _waits(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row.slower and row.good is not None and row.bad is not None:
            summary = safe(row.good.summary)
            yield f"  {summary}: waits {row.good.after:.3f} s before it, {row.bad.after:.3f} s in the bad one"
