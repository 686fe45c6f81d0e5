"""Numbers of things in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things, as "1 record" or "2 records"; `many` where the plural has no plain s."""
    return f"{number} {one if number == 1 else many or one + 's'}"
