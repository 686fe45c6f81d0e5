"""Lines as wide as the terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Painter = Callable[[str, str], str]  # colour code and text


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> Iterator[str]:
    """The lines of a text that has been escaped, behind `first` and then `rest`; words are never cut."""
    yield from textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def headed(
    head: tuple[str, str], tail: str, width: int, paint: Painter, first: str = "", rest: str | None = None
) -> Iterator[str]:
    """The same of a head in a colour, as (code, text), and a tail without; broken over lines, all has the colour."""
    code, text = head
    lines = [*wrapped(text + tail, width, first, rest)]
    if len(lines) > 1 or not text:
        yield from (paint(code, line) if text else line for line in lines)
    else:
        yield f"{first}{paint(code, text)}{tail}"


def plain(_code: str, text: str) -> str:
    """Paints nothing."""
    return text


def colored(code: str, text: str) -> str:
    """Paints with an SGR code."""
    return f"\x1b[{code}m{text}\x1b[0m"
