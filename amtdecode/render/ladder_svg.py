"""Ladders as SVG 1.1, one below the other: no script, no style from elsewhere, light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.render.ladder_text import since, title
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.dialogue import Ladder, Rung

LEFT, COLUMN, ROW = 150, 190, 34  # pixels: room for numbers, between two lines of life, of a message
HEAD = 76  # pixels above the first message
MAX_LABEL = 110  # characters of a label
NOT_XML = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}  # XML 1.0 section 2.2; `safe` escapes the others
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b1b1b}.b{fill:#fff}.l{stroke:#767676}.a{stroke:#0b4f9e;fill:none}"
    ".h{fill:#0b4f9e}.n{fill:#595959;font-size:12px}.f{fill:#a30000;font-weight:700}.x{stroke:#a30000;stroke-width:3}"
    ".t{font-weight:700}@media(prefers-color-scheme:dark){text{fill:#ececec}.b{fill:#161616}.l{stroke:#8c8c8c}"
    ".a{stroke:#8ab4f8}.h{fill:#8ab4f8}.n{fill:#b8b8b8}.f{fill:#ff9b9b}.x{stroke:#ff9b9b}}"
)


def svg(ladders: Sequence[Ladder]) -> str:
    """A document with these ladders. Captured text is escaped."""
    parts, top, wide = [], 0, 0
    for ladder in ladders:
        drawn = [*_ladder(ladder, top)]
        height = HEAD + ROW * (_rows(ladder) + 1)
        parts.append(f'<g role="group" aria-label="{_text(title(ladder))}">{"".join(drawn)}</g>')
        top += height
        wide = max(wide, LEFT + COLUMN * max(len(ladder.parties), 3) + 240)
    name = title(ladders[0]) if len(ladders) == 1 else counted(len(ladders), "ladder")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {top}" width="{wide}" height="{top}" role="img"'
        f' aria-labelledby="name"><title id="name">{_text(name)}</title><style>{STYLE}</style>'
        f'<rect class="b" width="{wide}" height="{top}"/>{"".join(parts)}</svg>'
    )


def _rows(ladder: Ladder) -> int:
    marks = sum(bool(rung.gap) + bool(rung.failure) for rung in ladder.rungs)
    return len(ladder.rungs) + marks + bool(ladder.left_out) + bool(ladder.failure)


def _ladder(ladder: Ladder, top: int) -> Iterator[str]:
    at = {party: LEFT + 40 + COLUMN * number for number, party in enumerate(ladder.parties)}
    bottom = top + HEAD + ROW * _rows(ladder)
    yield f'<text class="t" x="12" y="{top + 24}">{_text(_cut(title(ladder)))}</text>'
    for party, x in at.items():
        yield f'<text class="t" x="{x}" y="{top + 54}" text-anchor="middle">{party}</text>'
        yield f'<line class="l" x1="{x}" y1="{top + 62}" x2="{x}" y2="{bottom}"/>'
    y, start = top + HEAD, next((rung.time_ns for rung in ladder.rungs if rung.time_ns is not None), None)
    middle = LEFT + 52
    for number, rung in enumerate(ladder.rungs):
        if ladder.left_out and number == ladder.left_out_at:
            yield _note(middle, y, f"{counted(ladder.left_out, 'message')} left out")
            y += ROW
        if rung.gap:
            yield _note(middle, y, f"⋮ {rung.gap:.1f} s later")
            y += ROW
        yield from _rung(rung, at, y, since(rung, start))
        y += ROW
        if rung.failure:
            yield _failure(middle, y, rung.failure)
            y += ROW
    if ladder.failure:
        yield _failure(middle, y, ladder.failure)


def _rung(rung: Rung, at: dict[str, int], y: int, seconds: str) -> Iterator[str]:
    one, two = at[rung.sender], at[rung.receiver]
    tip = -8 if two > one else 8
    number = f"{rung.packet or '-'}  ·  {seconds} s"
    yield f'<text class="n" x="12" y="{y + 18}">{number}</text>'
    yield f'<line class="a" x1="{one}" y1="{y + 20}" x2="{two}" y2="{y + 20}"/>'
    yield f'<path class="h" d="M{two} {y + 20}l{tip} -4v8z"/>'
    left = min(one, two) + 12
    yield f'<text x="{left}" y="{y + 14}">{_text(_cut(safe(rung.text)))}</text>'
    if rung.failure:
        middle = (one + two) // 2
        yield f'<path class="x" d="M{middle - 6} {y + 14}l12 12m0 -12l-12 12"/>'


def _note(x: int, y: int, words: str) -> str:
    return f'<text class="n" x="{x}" y="{y + 18}">{_text(words)}</text>'


def _failure(x: int, y: int, words: str) -> str:
    return f'<text class="f" x="{x}" y="{y + 18}">✗ FAILED HERE: {_text(_cut(safe(words)))}</text>'


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1]}…"


def _text(words: str) -> str:
    return escape(words).translate(NOT_XML)
