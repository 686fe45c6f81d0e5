"""What a filter needs of the packets: nothing, the headers of some, or to follow all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.frame.catalogue import BY_NAME, NOTHING, needed

if TYPE_CHECKING:
    from collections.abc import Iterable

BY_ORDER = frozenset({"frame.time_relative", "frame.time_delta"})
"""Fields that need the packets before."""


def followed(names: Iterable[str]) -> list[str]:
    """Those that are fields of packets; the others are protocols."""
    return [name for name in names if name in BY_NAME]


def must_follow(names: Iterable[str]) -> bool:
    """Whether all packets must be read, one by one and in order, to know these fields of one."""
    fields = followed(names)
    return not BY_ORDER.isdisjoint(fields) or needed(fields) > NOTHING
