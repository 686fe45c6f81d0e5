"""Text that fits the columns of a terminal: paths give way in the middle, where they say least; nothing else is cut."""

from __future__ import annotations

ELLIPSIS = "…"
LEAST = 16  # columns that a path keeps


def shortened(path: str, size: int) -> str:
    """A path of no more than `size` characters: its begin, and twice as much of its end."""
    if len(path) <= size:
        return path
    head = (size - 1) // 3
    return f"{path[:head]}{ELLIPSIS}{path[len(path) - (size - 1 - head) :]}"


def fitted(text: str, room: int) -> str:
    """A text whose paths and addresses of the web are shortened until it has room, the longest first."""
    over = len(text) - room
    if over <= 0 or "/" not in text:
        return text
    words = text.split(" ")
    for at in sorted(range(len(words)), key=lambda at: -len(words[at])):
        word = words[at]
        if over <= 0 or len(word) <= LEAST:
            break
        if "/" in word:
            words[at] = shortened(word, max(LEAST, len(word) - over))
            over -= len(word) - len(words[at])
    return " ".join(words)
