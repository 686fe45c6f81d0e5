"""Names with their values, as headers and the elements of an envelope are."""

from __future__ import annotations


class Pairs(tuple[tuple[str, str], ...]):  # noqa: SLOT001 (those below keep what they work out)
    """Names and values in the order in which they stand; names repeat. `repr` shows no values: they may be secret."""

    def __repr__(self) -> str:
        return f"<{', '.join([name for name, _ in self])}>"
