"""Ladders as Mermaid text: https://mermaid.js.org/syntax/sequenceDiagram.html."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.dialogue import Ladder

NAMES = {"machine": "M", "DHCP": "H", "DNS": "N", "server": "S", "console": "C"}
SPECIAL = re.compile(r"[^\w .,:()/@=+-]|^(?=end\b)", re.ASCII)
"""What Mermaid might read as more than text: written as entity codes, `#59;` for a semicolon."""


def mermaid_lines(ladder: Ladder) -> Iterator[str]:
    """One diagram. Captured text is written so that Mermaid takes it for text alone."""
    yield "sequenceDiagram"
    for party in ladder.parties:
        name = f"machine {ladder.machine}" if party == "machine" else party
        yield f"    participant {NAMES[party]} as {text(name)}"
    parties = [NAMES[party] for party in ladder.parties]
    across = parties[0] if len(parties) == 1 else f"{parties[0]},{parties[-1]}"
    yield f"    Note over {across}: {text(ladder.how_far or 'a dialogue')}"
    for number, rung in enumerate(ladder.rungs):
        if ladder.left_out and number == ladder.left_out_at:
            yield f"    Note over {across}: {counted(ladder.left_out, 'message')} left out"
        if rung.gap:
            yield f"    Note over {across}: {rung.gap:.1f} s later"
        place = f"packet {rung.packet}: " if rung.packet else ""
        arrow = "--x" if rung.failure else "->>"
        yield f"    {NAMES[rung.sender]}{arrow}{NAMES[rung.receiver]}: {place}{text(rung.text)}"
        if rung.failure:
            yield f"    Note over {across}: FAILED HERE: {text(rung.failure)}"
    if ladder.failure:
        yield f"    Note over {across}: FAILED HERE: {text(ladder.failure)}"


def markdown_lines(ladders: Sequence[Ladder]) -> Iterator[str]:
    """Several diagrams as Markdown, each in a block of its own, which GitHub and GitLab draw."""
    for ladder in ladders:
        yield "```mermaid"
        yield from mermaid_lines(ladder)
        yield "```"
        yield ""


def text(words: str) -> str:
    """Text in which every character that might mean something is its entity code."""
    return SPECIAL.sub(lambda found: f"#{ord(found[0])};" if found[0] else "\u200b", safe(words)) or "-"
