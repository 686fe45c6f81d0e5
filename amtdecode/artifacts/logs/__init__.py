"""Logs of servers and consoles: `read_log` gives the rows that say something, `explain` what they mean.

for row in read_log("scs_server.log"):
    print(row.line, row.time, row.code, explain(row).meaning)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amtdecode.artifacts.logs.anchors import Anchor, Code, Explanation, Table, explain, table
    from amtdecode.artifacts.logs.clock import ClockOffset, estimate_offset, vote_offset
    from amtdecode.artifacts.logs.files import KNOWN, KnownLog, in_order, known_log
    from amtdecode.artifacts.logs.reader import LogReader, looks_like_a_log, read_log
    from amtdecode.artifacts.logs.row import LogRow

__all__ = [
    "KNOWN",
    "Anchor",
    "ClockOffset",
    "Code",
    "Explanation",
    "KnownLog",
    "LogReader",
    "LogRow",
    "Table",
    "estimate_offset",
    "explain",
    "in_order",
    "known_log",
    "looks_like_a_log",
    "read_log",
    "table",
    "vote_offset",
]

_LATE = {
    "Anchor": "anchors",
    "ClockOffset": "clock",
    "Code": "anchors",
    "Explanation": "anchors",
    "KNOWN": "files",
    "KnownLog": "files",
    "LogReader": "reader",
    "LogRow": "row",
    "Table": "anchors",
    "estimate_offset": "clock",
    "explain": "anchors",
    "in_order": "files",
    "known_log": "files",
    "looks_like_a_log": "reader",
    "read_log": "reader",
    "table": "anchors",
    "vote_offset": "clock",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: who has captures alone needs no log."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"amtdecode.artifacts.logs.{_LATE[name]}"), name)
    raise AttributeError(f"module 'amtdecode.artifacts.logs' has no attribute {name!r}")
